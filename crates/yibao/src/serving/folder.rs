//! A data folder, and the node that comes up from it.
//!
//! ```text
//! DIR/node/                  the node: genesis, blocks, receipts, snapshots, history.sqlite
//! DIR/node/signed/           what the node signed last; a backup leaves it out
//! DIR/node/losses.json       which receipts were lost for good, as the operator stated
//! DIR/node/last-backup.json  when the last backup was made, and where it is
//! DIR/node/organisation      whose node it is: the code of the organisation that certifies blocks
//! DIR/node/origin            the name of the receipt log, such as `yibao.example/gansu`
//! DIR/node/keys/blocks.key   the key that certifies blocks, as `yibao keys new` writes it
//! DIR/node/keys/log.key      the key that signs checkpoints of the receipt log (Ed25519)
//! DIR/node/peers.toml        the other organisations' nodes; without it, this one is alone
//! DIR/node/keys/network.key  the key that names this node to them
//! DIR/limits.toml            what clients and sessions may take, where that is not the default
//! DIR/trust-policy.txt       whom a holder of vouchers trusts, as a C2SP policy
//! DIR/trust-policy-1.txt     the same for the log before the first stated loss, and so on
//! DIR/ORGANISATION/seal/     the seal of whoever runs the node: it signs the sheets of vouchers
//! DIR/ORGANISATION/          what one organisation alone has: its vault, its books
//! ```

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use adapters::clock::Clock;
use anyhow::{Context as _, Result, anyhow};
use ledger::Genesis;
use ledger::kernel::block::PROTOCOL;
use node::MempoolLimits;
use node::receipt_log::LogSigner;
use node::runtime::{BlockSigner, Node, NodeConfig, NodeHandle, OpenReport, SnapshotPace, Threads};
use node::signature::SecretKey;
use node::store::{Folder, LogLimits};
use primitives::{OrganisationId, PublicKey};
use proof::policy::policy_text;

use crate::backup::loss::{losses, state_loss};
use crate::command::input::{bad, read_json, read_text};
use crate::command::keys::read_key;
use crate::serving::limits::DiskLimits;
use crate::serving::network::read_network;

/// The node's folder within a data folder.
pub const NODE_FOLDER: &str = "node";
/// Where a node keeps its genesis.
pub const GENESIS_FILE: &str = "genesis/genesis.json";
/// The node's history.
pub const HISTORY_FILE: &str = "history.sqlite";
/// Who runs the node.
pub const ORGANISATION_FILE: &str = "organisation";
/// The name of the receipt log.
pub const ORIGIN_FILE: &str = "origin";
/// The key that certifies blocks.
pub const BLOCK_KEY_FILE: &str = "keys/blocks.key";
/// The key that signs checkpoints.
pub const LOG_KEY_FILE: &str = "keys/log.key";
/// The policy of those who hold vouchers, in the data folder.
pub const POLICY_FILE: &str = "trust-policy.txt";

/// A genesis is some kilobytes; more is not read.
pub const GENESIS_BYTES_MAX: u64 = 16 << 20;
const WORD_BYTES_MAX: u64 = 1_024;

/// What a node needs besides its blocks.
struct Identity {
    genesis: Genesis,
    organisation: OrganisationId,
    origin: String,
    block_key: SecretKey,
    log_key: SecretKey,
}

/// What is known of a data folder before it is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Nothing: it has what it signed.
    Usual,
    /// It is a restored backup, and the newest copy that there is.
    NewestCopy,
    /// Newer blocks than its own are lost for good.
    AfterLoss,
}

/// How the ids of chains end on which upgrades are rehearsed.
const REHEARSAL: &str = "-rehearsal";

/// The newest rules that this program takes itself to know. On a network for rehearsals it may be
/// said to be a later release: the rules stay as they are, and everything around an upgrade happens
/// as it will.
fn protocol(genesis: &Genesis, rehearsed: Option<u32>) -> Result<u32> {
    let Some(rehearsed) = rehearsed else { return Ok(PROTOCOL) };
    let chain = genesis.chain_id;
    if !chain.to_string().ends_with(REHEARSAL) {
        return Err(bad(format!(
            "--rehearse-protocol is for networks whose id ends with `{REHEARSAL}`, and this one is \
             `{chain}`: its blocks would be made by rules that this release does not have"
        )));
    }
    if rehearsed < PROTOCOL {
        return Err(bad(format!(
            "--rehearse-protocol {rehearsed}: this release knows the rules up to {PROTOCOL}; name \
             that number or a later one"
        )));
    }
    Ok(rehearsed)
}

/// Brings up the node of a data folder that was founded before. A restored backup is started from
/// only when somebody says that it is the newest copy, or that newer blocks are lost.
///
/// # Errors
/// What is missing or damaged in the folder, that another node works in it, or that an upgrade is
/// rehearsed where none may be.
pub fn open_node(
    data: &Path,
    clock: Arc<dyn Clock>,
    (mempool, disk_limits): (MempoolLimits, DiskLimits),
    (start, rehearsed): (Start, Option<u32>),
) -> Result<(NodeHandle, OpenReport)> {
    let folder = data.join(NODE_FOLDER);
    if start == Start::AfterLoss {
        let loss = state_loss(data, clock.now())?;
        tracing::warn!(
            height = loss.end.height,
            receipts = loss.end.receipts,
            origin = loss.next_origin(),
            "blocks behind this height are stated to be lost; the log goes on under another name"
        );
    }
    let Identity { genesis, organisation, origin, block_key, log_key } = read_identity(data)?;
    let protocol = protocol(&genesis, rehearsed)?;
    let key = block_key.public_key();
    let mut randomness = [0; 32];
    getrandom::fill(&mut randomness)
        .map_err(|error| anyhow!("the system gives no randomness: {error}"))?;
    let config = NodeConfig {
        signer: BlockSigner::new(organisation, block_key),
        log_signer: LogSigner::new(&origin, log_key).map_err(|error| {
            let file = folder.join(ORIGIN_FILE);
            bad(format!("{error}; mend it in `{}`", file.display()))
        })?,
        clock,
        history: folder.join(HISTORY_FILE),
        randomness,
        mempool,
        log: LogLimits::default(),
        snapshots: SnapshotPace::default(),
        blocks_kept: disk_limits.blocks_kept(),
        is_newest_copy: start != Start::Usual,
        protocol,
        threads: Threads::Own { checking: 0 },
    };
    let disk = Folder::open(&folder)?;
    let network = read_network(data)?;
    let is_alone = network.is_none();
    let (node, report) = Node::open_with(disk, &genesis, config, network)?;
    if is_alone {
        check_validator(&node, organisation, key, &folder).inspect_err(|_| node.stop())?;
    }
    write_policy(data, &node)?;
    Ok((node, report))
}

/// Who runs the node of a data folder.
///
/// # Errors
/// When the folder does not say.
pub fn operator(data: &Path) -> Result<OrganisationId> {
    let path = data.join(NODE_FOLDER).join(ORGANISATION_FILE);
    let text = read_text("the organisation of the node", &path, WORD_BYTES_MAX)?;
    text.trim().parse().map_err(|error| bad(format!("`{}`: {error}", path.display())))
}

/// Writes the policy by which vouchers of this node's log are checked.
///
/// # Errors
/// When it cannot be written.
pub fn write_policy(data: &Path, node: &NodeHandle) -> Result<()> {
    for (number, policy) in policies(data, node)?.iter().enumerate() {
        let name = match number {
            0 => POLICY_FILE.to_owned(),
            number => format!("trust-policy-{number}.txt"),
        };
        let path = data.join(name);
        replace_file(&path, policy.as_bytes())
            .with_context(|| format!("`{}` cannot be written", path.display()))?;
    }
    Ok(())
}

/// The policies by which vouchers of this node's log are checked: that of the log as it is named
/// now, and those before the first, second and further stated losses.
///
/// Vouchers from before a loss are as good as they were. A policy names a key once, so each earlier
/// name of the log has a policy of its own.
///
/// # Errors
/// When the losses cannot be read.
pub fn policies(data: &Path, node: &NodeHandle) -> Result<Vec<String>> {
    let mut policies = vec![policy_text(node.log_key(), &[], 0)];
    for loss in losses(&data.join(NODE_FOLDER))? {
        let earlier = node.log_key().renamed(&loss.origin);
        let earlier = earlier.map_err(|error| bad(format!("`{}`: {error}", loss.origin)))?;
        policies.push(policy_text(&earlier, &[], 0));
    }
    Ok(policies)
}

/// Puts these bytes in the place of a file: old or new is there at any time, never a part, and what
/// was written survives a power cut. Makes the folder when it is missing.
///
/// # Errors
/// When it cannot be written.
pub fn replace_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // A bare name lies in the folder where the program runs.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = path.with_file_name(name);
    let mut file = File::create(&part)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&part, path)?;
    File::open(folder)?.sync_all()
}

fn read_identity(data: &Path) -> Result<Identity> {
    let folder = data.join(NODE_FOLDER);
    let genesis = folder.join(GENESIS_FILE);
    if !genesis.exists() {
        return Err(bad(format!(
            "`{}` holds no ledger: there is no `{NODE_FOLDER}/{GENESIS_FILE}` in it; name the data folder \
             that `yibao demo --data DIR` made, or one that you founded",
            data.display()
        )));
    }
    let word = |what: &str, file: &str| -> Result<(PathBuf, String)> {
        let path = folder.join(file);
        let text = read_text(what, &path, WORD_BYTES_MAX)?;
        Ok((path, text.trim().to_owned()))
    };
    let (path, organisation) = word("the organisation of the node", ORGANISATION_FILE)?;
    let organisation =
        organisation.parse().map_err(|error| bad(format!("`{}`: {error}", path.display())))?;
    let (_, origin) = word("the name of the receipt log", ORIGIN_FILE)?;
    Ok(Identity {
        genesis: read_json("the genesis", &genesis, GENESIS_BYTES_MAX)?,
        organisation,
        origin,
        block_key: read_key(&folder.join(BLOCK_KEY_FILE))?,
        log_key: read_key(&folder.join(LOG_KEY_FILE))?,
    })
}

/// A node whose blocks nobody accepts is noticed before it makes one; among others it would follow.
fn check_validator(
    node: &NodeHandle,
    organisation: OrganisationId,
    key: PublicKey,
    folder: &Path,
) -> Result<()> {
    let tip = node.view().tip.clone();
    match tip.validators.validators() {
        [one] if one.organisation == organisation && one.key == key => Ok(()),
        [one] if one.organisation == organisation => Err(bad(format!(
            "`{}` is not the key with which `{organisation}` certifies blocks; put the right key \
             there, or the right organisation into `{}`",
            folder.join(BLOCK_KEY_FILE).display(),
            folder.join(ORGANISATION_FILE).display()
        ))),
        others => {
            let names: Vec<_> = others.iter().map(|one| one.organisation.as_str()).collect();
            Err(bad(format!(
                "the blocks of this ledger are certified by {}; make the node of `{organisation}` one of \
                 several with `yibao network open` or `yibao network join`",
                names.join(", ")
            )))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/words");
        replace_file(&path, b"one").unwrap();
        replace_file(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }
}
