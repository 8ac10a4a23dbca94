//! Settlements over HTTP: the shipped binary serves, clients on the same cores send.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use axum::body::{Body, to_bytes};
use gateway::session::challenge::sign_in_message;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Method, Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use ledger::Transaction;
use primitives::{Hash, Party, PublicKey, Signature, codec};
use proof::header::ChainId;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::load::{Answer, Collector, Outcome};
use crate::region::{Region, Signer};

/// Connections that send at once.
const CONNECTIONS: usize = 128;
/// Connections that sign in at once.
const SIGN_IN_CONNECTIONS: usize = 8;
const ANSWER_BYTES_MAX: usize = 4 << 20;

/// The shipped program, serving a data folder; it is told to stop when this is dropped.
pub struct Served {
    child: Child,
    address: SocketAddr,
    /// Kept open: the program says something when it ends.
    _out: BufReader<ChildStdout>,
}

/// The program that ships, beside this one.
///
/// # Errors
/// When it was not built.
pub fn program() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let path = own.with_file_name("yibao");
    if path.exists() {
        return Ok(path);
    }
    bail!("`{}` is not there: build it with `cargo build --release`", path.display())
}

impl Served {
    /// Starts the program and waits until it answers.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn start(data: &Path) -> Result<Self> {
        Self::run_quietly(Command::new(program()?), data)
    }

    /// The same; what it says to its operator goes into this file.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn start_logged(data: &Path, log: File) -> Result<Self> {
        let mut command = Command::new(program()?);
        command.stderr(log);
        Self::run_quietly(command, data)
    }

    /// The same, and no file of the program may grow beyond so many KiB: where no small disk can be
    /// mounted, writes fail in the middle all the same.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn start_limited(data: &Path, file_kibibytes: u64) -> Result<Self> {
        let mut shell = Command::new("bash");
        // The system would end a process that meets the limit and has not said that it expects it.
        shell.args(["-c", r#"trap "" XFSZ; ulimit -f "$0"; exec "$@""#]);
        shell.arg(file_kibibytes.to_string()).arg(program()?);
        Self::run_quietly(shell, data)
    }

    fn run_quietly(mut command: Command, data: &Path) -> Result<Self> {
        command.env("YIBAO_LOG", "error");
        Self::run(command, data, &[])
    }

    /// Adds to a command what serves a data folder, with further options, and waits until it
    /// answers.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn run(mut command: Command, data: &Path, options: &[&str]) -> Result<Self> {
        let mut child = command
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .args(options)
            .stdout(Stdio::piped())
            .spawn()?;
        let out = child.stdout.take().context("the program has a standard output")?;
        let mut out = BufReader::new(out);
        let mut line = String::new();
        out.read_line(&mut line)?;
        let url = line.split_whitespace().last().unwrap_or_default();
        let address = url.trim_start_matches("http://").trim_end_matches('/').parse();
        match address {
            Ok(address) => Ok(Self { child, address, _out: out }),
            Err(_) => {
                // It ended by itself or says something else; either way it is of no use.
                let _ = child.kill();
                let _ = child.wait();
                bail!("`yibao serve` does not come up: {line}")
            }
        }
    }

    /// Where it answers.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends it without a warning, as a power cut or the system would.
    ///
    /// # Errors
    /// When it cannot be killed.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Tells it to stop, and waits until it has ended in order.
    ///
    /// # Errors
    /// When it does not within this time.
    pub fn stop_within(self, limit: Duration) -> Result<()> {
        let status = self.end_within(limit)?;
        ensure!(status.success(), "it was told to stop and ended with {status}");
        Ok(())
    }

    /// Tells it to stop, and waits until it has ended, in order or not.
    ///
    /// # Errors
    /// When it does not within this time.
    pub fn end_within(mut self, limit: Duration) -> Result<ExitStatus> {
        let (begin, process) = (Instant::now(), self.child.id().to_string());
        Command::new("kill").args(["-TERM", &process]).status()?;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if begin.elapsed() > limit {
                self.kill()?;
                bail!("it was told to stop and did not within {} s", limit.as_secs());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Whether it ended by itself.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn is_over(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }

    /// The process.
    #[must_use]
    pub fn process(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        let stop = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        if stop.is_err() {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

/// A connection that is kept open.
pub struct Connection {
    sender: SendRequest<Body>,
    address: SocketAddr,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// When nobody answers.
    pub async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self { sender, address })
    }

    async fn post(
        &mut self,
        path: &str,
        token: Option<&str>,
        key: Option<&str>,
        body: Vec<u8>,
    ) -> Result<(StatusCode, Value)> {
        let (status, bytes) = self.send(path, token, key, body).await?;
        Ok((status, serde_json::from_slice(&bytes).unwrap_or(Value::Null)))
    }

    async fn send(
        &mut self,
        path: &str,
        token: Option<&str>,
        key: Option<&str>,
        body: Vec<u8>,
    ) -> Result<(StatusCode, axum::body::Bytes)> {
        let (status, bytes, _) = self.send_and_see(path, token, key, body).await?;
        Ok((status, bytes))
    }

    /// The same, and whether the answer says when to come again.
    async fn send_and_see(
        &mut self,
        path: &str,
        token: Option<&str>,
        key: Option<&str>,
        body: Vec<u8>,
    ) -> Result<(StatusCode, axum::body::Bytes, bool)> {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(header::HOST, self.address.to_string())
            .header(header::CONTENT_TYPE, "application/json");
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        self.sender.ready().await?;
        let response = self.sender.send_request(request.body(Body::from(body))?).await?;
        let status = response.status();
        let comes_again = response.headers().contains_key(header::RETRY_AFTER);
        let bytes = to_bytes(Body::new(response.into_body()), ANSWER_BYTES_MAX).await?;
        Ok((status, bytes, comes_again))
    }

    /// Reads what a party may read.
    ///
    /// # Errors
    /// When the connection breaks.
    pub async fn get(&mut self, path: &str, token: &str) -> Result<(StatusCode, Value)> {
        let (status, bytes) = self.read(path, Some(token)).await?;
        Ok((status, serde_json::from_slice(&bytes).unwrap_or(Value::Null)))
    }

    /// Reads bytes as they come; without a token what everybody may read.
    ///
    /// # Errors
    /// When the connection breaks.
    pub async fn read(
        &mut self,
        path: &str,
        token: Option<&str>,
    ) -> Result<(StatusCode, axum::body::Bytes)> {
        let mut request =
            Request::builder().uri(path).header(header::HOST, self.address.to_string());
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Body::empty())?;
        self.sender.ready().await?;
        let response = self.sender.send_request(request).await?;
        let status = response.status();
        let bytes = to_bytes(Body::new(response.into_body()), ANSWER_BYTES_MAX).await?;
        Ok((status, bytes))
    }

    /// Sends a settlement.
    ///
    /// # Errors
    /// When the connection breaks.
    pub async fn submit(&mut self, one: &Prepared, token: &str) -> Result<(StatusCode, Value)> {
        self.post("/v1/transactions", Some(token), Some(&one.key), one.body.clone()).await
    }

    /// Sends a settlement; also whether the answer says when to come again.
    ///
    /// # Errors
    /// When the connection breaks.
    pub async fn offer(
        &mut self,
        one: &Prepared,
        token: &str,
    ) -> Result<(StatusCode, Value, bool)> {
        let (path, key, body) = ("/v1/transactions", Some(&*one.key), one.body.clone());
        let (status, bytes, again) = self.send_and_see(path, Some(token), key, body).await?;
        Ok((status, serde_json::from_slice(&bytes).unwrap_or(Value::Null), again))
    }

    async fn sign_in(&mut self, region: &Region, signer: &Signer) -> Result<String> {
        self.sign_in_as(region.chain_id, signer.party(), |message| {
            let authorisation = signer.authorise(message);
            (authorisation.key, authorisation.signature)
        })
        .await
    }

    /// Signs a party in.
    ///
    /// # Errors
    /// When it is not let in.
    pub async fn sign_in_as(
        &mut self,
        chain_id: ChainId,
        party: Party,
        sign: impl FnOnce(&Hash) -> (PublicKey, Signature),
    ) -> Result<String> {
        let body = json!({ "party": party }).to_string().into_bytes();
        let (_, asked) = self.post("/v1/sessions/challenges", None, None, body).await?;
        let challenge = asked.get("challenge").and_then(Value::as_str).context("a challenge")?;
        let (key, signature) = sign(&sign_in_message(chain_id, party, challenge));
        let request = json!({
            "party": party,
            "challenge": challenge,
            "key": key,
            "signature": signature,
        });
        let body = request.to_string().into_bytes();
        let (_, answer) = self.post("/v1/sessions", None, None, body).await?;
        let token = answer.get("token").and_then(Value::as_str);
        token.map(str::to_owned).ok_or_else(|| anyhow!("not let in: {answer}"))
    }
}

/// Signs all providers in.
///
/// # Errors
/// When one is not let in.
pub async fn sign_in_all(
    connection: &mut Connection,
    region: &Region,
) -> Result<BTreeMap<Party, String>> {
    let mut tokens = BTreeMap::new();
    for provider in &region.providers {
        tokens.insert(provider.party(), connection.sign_in(region, provider).await?);
    }
    Ok(tokens)
}

/// Signs all providers in over several connections: a program that was just started answers on all
/// cores.
///
/// # Errors
/// When one is not let in.
pub async fn sign_in_at_once(
    address: SocketAddr,
    region: &Arc<Region>,
) -> Result<BTreeMap<Party, String>> {
    let mut workers = Vec::new();
    for first in 0..SIGN_IN_CONNECTIONS {
        let region = Arc::clone(region);
        workers.push(tokio::spawn(async move {
            let mut connection = Connection::open(address).await?;
            let mut tokens = Vec::new();
            for provider in region.providers.iter().skip(first).step_by(SIGN_IN_CONNECTIONS) {
                tokens.push((provider.party(), connection.sign_in(&region, provider).await?));
            }
            Ok::<_, anyhow::Error>(tokens)
        }));
    }
    let mut all = BTreeMap::new();
    for worker in workers {
        all.extend(worker.await??);
    }
    Ok(all)
}

/// A settlement as it goes over the wire.
pub struct Prepared {
    key: String,
    body: Vec<u8>,
    provider: Party,
}

impl Prepared {
    /// Who sends it.
    #[must_use]
    pub const fn provider(&self) -> Party {
        self.provider
    }
}

/// Writes settlements as they go over the wire.
///
/// # Errors
/// Never: they have a form in JSON.
pub fn prepared(transactions: &[Transaction]) -> Result<Vec<Prepared>> {
    let one = |transaction: &Transaction| {
        let form = json!({
            "content": hex::encode(codec::encode(&transaction.content)),
            "authorisations": transaction.authorisations,
        });
        Ok(Prepared {
            key: hex::encode(transaction.content.idempotency_key.0),
            body: serde_json::to_vec(&form)?,
            provider: transaction.content.author,
        })
    };
    transactions.iter().map(one).collect()
}

/// Sends all settlements; with `per_second` each at its own moment, else as fast as answers come.
///
/// # Errors
/// When one is refused, or the program does not answer.
pub fn send(
    region: &Region,
    served: &Served,
    settlements: Vec<Prepared>,
    per_second: Option<u32>,
) -> Result<Outcome> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let mut first = Connection::open(served.address).await?;
        let tokens = Arc::new(sign_in_all(&mut first, region).await?);

        let mut connections = Vec::new();
        for _ in 0..CONNECTIONS {
            connections.push(Connection::open(served.address).await?);
        }
        let count = settlements.len();
        let settlements = Arc::new(settlements);
        let next = Arc::new(AtomicUsize::new(0));
        let collector = Collector::new();
        let begin = collector.begin();
        let mut workers = Vec::new();
        for mut connection in connections {
            let (settlements, next, tokens) =
                (Arc::clone(&settlements), Arc::clone(&next), Arc::clone(&tokens));
            let sender = collector.sender();
            workers.push(tokio::spawn(async move {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(one) = settlements.get(place) else { break };
                    let due = match per_second {
                        Some(rate) => {
                            let due =
                                begin + Duration::from_secs_f64(place as f64 / f64::from(rate));
                            tokio::time::sleep_until(due.into()).await;
                            due
                        }
                        None => Instant::now(),
                    };
                    let token = tokens.get(&one.provider).map(String::as_str);
                    let answer = connection
                        .send("/v1/transactions", token, Some(&one.key), one.body.clone())
                        .await;
                    let at = Instant::now();
                    let refused = match answer {
                        Ok((StatusCode::CREATED, _)) => None,
                        Ok((status, bytes)) => {
                            Some(format!("{status} {}", String::from_utf8_lossy(&bytes)))
                        }
                        Err(error) => Some(error.to_string()),
                    };
                    let waited = at.duration_since(due);
                    if sender.send(Answer { waited, at, refused }).is_err() {
                        break;
                    }
                }
            }));
        }
        for worker in workers {
            worker.await?;
        }
        collector.finish(Vec::new(), count)
    })
}
