//! A coverage that goes to another region.

use super::*;

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
