//! The sentence by which a foreign bill became one in the plan's currency.

use alloc::{format, string::String, vec};
use primitives::{Amount, CivilDate, Currency, ExchangeRate};

use super::{Messages, StepText, Values};

/// A bill in another currency, and by what it was converted.
#[derive(Clone, Copy, Debug)]
pub struct ExplainedExchange<'a> {
    /// The bill's currency.
    pub from: Currency,
    /// What the bill comes to in it.
    pub foreign: Amount,
    /// The plan's currency.
    pub to: Currency,
    /// What the bill comes to in that.
    pub converted: Amount,
    /// The rate.
    pub rate: ExchangeRate,
    /// The day whose rate it is.
    pub rate_day: CivilDate,
    /// The last day of service, for which a rate was asked.
    pub service_day: CivilDate,
    /// Who published it here.
    pub publisher: &'a str,
    /// Where the publisher has it from.
    pub source: &'a str,
    /// Which rule names the publisher.
    pub rules: &'a str,
}

/// The step that comes before every step of a plan.
#[must_use]
pub fn explain_exchange(exchange: &ExplainedExchange<'_>, messages: &Messages) -> StepText {
    let mut values = Values::new(messages, exchange.to);
    values.text("foreign", messages.money(exchange.foreign, exchange.from));
    values.money("converted", exchange.converted);
    values.text("price", messages.price(exchange.rate.price, exchange.to));
    let unit = 10_u64.saturating_pow(u32::from(exchange.from.scale()));
    let per = Amount::from_minor(u64::from(exchange.rate.per).saturating_mul(unit));
    values.text("per", messages.money(per, exchange.from));
    values.text("rate_day", format!("{}", exchange.rate_day));
    values.text("service_day", format!("{}", exchange.service_day));
    values.text("publisher", exchange.publisher);
    let day = if exchange.rate_day == exchange.service_day { "of_day" } else { "of_day_before" };
    StepText {
        rule: String::from("exchange_rate"),
        plan: String::new(),
        title: String::from(messages.text("exchange", "title")),
        slot: 0,
        before: exchange.converted,
        after: exchange.converted,
        sentences: vec![values.fill("exchange", "converted"), values.fill("exchange", day)],
        words: values.fill("exchange", "words"),
        source: format!("{} · {}", exchange.source, exchange.rules),
    }
}
