//! A person contests a consent that others gave.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Hash, Party};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::table::{Contest, SettlementRecord, VISITS, VisitRow};
use super::{rejection, view};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::network;
use crate::modules::person::{self, Actor};

/// Contests a consent that organisations alone gave (identity card, emergency witness), within the
/// days that the region sets after the settlement or its last change: the bureau then decides with
/// [`super::DecideContest`], and until then the settlement shows it. Signed by the person, a
/// guardian or, for somebody without keys or who has died, a desk of the home region's bureau.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContestConsent {
    /// The settlement as it stands.
    pub original: SettlementRecord,
    /// The salted commitment to the words.
    pub statement: Hash,
    /// Who speaks for the person.
    pub by: Actor,
}

impl Kind for ContestConsent {
    const NUMBER: u16 = 711;
    const NAME: &'static str = "contest_consent";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        person::require_speaker(context, state, self.original.subject.person, self.by).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let mut settled = view::require_record(state, &self.original)?;
        let subject = &self.original.subject;
        let region = network::view::require_region(state, subject.region)?;
        let latest = view::contested_until(state, &self.original, &settled)?;
        require(context.time <= latest, || rejection::NOT_CONTESTABLE.reject())?;
        settled.contest = Some(Contest::Open { raised: context.time, statement: self.statement });
        VISITS.put(state, &self.original.visit, &VisitRow::Settled(settled));
        let concerns = [
            Party::Organisation(subject.provider),
            Party::Organisation(region.bureau),
            Party::Person(subject.person),
        ];
        Ok(Outcome::event("consent_contested", concerns))
    }
}
