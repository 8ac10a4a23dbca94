//! Four organisations' nodes, each with its own folder and engine, over this machine's loopback.

use node::NodeHandle;
use node::runtime::SubmitError;
use node::store::{Folder, UndecidedBlocks};
use node::verify::{Evidence, verify_chain};

use crate::net::{Net, wait_for_the_same, wait_until, who};
use crate::world::{START, balance, contribute, open_fund, organisation};

const NODES: usize = 4;

/// Whose turn it is to propose the block of this height first.
fn proposer(net: &Net, height: u64) -> usize {
    let members = net.genesis.validators.validators();
    let member = &members[usize::try_from(height).unwrap() % members.len()];
    (0..NODES).find(|number| organisation(&who(*number)) == member.organisation).unwrap()
}

/// How many blocks of this height or a later one this node keeps, and has not decided.
fn undecided(net: &Net, number: usize, height: u64) -> usize {
    let files = std::fs::read_dir(net.places[number].data().join("undecided")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    names.filter(|name| *name >= format!("{height:020}-")).count()
}

#[test]
fn four_nodes_agree_one_falls_and_comes_back() {
    let world = Net::new(NODES, NODES);
    let now = START.plus_millis(1_000);
    let mut nodes: Vec<_> = (0..NODES).map(|number| Some(world.open(number))).collect();
    let at = |nodes: &[Option<NodeHandle>], number: usize| nodes[number].clone().unwrap();
    for number in 1..=4 {
        // Each organisation hands its transaction to its own node; all get their answer.
        let node = at(&nodes, usize::from(number) - 1);
        node.submit(open_fund(number, now)).unwrap();
    }
    for nth in 1..=5 {
        at(&nodes, nth as usize % NODES).submit(contribute(1, nth, 100, now)).unwrap();
    }
    let all: Vec<_> = nodes.iter().flatten().collect();
    wait_for_the_same(&all, 1);
    assert_eq!(balance(all[3], 1), 500);
    // Offered to another node again, it is the same receipt, and no other block.
    let again = at(&nodes, 2).submit(contribute(1, 5, 100, now)).unwrap();
    assert!(again.is_duplicate);

    let reached = |node: &NodeHandle| {
        let peers = node.peers();
        assert_eq!(peers.len(), NODES - 1);
        peers.iter().filter(|peer| peer.is_connected).count()
    };
    wait_until(|| reached(&at(&nodes, 0)) == NODES - 1);
    drop(nodes[3].take());
    wait_until(|| reached(&at(&nodes, 0)) == NODES - 2);
    for nth in 6..=12 {
        at(&nodes, nth as usize % 3).submit(contribute(1, nth, 100, now)).unwrap();
    }
    let height = at(&nodes, 0).view().tip.height;
    nodes[3] = Some(world.open(3));
    assert!(at(&nodes, 3).view().tip.height < height);
    at(&nodes, 0).submit(contribute(1, 13, 100, now)).unwrap();
    at(&nodes, 3).submit(contribute(1, 14, 100, now)).unwrap();
    let all: Vec<_> = nodes.iter().flatten().collect();
    wait_for_the_same(&all, height + 1);
    assert_eq!(balance(all[3], 1), 1_400);
    drop(all);

    // Two of four decide nothing. What one of them had proposed and kept may be decided or not when
    // all four are back; its submitter heard that the outcome is not known, and submits it again.
    // The two that stay are those whose turn is next: a block under way moves it by one.
    let height = at(&nodes, 0).view().tip.height;
    let (turn, after) = (proposer(&world, height + 1), proposer(&world, height + 2));
    for number in (0..NODES).filter(|number| ![turn, after].contains(number)) {
        nodes[number] = None;
    }
    let next = at(&nodes, turn).view().tip.height + 1;
    let submitter = at(&nodes, turn);
    let waiting = std::thread::spawn(move || submitter.submit(contribute(1, 15, 100, now)));
    let proposer = || [turn, after].into_iter().find(|number| undecided(&world, *number, next) > 0);
    wait_until(|| proposer().is_some());
    let proposer = proposer().unwrap();
    for number in [turn, after] {
        nodes[number].take().inspect(NodeHandle::stop);
    }
    assert!(waiting.join().unwrap().is_err(), "nobody decided it");
    assert!(undecided(&world, proposer, next) > 0, "it is still kept");
    for (number, node) in nodes.iter_mut().enumerate() {
        *node = Some(world.open(number));
    }
    for nth in [15, 16] {
        at(&nodes, nth as usize % NODES).submit(contribute(1, nth, 100, now)).unwrap();
    }
    let all: Vec<_> = nodes.iter().flatten().collect();
    wait_for_the_same(&all, next);
    assert_eq!(balance(all[3], 1), 1_600);
    let tip = all[0].view().tip.clone();
    drop(nodes);
    for place in &world.places {
        let report = verify_chain(&place.data(), Evidence::default(), |_| {}).unwrap();
        assert!(report.blocks >= tip.height && report.accepted == 20, "{report:?}");
        let disk = std::sync::Arc::new(Folder::open(place.data()).unwrap());
        let kept = UndecidedBlocks::new(disk);
        assert_eq!(kept.of(tip.height).unwrap(), [], "what was decided is not kept as undecided");
    }
}

#[test]
fn nobody_is_told_that_it_expired_while_a_block_with_it_may_still_be_decided() {
    let world = Net::new(NODES, NODES);
    let now = START.plus_millis(1_000);
    let mut nodes: Vec<_> = (0..NODES).map(|number| Some(world.open(number))).collect();
    let at = |nodes: &[Option<NodeHandle>], number: usize| nodes[number].clone().unwrap();
    at(&nodes, 0).submit(open_fund(1, now)).unwrap();
    let all: Vec<_> = nodes.iter().flatten().collect();
    wait_for_the_same(&all, 1);
    let height = all[0].view().tip.height;
    drop(all);

    // Two of four are left, and by their clocks it is too late. They decide nothing, so that the
    // ledger's time does not pass, and a block with the transaction could still be decided.
    let (turn, asked) = (proposer(&world, height + 1), proposer(&world, height + 2));
    for number in (0..NODES).filter(|number| ![turn, asked].contains(number)) {
        nodes[number] = None;
    }
    let transaction = contribute(1, 1, 100, now);
    let (id, until) = (transaction.content.id(), transaction.content.valid_until);
    for place in &world.places {
        place.clock.set(until.plus_millis(1));
    }
    let (sender, answer) = std::sync::mpsc::channel();
    at(&nodes, asked).submit_with(transaction, move |result| drop(sender.send(result)));
    wait_until(|| undecided(&world, turn, height + 1) > 0);
    assert!(answer.try_recv().is_err(), "nothing was decided yet");
    for number in (0..NODES).filter(|number| ![turn, asked].contains(number)) {
        nodes[number] = Some(world.open(number));
    }
    let told = answer.recv().unwrap();
    assert!(matches!(told, Err(SubmitError::Rejected(_))), "{told:?}");
    let node = at(&nodes, asked);
    assert!(node.view().tip.time > until, "no block can have it any more");
    assert!(node.receipt_by_transaction(&id).unwrap().is_none());
}
