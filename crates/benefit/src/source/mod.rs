//! Plan, catalogue and case files as people write them. TOML is read by the caller into these
//! structs; [`crate::compile()`] turns them into what is executed. The guide
//! `docs/guide/write-a-plan.md` explains every field.
//!
//! Reading order: this file (the frame of a plan), [`step`], [`example`] (examples and case
//! files), [`catalogue`], [`text`].

pub mod catalogue;
pub mod example;
pub mod step;
pub mod text;

pub use catalogue::*;
pub use example::*;
pub use step::*;
pub use text::*;

use alloc::{collections::BTreeMap, string::String, vec::Vec};
use primitives::{Currency, Period, RegionId, Rounding, SchemeId};
use serde::{Deserialize, Serialize};

use crate::{
    accumulator::AccumulatorScope,
    decimal::DecimalText,
    word::{Category, ItemClass, Payer, VisitType},
};

/// Numbers of a plan's own names (income classes, slot groups, programmes).
pub type Names = BTreeMap<String, u8>;

/// A plan file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanSource {
    /// What the plan is and where and when it holds.
    pub plan: PlanHead,
    /// The running amounts that its steps use.
    #[serde(default)]
    pub accumulator: Vec<AccumulatorSource>,
    /// Groups of rows that its steps tell apart.
    #[serde(default)]
    pub group: Vec<GroupSource>,
    /// The steps, in the order in which they run.
    pub step: Vec<StepSource>,
    /// Worked examples; the plan loads only when they come out.
    #[serde(default)]
    pub example: Vec<ExampleSource>,
}

/// What a plan is and where and when it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanHead {
    /// 1 to 64 of `a-z`, `0-9` and `-`.
    pub id: String,
    /// The plan's name by language; at least one.
    pub name: Texts,
    /// The insured place.
    pub region: RegionId,
    /// The scheme.
    pub scheme: SchemeId,
    /// The currency of every amount in the file.
    pub currency: Currency,
    /// The service dates for which the plan holds.
    pub valid: Period,
    /// The month and day on which a plan year begins, as `01-01`.
    #[serde(default = "january_first")]
    pub year_starts: String,
    /// Where a stay is cut into parts that are adjudicated one after the other.
    #[serde(default)]
    pub split_stay: SplitStay,
    /// The visit types for which the plan has rules; others are refused.
    pub visit_types: Vec<VisitType>,
    /// The rounding of steps that state none.
    #[serde(default)]
    pub rounding: RoundingSource,
    /// The catalogue of the insured place, as seen from the plan's folder; `catalogue.toml` beside
    /// the plan when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catalogue: Option<String>,
    /// What the payers are called here, for explanations.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub payers: BTreeMap<Payer, Texts>,
    /// Numbers of income classes, 1 to 31.
    #[serde(default)]
    pub income_classes: Names,
    /// Numbers of slot groups, 1 to 63.
    #[serde(default)]
    pub slot_groups: Names,
    /// Numbers of diagnosis groups, 1 to 63.
    #[serde(default)]
    pub diagnosis_groups: Names,
    /// Numbers of second public programmes, 1 to 31.
    #[serde(default)]
    pub programmes: Names,
}

fn january_first() -> String {
    String::from("01-01")
}

/// Where a stay is cut into parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SplitStay {
    /// Nowhere: the whole stay falls under the plan and the periods of its last day.
    Never,
    /// Where a plan year begins.
    #[default]
    Year,
    /// Where a calendar month begins, for plans with monthly amounts.
    Month,
    /// Every day, for plans with daily amounts.
    Day,
}

/// How and when a step rounds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoundingSource {
    /// What happens to the part of a unit that is left over.
    #[serde(default = "half_up")]
    pub mode: Rounding,
    /// Whether every tier is rounded, or their exact sum once.
    #[serde(default)]
    pub at: RoundAt,
    /// Whether the benefit is rounded, or the person's share and the benefit is the rest.
    #[serde(default)]
    pub of: RoundOf,
    /// The unit to which is rounded; the minor unit when left out (`"10"` for ten yen).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<DecimalText>,
}

impl Default for RoundingSource {
    fn default() -> Self {
        Self { mode: half_up(), at: RoundAt::Tier, of: RoundOf::Benefit, unit: None }
    }
}

pub(crate) const fn half_up() -> Rounding {
    Rounding::HalfUp
}

/// When a step rounds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoundAt {
    /// At every tier.
    #[default]
    Tier,
    /// Once, on the exact sum of the tiers.
    Once,
}

/// What a step rounds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoundOf {
    /// The benefit.
    #[default]
    Benefit,
    /// The person's share; the benefit is the rest.
    Person,
}

/// A running amount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccumulatorSource {
    /// The name by which steps refer to it.
    pub id: String,
    /// Its number, 1 to 65,535, the same in the plan of the next year.
    pub number: u16,
    /// Whose amount it is.
    #[serde(default = "person")]
    pub scope: AccumulatorScope,
    /// Over which span it runs.
    pub period: PeriodSource,
    /// Whether every slot has its own.
    #[serde(default)]
    pub per_slot: bool,
    /// What it counts.
    #[serde(default)]
    pub counts: Counts,
    /// Its name by language, for the explanation.
    #[serde(default)]
    pub title: Texts,
}

const fn person() -> AccumulatorScope {
    AccumulatorScope::Person
}

/// Over which span an accumulator runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeriodSource {
    /// One visit, also when a stay is cut into parts.
    Visit,
    /// One day of service.
    Day,
    /// One calendar month.
    Month,
    /// One plan year.
    Year,
    /// For ever.
    Lifetime,
}

/// What an accumulator counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counts {
    /// Money, in minor units.
    #[default]
    Money,
    /// Visits.
    Visits,
    /// How often something happened: in how many bills of a month a limit was reached.
    Times,
}

/// A group of rows; the first group whose conditions hold takes the row, `rest` takes the others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupSource {
    /// The name by which steps refer to it; not `rest`.
    pub id: String,
    /// Categories of the rows.
    #[serde(default, deserialize_with = "some_words", skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<Category>,
    /// Classes of the rows.
    #[serde(default, deserialize_with = "some_words", skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<ItemClass>,
    /// Second public programmes of the rows, by the plan's names.
    #[serde(default, deserialize_with = "some_words", skip_serializing_if = "Vec::is_empty")]
    pub programmes: Vec<String>,
    /// Groups of the rows' slots, by the plan's names.
    #[serde(default, deserialize_with = "some_words", skip_serializing_if = "Vec::is_empty")]
    pub slot_groups: Vec<String>,
    /// Whether the rows have a slot (`true`) or none (`false`).
    #[serde(default)]
    pub with_slot: Option<bool>,
    /// Whether rows of different slots are kept apart, for steps that run per slot.
    #[serde(default)]
    pub per_slot: bool,
}

/// Reads a list of a condition. An empty list is refused: left behind by an edit, it would hold for
/// nobody or, read as left out, for everybody.
pub(crate) fn some_words<'de, D: serde::Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    let words = <Vec<T> as Deserialize>::deserialize(deserializer)?;
    if words.is_empty() {
        let message = "this list is empty; write at least one word, or leave the field out";
        return Err(serde::de::Error::custom(message));
    }
    Ok(words)
}
