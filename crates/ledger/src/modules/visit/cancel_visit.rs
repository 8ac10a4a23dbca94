//! Undoes a check-in.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Party, VisitId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::money::{self, GiveBack};
use super::settle_visit::{rail_deposits, return_account_deposits};
use super::signing::require_provider;
use super::table::{VISITS, VisitRow, unlist_stay};
use super::view;
use crate::kernel::account::Account;
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::Rejection;
use crate::modules::network;
use crate::modules::organisation::Scope;

/// Undoes a check-in that was not settled. Deposits go back where they came from: to the personal
/// account at once, through a rail as payments of their own; one without its rail's word yet has to
/// wait for it. Signed by the provider with scope `clerk`, or by the bureau with scope
/// `countersign` while the provider is suspended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
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
        let provider = (open.subject.provider, open.subject.region);
        require_provider(context, state, provider, Scope::Clerk)
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let open = view::require_open(state, self.visit)?;
        let subject = &open.subject;
        let concerns = [Party::Organisation(subject.provider), Party::Person(subject.person)];
        let mut outcome = Outcome::event("visit_cancelled", concerns);
        let currency = network::view::require_region(state, subject.region)?.currency;
        return_account_deposits(context, state, self.visit, &open, currency)?;
        let (collected, amount) = rail_deposits(state, &open)?;
        let back = GiveBack {
            visit: self.visit,
            subject,
            amount,
            currency,
            collected: &collected,
            from: Account::Deposit(self.visit),
        };
        money::give_back(context, state, &mut outcome, &back)?;
        VISITS.put(state, &self.visit, &VisitRow::Cancelled);
        unlist_stay(state, subject, self.visit);
        Ok(outcome)
    }
}
