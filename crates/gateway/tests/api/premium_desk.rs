//! Premiums at the bureau's desk: figures, one person's premium with its cause, the list.

use ledger::Content;
use primitives::sha256;
use serde_json::{Value, json};

use crate::premium::{SEASON, lookup, premium_row, register, season, seasonal};
use crate::support::wallets::{NAME, NUMBER, joined};
use crate::support::{Answered, Ask, REGION, World, id_of, organisation, person};

/// A line about the newcomer.
pub fn line(class: &str) -> Value {
    json!({ "name": NAME, "number": NUMBER, "class": class })
}

pub fn list(lines: &[Value]) -> Value {
    json!({ "season": season(), "lines": lines })
}

/// A registration of these rows.
pub fn registration(world: &World, rows: &[Value]) -> Content {
    let body = json!({ "season": season(), "rows": rows });
    world.content(organisation("bureau"), "register_premiums", body)
}

/// What the bureau's desk asks.
fn desk(world: &World, what: &str, body: &Value) -> Answered {
    let path = format!("/v1/organisations/bureau/premium-{what}");
    world.ask(&Ask::post(path, body).token(&world.token(organisation("bureau"))))
}

fn find(world: &World) -> Value {
    desk(world, "lookups", &lookup()).expect(200).json()
}

fn figures(world: &World) -> Value {
    let ask = Ask::get(format!("{SEASON}/figures"));
    world.ask(&ask.token(&world.token(organisation("bureau")))).expect(200).json()
}

#[test]
fn a_seasons_figures_follow_what_happens_to_its_premiums() {
    let world = seasonal(World::new());
    let part = |name: &str| figures(&world)["classes"][0][name].clone();
    let some = |persons: u32, amount: &str| json!({ "persons": persons, "amount": amount });
    assert_eq!((part("due"), part("paid")), (some(1, "40000"), some(0, "0")));
    assert_eq!(figures(&world)["locked"], 0);
    let lock = json!({
        "season": season(), "person": id_of(person(1)), "payer": person(2), "channel": "bank"
    });
    world.accepted(&[organisation("bank")], "lock_premium", lock);
    assert_eq!(figures(&world)["locked"], 1);
    let cash = json!({
        "executor": "bureau", "rail": "bank", "authorisation": sha256(b"authorisation")
    });
    let pay = json!({
        "season": season(), "payer": person(2), "channel": "bureau", "cash": cash,
        "items": [{ "person": id_of(person(1)), "amount": "40000" }]
    });
    let receipt = world.accepted(&[person(2), organisation("bureau")], "pay_premiums", pay);
    let ask = Ask::get(format!("/v1/receipts/{receipt}"));
    let ordered = world.ask(&ask.token(&world.token(person(2)))).expect(200).json();
    assert_eq!((part("due"), part("paying")), (some(0, "0"), some(1, "40000")));
    assert_eq!(figures(&world)["locked"], 0);
    let word = json!({
        "effect": ordered["effects"][0]["reference"],
        "result": { "outcome": "done", "amount": "40000" }, "rail_reference": sha256(b"rail")
    });
    world.accepted(&[organisation("bureau")], "confirm_effect", word);
    assert_eq!((part("paying"), part("paid")), (some(0, "0"), some(1, "40000")));
    let listed = world.ask(&Ask::get(format!("/v1/regions/{REGION}/premium-seasons"))).json();
    assert_eq!(listed["seasons"][0]["season"], season(), "{listed}");
}

#[test]
fn a_persons_premium_is_found_with_the_cause_that_stands_in_its_way() {
    let world = seasonal(World::new());
    desk(&world, "lookups", &lookup()).problem(404, "not_enrolled");
    let newcomer = joined(&world).to_string();
    assert_eq!(find(&world)["obstacle"]["code"], "premium_not_registered");
    register(&world, &newcomer);
    let found = find(&world);
    assert!(found.get("obstacle").is_none(), "{found}");
    assert_eq!(found["details"]["due"]["amount"], "40000");
    assert_eq!((&found["name"], &found["number_end"]), (&json!(NAME), &json!("002X")));
    let lock = json!({
        "season": season(), "person": newcomer, "payer": person(1), "channel": "bank"
    });
    world.accepted(&[organisation("bank")], "lock_premium", lock);
    let found = find(&world);
    assert_eq!(found["obstacle"]["code"], "premium_locked");
    assert_eq!(found["payer"], json!({ "party": person(1), "name": "陈玉兰" }));
    assert_eq!(found["details"]["standing"]["channel"], "bank");
    let bureau = [organisation("bureau")];
    let release = json!({ "season": season(), "person": newcomer });
    world.accepted(&bureau, "release_premium", release);
    // Somewhere else somebody works: the place is named, and ending that cover mends it.
    let year = json!({ "from": "2026-01-01", "to": "2027-12-31" });
    let facts = json!({
        "period": year, "age": { "from": 75, "below": 80 }, "sex": "female", "person_classes": []
    });
    let coverage = json!({ "scheme": 310, "period": year, "facts": facts });
    let enrol = json!({ "person": newcomer, "region": REGION, "coverage": coverage });
    world.accepted(&bureau, "enrol_coverage", enrol);
    let found = find(&world);
    assert_eq!(found["obstacle"]["code"], "covered_elsewhere");
    let cover = &found["covers"][0];
    assert_eq!((&cover["scheme"], &cover["bureau"]), (&json!(310), &json!("bureau")));
    let end = json!({
        "person": newcomer, "region": REGION, "scheme": 310, "last_day": "2026-12-31"
    });
    world.accepted(&bureau, "end_coverage", end);
    assert!(find(&world).get("obstacle").is_none());
}

#[test]
fn only_the_bureau_looks_people_up() {
    let world = seasonal(World::new());
    joined(&world);
    for stranger in [person(1), organisation("hospital"), organisation("bank")] {
        for what in ["lookups", "lists", "registrations"] {
            let path = format!("/v1/organisations/bureau/premium-{what}");
            let ask = Ask::post(path, &lookup()).token(&world.token(stranger));
            world.ask(&ask).problem(403, "not_yours");
        }
    }
    let mut wrong = lookup();
    wrong["name"] = json!("欧阳晓晓");
    desk(&world, "lookups", &wrong).problem(403, "identity_unconfirmed");
    wrong["number"] = json!("11010519491231002x");
    desk(&world, "lookups", &wrong).problem(422, "invalid_field");
    let mut elsewhere = lookup();
    elsewhere["season"]["year"] = json!(2031);
    desk(&world, "lookups", &elsewhere).problem(404, "not_found");
}

#[test]
fn a_list_is_read_line_by_line_and_a_wrong_one_stops_no_other() {
    let world = seasonal(World::new());
    let newcomer = joined(&world);
    let with = |field: &str, value: &str| {
        let mut changed = line("full");
        changed[field] = json!(value);
        changed
    };
    let lines = [
        with("name", "欧阳晓晓"),
        with("number", "110105194912310021"),
        with("class", "rich"),
        with("missed_years", "many"),
        with("newborn_until", "soon"),
        with("person_classes", "low_income rich"),
        with("person_classes", "low_income"),
        line("1"),
        json!({ "name": "测试甲", "number": "620105194912310038", "class": "full" }),
    ];
    let read = desk(&world, "lists", &list(&lines)).expect(200).json();
    let told = |at: usize| {
        let problem = &read["lines"][at]["problem"];
        (problem["code"].as_str().unwrap_or(""), problem["field"].as_str().unwrap_or(""))
    };
    assert_eq!(told(0), ("identity_unconfirmed", ""));
    assert_eq!(told(1), ("invalid_field", "number"));
    assert_eq!(told(2), ("unknown_premium_class", "class"));
    assert_eq!(told(3), ("invalid_field", "missed_years"));
    assert_eq!(told(4), ("invalid_field", "newborn_until"));
    assert_eq!(told(5), ("invalid_field", "person_classes"));
    assert_eq!(told(7), ("invalid_field", "number"), "the same person again");
    assert_eq!(told(8), ("not_enrolled", ""));
    let row = &read["lines"][6]["row"];
    assert_eq!(row["person"], json!(newcomer), "{read}");
    // Born on the last day of 1949: 77 on the first day of cover, a woman by the number.
    assert_eq!(row["facts"]["age"], json!({ "from": 75, "below": 80 }));
    assert_eq!((&row["facts"]["sex"], &row["class"]), (&json!("female"), &json!(1)));
    assert_eq!(row["facts"]["person_classes"], json!(["low_income"]));
    let none: [Value; 0] = [];
    desk(&world, "lists", &list(&none)).problem(422, "invalid_field");
    let many = vec![line("full"); 501];
    desk(&world, "lists", &list(&many)).problem(422, "invalid_field");
}

#[test]
fn a_registration_says_which_rows_were_refused_and_is_made_once() {
    let world = seasonal(World::new());
    let newcomer = joined(&world).to_string();
    let rows = [
        premium_row(&newcomer, 1),
        premium_row(&"0e".repeat(16), 1),
        premium_row(&id_of(person(1)), 9),
    ];
    let content = registration(&world, &rows);
    let submission = world.submission(&content, &[organisation("bureau")]);
    let register = || desk(&world, "registrations", &submission).expect(201).json();
    let answer = register();
    let refused = answer["refused"].as_array().unwrap();
    let told: Vec<_> =
        refused.iter().map(|one| (&one["row"], one["problem"]["code"].as_str())).collect();
    let expected =
        [(&json!(1), Some("unknown_person")), (&json!(2), Some("unknown_premium_class"))];
    assert_eq!(told, expected, "{answer}");
    assert_eq!(find(&world)["details"]["class"], 1);
    assert_eq!(register(), answer, "the same again");
    // Nothing else is brought here, and nobody else's.
    let release = json!({ "season": season(), "person": newcomer });
    let other = world.content(organisation("bureau"), "release_premium", release);
    let sent = world.submission(&other, &[organisation("bureau")]);
    desk(&world, "registrations", &sent).problem(422, "invalid_change");
    let mut foreign = content.clone();
    foreign.author = person(1);
    let sent = world.submission(&foreign, &[person(1), organisation("bureau")]);
    desk(&world, "registrations", &sent).problem(422, "invalid_change");
    let by_another = world.submission(&registration(&world, &rows), &[person(1)]);
    desk(&world, "registrations", &by_another).problem(422, "author_missing");
}

#[test]
fn a_year_counts_as_unbroken_once_however_often_the_list_is_read() {
    let world = seasonal(World::new());
    let newcomer = joined(&world);
    let years = |world: &World| {
        let read = desk(world, "lists", &list(&[line("full")])).expect(200).json();
        read["lines"][0]["row"]["facts"]["unbroken_years"].clone()
    };
    assert_eq!(years(&world), 0, "nothing was attested before");
    let attest = |year: u16, unbroken: u8| {
        let period = json!({ "from": format!("{year}-01-01"), "to": format!("{year}-12-31") });
        let facts = json!({
            "period": period, "age": { "from": 75, "below": 80 }, "sex": "female",
            "person_classes": [], "unbroken_years": unbroken
        });
        let coverage = json!({ "scheme": 310, "period": period, "facts": facts });
        let enrol = json!({ "person": newcomer, "region": REGION, "coverage": coverage });
        world.accepted(&[organisation("bureau")], "enrol_coverage", enrol);
    };
    attest(2026, 3);
    assert_eq!(years(&world), 4, "the season's year is one more");
    attest(2027, 4);
    assert_eq!(years(&world), 4, "and was counted already");
}
