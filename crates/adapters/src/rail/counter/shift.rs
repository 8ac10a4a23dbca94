//! Shifts: from the float to the count.

use std::fmt;

use primitives::{Amount, Currency, Detail, Timestamp, detail, sha256_parts};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::{Clerk, Counter, CounterError, HandedBack, OWNER, hand_back};
use crate::{
    rail::{
        ORDER_AMOUNT_MAX, Reference, Verdict,
        books::{self, AccountKind, Decision, Request},
    },
    sqlite::Sql,
};

/// The longest explanation of a difference, in bytes.
pub const EXPLANATION_BYTES_MAX: usize = 200;

/// The number of a shift.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ShiftId(i64);

impl fmt::Display for ShiftId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// A shift, open or closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shift {
    /// Its number.
    pub id: ShiftId,
    /// Whose it is.
    pub clerk: Clerk,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// What was in the till at the beginning.
    pub float: Amount,
    /// What was brought from the safe since.
    pub added: Amount,
    /// What was taken, change already given.
    pub taken: Amount,
    /// What was given back, with what was handed back.
    pub given_back: Amount,
    /// Payments that were handed back because nothing came of them, the newest first; at most 200.
    pub handed_back: Vec<HandedBack>,
    /// What should be in the till: float, added and taken less given back.
    pub expected: Amount,
    /// The count that ended it; `None` while it is open.
    pub close: Option<ShiftClose>,
}

/// How a shift ended. The clerk's words show themselves nowhere in logs.
#[derive(Clone, PartialEq, Eq)]
pub struct ShiftClose {
    /// When.
    pub at: Timestamp,
    /// What was counted; all of it went to the safe.
    pub counted: Amount,
    /// What the count says against the books.
    pub difference: Difference,
    /// The clerk's words about it.
    pub explanation: Option<String>,
}

impl fmt::Debug for ShiftClose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShiftClose")
            .field("at", &self.at)
            .field("counted", &self.counted)
            .field("difference", &self.difference)
            .finish_non_exhaustive()
    }
}

/// What a count says against the books.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Nothing.
    Even,
    /// More was counted than should be there.
    Over(Amount),
    /// Less was counted than should be there.
    Short(Amount),
}

impl Difference {
    fn between(counted: Amount, expected: Amount) -> Self {
        let over = counted.saturating_sub(expected);
        let short = expected.saturating_sub(counted);
        match (over.is_zero(), short.is_zero()) {
            (true, true) => Self::Even,
            (false, _) => Self::Over(over),
            (true, false) => Self::Short(short),
        }
    }
}

impl Difference {
    /// In words.
    #[must_use]
    pub fn detail(self, currency: Currency) -> Detail {
        match self {
            Self::Even => detail!("no difference"),
            Self::Over(amount) => detail!("{amount} too many", amount = (amount, currency)),
            Self::Short(amount) => detail!("{amount} too few", amount = (amount, currency)),
        }
    }
}

impl Counter {
    /// Opens a shift: the float goes from the safe into the clerk's till.
    ///
    /// # Errors
    /// An open shift of this clerk, an amount out of bounds, failing books.
    pub fn open_shift(&self, clerk: &Clerk, float: Amount) -> Result<Shift, CounterError> {
        if float > ORDER_AMOUNT_MAX {
            return Err(CounterError::AmountTooLarge);
        }
        let now = self.clock.now();
        self.books.database().write_unless(|tx| {
            if find_open(tx, clerk)?.is_some() {
                return Ok(Err(CounterError::ShiftOpen));
            }
            tx.prepare_cached("INSERT INTO shift (clerk, opened_at, float) VALUES (?1, ?2, ?3)")?
                .execute(params![clerk.0, Sql(now), Sql(float)])?;
            let shift = tx.last_insert_rowid();
            let (till, safe) = (till(tx, clerk)?, safe(tx)?);
            self.transfer(tx, (shift, "shift_open"), (till, safe), float)?;
            load(tx, (shift, self.books.prefix())).map(|shift| shift.ok_or(CounterError::NoShift))
        })?
    }

    /// Closes the clerk's shift with what was counted. A difference needs an explanation and is
    /// booked to `cash over` or `cash short`; what was counted goes to the safe.
    ///
    /// # Errors
    /// No open shift, a difference without explanation, an amount out of bounds, failing books.
    pub fn close_shift(
        &self,
        clerk: &Clerk,
        counted: Amount,
        explanation: Option<&str>,
    ) -> Result<Shift, CounterError> {
        if counted > ORDER_AMOUNT_MAX {
            return Err(CounterError::AmountTooLarge);
        }
        self.books.database().write_unless(|tx| {
            let Some(shift) = find_open(tx, clerk)? else {
                return Ok(Err(CounterError::NoShift));
            };
            let till = till(tx, clerk)?;
            let expected = books::debit_balance(tx, till)?;
            let difference = Difference::between(counted, expected);
            let words = explanation.map(str::trim).filter(|words| !words.is_empty());
            let is_explained = words.is_some_and(|words| words.len() <= EXPLANATION_BYTES_MAX);
            if difference != Difference::Even && !is_explained {
                return Ok(Err(CounterError::DifferenceUnexplained {
                    difference,
                    currency: self.currency,
                }));
            }
            self.book_difference(tx, shift, till, difference)?;
            let safe = safe(tx)?;
            self.transfer(tx, (shift, "shift_close"), (safe, till), counted)?;
            tx.prepare_cached(
                "UPDATE shift SET closed_at = ?2, expected = ?3, counted = ?4, explanation = ?5
                 WHERE id = ?1",
            )?
            .execute(params![
                shift,
                Sql(self.clock.now()),
                Sql(expected),
                Sql(counted),
                words.filter(|_| is_explained)
            ])?;
            load(tx, (shift, self.books.prefix())).map(|shift| shift.ok_or(CounterError::NoShift))
        })?
    }

    /// The clerk's open shift.
    ///
    /// # Errors
    /// None open, or failing books.
    pub fn open_shift_of(&self, clerk: &Clerk) -> Result<Shift, CounterError> {
        let shift =
            self.books.database().read(|connection| match find_open(connection, clerk)? {
                Some(id) => load(connection, (id, self.books.prefix())),
                None => Ok(None),
            })?;
        shift.ok_or(CounterError::NoShift)
    }

    /// The shift with this number.
    ///
    /// # Errors
    /// No such shift, or failing books.
    pub fn shift(&self, id: ShiftId) -> Result<Shift, CounterError> {
        let shift = self
            .books
            .database()
            .read(|connection| load(connection, (id.0, self.books.prefix())))?;
        shift.ok_or(CounterError::NoShift)
    }

    fn book_difference(
        &self,
        tx: &Transaction<'_>,
        shift: i64,
        till: i64,
        difference: Difference,
    ) -> rusqlite::Result<()> {
        match difference {
            Difference::Even => Ok(()),
            Difference::Over(amount) => {
                let over = books::account(tx, "cash over", AccountKind::CreditFloor)?;
                self.transfer(tx, (shift, "shift_difference"), (till, over), amount)
            }
            Difference::Short(amount) => {
                let short = books::account(tx, "cash short", AccountKind::DebitFloor)?;
                self.transfer(tx, (shift, "shift_difference"), (short, till), amount)
            }
        }
    }

    /// An entry of the shift's own, under a reference that follows from shift and action.
    fn transfer(
        &self,
        tx: &Transaction<'_>,
        (shift, action): (i64, &'static str),
        (debit, credit): (i64, i64),
        amount: Amount,
    ) -> rusqlite::Result<()> {
        let number = shift.to_be_bytes();
        let reference =
            Reference(sha256_parts(&[b"yibao/counter-shift/v1", &number, action.as_bytes()]));
        let request = Request { owner: OWNER, reference, fingerprint: reference.0, action };
        let verdict = self.books.perform(tx, &request, self.clock.now(), |_, _| {
            Ok(if amount.is_zero() {
                Decision::Note(amount)
            } else {
                Decision::Move { debit, credit, amount, original: None }
            })
        })?;
        debug_assert!(matches!(verdict, Verdict::Done(_)), "nothing refuses a shift's own entry");
        Ok(())
    }
}

fn till(tx: &Transaction<'_>, clerk: &Clerk) -> rusqlite::Result<i64> {
    books::account(tx, &clerk.account(), AccountKind::DebitFloor)
}

fn safe(tx: &Transaction<'_>) -> rusqlite::Result<i64> {
    books::account(tx, "safe", AccountKind::Open)
}

/// The number of the clerk's open shift.
pub(super) fn find_open(connection: &Connection, clerk: &Clerk) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT id FROM shift WHERE clerk = ?1 AND closed_at IS NULL")?
        .query_row([&clerk.0], |row| row.get(0))
        .optional()
}

fn load(connection: &Connection, (id, prefix): (i64, &str)) -> rusqlite::Result<Option<Shift>> {
    let sum = |kind: &str| -> rusqlite::Result<Amount> {
        connection
            .prepare_cached(
                "SELECT coalesce(sum(amount), 0) FROM cash WHERE shift_id = ?1 AND kind = ?2",
            )?
            .query_row(params![id, kind], |row| row.get::<_, Sql<Amount>>(0))
            .map(|sum| sum.0)
    };
    let (added, taken) = (sum("added")?, sum("taken")?);
    let given_back = sum("given_back")?.saturating_add(sum("handed_back")?);
    let handed_back = hand_back::in_shift(connection, (id, prefix))?;
    let shift = move |row: &Row<'_>| {
        let float = row.get::<_, Sql<Amount>>(2)?.0;
        let came_in = float.saturating_add(added).saturating_add(taken);
        Ok(Shift {
            id: ShiftId(id),
            clerk: Clerk(row.get(0)?),
            opened_at: row.get::<_, Sql<Timestamp>>(1)?.0,
            float,
            added,
            taken,
            given_back,
            handed_back: handed_back.clone(),
            expected: came_in.saturating_sub(given_back),
            close: close_of(row)?,
        })
    };
    connection
        .prepare_cached(
            "SELECT clerk, opened_at, float, closed_at, expected, counted, explanation
             FROM shift WHERE id = ?1",
        )?
        .query_row([id], shift)
        .optional()
}

fn close_of(row: &Row<'_>) -> rusqlite::Result<Option<ShiftClose>> {
    let Some(Sql(at)) = row.get::<_, Option<Sql<Timestamp>>>(3)? else {
        return Ok(None);
    };
    let expected = row.get::<_, Sql<Amount>>(4)?.0;
    let counted = row.get::<_, Sql<Amount>>(5)?.0;
    let difference = Difference::between(counted, expected);
    Ok(Some(ShiftClose { at, counted, difference, explanation: row.get(6)? }))
}
