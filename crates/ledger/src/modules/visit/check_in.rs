//! Opens a visit.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Hash, Party, VisitId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rejection;
use super::table::{OpenVisit, VISITS, VisitRow, VisitSubject, list_stay};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::organisation::{self, OrganisationKind, Scope};
use crate::modules::{coverage, network, person};

/// How the desk knew who the patient is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Identification {
    /// The rotating code of the person's wallet.
    WalletCode,
    /// The card of the scheme.
    Card,
    /// An identity document.
    IdentityDocument,
    /// Nothing yet: an emergency.
    Emergency,
}

/// Opens a visit, stay or purchase of an insured person at a provider. Signed by the provider with
/// scope `clerk`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckIn {
    /// A new random id.
    pub visit: VisitId,
    /// What it is about.
    pub subject: VisitSubject,
    /// How the desk knew who it is.
    pub identification: Identification,
    /// A salted commitment to what was shown (code, card token), or all zero.
    pub evidence: Hash,
}

impl Kind for CheckIn {
    const NUMBER: u16 = 701;
    const NAME: &'static str = "check_in";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        let provider = self.subject.provider;
        organisation::view::require_signed(context, state, provider, Scope::Clerk)?;
        organisation::view::require_kind(state, provider, OrganisationKind::Provider).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let subject = &self.subject;
        require(!VISITS.has(state, &self.visit), || rejection::VISIT_EXISTS.reject())?;
        person::view::require_person_on(state, subject.person, subject.admitted)?;
        let region = network::view::require_region(state, subject.region)?;
        let today = context.day(region.settings.utc_offset_minutes);
        let earliest = today.plus_days(i32::from(region.settings.claim_days_max).saturating_neg());
        let in_time =
            subject.admitted <= today && earliest.is_none_or(|day| day <= subject.admitted);
        require(in_time, || rejection::ADMISSION_DATE.with(subject.admitted))?;
        let (person, scheme) = (subject.person, subject.scheme);
        coverage::view::require_active_coverage(
            state,
            person,
            subject.region,
            scheme,
            subject.admitted,
        )?;
        let open =
            OpenVisit { subject: subject.clone(), running: None, deposits: alloc::vec::Vec::new() };
        VISITS.put(state, &self.visit, &VisitRow::Open(open));
        list_stay(state, subject, self.visit);
        let concerns = [Party::Organisation(subject.provider), Party::Person(person)];
        Ok(Outcome::event("visit_opened", concerns))
    }
}
