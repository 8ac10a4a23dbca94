//! Four nodes of the shipped program under faults, and a checker of what clients were promised.
//!
//! `make network-qa` runs it for as long as wanted; the test command runs every fault once. All
//! faults come from a seed: the same seed does the same in the same order. When exactly each of
//! them meets what in the program is up to the machine.
//!
//! Reading order: [`Fault`] (what goes wrong), [`cluster`] and [`proxy`] (how), [`clients`] (who
//! moves money meanwhile), [`history`] (what is promised). docs/network-qa.md says it in words.

mod clients;
mod cluster;
mod history;
mod proxy;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use clap::Parser;
use ledger::modules::network::{UPGRADE_BLOCKS_MIN, Upgrade};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

use self::clients::{Shared, by_node, found, read_ledger, run_client, schedule, stands, watch};
use self::cluster::{Cluster, NODES, ORGANISATIONS};
use self::history::check;
use self::proxy::Fault as Link;
use crate::drill::verify_chain;

/// Puts four nodes under faults and checks what clients were promised.
#[derive(Parser)]
pub struct Options {
    /// How long; without it every fault happens once.
    #[arg(long)]
    minutes: Option<u64>,
    /// Chooses what goes wrong when; a new one when left out.
    #[arg(long)]
    seed: Option<u64>,
    /// How many clients move money.
    #[arg(long, default_value_t = 6)]
    clients: usize,
    /// Where the data folders are made; they stay when something is wrong.
    #[arg(long, default_value = "target/bench")]
    folder: PathBuf,
}

/// After a fault, all nodes have to go on together within this time.
const BACK_WITHIN: Duration = Duration::from_secs(60);
/// After how long a node that lost its disk signs again, and some.
const WATCHED_AFTER: Duration = Duration::from_secs(25);
const LOOK_EVERY: Duration = Duration::from_millis(100);
const HOUR_MILLIS: i64 = 3_600_000;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    Kill,
    Stop,
    Pause,
    Isolate,
    HalfAndHalf,
    OneWay,
    SlowLinks,
    TwoDown,
    AllKilled,
    ClockJump,
    TwoClocks,
    LostDisk,
    Upgrade,
}

const FAULTS: [(Fault, &str); 13] = [
    (Fault::Kill, "one node killed (-9)"),
    (Fault::Stop, "one node told to stop"),
    (Fault::Pause, "one node paused (SIGSTOP)"),
    (Fault::Isolate, "one node alone"),
    (Fault::HalfAndHalf, "two and two"),
    (Fault::OneWay, "heard by nobody, hears all"),
    (Fault::SlowLinks, "slow links"),
    (Fault::TwoDown, "two of four down"),
    (Fault::AllKilled, "all killed at once"),
    (Fault::ClockJump, "a clock an hour off"),
    (Fault::TwoClocks, "two clocks 20 s off"),
    (Fault::LostDisk, "a disk lost"),
    (Fault::Upgrade, "a newer release, one is late"),
];

/// What was seen of one kind of fault.
#[derive(Default)]
struct Seen {
    times: usize,
    answered: usize,
    lasted: Duration,
    back_at_worst: Duration,
}

struct Run {
    cluster: Cluster,
    shared: Arc<Shared>,
    runtime: Runtime,
    random: fastrand::Rng,
    seen: BTreeMap<Fault, Seen>,
    /// When a disk was lost last.
    lost: Option<Instant>,
}

/// Runs the drill.
///
/// # Errors
/// The first promise that was not kept.
pub fn run(options: &Options) -> Result<()> {
    std::fs::create_dir_all(&options.folder)?;
    let folder = tempfile::tempdir_in(&options.folder)?;
    let seed = options.seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
    println!("seed {seed}: run it again with --seed {seed}");
    let path = folder.path().canonicalize()?;
    let lived = live(options, seed, &path)
        .with_context(|| format!("seed {seed}; data and logs are in `{}`", path.display()));
    if lived.is_err() {
        // What it was is to be looked at.
        let _ = folder.keep();
    }
    lived
}

fn live(options: &Options, seed: u64, folder: &Path) -> Result<()> {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let cluster = Cluster::found(folder, runtime.handle())?;
    let shared = Shared::new(cluster.places());
    runtime.block_on(found(&shared))?;
    let spawn = |number| runtime.spawn(run_client(Arc::clone(&shared), number, seed));
    let clients: Vec<_> = (0..options.clients).map(spawn).collect();
    let watchers: Vec<_> =
        (0..NODES).map(|node| runtime.spawn(watch(Arc::clone(&shared), node))).collect();
    let random = fastrand::Rng::with_seed(seed);
    let mut run = Run { cluster, shared, runtime, random, seen: BTreeMap::new(), lost: None };
    let begin = Instant::now();
    let is_long = |minutes: u64| begin.elapsed() < Duration::from_secs(minutes * 60);
    loop {
        let mut faults = FAULTS;
        run.random.shuffle(&mut faults);
        for (fault, words) in faults {
            run.fault(fault, words, begin)?;
        }
        if !options.minutes.is_some_and(is_long) {
            break;
        }
    }
    run.finish(clients, watchers, begin)
}

impl Run {
    fn node(&mut self) -> usize {
        self.random.usize(..NODES)
    }

    fn two(&mut self) -> [usize; 2] {
        let first = self.node();
        [first, (first + self.random.usize(1..NODES)) % NODES]
    }

    fn wait(&mut self, millis: std::ops::Range<u64>) {
        sleep(Duration::from_millis(self.random.u64(millis)));
    }

    fn cut(&mut self) -> Link {
        [Link::Cut, Link::Stall, Link::Swallow][self.random.usize(..3)]
    }

    /// One fault, from its begin until all nodes go on together.
    fn fault(&mut self, fault: Fault, words: &str, begin: Instant) -> Result<()> {
        if matches!(fault, Fault::ClockJump | Fault::TwoClocks) && !self.cluster.has_clocks() {
            println!("  {words}: left out, since there is no compiler (`cc`) here");
            return Ok(());
        }
        let (at, before) = (Instant::now(), self.shared.answered());
        let what = self.befall(fault).with_context(|| words.to_owned())?;
        let (lasted, answered) = (at.elapsed(), self.shared.answered() - before);
        self.cluster.check_processes()?;
        self.cluster.heal()?;
        let back = self.wait_until_back().with_context(|| format!("after {words} ({what})"))?;
        println!(
            "  [{:>6.1} s] {words:<27} {what:<22} {:>4.1} s, {answered:>4} answers meanwhile, all \
             back after {:.1} s",
            begin.elapsed().as_secs_f64(),
            lasted.as_secs_f64(),
            back.as_secs_f64(),
        );
        let seen = self.seen.entry(fault).or_default();
        seen.times += 1;
        seen.answered += answered;
        seen.lasted += lasted;
        seen.back_at_worst = seen.back_at_worst.max(back);
        Ok(())
    }

    /// Lets it happen; in words, to whom and how.
    fn befall(&mut self, fault: Fault) -> Result<String> {
        let node = self.node();
        let [one, other] = self.two();
        let name = ORGANISATIONS[node];
        let both = format!("{} and {}", ORGANISATIONS[one], ORGANISATIONS[other]);
        match fault {
            Fault::Kill => {
                self.cluster.kill(node)?;
                self.wait(500..3_000);
            }
            Fault::Stop => {
                self.cluster.stop_one(node)?;
                self.wait(100..1_000);
            }
            Fault::Pause => {
                self.cluster.pause(node)?;
                self.wait(1_000..6_000);
            }
            Fault::Isolate => {
                let cut = self.cut();
                self.cluster.part(&[node], cut);
                self.wait(1_500..5_000);
                return Ok(format!("{name}, {cut:?}"));
            }
            Fault::HalfAndHalf => {
                let cut = self.cut();
                self.cluster.part(&[one, other], cut);
                self.wait(1_500..5_000);
                return Ok(format!("{both}, {cut:?}"));
            }
            Fault::OneWay => {
                let cut = [Link::Stall, Link::Swallow][self.random.usize(..2)];
                (0..NODES).for_each(|to| self.cluster.set_link(node, to, cut));
                self.wait(1_500..5_000);
                return Ok(format!("{name}, {cut:?}"));
            }
            Fault::SlowLinks => {
                for (from, to) in (0..NODES).flat_map(|from| (0..NODES).map(move |to| (from, to))) {
                    let by = Duration::from_millis(self.random.u64(1..120));
                    self.cluster.set_link(from, to, Link::Slow(by));
                }
                self.wait(2_000..5_000);
                return Ok("up to 120 ms".to_owned());
            }
            Fault::TwoDown => {
                self.cluster.kill(one)?;
                self.wait(100..1_000);
                self.cluster.kill(other)?;
                self.wait(1_000..3_000);
                self.cluster.start(one, &[])?;
                self.wait(500..2_000);
                return Ok(both);
            }
            Fault::AllKilled => {
                (0..NODES).try_for_each(|node| self.cluster.kill(node))?;
                return Ok(String::new());
            }
            Fault::ClockJump => {
                let ahead = if self.random.bool() { HOUR_MILLIS } else { -HOUR_MILLIS };
                self.cluster.set_clock(node, ahead)?;
                self.wait(2_000..4_000);
                return Ok(format!("{name}, {:+} min", ahead / 60_000));
            }
            Fault::TwoClocks => {
                let ahead = if self.random.bool() { 20_000 } else { -20_000 };
                self.cluster.set_clock(one, ahead)?;
                self.cluster.set_clock(other, ahead)?;
                self.wait(2_000..4_000);
                return Ok(format!("{both}, {:+} s", ahead / 1_000));
            }
            Fault::LostDisk => {
                self.cluster.back_up(node)?;
                self.wait(500..1_500);
                self.shared.note_lost_disk(node);
                self.cluster.lose_disk(node)?;
                self.lost = Some(Instant::now());
                self.cluster.start(node, &["--newest-copy"])?;
            }
            Fault::Upgrade => self.upgrade(node)?,
        }
        Ok(name.to_owned())
    }

    /// A newer release comes to one machine after the other while the others go on. New rules hold
    /// from a block on that one of them comes too late for: it stops before that block and says
    /// why, the others go on, and the newer release goes on in its folder.
    fn upgrade(&mut self, late: usize) -> Result<()> {
        // A key whose past is not known signs nothing yet, and a second node that does not either
        // would be two of four.
        if let Some(lost) = self.lost {
            sleep(WATCHED_AFTER.saturating_sub(lost.elapsed()));
            self.wait_until_back()?;
        }
        let protocol = self.cluster.protocol() + 1;
        let others: Vec<_> = (0..NODES).filter(|node| *node != late).collect();
        for &node in &others {
            self.cluster.stop_one(node)?;
            self.cluster.install(node, protocol);
            self.cluster.start(node, &[])?;
            self.wait_until_back()?;
        }
        let now = self.runtime.block_on(stands(&self.shared));
        let now = now.iter().flatten().map(|one| one.height).max().context("a node answers")?;
        let height = now + 2 * UPGRADE_BLOCKS_MIN;
        self.runtime.block_on(schedule(&self.shared, others[0], Upgrade { height, protocol }))?;
        let begin = Instant::now();
        loop {
            let stands = self.runtime.block_on(stands(&self.shared));
            let at = |node: usize| stands[node].map(|one| one.height);
            let have_moved = others.iter().all(|node| at(*node) >= Some(height));
            if have_moved && at(late) == Some(height - 1) {
                break;
            }
            ensure!(at(late) < Some(height), "the old release made a block by new rules");
            ensure!(begin.elapsed() < BACK_WITHIN, "not at block {height}: {stands:?}");
            self.cluster.check_processes()?;
            sleep(LOOK_EVERY);
        }
        self.cluster.end_late(late)?;
        self.cluster.install(late, protocol);
        Ok(())
    }

    /// Waits until every node has a block that was made after all were mended, and clients are
    /// answered again; how long that took.
    fn wait_until_back(&mut self) -> Result<Duration> {
        let (begin, answered) = (Instant::now(), self.shared.answered());
        let mut wanted = None;
        loop {
            let stands = self.runtime.block_on(stands(&self.shared));
            let heights: Vec<_> = stands.iter().flatten().map(|one| one.height).collect();
            let highest = heights.iter().max().copied().unwrap_or(0);
            let wanted = *wanted.get_or_insert(highest + 1);
            let is_back = heights.len() == NODES && heights.iter().all(|one| *one >= wanted);
            if is_back && self.shared.answered() > answered {
                return Ok(begin.elapsed());
            }
            if begin.elapsed() > BACK_WITHIN {
                let answers = self.shared.answered() - answered;
                bail!("not back: heights {heights:?}, wanted {wanted}, {answers} answers");
            }
            self.cluster.check_processes()?;
            sleep(LOOK_EVERY);
        }
    }

    /// Lets clients end, waits until all nodes have the same, and checks everything.
    fn finish(
        self,
        clients: Vec<JoinHandle<()>>,
        watchers: Vec<JoinHandle<()>>,
        begin: Instant,
    ) -> Result<()> {
        let Self { cluster, shared, runtime, seen, .. } = self;
        shared.end();
        runtime.block_on(async {
            for one in clients.into_iter().chain(watchers) {
                tokio::time::timeout(BACK_WITHIN, one)
                    .await
                    .context("a client is not answered")??;
            }
            Ok::<_, anyhow::Error>(())
        })?;
        let lived = begin.elapsed();
        let quiet = Instant::now();
        loop {
            let stands: Vec<_> = runtime.block_on(stands(&shared)).into_iter().flatten().collect();
            let place = |at: usize| stands.get(at).map(|one| (one.height, one.root));
            if stands.len() == NODES && (1..NODES).all(|at| place(at) == place(0)) {
                break;
            }
            ensure!(quiet.elapsed() < BACK_WITHIN, "the nodes do not come together: {stands:?}");
            sleep(LOOK_EVERY);
        }
        let ledgers = (0..NODES).map(|node| runtime.block_on(read_ledger(&shared, node)));
        let ledgers = ledgers.collect::<Result<Vec<_>>>()?;
        let history = shared.history();
        let (broken, counts) = check(&history, &ledgers);
        ensure!(broken.is_empty(), "{} promises broken:\n  {}", broken.len(), broken.join("\n  "));
        ensure!(counts.accepted > 0 && counts.rejected > 0, "too little happened: {counts:?}");
        let blocks = ledgers.first().map_or(0, |ledger| ledger.headers.len());
        cluster.check_accusations()?;
        for data in cluster.stop() {
            verify_chain(&data)?;
        }
        println!("\n  {:<27} times  answers/s meanwhile  all back after, at worst", "fault");
        for (fault, words) in FAULTS {
            let Some(seen) = seen.get(&fault) else { continue };
            let rate = seen.answered as f64 / seen.lasted.as_secs_f64().max(0.001);
            let worst = seen.back_at_worst.as_secs_f64();
            println!("  {words:<27} {:>5}  {rate:>19.1}  {worst:>21.1} s", seen.times);
        }
        println!(
            "\n{:.0} s, {} faults, {blocks} blocks: {} transfers accepted, {} rejected, {} sendings \
             in doubt, {} overtaken; answered by node {:?}; every promise kept, all {NODES} chains \
             verify",
            lived.as_secs_f64(),
            seen.values().map(|one| one.times).sum::<usize>(),
            counts.accepted,
            counts.rejected,
            counts.in_doubt,
            counts.overtaken,
            by_node(&history).into_values().collect::<Vec<_>>(),
        );
        Ok(())
    }
}
