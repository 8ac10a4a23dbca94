//! Running the binary.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::support::root;

/// Far more than any run takes, on a busy machine as well.
const LONGEST: Duration = Duration::from_secs(600);

/// What a run gave.
pub struct Run {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).expect("text"),
            err: String::from_utf8(output.stderr).expect("text"),
        }
    }
}

impl Run {
    /// The run went well; its standard output.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(self.code, 0, "{}{}", self.out, self.err);
        self.out
    }

    /// The run ended with this exit code and says all of these words on one line.
    #[track_caller]
    pub fn fails(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, code, "{}{}", self.out, self.err);
        let says = |line: &str| words.iter().all(|word| line.contains(word));
        assert!(self.err.lines().any(says), "{words:?} are not in: {}", self.err);
        assert!(!self.err.contains("panicked"), "{}", self.err);
    }
}

/// The binary, in the repository, in English.
pub fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_yibao"));
    command.current_dir(root()).env_clear().env("LC_ALL", "en_US.UTF-8");
    command
}

/// Runs the binary to its end; one that comes to none is ended, and the test fails with what it
/// said.
#[track_caller]
pub fn yibao<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Run {
    let mut command = command();
    command.args(arguments).stdin(Stdio::null());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let child = child.expect("the binary runs");
    let id = child.id().to_string();
    let (sender, output) = mpsc::channel();
    thread::spawn(move || sender.send(child.wait_with_output()));
    if let Ok(output) = output.recv_timeout(LONGEST) {
        return output.expect("the binary runs").into();
    }
    Command::new("kill").args(["-9", &id]).status().expect("`kill`");
    let run: Run = output.recv().expect("the thread").expect("the binary runs").into();
    panic!("{command:?} came to no end: {}{}", run.out, run.err);
}

/// A folder for the files of one test.
pub struct Files(tempfile::TempDir);

impl Files {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    /// The path of a file in it.
    pub fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file and gives its path as an argument.
    pub fn write(&self, name: &str, text: &str) -> String {
        let path = self.at(name);
        std::fs::write(&path, text).expect("a file");
        path.to_str().expect("a path in UTF-8").to_owned()
    }
}
