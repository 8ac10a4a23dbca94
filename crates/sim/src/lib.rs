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
//! [`desk`] (what they do), [`job`] (how they insist), [`check`] (what must hold), [`fault`] (what
//! went wrong, counted), [`many`] (all cores), [`planted`] and [`plants`] (bugs that show that the
//! checkers find them).
//!
//! How several nodes join. A [`machine::Machine`] is everything that belongs to one node: disk,
//! history, process, pace. A network of organisations is a list of them, each with executors and a
//! skewed clock ([`clock::SkewedClock`]) of its own, in the same thread: a node of
//! `Threads::Caller` does nothing unless it is driven, so the world chooses whose turn it is. A
//! consensus engine joins behind `consensus::Engine`, whose `step` never waits: what it sends goes
//! through [`network::Network`], which today carries transactions and answers and then carries its
//! messages with the same faults (lost, late, twice, reordered), with partitions as one more. The
//! checkers are made from blocks and receipts alone, so [`check::Audit`] holds for each node, and
//! one more compares them: no two nodes have different blocks of a height.
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
pub mod fault;
pub mod job;
pub mod life;
pub mod machine;
pub mod many;
pub mod network;
pub mod planted;
pub mod plants;
pub mod rails;
pub mod region;
pub mod report;
pub mod world;

pub use report::{Failure, Report};
pub use world::{Options, run};
