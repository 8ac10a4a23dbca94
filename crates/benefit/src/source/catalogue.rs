//! Catalogue files.

use alloc::{string::String, vec::Vec};
use primitives::{Currency, Period, Rate, RegionId, Rounding};
use serde::{Deserialize, Serialize};

use super::{SourceText, half_up};
use crate::{
    decimal::DecimalText,
    word::{Category, HospitalLevel, ItemClass, Sex, VisitType},
};

/// A catalogue file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogueSource {
    /// What the catalogue is.
    pub catalogue: CatalogueHead,
    /// The items.
    #[serde(default)]
    pub item: Vec<ItemSource>,
}

/// The head of a catalogue file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogueHead {
    /// 1 to 64 of `a-z`, `0-9` and `-`.
    pub id: String,
    /// The region of the place of care.
    pub region: RegionId,
    /// The currency of price caps.
    pub currency: Currency,
    /// How shares and caps are rounded, line by line.
    #[serde(default = "half_up")]
    pub rounding: Rounding,
    /// The class of items that the catalogue does not have: `C`, or `A` where there is no list.
    #[serde(default = "class_c")]
    pub unlisted: ItemClass,
    /// Where the items are from.
    #[serde(default)]
    pub source: SourceText,
}

const fn class_c() -> ItemClass {
    ItemClass::C
}

/// One item over one span of days; the same code may come again with another span.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemSource {
    /// The item's code.
    pub code: String,
    /// Its name, only for reading.
    #[serde(default)]
    pub name: String,
    /// The days on which this entry counts.
    pub valid: Period,
    /// The class.
    pub class: ItemClass,
    /// The category.
    pub category: Category,
    /// The first share of class B.
    #[serde(default)]
    pub share: Option<Rate>,
    /// The highest prices in policy; the first whose levels match counts.
    #[serde(default)]
    pub price_caps: Vec<PriceCapSource>,
    /// Ways of use that are covered; without any, every use is.
    #[serde(default)]
    pub limited_use: Vec<LimitedUseSource>,
}

/// The highest price of one of an item that is in policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceCapSource {
    /// At providers of these levels; of any when left out.
    #[serde(
        default,
        deserialize_with = "super::some_words",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub hospital_levels: Vec<HospitalLevel>,
    /// The price, at most six decimals; `none` for no cap.
    pub price: DecimalText,
}

/// A way of use that is covered: every field that is there must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitedUseSource {
    /// The visit's type is one of these.
    #[serde(
        default,
        deserialize_with = "super::some_words",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub visit_types: Vec<VisitType>,
    /// The visit has one of these diagnosis groups.
    #[serde(
        default,
        deserialize_with = "super::some_words",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub diagnosis_groups: Vec<String>,
    /// At least this old.
    #[serde(default)]
    pub age_from: Option<u8>,
    /// Younger than this.
    #[serde(default)]
    pub age_below: Option<u8>,
    /// The person's sex is one of these.
    #[serde(
        default,
        deserialize_with = "super::some_words",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub sexes: Vec<Sex>,
}
