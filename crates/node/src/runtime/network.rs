//! A node among others: what the engine asks it, what wakes it, and when it waits.
//!
//! While there is nothing to order, the answer to "what is the next height" is kept, so that no
//! empty blocks are made. It is given when a transaction can be tried here, when others are ahead,
//! after blocks that were fetched, and once per heartbeat, which keeps block time near the clock.
//! A transaction that is not decided is passed on to the others again and again: whoever was not
//! there hears of it later, and nobody sleeps over it.
//!
//! When a node starts, its first block may be empty: it asks for one to hear where the others are.
//!
//! Invariant: all nodes have the same block at a height, also one that was killed (test
//! `four_organisations_settle_one_falls_and_comes_back_and_all_have_the_same_root`).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use bft::{Bft, Reply, Request};
use consensus::{Application as _, Next};
use ledger::kernel::block::BLOCK_BYTES_MAX;
use ledger::kernel::transaction::TRANSACTION_BYTES_MAX;
use primitives::OrganisationId;

use super::agree::take_passed_on;
use super::sequencer::Sequencer;
use super::shared::Shared;
use super::{BlockSigner, NodeFailure};
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
    /// After how long without a transaction an empty block is made.
    pub heartbeat: Duration,
}

enum Event {
    Engine(Request),
    Wake,
}

/// The engine beside the thread that makes blocks.
pub(crate) struct Membership {
    bft: Bft,
    own: OrganisationId,
    heartbeat: Duration,
    events: Receiver<Event>,
    is_woken: Arc<AtomicBool>,
    /// The answer that is kept while there is nothing to order, and since when.
    idle: Option<(Reply<Next>, Instant)>,
}

/// Wakes the thread that makes blocks, once until it is awake.
fn waker(events: Sender<Event>, is_woken: Arc<AtomicBool>) -> Box<dyn Fn() + Send + Sync> {
    Box::new(move || {
        if !is_woken.swap(true, Ordering::AcqRel) {
            drop(events.send(Event::Wake));
        }
    })
}

impl Membership {
    /// Starts the engine and makes the pool one of several.
    pub(crate) fn start(
        network: Network,
        signer: BlockSigner,
        shared: &Arc<Shared>,
    ) -> Result<Self, bft::BftError> {
        let (events, receiver) = channel();
        let is_woken = Arc::new(AtomicBool::new(false));
        shared.mempool.share(waker(events.clone(), Arc::clone(&is_woken)));
        let (own, taking) = (signer.organisation, Arc::clone(shared));
        let heartbeat = network.heartbeat;
        let config = bft::Config {
            chain_id: shared.chain_id,
            key: Some(Arc::new(signer)),
            organisation: own,
            verifier: Arc::new(FastVerifier),
            network: network.place,
            on_transactions: Box::new(move |list| {
                list.iter().for_each(|bytes| take_passed_on(&taking, bytes));
            }),
            on_request: Box::new(move |request| drop(events.send(Event::Engine(request)))),
        };
        let bft = Bft::start(config)?;
        Ok(Self { bft, own, heartbeat, events: receiver, is_woken, idle: None })
    }

    /// Answers the engine until the pool stops.
    pub(crate) fn run<D: Disk>(mut self, sequencer: &mut Sequencer<D>) -> Result<(), NodeFailure> {
        let shared = Arc::clone(&sequencer.shared);
        sequencer.find_undecided(self.own)?;
        loop {
            let event = self.events.recv_timeout(AGAIN);
            if shared.mempool.is_stopped() {
                return Ok(());
            }
            if shared.is_failed.load(Ordering::Acquire) {
                return Err(NodeFailure::Stopped);
            }
            match event {
                Ok(Event::Engine(request)) => self.answer(sequencer, request)?,
                Ok(Event::Wake) => {
                    self.is_woken.store(false, Ordering::Release);
                    self.pass_on(&shared);
                    self.go_on_if_due(sequencer);
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.pass_on(&shared);
                    self.go_on_if_due(sequencer);
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(NodeFailure::Engine("the consensus engine ended".to_owned()));
                }
            }
        }
    }

    fn pass_on(&self, shared: &Shared) {
        for transaction in shared.mempool.to_pass_on(AGAIN, PASS_ON_MAX) {
            self.bft.pass_on(transaction);
        }
    }

    /// Lets the next height begin when there is something to order, or it is time for a heartbeat.
    fn go_on_if_due<D: Disk>(&mut self, sequencer: &Sequencer<D>) {
        let Some((_, since)) = &self.idle else { return };
        if since.elapsed() >= self.heartbeat || sequencer.has_work() {
            self.go_on(sequencer);
        }
    }

    fn go_on<D: Disk>(&mut self, sequencer: &Sequencer<D>) {
        if let Some((reply, _)) = self.idle.take() {
            reply.send(sequencer.next());
        }
    }

    fn answer<D: Disk>(
        &mut self,
        sequencer: &mut Sequencer<D>,
        request: Request,
    ) -> Result<(), NodeFailure> {
        match request {
            Request::Start { reply } => reply.send(sequencer.next()),
            Request::Propose { height, round, reply } => {
                if height == sequencer.next().height {
                    reply.send(sequencer.propose_block(round, self.own)?);
                } else {
                    tracing::error!(height, round, "a block of another height was asked for");
                }
            }
            Request::Undecided { height, reply } => reply.send(sequencer.told(height)),
            Request::Judge { height, origin, block, reply } => {
                reply.send(sequencer.judge(height, origin, &block)?);
            }
            Request::Ahead { .. } => self.go_on(sequencer),
            Request::Block { value_id, reply } => reply.send(sequencer.undecided_block(&value_id)),
            Request::Decided { certificate, reply } => {
                sequencer.decide(certificate)?;
                reply.send(());
            }
            Request::Finalized { height, is_fetched, equivocators, reply } => {
                for organisation in equivocators {
                    tracing::error!(height, %organisation, "a validator signed two things at once");
                }
                self.idle = Some((reply, Instant::now()));
                if is_fetched {
                    self.go_on(sequencer);
                } else {
                    self.go_on_if_due(sequencer);
                }
            }
            Request::Decisions { first, last, reply } => {
                reply.send(sequencer.decisions(first, last));
            }
            Request::First { reply } => reply.send(sequencer.first_height()),
        }
        Ok(())
    }
}
