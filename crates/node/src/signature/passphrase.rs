//! Key files that only a passphrase opens: Argon2id makes a key of the passphrase, and
//! XChaCha20-Poly1305 seals the secret key with it.

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// The fewest characters of a passphrase. Our own limit: five random words have more.
pub const PASSPHRASE_CHARS_MIN: usize = 12;
/// The most bytes of a passphrase. Our own limit.
pub const PASSPHRASE_BYTES_MAX: usize = 1_024;

/// What a new file takes to open: 64 MiB and three passes, the second choice of RFC 9106 with one
/// lane; some tenths of a second.
const MEMORY_KIB: u32 = 64 * 1_024;
const PASSES: u32 = 3;
/// The most that a file may ask for, so that a forged one does not exhaust the machine.
const MEMORY_KIB_MAX: u32 = 1_024 * 1_024;
const PASSES_MAX: u32 = 16;

/// What opens a protected key file. Wiped from memory when it is dropped, and never shown.
#[derive(Clone)]
pub struct Passphrase(Zeroizing<String>);

impl std::fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passphrase(..)")
    }
}

/// Why something is no passphrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PassphraseError {
    /// It has too few characters for a new one.
    #[error("a passphrase has at least {PASSPHRASE_CHARS_MIN} characters; take five random words")]
    Short,
    /// It is too long.
    #[error("a passphrase has at most {PASSPHRASE_BYTES_MAX} bytes")]
    Long,
}

impl Passphrase {
    /// A passphrase as somebody gave it, for opening a file.
    ///
    /// # Errors
    /// [`PassphraseError::Long`].
    pub fn given(text: Zeroizing<String>) -> Result<Self, PassphraseError> {
        if text.len() > PASSPHRASE_BYTES_MAX { Err(PassphraseError::Long) } else { Ok(Self(text)) }
    }

    /// A passphrase that a file is to be protected with.
    ///
    /// # Errors
    /// When it is too short or too long.
    pub fn chosen(text: Zeroizing<String>) -> Result<Self, PassphraseError> {
        if text.chars().count() < PASSPHRASE_CHARS_MIN {
            return Err(PassphraseError::Short);
        }
        Self::given(text)
    }
}

/// A sealed secret as it stands in a key file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sealed {
    kdf: Kdf,
    memory_kib: u32,
    passes: u32,
    salt: String,
    nonce: String,
    ciphertext: String,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kdf {
    Argon2id,
}

/// Why a sealed secret did not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SealError {
    /// The fields are not what this program writes.
    Damaged,
    /// The passphrase is another one, or the file was changed.
    Refused,
}

impl Sealed {
    /// Seals a secret; `associated` is what else stands in the file and must not be changed.
    pub(super) fn seal(
        secret: &[u8; 32],
        passphrase: &Passphrase,
        associated: &[u8],
    ) -> Result<Self, getrandom::Error> {
        let (mut salt, mut nonce) = ([0; 16], [0; 24]);
        getrandom::fill(&mut salt)?;
        getrandom::fill(&mut nonce)?;
        let key = stretch(passphrase, &salt, MEMORY_KIB, PASSES);
        let key = key.expect("the parameters of this program are in their bounds");
        let payload = Payload { msg: secret, aad: associated };
        let ciphertext = XChaCha20Poly1305::new(&(*key).into()).encrypt(&nonce.into(), payload);
        let ciphertext = ciphertext.expect("32 bytes are not too long to be sealed");
        Ok(Self {
            kdf: Kdf::Argon2id,
            memory_kib: MEMORY_KIB,
            passes: PASSES,
            salt: hex::encode(salt),
            nonce: hex::encode(nonce),
            ciphertext: hex::encode(ciphertext),
        })
    }

    /// Opens it again.
    pub(super) fn open(
        &self,
        passphrase: &Passphrase,
        associated: &[u8],
    ) -> Result<Zeroizing<[u8; 32]>, SealError> {
        let Kdf::Argon2id = self.kdf;
        let is_bounded = self.memory_kib <= MEMORY_KIB_MAX && self.passes <= PASSES_MAX;
        let (mut salt, mut nonce, mut ciphertext) = ([0; 16], [0; 24], [0; 48]);
        let is_read = hex::decode_to_slice(&self.salt, &mut salt).is_ok()
            && hex::decode_to_slice(&self.nonce, &mut nonce).is_ok()
            && hex::decode_to_slice(&self.ciphertext, &mut ciphertext).is_ok();
        if !is_bounded || !is_read {
            return Err(SealError::Damaged);
        }
        let key = stretch(passphrase, &salt, self.memory_kib, self.passes);
        let key = key.ok_or(SealError::Damaged)?;
        let payload = Payload { msg: &ciphertext, aad: associated };
        let opened = XChaCha20Poly1305::new(&(*key).into()).decrypt(&nonce.into(), payload);
        let opened = Zeroizing::new(opened.map_err(|_| SealError::Refused)?);
        let mut secret = Zeroizing::new([0; 32]);
        secret.copy_from_slice(opened.get(..32).ok_or(SealError::Damaged)?);
        Ok(secret)
    }
}

/// The key that a passphrase gives.
fn stretch(
    passphrase: &Passphrase,
    salt: &[u8; 16],
    memory_kib: u32,
    passes: u32,
) -> Option<Zeroizing<[u8; 32]>> {
    let params = Params::new(memory_kib, passes, 1, Some(32)).ok()?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut key = Zeroizing::new([0; 32]);
    argon2.hash_password_into(passphrase.0.as_bytes(), salt, key.as_mut()).ok()?;
    Some(key)
}
