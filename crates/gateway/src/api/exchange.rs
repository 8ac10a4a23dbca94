//! Published rates of exchange. They are public.

use axum::http::Method;
use ledger::modules::exchange::{self, CurrencyPair, RateVersion};
use primitives::{CivilDate, Currency, OrganisationId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::call::Call;
use crate::endpoint::{Access, AnswerKind, BodyKind, Endpoint, Parameter, Reply, schema_of};
use crate::problem::Problem;

/// The endpoint of rates.
pub static ENDPOINTS: &[Endpoint] = &[Endpoint {
    method: Method::GET,
    path: "/v1/organisations/{organisation}/exchange-rates/{currency}/{priced_in}/{year}",
    operation: "list_exchange_rates",
    summary: "Lists the rates of exchange that an organisation published for the days of a year, the latest \
              day first, each with its corrections",
    access: Access::Public(list),
    parameters: &[
        Parameter::path("organisation", "who publishes", schema_of::<OrganisationId>),
        Parameter::path("currency", "the currency that is priced", schema_of::<Currency>),
        Parameter::path("priced_in", "the currency in which it is priced", schema_of::<Currency>),
        Parameter::path("year", "the year", schema_of::<u16>),
    ],
    body: BodyKind::None,
    answer: AnswerKind::Json(200, schema_of::<ExchangeRates>),
    problems: &[],
}];

/// The rates of a year.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ExchangeRates {
    /// Who publishes them.
    pub publisher: OrganisationId,
    /// Which currency is priced.
    pub currency: Currency,
    /// In which.
    pub priced_in: Currency,
    /// The days that have a rate, the latest first.
    pub days: Vec<DayRates>,
}

/// The rate of a day.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct DayRates {
    /// The day.
    pub day: CivilDate,
    /// As it was published first, and behind that its corrections; the last one counts.
    pub versions: Vec<RateVersion>,
}

fn list(call: &Call) -> Result<Reply, Problem> {
    let publisher: OrganisationId = call.path("organisation")?;
    let (currency, priced_in) = (call.path("currency")?, call.path("priced_in")?);
    let year: u16 = call.path("year")?;
    let (state, pair) = (&call.view.state, CurrencyPair { currency, priced_in });
    let days = exchange::view::days_of(state, publisher, pair, i32::from(year));
    let of_day = |day: CivilDate| {
        let found = exchange::view::rate_of_day(state, publisher, pair, day)?;
        Some(DayRates { day, versions: found.versions })
    };
    let days = days.into_iter().rev().filter_map(of_day).collect();
    Reply::json(&ExchangeRates { publisher, currency, priced_in, days })
}
