//! The lines of a visit's bill: charged, and what becomes of each is said at once. Of a stay, the
//! person sees a new daily list: `update_running_bill`, whose bill lies sealed in the vault.

use ledger::modules::visit::{self, UpdateRunningBill, VisitRow};
use primitives::{Amount, Hash, VisitId, codec};
use serde_json::Value;
use vault::BillContent;

use super::ask::take_back;
use super::desk::{Care, KnownLine, Message, bill_of, damaged};
use super::field::{Field, Form, Record};
use super::refusal::Refusal;
use super::split::lines_of;
use crate::access::SeenVisit;
use crate::api::quote::sorted_bill;
use crate::api::refund::keep_bill;
use crate::api::request::keep_sealed;

/// The most lines of a visit.
const VISIT_LINES_MAX: usize = 2_000;

/// Stands for all batches of a visit, or all its lines, when they are taken back.
pub(super) const ALL: &str = "0000";

/// What a line has, of whatever care.
pub(super) const FEEDETL_SN: Field =
    Field::needed("feedetl_sn", Form::Text(30), "费用明细流水号，就诊内唯一");
pub(super) const FEE_OCUR_TIME: Field = Field::needed("fee_ocur_time", Form::Day, "费用发生时间");
pub(super) const MED_LIST_CODG: Field =
    Field::needed("med_list_codg", Form::Text(50), "医疗目录编码（国家）");
pub(super) const MEDINS_LIST_CODG: Field =
    Field::optional("medins_list_codg", Form::Text(150), "医药机构目录编码");
pub(super) const FEE_SUMAMT: Field =
    Field::needed("det_item_fee_sumamt", Form::Decimal(16, 2), "明细项目费用总额");
pub(super) const CNT: Field = Field::needed("cnt", Form::Decimal(16, 4), "数量");
pub(super) const PRIC: Field = Field::needed("pric", Form::Decimal(16, 6), "单价");
pub(super) const BILG_DEPT_CODG: Field =
    Field::optional("bilg_dept_codg", Form::Text(30), "开单科室编码");
pub(super) const BILG_DR_CODG: Field =
    Field::optional("bilg_dr_codg", Form::Text(30), "开单医生编码");

/// Charges lines of one visit; what becomes of each.
///
/// # Errors
/// What is wrong with a line, or with all of them together.
pub(super) fn charge(
    message: &Message<'_>,
    (first, records): (&Record, &[Record]),
    care: Care,
) -> Result<Vec<Value>, Refusal> {
    let number = first.text("mdtrt_id");
    let known = message.known_visit(first)?;
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
    // Whoever is asked to confirm the bill as it was is asked no more.
    take_back(message, known.visit)?;
    // All lines together must be a bill, before any of them is kept.
    let groups = message.diagnosis_groups(number)?;
    bill_of(&lines, &groups)?;
    let result = lines_of(message.call, &seen.subject, &told, &groups)?;
    if care == Care::Stay && is_more {
        note_running_bill(message, (number, known.visit), &seen, &lines)?;
    }
    message.keep_lines(number, &lines)?;
    Ok(result)
}

/// A line as it was charged.
///
/// # Errors
/// When its amount is none.
pub(super) fn line(record: &Record) -> Result<KnownLine, Refusal> {
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

/// Puts the bill of a stay so far on the ledger, before its lines are kept, and where the person
/// can read it: in the place of the one before, which nobody needs any more.
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
    let wallet = message.wallet()?;
    let body = || {
        let bill = if lines.is_empty() {
            Hash::default()
        } else {
            let bill = bill_of(lines, &message.diagnosis_groups(number)?)?;
            let text = serde_json::to_string(&bill).map_err(damaged)?;
            let (sums, _) = sorted_bill(message.call, &seen.subject, bill)?;
            let salt = message.id("salt");
            let bill = text.clone().into_bytes();
            let content = BillContent { salt, bill, sums: codec::encode(&sums) };
            let commitment = content.commitment();
            keep_sealed(message.call, &wallet, seen, visit, &content)?;
            keep_bill(&wallet, &commitment, (Hash(salt), &text, ""), message.call.now)?;
            commitment
        };
        Ok(UpdateRunningBill { visit, bill, total, until })
    };
    message.put(&[&message.machine()], body)?;
    let view = message.call.gateway.port.chain().view();
    let now = visit::view::visit(&view.state, visit).as_ref().and_then(running_bill);
    view.check()?;
    // A message that comes again changes nothing, and its bill is still the one so far.
    if let Some(before) = running_bill(&seen.row).filter(|before| now != Some(*before)) {
        wallet.directory.forget_bill(&before)?;
    }
    Ok(())
}

fn running_bill(row: &VisitRow) -> Option<Hash> {
    match row {
        VisitRow::Open(open) => open.running.map(|running| running.bill),
        VisitRow::Settled(_) | VisitRow::Cancelled => None,
    }
}
