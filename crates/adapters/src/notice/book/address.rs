//! Where people are reached: browsers, the bureau's WeChat account, and phones, which count once
//! their owner has written back the code that was sent to them.

use primitives::{Hash, PersonId, Timestamp, codec, sha256_parts};
use rusqlite::{OptionalExtension as _, params};

use super::{DAY_MILLIS, NoticeBook, Standing};
use crate::directory::DirectoryError;
use crate::directory::seal::random;
use crate::notice::{Address, Channel, NoticeError, Phone};
use crate::sqlite::Sql;

const ADDRESS: &str = "notice_address";
const CODE: &str = "notice_code";
/// The most browsers of one person that are told; the oldest goes. Our own limit.
const BROWSERS_MAX: u32 = 8;
/// For how long the code that was sent to a phone counts, in milliseconds: ten minutes.
const CODE_MILLIS: u64 = 10 * 60_000;
/// How often a wrong code may be written before a new one is needed. Our own limit.
pub const PHONE_CODE_TRIES: u32 = 5;
/// How many codes are sent for one person on a day: a phone may be somebody else's. Our own limit.
const CODES_PER_DAY_MAX: u32 = 5;

/// What became of asking for a code.
#[derive(Clone, PartialEq, Eq)]
pub enum CodeSent {
    /// It is to be sent: six digits.
    Send(String),
    /// Too many were sent today.
    TooMany,
}

/// What became of writing a code back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeTry {
    /// It was right: the phone counts.
    Right,
    /// It was wrong; so many tries are left.
    Wrong {
        /// How many.
        left: u32,
    },
    /// None waits: it was never sent, it is over, or was tried too often.
    None,
}

impl NoticeBook {
    /// Keeps where a person is reached: one more browser, or the only phone or follower. Gives its
    /// id.
    ///
    /// # Errors
    /// When the book fails.
    pub fn put_address(
        &self,
        person: PersonId,
        address: &Address,
        now: Timestamp,
    ) -> Result<Hash, NoticeError> {
        let bytes = codec::encode(address);
        let what = match address {
            // A browser that subscribes again is the same one.
            Address::Push(subscription) => subscription.endpoint.as_bytes(),
            Address::Wechat(_) | Address::Sms(_) => &[],
        };
        let channel = address.channel();
        let id = sha256_parts(&[
            b"yibao/notice-address/v1",
            &self.sealer.hash(ADDRESS, &person.0, &[channel.name().as_bytes(), what].concat()),
        ]);
        let sealed = self.sealer.seal(ADDRESS, &id.0, &bytes)?;
        self.database.write(|tx| {
            let sql = "INSERT INTO address (id, person, channel, sealed, made)
                       VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (id) DO UPDATE SET
                       sealed = excluded.sealed, made = excluded.made";
            let values = params![Sql(id), person.0, channel.name(), sealed, Sql(now)];
            tx.prepare_cached(sql)?.execute(values)?;
            let sql = "DELETE FROM address WHERE person = ?1 AND channel = 'push' AND id NOT IN (
                         SELECT id FROM address WHERE person = ?1 AND channel = 'push'
                         ORDER BY made DESC, id LIMIT ?2)";
            tx.prepare_cached(sql)?.execute(params![person.0, BROWSERS_MAX])
        })?;
        Ok(id)
    }

    /// Where a person is reached on a channel, the newest first.
    pub(in crate::notice) fn addresses(
        &self,
        person: PersonId,
        channel: Channel,
    ) -> Result<Vec<(Hash, Address)>, NoticeError> {
        let found: Vec<(Sql<Hash>, Vec<u8>)> = self.database.read(|connection| {
            let sql = "SELECT id, sealed FROM address WHERE person = ?1 AND channel = ?2
                       ORDER BY made DESC, id";
            let mut rows = connection.prepare_cached(sql)?;
            let values = params![person.0, channel.name()];
            rows.query_map(values, |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        })?;
        let opened = found.into_iter().map(|(Sql(id), sealed)| {
            let bytes = self.sealer.open(ADDRESS, &id.0, &sealed)?;
            let address = codec::decode(&bytes).map_err(|_| DirectoryError::Sealed)?;
            Ok((id, address))
        });
        opened.collect()
    }

    /// Forgets an address of a person. Says whether there was one.
    ///
    /// # Errors
    /// When the book fails.
    pub fn remove_address(&self, person: PersonId, id: &Hash) -> Result<bool, NoticeError> {
        Ok(self.database.write(|tx| {
            let sql = "DELETE FROM address WHERE person = ?1 AND id = ?2";
            Ok(tx.prepare_cached(sql)?.execute(params![person.0, Sql(*id)])? == 1)
        })?)
    }

    /// Where a person's notices stand, if they were asked for.
    ///
    /// # Errors
    /// When the book fails.
    pub fn standing(&self, person: PersonId) -> Result<Option<Standing>, NoticeError> {
        let Some(choice) = self.choice(person)? else { return Ok(None) };
        let phone_end = self.addresses(person, Channel::Sms)?.into_iter().find_map(|(_, one)| {
            if let Address::Sms(phone) = one { Some(phone.end().to_owned()) } else { None }
        });
        let browsers = self.addresses(person, Channel::Push)?;
        let browsers = browsers.into_iter().map(|(id, _)| id).collect();
        Ok(Some(Standing { choice, phone_end, browsers }))
    }

    /// Makes the code that shows whose phone it is; an earlier one does not count any more.
    ///
    /// # Errors
    /// When the book fails or the system gives no randomness.
    pub fn new_phone_code(
        &self,
        person: PersonId,
        phone: &Phone,
        now: Timestamp,
    ) -> Result<CodeSent, NoticeError> {
        let code = format!("{:06}", u64::from_le_bytes(random()?) % 1_000_000);
        let sealed = self.sealer.seal(CODE, &person.0, &codec::encode(&(phone, &code)))?;
        let today = now.millis() / DAY_MILLIS;
        let is_kept = self.database.write(|tx| {
            let sql = "SELECT sent FROM code WHERE person = ?1 AND day = ?2";
            let values = params![person.0, Sql(today)];
            let sent: Option<u32> = tx.query_row(sql, values, |row| row.get(0)).optional()?;
            let sent = sent.unwrap_or(0);
            if sent >= CODES_PER_DAY_MAX {
                return Ok(false);
            }
            let sql = "INSERT INTO code (person, sealed, expires, failures, day, sent)
                       VALUES (?1, ?2, ?3, 0, ?4, ?5) ON CONFLICT (person) DO UPDATE SET
                       sealed = excluded.sealed, expires = excluded.expires, failures = 0,
                       day = excluded.day, sent = excluded.sent";
            let expires = Sql(now.plus_millis(CODE_MILLIS));
            let sent = sent.saturating_add(1);
            tx.execute(sql, params![person.0, sealed, expires, Sql(today), sent])?;
            Ok(true)
        })?;
        Ok(if is_kept { CodeSent::Send(code) } else { CodeSent::TooMany })
    }

    /// Compares the code that came back. A wrong one is counted before it is answered; a right one
    /// makes the phone the person's.
    ///
    /// # Errors
    /// When the book fails.
    pub fn try_phone_code(
        &self,
        person: PersonId,
        code: &str,
        now: Timestamp,
    ) -> Result<CodeTry, NoticeError> {
        let counted: Option<(Vec<u8>, u32)> = self.database.write(|tx| {
            let sql = "UPDATE code SET failures = failures + 1
                       WHERE person = ?1 AND expires > ?2 AND failures < ?3
                       RETURNING sealed, failures";
            let values = params![person.0, Sql(now), PHONE_CODE_TRIES];
            tx.query_row(sql, values, |row| Ok((row.get(0)?, row.get(1)?))).optional()
        })?;
        let Some((sealed, tries)) = counted else { return Ok(CodeTry::None) };
        let bytes = self.sealer.open(CODE, &person.0, &sealed)?;
        let (phone, sent): (Phone, String) =
            codec::decode(&bytes).map_err(|_| DirectoryError::Sealed)?;
        let is_right = crate::directory::seal::Sealer::is_same(sent.as_bytes(), code.as_bytes());
        if !is_right {
            return Ok(CodeTry::Wrong { left: PHONE_CODE_TRIES.saturating_sub(tries) });
        }
        self.put_address(person, &Address::Sms(phone), now)?;
        self.database.write(|tx| {
            // The day's count stays, so that a right code does not give further ones.
            let sql = "UPDATE code SET expires = 0 WHERE person = ?1";
            tx.prepare_cached(sql)?.execute(params![person.0])
        })?;
        Ok(CodeTry::Right)
    }
}
