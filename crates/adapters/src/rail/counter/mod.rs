//! Cash at the counter: a till per clerk, kept in durable double-entry books.
//!
//! A clerk opens a shift with a float, takes money and gives change, gives money back, and closes
//! the shift by counting: what is missing or too much is booked by name, with the clerk's words.
//! The rail pays and refunds; its tokens are tills (`till:` and the clerk's code).

use std::{fmt, str::FromStr, sync::Arc};

use primitives::{Amount, Currency, Detail, UtcOffset, detail, sha256_parts};
use rusqlite::{Connection, Transaction, params};

use crate::{
    clock::Clock,
    rail::{
        Action, Done, Order, Reference, Refusal, Token, Verdict,
        books::{self, AccountKind, Books, Decision, NewOrder, ORDERS, Request},
    },
    sqlite::{Place, Schema, Sql, StoreError},
};

pub use hand_back::{HandBack, HandedBack, REASON_BYTES_MAX, TakenBefore};
pub use shift::{Difference, EXPLANATION_BYTES_MAX, Shift, ShiftClose, ShiftId};

mod hand_back;
mod rail;
mod shift;

const SCHEMA: Schema = Schema {
    name: "counter's cash books",
    application_id: 0x7962_6374,
    version: 3,
    tables: &[
        ORDERS,
        "CREATE TABLE shift (
            id          INTEGER PRIMARY KEY,
            clerk       TEXT NOT NULL,
            opened_at   INTEGER NOT NULL,
            float       INTEGER NOT NULL,
            closed_at   INTEGER,
            expected    INTEGER,
            counted     INTEGER,
            explanation TEXT,
            CHECK ((closed_at IS NULL) = (counted IS NULL)),
            CHECK ((closed_at IS NULL) = (expected IS NULL))
        ) STRICT",
        "CREATE UNIQUE INDEX shift_open ON shift (clerk) WHERE closed_at IS NULL",
        "CREATE TABLE cash (
            order_id INTEGER PRIMARY KEY
                REFERENCES order_record (id) DEFERRABLE INITIALLY DEFERRED,
            shift_id INTEGER NOT NULL REFERENCES shift (id),
            kind     TEXT NOT NULL CHECK (kind IN ('taken', 'given_back', 'handed_back', 'added')),
            amount   INTEGER NOT NULL CHECK (amount > 0),
            change   INTEGER NOT NULL CHECK (change >= 0),
            reason   TEXT,
            ordered  INTEGER NOT NULL DEFAULT 0 CHECK (ordered IN (0, 1))
        ) STRICT",
        "CREATE INDEX cash_shift ON cash (shift_id)",
        "CREATE INDEX cash_handed_back ON cash (order_id) WHERE kind = 'handed_back'",
    ],
};

/// The owner of all references: a counter serves one organisation.
const OWNER: &str = "counter";
/// What every token starts with.
const TILL: &str = "till:";
/// The longest clerk's code, in bytes.
pub const CLERK_BYTES_MAX: usize = 32;

/// The cash desks of one organisation.
pub struct Counter {
    books: Books,
    currency: Currency,
    clock: Arc<dyn Clock>,
}

/// A clerk by staff code (never a name): 1 to 32 of `a-z`, `0-9` and `-`, starting with a letter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Clerk(String);

impl Clerk {
    /// The token of the clerk's till.
    ///
    /// # Panics
    /// Never: a clerk's code has only what a token may have.
    #[must_use]
    pub fn till(&self) -> Token {
        self.account().parse().expect("a clerk's code has only what a token may have")
    }

    fn account(&self) -> String {
        format!("{TILL}{}", self.0)
    }

    fn of_token(token: &str) -> Option<Self> {
        token.strip_prefix(TILL)?.parse().ok()
    }
}

impl FromStr for Clerk {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let starts = text.starts_with(|first: char| first.is_ascii_lowercase());
        if starts && text.len() <= CLERK_BYTES_MAX && text.bytes().all(allowed) {
            return Ok(Self(String::from(text)));
        }
        let wrong = detail!(
            "the clerk's code is 1 to {most} of a-z, 0-9 and -, starting with a letter",
            most = CLERK_BYTES_MAX
        );
        Err(wrong.into())
    }
}

impl fmt::Display for Clerk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Money that a clerk takes from a payer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taking {
    /// Our own reference of the payment.
    pub reference: Reference,
    /// Who takes it.
    pub clerk: Clerk,
    /// What is to be paid.
    pub due: Amount,
    /// What the payer hands over.
    pub tendered: Amount,
}

/// Money that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The receipt of the till.
    pub done: Done,
    /// What the payer gets back.
    pub change: Amount,
}

/// Why the counter did not do it. Nothing was booked.
#[derive(Debug)]
pub enum CounterError {
    /// The clerk has a shift already.
    ShiftOpen,
    /// The clerk has no open shift, or there is no such shift.
    NoShift,
    /// Less was handed over than is due.
    TenderedTooLittle {
        /// How much is missing.
        missing: Amount,
        /// In which currency.
        currency: Currency,
    },
    /// The till does not balance and nobody says why.
    DifferenceUnexplained {
        /// What is missing or too much.
        difference: Difference,
        /// In which currency.
        currency: Currency,
    },
    /// Nobody says why money is handed back.
    ReasonMissing,
    /// The payment was handed back: it can be used for nothing any more.
    HandedBack,
    /// The payment was ordered: it settled something, and goes back by a refund.
    Ordered,
    /// An amount out of bounds.
    AmountTooLarge,
    /// The rail refused the order.
    Refused(Refusal),
    /// The books failed.
    Store(StoreError),
}

impl From<Refusal> for CounterError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<StoreError> for CounterError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<&CounterError> for Detail {
    fn from(error: &CounterError) -> Self {
        use CounterError as Error;
        match error {
            Error::ShiftOpen => detail!("the clerk has an open shift already; close it first"),
            Error::NoShift => {
                detail!("there is no such shift, or it is not open; open one first")
            }
            Error::TenderedTooLittle { missing, currency } => detail!(
                "the payer handed over {missing} too little; ask for the rest",
                missing = (*missing, *currency)
            ),
            Error::DifferenceUnexplained { difference, currency } => detail!(
                "the till has {difference}; say why in `explanation`, in 1 to 200 bytes",
                difference = difference.detail(*currency)
            ),
            Error::ReasonMissing => detail!(
                "say why the money is handed back, in 1 to {most} bytes",
                most = REASON_BYTES_MAX
            ),
            Error::HandedBack => {
                detail!("this payment was handed back; take the money again as the next try")
            }
            Error::Ordered => {
                detail!("the money settled something; give it back by a refund")
            }
            Error::AmountTooLarge => detail!("the amount is larger than a till may hold"),
            Error::Refused(refusal) => (*refusal).into(),
            Error::Store(error) => {
                detail!("the reader says `{message}`", message = error.to_string())
            }
        }
    }
}

impl fmt::Display for CounterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Detail::from(self).fmt(f)
    }
}

impl std::error::Error for CounterError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}

impl Counter {
    /// Opens the counter's books, and makes them when they are new.
    ///
    /// # Errors
    /// When the file is another one or cannot be opened.
    pub fn open(
        place: &Place,
        currency: Currency,
        offset: UtcOffset,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        Ok(Self { books: Books::open(place, &SCHEMA, offset, "CT")?, currency, clock })
    }

    /// The books, for an audit.
    #[must_use]
    pub const fn books(&self) -> &Books {
        &self.books
    }

    /// Takes money for a payment and says what change to give. The same reference again gives the
    /// first answer: the payer is not asked twice.
    ///
    /// # Errors
    /// Too little money, no open shift, a reference used for something else, failing books.
    pub fn take_money(&self, taking: &Taking) -> Result<Taken, CounterError> {
        let missing = taking.due.saturating_sub(taking.tendered);
        if !missing.is_zero() {
            return Err(CounterError::TenderedTooLittle { missing, currency: self.currency });
        }
        let order = Order {
            reference: taking.reference,
            action: Action::Pay { from: taking.clerk.till(), amount: taking.due },
        };
        let change = taking.tendered.saturating_sub(taking.due);
        self.books.database().write_unless(|tx| {
            Ok(match self.perform_in(tx, &order, change)? {
                Verdict::Done(done) => {
                    Ok(Taken { change: change_of(tx, &taking.reference)?, done })
                }
                Verdict::Refused(_) if hand_back::is_undone(tx, &taking.reference)? => {
                    Err(CounterError::HandedBack)
                }
                Verdict::Refused(refusal) => Err(CounterError::Refused(refusal)),
            })
        })?
    }

    /// Brings change from the safe into a clerk's till, once per reference.
    ///
    /// # Errors
    /// No open shift, an amount of nothing, a reference used for something else, failing books.
    pub fn add_change(
        &self,
        reference: Reference,
        clerk: &Clerk,
        amount: Amount,
    ) -> Result<Done, CounterError> {
        let fingerprint = sha256_parts(&[
            b"yibao/counter-added/v1",
            clerk.0.as_bytes(),
            &amount.minor().to_be_bytes(),
        ]);
        let request = Request { owner: OWNER, reference, fingerprint, action: "add" };
        self.books.database().write_unless(|tx| {
            let verdict = self.books.perform(tx, &request, self.clock.now(), |tx, new| {
                let till = match open_till(tx, clerk, amount)? {
                    Ok(till) => till,
                    Err(refusal) => return Ok(Decision::Refuse(refusal)),
                };
                note_cash(tx, new, &till, "added", (amount, Amount::ZERO), None)?;
                let credit = books::account(tx, "safe", AccountKind::Open)?;
                Ok(Decision::Move { debit: till.account, credit, amount, original: None })
            })?;
            Ok(match verdict {
                Verdict::Done(done) => Ok(done),
                Verdict::Refused(refusal) => Err(CounterError::Refused(refusal)),
            })
        })?
    }

    fn perform_in(
        &self,
        tx: &Transaction<'_>,
        order: &Order,
        change: Amount,
    ) -> rusqlite::Result<Verdict> {
        let request = Request::of_order(OWNER, order);
        let is_payment = matches!(order.action, Action::Pay { .. });
        if is_payment && hand_back::is_undone(tx, &order.reference)? {
            return Ok(Verdict::Refused(Refusal::Closed));
        }
        self.books.perform(tx, &request, self.clock.now(), |tx, new| match &order.action {
            Action::Pay { from, amount } => decide_pay(tx, new, from, *amount, change),
            Action::Refund { original, amount, to } => {
                decide_refund(tx, new, original, *amount, to.as_ref())
            }
            Action::PayOut { to, amount } => decide_pay_out(tx, new, to, *amount),
            Action::Void { original } => {
                books::decide_void(tx, new, OWNER, order.reference, *original)
            }
            Action::Hold { .. } | Action::Capture { .. } => {
                Ok(Decision::Refuse(Refusal::NotSupported))
            }
        })
    }
}

fn decide_pay(
    tx: &Transaction<'_>,
    new: &NewOrder,
    from: &Token,
    amount: Amount,
    change: Amount,
) -> rusqlite::Result<Decision> {
    let Some(clerk) = Clerk::of_token(from.as_str()) else {
        return Ok(Decision::Refuse(Refusal::ShiftNotOpen));
    };
    let till = match open_till(tx, &clerk, amount)? {
        Ok(till) => till,
        Err(refusal) => return Ok(Decision::Refuse(refusal)),
    };
    note_cash(tx, new, &till, "taken", (amount, change), None)?;
    let credit = books::account(tx, "takings", AccountKind::CreditFloor)?;
    Ok(Decision::Move { debit: till.account, credit, amount, original: None })
}

/// Decides a refund out of the named till, or out of the one that took the money.
fn decide_refund(
    tx: &Transaction<'_>,
    new: &NewOrder,
    original: &Reference,
    amount: Amount,
    to: Option<&Token>,
) -> rusqlite::Result<Decision> {
    let old = match books::find_refundable(tx, OWNER, original, amount)? {
        Ok(old) => old,
        Err(refusal) => return Ok(Decision::Refuse(refusal)),
    };
    let name = match to {
        Some(token) => String::from(token.as_str()),
        None => books::account_name(tx, old.payer)?,
    };
    let Some(clerk) = Clerk::of_token(&name) else {
        return Ok(Decision::Refuse(Refusal::ShiftNotOpen));
    };
    let till = match open_till(tx, &clerk, amount)? {
        Ok(till) => till,
        Err(refusal) => return Ok(Decision::Refuse(refusal)),
    };
    if amount > books::debit_balance(tx, till.account)? {
        return Ok(Decision::Refuse(Refusal::TillShort));
    }
    note_cash(tx, new, &till, "given_back", (amount, Amount::ZERO), None)?;
    Ok(Decision::Move { debit: old.payee, credit: till.account, amount, original: Some(old.id) })
}

/// Decides a payout out of the named till.
fn decide_pay_out(
    tx: &Transaction<'_>,
    new: &NewOrder,
    to: &Token,
    amount: Amount,
) -> rusqlite::Result<Decision> {
    let Some(clerk) = Clerk::of_token(to.as_str()) else {
        return Ok(Decision::Refuse(Refusal::ShiftNotOpen));
    };
    let till = match open_till(tx, &clerk, amount)? {
        Ok(till) => till,
        Err(refusal) => return Ok(Decision::Refuse(refusal)),
    };
    if amount > books::debit_balance(tx, till.account)? {
        return Ok(Decision::Refuse(Refusal::TillShort));
    }
    note_cash(tx, new, &till, "given_back", (amount, Amount::ZERO), None)?;
    let debit = books::account(tx, "payouts", AccountKind::Open)?;
    Ok(Decision::Move { debit, credit: till.account, amount, original: None })
}

/// A till with an open shift.
struct Till {
    account: i64,
    shift: i64,
}

/// The clerk's till, if it may move this amount now.
fn open_till(
    tx: &Transaction<'_>,
    clerk: &Clerk,
    amount: Amount,
) -> rusqlite::Result<Result<Till, Refusal>> {
    if let Err(refusal) = books::check_amount(amount) {
        return Ok(Err(refusal));
    }
    match shift::find_open(tx, clerk)? {
        Some(shift) => {
            let account = books::account(tx, &clerk.account(), AccountKind::DebitFloor)?;
            Ok(Ok(Till { account, shift }))
        }
        None => Ok(Err(Refusal::ShiftNotOpen)),
    }
}

fn note_cash(
    tx: &Transaction<'_>,
    new: &NewOrder,
    till: &Till,
    kind: &str,
    (amount, change): (Amount, Amount),
    reason: Option<&str>,
) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT INTO cash (order_id, shift_id, kind, amount, change, reason)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![new.id, till.shift, kind, Sql(amount), Sql(change), reason])?;
    Ok(())
}

/// The change that was given when this payment was taken.
fn change_of(connection: &Connection, reference: &Reference) -> rusqlite::Result<Amount> {
    connection
        .prepare_cached(
            "SELECT c.change FROM cash c JOIN order_record o ON o.id = c.order_id
             WHERE o.owner = ?1 AND o.reference = ?2",
        )?
        .query_row(params![OWNER, Sql(reference.0)], |row| row.get::<_, Sql<Amount>>(0))
        .map(|change| change.0)
}
