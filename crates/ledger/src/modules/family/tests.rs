#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]
use super::*;
use crate::kernel::month::CalendarMonth;
use crate::modules::coverage::{AttestFacts, AttestedFacts, CoverageTerms, EnrolCoverage};
use crate::modules::fund::{CreditPersonalAccounts, CreditRow, CreditSource};
use crate::modules::organisation::rejection as organisations;
use crate::modules::person::{Actor, LockPerson, rejection as persons};
use crate::testing::{DAY, REGION, World, fen, organisation, person as id};
use alloc::{vec, vec::Vec};
use primitives::{CivilDate, Party, Period, SchemeId, Text, Timestamp, UtcOffset, sha256};

mod transfers;

const EMPLOYEE: SchemeId = SchemeId(310);
/// A child of between 5 and 10 years.
const CHILD: u8 = 9;

fn party(code: &str) -> Party {
    Party::Organisation(organisation(code))
}

fn by(number: u8) -> Party {
    Party::Person(id(number))
}

fn relations() -> Vec<Relation> {
    [(1, "parent"), (2, "child")]
        .map(|(number, name)| Relation { number, name: Text::new(name).unwrap() })
        .to_vec()
}

fn proxy_rules() -> ProxyRules {
    ProxyRules {
        relations: relations(),
        members_per_payer_per_month_max: 3,
        bindings_per_member_per_month_max: 2,
        members_per_payer_max: 4,
        own_consent_age: 16,
        application_days_max: 30,
        payment_max: fen(100_000),
        excluded_visit_types: vec![],
        source: Text::new("made up for tests").unwrap(),
    }
}

fn aid_rules() -> AidRules {
    AidRules {
        relations: relations(),
        members_per_payer_max: 2,
        accounts_per_bill_max: 3,
        direct_below_age: 16,
        pays_premiums: true,
        bill_max: fen(50_000),
        month_max: fen(100_000),
        year_max: fen(200_000),
        source: Text::new("made up for tests").unwrap(),
    }
}

/// Somebody of this age, to the end of 2026.
fn aged(age: u8, below: u8, from: CivilDate) -> AttestedFacts {
    AttestedFacts {
        period: Period { from, to: CivilDate::from_ymd(2026, 12, 31) },
        age: benefit::AgeBand::new(age, below).unwrap(),
        sex: benefit::Sex::Unstated,
        person_classes: benefit::PersonClasses::NONE,
        income_class: benefit::IncomeClass::NONE,
        unbroken_years: 0,
        claim_free_years: 0,
        month_of_75: false,
        family: None,
    }
}

/// A world with the adults 1 to 8, of whom 1 has an account, and the child 9.
fn world() -> World {
    let mut world = World::new();
    for number in 1..=9 {
        world.enrol(number);
    }
    world.cover(1, EMPLOYEE);
    world.cover(2, EMPLOYEE);
    let first = CivilDate::from_ymd(2026, 1, 1).unwrap();
    let facts = aged(5, 10, first);
    let period = Period { from: first, to: None };
    let coverage = CoverageTerms { scheme: SchemeId(390), period, benefits_from: None, facts };
    let enrol = EnrolCoverage { person: id(CHILD), region: REGION, coverage };
    world.accepted(&[party("bureau")], &enrol);
    let credit = CreditPersonalAccounts {
        region: REGION,
        source: CreditSource::Outside,
        month: CalendarMonth { year: 2026, month: 1 },
        batch: 1,
        rows: vec![CreditRow { person: id(1), amount: fen(100_000) }],
    };
    world.accepted(&[party("bureau")], &credit);
    world.accepted(&[party("bureau")], &SetProxyRules { region: REGION, rules: proxy_rules() });
    world.accepted(&[party("bureau")], &SetAidRules { region: REGION, rules: aid_rules() });
    world
}

fn bind(payer: u8, member: u8) -> BindMember {
    let agreement = Agreement::OwnKey;
    BindMember { payer: id(payer), member: id(member), relation: 1, agreement }
}

fn bound(world: &mut World, payer: u8, member: u8) {
    world.accepted(&[by(payer), by(member)], &bind(payer, member));
}

fn unbind(payer: u8, member: u8, side: BindingSide) -> UnbindMember {
    UnbindMember { payer: id(payer), member: id(member), side, actor: Actor::OwnKey }
}

fn apply(payer: u8, member: u8) -> ApplyForBinding {
    let documents = sha256(b"household register");
    ApplyForBinding { payer: id(payer), member: id(member), relation: 1, documents }
}

fn decide(payer: u8, member: u8, decision: BindingDecision) -> DecideBinding {
    DecideBinding { payer: id(payer), member: id(member), decision }
}

fn day(text: &str) -> CivilDate {
    text.parse().unwrap()
}

/// Waits until so many milliseconds before midnight of the region.
fn wait_until(world: &mut World, date: &str, before: u64) {
    let midnight = Timestamp::start_of(day(date), UtcOffset(480));
    world.wait(midnight.millis() - world.now.millis() - before);
}

#[test]
fn a_member_agrees_by_key_by_face_or_at_a_desk() {
    let mut world = world();
    world.rejected(&[by(1)], &bind(1, 2), persons::SIGNATURE_MISSING);
    world.rejected(&[by(2)], &bind(1, 2), persons::SIGNATURE_MISSING);
    bound(&mut world, 1, 2);
    world.rejected(&[by(1), by(2)], &bind(1, 2), rejection::ALREADY_BOUND);
    let face = BindMember { agreement: Agreement::Face, ..bind(1, 3) };
    world.rejected(&[by(1), party("bureau")], &face, persons::IDENTITY_CHECK_MISSING);
    world.rejected(&[by(1), party("authority")], &face, organisations::SIGNATURE_MISSING);
    world.accepted(&[by(1), party("bureau"), party("authority")], &face);
    let desk = BindMember { agreement: Agreement::Desk, ..bind(1, 4) };
    world.rejected(&[by(1), party("hospital")], &desk, organisations::SIGNATURE_MISSING);
    world.accepted(&[by(1), party("bureau")], &desk);
    let state = world.ledger.state();
    let ground = |member| view::binding(state, id(1), id(member)).unwrap().ground;
    let grounds = [2, 3, 4].map(ground);
    assert_eq!(grounds, [BindingGround::OwnKey, BindingGround::Face, BindingGround::Desk]);
}

#[test]
fn every_refusal_says_which_check_failed() {
    let mut world = world();
    world.rejected(&[by(1)], &bind(1, 1), rejection::NOT_TWO_PERSONS);
    let standing = BindMember { agreement: Agreement::Standing, ..bind(1, 2) };
    world.rejected(&[by(1)], &standing, rejection::AGREEMENT_MISSING);
    let unknown = BindMember { relation: 7, ..bind(1, 2) };
    world.rejected(&[by(1), by(2)], &unknown, rejection::RELATION_NOT_ACCEPTED);
    world.rejected(&[by(1), by(CHILD)], &bind(1, CHILD), rejection::MEMBER_UNDER_AGE);
    world.rejected(&[by(1)], &apply(1, 2), rejection::MEMBER_OF_AGE);
    world.accepted(&[by(2)], &LockPerson { person: id(2), by: Actor::OwnKey });
    world.rejected(&[by(1), by(2)], &bind(1, 2), persons::PERSON_LOCKED);
    world.rejected(&[by(2), by(3)], &bind(2, 3), persons::PERSON_LOCKED);
}

#[test]
fn a_payer_binds_so_many_members_a_month_and_failed_tries_cost_nothing() {
    let mut world = world();
    wait_until(&mut world, "2026-02-01", 60_000);
    for _ in 0..5 {
        world.rejected(&[by(1)], &bind(1, 2), persons::SIGNATURE_MISSING);
    }
    for member in [2, 3, 4] {
        bound(&mut world, 1, member);
    }
    world.rejected(&[by(1), by(5)], &bind(1, 5), rejection::PAYER_MONTH_LIMIT);
    world.accepted(&[by(1)], &unbind(1, 2, BindingSide::Payer));
    world.rejected(&[by(1), by(5)], &bind(1, 5), rejection::PAYER_MONTH_LIMIT);
    // Midnight of the region is 16:00 of the day before in UTC.
    world.wait(60_000);
    bound(&mut world, 1, 5);
    bound(&mut world, 1, 6);
    world.rejected(&[by(1), by(7)], &bind(1, 7), rejection::TOO_MANY_MEMBERS);
    world.accepted(&[by(1)], &unbind(1, 6, BindingSide::Payer));
    bound(&mut world, 1, 7);
    world.accepted(&[by(1)], &unbind(1, 7, BindingSide::Payer));
    world.rejected(&[by(1), by(8)], &bind(1, 8), rejection::PAYER_MONTH_LIMIT);
}

#[test]
fn a_member_is_bound_so_often_a_month() {
    let mut world = world();
    wait_until(&mut world, "2026-03-01", 60_000);
    bound(&mut world, 1, 4);
    world.accepted(&[by(4)], &unbind(1, 4, BindingSide::Member));
    bound(&mut world, 1, 4);
    world.accepted(&[by(4)], &unbind(1, 4, BindingSide::Member));
    world.rejected(&[by(2), by(4)], &bind(2, 4), rejection::MEMBER_MONTH_LIMIT);
    world.wait(60_000);
    bound(&mut world, 2, 4);
}

#[test]
fn a_member_has_so_many_payers_whatever_a_region_sets() {
    let mut world = world();
    let rules = ProxyRules { bindings_per_member_per_month_max: 32, ..proxy_rules() };
    world.accepted(&[party("bureau")], &SetProxyRules { region: REGION, rules });
    for payer in 11..=26 {
        world.enrol(payer);
        bound(&mut world, payer, 2);
    }
    world.rejected(&[by(1), by(2)], &bind(1, 2), rejection::TOO_MANY_PAYERS);
    world.accepted(&[by(2)], &unbind(11, 2, BindingSide::Member));
    bound(&mut world, 1, 2);
}

#[test]
fn binding_races_in_one_block_keep_the_limit() {
    let mut world = world();
    let all: Vec<_> = (2..=8)
        .map(|member| {
            let content = world.content(by(1), &bind(1, member));
            world.sign(&content, &[by(1), by(member)])
        })
        .collect();
    crate::execute_block(&mut world.ledger, world.now, &all);
    assert_eq!(view::family(world.ledger.state(), id(1)).members.len(), 3);
}

#[test]
fn either_side_unbinds_at_once_also_while_locked() {
    let mut world = world();
    for (locked, side) in [(1, BindingSide::Payer), (2, BindingSide::Member)] {
        let mut world = self::world();
        bound(&mut world, 1, 2);
        world.accepted(&[by(locked)], &LockPerson { person: id(locked), by: Actor::OwnKey });
        world.rejected(&[by(3)], &unbind(1, 2, side), persons::SIGNATURE_MISSING);
        world.accepted(&[by(locked)], &unbind(1, 2, side));
        let state = world.ledger.state();
        assert_eq!(view::binding(state, id(1), id(2)), None);
        let lists = (view::family(state, id(1)).members, view::family(state, id(2)).payers);
        assert_eq!(lists, (vec![], vec![]));
    }
    world.rejected(&[by(1)], &unbind(1, 2, BindingSide::Payer), rejection::NOT_BOUND);
    bound(&mut world, 1, 2);
    let desk = UnbindMember { actor: Actor::Desk, ..unbind(1, 2, BindingSide::Member) };
    world.accepted(&[party("bureau")], &desk);
}

#[test]
fn a_child_is_bound_by_documents_until_it_agrees_itself() {
    let mut world = world();
    let until = day("2026-06-30");
    let agree = decide(1, CHILD, BindingDecision::Agree { until });
    world.rejected(&[party("bureau")], &agree, rejection::NO_APPLICATION);
    world.accepted(&[by(1)], &apply(1, CHILD));
    world.rejected(&[by(1)], &apply(1, CHILD), rejection::APPLICATION_WAITS);
    world.rejected(&[party("hospital")], &agree, organisations::SIGNATURE_MISSING);
    for wrong in ["2026-01-01", "2050-01-01"] {
        let wrong = decide(1, CHILD, BindingDecision::Agree { until: day(wrong) });
        world.rejected(&[party("bureau")], &wrong, rejection::INVALID_BINDING_END);
    }
    let reason = RefusalReason::Unreadable;
    world.accepted(&[party("bureau")], &decide(1, CHILD, BindingDecision::Refuse { reason }));
    assert_eq!(view::binding(world.ledger.state(), id(1), id(CHILD)), None);
    assert_eq!(view::family(world.ledger.state(), id(1)).bound, None, "a refusal costs no slot");
    // The payer finds the reason until the next application.
    let refusal = view::refusal(world.ledger.state(), id(1), id(CHILD)).unwrap();
    assert_eq!((refusal.reason, refusal.decided), (reason, world.now));
    assert_eq!(view::family(world.ledger.state(), id(1)).applied_for, [id(CHILD)]);
    world.accepted(&[by(1)], &apply(1, CHILD));
    assert_eq!(view::refusal(world.ledger.state(), id(1), id(CHILD)), None);
    world.accepted(&[party("bureau")], &agree);
    assert_eq!(view::family(world.ledger.state(), id(1)).applied_for, []);
    world.rejected(&[by(1)], &apply(1, CHILD), rejection::ALREADY_BOUND);
    let binding = view::binding(world.ledger.state(), id(1), id(CHILD)).unwrap();
    assert!(binding.holds_on(until) && !binding.holds_on(until.plus_days(1).unwrap()));
}

#[test]
fn turning_of_age_changes_the_consent_without_a_slot() {
    let mut world = world();
    // Of this one nothing is attested, so the bureau goes by the documents alone.
    world.accepted(&[by(1)], &apply(1, 8));
    let until = day("2026-01-31");
    world.accepted(&[party("bureau")], &decide(1, 8, BindingDecision::Agree { until }));
    let slots = view::family(world.ledger.state(), id(1)).bound;
    wait_until(&mut world, "2026-02-02", 0);
    bound(&mut world, 1, 8);
    let state = world.ledger.state();
    let binding = view::binding(state, id(1), id(8)).unwrap();
    assert_eq!((binding.ground, binding.until), (BindingGround::OwnKey, None));
    let row = view::family(state, id(1));
    assert_eq!((row.bound, row.members), (slots, vec![id(8)]));
}

#[test]
fn documents_agree_for_nobody_who_is_attested_to_be_old_enough() {
    let mut world = world();
    world.accepted(&[by(1)], &apply(1, CHILD));
    let until = day("2026-12-31");
    world.accepted(&[party("bureau")], &decide(1, CHILD, BindingDecision::Agree { until }));
    let pair = (id(1), id(CHILD));
    let today = day("2026-01-02");
    assert!(view::holds(world.ledger.state(), pair, today));
    assert!(!view::holds(world.ledger.state(), pair, day("2027-01-01")), "after its last day");
    // The bureau attests that the child has turned sixteen, earlier than the documents end.
    let facts = aged(16, 18, today);
    let attest = AttestFacts { person: id(CHILD), region: REGION, scheme: SchemeId(390), facts };
    wait_until(&mut world, "2026-01-03", 0);
    world.accepted(&[party("bureau")], &attest);
    assert!(!view::holds(world.ledger.state(), pair, day("2026-01-03")));
    let standing = GrantAid {
        payer: id(1),
        member: id(CHILD),
        terms: terms(),
        agreement: Agreement::Standing,
    };
    world.rejected(&[by(1)], &standing, rejection::AGREEMENT_MISSING);
    let slots = view::family(world.ledger.state(), id(1)).bound;
    bound(&mut world, 1, CHILD);
    assert!(
        view::holds(world.ledger.state(), pair, day("2027-06-01")),
        "the own consent has no end"
    );
    assert_eq!(view::family(world.ledger.state(), id(1)).bound, slots, "it takes no slot");
}

#[test]
fn an_application_is_decided_in_time_and_takes_the_slot_of_its_decision() {
    let mut world = world();
    world.accepted(&[by(1)], &apply(1, CHILD));
    for member in [2, 3, 4] {
        bound(&mut world, 1, member);
    }
    let agree = decide(1, CHILD, BindingDecision::Agree { until: day("2026-12-31") });
    world.rejected(&[party("bureau")], &agree, rejection::PAYER_MONTH_LIMIT);
    assert!(view::application(world.ledger.state(), id(1), id(CHILD)).is_some(), "it waits on");
    world.wait(31 * DAY);
    world.rejected(&[party("bureau")], &agree, rejection::APPLICATION_EXPIRED);
    world.accepted(&[by(1)], &apply(1, CHILD));
    world.accepted(&[party("bureau")], &agree);
}

#[test]
fn what_was_refused_makes_place_for_a_new_application_and_what_waits_does_not() {
    let mut world = world();
    for member in 3..=6 {
        world.accepted(&[by(1)], &apply(1, member));
    }
    world.rejected(&[by(1)], &apply(1, 7), rejection::TOO_MANY_MEMBERS);
    let reason = RefusalReason::RelationNotProven;
    world.accepted(&[party("bureau")], &decide(1, 4, BindingDecision::Refuse { reason }));
    world.accepted(&[by(1)], &apply(1, 7));
    assert_eq!(view::family(world.ledger.state(), id(1)).applied_for, [3, 5, 6, 7].map(id));
    // Whoever applies again is in the list already, or takes the next place.
    world.rejected(&[by(1)], &apply(1, 4), rejection::TOO_MANY_MEMBERS);
    world.wait(31 * DAY);
    world.accepted(&[by(1)], &apply(1, 4));
    assert_eq!(view::family(world.ledger.state(), id(1)).applied_for, [id(4)]);
}

fn terms() -> AidTerms {
    AidTerms {
        relation: 1,
        purpose: AidPurpose::Care,
        visit_types: vec![],
        bill_max: fen(10_000),
        month_max: fen(20_000),
        year_max: fen(30_000),
        rank: 0,
        until: None,
    }
}

fn aid(payer: u8, member: u8, agreement: Agreement) -> GrantAid {
    GrantAid { payer: id(payer), member: id(member), terms: terms(), agreement }
}

#[test]
fn aid_needs_the_payer_and_an_agreement_that_stands_or_is_given() {
    let mut world = world();
    let standing = aid(1, 2, Agreement::Standing);
    world.rejected(&[by(1)], &standing, rejection::AGREEMENT_MISSING);
    bound(&mut world, 1, 2);
    world.rejected(&[by(2)], &standing, persons::SIGNATURE_MISSING);
    world.accepted(&[by(1)], &standing);
    world.rejected(&[by(1)], &standing, rejection::AID_EXISTS);
    // Below the region's age nobody is asked.
    world.accepted(&[by(1)], &aid(1, CHILD, Agreement::Standing));
    let third = aid(1, 3, Agreement::OwnKey);
    world.rejected(&[by(1), by(3)], &third, rejection::TOO_MANY_HELPED);
    let poor = aid(4, 3, Agreement::OwnKey);
    world.rejected(&[by(4), by(3)], &poor, rejection::NO_ACCOUNT);
}

#[test]
fn limits_of_a_grant_rise_and_stay_within_the_regions() {
    let mut world = world();
    let grant = |terms| GrantAid { terms, ..aid(1, 2, Agreement::OwnKey) };
    let signers = [by(1), by(2)];
    let zero = grant(AidTerms { bill_max: fen(0), ..terms() });
    world.rejected(&signers, &zero, rejection::INVALID_AID_TERMS);
    let falling = grant(AidTerms { month_max: fen(9_999), ..terms() });
    world.rejected(&signers, &falling, rejection::INVALID_AID_TERMS);
    let over = grant(AidTerms { until: Some(day("2025-12-31")), ..terms() });
    world.rejected(&signers, &over, rejection::INVALID_AID_TERMS);
    let stranger = grant(AidTerms { relation: 9, ..terms() });
    world.rejected(&signers, &stranger, rejection::RELATION_NOT_ACCEPTED);
    let most = AidTerms { year_max: fen(200_000), ..terms() };
    let above = grant(AidTerms { year_max: fen(200_001), ..terms() });
    world.rejected(&signers, &above, rejection::AID_ABOVE_LIMIT);
    world.accepted(&signers, &grant(most));
}

#[test]
fn a_grants_number_is_never_used_again() {
    let mut world = world();
    let revoke =
        RevokeAid { payer: id(1), member: id(2), side: BindingSide::Member, actor: Actor::OwnKey };
    for number in 1..=3 {
        world.accepted(&[by(1), by(2)], &aid(1, 2, Agreement::OwnKey));
        assert_eq!(view::family(world.ledger.state(), id(2)).grants, [number]);
        world.accepted(&[by(2)], &revoke);
    }
    world.rejected(&[by(2)], &revoke, rejection::UNKNOWN_GRANT);
    assert_eq!(view::grant(world.ledger.state(), id(2), 1).unwrap().payer, id(1));
}

#[test]
fn a_region_without_rules_offers_neither() {
    let mut world = World::new();
    world.enrol(1);
    world.enrol(2);
    let signers = [by(1), by(2)];
    world.rejected(&signers, &bind(1, 2), rejection::PROXY_NOT_OFFERED);
    world.rejected(&signers, &aid(1, 2, Agreement::OwnKey), rejection::AID_NOT_OFFERED);
    let wrong = ProxyRules { members_per_payer_max: 33, ..proxy_rules() };
    let set = SetProxyRules { region: REGION, rules: wrong };
    world.rejected(&[party("bureau")], &set, rejection::INVALID_RULES);
    let wrong = AidRules { accounts_per_bill_max: 17, ..aid_rules() };
    let set = SetAidRules { region: REGION, rules: wrong };
    world.rejected(&[party("bureau")], &set, rejection::INVALID_RULES);
    let set = SetAidRules { region: REGION, rules: aid_rules() };
    world.rejected(&[party("hospital")], &set, organisations::SIGNATURE_MISSING);
}

#[test]
fn a_meter_counts_in_its_month_and_its_year_alone() {
    let meter = AidMeter::paid(None, day("2026-12-31"), fen(500));
    assert_eq!(AidMeter::on(Some(meter), day("2026-12-01")), (fen(500), fen(500)));
    assert_eq!(AidMeter::on(Some(meter), day("2027-01-01")), (fen(0), fen(0)));
    let meter = AidMeter::paid(Some(meter), day("2027-01-01"), fen(70));
    assert_eq!(AidMeter::on(Some(meter), day("2027-01-31")), (fen(70), fen(70)));
    let after = meter.came_back(day("2026-12-31"), fen(500));
    assert_eq!(after, meter, "what came back of another year lowers nothing");
    let later = AidMeter::paid(Some(meter), day("2027-02-01"), fen(30));
    let after = later.came_back(day("2027-01-01"), fen(70));
    assert_eq!((after.month_paid, after.year_paid), (fen(30), fen(30)));
}
