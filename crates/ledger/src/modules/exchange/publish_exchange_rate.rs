//! Publishes a rate of exchange, or corrects one.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{CivilDate, Currency, ExchangeRate, OrganisationId, Party, Text, detail};
use proof::receipt::FieldValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rejection;
use super::table::{CurrencyPair, DAYS, RATES, RateCorrection, RateVersion, VERSIONS_MAX};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::network;
use crate::modules::organisation::{self, OrganisationKind, Scope};

/// Publishes what a currency counts in another on a day, as a named source has it, under the name
/// of the bureau or finance authority that signs with scope `publish`. A rate is never edited: a
/// correction is another version with its reason, and counts for what is converted afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishExchangeRate {
    /// Who publishes it.
    pub publisher: OrganisationId,
    /// The currency that is priced.
    pub currency: Currency,
    /// The currency in which it is priced.
    pub priced_in: Currency,
    /// The day whose rate it is.
    pub day: CivilDate,
    /// The rate.
    pub rate: ExchangeRate,
    /// Where it comes from, such as 中国外汇交易中心人民币汇率中间价.
    pub source: Text<200>,
    /// Why it takes the place of what is published for the day; left out for the first rate.
    #[serde(default)]
    pub correction: Option<RateCorrection>,
}

impl Kind for PublishExchangeRate {
    const NUMBER: u16 = 1501;
    const NAME: &'static str = "publish_exchange_rate";

    fn check(&self) -> Result<(), Rejection> {
        let is_named = !self.source.trim().is_empty();
        let holds = self.rate.is_rate() && self.currency != self.priced_in && is_named;
        require(holds, || rejection::INVALID_RATE.reject())
    }

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        organisation::view::require_signed(context, state, self.publisher, Scope::Publish)
            .map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let publisher = organisation::view::require_active(state, self.publisher)?;
        let kinds = [OrganisationKind::Bureau, OrganisationKind::FinanceAuthority];
        require(kinds.contains(&publisher.kind), || rejection::NOT_A_PUBLISHER.reject())?;
        let region = network::view::require_region(state, publisher.region)?;
        let today = context.day(region.settings.utc_offset_minutes);
        require(self.day <= today, || rejection::RATE_AHEAD.with(self.day))?;
        let pair = CurrencyPair { currency: self.currency, priced_in: self.priced_in };
        let key = (self.publisher, pair, self.day);
        let mut daily = RATES.get(state, &key).unwrap_or_default();
        let last = daily.versions.last().map(|last| last.rate.price);
        match (last, self.correction) {
            (Some(price), None) => {
                let price = alloc::string::ToString::to_string(&price);
                return Err(rejection::RATE_PUBLISHED.with(detail!("it is {price}", price)));
            }
            (None, Some(_)) => return Err(rejection::NOTHING_TO_CORRECT.with(self.day)),
            (Some(_), Some(_)) => require(daily.versions.len() < VERSIONS_MAX, || {
                rejection::TOO_MANY_VERSIONS.with(self.day)
            })?,
            (None, None) => self.note_day(state, pair),
        }
        daily.versions.push(RateVersion {
            rate: self.rate,
            source: self.source.clone(),
            published: context.time,
            correction: self.correction,
        });
        RATES.put(state, &key, &daily);
        let version = u64::try_from(daily.versions.len()).unwrap_or(u64::MAX);
        let concerns = [Party::Organisation(self.publisher)];
        Ok(Outcome::event("exchange_rate_published", concerns)
            .with("day", FieldValue::Date(self.day))
            .with("version", FieldValue::Number(version)))
    }
}

impl PublishExchangeRate {
    fn note_day(&self, state: &mut Overlay<'_>, pair: CurrencyPair) {
        let key = (self.publisher, pair, self.day.year());
        let mut days = DAYS.get(state, &key).unwrap_or_default();
        if let Err(at) = days.binary_search(&self.day) {
            days.insert(at, self.day);
        }
        DAYS.put(state, &key, &days);
    }
}
