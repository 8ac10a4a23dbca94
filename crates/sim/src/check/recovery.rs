//! Every way back to the state leads to the same one: replay from genesis, from a snapshot, with
//! and without the history, and from every place at which a start or a block can be cut short; and
//! damage is noticed.

use std::path::Path;

use ledger::Transaction;
use node::NodeHandle;
use node::verify::{Evidence, verify_disk};
use primitives::Hash;

use super::log::LogCheck;
use super::{Rule, Violation, require};
use crate::dice::Dice;
use crate::disk::{DiskFaults, Operation, SimDisk};
use crate::fault::{Call, Fault, FaultCounts};
use crate::machine::{Aside, Machine};

/// How many bits are flipped in every world, one after the other.
const FLIPS: usize = 4;
/// The folders in which a bit is flipped, most of them where most files lie.
const FOLDERS: [&str; 6] = ["blocks/", "blocks/", "snapshots/", "receipts/", "signed/", "genesis/"];

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
    let copy = || machine.disk().aside(DiskFaults::default());
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
    for (disk, name) in [(copy(), "from a snapshot"), (without_snapshots, "from genesis")] {
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
    let opened = machine.start_aside(disk, Aside::WithoutHistory);
    let (node, _) = opened.map_err(|error| broken(format!("{name}: {error}")))?;
    let view = node.view();
    require(Rule::Recovery, view.state.root() == log.state_root(), || {
        format!("the start {name} comes to another state root")
    })?;
    log.after_start(&node)
}

/// Cuts the power at the operations of a start, of the block that this transaction makes, of a
/// checkpoint and of a stop, one after the other: each time the next start finds the block or not,
/// whole, and finds it when it was acknowledged. In one world from the disk as it is, in the other
/// without receipt tiles, so that everything is executed again and every tile written. Gives how
/// many operations were cut short.
///
/// # Errors
/// The first operation after which the node does not come back, or without what it acknowledged.
pub fn cut_everywhere(
    machine: &Machine,
    log: &LogCheck,
    transaction: &Transaction,
    dice: &mut Dice,
    counts: &mut FaultCounts,
) -> Result<u64, Violation> {
    let mut swept = 0;
    let has_tiles = dice.chance(500);
    let disk = |faults| {
        let disk = machine.disk().aside(faults);
        if !has_tiles {
            files_in(&disk, "receipts/").iter().for_each(|path| disk.below().lose(path));
        }
        disk
    };
    let sweep = Sweep { machine, log, transaction, has_tiles };
    // The way without a cut says what the state is after the block.
    let whole = disk(DiskFaults::default());
    let told = sweep.live(&whole);
    let after = sweep.state_after(&whole.after_restart(DiskFaults::default()), "no cut")?;
    require(Rule::Workload, told && after != log.state_root(), || {
        String::from("the block of the sweep was not made")
    })?;
    for (number, operation) in (1..).zip(whole.operations_so_far()) {
        if !sweep.wants(&operation, dice) {
            continue;
        }
        swept += 1;
        let disk = disk(DiskFaults { power_cut_at: Some(number), ..DiskFaults::default() });
        let told = sweep.live(&disk);
        let again = disk.after_power_cut(dice.below(u64::MAX), DiskFaults::default());
        counts.add(&disk.counts());
        let at = format!("the power was cut at operation {number}, {operation:?}");
        let root = sweep.state_after(&again, &at)?;
        let is_right = root == after || (root == log.state_root() && !told);
        require(Rule::AcknowledgedKept, is_right, || {
            format!("{at}; the block was acknowledged: {told}, and is not there")
        })?;
    }
    Ok(swept)
}

/// Cuts the power at the operations of a first start, which writes the genesis: each time the next
/// start comes to the ledger before its first block. Gives how many operations were cut short.
///
/// # Errors
/// The first operation after which the node does not come up, or with another ledger.
pub fn cut_founding(
    machine: &Machine,
    dice: &mut Dice,
    counts: &mut FaultCounts,
) -> Result<u64, Violation> {
    let disk = |faults| machine.disk().blank_aside(faults);
    let found = |disk: &SimDisk, at: &str| {
        let opened = machine.start_aside(disk.clone(), Aside::WithoutHistory);
        let (node, _) = opened.map_err(|error| broken(format!("{at}: {error}")))?;
        Ok((node.view().tip.height, node.view().state.root()))
    };
    let whole = disk(DiskFaults::default());
    let first = found(&whole, "no cut")?;
    let mut swept = 0;
    for (number, operation) in (1..).zip(whole.operations_so_far()) {
        let disk = disk(DiskFaults { power_cut_at: Some(number), ..DiskFaults::default() });
        let at = format!("the power was cut at operation {number} of the founding, {operation:?}");
        // Without power it does not come up, or not for long; the next start is what counts.
        let _ = found(&disk, &at);
        let again = disk.after_power_cut(dice.below(u64::MAX), DiskFaults::default());
        counts.add(&disk.counts());
        let root = found(&again, &at)?;
        require(Rule::Recovery, root == first, || format!("{at}; another ledger was founded"))?;
        swept += 1;
    }
    Ok(swept)
}

/// A sweep over the operations of a start and what follows it.
struct Sweep<'a> {
    machine: &'a Machine,
    log: &'a LogCheck,
    transaction: &'a Transaction,
    has_tiles: bool,
}

impl Sweep<'_> {
    /// A start, a block, a checkpoint, and an orderly stop with its snapshot; whether the block was
    /// acknowledged.
    fn live(&self, disk: &SimDisk) -> bool {
        let Ok((node, _)) = self.machine.live_aside(disk.clone(), Aside::WithHistory) else {
            return false;
        };
        let told = node.submit(self.transaction.clone()).is_ok();
        // What cannot be signed or written any more is not what is looked at here.
        let _ = node.checkpoint();
        node.stop();
        told
    }

    /// The state that the next start comes to, which has everything that was shown before.
    fn state_after(&self, disk: &SimDisk, at: &str) -> Result<Hash, Violation> {
        let opened = self.machine.start_aside(disk.clone(), Aside::WithHistory);
        let (node, _) = opened.map_err(|error| broken(format!("{at}: {error}")))?;
        self.log.after_start(&node)?;
        Ok(node.view().state.root())
    }

    /// Whether the power is cut in this operation. Most operations read blocks, one like the other:
    /// of those only some.
    fn wants(&self, (call, path): &Operation, dice: &mut Dice) -> bool {
        match call {
            Call::Read if path.starts_with("blocks/") => {
                dice.chance(if self.has_tiles { 40 } else { 10 })
            }
            _ => self.has_tiles || path.starts_with("receipts"),
        }
    }
}

/// Flips bits in blocks, snapshots, receipt tiles, the mark and the genesis, one at a time. The
/// node then refuses to start or to answer, or comes up with the very same ledger because the bit
/// did not matter.
///
/// # Errors
/// When the node says anything else than before.
pub fn check_damage(
    machine: &Machine,
    log: &LogCheck,
    dice: &mut Dice,
    counts: &mut FaultCounts,
) -> Result<(), Violation> {
    for _ in 0..FLIPS {
        let disk = machine.disk().aside(DiskFaults::default());
        let folder: &str = dice.pick::<&str>(&FOLDERS);
        let files = files_in(&disk, folder);
        if files.is_empty() {
            continue;
        }
        let path = dice.pick(&files).clone();
        let length = disk.below().files()[&path].len();
        if length == 0 {
            continue;
        }
        let (offset, bit) = (dice.place(length), 1 << dice.below(8));
        disk.below().damage(&path, offset, bit);
        let aside = if dice.chance(700) { Aside::WithHistory } else { Aside::WithoutHistory };
        let is_harmless = match machine.start_aside(disk, aside) {
            Err(_) => false,
            Ok((node, _)) => is_as_before(&node, log).map_err(|violation| {
                let words = violation.detail;
                let what = format!("bit {bit} of byte {offset} of `{path}` is flipped: {words}");
                Violation::new(violation.rule, what)
            })?,
        };
        let refused = (Fault::FlippedBitRefused, Fault::FlippedBitHarmless);
        counts.note(if is_harmless { refused.1 } else { refused.0 });
    }
    Ok(())
}

/// Whether the node says everything that it said before: `false` when it refuses to say something.
fn is_as_before(node: &NodeHandle, log: &LogCheck) -> Result<bool, Violation> {
    let view = node.view();
    let is_same = view.state.root() == log.state_root() && view.tip.log.root() == log.log_root();
    require(Rule::Recovery, is_same, || String::from("another ledger came up"))?;
    log.says_the_same(node)
}

fn files_in(disk: &SimDisk, folder: &str) -> Vec<String> {
    disk.below().files().into_keys().filter(|path| path.starts_with(folder)).collect()
}
