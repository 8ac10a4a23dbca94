//! 9001: a clerk signs in, and gets a number for the shift's messages.

use serde_json::{Value, json};

use super::desk::Message;
use super::field::{Field, Form, Node, Record};
use super::refusal::Refusal;
use super::{Run, Transaction};

const INPUT: Node = Node::one(
    "signIn",
    &[
        Field::needed("opter_no", Form::Text(30), "操作员编号"),
        Field::optional("mac", Form::Text(20), "签到 MAC 地址"),
        Field::optional("ip", Form::Text(40), "签到 IP 地址"),
    ],
);

const OUTPUT: Node = Node::one(
    "signinoutb",
    &[
        Field::needed("sign_time", Form::Instant, "签到时间"),
        Field::needed("sign_no", Form::Text(30), "签到编号"),
    ],
);

pub(super) static TRANSACTION: Transaction = Transaction {
    number: "9001",
    name: "签到",
    input: &[INPUT],
    output: &[OUTPUT],
    run: Run::Answer(run),
};

fn run(message: &Message<'_>, _: &Record) -> Result<Value, Refusal> {
    let number = message.name("sign", message.envelope.msgid().as_bytes());
    message.put_session(&number, true)?;
    let time = message.envelope.fields.text("inf_time");
    Ok(json!({ "signinoutb": { "sign_time": time, "sign_no": number } }))
}
