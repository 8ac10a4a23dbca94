//! 3201: the hospital's sums of some days, of one clearing type and insurance, against the
//! ledger's. A settlement and what is given back of it count as one each.

use serde_json::{Value, json};

use super::desk::Message;
use super::field::{Field, Form, INSUTYPE, Node, Record, signed_yuan};
use super::refusal::Refusal;
use super::statement::{self, Asked, BEGINS, CLR_TYPE, ENDS, SETL_OPTINS, Sums, difference};
use super::{Run, Transaction};

pub(super) const MONEY: Form = Form::Signed(16, 2);
pub(super) const COUNT: Field =
    Field::needed("fixmedins_setl_cnt", Form::Decimal(10, 0), "结算笔数：结算与撤销各算一笔");
pub(super) const MEDFEE: Field = Field::needed("medfee_sumamt", MONEY, "医疗费总额，撤销的为负");
pub(super) const FUND_PAY: Field = Field::needed("fund_pay_sumamt", MONEY, "基金支付总额");
pub(super) const RESULT: Field =
    Field::needed("stmt_rslt", Form::Text(6), "对账结果").of(&[("0", "平"), ("1", "不平")]);
pub(super) const WORDS: Field = Field::needed("stmt_rslt_dscr", Form::Text(200), "对账结果说明");

const INPUT: Node = Node::one(
    "data",
    &[
        INSUTYPE,
        CLR_TYPE,
        SETL_OPTINS,
        BEGINS,
        ENDS,
        MEDFEE,
        FUND_PAY,
        Field::needed("acct_pay", MONEY, "个人账户支付"),
        COUNT,
    ],
);

const OUTPUT: Node = Node::one(
    "stmtinfo",
    &[
        SETL_OPTINS,
        RESULT,
        WORDS,
        Field::needed("medfee_sumamt", MONEY, "平台的医疗费总额"),
        Field::needed("fund_pay_sumamt", MONEY, "平台的基金支付总额"),
        Field::needed("acct_pay", MONEY, "平台的个人账户支付"),
        Field::needed("fixmedins_setl_cnt", Form::Decimal(10, 0), "平台的结算笔数"),
    ],
);

pub(super) static TRANSACTION: Transaction = Transaction {
    number: "3201",
    name: "医药机构费用结算对总账",
    input: &[INPUT],
    output: &[OUTPUT],
    run: Run::Answer(run),
};

fn run(message: &Message<'_>, record: &Record) -> Result<Value, Refusal> {
    let rows = statement::rows(message, &Asked::read(message, record)?)?;
    let ours = rows.iter().fold(Sums::default(), |sums, row| sums.plus(row.sums));
    let count = rows.len().to_string();
    let told = record.text("fixmedins_setl_cnt");
    let differences = [
        difference("医疗费总额", record.signed_amount("medfee_sumamt")?, ours.total),
        difference("基金支付总额", record.signed_amount("fund_pay_sumamt")?, ours.funds),
        difference("个人账户支付", record.signed_amount("acct_pay")?, ours.account),
        (count != told).then(|| format!("结算笔数 机构 {told} 平台 {count}")),
    ];
    let differences: Vec<String> = differences.into_iter().flatten().collect();
    let (result, words) = match differences.as_slice() {
        [] => ("0", "平".to_owned()),
        found => ("1", format!("不平：{}；请做3202明细对账", found.join("；"))),
    };
    Ok(json!({ "stmtinfo": {
        "setl_optins": record.text("setl_optins"), "stmt_rslt": result, "stmt_rslt_dscr": words,
        "medfee_sumamt": signed_yuan(ours.total), "fund_pay_sumamt": signed_yuan(ours.funds),
        "acct_pay": signed_yuan(ours.account), "fixmedins_setl_cnt": count
    } }))
}
