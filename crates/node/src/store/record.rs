//! How a block lies in a segment of the log, and how a torn record differs from a damaged one.
//!
//! A segment is a header and then records, each at a multiple of 16 bytes, then zeros:
//!
//! | header | bytes | record | bytes |
//! |---|---|---|---|
//! | `yibao block log1` | 16 | `yb-block` | 8 |
//! | key of the checksums | 32 | height | 8 |
//! | height of the first record | 8 | length of the payload | 8 |
//! | BLAKE3 of the above | 32 | keyed BLAKE3 of the above, cut off | 8 |
//! | zeros up to 96 | 8 | keyed BLAKE3 of the above and the payload | 32 |
//! | | | payload, then zeros, then `end-blk.` | to a multiple of 16 |
//!
//! Numbers are little-endian. The key is secret to the node, so that nobody can put bytes into a
//! transaction that look like a record.
//!
//! A record is **torn** when the node died while writing it: since the place held zeros and a disk
//! writes whole sectors, some sector of it still is zero. Nobody was told of such a block. Any
//! other fault is **damage** to a block that may have been acknowledged, and is never cut off.

use std::io;

/// The most bytes of a record's payload: a block of 1 MiB and its certificate, with room.
pub(super) const PAYLOAD_BYTES_MAX: u64 = 4 << 20;
/// Where the first record of a segment begins.
pub(super) const SEGMENT_HEADER_BYTES: u64 = 96;
/// Bytes before the payload.
pub(super) const RECORD_HEADER_BYTES: u64 = 64;

const SEGMENT_MAGIC: &[u8; 16] = b"yibao block log1";
const RECORD_MAGIC: &[u8; 8] = b"yb-block";
const RECORD_END: &[u8; 8] = b"end-blk.";
const ALIGNMENT: u64 = 16;
/// The smallest unit that disks write in one piece.
const SECTOR_BYTES: usize = 512;

/// What the first bytes of a segment say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SegmentHeader {
    pub(super) key: [u8; 32],
    pub(super) first_height: u64,
}

/// Whether these first bytes are those of a block log in a form that is not ours: its magic names
/// another number. Damage of the number looks the same, and the remedy is good for both.
pub(super) fn is_of_another_version(bytes: &[u8]) -> bool {
    let (family, number) = SEGMENT_MAGIC.split_at(SEGMENT_MAGIC.len() - 1);
    bytes.starts_with(family) && !bytes[family.len()..].starts_with(number)
}

impl SegmentHeader {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = [&SEGMENT_MAGIC[..], &self.key, &self.first_height.to_le_bytes()].concat();
        let checksum = blake3::hash(&bytes);
        bytes.extend(checksum.as_bytes());
        bytes.resize(SEGMENT_HEADER_BYTES as usize, 0);
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let key = bytes.get(16..48)?.try_into().ok()?;
        let first_height = u64::from_le_bytes(bytes.get(48..56)?.try_into().ok()?);
        let header = Self { key, first_height };
        (header.encode() == bytes).then_some(header)
    }
}

/// Where the next record begins after one with a payload this long.
pub(super) fn record_bytes(payload: u64) -> u64 {
    (RECORD_HEADER_BYTES + payload + RECORD_END.len() as u64).next_multiple_of(ALIGNMENT)
}

pub(super) fn encode(key: &[u8; 32], height: u64, payload: &[u8]) -> io::Result<Vec<u8>> {
    let length = payload.len() as u64;
    if length > PAYLOAD_BYTES_MAX {
        let reason = format!("block {height} has {length} bytes, more than {PAYLOAD_BYTES_MAX}");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
    }
    let total = record_bytes(length) as usize;
    let mut bytes = Vec::with_capacity(total);
    bytes.extend(start(key, height, length));
    bytes.extend(checksum(key, &bytes, payload));
    bytes.extend(payload);
    bytes.resize(total - RECORD_END.len(), 0);
    bytes.extend(RECORD_END);
    Ok(bytes)
}

/// What the bytes at the place of the record of this height are.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found<'a> {
    /// The record, with as many bytes as [`record_bytes`] says.
    Payload(&'a [u8]),
    /// Zeros: nothing was ever written here.
    Nothing,
    /// Bytes that some sector is missing from.
    Torn,
    /// Bytes that no interrupted write leaves behind, with what is wrong.
    Damaged(&'static str),
}

/// The length of the payload that a record header tells, when it is one for this height.
pub(super) fn payload_length(key: &[u8; 32], header: &[u8], height: u64) -> Option<u64> {
    let length = u64::from_le_bytes(header.get(16..24)?.try_into().ok()?);
    let sound = header.starts_with(&start(key, height, length)) && length <= PAYLOAD_BYTES_MAX;
    sound.then_some(length)
}

/// The first 32 bytes of a record: with a check of their own, since a wrong length would make a
/// damaged record look like a torn one.
fn start(key: &[u8; 32], height: u64, length: u64) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(RECORD_MAGIC);
    bytes[8..16].copy_from_slice(&height.to_le_bytes());
    bytes[16..24].copy_from_slice(&length.to_le_bytes());
    let check = blake3::keyed_hash(key, &bytes[..24]);
    bytes[24..].copy_from_slice(&check.as_bytes()[..8]);
    bytes
}

/// Reads the record of this height at the start of `rest`, which is all that the segment has from
/// `offset` on.
pub(super) fn find<'a>(key: &[u8; 32], height: u64, offset: u64, rest: &'a [u8]) -> Found<'a> {
    let header_bytes = (RECORD_HEADER_BYTES as usize).min(rest.len());
    let (header, _) = rest.split_at(header_bytes);
    if header.iter().all(|byte| *byte == 0) {
        let empty = rest.iter().all(|byte| *byte == 0);
        return if empty { Found::Nothing } else { Found::Torn };
    }
    let Some(length) = payload_length(key, header, height) else {
        let torn = has_zero_sector(offset, header);
        return if torn {
            Found::Torn
        } else {
            Found::Damaged("its first bytes are none of a block")
        };
    };
    let total = record_bytes(length) as usize;
    let Some(record) = rest.get(..total) else { return Found::Torn };
    match check(key, record, length as usize) {
        Some(payload) => Found::Payload(payload),
        None if has_zero_sector(offset, record) => Found::Torn,
        None => Found::Damaged("its checksum is wrong"),
    }
}

/// The payload of a whole record, when checksum and end are right.
pub(super) fn check<'a>(key: &[u8; 32], record: &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (header, rest) = record.split_at_checked(RECORD_HEADER_BYTES as usize)?;
    let payload = rest.get(..length)?;
    let (start, sum) = header.split_at_checked(32)?;
    let sound = sum == checksum(key, start, payload) && record.ends_with(RECORD_END);
    sound.then_some(payload)
}

/// Whether a sound record of any later height lies somewhere in these bytes, which begin at a
/// multiple of the alignment. Then what comes before it was complete once.
pub(super) fn later_record(key: &[u8; 32], height: u64, rest: &[u8]) -> Option<u64> {
    let starts = (0..rest.len()).step_by(ALIGNMENT as usize);
    let at_magic =
        starts.filter_map(|start| rest.get(start..)).filter(|at| at.starts_with(RECORD_MAGIC));
    at_magic
        .filter_map(|at| {
            let own = u64::from_le_bytes(at.get(8..16)?.try_into().ok()?);
            let length = payload_length(key, at, own).filter(|_| own > height)?;
            let record = at.get(..record_bytes(length) as usize)?;
            check(key, record, length as usize).map(|_| own)
        })
        .next()
}

fn checksum(key: &[u8; 32], start: &[u8], payload: &[u8]) -> [u8; 32] {
    *blake3::Hasher::new_keyed(key).update(start).update(payload).finalize().as_bytes()
}

/// Whether the part of these bytes within some sector of the disk is zero throughout.
fn has_zero_sector(offset: u64, bytes: &[u8]) -> bool {
    let to_boundary = SECTOR_BYTES - (offset as usize % SECTOR_BYTES);
    let (first, rest) = bytes.split_at(to_boundary.min(bytes.len()));
    let is_zero = |part: &[u8]| part.iter().all(|byte| *byte == 0);
    is_zero(first) || rest.chunks(SECTOR_BYTES).any(is_zero)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = [9; 32];

    fn place(record: &[u8]) -> Vec<u8> {
        let mut bytes = record.to_vec();
        bytes.resize(record.len() + 4_096, 0);
        bytes
    }

    #[test]
    fn a_record_is_found_again_and_no_other_height_is_taken_for_it() {
        for length in [0, 1, 7, 8, 9, 439, 440, 441, 5_000] {
            let payload = vec![7; length];
            let record = encode(&KEY, 3, &payload).unwrap();
            assert_eq!(record.len() % 16, 0);
            assert_eq!(find(&KEY, 3, 96, &place(&record)), Found::Payload(&payload));
            assert!(matches!(find(&KEY, 4, 96, &place(&record)), Found::Damaged(_)));
            assert!(matches!(find(&[8; 32], 3, 96, &place(&record)), Found::Damaged(_)));
        }
        assert_eq!(find(&KEY, 3, 96, &[0; 100]), Found::Nothing);
        assert_eq!(find(&KEY, 3, 96, &[]), Found::Nothing);
    }

    #[test]
    fn every_way_of_losing_sectors_is_torn_and_every_changed_byte_is_damage() {
        let payload: Vec<u8> = (1..=250).cycle().take(1_700).collect();
        let record = encode(&KEY, 3, &payload).unwrap();
        for offset in [96_u64, 480, 496, 512] {
            let lead = offset as usize % SECTOR_BYTES;
            let sectors = (lead + record.len()).div_ceil(SECTOR_BYTES);
            for lost in 1..(1_usize << sectors) {
                let mut torn = place(&record);
                for (at, byte) in torn.iter_mut().enumerate() {
                    if lost >> ((lead + at) / SECTOR_BYTES).min(63) & 1 == 1 {
                        *byte = 0;
                    }
                }
                let found = find(&KEY, 3, offset, &torn);
                let all = lost == (1 << sectors) - 1;
                assert_eq!(found, if all { Found::Nothing } else { Found::Torn }, "{lost:b}");
            }
            for at in 0..record.len() {
                let mut damaged = place(&record);
                damaged[at] ^= 0x10;
                let found = find(&KEY, 3, offset, &damaged);
                let in_padding = (64 + payload.len()..record.len() - 8).contains(&at);
                let sound = in_padding && matches!(found, Found::Payload(_));
                assert!(sound || matches!(found, Found::Damaged(_)), "{at}: {found:?}");
            }
        }
    }

    #[test]
    fn a_forged_record_inside_a_payload_is_not_taken_for_a_later_one() {
        let forged = encode(&[0; 32], 9, b"never written").unwrap();
        let mut payload = vec![0; 8];
        payload.extend(&forged);
        let record = encode(&KEY, 3, &payload).unwrap();
        assert_eq!(later_record(&KEY, 2, &record), Some(3));
        assert_eq!(later_record(&KEY, 3, &record), None);
    }

    #[test]
    fn a_segment_header_with_one_byte_changed_is_none() {
        let header = SegmentHeader { key: KEY, first_height: 12 };
        let bytes = header.encode();
        assert_eq!(bytes.len() as u64, SEGMENT_HEADER_BYTES);
        assert_eq!(SegmentHeader::decode(&bytes), Some(header));
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert_eq!(SegmentHeader::decode(&changed), None);
        }
        assert_eq!(SegmentHeader::decode(&bytes[..95]), None);
    }
}
