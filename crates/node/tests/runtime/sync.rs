//! Newcomers that begin with the state of another node.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ledger::Genesis;
use node::NodeHandle;
use node::runtime::{OpenError, SnapshotPace, Threads};
use node::store::StoreError;
use node::sync::SyncError;
use node::verify::{Evidence, VerifyError, verify_chain};
use proof::header::{Validator, ValidatorSet};

use crate::growth::{candidate, govern, name_validators, pay};
use crate::net::{Net, wait_for_the_same, wait_until, who};
use crate::world::{Place, START, balance, contribute, key, open_fund, organisation};

/// More than a tile of receipts.
const PAYMENTS: u64 = 600;

/// Four organisations that order a ledger which one had founded alone, and a newcomer that they let
/// in: the fifth.
fn net() -> (Net, Vec<Option<NodeHandle>>) {
    let mut net = Net::new(5, 1);
    net.peers[4] = vec![0, 1, 2, 3];
    let alone = net.open_alone(0);
    alone.submit(open_fund(1, START.plus_millis(1_000))).unwrap();
    let payments = (1..=PAYMENTS).map(|nth| contribute(1, nth, 100, START.plus_millis(1_000)));
    let answers = alone.submit_all(payments.collect());
    assert!(answers.iter().all(Result::is_ok));
    alone.stop();
    drop(alone);
    let mut nodes = vec![Some(net.open(0))];
    nodes.extend((1..=3).map(|number| Some(net.open(number))));
    let first = nodes[0].clone().unwrap();
    (1..=4).for_each(|number| drop(govern(&first, number as u64, &candidate(&net, number))));
    let height = first.view().tip.height;
    wait_for_the_same(&nodes.iter().flatten().collect::<Vec<_>>(), height);
    name_validators(&first, 5, &[0, 1, 2, 3]);
    // Far enough for a snapshot behind the change, on all of them.
    (1..=8).for_each(|nth| pay(&first, PAYMENTS + nth));
    wait_for_the_same(&nodes.iter().flatten().collect::<Vec<_>>(), height + 9);
    let has_snapshot = |number: usize| {
        let newest = snapshots(&net.places[number]).into_iter().next_back();
        newest.is_some_and(|(at, _)| at > height)
    };
    wait_until(|| (0..4).all(has_snapshot));
    (net, nodes)
}

/// The snapshots that a node keeps, by height.
fn snapshots(place: &Place) -> Vec<(u64, PathBuf)> {
    let names = fs::read_dir(place.data().join("snapshots"));
    let paths = names.into_iter().flatten().map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = paths
        .filter_map(|path| {
            let name = path.file_name()?.to_str()?.strip_suffix(".snapshot")?;
            Some((name.parse().ok()?, path.clone()))
        })
        .collect();
    paths.sort();
    paths
}

fn files(place: &Place, folder: &str) -> usize {
    fs::read_dir(place.data().join(folder)).map_or(0, Iterator::count)
}

fn flip(path: &Path, offset: usize) {
    let mut bytes = fs::read(path).unwrap();
    let place = offset.min(bytes.len() - 1);
    bytes[place] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_newcomer_begins_with_a_snapshot_and_is_one_of_them_from_then_on() {
    let (net, mut nodes) = net();
    let fetched = net.fetch(4).unwrap();
    assert!(fetched.height > 1 && fetched.receipts > PAYMENTS && fetched.handovers == 1);
    let (header, _) = nodes[1].as_ref().unwrap().header(fetched.height).unwrap().unwrap();
    assert_eq!(header.value_id(), fetched.value_id);

    nodes.push(Some(net.open(4)));
    let at = |nodes: &[Option<NodeHandle>], number: usize| nodes[number].clone().unwrap();
    pay(&at(&nodes, 4), 1_001);
    wait_for_the_same(&nodes.iter().flatten().collect::<Vec<_>>(), fetched.height + 1);
    assert_eq!(balance(&at(&nodes, 4), 1), i128::from((PAYMENTS + 9) * 100));
    // What was before is not here; what is on the way is told as by any other.
    let newcomer = at(&nodes, 4);
    assert!(newcomer.receipt_at(0).unwrap().is_none());
    assert!(newcomer.header(1).unwrap().is_none());
    assert!(newcomer.receipt_at(newcomer.view().tip.log.size() - 1).unwrap().is_some());
    // The whole receipt log can be proved from here: its tiles are those of the others.
    let id = contribute(1, 1_001, 100, START.plus_millis(1_000)).content.id();
    let voucher = newcomer.issue_voucher(&id, None).unwrap().unwrap();
    let policy = proof::policy::policy_text(newcomer.log_key(), &[], 0);
    let policy = proof::policy::Policy::parse(policy.as_bytes()).unwrap();
    voucher.verify(&policy, &node::signature::FastVerifier).unwrap();

    // It decides with them, is stopped and started like them, and keeps snapshots of its own.
    name_validators(&at(&nodes, 0), 6, &[0, 1, 2, 3, 4]);
    drop(nodes[1].take());
    drop((newcomer, nodes[4].take()));
    nodes[4] = Some(net.open(4));
    let height = at(&nodes, 0).view().tip.height;
    (1_002..=1_010).for_each(|nth| pay(&at(&nodes, 4), nth));
    wait_for_the_same(&nodes.iter().flatten().collect::<Vec<_>>(), height + 9);
    drop(nodes[4].take());
    assert!(snapshots(&net.places[4]).iter().all(|(at, _)| *at > fetched.height));
    nodes[4] = Some(net.open(4));
    wait_for_the_same(&nodes.iter().flatten().collect::<Vec<_>>(), height + 9);
    // Whoever verifies everything is told where the beginning is.
    drop(nodes[4].take());
    let report = verify_chain(&net.places[4].data(), Evidence::default(), |_| {});
    let Err(VerifyError::Archived(first)) = report else { panic!("{report:?}") };
    assert_eq!(first, fetched.height);
    assert!(matches!(net.fetch(4), Err(SyncError::NotNew)), "a ledger is not replaced");
    // With the ledger taken out and what it signed left in, it begins anew, not below that.
    let data = net.places[4].data();
    ["blocks", "snapshots", "receipts"]
        .iter()
        .for_each(|folder| fs::remove_dir_all(data.join(folder)).unwrap());
    fs::remove_file(net.places[4].history()).unwrap();
    let again = net.fetch(4).unwrap();
    assert!(again.height > fetched.height);
    nodes[4] = Some(net.open(4));
    pay(&at(&nodes, 4), 1_011);
    wait_for_the_same(&nodes.iter().flatten().collect::<Vec<_>>(), height + 10);
}

#[test]
fn what_one_peer_has_damaged_is_fetched_from_another_one() {
    let (mut net, nodes) = net();
    // The first has a damaged snapshot, the second tiles that are not those of its log.
    flip(&net.places[1].data().join("receipts/tile/0/000"), 100);
    let refused = |net: &Net, words: &str| {
        let reasons = match net.fetch(4) {
            Err(SyncError::Refused(reasons)) => reasons,
            Ok(fetched) => return Err(fetched),
            Err(other) => panic!("{other:?}"),
        };
        let whose = net.address(net.peers[4][0]);
        assert!(reasons.len() == 1 && reasons[0].contains(words), "{reasons:?}");
        assert!(reasons[0].starts_with(&whose), "{reasons:?}");
        let left = ["blocks", "snapshots", "base"].map(|folder| files(&net.places[4], folder));
        assert_eq!(left, [0; 3], "the folder is as new as before");
        Ok(())
    };
    net.peers[4] = vec![0];
    // One that was being written when the last was damaged takes its place: that one then.
    let mut damaged = BTreeSet::new();
    let is_refused = (0..3).any(|_| {
        for (height, path) in snapshots(&net.places[0]) {
            if damaged.insert(height) {
                flip(&path, 2_000);
            }
        }
        let outcome = refused(&net, "its snapshot: ");
        if let Err(fetched) = &outcome {
            assert!(!damaged.contains(&fetched.height), "a damaged snapshot was taken");
            fs::remove_dir_all(net.places[4].data()).unwrap();
        }
        outcome.is_ok()
    });
    assert!(is_refused);
    net.peers[4] = vec![1];
    refused(&net, "does not keep that").unwrap();
    // Nothing starts from a half-filled folder; the next attempt begins from nothing.
    let data = net.places[4].data();
    for name in ["base/begun", "snapshots/00000000000000000009.snapshot.part"] {
        fs::create_dir_all(data.join(name).parent().unwrap()).unwrap();
        fs::write(data.join(name), b"half").unwrap();
    }
    let opened = net.try_open(4).map(drop);
    assert!(matches!(opened, Err(OpenError::Store(StoreError::Unfinished))), "{opened:?}");
    net.peers[4] = vec![0, 1, 2];
    let fetched = net.fetch(4).unwrap();
    let newcomer = net.open(4);
    assert!(newcomer.view().tip.height >= fetched.height);
    drop(nodes);
}

#[test]
fn who_begins_elsewhere_believes_nobody_and_says_why() {
    let (mut net, nodes) = net();
    // Told another genesis, in which somebody else certifies.
    let stranger = Validator {
        organisation: organisation(&who(0)),
        key: key("a stranger's").public_key(),
        power: 1,
    };
    let validators = ValidatorSet::new(vec![stranger]).unwrap();
    let other = Genesis { validators, ..net.genesis.clone() };
    let fetched = net.fetch_with(4, &other, Duration::from_secs(30));
    let Err(SyncError::Refused(reasons)) = fetched else { panic!("{fetched:?}") };
    assert_eq!(reasons.len(), 4, "{reasons:?}");
    let words = "a block is not final: too few of its validators signed it";
    assert!(reasons.iter().all(|reason| reason.ends_with(words)), "{reasons:?}");
    fs::remove_dir_all(net.places[4].data()).unwrap();

    // Nobody is there.
    drop(nodes);
    let nobody = net.fetch_with(4, &net.genesis, Duration::from_millis(200));
    let Err(SyncError::NoPeer { asked, .. }) = nobody else { panic!("{nobody:?}") };
    assert!(asked.contains(&net.address(3)));

    // A ledger that has no snapshot yet.
    let young = Net::new(2, 1);
    net = young;
    let founder = net.open(0);
    govern(&founder, 1, &candidate(&net, 1));
    let none = net.fetch(1);
    assert!(matches!(none, Err(SyncError::NoSnapshot)), "{none:?}");
    fs::remove_dir_all(net.places[1].data()).unwrap();
    let newcomer = net.open(1);
    wait_for_the_same(&[&founder, &newcomer], 1);
}

#[test]
fn blocks_are_removed_when_they_are_old_and_no_start_needs_them() {
    let place = Place::new();
    let config = || {
        let mut config = place.config(Threads::Caller);
        config.snapshots = SnapshotPace { blocks: 150, bytes: u64::MAX, at_stop: false };
        config.blocks_kept = Some(Duration::from_secs(3_600));
        config
    };
    let node = place.try_open(config()).unwrap().0;
    let mut now = START.plus_millis(1_000);
    node.submit(open_fund(1, now)).unwrap();
    let pay = |nth: u64, now| drop(node.submit(contribute(1, nth, 100, now)).unwrap());
    // Young blocks stay, however many snapshots there are.
    (1..=400).for_each(|nth| pay(nth, now));
    assert!(files(&place, "blocks") > 2 && node.header(1).unwrap().is_some());
    let before = files(&place, "blocks");
    now = now.plus_millis(2 * 3_600_000);
    place.clock.set(now);
    (401..=800).for_each(|nth| pay(nth, now));
    assert!(node.header(1).unwrap().is_none(), "it is older than an hour");
    let oldest = snapshots(&place)[0].0;
    assert!(node.header(oldest).unwrap().is_some(), "both snapshots can be started from");
    assert!(files(&place, "blocks") < before + 2);
    let (tip, receipts) = (node.view().tip.clone(), node.view().tip.log.size());
    // Nobody needs blocks for what the history and the tiles have.
    assert!(node.receipt_at(0).unwrap().is_some());
    drop(node);
    // Without the newer snapshot, the older one and the blocks behind it come to the same.
    let newest = snapshots(&place).pop().unwrap();
    flip(&newest.1, 1_000);
    let (node, report) = place.try_open(config()).unwrap();
    assert_eq!((report.snapshot_height, node.view().tip.log.size()), (oldest, receipts));
    assert_eq!(node.view().tip, tip);
}
