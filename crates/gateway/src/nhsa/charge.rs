//! 2204: lines are charged, and what becomes of each is said at once. The same line again changes
//! nothing; another one under its number is refused.

use serde_json::{Value, json};

use super::desk::{Care, Message};
use super::field::{CHRG_BCHNO, Field, Form, MDTRT_ID, Node, PSN_NO, Record};
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
        CHRG_BCHNO,
        FEE_OCUR_TIME,
        MED_LIST_CODG,
        MEDINS_LIST_CODG,
        FEE_SUMAMT,
        CNT,
        PRIC,
        Field::optional("rxno", Form::Text(30), "处方号"),
        BILG_DEPT_CODG,
        BILG_DR_CODG,
    ],
);

pub(super) static TRANSACTION: Transaction = Transaction {
    number: "2204",
    name: "门诊费用明细上传",
    input: &[INPUT],
    output: &[Node::list("result", LINE_OUTPUT)],
    run: Run::OfLines(run),
};

fn run(message: &Message<'_>, first: &Record, records: &[Record]) -> Result<Value, Refusal> {
    let result = charge(message, (first, records), Care::Outpatient)?;
    Ok(json!({ "result": result }))
}
