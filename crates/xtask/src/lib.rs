//! What the house rules say about the source itself; the rules are tests in `tests/tidy.rs`.

use std::path::{Path, PathBuf};
use std::process::Command;

pub mod sbom;

/// The root of the project.
#[must_use]
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("the crate lies two folders below the root").to_path_buf()
}

/// Every file that git tracks, and every one it would track, below the root.
#[must_use]
pub fn tracked_files() -> Vec<PathBuf> {
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .expect("git lists the project's files");
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(PathBuf::from)
        .filter(|path| root().join(path).is_file())
        .collect()
}

/// A crate of the workspace as its manifest says it.
pub struct Member {
    /// Its name.
    pub name: String,
    /// Its layer, from 0.
    pub layer: u64,
    /// Whether it is pure.
    pub pure: bool,
    /// Its dependencies: name, and whether only its tests need it.
    pub dependencies: Vec<(String, bool)>,
    /// Its folder.
    pub folder: PathBuf,
}

/// The crates of the workspace, read from `cargo metadata`.
#[must_use]
pub fn members() -> Vec<Member> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo describes the workspace");
    let metadata: serde_json::Value =
        serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    let packages = metadata["packages"].as_array().expect("there are packages");
    packages.iter().map(member).collect()
}

fn member(package: &serde_json::Value) -> Member {
    let name = package["name"].as_str().unwrap_or_default().to_owned();
    let house = &package["metadata"]["house"];
    let dependencies = package["dependencies"].as_array().into_iter().flatten();
    let dependencies = dependencies.map(|dependency| {
        let name = dependency["name"].as_str().unwrap_or_default().to_owned();
        (name, dependency["kind"].as_str() == Some("dev"))
    });
    let manifest = PathBuf::from(package["manifest_path"].as_str().unwrap_or_default());
    Member {
        layer: house["layer"].as_u64().unwrap_or_else(|| panic!("`{name}` states no layer")),
        pure: house["pure"].as_bool().unwrap_or_else(|| panic!("`{name}` states no purity")),
        dependencies: dependencies.collect(),
        folder: manifest.parent().expect("a manifest lies in a folder").to_path_buf(),
        name,
    }
}
