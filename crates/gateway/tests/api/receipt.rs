//! Receipts, vouchers and the log behind them.

use adapters::clock::Clock as _;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use document::{ElectronicSeal, attached_voucher, sample_certificate};
use primitives::{Hash, UtcOffset};
use proof::header::{Validator, ValidatorSet};
use proof::log::{leaf_hash, verify_consistency};
use proof::policy::{Policy, policy_text};
use proof::tile::Tile;
use proof::voucher::Voucher;
use serde_json::{Value, json};

use crate::support::keys::{TestVerifier, public};
use crate::support::ledger_port::log_key;
use crate::support::{Ask, REGION, World, organisation, person};

/// Covers person 1; the receipt has several fields and concerns the person and the bureau.
fn cover(world: &World) -> u64 {
    world.accepted(
        &[organisation("bureau")],
        "enrol_coverage",
        json!({
            "person": person(1).to_string().replace("person:", ""),
            "region": REGION,
            "coverage": {
                "scheme": 310,
                "period": { "from": "2026-01-01", "to": "2026-12-31" },
                "facts": {
                    "period": { "from": "2026-01-01", "to": "2026-12-31" },
                    "age": { "from": 30, "below": 40 }, "sex": "female", "person_classes": ["active"]
                }
            }
        }),
    )
}

#[test]
fn a_party_pages_through_its_own_receipts_in_the_order_of_the_log() {
    let world = World::new();
    let token = world.token(organisation("bureau"));
    let page = |query: &str| {
        world.ask(&Ask::get(format!("/v1/receipts{query}")).token(&token)).expect(200).json()
    };
    let all = page("");
    let ids = |page: &Value| -> Vec<u64> {
        let receipts = page["receipts"].as_array().unwrap();
        receipts.iter().map(|receipt| receipt["id"].as_u64().unwrap()).collect()
    };
    assert!(ids(&all).len() >= 5 && ids(&all).is_sorted());
    assert!(all.get("next").is_none());
    let (mut seen, mut query) = (Vec::new(), "?limit=2".to_owned());
    loop {
        let some = page(&query);
        assert!(ids(&some).len() <= 2);
        seen.extend(ids(&some));
        match some.get("next") {
            Some(next) => query = format!("?limit=2&after={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ids(&all));
    let (mut seen, mut query) = (Vec::new(), "?order=newest&limit=3".to_owned());
    loop {
        let some = page(&query);
        seen.extend(ids(&some));
        match some.get("next") {
            Some(next) => query = format!("?order=newest&limit=3&after={next}"),
            None => break,
        }
    }
    seen.reverse();
    assert_eq!(seen, ids(&all));
    for wrong in [
        "?limit=0",
        "?limit=201",
        "?limit=x",
        "?after=-1",
        "?offset=1",
        "?limit=1&limit=2",
        "?order=last",
    ] {
        let ask = Ask::get(format!("/v1/receipts{wrong}")).token(&token);
        world.ask(&ask).problem(422, "invalid_field");
    }
}

#[test]
fn a_voucher_verifies_offline_and_shows_what_was_chosen() {
    let world = World::new();
    let id = cover(&world);
    let token = world.token(person(1));
    let receipt =
        world.ask(&Ask::get(format!("/v1/receipts/{id}")).token(&token)).expect(200).json();
    let names: Vec<&str> = receipt["fields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|field| field["name"].as_str().unwrap())
        .collect();
    assert!(names.len() >= 2, "{receipt}");
    let policy = Policy::parse(policy_text(&log_key(), &[], 0).as_bytes()).unwrap();
    let get = |query: &str| {
        let ask = Ask::get(format!("/v1/receipts/{id}/voucher{query}")).token(&token);
        world.ask(&ask)
    };
    let shown = |query: &str| -> Vec<String> {
        let answer = get(query).expect(200);
        let file = format!("attachment; filename=\"yibao-{id}.voucher\"");
        assert_eq!(answer.header("content-disposition"), file);
        let voucher = Voucher::decode(&answer.body).unwrap();
        let verified = voucher.verify(&policy, &TestVerifier).unwrap();
        assert_eq!(verified.index, id);
        assert_eq!(verified.record.transaction_id.to_string(), receipt["transaction_id"]);
        verified.fields.values().map(|field| field.name.to_string()).collect()
    };
    assert_eq!(shown(""), names);
    assert_eq!(shown(&format!("?show={}", names[1])), [names[1]]);
    assert_eq!(shown("?show="), [""; 0]);
    let problem = get("?show=nothing_like_it").problem(422, "no_such_receipt_field");
    assert_eq!(problem["field"], "show");
    get("?show=A%20B").problem(422, "invalid_field");
}

#[test]
fn the_log_is_served_as_checkpoint_and_tiles() {
    let world = World::new();
    let checkpoint = |world: &World| {
        let note = world.ask(&Ask::get("/log/checkpoint")).expect(200);
        let signed = proof::checkpoint::SignedCheckpoint::parse(&note.body).unwrap();
        let policy = Policy::parse(policy_text(&log_key(), &[], 0).as_bytes()).unwrap();
        policy.check(&signed, &TestVerifier).unwrap();
        signed.checkpoint().clone()
    };
    let old = checkpoint(&world);
    cover(&world);
    let new = checkpoint(&world);
    assert_eq!(new.size, old.size + 1);
    let tile = Tile::at(0, 0, new.size).unwrap();
    let answer = world.ask(&Ask::get(format!("/log/{}", tile.path()))).expect(200);
    assert!(answer.header("cache-control").contains("immutable"));
    let hashes = tile.decode(&answer.body).unwrap();
    // Both checkpoints follow from the tile alone.
    let frontier = |size: u64| {
        let mut frontier = proof::log::Frontier::new();
        hashes.iter().take(usize::try_from(size).unwrap()).for_each(|leaf| frontier.push(*leaf));
        frontier.root()
    };
    assert_eq!((frontier(old.size), frontier(new.size)), (old.root, new.root));
    let wrong: Result<(), _> = verify_consistency(old.size, old.root, new.size, Hash([1; 32]), &[]);
    assert!(wrong.is_err());
    for path in ["0/000", "0/x001/000", "entries/000.p/5", "0/0", "9/000.p/1", "0/000.p/0"] {
        world.ask(&Ask::get(format!("/log/tile/{path}"))).problem(404, "not_found");
    }
}

#[test]
fn a_header_comes_with_the_certificate_that_makes_it_final() {
    let world = World::new();
    let network = world.ask(&Ask::get("/v1/network")).expect(200).json();
    let height = network["height"].as_u64().unwrap();
    let answer = world.ask(&Ask::get(format!("/v1/headers/{height}"))).expect(200).json();
    let header: proof::header::Header = serde_json::from_value(answer["header"].clone()).unwrap();
    let certificate = serde_json::from_value(answer["certificate"].clone()).unwrap();
    let validator =
        Validator { organisation: "bureau".parse().unwrap(), key: public("bureau"), power: 1 };
    let validators = ValidatorSet::new(vec![validator]).unwrap();
    validators.verify_certificate(&header, &certificate, &TestVerifier).unwrap();
    assert_eq!(answer["value_id"], header.value_id().to_string());
    assert_eq!(network["state_root"], header.state_root.to_string());
    world.ask(&Ask::get(format!("/v1/headers/{}", height + 1))).problem(404, "not_found");
    world.ask(&Ask::get("/v1/headers/0")).problem(404, "not_found");
}

#[test]
fn what_is_public_is_found_and_what_is_not_there_is_not() {
    let world = World::new();
    let hospital = world.ask(&Ask::get("/v1/organisations/hospital")).expect(200).json();
    assert_eq!(hospital["kind"], "provider");
    assert_eq!(hospital["standing"], "active");
    let region = world.ask(&Ask::get("/v1/regions/620100")).expect(200).json();
    assert_eq!(region["bureau"], "bureau");
    assert_eq!(region["settings"]["utc_offset_minutes"], 480);
    for path in ["/v1/organisations/nobody", "/v1/regions/1", "/v1/kinds/nothing", "/problems/none"]
    {
        world.ask(&Ask::get(path)).problem(404, "not_found");
    }
    let problem = world.ask(&Ask::get("/v1/regions/x")).problem(422, "invalid_field");
    assert_eq!(problem["field"], "region");
    let kinds = world.ask(&Ask::get("/v1/kinds")).expect(200).json();
    assert!(kinds["kinds"].as_array().unwrap().len() > 20);
    let ask = Ask::get("/problems/expired").with("accept-language", "en");
    let explained = world.ask(&ask).expect(200).json();
    assert_eq!(explained["status"], 422);
    assert_eq!(explained["title"], "the transaction is no longer valid");
    let ask = Ask::get("/").with("accept-language", "de");
    let page = world.ask(&ask).expect(200);
    assert_eq!(page.header("content-language"), "de");
    assert!(page.text().contains("<html lang=\"de\">"), "{}", page.text());
    assert!(page.text().contains("/v1/openapi.json"));
}

/// A form as a browser sends it without a script.
fn hand_in(file: &[u8], text: &str) -> Ask {
    let head = |name: &str| format!("Content-Disposition: form-data; name=\"{name}\"");
    let mut body = format!("--b\r\n{}; filename=\"v\"\r\n\r\n", head("file")).into_bytes();
    body.extend_from_slice(file);
    body.extend_from_slice(format!("\r\n--b\r\n{}\r\n\r\n{text}", head("text")).as_bytes());
    body.extend_from_slice(b"\r\n--b--\r\n");
    let ask = Ask { method: "POST", body, ..Ask::get("/verify?lang=en") };
    ask.with("content-type", "multipart/form-data; boundary=b")
}

/// A receipt's voucher as text and as a sheet.
fn vouchers(world: &World) -> (u64, String, Vec<u8>) {
    let id = cover(world);
    let token = world.token(person(1));
    let get = |end: &str| {
        let ask = Ask::get(format!("/v1/receipts/{id}/{end}")).token(&token);
        world.ask(&ask.with("accept-language", "de")).expect(200)
    };
    let (text, sheet) = (get("voucher"), get("voucher.pdf"));
    assert_eq!(sheet.header("content-type"), "application/pdf");
    assert_eq!(sheet.header("content-disposition"), format!("inline; filename=\"yibao-{id}.pdf\""));
    let inside = attached_voucher(&sheet.body).unwrap();
    assert_eq!(inside, text.body);
    let leaf = leaf_hash(&Voucher::decode(inside).unwrap().export_record());
    let link = format!("/verify?receipt={id}&leaf={leaf}>; rel=\"describedby\"");
    assert!(sheet.header("link").ends_with(&link), "{}", sheet.header("link"));
    (id, text.text(), sheet.body)
}

#[test]
fn a_sheet_is_signed_as_long_as_the_seals_certificate_holds() {
    let world = World::new();
    let id = cover(&world);
    let sheet = || {
        // A session does not outlive the years that pass here.
        let token = world.token(person(1));
        let ask = Ask::get(format!("/v1/receipts/{id}/voucher.pdf")).token(&token);
        let sheet = world.ask(&ask.with("accept-language", "en")).expect(200);
        assert!(attached_voucher(&sheet.body).is_ok());
        String::from_utf8_lossy(&sheet.body).contains("ETSI.CAdES.detached")
    };
    assert!(!sheet(), "there is no seal yet");
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let key = key.to_pkcs8v1().unwrap();
    let today = world.clock.now().day(UtcOffset(0));
    let days = (today, today.plus_days(30).unwrap());
    let certificate = sample_certificate(key.as_ref(), "示例局", days).unwrap();
    let seal = ElectronicSeal::of_pkcs8(key.as_ref(), &certificate).unwrap();
    assert!(world.port.seal.set(seal).is_ok());
    assert!(sheet(), "the seal signs");
    world.clock.advance_millis(31 * 86_400_000);
    assert!(!sheet(), "its certificate is over");
}

#[test]
fn the_check_page_says_what_a_voucher_proves() {
    let world = World::new();
    let (id, text, sheet) = vouchers(&world);
    let pasted = text.replace('\n', "\r\n");
    for ask in [hand_in(text.as_bytes(), ""), hand_in(&sheet, ""), hand_in(b"", &pasted)] {
        let page = world.ask(&ask).expect(200);
        let html = page.text();
        assert!(html.contains("This voucher is genuine"), "{html}");
        assert!(html.contains(&format!("as entry {id} of")), "{html}");
        assert!(html.contains("What it does not prove"), "{html}");
        assert!(!html.contains("<script") && !html.contains("style=\""), "{html}");
        let policy = page.header("content-security-policy");
        assert!(policy.contains("style-src 'sha256-") && policy.contains("form-action 'self'"));
        assert_eq!(page.header("cache-control"), "no-store");
    }
}

#[test]
fn the_check_page_says_what_is_wrong_with_a_file() {
    let world = World::new();
    let (_, text, sheet) = vouchers(&world);
    let changed = {
        // One sign of the receipt's own bytes, far behind the tag.
        let at = text.find("extra ").unwrap() + 120;
        let other = if &text[at..=at] == "A" { "B" } else { "A" };
        format!("{}{other}{}", &text[..at], &text[at + 1..])
    };
    let foreign = {
        let at = text.rfind('\u{2014}').unwrap();
        let line = &text[at..];
        let flip = line.len() - 8;
        let other = if &line[flip..=flip] == "A" { "B" } else { "A" };
        format!("{}{}{other}{}", &text[..at], &line[..flip], &line[flip + 1..])
    };
    let cut = &sheet[..sheet.len() / 3];
    for (file, words) in [
        (changed.as_bytes(), "was changed; do not trust it"),
        (foreign.as_bytes(), "was not issued here"),
        (b"just a text".as_slice(), "This file is no voucher"),
        (b"<script>alert(1)</script>", "This file is no voucher"),
        (cut, "There is no voucher in this PDF"),
        (&[b'x'; 70_000], "too large for a voucher"),
        (b"", "No file was chosen"),
    ] {
        let html = world.ask(&hand_in(file, "")).expect(200).text();
        assert!(html.contains(words), "{words}: {html}");
        assert!(!html.contains("This voucher is genuine") && !html.contains("alert(1)"), "{html}");
    }
    world.ask(&hand_in(&vec![0; 5 << 20], "")).problem(413, "body_too_large");
    world.ask(&Ask::post("/verify", &json!({}))).problem(415, "unsupported_media_type");
}

#[test]
fn the_code_on_a_voucher_leads_to_its_entry_in_the_log() {
    let world = World::new();
    let (id, text, _) = vouchers(&world);
    let leaf = leaf_hash(&Voucher::decode(text.as_bytes()).unwrap().export_record());
    let there = "The log has this voucher";
    let other = "The log does not have this voucher";
    let none = "The link is not whole";
    for (query, words) in [
        (format!("receipt={id}&leaf={leaf}"), there),
        (format!("receipt={}&leaf={leaf}", id - 1), other),
        (format!("receipt=999999&leaf={leaf}"), other),
        (format!("receipt={id}&leaf={}", "0".repeat(64)), other),
        (format!("receipt={id}"), none),
        (format!("receipt=x&leaf={leaf}"), none),
        (format!("receipt={id}&leaf=%3Cb%3E"), none),
    ] {
        let html = world.ask(&Ask::get(format!("/verify?lang=en&{query}"))).expect(200).text();
        assert!(html.contains(words), "{query}: {html}");
        assert!(!html.contains("<b>"), "{html}");
    }
}
