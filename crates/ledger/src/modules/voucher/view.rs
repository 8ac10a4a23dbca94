//! What others may read of vouchers. Only the person, the provider and those who marked may see a
//! row.

use alloc::vec::Vec;
use primitives::Hash;

use super::table::{Mark, SETTLEMENTS, SettlementRow};
use crate::kernel::overlay::Read;

/// A settlement as far as second payers are concerned, by the transaction that settled it first.
pub fn settlement(state: &(impl Read + ?Sized), transaction_id: &Hash) -> Option<SettlementRow> {
    SETTLEMENTS.get(state, transaction_id)
}

/// What second payers have reimbursed on a settlement; nothing for an unknown one.
pub fn marks(state: &(impl Read + ?Sized), transaction_id: &Hash) -> Vec<Mark> {
    settlement(state, transaction_id).map(|row| row.marks).unwrap_or_default()
}

/// The bytes under which a settlement's row is kept; for state proofs to a second payer.
#[must_use]
pub fn settlement_key(transaction_id: &Hash) -> Vec<u8> {
    SETTLEMENTS.key_bytes(transaction_id)
}
