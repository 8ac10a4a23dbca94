//! `count`: an amount, or the visit, is remembered.

use alloc::string::String;
use borsh::{BorshDeserialize, BorshSerialize};

use super::{Operator, amount};
use primitives::Detail;

use crate::{
    adjudication::TraceNote,
    compile::Names,
    engine::{AdjudicationError, Numbers, Run, Turn},
    plan::StepCheck,
    source::StepSource,
};

/// The operator with its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Count {
    pub into: u8,
    pub visit: bool,
}

impl Operator for Count {
    const KIND: &'static str = "count";
    const FIELDS: &'static [&'static str] = &["what", "into"];
    const ONLY_COUNTS: bool = true;

    fn compile(source: &StepSource, names: &mut Names<'_>) -> Result<Self, String> {
        let visit = match source.what.as_deref() {
            None | Some("money") => false,
            Some("visit") => true,
            Some(other) => {
                return Err(alloc::format!("`what` is `{other}`; write `money` or `visit`"));
            }
        };
        if visit && source.base.is_some() {
            return Err(String::from("a step that counts the visit looks at no money; leave `base` out"));
        }
        let into = names.accumulator_field("into", source.into.as_deref())?;
        let into = into.ok_or("`into` is missing: name the accumulator that counts")?;
        Ok(Self { into, visit })
    }

    fn check(&self, check: &StepCheck<'_>) -> Result<(), Detail> {
        if self.visit {
            return check.visits("into", self.into);
        }
        check.money("into", Some(self.into))
    }

    fn run(&self, run: &mut Run<'_>, turn: &Turn) -> Result<Numbers, AdjudicationError> {
        if self.visit {
            run.count_visit(self.into)?;
        } else {
            run.add(self.into, turn.slot, turn.base)?;
            if turn.base > 0 {
                let number = run.plan.accumulator(self.into).map_or(0, |one| one.number);
                run.note(turn, TraceNote::Counted { number, added: amount(turn.base) });
            }
        }
        Ok(Numbers::default())
    }
}
