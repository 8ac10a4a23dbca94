//! The benefit engine: what a bill's lines are worth under a catalogue, and who pays how much of it
//! under a plan, with a reason for every minor unit.
//!
//! Two functions are the whole of it: [`sort_lines`] puts every line of a [`Bill`] into fully
//! self-paid, over the price cap, first share of class B and in policy; [`adjudicate`] splits the
//! [`CategorySums`] among payers, accounts and cash as a [`Plan`] says.
//!
//! Reading order: [`word`] (the closed lists of words), [`bill`], [`catalogue`], [`sort`],
//! [`sums`], [`facts`], [`accumulator`], [`source`] (plan files as people write them), [`plan`]
//! (their compiled form), [`engine`] with one file per operator in [`rule`], [`adjudication`],
//! [`example`], [`explain`].
//!
//! Invariants: no clock, file, random source or floating point; the parts of an adjudication add up
//! to the bill (guarded by `tests/identities.rs`); equal inputs give equal bytes.
#![no_std]
extern crate alloc;

pub mod accumulator;
pub mod adjudication;
pub mod bill;
pub mod catalogue;
pub mod decimal;
pub mod facts;
pub mod source;
pub mod sums;
pub mod word;

pub use accumulator::{
    AccumulatorChange, AccumulatorKey, AccumulatorPeriod, AccumulatorScope, Accumulators,
};
pub use adjudication::{Adjudication, FamilyShare, PayerShare, TraceEntry, TraceNote};
pub use bill::{Bill, BillError, LineItem};
pub use catalogue::{Catalogue, VisitFacts};
pub use facts::{AgeBand, Facts, FamilyGrant, SlotFact};
pub use sums::{CategorySums, SumKey, SumRow};
pub use word::{
    Category, Filing, HospitalLevel, IncomeClass, ItemClass, Network, Payer, PersonClass,
    PersonClasses, Place, Sex, VisitType,
};
