//! What drills on the shipped program have in common: settlements that were signed beforehand are
//! sent over HTTP, and what was acknowledged is asked for again after whatever happened.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use hyper::StatusCode;
use primitives::{Hash, Party};
use serde_json::Value;
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::ceiling::Mix;
use crate::http::{self, Connection, Prepared};
use crate::in_process;
use crate::region::{Region, Size};
use crate::settlement::Maker;

/// Connections that send at once.
const CONNECTIONS: usize = 8;
/// How many of the newest acknowledged settlements are asked for: those a lost write would take.
const NEWEST: usize = 200;
/// Of the older ones every so manieth is asked for.
const OLDER_STEP: usize = 997;

/// How soon whoever was turned away tries again in a flood: far sooner than it was told to.
const BREATH: Duration = Duration::from_millis(20);

/// Tokens of all providers.
type Tokens = Arc<BTreeMap<Party, String>>;

/// The settlements of a drill, and what clients were told of them.
pub struct Drill {
    region: Arc<Region>,
    prepared: Arc<Vec<Prepared>>,
    ids: Vec<Hash>,
    /// The place of the receipt of each settlement that was acknowledged.
    told: BTreeMap<usize, u64>,
    /// All settlements before this one were acknowledged.
    next: usize,
    runtime: Runtime,
}

/// What happened to one settlement.
enum Answer {
    Told { place: usize, receipt_index: u64 },
    Refused { status: StatusCode, problem: Value },
}

/// How sending ended.
#[derive(Debug, Default)]
pub struct Sent {
    /// How many were acknowledged now.
    pub acknowledged: usize,
    /// How many were sent and not answered.
    pub in_doubt: usize,
    /// What was refused, with the problem that said why.
    pub refusals: Vec<(StatusCode, Value)>,
}

impl Drill {
    /// Founds a region in a data folder, enrols a person for every settlement, and signs them all.
    ///
    /// # Errors
    /// When something cannot be written, or the ledger refuses it.
    pub fn found(data: &Path, settlements: usize) -> Result<Self> {
        let size = Size { people: settlements as u64, funds: 20, mix: Mix::Ed25519 };
        let region = Arc::new(Region::new(size));
        let genesis = region.found(data)?;
        let node = in_process::open(data, &genesis)?;
        region.settle_in(&node)?;
        let transactions = Maker::new(&region).make(&node, settlements)?;
        let ids = transactions.iter().map(|one| one.content.id()).collect();
        let prepared = Arc::new(http::prepared(&transactions)?);
        node.stop();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        Ok(Self { region, prepared, ids, told: BTreeMap::new(), next: 0, runtime })
    }

    /// How many settlements were acknowledged.
    #[must_use]
    pub fn acknowledged(&self) -> usize {
        self.told.len()
    }

    /// How many settlements were not acknowledged yet, from the first one on that was not.
    #[must_use]
    pub fn left(&self) -> usize {
        self.prepared.len() - self.next
    }

    /// Asks a program that was just started for what was acknowledged before, and sends what was
    /// not, until `stop` says so, a connection breaks or something is refused.
    ///
    /// # Errors
    /// The first settlement that was acknowledged and is not there, or in another place.
    pub fn go_on<S>(&mut self, address: SocketAddr, stop: S) -> Result<Sent>
    where
        S: Future<Output = Result<()>>,
    {
        let (answers, reached) = self.runtime.block_on(self.ask_and_send(address, stop))?;
        let mut sent = Sent::default();
        for answer in answers {
            match answer {
                Answer::Told { place, receipt_index } => {
                    sent.acknowledged += 1;
                    let before = self.told.insert(place, receipt_index);
                    ensure!(
                        before.is_none_or(|before| before == receipt_index),
                        "settlement {place} moved from receipt {before:?} to {receipt_index}"
                    );
                }
                Answer::Refused { status, problem } => sent.refusals.push((status, problem)),
            }
        }
        let answered = sent.acknowledged + sent.refusals.len();
        sent.in_doubt = reached.saturating_sub(self.next + answered);
        // What was not answered is sent again: it must happen once, whether it had happened or not.
        self.next = (0..reached).find(|place| !self.told.contains_key(place)).unwrap_or(reached);
        Ok(sent)
    }

    /// Sends settlements over this many connections at once, each as soon as its last one was
    /// answered, until so many of all are acknowledged. Whoever is turned away must be told when to
    /// come again, and sends the same again.
    ///
    /// # Errors
    /// What was refused otherwise.
    pub fn flood(&mut self, address: SocketAddr, connections: usize, most: usize) -> Result<Flood> {
        let (told, flood) = self.runtime.block_on(async {
            let tokens: Tokens = Arc::new(http::sign_in_at_once(address, &self.region).await?);
            let next = Arc::new(AtomicUsize::new(self.next));
            let mut workers = Vec::new();
            for _ in 0..connections {
                let one = Flooding {
                    connection: Connection::open(address).await?,
                    prepared: Arc::clone(&self.prepared),
                    tokens: Arc::clone(&tokens),
                    next: Arc::clone(&next),
                    most,
                };
                workers.push(tokio::spawn(one.run()));
            }
            let (mut told, mut flood) = (BTreeMap::new(), Flood::default());
            for worker in workers {
                let (more, part) = worker.await??;
                told.extend(more);
                flood.waited.extend(part.waited);
                flood.turned_away += part.turned_away;
            }
            flood.waited.sort_unstable();
            Ok::<_, anyhow::Error>((told, flood))
        })?;
        self.told.extend(told);
        self.next = most.max(self.next);
        ensure!((0..self.next).all(|place| self.told.contains_key(&place)), "one was not answered");
        Ok(flood)
    }

    /// Runs something else against the program.
    ///
    /// # Errors
    /// What it finds.
    pub fn beside<T>(&self, what: impl Future<Output = Result<T>>) -> Result<T> {
        self.runtime.block_on(what)
    }

    async fn ask_and_send<S>(&self, address: SocketAddr, stop: S) -> Result<(Vec<Answer>, usize)>
    where
        S: Future<Output = Result<()>>,
    {
        let tokens: Tokens = Arc::new(http::sign_in_at_once(address, &self.region).await?);
        self.check_told(address, &tokens).await?;
        let next = Arc::new(AtomicUsize::new(self.next));
        let (sender, receiver) = unbounded_channel();
        let mut workers = Vec::new();
        for _ in 0..CONNECTIONS {
            let worker = Worker {
                connection: Connection::open(address).await?,
                prepared: Arc::clone(&self.prepared),
                tokens: Arc::clone(&tokens),
                next: Arc::clone(&next),
                answers: sender.clone(),
            };
            workers.push(tokio::spawn(worker.run()));
        }
        drop(sender);
        stop.await?;
        let mut is_refused = false;
        for worker in workers {
            is_refused |= worker.await?;
        }
        let answers = collect(receiver).await;
        ensure!(
            is_refused || !answers.iter().any(|one| matches!(one, Answer::Refused { .. })),
            "a refusal was lost on its way"
        );
        Ok((answers, next.load(Ordering::SeqCst).min(self.prepared.len())))
    }

    /// The newest are the ones that a lost write would take; a few older ones are asked as well.
    async fn check_told(&self, address: SocketAddr, tokens: &Tokens) -> Result<()> {
        let mut connection = Connection::open(address).await?;
        let newest = self.told.iter().rev().take(NEWEST);
        for (place, receipt_index) in newest.chain(self.told.iter().step_by(OLDER_STEP)) {
            let token = &tokens[&self.prepared[*place].provider()];
            let path = format!("/v1/transactions/{}", self.ids[*place]);
            let (status, answer) = connection.get(&path, token).await?;
            let index = answer.get("id").and_then(Value::as_u64);
            ensure!(
                status == StatusCode::OK && index == Some(*receipt_index),
                "acknowledged settlement {place} with receipt {receipt_index} is now: {status} {answer}"
            );
        }
        Ok(())
    }
}

/// How a flood was answered.
#[derive(Debug, Default)]
pub struct Flood {
    /// How long each settlement waited that was acknowledged, from its last sending on.
    pub waited: Vec<Duration>,
    /// How often one was turned away.
    pub turned_away: usize,
}

/// One connection of a flood.
struct Flooding {
    connection: Connection,
    prepared: Arc<Vec<Prepared>>,
    tokens: Tokens,
    next: Arc<AtomicUsize>,
    most: usize,
}

impl Flooding {
    async fn run(mut self) -> Result<(BTreeMap<usize, u64>, Flood)> {
        let (mut told, mut flood) = (BTreeMap::new(), Flood::default());
        loop {
            let place = self.next.fetch_add(1, Ordering::SeqCst);
            let Some(one) = self.prepared.get(place).filter(|_| place < self.most) else { break };
            let token = &self.tokens[&one.provider()];
            loop {
                let begin = Instant::now();
                let (status, answer, comes_again) = self.connection.offer(one, token).await?;
                let index = answer.pointer("/receipt/id").and_then(Value::as_u64);
                match (status, index) {
                    (StatusCode::CREATED | StatusCode::OK, Some(index)) => {
                        flood.waited.push(begin.elapsed());
                        told.insert(place, index);
                        break;
                    }
                    (StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE, _)
                        if comes_again =>
                    {
                        flood.turned_away += 1;
                        // As impatient as a client may be, but for a breath.
                        tokio::time::sleep(BREATH).await;
                    }
                    _ => bail!("settlement {place}: {status} {answer}"),
                }
            }
        }
        Ok((told, flood))
    }
}

/// One connection that sends.
struct Worker {
    connection: Connection,
    prepared: Arc<Vec<Prepared>>,
    tokens: Tokens,
    next: Arc<AtomicUsize>,
    answers: UnboundedSender<Answer>,
}

impl Worker {
    /// Sends until nothing is left, the connection breaks, or something is refused; whether it was.
    async fn run(mut self) -> bool {
        loop {
            let place = self.next.fetch_add(1, Ordering::SeqCst);
            let Some(one) = self.prepared.get(place) else { return false };
            let token = &self.tokens[&one.provider()];
            let Ok((status, answer)) = self.connection.submit(one, token).await else {
                return false;
            };
            let index = answer.pointer("/receipt/id").and_then(Value::as_u64);
            let outcome = answer.pointer("/receipt/outcome/status").and_then(Value::as_str);
            let is_accepted = matches!(status, StatusCode::CREATED | StatusCode::OK)
                && outcome == Some("accepted");
            let (answer, is_refused) = match (is_accepted, index) {
                (true, Some(receipt_index)) => (Answer::Told { place, receipt_index }, false),
                _ => (Answer::Refused { status, problem: answer }, true),
            };
            if self.answers.send(answer).is_err() || is_refused {
                return is_refused;
            }
        }
    }
}

async fn collect(mut receiver: UnboundedReceiver<Answer>) -> Vec<Answer> {
    let mut answers = Vec::new();
    while let Some(answer) = receiver.recv().await {
        answers.push(answer);
    }
    answers
}

/// Replays the whole chain of a data folder with the shipped program.
///
/// # Errors
/// What it finds.
pub fn verify_chain(data: &Path) -> Result<()> {
    let output = Command::new(http::program()?).args(["verify", "chain"]).arg(data).output()?;
    if output.status.success() {
        return Ok(());
    }
    let (words, error) = (output.stdout, output.stderr);
    bail!("verify chain: {}{}", String::from_utf8_lossy(&words), String::from_utf8_lossy(&error))
}
