//! Where people are reached: browsers, the bureau's WeChat account, and phones, which count once
//! their owner has written back the code that was sent to them.

use primitives::{Hash, PersonId, PublicKey, Timestamp, codec, sha256_parts};
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
    /// It is to be sent.
    Send {
        /// Six digits.
        code: String,
        /// Under which number its arrival is reported.
        reference: Hash,
    },
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
    /// Keeps where a person is reached: one more browser, with the key of the wallet that asked in
    /// it, or the only phone or follower. Gives its id.
    ///
    /// # Errors
    /// When the book fails.
    pub fn put_address(
        &self,
        person: PersonId,
        (address, key): (&Address, Option<&PublicKey>),
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
            let sql = "INSERT INTO address (id, person, channel, sealed, made, key)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (id) DO UPDATE SET
                       sealed = excluded.sealed, made = excluded.made, key = excluded.key";
            let key = key.map(codec::encode);
            let values = params![Sql(id), person.0, channel.name(), sealed, Sql(now), key];
            tx.prepare_cached(sql)?.execute(values)?;
            let sql = "DELETE FROM address WHERE person = ?1 AND channel = 'push' AND id NOT IN (
                         SELECT id FROM address WHERE person = ?1 AND channel = 'push'
                         ORDER BY made DESC, id LIMIT ?2)";
            tx.prepare_cached(sql)?.execute(params![person.0, BROWSERS_MAX])
        })?;
        Ok(id)
    }

    /// Where a person is reached on a channel, the newest first. An address that cannot be opened
    /// is named and left out, so that the others are told.
    pub(in crate::notice) fn open_addresses(
        &self,
        person: PersonId,
        channel: Channel,
    ) -> Result<Vec<(Hash, Address)>, NoticeError> {
        let mut opened = Vec::new();
        for (id, sealed) in self.sealed_addresses(person, channel)? {
            match self.open_address(&id, &sealed) {
                Ok(address) => opened.push((id, address)),
                Err(error) => tracing::error!(%error, "nobody is told at this address"),
            }
        }
        Ok(opened)
    }

    /// Whether a person is reached on a channel.
    pub(in crate::notice) fn has_address(
        &self,
        person: PersonId,
        channel: Channel,
    ) -> Result<bool, NoticeError> {
        Ok(self.database.read(|connection| {
            let sql = "SELECT 1 FROM address WHERE person = ?1 AND channel = ?2";
            connection.prepare_cached(sql)?.exists(params![person.0, channel.name()])
        })?)
    }

    fn sealed_addresses(
        &self,
        person: PersonId,
        channel: Channel,
    ) -> Result<Vec<(Hash, Vec<u8>)>, NoticeError> {
        let found: Vec<(Sql<Hash>, Vec<u8>)> = self.database.read(|connection| {
            let sql = "SELECT id, sealed FROM address WHERE person = ?1 AND channel = ?2
                       ORDER BY made DESC, id";
            let mut rows = connection.prepare_cached(sql)?;
            let values = params![person.0, channel.name()];
            rows.query_map(values, |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        })?;
        Ok(found.into_iter().map(|(Sql(id), sealed)| (id, sealed)).collect())
    }

    fn open_address(&self, id: &Hash, sealed: &[u8]) -> Result<Address, NoticeError> {
        let bytes = self.sealer.open(ADDRESS, &id.0, sealed)?;
        Ok(codec::decode(&bytes).map_err(|_| DirectoryError::Sealed)?)
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

    /// Forgets a person's phone. Says whether there was one.
    ///
    /// # Errors
    /// When the book fails.
    pub fn remove_phone(&self, person: PersonId) -> Result<bool, NoticeError> {
        Ok(self.database.write(|tx| {
            let sql = "DELETE FROM address WHERE person = ?1 AND channel = 'sms'";
            Ok(tx.prepare_cached(sql)?.execute(params![person.0])? == 1)
        })?)
    }

    /// Forgets the browsers of a person in which a key asked that is not among these. Says how many
    /// there were.
    ///
    /// # Errors
    /// When the book fails.
    pub fn keep_browsers_of(
        &self,
        person: PersonId,
        keys: &[PublicKey],
    ) -> Result<usize, NoticeError> {
        let keys: Vec<Vec<u8>> = keys.iter().map(codec::encode).collect();
        Ok(self.database.write(|tx| {
            let sql = "SELECT id, key FROM address WHERE person = ?1 AND channel = 'push'";
            let mut browsers = tx.prepare_cached(sql)?;
            let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
            let found: Vec<(Sql<Hash>, Option<Vec<u8>>)> =
                browsers.query_map(params![person.0], read)?.collect::<rusqlite::Result<_>>()?;
            let is_gone =
                |key: &Option<Vec<u8>>| key.as_ref().is_none_or(|key| !keys.contains(key));
            let gone: Vec<Sql<Hash>> =
                found.into_iter().filter(|(_, key)| is_gone(key)).map(|(id, _)| id).collect();
            for id in &gone {
                tx.prepare_cached("DELETE FROM address WHERE id = ?1")?.execute([id])?;
            }
            Ok(gone.len())
        })?)
    }

    /// Where a person's notices stand, if they were asked for.
    ///
    /// # Errors
    /// When the book fails.
    pub fn standing(&self, person: PersonId) -> Result<Option<Standing>, NoticeError> {
        let Some(choice) = self.choice(person)? else { return Ok(None) };
        let phone = self.sealed_addresses(person, Channel::Sms)?.into_iter().next();
        let phone = phone.map(|(id, sealed)| self.open_address(&id, &sealed)).transpose()?;
        let phone_end = match phone {
            Some(Address::Sms(phone)) => Some(phone.end().to_owned()),
            _ => None,
        };
        let browsers = self.sealed_addresses(person, Channel::Push)?;
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
        let reference = Hash(random()?);
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
            let sql = "INSERT INTO code (person, reference, sealed, expires, failures, day, sent)
                       VALUES (?1, ?2, ?3, ?4, 0, ?5, ?6) ON CONFLICT (person) DO UPDATE SET
                       reference = excluded.reference, sealed = excluded.sealed,
                       expires = excluded.expires, failures = 0, day = excluded.day,
                       sent = excluded.sent";
            let (reference, expires) = (Sql(reference), Sql(now.plus_millis(CODE_MILLIS)));
            let sent = sent.saturating_add(1);
            let values = params![person.0, reference, sealed, expires, Sql(today), sent];
            tx.execute(sql, values)?;
            Ok(true)
        })?;
        Ok(if is_kept { CodeSent::Send { code, reference } } else { CodeSent::TooMany })
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
                       WHERE person = ?1 AND sealed IS NOT NULL AND expires > ?2 AND failures < ?3
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
        self.put_address(person, (&Address::Sms(phone), None), now)?;
        self.database.write(|tx| {
            // The day's count stays, so that a right code does not give further ones.
            let sql = "UPDATE code SET sealed = NULL, expires = 0 WHERE person = ?1";
            tx.prepare_cached(sql)?.execute(params![person.0])
        })?;
        Ok(CodeTry::Right)
    }
}
