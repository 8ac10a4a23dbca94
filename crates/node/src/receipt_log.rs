//! The receipt log as others see it: signed checkpoints, inclusion and consistency proofs, tiles.

use std::sync::{Arc, Mutex, PoisonError};

use ledger::Tip;
use primitives::{Hash, PublicKey};
use proof::checkpoint::{Checkpoint, SignedCheckpoint};
use proof::log::{MakeProofError, prove_consistency, prove_inclusion};
use proof::note::{NoteKey, NoteKeyError, NoteSigner, SignatureType};
use proof::tile::{Tile, TiledNodes, TiledNodesError, Tiles, encode_tile};

use crate::runtime::Committed;
use crate::signature::SecretKey;
use crate::store::{Disk, StoreError, TileLog};

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
    /// The newest checkpoint that was asked for.
    last: Mutex<Option<SignedCheckpoint>>,
}

impl ReceiptLog {
    pub(crate) fn new<D: Disk>(tiles: Arc<TileLog<D>>, signer: LogSigner) -> Self {
        Self { tiles: Source(tiles), signer, last: Mutex::default() }
    }

    pub(crate) const fn public_key(&self) -> &NoteKey {
        self.signer.public_key()
    }

    /// Takes in the receipts of a durable block.
    pub(crate) fn append(&self, block: &Committed) -> Result<(), StoreError> {
        block.receipts.iter().try_for_each(|receipt| self.tiles.0.push(&receipt.record.leaf()))
    }

    /// The signed checkpoint of the log as it is at this tip.
    pub(crate) fn checkpoint(&self, tip: &Tip) -> Result<SignedCheckpoint, ReceiptLogError> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(signed) = &*last
            && signed.checkpoint().size == tip.log.size()
        {
            return Ok(signed.clone());
        }
        let checkpoint =
            Checkpoint::new(self.signer.public_key().name(), tip.log.size(), tip.log.root());
        let signed = SignedCheckpoint::sign(&checkpoint, &self.signer)
            .map_err(|error| ReceiptLogError::Checkpoint(error.to_string()))?;
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
