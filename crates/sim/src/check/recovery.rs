//! Every way back to the state leads to the same one: replay from genesis, from a snapshot, with
//! and without the history; and damage is noticed.

use std::path::Path;

use node::verify::{Evidence, verify_disk};

use super::log::LogCheck;
use super::{Rule, Violation, require};
use crate::dice::Dice;
use crate::disk::{DiskFaults, SimDisk};
use crate::machine::Machine;

fn broken(words: impl std::fmt::Display) -> Violation {
    Violation::new(Rule::Recovery, words)
}

/// Compares the ways back, on copies of the machine's disk. The node may be up. Verification
/// executes everything again; starting a node aside, which does so as well, is for some worlds
/// only.
///
/// # Errors
/// The first way that leads elsewhere.
pub fn compare_ways_back(
    machine: &Machine,
    log: &LogCheck,
    dice: &mut Dice,
) -> Result<(), Violation> {
    let copy = || machine.disk().after_restart(DiskFaults::default());
    let report = verify_disk(copy(), Path::new("simulated disk"), Evidence::default(), |_| {});
    let report = report.map_err(broken)?;
    let is_same = report.blocks == log.height()
        && report.state_root == log.state_root()
        && report.receipts == log.size()
        && report.receipt_log_root == log.log_root();
    require(Rule::Recovery, is_same, || {
        format!("verification comes to another place: {report:?}")
    })?;
    let zero = report.totals.iter().all(|total| total.sum == 0);
    require(Rule::MoneyConserved, zero, || format!("the totals are {:?}", report.totals))?;
    if !dice.chance(300) {
        return Ok(());
    }
    let without_snapshots = copy();
    for path in files_in(&without_snapshots, "snapshots/") {
        without_snapshots.below().lose(&path);
    }
    for (disk, name) in [(copy(), "from-snapshot"), (without_snapshots, "from-genesis")] {
        compare_one(machine, log, disk, name)?;
    }
    Ok(())
}

fn compare_one(
    machine: &Machine,
    log: &LogCheck,
    disk: SimDisk,
    name: &str,
) -> Result<(), Violation> {
    let (node, _) =
        machine.start_aside(disk, name).map_err(|error| broken(format!("{name}: {error}")))?;
    let view = node.view();
    require(Rule::Recovery, view.state.root() == log.state_root(), || {
        format!("the start {name} comes to another state root")
    })?;
    log.after_start(&node)
}

/// Flips one bit of a block, a snapshot or the genesis. The node then refuses to start, or starts
/// with the very same state because the bit did not matter.
///
/// # Errors
/// When the node starts with anything else.
pub fn check_damage(machine: &Machine, log: &LogCheck, dice: &mut Dice) -> Result<(), Violation> {
    let disk = machine.disk().after_restart(DiskFaults::default());
    let mut files = files_in(&disk, "blocks/");
    files.extend(files_in(&disk, "snapshots/"));
    files.extend(files_in(&disk, "genesis/"));
    if files.is_empty() {
        return Ok(());
    }
    let path = dice.pick(&files).clone();
    let length = disk.below().files()[&path].len();
    if length == 0 {
        return Ok(());
    }
    let (offset, bit) = (dice.place(length), 1 << dice.below(8));
    disk.below().damage(&path, offset, bit);
    let Ok((node, _)) = machine.start_aside(disk, "damaged") else { return Ok(()) };
    let is_same = node.view().state.root() == log.state_root();
    require(Rule::Recovery, is_same, || {
        format!("with bit {bit} of byte {offset} of `{path}` flipped, another state came up")
    })?;
    log.after_start(&node)
}

fn files_in(disk: &SimDisk, folder: &str) -> Vec<String> {
    disk.below().files().into_keys().filter(|path| path.starts_with(folder)).collect()
}
