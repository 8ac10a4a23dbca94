//! 2403: particulars of a stay are changed: department, bed, diagnoses. What the ledger holds (the
//! day of admission, the kind of care) does not change: that is another admission.

use serde_json::Value;

use super::admit::DIAGNOSES;
use super::desk::{Care, Message};
use super::field::{Field, Form, MDTRT_ID, Node, PSN_NO, Record};
use super::particulars::DIAGNOSES_MAX;
use super::refusal::Refusal;
use super::{Run, Transaction};

const INPUT: Node = Node::one(
    "adminfo",
    &[
        MDTRT_ID,
        PSN_NO,
        Field::needed("begntime", Form::Day, "入院时间，与2401相同"),
        Field::needed("med_type", Form::Text(6), "医疗类别，与2401相同"),
        Field::optional("adm_diag_dscr", Form::Text(200), "入院诊断描述"),
        Field::optional("adm_dept_codg", Form::Text(30), "入院科室编码"),
        Field::optional("adm_dept_name", Form::Text(100), "入院科室名称"),
        Field::optional("adm_bed", Form::Text(30), "入院床位"),
    ],
);

pub(super) static TRANSACTION: Transaction = Transaction {
    number: "2403",
    name: "住院信息变更",
    input: &[INPUT, DIAGNOSES],
    output: &[],
    run: Run::OfVisit(run),
};

fn run(message: &Message<'_>, record: &Record) -> Result<Value, Refusal> {
    let input = &message.envelope.input;
    DIAGNOSES.read(input, DIAGNOSES_MAX)?;
    let known = message.known_visit(record)?;
    let number = record.text("mdtrt_id");
    let seen = message.open_stay(record, known.visit)?;
    let is_same = record.day("begntime")? == seen.subject.admitted;
    for (field, is_same) in [
        ("begntime", is_same),
        ("med_type", message.require_kind(record, Care::Stay)? == seen.subject.visit_type),
    ] {
        if !is_same {
            let words = "已记入账本，不能变更；请做2404入院撤销后重新办理入院";
            return Err(Refusal::at(record.path(field), words));
        }
    }
    message.describe(number, "adminfo", input)?;
    Ok(Value::Null)
}
