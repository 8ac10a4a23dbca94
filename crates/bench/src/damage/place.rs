//! Where something is damaged: every kind of file in turn, at places that a seed chooses.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

/// The files of a data folder by their kind.
pub struct Kinds(Vec<(String, Vec<File>)>);

/// A file that can be damaged.
struct File {
    /// Where it is, within the data folder.
    path: PathBuf,
    /// How long it is without the zeros at its end.
    used: u64,
}

/// What is done to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// One bit is turned.
    Turned { at: u64, bit: u8 },
    /// Everything from here on is gone.
    Cut { at: u64 },
}

/// One damage.
pub struct Place {
    /// The file, within the data folder.
    file: PathBuf,
    change: Change,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.display();
        match self.change {
            Change::Turned { at, bit } => write!(f, "bit {bit} of byte {at} of `{file}` turned"),
            Change::Cut { at } => write!(f, "`{file}` cut at byte {at}"),
        }
    }
}

/// Keys of organisations that the program reads itself.
const KEYS_READ: [&str; 3] = ["execute.key", "directory.key", "register.key"];

/// The kind of a file: what it is called without the numbers, hashes and codes in it. Nothing for
/// what no program reads: locks, keys that their owners take elsewhere, and words for people.
fn kind(file: &Path) -> Option<String> {
    let mut words: Vec<_> = file.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    if words.first().is_some_and(|first| first == "family") {
        return None;
    }
    if words.len() > 1 && words.first().is_some_and(|first| first != "node") {
        let is_read = words.last().is_some_and(|last| KEYS_READ.contains(&last.as_str()));
        if words.iter().any(|word| word == "keys") && !is_read {
            return None;
        }
        words[0] = "ORGANISATION".to_owned();
    }
    let last = words.pop()?;
    let is_number = |word: &str| {
        let stem = word.split('.').next().unwrap_or_default();
        stem.len() >= 3 && stem.chars().all(|one| one.is_ascii_hexdigit())
    };
    match last.as_str() {
        "lock" | "log" | "name" | "this-is-a-yibao-demo" => return None,
        "voucher.tlog-proof" | "trust-policy.txt" => return None,
        word if is_number(word) => {}
        _ => words.push(last),
    }
    Some(words.iter().filter(|word| !is_number(word)).cloned().collect::<Vec<_>>().join("/"))
}

impl Kinds {
    /// All kinds of files with something in them.
    ///
    /// # Errors
    /// When the folder cannot be read, or none is left.
    pub fn of(data: &Path, only: Option<&str>) -> Result<Self> {
        let mut files = Vec::new();
        list(data, data, &mut files)?;
        files.sort();
        let mut kinds: BTreeMap<String, Vec<File>> = BTreeMap::new();
        for path in files {
            let Some(kind) = kind(&path) else { continue };
            if only.is_none_or(|only| kind.contains(only)) {
                let bytes = fs::read(data.join(&path))?;
                let used = bytes.iter().rposition(|byte| *byte != 0).map_or(1, |last| last + 1);
                kinds.entry(kind).or_default().push(File { path, used: used as u64 });
            }
        }
        ensure!(!kinds.is_empty(), "no file is of this kind");
        Ok(Self(kinds.into_iter().collect()))
    }

    /// What is damaged in this case: kinds in turn, places by the seed.
    #[must_use]
    pub fn choose(&self, seed: u64, case: usize) -> (&str, Place) {
        let mut random = fastrand::Rng::with_seed(seed.wrapping_mul(PRIME) ^ case as u64);
        let (kind, files) = &self.0[case % self.0.len()];
        let file = &files[random.usize(..files.len())];
        let at = random.u64(..file.used);
        let change = match random.u8(..TURNED_OF_4 + 1) {
            0 => Change::Cut { at },
            _ => Change::Turned { at, bit: random.u8(..8) },
        };
        (kind, Place { file: file.path.clone(), change })
    }
}

/// Of four damages three turn a bit.
const TURNED_OF_4: u8 = 3;
/// Keeps neighbouring seeds apart.
const PRIME: u64 = 0x9e37_79b9_7f4a_7c15;

impl Place {
    /// Damages this place of a data folder.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn damage(&self, data: &Path) -> Result<()> {
        let file = OpenOptions::new().read(true).write(true).open(data.join(&self.file))?;
        match self.change {
            Change::Cut { at } => file.set_len(at)?,
            Change::Turned { at, bit } => {
                let mut byte = [0];
                file.read_exact_at(&mut byte, at)?;
                file.write_all_at(&[byte[0] ^ (1 << bit)], at)?;
            }
        }
        Ok(())
    }

    /// What may stand for the file in words: its name, or the name of its folder.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let mut names = vec![self.file.display().to_string()];
        names.extend(self.file.file_name().map(|name| name.to_string_lossy().into_owned()));
        names
    }

    /// Whether it is the history, which can be made again from the blocks.
    #[must_use]
    pub fn is_of_the_history(&self) -> bool {
        self.file.starts_with("node/history.sqlite")
    }

    /// Whether `verify chain` reads the file. Of `signed` it compares what was signed; the
    /// signature is between the node and its own key.
    #[must_use]
    pub fn is_of_the_chain(&self) -> bool {
        ["blocks", "receipts", "genesis", "history.sqlite"]
            .iter()
            .any(|name| self.file.starts_with(Path::new("node").join(name)))
    }
}

fn list(data: &Path, folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            list(data, &path, files)?;
        } else if entry.metadata()?.len() > 0 {
            files.push(path.strip_prefix(data).context("a file of the folder")?.to_owned());
        }
    }
    Ok(())
}
