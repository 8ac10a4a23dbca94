//! Files for the bank and from it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use adapters::bank_file::order::{Payment, PaymentOrder};
use adapters::bank_file::report::StatusReport;
use adapters::bank_file::statement::Statement;
use adapters::bank_file::{FILE_BYTES_MAX, FileError, Message};
use anyhow::Result;
use clap::Args;
use gateway::api::clearing::PayoutView;
use ledger::modules::clearing::{BankWord, PAYOUT_LINES_MAX, RecordPayoutResults, end_to_end};
use node::signature::write_owned;
use primitives::Currency;

use super::accounts::Accounts;
use super::desk::{At, Desk, Stopped};
use super::import::{Known, Reading, batches_of, movements, report, words};
use crate::command::input::{bad, read_bytes};

#[derive(Args)]
pub struct Export {
    #[command(flatten)]
    at: At,
    /// The batch's number.
    #[arg(long, value_name = "NUMBER")]
    batch: u32,
    /// The file of bank accounts.
    #[arg(long, value_name = "FILE")]
    accounts: PathBuf,
    /// The file to write; it must not exist yet. It holds account numbers: only its owner may read
    /// it.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

#[derive(Args)]
pub struct Import {
    /// The bank's file: pain.002.001.10, camt.053.001.08 or camt.054.001.08.
    file: PathBuf,
    #[command(flatten)]
    at: At,
    /// The file of bank accounts, whose salt hides the bank's references.
    #[arg(long, value_name = "FILE")]
    accounts: PathBuf,
    /// Record what is new on the ledger; without it the file is only looked at.
    #[arg(long)]
    record: bool,
}

/// A new file that only its owner may read.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<()> {
    let shown = path.display();
    write_owned(path, bytes).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            bad(format!("the file `{shown}` exists already; name another one"))
        }
        _ => bad(format!("the file `{shown}` cannot be written: {error}")),
    })
}

/// A wrong file, by its name.
pub fn wrong_file(path: &Path) -> impl Fn(FileError) -> anyhow::Error {
    let shown = path.display().to_string();
    move |error| bad(format!("the file `{shown}`, {error}"))
}

/// Reads a file of the bank.
pub fn read_file(path: &Path) -> Result<Vec<u8>> {
    read_bytes("the bank's file", path, FILE_BYTES_MAX as u64)
}

impl Export {
    pub fn run(self) -> Result<ExitCode, Stopped> {
        let accounts = Accounts::read(&self.accounts)?;
        let desk = self.at.enter()?;
        let batch = desk.batch(self.batch)?;
        let Some(approved) = batch.approved else {
            return Err(bad(format!(
                "batch {} is not approved; the bank is told nothing before `yibao clearing approve`",
                self.batch
            ))
            .into());
        };
        let payments = batch.lines.iter().map(|line| {
            accounts.require_same(&line.row)?;
            Ok(Payment {
                end_to_end: line.end_to_end.clone(),
                amount: line.row.amount,
                to: accounts.of(line.row.provider)?.clone(),
                purpose: format!("{} {}", batch.region, batch.batch),
            })
        });
        let order = PaymentOrder {
            id: format!("YB{}-{}", batch.region.0, batch.batch),
            made: approved,
            execute_on: batch.execute_on,
            currency: batch.currency,
            from: accounts.from.clone(),
            payments: payments.collect::<Result<_>>()?,
        };
        write_private(&self.output, &order.to_xml())?;
        let sum = order.sum().map_or_else(String::new, |sum| sum.to_decimal(batch.currency));
        println!(
            "{} payments of {sum} {} in all are in `{}`",
            order.payments.len(),
            batch.currency,
            self.output.display()
        );
        desk.leave();
        Ok(ExitCode::SUCCESS)
    }
}

/// The batches of these numbers, as far as there are such.
pub fn batches(
    desk: &Desk,
    numbers: impl IntoIterator<Item = u32>,
    last: u32,
) -> Result<BTreeMap<u32, PayoutView>, Stopped> {
    let there = numbers.into_iter().filter(|number| (1..=last).contains(number));
    there.map(|number| Ok((number, desk.batch(number)?))).collect()
}

impl Import {
    pub fn run(self) -> Result<ExitCode, Stopped> {
        let accounts = Accounts::read(&self.accounts)?;
        let bytes = read_file(&self.file)?;
        let message = Message::of(&bytes).map_err(wrong_file(&self.file))?;
        let desk = self.at.enter()?;
        let clearing = desk.clearing()?;
        let reading = self.read(
            &desk,
            (message, &bytes),
            (clearing.last_batch, clearing.currency),
            &accounts,
        )?;
        self.say(&reading, &desk, clearing.currency);
        if self.record {
            record(&desk, &reading)?;
            println!("{} lines recorded", reading.news());
        }
        desk.leave();
        let is_even = reading.differences.is_empty();
        Ok(if is_even { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }

    fn read(
        &self,
        desk: &Desk,
        (message, bytes): (Message, &[u8]),
        (last, currency): (u32, Currency),
        accounts: &Accounts,
    ) -> Result<Reading, Stopped> {
        let region = desk.region;
        if message == Message::Report {
            let said = StatusReport::read(bytes).map_err(wrong_file(&self.file))?;
            let references = said.payments.iter().map(|one| one.end_to_end.as_str());
            // The order itself is named like its lines.
            let order = format!("{}-0", said.order);
            let references = references.chain([order.as_str()]);
            let batches = batches(desk, batches_of(region, references), last)?;
            let counterparts = &BTreeSet::new();
            return Ok(report(&Known { region, counterparts, batches: &batches }, &said));
        }
        let statement = Statement::read(bytes, currency).map_err(wrong_file(&self.file))?;
        let references = statement.movements.iter().map(|one| one.end_to_end.as_str());
        let batches = batches(desk, batches_of(region, references), last)?;
        let reference = |reference: &str| accounts.reference(reference);
        let counterparts = &desk.counterparts()?;
        let known = Known { region, counterparts, batches: &batches };
        Ok(movements(&known, &statement.movements, reference))
    }

    fn say(&self, reading: &Reading, desk: &Desk, currency: Currency) {
        for (batch, results) in reading.steps.iter().flatten() {
            for result in results {
                let name = end_to_end(desk.region, *batch, result.line);
                match &result.word {
                    BankWord::Paid { amount, day, .. } => {
                        println!("  {name:<24}{:>16}  paid on {day}", amount.to_decimal(currency));
                    }
                    BankWord::Failed { reason } => {
                        println!("  {name:<24}{:>16}  refused: {}", "", &**reason);
                    }
                    BankWord::Returned { amount, day, reason, .. } => println!(
                        "  {name:<24}{:>16}  came back on {day}: {}",
                        amount.to_decimal(currency),
                        &**reason
                    ),
                }
            }
        }
        for (other, movement) in &reading.came_in {
            let amount = movement.amount.to_decimal(currency);
            println!(
                "  {:<24}{amount:>16}  came in: `yibao clearing regions received --other {other} \
                 --amount {amount} --day {} --reference {}`",
                movement.end_to_end,
                movement.day,
                crate::command::input::printable(&movement.bank_reference)
            );
        }
        for (kind, reference, amount) in &reading.differences {
            let shown = crate::command::input::printable(reference);
            println!("  {shown:<24}{:>16}  {}", amount.to_decimal(currency), words(*kind));
        }
        println!(
            "`{}`: {} lines are new, {} known, {} differ",
            self.file.display(),
            reading.news(),
            reading.known,
            reading.differences.len()
        );
    }
}

/// Records what is new. What is known by then is left out by the next reading of the same file.
fn record(desk: &Desk, reading: &Reading) -> Result<(), Stopped> {
    for (batch, results) in reading.steps.iter().flatten() {
        for part in results.chunks(PAYOUT_LINES_MAX) {
            let (region, batch, results) = (desk.region, *batch, part.to_vec());
            desk.send(&RecordPayoutResults { region, batch, results })?;
        }
    }
    Ok(())
}
