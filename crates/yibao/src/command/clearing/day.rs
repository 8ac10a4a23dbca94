//! A day of the bank, compared with ledger and providers' books, and closed.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use adapters::bank_file::reconcile::{BookLine, Difference, LedgerLine, Reconciled, reconcile};
use adapters::bank_file::statement::Statement;
use adapters::bank_file::{self, Direction, Movement};
use anyhow::Result;
use clap::Args;
use gateway::api::clearing::{BankDayView, PayoutView};
use ledger::modules::clearing::{
    BankDifference, BatchStanding, CloseBankDay, DayTotals, DifferenceKind, LineStanding,
};
use primitives::{Amount, CivilDate, Currency, OrganisationId, sha256};
use serde::Deserialize;

use super::accounts::Accounts;
use super::desk::{At, Stopped};
use super::file::{batches, read_file, wrong_file};
use super::import::{came_in, words};
use crate::command::input::{bad, printable, read_bytes};

/// A provider's book of a day.
const BOOK_BYTES_MAX: u64 = 64 << 20;

#[derive(Args)]
pub struct Day {
    /// The day, such as 2026-03-31.
    day: CivilDate,
    #[command(flatten)]
    at: At,
    /// The bank's statement of the day, camt.053.001.08.
    #[arg(long, value_name = "FILE")]
    statement: PathBuf,
    /// The file of bank accounts, whose salt hides references.
    #[arg(long, value_name = "FILE")]
    accounts: PathBuf,
    /// A provider's own book as `CODE=FILE`: CSV with the columns reference, direction (received or
    /// sent_back), amount, day.
    #[arg(long = "book", value_name = "CODE=FILE", value_parser = book_option)]
    books: Vec<(OrganisationId, PathBuf)>,
    /// Close the day on the ledger: every difference gets an owner and a last day.
    #[arg(long)]
    close: bool,
}

fn book_option(text: &str) -> Result<(OrganisationId, PathBuf), String> {
    let wrong =
        || String::from("write the provider's code, `=` and the file, such as hospital-1=book.csv");
    let (code, file) = text.split_once('=').ok_or_else(wrong)?;
    Ok((code.parse().map_err(|_| wrong())?, PathBuf::from(file)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BookRow {
    reference: String,
    direction: String,
    amount: String,
    day: CivilDate,
}

fn read_book(path: &Path, currency: Currency) -> Result<Vec<BookLine>> {
    let bytes = read_bytes("the provider's book", path, BOOK_BYTES_MAX)?;
    let mut lines = Vec::new();
    for (number, row) in (2_usize..).zip(csv::Reader::from_reader(bytes.as_slice()).deserialize()) {
        let wrong = |field: &str, words: &str| {
            let shown = path.display();
            bad(format!("the provider's book `{shown}`, line {number}, `{field}`: {words}"))
        };
        let row: BookRow = row.map_err(|error| {
            let words = "the columns are reference, direction, amount, day; mend the line";
            wrong("line", &format!("{words} ({error})"))
        })?;
        let direction = match row.direction.as_str() {
            "received" => Direction::Out,
            "sent_back" => Direction::Back,
            _ => return Err(wrong("direction", "write received or sent_back")),
        };
        let amount = Amount::from_decimal(&row.amount, currency)
            .map_err(|error| wrong("amount", &error.to_string()))?;
        lines.push(BookLine { end_to_end: row.reference, direction, amount, day: row.day });
        if lines.len() > bank_file::LINES_MAX {
            return Err(wrong("line", "a day's book has at most 200,000 lines"));
        }
    }
    Ok(lines)
}

/// The lines of all batches by their reference.
fn lines_of(batches: &BTreeMap<u32, PayoutView>) -> HashMap<String, LedgerLine> {
    let all = batches.values().flat_map(|batch| {
        let is_approved = batch.standing == BatchStanding::Approved;
        batch.lines.iter().map(move |line| {
            let (paid, returned) = match line.row.standing {
                LineStanding::Paid { day, .. } => (Some(day), None),
                LineStanding::Returned { paid, day, .. } => (Some(paid), Some(day)),
                LineStanding::Waiting | LineStanding::Failed { .. } => (None, None),
            };
            let is_refused = matches!(line.row.standing, LineStanding::Failed { .. });
            let (provider, amount) = (line.row.provider, line.row.amount);
            let is_ordered = is_approved && !is_refused;
            let line_of = LedgerLine { provider, amount, is_ordered, paid, returned };
            (line.end_to_end.clone(), line_of)
        })
    });
    all.collect()
}

/// The ledger's name for a difference.
const fn kind_of(kind: bank_file::reconcile::DifferenceKind) -> DifferenceKind {
    use bank_file::reconcile::DifferenceKind as Found;
    match kind {
        Found::UnknownReference => DifferenceKind::UnknownReference,
        Found::DuplicateLine => DifferenceKind::DuplicateLine,
        Found::WrongAmount => DifferenceKind::WrongAmount,
        Found::WrongDay => DifferenceKind::WrongDay,
        Found::MissingAtBank => DifferenceKind::MissingAtBank,
        Found::NotOrdered => DifferenceKind::NotOrdered,
        Found::NotRecorded => DifferenceKind::NotRecorded,
        Found::MissingInBook => DifferenceKind::MissingInBook,
        Found::BookAmount => DifferenceKind::BookAmount,
        Found::BookDay => DifferenceKind::BookDay,
        Found::OnlyInBook => DifferenceKind::OnlyInBook,
    }
}

impl Day {
    pub fn run(self) -> Result<ExitCode, Stopped> {
        let accounts = Accounts::read(&self.accounts)?;
        let bytes = read_file(&self.statement)?;
        let desk = self.at.enter()?;
        let clearing = desk.clearing()?;
        let currency = clearing.currency;
        let statement = Statement::read(&bytes, currency).map_err(wrong_file(&self.statement))?;
        let mut books: BTreeMap<OrganisationId, Vec<BookLine>> = BTreeMap::new();
        for (provider, path) in &self.books {
            books.entry(*provider).or_default().extend(read_book(path, currency)?);
        }
        let batches = batches(&desk, 1..=clearing.last_batch, clearing.last_batch)?;
        let counterparts = desk.counterparts()?;
        let (others, own): (Vec<Movement>, Vec<Movement>) = statement
            .movements
            .into_iter()
            .partition(|one| came_in(desk.region, &counterparts, one).is_some());
        let found = reconcile(self.day, &own, &lines_of(&batches), &books);
        let days = clearing.rules.as_ref().map_or(0, |rules| rules.clear_within_days);
        let until = clearing.today.plus_days(i32::from(days)).unwrap_or(clearing.today);
        self.say(&found, currency, until);
        let others = others.iter().filter(|one| one.day == self.day);
        for one in others {
            let amount = one.amount.to_decimal(currency);
            println!("  {:<24}{amount:>16}  came in from another region", one.end_to_end);
        }
        if self.close {
            let differences = found.differences.iter().map(|one| BankDifference {
                kind: kind_of(one.kind),
                amount: one.amount,
                reference: accounts.reference(&one.reference),
                provider: one.provider,
            });
            let bank = DayTotals { lines: found.lines, paid: found.paid, returned: found.returned };
            let (region, day, statement) = (desk.region, self.day, sha256(&bytes));
            let differences = differences.collect();
            desk.send(&CloseBankDay { region, day, statement, bank, differences })?;
            let closed: BankDayView = desk.read(&format!("/days/{}", self.day))?;
            let items = closed.closed.map_or(0, |day| day.items.len());
            match closed.is_even {
                true => println!("{} is closed as a day without differences", self.day),
                false => println!("{} is closed with {items} suspense items", self.day),
            }
        }
        desk.leave();
        let is_even = found.differences.is_empty();
        Ok(if is_even { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }

    fn say(&self, found: &Reconciled, currency: Currency, until: CivilDate) {
        println!(
            "{}: {} lines of the bank, {} paid, {} came back; {} agree",
            self.day,
            found.lines,
            found.paid.to_decimal(currency),
            found.returned.to_decimal(currency),
            found.agreed
        );
        for one in &found.differences {
            self.say_difference(one, currency, until);
        }
        if found.differences.is_empty() {
            let books = self.books.len();
            println!("no difference: bank, ledger and {books} books agree line by line");
        }
    }

    fn say_difference(&self, one: &Difference, currency: Currency, until: CivilDate) {
        let kind = kind_of(one.kind);
        let owner = format!("{:?}", kind.owner()).to_lowercase();
        let owner = match one.provider.filter(|_| owner == "provider") {
            Some(provider) => provider.to_string(),
            None => owner,
        };
        println!(
            "  {:<24}{:>16}  {}; {owner} clears it by {until}",
            printable(&one.reference),
            one.amount.to_decimal(currency),
            words(kind)
        );
    }
}
