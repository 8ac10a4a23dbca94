//! What a running node writes to its operator: ids and counts, never names, identity numbers,
//! diagnoses, keys or message bodies. The crates below keep to that; here is only where it goes.

use std::io::IsTerminal as _;

use clap::ValueEnum;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// The form of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON object per line, for programs.
    Json,
}

/// The environment variable that chooses what is written, such as `debug` or `warn,gateway=info`.
const FILTER: &str = "YIBAO_LOG";

/// Sends the log to the standard error stream, from `info` on unless `YIBAO_LOG` says otherwise.
/// A second call changes nothing.
///
/// # Errors
/// When `YIBAO_LOG` cannot be read.
pub fn start(format: LogFormat) -> anyhow::Result<()> {
    let chosen = std::env::var(FILTER).unwrap_or_else(|_| String::from("info"));
    let filter: Targets = chosen.parse().map_err(|error| {
        let words = format!(
            "the environment variable {FILTER} is `{chosen}`: {error}; write `info`, for example"
        );
        crate::command::input::bad(words)
    })?;
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let registry = tracing_subscriber::registry().with(filter);
    // Only the first of several calls in a process counts.
    let _ = match format {
        LogFormat::Text => {
            registry.with(lines.with_ansi(std::io::stderr().is_terminal())).try_init()
        }
        LogFormat::Json => registry.with(lines.json()).try_init(),
    };
    Ok(())
}
