//! A node among others: what wakes it, and when it waits.
//!
//! The thread that makes blocks is the one that the engine runs in: it handles what others sent,
//! asks the ledger, and sleeps until something comes. While there is nothing to order, no height
//! begins, so that no empty blocks are made; one does when a transaction can be tried here, when
//! others have begun it, and once per heartbeat, which keeps block time near the clock. A
//! transaction that is not decided is passed on to the others again, less and less often, and at
//! once when a node comes: whoever was not there hears of it then.
//!
//! Who connects is named by the node's own file and, for those that joined later, by the ledger:
//! each node connects to them from the block on that names them.
//!
//! Invariant: all nodes have the same block at a height, also one that was killed (test
//! `four_nodes_agree_one_falls_and_comes_back`).

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bft::{Bft, guard};
use consensus::{Engine as _, EngineError, Step};
use ledger::Ledger;
use ledger::kernel::block::BLOCK_BYTES_MAX;
use ledger::kernel::transaction::TRANSACTION_BYTES_MAX;
use ledger::modules::network::{self, NodeRow};
use primitives::{OrganisationId, Timestamp};
use proof::header::ValidatorSet;

use super::accusations::{ACCUSATIONS_FILE, Accusations};
use super::sequencer::Sequencer;
use super::shared::Shared;
use super::{BlockSigner, NodeFailure};
use crate::cosign::Cosigner;
use crate::signature::FastVerifier;
use crate::store::Disk;

/// What the ledger takes, the network carries: who is not told of a transaction decides nothing.
const _: () = assert!(
    bft::TRANSACTION_BYTES_MAX as usize == TRANSACTION_BYTES_MAX
        && bft::BLOCK_BYTES_MAX as usize == BLOCK_BYTES_MAX
);

/// After how long a transaction that is not decided is passed on again.
const AGAIN: Duration = Duration::from_secs(1);
/// How many transactions are passed on at once.
const PASS_ON_MAX: usize = 1_024;

/// The network that a node belongs to.
#[derive(Clone, Debug)]
pub struct Network {
    /// Its place in it.
    pub place: bft::Network,
    /// Whose the peers are that its file names.
    pub whose: BTreeMap<bft::PeerName, OrganisationId>,
    /// After how long without a block an empty one is made.
    pub heartbeat: Duration,
}

/// Another node, as this one reaches it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerStand {
    /// Whose it is, where the ledger or the file says.
    pub organisation: Option<OrganisationId>,
    /// Where it listens.
    pub address: String,
    /// Whether it hears what is sent to it.
    pub is_connected: bool,
}

/// What a node's own file says of others, and who founded the ledger.
struct Configured {
    peers: Vec<bft::Peer>,
    whose: BTreeMap<bft::PeerName, OrganisationId>,
    founders: BTreeSet<OrganisationId>,
}

impl Configured {
    /// Whether the file's word of a peer still counts. The ledger's of the same organisation takes
    /// its place, and a founder that neither decides nor has a node any more was let go.
    fn counts(&self, peer: &bft::Peer, named: &[NodeRow], validators: &ValidatorSet) -> bool {
        let Some(whose) = self.whose.get(&peer.name) else { return true };
        match named.iter().find(|node| node.organisation == *whose) {
            Some(node) => node.contact.as_ref().is_none_or(|one| one.name.0 == peer.name.0),
            None => {
                let decides = validators.validators().iter().any(|one| one.organisation == *whose);
                decides || !self.founders.contains(whose)
            }
        }
    }
}

/// All who may connect: those that the ledger names, and those that the node's file does. Where
/// both name one, it is where the ledger says.
fn peers(configured: &Configured, named: &[NodeRow], validators: &ValidatorSet) -> Vec<bft::Peer> {
    let contacts = named.iter().filter_map(|node| node.contact.as_ref());
    let mut peers: Vec<_> = contacts
        .map(|contact| bft::Peer {
            name: bft::PeerName(contact.name.0),
            address: contact.address.to_string(),
        })
        .collect();
    let others = configured.peers.iter().filter(|one| {
        peers.iter().all(|peer| peer.name != one.name) && configured.counts(one, named, validators)
    });
    let others: Vec<_> = others.cloned().collect();
    peers.extend(others);
    peers
}

/// The engine of a node among others.
pub(crate) struct Membership {
    bft: Bft,
    configured: Configured,
    /// Who decides now.
    validators: ValidatorSet,
    /// The nodes that the ledger names, as the engine knows them.
    named: Arc<Vec<NodeRow>>,
    own: OrganisationId,
    heartbeat: Duration,
    /// Cosigns the checkpoints of others.
    cosigner: Option<Cosigner>,
    /// Where it is kept who signed two things at once.
    accusations: PathBuf,
    /// Since when this node's key has been watching, or else the node has been up.
    since: Timestamp,
    /// Whether there are candidates that nobody was told of.
    is_woken: Arc<AtomicBool>,
}

impl Membership {
    /// Opens the engine's log, listens, and makes the pool one of several.
    pub(crate) fn start(
        network: Network,
        signer: BlockSigner,
        (shared, ledger): (&Shared, &Ledger),
        founders: &ValidatorSet,
    ) -> Result<Self, bft::BftError> {
        let (own, heartbeat) = (signer.organisation, network.heartbeat);
        let signer = Arc::new(signer);
        let cosigner = Cosigner::new(shared.chain_id, &signer);
        let validators = ledger.tip().validators.clone();
        let named = network::view::nodes(ledger.state());
        let mut place = network.place;
        let configured = Configured {
            peers: place.peers.clone(),
            whose: network.whose,
            founders: founders.validators().iter().map(|one| one.organisation).collect(),
        };
        place.peers = peers(&configured, &named, &validators);
        let guard_file = place.guard.clone();
        let accusations = guard_file.with_file_name(ACCUSATIONS_FILE);
        let bft = Bft::start(bft::Config {
            chain_id: shared.chain_id,
            key: Some(signer),
            organisation: own,
            verifier: Arc::new(FastVerifier),
            validators: validators.clone(),
            network: place,
        })?;
        let now = shared.clock.now();
        let watching = guard::watching_since(&guard_file, now.millis());
        let since = watching.map_err(bft::BftError::Folder)?.map_or(now, Timestamp::from_millis);
        let is_woken = Arc::new(AtomicBool::new(false));
        let (waker, woken) = (bft.waker(), Arc::clone(&is_woken));
        shared.mempool.share(Box::new(move || {
            if !woken.swap(true, Ordering::AcqRel) {
                waker.wake();
            }
        }));
        let waker = bft.waker();
        shared.cosignatures.are_there(Box::new(move || waker.wake()));
        Ok(Self {
            bft,
            configured,
            validators,
            named,
            own,
            heartbeat,
            cosigner,
            accusations,
            since,
            is_woken,
        })
    }

    /// Connects to the nodes that the ledger names by now.
    fn follow_nodes(&mut self, ledger: &Ledger) -> Result<(), NodeFailure> {
        let named = network::view::nodes(ledger.state());
        let validators = &ledger.tip().validators;
        if named == self.named && *validators == self.validators {
            return Ok(());
        }
        let peers = peers(&self.configured, &named, validators);
        tracing::info!(peers = peers.len(), "the ledger names other nodes");
        self.bft.set_peers(&peers).map_err(|error| NodeFailure::Engine(error.to_string()))?;
        self.named = named;
        self.validators = validators.clone();
        Ok(())
    }

    /// The other nodes and whether they can be reached, by address.
    fn stands(&self) -> Vec<PeerStand> {
        let own = self.named.iter().find(|node| node.organisation == self.own);
        let own = own.and_then(|node| node.contact.as_ref()).map(|contact| contact.name.0);
        let connected = self.bft.connected();
        let others = peers(&self.configured, &self.named, &self.validators).into_iter();
        let others = others.filter(|peer| Some(peer.name.0) != own);
        let mut stands: Vec<_> = others
            .map(|peer| {
                let is_its = |node: &&NodeRow| {
                    node.contact.as_ref().is_some_and(|contact| contact.name.0 == peer.name.0)
                };
                PeerStand {
                    organisation: self
                        .named
                        .iter()
                        .find(is_its)
                        .map(|node| node.organisation)
                        .or_else(|| self.configured.whose.get(&peer.name).copied()),
                    is_connected: connected.contains(&peer.name),
                    address: peer.address,
                }
            })
            .collect();
        stands.sort_by(|one, other| one.address.cmp(&other.address));
        stands
    }

    /// Orders blocks with the others until the pool stops.
    pub(crate) fn run<D: Disk>(
        mut self: Box<Self>,
        sequencer: &mut Sequencer<D>,
    ) -> Result<(), NodeFailure> {
        let shared = Arc::clone(&sequencer.shared);
        let accusations = Accusations::open(&self.accusations, shared.chain_id);
        let times = (self.heartbeat, self.since);
        sequencer.join(self.own, times, self.cosigner.take(), accusations)?;
        let (mut passed_on, mut looked) = (Instant::now(), None);
        let mut connected = BTreeSet::new();
        loop {
            if shared.mempool.is_stopped() {
                return Ok(());
            }
            if shared.is_failed.load(Ordering::Acquire) {
                return Err(NodeFailure::Stopped);
            }
            if self.is_woken.swap(false, Ordering::AcqRel) || passed_on.elapsed() >= AGAIN {
                self.bft.pass_on(shared.mempool.to_pass_on(AGAIN, PASS_ON_MAX));
                passed_on = Instant::now();
                if shared.mempool.has_untold() {
                    self.is_woken.store(true, Ordering::Release);
                }
            }
            if looked.is_none_or(|looked: Instant| looked.elapsed() >= AGAIN) {
                shared.note_peers(self.stands());
                shared.is_watching.store(self.bft.is_watching(), Ordering::Release);
                looked = Some(Instant::now());
                let now: BTreeSet<_> = self.bft.connected().into_iter().collect();
                if !now.is_subset(&connected) {
                    shared.mempool.forget_told();
                }
                connected = now;
            }
            match self.bft.step(sequencer) {
                Ok(Step::Decided(_)) => self.follow_nodes(&sequencer.ledger)?,
                Ok(Step::Idle) => self.bft.wait(AGAIN),
                Err(EngineError::Application(failure)) => return Err(failure),
                Err(error) => return Err(NodeFailure::Engine(error.to_string())),
            }
        }
    }
}
