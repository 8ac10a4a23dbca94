//! A provider or the bureau answers an objection.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Hash, Party, detail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::table::{Objection, SettledVisit, SettlementRecord, VISITS, VisitRow};
use super::{rejection, signing, view};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::network;
use crate::modules::organisation::{self, Scope};

/// What became of an objection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ObjectionAnswer {
    /// The person is right: a refund or a correction follows or has been made.
    Upheld,
    /// The settlement stands; the reasons lie in the vault.
    Dismissed,
}

/// Answers an objection and closes it. Signed by the provider (`settle`); a dismissal by the bureau
/// (`countersign`) too, so that nobody is judge in their own cause.
///
/// The bureau answers alone once the region's `objection_answer_days` are over, or while the
/// provider is suspended. An objection that it upholds so stays until the bureau has refunded or
/// corrected the settlement, for which it does not need the provider either.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
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
        let settled = view::require_record(state, &self.original)?;
        let objection = require_unanswered(&settled)?;
        let subject = &self.original.subject;
        let is_by_provider = context.has_signed(Party::Organisation(subject.provider));
        if is_by_provider {
            organisation::view::require_signed(context, state, subject.provider, Scope::Settle)?;
        }
        if !is_by_provider || self.answer == ObjectionAnswer::Dismissed {
            let bureau = view::bureau_of(state, subject)?;
            organisation::view::require_signed(context, state, bureau, Scope::Countersign)?;
        }
        let region = network::view::require_region(state, subject.region)?;
        let days = u64::from(region.settings.objection_answer_days);
        let deadline = objection.raised.plus_millis(days.saturating_mul(view::DAY_MILLIS));
        let is_late = deadline <= context.time || signing::is_suspended(state, subject.provider);
        require(is_by_provider || is_late, || {
            rejection::ANSWER_TOO_EARLY.with(detail!("until {until}", until = deadline))
        })
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let mut settled = view::require_record(state, &self.original)?;
        let objection = require_unanswered(&settled)?;
        let provider = Party::Organisation(self.original.subject.provider);
        let is_by_provider = context.has_signed(provider);
        settled.objection = (self.answer == ObjectionAnswer::Upheld && !is_by_provider)
            .then_some(Objection { upheld: true, ..objection });
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

/// The objection that waits for an answer.
fn require_unanswered(settled: &SettledVisit) -> Result<Objection, Rejection> {
    settled
        .objection
        .filter(|objection| !objection.upheld)
        .ok_or_else(|| rejection::OBJECTION_STATE.reject())
}
