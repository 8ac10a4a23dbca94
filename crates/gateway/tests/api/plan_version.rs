//! Versions of a plan from file to publication: who sees them, what they change, what they would
//! have cost.

use ledger::Transaction;
use primitives::{Party, sha256};
use serde_json::{Value, json};

use crate::support::insured::{PLAN, VISIT, settle};
use crate::support::{Answered, Ask, World, organisation, person};

pub const VERSIONS: &str = "/v1/regions/620100/schemes/310/plan-versions";
const FILES: &str = "/v1/regions/620100/plan-files";

/// The plan with another deductible, for the days from May on.
pub fn next_file() -> String {
    let dear = PLAN.replace("amount = \"100\"", "amount = \"200\"");
    dear.replace("from = \"2026-01-01\"", "from = \"2026-05-01\"")
}

pub fn file(text: &str) -> Value {
    json!({ "text": text })
}

fn bureau() -> Party {
    organisation("bureau")
}

fn post(world: &World, by: Party, path: &str, body: &Value) -> Answered {
    world.ask(&Ask::post(path, body).token(&world.token(by)))
}

fn get(world: &World, by: Party, path: &str) -> Answered {
    world.ask(&Ask::get(path).token(&world.token(by)))
}

/// Reads a file and drafts what it comes to.
fn drafted(world: &World, text: &str) -> Value {
    let read = post(world, bureau(), FILES, &file(text)).expect(200).json();
    world.accepted(&[bureau()], "draft_plan", read["draft"].clone());
    read
}

/// A step that the key of this name signs.
fn step(world: &World, key: &str, by: Party, kind: &str, body: Value) -> Answered {
    let content = world.content(by, kind, body);
    let authorisations = vec![world.authorise(&content, by, key)];
    let Transaction { content, authorisations } = Transaction { content, authorisations };
    let body = json!({
        "content": hex::encode(primitives::codec::encode(&content)), "authorisations": authorisations
    });
    let key = serde_json::to_value(content.idempotency_key).unwrap();
    let ask = Ask::post("/v1/transactions", &body);
    world.ask(&ask.with("idempotency-key", key.as_str().unwrap()).token(&world.token(by)))
}

fn listed(world: &World, at: usize) -> Value {
    get(world, bureau(), VERSIONS).expect(200).json()["versions"][at].clone()
}

#[test]
fn a_plan_goes_from_its_file_to_publication_by_different_keys() {
    let world = World::insured();
    let text = next_file();
    let read = drafted(&world, &text);
    assert_eq!(read["source"], json!(sha256(text.as_bytes())));
    assert_eq!(read["draft"]["version"], 2);
    assert_eq!(read["draft"]["supersedes"], json!([1]));
    assert_eq!(read["change"]["against"], 1);
    let rule = &read["change"]["comparison"]["rules"][0];
    assert_eq!(rule["facts"][0]["before"], "100.00元");
    assert_eq!(rule["facts"][0]["after"], "200.00元");

    let row = listed(&world, 0);
    assert_eq!((row["version"].clone(), row["standing"].clone()), (json!(2), json!("drafted")));
    assert_eq!(row["hash"], read["hash"]);
    assert_eq!(row["drafter"]["organisation"], "bureau");
    assert!(row.get("name").is_none(), "its words are not known yet: {row}");
    let comparison = format!("{VERSIONS}/2/comparison");
    get(&world, bureau(), &comparison).problem(404, "plan_file_missing");
    post(&world, bureau(), &format!("{VERSIONS}/2/file"), &file(&text)).expect(204);
    assert_eq!(listed(&world, 0)["name"], "测试");
    let told = get(&world, organisation("regulator"), &comparison).expect(200).json();
    assert_eq!(told["comparison"], read["change"]["comparison"]);
    let back = get(&world, bureau(), &format!("{VERSIONS}/1/comparison?against=2"));
    let back = back.expect(200).json();
    assert_eq!(back["comparison"]["rules"][0]["facts"][0]["after"], "100.00元");

    let named = json!({ "region": 620_100, "scheme": 310, "version": 2, "hash": read["hash"] });
    let again = step(&world, "bureau", bureau(), "review_plan", named.clone());
    again.problem(422, "same_key");
    step(&world, "reviewer", bureau(), "review_plan", named.clone()).expect(201);
    let row = listed(&world, 0);
    assert_eq!(row["standing"], "reviewed");
    assert_ne!(row["reviewer"]["key"], row["drafter"]["key"]);
    let list = get(&world, bureau(), VERSIONS).expect(200).json();
    assert_eq!(list["approvers"], json!(["regulator"]));
    let mut approval = named.clone();
    approval["approver"] = json!("regulator");
    let regulator = organisation("regulator");
    step(&world, "regulator", regulator, "approve_plan", approval).expect(201);
    step(&world, "bureau", bureau(), "publish_plan", named).expect(201);
    let row = listed(&world, 0);
    assert_eq!(
        (row["standing"].clone(), row["is_today"].clone()),
        (json!("published"), json!(false))
    );
    assert_eq!(row["in_force"]["from"], "2026-05-01");
    let earlier = listed(&world, 1);
    assert_eq!(
        (earlier["is_today"].clone(), earlier["in_force"]["to"].clone()),
        (json!(true), json!("2026-04-30"))
    );
    let withdraw = json!({ "region": 620_100, "scheme": 310, "version": 2 });
    step(&world, "bureau", bureau(), "withdraw_plan", withdraw).expect(201);
    assert_eq!(listed(&world, 0)["standing"], "withdrawn");
}

#[test]
fn a_draft_is_shown_to_those_who_decide_about_it() {
    let world = World::insured();
    drafted(&world, &next_file());
    let paths = [
        VERSIONS.to_owned(),
        format!("{VERSIONS}/2/comparison"),
        format!("{VERSIONS}/2/simulation"),
    ];
    for path in &paths {
        for stranger in [organisation("hospital"), organisation("auditor"), person(1)] {
            get(&world, stranger, path).problem(403, "not_yours");
        }
    }
    for reader in ["bureau", "regulator", "authority"] {
        let list = get(&world, organisation(reader), VERSIONS).expect(200).json();
        assert_eq!(list["versions"].as_array().unwrap().len(), 2);
    }
    get(&world, bureau(), &format!("{VERSIONS}/3/comparison")).problem(404, "not_found");
}

#[test]
fn a_file_is_kept_for_the_version_that_it_belongs_to() {
    let world = World::insured();
    drafted(&world, &next_file());
    let keep = format!("{VERSIONS}/2/file");
    let other = next_file().replace("half of", "the half of");
    post(&world, bureau(), &keep, &file(&other)).problem(422, "plan_file_differs");
    post(&world, bureau(), &keep, &file(PLAN)).problem(422, "plan_file_differs");
    post(&world, organisation("hospital"), &keep, &file(&next_file())).problem(403, "not_yours");
    assert!(listed(&world, 0).get("name").is_none());
    post(&world, organisation("regulator"), &keep, &file(&next_file())).expect(204);
    post(&world, bureau(), &keep, &file(&next_file())).expect(204);
    assert_eq!(listed(&world, 0)["name"], "测试");
}

#[test]
fn what_is_wrong_with_a_file_is_said_with_its_place() {
    let world = World::insured();
    let read = |text: &str| post(&world, bureau(), FILES, &file(text));
    let typo = read(&PLAN.replace("kind = \"benefit\"", "kynd = \"benefit\""));
    let problem = typo.problem(422, "invalid_plan_file");
    assert!(problem["detail"].as_str().unwrap().contains("`kynd`"), "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("（第 18 行）"), "{problem}");
    let unknown = read(&PLAN.replace("counts = \"deductible_met\"", "counts = \"deductable\""));
    let problem = unknown.problem(422, "invalid_plan_file");
    assert!(problem["detail"].as_str().unwrap().contains("deductable"), "{problem}");
    let example = r#"
[[example]]
id = "wrong"
visit = [{ date = "2026-03-01", facts = { visit_type = "outpatient" }, row = [{ in_policy = "300" }], expect = { cash = "1" } }]
"#;
    let failed = read(&format!("{PLAN}{example}")).problem(422, "invalid_plan_file");
    assert!(failed["detail"].as_str().unwrap().contains("`wrong`"), "{failed}");
    let elsewhere = read(&PLAN.replace("region = 620100", "region = 110100"));
    elsewhere.problem(422, "plan_of_another_scheme");
    read(&PLAN.replace("scheme = 310", "scheme = 390")).problem(404, "catalogue_missing");
    read("").problem(422, "invalid_plan_file");
    post(&world, organisation("hospital"), FILES, &file(PLAN)).problem(403, "not_yours");
    assert_eq!(
        get(&world, bureau(), VERSIONS).expect(200).json()["versions"].as_array().unwrap().len(),
        1
    );
}

/// Begins a simulation and waits for what comes out.
fn simulated(world: &World, by: Party, version: u16, against: u16) -> Value {
    let path = format!("{VERSIONS}/{version}/simulations");
    post(world, by, &path, &json!({ "against": against })).expect(202);
    let path = format!("{VERSIONS}/{version}/simulation?against={against}");
    let token = world.token(by);
    (0..100_000)
        .map(|_| world.ask(&Ask::get(&path).token(&token)).expect(200).json())
        .find(|one| one["outcome"].is_object() || one["failed"] == true)
        .expect("a simulation of two settlements ends")
}

#[test]
fn a_simulation_is_of_the_very_plan_that_was_drafted() {
    let world = World::insured();
    settle(&world, VISIT);
    // Next year's plan: bills of this year are taken as of the same days.
    let text = PLAN.replace("amount = \"100\"", "amount = \"200\"").replace("2026", "2027");
    let read = drafted(&world, &text);
    assert_eq!((&read["draft"]["supersedes"], &read["change"]["against"]), (&json!([]), &json!(1)));
    let path = format!("{VERSIONS}/2/simulation");
    get(&world, bureau(), &path).problem(404, "not_found");
    let done = simulated(&world, bureau(), 2, 1);
    assert_eq!(done["hash"], read["hash"]);
    assert_eq!(
        (done["failed"].clone(), done["read"].clone()),
        (json!(false), done["receipts"].clone())
    );
    let outcome = &done["outcome"];
    assert_eq!((outcome["bills"].clone(), outcome["refused"].clone()), (json!(1), json!(0)));
    assert_eq!(outcome["from"], "2026-01-05");
    // Of 390.00 in policy half of what exceeds 100.00, then of what exceeds 200.00.
    let pool = json!({
        "of": "pooled_fund", "name": "基本医保统筹基金", "before": "14500", "after": "9500"
    });
    assert_eq!(outcome["shares"][0], pool);
    let people = &outcome["people"];
    assert_eq!(
        (people["worse"].clone(), people["worse_amount"].clone()),
        (json!(1), json!("5000"))
    );
    assert!(outcome["csv"].as_str().unwrap().contains("payer,pooled_fund,,,,145.00,95.00,-50.00"));
    assert!(outcome["result"].as_str().unwrap().len() == 64);
    // Who approves sees what the drafter saw.
    let seen = get(&world, organisation("regulator"), &path).expect(200).json();
    assert_eq!(seen["outcome"]["result"], outcome["result"]);
    // Nothing of it names anybody.
    assert!(!done.to_string().contains(&"01".repeat(16)));
    let other = simulated(&world, bureau(), 1, 2);
    assert_eq!(other["outcome"]["people"]["better"], 1);
    let none = format!("{VERSIONS}/2/simulations");
    post(&world, bureau(), &none, &json!({ "against": 9 })).problem(404, "not_found");
}
