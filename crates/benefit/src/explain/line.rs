//! What became of each line of the bill, with the numbers of the catalogue's entry.

use alloc::{string::String, vec::Vec};
use primitives::Amount;
use serde::{Deserialize, Serialize};

use super::{
    Messages, Values,
    condition::{joined, use_demands},
};
use crate::{
    bill::{Bill, LineItem},
    catalogue::{Catalogue, Item, VisitFacts},
    sort::{LineReason, SortedLine},
};

/// A bill that was sorted.
#[derive(Clone, Copy, Debug)]
pub struct ExplainedBill<'a> {
    /// The catalogue by which it was sorted.
    pub catalogue: &'a Catalogue,
    /// The bill.
    pub bill: &'a Bill,
    /// The facts with which it was sorted.
    pub facts: &'a VisitFacts,
    /// What came out, in the order of the bill.
    pub lines: &'a [SortedLine],
}

/// What became of a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LineText {
    /// The line's number.
    pub line_no: u32,
    /// Why, as a stable word.
    pub reason: LineReason,
    /// Why, in a sentence.
    pub sentence: String,
}

/// By which catalogue the lines were sorted, and where it is from.
pub(super) fn catalogue(bill: &ExplainedBill<'_>, messages: &Messages) -> String {
    let mut values = Values::new(messages, bill.bill.currency);
    let source = bill.catalogue.source(messages.language());
    values.text("id", bill.catalogue.id());
    values.text("source", source);
    values.fill("catalogue", if source.is_empty() { "named" } else { "named_with_source" })
}

/// The text of every line.
pub(super) fn lines(bill: &ExplainedBill<'_>, messages: &Messages) -> Vec<LineText> {
    let pairs = bill.bill.lines.iter().zip(bill.lines);
    pairs.map(|(line, sorted)| line_text(bill, line, sorted, messages)).collect()
}

fn line_text(
    bill: &ExplainedBill<'_>,
    line: &LineItem,
    sorted: &SortedLine,
    messages: &Messages,
) -> LineText {
    let currency = bill.bill.currency;
    let mut values = Values::new(messages, currency);
    let parts = [sorted.self_paid, sorted.over_cap, sorted.class_b_share, sorted.in_policy];
    values.money("amount", parts.into_iter().fold(Amount::ZERO, Amount::saturating_add));
    values.money("self_paid", sorted.self_paid);
    values.money("over_cap", sorted.over_cap);
    values.money("share", sorted.class_b_share);
    values.money("in_policy", sorted.in_policy);
    if let Ok(item) = bill.catalogue.find(&line.item_code, line.service_date) {
        values.text("rate", messages.rate(item.share));
        if let Some(price) = item.price_cap(bill.facts.hospital_level) {
            values.text("price", messages.unit_price(price, currency));
        }
        if sorted.reason == LineReason::OutsideConditions {
            values.text("conditions", conditions(item, bill.facts, messages));
        }
    }
    let sentence = values.fill("line", sorted.reason.name());
    LineText { line_no: sorted.line_no, reason: sorted.reason, sentence }
}

/// What of each way of use does not hold.
fn conditions(item: &Item, facts: &VisitFacts, messages: &Messages) -> String {
    let ways = item.limited_use.iter().map(|way| {
        let demands = use_demands(way, facts, messages);
        let failed = demands.iter().filter(|demand| demand.holds != Some(true));
        joined(&failed.map(|demand| demand.failed(messages)).collect::<Vec<_>>(), messages)
    });
    ways.collect::<Vec<_>>().join(messages.text("condition", "or_else"))
}
