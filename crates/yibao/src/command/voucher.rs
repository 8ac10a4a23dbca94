//! `yibao voucher`: a voucher as a sheet to print, and its parts apart, for verifiers that are not
//! ours.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use adapters::clock::{Clock as _, SystemClock};
use anyhow::{Context as _, Result};
use clap::{Args, Subcommand};
use document::{DocumentError, ElectronicSeal, Sealed, VoucherSheet, voucher_pdf};
use gateway::problem::{Language, words};
use ledger::registry;
use node::signature::FastVerifier;
use primitives::{Timestamp, UtcOffset};

use super::input::bad;
use super::language::{language, of_environment};
use super::verifier::page;
use super::verify::{not_valid, read_policy, read_voucher};
use crate::serving::folder::POLICY_FILE;
use crate::serving::seal::open_seal;
use crate::serving::web;

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
    /// Check a voucher and write it as a sheet to print: a PDF with the voucher inside.
    Pdf(Sheet),
    /// Write one HTML file that checks vouchers in any browser, without network.
    Verifier {
        /// The HTML file.
        out: PathBuf,
        /// Whom the page trusts: a C2SP policy file, such as the `trust-policy.txt` of a data
        /// folder. May be given several times.
        #[arg(long, value_name = "POLICY", required = true)]
        trust: Vec<PathBuf>,
        /// Replace the file if it is there already.
        #[arg(long)]
        force: bool,
    },
}

#[derive(Args)]
struct Sheet {
    /// The voucher.
    file: PathBuf,
    /// The PDF.
    out: PathBuf,
    /// The C2SP policy that the voucher has to pass; when left out, the `trust-policy.txt` beside
    /// it.
    #[arg(long, value_name = "POLICY")]
    trust: Option<PathBuf>,
    /// The language of the sheet: zh-Hans, zh-Hant, en or de.
    #[arg(long, value_name = "LANGUAGE", value_parser = language)]
    lang: Option<Language>,
    /// The name of the provider, which no voucher has.
    #[arg(long, value_name = "NAME")]
    provider: Option<String>,
    /// The name of the person, which no voucher has.
    #[arg(long, value_name = "NAME")]
    person: Option<String>,
    /// The public page that checks vouchers, such as `https://example.org/verify`, for the code on
    /// the sheet.
    #[arg(long, value_name = "ADDRESS")]
    check_page: Option<String>,
    /// The folder of the seal that signs the sheet, as `yibao seal new` makes one; without it the
    /// sheet is not signed.
    #[arg(long, value_name = "DIR")]
    seal: Option<PathBuf>,
    /// The distance of local time from UTC in minutes.
    #[arg(long, value_name = "MINUTES", default_value_t = 480, allow_hyphen_values = true,
          value_parser = clap::value_parser!(i16).range(-720..=840))]
    utc_offset: i16,
    /// Replace the PDF if it is there already.
    #[arg(long)]
    force: bool,
}

impl Voucher {
    pub fn run(self) -> Result<ExitCode> {
        let (file, dir, trust, force) = match self.action {
            Action::Export { file, dir, trust, force } => (file, dir, trust, force),
            Action::Pdf(sheet) => return sheet.run(),
            Action::Verifier { out, trust, force } => return write_verifier(&out, &trust, force),
        };
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

fn require_free(out: &Path, force: bool) -> Result<()> {
    if force || !out.exists() {
        return Ok(());
    }
    let out = out.display();
    Err(bad(format!("`{out}` exists already; name another file, or replace it with --force")))
}

fn write_verifier(out: &Path, trust: &[PathBuf], force: bool) -> Result<ExitCode> {
    require_free(out, force)?;
    let (mut policies, mut logs) = (Vec::new(), Vec::new());
    for file in trust {
        let (policy, bytes) = read_policy(file)?;
        logs.extend(policy.logs().iter().map(|log| log.key.name().to_owned()));
        policies.push(String::from_utf8_lossy(&bytes).into_owned());
    }
    let page = page(web::FILES, &policies, &logs).ok_or_else(|| {
        bad("this build has no check for browsers inside; run `make web`, then build yibao again")
    })?;
    let shown = out.display();
    fs::write(out, page).map_err(|error| bad(format!("`{shown}` cannot be written: {error}")))?;
    println!("`{shown}` checks vouchers of {} in any browser, offline", logs.join(", "));
    Ok(ExitCode::SUCCESS)
}

impl Sheet {
    fn run(self) -> Result<ExitCode> {
        require_free(&self.out, self.force)?;
        let voucher = read_voucher(&self.file)?;
        let trust = self.trust.map_or_else(|| policy_beside(&self.file), Ok)?;
        let (policy, _) = read_policy(&trust)?;
        let verified =
            voucher.verify(&policy, &FastVerifier).with_context(|| not_valid(&self.file))?;
        let language = self.lang.unwrap_or_else(of_environment);
        let number = verified.record.kind;
        let at = SystemClock.now();
        let seal = self.seal.as_deref().map(|folder| usable_seal(folder, at)).transpose()?;
        let kind = registry().by_number(number).map(|kind| words::kind(language, kind.name));
        let sheet = VoucherSheet {
            voucher: &voucher,
            index: verified.index,
            language,
            offset: UtcOffset(self.utc_offset),
            kind: &kind.unwrap_or_else(|| number.to_string()),
            provider: self.provider.as_deref(),
            person: self.person.as_deref(),
            explanation: None,
            check_page: self.check_page.as_deref(),
            seal: seal.as_ref().map(|by| Sealed { by, at }),
        };
        let bytes = voucher_pdf(&sheet).map_err(|error| match error {
            DocumentError::LinkTooLong { .. } => bad(format!("`--check-page`: {error}")),
            error @ DocumentError::Pdf(_) => error.into(),
        })?;
        let out = self.out.display();
        fs::write(&self.out, bytes)
            .map_err(|error| bad(format!("`{out}` cannot be written: {error}")))?;
        println!("`{out}` is the sheet of a valid voucher, with the voucher inside");
        Ok(ExitCode::SUCCESS)
    }
}

/// The seal of a folder, whose certificate holds now.
fn usable_seal(folder: &Path, at: Timestamp) -> Result<ElectronicSeal> {
    let shown = folder.display();
    let seal = open_seal(folder)?.ok_or_else(|| {
        bad(format!("there is no folder `{shown}`; make a seal with `yibao seal new {shown}`"))
    })?;
    if !seal.holds_at(at) {
        let until = seal.holder().until;
        return Err(bad(format!(
            "the certificate of the seal in `{shown}` does not hold now (until {until}); put a new \
             one into `seal.pem`"
        )));
    }
    Ok(seal)
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
