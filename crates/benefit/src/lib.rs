//! The benefit engine: what a bill's lines are worth under a catalogue, and who pays how much of it
//! under a plan, with a reason for every minor unit.
//!
//! Two functions are the whole of it: [`sort_lines`] puts every line of a [`Bill`] into fully
//! self-paid, over the price cap, first share of class B and in policy; [`adjudicate`] splits the
//! [`CategorySums`] among payers, accounts and cash as a [`Plan`] says.
//!
//! How the ledger calls it: it decodes a [`Plan`] from its bytes (which checks it), runs
//! [`Plan::check_examples`] when the plan is published, puts the person's, the family's and the
//! visit's running amounts into one [`Accumulators`] list (keys say whose they are, and
//! [`AccumulatorPeriod::is_visit`] which belong to the visit), calls [`adjudicate_stay`] with the
//! plans in force on the days of service, and applies the changes of the parts in their order with
//! [`Accumulators::apply`]. A refund undoes them in the opposite order with [`Accumulators::undo`]
//! and adjudicates what remains under the same plans.
//!
//! How the edge calls it: TOML into [`source::PlanSource`], [`fn@compile`] (which runs the
//! examples), [`sort_lines`], a dry run of [`adjudicate_stay`], and [`fn@explain`] with the
//! [`Messages`] of a language.
//!
//! Reading order: [`word`] (the closed lists of words), [`bill`], [`catalogue`], [`sort`],
//! [`sums`], [`facts`], [`accumulator`], [`source`] (plan files as people write them),
//! [`mod@compile`], [`plan`] (their compiled form), [`engine`] with one file per operator in
//! `rule/`, [`stay`], [`adjudication`], [`example`], [`case`], [`mod@explain`], [`mod@compare`].
//!
//! Invariants: no clock, file, random source or floating point; the parts of an adjudication add up
//! to the bill (guarded by `tests/identities.rs`); equal inputs give equal bytes.
#![no_std]
extern crate alloc;

pub mod accumulator;
pub mod adjudication;
mod allowance;
pub mod bill;
pub mod case;
pub mod catalogue;
pub mod compare;
pub mod compile;
mod condition;
pub mod decimal;
pub mod engine;
pub mod example;
pub mod explain;
pub mod facts;
mod lanes;
pub mod plan;
mod rule;
pub mod sort;
pub mod source;
pub mod stay;
pub mod sums;
pub mod word;

pub use accumulator::{
    AccumulatorChange, AccumulatorError, AccumulatorKey, AccumulatorPeriod, AccumulatorScope,
    Accumulators,
};
pub use adjudication::{
    Adjudication, AmountReason, FamilyShare, PayerShare, TraceEntry, TraceNote,
};
pub use bill::{Bill, BillError, LineItem};
pub use case::{read_person, run_case, steps_text, visit_facts, visit_sums};
pub use catalogue::{Catalogue, CatalogueError, VisitFacts};
pub use compare::{PlanComparison, compare};
pub use compile::compile;
pub use engine::{AdjudicationError, adjudicate};
pub use explain::{
    ExplainedBill, ExplainedExchange, ExplainedPart, Explanation, Messages, explain,
    explain_exchange,
};
pub use facts::{AgeBand, FAMILY_GRANTS_MAX, Facts, FamilyGrant, SlotFact};
pub use plan::{Plan, PlanError};
pub use sort::{LineReason, Sorted, SortedLine, sort_lines};
pub use stay::{AdjudicatedPart, StayPart, adjudicate_stay, split_stay};
pub use sums::{CategorySums, SumKey, SumRow};
pub use word::{
    Category, Filing, HospitalLevel, IncomeClass, ItemClass, Network, Payer, PersonClass,
    PersonClasses, Place, Sex, VisitType,
};
