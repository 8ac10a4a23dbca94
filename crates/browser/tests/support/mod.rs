//! Asking the programs as a browser asks them.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

/// What this program answers to a question.
pub fn ask(program: &str, question: &[u8]) -> Value {
    let mut child = Command::new(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program");
    // A question that is too long is not read to its end.
    let _ = child.stdin.take().expect("its input").write_all(question);
    let out = child.wait_with_output().expect("its answer");
    assert!(out.status.success());
    serde_json::from_slice(&out.stdout).expect("JSON")
}
