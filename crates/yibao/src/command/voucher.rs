//! `yibao voucher export`: the parts of a voucher apart, for verifiers that are not ours.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};

use super::input::bad;
use super::verify::{read_policy, read_voucher};
use crate::serving::folder::POLICY_FILE;

#[derive(Args)]
pub struct Voucher {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Write `record.bin` (the leaf), `record.tlog-proof` and `policy.txt` into a folder.
    Export {
        /// The voucher.
        file: PathBuf,
        /// The folder; made if it is not there.
        dir: PathBuf,
        /// The C2SP policy that belongs to it; when left out, the `trust-policy.txt` beside the
        /// voucher.
        #[arg(long, value_name = "POLICY")]
        trust: Option<PathBuf>,
        /// Replace parts that lie in the folder already.
        #[arg(long)]
        force: bool,
    },
}

impl Voucher {
    pub fn run(self) -> Result<ExitCode> {
        let Action::Export { file, dir, trust, force } = self.action;
        let voucher = read_voucher(&file)?;
        let trust = trust.map_or_else(|| policy_beside(&file), Ok)?;
        let (_, policy) = read_policy(&trust)?;
        let cannot = |path: &Path| {
            let shown = path.display().to_string();
            move |error: std::io::Error| bad(format!("`{shown}` cannot be written: {error}"))
        };
        fs::create_dir_all(&dir).map_err(cannot(&dir))?;
        let parts = [
            ("record.bin", voucher.export_record()),
            ("record.tlog-proof", voucher.export_proof().into_bytes()),
            ("policy.txt", policy),
        ];
        if let Some((name, _)) = parts.iter().find(|(name, _)| !force && dir.join(name).exists()) {
            return Err(bad(format!(
                "`{}` exists already; name another folder, or replace it with --force",
                dir.join(name).display()
            )));
        }
        for (name, bytes) in parts {
            let path = dir.join(name);
            fs::write(&path, bytes).map_err(cannot(&path))?;
        }
        println!(
            "`{}` holds the leaf record.bin, its proof record.tlog-proof, and policy.txt from `{}`",
            dir.display(),
            trust.display()
        );
        Ok(ExitCode::SUCCESS)
    }
}

/// The policy of the data folder in which the voucher lies.
fn policy_beside(voucher: &Path) -> Result<PathBuf> {
    let path = voucher.with_file_name(POLICY_FILE);
    if path.is_file() {
        return Ok(path);
    }
    Err(bad(format!(
        "there is no `{}` beside the voucher; name the policy that belongs to it with --trust",
        path.display()
    )))
}
