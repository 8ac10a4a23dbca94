//! Contests of a consent that organisations alone gave: words that belong to them, who sees them,
//! what the bureau decides.

use ledger::Content;
use primitives::{Hash, VisitId, sha256};
use serde_json::{Value, json};

use crate::support::insured::{bill, subject_at};
use crate::support::keys::public;
use crate::support::wallets::{commit_statement, confirm_visit, settled, stated};
use crate::support::{Answered, Ask, DAY, START, World, id_of, organisation, person};

/// A visit that the hospital settles by person 1's identity card.
pub const BY_CARD: VisitId = VisitId([0xc1; 16]);

/// Settles it, with what remains of the money a receivable.
pub fn settle_by_card(world: &World, visit: VisitId) {
    let check_in = json!({
        "visit": visit, "subject": subject_at(1, "hospital"),
        "identification": "identity_document", "evidence": "00".repeat(32)
    });
    world.accepted(&[organisation("hospital")], "check_in", check_in);
    let asked = json!({ "visit": visit, "bill": bill(), "use_personal_account": false });
    let token = world.token(organisation("hospital"));
    let quoted = world.ask(&Ask::post("/v1/quotes", &asked).token(&token)).expect(200).json();
    let settle = json!({
        "visit": visit, "bill": sha256(b"bill"), "sums": quoted["sums"],
        "use_personal_account": false, "split": quoted["split"],
        "consent": { "form": "identity_card" }
    });
    world.accepted(&[organisation("hospital"), organisation("bureau")], "settle_visit", settle);
}

fn words(reason: &str) -> String {
    json!({ "reason": reason, "words": "那天不在" }).to_string()
}

/// A contest of this author, not raised yet: its content and what is sent.
fn new_contest(world: &World, visit: VisitId, by: &str) -> (Content, Value) {
    let statement = words("not_me");
    let body = json!({
        "original": settled(world, visit)["record"], "by": by,
        "statement": commit_statement(&statement)
    });
    let author = if by == "desk" { organisation("bureau") } else { person(1) };
    let content = world.content(author, "contest_consent", body);
    let sent = stated(world, &content, &[author], &statement);
    (content, sent)
}

/// What person 1 sends to contest the visit that was settled by card.
pub fn contest(world: &World) -> Value {
    new_contest(world, BY_CARD, "own_key").1
}

fn raise(world: &World, by: primitives::Party, sent: &Value) -> Answered {
    let ask = Ask::post(format!("/v1/visits/{BY_CARD}/contests"), sent);
    world.ask(&ask.token(&world.token(by)))
}

/// The contest that waits; raised when there is none.
pub fn raised(world: &World) -> String {
    let token = world.token(person(1));
    let list = Ask::get(format!("/v1/visits/{BY_CARD}/contests")).token(&token);
    let known = world.ask(&list).expect(200).json()["contests"][0]["contest"].clone();
    if let Some(known) = known.as_str() {
        return known.to_owned();
    }
    let (content, sent) = new_contest(world, BY_CARD, "own_key");
    raise(world, person(1), &sent).expect(201);
    content.id().to_string()
}

/// A decision of the bureau, not made yet: its content and what is sent.
pub fn decision(world: &World, decision: &str) -> (Content, Value) {
    let statement = json!({ "words": "已核对" }).to_string();
    let body = json!({
        "original": settled(world, BY_CARD)["record"], "decision": decision,
        "statement": commit_statement(&statement)
    });
    let content = world.content(organisation("bureau"), "decide_contest", body);
    let sent = stated(world, &content, &[organisation("bureau")], &statement);
    (content, sent)
}

fn decide(world: &World, contest: &str, sent: &Value) -> Answered {
    let ask = Ask::post(format!("/v1/contests/{contest}/decisions"), sent);
    world.ask(&ask.token(&world.token(organisation("bureau"))))
}

/// What may be contested of person 1, as this party is told.
fn contestable(world: &World, party: primitives::Party) -> Vec<Value> {
    let path = format!("/v1/persons/{}/contestable-visits", id_of(person(1)));
    let list = world.ask(&Ask::get(path).token(&world.token(party))).expect(200).json();
    list["visits"].as_array().unwrap().clone()
}

#[test]
fn a_desk_finds_what_may_be_contested_and_raises_it_for_somebody_without_a_phone() {
    let world = given();
    // One that the person agreed to is not among them.
    let own = VisitId([0xc2; 16]);
    world.check_in(own);
    confirm_visit(&world, own);
    for party in [person(1), organisation("bureau")] {
        let found = contestable(&world, party);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0]["visit"], json!(BY_CARD));
        assert_eq!(found[0]["consent"], "identity_card");
    }
    for stranger in [person(2), organisation("hospital")] {
        let path = format!("/v1/persons/{}/contestable-visits", id_of(person(1)));
        world.ask(&Ask::get(path).token(&world.token(stranger))).problem(403, "not_yours");
    }
    let (_, sent) = new_contest(&world, BY_CARD, "desk");
    raise(&world, organisation("bureau"), &sent).expect(201);
    assert!(contestable(&world, organisation("bureau")).is_empty(), "it waits for a decision");
    assert_eq!(worklist(&world).len(), 1);
}

#[test]
fn what_is_too_old_is_not_listed() {
    let world = given();
    let latest = contestable(&world, person(1))[0]["until"].clone();
    (0..31).for_each(|_| world.port.pass_day());
    assert!(contestable(&world, person(1)).is_empty(), "it was open until {latest}");
}

fn worklist(world: &World) -> Vec<Value> {
    let ask = Ask::get("/v1/organisations/bureau/contests");
    let list = world.ask(&ask.token(&world.token(organisation("bureau")))).expect(200).json();
    list["contests"].as_array().unwrap().clone()
}

fn of_visit(world: &World, by: primitives::Party) -> Value {
    let ask = Ask::get(format!("/v1/visits/{BY_CARD}/contests"));
    world.ask(&ask.token(&world.token(by))).expect(200).json()["contests"][0].clone()
}

fn given() -> World {
    let world = World::insured();
    settle_by_card(&world, BY_CARD);
    world
}

#[test]
fn the_words_of_a_contest_belong_to_it() {
    let world = given();
    let (content, sent) = new_contest(&world, BY_CARD, "own_key");
    let mut other = sent.clone();
    other["statement"] = json!(words("not_asked"));
    raise(&world, person(1), &other).problem(422, "statement_differs");
    let long = json!({ "reason": "other", "words": "字".repeat(501) }).to_string();
    let body = json!({
        "original": settled(&world, BY_CARD)["record"], "by": "own_key",
        "statement": commit_statement(&long)
    });
    let long_content = world.content(person(1), "contest_consent", body);
    let long = stated(&world, &long_content, &[person(1)], &long);
    raise(&world, person(1), &long).problem(422, "invalid_field");
    assert!(worklist(&world).is_empty());
    raise(&world, person(1), &sent).expect(201);
    raise(&world, person(1), &sent).expect(200);
    let waiting = worklist(&world);
    assert_eq!(waiting.len(), 1);
    let one = &waiting[0];
    assert_eq!((&one["contest"], &one["standing"]), (&json!(content.id()), &json!("waiting")));
    assert_eq!((&one["name"], &one["consent"]), (&json!("陈玉兰"), &json!("identity_card")));
    assert_eq!(one["said"], json!({ "reason": "not_me", "words": "那天不在" }));
    // The provider and the person read the words too; the name is the bureau's.
    for party in [person(1), organisation("hospital")] {
        assert_eq!(of_visit(&world, party)["said"]["reason"], "not_me");
    }
    assert!(of_visit(&world, person(1)).get("name").is_none());
    let list = Ask::get(format!("/v1/visits/{BY_CARD}/contests"));
    world.ask(&list.token(&world.token(organisation("other")))).problem(404, "not_found");
    let path = "/v1/organisations/bureau/contests";
    for stranger in [person(1), organisation("hospital")] {
        world.ask(&Ask::get(path).token(&world.token(stranger))).problem(403, "not_yours");
    }
}

#[test]
fn an_upheld_contest_gives_all_of_it_back() {
    let world = given();
    let contest = raised(&world);
    let (content, sent) = decision(&world, "upheld");
    let receipt = decide(&world, &contest, &sent).expect(201).json();
    assert_eq!(receipt["receipt"]["events"], json!(["visit_refunded", "contest_upheld"]));
    assert_eq!(receipt["receipt"]["transaction_id"], json!(content.id()));
    decide(&world, &contest, &sent).expect(200);
    assert!(worklist(&world).is_empty());
    let told = of_visit(&world, person(1));
    assert_eq!(told["standing"], "upheld");
    assert_eq!(told["decision"], json!({ "words": "已核对" }));
    assert_ne!(told["total"], "0", "what it came to when it was contested");
    assert_eq!(settled(&world, BY_CARD)["record"]["sums"], json!([]));
    // The words of a decision that was made stay.
    let (_, again) = decision(&world, "rejected");
    decide(&world, &contest, &again).problem(422, "no_open_contest");
    assert_eq!(of_visit(&world, person(1))["standing"], "upheld");
}

#[test]
fn a_rejected_contest_leaves_the_settlement_and_is_not_raised_again() {
    let world = given();
    let contest = raised(&world);
    let before = settled(&world, BY_CARD)["record"].clone();
    let (_, sent) = decision(&world, "rejected");
    decide(&world, &contest, &sent).expect(201);
    assert_eq!(of_visit(&world, person(1))["standing"], "rejected");
    assert_eq!(settled(&world, BY_CARD)["record"], before);
    let (_, again) = new_contest(&world, BY_CARD, "own_key");
    raise(&world, person(1), &again).problem(422, "not_contestable");
    assert_eq!(of_visit(&world, person(1))["contest"], json!(contest), "it was never raised");
}

#[test]
fn the_bureau_alone_decides() {
    let world = given();
    let contest = raised(&world);
    let (_, sent) = decision(&world, "upheld");
    for stranger in [person(1), organisation("hospital")] {
        let ask = Ask::post(format!("/v1/contests/{contest}/decisions"), &sent);
        world.ask(&ask.token(&world.token(stranger))).problem(403, "not_yours");
    }
    let ask = Ask::post(format!("/v1/contests/{contest}/decisions"), &sent);
    world.ask(&ask.token(&world.token(organisation("other")))).problem(404, "not_found");
    decide(&world, &Hash([9; 32]).to_string(), &sent).problem(404, "not_found");
    let clerk = json!({
        "organisation": "bureau", "key": public("counter"), "scopes": ["clerk"],
        "expires": START.plus_millis(300 * DAY)
    });
    world.accepted_with("bureau-root", organisation("bureau"), "authorise_key", clerk);
    let opened = world.ask(&world.sign_in_with(organisation("bureau"), "counter")).expect(201);
    let token = opened.json()["token"].as_str().unwrap().to_owned();
    let ask = Ask::post(format!("/v1/contests/{contest}/decisions"), &sent);
    world.ask(&ask.token(&token)).problem(403, "scope_not_held");
    // Without reasons nothing is decided, and nothing else is brought here.
    let statement = json!({ "words": " " }).to_string();
    let body = json!({
        "original": settled(&world, BY_CARD)["record"], "decision": "upheld",
        "statement": commit_statement(&statement)
    });
    let silent = world.content(organisation("bureau"), "decide_contest", body);
    let silent = stated(&world, &silent, &[organisation("bureau")], &statement);
    decide(&world, &contest, &silent).problem(422, "invalid_field");
    let (_, other) = new_contest(&world, BY_CARD, "own_key");
    decide(&world, &contest, &other).problem(422, "invalid_change");
    let mut differs = sent.clone();
    differs["statement"] = json!(json!({ "words": "另外的话" }).to_string());
    decide(&world, &contest, &differs).problem(422, "statement_differs");
    assert_eq!(of_visit(&world, person(1))["standing"], "waiting");
}

#[test]
fn somebody_without_a_phone_contests_at_the_desk() {
    let world = given();
    let (content, sent) = new_contest(&world, BY_CARD, "desk");
    let (_, own) = new_contest(&world, BY_CARD, "own_key");
    raise(&world, organisation("bureau"), &own).problem(422, "invalid_change");
    raise(&world, person(1), &sent).problem(422, "invalid_change");
    raise(&world, organisation("hospital"), &sent).problem(403, "not_yours");
    raise(&world, organisation("bureau"), &sent).expect(201);
    assert_eq!(worklist(&world)[0]["contest"], json!(content.id()));
    // A visit that its person agreed to is nobody's to contest.
    let token = world.token(organisation("hospital"));
    let visit = VisitId([0xc2; 16]);
    world.check_in(visit);
    crate::support::insured::settle(&world, visit);
    let path = format!("/v1/visits/{visit}");
    let record = world.ask(&Ask::get(path).token(&token)).expect(200).json()["record"].clone();
    let statement = words("not_me");
    let body = json!({
        "original": record, "by": "own_key", "statement": commit_statement(&statement)
    });
    let content = world.content(person(1), "contest_consent", body);
    let sent = stated(&world, &content, &[person(1)], &statement);
    let ask = Ask::post(format!("/v1/visits/{visit}/contests"), &sent);
    world.ask(&ask.token(&world.token(person(1)))).problem(422, "not_contestable");
}
