//! Envelopes: who can open what, when, and that every change is noticed.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use hpke::{
    Deserializable, Kem, OpModeR, aead::ChaCha20Poly1305, kdf::HkdfSha256, kem::X25519HkdfSha256,
    single_shot_open,
};
use primitives::{Hash, Text, Timestamp, VisitId};
use proptest::prelude::*;
use vault::{
    BillContent, Envelope, EnvelopeContext, EnvelopeError, Grant, GrantedKey, ReaderKey,
    ReaderSecret,
    bill::{BILL_BYTES_MAX, SUMS_BYTES_MAX},
    commit_bill,
    envelope::{CONTENT_BYTES_MAX, ENVELOPE_BYTES_MAX, READERS_MAX},
    grant::GRANTED_KEY_BYTES_MAX,
    padding::{PADDED_BYTES_MIN, padded_len},
    randomness,
};

const NOW: Timestamp = Timestamp::from_millis(1_774_944_300_000);

fn secret(number: u8) -> ReaderSecret {
    ReaderSecret::from_seed(&[number; 32])
}

fn keys(numbers: std::ops::Range<u8>) -> Vec<ReaderKey> {
    numbers.map(|number| secret(number).key()).collect()
}

fn content() -> BillContent {
    BillContent {
        salt: [0x5a; 32],
        bill: b"line 1: bed, 3 days".to_vec(),
        sums: b"in policy 87635".to_vec(),
    }
}

fn context() -> EnvelopeContext {
    EnvelopeContext { visit: VisitId([7; 16]), commitment: content().commitment() }
}

/// The bill, sealed for provider, payer and person (secrets 1 to 3).
fn sealed() -> Envelope {
    let bytes = content().encode().unwrap();
    Envelope::seal(&bytes, &context(), &keys(1..4), &mut randomness([9; 32])).unwrap()
}

fn grant(number: u8, until: u64) -> Grant {
    Grant {
        reader: secret(number).key(),
        purpose: Text::new("random audit 2026-03").unwrap(),
        valid_until: NOW.plus_millis(until),
    }
}

#[test]
fn every_reader_opens_the_bill_and_nobody_else_does() {
    let envelope = Envelope::decode(&sealed().encode()).unwrap();
    assert_eq!(envelope, sealed());
    assert_eq!(envelope.reader_count(), 3);
    for number in 1..4 {
        let bill = envelope.open_bill(&secret(number), &context(), NOW).unwrap();
        assert_eq!(bill, content());
        assert!(envelope.is_for(&secret(number).key()));
    }
    let refused = envelope.open(&secret(4), &context(), NOW);
    assert_eq!(refused, Err(EnvelopeError::NotAReader));
    assert!(!envelope.is_for(&secret(4).key()));
}

#[test]
fn the_stored_bytes_show_neither_content_nor_readers() {
    let bytes = sealed().encode();
    let mut hidden = vec![content().salt.to_vec(), content().bill, content().sums];
    hidden.extend(keys(1..4).into_iter().map(|key| key.0.to_vec()));
    hidden.push(context().commitment.0.to_vec());
    for part in hidden {
        assert!(!bytes.windows(part.len()).any(|window| window == part));
    }
    let other = Envelope::seal(
        &content().encode().unwrap(),
        &context(),
        &keys(1..4),
        &mut randomness([10; 32]),
    )
    .unwrap();
    let other = other.encode();
    // Two envelopes of one bill for the same readers have no sixteen bytes in common but zeros.
    for window in bytes.windows(16).filter(|window| window.iter().any(|byte| *byte != 0)) {
        assert!(!other.windows(16).any(|same| same == window));
    }
}

#[test]
fn an_envelope_opens_for_its_own_visit_and_commitment_only() {
    let envelope = sealed();
    let other_visit = EnvelopeContext { visit: VisitId([8; 16]), ..context() };
    let other_bill = EnvelopeContext { commitment: Hash([1; 32]), ..context() };
    for wrong in [other_visit, other_bill] {
        let refused = envelope.open(&secret(1), &wrong, NOW);
        assert_eq!(refused, Err(EnvelopeError::Tampered));
    }
}

#[test]
fn a_sealed_bill_that_is_not_the_committed_one_is_refused() {
    let lie = BillContent { bill: b"line 1: bed, 4 days".to_vec(), ..content() };
    let bytes = lie.encode().unwrap();
    let envelope =
        Envelope::seal(&bytes, &context(), &keys(1..2), &mut randomness([9; 32])).unwrap();
    assert_eq!(envelope.open(&secret(1), &context(), NOW), Ok(bytes));
    let refused = envelope.open_bill(&secret(1), &context(), NOW);
    assert_eq!(refused, Err(EnvelopeError::Commitment));
    let noise =
        Envelope::seal(b"not a bill", &context(), &keys(1..2), &mut randomness([9; 32])).unwrap();
    let refused = noise.open_bill(&secret(1), &context(), NOW);
    assert_eq!(refused, Err(EnvelopeError::Form));
}

#[test]
fn a_grant_opens_until_its_last_instant() {
    let mut envelope = sealed();
    let size = envelope.encode().len();
    let random = &mut randomness([11; 32]);
    envelope.grant(&secret(2), &context(), &grant(20, 1_000), NOW, random).unwrap();
    let envelope = Envelope::decode(&envelope.encode()).unwrap();
    assert!(envelope.encode().len() < size + 200, "the content is not stored again");
    let open = |later| envelope.open_bill(&secret(20), &context(), NOW.plus_millis(later));
    assert_eq!(open(0), Ok(content()));
    assert_eq!(open(1_000), Ok(content()));
    let ended = EnvelopeError::Expired { valid_until: NOW.plus_millis(1_000) };
    assert_eq!(open(1_001), Err(ended));
    assert_eq!(ended.to_string(), "the grant ended at 2026-03-31T08:05:01.000Z; ask for a new one");
    for number in 1..4 {
        let late = NOW.plus_millis(u64::MAX);
        assert_eq!(envelope.open_bill(&secret(number), &context(), late), Ok(content()));
    }
}

#[test]
fn a_second_grant_takes_the_place_of_the_first() {
    let mut envelope = sealed();
    let random = &mut randomness([11; 32]);
    envelope.grant(&secret(1), &context(), &grant(20, 1_000), NOW, random).unwrap();
    envelope.grant(&secret(3), &context(), &grant(20, 9_000), NOW, random).unwrap();
    assert_eq!(envelope.reader_count(), 4);
    let later = NOW.plus_millis(5_000);
    assert_eq!(envelope.open_bill(&secret(20), &context(), later), Ok(content()));
    envelope.grant(&secret(3), &context(), &grant(20, 0), NOW, random).unwrap();
    assert!(envelope.open(&secret(20), &context(), NOW).is_ok());
    let ended = Err(EnvelopeError::Expired { valid_until: NOW });
    assert_eq!(envelope.open(&secret(20), &context(), NOW.plus_millis(1)), ended);
}

#[test]
fn only_a_first_reader_grants_and_only_what_makes_sense() {
    let mut envelope = sealed();
    let random = &mut randomness([11; 32]);
    envelope.grant(&secret(1), &context(), &grant(20, 1_000), NOW, random).unwrap();
    let before = envelope.clone();
    let mut refused = |opener, wanted: &Grant, now| {
        let context = context();
        envelope.grant(&secret(opener), &context, wanted, now, random).unwrap_err()
    };
    assert_eq!(refused(20, &grant(21, 500), NOW), EnvelopeError::GranteeMayNotGrant);
    let late = NOW.plus_millis(1_001);
    assert!(matches!(refused(20, &grant(21, 9_000), late), EnvelopeError::Expired { .. }));
    assert_eq!(refused(5, &grant(21, 500), NOW), EnvelopeError::NotAReader);
    assert_eq!(refused(1, &grant(21, 500), late), EnvelopeError::GrantInThePast);
    let again = EnvelopeError::DuplicateReader(secret(2).key());
    assert_eq!(refused(1, &grant(2, 500), NOW), again);
    let no_key = Grant { reader: ReaderKey([0; 32]), ..grant(21, 500) };
    assert_eq!(refused(1, &no_key, NOW), EnvelopeError::ReaderKey(ReaderKey([0; 32])));
    assert_eq!(envelope, before, "a refused grant leaves the envelope as it was");
}

#[test]
fn a_revoked_reader_cannot_open_what_is_stored_from_then_on_but_an_older_copy() {
    let mut envelope = sealed();
    let random = &mut randomness([11; 32]);
    envelope.grant(&secret(1), &context(), &grant(20, 1_000), NOW, random).unwrap();
    let copy = envelope.encode();
    assert!(envelope.revoke(&secret(20).key()));
    assert!(envelope.revoke(&secret(3).key()));
    assert!(!envelope.revoke(&secret(3).key()), "there is nothing left to revoke");
    for number in [3, 20] {
        let refused = envelope.open(&secret(number), &context(), NOW);
        assert_eq!(refused, Err(EnvelopeError::NotAReader));
        // This is why the documentation promises no more.
        let older = Envelope::decode(&copy).unwrap();
        assert!(older.open(&secret(number), &context(), NOW).is_ok());
    }
    assert_eq!(envelope.open_bill(&secret(1), &context(), NOW), Ok(content()));
    assert_eq!(envelope, {
        let mut same = sealed();
        same.revoke(&secret(3).key());
        same
    });
}

#[test]
fn a_grantee_cannot_move_the_deadline_of_the_stored_envelope() {
    let mut envelope = sealed();
    let random = &mut randomness([11; 32]);
    envelope.grant(&secret(1), &context(), &grant(20, 1_000), NOW, random).unwrap();
    let bytes = envelope.encode();
    let deadline = NOW.plus_millis(1_000).millis().to_le_bytes();
    let place = bytes.windows(8).position(|window| window == deadline).unwrap();
    let mut later = bytes.clone();
    later[place..place + 8].copy_from_slice(&u64::MAX.to_le_bytes());
    let moved = Envelope::decode(&later).unwrap();
    assert_eq!(moved.open(&secret(20), &context(), NOW), Err(EnvelopeError::Tampered));
    let mut purpose = bytes.clone();
    let start = bytes.windows(6).position(|window| window == b"random").unwrap();
    purpose[start] = b'R';
    let renamed = Envelope::decode(&purpose).unwrap();
    assert_eq!(renamed.open(&secret(20), &context(), NOW), Err(EnvelopeError::Tampered));
}

#[test]
fn every_changed_byte_shuts_the_envelope() {
    let bytes = content().encode().unwrap();
    let mut envelope =
        Envelope::seal(&bytes, &context(), &keys(1..2), &mut randomness([9; 32])).unwrap();
    let random = &mut randomness([11; 32]);
    envelope.grant(&secret(1), &context(), &grant(20, 1_000), NOW, random).unwrap();
    assert!(envelope.revoke(&secret(1).key()), "so that all that is left matters to one reader");
    let good = envelope.encode();
    let open = |bytes: &[u8]| Envelope::decode(bytes)?.open(&secret(20), &context(), NOW);
    assert!(open(&good).is_ok());
    for place in 0..good.len() {
        for mask in [1, 2, 4, 8, 16, 32, 64, 128, 255] {
            let mut bent = good.clone();
            bent[place] ^= mask;
            assert!(open(&bent).is_err(), "byte {place} of {}, bits {mask:08b}", good.len());
        }
    }
    for end in 0..good.len() {
        assert!(open(&good[..end]).is_err(), "cut at {end}");
    }
    assert!(open(&[&good[..], &[0]].concat()).is_err());
}

#[test]
fn another_readers_damage_does_not_shut_out_the_others() {
    let good = sealed().encode();
    let opens = |bytes: &[u8], number| {
        Envelope::decode(bytes).and_then(|envelope| envelope.open(&secret(number), &context(), NOW))
    };
    // The wraps start behind version, nonce, key commitment and their count.
    let start = 2 + 24 + 32 + 4;
    let one = 16 + 1 + 32 + 48;
    for place in 0..3 {
        let mut bent = good.clone();
        bent[start + place * one + one - 1] ^= 1;
        let open = (1..4).filter(|number| opens(&bent, *number).is_ok()).count();
        assert_eq!(open, 2);
    }
}

#[test]
fn what_cannot_be_sealed_is_refused_with_its_reason() {
    let seal = |content: &[u8], readers: &[ReaderKey]| {
        Envelope::seal(content, &context(), readers, &mut randomness([9; 32]))
    };
    assert_eq!(seal(b"x", &[]), Err(EnvelopeError::NoReaders));
    let most = u8::try_from(READERS_MAX).unwrap();
    assert_eq!(seal(b"x", &keys(0..most)).unwrap().reader_count(), READERS_MAX);
    assert_eq!(seal(b"x", &keys(0..most + 1)), Err(EnvelopeError::TooManyReaders));
    let mut full = seal(b"x", &keys(0..most)).unwrap();
    let random = &mut randomness([11; 32]);
    let refused = full.grant(&secret(0), &context(), &grant(200, 1), NOW, random);
    assert_eq!(refused, Err(EnvelopeError::TooManyReaders));
    let twice = [secret(1).key(), secret(2).key(), secret(1).key()];
    assert_eq!(seal(b"x", &twice), Err(EnvelopeError::DuplicateReader(secret(1).key())));
    // Points of small order, with which everybody could compute the shared secret.
    for weak in [[0; 32], core::array::from_fn(|place| u8::from(place == 0))] {
        let weak = ReaderKey(weak);
        assert_eq!(seal(b"x", &[weak]), Err(EnvelopeError::ReaderKey(weak)));
    }
}

#[test]
fn the_longest_bill_fits_and_one_byte_more_does_not() {
    let longest = BillContent {
        salt: [1; 32],
        bill: vec![0xab; BILL_BYTES_MAX],
        sums: vec![0xcd; SUMS_BYTES_MAX],
    };
    let bytes = longest.encode().unwrap();
    assert!(bytes.len() <= CONTENT_BYTES_MAX);
    let context = EnvelopeContext { commitment: longest.commitment(), ..context() };
    let seal =
        |bytes: &[u8]| Envelope::seal(bytes, &context, &keys(0..64), &mut randomness([9; 32]));
    let stored = seal(&bytes).unwrap().encode();
    assert!(stored.len() <= ENVELOPE_BYTES_MAX);
    let envelope = Envelope::decode(&stored).unwrap();
    assert_eq!(envelope.open_bill(&secret(63), &context, NOW), Ok(longest.clone()));
    let too_large = |bytes_max| EnvelopeError::TooLarge { bytes_max };
    let bill = BillContent { bill: vec![0; BILL_BYTES_MAX + 1], ..longest.clone() };
    assert_eq!(bill.encode(), Err(too_large(BILL_BYTES_MAX)));
    let sums = BillContent { sums: vec![0; SUMS_BYTES_MAX + 1], ..longest };
    assert_eq!(sums.encode(), Err(too_large(SUMS_BYTES_MAX)));
    let full = vec![0; CONTENT_BYTES_MAX];
    assert!(Envelope::decode(&seal(&full).unwrap().encode()).is_ok());
    let over = vec![0; CONTENT_BYTES_MAX + 1];
    assert_eq!(seal(&over), Err(too_large(CONTENT_BYTES_MAX)));
    let file = vec![1; ENVELOPE_BYTES_MAX + 1];
    assert_eq!(Envelope::decode(&file), Err(too_large(ENVELOPE_BYTES_MAX)));
}

#[test]
fn a_newer_form_and_foreign_bytes_are_named() {
    let mut newer = sealed().encode();
    newer[0] = 2;
    assert_eq!(Envelope::decode(&newer), Err(EnvelopeError::Version(2)));
    for foreign in [&b""[..], b"\x01", b"\x01\0", b"\x01\0short"] {
        assert_eq!(Envelope::decode(foreign), Err(EnvelopeError::Form));
    }
    // The wraps in another order would be a second encoding of the same envelope.
    let good = sealed().encode();
    let (start, one) = (2 + 24 + 32 + 4, 16 + 1 + 32 + 48);
    let mut turned = good.clone();
    turned[start..start + one].copy_from_slice(&good[start + one..start + 2 * one]);
    turned[start + one..start + 2 * one].copy_from_slice(&good[start..start + one]);
    assert_eq!(Envelope::decode(&turned), Err(EnvelopeError::Form));
    // More wraps than allowed.
    let mut wraps = Vec::new();
    for number in 0..65_u8 {
        let mut wrap = vec![0; one];
        wrap[0] = number;
        wraps.extend(wrap);
    }
    let many = [&good[..start - 4], &65_u32.to_le_bytes(), &wraps, &0_u32.to_le_bytes()].concat();
    assert_eq!(Envelope::decode(&many), Err(EnvelopeError::Form));
}

#[test]
fn the_commitment_binds_salt_bill_and_sums() {
    let commitment = commit_bill(&[1; 32], b"bill", b"sums");
    // Computed apart from this code, with Python's `hashlib`.
    let expected = "8d07adcd3bb17da86ee54ebec5f7dfcac175e00d3539902f723aa7711ccc1ac5";
    assert_eq!(commitment.to_string(), expected);
    for other in [
        commit_bill(&[2; 32], b"bill", b"sums"),
        commit_bill(&[1; 32], b"bilk", b"sums"),
        commit_bill(&[1; 32], b"bill", b"sumt"),
        commit_bill(&[1; 32], b"bills", b"ums"),
        commit_bill(&[1; 32], b"billsums", b""),
    ] {
        assert_ne!(commitment, other);
    }
    assert_eq!(format!("{:?}", content()), "BillContent(19 + 15 bytes)");
}

#[test]
fn reader_keys_come_from_seeds_as_rfc_9180_says_and_have_one_spelling() {
    // RFC 9180, appendix A.2.1: ikmR and pkRm.
    let seed = "1ac01f181fdf9f352797655161c58b75c656a6cc2716dcb66372da835542e1df";
    let key = "4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a";
    let mut ikm = [0; 32];
    hex::decode_to_slice(seed, &mut ikm).unwrap();
    let secret = ReaderSecret::from_seed(&ikm);
    assert_eq!(secret.key().to_string(), key);
    assert_eq!(key.parse(), Ok(secret.key()));
    assert_eq!(format!("{secret:?}"), format!("ReaderSecret(of {key})"));
    for wrong in ["", &key[2..], &key.to_uppercase(), &key.replace('4', "g")] {
        assert!(wrong.parse::<ReaderKey>().is_err(), "{wrong}");
    }
    let json = serde_json::to_string(&secret.key()).unwrap();
    assert_eq!(serde_json::from_str::<ReaderKey>(&json).unwrap(), secret.key());
}

#[test]
fn the_suite_that_wraps_keys_passes_the_vector_of_rfc_9180() {
    // Appendix A.2.1, base mode, sequence number 0.
    let hex = |text: &str| hex::decode(text).unwrap();
    let ikm = hex("1ac01f181fdf9f352797655161c58b75c656a6cc2716dcb66372da835542e1df");
    let (secret, _) = X25519HkdfSha256::derive_keypair(&ikm);
    let enc = hex("1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a");
    let sealed = hex("1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db\
         21993c62ce81883d2dd1b51a28");
    let opened = single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeR::Base,
        &secret,
        &Deserializable::from_bytes(&enc).unwrap(),
        &hex("4f6465206f6e2061204772656369616e2055726e"),
        &sealed,
        &hex("436f756e742d30"),
    );
    assert_eq!(opened.unwrap(), b"Beauty is truth, truth beauty");
}

#[test]
fn padding_hides_the_length_at_little_cost() {
    assert_eq!(padded_len(0), PADDED_BYTES_MIN);
    assert_eq!(padded_len(508), 512);
    assert_eq!(padded_len(509), 544);
    let mut before = 0;
    let mut lengths = 0;
    for content in 0..200_000_u64 {
        let padded = padded_len(content);
        assert!(padded >= before && padded >= content + 4);
        if content > PADDED_BYTES_MIN {
            assert!(padded * 100 <= (content + 4) * 112, "{content} becomes {padded}");
        }
        lengths += u32::from(padded > before);
        before = padded;
    }
    assert!(lengths < 170, "200,000 lengths look like {lengths}");
    // Bills whose lengths are alike are stored in equally many bytes.
    let size = |length: usize| {
        let content = vec![7; length];
        let keys = keys(1..3);
        let sealed = Envelope::seal(&content, &context(), &keys, &mut randomness([9; 32]));
        sealed.unwrap().encode().len()
    };
    assert_eq!(size(0), size(508));
    assert_eq!(size(100_000), size(100_300));
    assert!(size(508) < size(509));
}

proptest! {
    #[test]
    fn any_content_comes_back(
        content in prop::collection::vec(any::<u8>(), 0..5_000),
        seed in any::<[u8; 32]>(),
    ) {
        let random = &mut randomness(seed);
        let envelope = Envelope::seal(&content, &context(), &keys(1..2), random).unwrap();
        let stored = Envelope::decode(&envelope.encode()).unwrap();
        prop_assert_eq!(stored.open(&secret(1), &context(), NOW), Ok(content));
    }

    #[test]
    fn any_bytes_are_refused_or_read_in_one_way(
        cut in any::<prop::sample::Index>(),
        removed in 0..60_usize,
        inserted in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        let mut bytes = sealed().encode();
        let start = cut.index(bytes.len() + 1);
        let end = (start + removed).min(bytes.len());
        bytes.splice(start..end, inserted);
        if let Ok(envelope) = Envelope::decode(&bytes) {
            prop_assert_eq!(envelope.encode(), bytes);
        }
    }
}

#[test]
fn a_granted_key_travels_alone_and_opens_the_stored_envelope() {
    let mut stored = sealed();
    let random = &mut randomness([11; 32]);
    let granted = sealed().grant_key(&secret(1), &context(), &grant(20, 1_000), NOW, random);
    let granted = granted.unwrap();
    assert_eq!(GrantedKey::decode(&granted.encode()), Ok(granted.clone()));
    assert_eq!(granted.valid_until(), NOW.plus_millis(1_000));
    stored.add_grant(granted.clone()).unwrap();
    stored.add_grant(granted).unwrap();
    assert_eq!(stored.reader_count(), 4);
    assert_eq!(stored.open_bill(&secret(20), &context(), NOW), Ok(content()));
    let bytes = vec![0; GRANTED_KEY_BYTES_MAX + 1];
    assert_eq!(GrantedKey::decode(&bytes), Err(EnvelopeError::Form));
    assert_eq!(GrantedKey::decode(b"no key"), Err(EnvelopeError::Form));
}

#[test]
fn a_granted_key_takes_no_first_readers_place_and_opens_no_other_envelope() {
    let mut stored = sealed();
    let random = &mut randomness([11; 32]);
    let for_first = sealed().grant_key(&secret(1), &context(), &grant(2, 9), NOW, random).unwrap();
    let refused = Err(EnvelopeError::DuplicateReader(secret(2).key()));
    assert_eq!(stored.add_grant(for_first), refused);
    assert!(!stored.revoke_grant(&secret(2).key()), "a first reader is no grantee");
    assert_eq!(stored, sealed());
    // Another envelope of the same bill has another key.
    let readers = [secret(1).key()];
    let bytes = content().encode().unwrap();
    let mut other =
        Envelope::seal(&bytes, &context(), &readers, &mut randomness([12; 32])).unwrap();
    let granted = stored.grant_key(&secret(1), &context(), &grant(20, 9), NOW, random).unwrap();
    other.add_grant(granted).unwrap();
    let opened = other.open(&secret(20), &context(), NOW);
    assert_eq!(opened, Err(EnvelopeError::Tampered));
}

#[test]
fn ended_grants_are_dropped_and_first_readers_stay() {
    let mut envelope = sealed();
    let random = &mut randomness([11; 32]);
    envelope.grant(&secret(1), &context(), &grant(20, 1_000), NOW, random).unwrap();
    envelope.grant(&secret(1), &context(), &grant(21, 2_000), NOW, random).unwrap();
    assert_eq!(envelope.drop_ended(NOW.plus_millis(1_000)), 0);
    assert_eq!(envelope.drop_ended(NOW.plus_millis(1_001)), 1);
    assert!(!envelope.is_for(&secret(20).key()));
    assert!(envelope.is_for(&secret(21).key()));
    assert_eq!(envelope.drop_ended(NOW.plus_millis(u64::MAX)), 1);
    assert_eq!(envelope, sealed());
}
