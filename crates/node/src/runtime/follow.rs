//! What runs behind the sequencer: the history and the snapshots.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::sync::{Arc, PoisonError, RwLock};

use super::NodeFailure;
use super::shared::Shared;
use super::types::Committed;
use crate::history::{BlockReceipts, History, HistoryError};
use crate::store::{Disk, Snapshot, Store};

/// How many blocks the history may be behind before no further block is made. Our own limit: it bounds
/// memory.
pub(crate) const HISTORY_LAG_BLOCKS_MAX: usize = 64;

/// What the history is to do.
pub(crate) enum HistoryTask {
    /// Take a block in.
    Block(Arc<Committed>),
    /// Make durable what was taken in, and say so.
    MakeDurable(SyncSender<()>),
}

/// The writer of the history, behind the sequencer.
pub(crate) struct HistoryFollower {
    pub(crate) shared: Arc<Shared>,
    pub(crate) history: History,
    pub(crate) tasks: Receiver<HistoryTask>,
}

impl HistoryFollower {
    /// Does everything that waits, after waiting for the first task if asked to. `false` when there
    /// will be none any more.
    pub(crate) fn turn(&mut self, wait: bool) -> Result<bool, NodeFailure> {
        let first = if wait {
            match self.tasks.recv() {
                Ok(task) => Some(task),
                Err(_) => return Ok(false),
            }
        } else {
            None
        };
        let (mut blocks, mut waiting) = (Vec::new(), Vec::new());
        let mut next = first.map_or_else(|| self.tasks.try_recv(), Ok);
        let is_open = loop {
            match next {
                Ok(HistoryTask::Block(block)) => blocks.push(block),
                Ok(HistoryTask::MakeDurable(done)) => waiting.push(done),
                Err(TryRecvError::Empty) => break true,
                Err(TryRecvError::Disconnected) => break false,
            }
            if blocks.len() >= HISTORY_LAG_BLOCKS_MAX {
                break true;
            }
            next = self.tasks.try_recv();
        };
        self.append(&blocks)?;
        if !waiting.is_empty() {
            self.history.make_durable()?;
            for done in waiting {
                // Whoever asked may have gone.
                let _ = done.send(());
            }
        }
        Ok(is_open)
    }

    fn append(&mut self, blocks: &[Arc<Committed>]) -> Result<(), HistoryError> {
        let Some(last) = blocks.last() else { return Ok(()) };
        let parts: Vec<BlockReceipts<'_>> = blocks.iter().map(|block| receipts_of(block)).collect();
        self.history.append(&parts)?;
        self.shared.recent.forget_up_to(last.header().height);
        Ok(())
    }
}

/// What the history takes from a block.
pub(crate) fn receipts_of(block: &Committed) -> BlockReceipts<'_> {
    BlockReceipts {
        height: block.header().height,
        value_id: block.certificate.value_id,
        receipts: &block.receipts,
    }
}

/// When a snapshot is due, so that a start replays no more than a few seconds of blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotPace {
    /// After so many blocks,
    pub blocks: u64,
    /// or after so many bytes of blocks, whichever comes first.
    pub bytes: u64,
    /// And when the node is told to stop.
    pub at_stop: bool,
}

impl Default for SnapshotPace {
    /// Replaying 64 MiB of blocks takes a few seconds.
    fn default() -> Self {
        Self { blocks: 10_000, bytes: 64 << 20, at_stop: true }
    }
}

/// How far a snapshot is.
enum Stage {
    /// None is being written.
    Idle,
    /// The history is made durable up to the snapshot's block first: a start from the snapshot does
    /// not replay what lies before.
    History(Box<Snapshot>, Receiver<()>),
    /// The store writes it, this height.
    Writing(u64),
}

/// Writes snapshots beside the sequencer, one at a time.
pub(crate) struct SnapshotWriter<D: Disk> {
    store: Arc<RwLock<Store<D>>>,
    history: SyncSender<HistoryTask>,
    pace: SnapshotPace,
    blocks: u64,
    bytes: u64,
    stage: Stage,
}

impl<D: Disk> SnapshotWriter<D> {
    pub(crate) const fn new(
        store: Arc<RwLock<Store<D>>>,
        history: SyncSender<HistoryTask>,
        pace: SnapshotPace,
        blocks_replayed: u64,
    ) -> Self {
        Self { store, history, pace, blocks: blocks_replayed, bytes: 0, stage: Stage::Idle }
    }

    /// Counts a block and goes on with the snapshot, without waiting.
    pub(crate) fn advance(&mut self, bytes: usize, shared: &Shared) -> Result<(), NodeFailure> {
        self.blocks = self.blocks.saturating_add(1);
        self.bytes = self.bytes.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        if self.blocks >= self.pace.blocks || self.bytes >= self.pace.bytes {
            self.request(shared)?;
        }
        self.go_on(shared, false);
        Ok(())
    }

    /// Whether a snapshot should be written before the node stops.
    pub(crate) const fn is_due_at_stop(&self) -> bool {
        self.pace.at_stop && self.blocks > 0
    }

    /// Takes the present state for a snapshot, unless one is being written.
    pub(crate) fn request(&mut self, shared: &Shared) -> Result<(), NodeFailure> {
        let view = shared.view();
        let (Stage::Idle, Some(header)) = (&self.stage, view.header.clone()) else { return Ok(()) };
        let store = self.store.read().unwrap_or_else(PoisonError::into_inner);
        let partial_tiles = store.tiles().partial_tiles();
        drop(store);
        let (state, tip) = (view.state.clone(), view.tip.clone());
        let (done, durable) = sync_channel(1);
        self.history.send(HistoryTask::MakeDurable(done)).map_err(|_| NodeFailure::Stopped)?;
        let snapshot = Snapshot { header, tip, state, partial_tiles };
        self.stage = Stage::History(Box::new(snapshot), durable);
        (self.blocks, self.bytes) = (0, 0);
        Ok(())
    }

    /// Goes on with the snapshot that was requested; with `wait`, to its end. One that fails is given
    /// up: blocks are not concerned, and the next one is tried in its time.
    pub(crate) fn go_on(&mut self, shared: &Shared, wait: bool) {
        loop {
            let stage = std::mem::replace(&mut self.stage, Stage::Idle);
            match stage {
                Stage::Idle => return,
                Stage::History(snapshot, durable) => {
                    let is_durable = if wait {
                        durable.recv().map_err(|_| TryRecvError::Disconnected)
                    } else {
                        durable.try_recv()
                    };
                    match is_durable {
                        Ok(()) => self.begin(*snapshot),
                        Err(TryRecvError::Empty) => {
                            self.stage = Stage::History(snapshot, durable);
                            return;
                        }
                        // The history ended, which stops the node by itself.
                        Err(TryRecvError::Disconnected) => return,
                    }
                }
                Stage::Writing(height) => {
                    let mut store = self.store.write().unwrap_or_else(PoisonError::into_inner);
                    match store.finish_snapshot(wait) {
                        None => {
                            self.stage = Stage::Writing(height);
                            return;
                        }
                        Some(Ok(())) => {
                            shared.counters.snapshot_height.store(height, Ordering::Relaxed);
                        }
                        Some(Err(error)) => tracing::error!(height, %error, "no snapshot"),
                    }
                }
            }
        }
    }

    fn begin(&mut self, snapshot: Snapshot) {
        let height = snapshot.tip.height;
        let mut store = self.store.write().unwrap_or_else(PoisonError::into_inner);
        match store.begin_snapshot(snapshot) {
            Ok(()) => self.stage = Stage::Writing(height),
            Err(error) => tracing::error!(height, %error, "no snapshot"),
        }
    }
}
