//! Two signatures of one validator for one place: in the engine's words, in ours, and proved.
//!
//! Invariant: whoever is accused did it, which the key shows (in whole networks, test `worlds`).

use consensus::{Equivocation, SignedStep, SignedValue};
use malachite_consensus::MisbehaviorEvidence;
use malachite_types::{NilOrVal, Round, SignedMessage, VoteType};
use primitives::{Hash, PublicKey, Verifier, key};
use proof::header::ChainId;

use crate::context::{Address, Height, Offer, Ours, Value, Vote};
use crate::sign::{proposal_message, vote_message};

/// What the engine found at a height. When the block of one of two proposals becomes known, it also
/// names a proposal beside itself: that is none.
pub(crate) fn of(evidence: &MisbehaviorEvidence<Ours>) -> Vec<Equivocation> {
    let votes = evidence.votes.iter().flat_map(|(_, pairs)| pairs).filter_map(of_votes);
    let offers = evidence.proposals.iter().flat_map(|(_, pairs)| pairs).filter_map(of_proposals);
    votes.chain(offers).collect()
}

type Pair<T> = (SignedMessage<Ours, T>, SignedMessage<Ours, T>);

fn of_votes((one, other): &Pair<Vote>) -> Option<Equivocation> {
    let signed = |vote: &SignedMessage<Ours, Vote>| SignedValue {
        value: match vote.message.value {
            NilOrVal::Nil => None,
            NilOrVal::Val(id) => Some(id),
        },
        valid_round: None,
        signature: vote.signature.0.clone(),
    };
    let Vote { kind, height, round, address, .. } = &one.message;
    (one.message != other.message).then_some(())?;
    Some(Equivocation {
        organisation: address.0,
        height: height.0,
        round: round.as_u32()?,
        step: match kind {
            VoteType::Prevote => SignedStep::Prevote,
            VoteType::Precommit => SignedStep::Precommit,
        },
        signed: [signed(one), signed(other)],
    })
}

fn of_proposals((one, other): &Pair<Offer>) -> Option<Equivocation> {
    let signed = |offer: &SignedMessage<Ours, Offer>| SignedValue {
        value: Some(offer.message.value.0),
        valid_round: offer.message.pol_round.as_u32(),
        signature: offer.signature.0.clone(),
    };
    let Offer { height, round, address, .. } = &one.message;
    (one.message != other.message).then_some(())?;
    Some(Equivocation {
        organisation: address.0,
        height: height.0,
        round: round.as_u32()?,
        step: SignedStep::Proposal,
        signed: [signed(one), signed(other)],
    })
}

/// What a validator signs to say this.
fn message(chain_id: ChainId, found: &Equivocation, said: &SignedValue) -> Option<Hash> {
    let (height, round) = (Height(found.height), Round::new(found.round));
    let address = Address(found.organisation);
    let kind = match found.step {
        SignedStep::Prevote => VoteType::Prevote,
        SignedStep::Precommit => VoteType::Precommit,
        SignedStep::Proposal => {
            let (value, pol_round) = (Value(said.value?), said.valid_round.into());
            let offer = Offer { height, round, value, pol_round, address };
            return Some(proposal_message(chain_id, &offer));
        }
    };
    let value = said.value.map_or(NilOrVal::Nil, NilOrVal::Val);
    Some(vote_message(chain_id, &Vote { kind, height, round, value, address }))
}

/// Whether the owner of this key signed both, and they are two things.
#[must_use]
pub fn is_proved(
    chain_id: ChainId,
    found: &Equivocation,
    public_key: &PublicKey,
    verifier: &dyn Verifier,
) -> bool {
    let [one, other] = found.signed.each_ref().map(|said| message(chain_id, found, said));
    let holds = |message: Option<Hash>, said: &SignedValue| {
        message.is_some_and(|message| {
            key::verify(verifier, public_key, &message, &said.signature).is_ok()
        })
    };
    let [first, second] = &found.signed;
    one != other && holds(one, first) && holds(other, second)
}
