//! What is done again and again while a data folder is served: figures are counted, so that nobody
//! who asks for them makes the node count; rails are compared with their statements; and what was
//! found is left in a file, for whoever asks how the node was after it stopped.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, UNIX_EPOCH};

use adapters::clock::Clock;
use anyhow::{Context as _, Result};
use gateway::api::status::{
    AccusedStatus, BackupStatus, DiskStatus, FundStatus, KeyStatus, NodeStatus, OutboxStatus,
    PeerStatus, SnapshotStatus,
};
use gateway::payments::Payments;
use gateway::port::{Figure, FigureValue};
use ledger::Genesis;
use ledger::kernel::account::{Account, Floor};
use ledger::kernel::posting;
use ledger::modules::{fund, network, organisation};
use node::runtime::{Health, NodeHandle};
use primitives::{Amount, OrganisationId, Timestamp};
use serde::Deserialize;

use super::figures;
use super::folder::{GENESIS_FILE, NODE_FOLDER, replace_file};
use super::payments::OwnPayments;
use super::port::Operations;
use super::register::{FundKey, Register, Registrar};

/// How often figures are counted.
const PAUSE: Duration = Duration::from_secs(10);
/// After how many rounds the rails are compared with their statements again: an hour.
const RECONCILE_ROUNDS: u64 = 360;
/// After how many rounds the register and the last status are written again: a minute.
const SAVE_ROUNDS: u64 = 6;
/// Within how many days a key that expires is counted as expiring, and named to operators.
pub const KEY_DAYS: [u64; 4] = [60, 30, 7, 1];
const DAY_MILLIS: u64 = 24 * 3_600_000;

/// How the node was when it was last looked at, in the node's folder.
pub const STATUS_FILE: &str = "last-status.json";
/// What is told of the last backup, in the node's folder; whoever makes backups writes it.
pub const BACKUP_FILE: &str = "last-backup.json";
const BACKUP_BYTES_MAX: u64 = 64 << 10;
/// The parts of the node's folder whose sizes are told one by one.
const PARTS: [&str; 4] = ["blocks", "receipts", "snapshots", "history.sqlite"];

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
    part_bytes: [AtomicU64; PARTS.len()],
    disk: Mutex<DiskStatus>,
    /// When the newest snapshot was written, in milliseconds; 0 for none.
    snapshot_millis: AtomicU64,
    backup: Mutex<Option<BackupStatus>>,
}

/// What is told of the last backup; whatever else stands there is for others.
#[derive(Deserialize)]
struct LastBackup {
    made: Timestamp,
    height: u64,
}

/// What is looked after.
pub struct Upkeep {
    data: PathBuf,
    node: NodeHandle,
    operator: OrganisationId,
    payments: Vec<Arc<OwnPayments>>,
    clock: Arc<dyn Clock>,
    registrar: Registrar,
    counted: Counted,
    is_over: AtomicBool,
}

impl Upkeep {
    /// Looks after the node and the payments of a data folder, and counts once.
    ///
    /// # Errors
    /// When the folder's genesis or operator cannot be read.
    pub fn new(
        data: &Path,
        node: NodeHandle,
        payments: Vec<Arc<OwnPayments>>,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Self>> {
        let folder = data.join(NODE_FOLDER);
        let genesis: Genesis = crate::command::input::read_json(
            "the genesis",
            &folder.join(GENESIS_FILE),
            super::folder::GENESIS_BYTES_MAX,
        )?;
        let registrar = Registrar::open(node.clone(), &folder, &genesis);
        let upkeep = Self {
            data: data.to_owned(),
            node,
            operator: super::folder::operator(data)?,
            payments,
            clock,
            registrar,
            counted: Counted::default(),
            is_over: AtomicBool::new(false),
        };
        upkeep.count();
        Ok(Arc::new(upkeep))
    }

    /// The payments of everybody.
    #[must_use]
    pub fn all_payments(&self) -> &[Arc<OwnPayments>] {
        &self.payments
    }

    /// The payments of an organisation.
    #[must_use]
    pub fn payments(&self, organisation: OrganisationId) -> Option<&Arc<OwnPayments>> {
        self.payments.iter().find(|one| one.organisation() == organisation)
    }

    /// The clock that it goes by.
    #[must_use]
    pub const fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Whether every book could be read when it was last tried.
    #[must_use]
    pub fn is_well(&self) -> bool {
        self.counted.failing_books.load(Ordering::Relaxed) == 0
    }

    /// What was counted last.
    #[must_use]
    pub fn figures(&self) -> Vec<Figure> {
        let Counted { open_effects, stuck_effects, lag, failing_books, .. } = &self.counted;
        let Counted { differences, days_without_statement, disk_bytes, .. } = &self.counted;
        let counted = [
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
        .map(|(name, meaning, value)| Figure::count(name, meaning, value.load(Ordering::Relaxed)));
        counted.into_iter().chain(self.watched()).collect()
    }

    /// Figures of what else an operator watches: files, disk, snapshot, backup, memory, funds and
    /// keys.
    fn watched(&self) -> Vec<Figure> {
        let counted = &self.counted;
        let sizes = PARTS.iter().zip(&counted.part_bytes);
        let sizes =
            sizes.map(|(part, bytes)| ((*part).to_owned(), bytes.load(Ordering::Relaxed) as f64));
        let disk = counted.disk.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let backup = counted.backup.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (backup_height, backup_millis) =
            backup.map_or((0, 0), |backup| (backup.height, backup.time.millis()));
        let snapshot_millis = counted.snapshot_millis.load(Ordering::Relaxed);
        let now = self.clock.now();
        let funds = self.funds(now);
        let near = funds.iter().filter(|fund| fund.is_near_floor(now)).count();
        let keys = self.keys();
        let expiring = KEY_DAYS.into_iter().chain([0]).map(|days| {
            let until = now.plus_millis(days * DAY_MILLIS);
            let count = keys.iter().filter(|key| key.expires <= until).count();
            (days.to_string(), count as f64)
        });
        let seconds = |millis: u64| millis / 1_000;
        let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let peers = self.node.peers();
        let connected = peers.iter().filter(|peer| peer.is_connected).count();
        let mut figures = vec![
            Figure {
                name: "node_file_bytes",
                meaning: "Bytes of the node's files, by part",
                value: FigureValue::GaugeBy("part", sizes.collect()),
            },
            Figure {
                name: "ledger_keys_expiring",
                meaning: "Keys of organisations and nodes that expire within so many days; 0 for those that have",
                value: FigureValue::GaugeBy("days", expiring.collect()),
            },
        ];
        let gauges = [
            ("node_disk_total_bytes", "Bytes of the disk under the data folder", disk.total_bytes),
            ("node_disk_free_bytes", "Bytes of it that are free", disk.free_bytes),
            (
                "node_snapshot_timestamp_seconds",
                "When the newest snapshot was written; 0 for none",
                seconds(snapshot_millis),
            ),
            (
                "node_backup_timestamp_seconds",
                "When the last backup was begun; 0 for none",
                seconds(backup_millis),
            ),
            ("node_backup_height", "Height of the last backup; 0 for none", backup_height),
            ("node_peers", "Other nodes of the network", count(peers.len())),
            ("node_peers_connected", "Those of them that this node reaches", count(connected)),
            (
                "node_watching",
                "1 while the node's block key signs nothing, since nobody knows what it signed before",
                u64::from(self.node.is_watching()),
            ),
            (
                "node_validators_accused",
                "Validators that signed two things at once, as this node saw it",
                count(self.node.accused().len()),
            ),
            ("node_memory_bytes", "Memory that the process holds", memory_bytes()),
            ("ledger_funds", "Funds that are open", count(funds.len())),
            (
                "ledger_funds_near_floor",
                "Open funds that have nothing to spend, or will not within 30 days",
                count(near),
            ),
        ];
        figures.extend(gauges.map(|(name, meaning, value)| Figure::count(name, meaning, value)));
        figures
    }

    /// How the node is; sessions are counted by the gateway.
    #[must_use]
    pub fn status(&self) -> NodeStatus {
        let (metrics, view, now) = (self.node.metrics(), self.node.view(), self.clock.now());
        let counted = &self.counted;
        let read = |figure: &AtomicU64| figure.load(Ordering::Relaxed);
        let snapshot = (metrics.snapshot_height > 0).then(|| SnapshotStatus {
            height: metrics.snapshot_height,
            time: Timestamp::from_millis(read(&counted.snapshot_millis)),
        });
        NodeStatus {
            chain_id: self.node.chain_id().to_string(),
            time: now,
            ready: self.is_ready(),
            height: metrics.height,
            block_time: view.tip.time,
            receipts: metrics.receipts,
            history_lag_blocks: metrics.history_lag_blocks,
            waiting_transactions: metrics.waiting_transactions,
            sessions: 0,
            outbox: OutboxStatus {
                open: read(&counted.open_effects),
                stuck: read(&counted.stuck_effects),
                lag_receipts: read(&counted.lag),
                failing_books: read(&counted.failing_books),
                differences: read(&counted.differences),
            },
            snapshot,
            snapshots_given_up: metrics.snapshots_given_up,
            backup: counted.backup.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            funds: self.funds(now),
            keys: self.keys(),
            // The port knows of it.
            seal: None,
            peers: self.peers(),
            watching: self.node.is_watching(),
            accused: self.accused(),
            disk: counted.disk.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            memory_bytes: memory_bytes(),
        }
    }

    fn accused(&self) -> Vec<AccusedStatus> {
        let accused = self.node.accused().into_iter();
        accused.map(|(organisation, height)| AccusedStatus { organisation, height }).collect()
    }

    fn peers(&self) -> Vec<PeerStatus> {
        let peers = self.node.peers().into_iter().map(|peer| PeerStatus {
            organisation: peer.organisation,
            address: peer.address,
            connected: peer.is_connected,
        });
        peers.collect()
    }

    /// Whether transactions are taken and every book works.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.node.status() == Health::Running && self.is_well()
    }

    /// The open funds, by region and number.
    fn funds(&self, now: Timestamp) -> Vec<FundStatus> {
        let register = self.registrar.register();
        register.funds().filter_map(|key| self.fund(&register, key, now)).collect()
    }

    fn fund(&self, register: &Register, key: FundKey, now: Timestamp) -> Option<FundStatus> {
        let (region, number) = key;
        let view = self.node.view();
        let row = fund::view::fund(&view.state, region, number).filter(|row| !row.closed)?;
        let account = posting::account(&view.state, &Account::Fund { region, fund: number })?;
        let floor = match account.floor {
            Floor::AtLeast(floor) => floor,
            Floor::None => Amount::ZERO,
        };
        let available = account.available_at(now.max(view.tip.time));
        let spent_a_day = register.spent_a_day(key, now, account.debits);
        let dry_on = spent_a_day.filter(|spent| !spent.is_zero()).and_then(|spent| {
            let days = i32::try_from(available.minor() / spent.minor()).ok()?;
            let offset = network::view::region(&view.state, region)?.settings.utc_offset_minutes;
            now.day(offset).plus_days(days)
        });
        Some(FundStatus {
            region,
            fund: number,
            owner: row.owner,
            purpose: row.purpose.name().to_owned(),
            currency: row.currency,
            balance: Amount::from_minor(u64::try_from(account.balance()).unwrap_or(0)),
            floor,
            available,
            spent_a_day,
            dry_on,
        })
    }

    /// The keys of organisations and those with which their nodes sign blocks, the first to expire
    /// in front.
    fn keys(&self) -> Vec<KeyStatus> {
        let view = self.node.view();
        let register = self.registrar.register();
        let keys = register.keys().filter_map(|(organisation, key)| {
            let row = organisation::view::key(&view.state, organisation, key)?;
            Some(KeyStatus { organisation, key, expires: row.expires, signs_blocks: false })
        });
        let nodes = network::view::nodes(&view.state);
        let block_keys = nodes.iter().filter_map(|node| {
            let (organisation, key) = (node.organisation, node.key);
            Some(KeyStatus { organisation, key, expires: node.renew_by?, signs_blocks: true })
        });
        let mut keys: Vec<KeyStatus> = keys.chain(block_keys).collect();
        keys.sort_by_key(|one| (one.expires, one.organisation, one.key));
        keys
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
        ] {
            figure.store(value, Ordering::Relaxed);
        }
        self.count_files();
        self.registrar.sample(self.clock.now());
    }

    /// Counts files and disk, and reads what is told of snapshot and backup.
    fn count_files(&self) {
        let (counted, folder) = (&self.counted, self.data.join(NODE_FOLDER));
        let node_bytes = bytes_in(&folder);
        counted.disk_bytes.store(node_bytes, Ordering::Relaxed);
        for (part, figure) in PARTS.iter().zip(&counted.part_bytes) {
            figure.store(bytes_of(&folder.join(part)), Ordering::Relaxed);
        }
        let newest = newest_millis(&folder.join("snapshots"));
        counted.snapshot_millis.store(newest, Ordering::Relaxed);
        let disk = disk_under(&self.data, node_bytes);
        *counted.disk.lock().unwrap_or_else(PoisonError::into_inner) = disk;
        let backup = last_backup(&folder);
        *counted.backup.lock().unwrap_or_else(PoisonError::into_inner) = backup;
    }

    /// Leaves behind what was found.
    fn save(&self) {
        let path = self.data.join(NODE_FOLDER).join(STATUS_FILE);
        let text = serde_json::to_vec_pretty(&self.status()).context("a status has a form in JSON");
        let written = text.and_then(|text| Ok(replace_file(&path, &text)?));
        if let Err(error) = written.and_then(|()| self.registrar.save()) {
            tracing::warn!(%error, "what is known of the node cannot be written down");
        }
    }

    /// Compares every rail with its statements.
    fn reconcile(&self) {
        for payments in &self.payments {
            payments.reconcile(self.clock.now());
        }
    }

    /// Goes round on threads of its own until the handle is dropped.
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
                if round.is_multiple_of(SAVE_ROUNDS) {
                    upkeep.save();
                }
                if stopped.recv_timeout(PAUSE) != Err(RecvTimeoutError::Timeout) {
                    break;
                }
            }
            upkeep.save();
        };
        let registering = Arc::clone(self);
        let follow =
            move || registering.registrar.follow(|| registering.is_over.load(Ordering::Relaxed));
        let begin = |name: &str, run: Box<dyn FnOnce() + Send>| {
            let thread = std::thread::Builder::new().name(name.to_owned()).spawn(run);
            thread.with_context(|| format!("the thread `{name}` cannot be started"))
        };
        let threads = vec![begin("upkeep", Box::new(run))?, begin("register", Box::new(follow))?];
        Ok(UpkeepHandle { upkeep: Arc::clone(self), stop: Some(stop), threads })
    }
}

/// Keeps the upkeep going; dropping it ends it.
pub struct UpkeepHandle {
    upkeep: Arc<Upkeep>,
    stop: Option<Sender<()>>,
    threads: Vec<JoinHandle<()>>,
}

impl Drop for UpkeepHandle {
    fn drop(&mut self) {
        self.upkeep.is_over.store(true, Ordering::Relaxed);
        self.stop.take();
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("the upkeep found a contradiction and ended");
            }
        }
    }
}

impl Operations for Upkeep {
    fn is_ready(&self) -> bool {
        self.is_ready()
    }

    fn figures(&self) -> Vec<Figure> {
        figures::of_node(&self.node).into_iter().chain(self.figures()).collect()
    }

    fn operator(&self) -> OrganisationId {
        self.operator
    }

    fn status(&self) -> NodeStatus {
        self.status()
    }

    fn payments(&self, organisation: OrganisationId) -> Option<Arc<dyn Payments>> {
        let own = self.payments(organisation)?;
        Some(Arc::clone(own) as Arc<dyn Payments>)
    }
}

/// What is told of the last backup in a node's folder.
#[must_use]
pub fn last_backup(folder: &Path) -> Option<BackupStatus> {
    let path = folder.join(BACKUP_FILE);
    if !path.exists() {
        return None;
    }
    match crate::command::input::read_json("the last backup", &path, BACKUP_BYTES_MAX) {
        Ok(LastBackup { made, height }) => Some(BackupStatus { height, time: made }),
        Err(error) => {
            tracing::warn!(%error, "what is told of the last backup cannot be read");
            None
        }
    }
}

/// The disk under a folder; nothing where the system does not say.
#[must_use]
pub fn disk_under(folder: &Path, node_bytes: u64) -> DiskStatus {
    let (total_bytes, free_bytes) = rustix::fs::statvfs(folder).map_or((0, 0), |disk| {
        let bytes = |blocks: u64| blocks.saturating_mul(disk.f_frsize);
        (bytes(disk.f_blocks), bytes(disk.f_bavail))
    });
    DiskStatus { total_bytes, free_bytes, node_bytes }
}

/// Memory that this process holds; 0 where the system does not say.
pub fn memory_bytes() -> u64 {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kibibytes.unwrap_or(0).saturating_mul(1_024)
}

/// When the newest file in a folder was written, in milliseconds; 0 for none.
fn newest_millis(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let times = entries.filter_map(|entry| entry.metadata().ok()?.modified().ok());
    let newest = times.filter_map(|time| time.duration_since(UNIX_EPOCH).ok()).max();
    newest.map_or(0, |time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

/// Bytes of a file or of all files below a folder.
fn bytes_of(path: &Path) -> u64 {
    match fs::metadata(path) {
        Ok(data) if data.is_dir() => bytes_in(path),
        Ok(data) => data.len(),
        Err(_) => 0,
    }
}

/// Bytes of all files below a folder; what cannot be read counts as nothing.
pub fn bytes_in(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(data) if data.is_dir() => bytes_in(&entry.path()),
        Ok(data) => data.len(),
        Err(_) => 0,
    });
    sizes.sum()
}
