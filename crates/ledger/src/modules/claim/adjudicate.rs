//! A claim by the rules of a visit: the same engine, coverage and running amounts, on the plan in
//! force on the days of service.

use alloc::vec::Vec;
use benefit::{CategorySums, Payer, VisitType};
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, Hash, Timestamp, codec, sha256_parts};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::foreign::ForeignBill;
use super::rejection;
use super::table::ClaimRow;
use crate::kernel::context::PlanMemo;
use crate::kernel::overlay::Read;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::visit::quote::{CarePlace, quote_at};
use crate::modules::visit::{Part, Quote, QuoteRequest, Split, VisitSubject};
use crate::modules::{coverage, network, visit};

/// What care a claim is about, as the bureau's desk found it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClaimCare {
    /// Where it was given, and by what level of provider.
    pub place: CarePlace,
    /// The kind of care.
    pub visit_type: VisitType,
    /// The diagnosis group as the plan numbers them, 0 for none. Never a diagnosis.
    #[serde(default)]
    pub diagnosis_group: u8,
}

/// What an accepted claim was, in full: the bureau keeps it; the ledger keeps its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClaimRecord {
    /// The transaction that filed it.
    pub claim: Hash,
    /// What care it is about.
    pub care: ClaimCare,
    /// The salted commitment over lines and sums.
    pub bill: Hash,
    /// The sorted lines, in the region's currency.
    pub sums: CategorySums,
    /// What the bill was where it was in another currency, and by which rate it was converted.
    #[serde(default)]
    pub foreign: Option<ForeignBill>,
    /// The parts, one per plan version and plan year, by date.
    pub parts: Vec<Part>,
}

impl ClaimRecord {
    /// What the ledger keeps of it.
    #[must_use]
    pub fn hash(&self) -> Hash {
        sha256_parts(&[b"yibao/claim-record/v1", &codec::encode(self)])
    }
}

/// What funds pay of a split: nobody gives back what the provider would have borne itself, and no
/// account pays for what was paid.
#[must_use]
pub fn paid_by_funds(split: &Split) -> Amount {
    let shares = split.payers.iter().filter(|share| share.payer != Payer::HospitalBorne);
    shares.fold(Amount::ZERO, |sum, share| sum.saturating_add(share.amount))
}

/// A claim as a visit; the bureau stands where a provider would.
pub(super) fn subject(
    state: &(impl Read + ?Sized),
    claim: &ClaimRow,
    care: &ClaimCare,
) -> Result<VisitSubject, Rejection> {
    Ok(VisitSubject {
        person: claim.person,
        provider: network::view::require_region(state, claim.region)?.bureau,
        region: claim.region,
        scheme: claim.scheme,
        visit_type: care.visit_type,
        admitted: claim.from,
        diagnosis_group: care.diagnosis_group,
    })
}

/// Adjudicates a claim; no account pays anything.
///
/// # Errors
/// `date_outside_claim`, and as a visit's quote.
pub fn quote_claim(
    state: &(impl Read + ?Sized),
    plans: &PlanMemo,
    claim: &ClaimRow,
    care: &ClaimCare,
    sums: &CategorySums,
) -> Result<Quote, Rejection> {
    require_days(claim, sums)?;
    let subject = subject(state, claim, care)?;
    let (person, region, scheme) = (claim.person, claim.region, claim.scheme);
    let request = QuoteRequest {
        subject: &subject,
        sums,
        use_personal_account: false,
        personal_account: Amount::ZERO,
        family_accounts: Vec::new(),
        accumulators: coverage::view::running_amounts(state, person, region, scheme),
        keep_plans_of: &[],
        keep_facts: false,
    };
    quote_at(state, plans, request, care.place)
}

/// Adjudicates what remains of an accepted claim: under its plan versions and facts, on the running
/// amounts as they are now less its own.
///
/// # Errors
/// `date_outside_claim`, and as a refund's quote.
pub fn quote_remaining_claim(
    state: &(impl Read + ?Sized),
    plans: &PlanMemo,
    claim: &ClaimRow,
    record: &ClaimRecord,
    remaining: &CategorySums,
    now: Timestamp,
) -> Result<Quote, Rejection> {
    require_days(claim, remaining)?;
    let subject = subject(state, claim, &record.care)?;
    let region = network::view::require_region(state, claim.region)?;
    let today = region.retention_day(now.day(region.settings.utc_offset_minutes));
    let (person, scheme) = (claim.person, claim.scheme);
    let mut accumulators = coverage::view::running_amounts(state, person, claim.region, scheme);
    for part in record.parts.iter().rev() {
        accumulators
            .undo(state, part.family, &part.adjudication.changes, today)
            .map_err(|error| visit::rejection::NOT_ADJUDICABLE.with(error))?;
    }
    let request = QuoteRequest {
        subject: &subject,
        sums: remaining,
        use_personal_account: false,
        personal_account: Amount::ZERO,
        family_accounts: Vec::new(),
        accumulators,
        keep_plans_of: &record.parts,
        keep_facts: true,
    };
    quote_at(state, plans, request, record.care.place)
}

/// The days of service are the claim's.
fn require_days(claim: &ClaimRow, sums: &CategorySums) -> Result<(), Rejection> {
    let Some((first, last)) = sums.span() else { return Ok(()) };
    require(claim.from <= first && last <= claim.to, || {
        rejection::DATE_OUTSIDE_CLAIM.with(if first < claim.from { first } else { last })
    })
}
