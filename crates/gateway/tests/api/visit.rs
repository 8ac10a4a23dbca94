//! The walk of a settlement over HTTP: bill, quote, consent, settlement, voucher, and who sees what
//! of it.

use ledger::kernel::state::StateProof;
use primitives::{Hash, Timestamp, sha256};
use proof::policy::{Policy, policy_text};
use proof::voucher::Voucher;
use serde_json::{Value, json};
use vault::{Envelope, Grant, ReaderSecret, envelope::EnvelopeContext};

use crate::support::insured::{VISIT, bill, sealed, settle, subject};
use crate::support::keys::TestVerifier;
use crate::support::ledger_port::{BILLS_MAX, log_key};
use crate::support::{Ask, DAY, REGION, World, id_of, organisation, person};

fn quote(world: &World, token: &str, body: &Value) -> crate::support::Answered {
    world.ask(&Ask::post("/v1/quotes", body).token(token).with("accept-language", "en"))
}

#[test]
fn a_quote_sorts_the_bill_splits_it_and_says_why() {
    let world = World::insured();
    let token = world.token(organisation("hospital"));
    let request = json!({ "visit": VISIT, "bill": bill(), "use_personal_account": true });
    let quoted = quote(&world, &token, &request).expect(200).json();
    // 390.00 in policy less 100.00, half of it by the pool; 10.00 first share; 50.00 in the
    // account.
    let split = &quoted["split"];
    assert_eq!(split["total"], "40000");
    assert_eq!(split["class_b_share"], "1000");
    assert_eq!(split["payers"][0]["amount"], "14500");
    assert_eq!(split["personal_account"], "5000");
    assert_eq!(split["cash"], "20500");
    assert_eq!(quoted["lines"].as_array().unwrap().len(), 2);
    assert_eq!(quoted["lines"][1]["reason"], "class_b");
    let explanation = &quoted["explanation"];
    assert_eq!(explanation["language"], "en");
    assert!(explanation["headline"].as_str().unwrap().contains("205"), "{explanation}");
    let words = &explanation["steps"][0]["words"];
    assert_eq!(words, "half of what exceeds 100 yuan a year");
    // The sums alone give the same split; without the account more cash is due.
    let request = json!({ "visit": VISIT, "sums": quoted["sums"] });
    let plain = quote(&world, &token, &request).expect(200).json();
    assert_eq!(plain["split"]["cash"], "25500");
    assert_eq!(plain["lines"], json!([]));
}

#[test]
fn a_person_quotes_a_planned_visit_and_anybody_quotes_facts() {
    let world = World::insured();
    let (one, two) = (world.token(person(1)), world.token(person(2)));
    let planned = json!({ "planned": subject(1), "bill": bill(), "use_personal_account": true });
    let quoted = quote(&world, &one, &planned).expect(200).json();
    assert_eq!(quoted["split"]["cash"], "20500");
    quote(&world, &two, &planned).problem(403, "not_yours");
    let general = json!({
        "general": {
            "region": REGION, "scheme": 310,
            "facts": { "visit_type": "outpatient", "hospital_level": "tertiary_a" }
        },
        "sums": quoted["sums"]
    });
    let other = quote(&world, &two, &general).expect(200).json();
    assert_eq!(other["split"]["cash"], "25500");
    assert_eq!(other["parts"][0]["plan"]["version"], 1);
}

#[test]
fn a_quote_names_what_is_wrong_with_the_request_or_the_bill() {
    let world = World::insured();
    let token = world.token(organisation("hospital"));
    for (request, field) in [
        (json!({ "bill": bill() }), "visit, remaining, corrected, planned, general"),
        (
            json!({ "visit": VISIT, "planned": subject(1), "bill": bill() }),
            "visit, remaining, corrected, planned, general",
        ),
        (json!({ "visit": VISIT }), "bill, sums"),
    ] {
        let problem = quote(&world, &token, &request).problem(422, "one_of_needed");
        assert_eq!(problem["field"], field);
    }
    let mut wrong = bill();
    wrong["lines"][0]["amount"] = json!(300);
    let request = json!({ "visit": VISIT, "bill": wrong });
    let problem = quote(&world, &token, &request).problem(422, "invalid_field");
    assert!(problem["field"].as_str().unwrap().starts_with("bill"), "{problem}");
    let mut foreign = bill();
    foreign["currency"] = json!("JPY");
    let request = json!({ "visit": VISIT, "bill": foreign });
    quote(&world, &token, &request).problem(422, "invalid_bill");
    let mut early = bill();
    early["lines"][0]["service_date"] = json!("2025-01-05");
    let request = json!({ "visit": VISIT, "bill": early });
    quote(&world, &token, &request).problem(422, "coverage_not_yet");
}

#[test]
fn a_visit_is_settled_over_http_and_its_voucher_verifies_offline() {
    let world = World::insured();
    let receipt = settle(&world, VISIT);
    assert_eq!(receipt["events"], json!(["visit_settled"]));
    assert_eq!(receipt["effects"][0]["amount"], "20500");
    let token = world.token(person(1));
    let path = format!("/v1/receipts/{}/voucher?show=total,cash", receipt["id"]);
    let file = world.ask(&Ask::get(path).token(&token)).expect(200).body;
    let policy = Policy::parse(policy_text(&log_key(), &[], 0).as_bytes()).unwrap();
    let verified = Voucher::decode(&file).unwrap().verify(&policy, &TestVerifier).unwrap();
    let shown: Vec<String> =
        verified.fields.values().map(|field| field.value.to_string()).collect();
    assert_eq!(shown, ["400.00 CNY", "205.00 CNY"]);
}

#[test]
fn a_settled_visit_shows_its_record_to_person_provider_and_bureau_only() {
    let world = World::insured();
    let get = |party| {
        let token = world.token(party);
        world.ask(&Ask::get(format!("/v1/visits/{VISIT}")).token(&token))
    };
    let open = get(organisation("hospital")).expect(200).json();
    assert_eq!(open["standing"], "open");
    assert_eq!(open["deposits"], json!([]));
    let receipt = settle(&world, VISIT);
    for party in [person(1), organisation("hospital"), organisation("bureau")] {
        let settled = get(party).expect(200).json();
        assert_eq!(settled["standing"], "settled");
        assert_eq!(settled["revision"], 0);
        assert_eq!(settled["record"]["transaction_id"], receipt["transaction_id"]);
        assert_eq!(settled["subject"]["provider"], "hospital");
    }
    for party in [person(2), organisation("other"), organisation("auditor")] {
        get(party).problem(404, "not_found");
    }
    let reference = receipt["effects"][0]["reference"].as_str().unwrap().to_owned();
    let effect = |party| {
        let token = world.token(party);
        world.ask(&Ask::get(format!("/v1/effects/{reference}")).token(&token))
    };
    let seen = effect(organisation("hospital")).expect(200).json();
    assert_eq!(
        (seen["status"].as_str(), seen["amount"].as_str()),
        (Some("pending"), Some("20500"))
    );
    effect(person(1)).expect(200);
    effect(organisation("other")).problem(404, "not_found");
}

#[test]
fn balances_and_counters_follow_the_settlement() {
    let world = World::insured();
    settle(&world, VISIT);
    let one = id_of(person(1));
    let get = |party, path: String| {
        let token = world.token(party);
        world.ask(&Ask::get(path).token(&token)).expect(200).json()
    };
    let account = get(person(1), format!("/v1/persons/{one}/account"));
    assert_eq!(
        (account["balance"].as_str(), account["available"].as_str()),
        (Some("0"), Some("0"))
    );
    let coverages = get(person(1), format!("/v1/persons/{one}/coverages"));
    assert_eq!(coverages["coverages"][0]["standing"], "active");
    let met = &coverages["running_amounts"][0]["accumulators"];
    assert!(met.to_string().contains("10000"), "{met}");
    let fund = get(organisation("bureau"), format!("/v1/regions/{REGION}/funds/1"));
    assert_eq!(fund["account"]["balance"], "99985500");
    let accounts = get(organisation("hospital"), "/v1/organisations/hospital/accounts".to_owned());
    let due = &accounts["accounts"][0];
    assert_eq!(
        due["account"],
        json!({ "provider_due": { "organisation": "hospital", "region": 620_100 } })
    );
    assert_eq!(due["balance"], "19500");
    assert!(due.get("available").is_none());
    let someone = get(person(1), format!("/v1/persons/{one}"));
    assert_eq!(someone["keys"][0]["grade"], "device");
    // What the person's key agreed to: account and cash together.
    assert_eq!(someone["spent_today"], "25500");
}

#[test]
fn the_plan_in_force_is_public_with_its_compiled_bytes() {
    let world = World::insured();
    let path = format!("/v1/regions/{REGION}/schemes/310");
    let get = |tail: &str| world.ask(&Ask::get(format!("{path}{tail}")));
    let plan = get("/plan").expect(200).json();
    assert_eq!((plan["version"].as_u64(), plan["approver"].as_str()), (Some(1), Some("regulator")));
    assert_eq!(plan["published"], "2026-01-01");
    assert_eq!(get("/plan?day=2026-07-01").expect(200).json()["hash"], plan["hash"]);
    get("/plan?day=2027-07-01").problem(404, "not_found");
    let problem = get("/plan?day=tomorrow").problem(422, "invalid_field");
    assert_eq!(problem["field"], "day");
    assert_eq!(get("/plans").expect(200).json()["plans"].as_array().unwrap().len(), 1);
    let bytes = get("/plans/1/compiled").expect(200).body;
    let compiled: benefit::Plan = primitives::codec::decode(&bytes).unwrap();
    assert_eq!(plan["hash"], compiled.hash().to_string());
    get("/plans/2/compiled").problem(404, "not_found");
}

#[test]
fn a_sealed_bill_is_kept_by_the_provider_and_opened_by_its_readers() {
    let world = World::insured();
    let hospital = world.token(organisation("hospital"));
    let (commitment, envelope, reader) = sealed(VISIT, b"the bill");
    let path = format!("/v1/visits/{VISIT}/bills/{commitment}");
    let put = |bytes: &[u8]| world.ask(&Ask::put(&path, bytes).token(&hospital));
    put(&envelope.encode()).expect(204);
    put(&envelope.encode()).expect(204);
    put(b"not an envelope").problem(422, "invalid_envelope");
    let (_, other, _) = sealed(VISIT, b"another bill");
    put(&other.encode()).problem(409, "bill_exists");
    for party in [person(1), organisation("hospital"), organisation("bureau")] {
        let token = world.token(party);
        let list = world.ask(&Ask::get(format!("/v1/visits/{VISIT}/bills")).token(&token));
        assert_eq!(list.expect(200).json()["commitments"], json!([commitment]));
        let bytes = world.ask(&Ask::get(&path).token(&token)).expect(200).body;
        let context = EnvelopeContext { visit: VISIT, commitment };
        let now = crate::support::START;
        let opened = Envelope::decode(&bytes).unwrap().open_bill(&reader, &context, now).unwrap();
        assert_eq!(opened.bill, b"the bill");
    }
    for number in 1..=u8::try_from(BILLS_MAX).unwrap() {
        let (commitment, envelope, _) = sealed(VISIT, &[number]);
        let path = format!("/v1/visits/{VISIT}/bills/{commitment}");
        let answer = world.ask(&Ask::put(path, &envelope.encode()).token(&hospital));
        if usize::from(number) < BILLS_MAX {
            answer.expect(204);
        } else {
            answer.problem(409, "too_many_bills");
        }
    }
}

#[test]
fn a_bill_for_a_refund_or_correction_is_kept_before_and_after_it() {
    let world = World::insured();
    let hospital = world.token(organisation("hospital"));
    settle(&world, VISIT);
    let (commitment, envelope, reader) = sealed(VISIT, b"what remains");
    let path = format!("/v1/visits/{VISIT}/bills/{commitment}");
    let put = |bytes: &[u8], token: &str| world.ask(&Ask::put(&path, bytes).token(token));
    put(&envelope.encode(), &world.token(organisation("other"))).problem(404, "not_found");
    put(&envelope.encode(), &world.token(person(1))).problem(403, "not_yours");
    put(&envelope.encode(), &hospital).expect(204);
    // What is kept stays as it is.
    let (_, other, _) = sealed(VISIT, b"something else");
    put(&other.encode(), &hospital).problem(409, "bill_exists");
    let token = world.token(person(1));
    let bytes = world.ask(&Ask::get(&path).token(&token)).expect(200).body;
    let context = EnvelopeContext { visit: VISIT, commitment };
    let now = crate::support::START;
    let opened = Envelope::decode(&bytes).unwrap().open_bill(&reader, &context, now).unwrap();
    assert_eq!(opened.bill, b"what remains");
}

/// The content key of a bill, wrapped by its reader for the auditor of these tests until then.
fn granted(
    envelope: &Envelope,
    reader: &ReaderSecret,
    commitment: Hash,
    until: Timestamp,
) -> Vec<u8> {
    let grant = Grant {
        reader: auditor().key(),
        purpose: primitives::Text::new("sample").unwrap(),
        valid_until: until,
    };
    let context = EnvelopeContext { visit: VISIT, commitment };
    let mut random = vault::randomness([8; 32]);
    let now = crate::support::START;
    envelope.grant_key(reader, &context, &grant, now, &mut random).unwrap().encode()
}

fn auditor() -> ReaderSecret {
    ReaderSecret::from_seed(&[7; 32])
}

#[test]
fn an_auditor_gets_a_granted_bill_until_the_grant_ends() {
    let world = World::insured();
    let hospital = world.token(organisation("hospital"));
    let (commitment, envelope, reader) = sealed(VISIT, b"the bill");
    let path = format!("/v1/visits/{VISIT}/bills/{commitment}");
    world.ask(&Ask::put(&path, &envelope.encode()).token(&hospital)).expect(204);
    // The sample is drawn after the settlement, and the bill is granted where it lies.
    settle(&world, VISIT);
    let now = world.gateway.clock.now();
    let key = granted(&envelope, &reader, commitment, now.plus_millis(60_000));
    let post = |token: &str, bytes: &[u8]| {
        world.ask(&Ask::bytes("POST", format!("{path}/grants"), bytes).token(token))
    };
    let get =
        |token: &str, query: &str| world.ask(&Ask::get(format!("{path}{query}")).token(token));
    let query = format!("?reader={}", auditor().key());
    let token = world.token(organisation("auditor"));
    get(&token, &query).problem(404, "not_found");
    post(&token, &key).problem(404, "not_found");
    post(&world.token(organisation("bureau")), &key).expect(204);
    let bytes = get(&token, &query).expect(200).body;
    let context = EnvelopeContext { visit: VISIT, commitment };
    let opened = Envelope::decode(&bytes).unwrap().open_bill(&auditor(), &context, now).unwrap();
    assert_eq!(opened.bill, b"the bill");
    get(&token, "").problem(404, "not_found");
    // The hospital's own key carries no grant, and other organisations are no auditors.
    get(&token, &format!("?reader={}", reader.key())).problem(404, "not_found");
    get(&world.token(organisation("other")), &query).problem(404, "not_found");
    // The person sees who was handed the bill.
    let one = world.token(person(1));
    let list = Ask::get(format!("{path}/accesses")).token(&one);
    let noted = json!([{ "day": "2026-01-10", "organisation": "auditor" }]);
    assert_eq!(world.ask(&list).expect(200).json()["accesses"], noted);
    world.clock.advance_millis(60_001);
    get(&token, &query).problem(404, "not_found");
    let kept = get(&one, "").expect(200).body;
    assert!(!Envelope::decode(&kept).unwrap().is_for(&auditor().key()), "the key is dropped");
}

#[test]
fn a_grant_is_for_a_time_takes_nobodys_place_and_is_revoked() {
    let world = World::insured();
    let hospital = world.token(organisation("hospital"));
    let (commitment, envelope, reader) = sealed(VISIT, b"the bill");
    let path = format!("/v1/visits/{VISIT}/bills/{commitment}");
    world.ask(&Ask::put(&path, &envelope.encode()).token(&hospital)).expect(204);
    let post = |bytes: &[u8]| {
        world.ask(&Ask::bytes("POST", format!("{path}/grants"), bytes).token(&hospital))
    };
    let now = world.gateway.clock.now();
    let until = |until| granted(&envelope, &reader, commitment, until);
    post(b"no grant").problem(422, "invalid_grant");
    post(&until(now.plus_millis(93 * DAY))).problem(422, "invalid_grant");
    post(&until(crate::support::START)).problem(422, "invalid_grant");
    post(&until(now.plus_millis(92 * DAY))).expect(204);
    let revoke = |reader: vault::ReaderKey| {
        let path = format!("{path}/grants/{reader}");
        world.ask(&Ask::delete(path).token(&world.token(person(1))))
    };
    revoke(reader.key()).problem(404, "not_found");
    revoke(auditor().key()).expect(204);
    revoke(auditor().key()).problem(404, "not_found");
    let kept = world.ask(&Ask::get(&path).token(&hospital)).expect(200).body;
    assert_eq!(kept, envelope.encode(), "nothing but the grant came and went");
}

#[test]
fn a_state_proof_holds_against_the_signed_header_and_shows_absence_too() {
    let world = World::insured();
    let receipt = settle(&world, VISIT);
    let transaction = receipt["transaction_id"].as_str().unwrap();
    let (one, two) = (id_of(person(1)), id_of(person(2)));
    for (party, path, is_there) in [
        (person(1), format!("person/{one}"), true),
        (person(1), format!("coverage/{one}"), true),
        (person(1), format!("personal_account/{one}"), true),
        (person(1), format!("visit/{VISIT}"), true),
        (organisation("hospital"), format!("settlement/{transaction}"), true),
        (person(3), format!("coverage/{}", id_of(person(3))), false),
    ] {
        if party == person(3) {
            continue;
        }
        let token = world.token(party);
        let proof = world.ask(&Ask::get(format!("/v1/proofs/{path}")).token(&token));
        check_proof(&world, &proof.expect(200).json(), is_there);
    }
    let token = world.token(organisation("bureau"));
    let uncovered = format!("/v1/proofs/coverage/{}", id_of(person(3)));
    check_proof(&world, &world.ask(&Ask::get(uncovered).token(&token)).expect(200).json(), false);
    let token = world.token(person(1));
    let get = |path: String| world.ask(&Ask::get(format!("/v1/proofs/{path}")).token(&token));
    get(format!("person/{two}")).problem(403, "not_yours");
    let problem = get(format!("secrets/{one}")).problem(422, "invalid_field");
    assert_eq!(problem["field"], "row");
    get(format!("settlement/{}", sha256(b"none"))).problem(404, "not_found");
}

fn check_proof(world: &World, proof: &Value, is_there: bool) {
    let header =
        world.ask(&Ask::get(format!("/v1/headers/{}", proof["height"]))).expect(200).json();
    let root: Hash = serde_json::from_value(header["header"]["state_root"].clone()).unwrap();
    assert_eq!(proof["state_root"], root.to_string());
    let state_proof = StateProof {
        salt: serde_json::from_value(proof["salt"].clone()).unwrap(),
        entry_count: proof["entry_count"].as_u64().unwrap(),
        bucket: serde_json::from_value(proof["bucket"].clone()).unwrap(),
        siblings: serde_json::from_value(proof["siblings"].clone()).unwrap(),
        blind: serde_json::from_value(proof["blind"].clone()).unwrap(),
    };
    let bytes = |name: &str| proof[name].as_str().map(|text| hex::decode(text).unwrap());
    let value = bytes("value");
    assert_eq!(value.is_some(), is_there);
    state_proof.verify(&root, &bytes("key").unwrap(), value.as_deref()).unwrap();
}
