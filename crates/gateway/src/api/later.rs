//! What a refund or correction of a visit changes for the person's later settlements: shown, and
//! offered as a transaction that is ready to be signed.
//!
//! > Later settlements stay; an effect on them is shown and offered. — HOUSE.md section 5.7

use axum::http::Method;
use ledger::Receipt;
use ledger::kernel::registry::Kind as _;
use ledger::modules::network;
use ledger::modules::plan::{Difference, Direction};
use ledger::modules::visit::{
    AdjustLaterSettlements, Consent, LATER_MAX, Later, SettleVisit, SettlementRecord,
};
use ledger::modules::voucher;
use primitives::{Amount, CivilDate, Currency, OrganisationId, Party, PersonId, VisitId};
use schemars::JsonSchema;
use serde::Serialize;

use super::receipt::not_found;
use crate::access::LATER_RULE;
use crate::call::Call;
use crate::endpoint::{Access, AnswerKind, BodyKind, Endpoint, Parameter, Reply, schema_of};
use crate::port::Order;
use crate::problem::{Problem, code};
use crate::session::Session;

/// How many of the person's receipts are read at once.
const PAGE: usize = 256;
/// How many of the person's receipts are read at the most: many for each later settlement.
const RECEIPTS_MAX: usize = 16 * PAGE;

/// The endpoint.
pub static ENDPOINTS: &[Endpoint] = &[Endpoint {
    method: Method::GET,
    path: "/v1/persons/{person}/visits/{visit}/later",
    operation: "get_later_settlements",
    summary: "Gives what a visit's refund or correction changes for later settlements, ready to be \
              signed",
    access: Access::Party { rule: LATER_RULE, handle: get },
    parameters: &[
        Parameter::path("person", "the person's id", schema_of::<PersonId>),
        Parameter::path("visit", "the visit that was refunded or corrected", schema_of::<VisitId>),
    ],
    body: BodyKind::None,
    answer: AnswerKind::Json(200, schema_of::<LaterView>),
    problems: &[code::NOT_FOUND, code::NOT_YOURS, code::LATER_TOO_MANY],
}];

/// What a changed visit changes for later settlements. Nobody has to take it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "LaterSettlements")]
pub struct LaterView {
    /// The ledger's height that it holds for; later transactions may change it.
    pub height: u64,
    /// The currency of all amounts.
    pub currency: Currency,
    /// The later settlements that would come out differently, in the order in which they were
    /// settled.
    pub settlements: Vec<LaterSettlementView>,
    /// What the personal account would get altogether.
    pub to_person: Amount,
    /// What the person would owe funds altogether.
    pub from_person: Amount,
    /// The body of `adjust_later_settlements` that takes it, with the form of consent of whoever
    /// asks (the bureau's desk: card and PIN); left out when nothing changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction: Option<AdjustLaterSettlements>,
}

/// A later settlement that would come out differently.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "LaterSettlement")]
pub struct LaterSettlementView {
    /// The visit.
    pub visit: VisitId,
    /// At which provider.
    pub provider: OrganisationId,
    /// The day of admission, or of the visit.
    pub admitted: CivilDate,
    /// What the person bears now.
    pub own_share: Amount,
    /// What the person would bear.
    pub own_share_then: Amount,
    /// Who would owe the difference to whom.
    pub direction: Direction,
}

fn get(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let person: PersonId = call.path("person")?;
    let (settled, changed) = call.settled_visit_of(session, person, call.path("visit")?)?;
    let state = &call.view.state;
    let currency = network::view::region(state, changed.subject.region)
        .map(|region| region.currency)
        .ok_or_else(not_found)?;
    let records = if settled.revision == 0 { Vec::new() } else { later_than(call, &changed)? };
    let later = Later { changed: &changed, records: &records };
    let differences = if records.is_empty() {
        Vec::new()
    } else {
        let differ = |plans: &_| later.differences(call.view.rows(), plans, call.instant());
        call.gateway.with_plans(differ).map_err(|rejection| Problem::rejected(&rejection))?
    };
    let settlements = differences.iter().filter_map(|one| view(call, &records, one)).collect();
    let total = |direction| {
        let fitting = differences.iter().filter(|row| row.direction == direction);
        fitting.fold(Amount::ZERO, |sum, row| sum.saturating_add(row.amount))
    };
    Reply::json(&LaterView {
        height: call.view.tip.height,
        currency,
        settlements,
        to_person: total(Direction::ToPerson),
        from_person: total(Direction::FromPerson),
        transaction: (!differences.is_empty()).then(|| AdjustLaterSettlements {
            consent: consent_of(session, person),
            later: records.clone(),
            changed: changed.clone(),
            differences: differences.clone(),
        }),
    })
}

/// The form in which whoever asks would agree.
fn consent_of(session: &Session, person: PersonId) -> Consent {
    match session.party {
        Party::Person(own) if own == person => Consent::OwnKey,
        Party::Person(guardian) => Consent::Guardian { guardian },
        Party::Organisation(_) => Consent::DeskCard,
    }
}

fn view(
    call: &Call,
    records: &[SettlementRecord],
    difference: &Difference,
) -> Option<LaterSettlementView> {
    let id = difference.settlement;
    let record = records.iter().find(|record| record.transaction_id == id)?;
    let own_share = voucher::view::settlement(&call.view.state, &id)?.own_share;
    let own_share_then = match difference.direction {
        Direction::ToPerson => own_share.saturating_sub(difference.amount),
        Direction::FromPerson => own_share.saturating_add(difference.amount),
    };
    Some(LaterSettlementView {
        visit: record.visit,
        provider: record.subject.provider,
        admitted: record.subject.admitted,
        own_share,
        own_share_then,
        direction: difference.direction,
    })
}

/// The person's settlements after this one in its scheme at its insured place, as they stand, in
/// the order of the receipt log. Read from the index of the person's receipts.
fn later_than(call: &Call, changed: &SettlementRecord) -> Result<Vec<SettlementRecord>, Problem> {
    let port = &call.gateway.port;
    let first =
        port.chain().receipt_of_transaction(changed.transaction_id)?.ok_or_else(not_found)?;
    let party = Party::Person(changed.subject.person);
    let too_many = || Problem::new(&code::LATER_TOO_MANY).with(LATER_MAX);
    let (mut after, mut records) = (first.index, Vec::new());
    for _ in 0..RECEIPTS_MAX.div_ceil(PAGE) {
        let page = port.chain().receipts_of(party, Order::OldestFirst, Some(after), PAGE)?;
        for receipt in page.iter().filter_map(|one| settlement_of(&one.receipt, changed)) {
            let standing = port.chain().settlement(receipt.visit)?.ok_or_else(not_found)?;
            records.push(standing);
        }
        if records.len() > LATER_MAX {
            return Err(too_many());
        }
        match page.last() {
            Some(last) if page.len() == PAGE => after = last.index,
            _ => return Ok(records),
        }
    }
    Err(too_many())
}

/// The settlement that a receipt made, if it is one in the same scheme at the same insured place.
fn settlement_of(receipt: &Receipt, changed: &SettlementRecord) -> Option<SettlementRecord> {
    if receipt.record.kind != SettleVisit::NUMBER {
        return None;
    }
    let record = SettlementRecord::in_receipt(receipt)?;
    let (one, other) = (&record.subject, &changed.subject);
    let fits =
        one.person == other.person && one.region == other.region && one.scheme == other.scheme;
    fits.then_some(record)
}
