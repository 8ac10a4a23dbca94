//! Accepts a claim: reviewed lines become postings and a payout, once.

use alloc::vec::Vec;
use benefit::CategorySums;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, CivilDate, Hash, Party, RegionId};
use proof::receipt::FieldValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::adjudicate::{ClaimCare, ClaimRecord, paid_by_funds, quote_claim, subject};
use super::claimant::payee_today;
use super::file_claim::{check_invoices, require_free};
use super::foreign::{ForeignBill, foreign_fields, require_current};
use super::payout::{PayoutOrder, order};
use super::rejection;
use super::table::{
    AcceptedRow, CLAIMS, ClaimRow, ClaimStanding, INVOICES, free_invoices, require_claim,
    require_waiting,
};
use crate::kernel::account::Account;
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::posting;
use crate::kernel::receipt::{Outcome, amount_value};
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::organisation::{self, Scope};
use crate::modules::visit::{self, CashLeg, Quote, Split, VisitSubject};
use crate::modules::{network, voucher};

/// Accepts a claim as the desk reviewed it: the ledger adjudicates the lines again by the plan in
/// force on their days, with the person's running amounts, and when the split is still the one that
/// was reviewed, funds owe their share to the person and it is paid out. The invoices are used.
///
/// Signed by the region's bureau with scopes `clerk` (who reviewed it) and `countersign` (who
/// sorted the lines again), and by the executor of the payout where that is not the bureau
/// (`execute`).
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptClaim {
    /// The transaction that filed it.
    pub claim: Hash,
    /// The tags of the invoices that are paid for, as the desk read them, ascending: 1 to 16. Those
    /// that were filed and are not here may be claimed again.
    #[schemars(length(min = 1, max = 16))]
    pub invoices: Vec<Hash>,
    /// What care it is about.
    pub care: ClaimCare,
    /// The salted commitment over lines and sums.
    pub bill: Hash,
    /// The sorted lines, in the region's currency.
    pub sums: CategorySums,
    /// What the bill was where it was in another currency, and the rate by which it was converted:
    /// the one that counts for the last day of service.
    #[serde(default)]
    pub foreign: Option<ForeignBill>,
    /// The split that was reviewed.
    pub split: Split,
    /// The hash of the claim's record, which the bureau keeps.
    pub record: Hash,
    /// How the funds' share is paid out. Left out where they pay nothing; otherwise it stays owed
    /// until [`super::PayClaim`].
    #[serde(default)]
    pub payout: Option<CashLeg>,
}

impl Kind for AcceptClaim {
    const NUMBER: u16 = 1105;
    const NAME: &'static str = "accept_claim";

    fn check(&self) -> Result<(), Rejection> {
        require(!self.sums.total().is_zero(), || visit::rejection::EMPTY_BILL.reject())?;
        check_invoices(&self.invoices)
    }

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        let region = require_claim(state, &self.claim)?.region;
        require_bureaus_two_keys(context, state, region)
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let row = require_waiting(state, &self.claim)?;
        require_kept(context, state, &row)?;
        require_free(state, row.region, &self.invoices, Some(&self.claim))?;
        if let Some(bill) = &self.foreign {
            require_current(state, row.region, bill, &self.sums)?;
        }
        let quoted = quote_claim(state, context.plans, &row, &self.care, &self.sums)?;
        visit::require_same_split(&self.split, &quoted.split, quoted.currency)?;
        let record = ClaimRecord {
            claim: self.claim,
            care: self.care,
            bill: self.bill,
            sums: self.sums.clone(),
            foreign: self.foreign,
            parts: quoted.parts.clone(),
        };
        require(record.hash() == self.record, || rejection::RECORD_OUTDATED.reject())?;
        let subject = subject(state, &row, &self.care)?;
        let mut outcome = self.outcome(state, (&row, &subject), &quoted)?;
        let (bureau, owed) = (subject.provider, Account::OwedToPatients(subject.books()));
        let entries = visit::entries_to(state, &subject, &quoted.parts, owed)?;
        posting::post(state, context.time, quoted.currency, &entries)?;
        visit::set_running_amounts(context, state, &subject, &quoted.accumulators)?;
        let (id, paid) = (context.transaction.id(), paid_by_funds(&quoted.split));
        let total = quoted.split.total;
        let own = total.saturating_sub(paid);
        voucher::register_settlement(state, id, row.person, bureau, own, quoted.currency);
        let payout = self.pay_out(context, state, &mut outcome, (&row, paid))?;
        free_invoices(state, &row);
        for tag in &self.invoices {
            INVOICES.put(state, &(row.region, *tag), &self.claim);
        }
        let accepted = AcceptedRow {
            decided: context.time,
            transaction_id: id,
            record: self.record,
            total,
            paid,
            payout,
            owed_back: Amount::ZERO,
        };
        let standing = ClaimStanding::Accepted(accepted);
        let row = ClaimRow { invoices: self.invoices.clone(), standing, ..row };
        CLAIMS.put(state, &self.claim, &row);
        Ok(outcome)
    }
}

impl AcceptClaim {
    fn outcome(
        &self,
        state: &Overlay<'_>,
        (row, subject): (&ClaimRow, &VisitSubject),
        quoted: &Quote,
    ) -> Result<Outcome, Rejection> {
        let mut concerns = visit::paying_organisations(state, subject, &quoted.parts)?;
        concerns.extend([Party::Organisation(subject.provider), Party::Person(row.person)]);
        let paid = paid_by_funds(&quoted.split);
        let outcome = Outcome::event("claim_accepted", concerns)
            .with("claim", FieldValue::Hash(self.claim))
            .with("person", FieldValue::Party(Party::Person(row.person)))
            .with("region", FieldValue::Number(u64::from(row.region.0)))
            .with("scheme", FieldValue::Number(u64::from(row.scheme.0)))
            .with("service_from", FieldValue::Date(row.from))
            .with("service_to", FieldValue::Date(row.to))
            .with("bill", FieldValue::Hash(self.bill))
            .with("paid_out", amount_value(paid, quoted.currency));
        let outcome = match &self.foreign {
            Some(bill) => foreign_fields(state, outcome, row.region, bill)?,
            None => outcome,
        };
        Ok(visit::split_fields(outcome, &quoted.split, quoted.currency))
    }

    /// Orders the payout, if one is named. Gives its reference.
    fn pay_out(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
        outcome: &mut Outcome,
        (row, amount): (&ClaimRow, Amount),
    ) -> Result<Option<Hash>, Rejection> {
        let Some(leg) = &self.payout else { return Ok(None) };
        require(!amount.is_zero(), || rejection::PAYOUT_MISMATCH.reject())?;
        let payee = payee_today(context, state, row)?;
        let new = PayoutOrder { claim: self.claim, region: row.region, amount, payee, leg };
        order(context, state, outcome, &new).map(Some)
    }
}

/// The bureau signed as who reviewed the claim and as who sorted its lines again.
pub(super) fn require_bureaus_two_keys(
    context: &Context<'_>,
    state: &dyn Read,
    region: RegionId,
) -> Result<(), Rejection> {
    let bureau = network::view::require_region(state, region)?.bureau;
    organisation::view::require_signed(context, state, bureau, Scope::Clerk)?;
    organisation::view::require_signed(context, state, bureau, Scope::Countersign).map(|_| ())
}

/// What was counted for the days of service is still there to count on.
pub(super) fn require_kept(
    context: &Context<'_>,
    state: &Overlay<'_>,
    row: &ClaimRow,
) -> Result<(), Rejection> {
    let region = network::view::require_region(state, row.region)?;
    let today = region.retention_day(context.day(region.settings.utc_offset_minutes));
    let kept = |from: CivilDate| today.year().saturating_sub(2) <= from.year();
    require(kept(row.from), || rejection::DECIDED_TOO_LATE.with(row.from))
}
