//! The bytes of what nodes send each other and of what the engine keeps: borsh, bounded before
//! anything is allocated, and refused when a byte is left over.
//!
//! What is written into the engine's log ([`Wire`] for [`Input`]) is a stored form: a change of it
//! needs another name of the log's file.

use std::sync::Arc;

use borsh::io::{Error, ErrorKind, Read, Result};
use borsh::{BorshDeserialize, BorshSerialize};
use malachite_consensus::{Input, LivenessMsg, ProposedValue, SignedConsensusMsg};
use malachite_types::{
    NilOrVal, PolkaCertificate, PolkaSignature, Round, RoundCertificate, RoundCertificateType,
    RoundSignature, SignedMessage, Timeout, TimeoutKind, Validity, ValueOrigin, VoteType,
};
use primitives::{Hash, OrganisationId, Signature};
use proof::header::{Certificate, CommitSignature, VALIDATORS_MAX};

use crate::context::{Address, Height, Offer, Ours, Sealed, Value, Vote};
use crate::{
    ANSWER_BYTES_MAX, ASK_BYTES_MAX, BLOCK_BYTES_MAX, FETCH_BLOCKS_MAX, TRANSACTION_BATCH_MAX,
    TRANSACTION_BYTES_MAX, WORDS_BYTES_MAX,
};

/// Two votes of each validator: what a certificate of a round may hold.
const ROUND_VOTES_MAX: u32 = VALIDATORS_MAX * 2;

/// What one node tells another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    /// A vote, or what a round's proposer proposes.
    Consensus(SignedConsensusMsg<Ours>),
    /// What helps others who may have missed something.
    Liveness(LivenessMsg<Ours>),
    /// The block behind a proposal.
    Block(Carried),
    /// Transactions as their submitters signed them, opaque here.
    Transactions(Vec<Vec<u8>>),
    /// The height of the sender's last block.
    Status(u64),
    /// Asks for decided blocks from this height on.
    Fetch(u64),
    /// Decided blocks, one after the other.
    Decided(Vec<(Vec<u8>, Certificate)>),
    /// A question of the sender's ledger, opaque here.
    Question(Vec<u8>),
    /// What it is answered.
    Reply(Vec<u8>),
    /// What a newcomer asks of the sender's past, opaque here.
    Ask(Vec<u8>),
    /// What it is told.
    Answer(Vec<u8>),
}

/// A block on its way, with the round it is proposed in. It travels whole, so that nothing has to
/// be put together and nothing can be left half.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Carried {
    pub(crate) height: u64,
    pub(crate) round: u32,
    pub(crate) valid_round: Option<u32>,
    pub(crate) proposer: OrganisationId,
    pub(crate) block: Vec<u8>,
}

/// Bytes that are not what they should be.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("not what a node sends: {0}")]
pub(crate) struct Malformed(String);

impl From<Error> for Malformed {
    fn from(error: Error) -> Self {
        Self(error.to_string())
    }
}

/// A type in the form in which it travels or is kept.
pub(crate) trait Wire: Sized {
    fn write(&self, out: &mut Vec<u8>);
    fn read(input: &mut &[u8]) -> Result<Self>;

    /// Its bytes.
    fn encode(&self) -> Arc<[u8]> {
        let mut out = Vec::new();
        self.write(&mut out);
        out.into()
    }

    /// What these bytes are, all of them.
    fn decode(bytes: &[u8]) -> std::result::Result<Self, Malformed> {
        let mut rest = bytes;
        let value = Self::read(&mut rest)?;
        if rest.is_empty() { Ok(value) } else { Err(wrong("bytes are left over").into()) }
    }
}

fn wrong(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}

/// Puts a value of a type that has its own borsh form.
fn put<T: BorshSerialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    value.serialize(out).expect("a vector takes every byte");
}

fn get<T: BorshDeserialize>(input: &mut &[u8]) -> Result<T> {
    T::deserialize_reader(input)
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put(out, bytes);
}

fn get_bytes(input: &mut &[u8], max: u32) -> Result<Vec<u8>> {
    let length = get::<u32>(input)?;
    if length > max {
        return Err(wrong("more bytes than allowed"));
    }
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length > input.len() {
        return Err(wrong("fewer bytes than told"));
    }
    let mut bytes = vec![0; length];
    input.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn put_list<T>(out: &mut Vec<u8>, list: &[T], each: impl Fn(&mut Vec<u8>, &T)) {
    put(out, &u32::try_from(list.len()).unwrap_or(u32::MAX));
    for one in list {
        each(out, one);
    }
}

fn get_list<T>(
    input: &mut &[u8],
    max: u32,
    each: impl Fn(&mut &[u8]) -> Result<T>,
) -> Result<Vec<T>> {
    let count = get::<u32>(input)?;
    if count > max {
        return Err(wrong("a list is longer than allowed"));
    }
    (0..count).map(|_| each(input)).collect()
}

fn put_round(out: &mut Vec<u8>, round: Round) {
    put(out, &round.as_u32());
}

fn get_round(input: &mut &[u8]) -> Result<Round> {
    Ok(Round::from(get::<Option<u32>>(input)?))
}

fn put_choice(out: &mut Vec<u8>, value: &NilOrVal<Hash>) {
    let value = match value {
        NilOrVal::Nil => None,
        NilOrVal::Val(id) => Some(*id),
    };
    put(out, &value);
}

fn get_choice(input: &mut &[u8]) -> Result<NilOrVal<Hash>> {
    Ok(get::<Option<Hash>>(input)?.map_or(NilOrVal::Nil, NilOrVal::Val))
}

fn put_kind(out: &mut Vec<u8>, kind: VoteType) {
    put(out, &matches!(kind, VoteType::Precommit));
}

fn get_kind(input: &mut &[u8]) -> Result<VoteType> {
    Ok(if get::<bool>(input)? { VoteType::Precommit } else { VoteType::Prevote })
}

/// A validator's signature is never that of a passkey, which has no bound of its own.
fn get_sealed(input: &mut &[u8]) -> Result<Sealed> {
    let tag = input.first().ok_or_else(|| wrong("a signature is missing"))?;
    if *tag > 2 {
        return Err(wrong("a validator signs with Ed25519, P-256 or SM2"));
    }
    get::<Signature>(input).map(Sealed)
}

fn get_address(input: &mut &[u8]) -> Result<Address> {
    get::<OrganisationId>(input).map(Address)
}

fn put_vote(out: &mut Vec<u8>, vote: &SignedMessage<Ours, Vote>) {
    put_kind(out, vote.message.kind);
    put(out, &vote.message.height.0);
    put_round(out, vote.message.round);
    put_choice(out, &vote.message.value);
    put(out, &vote.message.address.0);
    put(out, &vote.signature.0);
}

fn get_vote(input: &mut &[u8]) -> Result<SignedMessage<Ours, Vote>> {
    let vote = Vote {
        kind: get_kind(input)?,
        height: Height(get(input)?),
        round: get_round(input)?,
        value: get_choice(input)?,
        address: get_address(input)?,
    };
    Ok(SignedMessage::new(vote, get_sealed(input)?))
}

fn put_proposal(out: &mut Vec<u8>, proposal: &SignedMessage<Ours, Offer>) {
    let offer = &proposal.message;
    put(out, &offer.height.0);
    put_round(out, offer.round);
    put(out, &offer.value.0);
    put_round(out, offer.pol_round);
    put(out, &offer.address.0);
    put(out, &proposal.signature.0);
}

fn get_proposal(input: &mut &[u8]) -> Result<SignedMessage<Ours, Offer>> {
    let offer = Offer {
        height: Height(get(input)?),
        round: get_round(input)?,
        value: Value(get(input)?),
        pol_round: get_round(input)?,
        address: get_address(input)?,
    };
    Ok(SignedMessage::new(offer, get_sealed(input)?))
}

fn put_polka(out: &mut Vec<u8>, polka: &PolkaCertificate<Ours>) {
    put(out, &polka.height.0);
    put_round(out, polka.round);
    put(out, &polka.value_id);
    put_list(out, &polka.polka_signatures, |out, one| {
        put(out, &one.address.0);
        put(out, &one.signature.0);
    });
}

fn get_polka(input: &mut &[u8]) -> Result<PolkaCertificate<Ours>> {
    Ok(PolkaCertificate {
        height: Height(get(input)?),
        round: get_round(input)?,
        value_id: get(input)?,
        polka_signatures: get_list(input, VALIDATORS_MAX, |input| {
            Ok(PolkaSignature::new(get_address(input)?, get_sealed(input)?))
        })?,
    })
}

fn put_round_certificate(out: &mut Vec<u8>, certificate: &RoundCertificate<Ours>) {
    put(out, &certificate.height.0);
    put_round(out, certificate.round);
    put(out, &matches!(certificate.cert_type, RoundCertificateType::Precommit));
    put_list(out, &certificate.round_signatures, |out, one| {
        put_kind(out, one.vote_type);
        put_choice(out, &one.value_id);
        put(out, &one.address.0);
        put(out, &one.signature.0);
    });
}

fn get_round_certificate(input: &mut &[u8]) -> Result<RoundCertificate<Ours>> {
    let (height, round) = (Height(get(input)?), get_round(input)?);
    let cert_type = match get::<bool>(input)? {
        true => RoundCertificateType::Precommit,
        false => RoundCertificateType::Skip,
    };
    let round_signatures = get_list(input, ROUND_VOTES_MAX, |input| {
        let (kind, value) = (get_kind(input)?, get_choice(input)?);
        Ok(RoundSignature::new(kind, value, get_address(input)?, get_sealed(input)?))
    })?;
    Ok(RoundCertificate { height, round, cert_type, round_signatures })
}

impl Wire for SignedConsensusMsg<Ours> {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Vote(vote) => {
                put(out, &0_u8);
                put_vote(out, vote);
            }
            Self::Proposal(proposal) => {
                put(out, &1_u8);
                put_proposal(out, proposal);
            }
        }
    }

    fn read(input: &mut &[u8]) -> Result<Self> {
        match get::<u8>(input)? {
            0 => get_vote(input).map(Self::Vote),
            1 => get_proposal(input).map(Self::Proposal),
            _ => Err(wrong("neither a vote nor a proposal")),
        }
    }
}

impl Wire for LivenessMsg<Ours> {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Vote(vote) => {
                put(out, &0_u8);
                put_vote(out, vote);
            }
            Self::PolkaCertificate(polka) => {
                put(out, &1_u8);
                put_polka(out, polka);
            }
            Self::SkipRoundCertificate(certificate) => {
                put(out, &2_u8);
                put_round_certificate(out, certificate);
            }
        }
    }

    fn read(input: &mut &[u8]) -> Result<Self> {
        match get::<u8>(input)? {
            0 => get_vote(input).map(Self::Vote),
            1 => get_polka(input).map(Self::PolkaCertificate),
            2 => get_round_certificate(input).map(Self::SkipRoundCertificate),
            _ => Err(wrong("no vote and no certificate")),
        }
    }
}

fn put_carried(out: &mut Vec<u8>, carried: &Carried) {
    put(out, &(carried.height, carried.round, carried.valid_round, carried.proposer));
    put_bytes(out, &carried.block);
}

fn get_carried(input: &mut &[u8]) -> Result<Carried> {
    let (height, round, valid_round, proposer) = get(input)?;
    let block = get_bytes(input, BLOCK_BYTES_MAX)?;
    Ok(Carried { height, round, valid_round, proposer, block })
}

fn put_decided(out: &mut Vec<u8>, (block, certificate): &(Vec<u8>, Certificate)) {
    put_bytes(out, block);
    put(out, &(certificate.height, certificate.round, certificate.value_id));
    put_list(out, &certificate.signatures, |out, one| {
        put(out, &one.organisation);
        put(out, &one.signature);
    });
}

fn get_decided(input: &mut &[u8]) -> Result<(Vec<u8>, Certificate)> {
    let block = get_bytes(input, BLOCK_BYTES_MAX)?;
    let (height, round, value_id) = get(input)?;
    let signatures = get_list(input, VALIDATORS_MAX, |input| {
        let organisation = get(input)?;
        Ok(CommitSignature { organisation, signature: get_sealed(input)?.0 })
    })?;
    Ok((block, Certificate { height, round, value_id, signatures }))
}

impl Wire for Message {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Consensus(message) => {
                put(out, &0_u8);
                message.write(out);
            }
            Self::Liveness(message) => {
                put(out, &1_u8);
                message.write(out);
            }
            Self::Block(carried) => {
                put(out, &2_u8);
                put_carried(out, carried);
            }
            Self::Transactions(list) => {
                put(out, &3_u8);
                put_list(out, list, |out, one| put_bytes(out, one));
            }
            Self::Status(tip) => put(out, &(4_u8, *tip)),
            Self::Fetch(first) => put(out, &(5_u8, *first)),
            Self::Decided(list) => {
                put(out, &6_u8);
                put_list(out, list, put_decided);
            }
            Self::Question(bytes) => {
                put(out, &7_u8);
                put_bytes(out, bytes);
            }
            Self::Reply(bytes) => {
                put(out, &8_u8);
                put_bytes(out, bytes);
            }
            Self::Ask(bytes) => {
                put(out, &9_u8);
                put_bytes(out, bytes);
            }
            Self::Answer(bytes) => {
                put(out, &10_u8);
                put_bytes(out, bytes);
            }
        }
    }

    fn read(input: &mut &[u8]) -> Result<Self> {
        Ok(match get::<u8>(input)? {
            0 => Self::Consensus(Wire::read(input)?),
            1 => Self::Liveness(Wire::read(input)?),
            2 => Self::Block(get_carried(input)?),
            3 => Self::Transactions(get_list(input, TRANSACTION_BATCH_MAX, |input| {
                get_bytes(input, TRANSACTION_BYTES_MAX)
            })?),
            4 => Self::Status(get(input)?),
            5 => Self::Fetch(get(input)?),
            6 => Self::Decided(get_list(input, FETCH_BLOCKS_MAX, get_decided)?),
            7 => Self::Question(get_bytes(input, WORDS_BYTES_MAX)?),
            8 => Self::Reply(get_bytes(input, WORDS_BYTES_MAX)?),
            9 => Self::Ask(get_bytes(input, ASK_BYTES_MAX)?),
            10 => Self::Answer(get_bytes(input, ANSWER_BYTES_MAX)?),
            _ => return Err(wrong("no such message")),
        })
    }
}

impl Wire for ProposedValue<Ours> {
    fn write(&self, out: &mut Vec<u8>) {
        put(out, &self.height.0);
        put_round(out, self.round);
        put_round(out, self.valid_round);
        put(out, &self.proposer.0);
        put(out, &self.value.0);
        put(out, &self.validity.is_valid());
    }

    fn read(input: &mut &[u8]) -> Result<Self> {
        Ok(Self {
            height: Height(get(input)?),
            round: get_round(input)?,
            valid_round: get_round(input)?,
            proposer: get_address(input)?,
            value: Value(get(input)?),
            validity: Validity::from_bool(get(input)?),
        })
    }
}

/// What the engine must not forget at a height.
impl Wire for Input<Ours> {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Vote(vote) => {
                put(out, &0_u8);
                put_vote(out, vote);
            }
            Self::Proposal(proposal) => {
                put(out, &1_u8);
                put_proposal(out, proposal);
            }
            Self::PolkaCertificate(polka) => {
                put(out, &2_u8);
                put_polka(out, polka);
            }
            Self::ProposedValue(value, _) => {
                put(out, &3_u8);
                value.write(out);
            }
            Self::TimeoutElapsed(timeout) => {
                let kind = match timeout.kind {
                    TimeoutKind::Propose => 0_u8,
                    TimeoutKind::Prevote => 1,
                    TimeoutKind::Precommit => 2,
                    TimeoutKind::Rebroadcast | TimeoutKind::FinalizeHeight(_) => 3,
                };
                put(out, &(4_u8, kind));
                put_round(out, timeout.round);
            }
            Self::StartHeight(..)
            | Self::RoundCertificate(_)
            | Self::Propose(_)
            | Self::SyncValueResponse(_) => {
                debug_assert!(false, "the engine asks to keep what it says is never kept");
            }
        }
    }

    fn read(input: &mut &[u8]) -> Result<Self> {
        Ok(match get::<u8>(input)? {
            0 => Self::Vote(get_vote(input)?),
            1 => Self::Proposal(get_proposal(input)?),
            2 => Self::PolkaCertificate(get_polka(input)?),
            3 => Self::ProposedValue(Wire::read(input)?, ValueOrigin::Consensus),
            4 => {
                let kind = match get::<u8>(input)? {
                    0 => TimeoutKind::Propose,
                    1 => TimeoutKind::Prevote,
                    2 => TimeoutKind::Precommit,
                    3 => TimeoutKind::Rebroadcast,
                    _ => return Err(wrong("no such timeout")),
                };
                Self::TimeoutElapsed(Timeout::new(get_round(input)?, kind))
            }
            _ => return Err(wrong("no such entry")),
        })
    }
}

#[cfg(test)]
mod tests;
