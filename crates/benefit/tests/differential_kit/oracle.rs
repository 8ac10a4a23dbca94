//! The oracle as a process that answers JSON lines.

use super::{history::History, scheme::Scheme};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

/// A running oracle.
pub struct Oracle {
    process: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

/// The program.
pub fn program() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("oracle/oracle.py")
}

impl Oracle {
    /// Starts one. Without Python there is no second opinion, so the test fails.
    pub fn start() -> Self {
        let mut process = Command::new("python3")
            .arg(program())
            .arg("serve")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("the oracle needs `python3`, version 3.11 or later, on the path: {error}")
            });
        let requests = process.stdin.take();
        let answers = BufReader::new(process.stdout.take().unwrap());
        Self { process, requests, answers }
    }

    fn ask(&mut self, request: &Value) -> Value {
        let mut line = request.to_string();
        line.push('\n');
        let sent = self.requests.as_mut().unwrap().write_all(line.as_bytes());
        let mut answer = String::new();
        let read = self.answers.read_line(&mut answer);
        if sent.is_err() || !read.is_ok_and(|length| length > 0) {
            let status = self.process.wait();
            panic!("the oracle ended ({status:?}), see its message above; asked:\n{request}");
        }
        serde_json::from_str(&answer).unwrap()
    }

    /// Hands over the plans and the catalogue.
    ///
    /// # Errors
    /// The text that the oracle refuses, and why.
    pub fn load(&mut self, scheme: &Scheme) -> Result<(), (String, String)> {
        for request in load_requests(scheme) {
            if let Some(mistake) = self.ask(&request)["mistake"].as_str() {
                let text = request["text"].as_str().unwrap().to_string();
                return Err((text, mistake.to_string()));
            }
        }
        Ok(())
    }

    /// Whether the oracle takes this file, a `plan` or a `catalogue`.
    ///
    /// # Errors
    /// Why it refuses the file.
    pub fn reads(&mut self, kind: &str, text: &str) -> Result<(), String> {
        let answer = self.ask(&json!({ kind: "trial", "text": text }));
        answer["mistake"].as_str().map_or(Ok(()), |mistake| Err(mistake.to_string()))
    }

    /// What the oracle says of every visit.
    pub fn run(&mut self, scheme: &Scheme, history: &History) -> Vec<Value> {
        let mut answer = self.ask(&history.request(scheme));
        answer["visits"].as_array_mut().map(std::mem::take).unwrap()
    }
}

/// The requests that hand over a scheme.
pub fn load_requests(scheme: &Scheme) -> Vec<Value> {
    let plans = scheme.plans.iter().enumerate();
    let mut requests: Vec<Value> =
        plans.map(|(at, plan)| json!({ "plan": at.to_string(), "text": plan.text })).collect();
    requests.push(json!({ "catalogue": "catalogue", "text": scheme.catalogue.text }));
    requests
}

impl Drop for Oracle {
    fn drop(&mut self) {
        // Without input the oracle ends by itself.
        drop(self.requests.take());
        let _ended = self.process.wait();
    }
}
