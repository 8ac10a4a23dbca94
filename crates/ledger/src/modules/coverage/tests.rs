#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]
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
    world.admit("dingxi", OrganisationKind::Bureau, None);
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

#[test]
fn the_bureau_enrols_and_the_receipt_says_scheme_place_and_period() {
    let mut world = world();
    let body = enrol(EMPLOYEE, "2026-01-01/2026-12-31");
    world.rejected(&[org("hospital")], &body, organisations::SIGNATURE_MISSING);
    let receipt = world.accepted(&bureau(), &body);
    let names: Vec<&str> = receipt.fields.iter().map(|field| &*field.name).collect();
    assert_eq!(names, ["region", "scheme", "covered_from", "benefits_from", "covered_to"]);
    assert_eq!(receipt.fields[1].value, FieldValue::Number(310));
    assert_eq!(receipt.fields[4].value, FieldValue::Date(day("2026-12-31")));
    let expected = [Party::Person(ALICE), org("bureau")];
    assert_eq!(receipt.events[0].concerns, expected);
    let stranger = EnrolCoverage { person: person(99), ..body.clone() };
    world.rejected(&bureau(), &stranger, persons::UNKNOWN_PERSON);
    let nowhere = EnrolCoverage { region: BEIJING, ..body };
    world.rejected(&bureau(), &nowhere, network::UNKNOWN_REGION);
}

#[test]
fn terms_without_a_day_or_with_facts_that_do_not_fit_are_refused() {
    let mut world = world();
    let wrong = |change: fn(&mut CoverageTerms)| {
        let mut body = enrol(EMPLOYEE, "2026-01-01/2026-12-31");
        change(&mut body.coverage);
        body
    };
    let cases = [
        wrong(|terms| terms.period.to = Some(day("2025-12-31"))),
        wrong(|terms| terms.benefits_from = Some(day("2027-01-01"))),
        wrong(|terms| terms.benefits_from = Some(day("2025-12-31"))),
        wrong(|terms| terms.facts.period = days("2026-01-01/")),
        wrong(|terms| terms.facts.period = days("2026-01-02/2026-12-31")),
        wrong(|terms| terms.facts.period = days("2026-01-01/2025-12-31")),
    ];
    for body in cases {
        world.rejected(&bureau(), &body, rejection::INVALID_PERIOD);
    }
    world.accepted(&bureau(), &wrong(|terms| terms.benefits_from = Some(terms.period.from)));
    assert!(row(&world).coverages[0].suspensions.is_empty());
}

#[test]
fn a_second_place_is_refused_and_the_region_that_holds_it_is_named() {
    let mut world = covered();
    let dingxi = |scheme, period| EnrolCoverage {
        region: DINGXI,
        coverage: terms(scheme, period),
        ..enrol(scheme, period)
    };
    for body in [dingxi(EMPLOYEE, "2026-06-01/"), dingxi(RESIDENT, "2026-12-31/2027-12-31")] {
        let receipt = world.rejected(&[org("dingxi")], &body, rejection::COVERED_ELSEWHERE);
        assert_eq!(detail(&receipt), "region 620100 in scheme 310 until 2026-12-31");
    }
    let same_place = enrol(RESIDENT, "2026-12-31/");
    world.rejected(&bureau(), &same_place, rejection::COVERED_ELSEWHERE);
    world.rejected(&bureau(), &enrol(EMPLOYEE, "2026-12-31/"), rejection::ALREADY_COVERED);
    world.accepted(&bureau(), &enrol(MATERNITY, "2026-01-01/"));
    world.accepted(&[org("dingxi")], &dingxi(RESIDENT, "2027-01-01/"));
    let receipt =
        world.rejected(&bureau(), &enrol(EMPLOYEE, "2028-01-01/"), rejection::COVERED_ELSEWHERE);
    assert_eq!(detail(&receipt), "region 621100 in scheme 390 without end");
}

#[test]
fn a_suspended_coverage_still_holds_the_place() {
    let mut world = covered();
    world.accepted(&bureau(), &suspend("2026-03-01"));
    let body = EnrolCoverage { region: DINGXI, ..enrol(EMPLOYEE, "2026-06-01/") };
    world.rejected(&[org("dingxi")], &body, rejection::COVERED_ELSEWHERE);
}

#[test]
fn the_next_year_prolongs_a_coverage_with_its_filings_and_slots() {
    let mut world = covered();
    world.accepted(&bureau(), &filing(1, BEIJING, "2026-02-01/"));
    let mut next = enrol(EMPLOYEE, "2027-01-01/2027-12-31");
    next.coverage.facts = AttestedFacts { unbroken_years: 5, ..facts("2027-01-01/2027-12-31") };
    world.accepted(&bureau(), &next);
    let row = row(&world);
    assert_eq!(row.coverages.len(), 1);
    assert_eq!(row.coverages[0].period, days("2026-01-01/2027-12-31"));
    assert_eq!(row.coverages[0].filings.len(), 1);
    assert_eq!(row.coverages[0].facts_on(day("2026-12-31")).unwrap().unbroken_years, 4);
    assert_eq!(row.coverages[0].facts_on(day("2027-01-01")).unwrap().unbroken_years, 5);
    world.rejected(&bureau(), &next, rejection::ALREADY_COVERED);
}

#[test]
fn a_row_holds_sixteen_coverages_and_forgets_those_that_ended_two_years_ago() {
    let mut world = world();
    let months = (1..=12).map(|month| (2024, month)).chain((1..=4).map(|month| (2025, month)));
    for (year, month) in months {
        let period = format!("{year}-{month:02}-01/{year}-{month:02}-20");
        world.accepted(&bureau(), &enrol(EMPLOYEE, &period));
    }
    let next = enrol(EMPLOYEE, "2026-02-01/");
    world.rejected(&bureau(), &next, rejection::TOO_MANY_COVERAGES);
    // The first ended on 2024-01-20 and is kept for 731 days, until 2026-01-20.
    world.wait(19 * DAY);
    world.rejected(&bureau(), &next, rejection::TOO_MANY_COVERAGES);
    world.wait(DAY);
    world.accepted(&bureau(), &next);
    assert_eq!(row(&world).coverages.len(), 16);
}

#[test]
fn a_prolonged_coverage_holds_again_although_it_was_suspended() {
    let mut world = covered();
    world.accepted(&bureau(), &suspend("2026-03-01"));
    world.accepted(&bureau(), &enrol(EMPLOYEE, "2027-01-01/"));
    let rested = standing(&world, REGION, "2026-12-31");
    refused(rested, rejection::COVERAGE_SUSPENDED, "it holds again from 2027-01-01");
    standing(&world, REGION, "2027-01-01").unwrap();
}

fn suspend(from: &str) -> SuspendCoverage {
    SuspendCoverage { person: ALICE, region: REGION, scheme: EMPLOYEE, from: day(from) }
}

fn resume(from: &str) -> ResumeCoverage {
    ResumeCoverage { person: ALICE, region: REGION, scheme: EMPLOYEE, from: day(from) }
}

fn end(last_day: &str) -> EndCoverage {
    let last_day = day(last_day);
    EndCoverage { person: ALICE, region: REGION, scheme: EMPLOYEE, last_day }
}

#[test]
fn a_coverage_holds_from_its_first_day_to_its_last() {
    let mut world = world();
    refused(standing(&world, REGION, "2026-01-01"), rejection::NOT_COVERED, "");
    world.accepted(&bureau(), &enrol(EMPLOYEE, "2026-01-01/2026-12-31"));
    let not_yet = standing(&world, REGION, "2025-12-31");
    refused(not_yet, rejection::COVERAGE_NOT_YET, "it holds from 2026-01-01");
    standing(&world, REGION, "2026-01-01").unwrap();
    standing(&world, REGION, "2026-12-31").unwrap();
    let ended = standing(&world, REGION, "2027-01-01");
    refused(ended, rejection::COVERAGE_ENDED, "2026-12-31");
    let elsewhere = standing(&world, DINGXI, "2026-06-01");
    refused(elsewhere, rejection::NOT_COVERED, "region 620100 covers the person in scheme 310");
    world.accepted(&bureau(), &end("2026-06-30"));
    standing(&world, REGION, "2026-06-30").unwrap();
    refused(standing(&world, REGION, "2026-07-01"), rejection::COVERAGE_ENDED, "2026-06-30");
    world.rejected(&bureau(), &end("2026-07-01"), rejection::COVERAGE_ENDED);
    world.rejected(&bureau(), &end("2025-12-31"), rejection::COVERAGE_NOT_YET);
}

#[test]
fn a_waiting_period_names_the_day_from_which_it_holds_and_can_end_early() {
    let mut world = world();
    let mut body = enrol(EMPLOYEE, "2026-01-01/2026-12-31");
    body.coverage.benefits_from = Some(day("2026-04-01"));
    world.accepted(&bureau(), &body);
    let waiting = standing(&world, REGION, "2026-03-31");
    refused(waiting, rejection::COVERAGE_WAITING, "it holds from 2026-04-01");
    standing(&world, REGION, "2026-04-01").unwrap();
    world.accepted(&bureau(), &resume("2026-03-01"));
    refused(standing(&world, REGION, "2026-02-28"), rejection::COVERAGE_WAITING, "2026-03-01");
    standing(&world, REGION, "2026-03-01").unwrap();
    world.accepted(&bureau(), &resume("2026-01-01"));
    standing(&world, REGION, "2026-01-01").unwrap();
}

#[test]
fn a_suspended_coverage_rests_until_it_is_resumed() {
    let mut world = covered();
    world.rejected(&bureau(), &resume("2026-02-01"), rejection::NOT_SUSPENDED);
    world.accepted(&bureau(), &suspend("2026-03-01"));
    world.rejected(&bureau(), &suspend("2026-04-01"), rejection::COVERAGE_SUSPENDED);
    standing(&world, REGION, "2026-02-28").unwrap();
    let rests = standing(&world, REGION, "2026-03-01");
    refused(rests, rejection::COVERAGE_SUSPENDED, "since 2026-03-01, until it is resumed");
    world.accepted(&bureau(), &resume("2026-06-01"));
    let rested = standing(&world, REGION, "2026-05-31");
    refused(rested, rejection::COVERAGE_SUSPENDED, "it holds again from 2026-06-01");
    standing(&world, REGION, "2026-06-01").unwrap();
    world.rejected(&bureau(), &suspend("2026-05-01"), rejection::COVERAGE_SUSPENDED);
    world.rejected(&bureau(), &suspend("2025-05-01"), rejection::COVERAGE_NOT_YET);
    for month in ["07", "08", "09"] {
        world.accepted(&bureau(), &suspend(&format!("2026-{month}-01")));
        world.accepted(&bureau(), &resume(&format!("2026-{month}-15")));
    }
    world.rejected(&bureau(), &suspend("2026-10-01"), rejection::TOO_MANY_SUSPENSIONS);
}

#[test]
fn care_of_a_closed_person_counts_until_the_last_day() {
    let mut world = covered();
    let close = ClosePerson { person: ALICE, last_day: day("2026-01-01") };
    world.accepted(&[org("bureau"), org("authority")], &close);
    standing(&world, REGION, "2026-01-01").unwrap();
    refused(standing(&world, REGION, "2026-01-02"), persons::PERSON_CLOSED, "2026-01-01");
    let body = enrol(MATERNITY, "2026-01-01/");
    world.rejected(&bureau(), &body, persons::PERSON_CLOSED);
    world.accepted(&bureau(), &end("2026-01-01"));
}

#[test]
fn a_lock_does_not_stop_eligibility() {
    let mut world = covered();
    let lock = LockPerson { person: ALICE, by: Actor::OwnKey };
    world.accepted(&[Party::Person(ALICE)], &lock);
    standing(&world, REGION, "2026-02-01").unwrap();
    let state = world.ledger.state();
    view::facts_for(state, ALICE, REGION, EMPLOYEE, REGION, day("2026-02-01")).unwrap();
}

fn attest(facts: AttestedFacts) -> AttestFacts {
    AttestFacts { person: ALICE, region: REGION, scheme: EMPLOYEE, facts }
}

#[test]
fn facts_hold_on_their_days_only_and_the_later_attestation_wins_there() {
    let mut world = covered();
    let low_income = PersonClasses::NONE.with(PersonClass::LowIncome);
    let spring = AttestedFacts { person_classes: low_income, ..facts("2026-03-01/2026-05-31") };
    world.accepted(&bureau(), &attest(spring));
    let classes = |on: &str| {
        view::facts_for(world.ledger.state(), ALICE, REGION, EMPLOYEE, REGION, day(on))
            .map(|facts| facts.person_classes)
    };
    let active = PersonClasses::NONE.with(PersonClass::Active);
    for (on, expected) in [
        ("2026-02-28", active),
        ("2026-03-01", low_income),
        ("2026-05-31", low_income),
        ("2026-06-01", active),
    ] {
        assert_eq!(classes(on).unwrap(), expected, "{on}");
    }
    let endless = attest(facts("2026-03-01/"));
    world.rejected(&bureau(), &endless, rejection::INVALID_PERIOD);
    let late = attest(facts("2027-03-01/2027-12-31"));
    world.rejected(&bureau(), &late, rejection::COVERAGE_ENDED);
    world.rejected(&[org("dingxi")], &attest(spring), organisations::SIGNATURE_MISSING);
}

#[test]
fn a_day_without_attested_facts_is_refused_naming_the_last_one() {
    let mut world = world();
    let mut body = enrol(EMPLOYEE, "2026-01-01/");
    body.coverage.facts = facts("2026-01-01/2026-06-30");
    world.accepted(&bureau(), &body);
    let on =
        |on: &str| view::facts_for(world.ledger.state(), ALICE, REGION, EMPLOYEE, REGION, day(on));
    on("2026-06-30").unwrap();
    refused(on("2026-07-01"), rejection::FACTS_MISSING, "2026-06-30");
}

#[test]
fn a_coverage_holds_at_most_eight_attestations() {
    let mut world = covered();
    // The first attestation of a month splits the long one into two.
    for month in ["02", "04", "06"] {
        let period = format!("2026-{month}-01/2026-{month}-10");
        world.accepted(&bureau(), &attest(facts(&period)));
    }
    assert_eq!(row(&world).coverages[0].facts.len(), 7);
    let splitting = attest(facts("2026-08-01/2026-08-10"));
    world.rejected(&bureau(), &splitting, rejection::TOO_MANY_FACTS);
    world.accepted(&bureau(), &attest(facts("2026-06-11/2030-12-31")));
    world.accepted(&bureau(), &attest(facts("2026-01-01/2026-12-31")));
    assert_eq!(row(&world).coverages[0].facts.len(), 3);
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

fn end_filing(number: u8, last_day: &str) -> EndFiling {
    let (number, last_day) = (SlotId(number), day(last_day));
    EndFiling { person: ALICE, region: REGION, scheme: EMPLOYEE, number, last_day }
}

fn filing_on(world: &World, care: RegionId, on: &str) -> (Place, Filing) {
    let state = world.ledger.state();
    let facts = view::facts_for(state, ALICE, REGION, EMPLOYEE, care, day(on)).unwrap();
    (facts.place, facts.filing)
}

#[test]
fn a_filing_counts_for_its_place_on_its_days() {
    let mut world = covered();
    let district = RegionId(110_105);
    assert_eq!(filing_on(&world, REGION, "2026-02-01"), (Place::Home, Filing::NotNeeded));
    assert_eq!(filing_on(&world, DINGXI, "2026-02-01"), (Place::Province, Filing::Unfiled));
    world.accepted(&bureau(), &filing(1, BEIJING, "2026-02-01/2026-03-31"));
    assert_eq!(filing_on(&world, district, "2026-01-31"), (Place::Elsewhere, Filing::Unfiled));
    assert_eq!(filing_on(&world, district, "2026-02-01"), (Place::Elsewhere, Filing::Referral));
    assert_eq!(filing_on(&world, DINGXI, "2026-02-01"), (Place::Province, Filing::Unfiled));
    let long = RecordFiling { filing: Filing::LongTerm, ..filing(2, district, "2026-03-01/") };
    world.accepted(&bureau(), &long);
    assert_eq!(filing_on(&world, district, "2026-03-01").1, Filing::LongTerm);
    world.accepted(&bureau(), &end_filing(2, "2026-03-10"));
    assert_eq!(filing_on(&world, district, "2026-03-11").1, Filing::Referral);
    assert_eq!(filing_on(&world, district, "2026-04-01").1, Filing::Unfiled);
}

#[test]
fn filings_are_numbered_once_and_are_at_most_eight() {
    let mut world = covered();
    let first = filing(1, BEIJING, "2026-02-01/2026-03-31");
    for wrong in [Filing::NotNeeded, Filing::Unfiled] {
        let body = RecordFiling { filing: wrong, ..first.clone() };
        world.rejected(&bureau(), &body, rejection::INVALID_FILING);
    }
    let zero = RecordFiling { number: SlotId(0), ..first.clone() };
    world.rejected(&bureau(), &zero, rejection::NUMBER_TAKEN);
    let backwards = RecordFiling { period: days("2026-03-01/2026-02-01"), ..first.clone() };
    world.rejected(&bureau(), &backwards, rejection::INVALID_PERIOD);
    world.accepted(&bureau(), &first);
    world.rejected(&bureau(), &first, rejection::NUMBER_TAKEN);
    world.rejected(&bureau(), &end_filing(2, "2026-02-01"), rejection::UNKNOWN_FILING);
    world.rejected(&bureau(), &end_filing(1, "2026-04-01"), rejection::INVALID_PERIOD);
    for number in 2..=8 {
        world.accepted(&bureau(), &filing(number, BEIJING, "2026-02-01/"));
    }
    let ninth = filing(9, BEIJING, "2026-02-01/");
    world.rejected(&bureau(), &ninth, rejection::TOO_MANY_FILINGS);
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

fn end_slot(number: u8, last_day: &str) -> EndSlot {
    let (slot, last_day) = (SlotId(number), day(last_day));
    EndSlot { person: ALICE, region: REGION, scheme: EMPLOYEE, slot, last_day }
}

#[test]
fn a_slot_is_valid_on_its_days_and_its_number_is_used_once() {
    let mut world = covered();
    world.rejected(&bureau(), &slot(0, "2026-02-01/"), rejection::NUMBER_TAKEN);
    let backwards = slot(1, "2026-03-01/2026-02-01");
    world.rejected(&bureau(), &backwards, rejection::INVALID_PERIOD);
    world.accepted(&bureau(), &slot(2, "2026-02-01/"));
    world.accepted(&bureau(), &slot(1, "2026-02-01/2026-02-28"));
    world.rejected(&bureau(), &slot(1, "2026-03-01/"), rejection::NUMBER_TAKEN);
    let slots = |world: &World, on: &str| {
        let state = world.ledger.state();
        view::facts_for(state, ALICE, REGION, EMPLOYEE, REGION, day(on)).unwrap().slots
    };
    let fact = |number| SlotFact { slot: SlotId(number), group: 2, amount: Some(fen(1_000)) };
    assert_eq!(slots(&world, "2026-01-31"), []);
    assert_eq!(slots(&world, "2026-02-28"), [fact(1), fact(2)]);
    assert_eq!(slots(&world, "2026-03-01"), [fact(2)]);
    world.rejected(&bureau(), &end_slot(3, "2026-03-31"), rejection::UNKNOWN_SLOT);
    world.rejected(&bureau(), &end_slot(2, "2026-01-31"), rejection::INVALID_PERIOD);
    world.accepted(&bureau(), &end_slot(2, "2026-03-31"));
    assert_eq!(slots(&world, "2026-04-01"), []);
}

#[test]
fn a_coverage_holds_at_most_sixteen_slots() {
    let mut world = covered();
    for number in 1..=16 {
        world.accepted(&bureau(), &slot(number, "2026-02-01/"));
    }
    world.rejected(&bureau(), &slot(17, "2026-02-01/"), rejection::TOO_MANY_SLOTS);
}

#[test]
fn what_is_known_goes_into_the_facts_of_a_visit() {
    let mut world = covered();
    world.accepted(&bureau(), &slot(1, "2026-02-01/"));
    let family = Some(FamilyId([4; 16]));
    let shared = AttestedFacts { family, month_of_75: true, ..facts("2026-01-01/2026-12-31") };
    world.accepted(&bureau(), &attest(shared));
    let state = world.ledger.state();
    let known =
        view::facts_for(state, ALICE, REGION, EMPLOYEE, BEIJING, day("2026-02-01")).unwrap();
    let mut facts = benefit::Facts::new(VisitType::Outpatient, HospitalLevel::Primary);
    known.fill(&mut facts);
    assert_eq!((facts.place, facts.filing), (Place::Elsewhere, Filing::Unfiled));
    assert_eq!((facts.age, facts.sex), (AgeBand::new(30, 60).unwrap(), Sex::Female));
    assert_eq!((facts.unbroken_years, facts.claim_free_years), (4, 1));
    assert_eq!((facts.month_of_75, facts.in_family, facts.slots.len()), (true, true, 1));
}

fn key(scope: AccumulatorScope, period: &str) -> AccumulatorKey {
    let period: AccumulatorPeriod = period.parse().unwrap();
    AccumulatorKey { scope, number: 1, period, slot: SlotId(0) }
}

fn amounts(entries: &[(&str, u64)]) -> Accumulators {
    entries.iter().map(|(period, value)| (key(AccumulatorScope::Person, period), *value)).collect()
}

/// The running amounts after an adjudication for this family, or none, gave this list.
fn amounts_of(scheme: SchemeId, family: Option<FamilyId>, list: &Accumulators) -> RunningAmounts {
    let mut amounts = RunningAmounts::none(scheme);
    amounts.keep(family, list);
    amounts
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

fn get(world: &World, region: RegionId) -> Accumulators {
    view::accumulators_on(world.ledger.state(), ALICE, region, EMPLOYEE, day("2026-01-01"))
}

#[test]
fn running_amounts_forget_what_is_two_years_past_and_never_lifetime_ones() {
    let mut world = covered();
    assert!(get(&world, REGION).is_empty());
    let all = [("2022", 1), ("2023", 2), ("2026-01", 3), ("lifetime", 4), ("visit", 5)];
    set(&mut world, REGION, &amounts(&all), "2025-12-31");
    let kept = [("2023", 2), ("2026-01", 3), ("lifetime", 4)];
    assert_eq!(get(&world, REGION), amounts(&kept));
    // In 2026 the next change of the row, whatever it is, puts away what is past by then.
    world.accepted(&bureau(), &attest(facts("2026-01-01/2026-12-31")));
    assert_eq!(get(&world, REGION), amounts(&[("2026-01", 3), ("lifetime", 4)]));
}

#[test]
fn running_amounts_need_a_coverage_row() {
    let world = world();
    let mut overlay = Overlay::new(world.ledger.state());
    let list = amounts_of(EMPLOYEE, None, &amounts(&[("2026", 1)]));
    let today = day("2026-01-01");
    let result = view::set_running_amounts(&mut overlay, ALICE, REGION, &list, today);
    refused(result, rejection::NOT_COVERED, "");
    assert!(view::running_amounts(&overlay, ALICE, REGION, EMPLOYEE).own().is_empty());
}

#[test]
fn running_amounts_are_at_most_eight_lists_of_1024() {
    let world = covered();
    let mut overlay = Overlay::new(world.ledger.state());
    let today = day("2026-01-01");
    let mut set = |scheme, list: &Accumulators| {
        let amounts = amounts_of(SchemeId(scheme), None, list);
        view::set_running_amounts(&mut overlay, ALICE, REGION, &amounts, today)
    };
    let list = |length: u16| -> Accumulators {
        let key = |number| AccumulatorKey { number, ..key(AccumulatorScope::Person, "2026") };
        (0..length).map(|number| (key(number), 1)).collect()
    };
    set(1, &list(1_024)).unwrap();
    refused(set(1, &list(1_025)), rejection::TOO_MANY_COUNTERS, "");
    for scheme in 2..=8 {
        set(scheme, &list(1)).unwrap();
    }
    refused(set(9, &list(1)), rejection::TOO_MANY_COUNTERS, "");
}

#[test]
fn a_family_shares_its_running_amounts() {
    let mut world = world();
    world.enrol(2);
    let family = Some(FamilyId([4; 16]));
    for number in [1, 2] {
        let mut body = enrol(EMPLOYEE, "2026-01-01/");
        body.person = person(number);
        body.coverage.facts.family = family;
        world.accepted(&bureau(), &body);
    }
    let own = key(AccumulatorScope::Person, "2026");
    let shared = key(AccumulatorScope::Family, "2026");
    let list: Accumulators = [(own, 5), (shared, 7)].into_iter().collect();
    set_for(&mut world, REGION, family, &list, "2026-01-01");
    assert_eq!(get(&world, REGION), list);
    let (state, today) = (world.ledger.state(), day("2026-01-01"));
    let others = view::accumulators_on(state, person(2), REGION, EMPLOYEE, today);
    assert_eq!((others.get(&own), others.get(&shared)), (0, 7));
}

/// What a person without a family has borne is not the family's that the person joins later.
#[test]
fn amounts_of_a_family_and_of_somebody_alone_are_never_mixed() {
    let state = covered().ledger.state().clone();
    let (own, shared) =
        (key(AccumulatorScope::Person, "2026"), key(AccumulatorScope::Family, "2026"));
    let family = Some(FamilyId([4; 16]));
    let mut amounts = RunningAmounts::none(EMPLOYEE);
    amounts.keep(None, &[(own, 5), (shared, 7)].into_iter().collect());
    let mut seen = amounts.seen(&state, family);
    assert_eq!((seen.get(&own), seen.get(&shared)), (5, 0));
    seen.set(shared, 9);
    amounts.keep(family, &seen);
    assert_eq!(amounts.seen(&state, family).get(&shared), 9);
    assert_eq!(amounts.seen(&state, None).get(&shared), 7);
}

#[test]
fn undoing_takes_from_the_family_that_was_counted_and_skips_what_was_put_away() {
    let state = covered().ledger.state().clone();
    let shared = key(AccumulatorScope::Family, "2026");
    let past = key(AccumulatorScope::Person, "2020");
    let (first, second) = (Some(FamilyId([4; 16])), Some(FamilyId([5; 16])));
    let mut amounts = RunningAmounts::none(EMPLOYEE);
    amounts.keep(first, &[(shared, 9)].into_iter().collect());
    amounts.keep(second, &[(shared, 3)].into_iter().collect());
    let changes = [
        AccumulatorChange { key: shared, before: 2, after: 9 },
        AccumulatorChange { key: past, before: 40, after: 50 },
    ];
    let today = day("2026-03-01");
    let mut undone = amounts.clone();
    undone.undo(&state, first, &changes, today).unwrap();
    let seen = undone.seen(&state, first);
    assert_eq!((seen.get(&shared), seen.get(&past)), (2, 40));
    assert_eq!(undone.seen(&state, second).get(&shared), 3);
    assert!(amounts.undo(&state, second, &changes, today).is_err(), "less is there");
}

fn move_to(to_region: RegionId, first_day: &str, keep_counters: bool) -> MoveCoverage {
    MoveCoverage {
        person: ALICE,
        scheme: EMPLOYEE,
        from_region: if to_region == REGION { DINGXI } else { REGION },
        to_region,
        first_day: day(first_day),
        keep_counters,
        facts: facts("2026-01-01/2030-12-31"),
    }
}

#[test]
fn both_bureaus_sign_a_move_and_filings_and_slots_stay_behind() {
    let mut world = covered();
    world.accepted(&bureau(), &slot(1, "2026-02-01/"));
    let body = move_to(DINGXI, "2026-07-01", true);
    world.rejected(&bureau(), &body, organisations::SIGNATURE_MISSING);
    world.rejected(&[org("dingxi")], &body, organisations::SIGNATURE_MISSING);
    let same = MoveCoverage { to_region: REGION, ..body.clone() };
    world.rejected(&bureau(), &same, rejection::SAME_PLACE);
    let late_facts = MoveCoverage { facts: facts("2026-07-02/2026-12-31"), ..body.clone() };
    world.rejected(&both(), &late_facts, rejection::INVALID_PERIOD);
    world.rejected(&both(), &move_to(DINGXI, "2026-01-01", true), rejection::INVALID_PERIOD);
    let receipt = world.accepted(&both(), &body);
    let concerns = &receipt.events[0].concerns;
    assert!(both().iter().all(|bureau| concerns.contains(bureau)));
    standing(&world, REGION, "2026-06-30").unwrap();
    refused(standing(&world, REGION, "2026-07-01"), rejection::COVERAGE_ENDED, "2026-06-30");
    standing(&world, DINGXI, "2026-07-01").unwrap();
    refused(standing(&world, DINGXI, "2026-06-30"), rejection::COVERAGE_NOT_YET, "2026-07-01");
    refused(standing(&world, DINGXI, "2027-01-01"), rejection::COVERAGE_ENDED, "2026-12-31");
    let state = world.ledger.state();
    let there = view::facts_for(state, ALICE, DINGXI, EMPLOYEE, DINGXI, day("2026-07-01"));
    assert!(there.unwrap().slots.is_empty());
}

#[test]
fn a_suspended_coverage_does_not_move() {
    let mut world = covered();
    world.accepted(&bureau(), &suspend("2026-03-01"));
    let body = move_to(DINGXI, "2026-07-01", true);
    world.rejected(&both(), &body, rejection::COVERAGE_SUSPENDED);
}

#[test]
fn running_amounts_go_along_when_the_bureaus_say_so() {
    let mut world = covered();
    set(&mut world, REGION, &amounts(&[("2026", 5)]), "2026-01-01");
    world.accepted(&both(), &move_to(DINGXI, "2026-07-01", true));
    assert_eq!(get(&world, DINGXI), amounts(&[("2026", 5)]));
    set(&mut world, DINGXI, &amounts(&[("2026", 9)]), "2026-07-01");
    // A refund of care in the old place finds the same amounts.
    assert_eq!(get(&world, REGION), amounts(&[("2026", 9)]));
    world.accepted(&both(), &move_to(REGION, "2026-09-01", true));
    assert_eq!(get(&world, REGION), amounts(&[("2026", 9)]));
    assert_eq!(row(&world).counters.len(), 1);
}

#[test]
fn running_amounts_stay_behind_otherwise_and_add_up_when_they_meet() {
    let mut world = covered();
    set(&mut world, REGION, &amounts(&[("2026", 5)]), "2026-01-01");
    world.accepted(&both(), &move_to(DINGXI, "2026-07-01", false));
    assert!(get(&world, DINGXI).is_empty());
    assert_eq!(get(&world, REGION), amounts(&[("2026", 5)]));
    set(&mut world, DINGXI, &amounts(&[("2026", 3), ("lifetime", 2)]), "2026-07-01");
    world.accepted(&both(), &move_to(REGION, "2026-09-01", true));
    let together = amounts(&[("2026", 8), ("lifetime", 2)]);
    assert_eq!((get(&world, REGION), get(&world, DINGXI)), (together.clone(), together));
}

#[test]
fn running_amounts_never_change_their_currency() {
    let mut world = World::new();
    world.enrol(1);
    open_dingxi(&mut world, Currency::JPY);
    world.accepted(&bureau(), &enrol(EMPLOYEE, "2026-01-01/"));
    world.rejected(&both(), &move_to(DINGXI, "2026-07-01", true), kernel::CURRENCY_MISMATCH);
    world.accepted(&both(), &move_to(DINGXI, "2026-07-01", false));
}

fn imported(number: u8) -> ImportedPerson {
    let key = NewKey {
        key: public("any"),
        grade: KeyGrade::Device,
        payment_max: fen(1),
        day_max: fen(1),
    };
    let new = NewPerson {
        id: person(number),
        commitment: COMMITMENT,
        blind_index: sha256(&[number]),
        keys: vec![key],
    };
    ImportedPerson { person: new, coverage: Some(terms(EMPLOYEE, "2026-01-01/")) }
}

fn field<'a>(receipt: &'a Receipt, name: &str) -> &'a FieldValue {
    &receipt.fields.iter().find(|field| &*field.name == name).unwrap().value
}

#[test]
fn a_wrong_row_of_an_import_stops_no_other_and_leaves_nothing() {
    let mut world = world();
    let mut twin = imported(12);
    twin.person.blind_index = sha256(&[11]);
    let mut endless = imported(13);
    endless.coverage.as_mut().unwrap().facts.period.to = None;
    let mut uncovered = imported(14);
    uncovered.coverage = None;
    let rows = vec![imported(11), twin, endless, uncovered, imported(11)];
    let body = ImportPersons { region: REGION, rows };
    world.rejected(&bureau(), &body, persons::IDENTITY_CHECK_MISSING);
    let signers = [org("bureau"), org("authority")];
    let receipt = world.accepted(&signers, &body);
    let counts = ["rows", "accepted", "refused"].map(|name| field(&receipt, name).clone());
    assert_eq!(counts, [5, 2, 3].map(FieldValue::Number));
    let FieldValue::Text(list) = field(&receipt, "refused.00") else { panic!("a text") };
    assert_eq!(&**list, "1:304 2:409 4:302");
    let state = world.ledger.state();
    for (number, enrolled, covered) in
        [(11, true, true), (12, false, false), (13, false, false), (14, true, false)]
    {
        let id = person(number);
        let is_enrolled = crate::modules::person::view::person(state, id).is_some();
        assert_eq!((is_enrolled, view::coverage(state, id).is_some()), (enrolled, covered));
    }
    assert!(receipt.concerns.iter().all(|party| signers.contains(party)), "no person is named");
}

#[test]
fn every_refused_row_of_a_full_batch_is_listed() {
    let mut world = world();
    let one = ImportedCoverage { person: person(99), coverage: terms(EMPLOYEE, "2026-01-01/") };
    let body = ImportCoverages { region: REGION, rows: vec![one.clone(); BATCH_ROWS_MAX] };
    let receipt = world.accepted(&bureau(), &body);
    let lists = receipt.fields.iter().filter(|field| field.name.starts_with("refused."));
    let joined: Vec<String> = lists.map(|field| format!("{}", field.value)).collect();
    let entries: Vec<&str> = joined.iter().flat_map(|list| list.split(' ')).collect();
    let expected: Vec<String> = (0..500).map(|row| format!("{row}:301")).collect();
    assert_eq!(entries, expected);
    for rows in [0, BATCH_ROWS_MAX + 1] {
        let body = ImportCoverages { region: REGION, rows: vec![one.clone(); rows] };
        world.rejected(&bureau(), &body, rejection::INVALID_BATCH);
        let body = ImportPersons { region: REGION, rows: vec![imported(1); rows] };
        world.rejected(&[org("bureau"), org("authority")], &body, rejection::INVALID_BATCH);
    }
}

#[test]
fn a_yearly_list_prolongs_coverage() {
    let mut world = covered();
    let coverage = terms(EMPLOYEE, "2027-01-01/2027-12-31");
    let rows = vec![ImportedCoverage { person: ALICE, coverage }];
    let body = ImportCoverages { region: REGION, rows };
    world.rejected(&[org("dingxi")], &body, organisations::SIGNATURE_MISSING);
    let receipt = world.accepted(&bureau(), &body);
    assert_eq!(field(&receipt, "accepted"), &FieldValue::Number(1));
    standing(&world, REGION, "2027-12-31").unwrap();
}

#[test]
fn a_coverage_with_two_running_amounts_takes_little_room() {
    let mut world = World::new();
    world.enrol(1);
    world.cover(1, EMPLOYEE);
    set(&mut world, REGION, &amounts(&[("2026", 5), ("lifetime", 9)]), "2026-01-01");
    let bytes = codec::encode(&row(&world)).len();
    assert!(bytes <= 112, "{bytes} bytes");
}
