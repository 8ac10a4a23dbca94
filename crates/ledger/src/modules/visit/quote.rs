//! The split of a bill as the plans in force, the person's coverage and the running amounts give
//! it.
//!
//! A stay that crosses plan versions or plan years is split by date; the parts are adjudicated one
//! after the other, each on the running amounts that the one before left.

use alloc::{sync::Arc, vec::Vec};
use benefit::{
    Accumulators, Adjudication, CategorySums, Facts, FamilyGrant, HospitalLevel, Payer, PayerShare,
    Plan, SlotFact,
};
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, CivilDate, Currency, FamilyId, RegionId, detail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rejection;
use super::table::VisitSubject;
use crate::kernel::context::PlanMemo;
use crate::kernel::overlay::Read;
use crate::kernel::rejection::Rejection;
use crate::modules::coverage::view::RunningAmounts;
use crate::modules::plan::PlanRef;
use crate::modules::{coverage, network, organisation, plan};

/// A split as people see and sign it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Split {
    /// What the bill charges (`medfee_sumamt`).
    pub total: Amount,
    /// Fully self-paid (`fulamt_ownpay_amt`).
    pub self_paid: Amount,
    /// Over price caps (`overlmt_selfpay`).
    pub over_cap: Amount,
    /// First shares of class B (`preselfpay_amt`).
    pub class_b_share: Amount,
    /// In policy (`inscp_scp_amt`).
    pub in_policy: Amount,
    /// Deductible (`act_pay_dedc`).
    pub deductible: Amount,
    /// What each payer pays, by payer number, payers of nothing left out.
    pub payers: Vec<PayerShare>,
    /// What the personal account pays (`acct_pay`).
    pub personal_account: Amount,
    /// What accounts of relatives pay together (`acct_mulaid_pay`).
    #[serde(default)]
    pub family_accounts: Amount,
    /// What is left for the person to pay (`psn_cash_pay`).
    pub cash: Amount,
}

/// What was adjudicated under one plan version.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// The plan version in force on the part's days.
    pub plan: PlanRef,
    /// The first day of service in the part.
    pub from: CivilDate,
    /// What the rules asked.
    pub facts: Facts,
    /// The family whose running amounts counted and changed.
    #[serde(default)]
    pub family: Option<FamilyId>,
    /// The split of the part, with its reasons.
    pub adjudication: Adjudication,
}

/// The split of a whole bill, and what it would do to the running amounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// The parts, by date.
    pub parts: Vec<Part>,
    /// Their sum.
    pub split: Split,
    /// The running amounts afterwards, those of the visit alone among them.
    pub accumulators: RunningAmounts,
    /// The currency of all of it.
    pub currency: Currency,
}

impl Split {
    /// What this payer pays.
    #[must_use]
    pub fn paid_by(&self, payer: Payer) -> Amount {
        let share = self.payers.iter().find(|share| share.payer == payer);
        share.map_or(Amount::ZERO, |share| share.amount)
    }

    /// What the person bears: the own account, accounts of relatives, and cash.
    #[must_use]
    pub fn own_share(&self) -> Amount {
        self.personal_account.saturating_add(self.family_accounts).saturating_add(self.cash)
    }

    /// The parts added up; `None` when a sum does not fit.
    #[must_use]
    pub fn of(parts: &[Part]) -> Option<Self> {
        let mut split = Self::default();
        for part in parts {
            let one = &part.adjudication;
            split.total = split.total.checked_add(one.total)?;
            split.self_paid = split.self_paid.checked_add(one.self_paid)?;
            split.over_cap = split.over_cap.checked_add(one.over_cap)?;
            split.class_b_share = split.class_b_share.checked_add(one.class_b_share)?;
            split.in_policy = split.in_policy.checked_add(one.in_policy)?;
            split.deductible = split.deductible.checked_add(one.deductible)?;
            split.personal_account = split.personal_account.checked_add(one.personal_account)?;
            split.family_accounts = split.family_accounts.checked_add(one.paid_by_family())?;
            split.cash = split.cash.checked_add(one.cash)?;
            for share in &one.payers {
                match split.payers.iter_mut().find(|sum| sum.payer == share.payer) {
                    Some(sum) => sum.amount = sum.amount.checked_add(share.amount)?,
                    None => split.payers.push(*share),
                }
            }
        }
        split.payers.sort_by_key(|share| share.payer.number());
        Some(split)
    }
}

/// What a quote starts from.
pub struct QuoteRequest<'a> {
    /// What the visit is about.
    pub subject: &'a VisitSubject,
    /// The sorted bill.
    pub sums: &'a CategorySums,
    /// Whether the personal account is to pay.
    pub use_personal_account: bool,
    /// What the personal account can pay.
    pub personal_account: Amount,
    /// What accounts of relatives can pay, in the order in which they do; empty where none is to.
    pub family_accounts: Vec<FamilyGrant>,
    /// The running amounts to start from.
    pub accumulators: RunningAmounts,
    /// For a refund or a correction: the plan versions to keep to, the earlier parts'.
    pub keep_plans_of: &'a [Part],
    /// For a refund: the facts stay as they were in those parts.
    pub keep_facts: bool,
}

/// Where care was given, as far as rules ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CarePlace {
    /// The place of care, by its administrative code.
    pub region: RegionId,
    /// The provider's level.
    pub level: HospitalLevel,
}

/// Adjudicates a bill.
///
/// # Errors
/// Why the coverage does not hold, which plan is missing, or why the plan cannot decide.
pub fn quote(
    state: &(impl Read + ?Sized),
    plans: &PlanMemo,
    request: QuoteRequest<'_>,
) -> Result<Quote, Rejection> {
    let provider = request.subject.provider;
    // A suspended provider's settlements are still corrected.
    let row = organisation::view::organisation(state, provider)
        .ok_or_else(|| organisation::rejection::UNKNOWN_ORGANISATION.with(provider))?;
    let level = row.level.unwrap_or(HospitalLevel::Unrated);
    quote_at(state, plans, request, CarePlace { region: row.region, level })
}

/// Adjudicates a bill for care given at this place.
///
/// # Errors
/// As [`quote`].
pub(crate) fn quote_at(
    state: &(impl Read + ?Sized),
    plans: &PlanMemo,
    request: QuoteRequest<'_>,
    place: CarePlace,
) -> Result<Quote, Rejection> {
    let subject = request.subject;
    let region = network::view::require_region(state, subject.region)?;
    let in_force = plans_in_force(&request, |day| {
        let mut kept = request.keep_plans_of.iter().map(|part| part.plan);
        let in_force = match kept.find(|kept| kept.period.contains(day)) {
            Some(kept) => kept,
            None => plan::view::plan_in_force(state, subject.region, subject.scheme, day)?,
        };
        Ok((in_force, plan::view::plan(state, plans, &in_force)?))
    })?;
    let own = |plan: &(PlanRef, Arc<Plan>)| plan.1.currency() == region.currency;
    assert!(in_force.iter().all(own), "a plan is drafted in its region's currency");
    let facts_of =
        |plan: &PlanRef, sums: &CategorySums| facts_of_part(state, &request, (plan, place), sums);
    let seen = |amounts: &mut RunningAmounts, family| amounts.seen(state, family);
    let (parts, accumulators) = adjudicate_parts(&request, &in_force, facts_of, seen)?;
    let split = Split::of(&parts)
        .ok_or_else(|| rejection::NOT_ADJUDICABLE.with(detail!("the total is too large")))?;
    Ok(Quote { parts, split, accumulators, currency: region.currency })
}

/// The parts of a bill one after the other, each on the running amounts that the one before left;
/// and the running amounts in the end.
pub(super) fn adjudicate_parts(
    request: &QuoteRequest<'_>,
    in_force: &[(PlanRef, Arc<Plan>)],
    facts_of: impl Fn(&PlanRef, &CategorySums) -> Result<(Facts, Option<FamilyId>), Rejection>,
    seen: impl Fn(&mut RunningAmounts, Option<FamilyId>) -> Accumulators,
) -> Result<(Vec<Part>, RunningAmounts), Rejection> {
    let mut accumulators = request.accumulators.clone();
    let mut left = request.personal_account;
    let mut family_left = request.family_accounts.clone();
    let mut parts = Vec::new();
    let plain: Vec<&Plan> = in_force.iter().map(|(_, plan)| plan.as_ref()).collect();
    // After a whole refund nothing remains, and nothing is to be adjudicated.
    let cut = match request.sums.rows() {
        [] => Vec::new(),
        _ => benefit::split_stay(&plain, request.sums)
            .map_err(|error| rejection::NOT_ADJUDICABLE.with(error))?,
    };
    for stay_part in cut {
        let (plan_ref, plan) =
            in_force.get(stay_part.plan).ok_or_else(|| rejection::NOT_ADJUDICABLE.reject())?;
        let sums = &stay_part.sums;
        let (mut facts, family) = facts_of(plan_ref, sums)?;
        facts.use_personal_account = request.use_personal_account;
        facts.personal_account = if request.use_personal_account { left } else { Amount::ZERO };
        facts.family_accounts.clone_from(&family_left);
        let mut before = seen(&mut accumulators, family);
        let adjudication = benefit::adjudicate(plan, sums, &facts, &before)
            .map_err(|error| rejection::NOT_ADJUDICABLE.with(error))?;
        before
            .apply(&adjudication.changes)
            .map_err(|error| rejection::NOT_ADJUDICABLE.with(error))?;
        accumulators.keep(family, &before);
        adjudication.spend(&mut left, &mut family_left);
        let from = sums.span().map_or(request.subject.admitted, |(first, _)| first);
        parts.push(Part { plan: *plan_ref, from, facts, family, adjudication });
    }
    Ok((parts, accumulators))
}

/// The plans in force on the days of the bill, the latest first, so that a successor wins where an
/// open-ended predecessor still claims the day.
pub(super) fn plans_in_force(
    request: &QuoteRequest<'_>,
    on: impl Fn(CivilDate) -> Result<(PlanRef, Arc<Plan>), Rejection>,
) -> Result<Vec<(PlanRef, Arc<Plan>)>, Rejection> {
    let mut found: Vec<(PlanRef, Arc<Plan>)> = Vec::new();
    let mut days: Vec<CivilDate> =
        request.sums.rows().iter().map(|row| row.key.service_date).collect();
    days.dedup();
    for day in days.into_iter().rev() {
        if found.iter().any(|(known, _)| known.period.contains(day)) {
            continue;
        }
        found.push(on(day)?);
    }
    Ok(found)
}

/// The facts of a part: those of the original where they are kept, else as they are attested.
fn facts_of_part(
    state: &(impl Read + ?Sized),
    request: &QuoteRequest<'_>,
    (plan, place): (&PlanRef, CarePlace),
    sums: &CategorySums,
) -> Result<(Facts, Option<FamilyId>), Rejection> {
    let kept = request.keep_plans_of.iter().find(|part| part.plan == *plan);
    match kept.filter(|_| request.keep_facts) {
        Some(part) => Ok((part.facts.clone(), part.family)),
        None => facts(state, request.subject, place, sums),
    }
}

/// What rules may ask about the person and the visit on the part's first day, and the family whose
/// running amounts count.
fn facts(
    state: &(impl Read + ?Sized),
    subject: &VisitSubject,
    place: CarePlace,
    sums: &CategorySums,
) -> Result<(Facts, Option<FamilyId>), Rejection> {
    let (first, last) = sums.span().ok_or_else(|| rejection::EMPTY_BILL.reject())?;
    let mut facts = Facts::new(subject.visit_type, place.level);
    let known = coverage::view::facts_for(
        state,
        subject.person,
        subject.region,
        subject.scheme,
        place.region,
        first,
    )?;
    known.fill(&mut facts);
    facts.diagnosis_group = subject.diagnosis_group;
    facts.days = stay_days(first, last);
    facts.slots = slots_on(&known.slots, sums)?;
    Ok((facts, known.family))
}

fn stay_days(first: CivilDate, last: CivilDate) -> u16 {
    let nights = last.days().saturating_sub(first.days());
    u16::try_from(nights).unwrap_or(u16::MAX).saturating_add(1)
}

fn slots_on(known: &[SlotFact], sums: &CategorySums) -> Result<Vec<SlotFact>, Rejection> {
    let mut slots: Vec<SlotFact> = Vec::new();
    for row in sums.rows() {
        let slot = row.key.slot;
        if slot.0 == 0 || slots.iter().any(|fact| fact.slot == slot) {
            continue;
        }
        let fact = known.iter().find(|fact| fact.slot == slot);
        slots.push(*fact.ok_or_else(|| rejection::UNKNOWN_SLOT.with(slot))?);
    }
    Ok(slots)
}
