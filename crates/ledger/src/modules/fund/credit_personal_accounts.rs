//! Credits a month's contributions to personal accounts.

use alloc::{collections::BTreeMap, collections::BTreeSet, format, vec::Vec};
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, Currency, Detail, FundId, OrganisationId, PersonId, RegionId, detail};
use proof::receipt::FieldValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rejection;
use super::table::{BATCHES, account, parties, require_fund, require_open, require_treasury};
use crate::kernel::account::Account;
use crate::kernel::context::Context;
use crate::kernel::month::CalendarMonth;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::posting::{Entry, post};
use crate::kernel::receipt::{Outcome, amount_value};
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Code, Rejection, require};
use crate::modules::network;

/// How many rows one batch has at the most (HOUSE.md section 7.5: imports of at most 500 rows).
pub const CREDIT_ROWS_MAX: usize = 500;

/// Where the money of a batch comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CreditSource {
    /// Contributions that came in for these accounts.
    Outside,
    /// A fund of the region.
    Fund(FundId),
}

/// One person's share of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreditRow {
    /// Whose personal account.
    pub person: PersonId,
    /// How much, in minor units.
    pub amount: Amount,
}

/// Credits a month's contributions to personal accounts (个人账户划拨). Signed by the region's bureau, or
/// by the owner of the fund that gives.
///
/// A row that cannot be credited stops no other: the receipt counts such rows by reason, and its
/// entries are the rows that were credited, in their order. Each number of a month is used once, so
/// that a batch that is built anew cannot pay twice.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreditPersonalAccounts {
    /// The region.
    pub region: RegionId,
    /// Where the money comes from.
    pub source: CreditSource,
    /// The month it is for.
    pub month: CalendarMonth,
    /// The batch's number within region and month, chosen by the bureau.
    pub batch: u32,
    /// The rows, 1 to 500, each person once.
    #[schemars(length(min = 1, max = 500))]
    pub rows: Vec<CreditRow>,
}

impl CreditPersonalAccounts {
    fn giver(&self, state: &(impl Read + ?Sized)) -> Result<OrganisationId, Rejection> {
        match self.source {
            CreditSource::Outside => {
                network::view::require_region(state, self.region).map(|region| region.bureau)
            }
            CreditSource::Fund(fund) => {
                require_fund(state, self.region, fund).map(|fund| fund.owner)
            }
        }
    }

    fn debit(&self, state: &Overlay<'_>) -> Result<(Account, Currency), Rejection> {
        match self.source {
            CreditSource::Outside => {
                let region = network::view::require_region(state, self.region)?;
                Ok((Account::Outside(self.region), region.currency))
            }
            CreditSource::Fund(fund) => {
                let row = require_open(state, self.region, fund)?;
                Ok((account(self.region, fund), row.currency))
            }
        }
    }
}

/// What became of a batch's rows.
#[derive(Default)]
struct Tally {
    credited_rows: u64,
    credited: Amount,
    rejected: BTreeMap<&'static str, u64>,
}

impl Tally {
    fn note(&mut self, row: &CreditRow, result: Result<(), Rejection>) {
        match result {
            Ok(()) => {
                self.credited_rows = self.credited_rows.saturating_add(1);
                self.credited = self.credited.saturating_add(row.amount);
            }
            Err(rejection) => {
                let count = self.rejected.entry(rejection.code.name).or_default();
                *count = count.saturating_add(1);
            }
        }
    }
}

impl Kind for CreditPersonalAccounts {
    const NUMBER: u16 = 603;
    const NAME: &'static str = "credit_personal_accounts";

    fn check(&self) -> Result<(), Rejection> {
        require(self.month.number().is_some(), || rejection::INVALID_MONTH.reject())?;
        require((1..=CREDIT_ROWS_MAX).contains(&self.rows.len()), || {
            rejection::BATCH_SIZE.with(detail!("this one has {count}", count = self.rows.len()))
        })
    }

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_treasury(context, state, self.giver(state)?)
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let month = self.month.number().ok_or_else(|| rejection::INVALID_MONTH.reject())?;
        let key = (self.region, month, self.batch);
        require(!BATCHES.has(state, &key), || rejection::BATCH_USED.with(self.batch))?;
        let (debit, currency) = self.debit(state)?;
        let mut tally = Tally::default();
        let mut seen = BTreeSet::new();
        for row in &self.rows {
            let credit = Account::PersonalAccount(row.person);
            let entry = Entry { debit, credit, amount: row.amount };
            // One entry is posted or leaves no trace, so a wrong row needs no undoing.
            let result = require(seen.insert(row.person), || rejection::DUPLICATE_ROW.reject())
                .and_then(|()| post(state, context.time, currency, &[entry]));
            tally.note(row, result);
        }
        require(tally.credited_rows > 0, || {
            let reasons = tally.rejected.keys().map(|name| Code::reference(name)).collect();
            rejection::NO_ROW_CREDITED.with(Detail::List(reasons))
        })?;
        BATCHES.put(state, &key, &context.transaction.id());
        // Persons are not named: who is concerned by a receipt sees all of it, and the rows of
        // others are none of their business. Each sees the credit in the statement of the own
        // account.
        let mut outcome =
            Outcome::event("personal_accounts_credited", parties([self.giver(state)?]))
                .with("credited_rows", FieldValue::Number(tally.credited_rows))
                .with("credited", amount_value(tally.credited, currency));
        for (reason, count) in tally.rejected {
            outcome = outcome.with(&format!("rejected.{reason}"), FieldValue::Number(count));
        }
        Ok(outcome)
    }
}
