//! Beginning with the newest snapshot of another node instead of with the first block.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use clap::Args;
use ledger::Genesis;
use node::store::{Folder, LogLimits};
use node::sync::{FetchConfig, Fetched, Progress, fetch};

use crate::command::input::{bad, read_json};
use crate::serving::NODE_FOLDER;
use crate::serving::folder::{GENESIS_BYTES_MAX, GENESIS_FILE, HISTORY_FILE};
use crate::serving::network::read_network;

const MEBIBYTE: u64 = 1 << 20;
/// How often a person at a terminal is told how far it is.
const TELL_EVERY: Duration = Duration::from_millis(500);

#[derive(Args)]
pub struct Sync {
    /// The data folder that `yibao network join` made, whose node was let in and is not running.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// For how many seconds another node is waited for, and for each of its answers.
    #[arg(long, value_name = "SECONDS", default_value_t = 60,
          value_parser = clap::value_parser!(u64).range(1..=3_600))]
    wait: u64,
}

impl Sync {
    pub fn run(self) -> Result<ExitCode> {
        let folder = self.data.join(NODE_FOLDER);
        let Some(network) = read_network(&self.data)? else {
            return Err(bad(format!(
                "the node in `{}` is alone: join a network with `yibao network join` first",
                self.data.display()
            )));
        };
        let genesis: Genesis =
            read_json("the genesis", &folder.join(GENESIS_FILE), GENESIS_BYTES_MAX)?;
        let mut randomness = [0; 32];
        getrandom::fill(&mut randomness)
            .map_err(|error| anyhow!("the system gives no randomness: {error}"))?;
        let config = FetchConfig {
            network: network.place,
            history: folder.join(HISTORY_FILE),
            log: LogLimits::default(),
            randomness,
            patience: Duration::from_secs(self.wait),
        };
        let mut teller = Teller::new();
        let fetched = fetch(Folder::open(&folder)?, &genesis, &config, |at| teller.tell(at));
        teller.end();
        let Fetched { height, value_id, rows, receipts, handovers, bytes, .. } = fetched?;
        println!(
            "fetched the ledger after block {height}: {rows} rows, {:.1} MiB in {:.1} s",
            mebibytes(bytes),
            teller.start.elapsed().as_secs_f64()
        );
        println!("proved from the genesis over {handovers} changes of validators");
        println!("block {height} is {value_id}; compare it with what another organisation has");
        println!(
            "{receipts} receipts before it are known by their hashes alone: whoever asks for one \
             asks a node that has all blocks"
        );
        println!("start it with `yibao serve --data {}`", self.data.display());
        Ok(ExitCode::SUCCESS)
    }
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / MEBIBYTE as f64
}

/// Tells a person at a terminal how far it is.
struct Teller {
    start: Instant,
    bytes: u64,
    told: Option<Instant>,
    is_watched: bool,
}

impl Teller {
    fn new() -> Self {
        let is_watched = std::io::stderr().is_terminal();
        Self { start: Instant::now(), bytes: 0, told: None, is_watched }
    }

    fn tell(&mut self, at: Progress) {
        if let Progress::Offered { bytes, .. } = at {
            self.bytes = bytes;
        }
        if !self.is_watched || self.told.is_some_and(|told| told.elapsed() < TELL_EVERY) {
            return;
        }
        self.told = Some(Instant::now());
        let words = match at {
            Progress::Offered { height, .. } => format!("the snapshot of block {height}"),
            Progress::Snapshot(here) => {
                format!("{:.1} of {:.1} MiB", mebibytes(here), mebibytes(self.bytes))
            }
            Progress::Receipts(count) => format!("{count} hashes of receipts"),
            Progress::Comparing => "comparing".to_owned(),
        };
        let mut stderr = std::io::stderr();
        // Nobody needs it when it cannot be written.
        let _ = write!(stderr, "\r\x1b[K{words}").and_then(|()| stderr.flush());
    }

    fn end(&self) {
        if self.is_watched && self.told.is_some() {
            eprint!("\r\x1b[K");
        }
    }
}
