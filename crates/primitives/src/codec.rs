//! The one encoding that is hashed, signed and stored: borsh, which has one form per value.

use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};

/// The bytes of a value.
///
/// # Panics
/// Never for the types of this workspace: borsh fails only on a length over 2^32, which every
/// list's bound keeps out.
#[must_use]
pub fn encode<T: BorshSerialize + ?Sized>(value: &T) -> Vec<u8> {
    borsh::to_vec(value).expect("every list is bounded far below 2^32 elements")
}

/// The value of these bytes, all of them; trailing bytes and other spellings are refused.
///
/// # Errors
/// What borsh found wrong; the text is for operators, not for users.
pub fn decode<T: BorshDeserialize>(bytes: &[u8]) -> Result<T, borsh::io::Error> {
    borsh::from_slice(bytes)
}
