//! 6301: where an order stands, by the ledger.

use serde_json::Value;

use super::desk::Message;
use super::field::Record;
use super::order::{INPUT, OUTPUT, of_order};
use super::refusal::Refusal;
use super::{Run, Transaction};

pub(super) static TRANSACTION: Transaction = Transaction {
    number: "6301",
    name: "移动支付订单查询",
    input: &[INPUT],
    output: OUTPUT,
    run: Run::Answer(run),
};

fn run(message: &Message<'_>, record: &Record) -> Result<Value, Refusal> {
    of_order(message, record, |message, order, number| order.told(message, number))
}
