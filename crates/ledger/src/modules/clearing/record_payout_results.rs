//! Records what the bank said of payments.

use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, CivilDate, Currency, Hash, Party, RegionId, Text, detail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::batch::{
    BatchStanding, LineRow, LineStanding, PAYOUT_LINES_MAX, require_batch, require_code,
};
use super::rejection;
use super::signing::require_bureau;
use super::table::{BATCHES, DAYS, TOTALS};
use super::view::use_reference;
use crate::kernel::account::{Account, Books};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::posting::{self, Entry};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::{interregion, network};

/// What the bank said of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PayoutResult {
    /// The line's number in its batch, from 0.
    pub line: u16,
    /// The bank's word.
    pub word: BankWord,
}

/// The bank's word on a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "word", rename_all = "snake_case", deny_unknown_fields)]
pub enum BankWord {
    /// It is booked on the statement.
    Paid {
        /// How much: exactly what was ordered.
        amount: Amount,
        /// On which day.
        day: CivilDate,
        /// The salted hash of the bank's own reference.
        reference: Hash,
    },
    /// It was not carried out and will not be.
    Failed {
        /// The bank's reason, such as `AC04`.
        reason: Text<4>,
    },
    /// It was paid and came back.
    Returned {
        /// How much: exactly what was paid.
        amount: Amount,
        /// On which day it came back.
        day: CivilDate,
        /// The salted hash of the bank's own reference of the return.
        reference: Hash,
        /// The bank's reason.
        reason: Text<4>,
    },
}

/// Records what the bank said of lines of an approved batch: paid money is outside, what failed or
/// came back is payable again. Signed by the region's bureau with scope `treasury`, which answers
/// for the bank's file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordPayoutResults {
    /// The region.
    pub region: RegionId,
    /// The batch.
    pub batch: u32,
    /// The results, 1 to 500, sorted by line, each once.
    #[schemars(length(min = 1, max = 500))]
    pub results: Vec<PayoutResult>,
}

/// A movement of money that the bank booked.
struct Movement {
    amount: Amount,
    day: CivilDate,
    reference: Hash,
    is_return: bool,
}

impl BankWord {
    const fn movement(&self) -> Option<Movement> {
        match self {
            Self::Paid { amount, day, reference } => Some(Movement {
                amount: *amount,
                day: *day,
                reference: *reference,
                is_return: false,
            }),
            Self::Returned { amount, day, reference, .. } => Some(Movement {
                amount: *amount,
                day: *day,
                reference: *reference,
                is_return: true,
            }),
            Self::Failed { .. } => None,
        }
    }

    /// Where the line stands after this word, and what moves; nothing where the word cannot follow
    /// what was said before.
    fn follow(
        &self,
        standing: &LineStanding,
        books: Books,
    ) -> Option<(LineStanding, [Account; 2])> {
        let (payable, in_payment) =
            (Account::ProviderPayable(books), Account::ProviderInPayment(books));
        let outside = Account::Outside(books.region);
        match (self, standing) {
            (Self::Paid { day, reference, .. }, LineStanding::Waiting) => {
                let paid = LineStanding::Paid { day: *day, reference: *reference };
                Some((paid, [in_payment, outside]))
            }
            (Self::Failed { reason }, LineStanding::Waiting) => {
                Some((LineStanding::Failed { reason: reason.clone() }, [in_payment, payable]))
            }
            (
                Self::Returned { day, reference, reason, .. },
                LineStanding::Paid { day: paid, .. },
            ) => {
                let (paid, day, reference, reason) = (*paid, *day, *reference, reason.clone());
                let returned = LineStanding::Returned { paid, day, reference, reason };
                Some((returned, [outside, payable]))
            }
            _ => None,
        }
    }
}

impl RecordPayoutResults {
    /// Notes a movement of the bank: its reference once for ever, and the day's totals.
    fn note(
        &self,
        state: &mut Overlay<'_>,
        today: CivilDate,
        moved: &Movement,
    ) -> Result<(), Rejection> {
        require(moved.day <= today, || rejection::DAY_IN_FUTURE.reject())?;
        use_reference(state, self.region, moved.reference)?;
        let day = (self.region, moved.day);
        let is_even = DAYS.get(state, &day).is_some_and(|day| day.is_even());
        require(!is_even, || rejection::DAY_CLOSED.with(moved.day))?;
        let mut totals = TOTALS.get(state, &day).unwrap_or_default();
        totals.lines = totals.lines.saturating_add(1);
        let sum = if moved.is_return { &mut totals.returned } else { &mut totals.paid };
        *sum = sum.saturating_add(moved.amount);
        TOTALS.put(state, &day, &totals);
        Ok(())
    }

    fn record(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
        (row, result): (&mut LineRow, &PayoutResult),
        (today, currency): (CivilDate, Currency),
    ) -> Result<(), Rejection> {
        let books = Books::of(row.provider, self.region);
        let (next, [debit, credit]) = result
            .word
            .follow(&row.standing, books)
            .ok_or_else(|| rejection::LINE_CLOSED.with(result.line))?;
        if let Some(moved) = result.word.movement() {
            require(moved.amount == row.amount, || {
                let ordered = (row.amount, currency);
                rejection::AMOUNT_DIFFERS.with(detail!("{ordered} were ordered", ordered))
            })?;
            self.note(state, today, &moved)?;
            let payee = (self.region, row.provider);
            interregion::view::note_paid(state, payee, row.amount, moved.is_return)?;
        }
        row.standing = next;
        let entry = Entry { debit, credit, amount: row.amount };
        posting::post(state, context.time, currency, &[entry])
    }
}

impl Kind for RecordPayoutResults {
    const NUMBER: u16 = 1207;
    const NAME: &'static str = "record_payout_results";

    fn check(&self) -> Result<(), Rejection> {
        let few = (1..=PAYOUT_LINES_MAX).contains(&self.results.len());
        let sorted = self.results.is_sorted_by(|a, b| a.line < b.line);
        require(few && sorted, || rejection::RESULT_LIST.reject())?;
        self.results.iter().try_for_each(|result| match &result.word {
            BankWord::Failed { reason } | BankWord::Returned { reason, .. } => require_code(reason),
            BankWord::Paid { .. } => Ok(()),
        })
    }

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_bureau(context, state, self.region).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let key = (self.region, self.batch);
        let mut batch = require_batch(state, &key, BatchStanding::Approved)?;
        let region = network::view::require_region(state, self.region)?;
        let place = (context.day(region.settings.utc_offset_minutes), region.currency);
        let mut concerns = alloc::vec![Party::Organisation(region.bureau)];
        for result in &self.results {
            let row = batch
                .lines
                .get_mut(usize::from(result.line))
                .ok_or_else(|| rejection::RESULT_LIST.reject())?;
            self.record(context, state, (row, result), place)?;
            concerns.push(Party::Organisation(row.provider));
        }
        BATCHES.put(state, &key, &batch);
        Ok(Outcome::event("payout_answered", concerns))
    }
}
