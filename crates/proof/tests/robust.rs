//! Whatever comes in from outside is read in one way or refused, and never stops the program.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod common;

use common::{Log, log_signer, sign, voucher, witnesses};
use primitives::Hash;
use proof::{
    checkpoint::SignedCheckpoint,
    note::{Note, NoteSigner},
    policy::{Policy, policy_text},
    tile::Tile,
    tlog_proof::TlogProof,
    voucher::Voucher,
};
use proptest::prelude::*;

/// What every reader must do with any bytes: refuse them, or give back exactly them.
fn read_all(bytes: &[u8]) {
    if let Ok(note) = Note::parse(bytes) {
        assert_eq!(note.encode().as_bytes(), bytes);
    }
    if let Ok(checkpoint) = SignedCheckpoint::parse(bytes) {
        assert_eq!(checkpoint.encode().as_bytes(), bytes);
        assert_eq!(checkpoint.checkpoint().text(), checkpoint.note().text());
    }
    if let Ok(proof) = TlogProof::parse(bytes) {
        assert_eq!(proof.encode().as_bytes(), bytes);
    }
    if let Ok(voucher) = Voucher::decode(bytes) {
        assert_eq!(voucher.encode().as_bytes(), bytes);
    }
    if let Err(error) = Policy::parse(bytes) {
        assert!(error.line >= 1 && error.line <= bytes.split(|byte| *byte == b'\n').count());
    }
    if let Ok(path) = core::str::from_utf8(bytes)
        && let Ok(tile) = Tile::from_path(path)
    {
        assert_eq!(tile.path(), path);
    }
}

/// Texts that the readers accept, to be bent.
fn texts() -> Vec<Vec<u8>> {
    let keys = witnesses().map(|witness| witness.key().clone());
    vec![
        voucher(&[1, 3]).encode().into_bytes(),
        voucher(&[]).export_proof().into_bytes(),
        sign(&Log(vec![Hash([7; 32]); 3])).encode().into_bytes(),
        policy_text(log_signer().key(), &keys, 2).into_bytes(),
        b"tile/0/x001/x234/067.p/8".to_vec(),
    ]
}

proptest! {
    #[test]
    fn any_bytes_are_refused_or_read_in_one_way(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        read_all(&bytes);
    }

    #[test]
    fn any_bent_text_is_refused_or_read_in_one_way(
        choice in 0..5_usize,
        cut in any::<prop::sample::Index>(),
        removed in 0..40_usize,
        inserted in prop::collection::vec(prop_oneof![any::<u8>(), Just(b'\n'), Just(b' ')], 0..8),
    ) {
        let mut text = texts().swap_remove(choice);
        let start = cut.index(text.len() + 1);
        let end = (start + removed).min(text.len());
        text.splice(start..end, inserted);
        read_all(&text);
    }
}
