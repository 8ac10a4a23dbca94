//! Reading plans, catalogues and cases from files, for the tests of this crate.
#![allow(dead_code, clippy::panic, clippy::unwrap_used, reason = "tests fail by panicking")]

use benefit::{
    Catalogue, Plan, PlanError, compile,
    source::{CaseSource, CatalogueSource, PlanSource},
};
use std::path::{Path, PathBuf};

/// The folder of this crate's own test plans.
pub fn own_plans() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plans")
}

/// The folder of the plans that are shipped.
pub fn shipped_plans() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plans")
}

pub fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub fn plan_source(text: &str) -> Result<PlanSource, String> {
    toml::from_str(text).map_err(|error| error.to_string())
}

pub fn load(text: &str) -> Result<(PlanSource, Plan), String> {
    let source = plan_source(text)?;
    let plan = compile(&source, primitives::sha256(text.as_bytes()))
        .map_err(|error: PlanError| error.to_string())?;
    Ok((source, plan))
}

pub fn load_file(path: &Path) -> (PlanSource, Plan) {
    load(&read(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub fn catalogue(path: &Path) -> Catalogue {
    let source: CatalogueSource =
        toml::from_str(&read(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Catalogue::compile(&source).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub fn case(path: &Path) -> CaseSource {
    toml::from_str(&read(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The files with this ending in a folder, in order.
pub fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == ending))
        .collect();
    paths.sort();
    paths
}

/// The folders in a folder, in order.
pub fn folders(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    paths.sort();
    paths
}

/// Whether a file of a plan's folder is a plan: it is named for its first day.
pub fn is_plan(path: &Path) -> bool {
    let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or("");
    name.parse::<primitives::CivilDate>().is_ok()
}

/// The catalogue of a plan: the one that its head names, else the one beside it.
pub fn catalogue_of(plan: &Path, source: &PlanSource) -> PathBuf {
    plan.with_file_name(source.plan.catalogue.as_deref().unwrap_or("catalogue.toml"))
}
