//! Every limit that an operator may set, in `DIR/limits.toml`: a name and a whole number a line.
//!
//! ```toml
//! requests_max = 512
//! session_idle_minutes_person = 15
//! ```
//! What is not named there keeps its default. `docs/operate/limits.md` lists all of them (test
//! `the_operators_guide_lists_every_limit_with_its_default_and_its_range`).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use gateway::Config;
use node::MempoolLimits;

use crate::command::input::{bad, read_toml};

/// What the limits are, in a data folder.
pub const LIMITS_FILE: &str = "limits.toml";
const LIMITS_BYTES_MAX: u64 = 64 << 10;

/// Files that the node itself needs open, however many connections there are.
const OWN_FILES: usize = 256;

/// The limits of a served folder.
#[derive(Clone, Debug, Default)]
pub struct Limits {
    /// Of the gateway.
    pub gateway: Config,
    /// Of transactions on their way into a block.
    pub mempool: MempoolLimits,
    /// Of what is on the disk.
    pub disk: DiskLimits,
}

/// How much of the past is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiskLimits {
    /// For how many days blocks are kept; 0 for all of them.
    pub blocks_kept_days: u32,
}

impl DiskLimits {
    /// How long blocks are kept; all of them without an answer.
    #[must_use]
    pub fn blocks_kept(self) -> Option<Duration> {
        let days = u64::from(self.blocks_kept_days);
        (days > 0).then(|| Duration::from_secs(days * 86_400))
    }
}

/// One limit.
struct Setting {
    name: &'static str,
    range: (u64, u64),
    get: fn(&Limits) -> u64,
    set: fn(&mut Limits, u64),
}

macro_rules! settings {
    ($($name:literal $least:literal..$most:literal $place:ident . $($field:ident).+ as $form:ident;)*) => {
        &[$(Setting {
            name: $name,
            range: ($least, $most),
            get: |limits| $form::get(limits.$place.$($field).+),
            set: |limits, value| limits.$place.$($field).+ = $form::set(value),
        }),*]
    };
}

/// How a number in the file becomes what the program counts in.
macro_rules! form {
    ($name:ident, $type:ty, $get:expr, $set:expr) => {
        mod $name {
            pub(super) fn get(value: $type) -> u64 {
                ($get)(value)
            }
            pub(super) fn set(value: u64) -> $type {
                ($set)(value)
            }
        }
    };
}

form!(count, usize, |value| u64::try_from(value).unwrap_or(u64::MAX), |value| {
    usize::try_from(value).unwrap_or(usize::MAX)
});
form!(small, u32, u64::from, |value| u32::try_from(value).unwrap_or(u32::MAX));
form!(mebibytes, usize, |value: usize| super::count::get(value >> 20), |value: u64| {
    super::count::set(value) << 20
});
form!(
    seconds,
    std::time::Duration,
    |value: std::time::Duration| value.as_secs(),
    std::time::Duration::from_secs
);
form!(minutes, u64, |value: u64| value / 60_000, |value: u64| value * 60_000);
form!(millis, u64, |value: u64| value, |value: u64| value);

const SETTINGS: &[Setting] = settings! {
    "requests_max" 1..100_000 gateway.requests_max as count;
    "submissions_max" 1..100_000 gateway.submissions_max as count;
    "body_mebibytes_max" 16..65_536 gateway.body_bytes_max as mebibytes;
    "answer_mebibytes_max" 16..65_536 gateway.answer_bytes_max as mebibytes;
    "connections_max" 16..100_000 gateway.connections_max as count;
    "connections_per_address_max" 1..100_000 gateway.connections_per_address_max as count;
    "streams_max" 0..100_000 gateway.streams_max as count;
    "streams_per_party_max" 0..10_000 gateway.streams_per_party_max as count;
    "header_timeout_seconds" 1..600 gateway.header_timeout as seconds;
    "body_timeout_seconds" 1..600 gateway.body_timeout as seconds;
    "write_timeout_seconds" 1..600 gateway.write_timeout as seconds;
    "answer_timeout_seconds" 1..600 gateway.answer_timeout as seconds;
    "stream_keep_alive_seconds" 1..600 gateway.stream_keep_alive as seconds;
    "address_requests_per_second" 1..1_000_000 gateway.address_rate.per_second as small;
    "address_requests_burst" 1..1_000_000 gateway.address_rate.burst as small;
    "session_requests_per_second" 1..1_000_000 gateway.session_rate.per_second as small;
    "session_requests_burst" 1..1_000_000 gateway.session_rate.burst as small;
    "person_requests_per_second" 1..1_000_000 gateway.person_rate.per_second as small;
    "person_requests_burst" 1..1_000_000 gateway.person_rate.burst as small;
    "organisation_requests_per_second" 1..1_000_000 gateway.organisation_rate.per_second as small;
    "organisation_requests_burst" 1..1_000_000 gateway.organisation_rate.burst as small;
    "sign_in_failures_max" 1..10_000 gateway.sign_in_failures_max as small;
    "sign_in_failures_per_address_max" 1..100_000 gateway.address_failures_max as small;
    "sign_in_failure_refill_millis" 1..3_600_000 gateway.sign_in_failure_refill_millis as millis;
    "session_minutes_max" 1..10_080 gateway.sessions.lifetime_millis as minutes;
    "session_idle_minutes_person" 1..10_080 gateway.sessions.person_idle_millis as minutes;
    "session_idle_minutes_organisation" 1..10_080 gateway.sessions.organisation_idle_millis as minutes;
    "sessions_per_party_max" 1..10_000 gateway.sessions.per_party_max as count;
    "sessions_max" 1..10_000_000 gateway.sessions.total_max as count;
    "waiting_transactions_max" 1..1_000_000 mempool.transactions_max as count;
    "waiting_mebibytes_max" 1..65_536 mempool.bytes_max as mebibytes;
    "waiting_transactions_per_author_max" 1..1_000_000 mempool.per_author_max as count;
    "blocks_kept_days" 0..36_500 disk.blocks_kept_days as small;
};

/// Reads the limits of a data folder; all of them at their defaults when it names none.
///
/// # Errors
/// Which line of the file is wrong, and the remedy.
pub fn read_limits(data: &Path) -> Result<Limits> {
    let mut limits = Limits::default();
    let path = data.join(LIMITS_FILE);
    if path.exists() {
        let named: BTreeMap<String, u64> = read_toml("the limits", &path, LIMITS_BYTES_MAX)?;
        for (name, value) in named {
            set(&mut limits, &name, value)
                .map_err(|words| bad(format!("the limits `{}`: {words}", path.display())))?;
        }
    }
    Ok(limits)
}

fn set(limits: &mut Limits, name: &str, value: u64) -> Result<(), String> {
    let setting = SETTINGS.iter().find(|setting| setting.name == name).ok_or_else(|| {
        format!("there is no limit `{name}`; docs/operate/limits.md lists those there are")
    })?;
    let (least, most) = setting.range;
    if value < least || value > most {
        return Err(format!("`{name}` is {value}; write a number from {least} to {most}"));
    }
    if value != (setting.get)(&Limits::default()) {
        tracing::info!(limit = name, value, "a limit is not at its default");
    }
    (setting.set)(limits, value);
    Ok(())
}

/// Keeps connections below the files that this process may have open, so that a flood of them never
/// keeps the node from opening its own; `gateways` of them share the files. Says so when it has to.
pub fn fit_to_open_files(config: &mut Config, gateways: usize) {
    let text = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let Some(open_files) = open_files_max(&text) else { return };
    let share = open_files.saturating_sub(OWN_FILES).checked_div(gateways);
    let most = share.unwrap_or(0).max(1);
    if config.connections_max > most {
        tracing::warn!(
            connections_max = most,
            open_files,
            "fewer connections than `connections_max`: this process may open too few files; raise the limit with `ulimit -n` or LimitNOFILE"
        );
        config.connections_max = most;
    }
}

/// How many files this process may have open, by the system's table of its limits.
fn open_files_max(table: &str) -> Option<usize> {
    let line = table.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_sets_what_it_names_and_leaves_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(LIMITS_FILE);
        assert_eq!(read_limits(folder.path()).unwrap().gateway.requests_max, 1_024);
        let text = "requests_max = 7\nwrite_timeout_seconds = 3\nsession_idle_minutes_person = 15\n\
                    waiting_mebibytes_max = 2\nperson_requests_burst = 9\n";
        fs::write(&file, text).unwrap();
        let limits = read_limits(folder.path()).unwrap();
        assert_eq!(limits.gateway.requests_max, 7);
        assert_eq!(limits.gateway.write_timeout, Duration::from_secs(3));
        assert_eq!(limits.gateway.sessions.person_idle_millis, 15 * 60_000);
        assert_eq!(limits.mempool.bytes_max, 2 << 20);
        assert_eq!(limits.gateway.person_rate.burst, 9);
        assert_eq!(limits.gateway.submissions_max, 768);
    }

    #[test]
    fn what_cannot_be_a_limit_is_named_with_the_remedy() {
        let folder = tempfile::tempdir().unwrap();
        for (line, words) in [
            ("request_max = 7", "there is no limit `request_max`; docs/operate/limits.md lists"),
            ("requests_max = 0", "`requests_max` is 0; write a number from 1 to 100000"),
            ("requests_max = 100001", "`requests_max` is 100001; write a number from 1"),
            ("requests_max = \"many\"", "line 1, `requests_max`: invalid type"),
            ("requests_max", "line 1"),
        ] {
            fs::write(folder.path().join(LIMITS_FILE), line).unwrap();
            let error = read_limits(folder.path()).unwrap_err().to_string();
            assert!(error.contains(words) && error.contains(LIMITS_FILE), "{error}");
        }
    }

    #[test]
    fn every_limit_comes_back_as_it_was_set() {
        for setting in SETTINGS {
            let mut limits = Limits::default();
            for value in [setting.range.0, setting.range.1] {
                set(&mut limits, setting.name, value).unwrap();
                assert_eq!((setting.get)(&limits), value, "{}", setting.name);
            }
        }
    }

    #[test]
    fn the_operators_guide_lists_every_limit_with_its_default_and_its_range() {
        let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operate/limits.md");
        let guide = fs::read_to_string(guide).unwrap();
        let defaults = Limits::default();
        for Setting { name, range: (least, most), get, .. } in SETTINGS {
            let row = format!("| `{name}` | {} | {least} to {most} |", get(&defaults));
            assert!(guide.contains(&row), "docs/operate/limits.md lacks the row {row}");
        }
    }

    #[test]
    fn connections_leave_the_node_its_own_files() {
        let table = "Limit                     Soft Limit           Hard Limit           Units\n\
                     Max open files            1024                 524288               files\n";
        assert_eq!(open_files_max(table), Some(1_024));
        assert_eq!(open_files_max("Max open files   unlimited   unlimited   files"), None);
        assert_eq!(open_files_max(""), None);
    }
}
