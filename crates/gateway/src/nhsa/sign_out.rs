//! 9002: a clerk signs out; the number counts no more.

use serde_json::{Value, json};

use super::desk::Message;
use super::field::{Field, Form, Node, Record};
use super::refusal::Refusal;
use super::{Run, Transaction};

const INPUT: Node = Node::one(
    "signOut",
    &[
        Field::needed("sign_no", Form::Text(30), "签到编号"),
        Field::needed("opter_no", Form::Text(30), "操作员编号"),
    ],
);

const OUTPUT: Node =
    Node::one("signoutoutb", &[Field::needed("sign_time", Form::Instant, "签退时间")]);

pub(super) static TRANSACTION: Transaction = Transaction {
    number: "9002",
    name: "签退",
    input: &[INPUT],
    output: &[OUTPUT],
    run: Run::Answer(run),
};

fn run(message: &Message<'_>, record: &Record) -> Result<Value, Refusal> {
    let number = record.text("sign_no");
    message.require_session(number)?;
    message.put_session(number, false)?;
    let time = message.envelope.fields.text("inf_time");
    Ok(json!({ "signoutoutb": { "sign_time": time } }))
}
