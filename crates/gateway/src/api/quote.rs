//! Quotes: adjudication as a dry run, with the reason for every fen in the reader's language.

use std::sync::Arc;

use axum::http::Method;
use benefit::source::PlanSource;
use benefit::{
    Accumulators, AdjudicationError, Bill, Catalogue, CategorySums, ExplainedBill, ExplainedPart,
    Explanation, Facts, HospitalLevel, Plan, SortedLine, VisitFacts, explain, sort_lines,
};
use ledger::kernel::context::PlanMemo;
use ledger::kernel::overlay::Base;
use ledger::kernel::rejection::Rejection;
use ledger::modules::claim::{ClaimCare, ClaimRow};
use ledger::modules::plan::PlanRef;
use ledger::modules::visit::{
    self, Deposit, DepositSource, OpenVisit, Part, SettlementRecord, Split, VisitRow, VisitSubject,
};
use ledger::modules::{coverage, family, network, organisation, plan};
use primitives::{
    Amount, CivilDate, Currency, Hash, OrganisationId, PersonId, RegionId, SchemeId, Timestamp,
    VisitId, detail,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::receipt::not_found;
use crate::call::Call;
use crate::endpoint::{Access, AnswerKind, BodyKind, Endpoint, Reply, schema_of};
use crate::problem::{Problem, code, words};
use crate::session::Session;

mod audits;
mod claims;

pub(in crate::api) use audits::quote_as_settled;
use claims::{claim_facts, of_claim};
pub(in crate::api) use claims::{quote_claim, quote_remaining_claim, requote_claim};

/// Of what one is asked.
const ASKED: &str = "visit, remaining, corrected, planned, general";
/// The most bytes of a quote's request: a bill of 20,000 lines.
const QUOTE_BYTES_MAX: usize = 6 << 20;

/// The endpoint of quotes.
pub static ENDPOINTS: &[Endpoint] = &[Endpoint {
    method: Method::POST,
    path: "/v1/quotes",
    operation: "create_quote",
    summary: "Adjudicates a bill without settling it: sorted lines, sums, split and reasons; nothing is \
              kept",
    access: Access::Party {
        rule: "a visit's person, provider and bureau, and the relative who is asked to confirm its \
               bill; for a planned visit the person, a guardian, \
               or the bureau of the home region; for facts without a person everybody \
               signed in",
        handle: quote,
    },
    parameters: &[],
    body: BodyKind::Json(schema_of::<QuoteRequest>, QUOTE_BYTES_MAX),
    answer: AnswerKind::Json(200, schema_of::<QuoteView>),
    problems: &[
        code::NOT_FOUND,
        code::NOT_YOURS,
        code::ONE_OF_NEEDED,
        code::BILL_INVALID,
        code::CATALOGUE_MISSING,
    ],
}];

/// What is to be adjudicated: exactly one of `visit`, `remaining`, `corrected`, `planned` and
/// `general`, and exactly one of `bill` and `sums`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QuoteRequest {
    /// An open visit.
    #[serde(default)]
    pub visit: Option<VisitId>,
    /// A settled visit of which this bill remains after a refund; answered without parts.
    #[serde(default)]
    pub remaining: Option<VisitId>,
    /// A settled visit of which this is the corrected bill: original plan versions, facts as they
    /// are attested now; answered without parts.
    #[serde(default)]
    pub corrected: Option<VisitId>,
    /// A visit that may take place, with the person's own coverage and running amounts.
    #[serde(default)]
    pub planned: Option<VisitSubject>,
    /// Facts without a person.
    #[serde(default)]
    pub general: Option<GeneralQuote>,
    /// The itemised bill, sorted here by the catalogue of the place of care.
    #[serde(default)]
    pub bill: Option<Bill>,
    /// The sorted bill.
    #[serde(default)]
    pub sums: Option<CategorySums>,
    /// Whether the personal account is to pay.
    #[serde(default)]
    pub use_personal_account: bool,
    /// Whether accounts of relatives who grant mutual aid are to pay.
    #[serde(default)]
    pub use_family_account: bool,
}

/// Facts without a person: what anybody in such a situation would pay, from zero running amounts.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GeneralQuote {
    /// The insured place.
    pub region: RegionId,
    /// The scheme.
    pub scheme: SchemeId,
    /// What the rules ask.
    pub facts: Facts,
}

/// A quote.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Quote")]
pub struct QuoteView {
    /// The ledger's height that it holds for; later settlements may change it.
    pub height: u64,
    /// The currency of all amounts.
    pub currency: Currency,
    /// Who pays how much.
    pub split: Split,
    /// The sorted bill, as `settle_visit` takes it.
    pub sums: CategorySums,
    /// The lines, if a bill was given.
    pub lines: Vec<SortedLine>,
    /// The parts by date: plan version, facts, adjudication with its trace.
    pub parts: Vec<Part>,
    /// Why, in the reader's language; left out when this node does not keep the plan's file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<Explanation>,
}

/// What a quote came to, before it is explained.
struct Adjudicated {
    parts: Vec<Part>,
    split: Split,
    currency: Currency,
}

/// Which accounts are to pay.
#[derive(Clone, Copy)]
struct Paying {
    personal_account: bool,
    family_account: bool,
}

/// For whom a quote is made, once the session's right to it is checked.
enum Asked {
    Subject { subject: VisitSubject, account: Amount },
    Remaining(Box<SettlementRecord>),
    Corrected(Box<SettlementRecord>),
    General(GeneralQuote),
    Claim { row: Box<ClaimRow>, care: ClaimCare },
}

fn quote(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let request: QuoteRequest = call.json()?;
    let (sums, bill) = (request.sums.clone(), request.bill.clone());
    let asked = asked(call, session, request.clone())?;
    let (sums, bill) = match (sums, bill) {
        (Some(sums), None) => (sums, None),
        (None, Some(bill)) => {
            let sorted = sort(call, &asked, bill)?;
            (sorted.sums.clone(), Some(sorted))
        }
        _ => return Err(one_of("bill, sums")),
    };
    let paying = Paying {
        personal_account: request.use_personal_account,
        family_account: request.use_family_account,
    };
    Reply::json(&quoted(call, &asked, paying, sums, bill)?)
}

/// What was asked, adjudicated and explained.
fn quoted(
    call: &Call,
    asked: &Asked,
    paying: Paying,
    sums: CategorySums,
    bill: Option<SortedBill>,
) -> Result<QuoteView, Problem> {
    let done = match asked {
        Asked::Subject { subject, account } => of_subject(call, subject, &sums, paying, *account)?,
        Asked::Remaining(record) => of_change(call, record, &sums, visit::quote_remaining)?,
        Asked::Corrected(record) => of_change(call, record, &sums, visit::quote_corrected)?,
        Asked::General(general) => of_facts(call, general, &sums)?,
        Asked::Claim { row, care } => of_claim(call, row, care, &sums)?,
    };
    let explanation = explanation(call, &done.parts, bill.as_ref())?;
    Ok(QuoteView {
        height: call.view.tip.height,
        currency: done.currency,
        split: done.split,
        sums,
        lines: bill.map_or_else(Vec::new, |bill| bill.lines),
        parts: done.parts,
        explanation,
    })
}

/// A bill of an open visit on which no account is to pay, as its provider's own system asks.
///
/// # Errors
/// Those of a quote.
pub(crate) fn quote_bill(
    call: &Call,
    subject: &VisitSubject,
    bill: Bill,
) -> Result<QuoteView, Problem> {
    let asked = Asked::Subject { subject: subject.clone(), account: Amount::ZERO };
    let sorted = sort(call, &asked, bill)?;
    let paying = Paying { personal_account: false, family_account: false };
    quoted(call, &asked, paying, sorted.sums.clone(), Some(sorted))
}

/// The same of an open visit for which the personal account is to pay.
///
/// # Errors
/// Those of a quote.
pub(crate) fn quote_bill_with_account(
    call: &Call,
    open: &OpenVisit,
    bill: Bill,
) -> Result<QuoteView, Problem> {
    let account = account_for(call, open);
    let asked = Asked::Subject { subject: open.subject.clone(), account };
    let sorted = sort(call, &asked, bill)?;
    let paying = Paying { personal_account: true, family_account: false };
    quoted(call, &asked, paying, sorted.sums.clone(), Some(sorted))
}

/// The sums of such a bill, and what becomes of each of its lines.
///
/// # Errors
/// `invalid_bill`, `catalogue_missing`, `not_found` for a bill without lines.
pub(crate) fn sorted_bill(
    call: &Call,
    subject: &VisitSubject,
    bill: Bill,
) -> Result<(CategorySums, Vec<SortedLine>), Problem> {
    let asked = Asked::Subject { subject: subject.clone(), account: Amount::ZERO };
    sort(call, &asked, bill).map(|sorted| (sorted.sums, sorted.lines))
}

fn one_of(fields: &str) -> Problem {
    Problem::new(&code::ONE_OF_NEEDED).at(fields)
}

fn asked(call: &Call, session: &Session, request: QuoteRequest) -> Result<Asked, Problem> {
    let settled = |id: VisitId| -> Result<Box<SettlementRecord>, Problem> {
        Ok(Box::new(call.visit(session, id)?.record.ok_or_else(not_found)?))
    };
    if let Some(id) = request.corrected {
        let others = [request.visit, request.remaining];
        let is_alone = others.iter().all(Option::is_none)
            && request.planned.is_none()
            && request.general.is_none();
        return if is_alone { settled(id).map(Asked::Corrected) } else { Err(one_of(ASKED)) };
    }
    match (request.visit, request.remaining, request.planned, request.general) {
        (Some(id), None, None, None) => {
            let seen = call.visit_or_asked(session, id)?;
            let VisitRow::Open(open) = seen.row else {
                return Err(Problem::new(&code::VISIT_CLOSED).at("visit"));
            };
            let account = account_for(call, &open);
            Ok(Asked::Subject { subject: open.subject, account })
        }
        (None, Some(id), None, None) => settled(id).map(Asked::Remaining),
        (None, None, Some(subject), None) => {
            call.person(session, subject.person)?;
            let account = personal_account(call, subject.person);
            Ok(Asked::Subject { subject, account })
        }
        (None, None, None, Some(general)) => Ok(Asked::General(general)),
        _ => Err(one_of(ASKED)),
    }
}

/// What the personal account can pay of an open visit. Settling gives deposits from the account
/// back first, so they count as being there.
fn account_for(call: &Call, open: &OpenVisit) -> Amount {
    let is_from_account = |one: &&Deposit| matches!(one.source, DepositSource::PersonalAccount);
    let there = personal_account(call, open.subject.person);
    let deposits = open.deposits.iter().filter(is_from_account);
    deposits.fold(there, |sum, one| sum.saturating_add(one.amount))
}

fn personal_account(call: &Call, person: PersonId) -> Amount {
    visit::view::personal_account(&call.view.state, person, call.instant())
}

fn rejected(rejection: Rejection) -> Problem {
    Problem::rejected(&rejection)
}

fn not_adjudicable(error: AdjudicationError) -> Problem {
    rejected(visit::rejection::NOT_ADJUDICABLE.with(error))
}

fn of_subject(
    call: &Call,
    subject: &VisitSubject,
    sums: &CategorySums,
    paying: Paying,
    personal_account: Amount,
) -> Result<Adjudicated, Problem> {
    let state = &call.view.state;
    let family_accounts = if paying.family_account {
        family::view::offers(state, subject, sums.total(), call.instant())
    } else {
        Vec::new()
    };
    let (person, region, scheme) = (subject.person, subject.region, subject.scheme);
    let quoted = call
        .gateway
        .with_plans(|plans| {
            visit::quote(
                state,
                plans,
                visit::QuoteRequest {
                    subject,
                    sums,
                    use_personal_account: paying.personal_account,
                    personal_account,
                    family_accounts,
                    accumulators: coverage::view::running_amounts(state, person, region, scheme),
                    keep_plans_of: &[],
                    keep_facts: false,
                },
            )
        })
        .map_err(rejected)?;
    Ok(Adjudicated { parts: quoted.parts, split: quoted.split, currency: quoted.currency })
}

/// How the ledger computes a change of a settlement: what remains, or what is corrected.
type QuoteChange = fn(
    &dyn Base,
    &PlanMemo,
    &SettlementRecord,
    &CategorySums,
    Timestamp,
) -> Result<Split, Rejection>;

/// A change of a settlement, as a refund or a correction will compute it.
fn of_change(
    call: &Call,
    record: &SettlementRecord,
    sums: &CategorySums,
    change: QuoteChange,
) -> Result<Adjudicated, Problem> {
    let state = call.view.rows();
    let quote = |plans: &_| change(state, plans, record, sums, call.instant());
    let split = call.gateway.with_plans(quote).map_err(rejected)?;
    let region = network::view::region(state, record.subject.region).ok_or_else(not_found)?;
    Ok(Adjudicated { parts: Vec::new(), split, currency: region.currency })
}

/// The plans in force on the days of the bill, the latest first.
fn plans_of(
    call: &Call,
    general: &GeneralQuote,
    sums: &CategorySums,
) -> Result<Vec<(PlanRef, Arc<Plan>)>, Problem> {
    let state = &call.view.state;
    let mut days: Vec<CivilDate> = sums.rows().iter().map(|row| row.key.service_date).collect();
    days.dedup();
    let mut found: Vec<(PlanRef, Arc<Plan>)> = Vec::new();
    for day in days.into_iter().rev() {
        if found.iter().any(|(known, _)| known.period.contains(day)) {
            continue;
        }
        let one = plan::view::plan_in_force(state, general.region, general.scheme, day)
            .map_err(rejected)?;
        let compiled = call.gateway.with_plans(|plans| plan::view::plan(state, plans, &one));
        found.push((one, compiled.map_err(rejected)?));
    }
    Ok(found)
}

fn of_facts(
    call: &Call,
    general: &GeneralQuote,
    sums: &CategorySums,
) -> Result<Adjudicated, Problem> {
    let plans = plans_of(call, general, sums)?;
    let plain: Vec<&Plan> = plans.iter().map(|(_, plan)| plan.as_ref()).collect();
    let cut = benefit::split_stay(&plain, sums).map_err(not_adjudicable)?;
    let done = benefit::adjudicate_stay(&plain, sums, &general.facts, &Accumulators::new())
        .map_err(not_adjudicable)?;
    let part = |(done, cut): (benefit::AdjudicatedPart, benefit::StayPart)| {
        let (plan, compiled) = plans.get(usize::from(done.plan))?;
        let (from, _) = cut.sums.span()?;
        let facts = general.facts.clone();
        let adjudication = done.adjudication;
        Some((Part { plan: *plan, from, facts, family: None, adjudication }, compiled.currency()))
    };
    let parts: Vec<(Part, Currency)> = done.into_iter().zip(cut).filter_map(part).collect();
    let currency = parts.first().map_or(Currency::CNY, |(_, currency)| *currency);
    let parts: Vec<Part> = parts.into_iter().map(|(part, _)| part).collect();
    let split = Split::of(&parts).ok_or_else(|| {
        rejected(visit::rejection::NOT_ADJUDICABLE.with(detail!("the total is too large")))
    })?;
    Ok(Adjudicated { parts, split, currency })
}

/// A bill that was sorted, with what it was sorted by.
struct SortedBill {
    bill: Bill,
    catalogue: Arc<Catalogue>,
    facts: VisitFacts,
    sums: CategorySums,
    lines: Vec<SortedLine>,
}

/// Sorts a bill by the catalogue of the place of care.
fn sort(call: &Call, asked: &Asked, bill: Bill) -> Result<SortedBill, Problem> {
    let day = bill.lines.iter().map(|line| line.service_date).min().ok_or_else(not_found)?;
    let (facts, regions, scheme) = match asked {
        Asked::Subject { subject, .. } => subject_facts(call, subject, day)?,
        Asked::Claim { row, care } => claim_facts(call, row, care, day)?,
        Asked::Remaining(record) | Asked::Corrected(record) => {
            subject_facts(call, &record.subject, day)?
        }
        Asked::General(general) => {
            let facts = VisitFacts {
                visit_type: general.facts.visit_type,
                hospital_level: general.facts.hospital_level,
                diagnosis_groups: Vec::new(),
                age: general.facts.age,
                sex: general.facts.sex,
            };
            (facts, [general.region; 2], general.scheme)
        }
    };
    let root = catalogue_root(call, regions, scheme, day)
        .ok_or_else(|| Problem::new(&code::CATALOGUE_MISSING))?;
    sort_by(call, root, bill, facts)
}

/// Sorts a bill by the catalogue with this root.
fn sort_by(call: &Call, root: Hash, bill: Bill, facts: VisitFacts) -> Result<SortedBill, Problem> {
    let catalogue = call
        .gateway
        .port
        .catalogue(root)?
        .ok_or_else(|| Problem::new(&code::CATALOGUE_MISSING).with(root))?;
    let sorted = sort_lines(&catalogue, &bill, &facts)
        .map_err(|error| Problem::new(&code::BILL_INVALID).at("bill").with(error))?;
    let benefit::Sorted { sums, lines } = sorted;
    Ok(SortedBill { bill, catalogue, facts, sums, lines })
}

/// What sorting may ask of a visit, and the regions of care and of insurance.
fn subject_facts(
    call: &Call,
    subject: &VisitSubject,
    day: CivilDate,
) -> Result<(VisitFacts, [RegionId; 2], SchemeId), Problem> {
    let state = &call.view.state;
    let provider = organisation::view::require_active(state, subject.provider).map_err(rejected)?;
    let (person, region, scheme) = (subject.person, subject.region, subject.scheme);
    let known = coverage::view::facts_for(state, person, region, scheme, provider.region, day)
        .map_err(rejected)?;
    let facts = VisitFacts {
        visit_type: subject.visit_type,
        hospital_level: provider.level.unwrap_or(benefit::HospitalLevel::Unrated),
        diagnosis_groups: Vec::new(),
        age: known.age,
        sex: known.sex,
    };
    Ok((facts, [provider.region, region], scheme))
}

/// The catalogue by which a provider's bills are sorted under a scheme of its region, with its
/// hash, and the provider's level.
///
/// # Errors
/// `catalogue_missing`; when the provider is not there.
pub(crate) fn catalogue_of(
    call: &Call,
    provider: OrganisationId,
    (region, scheme, day): (RegionId, SchemeId, CivilDate),
) -> Result<(Hash, Arc<Catalogue>, HospitalLevel), Problem> {
    let row = organisation::view::require_active(&call.view.state, provider).map_err(rejected)?;
    let missing = || Problem::new(&code::CATALOGUE_MISSING);
    let root = catalogue_root(call, [row.region, region], scheme, day).ok_or_else(missing)?;
    let catalogue = call.gateway.port.catalogue(root)?.ok_or_else(missing)?;
    Ok((root, catalogue, row.level.unwrap_or(HospitalLevel::Unrated)))
}

/// The catalogue that goes with the scheme's plan at the place of care; where that place has no
/// such scheme, the insured place's.
fn catalogue_root(
    call: &Call,
    regions: [RegionId; 2],
    scheme: SchemeId,
    day: CivilDate,
) -> Option<Hash> {
    let state = &call.view.state;
    regions.into_iter().find_map(|region| {
        let found = plan::view::plan_in_force(state, region, scheme, day).ok()?;
        let row = plan::view::version(state, region, scheme, found.version)?;
        Some(row.catalogue_root)
    })
}

/// Why these parts came out as they did, where the plans' words are known.
///
/// # Errors
/// `not_found` for a plan that is gone.
pub(crate) fn reasons(call: &Call, parts: &[Part]) -> Result<Option<Explanation>, Problem> {
    explanation(call, parts, None)
}

fn explanation(
    call: &Call,
    parts: &[Part],
    sorted: Option<&SortedBill>,
) -> Result<Option<Explanation>, Problem> {
    if parts.is_empty() {
        return Ok(None);
    }
    let state = &call.view.state;
    let mut told: Vec<(Arc<PlanSource>, Arc<Plan>, &Part)> = Vec::with_capacity(parts.len());
    for part in parts {
        let PlanRef { region, scheme, version, .. } = part.plan;
        let row = plan::view::version(state, region, scheme, version).ok_or_else(not_found)?;
        let Some(source) = call.gateway.port.plan_source(row.source)? else { return Ok(None) };
        let compiled = call.gateway.with_plans(|plans| plan::view::plan(state, plans, &part.plan));
        told.push((source, compiled.map_err(rejected)?, part));
    }
    let explained: Vec<ExplainedPart<'_>> = told
        .iter()
        .map(|(source, plan, part)| ExplainedPart {
            source,
            plan,
            facts: &part.facts,
            from: part.from,
            adjudication: &part.adjudication,
        })
        .collect();
    let bill = sorted.map(|sorted| ExplainedBill {
        catalogue: &sorted.catalogue,
        bill: &sorted.bill,
        facts: &sorted.facts,
        lines: &sorted.lines,
    });
    Ok(Some(explain(&explained, bill.as_ref(), words::benefit(call.language))))
}
