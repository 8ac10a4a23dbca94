//! `yibao verify`: check a voucher, an audit's evidence or a whole chain, without any server.
//!
//! Exit code 0: it holds. 1: it does not. 2: it cannot be read.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, anyhow};
use clap::{Args, Subcommand};
use document::{PDF_BYTES_MAX, attached_voucher, is_pdf};
use ledger::registry;
use node::signature::FastVerifier;
use node::verify::{
    Evidence, EvidenceError, VerifyError, VerifyProgress, VerifyReport, verify_chain,
};
use proof::policy::Policy;
use proof::receipt::OutcomeCode;
use proof::voucher::{VerifiedVoucher, Voucher, VoucherError};

use super::input::{bad, read_bytes};
use crate::serving::NODE_FOLDER;

mod audit;

/// A policy names some logs and witnesses.
const POLICY_BYTES_MAX: u64 = 1 << 20;
/// A checkpoint is a few lines with their signatures.
const CHECKPOINT_BYTES_MAX: u64 = 64 << 10;

#[derive(Args)]
pub struct Verify {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Check a voucher against a C2SP policy file.
    Voucher {
        /// The voucher, or its sheet as PDF, which has it inside.
        file: PathBuf,
        /// Whom you trust: a C2SP tlog-policy file.
        #[arg(long, value_name = "POLICY")]
        trust: PathBuf,
    },
    /// Check the unpacked evidence of an audit: every file, the draw, each voucher, each bill.
    Audit {
        /// The folder into which the ZIP file was unpacked.
        folder: PathBuf,
        /// Whom you trust: a C2SP tlog-policy file.
        #[arg(long, value_name = "POLICY")]
        trust: PathBuf,
    },
    /// Replay a chain from its first block and rebuild every balance; nothing is changed.
    Chain(ChainArguments),
}

#[derive(Args)]
struct ChainArguments {
    /// The node's folder, or the data folder that it lies in.
    dir: PathBuf,
    /// A checkpoint of the receipt log that you kept: the chain must hold everything under it. May
    /// be given several times.
    #[arg(long, value_name = "FILE", requires = "trust")]
    checkpoint: Vec<PathBuf>,
    /// A checkpoint that you trust: the chain must hold it, and the signatures of the transactions
    /// under it are not checked again. Everything else is.
    #[arg(long, value_name = "FILE", requires = "trust")]
    from_checkpoint: Option<PathBuf>,
    /// A voucher that you hold: the chain must hold its receipt. May be given several times.
    #[arg(long, value_name = "FILE", requires = "trust")]
    voucher: Vec<PathBuf>,
    /// Whom you trust to have signed them: a C2SP tlog-policy file.
    #[arg(long, value_name = "POLICY")]
    trust: Option<PathBuf>,
}

impl Verify {
    pub fn run(self) -> Result<ExitCode> {
        match self.what {
            What::Voucher { file, trust } => voucher(&file, &trust),
            What::Audit { folder, trust } => audit::audit(&folder, &trust),
            What::Chain(arguments) => chain(&arguments),
        }
    }
}

/// Reads a voucher, or the one inside its sheet.
///
/// # Errors
/// What is wrong with the file.
pub fn read_voucher(file: &Path) -> Result<Voucher> {
    // A sheet is larger than a voucher, which says by itself that it is too long.
    let bytes = read_bytes("the voucher", file, PDF_BYTES_MAX as u64)?;
    let inside = if is_pdf(&bytes) {
        attached_voucher(&bytes)
            .map_err(|error| bad(format!("the voucher `{}`: {error}", file.display())))?
    } else {
        &bytes
    };
    Voucher::decode(inside).map_err(|error| {
        let words = format!("the voucher `{}`: {error}", file.display());
        match error {
            // It is a voucher, and something in it is not what was sealed.
            VoucherError::Record
            | VoucherError::OpeningsOrder
            | VoucherError::Opening(_)
            | VoucherError::Inclusion(_) => anyhow!(words).context(not_valid(file)),
            _ => bad(words),
        }
    })
}

/// That a voucher does not hold.
pub fn not_valid(file: &Path) -> String {
    format!("the voucher `{}` is NOT valid", file.display())
}

/// Reads a policy; its bytes as they are.
///
/// # Errors
/// What is wrong with the file, with the line.
pub fn read_policy(file: &Path) -> Result<(Policy, Vec<u8>)> {
    let bytes = read_bytes("the policy", file, POLICY_BYTES_MAX)?;
    let policy = Policy::parse(&bytes)
        .map_err(|error| bad(format!("the policy `{}`: {error}", file.display())))?;
    Ok((policy, bytes))
}

/// Checks a voucher file; also what the demonstration does with the one that it writes.
///
/// # Errors
/// What cannot be read, or does not hold.
pub fn check_voucher(file: &Path, trust: &Path) -> Result<VerifiedVoucher> {
    let (policy, _) = read_policy(trust)?;
    let voucher = read_voucher(file)?;
    voucher.verify(&policy, &FastVerifier).with_context(|| not_valid(file))
}

fn voucher(file: &Path, trust: &Path) -> Result<ExitCode> {
    let verified = check_voucher(file, trust)?;
    println!("the voucher is valid");
    print_voucher(&verified);
    Ok(ExitCode::SUCCESS)
}

/// What a voucher says, line by line.
pub fn print_voucher(verified: &VerifiedVoucher) {
    let record = &verified.record;
    let registry = registry();
    let outcome = match record.outcome {
        OutcomeCode::Accepted => String::from("accepted"),
        OutcomeCode::Rejected(number) => match registry.rejection(number) {
            Some(code) => format!("rejected: {}", code.words),
            None => format!("rejected with number {number}, which this version does not know"),
        },
    };
    let kind = registry.by_number(record.kind);
    let kind = kind.map_or_else(|| record.kind.to_string(), |kind| kind.name.to_owned());
    println!("  ledger       {}", record.chain_id);
    println!("  transaction  {}", record.transaction_id);
    println!("  kind         {kind}");
    println!("  executed     {} in block {}, {outcome}", record.time, record.height);
    println!(
        "  log          {}, receipt {} of {}",
        verified.log.name(),
        verified.index,
        verified.log_size
    );
    for cosigner in &verified.cosigners {
        println!("  witness      {}", cosigner.name);
    }
    for field in verified.fields.values() {
        println!("  {:<22} {}", field.name.to_string(), field.value);
    }
    let hidden = record.commitments.len().saturating_sub(verified.fields.len());
    if hidden > 0 {
        println!("  ({hidden} more facts are not shown)");
    }
}

impl ChainArguments {
    /// How much from elsewhere the chain is held against.
    fn anchors(&self) -> usize {
        self.checkpoint.len() + self.voucher.len() + usize::from(self.from_checkpoint.is_some())
    }
}

/// The node's own folder: `dir`, or `dir/node` of a data folder.
fn node_folder(dir: &Path) -> PathBuf {
    let inner = dir.join(NODE_FOLDER);
    if inner.join("genesis").is_dir() { inner } else { dir.to_owned() }
}

/// What others kept of the chain, checked against the policy.
fn evidence(arguments: &ChainArguments) -> Result<Evidence> {
    let mut evidence = Evidence::default();
    let Some(trust) = &arguments.trust else { return Ok(evidence) };
    if arguments.anchors() == 0 {
        return Err(bad(
            "`--trust` says whose checkpoints count; name one with --checkpoint, --from-checkpoint or \
             --voucher",
        ));
    }
    let (policy, _) = read_policy(trust)?;
    let checkpoints = arguments.checkpoint.iter().map(|file| (file, false));
    let trusted = arguments.from_checkpoint.iter().map(|file| (file, true));
    for (file, is_trusted) in checkpoints.chain(trusted) {
        let bytes = read_bytes("the checkpoint", file, CHECKPOINT_BYTES_MAX)?;
        let name = format!("the checkpoint `{}`", file.display());
        let taken = if is_trusted {
            evidence.trust_before(&name, &bytes, &policy)
        } else {
            evidence.checkpoint(&name, &bytes, &policy)
        };
        taken.map_err(|error| match error {
            EvidenceError::Checkpoint(error) => bad(format!("{name}: {error}")),
            error => anyhow!(error).context(format!("{name} is NOT valid")),
        })?;
    }
    for file in &arguments.voucher {
        let name = format!("the voucher `{}`", file.display());
        let voucher = read_voucher(file)?;
        evidence.voucher(&name, &voucher, &policy).with_context(|| not_valid(file))?;
    }
    Ok(evidence)
}

fn chain(arguments: &ChainArguments) -> Result<ExitCode> {
    let folder = node_folder(&arguments.dir);
    let evidence = evidence(arguments)?;
    let anchors = arguments.anchors();
    let is_terminal = std::io::stderr().is_terminal();
    let mut shown = 0;
    let report = verify_chain(&folder, evidence, |progress| {
        if is_step(progress, &mut shown, is_terminal) {
            let VerifyProgress { height, last_height, transactions } = progress;
            let end = if is_terminal { "\r" } else { "\n" };
            eprint!("block {height} of {last_height}, {transactions} transactions{end}");
            let _ = std::io::stderr().flush();
        }
    });
    if is_terminal && shown > 0 {
        eprintln!();
    }
    match report {
        Ok(report) => {
            print_report(&report, anchors);
            Ok(ExitCode::SUCCESS)
        }
        Err(
            error @ (VerifyError::NoLedger(_) | VerifyError::Genesis(_) | VerifyError::Archived(_)),
        ) => Err(bad(error.to_string())),
        Err(error) => Err(error).context("the chain is NOT whole"),
    }
}

/// Whether the progress is worth a line: each whole percent on a terminal, each tenth elsewhere.
fn is_step(progress: VerifyProgress, shown: &mut u64, is_terminal: bool) -> bool {
    let steps = if is_terminal { 100 } else { 10 };
    let step = progress.height.saturating_mul(steps) / progress.last_height.max(1);
    let is_new = step > *shown;
    *shown = step.max(*shown);
    is_new
}

fn print_report(report: &VerifyReport, anchors: usize) {
    println!("the chain is whole: every block follows from those before it");
    println!("  ledger        {}", report.chain_id);
    println!("  genesis       {}", report.genesis);
    println!("  blocks        {}, the last {} at {}", report.blocks, report.value_id, report.time);
    println!(
        "  transactions  {} accepted, {} rejected in a block",
        report.accepted, report.rejected
    );
    match report.signatures_unchecked {
        0 => println!("  signatures    {} valid", report.signatures),
        unchecked => println!(
            "  signatures    {} valid; {unchecked} under the trusted checkpoint NOT checked",
            report.signatures
        ),
    }
    println!("  state root    {}", report.state_root);
    println!("  receipt log   {} receipts, root {}", report.receipts, report.receipt_log_root);
    for total in &report.totals {
        println!(
            "  balances      {}: {} accounts rebuilt from {} entries, sum {}",
            total.currency, total.accounts, total.entries, total.sum
        );
    }
    match anchors {
        0 => println!(
            "  anchors       none: whoever holds the node's keys could have written another chain; \
             hold a checkpoint or a voucher from elsewhere against it with --checkpoint or --voucher"
        ),
        _ => println!("  anchors       {anchors} from elsewhere, all of them in this chain"),
    }
    if report.tiles_missing > 0 {
        println!(
            "  tiles         {} are missing; the node writes them when it starts",
            report.tiles_missing
        );
    }
    if let Some(cut) = &report.cut {
        println!(
            "  unfinished    block {} in `{}`, which nobody was told of",
            cut.height, cut.file
        );
    }
}
