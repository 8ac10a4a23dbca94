//! `yibao network`: founding a ledger of several organisations.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{Args, Subcommand};
use ledger::Genesis;
use node::signature::{Scheme, SecretKey};
use primitives::OrganisationId;
use proof::header::{Validator, ValidatorSet};

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
    let (organisation, address) = text.split_once('=').ok_or_else(wrong)?;
    let (host, port) = address.rsplit_once(':').ok_or_else(wrong)?;
    if host.is_empty() || port.parse::<u16>().is_err() {
        return Err(wrong());
    }
    Ok((organisation.parse()?, address.to_owned()))
}

impl Network {
    /// Runs the command.
    ///
    /// # Errors
    /// What cannot be used or written.
    pub fn run(self) -> Result<ExitCode> {
        let Action::Init(init) = self.command;
        init.run()
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
