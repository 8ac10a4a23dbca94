//! Audits: a sample that a block draws, computed once more from its lines while a grant holds.

use std::io::Read as _;

use adapters::clock::Clock as _;
use benefit::CategorySums;
use gateway::Chain as _;
use ledger::modules::audit::{draw, seed_words};
use ledger::modules::visit::{SettlementRecord, recompute};
use primitives::{Hash, Party, VisitId, codec, sha256};
use serde_json::{Value, json};
use vault::{BillContent, Envelope, EnvelopeContext, ReaderSecret};

use crate::support::insured::{VISIT, bill, settle};
use crate::support::wallets::confirm_visit;
use crate::support::{Ask, DAY, REGION, World, organisation, person};

const FIRST: VisitId = VisitId([0x21; 16]);
const SECOND: VisitId = VisitId([0x22; 16]);
const WRONG: VisitId = VisitId([0x23; 16]);

/// The path of a region's audits.
pub fn path(rest: &str) -> String {
    format!("/v1/regions/{REGION}/audits{rest}")
}

fn terms(size: u16) -> Value {
    json!({
        "provider": "hospital", "from": "2026-01-01", "to": "2026-01-31", "size": size,
        "purpose": "January"
    })
}

fn ask(world: &World, audit: u32, size: u16) {
    let body =
        json!({ "region": REGION, "audit": audit, "auditor": "auditor", "terms": terms(size) });
    world.accepted(&[organisation("auditor")], "ask_audit", body);
}

fn grant(world: &World, audit: u32, days: u64) {
    let ends = world.clock.now().plus_millis(days * DAY);
    let body = json!({ "region": REGION, "audit": audit, "ends": ends });
    world.accepted(&[organisation("bureau")], "grant_audit", body);
}

/// The same world with audit 1 of everything that `hospital` has settled, open for a month.
pub fn audited(world: World) -> World {
    ask(&world, 1, 200);
    grant(&world, 1, 30);
    world
}

fn read(world: &World, party: Party, rest: &str) -> crate::support::Answered {
    world.ask(&Ask::get(path(rest)).token(&world.token(party)))
}

fn auditor() -> Party {
    organisation("auditor")
}

/// Settles a visit with sums that its sealed lines do not give: 300.00 stand for 250.00.
fn settle_wrongly(world: &World) {
    let token = world.token(organisation("hospital"));
    let request = json!({ "visit": WRONG, "bill": bill(), "use_personal_account": true });
    let quoted = world.ask(&Ask::post("/v1/quotes", &request).token(&token)).expect(200).json();
    let sums: benefit::CategorySums = serde_json::from_value(quoted["sums"].clone()).unwrap();
    let mut lines = bill();
    lines["lines"][0]["amount"] = json!("250");
    let content = BillContent {
        salt: [4; 32],
        bill: lines.to_string().into_bytes(),
        sums: codec::encode(&sums),
    };
    let context = EnvelopeContext { visit: WRONG, commitment: content.commitment() };
    let bureau = ReaderSecret::from_seed(&[2; 32]).key();
    let mut random = vault::randomness([9; 32]);
    let sealed = Envelope::seal(&content.encode().unwrap(), &context, &[bureau], &mut random);
    let put = format!("/v1/visits/{WRONG}/bills/{}", context.commitment);
    world.ask(&Ask::put(put, &sealed.unwrap().encode()).token(&token)).expect(204);
    let body = json!({
        "visit": WRONG, "bill": context.commitment, "sums": quoted["sums"],
        "use_personal_account": true, "split": quoted["split"], "consent": { "form": "own_key" },
        "cash": { "executor": "hospital", "rail": "counter", "authorisation": sha256(b"till") }
    });
    let signers = [organisation("hospital"), organisation("bureau"), person(1)];
    world.accepted(&signers, "settle_visit", body);
}

/// Two visits confirmed on a phone, one whose lines are not what was settled, one whose bill is not
/// kept.
fn world() -> World {
    let world = World::insured();
    for visit in [FIRST, SECOND, WRONG] {
        world.check_in(visit);
    }
    confirm_visit(&world, FIRST);
    confirm_visit(&world, SECOND);
    settle_wrongly(&world);
    settle(&world, VISIT);
    audited(world)
}

fn of(sample: &Value, visit: VisitId) -> Value {
    let all = sample["settlements"].as_array().unwrap().iter();
    all.clone().find(|one| one["visit"] == visit.to_string()).unwrap().clone()
}

#[test]
fn each_settlement_is_computed_from_its_lines_and_every_differing_amount_is_named() {
    let world = world();
    let sample = read(&world, auditor(), "/1/sample").expect(200).json();
    assert_eq!(
        (&sample["listed"], sample["settlements"].as_array().unwrap().len()),
        (&json!(4), 4)
    );
    // The second stands on the running amounts that the first left: its deductible was met.
    for visit in [FIRST, SECOND] {
        let one = of(&sample, visit);
        assert_eq!((&one["outcome"], &one["differences"]), (&json!("same"), &json!([])), "{one}");
    }
    let wrong = of(&sample, WRONG);
    assert_eq!(wrong["outcome"], "differs");
    let differences = wrong["differences"].as_array().unwrap();
    let named = |what: &str| {
        let row = differences.iter().find(|row| row["what"] == what);
        row.map(|row| (row["settled"].clone(), row["computed"].clone()))
    };
    assert_eq!(named("total"), Some((json!("40000"), json!("35000"))));
    assert_eq!(named("in_policy"), Some((json!("39000"), json!("34000"))));
    assert_eq!(named("pooled_fund"), Some((json!("19500"), json!("17000"))));
    assert_eq!(named("class_b_share"), None, "what is the same is not listed");
    let missing = of(&sample, VISIT);
    assert_eq!((&missing["outcome"], &missing["open"]), (&json!("open"), &json!("bill_missing")));

    let detail = read(&world, auditor(), &format!("/1/sample/{WRONG}")).expect(200).json();
    assert_eq!(detail["found"], wrong);
    assert_eq!(detail["bill"]["lines"][0]["amount"], "250.00");
    assert_eq!(detail["record"]["visit"], WRONG.to_string());
    assert_eq!(detail["computed"]["split"]["total"], "35000");
    assert!(detail["computed"]["explanation"].is_object());
}

#[test]
fn an_auditor_sees_the_sample_while_the_grant_holds_and_the_person_reads_it() {
    let world = World::insured();
    world.check_in(FIRST);
    confirm_visit(&world, FIRST);
    ask(&world, 1, 10);
    read(&world, auditor(), "/1/sample").problem(409, "audit_not_open");
    grant(&world, 1, 2);
    // What is settled after the block of the grant is not on the list.
    settle(&world, VISIT);
    let one = world.token(person(1));
    let bills = world.ask(&Ask::get(format!("/v1/visits/{FIRST}/bills")).token(&one)).json();
    let commitment = bills["commitments"][0].as_str().unwrap().to_owned();
    let seen = || {
        let list = Ask::get(format!("/v1/visits/{FIRST}/bills/{commitment}/accesses"));
        world.ask(&list.token(&one)).expect(200).json()["accesses"].clone()
    };
    assert_eq!(seen(), json!([]));
    for party in [organisation("bureau"), organisation("hospital"), person(1)] {
        read(&world, party, "/1/sample").problem(404, "not_found");
        read(&world, party, "/1/pack").problem(404, "not_found");
    }
    assert_eq!(seen(), json!([]), "who gets nothing is not noted");
    let sample = read(&world, auditor(), "/1/sample").expect(200).json();
    assert_eq!(sample["listed"], 1);
    let noted = json!([{
        "day": "2026-01-10", "organisation": "auditor", "audit": 1, "purpose": "January"
    }]);
    assert_eq!(seen(), noted);
    read(&world, auditor(), &format!("/1/sample/{VISIT}")).problem(404, "not_found");
    (0..3).for_each(|_| world.port.pass_day());
    for rest in ["/1/sample".to_owned(), format!("/1/sample/{FIRST}"), "/1/pack".to_owned()] {
        read(&world, auditor(), &rest).problem(409, "audit_not_open");
    }
    let list = read(&world, organisation("bureau"), "").expect(200).json();
    assert_eq!((&list["last"], &list["audits"][0]["standing"]), (&json!(1), &json!("over")));
}

#[test]
fn the_block_of_the_grant_draws_and_another_one_draws_otherwise() {
    let world = world();
    for audit in [2, 3] {
        ask(&world, audit, 2);
        grant(&world, audit, 30);
    }
    let all = [FIRST, SECOND, WRONG, VISIT].into_iter().collect();
    for audit in [2, 3] {
        let case = read(&world, auditor(), &format!("/{audit}")).expect(200).json();
        let height = case["granted"]["height"].as_u64().unwrap();
        let block: Hash = world.port.header(height).unwrap().unwrap().header.value_id();
        let sample = read(&world, auditor(), &format!("/{audit}/sample")).expect(200).json();
        assert_eq!(sample["seed"], seed_words(&block, audit));
        let drawn: Vec<String> =
            draw(&all, 2, &seed_words(&block, audit)).iter().map(VisitId::to_string).collect();
        let visits: Vec<&str> = sample["settlements"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["visit"].as_str().unwrap())
            .collect();
        assert_eq!(visits, drawn);
    }
}

#[test]
fn the_pack_has_a_voucher_the_lines_and_the_hash_of_every_file() {
    let world = world();
    let answer = read(&world, auditor(), "/1/pack").expect(200);
    assert_eq!(answer.header("content-type"), "application/zip");
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(answer.body)).unwrap();
    let mut file = |name: &str| {
        let mut bytes = Vec::new();
        archive.by_name(name).unwrap().read_to_end(&mut bytes).unwrap();
        bytes
    };
    let manifest: Value = serde_json::from_slice(&file("manifest.json")).unwrap();
    let files = manifest["files"].as_object().unwrap().clone();
    for (name, hash) in &files {
        assert_eq!(hash, &json!(sha256(&file(name))), "{name}");
    }
    let of = |visit: VisitId, end: &str| {
        let wanted = format!("-{visit}/{end}");
        files.keys().find(|name| name.ends_with(&wanted)).cloned()
    };
    for visit in [FIRST, SECOND, WRONG, VISIT] {
        let voucher = file(&of(visit, "voucher.tlog-proof").unwrap());
        let voucher = proof::voucher::Voucher::decode(&voucher).unwrap();
        assert!(world.port.verify_voucher(&voucher).is_some());
    }
    let salt: Hash =
        String::from_utf8(file(&of(WRONG, "salt.txt").unwrap())).unwrap().trim().parse().unwrap();
    let record: Value = serde_json::from_slice(&file(&of(WRONG, "record.json").unwrap())).unwrap();
    let sums: benefit::CategorySums = serde_json::from_value(record["sums"].clone()).unwrap();
    let lines = file(&of(WRONG, "bill.json").unwrap());
    let commitment = vault::commit_bill(&salt.0, &lines, &codec::encode(&sums));
    assert_eq!(record["bill"], json!(commitment));
    assert!(of(VISIT, "bill.json").is_none(), "a bill that is not kept is not there");
    // Plan, catalogue and running amounts are enclosed, and give what the pack says.
    let read = |bytes: Vec<u8>| serde_json::from_slice::<Value>(&bytes).unwrap();
    for visit in [FIRST, SECOND, WRONG] {
        let record = read(file(&of(visit, "record.json").unwrap()));
        let record: SettlementRecord = serde_json::from_value(record).unwrap();
        let inputs = file(&of(visit, "inputs.json").unwrap());
        let inputs: gateway::api::audit::PackInputs = serde_json::from_slice(&inputs).unwrap();
        let hash = record.parts[0].plan.hash;
        let plan: benefit::Plan = codec::decode(&file(&format!("plans/{hash}.bin"))).unwrap();
        assert_eq!(plan.hash(), hash);
        let catalogue = file(&format!("catalogues/{}.bin", inputs.catalogue));
        let catalogue = benefit::Catalogue::decode(&catalogue).unwrap();
        assert_eq!(catalogue.hash(), inputs.catalogue);
        let computed = read(file(&of(visit, "computed.json").unwrap()));
        let sums: CategorySums = serde_json::from_value(computed["sums"].clone()).unwrap();
        let plans = std::collections::BTreeMap::from([(hash, std::sync::Arc::new(plan))]);
        let parts = recompute(&record, &sums, &inputs.before, &plans).unwrap();
        assert_eq!(serde_json::to_value(&parts).unwrap(), computed["parts"]);
        assert_eq!(parts == record.parts, visit != WRONG);
        let none = recompute(&record, &sums, &inputs.before, &std::collections::BTreeMap::new());
        assert_eq!(none.unwrap_err().code.name, "unknown_plan_version");
    }
    assert!(of(VISIT, "inputs.json").is_none());
    assert_eq!(manifest["left_out"], json!({}));
}
