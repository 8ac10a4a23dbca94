//! Plans in their compiled form: numbers and bit masks only, one spelling per plan, so that the
//! hash of its bytes names it on the ledger. No text of a rule and no name of a disease is in it.
//!
//! Invariant: a [`Plan`] is valid. It comes from [`crate::compile()`] or from its bytes, and both
//! ways end in the same checks (`plan/check.rs`), so that the engine never meets a reference that
//! leads nowhere.

mod check;

pub(crate) use check::{AMOUNT_BELOW, StepCheck};

use alloc::{format, string::String, vec::Vec};
use borsh::{BorshDeserialize, BorshSerialize};
use core::fmt;
use primitives::{
    Amount, CivilDate, Currency, Detail, Hash, Period, RegionId, Rounding, SchemeId, codec, detail,
    sha256,
};

use crate::{
    accumulator::{AccumulatorPeriod, AccumulatorScope},
    condition::Condition,
    example::Example,
    rule::Rule,
    word::VisitType,
};

/// The version of the compiled form and of the engine that runs it.
pub const PLAN_FORMAT: u16 = 1;
/// The most steps of a plan.
pub const STEPS_MAX: usize = 64;
/// The most accumulators of a plan.
pub const PLAN_ACCUMULATORS_MAX: usize = 128;
/// The most groups of a plan, besides the one that takes the rest.
pub const GROUPS_MAX: usize = 7;
/// The most bytes of a compiled plan.
pub const PLAN_BYTES_MAX: usize = 256 * 1_024;

/// A plan, ready to adjudicate.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize)]
pub struct Plan {
    pub(crate) content: Content,
}

/// What a plan holds; unchecked until it is inside a [`Plan`].
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Content {
    pub format: u16,
    pub id: String,
    pub region: RegionId,
    pub scheme: SchemeId,
    pub currency: Currency,
    pub valid: Period,
    pub year_starts: (u8, u8),
    pub split: Split,
    pub visit_types: u32,
    pub programmes: u32,
    pub source: Hash,
    pub accumulators: Vec<PlanAccumulator>,
    pub groups: Vec<Group>,
    pub conditions: Vec<Condition>,
    pub steps: Vec<Step>,
    pub examples: Vec<Example>,
}

/// Where a stay is cut into parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub(crate) enum Split {
    Never,
    Year,
    Month,
    Day,
}

/// Over which span an accumulator runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) enum Span {
    Visit,
    Day,
    Month,
    Year,
    Lifetime,
}

/// A running amount that the plan uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct PlanAccumulator {
    pub number: u16,
    pub scope: AccumulatorScope,
    pub span: Span,
    pub per_slot: bool,
    pub counts: Counted,
}

/// What an accumulator counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) enum Counted {
    Money,
    Visits,
    Times,
}

/// A group of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Group {
    pub categories: u32,
    pub classes: u32,
    pub programmes: u32,
    pub slot_groups: u64,
    pub with_slot: Option<bool>,
    pub per_slot: bool,
}

/// A step.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Step {
    pub when: u16,
    pub per_slot: bool,
    /// Whether a later step asks what was left after this one.
    pub is_watched: bool,
    pub rounding: StepRounding,
    pub base: Base,
    pub rule: Rule,
}

/// How a step rounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct StepRounding {
    pub mode: Rounding,
    pub once: bool,
    pub of_person: bool,
    pub unit: u64,
}

/// What a step looks at.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Base {
    /// Bits of the parts: in policy 1, class B share 2, over cap 4, self-paid 8.
    pub parts: u8,
    /// Bits of the groups; the one after the last is the rest.
    pub groups: u8,
    pub of: BaseOf,
    pub less: Vec<StepNumber>,
    pub groups_with: Option<(u8, u64)>,
}

/// Which amount a base is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) enum BaseOf {
    Left,
    Charged,
    Number(StepNumber),
}

/// A number of an earlier step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct StepNumber {
    pub step: u8,
    pub what: What,
}

/// Which number of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) enum What {
    Deductible,
    SelfShare,
    Cut,
    Paid,
}

/// Why a plan is not valid, or its examples do not come out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanError {
    /// The step at which it shows, from 0, if it is one.
    pub step: Option<u8>,
    /// Where it is, in the words of the file: "step `pool`", "accumulator `burden`".
    pub place: Option<Detail>,
    /// What is wrong and what to do.
    pub message: Detail,
}

impl From<PlanError> for Detail {
    fn from(error: PlanError) -> Self {
        match error.place {
            Some(place) => detail!("{place}: {what}", place, what = error.message),
            None => error.message,
        }
    }
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Detail::from(self.clone()).fmt(f)
    }
}

impl core::error::Error for PlanError {}

impl Plan {
    /// Checks the content; the only way to a plan.
    pub(crate) fn new(content: Content) -> Result<Self, PlanError> {
        check::check(&content)?;
        Ok(Self { content })
    }

    /// The plan of these bytes, checked. Its examples are for [`Plan::check_examples`].
    ///
    /// # Errors
    /// The bytes are no plan, or what is wrong with it.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PlanError> {
        let content = codec::decode(bytes).map_err(|error| PlanError {
            step: None,
            place: None,
            message: detail!("the reader says `{message}`", message = format!("{error}")),
        })?;
        Self::new(content)
    }

    /// The plan's name, as `lanzhou-employee`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.content.id
    }

    /// The insured place.
    #[must_use]
    pub const fn region(&self) -> RegionId {
        self.content.region
    }

    /// The scheme.
    #[must_use]
    pub const fn scheme(&self) -> SchemeId {
        self.content.scheme
    }

    /// The currency of every amount.
    #[must_use]
    pub const fn currency(&self) -> Currency {
        self.content.currency
    }

    /// The service dates for which the plan holds.
    #[must_use]
    pub const fn valid(&self) -> Period {
        self.content.valid
    }

    /// The hash of the source file.
    #[must_use]
    pub const fn source_hash(&self) -> Hash {
        self.content.source
    }

    /// The hash that names the plan: SHA-256 of its bytes.
    #[must_use]
    pub fn hash(&self) -> Hash {
        sha256(&codec::encode(self))
    }

    /// How many steps there are.
    #[must_use]
    pub fn steps_len(&self) -> usize {
        self.content.steps.len()
    }

    /// Whether the plan has rules for this type of visit.
    #[must_use]
    pub const fn covers(&self, visit_type: VisitType) -> bool {
        self.content.visit_types & visit_type.bit() != 0
    }

    /// The plan year in which this day lies.
    #[must_use]
    pub fn year_of(&self, day: CivilDate) -> AccumulatorPeriod {
        let before = (day.month(), day.day()) < self.content.year_starts;
        AccumulatorPeriod::year(day.year().saturating_sub(i32::from(before)))
    }

    /// The accumulator at this place; plans are checked, so there is one.
    pub(crate) fn accumulator(&self, at: u8) -> Option<&PlanAccumulator> {
        self.content.accumulators.get(usize::from(at))
    }

    /// Every accumulator that a plan uses: its number, whose it is, and whether it belongs to the
    /// visit alone. The caller loads these rows before [`crate::adjudicate`].
    pub fn accumulators(&self) -> impl Iterator<Item = (u16, AccumulatorScope, bool)> {
        let all = self.content.accumulators.iter();
        all.map(|one| (one.number, one.scope, one.span == Span::Visit))
    }

    /// The amount of a decimal text in the plan's currency, as people write it.
    pub(crate) fn decimal(&self, minor: u64) -> String {
        Amount::from_minor(minor).to_decimal(self.content.currency)
    }
}

impl BorshDeserialize for Plan {
    fn deserialize_reader<R: borsh::io::Read>(reader: &mut R) -> borsh::io::Result<Self> {
        let content = Content::deserialize_reader(reader)?;
        Self::new(content).map_err(|error| {
            borsh::io::Error::new(borsh::io::ErrorKind::InvalidData, alloc::format!("{error}"))
        })
    }
}
