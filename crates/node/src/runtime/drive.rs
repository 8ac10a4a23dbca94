//! The threads of a node, or the one that its caller lends.

use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

use consensus::{Engine, EngineError, Solo, Step};

use super::check::{check_round, start_threads, thread_count};
use super::follow::HistoryFollower;
use super::network::Membership;
use super::sequencer::Sequencer;
use super::shared::Shared;
use super::{BlockSigner, NodeFailure};
use crate::store::Disk;

/// The engine and what it orders blocks for.
pub(crate) struct Machine<D: Disk> {
    pub(crate) sequencer: Sequencer<D>,
    pub(crate) engine: Order,
}

/// What orders blocks.
pub(crate) enum Order {
    /// This node alone.
    Solo(Solo<BlockSigner>),
    /// This node with others, heard over connections with threads of their own.
    Network(Option<Box<Membership>>),
}

impl<D: Disk> Machine<D> {
    /// Makes a block if something waits for one; whether it did.
    fn turn(&mut self) -> Result<bool, NodeFailure> {
        let Order::Solo(engine) = &mut self.engine else { return Ok(false) };
        match engine.step(&mut self.sequencer) {
            Ok(Step::Decided(_)) => Ok(true),
            Ok(Step::Idle) => Ok(false),
            Err(EngineError::Application(failure)) => Err(failure),
            Err(error) => Err(NodeFailure::Engine(error.to_string())),
        }
    }

    fn run(&mut self) -> Result<(), NodeFailure> {
        let shared = Arc::clone(&self.sequencer.shared);
        match &mut self.engine {
            Order::Network(membership) => {
                // Taken, so that the engine has ended before the last snapshot is written.
                let membership = membership.take().ok_or(NodeFailure::Stopped)?;
                membership.run(&mut self.sequencer)?;
            }
            Order::Solo(_) => loop {
                while self.turn()? {}
                if !shared.mempool.wait_for_candidates() {
                    break;
                }
            },
        }
        let snapshots = &mut self.sequencer.snapshots;
        if shared.is_told_to_stop() {
            sign_off(&shared);
            if snapshots.is_due_at_stop() {
                // One that is being written already is finished first.
                snapshots.go_on(&shared, true);
                snapshots.request(&shared)?;
            }
        }
        snapshots.go_on(&shared, true);
        Ok(())
    }
}

/// Leaves a mark of the last block behind, so that the next start notices when it is missing.
fn sign_off(shared: &Shared) {
    if let Err(error) = shared.receipt_log.checkpoint(&shared.view().tip) {
        tracing::warn!(%error, "the last checkpoint could not be signed");
    }
}

/// Everything that a node does, done by whoever calls.
pub(crate) trait Drive: Send {
    /// Works until nothing waits any more.
    fn run_until_idle(&mut self) -> Result<(), NodeFailure>;

    /// Works off what is executed now and writes the last snapshot.
    fn finish(&mut self) -> Result<(), NodeFailure>;
}

pub(crate) struct Driver<D: Disk> {
    machine: Machine<D>,
    history: HistoryFollower,
}

impl<D: Disk> Driver<D> {
    pub(crate) const fn new(machine: Machine<D>, history: HistoryFollower) -> Self {
        Self { machine, history }
    }
}

impl<D: Disk> Drive for Driver<D> {
    fn run_until_idle(&mut self) -> Result<(), NodeFailure> {
        let shared = Arc::clone(&self.machine.sequencer.shared);
        loop {
            while check_round(&shared.mempool, &shared.registry, false) > 0 {}
            let has_block = self.machine.turn()?;
            self.history.turn(false)?;
            self.machine.sequencer.snapshots.go_on(&shared, true);
            if !has_block && shared.mempool.is_empty() {
                return Ok(());
            }
        }
    }

    fn finish(&mut self) -> Result<(), NodeFailure> {
        self.history.turn(false)?;
        let shared = Arc::clone(&self.machine.sequencer.shared);
        sign_off(&shared);
        let snapshots = &mut self.machine.sequencer.snapshots;
        if snapshots.is_due_at_stop() {
            snapshots.request(&shared)?;
            self.history.turn(false)?;
            snapshots.go_on(&shared, true);
        }
        Ok(())
    }
}

/// Starts the node's threads.
pub(crate) fn start<D: Disk>(
    shared: &Arc<Shared>,
    mut machine: Machine<D>,
    mut history: HistoryFollower,
    checking: usize,
) -> io::Result<Vec<JoinHandle<()>>> {
    let count = if checking == 0 { thread_count() } else { checking };
    let mut threads = start_threads(count, &shared.mempool, &shared.registry)?;
    let started = start_pair(
        shared,
        move || machine.run(),
        move || {
            while history.turn(true)? {}
            Ok(())
        },
    );
    match started {
        Ok(pair) => threads.extend(pair),
        Err(error) => {
            shared.mempool.abort();
            return Err(error);
        }
    }
    Ok(threads)
}

fn start_pair(
    shared: &Arc<Shared>,
    sequence: impl FnOnce() -> Result<(), NodeFailure> + Send + 'static,
    follow: impl FnOnce() -> Result<(), NodeFailure> + Send + 'static,
) -> io::Result<[JoinHandle<()>; 2]> {
    let (one, other) = (Arc::clone(shared), Arc::clone(shared));
    let sequencer = Builder::new().name("yibao-sequencer".to_owned()).spawn(move || {
        guarded(&one, sequence);
        // Whatever the reason, there will be no further answers and no further blocks.
        one.mempool.abort();
        one.subscribers.close();
    })?;
    let history =
        Builder::new().name("yibao-history".to_owned()).spawn(move || guarded(&other, follow))?;
    Ok([sequencer, history])
}

/// Runs a part of the node; when it fails or panics, the node stops.
fn guarded(shared: &Shared, run: impl FnOnce() -> Result<(), NodeFailure>) {
    let result = catch_unwind(AssertUnwindSafe(run))
        .unwrap_or_else(|panic| Err(NodeFailure::Panicked(words_of(&*panic))));
    if let Err(failure) = result {
        shared.fail(&failure);
    }
}

pub(crate) fn words_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "panic".to_owned())
}
