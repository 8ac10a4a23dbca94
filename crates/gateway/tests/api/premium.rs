//! A premium season over the API: what each side may know, and a payment to its end.

use gateway::Chain as _;
use gateway::Config;
use ledger::Content;
use primitives::{Party, PersonId, sha256};
use serde_json::{Value, json};

use crate::family::familial;
use crate::support::wallets::{NAME, NUMBER, joined};
use crate::support::{Answered, Ask, REGION, World, id_of, organisation, person};

pub const SEASON: &str = "/v1/regions/620100/schemes/390/premium-seasons/2027";

/// The season's id in bodies.
pub fn season() -> Value {
    json!({ "region": REGION, "scheme": 390, "year": 2027 })
}

/// A world in which person 1 owes 400 yuan for 2027.
pub fn seasonal(world: World) -> World {
    let bureau = organisation("bureau");
    let fund = json!({
        "region": REGION, "fund": 39, "owner": "bureau", "purpose": "pooled_fund", "floor": "0"
    });
    world.accepted(&[bureau], "open_fund", fund);
    let year = json!({ "from": "2027-01-01", "to": "2027-12-31" });
    let terms = json!({
        "fund": 39, "collector": "bureau", "cover": year,
        "window": { "from": "2026-01-01", "to": "2026-12-31" },
        "classes": [{
            "number": 1, "name": "full", "amount": "40000", "late_amount": "110000",
            "repair_amount": "38000"
        }],
        "lock_minutes": 20, "locks_per_payer": 5, "locks_per_record": 5,
        "waiting": {
            "months": 3, "per_further_year": 1, "long_break_years": 4, "long_break_months": 6
        },
        "source": "made up for tests"
    });
    let body = json!({ "season": season(), "terms": terms });
    world.accepted(&[bureau], "set_premium_season", body);
    register(&world, &id_of(person(1)));
    world
}

/// A row of a registration.
pub fn premium_row(id: &str, class: u8) -> Value {
    let year = json!({ "from": "2027-01-01", "to": "2027-12-31" });
    let facts = json!({
        "period": year, "age": { "from": 30, "below": 40 }, "sex": "female", "person_classes": []
    });
    json!({ "person": id, "class": class, "facts": facts })
}

/// This person owes the premium too.
pub fn register(world: &World, id: &str) {
    let body = json!({ "season": season(), "rows": [premium_row(id, 1)] });
    world.accepted(&[organisation("bureau")], "register_premiums", body);
}

#[test]
fn missed_years_are_offered_with_what_they_cost_and_from_when_benefits_hold_then() {
    let world = seasonal(World::new());
    assert_eq!(premium(&world, person(1))["details"]["repairs"], json!([]));
    let year = json!({ "from": "2027-01-01", "to": "2027-12-31" });
    let facts = json!({
        "period": year, "age": { "from": 30, "below": 40 }, "sex": "female", "person_classes": []
    });
    let row = json!({ "person": id_of(person(1)), "class": 1, "missed_years": 2, "facts": facts });
    let body = json!({ "season": season(), "rows": [row] });
    world.accepted(&[organisation("bureau")], "register_premiums", body);
    let details = premium(&world, person(1))["details"].clone();
    // Three months and one for the further year; each year that is paid takes a month off.
    let from = details["due"]["benefits_from"].clone();
    assert_eq!((&details["due"]["amount"], &from), (&json!("40000"), &json!("2027-05-01")));
    assert_eq!(
        details["repairs"],
        json!([
            { "years": 1, "amount": "78000", "benefits_from": "2027-04-01" },
            { "years": 2, "amount": "116000", "benefits_from": "2027-03-01" }
        ])
    );
}

fn premium(world: &World, asker: Party) -> Value {
    let path = format!("{SEASON}/persons/{}", id_of(person(1)));
    world.ask(&Ask::get(path).token(&world.token(asker))).expect(200).json()
}

fn lock(world: &World, payer: Party) {
    let body = json!({
        "season": season(), "person": id_of(person(1)), "payer": payer, "channel": "bank"
    });
    world.accepted(&[organisation("bank")], "lock_premium", body);
}

#[test]
fn the_terms_of_a_season_are_public() {
    let world = seasonal(World::new());
    let terms = world.ask(&Ask::get(SEASON)).expect(200).json();
    assert_eq!(terms["classes"][0]["amount"], "40000");
    world.ask(&Ask::get(SEASON.replace("2027", "2031"))).problem(404, "not_found");
}

#[test]
fn a_stranger_learns_payable_or_not_and_the_payer_the_amount() {
    let world = seasonal(World::new());
    let own = premium(&world, person(1));
    assert_eq!(own["details"]["due"]["amount"], "40000");
    assert_eq!(own["details"]["standing"], json!({ "standing": "due" }));
    assert_eq!(premium(&world, person(2)), json!({ "payable": true }));
    let path = format!("{SEASON}/persons/{}", "0e".repeat(16));
    let nobody = world.ask(&Ask::get(path).token(&world.token(person(2)))).json();
    assert_eq!(nobody, json!({ "payable": false }));
    lock(&world, person(2));
    assert_eq!(premium(&world, person(2))["details"]["due"]["amount"], "40000");
    assert_eq!(premium(&world, organisation("other")), json!({ "payable": false }));
    assert_eq!(premium(&world, person(1))["details"]["standing"]["channel"], "bank");
}

#[test]
fn a_premium_is_paid_once_and_covers() {
    let world = seasonal(World::new());
    let cash = json!({
        "executor": "bureau", "rail": "bank", "authorisation": sha256(b"authorisation")
    });
    let body = json!({
        "season": season(), "payer": person(2), "channel": "bureau", "cash": cash,
        "items": [{ "person": id_of(person(1)), "amount": "40000" }]
    });
    let signers = [person(2), organisation("bureau")];
    let content = world.content(signers[0], "pay_premiums", body.clone());
    let token = world.token(signers[0]);
    let submit = |content| world.ask(&world.submit(content, &signers).token(&token));
    let receipt = submit(&content).expect(201).json();
    let ordered = &receipt["receipt"]["effects"][0];
    assert_eq!(ordered["amount"], "40000", "{receipt}");
    let word = json!({
        "effect": ordered["reference"], "result": { "outcome": "done", "amount": "40000" },
        "rail_reference": sha256(b"rail")
    });
    world.accepted(&[organisation("bureau")], "confirm_effect", word);
    let own = premium(&world, person(1));
    assert_eq!(own["details"]["standing"]["benefits_from"], "2027-01-01", "{own}");
    let again = world.content(signers[0], "pay_premiums", body);
    submit(&again).problem(422, "premium_already_paid");
    let path = format!("/v1/persons/{}/coverages", id_of(person(1)));
    let covers = world.ask(&Ask::get(path).token(&world.token(person(1)))).expect(200).json();
    assert_eq!(covers["coverages"][0]["scheme"], 390, "{covers}");
}

/// A world with a stranger who owes a premium too.
fn with_stranger(config: Config) -> (World, PersonId) {
    let world = seasonal(World::with_config(config));
    let stranger = joined(&world);
    register(&world, &stranger.to_string());
    (world, stranger)
}

/// A request of a person's wallet about premiums.
fn wallet(world: &World, payer: Party, what: &str, body: &Value) -> Answered {
    let path = format!("/v1/persons/{}/premium-{what}", id_of(payer));
    world.ask(&Ask::post(path, body).token(&world.token(payer)))
}

/// The lock that a payer asks for by the wallet, or releases.
fn of(id: &str) -> Value {
    json!({ "season": season(), "person": id })
}

/// What somebody asks who wants to pay for the stranger.
pub fn lookup() -> Value {
    json!({ "season": season(), "name": NAME, "number": NUMBER })
}

/// A payment of 400 yuan for each of these, by the bound card of person 1.
pub fn wallet_payment(world: &World, ids: &[String]) -> Content {
    let mut content = world.content(person(1), "release_premium", of(&ids[0]));
    let key = json!({ "idempotency_key": content.idempotency_key });
    let leg = wallet(world, person(1), "cash-legs", &key).expect(201).json();
    let items: Vec<Value> =
        ids.iter().map(|id| json!({ "person": id, "amount": "40000" })).collect();
    let body = json!({
        "season": season(), "payer": person(1), "channel": leg["channel"], "items": items,
        "cash": leg["cash"]
    });
    let paying = world.content(person(1), "pay_premiums", body);
    (content.kind, content.body) = (paying.kind, paying.body);
    content
}

/// Person 1 brings a payment.
fn pay(world: &World, content: &Content) -> Answered {
    wallet(world, person(1), "payments", &world.submission(content, &[person(1)]))
}

#[test]
fn a_wallet_pays_for_several_in_one_go_and_only_once() {
    let (world, stranger) = with_stranger(Config::default());
    let ids = [id_of(person(1)), stranger.to_string()];
    for id in &ids {
        let locked = wallet(&world, person(1), "locks", &of(id)).expect(201).json();
        assert_eq!((&locked["amount"], &locked["currency"]), (&json!("40000"), &json!("CNY")));
    }
    let content = wallet_payment(&world, &ids);
    let receipt = pay(&world, &content).expect(201).json();
    let reference = &receipt["receipt"]["effects"][0]["reference"];
    let path = format!("/v1/premium-payments/{}", reference.as_str().unwrap());
    let seen = |by| world.ask(&Ask::get(&path).token(&world.token(by)));
    let ordered = seen(person(1)).expect(200).json();
    assert_eq!((&ordered["status"], &ordered["amount"]), (&json!("pending"), &json!("80000")));
    assert_eq!(ordered["items"][1]["person"], json!(stranger));
    seen(person(2)).problem(404, "not_found");
    seen(organisation("other")).problem(404, "not_found");
    let word = json!({
        "effect": reference, "result": { "outcome": "done", "amount": "80000" },
        "rail_reference": sha256(b"rail")
    });
    world.accepted(&[organisation("bank")], "confirm_effect", word);
    assert_eq!(seen(organisation("bureau")).expect(200).json()["status"], "done");
    // Whoever lost the answer asks again, and learns of those for whom they paid.
    assert_eq!(pay(&world, &content).expect(200).json()["is_duplicate"], true);
    let path = format!("{SEASON}/persons/{stranger}");
    let paid = world.ask(&Ask::get(path).token(&world.token(person(1)))).expect(200).json();
    assert_eq!(paid["details"]["standing"]["standing"], "paid");
}

#[test]
fn of_a_strangers_premium_a_payer_learns_no_reason() {
    let (world, stranger) = with_stranger(Config::default());
    let look_up = |by, body: &Value| wallet(&world, by, "lookups", body);
    let found = look_up(person(2), &lookup()).expect(200).json();
    assert_eq!(found, json!({ "person": stranger }));
    let of_stranger = of(&stranger.to_string());
    wallet(&world, person(2), "locks", &of_stranger).expect(201);
    // The payer still knows; to others it is as if there were no such person.
    look_up(person(2), &lookup()).expect(200);
    look_up(person(1), &lookup()).problem(409, "premium_not_payable");
    wallet(&world, person(1), "locks", &of_stranger).problem(409, "premium_not_payable");
    let nobody = of(&"0e".repeat(16));
    wallet(&world, person(1), "locks", &nobody).problem(409, "premium_not_payable");
    let mut wrong = lookup();
    wrong["name"] = json!("欧阳晓晓");
    look_up(person(1), &wrong).problem(409, "premium_not_payable");
    wrong["number"] = json!("110105194912310021");
    look_up(person(1), &wrong).problem(422, "invalid_field");
    // A premium of one's own says why.
    lock(&world, person(2));
    wallet(&world, person(1), "locks", &of(&id_of(person(1)))).problem(422, "premium_locked");
}

#[test]
fn those_who_try_names_and_numbers_have_to_wait() {
    let (world, _) = with_stranger(Config { sign_in_failures_max: 3, ..Config::default() });
    let token = world.token(person(2));
    let path = format!("/v1/persons/{}/premium-lookups", id_of(person(2)));
    let look_up = |body: &Value| world.ask(&Ask::post(&path, body).token(&token));
    let mut wrong = lookup();
    wrong["name"] = json!("欧阳晓晓");
    for _ in 0..3 {
        look_up(&wrong).problem(409, "premium_not_payable");
    }
    look_up(&lookup()).problem(429, "too_many_requests");
    wallet(&world, person(1), "lookups", &lookup()).expect(200);
}

#[test]
fn a_payer_takes_a_lock_over_and_releases_it() {
    let world = seasonal(World::new());
    let own = of(&id_of(person(1)));
    lock(&world, person(1));
    let until = premium(&world, person(1))["details"]["standing"]["until"].clone();
    // Another channel's lock is not this wallet's to release.
    wallet(&world, person(1), "releases", &own).problem(422, "premium_lock_not_yours");
    assert_eq!(wallet(&world, person(1), "locks", &own).expect(201).json()["until"], until);
    assert_eq!(premium(&world, person(1))["details"]["standing"]["channel"], "bureau");
    wallet(&world, person(2), "releases", &own).problem(422, "premium_lock_not_yours");
    wallet(&world, person(1), "releases", &own).expect(204);
    assert_eq!(premium(&world, person(2)), json!({ "payable": true }));
}

#[test]
fn a_payment_takes_money_from_the_payers_own_card_alone() {
    let (world, stranger) = with_stranger(Config::default());
    let ids = [id_of(person(1))];
    let key = json!({ "idempotency_key": "0f".repeat(16) });
    wallet(&world, person(2), "cash-legs", &key).problem(409, "no_bound_card");
    let content = wallet_payment(&world, &ids);
    // The leg of one payment serves no other, and nobody else's.
    let kind = world.port.registry().by_name("pay_premiums").unwrap();
    let body = (kind.body_to_json)(&content.body).unwrap();
    let again = world.content(person(1), "pay_premiums", body.clone());
    pay(&world, &again).problem(422, "invalid_request");
    let others = world.content(person(2), "pay_premiums", body.clone());
    let sent = world.submission(&others, &[person(2)]);
    wallet(&world, person(2), "payments", &sent).problem(422, "invalid_request");
    let mut of_another = content.clone();
    of_another.body = others.body;
    of_another.author = person(2);
    let sent = world.submission(&of_another, &[person(1), person(2)]);
    wallet(&world, person(1), "payments", &sent).problem(422, "invalid_request");
    let release = world.content(person(1), "release_premium", of(&ids[0]));
    pay(&world, &release).problem(422, "invalid_request");
    // A stranger's premium is paid under a lock, so that a try does not say where it stands.
    let strangers = wallet_payment(&world, &[stranger.to_string()]);
    pay(&world, &strangers).problem(409, "premium_not_payable");
    // Nobody pays by the payer's key but the payer.
    let unsigned = world.submission(&content, &[]);
    wallet(&world, person(1), "payments", &unsigned).problem(422, "author_missing");
    pay(&world, &content).expect(201);
}

#[test]
fn a_relatives_account_pays_and_each_side_learns_its_own() {
    let world = familial(seasonal(World::new()));
    let (payer, member) = (person(2), person(1));
    let credit = json!({
        "region": REGION, "source": "outside", "month": { "year": 2026, "month": 1 }, "batch": 7,
        "rows": [{ "person": id_of(payer), "amount": "50000" }]
    });
    world.accepted(&[organisation("bureau")], "credit_personal_accounts", credit);
    let grant = json!({
        "payer": id_of(payer), "member": id_of(member), "agreement": "own_key",
        "terms": {
            "relation": 1, "purpose": "care_and_premiums",
            "bill_max": "40000", "month_max": "45000", "year_max": "90000"
        }
    });
    world.accepted(&[payer, member], "grant_aid", grant);
    let source = json!({ "from": "family_account", "grant": 1 });
    let items = json!([{ "person": id_of(member), "amount": "40000", "source": source }]);
    let body = json!({ "season": season(), "payer": id_of(member), "items": items });
    let content = world.content(member, "pay_premiums_from_accounts", body);
    let ask = world.submit(&content, &[member]).token(&world.token(member));
    let paid = world.ask(&ask).expect(201).json();
    assert_eq!(paid["receipt"]["effects"], json!([]));
    let standing = premium(&world, member)["details"]["standing"].clone();
    assert_eq!(
        (&standing["standing"], &standing["benefits_from"]),
        (&json!("paid"), &json!("2027-01-01"))
    );
    let path = format!("/v1/premium-payments/{}", standing["payment"].as_str().unwrap());
    let seen = |by| world.ask(&Ask::get(&path).token(&world.token(by)));
    let own = seen(member).expect(200).json();
    assert_eq!((&own["status"], &own["items"][0]["source"]), (&json!("done"), &source));
    assert_eq!(own["executor"], Value::Null);
    assert_eq!(seen(organisation("bureau")).expect(200).json()["payer"], json!(member));
    // Whose account it was learns what it paid and when, and not for what.
    seen(payer).problem(404, "not_found");
    seen(organisation("other")).problem(404, "not_found");
    let path = format!("/v1/persons/{}/family", id_of(payer));
    let helps = world.ask(&Ask::get(path).token(&world.token(payer))).expect(200).json();
    assert_eq!(
        (&helps["helps"][0]["month_paid"], &helps["helps"][0]["left"]),
        (&json!("40000"), &json!("5000"))
    );
    let cancel = json!({ "season": season(), "person": id_of(member), "actor": "own_key" });
    world.accepted(&[member], "cancel_premium", cancel);
    assert_eq!(premium(&world, member)["details"]["standing"]["standing"], "due");
    let account = format!("/v1/persons/{}/account", id_of(payer));
    let back = world.ask(&Ask::get(account).token(&world.token(payer))).expect(200).json();
    assert_eq!(back["balance"], json!("50000"));
}
