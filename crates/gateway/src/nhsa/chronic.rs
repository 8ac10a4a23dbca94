//! 5301: the chronic and special diseases that are filed for somebody. The ledger has groups of
//! benefit in numbered slots, and names no disease; so the answer has the group.

use ledger::modules::coverage;
use serde_json::{Value, json};

use super::desk::Message;
use super::field::{Field, Form, INSUTYPE, Node, PSN_NO, Record};
use super::refusal::Refusal;
use super::{Run, Transaction};

const INPUT: Node = Node::one("data", &[PSN_NO]);

const OUTPUT: Node = Node::list(
    "feedetail",
    &[
        INSUTYPE,
        Field::needed("opsp_dise_code", Form::Text(30), "门慢门特病种代码：待遇分组编号，不是病种"),
        Field::optional("opsp_dise_name", Form::Text(300), "门慢门特病种名称：待遇分组名称"),
        Field::needed("begndate", Form::Day, "开始日期"),
        Field::optional("enddate", Form::Day, "结束日期"),
    ],
);

pub(super) static TRANSACTION: Transaction = Transaction {
    number: "5301",
    name: "人员慢特病备案查询",
    input: &[INPUT],
    output: &[OUTPUT],
    run: Run::Answer(run),
};

fn run(message: &Message<'_>, record: &Record) -> Result<Value, Refusal> {
    let person = message.person_of_today(record)?;
    let (region, today) = (message.wallet()?.region, message.today());
    let row = coverage::view::coverage(&message.call.view.state, person).unwrap_or_default();
    let mut told = Vec::new();
    for one in row.coverages.iter().filter(|one| one.region == region) {
        let plan = message.plan_on(region, one.scheme, today)?;
        for slot in one.slots.iter().filter(|slot| slot.period.to.is_none_or(|to| to >= today)) {
            let groups = plan.as_ref().map(|plan| &plan.plan.slot_groups);
            let name = groups.and_then(|groups| {
                groups.iter().find(|(_, number)| **number == slot.group).map(|(name, _)| name)
            });
            told.push(json!({
                "insutype": one.scheme.0.to_string(), "opsp_dise_code": slot.group.to_string(),
                "opsp_dise_name": name, "begndate": slot.period.from, "enddate": slot.period.to
            }));
        }
    }
    Ok(json!({ "feedetail": told }))
}
