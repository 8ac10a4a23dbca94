//! Bills in another currency.

use super::*;
use crate::modules::exchange::{
    PublishExchangeRate, RateCorrection, RateOf, rejection as exchanges,
};
use primitives::{ExchangePrice, ExchangeRate};

/// Japan, by its numeric code in ISO 3166.
const JAPAN: u32 = 392;

fn rate(day: &str, price: &str) -> PublishExchangeRate {
    PublishExchangeRate {
        publisher: organisation("finance"),
        currency: Currency::JPY,
        priced_in: Currency::CNY,
        day: date(day),
        rate: ExchangeRate { per: 100, price: ExchangePrice::parse(price).unwrap() },
        source: Text::new("made up for tests").unwrap(),
        correction: None,
    }
}

fn yen(total: u64, day: &str, version: u8) -> ForeignBill {
    let rate = RateOf { publisher: organisation("finance"), day: date(day), version };
    ForeignBill { currency: Currency::JPY, total: fen(total), rate }
}

/// The acceptance of a bill from Japan for care on 6 January.
fn from_japan(world: &World, claim: Hash, in_policy: u64, foreign: ForeignBill) -> AcceptClaim {
    let sums = sums("2026-01-06", in_policy);
    acceptance_in(world, claim, &[1], (sums, Some(foreign)), care(JAPAN))
}

#[test]
fn a_foreign_bill_is_converted_by_the_rate_of_its_last_day() {
    let mut world = world();
    let one = filed(&mut world, 1, &[1]);
    // 12,000 yen at 4.8123 yuan for 100 are 577.476 yuan.
    let body = from_japan(&world, one, 57_748, yen(12_000, "2026-01-05", 1));
    world.rejected(&signers(), &body, exchanges::NO_RATE);
    for (day, price) in [("2026-01-02", "4.7"), ("2026-01-05", "4.8123"), ("2026-01-07", "5")] {
        world.accepted(&[org("finance")], &rate(day, price));
    }
    for wrong in [57_747, 57_749] {
        let body = from_japan(&world, one, wrong, yen(12_000, "2026-01-05", 1));
        let told = world.rejected(&signers(), &body, rejection::CONVERSION_DIFFERS);
        assert_eq!(told.rejection_words(), "12000 JPY are 577.48 CNY");
    }
    for other in [yen(12_000, "2026-01-02", 1), yen(12_000, "2026-01-05", 2)] {
        let body = from_japan(&world, one, 57_748, other);
        world.rejected(&signers(), &body, rejection::RATE_OUTDATED);
    }
    for currency in [Currency::EUR, Currency::CNY] {
        let foreign = ForeignBill { currency, ..yen(12_000, "2026-01-05", 1) };
        let code = if currency == Currency::CNY {
            rejection::CURRENCY_NOT_ACCEPTED
        } else {
            exchanges::NO_RATE
        };
        world.rejected(&signers(), &from_japan(&world, one, 57_748, foreign), code);
    }
    let receipt = world.accepted(&signers(), &body);
    // Two fifths of what exceeds the deductible.
    let ClaimStanding::Accepted(accepted) = standing(&world, &one) else { panic!("accepted") };
    assert_eq!((accepted.total, accepted.paid), (fen(57_748), fen(19_099)));
    let shown = |name: &str| {
        let found = receipt.fields.iter().find(|field| &*field.name == name);
        alloc::string::ToString::to_string(&found.unwrap().value)
    };
    assert_eq!(shown("foreign_total"), "12000 JPY");
    assert_eq!(shown("exchange_rate"), "100 JPY = 4.8123 CNY");
    assert_eq!(shown("exchange_day"), "2026-01-05");
    assert_eq!(shown("exchange_source"), "made up for tests");
}

#[test]
fn a_corrected_rate_counts_for_what_is_accepted_afterwards() {
    let mut world = world();
    world.accepted(&[org("finance")], &rate("2026-01-06", "4.8123"));
    let one = filed(&mut world, 1, &[1]);
    let body = from_japan(&world, one, 57_748, yen(12_000, "2026-01-06", 1));
    let correction = Some(RateCorrection::SourceCorrected);
    let corrected = PublishExchangeRate { correction, ..rate("2026-01-06", "4.9") };
    world.accepted(&[org("finance")], &corrected);
    world.rejected(&signers(), &body, rejection::RATE_OUTDATED);
    let body = from_japan(&world, one, 58_800, yen(12_000, "2026-01-06", 2));
    world.accepted(&signers(), &body);
}

#[test]
fn a_region_that_names_no_publisher_takes_no_foreign_bills() {
    let mut world = world();
    world.accepted(&[org("finance")], &rate("2026-01-06", "4.8123"));
    let none = SetClaimRules { region: REGION, rules: ClaimRules { foreign: None, ..rules() } };
    world.accepted(&[org("bureau")], &none);
    let one = filed(&mut world, 1, &[1]);
    let body = from_japan(&world, one, 57_748, yen(12_000, "2026-01-06", 1));
    world.rejected(&signers(), &body, rejection::CURRENCY_NOT_ACCEPTED);
}

/// What is left of an accepted claim, as the desk computes it.
fn correction(world: &World, original: &AcceptClaim, left: Option<(u64, u64)>) -> CorrectClaim {
    let state = world.ledger.state();
    let row = view::claim(state, &original.claim).unwrap();
    let parts = quote_claim_as_accepted(world, original);
    let record = ClaimRecord {
        claim: original.claim,
        care: original.care,
        bill: original.bill,
        sums: original.sums.clone(),
        foreign: original.foreign,
        parts,
    };
    let sums = match left {
        Some((_, in_policy)) => sums("2026-01-06", in_policy),
        None => CategorySums::new(vec![]).unwrap(),
    };
    let plans = PlanMemo::default();
    let quoted = quote_remaining_claim(state, &plans, &row, &record, &sums, world.now).unwrap();
    let total = fen(left.map_or(0, |(foreign, _)| foreign));
    let foreign_total = original.foreign.map(|_| total);
    let foreign = original.foreign.map(|bill| ForeignBill { total, ..bill });
    let bill = sha256(b"what is left");
    let after =
        ClaimRecord { bill, sums: sums.clone(), foreign, parts: quoted.parts, ..record.clone() };
    CorrectClaim {
        record,
        reason: ClaimCorrection::WrongLines,
        bill,
        sums,
        foreign_total,
        split: quoted.split,
        corrected: after.hash(),
    }
}

/// The parts of a claim that was the first of its year: nothing had been counted before.
fn quote_claim_as_accepted(
    world: &World,
    original: &AcceptClaim,
) -> Vec<crate::modules::visit::Part> {
    let state = world.ledger.state();
    let row = view::claim(state, &original.claim).unwrap();
    let row = ClaimRow { person: id(2), ..row };
    quote_claim(state, &PlanMemo::default(), &row, &original.care, &original.sums).unwrap().parts
}

#[test]
fn a_correction_counts_at_the_original_rate_and_what_was_paid_too_much_comes_back() {
    let mut world = world();
    world.accepted(&[org("finance")], &rate("2026-01-06", "4.8123"));
    let one = filed(&mut world, 1, &[1]);
    let body = from_japan(&world, one, 57_748, yen(12_000, "2026-01-06", 1));
    let reference = payout(&world.accepted(&signers(), &body));
    // The rate is corrected since, and another is published: neither counts for this claim.
    let reason = Some(RateCorrection::CopiedWrongly);
    let later = PublishExchangeRate { correction: reason, ..rate("2026-01-06", "9") };
    world.accepted(&[org("finance")], &later);
    // Of 12,000 yen 10,000 remain: 481.23 yuan; two fifths of 381.23 are 152.49.
    let corrected = correction(&world, &body, Some((10_000, 48_123)));
    world.rejected(&[org("bureau")], &corrected, rejection::PAYOUT_PENDING);
    world.accepted(&[org("bank")], &done(reference, 19_099));
    world.rejected(&[org("bank")], &corrected, organisations::SIGNATURE_MISSING);
    let at_new_rate = correction(&world, &body, Some((10_000, 90_000)));
    world.rejected(&[org("bureau")], &at_new_rate, rejection::CONVERSION_DIFFERS);
    let untold = CorrectClaim { foreign_total: None, ..corrected.clone() };
    world.rejected(&[org("bureau")], &untold, rejection::CONVERSION_DIFFERS);
    let other = CorrectClaim { corrected: sha256(b"another"), ..corrected.clone() };
    world.rejected(&[org("bureau")], &other, rejection::RECORD_OUTDATED);
    world.accepted(&[org("bureau")], &corrected);
    let ClaimStanding::Accepted(now) = standing(&world, &one) else { panic!("accepted") };
    assert_eq!((now.total, now.paid, now.owed_back), (fen(48_123), fen(15_249), fen(3_850)));
    let owing = Account::Receivable(Books::of(organisation("bureau"), REGION));
    assert_eq!(balances(&world), [1_000_000 - 15_249, 0, 19_099]);
    assert_eq!(world.balance(owing), -3_850);
    // The same again is of a record that stands no more.
    world.rejected(&[org("bureau")], &corrected, rejection::RECORD_OUTDATED);
    // What was read counts for the year as if it had been read so at once.
    let rest = filed(&mut world, 1, &[3]);
    let rest = acceptance(&world, rest, &[3], sums("2026-01-06", 10_000));
    assert_eq!(paid_by_funds(&rest.split), fen(5_000), "the deductible is met");

    let repaid = |amount, reference: &[u8]| RecordClaimRepayment {
        claim: one,
        amount: fen(amount),
        reference: sha256(reference),
    };
    world.rejected(&[by(1)], &repaid(3_850, b"1"), organisations::SIGNATURE_MISSING);
    world.rejected(&[org("bureau")], &repaid(3_851, b"1"), rejection::REPAYMENT_EXCEEDS);
    world.accepted(&[org("bureau")], &repaid(3_000, b"1"));
    world.rejected(&[org("bureau")], &repaid(850, b"1"), rejection::REPAYMENT_NOTED);
    world.accepted(&[org("bureau")], &repaid(850, b"2"));
    assert_eq!(world.balance(owing), 0);
    let ClaimStanding::Accepted(now) = standing(&world, &one) else { panic!("accepted") };
    assert_eq!(now.owed_back, Amount::ZERO);
}

#[test]
fn what_was_not_paid_out_yet_is_paid_out_less_and_all_of_it_can_be_taken_back() {
    let mut world = world();
    let one = filed(&mut world, 1, &[1]);
    let waiting = acceptance(&world, one, &[1], sums("2026-01-06", 30_000));
    let repaid = RecordClaimRepayment { claim: one, amount: fen(1), reference: sha256(b"1") };
    world.rejected(&[org("bureau")], &repaid, rejection::NOT_ACCEPTED);
    let unpaid = AcceptClaim { payout: None, ..waiting };
    world.accepted(&signers(), &unpaid);
    let half = correction(&world, &unpaid, Some((0, 20_000)));
    let two = filed(&mut world, 2, &[2]);
    let of_another = ClaimRecord { claim: two, ..half.record.clone() };
    let early = CorrectClaim { record: of_another, ..half.clone() };
    world.rejected(&[org("bureau")], &early, rejection::NOT_ACCEPTED);
    assert_eq!(balances(&world), [990_000, 10_000, 0]);
    let raised = correction(&world, &unpaid, Some((0, 40_000)));
    world.rejected(&[org("bureau")], &raised, rejection::CORRECTION_RAISES);
    // Nor is a claim corrected to what it was.
    let same = correction(&world, &unpaid, Some((0, 30_000)));
    world.rejected(&[org("bureau")], &same, rejection::CORRECTION_RAISES);
    // Less in all, with more of what the fund pays for.
    let moved = CorrectClaim { sums: sums("2026-01-07", 20_000), ..half.clone() };
    world.rejected(&[org("bureau")], &moved, rejection::CORRECTION_RAISES);
    world.accepted(&[org("bureau")], &half);
    assert_eq!(balances(&world), [995_000, 5_000, 0]);
    let pay = PayClaim { claim: one, payout: to_card() };
    let reference = payout(&world.accepted(&signers(), &pay));
    world.accepted(&[org("bank")], &done(reference, 5_000));
    let now = AcceptClaim { sums: sums("2026-01-06", 20_000), bill: half.bill, ..unpaid };
    let all =
        CorrectClaim { reason: ClaimCorrection::NotGenuine, ..correction(&world, &now, None) };
    world.accepted(&[org("bureau")], &all);
    let ClaimStanding::Accepted(after) = standing(&world, &one) else { panic!("accepted") };
    assert_eq!((after.total, after.paid, after.owed_back), (fen(0), fen(0), fen(5_000)));
    assert_eq!(balances(&world), [1_000_000, 0, 5_000]);
    // The invoice stays used.
    world.rejected(&[by(1)], &claim(1, &[1]), rejection::INVOICE_USED);
}
