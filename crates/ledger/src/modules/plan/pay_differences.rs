//! Pays an approved batch of differences.

use alloc::{collections::BTreeMap, format, vec::Vec};
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Currency, Hash, Party, RegionId, SchemeId};
use proof::receipt::FieldValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::difference::{
    AdjustedRow, BatchRow, BatchStanding, Difference, DifferenceStanding, Direction, batch_key,
    require_batch,
};
use super::rejection;
use super::table::{ADJUSTED, BATCH_ROWS, BATCHES, signed_by};
use crate::kernel::account::Account;
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::posting::{Entry, post};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::organisation::Scope;
use crate::modules::{fund, voucher};

/// Books an approved batch: what the fund owes goes to personal accounts, what people owe becomes a
/// receivable of the fund. Each settlement at most once for a new version. Signed by the fund's
/// owner with scope `treasury`.
///
/// A row that cannot be booked stops no other and is counted by its reason; the batch may be paid
/// again until every row is booked.
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
pub struct PayDifferences {
    /// The region.
    pub region: RegionId,
    /// The scheme.
    pub scheme: SchemeId,
    /// The batch.
    pub batch: u32,
}

/// What a batch is paid with.
struct Payment<'a> {
    body: &'a PayDifferences,
    batch: BatchRow,
    currency: Currency,
}

/// What became of a row.
enum Booked {
    Now(DifferenceStanding),
    Before,
}

impl Payment<'_> {
    fn book(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
        row: &Difference,
    ) -> Result<Booked, Rejection> {
        let key = (self.body.region, self.body.scheme, self.batch.new_version, row.settlement);
        if let Some(adjusted) = ADJUSTED.get(state, &key) {
            let ours = adjusted.batch == self.body.batch;
            require(ours, || rejection::SETTLEMENT_ADJUSTED.with(row.settlement))?;
            return Ok(Booked::Before);
        }
        let settlement = voucher::view::settlement(state, &row.settlement);
        require(settlement.is_some_and(|known| known.person == row.person), || {
            rejection::SETTLEMENT_MISMATCH.with(row.settlement)
        })?;
        let standing = match row.direction {
            Direction::FromPerson => DifferenceStanding::Owed,
            Direction::ToPerson => {
                let debit = Account::Fund { region: self.body.region, fund: self.batch.fund };
                let credit = Account::PersonalAccount(row.person);
                let entry = Entry { debit, credit, amount: row.amount };
                post(state, context.time, self.currency, &[entry])?;
                DifferenceStanding::Paid
            }
        };
        let adjusted = AdjustedRow {
            batch: self.body.batch,
            person: row.person,
            fund: self.batch.fund,
            amount: row.amount,
            standing,
        };
        ADJUSTED.put(state, &key, &adjusted);
        Ok(Booked::Now(standing))
    }
}

/// How many rows became what.
#[derive(Default)]
struct Tally {
    paid: u64,
    owed: u64,
    rejected: BTreeMap<&'static str, u64>,
}

impl Tally {
    fn note(&mut self, result: &Result<Booked, Rejection>) {
        let count = match result {
            Ok(Booked::Before) => return,
            Ok(Booked::Now(DifferenceStanding::Owed)) => &mut self.owed,
            Ok(Booked::Now(_)) => &mut self.paid,
            Err(rejection) => self.rejected.entry(rejection.code.name).or_default(),
        };
        *count = count.saturating_add(1);
    }

    fn fields(self, mut outcome: Outcome) -> Outcome {
        outcome = outcome
            .with("paid_rows", FieldValue::Number(self.paid))
            .with("owed_rows", FieldValue::Number(self.owed));
        for (reason, count) in self.rejected {
            outcome = outcome.with(&format!("rejected.{reason}"), FieldValue::Number(count));
        }
        outcome
    }
}

impl Kind for PayDifferences {
    const NUMBER: u16 = 508;
    const NAME: &'static str = "pay_differences";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        let key = batch_key(self.region, self.scheme, self.batch);
        let batch = require_batch(state, &key, BatchStanding::Approved)?;
        let fund = fund::view::fund(state, self.region, batch.fund)
            .ok_or_else(|| fund::rejection::UNKNOWN_FUND.with(batch.fund))?;
        signed_by(context, state, fund.owner, Scope::Treasury).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let key = batch_key(self.region, self.scheme, self.batch);
        let mut batch = require_batch(state, &key, BatchStanding::Approved)?;
        let fund = fund::view::fund(state, self.region, batch.fund)
            .ok_or_else(|| fund::rejection::UNKNOWN_FUND.with(batch.fund))?;
        let payment = Payment { body: self, batch, currency: fund.currency };
        let rows: Vec<Difference> = BATCH_ROWS.get(state, &key).unwrap_or_default();
        let mut tally = Tally::default();
        for row in &rows {
            tally.note(&payment.book(context, state, row));
        }
        require(tally.paid > 0 || tally.owed > 0, || {
            let reasons: Vec<&str> = tally.rejected.keys().copied().collect();
            rejection::NOTHING_PAID.with(reasons.join(", "))
        })?;
        if tally.rejected.is_empty() {
            batch.standing = BatchStanding::Paid;
            BATCHES.put(state, &key, &batch);
        }
        // As with contributions, persons are not named: each sees the own account's statement.
        let concerns = [batch.proposer.organisation, fund.owner].map(Party::Organisation);
        let rows_hash: Hash = batch.rows_hash;
        let outcome =
            Outcome::event("differences_paid", concerns).with("rows", FieldValue::Hash(rows_hash));
        Ok(tally.fields(outcome))
    }
}
