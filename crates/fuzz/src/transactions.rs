//! What the ledger decodes: transactions, blocks, receipts, proofs of rows, the genesis.

use std::sync::OnceLock;

use borsh::{BorshDeserialize, BorshSerialize};
use ledger::kernel::state::StateProof;
use ledger::{Block, Genesis, Receipt, Registry, Transaction, registry};
use node::signature::FastVerifier;
use primitives::{Hash, codec};

fn kinds() -> &'static Registry {
    static KINDS: OnceLock<Registry> = OnceLock::new();
    KINDS.get_or_init(registry)
}

/// What decodes has these bytes and no others, unless it holds a map or set, whose order borsh does
/// not insist on; what has one form is decoded to the same value again.
fn decoded_in_one_way<T: BorshDeserialize + BorshSerialize>(bytes: &[u8]) -> Option<T> {
    let value: T = codec::decode(bytes).ok()?;
    let again = codec::encode(&value);
    assert_eq!(again, bytes, "what was decoded has one form");
    Some(value)
}

/// A transaction as it comes over a wire; its signatures are checked as well.
pub fn transaction(bytes: &[u8]) -> bool {
    let Ok(transaction) = Transaction::decode(bytes) else { return false };
    assert_eq!(transaction.encode(), bytes, "a transaction has one form");
    let json = serde_json::to_value(&transaction.authorisations).expect("a form in JSON");
    let again: Vec<_> = serde_json::from_value(json).expect("its own form in JSON");
    assert_eq!(transaction.authorisations, again);
    let _ = transaction.verify(&FastVerifier, kinds());
    true
}

/// The body of a transaction of any kind: the kind's place in the registry, then its bytes.
pub fn body(bytes: &[u8]) -> bool {
    let Some((place, body)) = bytes.split_first() else { return false };
    let all = kinds().kinds();
    let kind = &all[usize::from(*place) % all.len()];
    let _ = kind.registers(body);
    let Some(json) = (kind.body_to_json)(body) else { return false };
    let again = (kind.body_from_json)(json);
    let again = again.expect("what was read has a form in JSON that is read");
    // A body that is not in its one form is refused when it is executed.
    let json = (kind.body_to_json)(&again);
    assert!(json.is_some(), "a body of `{}` is read again", kind.name);
    true
}

/// The same as JSON.
pub fn body_json(bytes: &[u8]) -> bool {
    let Some((place, body)) = bytes.split_first() else { return false };
    let all = kinds().kinds();
    let kind = &all[usize::from(*place) % all.len()];
    let Ok(value) = serde_json::from_slice(body) else { return false };
    let Ok(body) = (kind.body_from_json)(value) else { return false };
    let json = (kind.body_to_json)(&body).expect("a body that was made from JSON has one");
    let again = (kind.body_from_json)(json).expect("and it is read");
    assert_eq!(again, body, "a body of `{}` is the same after JSON", kind.name);
    true
}

/// A block of another validator.
pub fn block(bytes: &[u8]) -> bool {
    let Some(block) = decoded_in_one_way::<Block>(bytes) else { return false };
    let _ = block.header.value_id();
    true
}

/// A receipt of the history.
pub fn receipt(bytes: &[u8]) -> bool {
    let Some(receipt) = decoded_in_one_way::<Receipt>(bytes) else { return false };
    let _ = receipt.record.leaf();
    true
}

/// A proof of a row, handed over by somebody: it proves nothing under a root of another state.
pub fn state_proof(bytes: &[u8]) -> bool {
    let Ok(proof) = codec::decode::<StateProof>(bytes) else { return false };
    for value in [None, Some(&b"value"[..])] {
        assert!(proof.verify(&Hash([9; 32]), b"key", value).is_err());
    }
    true
}

/// The genesis as a file.
pub fn genesis(bytes: &[u8]) -> bool {
    let Ok(genesis) = serde_json::from_slice::<Genesis>(bytes) else { return false };
    let text = serde_json::to_vec(&genesis).expect("a form in JSON");
    let again: Genesis = serde_json::from_slice(&text).expect("its own form is read");
    assert_eq!(again.hash(), genesis.hash());
    true
}
