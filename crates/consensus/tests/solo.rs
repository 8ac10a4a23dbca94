//! The solo sequencer against an application in memory.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use consensus::{
    Application, Engine, EngineError, Next, Proposal, Signer, SignerError, Solo, Step,
};
use ed25519_dalek::{Signer as _, SigningKey, Verifier as _, VerifyingKey};
use primitives::{Hash, OrganisationId, PublicKey, Signature, SignatureError, Timestamp, Verifier};
use proof::header::{Certificate, HEADER_VERSION, Header, Validator, ValidatorSet};

struct Key {
    organisation: OrganisationId,
    key: SigningKey,
    broken: bool,
}

impl Signer for Key {
    fn organisation(&self) -> OrganisationId {
        self.organisation
    }
    fn public_key(&self) -> PublicKey {
        PublicKey::Ed25519(self.key.verifying_key().to_bytes())
    }
    fn sign(&self, message: &Hash) -> Result<Signature, SignerError> {
        if self.broken {
            return Err(SignerError("the card was pulled out".to_owned()));
        }
        Ok(Signature::Ed25519(self.key.sign(message.as_bytes()).to_bytes()))
    }
}

struct Dalek;

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

#[derive(Debug, thiserror::Error)]
#[error("disk full")]
struct DiskFull;

/// Keeps blocks in memory; proposes as many as are waiting.
struct Chain {
    validators: ValidatorSet,
    waiting: u64,
    skip: u64,
    disk_full: bool,
    kept: Vec<(Proposal, Certificate)>,
}

impl Chain {
    fn new(key: &Key) -> Self {
        let (organisation, key) = (key.organisation, key.public_key());
        let validators = ValidatorSet::new(vec![Validator { organisation, key, power: 1 }]);
        let (waiting, skip, disk_full, kept) = (0, 0, false, Vec::new());
        Self { validators: validators.unwrap(), waiting, skip, disk_full, kept }
    }
}

impl Application for Chain {
    type Error = DiskFull;

    fn next(&self) -> Next {
        let height = u64::try_from(self.kept.len()).unwrap() + 1;
        Next { height, validators: self.validators.clone() }
    }

    fn propose(&mut self, height: u64, _: u32) -> Result<Option<Proposal>, DiskFull> {
        if self.waiting == 0 {
            return Ok(None);
        }
        let header = Header {
            version: HEADER_VERSION,
            chain_id: "test".parse().unwrap(),
            height: height + self.skip,
            time: Timestamp::from_millis(height),
            parent: self.kept.last().map_or(Hash::default(), |(last, _)| last.header.value_id()),
            transaction_root: Hash::default(),
            receipt_log_size: 0,
            receipt_log_root: Hash::default(),
            state_root: Hash::default(),
            next_validators: self.validators.hash(),
        };
        Ok(Some(Proposal { header, block: vec![1, 2, 3].into() }))
    }

    fn commit(&mut self, proposal: Proposal, certificate: Certificate) -> Result<(), DiskFull> {
        if self.disk_full {
            return Err(DiskFull);
        }
        self.kept.push((proposal, certificate));
        self.waiting -= 1;
        Ok(())
    }
}

fn key(seed: u8) -> Key {
    let organisation = "bureau".parse().unwrap();
    Key { organisation, key: SigningKey::from_bytes(&[seed; 32]), broken: false }
}

#[test]
fn every_proposal_is_decided_with_a_certificate_that_anybody_can_check() {
    let mut chain = Chain { waiting: 3, ..Chain::new(&key(1)) };
    let mut solo = Solo::new(key(1));
    for height in 1..=3 {
        assert_eq!(solo.step(&mut chain).unwrap(), Step::Decided(height));
    }
    assert_eq!(solo.step(&mut chain).unwrap(), Step::Idle);
    assert_eq!(chain.kept.len(), 3);
    for (proposal, certificate) in &chain.kept {
        let check = |header: &Header, certificate: &Certificate| {
            chain.validators.verify_certificate(header, certificate, &Dalek)
        };
        assert_eq!(check(&proposal.header, certificate), Ok(()));
        let other = Header { chain_id: "other".parse().unwrap(), ..proposal.header.clone() };
        let moved = Certificate { value_id: other.value_id(), ..certificate.clone() };
        assert!(check(&other, &moved).is_err(), "a signature counts on its own chain only");
    }
}

#[test]
fn a_block_that_could_not_be_kept_is_not_decided() {
    let mut chain = Chain { waiting: 1, disk_full: true, ..Chain::new(&key(1)) };
    let result = Solo::new(key(1)).step(&mut chain);
    assert!(matches!(result, Err(EngineError::Application(DiskFull))));
    assert!(chain.kept.is_empty());
}

#[test]
fn a_key_that_is_not_the_only_validators_stops_the_engine() {
    let mut chain = Chain { waiting: 1, ..Chain::new(&key(1)) };
    let result = Solo::new(key(2)).step(&mut chain);
    assert!(matches!(result, Err(EngineError::NotTheSequencer { height: 1, .. })));
    let stranger = Key { organisation: "stranger".parse().unwrap(), ..key(1) };
    let result = Solo::new(stranger).step(&mut chain);
    assert!(matches!(result, Err(EngineError::NotTheSequencer { .. })));
    let mut validators = chain.validators.validators().to_vec();
    let (organisation, key_of_second) = ("second".parse().unwrap(), key(3).public_key());
    validators.push(Validator { organisation, key: key_of_second, power: 1 });
    chain.validators = ValidatorSet::new(validators).unwrap();
    let result = Solo::new(key(1)).step(&mut chain);
    assert!(matches!(result, Err(EngineError::NotTheSequencer { .. })));
    assert!(chain.kept.is_empty());
}

#[test]
fn a_proposal_of_another_height_stops_the_engine() {
    let mut chain = Chain { waiting: 1, skip: 1, ..Chain::new(&key(1)) };
    let result = Solo::new(key(1)).step(&mut chain);
    assert!(matches!(result, Err(EngineError::WrongHeight { expected: 1, proposed: 2 })));
    assert!(chain.kept.is_empty());
}

#[test]
fn a_key_that_does_not_sign_stops_the_engine() {
    let mut chain = Chain { waiting: 1, ..Chain::new(&key(1)) };
    let result = Solo::new(Key { broken: true, ..key(1) }).step(&mut chain);
    assert!(matches!(result, Err(EngineError::Signer(_))));
    assert!(chain.kept.is_empty());
}
