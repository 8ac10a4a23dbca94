//! 2699: a birth is filed for somebody, where the plan has a programme for it: `assign_slot` as for
//! chronic care. Where maternity care is covered by its kind alone (51, 52), nothing is filed.

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
        TEL,
        Field::optional("geso_val", Form::Decimal(2, 0), "孕周数"),
        Field::optional("fetts", Form::Decimal(3, 0), "胎次"),
        Field::optional("plan_matn_date", Form::Day, "预产期"),
        BEGNDATE,
        ENDDATE,
    ],
);

pub(super) static TRANSACTION: Transaction = Transaction {
    number: "2699",
    name: "生育备案",
    input: &[INPUT],
    output: &[OUTPUT],
    run: Run::Answer(run),
};

fn run(message: &Message<'_>, record: &Record) -> Result<Value, Refusal> {
    let filer = Filer::read(message, record)?;
    let group = message.institution.profile.maternity_group.ok_or_else(|| {
        let words = "本统筹区生育待遇不需备案；请直接以51（门诊）、52（住院）就医";
        Refusal::at(record.path("psn_no"), words)
    })?;
    filer.assign(message, record, ("maternity", group))
}
