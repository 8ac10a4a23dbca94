//! What a stranger's check takes: a voucher, and the whole chain.

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result, anyhow};
use ledger::Transaction;
use node::NodeHandle;
use node::verify::{Evidence, verify_chain};
use proof::policy::{Policy, policy_text};

use crate::figures::{Bar, Figures};
use crate::region::Region;

const ROUNDS: u32 = 2_000;

/// A voucher with all its fields, decoded and verified under the log's own policy.
///
/// # Errors
/// When it does not hold.
pub fn voucher(figures: &mut Figures, node: &NodeHandle, settled: &Transaction) -> Result<()> {
    let voucher = node.issue_voucher(&settled.content.id(), None)?.context("a settled visit")?;
    let text = voucher.encode();
    let policy = Policy::parse(policy_text(node.log_key(), &[], 0).as_bytes())
        .map_err(|error| anyhow!("{error}"))?;
    let begin = Instant::now();
    for _ in 0..ROUNDS {
        let decoded = proof::voucher::Voucher::decode(black_box(text.as_bytes()))
            .map_err(|error| anyhow!("{error}"))?;
        let verified = decoded.verify(&policy, &node::signature::FastVerifier);
        black_box(verified.map_err(|error| anyhow!("{error}"))?);
    }
    let millis = begin.elapsed().as_secs_f64() * 1e3 / f64::from(ROUNDS);
    figures.note("voucher/verify", millis, "ms", Bar::AtMost(1.0));
    Ok(())
}

/// The whole chain of a data folder, everything checked; the node must be stopped.
///
/// # Errors
/// When it diverges.
pub fn chain(figures: &mut Figures, data: &Path) -> Result<()> {
    let begin = Instant::now();
    let report = verify_chain(&Region::node_folder(data), Evidence::default(), |_| {})
        .map_err(|error| anyhow!("{error}"))?;
    let seconds = begin.elapsed().as_secs_f64();
    figures.note("verify_chain/transactions", report.accepted as f64 / seconds, "1/s", Bar::Told);
    figures.note("verify_chain/signatures", report.signatures as f64 / seconds, "1/s", Bar::Told);
    Ok(())
}
