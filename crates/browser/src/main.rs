//! The check of a voucher as a program of its own, for places that run WebAssembly.
//!
//! A program rather than a library with exported functions: exports need code that nobody checks,
//! a program needs none, and the same program runs in a browser, on a terminal and in its test.
//! What a browser lacks of an operating system is 40 lines of the page that runs it
//! (`crates/yibao/src/command/verifier/page.js`).

mod check;
mod exchange;
mod signature;

use std::process::ExitCode;

/// The longest question: a voucher with its policies.
const QUESTION_BYTES_MAX: u64 = 1 << 20;

fn main() -> ExitCode {
    exchange::exchange(QUESTION_BYTES_MAX, |question| {
        question.map_or(check::Answer::wrong("long"), check::answer)
    })
}
