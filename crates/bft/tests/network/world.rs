//! Engines that know each other over this machine's loopback, and one that they do not know.

use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bft::guard::Guard;
use bft::{Bft, Config, Network, Patience, Peer, PeerKey, SharedSigner, Waker};
use consensus::{Engine as _, Signer as _, Step};
use primitives::codec;
use proof::header::{ChainId, ValidatorSet};

use crate::keys::{Dalek, TestKey, validators};
use crate::ledger::{Block, Ledger, Shared};

/// Far more than anything here takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);
/// After how long a payload that is not decided is passed on again.
const AGAIN: Duration = Duration::from_millis(300);

struct Node {
    key: TestKey,
    peer_key: PeerKey,
    port: u16,
    shared: Arc<Shared>,
    running: Option<Running>,
}

struct Running {
    waker: Waker,
    is_stopped: Arc<AtomicBool>,
    /// Payloads to be passed on.
    outgoing: Arc<Mutex<Vec<Vec<u8>>>>,
    thread: JoinHandle<()>,
}

pub struct World {
    chain_id: ChainId,
    validators: ValidatorSet,
    nodes: Vec<Node>,
    folder: tempfile::TempDir,
}

/// Ports that nobody has now.
fn free_ports(count: usize) -> Vec<u16> {
    let bound: Vec<_> = (0..count).map(|_| TcpListener::bind(("127.0.0.1", 0)).unwrap()).collect();
    bound.iter().map(|one| one.local_addr().unwrap().port()).collect()
}

fn node(number: usize, port: u16) -> Node {
    let peer_key = PeerKey::from_secret([u8::try_from(number).unwrap() + 101; 32]);
    Node { key: TestKey::new(number), peer_key, port, shared: Arc::default(), running: None }
}

impl World {
    pub fn new(count: usize) -> Self {
        let ports = free_ports(count);
        let nodes = ports.into_iter().enumerate().map(|(at, port)| node(at, port)).collect();
        let (validators, folder) = (validators(count), tempfile::tempdir().unwrap());
        Self { chain_id: "test".parse().unwrap(), validators, nodes, folder }
    }

    pub fn start(&mut self, number: usize) {
        let peers = self.peers(number);
        self.start_with(number, peers, true);
    }

    fn peers(&self, but: usize) -> Vec<Peer> {
        let others = self.nodes.iter().enumerate().filter(|(at, _)| *at != but);
        let peer = |node: &Node| Peer {
            name: node.peer_key.name().unwrap(),
            address: format!("127.0.0.1:{}", node.port),
        };
        others.map(|(_, node)| peer(node)).collect()
    }

    /// A node that knows all others, whom none of them knows.
    pub fn start_stranger(&mut self) -> usize {
        let number = self.nodes.len();
        let port = free_ports(1).remove(0);
        self.nodes.push(node(number, port));
        let peers = self.peers(number);
        self.start_with(number, peers, false);
        number
    }

    fn start_with(&mut self, number: usize, peers: Vec<Peer>, is_validator: bool) {
        let node = &mut self.nodes[number];
        let folder = self.folder.path().join(number.to_string());
        let key: SharedSigner = Arc::new(node.key.clone());
        std::fs::create_dir_all(&folder).unwrap();
        if !folder.join("guard").exists() {
            Guard::of_new_key(&folder.join("guard")).unwrap();
        }
        let patience =
            Patience { propose: Duration::from_millis(400), vote: Duration::from_millis(200) };
        let config = Config {
            chain_id: self.chain_id,
            organisation: node.key.organisation(),
            key: is_validator.then_some(key),
            verifier: Arc::new(Dalek),
            validators: self.validators.clone(),
            network: Network {
                peer_key: node.peer_key.clone(),
                listen: format!("127.0.0.1:{}", node.port),
                peers,
                guard: folder.join("guard"),
                folder,
                patience,
            },
        };
        let mut bft = Bft::start(config).unwrap();
        let mut ledger = Ledger {
            shared: Arc::clone(&node.shared),
            chain_id: self.chain_id,
            validators: self.validators.clone(),
            own: node.key.organisation(),
            is_honest: true,
        };
        let is_stopped = Arc::new(AtomicBool::new(false));
        let outgoing: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
        let waker = bft.waker();
        let (is_told, leaving) = (Arc::clone(&is_stopped), Arc::clone(&outgoing));
        let thread = std::thread::spawn(move || {
            let mut passed = Instant::now();
            while !is_told.load(Ordering::Acquire) {
                let new: Vec<_> = std::mem::take(&mut *leaving.lock().unwrap());
                bft.pass_on(new);
                if passed.elapsed() >= AGAIN {
                    // Nobody may have heard of it when it was submitted.
                    bft.pass_on(ledger.shared.kept.lock().unwrap().pool.clone());
                    passed = Instant::now();
                }
                if bft.step(&mut ledger).unwrap() == Step::Idle {
                    bft.wait(AGAIN);
                }
            }
        });
        node.running = Some(Running { waker, is_stopped, outgoing, thread });
    }

    pub fn submit(&self, number: usize, payload: Vec<u8>) {
        let node = &self.nodes[number];
        let running = node.running.as_ref().unwrap();
        node.shared.kept.lock().unwrap().pool.push(payload.clone());
        running.outgoing.lock().unwrap().push(payload);
        running.waker.wake();
    }

    /// A connection to a node's port by anybody.
    pub fn connect(&self, number: usize) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.nodes[number].port)).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream
    }

    pub fn kill(&mut self, number: usize) {
        let running = self.nodes[number].running.take().unwrap();
        running.is_stopped.store(true, Ordering::Release);
        running.waker.wake();
        running.thread.join().unwrap();
    }

    pub fn height(&self, number: usize) -> u64 {
        self.nodes[number].shared.kept.lock().unwrap().height()
    }

    pub fn wait_for_payloads(&self, numbers: &[usize], count: usize) {
        let end = Instant::now() + DEADLINE;
        for number in numbers {
            let shared = &self.nodes[*number].shared;
            let mut kept = shared.kept.lock().unwrap();
            while kept.decided().count() < count {
                let left = end.saturating_duration_since(Instant::now());
                let there = kept.decided().count();
                assert!(!left.is_zero(), "node {number} has {there} of {count}");
                let waited = shared.changed.wait_timeout(kept, left);
                kept = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
        }
    }

    /// No block comes within this time.
    pub fn stays_at(&self, height: u64, time: Duration) {
        self.stays_at_as(0, height, time);
    }

    pub fn stays_at_as(&self, number: usize, height: u64, time: Duration) {
        let shared = &self.nodes[number].shared;
        let kept = shared.kept.lock().unwrap();
        let (kept, _) = shared
            .changed
            .wait_timeout_while(kept, time, |kept| kept.height() == height)
            .unwrap_or_else(PoisonError::into_inner);
        assert_eq!(kept.height(), height);
    }

    /// At every height that two nodes have, they have the same block.
    pub fn assert_same_blocks(&self) {
        let first = self.nodes[0].shared.kept.lock().unwrap();
        for node in &self.nodes[1..] {
            let other = node.shared.kept.lock().unwrap();
            for ((one, _), (other, _)) in first.blocks.iter().zip(&other.blocks) {
                assert_eq!(one, other);
            }
        }
    }

    pub fn assert_certified(&self, number: usize) {
        for (block, certificate) in &self.nodes[number].shared.kept.lock().unwrap().blocks {
            let (header, _) = codec::decode::<Block>(block).unwrap();
            let checked = self.validators.verify_certificate(&header, certificate, &Dalek);
            assert_eq!(checked, Ok(()), "{}", header.height);
            assert!(certificate.signatures.len() >= 3);
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for number in 0..self.nodes.len() {
            if self.nodes[number].running.is_some() {
                self.kill(number);
            }
        }
    }
}
