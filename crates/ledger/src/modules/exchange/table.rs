//! Rows of rates: by publisher, currencies and day, and on which days there are any.

use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{CivilDate, Currency, ExchangeRate, OrganisationId, Text, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::overlay::Read;
use crate::kernel::table::Table;
use crate::readers::Readers;

pub(super) const RATES: Table<(OrganisationId, CurrencyPair, CivilDate), DailyRate> =
    Table::new(0x0F00);
/// The days of a year of which a publisher has rates, ascending; at most 366.
pub(super) const DAYS: Table<(OrganisationId, CurrencyPair, i32), Vec<CivilDate>> =
    Table::new(0x0F01);

/// How many versions the rate of a day has at the most. Our own limit: it bounds the row.
pub const VERSIONS_MAX: usize = 8;

/// Which currency is priced in which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CurrencyPair {
    /// What is priced.
    pub currency: Currency,
    /// In what.
    pub priced_in: Currency,
}

/// The rate of a day: what was published first, and what corrects it.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct DailyRate {
    /// The versions, the first one first; the last one counts from its publication on.
    pub versions: Vec<RateVersion>,
}

/// A rate as it was published.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RateVersion {
    /// The rate.
    pub rate: ExchangeRate,
    /// Where it comes from, such as 中国外汇交易中心人民币汇率中间价.
    pub source: Text<200>,
    /// When it was published here, by block time.
    pub published: Timestamp,
    /// Why it takes the place of the version before; nothing for the first one.
    #[serde(default)]
    pub correction: Option<RateCorrection>,
}

/// Why a rate is corrected. A list, since no free text stands on the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RateCorrection {
    /// It was copied wrongly from its source.
    CopiedWrongly,
    /// The source itself was corrected.
    SourceCorrected,
}

/// Rates are public.
pub(super) fn readers(_: &dyn Read, key: &[u8]) -> Option<Readers> {
    (RATES.is_key(key) || DAYS.is_key(key)).then_some(Readers::Everybody)
}
