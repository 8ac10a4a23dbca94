//! Coverage: who is insured where in which scheme, what rules may ask about a person, and the
//! running amounts of a person.
//!
//! Kinds: 401 `enrol_coverage`, 402 `suspend_coverage`, 403 `resume_coverage`, 404 `end_coverage`,
//! 405 `move_coverage`, 406 `attest_facts`, 407 `record_filing`, 408 `end_filing`, 409
//! `assign_slot`, 410 `end_slot`, 411 `import_persons`, 412 `import_coverages`.
//!
//! Reading order: `table` (the row), `row` (its rules), `view` (what others call), `counters`
//! (running amounts), then the kinds.
//!
//! Invariants: a person has one place at a time in each family of schemes (test
//! `a_second_place_is_refused_and_the_region_that_holds_it_is_named`); whether a coverage holds is
//! decided by the day of care, never by the day of asking; nothing here names a disease or a
//! birthday.

use crate::kernel::registry::KindEntry;
use crate::modules::Module;

mod assign_slot;
mod attest_facts;
mod change;
mod counters;
mod end_coverage;
mod end_filing;
mod end_slot;
mod enrol_coverage;
mod event;
mod import_coverages;
mod import_persons;
mod move_coverage;
mod place;
mod record_filing;
pub mod rejection;
mod resume_coverage;
mod row;
mod row_results;
mod scheme_family;
mod suspend_coverage;
mod table;
mod terms;
#[cfg(test)]
mod tests;
pub mod view;

pub use assign_slot::AssignSlot;
pub use attest_facts::AttestFacts;
pub use end_coverage::EndCoverage;
pub use end_filing::EndFiling;
pub use end_slot::EndSlot;
pub use enrol_coverage::EnrolCoverage;
pub use import_coverages::{ImportCoverages, ImportedCoverage};
pub use import_persons::{ImportPersons, ImportedPerson};
pub use move_coverage::MoveCoverage;
pub use record_filing::RecordFiling;
pub use resume_coverage::ResumeCoverage;
pub use row_results::BATCH_ROWS_MAX;
pub(crate) use row_results::{RowResults, check_rows};
pub use suspend_coverage::SuspendCoverage;
pub use table::{AttestedFacts, Counters, Coverage, CoverageRow, FilingEntry, SlotEntry, Standing};
pub use terms::CoverageTerms;

pub(crate) const MODULE: Module = Module {
    number: 4,
    name: "coverage",
    kinds: || {
        alloc::vec![
            KindEntry::of::<EnrolCoverage>("coverage"),
            KindEntry::of::<SuspendCoverage>("coverage"),
            KindEntry::of::<ResumeCoverage>("coverage"),
            KindEntry::of::<EndCoverage>("coverage"),
            KindEntry::of::<MoveCoverage>("coverage"),
            KindEntry::of::<AttestFacts>("coverage"),
            KindEntry::of::<RecordFiling>("coverage"),
            KindEntry::of::<EndFiling>("coverage"),
            KindEntry::of::<AssignSlot>("coverage"),
            KindEntry::of::<EndSlot>("coverage"),
            KindEntry::of::<ImportPersons>("coverage"),
            KindEntry::of::<ImportCoverages>("coverage"),
        ]
    },
    rejections: rejection::ALL,
    events: event::ALL,
    readers: table::readers,
};
