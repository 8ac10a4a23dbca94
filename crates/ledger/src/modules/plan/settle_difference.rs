//! Ends what a person owes a fund because a settlement was adjudicated again.

use alloc::sync::Arc;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, Hash, Party};
use proof::receipt::FieldValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::difference::{AdjustedRow, DifferenceStanding};
use super::rejection;
use super::table::{ADJUSTED, signed_by};
use crate::kernel::account::Account;
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::{Outcome, amount_value};
use crate::kernel::registry::Kind;
use crate::kernel::rejection::Rejection;
use crate::modules::organisation::Scope;
use crate::modules::{fund, person, voucher};

/// How a person's debt ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SettlementWay {
    /// The personal account pays; the person signs.
    PersonalAccount,
    /// The money came in outside; the fund's owner signs with scope `treasury`.
    Received,
    /// The fund lets it go; its owner signs with scope `treasury`.
    Waived,
}

/// Ends what a person owes a fund because a version took effect in the past, or because the person
/// agreed to what an earlier visit changes. Signed by the person when the personal account pays,
/// else by the fund's owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SettleDifference {
    /// The settlement, by the transaction that settled it first.
    pub settlement: Hash,
    /// How the debt ends.
    pub way: SettlementWay,
}

impl SettleDifference {
    /// The person does not bear the difference after all.
    fn waive(&self, state: &mut Overlay<'_>, row: &mut AdjustedRow) -> Result<(), Rejection> {
        let bears = voucher::view::settlement(state, &self.settlement)
            .map_or(Amount::ZERO, |settlement| settlement.own_share);
        let without = bears.saturating_sub(row.amount);
        voucher::adjust_settlement(state, self.settlement, without)?;
        row.standing = DifferenceStanding::Waived;
        ADJUSTED.put(state, &self.settlement, row);
        Ok(())
    }

    fn owed(&self, state: &(impl Read + ?Sized)) -> Result<AdjustedRow, Rejection> {
        ADJUSTED
            .get(state, &self.settlement)
            .filter(|row| OPEN.contains(&row.standing))
            .ok_or_else(|| rejection::NOTHING_OWED.reject())
    }
}

/// What a person still owes.
const OPEN: [DifferenceStanding; 2] = [DifferenceStanding::Owed, DifferenceStanding::Recalled];

fn fund_of(
    state: &(impl Read + ?Sized),
    row: &AdjustedRow,
) -> Result<Arc<fund::FundRow>, Rejection> {
    fund::view::fund(state, row.region, row.fund)
        .ok_or_else(|| fund::rejection::UNKNOWN_FUND.with(row.fund))
}

impl Kind for SettleDifference {
    const NUMBER: u16 = 509;
    const NAME: &'static str = "settle_difference";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        let row = self.owed(state)?;
        match self.way {
            SettlementWay::PersonalAccount => {
                person::view::require_key(context, state, row.person, row.amount).map(|_| ())
            }
            SettlementWay::Received | SettlementWay::Waived => {
                let fund = fund_of(state, &row)?;
                signed_by(context, state, fund.owner, Scope::Treasury).map(|_| ())
            }
        }
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let mut row = self.owed(state)?;
        let fund = fund_of(state, &row)?;
        let debit = match self.way {
            SettlementWay::PersonalAccount => {
                let used = person::view::require_key(context, state, row.person, row.amount)?;
                person::view::note_key_spending(state, &used)?;
                Some(Account::PersonalAccount(row.person))
            }
            SettlementWay::Received => Some(Account::Outside(row.region)),
            SettlementWay::Waived => None,
        };
        row.expect_no_more(state, context.time)?;
        if let Some(debit) = debit {
            row.post(state, context.time, debit, row.fund_account())?;
        }
        if row.standing == DifferenceStanding::Recalled {
            // What it was paid for is gone, so nothing of it stands any more.
            ADJUSTED.remove(state, &self.settlement);
        } else if debit.is_some() {
            row.standing = DifferenceStanding::Settled;
            ADJUSTED.put(state, &self.settlement, &row);
        } else {
            self.waive(state, &mut row)?;
        }
        let concerns = [Party::Organisation(fund.owner), Party::Person(row.person)];
        Ok(Outcome::event("difference_settled", concerns)
            .with("settlement", FieldValue::Hash(self.settlement))
            .with("amount", amount_value(row.amount, fund.currency)))
    }
}
