//! 2405: a discharge is undone, before the stay is settled.

use serde_json::Value;

use super::desk::Message;
use super::field::{MDTRT_ID, Node, PSN_NO, Record};
use super::refusal::Refusal;
use super::{Run, Transaction};

const INPUT: Node = Node::one("data", &[MDTRT_ID, PSN_NO]);

pub(super) static TRANSACTION: Transaction = Transaction {
    number: "2405",
    name: "出院撤销",
    input: &[INPUT],
    output: &[],
    run: Run::OfVisit(run),
};

fn run(message: &Message<'_>, record: &Record) -> Result<Value, Refusal> {
    let known = message.known_visit(record)?;
    let number = record.text("mdtrt_id");
    message.open_stay(record, known.visit)?;
    if message.discharged(number)?.is_none() {
        let words = "尚未办理出院，无须撤销";
        return Err(Refusal::at(record.path("mdtrt_id"), words));
    }
    message.keep_discharged(number, None)?;
    Ok(Value::Null)
}
