//! `vectors/voucher/`: a voucher with all facts open, the same with some closed, the policies that
//! do and do not accept them, and what they say.

use std::path::Path;
use std::sync::Arc;

use adapters::clock::ManualClock;
use benefit::Payer;
use ledger::kernel::registry::Kind;
use ledger::kernel::transaction::TRANSACTION_VERSION;
use ledger::modules::fund::{Contribute, OpenFund};
use ledger::{Authorisation, Content, IdempotencyKey, Transaction};
use node::receipt_log::LogSigner;
use node::runtime::{BlockSigner, Node, NodeConfig, NodeHandle, SnapshotPace, Threads};
use node::signature::FastVerifier;
use node::store::{Folder, LogLimits};
use primitives::{Amount, FundId, Hash, Party, codec, sha256};
use proof::policy::{Policy, policy_text};
use proof::voucher::Voucher;
use serde_json::json;

use crate::golden::{check, check_json};
use crate::support::founding::{CHAIN, ORIGIN, REGION, START, genesis, key, organisation};

/// The organisation of this code as a party.
pub fn party(code: &str) -> Party {
    Party::Organisation(organisation(code))
}

/// A node in this folder that does everything on this thread, at a time that stands still.
fn node(folder: &Path) -> NodeHandle {
    let config = NodeConfig {
        signer: BlockSigner::new(organisation("bureau"), key("bureau-blocks")),
        log_signer: LogSigner::new(ORIGIN, key("log")).expect("an Ed25519 key and a name"),
        clock: Arc::new(ManualClock::at(START.plus_millis(1_000))),
        history: folder.join("history.sqlite"),
        randomness: [7; 32],
        mempool: node::MempoolLimits::default(),
        log: LogLimits::default(),
        snapshots: SnapshotPace { at_stop: false, ..SnapshotPace::default() },
        blocks_kept: None,
        is_newest_copy: false,
        protocol: ledger::kernel::block::PROTOCOL,
        threads: Threads::Caller,
    };
    let disk = Folder::open(folder.join("data")).expect("a folder");
    Node::open(disk, &genesis(), config).expect("a new ledger").0
}

/// Signs and submits; gives the transaction's id.
fn submit<K: Kind>(node: &NodeHandle, number: u8, kind: &K) -> Hash {
    let content = Content {
        version: TRANSACTION_VERSION,
        chain_id: CHAIN.parse().expect("a short name"),
        author: party("insurer"),
        idempotency_key: IdempotencyKey([number; 16]),
        valid_until: START.plus_millis(3_600_000),
        kind: K::NUMBER,
        body: codec::encode(kind),
    };
    let (id, key) = (content.id(), key("insurer"));
    let signature = key.sign(&id);
    let authorisation = Authorisation { party: party("insurer"), key: key.public_key(), signature };
    let transaction = Transaction { content, authorisations: vec![authorisation] };
    let submitted = node.submit(transaction).expect("a valid transaction");
    assert_eq!(submitted.receipt.rejection_detail, None);
    id
}

fn contribute(number: u8) -> Contribute {
    let reference = sha256(&[number]);
    Contribute {
        region: REGION,
        fund: FundId(1),
        amount: Amount::from_minor(100 + u64::from(number)),
        reference,
    }
}

#[test]
fn a_voucher_has_this_form_and_is_judged_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = node(folder.path());
    let fund = OpenFund {
        region: REGION,
        fund: FundId(1),
        owner: organisation("insurer"),
        purpose: Payer::CommercialSupplement,
        year: None,
        floor: Amount::ZERO,
    };
    submit(&node, 0, &fund);
    let ids: Vec<Hash> = (1..=5).map(|number| submit(&node, number, &contribute(number))).collect();
    let voucher = node.issue_voucher(&ids[2], None).expect("it can be read").expect("it is there");
    let closed = voucher.show_only(&[]).expect("nothing is shown");
    let policy = policy_text(node.log_key(), &[], 0);
    let other = LogSigner::new(ORIGIN, key("another log")).expect("an Ed25519 key and a name");
    let other = policy_text(other.public_key(), &[], 0);
    check("vectors/voucher/open.tlog-proof", &voucher.encode());
    check("vectors/voucher/closed.tlog-proof", &closed.encode());
    check("vectors/voucher/policy.txt", &policy);
    check("vectors/voucher/other-policy.txt", &other);
    let judged = |voucher: &Voucher, policy: &str| {
        let policy = Policy::parse(policy.as_bytes()).expect("a policy");
        match voucher.verify(&policy, &FastVerifier) {
            Ok(verified) => json!({
                "outcome": "valid",
                "record": verified.record,
                "leaf": hex::encode(voucher.export_record()),
                "fields": verified.fields.values().collect::<Vec<_>>(),
                "index": verified.index,
                "log_size": verified.log_size,
                "log": verified.log.name(),
            }),
            Err(refusal) => json!({ "outcome": refusal.to_string() }),
        }
    };
    let vectors = json!([
        { "voucher": "open.tlog-proof", "policy": "policy.txt", "says": judged(&voucher, &policy) },
        { "voucher": "closed.tlog-proof", "policy": "policy.txt", "says": judged(&closed, &policy) },
        { "voucher": "open.tlog-proof", "policy": "other-policy.txt", "says": judged(&voucher, &other) },
    ]);
    assert_eq!(vectors[0]["says"]["outcome"], "valid");
    assert_eq!(vectors[1]["says"]["fields"].as_array().map(Vec::len), Some(0));
    assert_ne!(vectors[2]["says"]["outcome"], "valid");
    check_json("vectors/voucher/expected.json", &vectors);
    node.stop();
}
