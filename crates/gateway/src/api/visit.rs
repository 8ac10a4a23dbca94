//! Visits and the payments outside that belong to them.

use axum::http::Method;
use ledger::kernel::effect::{EffectAction, EffectStatus};
use ledger::modules::visit::{
    self, DepositSource, EffectRow, RunningBill, SettlementRecord, VisitRow, VisitSubject,
};
use ledger::modules::{network, voucher};
use primitives::{
    Amount, CivilDate, Currency, Hash, OrganisationId, Party, PersonId, Timestamp, VisitId,
};
use schemars::JsonSchema;
use serde::Serialize;

use super::receipt::not_found;
use crate::access::{ASKED_RULE, SeenVisit};
use crate::call::Call;
use crate::endpoint::{Access, AnswerKind, BodyKind, Endpoint, Parameter, Reply, schema_of};
use crate::problem::{Problem, code};
use crate::session::Session;

/// The endpoints of visits.
pub static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::GET,
        path: "/v1/persons/{person}/stays",
        operation: "list_stays",
        summary: "Lists the stays in hospital of a person that are not settled, the newest first; at most 8",
        access: Access::Party { rule: "the person", handle: stays },
        parameters: &[Parameter::path("person", "the person's id", schema_of::<PersonId>)],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<StayList>),
        problems: &[code::NOT_YOURS],
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/visits/{visit}",
        operation: "get_visit",
        summary: "Gives a visit: open with running bill and deposits, or settled with its record",
        access: Access::Party { rule: ASKED_RULE, handle: get },
        parameters: &[Parameter::path("visit", "the visit's id", schema_of::<VisitId>)],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<VisitView>),
        problems: &[code::NOT_FOUND],
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/effects/{reference}",
        operation: "get_effect",
        summary: "Gives a payment outside: what was ordered, and where it stands",
        access: Access::Party {
            rule: "the payment's person, provider, executor and the region's bureau",
            handle: effect,
        },
        parameters: &[Parameter::path(
            "reference",
            "the reference under which the rail knows it",
            schema_of::<Hash>,
        )],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<EffectStateView>),
        problems: &[code::NOT_FOUND],
    },
];

/// A visit.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Visit")]
pub struct VisitView {
    /// Its id.
    pub visit: VisitId,
    /// What it is about.
    pub subject: VisitSubject,
    /// Where it stands.
    #[serde(flatten)]
    pub standing: VisitStanding,
}

/// Where a visit stands.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(tag = "standing", rename_all = "snake_case")]
pub enum VisitStanding {
    /// Checked in, not settled.
    Open {
        /// The running bill of a stay.
        #[serde(skip_serializing_if = "Option::is_none")]
        running: Option<RunningBillView>,
        /// Deposits paid for it.
        deposits: Vec<DepositView>,
    },
    /// Settled, perhaps refunded or corrected since.
    Settled(Box<SettledView>),
}

/// A settled visit.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "SettledVisit")]
pub struct SettledView {
    /// When it was settled first.
    pub settled: Timestamp,
    /// When it was last settled, refunded or corrected: objections and contests count from here.
    pub revised: Timestamp,
    /// How often it was changed since: refunds and corrections.
    pub revision: u32,
    /// When an objection was raised that is not answered yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub objected: Option<Timestamp>,
    /// Whether a consent that others gave is contested and the bureau has to decide.
    pub contested: bool,
    /// The settlement now in force; a refund or correction brings it along.
    pub record: SettlementRecord,
    /// What second payers have reimbursed.
    pub reimbursed: Amount,
}

/// A stay's bill so far.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "RunningBill")]
pub struct RunningBillView {
    /// The commitment over bill and sums.
    pub bill: Hash,
    /// What it charges so far.
    pub total: Amount,
    /// The last day it covers.
    pub until: CivilDate,
}

/// Stays in hospital.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct StayList {
    /// The stays.
    pub stays: Vec<StayView>,
}

/// A stay in hospital that is not settled.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Stay")]
pub struct StayView {
    /// Its visit.
    pub visit: VisitId,
    /// What it is about.
    pub subject: VisitSubject,
    /// Its bill so far; left out until the hospital charged something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub running: Option<RunningBillView>,
}

/// A deposit.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "VisitDeposit")]
pub struct DepositView {
    /// How much.
    pub amount: Amount,
    /// The payment outside that collected it; left out when it came from the personal account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effect: Option<Hash>,
}

/// A payment outside.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "EffectState")]
pub struct EffectStateView {
    /// The reference under which the rail knows it.
    pub reference: Hash,
    /// The visit it belongs to.
    pub visit: VisitId,
    /// Whose money.
    pub person: PersonId,
    /// The provider whose claim or debt it is.
    pub provider: OrganisationId,
    /// Who executes it.
    pub executor: OrganisationId,
    /// The executor's rail.
    pub rail: String,
    /// What to do.
    pub action: EffectAction,
    /// How much.
    pub amount: Amount,
    /// In which currency.
    pub currency: Currency,
    /// When it was ordered.
    pub ordered: Timestamp,
    /// Where it stands.
    pub status: EffectStatus,
    /// How much of a collected amount may still be paid back.
    pub refundable: Amount,
    /// The order that took this one's place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<Hash>,
}

impl From<RunningBill> for RunningBillView {
    fn from(RunningBill { bill, total, until }: RunningBill) -> Self {
        Self { bill, total, until }
    }
}

fn stays(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let person = call.own_person(session)?;
    let state = &call.view.state;
    let open = visit::view::stays(state, person).into_iter().rev();
    let stays = open.filter_map(|id| match visit::view::visit(state, id) {
        Some(VisitRow::Open(open)) => Some(StayView {
            visit: id,
            subject: open.subject,
            running: open.running.map(RunningBillView::from),
        }),
        _ => None,
    });
    Reply::json(&StayList { stays: stays.collect() })
}

fn get(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let id: VisitId = call.path("visit")?;
    let SeenVisit { row, subject, record } = call.visit_or_asked(session, id)?;
    let standing = match (row, record) {
        (VisitRow::Open(open), _) => VisitStanding::Open {
            running: open.running.map(RunningBillView::from),
            deposits: open
                .deposits
                .iter()
                .map(|deposit| DepositView {
                    amount: deposit.amount,
                    effect: match deposit.source {
                        DepositSource::PersonalAccount => None,
                        DepositSource::Rail(reference) => Some(reference),
                    },
                })
                .collect(),
        },
        (VisitRow::Settled(settled), Some(record)) => {
            let marks = voucher::view::settlement(&call.view.state, &record.transaction_id);
            VisitStanding::Settled(Box::new(SettledView {
                settled: settled.settled,
                revised: settled.revised,
                revision: settled.revision,
                objected: settled.objection.map(|objection| objection.raised),
                contested: settled.is_contested(),
                reimbursed: marks.map_or(Amount::ZERO, |row| row.marked()),
                record,
            }))
        }
        _ => return Err(not_found()),
    };
    Reply::json(&VisitView { visit: id, subject, standing })
}

fn may_see_effect(call: &Call, session: &Session, row: &EffectRow) -> bool {
    match session.party {
        Party::Person(person) => row.person == person,
        Party::Organisation(id) => {
            row.provider == id
                || row.executor == id
                || network::view::is_bureau(&call.view.state, row.region, id)
        }
    }
}

fn effect(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let reference: Hash = call.path("reference")?;
    let row = visit::view::effect(&call.view.state, &reference)
        .filter(|row| may_see_effect(call, session, row))
        .ok_or_else(not_found)?;
    Reply::json(&EffectStateView {
        reference,
        visit: row.visit,
        person: row.person,
        provider: row.provider,
        executor: row.executor,
        rail: row.rail,
        action: row.action,
        amount: row.amount,
        currency: row.currency,
        ordered: row.ordered,
        status: row.status,
        refundable: row.refundable,
        replaced_by: row.replaced_by,
    })
}
