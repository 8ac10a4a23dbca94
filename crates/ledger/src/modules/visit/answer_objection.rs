//! A provider or the bureau answers an objection.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Hash, Party};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::table::{SettlementRecord, VISITS, VisitRow};
use super::{rejection, view};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::organisation::{self, Scope};

/// What became of an objection.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    BorshSerialize,
    BorshDeserialize,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ObjectionAnswer {
    /// The person is right: a refund or a correction follows or has been made.
    Upheld,
    /// The settlement stands; the reasons lie in the vault.
    Dismissed,
}

/// Answers an objection and closes it. Signed by the provider (`settle`); a dismissal by the bureau
/// (`countersign`) too, so that nobody is judge in their own cause.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Eq,
    BorshSerialize,
    BorshDeserialize,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct AnswerObjection {
    /// The settlement as it stands.
    pub original: SettlementRecord,
    /// What became of the objection.
    pub answer: ObjectionAnswer,
    /// The salted commitment to the reasons.
    pub statement: Hash,
}

impl Kind for AnswerObjection {
    const NUMBER: u16 = 709;
    const NAME: &'static str = "answer_objection";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        let subject = &self.original.subject;
        organisation::view::require_signed(context, state, subject.provider, Scope::Settle)?;
        if self.answer == ObjectionAnswer::Dismissed {
            let bureau = view::bureau_of(state, subject)?;
            organisation::view::require_signed(context, state, bureau, Scope::Countersign)?;
        }
        Ok(())
    }

    fn execute(&self, _: &Context<'_>, state: &mut Overlay<'_>) -> Result<Outcome, Rejection> {
        let mut settled = view::require_record(state, &self.original)?;
        require(settled.objection.is_some(), || rejection::OBJECTION_STATE.reject())?;
        settled.objection = None;
        VISITS.put(state, &self.original.visit, &VisitRow::Settled(settled));
        let subject = &self.original.subject;
        let bureau = view::bureau_of(state, subject)?;
        let name = match self.answer {
            ObjectionAnswer::Upheld => "objection_upheld",
            ObjectionAnswer::Dismissed => "objection_dismissed",
        };
        let concerns = [
            Party::Organisation(subject.provider),
            Party::Organisation(bureau),
            Party::Person(subject.person),
        ];
        Ok(Outcome::event(name, concerns))
    }
}
