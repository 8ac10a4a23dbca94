//! The sandbox bank: a bank simulator with durable double-entry books of its own, for regions
//! without a connected bank. It issues test cards (their numbers start with 999000, which no real
//! card does), binds them, holds, captures, pays and refunds; and it refuses as banks do.
//!
//! Reading order: this file (the bank and its customers), `line` (what an organisation's rail
//! does), `binding` (from card number to token).

use std::sync::Arc;

use aws_lc_rs::hmac;
use primitives::{Amount, CivilDate, Currency, OrganisationId, UtcOffset, sha256_parts};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use crate::{
    clock::Clock,
    rail::{
        Reference, Refusal, Style, Verdict,
        books::{self, AccountKind, Books, Decision, ORDERS, Request},
        card::CardNumber,
    },
    sqlite::{Place, Schema, Sql, StoreError},
};

pub use line::SandboxRail;

mod binding;
mod line;

const SCHEMA: Schema = Schema {
    name: "sandbox bank's books",
    application_id: 0x7962_626b,
    version: 2,
    tables: &[
        ORDERS,
        "CREATE TABLE customer (
            account INTEGER PRIMARY KEY REFERENCES account (id),
            holder  TEXT NOT NULL
        ) STRICT",
        "CREATE TABLE card (
            number     TEXT PRIMARY KEY,
            account    INTEGER NOT NULL REFERENCES customer (account),
            is_blocked INTEGER NOT NULL DEFAULT 0,
            last_day   INTEGER NOT NULL
        ) STRICT",
        "CREATE TABLE token (
            token  TEXT PRIMARY KEY,
            owner  TEXT NOT NULL,
            number TEXT NOT NULL REFERENCES card (number),
            UNIQUE (owner, number)
        ) STRICT",
        "CREATE TABLE hold (
            order_id   INTEGER PRIMARY KEY
                REFERENCES order_record (id) DEFERRABLE INITIALLY DEFERRED,
            account    INTEGER NOT NULL REFERENCES customer (account),
            amount     INTEGER NOT NULL CHECK (amount > 0),
            expires_at INTEGER NOT NULL,
            state      TEXT NOT NULL CHECK (state IN ('open', 'captured', 'voided'))
        ) STRICT",
        "CREATE INDEX hold_open ON hold (account) WHERE state = 'open'",
        "CREATE TABLE secret (
            id    INTEGER PRIMARY KEY CHECK (id = 1),
            bytes BLOB NOT NULL CHECK (length(bytes) = 32)
        ) STRICT",
    ],
};

/// The first digits of every card of the sandbox bank.
pub const SANDBOX_CARD_PREFIX: &str = "999000";
/// The most customers taken in at once.
pub const CUSTOMERS_PER_CALL_MAX: usize = 10_000;
/// For how many days a new card is good: five years.
const CARD_DAYS: i32 = 1_826;
/// The owner of the bank's own orders (deposits).
const TELLER: &str = "bank teller";

/// How a sandbox bank behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SandboxBankConfig {
    /// The currency of all accounts.
    pub currency: Currency,
    /// The time zone in which the bank's days begin.
    pub offset: UtcOffset,
    /// Whether its rails hold and capture, or pay and refund.
    pub style: Style,
    /// The longest hold, in milliseconds.
    pub hold_milliseconds_max: u64,
    /// The most that one order may move.
    pub payment_limit: Amount,
    /// The most that one account may pay in a day, open holds included.
    pub daily_limit: Amount,
    /// How many orders of a thousand are declined without a reason, drawn from the seed and the
    /// order's reference.
    pub declined_per_mille: u16,
    /// Where tokens and declines come from.
    pub seed: u64,
}

impl SandboxBankConfig {
    /// A bank without declines: holds up to 7 days, 50,000.00 per payment, 200,000.00 per day.
    #[must_use]
    pub const fn new(currency: Currency, style: Style, seed: u64) -> Self {
        Self {
            currency,
            offset: UtcOffset(480),
            style,
            hold_milliseconds_max: 7 * 24 * 60 * 60 * 1_000,
            payment_limit: Amount::from_minor(5_000_000),
            daily_limit: Amount::from_minor(20_000_000),
            declined_per_mille: 0,
            seed,
        }
    }
}

/// A simulated bank.
pub struct SandboxBank {
    books: Books,
    config: SandboxBankConfig,
    clock: Arc<dyn Clock>,
    secret: hmac::Key,
}

/// The number of a customer's account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AccountNumber(i64);

/// Somebody who opens an account.
#[derive(Clone, PartialEq, Eq)]
pub struct NewCustomer {
    /// The holder's name.
    pub holder: String,
    /// What is paid in at the beginning.
    pub opening: Amount,
}

impl std::fmt::Debug for NewCustomer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewCustomer(hidden)")
    }
}

/// An account and its card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Customer {
    /// The account.
    pub account: AccountNumber,
    /// The card's number, hidden in `Debug`.
    pub card: CardNumber,
}

/// What is on a customer's account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Balance {
    /// What is booked.
    pub booked: Amount,
    /// How much of it is held.
    pub held: Amount,
}

impl Balance {
    /// What may be spent.
    #[must_use]
    pub const fn available(self) -> Amount {
        self.booked.saturating_sub(self.held)
    }
}

/// Why the bank did not do what its customer or its staff asked for.
#[derive(Debug, thiserror::Error)]
pub enum BankError {
    /// No such account or card.
    #[error("the sandbox bank has no such account or card")]
    Unknown,
    /// The name is empty or too long.
    #[error("the holder's name has 1 to 100 bytes; this one has {found}")]
    HolderName {
        /// How many bytes it has.
        found: usize,
    },
    /// More customers at once than are taken in.
    #[error("at most {CUSTOMERS_PER_CALL_MAX} customers are taken in at once; split the list")]
    TooMany,
    /// The deposit was refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The books failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SandboxBank {
    /// Opens the bank's books, and makes them when they are new.
    ///
    /// # Errors
    /// When the file is another one or cannot be opened.
    pub fn open(
        place: &Place,
        config: SandboxBankConfig,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        let books = Books::open(place, &SCHEMA, config.offset, "SB")?;
        let fresh = sha256_parts(&[b"yibao/sandbox-bank/v1", &config.seed.to_be_bytes()]);
        let secret: [u8; 32] = books.database().write(|tx| {
            tx.execute(
                "INSERT INTO secret (id, bytes) VALUES (1, ?1) ON CONFLICT DO NOTHING",
                [Sql(fresh)],
            )?;
            tx.query_row("SELECT bytes FROM secret", [], |row| row.get(0))
        })?;
        Ok(Self { books, config, clock, secret: hmac::Key::new(hmac::HMAC_SHA256, &secret) })
    }

    /// The rail of one organisation, whose account at the bank receives and gives back the money.
    #[must_use]
    pub fn rail(self: &Arc<Self>, organisation: OrganisationId) -> SandboxRail {
        SandboxRail::new(Arc::clone(self), organisation)
    }

    /// The books, for an audit.
    #[must_use]
    pub const fn books(&self) -> &Books {
        &self.books
    }

    /// Opens an account with a card for each of these customers, all in one commit.
    ///
    /// # Errors
    /// A name out of bounds, too many customers at once, or failing books; then nothing is opened.
    pub fn open_accounts(&self, customers: &[NewCustomer]) -> Result<Vec<Customer>, BankError> {
        if customers.len() > CUSTOMERS_PER_CALL_MAX {
            return Err(BankError::TooMany);
        }
        if let Some(found) =
            customers.iter().map(|new| new.holder.len()).find(|len| !(1..=100).contains(len))
        {
            return Err(BankError::HolderName { found });
        }
        self.books.database().write_unless(|tx| {
            let opened = customers.iter().map(|new| self.open_account(tx, new));
            opened.collect::<rusqlite::Result<Result<Vec<_>, _>>>()
        })?
    }

    fn open_account(
        &self,
        tx: &Transaction<'_>,
        new: &NewCustomer,
    ) -> rusqlite::Result<Result<Customer, BankError>> {
        let serial: u64 = tx
            .prepare_cached("SELECT count(*) FROM card")?
            .query_row([], |row| row.get::<_, Sql<u64>>(0))?
            .0;
        let account =
            books::account(tx, &format!("customer:{serial:09}"), AccountKind::CreditFloor)?;
        let Ok(card) = CardNumber::from_payload(&format!("{SANDBOX_CARD_PREFIX}{serial:09}"))
        else {
            return Ok(Err(BankError::TooMany));
        };
        tx.prepare_cached("INSERT INTO customer (account, holder) VALUES (?1, ?2)")?
            .execute(params![account, new.holder])?;
        let last_day = self.today().days().saturating_add(CARD_DAYS);
        tx.prepare_cached("INSERT INTO card (number, account, last_day) VALUES (?1, ?2, ?3)")?
            .execute(params![card.digits(), account, last_day])?;
        if !new.opening.is_zero() {
            let number = account.to_be_bytes();
            let reference = Reference(sha256_parts(&[b"yibao/sandbox-opening/v1", &number]));
            if let Verdict::Refused(refusal) = self.pay_in(tx, account, new.opening, reference)? {
                return Ok(Err(BankError::Refused(refusal)));
            }
        }
        Ok(Ok(Customer { account: AccountNumber(account), card }))
    }

    /// Pays money in, once per reference.
    ///
    /// # Errors
    /// No such account, a refused amount, a reference used for something else, failing books.
    pub fn deposit(
        &self,
        account: AccountNumber,
        amount: Amount,
        reference: Reference,
    ) -> Result<(), BankError> {
        self.books.database().write_unless(|tx| {
            if !is_customer(tx, account.0)? {
                return Ok(Err(BankError::Unknown));
            }
            Ok(match self.pay_in(tx, account.0, amount, reference)? {
                Verdict::Done(_) => Ok(()),
                Verdict::Refused(refusal) => Err(BankError::Refused(refusal)),
            })
        })?
    }

    fn pay_in(
        &self,
        tx: &Transaction<'_>,
        account: i64,
        amount: Amount,
        reference: Reference,
    ) -> rusqlite::Result<Verdict> {
        let fingerprint = sha256_parts(&[
            b"yibao/sandbox-deposit/v1",
            &account.to_be_bytes(),
            &amount.minor().to_be_bytes(),
        ]);
        let request = Request { owner: TELLER, reference, fingerprint, action: "deposit" };
        self.books.perform(tx, &request, self.clock.now(), |tx, _| {
            if let Err(refusal) = books::check_amount(amount) {
                return Ok(Decision::Refuse(refusal));
            }
            let debit = books::account(tx, "cash", AccountKind::Open)?;
            Ok(Decision::Move { debit, credit: account, amount, original: None })
        })
    }

    /// What is on a customer's account.
    ///
    /// # Errors
    /// No such account, or failing books.
    pub fn balance(&self, account: AccountNumber) -> Result<Balance, BankError> {
        let now = self.clock.now();
        let balance = self.books.database().read(|connection| {
            if !is_customer(connection, account.0)? {
                return Ok(None);
            }
            line::balance(connection, account.0, now).map(Some)
        })?;
        balance.ok_or(BankError::Unknown)
    }

    /// What an organisation has collected less what it gave back.
    ///
    /// # Errors
    /// When the books fail.
    pub fn organisation_balance(&self, organisation: OrganisationId) -> Result<Amount, StoreError> {
        let name = line::organisation_account(organisation);
        self.books.database().read(|connection| {
            let account: Option<i64> = connection
                .query_row("SELECT id FROM account WHERE name = ?1", [&name], |row| row.get(0))
                .optional()?;
            account.map_or(Ok(Amount::ZERO), |account| books::credit_balance(connection, account))
        })
    }

    /// Today in the bank's calendar.
    fn today(&self) -> CivilDate {
        self.clock.now().day(self.config.offset)
    }

    /// Sets the last day on which a card is good.
    ///
    /// # Errors
    /// No such card, or failing books.
    pub fn set_last_day(&self, card: &CardNumber, day: CivilDate) -> Result<(), BankError> {
        let changed = self.books.database().write(|tx| {
            tx.execute(
                "UPDATE card SET last_day = ?2 WHERE number = ?1",
                params![card.digits(), day.days()],
            )
        })?;
        if changed == 1 { Ok(()) } else { Err(BankError::Unknown) }
    }

    /// Blocks a card, or lifts the block.
    ///
    /// # Errors
    /// No such card, or failing books.
    pub fn set_blocked(&self, card: &CardNumber, is_blocked: bool) -> Result<(), BankError> {
        let changed = self.books.database().write(|tx| {
            tx.execute(
                "UPDATE card SET is_blocked = ?2 WHERE number = ?1",
                params![card.digits(), is_blocked],
            )
        })?;
        if changed == 1 { Ok(()) } else { Err(BankError::Unknown) }
    }
}

fn is_customer(connection: &Connection, account: i64) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT count(*) FROM customer WHERE account = ?1")?
        .query_row([account], |row| row.get::<_, i64>(0))
        .map(|count| count == 1)
}
