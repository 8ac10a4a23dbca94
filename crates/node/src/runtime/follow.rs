//! What runs behind the sequencer: the history and the snapshots.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use primitives::Timestamp;

use super::NodeFailure;
use super::metrics::add;
use super::open::header_of;
use super::queue::{self, NotReceived, Weight};
use super::shared::Shared;
use super::types::Committed;
use crate::history::{BlockReceipts, History, HistoryError};
use crate::store::{Disk, Snapshot, Store};

/// By how many receipts and blocks together the history may be behind before no further block is
/// made. Our own limit: it bounds memory to some tens of megabytes.
pub(crate) const HISTORY_LAG_MAX: usize = 16_384;
/// How many receipts and blocks the history takes in with one commit.
pub(crate) const HISTORY_BATCH_MAX: usize = 8_192;

/// What the history is to do.
pub(crate) enum HistoryTask {
    /// Take a block in.
    Block(Arc<Committed>),
    /// Make durable what was taken in, and say whether that was possible: a reader may be in the
    /// way.
    MakeDurable(SyncSender<bool>),
}

impl Weight for HistoryTask {
    fn weight(&self) -> usize {
        match self {
            Self::Block(block) => block.weight(),
            Self::MakeDurable(_) => 1,
        }
    }
}

/// The writer of the history, behind the sequencer.
pub(crate) struct HistoryFollower {
    pub(crate) shared: Arc<Shared>,
    pub(crate) history: History,
    pub(crate) tasks: queue::Receiver<HistoryTask>,
}

impl HistoryFollower {
    /// Does everything that waits, after waiting for the first task if asked to. `false` when there
    /// will be none any more.
    pub(crate) fn turn(&mut self, wait: bool) -> Result<bool, NodeFailure> {
        let mut next = if wait { self.tasks.receive() } else { self.tasks.try_receive() };
        let (mut blocks, mut waiting, mut weight) = (Vec::new(), Vec::new(), 0);
        let is_open = loop {
            match next {
                Ok(HistoryTask::Block(block)) => {
                    weight += block.weight();
                    blocks.push(block);
                }
                Ok(HistoryTask::MakeDurable(done)) => waiting.push(done),
                Err(NotReceived::Empty) => break true,
                Err(NotReceived::Closed) => break false,
            }
            if weight >= HISTORY_BATCH_MAX {
                break true;
            }
            next = self.tasks.try_receive();
        };
        self.append(&blocks)?;
        if !waiting.is_empty() {
            let is_durable = self.history.make_durable()?;
            for done in waiting {
                // Whoever asked may have gone.
                let _ = done.send(is_durable);
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
        handover: block.handover.as_ref(),
    }
}

/// How many bytes of blocks come before a snapshot for each row of the state: a row takes about 150
/// bytes of the snapshot.
const BLOCK_BYTES_PER_ROW: u64 = 32;

/// When a snapshot is due, so that a start replays no more than a few seconds of blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotPace {
    /// After so many blocks,
    pub blocks: u64,
    /// or after so many bytes of blocks, whichever comes first (more when the state is large).
    pub bytes: u64,
    /// And when the node is told to stop.
    pub at_stop: bool,
}

impl Default for SnapshotPace {
    /// Replaying 32 MiB of blocks takes some ten seconds on two cores.
    fn default() -> Self {
        Self { blocks: 100_000, bytes: 32 << 20, at_stop: true }
    }
}

/// After a start that executed this part of what is due again, a snapshot follows at once: a node
/// that is killed again and again comes back as quickly each time.
const RESTART_SHARE: u64 = 32;

/// A start that executed so many bytes of blocks for each row of the state took longer over it
/// than a snapshot takes to write: 32 MiB of blocks and 2 GB of a snapshot take about ten seconds
/// each.
const REPLAYED_PER_ROW: u64 = 3;

/// What a start found behind its snapshot.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Behind {
    /// How many blocks.
    pub(crate) blocks: u64,
    /// Their bytes.
    pub(crate) bytes: u64,
    /// How many rows the state has.
    pub(crate) rows: u64,
}

impl Behind {
    /// Whether a snapshot follows this start at once.
    pub(crate) fn is_overdue(self, pace: SnapshotPace) -> bool {
        self.bytes > 0 && self.bytes >= bytes_due(pace, self.rows) / RESTART_SHARE
    }

    /// Whether the start itself writes it, before anybody is served. A node that is killed before
    /// it could write one beside its blocks would execute more at each start.
    pub(crate) fn is_far(self, pace: SnapshotPace) -> bool {
        self.is_overdue(pace) && self.bytes >= self.rows.saturating_mul(REPLAYED_PER_ROW)
    }
}

/// After how many bytes of blocks a snapshot is due. A large state is written less often, so that
/// snapshots stay a part of what blocks write.
fn bytes_due(pace: SnapshotPace, rows: u64) -> u64 {
    pace.bytes.max(rows.saturating_mul(BLOCK_BYTES_PER_ROW))
}

/// How far a snapshot is.
enum Stage {
    /// None is being written.
    Idle,
    /// The history is made durable up to the snapshot's block first: a start from the snapshot does
    /// not replay what lies before.
    History(Box<Snapshot>, Receiver<bool>),
    /// The store writes it, this height.
    Writing(u64),
}

/// Writes snapshots beside the sequencer, one at a time.
pub(crate) struct SnapshotWriter<D: Disk> {
    store: Arc<RwLock<Store<D>>>,
    history: queue::Sender<HistoryTask>,
    pace: SnapshotPace,
    /// For how long blocks are kept.
    blocks_kept: Option<Duration>,
    blocks: u64,
    bytes: u64,
    /// The last one was given up: another is tried as soon as there is a block.
    is_overdue: bool,
    stage: Stage,
    /// When the one that is being written was requested.
    begun: Instant,
}

impl<D: Disk> SnapshotWriter<D> {
    pub(crate) fn new(
        store: Arc<RwLock<Store<D>>>,
        history: queue::Sender<HistoryTask>,
        (pace, blocks_kept): (SnapshotPace, Option<Duration>),
        behind: Behind,
    ) -> Self {
        let Behind { blocks, bytes, .. } = behind;
        let is_overdue = behind.is_overdue(pace);
        let (stage, begun) = (Stage::Idle, Instant::now());
        Self { store, history, pace, blocks_kept, blocks, bytes, is_overdue, stage, begun }
    }

    /// Counts a block and goes on with the snapshot, without waiting.
    pub(crate) fn advance(&mut self, bytes: usize, shared: &Shared) -> Result<(), NodeFailure> {
        self.blocks = self.blocks.saturating_add(1);
        self.bytes = self.bytes.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        let bytes_due = bytes_due(self.pace, shared.view().state.entry_count());
        let (start, was_idle) = (Instant::now(), matches!(self.stage, Stage::Idle));
        if self.is_overdue || self.blocks >= self.pace.blocks || self.bytes >= bytes_due {
            self.request(shared)?;
        }
        self.go_on(shared, false);
        if !(was_idle && matches!(self.stage, Stage::Idle)) {
            shared.counters.snapshot_stall.note(start.elapsed());
        }
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
        self.begun = Instant::now();
        (self.blocks, self.bytes, self.is_overdue) = (0, 0, false);
        Ok(())
    }

    /// Goes on with the snapshot that was requested; with `wait`, to its end. One that fails is
    /// given up and counted: blocks are not concerned, and another one is tried after the next.
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
                        Ok(true) => self.begin(*snapshot, shared),
                        Ok(false) => {
                            let reason = "a reader of the history was in the way";
                            self.give_up(snapshot.tip.height, &reason, shared);
                        }
                        Err(TryRecvError::Empty) => {
                            self.stage = Stage::History(snapshot, durable);
                            return;
                        }
                        // The history ended, which stops the node.
                        Err(TryRecvError::Disconnected) => return,
                    }
                }
                Stage::Writing(height) => {
                    let mut store = self.store.write().unwrap_or_else(PoisonError::into_inner);
                    let finished = store.finish_snapshot(wait);
                    drop(store);
                    match finished {
                        None => {
                            self.stage = Stage::Writing(height);
                            return;
                        }
                        Some(Ok(())) => {
                            shared.counters.snapshot.note(self.begun.elapsed());
                            shared.counters.snapshot_height.store(height, Ordering::Relaxed);
                            self.prune(shared);
                        }
                        Some(Err(error)) => self.give_up(height, &error, shared),
                    }
                }
            }
        }
    }

    fn begin(&mut self, snapshot: Snapshot, shared: &Shared) {
        let height = snapshot.tip.height;
        let mut store = self.store.write().unwrap_or_else(PoisonError::into_inner);
        let begun = store.begin_snapshot(snapshot);
        drop(store);
        match begun {
            Ok(()) => self.stage = Stage::Writing(height),
            Err(error) => self.give_up(height, &error, shared),
        }
    }

    /// Removes blocks that are older than they are kept, and that no start needs. Blocks that stay
    /// do no harm: when it fails, it is tried again after the next snapshot.
    fn prune(&self, shared: &Shared) {
        let Some(kept) = self.blocks_kept else { return };
        let millis = u64::try_from(kept.as_millis()).unwrap_or(u64::MAX);
        let now = shared.clock.now().millis();
        let before = Timestamp::from_millis(now.saturating_sub(millis));
        let mut store = self.store.write().unwrap_or_else(PoisonError::into_inner);
        let is_older = |block: &[u8]| header_of(block).is_some_and(|header| header.time < before);
        match store.prune(is_older) {
            Ok(0) => {}
            Ok(files) => {
                let first = store.first_height();
                tracing::info!(files, first, "older blocks were removed");
            }
            Err(error) => tracing::error!(%error, "older blocks cannot be removed"),
        }
    }

    fn give_up(&mut self, height: u64, reason: &dyn std::fmt::Display, shared: &Shared) {
        tracing::error!(height, %reason, "a snapshot was given up; another follows");
        self.is_overdue = true;
        add(&shared.counters.snapshots_given_up, 1);
    }
}
