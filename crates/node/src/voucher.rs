//! Issuing vouchers: a receipt, its place in the log, and the openings that its holder wants to
//! show.

use ledger::Receipt;
use proof::receipt::{FieldName, Opening, ReceiptSeed};
use proof::voucher::{Voucher, VoucherError};

use crate::receipt_log::ReceiptLogError;
use crate::runtime::ReadError;

/// Why a voucher could not be issued.
#[derive(Debug, thiserror::Error)]
pub enum IssueVoucherError {
    /// The receipt could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The log could not be read.
    #[error(transparent)]
    Log(#[from] ReceiptLogError),
    /// The receipt says nothing under this name.
    #[error("the receipt has no field `{name}`; it has {}", known.join(", "))]
    NoSuchField {
        /// The name that was asked for.
        name: FieldName,
        /// The names that there are.
        known: Vec<String>,
    },
    /// What was made is no voucher: something on disk is damaged.
    #[error("the voucher cannot be made: {0}; run `yibao verify chain` on the data folder")]
    Voucher(VoucherError),
}

/// The openings of a receipt's fields of these names, or of all of them.
pub(crate) fn openings(
    receipt: &Receipt,
    shown: Option<&[FieldName]>,
) -> Result<Vec<Opening>, IssueVoucherError> {
    let has = |name: &FieldName| receipt.fields.iter().any(|field| field.name == *name);
    if let Some(name) = shown.unwrap_or_default().iter().find(|name| !has(name)) {
        let known = receipt.fields.iter().map(|field| field.name.to_string()).collect();
        return Err(IssueVoucherError::NoSuchField { name: name.clone(), known });
    }
    let seed = ReceiptSeed(receipt.seed.0);
    let is_shown = |name: &FieldName| shown.is_none_or(|names| names.contains(name));
    let fields = (0_u32..).zip(&receipt.fields).filter(|(_, field)| is_shown(&field.name));
    Ok(fields.map(|(index, field)| seed.open(index, field.clone())).collect())
}

/// The voucher of these parts.
pub(crate) fn issue(
    receipt: &Receipt,
    openings: Vec<Opening>,
    index: u64,
    path: Vec<primitives::Hash>,
    checkpoint: proof::checkpoint::SignedCheckpoint,
) -> Result<Voucher, IssueVoucherError> {
    Voucher::issue(receipt.record.clone(), openings, index, path, checkpoint)
        .map_err(IssueVoucherError::Voucher)
}
