//! Rates of exchange: what a currency counts in another on a day, as an authority publishes it from
//! a named source.
//!
//! An organisation publishes rates under its own name; who relies on them says whose (a region's
//! rules of claims). A rate is never edited: a correction is another version beside it, with its
//! reason, and what was converted by an earlier version keeps it.
//!
//! Invariants: a version never changes once it is published (test
//! `a_correction_stands_beside_what_it_corrects`); the rate of a day is that of the last day before
//! it on which one was published, and none from further back than asked (test
//! `the_last_rate_before_a_day_counts_and_none_from_further_back`).
//!
//! Kinds: 1501 `publish_exchange_rate`.
//!
//! Reading order: `table` (rows), `publish_exchange_rate`, `view` (the rate of a day).

use crate::kernel::registry::KindEntry;
use crate::modules::Module;

mod event;
mod publish_exchange_rate;
pub mod rejection;
mod table;
#[cfg(test)]
mod tests;
pub mod view;

pub use publish_exchange_rate::PublishExchangeRate;
pub use table::{CurrencyPair, DailyRate, RateCorrection, RateVersion, VERSIONS_MAX};
pub use view::{RateOf, RateWanted};

pub(crate) const MODULE: Module = Module {
    number: 15,
    name: "exchange",
    kinds: || alloc::vec![KindEntry::of::<PublishExchangeRate>("exchange")],
    rejections: rejection::ALL,
    events: event::ALL,
    readers: table::readers,
};
