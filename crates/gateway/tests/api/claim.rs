//! Claims for bills that were paid in full: documents and invoices that belong to them, who sees
//! them, what the desk computes, what is paid out.

use base64ct::{Base64, Encoding as _};
use ledger::{Content, IdempotencyKey};
use primitives::{Hash, Party, sha256, sha256_parts};
use serde_json::{Value, json};

use crate::family::familial;
use crate::support::insured::bill;
use crate::support::keys;
use crate::support::{Answered, Ask, DAY, REGION, START, World, id_of, organisation, person as by};

/// The region has rules of claims.
pub fn claimable(world: World) -> World {
    let rules = json!({
        "filing_days_max": 60, "decision_days_max": 30, "open_claims_per_person_max": 16,
        "proxies_claim": true,
        "foreign": { "publisher": "bureau", "rate_days_back_max": 3 },
        "source": "made up for tests"
    });
    let body = json!({ "region": REGION, "rules": rules });
    world.accepted(&[organisation("bureau")], "set_claim_rules", body);
    world
}

/// A picture that begins as every JPEG does.
fn picture(words: &[u8]) -> Vec<u8> {
    [&[0xff, 0xd8, 0xff, 0xe0], words].concat()
}

fn invoice(number: &str) -> Value {
    json!({ "issuer": "62060123", "number": number, "total": "40000" })
}

fn path(of: u8, what: &str) -> String {
    format!("/v1/persons/{}/{what}", id_of(by(of)))
}

pub fn tags_request(numbers: &[&str]) -> Value {
    json!({ "invoices": numbers.iter().map(|one| invoice(one)).collect::<Vec<_>>() })
}

fn tags(world: &World, (of, asker): (u8, u8), numbers: &[&str]) -> Value {
    let ask = Ask::post(path(of, "invoice-tags"), &tags_request(numbers));
    world.ask(&ask.token(&world.token(by(asker)))).expect(200).json()["tags"].clone()
}

/// A claim with these invoices, not filed yet: its content and what is sent.
pub fn claim(world: &World, of: u8, numbers: &[&str]) -> (Content, Value) {
    let tags = tags(world, (of, of), numbers);
    claim_by(world, (of, of), (json!("own_key"), numbers, tags))
}

/// The same by somebody else, who names how and the tags of the invoices.
fn claim_by(
    world: &World,
    (of, signer): (u8, u8),
    (actor, numbers, tags): (Value, &[&str], Value),
) -> (Content, Value) {
    let pictures = [picture(b"invoice"), picture(b"list of lines")];
    let salt = Hash([5; 32]);
    let invoices: Vec<Value> = numbers.iter().map(|one| invoice(one)).collect();
    let statement = json!({ "provider": "外地医院急诊科", "invoices": invoices }).to_string();
    let hashes: Vec<Hash> = pictures.iter().map(|one| sha256(one)).collect();
    let said = sha256(statement.as_bytes());
    let head: [&[u8]; 3] = [b"yibao/claim-documents/v1", &salt.0, &said.0];
    let rest = hashes.iter().map(|hash| hash.0.as_slice());
    let documents = sha256_parts(&head.into_iter().chain(rest).collect::<Vec<_>>());
    let body = json!({
        "person": id_of(by(of)), "by": actor, "region": REGION, "scheme": 310,
        "from": "2026-01-05", "to": "2026-01-06", "invoices": tags,
        "documents": documents
    });
    let content = world.content(by(signer), "file_claim", body);
    let mut sent = world.submission(&content, &[by(signer)]);
    sent["statement"] = json!(statement);
    sent["documents"] = pictures.iter().map(|one| json!(Base64::encode_string(one))).collect();
    sent["salt"] = json!(salt);
    (content, sent)
}

fn file(world: &World, of: u8, sent: &Value) -> Answered {
    world.ask(&Ask::post(path(of, "claims"), sent).token(&world.token(by(of))))
}

fn filed(world: &World, of: u8, numbers: &[&str]) -> String {
    let answer = file(world, of, &claim(world, of, numbers).1).expect(201).json();
    answer["claim"].as_str().unwrap().to_owned()
}

fn own(world: &World, of: u8) -> Vec<Value> {
    let ask = Ask::get(path(of, "claims")).token(&world.token(by(of)));
    world.ask(&ask).expect(200).json()["claims"].as_array().unwrap().clone()
}

fn worklist(world: &World) -> Vec<Value> {
    let list = Ask::get("/v1/organisations/bureau/claims");
    let list = list.token(&world.token(organisation("bureau")));
    world.ask(&list).expect(200).json()["claims"].as_array().unwrap().clone()
}

/// A claim of person 1 that waits; a new one when there is none.
pub fn waiting(world: &World) -> String {
    let all = own(world, 1);
    let waits = all.iter().find(|one| one["standing"]["state"] == "waiting");
    match waits {
        Some(one) => one["claim"].as_str().unwrap().to_owned(),
        None => filed(world, 1, &[&format!("0{}", all.len())]),
    }
}

/// What the desk reads on the invoices.
pub fn review(numbers: &[&str]) -> Value {
    let invoices: Vec<Value> = numbers.iter().map(|one| invoice(one)).collect();
    let place = json!({ "region": REGION, "level": "tertiary_a" });
    json!({
        "invoices": invoices, "bill": bill(), "salt": Hash([6; 32]),
        "care": { "place": place, "visit_type": "outpatient" }
    })
}

fn desk(world: &World, claim: &str, what: &str, body: &Value) -> Answered {
    let ask = Ask::post(format!("/v1/claims/{claim}/{what}"), body);
    world.ask(&ask.token(&world.token(organisation("bureau"))))
}

/// The acceptance of a claim as the desk quotes it now, signed by the clerk.
pub fn acceptance(world: &World, claim: &str, review: &Value) -> Value {
    let quoted = desk(world, claim, "quotes", review).expect(200).json();
    let bureau = organisation("bureau");
    let content = world.content(bureau, "accept_claim", quoted["body"].clone());
    let mut sent = world.submission(&content, &[bureau]);
    sent["review"] = review.clone();
    sent
}

/// All lines are taken out.
pub fn nothing_remains() -> Value {
    json!({ "reason": "not_genuine", "salt": Hash([9; 32]) })
}

/// A correction of a claim that was never accepted.
pub fn correction(world: &World, claim: &str) -> Value {
    let bureau = organisation("bureau");
    let none = Hash::default();
    let split = json!({
        "total": "0", "self_paid": "0", "over_cap": "0", "class_b_share": "0", "in_policy": "0",
        "deductible": "0", "payers": [], "personal_account": "0", "cash": "0"
    });
    let record = json!({
        "claim": claim, "care": review(&[])["care"], "bill": none, "sums": [], "parts": []
    });
    let body = json!({
        "record": record, "reason": "not_genuine", "bill": none, "sums": [], "split": split,
        "corrected": none
    });
    let content = world.content(bureau, "correct_claim", body);
    let mut sent = world.submission(&content, &[bureau]);
    sent["review"] = nothing_remains();
    sent
}

/// The key under which a claim is paid out here.
pub fn payout_key(claim: &str) -> Value {
    let key = IdempotencyKey(sha256(claim.as_bytes()).0[..16].try_into().unwrap());
    json!({ "idempotency_key": key })
}

/// The payout of a claim whose money waits, signed by the clerk.
pub fn payout(world: &World, claim: &str) -> Value {
    let token = world.token(organisation("bureau"));
    let key = IdempotencyKey(sha256(claim.as_bytes()).0[..16].try_into().unwrap());
    let ask = Ask::post(format!("/v1/claims/{claim}/payout-legs"), &payout_key(claim));
    let leg = world.ask(&ask.token(&token)).expect(201).json();
    assert_eq!(leg["card"], "4321");
    let body = json!({ "claim": claim, "payout": leg["payout"] });
    let content = world.content(organisation("bureau"), "pay_claim", body);
    let content = Content { idempotency_key: key, ..content };
    world.submission(&content, &[organisation("bureau")])
}

/// The bank's word on what a submitted transaction orders.
pub fn confirm(world: &World, submitted: &Value, result: Value) {
    let effect = &submitted["receipt"]["effects"][0];
    assert_eq!(effect["action"], "pay_out");
    let word = json!({
        "effect": effect["reference"], "result": result, "rail_reference": Hash::default()
    });
    world.accepted(&[organisation("bank")], "confirm_effect", word);
}

fn get(world: &World, claim: &str, party: Party) -> Answered {
    world.ask(&Ask::get(format!("/v1/claims/{claim}")).token(&world.token(party)))
}

#[test]
fn documents_and_invoices_belong_to_the_claim() {
    let world = claimable(World::insured());
    let (_, sent) = claim(&world, 1, &["0001", "0002"]);
    let with = |field: &str, value: Value| {
        let mut other = sent.clone();
        other[field] = value;
        file(&world, 1, &other)
    };
    let other = json!([Base64::encode_string(&picture(b"another"))]);
    with("documents", other).problem(422, "statement_differs");
    with("salt", json!(Hash([7; 32]))).problem(422, "statement_differs");
    with("documents", json!([])).problem(422, "invalid_field");
    with("documents", json!(["bm8gcGljdHVyZQ=="])).problem(422, "invalid_field");
    with("statement", json!("no JSON")).problem(422, "invalid_field");
    // Invoices that are said are those that are tagged.
    let said = |numbers: &[&str]| {
        let invoices: Vec<Value> = numbers.iter().map(|one| invoice(one)).collect();
        json!(json!({ "provider": "外地医院急诊科", "invoices": invoices }).to_string())
    };
    with("statement", said(&["0001"])).problem(422, "statement_differs");
    with("statement", said(&[])).problem(422, "invalid_field");
    with("statement", said(&["－ "])).problem(422, "invalid_field");
    assert_eq!((own(&world, 1), worklist(&world)), (vec![], vec![]));
    let id = file(&world, 1, &sent).expect(201).json()["claim"].clone();
    let list = worklist(&world);
    assert_eq!((list.len(), &list[0]["claim"]), (1, &id));
    assert_eq!(list[0]["person"]["name"], "陈玉兰");
    assert_eq!(list[0]["invoices"][1]["number"], "0002");
    let standing = &own(&world, 1)[0]["standing"];
    assert_eq!(*standing, json!({ "state": "waiting", "until": "2026-02-09", "is_late": false }));
}

#[test]
fn the_same_invoice_is_claimed_once_however_it_is_written() {
    let world = claimable(World::insured());
    let first = filed(&world, 1, &["00a1 23"]);
    // Spaces, case and full-width letters do not make another invoice.
    for (of, again) in [(2, "00A123"), (1, "００Ａ１-23")] {
        file(&world, of, &claim(&world, of, &[again]).1).problem(422, "invoice_claimed");
    }
    let twice = Ask::post(path(1, "invoice-tags"), &tags_request(&["1", " 1"]));
    world.ask(&twice.token(&world.token(by(1)))).problem(422, "invalid_invoice_list");
    // What was not filed leaves nothing behind.
    assert_eq!((own(&world, 1).len(), own(&world, 2).len(), worklist(&world).len()), (1, 0, 1));
    let withdraw = json!({ "claim": first, "by": "own_key" });
    world.accepted(&[by(1)], "withdraw_claim", withdraw);
    assert_eq!(worklist(&world), Vec::<Value>::new());
    let second = filed(&world, 2, &["00A123"]);
    let refuse = json!({ "claim": second, "reason": "other_person" });
    world.accepted(&[organisation("bureau")], "refuse_claim", refuse);
    assert_eq!(own(&world, 2)[0]["standing"]["reason"], "other_person");
    filed(&world, 1, &["00A123"]);
}

#[test]
fn only_the_person_and_the_bureaus_clerk_see_a_claim() {
    let world = claimable(World::insured());
    let id = filed(&world, 1, &["0001"]);
    for party in [by(1), organisation("bureau")] {
        let seen = get(&world, &id, party).expect(200).json();
        assert_eq!(seen["documents"][1], Base64::encode_string(&picture(b"list of lines")));
        assert_eq!(seen["provider"], "外地医院急诊科");
    }
    for party in [by(2), organisation("hospital"), organisation("authority"), organisation("bank")]
    {
        get(&world, &id, party).problem(404, "not_found");
    }
    let key = keys::public("bureau-machine");
    let grant = json!({
        "organisation": "bureau", "key": key, "scopes": ["countersign", "attest"],
        "expires": START.plus_millis(60 * DAY)
    });
    world.accepted_with("bureau-root", organisation("bureau"), "authorise_key", grant);
    let session = world.ask(&world.sign_in_with(organisation("bureau"), "bureau-machine"));
    let token = session.expect(201).json()["token"].as_str().unwrap().to_owned();
    let ask = Ask::get(format!("/v1/claims/{id}")).token(&token);
    world.ask(&ask).problem(403, "scope_not_held");
}

#[test]
fn what_is_accepted_is_what_the_machine_computed() {
    let world = claimable(World::insured());
    let id = filed(&world, 1, &["0001"]);
    let review = review(&["0001"]);
    let quoted = desk(&world, &id, "quotes", &review).expect(200).json();
    // 390.00 in policy less the deductible, half of it; the account pays nothing.
    assert_eq!((&quoted["paid"], &quoted["card"]), (&json!("14500"), &json!("4321")));
    assert_eq!(quoted["quote"]["split"]["personal_account"], "0");
    assert_eq!(quoted["quote"]["lines"].as_array().unwrap().len(), 2);
    assert!(quoted["quote"]["explanation"].is_object());
    let sent = acceptance(&world, &id, &review);
    let mut other = sent.clone();
    other["review"]["bill"]["lines"][0]["amount"] = json!("200");
    desk(&world, &id, "acceptances", &other).problem(422, "statement_differs");
    let mut other = sent.clone();
    other["review"]["invoices"][0]["number"] = json!("0002");
    desk(&world, &id, "acceptances", &other).problem(422, "statement_differs");
    let accepted = desk(&world, &id, "acceptances", &sent).expect(201).json();
    // The same again is the same receipt, and the claim is closed for any other.
    let again = desk(&world, &id, "acceptances", &sent).expect(200).json();
    assert_eq!(again["receipt"]["id"], accepted["receipt"]["id"]);
    desk(&world, &id, "quotes", &review).problem(422, "claim_closed");
    assert_eq!(worklist(&world).len(), 1, "its money is on the way");
    confirm(&world, &accepted, json!({ "outcome": "done", "amount": "14500" }));
    assert_eq!(worklist(&world), Vec::<Value>::new());
    let seen = get(&world, &id, by(1)).expect(200).json();
    let standing = &seen["standing"];
    assert_eq!((&standing["paid"], &standing["total"]), (&json!("14500"), &json!("40000")));
    assert_eq!(standing["payout"]["status"], "done");
    assert!(standing["payout"]["confirmed"].is_string());
    assert_eq!(seen["quote"]["split"], quoted["quote"]["split"]);
    assert_eq!(seen["bill"]["lines"][1]["item_code"], "B1");
    assert_eq!(seen["quote"]["explanation"], quoted["quote"]["explanation"]);
    for of in [1, 2] {
        file(&world, of, &claim(&world, of, &["0001"]).1).problem(422, "invoice_used");
    }
}

#[test]
fn a_payout_that_failed_is_ordered_again_and_who_has_no_card_waits_for_one() {
    let world = claimable(World::insured());
    let id = filed(&world, 1, &["0001"]);
    let sent = acceptance(&world, &id, &review(&["0001"]));
    let accepted = desk(&world, &id, "acceptances", &sent).expect(201).json();
    desk(&world, &id, "payouts", &payout(&world, &id)).problem(422, "claim_nothing_owed");
    confirm(&world, &accepted, json!({ "outcome": "failed", "reason": 3 }));
    assert_eq!(worklist(&world)[0]["standing"]["payout"]["status"], "failed");
    let paid = desk(&world, &id, "payouts", &payout(&world, &id)).expect(201).json();
    confirm(&world, &paid, json!({ "outcome": "done", "amount": "14500" }));
    assert_eq!(worklist(&world), Vec::<Value>::new());
    let id = filed(&world, 2, &["0002"]);
    let sent = acceptance(&world, &id, &review(&["0002"]));
    desk(&world, &id, "acceptances", &sent).expect(201);
    let standing = own(&world, 2)[0]["standing"].clone();
    assert_eq!((&standing["paid"], &standing["payout"]), (&json!("14500"), &Value::Null));
    desk(&world, &id, "payout-legs", &payout_key(&id)).problem(409, "no_bound_card");
}

#[test]
fn a_proxy_claims_and_sees_what_it_filed() {
    let world = claimable(familial(World::insured()));
    let ask_as = |who: u8, ask: Ask| world.ask(&ask.token(&world.token(by(who))));
    ask_as(2, Ask::get(path(1, "claims"))).problem(403, "not_yours");
    let bind = json!({
        "payer": id_of(by(2)), "member": id_of(by(1)), "relation": 1, "agreement": "own_key"
    });
    world.accepted(&[by(2), by(1)], "bind_member", bind);
    let own = filed(&world, 1, &["1"]);
    let known = ask_as(2, Ask::get(path(1, "claims"))).expect(200).json();
    assert_eq!((&known["claims"], &known["scheme"]), (&json!([]), &json!(310)));
    assert_eq!(known["payees"][0]["person"], id_of(by(1)));
    assert_eq!(known["payees"].as_array().unwrap().len(), 1, "a proxy never receives money");
    let proxy = json!({ "proxy": id_of(by(2)) });
    let read = tags(&world, (1, 2), &["2"]);
    let (_, sent) = claim_by(&world, (1, 2), (proxy, &["2"], read));
    let answer = ask_as(2, Ask::post(path(1, "claims"), &sent)).expect(201).json();
    let of_proxy = answer["claim"].as_str().unwrap().to_owned();
    let listed = ask_as(2, Ask::get(path(1, "claims"))).expect(200).json();
    assert_eq!(listed["claims"].as_array().unwrap().len(), 1);
    let open = |claim: &str| ask_as(2, Ask::get(format!("/v1/claims/{claim}")));
    assert_eq!(open(&of_proxy).expect(200).json()["payee"]["person"], id_of(by(1)));
    open(&own).problem(404, "not_found");
    // The person sees both. Who is unbound sees neither any more.
    let all = ask_as(1, Ask::get(path(1, "claims"))).expect(200).json();
    assert_eq!(all["claims"].as_array().unwrap().len(), 2);
    let unbind = json!({
        "payer": id_of(by(2)), "member": id_of(by(1)), "side": "member", "actor": "own_key"
    });
    world.accepted(&[by(1)], "unbind_member", unbind);
    open(&of_proxy).problem(404, "not_found");
    ask_as(2, Ask::get(path(1, "claims"))).problem(403, "not_yours");
}

fn yen_review(lines: &[(&str, &str)]) -> Value {
    let lines: Vec<Value> = (1_u32..)
        .zip(lines)
        .map(|(at, (code, amount))| {
            json!({
                "line_no": at, "item_code": code, "service_date": "2026-01-06", "amount": amount
            })
        })
        .collect();
    let mut review = review(&["0001"]);
    review["bill"] = json!({ "currency": "JPY", "lines": lines });
    review["care"]["place"]["region"] = json!(392);
    review
}

fn publish(world: &World, day: &str, price: &str, correction: Option<&str>) {
    let mut rate = json!({
        "publisher": "bureau", "currency": "JPY", "priced_in": "CNY", "day": day,
        "rate": { "per": 100, "price": price }, "source": "made up for tests"
    });
    if let Some(reason) = correction {
        rate["correction"] = json!(reason);
    }
    world.accepted(&[organisation("bureau")], "publish_exchange_rate", rate);
}

#[test]
fn a_bill_from_abroad_is_converted_and_corrected_at_its_original_rate() {
    let world = claimable(World::insured());
    let rules = world.ask(&Ask::get(format!("/v1/regions/{REGION}/claim-rules"))).json();
    assert_eq!(rules["currencies"], json!(["CNY", "JPY", "USD", "EUR"]));
    let id = filed(&world, 1, &["0001"]);
    let both = yen_review(&[("X1", "9000"), ("B1", "3000")]);
    let missing = desk(&world, &id, "quotes", &both).problem(422, "no_exchange_rate");
    assert!(missing["detail"].as_str().unwrap().contains("`bureau`"), "{missing}");
    publish(&world, "2026-01-05", "4.8123", None);
    let quoted = desk(&world, &id, "quotes", &both).expect(200).json();
    let converted = &quoted["converted"];
    assert_eq!((&converted["total"], &converted["converted"]), (&json!("12000"), &json!("57748")));
    assert_eq!(
        (&converted["day"], &converted["rate"]["price"]),
        (&json!("2026-01-05"), &json!("4.8123"))
    );
    assert_eq!(quoted["quote"]["split"]["total"], "57748");
    // Half of 433.11 and nine tenths of 144.37 less the deductible.
    assert_eq!(quoted["paid"], "23152");
    let step = &quoted["quote"]["explanation"]["steps"][0];
    assert_eq!(step["rule"], "exchange_rate");
    let said = step["sentences"].to_string();
    assert!(
        said.contains("12,000") && said.contains("4.8123") && said.contains("577.48"),
        "{said}"
    );
    // The rate is corrected before the clerk signs: nothing happens, and it is computed anew.
    let outdated = acceptance(&world, &id, &both);
    publish(&world, "2026-01-05", "4.9", Some("copied_wrongly"));
    desk(&world, &id, "acceptances", &outdated).problem(422, "statement_differs");
    let sent = acceptance(&world, &id, &both);
    let accepted = desk(&world, &id, "acceptances", &sent).expect(201).json();
    let seen = get(&world, &id, by(1)).expect(200).json();
    assert_eq!(
        (&seen["converted"]["converted"], &seen["converted"]["version"]),
        (&json!("58800"), &json!(2))
    );
    assert_eq!((&seen["bill"]["currency"], &seen["currency"]), (&json!("JPY"), &json!("CNY")));
    let paid = seen["standing"]["paid"].as_str().unwrap().to_owned();
    confirm(&world, &accepted, json!({ "outcome": "done", "amount": paid }));

    // A later rate does not count for what was accepted.
    publish(&world, "2026-01-06", "9", None);
    let left = json!({
        "bill": yen_review(&[("X1", "9000")])["bill"], "reason": "wrong_lines", "salt": Hash([8; 32])
    });
    let corrected = desk(&world, &id, "correction-quotes", &left).expect(200).json();
    assert_eq!(corrected["converted"]["converted"], "44100");
    assert_eq!((&corrected["paid"], &corrected["less"]), (&json!("17050"), &json!("6615")));
    let sign = |body: &Value, review: &Value| {
        let bureau = organisation("bureau");
        let content = world.content(bureau, "correct_claim", body.clone());
        let mut sent = world.submission(&content, &[bureau]);
        sent["review"] = review.clone();
        sent
    };
    let mut other = sign(&corrected["body"], &left);
    other["review"]["reason"] = json!("not_genuine");
    desk(&world, &id, "corrections", &other).problem(422, "statement_differs");
    let sent = sign(&corrected["body"], &left);
    desk(&world, &id, "corrections", &sent).expect(201);
    desk(&world, &id, "corrections", &sent).expect(200);
    let standing = own(&world, 1)[0]["standing"].clone();
    assert_eq!((&standing["paid"], &standing["owed_back"]), (&json!("17050"), &json!("6615")));
    let seen = get(&world, &id, by(1)).expect(200).json();
    assert_eq!(seen["quote"]["split"]["total"], "44100");
    let none = nothing_remains();
    let all = desk(&world, &id, "correction-quotes", &none).expect(200).json();
    assert_eq!(
        (&all["paid"], &all["less"], &all["quote"]),
        (&json!("0"), &json!("17050"), &Value::Null)
    );
    desk(&world, &id, "corrections", &sign(&all["body"], &none)).expect(201);
    let seen = get(&world, &id, by(1)).expect(200).json();
    assert_eq!((&seen["standing"]["owed_back"], &seen["quote"]), (&json!("23665"), &Value::Null));
    let listed = Ask::get("/v1/organisations/bureau/exchange-rates/JPY/CNY/2026");
    let listed = world.ask(&listed).expect(200).json();
    assert_eq!(listed["days"][0]["day"], "2026-01-06");
    assert_eq!(listed["days"][1]["versions"][1]["correction"], "copied_wrongly");
    let euro = Ask::get("/v1/organisations/bureau/exchange-rates/XXX/CNY/2026");
    world.ask(&euro).problem(422, "invalid_field");
}

#[test]
fn a_region_that_converts_nothing_takes_no_bills_in_other_currencies() {
    let world = World::insured();
    let rules = json!({
        "filing_days_max": 60, "decision_days_max": 30, "open_claims_per_person_max": 16,
        "source": "made up for tests"
    });
    let body = json!({ "region": REGION, "rules": rules });
    world.accepted(&[organisation("bureau")], "set_claim_rules", body);
    let (_, mut sent) = claim(&world, 1, &["0001"]);
    let mut said: Value = serde_json::from_str(sent["statement"].as_str().unwrap()).unwrap();
    said["currency"] = json!("JPY");
    sent["statement"] = json!(said.to_string());
    file(&world, 1, &sent).problem(422, "claim_currency_not_accepted");
    let id = filed(&world, 1, &["0001"]);
    let review = yen_review(&[("X1", "9000")]);
    desk(&world, &id, "quotes", &review).problem(422, "claim_currency_not_accepted");
}
