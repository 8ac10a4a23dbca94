//! Closes a day of the bank's statement.

use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, CivilDate, Hash, OrganisationId, Party, RegionId};
use proof::receipt::FieldValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::day::{BankDay, DayTotals, DifferenceKind, SUSPENSE_MAX, SuspenseItem, SuspenseOwner};
use super::rejection;
use super::signing::require_bureau;
use super::table::DAYS;
use super::view::{require_rules, totals};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::network;

/// A difference that the comparison of a day found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BankDifference {
    /// What does not agree.
    pub kind: DifferenceKind,
    /// About how much.
    pub amount: Amount,
    /// The salted hash of the reference on the file that has it.
    pub reference: Hash,
    /// The provider whose payment or book it is, where one is known.
    pub provider: Option<OrganisationId>,
}

/// Closes a day: bank file, ledger and the providers' books were compared line by line. Every
/// difference becomes a suspense item with an owner and a last day; a day without any is marked as
/// even, and only if the ledger's own payments of the day are those of the file. Signed by the
/// region's bureau with scope `treasury`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseBankDay {
    /// The region.
    pub region: RegionId,
    /// The day, which is over.
    pub day: CivilDate,
    /// The hash of the bank's file.
    pub statement: Hash,
    /// What the bank's file has of payments and returns.
    pub bank: DayTotals,
    /// What differs, at most 200.
    #[schemars(length(max = 200))]
    pub differences: Vec<BankDifference>,
}

impl Kind for CloseBankDay {
    const NUMBER: u16 = 1209;
    const NAME: &'static str = "close_bank_day";

    fn check(&self) -> Result<(), Rejection> {
        let holds = |one: &BankDifference| {
            let is_books = one.kind.owner() == SuspenseOwner::Provider;
            !one.amount.is_zero() && (!is_books || one.provider.is_some())
        };
        let few = self.differences.len() <= SUSPENSE_MAX;
        require(few && self.differences.iter().all(holds), || rejection::DIFFERENCE_LIST.reject())
    }

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_bureau(context, state, self.region).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let region = network::view::require_region(state, self.region)?;
        let rules = require_rules(state, self.region)?;
        let today = context.day(region.settings.utc_offset_minutes);
        require(self.day < today, || rejection::DAY_NOT_OVER.with(self.day))?;
        let key = (self.region, self.day);
        require(!DAYS.has(state, &key), || rejection::DAY_CLOSED.with(self.day))?;
        let ledger = totals(state, self.region, self.day);
        let is_even = self.differences.is_empty();
        require(!is_even || ledger == self.bank, || rejection::DAY_NOT_EVEN.with(self.day))?;
        let until = today.plus_days(i32::from(rules.clear_within_days)).unwrap_or(today);
        let items = self.differences.iter().map(|one| SuspenseItem {
            kind: one.kind,
            amount: one.amount,
            reference: one.reference,
            provider: one.provider,
            owner: one.kind.owner(),
            until,
            cleared: None,
        });
        let row = BankDay {
            statement: self.statement,
            bank: self.bank,
            ledger,
            closed: context.time,
            items: items.collect(),
        };
        DAYS.put(state, &key, &row);
        Ok(Outcome::event("bank_day_closed", [Party::Organisation(region.bureau)])
            .with("statement", FieldValue::Hash(self.statement)))
    }
}
