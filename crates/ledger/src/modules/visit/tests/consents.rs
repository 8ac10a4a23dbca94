//! The forms of consent and what each allows.

use super::*;
use crate::modules::person::{
    Actor, GuardianGround, LockPerson, RegisterCard, SetGuardian, rejection as persons,
};
use primitives::Period;

fn both() -> [Party; 2] {
    [org("hospital"), org("bureau")]
}

/// A visit of Alice, 300.00 in policy, ready to be settled.
fn ready(world: &mut World, account: bool, consent: Consent) -> SettleVisit {
    let subject = open(world, 1, VisitType::Outpatient);
    let body = settlement(world, 1, &subject, sums("2026-01-05", 30_000), account);
    SettleVisit { consent, ..body }
}

#[test]
fn a_lock_stops_the_persons_money_and_never_fund_paid_care() {
    let mut world = world();
    let body = ready(&mut world, true, Consent::OwnKey);
    world.accepted(&[alice()], &LockPerson { person: ALICE, by: Actor::OwnKey });
    world.rejected(&signers(), &body, persons::PERSON_LOCKED);
    let subject = subject(ALICE, VisitType::Outpatient, "2026-01-05");
    let without = settlement(&world, 1, &subject, sums("2026-01-05", 30_000), false);
    let desk = SettleVisit { consent: Consent::IdentityCard, ..without };
    world.accepted(&both(), &desk);
}

/// An identity card and a witness: the two forms under which organisations alone sign.
const BY_OTHERS: [Consent; 2] =
    [Consent::IdentityCard, Consent::EmergencyWitness { reason: EmergencyReason::Unconscious }];

#[test]
fn without_the_persons_own_consent_cash_goes_over_a_counter_or_stays_a_receivable() {
    for consent in BY_OTHERS {
        let mut world = world();
        let body = ready(&mut world, false, consent);
        world.accepted(&[alice()], &LockPerson { person: ALICE, by: Actor::OwnKey });
        let all = [org("hospital"), org("bureau"), org("bank")];
        let card = SettleVisit { cash: Some(bank()), ..body.clone() };
        world.rejected(&all, &card, rejection::CONSENT_TOO_WEAK);
        let bound = CashLeg { kind: RailKind::Bound, ..till() };
        let own = SettleVisit { cash: Some(bound), ..body.clone() };
        world.rejected(&both(), &own, rejection::CONSENT_TOO_WEAK);
        let sham = CashLeg { kind: RailKind::Counter, ..bank() };
        let sham = SettleVisit { cash: Some(sham), ..body.clone() };
        world.rejected(&all, &sham, rejection::NO_COUNTER);
        let later = SettleVisit { cash: None, ..body };
        let receipt = world.accepted(&both(), &later);
        assert!(receipt.effects.is_empty(), "no rail is told");
        let owed = Account::Receivable(books(organisation("hospital")));
        assert_eq!(world.balance(owed), -20_000);
        let effect = record(&receipt).collected[0];
        let retry = |cash, consent| RetryEffect { effect, cash, consent: Some(consent) };
        world.rejected(&all, &retry(bank(), consent), rejection::CONSENT_TOO_WEAK);
        let locked = [org("hospital"), org("bank"), alice()];
        world.rejected(&locked, &retry(bank(), Consent::OwnKey), persons::PERSON_LOCKED);
        world.accepted(&both(), &retry(till(), consent));
    }
}

#[test]
fn a_receivable_is_taken_down_by_a_refund() {
    let mut world = world();
    let body = ready(&mut world, false, Consent::IdentityCard);
    let receipt = world.accepted(&both(), &SettleVisit { cash: None, ..body });
    let back = RefundVisit {
        original: record(&receipt),
        bill: Hash::default(),
        remaining: CategorySums::default(),
        split: Split::default(),
        cash: None,
        consent: None,
    };
    let refunded = world.accepted(&both(), &back);
    assert!(refunded.effects.is_empty());
    let hospital = books(organisation("hospital"));
    assert_eq!(world.balance(Account::Receivable(hospital)), 0);
    assert_eq!(world.balance(Account::ProviderCash(hospital)), 0);
}

#[test]
fn without_the_persons_own_consent_cash_keeps_to_the_regions_limit() {
    for consent in BY_OTHERS {
        let mut world = world();
        let subject = open(&mut world, 1, VisitType::Inpatient);
        let deposit = |amount, from| TakeDeposit { visit: visit(1), amount, from, consent };
        let much = deposit(fen(30_001), DepositFrom::Rail(till()));
        world.rejected(&both(), &much, rejection::WITNESSED_CASH_LIMIT);
        let card = deposit(fen(100), DepositFrom::Rail(bank()));
        let all = [org("hospital"), org("bureau"), org("bank")];
        world.rejected(&all, &card, rejection::CONSENT_TOO_WEAK);
        let account = deposit(fen(100), DepositFrom::PersonalAccount);
        world.rejected(&both(), &account, rejection::CONSENT_TOO_WEAK);
        let most = settlement(&world, 1, &subject, sums("2026-01-05", 150_005), false);
        assert_eq!(most.split.cash, fen(30_001));
        let most = SettleVisit { consent, ..most };
        world.rejected(&both(), &most, rejection::WITNESSED_CASH_LIMIT);
        let within = settlement(&world, 1, &subject, sums("2026-01-05", 150_000), false);
        world.accepted(&both(), &SettleVisit { consent, ..within });
    }
}

#[test]
fn an_identity_card_never_opens_the_personal_account() {
    let mut world = world();
    let body = ready(&mut world, true, Consent::IdentityCard);
    world.rejected(&both(), &body, rejection::CONSENT_TOO_WEAK);
}

#[test]
fn card_and_pin_pay_within_the_desks_limits() {
    let mut world = world();
    let body = ready(&mut world, true, Consent::DeskCard);
    world.rejected(&both(), &body, persons::NO_CARD);
    let card = RegisterCard { person: ALICE, commitment: sha256(b"card") };
    world.accepted(&[org("bureau")], &card);
    world.accepted(&both(), &body);
    let subject = open(&mut world, 2, VisitType::Outpatient);
    let dear = settlement(&world, 2, &subject, sums("2026-01-05", 200_000), false);
    let dear = SettleVisit { consent: Consent::DeskCard, ..dear };
    world.rejected(&both(), &dear, persons::DESK_PAYMENT_LIMIT);
}

#[test]
fn a_guardian_signs_for_the_person() {
    let mut world = world();
    let bob = Party::Person(BOB);
    let body = ready(&mut world, true, Consent::Guardian { guardian: BOB });
    let all = [org("hospital"), org("bureau"), bob];
    world.rejected(&all, &body, persons::NOT_A_GUARDIAN);
    let period = Period { from: date("2026-01-01"), to: None };
    let set = SetGuardian { person: ALICE, guardian: BOB, period, ground: GuardianGround::OwnWish };
    world.accepted(&[alice()], &set);
    world.accepted(&all, &body);
}

#[test]
fn an_emergency_consent_is_contestable_for_thirty_days_and_never_takes_the_account() {
    let mut world = world();
    let consent = Consent::EmergencyWitness { reason: EmergencyReason::Unconscious };
    let body = ready(&mut world, true, consent);
    world.rejected(&both(), &body, rejection::CONSENT_TOO_WEAK);
    let subject = subject(ALICE, VisitType::Outpatient, "2026-01-05");
    let without = settlement(&world, 1, &subject, sums("2026-01-05", 30_000), false);
    let receipt = world.accepted(&both(), &SettleVisit { consent, ..without });
    let (original, statement) = (record(&receipt), sha256(b"I was awake"));
    let contest = ContestConsent { original, statement, by: Actor::OwnKey };
    world.accepted(&[alice()], &contest);
    world.rejected(&[alice()], &contest, rejection::NOT_CONTESTABLE);
}

#[test]
fn an_emergency_consent_stands_after_thirty_days() {
    let mut world = world();
    let consent = Consent::EmergencyWitness { reason: EmergencyReason::Newborn };
    let body = ready(&mut world, false, consent);
    let receipt = world.accepted(&both(), &body);
    let contest = ContestConsent {
        original: record(&receipt),
        statement: Hash::default(),
        by: Actor::OwnKey,
    };
    world.wait(30 * DAY);
    world.rejected(&[alice()], &contest, rejection::NOT_CONTESTABLE);
}

#[test]
fn an_own_consent_cannot_be_contested() {
    let (mut world, receipt) = settled();
    let contest = ContestConsent {
        original: record(&receipt),
        statement: Hash::default(),
        by: Actor::OwnKey,
    };
    world.rejected(&[alice()], &contest, rejection::NOT_CONTESTABLE);
}
