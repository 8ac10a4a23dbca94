//! Batches of payments: proposed by the bureau, approved by a second organisation.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use gateway::api::clearing::PayoutView;
use ledger::modules::clearing::{
    ApprovePayout, BatchStanding, PAYOUT_LINES_MAX, PayoutLine, ProposePayout,
};
use primitives::{CivilDate, OrganisationId};

use super::accounts::Accounts;
use super::desk::{At, Stopped};
use crate::command::input::bad;

#[derive(Args)]
pub struct Batch {
    #[command(flatten)]
    at: At,
    /// The day on which the bank is asked to pay.
    #[arg(long, value_name = "DAY")]
    on: CivilDate,
    /// The file of bank accounts.
    #[arg(long, value_name = "FILE")]
    accounts: PathBuf,
    /// The providers; everybody to whom something is payable when left out.
    #[arg(long = "provider", value_name = "CODE")]
    providers: Vec<OrganisationId>,
}

#[derive(Args)]
pub struct Approve {
    #[command(flatten)]
    at: At,
    /// The batch's number.
    #[arg(long, value_name = "NUMBER")]
    batch: u32,
    /// The approver's own file of bank accounts: the batch must pay to these.
    #[arg(long, value_name = "FILE")]
    accounts: PathBuf,
}

/// The proposal that a batch is.
fn proposal(batch: &PayoutView) -> ProposePayout {
    let lines = batch.lines.iter().map(|line| PayoutLine {
        provider: line.row.provider,
        amount: line.row.amount,
        account: line.row.account,
    });
    ProposePayout {
        region: batch.region,
        batch: batch.batch,
        execute_on: batch.execute_on,
        lines: lines.collect(),
    }
}

fn print(batch: &PayoutView) {
    println!("batch {} of {}, to be paid on {}", batch.batch, batch.region, batch.execute_on);
    for line in &batch.lines {
        let amount = line.row.amount.to_decimal(batch.currency);
        println!("  {:<24}{:<20}{amount:>16}", line.end_to_end, line.row.provider.to_string());
    }
}

impl Batch {
    pub fn run(self) -> Result<ExitCode, Stopped> {
        let accounts = Accounts::read(&self.accounts)?;
        let desk = self.at.enter()?;
        let clearing = desk.clearing()?;
        let asked = |id| self.providers.is_empty() || self.providers.contains(&id);
        let payable = clearing.providers.iter();
        let payable = payable.filter(|one| !one.payable.is_zero() && asked(one.organisation));
        let lines = payable.map(|one| {
            let provider = one.organisation;
            Ok(PayoutLine { provider, amount: one.payable, account: accounts.tag(provider)? })
        });
        // What does not fit waits for the next batch.
        let lines = lines.take(PAYOUT_LINES_MAX).collect::<Result<Vec<_>>>()?;
        if lines.is_empty() {
            return Err(bad("nothing is payable; close a month with `yibao clearing close`").into());
        }
        let batch = clearing.last_batch.saturating_add(1);
        let body = ProposePayout { region: desk.region, batch, execute_on: self.on, lines };
        desk.send(&body)?;
        print(&desk.batch(batch)?);
        println!("proposed; a second organisation approves with `yibao clearing approve`");
        desk.leave();
        Ok(ExitCode::SUCCESS)
    }
}

impl Approve {
    pub fn run(self) -> Result<ExitCode, Stopped> {
        let accounts = Accounts::read(&self.accounts)?;
        let desk = self.at.enter()?;
        let batch = desk.batch(self.batch)?;
        print(&batch);
        if batch.standing != BatchStanding::Proposed {
            let words = "the batch is withdrawn or approved already; there is nothing to approve";
            return Err(bad(words).into());
        }
        for line in &batch.lines {
            accounts.require_same(&line.row)?;
        }
        // The hash of what was shown, not the one that the gateway says.
        let body = ApprovePayout {
            region: desk.region,
            batch: self.batch,
            lines: proposal(&batch).lines_hash(),
            approver: desk.organisation,
        };
        desk.send(&body)?;
        println!("approved; write the bank's file with `yibao clearing export`");
        desk.leave();
        Ok(ExitCode::SUCCESS)
    }
}
