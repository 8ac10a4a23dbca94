//! 2301: lines of a stay are charged, day by day, and what becomes of each is said at once. The
//! person sees a new daily list: `update_running_bill`, whose bill lies sealed in the vault.

use ledger::modules::visit::UpdateRunningBill;
use primitives::{Amount, Hash, VisitId, codec};
use serde_json::{Value, json};
use vault::BillContent;

use super::charge::{LINES_MAX, charge};
use super::desk::{Care, KnownLine, Message, bill_of, damaged};
use super::field::{Field, Form, MDTRT_ID, Node, PSN_NO};
use super::refusal::Refusal;
use super::split::LINE_OUTPUT;
use super::{Run, Transaction};
use crate::access::SeenVisit;
use crate::api::quote::sorted_bill;
use crate::api::request::keep_sealed;

const INPUT: Node = Node::list(
    "feedetail",
    &[
        Field::needed("feedetl_sn", Form::Text(30), "费用明细流水号，就诊内唯一"),
        MDTRT_ID,
        PSN_NO,
        Field::optional("drord_no", Form::Text(30), "医嘱号"),
        Field::needed("fee_ocur_time", Form::Day, "费用发生时间"),
        Field::needed("med_list_codg", Form::Text(50), "医疗目录编码（国家）"),
        Field::optional("medins_list_codg", Form::Text(150), "医药机构目录编码"),
        Field::needed("det_item_fee_sumamt", Form::Decimal(16, 2), "明细项目费用总额"),
        Field::needed("cnt", Form::Decimal(16, 4), "数量"),
        Field::needed("pric", Form::Decimal(16, 6), "单价"),
        Field::optional("bilg_dept_codg", Form::Text(30), "开单科室编码"),
        Field::optional("bilg_dr_codg", Form::Text(30), "开单医生编码"),
    ],
);

pub(super) static TRANSACTION: Transaction = Transaction {
    number: "2301",
    name: "住院费用明细上传",
    input: &[INPUT],
    output: &[Node::list("result", LINE_OUTPUT)],
    run: Run::Answer(run),
};

fn run(message: &Message<'_>) -> Result<Value, Refusal> {
    let records = INPUT.read(&message.envelope.input, LINES_MAX)?;
    let result = charge(message, &records, Care::Stay)?;
    Ok(json!({ "result": result }))
}

/// Puts the bill of a stay so far on the ledger, before its lines are kept.
///
/// # Errors
/// Why it is not accepted.
pub(super) fn note_running_bill(
    message: &Message<'_>,
    (number, visit): (&str, VisitId),
    seen: &SeenVisit,
    lines: &[KnownLine],
) -> Result<(), Refusal> {
    let charged = lines.iter().map(|line| Amount::from_minor(line.amount));
    let total = charged.fold(Amount::ZERO, Amount::saturating_add);
    let until = lines.iter().map(|line| line.day).max().unwrap_or(seen.subject.admitted);
    let body = || {
        let bill = if lines.is_empty() {
            Hash::default()
        } else {
            let bill = bill_of(lines)?;
            let text = serde_json::to_string(&bill).map_err(damaged)?;
            let groups = message.diagnosis_groups(number)?;
            let (sums, _) = sorted_bill(message.call, &seen.subject, bill, &groups)?;
            let salt = message.id("salt");
            let content = BillContent { salt, bill: text.into_bytes(), sums: codec::encode(&sums) };
            keep_sealed(message.call, &*message.wallet()?, seen, visit, &content)?;
            content.commitment()
        };
        Ok(UpdateRunningBill { visit, bill, total, until })
    };
    message.put(&[message.machine()], body).map(drop)
}
