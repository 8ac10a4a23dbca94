//! What others may read of rates: the rate of a day, and which days have one.

use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{CivilDate, OrganisationId, detail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rejection;
use super::table::{CurrencyPair, DAYS, DailyRate, RATES, RateVersion};
use crate::kernel::overlay::Read;
use crate::kernel::rejection::Rejection;

/// Whose rate is wanted, and for which day.
#[derive(Clone, Copy, Debug)]
pub struct RateWanted {
    /// Who publishes it.
    pub publisher: OrganisationId,
    /// Which currency in which.
    pub pair: CurrencyPair,
    /// For this day.
    pub day: CivilDate,
    /// From how many days before at the most it may be.
    pub days_back_max: u8,
}

/// Which published rate something was converted by. It never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RateOf {
    /// Who published it.
    pub publisher: OrganisationId,
    /// The day whose rate it is.
    pub day: CivilDate,
    /// Which version of that day's rate, from 1.
    pub version: u8,
}

/// The rate of exactly this day with all its versions. Rates are public.
pub fn rate_of_day(
    state: &(impl Read + ?Sized),
    publisher: OrganisationId,
    pair: CurrencyPair,
    day: CivilDate,
) -> Option<DailyRate> {
    RATES.get(state, &(publisher, pair, day))
}

/// The days of a year of which this publisher has rates, ascending.
pub fn days_of(
    state: &(impl Read + ?Sized),
    publisher: OrganisationId,
    pair: CurrencyPair,
    year: i32,
) -> Vec<CivilDate> {
    DAYS.get(state, &(publisher, pair, year)).unwrap_or_default()
}

/// A version that something was converted by.
pub fn version(
    state: &(impl Read + ?Sized),
    pair: CurrencyPair,
    of: &RateOf,
) -> Option<RateVersion> {
    let at = usize::from(of.version).checked_sub(1)?;
    rate_of_day(state, of.publisher, pair, of.day)?.versions.get(at).cloned()
}

/// The rate that counts for a day: of that day, or of the last one before it that has a rate, the
/// latest version.
///
/// # Errors
/// `no_exchange_rate`, with the days that have one around it and who publishes.
pub fn rate_for(
    state: &(impl Read + ?Sized),
    wanted: &RateWanted,
) -> Result<(RateOf, RateVersion), Rejection> {
    let RateWanted { publisher, pair, day, days_back_max } = *wanted;
    for back in 0..=i32::from(days_back_max) {
        let Some(day) = day.plus_days(back.saturating_neg()) else { break };
        let Some(found) = rate_of_day(state, publisher, pair, day) else { continue };
        let version = u8::try_from(found.versions.len()).unwrap_or(u8::MAX);
        if let Some(last) = found.versions.last() {
            return Ok((RateOf { publisher, day, version }, last.clone()));
        }
    }
    Err(missing(state, wanted))
}

fn missing(state: &(impl Read + ?Sized), wanted: &RateWanted) -> Rejection {
    let RateWanted { publisher, pair, day, .. } = *wanted;
    let year = day.year();
    let years = [year.saturating_sub(1), year, year.saturating_add(1)];
    let days: Vec<CivilDate> =
        years.into_iter().flat_map(|year| days_of(state, publisher, pair, year)).collect();
    let before = days.iter().rev().find(|one| **one <= day);
    let after = days.iter().find(|one| day < **one);
    let currency = pair.currency.code();
    rejection::NO_RATE.with(match (before, after) {
        (None, None) => detail!(
            "`{publisher}` has published no rate of {currency} around {day}",
            publisher,
            currency,
            day
        ),
        (Some(before), None) => detail!(
            "the last rate of {currency} by `{publisher}` before {day} is of {before}",
            currency,
            publisher,
            day,
            before = *before
        ),
        (None, Some(after)) => detail!(
            "the first rate of {currency} by `{publisher}` after {day} is of {after}",
            currency,
            publisher,
            day,
            after = *after
        ),
        (Some(before), Some(after)) => detail!(
            "`{publisher}` has rates of {currency} of {before} and of {after}, and none between them that counts for {day}",
            publisher,
            currency,
            before = *before,
            after = *after,
            day
        ),
    })
}
