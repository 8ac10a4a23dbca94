//! 2305: the settlement of a stay is undone as a whole, as that of an outpatient visit.

use super::desk::{Care, Message};
use super::field::Record;
use super::refusal::Refusal;
use super::undo_settlement::{INPUT, OUTPUT, undo};
use super::{Run, Transaction};
use serde_json::Value;

pub(super) static TRANSACTION: Transaction = Transaction {
    number: "2305",
    name: "住院结算撤销",
    input: &[INPUT],
    output: OUTPUT,
    run: Run::OfVisit(run),
};

fn run(message: &Message<'_>, record: &Record) -> Result<Value, Refusal> {
    undo(message, record, Care::Stay)
}
