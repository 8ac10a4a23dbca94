//! Ends what a person owes because of a policy with effect in the past.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Hash, Party, RegionId, SchemeId};
use proof::receipt::FieldValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::difference::{AdjustedRow, DifferenceStanding};
use super::rejection;
use super::table::{ADJUSTED, signed_by};
use crate::kernel::account::Account;
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::posting::{Entry, post};
use crate::kernel::receipt::{Outcome, amount_value};
use crate::kernel::registry::Kind;
use crate::kernel::rejection::Rejection;
use crate::modules::organisation::Scope;
use crate::modules::{fund, person};

/// How a person's debt ends.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    BorshSerialize,
    BorshDeserialize,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum SettlementWay {
    /// The personal account pays; the person signs.
    PersonalAccount,
    /// The money came in outside; the fund's owner signs with scope `treasury`.
    Received,
    /// The fund lets it go; its owner signs with scope `treasury`.
    Waived,
}

/// Ends what a person owes a fund because a version took effect in the past. Signed by the person
/// when the personal account pays, else by the fund's owner.
#[derive(
    Clone,
    Copy,
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
pub struct SettleDifference {
    /// The region.
    pub region: RegionId,
    /// The scheme.
    pub scheme: SchemeId,
    /// The version with effect in the past.
    pub new_version: u16,
    /// The settlement, by the transaction that settled it first.
    pub settlement: Hash,
    /// How the debt ends.
    pub way: SettlementWay,
}

impl SettleDifference {
    fn key(&self) -> (RegionId, SchemeId, u16, Hash) {
        (self.region, self.scheme, self.new_version, self.settlement)
    }

    fn owed(&self, state: &(impl Read + ?Sized)) -> Result<AdjustedRow, Rejection> {
        ADJUSTED
            .get(state, &self.key())
            .filter(|row| row.standing == DifferenceStanding::Owed)
            .ok_or_else(|| rejection::NOTHING_OWED.reject())
    }
}

fn fund_of(
    state: &(impl Read + ?Sized),
    region: RegionId,
    row: &AdjustedRow,
) -> Result<fund::FundRow, Rejection> {
    fund::view::fund(state, region, row.fund)
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
                let fund = fund_of(state, self.region, &row)?;
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
        let fund = fund_of(state, self.region, &row)?;
        let debit = match self.way {
            SettlementWay::PersonalAccount => {
                let used = person::view::require_key(context, state, row.person, row.amount)?;
                person::view::note_key_spending(state, &used)?;
                Some(Account::PersonalAccount(row.person))
            }
            SettlementWay::Received => Some(Account::Outside(self.region)),
            SettlementWay::Waived => None,
        };
        row.standing = DifferenceStanding::Waived;
        if let Some(debit) = debit {
            let credit = Account::Fund { region: self.region, fund: row.fund };
            let entry = Entry { debit, credit, amount: row.amount };
            post(state, context.time, fund.currency, &[entry])?;
            row.standing = DifferenceStanding::Settled;
        }
        ADJUSTED.put(state, &self.key(), &row);
        let concerns = [Party::Organisation(fund.owner), Party::Person(row.person)];
        Ok(Outcome::event("difference_settled", concerns)
            .with("settlement", FieldValue::Hash(self.settlement))
            .with("amount", amount_value(row.amount, fund.currency)))
    }
}
