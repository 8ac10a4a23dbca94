//! Payments outside: done, failed, tried again, taken over.

use super::*;
use crate::kernel::effect::{EffectAction, EffectStatus};
use crate::modules::organisation::rejection as organisations;
use crate::testing::HOUR;

/// 300.00 settled without the personal account: 200.00 cash, ordered from the bank.
fn ordered() -> (World, Receipt, Hash) {
    let mut world = world();
    let subject = open(&mut world, 1, VisitType::Outpatient);
    let body = settlement(&world, 1, &subject, sums("2026-01-05", 30_000), false);
    let all = [org("hospital"), org("bureau"), org("bank"), alice()];
    let receipt = world.accepted(&all, &SettleVisit { cash: Some(bank()), ..body });
    let effect = effects(&receipt)[0];
    (world, receipt, effect)
}

fn hospital() -> primitives::OrganisationId {
    organisation("hospital")
}

#[test]
fn an_effect_has_one_executor_and_one_word() {
    let (mut world, receipt, effect) = ordered();
    assert_eq!(receipt.effects[0].action, EffectAction::Collect);
    assert_eq!(world.balance(Account::ProviderCash(books(hospital()))), 0);
    world.rejected(&[org("hospital")], &done(effect, 20_000), organisations::SIGNATURE_MISSING);
    world.rejected(&[org("bank")], &done(effect, 19_999), rejection::AMOUNT_DIFFERS);
    world.accepted(&[org("bank")], &done(effect, 20_000));
    world.rejected(&[org("bank")], &done(effect, 20_000), rejection::EFFECT_NOT_PENDING);
    world.rejected(&[org("bank")], &failed(effect), rejection::EFFECT_NOT_PENDING);
    assert_eq!(world.balance(Account::ProviderCash(books(hospital()))), 20_000);
    assert_eq!(world.balance(Account::Rail(books(organisation("bank")))), -20_000);
}

#[test]
fn a_failed_payment_is_a_claim_and_never_undoes_the_settlement() {
    let (mut world, _, effect) = ordered();
    world.accepted(&[org("bank")], &failed(effect));
    assert_eq!(world.balance(Account::Receivable(books(hospital()))), -20_000);
    assert_eq!(world.balance(Account::ProviderCash(books(hospital()))), 20_000);
    let row = view::effect(world.ledger.state(), &effect).unwrap();
    assert_eq!(row.status, EffectStatus::Failed);
}

#[test]
fn a_failed_payment_is_collected_anew_with_consent() {
    let (mut world, _, effect) = ordered();
    let retry = |consent| RetryEffect { effect, cash: till(), consent };
    let early = retry(Some(Consent::OwnKey));
    world.rejected(&[org("hospital"), alice()], &early, rejection::EFFECT_NOT_PENDING);
    world.accepted(&[org("bank")], &failed(effect));
    world.rejected(&[org("hospital")], &retry(None), rejection::CONSENT_TOO_WEAK);
    let again = world.accepted(&[org("hospital"), alice()], &retry(Some(Consent::OwnKey)));
    let second = effects(&again)[0];
    world.accepted(&[org("hospital")], &failed(second));
    let third = RetryEffect { effect: second, ..retry(Some(Consent::OwnKey)) };
    let third = world.accepted(&[org("hospital"), alice()], &third);
    world.accepted(&[org("hospital")], &done(effects(&third)[0], 20_000));
    assert_eq!(world.balance(Account::Receivable(books(hospital()))), 0);
    assert_eq!(world.balance(Account::Rail(books(hospital()))), -20_000);
}

#[test]
fn a_refund_of_what_was_never_collected_takes_the_claim_down() {
    let (mut world, receipt, effect) = ordered();
    world.accepted(&[org("bank")], &failed(effect));
    let original = record(&receipt);
    let back = RefundVisit {
        original,
        bill: Hash::default(),
        remaining: CategorySums::default(),
        split: Split::default(),
        cash: None,
        consent: None,
    };
    let refunded = world.accepted(&[org("hospital"), org("bureau")], &back);
    assert!(refunded.effects.is_empty());
    assert_eq!(world.balance(Account::Receivable(books(hospital()))), 0);
    assert_eq!(world.balance(Account::ProviderCash(books(hospital()))), 0);
    let retry = RetryEffect { effect, cash: till(), consent: Some(Consent::OwnKey) };
    world.rejected(&[org("hospital"), alice()], &retry, rejection::EFFECT_NOT_PENDING);
}

#[test]
fn a_failed_refund_is_owed_to_the_patient_and_paid_on_another_rail() {
    let (mut world, receipt, effect) = ordered();
    world.accepted(&[org("bank")], &done(effect, 20_000));
    let back = RefundVisit {
        original: record(&receipt),
        bill: Hash::default(),
        remaining: CategorySums::default(),
        split: Split::default(),
        cash: None,
        consent: None,
    };
    let refunded = world.accepted(&[org("hospital"), org("bureau")], &back);
    let out = effects(&refunded)[0];
    assert_eq!(refunded.effects[0].action, EffectAction::Refund);
    world.accepted(&[org("bank")], &failed(out));
    assert_eq!(world.balance(Account::OwedToPatients(books(hospital()))), 20_000);
    let retry = RetryEffect { effect: out, cash: till(), consent: None };
    let again = world.accepted(&[org("hospital")], &retry);
    world.accepted(&[org("hospital")], &done(effects(&again)[0], 20_000));
    assert_eq!(world.balance(Account::OwedToPatients(books(hospital()))), 0);
    assert_eq!(world.balance(Account::Rail(books(hospital()))), 20_000);
}

#[test]
fn the_bureau_takes_over_only_after_the_deadline() {
    let (mut world, _, effect) = ordered();
    let take = TakeOverEffect {
        effect,
        rail: Text::new("bureau_bank").unwrap(),
        answer: sha256(b"not found"),
    };
    world.wait(22 * HOUR);
    world.rejected(&[org("bureau")], &take, rejection::TAKEOVER_TOO_EARLY);
    world.wait(2 * HOUR);
    world.rejected(&[org("hospital")], &take, organisations::SIGNATURE_MISSING);
    let taken = world.accepted(&[org("bureau")], &take);
    world.rejected(&[org("bank")], &done(effect, 20_000), rejection::EFFECT_NOT_PENDING);
    world.accepted(&[org("bureau")], &done(effects(&taken)[0], 20_000));
    assert_eq!(world.balance(Account::Rail(books(organisation("bureau")))), -20_000);
}
