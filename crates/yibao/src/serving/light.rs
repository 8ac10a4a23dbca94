//! A light node in a data folder, and the door of a full one for light nodes.
//!
//! ```text
//! DIR/light/root.json         where it begins to believe (`yibao light join` wrote it)
//! DIR/light/peers.toml        the full nodes that it asks, in this order
//! DIR/light/keys/sign-in.key  the key by which they know whose it is; authorised on the ledger
//! DIR/light/headers/          how far it has followed the headers
//! DIR/trust-policy.txt        whom vouchers are checked against
//! DIR/node/organisation       whose node it is
//! ```
//! It drives no payments outside and keeps no directory: who keeps the rail, and the bureau, do.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use adapters::clock::Clock;
use anyhow::{Context as _, Result, anyhow};
use gateway::api::status::NodeStatus;
use gateway::payments::Payments;
use gateway::port::{Chain, Figure};
use light::link::{Link, Listener, SignsIn};
use light::{LightConfig, LightNode, Service, TrustRoot};
use node::signature::{FastVerifier, SecretKey, save_key};
use primitives::{Hash, OrganisationId, PublicKey, Signature};
use proof::policy::Policy;
use serde::{Deserialize, Serialize};

use super::folder::{NODE_FOLDER, ORGANISATION_FILE, POLICY_FILE, operator, replace_file};
use super::network::{Peer, network_key};
use super::port::{NodePort, Operations};
use super::upkeep::{bytes_in, disk_under, memory_bytes};
use crate::command::input::{bad, read_json, read_text, read_toml};
use crate::command::keys::read_key;

/// What makes a data folder one of a light node.
pub const LIGHT_FOLDER: &str = "light";
/// Where it begins to believe, in that folder.
const ROOT_FILE: &str = "root.json";
/// Whom it asks.
const PEERS_FILE: &str = "peers.toml";
/// The key by which it signs in.
pub const SIGN_IN_KEY_FILE: &str = "keys/sign-in.key";
const HEADERS_FOLDER: &str = "headers";
/// A trust root or a list of peers is some kilobytes; more is not read.
pub const FILE_BYTES_MAX: u64 = 1 << 20;
/// How old the last block may be while the node is ready: a network makes one each minute.
const BLOCK_AGE_MAX_MILLIS: u64 = 5 * 60_000;

/// The full nodes that a light one asks.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PeersFile {
    /// In this order.
    peer: Vec<Peer>,
}

/// Whether a data folder is one of a light node.
#[must_use]
pub fn is_light(data: &Path) -> bool {
    data.join(LIGHT_FOLDER).join(ROOT_FILE).exists()
}

/// Where the light node of a data folder begins to believe.
///
/// # Errors
/// When it cannot be read.
pub fn trust_root(data: &Path) -> Result<TrustRoot> {
    read_json("the trust root", &data.join(LIGHT_FOLDER).join(ROOT_FILE), FILE_BYTES_MAX)
}

/// Signs in with a key out of a file.
struct SignInKey(SecretKey);

impl SignsIn for SignInKey {
    fn key(&self) -> PublicKey {
        self.0.public_key()
    }

    fn sign(&self, message: &Hash) -> Signature {
        self.0.sign(message)
    }
}

/// The light node of a data folder and the gateway's port over it.
///
/// # Errors
/// What is missing or wrong in the folder.
pub fn open_light(data: &Path, clock: &Arc<dyn Clock>) -> Result<(Arc<dyn Chain>, NodePort)> {
    let folder = data.join(LIGHT_FOLDER);
    let root = trust_root(data)?;
    let path = folder.join(PEERS_FILE);
    let file: PeersFile = read_toml("the full nodes to ask", &path, FILE_BYTES_MAX)?;
    if file.peer.is_empty() {
        return Err(bad(format!("`{}` names no full node; name one", path.display())));
    }
    let organisation = operator(data)?;
    let signer = Arc::new(SignInKey(read_key(&folder.join(SIGN_IN_KEY_FILE))?));
    let peers = file.peer.into_iter().map(|peer| {
        let name = peer.name.parse();
        let name =
            name.with_context(|| format!("`{}`, peer {}", path.display(), peer.organisation))?;
        let link = Link::to((name, peer.address), root.chain_id, organisation, signer.clone());
        Ok(Arc::new(link) as Arc<dyn light::Peer>)
    });
    let peers = peers.collect::<Result<Vec<_>>>()?;
    let policy = read_text("the policy", &data.join(POLICY_FILE), FILE_BYTES_MAX)?;
    let policy = Policy::parse(policy.as_bytes())
        .with_context(|| format!("`{}`", data.join(POLICY_FILE).display()))?;
    let mut seed = [0; 8];
    getrandom::fill(&mut seed)
        .map_err(|error| anyhow!("the system gives no randomness: {error}"))?;
    let config = LightConfig {
        root,
        peers: peers.clone(),
        folder: Some(folder.join(HEADERS_FOLDER)),
        policies: vec![policy],
        clock: Arc::clone(clock),
        seed: u64::from_le_bytes(seed),
    };
    let node = LightNode::open(config, FastVerifier).context("the light node's folder")?;
    let names: Vec<String> = peers.iter().map(|peer| peer.name()).collect();
    tracing::info!(height = node.height(), peers = names.join(", "), "the light node is up");
    let chain: Arc<dyn Chain> = Arc::new(node);
    let operations = LightOperations {
        chain: Arc::clone(&chain),
        clock: Arc::clone(clock),
        operator: organisation,
        data: data.to_owned(),
    };
    let port = NodePort::over(Arc::clone(&chain), Arc::new(operations), data.to_owned(), None)?;
    Ok((chain, port))
}

/// Makes the data folder of a light node.
///
/// # Errors
/// When it cannot be written.
pub fn found(
    data: &Path,
    organisation: OrganisationId,
    root: &TrustRoot,
    (peers, policy): (Vec<Peer>, &str),
    sign_in: &SecretKey,
) -> Result<()> {
    let folder = data.join(LIGHT_FOLDER);
    let key = folder.join(SIGN_IN_KEY_FILE);
    fs::create_dir_all(key.parent().unwrap_or(&folder))?;
    save_key(&key, sign_in)?;
    replace_file(&folder.join(ROOT_FILE), &serde_json::to_vec_pretty(root)?)?;
    let peers = toml::to_string(&PeersFile { peer: peers })?;
    replace_file(&folder.join(PEERS_FILE), peers.as_bytes())?;
    replace_file(&data.join(POLICY_FILE), policy.as_bytes())?;
    let whose = data.join(NODE_FOLDER).join(ORGANISATION_FILE);
    replace_file(&whose, format!("{organisation}\n").as_bytes())?;
    Ok(())
}

/// How a light node runs.
struct LightOperations {
    chain: Arc<dyn Chain>,
    clock: Arc<dyn Clock>,
    operator: OrganisationId,
    data: PathBuf,
}

impl Operations for LightOperations {
    fn is_ready(&self) -> bool {
        let tip = &self.chain.view().tip;
        tip.height > 0 && self.clock.now() <= tip.time.plus_millis(BLOCK_AGE_MAX_MILLIS)
    }

    fn figures(&self) -> Vec<Figure> {
        Vec::new()
    }

    fn operator(&self) -> OrganisationId {
        self.operator
    }

    fn status(&self) -> NodeStatus {
        NodeStatus {
            disk: disk_under(&self.data, bytes_in(&self.data.join(LIGHT_FOLDER))),
            memory_bytes: memory_bytes(),
            ..NodeStatus::of(&*self.chain, self.clock.now(), self.is_ready())
        }
    }

    fn payments(&self, _: OrganisationId) -> Option<Arc<dyn Payments>> {
        None
    }
}

/// Opens the door of a full node for light nodes. It lasts as long as what this gives.
///
/// # Errors
/// When nobody can connect to the address, or the node has no key to be known by.
pub fn open_door(
    data: &Path,
    chain: Arc<dyn Chain>,
    clock: &Arc<dyn Clock>,
    address: &str,
) -> Result<Listener> {
    let key = *network_key(data)?.as_bytes();
    let service = Service::new(chain)?;
    let listener = Listener::start(service, address, key, Arc::clone(clock));
    let listener = listener.with_context(|| format!("`{address}` cannot be listened on"))?;
    let folder = data.join(NODE_FOLDER);
    tracing::info!(folder = %folder.display(), address = %listener.address(), "light nodes may ask");
    Ok(listener)
}
