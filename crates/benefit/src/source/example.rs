//! Worked examples of plans, and case files.

use alloc::{collections::BTreeMap, string::String, vec::Vec};
use primitives::{CivilDate, SlotId};
use serde::{Deserialize, Serialize};

use crate::{
    decimal::DecimalText,
    word::{
        Category, Filing, HospitalLevel, ItemClass, Network, Payer, PersonClass, Place, Sex,
        VisitType,
    },
};

/// A worked example in a plan file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExampleSource {
    /// The name of the example.
    pub id: String,
    /// What it shows.
    #[serde(default)]
    pub about: String,
    /// Where its numbers are from.
    #[serde(default)]
    pub source: String,
    /// Running amounts before the first visit.
    #[serde(default)]
    pub accumulators: Vec<AccumulatorValue>,
    /// Visits of one person, one after the other.
    pub visit: Vec<VisitSource>,
}

/// A running amount in an example.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccumulatorValue {
    /// The accumulator's name.
    pub id: String,
    /// `2026`, `2026-03` or `2026-03-31`, as its period is; left out for the period of the visit.
    #[serde(default)]
    pub period: Option<String>,
    /// The slot, for accumulators per slot.
    #[serde(default)]
    pub slot: SlotId,
    /// The amount, or the number of visits.
    pub value: DecimalText,
}

/// One visit of an example or case: a bill as lines or as rows, facts, and what must come out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VisitSource {
    /// The day of service of rows and lines that state none.
    pub date: CivilDate,
    /// The facts.
    pub facts: FactsSource,
    /// The bill by its lines, sorted by the case's catalogue; in case files only.
    #[serde(default)]
    pub line: Vec<LineSource>,
    /// The bill by its sums.
    #[serde(default)]
    pub row: Vec<RowSource>,
    /// What must come out; what is not stated is not checked.
    pub expect: ExpectSource,
}

/// Facts in an example, with the plan's names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactsSource {
    /// The visit's type.
    pub visit_type: VisitType,
    /// The provider's level; `unrated` when left out.
    #[serde(default = "unrated")]
    pub hospital_level: HospitalLevel,
    /// The place of care; `home` when left out.
    #[serde(default)]
    pub place: Option<Place>,
    /// The filing; `not_needed` when left out.
    #[serde(default)]
    pub filing: Option<Filing>,
    /// In or out of network; `in` when left out.
    #[serde(default)]
    pub network: Option<Network>,
    /// The exact age.
    #[serde(default)]
    pub age: Option<u8>,
    /// The age as a band: from, below.
    #[serde(default)]
    pub age_band: Option<(u8, u8)>,
    /// Sex.
    #[serde(default)]
    pub sex: Option<Sex>,
    /// Every class of the person.
    #[serde(default)]
    pub person_classes: Vec<PersonClass>,
    /// The income class, by the plan's name.
    #[serde(default)]
    pub income_class: Option<String>,
    /// Unbroken years.
    #[serde(default)]
    pub unbroken_years: u8,
    /// Claim-free years.
    #[serde(default)]
    pub claim_free_years: u8,
    /// The diagnosis group, by the plan's name; in case files with lines also the catalogue's.
    #[serde(default)]
    pub diagnosis_group: Option<String>,
    /// Diagnosis groups for the catalogue's conditions.
    #[serde(default)]
    pub diagnosis_groups: Vec<String>,
    /// The person's slots.
    #[serde(default)]
    pub slots: Vec<SlotSource>,
    /// The month of the 75th birthday.
    #[serde(default)]
    pub month_of_75: bool,
    /// Insured together with a family.
    #[serde(default)]
    pub in_family: bool,
    /// Days of the stay; counted from the rows when left out.
    #[serde(default)]
    pub days: Option<u16>,
    /// What the personal account can pay; stating it means that the person wants it used.
    #[serde(default)]
    pub personal_account: Option<DecimalText>,
    /// What family accounts can pay, in order; they are numbered from 1.
    #[serde(default)]
    pub family_accounts: Vec<DecimalText>,
}

const fn unrated() -> HospitalLevel {
    HospitalLevel::Unrated
}

/// A slot in an example.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlotSource {
    /// Its number, from 1.
    pub slot: SlotId,
    /// Its group, by the plan's name.
    pub group: String,
    /// The amount attested with it.
    #[serde(default)]
    pub amount: Option<DecimalText>,
}

/// A line of a case's bill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineSource {
    /// The item's code in the case's catalogue.
    pub item: String,
    /// The day of service, when not the visit's.
    #[serde(default)]
    pub date: Option<CivilDate>,
    /// How many; one when left out.
    #[serde(default)]
    pub quantity: Option<DecimalText>,
    /// The price of one.
    #[serde(default)]
    pub unit_price: Option<DecimalText>,
    /// What the line charges.
    pub amount: DecimalText,
    /// The category, for items that the catalogue does not have.
    #[serde(default)]
    pub category: Option<Category>,
    /// The programme, by the plan's name.
    #[serde(default)]
    pub programme: Option<String>,
    /// The slot.
    #[serde(default)]
    pub slot: SlotId,
}

/// A row of sums in an example.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowSource {
    /// The day of service, when not the visit's.
    #[serde(default)]
    pub date: Option<CivilDate>,
    /// The category; `other` when left out.
    #[serde(default)]
    pub category: Option<Category>,
    /// The class; `A` when left out.
    #[serde(default)]
    pub class: Option<ItemClass>,
    /// The programme, by the plan's name.
    #[serde(default)]
    pub programme: Option<String>,
    /// The slot.
    #[serde(default)]
    pub slot: SlotId,
    /// Fully self-paid; zero when left out, as are the next three.
    #[serde(default)]
    pub self_paid: Option<DecimalText>,
    /// Above price caps.
    #[serde(default)]
    pub over_cap: Option<DecimalText>,
    /// First shares of class B.
    #[serde(default)]
    pub class_b_share: Option<DecimalText>,
    /// In policy.
    #[serde(default)]
    pub in_policy: Option<DecimalText>,
}

/// What must come out of a visit; what is not stated is not checked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectSource {
    /// What the bill charges.
    #[serde(default)]
    pub total: Option<DecimalText>,
    /// Fully self-paid.
    #[serde(default)]
    pub self_paid: Option<DecimalText>,
    /// Above price caps.
    #[serde(default)]
    pub over_cap: Option<DecimalText>,
    /// First shares of class B.
    #[serde(default)]
    pub class_b_share: Option<DecimalText>,
    /// In policy.
    #[serde(default)]
    pub in_policy: Option<DecimalText>,
    /// The reported deductible.
    #[serde(default)]
    pub deductible: Option<DecimalText>,
    /// What every payer pays; payers that are not named pay nothing.
    #[serde(default)]
    pub payers: Option<BTreeMap<Payer, DecimalText>>,
    /// What named steps pay.
    #[serde(default)]
    pub steps: BTreeMap<String, DecimalText>,
    /// What the personal account pays.
    #[serde(default)]
    pub personal_account: Option<DecimalText>,
    /// What all family accounts pay.
    #[serde(default)]
    pub family_account: Option<DecimalText>,
    /// What is paid in cash.
    #[serde(default)]
    pub cash: Option<DecimalText>,
    /// What the person bears: personal account, family accounts and cash.
    #[serde(default)]
    pub person: Option<DecimalText>,
    /// Running amounts after the visit.
    #[serde(default)]
    pub accumulators: Vec<AccumulatorValue>,
    /// A part of the error's text, when the visit must be refused.
    #[serde(default)]
    pub error: Option<String>,
}

/// A case file: `plans/<plan>/cases/<name>.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseSource {
    /// Which plans and catalogue, and where the numbers are from.
    pub case: CaseHead,
    /// Running amounts before the first visit.
    #[serde(default)]
    pub accumulators: Vec<AccumulatorValue>,
    /// Visits of one person, one after the other.
    pub visit: Vec<VisitSource>,
}

/// The head of a case file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseHead {
    /// The name of the case.
    pub id: String,
    /// `official`, `published`, `observed`, `derived` or `test`: how far to trust it.
    pub kind: CaseKind,
    /// What it shows.
    #[serde(default)]
    pub about: String,
    /// Where its numbers are from.
    pub source: String,
    /// Plan files of the folder above `cases`; each row falls under the one of its day.
    pub plans: Vec<String>,
    /// The catalogue file of the folder above `cases`, for cases with lines.
    #[serde(default)]
    pub catalogue: Option<String>,
}

/// How far to trust a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseKind {
    /// An authority's own calculation.
    Official,
    /// Published by others.
    Published,
    /// Seen in replies of a live system.
    Observed,
    /// Computed from published parameters.
    Derived,
    /// Made up to test something.
    Test,
}
