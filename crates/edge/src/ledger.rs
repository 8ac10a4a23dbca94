//! The hospital's own window on the ledger: a light node beside the edge, and the key by which the
//! hospital signs there.

use std::sync::Arc;

use gateway::port::Chain;
use node::signature::SecretKey;
use primitives::OrganisationId;

/// What the edge knows of the ledger without believing the platform.
pub struct Ledger {
    /// The light node: whatever it says was proved.
    pub chain: Arc<dyn Chain>,
    /// Who the hospital is there.
    pub organisation: OrganisationId,
    /// The key that signs for it, which is nowhere else.
    pub key: SecretKey,
}
