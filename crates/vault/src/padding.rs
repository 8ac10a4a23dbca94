//! Padding: the length of a sealed bill says little about the bill.
//!
//! Lengths are rounded up as Padmé does (Nikitin et al., "Reducing Metadata Leakage from Encrypted
//! Files and Communication with PURBs", 2019): a length keeps about as many significant bits as its
//! own bit length has bits. That tells an observer O(log log n) bits, and costs at most 12 %; below
//! [`PADDED_BYTES_MIN`] all lengths look alike.

use alloc::vec::Vec;

/// The shortest padded content, in bytes.
pub const PADDED_BYTES_MIN: u64 = 512;

const LENGTH_BYTES: u64 = 4;

/// How long content of this length becomes, its four bytes of length included.
#[must_use]
pub const fn padded_len(content: u64) -> u64 {
    let length = content.saturating_add(LENGTH_BYTES);
    if length <= PADDED_BYTES_MIN {
        return PADDED_BYTES_MIN;
    }
    let exponent = length.ilog2();
    // `ilog2` of a number of at least 512 is at least 9, whose own bit length is 4.
    let kept = exponent.ilog2().saturating_add(1);
    let dropped = exponent.saturating_sub(kept);
    let mask = (1_u64 << dropped).saturating_sub(1);
    length.saturating_add(mask) & !mask
}

/// The length as four bytes, the content, and zeros. `None` when the content has 2^32 bytes.
pub(crate) fn pad(content: &[u8]) -> Option<Vec<u8>> {
    let length = u32::try_from(content.len()).ok()?;
    let padded = usize::try_from(padded_len(u64::from(length))).ok()?;
    // The tag of the cipher is appended later; room for it saves a copy of secret bytes.
    let mut bytes = Vec::with_capacity(padded.checked_add(16)?);
    bytes.extend(length.to_le_bytes());
    bytes.extend(content);
    bytes.resize(padded, 0);
    Some(bytes)
}

/// The content behind [`pad`]; `None` when the bytes are not what `pad` makes.
pub(crate) fn unpad(mut bytes: Vec<u8>) -> Option<Vec<u8>> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let length = u32::from_le_bytes(*length);
    let (_, zeros) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    let expected = padded_len(u64::from(length));
    if u64::try_from(bytes.len()) != Ok(expected) || zeros.iter().any(|byte| *byte != 0) {
        return None;
    }
    bytes.drain(..4);
    bytes.truncate(usize::try_from(length).ok()?);
    Some(bytes)
}
