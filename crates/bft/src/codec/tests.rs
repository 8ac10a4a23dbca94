//! What is written comes back, and nothing else does.

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
    let bytes = value.encode();
    assert_eq!(&T::decode(&bytes).unwrap(), value);
    for length in 0..bytes.len() {
        assert!(T::decode(&bytes[..length]).is_err(), "{length} of {} bytes", bytes.len());
    }
    assert!(T::decode(&[&bytes[..], &[0]].concat()).is_err(), "a byte more");
}

fn vote(kind: VoteType, value: NilOrVal<Hash>) -> SignedMessage<Ours, Vote> {
    let (height, round, address) = (Height(9), Round::new(2), who("bureau"));
    SignedMessage::new(Vote { kind, height, round, value, address }, sealed(1))
}

#[test]
fn votes_proposals_and_certificates_come_back_and_nothing_else_is_taken_for_them() {
    let id = Hash([7; 32]);
    for (kind, value) in
        [(VoteType::Prevote, NilOrVal::Nil), (VoteType::Precommit, NilOrVal::Val(id))]
    {
        check(&Message::Consensus(SignedConsensusMsg::Vote(vote(kind, value))));
        check(&Message::Liveness(LivenessMsg::Vote(vote(kind, value))));
        check(&Input::Vote(vote(kind, value)));
    }
    let offer = Offer {
        height: Height(9),
        round: Round::new(2),
        value: Value(id),
        pol_round: Round::Nil,
        address: who("tax"),
    };
    let proposal = SignedMessage::new(offer, sealed(2));
    check(&Message::Consensus(SignedConsensusMsg::Proposal(proposal.clone())));
    check(&Input::Proposal(proposal));
    let polka = PolkaCertificate {
        height: Height(9),
        round: Round::new(1),
        value_id: id,
        polka_signatures: vec![PolkaSignature::new(who("tax"), sealed(3))],
    };
    check(&Input::PolkaCertificate(polka.clone()));
    check(&Message::Liveness(LivenessMsg::PolkaCertificate(polka)));
    let round_signatures =
        vec![RoundSignature::new(VoteType::Prevote, NilOrVal::Nil, who("audit"), sealed(4))];
    check(&Message::Liveness(LivenessMsg::SkipRoundCertificate(RoundCertificate {
        height: Height(9),
        round: Round::new(1),
        cert_type: RoundCertificateType::Skip,
        round_signatures,
    })));
    let value = ProposedValue {
        height: Height(9),
        round: Round::new(0),
        valid_round: Round::Nil,
        proposer: who("tax"),
        value: Value(id),
        validity: Validity::Valid,
    };
    check(&Input::ProposedValue(value, ValueOrigin::Consensus));
    check(&Input::<Ours>::TimeoutElapsed(Timeout::prevote(Round::new(3))));
}

#[test]
fn blocks_transactions_and_answers_come_back() {
    check(&Message::Block(Carried {
        height: 3,
        round: 1,
        valid_round: Some(0),
        proposer: who("tax").0,
        block: vec![1, 2, 3],
    }));
    check(&Message::Transactions(vec![vec![1], vec![], vec![2, 3]]));
    let signature = CommitSignature { organisation: who("tax").0, signature: sealed(5).0 };
    let (value_id, signatures) = (Hash([1; 32]), vec![signature]);
    let certificate = Certificate { height: 3, round: 0, value_id, signatures };
    check(&Message::Decided(vec![(vec![4, 5], certificate)]));
    check(&Message::Status(7));
    check(&Message::Fetch(8));
    check(&Message::Question(vec![6, 7]));
    check(&Message::Reply(vec![]));
    check(&Message::Ask(vec![8]));
    check(&Message::Answer(vec![9; 70_000]));
}

#[test]
fn lists_and_blocks_beyond_their_bound_are_refused_before_they_are_read() {
    let mut bytes = vec![3];
    put(&mut bytes, &(TRANSACTION_BATCH_MAX + 1));
    let refused = Message::decode(&bytes).unwrap_err().to_string();
    assert!(refused.contains("longer than allowed"), "{refused}");
    let mut bytes = vec![2];
    put(&mut bytes, &(1_u64, 0_u32, None::<u32>, who("tax").0));
    put(&mut bytes, &(BLOCK_BYTES_MAX + 1));
    let refused = Message::decode(&bytes).unwrap_err().to_string();
    assert!(refused.contains("more bytes than allowed"), "{refused}");
}
