//! 5206: what of a person's care has counted so far, by the running amounts of the plan. It is told
//! on the day on which the person was identified, and to nobody else.

use benefit::source::{Counts, PlanSource, in_language};
use ledger::modules::coverage;
use primitives::{Amount, SchemeId};
use serde_json::{Value, json};

use super::desk::Message;
use super::field::{Field, Form, INSUTYPE, Node, PSN_NO, Record, yuan};
use super::refusal::Refusal;
use super::{Run, Transaction};

const INPUT: Node = Node::one(
    "data",
    &[PSN_NO, Field::optional("cum_ym", Form::Text(6), "累计年月：yyyy 或 yyyyMM；不填为全部")],
);

const OUTPUT: Node = Node::list(
    "cuminfo",
    &[
        INSUTYPE,
        Field::needed("year", Form::Text(8), "年度；终身累计为 lifetime"),
        Field::optional("cum_ym", Form::Text(6), "累计年月；只有按月累计的才有"),
        Field::needed("cum_type_code", Form::Text(6), "累计类别：待遇方案中的编号"),
        Field::optional("cum_type_name", Form::Text(100), "累计类别名称"),
        Field::needed("cum", Form::Decimal(16, 2), "累计值：金额以元计，次数以次计"),
    ],
);

pub(super) static TRANSACTION: Transaction = Transaction {
    number: "5206",
    name: "人员累计信息查询",
    input: &[INPUT],
    output: &[OUTPUT],
    run: Run::Answer(run),
};

fn run(message: &Message<'_>, record: &Record) -> Result<Value, Refusal> {
    let person = message.person_of_today(record)?;
    let asked = record.get("cum_ym").unwrap_or_default();
    if !matches!(asked.len(), 0 | 4 | 6) || !asked.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Refusal::at(record.path("cum_ym"), "应为 yyyy 或 yyyyMM；请改正后重发"));
    }
    let region = message.wallet()?.region;
    let state = &message.call.view.state;
    let mut told = Vec::new();
    for scheme in message.schemes_of(person, region) {
        let plan = message.plan_on(region, scheme, message.today())?;
        let amounts =
            coverage::view::accumulators_on(state, person, region, scheme, message.today());
        for (key, value) in amounts.iter().filter(|(key, _)| !key.period.is_visit()) {
            let period = key.period.to_string().replace('-', "");
            if asked.is_empty() || period.starts_with(asked) {
                told.push(cumulated(scheme, plan.as_deref(), (key.number, &period), value));
            }
        }
    }
    Ok(json!({ "cuminfo": told }))
}

fn cumulated(
    scheme: SchemeId,
    plan: Option<&PlanSource>,
    (number, period): (u16, &str),
    value: u64,
) -> Value {
    let known = plan.and_then(|plan| plan.accumulator.iter().find(|one| one.number == number));
    let is_money = known.is_none_or(|one| one.counts == Counts::Money);
    let title = known.map(|one| in_language(&one.title, "zh-Hans"));
    json!({
        "insutype": scheme.0.to_string(),
        "year": period.get(..4).filter(|_| !period.starts_with('l')).unwrap_or(period),
        "cum_ym": (period.len() == 6).then_some(period),
        "cum_type_code": number.to_string(),
        "cum_type_name": title.filter(|title| !title.is_empty()),
        "cum": if is_money { yuan(Amount::from_minor(value)) } else { value.to_string() }
    })
}
