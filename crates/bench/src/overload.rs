//! More is asked of the shipped program than it takes: ten times as many settlements at once as its
//! limits admit, and clients that are slow, greedy or many. Whoever is turned away is told when to
//! come again, nothing acknowledged is lost, memory stays bounded, and afterwards everything is
//! taken at once.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use clap::Parser;
use hyper::StatusCode;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::drill::{Drill, Flood, verify_chain};
use crate::http::Served;
use crate::process::resident_bytes;

/// Asks the shipped program for more than it takes.
#[derive(Parser)]
pub struct Options {
    /// Settlements that are sent in all.
    #[arg(long, default_value_t = 60_000)]
    settlements: usize,
    /// Transactions that the program admits at once; ten times as many are sent at once.
    #[arg(long, default_value_t = 96)]
    admitted: usize,
    /// Slow, greedy and idle clients, of each kind.
    #[arg(long, default_value_t = 400)]
    odd_clients: usize,
    /// Where the data folder is made; it stays when something is wrong.
    #[arg(long, default_value = "target/bench")]
    folder: PathBuf,
}

/// How many times more than is admitted.
const TIMES: usize = 10;
/// Settlements that are sent one after the other once the flood is over.
const AFTERWARDS: usize = 200;
/// Memory may grow by so much under all of this: bodies, answers and connections have their bounds
/// in `limits.toml`, and settlements stay.
const GROWTH_BYTES_MAX: u64 = 384 << 20;
const MEBIBYTE: u64 = 1 << 20;
/// Connections beyond what an address may have.
const TOO_MANY: usize = 100;
/// What an ordinary client asks.
const READY: &str = "GET /health/ready HTTP/1.1\r\nhost: x\r\n\r\n";
/// What a client that waits for an answer waits for at the most.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs the drill.
///
/// # Errors
/// What was lost, refused without a word, or not bounded.
pub fn run(options: &Options) -> Result<()> {
    std::fs::create_dir_all(&options.folder)?;
    let folder = tempfile::tempdir_in(&options.folder)?;
    let data = folder.path().to_owned();
    let done = overload(options, &data);
    if done.is_err() {
        let _ = folder.keep();
    }
    done
}

fn overload(options: &Options, data: &Path) -> Result<()> {
    let mut drill = Drill::found(data, options.settlements)?;
    std::fs::write(data.join("limits.toml"), limits(options))?;
    let served = Served::start(data)?;
    let (address, process) = (served.address(), served.process());
    let before = resident_bytes(process);
    let connections = options.admitted * TIMES;
    let most = options.settlements.saturating_sub(AFTERWARDS);
    let begin = Instant::now();
    let flood = drill.flood(address, connections, most)?;
    let seconds = begin.elapsed().as_secs_f64();
    let peak = resident_bytes(process);
    report(&flood, connections, seconds);
    ensure!(flood.turned_away > 0, "nobody was turned away; give more with --settlements");
    let odd = drill.beside(odd_clients(address, options.odd_clients))?;
    let closed = drill.beside(too_many_connections(address, connections_max(options)))?;
    let after = resident_bytes(process);
    let grown = peak.max(after).saturating_sub(before);
    ensure!(grown <= GROWTH_BYTES_MAX, "memory grew by {} MiB", grown / MEBIBYTE);
    let left = drill.left();
    let sent = drill.go_on(address, async { Ok(()) })?;
    ensure!(sent.refusals.is_empty(), "refused after the flood: {:?}", sent.refusals);
    ensure!(drill.left() == 0, "{} of {left} were not taken after the flood", drill.left());
    drop(served);
    verify_chain(data)?;
    println!(
        "{odd} odd clients were bounded, {closed} connections too many closed; memory {} MiB before, {} MiB at the most; {} settlements \
         acknowledged, none lost; {left} taken at once afterwards; the chain verifies",
        before / MEBIBYTE,
        peak.max(after) / MEBIBYTE,
        drill.acknowledged()
    );
    Ok(())
}

/// Connections that the one address of this drill may have.
const fn connections_max(options: &Options) -> usize {
    options.admitted * TIMES + 64
}

fn limits(options: &Options) -> String {
    let (admitted, connections) = (options.admitted, connections_max(options));
    format!(
        "submissions_max = {admitted}\nconnections_per_address_max = {connections}\n\
         address_requests_per_second = 1000000\naddress_requests_burst = 1000000\n\
         organisation_requests_per_second = 1000000\norganisation_requests_burst = 1000000\n\
         session_requests_per_second = 1000000\nsession_requests_burst = 1000000\n\
         header_timeout_seconds = 5\nbody_timeout_seconds = 5\n"
    )
}

fn report(flood: &Flood, connections: usize, seconds: f64) {
    let at = |share: f64| {
        let place = (flood.waited.len() as f64 * share) as usize;
        flood.waited.get(place).copied().unwrap_or_default().as_secs_f64() * 1_000.0
    };
    println!(
        "  {connections} at once: {} acknowledged ({:.0}/s), {} turned away with Retry-After; \
         acknowledged after {:.0} ms (half), {:.0} ms (99 of 100), {:.0} ms (last)",
        flood.waited.len(),
        flood.waited.len() as f64 / seconds,
        flood.turned_away,
        at(0.5),
        at(0.99),
        at(1.0 - f64::EPSILON),
    );
}

/// Clients that nobody wants, and an ordinary one beside them; how many there were.
async fn odd_clients(address: SocketAddr, count: usize) -> Result<usize> {
    let mut held = Vec::new();
    for number in 0..count {
        let mut stream = TcpStream::connect(address).await?;
        let words = match number % 3 {
            // Headers that never end, a body that never comes, and silence.
            0 => "GET /health/ready HTTP/1.1\r\nhost: x\r\nx-slow: ".to_owned(),
            1 => post("content-length: 60000"),
            _ => String::new(),
        };
        stream.write_all(words.as_bytes()).await?;
        held.push(stream);
    }
    let ready = ask(address, READY.as_bytes()).await?;
    ensure!(ready.is_success(), "an ordinary client beside them: {ready}");
    let deep = "[".repeat(30_000);
    let deep = format!("{}{deep}", post(&format!("content-length: {}", deep.len())));
    let long_header =
        format!("GET /v1/network HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "y".repeat(60_000));
    let long_address = format!("GET /v1/{} HTTP/1.1\r\nhost: x\r\n\r\n", "y".repeat(8_000));
    for (what, bytes) in [
        ("a body of 1 TiB", post("content-length: 1099511627776")),
        ("deep JSON", deep),
        ("long headers", long_header),
        ("a long address", long_address),
        ("no HTTP", "\0\0\0\r\n\r\n".to_owned()),
    ] {
        let status = ask(address, bytes.as_bytes()).await.with_context(|| what.to_owned())?;
        ensure!(status.is_client_error(), "{what}: {status}");
    }
    for mut stream in held {
        // Answered or closed; never held for ever.
        let mut bytes = Vec::new();
        let end = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await;
        ensure!(end.is_ok(), "a slow client is still there after {PATIENCE:?}");
    }
    Ok(count)
}

/// Opens more connections than an address may have, each with a request: whoever is let in is
/// answered, the others are closed; how many. As soon as they are gone others are let in.
async fn too_many_connections(address: SocketAddr, most: usize) -> Result<usize> {
    let mut held = Vec::new();
    for _ in 0..most + TOO_MANY {
        let mut stream = TcpStream::connect(address).await?;
        let _ = stream.write_all(READY.as_bytes()).await;
        held.push(stream);
    }
    let (mut answered, mut closed) = (0, 0);
    for stream in &mut held {
        let mut byte = [0];
        match tokio::time::timeout(PATIENCE, stream.read(&mut byte)).await {
            Ok(Ok(1)) => answered += 1,
            Ok(_) => closed += 1,
            Err(_) => bail!("a connection is neither answered nor closed"),
        }
    }
    ensure!(answered > 0 && closed > 0, "{answered} answered, {closed} closed");
    drop(held);
    let begin = Instant::now();
    while !ask(address, READY.as_bytes()).await.is_ok_and(|status| status.is_success()) {
        ensure!(begin.elapsed() < PATIENCE, "nobody is let in after a flood of connections");
    }
    Ok(closed)
}

fn post(length: &str) -> String {
    format!(
        "POST /v1/sessions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{length}\r\n\r\n"
    )
}

/// The status of the answer to these bytes on a connection of its own.
async fn ask(address: SocketAddr, bytes: &[u8]) -> Result<StatusCode> {
    let mut stream = TcpStream::connect(address).await?;
    // It may be refused before all of it is sent.
    let _ = stream.write_all(bytes).await;
    let mut answer = vec![0; 64];
    let read = tokio::time::timeout(PATIENCE, stream.read(&mut answer)).await;
    let length = read.context("no answer")??;
    let line = String::from_utf8_lossy(&answer[..length]).into_owned();
    let Some(status) = line.split_whitespace().nth(1) else { bail!("no status: {line:?}") };
    Ok(status.parse()?)
}
