//! The check of signatures, on as many threads as there are cores, before execution.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use ledger::kernel::transaction::{TRANSACTION_BYTES_MAX, TransactionError};
use ledger::{Registry, Transaction, VerifiedTransaction};

use crate::mempool::{Candidate, Checked, Job, Mempool, Ticket};
use crate::signature::FastVerifier;

/// How many transactions a thread takes at once: enough that the lock is no matter, few enough that
/// all cores get some.
const JOBS_AT_ONCE: usize = 8;

/// Checks what waits; the number of transactions checked. An empty round after waiting means that
/// the pool has stopped.
pub(crate) fn check_round(mempool: &Mempool, registry: &Registry, wait: bool) -> usize {
    let jobs = mempool.jobs(JOBS_AT_ONCE, wait);
    let count = jobs.len();
    if count > 0 {
        let checked = jobs.into_iter().map(|job| {
            let begin = Instant::now();
            let checked = check(job, registry);
            mempool.checks.note(begin.elapsed());
            checked
        });
        mempool.checked(checked.collect());
    }
    count
}

fn check(job: Job, registry: &Registry) -> (Ticket, Checked) {
    let (ticket, transaction) = job.split();
    let kept = transaction.clone();
    // A ticket that never came back would hold up all later ones.
    let verified = catch_unwind(AssertUnwindSafe(|| transaction.verify(&FastVerifier, registry)))
        .unwrap_or(Err(TransactionError::Malformed));
    let checked = match verified {
        Ok(verified) => {
            let (transaction, bytes) = (kept, ticket.bytes);
            Checked::Candidate(Box::new(Candidate { transaction, verified, bytes }))
        }
        Err(error) => Checked::Answered(Err(error.into())),
    };
    (ticket, checked)
}

/// The transactions, checked on all cores, in their order.
///
/// # Errors
/// The first one that does not pass, by its place.
pub(crate) fn check_all(
    transactions: &[Transaction],
    registry: &Registry,
    threads: usize,
) -> Result<Vec<VerifiedTransaction>, (usize, TransactionError)> {
    let verify = |part: &[Transaction]| -> Vec<Result<VerifiedTransaction, TransactionError>> {
        part.iter().map(|one| one.clone().verify(&FastVerifier, registry)).collect()
    };
    let share = transactions.len().div_ceil(threads.max(1)).max(JOBS_AT_ONCE);
    let verify = &verify;
    let results: Vec<_> = if share >= transactions.len() {
        verify(transactions)
    } else {
        std::thread::scope(|scope| {
            let parts = transactions.chunks(share).map(|part| scope.spawn(move || verify(part)));
            let handles: Vec<_> = parts.collect();
            let done = handles.into_iter().map(std::thread::ScopedJoinHandle::join);
            done.flat_map(|part| part.expect("the check of signatures does not panic")).collect()
        })
    };
    results
        .into_iter()
        .enumerate()
        .map(|(place, result)| result.map_err(|error| (place, error)))
        .collect()
}

/// The encoded length, when it is one that the ledger takes.
pub(crate) fn encoded_length(transaction: &Transaction) -> Result<usize, TransactionError> {
    let length = transaction.encode().len();
    if length > TRANSACTION_BYTES_MAX { Err(TransactionError::TooLarge) } else { Ok(length) }
}

/// How many threads check signatures: one per core.
pub(crate) fn thread_count() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Starts the threads; each ends when the pool stops.
pub(crate) fn start_threads(
    count: usize,
    mempool: &Arc<Mempool>,
    registry: &Arc<Registry>,
) -> std::io::Result<Vec<std::thread::JoinHandle<()>>> {
    (0..count.max(1))
        .map(|number| {
            let (mempool, registry) = (Arc::clone(mempool), Arc::clone(registry));
            std::thread::Builder::new()
                .name(format!("yibao-check-{number}"))
                .spawn(move || while check_round(&mempool, &registry, true) > 0 {})
        })
        .collect()
}
