//! Keys of test organisations.

use consensus::{Signer, SignerError};
use ed25519_dalek::{Signer as _, SigningKey, Verifier as _, VerifyingKey};
use primitives::{Hash, OrganisationId, PublicKey, Signature, SignatureError, Verifier};
use proof::header::{Validator, ValidatorSet};

#[derive(Clone)]
pub struct TestKey(OrganisationId, SigningKey);

impl TestKey {
    pub fn new(number: usize) -> Self {
        let seed = u8::try_from(number + 1).unwrap();
        Self(format!("org-{number}").parse().unwrap(), SigningKey::from_bytes(&[seed; 32]))
    }
}

impl Signer for TestKey {
    fn organisation(&self) -> OrganisationId {
        self.0
    }
    fn public_key(&self) -> PublicKey {
        PublicKey::Ed25519(self.1.verifying_key().to_bytes())
    }
    fn sign(&self, message: &Hash) -> Result<Signature, SignerError> {
        Ok(Signature::Ed25519(self.1.sign(message.as_bytes()).to_bytes()))
    }
}

/// The set of the first so many organisations.
pub fn validators(count: usize) -> ValidatorSet {
    let validator = |number| {
        let key = TestKey::new(number);
        Validator { organisation: key.organisation(), key: key.public_key(), power: 1 }
    };
    ValidatorSet::new((0..count).map(validator).collect()).unwrap()
}

pub struct Dalek;

impl Verifier for Dalek {
    fn check_key(&self, _: &PublicKey) -> Result<(), SignatureError> {
        Ok(())
    }
    fn verify_raw(
        &self,
        key: &PublicKey,
        message: &[u8],
        signature: &[u8; 64],
    ) -> Result<(), SignatureError> {
        let PublicKey::Ed25519(bytes) = key else { return Err(SignatureError::InvalidKey) };
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| SignatureError::InvalidKey)?;
        key.verify(message, &ed25519_dalek::Signature::from_bytes(signature))
            .map_err(|_| SignatureError::InvalidSignature)
    }
}
