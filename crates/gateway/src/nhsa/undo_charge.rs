//! 2205: lines of a batch, or all lines of a visit, are taken back before they are settled.

use serde_json::Value;

use super::ask::take_back;
use super::desk::{Care, Message};
use super::field::{Field, Form, MDTRT_ID, Node, PSN_NO, Record};
use super::lines::ALL;
use super::refusal::Refusal;
use super::{Run, Transaction};

const INPUT: Node = Node::one(
    "data",
    &[MDTRT_ID, Field::needed("chrg_bchno", Form::Text(30), "收费批次号；0000 为全部"), PSN_NO],
);

pub(super) static TRANSACTION: Transaction = Transaction {
    number: "2205",
    name: "门诊费用明细撤销",
    input: &[INPUT],
    output: &[],
    run: Run::OfVisit(run),
};

fn run(message: &Message<'_>, record: &Record) -> Result<Value, Refusal> {
    let known = message.known_visit(record)?;
    let (number, batch) = (record.text("mdtrt_id"), record.text("chrg_bchno"));
    message.open_visit(record, known.visit, Care::Outpatient)?;
    take_back(message, known.visit)?;
    let mut lines = message.lines(number)?;
    lines.retain(|line| batch != ALL && line.batch != batch);
    message.keep_lines(number, &lines)?;
    Ok(Value::Null)
}
