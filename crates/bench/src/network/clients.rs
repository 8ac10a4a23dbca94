//! Clients that move money through whichever node answers, and watchers that look at each node.
//!
//! A client sends the same signed bytes again, to another node, until it is told what became of
//! them. It never sends again what was answered.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant as Clock};

use adapters::clock::{Clock as _, SystemClock};
use anyhow::{Context as _, Result, bail, ensure};
use hyper::StatusCode;
use ledger::kernel::registry::Kind;
use ledger::kernel::transaction::TRANSACTION_VERSION;
use ledger::modules::fund::{Contribute, FundAddress, OpenFund, TransferBetweenFunds};
use ledger::modules::network::{ScheduleUpgrade, Upgrade};
use ledger::{Content, IdempotencyKey, Transaction};
use primitives::{Amount, FundId, Hash, codec, sha256_parts};
use serde_json::Value;
use tokio::time::timeout;

use super::cluster::{GOVERNING, NODES, Places, chain_id, signer};
use super::history::{Attempt, History, Ledger, Operation, Shown, Stand, Told};
use crate::http::{self, Connection, Prepared};
use crate::region::{REGION, Signer, organisation};

/// Who owns funds, and the number of its first one.
const OWNERS: [(&str, u16); 2] = [("bureau", 1), ("insurer", 101)];
const FUNDS_EACH: u16 = 6;
const FUND_START: u64 = 1_000_000;
/// The most that is moved at once: funds run dry now and then.
const AMOUNT_MAX: u64 = 600_000;
/// How long a client waits for an answer before it asks another node.
const PATIENCE: Duration = Duration::from_secs(4);
const BREATH: Duration = Duration::from_millis(100);
const WATCH_EVERY: Duration = Duration::from_millis(150);
/// One answer in so many is looked up at the node that gave it.
const LOOKED_UP: u64 = 4;
const DAY_MILLIS: u64 = 24 * 3_600 * 1_000;
const PAGE: usize = 200;

/// What clients and watchers share.
pub struct Shared {
    places: Places,
    begin: Clock,
    history: Mutex<History>,
    /// How often each node lost its disk.
    disks: Mutex<[u32; NODES]>,
    is_over: AtomicBool,
    answered: AtomicUsize,
}

impl Shared {
    /// A run that begins now.
    #[must_use]
    pub fn new(places: Places) -> Arc<Self> {
        Arc::new(Self {
            places,
            begin: Clock::now(),
            history: Mutex::default(),
            disks: Mutex::default(),
            is_over: AtomicBool::new(false),
            answered: AtomicUsize::new(0),
        })
    }

    fn place(&self, node: usize) -> Option<SocketAddr> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)[node]
    }

    fn with_history<T>(&self, what: impl FnOnce(&mut History) -> T) -> T {
        what(&mut self.history.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A node begins anew from a copy.
    pub fn note_lost_disk(&self, node: usize) {
        self.disks.lock().unwrap_or_else(PoisonError::into_inner)[node] += 1;
    }

    /// Begins nothing more; what is under way is brought to its end.
    pub fn end(&self) {
        self.is_over.store(true, Ordering::Release);
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    /// How many answers were given.
    #[must_use]
    pub fn answered(&self) -> usize {
        self.answered.load(Ordering::Acquire)
    }

    /// What was noted.
    #[must_use]
    pub fn history(&self) -> History {
        self.with_history(|history| history.clone())
    }
}

fn sign<K: Kind>(signer: &Signer, random: &mut fastrand::Rng, kind: &K) -> Transaction {
    let content = Content {
        version: TRANSACTION_VERSION,
        chain_id: chain_id(),
        author: signer.party(),
        idempotency_key: IdempotencyKey(random.u128(..).to_le_bytes()),
        valid_until: SystemClock.now().plus_millis(6 * DAY_MILLIS),
        kind: K::NUMBER,
        body: codec::encode(kind),
    };
    let authorisations = vec![signer.authorise(&content.id())];
    Transaction { content, authorisations }
}

/// Whoever asks the nodes for an organisation, signed in at each as long as that holds.
struct Client {
    shared: Arc<Shared>,
    signer: Signer,
    open: [Option<(SocketAddr, Connection, String)>; NODES],
}

impl Client {
    fn new(shared: &Arc<Shared>, code: &str) -> Self {
        let (shared, signer) = (Arc::clone(shared), signer(code));
        Self { shared, signer, open: std::array::from_fn(|_| None) }
    }

    async fn session(&mut self, node: usize) -> Result<&mut (SocketAddr, Connection, String)> {
        let place = self.shared.place(node).context("the node is down")?;
        let is_there = self.open[node].as_ref().is_some_and(|(at, ..)| *at == place);
        if !is_there {
            let mut connection = Connection::open(place).await?;
            let signer = &self.signer;
            let sign = |message: &Hash| {
                let authorisation = signer.authorise(message);
                (authorisation.key, authorisation.signature)
            };
            let token = connection.sign_in_as(chain_id(), signer.party(), sign).await?;
            self.open[node] = Some((place, connection, token));
        }
        self.open[node].as_mut().context("it was just made")
    }

    /// Sends once; the final answer, or nothing when it is not known.
    async fn try_at(&mut self, node: usize, prepared: &Prepared) -> Option<Told> {
        let sent = async {
            let (_, connection, token) = self.session(node).await?;
            let token = token.clone();
            connection.submit(prepared, &token).await
        };
        let answer = timeout(PATIENCE, sent).await;
        let told = match answer {
            Ok(Ok((status, body))) => told(status, &body),
            _ => None,
        };
        if told.is_none() {
            self.open[node] = None;
        }
        told
    }

    /// Has one node do what is no client's operation.
    async fn must(&mut self, node: usize, transaction: &Transaction) -> Result<()> {
        let prepared = http::prepared(std::slice::from_ref(transaction))?;
        let prepared = prepared.first().context("one transaction")?;
        // Noted first: it may be done whether that is heard or not.
        let id = transaction.content.id();
        self.shared.with_history(|history| history.founding.push(id));
        let end = Clock::now() + Duration::from_secs(60);
        loop {
            match self.try_at(node, prepared).await {
                Some(Told::Accepted(_)) => return Ok(()),
                None if Clock::now() < end => tokio::time::sleep(BREATH).await,
                other => bail!("{other:?}"),
            }
        }
    }

    async fn get(&mut self, node: usize, path: &str) -> Result<Value> {
        let read = async {
            let (_, connection, token) = self.session(node).await?;
            let token = token.clone();
            connection.get(path, &token).await
        };
        let (status, body) = timeout(PATIENCE, read).await??;
        ensure!(status == StatusCode::OK, "{path}: {status} {body}");
        Ok(body)
    }

    /// What a node told a moment ago must be there when it is asked for.
    async fn look_up(&mut self, node: usize, id: Hash, told: Told) {
        let (Told::Accepted(at) | Told::Rejected(at)) = told else { return };
        let path = format!("/v1/transactions/{id}");
        let read = async {
            let (_, connection, token) = self.session(node).await?;
            let token = token.clone();
            connection.get(&path, &token).await
        };
        let Ok(Ok((status, body))) = timeout(PATIENCE, read).await else {
            self.open[node] = None;
            return;
        };
        let index = body.get("id").and_then(Value::as_u64);
        let asks_again = [StatusCode::UNAUTHORIZED, StatusCode::TOO_MANY_REQUESTS];
        let is_busy = status.is_server_error() || asks_again.contains(&status);
        if !is_busy && index != Some(at) {
            let words = format!("node {node} told that {id} is at {at}, and then: {status} {body}");
            self.shared.with_history(|history| history.unread.push(words));
        }
    }
}

/// The final answer in a gateway's.
fn told(status: StatusCode, body: &Value) -> Option<Told> {
    let index = body.pointer("/receipt/id").and_then(Value::as_u64);
    let outcome = body.pointer("/receipt/outcome/status").and_then(Value::as_str);
    match (outcome, index) {
        (Some("accepted"), Some(index)) => Some(Told::Accepted(index)),
        (Some("rejected"), Some(index)) => Some(Told::Rejected(index)),
        // Refused before any block; what asks to come again, or to sign in, is no answer.
        _ if status == StatusCode::UNPROCESSABLE_ENTITY => Some(Told::Refused),
        _ => None,
    }
}

/// Opens the funds and books what they begin with.
///
/// # Errors
/// When the network does not do it.
pub async fn found(shared: &Arc<Shared>) -> Result<()> {
    let mut random = fastrand::Rng::new();
    for (code, first) in OWNERS {
        let mut client = Client::new(shared, code);
        for fund in first..first + FUNDS_EACH {
            let reference = sha256_parts(&[&fund.to_le_bytes()]);
            let (fund, amount) = (FundId(fund), Amount::from_minor(FUND_START));
            let open = OpenFund {
                region: REGION,
                fund,
                owner: organisation(code),
                purpose: benefit::Payer::ALL[0],
                year: None,
                floor: Amount::ZERO,
            };
            let contribute = Contribute { region: REGION, fund, amount, reference };
            let open = sign(&client.signer, &mut random, &open);
            let contribute = sign(&client.signer, &mut random, &contribute);
            for transaction in [open, contribute] {
                client.must(0, &transaction).await.with_context(|| format!("fund {}", fund.0))?;
                shared.with_history(|history| history.start.insert(fund.0, FUND_START));
            }
        }
    }
    Ok(())
}

/// Those who govern decide from which block on which rules hold; this node is told.
///
/// # Errors
/// When the network does not do it.
pub async fn schedule(shared: &Arc<Shared>, node: usize, upgrade: Upgrade) -> Result<()> {
    let [first, others @ ..] = GOVERNING;
    let mut client = Client::new(shared, first);
    let body = ScheduleUpgrade { upgrade };
    let mut transaction = sign(&client.signer, &mut fastrand::Rng::new(), &body);
    let id = transaction.content.id();
    transaction.authorisations.extend(others.map(|code| signer(code).authorise(&id)));
    client.must(node, &transaction).await.context("the upgrade")
}

/// A client that moves money until the run is over.
pub async fn run_client(shared: Arc<Shared>, number: usize, seed: u64) {
    let (code, first) = OWNERS[number % OWNERS.len()];
    let mut random = fastrand::Rng::with_seed(seed.wrapping_add(number as u64));
    let mut client = Client::new(&shared, code);
    while !shared.is_over() {
        let fund = |random: &mut fastrand::Rng| first + random.u16(..FUNDS_EACH);
        let from = fund(&mut random);
        let to = std::iter::repeat_with(|| fund(&mut random)).find(|to| *to != from);
        let (to, amount) = (to.unwrap_or(from), random.u64(1..AMOUNT_MAX));
        let place = |number| FundAddress { region: REGION, fund: FundId(number) };
        let (give, get) = (place(from), place(to));
        let body = TransferBetweenFunds { from: give, to: get, amount: Amount::from_minor(amount) };
        let transaction = sign(&client.signer, &mut random, &body);
        let id = transaction.content.id();
        let Ok(prepared) = http::prepared(std::slice::from_ref(&transaction)) else { return };
        let operation = Operation { id, transfer: (from, to, amount), attempts: Vec::new() };
        let at = shared.with_history(|history| {
            history.operations.push(operation);
            history.operations.len() - 1
        });
        bring(&mut client, &mut random, at, id, &prepared[0]).await;
    }
}

/// Sends one transfer, to one node after the other, until it is answered.
async fn bring(
    client: &mut Client,
    random: &mut fastrand::Rng,
    at: usize,
    id: Hash,
    prepared: &Prepared,
) {
    let shared = Arc::clone(&client.shared);
    loop {
        let node = random.usize(..NODES);
        if shared.place(node).is_none() {
            tokio::time::sleep(BREATH).await;
            continue;
        }
        // Noted before it is sent: whoever is ended while it waits has sent it.
        let from = shared.begin.elapsed();
        let attempt = Attempt { node, from, until: Duration::MAX, told: None };
        let number = shared.with_history(|history| {
            let attempts = &mut history.operations[at].attempts;
            attempts.push(attempt);
            attempts.len() - 1
        });
        let told = client.try_at(node, prepared).await;
        let until = shared.begin.elapsed();
        shared.with_history(|history| {
            history.operations[at].attempts[number] = Attempt { until, told, ..attempt };
        });
        if let Some(told) = told {
            shared.answered.fetch_add(1, Ordering::AcqRel);
            if random.u64(..LOOKED_UP) == 0 {
                client.look_up(node, id, told).await;
            }
            return;
        }
        tokio::time::sleep(BREATH).await;
    }
}

/// Looks at one node again and again until the run is over.
pub async fn watch(shared: Arc<Shared>, node: usize) {
    while !shared.is_over() {
        // Before it is asked: an answer of before a loss does not count for afterwards.
        let disk = shared.disks.lock().unwrap_or_else(PoisonError::into_inner)[node];
        if let Ok(stand) = stand(&shared, node, disk).await {
            shared.with_history(|history| {
                let is_same = shared.disks.lock().is_ok_and(|disks| disks[node] == disk);
                if is_same {
                    history.stands.push(stand);
                }
            });
        }
        tokio::time::sleep(WATCH_EVERY).await;
    }
}

async fn stand(shared: &Shared, node: usize, disk: u32) -> Result<Stand> {
    let place = shared.place(node).context("the node is down")?;
    let read = async {
        let mut connection = Connection::open(place).await?;
        connection.read("/v1/network", None).await
    };
    let (status, bytes) = timeout(PATIENCE, read).await??;
    ensure!(status == StatusCode::OK, "{status}");
    let said: Value = serde_json::from_slice(&bytes)?;
    let number = |name: &str| said.get(name).and_then(Value::as_u64).context("a number");
    let root = said.get("state_root").and_then(Value::as_str).context("a root")?;
    let root = root.parse().map_err(|_| anyhow::anyhow!("`{root}` is no root"))?;
    let (height, receipts) = (number("height")?, number("receipts")?);
    Ok(Stand { node, disk, height, receipts, root })
}

/// Where all nodes stand; nothing where one does not say.
pub async fn stands(shared: &Shared) -> Vec<Option<Stand>> {
    let mut all = Vec::new();
    for node in 0..NODES {
        all.push(stand(shared, node, 0).await.ok());
    }
    all
}

/// Everything that a node shows at the end.
///
/// # Errors
/// When it does not answer.
pub async fn read_ledger(shared: &Arc<Shared>, node: usize) -> Result<Ledger> {
    let mut ledger = Ledger::default();
    let height = stand(shared, node, 0).await?.height;
    let hash = |value: Option<&Value>| -> Result<Hash> {
        let text = value.and_then(Value::as_str).context("a hash")?;
        text.parse().map_err(|_| anyhow::anyhow!("`{text}` is no hash"))
    };
    let mut client = Client::new(shared, OWNERS[0].0);
    for height in 1..=height {
        let view = client.get(node, &format!("/v1/headers/{height}")).await?;
        let (id, root) = (hash(view.get("value_id"))?, hash(view.pointer("/header/state_root"))?);
        ledger.headers.insert(height, (id, root));
    }
    for (code, first) in OWNERS {
        let mut client = Client::new(shared, code);
        let mut after = String::new();
        loop {
            let path = format!("/v1/receipts?limit={PAGE}{after}");
            let page = client.get(node, &path).await?;
            let list = page.get("receipts").and_then(Value::as_array).context("receipts")?;
            for receipt in list {
                let index = receipt.get("id").and_then(Value::as_u64).context("a place")?;
                let outcome = receipt.pointer("/outcome/status").and_then(Value::as_str);
                let id = hash(receipt.get("transaction_id"))?;
                let shown = Shown { id, is_accepted: outcome == Some("accepted") };
                ledger.receipts.insert(index, shown);
            }
            match page.get("next").and_then(Value::as_u64) {
                Some(next) if !list.is_empty() => after = format!("&after={next}"),
                _ => break,
            }
        }
        for fund in first..first + FUNDS_EACH {
            let view = client.get(node, &format!("/v1/regions/{REGION}/funds/{fund}")).await?;
            let balance = view.pointer("/account/balance").and_then(Value::as_str);
            let balance = balance.context("a balance")?.parse()?;
            ledger.balances.insert(fund, balance);
        }
    }
    Ok(ledger)
}

/// How many transfers each node answered.
#[must_use]
pub fn by_node(history: &History) -> BTreeMap<usize, usize> {
    let mut counts = BTreeMap::new();
    for attempt in history.operations.iter().flat_map(|one| &one.attempts) {
        if attempt.told.is_some() {
            *counts.entry(attempt.node).or_default() += 1;
        }
    }
    counts
}
