//! Applications to act for a child: documents that belong to them, who sees them, what is decided.

use base64ct::{Base64, Encoding as _};
use gateway::{Chain as _, Port as _};
use ledger::Content;
use ledger::modules::person;
use primitives::{Hash, PersonId, sha256, sha256_parts};
use serde_json::{Value, json};

use crate::family::familial;
use crate::support::wallets::{NAME, NUMBER, joined};
use crate::support::{Answered, Ask, World, id_of, organisation, person as by};

/// Somebody of whose age nothing is attested, so that the bureau goes by the documents.
pub fn child(world: &World) -> PersonId {
    let identity =
        adapters::identity::Identity { name: NAME.to_owned(), number: NUMBER.to_owned() };
    let attested = world.port.wallet().unwrap().authority.attest(&identity, &Hash::default());
    let index = attested.unwrap().statement.blind_index;
    let known = person::view::by_blind_index(&world.port.view().state, &index);
    known.unwrap_or_else(|| joined(world))
}

pub fn child_identity() -> Value {
    json!({ "name": NAME, "number": NUMBER })
}

/// A picture that begins as every JPEG does.
fn picture(words: &[u8]) -> Vec<u8> {
    [&[0xff, 0xd8, 0xff, 0xe0], words].concat()
}

/// Person 1's application with these pictures, not made yet.
fn application_with(world: &World, child: PersonId, pictures: &[Vec<u8>]) -> (Content, Value) {
    let salt = Hash([5; 32]);
    let hashes: Vec<Hash> = pictures.iter().map(|one| sha256(one)).collect();
    let parts = hashes.iter().map(|hash| hash.0.as_slice());
    let head: [&[u8]; 2] = [b"yibao/binding-documents/v1", &salt.0];
    let documents = sha256_parts(&head.into_iter().chain(parts).collect::<Vec<_>>());
    let body = json!({
        "payer": id_of(by(1)), "member": child, "relation": 1, "documents": documents
    });
    let content = world.content(by(1), "apply_for_binding", body);
    let mut sent = world.submission(&content, &[by(1)]);
    sent["child"] = child_identity();
    sent["documents"] = pictures.iter().map(|one| json!(Base64::encode_string(one))).collect();
    sent["salt"] = json!(salt);
    (content, sent)
}

/// Person 1's application, not made yet: its content and what is sent.
pub fn application(world: &World, child: PersonId) -> (Content, Value) {
    application_with(world, child, &[picture(b"register"), picture(b"certificate")])
}

fn applications_path() -> String {
    format!("/v1/persons/{}/binding-applications", id_of(by(1)))
}

fn apply(world: &World, sent: &Value) -> Answered {
    world.ask(&Ask::post(applications_path(), sent).token(&world.token(by(1))))
}

fn worklist(world: &World) -> Vec<Value> {
    let list = Ask::get("/v1/organisations/bureau/binding-applications");
    let token = world.token(organisation("bureau"));
    world.ask(&list.token(&token)).expect(200).json()["applications"].as_array().unwrap().clone()
}

/// The application of person 1 that waits; a new one when there is none.
pub fn applied(world: &World, child: PersonId) -> String {
    let text = |one: &Value| one["application"].as_str().unwrap().to_owned();
    if let Some(one) = worklist(world).first() {
        return text(one);
    }
    text(&apply(world, &application(world, child).1).expect(201).json())
}

fn standing(world: &World) -> Value {
    let path = format!("/v1/persons/{}/family", id_of(by(1)));
    let family = world.ask(&Ask::get(path).token(&world.token(by(1)))).expect(200).json();
    family["applications"][0]["standing"].clone()
}

fn decide(world: &World, child: PersonId, decision: Value) {
    let body = json!({ "payer": id_of(by(1)), "member": child, "decision": decision });
    world.accepted(&[organisation("bureau")], "decide_binding", body);
}

#[test]
fn the_documents_belong_to_the_application() {
    let world = familial(World::insured());
    let child = child(&world);
    let (_, sent) = application(&world, child);
    let with = |field: &str, value: Value| {
        let mut other = sent.clone();
        other[field] = value;
        apply(&world, &other)
    };
    let other = json!([Base64::encode_string(&picture(b"another"))]);
    with("documents", other).problem(422, "statement_differs");
    with("salt", json!(Hash([6; 32]))).problem(422, "statement_differs");
    with("documents", json!([])).problem(422, "invalid_field");
    with("documents", json!(["bm8gcGljdHVyZQ=="])).problem(422, "invalid_field");
    let large = picture(&vec![0; 400 * 1_024]);
    with("documents", json!([Base64::encode_string(&large)])).problem(422, "invalid_field");
    let mut stranger = child_identity();
    stranger["name"] = json!("欧阳晓晓");
    with("child", stranger).problem(404, "child_not_found");
    // Nothing of all that was kept, and nothing waits.
    assert_eq!((worklist(&world), standing(&world)), (vec![], Value::Null));
    let id = apply(&world, &sent).expect(201).json()["application"].clone();
    let list = worklist(&world);
    assert_eq!((list.len(), &list[0]["application"]), (1, &id));
    assert_eq!(list[0]["payer"]["name"], "陈玉兰");
    assert_eq!(standing(&world)["state"], "waiting");
    // Another one of the same two does not push the first one's documents away.
    let (_, again) = application_with(&world, child, &[picture(b"again")]);
    apply(&world, &again).problem(422, "binding_application_waits");
    assert_eq!(worklist(&world)[0]["application"], id);
}

#[test]
fn only_the_bureaus_clerk_sees_documents() {
    let world = familial(World::insured());
    let child = child(&world);
    let path = format!("/v1/binding-applications/{}", applied(&world, child));
    let get = |party| world.ask(&Ask::get(&path).token(&world.token(party)));
    let seen = get(organisation("bureau")).expect(200).json();
    assert_eq!(seen["documents"][1], Base64::encode_string(&picture(b"certificate")));
    let who = ["child_name", "child_number_end", "child_born"].map(|field| seen[field].clone());
    assert_eq!(who, [json!(NAME), json!("002X"), json!("1949-12-31")]);
    assert_eq!((&seen["relation"], &seen["own_consent_age"]), (&json!(1), &json!(16)));
    for party in [by(1), by(2), organisation("hospital"), organisation("authority")] {
        get(party).problem(404, "not_found");
    }
    // A machine's key of the bureau, which has every scope but the clerk's, does not either.
    let key = crate::support::keys::public("bureau-machine");
    let grant = json!({
        "organisation": "bureau", "key": key, "scopes": ["countersign", "attest"],
        "expires": crate::support::START.plus_millis(60 * crate::support::DAY)
    });
    world.accepted_with("bureau-root", organisation("bureau"), "authorise_key", grant);
    let session = world.ask(&world.sign_in_with(organisation("bureau"), "bureau-machine"));
    let token = session.expect(201).json()["token"].as_str().unwrap().to_owned();
    world.ask(&Ask::get(&path).token(&token)).problem(403, "scope_not_held");
}

#[test]
fn a_refusal_tells_its_reason_until_the_next_application_and_an_agreement_binds() {
    let world = familial(World::insured());
    let child = child(&world);
    let first = applied(&world, child);
    decide(&world, child, json!({ "refuse": { "reason": "unreadable" } }));
    let refused = standing(&world);
    assert_eq!((&refused["state"], &refused["reason"]), (&json!("refused"), &json!("unreadable")));
    // Nobody has looked at the worklist meanwhile: what was decided is not beside the new one.
    let (_, better) = application_with(&world, child, &[picture(b"readable")]);
    apply(&world, &better).expect(201);
    let list = worklist(&world);
    assert_eq!(list.len(), 1);
    assert_ne!(list[0]["application"], first);
    let path = format!("/v1/binding-applications/{first}");
    let bureau = world.token(organisation("bureau"));
    world.ask(&Ask::get(path).token(&bureau)).problem(404, "not_found");
    assert_eq!(standing(&world)["state"], "waiting");
    decide(&world, child, json!({ "agree": { "until": "2030-12-31" } }));
    assert_eq!(standing(&world), Value::Null);
    let path = format!("/v1/persons/{}/family", id_of(by(1)));
    let family = world.ask(&Ask::get(path).token(&world.token(by(1)))).expect(200).json();
    let bound = &family["members"][0];
    assert_eq!((&bound["ground"], &bound["until"]), (&json!("documents"), &json!("2030-12-31")));
}
