//! The other organisations of a node, as a file in its folder names them.
//!
//! ```toml
//! # DIR/node/peers.toml; DIR/node/keys/network.key names this node to the others
//! listen = "0.0.0.0:7410"               # where others reach it
//!
//! [[peer]]
//! organisation = "finance"
//! address = "10.0.0.2:7410"
//! name = "5f1c..."                      # what its network key proves, 64 digits
//! ```
//! Nobody else may connect. A folder without this file is the node of one organisation alone.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use bft::guard::Guard;
use bft::{Patience, PeerKey, PeerName};
use ledger::Genesis;
use node::runtime::Network;
use node::signature::{Scheme, SecretKey, save_key};
use primitives::OrganisationId;
use serde::{Deserialize, Serialize};

use super::folder::{
    BLOCK_KEY_FILE, GENESIS_FILE, LOG_KEY_FILE, NODE_FOLDER, ORGANISATION_FILE, ORIGIN_FILE,
    replace_file,
};
use crate::command::input::{bad, read_toml};
use crate::command::keys::read_key;

/// Who the other nodes are, in the node's folder.
pub const PEERS_FILE: &str = "peers.toml";
/// The key that names this node to them.
pub const NETWORK_KEY_FILE: &str = "keys/network.key";
/// What the node's block key signed last.
const VOTES_FILE: &str = "signed/votes";
const PEERS_BYTES_MAX: u64 = 64 << 10;
/// After how long without a transaction an empty block keeps block time near the clock.
const HEARTBEAT: Duration = Duration::from_secs(60);

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PeersFile {
    listen: String,
    #[serde(default)]
    peer: Vec<Peer>,
}

/// Another organisation's node.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Peer {
    /// Whose it is.
    pub organisation: OrganisationId,
    /// Where it is.
    pub address: String,
    /// The name that its network key proves.
    pub name: String,
}

/// The network of a data folder; `None` when the node is alone.
///
/// # Errors
/// When the file or the key cannot be read.
pub fn read_network(data: &Path) -> Result<Option<Network>> {
    let folder = data.join(NODE_FOLDER);
    let path = folder.join(PEERS_FILE);
    if !path.exists() {
        return Ok(None);
    }
    let file: PeersFile = read_toml("the peers of the node", &path, PEERS_BYTES_MAX)?;
    let key = read_key(&folder.join(NETWORK_KEY_FILE))?;
    let (mut peers, mut whose) = (Vec::new(), BTreeMap::new());
    for peer in file.peer {
        let name = peer.name.parse();
        let name =
            name.with_context(|| format!("`{}`, peer {}", path.display(), peer.organisation))?;
        whose.insert(name, peer.organisation);
        peers.push(bft::Peer { name, address: peer.address });
    }
    let place = bft::Network {
        peer_key: PeerKey::from_secret(*key.as_bytes()),
        listen: file.listen,
        peers,
        folder: folder.join("consensus"),
        guard: folder.join(VOTES_FILE),
        patience: Patience::default(),
    };
    Ok(Some(Network { place, whose, heartbeat: HEARTBEAT }))
}

/// The other nodes that the file of a data folder names.
///
/// # Errors
/// When the file cannot be read.
pub fn known_peers(data: &Path) -> Result<Vec<Peer>> {
    let path = data.join(NODE_FOLDER).join(PEERS_FILE);
    let file: PeersFile = read_toml("the peers of the node", &path, PEERS_BYTES_MAX)?;
    Ok(file.peer)
}

/// The key that names the node of a data folder to others; made when it is not there.
///
/// # Errors
/// When it cannot be read or written.
pub fn network_key(data: &Path) -> Result<SecretKey> {
    let path = data.join(NODE_FOLDER).join(NETWORK_KEY_FILE);
    if path.exists() {
        return read_key(&path);
    }
    let key = SecretKey::generate(Scheme::Ed25519)?;
    save_key(&path, &key)?;
    Ok(key)
}

/// Whether the node of a data folder has others beside it.
#[must_use]
pub fn is_one_of_several(data: &Path) -> bool {
    data.join(NODE_FOLDER).join(PEERS_FILE).exists()
}

/// The node of a data folder, as others name it that reach it there.
///
/// # Errors
/// When the folder has no key for it.
pub fn own_peer(data: &Path, organisation: OrganisationId, address: &str) -> Result<Peer> {
    if !is_one_of_several(data) {
        return Err(bad(format!(
            "the node in `{}` is alone: make it reachable with `yibao network open` first",
            data.display()
        )));
    }
    peer_at(data, organisation, address)
}

/// The node of a data folder, as others name it that ask it there.
///
/// # Errors
/// When its key cannot be read or made.
pub fn peer_at(data: &Path, organisation: OrganisationId, address: &str) -> Result<Peer> {
    let name = PeerKey::from_secret(*network_key(data)?.as_bytes()).name()?.to_string();
    Ok(Peer { organisation, address: address.to_owned(), name })
}

/// Writes where a node listens and who the others are into its data folder.
///
/// # Errors
/// When it cannot be written.
pub fn keep_peers(data: &Path, listen: &str, others: Vec<Peer>) -> Result<()> {
    let folder = data.join(NODE_FOLDER);
    let file = PeersFile { listen: listen.to_owned(), peer: others };
    Ok(replace_file(&folder.join(PEERS_FILE), toml::to_string(&file)?.as_bytes())?)
}

/// What one organisation's node is founded with.
pub struct Member {
    /// Whose it is.
    pub organisation: OrganisationId,
    /// The key that certifies blocks.
    pub block_key: SecretKey,
    /// The key that signs checkpoints of its receipt log.
    pub log_key: SecretKey,
    /// The name of that log.
    pub origin: String,
    /// The key that names its node.
    pub network_key: SecretKey,
    /// Where its node is reached, such as `10.0.0.1:7410`.
    pub address: String,
}

impl Member {
    /// The node as the others name it.
    ///
    /// # Errors
    /// When its key has no name.
    pub fn peer(&self) -> Result<Peer> {
        let name = self.name()?.to_string();
        Ok(Peer { organisation: self.organisation, address: self.address.clone(), name })
    }

    /// The name that its network key proves.
    ///
    /// # Errors
    /// When its key has no name.
    pub fn name(&self) -> Result<PeerName> {
        Ok(PeerKey::from_secret(*self.network_key.as_bytes()).name()?)
    }

    /// Writes its data folder.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn found(&self, data: &Path, genesis: &Genesis, others: Vec<Peer>) -> Result<()> {
        let folder = data.join(NODE_FOLDER);
        fs::create_dir_all(folder.join("keys"))?;
        save_key(&folder.join(BLOCK_KEY_FILE), &self.block_key)?;
        save_key(&folder.join(LOG_KEY_FILE), &self.log_key)?;
        replace_file(
            &folder.join(ORGANISATION_FILE),
            format!("{}\n", self.organisation).as_bytes(),
        )?;
        replace_file(&folder.join(ORIGIN_FILE), format!("{}\n", self.origin).as_bytes())?;
        let genesis = serde_json::to_vec_pretty(genesis)?;
        replace_file(&folder.join(GENESIS_FILE), &genesis)?;
        self.keep_peers(data, others)
    }

    /// Writes who the others are into its data folder, and that its block key, which is new, has
    /// signed nothing yet.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_peers(&self, data: &Path, others: Vec<Peer>) -> Result<()> {
        let folder = data.join(NODE_FOLDER);
        fs::create_dir_all(folder.join("keys"))?;
        save_key(&folder.join(NETWORK_KEY_FILE), &self.network_key)?;
        fs::create_dir_all(folder.join("signed"))?;
        Guard::of_new_key(&folder.join(VOTES_FILE))?;
        keep_peers(data, &self.address, others)
    }
}
