//! Pays differences of an approved batch.

use alloc::{collections::BTreeMap, format, vec::Vec};
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Detail, Hash, Party, RegionId, SchemeId, Timestamp, detail};
use proof::receipt::FieldValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::adjust::{PolicyChange, rebook};
use super::difference::{
    AdjustedRow, BatchRow, BatchStanding, Cause, Difference, DifferenceStanding, Direction,
    batch_key, require_batch,
};
use super::rejection;
use super::table::{ADJUSTED, BATCH_ROWS, BATCHES, BatchKey, signed_by};
use crate::kernel::context::{Context, PlanMemo};
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Code, Rejection, require};
use crate::modules::organisation::Scope;
use crate::modules::visit::SettlementRecord;
use crate::modules::{fund, network};

/// How many settlement records one payment brings along at the most. Our own limit: it bounds the
/// work of a transaction, since each is adjudicated again.
pub const RECORDS_MAX: usize = 64;

/// Books differences of an approved batch: what the fund owes goes to personal accounts, what
/// people owe becomes a receivable of the fund. Signed by the fund's owner with scope `treasury`.
///
/// The settlements' records come along (decision record 0003). The ledger adjudicates each under
/// the new version; a row is booked only when its settlement still stands and the difference is
/// exactly the one that was approved. From then on second payers reimburse what is left of the
/// person's share, and a refund or correction takes the difference back.
///
/// A row that cannot be booked stops no other and is counted by its reason; it may be tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PayDifferences {
    /// The region.
    pub region: RegionId,
    /// The scheme.
    pub scheme: SchemeId,
    /// The batch.
    pub batch: u32,
    /// Settlements of the batch as they stand, from their last receipts: 1 to 64, sorted by the
    /// transaction that settled them first.
    #[schemars(length(min = 1, max = 64))]
    pub records: Vec<SettlementRecord>,
}

/// What differences are paid from and for.
struct Payment<'a> {
    key: BatchKey,
    batch: &'a BatchRow,
    rows: &'a [Difference],
    plans: &'a PlanMemo,
    now: Timestamp,
}

/// What became of a row.
enum Booked {
    Now(DifferenceStanding),
    Before,
}

impl Payment<'_> {
    fn book(
        &self,
        state: &mut Overlay<'_>,
        record: &SettlementRecord,
    ) -> Result<Booked, Rejection> {
        let id = record.transaction_id;
        let found = self.rows.binary_search_by_key(&id, |row| row.settlement).ok();
        let approved = found
            .and_then(|at| self.rows.get(at))
            .ok_or_else(|| rejection::SETTLEMENT_MISMATCH.with(id))?;
        let (region, scheme, batch) = self.key;
        let cause = Cause::Policy { scheme, batch };
        if let Some(earlier) = ADJUSTED.get(state, &id) {
            if earlier.cause == cause {
                return Ok(Booked::Before);
            }
            let another = earlier.new_version != Some(self.batch.new_version);
            require(another, || rejection::SETTLEMENT_ADJUSTED.with(id))?;
        }
        let change = PolicyChange {
            region,
            scheme,
            old_version: self.batch.old_version,
            new_version: self.batch.new_version,
        };
        let adjustment = change.adjust(state, self.plans, record, self.now)?.ok_or_else(|| {
            rejection::DIFFERENCE_CHANGED.with(detail!("none for `{settlement}`", settlement = id))
        })?;
        let now = adjustment.difference;
        if now != *approved {
            let amount = (now.amount, network::view::require_region(state, region)?.currency);
            return Err(rejection::DIFFERENCE_CHANGED.with(detail!(
                "{amount} for `{settlement}`",
                amount,
                settlement = id
            )));
        }
        let standing = match now.direction {
            Direction::ToPerson => DifferenceStanding::Paid,
            Direction::FromPerson => DifferenceStanding::Owed,
        };
        let row = AdjustedRow {
            cause,
            new_version: Some(self.batch.new_version),
            person: now.person,
            region,
            fund: self.batch.fund,
            amount: now.amount,
            standing,
            between: Vec::new(),
            counted: adjustment.counted,
        };
        rebook(state, self.now, id, Some(&row))?;
        Ok(Booked::Now(row.standing))
    }
}

/// How many rows became what.
#[derive(Default)]
struct Tally {
    paid: u16,
    owed: u16,
    rejected: BTreeMap<&'static str, u64>,
}

impl Tally {
    fn note(&mut self, result: &Result<Booked, Rejection>) {
        match result {
            Ok(Booked::Before) => {}
            Ok(Booked::Now(DifferenceStanding::Owed)) => self.owed = self.owed.saturating_add(1),
            Ok(Booked::Now(_)) => self.paid = self.paid.saturating_add(1),
            Err(rejection) => {
                let count = self.rejected.entry(rejection.code.name).or_default();
                *count = count.saturating_add(1);
            }
        }
    }

    const fn booked(&self) -> u16 {
        self.paid.saturating_add(self.owed)
    }

    fn fields(self, mut outcome: Outcome) -> Outcome {
        outcome = outcome
            .with("paid_rows", FieldValue::Number(self.paid.into()))
            .with("owed_rows", FieldValue::Number(self.owed.into()));
        for (reason, count) in self.rejected {
            outcome = outcome.with(&format!("rejected.{reason}"), FieldValue::Number(count));
        }
        outcome
    }
}

impl Kind for PayDifferences {
    const NUMBER: u16 = 508;
    const NAME: &'static str = "pay_differences";

    fn check(&self) -> Result<(), Rejection> {
        let few = (1..=RECORDS_MAX).contains(&self.records.len());
        let sorted = self.records.is_sorted_by(|a, b| a.transaction_id < b.transaction_id);
        require(few && sorted, || rejection::RECORD_COUNT.reject())
    }

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
        let rows: Vec<Difference> = BATCH_ROWS.get(state, &key).unwrap_or_default();
        let (plans, now) = (context.plans, context.time);
        let payment = Payment { key, batch: &batch, rows: &rows, plans, now };
        let mut tally = Tally::default();
        for record in &self.records {
            tally.note(&state.attempt(|state| payment.book(state, record)));
        }
        require(tally.booked() > 0, || {
            let reasons = tally.rejected.keys().map(|name| Code::reference(name)).collect();
            rejection::NOTHING_PAID.with(Detail::List(reasons))
        })?;
        batch.booked = batch.booked.saturating_add(tally.booked());
        if usize::from(batch.booked) >= rows.len() {
            batch.standing = BatchStanding::Paid;
        }
        BATCHES.put(state, &key, &batch);
        // As with contributions, persons are not named: each sees the own account's statement.
        let concerns = [batch.proposer.organisation, fund.owner].map(Party::Organisation);
        let rows_hash: Hash = batch.rows_hash;
        let outcome =
            Outcome::event("differences_paid", concerns).with("rows", FieldValue::Hash(rows_hash));
        Ok(tally.fields(outcome))
    }
}
