//! Money from wallet to wallet: what somebody sent and was sent, and what the day leaves. Sending,
//! claiming and taking back are transactions.

use axum::http::Method;
use ledger::modules::family::{self, DayCount, TransferStanding};
use primitives::{Amount, CivilDate, Currency, Hash, PersonId, RegionId, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

use super::family::{Relative, relative};
use super::receipt::not_found;
use crate::access::PERSON_RULE;
use crate::call::Call;
use crate::endpoint::{Access, AnswerKind, BodyKind, Endpoint, Parameter, Reply, schema_of};
use crate::problem::{Problem, code};
use crate::session::Session;

/// The endpoints of transfers between wallets.
pub static ENDPOINTS: &[Endpoint] = &[Endpoint {
    method: Method::GET,
    path: "/v1/persons/{person}/transfers",
    operation: "list_transfers",
    summary: "Lists what a person sent to relatives and was sent by them, the newest first, at most \
              32 each, and what the day leaves to send",
    access: Access::Party { rule: PERSON_RULE, handle: transfers },
    parameters: &[Parameter::path("person", "the person's id", schema_of::<PersonId>)],
    body: BodyKind::None,
    answer: AnswerKind::Json(200, schema_of::<TransfersView>),
    problems: &[code::NOT_YOURS],
}];

/// A person's transfers.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Transfers")]
pub struct TransfersView {
    /// The home region, whose rules count for sending.
    pub region: RegionId,
    /// Today there.
    pub today: CivilDate,
    /// How many the person sent today, also what came back.
    pub sent_today: u8,
    /// Whether it is an hour at which nothing is sent.
    pub is_night: bool,
    /// What was sent to relatives, the newest first.
    pub sent: Vec<TransferView>,
    /// What relatives sent, the newest first.
    pub received: Vec<TransferView>,
}

/// A transfer, seen from one side.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Transfer")]
pub struct TransferView {
    /// Its id: the transaction that sent it.
    pub transfer: Hash,
    /// The other side.
    pub relative: Relative,
    /// How much.
    pub amount: Amount,
    /// In which currency.
    pub currency: Currency,
    /// When it was sent.
    pub sent: Timestamp,
    /// Where it stands.
    pub standing: TransferStanding,
}

fn transfers(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let id: PersonId = call.path("person")?;
    let (region, state) = (call.person(session, id)?.region, &call.view.state);
    let today = call.today(region).ok_or_else(not_found)?;
    let list = family::view::transfers(state, id);
    let rules = family::view::transfer_rules(state, region);
    let row = ledger::modules::network::view::region(state, region).ok_or_else(not_found)?;
    let offset = row.settings.utc_offset_minutes;
    let night = rules.and_then(|rules| rules.night);
    let of = |ids: &[Hash], is_sent: bool| {
        let newest = ids.iter().rev().filter_map(|one| {
            let transfer = family::view::transfer(state, *one)?;
            let other = if is_sent { transfer.receiver } else { transfer.sender };
            Some(relative(call, other).map(|relative| TransferView {
                transfer: *one,
                relative,
                amount: transfer.amount,
                currency: transfer.currency,
                sent: transfer.sent,
                standing: transfer.standing_at(call.instant()),
            }))
        });
        newest.collect::<Result<Vec<_>, Problem>>()
    };
    Reply::json(&TransfersView {
        region,
        today,
        sent_today: DayCount::on(list.day, today),
        is_night: night.is_some_and(|night| night.covers(call.instant(), offset)),
        sent: of(&list.sent, true)?,
        received: of(&list.received, false)?,
    })
}
