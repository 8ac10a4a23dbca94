//! `make schemathesis`: another program reads our own contract and sends what it can think of to
//! every operation of a served demonstration, as nobody and as its organisations. None of it may
//! end in a server's error.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use clap::Parser;
use node::signature::load_key;
use primitives::{Hash, Party};

use crate::http::{self, Connection, Served};

/// Sends what another program makes of the contract to a served demonstration.
#[derive(Parser)]
pub struct Options {
    /// Examples of each operation and phase.
    #[arg(long, default_value_t = 10)]
    examples: usize,
    /// Seconds for each party; generating stops then.
    #[arg(long, default_value_t = 300)]
    seconds: u64,
    /// Chooses the examples.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The program.
    #[arg(long, default_value = "target/schemathesis/bin/schemathesis")]
    program: PathBuf,
    /// Where the data folder is made.
    #[arg(long, default_value = "target/bench")]
    folder: PathBuf,
}

/// Who asks besides nobody.
const PARTIES: [&str; 3] = ["bureau", "pharmacy-1", "us-bank"];
/// Requests of one machine are not to be turned away.
const LIMITS: &str = "address_requests_per_second = 1000000\naddress_requests_burst = 1000000\n";

/// Runs the drill.
///
/// # Errors
/// What was answered with a server's error, in the other program's words.
pub fn run(options: &Options) -> Result<()> {
    fs::create_dir_all(&options.folder)?;
    let folder = tempfile::tempdir_in(&options.folder)?;
    let data = folder.path().join("data");
    let demo = Command::new(http::program()?)
        .args(["demo", "--once", "--people", "20", "--data"])
        .arg(&data)
        .output()?;
    ensure!(demo.status.success(), "the demonstration: {}", String::from_utf8_lossy(&demo.stderr));
    fs::write(data.join("limits.toml"), LIMITS)?;
    let served = Served::start(&data)?;
    ask(options, &served, None)?;
    for code in PARTIES {
        let token = sign_in(&served, &data, code)?;
        ask(options, &served, Some(&token)).with_context(|| format!("as `{code}`"))?;
    }
    println!("no server's error as nobody and as {}", PARTIES.join(", "));
    Ok(())
}

fn sign_in(served: &Served, data: &Path, code: &str) -> Result<String> {
    let key = load_key(&data.join(code).join("keys/online.key"))?;
    let party = Party::Organisation(code.parse().map_err(anyhow::Error::msg)?);
    let chain = "yibao-demo".parse().map_err(anyhow::Error::msg)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut connection = Connection::open(served.address()).await?;
        let sign = |message: &Hash| (key.public_key(), key.sign(message));
        connection.sign_in_as(chain, party, sign).await
    })
}

fn ask(options: &Options, served: &Served, token: Option<&str>) -> Result<()> {
    let mut command = Command::new(&options.program);
    command
        .args(["run", "contract/openapi.json", "--checks", "not_a_server_error"])
        .args(["--url", &format!("http://{}", served.address())])
        .args(["--max-examples", &options.examples.to_string()])
        .args(["--max-time", &options.seconds.to_string()])
        .args(["--seed", &options.seed.to_string()])
        .args(["--request-timeout", "30", "--warnings", "off", "--continue-on-failure"])
        // A stream of events does not end.
        .args(["--exclude-path", "/v1/events"]);
    if let Some(token) = token {
        // Whoever signs out asks for nothing more.
        command.args(["--exclude-path-regex", "^/v1/session"]);
        command.args(["-H", &format!("Authorization: Bearer {token}")]);
    }
    let status = command.status().context("run `scripts/setup schemathesis` first")?;
    ensure!(status.success(), "schemathesis found something: {status}");
    Ok(())
}
