//! 2202: a registration is undone, while nothing of it is settled: `cancel_visit`.

use ledger::modules::visit::CancelVisit;
use serde_json::Value;

use super::desk::{Care, Message};
use super::field::{IPT_OTP_NO, MDTRT_ID, Node, PSN_NO, Record};
use super::refusal::Refusal;
use super::{Run, Transaction};

const INPUT: Node = Node::one("data", &[PSN_NO, MDTRT_ID, IPT_OTP_NO]);

pub(super) static TRANSACTION: Transaction = Transaction {
    number: "2202",
    name: "门诊挂号撤销",
    input: &[INPUT],
    output: &[],
    run: Run::OfVisit(run),
};

fn run(message: &Message<'_>, record: &Record) -> Result<Value, Refusal> {
    let known = message.known_visit(record)?;
    if known.ipt_otp_no != record.text("ipt_otp_no") {
        let words = "与挂号时的住院/门诊号不一致；请改正后重发";
        return Err(Refusal::at(record.path("ipt_otp_no"), words));
    }
    message.put(&[&message.machine()], || {
        if let Ok(seen) = message.call.any_visit(known.visit) {
            message.require_care(record, &seen, Care::Outpatient)?;
        }
        Ok(CancelVisit { visit: known.visit })
    })?;
    Ok(Value::Null)
}
