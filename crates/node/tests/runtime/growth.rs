//! A network that changes while it works: it grows, its keys are replaced, members leave, rules
//! change.

use ledger::kernel::registry::Kind;
use ledger::modules::network::{
    AdmitNode, Contact, Member, NodeRow, RemoveNode, RotateNodeKey, ScheduleUpgrade, SetValidators,
    UPGRADE_BLOCKS_MIN, Upgrade, WithdrawUpgrade,
};
use node::runtime::{Health, OpenError, UpgradeNeeded};
use node::verify::{Evidence, verify_chain};
use node::{NodeHandle, runtime::Submitted};
use primitives::{Hash, Text};

use crate::net::{Net, peer_key, wait_for_the_same, wait_until, who};
use crate::world::{START, balance, content, contribute, key, open_fund, organisation, sign};

const GOVERNING: [&str; 3] = ["bureau", "authority", "regulator"];

/// What those who govern decide, the `nth` of it.
#[track_caller]
pub fn govern(node: &NodeHandle, nth: u64, kind: &impl Kind) -> Submitted {
    let now = START.plus_millis(1_000);
    let content = content("bureau", 10_000 + nth, now, kind);
    let submitted = node.submit(sign(content, &GOVERNING)).unwrap();
    assert_eq!(submitted.receipt.record.outcome, proof::receipt::OutcomeCode::Accepted);
    submitted
}

/// A node as it asks to be admitted.
pub fn candidate(net: &Net, number: usize) -> AdmitNode {
    let name = Hash(peer_key(number).name().unwrap().0);
    let address = Text::new(&net.address(number)).unwrap();
    let node = NodeRow {
        organisation: organisation(&who(number)),
        contact: Some(Contact { name, address }),
        key: key(&net.keys[number]).public_key(),
        renew_by: None,
    };
    AdmitNode { node }
}

/// Names these as the validators.
pub fn name_validators(node: &NodeHandle, nth: u64, numbers: &[usize]) {
    let member = |number: &usize| Member { organisation: organisation(&who(*number)), power: 1 };
    let present = node.view().tip.validators.hash();
    let members = numbers.iter().map(member).collect();
    govern(node, nth, &SetValidators { present, members });
}

#[track_caller]
pub fn pay(node: &NodeHandle, nth: u64) {
    if let Err(error) = node.submit(contribute(1, nth, 100, START.plus_millis(1_000))) {
        panic!("{error}; the node: {:?}", node.status());
    }
}

#[test]
fn one_organisation_becomes_four_members_change_and_their_keys_too() {
    let mut net = Net::new(5, 1);
    let alone = net.open_alone(0);
    alone.submit(open_fund(1, START.plus_millis(1_000))).unwrap();
    (1..=3).for_each(|nth| pay(&alone, nth));
    let height = alone.view().tip.height;
    alone.stop();
    drop(alone);

    // The same folder among others, of whom there are none yet.
    let mut nodes = vec![Some(net.open(0))];
    let at = |nodes: &[Option<NodeHandle>], number: usize| nodes[number].clone().unwrap();
    pay(&at(&nodes, 0), 4);
    assert!(at(&nodes, 0).view().tip.height > height);
    // Nobody is let in before the ledger names it; then it fetches all from the first block on.
    nodes.extend((1..=3).map(|number| Some(net.open(number))));
    for number in 1..=3 {
        assert_eq!(at(&nodes, number).view().tip.height, 0);
        govern(&at(&nodes, 0), number as u64, &candidate(&net, number));
    }
    let all: Vec<_> = nodes.iter().flatten().collect();
    wait_for_the_same(&all, height + 4);
    drop(all);
    name_validators(&at(&nodes, 0), 4, &[0, 1, 2, 3]);
    let height = at(&nodes, 0).view().tip.height;
    pay(&at(&nodes, 3), 5);
    let all: Vec<_> = nodes.iter().flatten().collect();
    wait_for_the_same(&all, height + 1);
    assert_eq!(balance(all[2], 1), 500);
    let signed_by = |node: &NodeHandle| {
        let (_, certificate) = node.header(node.view().tip.height).unwrap().unwrap();
        certificate.signatures.len()
    };
    assert!(signed_by(all[1]) >= 3, "no block counts without three of four");
    drop(all);

    // The founder stops, and the others go on.
    drop(nodes[0].take());
    pay(&at(&nodes, 1), 6);
    // A member's machine is lost with its key; those who govern give it another one.
    nodes[0] = Some(net.open(0));
    drop(nodes[3].take());
    "insurer-4-new".clone_into(&mut net.keys[3]);
    let rotate = RotateNodeKey {
        organisation: organisation(&who(3)),
        key: key(&net.keys[3]).public_key(),
        renew_by: None,
    };
    govern(&at(&nodes, 1), 5, &rotate);
    nodes[3] = Some(net.open(3));
    drop(nodes[2].take());
    // Three are there, and all three are needed: the new key counts.
    pay(&at(&nodes, 3), 7);
    nodes[2] = Some(net.open(2));

    // A fifth one comes in the place of the second, which is let go.
    nodes.push(Some(net.open(4)));
    govern(&at(&nodes, 0), 6, &candidate(&net, 4));
    name_validators(&at(&nodes, 0), 7, &[0, 2, 3, 4]);
    govern(&at(&nodes, 0), 8, &RemoveNode { organisation: organisation(&who(1)) });
    let gone = at(&nodes, 1);
    // Both sides know it: the one that left hears of the block that says so, and of none after.
    let left = at(&nodes, 0).view().tip.height;
    wait_until(|| gone.view().tip.height == left);
    (8..=9).for_each(|nth| pay(&at(&nodes, 4), nth));
    let present = [0, 2, 3, 4].map(|number| at(&nodes, number));
    wait_for_the_same(&present.each_ref(), left + 2);
    assert_eq!(balance(&present[3], 1), 900);
    assert_eq!(gone.view().tip.height, left);
    // Let in again, it has what it missed, and decides again when it is named.
    govern(&at(&nodes, 0), 9, &candidate(&net, 1));
    name_validators(&at(&nodes, 0), 10, &[0, 1, 2, 3, 4]);
    let height = at(&nodes, 0).view().tip.height;
    pay(&gone, 10);
    let all: Vec<_> = nodes.iter().flatten().collect();
    wait_for_the_same(&all, height + 1);
    drop(all);
    drop((present, gone, nodes));
    // Whoever came late has the whole chain, and its certificates follow from genesis.
    let report = verify_chain(&net.places[4].data(), Evidence::default(), |_| {}).unwrap();
    assert!(report.blocks >= left + 2, "{report:?}");
}

#[test]
fn a_fifth_joins_four_founders_and_one_of_them_is_let_go() {
    let mut net = Net::new(5, 4);
    // An invitation names all whom the inviting node knows, and itself.
    net.peers[4] = vec![0, 1, 2, 3];
    let mut nodes: Vec<_> = (0..4).map(|number| Some(net.open(number))).collect();
    let at = |nodes: &[Option<NodeHandle>], number: usize| nodes[number].clone().unwrap();
    at(&nodes, 0).submit(open_fund(1, START.plus_millis(1_000))).unwrap();
    pay(&at(&nodes, 1), 1);
    nodes.push(Some(net.open(4)));
    govern(&at(&nodes, 0), 1, &candidate(&net, 4));
    name_validators(&at(&nodes, 0), 2, &[0, 1, 2, 3, 4]);
    let height = at(&nodes, 0).view().tip.height;
    wait_until(|| at(&nodes, 4).view().tip.height >= height);

    // Whoever invited the fifth falls: the four that are left reach each other, and go on.
    drop(nodes[0].take());
    (2..=4).for_each(|nth| pay(&at(&nodes, nth), nth as u64));
    let left: Vec<_> = nodes.iter().flatten().collect();
    wait_for_the_same(&left, height + 3);
    drop(left);

    // Back again, it leaves those who decide. It has no row, so it is let go: it hears of the block
    // that says so, and of none after, although the files of the others still name it.
    nodes[0] = Some(net.open(0));
    let all: Vec<_> = nodes.iter().flatten().collect();
    wait_for_the_same(&all, height + 3);
    drop(all);
    name_validators(&at(&nodes, 1), 3, &[1, 2, 3, 4]);
    let last = at(&nodes, 1).view().tip.height;
    (5..=7).for_each(|nth| pay(&at(&nodes, 2), nth));
    let present = [1, 2, 3, 4].map(|number| at(&nodes, number));
    wait_for_the_same(&present.each_ref(), last + 3);
    let gone = at(&nodes, 0);
    assert!(gone.view().tip.height <= last + 1, "{} of {last}", gone.view().tip.height);
    drop((gone, present));
    // Nor is it let in when they and it start again.
    drop(nodes);
    let nodes: Vec<_> = (0..5).map(|number| net.open(number)).collect();
    pay(&nodes[3], 8);
    wait_for_the_same(&nodes[1..].iter().collect::<Vec<_>>(), last + 4);
    assert!(nodes[0].view().tip.height <= last + 1);
}

#[test]
fn a_validator_that_comes_back_without_what_it_signed_watches_first() {
    let net = Net::new(4, 4);
    let mut nodes: Vec<_> = (0..4).map(|number| Some(net.open(number))).collect();
    let at = |nodes: &[Option<NodeHandle>], number: usize| nodes[number].clone().unwrap();
    at(&nodes, 0).submit(open_fund(1, START.plus_millis(1_000))).unwrap();
    pay(&at(&nodes, 3), 1);
    // Its disk is lost: the ledger comes back from a copy, and what it signed does not.
    drop(nodes[3].take());
    let folder = net.places[3].folder.path();
    std::fs::remove_file(folder.join("votes")).unwrap();
    std::fs::remove_dir_all(folder.join("consensus")).unwrap();
    nodes[3] = Some(net.open(3));
    let before = at(&nodes, 0).view().tip.height;
    (2..=4).for_each(|nth| pay(&at(&nodes, 0), nth));
    let all: Vec<_> = nodes.iter().flatten().collect();
    wait_for_the_same(&all, before + 3);
    let signed = |node: &NodeHandle, height: u64| {
        let (_, certificate) = node.header(height).unwrap().unwrap();
        certificate.signatures.iter().any(|one| one.organisation == organisation(&who(3)))
    };
    let after = all[0].view().tip.height;
    assert!((before + 1..=after).all(|height| !signed(all[0], height)), "it only watches");
    assert!(all[3].is_watching() && !all[0].is_watching());
    drop(all);
    // A block that was made after it came back: all that was on its way before is decided.
    // A start in between changes nothing in what it may have signed.
    net.places.iter().for_each(|place| place.clock.advance_millis(60_000));
    drop(nodes[3].take());
    nodes[3] = Some(net.open(3));
    pay(&at(&nodes, 0), 5);
    let height = at(&nodes, 0).view().tip.height;
    let all: Vec<_> = nodes.iter().flatten().collect();
    wait_for_the_same(&all, height);
    drop(all);
    // Now nothing is decided without it.
    drop(nodes[0].take());
    pay(&at(&nodes, 3), 6);
    let node = at(&nodes, 3);
    assert!(signed(&node, node.view().tip.height));
    wait_until(|| !node.is_watching());
}

#[test]
fn at_its_height_an_upgrade_stops_the_old_release_and_not_the_new_one() {
    let mut net = Net::new(4, 4);
    let mut nodes: Vec<_> = (0..4).map(|number| Some(net.open(number))).collect();
    let at = |nodes: &[Option<NodeHandle>], number: usize| nodes[number].clone().unwrap();
    at(&nodes, 0).submit(open_fund(1, START.plus_millis(1_000))).unwrap();
    let schedule = |height| ScheduleUpgrade { upgrade: Upgrade { height, protocol: 2 } };
    // Taken back before its height, nothing happens.
    let back = at(&nodes, 0).view().tip.height + 1 + UPGRADE_BLOCKS_MIN;
    govern(&at(&nodes, 0), 1, &schedule(back));
    govern(&at(&nodes, 0), 2, &WithdrawUpgrade { height: back });
    let mut paid = 0;
    while at(&nodes, 0).view().tip.height < back {
        paid += 1;
        pay(&at(&nodes, 0), paid);
    }

    let height = at(&nodes, 0).view().tip.height + 1 + UPGRADE_BLOCKS_MIN;
    govern(&at(&nodes, 0), 3, &schedule(height));
    // One after the other gets the new release, while the network goes on; one does not.
    for number in 0..3 {
        drop(nodes[number].take());
        net.protocols[number] = 2;
        paid += 1;
        pay(&at(&nodes, 3), paid);
        nodes[number] = Some(net.open(number));
    }
    while at(&nodes, 0).view().tip.height + 1 < height {
        paid += 1;
        pay(&at(&nodes, 0), paid);
    }
    paid += 1;
    pay(&at(&nodes, 0), paid);
    let needed = UpgradeNeeded { height, needed: 2, known: 1 };
    let words = needed.to_string();
    wait_until(|| at(&nodes, 3).status() == Health::Failed(words.clone()));
    assert_eq!(at(&nodes, 3).view().tip.height, height - 1);
    drop(nodes[3].take());
    let refused = net.try_open(3).err();
    assert!(matches!(refused, Some(OpenError::Upgrade(same)) if same == needed), "{refused:?}");
    // With the new release on the same folder it catches up.
    net.protocols[3] = 2;
    nodes[3] = Some(net.open(3));
    paid += 1;
    pay(&at(&nodes, 3), paid);
    let all: Vec<_> = nodes.iter().flatten().collect();
    wait_for_the_same(&all, height);
    assert_eq!(balance(all[3], 1), i128::from(paid) * 100);
}
