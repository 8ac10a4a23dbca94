//! Undoes a check-in.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Party, VisitId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::table::{VISITS, VisitRow};
use super::{rejection, view};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::organisation::{self, Scope};

/// Undoes a check-in that was not settled and has no deposit. Signed by the provider with scope
/// `clerk`.
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
pub struct CancelVisit {
    /// Which visit.
    pub visit: VisitId,
}

impl Kind for CancelVisit {
    const NUMBER: u16 = 702;
    const NAME: &'static str = "cancel_visit";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        let open = view::require_open(state, self.visit)?;
        organisation::view::require_signed(context, state, open.subject.provider, Scope::Clerk)
            .map(|_| ())
    }

    fn execute(&self, _: &Context<'_>, state: &mut Overlay<'_>) -> Result<Outcome, Rejection> {
        let open = view::require_open(state, self.visit)?;
        require(open.deposits.is_empty(), || rejection::DEPOSIT_OPEN.reject())?;
        VISITS.put(state, &self.visit, &VisitRow::Cancelled);
        let subject = &open.subject;
        let concerns = [Party::Organisation(subject.provider), Party::Person(subject.person)];
        Ok(Outcome::event("visit_cancelled", concerns))
    }
}
