//! `yibao restore`: a data folder from a backup.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use node::backup::Until;
use primitives::Timestamp;

use super::input::instant;
use crate::backup::restore::{Request, Restored, restore};

#[derive(Args)]
pub struct Restore {
    /// A backup, or the folder of backups, of which the newest is taken.
    backup: PathBuf,
    /// The data folder to be made. It must not be there yet, or be empty.
    data: PathBuf,
    /// Up to this block only.
    #[arg(long, value_name = "BLOCK", conflicts_with = "time")]
    height: Option<u64>,
    /// Up to the last block that is not later than this, such as 2026-03-02T10:15:00.000Z.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    time: Option<Timestamp>,
    /// The data folder that the backup is of, or what is left of it: its newer blocks come along as
    /// far as they are whole.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["height", "time"])]
    newer_from: Option<PathBuf>,
}

impl Restore {
    pub fn run(self) -> Result<ExitCode> {
        let until = match (self.height, self.time) {
            (Some(height), _) => Until::Height(height),
            (None, Some(time)) => Until::Time(time),
            (None, None) => Until::End,
        };
        let (backup, data) = (&self.backup, &self.data);
        let request = Request { backup, data, until, newer: self.newer_from.as_deref() };
        let Restored { backup, manifest, end, salvaged } = restore(&request)?;
        let shown = data.display();
        println!("restored `{}` to `{shown}` from `{}`", end.chain_id, backup.display());
        println!("  backup    of {}, up to block {}", manifest.made, manifest.end.height);
        println!("  blocks    {}, the last {} at {}", end.height, end.value_id, end.time);
        println!("  receipts  {}, root {}", end.receipts, end.receipt_log_root);
        if let Some(salvaged) = salvaged {
            println!("  newer     {} blocks from the other folder", salvaged.blocks);
            if salvaged.is_complete {
                println!("nothing that was signed is missing; start it with");
                println!("  yibao serve --data {shown}");
                return Ok(ExitCode::SUCCESS);
            }
        }
        println!(
            "stop the other copy for good, look at this one with `yibao verify chain {shown}`,"
        );
        println!("and then start it once with one of these:");
        println!("  yibao serve --data {shown} --newest-copy   no block was made behind this one");
        println!("  yibao serve --data {shown} --state-loss    later blocks are lost for good");
        Ok(ExitCode::SUCCESS)
    }
}
