//! Whether a key is one of a party's own, by the ledger as it stands.

use ledger::modules::organisation::{Scope, Standing};
use ledger::modules::person::{KeyGrade, PersonStatus};
use ledger::modules::{network, organisation, person};
use primitives::key::WebAuthnContext;
use primitives::{OrganisationId, Party, PersonId, PublicKey, Timestamp, sha256};

use crate::port::Rows;

/// What the ledger says of a registered key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// What it may do; empty for a person's.
    pub scopes: Vec<Scope>,
    /// From when on it counts no more, if there is such an instant.
    pub expires: Option<Timestamp>,
    /// Whether it signs only on the network's own pages.
    pub is_passkey: bool,
}

/// What the ledger says of this key, if the party may have a session with it now: an online key of
/// an active organisation (never the root key, which stays offline), or a key of a person who is
/// not closed. A locked person may sign in and look; the ledger stops what a lock stops.
#[must_use]
pub fn registered(
    state: &dyn Rows,
    party: Party,
    key: PublicKey,
    now: Timestamp,
) -> Option<Registered> {
    match party {
        Party::Organisation(id) => organisation_key(state, id, key, now),
        Party::Person(id) => person_key(state, id, key),
    }
}

fn organisation_key(
    state: &dyn Rows,
    id: OrganisationId,
    key: PublicKey,
    now: Timestamp,
) -> Option<Registered> {
    let row = organisation::view::organisation(state, id)?;
    let online = organisation::view::key(state, id, key)?;
    let is_good = row.standing == Standing::Active && now < online.expires;
    is_good.then_some(Registered {
        scopes: online.scopes.clone(),
        expires: Some(online.expires),
        is_passkey: false,
    })
}

fn person_key(state: &dyn Rows, id: PersonId, key: PublicKey) -> Option<Registered> {
    let row = person::view::person(state, id)?;
    let own = row.key(&key)?;
    let is_passkey = match own.grade {
        KeyGrade::Passkey => true,
        KeyGrade::Device => false,
    };
    let is_open = row.status == PersonStatus::Active;
    is_open.then_some(Registered { scopes: Vec::new(), expires: None, is_passkey })
}

/// Whether the key signed where it may: a passkey only inside an assertion made on one of the
/// network's own pages, and nobody on a foreign one.
#[must_use]
pub fn signed_in_place(
    state: &dyn Rows,
    registered: &Registered,
    context: Option<&WebAuthnContext>,
) -> bool {
    match context {
        None => !registered.is_passkey,
        Some(context) => {
            let network = network::view::network(state);
            let origin = network.origins.iter().any(|origin| **origin == *context.origin);
            origin && context.rp_id_hash == sha256(network.rp_id.as_bytes())
        }
    }
}
