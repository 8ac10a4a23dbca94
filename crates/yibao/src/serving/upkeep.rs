//! What is done again and again while a data folder is served: figures are counted, so that nobody
//! who asks for them makes the node count, and rails are compared with their statements.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use adapters::clock::Clock;
use anyhow::{Context as _, Result};
use gateway::port::Figure;
use primitives::OrganisationId;

use super::payments::OwnPayments;

/// How often figures are counted.
const PAUSE: Duration = Duration::from_secs(10);
/// After how many rounds the rails are compared with their statements again: an hour.
const RECONCILE_ROUNDS: u64 = 360;

/// The figures as they were counted last.
#[derive(Default)]
struct Counted {
    open_effects: AtomicU64,
    stuck_effects: AtomicU64,
    lag: AtomicU64,
    failing_books: AtomicU64,
    differences: AtomicU64,
    days_without_statement: AtomicU64,
    disk_bytes: AtomicU64,
}

/// What is looked after.
pub struct Upkeep {
    node_folder: PathBuf,
    payments: Vec<Arc<OwnPayments>>,
    clock: Arc<dyn Clock>,
    counted: Counted,
}

impl Upkeep {
    /// Looks after the payments, and counts once.
    #[must_use]
    pub fn new(
        node_folder: PathBuf,
        payments: Vec<Arc<OwnPayments>>,
        clock: Arc<dyn Clock>,
    ) -> Arc<Self> {
        let upkeep = Self { node_folder, payments, clock, counted: Counted::default() };
        upkeep.count();
        Arc::new(upkeep)
    }

    /// The payments of an organisation.
    #[must_use]
    pub fn payments(&self, organisation: OrganisationId) -> Option<&Arc<OwnPayments>> {
        self.payments.iter().find(|one| one.organisation() == organisation)
    }

    /// Whether every book could be read when it was last tried.
    #[must_use]
    pub fn is_well(&self) -> bool {
        self.counted.failing_books.load(Ordering::Relaxed) == 0
    }

    /// What was counted last.
    #[must_use]
    pub fn figures(&self) -> [Figure; 7] {
        let Counted { open_effects, stuck_effects, lag, failing_books, .. } = &self.counted;
        let Counted { differences, days_without_statement, disk_bytes, .. } = &self.counted;
        [
            ("node_open_effects", "Payments outside without a final word", open_effects),
            (
                "node_stuck_effects",
                "Payments outside that wait for an operator, since they cannot be driven or told",
                stuck_effects,
            ),
            (
                "node_outbox_lag_receipts",
                "Receipts that outboxes have not looked at, all outboxes together",
                lag,
            ),
            ("node_failing_books", "Books of payments that cannot be read", failing_books),
            (
                "node_rail_differences",
                "Movements of money on which a rail's statement and the books do not agree",
                differences,
            ),
            (
                "node_rail_days_without_statement",
                "Days for which a rail gave no statement",
                days_without_statement,
            ),
            ("node_disk_bytes", "Bytes of the node's files", disk_bytes),
        ]
        .map(|(name, meaning, value)| Figure {
            name,
            meaning,
            value: value.load(Ordering::Relaxed),
            is_total: false,
        })
    }

    /// Counts everything.
    fn count(&self) {
        let (mut open, mut failing, mut differences, mut missing) = (0_u64, 0_u64, 0_u64, 0_u64);
        let (mut stuck, mut lag) = (0_u64, 0_u64);
        for payments in &self.payments {
            match payments.outbox().backlog() {
                Ok(backlog) => {
                    open = open.saturating_add(backlog.open);
                    stuck = stuck.saturating_add(backlog.stuck);
                    lag = lag.saturating_add(backlog.lag);
                }
                Err(error) => {
                    let organisation = payments.organisation();
                    tracing::error!(%organisation, %error, "a book of payments cannot be read");
                    failing = failing.saturating_add(1);
                }
            }
            let (found, without) = payments.disagreement();
            differences = differences.saturating_add(found);
            missing = missing.saturating_add(without);
        }
        let counted = &self.counted;
        for (figure, value) in [
            (&counted.open_effects, open),
            (&counted.stuck_effects, stuck),
            (&counted.lag, lag),
            (&counted.failing_books, failing),
            (&counted.differences, differences),
            (&counted.days_without_statement, missing),
            (&counted.disk_bytes, bytes_in(&self.node_folder)),
        ] {
            figure.store(value, Ordering::Relaxed);
        }
    }

    /// Compares every rail with its statements.
    fn reconcile(&self) {
        for payments in &self.payments {
            payments.reconcile(self.clock.now());
        }
    }

    /// Goes round on a thread of its own until the handle is dropped.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(self: &Arc<Self>) -> Result<UpkeepHandle> {
        let (stop, stopped) = channel::<()>();
        let upkeep = Arc::clone(self);
        let run = move || {
            for round in 0_u64.. {
                if round.is_multiple_of(RECONCILE_ROUNDS) {
                    upkeep.reconcile();
                }
                upkeep.count();
                if stopped.recv_timeout(PAUSE) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("upkeep".to_owned()).spawn(run);
        let thread = thread.context("the thread of the upkeep cannot be started")?;
        Ok(UpkeepHandle { stop: Some(stop), thread: Some(thread) })
    }
}

/// Keeps the upkeep going; dropping it ends it.
pub struct UpkeepHandle {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for UpkeepHandle {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the upkeep found a contradiction and ended");
        }
    }
}

/// Bytes of all files below a folder; what cannot be read counts as nothing.
fn bytes_in(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(data) if data.is_dir() => bytes_in(&entry.path()),
        Ok(data) => data.len(),
        Err(_) => 0,
    });
    sizes.sum()
}
