//! The import of the registry: lines read by themselves, rows that the authority signs, and who the
//! people are.

use gateway::Port as _;
use ledger::Content;
use primitives::{PersonId, sha256};
use serde_json::{Value, json};

use crate::support::keys::public;
use crate::support::wallets::{NAME, NUMBER, joined};
use crate::support::{Answered, Ask, DAY, REGION, START, World, organisation, person};

/// Made-up people whom the register does not know.
pub const STRANGERS: [(&str, &str); 3] = [
    ("测试丁", "620105199001010010"),
    ("测试戊", "620105199001010029"),
    ("测试己", "620105199001010037"),
];

/// A line with the cover of this year.
pub fn line((name, number): (&str, &str)) -> Value {
    json!({
        "name": name, "number": number, "scheme": "310", "from": "2026-01-01", "to": "2026-12-31"
    })
}

fn with(mut line: Value, field: &str, value: &str) -> Value {
    line[field] = json!(value);
    line
}

fn desk(world: &World, what: &str, body: &Value) -> Answered {
    let path = format!("/v1/organisations/bureau/registry-{what}");
    world.ask(&Ask::post(path, body).token(&world.token(organisation("bureau"))))
}

/// What these lines come to.
fn read(world: &World, lines: &[Value], enter: bool) -> Vec<Value> {
    let body = json!({ "lines": lines, "enter": enter });
    desk(world, "lists", &body).expect(200).json()["lines"].as_array().unwrap().clone()
}

fn steps(lines: &[Value]) -> Vec<&str> {
    let step = |one: &Value| one["step"].as_str().map(str::to_owned);
    lines
        .iter()
        .map(|one| {
            step(one).map_or("wrong", |step| match &*step {
                "enrol" => "enrol",
                "cover" => "cover",
                _ => "nothing",
            })
        })
        .collect()
}

/// An import of these rows.
pub fn content(world: &World, kind: &str, rows: &[Value]) -> Content {
    let body = json!({ "region": REGION, "rows": rows });
    world.content(organisation("bureau"), kind, body)
}

/// What the desk sends.
pub fn sent(world: &World, content: &Content, people: &[(&str, &str)]) -> Value {
    let mut body = world.submission(content, &[organisation("bureau")]);
    let people = people.iter().map(|(name, number)| json!({ "name": name, "number": number }));
    body["people"] = people.collect();
    body
}

/// Enrols these people by a list.
pub fn enrolled(world: &World, people: &[(&str, &str)]) -> Value {
    let lines: Vec<Value> = people.iter().map(|one| line(*one)).collect();
    let rows: Vec<Value> =
        read(world, &lines, true).iter().map(|one| one["person"].clone()).collect();
    sent(world, &content(world, "import_persons", &rows), people)
}

#[test]
fn a_registry_list_is_read_line_by_line() {
    let world = World::new();
    let newcomer = joined(&world);
    let [one, two, three] = STRANGERS;
    let lines = [
        line(one),
        line((NAME, NUMBER)),
        with(line((NAME, NUMBER)), "name", "欧阳晓晓"),
        with(line(two), "number", "620105199001010028"),
        with(line(two), "scheme", "employee"),
        with(line(two), "from", "2026-13-01"),
        with(line(two), "from", ""),
        with(line(two), "to", "2025-12-31"),
        with(line(two), "benefits_from", "2027-01-01"),
        with(line(two), "person_classes", "rich"),
        with(line(two), "unbroken_years", "many"),
        with(line(two), "scheme", ""),
        json!({ "name": three.0, "number": three.1 }),
        line(one),
        with(line(("Kei Test", "JP:TK1234567")), "born", ""),
    ];
    let told = read(&world, &lines, false);
    let field = |at: usize| told[at]["problem"]["field"].as_str().unwrap_or("").to_owned();
    assert_eq!(told[2]["problem"]["code"], "identity_unconfirmed");
    let fields = ["number", "scheme", "from", "from", "to", "benefits_from", "person_classes"];
    for (at, wanted) in (3..).zip(fields) {
        assert_eq!(field(at), wanted, "line {at}: {}", told[at]);
    }
    assert_eq!((field(10), field(11)), ("unbroken_years".into(), "scheme".into()));
    assert_eq!(field(13), "number", "the same person again");
    assert_eq!(field(14), "born");
    let whole = [&told[0], &told[1], &told[12]].map(|one| one["step"].clone());
    assert_eq!(whole, [json!("enrol"), json!("cover"), json!("enrol")]);
    // Nobody was entered: there is no row of a stranger yet, and the register knows none.
    assert!(told[0].get("person").is_none() && told[12].get("person").is_none());
    assert_eq!(told[1]["cover"]["person"], json!(newcomer));
    let again = read(&world, &lines[..1], false);
    assert!(again[0].get("person").is_none());

    let entered = read(&world, &lines, true);
    let row = &entered[0]["person"];
    assert_eq!(row["person"]["keys"], json!([]));
    let facts = &row["coverage"]["facts"];
    assert_eq!(facts["age"], json!({ "from": 35, "below": 45 }));
    assert_eq!((&facts["sex"], &facts["person_classes"]), (&json!("male"), &json!(["active"])));
    assert!(entered[12]["person"].get("coverage").is_none_or(Value::is_null));
    assert!(entered[7].get("person").is_none(), "a wrong line enters nobody");
    let two = read(&world, &[line(two)], false);
    assert!(two[0].get("person").is_none());
    let none: [Value; 0] = [];
    desk(&world, "lists", &json!({ "lines": none })).problem(422, "invalid_field");
    desk(&world, "lists", &json!({ "lines": vec![line(one); 501] })).problem(422, "invalid_field");
}

#[test]
fn people_are_enrolled_with_their_cover_and_the_bureau_knows_who_they_are() {
    let world = World::new();
    let body = enrolled(&world, &STRANGERS);
    let done = desk(&world, "imports", &body).expect(201).json();
    assert_eq!(done["refused"], json!([]));
    for (name, number) in STRANGERS {
        let found = world.ask(
            &Ask::post(
                "/v1/organisations/bureau/person-lookups",
                &json!({ "name": name, "number": number }),
            )
            .token(&world.token(organisation("bureau"))),
        );
        let person = found.expect(200).json()["person"].as_str().unwrap().to_owned();
        let get = |what: &str| {
            let ask = Ask::get(format!("/v1/persons/{person}/{what}"));
            world.ask(&ask.token(&world.token(organisation("bureau")))).expect(200).json()
        };
        assert_eq!(get("profile")["name"], name);
        assert_eq!(get("coverages")["coverages"][0]["scheme"], 310);
    }
    assert_eq!(desk(&world, "imports", &body).expect(201).json(), done, "the same again");
}

#[test]
fn a_list_that_is_imported_again_changes_nothing() {
    let world = World::new();
    let [one, two, _] = STRANGERS;
    desk(&world, "imports", &enrolled(&world, &[one])).expect(201);
    let lines =
        [line(one), with(with(line(one), "from", "2026-03-01"), "to", "2026-06-30"), line(two)];
    // The second line says less of the first person than stands there; one person stands once.
    let told = read(&world, &lines[..1], true);
    assert_eq!(steps(&told), ["nothing"]);
    assert!(told[0].get("person").is_none() && told[0].get("cover").is_none());
    assert_eq!(steps(&read(&world, &lines[1..2], true)), ["nothing"]);
    // The next year is a cover of its own, which prolongs.
    let next = with(with(line(one), "from", "2027-01-01"), "to", "2027-12-31");
    let told = read(&world, &[next, lines[2].clone()], true);
    assert_eq!(steps(&told), ["cover", "enrol"]);
    let covers = content(&world, "import_coverages", &[told[0]["cover"].clone()]);
    let body = sent(&world, &covers, &[one]);
    let done = desk(&world, "imports", &body).expect(201).json();
    assert_eq!(done["refused"], json!([]));
    assert_eq!(desk(&world, "imports", &body).expect(201).json(), done);
    // A cover somewhere in the days that are covered already is the ledger's to refuse.
    let over = with(with(line(one), "from", "2027-06-01"), "to", "2028-12-31");
    let told = read(&world, &[over], true);
    let covers = content(&world, "import_coverages", &[told[0]["cover"].clone()]);
    let done = desk(&world, "imports", &sent(&world, &covers, &[one])).expect(201).json();
    assert_eq!(done["refused"][0]["problem"]["code"], "already_covered");
    assert_eq!(done["refused"][0]["row"], 0);
}

#[test]
fn the_authority_signs_for_the_people_of_the_lines_alone() {
    let world = World::new();
    let newcomer = joined(&world);
    let [one, two, three] = STRANGERS;
    let rows: Vec<Value> = read(&world, &[line(one), line(two)], true)
        .iter()
        .map(|row| row["person"].clone())
        .collect();
    let import = content(&world, "import_persons", &rows);
    let refused = |content: &Content, people: &[(&str, &str)], status: u16, code: &str| {
        desk(&world, "imports", &sent(&world, content, people)).problem(status, code)
    };
    let told = refused(&import, &[two, one], 409, "other_person");
    assert_eq!(told["field"], "people[0].number");
    refused(&import, &[one], 422, "invalid_change");
    refused(&import, &[one, three], 403, "identity_unconfirmed");
    refused(&import, &[one, (NAME, NUMBER)], 409, "other_person");
    // No index of anybody's own making, no keys, nobody elsewhere, nothing else.
    let mut invented = rows.clone();
    invented[0]["person"]["blind_index"] = json!(sha256(b"invented"));
    let invented = content(&world, "import_persons", &invented);
    refused(&invented, &[one, two], 409, "other_person");
    let mut keyed = rows.clone();
    keyed[0]["person"]["keys"] = json!([{
        "key": public("a key"), "grade": "device", "payment_max": "1", "day_max": "1"
    }]);
    refused(&content(&world, "import_persons", &keyed), &[one, two], 409, "other_person");
    let elsewhere = json!({ "region": 110_000, "rows": rows });
    let elsewhere = world.content(organisation("bureau"), "import_persons", elsewhere);
    refused(&elsewhere, &[one, two], 422, "invalid_change");
    let lock = json!({ "person": newcomer, "by": "desk" });
    let lock = world.content(organisation("bureau"), "lock_person", lock);
    refused(&lock, &[one], 422, "invalid_change");
    let cover = read(&world, &[line((NAME, NUMBER))], false)[0]["cover"].clone();
    let covers = content(&world, "import_coverages", &[cover]);
    refused(&covers, &[one], 409, "other_person");
    // A row that the ledger refuses leaves nobody in the directory under that id.
    let mut taken = rows.clone();
    taken[1]["person"]["id"] = json!(newcomer);
    let taken = content(&world, "import_persons", &taken);
    let done = desk(&world, "imports", &sent(&world, &taken, &[one, two])).expect(201).json();
    assert_eq!(done["refused"][0]["problem"]["code"], "person_exists");
    let directory = &world.port.wallet().unwrap().directory;
    assert_eq!(directory.person(newcomer).unwrap().unwrap().name, NAME);
    let first: PersonId = rows[0]["person"]["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(directory.person(first).unwrap().unwrap().name, one.0);
}

#[test]
fn only_the_registration_office_imports() {
    let world = World::new();
    let body = enrolled(&world, &STRANGERS[..1]);
    let list = json!({ "lines": [line(STRANGERS[0])] });
    for stranger in [person(1), organisation("hospital"), organisation("authority")] {
        for (what, body) in [("lists", &list), ("imports", &body)] {
            let path = format!("/v1/organisations/bureau/registry-{what}");
            let ask = Ask::post(path, body).token(&world.token(stranger));
            world.ask(&ask).problem(403, "not_yours");
        }
    }
    let clerk = json!({
        "organisation": "bureau", "key": public("counter"), "scopes": ["clerk"],
        "expires": START.plus_millis(300 * DAY)
    });
    world.accepted_with("bureau-root", organisation("bureau"), "authorise_key", clerk);
    let opened = world.ask(&world.sign_in_with(organisation("bureau"), "counter")).expect(201);
    let token = opened.json()["token"].as_str().unwrap().to_owned();
    for (what, body) in [("lists", &list), ("imports", &body)] {
        let path = format!("/v1/organisations/bureau/registry-{what}");
        world.ask(&Ask::post(path, body).token(&token)).problem(403, "scope_not_held");
    }
    let mut foreign = content(&world, "import_persons", &[]);
    foreign.author = person(1);
    let sent = sent(&world, &foreign, &[]);
    desk(&world, "imports", &sent).problem(422, "invalid_change");
}
