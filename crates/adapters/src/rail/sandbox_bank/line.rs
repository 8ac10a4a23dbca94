//! What an organisation's rail at the sandbox bank does with orders.

use std::sync::Arc;

use primitives::{Amount, CivilDate, Currency, OrganisationId, Timestamp, sha256_parts};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::SandboxBank;
use crate::{
    rail::{
        Action, Answer, Order, Outcome, Rail, RailUnavailable, Reference, Refusal, StatementLine,
        Style, Token, Verdict,
        books::{self, AccountKind, Decision, NewOrder, Request},
        sandbox_bank::Balance,
    },
    sqlite::Sql,
};

/// The rail of one organisation at the sandbox bank.
pub struct SandboxRail {
    pub(super) bank: Arc<SandboxBank>,
    /// The organisation's code: the owner of its references and tokens.
    pub(super) owner: String,
    organisation: OrganisationId,
}

/// What users call this rail.
const NAME: &str = "sandbox bank";

impl SandboxRail {
    pub(super) fn new(bank: Arc<SandboxBank>, organisation: OrganisationId) -> Self {
        Self { bank, owner: organisation.to_string(), organisation }
    }

    fn decide_in(&self, tx: &Transaction<'_>, order: &Order) -> rusqlite::Result<Verdict> {
        let now = self.bank.clock.now();
        let request = Request::of_order(&self.owner, order);
        self.bank.books.perform(tx, &request, now, |tx, new| self.decide(tx, new, order))
    }

    fn decide(
        &self,
        tx: &Transaction<'_>,
        new: &NewOrder,
        order: &Order,
    ) -> rusqlite::Result<Decision> {
        let style = self.bank.config.style;
        match (&order.action, style) {
            (Action::Hold { from, amount, expires_at }, Style::HoldAndCapture) => {
                self.decide_hold(tx, new, order, (from, *amount, *expires_at))
            }
            (Action::Capture { hold, amount }, Style::HoldAndCapture) => {
                self.decide_capture(tx, new, hold, *amount)
            }
            (Action::Pay { from, amount }, Style::PayAndRefund) => {
                match self.check_payer(tx, new, order, from, *amount)? {
                    Ok(debit) => self.collect(tx, debit, *amount),
                    Err(refusal) => Ok(Decision::Refuse(refusal)),
                }
            }
            (Action::Void { original }, _) => self.decide_void(tx, new, order, *original),
            // Card money goes back to the card it came from, and nowhere else.
            (Action::Refund { original, amount, to: None }, _) => {
                Ok(match books::find_refundable(tx, &self.owner, original, *amount)? {
                    Ok(old) => Decision::Move {
                        debit: old.payee,
                        credit: old.payer,
                        amount: *amount,
                        original: Some(old.id),
                    },
                    Err(refusal) => Decision::Refuse(refusal),
                })
            }
            (Action::PayOut { to, amount }, _) => self.decide_pay_out(tx, to, *amount),
            _ => Ok(Decision::Refuse(Refusal::NotSupported)),
        }
    }

    /// Pays out to a bound card. What an organisation pays out lies with its treasury, whose
    /// balance is none of this bank's.
    fn decide_pay_out(
        &self,
        tx: &Transaction<'_>,
        to: &Token,
        amount: Amount,
    ) -> rusqlite::Result<Decision> {
        if let Err(refusal) = books::check_amount(amount) {
            return Ok(Decision::Refuse(refusal));
        }
        match self.card_account(tx, to)? {
            Ok(credit) => {
                let name = format!("treasury:{}", self.organisation);
                let debit = books::account(tx, &name, AccountKind::Open)?;
                Ok(Decision::Move { debit, credit, amount, original: None })
            }
            Err(refusal) => Ok(Decision::Refuse(refusal)),
        }
    }

    /// The account behind a token, if its card is neither blocked nor expired.
    fn card_account(
        &self,
        tx: &Transaction<'_>,
        token: &Token,
    ) -> rusqlite::Result<Result<i64, Refusal>> {
        let card: Option<(i64, bool, i32)> = tx
            .prepare_cached(
                "SELECT c.account, c.is_blocked, c.last_day FROM token t JOIN card c ON c.number = t.number
                 WHERE t.token = ?1 AND t.owner = ?2",
            )?
            .query_row([token.as_str(), &self.owner], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .optional()?;
        Ok(match card {
            None => Err(Refusal::CardUnknown),
            Some((_, true, _)) => Err(Refusal::CardBlocked),
            Some((_, false, last_day)) if last_day < self.bank.today().days() => {
                Err(Refusal::CardExpired)
            }
            Some((account, false, _)) => Ok(account),
        })
    }

    fn decide_hold(
        &self,
        tx: &Transaction<'_>,
        new: &NewOrder,
        order: &Order,
        (from, amount, expires_at): (&Token, Amount, Timestamp),
    ) -> rusqlite::Result<Decision> {
        let latest = new.now.plus_millis(self.bank.config.hold_milliseconds_max);
        if expires_at <= new.now || expires_at > latest {
            return Ok(Decision::Refuse(Refusal::HoldPeriod));
        }
        let account = match self.check_payer(tx, new, order, from, amount)? {
            Ok(account) => account,
            Err(refusal) => return Ok(Decision::Refuse(refusal)),
        };
        tx.prepare_cached(
            "INSERT INTO hold (order_id, account, amount, expires_at, state)
             VALUES (?1, ?2, ?3, ?4, 'open')",
        )?
        .execute(params![new.id, account, Sql(amount), Sql(expires_at)])?;
        Ok(Decision::Note(amount))
    }

    fn decide_capture(
        &self,
        tx: &Transaction<'_>,
        new: &NewOrder,
        hold: &Reference,
        amount: Amount,
    ) -> rusqlite::Result<Decision> {
        let refuse = |refusal| Ok(Decision::Refuse(refusal));
        if let Err(refusal) = books::check_amount(amount) {
            return refuse(refusal);
        }
        let Some(hold) = self.find_hold(tx, hold)? else {
            return refuse(Refusal::OriginalUnknown);
        };
        if !hold.is_open {
            return refuse(Refusal::HoldClosed);
        }
        if hold.expires_at <= new.now {
            return refuse(Refusal::HoldExpired);
        }
        if amount > hold.amount {
            return refuse(Refusal::ExceedsHold);
        }
        set_hold(tx, hold.id, "captured")?;
        self.collect(tx, hold.account, amount)
    }

    fn decide_void(
        &self,
        tx: &Transaction<'_>,
        new: &NewOrder,
        order: &Order,
        original: Reference,
    ) -> rusqlite::Result<Decision> {
        match self.find_hold(tx, &original)? {
            None => books::decide_void(tx, new, &self.owner, order.reference, original),
            Some(hold) if hold.is_open => {
                set_hold(tx, hold.id, "voided")?;
                let is_live = hold.expires_at > new.now;
                Ok(Decision::Note(if is_live { hold.amount } else { Amount::ZERO }))
            }
            Some(hold) if hold.is_captured => Ok(Decision::Refuse(Refusal::AlreadyMoved)),
            Some(_) => Ok(Decision::Note(Amount::ZERO)),
        }
    }

    fn collect(
        &self,
        tx: &Transaction<'_>,
        debit: i64,
        amount: Amount,
    ) -> rusqlite::Result<Decision> {
        let name = organisation_account(self.organisation);
        let credit = books::account(tx, &name, AccountKind::CreditFloor)?;
        Ok(Decision::Move { debit, credit, amount, original: None })
    }

    /// The account behind a token, if it may pay this amount now.
    fn check_payer(
        &self,
        tx: &Transaction<'_>,
        new: &NewOrder,
        order: &Order,
        from: &Token,
        amount: Amount,
    ) -> rusqlite::Result<Result<i64, Refusal>> {
        if let Err(refusal) = books::check_amount(amount) {
            return Ok(Err(refusal));
        }
        let account = match self.card_account(tx, from)? {
            Ok(account) => account,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if self.is_declined(&order.reference) {
            return Ok(Err(Refusal::Declined));
        }
        if amount > self.bank.config.payment_limit {
            return Ok(Err(Refusal::PaymentLimit));
        }
        let balance = balance(tx, account, new.now)?;
        if amount > balance.available() {
            return Ok(Err(Refusal::InsufficientFunds));
        }
        let spent = paid_on(tx, account, new.day)?.saturating_add(balance.held);
        if spent.saturating_add(amount) > self.bank.config.daily_limit {
            return Ok(Err(Refusal::DailyLimit));
        }
        Ok(Ok(account))
    }

    /// Whether the bank declines this order without a reason, as its plan of declines says.
    fn is_declined(&self, reference: &Reference) -> bool {
        let seed = self.bank.config.seed.to_be_bytes();
        let draw = sha256_parts(&[b"yibao/sandbox-decline/v1", &seed, reference.0.as_bytes()]);
        let [first, second, ..] = *draw.as_bytes();
        u16::from_be_bytes([first, second]) % 1_000 < self.bank.config.declined_per_mille
    }

    fn find_hold(&self, tx: &Transaction<'_>, hold: &Reference) -> rusqlite::Result<Option<Hold>> {
        tx.prepare_cached(
            "SELECT h.order_id, h.account, h.amount, h.expires_at, h.state
             FROM hold h JOIN order_record o ON o.id = h.order_id
             WHERE o.owner = ?1 AND o.reference = ?2",
        )?
        .query_row(params![self.owner, Sql(hold.0)], |row| {
            let state: String = row.get(4)?;
            Ok(Hold {
                id: row.get(0)?,
                account: row.get(1)?,
                amount: row.get::<_, Sql<Amount>>(2)?.0,
                expires_at: row.get::<_, Sql<Timestamp>>(3)?.0,
                is_open: state == "open",
                is_captured: state == "captured",
            })
        })
        .optional()
    }
}

struct Hold {
    id: i64,
    account: i64,
    amount: Amount,
    expires_at: Timestamp,
    is_open: bool,
    is_captured: bool,
}

fn set_hold(tx: &Transaction<'_>, id: i64, state: &str) -> rusqlite::Result<()> {
    tx.prepare_cached("UPDATE hold SET state = ?2 WHERE order_id = ?1")?
        .execute(params![id, state])?;
    Ok(())
}

/// The name of an organisation's account at the bank.
pub(super) fn organisation_account(organisation: OrganisationId) -> String {
    format!("organisation:{organisation}")
}

/// What is booked and what is held on an account; a hold that has expired holds nothing.
pub(super) fn balance(
    connection: &Connection,
    account: i64,
    now: Timestamp,
) -> rusqlite::Result<Balance> {
    let held = connection
        .prepare_cached(
            "SELECT coalesce(sum(amount), 0) FROM hold
             WHERE account = ?1 AND state = 'open' AND expires_at > ?2",
        )?
        .query_row(params![account, Sql(now)], |row| row.get::<_, Sql<Amount>>(0))?;
    Ok(Balance { booked: books::credit_balance(connection, account)?, held: held.0 })
}

/// What an account paid on this day.
fn paid_on(connection: &Connection, account: i64, day: CivilDate) -> rusqlite::Result<Amount> {
    connection
        .prepare_cached("SELECT coalesce(sum(amount), 0) FROM entry WHERE debit = ?1 AND day = ?2")?
        .query_row(params![account, day.days()], |row| row.get::<_, Sql<Amount>>(0))
        .map(|sum| sum.0)
}

impl Rail for SandboxRail {
    fn name(&self) -> &str {
        NAME
    }

    fn style(&self) -> Style {
        self.bank.config.style
    }

    fn currency(&self) -> Currency {
        self.bank.config.currency
    }

    fn perform(&self, order: &Order) -> Outcome {
        self.perform_all(std::slice::from_ref(order)).pop().unwrap_or(Outcome::Unknown)
    }

    fn perform_all(&self, orders: &[Order]) -> Vec<Outcome> {
        let verdicts = self
            .bank
            .books
            .database()
            .write(|tx| orders.iter().map(|order| self.decide_in(tx, order)).collect());
        books::outcomes(NAME, orders, verdicts)
    }

    fn query(&self, reference: &Reference) -> Answer {
        books::answer(NAME, self.bank.books.query(&self.owner, reference))
    }

    fn reconcile(&self, day: CivilDate) -> Result<Vec<StatementLine>, RailUnavailable> {
        self.bank.books.statement(&self.owner, day).map_err(|error| {
            tracing::warn!(rail = NAME, %error, "no statement");
            RailUnavailable
        })
    }
}
