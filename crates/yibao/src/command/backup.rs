//! `yibao backup`: a copy of a data folder, made while it is served.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use adapters::clock::SystemClock;
use anyhow::Result;
use clap::Args;

use crate::backup::make::{Made, Request, make};

#[derive(Args)]
pub struct Backup {
    /// The data folder. It may be served meanwhile.
    data: PathBuf,
    /// The folder of backups, on another disk. Each backup is a folder in it; what an earlier one
    /// has already takes no further room.
    to: PathBuf,
    /// Leave the history out, which the first start after restoring makes anew from all blocks:
    /// smaller backups, and a slower start.
    #[arg(long)]
    without_history: bool,
}

impl Backup {
    pub fn run(self) -> Result<ExitCode> {
        let begin = Instant::now();
        let has_history = !self.without_history;
        let request = Request { data: &self.data, to: &self.to, has_history };
        let Made { folder, end, bytes_copied, bytes_kept, files } = make(&request, &SystemClock)?;
        println!("backed up `{}` to `{}`", end.chain_id, folder.display());
        println!("  blocks    {}, the last {} at {}", end.height, end.value_id, end.time);
        println!("  receipts  {}, root {}", end.receipts, end.receipt_log_root);
        println!(
            "  files     {files}: {} copied, {} kept from an earlier backup, all read back in {:.1} s",
            size(bytes_copied),
            size(bytes_kept),
            begin.elapsed().as_secs_f64()
        );
        Ok(ExitCode::SUCCESS)
    }
}

/// A number of bytes for a person.
fn size(bytes: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let step = |(size, unit): (f64, usize)| (size / 1_024.0, unit + 1);
    let mut shown = (bytes as f64, 0);
    while shown.0 >= 1_024.0 && shown.1 + 1 < units.len() {
        shown = step(shown);
    }
    let digits = usize::from(shown.1 > 0);
    format!("{:.digits$} {}", shown.0, units[shown.1])
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_are_short() {
        assert_eq!(size(0), "0 B");
        assert_eq!(size(1_023), "1023 B");
        assert_eq!(size(1_536), "1.5 KiB");
        assert_eq!(size(5 << 40), "5.0 TiB");
    }
}
