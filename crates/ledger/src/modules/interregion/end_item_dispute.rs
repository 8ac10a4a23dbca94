//! Ends the dispute of an item.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{OrganisationId, Party, RegionId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::item::{Dispute, DisputeEnd, ItemRow};
use super::rejection;
use super::table::ITEMS;
use crate::kernel::account::{Account, RegionPair};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::posting::{self, Entry};
use crate::kernel::receipt::{Outcome, amount_value};
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::organisation::Scope;
use crate::modules::person::require_bureau;
use crate::modules::{network, organisation, plan};

/// Ends the dispute of an item: it was found in order, or the visit was corrected and what came
/// back is an item of its own. Either way the money goes into the next statement. Signed with scope
/// `treasury` by the bureau of the insured region or, when it leaves a dispute open, by whoever of
/// the governing set supervises it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EndItemDispute {
    /// The insured region, which disputes.
    pub insured: RegionId,
    /// The region of care, which advanced.
    pub care: RegionId,
    /// The item's number.
    pub item: u64,
    /// Who ends it.
    pub by: OrganisationId,
}

impl Kind for EndItemDispute {
    const NUMBER: u16 = 1404;
    const NAME: &'static str = "end_item_dispute";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        let bureau = network::view::require_region(state, self.insured)?.bureau;
        if self.by == bureau {
            return require_bureau(context, state, self.insured, Scope::Treasury).map(|_| ());
        }
        let entitled = plan::view::supervisors(state, bureau).contains(&self.by);
        require(entitled, || rejection::NOT_THE_ARBITER.with(self.by))?;
        organisation::view::require_signed(context, state, self.by, Scope::Treasury).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let pair = RegionPair { insured: self.insured, care: self.care };
        let row = ITEMS.get(state, &(pair, self.item));
        let open = row.and_then(|row| {
            row.dispute.filter(|dispute| dispute.ended.is_none()).map(|dispute| (row, dispute))
        });
        let (row, dispute) = open.ok_or_else(|| rejection::UNKNOWN_DISPUTE.with(self.item))?;
        let insured = network::view::require_region(state, self.insured)?;
        let care = network::view::require_region(state, self.care)?;
        let entry = Entry {
            debit: Account::DisputedWithRegion(pair),
            credit: Account::OwedToRegion(pair),
            amount: dispute.amount,
        };
        posting::post(state, context.time, insured.currency, &[entry])?;
        let ended =
            Dispute { ended: Some(DisputeEnd { by: self.by, at: context.time }), ..dispute };
        ITEMS.put(state, &(pair, self.item), &ItemRow { dispute: Some(ended), ..row });
        let concerns = [care.bureau, insured.bureau].map(Party::Organisation);
        Ok(Outcome::event("item_dispute_ended", concerns)
            .with("amount", amount_value(dispute.amount, insured.currency)))
    }
}
