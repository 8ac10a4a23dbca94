//! `yibao quote --cases FOLDER`: every plan of a folder with its examples, and every case beside
//! them, worked out and checked to the minor unit, with what each step gave.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use benefit::source::{CaseSource, PlanSource};
use benefit::{Plan, run_case, steps_text};
use primitives::CivilDate;

use super::{Loaded, PLAN_BYTES_MAX, read_catalogue_file, read_plan};
use crate::command::input::{bad, printable, read_toml};

/// Checks a folder; the exit code says whether everything came out.
pub fn run(folder: &Path) -> Result<ExitCode> {
    let is_plan = |path: &PathBuf| {
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        name.parse::<CivilDate>().is_ok()
    };
    let plans: Vec<PathBuf> = toml_files(folder)?.into_iter().filter(is_plan).collect();
    if plans.is_empty() {
        return Err(bad(format!(
            "the folder `{}` has no plan; a plan is named for its first day, such as `2026-01-01.toml`",
            folder.display()
        )));
    }
    let cases = folder.join("cases");
    let cases = if cases.is_dir() { toml_files(&cases)? } else { Vec::new() };
    let mut failed = 0_usize;
    for file in &plans {
        let done = read_plan(file).map(|one| {
            format!("{} examples of `{}` come out", one.source.example.len(), one.plan.id())
        });
        failed += usize::from(!tell(file, done));
    }
    for file in &cases {
        failed += usize::from(!tell(file, run_file(folder, file)));
    }
    println!("{} plans, {} cases, {failed} failed", plans.len(), cases.len());
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The files ending in `.toml`, by name.
fn toml_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let cannot = |error: std::io::Error| {
        bad(format!("the folder `{}` cannot be read: {error}", folder.display()))
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(cannot)? {
        let path = entry.map_err(cannot)?.path();
        if path.extension().is_some_and(|ending| ending == "toml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Prints what became of a file; whether it went well.
fn tell(file: &Path, done: Result<String>) -> bool {
    let name = file.display();
    match &done {
        Ok(words) => println!("ok      {name}: {}", printable(words)),
        Err(error) => println!("FAILED  {name}: {}", printable(&error.to_string())),
    }
    done.is_ok()
}

/// Runs a case file; what every step gave in every visit.
fn run_file(folder: &Path, file: &Path) -> Result<String> {
    let case: CaseSource = read_toml("the case", file, PLAN_BYTES_MAX)?;
    let plans = case.case.plans.iter().map(|plan| read_plan(&folder.join(plan)));
    let plans = plans.collect::<Result<Vec<Loaded>>>()?;
    let catalogue = case.case.catalogue.as_ref();
    let catalogue = catalogue.map(|name| read_catalogue_file(&folder.join(name))).transpose()?;
    let pairs: Vec<(&PlanSource, &Plan)> =
        plans.iter().map(|one| (&one.source, &one.plan)).collect();
    let visits = run_case(&case, &pairs, catalogue.as_ref()).map_err(bad)?;
    let told: Vec<String> = (1_u32..)
        .zip(&visits)
        .map(|(number, parts)| format!("visit {number}: {}", steps_text(&pairs, parts)))
        .collect();
    Ok(told.join("; "))
}
