//! A behaviour is not there until a test shows it: every kind and every rejection is named in a
//! test.
//!
//! This reads the sources, because tests run in no order and cannot count together.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn is_test(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == "tests.rs")
        || path.components().any(|part| part.as_os_str() == "tests")
}

/// The words of all unit tests, and the text of all declarations of rejections.
fn words_of_tests_and_declarations() -> (BTreeSet<String>, String) {
    let mut paths = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut paths);
    let (mut words, mut declarations) = (BTreeSet::new(), String::new());
    for path in paths {
        let text = fs::read_to_string(&path).unwrap();
        if is_test(&path) {
            let split = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            words.extend(split.map(String::from));
        } else if path.file_name().is_some_and(|name| name == "rejection.rs") {
            declarations.push_str(&text);
        }
    }
    (words, declarations)
}

/// The constant that declares the rejection of this number and name.
fn constant<'a>(declarations: &'a str, number: u16, name: &str) -> &'a str {
    let mark = format!("= {number}, \"{name}\"");
    let line = declarations.lines().find(|line| line.contains(&mark));
    line.and_then(|line| line.split_whitespace().next())
        .unwrap_or_else(|| panic!("`{name}` is declared in no rejection.rs"))
}

/// `admit_organisation` as `AdmitOrganisation`.
fn type_name(kind: &str) -> String {
    let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
    kind.split('_').map(capital).collect()
}

#[test]
fn every_rejection_is_expected_by_a_test() {
    let (words, declarations) = words_of_tests_and_declarations();
    let registry = ledger::registry();
    let missing: Vec<&str> = registry
        .rejections()
        .iter()
        .map(|code| constant(&declarations, code.number, code.name))
        .filter(|constant| !words.contains(*constant))
        .collect();
    assert!(missing.is_empty(), "write a test that expects: {}", missing.join(", "));
}

#[test]
fn every_kind_is_used_by_a_test() {
    let (words, _) = words_of_tests_and_declarations();
    let registry = ledger::registry();
    let missing: Vec<String> = registry
        .kinds()
        .iter()
        .map(|kind| type_name(kind.name))
        .filter(|name| !words.contains(name))
        .collect();
    assert!(missing.is_empty(), "write a test that uses: {}", missing.join(", "));
}
