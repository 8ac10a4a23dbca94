//! Particulars in the reader's language: every sentence of the source has its translations, and
//! whoever reads German or Chinese is told nothing in English.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use gateway::problem::{Language, foreign, words};
use primitives::detail::places;
use primitives::{Amount, Currency, Detail, detail};
use serde_json::{Value, json};

use crate::support::{Ask, REGION, World, organisation, person};

/// Every sentence in the source: the first argument of `detail!`, and the texts that
/// `fixed_point!` hands on to it.
fn sentences() -> BTreeSet<String> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut found = BTreeSet::new();
    for one in fs::read_dir(crates).unwrap() {
        for file in rust_files(&one.unwrap().path().join("src")) {
            let text = fs::read_to_string(&file).unwrap();
            if file.ends_with("primitives/src/detail.rs") {
                continue;
            }
            for start in ["detail!(", "fixed_point!("] {
                found.extend(text.split(start).skip(1).filter_map(first_text));
            }
        }
    }
    found.remove("");
    found
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
    files
}

/// The string that comes first in the arguments, if a string comes before they end.
fn first_text(arguments: &str) -> Option<String> {
    let (before, literal) = arguments.split_once('"')?;
    let is_code = |line: &&str| !line.trim_start().starts_with("//");
    let before: String = before.lines().filter(is_code).collect();
    if before.contains(')') || before.contains('$') {
        return None;
    }
    let mut text = String::new();
    let mut letters = literal.chars();
    loop {
        match letters.next()? {
            '"' => return Some(text),
            '\\' => match letters.next()? {
                // The line goes on behind the blanks.
                '\n' => {
                    let rest = letters.as_str().trim_start();
                    letters = rest.chars();
                }
                letter => text.push(letter),
            },
            letter => text.push(letter),
        }
    }
}

fn quoted(text: &str) -> BTreeSet<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

#[test]
fn every_sentence_is_said_in_every_language_with_the_same_places_and_names() {
    let needed = sentences();
    assert!(needed.len() > 250, "only {} sentences were found", needed.len());
    assert!(words::sentences(Language::En).is_empty(), "English stands in the source");
    let mut wrong = String::new();
    for language in [Language::ZhHans, Language::ZhHant, Language::De] {
        let there = words::sentences(language);
        let file = format!("locales/{}/details.toml", language.tag());
        for missing in needed.iter().filter(|words| !there.contains_key(*words)) {
            wrong.push_str(&format!("add to {file}:\n{missing:?} = \"\"\n"));
        }
        for (english, text) in there {
            if !needed.contains(english) {
                wrong.push_str(&format!("take {english:?} out of {file}\n"));
            }
            let set = |text| places(text).collect::<BTreeSet<&str>>();
            if set(english) != set(text) || !quoted(english).is_subset(&quoted(text)) {
                wrong.push_str(&format!("{file}: {text:?} has other places than {english:?}\n"));
            }
            if text.trim().is_empty() || text.ends_with(['.', '。']) {
                wrong.push_str(&format!("{file}: {text:?} is empty or ends with a full stop\n"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// A text in a refusal is an id or a name; a sentence goes through `detail!`, or its reader gets it
/// in English.
#[test]
fn no_sentence_passes_by_the_translations() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut wrong = String::new();
    for one in ["adapters", "benefit", "gateway", "ledger", "vault"] {
        for file in rust_files(&crates.join(one).join("src")) {
            if file.components().any(|part| part.as_os_str() == "tests") {
                continue;
            }
            let text = fs::read_to_string(&file).unwrap();
            for start in [".with(\"", "let words = \""] {
                for literal in text.split(start).skip(1).filter_map(|rest| rest.split('"').next()) {
                    if literal.contains(' ') {
                        wrong.push_str(&format!("{}: {literal:?}\n", file.display()));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "say them by `detail!`:\n{wrong}");
}

/// What is neither quoted nor in a place.
fn bare(text: &str) -> String {
    let unquoted: String = text.split('`').step_by(2).collect();
    primitives::detail::fill(&unquoted, |_| String::new())
}

#[test]
fn chinese_sentences_have_no_latin_letters_outside_quotes() {
    for language in [Language::ZhHans, Language::ZhHant] {
        for text in words::sentences(language).values() {
            let latin = bare(text).chars().any(|letter| letter.is_ascii_alphabetic());
            assert!(!latin, "{}: {text}", language.tag());
        }
    }
}

#[test]
fn values_are_written_the_readers_way() {
    let money = Detail::from((Amount::from_minor(12_345_600), Currency::CNY));
    let left = detail!("{left} are left today", left = money);
    let list =
        Detail::List(vec![Detail::word("problem", "expired"), Detail::word("payer", "other")]);
    for (language, expected, both) in [
        (Language::ZhHans, "今天还可用123,456.00元", "、其他支付方"),
        (Language::De, "heute bleiben 123.456,00", ", "),
        (Language::En, "123,456.00", ", "),
    ] {
        let text = words::particulars(language, &left);
        assert!(text.contains(expected), "{text}");
        let text = words::particulars(language, &list);
        let expired = words::of(language, "expired").title;
        assert!(text.starts_with(&expired) && text.contains(both), "{text}");
    }
    assert_eq!(words::particulars(Language::De, &"x-1".into()), "`x-1`");
}

#[test]
fn what_serde_says_is_found_again_with_its_values() {
    for (english, german) in [
        ("missing field `kind`", "das Feld `kind` fehlt"),
        ("unknown field `a`, expected `b` or `c`", "ein Feld `a` gibt es nicht; es gibt `b`, `c`"),
        ("unknown field `a`, there are no fields", "ein Feld `a` gibt es nicht"),
        (
            "invalid type: integer `3`, expected a string",
            "hier steht die Zahl `3`, gebraucht wird ein Text",
        ),
        (
            "invalid value: integer `300`, expected u8",
            "hier steht die Zahl `300`, gebraucht wird eine ganze Zahl von 0 bis 255",
        ),
        (
            "invalid type: floating point `12.5`, expected a decimal number written as text, such as \
             \"12.30\" (with the quotes)",
            "hier steht die Zahl `12.5`, gebraucht wird eine Dezimalzahl als Text, wie `\"12.30\"` \
             (mit den Anführungszeichen)",
        ),
        (
            "line 2: `amount` is 4.54 CNY, but `quantity` times `unit_price` is 4.52 CNY; correct \
             one of the three",
            "Zeile 2: `amount` ist 4,54 CN¥, aber `quantity` mal `unit_price` ergibt 4,52 CN¥; \
             berichtigen Sie eines von den dreien",
        ),
        (
            "line 1, `amount`: `4.521`: at most 2 digits may follow the point",
            "Zeile 1, `amount`: `4.521`: hinter dem Punkt stehen höchstens 2 Ziffern",
        ),
        ("something else: `x`", "das Leseprogramm meldet `something else: 'x'`"),
    ] {
        let yuan = words::benefit(Language::De).text("currency", "CNY");
        let german = german.replace("4,54 CN¥", &yuan.replace("{amount}", "4,54"));
        let german = german.replace("4,52 CN¥", &yuan.replace("{amount}", "4,52"));
        assert_eq!(words::particulars(Language::De, &foreign::text(english)), german);
    }
    let long = format!("missing field `{}`", "x".repeat(5_000));
    assert!(words::particulars(Language::De, &foreign::text(&long)).len() < 300);
}

/// Words that English texts are made of and German ones are not.
const ENGLISH: [&str; 22] = [
    "the", "is", "are", "and", "of", "to", "must", "not", "write", "there", "at", "most", "with",
    "expected", "field", "missing", "line", "column", "unknown", "invalid", "until", "than",
];

fn assert_spoken(language: Language, problem: &Value) {
    let title = problem["title"].as_str().unwrap();
    for key in ["title", "detail", "remedy"] {
        let text = bare(problem[key].as_str().unwrap());
        match language {
            // Titles and remedies name headers and addresses.
            Language::ZhHans | Language::ZhHant if key != "detail" => {}
            Language::De => {
                let words = text.split(|letter: char| !letter.is_alphabetic());
                let english: Vec<&str> = words.filter(|word| ENGLISH.contains(word)).collect();
                assert!(english.is_empty(), "{english:?} in {problem}");
            }
            Language::ZhHans | Language::ZhHant => {
                let text = text.replacen(&bare(title), "", 1);
                assert!(!text.chars().any(|letter| letter.is_ascii_alphabetic()), "{problem}");
            }
            Language::En => {}
        }
    }
}

/// Requests that are refused, one per line of what may be wrong.
fn refusals(world: &World) -> Vec<Ask> {
    let token = world.token(person(1));
    let desk = world.token(organisation("hospital"));
    let id = person(1).to_string().replace("person:", "");
    let post = |path: &str, body: Value| Ask::post(path, &body);
    let prepare = |kind: &str, body: Value| {
        let form = json!({ "author": person(1), "kind": kind, "body": body });
        Ask::post("/v1/transactions/prepare", &form).token(&token)
    };
    let raw = |body: &[u8]| {
        let ask = Ask::post("/v1/sessions/challenges", &json!({}));
        Ask { body: body.to_vec(), ..ask }
    };
    let general = |lines: Value| {
        let bill = json!({ "currency": "CNY", "lines": lines });
        let facts = json!({ "visit_type": "outpatient", "hospital_level": "tertiary_a" });
        let general = json!({ "region": REGION, "scheme": 310, "facts": facts });
        let body = json!({ "general": general, "bill": bill });
        Ask::post("/v1/quotes", &body).token(&desk)
    };
    let line = |amount: &str, quantity: &str| {
        json!({
            "line_no": 1, "item_code": "X1", "name": "X", "service_date": "2026-03-01",
            "quantity": quantity, "unit_price": "2.26", "amount": amount, "category": "treatment",
        })
    };
    let mut asks = vec![
        post("/v1/sessions/challenges", json!({})),
        post("/v1/sessions/challenges", json!({ "party": "somebody" })),
        post("/v1/sessions/challenges", json!({ "party": person(1), "x": 1 })),
        post("/v1/sessions/challenges", json!({ "party": 3 })),
        post("/v1/sessions/challenges", json!([])),
        raw(b"{\"party\":"),
        raw(b"{\"party\": x}"),
        raw(b"{} {}"),
        raw(b"\xff"),
        Ask::get("/v1/receipts?limit=0").token(&token),
        Ask::get("/v1/receipts?limit=x").token(&token),
        Ask::get("/v1/receipts?order=x").token(&token),
        Ask::get("/v1/receipts?limit=1&limit=2").token(&token),
        Ask::get("/v1/receipts?wrong=1").token(&token),
        Ask::get("/v1/receipts/x").token(&token),
        Ask::get("/v1/transactions/x").token(&token),
        Ask::get("/v1/visits/x").token(&token),
        Ask::get("/v1/regions/x").token(&token),
        Ask::get("/v1/events").token(&token).with("last-event-id", "x"),
        Ask::delete("/v1/sessions/x").token(&token),
        prepare("no_such_kind", json!({})),
        prepare("lock_person", json!({})),
        prepare("lock_person", json!({ "person": "x", "by": "own_key" })),
        prepare("lock_person", json!({ "person": id, "by": "magic" })),
        prepare("lock_person", json!({ "person": id, "by": "own_key", "more": 1 })),
        post("/v1/transactions", json!({ "content": 3, "authorisations": [] })).token(&token),
        general(json!([line("4.52", "-2")])),
        general(json!([line("4.54", "2")])),
        general(json!([line("4.521", "2")])),
        general(json!([line("4.52", "0")])),
        general(json!([])),
        general(json!([{ "line_no": 1, "amount": 12.5 }])),
    ];
    let content = world.content(person(1), "lock_person", json!({ "person": id, "by": "own_key" }));
    let mut unsigned = world.submit(&content, &[person(1)]).token(&token);
    unsigned.headers.retain(|(name, _)| *name != "idempotency-key");
    asks.push(unsigned.clone());
    asks.push(unsigned.with("idempotency-key", "not hex"));
    asks
}

#[test]
fn refused_requests_are_explained_in_the_readers_language() {
    let world = World::new();
    for language in [Language::De, Language::ZhHans, Language::ZhHant] {
        let asks = refusals(&world);
        for ask in asks {
            let what = format!("{} {}", ask.path, String::from_utf8_lossy(&ask.body));
            let answer = world.ask(&ask.with("accept-language", language.tag()));
            assert!((400..500).contains(&answer.status), "{what}: {}", answer.status);
            let problem: Value = serde_json::from_slice(&answer.body).unwrap();
            assert_spoken(language, &problem);
        }
    }
}

#[test]
fn a_rejection_of_the_ledger_is_explained_in_the_readers_language_with_its_values() {
    let world = World::new();
    let token = world.token(person(1));
    let id = person(1).to_string().replace("person:", "");
    let body = json!({ "person": id, "guardian": id, "by": "own_key" });
    for language in [Language::De, Language::ZhHans] {
        let content = world.content(person(1), "remove_guardian", body.clone());
        let ask = world.submit(&content, &[person(1)]).token(&token);
        let answer = world.ask(&ask.with("accept-language", language.tag()));
        let problem = answer.problem(422, "not_a_guardian");
        assert_spoken(language, &problem);
        assert_eq!(problem["particulars"]["value"], id.as_str());
        let receipt = &problem["receipt"]["outcome"];
        assert!(problem["detail"].as_str().unwrap().ends_with(receipt["detail"].as_str().unwrap()));
    }
}
