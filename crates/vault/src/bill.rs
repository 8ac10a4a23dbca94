//! What is sealed: an itemised bill, the sums that the ledger settles, and the salt of the one
//! commitment to both that the ledger holds.

use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};
use core::fmt;
use primitives::{Hash, codec, sha256_parts};

use crate::envelope::{CONTENT_BYTES_MAX, EnvelopeError};

/// The longest bill, in bytes.
pub const BILL_BYTES_MAX: usize = 4 * 1_024 * 1_024;
/// The longest encoded category sums, in bytes.
pub const SUMS_BYTES_MAX: usize = 256 * 1_024;

const COMMIT_TAG: &[u8] = b"yibao/bill/v1";

/// The commitment to a bill and its category sums:
/// `SHA-256("yibao/bill/v1" || salt || len(bill) || bill || len(sums) || sums)`, lengths as eight
/// bytes little-endian.
///
/// The salt is 32 secret random bytes, so the commitment says nothing to whoever guesses the bill.
/// Both lengths are in it, so no byte can move from the bill to the sums.
#[must_use]
pub fn commit_bill(salt: &[u8; 32], bill: &[u8], sums: &[u8]) -> Hash {
    let length = |bytes: &[u8]| u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_le_bytes();
    sha256_parts(&[COMMIT_TAG, salt, &length(bill), bill, &length(sums), sums])
}

/// The content of a bill's envelope.
#[derive(Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct BillContent {
    /// The salt of the commitment.
    pub salt: [u8; 32],
    /// The itemised bill, encoded by whoever made it.
    pub bill: Vec<u8>,
    /// The category sums that `sort_lines` gave for it, encoded.
    pub sums: Vec<u8>,
}

impl BillContent {
    /// The commitment that the ledger holds.
    #[must_use]
    pub fn commitment(&self) -> Hash {
        commit_bill(&self.salt, &self.bill, &self.sums)
    }

    /// The bytes to seal.
    ///
    /// # Errors
    /// [`EnvelopeError::TooLarge`] for a bill or sums above their bound.
    pub fn encode(&self) -> Result<Vec<u8>, EnvelopeError> {
        if self.bill.len() > BILL_BYTES_MAX {
            return Err(EnvelopeError::TooLarge { bytes_max: BILL_BYTES_MAX });
        }
        if self.sums.len() > SUMS_BYTES_MAX {
            return Err(EnvelopeError::TooLarge { bytes_max: SUMS_BYTES_MAX });
        }
        Ok(codec::encode(self))
    }

    /// The content of these bytes, if it is the one that the ledger's commitment names.
    ///
    /// # Errors
    /// [`EnvelopeError::Form`] for other bytes, [`EnvelopeError::Commitment`] for another bill.
    pub fn decode(bytes: &[u8], commitment: Hash) -> Result<Self, EnvelopeError> {
        if bytes.len() > CONTENT_BYTES_MAX {
            return Err(EnvelopeError::TooLarge { bytes_max: CONTENT_BYTES_MAX });
        }
        let content: Self = codec::decode(bytes).map_err(|_| EnvelopeError::Form)?;
        if content.commitment() == commitment {
            Ok(content)
        } else {
            Err(EnvelopeError::Commitment)
        }
    }
}

impl fmt::Debug for BillContent {
    /// Sizes only: a bill must never reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BillContent({} + {} bytes)", self.bill.len(), self.sums.len())
    }
}
