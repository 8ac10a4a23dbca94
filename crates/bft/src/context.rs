//! Our types in the words of the engine: who validates, what is voted on, what travels.

use std::fmt;

use malachite_types as engine;
use malachite_types::{LinearTimeouts, NilOrVal, Round, SignedExtension, VoteType};
use primitives::{Hash, OrganisationId, PublicKey, Signature, codec};
use proof::header::ValidatorSet;

/// A block's number, in the engine's words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Height(pub(crate) u64);

impl fmt::Display for Height {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl engine::Height for Height {
    const ZERO: Self = Self(0);
    const INITIAL: Self = Self(1);

    fn increment_by(&self, n: u64) -> Self {
        Self(self.0.saturating_add(n))
    }

    fn decrement_by(&self, n: u64) -> Option<Self> {
        self.0.checked_sub(n).map(Self)
    }

    fn as_u64(&self) -> u64 {
        self.0
    }
}

/// An organisation, as the engine's address of a validator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Address(pub(crate) OrganisationId);

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl engine::Address for Address {}

/// What is agreed on: a value id, which is its own id. The block travels beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Value(pub(crate) Hash);

impl engine::Value for Value {
    type Id = Hash;

    fn id(&self) -> Hash {
        self.0
    }
}

/// Signatures and keys of any scheme that a validator may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scheme;

/// A signature with the order that the engine asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sealed(pub(crate) Signature);

impl Ord for Sealed {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        codec::encode(&self.0).cmp(&codec::encode(&other.0))
    }
}

impl PartialOrd for Sealed {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl engine::SigningScheme for Scheme {
    type DecodingError = String;
    type Signature = Sealed;
    type PublicKey = PublicKey;
    /// Keys stay where they are ([`consensus::Signer`]).
    type PrivateKey = ();

    fn decode_signature(bytes: &[u8]) -> Result<Sealed, String> {
        codec::decode(bytes).map(Sealed).map_err(|error| error.to_string())
    }

    fn encode_signature(signature: &Sealed) -> Vec<u8> {
        codec::encode(&signature.0)
    }

    fn decode_public_key(bytes: &[u8]) -> Result<PublicKey, String> {
        codec::decode(bytes).map_err(|error| error.to_string())
    }

    fn encode_public_key(public_key: &PublicKey) -> Vec<u8> {
        codec::encode(public_key)
    }
}

/// One member of a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    address: Address,
    key: PublicKey,
    power: u64,
}

impl engine::Validator<Ours> for Member {
    fn address(&self) -> &Address {
        &self.address
    }

    fn public_key(&self) -> &PublicKey {
        &self.key
    }

    fn voting_power(&self) -> u64 {
        self.power
    }
}

/// The validators of a height, in the order of [`ValidatorSet`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Members(Vec<Member>);

impl From<&ValidatorSet> for Members {
    fn from(set: &ValidatorSet) -> Self {
        let member = |one: &proof::header::Validator| Member {
            address: Address(one.organisation),
            key: one.key,
            power: one.power,
        };
        Self(set.validators().iter().map(member).collect())
    }
}

impl engine::ValidatorSet<Ours> for Members {
    fn count(&self) -> usize {
        self.0.len()
    }

    fn total_voting_power(&self) -> u64 {
        self.0.iter().fold(0, |sum: u64, member| sum.saturating_add(member.power))
    }

    fn get_by_address(&self, address: &Address) -> Option<&Member> {
        self.0.iter().find(|member| member.address == *address)
    }

    fn get_by_index(&self, index: usize) -> Option<&Member> {
        self.0.get(index)
    }
}

/// A vote for a value of a round, or for none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Vote {
    pub(crate) kind: VoteType,
    pub(crate) height: Height,
    pub(crate) round: Round,
    pub(crate) value: NilOrVal<Hash>,
    pub(crate) address: Address,
}

impl engine::Vote<Ours> for Vote {
    fn height(&self) -> Height {
        self.height
    }

    fn round(&self) -> Round {
        self.round
    }

    fn value(&self) -> &NilOrVal<Hash> {
        &self.value
    }

    fn take_value(self) -> NilOrVal<Hash> {
        self.value
    }

    fn vote_type(&self) -> VoteType {
        self.kind
    }

    fn validator_address(&self) -> &Address {
        &self.address
    }

    fn extension(&self) -> Option<&SignedExtension<Ours>> {
        None
    }

    fn take_extension(&mut self) -> Option<SignedExtension<Ours>> {
        None
    }

    fn extend(self, _: SignedExtension<Ours>) -> Self {
        self
    }
}

/// What a round's proposer proposes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Offer {
    pub(crate) height: Height,
    pub(crate) round: Round,
    pub(crate) value: Value,
    pub(crate) pol_round: Round,
    pub(crate) address: Address,
}

impl engine::Proposal<Ours> for Offer {
    fn height(&self) -> Height {
        self.height
    }

    fn round(&self) -> Round {
        self.round
    }

    fn value(&self) -> &Value {
        &self.value
    }

    fn take_value(self) -> Value {
        self.value
    }

    fn pol_round(&self) -> Round {
        self.pol_round
    }

    fn validator_address(&self) -> &Address {
        &self.address
    }
}

/// The part of a proposal that is all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Whole;

impl engine::ProposalPart<Ours> for Whole {
    fn is_first(&self) -> bool {
        true
    }

    fn is_last(&self) -> bool {
        true
    }
}

/// The engine over our types.
#[derive(Clone, Debug)]
pub(crate) struct Ours;

impl engine::Context for Ours {
    type Address = Address;
    type Height = Height;
    /// A block travels whole and beside the engine ([`crate::message::Carried`]).
    type ProposalPart = Whole;
    type Proposal = Offer;
    type Validator = Member;
    type ValidatorSet = Members;
    type Timeouts = LinearTimeouts;
    type Value = Value;
    type Vote = Vote;
    type Extension = ();
    type SigningScheme = Scheme;

    /// Everybody in turn, beginning with another one at each height: weights count for votes only.
    fn select_proposer<'a>(
        &self,
        validators: &'a Members,
        height: Height,
        round: Round,
    ) -> &'a Member {
        let turn = height.0.wrapping_add(u64::from(round.as_u32().unwrap_or(0)));
        let count = u64::try_from(validators.0.len()).unwrap_or(u64::MAX).max(1);
        let place = usize::try_from(turn % count).unwrap_or(0);
        validators.0.get(place).expect("a validator set is never empty, and the turn is within it")
    }

    fn new_proposal(
        &self,
        height: Height,
        round: Round,
        value: Value,
        pol_round: Round,
        address: Address,
    ) -> Offer {
        Offer { height, round, value, pol_round, address }
    }

    fn new_prevote(
        &self,
        height: Height,
        round: Round,
        value: NilOrVal<Hash>,
        address: Address,
    ) -> Vote {
        Vote { kind: VoteType::Prevote, height, round, value, address }
    }

    fn new_precommit(
        &self,
        height: Height,
        round: Round,
        value: NilOrVal<Hash>,
        address: Address,
    ) -> Vote {
        Vote { kind: VoteType::Precommit, height, round, value, address }
    }
}
