//! Real bugs in the real code (`plants.toml`), each built into a copy of the project, to see in how
//! many worlds it is found and by which checker.
//!
//! [`crate::planted`] bends what checkers see or how the outside behaves and needs no other build;
//! this is slow and shows more: the bug is where somebody would make it.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Folders of the project that are not copied.
const LEFT_OUT: [&str; 3] = ["target", ".git", "node_modules"];

/// A bug and its place.
#[derive(Clone, Debug)]
pub struct Plant {
    /// What is wrong, in words.
    pub name: String,
    /// The file, from the project's root.
    pub file: String,
    /// What stands there, once in the file.
    pub find: String,
    /// What stands there instead.
    pub replace: String,
}

/// In how many worlds something was found, by checker.
pub type Found = BTreeMap<String, u64>;

/// The project's root.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// All plants.
///
/// # Errors
/// When the list cannot be read.
pub fn all() -> io::Result<Vec<Plant>> {
    let wrong = |words: &str| io::Error::new(io::ErrorKind::InvalidData, words.to_owned());
    let text = fs::read_to_string(root().join("crates/sim/plants.toml"))?;
    let table: toml::Table = text.parse().map_err(|_| wrong("plants.toml is no TOML"))?;
    let list = table.get("plant").and_then(toml::Value::as_array);
    let plants = list.ok_or_else(|| wrong("plants.toml has no plants"))?;
    let plant = |entry: &toml::Value| {
        let field = |name: &str| entry.get(name)?.as_str().map(str::to_owned);
        let (name, file) = (field("name")?, field("file")?);
        Some(Plant { name, file, find: field("find")?, replace: field("replace")? })
    };
    plants.iter().map(|entry| plant(entry).ok_or_else(|| wrong("a plant lacks a field"))).collect()
}

impl Plant {
    /// The file with the bug in it.
    ///
    /// # Errors
    /// When the place is not there exactly once.
    pub fn bend(&self, root: &Path) -> io::Result<String> {
        let text = fs::read_to_string(root.join(&self.file))?;
        let places = text.matches(&self.find).count();
        if places == 1 {
            return Ok(text.replacen(&self.find, &self.replace, 1));
        }
        let words = format!("`{}` is {places} times in `{}`", self.name, self.file);
        Err(io::Error::new(io::ErrorKind::InvalidData, words))
    }
}

/// Builds the project with each plant whose name has this text in it, runs so many worlds of it,
/// and says what was found.
///
/// # Errors
/// When something cannot be copied, built or run.
pub fn run_all(only: &str, seeds: u64) -> io::Result<()> {
    let (from, to) = (root().canonicalize()?, root().join("target/plants"));
    let copy = to.join("project");
    println!("| planted | found in worlds | as |\n|---|---|---|");
    for plant in all()?.iter().filter(|plant| plant.name.contains(only)) {
        copy_changed(&from, &copy)?;
        fs::write(copy.join(&plant.file), plant.bend(&from)?)?;
        let found = build_and_count(&copy, &to.join("build"), seeds)?;
        let count: u64 = found.values().sum();
        let mut rules: Vec<_> = found.iter().collect();
        rules.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let words: Vec<String> =
            rules.iter().map(|(rule, count)| format!("{rule} {count}")).collect();
        println!("| {} | {count} of {seeds} | {} |", plant.name, words.join(", "));
    }
    Ok(())
}

/// Copies every file that differs; what was bent before is put right, and nothing else is built
/// anew.
fn copy_changed(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        if LEFT_OUT.iter().any(|left| OsStr::new(left) == name) {
            continue;
        }
        let (source, target) = (entry.path(), to.join(&name));
        if entry.file_type()?.is_dir() {
            copy_changed(&source, &target)?;
        } else if fs::read(&source)? != fs::read(&target).unwrap_or_default() {
            fs::copy(&source, &target)?;
            // A build looks at times, and a copy keeps none: it is new now.
            fs::File::options()
                .write(true)
                .open(&target)?
                .set_modified(std::time::SystemTime::now())?;
        }
    }
    Ok(())
}

fn build_and_count(project: &Path, build: &Path, seeds: u64) -> io::Result<Found> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--release", "--quiet", "-p", "sim"])
        .current_dir(project)
        .env("CARGO_TARGET_DIR", build)
        .status()?;
    if !built.success() {
        return Err(io::Error::other("the project with the bug does not build"));
    }
    let output = Command::new(build.join("release/sim"))
        .args(["--count", "--seeds", &seeds.to_string()])
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = |line: &str| {
        let (rule, count) = line.split_once(' ')?;
        Some((rule.to_owned(), count.parse().ok()?))
    };
    Ok(text.lines().filter_map(line).collect())
}
