//! The nodes of the network and the organisations that decide its blocks: what they are on the
//! ledger.

use alloc::{sync::Arc, vec::Vec};
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Hash, OrganisationId, PublicKey, Text, Timestamp};
use proof::header::ValidatorSet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::table::{NODES, VALIDATORS};
use crate::kernel::overlay::{Overlay, Read};

/// The most nodes on a ledger. Each is connected to each; more organisations follow as light
/// nodes.
pub const NODES_MAX: usize = 100;

/// Where the others reach a node.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// Its name in the network: the public key of its connections.
    pub name: Hash,
    /// Host and port, such as `node.tax.example.cn:7410`.
    pub address: Text<253>,
}

/// The node of an organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NodeRow {
    /// Whose it is.
    pub organisation: OrganisationId,
    /// Where it is; nothing for a node that only the others' own files name.
    pub contact: Option<Contact>,
    /// The key with which it signs blocks, if it is a validator.
    pub key: PublicKey,
    /// When the key is to be replaced at the latest. It goes on counting: an old key that stops
    /// the chain would do more harm than it does.
    pub renew_by: Option<Timestamp>,
}

/// All nodes, sorted by organisation.
pub(super) fn nodes(state: &(impl Read + ?Sized)) -> Arc<Vec<NodeRow>> {
    NODES.shared(state, &()).unwrap_or_default()
}

/// Puts a node in its organisation's place.
pub(super) fn put_node(state: &mut Overlay<'_>, node: NodeRow) {
    let mut nodes = Arc::unwrap_or_clone(nodes(state));
    match nodes.binary_search_by_key(&node.organisation, |one| one.organisation) {
        Ok(place) => {
            if let Some(known) = nodes.get_mut(place) {
                *known = node;
            }
        }
        Err(place) => nodes.insert(place, node),
    }
    NODES.put(state, &(), &nodes);
}

/// The validators that transactions named; nothing while those of genesis decide.
pub(super) fn validators(state: &(impl Read + ?Sized)) -> Option<Arc<ValidatorSet>> {
    VALIDATORS.shared(state, &())
}
