//! Engines that know each other, and one that they do not know.

use std::net::TcpListener;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bft::{Bft, Config, Network, Patience, PeerKey, SharedSigner, SharedVerifier};
use consensus::{Signer, SignerError};
use ed25519_dalek::{Signer as _, SigningKey, Verifier as _, VerifyingKey};
use primitives::{Hash, OrganisationId, PublicKey, Signature, SignatureError, Verifier, codec};
use proof::header::{ChainId, Validator, ValidatorSet};

use crate::ledger::{Block, Event, Runner, Shared};

/// Far more than anything here takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);

#[derive(Clone)]
struct TestKey(OrganisationId, SigningKey);

impl Signer for TestKey {
    fn organisation(&self) -> OrganisationId {
        self.0
    }
    fn public_key(&self) -> PublicKey {
        PublicKey::Ed25519(self.1.verifying_key().to_bytes())
    }
    fn sign(&self, message: &Hash) -> Result<Signature, SignerError> {
        Ok(Signature::Ed25519(self.1.sign(message.as_bytes()).to_bytes()))
    }
}

struct Dalek;

impl Verifier for Dalek {
    fn check_key(&self, _: &PublicKey) -> Result<(), SignatureError> {
        Ok(())
    }
    fn verify_raw(
        &self,
        key: &PublicKey,
        message: &[u8],
        signature: &[u8; 64],
    ) -> Result<(), SignatureError> {
        let PublicKey::Ed25519(bytes) = key else { return Err(SignatureError::InvalidKey) };
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| SignatureError::InvalidKey)?;
        key.verify(message, &ed25519_dalek::Signature::from_bytes(signature))
            .map_err(|_| SignatureError::InvalidSignature)
    }
}

struct Node {
    key: TestKey,
    peer_key: PeerKey,
    port: u16,
    shared: Arc<Shared>,
    running: Option<Running>,
}

struct Running {
    bft: Arc<Bft>,
    events: Sender<Event>,
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
    let seed = u8::try_from(number + 1).unwrap();
    let key =
        TestKey(format!("org-{number}").parse().unwrap(), SigningKey::from_bytes(&[seed; 32]));
    let peer_key = PeerKey::from_secret([seed + 100; 32]);
    Node { key, peer_key, port, shared: Arc::default(), running: None }
}

impl World {
    pub fn new(count: usize) -> Self {
        let ports = free_ports(count);
        let nodes: Vec<_> =
            ports.into_iter().enumerate().map(|(at, port)| node(at, port)).collect();
        let validator = |node: &Node| Validator {
            organisation: node.key.0,
            key: node.key.public_key(),
            power: 1,
        };
        let validators = ValidatorSet::new(nodes.iter().map(validator).collect()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        Self { chain_id: "test".parse().unwrap(), validators, nodes, folder }
    }

    pub fn start(&mut self, number: usize) {
        let peers = self.addresses(number);
        self.start_with(number, peers, true);
    }

    fn addresses(&self, but: usize) -> Vec<String> {
        let others = self.nodes.iter().enumerate().filter(|(at, _)| *at != but);
        others
            .map(|(_, node)| {
                format!("/ip4/127.0.0.1/tcp/{}/p2p/{}", node.port, node.peer_key.name())
            })
            .collect()
    }

    /// A node that knows all others, whom none of them knows.
    pub fn start_stranger(&mut self) -> usize {
        let number = self.nodes.len();
        let port = free_ports(1).remove(0);
        self.nodes.push(node(number, port));
        let peers = self.addresses(number);
        self.start_with(number, peers, false);
        number
    }

    fn start_with(&mut self, number: usize, peers: Vec<String>, is_validator: bool) {
        let node = &mut self.nodes[number];
        let folder = self.folder.path().join(number.to_string());
        let (events, incoming) = channel();
        let runner = Runner {
            shared: Arc::clone(&node.shared),
            chain_id: self.chain_id,
            validators: self.validators.clone(),
            own: node.key.0,
            events: incoming,
            idle: None,
        };
        let thread = std::thread::spawn(move || runner.run());
        let (requests, wake, shared) = (events.clone(), events.clone(), Arc::clone(&node.shared));
        let verifier: SharedVerifier = Arc::new(Dalek);
        let key: SharedSigner = Arc::new(node.key.clone());
        let config = Config {
            chain_id: self.chain_id,
            organisation: node.key.0,
            key: is_validator.then_some(key),
            verifier,
            network: Network {
                peer_key: node.peer_key.clone(),
                listen: format!("/ip4/127.0.0.1/tcp/{}", node.port),
                peers,
                guard: folder.join("guard"),
                folder,
                patience: Patience {
                    propose: Duration::from_millis(400),
                    vote: Duration::from_millis(200),
                },
            },
            on_transactions: Box::new(move |list| {
                shared.kept.lock().unwrap().take(list);
                drop(wake.send(Event::Wake));
            }),
            on_request: Box::new(move |request| drop(requests.send(Event::Engine(request)))),
        };
        let bft = Arc::new(Bft::start(config).unwrap());
        *node.shared.bft.lock().unwrap() = Some(Arc::clone(&bft));
        node.running = Some(Running { bft, events, thread });
    }

    pub fn submit(&self, number: usize, payload: Vec<u8>) {
        let node = &self.nodes[number];
        let running = node.running.as_ref().unwrap();
        node.shared.kept.lock().unwrap().pool.push(payload.clone());
        running.bft.pass_on(payload);
        running.events.send(Event::Wake).unwrap();
    }

    pub fn kill(&mut self, number: usize) {
        let Running { bft, events, thread } = self.nodes[number].running.take().unwrap();
        *self.nodes[number].shared.bft.lock().unwrap() = None;
        drop(bft);
        drop(events.send(Event::Stop));
        thread.join().unwrap();
    }

    pub fn height(&self, number: usize) -> u64 {
        self.nodes[number].shared.kept.lock().unwrap().height()
    }

    pub fn wait_for_payloads(&self, numbers: &[usize], count: usize) {
        let end = Instant::now() + DEADLINE;
        for number in numbers {
            let shared = &self.nodes[*number].shared;
            let mut kept = shared.kept.lock().unwrap();
            while kept.payloads() < count {
                let left = end.saturating_duration_since(Instant::now());
                assert!(!left.is_zero(), "node {number} has {} of {count}", kept.payloads());
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
