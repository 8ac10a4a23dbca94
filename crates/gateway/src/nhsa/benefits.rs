//! 2001: whether somebody has a claim to care of a kind on a day, by coverage and plan; where not,
//! why.

use ledger::modules::coverage;
use primitives::{CivilDate, PersonId, RegionId, SchemeId};
use serde_json::{Value, json};

use benefit::{Payer, VisitType};

use super::desk::Message;
use super::field::{Field, Form, INSUTYPE, Node, PSN_NO, Record};
use super::refusal::Refusal;
use super::split::fund;
use super::{Run, Transaction};
use crate::problem::Problem;

const INPUT: Node = Node::one(
    "data",
    &[
        PSN_NO,
        INSUTYPE,
        Field::needed("med_type", Form::Text(6), "医疗类别"),
        Field::needed("begntime", Form::Day, "开始时间，即就诊或入院日"),
        Field::optional("endtime", Form::Day, "结束时间"),
    ],
);

const OUTPUT: Node = Node::list(
    "trtinfo",
    &[
        PSN_NO,
        INSUTYPE,
        Field::needed("fund_pay_type", Form::Text(6), "基金支付类型"),
        Field::needed("trt_enjymnt_flag", Form::Text(3), "待遇享受标志")
            .of(&[("1", "享受"), ("0", "不享受")]),
        Field::optional("begndate", Form::Day, "参保开始日期"),
        Field::optional("enddate", Form::Day, "参保结束日期"),
        Field::needed("trt_chk_rslt", Form::Text(200), "待遇检查结果：不享受的原因"),
    ],
);

pub(super) static TRANSACTION: Transaction = Transaction {
    number: "2001",
    name: "人员待遇享受检查",
    input: &[INPUT],
    output: &[OUTPUT],
    run: Run::Answer(run),
};

fn run(message: &Message<'_>, record: &Record) -> Result<Value, Refusal> {
    let person = message.person_of_today(record)?;
    let (region, scheme) =
        (message.wallet()?.region, message.scheme(record, record.text("insutype"))?);
    let kind = message.any_kind(record)?;
    let day = record.day("begntime")?;
    let (flag, period, words) = match claim_to(message, (person, region, scheme), kind, day) {
        Ok(period) => ("1", Some(period), "享受".to_owned()),
        Err(refusal) if refusal.is_final => ("0", None, refusal.words()),
        Err(refusal) => return Err(refusal),
    };
    Ok(json!({ "trtinfo": [{
        "psn_no": record.text("psn_no"), "insutype": record.text("insutype"),
        "fund_pay_type": fund(Payer::PooledFund, scheme).0, "trt_enjymnt_flag": flag,
        "begndate": period.map(|one| one.from), "enddate": period.and_then(|one| one.to),
        "trt_chk_rslt": words
    }] }))
}

/// The days of the coverage by which somebody has such a claim.
fn claim_to(
    message: &Message<'_>,
    (person, region, scheme): (PersonId, RegionId, SchemeId),
    kind: VisitType,
    day: CivilDate,
) -> Result<primitives::Period, Refusal> {
    let state = &message.call.view.state;
    let coverage = coverage::view::require_active_coverage(state, person, region, scheme, day);
    let coverage = coverage.map_err(|rejection| Problem::rejected(&rejection))?;
    let plan = message.plan_on(region, scheme, day)?;
    if plan.is_some_and(|plan| !plan.plan.visit_types.contains(&kind)) {
        return Err(Refusal::new("该险种的待遇不含此医疗类别；请核对医疗类别"));
    }
    Ok(coverage.period)
}
