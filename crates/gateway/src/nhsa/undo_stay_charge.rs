//! 2302: lines of a stay are taken back before it is settled; the daily list follows.

use serde_json::Value;

use super::ask::take_back;
use super::desk::Message;
use super::field::{Field, Form, MDTRT_ID, Node, PSN_NO, Record};
use super::lines::{ALL, note_running_bill};
use super::refusal::Refusal;
use super::{Run, Transaction};

const INPUT: Node = Node::list(
    "data",
    &[Field::needed("feedetl_sn", Form::Text(30), "费用明细流水号；0000 为全部"), MDTRT_ID, PSN_NO],
);

pub(super) static TRANSACTION: Transaction = Transaction {
    number: "2302",
    name: "住院费用明细撤销",
    input: &[INPUT],
    output: &[],
    run: Run::OfLines(run),
};

fn run(message: &Message<'_>, first: &Record, records: &[Record]) -> Result<Value, Refusal> {
    let number = first.text("mdtrt_id");
    let known = message.known_visit(first)?;
    let seen = message.open_stay(first, known.visit)?;
    let mut lines = message.lines(number)?;
    // One that was sent before finds its lines gone only when it was carried out as well.
    let is_again = message.institution.book.outgoing(message.envelope.msgid())?.is_some();
    for record in records {
        let serial = record.text("feedetl_sn");
        let before = lines.len();
        lines.retain(|line| serial != ALL && line.feedetl_sn != serial);
        if lines.len() == before && serial != ALL && !is_again {
            let words = "该就诊没有这条明细，或已撤销；请核对流水号";
            return Err(Refusal::at(record.path("feedetl_sn"), words));
        }
    }
    take_back(message, known.visit)?;
    note_running_bill(message, (number, known.visit), &seen, &lines)?;
    message.keep_lines(number, &lines)?;
    Ok(Value::Null)
}
