//! Attested facts, filings and slots.

use super::*;

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
