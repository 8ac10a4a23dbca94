//! `yibao clearing`: pay providers. State a month, propose and approve a batch, hand it to the
//! bank, take in what the bank says, and close a day line by line.
//!
//! Bank accounts stand in a file of bureau and approver (`accounts`) and nowhere on the ledger.
//!
//! Reading order: [`Clearing`], `desk` (signing and sending), `accounts`, `month`, `batch`, `file`
//! (out to the bank and in from it), `import` (what a bank's file means), `day`, `play`, `regions`
//! (what regions owe each other for care elsewhere).

mod accounts;
mod batch;
mod day;
mod desk;
mod file;
mod import;
mod month;
mod play;
mod regions;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};

#[derive(Args)]
pub struct Clearing {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Show what is payable to each provider, or the statements of one.
    Statement(month::Statement),
    /// Close providers' months: what is due becomes payable, less what is held back.
    Close(month::Close),
    /// Propose a batch of everything that is payable.
    Batch(batch::Batch),
    /// Look at a proposed batch and approve it, as the second organisation.
    Approve(batch::Approve),
    /// Write an approved batch as a file for the bank (ISO 20022 pain.001).
    Export(file::Export),
    /// Take in a file of the bank (pain.002, camt.053, camt.054) line by line.
    Import(file::Import),
    /// Compare a day of the bank with ledger and providers' books, and close it.
    Day(day::Day),
    /// Play the bank: answer an order with the files that a bank would send. A simulator.
    PlayBank(play::PlayBank),
    /// What regions advance for each other: statements, answers, disputes, money that came in.
    #[command(subcommand)]
    Regions(regions::Regions),
}

impl Clearing {
    pub fn run(self) -> Result<ExitCode> {
        let done = match self.action {
            Action::Statement(statement) => statement.run(),
            Action::Close(close) => close.run(),
            Action::Batch(batch) => batch.run(),
            Action::Approve(approve) => approve.run(),
            Action::Export(export) => export.run(),
            Action::Import(import) => import.run(),
            Action::Day(day) => day.run(),
            Action::Regions(regions) => regions.run(),
            Action::PlayBank(play) => return play.run(),
        };
        match done {
            Ok(code) | Err(desk::Stopped::Refused(code)) => Ok(code),
            Err(desk::Stopped::Failed(error)) => Err(error),
        }
    }
}
