//! A ledger of opaque payloads in memory: what an engine needs of one, in its smallest form.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use bft::{Bft, Proposed, Reply, Request, Undecided, Verdict};
use consensus::Next;
use primitives::{Hash, OrganisationId, Timestamp, codec, sha256};
use proof::header::{Certificate, ChainId, HEADER_VERSION, Header, ValidatorSet};

/// A block of the test: its header and the payloads behind it.
pub type Block = (Header, Vec<Vec<u8>>);

/// What outlives the engine, as a disk does.
#[derive(Default)]
pub struct Kept {
    pub blocks: Vec<(Vec<u8>, Certificate)>,
    pub pool: Vec<Vec<u8>>,
    pub undecided: BTreeMap<Hash, (u64, Undecided, Vec<u8>)>,
}

/// After how long a payload that is not decided is passed on again.
const AGAIN: Duration = Duration::from_millis(300);

/// A ledger and whoever waits for it.
#[derive(Default)]
pub struct Shared {
    pub kept: Mutex<Kept>,
    pub changed: Condvar,
    /// The engine, while it runs: it passes payloads on to the others.
    pub bft: Mutex<Option<Arc<Bft>>>,
}

impl Kept {
    pub fn height(&self) -> u64 {
        u64::try_from(self.blocks.len()).unwrap()
    }

    pub fn payloads(&self) -> usize {
        let count = |(block, _): &(Vec<u8>, _)| codec::decode::<Block>(block).unwrap().1.len();
        self.blocks.iter().map(count).sum()
    }

    /// Takes payloads into the pool that are neither there nor decided.
    pub fn take(&mut self, payloads: Vec<Vec<u8>>) {
        let decided =
            self.blocks.iter().flat_map(|(block, _)| codec::decode::<Block>(block).unwrap().1);
        let mut known: BTreeSet<_> = decided.chain(self.pool.iter().cloned()).collect();
        self.pool.extend(payloads.into_iter().filter(|one| known.insert(one.clone())));
    }

    fn parent(&self) -> Hash {
        self.blocks.last().map_or(Hash::default(), |(block, _)| {
            codec::decode::<Block>(block).unwrap().0.value_id()
        })
    }
}

pub enum Event {
    Engine(Request),
    Wake,
    Stop,
}

pub struct Runner {
    pub shared: Arc<Shared>,
    pub chain_id: ChainId,
    pub validators: ValidatorSet,
    pub own: OrganisationId,
    pub events: Receiver<Event>,
    pub idle: Option<Reply<Next>>,
}

impl Runner {
    pub fn run(mut self) {
        loop {
            match self.events.recv_timeout(AGAIN) {
                Ok(Event::Engine(request)) => self.answer(request),
                Ok(Event::Wake) => self.wake(),
                Err(RecvTimeoutError::Timeout) => self.pass_on_again(),
                Ok(Event::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Nobody may have heard of it when it was submitted.
    fn pass_on_again(&self) {
        let pool = self.shared.kept.lock().unwrap().pool.clone();
        if let Some(bft) = &*self.shared.bft.lock().unwrap() {
            pool.into_iter().for_each(|payload| bft.pass_on(payload));
        }
    }

    fn next(&self) -> Next {
        let height = self.shared.kept.lock().unwrap().height() + 1;
        Next { height, validators: self.validators.clone() }
    }

    fn wake(&mut self) {
        if let Some(reply) = self.idle.take() {
            reply.send(self.next());
        }
    }

    fn header(&self, kept: &Kept, payloads: &[Vec<u8>]) -> Header {
        Header {
            version: HEADER_VERSION,
            chain_id: self.chain_id,
            height: kept.height() + 1,
            time: Timestamp::from_millis(kept.height()),
            parent: kept.parent(),
            transaction_root: sha256(&codec::encode(payloads)),
            receipt_log_size: 0,
            receipt_log_root: Hash::default(),
            state_root: Hash::default(),
            next_validators: self.validators.hash(),
        }
    }

    fn propose(&self, height: u64, round: u32) -> Proposed {
        let mut kept = self.shared.kept.lock().unwrap();
        let own = kept
            .undecided
            .iter()
            .find(|(_, (at, one, _))| *at == height && one.proposer == self.own);
        if let Some((value_id, (_, _, block))) = own {
            return Proposed { value_id: *value_id, block: block.clone().into() };
        }
        let payloads = kept.pool.clone();
        let header = self.header(&kept, &payloads);
        let value_id = header.value_id();
        let block = codec::encode(&(header, payloads));
        let (valid_round, proposer, is_valid) = (None, self.own, true);
        let undecided = Undecided { round, valid_round, proposer, value_id, is_valid };
        kept.undecided.insert(value_id, (height, undecided, block.clone()));
        Proposed { value_id, block: block.into() }
    }

    fn judge(&self, height: u64, origin: bft::Origin, block: Vec<u8>) -> Verdict {
        let mut kept = self.shared.kept.lock().unwrap();
        let Ok((header, payloads)) = codec::decode::<Block>(&block) else {
            return Verdict::Unreadable;
        };
        if height != kept.height() + 1 {
            return Verdict::NotNow;
        }
        let value_id = header.value_id();
        if header != self.header(&kept, &payloads) {
            return Verdict::Invalid(value_id);
        }
        let bft::Origin { round, valid_round, proposer, .. } = origin;
        let undecided = Undecided { round, valid_round, proposer, value_id, is_valid: true };
        kept.undecided.insert(value_id, (height, undecided, block));
        Verdict::Valid(value_id)
    }

    fn decide(&self, certificate: Certificate) {
        let mut kept = self.shared.kept.lock().unwrap();
        let (_, _, block) = kept.undecided.remove(&certificate.value_id).expect("it was judged");
        let (_, payloads) = codec::decode::<Block>(&block).unwrap();
        kept.pool.retain(|waiting| !payloads.contains(waiting));
        kept.undecided.retain(|_, (height, ..)| *height > certificate.height);
        kept.blocks.push((block, certificate));
        drop(kept);
        self.shared.changed.notify_all();
    }

    fn answer(&mut self, request: Request) {
        match request {
            Request::Start { reply } => reply.send(self.next()),
            Request::Propose { height, round, reply } => reply.send(self.propose(height, round)),
            Request::Undecided { height, reply } => {
                let kept = self.shared.kept.lock().unwrap();
                let known = kept.undecided.values().filter(|(at, ..)| *at == height);
                reply.send(known.map(|(_, one, _)| one.clone()).collect());
            }
            Request::Judge { height, origin, block, reply } => {
                reply.send(self.judge(height, origin, block));
            }
            Request::Ahead { .. } => self.wake(),
            Request::Block { value_id, reply } => {
                let kept = self.shared.kept.lock().unwrap();
                reply.send(kept.undecided.get(&value_id).map(|(_, _, block)| block.clone().into()));
            }
            Request::Decided { certificate, reply } => {
                self.decide(certificate);
                reply.send(());
            }
            Request::Finalized { is_fetched, reply, .. } => {
                let has_payloads = !self.shared.kept.lock().unwrap().pool.is_empty();
                self.idle = Some(reply);
                if has_payloads || is_fetched {
                    self.wake();
                }
            }
            Request::Decisions { first, last, reply } => {
                let kept = self.shared.kept.lock().unwrap();
                let wanted =
                    kept.blocks.iter().zip(1_u64..).filter(|(_, at)| (first..=last).contains(at));
                reply.send(wanted.map(|(one, _)| one.clone()).collect());
            }
            Request::First { reply } => reply.send(1),
        }
    }
}
