//! One validator, or one node that follows, without threads, clock or sockets: what comes in is
//! handed to it with the time, and what goes out is fetched from it. So one thread and one seed can
//! run a whole network.
//!
//! The engine's core decides what to sign and when a block is final; this file does what it asks
//! for. What a node must not forget is written down before a message leaves: first into the log,
//! from which a restart goes on where it was, then into the guard ([`crate::guard`]). A node whose
//! log does not know what the guard knows watches until the height is over.
//!
//! Reading order: this file (what comes in and goes out), `begin` (a height begins, or goes on
//! where the log ends), `receive` (what others say), `effect` (what the core asks for), `catch_up`.
//!
//! Invariants: nothing leaves before log and guard are durable; a height begins only when there is
//! something to order or others have begun it; a block of others is handed on only when it was
//! judged; what was missed is fetched with certificates, each checked here.

mod begin;
mod catch_up;
mod effect;
mod receive;

use std::collections::{BTreeMap, VecDeque};
use std::mem::take;
use std::sync::Arc;
use std::time::Duration;

use consensus::{EngineError, Replica};
use malachite_consensus::{Input, State};
use malachite_types::{LinearTimeouts, Round, Timeout};
use primitives::OrganisationId;
use proof::header::{ChainId, ValidatorSet};

use crate::codec::{Carried, Message, Wire as _};
use crate::context::Ours;
use crate::guard::Guard;
use crate::log::Log;
use crate::sign::Check;
use crate::{Patience, PeerName, SharedSigner, SharedVerifier};

/// By how much each further round waits longer.
const ROUND_DELTA: Duration = Duration::from_millis(250);
/// The longest that a round waits.
const ROUND_MAX: Duration = Duration::from_secs(10);
/// For how many heights ahead votes and blocks of others are kept.
const AHEAD_MAX: u64 = 10;
/// How many messages are kept for each of these heights.
const AHEAD_MESSAGES_MAX: usize = 1_000;
/// How many blocks of one peer are kept aside for a height that has not begun: its own, and one
/// that it tries again. Nobody takes the places of others.
const ASIDE_PER_PEER_MAX: usize = 2;
/// How many rounds ahead of the present one a block is looked at.
const ROUNDS_AHEAD_MAX: u32 = 16;
/// How many blocks one peer may have judged for one round: its own, and one that is tried again.
const PER_ROUND_MAX: u32 = 2;
/// How long a node that is one block behind waits for its own votes to decide it.
const LAG: Duration = Duration::from_millis(500);
/// How long decided blocks are waited for before another peer is asked.
const FETCH_PATIENCE: Duration = Duration::from_secs(10);
/// For how long a peer is not asked again that did not have what it told of.
const DISTRUST: Duration = Duration::from_secs(30);
/// How often at the most a peer that is behind is told where we are.
const STATUS_PAUSE: Duration = Duration::from_millis(200);

/// How long a peer waits before it is given the same blocks again. Whoever has no answer asks
/// another peer, and not so soon.
const FETCH_PAUSE: Duration = Duration::from_secs(1);

/// What a validator signs with.
pub struct Signing {
    /// Its key.
    pub key: SharedSigner,
    /// What keeps it from signing twice.
    pub guard: Guard,
}

/// Something for other nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// For whom; all others if nobody is named.
    pub to: Option<PeerName>,
    /// What to send.
    pub bytes: Arc<[u8]>,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// What is sent to this peer arrives from now on.
    Connected(PeerName),
    /// A peer sent this.
    Received(PeerName, Vec<u8>),
    /// The ledger may have something to order, or time has passed.
    Wake,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The height has not begun.
    Idle,
    /// The log is read.
    Replaying,
    /// The height is on its way.
    Running,
    /// This node takes no part in the height.
    Watching,
}

enum Work {
    Input(Input<Ours>),
    Propose(Round),
    Next,
}

#[derive(Clone, Copy)]
struct Fetching {
    from: PeerName,
    since: Duration,
}

/// A node's part in the agreement on one block after the other.
pub struct Machine {
    chain_id: ChainId,
    own: OrganisationId,
    signing: Option<Signing>,
    check: Check,
    timeouts: LinearTimeouts,
    log: Box<dyn Log>,
    core: Option<State<Ours>>,
    /// The block that is decided next, and by whom.
    height: u64,
    validators: ValidatorSet,
    round: u32,
    phase: Phase,
    is_muted: bool,
    now: Duration,
    timers: Vec<(Timeout, Duration)>,
    work: VecDeque<Work>,
    /// Blocks of heights that have not begun, and who sent them.
    aside: Vec<(PeerName, Carried)>,
    /// How many blocks a peer had judged, by round.
    judged: BTreeMap<(u32, PeerName), u32>,
    /// The highest height that others have begun.
    begun: u64,
    /// The last block of each peer, as it says.
    tips: BTreeMap<PeerName, u64>,
    told: BTreeMap<PeerName, Duration>,
    /// From which block on peers were given decided ones last, and when.
    given: BTreeMap<PeerName, (u64, Duration)>,
    /// What peers asked last and was not answered yet.
    asked: BTreeMap<PeerName, Vec<u8>>,
    /// Peers that are not asked for blocks, until when.
    distrusted: BTreeMap<PeerName, Duration>,
    lag_until: Option<Duration>,
    fetching: Option<Fetching>,
    outputs: Vec<Output>,
    decided: Option<u64>,
}

type Failure<A> = EngineError<<A as consensus::Application>::Error>;

fn broken<E>(what: impl ToString) -> EngineError<E> {
    EngineError::Broken(what.to_string())
}

fn timeouts(patience: Patience) -> LinearTimeouts {
    let Patience { propose, vote } = patience;
    LinearTimeouts {
        propose,
        propose_delta: ROUND_DELTA,
        prevote: vote,
        prevote_delta: ROUND_DELTA,
        precommit: vote,
        precommit_delta: ROUND_DELTA,
        rebroadcast: propose.saturating_add(vote),
        max_timeout: ROUND_MAX,
    }
}

impl Machine {
    /// A node of this ledger, for now without any part in it ([`Machine::start`]).
    pub fn new(
        chain_id: ChainId,
        own: OrganisationId,
        signing: Option<Signing>,
        verifier: SharedVerifier,
        patience: Patience,
        log: Box<dyn Log>,
        validators: ValidatorSet,
    ) -> Self {
        Self {
            chain_id,
            own,
            signing,
            check: Check { chain_id, verifier },
            timeouts: timeouts(patience),
            log,
            core: None,
            height: 0,
            validators,
            round: 0,
            phase: Phase::Idle,
            is_muted: false,
            now: Duration::ZERO,
            timers: Vec::new(),
            work: VecDeque::new(),
            aside: Vec::new(),
            judged: BTreeMap::new(),
            begun: 0,
            tips: BTreeMap::new(),
            told: BTreeMap::new(),
            given: BTreeMap::new(),
            asked: BTreeMap::new(),
            distrusted: BTreeMap::new(),
            lag_until: None,
            fetching: None,
            outputs: Vec::new(),
            decided: None,
        }
    }

    /// Goes on where the log ends, or waits for something to order.
    ///
    /// # Errors
    /// As [`Machine::handle`].
    pub fn start<A: Replica>(&mut self, now: Duration, app: &mut A) -> Result<(), Failure<A>> {
        self.now = now;
        self.renew(app);
        if self.log.height() == self.height {
            self.begun = self.height;
        }
        self.work.push_back(Work::Next);
        self.work_off(app)
    }

    /// Does what follows from an event.
    ///
    /// # Errors
    /// When log or ledger fail, or the engine does: then the machine must not be used again.
    pub fn handle<A: Replica>(
        &mut self,
        now: Duration,
        event: Event,
        app: &mut A,
    ) -> Result<(), Failure<A>> {
        self.now = now;
        match event {
            Event::Connected(peer) => {
                self.told.insert(peer, now);
                // It may be another start of the same node.
                self.given.remove(&peer);
                self.send(Some(peer), &Message::Status(self.height.saturating_sub(1)));
            }
            Event::Received(peer, bytes) => match Message::decode(&bytes) {
                Ok(message) => self.receive(peer, message, app)?,
                Err(error) => tracing::warn!(%peer, %error, "a peer's message is not read"),
            },
            Event::Wake if self.phase == Phase::Idle => self.work.push_back(Work::Next),
            Event::Wake => {}
        }
        self.elapse();
        self.work_off(app)?;
        self.talk(app);
        Ok(())
    }

    /// What has to be sent since this was asked last.
    pub fn take_outputs(&mut self) -> Vec<Output> {
        take(&mut self.outputs)
    }

    /// The height of a block that was decided since this was asked last.
    pub fn take_decided(&mut self) -> Option<u64> {
        self.decided.take()
    }

    /// When something is to be done at the latest although nothing happens.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        let timers = self.timers.iter().map(|(_, at)| *at);
        let fetching = self.fetching.as_ref().map(|one| {
            let first = one.since.saturating_add(LAG);
            if self.now < first { first } else { one.since.saturating_add(FETCH_PATIENCE) }
        });
        timers.chain(self.lag_until).chain(fetching).min()
    }

    fn send(&mut self, to: Option<PeerName>, message: &Message) {
        self.outputs.push(Output { to, bytes: message.encode() });
    }

    /// Whether the key signs nothing yet, since nobody here knows what it signed before.
    #[must_use]
    pub fn is_watching(&self) -> bool {
        self.signing.as_ref().is_some_and(|signing| signing.guard.must_watch())
    }

    /// Reads from the ledger which block is next.
    fn renew<A: Replica>(&mut self, app: &A) {
        let next = app.next();
        if next.height != self.height {
            self.judged.clear();
            (self.round, self.is_muted, self.lag_until) = (0, false, None);
        }
        (self.height, self.validators) = (next.height, next.validators);
        self.aside.retain(|(_, one)| one.height >= next.height);
        self.phase = Phase::Idle;
        self.timers.clear();
        self.work.clear();
    }

    /// Timers that are due, and a peer that does not answer.
    fn elapse(&mut self) {
        let now = self.now;
        let due: Vec<_> = self.timers.extract_if(.., |(_, at)| *at <= now).collect();
        self.work.extend(
            due.into_iter().map(|(timeout, _)| Work::Input(Input::TimeoutElapsed(timeout))),
        );
        if let Some(Fetching { from, since }) = self.fetching {
            if now >= since.saturating_add(FETCH_PATIENCE) {
                self.fetching = None;
                self.distrust(from);
            }
            if now >= since.saturating_add(LAG) {
                self.work.push_back(Work::Next);
            }
        }
        self.fetch_if_behind();
    }

    fn work_off<A: Replica>(&mut self, app: &mut A) -> Result<(), Failure<A>> {
        while let Some(work) = self.work.pop_front() {
            match work {
                Work::Input(input) => self.feed(input, app)?,
                Work::Propose(round) => self.propose(round, app)?,
                Work::Next => {
                    let is_due = self.begun >= self.height || app.has_work();
                    if self.phase == Phase::Idle && !self.is_catching_up() && is_due {
                        self.begin(app)?;
                    }
                }
            }
        }
        Ok(())
    }
}

impl std::fmt::Debug for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { own, height, round, phase, .. } = self;
        f.debug_struct("Machine")
            .field("own", own)
            .field("height", height)
            .field("round", round)
            .field("phase", phase)
            .finish_non_exhaustive()
    }
}
