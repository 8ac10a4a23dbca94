//! `family_account`: accounts of relatives pay, grant by grant in the order given.

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
pub(crate) struct FamilyAccount {
    pub caps: Vec<Allowance>,
}

impl Operator for FamilyAccount {
    const KIND: &'static str = "family_account";
    const FIELDS: &'static [&'static str] = &["caps"];

    fn compile(source: &StepSource, names: &mut Names<'_>) -> Result<Self, String> {
        Ok(Self { caps: names.allowances("caps", &source.caps)? })
    }

    fn check(&self, check: &StepCheck<'_>) -> Result<(), Detail> {
        check.allowances("caps", &self.caps)
    }

    fn run(&self, run: &mut Run<'_>, turn: &Turn) -> Result<Numbers, AdjudicationError> {
        let facts = run.facts;
        if facts.family_accounts.is_empty() {
            return Ok(Numbers::default());
        }
        let wanted = cap(run, turn, &self.caps, turn.base, capped)?;
        let mut rest = wanted;
        for (account, grant) in (1_u8..).zip(&facts.family_accounts) {
            let place = usize::from(account.saturating_sub(1));
            let Some(spent) = run.family_accounts.get_mut(place) else { break };
            let available = grant.available.minor().saturating_sub(*spent);
            let gives = rest.min(available);
            *spent = spent.saturating_add(gives);
            rest = rest.saturating_sub(gives);
            if gives > 0 {
                let (available, paid) = (amount(available), amount(gives));
                run.note(turn, TraceNote::Account { account, available, paid });
            }
        }
        let paid = wanted.saturating_sub(rest);
        count_all(run, turn, &self.caps, paid)?;
        run.take(turn, paid);
        let cut = turn.base.saturating_sub(wanted);
        Ok(Numbers { deductible: 0, self_share: turn.base.saturating_sub(paid), cut, paid })
    }
}
