//! 6203: a settled order is given back as a whole (`refund_visit`): each part goes back to where it
//! came from. Insurance or cash alone come back where the order has nothing else: what is left of a
//! bill is adjudicated again, and an amount without lines does not say what that is.

use serde_json::{Value, json};

use super::desk::Message;
use super::field::{Field, Form, Node, Record};
use super::order::{FEN, Figures, ORG_CODG, Order, PAY_ORD_ID, PAY_TOKEN, Stage, Step, of_order};
use super::refusal::Refusal;
use super::undo_settlement::refund_of_all;
use super::{Run, Transaction, clock_time};

const INPUT: Node = Node::one(
    "data",
    &[
        ORG_CODG,
        PAY_ORD_ID,
        PAY_TOKEN,
        Field::needed("appRefdSn", Form::Text(30), "退款流水号"),
        Field::optional("appRefdTime", Form::Instant, "退款时间"),
        Field::needed("refdType", Form::Text(4), "退款方式").of(&[
            ("ALL", "全部：一次结算的医保与自费一起退，各退回原处"),
            ("CASH", "仅自费：只在订单仅自费（setlType为CASH）时可用，即全退"),
            ("HI", "仅医保：只在订单仅医保（setlType为HI）时可用，即全退"),
        ]),
        Field::needed("totlRefdAmt", FEN, "退款总额，分，等于订单总额"),
        Field::optional("cashRefdAmt", FEN, "现金退款，分"),
        Field::optional("psnAcctRefdAmt", FEN, "个人账户退款，分"),
        Field::optional("fundRefdAmt", FEN, "基金退款，分"),
    ],
);

const OUTPUT: Node = Node::one(
    "data",
    &[
        PAY_ORD_ID,
        Field::needed("appRefdSn", Form::Text(30), "退款流水号"),
        Field::needed("refStatus", Form::Text(4), "退款状态")
            .of(&[("SUCC", "成功；自费部分由原卡的银行退回")]),
        Field::needed("refdTime", Form::Instant, "退款时间"),
        Field::needed("totlRefdAmt", FEN, "退款总额，分"),
        Field::needed("cashRefdAmt", FEN, "现金退款，分"),
        Field::needed("psnAcctRefdAmt", FEN, "个人账户退款，分"),
        Field::needed("fundRefdAmt", FEN, "基金退款，分"),
    ],
);

pub(super) static TRANSACTION: Transaction = Transaction {
    number: "6203",
    name: "移动支付退款",
    input: &[INPUT],
    output: &[OUTPUT],
    run: Run::Answer(run),
};

fn run(message: &Message<'_>, record: &Record) -> Result<Value, Refusal> {
    of_order(message, record, |message, order, number| refund(message, record, &order, number))
}

fn refund(
    message: &Message<'_>,
    record: &Record,
    order: &Order,
    number: &str,
) -> Result<Value, Refusal> {
    let not_settled = || {
        let words = "该订单没有结算，没有可退的款；请查询（6301），未结算的请撤销（6401）";
        Refusal::at(record.path("payOrdId"), words)
    };
    let Step::Placed(_, figures) = order.step else { return Err(not_settled()) };
    let Stage::Settled(settlement) = order.stage(message)? else { return Err(not_settled()) };
    let is_again = message.institution.book.outgoing(message.envelope.msgid())?.is_some();
    if settlement.is_refunded && !is_again {
        let words = "该订单已经退款，不能再退；请查询（6301）";
        return Err(Refusal::at(record.path("payOrdId"), words));
    }
    require_kind(record, &figures)?;
    require_all(record, &figures)?;
    let visit = message.visit_numbered(&order.mdtrt_id)?.visit;
    let placed = refund_of_all(message, visit)?;
    Ok(json!({ "data": {
        "payOrdId": number, "appRefdSn": record.text("appRefdSn"), "refStatus": "SUCC",
        "refdTime": clock_time(placed.receipt.record.time),
        "totlRefdAmt": figures.total.to_string(), "cashRefdAmt": figures.cash.to_string(),
        "psnAcctRefdAmt": figures.account.to_string(), "fundRefdAmt": figures.funds.to_string()
    } }))
}

/// What is to be given back is all that was paid.
fn require_kind(record: &Record, figures: &Figures) -> Result<(), Refusal> {
    if ["ALL", figures.kind()].contains(&record.text("refdType")) {
        return Ok(());
    }
    let words = "该订单医保与自费一次结算，不能只退其一；请填写ALL全退，需保留的费用以新订单号重新上传（6201）";
    Err(Refusal::at(record.path("refdType"), words))
}

/// What is to be given back is what was paid, part by part.
fn require_all(record: &Record, figures: &Figures) -> Result<(), Refusal> {
    for (field, fen) in [
        ("totlRefdAmt", figures.total),
        ("cashRefdAmt", figures.cash),
        ("psnAcctRefdAmt", figures.account),
        ("fundRefdAmt", figures.funds),
    ] {
        if record.get(field).is_some_and(|given| given != fen.to_string()) {
            let words = format!("与原支付 {fen} 分不符；请填写全额后重发");
            return Err(Refusal::at(record.path(field), words));
        }
    }
    Ok(())
}
