//! Bank cards: bound by their number once, refused in words of their own, and let go.

use adapters::rail::card::CardNumber;
use gateway::port::Port as _;
use primitives::{Hash, PersonId, sha256};
use serde_json::{Value, json};

use crate::support::wallets::CARDS;
use crate::support::{Answered, Ask, World, id_of, person};

/// The path of a person's card.
pub fn path(number: u8) -> String {
    format!("/v1/persons/{}/card", id_of(person(number)))
}

/// What is sent to bind the card of this place.
pub fn new_card(place: usize) -> Value {
    let number = CardNumber::from_payload(CARDS[place]).unwrap();
    json!({ "number": number.digits(), "attempt": sha256(&[u8::try_from(place).unwrap()]) })
}

fn bind(world: &World, body: &Value) -> Answered {
    let ask = Ask::post(path(1), body).with("accept-language", "en");
    world.ask(&ask.token(&world.token(person(1))))
}

fn bound(world: &World) -> Option<String> {
    let wallet = world.port.wallet().unwrap();
    wallet.directory.card(PersonId([1; 16])).unwrap().map(|card| card.last_four)
}

#[test]
fn a_card_is_bound_by_its_number_pays_and_is_let_go() {
    let world = World::insured();
    let token = world.token(person(1));
    let let_go = || world.ask(&Ask::delete(path(1)).token(&token));
    let_go().expect(204);
    assert_eq!(bound(&world), None);
    let_go().problem(409, "no_bound_card");
    let answer = bind(&world, &new_card(0)).expect(201).json();
    let number = CardNumber::from_payload(CARDS[0]).unwrap();
    assert_eq!(answer, json!({ "last_four": number.last_four() }), "and nothing more of it");
    assert_eq!(bind(&world, &new_card(0)).expect(201).json(), answer, "the same attempt again");
    assert_eq!(bound(&world).as_deref(), Some(number.last_four()));
    // With spaces, as it stands on the card.
    let (a, b) = number.digits().split_at(4);
    let spaced = json!({ "number": format!("{a} {b}"), "attempt": Hash([5; 32]) });
    bind(&world, &spaced).expect(201);
    let hospital = world.token(crate::support::organisation("hospital"));
    let legs = format!("/v1/visits/{}/cash-legs", crate::support::insured::VISIT);
    world.ask(&Ask::post(legs, &json!({})).token(&hospital)).expect(201);
}

#[test]
fn each_refusal_of_the_bank_has_its_own_words_and_leaves_the_earlier_card() {
    let world = World::insured();
    let before = bound(&world);
    for (place, code) in [
        (1, "card_expired"),
        (2, "bank_card_blocked"),
        (3, "card_empty"),
        (4, "card_of_somebody_else"),
    ] {
        assert_eq!(bind(&world, &new_card(place)).problem(422, code)["field"], "number");
    }
    let nobody = CardNumber::from_payload("999000777777777").unwrap();
    let unknown = json!({ "number": nobody.digits(), "attempt": Hash([6; 32]) });
    bind(&world, &unknown).problem(422, "card_unknown");
    let good = CardNumber::from_payload(CARDS[0]).unwrap();
    let last = good.digits().chars().last().unwrap().to_digit(10).unwrap();
    let wrong = format!("{}{}", CARDS[0], (last + 1) % 10);
    for (number, said) in
        [(wrong.as_str(), "last digit checks"), ("12", "2 digits"), ("x", "only digits")]
    {
        let body = json!({ "number": number, "attempt": Hash([7; 32]) });
        let problem = bind(&world, &body).problem(422, "invalid_field");
        assert_eq!(problem["field"], "number");
        assert!(problem["detail"].as_str().unwrap().contains(said), "{problem}");
        assert!(!problem.to_string().contains(CARDS[0]), "a number is not said back");
    }
    assert_eq!(bound(&world), before);
}

#[test]
fn whoever_tries_numbers_has_to_wait() {
    let config = gateway::Config { address_failures_max: 5, ..gateway::Config::default() };
    let world = World::insured_with(config);
    let nobody = CardNumber::from_payload("999000777777777").unwrap();
    let token = world.token(person(1));
    let tries = |body: &Value| world.ask(&Ask::post(path(1), body).token(&token));
    for at in 0..5_u8 {
        let body = json!({ "number": nobody.digits(), "attempt": sha256(&[at]) });
        tries(&body).problem(422, "card_unknown");
    }
    // A good card is not tried either, until the time is over.
    tries(&new_card(0)).problem(429, "too_many_requests");
}
