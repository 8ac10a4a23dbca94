//! The house rules that a machine can check. Each failure says which file breaks which rule.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use xtask::{members, root, tracked_files};

/// What the pure crates may depend on besides each other. Each entry has its reason in a decision
/// record.
const PURE_DEPENDENCIES: &[&str] = &[
    "base64ct",
    "blake3",
    "borsh",
    "chacha20",
    "chacha20poly1305",
    "foldhash",
    "hashbrown",
    "hex",
    "hpke",
    "rand_core",
    "schemars",
    "serde",
    "serde_json",
    "serde_path_to_error",
    "sha2",
    "time",
    "zeroize",
];

fn read(path: &Path) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_default()
}

fn rust_files() -> Vec<std::path::PathBuf> {
    tracked_files()
        .into_iter()
        .filter(|path| path.extension().is_some_and(|end| end == "rs"))
        .collect()
}

fn assert_none(rule: &str, broken: &[String]) {
    assert!(broken.is_empty(), "{rule}\n{}", broken.join("\n"));
}

#[test]
fn a_crate_depends_only_on_lower_layers() {
    let members = members();
    let layers: BTreeMap<&str, u64> =
        members.iter().map(|member| (member.name.as_str(), member.layer)).collect();
    let mut broken = Vec::new();
    for member in &members {
        for (name, dev) in &member.dependencies {
            if let Some(layer) = layers.get(name.as_str())
                && *layer >= member.layer
                && !*dev
            {
                broken.push(format!(
                    "`{}` (layer {}) on `{name}` (layer {layer})",
                    member.name, member.layer
                ));
            }
        }
    }
    assert_none("a crate may depend only on a lower layer:", &broken);
}

/// A hospital's own system is played by a stranger to our code: what both sides got wrong by the
/// same line would come out right.
#[test]
fn the_played_hospital_shares_no_code_with_what_it_tries() {
    let members = members();
    let own: BTreeSet<&str> = members.iter().map(|member| member.name.as_str()).collect();
    let his = members.iter().find(|member| member.name == "his").expect("it is there");
    let broken: Vec<String> = his
        .dependencies
        .iter()
        .filter(|(name, _)| own.contains(name.as_str()))
        .map(|(name, _)| format!("`his` uses `{name}`"))
        .collect();
    assert_none("`his` knows of yibao what its guides say, and no more:", &broken);
}

#[test]
fn pure_crates_use_only_what_the_list_allows() {
    let members = members();
    let own: BTreeSet<&str> = members.iter().map(|member| member.name.as_str()).collect();
    let mut broken = Vec::new();
    for member in members.iter().filter(|member| member.pure) {
        for (name, dev) in &member.dependencies {
            let allowed = own.contains(name.as_str()) || PURE_DEPENDENCIES.contains(&name.as_str());
            if !allowed && !*dev {
                broken.push(format!("`{}` uses `{name}`", member.name));
            }
        }
    }
    assert_none("pure crates have a list of dependencies (see docs/decisions):", &broken);
}

#[test]
fn pure_crates_are_no_std_and_inherit_the_lints() {
    let mut broken = Vec::new();
    for member in members().iter().filter(|member| member.pure) {
        let lib = fs::read_to_string(member.folder.join("src/lib.rs")).expect("a library");
        if !lib.contains("#![no_std]") {
            broken.push(format!("`{}` is not `#![no_std]`", member.name));
        }
        let manifest = fs::read_to_string(member.folder.join("Cargo.toml")).expect("a manifest");
        if !manifest.contains("[lints]\nworkspace = true") {
            broken.push(format!("`{}` does not inherit the workspace's lints", member.name));
        }
    }
    assert_none("pure crates:", &broken);
}

/// There is nothing for Miri to look at: no crate of ours may hold code that is not checked.
#[test]
fn no_crate_holds_unsafe_code_or_lets_it_in() {
    let mut broken = Vec::new();
    for member in members() {
        let manifest = fs::read_to_string(member.folder.join("Cargo.toml")).expect("a manifest");
        let forbids = manifest.contains("unsafe_code = \"forbid\"")
            || manifest.contains("[lints]\nworkspace = true");
        if !forbids {
            broken.push(format!("`{}` lets code in that nothing checks", member.name));
        }
    }
    let root_manifest = read(Path::new("Cargo.toml"));
    assert!(root_manifest.contains("unsafe_code = \"forbid\""), "the workspace's lints forbid it");
    // A keyword in code; words in comments and strings are no code.
    let keyword = concat!("uns", "afe ");
    let attribute = concat!("#[uns", "afe(");
    for path in rust_files() {
        for (number, line) in read(&path).lines().enumerate() {
            let code = line.trim_start();
            let is_code = !code.starts_with("//")
                && (code.starts_with(keyword)
                    || code.contains(&format!(" {keyword}"))
                    || code.contains(attribute));
            if is_code {
                broken.push(format!("{}:{}", path.display(), number + 1));
            }
        }
    }
    assert_none("no code of ours is unsafe:", &broken);
}

#[test]
fn every_crate_says_its_purpose_first() {
    let broken: Vec<String> = rust_files()
        .iter()
        .filter(|path| path.starts_with("crates") && path.ends_with("src/lib.rs"))
        .filter(|path| !read(path).starts_with("//! "))
        .map(|path| path.display().to_string())
        .collect();
    assert_none("a crate opens with its purpose:", &broken);
}

#[test]
fn files_stay_short_enough_to_read() {
    let mut broken = Vec::new();
    for path in rust_files() {
        let text = read(&path);
        let test = path.components().any(|part| part.as_os_str() == "tests")
            || path.file_name().is_some_and(|name| name == "tests.rs");
        let (lines, most) = (text.lines().count(), if test { 1_000 } else { 600 });
        if lines > most {
            broken.push(format!("{} has {lines} lines, {most} at the most", path.display()));
        }
        for (number, line) in text.lines().enumerate() {
            let width = line.chars().count();
            // The formatter keeps code at 100 columns; comments are ours to break.
            if width > 100 && line.trim_start().starts_with("//") {
                broken.push(format!("{}:{} has {width} columns", path.display(), number + 1));
            }
        }
    }
    assert_none("files have about 500 lines (tests 1,000) of about 100 columns:", &broken);
}

#[test]
fn there_is_no_unfinished_mark_and_no_ignored_test() {
    let marks = [
        concat!("to", "do!("),
        concat!("unimpl", "emented!("),
        concat!("#[ig", "nore"),
        concat!("FIX", "ME"),
    ];
    let mut broken = Vec::new();
    for path in rust_files() {
        for (number, line) in read(&path).lines().enumerate() {
            if marks.iter().any(|mark| line.contains(mark)) {
                broken.push(format!("{}:{}", path.display(), number + 1));
            }
        }
    }
    assert_none("work is finished or has an issue:", &broken);
}

#[test]
fn tests_do_not_sleep() {
    let sleep = concat!("thread::sle", "ep");
    let broken: Vec<String> = rust_files()
        .iter()
        .filter(|path| path.components().any(|part| part.as_os_str() == "tests"))
        .filter(|path| read(path).contains(sleep))
        .map(|path| path.display().to_string())
        .collect();
    assert_none("a test waits for something, never for time:", &broken);
}

#[test]
fn versions_of_dependencies_are_named_once_in_the_root_manifest() {
    let mut broken = Vec::new();
    for member in members() {
        let manifest = fs::read_to_string(member.folder.join("Cargo.toml")).expect("a manifest");
        let mut within = false;
        for line in manifest.lines() {
            if line.starts_with('[') {
                within = line.contains("dependencies");
            } else if within && line.contains('=') && !line.contains("workspace = true") {
                broken.push(format!("`{}`: {line}", member.name));
            }
        }
    }
    assert_none("crates say `workspace = true`:", &broken);
}

#[test]
fn decision_records_are_numbered_without_gap() {
    let mut numbers: Vec<u32> = tracked_files()
        .iter()
        .filter(|path| path.starts_with("docs/decisions"))
        .filter_map(|path| path.file_name()?.to_str()?.get(..4)?.parse().ok())
        .collect();
    numbers.sort_unstable();
    let expected: Vec<u32> = (1..).take(numbers.len()).collect();
    assert_eq!(numbers, expected, "decision records are numbered 0001, 0002, ...");
}

/// Every test that a page names in backticks, as words with at least three underscores.
fn tests_named_in(page: &str) -> BTreeSet<String> {
    let text = read(Path::new(page));
    let words = text.split('`').skip(1).step_by(2);
    let is_name = |word: &&str| {
        word.bytes().all(|one| one.is_ascii_lowercase() || one.is_ascii_digit() || one == b'_')
    };
    let tests = words.filter(is_name).filter(|word| word.matches('_').count() >= 3);
    tests.map(str::to_owned).collect()
}

#[test]
fn every_test_that_the_threat_model_names_exists() {
    let named = tests_named_in("SECURITY.md");
    assert!(named.len() > 20, "{named:?}");
    let mut there = BTreeSet::new();
    for path in rust_files() {
        let text = read(&path);
        for line in text.lines() {
            if let Some(rest) = line.trim_start().strip_prefix("fn ") {
                there.extend(rest.split('(').next().map(str::to_owned));
            }
        }
    }
    let broken: Vec<String> =
        named.difference(&there).map(|name| format!("`{name}` in SECURITY.md")).collect();
    assert_none("the threat model names tests that exist:", &broken);
}
