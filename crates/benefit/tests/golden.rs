//! Every plan loads, and every case beside it comes out to the minor unit: those of this crate and
//! those that are shipped.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]

mod common;

use benefit::{Plan, run_case, source::PlanSource};
use std::path::Path;

/// Runs all plans and cases of a folder; answers how many cases came out and what failed.
fn run_all(folder: &Path) -> (usize, Vec<String>) {
    let (mut good, mut failed) = (0, Vec::new());
    for plan in common::folders(folder) {
        for file in common::files(&plan, "toml").into_iter().filter(|path| common::is_plan(path)) {
            if let Err(error) = common::load(&common::read(&file)) {
                failed.push(format!("{}: {error}", file.display()));
            }
        }
        for file in common::files(&plan.join("cases"), "toml") {
            match run_file(&plan, &file) {
                Ok(()) => good += 1,
                Err(error) => failed.push(format!("{}: {error}", file.display())),
            }
        }
    }
    (good, failed)
}

fn run_file(folder: &Path, file: &Path) -> Result<(), String> {
    let case = common::case(file);
    let mut loaded: Vec<(PlanSource, Plan)> = Vec::new();
    for plan in &case.case.plans {
        loaded.push(common::load(&common::read(&folder.join(plan)))?);
    }
    let plans: Vec<_> = loaded.iter().map(|(source, plan)| (source, plan)).collect();
    let catalogue = case.case.catalogue.as_ref().map(|name| common::catalogue(&folder.join(name)));
    run_case(&case, &plans, catalogue.as_ref()).map(|_| ())
}

#[test]
fn every_case_of_this_crate_comes_out() {
    let (good, failed) = run_all(&common::own_plans());
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(good >= 20, "only {good} cases were found");
}

#[test]
fn every_shipped_plan_and_case_comes_out() {
    let (_, failed) = run_all(&common::shipped_plans());
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn the_first_plan_of_the_guide_loads() {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide/write-a-plan.md");
    let text = common::read(&guide);
    let (_, rest) = text.split_once("```toml\n").unwrap();
    let (plan, _) = rest.split_once("```").unwrap();
    common::load(plan).unwrap();
}
