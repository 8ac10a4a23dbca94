//! Audits: settlements that the block of the bureau's grant drew, computed once more from their
//! lines, for the auditor and as long as the grant holds.
//!
//! The bureau's machine opens its own copy of a bill; the auditor holds no key to it. Whatever is
//! handed out is noted first, with the audit's number, where the person reads who saw what.
//!
//! Reading order: this file (the operations), [`sample`] (what is drawn), [`recompute`] (what comes
//! out), [`pack`] (what is taken away).
//!
//! Invariant: nothing of a settlement is handed out but by a grant that holds, and after it was
//! noted (test `an_auditor_sees_the_sample_while_the_grant_holds_and_the_person_reads_it`).

use axum::http::{HeaderValue, Method, header};
use benefit::Bill;
use ledger::modules::audit::{self, AuditCase, AuditEnd, AuditGrant, AuditStanding, AuditTerms};
use ledger::modules::network;
use ledger::modules::visit::SettlementRecord;
use primitives::{
    Amount, CivilDate, Currency, Hash, OrganisationId, Party, RegionId, Timestamp, VisitId,
};
use schemars::JsonSchema;
use serde::Serialize;

use super::bill::is_auditor;
use super::quote::QuoteView;
use super::receipt::not_found;
use crate::call::Call;
use crate::endpoint::{Access, AnswerKind, BodyKind, Endpoint, Parameter, Reply, schema_of};
use crate::problem::{Problem, code};
use crate::session::Session;

mod pack;
mod recompute;
mod sample;

pub use pack::{FORMAT as PACK_FORMAT, Inputs as PackInputs};
use recompute::recompute;
use sample::Sample;
pub use sample::Samples;

const REGION: Parameter =
    Parameter::path("region", "the region's six-digit code", schema_of::<u32>);
const AUDIT: Parameter = Parameter::path("audit", "the audit's number, from 1", schema_of::<u32>);
const CASE_RULE: &str = "the audit's auditor and the region's bureau";
const SAMPLE_RULE: &str = "the audit's auditor, while the grant holds";

/// How many audits a list has at the most. Our own limit.
const LISTED_MAX: usize = 100;

/// The endpoints of audits.
pub static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::GET,
        path: "/v1/regions/{region}/audits",
        operation: "list_audits",
        summary: "Lists a region's audits, the newest first, at most 100; an auditor gets its own",
        access: Access::Party { rule: "auditors and the region's bureau", handle: list },
        parameters: &[REGION],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<AuditList>),
        problems: &[code::NOT_YOURS],
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/regions/{region}/audits/{audit}",
        operation: "get_audit",
        summary: "Gives an audit: what it looks at, what for, and until when",
        access: Access::Party { rule: CASE_RULE, handle: get },
        parameters: &[REGION, AUDIT],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<AuditView>),
        problems: &[code::NOT_FOUND],
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/regions/{region}/audits/{audit}/sample",
        operation: "get_audit_sample",
        summary: "Gives the settlements that the block of the grant draws, each computed once more \
                  from its lines: the same, or every amount that differs",
        access: Access::Party { rule: SAMPLE_RULE, handle: sampled },
        parameters: &[REGION, AUDIT],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<AuditSample>),
        problems: PROBLEMS,
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/regions/{region}/audits/{audit}/sample/{visit}",
        operation: "get_audited_settlement",
        summary: "Gives a settlement of the sample with its lines, as it was settled and as it is \
                  computed now, with the reasons",
        access: Access::Party { rule: SAMPLE_RULE, handle: one },
        parameters: &[
            REGION,
            AUDIT,
            Parameter::path("visit", "the visit's id", schema_of::<VisitId>),
        ],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<AuditedDetail>),
        problems: PROBLEMS,
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/regions/{region}/audits/{audit}/pack",
        operation: "get_audit_pack",
        summary: "Gives the evidence as one ZIP file: vouchers, lines, records, what was computed, \
                  plans and catalogues by which that is done again elsewhere, the list and the \
                  block that drew, and the hash of every file",
        access: Access::Party { rule: SAMPLE_RULE, handle: pack },
        parameters: &[REGION, AUDIT],
        body: BodyKind::None,
        answer: AnswerKind::Other("application/zip"),
        problems: &[
            code::NOT_FOUND,
            code::NO_WALLET,
            code::AUDIT_NOT_OPEN,
            code::AUDIT_PACK_TOO_LARGE,
            code::VOUCHER_NOT_READY,
        ],
    },
];
const PROBLEMS: &[crate::problem::ProblemCode] =
    &[code::NOT_FOUND, code::NO_WALLET, code::AUDIT_NOT_OPEN];

/// Audits.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AuditList {
    /// The number of the region's last audit, by which the next one is asked for.
    pub last: u32,
    /// The newest first.
    pub audits: Vec<AuditView>,
}

/// An audit.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Audit")]
pub struct AuditView {
    /// The region.
    pub region: RegionId,
    /// Its number.
    pub audit: u32,
    /// Who audits.
    pub auditor: OrganisationId,
    /// What.
    pub terms: AuditTerms,
    /// Where it stands now.
    pub standing: AuditStanding,
    /// When it was asked for.
    pub asked: Timestamp,
    /// The bureau's permission; left out before that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub granted: Option<AuditGrant>,
    /// That it was ended by hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<AuditEnd>,
}

/// What was drawn.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AuditSample {
    /// The hash of the block of the grant.
    pub block: Hash,
    /// The words that draw, as `yibao vault sample --seed` takes them.
    pub seed: String,
    /// From how many settlements.
    pub listed: u64,
    /// The settlements in the order in which they were drawn.
    pub settlements: Vec<AuditedSettlement>,
}

/// A settlement that was computed once more.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AuditedSettlement {
    /// The visit.
    pub visit: VisitId,
    /// The receipt that settled it.
    pub receipt: u64,
    /// The day of admission, or of the visit.
    pub admitted: CivilDate,
    /// What the bill charges, as it was settled.
    pub total: Amount,
    /// The currency of all amounts.
    pub currency: Currency,
    /// Whether it was refunded or corrected afterwards; the sample looks at what was settled first.
    pub revised: bool,
    /// What came out.
    pub outcome: AuditOutcome,
    /// Why it could not be computed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open: Option<AuditOpen>,
    /// Every amount that differs.
    pub differences: Vec<AuditDifference>,
}

/// What came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuditOutcome {
    /// The lines give what was settled, to the minor unit.
    Same,
    /// They do not.
    Differs,
    /// It could not be computed here.
    Open,
}

/// Why a settlement could not be computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuditOpen {
    /// Its bill is not kept here, or not sealed for the bureau.
    BillMissing,
    /// The catalogue of its plan is not kept here.
    CatalogueMissing,
    /// It stands on running amounts that a family shares, or an earlier one does.
    AmountsOfFamily,
    /// A claim for a bill that was paid in full moved the running amounts before.
    AmountsOfClaim,
    /// A booked difference, or later settlements that were adjusted, moved them before.
    AmountsOfDifference,
    /// The rules refuse the bill.
    Refused,
}

/// An amount that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AuditDifference {
    /// Which: a field of the split, a payer's stable name, `sums`, `running_amount` or `reasons`.
    pub what: String,
    /// The running amount's number and period.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// As it was settled.
    pub settled: Amount,
    /// As the lines give it.
    pub computed: Amount,
}

/// A settlement of the sample in full.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AuditedDetail {
    /// What came out.
    pub found: AuditedSettlement,
    /// As it was settled.
    pub record: SettlementRecord,
    /// Its lines; left out where they are not kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bill: Option<Bill>,
    /// What the lines give now, with the reasons; left out where it could not be computed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub computed: Option<QuoteView>,
}

fn view(call: &Call, region: RegionId, audit: u32, case: AuditCase) -> AuditView {
    AuditView {
        region,
        audit,
        auditor: case.auditor,
        standing: case.standing(call.instant()),
        terms: case.terms,
        asked: case.asked,
        granted: case.granted,
        ended: case.ended,
    }
}

fn list(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let region = RegionId(call.path("region")?);
    let state = &call.view.state;
    let is_bureau = matches!(session.party, Party::Organisation(id)
        if network::view::is_bureau(state, region, id));
    if !is_bureau && !is_auditor(call, session) {
        return Err(Problem::new(&code::NOT_YOURS));
    }
    let last = audit::view::last_audit(state, region);
    let cases = (1..=last).rev().filter_map(|number| {
        let case = audit::view::audit(state, region, number)?;
        let may = is_bureau || session.party == Party::Organisation(case.auditor);
        may.then(|| view(call, region, number, case))
    });
    Reply::json(&AuditList { last, audits: cases.take(LISTED_MAX).collect() })
}

/// An audit of the path.
fn case(call: &Call) -> Result<((RegionId, u32), AuditCase), Problem> {
    let (region, number) = (RegionId(call.path("region")?), call.path("audit")?);
    let case = audit::view::audit(&call.view.state, region, number).ok_or_else(not_found)?;
    Ok(((region, number), case))
}

fn get(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let ((region, number), case) = case(call)?;
    let Party::Organisation(id) = session.party else { return Err(not_found()) };
    if id != case.auditor && !network::view::is_bureau(&call.view.state, region, id) {
        return Err(not_found());
    }
    Reply::json(&view(call, region, number, case))
}

/// An audit that the session's auditor may look into now.
struct Open {
    audit: u32,
    auditor: OrganisationId,
    view: AuditView,
    sample: std::sync::Arc<Sample>,
}

fn open(call: &Call, session: &Session) -> Result<Open, Problem> {
    let ((region, number), case) = case(call)?;
    if session.party != Party::Organisation(case.auditor) {
        return Err(not_found());
    }
    let not_open = || Problem::new(&code::AUDIT_NOT_OPEN);
    let grant = case.granted.filter(|_| case.standing(call.instant()) == AuditStanding::Open);
    let sample = call.gateway.samples.of(
        call,
        (region, number),
        (&case.terms, grant.ok_or_else(not_open)?),
    )?;
    let auditor = case.auditor;
    Ok(Open { audit: number, auditor, view: view(call, region, number, case), sample })
}

fn sampled(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let open = open(call, session)?;
    let drawn = open.sample.drawn.iter();
    let found = drawn.map(|(_, receipt)| Ok(recompute(call, &open, *receipt)?.detail.found));
    let settlements = found.collect::<Result<_, Problem>>()?;
    let Sample { block, seed, list, .. } = &*open.sample;
    let listed = u64::try_from(list.len()).unwrap_or(u64::MAX);
    Reply::json(&AuditSample { block: *block, seed: seed.clone(), listed, settlements })
}

fn one(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let (open, visit): (Open, VisitId) = (open(call, session)?, call.path("visit")?);
    let drawn = open.sample.drawn.iter().find(|(drawn, _)| *drawn == visit);
    let (_, receipt) = drawn.ok_or_else(not_found)?;
    Reply::json(&recompute(call, &open, *receipt)?.detail)
}

fn pack(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let open = open(call, session)?;
    let name = format!("attachment; filename=\"yibao-audit-{}.zip\"", open.audit);
    let reply = Reply::bytes("application/zip", pack::pack(call, &open)?);
    Ok(match HeaderValue::from_str(&name) {
        Ok(value) => reply.header(header::CONTENT_DISPOSITION, value),
        Err(_) => reply,
    })
}
