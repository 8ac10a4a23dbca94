//! 2204: lines are charged, and what becomes of each is said at once. The same line again changes
//! nothing; another one under its number is refused.

use serde_json::{Value, json};

use super::charge_stay::note_running_bill;
use super::desk::{Care, KnownLine, Message, bill_of};
use super::field::{CHRG_BCHNO, Field, Form, MDTRT_ID, Node, PSN_NO, Record};
use super::refusal::Refusal;
use super::split::{LINE_OUTPUT, lines_of};
use super::{Run, Transaction};

/// The most lines of one message.
pub(super) const LINES_MAX: usize = 100;
/// The most lines of a visit.
const VISIT_LINES_MAX: usize = 2_000;

const INPUT: Node = Node::list(
    "feedetail",
    &[
        Field::needed("feedetl_sn", Form::Text(30), "费用明细流水号，就诊内唯一"),
        MDTRT_ID,
        PSN_NO,
        CHRG_BCHNO,
        Field::needed("fee_ocur_time", Form::Day, "费用发生时间"),
        Field::needed("med_list_codg", Form::Text(50), "医疗目录编码（国家）"),
        Field::optional("medins_list_codg", Form::Text(150), "医药机构目录编码"),
        Field::needed("det_item_fee_sumamt", Form::Decimal(16, 2), "明细项目费用总额"),
        Field::needed("cnt", Form::Decimal(16, 4), "数量"),
        Field::needed("pric", Form::Decimal(16, 6), "单价"),
        Field::optional("rxno", Form::Text(30), "处方号"),
        Field::optional("bilg_dept_codg", Form::Text(30), "开单科室编码"),
        Field::optional("bilg_dr_codg", Form::Text(30), "开单医生编码"),
    ],
);

pub(super) static TRANSACTION: Transaction = Transaction {
    number: "2204",
    name: "门诊费用明细上传",
    input: &[INPUT],
    output: &[Node::list("result", LINE_OUTPUT)],
    run: Run::Answer(run),
};

fn run(message: &Message<'_>) -> Result<Value, Refusal> {
    let records = INPUT.read(&message.envelope.input, LINES_MAX)?;
    let result = charge(message, &records, Care::Outpatient)?;
    Ok(json!({ "result": result }))
}

/// Charges lines of one visit; what becomes of each.
///
/// # Errors
/// What is wrong with a line, or with all of them together.
pub(super) fn charge(
    message: &Message<'_>,
    records: &[Record],
    care: Care,
) -> Result<Vec<Value>, Refusal> {
    let [first, ..] = records else {
        return Err(Refusal::new("feedetail：没有明细"));
    };
    let number = message.one_visit(records)?;
    let known = message.known_visit(first)?;
    let _claim = message.claim_visit(number)?;
    let seen = message.open_visit(first, known.visit, care)?;
    if message.discharged(number)?.is_some() {
        let words = "已办理出院；需要补录请先做2405出院撤销";
        return Err(Refusal::at(first.path("mdtrt_id"), words));
    }
    let mut lines = message.lines(number)?;
    let mut new = Vec::with_capacity(records.len());
    for record in records {
        let line = line(record)?;
        let earlier = lines.iter().chain(&new).find(|one| one.feedetl_sn == line.feedetl_sn);
        match earlier {
            Some(earlier) if *earlier != line => {
                let words = "流水号已用于另一条明细；请更换流水号，或先做2205、2302撤销";
                return Err(Refusal::at(record.path("feedetl_sn"), words));
            }
            Some(_) => {}
            None => new.push(line),
        }
    }
    let is_more = !new.is_empty();
    lines.extend(new);
    if lines.len() > VISIT_LINES_MAX {
        return Err(Refusal::at("feedetail", format!("一次就诊超过 {VISIT_LINES_MAX} 条明细")));
    }
    let sent = |line: &&KnownLine| {
        records.iter().any(|record| record.text("feedetl_sn") == line.feedetl_sn)
    };
    let told: Vec<KnownLine> = lines.iter().filter(sent).cloned().collect();
    // All lines together must be a bill, before any of them is kept.
    bill_of(&lines)?;
    let groups = message.diagnosis_groups(number)?;
    let result = lines_of(message.call, &seen.subject, &told, &groups)?;
    if care == Care::Stay && is_more {
        note_running_bill(message, (number, known.visit), &seen, &lines)?;
    }
    message.keep_lines(number, &lines)?;
    Ok(result)
}

fn line(record: &Record) -> Result<KnownLine, Refusal> {
    Ok(KnownLine {
        feedetl_sn: record.text("feedetl_sn").to_owned(),
        batch: record.text("chrg_bchno").to_owned(),
        item_code: record.text("med_list_codg").to_owned(),
        day: record.day("fee_ocur_time")?,
        quantity: record.text("cnt").to_owned(),
        price: record.text("pric").to_owned(),
        amount: record.amount("det_item_fee_sumamt")?.minor(),
    })
}
