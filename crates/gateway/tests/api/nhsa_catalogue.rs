//! The catalogue over the national interface: as files by version, and page by page.

use serde_json::{Value, json};

use crate::support::World;
use crate::support::hospital::message;

/// The input of 1301 and those like it.
pub fn since(version: &Value) -> Value {
    json!({ "data": { "ver": version } })
}

/// The input of 1312 for a page of one.
pub fn page(number: u16, version: &Value) -> Value {
    json!({ "data": { "page_num": number, "page_size": 1, "ver": version } })
}

/// The lines of the file that an answer names.
fn lines(world: &World, serial: u16, told: &Value) -> Vec<Vec<String>> {
    let data = &told["data"];
    let asked = json!({ "fsDownloadIn": {
        "file_qury_no": data["file_qury_no"], "filename": data["filename"]
    } });
    let bytes = world.ask(&world.nhsa(&message(serial, "9102", &asked))).expect(200).body;
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    let mut text = String::new();
    std::io::Read::read_to_string(&mut archive.by_index(0).unwrap(), &mut text).unwrap();
    text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

#[test]
fn a_part_of_the_catalogue_comes_as_a_file_with_the_fields_that_it_has() {
    let world = World::insured();
    let told = world.carried_out(1, "1301", &since(&json!("0")));
    assert_eq!(told["data"]["data_cnt"], "2", "{told}");
    let version = told["data"]["ver"].as_str().unwrap().to_owned();
    let found = lines(&world, 2, &told);
    let line = |code: &str, share: &str, level: &str, limited: &str| {
        [code, "1", level, share, "", limited, "2020-01-01", "", &version].map(str::to_owned)
    };
    assert_eq!(found[0], line("B1", "0.100000", "02", "0"));
    assert_eq!(found[1], line("L1", "0.000000", "01", "1"));
    let services = world.carried_out(3, "1305", &since(&json!("0")));
    assert_eq!(lines(&world, 4, &services)[0][0], "X1");
}

#[test]
fn a_version_that_is_known_brings_nothing_again() {
    let world = World::insured();
    let version = world.carried_out(1, "1301", &since(&json!("0")))["data"]["ver"].clone();
    let again = world.carried_out(2, "1301", &since(&version));
    assert_eq!((&again["data"]["data_cnt"], &again["data"]["ver"]), (&json!("0"), &version));
    assert_eq!(again["data"]["file_qury_no"], Value::Null);
    assert!(again["data"]["memo"].as_str().unwrap().contains("已是最新"), "{again}");
}

#[test]
fn a_part_without_entries_answers_with_no_rows_and_says_so() {
    let world = World::insured();
    for (serial, number, words) in [
        (1, "1302", "没有这类项目"),
        (2, "1306", "没有这类项目"),
        (3, "1303", "不维护"),
        (4, "1307", "不维护"),
        (5, "1308", "不维护"),
        (6, "1309", "不维护"),
        (7, "1310", "不维护"),
        (8, "1311", "不维护"),
        (9, "1313", "不维护"),
        (10, "1314", "不维护"),
        (11, "1315", "不维护"),
    ] {
        let told = world.carried_out(serial, number, &since(&json!("0")));
        assert_eq!(told["data"]["data_cnt"], "0", "{number}");
        assert!(told["data"]["memo"].as_str().unwrap().contains(words), "{number} {told}");
        assert!(world.refused(serial + 20, number, &since(&Value::Null)).contains("data.ver"));
    }
    let other = json!({ "data": { "ver": "0", "insutype": "390" } });
    let told = world.refused(50, "1301", &other);
    assert!(told.contains('；'), "{told}");
}

#[test]
fn pages_belong_together_by_their_version() {
    let world = World::insured();
    let first = world.carried_out(1, "1312", &page(1, &Value::Null));
    assert_eq!(
        (&first["page"]["pages"], &first["page"]["recordCounts"]),
        (&json!("3"), &json!("3"))
    );
    let version = first["page"]["ver"].clone();
    let mut codes = vec![first["data"][0]["med_list_codg"].clone()];
    for (serial, number) in [(2, 2), (3, 3)] {
        let told = world.carried_out(serial, "1312", &page(number, &version));
        codes.push(told["data"][0]["med_list_codg"].clone());
    }
    assert_eq!(codes, ["B1", "L1", "X1"]);
    let behind = world.carried_out(4, "1312", &page(4, &version));
    assert_eq!((&behind["data"], &behind["page"]["memo"]), (&json!([]), &json!("已超过最后一页")));
    let one = json!({ "data": { "hilist_code": "X1", "page_num": 1, "page_size": 100 } });
    assert_eq!(world.carried_out(5, "1312", &one)["page"]["recordCounts"], "1");
    let none = json!({ "data": { "hilist_code": "X9", "page_num": 1, "page_size": 100 } });
    assert_eq!(world.carried_out(6, "1312", &none)["page"]["memo"], "没有符合条件的项目");
    for (serial, input, field) in [
        (7, page(2, &Value::Null), "data.ver"),
        (8, page(2, &json!("old")), "data.ver"),
        (9, page(0, &Value::Null), "data.page_num"),
        (10, json!({ "data": { "page_num": 1, "page_size": 101 } }), "data.page_size"),
        (11, json!({ "data": { "page_num": 1, "page_size": 0 } }), "data.page_size"),
        (12, json!({ "data": { "page_num": 1.5, "page_size": 1 } }), "data.page_num"),
    ] {
        let told = world.refused(serial, "1312", &input);
        assert!(told.starts_with(field) && told.contains('；'), "{told}");
    }
}
