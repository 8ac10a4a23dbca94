//! The bytes of what the engine sends and keeps: borsh, bounded before anything is allocated, and
//! refused when a byte is left over.
//!
//! What the engine writes into its log (votes, proposals, proposed values, polkas) is a stored
//! form: a change of it needs another name of the log's file.

use borsh::io::{Error, ErrorKind, Read, Result};
use borsh::{BorshDeserialize, BorshSerialize};
use bytes::Bytes;
use malachite::app::consensus::{LivenessMsg, ProposedValue, SignedConsensusMsg};
use malachite::app::streaming::{StreamContent, StreamId, StreamMessage};
use malachite::app::types::codec::{Codec, HasEncodedLen};
use malachite::app::types::core::{
    ExtendedCommitCertificate, ExtendedCommitSignature, NilOrVal, PolkaCertificate, PolkaSignature,
    Round, RoundCertificate, RoundCertificateType, RoundSignature, SignedMessage, ValidatorProof,
    Validity, VoteType,
};
use malachite::app::types::{PeerId, sync};
use malachite_sync::{ValueRequest, ValueResponse};
use primitives::{Hash, OrganisationId, Signature};
use proof::header::VALIDATORS_MAX;

use crate::context::{Address, Carried, Height, Offer, Ours, Part, Sealed, Value, Vote};
use crate::{BLOCK_BYTES_MAX, SYNC_BLOCKS_MAX, TRANSACTION_BATCH_MAX, TRANSACTION_BYTES_MAX};

/// The most bytes of names that the network gives its members and streams.
const NAME_BYTES_MAX: u32 = 128;
/// Two votes of each validator: what a certificate of a round may hold.
const ROUND_VOTES_MAX: u32 = VALIDATORS_MAX * 2;

/// Bytes that are not what they should be.
#[derive(Debug, thiserror::Error)]
#[error("not what the network sends: {0}")]
pub(crate) struct Malformed(String);

impl From<Error> for Malformed {
    fn from(error: Error) -> Self {
        Self(error.to_string())
    }
}

/// All codecs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Borsh;

/// A type in the form in which it travels.
pub(crate) trait Wire: Sized {
    fn write(&self, out: &mut Vec<u8>);
    fn read(input: &mut &[u8]) -> Result<Self>;
}

impl<T: Wire> Codec<T> for Borsh {
    type Error = Malformed;

    fn decode(&self, bytes: Bytes) -> std::result::Result<T, Malformed> {
        let mut rest: &[u8] = &bytes;
        let value = T::read(&mut rest)?;
        if rest.is_empty() { Ok(value) } else { Err(wrong("bytes are left over").into()) }
    }

    fn encode(&self, value: &T) -> std::result::Result<Bytes, Malformed> {
        let mut out = Vec::new();
        value.write(&mut out);
        Ok(out.into())
    }
}

impl HasEncodedLen<sync::Response<Ours>> for Borsh {
    fn encoded_len(
        &self,
        response: &sync::Response<Ours>,
    ) -> std::result::Result<usize, Malformed> {
        self.encode(response).map(|bytes| bytes.len())
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
                let offer = &proposal.message;
                put(out, &offer.height.0);
                put_round(out, offer.round);
                put(out, &offer.value.0);
                put_round(out, offer.pol_round);
                put(out, &offer.address.0);
                put(out, &proposal.signature.0);
            }
        }
    }

    fn read(input: &mut &[u8]) -> Result<Self> {
        match get::<u8>(input)? {
            0 => get_vote(input).map(Self::Vote),
            1 => {
                let offer = Offer {
                    height: Height(get(input)?),
                    round: get_round(input)?,
                    value: Value(get(input)?),
                    pol_round: get_round(input)?,
                    address: get_address(input)?,
                };
                Ok(Self::Proposal(SignedMessage::new(offer, get_sealed(input)?)))
            }
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

impl Wire for Part {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Block(carried) => {
                put(out, &0_u8);
                put(out, &(carried.height, carried.round, carried.valid_round, carried.proposer));
                put_bytes(out, &carried.block);
            }
            Self::Transactions(list) => {
                put(out, &1_u8);
                put_list(out, list, |out, one| put_bytes(out, one));
            }
        }
    }

    fn read(input: &mut &[u8]) -> Result<Self> {
        match get::<u8>(input)? {
            0 => {
                let (height, round, valid_round, proposer) = get(input)?;
                let block = get_bytes(input, BLOCK_BYTES_MAX)?;
                Ok(Self::Block(Box::new(Carried { height, round, valid_round, proposer, block })))
            }
            1 => get_list(input, TRANSACTION_BATCH_MAX, |input| {
                get_bytes(input, TRANSACTION_BYTES_MAX)
            })
            .map(Self::Transactions),
            _ => Err(wrong("no block and no transactions")),
        }
    }
}

impl Wire for StreamMessage<Part> {
    fn write(&self, out: &mut Vec<u8>) {
        put_bytes(out, &self.stream_id.to_bytes());
        put(out, &self.sequence);
        match &self.content {
            StreamContent::Data(part) => {
                put(out, &0_u8);
                part.write(out);
            }
            StreamContent::Fin => put(out, &1_u8),
        }
    }

    fn read(input: &mut &[u8]) -> Result<Self> {
        let stream = StreamId::new(get_bytes(input, NAME_BYTES_MAX)?.into());
        let sequence = get(input)?;
        let content = match get::<u8>(input)? {
            0 => StreamContent::Data(Part::read(input)?),
            1 => StreamContent::Fin,
            _ => return Err(wrong("no part and no end")),
        };
        Ok(Self::new(stream, sequence, content))
    }
}

impl Wire for ValidatorProof<Ours> {
    fn write(&self, out: &mut Vec<u8>) {
        put_bytes(out, &self.public_key);
        put_bytes(out, &self.peer_id);
        put(out, &self.signature.0);
    }

    fn read(input: &mut &[u8]) -> Result<Self> {
        let (key, peer) = (get_bytes(input, NAME_BYTES_MAX)?, get_bytes(input, NAME_BYTES_MAX)?);
        Ok(Self::new(key, peer, get_sealed(input)?))
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

impl Wire for PolkaCertificate<Ours> {
    fn write(&self, out: &mut Vec<u8>) {
        put_polka(out, self);
    }

    fn read(input: &mut &[u8]) -> Result<Self> {
        get_polka(input)
    }
}

fn put_peer(out: &mut Vec<u8>, peer: &PeerId) {
    put_bytes(out, &peer.to_bytes());
}

fn get_peer(input: &mut &[u8]) -> Result<PeerId> {
    let bytes = get_bytes(input, NAME_BYTES_MAX)?;
    PeerId::from_bytes(&bytes).map_err(|_| wrong("a peer's name"))
}

impl Wire for sync::Status<Ours> {
    fn write(&self, out: &mut Vec<u8>) {
        put_peer(out, &self.peer_id);
        put(out, &(self.tip_height.0, self.history_min_height.0));
    }

    fn read(input: &mut &[u8]) -> Result<Self> {
        let (peer_id, tip_height) = (get_peer(input)?, Height(get(input)?));
        Ok(Self { peer_id, tip_height, history_min_height: Height(get(input)?) })
    }
}

impl Wire for sync::Request<Ours> {
    fn write(&self, out: &mut Vec<u8>) {
        let Self::ValueRequest(request) = self;
        put(out, &(request.range.start().0, request.range.end().0));
    }

    fn read(input: &mut &[u8]) -> Result<Self> {
        let (first, last) = get::<(u64, u64)>(input)?;
        Ok(Self::ValueRequest(ValueRequest::new(Height(first)..=Height(last))))
    }
}

fn put_decided(out: &mut Vec<u8>, one: &sync::RawDecidedValue<Ours>) {
    put_bytes(out, &one.value_bytes);
    let certificate = &one.certificate;
    put(out, &certificate.height.0);
    put_round(out, certificate.round);
    put(out, &certificate.value_id);
    put_list(out, &certificate.commit_signatures, |out, one| {
        put(out, &one.address.0);
        put(out, &one.signature.0);
    });
}

fn get_decided(input: &mut &[u8]) -> Result<sync::RawDecidedValue<Ours>> {
    let block = get_bytes(input, BLOCK_BYTES_MAX)?;
    let certificate = ExtendedCommitCertificate {
        height: Height(get(input)?),
        round: get_round(input)?,
        value_id: get(input)?,
        commit_signatures: get_list(input, VALIDATORS_MAX, |input| {
            Ok(ExtendedCommitSignature::new(get_address(input)?, get_sealed(input)?, None))
        })?,
    };
    Ok(sync::RawDecidedValue::new(block.into(), certificate))
}

impl Wire for sync::Response<Ours> {
    fn write(&self, out: &mut Vec<u8>) {
        let Self::ValueResponse(response) = self;
        put(out, &response.start_height.0);
        put_list(out, &response.values, put_decided);
    }

    fn read(input: &mut &[u8]) -> Result<Self> {
        let start = Height(get(input)?);
        let values = get_list(input, SYNC_BLOCKS_MAX, get_decided)?;
        Ok(Self::ValueResponse(ValueResponse::new(start, values)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Debug;

    fn who(name: &str) -> Address {
        Address(name.parse().unwrap())
    }

    fn sealed(byte: u8) -> Sealed {
        Sealed(Signature::Ed25519([byte; 64]))
    }

    /// It comes back as it was, and neither cut short nor with a byte more.
    fn check<T: Wire + Debug + PartialEq>(value: &T) {
        let bytes = Borsh.encode(value).unwrap();
        let back: T = Borsh.decode(bytes.clone()).unwrap();
        assert_eq!(&back, value);
        for length in 0..bytes.len() {
            let cut: std::result::Result<T, Malformed> = Borsh.decode(bytes.slice(..length));
            assert!(cut.is_err(), "{length} of {} bytes", bytes.len());
        }
        let longer: std::result::Result<T, Malformed> =
            Borsh.decode([&bytes[..], &[0]].concat().into());
        assert!(longer.is_err(), "a byte more");
    }

    fn vote(kind: VoteType, value: NilOrVal<Hash>) -> SignedMessage<Ours, Vote> {
        let (height, round, address) = (Height(9), Round::new(2), who("bureau"));
        SignedMessage::new(Vote { kind, height, round, value, address }, sealed(1))
    }

    #[test]
    fn votes_proposals_and_certificates_come_back_and_nothing_else_is_taken_for_them() {
        let id = Hash([7; 32]);
        check(&SignedConsensusMsg::Vote(vote(VoteType::Prevote, NilOrVal::Nil)));
        check(&SignedConsensusMsg::Vote(vote(VoteType::Precommit, NilOrVal::Val(id))));
        let offer = Offer {
            height: Height(9),
            round: Round::new(2),
            value: Value(id),
            pol_round: Round::Nil,
            address: who("tax"),
        };
        check(&SignedConsensusMsg::Proposal(SignedMessage::new(offer, sealed(2))));
        let polka = PolkaCertificate {
            height: Height(9),
            round: Round::new(1),
            value_id: id,
            polka_signatures: vec![PolkaSignature::new(who("tax"), sealed(3))],
        };
        check(&polka);
        check(&LivenessMsg::PolkaCertificate(polka));
        check(&LivenessMsg::SkipRoundCertificate(RoundCertificate {
            height: Height(9),
            round: Round::new(1),
            cert_type: RoundCertificateType::Skip,
            round_signatures: vec![RoundSignature::new(
                VoteType::Prevote,
                NilOrVal::Nil,
                who("audit"),
                sealed(4),
            )],
        }));
        check(&ProposedValue::<Ours> {
            height: Height(9),
            round: Round::new(0),
            valid_round: Round::Nil,
            proposer: who("tax"),
            value: Value(id),
            validity: Validity::Valid,
        });
    }

    #[test]
    fn blocks_transactions_and_answers_come_back() {
        let carried = Carried {
            height: 3,
            round: 1,
            valid_round: Some(0),
            proposer: "tax".parse().unwrap(),
            block: vec![1, 2, 3],
        };
        let stream = StreamId::new(vec![1, 2].into());
        let part = Part::Block(Box::new(carried));
        check(&StreamMessage::new(stream.clone(), 0, StreamContent::Data(part)));
        let part = Part::Transactions(vec![vec![1], vec![], vec![2, 3]]);
        check(&StreamMessage::new(stream, 0, StreamContent::Data(part)));
        let certificate = ExtendedCommitCertificate {
            height: Height(3),
            round: Round::new(0),
            value_id: Hash([1; 32]),
            commit_signatures: vec![ExtendedCommitSignature::new(who("tax"), sealed(5), None)],
        };
        let value = sync::RawDecidedValue::new(vec![4, 5].into(), certificate);
        check(&sync::Response::ValueResponse(ValueResponse::new(Height(3), vec![value])));
        check(&sync::Request::<Ours>::ValueRequest(ValueRequest::new(Height(1)..=Height(5))));
        check(&ValidatorProof::<Ours>::new(vec![1], vec![2], sealed(6)));
    }

    #[test]
    fn lists_and_blocks_beyond_their_bound_are_refused_before_they_are_read() {
        let mut bytes = vec![1];
        put(&mut bytes, &(TRANSACTION_BATCH_MAX + 1));
        let result: std::result::Result<Part, Malformed> = Borsh.decode(bytes.into());
        assert!(result.unwrap_err().to_string().contains("longer than allowed"));
        let mut bytes = vec![0];
        put(&mut bytes, &(1_u64, 0_u32, None::<u32>, who("tax").0));
        put(&mut bytes, &(BLOCK_BYTES_MAX + 1));
        let result: std::result::Result<Part, Malformed> = Borsh.decode(bytes.into());
        assert!(result.unwrap_err().to_string().contains("more bytes than allowed"));
    }
}
