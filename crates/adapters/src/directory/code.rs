//! The rotating code of a wallet: a number that stands for the wallet, and six digits that change
//! every minute (RFC 6238 with SHA-256), so that a phone shows it without a network.
//!
//! A code is worth something once: a desk that reads it can open visits of this person, and nobody
//! can use the same minute's code again.

use aws_lc_rs::hmac;
use primitives::{PersonId, PublicKey, Timestamp, codec};
use rusqlite::{OptionalExtension as _, params};

use super::seal::{Sealer, random};
use super::{Directory, DirectoryError, malformed};
use crate::sqlite::Sql;

const TABLE: &str = "code";
/// For how long six digits stand, in milliseconds.
pub const CODE_MILLIS: u64 = 60_000;
/// How many wallets of a person have a code; the oldest gives way. Our own limit.
const CODES_MAX: u32 = 8;
/// Numbers have eight digits and do not begin with a zero.
const NUMBERS: std::ops::Range<u32> = 10_000_000..100_000_000;
/// How many digits change.
const DIGITS: u32 = 1_000_000;

/// What a wallet needs to show its code.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CodeSeed {
    /// The number that stands for the wallet.
    pub number: u32,
    /// What the changing digits come from.
    pub secret: [u8; 32],
}

/// Whose code was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsedCode {
    /// The person that it stands for.
    pub person: PersonId,
    /// The relative on whose phone it was shown, if it was not the person's own.
    pub shown_by: Option<PersonId>,
    /// The key of the phone that shows it: a code is worth as much as this key.
    pub key: PublicKey,
}

/// The changing digits of a moment.
#[must_use]
pub fn code_digits(secret: &[u8; 32], step: u64) -> u32 {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let offset = tag.last().map_or(0, |last| usize::from(last & 0x0f));
    let end = offset.saturating_add(4);
    let word = tag.get(offset..end).and_then(|bytes| <[u8; 4]>::try_from(bytes).ok());
    let word = u32::from_be_bytes(word.unwrap_or_default()) & 0x7fff_ffff;
    word.checked_rem(DIGITS).unwrap_or_default()
}

/// The minute of an instant.
#[must_use]
pub const fn code_step(now: Timestamp) -> u64 {
    match now.millis().checked_div(CODE_MILLIS) {
        Some(step) => step,
        None => 0,
    }
}

impl Directory {
    /// Gives a wallet of this person a code of its own, or a relative's wallet one that stands for
    /// the person.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn new_code(
        &self,
        UsedCode { person, shown_by, key }: UsedCode,
        now: Timestamp,
    ) -> Result<CodeSeed, DirectoryError> {
        let holder = shown_by.map(|one| one.0);
        let key = codec::encode(&key);
        let secret: [u8; 32] = random()?;
        loop {
            let span = NUMBERS.end.saturating_sub(NUMBERS.start);
            let random = u32::from_le_bytes(random()?).checked_rem(span).unwrap_or(0);
            let number = NUMBERS.start.saturating_add(random);
            let sealed = self.sealer.seal(TABLE, &number.to_le_bytes(), &secret)?;
            let entered = self.database.write(|tx| {
                let sql = "INSERT OR IGNORE INTO code (number, person, sealed, created, shown_by,
                           key) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
                let values = params![number, person.0, sealed, Sql(now), holder, key];
                let entered = tx.execute(sql, values)?;
                let sql = "DELETE FROM code WHERE person = ?1 AND shown_by IS ?3 AND number NOT IN
                           (SELECT number FROM code WHERE person = ?1 AND shown_by IS ?3
                            ORDER BY created DESC, number LIMIT ?2)";
                tx.execute(sql, params![person.0, CODES_MAX, holder])?;
                Ok(entered == 1)
            })?;
            if entered {
                return Ok(CodeSeed { number, secret });
            }
        }
    }

    /// Whose code these digits are, if they stand now or stood until a minute ago, or are about to
    /// (clocks differ). They count once.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn use_code(
        &self,
        number: u32,
        digits: u32,
        now: Timestamp,
    ) -> Result<Option<UsedCode>, DirectoryError> {
        let found = self.database.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT person, sealed, used, shown_by, key FROM code WHERE number = ?1",
                )?
                .query_row([number], |row| {
                    let person: [u8; 16] = row.get(0)?;
                    let sealed: Vec<u8> = row.get(1)?;
                    let Sql(used): Sql<u64> = row.get(2)?;
                    let shown_by: Option<[u8; 16]> = row.get(3)?;
                    let shown_by = shown_by.map(PersonId);
                    let key: Vec<u8> = row.get(4)?;
                    let key = codec::decode(&key).map_err(|_| malformed("a public key"))?;
                    Ok((UsedCode { person: PersonId(person), shown_by, key }, sealed, used))
                })
                .optional()
        })?;
        let Some((whose, sealed, used)) = found else { return Ok(None) };
        let secret = self.sealer.open(TABLE, &number.to_le_bytes(), &sealed)?;
        let secret = <[u8; 32]>::try_from(secret).map_err(|_| DirectoryError::Sealed)?;
        let now = code_step(now);
        let given = digits.to_le_bytes();
        let steps = [now.saturating_sub(1), now, now.saturating_add(1)].into_iter();
        let step = steps
            .filter(|step| *step > used)
            .find(|step| Sealer::is_same(&code_digits(&secret, *step).to_le_bytes(), &given));
        let Some(step) = step else { return Ok(None) };
        let first = self.database.write(|tx| {
            let sql = "UPDATE code SET used = ?2 WHERE number = ?1 AND used < ?2";
            match tx.execute(sql, params![number, Sql(step)])? {
                0 => Ok(false),
                1 => Ok(true),
                _ => Err(malformed("numbers are unique")),
            }
        })?;
        Ok(first.then_some(whose))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_follow_the_published_test_vectors() {
        // RFC 6238 appendix B, SHA-256, a seed of 32 bytes: eight digits there, six here.
        let secret = *b"12345678901234567890123456789012";
        for (step, eight) in [(1, 46_119_246), (0x23523ec, 68_084_774), (0x23523ed, 67_062_674)] {
            assert_eq!(code_digits(&secret, step), eight % DIGITS, "{step:x}");
        }
    }
}
