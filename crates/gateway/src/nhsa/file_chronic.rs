//! 2503: chronic or special care is filed for somebody: `assign_slot`, with the benefit group that
//! the disease belongs to. The disease itself stays in the hospital's book.

use serde_json::Value;

use super::desk::Message;
use super::field::{Field, Form, INSUTYPE, Node, PSN_NO, Record};
use super::filing::{BEGNDATE, ENDDATE, Filer, OUTPUT, TEL};
use super::refusal::Refusal;
use super::{Run, Transaction};

const INPUT: Node = Node::one(
    "data",
    &[
        PSN_NO,
        INSUTYPE,
        Field::needed("opsp_dise_code", Form::Text(30), "门慢门特病种目录代码"),
        Field::needed("opsp_dise_name", Form::Text(300), "门慢门特病种名称"),
        TEL,
        Field::optional("hosp_ide_date", Form::Day, "医院鉴定日期"),
        Field::needed("diag_dr_codg", Form::Text(30), "诊断医师编码"),
        Field::needed("diag_dr_name", Form::Text(50), "诊断医师姓名"),
        BEGNDATE,
        ENDDATE,
    ],
);

pub(super) static TRANSACTION: Transaction = Transaction {
    number: "2503",
    name: "人员慢特病备案",
    input: &[INPUT],
    output: &[OUTPUT],
    run: Run::Answer(run),
};

fn run(message: &Message<'_>, record: &Record) -> Result<Value, Refusal> {
    let filer = Filer::read(message, record)?;
    let code = record.text("opsp_dise_code");
    let groups = &message.institution.profile.filed_groups;
    let group = groups.iter().find(|(start, _)| code.starts_with(start.as_str()));
    let (_, group) = group.ok_or_else(|| {
        let known: Vec<&str> = groups.keys().map(String::as_str).collect();
        let words = if known.is_empty() {
            "经办机构未委托本机构办理慢特病备案；请参保人到经办机构办理".to_owned()
        } else {
            format!("本机构只可备案以 {} 开头的病种；其他请到经办机构办理", known.join("、"))
        };
        Refusal::at(record.path("opsp_dise_code"), words)
    })?;
    filer.assign(message, record, (code, *group))
}
