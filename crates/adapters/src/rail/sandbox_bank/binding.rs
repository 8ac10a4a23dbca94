//! Binding of cards at the sandbox bank: from card number to token, after a test authorisation.

use aws_lc_rs::hmac;
use primitives::{Amount, sha256_parts};
use rusqlite::{OptionalExtension, Transaction, params};

use crate::rail::{
    Refusal, Token, Verdict,
    books::{Decision, Request},
    card::{BindCard, BindCardError, BoundCard, CardBinding},
    sandbox_bank::{SandboxRail, line},
};

/// What a test authorisation asks for and gives back at once: one minor unit.
const TEST_AMOUNT: Amount = Amount::from_minor(1);

impl CardBinding for SandboxRail {
    fn bind_card(&self, request: &BindCard) -> Result<BoundCard, BindCardError> {
        let bound = self.bank.books.database().write(|tx| {
            let verdict = self.test_authorisation(tx, request)?;
            match verdict {
                Verdict::Done(_) => self.token(tx, request).map(Ok),
                Verdict::Refused(refusal) => Ok(Err(refusal)),
            }
        });
        match bound {
            Ok(Ok(Some(token))) => {
                Ok(BoundCard { token, last_four: String::from(request.number.last_four()) })
            }
            Ok(Ok(None)) => Err(BindCardError::Unknown),
            Ok(Err(refusal)) => Err(BindCardError::Refused(refusal)),
            Err(error) => {
                tracing::warn!(%error, "the sandbox bank's books failed");
                Err(BindCardError::Unknown)
            }
        }
    }
}

impl SandboxRail {
    /// Asks for one minor unit and releases it in the same commit, so that nothing stays held.
    fn test_authorisation(
        &self,
        tx: &Transaction<'_>,
        request: &BindCard,
    ) -> rusqlite::Result<Verdict> {
        let now = self.bank.clock.now();
        let fingerprint = sha256_parts(&[
            b"yibao/sandbox-bind/v1",
            request.number.digits().as_bytes(),
            b"/",
            request.holder_name.as_bytes(),
        ]);
        let asked = Request {
            owner: &self.owner,
            reference: request.reference,
            fingerprint,
            action: "bind",
        };
        self.bank.books.perform(tx, &asked, now, |tx, _| {
            let card: Option<(i64, bool, i32, String)> = tx
                .prepare_cached(
                    "SELECT c.account, c.is_blocked, c.last_day, u.holder
                     FROM card c JOIN customer u ON u.account = c.account WHERE c.number = ?1",
                )?
                .query_row([request.number.digits()], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
                })
                .optional()?;
            let Some((account, is_blocked, last_day, holder)) = card else {
                return Ok(Decision::Refuse(Refusal::CardUnknown));
            };
            if holder != request.holder_name.trim() {
                return Ok(Decision::Refuse(Refusal::HolderMismatch));
            }
            if is_blocked {
                return Ok(Decision::Refuse(Refusal::CardBlocked));
            }
            if last_day < self.bank.today().days() {
                return Ok(Decision::Refuse(Refusal::CardExpired));
            }
            if line::balance(tx, account, now)?.available() < TEST_AMOUNT {
                return Ok(Decision::Refuse(Refusal::InsufficientFunds));
            }
            Ok(Decision::Note(TEST_AMOUNT))
        })
    }

    /// The token of this organisation for the card; the same every time.
    fn token(&self, tx: &Transaction<'_>, request: &BindCard) -> rusqlite::Result<Option<Token>> {
        let number = request.number.digits();
        let mut context = hmac::Context::with_key(&self.bank.secret);
        for part in [self.owner.as_bytes(), b"/", number.as_bytes()] {
            context.update(part);
        }
        let tag = context.sign();
        let digits: String =
            tag.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        let token = format!("card-{digits}");
        tx.prepare_cached(
            "INSERT INTO token (token, owner, number) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        )?
        .execute(params![token, self.owner, number])?;
        Ok(token.parse().ok())
    }
}
