//! What the signatures of a settlement alone cost, which bounds everything else.

use std::hint::black_box;
use std::thread;
use std::time::{Duration, Instant};

use crate::figures::{Bar, Figures};
use crate::process;
use crate::region::{PAGE, RP_ID};
use node::signature::{FastVerifier, Scheme, SecretKey, Sm2Backend, SoftwareAuthenticator};
use primitives::key;
use primitives::{Hash, PublicKey, Signature, sha256_parts};

/// The state's share of a settlement, from the prototype that the bars were derived from, in
/// microseconds.
pub const STATE_MICROS: f64 = 26.0;
/// Keys in rotation, as they are in a busy region.
const KEYS: u32 = 256;
/// For how long each mix is verified.
const SPAN: Duration = Duration::from_millis(1_500);

/// A signature with everything that is needed to check it.
struct Signed {
    message: Hash,
    key: PublicKey,
    signature: Signature,
}

/// Which signatures a settlement carries.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mix {
    /// Provider and bureau with Ed25519, the person with a passkey.
    Ed25519,
    /// Provider and bureau with SM2, the person with a passkey.
    Sm2,
}

impl Mix {
    /// The mix in names of figures.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::Sm2 => "sm2",
        }
    }

    /// The scheme of the organisations.
    #[must_use]
    pub const fn scheme(self) -> Scheme {
        match self {
            Self::Ed25519 => Scheme::Ed25519,
            Self::Sm2 => Scheme::Sm2,
        }
    }
}

fn message(number: u32) -> Hash {
    sha256_parts(&[b"yibao/bench-message/v1", &number.to_le_bytes()])
}

fn by_key(scheme: Scheme) -> Vec<Signed> {
    let one = |number: u32| {
        let message = message(number);
        let key = SecretKey::from_seed(scheme, &message.0);
        Signed { message, key: key.public_key(), signature: key.sign(&message) }
    };
    (0..KEYS).map(one).collect()
}

fn by_passkey() -> Vec<Signed> {
    let one = |number: u32| {
        let message = message(number);
        let key = SecretKey::from_seed(Scheme::P256, &message.0);
        let public = key.public_key();
        let passkey = SoftwareAuthenticator::new(key, RP_ID, PAGE).expect("a P-256 key");
        Signed { message, key: public, signature: passkey.assert(&message) }
    };
    (0..KEYS).map(one).collect()
}

fn check(one: &Signed) {
    let verdict = key::verify(&FastVerifier, &one.key, &one.message, &one.signature);
    black_box(verdict).expect("the benchmark's own signatures are valid");
}

/// Checks of these signatures in turn, per second of one thread.
fn per_second(all: &[&[Signed]]) -> f64 {
    let begin = Instant::now();
    let mut count = 0_u32;
    while begin.elapsed() < SPAN {
        for place in 0..64 {
            for signatures in all {
                check(&signatures[(count + place) as usize % signatures.len()]);
            }
        }
        count += 64;
    }
    f64::from(count) / begin.elapsed().as_secs_f64()
}

/// Checks of SM2 signatures by one library behind our rules, per second of one thread.
fn sm2_per_second(backend: Sm2Backend, all: &[Signed]) -> f64 {
    let begin = Instant::now();
    let mut count = 0_u32;
    while begin.elapsed() < SPAN {
        for one in all {
            let (PublicKey::Sm2(point), Signature::Sm2(raw)) = (&one.key, &one.signature) else {
                unreachable!("these signatures are SM2")
            };
            assert!(black_box(backend.accepts(point, one.message.as_bytes(), raw)));
        }
        count += KEYS;
    }
    f64::from(count) / begin.elapsed().as_secs_f64()
}

/// Takes the times of all schemes and the ceilings of both mixes.
pub fn measure(figures: &mut Figures) {
    let (ed25519, sm2, passkeys) = (by_key(Scheme::Ed25519), by_key(Scheme::Sm2), by_passkey());
    let singles = [("ed25519", &ed25519), ("sm2", &sm2), ("passkey_p256", &passkeys)];
    for (name, signatures) in singles {
        let micros = 1e6 / per_second(&[signatures]);
        figures.note(&format!("signature/{name}/verify"), micros, "us", Bar::Told);
    }
    for backend in Sm2Backend::ALL {
        let name = format!("signature/sm2/{}/verify", backend.name());
        figures.note(&name, 1e6 / sm2_per_second(*backend, &sm2), "us", Bar::Told);
    }
    for (mix, organisations) in [(Mix::Ed25519, &ed25519), (Mix::Sm2, &sm2)] {
        let all: [&[Signed]; 3] = [organisations, organisations, &passkeys];
        let ceiling: f64 = thread::scope(|scope| {
            let threads: Vec<_> =
                (0..process::cores()).map(|_| scope.spawn(|| per_second(&all))).collect();
            threads.into_iter().map(|one| one.join().expect("a thread that only verifies")).sum()
        });
        let name = mix.name();
        figures.note(
            &format!("ceiling/{name}/signatures_only"),
            ceiling,
            "settlements/s",
            Bar::Told,
        );
        let sum = |name: &str| figures.get(&format!("signature/{name}/verify")).unwrap_or(0.0);
        let spent = 2.0 * sum(name) + sum("passkey_p256") + STATE_MICROS;
        let bound = process::cores() as f64 * 1e6 / spent;
        figures.note(&format!("ceiling/{name}/bound"), bound, "settlements/s", Bar::Told);
    }
}
