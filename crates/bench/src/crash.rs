//! The shipped program is killed at random moments under load, again and again, and must have kept
//! everything that it acknowledged, once.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use clap::Parser;

use crate::drill::{Drill, verify_chain};
use crate::http::Served;

/// Kills the shipped program under load and checks what it has kept.
#[derive(Parser)]
pub struct Options {
    /// How often it is killed.
    #[arg(long, default_value_t = 500)]
    kills: usize,
    /// Settlements that are sent in all.
    #[arg(long, default_value_t = 60_000)]
    settlements: usize,
    /// Chooses the moments.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where the data folder is made; it stays when something is wrong.
    #[arg(long, default_value = "target/bench")]
    folder: PathBuf,
}

/// The program has to be back within this time.
const RESTART_MAX: Duration = Duration::from_secs(10);
/// How long it works before it is killed, in milliseconds: at any moment of it.
const LOAD_MILLIS: std::ops::Range<u64> = 5..150;
/// After so many kills a line says how it goes.
const KILLS_PER_LINE: usize = 50;

/// Runs the drill.
///
/// # Errors
/// The first thing that was lost, doubled or changed.
pub fn run(options: &Options) -> Result<()> {
    std::fs::create_dir_all(&options.folder)?;
    let folder = tempfile::tempdir_in(&options.folder)?;
    let data = folder.path().to_owned();
    let lived = kill_again_and_again(options, &data);
    if lived.is_err() {
        // What it was is to be looked at.
        let _ = folder.keep();
    }
    lived
}

fn kill_again_and_again(options: &Options, data: &Path) -> Result<()> {
    let mut drill = Drill::found(data, options.settlements)?;
    let mut random = fastrand::Rng::with_seed(options.seed);
    let (mut slowest, mut down, mut in_doubt) = (Duration::ZERO, Duration::ZERO, 0_usize);
    for kill in 0..=options.kills {
        let kept = || format!("after {kill} kills of the ledger in `{}`", data.display());
        let begin = Instant::now();
        let mut served = Served::start(data).with_context(kept)?;
        let back = begin.elapsed();
        ensure!(back < RESTART_MAX, "{}: it took {back:?} to come back", kept());
        (slowest, down) = (slowest.max(back), down + back);
        let (address, load) = (served.address(), Duration::from_millis(random.u64(LOAD_MILLIS)));
        let is_last = kill == options.kills;
        let sent = drill
            .go_on(address, async {
                if !is_last {
                    tokio::time::sleep(load).await;
                    served.kill()?;
                }
                Ok(())
            })
            .with_context(kept)?;
        ensure!(sent.refusals.is_empty(), "{}: refused: {:?}", kept(), sent.refusals);
        in_doubt += sent.in_doubt;
        if (kill + 1).is_multiple_of(KILLS_PER_LINE) {
            println!(
                "  {} kills: {} settlements acknowledged, none lost; back after {:.2} s on average",
                kill + 1,
                drill.acknowledged(),
                down.as_secs_f64() / (kill + 1) as f64
            );
        }
        ensure!(
            is_last || drill.left() > 0,
            "all settlements were sent after {} kills; give more with --settlements",
            kill + 1
        );
    }
    ensure!(drill.left() == 0, "{} settlements were not acknowledged", drill.left());
    verify_chain(data)?;
    println!(
        "killed {} times: {} settlements acknowledged, {in_doubt} in doubt at a kill, none lost or \
         doubled; back after {:.2} s on average, {:.2} s at the latest; the chain verifies",
        options.kills,
        drill.acknowledged(),
        down.as_secs_f64() / (options.kills + 1) as f64,
        slowest.as_secs_f64()
    );
    Ok(())
}
