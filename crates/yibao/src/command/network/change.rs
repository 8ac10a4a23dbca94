//! What those who govern decide about a network, as transactions that are ready to be signed.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use gateway::api::network::NetworkView;
use ledger::kernel::registry::Kind;
use ledger::modules::network::{
    self, AdmitNode, Member, ScheduleUpgrade, SetValidators, WithdrawUpgrade,
};
use primitives::{OrganisationId, Party};
use ureq::http::Uri;

use super::ask;
use crate::command::client::Client;
use crate::command::input::{bad, read_json};
use crate::command::tx::write_transaction;

const REQUEST_BYTES_MAX: u64 = 64 << 10;

/// Who brings a transaction, for which ledger, into which file.
#[derive(Args)]
struct Draft {
    /// Who brings it: `organisation:CODE`, one of those who govern.
    #[arg(long, value_name = "PARTY")]
    author: Party,
    /// The gateway of a node of the ledger.
    #[arg(long, default_value = "http://localhost:8420")]
    url: Uri,
    /// The file to write; it must not exist yet.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

impl Draft {
    fn present(&self) -> Result<NetworkView> {
        ask(&Client::new(&self.url)?, &self.url)
    }

    fn write(&self, present: &NetworkView, kind: &impl Kind) -> Result<ExitCode> {
        let id = write_transaction(present.chain_id, self.author, kind, &self.output)?;
        let shown = self.output.display();
        println!("transaction {id} is in `{shown}`");
        let names: Vec<_> = present.governing.iter().map(|one| one.as_str()).collect();
        println!("more than two thirds of {} sign it with `yibao tx sign`;", names.join(", "));
        println!("then `yibao tx send {shown}`");
        Ok(ExitCode::SUCCESS)
    }
}

#[derive(Args)]
pub struct Admit {
    /// The newcomer's request, `admit-node.json` in its data folder.
    #[arg(value_name = "FILE")]
    request: PathBuf,
    #[command(flatten)]
    draft: Draft,
}

impl Admit {
    pub fn run(self) -> Result<ExitCode> {
        let body: AdmitNode = read_json("the request", &self.request, REQUEST_BYTES_MAX)?;
        body.check().map_err(|error| bad(format!("the request: {error}")))?;
        self.draft.write(&self.draft.present()?, &body)
    }
}

#[derive(Args)]
pub struct Validators {
    /// An organisation that decides from now on; its node is let in and has all blocks.
    #[arg(long, value_name = "CODE")]
    add: Vec<OrganisationId>,
    /// An organisation that does not decide any more.
    #[arg(long, value_name = "CODE")]
    remove: Vec<OrganisationId>,
    #[command(flatten)]
    draft: Draft,
}

impl Validators {
    pub fn run(self) -> Result<ExitCode> {
        let present = self.draft.present()?;
        let validators = present.validators.validators().iter();
        let mut powers: BTreeMap<_, _> =
            validators.map(|one| (one.organisation, one.power)).collect();
        for one in &self.remove {
            if powers.remove(one).is_none() {
                return Err(bad(format!(
                    "`{one}` is no validator; `yibao network status` lists them"
                )));
            }
        }
        for one in &self.add {
            if powers.insert(*one, 1).is_some() {
                return Err(bad(format!("`{one}` is a validator already")));
            }
        }
        if self.add.is_empty() && self.remove.is_empty() {
            return Err(bad("name who comes with --add or who goes with --remove"));
        }
        let member = |(organisation, power)| Member { organisation, power };
        let members = powers.into_iter().map(member).collect();
        let body = SetValidators { present: present.validators_hash, members };
        self.draft.write(&present, &body)
    }
}

#[derive(Args)]
pub struct Upgrade {
    /// The first block by the new rules.
    #[arg(long, value_name = "BLOCK")]
    height: u64,
    /// Take the upgrade at this block back.
    #[arg(long)]
    withdraw: bool,
    #[command(flatten)]
    draft: Draft,
}

impl Upgrade {
    pub fn run(self) -> Result<ExitCode> {
        let present = self.draft.present()?;
        let height = self.height;
        if self.withdraw {
            return self.draft.write(&present, &WithdrawUpgrade { height });
        }
        let upgrade = network::Upgrade { height, protocol: present.protocol.saturating_add(1) };
        self.draft.write(&present, &ScheduleUpgrade { upgrade })
    }
}
