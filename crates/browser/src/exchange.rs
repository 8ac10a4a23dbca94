//! How these programs are asked: a question in JSON on standard input, the answer in JSON on
//! standard output, and nothing else of the system.

use std::io::{Read as _, Write as _};
use std::process::ExitCode;

use serde::Serialize;

/// Answers the question on standard input. Of one of more than `bytes_max` bytes nothing is read
/// but that it is too long.
pub(crate) fn exchange<A: Serialize>(
    bytes_max: u64,
    answer: impl FnOnce(Option<&[u8]>) -> A,
) -> ExitCode {
    let mut question = Vec::new();
    let read = std::io::stdin().take(bytes_max.saturating_add(1)).read_to_end(&mut question);
    let is_short = u64::try_from(question.len()).is_ok_and(|length| length <= bytes_max);
    let answer = answer((read.is_ok() && is_short).then_some(question.as_slice()));
    let written = serde_json::to_vec(&answer)
        .map_err(std::io::Error::from)
        .and_then(|bytes| std::io::stdout().write_all(&bytes));
    if written.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
