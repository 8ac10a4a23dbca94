//! What validators sign and how it is checked. A precommit for a value signs exactly
//! [`proof::header::commit_message`], so that the engine's decision is our certificate.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use malachite::app::types::core::{
    NilOrVal, SignedMessage, ValidatorProof, VoteExtensionScope, VoteType,
};
use malachite_signing::{Error, Signer, VerificationResult, Verifier};
use primitives::{Hash, PublicKey, Signature, codec, key, sha256_parts};
use proof::header::{ChainId, commit_message};

use crate::context::{Offer, Ours, Sealed, Vote};
use crate::guard::{Guard, Place};
use crate::{SharedSigner, SharedVerifier};

const VOTE_TAG: &[u8] = b"yibao/vote/v1";
const PROPOSAL_TAG: &[u8] = b"yibao/proposal/v1";
const PEER_TAG: &[u8] = b"yibao/peer/v1";

/// What a vote signs. Everybody signs the same bytes; who it was, the key says.
fn vote_message(chain_id: ChainId, vote: &Vote) -> Hash {
    let round = vote.round.as_u32().unwrap_or(u32::MAX);
    let value = match vote.value {
        NilOrVal::Nil => None,
        NilOrVal::Val(id) => Some(id),
    };
    match (vote.kind, value) {
        (VoteType::Precommit, Some(id)) => commit_message(chain_id, vote.height.0, round, id),
        (kind, value) => {
            let is_precommit = matches!(kind, VoteType::Precommit);
            let content = (chain_id, is_precommit, vote.height.0, round, value);
            sha256_parts(&[VOTE_TAG, &codec::encode(&content)])
        }
    }
}

fn proposal_message(chain_id: ChainId, offer: &Offer) -> Hash {
    let rounds = (offer.round.as_u32(), offer.pol_round.as_u32());
    let content = (chain_id, offer.height.0, rounds, offer.value.0);
    sha256_parts(&[PROPOSAL_TAG, &codec::encode(&content)])
}

/// Binds a validator's key to its name in the network.
fn peer_message(chain_id: ChainId, key: &[u8], peer: &[u8]) -> Hash {
    sha256_parts(&[PEER_TAG, &codec::encode(&(chain_id, key, peer))])
}

pub(crate) struct Check {
    pub(crate) chain_id: ChainId,
    pub(crate) verifier: SharedVerifier,
}

impl Check {
    fn is_valid(&self, key: &PublicKey, message: &Hash, signature: &Signature) -> bool {
        key::verify(&*self.verifier, key, message, signature).is_ok()
    }
}

#[async_trait]
impl Verifier<Ours> for Check {
    async fn verify_signed_vote(
        &self,
        vote: &Vote,
        signature: &Sealed,
        public_key: &PublicKey,
    ) -> Result<VerificationResult, Error> {
        let message = vote_message(self.chain_id, vote);
        let is_valid = vote.round.is_defined() && self.is_valid(public_key, &message, &signature.0);
        Ok(VerificationResult::from_bool(is_valid))
    }

    async fn verify_signed_proposal(
        &self,
        offer: &Offer,
        signature: &Sealed,
        public_key: &PublicKey,
    ) -> Result<VerificationResult, Error> {
        let message = proposal_message(self.chain_id, offer);
        let is_valid =
            offer.round.is_defined() && self.is_valid(public_key, &message, &signature.0);
        Ok(VerificationResult::from_bool(is_valid))
    }

    /// Nothing is added to votes here.
    async fn verify_signed_vote_extension(
        &self,
        _: &VoteExtensionScope<Ours>,
        (): &(),
        _: &Sealed,
        _: &PublicKey,
    ) -> Result<VerificationResult, Error> {
        Ok(VerificationResult::Invalid)
    }

    async fn verify_validator_proof(
        &self,
        proof: &ValidatorProof<Ours>,
    ) -> Result<VerificationResult, Error> {
        let Ok(key) = proof.decoded_public_key() else { return Ok(VerificationResult::Invalid) };
        let message = peer_message(self.chain_id, &proof.public_key, &proof.peer_id);
        Ok(VerificationResult::from_bool(self.is_valid(&key, &message, &proof.signature.0)))
    }
}

/// The validator's key behind its guard.
pub(crate) struct Guarded {
    pub(crate) chain_id: ChainId,
    pub(crate) key: SharedSigner,
    pub(crate) guard: Mutex<Guard>,
}

impl Guarded {
    fn sign(&self, place: Place, message: &Hash) -> Result<Sealed, Error> {
        let mut guard = self.guard.lock().unwrap_or_else(PoisonError::into_inner);
        guard.allow(place, *message).map_err(Error::from_source)?;
        drop(guard);
        self.key.sign(message).map(Sealed).map_err(Error::from_source)
    }
}

#[async_trait]
impl Signer<Ours> for Guarded {
    async fn sign_vote(&self, vote: Vote) -> Result<SignedMessage<Ours, Vote>, Error> {
        let round = vote.round.as_u32().ok_or_else(Error::new)?;
        let step = if matches!(vote.kind, VoteType::Precommit) { 3 } else { 2 };
        let place = Place { height: vote.height.0, round, step };
        let signature = self.sign(place, &vote_message(self.chain_id, &vote))?;
        Ok(SignedMessage::new(vote, signature))
    }

    async fn sign_proposal(&self, offer: Offer) -> Result<SignedMessage<Ours, Offer>, Error> {
        let round = offer.round.as_u32().ok_or_else(Error::new)?;
        let place = Place { height: offer.height.0, round, step: 1 };
        let signature = self.sign(place, &proposal_message(self.chain_id, &offer))?;
        Ok(SignedMessage::new(offer, signature))
    }

    async fn sign_vote_extension(
        &self,
        _: VoteExtensionScope<Ours>,
        (): (),
    ) -> Result<SignedMessage<Ours, ()>, Error> {
        Err(Error::from_source("nothing is added to votes"))
    }

    async fn sign_validator_proof(
        &self,
        public_key: Vec<u8>,
        peer_id: Vec<u8>,
    ) -> Result<ValidatorProof<Ours>, Error> {
        let message = peer_message(self.chain_id, &public_key, &peer_id);
        let signature = self.key.sign(&message).map_err(Error::from_source)?;
        Ok(ValidatorProof::new(public_key, peer_id, Sealed(signature)))
    }
}
