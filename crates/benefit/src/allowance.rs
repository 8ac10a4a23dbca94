//! Allowances in their compiled form: amounts that are open until they are used up. Deductibles,
//! caps, limits and copays are all of this kind.

use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, Rate, Rounding};

use crate::{
    adjudication::{AmountReason, TraceNote},
    condition::ALWAYS,
    engine::{AdjudicationError, Run, Turn},
};

/// A factor of one, in parts per million.
pub(crate) const FACTOR_ONE: u32 = 1_000_000;

/// An amount that is open until it is used up.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Allowance {
    pub rows: Vec<Row>,
    pub counts: Option<u8>,
    pub changes: Vec<Change>,
    pub repeat: Option<Repeat>,
    pub grow: Option<Grow>,
}

/// One row of the table of amounts.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Row {
    pub when: u16,
    pub amount: RowAmount,
    pub per_day: bool,
    pub plus: Option<Plus>,
}

/// What a row says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) enum RowAmount {
    Unlimited,
    Fixed(u64),
    OfSlot,
}

/// A share of what was charged above a threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Plus {
    pub share: Rate,
    pub above: u64,
}

/// A change to the amount.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Change {
    pub when: u16,
    pub how: How,
}

/// How an amount is changed; factors are parts per million.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) enum How {
    Factor(u32),
    Add(u64),
    Less(u64),
    Exactly(u64),
}

/// How the amount changes from visit to visit.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) enum Repeat {
    From { of: u8, rows: Vec<(u16, How)> },
    Down { of: u8, less: u64, floor: u64 },
}

/// How the amount grows with years.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Grow {
    pub per_unbroken_year: u64,
    pub after: u8,
    pub per_claim_free_year: u64,
    pub at_most: u64,
    pub at_most_share: Option<Rate>,
}

/// An allowance as it stands in a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Open {
    /// The full amount; the largest number stands for no limit.
    pub full: u64,
    /// What was used up before.
    pub used: u64,
    /// What is open.
    pub open: u64,
}

/// `amount * ppm` of a million, rounded.
pub(crate) fn times(amount: u64, ppm: u32, rounding: Rounding) -> u64 {
    let product = u128::from(amount).saturating_mul(u128::from(ppm));
    let million = u128::from(FACTOR_ONE);
    u64::try_from(rounding.divide(product, million)).unwrap_or(u64::MAX)
}

impl How {
    fn change(self, amount: u64, rounding: Rounding) -> u64 {
        match self {
            Self::Factor(ppm) => times(amount, ppm, rounding),
            Self::Add(more) => amount.saturating_add(more),
            Self::Less(less) => amount.saturating_sub(less),
            Self::Exactly(exact) => exact,
        }
    }
}

impl Allowance {
    /// How much of the allowance is open; `None` when it does not apply to the person.
    pub(crate) fn open(
        &self,
        run: &Run<'_>,
        turn: &Turn,
    ) -> Result<Option<Open>, AdjudicationError> {
        let used = match self.counts {
            Some(accumulator) if !run.applies(accumulator) => return Ok(None),
            Some(accumulator) => run.value(accumulator, turn.slot),
            None => 0,
        };
        let full = self.full(run, turn, |_, _, _| {})?;
        let open = if full == u64::MAX { full } else { full.saturating_sub(used) };
        Ok(Some(Open { full, used, open }))
    }

    /// Writes down every change that made the listed amount the full one.
    pub(crate) fn tell(&self, run: &mut Run<'_>, turn: &Turn) -> Result<(), AdjudicationError> {
        if self.is_plain() {
            return Ok(());
        }
        let mut told = Vec::new();
        self.full(run, turn, |why, before, after| {
            let (before, after) = (Amount::from_minor(before), Amount::from_minor(after));
            told.push(TraceNote::AmountChanged { why, before, after });
        })?;
        told.into_iter().for_each(|note| run.note(turn, note));
        Ok(())
    }

    /// Whether the listed amount is always the full one.
    fn is_plain(&self) -> bool {
        let is_derived = |row: &Row| row.per_day || row.plus.is_some();
        self.changes.is_empty()
            && self.repeat.is_none()
            && self.grow.is_none()
            && !self.rows.iter().any(is_derived)
    }

    /// The full amount; `tell` hears of every change to the listed one.
    fn full(
        &self,
        run: &Run<'_>,
        turn: &Turn,
        tell: impl FnMut(AmountReason, u64, u64),
    ) -> Result<u64, AdjudicationError> {
        let mode = turn.rounding.mode;
        let Some((row, amount)) = self.row(run, turn)? else { return Ok(u64::MAX) };
        let mut full = Told { amount, tell };
        if row.per_day {
            let days = run.facts.days;
            full.becomes(AmountReason::Days { days }, amount.saturating_mul(u64::from(days)));
        }
        let mut above = row.plus.map_or(0, |plus| plus.above);
        for (change, one) in (0_u8..).zip(&self.changes) {
            if run.holds(one.when, turn)? {
                full.becomes(AmountReason::Change { change }, one.how.change(full.amount, mode));
                if let How::Factor(ppm) = one.how {
                    above = times(above, ppm, mode);
                }
            }
        }
        if let Some(repeat) = &self.repeat {
            let number = run.visit_number(repeat.of());
            full.becomes(AmountReason::Visit { number }, repeat.change(full.amount, number, mode));
        }
        if let Some(grow) = &self.grow {
            let growth = grow.growth(full.amount, run);
            full.becomes(AmountReason::Years, full.amount.saturating_add(growth));
        }
        if let Some(Plus { share, .. }) = row.plus {
            let charged = turn.charged_so_far.saturating_sub(above);
            let more = times(charged, share.ppm(), mode);
            let why = AmountReason::Share { share, charged: Amount::from_minor(charged) };
            full.becomes(why, full.amount.saturating_add(more));
        }
        Ok(full.amount)
    }

    /// The row that counts and its amount; `None` when it says that there is no limit.
    fn row(&self, run: &Run<'_>, turn: &Turn) -> Result<Option<(&Row, u64)>, AdjudicationError> {
        for row in &self.rows {
            if row.when != ALWAYS && !run.holds(row.when, turn)? {
                continue;
            }
            match row.amount {
                RowAmount::Unlimited => return Ok(None),
                RowAmount::Fixed(amount) => return Ok(Some((row, amount))),
                RowAmount::OfSlot => {
                    if let Some(amount) = turn.slot_amount {
                        return Ok(Some((row, amount)));
                    }
                }
            }
        }
        Ok(None)
    }

    /// Adds to what is used up.
    pub(crate) fn count(
        &self,
        run: &mut Run<'_>,
        turn: &Turn,
        amount: u64,
    ) -> Result<(), AdjudicationError> {
        match self.counts {
            Some(accumulator) => run.add(accumulator, turn.slot, amount),
            None => Ok(()),
        }
    }
}

/// An amount in the making, and who hears of its changes.
struct Told<F> {
    amount: u64,
    tell: F,
}

impl<F: FnMut(AmountReason, u64, u64)> Told<F> {
    fn becomes(&mut self, why: AmountReason, after: u64) {
        if after != self.amount {
            (self.tell)(why, self.amount, after);
            self.amount = after;
        }
    }
}

impl Repeat {
    /// The accumulator that counts the visits.
    const fn of(&self) -> u8 {
        match self {
            Self::From { of, .. } | Self::Down { of, .. } => *of,
        }
    }

    fn change(&self, amount: u64, number: u64, mode: Rounding) -> u64 {
        match self {
            Self::From { rows, .. } => {
                let reached = rows.iter().take_while(|(visit, _)| u64::from(*visit) <= number);
                reached.last().map_or(amount, |(_, how)| how.change(amount, mode))
            }
            Self::Down { less, floor, .. } => {
                let further = number.saturating_sub(1);
                amount.saturating_sub(less.saturating_mul(further)).max(amount.min(*floor))
            }
        }
    }
}

impl Grow {
    fn growth(&self, amount: u64, run: &Run<'_>) -> u64 {
        let years = u64::from(run.facts.unbroken_years.saturating_sub(self.after));
        let free = u64::from(run.facts.claim_free_years);
        let growth = self
            .per_unbroken_year
            .saturating_mul(years)
            .saturating_add(self.per_claim_free_year.saturating_mul(free));
        let share = self.at_most_share;
        let most = share.map_or(u64::MAX, |share| times(amount, share.ppm(), Rounding::Floor));
        growth.min(self.at_most).min(most)
    }
}
