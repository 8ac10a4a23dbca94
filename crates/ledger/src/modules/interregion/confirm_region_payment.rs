//! Confirms that another region's payment came in.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, CivilDate, Hash, Party, RegionId, detail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rejection;
use super::table::PAIRS;
use crate::kernel::account::{Account, RegionPair};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::posting::{self, Entry};
use crate::kernel::receipt::{Outcome, amount_value};
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::organisation::Scope;
use crate::modules::person::require_bureau;
use crate::modules::{clearing, network};

/// Confirms that money which the insured region's bank paid came in at the region of care: what it
/// had advanced is back. Signed by its bureau with scope `treasury`, which answers for its own
/// bank's statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmRegionPayment {
    /// The region of care, which got it.
    pub care: RegionId,
    /// The insured region, which paid.
    pub insured: RegionId,
    /// How much; at most what the other bureau recorded as paid.
    pub amount: Amount,
    /// On which day the bank booked it.
    pub day: CivilDate,
    /// The salted hash of the bank's own reference; each counts once for ever.
    pub reference: Hash,
}

impl Kind for ConfirmRegionPayment {
    const NUMBER: u16 = 1405;
    const NAME: &'static str = "confirm_region_payment";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_bureau(context, state, self.care, Scope::Treasury).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let care = network::view::require_region(state, self.care)?;
        let insured = network::view::require_region(state, self.insured)?;
        let today = context.day(care.settings.utc_offset_minutes);
        require(self.day <= today, || clearing::rejection::DAY_IN_FUTURE.reject())?;
        let pair = RegionPair { insured: self.insured, care: self.care };
        let mut row = PAIRS.get(state, &pair).unwrap_or_default();
        let left = row.under_way.checked_sub(self.amount).ok_or_else(|| {
            let under_way = (row.under_way, care.currency);
            rejection::EXCEEDS_UNDER_WAY.with(detail!("{under_way} are under way", under_way))
        })?;
        clearing::view::use_reference(state, self.care, self.reference)?;
        let entry = Entry {
            debit: Account::Outside(self.care),
            credit: Account::AdvancedForRegion(pair),
            amount: self.amount,
        };
        posting::post(state, context.time, care.currency, &[entry])?;
        row.under_way = left;
        PAIRS.put(state, &pair, &row);
        let concerns = [care.bureau, insured.bureau].map(Party::Organisation);
        Ok(Outcome::event("region_payment_confirmed", concerns)
            .with("amount", amount_value(self.amount, care.currency)))
    }
}
