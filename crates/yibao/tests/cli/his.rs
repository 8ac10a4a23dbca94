//! `yibao his`: the played hospital against a served demonstration, over HTTP.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};

use crate::kit::{Files, Run, command, yibao};
use crate::serve::{Served, text};

/// How many kinds of mistakes there are with outpatients, with those who pay by phone, with stays
/// and with purchases.
const MISTAKES: usize = 18 + 17 + 20 + 18;
/// Whose days are played.
const HOUSES: [&str; 2] = ["hospital-1", "pharmacy-1"];

fn played(data: &Path, served: &Served, come: [&str; 2]) -> Run {
    yibao(day(data, served, come).iter().map(String::as_str))
}

/// The command that plays a day, or goes on with one.
fn day(data: &Path, served: &Served, [outpatients, others]: [&str; 2]) -> Vec<String> {
    let setup = data.join("hospital-1/his.toml");
    let come = ["--outpatients", outpatients, "--by-phone", others];
    let stay = ["--stays", others, "--pharmacy", others, "--counters", "3", "--seed", "7"];
    let more = come.into_iter().chain(stay);
    let whole = ["his", text(&setup), "--url", served.url()].into_iter().chain(more);
    whole.map(str::to_owned).collect()
}

/// The newest receipt that concerns each house: what it did on the ledger.
fn newest(data: &Path, served: &Served) -> [Value; 2] {
    HOUSES.map(|house| newest_of(house, data, served))
}

fn newest_of(house: &str, data: &Path, served: &Served) -> Value {
    let key = data.join(house).join("keys/online.key");
    let party = format!("organisation:{house}");
    let said = yibao([
        "get",
        "/v1/receipts?order=newest&limit=1",
        "--url",
        served.url(),
        "--key",
        text(&key),
        "--party",
        &party,
    ])
    .ok();
    let page: Value = serde_json::from_str(&said).expect("JSON");
    let receipt = &page["receipts"][0];
    assert!(receipt.is_object(), "{page}");
    receipt.clone()
}

/// The journals of all workplaces.
fn journals(data: &Path) -> Vec<PathBuf> {
    let files = HOUSES.map(|house| {
        let files = fs::read_dir(data.join(house).join("his-book")).expect("a book");
        files.map(|file| file.expect("a file").path()).collect::<Vec<_>>()
    });
    let mut files: Vec<PathBuf> = files.concat();
    files.retain(|path| path.extension().is_some_and(|end| end == "jsonl"));
    files.sort();
    files
}

/// Opens the day again, as if it had never come to its end.
fn reopen(data: &Path) {
    for house in HOUSES {
        let path = data.join(house).join("his-book/day.json");
        let text = fs::read(&path).expect("a day");
        let mut day: Value = serde_json::from_slice(&text).expect("JSON");
        assert_eq!(day["is_over"], true, "{day}");
        day["is_over"] = json!(false);
        fs::write(&path, day.to_string()).expect("a file");
    }
}

/// Changes the rows of all journals; what becomes nothing is gone.
fn rewrite(data: &Path, change: impl Fn(Value) -> Option<Value>) {
    for path in journals(data) {
        let rows = fs::read_to_string(&path).expect("a journal");
        let rows = rows.lines().map(|row| serde_json::from_str(row).expect("JSON"));
        let text: String = rows.filter_map(&change).map(|row| format!("{row}\n")).collect();
        fs::write(&path, text).expect("a file");
    }
}

/// What was booked last for this visit, and in which journal.
fn booked(data: &Path, step: &str) -> (PathBuf, String) {
    let begin = format!("{{\"what\":\"booked\",\"step\":\"{step}\"");
    let mut found = journals(data).into_iter().filter_map(|path| {
        let text = fs::read_to_string(&path).expect("a journal");
        let row = text.lines().rev().find(|row| row.starts_with(&begin)).map(str::to_owned);
        row.map(|row| (path, row))
    });
    found.next().expect("it was settled")
}

/// Books it once more.
fn append((path, row): &(PathBuf, String)) {
    let text = fs::read_to_string(path).expect("a journal");
    fs::write(path, format!("{text}{row}\n")).expect("a file");
}

/// Called by a test that has a demonstration served.
pub fn a_day_that_lost_its_answers_goes_on_and_nothing_happens_twice(data: &Path, served: &Served) {
    let said = played(data, served, ["40", "24"]).ok();
    let made = said.lines().filter(|line| line.starts_with("    ")).count();
    assert_eq!(made, MISTAKES, "each mistake has its line: {said}");
    assert!(said.contains("day 2 of the book\n"), "the demonstration played the first: {said}");
    assert_eq!(said.matches("differences: 0").count(), HOUSES.len(), "{said}");
    let before = newest(data, served);
    // Answers and bookings are not on the disk before the next message; a power failure may take
    // them. What went out is there.
    reopen(data);
    rewrite(data, |row| {
        let is_kept = row["what"] == "sent" || !row["step"].as_str()?.starts_with("d002/");
        is_kept.then_some(row)
    });
    let again = played(data, served, ["0", "0"]).ok();
    assert_eq!(again.matches("which had been interrupted").count(), HOUSES.len(), "{again}");
    assert_eq!(newest(data, served), before, "nothing happened on the ledger: {again}");
    let book = |said: &str| -> Vec<String> {
        said.lines().filter(|line| line.contains("own book")).map(str::to_owned).collect()
    };
    assert!(!book(&said).is_empty());
    assert_eq!(book(&again), book(&said));
    // A book that is wrong does not come to the platform's figures.
    let right = booked(data, "d002/v00030");
    reopen(data);
    rewrite(data, |mut row| {
        if row["what"] == "booked" && row["step"] == "d002/v00030" {
            row["booking"]["figures"]["medfee"] = json!(1);
        }
        Some(row)
    });
    let wrong = played(data, served, ["0", "0"]);
    assert_eq!(wrong.code, 1, "{}{}", wrong.out, wrong.err);
    for words in ["d002/v00030: the book has other sums", "THE BOOK DOES NOT"] {
        assert!(wrong.out.contains(words), "`{words}` is not in: {}", wrong.out);
    }
    append(&right);
    // A settlement that the hospital lost is named by the platform: sums and row.
    let lost = |row: &Value| row["what"] == "booked" && row["step"] == "d002/v00030";
    rewrite(data, |row| (!lost(&row)).then_some(row));
    let wrong = played(data, served, ["0", "0"]);
    assert_eq!(wrong.code, 1, "{}{}", wrong.out, wrong.err);
    for words in ["outpatients: 不平", "rows: settlement ", "机构没有该笔"] {
        assert!(wrong.out.contains(words), "`{words}` is not in: {}", wrong.out);
    }
    append(&right);
}

/// How often the platform is killed in the middle of a day.
const KILLS: usize = 4;
/// After how many messages each time.
const MESSAGES_BETWEEN: usize = 150;

/// How many messages went out.
fn sent(data: &Path) -> usize {
    let rows = journals(data).into_iter().map(|path| {
        let text = fs::read_to_string(path).expect("a journal");
        text.lines().filter(|row| row.starts_with("{\"what\":\"sent\"")).count()
    });
    rows.sum()
}

/// Called by a test that has a demonstration's folder, which nobody serves: node, ledger and
/// gateway die together, with messages of three workplaces under way.
pub fn a_platform_that_is_killed_in_the_middle_of_a_day_loses_and_doubles_nothing(data: &Path) {
    let come = ["40", "24"];
    let mut served = Served::start(data, "yibao-demo");
    for kill in 1..=KILLS {
        let until = sent(data) + MESSAGES_BETWEEN;
        let mut playing = command();
        let playing = playing.args(day(data, &served, come));
        let playing = playing.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut playing = playing.spawn().expect("the binary runs");
        while sent(data) < until {
            assert!(playing.try_wait().expect("a process").is_none(), "too short for kill {kill}");
            std::thread::yield_now();
        }
        drop(served);
        let stopped = playing.wait_with_output().expect("it ends");
        let said = String::from_utf8_lossy(&stopped.stderr);
        assert!(stopped.status.code() == Some(1) && said.contains("go on with the day"), "{said}");
        served = Served::start(data, "yibao-demo");
    }
    let said = played(data, &served, come).ok();
    assert!(said.contains("which had been interrupted"), "{said}");
    assert_eq!(said.matches("differences: 0").count(), HOUSES.len(), "{said}");
    let (_, log) = served.stop("-TERM");
    assert!(!log.contains("panicked"), "{log}");
}

#[test]
fn a_hospital_that_cannot_be_played_is_told_why() {
    let files = Files::new();
    let fails = |setup: &str, words: &[&str]| {
        let path = files.write("his.toml", setup);
        yibao(["his", &path]).fails(2, words);
    };
    fails("url = 1", &["his.toml", "url"]);
    let setup = |code: &str, secret: &str, price: &str| {
        format!(
            "url = \"http://127.0.0.1:1\"\nfixmedins_code = \"{code}\"\nfixmedins_name = \"a\"\narea = \
             \"620100\"\noperator = \"1\"\noperator_name = \"b\"\nsecret = \"{secret}\"\npatients = \
             \"patients.toml\"\nbook = \"book\"\n[[item]]\ncode = \"X1\"\nprice = \
             \"{price}\"\n[[item]]\ncode = \"X2\"\nprice = \"1\"\n"
        )
    };
    fails(&setup("H62010000001", "secret", "1"), &["secret", "does not exist"]);
    files.write("secret", &"synthetic ".repeat(5));
    fails(&setup("H62010000001", "secret", "1"), &["secret", "chmod 600"]);
}
