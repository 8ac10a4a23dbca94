//! Everything that reads bytes or text from outside, each with any bytes at all: it refuses them or
//! reads them in one way, and never stops the program.
//!
//! `make fuzz` drives each target with libFuzzer (`fuzz/` holds its main function, built with the
//! compiler's coverage); `tests/corpus.rs` gives each its committed corpus and bent copies of it in
//! the ordinary test command. Reading order: [`TARGETS`], [`proofs`], [`transactions`], [`rules`],
//! [`words`], [`bank`], [`keys`], [`disk`], [`corpus`](mod@corpus).

pub mod bank;
pub mod corpus;
pub mod disk;
pub mod keys;
pub mod proofs;
pub mod rules;
pub mod transactions;
pub mod words;

/// What is done with the bytes; whether they were read, and not refused. It panics when a promise
/// is broken.
pub type Run = fn(&[u8]) -> bool;

/// What is fuzzed: a name, and what is done.
pub type Target = (&'static str, Run);

/// All of them.
pub const TARGETS: &[Target] = &[
    ("note", proofs::note),
    ("checkpoint", proofs::checkpoint),
    ("tlog_proof", proofs::tlog_proof),
    ("voucher", proofs::voucher),
    ("policy", proofs::policy),
    ("tile", proofs::tile),
    ("transaction", transactions::transaction),
    ("body", transactions::body),
    ("body_json", transactions::body_json),
    ("block", transactions::block),
    ("receipt", transactions::receipt),
    ("state_proof", transactions::state_proof),
    ("genesis", transactions::genesis),
    ("plan", rules::plan),
    ("adjudication", rules::adjudication),
    ("catalogue", rules::catalogue),
    ("bill", rules::bill),
    ("decimal", rules::decimal),
    ("words", words::words),
    ("identity", words::identity),
    ("bank_file", bank::bank_file),
    ("signature", keys::signature),
    ("key_file", keys::key_file),
    ("envelope", keys::envelope),
    ("block_log", disk::block_log),
    ("snapshot", disk::snapshot),
];

/// The target of this name.
#[must_use]
pub fn target(name: &str) -> Option<Run> {
    TARGETS.iter().find(|(is, _)| *is == name).map(|(_, run)| *run)
}
