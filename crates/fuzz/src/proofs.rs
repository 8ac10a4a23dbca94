//! What a holder of a voucher hands to a verifier.

use proof::checkpoint::SignedCheckpoint;
use proof::note::Note;
use proof::policy::Policy;
use proof::tile::{Tile, decode_entries, encode_entries, encode_tile};
use proof::tlog_proof::TlogProof;
use proof::voucher::Voucher;

/// A C2SP signed note.
pub fn note(bytes: &[u8]) -> bool {
    let Ok(note) = Note::parse(bytes) else { return false };
    assert_eq!(note.encode().as_bytes(), bytes, "a note has one form");
    true
}

/// A C2SP checkpoint with its signatures.
pub fn checkpoint(bytes: &[u8]) -> bool {
    let Ok(checkpoint) = SignedCheckpoint::parse(bytes) else { return false };
    assert_eq!(checkpoint.encode().as_bytes(), bytes, "a checkpoint has one form");
    assert_eq!(checkpoint.checkpoint().text(), checkpoint.note().text());
    true
}

/// A C2SP proof of one entry.
pub fn tlog_proof(bytes: &[u8]) -> bool {
    let Ok(proof) = TlogProof::parse(bytes) else { return false };
    assert_eq!(proof.encode().as_bytes(), bytes, "a proof has one form");
    let _ = proof.check_inclusion(primitives::Hash([7; 32]));
    true
}

/// A voucher: a proof and the fields that its holder opens.
pub fn voucher(bytes: &[u8]) -> bool {
    let Ok(voucher) = Voucher::decode(bytes) else { return false };
    assert_eq!(voucher.encode().as_bytes(), bytes, "a voucher has one form");
    let names: Vec<_> = voucher.openings().iter().map(|one| one.field.name.clone()).collect();
    voucher.show_only(&names).expect("all of its own fields can be shown");
    true
}

/// Whom a holder of vouchers trusts.
pub fn policy(bytes: &[u8]) -> bool {
    let Err(error) = Policy::parse(bytes) else { return true };
    let lines = bytes.split(|byte| *byte == b'\n').count();
    assert!(error.line >= 1 && error.line <= lines, "the line of an error is there");
    false
}

/// The place and the content of a tile: a line of text, then bytes.
pub fn tile(bytes: &[u8]) -> bool {
    let cut = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (path, content) = bytes.split_at(cut);
    let content = content.get(1..).unwrap_or(&[]);
    if let Some(entries) = decode_entries(content) {
        assert_eq!(encode_entries(&entries).as_deref(), Some(content), "entries have one form");
    }
    let Ok(path) = core::str::from_utf8(path) else { return false };
    let Ok(tile) = Tile::from_path(path) else { return false };
    assert_eq!(tile.path(), path, "a tile has one place");
    if let Ok(hashes) = tile.decode(content) {
        assert_eq!(encode_tile(&hashes), content);
    }
    true
}
