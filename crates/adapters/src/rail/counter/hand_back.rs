//! Money that was taken for something that did not come about: it goes back to whoever paid it, all
//! of it and once, with a reason.
//!
//! The ledger knows of neither movement, so neither stands on the statement: the till's own book
//! has both, and the shift names the reason (test `what_was_handed_back_is_not_on_the_statement`).
//!
//! Invariant: a payment is either ordered by the ledger or handed back, whichever the till hears of
//! first, and never both (test `what_was_ordered_is_not_handed_back_and_the_other_way_round`).

use std::collections::BTreeSet;

use primitives::{Amount, CivilDate, Hash, Timestamp, sha256_parts};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{Clerk, Counter, CounterError, OWNER, change_of, note_cash, open_till};
use crate::{
    rail::{
        Action, Answer, Done, Order, Reference, Refusal, StatementLine, Verdict,
        books::{self, Decision, Request},
    },
    sqlite::{Sql, StoreError},
};

/// The longest reason, in bytes.
pub const REASON_BYTES_MAX: usize = 200;
/// The action of such an order in the books.
pub(super) const ACTION: &str = "hand_back";
/// How many of a shift are shown.
const SHOWN_MAX: u32 = 200;

/// Money that a clerk hands back.
#[derive(Clone, PartialEq, Eq)]
pub struct HandBack {
    /// The payment that it was taken with.
    pub original: Reference,
    /// Out of whose till.
    pub clerk: Clerk,
    /// Why, in the clerk's words.
    pub reason: String,
}

/// A payment that was taken before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenBefore {
    /// Who took it.
    pub clerk: Clerk,
    /// The receipt of the till.
    pub done: Done,
    /// What the payer got back at once.
    pub change: Amount,
    /// How much of it was given back since.
    pub given_back: Amount,
}

/// Money that was handed back in a shift. The clerk's words show themselves nowhere in logs.
#[derive(Clone, PartialEq, Eq)]
pub struct HandedBack {
    /// The till's own number of the payment.
    pub payment: String,
    /// How much.
    pub amount: Amount,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
}

impl std::fmt::Debug for HandedBack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HandedBack").field("payment", &self.payment).finish_non_exhaustive()
    }
}

impl Counter {
    /// What was taken under this reference, if anything was.
    ///
    /// # Errors
    /// When the books fail.
    pub fn taken(&self, reference: &Reference) -> Result<Option<TakenBefore>, StoreError> {
        self.books.database().read(|connection| taken(connection, reference))
    }

    /// Hands back all of a payment out of a clerk's till, once.
    ///
    /// # Errors
    /// No reason, no open shift, too little in the till, nothing left to hand back, failing books.
    pub fn hand_back(&self, asked: &HandBack) -> Result<Done, CounterError> {
        let reason = asked.reason.trim();
        if !(1..=REASON_BYTES_MAX).contains(&reason.len()) {
            return Err(CounterError::ReasonMissing);
        }
        let fingerprint = sha256_parts(&[
            b"yibao/counter-handed-back/v1",
            asked.original.0.as_bytes(),
            asked.clerk.0.as_bytes(),
        ]);
        let reference = reference_of(&asked.original);
        let request = Request { owner: OWNER, reference, fingerprint, action: ACTION };
        self.books.database().write_unless(|tx| {
            if is_ordered(tx, &asked.original)? {
                return Ok(Err(CounterError::Ordered));
            }
            let verdict = self.books.perform(tx, &request, self.clock.now(), |tx, new| {
                let Some(taken) = taken(tx, &asked.original)? else {
                    return Ok(Decision::Refuse(Refusal::OriginalUnknown));
                };
                let amount = taken.done.amount;
                let old = match books::find_refundable(tx, OWNER, &asked.original, amount)? {
                    Ok(old) => old,
                    Err(refusal) => return Ok(Decision::Refuse(refusal)),
                };
                let till = match open_till(tx, &asked.clerk, amount)? {
                    Ok(till) => till,
                    Err(refusal) => return Ok(Decision::Refuse(refusal)),
                };
                if amount > books::debit_balance(tx, till.account)? {
                    return Ok(Decision::Refuse(Refusal::TillShort));
                }
                note_cash(tx, new, &till, "handed_back", (amount, Amount::ZERO), Some(reason))?;
                let (debit, credit, original) = (old.payee, till.account, Some(old.id));
                Ok(Decision::Move { debit, credit, amount, original })
            })?;
            Ok(match verdict {
                Verdict::Done(done) => Ok(done),
                Verdict::Refused(refusal) => Err(CounterError::Refused(refusal)),
            })
        })?
    }

    /// What became of an order: of a payment that was handed back, that it is closed.
    pub(super) fn answer(&self, reference: &Reference) -> Result<Answer, StoreError> {
        let is_undone =
            self.books.database().read(|connection| is_undone(connection, reference))?;
        if is_undone {
            return Ok(Answer::Final(Verdict::Refused(Refusal::Closed)));
        }
        self.books.query(OWNER, reference)
    }

    /// The statement without payments that were handed back.
    pub(super) fn statement(&self, day: CivilDate) -> Result<Vec<StatementLine>, StoreError> {
        let mut lines = self.books.statement(OWNER, day)?;
        let undone = self.books.database().read(|connection| {
            let mut undone = connection.prepare_cached(
                "SELECT o.reference FROM cash c
                 JOIN order_record b ON b.id = c.order_id
                 JOIN order_record o ON o.id = b.original
                 JOIN entry e ON e.order_id = o.id
                 WHERE c.kind = 'handed_back' AND e.day = ?1",
            )?;
            undone
                .query_map([day.days()], |row| row.get::<_, Sql<Hash>>(0).map(|found| found.0))?
                .collect::<rusqlite::Result<BTreeSet<_>>>()
        })?;
        lines.retain(|line| !undone.contains(&line.reference.0));
        Ok(lines)
    }
}

/// The reference of handing a payment back: one for each payment, so that it happens once.
fn reference_of(original: &Reference) -> Reference {
    Reference(sha256_parts(&[b"yibao/counter-hand-back/v1", original.0.as_bytes()]))
}

fn taken(connection: &Connection, reference: &Reference) -> rusqlite::Result<Option<TakenBefore>> {
    let Some(old) = books::find_order(connection, OWNER, reference)? else { return Ok(None) };
    let (Some((till, _)), "pay", Verdict::Done(done)) =
        (old.accounts, old.action.as_str(), old.verdict)
    else {
        return Ok(None);
    };
    let name = books::account_name(connection, till)?;
    let change = change_of(connection, reference)?;
    let clerk = Clerk::of_token(&name);
    Ok(clerk.map(|clerk| TakenBefore { clerk, done, change, given_back: old.refunded }))
}

/// What was handed back in a shift, the newest first.
pub(super) fn in_shift(
    connection: &Connection,
    (shift, prefix): (i64, &str),
) -> rusqlite::Result<Vec<HandedBack>> {
    let mut all = connection.prepare_cached(
        "SELECT b.original, c.amount, e.at, c.reason FROM cash c
         JOIN order_record b ON b.id = c.order_id JOIN entry e ON e.order_id = b.id
         WHERE c.shift_id = ?1 AND c.kind = 'handed_back' ORDER BY b.id DESC LIMIT ?2",
    )?;
    all.query_map(params![shift, SHOWN_MAX], |row| {
        Ok(HandedBack {
            payment: books::rail_reference(prefix, row.get(0)?),
            amount: row.get::<_, Sql<Amount>>(1)?.0,
            at: row.get::<_, Sql<Timestamp>>(2)?.0,
            reason: row.get(3)?,
        })
    })?
    .collect()
}

/// Whether this payment was handed back.
pub(super) fn is_undone(connection: &Connection, reference: &Reference) -> rusqlite::Result<bool> {
    let undoing = reference_of(reference);
    connection
        .prepare_cached("SELECT 1 FROM order_record WHERE owner = ?1 AND reference = ?2")?
        .query_row(params![OWNER, Sql(undoing.0)], |_| Ok(()))
        .optional()
        .map(|found| found.is_some())
}

/// Notes that the ledger ordered a payment that lies here.
pub(super) fn note_ordered(
    connection: &Connection,
    order: &Order,
    verdict: &Verdict,
) -> rusqlite::Result<()> {
    if !matches!((&order.action, verdict), (Action::Pay { .. }, Verdict::Done(_))) {
        return Ok(());
    }
    let sql = "UPDATE cash SET ordered = 1 WHERE ordered = 0 AND order_id =
               (SELECT id FROM order_record WHERE owner = ?1 AND reference = ?2)";
    connection.prepare_cached(sql)?.execute(params![OWNER, Sql(order.reference.0)]).map(|_| ())
}

fn is_ordered(connection: &Connection, reference: &Reference) -> rusqlite::Result<bool> {
    connection
        .prepare_cached(
            "SELECT c.ordered FROM cash c JOIN order_record o ON o.id = c.order_id
             WHERE o.owner = ?1 AND o.reference = ?2",
        )?
        .query_row(params![OWNER, Sql(reference.0)], |row| row.get(0))
        .optional()
        .map(|found| found.unwrap_or(false))
}
