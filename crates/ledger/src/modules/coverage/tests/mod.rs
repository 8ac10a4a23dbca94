#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]
//! Alice, covered by nothing at first, and two more regions.

mod attested;
mod enrolment;
mod imports;
mod moving;
mod running;
mod standing;

use super::view::RunningAmounts;
use super::*;
use crate::kernel::overlay::Overlay;
use crate::kernel::receipt::Receipt;
use crate::kernel::rejection::{Code, Rejection, kernel};
use crate::modules::network::{OpenRegion, rejection as network};
use crate::modules::organisation::{OrganisationKind, rejection as organisations};
use crate::modules::person::{
    Actor, ClosePerson, KeyGrade, LockPerson, NewKey, NewPerson, rejection as persons,
};
use crate::testing::{DAY, REGION, World, fen, organisation, person, public, settings};
use alloc::{format, string::String, vec, vec::Vec};
use benefit::{
    AccumulatorChange, AccumulatorKey, AccumulatorPeriod, AccumulatorScope, Accumulators, AgeBand,
    Filing, HospitalLevel, IncomeClass, PersonClass, PersonClasses, Place, Sex, SlotFact,
    VisitType,
};
use primitives::{
    CivilDate, Currency, FamilyId, Hash, Party, Period, PersonId, RegionId, SchemeId, SlotId,
    codec, sha256,
};
use proof::receipt::FieldValue;

const ALICE: PersonId = PersonId([1; 16]);
const DINGXI: RegionId = RegionId(621_100);
const BEIJING: RegionId = RegionId(110_000);
const EMPLOYEE: SchemeId = SchemeId(310);
const RESIDENT: SchemeId = SchemeId(390);
const MATERNITY: SchemeId = SchemeId(510);
const COMMITMENT: Hash = Hash([7; 32]);

fn org(code: &str) -> Party {
    Party::Organisation(organisation(code))
}

fn bureau() -> [Party; 1] {
    [org("bureau")]
}

fn both() -> [Party; 2] {
    [org("bureau"), org("dingxi")]
}

fn day(text: &str) -> CivilDate {
    text.parse().unwrap()
}

/// `2026-01-01/2026-12-31`, or `2026-01-01/` without end.
fn days(text: &str) -> Period {
    let (from, to) = text.split_once('/').unwrap();
    Period { from: day(from), to: (!to.is_empty()).then(|| day(to)) }
}

fn facts(period: &str) -> AttestedFacts {
    AttestedFacts {
        period: days(period),
        age: AgeBand::new(30, 60).unwrap(),
        sex: Sex::Female,
        person_classes: PersonClasses::NONE.with(PersonClass::Active),
        income_class: IncomeClass::NONE,
        unbroken_years: 4,
        claim_free_years: 1,
        month_of_75: false,
        family: None,
    }
}

fn terms(scheme: SchemeId, period: &str) -> CoverageTerms {
    let facts = facts("2020-01-01/2030-12-31");
    CoverageTerms { scheme, period: days(period), benefits_from: None, facts }
}

fn enrol(scheme: SchemeId, period: &str) -> EnrolCoverage {
    EnrolCoverage { person: ALICE, region: REGION, coverage: terms(scheme, period) }
}

/// Alice is enrolled in Lanzhou and covered by nothing; Dingxi is open with the bureau `dingxi`.
fn world() -> World {
    let mut world = World::new();
    world.enrol(1);
    open_dingxi(&mut world, Currency::CNY);
    world
}

fn open_dingxi(world: &mut World, currency: Currency) {
    world.admit_in(DINGXI, "dingxi", OrganisationKind::Bureau, None);
    let bureau = organisation("dingxi");
    let open = OpenRegion { region: DINGXI, bureau, currency, settings: settings() };
    world.accepted(&World::governing(), &open);
}

/// Alice is covered as an employee in Lanzhou for 2026.
fn covered() -> World {
    let mut world = world();
    world.accepted(&bureau(), &enrol(EMPLOYEE, "2026-01-01/2026-12-31"));
    world
}

fn row(world: &World) -> CoverageRow {
    view::coverage(world.ledger.state(), ALICE).unwrap()
}

fn standing(world: &World, region: RegionId, on: &str) -> Result<(), Rejection> {
    let state = world.ledger.state();
    view::require_active_coverage(state, ALICE, region, EMPLOYEE, day(on)).map(|_| ())
}

#[track_caller]
fn refused<T>(result: Result<T, Rejection>, code: Code, words: &str) {
    match result {
        Ok(_) => panic!("`{}` was expected", code.name),
        Err(rejection) => {
            assert_eq!(rejection.code.name, code.name, "{rejection}");
            assert!(format!("{rejection}").contains(words), "{rejection}");
        }
    }
}

fn detail(receipt: &Receipt) -> String {
    format!("{}", receipt.rejection_detail.as_ref().unwrap())
}

fn attest(facts: AttestedFacts) -> AttestFacts {
    AttestFacts { person: ALICE, region: REGION, scheme: EMPLOYEE, facts }
}

fn filing(number: u8, place: RegionId, period: &str) -> RecordFiling {
    RecordFiling {
        person: ALICE,
        region: REGION,
        scheme: EMPLOYEE,
        number: SlotId(number),
        filing: Filing::Referral,
        place,
        period: days(period),
        commitment: COMMITMENT,
    }
}

fn slot(number: u8, period: &str) -> AssignSlot {
    AssignSlot {
        person: ALICE,
        region: REGION,
        scheme: EMPLOYEE,
        slot: SlotId(number),
        group: 2,
        amount: Some(fen(1_000)),
        period: days(period),
        commitment: COMMITMENT,
    }
}

fn key(scope: AccumulatorScope, period: &str) -> AccumulatorKey {
    let period: AccumulatorPeriod = period.parse().unwrap();
    AccumulatorKey { scope, number: 1, period, slot: SlotId(0) }
}

fn amounts(entries: &[(&str, u64)]) -> Accumulators {
    entries.iter().map(|(period, value)| (key(AccumulatorScope::Person, period), *value)).collect()
}

/// The world as it is after a settlement set the running amounts.
fn set(world: &mut World, region: RegionId, list: &Accumulators, today: &str) {
    set_for(world, region, None, list, today);
}

fn set_for(
    world: &mut World,
    region: RegionId,
    family: Option<FamilyId>,
    list: &Accumulators,
    today: &str,
) {
    let state = world.ledger.state().clone();
    let mut overlay = Overlay::new(&state);
    let amounts = amounts_of(EMPLOYEE, family, list);
    view::set_running_amounts(&mut overlay, ALICE, region, &amounts, day(today)).unwrap();
    overlay.keep_transaction();
    let writes = overlay.into_writes();
    let mut state = state.clone();
    state.commit(writes.iter().map(|(key, value)| (key.as_slice(), value.as_deref())));
    let (chain_id, tip) = (world.ledger.chain_id(), world.ledger.tip().clone());
    world.ledger = crate::kernel::block::Ledger::new(chain_id, state, tip);
}

/// The running amounts after an adjudication for this family, or none, gave this list.
fn amounts_of(scheme: SchemeId, family: Option<FamilyId>, list: &Accumulators) -> RunningAmounts {
    let mut amounts = RunningAmounts::none(scheme);
    amounts.keep(family, list);
    amounts
}

fn get(world: &World, region: RegionId) -> Accumulators {
    view::accumulators_on(world.ledger.state(), ALICE, region, EMPLOYEE, day("2026-01-01"))
}

fn suspend(from: &str) -> SuspendCoverage {
    SuspendCoverage { person: ALICE, region: REGION, scheme: EMPLOYEE, from: day(from) }
}

fn end(last_day: &str) -> EndCoverage {
    let last_day = day(last_day);
    EndCoverage { person: ALICE, region: REGION, scheme: EMPLOYEE, last_day }
}

fn field<'a>(receipt: &'a Receipt, name: &str) -> &'a FieldValue {
    &receipt.fields.iter().find(|field| &*field.name == name).unwrap().value
}
