//! The demonstration: a fresh network with two regions, settled through the real path.
//!
//! Reading order: [`population`] and [`year`] (a made-up Chinese region), [`synthea`] (the American
//! sample), [`founding`] (genesis), [`actor`] (who signs), [`chamber`] (the acts that bring a
//! region to life), [`people`] (enrolment), [`bank`] (the simulated outside), [`desk`] (visits),
//! [`tally`] (what is counted).

pub mod actor;
pub mod bank;
pub mod chamber;
pub mod desk;
pub mod founding;
pub mod people;
pub mod population;
pub mod region;
pub mod synthea;
pub mod tally;
pub mod wave;
pub mod year;

#[cfg(test)]
mod tests;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use adapters::clock::{Clock, SystemClock};
use anyhow::{Context as _, Result, bail};
use node::receipt_log::LogSigner;
use node::runtime::{BlockSigner, Node, NodeConfig, NodeHandle, SnapshotPace, Threads};
use node::signature::{Scheme, SecretKey, save_key};
use node::store::{Folder, LogLimits};
use primitives::{CivilDate, Hash, UtcOffset, sha256_parts};
use proof::policy::policy_text;

use actor::Drafter;
use founding::{Founders, code};
use tally::Books;

/// The name of the demonstration's ledger.
pub const CHAIN_ID: &str = "yibao-demo";
/// The name of its receipt log.
pub const LOG_ORIGIN: &str = "yibao.example/yibao-demo";
/// A file by which a folder of the demonstration is known; only such a folder is made anew.
const MARK: &str = "this-is-a-yibao-demo";
/// The last day for which the built-in plans of the made-up region hold.
const LAST_PLANNED_DAY: (i32, u8, u8) = (2026, 12, 31);

/// What the demonstration is to do.
pub struct Options {
    /// How many made-up people.
    pub people: usize,
    /// From which seed.
    pub seed: u64,
    /// Where the data goes.
    pub data: PathBuf,
}

/// A demonstration that has settled its year.
pub struct Demonstration {
    /// The node, still running.
    pub node: NodeHandle,
    /// The clock it runs by.
    pub clock: Arc<dyn Clock>,
    /// Whether the books closed to zero.
    pub is_clean: bool,
    /// Those who drive payments outside, for as long as the node serves.
    pub outboxes: Vec<Arc<node::outbox::Outbox>>,
}

/// Makes the folder anew, unless something else lies in it.
fn fresh_folder(data: &Path) -> Result<()> {
    let is_empty = || fs::read_dir(data).is_ok_and(|mut entries| entries.next().is_none());
    if data.exists() && !is_empty() {
        if !data.join(MARK).exists() {
            bail!(
                "`{}` holds something that is not a demonstration; name another folder with --data",
                data.display()
            );
        }
        fs::remove_dir_all(data).with_context(|| format!("cannot clear `{}`", data.display()))?;
    }
    fs::create_dir_all(data).with_context(|| format!("cannot make `{}`", data.display()))?;
    fs::write(data.join(MARK), "made by `yibao demo`, which clears this folder at every start\n")?;
    Ok(())
}

/// The node's configuration in the folder of a demonstration; its keys lie beside it.
fn open_node(
    data: &Path,
    seed: &Hash,
    genesis: &ledger::Genesis,
    clock: &Arc<dyn Clock>,
) -> Result<NodeHandle> {
    let folder = data.join("node");
    fs::create_dir_all(folder.join("keys"))?;
    let log_key =
        SecretKey::from_seed(Scheme::Ed25519, &sha256_parts(&[b"yibao/demo-log/v1", &seed.0]).0);
    save_key(&folder.join("keys/log.key"), &log_key)?;
    let founders_key = founding::online_secret(seed, "bureau");
    save_key(&folder.join("keys/blocks.key"), &founders_key)?;
    fs::write(folder.join("organisation"), "bureau\n")?;
    fs::write(folder.join("origin"), format!("{LOG_ORIGIN}\n"))?;
    let config = NodeConfig {
        signer: BlockSigner::new(code("bureau"), founders_key),
        log_signer: LogSigner::new(LOG_ORIGIN, log_key)?,
        clock: Arc::clone(clock),
        history: folder.join("history.sqlite"),
        randomness: sha256_parts(&[b"yibao/demo-node/v1", &seed.0]).0,
        mempool: node::MempoolLimits {
            transactions_max: 40_000,
            per_author_max: 40_000,
            ..node::MempoolLimits::default()
        },
        log: LogLimits::default(),
        snapshots: SnapshotPace::default(),
        is_newest_copy: false,
        threads: Threads::Own { checking: 0 },
    };
    let (handle, _) = Node::open(Folder::open(&folder)?, genesis, config)?;
    let policy = policy_text(handle.log_key(), &[], 0);
    fs::write(data.join("trust-policy.txt"), policy)?;
    Ok(handle)
}

/// Settles everything and prints what came of it.
///
/// # Errors
/// What the demonstration cannot go on with.
pub fn run(options: &Options) -> Result<Demonstration> {
    let begin = Instant::now();
    fresh_folder(&options.data)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let seed = sha256_parts(&[b"yibao/demo/v1", &options.seed.to_le_bytes()]);
    let founders = Founders::new(&seed);
    let chain_id = CHAIN_ID.parse().map_err(anyhow::Error::msg)?;
    let genesis = founders.genesis(chain_id, &seed, clock.now());
    let node = open_node(&options.data, &seed, &genesis, &clock)?;
    let drafter = Drafter::new(chain_id, seed);
    let last_day = last_day(clock.now().day(UtcOffset(480)));
    let stage = region::Stage {
        data: &options.data,
        seed,
        node: &node,
        drafter: &drafter,
        founders: &founders,
        clock: &clock,
        last_day,
    };
    println!("yibao demo: a fresh network `{CHAIN_ID}` in {}", options.data.display());
    println!("  identity authority, banks and the people are simulated; everything else is real\n");
    let mut books = Books::default();
    let mut outboxes = Vec::new();
    let american = stage.american_sample(&mut outboxes)?;
    let chinese = stage.chinese_region(options.people, options.seed, &mut outboxes)?;
    let open = region::drain(&outboxes)?;
    region::book_all(&node, &mut books)?;
    println!("\nSynthea sample, {} (USD)", synthea::REGION);
    american.tally.lines(primitives::Currency::USD).iter().for_each(|line| println!("{line}"));
    println!("\nmade-up region, {} (CNY)", population::REGION);
    chinese.tally.lines(primitives::Currency::CNY).iter().for_each(|line| println!("{line}"));
    let is_clean = report(&node, &books, open, &[&american, &chinese], begin);
    region::show_voucher(&node, &options.data, &[&chinese, &american])?;
    Ok(Demonstration { node, clock, is_clean, outboxes })
}

/// The last day of made-up visits: today, but no day that the built-in plans do not know.
fn last_day(today: CivilDate) -> CivilDate {
    let (year, month, day) = LAST_PLANNED_DAY;
    CivilDate::from_ymd(year, month, day).map_or(today, |last| last.min(today))
}

fn report(
    node: &NodeHandle,
    books: &Books,
    open: u64,
    regions: &[&region::Settlement],
    begin: Instant,
) -> bool {
    let view = node.view();
    let close = books.close(&view.state);
    println!("\nbooks");
    println!("  {} entries on {} accounts", close.entries, close.accounts);
    for (currency, sum) in &close.sums {
        println!("  sum of all accounts, {currency}: {sum}");
    }
    println!("  accounts that differ from their entries: {}", close.differing);
    println!("  payments outside without a final word: {open}");
    println!(
        "  {}",
        if close.is_clean() { "the books close to zero" } else { "THE BOOKS DO NOT CLOSE" }
    );
    let metrics = node.metrics();
    println!("\nledger");
    println!(
        "  height {}, {} receipts, {} rows",
        metrics.height,
        metrics.receipts,
        view.state.entry_count()
    );
    println!("  state root    {}", view.state.root());
    println!("  receipt log   {}", view.tip.log.root());
    let settled: u64 = regions.iter().map(|region| region.tally.settled).sum();
    let seconds: f64 = regions.iter().map(|region| region.seconds).sum();
    println!(
        "  {settled} visits settled in {seconds:.1} s: {:.0} settlements/s with check-in, sealed bill, quote and 3 to 4 signatures each",
        settled as f64 / seconds.max(0.001)
    );
    println!("  whole demonstration: {:.1} s", begin.elapsed().as_secs_f64());
    close.is_clean()
}
