//! The disk of the shipped program becomes full under load: it refuses what it cannot keep and says
//! so, loses nothing that it acknowledged, and goes on when there is room again.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use clap::Parser;

use crate::drill::{Drill, Sent, verify_chain};
use crate::http::Served;

/// Fills the disk under the shipped program and checks what it has kept.
#[derive(Parser)]
pub struct Options {
    /// How often the disk becomes full.
    #[arg(long, default_value_t = 24)]
    rounds: usize,
    /// Settlements that are sent in all.
    #[arg(long, default_value_t = 40_000)]
    settlements: usize,
    /// Chooses how much room is left each time.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where the disk is mounted.
    #[arg(long, default_value = "target/bench")]
    folder: PathBuf,
}

/// The disk: the ledger of the longest drill has room on it several times.
const DISK_MEBIBYTES: u64 = 512;
const MEBIBYTE: usize = 1 << 20;
/// How much room is left at the most, in bytes: blocks, history, a snapshot and the mark each find
/// it full sometimes.
const ROOM_MAX: u64 = 12 << 20;

/// Where the room ends.
enum Disk {
    /// On a file system in memory of a fixed size, mounted here; unmounted when it is dropped.
    Mounted(PathBuf),
    /// Where the system lets no file grow any more.
    Limited(PathBuf),
}

impl Disk {
    /// A small disk where one can be mounted, which takes root; else a limit on every file.
    fn new(path: &Path) -> Result<Self> {
        let size = format!("size={DISK_MEBIBYTES}m,mode=700");
        let mut mount = Command::new("mount");
        let mounted = mount.args(["-t", "tmpfs", "-o", &size, "yibao-drill"]).arg(path).output();
        let path = path.to_owned();
        if mounted.is_ok_and(|mounted| mounted.status.success()) {
            println!("a disk of {DISK_MEBIBYTES} MiB in memory is mounted for this drill");
            return Ok(Self::Mounted(path));
        }
        println!("no disk can be mounted here: every file of the program is limited instead");
        Ok(Self::Limited(path))
    }

    fn data(&self) -> PathBuf {
        let (Self::Mounted(path) | Self::Limited(path)) = self;
        path.join("data")
    }

    fn filler(path: &Path) -> PathBuf {
        path.join("filler")
    }

    /// Starts the program with this much room.
    fn start(&self, room: u64) -> Result<Served> {
        match self {
            Self::Mounted(path) => {
                let mut filler = File::create(Self::filler(path))?;
                let piece = vec![7; MEBIBYTE];
                loop {
                    match filler.write(&piece) {
                        Ok(_) => {}
                        Err(error) if error.kind() == io::ErrorKind::StorageFull => break,
                        Err(error) => return Err(error.into()),
                    }
                }
                filler.set_len(filler.metadata()?.len().saturating_sub(room))?;
                Served::start(&self.data())
            }
            Self::Limited(_) => {
                let longest = longest_file(&self.data())?;
                Served::start_limited(&self.data(), (longest + room) / 1_024)
            }
        }
    }

    fn make_room(&self) -> Result<()> {
        match self {
            Self::Mounted(path) => Ok(fs::remove_file(Self::filler(path))?),
            Self::Limited(_) => Ok(()),
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if let Self::Mounted(path) = self {
            let _ = Command::new("umount").arg(path).status();
        }
    }
}

/// How long the longest file below a folder is.
fn longest_file(folder: &Path) -> Result<u64> {
    let mut longest = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let inner = match entry.file_type()?.is_dir() {
            true => longest_file(&entry.path())?,
            false => entry.metadata()?.len(),
        };
        longest = longest.max(inner);
    }
    Ok(longest)
}

/// Runs the drill.
///
/// # Errors
/// The first thing that was lost or not said.
pub fn run(options: &Options) -> Result<()> {
    fs::create_dir_all(&options.folder)?;
    let folder = tempfile::tempdir_in(&options.folder)?;
    let disk = Disk::new(folder.path())?;
    let data = disk.data();
    let mut drill = Drill::found(&data, options.settlements)?;
    let mut random = fastrand::Rng::with_seed(options.seed);
    let (mut refused, mut failed_starts) = (0, 0);
    for round in 0..options.rounds {
        let at = || format!("in round {round}");
        match disk.start(random.u64(0..ROOM_MAX)) {
            // There was not even room for a start, which says so.
            Err(_) => failed_starts += 1,
            Ok(served) => {
                let sent = drill.go_on(served.address(), async { Ok(()) }).with_context(at)?;
                if drill.left() > 0 {
                    check_refusals(&sent).with_context(at)?;
                }
                refused += sent.refusals.len();
            }
        }
        disk.make_room()?;
        // With room again, one start is all that it takes; this one is not kept waiting by a full
        // disk, so a few settlements are enough.
        let mut served = Served::start(&data).with_context(at)?;
        drill.go_on(served.address(), async { served.kill() }).with_context(at)?;
        if drill.left() == 0 {
            break;
        }
    }
    let served = Served::start(&data)?;
    let sent = drill.go_on(served.address(), async { Ok(()) })?;
    ensure!(sent.refusals.is_empty() && drill.left() == 0, "refused with room: {sent:?}");
    drop(served);
    verify_chain(&data)?;
    ensure!(refused > 0, "the disk was never full under load; give more with --settlements");
    println!(
        "the disk was full {} times: {} settlements acknowledged, none lost; {refused} refused in \
         words, {failed_starts} starts without room; the chain verifies",
        options.rounds,
        drill.acknowledged()
    );
    Ok(())
}

/// Whoever is refused is told with a server's status and a problem in words.
fn check_refusals(sent: &Sent) -> Result<()> {
    ensure!(!sent.refusals.is_empty(), "the program took everything on a full disk: {sent:?}");
    for (status, problem) in &sent.refusals {
        let has_words = problem.get("title").or_else(|| problem.get("detail")).is_some();
        ensure!(status.is_server_error() && has_words, "refused with {status} {problem}");
    }
    Ok(())
}
