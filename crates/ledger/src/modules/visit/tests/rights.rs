//! Objecting and contesting: who speaks, who decides, and who stands in for a silent or suspended
//! provider.

use super::*;
use crate::modules::organisation::{SuspendOrganisation, rejection as organisations};
use crate::modules::person::{ClosePerson, GuardianGround, SetGuardian, rejection as persons};
use primitives::Period;

fn both() -> [Party; 2] {
    [org("hospital"), org("bureau")]
}

/// Settled by organisations alone: 300.00 in policy, 200.00 cash over the counter, collected.
fn witnessed(consent: Consent) -> (World, SettlementRecord) {
    let mut world = world();
    let subject = open(&mut world, 1, VisitType::Outpatient);
    let body = settlement(&world, 1, &subject, sums("2026-01-05", 30_000), false);
    let receipt = world.accepted(&both(), &SettleVisit { consent, ..body });
    world.accepted(&[org("hospital")], &done(effects(&receipt)[0], 20_000));
    (world, record(&receipt))
}

fn newborn() -> (World, SettlementRecord) {
    witnessed(Consent::EmergencyWitness { reason: EmergencyReason::Newborn })
}

fn contest(original: &SettlementRecord, by: Actor) -> ContestConsent {
    ContestConsent { original: original.clone(), statement: sha256(b"words"), by }
}

fn object(original: &SettlementRecord, by: Actor) -> ObjectToSettlement {
    ObjectToSettlement { original: original.clone(), statement: sha256(b"words"), by }
}

fn decide(original: &SettlementRecord, decision: ContestDecision) -> DecideContest {
    DecideContest { original: original.clone(), decision, statement: sha256(b"reasons") }
}

fn answer(original: &SettlementRecord, answer: ObjectionAnswer) -> AnswerObjection {
    AnswerObjection { original: original.clone(), answer, statement: sha256(b"reasons") }
}

fn whole_refund(original: &SettlementRecord) -> RefundVisit {
    RefundVisit {
        original: original.clone(),
        bill: Hash::default(),
        remaining: CategorySums::default(),
        split: Split::default(),
        cash: None,
        consent: None,
    }
}

#[test]
fn a_guardian_speaks_for_somebody_without_keys() {
    let (mut world, original) = newborn();
    let bob = Party::Person(BOB);
    world.rejected(&[bob], &contest(&original, Actor::Guardian(BOB)), persons::NOT_A_GUARDIAN);
    let period = Period { from: date("2026-01-01"), to: None };
    let set = SetGuardian { person: ALICE, guardian: BOB, period, ground: GuardianGround::OwnWish };
    world.accepted(&[alice()], &set);
    world.accepted(&[bob], &contest(&original, Actor::Guardian(BOB)));
    world.accepted(&[bob], &object(&original, Actor::Guardian(BOB)));
}

#[test]
fn a_desk_speaks_for_the_living_and_for_the_dead() {
    let death = Consent::EmergencyWitness { reason: EmergencyReason::Death };
    let (mut world, original) = witnessed(death);
    let by_desk = contest(&original, Actor::Desk);
    world.rejected(&[org("hospital")], &by_desk, organisations::SIGNATURE_MISSING);
    let close = ClosePerson { person: ALICE, last_day: date("2026-01-05") };
    world.accepted(&[org("bureau"), org("authority")], &close);
    world.rejected(&[alice()], &contest(&original, Actor::OwnKey), persons::PERSON_CLOSED);
    world.accepted(&[org("bureau")], &by_desk);
    world.accepted(&[org("bureau")], &object(&original, Actor::Desk));
}

#[test]
fn an_upheld_contest_gives_everything_back_in_the_same_transaction() {
    for consent in
        [Consent::IdentityCard, Consent::EmergencyWitness { reason: EmergencyReason::Death }]
    {
        let (mut world, original) = witnessed(consent);
        let upheld = decide(&original, ContestDecision::Upheld);
        world.rejected(&[org("bureau")], &upheld, rejection::NO_OPEN_CONTEST);
        world.accepted(&[alice()], &contest(&original, Actor::OwnKey));
        world.rejected(&[org("hospital")], &upheld, organisations::SIGNATURE_MISSING);
        let receipt = world.accepted(&[org("bureau")], &upheld);
        let names: Vec<&str> = receipt.events.iter().map(|event| &*event.name).collect();
        assert_eq!(names, ["visit_refunded", "contest_upheld"]);
        world.accepted(&[org("hospital")], &done(effects(&receipt)[0], 20_000));
        assert_eq!(balances(&world), [100_000_000, 5_000, 0, 0, 0]);
        let undone = record(&receipt);
        world.rejected(&[org("bureau")], &upheld, rejection::RECORD_MISMATCH);
        let again = contest(&undone, Actor::OwnKey);
        world.rejected(&[alice()], &again, rejection::NOT_CONTESTABLE);
    }
}

#[test]
fn a_rejected_contest_is_not_raised_twice() {
    let (mut world, original) = newborn();
    world.accepted(&[alice()], &contest(&original, Actor::OwnKey));
    let rejected = decide(&original, ContestDecision::Rejected);
    world.accepted(&[org("bureau")], &rejected);
    let before = balances(&world);
    world.rejected(&[org("bureau")], &rejected, rejection::NO_OPEN_CONTEST);
    let again = contest(&original, Actor::OwnKey);
    world.rejected(&[alice()], &again, rejection::NOT_CONTESTABLE);
    assert_eq!(balances(&world), before);
}

/// One yuan with the own key, then ten thousand by others' word: marked, and contestable.
#[test]
fn a_correction_shows_its_own_consent_and_is_contestable_from_then_on() {
    let mut world = world();
    let subject = open(&mut world, 1, VisitType::Outpatient);
    let small = settlement(&world, 1, &subject, sums("2026-01-05", 100), false);
    let first = world.accepted(&signers(), &small);
    world.accepted(&[org("hospital")], &done(effects(&first)[0], 100));
    world.wait(29 * DAY);
    let original = record(&first);
    let bill = sums("2026-01-05", 1_000_000);
    let split =
        quote_remaining(world.ledger.state(), &PlanMemo::default(), &original, &bill, world.now)
            .unwrap();
    let consent = Consent::EmergencyWitness { reason: EmergencyReason::Unconscious };
    let body = SupersedeSettlement {
        original,
        reason: CorrectionReason::WrongLines,
        bill: sha256(b"corrected"),
        sums: bill,
        split,
        cash: None,
        consent,
    };
    let corrected = world.accepted(&both(), &body);
    let shown = corrected.fields.iter().find(|field| &*field.name == "consent").unwrap();
    let witnessed = Text::new("emergency_witness").unwrap();
    assert_eq!(shown.value, proof::receipt::FieldValue::Text(witnessed));
    let stands = record(&corrected);
    assert_eq!(stands.consent, consent);
    // More than thirty days after the first settlement, less after its correction.
    world.wait(29 * DAY);
    world.accepted(&[alice()], &contest(&stands, Actor::OwnKey));
    world.wait(150 * DAY);
    world.accepted(&[alice()], &object(&stands, Actor::OwnKey));
}

#[test]
fn a_refund_that_the_person_agrees_to_does_not_heal_what_others_agreed_to() {
    let (mut world, original) = newborn();
    let mut remaining = original.sums.rows()[0];
    remaining.in_policy = fen(20_000);
    let remaining = CategorySums::new(vec![remaining]).unwrap();
    let state = world.ledger.state();
    let split =
        quote_remaining(state, &PlanMemo::default(), &original, &remaining, world.now).unwrap();
    let body =
        RefundVisit { remaining, split, consent: Some(Consent::OwnKey), ..whole_refund(&original) };
    let refunded = world.accepted(&both(), &body);
    assert_eq!(record(&refunded).consent, original.consent);
    world.accepted(&[alice()], &contest(&record(&refunded), Actor::OwnKey));
}

#[test]
fn the_bureau_answers_for_a_silent_provider_only_after_the_deadline_and_then_gives_back_alone() {
    let (mut world, receipt) = settled();
    let original = record(&receipt);
    world.accepted(&[alice()], &object(&original, Actor::OwnKey));
    let upheld = answer(&original, ObjectionAnswer::Upheld);
    world.wait(14 * DAY);
    world.rejected(&[org("bureau")], &upheld, rejection::ANSWER_TOO_EARLY);
    let refund = whole_refund(&original);
    world.rejected(&[org("bureau")], &refund, organisations::SIGNATURE_MISSING);
    world.wait(DAY);
    world.accepted(&[org("bureau")], &upheld);
    world.rejected(&[org("bureau")], &upheld, rejection::OBJECTION_STATE);
    let refunded = world.accepted(&[org("bureau")], &refund);
    let state = world.ledger.state();
    let Some(VisitRow::Settled(row)) = view::visit(state, visit(1)) else { panic!() };
    assert_eq!((row.objection, row.revision), (None, 1));
    assert_eq!(refunded.effects[0].amount, fen(15_000));
}

#[test]
fn the_bureau_dismisses_for_a_silent_provider_after_the_deadline() {
    let (mut world, receipt) = settled();
    let original = record(&receipt);
    world.accepted(&[alice()], &object(&original, Actor::OwnKey));
    world.wait(15 * DAY);
    world.accepted(&[org("bureau")], &answer(&original, ObjectionAnswer::Dismissed));
    let refund = whole_refund(&original);
    world.rejected(&[org("bureau")], &refund, organisations::SIGNATURE_MISSING);
}

#[test]
fn while_a_provider_is_suspended_the_bureau_gives_its_patients_back_what_is_theirs() {
    let (mut world, receipt) = settled();
    let original = record(&receipt);
    open(&mut world, 2, VisitType::Inpatient);
    let subject = open(&mut world, 3, VisitType::Inpatient);
    let stay = settlement(&world, 3, &subject, sums("2026-01-06", 10_000), false);
    world.accepted(&[alice()], &object(&original, Actor::OwnKey));
    let refund = whole_refund(&original);
    let cancel = CancelVisit { visit: visit(2) };
    let upheld = answer(&original, ObjectionAnswer::Upheld);
    world.rejected(&[org("bureau")], &refund, organisations::SIGNATURE_MISSING);
    world.rejected(&[org("bureau")], &cancel, organisations::SIGNATURE_MISSING);
    world.rejected(&[org("bureau")], &upheld, rejection::ANSWER_TOO_EARLY);
    let suspend = SuspendOrganisation { organisation: organisation("hospital") };
    world.accepted(&World::governing(), &suspend);
    world.accepted(&[org("bureau")], &cancel);
    world.accepted(&[org("bureau")], &upheld);
    let refunded = world.accepted(&[org("bureau")], &refund);
    let effect = effects(&refunded)[0];
    let word = done(effect, 15_000);
    world.rejected(&[org("hospital")], &word, organisations::ORGANISATION_SUSPENDED);
    // Its till does not answer any more; after the deadline the bureau pays.
    world.wait(DAY);
    let rail = Text::new("bureau_bank").unwrap();
    let take = TakeOverEffect { effect, rail, answer: sha256(b"closed") };
    let taken = world.accepted(&[org("bureau")], &take);
    world.accepted(&[org("bureau")], &failed(effects(&taken)[0]));
    let counter = CashLeg { executor: organisation("bureau"), ..till() };
    let retry = RetryEffect { effect: effects(&taken)[0], cash: counter, consent: None };
    let again = world.accepted(&[org("bureau")], &retry);
    world.accepted(&[org("bureau")], &done(effects(&again)[0], 15_000));
    // Nothing new is settled for it.
    let all = [org("bureau"), alice()];
    world.rejected(&all, &stay, organisations::SIGNATURE_MISSING);
}

#[test]
fn a_suspended_provider_is_still_corrected() {
    let (mut world, receipt) = settled();
    let original = record(&receipt);
    let suspend = SuspendOrganisation { organisation: organisation("hospital") };
    world.accepted(&World::governing(), &suspend);
    let bill = sums("2026-01-05", 20_000);
    let split =
        quote_remaining(world.ledger.state(), &PlanMemo::default(), &original, &bill, world.now)
            .unwrap();
    let body = SupersedeSettlement {
        original,
        reason: CorrectionReason::WrongLines,
        bill: sha256(b"corrected"),
        sums: bill,
        split,
        cash: None,
        consent: Consent::OwnKey,
    };
    world.accepted(&[org("bureau"), alice()], &body);
}
