//! All cores at once: signatures of later blocks are checked while earlier ones are executed, and
//! what execution gave is compared with the folder while the next block is executed.
//!
//! A block passes three stations: it is read and its signatures are checked, it is executed, it is
//! followed up. Only the first can be done for several blocks at once. Each worker takes whatever
//! is furthest down the line, so that no more blocks are in memory than needed and the one thread
//! that executes never waits for a place on a core. With one worker everything happens in one
//! order on the caller's thread.
//!
//! Invariant: the first thing that does not fit is what is named, however many workers there are,
//! since a failure goes down the line in the place of its block (test
//! `the_first_wrong_block_is_named_however_many_workers_there_are`).

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use ledger::{Ledger, Receipt, Registry, State, Tip, VerifiedTransaction};
use primitives::{PublicKey, SignatureError, Verifier, codec};
use proof::header::{Certificate, Header};

use super::VerifyError;
use crate::runtime::replay::{decode, execute, not_signed};
use crate::signature::FastVerifier;
use crate::store::{BlockLog, Disk, StoreError, StoredBlock};

/// So many blocks per worker are in memory with their signatures checked.
const AHEAD_PER_WORKER: u64 = 2;
/// So many executed blocks wait to be followed up; then nothing more is executed.
const BEHIND_MAX: usize = 4;

/// A block whose signatures were checked.
struct Checked {
    header: Header,
    certificate: Certificate,
    transactions: Vec<VerifiedTransaction>,
    signatures: u64,
    is_trusted: bool,
}

/// A block that was executed and came out as recorded.
pub(super) struct Executed {
    pub(super) header: Header,
    pub(super) certificate: Certificate,
    pub(super) first_receipt: u64,
    pub(super) receipts: Vec<Receipt>,
    pub(super) before: State,
    pub(super) after: State,
    pub(super) tip: Tip,
    /// How many signatures its transactions carry.
    pub(super) signatures: u64,
    /// Whether these were left unchecked, because a trusted checkpoint is over the block.
    pub(super) is_trusted: bool,
}

/// What takes in executed blocks, in their order.
pub(super) trait Follow: Send {
    /// Compares the block with everything that is known of it.
    fn follow(&mut self, block: Executed) -> Result<(), VerifyError>;
}

/// Whatever a signature is, it counts; keys are looked at as ever.
struct Unchecked;

impl Verifier for Unchecked {
    fn check_key(&self, key: &PublicKey) -> Result<(), SignatureError> {
        FastVerifier.check_key(key)
    }

    fn verify_raw(&self, _: &PublicKey, _: &[u8], _: &[u8; 64]) -> Result<(), SignatureError> {
        Ok(())
    }
}

/// Reads a block and checks its signatures, unless it ends within the first `trusted` receipts.
fn check<D: Disk>(
    log: &BlockLog<D>,
    height: u64,
    registry: &Registry,
    trusted: u64,
) -> Result<Checked, VerifyError> {
    let stored: StoredBlock =
        codec::decode(&log.read(height)?).map_err(|_| StoreError::Format(height))?;
    let block = decode(height, &stored.block)?;
    // A header that lies about this is refused when the block is executed.
    let is_trusted = block.header.receipt_log_size <= trusted;
    let count = block.transactions.iter().map(|one| one.authorisations.len() as u64);
    let signatures = count.sum();
    let verified = block.transactions.into_iter().enumerate().map(|(place, transaction)| {
        let verified = if is_trusted {
            transaction.verify(&Unchecked, registry)
        } else {
            transaction.verify(&FastVerifier, registry)
        };
        verified.map_err(|error| not_signed(height, place, &error))
    });
    let transactions = verified.collect::<Result<_, _>>()?;
    let (header, certificate) = (block.header, stored.certificate);
    Ok(Checked { header, certificate, transactions, signatures, is_trusted })
}

fn advance(ledger: &mut Ledger, checked: Checked) -> Result<Executed, VerifyError> {
    let Checked { header, certificate, transactions, signatures, is_trusted } = checked;
    let (before, first_receipt) = (ledger.state().clone(), ledger.tip().log.size());
    let receipts = execute(ledger, &header, &certificate, &transactions)?;
    let (after, tip) = (ledger.state().clone(), ledger.tip().clone());
    Ok(Executed {
        header,
        certificate,
        first_receipt,
        receipts,
        before,
        after,
        tip,
        signatures,
        is_trusted,
    })
}

/// What there is to do, and what was done.
struct Plan<F> {
    /// The next block to check.
    next_check: u64,
    checked: BTreeMap<u64, Result<Checked, VerifyError>>,
    /// The next block to execute.
    next_execute: u64,
    /// Not here while a block is executed, and after one that did not fit.
    ledger: Option<Ledger>,
    executed: VecDeque<Result<Executed, VerifyError>>,
    /// Not here while a block is followed up.
    follower: Option<F>,
    /// The next block to follow up.
    next_follow: u64,
    end: Option<Result<(), VerifyError>>,
    /// A worker panicked; the others end as well.
    is_broken: bool,
}

/// Something for a worker to do, with what it needs.
enum Task<F> {
    Check(u64),
    Execute(Ledger, Result<Checked, VerifyError>),
    Follow(F, Result<Executed, VerifyError>),
}

struct Line<'a, D: Disk, F> {
    log: &'a BlockLog<D>,
    registry: &'a Registry,
    trusted: u64,
    ahead: u64,
    plan: Mutex<Plan<F>>,
    changed: Condvar,
}

/// Takes every block of the log down the line; gives the follower back when all of them fit.
/// Blocks that end within the first `trusted` receipts are taken without their signatures.
///
/// # Errors
/// The first thing that does not fit.
pub(super) fn run<D: Disk, F: Follow>(
    log: &BlockLog<D>,
    ledger: Ledger,
    follower: F,
    trusted: u64,
    workers: usize,
) -> Result<F, VerifyError> {
    let registry = std::sync::Arc::clone(ledger.registry());
    let plan = Plan {
        next_check: 1,
        checked: BTreeMap::new(),
        next_execute: 1,
        ledger: Some(ledger),
        executed: VecDeque::new(),
        follower: Some(follower),
        next_follow: 1,
        end: (log.last_height() == 0).then_some(Ok(())),
        is_broken: false,
    };
    let line = Line {
        log,
        registry: &registry,
        trusted,
        ahead: AHEAD_PER_WORKER.saturating_mul(workers as u64),
        plan: Mutex::new(plan),
        changed: Condvar::new(),
    };
    std::thread::scope(|scope| {
        for _ in 1..workers {
            scope.spawn(|| line.work());
        }
        line.work();
    });
    let Plan { follower, end, .. } = line.plan.into_inner().unwrap_or_else(PoisonError::into_inner);
    end.expect("workers end when there is an end")?;
    Ok(follower.expect("the follower comes back from every block that fits"))
}

/// Tells the other workers when this one panics, so that none of them waits for it.
struct Alarm<'a, 'b, D: Disk, F>(&'a Line<'b, D, F>);

impl<D: Disk, F> Drop for Alarm<'_, '_, D, F> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.lock().is_broken = true;
            self.0.changed.notify_all();
        }
    }
}

impl<D: Disk, F> Line<'_, D, F> {
    fn lock(&self) -> MutexGuard<'_, Plan<F>> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<D: Disk, F: Follow> Line<'_, D, F> {
    fn work(&self) {
        let _alarm = Alarm(self);
        while let Some(task) = self.next_task() {
            match task {
                Task::Check(height) => {
                    let checked = check(self.log, height, self.registry, self.trusted);
                    self.lock().checked.insert(height, checked);
                }
                Task::Execute(mut ledger, checked) => {
                    let executed = checked.and_then(|checked| advance(&mut ledger, checked));
                    let mut plan = self.lock();
                    plan.ledger = executed.is_ok().then_some(ledger);
                    plan.executed.push_back(executed);
                }
                Task::Follow(mut follower, executed) => {
                    let followed = executed.and_then(|executed| follower.follow(executed));
                    let mut plan = self.lock();
                    if followed.is_err() || plan.next_follow == self.log.last_height() {
                        plan.end = Some(followed);
                    }
                    plan.next_follow += 1;
                    plan.follower = Some(follower);
                }
            }
            self.changed.notify_all();
        }
    }

    /// What is furthest down the line; `None` when there is nothing more to do.
    fn next_task(&self) -> Option<Task<F>> {
        let mut plan = self.lock();
        loop {
            if plan.end.is_some() || plan.is_broken {
                return None;
            }
            if let Some(task) = plan.take(self.log.last_height(), self.ahead) {
                return Some(task);
            }
            plan = self.changed.wait(plan).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl<F> Plan<F> {
    fn take(&mut self, last: u64, ahead: u64) -> Option<Task<F>> {
        if self.follower.is_some()
            && let Some(executed) = self.executed.pop_front()
        {
            return self.follower.take().map(|follower| Task::Follow(follower, executed));
        }
        if self.ledger.is_some()
            && self.executed.len() < BEHIND_MAX
            && let Some(checked) = self.checked.remove(&self.next_execute)
        {
            self.next_execute += 1;
            return self.ledger.take().map(|ledger| Task::Execute(ledger, checked));
        }
        let has_room = self.next_check < self.next_execute.saturating_add(ahead);
        if self.next_check <= last && has_room {
            self.next_check += 1;
            return Some(Task::Check(self.next_check - 1));
        }
        None
    }
}
