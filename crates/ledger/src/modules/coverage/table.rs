//! Rows of coverage: one row per person with everything that rules ask of the person, and the
//! running amounts beside it, so that a settlement reads and writes one row.

use alloc::vec::Vec;
use benefit::{Accumulators, AgeBand, Filing, IncomeClass, PersonClasses, Sex};
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, CivilDate, FamilyId, Hash, Period, PersonId, RegionId, SchemeId, SlotId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::overlay::Read;
use crate::kernel::table::Table;
use crate::readers::Readers;

pub(super) const COVERAGES: Table<PersonId, CoverageRow> = Table::new(0x0400);
/// Running amounts that a family insured together shares.
pub(super) const FAMILIES: Table<(FamilyId, SchemeId), Accumulators> = Table::new(0x0401);

/// How many coverages a person's row holds at the most, ended ones of two years among them. Our own
/// limit: it bounds the row.
pub const COVERAGES_MAX: usize = 16;
/// How many attestations of facts a coverage holds at the most. Our own limit: it bounds the row.
pub const FACTS_MAX: usize = 8;
/// How many suspensions a coverage holds at the most. Our own limit: it bounds the row.
pub const SUSPENSIONS_MAX: usize = 4;
/// How many filings a coverage holds at the most. Our own limit: it bounds the row.
pub const FILINGS_MAX: usize = 8;
/// How many slots a coverage holds at the most: as many as a bill may name.
pub const SLOTS_MAX: usize = benefit::facts::SLOTS_MAX;
/// How many lists of running amounts a person's row holds at the most. Our own limit: it bounds the
/// row.
pub const COUNTERS_MAX: usize = 8;
/// For how many days what has ended stays in the row: two years, so that late claims and refunds
/// find it.
pub const KEPT_DAYS_AFTER_END: i32 = 731;

/// What covers a person.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct CoverageRow {
    /// The coverages, ended ones of two years among them; at most [`COVERAGES_MAX`].
    pub coverages: Vec<Coverage>,
    /// The person's running amounts; at most [`COUNTERS_MAX`] lists.
    pub counters: Vec<Counters>,
}

/// A person's enrolment in a scheme at a place for a period.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Coverage {
    /// The insured place.
    pub region: RegionId,
    /// The scheme.
    pub scheme: SchemeId,
    /// From when to when.
    pub period: Period,
    /// When it rests; sorted, at most [`SUSPENSIONS_MAX`]. One that begins with the coverage is a
    /// waiting period.
    pub suspensions: Vec<Period>,
    /// What the bureau attested; sorted, no two for one day, at most [`FACTS_MAX`].
    pub facts: Vec<AttestedFacts>,
    /// Registrations for care elsewhere; at most [`FILINGS_MAX`].
    pub filings: Vec<FilingEntry>,
    /// Chronic diseases and programmes as numbered slots; at most [`SLOTS_MAX`].
    pub slots: Vec<SlotEntry>,
}

/// What rules may ask about a person: bands and classes, attested by the bureau with an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AttestedFacts {
    /// For which days; it always has an end. Choose the end of a month or year, since the exact day
    /// on which somebody leaves an age band would name the birthday.
    pub period: Period,
    /// The age as a band.
    pub age: AgeBand,
    /// Sex.
    pub sex: Sex,
    /// Every class the person belongs to.
    pub person_classes: PersonClasses,
    /// The income class, 0 for none.
    #[serde(default)]
    pub income_class: IncomeClass,
    /// Years insured without a break.
    #[serde(default)]
    pub unbroken_years: u8,
    /// Years in a row before this one in which nothing was claimed.
    #[serde(default)]
    pub claim_free_years: u8,
    /// Whether the days lie in the month of the 75th birthday (and the birthday is not its first
    /// day).
    #[serde(default)]
    pub month_of_75: bool,
    /// The family with which the person is insured together and shares running amounts.
    #[serde(default)]
    pub family: Option<FamilyId>,
}

/// A registration for care elsewhere, in a numbered slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct FilingEntry {
    /// Its number within the coverage, 1 or more.
    pub number: SlotId,
    /// What kind it is.
    pub filing: Filing,
    /// Where care is registered for; a province or city stands for all places in it.
    pub place: RegionId,
    /// From when to when.
    pub period: Period,
    /// A salted commitment to what was filed.
    pub commitment: Hash,
}

/// A chronic disease or a programme in a numbered slot. Nothing in it names a disease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct SlotEntry {
    /// Its number within the coverage, 1 or more.
    pub slot: SlotId,
    /// The benefit group, as the plan numbers them.
    pub group: u8,
    /// An amount of the slot's own, such as the cap on a programme's certificate.
    pub amount: Option<Amount>,
    /// From when to when.
    pub period: Period,
    /// A salted commitment to what the slot means.
    pub commitment: Hash,
}

/// Running amounts of a person in a scheme.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Counters {
    /// The scheme.
    pub scheme: SchemeId,
    /// The insured places whose amounts these are: more than one after a move that kept them.
    pub regions: Vec<RegionId>,
    /// The amounts.
    pub accumulators: Accumulators,
}

/// How a coverage stands on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It holds.
    Active,
    /// It has not begun.
    NotYet {
        /// Its first day.
        from: CivilDate,
    },
    /// It has begun, and the waiting period lasts.
    Waiting {
        /// The last day of waiting.
        until: CivilDate,
    },
    /// It rests.
    Suspended {
        /// The days on which it rests.
        rest: Period,
    },
    /// It is over.
    Ended {
        /// Its last day.
        last_day: CivilDate,
    },
}

/// Who may read them: those who care for the person. What a family shares is nobody's: it says what
/// others of it cost.
pub(super) fn readers(_: &dyn Read, key: &[u8]) -> Option<Readers> {
    COVERAGES.key_of(key).map(Readers::Carers)
}
