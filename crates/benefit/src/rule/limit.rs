//! `limit`: the person bears at most so much in a period; the payer pays what is above.

use alloc::{string::String, vec::Vec};
use borsh::{BorshDeserialize, BorshSerialize};

use super::{Operator, amount, cap, capped, count_all};
use primitives::{Detail, detail};

use crate::{
    adjudication::TraceNote,
    allowance::Allowance,
    compile::Names,
    engine::{AdjudicationError, Numbers, Run, Turn},
    plan::{BaseOf, StepCheck},
    source::StepSource,
    word::Payer,
};

/// The operator with its fields.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Limit {
    pub payer: Payer,
    pub limits: Vec<Allowance>,
    pub charged_counts: Option<u8>,
    pub reached_counts: Option<u8>,
    pub caps: Vec<Allowance>,
}

impl Operator for Limit {
    const KIND: &'static str = "limit";
    const FIELDS: &'static [&'static str] =
        &["payer", "limits", "charged_counts", "reached_counts", "caps"];

    fn compile(source: &StepSource, names: &mut Names<'_>) -> Result<Self, String> {
        Ok(Self {
            payer: names.payer(source)?,
            limits: names.allowances("limits", &source.limits)?,
            charged_counts: names
                .accumulator_field("charged_counts", source.charged_counts.as_deref())?,
            reached_counts: names
                .accumulator_field("reached_counts", source.reached_counts.as_deref())?,
            caps: names.allowances("caps", &source.caps)?,
        })
    }

    fn check(&self, check: &StepCheck<'_>) -> Result<(), Detail> {
        if self.limits.is_empty() {
            return Err(detail!("`limits` is missing: say what the person bears at most"));
        }
        if check.step.base.of != BaseOf::Left {
            return Err(detail!("a `limit` looks at what is left; leave `base.of` out"));
        }
        check.allowances("limits", &self.limits)?;
        check.allowances("caps", &self.caps)?;
        check.money("charged_counts", self.charged_counts)?;
        match self.reached_counts {
            Some(reached) => check.times_by_month("reached_counts", reached),
            None => Ok(()),
        }
    }

    fn charged_counts(&self) -> Option<u8> {
        self.charged_counts
    }

    fn run(&self, run: &mut Run<'_>, turn: &Turn) -> Result<Numbers, AdjudicationError> {
        let mut most = 0_u64;
        for (limit_no, allowance) in (0_u8..).zip(&self.limits) {
            let Some(open) = allowance.open(run, turn)? else { continue };
            let excess = turn.base.saturating_sub(open.open);
            if excess > 0 {
                allowance.tell(run, turn)?;
                let (limit, borne) = (amount(open.full), amount(open.used));
                run.note(turn, TraceNote::Limited { limit_no, limit, borne, excess: amount(excess) });
            }
            most = most.max(excess);
        }
        let paid = cap(run, turn, &self.caps, most, capped)?;
        count_all(run, turn, &self.limits, turn.base.saturating_sub(paid))?;
        count_all(run, turn, &self.caps, paid)?;
        if let Some(charged) = self.charged_counts {
            run.add(charged, turn.slot, turn.charged)?;
        }
        if let Some(reached) = self.reached_counts.filter(|_| paid > 0) {
            run.add(reached, turn.slot, 1)?;
        }
        run.pay(turn, self.payer, paid);
        let (self_share, cut) = (turn.base.saturating_sub(most), most.saturating_sub(paid));
        Ok(Numbers { deductible: 0, self_share, cut, paid })
    }
}
