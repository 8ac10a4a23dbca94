//! The operations, one file per resource. A file declares its endpoints as data; routing, authorisation,
//! contract and tests read the same list.

use std::sync::LazyLock;

use crate::endpoint::Endpoint;

pub mod event;
pub mod health;
pub mod index;
pub mod kind;
pub mod log;
pub mod network;
pub mod organisation;
pub mod problem;
pub mod receipt;
pub mod region;
pub mod session;
pub mod transaction;
pub mod voucher;

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
    event::ENDPOINTS,
    organisation::ENDPOINTS,
    region::ENDPOINTS,
    log::ENDPOINTS,
];

static ALL: LazyLock<Vec<&'static Endpoint>> =
    LazyLock::new(|| RESOURCES.iter().flat_map(|resource| resource.iter()).collect());

/// Every endpoint.
#[must_use]
pub fn endpoints() -> &'static [&'static Endpoint] {
    &ALL
}
