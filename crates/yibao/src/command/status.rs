//! `yibao status`: how a node is, for a person at a terminal and for monitoring.
//!
//! Exit code 0: nothing needs attention. 1: something does. 3: something does at once, or the node
//! does not answer. 2: what was handed in cannot be used.
//!
//! Reading order: [`Status::run`], `warning` (what needs attention), `report` (what is printed).

mod report;
mod warning;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use adapters::clock::{Clock as _, SystemClock};
use anyhow::{Context as _, Result};
use clap::Args;
use gateway::api::status::NodeStatus;
use gateway::problem::Language;
use primitives::{Party, Timestamp};
use serde_json::json;

use super::client::{Entry, Who};
use super::input::{BadInput, bad, read_json};
use super::language::{language, of_environment};
use crate::serving::NODE_FOLDER;
use crate::serving::folder::operator;
use crate::serving::upkeep::{STATUS_FILE, bytes_in, disk_under, last_backup};
use warning::{Level, Warning, warnings};

const STATUS_BYTES_MAX: u64 = 64 << 20;

#[derive(Args)]
pub struct Status {
    /// The data folder of the node: its keys are used to ask, and it is read when the node does not
    /// answer.
    dir: Option<PathBuf>,
    #[command(flatten)]
    who: Who,
    /// Print one JSON object instead of words.
    #[arg(long)]
    json: bool,
    /// The language: zh-Hans, zh-Hant, en or de; the terminal's when left out.
    #[arg(long, value_name = "TAG", value_parser = language)]
    lang: Option<Language>,
}

/// Where a status comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// The node said so now.
    Node,
    /// The node runs, and wrote this down lately; there was no key to ask it with.
    Written,
    /// The node does not answer; it wrote this down before.
    Left,
}

impl Source {
    const fn name(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Written => "written",
            Self::Left => "left",
        }
    }
}

/// What was found out.
enum Found {
    Status(Source, Box<NodeStatus>),
    Refused(ExitCode),
}

impl Status {
    pub fn run(self) -> Result<ExitCode> {
        let words = self.lang.unwrap_or_else(of_environment);
        let (source, status) = match find(self.dir.as_deref(), self.who)? {
            Found::Status(source, status) => (source, status),
            Found::Refused(code) => return Ok(code),
        };
        let now = match source {
            Source::Node => status.time,
            Source::Written | Source::Left => SystemClock.now(),
        };
        let warnings = warnings(&status, source, now);
        let level = warnings.iter().map(|warning| warning.level).max();
        if self.json {
            print_json(source, &status, &warnings, level, words);
        } else {
            report::print(source, &status, &warnings, words);
        }
        Ok(ExitCode::from(match level {
            None => 0,
            Some(Level::Attention) => 1,
            Some(Level::AtOnce) => 3,
        }))
    }
}

fn find(dir: Option<&Path>, who: Who) -> Result<Found> {
    let Some(dir) = dir else {
        if !who.has_key() {
            return Err(bad(
                "name the data folder of the node, or a key of the organisation that runs it with --key \
                 and --party",
            ));
        }
        return asked(&who);
    };
    let operator = operator(dir)?;
    let keys = dir.join(operator.as_str()).join("keys");
    let keys = ["online.key", "execute.key"].map(|name| keys.join(name));
    let who = who.or_key_of(Party::Organisation(operator), &keys);
    if who.has_key() {
        match asked(&who) {
            Err(error) if !error.is::<BadInput>() => {}
            found => return found,
        }
    } else if matches!(who.enter()?, Entry::In(client) if client.read("/health/live").is_ok()) {
        return read(dir, Source::Written);
    }
    read(dir, Source::Left)
}

/// What the node says.
fn asked(who: &Who) -> Result<Found> {
    let client = match who.enter()? {
        Entry::In(client) => client,
        Entry::Refused(answer) => {
            return Ok(Found::Refused(answer.refused("the gateway does not let you in")));
        }
    };
    let answer = client.read("/v1/status");
    client.sign_out();
    let answer = answer?;
    if !answer.is_good() {
        return Ok(Found::Refused(answer.refused("the gateway does not answer this")));
    }
    let status = serde_json::from_slice(&answer.body)
        .context("the gateway's answer is no status; is it of another version?")?;
    Ok(Found::Status(Source::Node, Box::new(status)))
}

/// What the node wrote down, with what can be seen without it.
fn read(dir: &Path, source: Source) -> Result<Found> {
    let folder = dir.join(NODE_FOLDER);
    let path = folder.join(STATUS_FILE);
    if !path.exists() {
        return Err(bad(format!(
            "the node does not answer, and `{}` is not there: it has not been served yet; start it with \
             `yibao serve --data {}`",
            path.display(),
            dir.display()
        )));
    }
    let mut status: NodeStatus = read_json("the last status", &path, STATUS_BYTES_MAX)?;
    status.disk = disk_under(dir, bytes_in(&folder));
    status.backup = last_backup(&folder);
    if source == Source::Left {
        (status.ready, status.sessions, status.waiting_transactions) = (false, 0, 0);
    }
    Ok(Found::Status(source, Box::new(status)))
}

fn print_json(
    source: Source,
    status: &NodeStatus,
    warnings: &[Warning],
    level: Option<Level>,
    language: Language,
) {
    let level_name = |level: Option<Level>| match level {
        None => "fine",
        Some(Level::Attention) => "attention",
        Some(Level::AtOnce) => "at_once",
    };
    let warnings: Vec<_> = warnings
        .iter()
        .map(|one| {
            let level = level_name(Some(one.level));
            json!({ "code": one.code, "level": level, "words": report::words_of(one, language) })
        })
        .collect();
    let answer = json!({
        "source": source.name(),
        "level": level_name(level),
        "warnings": warnings,
        "status": status,
    });
    println!("{answer:#}");
}

/// An instant as a person reads it, to the minute.
fn minute(time: Timestamp) -> String {
    let text = time.to_string();
    let short: String = text.chars().take(16).collect();
    format!("{}Z", short.replace('T', " "))
}
