//! Four organisations' nodes, each with its own folder and engine, over this machine's loopback.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use bft::{Patience, Peer, PeerKey};
use ledger::Genesis;
use node::receipt_log::LogSigner;
use node::runtime::{BlockSigner, Network, NodeConfig, SnapshotPace, Threads};
use node::store::{Folder, UndecidedBlocks};
use node::verify::{Evidence, verify_chain};
use node::{Node, NodeHandle};
use proof::header::{Validator, ValidatorSet};

use crate::world::{
    Place, START, balance, contribute, genesis, insurer, key, open_fund, organisation,
};

/// Far more than anything here takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);
const NODES: usize = 4;

struct World {
    genesis: Genesis,
    places: Vec<Place>,
    ports: Vec<u16>,
}

fn who(number: usize) -> String {
    insurer(u16::try_from(number).unwrap() + 1)
}

fn peer_key(number: usize) -> PeerKey {
    PeerKey::from_secret([u8::try_from(number).unwrap() + 1; 32])
}

impl World {
    fn new() -> Self {
        let validator = |number| Validator {
            organisation: organisation(&who(number)),
            key: key(&format!("{}-blocks", who(number))).public_key(),
            power: 1,
        };
        let validators = ValidatorSet::new((0..NODES).map(validator).collect()).unwrap();
        let bound: Vec<_> =
            (0..NODES).map(|_| TcpListener::bind(("127.0.0.1", 0)).unwrap()).collect();
        let ports = bound.iter().map(|one| one.local_addr().unwrap().port()).collect();
        let places = (0..NODES).map(|_| Place::new()).collect();
        Self { genesis: Genesis { validators, ..genesis() }, places, ports }
    }

    /// Whose turn it is to propose the block of this height first.
    fn proposer(&self, height: u64) -> usize {
        let members = self.genesis.validators.validators();
        let member = &members[usize::try_from(height).unwrap() % members.len()];
        (0..NODES).find(|number| organisation(&who(*number)) == member.organisation).unwrap()
    }

    /// How many blocks of this height or a later one this node keeps, and has not decided.
    fn undecided(&self, number: usize, height: u64) -> usize {
        let files = std::fs::read_dir(self.places[number].data().join("undecided")).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        names.filter(|name| *name >= format!("{height:020}-")).count()
    }

    fn open(&self, number: usize) -> NodeHandle {
        let place = &self.places[number];
        let code = who(number);
        let config = NodeConfig {
            signer: BlockSigner::new(organisation(&code), key(&format!("{code}-blocks"))),
            log_signer: LogSigner::new(&format!("yibao.example/{code}"), key("log")).unwrap(),
            snapshots: SnapshotPace { blocks: 4, bytes: u64::MAX, at_stop: true },
            ..place.config(Threads::Own { checking: 1 })
        };
        let others = (0..NODES).filter(|other| *other != number);
        let peer = |other: usize| Peer {
            name: peer_key(other).name().unwrap(),
            address: format!("127.0.0.1:{}", self.ports[other]),
        };
        let network = bft::Network {
            peer_key: peer_key(number),
            listen: format!("127.0.0.1:{}", self.ports[number]),
            peers: others.map(peer).collect(),
            folder: place.folder.path().join("consensus"),
            guard: place.folder.path().join("votes"),
            patience: Patience {
                propose: Duration::from_millis(400),
                vote: Duration::from_millis(200),
            },
        };
        let network = Network { place: network, heartbeat: Duration::from_secs(3_600) };
        let disk = Folder::open(place.data()).unwrap();
        Node::open_with(disk, &self.genesis, config, Some(network)).unwrap().0
    }
}

#[track_caller]
fn wait_until(holds: impl Fn() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !holds() {
        assert!(Instant::now() < end);
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

/// Waits until all have the same last block, of this height at the least.
fn wait_for_the_same(nodes: &[&NodeHandle], height: u64) {
    let end = Instant::now() + DEADLINE;
    loop {
        let tips: Vec<_> = nodes.iter().map(|node| node.view().tip.clone()).collect();
        if tips[0].height >= height && tips.iter().all(|tip| *tip == tips[0]) {
            let roots: Vec<_> = nodes.iter().map(|node| node.view().state.root()).collect();
            assert!(roots.iter().all(|root| *root == roots[0]));
            return;
        }
        let heights: Vec<_> = tips.iter().map(|tip| tip.height).collect();
        let health: Vec<_> = nodes.iter().map(|node| node.status()).collect();
        assert!(Instant::now() < end, "{heights:?} {health:?}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

#[test]
fn four_nodes_agree_one_falls_and_comes_back() {
    let world = World::new();
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

    drop(nodes[3].take());
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
    let (turn, after) = (world.proposer(height + 1), world.proposer(height + 2));
    for number in (0..NODES).filter(|number| ![turn, after].contains(number)) {
        nodes[number] = None;
    }
    let next = at(&nodes, turn).view().tip.height + 1;
    let submitter = at(&nodes, turn);
    let waiting = std::thread::spawn(move || submitter.submit(contribute(1, 15, 100, now)));
    let proposer = || [turn, after].into_iter().find(|number| world.undecided(*number, next) > 0);
    wait_until(|| proposer().is_some());
    let proposer = proposer().unwrap();
    for number in [turn, after] {
        nodes[number].take().inspect(NodeHandle::stop);
    }
    assert!(waiting.join().unwrap().is_err(), "nobody decided it");
    assert!(world.undecided(proposer, next) > 0, "it is still kept");
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
