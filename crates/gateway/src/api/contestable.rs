//! Settlements of a person that may be contested: organisations alone agreed to them. For the
//! person, and for the bureau's desk to which somebody comes without a phone.

use std::collections::BTreeSet;

use axum::http::Method;
use ledger::modules::network;
use ledger::modules::visit::{SettlementRecord, view};
use primitives::{
    Amount, CivilDate, Currency, OrganisationId, Party, PersonId, Timestamp, VisitId,
};
use schemars::JsonSchema;
use serde::Serialize;

use super::receipt::not_found;
use crate::access::PERSON_RULE;
use crate::call::Call;
use crate::endpoint::{Access, AnswerKind, BodyKind, Endpoint, Parameter, Reply, schema_of};
use crate::port::Order;
use crate::problem::{Problem, code};
use crate::session::Session;

/// How many receipts are read at once.
const PAGE: usize = 256;
/// The most visits of a list. Our own limit.
const LISTED_MAX: usize = 100;
/// Milliseconds of a day.
const DAY_MILLIS: u64 = 24 * 3_600 * 1_000;

/// The endpoint.
pub static ENDPOINTS: &[Endpoint] = &[Endpoint {
    method: Method::GET,
    path: "/v1/persons/{person}/contestable-visits",
    operation: "list_contestable_visits",
    summary: "Lists a person's settlements to which organisations alone agreed and that may be \
              contested now, the newest first; at most 100",
    access: Access::Party { rule: PERSON_RULE, handle: list },
    parameters: &[Parameter::path("person", "the person's id", schema_of::<PersonId>)],
    body: BodyKind::None,
    answer: AnswerKind::Json(200, schema_of::<ContestableList>),
    problems: &[code::NOT_YOURS],
}];

/// Settlements that may be contested.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ContestableList {
    /// The settlements.
    pub visits: Vec<ContestableVisit>,
}

/// A settlement that may be contested.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ContestableVisit {
    /// The visit.
    pub visit: VisitId,
    /// Who treated the person.
    pub provider: OrganisationId,
    /// The first day of care.
    pub admitted: CivilDate,
    /// How it was agreed to.
    pub consent: String,
    /// What it comes to, in minor units.
    pub total: Amount,
    /// The currency.
    pub currency: Currency,
    /// Until when it may be contested.
    pub until: Timestamp,
}

fn list(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let id: PersonId = call.path("person")?;
    let row = call.person(session, id)?;
    let (state, now) = (&call.view.state, call.instant());
    let region = network::view::region(state, row.region).ok_or_else(not_found)?;
    let days = u64::from(region.settings.emergency_contest_days);
    let mut seen = BTreeSet::new();
    let mut visits = Vec::new();
    let mut after = None;
    loop {
        let chain = call.gateway.port.chain();
        let page = chain.receipts_of(Party::Person(id), Order::NewestFirst, after, PAGE)?;
        for one in &page {
            let Some(record) = SettlementRecord::in_receipt(&one.receipt) else {
                continue;
            };
            // The newest receipt of a visit has the record in force.
            if record.subject.person == id && seen.insert(record.visit) {
                visits.extend(contestable(call, &record).filter(|found| now <= found.until));
            }
        }
        // What is older than the days in which something may be contested is over.
        let is_over = |time: Timestamp| time.plus_millis(days.saturating_mul(DAY_MILLIS)) < now;
        match page.last() {
            Some(last) if page.len() == PAGE && visits.len() < LISTED_MAX => {
                if is_over(last.receipt.record.time) {
                    break;
                }
                after = Some(last.index);
            }
            _ => break,
        }
    }
    visits.truncate(LISTED_MAX);
    Reply::json(&ContestableList { visits })
}

fn contestable(call: &Call, record: &SettlementRecord) -> Option<ContestableVisit> {
    let state = &call.view.state;
    let until = view::contestable_until(state, record).ok()?;
    let subject = &record.subject;
    Some(ContestableVisit {
        visit: record.visit,
        provider: subject.provider,
        admitted: subject.admitted,
        consent: record.consent.name().to_owned(),
        total: record.total(),
        currency: network::view::region(state, subject.region)?.currency,
        until,
    })
}
