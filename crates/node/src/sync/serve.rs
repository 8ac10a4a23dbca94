//! What a newcomer is told by a node that has a ledger: files as they lie on its disk. Whether they
//! are right, the newcomer finds out.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError, RwLock};

use primitives::codec;
use proof::tile::{TILE_WIDTH, Tile, Tiles as _, encode_tile};

use super::{Answer, HANDOVERS_MAX, Offer, PIECE_BYTES, Question, TILES_MAX};
use crate::runtime::Shared;
use crate::store::{Disk, DiskFile, Store, StoreError, snapshot};

/// How many snapshots stay open for those who fetch them, also when newer ones take their place.
const OPEN_MAX: usize = 2;

/// Answers newcomers.
pub(crate) struct Giver<D: Disk> {
    shared: Arc<Shared>,
    store: Arc<RwLock<Store<D>>>,
    open: VecDeque<(u64, D::File)>,
}

impl<D: Disk> Giver<D> {
    pub(crate) const fn new(shared: Arc<Shared>, store: Arc<RwLock<Store<D>>>) -> Self {
        Self { shared, store, open: VecDeque::new() }
    }

    /// The answer to a question, `None` to what is none.
    pub(crate) fn answer(&mut self, question: &[u8]) -> Option<Vec<u8>> {
        let question: Question = codec::decode(question).ok()?;
        let answer = self.tell(question).unwrap_or_else(|error| {
            tracing::warn!(?question, %error, "a newcomer cannot be answered");
            Answer::Gone
        });
        Some(codec::encode(&answer))
    }

    fn tell(&mut self, question: Question) -> Result<Answer, StoreError> {
        Ok(match question {
            Question::Newest => Answer::Newest(self.newest()?.map(Box::new)),
            Question::Handovers(behind) => {
                let handovers = self.shared.history.handovers(behind, HANDOVERS_MAX);
                handovers.map_or(Answer::Gone, |list| Answer::Handovers(behind, list))
            }
            Question::Piece { height, offset } => self.piece(height, offset)?,
            Question::Tiles(first) => Answer::Tiles(first, self.tiles(first)?),
            Question::Block(height) => Answer::Block(height, self.block(height)?),
        })
    }

    fn newest(&mut self) -> Result<Option<Offer>, StoreError> {
        let store = self.store.read().unwrap_or_else(PoisonError::into_inner);
        let heights = snapshot::heights(&**store.disk()).map_err(StoreError::io("snapshots"))?;
        let Some(height) = heights.last().copied() else { return Ok(None) };
        let stored = store.read_block(height)?;
        drop(store);
        let block: ledger::Block =
            codec::decode(&stored.block).map_err(|_| StoreError::Format(height))?;
        let path = snapshot::path_at(height);
        let bytes = self.file(height)?.length().map_err(StoreError::io(&path))?;
        Ok(Some(Offer { header: block.header, certificate: stored.certificate, bytes }))
    }

    fn piece(&mut self, height: u64, offset: u64) -> Result<Answer, StoreError> {
        let path = snapshot::path_at(height);
        let file = self.file(height)?;
        let length = file.length().map_err(StoreError::io(&path))?;
        let count = length.saturating_sub(offset).min(PIECE_BYTES);
        let mut bytes = vec![0; usize::try_from(count).unwrap_or(0)];
        file.read_at(offset, &mut bytes).map_err(StoreError::io(&path))?;
        Ok(Answer::Piece { height, offset, bytes })
    }

    /// The snapshot of this height, opened when it is the first time.
    fn file(&mut self, height: u64) -> Result<&D::File, StoreError> {
        let place = match self.open.iter().position(|(there, _)| *there == height) {
            Some(place) => place,
            None => {
                let path = snapshot::path_at(height);
                let store = self.store.read().unwrap_or_else(PoisonError::into_inner);
                let file = store.disk().open(&path).map_err(StoreError::io(&path))?;
                drop(store);
                if self.open.len() >= OPEN_MAX {
                    self.open.pop_front();
                }
                self.open.push_back((height, file));
                self.open.len() - 1
            }
        };
        let file = self.open.get(place).map(|(_, file)| file);
        file.ok_or(StoreError::NoBlock(height))
    }

    fn tiles(&self, first: u64) -> Result<Vec<u8>, StoreError> {
        let store = self.store.read().unwrap_or_else(PoisonError::into_inner);
        let tiles = Arc::clone(store.tiles());
        drop(store);
        let full = tiles.size() / u64::from(TILE_WIDTH);
        let asked = (first..full).take(usize::try_from(TILES_MAX).unwrap_or(0));
        let mut bytes = Vec::new();
        for tile in asked.filter_map(|index| Tile::new(0, index, TILE_WIDTH)) {
            bytes.extend(encode_tile(&tiles.tile(tile)?));
        }
        Ok(bytes)
    }

    fn block(&self, height: u64) -> Result<Vec<u8>, StoreError> {
        let store = self.store.read().unwrap_or_else(PoisonError::into_inner);
        Ok(codec::encode(&store.read_block(height)?))
    }
}
