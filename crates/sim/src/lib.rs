//! A region in one thread from one seed: clients, providers, bank, node, clock, disk and network,
//! all of them simulated around the real node, ledger, outboxes and rails, with faults everywhere;
//! and checkers that say after every block, every start and at the end whether the rules still
//! hold.
//!
//! Everything that happens in a world follows from its seed, so that a failing seed is run again
//! with one command, which the failure prints.
//!
//! Reading order: [`world`] (a step), [`life`] (crashes), [`machine`], [`disk`], [`clock`],
//! [`network`], [`rails`], [`executor`] (what the world consists of), [`region`] (who lives in it),
//! [`desk`] (what they do), [`job`] (how they insist), [`check`] (what must hold), [`planted`]
//! (bugs that tests plant to show that the checkers find them).
//!
//! Invariants: the same seed gives the same run (test `a_seed_gives_the_same_run_every_time`);
//! every checker can fail (tests in `tests/planted.rs`).

pub mod actor;
pub mod check;
pub mod clock;
pub mod desk;
pub mod dice;
pub mod disk;
pub mod executor;
pub mod job;
pub mod life;
pub mod machine;
pub mod network;
pub mod planted;
pub mod rails;
pub mod region;
pub mod report;
pub mod world;

pub use report::{Failure, Report};
pub use world::{Options, run};
