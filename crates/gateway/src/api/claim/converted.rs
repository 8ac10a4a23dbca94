//! Bills in another currency: converted before they are sorted, by the rate that counts now or by
//! the one that an accepted claim was converted by.

use benefit::{Bill, BillError, ExplainedExchange, explain::StepText, explain_exchange};
use ledger::modules::claim::{self, ClaimRow, ForeignBill};
use ledger::modules::exchange::{self, CurrencyPair, RateOf, RateVersion};
use ledger::modules::network;
use primitives::{Amount, CivilDate, Currency, ExchangeRate, OrganisationId};
use schemars::JsonSchema;
use serde::Serialize;

use crate::api::receipt::not_found;
use crate::call::Call;
use crate::problem::{Problem, code, words};

/// A bill in another currency, and how it was converted.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "ConvertedBill")]
pub struct ConvertedView {
    /// The bill's currency.
    pub currency: Currency,
    /// What the lines come to in it.
    pub total: Amount,
    /// What that is in the region's currency, rounded half up.
    pub converted: Amount,
    /// The rate as it was published.
    pub rate: ExchangeRate,
    /// The day whose rate it is.
    pub day: CivilDate,
    /// The last day of service, for which a rate was asked.
    pub service_day: CivilDate,
    /// Which version of that day's rate.
    pub version: u8,
    /// Who published it.
    pub publisher: OrganisationId,
    /// Where it comes from.
    pub source: String,
}

/// A bill that was converted.
pub(in crate::api) struct Converted {
    /// In the region's currency.
    pub bill: Bill,
    /// What stands in the record.
    pub foreign: ForeignBill,
    /// What is shown.
    pub view: ConvertedView,
}

/// The bill converted by the rate that counts now, where it is in another currency.
///
/// # Errors
/// `claim_currency_not_accepted`, `no_exchange_rate`, `invalid_bill`.
pub(in crate::api) fn convert_now(
    call: &Call,
    row: &ClaimRow,
    bill: &Bill,
) -> Result<Option<Converted>, Problem> {
    let region = network::view::region(&call.view.state, row.region).ok_or_else(not_found)?;
    let Some(last) = last_day(bill).filter(|_| bill.currency != region.currency) else {
        return Ok(None);
    };
    let rate = claim::rate_for_bill(&call.view.state, row.region, bill.currency, last)
        .map_err(|rejection| Problem::rejected(&rejection))?;
    convert(bill, last, region.currency, rate).map(Some)
}

/// The bill converted by the rate by which it was converted when it was accepted.
///
/// # Errors
/// `internal` for a rate that is not there.
pub(in crate::api) fn convert_as_before(
    call: &Call,
    row: &ClaimRow,
    bill: &Bill,
    foreign: Option<&ForeignBill>,
) -> Result<Option<Converted>, Problem> {
    let (Some(foreign), Some(last)) = (foreign, last_day(bill)) else { return Ok(None) };
    let region = network::view::region(&call.view.state, row.region).ok_or_else(not_found)?;
    let pair = CurrencyPair { currency: foreign.currency, priced_in: region.currency };
    let version = exchange::view::version(&call.view.state, pair, &foreign.rate);
    let version = version.ok_or_else(|| Problem::new(&code::INTERNAL))?;
    convert(bill, last, region.currency, (foreign.rate, version)).map(Some)
}

fn last_day(bill: &Bill) -> Option<CivilDate> {
    bill.lines.iter().map(|line| line.service_date).max()
}

fn convert(
    bill: &Bill,
    service_day: CivilDate,
    to: Currency,
    (of, version): (RateOf, RateVersion),
) -> Result<Converted, Problem> {
    let wrong = |error: BillError| Problem::new(&code::BILL_INVALID).at("bill").with(error);
    let total = bill.total().map_err(wrong)?;
    let converted = bill.converted(&version.rate, to).map_err(wrong)?;
    let sum = converted.total().map_err(wrong)?;
    let view = ConvertedView {
        currency: bill.currency,
        total,
        converted: sum,
        rate: version.rate,
        day: of.day,
        service_day,
        version: of.version,
        publisher: of.publisher,
        source: version.source.to_string(),
    };
    let foreign = ForeignBill { currency: bill.currency, total, rate: of };
    Ok(Converted { bill: converted, foreign, view })
}

/// The step of the explanation that says how the bill was converted.
pub(in crate::api) fn exchange_step(call: &Call, row: &ClaimRow, view: &ConvertedView) -> StepText {
    let state = &call.view.state;
    let rules = claim::view::rules(state, row.region).map(|rules| rules.source.to_string());
    let region = network::view::region(state, row.region).map(|region| region.currency);
    let publisher = view.publisher.to_string();
    let exchange = ExplainedExchange {
        from: view.currency,
        foreign: view.total,
        to: region.unwrap_or(Currency::CNY),
        converted: view.converted,
        rate: view.rate,
        rate_day: view.day,
        service_day: view.service_day,
        publisher: &publisher,
        source: &view.source,
        rules: rules.as_deref().unwrap_or_default(),
    };
    explain_exchange(&exchange, words::benefit(call.language))
}
