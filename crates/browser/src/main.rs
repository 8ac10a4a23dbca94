//! The check of a voucher as a program of its own, for places that run WebAssembly: a question in
//! JSON on standard input, the answer in JSON on standard output, and nothing else of the system.
//!
//! A program rather than a library with exported functions: exports need code that nobody checks,
//! a program needs none, and the same program runs in a browser, on a terminal and in its test.
//! What a browser lacks of an operating system is 40 lines of the page that runs it
//! (`crates/yibao/src/command/verifier/page.js`).

mod check;
mod signature;

use std::io::{Read as _, Write as _};
use std::process::ExitCode;

/// The longest question: a voucher with its policies.
const QUESTION_BYTES_MAX: u64 = 1 << 20;

fn main() -> ExitCode {
    let mut question = Vec::new();
    let read = std::io::stdin().take(QUESTION_BYTES_MAX + 1).read_to_end(&mut question);
    let is_short = u64::try_from(question.len()).is_ok_and(|length| length <= QUESTION_BYTES_MAX);
    let answer = match read {
        Ok(_) if is_short => check::answer(&question),
        _ => check::Answer::wrong("long"),
    };
    let written = serde_json::to_vec(&answer)
        .map_err(std::io::Error::from)
        .and_then(|bytes| std::io::stdout().write_all(&bytes));
    if written.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
