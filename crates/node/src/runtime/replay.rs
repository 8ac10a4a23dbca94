//! Executing recorded blocks again, and naming the first thing that does not come out as recorded.

use std::fmt;
use std::sync::Arc;

use ledger::kernel::block::BLOCK_BYTES_MAX;
use ledger::kernel::transaction::TransactionError;
use ledger::{Block, Ledger, Receipt, VerifiedTransaction};
use primitives::{Hash, codec};
use proof::header::{Certificate, Header};

use super::check::check_all;
use super::types::Committed;
use crate::history::Handover;
use crate::signature::FastVerifier;
use crate::store::StoredBlock;

/// The first place where what is recorded is not what follows from the blocks before it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "block {height}: {what} is `{got}` where `{expected}` follows from {}",
    before(*height)
)]
pub struct Divergence {
    /// The block's number.
    pub height: u64,
    /// Which part of it.
    pub what: String,
    /// What follows from the blocks before it.
    pub expected: String,
    /// What is recorded.
    pub got: String,
}

/// What a block follows from, in words: before the first one there is only the genesis.
const fn before(height: u64) -> &'static str {
    if height == 1 {
        "`genesis/genesis.json`, which is damaged or another one if the block is whole"
    } else {
        "what is before it"
    }
}

impl Divergence {
    pub(crate) fn new(
        height: u64,
        what: impl fmt::Display,
        expected: impl fmt::Display,
        got: impl fmt::Display,
    ) -> Self {
        let (what, expected, got) = (what.to_string(), expected.to_string(), got.to_string());
        Self { height, what, expected, got }
    }
}

/// Executes the record of the next block and makes it the last one, when it is what it says.
///
/// # Errors
/// The first divergence; the ledger then stays where it was.
pub(crate) fn replay(
    ledger: &mut Ledger,
    stored: &StoredBlock,
    threads: usize,
) -> Result<Committed, Divergence> {
    let height = ledger.tip().height + 1;
    let block = decode(height, &stored.block)?;
    let certificate = stored.certificate.clone();
    let verified = check_all(&block.transactions, ledger.registry(), threads);
    let verified = verified.map_err(|(place, error)| not_signed(height, place, &error))?;
    let first_receipt = ledger.tip().log.size();
    let before = ledger.tip().validators.hash();
    let receipts = execute(ledger, &block.header, &certificate, &verified)?;
    let receipts = receipts.into_iter().map(Arc::new).collect();
    let is_other = block.header.next_validators != before;
    let handover = is_other.then(|| Handover {
        header: block.header.clone(),
        certificate: certificate.clone(),
        validators: ledger.tip().validators.clone(),
    });
    Ok(Committed { block, certificate, first_receipt, receipts, handover })
}

/// The recorded block of this height, taken apart.
///
/// # Errors
/// When it is too long, or no block.
pub(crate) fn decode(height: u64, bytes: &[u8]) -> Result<Block, Divergence> {
    if bytes.len() > BLOCK_BYTES_MAX {
        let most = format!("at most {BLOCK_BYTES_MAX}");
        return Err(Divergence::new(height, "the block's length", most, bytes.len()));
    }
    codec::decode(bytes)
        .map_err(|error| Divergence::new(height, "the block", "header and transactions", error))
}

/// The transaction at this place of a recorded block is not validly signed.
pub(crate) fn not_signed(height: u64, place: usize, error: &TransactionError) -> Divergence {
    Divergence::new(height, format_args!("transaction {place}"), "a validly signed one", error)
}

/// Executes the checked transactions of the next recorded block and makes it the last one, when
/// its header and certificate are what follows; gives the receipts.
///
/// # Errors
/// The first divergence; the ledger then stays where it was.
pub(crate) fn execute(
    ledger: &mut Ledger,
    header: &Header,
    certificate: &Certificate,
    verified: &[VerifiedTransaction],
) -> Result<Vec<Receipt>, Divergence> {
    let outcome = ledger.execute(header.time, verified);
    compare_headers(&outcome.header, header)?;
    let validators = &ledger.tip().validators;
    validators.verify_certificate(header, certificate, &FastVerifier).map_err(|error| {
        let expected = "signatures of the validators";
        Divergence::new(header.height, "the certificate", expected, error)
    })?;
    Ok(ledger.apply(outcome).1)
}

/// Names the first field in which a recorded header differs from the one that follows.
fn compare_headers(expected: &Header, got: &Header) -> Result<(), Divergence> {
    let height = expected.height;
    let differ = |what, expected: &dyn fmt::Display, got: &dyn fmt::Display| {
        Err(Divergence::new(height, what, expected, got))
    };
    let numbers = [
        ("the header's version", u64::from(expected.version), u64::from(got.version)),
        ("the height", expected.height, got.height),
        ("the receipt log's size", expected.receipt_log_size, got.receipt_log_size),
    ];
    for (what, expected, got) in numbers {
        if expected != got {
            return differ(what, &expected, &got);
        }
    }
    if expected.chain_id != got.chain_id {
        return differ("the chain id", &expected.chain_id, &got.chain_id);
    }
    if expected.time != got.time {
        return differ("block time", &expected.time, &got.time);
    }
    let hashes: [(&str, &Hash, &Hash); 5] = [
        ("the parent", &expected.parent, &got.parent),
        ("the transaction root", &expected.transaction_root, &got.transaction_root),
        ("the receipt log's root", &expected.receipt_log_root, &got.receipt_log_root),
        ("the state root", &expected.state_root, &got.state_root),
        ("the next validators", &expected.next_validators, &got.next_validators),
    ];
    for (what, expected, got) in hashes {
        if expected != got {
            return differ(what, expected, got);
        }
    }
    // Every field was compared, so that a field added later is not forgotten here.
    if expected == got {
        Ok(())
    } else {
        differ("the header", &expected.value_id(), &got.value_id())
    }
}
