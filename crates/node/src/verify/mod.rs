//! Verifying a whole ledger from its data folder, trusting nothing but the genesis in it.
//!
//! Every block is executed again from genesis: every signature, header, certificate, receipt log
//! root and state root is computed and compared ([`crate::runtime::replay`]), every balance is
//! rebuilt from the entries of the receipts (`balance`), and the receipt tiles and snapshots are
//! compared with what comes out (`tiles`). Blocks that lead nowhere wrong may still be too few:
//! everything that shows how far the ledger went is held against them ([`evidence`]). The first
//! thing that does not fit is named. Nothing in the folder is changed, and a node may run in it
//! meanwhile ([`folder`]). All cores take part (`pipeline`).
//!
//! Whoever trusts a checkpoint may leave out the signatures of the transactions before it
//! ([`Evidence::trust_before`]): all else is still computed and compared, and the receipts must
//! come to the checkpoint's root. The report says how many signatures were not looked at.

mod balance;
pub mod evidence;
pub mod folder;
mod pipeline;
mod tiles;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ledger::{State, Tip};
use primitives::{Currency, Hash, Timestamp};
use proof::header::ChainId;
use proof::receipt::OutcomeCode;

use crate::runtime::replay::Divergence;
use crate::runtime::{read_genesis, thread_count};
use crate::store::{BlockLog, Cut, Disk, Known, LogLimits, StoreError, snapshot};
use balance::Books;
use evidence::Witnesses;
use folder::ReadOnlyFolder;
use pipeline::{Executed, Follow};
use tiles::TileCheck;

pub use evidence::{Evidence, EvidenceError};

/// Why a ledger is not whole.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// There is none.
    #[error("`{}` holds no ledger; name the data folder of a node", .0.display())]
    NoLedger(PathBuf),
    /// The genesis cannot be read.
    #[error("`genesis/genesis.json` cannot be read: {0}")]
    Genesis(io::Error),
    /// The block log cannot be read, or is damaged.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something does not follow from what is before it.
    #[error(transparent)]
    Divergence(#[from] Divergence),
    /// The first blocks are in an archive.
    #[error(
        "the first block here is {0}: those before it were removed, are in an archive, or were never \
         here; bring them back into `blocks`, or verify the folder of a node that has all blocks"
    )]
    Archived(u64),
}

/// How far a verification is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifyProgress {
    /// The last block verified.
    pub height: u64,
    /// The last block there is.
    pub last_height: u64,
    /// Transactions verified.
    pub transactions: u64,
}

/// All accounts of one currency together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CurrencyTotal {
    /// The currency.
    pub currency: Currency,
    /// How many accounts keep it.
    pub accounts: u64,
    /// How many entries moved it.
    pub entries: u64,
    /// How much they moved together, in minor units.
    pub moved: u128,
    /// The sum of all balances, in minor units: always zero.
    pub sum: i128,
}

/// What was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyReport {
    /// The ledger.
    pub chain_id: ChainId,
    /// The hash of its genesis, to be compared with what others say.
    pub genesis: Hash,
    /// How many blocks it has.
    pub blocks: u64,
    /// How many transactions were accepted.
    pub accepted: u64,
    /// How many were rejected in a block.
    pub rejected: u64,
    /// How many signatures were checked.
    pub signatures: u64,
    /// How many were not, because a trusted checkpoint is over their transactions.
    pub signatures_unchecked: u64,
    /// The id of the last block.
    pub value_id: Hash,
    /// Block time of the last block.
    pub time: Timestamp,
    /// The root of the state.
    pub state_root: Hash,
    /// How many receipts the log has.
    pub receipts: u64,
    /// The root of the receipt log.
    pub receipt_log_root: Hash,
    /// Every currency's accounts.
    pub totals: Vec<CurrencyTotal>,
    /// Full tiles of the receipt log on disk that are right.
    pub tiles: u64,
    /// Full tiles that are not there; the node writes them again when it starts.
    pub tiles_missing: u64,
    /// Snapshots that are right.
    pub snapshots: u64,
    /// Up to which height the history shows the same blocks; `None` without a history.
    pub history_height: Option<u64>,
    /// Over how many receipts the node signed its last checkpoint, which is right; `None` when it
    /// did not leave one.
    pub signed: Option<u64>,
    /// The remains of a block whose writing was interrupted, of which nothing shows that anybody
    /// was told.
    pub cut: Option<Cut>,
}

/// Verifies the ledger in a node's data folder, and that it holds what the evidence shows, on all
/// cores.
///
/// # Errors
/// The first thing that does not fit.
pub fn verify_chain(
    folder: &Path,
    mut evidence: Evidence,
    progress: impl FnMut(VerifyProgress) + Send,
) -> Result<VerifyReport, VerifyError> {
    evidence.history_in(folder);
    verify_on(ReadOnlyFolder::new(folder), folder, evidence, thread_count(), progress)
}

/// As [`verify_chain`] on any disk and on the caller's thread alone; `name` is what the disk is
/// called in errors.
///
/// # Errors
/// The first thing that does not fit.
pub fn verify_disk<D: Disk>(
    disk: D,
    name: &Path,
    evidence: Evidence,
    progress: impl FnMut(VerifyProgress) + Send,
) -> Result<VerifyReport, VerifyError> {
    verify_on(disk, name, evidence, 1, progress)
}

/// As [`verify_disk`] with so many workers; the caller is one of them.
///
/// # Errors
/// The first thing that does not fit.
pub fn verify_on<D: Disk>(
    disk: D,
    name: &Path,
    evidence: Evidence,
    workers: usize,
    progress: impl FnMut(VerifyProgress) + Send,
) -> Result<VerifyReport, VerifyError> {
    let genesis = read_genesis(&disk).map_err(VerifyError::Genesis)?;
    let genesis = genesis.ok_or_else(|| VerifyError::NoLedger(name.to_owned()))?;
    let disk = Arc::new(disk);
    let trusted = evidence.trusted_size();
    let witnesses = Witnesses::gather(evidence, &disk, genesis.hash())?;
    let known = Known { covered: 0, acknowledged: witnesses.known_height() };
    // The key matters for new segments only, and none is written.
    let (log, cut) = BlockLog::open(Arc::clone(&disk), LogLimits::default(), [0; 32], known)?;
    if log.first_height() > 1 {
        return Err(VerifyError::Archived(log.first_height()));
    }
    let ledger = genesis.ledger();
    let floors_move = ledger.registry().by_name(balance::MOVES_FLOORS).map(|kind| kind.number);
    let follower = Follower {
        end: (ledger.state().clone(), ledger.tip().clone()),
        chain_id: ledger.chain_id(),
        books: Books::new(floors_move),
        tiles: TileCheck::new(Arc::clone(&disk)),
        disk,
        witnesses,
        snapshots: 0,
        accepted: 0,
        rejected: 0,
        signatures: 0,
        signatures_unchecked: 0,
        last_height: log.last_height(),
        progress,
    };
    follower.witnesses.at_size(0, follower.tiles.log())?;
    let follower = pipeline::run(&log, ledger, follower, trusted, workers)?;
    follower.report(genesis.hash(), cut)
}

/// What is compared with every block after its execution.
struct Follower<D: Disk, P> {
    disk: Arc<D>,
    chain_id: ChainId,
    /// The ledger after the last block.
    end: (State, Tip),
    books: Books,
    tiles: TileCheck<D>,
    witnesses: Witnesses,
    snapshots: u64,
    accepted: u64,
    rejected: u64,
    signatures: u64,
    signatures_unchecked: u64,
    last_height: u64,
    progress: P,
}

impl<D: Disk, P: FnMut(VerifyProgress) + Send> Follow for Follower<D, P> {
    fn follow(&mut self, block: Executed) -> Result<(), VerifyError> {
        self.count(&block);
        self.books.block(&block)?;
        let height = block.header.height;
        for (index, receipt) in (block.first_receipt..).zip(&block.receipts) {
            let leaf = receipt.record.leaf();
            self.witnesses.receipt(height, index, &leaf)?;
            self.tiles.push(height, leaf)?;
            self.witnesses.at_size(height, self.tiles.log())?;
        }
        self.witnesses.block(height, block.certificate.value_id)?;
        if self.witnesses.snapshots.contains(&height) {
            self.snapshot(height, &block.tip)?;
        }
        self.end = (block.after, block.tip);
        let (last_height, transactions) = (self.last_height, self.accepted + self.rejected);
        (self.progress)(VerifyProgress { height, last_height, transactions });
        Ok(())
    }
}

impl<D: Disk, P> Follower<D, P> {
    /// Compares the snapshot of the block that was just executed.
    fn snapshot(&mut self, height: u64, tip: &Tip) -> Result<(), Divergence> {
        let path = snapshot::path_at(height);
        let differs = |got: &dyn std::fmt::Display| {
            let what = format!("the snapshot `{path}`");
            Err(Divergence::new(height, what, "the ledger after this block", got))
        };
        match snapshot::load(&*self.disk, &path) {
            // A snapshot is what it says of itself: its rows have the root that its header names.
            Ok(snapshot) if snapshot.tip != *tip => {
                differs(&format_args!("the ledger after block {}", snapshot.tip.value_id))
            }
            Ok(snapshot) if !self.tiles.is_end(&snapshot.partial_tiles) => {
                differs(&"another end of the receipt log")
            }
            Ok(_) => {
                self.snapshots += 1;
                Ok(())
            }
            // The node that works in the folder has removed it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => differs(&error),
        }
    }

    fn count(&mut self, block: &Executed) {
        self.signatures += block.certificate.signatures.len() as u64;
        if block.is_trusted {
            self.signatures_unchecked += block.signatures;
        } else {
            self.signatures += block.signatures;
        }
        for receipt in &block.receipts {
            match receipt.record.outcome {
                OutcomeCode::Accepted => self.accepted += 1,
                OutcomeCode::Rejected(_) => self.rejected += 1,
            }
        }
    }

    fn report(self, genesis: Hash, cut: Option<Cut>) -> Result<VerifyReport, VerifyError> {
        let (state, tip) = &self.end;
        self.witnesses.end(tip.log.size(), self.tiles.paths())?;
        Ok(VerifyReport {
            chain_id: self.chain_id,
            genesis,
            blocks: tip.height,
            accepted: self.accepted,
            rejected: self.rejected,
            signatures: self.signatures,
            signatures_unchecked: self.signatures_unchecked,
            value_id: tip.value_id,
            time: tip.time,
            state_root: state.root(),
            receipts: tip.log.size(),
            receipt_log_root: tip.log.root(),
            totals: self.books.close(tip.height, state)?,
            tiles: self.tiles.right,
            tiles_missing: self.tiles.missing,
            snapshots: self.snapshots,
            history_height: self.witnesses.history_height(),
            signed: self.witnesses.signed,
            cut,
        })
    }
}
