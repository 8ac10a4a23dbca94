//! Permissions for further readers of a sealed envelope, for a purpose and a time.

use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Text, Timestamp, codec};

use crate::{envelope::EnvelopeError, reader::ReaderKey};

/// The most bytes a grant's purpose may have.
pub const PURPOSE_BYTES_MAX: usize = 128;
/// The longest encoded [`GrantedKey`], in bytes.
pub const GRANTED_KEY_BYTES_MAX: usize = 512;

/// The permission for one more reader, for a purpose and a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Who may open.
    pub reader: ReaderKey,
    /// What for, in words that are not personal.
    pub purpose: Text<PURPOSE_BYTES_MAX>,
    /// The last instant at which the envelope opens for this reader.
    pub valid_until: Timestamp,
}

/// The content key wrapped for a grantee: what a first reader hands to the store, which adds it to
/// the envelope that it keeps. There is no secret in it but for the grantee.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct GrantedKey {
    pub(crate) reader: ReaderKey,
    pub(crate) terms: Terms,
    pub(crate) encapsulated: [u8; 32],
    pub(crate) sealed: [u8; 48],
}

impl GrantedKey {
    /// Who may open.
    #[must_use]
    pub const fn reader(&self) -> ReaderKey {
        self.reader
    }

    /// The last instant at which the envelope is handed to this reader.
    #[must_use]
    pub const fn valid_until(&self) -> Timestamp {
        self.terms.valid_until
    }

    /// The bytes to send.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Reads bytes that were sent. Whether the key is the right one, its reader notices.
    ///
    /// # Errors
    /// [`EnvelopeError::Form`].
    pub fn decode(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        if bytes.len() > GRANTED_KEY_BYTES_MAX {
            return Err(EnvelopeError::Form);
        }
        codec::decode(bytes).map_err(|_| EnvelopeError::Form)
    }
}

/// Under which terms a reader may open; none for those it was sealed for.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Terms {
    pub(crate) purpose: Text<PURPOSE_BYTES_MAX>,
    pub(crate) valid_until: Timestamp,
}
