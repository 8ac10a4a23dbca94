//! 2203: what the visit is for. The diagnoses stay in the hospital's sealed book; the kind of care
//! that is said here is the one under which the visit is settled.

use serde_json::Value;

use super::desk::{Care, Message};
use super::field::{Field, Form, MDTRT_ID, Node, PSN_NO, Record};
use super::particulars::DIAGNOSES_MAX;
use super::refusal::Refusal;
use super::{Run, Transaction};

const VISIT: Node = Node::one(
    "mdtrtinfo",
    &[
        MDTRT_ID,
        PSN_NO,
        Field::needed("med_type", Form::Text(6), "医疗类别"),
        Field::needed("begntime", Form::Day, "开始时间"),
        Field::optional("main_cond_dscr", Form::Text(1_000), "主要病情描述"),
        Field::optional("dise_codg", Form::Text(30), "病种编码"),
        Field::optional("dise_name", Form::Text(500), "病种名称"),
    ],
);

const DIAGNOSES: Node = Node::list(
    "diseinfo",
    &[
        Field::needed("diag_type", Form::Text(3), "诊断类别"),
        Field::needed("diag_srt_no", Form::Decimal(2, 0), "诊断排序号"),
        Field::needed("diag_code", Form::Text(20), "诊断代码"),
        Field::needed("diag_name", Form::Text(100), "诊断名称"),
        Field::needed("diag_dept", Form::Text(50), "诊断科室"),
        Field::optional("dise_dor_no", Form::Text(30), "诊断医生编码"),
        Field::optional("dise_dor_name", Form::Text(50), "诊断医生姓名"),
        Field::needed("diag_time", Form::Day, "诊断时间"),
        Field::needed("vali_flag", Form::Text(3), "有效标志").of(&[("1", "有效"), ("0", "无效")]),
    ],
);

pub(super) static TRANSACTION: Transaction = Transaction {
    number: "2203",
    name: "门诊就诊信息上传",
    input: &[VISIT, DIAGNOSES],
    output: &[],
    run: Run::OfVisit(run),
};

fn run(message: &Message<'_>, record: &Record) -> Result<Value, Refusal> {
    DIAGNOSES.read(&message.envelope.input, DIAGNOSES_MAX)?;
    let known = message.known_visit(record)?;
    message.require_kind(record, Care::Outpatient)?;
    let number = record.text("mdtrt_id");
    let seen = message.open_visit(record, known.visit, Care::Outpatient)?;
    message.require_opened_kind(record, seen.subject.visit_type)?;
    message.keep_description(number, &message.envelope.input)?;
    Ok(Value::Null)
}
