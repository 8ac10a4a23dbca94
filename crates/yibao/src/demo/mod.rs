//! The demonstration: a fresh network with two regions, settled through the real path.
//!
//! Reading order: [`population`] and [`year`] (a made-up Chinese region), [`synthea`] (the American
//! sample), [`founding`] (genesis), [`folder`] (what lies where), [`actor`] (who signs),
//! [`chamber`] (the acts that bring a region to life), [`people`] (enrolment), `hospital` (one
//! that speaks the national interface, and a small day of its own system), [`wallets`] (the
//! bureau's directory, and who may join), [`bank`] (the simulated outside), [`desk`] (visits),
//! [`region`] with [`american`] and [`chinese`] (one region from its first organisation to its
//! last visit), `neighbour` (the region next door, where some are treated), [`premium`] (next
//! year's premiums), [`trouble`] (what goes wrong on purpose), [`tally`] and [`close`] (what is
//! counted, and the check that nothing was lost), `network` (other organisations' nodes beside
//! this one).

pub mod actor;
mod aid;
pub mod american;
pub mod bank;
mod cards;
pub mod chamber;
pub mod chinese;
mod claims;
pub mod close;
pub mod desk;
mod faces;
mod family;
pub mod folder;
pub mod founding;
mod hospital;
mod neighbour;
mod network;
pub mod past;
pub mod people;
pub mod population;
mod premium;
mod recovery;
pub mod region;
pub mod synthea;
pub mod tally;
pub mod trouble;
pub mod wallets;
pub mod wave;
pub mod year;

#[cfg(test)]
mod tests;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use adapters::clock::{Clock, SystemClock};
use anyhow::Result;
use node::outbox::Outbox;
use node::receipt_log::LogSigner;
use node::runtime::{BlockSigner, Node, NodeConfig, NodeHandle, SnapshotPace, Threads};
use node::signature::{Scheme, SecretKey, save_key};
use node::store::{Folder, LogLimits};
use primitives::{CivilDate, Currency, Hash, UtcOffset, sha256_parts};

use actor::Drafter;
use founding::{Founders, code};
use population::Population;
use region::{Settlement, Stage};
use tally::Reading;

use crate::serving::folder::write_policy;
use crate::serving::folder::{BLOCK_KEY_FILE, LOG_KEY_FILE, ORGANISATION_FILE, ORIGIN_FILE};
use crate::serving::network::read_network;

/// The name of the demonstration's ledger.
pub const CHAIN_ID: &str = "yibao-demo";
/// How the name of its receipt log begins; every demonstration has a log of its own.
pub const LOG_ORIGIN: &str = "yibao.example/yibao-demo";
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
    /// The port on which its pages are served afterwards.
    pub page_port: u16,
    /// How many organisations validate; 1 for the bureau alone.
    pub organisations: usize,
}

/// A demonstration that has settled its year.
pub struct Demonstration {
    /// The node, still running.
    pub node: NodeHandle,
    /// The clock it runs by.
    pub clock: Arc<dyn Clock>,
    /// Whether the books closed, inside and outside, and no payment waits.
    pub is_clean: bool,
    /// What the receipts say about visits, in the end.
    #[cfg_attr(not(test), expect(dead_code, reason = "tests look at what was printed"))]
    pub reading: Reading,
    /// What was refused in the made-up region.
    #[cfg_attr(not(test), expect(dead_code, reason = "tests look at what was printed"))]
    pub refusals: tally::Refusals,
    /// Those who drive payments outside, for as long as the node serves.
    pub outboxes: Vec<Arc<Outbox>>,
    /// The other organisations' nodes.
    pub network: Option<network::Running>,
}

/// The node's configuration in the folder of a demonstration; its keys lie beside it.
fn open_node(
    disk: Folder,
    seed: &Hash,
    genesis: &ledger::Genesis,
    (clock, data): (&Arc<dyn Clock>, &Path),
) -> Result<NodeHandle> {
    let folder = disk.path().to_owned();
    fs::create_dir_all(folder.join("keys"))?;
    let log_key =
        SecretKey::from_seed(Scheme::Ed25519, &sha256_parts(&[b"yibao/demo-log/v1", &seed.0]).0);
    // A log's name stands for one log; two demonstrations must not share one.
    let name = sha256_parts(&[b"yibao/demo-origin/v1", &seed.0]).to_string();
    let origin = format!("{LOG_ORIGIN}/{}", name.get(..8).unwrap_or(&name));
    save_key(&folder.join(LOG_KEY_FILE), &log_key)?;
    let founders_key = founding::secret(seed, "bureau", founding::ONLINE);
    save_key(&folder.join(BLOCK_KEY_FILE), &founders_key)?;
    fs::write(folder.join(ORGANISATION_FILE), "bureau\n")?;
    fs::write(folder.join(ORIGIN_FILE), format!("{origin}\n"))?;
    let config = NodeConfig {
        signer: BlockSigner::new(code("bureau"), founders_key),
        log_signer: LogSigner::new(&origin, log_key)?,
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
        blocks_kept: None,
        is_newest_copy: false,
        protocol: ledger::kernel::block::PROTOCOL,
        threads: Threads::Own { checking: 0 },
    };
    Ok(Node::open_with(disk, genesis, config, read_network(data)?)?.0)
}

/// What the keys of a demonstration come from: its number and fresh randomness, so that no two
/// demonstrations share a key or a log although the same number makes up the same people.
fn secret_seed(number: u64) -> Result<Hash> {
    let mut fresh = [0_u8; 32];
    getrandom::fill(&mut fresh)
        .map_err(|error| anyhow::anyhow!("the system gives no randomness: {error}"))?;
    Ok(sha256_parts(&[b"yibao/demo/v2", &number.to_le_bytes(), &fresh]))
}

/// Settles everything and prints what came of it.
///
/// # Errors
/// What the demonstration cannot go on with.
pub fn run(options: &Options) -> Result<Demonstration> {
    let begin = Instant::now();
    let data = options.data.as_path();
    let disk = folder::fresh(data)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let seed = secret_seed(options.seed)?;
    let founders = Founders::new(&seed);
    let chain_id = CHAIN_ID.parse().map_err(anyhow::Error::msg)?;
    let origin = founding::origin(options.page_port);
    let mut genesis = founders.genesis(chain_id, &seed, (clock.now(), &origin));
    let mut others = None;
    if options.organisations > 1 {
        let network = network::Network::new(options.organisations, &seed, data)?;
        genesis.validators = network.validators();
        others = Some(network.start(&genesis)?);
    }
    let node = open_node(disk, &seed, &genesis, (&clock, data))?;
    write_policy(data, &node)?;
    if let Some(others) = &mut others {
        others.start_light_node(&node, data, (&genesis, &seed), &clock)?;
        others.watch(&node)?;
    }
    let drafter = Drafter::new(chain_id, seed);
    let last_day = last_day(clock.now().day(UtcOffset(480)));
    let stage = Stage {
        data,
        seed,
        node: &node,
        drafter: &drafter,
        founders: &founders,
        clock: &clock,
        last_day,
        origin: &origin,
        page_port: options.page_port,
    };
    stage.keep_founders_keys()?;
    stage.keep_seal()?;
    println!("yibao demo: a fresh network `{CHAIN_ID}` in {}", data.display());
    println!("  identity authority, banks and the people are simulated; everything else is real\n");
    let american = stage.american_sample()?;
    let population = Population::generate(options.people, options.seed, last_day);
    let chinese = stage.chinese_region(&population, options.seed)?;
    hospital::give_phones(data, &population, &node.view().state, &seed)?;
    let bank = hospital::bank_of(&chinese.outboxes)?;
    let is_played = hospital::play(data, &population, (&node, bank), (&clock, options.seed))?;
    let reading = Reading::of(&node)?;
    for (title, region, currency) in [
        (format!("Synthea sample, {} (USD)", synthea::REGION), &american, Currency::USD),
        (format!("made-up region, {} (CNY)", population::REGION), &chinese, Currency::CNY),
    ] {
        println!("\n{title}");
        let tally = reading.visits.get(&currency).cloned().unwrap_or_default();
        tally::lines(&tally, &region.refusals, currency).iter().for_each(|line| println!("{line}"));
    }
    let mut is_clean = report(&node, &reading, [&american, &chinese], begin)? && is_played;
    if let Some(others) = &mut others {
        is_clean &= others.prove(&node)?;
    }
    let place = family::choose(&population, &chinese, &node.view().state, clock.now());
    family::keep(data, &population, (place, last_day), &seed)?;
    let shown = place.and_then(|place| chinese.shown.get(&place));
    region::show_voucher(&node, data, shown.or_else(|| american.shown.values().next()))?;
    println!("\nkeys to try things out with lie in {}: see docs/guide/api.md", data.display());
    let outboxes = [american.outboxes, chinese.outboxes].concat();
    let (refusals, network) = (chinese.refusals, others);
    Ok(Demonstration { node, clock, is_clean, reading, refusals, outboxes, network })
}

/// The last day of made-up visits: today, but no day that the built-in plans do not know.
fn last_day(today: CivilDate) -> CivilDate {
    let (year, month, day) = LAST_PLANNED_DAY;
    CivilDate::from_ymd(year, month, day).map_or(today, |last| last.min(today))
}

/// Prints the close; whether everything adds up.
fn report(
    node: &NodeHandle,
    reading: &Reading,
    regions: [&Settlement; 2],
    begin: Instant,
) -> Result<bool> {
    let view = node.view();
    let outside = regions.iter().flat_map(|region| &region.outside);
    let close = reading.books.close(&view.state, outside)?;
    println!("\nmoney from wallet to wallet");
    reading.transfers.lines().iter().for_each(|line| println!("{line}"));
    println!("\nbooks");
    println!("  {} entries on {} accounts", close.entries, close.accounts);
    for (currency, sum) in &close.sums {
        println!("  sum of all balances on the ledger, {}: {sum}", currency.code());
    }
    println!("  accounts that differ from their entries: {}", close.differing.len());
    println!(
        "  books of banks and tills that differ from the ledger: {} of {}",
        close.outside_differing.len(),
        close.outside
    );
    println!("  payments outside without a final word: {}", reading.pending);
    for words in close.differing.iter().chain(&close.outside_differing) {
        println!("    {words}");
    }
    let is_clean = close.is_clean()
        && reading.pending == 0
        && reading.transfers.add_up()
        && reading.visits.values().all(|tally| tally.unaccounted() == 0);
    println!("  {}", if is_clean { "the books close to zero" } else { "THE BOOKS DO NOT CLOSE" });
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
    let settled: u64 = regions.iter().map(|region| region.settled).sum();
    let seconds: f64 = regions.iter().map(|region| region.seconds).sum();
    println!(
        "  {settled} visits settled in {seconds:.1} s: {:.0} settlements/s with check-in, sealed bill, quote, 3 to 4 signatures each, and the cash's final word",
        settled as f64 / seconds.max(0.001)
    );
    println!("  whole demonstration: {:.1} s", begin.elapsed().as_secs_f64());
    Ok(is_clean)
}
