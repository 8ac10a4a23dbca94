//! The commands of the guide to simulating a plan, and input that cannot be used.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use crate::guide::commands;
use crate::kit::{Files, Run, yibao};
use crate::support::read;

const OLD: &str = "plans/lanzhou-employee/2025-01-01.toml";

fn project() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn the_file_that_was_simulated_is_the_one_that_is_drafted() {
    let files = Files::new();
    symlink(project().join("plans"), files.at("plans")).expect("a link to the plans");
    let script = files.write("guide.sh", &commands(&read("docs/guide/simulate-plan.md")));
    let program = Path::new(env!("CARGO_BIN_EXE_yibao"));
    let folder = program.parent().expect("a program lies in a folder");
    let path = std::env::var("PATH").expect("a path");
    let run: Run = Command::new("bash")
        .args(["-euo", "pipefail", &script])
        .current_dir(files.at("."))
        .env("PATH", format!("{}:{path}", folder.display()))
        .env("LANG", "en_US.UTF-8")
        .output()
        .expect("bash is there")
        .into();
    let said = run.ok();
    let hash = |start: &str| {
        let line = said.lines().find(|line| line.starts_with(start));
        let words = line.and_then(|line| line.split_whitespace().last());
        words.map(str::to_owned).unwrap_or_else(|| panic!("`{start}` is not in: {said}"))
    };
    let (file, plan) = (hash("file simulated"), hash("compiled plan"));
    let signed = format!("{plan}, compiled from file {file}");
    assert!(said.contains(&signed), "`{signed}` is not in: {said}");
    let csv = fs::read_to_string(files.at("costs.csv")).expect("the figures");
    assert!(csv.contains("payer,pooled_fund,"), "{csv}");
    let picture = fs::read_to_string(files.at("costs.svg")).expect("the picture");
    assert!(picture.starts_with("<svg ") && picture.ends_with("</svg>\n"), "{picture}");
}

#[test]
fn a_line_that_is_no_bill_is_named() {
    let files = Files::new();
    let bills = files.write("bills.jsonl", "\n{ \"person\": 1 }\n");
    let old = project().join(OLD);
    let old = old.to_str().expect("a path in UTF-8");
    let run = yibao(["simulate-plan", old, old, "--records", &bills]);
    run.fails(2, &["line 2 of the bills", "bills.jsonl"]);
    let missing = files.at("nothing");
    let missing = missing.to_str().expect("a path in UTF-8");
    yibao(["simulate-plan", old, old, "--data", missing]).fails(2, &["there is no history"]);
    yibao(["simulate-plan", old, old, "--records", missing]).fails(2, &["do not exist"]);
}
