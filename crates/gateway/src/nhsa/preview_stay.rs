//! 2303: what the settlement of a stay would come to. Nothing is kept.

use serde_json::Value;

use super::desk::{Care, Message};
use super::field::{Field, Form, INSUTYPE, MDTRT_ID, Node, PSN_NO};
use super::identify::CERTIFICATES;
use super::preview::{ACCT_USED_FLAG, Claimed, OUTPUT, SUMS, preview};
use super::refusal::Refusal;
use super::{Run, Transaction};

/// What is asked of the settlement of a stay and of its preview.
pub(super) const INPUT: Node = Node::one(
    "data",
    &[
        PSN_NO,
        Field::needed("mdtrt_cert_type", Form::Text(3), "就诊凭证类型").of(CERTIFICATES),
        Field::needed("mdtrt_cert_no", Form::Text(50), "就诊凭证编号，与1101相同"),
        Field::needed("medfee_sumamt", Form::Decimal(16, 2), "医疗费总额，等于明细之和"),
        Field::needed("psn_setlway", Form::Text(6), "个人结算方式").of(&[("01", "按项目结算")]),
        MDTRT_ID,
        ACCT_USED_FLAG,
        INSUTYPE,
        Field::optional("invono", Form::Text(20), "发票号"),
        SUMS[0],
        SUMS[1],
        SUMS[2],
        SUMS[3],
    ],
);

pub(super) static TRANSACTION: Transaction = Transaction {
    number: "2303",
    name: "住院预结算",
    input: &[INPUT],
    output: OUTPUT,
    run: Run::Answer(run),
};

fn run(message: &Message<'_>) -> Result<Value, Refusal> {
    let record = INPUT.read(&message.envelope.input, 1)?.remove(0);
    preview(message, &record, &Claimed::read(message, &record, Care::Stay)?)
}
