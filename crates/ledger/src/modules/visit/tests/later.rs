//! What a refund or correction changes for later settlements, and who may take it.

use super::differences::{
    FUND, OWED, PURSE, approved, own_share, payment, simulate, standing, supersede,
};
use super::refunds::{both, refund};
use super::*;
use crate::kernel::posting;
use crate::kernel::rejection::kernel;
use crate::modules::organisation::rejection as organisations;
use crate::modules::person::{
    GuardianGround, LockPerson, RegisterCard, SetGuardian, rejection as persons,
};
use crate::modules::plan::{
    Difference, DifferenceStanding, Direction, SettleDifference, SettlementWay, rejection as plans,
};
use crate::modules::voucher::{MarkVoucherUsed, rejection as vouchers};
use primitives::{Currency, Period};

/// A visit of Alice is settled, a day after the one before, and its cash collected.
fn settle(world: &mut World, number: u8, in_policy: u64) -> SettlementRecord {
    world.wait(DAY);
    let subject = open(world, number, VisitType::Outpatient);
    let body = settlement(world, number, &subject, sums("2026-01-05", in_policy), false);
    let receipt = world.accepted(&signers(), &body);
    confirm(world, &receipt);
    record(&receipt)
}

fn confirm(world: &mut World, receipt: &Receipt) {
    for (effect, reference) in receipt.effects.iter().zip(effects(receipt)) {
        world.accepted(&[org("hospital")], &done(reference, effect.amount.minor()));
    }
}

/// Gives all of a bill back, or all but `remaining`.
fn give_back(world: &mut World, record: &SettlementRecord, remaining: u64) -> SettlementRecord {
    let remaining = match remaining {
        0 => CategorySums::default(),
        some => sums("2026-01-05", some),
    };
    let body = refund(world, record, remaining);
    let receipt = world.accepted(&both(), &body);
    confirm(world, &receipt);
    super::record(&receipt)
}

fn offered(
    world: &World,
    changed: &SettlementRecord,
    later: &[SettlementRecord],
) -> AdjustLaterSettlements {
    let plans = PlanMemo::default();
    let asked = Later { changed, records: later };
    let differences = asked.differences(world.ledger.state(), &plans, world.now).unwrap();
    AdjustLaterSettlements {
        changed: changed.clone(),
        later: later.to_vec(),
        differences,
        consent: Consent::OwnKey,
    }
}

/// Direction and amount of each difference that is offered.
fn amounts(body: &AdjustLaterSettlements) -> Vec<(Direction, u64)> {
    body.differences.iter().map(|row| (row.direction, row.amount.minor())).collect()
}

fn takers() -> [Party; 2] {
    [org("bureau"), alice()]
}

use Direction::{FromPerson, ToPerson};

/// 180,100.00 of which the pool pays 90,000.00 of its 100,000.00 a year, after the deductible; then
/// 40,000.00 (the pool pays the last 10,000.00), then 10,000.00 (nothing). The first is given back.
fn after_the_cap() -> (World, SettlementRecord, [SettlementRecord; 2]) {
    let mut world = world();
    let first = settle(&mut world, 1, 18_010_000);
    let later = [settle(&mut world, 2, 4_000_000), settle(&mut world, 3, 1_000_000)];
    assert_eq!(own_share(&world, &later[0]), 3_000_000);
    assert_eq!(own_share(&world, &later[1]), 1_000_000);
    let changed = give_back(&mut world, &first, 0);
    (world, changed, later)
}

/// 100.00, which is the deductible of the year; then 200.00, of which the pool pays half. The first
/// is given back.
fn after_the_deductible() -> (World, SettlementRecord, [SettlementRecord; 1]) {
    let mut world = world();
    let first = settle(&mut world, 1, 10_000);
    let later = [settle(&mut world, 2, 20_000)];
    assert_eq!(own_share(&world, &later[0]), 10_000);
    let changed = give_back(&mut world, &first, 0);
    (world, changed, later)
}

#[test]
fn room_under_a_cap_is_offered_to_later_settlements_in_their_order() {
    let (mut world, changed, later) = after_the_cap();
    let before = world.ledger.state().root();
    let body = offered(&world, &changed, &later);
    assert_eq!(world.ledger.state().root(), before, "an offer changes nothing");
    // The deductible falls on the second visit now: half of 39,900.00 in place of 10,000.00.
    assert_eq!(amounts(&body), [(ToPerson, 995_000), (ToPerson, 500_000)]);
    let (pool, due) = (world.balance(FUND), balances(&world)[2]);
    let receipt = world.accepted(&takers(), &body);
    assert_eq!(world.balance(PURSE), 5_000 + 1_495_000);
    assert_eq!((pool - world.balance(FUND), balances(&world)[2]), (1_495_000, due));
    assert_eq!(later.each_ref().map(|one| own_share(&world, one)), [2_005_000, 500_000]);
    // As if the first had never been: another world without it.
    let mut without = super::world();
    for (number, in_policy) in [(2, 4_000_000), (3, 1_000_000)] {
        settle(&mut without, number, in_policy);
    }
    assert_eq!(counters(&world), counters(&without));
    assert_eq!(world.balance(FUND), without.balance(FUND));
    // The providers are not told.
    let concerned: Vec<Party> =
        receipt.events.iter().flat_map(|event| event.concerns.clone()).collect();
    assert_eq!(concerned, [org("bureau"), org("bureau"), alice()]);
    assert!(!receipt.concerns.contains(&org("hospital")), "{:?}", receipt.concerns);
}

#[test]
fn the_same_is_not_taken_twice() {
    let (mut world, changed, later) = after_the_cap();
    let body = offered(&world, &changed, &later);
    world.accepted(&takers(), &body);
    world.rejected(&takers(), &body, rejection::NOTHING_CHANGES);
    assert_eq!(offered(&world, &changed, &later).differences, []);
}

#[test]
fn who_would_pay_more_may_leave_it() {
    let (mut world, changed, later) = after_the_deductible();
    let body = offered(&world, &changed, &later);
    assert_eq!(amounts(&body), [(FromPerson, 5_000)]);
    // Later settlements stay: nothing was taken, and the next visit bears the deductible.
    assert_eq!(own_share(&world, &later[0]), 10_000);
    let next = settle(&mut world, 3, 20_000);
    assert_eq!(own_share(&world, &next), 15_000);
    // Now nothing is gained or lost by taking it but for the order: all three are adjudicated
    // again.
    let all = [later[0].clone(), next];
    let body = offered(&world, &changed, &all);
    assert_eq!(amounts(&body), [(FromPerson, 5_000), (ToPerson, 5_000)]);
    world.accepted(&takers(), &body);
    assert_eq!((world.balance(PURSE), world.balance(OWED)), (5_000 + 5_000, -5_000));
}

#[test]
fn what_the_person_agrees_to_owe_is_a_receivable_of_the_fund() {
    let (mut world, changed, later) = after_the_deductible();
    let pool = world.balance(FUND);
    world.accepted(&takers(), &offered(&world, &changed, &later));
    assert_eq!((world.balance(FUND), world.balance(OWED)), (pool, -5_000));
    assert_eq!(standing(&world, &later[0]), Some(DifferenceStanding::Owed));
    assert_eq!(own_share(&world, &later[0]), 15_000);
    let settlement = later[0].transaction_id;
    let pay = SettleDifference { settlement, way: SettlementWay::PersonalAccount };
    world.accepted(&[alice()], &pay);
    assert_eq!((world.balance(FUND), world.balance(OWED)), (pool + 5_000, 0));
    assert_eq!(world.balance(PURSE), 0);
}

#[test]
fn a_correction_of_an_earlier_visit_is_offered_too() {
    let mut world = world();
    let first = settle(&mut world, 1, 18_010_000);
    let later = [settle(&mut world, 2, 4_000_000)];
    assert_eq!(own_share(&world, &later[0]), 3_000_000);
    let sums = sums("2026-01-05", 6_010_000);
    let correction = SupersedeSettlement {
        original: first.clone(),
        reason: CorrectionReason::WrongLines,
        bill: sha256(b"corrected"),
        split: refund(&world, &first, sums.clone()).split,
        sums,
        cash: None,
        consent: Consent::OwnKey,
    };
    let receipt = world.accepted(&signers(), &correction);
    confirm(&mut world, &receipt);
    let body = offered(&world, &record(&receipt), &later);
    assert_eq!(amounts(&body), [(ToPerson, 1_000_000)]);
    world.accepted(&takers(), &body);
    assert_eq!(own_share(&world, &later[0]), 2_000_000);
}

#[test]
fn one_chain_can_cost_here_and_give_there_and_is_taken_as_a_whole() {
    let mut world = world();
    let first = settle(&mut world, 1, 18_010_000);
    let later = [settle(&mut world, 2, 10_000), settle(&mut world, 3, 4_000_000)];
    let changed = give_back(&mut world, &first, 0);
    let body = offered(&world, &changed, &later);
    assert_eq!(amounts(&body), [(FromPerson, 5_000), (ToPerson, 1_005_000)]);
    // Whoever takes less than what is shown takes nothing.
    let picked = AdjustLaterSettlements { differences: vec![body.differences[1]], ..body.clone() };
    world.rejected(&takers(), &picked, rejection::LATER_OUTDATED);
    world.accepted(&takers(), &body);
    assert_eq!((world.balance(PURSE), world.balance(OWED)), (5_000 + 1_005_000, -5_000));
}

#[test]
fn refunds_take_back_what_was_taken_and_leave_nothing_behind() {
    let untouched = world();
    let (mut world, changed, later) = after_the_cap();
    world.accepted(&takers(), &offered(&world, &changed, &later));
    let second = give_back(&mut world, &later[0], 0);
    assert_eq!(standing(&world, &later[0]), None);
    assert_eq!(world.balance(PURSE), 5_000 + 500_000);
    // The deductible falls on the third visit now.
    let body = offered(&world, &second, &later[1..]);
    assert_eq!(amounts(&body), [(FromPerson, 5_000)]);
    world.accepted(&takers(), &body);
    assert_eq!(world.balance(PURSE), 5_000 + 495_000, "only what is left between both moves");
    assert_eq!(world.balance(OWED), 0);
    give_back(&mut world, &later[1], 0);
    assert_eq!(balances(&world), balances(&untouched));
    assert_eq!(counters(&world), counters(&untouched));
}

#[test]
fn a_second_change_moves_only_what_is_left_between_both() {
    let mut world = world();
    let first = settle(&mut world, 1, 18_010_000);
    let later = [settle(&mut world, 2, 4_000_000), settle(&mut world, 3, 1_000_000)];
    let changed = give_back(&mut world, &first, 6_010_000);
    let body = offered(&world, &changed, &later);
    assert_eq!(amounts(&body), [(ToPerson, 1_000_000), (ToPerson, 500_000)]);
    world.accepted(&takers(), &body);
    // Most of it is spent before the rest of the first visit is given back.
    let spent = posting::Entry {
        debit: PURSE,
        credit: Account::Outside(REGION),
        amount: fen(1_500_000 + 1),
    };
    let now = world.now;
    world.write(|state| posting::post(state, now, Currency::CNY, &[spent]).unwrap());
    let changed = give_back(&mut world, &changed, 0);
    let body = offered(&world, &changed, &later);
    assert_eq!(amounts(&body), [(FromPerson, 5_000)]);
    world.rejected(&takers(), &body, kernel::INSUFFICIENT_BALANCE);
    world.write(|state| {
        let back = posting::Entry { debit: spent.credit, credit: PURSE, amount: fen(1) };
        posting::post(state, now, Currency::CNY, &[back]).unwrap();
    });
    world.accepted(&takers(), &body);
    assert_eq!((world.balance(PURSE), world.balance(OWED)), (0, 0));
}

#[test]
fn a_policy_with_effect_in_the_past_and_an_earlier_visit_add_up() {
    let mut world = world();
    let first = settle(&mut world, 1, 10_000);
    let later = [settle(&mut world, 2, 20_000)];
    supersede(&mut world, 2, "60%");
    let rows = simulate(&world, 2, &later).rows;
    approved(&mut world, 1, 2, rows);
    world.accepted(&[org("bureau")], &payment(1, &later));
    assert_eq!((own_share(&world, &later[0]), world.balance(PURSE)), (8_000, 7_000));
    let changed = give_back(&mut world, &first, 0);
    let body = offered(&world, &changed, &later);
    // Three fifths of 100.00 in place of three fifths of 200.00.
    assert_eq!(amounts(&body), [(FromPerson, 6_000)]);
    world.accepted(&takers(), &body);
    assert_eq!((own_share(&world, &later[0]), world.balance(PURSE)), (14_000, 5_000));
    assert_eq!(world.balance(OWED), -4_000);
    // The batch that was paid before is not paid again, and a further version starts from here.
    supersede(&mut world, 3, "70%");
    let rows = simulate(&world, 3, &later).rows;
    assert_eq!(rows.iter().map(|row| row.amount.minor()).collect::<Vec<_>>(), [3_000]);
    approved(&mut world, 2, 3, rows);
    world.accepted(&[org("bureau")], &payment(2, &later));
    assert_eq!((own_share(&world, &later[0]), world.balance(OWED)), (13_000, -3_000));
}

#[test]
fn the_bureau_and_the_person_sign_or_a_guardian_or_card_and_pin() {
    let (mut world, changed, later) = after_the_cap();
    let body = offered(&world, &changed, &later);
    world.rejected(&[alice()], &body, organisations::SIGNATURE_MISSING);
    world.rejected(&[org("hospital"), alice()], &body, organisations::SIGNATURE_MISSING);
    world.rejected(&[org("bureau")], &body, persons::SIGNATURE_MISSING);
    let by = |consent| AdjustLaterSettlements { consent, ..body.clone() };
    let witness = Consent::EmergencyWitness { reason: EmergencyReason::Unconscious };
    for consent in [Consent::IdentityCard, witness] {
        world.rejected(&takers(), &by(consent), rejection::CONSENT_TOO_WEAK);
    }
    let guardian = by(Consent::Guardian { guardian: BOB });
    let with_bob = [org("bureau"), Party::Person(BOB)];
    world.rejected(&with_bob, &guardian, persons::NOT_A_GUARDIAN);
    world.rejected(&[org("bureau")], &by(Consent::DeskCard), persons::NO_CARD);
    let card = RegisterCard { person: ALICE, commitment: sha256(b"card") };
    world.accepted(&[org("bureau")], &card);
    let period = Period { from: date("2026-01-01"), to: None };
    let set = SetGuardian { person: ALICE, guardian: BOB, period, ground: GuardianGround::OwnWish };
    world.accepted(&[alice()], &set);
    // Money that comes is taken under a lock as well.
    world.accepted(&[alice()], &LockPerson { person: ALICE, by: Actor::OwnKey });
    world.accepted(&with_bob, &guardian);
}

#[test]
fn a_desk_takes_it_with_card_and_pin() {
    let (mut world, changed, later) = after_the_deductible();
    let card = RegisterCard { person: ALICE, commitment: sha256(b"card") };
    world.accepted(&[org("bureau")], &card);
    let body = offered(&world, &changed, &later);
    let body = AdjustLaterSettlements { consent: Consent::DeskCard, ..body };
    world.accepted(&[org("bureau")], &body);
    assert_eq!(own_share(&world, &later[0]), 15_000);
}

#[test]
fn only_the_persons_later_settlements_in_their_order_are_adjudicated_again() {
    let mut world = world();
    let earlier = settle(&mut world, 4, 1_000);
    let first = settle(&mut world, 1, 18_010_000);
    let later = [settle(&mut world, 2, 4_000_000), settle(&mut world, 3, 1_000_000)];
    let subject = subject(BOB, VisitType::Outpatient, "2026-01-05");
    world.accepted(&[org("hospital")], &check_in(5, subject.clone()));
    let body = settlement(&world, 5, &subject, sums("2026-01-05", 1_000), false);
    let of_bob = [org("hospital"), org("bureau"), Party::Person(BOB)];
    let of_bob = record(&world.accepted(&of_bob, &body));
    let unchanged = AdjustLaterSettlements {
        changed: first.clone(),
        later: later.to_vec(),
        differences: vec![],
        consent: Consent::OwnKey,
    };
    world.rejected(&takers(), &unchanged, rejection::NOTHING_CHANGED_BEFORE);
    let changed = give_back(&mut world, &first, 0);
    world.rejected(&takers(), &unchanged, rejection::RECORD_MISMATCH);
    let body = offered(&world, &changed, &later);
    let listing = |later: &[&SettlementRecord]| AdjustLaterSettlements {
        later: later.iter().map(|one| (*one).clone()).collect(),
        ..body.clone()
    };
    let [second, third] = &later;
    let wrong: [&[&SettlementRecord]; 5] = [
        &[third, second],
        &[second, second],
        &[&earlier, second],
        &[&changed, second],
        &[second, &of_bob],
    ];
    for later in wrong {
        world.rejected(&takers(), &listing(later), rejection::NOT_LATER);
    }
    world.rejected(&takers(), &listing(&[&first]), rejection::RECORD_MISMATCH);
    world.rejected(&takers(), &listing(&[]), rejection::LATER_COUNT);
    world.rejected(&takers(), &listing(&[second; LATER_MAX + 1]), rejection::LATER_COUNT);
    world.rejected(&takers(), &listing(&[second; LATER_MAX]), rejection::NOT_LATER);
    world.rejected(&takers(), &listing(&[second]), rejection::LATER_OUTDATED);
    let more = Difference { amount: fen(995_001), ..body.differences[0] };
    let more =
        AdjustLaterSettlements { differences: vec![more, body.differences[1]], ..body.clone() };
    world.rejected(&takers(), &more, rejection::LATER_OUTDATED);
    // A visit in between moves the running amounts, and what was shown holds no more.
    settle(&mut world, 6, 10_000_000);
    world.rejected(&takers(), &body, rejection::LATER_OUTDATED);
}

#[test]
fn an_open_debt_and_a_second_payer_come_first() {
    let (mut world, changed, later) = after_the_cap();
    world.admit("insurer", OrganisationKind::Insurer, None);
    let body = offered(&world, &changed, &later);
    let mark = MarkVoucherUsed {
        settlement: later[1].transaction_id,
        payer: organisation("insurer"),
        amount: fen(500_001),
        currency: Currency::CNY,
        guardian: None,
    };
    world.accepted(&[org("insurer"), alice()], &mark);
    world.rejected(&takers(), &body, vouchers::SHARE_REIMBURSED);

    let (mut world, changed, later) = after_the_cap();
    world.accepted(&takers(), &offered(&world, &changed, &later));
    let all =
        posting::Entry { debit: PURSE, credit: Account::Outside(REGION), amount: fen(1_500_000) };
    let now = world.now;
    world.write(|state| posting::post(state, now, Currency::CNY, &[all]).unwrap());
    // The second visit is given back in part, and the account has nothing to give back.
    let second = give_back(&mut world, &later[0], 1_000_000);
    assert_eq!(standing(&world, &second), Some(DifferenceStanding::Recalled));
    let records = [second.clone(), later[1].clone()];
    let plans = PlanMemo::default();
    let asked = Later { changed: &changed, records: &records };
    let refused = asked.differences(world.ledger.state(), &plans, world.now).unwrap_err();
    assert_eq!(refused.code, plans::SETTLEMENT_ADJUSTED);
}

#[test]
fn what_providers_waive_needs_a_fund_to_bear_a_difference() {
    let mut world = world();
    let (pays, waives) = ("payer = \"pooled_fund\"\nwhen", "payer = \"hospital_borne\"\nwhen");
    let waiving = PLAN.replace(pays, waives);
    assert_ne!(waiving, PLAN);
    publish_text(&mut world, (2, vec![1]), &waiving, ("2026", "80%"), "reviewer");
    let first = settle(&mut world, 1, 10_000);
    let later = [settle(&mut world, 2, 20_000)];
    assert_eq!(own_share(&world, &later[0]), 10_000);
    let changed = give_back(&mut world, &first, 0);
    let plans = PlanMemo::default();
    let asked = Later { changed: &changed, records: &later };
    let refused = asked.differences(world.ledger.state(), &plans, world.now).unwrap_err();
    assert_eq!(refused.code, rejection::NO_FUND_TO_BEAR);
}
