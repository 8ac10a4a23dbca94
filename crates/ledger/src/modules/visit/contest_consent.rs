//! A person contests a consent that others witnessed.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Hash, Party};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::consent::Consent;
use super::table::{SettlementRecord, VISITS, VisitRow};
use super::{rejection, view};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::{network, person};

/// Milliseconds of a day.
const DAY_MILLIS: u64 = 24 * 3_600 * 1_000;

/// Contests an emergency consent, within the days that the region sets: the bureau then has to
/// decide, and the settlement shows it. Signed by the person.
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
pub struct ContestConsent {
    /// The settlement as it stands.
    pub original: SettlementRecord,
    /// The salted commitment to the words.
    pub statement: Hash,
}

impl Kind for ContestConsent {
    const NUMBER: u16 = 711;
    const NAME: &'static str = "contest_consent";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        let who = self.original.subject.person;
        person::view::require_key_despite_lock(context, state, who).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let mut settled = view::require_record(state, &self.original)?;
        let subject = &self.original.subject;
        let region = network::view::require_region(state, subject.region)?;
        let days = u64::from(region.settings.emergency_contest_days);
        let latest = settled.settled.plus_millis(days.saturating_mul(DAY_MILLIS));
        let emergency = matches!(self.original.consent, Consent::EmergencyWitness { .. });
        let open = emergency && !settled.contested && context.time <= latest;
        require(open, || rejection::NOT_CONTESTABLE.reject())?;
        settled.contested = true;
        VISITS.put(state, &self.original.visit, &VisitRow::Settled(settled));
        let concerns = [
            Party::Organisation(subject.provider),
            Party::Organisation(region.bureau),
            Party::Person(subject.person),
        ];
        Ok(Outcome::event("consent_contested", concerns))
    }
}
