//! The receipt log as others see it: signed checkpoints, inclusion and consistency proofs, tiles.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ledger::Tip;
use primitives::{Hash, PublicKey};
use proof::checkpoint::{Checkpoint, CheckpointError, SignedCheckpoint};
use proof::log::{MakeProofError, prove_consistency, prove_inclusion, verify_consistency};
use proof::note::{NoteKey, NoteKeyError, NoteSigner, SignatureType};
use proof::tile::{Tile, TiledNodes, TiledNodesError, Tiles, encode_tile};

use crate::runtime::Committed;
use crate::signature::{FastVerifier, SecretKey};
use crate::store::{Disk, Mark, StoreError, TileLog};

/// The key with which the node signs checkpoints, under the log's name.
#[derive(Debug)]
pub struct LogSigner {
    name: NoteKey,
    key: SecretKey,
}

/// Why a key cannot sign checkpoints.
#[derive(Debug, thiserror::Error)]
pub enum LogSignerError {
    /// Checkpoints are signed with Ed25519 (C2SP signed-note).
    #[error("the log key `{0}` is not an Ed25519 key; make one with scheme `ed25519`")]
    Scheme(PublicKey),
    /// The name is not one of a log.
    #[error("the log's name: {0}")]
    Name(NoteKeyError),
}

impl LogSigner {
    /// The signer of the log with this name, such as `yibao.example/gansu`.
    ///
    /// # Errors
    /// A key of another scheme, or a name that is none.
    pub fn new(name: &str, key: SecretKey) -> Result<Self, LogSignerError> {
        let PublicKey::Ed25519(bytes) = key.public_key() else {
            return Err(LogSignerError::Scheme(key.public_key()));
        };
        let name =
            NoteKey::new(name, SignatureType::Ed25519, bytes).map_err(LogSignerError::Name)?;
        Ok(Self { name, key })
    }

    /// The public key under the log's name: what a policy file names.
    #[must_use]
    pub const fn public_key(&self) -> &NoteKey {
        &self.name
    }
}

impl NoteSigner for LogSigner {
    type Error = std::convert::Infallible;

    fn key(&self) -> &NoteKey {
        &self.name
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], Self::Error> {
        Ok(self.key.sign_raw(message))
    }
}

/// Why something about the receipt log could not be had.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptLogError {
    /// A tile could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The log does not reach that far.
    #[error("the receipt log does not reach that far")]
    OutOfRange,
    /// A tile on disk is not what it should be.
    #[error("the receipt log's tile `{0}` is damaged; delete `receipts` and start the node again")]
    Damaged(String),
    /// The checkpoint could not be written.
    #[error("the checkpoint cannot be written: {0}")]
    Checkpoint(String),
    /// The log is not one that continues what this node signed before.
    #[error(
        "this node signed a checkpoint over {size} receipts with another root than the blocks give: \
         the blocks are not those that it made; restore the data folder from a backup or copy it \
         from another node"
    )]
    Forked {
        /// How many receipts the signed checkpoint is over.
        size: u64,
    },
    /// The log was signed under another name.
    #[error(
        "this node signed its log as `{there}`, and its name is `{here}` now: a log keeps its name; \
         put it back into the file `origin`"
    )]
    OtherName {
        /// The name under which it was signed.
        there: String,
        /// The name that it has now.
        here: String,
    },
}

type BoxedTiles = Arc<dyn TileSource>;

/// The tiles, whatever disk they are on.
trait TileSource: Send + Sync {
    fn hashes(&self, tile: Tile) -> Result<Vec<Hash>, StoreError>;
    fn entries(&self, tile: Tile) -> Result<Vec<u8>, StoreError>;
    fn push(&self, leaf: &[u8]) -> Result<(), StoreError>;
}

impl<D: Disk> TileSource for TileLog<D> {
    fn hashes(&self, tile: Tile) -> Result<Vec<Hash>, StoreError> {
        self.tile(tile)
    }

    fn entries(&self, tile: Tile) -> Result<Vec<u8>, StoreError> {
        Self::entries(self, tile)
    }

    fn push(&self, leaf: &[u8]) -> Result<(), StoreError> {
        Self::push(self, leaf)
    }
}

/// What was signed last, whatever disk it is on.
trait KeepMark: Send + Sync {
    fn write(&self, signed: &SignedCheckpoint) -> Result<(), StoreError>;
}

impl<D: Disk> KeepMark for Mark<D> {
    fn write(&self, signed: &SignedCheckpoint) -> Result<(), StoreError> {
        Self::write(self, signed)
    }
}

struct Source(BoxedTiles);

impl Tiles for Source {
    type Error = StoreError;

    fn tile(&self, tile: Tile) -> Result<Vec<Hash>, StoreError> {
        self.0.hashes(tile)
    }
}

/// The receipt log of a running node.
pub(crate) struct ReceiptLog {
    tiles: Source,
    signer: LogSigner,
    mark: Box<dyn KeepMark>,
    last: Mutex<Option<SignedCheckpoint>>,
    signed_size: AtomicU64,
}

impl ReceiptLog {
    /// The receipt log that stands at this tip, which must continue what the mark says was signed
    /// last. Without a mark, a first checkpoint is signed.
    pub(crate) fn open<D: Disk>(
        tiles: Arc<TileLog<D>>,
        signer: LogSigner,
        mark: Mark<D>,
        tip: &Tip,
    ) -> Result<Self, ReceiptLogError> {
        let last = mark.read()?;
        let (tiles, mark, is_new) = (Source(tiles), Box::new(mark), last.is_none());
        let size = last.as_ref().map_or(0, |signed| signed.checkpoint().size);
        let (last, signed_size) = (Mutex::new(last), AtomicU64::new(size));
        let log = Self { tiles, signer, mark, last, signed_size };
        if is_new {
            log.checkpoint(tip)?;
        } else {
            log.check_mark(tip)?;
        }
        Ok(log)
    }

    fn check_mark(&self, tip: &Tip) -> Result<(), ReceiptLogError> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(signed) = &*last else { return Ok(()) };
        let key = self.signer.public_key();
        let own = signed.note().signed_by(key, &FastVerifier);
        let own = own.map_err(|error| StoreError::Mark(CheckpointError::Note(error)))?;
        let Checkpoint { size, root, .. } = signed.checkpoint();
        let path = self.consistency(*size, tip.log.size())?;
        verify_consistency(*size, *root, tip.log.size(), tip.log.root(), &path)
            .map_err(|_| ReceiptLogError::Forked { size: *size })?;
        let there = &signed.checkpoint().origin;
        if there != key.name() {
            let (there, here) = (there.clone(), key.name().to_owned());
            return Err(ReceiptLogError::OtherName { there, here });
        }
        if own.is_none() {
            // It was signed with an earlier key of this node, under which nothing is signed again.
            *last = None;
        }
        Ok(())
    }

    pub(crate) const fn public_key(&self) -> &NoteKey {
        self.signer.public_key()
    }

    /// How many receipts the last signed checkpoint is over.
    pub(crate) fn signed_size(&self) -> u64 {
        self.signed_size.load(Ordering::Acquire)
    }

    /// Takes in the receipts of a durable block.
    pub(crate) fn append(&self, block: &Committed) -> Result<(), StoreError> {
        block.receipts.iter().try_for_each(|receipt| self.tiles.0.push(&receipt.record.leaf()))
    }

    /// A signed checkpoint of the log as it is at this tip or a later one: never of an earlier one
    /// than was signed before. It is on the disk as the mark when this returns.
    pub(crate) fn checkpoint(&self, tip: &Tip) -> Result<SignedCheckpoint, ReceiptLogError> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(signed) = &*last
            && signed.checkpoint().size >= tip.log.size()
        {
            return Ok(signed.clone());
        }
        let checkpoint =
            Checkpoint::new(self.signer.public_key().name(), tip.log.size(), tip.log.root());
        let signed = SignedCheckpoint::sign(&checkpoint, &self.signer)
            .map_err(|error| ReceiptLogError::Checkpoint(error.to_string()))?;
        self.mark.write(&signed)?;
        self.signed_size.store(tip.log.size(), Ordering::Release);
        *last = Some(signed.clone());
        Ok(signed)
    }

    pub(crate) fn inclusion(&self, index: u64, size: u64) -> Result<Vec<Hash>, ReceiptLogError> {
        let nodes = TiledNodes::new(&self.tiles, size);
        prove_inclusion(&nodes, index, size).map_err(proof_error)
    }

    pub(crate) fn consistency(&self, old: u64, new: u64) -> Result<Vec<Hash>, ReceiptLogError> {
        let nodes = TiledNodes::new(&self.tiles, new);
        prove_consistency(&nodes, old, new).map_err(proof_error)
    }

    /// The bytes of a tile of hashes of a log of this size.
    pub(crate) fn tile(&self, tile: Tile, size: u64) -> Result<Option<Vec<u8>>, StoreError> {
        if !is_within(tile, size) {
            return Ok(None);
        }
        Ok(Some(encode_tile(&self.tiles.0.hashes(tile)?)))
    }

    /// The bytes of a bundle of entries of a log of this size.
    pub(crate) fn entries(&self, tile: Tile, size: u64) -> Result<Option<Vec<u8>>, StoreError> {
        if tile.level() != 0 || !is_within(tile, size) {
            return Ok(None);
        }
        Ok(Some(self.tiles.0.entries(tile)?))
    }
}

/// Whether a log of this size has the tile at this width.
fn is_within(tile: Tile, size: u64) -> bool {
    Tile::at(tile.level(), tile.index(), size).is_some_and(|widest| tile.width() <= widest.width())
}

fn proof_error(error: MakeProofError<TiledNodesError<StoreError>>) -> ReceiptLogError {
    match error {
        MakeProofError::OutOfRange | MakeProofError::Nodes(TiledNodesError::OutOfRange) => {
            ReceiptLogError::OutOfRange
        }
        MakeProofError::Nodes(TiledNodesError::Short(tile)) => {
            ReceiptLogError::Damaged(tile.path())
        }
        MakeProofError::Nodes(TiledNodesError::Tiles(error)) => ReceiptLogError::Store(error),
    }
}
