//! Our own vectors: what public ones leave out, and what our definition decides.

use crate::answer;
use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};
use curve25519_dalek::edwards::CompressedEdwardsY;
use curve25519_dalek::scalar::{Scalar, clamp_integer};
use node::signature::{FastVerifier, Scheme, SecretKey, Sm2Backend};
use primitives::{Hash, PublicKey, Signature, SignatureError, Verifier, key::verify, sha256_parts};
use sha2::{Digest, Sha512};

use SignatureError::{InvalidKey, InvalidSignature};

const MESSAGE: &[u8] = b"a settlement of one fen";
const ED25519_ORDER: &str = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
const P256_ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
const SM2_ORDER: &str = "fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123";
const P256_PRIME: &str = "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff";
const SM2_PRIME: &str = "fffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffff";

fn number(hex_digits: &str) -> [u8; 32] {
    hex::decode(hex_digits).unwrap().try_into().unwrap()
}

/// Adds or subtracts big-endian numbers of 32 bytes.
fn add(left: [u8; 32], right: [u8; 32]) -> [u8; 32] {
    let (mut sum, mut carry) = ([0; 32], 0_u16);
    for at in (0..32).rev() {
        let digit = u16::from(left[at]) + u16::from(right[at]) + carry;
        sum[at] = digit.to_le_bytes()[0];
        carry = digit >> 8;
    }
    assert_eq!(carry, 0);
    sum
}

fn subtract(left: [u8; 32], right: [u8; 32]) -> [u8; 32] {
    let (mut difference, mut borrow) = ([0; 32], 0_i16);
    for at in (0..32).rev() {
        let digit = i16::from(left[at]) - i16::from(right[at]) - borrow;
        difference[at] = digit.rem_euclid(256).to_le_bytes()[0];
        borrow = i16::from(digit < 0);
    }
    assert_eq!(borrow, 0);
    difference
}

fn small(value: u8) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[31] = value;
    bytes
}

fn pair(r: [u8; 32], s: [u8; 32]) -> [u8; 64] {
    [r, s].concat().try_into().unwrap()
}

fn halves(signature: [u8; 64]) -> ([u8; 32], [u8; 32]) {
    (signature[..32].try_into().unwrap(), signature[32..].try_into().unwrap())
}

fn key(scheme: Scheme) -> SecretKey {
    SecretKey::from_seed(scheme, &[7; 32])
}

#[test]
fn every_scheme_signs_what_both_backends_accept() {
    for scheme in [Scheme::Ed25519, Scheme::P256, Scheme::Sm2] {
        let key = key(scheme);
        let signature = key.sign_raw(MESSAGE);
        assert_eq!(answer(&key.public_key(), MESSAGE, &signature), Ok(()));
        let other = answer(&key.public_key(), b"a settlement of two fen", &signature);
        assert_eq!(other, Err(InvalidSignature));
        let stranger = SecretKey::from_seed(scheme, &[8; 32]).public_key();
        assert_eq!(answer(&stranger, MESSAGE, &signature), Err(InvalidSignature));
    }
}

#[test]
fn one_bit_changed_anywhere_is_refused_by_both_backends() {
    for scheme in [Scheme::Ed25519, Scheme::P256] {
        let key = key(scheme);
        let signature = key.sign_raw(MESSAGE);
        for bit in 0..512 {
            let mut changed = signature;
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(answer(&key.public_key(), MESSAGE, &changed), Err(InvalidSignature));
        }
        let public = key.public_key();
        for bit in 0..public.as_bytes().len() * 8 {
            let mut bytes = public.as_bytes().to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let changed = match scheme {
                Scheme::Ed25519 => PublicKey::Ed25519(bytes.try_into().unwrap()),
                _ => PublicKey::P256(bytes.try_into().unwrap()),
            };
            assert!(answer(&changed, MESSAGE, &signature).is_err());
        }
    }
}

#[test]
fn every_key_of_small_order_is_refused() {
    for point in EIGHT_TORSION {
        let mut bytes = point.compress().0;
        for _ in 0..2 {
            // R = A = identity and S = 0 satisfy the equation of a verifier without this rule.
            let mut signature = [0; 64];
            signature[..32].copy_from_slice(&bytes);
            let key = PublicKey::Ed25519(bytes);
            assert_eq!(answer(&key, MESSAGE, &signature), Err(InvalidKey));
            bytes[31] ^= 0x80;
        }
    }
}

#[test]
fn keys_that_are_not_canonical_or_off_the_curve_are_refused() {
    // The 19 values from p to 2^255 - 1, with either sign.
    for low in 0xed..=0xff_u8 {
        for high in [0x7f, 0xff] {
            let mut bytes = [0xff; 32];
            (bytes[0], bytes[31]) = (low, high);
            assert_eq!(answer(&PublicKey::Ed25519(bytes), MESSAGE, &[1; 64]), Err(InvalidKey));
        }
    }
    let off_curve = (2..40_u8)
        .map(|low| {
            let mut bytes = [0; 32];
            bytes[0] = low;
            bytes
        })
        .filter(|bytes| CompressedEdwardsY(*bytes).decompress().is_none());
    let mut count = 0;
    for bytes in off_curve {
        assert_eq!(answer(&PublicKey::Ed25519(bytes), MESSAGE, &[1; 64]), Err(InvalidKey));
        count += 1;
    }
    assert!(count > 5);
}

#[test]
fn weierstrass_points_off_the_curve_or_out_of_range_are_refused() {
    type Make = fn([u8; 64]) -> PublicKey;
    let curves: [(Make, Scheme, &str); 2] =
        [(PublicKey::P256, Scheme::P256, P256_PRIME), (PublicKey::Sm2, Scheme::Sm2, SM2_PRIME)];
    for (make, scheme, prime) in curves {
        let public = key(scheme).public_key();
        let (x, y) = halves(public.as_bytes().try_into().unwrap());
        let prime = number(prime);
        let wrong = [
            pair(x, subtract(y, small(1))),
            pair(y, x),
            pair(small(0), small(0)),
            pair(small(0), small(1)),
            pair(prime, y),
            pair(x, prime),
            [0xff; 64],
        ];
        for bytes in wrong {
            assert_eq!(answer(&make(bytes), MESSAGE, &[1; 64]), Err(InvalidKey), "{bytes:02x?}");
        }
        // The mirrored point is on the curve: a valid key, of somebody else.
        let mirrored = make(pair(x, subtract(prime, y)));
        assert_eq!(FastVerifier.check_key(&mirrored), Ok(()));
        let signature = key(scheme).sign_raw(MESSAGE);
        assert_eq!(answer(&mirrored, MESSAGE, &signature), Err(InvalidSignature));
    }
}

#[test]
fn an_ed25519_s_of_the_order_or_more_is_refused() {
    let key = key(Scheme::Ed25519);
    let signature = key.sign_raw(MESSAGE);
    let reversed = |mut bytes: [u8; 32]| {
        bytes.reverse();
        bytes
    };
    let (r, s) = halves(signature);
    let larger = reversed(add(reversed(s), reversed(number(ED25519_ORDER))));
    assert_eq!(answer(&key.public_key(), MESSAGE, &pair(r, larger)), Err(InvalidSignature));
    let order = number(ED25519_ORDER);
    assert_eq!(answer(&key.public_key(), MESSAGE, &pair(r, order)), Err(InvalidSignature));
}

/// The signature with R = identity, written as these bytes, by a key whose secret scalar is known.
fn signature_with_identity(commitment: [u8; 32]) -> (PublicKey, [u8; 64]) {
    let wide: [u8; 64] = Sha512::digest([7; 32]).into();
    let secret = Scalar::from_bytes_mod_order(clamp_integer(halves(wide).0));
    let public = (ED25519_BASEPOINT_POINT * secret).compress().0;
    let challenge: [u8; 64] = Sha512::digest([&commitment[..], &public, MESSAGE].concat()).into();
    let s = Scalar::from_bytes_mod_order_wide(&challenge) * secret;
    (PublicKey::Ed25519(public), pair(commitment, s.to_bytes()))
}

#[test]
fn an_ed25519_r_must_be_canonical() {
    let mut identity = [0; 32];
    identity[0] = 1;
    let (key, signature) = signature_with_identity(identity);
    assert_eq!(answer(&key, MESSAGE, &signature), Ok(()));
    // p + 1 is another spelling of the same y; and -0 another spelling of the same x.
    let mut spelled = [0xff; 32];
    (spelled[0], spelled[31]) = (0xee, 0x7f);
    let mut negative = identity;
    negative[31] = 0x80;
    for commitment in [spelled, negative] {
        let (key, signature) = signature_with_identity(commitment);
        assert_eq!(answer(&key, MESSAGE, &signature), Err(InvalidSignature));
    }
}

/// With a key that has a part of small order, single and batch checks can differ. Ours is without
/// cofactor, on every backend.
#[test]
fn ed25519_is_checked_without_cofactor() {
    let wide: [u8; 64] = Sha512::digest([9; 32]).into();
    let secret = Scalar::from_bytes_mod_order(halves(wide).0);
    let mixed = (ED25519_BASEPOINT_POINT * secret + EIGHT_TORSION[1]).compress().0;
    let key = PublicKey::Ed25519(mixed);
    let (mut accepted, mut refused) = (0, 0);
    for attempt in 0..64_u8 {
        let nonce = Scalar::from(u64::from(attempt) + 1);
        let commitment = (ED25519_BASEPOINT_POINT * nonce).compress().0;
        let challenge: [u8; 64] =
            Sha512::digest([&commitment[..], &mixed, MESSAGE].concat()).into();
        let s = nonce + Scalar::from_bytes_mod_order_wide(&challenge) * secret;
        match answer(&key, MESSAGE, &pair(commitment, s.to_bytes())) {
            Ok(()) => accepted += 1,
            Err(_) => refused += 1,
        }
    }
    // One challenge in eight is a multiple of eight.
    assert!(accepted > 0 && refused > 4 * accepted, "{accepted} {refused}");
}

#[test]
fn r_and_s_outside_their_range_are_refused() {
    for (scheme, order) in [(Scheme::P256, P256_ORDER), (Scheme::Sm2, SM2_ORDER)] {
        let key = key(scheme).public_key();
        let order = number(order);
        let special = [small(0), small(1), subtract(order, small(1)), order];
        for r in special {
            for s in special {
                assert_eq!(answer(&key, MESSAGE, &pair(r, s)), Err(InvalidSignature));
            }
        }
    }
}

#[test]
fn an_sm2_signature_with_r_plus_s_equal_to_the_order_is_refused() {
    let key = key(Scheme::Sm2);
    let (r, _) = halves(key.sign_raw(MESSAGE));
    let s = subtract(number(SM2_ORDER), r);
    assert_eq!(answer(&key.public_key(), MESSAGE, &pair(r, s)), Err(InvalidSignature));
}

/// Random keys, messages and changes: the libraries never differ, our checks in front of them.
#[test]
fn every_sm2_backend_gives_the_same_answer() {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).unwrap();
    println!("seed {}", hex::encode(bytes));
    let (mut accepted, mut refused) = (0, 0);
    for round in 0..300_u16 {
        let seed = sha256_parts(&[&bytes, &round.to_le_bytes()]).0;
        let own = SecretKey::from_seed(Scheme::Sm2, &seed);
        let message = &seed[..usize::from(round % 33)];
        let mut signature = own.sign_raw(message);
        let mut point: [u8; 64] = own.public_key().as_bytes().try_into().unwrap();
        // Of four rounds one is left as it is, two have a changed signature, one a changed key.
        let bit = usize::from(round) * 7 % 512;
        match round % 4 {
            0 => {}
            3 => point[bit / 8] ^= 1 << (bit % 8),
            _ => signature[bit / 8] ^= 1 << (bit % 8),
        }
        let answers = Sm2Backend::ALL.iter().map(|one| one.accepts(&point, message, &signature));
        let answers: Vec<bool> = answers.collect();
        assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?} in {round}");
        assert_eq!(answers[0], round % 4 == 0, "round {round}");
        if answers[0] { accepted += 1 } else { refused += 1 }
    }
    assert_eq!((accepted, refused), (75, 225));
}

/// GB/T 32918.2 in the form of GM/T 0003.5, appendix A: key, message and signature of the standard,
/// under the usual user id.
#[test]
fn the_signature_of_the_standard_is_accepted_by_every_sm2_backend() {
    let halves = |x: &str, y: &str| pair(number(x), number(y));
    let point = halves(
        "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020",
        "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13",
    );
    let signature = halves(
        "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3",
        "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa",
    );
    for backend in Sm2Backend::ALL {
        assert!(backend.accepts(&point, b"message digest", &signature), "{}", backend.name());
        assert!(!backend.accepts(&point, b"message digests", &signature), "{}", backend.name());
    }
}

#[test]
fn a_high_s_is_accepted_since_passkeys_make_it() {
    let key = key(Scheme::P256);
    let (r, s) = halves(key.sign_raw(MESSAGE));
    let mirrored = subtract(number(P256_ORDER), s);
    assert_eq!(answer(&key.public_key(), MESSAGE, &pair(r, s)), Ok(()));
    assert_eq!(answer(&key.public_key(), MESSAGE, &pair(r, mirrored)), Ok(()));
}

#[test]
fn a_signature_of_one_scheme_is_none_of_another() {
    let message = Hash([3; 32]);
    let schemes = [Scheme::Ed25519, Scheme::P256, Scheme::Sm2];
    for own in schemes {
        let signature = key(own).sign(&message);
        for other in schemes {
            let result = verify(&FastVerifier, &key(other).public_key(), &message, &signature);
            let expected =
                if own == other { Ok(None) } else { Err(SignatureError::SchemeMismatch) };
            assert_eq!(result, expected);
        }
    }
    // The same 64 bytes under the name of the other curve.
    let raw = key(Scheme::P256).sign_raw(message.as_bytes());
    let renamed =
        verify(&FastVerifier, &key(Scheme::Sm2).public_key(), &message, &Signature::Sm2(raw));
    assert_eq!(renamed, Err(InvalidSignature));
}
