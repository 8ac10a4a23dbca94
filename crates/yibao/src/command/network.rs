//! `yibao network`: founding a ledger of several organisations, and what changes in it later.
//!
//! Reading order: [`Network`], `join` (becoming one of several), `sync`, `change` (what those who
//! govern decide), `policy`, `status`.

mod change;
mod join;
mod policy;
mod status;
mod sync;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, anyhow};
use clap::{Args, Subcommand};
use gateway::api::network::NetworkView;
use ledger::Genesis;
use node::signature::{Scheme, SecretKey};
use primitives::OrganisationId;
use proof::header::{Validator, ValidatorSet};
use ureq::http::Uri;

use super::client::Client;
use super::input::{bad, read_json};
use crate::serving::folder::GENESIS_BYTES_MAX;
use crate::serving::network::Member;

#[derive(Args)]
pub struct Network {
    #[command(subcommand)]
    command: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Make a data folder for each organisation that validates, with fresh keys, one genesis, and
    /// the addresses of the others.
    Init(Init),
    /// Make the node of one organisation alone reachable for others; it goes on with its ledger.
    Open(join::Open),
    /// Write what a newcomer needs: the genesis and where this node is. It is as secret as the
    /// genesis.
    Invite(join::Invite),
    /// Make a data folder from an invitation, with fresh keys, and the request to be let in.
    Join(join::Join),
    /// Fill the folder of a newcomer that was let in with the newest snapshot of another node, so
    /// that it begins there instead of with the first block.
    Sync(sync::Sync),
    /// Write the transaction that lets a newcomer in, ready to be signed by those who govern.
    Admit(change::Admit),
    /// Write the transaction that names who decides, ready to be signed by those who govern.
    Validators(change::Validators),
    /// Write the transaction that schedules an upgrade, or takes it back.
    Upgrade(change::Upgrade),
    /// Ask a gateway for the policy that its vouchers pass offline: its log, and how many of the
    /// others must have cosigned.
    Policy(policy::Policy),
    /// Say where a network stands: its last block and who signed it, who decides, whose keys are to
    /// be replaced, which rules hold.
    Status(status::Status),
}

#[derive(Args)]
struct Init {
    /// The genesis of the ledger; its validators are replaced by the members.
    #[arg(long, value_name = "FILE")]
    genesis: PathBuf,
    /// An organisation that validates, and where the others reach its node, such as
    /// `finance=10.0.0.2:7410`; given once for each, four times at the least.
    #[arg(long = "member", value_name = "ORGANISATION=ADDRESS", value_parser = member)]
    members: Vec<(OrganisationId, String)>,
    /// Where the folders are made, one per organisation.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
}

fn member(text: &str) -> Result<(OrganisationId, String), String> {
    let wrong = || "write ORGANISATION=ADDRESS, such as finance=10.0.0.2:7410".to_owned();
    let (organisation, place) = text.split_once('=').ok_or_else(wrong)?;
    let place = address(place).map_err(|_| wrong())?;
    Ok((organisation.parse()?, place))
}

/// What a gateway says of its network.
fn ask(client: &Client, url: &Uri) -> Result<NetworkView> {
    let answer = client.read("/v1/network")?;
    serde_json::from_slice(&answer.body).map_err(|_| no_gateway(url))
}

fn no_gateway(url: &Uri) -> anyhow::Error {
    anyhow!("`{url}` does not say how its network is; is it a gateway?")
}

/// Where a node is reached.
pub fn address(text: &str) -> Result<String, String> {
    let wrong = || "write HOST:PORT, such as 10.0.0.2:7410".to_owned();
    let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
    let is_port = port.parse::<u16>().is_ok_and(|port| port > 0);
    if host.is_empty() || !is_port || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(wrong());
    }
    Ok(text.to_owned())
}

impl Network {
    /// Runs the command.
    ///
    /// # Errors
    /// What cannot be used or written.
    pub fn run(self) -> Result<ExitCode> {
        match self.command {
            Action::Init(init) => init.run(),
            Action::Policy(policy) => policy.run(),
            Action::Open(open) => open.run(),
            Action::Invite(invite) => invite.run(),
            Action::Join(join) => join.run(),
            Action::Sync(sync) => sync.run(),
            Action::Admit(admit) => admit.run(),
            Action::Validators(validators) => validators.run(),
            Action::Upgrade(upgrade) => upgrade.run(),
            Action::Status(status) => status.run(),
        }
    }
}

impl Init {
    fn run(self) -> Result<ExitCode> {
        let mut genesis: Genesis = read_json("the genesis", &self.genesis, GENESIS_BYTES_MAX)?;
        self.check(&genesis)?;
        let members = self.members.iter().map(|(organisation, address)| {
            let key = || SecretKey::generate(Scheme::Ed25519);
            Ok(Member {
                organisation: *organisation,
                block_key: key()?,
                log_key: key()?,
                origin: format!("{}/{organisation}", genesis.chain_id),
                network_key: key()?,
                address: address.clone(),
            })
        });
        let members = members.collect::<Result<Vec<_>>>()?;
        let validators = members.iter().map(|member| Validator {
            organisation: member.organisation,
            key: member.block_key.public_key(),
            power: 1,
        });
        genesis.validators = ValidatorSet::new(validators.collect())
            .map_err(|error| bad(format!("the members: {error}")))?;
        for member in &members {
            let others = members.iter().filter(|other| other.organisation != member.organisation);
            let others = others.map(Member::peer).collect::<Result<_>>()?;
            let folder = self.folder(member.organisation);
            member
                .found(&folder, &genesis, others)
                .with_context(|| format!("`{}` cannot be written", folder.display()))?;
            println!("{:<16} {}", member.organisation.as_str(), folder.display());
        }
        println!("genesis {}", genesis.hash());
        println!("bring each folder to its organisation alone: it holds its keys. Then, on each:");
        println!("  yibao serve --data DIR");
        Ok(ExitCode::SUCCESS)
    }

    fn folder(&self, organisation: OrganisationId) -> PathBuf {
        self.data.join(organisation.as_str())
    }

    fn check(&self, genesis: &Genesis) -> Result<()> {
        let known: BTreeSet<_> =
            genesis.organisations.iter().map(|organisation| organisation.organisation).collect();
        if self.members.len() < 4 {
            return Err(bad(format!(
                "{} members: name at least four with --member, because fewer cannot go on without one",
                self.members.len()
            )));
        }
        for (organisation, _) in &self.members {
            if !known.contains(organisation) {
                return Err(bad(format!("`{organisation}` is no organisation of the genesis")));
            }
            let folder = self.folder(*organisation);
            if Path::exists(&folder) {
                return Err(bad(format!("`{}` exists; name another --data", folder.display())));
            }
        }
        Ok(())
    }
}
