//! Closes a month between two regions: the statement.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, CivilDate, Party, RegionId};
use proof::receipt::FieldValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rejection;
use super::rules::times_to_state;
use super::statement::RegionStatement;
use super::table::{PAIRS, PairRow, STATEMENTS};
use crate::kernel::account::{Account, RegionPair};
use crate::kernel::context::Context;
use crate::kernel::month::CalendarMonth;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::posting;
use crate::kernel::receipt::{Outcome, amount_value};
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::organisation::Scope;
use crate::modules::person::require_bureau;
use crate::modules::{clearing, network};

/// Closes a month of what a region advanced for another: every item counts that was noted up to
/// this block, and whoever has the items comes to the same. Nothing moves before the insured region
/// answers. Signed by the bureau of the region of care with scope `treasury`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseInterregionMonth {
    /// The region of care, which advanced.
    pub care: RegionId,
    /// The insured region, which owes.
    pub insured: RegionId,
    /// The month; it is over at the place of care, and the one after the last that was closed.
    pub month: CalendarMonth,
}

impl CloseInterregionMonth {
    const fn pair(&self) -> RegionPair {
        RegionPair { insured: self.insured, care: self.care }
    }

    fn require_next(&self, state: &Overlay<'_>, today: CivilDate) -> Result<PairRow, Rejection> {
        require(self.month.is_over(today), || clearing::rejection::MONTH_NOT_OVER.reject())?;
        let row = PAIRS.get(state, &self.pair());
        let row = row.ok_or_else(|| rejection::NOTHING_BETWEEN.reject())?;
        require(row.stated.is_none_or(|(_, last)| last.next() == self.month), || {
            rejection::MONTH_OUT_OF_ORDER.reject()
        })?;
        require(!row.waits, || rejection::STATEMENT_OPEN.reject())?;
        Ok(row)
    }

    fn statement(
        &self,
        context: &Context<'_>,
        state: &Overlay<'_>,
        row: &PairRow,
    ) -> Result<RegionStatement, Rejection> {
        let insured = network::view::require_region(state, self.insured)?;
        let today = context.day(insured.settings.utc_offset_minutes);
        let (answer_within, pay_within) = times_to_state(state, self.pair(), today);
        let open = posting::balance(state, &Account::OwedToRegion(self.pair()));
        // Every earlier statement was answered, so whatever is open and not of these items was left
        // from before.
        let before = open
            .saturating_sub(i128::from(row.gross.minor()))
            .saturating_add(i128::from(row.returned.minor()));
        let day = |after: u16| today.plus_days(i32::from(after)).unwrap_or(today);
        Ok(RegionStatement {
            after_item: row.stated_items,
            to_item: row.items,
            before: row.stated_chain,
            items: row.chain,
            gross: row.gross,
            settlements: row.settlements,
            returned: row.returned,
            returns: row.returns,
            carried: Amount::at_least_zero(before),
            carried_back: Amount::at_least_zero(before.saturating_neg()),
            payable: Amount::at_least_zero(open),
            owing: Amount::at_least_zero(open.saturating_neg()),
            answer_by: day(answer_within),
            pay_by: day(pay_within),
            closed: context.time,
            answer: None,
        })
    }
}

impl Kind for CloseInterregionMonth {
    const NUMBER: u16 = 1402;
    const NAME: &'static str = "close_interregion_month";

    fn check(&self) -> Result<(), Rejection> {
        require(self.month.number().is_some(), || clearing::rejection::INVALID_MONTH.reject())
    }

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
        let row = self.require_next(state, context.day(care.settings.utc_offset_minutes))?;
        let statement = self.statement(context, state, &row)?;
        STATEMENTS.put(state, &(self.pair(), self.month), &statement);
        let first = row.stated.map_or(self.month, |(first, _)| first);
        let next = PairRow {
            gross: Amount::ZERO,
            settlements: 0,
            returned: Amount::ZERO,
            returns: 0,
            stated: Some((first, self.month)),
            stated_items: row.items,
            stated_chain: row.chain,
            waits: true,
            ..row
        };
        PAIRS.put(state, &self.pair(), &next);
        let concerns = [care.bureau, insured.bureau].map(Party::Organisation);
        Ok(Outcome::event("interregion_month_closed", concerns)
            .with("items", FieldValue::Hash(statement.items))
            .with("settled", amount_value(statement.gross, care.currency))
            .with("returned", amount_value(statement.returned, care.currency))
            .with("payable", amount_value(statement.payable, care.currency)))
    }
}
