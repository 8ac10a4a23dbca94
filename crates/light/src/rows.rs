//! The rows of the ledger after one block, fetched when they are read, each with its proof.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use elsa::sync::FrozenMap;
use gateway::port::{Rows, Trouble};
use ledger::kernel::account::Account;
use ledger::kernel::overlay::{Base, Read};
use ledger::kernel::posting;
use ledger::kernel::state::StateProof;
use ledger::modules::network::view::network_key;
use ledger::modules::visit::{self, VisitRow};
use ledger::modules::{coverage, person};
use primitives::{Hash, PersonId, VisitId, codec};

use crate::peers::{Judged, PeerError, Peers};
use crate::question::{Answer, Question, RowAnswer, RowQuestion};

/// How many rows are kept of one block: whoever reads more begins anew.
const ROWS_MAX: usize = 50_000;
/// How many persons with open visits are remembered.
const PERSONS_MAX: usize = 10_000;

/// A row with its proof.
#[derive(Clone)]
struct Proven {
    value: Option<Vec<u8>>,
    proof: StateProof,
}

/// What was read of the ledger after one block; shared by everybody who reads there.
pub struct ProvenRows {
    peers: Arc<Peers>,
    height: u64,
    root: Hash,
    seed: u64,
    visits: Arc<OpenVisits>,
    // What was read stays, so that a reference to it holds as long as the rows do.
    rows: FrozenMap<Vec<u8>, Box<Proven>>,
}

/// For which open visit a person's rows are asked for: learned from the visits that were read.
#[derive(Default)]
pub struct OpenVisits(Mutex<BTreeMap<Vec<u8>, VisitId>>);

impl OpenVisits {
    fn of(&self, key: &[u8]) -> Option<VisitId> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key).copied()
    }

    /// Learns from a row that was read, if it is an open visit.
    fn learn(&self, key: &[u8], value: &[u8]) {
        let Some(id) = visit::view::visit_of_key(key) else { return };
        let Ok(VisitRow::Open(open)) = codec::decode::<VisitRow>(value) else { return };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while known.len() >= PERSONS_MAX {
            known.pop_first();
        }
        known.extend(keys_of(open.subject.person).into_iter().map(|key| (key, id)));
    }
}

/// The rows of a person that a provider reads for an open visit.
fn keys_of(id: PersonId) -> [Vec<u8>; 3] {
    [
        person::view::person_key(id),
        coverage::view::coverage_key(id),
        posting::account_key(&Account::PersonalAccount(id)),
    ]
}

/// Why a row was not had.
enum NotRead {
    NotShown,
    Failed(PeerError),
}

impl ProvenRows {
    /// The rows of the state with this root.
    #[must_use]
    pub fn new(
        peers: Arc<Peers>,
        (height, root): (u64, Hash),
        seed: u64,
        visits: Arc<OpenVisits>,
    ) -> Self {
        Self { peers, height, root, seed, visits, rows: FrozenMap::new() }
    }

    /// Reads the network's parameters, which every reader needs: whoever begins where not even
    /// these can be had concludes nothing.
    ///
    /// # Errors
    /// When nobody shows them.
    pub fn prepare(&self) -> Result<(), PeerError> {
        match self.row(&network_key()) {
            Ok(_) => Ok(()),
            Err(NotRead::Failed(error)) => Err(error),
            Err(NotRead::NotShown) => Err(PeerError::Failed {
                peer: "the full node".to_owned(),
                reason: "it does not show the network's parameters".to_owned(),
            }),
        }
    }

    /// Whether the network's parameters were read.
    #[must_use]
    pub fn is_prepared(&self) -> bool {
        self.rows.get(&network_key()).is_some()
    }

    /// The same rows with as good as nothing read, when so many were read that they should be let
    /// go.
    #[must_use]
    pub fn emptied(&self) -> Option<Self> {
        if self.rows.len() < ROWS_MAX {
            return None;
        }
        let (place, visits) = ((self.height, self.root), Arc::clone(&self.visits));
        let emptied = Self::new(Arc::clone(&self.peers), place, self.seed, visits);
        if let Some(parameters) = self.rows.get(&network_key()) {
            emptied.rows.insert(network_key(), Box::new(parameters.clone()));
        }
        Some(emptied)
    }

    fn row(&self, key: &[u8]) -> Result<&Proven, NotRead> {
        if let Some(known) = self.rows.get(key) {
            return Ok(known);
        }
        let asked = RowQuestion { key: key.to_vec(), visit: self.visits.of(key) };
        let question = Question::Rows { height: self.height, rows: vec![asked] };
        let judge = |answer| match answer {
            Answer::Rows(mut rows) if rows.len() == 1 => match rows.pop() {
                Some(RowAnswer::Row(value, proof)) => {
                    match proof.verify(&self.root, key, value.as_deref()) {
                        Ok(()) => Judged::True(Some(Proven { value, proof })),
                        Err(error) => Judged::Lie(error.to_string()),
                    }
                }
                Some(RowAnswer::NotYours) | None => Judged::True(None),
            },
            Answer::NotYours => Judged::True(None),
            Answer::Gone => Judged::Failed(format!("it has no state of block {}", self.height)),
            Answer::Failed(reason) => Judged::Failed(reason),
            _ => Judged::Lie("it answers another question".to_owned()),
        };
        let proven = self.peers.ask(&question, judge).map_err(NotRead::Failed)?;
        let proven = proven.ok_or(NotRead::NotShown)?;
        if let Some(value) = &proven.value {
            self.visits.learn(key, value);
        }
        Ok(self.rows.insert(key.to_vec(), Box::new(proven)))
    }
}

/// The rows as one reader sees them: what went wrong for it went wrong for nobody else.
pub struct Reading {
    rows: Arc<ProvenRows>,
    trouble: OnceLock<Trouble>,
}

impl Reading {
    /// Begins to read.
    #[must_use]
    pub const fn of(rows: Arc<ProvenRows>) -> Self {
        Self { rows, trouble: OnceLock::new() }
    }

    /// Begins to read where nothing can be read yet.
    #[must_use]
    pub fn of_nothing(rows: Arc<ProvenRows>) -> Self {
        let trouble = Trouble::Unreachable("nothing is followed yet".to_owned());
        Self { rows, trouble: OnceLock::from(trouble) }
    }

    fn row(&self, key: &[u8]) -> Option<&Proven> {
        // After the first trouble nothing is concluded from these rows any more.
        if self.trouble.get().is_some() {
            return None;
        }
        let trouble = match self.rows.row(key) {
            Ok(proven) => return Some(proven),
            Err(NotRead::NotShown) => Trouble::NotShown,
            Err(NotRead::Failed(error)) => Trouble::Unreachable(error.to_string()),
        };
        // Another thread of the same reader may have met with trouble first.
        let _ = self.trouble.set(trouble);
        None
    }
}

impl Read for Reading {
    fn read(&self, key: &[u8]) -> Option<&[u8]> {
        self.row(key)?.value.as_deref()
    }
}

impl Base for Reading {
    fn map_seed(&self) -> u64 {
        self.rows.seed
    }
}

impl Rows for Reading {
    fn root(&self) -> Hash {
        self.rows.root
    }

    fn entry_count(&self) -> u64 {
        self.row(&network_key()).map_or(0, |row| row.proof.entry_count)
    }

    fn prove(&self, key: &[u8]) -> Option<StateProof> {
        Some(self.row(key)?.proof.clone())
    }

    fn trouble(&self) -> Option<Trouble> {
        self.trouble.get().cloned()
    }

    fn is_at_hand(&self) -> bool {
        false
    }
}
