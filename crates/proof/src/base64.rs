//! Base64 as RFC 4648 section 4 writes it, with one spelling per value.

use alloc::{string::String, vec::Vec};
use base64ct::{Base64, Encoding};
use primitives::Hash;

/// The bytes as text.
pub(crate) fn encode(bytes: &[u8]) -> String {
    Base64::encode_string(bytes)
}

/// The bytes behind the text, if it is the text that [`encode`] writes for them.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let bytes = Base64::decode_vec(text).ok()?;
    // Spare bits behind the last byte would give one value several spellings.
    (encode(&bytes) == text).then_some(bytes)
}

/// The hash behind the text.
pub(crate) fn decode_hash(text: &str) -> Option<Hash> {
    decode(text)?.try_into().ok().map(Hash)
}

/// A decimal number without sign or leading zeros.
pub(crate) fn decode_number(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let canonical = text == "0" || !text.starts_with('0');
    if plain && canonical { text.parse().ok() } else { None }
}
