//! The shipped program is killed at random moments under load, again and again, and must have kept
//! everything that it acknowledged, once.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use clap::Parser;
use hyper::StatusCode;
use primitives::Hash;
use serde_json::Value;
use tokio::sync::mpsc::unbounded_channel;

use crate::ceiling::Mix;
use crate::http::{self, Connection, Prepared, Served};
use crate::in_process;
use crate::region::{Region, Size};
use crate::settlement::Maker;

/// Kills the shipped program under load and checks what it has kept.
#[derive(Parser)]
pub struct Options {
    /// How often it is killed.
    #[arg(long, default_value_t = 500)]
    kills: usize,
    /// Settlements that are sent in all.
    #[arg(long, default_value_t = 40_000)]
    settlements: usize,
    /// Chooses the moments.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where the data folder is made; it stays when something is wrong.
    #[arg(long, default_value = "target/bench")]
    folder: PathBuf,
}

/// Connections that send at once.
const CONNECTIONS: usize = 8;
/// The program has to be back within this time.
const RESTART_MAX: Duration = Duration::from_secs(10);

/// What a client was told.
struct Told {
    place: usize,
    receipt_index: u64,
}

/// Runs the drill.
///
/// # Errors
/// The first thing that was lost, doubled or changed.
pub fn run(options: &Options) -> Result<()> {
    std::fs::create_dir_all(&options.folder)?;
    let folder = tempfile::tempdir_in(&options.folder)?;
    let data = folder.path();
    let people = options.settlements as u64;
    let region = Region::new(Size { people, funds: 20, mix: Mix::Ed25519 });
    let genesis = region.found(data)?;
    let node = in_process::open(data, &genesis)?;
    region.settle_in(&node)?;
    let transactions = Maker::new(&region).make(&node, options.settlements)?;
    let ids: Vec<Hash> = transactions.iter().map(|one| one.content.id()).collect();
    let prepared = Arc::new(http::prepared(&transactions)?);
    drop(transactions);
    node.stop();
    drop(node);
    let mut random = fastrand::Rng::with_seed(options.seed);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let mut told: BTreeMap<usize, u64> = BTreeMap::new();
    let (mut next, mut slowest, mut in_doubt) = (0, Duration::ZERO, 0_usize);
    for kill in 0..=options.kills {
        let is_last = kill == options.kills;
        let begin = Instant::now();
        let mut served = Served::start(data).with_context(|| kept(kill, data))?;
        slowest = slowest.max(begin.elapsed());
        ensure!(
            begin.elapsed() < RESTART_MAX,
            "{}: it took {:?} to come back",
            kept(kill, data),
            begin.elapsed()
        );
        let load = Duration::from_millis(random.u64(5..150));
        let round = Round { region: &region, prepared: &prepared, ids: &ids, from: next };
        let (answers, reached) = runtime
            .block_on(round.run(&mut served, &told, (!is_last).then_some(load)))
            .with_context(|| kept(kill, data))?;
        in_doubt += reached.saturating_sub(next + answers.len());
        for answer in answers {
            if let Some(before) = told.insert(answer.place, answer.receipt_index) {
                ensure!(
                    before == answer.receipt_index,
                    "{}: settlement {} moved from receipt {before} to {}",
                    kept(kill, data),
                    answer.place,
                    answer.receipt_index
                );
            }
        }
        // What was not answered is sent again: it must happen once, whether it had happened or not.
        next = (0..reached).find(|place| !told.contains_key(place)).unwrap_or(reached);
        if kill % 50 == 49 {
            println!("  {} kills: {} settlements acknowledged, none lost", kill + 1, told.len());
        }
        if is_last || next >= prepared.len() {
            drop(served);
            break;
        }
    }
    let verified = Command::new(http::program()?).args(["verify", "chain"]).arg(data).output()?;
    let words = String::from_utf8_lossy(&verified.stdout);
    ensure!(
        verified.status.success(),
        "verify chain: {words}{}",
        String::from_utf8_lossy(&verified.stderr)
    );
    println!(
        "killed {} times: {} settlements acknowledged, {in_doubt} in doubt at a kill, none lost or doubled; back after {:.2} s at the latest; the chain verifies",
        options.kills,
        told.len(),
        slowest.as_secs_f64()
    );
    Ok(())
}

fn kept(kill: usize, data: &std::path::Path) -> String {
    format!("after {kill} kills of the ledger in `{}`", data.display())
}

struct Round<'a> {
    region: &'a Region,
    prepared: &'a Arc<Vec<Prepared>>,
    ids: &'a [Hash],
    from: usize,
}

impl Round<'_> {
    /// Checks what was acknowledged before, then sends until the kill; gives what was
    /// acknowledged now, and the place behind the last one that was sent.
    async fn run(
        &self,
        served: &mut Served,
        told: &BTreeMap<usize, u64>,
        load: Option<Duration>,
    ) -> Result<(Vec<Told>, usize)> {
        let mut first = Connection::open(served.address()).await?;
        let tokens = Arc::new(http::sign_in_all(&mut first, self.region).await?);
        // The newest are the ones that a lost write would take; a few older ones are asked as well.
        let newest = told.iter().rev().take(200).chain(told.iter().step_by(997));
        for (place, receipt_index) in newest {
            let token = &tokens[&self.prepared[*place].provider()];
            let path = format!("/v1/transactions/{}", self.ids[*place]);
            let (status, answer) = first.get(&path, token).await?;
            let index = answer.get("id").and_then(Value::as_u64);
            ensure!(
                status == StatusCode::OK && index == Some(*receipt_index),
                "acknowledged settlement {place} with receipt {receipt_index} is now: {status} {answer}"
            );
        }
        let next = Arc::new(AtomicUsize::new(self.from));
        let (sender, mut receiver) = unbounded_channel();
        let mut workers = Vec::new();
        for _ in 0..CONNECTIONS {
            let mut connection = Connection::open(served.address()).await?;
            let (prepared, next, tokens, sender) =
                (Arc::clone(self.prepared), Arc::clone(&next), Arc::clone(&tokens), sender.clone());
            workers.push(tokio::spawn(async move {
                loop {
                    let place = next.fetch_add(1, Ordering::SeqCst);
                    let Some(one) = prepared.get(place) else { return Ok(()) };
                    let Ok((status, answer)) =
                        connection.submit(one, &tokens[&one.provider()]).await
                    else {
                        // The kill.
                        return Ok(());
                    };
                    let index = answer.pointer("/receipt/id").and_then(Value::as_u64);
                    let outcome = answer.pointer("/receipt/outcome/status").and_then(Value::as_str);
                    let is_accepted = matches!(status, StatusCode::CREATED | StatusCode::OK)
                        && outcome == Some("accepted");
                    match (is_accepted, index) {
                        (true, Some(receipt_index)) => {
                            let _ = sender.send(Told { place, receipt_index });
                        }
                        _ => bail!("settlement {place}: {status} {answer}"),
                    }
                }
            }));
        }
        drop(sender);
        if let Some(load) = load {
            tokio::time::sleep(load).await;
            served.kill()?;
        }
        for worker in workers {
            worker.await??;
        }
        let mut answers = Vec::new();
        while let Some(answer) = receiver.recv().await {
            answers.push(answer);
        }
        Ok((answers, next.load(Ordering::SeqCst).min(self.prepared.len())))
    }
}
