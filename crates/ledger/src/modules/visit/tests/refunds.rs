//! Refund, correction, objection.

use super::*;
use crate::modules::coverage::AttestFacts;
use crate::modules::fund::SetFundFloor;
use crate::modules::organisation::rejection as organisations;

pub(super) fn both() -> [Party; 2] {
    [org("hospital"), org("bureau")]
}

/// A refund after which only these rows remain.
pub(super) fn refund(
    world: &World,
    record: &SettlementRecord,
    remaining: CategorySums,
) -> RefundVisit {
    let state = world.ledger.state();
    let split = quote_remaining(state, &PlanMemo::default(), record, &remaining, world.now)
        .unwrap_or_default();
    RefundVisit {
        original: record.clone(),
        bill: sha256(b"remaining"),
        remaining,
        split,
        cash: None,
        consent: None,
    }
}

fn laboratory() -> CategorySums {
    rows(&[("2026-01-05", Category::Laboratory, 20_000)])
}

#[test]
fn a_whole_refund_restores_every_balance_and_counter() {
    let world_before = world();
    let (mut world, receipt) = settled();
    let body = refund(&world, &record(&receipt), CategorySums::default());
    let refunded = world.accepted(&both(), &body);
    world.accepted(&[org("hospital")], &done(effects(&refunded)[0], 15_000));
    assert_eq!(balances(&world), balances(&world_before));
    assert_eq!(counters(&world), counters(&world_before));
}

#[test]
fn a_part_refund_settles_the_rest_as_if_it_had_been_alone() {
    let (mut world, receipt) = settled();
    let body = refund(&world, &record(&receipt), laboratory());
    let refunded = world.accepted(&both(), &body);
    // 200.00 alone: 100.00 deductible, 50.00 from the pool, 50.00 from the account, 100.00 cash.
    assert_eq!(refunded.effects[0].amount, fen(5_000));
    world.accepted(&[org("hospital")], &done(effects(&refunded)[0], 5_000));
    let [pool, account, due, cash, rail] = balances(&world);
    assert_eq!((pool, account), (100_000_000 - 5_000, 0));
    assert_eq!((due, cash, rail), (10_000, 10_000, -10_000));
}

#[test]
fn a_raised_floor_never_stops_a_part_refund_that_gives_money_back() {
    let (mut world, receipt) = settled();
    let floor = fen(100_000_000);
    world.accepted(&[org("bureau")], &SetFundFloor { region: REGION, fund: POOL, floor });
    let body = refund(&world, &record(&receipt), laboratory());
    let refunded = world.accepted(&both(), &body);
    assert_eq!(balances(&world)[0], 100_000_000 - 5_000);
    assert_eq!(refunded.entries.len(), 1, "the difference alone is posted");
}

/// The family changes between settlement and refund; the first one's amounts fall, not the
/// second's.
#[test]
fn a_refund_restores_the_family_that_the_settlement_counted() {
    let mut world = world();
    let attest = |family: u8, from: &str| {
        let row = coverage::view::coverage(world.ledger.state(), ALICE).unwrap();
        let period = primitives::Period { from: date(from), to: Some(date("2027-12-31")) };
        let family = Some(primitives::FamilyId([family; 16]));
        let facts = coverage::AttestedFacts { period, family, ..row.coverages[0].facts[0] };
        AttestFacts { person: ALICE, region: REGION, scheme: EMPLOYEE, facts }
    };
    let (first, second) = (attest(7, "2026-01-01"), attest(8, "2026-02-01"));
    world.accepted(&[org("bureau")], &first);
    // Families of days to come do not count yet.
    world.accepted(&[org("bureau")], &second);
    let subject = open(&mut world, 1, VisitType::Inpatient);
    let body = settlement(&world, 1, &subject, sums("2026-01-06", 20_000), false);
    let receipt = world.accepted(&signers(), &body);
    world.accepted(&[org("hospital")], &done(effects(&receipt)[0], 4_000));
    let paid = |world: &World, day: &str| {
        let (state, day) = (world.ledger.state(), date(day));
        let seen = coverage::view::accumulators_on(state, ALICE, REGION, EMPLOYEE, day);
        seen.iter()
            .filter(|(key, _)| key.scope == benefit::AccumulatorScope::Family)
            .map(|(_, value)| value)
            .sum::<u64>()
    };
    assert_eq!((paid(&world, "2026-01-06"), paid(&world, "2026-02-06")), (16_000, 0));
    assert_eq!(record(&receipt).parts[0].family, first.facts.family);
    world.wait(30 * DAY);
    let body = refund(&world, &record(&receipt), CategorySums::default());
    world.accepted(&both(), &body);
    assert_eq!((paid(&world, "2026-01-06"), paid(&world, "2026-02-06")), (0, 0));
}

#[test]
fn two_refunds_of_the_same_lines_pay_once() {
    let (mut world, receipt) = settled();
    let body = refund(&world, &record(&receipt), laboratory());
    let refunded = world.accepted(&both(), &body);
    world.accepted(&[org("hospital")], &done(effects(&refunded)[0], 5_000));
    world.rejected(&both(), &body, rejection::RECORD_MISMATCH);
    let now = record(&refunded);
    let again = refund(&world, &now, laboratory());
    world.rejected(&both(), &again, rejection::REFUND_EXCEEDS);
}

#[test]
fn a_refund_never_adds_or_raises_a_row() {
    let (mut world, receipt) = settled();
    let original = record(&receipt);
    let higher = rows(&[("2026-01-05", Category::Laboratory, 20_001)]);
    let other = rows(&[("2026-01-05", Category::Bed, 1)]);
    for remaining in [higher, other, original.sums.clone()] {
        let body = refund(&world, &original, remaining);
        world.rejected(&both(), &body, rejection::REFUND_EXCEEDS);
    }
}

/// Case CN-TEST-04: a refund whose parts are a fen apart from the original's must be refused.
#[test]
fn a_refund_with_other_amounts_than_the_settlements_is_refused() {
    let (mut world, receipt) = settled();
    let mut body = refund(&world, &record(&receipt), laboratory());
    body.split.payers[0].amount = fen(4_999);
    world.rejected(&both(), &body, rejection::SPLIT_OUTDATED);
    let mut forged = refund(&world, &record(&receipt), CategorySums::default());
    forged.original.parts[0].adjudication.payers[0].amount = fen(9_999);
    world.rejected(&both(), &forged, rejection::RECORD_MISMATCH);
}

#[test]
fn later_settlements_stay_and_the_rest_sees_the_counters_as_they_are_now() {
    let (mut world, receipt) = settled();
    let subject = open(&mut world, 2, VisitType::Outpatient);
    // The deductible is met by visit 1, so visit 2 has none.
    let second = settlement(&world, 2, &subject, sums("2026-01-06", 10_000), false);
    assert_eq!(second.split.deductible, Amount::ZERO);
    let later = world.accepted(&signers(), &second);
    world.accepted(&[org("hospital")], &done(effects(&later)[0], 5_000));
    let body = refund(&world, &record(&receipt), CategorySums::default());
    world.accepted(&both(), &body);
    let state = world.ledger.state();
    assert!(
        matches!(view::visit(state, visit(2)), Some(VisitRow::Settled(row)) if row.revision == 0)
    );
    let next = split(&world, &subject, &sums("2026-01-07", 10_000), false);
    assert_eq!(next.deductible, fen(10_000));
}

#[test]
fn a_refund_waits_until_the_cash_is_confirmed() {
    let mut world = world();
    let subject = open(&mut world, 1, VisitType::Outpatient);
    let body = settlement(&world, 1, &subject, sums("2026-01-05", 30_000), false);
    let receipt = world.accepted(&signers(), &body);
    let back = refund(&world, &record(&receipt), CategorySums::default());
    world.rejected(&both(), &back, rejection::CASH_PENDING);
    world.rejected(&[org("hospital")], &back, organisations::SIGNATURE_MISSING);
    world.accepted(&[org("hospital")], &done(effects(&receipt)[0], 20_000));
    world.accepted(&both(), &back);
}

#[test]
fn a_correction_charges_more_only_with_consent_and_a_cash_leg() {
    let (mut world, receipt) = settled();
    let original = record(&receipt);
    let bill = rows(&[
        ("2026-01-05", Category::Treatment, 10_000),
        ("2026-01-05", Category::Laboratory, 22_000),
    ]);
    // Two fifths of 20.00 more: the pool pays 110.00, the account 50.00, cash is 160.00.
    let mut split = Split {
        total: fen(32_000),
        in_policy: fen(32_000),
        deductible: fen(10_000),
        personal_account: fen(5_000),
        cash: fen(16_000),
        ..Split::default()
    };
    split.payers = vec![benefit::PayerShare { payer: Payer::PooledFund, amount: fen(11_000) }];
    let mut body = SupersedeSettlement {
        original: original.clone(),
        reason: CorrectionReason::WrongLines,
        bill: sha256(b"corrected"),
        sums: bill,
        split,
        cash: None,
        consent: Consent::OwnKey,
    };
    world.rejected(&signers(), &body, rejection::CASH_LEG_MISMATCH);
    body.cash = Some(till());
    let persons = crate::modules::person::rejection::SIGNATURE_MISSING;
    world.rejected(&both(), &body, persons);
    let corrected = world.accepted(&signers(), &body);
    assert_eq!(corrected.effects[0].amount, fen(1_000));
    let same = SupersedeSettlement { sums: original.sums.clone(), ..body.clone() };
    world.rejected(&signers(), &same, rejection::NOTHING_CHANGES);
    let empty = SupersedeSettlement { sums: CategorySums::default(), ..body };
    world.rejected(&signers(), &empty, rejection::EMPTY_BILL);
}

#[test]
fn an_objection_is_answered_by_the_provider_and_dismissed_only_with_the_bureau() {
    let (mut world, receipt) = settled();
    let original = record(&receipt);
    let statement = sha256(b"words");
    let object = ObjectToSettlement { original: original.clone(), statement, by: Actor::OwnKey };
    let answer = |answer| AnswerObjection {
        original: original.clone(),
        answer,
        statement: sha256(b"reasons"),
    };
    let none = answer(ObjectionAnswer::Upheld);
    world.rejected(&[org("hospital")], &none, rejection::OBJECTION_STATE);
    world.accepted(&[alice()], &object);
    world.rejected(&[alice()], &object, rejection::OBJECTION_STATE);
    let dismissed = answer(ObjectionAnswer::Dismissed);
    world.rejected(&[org("hospital")], &dismissed, organisations::SIGNATURE_MISSING);
    world.accepted(&both(), &dismissed);
    world.accepted(&[alice()], &object);
    world.accepted(&[org("hospital")], &none);
    world.wait(181 * DAY);
    world.rejected(&[alice()], &object, rejection::OBJECTION_TOO_LATE);
}

#[test]
fn what_is_not_settled_cannot_be_refunded() {
    let (mut world, receipt) = settled();
    open(&mut world, 2, VisitType::Outpatient);
    let mut body = refund(&world, &record(&receipt), CategorySums::default());
    body.original.visit = visit(2);
    world.rejected(&both(), &body, rejection::VISIT_NOT_SETTLED);
}
