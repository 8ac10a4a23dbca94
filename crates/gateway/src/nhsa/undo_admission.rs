//! 2404: an admission is undone, while nothing is charged: `cancel_visit`.

use ledger::modules::visit::CancelVisit;
use serde_json::Value;

use super::desk::Message;
use super::field::{MDTRT_ID, Node, PSN_NO, Record};
use super::refusal::Refusal;
use super::{Run, Transaction};

const INPUT: Node = Node::one("data", &[MDTRT_ID, PSN_NO]);

pub(super) static TRANSACTION: Transaction = Transaction {
    number: "2404",
    name: "入院撤销",
    input: &[INPUT],
    output: &[],
    run: Run::OfVisit(run),
};

fn run(message: &Message<'_>, record: &Record) -> Result<Value, Refusal> {
    let known = message.known_visit(record)?;
    let number = record.text("mdtrt_id");
    if !message.lines(number)?.is_empty() {
        let words = "该住院已有费用明细；请先做2302撤销全部明细";
        return Err(Refusal::at(record.path("mdtrt_id"), words));
    }
    message.put(&[&message.machine()], || {
        message.open_stay(record, known.visit)?;
        Ok(CancelVisit { visit: known.visit })
    })?;
    Ok(Value::Null)
}
