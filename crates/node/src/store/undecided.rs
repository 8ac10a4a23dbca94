//! Blocks of the next height that are not decided: proposed by this node, or by others and found
//! right. They are durable before anybody hears that they are, because whoever voted for a block
//! must have it when it is decided.
//!
//! One file per block in `undecided/`: a SHA-256 over the rest, who proposed it in which round, and
//! its bytes. They are removed once their height is decided.

use std::io;
use std::sync::Arc;

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Hash, OrganisationId, codec, sha256};

use super::StoreError;
use super::disk::{Disk, DiskFile};

const FOLDER: &str = "undecided";
/// A block has a mebibyte at the most.
const BYTES_MAX: u64 = 2 << 20;

/// A block that is not decided, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct KeptBlock {
    /// The round in which it was proposed.
    pub round: u32,
    /// The round before in which two thirds voted for it, if that was another try.
    pub valid_round: Option<u32>,
    /// Who proposed it.
    pub proposer: OrganisationId,
    /// Header and transactions.
    pub block: Vec<u8>,
}

/// The blocks that are not decided, on a disk.
pub struct UndecidedBlocks<D: Disk>(Arc<D>);

impl<D: Disk> UndecidedBlocks<D> {
    /// Those on this disk.
    #[must_use]
    pub const fn new(disk: Arc<D>) -> Self {
        Self(disk)
    }

    /// Keeps a block of this height. When this returns, it is durable.
    ///
    /// # Errors
    /// When the disk fails: nobody may hear of the block.
    pub fn keep(&self, height: u64, value_id: &Hash, kept: &KeptBlock) -> Result<(), StoreError> {
        let name = format!("{height:020}-{value_id}");
        let path = format!("{FOLDER}/{name}");
        let content = codec::encode(kept);
        let bytes = [&sha256(&content).as_bytes()[..], &content].concat();
        let write = || {
            match self.read(&name) {
                // It was kept, and may have been voted for: never out of the way for a moment.
                Ok(Some(_)) => return Ok(()),
                Ok(None) => self.0.remove(&path)?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
            let file = self.0.create(&path)?;
            file.write_at(0, &bytes)?;
            file.sync()?;
            self.0.sync_folder(FOLDER)
        };
        write().map_err(StoreError::io(FOLDER))
    }

    /// The blocks of this height that are whole. One that is not was never told of.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn of(&self, height: u64) -> Result<Vec<KeptBlock>, StoreError> {
        let start = format!("{height:020}-");
        let mut blocks = Vec::new();
        for name in self.0.names(FOLDER).map_err(StoreError::io(FOLDER))? {
            if name.starts_with(&start) {
                blocks.extend(self.read(&name).map_err(StoreError::io(FOLDER))?);
            }
        }
        Ok(blocks)
    }

    fn read(&self, name: &str) -> io::Result<Option<KeptBlock>> {
        let file = self.0.open(&format!("{FOLDER}/{name}"))?;
        let length = file.length()?;
        if length > BYTES_MAX {
            return Ok(None);
        }
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
        file.read_at(0, &mut bytes)?;
        let Some((sum, content)) = bytes.split_at_checked(32) else { return Ok(None) };
        let is_whole = sum == sha256(content).as_bytes();
        Ok(is_whole.then(|| codec::decode(content).ok()).flatten())
    }

    /// Removes what is not above this height.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn forget_up_to(&self, height: u64) -> Result<(), StoreError> {
        let forget = || {
            for name in self.0.names(FOLDER)? {
                let at = name.get(..20).and_then(|digits| digits.parse::<u64>().ok());
                if at.is_none_or(|at| at <= height) {
                    self.0.remove(&format!("{FOLDER}/{name}"))?;
                }
            }
            Ok(())
        };
        forget().map_err(StoreError::io(FOLDER))
    }
}
