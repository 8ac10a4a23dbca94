//! Whole networks in one thread, each from one seed: delays, losses, repeats, partitions, crashes
//! that lose what was not flushed, a disk that is lost and replaced by an older copy without what
//! was signed, or a ledger alone that is, and one validator of four that is not honest ([`lies`]):
//! it runs twice with the same key, withholds, proposes what does not follow, repeats what is over,
//! or floods the others.
//!
//! After every block: no two honest nodes have different blocks at a height, each block is
//! certified, no payload is decided twice. After the trouble has ended: all honest nodes go on and
//! have all payloads, while the liar goes on lying.
//!
//! `WORLD_SEED=n` runs one seed, `WORLD_SEEDS=n` as many from 0 on.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bft::guard::Guard;
use bft::log::Log;
use bft::machine::{Event, Machine, Signing};
use bft::{Patience, PeerName};
use consensus::{Application as _, EngineError, Replica as _, Signer as _};
use primitives::{Hash, codec};
use proof::header::{Certificate, ChainId, ValidatorSet};

use crate::keys::{Dalek, TestKey, validators};
use crate::ledger::{Block, Ledger, Shared};
use crate::lies::{LIES, Liar, Lie, Said};

const SEEDS: u64 = 120;
const VALIDATORS: usize = 4;
/// How long there is trouble, and how long it may take until all is well afterwards.
const TROUBLE: Duration = Duration::from_secs(40);
const RECOVERY: Duration = Duration::from_secs(120);

/// SplitMix64.
pub struct Random(u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    pub fn is_chosen(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn millis(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(from + self.below(to - from))
    }
}

/// A log whose last entries are lost in a crash unless they were flushed.
#[derive(Default)]
struct LogDisk {
    height: u64,
    durable: Vec<Vec<u8>>,
    pending: Vec<Vec<u8>>,
}

#[derive(Clone, Default)]
struct SimLog(Arc<Mutex<LogDisk>>);

impl Log for SimLog {
    fn height(&self) -> u64 {
        self.0.lock().unwrap().height
    }
    fn entries(&mut self) -> std::io::Result<(Vec<Vec<u8>>, bool)> {
        Ok((self.0.lock().unwrap().durable.clone(), true))
    }
    fn append(&mut self, entry: &[u8]) -> std::io::Result<()> {
        self.0.lock().unwrap().pending.push(entry.to_vec());
        Ok(())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        let mut disk = self.0.lock().unwrap();
        let pending = std::mem::take(&mut disk.pending);
        disk.durable.extend(pending);
        Ok(())
    }
    fn reset(&mut self, height: u64) -> std::io::Result<()> {
        *self.0.lock().unwrap() = LogDisk { height, ..LogDisk::default() };
        Ok(())
    }
}

enum Happening {
    Deliver { to: usize, from: usize, bytes: Arc<[u8]> },
    Tick(usize),
    Submit { to: usize, payload: Vec<u8> },
    PassOn(usize),
    Trouble,
    Start(usize),
    LoseDisk(usize),
}

struct Instance {
    /// The validator that it is; two instances may be the same.
    validator: usize,
    machine: Option<Machine>,
    ledger: Ledger,
    log: SimLog,
    tick: Option<Duration>,
    /// Whether it was started before.
    has_begun: bool,
}

struct World {
    random: Random,
    now: Duration,
    queue: BinaryHeap<Reverse<(Duration, u64)>>,
    happenings: BTreeMap<u64, Happening>,
    count: u64,
    instances: Vec<Instance>,
    validators: ValidatorSet,
    chain_id: ChainId,
    /// What the last validator does that is not honest.
    liar: Option<Liar>,
    folder: tempfile::TempDir,
    /// Who is on which side of a partition.
    sides: Vec<u64>,
    loss: u64,
    is_trouble: bool,
    decided: BTreeMap<u64, Hash>,
    checked: Vec<u64>,
    payloads: Vec<Vec<u8>>,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let lie = random
            .is_chosen(75)
            .then(|| LIES[usize::try_from(random.below(LIES.len() as u64)).unwrap()]);
        let has_twin = lie == Some(Lie::Twin);
        let (validators, chain_id) = (validators(VALIDATORS), "worlds".parse().unwrap());
        let instance = |number: usize| {
            let validator = number.min(VALIDATORS - 1);
            let own = TestKey::new(validator).organisation();
            let shared: Arc<Shared> = Arc::default();
            let validators = validators.clone();
            let is_honest = validator < VALIDATORS - 1 || lie != Some(Lie::Invalid);
            let ledger = Ledger { shared, chain_id, validators, own, is_honest };
            let log = SimLog::default();
            Instance { validator, machine: None, ledger, log, tick: None, has_begun: false }
        };
        let instances: Vec<_> = (0..VALIDATORS + usize::from(has_twin)).map(instance).collect();
        let (sides, checked) = (vec![0; instances.len()], vec![0; instances.len()]);
        let mut world = Self {
            random,
            now: Duration::ZERO,
            queue: BinaryHeap::new(),
            happenings: BTreeMap::new(),
            count: 0,
            instances,
            validators,
            chain_id,
            liar: lie.map(Liar::new),
            folder: in_memory(),
            sides,
            loss: 0,
            is_trouble: true,
            decided: BTreeMap::new(),
            checked,
            payloads: Vec::new(),
        };
        for number in 0..world.instances.len() {
            let at = world.random.millis(0, 3_000);
            world.plan(at, Happening::Start(number));
            world.plan(at, Happening::PassOn(number));
        }
        for number in 0..60_u8 {
            let at = world.random.millis(0, u64::try_from(TROUBLE.as_millis()).unwrap());
            let to = usize::try_from(world.random.below(3)).unwrap();
            let payload = vec![number; 20];
            world.payloads.push(payload.clone());
            world.plan(at, Happening::Submit { to, payload });
        }
        world.plan(Duration::from_millis(500), Happening::Trouble);
        if lie.is_none() {
            let at = world.random.millis(5_000, u64::try_from(TROUBLE.as_millis()).unwrap());
            let number = usize::try_from(world.random.below(VALIDATORS as u64)).unwrap();
            world.plan(at, Happening::LoseDisk(number));
        }
        world
    }

    /// Where there is a liar, it is the last validator.
    fn is_honest(&self, number: usize) -> bool {
        self.liar.is_none() || number < VALIDATORS - 1
    }

    fn plan(&mut self, after: Duration, happening: Happening) {
        self.count += 1;
        self.queue.push(Reverse((self.now + after, self.count)));
        self.happenings.insert(self.count, happening);
    }

    fn start(&mut self, number: usize) {
        let is_honest = self.is_honest(number);
        let instance = &mut self.instances[number];
        if instance.machine.is_some() {
            return;
        }
        instance.log.0.lock().unwrap().pending.clear();
        let key = TestKey::new(instance.validator);
        let path = self.folder.path().join(number.to_string());
        // A key is made once; a twin has nothing to lose and watches for nothing.
        let has_begun = std::mem::replace(&mut instance.has_begun, true) && is_honest;
        let guard = if has_begun { Guard::open(&path) } else { Guard::of_new_key(&path) }.unwrap();
        let patience =
            Patience { propose: Duration::from_millis(800), vote: Duration::from_millis(400) };
        let mut machine = Machine::new(
            self.chain_id,
            key.organisation(),
            Some(Signing { key: Arc::new(key), guard }),
            Arc::new(Dalek),
            patience,
            Box::new(instance.log.clone()),
            self.validators.clone(),
        );
        let started = machine.start(self.now, &mut instance.ledger);
        instance.machine = Some(machine);
        self.follow_up(number);
        self.outcome(number, started);
        for other in 0..self.instances.len() {
            if other != number {
                self.tell(number, Event::Connected(name(self.instances[other].validator)));
                self.tell(other, Event::Connected(name(self.instances[number].validator)));
            }
        }
    }

    /// An older ledger comes back in the place of a lost one: with the log and the guard, or
    /// without all that the key signed.
    fn lose_disk(&mut self, number: usize) {
        let keeps_signed = self.random.is_chosen(50);
        let instance = &mut self.instances[number];
        (instance.machine, instance.tick) = (None, None);
        let guard = self.folder.path().join(number.to_string());
        if !keeps_signed {
            *instance.log.0.lock().unwrap() = LogDisk::default();
            if guard.exists() {
                std::fs::remove_file(guard).unwrap();
            }
        }
        let height = instance.ledger.shared.kept.lock().unwrap().height();
        let left = height.saturating_sub(self.random.below(4));
        let mut kept = instance.ledger.shared.kept.lock().unwrap();
        kept.go_back(left);
        // Only what comes after the last block that it had can have been signed undecided.
        kept.signed_to = height + 1;
        drop(kept);
        self.checked[number] = self.checked[number].min(left);
        let back = self.random.millis(10, 2_000);
        self.plan(back, Happening::Start(number));
    }

    fn tell(&mut self, number: usize, event: Event) {
        let instance = &mut self.instances[number];
        if let Some(machine) = &mut instance.machine {
            let handled = machine.handle(self.now, event, &mut instance.ledger);
            self.follow_up(number);
            self.outcome(number, handled);
        }
    }

    /// An honest node never fails. A twin finds in its log what the other one signed, and begins
    /// anew without it: it has nothing to lose.
    fn outcome(&mut self, number: usize, result: Result<(), EngineError<Infallible>>) {
        let Err(error) = result else { return };
        assert!(!self.is_honest(number), "node {number}: {error}");
        let instance = &mut self.instances[number];
        (instance.machine, instance.tick) = (None, None);
        *instance.log.0.lock().unwrap() = LogDisk::default();
        std::fs::remove_file(self.folder.path().join(number.to_string())).unwrap();
        let back = self.random.millis(100, 2_000);
        self.plan(back, Happening::Start(number));
    }

    /// Sends what a liar makes of what it has to say.
    fn lie(&mut self, number: usize) {
        let height = self.instances[number].ledger.shared.kept.lock().unwrap().height() + 1;
        let Some(liar) = &mut self.liar else { return };
        for bytes in liar.invents(&mut self.random, (self.now, height)) {
            let other = usize::try_from(self.random.below(VALIDATORS as u64 - 1)).unwrap();
            self.send(number, other, &bytes);
        }
    }

    /// Sends what a node has to say, wakes it when it wants, and checks what it decided.
    fn follow_up(&mut self, number: usize) {
        let Some(machine) = &mut self.instances[number].machine else { return };
        let (outputs, deadline) = (machine.take_outputs(), machine.deadline());
        machine.take_decided();
        for output in outputs {
            for other in 0..self.instances.len() {
                let is_meant =
                    output.to.is_none_or(|to| to == name(self.instances[other].validator));
                if other != number && is_meant {
                    self.send(number, other, &output.bytes);
                }
            }
        }
        if let Some(at) = deadline
            && self.instances[number].tick.is_none_or(|tick| at < tick || tick <= self.now)
        {
            self.instances[number].tick = Some(at);
            self.plan(at.saturating_sub(self.now), Happening::Tick(number));
        }
        if !self.is_honest(number) {
            self.lie(number);
        }
        self.check(number);
    }

    fn send(&mut self, from: usize, to: usize, bytes: &Arc<[u8]>) {
        if self.sides[from] != self.sides[to] || self.random.is_chosen(self.loss) {
            return;
        }
        let mut bytes = Arc::clone(bytes);
        let is_honest = self.is_honest(from);
        if let Some(liar) = &mut self.liar {
            liar.hears(&mut self.random, &bytes);
            match if is_honest { Said::AsItIs } else { liar.says(&mut self.random, to, &bytes) } {
                Said::Nothing => return,
                Said::AsItIs => {}
                Said::Otherwise(changed) => bytes = changed,
            }
        }
        let is_slow = self.is_trouble && self.random.is_chosen(5);
        let delay =
            if is_slow { self.random.millis(200, 4_000) } else { self.random.millis(1, 40) };
        if self.is_trouble && self.random.is_chosen(5) {
            let later = delay + self.random.millis(1, 500);
            self.plan(later, Happening::Deliver { to, from, bytes: Arc::clone(&bytes) });
        }
        self.plan(delay, Happening::Deliver { to, from, bytes });
    }

    fn check(&mut self, number: usize) {
        if !self.is_honest(number) {
            return;
        }
        let kept = self.instances[number].ledger.shared.kept.lock().unwrap();
        let first = usize::try_from(self.checked[number]).unwrap();
        for (block, certificate) in &kept.blocks[first..] {
            let (header, _) = codec::decode::<Block>(block).unwrap();
            self.validators.verify_certificate(&header, certificate, &Dalek).unwrap();
            let value_id = header.value_id();
            let there = *self.decided.entry(header.height).or_insert(value_id);
            assert_eq!(there, value_id, "two blocks at height {}", header.height);
        }
        self.checked[number] = kept.height();
        let mut all: Vec<_> = kept.decided().collect();
        let count = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), count, "a payload was decided twice");
    }

    fn trouble(&mut self) {
        let count = self.instances.len();
        match self.random.below(6) {
            0 | 1 => {
                let number = usize::try_from(self.random.below(count as u64)).unwrap();
                self.instances[number].machine = None;
                let back = self.random.millis(100, 6_000);
                self.plan(back, Happening::Start(number));
            }
            2 => self.sides = (0..count).map(|_| self.random.below(2)).collect(),
            3 => self.sides = vec![0; count],
            4 => self.loss = self.random.below(30),
            _ => self.loss = 0,
        }
        let pause = self.random.millis(200, 2_000);
        self.plan(pause, Happening::Trouble);
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Deliver { to, from, bytes } => {
                let from = name(self.instances[from].validator);
                self.tell(to, Event::Received(from, bytes.to_vec()));
            }
            Happening::Tick(number) => {
                self.instances[number].tick = None;
                self.tell(number, Event::Wake);
            }
            Happening::Submit { to, payload } => {
                self.instances[to].ledger.shared.kept.lock().unwrap().take(vec![payload]);
                self.tell(to, Event::Wake);
            }
            Happening::PassOn(number) => {
                // As a node does: what it was given and is not decided, it tells the others again.
                let pool = self.instances[number].ledger.shared.kept.lock().unwrap().pool.clone();
                for other in 0..self.instances.len() {
                    let is_there = self.instances[number].machine.is_some();
                    let is_cut = self.sides[number] != self.sides[other];
                    if other != number && is_there && !is_cut && !pool.is_empty() {
                        let ledger = &self.instances[other].ledger;
                        ledger.shared.kept.lock().unwrap().take(pool.clone());
                        self.tell(other, Event::Wake);
                    }
                }
                self.plan(Duration::from_secs(1), Happening::PassOn(number));
            }
            Happening::Trouble => {
                if self.is_trouble {
                    self.trouble();
                }
            }
            Happening::Start(number) => self.start(number),
            Happening::LoseDisk(number) => self.lose_disk(number),
        }
    }

    fn run_until(&mut self, end: Duration) {
        while let Some(Reverse((at, number))) = self.queue.pop() {
            if at > end {
                self.queue.push(Reverse((at, number)));
                break;
            }
            self.now = at;
            let happening = self.happenings.remove(&number).unwrap();
            self.happen(happening);
        }
        self.now = end;
    }

    fn is_well(&self) -> bool {
        let honest = (0..VALIDATORS).filter(|number| self.is_honest(*number));
        let mut heights = honest.map(|number| {
            let kept = self.instances[number].ledger.shared.kept.lock().unwrap();
            let all = self.payloads.iter().all(|one| kept.decided().any(|there| there == *one));
            all.then(|| kept.height())
        });
        let first = heights.next().flatten();
        first.is_some() && heights.all(|height| height == first)
    }

    fn run(mut self) -> Lived {
        self.run_until(TROUBLE);
        (self.is_trouble, self.loss) = (false, 0);
        self.sides = vec![0; self.instances.len()];
        for number in 0..self.instances.len() {
            self.start(number);
            // Connections are made again when a partition ends.
            for other in 0..self.instances.len() {
                if other != number {
                    self.tell(number, Event::Connected(name(self.instances[other].validator)));
                }
            }
        }
        let end = TROUBLE + RECOVERY;
        while !self.is_well() {
            assert!(self.now < end, "not well {:?} after the trouble", self.now - TROUBLE);
            self.run_until(self.now + Duration::from_secs(1));
        }
        let height = self.decided.last_key_value().map_or(0, |(height, _)| *height);
        let accused = self.instances[0].ledger.shared.kept.lock().unwrap().accused.clone();
        for who in &accused {
            assert!(self.liar.is_some(), "{who} is honest");
            assert_eq!(*who, TestKey::new(VALIDATORS - 1).organisation());
        }
        let refused = self.instances[0].ledger.shared.kept.lock().unwrap().refused;
        let lie = self.liar.map(|liar| (liar.lie, liar.told));
        Lived { height, is_accused: !accused.is_empty(), refused, lie }
    }
}

/// What became of a world.
struct Lived {
    height: u64,
    is_accused: bool,
    /// How many blocks the first node found not to follow.
    refused: u64,
    /// What was lied, and how often.
    lie: Option<(Lie, u64)>,
}

/// A folder that is no disk where there is one, so that nobody waits for guards to be durable.
fn in_memory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

fn name(validator: usize) -> PeerName {
    PeerName([u8::try_from(validator).unwrap(); 32])
}

/// A validator of its own, with what it needs.
fn alone(number: usize, folder: &std::path::Path) -> (Machine, Ledger) {
    let (validators, chain_id) = (validators(VALIDATORS), "worlds".parse().unwrap());
    let key = TestKey::new(number);
    let (shared, own) = (Arc::default(), key.organisation());
    let is_honest = true;
    let ledger = Ledger { shared, chain_id, validators: validators.clone(), own, is_honest };
    let guard = Guard::of_new_key(&folder.join(number.to_string())).unwrap();
    let patience =
        Patience { propose: Duration::from_millis(800), vote: Duration::from_millis(400) };
    let signing = Some(Signing { key: Arc::new(key), guard });
    let log = Box::new(SimLog::default());
    (Machine::new(chain_id, own, signing, Arc::new(Dalek), patience, log, validators), ledger)
}

#[test]
fn only_what_a_validator_signed_begins_a_height() {
    let folder = in_memory();
    let (now, later) = (Duration::ZERO, Duration::from_secs(5));
    // Whoever has something to order begins the height, and says so.
    let (mut first, mut ledger) = alone(1, folder.path());
    ledger.shared.kept.lock().unwrap().take(vec![vec![1; 20]]);
    first.start(now, &mut ledger).unwrap();
    first.handle(later, Event::Wake, &mut ledger).unwrap();
    let said = first.take_outputs();
    assert!(said.len() >= 2, "its block and its proposal");

    let (mut other, mut ledger) = alone(2, folder.path());
    other.start(now, &mut ledger).unwrap();
    let mut hears = |bytes: &[u8]| {
        let event = Event::Received(name(1), bytes.to_vec());
        other.handle(now, event, &mut ledger).unwrap();
        // Who has begun a height waits for its rounds.
        other.deadline().is_some()
    };
    for output in &said {
        // The signature stands at the end of what is signed.
        let mut changed = output.bytes.to_vec();
        let last = changed.len() - 1;
        changed[last] ^= 1;
        assert!(!hears(&changed), "a changed message began the height");
    }
    let begun = said.iter().map(|output| hears(&output.bytes)).collect::<Vec<_>>();
    assert_eq!(begun.first(), Some(&false), "a block alone begins nothing");
    assert_eq!(begun.last(), Some(&true), "{begun:?}");
}

#[test]
fn who_asks_for_the_same_blocks_again_at_once_is_not_given_them_again() {
    let folder = in_memory();
    let (mut giver, mut full) = alone(1, folder.path());
    full.shared.kept.lock().unwrap().take(vec![vec![1; 20]]);
    let proposal = full.propose_in_turn(0).unwrap();
    let (height, value_id) = (1, proposal.header.value_id());
    full.commit(proposal, Certificate { height, round: 0, value_id, signatures: vec![] }).unwrap();
    giver.start(Duration::ZERO, &mut full).unwrap();
    giver.take_outputs();
    let mut said = |at: u64, event: Event| {
        giver.handle(Duration::from_millis(at), event, &mut full).unwrap();
        giver.take_outputs()
    };
    let status = said(0, Event::Connected(name(2))).remove(0).bytes.to_vec();
    let (mut asker, mut empty) = alone(2, folder.path());
    asker.start(Duration::ZERO, &mut empty).unwrap();
    let told = Event::Received(name(1), status);
    asker.handle(Duration::ZERO, told, &mut empty).unwrap();
    let fetch = asker.take_outputs().remove(0).bytes.to_vec();
    let asks = |peer: usize| Event::Received(name(peer), fetch.clone());
    assert_eq!((said(10, asks(2)).len(), said(20, asks(2)).len()), (1, 0));
    assert_eq!(said(30, asks(3)).len(), 1, "another peer is another one");
    assert_eq!(said(1_011, asks(2)).len(), 1, "after a while it is given again");
    // Whoever comes anew may have lost the answer.
    assert_eq!(said(1_020, Event::Connected(name(2))).len(), 1);
    assert_eq!((said(1_030, asks(2)).len(), said(1_040, asks(2)).len()), (1, 0));
}

#[test]
fn worlds() {
    let number = |name| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let one = number("WORLD_SEED");
    let end = number("WORLD_SEEDS").unwrap_or(SEEDS);
    let (mut blocks, mut accusations) = (0, 0);
    let (mut refused, mut lies) = (0, BTreeMap::<Lie, (u64, u64)>::new());
    for seed in one.unwrap_or(0)..one.map_or(end, |seed| seed + 1) {
        let run = std::panic::catch_unwind(|| World::new(seed).run());
        let lived = run.unwrap_or_else(|_| {
            panic!("WORLD_SEED={seed} cargo test --release -p bft --test network worlds")
        });
        blocks += lived.height;
        accusations += u64::from(lived.is_accused);
        if let Some((lie, told)) = lived.lie {
            let (worlds, all) = lies.entry(lie).or_default();
            (*worlds, *all) = (*worlds + 1, *all + told);
            refused += if lie == Lie::Invalid { lived.refused } else { 0 };
        }
    }
    assert!(blocks > 0);
    println!("{blocks} blocks, {accusations} worlds with an accusation, {refused} refused blocks");
    println!("worlds with a liar, and its lies: {lies:?}");
    if one.is_none() {
        // Twins are caught at least now and then; never anybody else.
        assert!(accusations > 0, "nobody was accused");
        assert!(refused > 0, "no block was found not to follow");
        let has_all = LIES.iter().all(|lie| lies.get(lie).is_some_and(|(_, told)| *told > 0));
        assert!(has_all, "some lie was never told: {lies:?}");
    }
}
