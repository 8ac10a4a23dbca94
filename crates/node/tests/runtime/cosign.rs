//! Vouchers of a network: cosigned by the other validators, and checked by a policy that anybody
//! can write from the ledger.

use node::signature::FastVerifier;
use proof::cosign::voucher_policy;
use proof::note::NoteKey;
use proof::policy::Policy;
use proof::voucher::{VerifiedVoucher, Voucher};

use crate::net::{Net, wait_for_the_same};
use crate::world::{START, contribute, open_fund};

const NODES: usize = 4;

/// What a voucher proves to somebody who trusts the validators.
fn checked(voucher: &Voucher, log: &NoteKey, world: &Net) -> Option<VerifiedVoucher> {
    let genesis = &world.genesis;
    let policy = voucher_policy(log, genesis.chain_id, &genesis.validators);
    let policy = Policy::parse(policy.as_bytes()).unwrap();
    let decoded = Voucher::decode(voucher.encode().as_bytes()).unwrap();
    decoded.verify(&policy, &FastVerifier).ok()
}

#[test]
fn a_voucher_is_cosigned_by_those_who_decide_and_by_nobody_alone() {
    let world = Net::new(NODES, NODES);
    let now = START.plus_millis(1_000);
    let mut nodes: Vec<_> = (0..NODES).map(|number| Some(world.open(number))).collect();
    let first = nodes[0].clone().unwrap();
    let opened = first.submit(open_fund(1, now)).unwrap().receipt.record.transaction_id;
    wait_for_the_same(&nodes.iter().flatten().collect::<Vec<_>>(), 1);
    for node in nodes.iter().flatten() {
        // Whoever issues it, under the name of its own log.
        let voucher = node.issue_voucher(&opened, None).unwrap().unwrap();
        let proved = checked(&voucher, node.log_key(), &world).unwrap();
        assert!(proved.cosigners.len() >= 3, "{:?}", proved.cosigners);
        assert_eq!(proved.record.transaction_id, opened);
    }

    // One is down: the other three are enough, for what happened since as well.
    nodes[3] = None;
    let later = first.submit(contribute(1, 1, 100, now)).unwrap();
    let later = later.receipt.record.transaction_id;
    let voucher = first.issue_voucher(&later, None).unwrap().unwrap();
    let proved = checked(&voucher, first.log_key(), &world).unwrap();
    assert_eq!(proved.cosigners.len(), 3);

    // Two are down: what was cosigned is handed out on, and no voucher that nobody else stands for.
    nodes[2] = None;
    let again = first.issue_voucher(&opened, None).unwrap().unwrap();
    assert!(checked(&again, first.log_key(), &world).is_some());
    let second = nodes[1].take().unwrap();
    second.stop();
    drop(second);
    drop(nodes);
    first.stop();
    drop(first);
    let alone = world.open(0);
    assert_eq!(alone.issue_voucher(&later, None).unwrap(), None);
    // The log's own word is there, and is not enough.
    assert_eq!(alone.checkpoint().unwrap().note().signatures().len(), 1);
}
