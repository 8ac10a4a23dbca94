//! The daily list of a stay.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, CivilDate, Hash, Party, VisitId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::table::{RunningBill, VISITS, VisitRow};
use super::{rejection, view};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::receipt::amount_value;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::network;
use crate::modules::organisation::{self, Scope};
use benefit::VisitType;

/// Notes a stay's bill so far: the person sees at once that there is a new daily list. The list
/// itself lies in the vault. Signed by the provider with scope `clerk`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateRunningBill {
    /// Which stay.
    pub visit: VisitId,
    /// The salted commitment over bill and sums so far.
    pub bill: Hash,
    /// What it charges so far.
    pub total: Amount,
    /// The last day it covers.
    pub until: CivilDate,
}

/// Whether a visit of this type is a stay, with a running bill and deposits.
#[must_use]
pub const fn is_stay(visit_type: VisitType) -> bool {
    matches!(
        visit_type,
        VisitType::Inpatient
            | VisitType::MaternityInpatient
            | VisitType::WorkInjuryInpatient
            | VisitType::EmergencyInpatient
            | VisitType::DayCase
    )
}

impl Kind for UpdateRunningBill {
    const NUMBER: u16 = 703;
    const NAME: &'static str = "update_running_bill";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        let open = view::require_open(state, self.visit)?;
        organisation::view::require_signed(context, state, open.subject.provider, Scope::Clerk)
            .map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let mut open = view::require_open(state, self.visit)?;
        let subject = &open.subject;
        require(is_stay(subject.visit_type), || rejection::NOT_A_STAY.reject())?;
        let region = network::view::require_region(state, subject.region)?;
        let today = context.day(region.settings.utc_offset_minutes);
        let fits = subject.admitted <= self.until && self.until <= today;
        require(fits, || rejection::DATE_OUTSIDE_VISIT.with(self.until))?;
        let concerns = [Party::Organisation(subject.provider), Party::Person(subject.person)];
        open.running = Some(RunningBill { bill: self.bill, total: self.total, until: self.until });
        VISITS.put(state, &self.visit, &VisitRow::Open(open));
        Ok(Outcome::event("running_bill_updated", concerns)
            .with("total", amount_value(self.total, region.currency)))
    }
}
