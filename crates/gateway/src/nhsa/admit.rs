//! 2401: a stay begins, which opens it on the ledger: `check_in`.

use serde_json::{Value, json};

use super::desk::{Care, Message};
use super::field::{Field, Form, INSUTYPE, MDTRT_ID, Node, Record};
use super::identify::{CERT_NO, CERT_TYPE};
use super::particulars::DIAGNOSES_MAX;
use super::refusal::Refusal;
use super::register::{Opening, open, subject_of};
use super::{Run, Transaction};

const INPUT: Node = Node::one(
    "mdtrtinfo",
    &[
        Field::needed("psn_no", Form::Text(30), "人员编号，来自1101"),
        INSUTYPE,
        Field::needed("begntime", Form::Day, "入院时间"),
        CERT_TYPE,
        CERT_NO,
        Field::needed("med_type", Form::Text(6), "医疗类别"),
        Field::needed("ipt_no", Form::Text(30), "住院号"),
        Field::optional("medrcdno", Form::Text(30), "病历号"),
        Field::optional("atddr_no", Form::Text(30), "主治医生编码"),
        Field::optional("chfpdr_name", Form::Text(50), "主诊医师姓名"),
        Field::optional("adm_diag_dscr", Form::Text(200), "入院诊断描述"),
        Field::optional("adm_dept_codg", Form::Text(30), "入院科室编码"),
        Field::optional("adm_dept_name", Form::Text(100), "入院科室名称"),
        Field::optional("adm_bed", Form::Text(30), "入院床位"),
    ],
);

/// Diagnoses of a stay.
pub(super) const DIAGNOSES: Node = Node::list(
    "diseinfo",
    &[
        Field::needed("diag_type", Form::Text(3), "诊断类别"),
        Field::needed("maindiag_flag", Form::Text(3), "主诊断标志").of(&[("1", "是"), ("0", "否")]),
        Field::needed("diag_srt_no", Form::Decimal(2, 0), "诊断排序号"),
        Field::needed("diag_code", Form::Text(20), "诊断代码"),
        Field::needed("diag_name", Form::Text(100), "诊断名称"),
        Field::optional("diag_dept", Form::Text(50), "诊断科室"),
        Field::optional("dise_dor_no", Form::Text(30), "诊断医生编码"),
        Field::optional("dise_dor_name", Form::Text(50), "诊断医生姓名"),
        Field::needed("diag_time", Form::Day, "诊断时间"),
    ],
);

pub(super) static TRANSACTION: Transaction = Transaction {
    number: "2401",
    name: "入院办理",
    input: &[INPUT, DIAGNOSES],
    output: &[Node::one("result", &[MDTRT_ID])],
    run: Run::Answer(run),
};

fn run(message: &Message<'_>, record: &Record) -> Result<Value, Refusal> {
    let input = &message.envelope.input;
    DIAGNOSES.read(input, DIAGNOSES_MAX)?;
    let kind = message.require_kind(record, Care::Stay)?;
    let known = message.present_person(record)?;
    let day = record.day("begntime")?;
    let subject = subject_of(message, record, (known.person, kind, day))?;
    let own_number = record.text("ipt_no");
    let number = open(message, record, Opening { known, subject, own_number })?;
    message.keep_description(&number, input)?;
    Ok(json!({ "result": { "mdtrt_id": number } }))
}
