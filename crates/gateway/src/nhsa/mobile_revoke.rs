//! 6401: an order that is not settled is taken back: nobody can confirm it any more, and its visit
//! is undone (`cancel_visit`). It is never paid.

use adapters::directory::RequestAnswer;
use ledger::modules::visit::CancelVisit;
use serde_json::Value;

use super::desk::Message;
use super::field::Record;
use super::order::{INPUT, OUTPUT, Order, Stage, Step, of_order};
use super::refusal::Refusal;
use super::{Run, Transaction};

pub(super) static TRANSACTION: Transaction = Transaction {
    number: "6401",
    name: "移动支付订单撤销",
    input: &[INPUT],
    output: OUTPUT,
    run: Run::Answer(run),
};

fn run(message: &Message<'_>, record: &Record) -> Result<Value, Refusal> {
    of_order(message, record, |message, order, number| revoke(message, record, order, number))
}

fn revoke(
    message: &Message<'_>,
    record: &Record,
    order: Order,
    number: &str,
) -> Result<Value, Refusal> {
    match order.stage(message)? {
        Stage::Settled(_) => {
            let words = "该订单已结算，不能撤销；请退款（6203）";
            return Err(Refusal::at(record.path("payOrdId"), words));
        }
        Stage::Revoked => return order.told(message, number),
        Stage::Saved | Stage::Waiting | Stage::Failed(_) => {}
    }
    if let Step::Placed(id, _) = order.step {
        message.wallet()?.directory.answer_request(&id, RequestAnswer::Withdrawn)?;
    }
    let visit = message.visit_numbered(&order.mdtrt_id)?.visit;
    let is_again = message.institution.book.outgoing(message.envelope.msgid())?.is_some();
    // At a counter the visit may have been settled or undone already: then nothing is left of it.
    if is_again || order.is_open(message)? {
        // Whoever confirmed in the same instant was first, or comes too late: the ledger says so.
        message.put(&[&message.machine()], || Ok(CancelVisit { visit }))?;
    }
    let order = Order { step: Step::Revoked, ..order };
    order.keep(message, number)?;
    order.told(message, number)
}
