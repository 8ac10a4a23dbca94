//! Settlements without end on one region: memory, speed and the time of a restart must not follow
//! from how many there were. In process, so that one machine gets far in an hour; everything else
//! is as in the program: signatures, blocks on the disk, snapshots, history.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use clap::Parser;
use node::NodeHandle;

use crate::ceiling::Mix;
use crate::drill::verify_chain;
use crate::in_process;
use crate::process::resident_bytes;
use crate::region::{Region, Size};
use crate::settlement::Maker;

/// Settles without end and says what becomes of memory, speed and restarts.
#[derive(Parser)]
pub struct Options {
    /// Settlements in all; each comes with the check-in of its visit.
    #[arg(long, default_value_t = 200_000)]
    settlements: usize,
    /// People who are settled for, everybody in turn.
    #[arg(long, default_value_t = 50_000)]
    people: u64,
    /// Also replays the whole chain at the end.
    #[arg(long)]
    verify: bool,
    /// Where the data folder is made; it stays when something is wrong.
    #[arg(long, default_value = "target/bench")]
    folder: PathBuf,
}

/// A line says how it goes after each of so many equal parts.
const PARTS: usize = 10;
/// Settlements that are signed before they are sent, at the most: what a part of them weighs is not
/// the node's memory.
const SIGNED_MAX: usize = 20_000;
/// Memory may grow by so much from the second part on, whatever is settled: caches, a snapshot that
/// is being written, and what the allocator keeps.
const GROWTH_BYTES_MAX: u64 = 256 << 20;
/// The node has to be back within this time.
const RESTART_MAX: Duration = Duration::from_secs(10);
const MEBIBYTE: u64 = 1 << 20;

/// How one part went.
struct Part {
    settlements: usize,
    /// Settlements a second while they were sent, without the time to make them.
    per_second: f64,
    resident: u64,
}

/// Runs the soak.
///
/// # Errors
/// What was refused, or grew with the number of settlements.
pub fn run(options: &Options) -> Result<()> {
    std::fs::create_dir_all(&options.folder)?;
    let folder = tempfile::tempdir_in(&options.folder)?;
    let done = soak(options, folder.path());
    if done.is_err() {
        let _ = folder.keep();
    }
    done
}

fn soak(options: &Options, data: &Path) -> Result<()> {
    let region = Region::new(Size { people: options.people, funds: 20, mix: Mix::Ed25519 });
    let genesis = region.found(data)?;
    let node = in_process::open(data, &genesis)?;
    region.settle_in(&node)?;
    let mut maker = Maker::new(&region);
    let mut parts: Vec<Part> = Vec::new();
    for number in 1..=PARTS {
        let sent: usize = parts.iter().map(|part| part.settlements).sum();
        let count = options.settlements * number / PARTS - sent;
        parts.push(one_part(&mut maker, &node, options.people, count)?);
        report(&parts);
    }
    let before = node.view();
    node.stop();
    drop(node);
    let begin = Instant::now();
    let node = in_process::open(data, &genesis)?;
    let back = begin.elapsed();
    let after = node.view();
    ensure!(
        after.state.root() == before.state.root() && after.tip.height == before.tip.height,
        "the state is another one after a restart"
    );
    node.stop();
    if options.verify {
        verify_chain(data)?;
    }
    let (first, last) = (&parts[1], &parts[PARTS - 1]);
    let grown = last.resident.saturating_sub(first.resident);
    println!(
        "{} settlements of {} people in {} blocks: {:.0}/s in the second part and {:.0}/s in the last, \
         {} MiB after the second part and {} MiB after the last; back with the same state after {:.2} s{}",
        options.settlements,
        options.people,
        after.tip.height,
        first.per_second,
        last.per_second,
        first.resident / MEBIBYTE,
        last.resident / MEBIBYTE,
        back.as_secs_f64(),
        if options.verify { "; the chain verifies" } else { "" }
    );
    ensure!(grown <= GROWTH_BYTES_MAX, "memory grew by {} MiB", grown / MEBIBYTE);
    ensure!(back < RESTART_MAX, "the node took {back:?} to come back");
    Ok(())
}

/// Nobody is settled for twice in what is signed at once: the second split follows from the first.
fn one_part(maker: &mut Maker<'_>, node: &NodeHandle, people: u64, count: usize) -> Result<Part> {
    let at_once = SIGNED_MAX.min(usize::try_from(people)?);
    let (mut left, mut seconds) = (count, 0.0);
    while left > 0 {
        let many = at_once.min(left);
        let encoded = in_process::encoded(&maker.make(node, many)?);
        seconds += many as f64 / in_process::saturate(node, &encoded)?.per_second;
        left -= many;
    }
    let resident = resident_bytes(std::process::id());
    Ok(Part { settlements: count, per_second: count as f64 / seconds.max(f64::EPSILON), resident })
}

fn report(parts: &[Part]) {
    let sent: usize = parts.iter().map(|part| part.settlements).sum();
    if let Some(part) = parts.last() {
        println!(
            "  {sent} settlements: {:.0}/s in this part, {} MiB of memory",
            part.per_second,
            part.resident / MEBIBYTE
        );
    }
}
