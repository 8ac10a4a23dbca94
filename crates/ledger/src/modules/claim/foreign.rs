//! Bills in another currency than the region's: by whose rate they are converted, and that they
//! are.
//!
//! One rate counts for a bill: that of the last day of service, or the last one that was published
//! before it within the region's limit. The sum of the bill is converted once, half up; the lines
//! share it out (`benefit::Bill::converted`).

use alloc::format;
use benefit::CategorySums;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{
    Amount, CivilDate, Currency, ExchangeRate, OrganisationId, RegionId, Rounding, Text, detail,
};
use proof::receipt::FieldValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rejection;
use super::view;
use crate::kernel::overlay::Read;
use crate::kernel::receipt::{Outcome, amount_value};
use crate::kernel::rejection::{Rejection, require};
use crate::modules::exchange::{self, CurrencyPair, RateOf, RateVersion, RateWanted};
use crate::modules::network;

/// From how many days before the last day of service a rate may be at the most. Our own limit.
pub(super) const RATE_DAYS_BACK_MAX: u8 = 31;

/// By whose rates a region takes bills in other currencies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ForeignClaimRules {
    /// Whose published rates count: a bureau's or a finance authority's.
    pub publisher: OrganisationId,
    /// From how many days before the last day of service a rate may be where that day has none, 0
    /// to 31.
    #[schemars(range(min = 0, max = 31))]
    pub rate_days_back_max: u8,
}

/// A bill in another currency, and the rate by which it was converted. The rate stays with the bill
/// whatever is published later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ForeignBill {
    /// The bill's currency.
    pub currency: Currency,
    /// What the lines come to in it.
    pub total: Amount,
    /// The rate.
    pub rate: RateOf,
}

/// The rate by which this region converts a bill in this currency whose last day of service is
/// this one.
///
/// # Errors
/// `claim_currency_not_accepted`, `no_exchange_rate`.
pub fn rate_for_bill(
    state: &(impl Read + ?Sized),
    region: RegionId,
    currency: Currency,
    day: CivilDate,
) -> Result<(RateOf, RateVersion), Rejection> {
    let rules = view::require_rules(state, region)?;
    let priced_in = network::view::require_region(state, region)?.currency;
    let foreign = rules.foreign.filter(|_| currency != priced_in);
    let foreign = foreign.ok_or_else(|| rejection::CURRENCY_NOT_ACCEPTED.with(currency))?;
    let wanted = RateWanted {
        publisher: foreign.publisher,
        pair: CurrencyPair { currency, priced_in },
        day,
        days_back_max: foreign.rate_days_back_max,
    };
    exchange::view::rate_for(state, &wanted)
}

/// The sums are what the bill in another currency comes to at the rate that counts now.
///
/// # Errors
/// As [`rate_for_bill`]; `claim_rate_outdated`, and as [`require_converted`].
pub(super) fn require_current(
    state: &(impl Read + ?Sized),
    region: RegionId,
    bill: &ForeignBill,
    sums: &CategorySums,
) -> Result<(), Rejection> {
    let Some((_, last)) = sums.span() else { return Ok(()) };
    let (rate, version) = rate_for_bill(state, region, bill.currency, last)?;
    require(rate == bill.rate, || {
        rejection::RATE_OUTDATED.with(detail!(
            "version {version} of {day} counts",
            version = usize::from(rate.version),
            day = rate.day
        ))
    })?;
    require_sum(state, region, (bill, &version), sums)
}

/// The sums are what the bill comes to at the rate that it was converted by before.
///
/// # Errors
/// `claim_conversion_differs`.
pub(super) fn require_converted(
    state: &(impl Read + ?Sized),
    region: RegionId,
    bill: &ForeignBill,
    sums: &CategorySums,
) -> Result<(), Rejection> {
    let priced_in = network::view::require_region(state, region)?.currency;
    let pair = CurrencyPair { currency: bill.currency, priced_in };
    let version = exchange::view::version(state, pair, &bill.rate)
        .ok_or_else(|| rejection::CONVERSION_DIFFERS.reject())?;
    require_sum(state, region, (bill, &version), sums)
}

fn require_sum(
    state: &(impl Read + ?Sized),
    region: RegionId,
    (bill, version): (&ForeignBill, &RateVersion),
    sums: &CategorySums,
) -> Result<(), Rejection> {
    let to = network::view::require_region(state, region)?.currency;
    let converted = version.rate.convert(bill.total, bill.currency, to, Rounding::HalfUp);
    require(converted == Some(sums.total()), || match converted {
        Some(converted) => rejection::CONVERSION_DIFFERS.with(detail!(
            "{foreign} are {converted}",
            foreign = (bill.total, bill.currency),
            converted = (converted, to)
        )),
        None => rejection::CONVERSION_DIFFERS.reject(),
    })
}

/// What a voucher may show of a bill in another currency: what it came to, and the rate as it was
/// published.
///
/// # Errors
/// `claim_conversion_differs` for a rate that is not there.
pub(super) fn foreign_fields(
    state: &(impl Read + ?Sized),
    outcome: Outcome,
    region: RegionId,
    bill: &ForeignBill,
) -> Result<Outcome, Rejection> {
    let to = network::view::require_region(state, region)?.currency;
    let pair = CurrencyPair { currency: bill.currency, priced_in: to };
    let missing = || rejection::CONVERSION_DIFFERS.reject();
    let version = exchange::view::version(state, pair, &bill.rate).ok_or_else(missing)?;
    let ExchangeRate { per, price } = version.rate;
    let words = format!("{per} {} = {price} {}", bill.currency.code(), to.code());
    let text = |words: &str| Text::new(words).map(FieldValue::Text).map_err(|_| missing());
    Ok(outcome
        .with("foreign_total", amount_value(bill.total, bill.currency))
        .with("exchange_rate", text(&words)?)
        .with("exchange_day", FieldValue::Date(bill.rate.day))
        .with("exchange_source", text(&version.source)?))
}
