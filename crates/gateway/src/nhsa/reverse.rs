//! 2601: a message whose outcome is not known ends in one known state: it has not happened, and
//! will not. What stands on the ledger is undone by a transaction of its own.

use adapters::directory::RequestAnswer;
use ledger::Transaction as Sent;
use ledger::kernel::registry::Kind as _;
use ledger::modules::visit::{CancelVisit, CheckIn, SettleVisit, VisitRow};
use primitives::{PersonId, VisitId, codec};
use proof::receipt::OutcomeCode;
use serde_json::Value;

use super::desk::{Message, damaged};
use super::field::{Field, Form, Node, PSN_NO, Record};
use super::refusal::Refusal;
use super::undo_settlement::refund_of_all;
use super::{MESSAGE, Run, Transaction, answered};

const INPUT: Node = Node::one(
    "data",
    &[
        PSN_NO,
        Field::needed("omsgid", Form::Text(30), "原报文编号"),
        Field::needed("oinfno", Form::Text(5), "原交易编号").of(&[
            ("2201", "门诊挂号"),
            ("2207", "门诊结算"),
            ("2207A", "门诊结算"),
            ("2304", "住院结算"),
            ("2401", "入院办理"),
        ]),
    ],
);

pub(super) static TRANSACTION: Transaction = Transaction {
    number: "2601",
    name: "冲正交易",
    input: &[INPUT],
    output: &[],
    run: Run::Answer(run),
};

fn run(message: &Message<'_>, record: &Record) -> Result<Value, Refusal> {
    let original = record.text("omsgid");
    if original == message.envelope.msgid() {
        let words = "不能冲正本报文；请填写原报文编号";
        return Err(Refusal::at(record.path("omsgid"), words));
    }
    message.alone(MESSAGE, original, |message| reverse(message, record, original))
}

fn reverse(message: &Message<'_>, record: &Record, original: &str) -> Result<Value, Refusal> {
    let book = &message.institution.book;
    let person = message.known_person(record)?.person;
    // One that never came is noted under this message's hash: should it come, it is refused.
    book.begin(original, &message.envelope.digest, message.call.now)?;
    if let Some(bytes) = book.outgoing(original)? {
        let sent: Sent = codec::decode(&bytes).map_err(damaged)?;
        undo(message, record, person, &sent)?;
    }
    // What was answered stays; what was not is answered by this from now on.
    let over = Refusal::new("该报文已被冲正（2601）；需要时请以新编号重发");
    let profile = Some(&message.institution.profile);
    let bytes = answered(message.call, profile, Some(message.envelope), Err(&over));
    book.finish(original, message.mark, &bytes?)?;
    Ok(Value::Null)
}

/// Undoes what this transaction did, if it happened.
fn undo(
    message: &Message<'_>,
    record: &Record,
    person: PersonId,
    sent: &Sent,
) -> Result<(), Refusal> {
    let opens = ["2201", "2401"].contains(&record.text("oinfno"));
    let kind = if opens { CheckIn::NUMBER } else { SettleVisit::NUMBER };
    if sent.content.kind != kind {
        let words = "与原报文的交易编号不一致；请改正后重发";
        return Err(Refusal::at(record.path("oinfno"), words));
    }
    let visit = match kind {
        CheckIn::NUMBER => codec::decode::<CheckIn>(&sent.content.body).map(|body| body.visit),
        _ => codec::decode::<SettleVisit>(&sent.content.body).map(|body| body.visit),
    };
    let visit = visit.map_err(damaged)?;
    let receipt = message.call.gateway.port.chain().receipt_of_transaction(sent.content.id())?;
    let accepted = receipt.filter(|one| one.receipt.record.outcome == OutcomeCode::Accepted);
    if accepted.is_none() {
        // What waits on a phone is taken back first. Who confirmed in that very instant is seen
        // when the same message comes again.
        if message
            .wallet()?
            .directory
            .answer_request(&sent.content.id(), RequestAnswer::Withdrawn)?
        {
            let words = "已撤回参保人手机上的确认请求；请稍候以原报文重发，以确定结果";
            return Err(Refusal::for_now(words));
        }
        return Ok(());
    }
    // A reversal that went out before is the same now; whatever it undid looks undone already.
    let is_again = message.institution.book.outgoing(message.envelope.msgid())?.is_some();
    let Ok(seen) = message.call.any_visit(visit) else {
        return if is_again { cancel(message, visit) } else { Ok(()) };
    };
    if seen.subject.person != person {
        let words = "不是原报文的人员；请改正后重发";
        return Err(Refusal::at(record.path("psn_no"), words));
    }
    match (kind, &seen.row) {
        (CheckIn::NUMBER, VisitRow::Open(_)) => cancel(message, visit),
        (CheckIn::NUMBER, _) => {
            let words = "该就诊已经结算；请先冲正或撤销结算（2601、2208、2305）";
            Err(Refusal::at(record.path("omsgid"), words))
        }
        _ => {
            let is_there = seen.record.as_ref().is_some_and(|one| !one.sums.total().is_zero());
            if is_there || is_again {
                refund_of_all(message, visit)?;
                message.keep_reversed(&message.settlement_number(&sent.content.id()))?;
            }
            Ok(())
        }
    }
}

fn cancel(message: &Message<'_>, visit: VisitId) -> Result<(), Refusal> {
    message.put(&[&message.machine()], || Ok(CancelVisit { visit })).map(drop)
}
