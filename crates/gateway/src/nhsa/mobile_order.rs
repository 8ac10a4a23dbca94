//! 6202: an order is placed: the settlement goes to the person's phone, where the wallet computes
//! it again and the person confirms it (`settle_visit` by the person's own key). A second click
//! tells where the order stands.

use serde_json::Value;

use super::ask::Asking;
use super::desk::{Care, Message, bill_of};
use super::field::Record;
use super::order::{INPUT, OUTPUT, Order, Step, of_order};
use super::refusal::Refusal;
use super::{Run, Transaction};

pub(super) static TRANSACTION: Transaction = Transaction {
    number: "6202",
    name: "移动支付下单",
    input: &[INPUT],
    output: OUTPUT,
    run: Run::Answer(run),
};

fn run(message: &Message<'_>, record: &Record) -> Result<Value, Refusal> {
    of_order(message, record, |message, order, number| match order.step {
        Step::Saved => place(message, record, order, number),
        Step::Placed(..) => order.told(message, number),
        Step::Revoked => {
            let words = "该订单已撤销，不能再支付；请以新订单号重新上传（6201）";
            Err(Refusal::at(record.path("payOrdId"), words))
        }
    })
}

fn place(
    message: &Message<'_>,
    record: &Record,
    order: Order,
    number: &str,
) -> Result<Value, Refusal> {
    if !order.is_open(message)? {
        let words = "该就诊已在窗口结算或撤销；本订单不再支付";
        return Err(Refusal::at(record.path("payOrdId"), words));
    }
    let visit = message.visit_numbered(&order.mdtrt_id)?.visit;
    let seen = message.open_visit(record, visit, Care::Outpatient)?;
    let groups = message.diagnosis_groups(&order.mdtrt_id)?;
    let bill = bill_of(&message.lines(&order.mdtrt_id)?, &groups)?;
    let asking = Asking {
        visit,
        seen: &seen,
        bill: &bill,
        uses_account: order.uses_account,
        uses_card: true,
    };
    let asked = asking.ask(message)?;
    let order = order.placed(asked.id, &asked.split);
    order.keep(message, number)?;
    order.told(message, number)
}
