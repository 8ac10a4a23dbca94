//! What validators sign and how it is checked. A precommit for a value signs exactly
//! [`proof::header::commit_message`], so that the engine's decision is our certificate.

use async_trait::async_trait;
use malachite_signing::{Error, VerificationResult, Verifier};
use malachite_types::{NilOrVal, ValidatorProof, VoteExtensionScope, VoteType};
use primitives::{Hash, PublicKey, Signature, codec, key, sha256_parts};
use proof::header::{ChainId, commit_message};

use crate::SharedVerifier;
use crate::context::{Offer, Ours, Sealed, Vote};
use crate::guard::Place;

const VOTE_TAG: &[u8] = b"yibao/vote/v1";
const PROPOSAL_TAG: &[u8] = b"yibao/proposal/v1";

/// What a vote signs. Everybody signs the same bytes; who it was, the key says.
pub(crate) fn vote_message(chain_id: ChainId, vote: &Vote) -> Hash {
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

pub(crate) fn proposal_message(chain_id: ChainId, offer: &Offer) -> Hash {
    let rounds = (offer.round.as_u32(), offer.pol_round.as_u32());
    let content = (chain_id, offer.height.0, rounds, offer.value.0);
    sha256_parts(&[PROPOSAL_TAG, &codec::encode(&content)])
}

/// Where in the course of consensus a vote stands.
pub(crate) fn vote_place(vote: &Vote) -> Option<Place> {
    let step = if matches!(vote.kind, VoteType::Precommit) { 3 } else { 2 };
    Some(Place { height: vote.height.0, round: vote.round.as_u32()?, step })
}

/// Where in the course of consensus a proposal stands.
pub(crate) fn proposal_place(offer: &Offer) -> Option<Place> {
    Some(Place { height: offer.height.0, round: offer.round.as_u32()?, step: 1 })
}

/// What checks the signatures of others, in the engine's words.
pub(crate) struct Check {
    pub(crate) chain_id: ChainId,
    pub(crate) verifier: SharedVerifier,
}

impl Check {
    pub(crate) fn is_valid(&self, key: &PublicKey, message: &Hash, signature: &Signature) -> bool {
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

    /// Names in the network are not proved by validators' keys: who may connect is configured.
    async fn verify_validator_proof(
        &self,
        _: &ValidatorProof<Ours>,
    ) -> Result<VerificationResult, Error> {
        Ok(VerificationResult::Invalid)
    }
}
