//! `yibao light`: a node that keeps headers only and asks others for what concerns its
//! organisation.

mod host;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use adapters::clock::{Clock as _, SystemClock};
use anyhow::{Context as _, Result};
use clap::{Args, Subcommand};
use ledger::Genesis;
use ledger::modules::organisation::{AuthoriseKey, Scope};
use light::TrustRoot;
use node::signature::{Scheme, SecretKey};
use node::store::log::first_height_on;
use node::store::snapshot::newest_tip;
use node::verify::folder::ReadOnlyFolder;
use primitives::{Hash, OrganisationId, Party};
use serde::{Deserialize, Serialize};

use super::input::{bad, read_json, read_text};
use super::network::address;
use super::output::write_new;
use super::tx::write_transaction;
use crate::serving::NODE_FOLDER;
use crate::serving::folder::{GENESIS_BYTES_MAX, GENESIS_FILE, POLICY_FILE, operator};
use crate::serving::light::{FILE_BYTES_MAX, LIGHT_FOLDER, SIGN_IN_KEY_FILE, found};
use crate::serving::network::{Peer, peer_at};

const DAY_MILLIS: u64 = 24 * 3_600_000;
/// The transaction that makes the new key count, in the new data folder.
const KEY_REQUEST_FILE: &str = "authorise-key.json";

#[derive(Args)]
pub struct Light {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Write what an organisation needs to run a light node that asks this full one. It holds
    /// nothing secret.
    Invite(Invite),
    /// Make the data folder of a light node from an invitation, with a fresh key.
    Join(Join),
    /// Run the light nodes of many small clinics in one process, each with its own folder and keys.
    Host(host::Host),
}

impl Light {
    /// Runs the command.
    ///
    /// # Errors
    /// What cannot be used or written.
    pub fn run(self) -> Result<ExitCode> {
        match self.action {
            Action::Invite(invite) => invite.run(),
            Action::Join(join) => join.run(),
            Action::Host(host) => host.run(),
        }
    }
}

/// What a light node begins with.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Invitation {
    /// Where it begins to believe.
    root: TrustRoot,
    /// Whom it asks.
    peers: Vec<Peer>,
    /// Whom vouchers are checked against, as a C2SP policy.
    policy: String,
}

#[derive(Args)]
struct Invite {
    /// The data folder of the full node that will be asked.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Where light nodes reach it, such as `10.0.0.1:7420`; it listens there with
    /// `yibao serve --light-nodes`.
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    address: String,
    /// The file to write; it must not exist yet.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

impl Invite {
    fn run(self) -> Result<ExitCode> {
        let genesis = self.data.join(NODE_FOLDER).join(GENESIS_FILE);
        let genesis: Genesis = read_json("the genesis", &genesis, GENESIS_BYTES_MAX)?;
        let policy = self.data.join(POLICY_FILE);
        let policy = read_text("the policy", &policy, FILE_BYTES_MAX)?;
        let peers = vec![peer_at(&self.data, operator(&self.data)?, &self.address)?];
        let root = trust_root(&self.data, &genesis)?;
        let invitation = Invitation { root, peers, policy };
        write_new(&self.output, &serde_json::to_vec_pretty(&invitation)?)?;
        println!("give `{}` to whoever runs a light node", self.output.display());
        println!("root {}; tell it by another way", invitation.root.fingerprint());
        Ok(ExitCode::SUCCESS)
    }
}

/// Where a light node of this folder begins: at the genesis; where the first blocks are not here,
/// at the newest snapshot.
fn trust_root(data: &Path, genesis: &Genesis) -> Result<TrustRoot> {
    let folder = data.join(NODE_FOLDER);
    let disk = ReadOnlyFolder::new(&folder);
    let failed = || format!("`{}` cannot be read", folder.display());
    if first_height_on(&disk).with_context(failed)? <= 1 {
        return Ok(TrustRoot::of_genesis(genesis));
    }
    let tip = newest_tip(&disk).with_context(failed)?;
    let tip = tip.with_context(|| format!("`{}` has no snapshot yet", folder.display()))?;
    println!("the first blocks are not here: it begins at block {}", tip.height);
    Ok(TrustRoot::at(genesis.chain_id, &tip))
}

#[derive(Args)]
struct Join {
    /// The invitation.
    #[arg(long, value_name = "FILE")]
    invitation: PathBuf,
    /// Whose node it becomes: an organisation that is admitted on the ledger.
    #[arg(long, value_name = "CODE")]
    organisation: OrganisationId,
    /// The hash of the trust root, as it was told by another way.
    #[arg(long, value_name = "HASH")]
    root: Hash,
    /// In how many days the key by which the node signs in ends.
    #[arg(long, value_name = "DAYS", default_value_t = 365,
          value_parser = clap::value_parser!(u64).range(1..=730))]
    days: u64,
    /// Where the folder is made.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
}

impl Join {
    fn run(self) -> Result<ExitCode> {
        let invitation: Invitation = read_json("the invitation", &self.invitation, FILE_BYTES_MAX)?;
        let (there, told) = (invitation.root.fingerprint(), self.root);
        if there != told {
            return Err(bad(format!(
                "the trust root of the invitation is {there}, and you were told {told}; ask who \
                 invited you"
            )));
        }
        let shown = self.data.display();
        if self.data.exists() {
            return Err(bad(format!("`{shown}` exists; name another --data")));
        }
        let key = SecretKey::generate(Scheme::Ed25519)?;
        let keys = self.data.join(LIGHT_FOLDER).join(SIGN_IN_KEY_FILE);
        let Invitation { root, peers, policy } = invitation;
        found(&self.data, self.organisation, &root, (peers, &policy), &key)
            .with_context(|| format!("`{shown}` cannot be written"))?;
        let request = AuthoriseKey {
            organisation: self.organisation,
            key: key.public_key(),
            // The least that a key can be given: it may work as a clerk.
            scopes: vec![Scope::Clerk],
            expires: SystemClock.now().plus_millis(self.days * DAY_MILLIS),
        };
        let file = self.data.join(KEY_REQUEST_FILE);
        let author = Party::Organisation(self.organisation);
        write_transaction(root.chain_id, author, &request, &file)?;
        println!("made `{shown}`; its node signs in with `{}`", keys.display());
        println!("let the ledger know the key: the root key of `{}` signs", self.organisation);
        println!("  yibao tx sign {} --key ROOT_KEY --party {author}", file.display());
        println!("  yibao tx send {} --url GATEWAY --key ONLINE_KEY", file.display());
        println!("then start it with `yibao serve --data {shown}`");
        Ok(ExitCode::SUCCESS)
    }
}
