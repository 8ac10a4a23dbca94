//! Many worlds at once, on all cores: each of them is one thread, and none knows of another.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::check::Rule;
use crate::report::{Failure, Report};
use crate::world::{Options, run};

/// Runs the worlds of these seeds on so many threads. `each` hears after every world how many were
/// run. Gives what they saw together.
///
/// # Errors
/// A world that breaks a rule; of several the one with the lowest seed.
pub fn run_many(
    seeds: Range<u64>,
    steps: u32,
    threads: usize,
    each: impl Fn(u64) + Sync,
) -> Result<Report, Box<Failure>> {
    let done = AtomicU64::new(0);
    let all = Mutex::new((Report::default(), None::<Box<Failure>>));
    for_each(seeds, threads, |seed| {
        let result = run(Options::new(seed, steps));
        let mut all = lock(&all);
        let goes_on = result.is_ok();
        match result {
            Ok(report) => all.0.add(&report),
            Err(failure) => {
                if all.1.as_ref().is_none_or(|known| failure.seed < known.seed) {
                    all.1 = Some(failure);
                }
            }
        }
        drop(all);
        each(done.fetch_add(1, Ordering::SeqCst) + 1);
        goes_on
    });
    let (report, failure) = all.into_inner().unwrap_or_else(PoisonError::into_inner);
    failure.map_or(Ok(report), Err)
}

/// In how many of the worlds of these seeds each rule is broken.
#[must_use]
pub fn count_many(seeds: Range<u64>, steps: u32, threads: usize) -> BTreeMap<Rule, u64> {
    let counts = Mutex::new(BTreeMap::new());
    for_each(seeds, threads, |seed| {
        if let Err(failure) = run(Options::new(seed, steps)) {
            *lock(&counts).entry(failure.violation.rule).or_default() += 1;
        }
        true
    });
    counts.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Gives every seed to `world` on so many threads, as long as it says that it goes on.
fn for_each(seeds: Range<u64>, threads: usize, world: impl Fn(u64) -> bool + Sync) {
    let (next, is_over) = (AtomicU64::new(seeds.start), AtomicBool::new(false));
    let work = || {
        while !is_over.load(Ordering::SeqCst) {
            let seed = next.fetch_add(1, Ordering::SeqCst);
            if seed >= seeds.end {
                return;
            }
            if !world(seed) {
                is_over.store(true, Ordering::SeqCst);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(work);
        }
    });
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many worlds run at once: one per core.
#[must_use]
pub fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}
