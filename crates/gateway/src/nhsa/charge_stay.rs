//! 2301: lines of a stay are charged, day by day, and what becomes of each is said at once. The
//! person sees a new daily list: `update_running_bill`, whose bill lies sealed in the vault.

use serde_json::{Value, json};

use super::desk::{Care, Message};
use super::field::{Field, Form, MDTRT_ID, Node, PSN_NO, Record};
use super::lines::{
    BILG_DEPT_CODG, BILG_DR_CODG, CNT, FEE_OCUR_TIME, FEE_SUMAMT, FEEDETL_SN, MED_LIST_CODG,
    MEDINS_LIST_CODG, PRIC, charge,
};
use super::refusal::Refusal;
use super::split::LINE_OUTPUT;
use super::{Run, Transaction};

const INPUT: Node = Node::list(
    "feedetail",
    &[
        FEEDETL_SN,
        MDTRT_ID,
        PSN_NO,
        Field::optional("drord_no", Form::Text(30), "医嘱号"),
        FEE_OCUR_TIME,
        MED_LIST_CODG,
        MEDINS_LIST_CODG,
        FEE_SUMAMT,
        CNT,
        PRIC,
        BILG_DEPT_CODG,
        BILG_DR_CODG,
    ],
);

pub(super) static TRANSACTION: Transaction = Transaction {
    number: "2301",
    name: "住院费用明细上传",
    input: &[INPUT],
    output: &[Node::list("result", LINE_OUTPUT)],
    run: Run::OfLines(run),
};

fn run(message: &Message<'_>, first: &Record, records: &[Record]) -> Result<Value, Refusal> {
    let result = charge(message, (first, records), Care::Stay)?;
    Ok(json!({ "result": result }))
}
