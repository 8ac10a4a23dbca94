//! Lists with a bound, read from borsh without trusting the length that the input claims.

use alloc::vec::Vec;
use borsh::{
    BorshDeserialize,
    io::{Error, ErrorKind, Read, Result},
};

/// Reads a list of at most `MAX` elements; the bound is checked before anything is allocated.
pub(crate) fn read<T: BorshDeserialize, const MAX: u32, R: Read>(reader: &mut R) -> Result<Vec<T>> {
    let count = u32::deserialize_reader(reader)?;
    if count > MAX {
        return Err(Error::new(ErrorKind::InvalidData, "a list is longer than allowed"));
    }
    (0..count).map(|_| T::deserialize_reader(reader)).collect()
}

/// Reads a length and that many bytes, `max` at the most.
pub(crate) fn read_bytes<R: Read>(reader: &mut R, max: usize) -> Result<Vec<u8>> {
    let count = u32::deserialize_reader(reader)?;
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    if count > max {
        return Err(Error::new(ErrorKind::InvalidData, "a text is longer than allowed"));
    }
    let mut bytes = alloc::vec![0_u8; count];
    reader.read_exact(&mut bytes)?;
    Ok(bytes)
}
