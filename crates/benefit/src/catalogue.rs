//! The catalogue of a place of care: which items are covered, how far, for whom, up to which price.

use alloc::{string::String, vec::Vec};
use primitives::Period;

use crate::{
    decimal::UnitPrice,
    facts::AgeBand,
    word::{Category, HospitalLevel, ItemClass, Sex, VisitType},
};
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Currency, Rate, RegionId};

/// What limited-use conditions may ask about a visit. Diagnosis groups stay at the edge: the ledger
/// never sees them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VisitFacts {
    /// What kind of care it is.
    pub visit_type: VisitType,
    /// The provider's level.
    pub hospital_level: HospitalLevel,
    /// The diagnosis groups of the visit, by the names that the catalogue uses.
    pub diagnosis_groups: Vec<String>,
    /// The age on the day of service.
    pub age: AgeBand,
    /// Sex.
    pub sex: Sex,
}

/// A catalogue: items in the order of code and first day of validity.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Catalogue {
    /// The region of the place of care.
    pub region: RegionId,
    /// The currency of price caps.
    pub currency: Currency,
    /// The items.
    pub(crate) items: Vec<Item>,
}

/// One item over one span of days.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Item {
    pub code: String,
    pub valid: Period,
    pub class: ItemClass,
    pub category: Category,
    pub share: Rate,
    pub price_caps: Vec<PriceCap>,
    pub limited_use: Vec<LimitedUse>,
}

/// The highest price in policy at providers of some levels; no price means no cap.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct PriceCap {
    pub levels: u32,
    pub price: Option<UnitPrice>,
}

/// One way of use that is covered; a line is covered when one of them holds.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct LimitedUse {
    pub visit_types: u32,
    pub sexes: u32,
    pub age: AgeBand,
    pub diagnosis_groups: Vec<String>,
}
