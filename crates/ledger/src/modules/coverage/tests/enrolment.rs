//! Coverages: enrolled, prolonged, one place at a time.

use super::*;

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
