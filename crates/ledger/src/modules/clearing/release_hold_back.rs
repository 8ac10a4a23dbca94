//! Decides what was held back of a year.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, FundId, OrganisationId, Party, RegionId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rejection;
use super::signing::{require_approver, require_bureau};
use super::table::{CLEARED, HELD};
use crate::kernel::account::{Account, Books};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::posting::{self, Entry};
use crate::kernel::receipt::{Outcome, amount_value};
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::{fund, network};

/// Decides what was held back of a provider's year: what the assessment releases is payable, what
/// it withholds goes back to a fund of the bureau. Both together are what was held back. Signed
/// with scope `treasury` by the region's bureau and by one who may approve payments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseHoldBack {
    /// The region.
    pub region: RegionId,
    /// The provider.
    pub provider: OrganisationId,
    /// The year; its last month is closed.
    pub year: u16,
    /// What the provider gets.
    pub released: Amount,
    /// What goes back to the fund.
    pub withheld: Amount,
    /// The fund.
    pub fund: FundId,
    /// Who approves.
    pub approver: OrganisationId,
}

impl Kind for ReleaseHoldBack {
    const NUMBER: u16 = 1208;
    const NAME: &'static str = "release_hold_back";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_bureau(context, state, self.region)?;
        require_approver(context, state, self.region, self.approver)
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let region = network::view::require_region(state, self.region)?;
        let books = Books::of(self.provider, self.region);
        let is_over = CLEARED.get(state, &books).is_some_and(|row| {
            row.last.year > self.year || (row.last.year == self.year && row.last.month == 12)
        });
        require(is_over, || rejection::YEAR_OPEN.with(self.year))?;
        let key = (books, self.year);
        let mut held = HELD.get(state, &key).unwrap_or_default();
        require(!held.decided && !held.held.is_zero(), || rejection::NOTHING_HELD.with(self.year))?;
        let both = self.released.checked_add(self.withheld);
        require(both == Some(held.held), || {
            rejection::HELD_DIFFERS.with((held.held, region.currency))
        })?;
        if !self.withheld.is_zero() {
            let fund = fund::view::fund(state, self.region, self.fund)
                .filter(|row| row.owner == region.bureau);
            require(fund.is_some(), || fund::rejection::UNKNOWN_FUND.with(self.fund))?;
        }
        let debit = Account::ProviderHeldBack(books);
        let fund = Account::Fund { region: self.region, fund: self.fund };
        for (credit, amount) in
            [(Account::ProviderPayable(books), self.released), (fund, self.withheld)]
        {
            if !amount.is_zero() {
                let entry = Entry { debit, credit, amount };
                posting::post(state, context.time, region.currency, &[entry])?;
            }
        }
        (held.released, held.withheld, held.decided) = (self.released, self.withheld, true);
        HELD.put(state, &key, &held);
        let concerns = [region.bureau, self.approver, self.provider].map(Party::Organisation);
        Ok(Outcome::event("hold_back_released", concerns)
            .with("released", amount_value(self.released, region.currency))
            .with("withheld", amount_value(self.withheld, region.currency)))
    }
}
