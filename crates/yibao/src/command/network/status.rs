//! `yibao network status`: where a network stands, for a person at a terminal.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use adapters::clock::{Clock as _, SystemClock};
use anyhow::{Result, anyhow};
use clap::Args;
use primitives::{Hash, OrganisationId, PublicKey, Timestamp};
use proof::header::{Certificate, ChainId, ValidatorSet};
use serde::Deserialize;
use ureq::http::Uri;

use crate::command::client::Client;

const DAY_MILLIS: u64 = 24 * 3_600_000;
/// A key that is to be replaced within so many days is named.
const WARN_DAYS: u64 = 60;

#[derive(Args)]
pub struct Status {
    /// The gateway of a node of the ledger.
    #[arg(long, default_value = "http://localhost:8420")]
    url: Uri,
}

#[derive(Deserialize)]
struct Network {
    chain_id: ChainId,
    height: u64,
    time: Timestamp,
    state_root: Hash,
    governing: Vec<OrganisationId>,
    validators: ValidatorSet,
    nodes: Vec<Node>,
    protocol: u32,
    upgrade: Option<ledger::modules::network::Upgrade>,
}

#[derive(Deserialize)]
struct Node {
    organisation: OrganisationId,
    key: PublicKey,
    renew_by: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Signed {
    certificate: Option<Certificate>,
}

/// When a key is to be replaced, in words.
fn renewal(renew_by: Option<Timestamp>, now: Timestamp) -> String {
    let Some(by) = renew_by else { return String::new() };
    let left = by.millis().saturating_sub(now.millis()) / DAY_MILLIS;
    match left {
        _ if by <= now => format!("replace the key: it was due {by}; it still counts"),
        0..=WARN_DAYS => format!("replace the key within {} days", left.max(1)),
        _ => String::new(),
    }
}

impl Status {
    pub fn run(self) -> Result<ExitCode> {
        let client = Client::new(&self.url)?;
        let wrong = || anyhow!("`{}` does not say how its network is; is it a gateway?", self.url);
        let answer = client.read("/v1/network")?;
        let network: Network = serde_json::from_slice(&answer.body).map_err(|_| wrong())?;
        let signers = match network.height {
            0 => BTreeSet::new(),
            height => {
                let answer = client.read(&format!("/v1/headers/{height}"))?;
                let signed: Signed = serde_json::from_slice(&answer.body).map_err(|_| wrong())?;
                let signatures = signed.certificate.map(|one| one.signatures).unwrap_or_default();
                signatures.into_iter().map(|one| one.organisation).collect()
            }
        };
        network.print(&signers);
        client.sign_out();
        Ok(ExitCode::SUCCESS)
    }
}

impl Network {
    fn print(&self, signers: &BTreeSet<OrganisationId>) {
        let now = SystemClock.now();
        println!("{}: block {} of {}", self.chain_id, self.height, self.time);
        println!("  root      {}", self.state_root);
        let governing: Vec<_> = self.governing.iter().map(|one| one.as_str()).collect();
        println!("  governs   {}", governing.join(", "));
        match self.upgrade {
            None => println!("  rules     number {}", self.protocol),
            Some(next) => println!(
                "  rules     number {}; from block {} on number {}",
                self.protocol, next.height, next.protocol
            ),
        }
        let total = self.validators.total_power();
        println!(
            "  decide    {} organisations, weight {total}",
            self.validators.validators().len()
        );
        let nodes: BTreeMap<_, _> = self.nodes.iter().map(|one| (one.organisation, one)).collect();
        for one in self.validators.validators() {
            let renew_by = nodes.get(&one.organisation).and_then(|node| node.renew_by);
            let signed = match signers.contains(&one.organisation) {
                true => "signed the last block",
                false => "did not sign the last block",
            };
            let (organisation, power) = (one.organisation.as_str(), one.power);
            println!("    {organisation:<16} {power:>3}  {signed}  {}", renewal(renew_by, now));
        }
        let follow = self.nodes.iter();
        let follow = follow.filter(|node| self.validators.get(node.organisation).is_none());
        for node in follow {
            let key: String = node.key.to_string().chars().take(24).collect();
            let words = renewal(node.renew_by, now);
            println!(
                "    {:<16}   -  follows, with the key {key}  {words}",
                node.organisation.as_str()
            );
        }
    }
}
