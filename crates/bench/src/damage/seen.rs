//! What is seen of a served data folder from outside: the log, every receipt of its organisations,
//! their accounts and payments, plans, and sealed bills.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use hyper::StatusCode;
use node::signature::{SecretKey, load_key};
use primitives::{Hash, Party, sha256};
use proof::header::ChainId;
use serde_json::Value;

use crate::http::Connection;

/// Pages of receipts that are read at the most for one party.
const PAGES_MAX: usize = 1_000;

/// Who asks.
pub struct Keys {
    chain_id: ChainId,
    parties: BTreeMap<Party, SecretKey>,
    /// Sealed bills: who keeps them, and where they are asked for.
    bills: Vec<(Party, String)>,
}

impl Keys {
    /// The organisations of a data folder, with the keys and bills in it.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn of(data: &Path) -> Result<Self> {
        let genesis: Value =
            serde_json::from_slice(&fs::read(data.join("node/genesis/genesis.json"))?)?;
        let chain_id = genesis.get("chain_id").and_then(Value::as_str).context("a chain id")?;
        let chain_id = chain_id.parse().map_err(anyhow::Error::msg)?;
        let (mut parties, mut bills) = (BTreeMap::new(), Vec::new());
        for entry in fs::read_dir(data)? {
            let folder = entry?.path();
            let key = folder.join("keys/online.key");
            let code = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if !key.is_file() {
                continue;
            }
            let party = Party::Organisation(code.parse().map_err(anyhow::Error::msg)?);
            let visits = folder.join("vault/visit");
            if visits.is_dir() {
                for visit in fs::read_dir(visits)? {
                    let visit = visit?;
                    for bill in fs::read_dir(visit.path())? {
                        let (visit, bill) = (visit.file_name(), bill?.file_name());
                        let (visit, bill) = (visit.to_string_lossy(), bill.to_string_lossy());
                        bills.push((party, format!("/v1/visits/{visit}/bills/{bill}")));
                    }
                }
            }
            parties.insert(party, load_key(&key)?);
        }
        bills.sort();
        ensure!(!bills.is_empty(), "no sealed bill is there");
        Ok(Self { chain_id, parties, bills })
    }
}

/// What came of one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// An answer, by its sum.
    Answered(Hash),
    /// A page of receipts, each by its sum.
    Listed(Vec<Hash>),
    /// This node's own failure, in its words.
    Failed(String),
}

/// Everything that was asked, with what came of it.
pub struct Seen(BTreeMap<String, Asked>);

impl Seen {
    /// Asks a program that was just started.
    ///
    /// # Errors
    /// When it does not answer, or does not let somebody in.
    pub async fn ask(address: SocketAddr, keys: &Keys) -> Result<Self> {
        let mut asking =
            Asking { connection: Connection::open(address).await?, seen: BTreeMap::new() };
        let checkpoint = asking.bytes("/log/checkpoint", None).await?;
        let network = asking.one("/v1/network", None).await?;
        let height = network.get("height").and_then(Value::as_u64).unwrap_or(0);
        ensure!(!checkpoint.is_empty() && height > 0, "nothing is there: {network}");
        for height in [1, height / 2, height] {
            asking.one(&format!("/v1/headers/{height}"), None).await?;
        }
        for scheme in ["620100/schemes/310", "620100/schemes/390"] {
            asking.one(&format!("/v1/regions/{scheme}/plans"), None).await?;
            asking.one(&format!("/v1/regions/{scheme}/plan"), None).await?;
            asking.one(&format!("/v1/regions/{scheme}/plans/1/compiled"), None).await?;
        }
        for (party, key) in &keys.parties {
            let sign = |message: &Hash| (key.public_key(), key.sign(message));
            let token = asking.connection.sign_in_as(keys.chain_id, *party, sign).await?;
            asking.party(*party, &token).await?;
            for (_, path) in keys.bills.iter().filter(|(keeper, _)| keeper == party) {
                asking.bytes(path, Some(&token)).await?;
                asking.one(&format!("{path}/accesses"), Some(&token)).await?;
            }
        }
        Ok(Self(asking.seen))
    }

    /// What was refused as the node's own failure.
    pub fn refused(&self) -> impl Iterator<Item = (&String, &Asked)> {
        self.0.iter().filter(|(_, asked)| matches!(asked, Asked::Failed(_)))
    }

    /// Whether these receipts are all among those that this look saw in some list.
    #[must_use]
    pub fn knows(&self, receipts: &[Hash]) -> bool {
        let known: BTreeSet<&Hash> = self
            .0
            .values()
            .filter_map(|asked| match asked {
                Asked::Listed(receipts) => Some(receipts),
                Asked::Answered(_) | Asked::Failed(_) => None,
            })
            .flatten()
            .collect();
        receipts.iter().all(|receipt| known.contains(receipt))
    }

    /// Each question of this look with what came of it then and now.
    pub fn beside<'a>(
        &'a self,
        now: &'a Self,
    ) -> impl Iterator<Item = (&'a String, &'a Asked, &'a Asked)> {
        static NEVER: Asked = Asked::Answered(Hash([0; 32]));
        self.0
            .iter()
            .filter_map(|(asked, was)| {
                // A list that is cut short by a failure asks for fewer pages.
                let is = now.0.get(asked).or_else(|| now.0.get(first_page(asked)))?;
                Some((asked, was, is))
            })
            .chain(
                now.0
                    .iter()
                    .filter(|(asked, _)| !self.0.contains_key(*asked))
                    .map(|(asked, is)| (asked, &NEVER, is)),
            )
    }
}

/// A page of receipts, receipt by receipt.
fn listed(bytes: &[u8]) -> Option<Asked> {
    let page: Value = serde_json::from_slice(bytes).ok()?;
    let receipts = page.get("receipts")?.as_array()?;
    let sums = receipts.iter().map(|receipt| sha256(receipt.to_string().as_bytes()));
    Some(Asked::Listed(sums.collect()))
}

/// The list that a page belongs to.
fn first_page(asked: &str) -> &str {
    asked.split_once("?after=").map_or(asked, |(list, _)| list)
}

struct Asking {
    connection: Connection,
    seen: BTreeMap<String, Asked>,
}

impl Asking {
    /// All receipts of a party, its accounts, and what its outbox and rails say.
    async fn party(&mut self, party: Party, token: &str) -> Result<()> {
        let Party::Organisation(code) = party else { return Ok(()) };
        let mut after = None;
        for _ in 0..PAGES_MAX {
            let path = match after {
                None => "/v1/receipts".to_owned(),
                Some(after) => format!("/v1/receipts?after={after}"),
            };
            let name = format!("{path} of {party}");
            let page = self.named(&name, &path, Some(token)).await?;
            after = serde_json::from_slice::<Value>(&page)
                .ok()
                .and_then(|page| page.get("next").and_then(Value::as_u64));
            if after.is_none() {
                break;
            }
        }
        let own = format!("/v1/organisations/{code}");
        self.one(&own, None).await?;
        self.one(&format!("{own}/accounts"), Some(token)).await?;
        let rails = self.one(&format!("{own}/rails"), Some(token)).await?;
        for rail in rails.get("rails").and_then(Value::as_array).into_iter().flatten() {
            let name = rail.get("rail").and_then(Value::as_str).unwrap_or_default();
            self.one(&format!("{own}/rails/{name}/worklist"), Some(token)).await?;
        }
        Ok(())
    }

    async fn one(&mut self, path: &str, token: Option<&str>) -> Result<Value> {
        let bytes = self.bytes(path, token).await?;
        Ok(serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    async fn bytes(&mut self, path: &str, token: Option<&str>) -> Result<Vec<u8>> {
        self.named(path, path, token).await
    }

    async fn named(&mut self, name: &str, path: &str, token: Option<&str>) -> Result<Vec<u8>> {
        let (status, bytes) = self.connection.read(path, token).await?;
        let asked = match status.is_server_error() {
            true => Asked::Failed(String::from_utf8_lossy(&bytes).into_owned()),
            // A problem has a number of its own each time.
            false if status != StatusCode::OK => {
                Asked::Answered(sha256(status.as_str().as_bytes()))
            }
            false => listed(&bytes).unwrap_or_else(|| Asked::Answered(sha256(&bytes))),
        };
        self.seen.insert(name.to_owned(), asked);
        Ok(bytes.to_vec())
    }
}
