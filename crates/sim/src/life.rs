//! The lives of the node: how each begins, what is wrong with the disk in it, and how it ends.

use crate::check::{Rule, Scope, Violation};
use crate::dice::Dice;
use crate::disk::{DiskFaults, SimDisk};
use crate::fault::Fault;
use crate::machine::{End, HistoryFate};
use crate::planted::DiskBug;
use crate::world::World;

/// How often a start is tried on a failing disk before the disk is repaired.
const FAILING_STARTS_MAX: u32 = 4;

/// The present life, and what the next ones bring.
pub struct Life {
    dice: Dice,
    /// After how many more steps it ends from outside, and how.
    steps_left: u32,
    end: End,
    kills_executors_per_mille: u64,
    bank_sleeps: bool,
    is_calm: bool,
    lies: bool,
    /// A disk as it was some time ago, for the bug that brings it back.
    old_disk: Option<SimDisk>,
}

impl Life {
    /// The lives of a world.
    #[must_use]
    pub fn new(mut dice: Dice) -> Self {
        let kills_executors_per_mille = *dice.pick(&[0, 100, 300]);
        Self {
            dice,
            steps_left: 0,
            end: End::Stopped,
            kills_executors_per_mille,
            bank_sleeps: false,
            is_calm: false,
            lies: false,
            old_disk: None,
        }
    }

    /// From now on nothing goes wrong.
    pub const fn calm(&mut self) {
        self.is_calm = true;
    }

    /// From the next start on, syncs of blocks do nothing.
    pub const fn let_disk_lie(&mut self) {
        self.lies = true;
    }

    /// Whether an outbox is killed in its next round.
    pub fn kills_executors(&mut self) -> bool {
        !self.is_calm && self.dice.chance(self.kills_executors_per_mille)
    }

    /// Whether the bank's outbox does nothing in this life.
    #[must_use]
    pub const fn bank_sleeps(&self) -> bool {
        self.bank_sleeps && !self.is_calm
    }

    /// What is wrong with the disk in the next life.
    fn faults(&mut self) -> DiskFaults {
        let mut faults = DiskFaults { lies: self.lies, ..DiskFaults::default() };
        if self.is_calm {
            return faults;
        }
        let dice = &mut self.dice;
        faults.sync_millis_max = *dice.pick(&[0, 0, 20, 5_000]);
        // Some faults fall into the start itself, most into the work after it.
        let far = *dice.pick(&[40, 200, 600]);
        let at = dice.between(1, far);
        match dice.below(9) {
            0 | 1 => faults.power_cut_at = Some(at),
            // Where a start executes blocks again.
            2 => faults.power_cut_at = Some(dice.between(12, 90)),
            3 | 4 => faults.failed_sync_at = Some(dice.between(1, far / 8)),
            5 | 6 => {
                faults.full_from_write = Some(dice.between(1, far / 2));
                faults.is_full_within = dice.chance(500);
            }
            _ => {}
        }
        faults
    }

    /// Draws how the next life ends, if nothing ends it before.
    fn begin(&mut self) {
        self.steps_left = u32::try_from(self.dice.between(3, 60)).unwrap_or(3);
        self.bank_sleeps = self.dice.chance(150);
        self.end = *self.dice.pick(&[End::PowerCut, End::Killed, End::Stopped, End::PowerCut]);
    }

    fn history_fate(&mut self) -> HistoryFate {
        match self.dice.below(5) {
            0 => HistoryFate::Lost,
            1 => HistoryFate::Older,
            _ => HistoryFate::Kept,
        }
    }
}

impl World {
    /// Brings the node up, whatever the disk does on the way, and compares what came back.
    pub(crate) fn start(&mut self) -> Result<(), Violation> {
        for attempt in 0.. {
            let faults = if attempt < FAILING_STARTS_MAX {
                self.life.faults()
            } else {
                DiskFaults { lies: self.life.lies, ..DiskFaults::default() }
            };
            match self.machine.start(faults) {
                Ok(found) => {
                    self.note(format_args!("the node is up with {faults:?}: {found:?}"));
                    self.report.blocks_replayed += found.blocks_replayed;
                    self.report.starts += 1;
                    self.report.torn_blocks += u64::from(found.cut.is_some());
                    match self.audit.log.after_start(self.node()) {
                        // The power goes while somebody asks what is there.
                        Err(_) if self.machine.disk().is_off() => self.end(End::PowerCut),
                        compared => {
                            compared?;
                            break;
                        }
                    }
                }
                Err(error) if self.machine.disk().has_failed() => {
                    self.note(format_args!("the node does not come up with {faults:?}: {error}"));
                    self.report.failed_starts += 1;
                    let end = self.how_it_failed();
                    self.end(end);
                }
                Err(error) => {
                    let words = format!("the node does not come up from a sound disk: {error}");
                    return Err(Violation::new(Rule::Recovery, words));
                }
            }
        }
        self.life.begin();
        self.report.faults.note_many(Fault::BankSilent, u64::from(self.life.bank_sleeps()));
        self.open_executors()?;
        self.look(Scope::All)
    }

    /// What kind of end the disk brought about.
    fn how_it_failed(&mut self) -> End {
        if self.machine.disk().is_off() {
            End::PowerCut
        } else if self.machine.disk().is_full() {
            End::DiskFull
        } else if self.life.dice.chance(500) {
            End::FailedSync
        } else {
            End::FailedSyncAndReboot
        }
    }

    /// Ends the present life when the disk has failed or its time is over, and begins the next one.
    pub(crate) fn end_life_in_time(&mut self) -> Result<(), Violation> {
        self.life.steps_left = self.life.steps_left.saturating_sub(1);
        if !self.machine.is_well() {
            if !self.machine.disk().has_failed() {
                let words = self.machine.complaint().unwrap_or_default();
                let words = format!("the node stopped on a sound disk: {words}");
                return Err(Violation::new(Rule::StaysUp, words));
            }
            let end = self.how_it_failed();
            self.end(end);
            return self.start();
        }
        if self.life.steps_left == 0 {
            let end = self.life.end;
            self.end(end);
            return self.start();
        }
        Ok(())
    }

    /// Ends the present life in this way.
    pub(crate) fn end(&mut self, end: End) {
        self.note(format_args!("the node ends: {end:?}"));
        *self.report.ends.entry(end).or_default() += 1;
        self.report.faults.note_many(Fault::Kill, u64::from(end == End::Killed));
        self.executors = None;
        self.machine.end(end, &mut self.life.dice);
        if matches!(end, End::PowerCut | End::FailedSyncAndReboot) {
            let fate = self.life.history_fate();
            self.note(format_args!("the history: {fate:?}"));
            let is_damaged = self.machine.damage_history(fate);
            self.report.faults.note_many(Fault::HistoryLost, u64::from(is_damaged));
            self.bring_back_old_disk();
        }
    }

    fn bring_back_old_disk(&mut self) {
        if self.planted.disk != Some(DiskBug::ComesBackOlder) || !self.is_founded() {
            return;
        }
        let present = self.machine.disk().after_restart(DiskFaults::default());
        if let Some(old) = self.life.old_disk.replace(present) {
            self.machine.replace_disk(old);
        }
    }
}
