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
    let contest = ContestConsent { original: record(&receipt), statement: sha256(b"I was awake") };
    world.accepted(&[alice()], &contest);
    world.rejected(&[alice()], &contest, rejection::NOT_CONTESTABLE);
}

#[test]
fn an_emergency_consent_stands_after_thirty_days() {
    let mut world = world();
    let consent = Consent::EmergencyWitness { reason: EmergencyReason::Newborn };
    let body = ready(&mut world, false, consent);
    let receipt = world.accepted(&both(), &body);
    let contest = ContestConsent { original: record(&receipt), statement: Hash::default() };
    world.wait(30 * DAY);
    world.rejected(&[alice()], &contest, rejection::NOT_CONTESTABLE);
}

#[test]
fn an_own_consent_cannot_be_contested() {
    let (mut world, receipt) = settled();
    let contest = ContestConsent { original: record(&receipt), statement: Hash::default() };
    world.rejected(&[alice()], &contest, rejection::NOT_CONTESTABLE);
}
