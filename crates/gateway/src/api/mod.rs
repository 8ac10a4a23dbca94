//! The operations, one file per resource. A file declares its endpoints as data; routing,
//! authorisation, contract and tests read the same list.

use std::sync::LazyLock;

use crate::endpoint::Endpoint;
use crate::nhsa;

pub mod account;
pub mod audit;
pub mod bill;
pub mod binding;
pub mod card;
pub mod claim;
pub mod clearing;
pub mod code;
pub mod contest;
pub mod contestable;
pub mod correction;
pub mod desk_act;
pub mod desk_settlement;
pub mod device;
pub mod event;
pub mod exchange;
pub mod face;
pub mod family;
pub mod fund;
pub mod guardian;
pub mod health;
pub mod identity;
pub mod index;
pub mod inquiry;
pub mod interregion;
pub mod kind;
pub mod later;
pub mod lines;
pub mod log;
pub(crate) mod machine;
pub mod network;
pub mod notice;
pub mod objection;
pub mod organisation;
pub mod person;
pub mod plan;
pub mod premium;
pub mod problem;
pub mod quote;
pub mod rail;
pub mod receipt;
pub mod reception;
pub mod recovery;
pub mod refund;
pub mod region;
pub mod registry;
pub mod request;
pub mod session;
pub mod state_proof;
pub mod status;
pub mod till;
pub mod transaction;
pub mod transfer;
pub mod verify;
pub mod visit;
pub mod voucher;
pub mod wallet;

/// Every resource's endpoints.
static RESOURCES: &[&[Endpoint]] = &[
    index::ENDPOINTS,
    health::ENDPOINTS,
    problem::ENDPOINTS,
    network::ENDPOINTS,
    kind::ENDPOINTS,
    session::ENDPOINTS,
    transaction::ENDPOINTS,
    receipt::ENDPOINTS,
    voucher::ENDPOINTS,
    verify::ENDPOINTS,
    event::ENDPOINTS,
    person::ENDPOINTS,
    account::ENDPOINTS,
    organisation::ENDPOINTS,
    region::ENDPOINTS,
    plan::ENDPOINTS,
    plan::version::ENDPOINTS,
    plan::simulation::ENDPOINTS,
    premium::ENDPOINTS,
    premium::pay::ENDPOINTS,
    premium::desk::ENDPOINTS,
    fund::ENDPOINTS,
    clearing::ENDPOINTS,
    interregion::ENDPOINTS,
    exchange::ENDPOINTS,
    audit::ENDPOINTS,
    quote::ENDPOINTS,
    visit::ENDPOINTS,
    later::ENDPOINTS,
    bill::ENDPOINTS,
    rail::ENDPOINTS,
    till::ENDPOINTS,
    state_proof::ENDPOINTS,
    status::ENDPOINTS,
    log::ENDPOINTS,
    wallet::ENDPOINTS,
    card::ENDPOINTS,
    code::ENDPOINTS,
    reception::ENDPOINTS,
    request::ENDPOINTS,
    desk_settlement::ENDPOINTS,
    refund::ENDPOINTS,
    objection::ENDPOINTS,
    contest::ENDPOINTS,
    contestable::ENDPOINTS,
    correction::ENDPOINTS,
    inquiry::ENDPOINTS,
    guardian::ENDPOINTS,
    notice::ENDPOINTS,
    family::ENDPOINTS,
    transfer::ENDPOINTS,
    binding::ENDPOINTS,
    face::ENDPOINTS,
    claim::ENDPOINTS,
    claim::desk::ENDPOINTS,
    claim::correction::ENDPOINTS,
    desk_act::ENDPOINTS,
    recovery::ENDPOINTS,
    device::ENDPOINTS,
    registry::ENDPOINTS,
    nhsa::ENDPOINTS,
];

static ALL: LazyLock<Vec<&'static Endpoint>> =
    LazyLock::new(|| RESOURCES.iter().flat_map(|resource| resource.iter()).collect());

/// Every endpoint.
#[must_use]
pub fn endpoints() -> &'static [&'static Endpoint] {
    &ALL
}
