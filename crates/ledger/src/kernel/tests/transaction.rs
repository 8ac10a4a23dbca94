use super::{bureau, fund, funded, moving, rejected, transfer};
use crate::kernel::block::Admission;
use crate::kernel::idempotency::{self, UsedKey};
use crate::kernel::rejection::{Code, kernel as code};
use crate::kernel::transaction::{
    AUTHORISATIONS_MAX, Authorisation, Content, TRANSACTION_BYTES_MAX, TRANSACTION_VERSION,
    Transaction, TransactionError, VALIDITY_MILLIS_MAX, short,
};
use crate::modules::organisation::AuthoriseKey;
use crate::modules::organisation::Scope;
use crate::testing::{DAY, TestVerifier, World, organisation, pair, person, public};
use alloc::{format, vec, vec::Vec};
use primitives::{Party, PublicKey, Signature, SignatureError, codec, sha256};
use proof::receipt::OutcomeCode;

/// Block and admission reject this content with this code, and the transaction may be mended.
#[track_caller]
fn refuse(world: &mut World, content: &Content, code: Code) {
    let transaction = world.sign(content, &[bureau()]);
    let next = world.now.plus_millis(1_000);
    let refusal = world.ledger.admit(next, &transaction).unwrap_err();
    assert_eq!(refusal.code, code);
    assert_eq!(world.ledger.rehearse(next, &transaction).unwrap_err().code, code);
    let root = world.ledger.state().root();
    let receipt = world.execute(transaction);
    assert_eq!(receipt.record.outcome, rejected(code));
    assert!(receipt.entries.is_empty() && receipt.fields.is_empty());
    assert_eq!(world.ledger.state().root(), root);
}

#[track_caller]
fn accept(world: &mut World, content: &Content) {
    let transaction = world.sign(content, &[bureau()]);
    let next = world.now.plus_millis(1_000);
    assert_eq!(world.ledger.admit(next, &transaction), Ok(Admission::Admitted));
    assert_eq!(world.execute(transaction).record.outcome, OutcomeCode::Accepted);
}

fn used(world: &World, content: &Content) -> Option<UsedKey> {
    idempotency::used(world.ledger.state(), content.author, content.idempotency_key)
}

#[test]
fn a_transaction_of_another_chain_is_rejected() {
    let mut world = funded();
    let content = Content { chain_id: "other".parse().unwrap(), ..moving(&mut world, 1) };
    refuse(&mut world, &content, code::WRONG_CHAIN);
}

#[test]
fn a_transaction_of_another_version_is_rejected() {
    let mut world = funded();
    for version in [0, TRANSACTION_VERSION + 1] {
        let content = Content { version, ..moving(&mut world, 1) };
        refuse(&mut world, &content, code::WRONG_VERSION);
    }
}

#[test]
fn a_transaction_of_an_unknown_kind_is_rejected() {
    let mut world = funded();
    let content = Content { kind: 65_535, ..moving(&mut world, 1) };
    refuse(&mut world, &content, code::UNKNOWN_KIND);
}

#[test]
fn a_transaction_without_its_authors_signature_is_rejected() {
    let mut world = funded();
    let author = Party::Person(person(1));
    let content = Content { author, ..moving(&mut world, 1) };
    refuse(&mut world, &content, code::AUTHOR_MISSING);
}

#[test]
fn a_transaction_is_valid_up_to_its_last_instant_and_for_at_most_seven_days() {
    let mut world = funded();
    let at_execution = |world: &World| world.now.plus_millis(1_000);
    let last = Content { valid_until: at_execution(&world), ..moving(&mut world, 1) };
    accept(&mut world, &last);
    let late = Content { valid_until: world.now.plus_millis(999), ..moving(&mut world, 1) };
    refuse(&mut world, &late, code::EXPIRED);
    let longest = at_execution(&world).plus_millis(VALIDITY_MILLIS_MAX);
    let content = Content { valid_until: longest, ..moving(&mut world, 1) };
    accept(&mut world, &content);
    let longer = at_execution(&world).plus_millis(VALIDITY_MILLIS_MAX + 1);
    let content = Content { valid_until: longer, ..moving(&mut world, 1) };
    refuse(&mut world, &content, code::VALID_TOO_LONG);
    assert_eq!(VALIDITY_MILLIS_MAX, 7 * DAY);
}

#[test]
fn a_crash_on_a_repeated_key() {
    let mut world = funded();
    let content = moving(&mut world, 100);
    let transaction = world.sign(&content, &[bureau()]);
    world.now = world.now.plus_millis(1_000);
    // Twice in one block, then in the next one: it happens once, and the ledger goes on.
    let twice = [transaction.clone(), transaction.clone()];
    let outcome = world.ledger.execute(world.now, &twice);
    let position = world.ledger.tip().log.size();
    let (_, receipts) = world.ledger.apply(outcome);
    let outcomes: Vec<OutcomeCode> =
        receipts.iter().map(|receipt| receipt.record.outcome).collect();
    assert_eq!(outcomes, [OutcomeCode::Accepted, rejected(code::KEY_REUSED)]);
    let first = UsedKey { transaction_id: content.id(), receipt_index: position };
    assert_eq!(world.ledger.admit(world.now, &transaction), Ok(Admission::Done(first)));
    let again = world.execute(transaction);
    assert_eq!(again.record.outcome, rejected(code::KEY_REUSED));
    assert_eq!(used(&world, &content), Some(first));
    assert_eq!(world.balance(fund(2)), 100);
    world.accepted(&[bureau()], &transfer(1));
}

#[test]
fn a_retry_that_rebuilds_a_different_body() {
    let mut world = funded();
    let content = moving(&mut world, 100);
    accept(&mut world, &content);
    let first = used(&world, &content).unwrap();
    assert_eq!(first.transaction_id, content.id());
    let rebuilt = Content { body: codec::encode(&transfer(101)), ..content.clone() };
    let prolonged = Content { valid_until: content.valid_until.plus_millis(1), ..content.clone() };
    for other in [rebuilt, prolonged] {
        let transaction = world.sign(&other, &[bureau()]);
        let refusal = world.ledger.admit(world.now, &transaction).unwrap_err();
        assert_eq!(refusal.code, code::KEY_REUSED);
        assert_eq!(world.execute(transaction).record.outcome, rejected(code::KEY_REUSED));
    }
    assert_eq!(used(&world, &content), Some(first), "the original receipt is still found");
    assert_eq!(world.balance(fund(2)), 100);
}

#[test]
fn another_authors_key_may_be_the_same() {
    let mut world = funded();
    let content = moving(&mut world, 100);
    accept(&mut world, &content);
    let author = Party::Organisation(organisation("regulator"));
    let other = Content { author, ..content };
    let transaction = world.sign(&other, &[bureau(), author]);
    assert_eq!(world.execute(transaction).record.outcome, OutcomeCode::Accepted);
}

#[test]
fn a_second_valid_signature_gives_the_same_id_and_is_done() {
    let mut world = funded();
    let second = AuthoriseKey {
        organisation: organisation("bureau"),
        key: public("second"),
        scopes: vec![Scope::Treasury],
        expires: world.now.plus_millis(DAY),
    };
    world.keys.insert(bureau(), "bureau-root");
    world.accepted(&[bureau()], &second);
    world.keys.remove(&bureau());
    let content = moving(&mut world, 100);
    let first = world.sign(&content, &[bureau()]);
    world.keys.insert(bureau(), "second");
    let signed_anew = world.sign(&content, &[bureau()]);
    let with_witness =
        world.sign(&content, &[bureau(), Party::Organisation(organisation("regulator"))]);
    assert_ne!(first.signers(), signed_anew.signers());
    world.execute(first);
    for other in [signed_anew, with_witness] {
        assert_eq!(other.id(), content.id());
        let admitted = world.ledger.admit(world.now, &other);
        assert!(matches!(admitted, Ok(Admission::Done(used)) if used.transaction_id == other.id()));
        assert_eq!(world.execute(other).record.outcome, rejected(code::KEY_REUSED));
    }
    assert_eq!(world.balance(fund(2)), 100);
}

#[test]
fn a_rejected_transaction_frees_its_key() {
    let mut world = funded();
    let content = moving(&mut world, 2_000);
    refuse_for_now(&mut world, &content, code::INSUFFICIENT_BALANCE);
    assert_eq!(used(&world, &content), None);
    let other = Content { body: codec::encode(&transfer(5)), ..content.clone() };
    accept(&mut world, &other);
    let transaction = world.sign(&content, &[bureau()]);
    assert_eq!(world.execute(transaction).record.outcome, rejected(code::KEY_REUSED));
}

/// The ledger admits it and the block rejects it: only execution knows.
fn refuse_for_now(world: &mut World, content: &Content, code: Code) {
    let transaction = world.sign(content, &[bureau()]);
    assert_eq!(world.ledger.admit(world.now, &transaction), Ok(Admission::Admitted));
    assert_eq!(world.execute(transaction).record.outcome, rejected(code));
}

#[test]
fn a_rehearsal_says_what_a_block_would_and_changes_nothing() {
    let mut world = funded();
    let root = world.ledger.state().root();
    let content = moving(&mut world, 100);
    let transaction = world.sign(&content, &[bureau()]);
    let (outcome, entries) = world.ledger.rehearse(world.now, &transaction).unwrap();
    assert_eq!(world.ledger.state().root(), root);
    let receipt = world.execute(transaction);
    assert_eq!((outcome.fields, entries), (receipt.fields, receipt.entries));
}

/// A signed transfer that a test may spoil.
fn signed(world: &mut World) -> Transaction {
    let content = moving(world, 1);
    let raw = pair("bureau").sign(content.id().as_bytes()).as_ref().try_into().unwrap();
    let authorisation = Authorisation {
        party: bureau(),
        key: public("bureau"),
        signature: Signature::Ed25519(raw),
    };
    Transaction { content, authorisations: vec![authorisation] }
}

fn fault(world: &World, transaction: Transaction) -> TransactionError {
    transaction.verify(&TestVerifier, world.ledger.registry()).unwrap_err()
}

#[test]
fn signatures_are_sorted_and_no_key_signs_twice() {
    let mut world = funded();
    let good = signed(&mut world);
    let regulator = Party::Organisation(organisation("regulator"));
    let mut both = good.clone();
    let raw = pair("regulator").sign(good.content.id().as_bytes()).as_ref().try_into().unwrap();
    both.authorisations.push(Authorisation {
        party: regulator,
        key: public("regulator"),
        signature: Signature::Ed25519(raw),
    });
    let mut turned = both.clone();
    turned.authorisations.reverse();
    assert_eq!(fault(&world, turned.clone()), TransactionError::SignerOrder);
    turned.sort_authorisations();
    assert_eq!(turned, both);
    assert!(both.verify(&TestVerifier, world.ledger.registry()).is_ok());
    let mut twice = good.clone();
    twice.authorisations.push(good.authorisations[0].clone());
    assert_eq!(fault(&world, twice), TransactionError::SignerOrder);
    let mut second = good.clone();
    let raw = pair("second").sign(good.content.id().as_bytes()).as_ref().try_into().unwrap();
    let signature = Signature::Ed25519(raw);
    let party = good.authorisations[0].party;
    second.authorisations.push(Authorisation { party, key: public("second"), signature });
    second.sort_authorisations();
    let verified = second.verify(&TestVerifier, world.ledger.registry()).unwrap();
    assert_eq!(verified.signers_of(party).count(), 2, "one party may sign with two keys");
}

#[test]
fn a_transaction_carries_1_to_16_signatures() {
    let mut world = funded();
    let good = signed(&mut world);
    let none = Transaction { authorisations: vec![], ..good.clone() };
    assert_eq!(fault(&world, none), TransactionError::SignatureCount);
    let many = |count: u8| {
        let id = good.content.id();
        let authorisations = (0..count)
            .map(|number| {
                let name = format!("signer {number}");
                let raw = pair(&name).sign(id.as_bytes()).as_ref().try_into().unwrap();
                Authorisation {
                    party: Party::Person(person(number)),
                    key: public(&name),
                    signature: Signature::Ed25519(raw),
                }
            })
            .collect();
        Transaction { authorisations, ..good.clone() }
    };
    assert!(many(16).verify(&TestVerifier, world.ledger.registry()).is_ok());
    assert_eq!(fault(&world, many(17)), TransactionError::SignatureCount);
    assert_eq!(AUTHORISATIONS_MAX, 16);
}

#[test]
fn a_signature_over_anything_else_is_noticed() {
    let mut world = funded();
    let good = signed(&mut world);
    let invalid = TransactionError::Signature(bureau(), SignatureError::InvalidSignature);
    let content = Content { body: codec::encode(&transfer(2)), ..good.content.clone() };
    assert_eq!(fault(&world, Transaction { content, ..good.clone() }), invalid);
    let content =
        Content { valid_until: good.content.valid_until.plus_millis(1), ..good.content.clone() };
    assert_eq!(fault(&world, Transaction { content, ..good.clone() }), invalid);
    let mut stranger = good;
    stranger.authorisations[0].key = public("stranger");
    assert_eq!(fault(&world, stranger), invalid);
}

#[test]
fn a_body_that_registers_an_invalid_key_does_not_reach_a_block() {
    let mut world = funded();
    let body = AuthoriseKey {
        organisation: organisation("bureau"),
        key: PublicKey::Ed25519([0; 32]),
        scopes: vec![Scope::Clerk],
        expires: world.now.plus_millis(DAY),
    };
    let content = world.content(bureau(), &body);
    let raw = pair("bureau-root").sign(content.id().as_bytes()).as_ref().try_into().unwrap();
    let authorisation = Authorisation {
        party: bureau(),
        key: public("bureau-root"),
        signature: Signature::Ed25519(raw),
    };
    let transaction = Transaction { content, authorisations: vec![authorisation] };
    assert_eq!(fault(&world, transaction), TransactionError::Key(PublicKey::Ed25519([0; 32])));
}

#[test]
fn the_bytes_of_a_transaction_have_one_form() {
    let mut world = funded();
    let good = signed(&mut world);
    let bytes = good.encode();
    assert_eq!(Transaction::decode(&bytes), Ok(good));
    for length in 0..bytes.len() {
        assert_eq!(Transaction::decode(&bytes[..length]), Err(TransactionError::Malformed));
    }
    let longer = [bytes, vec![0]].concat();
    assert_eq!(Transaction::decode(&longer), Err(TransactionError::Malformed));
    let huge = vec![0; TRANSACTION_BYTES_MAX + 1];
    assert_eq!(Transaction::decode(&huge), Err(TransactionError::TooLarge));
    assert_eq!(Transaction::decode(&huge[1..]), Err(TransactionError::Malformed));
}

#[test]
fn every_fault_of_a_transaction_is_said_in_plain_words() {
    let mut world = funded();
    let good = signed(&mut world);
    let id = good.content.id();
    assert_eq!(short(&id), format!("{id}")[..8]);
    let checked = good.clone().verify(&TestVerifier, world.ledger.registry()).unwrap();
    assert_ne!(id, checked.receipt_seed());
    assert_ne!(id, sha256(&codec::encode(&good.content)), "ids have a domain of their own");
    let faults = [
        (TransactionError::Malformed, "not a transaction"),
        (TransactionError::TooLarge, "at most 524288 bytes"),
        (TransactionError::SignatureCount, "1 to 16 signatures"),
        (TransactionError::SignerOrder, "sorted"),
        (
            TransactionError::Signature(bureau(), SignatureError::InvalidSignature),
            "`organisation:bureau`",
        ),
        (TransactionError::Key(public("x")), "not a valid public key"),
    ];
    for (fault, words) in faults {
        let text = format!("{fault}");
        assert!(text.contains(words), "{text}");
    }
}
