//! `personal_account`: the person's own account pays, if the person wants it to.

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
};

/// The operator with its fields.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct PersonalAccount {
    pub caps: Vec<Allowance>,
}

impl Operator for PersonalAccount {
    const KIND: &'static str = "personal_account";
    const FIELDS: &'static [&'static str] = &["caps"];

    fn compile(source: &StepSource, names: &mut Names<'_>) -> Result<Self, String> {
        Ok(Self { caps: names.allowances("caps", &source.caps)? })
    }

    fn check(&self, check: &StepCheck<'_>) -> Result<(), Detail> {
        check.allowances("caps", &self.caps)
    }

    fn run(&self, run: &mut Run<'_>, turn: &Turn) -> Result<Numbers, AdjudicationError> {
        if !run.facts.use_personal_account {
            return Ok(Numbers::default());
        }
        let available = run.personal_account_left();
        let gives = turn.base.min(available);
        let paid = cap(run, turn, &self.caps, gives, capped)?;
        count_all(run, turn, &self.caps, paid)?;
        run.take(turn, paid);
        run.personal_account = run.personal_account.saturating_add(paid);
        if turn.base > 0 {
            let (available, paid) = (amount(available), amount(paid));
            run.note(turn, TraceNote::Account { account: 0, available, paid });
        }
        let (self_share, cut) = (turn.base.saturating_sub(gives), gives.saturating_sub(paid));
        Ok(Numbers { deductible: 0, self_share, cut, paid })
    }
}
