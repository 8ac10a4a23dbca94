//! 2208: a settlement is undone as a whole: `refund_visit` of all of it. The answer has the
//! original figures negative, the deductible included.

use benefit::CategorySums;
use ledger::modules::visit::{RefundVisit, quote_remaining};
use primitives::{Hash, VisitId};
use serde_json::{Value, json};

use super::desk::{Care, Message, damaged};
use super::field::{Field, Form, MDTRT_ID, Node, PSN_NO, Record};
use super::refusal::Refusal;
use super::split::{DETAIL, FIGURES, extended};
use super::{Run, Transaction, clock_time};
use crate::port::IndexedReceipt;
use crate::problem::Problem;
use crate::wallet::Machine;

pub(super) const INPUT: Node =
    Node::one("data", &[Field::needed("setl_id", Form::Text(30), "结算 ID"), MDTRT_ID, PSN_NO]);

pub(super) const OUTPUT: &[Node] =
    &[Node::one("setlinfo", FIGURES), Node::list("setldetail", DETAIL)];

pub(super) static TRANSACTION: Transaction = Transaction {
    number: "2208",
    name: "门诊结算撤销",
    input: &[INPUT],
    output: OUTPUT,
    run: Run::OfVisit(run),
};

fn run(message: &Message<'_>, record: &Record) -> Result<Value, Refusal> {
    undo(message, record, Care::Outpatient)
}

/// Undoes the settlement that a message names.
///
/// # Errors
/// Why it is not done.
pub(super) fn undo(message: &Message<'_>, record: &Record, care: Care) -> Result<Value, Refusal> {
    let known = message.known_visit(record)?;
    let number = record.text("mdtrt_id");
    let settled = message.settlement(number)?.filter(|output| {
        output.pointer("/setlinfo/setl_id").and_then(Value::as_str) == Some(record.text("setl_id"))
    });
    let settled = settled.ok_or_else(|| {
        Refusal::at(record.path("setl_id"), "本次就诊没有该结算；请核对结算 ID 后重发")
    })?;
    let is_again = message.institution.book.outgoing(message.envelope.msgid())?.is_some();
    let seen = message.call.any_visit(known.visit)?;
    message.require_care(record, &seen, care)?;
    let is_undone = seen.record.is_none_or(|one| one.sums.total().is_zero());
    if is_undone && !is_again {
        let words = "该结算已经撤销，不能再次撤销；如需重新收费，请重新挂号（2201）或入院（2401）";
        return Err(Refusal::at(record.path("setl_id"), words));
    }
    let placed = refund_of_all(message, known.visit)?;
    let mut info = negative(FIGURES, &settled["setlinfo"]);
    info["setl_time"] = json!(clock_time(placed.receipt.record.time));
    info["medins_setl_id"] = json!(message.envelope.msgid());
    info["exp_content"] = extended(&placed.receipt.record.transaction_id);
    Ok(json!({
        "setlinfo": info,
        "setldetail": settled["setldetail"]
            .as_array()
            .map(|rows| rows.iter().map(|row| negative(DETAIL, row)).collect::<Vec<_>>())
    }))
}

/// Gives all of a settlement back.
///
/// # Errors
/// Why it is not done.
pub(super) fn refund_of_all(
    message: &Message<'_>,
    visit: VisitId,
) -> Result<IndexedReceipt, Refusal> {
    let wallet = message.wallet()?;
    let machine = message.machine();
    let signers: [&dyn Machine; 2] = [&machine, &*wallet.bureau];
    let refund = || {
        let original = message.call.any_visit(visit)?.record.ok_or_else(|| damaged(()))?;
        let remaining = CategorySums::new(Vec::new()).map_err(damaged)?;
        let (state, now) = (message.call.view.rows(), message.call.instant());
        let quote = |plans: &_| quote_remaining(state, plans, &original, &remaining, now);
        let split = message.call.gateway.with_plans(quote);
        let split = split.map_err(|rejection| Problem::rejected(&rejection))?;
        let bill = Hash::default();
        Ok(RefundVisit { original, bill, remaining, split, cash: None, consent: None })
    };
    message.put(&signers, refund)
}

/// The same record with its amounts of money negative; shares and words stay.
fn negative(fields: &[Field], record: &Value) -> Value {
    let mut turned = record.clone();
    for field in fields.iter().filter(|field| matches!(field.form, Form::Decimal(_, 2))) {
        let amount = record[field.name].as_str().filter(|amount| *amount != "0.00");
        if let Some(amount) = amount {
            turned[field.name] = json!(format!("-{amount}"));
        }
    }
    turned
}
