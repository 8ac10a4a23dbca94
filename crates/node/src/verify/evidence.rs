//! What shows how long the ledger was, beside its blocks: what others kept of it, and what the
//! node wrote after its blocks.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use primitives::Hash;
use proof::checkpoint::{CheckpointError, SignedCheckpoint};
use proof::log::{Frontier, leaf_hash};
use proof::policy::{Policy, Refusal};
use proof::tlog_proof::TlogProofRefusal;
use proof::voucher::Voucher;

use crate::history::{HistoryReader, Progress};
use crate::runtime::Divergence;
use crate::signature::FastVerifier;
use crate::store::{Disk, Mark, StoreError, mark, snapshot, tiles};

/// Why something cannot be held against a ledger.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// It is no checkpoint.
    #[error("{0}")]
    Checkpoint(CheckpointError),
    /// The policy does not accept the checkpoint.
    #[error("{0}")]
    Refused(Refusal),
    /// The voucher does not hold.
    #[error("{0}")]
    Voucher(TlogProofRefusal),
}

/// What others kept of the ledger: it must be in the blocks. Empty, only what is in the node's own
/// folder is compared.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    roots: Vec<Root>,
    receipts: Vec<(u64, Hash, String)>,
    history: Option<PathBuf>,
    /// The signatures of the transactions under so many receipts need not be checked.
    trusted: u64,
}

/// The receipt log had this root at this size, as `name` says.
#[derive(Clone, Debug)]
struct Root {
    size: u64,
    root: Hash,
    name: String,
}

impl Evidence {
    /// A checkpoint of the receipt log that somebody kept; `name` is what errors call it.
    ///
    /// # Errors
    /// When it is none that the policy accepts.
    pub fn checkpoint(
        &mut self,
        name: &str,
        bytes: &[u8],
        policy: &Policy,
    ) -> Result<(), EvidenceError> {
        let signed = SignedCheckpoint::parse(bytes).map_err(EvidenceError::Checkpoint)?;
        policy.check(&signed, &FastVerifier).map_err(EvidenceError::Refused)?;
        self.root(name, &signed);
        Ok(())
    }

    /// A checkpoint as in [`Evidence::checkpoint`] whose signers are trusted to have checked the
    /// signatures of the transactions under it: these are not checked again.
    ///
    /// # Errors
    /// When it is none that the policy accepts.
    pub fn trust_before(
        &mut self,
        name: &str,
        bytes: &[u8],
        policy: &Policy,
    ) -> Result<(), EvidenceError> {
        self.checkpoint(name, bytes, policy)?;
        let size = self.roots.last().map_or(0, |root| root.size);
        self.trusted = self.trusted.max(size);
        Ok(())
    }

    /// Under how many receipts transactions are taken without their signatures.
    pub(super) const fn trusted_size(&self) -> u64 {
        self.trusted
    }

    /// A voucher that somebody holds: its receipt and its checkpoint; `name` is what errors call
    /// it.
    ///
    /// # Errors
    /// When it does not hold under the policy.
    pub fn voucher(
        &mut self,
        name: &str,
        voucher: &Voucher,
        policy: &Policy,
    ) -> Result<(), EvidenceError> {
        let verified = voucher.verify(policy, &FastVerifier).map_err(EvidenceError::Voucher)?;
        let leaf = leaf_hash(&verified.record.leaf());
        self.receipts.push((verified.index, leaf, name.to_owned()));
        self.root(name, voucher.checkpoint());
        Ok(())
    }

    /// The history of the node, when it does not lie in its folder as `history.sqlite`.
    pub fn history(&mut self, path: &Path) {
        self.history = Some(path.to_owned());
    }

    pub(super) fn history_in(&mut self, folder: &Path) {
        self.history.get_or_insert_with(|| folder.join("history.sqlite"));
    }

    fn root(&mut self, name: &str, signed: &SignedCheckpoint) {
        let checkpoint = signed.checkpoint();
        let (size, root, name) = (checkpoint.size, checkpoint.root, name.to_owned());
        self.roots.push(Root { size, root, name });
    }
}

/// All evidence, gathered before the blocks are read: a node that works in the folder meanwhile
/// writes its blocks before everything else.
pub(super) struct Witnesses {
    /// What must come out at a size of the receipt log, ascending.
    roots: Vec<Root>,
    receipts: BTreeMap<u64, (Hash, String)>,
    history: Option<Progress>,
    pub(super) snapshots: BTreeSet<u64>,
    pub(super) tiles: BTreeSet<String>,
    pub(super) signed: Option<u64>,
}

impl Witnesses {
    pub(super) fn gather<D: Disk>(
        evidence: Evidence,
        disk: &std::sync::Arc<D>,
        genesis: Hash,
    ) -> Result<Self, StoreError> {
        let Evidence { mut roots, receipts, history, trusted: _ } = evidence;
        let signed = Mark::new(std::sync::Arc::clone(disk)).read()?;
        let signed = signed.map(|signed| signed.checkpoint().clone());
        roots.extend(signed.as_ref().map(|checkpoint| Root {
            size: checkpoint.size,
            root: checkpoint.root,
            name: format!("`{}`", mark::FILE),
        }));
        roots.sort_by_key(|root| root.size);
        let receipts = receipts.into_iter().map(|(index, leaf, name)| (index, (leaf, name)));
        // A history that cannot be read or is of another ledger shows nothing; it is made anew.
        let history = history.filter(|path| path.exists());
        let history = history.and_then(|path| HistoryReader::untouched(&path).progress().ok());
        Ok(Self {
            roots,
            receipts: receipts.collect(),
            history: history.filter(|progress| progress.genesis == genesis && progress.height > 0),
            snapshots: snapshot::heights(&**disk)
                .map_err(StoreError::io("snapshots"))?
                .into_iter()
                .collect(),
            tiles: tiles::paths_on(&**disk).map_err(StoreError::io("receipts"))?,
            signed: signed.map(|checkpoint| checkpoint.size),
        })
    }

    /// The height up to which the folder itself shows that there were blocks.
    pub(super) fn known_height(&self) -> u64 {
        let snapshot = self.snapshots.last().copied().unwrap_or(0);
        snapshot.max(self.history_height().unwrap_or(0))
    }

    pub(super) fn history_height(&self) -> Option<u64> {
        self.history.map(|progress| progress.height)
    }

    /// Compares the receipt log at the size that it has come to.
    pub(super) fn at_size(&self, height: u64, log: &Frontier) -> Result<(), Divergence> {
        let first = self.roots.partition_point(|root| root.size < log.size());
        let here = self.roots.iter().skip(first).take_while(|root| root.size == log.size());
        for Root { size, root, name } in here {
            if *root != log.root() {
                let what = format!("the receipt log's root over {size} receipts in {name}");
                return Err(Divergence::new(height, what, log.root(), root));
            }
        }
        Ok(())
    }

    /// Compares the receipt at this place.
    pub(super) fn receipt(&self, height: u64, index: u64, leaf: &[u8]) -> Result<(), Divergence> {
        match self.receipts.get(&index) {
            Some((kept, name)) if *kept != leaf_hash(leaf) => {
                let what = format!("receipt {index} in {name}");
                Err(Divergence::new(height, what, leaf_hash(leaf), kept))
            }
            _ => Ok(()),
        }
    }

    /// Compares the history's last block.
    pub(super) fn block(&self, height: u64, value_id: Hash) -> Result<(), Divergence> {
        match self.history {
            Some(progress) if progress.height == height && progress.value_id != value_id => {
                let what = "the block id in the history";
                Err(Divergence::new(height, what, value_id, progress.value_id))
            }
            _ => Ok(()),
        }
    }

    /// Whether the blocks, which end with so many receipts, go as far as everything shows; `right`
    /// are the tiles that belong to them.
    pub(super) fn end(&self, there: u64, right: &BTreeSet<String>) -> Result<(), StoreError> {
        let longest = self.roots.last().filter(|root| root.size > there);
        let signed = longest.map(|Root { size, name, .. }| format!("{name} is over {size}"));
        let mut others = self.tiles.difference(right);
        let witness = signed.or_else(|| others.next().map(|path| format!("`{path}` holds others")));
        match witness {
            Some(witness) => Err(StoreError::MissingReceipts { there, witness }),
            None => Ok(()),
        }
    }
}
