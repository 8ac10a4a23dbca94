//! On which days a coverage holds.

use super::*;

fn resume(from: &str) -> ResumeCoverage {
    ResumeCoverage { person: ALICE, region: REGION, scheme: EMPLOYEE, from: day(from) }
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
