//! Damage on the disk of the shipped program: one bit turned, or a file cut short, in every kind of
//! file of a data folder. A start either serves what it served before, or refuses and names the
//! file and the remedy; what is only read when somebody asks is refused then. Nothing is ever
//! served wrongly, and nobody meets a panic.
//!
//! Reading order: this file, [`place`] (where), [`seen`] (what is compared).

mod place;
mod seen;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use clap::Parser;
use tokio::runtime::Runtime;

use crate::http::{self, Served};
use crate::tree::copy_tree;
use place::{Kinds, Place};
use seen::{Asked, Keys, Seen};

/// Damages files of a data folder one by one, and checks what the shipped program makes of it.
#[derive(Parser)]
pub struct Options {
    /// How often something is damaged.
    #[arg(long, default_value_t = 1_000)]
    cases: usize,
    /// Chooses the places.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Goes on from this case of the seed, to look at one again.
    #[arg(long, default_value_t = 0)]
    from: usize,
    /// Damages only kinds of files with these words in their name.
    #[arg(long)]
    only: Option<String>,
    /// Where the data folder is made; a damaged one stays when something is wrong.
    #[arg(long, default_value = "target/bench")]
    folder: PathBuf,
}

/// Made-up people of the region; the American sample comes with it.
const PEOPLE: &str = "12";
/// Limits like the defaults, so that this file is there to be damaged.
const LIMITS: &str = "requests_max = 1024\nsession_idle_minutes_person = 30\n";

/// After so many findings something is wrong everywhere.
const FINDINGS_MAX: usize = 10;

/// How one case ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The same was served as before.
    Same,
    /// The program did not start and said what to do.
    Refused,
    /// It started and refused what was damaged when it was asked for.
    RefusedLater,
    /// A list of receipts had a gap, every receipt in it being whole: entries of the history's
    /// indexes have no sums (docs/testing.md).
    Gap,
}

/// How the cases of one kind of file ended.
#[derive(Default)]
struct Count {
    same: usize,
    refused: usize,
    later: usize,
    gaps: usize,
}

impl Count {
    const fn add(&mut self, end: End) {
        match end {
            End::Same => self.same += 1,
            End::Refused => self.refused += 1,
            End::RefusedLater => self.later += 1,
            End::Gap => self.gaps += 1,
        }
    }
}

/// A whole data folder, and what is seen of it.
struct Whole {
    data: PathBuf,
    keys: Keys,
    seen: Seen,
    runtime: Runtime,
}

/// Runs the drill.
///
/// # Errors
/// Damage that was served, met a panic or was refused without its file and a remedy; the damaged
/// folders stay.
pub fn run(options: &Options) -> Result<()> {
    fs::create_dir_all(&options.folder)?;
    let folder = tempfile::tempdir_in(&options.folder)?;
    let done = damage_again_and_again(options, folder.path());
    if done.is_err() {
        let _ = folder.keep();
    }
    done
}

fn damage_again_and_again(options: &Options, folder: &Path) -> Result<()> {
    let whole = Whole::make(folder)?;
    let kinds = Kinds::of(&whole.data, options.only.as_deref())?;
    let mut counts: BTreeMap<&str, Count> = BTreeMap::new();
    let (mut findings, damaged) = (0, folder.join("damaged"));
    for case in options.from..options.cases {
        let (kind, place) = kinds.choose(options.seed, case);
        match one(&whole, &place, &damaged) {
            Ok(end) => counts.entry(kind).or_default().add(end),
            Err(error) => {
                findings += 1;
                eprintln!("case {case} of seed {}: {place}: {error:#}", options.seed);
                fs::rename(&damaged, folder.join(format!("damaged-{case}")))?;
                ensure!(findings < FINDINGS_MAX, "too many findings, in `{}`", folder.display());
            }
        }
    }
    ensure!(findings == 0, "{findings} findings, in `{}`", folder.display());
    let width = counts.keys().map(|kind| kind.len()).max().unwrap_or(0);
    println!("{:<width$} {:>11} {:>8} {:>8} {:>5}", "damaged", "same", "refused", "later", "gaps");
    let mut all = Count::default();
    for (kind, count) in &counts {
        let Count { same, refused, later, gaps } = count;
        println!("{kind:<width$} {same:>11} {refused:>8} {later:>8} {gaps:>5}");
        all = Count {
            same: all.same + same,
            refused: all.refused + refused,
            later: all.later + later,
            gaps: all.gaps + gaps,
        };
    }
    println!(
        "{} times a file of {} kinds was damaged: {} without effect, {} starts refused in words, {} \
         answers refused, {} gaps in lists; nothing was served wrongly",
        all.same + all.refused + all.later + all.gaps,
        counts.len(),
        all.same,
        all.refused,
        all.later,
        all.gaps
    );
    ensure!(all.refused > 0, "no damage was found; give more with --cases");
    Ok(())
}

impl Whole {
    /// A demonstration that was served once and backed up, with its history in one file.
    fn make(folder: &Path) -> Result<Self> {
        let data = folder.join("whole");
        command(&["demo", "--once", "--people", PEOPLE, "--data"], &[&data])?;
        forget_most_samples(&data)?;
        fs::write(data.join("limits.toml"), LIMITS)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        drop(Served::start(&data)?);
        let (backups, restored) = (folder.join("backups"), folder.join("restored"));
        command(&["backup"], &[&data, &backups])?;
        command(&["restore"], &[&backups, &restored])?;
        // The copy of the history is one whole file, not one with most of its pages beside it.
        let history = |folder: &Path, suffix| folder.join(format!("node/history.sqlite{suffix}"));
        for suffix in ["-wal", "-shm"] {
            if history(&data, suffix).exists() {
                fs::remove_file(history(&data, suffix))?;
            }
        }
        fs::copy(history(&restored, ""), history(&data, ""))?;
        fs::remove_dir_all(&restored)?;
        fs::remove_dir_all(&backups)?;
        let keys = Keys::of(&data)?;
        let served = Served::start(&data)?;
        let seen = runtime.block_on(Seen::ask(served.address(), &keys))?;
        ensure!(
            seen.refused().next().is_none(),
            "refused without damage: {:?}",
            seen.refused().next()
        );
        drop(served);
        Ok(Self { data, keys, seen, runtime })
    }
}

/// The sample's small practices have files of the same kinds as everybody else.
fn forget_most_samples(data: &Path) -> Result<()> {
    for entry in fs::read_dir(data)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("us-provider") {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

/// Runs the shipped program to its end, which must be a good one.
fn command(words: &[&str], paths: &[&Path]) -> Result<()> {
    let output = Command::new(http::program()?).args(words).args(paths).output()?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "`yibao {}`: {error}", words.join(" "));
    Ok(())
}

/// Damages a copy and looks at what becomes of it.
fn one(whole: &Whole, place: &Place, data: &Path) -> Result<End> {
    if data.exists() {
        fs::remove_dir_all(data)?;
    }
    copy_tree(&whole.data, data)?;
    place.damage(data)?;
    let log = data.join("log");
    let end = match Served::start_logged(data, fs::File::create(&log)?) {
        Err(_) => {
            check_words(place, &said(&log)?)?;
            End::Refused
        }
        Ok(served) => {
            let seen = whole.runtime.block_on(Seen::ask(served.address(), &whole.keys));
            drop(served);
            let words = said(&log)?;
            let seen = seen.with_context(|| words.clone())?;
            compare(place, &whole.seen, &seen).with_context(|| words)?
        }
    };
    check_offline(place, data, end)?;
    Ok(end)
}

/// What the program wrote for its operator; a panic is never among it.
fn said(log: &Path) -> Result<String> {
    let words = String::from_utf8_lossy(&fs::read(log)?).into_owned();
    ensure!(!words.contains("panicked") && !words.contains("contradiction"), "a panic: {words}");
    Ok(words)
}

/// A start that is refused names what is wrong and what to do.
fn check_words(place: &Place, words: &str) -> Result<()> {
    let names = place.names();
    ensure!(names.iter().any(|name| words.contains(name)), "none of {names:?} is named: {words}");
    const REMEDIES: [&str; 14] = [
        "restore", "delete", "put", "write", "mend", "name ", "save it", "check", "use", "bring",
        "choose", "make", "start", "docs/",
    ];
    ensure!(REMEDIES.iter().any(|remedy| words.contains(remedy)), "no remedy: {words}");
    Ok(())
}

/// What is served must be what was served before, or be refused as this node's own failure.
fn compare(place: &Place, before: &Seen, now: &Seen) -> Result<End> {
    let mut end = End::Same;
    for (asked, was, is) in before.beside(now) {
        if was == is {
            continue;
        }
        match is {
            Asked::Failed(_) => end = End::RefusedLater,
            Asked::Listed(receipts) if place.is_of_the_history() && before.knows(receipts) => {
                end = End::Gap;
            }
            Asked::Answered(_) | Asked::Listed(_) => {
                bail!("`{asked}` is answered wrongly: {is:?} instead of {was:?}")
            }
        }
    }
    Ok(end)
}

/// What `serve` refuses of the chain itself, `verify chain` finds without a node.
fn check_offline(place: &Place, data: &Path, end: End) -> Result<()> {
    if end != End::Refused || !place.is_of_the_chain() {
        return Ok(());
    }
    let output = Command::new(http::program()?)
        .args(["verify", "chain"])
        .arg(data)
        .stdin(Stdio::null())
        .output()?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(!output.status.success(), "`verify chain` finds nothing");
    ensure!(!error.contains("panicked"), "`verify chain`: {error}");
    Ok(())
}
