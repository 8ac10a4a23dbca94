//! Bytes per person, the time of a restart, and what an empty region idles at.

use std::path::Path;
use std::time::Instant;

use anyhow::Result;
use ledger::Genesis;
use node::NodeHandle;

use crate::figures::{Bar, Figures};
use crate::http::Served;
use crate::{in_process, process};

/// Stops a populated node, which writes its snapshot, brings it up again in this process, and takes
/// the time and the memory of it.
///
/// # Errors
/// When it does not come up again.
pub fn restart(
    figures: &mut Figures,
    data: &Path,
    genesis: &Genesis,
    node: NodeHandle,
    people: u64,
    empty: u64,
) -> Result<NodeHandle> {
    node.stop();
    drop(node);
    per_person(figures, data, people, empty)?;
    let own = std::process::id();
    let begin = Instant::now();
    let node = in_process::open(data, genesis)?;
    let seconds = begin.elapsed().as_secs_f64();
    let name = format!("restart/{people}_people");
    let bar = if people >= 1_000_000 { Bar::AtMost(20.0) } else { Bar::Told };
    figures.note(&name, seconds, "s", bar);
    let rows = node.view().state.entry_count() as f64 / people as f64;
    figures.note(&format!("memory/{people}_people/rows_per_person"), rows, "rows", Bar::Told);
    figures.note(
        &format!("memory/{people}_people/resident"),
        process::resident_bytes(own) as f64 / f64::from(1 << 20),
        "MiB",
        Bar::Told,
    );
    Ok(node)
}

/// What the shipped program holds in memory, per person, when it serves people without visits.
fn per_person(figures: &mut Figures, data: &Path, people: u64, empty: u64) -> Result<()> {
    let served = Served::start(data)?;
    let bytes = process::resident_bytes(served.process()).saturating_sub(empty) as f64;
    let bar = if people >= 1_000_000 { Bar::AtMost(700.0) } else { Bar::Told };
    figures.note(
        &format!("memory/{people}_people/per_person"),
        bytes / people as f64,
        "bytes",
        bar,
    );
    Ok(())
}

/// What the shipped program holds in memory when its region has nobody yet, in bytes.
///
/// # Errors
/// When it does not come up.
pub fn empty(figures: &mut Figures, data: &Path) -> Result<u64> {
    let served = Served::start(data)?;
    let bytes = process::resident_bytes(served.process());
    let mebibytes = bytes as f64 / f64::from(1 << 20);
    figures.note("memory/empty_region", mebibytes, "MiB", Bar::AtMost(60.0));
    Ok(bytes)
}
