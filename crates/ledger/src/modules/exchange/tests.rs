#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]
use super::*;
use crate::modules::organisation::{OrganisationKind, rejection as organisations};
use crate::testing::{DAY, World, organisation};
use alloc::string::ToString;
use primitives::{CivilDate, Currency, ExchangePrice, ExchangeRate, Party, Text};

const PAIR: CurrencyPair = CurrencyPair { currency: Currency::JPY, priced_in: Currency::CNY };

fn org(code: &str) -> Party {
    Party::Organisation(organisation(code))
}

fn date(text: &str) -> CivilDate {
    text.parse().unwrap()
}

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

/// It is 10 January 2026.
fn world() -> World {
    let mut world = World::new();
    world.admit("finance", OrganisationKind::FinanceAuthority, None);
    world.wait(9 * DAY);
    world
}

fn found(world: &World, day: &str, days_back_max: u8) -> Option<(RateOf, String)> {
    let publisher = organisation("finance");
    let wanted = RateWanted { publisher, pair: PAIR, day: date(day), days_back_max };
    let found = view::rate_for(world.ledger.state(), &wanted).ok();
    found.map(|(of, version)| (of, version.rate.price.to_string()))
}

use alloc::string::String;

#[test]
fn a_bureau_or_a_finance_authority_publishes_a_rate_of_today_or_earlier() {
    let mut world = world();
    let body = rate("2026-01-09", "4.8123");
    world.rejected(&[org("bureau")], &body, organisations::SIGNATURE_MISSING);
    let hospital = PublishExchangeRate { publisher: organisation("hospital"), ..body.clone() };
    world.rejected(&[org("hospital")], &hospital, rejection::NOT_A_PUBLISHER);
    for wrong in [
        PublishExchangeRate { priced_in: Currency::JPY, ..body.clone() },
        PublishExchangeRate { source: Text::new(" ").unwrap(), ..body.clone() },
        PublishExchangeRate { rate: ExchangeRate { per: 3, ..body.rate }, ..body.clone() },
        rate("2026-01-09", "0"),
    ] {
        world.rejected(&[org("finance")], &wrong, rejection::INVALID_RATE);
    }
    world.rejected(&[org("finance")], &rate("2026-01-11", "4.8"), rejection::RATE_AHEAD);
    world.accepted(&[org("finance")], &rate("2026-01-10", "4.8"));
    world.accepted(&[org("finance")], &body);
    let bureau = PublishExchangeRate { publisher: organisation("bureau"), ..body };
    world.accepted(&[org("bureau")], &bureau);
    let days = view::days_of(world.ledger.state(), organisation("finance"), PAIR, 2026);
    assert_eq!(days, [date("2026-01-09"), date("2026-01-10")]);
}

#[test]
fn a_correction_stands_beside_what_it_corrects() {
    let mut world = world();
    let first = rate("2026-01-09", "4.8123");
    let reason = Some(RateCorrection::CopiedWrongly);
    let correction = PublishExchangeRate { correction: reason, ..rate("2026-01-09", "4.8213") };
    world.rejected(&[org("finance")], &correction, rejection::NOTHING_TO_CORRECT);
    world.accepted(&[org("finance")], &first);
    let again = world.rejected(&[org("finance")], &first, rejection::RATE_PUBLISHED);
    assert_eq!(again.rejection_words(), "it is 4.8123");
    world.accepted(&[org("finance")], &correction);
    let publisher = organisation("finance");
    let of = |version| RateOf { publisher, day: date("2026-01-09"), version };
    let price = |world: &World, version| {
        let found = view::version(world.ledger.state(), PAIR, &of(version));
        found.map(|found| (found.rate.price.to_string(), found.correction))
    };
    assert_eq!(found(&world, "2026-01-09", 0), Some((of(2), "4.8213".to_string())));
    assert_eq!(price(&world, 1), Some(("4.8123".to_string(), None)));
    assert_eq!(price(&world, 2), Some(("4.8213".to_string(), reason)));
    assert_eq!((price(&world, 0), price(&world, 3)), (None, None));
    for _ in 2..VERSIONS_MAX {
        world.accepted(&[org("finance")], &correction);
    }
    world.rejected(&[org("finance")], &correction, rejection::TOO_MANY_VERSIONS);
}

#[test]
fn the_last_rate_before_a_day_counts_and_none_from_further_back() {
    let mut world = world();
    world.accepted(&[org("finance")], &rate("2026-01-05", "4.5"));
    world.accepted(&[org("finance")], &rate("2025-12-31", "4.4"));
    let publisher = organisation("finance");
    let of = |day| RateOf { publisher, day: date(day), version: 1 };
    assert_eq!(found(&world, "2026-01-05", 0), Some((of("2026-01-05"), "4.5".to_string())));
    assert_eq!(found(&world, "2026-01-08", 3), Some((of("2026-01-05"), "4.5".to_string())));
    assert_eq!(found(&world, "2026-01-08", 2), None);
    assert_eq!(found(&world, "2026-01-04", 4), Some((of("2025-12-31"), "4.4".to_string())));
    // What is missing says what there is, and who publishes.
    let words = |day: &str, currency| {
        let pair = CurrencyPair { currency, ..PAIR };
        let wanted = RateWanted { publisher, pair, day: date(day), days_back_max: 1 };
        let rejection = view::rate_for(world.ledger.state(), &wanted).unwrap_err();
        assert_eq!(rejection.code.name, "no_exchange_rate");
        String::from(rejection.detail.unwrap())
    };
    for (day, currency, said) in [
        ("2026-01-08", Currency::JPY, "before 2026-01-08 is of 2026-01-05"),
        ("2025-12-01", Currency::JPY, "`finance` after 2025-12-01 is of 2025-12-31"),
        ("2026-01-03", Currency::JPY, "of 2025-12-31 and of 2026-01-05, and none between"),
        ("2026-01-05", Currency::EUR, "`finance` has published no rate of EUR"),
    ] {
        let got = words(day, currency);
        assert!(got.contains(said), "{got}");
    }
}
