use crate::{answer, openssl};
use node::signature::{FastVerifier, Scheme, SecretKey};
use primitives::{SignatureError, Verifier};
use sm3::{Digest, Sm3};

/// Random messages of many lengths. The seed is printed so that a failure can be run again.
fn messages() -> Vec<Vec<u8>> {
    let mut seed = [0_u8; 32];
    getrandom::fill(&mut seed).unwrap();
    println!("seed {}", hex::encode(seed));
    let lengths = [0, 1, 31, 32, 55, 56, 63, 64, 65, 119, 120, 1_000, 5_000];
    lengths
        .iter()
        .map(|length| {
            let blocks = (0..u64::MAX).map(|n| Sm3::digest([&seed[..], &n.to_le_bytes()].concat()));
            blocks.flat_map(<[u8; 32]>::from).take(*length).collect()
        })
        .collect()
}

#[test]
fn sm3_agrees_with_openssl() {
    for message in messages() {
        assert_eq!(Sm3::digest(&message).to_vec(), openssl::sm3(&message));
    }
}

#[test]
fn openssl_accepts_our_sm2_signatures_and_we_accept_its() {
    for message in messages() {
        let key = SecretKey::generate(Scheme::Sm2).unwrap();
        let public = key.public_key();
        assert_eq!(answer(&public, &message, &key.sign_raw(&message)), Ok(()));
        let point = public.as_bytes().try_into().unwrap();
        let theirs = openssl::sm2_sign(key.as_bytes(), point, &message);
        assert_eq!(FastVerifier.verify_raw(&public, &message, &theirs), Ok(()));
        let mut changed = theirs;
        changed[40] ^= 1;
        let refused = answer(&public, &message, &changed);
        assert_eq!(refused, Err(SignatureError::InvalidSignature));
    }
}

/// GB/T 32905, appendix A.
#[test]
fn sm3_gives_the_digests_of_the_standard() {
    let known = [
        ("abc", "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
        (
            "abcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcd",
            "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732",
        ),
    ];
    for (message, digest) in known {
        assert_eq!(hex::encode(Sm3::digest(message)), digest);
    }
}
