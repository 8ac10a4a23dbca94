//! A light node: it keeps headers only, asks others for what concerns its organisation, and
//! believes nothing that is not proved; and the service by which a full node answers it.
//!
//! Reading order: [`question`] (what can be asked), [`headers`] (what is believed without asking:
//! the chain of headers from a trust root, each certified by validators whom the one before
//! named), [`rows`] (the state's rows, each with its proof), [`node`] (following, and judging what
//! peers say), `chain` (the gateway's [`Chain`] over all of that), [`peers`] (whom to ask),
//! [`serve`] (the other side, and who may read what), [`link`] (the encrypted connection between
//! them, on which an organisation proves who it is by its ledger key).
//!
//! A peer can be silent, and it can leave receipts out of a list; it cannot make a light node
//! believe a row, a header, a fact of a receipt or a settlement that the validators did not decide
//! (test `a_lying_peer_is_found_out`). What a receipt says besides its facts (postings, events) is
//! not committed to by its record: there the peer's word counts (decision record 0032).
//!
//! [`Chain`]: gateway::port::Chain

mod chain;
pub mod headers;
pub mod link;
pub mod node;
pub mod peers;
pub mod question;
pub mod rows;
pub mod serve;

pub use headers::TrustRoot;
pub use node::{LightConfig, LightNode};
pub use peers::{Peer, PeerError};
pub use serve::Service;
