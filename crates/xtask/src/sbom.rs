//! What the program is made of, as a CycloneDX list: every crate that is built in or builds it,
//! with version, licence, the checksum that cargo checks, and what it depends on.
//!
//! It is made from `cargo metadata` and `Cargo.lock` alone, so that it needs no network and no
//! tool, and the same commit gives the same bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::{Value, json};

use crate::root;

/// The program that the list is of.
const PROGRAM: &str = "yibao";

/// A package as cargo knows it.
struct Package {
    name: String,
    version: String,
    license: Option<String>,
    is_ours: bool,
}

impl Package {
    fn purl(&self) -> String {
        format!("pkg:cargo/{}@{}", self.name, self.version)
    }
}

/// Why a package is on the list.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Scope {
    /// It only takes part in building.
    Build,
    /// It is in the program.
    Program,
}

/// The list for the machine that it is made on.
///
/// # Panics
/// When cargo does not describe the workspace: it cannot be built then either.
#[must_use]
pub fn sbom() -> Value {
    let metadata = metadata();
    let packages = packages(&metadata);
    let edges = edges(&metadata);
    let top = packages.iter().find(|(_, package)| package.name == PROGRAM && package.is_ours);
    let top = top.map(|(id, _)| id.clone()).expect("the workspace has the program");
    let scopes = scopes(&top, &edges);
    let checksums = checksums();
    let components: Vec<Value> = scopes
        .iter()
        .filter(|(id, _)| **id != top)
        .map(|(id, scope)| component(&packages[id], *scope, &checksums))
        .collect();
    let dependencies: Vec<Value> = scopes
        .keys()
        .map(|id| {
            let on = edges.get(id).into_iter().flatten();
            let on: BTreeSet<String> = on
                .filter(|(to, _)| scopes.contains_key(to))
                .map(|(to, _)| packages[to].purl())
                .collect();
            json!({ "ref": packages[id].purl(), "dependsOn": on })
        })
        .collect();
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": { "component": component(&packages[&top], Scope::Program, &checksums) },
        "components": components,
        "dependencies": dependencies,
    })
}

fn metadata() -> Value {
    let version = Command::new("rustc").arg("-vV").output().expect("the compiler is there");
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--locked"])
        .args(["--filter-platform", host])
        .current_dir(root())
        .output()
        .expect("cargo describes the workspace");
    serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON")
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn packages(metadata: &Value) -> BTreeMap<String, Package> {
    let packages = metadata["packages"].as_array().expect("there are packages");
    let package = |one: &Value| Package {
        name: text(&one["name"]),
        version: text(&one["version"]),
        license: one["license"].as_str().map(|license| license.replace('/', " OR ")),
        is_ours: one["source"].is_null(),
    };
    packages.iter().map(|one| (text(&one["id"]), package(one))).collect()
}

/// What each package depends on, tests left out, and whether only for building.
fn edges(metadata: &Value) -> BTreeMap<String, Vec<(String, Scope)>> {
    let nodes = metadata["resolve"]["nodes"].as_array().expect("dependencies are resolved");
    let of_node = |node: &Value| {
        let mut edges = Vec::new();
        for dependency in node["deps"].as_array().into_iter().flatten() {
            let kinds = dependency["dep_kinds"].as_array().into_iter().flatten();
            let scopes = kinds.filter_map(|kind| match kind["kind"].as_str() {
                None => Some(Scope::Program),
                Some("build") => Some(Scope::Build),
                _ => None,
            });
            if let Some(scope) = scopes.max() {
                edges.push((text(&dependency["pkg"]), scope));
            }
        }
        edges
    };
    nodes.iter().map(|node| (text(&node["id"]), of_node(node))).collect()
}

/// Everything that the program needs, and why.
fn scopes(top: &str, edges: &BTreeMap<String, Vec<(String, Scope)>>) -> BTreeMap<String, Scope> {
    let mut scopes = BTreeMap::new();
    let mut waiting = vec![(top.to_owned(), Scope::Program)];
    while let Some((id, scope)) = waiting.pop() {
        if scopes.get(&id).is_some_and(|known| *known >= scope) {
            continue;
        }
        scopes.insert(id.clone(), scope);
        for (to, of_edge) in edges.get(&id).into_iter().flatten() {
            waiting.push((to.clone(), scope.min(*of_edge)));
        }
    }
    scopes
}

/// The checksums of `Cargo.lock`, by name and version.
fn checksums() -> BTreeMap<(String, String), String> {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).expect("a lock file");
    let mut checksums = BTreeMap::new();
    for package in lock.split("[[package]]").skip(1) {
        let field = |name: &str| {
            let line = package.lines().find_map(|line| line.strip_prefix(&format!("{name} = ")));
            line.map(|value| value.trim_matches('"').to_owned())
        };
        if let (Some(name), Some(version), Some(sum)) =
            (field("name"), field("version"), field("checksum"))
        {
            checksums.insert((name, version), sum);
        }
    }
    checksums
}

fn component(
    package: &Package,
    scope: Scope,
    checksums: &BTreeMap<(String, String), String>,
) -> Value {
    let mut component = json!({
        "type": if package.name == PROGRAM { "application" } else { "library" },
        "bom-ref": package.purl(),
        "name": package.name,
        "version": package.version,
        "scope": if scope == Scope::Program { "required" } else { "excluded" },
        "purl": package.purl(),
    });
    if let Some(license) = &package.license {
        component["licenses"] = json!([{ "expression": license }]);
    }
    let key = (package.name.clone(), package.version.clone());
    if let Some(sum) = checksums.get(&key) {
        component["hashes"] = json!([{ "alg": "SHA-256", "content": sum }]);
    }
    component
}
