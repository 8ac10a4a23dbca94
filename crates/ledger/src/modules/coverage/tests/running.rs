//! Running amounts of a person and of a family.

use super::*;

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
