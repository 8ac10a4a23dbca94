//! What the directory's key does: seals values at their places, and makes hashes that nobody
//! without it can compute.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::{hmac, rand};

use super::{DirectoryError, DirectoryKey};

pub(crate) struct Sealer {
    aead: RandomizedNonceKey,
    mac: hmac::Key,
}

impl Sealer {
    /// Two keys from one: what seals never makes hashes.
    pub(crate) fn new(key: &DirectoryKey) -> Result<Self, DirectoryError> {
        let root = hmac::Key::new(hmac::HMAC_SHA256, &key.0);
        let derived = |meaning: &[u8]| hmac::sign(&root, meaning);
        let sealing = derived(b"yibao/directory-seal/v1");
        let aead = RandomizedNonceKey::new(&AES_256_GCM, sealing.as_ref());
        Ok(Self {
            aead: aead.map_err(|_| DirectoryError::Sealed)?,
            mac: hmac::Key::new(hmac::HMAC_SHA256, derived(b"yibao/directory-hash/v1").as_ref()),
        })
    }

    /// Seals a value for one place: a table and its key.
    pub(crate) fn seal(
        &self,
        table: &str,
        key: &[u8],
        value: &[u8],
    ) -> Result<Vec<u8>, DirectoryError> {
        let mut bytes = value.to_vec();
        let nonce = self
            .aead
            .seal_in_place_append_tag(Aad::from(place(table, key)), &mut bytes)
            .map_err(|_| DirectoryError::NoRandomness)?;
        bytes.splice(0..0, nonce.as_ref().iter().copied());
        Ok(bytes)
    }

    /// The value that was sealed for this place.
    pub(crate) fn open(
        &self,
        table: &str,
        key: &[u8],
        sealed: &[u8],
    ) -> Result<Vec<u8>, DirectoryError> {
        let wrong = |_| DirectoryError::Sealed;
        let (nonce, bytes) = sealed.split_at_checked(NONCE_LEN).ok_or(DirectoryError::Sealed)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(wrong)?;
        let mut bytes = bytes.to_vec();
        let place = Aad::from(place(table, key));
        let length = self.aead.open_in_place(nonce, place, &mut bytes).map_err(wrong)?.len();
        bytes.truncate(length);
        Ok(bytes)
    }

    /// A hash of a short secret, for comparing: without the key, guessing tells nothing.
    pub(crate) fn hash(&self, meaning: &str, key: &[u8], secret: &[u8]) -> Vec<u8> {
        let mut context = hmac::Context::with_key(&self.mac);
        context.update(&place(meaning, key));
        context.update(secret);
        context.sign().as_ref().to_vec()
    }

    /// Compares two such hashes in constant time.
    pub(crate) fn is_same(one: &[u8], other: &[u8]) -> bool {
        aws_lc_rs::constant_time::verify_slices_are_equal(one, other).is_ok()
    }
}

/// Table and key so that no two places look alike.
fn place(table: &str, key: &[u8]) -> Vec<u8> {
    let mut bytes = table.as_bytes().to_vec();
    bytes.push(0);
    bytes.extend(u64::try_from(key.len()).unwrap_or(u64::MAX).to_le_bytes());
    bytes.extend(key);
    bytes
}

/// So many random bytes.
pub(crate) fn random<const LENGTH: usize>() -> Result<[u8; LENGTH], DirectoryError> {
    let mut bytes = [0_u8; LENGTH];
    rand::fill(&mut bytes).map_err(|_| DirectoryError::NoRandomness)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_value_opens_only_at_its_place() {
        let sealer = Sealer::new(&DirectoryKey([7; 32])).unwrap();
        let sealed = sealer.seal("person", &[1], b"words").unwrap();
        assert_eq!(sealer.open("person", &[1], &sealed).unwrap(), b"words");
        assert!(sealer.open("person", &[2], &sealed).is_err());
        assert!(sealer.open("card", &[1], &sealed).is_err());
        assert!(sealer.open("person", &[1], sealed.get(1..).unwrap()).is_err());
        let other = Sealer::new(&DirectoryKey([8; 32])).unwrap();
        assert!(other.open("person", &[1], &sealed).is_err());
        assert_ne!(sealed, sealer.seal("person", &[1], b"words").unwrap());
        assert_ne!(sealer.hash("pin", &[1], b"1"), other.hash("pin", &[1], b"1"));
    }
}
