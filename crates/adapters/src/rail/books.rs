//! Double-entry books of an embedded rail: orders by reference, each with one verdict and at most
//! one entry. Sandbox bank and counter keep theirs in this form.
//!
//! Invariants, guarded by [`Books::audit`] and by constraints of the tables: an entry has one debit
//! account, one credit account and one amount, so that all accounts together are zero; a reference
//! has one order and an order at most one entry; order, entry and balances are one commit; an
//! account with a floor is never overdrawn; refunds never exceed their original.

use primitives::{Amount, CivilDate, Hash, Timestamp, UtcOffset};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use crate::{
    rail::{
        Answer, Done, Movement, ORDER_AMOUNT_MAX, Order, Outcome, Reference, Refusal,
        StatementLine, Verdict,
    },
    sqlite::{Database, Json, Place, Schema, Sql, StoreError},
};

pub use audit::Audit;

mod audit;

/// The tables that all books have; a rail adds its own.
pub(crate) const ORDERS: &str = "
    CREATE TABLE order_record (
        id          INTEGER PRIMARY KEY,
        owner       TEXT NOT NULL,
        reference   BLOB NOT NULL CHECK (length(reference) = 32),
        fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32),
        action      TEXT NOT NULL,
        verdict     TEXT NOT NULL,
        is_done     INTEGER NOT NULL,
        amount      INTEGER NOT NULL CHECK (amount >= 0),
        refunded    INTEGER NOT NULL DEFAULT 0 CHECK (refunded BETWEEN 0 AND amount),
        original    INTEGER REFERENCES order_record (id) DEFERRABLE INITIALLY DEFERRED,
        UNIQUE (owner, reference)
    ) STRICT;
    CREATE TABLE account (
        id        INTEGER PRIMARY KEY,
        name      TEXT NOT NULL UNIQUE,
        kind      TEXT NOT NULL CHECK (kind IN ('open', 'debit_floor', 'credit_floor')),
        debits    INTEGER NOT NULL DEFAULT 0 CHECK (debits >= 0),
        credits   INTEGER NOT NULL DEFAULT 0 CHECK (credits >= 0),
        CHECK (kind <> 'debit_floor' OR debits >= credits),
        CHECK (kind <> 'credit_floor' OR credits >= debits)
    ) STRICT;
    CREATE TABLE entry (
        order_id INTEGER PRIMARY KEY
            REFERENCES order_record (id) DEFERRABLE INITIALLY DEFERRED,
        debit    INTEGER NOT NULL REFERENCES account (id),
        credit   INTEGER NOT NULL REFERENCES account (id) CHECK (credit <> debit),
        amount   INTEGER NOT NULL CHECK (amount > 0),
        at       INTEGER NOT NULL,
        day      INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX entry_day ON entry (day);
    CREATE INDEX entry_debit_day ON entry (debit, day);
";

/// Which balance of an account may not fall below zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AccountKind {
    /// None: a source or drain such as the safe.
    Open,
    /// What is in it (debits less credits), as in a till.
    DebitFloor,
    /// What is owed to its owner (credits less debits), as on a customer's account.
    CreditFloor,
}

/// The books of one rail.
pub struct Books {
    database: Database,
    offset: UtcOffset,
    /// What the rail's own numbers start with.
    prefix: &'static str,
}

/// What is asked, and in whose name.
pub(crate) struct Request<'a> {
    /// Whose reference it is; two owners may use the same one.
    pub owner: &'a str,
    /// The owner's reference.
    pub reference: Reference,
    /// What makes another request another one.
    pub fingerprint: Hash,
    /// The request in one word.
    pub action: &'static str,
}

/// What a rail decides about a new order.
pub(crate) enum Decision {
    /// No.
    Refuse(Refusal),
    /// Yes, without a movement of money.
    Note(Amount),
    /// Yes, with this entry; `original` is the order that it gives money back of.
    Move { debit: i64, credit: i64, amount: Amount, original: Option<i64> },
}

/// The order under decision: what the deciding rail may refer to.
pub(crate) struct NewOrder {
    /// Its number in these books.
    pub id: i64,
    /// The instant of booking.
    pub now: Timestamp,
    /// The day of booking in the rail's time zone.
    pub day: CivilDate,
}

/// An order that was decided before.
pub(crate) struct OldOrder {
    pub id: i64,
    pub fingerprint: Hash,
    pub action: String,
    pub verdict: Verdict,
    pub amount: Amount,
    pub refunded: Amount,
    /// Debit and credit account of its entry, if it has one.
    pub accounts: Option<(i64, i64)>,
}

/// The action of a reference that was voided before it arrived.
const CLOSED: &str = "closed";

impl Books {
    pub(crate) fn open(
        place: &Place,
        schema: &Schema,
        offset: UtcOffset,
        prefix: &'static str,
    ) -> Result<Self, StoreError> {
        Ok(Self { database: Database::open(place, schema)?, offset, prefix })
    }

    /// What the rail's own numbers start with.
    pub(crate) const fn prefix(&self) -> &'static str {
        self.prefix
    }

    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    /// Decides a request once, in one commit with everything that `decide` writes; repeats give
    /// the first verdict. Only what is decided is kept: a reused reference leaves no trace.
    pub(crate) fn perform(
        &self,
        tx: &Transaction<'_>,
        request: &Request<'_>,
        now: Timestamp,
        decide: impl FnOnce(&Transaction<'_>, &NewOrder) -> rusqlite::Result<Decision>,
    ) -> rusqlite::Result<Verdict> {
        if let Some(old) = find_order(tx, request.owner, &request.reference)? {
            return Ok(repeated(old, request));
        }
        let id = tx
            .prepare_cached("SELECT coalesce(max(id), 0) + 1 FROM order_record")?
            .query_row([], |row| row.get(0))?;
        let new = NewOrder { id, now, day: now.day(self.offset) };
        let decision = decide(tx, &new)?;
        self.book(tx, request, &new, &decision)
    }

    fn book(
        &self,
        tx: &Transaction<'_>,
        request: &Request<'_>,
        new: &NewOrder,
        decision: &Decision,
    ) -> rusqlite::Result<Verdict> {
        let done = |amount| {
            let rail_reference = rail_reference(self.prefix, new.id);
            Verdict::Done(Done { rail_reference, amount, at: new.now })
        };
        let (verdict, amount) = match *decision {
            Decision::Refuse(refusal) => (Verdict::Refused(refusal), Amount::ZERO),
            Decision::Note(amount) | Decision::Move { amount, .. } => (done(amount), amount),
        };
        insert_order(tx, new.id, request, &verdict, amount)?;
        if let Decision::Move { debit, credit, amount, original } = *decision {
            insert_entry(tx, new, (debit, credit), amount)?;
            if let Some(original) = original {
                note_refund(tx, new.id, original, amount)?;
            }
        }
        Ok(verdict)
    }

    /// What became of the owner's order with this reference.
    pub(crate) fn query(&self, owner: &str, reference: &Reference) -> Result<Answer, StoreError> {
        let old = self.database.read(|connection| find_order(connection, owner, reference))?;
        Ok(old.map_or(Answer::NotFound, |old| Answer::Final(old.verdict)))
    }

    /// Every movement of the owner's money on this day, in the order of booking.
    pub(crate) fn statement(
        &self,
        owner: &str,
        day: CivilDate,
    ) -> Result<Vec<StatementLine>, StoreError> {
        self.database.read(|connection| {
            let mut lines = connection.prepare_cached(
                "SELECT o.reference, o.id, o.action, e.amount, e.at
                 FROM entry e JOIN order_record o ON o.id = e.order_id
                 WHERE e.day = ?1 AND o.owner = ?2 AND o.action IN ('pay', 'capture', 'refund', 'pay_out')
                 ORDER BY o.id",
            )?;
            let line = |row: &rusqlite::Row<'_>| {
                let action: String = row.get(2)?;
                Ok(StatementLine {
                    reference: Reference(row.get::<_, Sql<Hash>>(0)?.0),
                    rail_reference: rail_reference(self.prefix, row.get(1)?),
                    movement: match action.as_str() {
                        "refund" => Movement::Refunded,
                        "pay_out" => Movement::PaidOut,
                        _ => Movement::Collected,
                    },
                    amount: row.get::<_, Sql<Amount>>(3)?.0,
                    at: row.get::<_, Sql<Timestamp>>(4)?.0,
                })
            };
            lines.query_map(params![day.days(), owner], line)?.collect()
        })
    }

    /// Checks everything in the books against everything else; see [`Audit::problems`].
    ///
    /// # Errors
    /// When the books cannot be read.
    pub fn audit(&self) -> Result<Audit, StoreError> {
        self.database.read(audit::run)
    }
}

impl<'a> Request<'a> {
    /// The request that an order of a rail is.
    pub(crate) fn of_order(owner: &'a str, order: &Order) -> Self {
        Self {
            owner,
            reference: order.reference,
            fingerprint: order.fingerprint(),
            action: order.action.name(),
        }
    }
}

/// The outcomes that a rail gives when its books said this. Failing books say nothing about
/// whether the commit happened, so the answer is "unknown" and the caller asks again by reference.
pub(crate) fn outcomes(
    rail: &str,
    orders: &[Order],
    verdicts: Result<Vec<Verdict>, StoreError>,
) -> Vec<Outcome> {
    match verdicts {
        Ok(verdicts) => verdicts.into_iter().map(Outcome::Final).collect(),
        Err(error) => {
            tracing::warn!(rail, error = %describe(&error), "the rail's books failed");
            vec![Outcome::Unknown; orders.len()]
        }
    }
}

/// As [`outcomes`], for questions.
pub(crate) fn answer(rail: &str, answer: Result<Answer, StoreError>) -> Answer {
    answer.unwrap_or_else(|error| {
        tracing::warn!(rail, error = %describe(&error), "the rail's books failed");
        Answer::Unknown
    })
}

fn describe(error: &StoreError) -> String {
    let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    format!("{error}: {cause}")
}

/// The rail's own number of an order.
pub(crate) fn rail_reference(prefix: &str, order: i64) -> String {
    format!("{prefix}-{order:012}")
}

/// What a reference that was decided before answers to this request.
fn repeated(old: OldOrder, request: &Request<'_>) -> Verdict {
    if old.fingerprint == request.fingerprint || old.action == CLOSED {
        return old.verdict;
    }
    Verdict::Refused(Refusal::ReferenceReused)
}

/// Checks that hold for an amount on every rail.
pub(crate) fn check_amount(amount: Amount) -> Result<(), Refusal> {
    if amount.is_zero() {
        return Err(Refusal::AmountZero);
    }
    if amount > ORDER_AMOUNT_MAX {
        return Err(Refusal::PaymentLimit);
    }
    Ok(())
}

/// A payment or capture of which this amount can still be given back.
pub(crate) fn find_refundable(
    connection: &Connection,
    owner: &str,
    original: &Reference,
    amount: Amount,
) -> rusqlite::Result<Result<Refundable, Refusal>> {
    if let Err(refusal) = check_amount(amount) {
        return Ok(Err(refusal));
    }
    let Some(old) = find_order(connection, owner, original)? else {
        return Ok(Err(Refusal::OriginalUnknown));
    };
    let collected = matches!(old.action.as_str(), "pay" | "capture");
    let Some((payer, payee)) = old.accounts.filter(|_| collected) else {
        return Ok(Err(Refusal::OriginalUnknown));
    };
    if amount > old.amount.saturating_sub(old.refunded) {
        return Ok(Err(Refusal::ExceedsOriginal));
    }
    Ok(Ok(Refundable { id: old.id, payer, payee }))
}

/// An order that money can be given back of.
pub(crate) struct Refundable {
    /// Its number in these books.
    pub id: i64,
    /// The account that was debited for it.
    pub payer: i64,
    /// The account that was credited for it.
    pub payee: i64,
}

/// Decides to void an order that is not an open hold: one that has not arrived is closed, one that
/// moved money is not voided.
pub(crate) fn decide_void(
    tx: &Transaction<'_>,
    new: &NewOrder,
    owner: &str,
    own: Reference,
    original: Reference,
) -> rusqlite::Result<Decision> {
    if original == own {
        return Ok(Decision::Refuse(Refusal::OriginalUnknown));
    }
    let Some(old) = find_order(tx, owner, &original)? else {
        let closed =
            Request { owner, reference: original, fingerprint: Hash([0; 32]), action: CLOSED };
        let verdict = Verdict::Refused(Refusal::Closed);
        insert_order(tx, new.id.saturating_add(1), &closed, &verdict, Amount::ZERO)?;
        return Ok(Decision::Note(Amount::ZERO));
    };
    if old.accounts.is_some() {
        return Ok(Decision::Refuse(Refusal::AlreadyMoved));
    }
    Ok(Decision::Note(Amount::ZERO))
}

/// The owner's order with this reference.
pub(crate) fn find_order(
    connection: &Connection,
    owner: &str,
    reference: &Reference,
) -> rusqlite::Result<Option<OldOrder>> {
    let order = |row: &rusqlite::Row<'_>| {
        let accounts: (Option<i64>, Option<i64>) = (row.get(6)?, row.get(7)?);
        Ok(OldOrder {
            id: row.get(0)?,
            fingerprint: row.get::<_, Sql<Hash>>(1)?.0,
            action: row.get(2)?,
            verdict: row.get::<_, Json<Verdict>>(3)?.0,
            amount: row.get::<_, Sql<Amount>>(4)?.0,
            refunded: row.get::<_, Sql<Amount>>(5)?.0,
            accounts: accounts.0.zip(accounts.1),
        })
    };
    connection
        .prepare_cached(
            "SELECT o.id, o.fingerprint, o.action, o.verdict, o.amount, o.refunded,
                    e.debit, e.credit
             FROM order_record o LEFT JOIN entry e ON e.order_id = o.id
             WHERE o.owner = ?1 AND o.reference = ?2",
        )?
        .query_row(params![owner, Sql(reference.0)], order)
        .optional()
}

/// The account of this name; made when there is none.
pub(crate) fn account(
    tx: &Transaction<'_>,
    name: &str,
    kind: AccountKind,
) -> rusqlite::Result<i64> {
    let kind = match kind {
        AccountKind::Open => "open",
        AccountKind::DebitFloor => "debit_floor",
        AccountKind::CreditFloor => "credit_floor",
    };
    tx.prepare_cached("INSERT INTO account (name, kind) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
        .execute([name, kind])?;
    tx.prepare_cached("SELECT id FROM account WHERE name = ?1")?.query_row([name], |row| row.get(0))
}

/// The name of an account.
pub(crate) fn account_name(connection: &Connection, account: i64) -> rusqlite::Result<String> {
    connection
        .prepare_cached("SELECT name FROM account WHERE id = ?1")?
        .query_row([account], |row| row.get(0))
}

/// What `pick` makes of an account's debits and credits.
fn side_balance(
    connection: &Connection,
    account: i64,
    pick: impl FnOnce(Amount, Amount) -> Amount,
) -> rusqlite::Result<Amount> {
    connection
        .prepare_cached("SELECT debits, credits FROM account WHERE id = ?1")?
        .query_row([account], |row| {
            Ok(pick(row.get::<_, Sql<Amount>>(0)?.0, row.get::<_, Sql<Amount>>(1)?.0))
        })
}

/// What is in an account of kind [`AccountKind::DebitFloor`].
pub(crate) fn debit_balance(connection: &Connection, account: i64) -> rusqlite::Result<Amount> {
    side_balance(connection, account, Amount::saturating_sub)
}

/// What is owed on an account of kind [`AccountKind::CreditFloor`].
pub(crate) fn credit_balance(connection: &Connection, account: i64) -> rusqlite::Result<Amount> {
    side_balance(connection, account, |debits, credits| credits.saturating_sub(debits))
}

fn insert_order(
    tx: &Transaction<'_>,
    id: i64,
    request: &Request<'_>,
    verdict: &Verdict,
    amount: Amount,
) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT INTO order_record
             (id, owner, reference, fingerprint, action, verdict, is_done, amount)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        id,
        request.owner,
        Sql(request.reference.0),
        Sql(request.fingerprint),
        request.action,
        Json(verdict),
        matches!(verdict, Verdict::Done(_)),
        Sql(amount),
    ])?;
    Ok(())
}

fn insert_entry(
    tx: &Transaction<'_>,
    new: &NewOrder,
    (debit, credit): (i64, i64),
    amount: Amount,
) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT INTO entry (order_id, debit, credit, amount, at, day)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![new.id, debit, credit, Sql(amount), Sql(new.now), new.day.days()])?;
    tx.prepare_cached("UPDATE account SET debits = debits + ?2 WHERE id = ?1")?
        .execute(params![debit, Sql(amount)])?;
    tx.prepare_cached("UPDATE account SET credits = credits + ?2 WHERE id = ?1")?
        .execute(params![credit, Sql(amount)])?;
    Ok(())
}

fn note_refund(
    tx: &Transaction<'_>,
    id: i64,
    original: i64,
    amount: Amount,
) -> rusqlite::Result<()> {
    tx.prepare_cached("UPDATE order_record SET refunded = refunded + ?2 WHERE id = ?1")?
        .execute(params![original, Sql(amount)])?;
    tx.prepare_cached("UPDATE order_record SET original = ?2 WHERE id = ?1")?
        .execute([id, original])?;
    Ok(())
}
