//! What a changed plan would have cost: old bills adjudicated again under the plan that holds and
//! under the one that is to take its place, side by side.
//!
//! Bills come as sums ([`bill`]) from a ledger's history, a file, or a made-up population
//! ([`source`]). One thread reads or makes them, two adjudicate ([`worker`]), each with running
//! amounts of its own for its plan, and the caller's counts ([`tally`]). Bills flow through in
//! batches, so memory grows with the people and never with the bills; what comes out does not
//! depend on which thread is faster. Adjudicating and counting are the gateway's
//! ([`gateway::simulation`]), whose desks show the same figures.
//!
//! Reading order: [`gateway::simulation`], this file, [`source`]; then what is shown: [`report`],
//! [`table`], [`picture`].

pub mod picture;
pub mod report;
pub mod source;
pub mod table;
#[cfg(test)]
mod tests;

pub use gateway::simulation::{bill, csv, tally, worker};

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use anyhow::{Result, anyhow};
use benefit::Plan;

use source::{Batch, Source};
use tally::Tally;
use worker::{Outcome, Worker};

/// How many batches wait before each thread: enough that none idles, few enough to stay small.
const WAITING_MAX: usize = 8;

/// Both plans, each of one scheme in one region.
#[derive(Clone, Copy)]
pub struct Plans<'a> {
    /// The one that holds.
    pub old: &'a Plan,
    /// The one that is to take its place.
    pub new: &'a Plan,
}

/// Adjudicates every bill of the source under both plans. `progress` is told after each batch how
/// many bills are done.
///
/// # Errors
/// Why a bill cannot be read.
pub fn simulate(
    source: &mut dyn Source,
    plans: Plans<'_>,
    mut progress: impl FnMut(u64),
) -> Result<Tally> {
    thread::scope(|scope| {
        let (to_old, for_old) = sync_channel::<Arc<Batch>>(WAITING_MAX);
        let (to_new, for_new) = sync_channel::<Arc<Batch>>(WAITING_MAX);
        let (old_done, old_outcomes) = sync_channel(WAITING_MAX);
        let (new_done, new_outcomes) = sync_channel(WAITING_MAX);
        let reader = scope.spawn(move || feed(source, &to_old, &to_new));
        scope.spawn(move || adjudicate(Worker::new(plans.old), &for_old, &old_done));
        scope.spawn(move || adjudicate(Worker::new(plans.new), &for_new, &new_done));
        let mut tally = Tally::new(plans.old.currency());
        for ((batch, old), (_, new)) in old_outcomes.into_iter().zip(new_outcomes) {
            for (bill, outcomes) in batch.bills.iter().zip(old.into_iter().zip(new)) {
                tally.count(bill, outcomes);
            }
            if batch.is_complete {
                tally.close_people();
            }
            progress(tally.bills());
        }
        reader.join().map_err(|_| anyhow!("the thread that reads bills ended early"))??;
        tally.close_people();
        Ok(tally)
    })
}

/// Hands every batch to both adjudicators. One that is gone means that the caller is: then there is
/// nobody to read for.
fn feed(
    source: &mut dyn Source,
    old: &SyncSender<Arc<Batch>>,
    new: &SyncSender<Arc<Batch>>,
) -> Result<()> {
    while let Some(batch) = source.next()? {
        let batch = Arc::new(batch);
        if old.send(Arc::clone(&batch)).is_err() || new.send(batch).is_err() {
            break;
        }
    }
    Ok(())
}

type Adjudicated = (Arc<Batch>, Vec<Outcome>);

fn adjudicate(
    mut worker: Worker<'_>,
    batches: &Receiver<Arc<Batch>>,
    done: &SyncSender<Adjudicated>,
) {
    for batch in batches {
        let outcomes = batch.bills.iter().map(|bill| worker.adjudicate(bill)).collect();
        if batch.is_complete {
            worker.forget_people();
        }
        if done.send((batch, outcomes)).is_err() {
            break;
        }
    }
}
