//! Books what a payer has paid a provider.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, Hash, OrganisationId, RegionId, detail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rejection;
use super::table::{parties, require_treasury, use_reference};
use crate::kernel::account::{Account, Books};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::posting::{self, Entry, post};
use crate::kernel::receipt::{Outcome, amount_value};
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::organisation::{self, OrganisationKind, rejection as organisations};
use crate::modules::{clearing, network};

/// Books what a payer has paid a provider for settled visits: the due goes down, the money is
/// outside.
///
/// Signed by the payer. A region's bureau clears for all of its region and signs alone: dues are
/// kept apart by region, so it can only clear what its own region owes. Once the region has rules
/// of clearing its bureau pays by module `clearing` alone, where a second organisation approves. An
/// insurer that pays
/// directly needs the provider's signature too, because dues of one region are not kept apart by
/// payer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PayProvider {
    /// The region whose bureau clears, or in which the insurer pays.
    pub region: RegionId,
    /// Who paid.
    pub payer: OrganisationId,
    /// Who was paid.
    pub provider: OrganisationId,
    /// How much, in minor units; at most what is due.
    pub amount: Amount,
    /// The salted hash of the bank's reference; the payer books each once, for ever.
    pub reference: Hash,
}

impl Kind for PayProvider {
    const NUMBER: u16 = 607;
    const NAME: &'static str = "pay_provider";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        let bureau = network::view::require_region(state, self.region)?.bureau;
        require_treasury(context, state, self.payer)?;
        if self.payer == bureau {
            let pays_in_batches = clearing::view::rules(state, self.region).is_some();
            return require(!pays_in_batches, || clearing::rejection::PAID_IN_BATCHES.reject());
        }
        organisation::view::require_kind(state, self.payer, OrganisationKind::Insurer)?;
        require_treasury(context, state, self.provider)
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        // A suspended provider is still paid what it is owed.
        let provider = organisation::view::organisation(state, self.provider)
            .ok_or_else(|| organisations::UNKNOWN_ORGANISATION.with(self.provider))?;
        require(provider.kind == OrganisationKind::Provider, || {
            organisations::WRONG_KIND.with(self.provider)
        })?;
        let region = network::view::require_region(state, self.region)?;
        let debit = Account::ProviderDue(Books::of(self.provider, self.region));
        let due = posting::balance(state, &debit);
        require(i128::from(self.amount.minor()) <= due, || {
            let due = (Amount::at_least_zero(due), region.currency);
            rejection::EXCEEDS_DUE.with(detail!("{due} are due", due))
        })?;
        use_reference(state, self.payer, self.reference)?;
        let entry = Entry { debit, credit: Account::Outside(self.region), amount: self.amount };
        post(state, context.time, region.currency, &[entry])?;
        Ok(Outcome::event("provider_paid", parties([self.payer, self.provider]))
            .with("amount", amount_value(self.amount, region.currency)))
    }
}
