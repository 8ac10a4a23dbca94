//! What went wrong in a world, counted where it really happened: a fault that was only planned, and
//! never met anybody, is none.
//!
//! A run of many seeds must have seen every one of them (tests/seeds.rs).

use std::collections::BTreeMap;
use std::fmt;

/// Something that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The power was cut in the middle of an operation of the disk.
    PowerCut,
    /// A power cut left a file with some of its unsynced sectors and without others.
    TornWrite,
    /// A power cut took an unsynced sector of a file.
    LostWrite,
    /// A power cut took a name that was given, changed or removed and not synced.
    LostName,
    /// A sync took time.
    SlowSync,
    /// A sync of a file failed.
    FailedFileSync,
    /// A sync of a folder failed.
    FailedFolderSync,
    /// The room ended in the middle of a write.
    FullWithinWrite,
    /// There was no room for a write or a new file.
    FullBeforeWrite,
    /// The process was killed while the system and its disk cache lived on.
    Kill,
    /// The power was cut or the disk failed while a start executed recorded blocks again.
    StartCutInReplay,
    /// A start was cut or failed before or after that.
    StartCutElsewhere,
    /// The disk came back without the history, or with an older one.
    HistoryLost,
    /// A bit was flipped, and the node refused to start.
    FlippedBitRefused,
    /// A bit was flipped, and everything came out the same.
    FlippedBitHarmless,
    /// A client's request did not arrive.
    RequestLost,
    /// A client's request arrived and its answer did not.
    AnswerLost,
    /// A client's request arrived steps later.
    RequestLate,
    /// A client's request arrived twice.
    RequestTwice,
    /// Requests arrived in another order than they were sent.
    RequestsReordered,
    /// Something that was answered long ago was sent once more.
    OldRequestRepeated,
    /// A rail did not get an order.
    OrderLost,
    /// A rail carried an order out and its answer was lost.
    OrderAnswerLost,
    /// A rail got an order twice.
    OrderTwice,
    /// A rail got an order some calls later.
    OrderLate,
    /// A rail did not answer a question.
    QueryUnanswered,
    /// A process that drives payments was killed at a call or at a look at the clock.
    OutboxKilled,
    /// The bank's outbox did nothing for a whole life of the node.
    BankSilent,
    /// The clock was set back.
    ClockBack,
    /// The clock jumped days ahead.
    ClockAhead,
}

impl Fault {
    /// Every fault there is.
    pub const ALL: [Self; 30] = [
        Self::PowerCut,
        Self::TornWrite,
        Self::LostWrite,
        Self::LostName,
        Self::SlowSync,
        Self::FailedFileSync,
        Self::FailedFolderSync,
        Self::FullWithinWrite,
        Self::FullBeforeWrite,
        Self::Kill,
        Self::StartCutInReplay,
        Self::StartCutElsewhere,
        Self::HistoryLost,
        Self::FlippedBitRefused,
        Self::FlippedBitHarmless,
        Self::RequestLost,
        Self::AnswerLost,
        Self::RequestLate,
        Self::RequestTwice,
        Self::RequestsReordered,
        Self::OldRequestRepeated,
        Self::OrderLost,
        Self::OrderAnswerLost,
        Self::OrderTwice,
        Self::OrderLate,
        Self::QueryUnanswered,
        Self::OutboxKilled,
        Self::BankSilent,
        Self::ClockBack,
        Self::ClockAhead,
    ];
}

/// A method of the disk or of a file on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Call {
    /// Makes a file.
    Create,
    /// Opens one.
    Open,
    /// Lists a folder.
    Names,
    /// Gives a file another name.
    Rename,
    /// Removes one.
    Remove,
    /// Makes the names in a folder durable.
    SyncFolder,
    /// Asks how long a file is.
    Length,
    /// Reads.
    Read,
    /// Writes.
    Write,
    /// Makes what was written durable.
    Sync,
}

/// How often each fault happened, and at which operations the power was cut: the call, and the
/// folder that it was about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FaultCounts {
    faults: BTreeMap<Fault, u64>,
    cuts: BTreeMap<(Call, String), u64>,
}

impl FaultCounts {
    /// A fault happened.
    pub fn note(&mut self, fault: Fault) {
        self.note_many(fault, 1);
    }

    /// A fault happened so often.
    pub fn note_many(&mut self, fault: Fault, count: u64) {
        if count > 0 {
            *self.faults.entry(fault).or_default() += count;
        }
    }

    /// The power was cut in this call about a file or folder.
    pub fn note_cut(&mut self, call: Call, path: &str) {
        self.note(Fault::PowerCut);
        let folder = path.split('/').next().unwrap_or(path);
        *self.cuts.entry((call, folder.to_owned())).or_default() += 1;
    }

    /// Adds what happened elsewhere.
    pub fn add(&mut self, other: &Self) {
        for (fault, count) in &other.faults {
            self.note_many(*fault, *count);
        }
        for (place, count) in &other.cuts {
            *self.cuts.entry(place.clone()).or_default() += count;
        }
    }

    /// How often a fault happened.
    #[must_use]
    pub fn count(&self, fault: Fault) -> u64 {
        self.faults.get(&fault).copied().unwrap_or(0)
    }

    /// How often the power was cut in this call about something in this folder.
    #[must_use]
    pub fn cuts(&self, call: Call, folder: &str) -> u64 {
        self.cuts.get(&(call, folder.to_owned())).copied().unwrap_or(0)
    }

    /// In how many different calls and folders the power was cut.
    #[must_use]
    pub fn cut_places(&self) -> usize {
        self.cuts.len()
    }
}

impl fmt::Display for FaultCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faults = Fault::ALL.iter().map(|fault| format!("{fault:?} {}", self.count(*fault)));
        write!(f, "faults: {}", faults.collect::<Vec<_>>().join(", "))?;
        let cuts = self.cuts.iter().map(|((call, folder), n)| format!("{call:?} {folder} {n}"));
        write!(f, "\npower cuts at: {}", cuts.collect::<Vec<_>>().join(", "))
    }
}
