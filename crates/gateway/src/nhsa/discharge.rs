//! 2402: a stay ends, with its last diagnoses. The day stays in the hospital's book: the ledger
//! learns of it from the days of the settled lines.

use serde_json::Value;

use super::admit::DIAGNOSES;
use super::desk::Message;
use super::field::{Field, Form, INSUTYPE, MDTRT_ID, Node, PSN_NO, Record};
use super::particulars::DIAGNOSES_MAX;
use super::refusal::Refusal;
use super::{Run, Transaction};

const INPUT: Node = Node::one(
    "dscginfo",
    &[
        MDTRT_ID,
        PSN_NO,
        INSUTYPE,
        Field::needed("endtime", Form::Day, "出院时间"),
        Field::optional("dise_codg", Form::Text(30), "病种编码"),
        Field::optional("dise_name", Form::Text(500), "病种名称"),
        Field::optional("dscg_dept_codg", Form::Text(30), "出院科室编码"),
        Field::optional("dscg_dept_name", Form::Text(100), "出院科室名称"),
        Field::optional("dscg_bed", Form::Text(30), "出院床位"),
        Field::needed("dscg_way", Form::Text(3), "离院方式").of(&[
            ("1", "医嘱离院"),
            ("2", "医嘱转院"),
            ("3", "医嘱转社区卫生服务机构或乡镇卫生院"),
            ("4", "非医嘱离院"),
            ("5", "死亡"),
            ("9", "其他"),
        ]),
    ],
);

pub(super) static TRANSACTION: Transaction = Transaction {
    number: "2402",
    name: "出院办理",
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
    message.require_scheme(record, &seen)?;
    if message.discharged(number)?.is_some() {
        let words = "已办理出院；需要更改请先做2405出院撤销";
        return Err(Refusal::at(record.path("mdtrt_id"), words));
    }
    let (day, today) = (record.day("endtime")?, message.today());
    if day < seen.subject.admitted || day > today {
        let words =
            format!("应在入院日 {} 至今日 {today} 之间；请改正后重发", seen.subject.admitted);
        return Err(Refusal::at(record.path("endtime"), words));
    }
    if let Some(late) = message.lines(number)?.iter().find(|line| line.day > day) {
        let words = format!("明细 {} 发生在出院之后；请先做2302撤销或改正", late.feedetl_sn);
        return Err(Refusal::at(record.path("endtime"), words));
    }
    message.describe(number, "dscginfo", input)?;
    message.keep_discharged(number, Some(day))?;
    Ok(Value::Null)
}
