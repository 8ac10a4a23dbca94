//! Becoming one of several: opening a ledger to others, inviting, and joining.

use std::path::PathBuf;
use std::process::ExitCode;

use adapters::clock::{Clock as _, SystemClock};
use anyhow::{Context as _, Result};
use clap::Args;
use ledger::Genesis;
use ledger::modules::network::{AdmitNode, Contact, NodeRow};
use node::signature::{Scheme, SecretKey};
use primitives::{Hash, OrganisationId, Text};
use serde::{Deserialize, Serialize};

use super::address;
use crate::command::input::{bad, read_json};
use crate::command::output::write_new;
use crate::serving::NODE_FOLDER;
use crate::serving::folder::{GENESIS_BYTES_MAX, GENESIS_FILE, operator};
use crate::serving::network::{
    Member, Peer, is_one_of_several, keep_peers, known_peers, network_key, own_peer,
};

const DAY_MILLIS: u64 = 24 * 3_600_000;
/// What a newcomer brings to those who govern, in its data folder.
const REQUEST_FILE: &str = "admit-node.json";

#[derive(Args)]
pub struct Open {
    /// The data folder of the node, which is not running.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Where others will reach it, such as `0.0.0.0:7410`.
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    listen: String,
}

impl Open {
    pub fn run(self) -> Result<ExitCode> {
        let organisation = operator(&self.data)?;
        if is_one_of_several(&self.data) {
            return Err(bad(format!(
                "the node of `{organisation}` is one of several already; mend `listen` in `peers.toml`"
            )));
        }
        network_key(&self.data)?;
        keep_peers(&self.data, &self.listen, Vec::new())?;
        println!("the node of `{organisation}` will listen on {} for other nodes", self.listen);
        println!("start it with `yibao serve`, and invite others with `yibao network invite`");
        Ok(ExitCode::SUCCESS)
    }
}

/// What a newcomer needs.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Invitation {
    /// What the ledger started with.
    genesis: Genesis,
    /// The nodes that are there, the one that invites in front.
    peers: Vec<Peer>,
}

#[derive(Args)]
pub struct Invite {
    /// The data folder of the node that invites.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Where the newcomer reaches this node, such as `10.0.0.1:7410`.
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    address: String,
    /// The file to write; it must not exist yet.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

impl Invite {
    pub fn run(self) -> Result<ExitCode> {
        let peer = own_peer(&self.data, operator(&self.data)?, &self.address)?;
        let genesis = self.data.join(NODE_FOLDER).join(GENESIS_FILE);
        let genesis = read_json("the genesis", &genesis, GENESIS_BYTES_MAX)?;
        // Founders need no row on the ledger, so whoever comes later knows them by this file alone.
        let mut peers = vec![peer];
        peers.extend(known_peers(&self.data)?);
        let invitation = Invitation { genesis, peers };
        write_new(&self.output, &serde_json::to_vec_pretty(&invitation)?)?;
        println!("bring `{}` to the newcomer alone: it holds the genesis", self.output.display());
        println!("genesis {}; tell it to the newcomer by another way", invitation.genesis.hash());
        Ok(ExitCode::SUCCESS)
    }
}

#[derive(Args)]
pub struct Join {
    /// The invitation.
    #[arg(long, value_name = "FILE")]
    invitation: PathBuf,
    /// Who joins; the organisation is admitted on the ledger, or will be.
    #[arg(long, value_name = "CODE")]
    organisation: OrganisationId,
    /// Where the others reach the new node, such as `10.0.0.5:7410`.
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    address: String,
    /// Where it listens, if that is another address.
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    listen: Option<String>,
    /// The hash of the genesis, as it was told by another way.
    #[arg(long, value_name = "HASH")]
    genesis: Hash,
    /// In how many days the block key is to be replaced at the latest.
    #[arg(long, value_name = "DAYS", default_value_t = 365,
          value_parser = clap::value_parser!(u64).range(1..=3_650))]
    renew_days: u64,
    /// Where the folder is made.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
}

impl Join {
    pub fn run(self) -> Result<ExitCode> {
        let invitation: Invitation =
            read_json("the invitation", &self.invitation, GENESIS_BYTES_MAX)?;
        let (there, told) = (invitation.genesis.hash(), self.genesis);
        if there != told {
            return Err(bad(format!(
                "the genesis of the invitation is {there}, and you were told {told}; ask who invited you"
            )));
        }
        if self.data.exists() {
            let shown = self.data.display();
            return Err(bad(format!("`{shown}` exists; name another --data")));
        }
        let key = || SecretKey::generate(Scheme::Ed25519);
        let member = Member {
            organisation: self.organisation,
            block_key: key()?,
            log_key: key()?,
            origin: format!("{}/{}", invitation.genesis.chain_id, self.organisation),
            network_key: key()?,
            address: self.listen.clone().unwrap_or_else(|| self.address.clone()),
        };
        let renew_by = SystemClock.now().plus_millis(self.renew_days * DAY_MILLIS);
        let address =
            Text::new(&self.address).map_err(|error| bad(format!("--address: {error}")))?;
        let request = AdmitNode {
            node: NodeRow {
                organisation: self.organisation,
                contact: Some(Contact { name: Hash(member.name()?.0), address }),
                key: member.block_key.public_key(),
                renew_by: Some(renew_by),
            },
        };
        member
            .found(&self.data, &invitation.genesis, invitation.peers)
            .with_context(|| format!("`{}` cannot be written", self.data.display()))?;
        let file = self.data.join(REQUEST_FILE);
        write_new(&file, &serde_json::to_vec_pretty(&request)?)?;
        println!("made `{}` with fresh keys", self.data.display());
        println!("bring `{}` to those who govern; they let the node in with", file.display());
        println!("  yibao network admit FILE --author organisation:CODE -o admit.json");
        println!(
            "start it with `yibao serve --data {}`: it fetches the ledger",
            self.data.display()
        );
        println!(
            "from its first block on as soon as it is let in; where that would take long, run"
        );
        println!("`yibao network sync --data {}` before", self.data.display());
        Ok(ExitCode::SUCCESS)
    }
}
