//! A network and a clock on which everything goes wrong that can: messages are lost, come twice,
//! late and out of order, answers are lost, and the gateway dies in the middle and starts again
//! from its disk. What goes wrong with a message follows from the seed and the message's number.

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use adapters::clock::Clock as _;
use adapters::sqlite::Place;
use axum::Router;
use gateway::{Config, Gateway};
use his::HisError;
use his::seal::Seal;
use his::wire::{Cut, Outgoing, Reply, Wire};
use primitives::sha256;
use serde_json::Value;

use super::hospital::{APP_ID, MOBILE_SECRET, institution_at};
use super::{Ask, World};

/// Of how many messages one meets each fault.
const ONE_IN: u32 = 16;
/// The last of the gateway's dealings with the node at which it dies.
const DEALINGS_MAX: i64 = 12;
/// Behind how many later messages one comes at the latest.
const LATE_MAX: u32 = 12;
/// How long a message takes, in milliseconds.
const TRAVEL_MILLIS: u64 = 100;

/// What can go wrong with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// It never comes.
    Lost,
    /// Its answer never comes.
    AnswerLost,
    /// It comes twice.
    Twice,
    /// It comes behind later ones, and its answer never.
    Late,
    /// The gateway dies while it is carried out.
    Dies,
    /// The hospital breaks the line itself.
    Cut,
}

/// All that is drawn for a message; what the hospital does itself is counted only.
pub const DRAWN: [Fault; 5] =
    [Fault::Lost, Fault::AnswerLost, Fault::Twice, Fault::Late, Fault::Dies];

/// What a gateway still knows after a start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// What was durable.
    Whole,
    /// Nothing: a planted fault, which must be found.
    LostAtEachStart,
}

/// The network between one hospital and one gateway.
pub struct Faults {
    world: Arc<World>,
    book: PathBuf,
    memory: Memory,
    seed: u64,
    seal: Seal,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    router: Option<Router>,
    /// How often each message was sent.
    sent: BTreeMap<String, u32>,
    /// How many messages came by.
    passed: u32,
    /// Those that come later, with what must have come by first.
    late: VecDeque<(u32, Ask)>,
    met: BTreeMap<Fault, u32>,
    trace: Vec<String>,
}

impl Faults {
    /// Before a gateway whose hospital has its book in this file.
    pub fn new(world: Arc<World>, book: PathBuf, (memory, seed): (Memory, u64)) -> Self {
        let seal = Seal::new(APP_ID, MOBILE_SECRET).unwrap();
        let faults = Self { world, book, memory, seed, seal, state: Mutex::default() };
        faults.restart(&mut faults.state.lock().unwrap());
        faults
    }

    /// How often each fault was met.
    pub fn met(&self) -> BTreeMap<Fault, u32> {
        self.state.lock().unwrap().met.clone()
    }

    /// What was sent, and what went wrong with it.
    pub fn trace(&self) -> Vec<String> {
        self.state.lock().unwrap().trace.clone()
    }

    /// All that is still on its way comes.
    pub fn calm(&self) {
        let mut state = self.state.lock().unwrap();
        while let Some((_, ask)) = state.late.pop_front() {
            self.delivered(&state, ask);
        }
    }

    /// A gateway as it starts: what it knows of the hospital is what lies on the disk.
    fn restart(&self, state: &mut State) {
        state.router = None;
        let place = Place::File(self.book.clone());
        self.world.port.reopen(|| {
            if self.memory == Memory::LostAtEachStart {
                for end in ["", "-wal", "-shm"] {
                    let _ = std::fs::remove_file(format!("{}{end}", self.book.display()));
                }
            }
            institution_at(&place)
        });
        let (port, clock) = (Arc::clone(&self.world.port), Arc::clone(&self.world.clock));
        let gateway = Gateway::new(port, clock, Config::default()).unwrap();
        state.router = Some(gateway::router(gateway, None));
    }

    /// What the gateway answers, unless it dies.
    fn delivered(&self, state: &State, ask: Ask) -> Option<Reply> {
        let router = state.router.clone().unwrap();
        let exchange = || self.world.wait(World::exchange(router, ask));
        let answered = catch_unwind(AssertUnwindSafe(exchange)).ok()?;
        Some(Reply { status: answered.status, bytes: answered.body })
    }

    /// What a message is called, whatever its form: its number, of which a second one is told apart
    /// by its place.
    fn name(&self, body: &str) -> String {
        let opened = self.seal.opened(body.as_bytes());
        let message: Value =
            serde_json::from_str(opened.as_deref().unwrap_or(body)).unwrap_or_default();
        let text = |name: &str| message[name].as_str().unwrap_or_default().to_owned();
        format!("{} {}", text("infno"), text("msgid"))
    }

    /// What becomes of the next sending of this message.
    fn drawn(&self, state: &mut State, name: &str) -> (Option<Fault>, fastrand::Rng) {
        let sent = state.sent.entry(name.to_owned()).or_default();
        *sent += 1;
        let seed = sha256(format!("{} {name} {sent}", self.seed).as_bytes()).0;
        let mut rng = fastrand::Rng::with_seed(u64::from_le_bytes(seed[..8].try_into().unwrap()));
        let place = usize::try_from(rng.u32(..ONE_IN)).unwrap();
        let fault = DRAWN.get(place).copied();
        state.trace.push(format!("{name} {sent} {fault:?}"));
        (fault, rng)
    }

    fn silence() -> HisError {
        HisError::Line { address: "the platform".to_owned(), why: "silence".to_owned() }
    }
}

fn asked(message: &Outgoing) -> Ask {
    let ask =
        Ask { method: "POST", body: message.body.clone().into_bytes(), ..Ask::get("/nhsa/v1") };
    let ask = ask.with("content-type", "application/json");
    message.headers.iter().fold(ask, |ask, (name, value)| ask.with(name, value.clone()))
}

impl Wire for Faults {
    fn post(&self, message: &Outgoing) -> Result<Reply, HisError> {
        let mut state = self.state.lock().unwrap();
        let state = &mut *state;
        self.world.clock.advance_millis(TRAVEL_MILLIS);
        state.passed += 1;
        while state.late.front().is_some_and(|(due, _)| *due <= state.passed) {
            let (_, ask) = state.late.pop_front().unwrap();
            self.delivered(state, ask);
        }
        let ask = asked(message);
        let (fault, mut rng) = self.drawn(state, &self.name(&message.body));
        if let Some(fault) = fault {
            *state.met.entry(fault).or_default() += 1;
        }
        let reply = match fault {
            None => self.delivered(state, ask),
            Some(Fault::Twice) => {
                self.delivered(state, ask.clone());
                self.delivered(state, ask)
            }
            Some(Fault::AnswerLost) => {
                self.delivered(state, ask);
                None
            }
            Some(Fault::Late) => {
                let due = state.passed + 1 + rng.u32(..LATE_MAX);
                let place = state.late.partition_point(|(other, _)| *other <= due);
                state.late.insert(place, (due, ask));
                None
            }
            Some(Fault::Dies) => {
                self.world.port.arm(1 + rng.i64(..DEALINGS_MAX));
                self.delivered(state, ask);
                self.world.port.arm(-1);
                self.restart(state);
                None
            }
            Some(Fault::Lost | Fault::Cut) => None,
        };
        reply.ok_or_else(Self::silence)
    }

    fn cut(&self, message: &Outgoing, place: Cut) -> Result<(), HisError> {
        let mut state = self.state.lock().unwrap();
        *state.met.entry(Fault::Cut).or_default() += 1;
        if place != Cut::Halfway {
            self.delivered(&state, asked(message));
        }
        Ok(())
    }

    fn now_millis(&self) -> u64 {
        self.world.clock.now().millis()
    }

    fn wait(&self, span: Duration) {
        self.world.clock.advance_millis(u64::try_from(span.as_millis()).unwrap());
    }
}
