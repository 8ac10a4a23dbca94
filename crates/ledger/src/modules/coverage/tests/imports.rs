//! Lists of persons and coverages.

use super::*;

fn imported(number: u8) -> ImportedPerson {
    let key = NewKey {
        key: public("any"),
        grade: KeyGrade::Device,
        payment_max: fen(1),
        day_max: fen(1),
    };
    let new = NewPerson {
        id: person(number),
        commitment: COMMITMENT,
        blind_index: sha256(&[number]),
        keys: vec![key],
    };
    ImportedPerson { person: new, coverage: Some(terms(EMPLOYEE, "2026-01-01/")) }
}

#[test]
fn a_wrong_row_of_an_import_stops_no_other_and_leaves_nothing() {
    let mut world = world();
    let mut twin = imported(12);
    twin.person.blind_index = sha256(&[11]);
    let mut endless = imported(13);
    endless.coverage.as_mut().unwrap().facts.period.to = None;
    let mut uncovered = imported(14);
    uncovered.coverage = None;
    let rows = vec![imported(11), twin, endless, uncovered, imported(11)];
    let body = ImportPersons { region: REGION, rows };
    world.rejected(&bureau(), &body, persons::IDENTITY_CHECK_MISSING);
    let signers = [org("bureau"), org("authority")];
    let receipt = world.accepted(&signers, &body);
    let counts = ["rows", "accepted", "refused"].map(|name| field(&receipt, name).clone());
    assert_eq!(counts, [5, 2, 3].map(FieldValue::Number));
    let FieldValue::Text(list) = field(&receipt, "refused.00") else { panic!("a text") };
    assert_eq!(&**list, "1:304 2:409 4:302");
    let state = world.ledger.state();
    for (number, enrolled, covered) in
        [(11, true, true), (12, false, false), (13, false, false), (14, true, false)]
    {
        let id = person(number);
        let is_enrolled = crate::modules::person::view::person(state, id).is_some();
        assert_eq!((is_enrolled, view::coverage(state, id).is_some()), (enrolled, covered));
    }
    assert!(receipt.concerns.iter().all(|party| signers.contains(party)), "no person is named");
}

#[test]
fn every_refused_row_of_a_full_batch_is_listed() {
    let mut world = world();
    let one = ImportedCoverage { person: person(99), coverage: terms(EMPLOYEE, "2026-01-01/") };
    let body = ImportCoverages { region: REGION, rows: vec![one.clone(); BATCH_ROWS_MAX] };
    let receipt = world.accepted(&bureau(), &body);
    let lists = receipt.fields.iter().filter(|field| field.name.starts_with("refused."));
    let joined: Vec<String> = lists.map(|field| format!("{}", field.value)).collect();
    let entries: Vec<&str> = joined.iter().flat_map(|list| list.split(' ')).collect();
    let expected: Vec<String> = (0..500).map(|row| format!("{row}:301")).collect();
    assert_eq!(entries, expected);
    for rows in [0, BATCH_ROWS_MAX + 1] {
        let body = ImportCoverages { region: REGION, rows: vec![one.clone(); rows] };
        world.rejected(&bureau(), &body, rejection::INVALID_BATCH);
        let body = ImportPersons { region: REGION, rows: vec![imported(1); rows] };
        world.rejected(&[org("bureau"), org("authority")], &body, rejection::INVALID_BATCH);
    }
}

#[test]
fn a_yearly_list_prolongs_coverage() {
    let mut world = covered();
    let coverage = terms(EMPLOYEE, "2027-01-01/2027-12-31");
    let rows = vec![ImportedCoverage { person: ALICE, coverage }];
    let body = ImportCoverages { region: REGION, rows };
    world.rejected(&[org("dingxi")], &body, organisations::SIGNATURE_MISSING);
    let receipt = world.accepted(&bureau(), &body);
    assert_eq!(field(&receipt, "accepted"), &FieldValue::Number(1));
    standing(&world, REGION, "2027-12-31").unwrap();
}

#[test]
fn a_coverage_with_two_running_amounts_takes_little_room() {
    let mut world = World::new();
    world.enrol(1);
    world.cover(1, EMPLOYEE);
    set(&mut world, REGION, &amounts(&[("2026", 5), ("lifetime", 9)]), "2026-01-01");
    let bytes = codec::encode(&row(&world)).len();
    assert!(bytes <= 112, "{bytes} bytes");
}
