//! The ledger's own engine as a program of its own, with which a wallet computes the split of a
//! bill again before its owner confirms it (`web/src/wallet/recompute.ts` runs it).

mod exchange;
mod split;

use std::process::ExitCode;

/// The longest question: some plans of 64 KB in hex beside the sums of a long stay.
const QUESTION_BYTES_MAX: u64 = 4 << 20;

fn main() -> ExitCode {
    exchange::exchange(QUESTION_BYTES_MAX, |question| {
        question.map_or(split::Answer::impossible("long"), split::answer)
    })
}
