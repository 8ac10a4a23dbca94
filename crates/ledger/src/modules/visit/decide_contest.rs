//! The bureau decides about a contested consent.

use benefit::CategorySums;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Hash, Party};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::quote::Split;
use super::resettle::{Change, Resettlement};
use super::table::{Contest, SettlementRecord, VISITS, VisitRow};
use super::{rejection, view};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::{Event, Outcome};
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::organisation::{self, Scope};

/// What the bureau found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ContestDecision {
    /// Nobody could agree in the person's place: the settlement is refunded wholly. What was right
    /// of it may be settled anew, with a consent that holds.
    Upheld,
    /// The consent stands; the reasons lie in the vault.
    Rejected,
}

/// Decides about a contested consent. Upheld, it refunds the settlement in the same transaction as
/// [`super::RefundVisit`] does, without the provider's signature. Signed by the bureau with scope
/// `countersign`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DecideContest {
    /// The settlement as it stands.
    pub original: SettlementRecord,
    /// What the bureau found.
    pub decision: ContestDecision,
    /// The salted commitment to the reasons.
    pub statement: Hash,
}

impl Kind for DecideContest {
    const NUMBER: u16 = 714;
    const NAME: &'static str = "decide_contest";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        let bureau = view::bureau_of(state, &self.original.subject)?;
        organisation::view::require_signed(context, state, bureau, Scope::Countersign).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let mut settled = view::require_record(state, &self.original)?;
        require(settled.is_contested(), || rejection::NO_OPEN_CONTEST.reject())?;
        let subject = &self.original.subject;
        let concerns = [
            Party::Organisation(subject.provider),
            Party::Organisation(view::bureau_of(state, subject)?),
            Party::Person(subject.person),
        ];
        if self.decision == ContestDecision::Rejected {
            settled.contest = Some(Contest::Rejected);
            VISITS.put(state, &self.original.visit, &VisitRow::Settled(settled));
            return Ok(Outcome::event("contest_rejected", concerns));
        }
        let nothing = CategorySums::default();
        let refund = Resettlement {
            event: "visit_refunded",
            original: &self.original,
            bill: Hash::default(),
            sums: &nothing,
            split: &Split::default(),
            cash: None,
            change: Change::Refund(None),
        };
        let mut outcome = refund.execute(context, state)?;
        let name = alloc::string::String::from("contest_upheld");
        outcome.events.push(Event { name, concerns: concerns.to_vec() });
        Ok(outcome)
    }
}
