//! Simulations at a desk: one thread reads the ledger's receipts and adjudicates, while whoever
//! asked may look how far it is. What came out is kept until the node stops, so that whoever
//! reviews and approves sees what the drafter saw.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;

use benefit::Plan;
use primitives::{CivilDate, Hash};

use super::bill::PastBill;
use super::csv;
use super::tally::Tally;
use super::worker::Worker;
use crate::port::{Port, PortError};
use crate::problem::Problem;

/// How many simulations are kept. Our own limit.
const KEPT_MAX: usize = 32;
/// How many receipts are read between two words about how far it is.
const STEP: u64 = 256;

/// Both plans, decoded from what the ledger keeps.
pub struct Versions {
    /// The one that holds.
    pub old: Plan,
    /// The one that is to take its place.
    pub new: Plan,
}

/// What came out.
pub struct Done {
    /// The counts.
    pub tally: Tally,
    /// The counts as CSV.
    pub csv: String,
    /// The hash of these and of both plans.
    pub result: Hash,
    /// The first and the last service day.
    pub days: Option<(CivilDate, CivilDate)>,
}

/// A simulation.
pub struct Job {
    /// The hash of the plan that holds.
    pub old: Hash,
    /// The hash of the other one.
    pub new: Hash,
    /// How many receipts there are to read.
    pub receipts: u64,
    read: AtomicU64,
    end: OnceLock<Option<Done>>,
}

/// How a simulation stands.
pub enum State<'a> {
    /// It goes on.
    Running,
    /// The node could not be read.
    Failed,
    /// It is done.
    Done(&'a Done),
}

impl Job {
    /// How many receipts were read.
    #[must_use]
    pub fn read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// How it stands.
    #[must_use]
    pub fn state(&self) -> State<'_> {
        match self.end.get() {
            None => State::Running,
            Some(None) => State::Failed,
            Some(Some(done)) => State::Done(done),
        }
    }

    fn run(&self, port: &dyn Port, versions: &Versions) -> Result<Done, PortError> {
        let chain = port.chain();
        let place = (versions.old.region(), versions.old.scheme());
        let mut workers = (Worker::new(&versions.old), Worker::new(&versions.new));
        let mut tally = Tally::new(versions.old.currency());
        let mut days: Option<(CivilDate, CivilDate)> = None;
        for index in 0..self.receipts {
            if index.is_multiple_of(STEP) {
                self.read.store(index, Ordering::Relaxed);
            }
            let Some(found) = chain.receipt(index)? else { continue };
            let standing = |visit| chain.settlement(visit);
            let Some(bill) = PastBill::of_receipt(&found.receipt, place, standing)? else {
                continue;
            };
            if let Some((from, to)) = bill.sums.span() {
                days =
                    Some(days.map_or((from, to), |(first, last)| (first.min(from), last.max(to))));
            }
            let outcomes = (workers.0.adjudicate(&bill), workers.1.adjudicate(&bill));
            tally.count(&bill, outcomes);
        }
        tally.close_people();
        self.read.store(self.receipts, Ordering::Relaxed);
        let csv = csv::csv(&tally);
        let result = csv::hash(&csv, self.old, self.new);
        Ok(Done { tally, csv, result, days })
    }
}

/// The work of a simulation. However its thread ends, the simulation has an end: one that seemed to
/// go on for ever would keep every other from being begun.
struct Work(Arc<Job>);

impl Drop for Work {
    fn drop(&mut self) {
        // What was said before stays.
        let _ = self.0.end.set(None);
    }
}

/// The simulations of a gateway.
#[derive(Default)]
pub struct Simulations {
    /// The one that was begun last comes last.
    kept: Mutex<VecDeque<Arc<Job>>>,
}

impl Simulations {
    fn kept(&self) -> MutexGuard<'_, VecDeque<Arc<Job>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last simulation of these plans.
    #[must_use]
    pub fn of(&self, old: Hash, new: Hash) -> Option<Arc<Job>> {
        self.kept().iter().rev().find(|job| (job.old, job.new) == (old, new)).cloned()
    }

    /// Begins one over all receipts that there are now; nothing while another one goes on.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn begin(
        &self,
        port: &Arc<dyn Port>,
        versions: Versions,
    ) -> Result<Option<Arc<Job>>, Problem> {
        let mut kept = self.kept();
        if kept.iter().any(|job| matches!(job.state(), State::Running)) {
            return Ok(None);
        }
        let (old, new) = (versions.old.hash(), versions.new.hash());
        let receipts = port.chain().view().tip.receipts;
        let (read, end) = (AtomicU64::new(0), OnceLock::new());
        let job = Arc::new(Job { old, new, receipts, read, end });
        let (working, port) = (Work(Arc::clone(&job)), Arc::clone(port));
        let work = move || {
            let done = working.0.run(&*port, &versions);
            if let Err(error) = &done {
                tracing::error!(%error, "a simulation of a plan broke off");
            }
            let _ = working.0.end.set(done.ok());
        };
        let builder = thread::Builder::new().name("plan-simulation".to_owned());
        let spawned = builder.spawn(work);
        spawned.map_err(|error| PortError::Failed(error.to_string()))?;
        if kept.len() >= KEPT_MAX {
            kept.pop_front();
        }
        kept.push_back(Arc::clone(&job));
        Ok(Some(job))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_that_ends_without_a_word_has_failed_and_what_was_said_stays() {
        let none = Hash([0; 32]);
        let job = || {
            let (read, end) = (AtomicU64::new(0), OnceLock::new());
            Arc::new(Job { old: none, new: none, receipts: 0, read, end })
        };
        let one = job();
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe({
            let work = Work(Arc::clone(&one));
            move || {
                let _work = work;
                std::panic::resume_unwind(Box::new(()));
            }
        }));
        assert!(panicked.is_err() && matches!(one.state(), State::Failed));
        let other = job();
        let done = Done {
            tally: Tally::new(primitives::Currency::CNY),
            csv: String::new(),
            result: none,
            days: None,
        };
        assert!(other.end.set(Some(done)).is_ok());
        drop(Work(Arc::clone(&other)));
        assert!(matches!(other.state(), State::Done(_)));
    }
}
