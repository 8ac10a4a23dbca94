//! `yibao network status`: where a network stands, for a person at a terminal.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use adapters::clock::{Clock as _, SystemClock};
use anyhow::Result;
use clap::Args;
use gateway::api::network::NetworkView;
use primitives::{OrganisationId, Timestamp};
use proof::header::Certificate;
use serde::Deserialize;
use ureq::http::Uri;

use super::{ask, no_gateway};
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
        let network = ask(&client, &self.url)?;
        let signers = match network.height {
            0 => BTreeSet::new(),
            height => {
                let answer = client.read(&format!("/v1/headers/{height}"))?;
                let signed: Signed =
                    serde_json::from_slice(&answer.body).map_err(|_| no_gateway(&self.url))?;
                let signatures = signed.certificate.map(|one| one.signatures).unwrap_or_default();
                signatures.into_iter().map(|one| one.organisation).collect()
            }
        };
        print(&network, &signers);
        client.sign_out();
        Ok(ExitCode::SUCCESS)
    }
}

fn print(network: &NetworkView, signers: &BTreeSet<OrganisationId>) {
    let now = SystemClock.now();
    println!("{}: block {} of {}", network.chain_id, network.height, network.time);
    println!("  root      {}", network.state_root);
    let governing: Vec<_> = network.governing.iter().map(|one| one.as_str()).collect();
    println!("  governs   {}", governing.join(", "));
    match network.upgrade {
        None => println!("  rules     number {}", network.protocol),
        Some(next) => println!(
            "  rules     number {}; from block {} on number {}",
            network.protocol, next.height, next.protocol
        ),
    }
    let total = network.validators.total_power();
    println!("  decide    {} organisations, weight {total}", network.validators.validators().len());
    let nodes: BTreeMap<_, _> = network.nodes.iter().map(|one| (one.organisation, one)).collect();
    for one in network.validators.validators() {
        let renew_by = nodes.get(&one.organisation).and_then(|node| node.renew_by);
        let signed = match signers.contains(&one.organisation) {
            true => "signed the last block",
            false => "did not sign the last block",
        };
        let (organisation, power) = (one.organisation.as_str(), one.power);
        println!("    {organisation:<16} {power:>3}  {signed}  {}", renewal(renew_by, now));
    }
    let follow = network.nodes.iter();
    let follow = follow.filter(|node| network.validators.get(node.organisation).is_none());
    for node in follow {
        let key: String = node.key.to_string().chars().take(24).collect();
        let words = renewal(node.renew_by, now);
        println!(
            "    {:<16}   -  follows, with the key {key}  {words}",
            node.organisation.as_str()
        );
    }
}
