//! Steps, allowances, rates and conditions as a plan file says them.

use alloc::{string::String, vec::Vec};
use primitives::Rate;
use serde::{Deserialize, Serialize};

use super::{RoundingSource, SourceText, Texts};
use crate::{
    decimal::DecimalText,
    word::{Filing, HospitalLevel, Network, Payer, PersonClass, Place, Sex, VisitType},
};

/// A step. Which fields belong to which kind is in the guide; others are refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepSource {
    /// The name of the step; it appears in explanations, examples and errors.
    pub id: String,
    /// The operator: `benefit`, `fixed`, `copay`, `limit`, `personal_account`, `family_account` or
    /// `count`.
    pub kind: String,
    /// A short title by language.
    #[serde(default)]
    pub title: Texts,
    /// The words of the rule, by language; the original's language at least.
    #[serde(default)]
    pub words: Texts,
    /// Where the words are from: document, article, date; how far to trust them.
    #[serde(default)]
    pub source: SourceText,
    /// When the step runs.
    #[serde(default)]
    pub when: Option<ConditionSource>,
    /// Who pays.
    #[serde(default)]
    pub payer: Option<Payer>,
    /// What the step looks at.
    #[serde(default)]
    pub base: Option<BaseSource>,
    /// Whether the step runs once per slot.
    #[serde(default)]
    pub per_slot: bool,
    /// Caps on what the step looks at.
    #[serde(default)]
    pub base_caps: Vec<AllowanceSource>,
    /// Deductibles; the least that is still open is taken.
    #[serde(default)]
    pub deductibles: Vec<AllowanceSource>,
    /// Whether the deductible is the one that the adjudication reports.
    #[serde(default)]
    pub reports_deductible: Option<bool>,
    /// Rates or tiers by conditions; the first row that holds counts.
    #[serde(default)]
    pub rates: Vec<RateRow>,
    /// How tier bounds are read; needed when a row has tiers.
    #[serde(default)]
    pub reading: Option<Reading>,
    /// The accumulator from which the position in the tiers continues.
    #[serde(default)]
    pub position: Option<String>,
    /// Changes to the rates; each that holds, in order.
    #[serde(default)]
    pub rate_changes: Vec<RateChange>,
    /// Caps on what the step pays.
    #[serde(default)]
    pub caps: Vec<AllowanceSource>,
    /// The fixed amount of a `fixed` step, the person's part of a `copay` step.
    #[serde(default)]
    pub amount: Option<AllowanceSource>,
    /// What the person bears at most, of a `limit` step; the strictest counts.
    #[serde(default)]
    pub limits: Vec<AllowanceSource>,
    /// The accumulator of what was charged, for limits with a share of the bill.
    #[serde(default)]
    pub charged_counts: Option<String>,
    /// The accumulator that counts how often the limit was reached.
    #[serde(default)]
    pub reached_counts: Option<String>,
    /// What a `count` step counts.
    #[serde(default)]
    pub what: Option<String>,
    /// The accumulator that a `count` step counts into.
    #[serde(default)]
    pub into: Option<String>,
    /// How the step rounds, when not as the plan.
    #[serde(default)]
    pub rounding: Option<RoundingSource>,
}

/// What a step looks at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaseSource {
    /// Which parts of the bill.
    #[serde(default = "in_policy_only")]
    pub parts: Vec<Part>,
    /// Which groups of rows; all when left out.
    #[serde(default)]
    pub groups: Option<Vec<String>>,
    /// `left`, `charged`, or `deductible:STEP`, `self_share:STEP`, `cut:STEP`, `paid:STEP`.
    #[serde(default = "left")]
    pub of: String,
    /// What of earlier steps is taken out of it, as `deductible:STEP` and so on.
    #[serde(default)]
    pub less: Vec<String>,
    /// Only groups that still had this much left after an earlier step.
    #[serde(default)]
    pub groups_with: Option<GroupsWith>,
}

impl Default for BaseSource {
    fn default() -> Self {
        Self {
            parts: in_policy_only(),
            groups: None,
            of: left(),
            less: Vec::new(),
            groups_with: None,
        }
    }
}

fn in_policy_only() -> Vec<Part> {
    alloc::vec![Part::InPolicy]
}

fn left() -> String {
    String::from("left")
}

/// One of the four parts of a bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// What benefits apply to.
    InPolicy,
    /// First shares of class B.
    ClassBShare,
    /// Above price caps.
    OverCap,
    /// Fully self-paid.
    SelfPaid,
}

/// A condition on groups: what they still had left after an earlier step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupsWith {
    /// The earlier step.
    pub left_after: String,
    /// The least that must have been left of the group in the parts of this base.
    pub at_least: DecimalText,
}

/// An amount that is open until it is used up: a deductible, a cap, a limit, a copay.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AllowanceSource {
    /// The amount when it depends on nothing; `none` for no limit.
    #[serde(default)]
    pub amount: Option<AmountText>,
    /// Amounts by conditions; the first row that holds counts, the last has no `when`.
    #[serde(default)]
    pub amounts: Vec<AmountRow>,
    /// The accumulator that says how much of it is used up.
    #[serde(default)]
    pub counts: Option<String>,
    /// Changes to the amount; each that holds, in order.
    #[serde(default)]
    pub changes: Vec<AmountChange>,
    /// How the amount changes from visit to visit.
    #[serde(default)]
    pub repeat: Option<RepeatSource>,
    /// How the amount grows with years.
    #[serde(default)]
    pub grow: Option<GrowSource>,
}

/// A decimal amount, or `none` for no limit.
pub type AmountText = DecimalText;

/// One row of a table of amounts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AmountRow {
    /// When the row counts; always when left out.
    #[serde(default)]
    pub when: Option<ConditionSource>,
    /// The amount, or `none` for no limit.
    #[serde(default)]
    pub amount: Option<AmountText>,
    /// The amount is the one attested with the slot; the row does not hold when there is none.
    #[serde(default)]
    pub of_slot: bool,
    /// The amount is per day of the stay.
    #[serde(default)]
    pub per_day: bool,
    /// A share of what was charged comes on top.
    #[serde(default)]
    pub plus: Option<PlusSource>,
}

/// "... plus 1 % of the bill above 267,000".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlusSource {
    /// The share.
    pub share: Rate,
    /// Of what was charged above this.
    pub of_charged_above: DecimalText,
}

/// A change to an amount.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AmountChange {
    /// When it is made; always when left out.
    #[serde(default)]
    pub when: Option<ConditionSource>,
    /// Times this.
    #[serde(default)]
    pub factor: Option<DecimalText>,
    /// Plus this.
    #[serde(default)]
    pub add: Option<DecimalText>,
    /// Minus this, down to zero.
    #[serde(default)]
    pub less: Option<DecimalText>,
}

/// How an amount changes from visit to visit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RepeatSource {
    /// The accumulator that counts the visits.
    pub of: String,
    /// From which visit on which amount; the last row reached counts.
    #[serde(default)]
    pub from: Vec<RepeatRow>,
    /// What every further visit takes off the amount.
    #[serde(default)]
    pub less: Option<DecimalText>,
    /// How far `less` goes down at most.
    #[serde(default)]
    pub floor: Option<DecimalText>,
}

/// From which visit on which amount.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RepeatRow {
    /// The visit's number, from 2.
    pub visit: u16,
    /// Times this.
    #[serde(default)]
    pub factor: Option<DecimalText>,
    /// Exactly this.
    #[serde(default)]
    pub amount: Option<DecimalText>,
}

/// How an amount grows with years.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrowSource {
    /// What every unbroken year beyond `after` adds.
    #[serde(default)]
    pub per_unbroken_year: Option<DecimalText>,
    /// How many unbroken years add nothing.
    #[serde(default)]
    pub after: u8,
    /// What every claim-free year adds.
    #[serde(default)]
    pub per_claim_free_year: Option<DecimalText>,
    /// The most that is added.
    #[serde(default)]
    pub at_most: Option<DecimalText>,
    /// The most that is added, as a share of the amount.
    #[serde(default)]
    pub at_most_share: Option<Rate>,
}

/// One row of a table of rates.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateRow {
    /// When the row counts; always when left out.
    #[serde(default)]
    pub when: Option<ConditionSource>,
    /// One rate for everything.
    #[serde(default)]
    pub rate: Option<Rate>,
    /// Rates by tier; the first begins at zero.
    #[serde(default)]
    pub tiers: Vec<TierSource>,
}

/// A tier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TierSource {
    /// Where it begins; it ends where the next begins.
    pub above: DecimalText,
    /// The rate that is paid of what lies in it.
    pub rate: Rate,
}

/// How tier bounds are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading {
    /// Bounds are positions of the base, the deductible included.
    Absolute,
    /// Bounds are positions of what is above the deductible.
    OnExcess,
}

/// A change to the rates; exactly one of the four.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateChange {
    /// When it is made; always when left out.
    #[serde(default)]
    pub when: Option<ConditionSource>,
    /// Points added: `0.05` makes 85 % to 90 %.
    #[serde(default)]
    pub add: Option<Rate>,
    /// Points taken off.
    #[serde(default)]
    pub less: Option<Rate>,
    /// Times this: `0.9` makes 80 % to 72 %.
    #[serde(default)]
    pub factor: Option<DecimalText>,
    /// The person's share times this: `0.6` makes 85 % to 91 %.
    #[serde(default)]
    pub self_share_factor: Option<DecimalText>,
}

/// A condition: every field that is there must hold; a list holds when one of its words does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConditionSource {
    /// The visit's type.
    #[serde(
        default,
        deserialize_with = "super::some_words",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub visit_types: Vec<VisitType>,
    /// The provider's level.
    #[serde(
        default,
        deserialize_with = "super::some_words",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub hospital_levels: Vec<HospitalLevel>,
    /// The place of care.
    #[serde(
        default,
        deserialize_with = "super::some_words",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub places: Vec<Place>,
    /// The filing.
    #[serde(
        default,
        deserialize_with = "super::some_words",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub filings: Vec<Filing>,
    /// In or out of network.
    #[serde(
        default,
        deserialize_with = "super::some_words",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub networks: Vec<Network>,
    /// Sex.
    #[serde(
        default,
        deserialize_with = "super::some_words",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub sexes: Vec<Sex>,
    /// The person has one of these classes.
    #[serde(
        default,
        deserialize_with = "super::some_words",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub person_classes: Vec<PersonClass>,
    /// The person has none of these classes.
    #[serde(
        default,
        deserialize_with = "super::some_words",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub person_classes_not: Vec<PersonClass>,
    /// The income class, by the plan's names.
    #[serde(
        default,
        deserialize_with = "super::some_words",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub income_classes: Vec<String>,
    /// The slot's group, by the plan's names.
    #[serde(
        default,
        deserialize_with = "super::some_words",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub slot_groups: Vec<String>,
    /// The diagnosis group, by the plan's names.
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
    /// At least this many unbroken years.
    #[serde(default)]
    pub unbroken_years_from: Option<u8>,
    /// Fewer unbroken years than this.
    #[serde(default)]
    pub unbroken_years_below: Option<u8>,
    /// The month of the 75th birthday, or not.
    #[serde(default)]
    pub month_of_75: Option<bool>,
    /// Insured together with a family, or not.
    #[serde(default)]
    pub in_family: Option<bool>,
    /// The visit's number.
    #[serde(default)]
    pub visit_number: Option<VisitNumber>,
    /// In how many months a limit was reached.
    #[serde(default)]
    pub months_reached: Option<MonthsReached>,
    /// The value of an accumulator.
    #[serde(default)]
    pub accumulated: Option<Accumulated>,
}

/// A condition on the visit's number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VisitNumber {
    /// The accumulator that counts the visits.
    pub of: String,
    /// At least this.
    #[serde(default)]
    pub from: Option<u16>,
    /// Less than this.
    #[serde(default)]
    pub below: Option<u16>,
}

/// A condition on how often a monthly limit was reached before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MonthsReached {
    /// The accumulator that counts how often the limit was reached in a month.
    pub of: String,
    /// Within how many months, this one included.
    pub within: u8,
    /// In at least how many of the months before this one.
    pub at_least: u8,
}

/// A condition on the value of an accumulator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accumulated {
    /// The accumulator.
    pub of: String,
    /// At least this.
    #[serde(default)]
    pub from: Option<DecimalText>,
    /// Less than this.
    #[serde(default)]
    pub below: Option<DecimalText>,
}
