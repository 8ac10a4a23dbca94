//! Organisations' nodes, each with its own folder and engine, over this machine's loopback.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use bft::guard::Guard;
use bft::{Patience, Peer, PeerKey};
use ledger::Genesis;
use ledger::kernel::block::PROTOCOL;
use node::receipt_log::LogSigner;
use node::runtime::{BlockSigner, Network, NodeConfig, OpenError, SnapshotPace, Threads};
use node::store::Folder;
use node::sync::{FetchConfig, Fetched, SyncError, fetch};
use node::{Node, NodeHandle};
use proof::header::{Validator, ValidatorSet};

use crate::world::{Place, genesis, insurer, key, organisation};

/// Far more than anything here takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);

/// Places for nodes; the first of them found the ledger.
pub struct Net {
    pub genesis: Genesis,
    pub places: Vec<Place>,
    pub ports: Vec<u16>,
    /// The names of the keys with which they sign blocks.
    pub keys: Vec<String>,
    /// The rules that their releases know.
    pub protocols: Vec<u32>,
    /// Whom the files of each name as peers.
    pub peers: Vec<Vec<usize>>,
}

pub fn who(number: usize) -> String {
    insurer(u16::try_from(number).unwrap() + 1)
}

pub fn peer_key(number: usize) -> PeerKey {
    PeerKey::from_secret([u8::try_from(number).unwrap() + 1; 32])
}

impl Net {
    /// So many places; the ledger is founded by the first `founders`, who know each other. The
    /// others know the first one.
    pub fn new(places: usize, founders: usize) -> Self {
        let keys: Vec<_> = (0..places).map(|number| format!("{}-blocks", who(number))).collect();
        let validator = |number: usize| Validator {
            organisation: organisation(&who(number)),
            key: key(&keys[number]).public_key(),
            power: 1,
        };
        let validators = ValidatorSet::new((0..founders).map(validator).collect()).unwrap();
        let bound: Vec<_> =
            (0..places).map(|_| TcpListener::bind(("127.0.0.1", 0)).unwrap()).collect();
        let ports = bound.iter().map(|one| one.local_addr().unwrap().port()).collect();
        let peers = |number: usize| match number {
            _ if number < founders => (0..founders).filter(|other| *other != number).collect(),
            _ => vec![0],
        };
        let places: Vec<_> = (0..places).map(|_| Place::new()).collect();
        for place in &places {
            Guard::of_new_key(&place.folder.path().join("votes")).unwrap();
        }
        Self {
            genesis: Genesis { validators, ..genesis() },
            protocols: vec![PROTOCOL; places.len()],
            peers: (0..places.len()).map(peers).collect(),
            ports,
            places,
            keys,
        }
    }

    pub fn address(&self, number: usize) -> String {
        format!("127.0.0.1:{}", self.ports[number])
    }

    fn config(&self, number: usize) -> NodeConfig {
        let code = who(number);
        NodeConfig {
            signer: BlockSigner::new(organisation(&code), key(&self.keys[number])),
            log_signer: LogSigner::new(&format!("yibao.example/{code}"), key("log")).unwrap(),
            snapshots: SnapshotPace { blocks: 4, bytes: u64::MAX, at_stop: true },
            protocol: self.protocols[number],
            ..self.places[number].config(Threads::Own { checking: 1 })
        }
    }

    pub fn disk(&self, number: usize) -> Folder {
        Folder::open(self.places[number].data()).unwrap()
    }

    /// The node of one organisation alone.
    pub fn open_alone(&self, number: usize) -> NodeHandle {
        Node::open(self.disk(number), &self.genesis, self.config(number)).unwrap().0
    }

    pub fn open(&self, number: usize) -> NodeHandle {
        self.try_open(number).unwrap()
    }

    pub fn try_open(&self, number: usize) -> Result<NodeHandle, OpenError> {
        let whose = |other: &usize| (peer_key(*other).name().unwrap(), organisation(&who(*other)));
        let network = Network {
            place: self.at(number),
            whose: self.peers[number].iter().map(whose).collect(),
            heartbeat: Duration::from_secs(3_600),
        };
        let (disk, config) = (self.disk(number), self.config(number));
        Node::open_with(disk, &self.genesis, config, Some(network)).map(|(node, _)| node)
    }

    /// Where a node is among the others.
    pub fn at(&self, number: usize) -> bft::Network {
        let place = &self.places[number];
        let peer = |other: &usize| Peer {
            name: peer_key(*other).name().unwrap(),
            address: self.address(*other),
        };
        bft::Network {
            peer_key: peer_key(number),
            listen: self.address(number),
            peers: self.peers[number].iter().map(peer).collect(),
            folder: place.folder.path().join("consensus"),
            guard: place.folder.path().join("votes"),
            patience: Patience {
                propose: Duration::from_millis(400),
                vote: Duration::from_millis(200),
            },
        }
    }

    /// Fills the folder of a newcomer with the snapshot of another node.
    pub fn fetch(&self, number: usize) -> Result<Fetched, SyncError> {
        self.fetch_with(number, &self.genesis, Duration::from_secs(30))
    }

    /// The same, in how long, and from which genesis.
    pub fn fetch_with(
        &self,
        number: usize,
        genesis: &Genesis,
        patience: Duration,
    ) -> Result<Fetched, SyncError> {
        let config = self.config(number);
        let fetching = FetchConfig {
            network: self.at(number),
            history: config.history,
            log: config.log,
            randomness: config.randomness,
            patience,
        };
        fetch(self.disk(number), genesis, &fetching, |_| {})
    }
}

#[track_caller]
pub fn wait_until(holds: impl Fn() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !holds() {
        assert!(Instant::now() < end);
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

/// Waits until all have the same last block, of this height at the least.
#[track_caller]
pub fn wait_for_the_same(nodes: &[&NodeHandle], height: u64) {
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
