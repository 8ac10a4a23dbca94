//! Where old bills come from: a ledger's history, a file, or a made-up population.
//!
//! All of them give the bills of a person in the order in which they were settled.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use benefit::Plan;
use ledger::modules::visit::SettlementRecord;
use node::history::HistoryReader;
use primitives::{RegionId, SchemeId};

use super::bill::PastBill;
use crate::command::input::{bad, parse_json};
use crate::demo::past::PastYear;

/// How many bills a batch has, about.
const BATCH: usize = 1_000;
/// A bill of two thousand sums has some hundred kilobytes.
const LINE_BYTES_MAX: u64 = 4 << 20;

/// Some bills, one after the other.
#[derive(Debug, Default)]
pub struct Batch {
    /// The bills.
    pub bills: Vec<PastBill>,
    /// Whether nobody in it has a bill in a later batch.
    pub is_complete: bool,
}

/// Gives old bills batch by batch.
pub trait Source: Send {
    /// The next batch, if there is one.
    ///
    /// # Errors
    /// What cannot be read.
    fn next(&mut self) -> Result<Option<Batch>>;
}

/// A file with a bill in each line.
pub struct BillFile {
    path: PathBuf,
    lines: BufReader<File>,
    line: u64,
    are_records: Option<bool>,
}

impl BillFile {
    /// Opens it.
    ///
    /// # Errors
    /// When it is missing, a folder, or may not be read.
    pub fn open(path: &Path) -> Result<Self> {
        let shown = path.display();
        let file = File::open(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                bad(format!("the bills `{shown}` do not exist; check the path"))
            }
            _ => bad(format!("the bills `{shown}` cannot be read: {error}")),
        })?;
        if file.metadata().is_ok_and(|found| found.is_dir()) {
            let words = format!("the bills `{shown}` are a folder; name a file, or use --data");
            return Err(bad(words));
        }
        let lines = BufReader::with_capacity(1 << 20, file);
        Ok(Self { path: path.to_owned(), lines, line: 0, are_records: None })
    }

    fn read_line(&mut self) -> Result<Option<String>> {
        self.line += 1;
        let mut bytes = Vec::new();
        let mut limited = (&mut self.lines).take(LINE_BYTES_MAX);
        let shown = self.path.display();
        let read = limited.read_until(b'\n', &mut bytes);
        read.map_err(|error| anyhow!("the bills `{shown}` cannot be read: {error}"))?;
        if bytes.is_empty() {
            return Ok(None);
        }
        let line = self.line;
        if bytes.len() as u64 == LINE_BYTES_MAX {
            let words = "this line is longer than 4 MiB; write one bill in each line";
            return Err(bad(format!("the bills `{shown}`, line {line}: {words}")));
        }
        String::from_utf8(bytes).map(Some).map_err(|_| {
            let words = "this is not UTF-8 text; save it as UTF-8";
            bad(format!("the bills `{shown}`, line {line}: {words}"))
        })
    }

    fn parse(&mut self, text: &str) -> Result<Option<PastBill>> {
        let are_records = *self.are_records.get_or_insert_with(|| is_record(text));
        let what = format!("line {} of the bills", self.line);
        if are_records {
            let record: SettlementRecord = parse_json(&what, &self.path, text)?;
            return Ok(PastBill::of_record(record));
        }
        parse_json(&what, &self.path, text).map(Some)
    }
}

/// Whether a line looks like a settlement record: bills have no visit.
fn is_record(text: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(text).is_ok_and(|json| json.get("visit").is_some())
}

impl Source for BillFile {
    fn next(&mut self) -> Result<Option<Batch>> {
        let mut batch = Batch::default();
        while batch.bills.len() < BATCH {
            let Some(text) = self.read_line()? else { break };
            if !text.trim().is_empty() {
                batch.bills.extend(self.parse(&text)?);
            }
        }
        Ok((!batch.bills.is_empty()).then_some(batch))
    }
}

/// The settlements in a ledger's history, as they stand now, in the order in which they were
/// settled.
pub struct History {
    reader: HistoryReader,
    region: RegionId,
    scheme: SchemeId,
    at: u64,
    receipts: u64,
}

impl History {
    /// The history in a data folder, for a plan's region and scheme. A node may work in the folder.
    ///
    /// # Errors
    /// When there is none.
    pub fn open(data: &Path, plan: &Plan) -> Result<Self> {
        let inner = data.join("node");
        let folder = if inner.is_dir() { inner } else { data.to_owned() };
        let path = folder.join("history.sqlite");
        if !path.is_file() {
            return Err(bad(format!(
                "there is no history in `{}`; name the data folder of a node with --data",
                data.display()
            )));
        }
        let reader = HistoryReader::untouched(&path);
        let receipts = reader.progress()?.receipts;
        Ok(Self { reader, region: plan.region(), scheme: plan.scheme(), at: 0, receipts })
    }

    /// The settlement that a receipt brought about, as it stands now.
    fn settlement_at(&self, index: u64) -> Result<Option<PastBill>> {
        let Some(receipt) = self.reader.receipt_at(index)? else { return Ok(None) };
        let standing = |visit| self.reader.settlement(visit);
        Ok(PastBill::of_receipt(&receipt, (self.region, self.scheme), standing)?)
    }
}

impl Source for History {
    fn next(&mut self) -> Result<Option<Batch>> {
        let mut batch = Batch::default();
        while batch.bills.len() < BATCH && self.at < self.receipts {
            batch.bills.extend(self.settlement_at(self.at)?);
            self.at += 1;
        }
        Ok((!batch.bills.is_empty()).then_some(batch))
    }
}

/// A made-up population's year.
pub struct MadeUp {
    year: PastYear,
    ready: std::collections::VecDeque<Vec<PastBill>>,
}

impl MadeUp {
    /// So many people from a seed; the same seed gives the same bills.
    ///
    /// # Errors
    /// When the plan is not for such people.
    pub fn new(people: usize, seed: u64, plan: &Plan) -> Result<Self> {
        let year = PastYear::new(people, seed, plan)?;
        Ok(Self { year, ready: std::collections::VecDeque::new() })
    }
}

impl Source for MadeUp {
    fn next(&mut self) -> Result<Option<Batch>> {
        while self.ready.is_empty() {
            let made = self.year.make_some()?;
            if made.is_empty() {
                return Ok(None);
            }
            self.ready.extend(made.into_iter().filter(|bills| !bills.is_empty()));
        }
        let bills = self.ready.pop_front().unwrap_or_default();
        Ok(Some(Batch { bills, is_complete: true }))
    }
}
