//! `yibao get` and `yibao post`: ask a gateway for something by its path, signed in or not.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Args;

use super::client::{Entry, Request, Who};
use super::input::{bad, read_text};

/// A bill of 20,000 lines has some megabytes.
const BODY_BYTES_MAX: u64 = 8 << 20;

#[derive(Args)]
pub struct Get {
    /// What to read, such as `/v1/receipts`; `contract/openapi.json` lists all of it.
    path: String,
    #[command(flatten)]
    who: Who,
    /// The file to write the answer to; printed when left out.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Args)]
pub struct Post {
    /// Where to send it, such as `/v1/quotes`.
    path: String,
    /// What to send, a JSON file.
    #[arg(long, value_name = "FILE")]
    body: PathBuf,
    #[command(flatten)]
    who: Who,
    /// The file to write the answer to; printed when left out.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Get {
    pub fn run(self) -> Result<ExitCode> {
        ask(&self.who, &self.path, None, self.output)
    }
}

impl Post {
    pub fn run(self) -> Result<ExitCode> {
        let body = read_text("the body", &self.body, BODY_BYTES_MAX)?;
        ask(&self.who, &self.path, Some(&body), self.output)
    }
}

fn ask(who: &Who, path: &str, body: Option<&str>, output: Option<PathBuf>) -> Result<ExitCode> {
    if !path.starts_with('/') {
        return Err(bad(format!("the path `{path}` begins with `/`, such as /v1/receipts")));
    }
    let client = match who.enter()? {
        Entry::In(client) => client,
        Entry::Refused(answer) => return Ok(answer.refused("the gateway does not let you in")),
    };
    let answer = client.ask(&Request { path, body, idempotency_key: None });
    client.sign_out();
    let answer = answer?;
    if !answer.is_good() {
        return Ok(answer.refused("the gateway does not answer this"));
    }
    // JSON is laid out for the eye; anything else stays as it came, to the byte.
    let bytes = match serde_json::from_slice::<serde_json::Value>(&answer.body) {
        Ok(json) => format!("{}\n", serde_json::to_string_pretty(&json)?).into_bytes(),
        Err(_) => answer.body,
    };
    match output {
        Some(file) => fs::write(&file, bytes)
            .with_context(|| format!("`{}` cannot be written", file.display()))?,
        None => std::io::stdout().write_all(&bytes).context("the answer cannot be printed")?,
    }
    Ok(ExitCode::SUCCESS)
}
