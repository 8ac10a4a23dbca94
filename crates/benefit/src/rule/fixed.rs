//! `fixed`: the payer pays a fixed amount, at most the bill.

use alloc::{string::String, vec::Vec};
use borsh::{BorshDeserialize, BorshSerialize};

use super::{Operator, amount, cap, capped, count_all};
use primitives::Detail;

use crate::{
    adjudication::TraceNote,
    allowance::Allowance,
    compile::Names,
    engine::{AdjudicationError, Numbers, Run, Turn},
    plan::StepCheck,
    source::StepSource,
    word::Payer,
};

/// The operator with its fields.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Fixed {
    pub payer: Payer,
    pub amount: Allowance,
    pub caps: Vec<Allowance>,
}

impl Operator for Fixed {
    const KIND: &'static str = "fixed";
    const FIELDS: &'static [&'static str] = &["payer", "amount", "caps"];

    fn compile(source: &StepSource, names: &mut Names<'_>) -> Result<Self, String> {
        Ok(Self {
            payer: names.payer(source)?,
            amount: names.amount_field(source)?,
            caps: names.allowances("caps", &source.caps)?,
        })
    }

    fn check(&self, check: &StepCheck<'_>) -> Result<(), Detail> {
        check.allowance("amount", &self.amount)?;
        check.allowances("caps", &self.caps)
    }

    fn run(&self, run: &mut Run<'_>, turn: &Turn) -> Result<Numbers, AdjudicationError> {
        let Some(open) = self.amount.open(run, turn)? else { return Ok(Numbers::default()) };
        let gives = turn.base.min(open.open);
        if turn.base > 0 {
            self.amount.tell(run, turn)?;
            let (full, used) = (amount(open.full), amount(open.used));
            run.note(turn, TraceNote::FixedAmount { full, used, gives: amount(gives) });
        }
        let paid = cap(run, turn, &self.caps, gives, capped)?;
        self.amount.count(run, turn, paid)?;
        count_all(run, turn, &self.caps, paid)?;
        run.pay(turn, self.payer, paid);
        let (self_share, cut) = (turn.base.saturating_sub(gives), gives.saturating_sub(paid));
        Ok(Numbers { deductible: 0, self_share, cut, paid })
    }
}
