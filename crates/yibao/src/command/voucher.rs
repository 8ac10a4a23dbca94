//! `yibao voucher export`: the parts of a voucher apart, for verifiers that are not ours.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};

use super::input::bad;
use super::verify::{read_policy, read_voucher};

#[derive(Args)]
pub struct Voucher {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Write `record.bin` (the leaf), `record.tlog-proof` and, if given, `policy.txt` into a
    /// folder.
    Export {
        /// The voucher.
        file: PathBuf,
        /// The folder; made if it is not there.
        dir: PathBuf,
        /// The C2SP policy that belongs to it.
        #[arg(long, value_name = "POLICY")]
        trust: Option<PathBuf>,
    },
}

impl Voucher {
    pub fn run(self) -> Result<ExitCode> {
        let Action::Export { file, dir, trust } = self.action;
        let voucher = read_voucher(&file)?;
        let policy = trust.map(|trust| read_policy(&trust)).transpose()?;
        let cannot = |path: &Path| {
            let shown = path.display().to_string();
            move |error: std::io::Error| bad(format!("`{shown}` cannot be written: {error}"))
        };
        fs::create_dir_all(&dir).map_err(cannot(&dir))?;
        let write = |name: &str, bytes: &[u8]| {
            let path = dir.join(name);
            fs::write(&path, bytes).map_err(cannot(&path))
        };
        write("record.bin", &voucher.export_record())?;
        write("record.tlog-proof", voucher.export_proof().as_bytes())?;
        if let Some((_, bytes)) = policy {
            write("policy.txt", &bytes)?;
        }
        println!("`{}` holds the leaf record.bin and its proof record.tlog-proof", dir.display());
        Ok(ExitCode::SUCCESS)
    }
}
