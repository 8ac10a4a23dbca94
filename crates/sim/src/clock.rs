//! The time of a simulated world, and the traps at which a process of it dies.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use adapters::clock::{Clock, ManualClock};
use primitives::Timestamp;

/// The world's clock as another machine sees it: some milliseconds off.
pub struct SkewedClock {
    clock: Arc<ManualClock>,
    ahead_millis: u64,
    behind_millis: u64,
}

impl SkewedClock {
    /// The clock of a machine that is this much off; negative is behind.
    #[must_use]
    pub fn new(clock: Arc<ManualClock>, off_millis: i64) -> Self {
        let (ahead, behind) = if off_millis < 0 { (0, -off_millis) } else { (off_millis, 0) };
        Self { clock, ahead_millis: ahead.unsigned_abs(), behind_millis: behind.unsigned_abs() }
    }
}

impl Clock for SkewedClock {
    fn now(&self) -> Timestamp {
        let now = self.clock.now().plus_millis(self.ahead_millis);
        Timestamp::from_millis(now.millis().saturating_sub(self.behind_millis))
    }
}

/// What a process dies of at a trap. It is thrown as a panic without a message, as `kill -9` has
/// none.
struct Killed;

/// A place that a process passes again and again and, when the trap is set, does not survive.
#[derive(Debug, Default)]
pub struct Trap {
    /// How many passes are survived; zero when the trap is not set.
    passes_left: AtomicU64,
}

impl Trap {
    /// The process dies at the pass of this number, counted from 1.
    pub fn set(&self, at_pass: u64) {
        self.passes_left.store(at_pass, Ordering::SeqCst);
    }

    /// Nobody dies any more.
    pub fn unset(&self) {
        self.set(0);
    }

    /// Passes the place.
    pub fn pass(&self) {
        let left = self.passes_left.load(Ordering::SeqCst);
        if left > 0 {
            self.passes_left.store(left - 1, Ordering::SeqCst);
        }
        if left == 1 {
            resume_unwind(Box::new(Killed));
        }
    }
}

/// Runs a process; `None` when it died at a trap. Any other panic goes on.
pub fn run_process<T>(process: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(process)) {
        Ok(value) => Some(value),
        Err(panic) if panic.is::<Killed>() => None,
        Err(panic) => resume_unwind(panic),
    }
}

/// A clock with a trap: whoever reads it may die there.
pub struct TrappedClock {
    /// The clock.
    pub clock: Arc<ManualClock>,
    /// The trap.
    pub trap: Arc<Trap>,
}

impl Clock for TrappedClock {
    fn now(&self) -> Timestamp {
        self.trap.pass();
        self.clock.now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_dies_at_its_trap_and_only_there() {
        let trap = Arc::new(Trap::default());
        let base = Arc::new(ManualClock::at(Timestamp::from_millis(10_000)));
        let clock = TrappedClock { clock: base.clone(), trap: trap.clone() };
        assert_eq!(run_process(|| clock.now().millis()), Some(10_000));
        trap.set(2);
        assert_eq!(run_process(|| clock.now().millis()), Some(10_000));
        assert_eq!(run_process(|| clock.now().millis()), None);
        assert_eq!(run_process(|| clock.now().millis()), Some(10_000));
        assert_eq!(SkewedClock::new(base.clone(), -4_000).now().millis(), 6_000);
        assert_eq!(SkewedClock::new(base, 4_000).now().millis(), 14_000);
    }
}
