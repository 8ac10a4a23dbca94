//! Nothing personal is shown by `Debug` or `Display`, so that no log can carry it by accident.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]

mod support;

use adapters::{
    identity::{Document, DocumentError, Identity, gb11643},
    notice::{Address, Phone, push::Subscription},
    rail::{
        Refusal, Token,
        card::{BindCard, CardNumber, CardNumberError},
        sandbox_bank::{Customer, NewCustomer},
    },
};
use primitives::Amount;
use support::{BankBench, reference};

const NAME: &str = "Ada Secret";
const NUMBER: &str = "11010519491231002X";
const CARD: &str = "999000123456789";
const PHONE: &str = "13900004321";
const ENDPOINT: &str = "https://push.example/of-ada";

/// The texts that must not be seen.
fn personal() -> Vec<String> {
    let card = CardNumber::from_payload(CARD).unwrap();
    [
        NAME,
        NUMBER,
        "19491231",
        CARD,
        card.digits(),
        card.last_four(),
        "secret words",
        PHONE,
        ENDPOINT,
    ]
    .map(String::from)
    .to_vec()
}

#[track_caller]
fn check(shown: &str) {
    for text in personal() {
        assert!(!shown.contains(&text), "`{shown}` shows `{text}`");
    }
}

#[test]
fn debug_hides_what_is_personal() {
    let number = CardNumber::from_payload(CARD).unwrap();
    let holder_name = String::from(NAME);
    check(&format!("{number:?}"));
    check(&format!("{:?}", BindCard { reference: reference("a"), number, holder_name }));
    let identity = Identity { name: String::from(NAME), number: String::from(NUMBER) };
    check(&format!("{identity:?}"));
    check(&format!("{:?}", NUMBER.parse::<Document>()));
    check(&format!("{:?}", gb11643::parse(NUMBER)));
    check(&format!("{:?}", NewCustomer { holder: String::from(NAME), opening: Amount::ZERO }));
    let phone: Phone = PHONE.parse().unwrap();
    check(&format!("{phone:?} {:?}", Address::Sms(phone.clone())));
    let endpoint = String::from(ENDPOINT);
    let subscription = Subscription { endpoint, key: vec![4; 65], secret: [7; 16] };
    check(&format!("{subscription:?} {:?}", Address::Push(subscription.clone())));
    check(&format!("{:?}", Address::Wechat(String::from("secret words"))));
}

#[test]
fn a_customer_hides_the_card() {
    let bench = BankBench::new(adapters::rail::Style::PayAndRefund);
    let new = NewCustomer { holder: String::from(NAME), opening: Amount::ZERO };
    let customers: Vec<Customer> = bench.bank().open_accounts(&[new]).unwrap();
    let shown = format!("{customers:?}");
    assert!(!shown.contains(customers[0].card.digits()), "{shown}");
    check(&shown);
}

#[test]
fn errors_do_not_repeat_what_was_typed() {
    for wrong in [NUMBER.to_lowercase(), NUMBER.replace('X', "1"), format!("{NUMBER}9")] {
        let error: DocumentError = wrong.parse::<Document>().unwrap_err();
        assert!(!error.to_string().contains(&wrong), "{error}");
        check(&format!("{error} {error:?}"));
    }
    let swapped = CARD.replace("12", "21");
    let right = CardNumber::from_payload(CARD).unwrap();
    let wrong = format!("{swapped}{}", &right.digits()[CARD.len()..]);
    let error: CardNumberError = wrong.parse::<CardNumber>().unwrap_err();
    assert!(!format!("{error} {error:?}").contains(&swapped));
    check(&format!("{error} {error:?}"));
    // Somebody who puts a card number where a token belongs does not find it in a log.
    check(&CARD.parse::<Token>().unwrap_err());
}

#[test]
fn refusals_are_plain_words_with_stable_codes() {
    for refusal in Refusal::ALL {
        let words = refusal.to_string();
        assert!(words.starts_with(|c: char| c.is_ascii_lowercase()), "{words}");
        assert!(!words.ends_with('.') && words.len() > 20, "{words}");
        let code = serde_json::to_string(&refusal).unwrap();
        assert!(code.bytes().all(|b| b.is_ascii_lowercase() || matches!(b, b'"' | b'_')), "{code}");
        assert_eq!(serde_json::from_str::<Refusal>(&code).unwrap(), refusal);
    }
}
