//! A status in words: what needs attention first, then how everything stands.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use gateway::api::status::{FundStatus, NodeStatus};
use gateway::problem::Language;
use primitives::detail::fill_from;
use serde::Deserialize;

use super::warning::{Level, Warning};
use super::{Source, minute};

/// The texts of a language.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    status: BTreeMap<String, String>,
    warning: BTreeMap<String, String>,
}

macro_rules! words {
    ($tag:literal) => {
        toml::from_str(include_str!(concat!("../../../../../locales/", $tag, "/status.toml")))
            .expect("`locales/*/status.toml` is TOML with texts by key")
    };
}

static ZH_HANS: LazyLock<Words> = LazyLock::new(|| words!("zh-Hans"));
static ZH_HANT: LazyLock<Words> = LazyLock::new(|| words!("zh-Hant"));
static EN: LazyLock<Words> = LazyLock::new(|| words!("en"));
static DE: LazyLock<Words> = LazyLock::new(|| words!("de"));

fn words(language: Language) -> &'static Words {
    match language {
        Language::ZhHans => &ZH_HANS,
        Language::ZhHant => &ZH_HANT,
        Language::En => &EN,
        Language::De => &DE,
    }
}

/// What a warning says.
pub fn words_of(warning: &Warning, language: Language) -> String {
    let text = words(language).warning.get(warning.code).map_or(warning.code, String::as_str);
    fill_from(text, &warning.values)
}

/// Prints a status.
pub fn print(source: Source, status: &NodeStatus, warnings: &[Warning], language: Language) {
    let page = Page { words: words(language) };
    page.head(source, status);
    if warnings.is_empty() {
        println!("{}", page.text("fine", &[]));
    } else {
        println!("{}", page.text("attention", &[]));
        for warning in warnings {
            let mark = if warning.level == Level::AtOnce { "!!" } else { " !" };
            println!(" {mark} {}", words_of(warning, language));
        }
    }
    println!();
    page.body(status);
    page.funds(&status.funds);
}

struct Page {
    words: &'static Words,
}

impl Page {
    fn text(&self, key: &str, values: &[(&str, String)]) -> String {
        fill_from(self.words.status.get(key).map_or(key, String::as_str), values)
    }

    fn head(&self, source: Source, status: &NodeStatus) {
        let values = [("chain", status.chain_id.clone()), ("time", minute(status.time))];
        let key = match source {
            Source::Node => "from_node",
            Source::Written => "from_written",
            Source::Left => "from_left",
        };
        println!("{}", self.text(key, &values));
    }

    fn line(&self, key: &str, value: &str) {
        let title = self.text(key, &[]);
        // Chinese characters are two columns wide on a terminal.
        let columns: usize = title.chars().map(|one| if one.is_ascii() { 1 } else { 2 }).sum();
        println!("  {title}{}{value}", " ".repeat(24_usize.saturating_sub(columns).max(1)));
    }

    fn body(&self, status: &NodeStatus) {
        let number = |number: u64| number.to_string();
        let height = [
            ("height", number(status.height)),
            ("time", minute(status.block_time)),
            ("receipts", number(status.receipts)),
        ];
        self.line("ledger", &self.text("ledger_value", &height));
        let queue = [
            ("count", number(status.waiting_transactions)),
            ("lag", number(status.history_lag_blocks)),
            ("sessions", number(status.sessions)),
        ];
        self.line("queue", &self.text("queue_value", &queue));
        let outbox = [
            ("open", number(status.outbox.open)),
            ("stuck", number(status.outbox.stuck)),
            ("lag", number(status.outbox.lag_receipts)),
        ];
        self.line("outbox", &self.text("outbox_value", &outbox));
        let at = |height: u64, time| {
            self.text("block_at", &[("height", number(height)), ("time", minute(time))])
        };
        let none = || self.text("none", &[]);
        let snapshot = status.snapshot.as_ref();
        self.line("snapshot", &snapshot.map_or_else(none, |one| at(one.height, one.time)));
        let backup = status.backup.as_ref();
        self.line("backup", &backup.map_or_else(none, |one| at(one.height, one.time)));
        if !status.peers.is_empty() {
            let connected = status.peers.iter().filter(|peer| peer.connected).count();
            let count = |count: usize| number(u64::try_from(count).unwrap_or(u64::MAX));
            let peers = [("connected", count(connected)), ("count", count(status.peers.len()))];
            self.line("peers", &self.text("peers_value", &peers));
        }
        let disk = [
            ("free", size(status.disk.free_bytes)),
            ("total", size(status.disk.total_bytes)),
            ("node", size(status.disk.node_bytes)),
        ];
        self.line("disk", &self.text("disk_value", &disk));
        self.line("memory", &size(status.memory_bytes));
        let keys = status.keys.first().map_or_else(none, |first| {
            let count = u64::try_from(status.keys.len()).unwrap_or(u64::MAX);
            let values = [
                ("count", number(count)),
                ("time", minute(first.expires)),
                ("organisation", first.organisation.to_string()),
            ];
            self.text("keys_value", &values)
        });
        self.line("keys", &keys);
    }

    fn funds(&self, funds: &[FundStatus]) {
        println!("\n{}", self.text("funds", &[]));
        for fund in funds {
            let amount = |amount: primitives::Amount| amount.to_decimal(fund.currency);
            let values = [
                ("fund", format!("{}/{}", fund.region, fund.fund)),
                ("purpose", fund.purpose.clone()),
                ("owner", fund.owner.to_string()),
                ("currency", fund.currency.to_string()),
                ("balance", amount(fund.balance)),
                ("floor", amount(fund.floor)),
                ("available", amount(fund.available)),
                ("spent", fund.spent_a_day.map(amount).unwrap_or_default()),
                ("day", fund.dry_on.map(|day| day.to_string()).unwrap_or_default()),
            ];
            let rate = match (fund.spent_a_day, fund.dry_on) {
                (Some(_), Some(_)) => self.text("fund_rate", &values),
                _ => String::new(),
            };
            println!("  {}{rate}", self.text("fund_value", &values));
        }
        if funds.is_empty() {
            println!("  {}", self.text("none", &[]));
        }
    }
}

/// Bytes as a person reads them.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let (mut value, mut unit) = (bytes, 0);
    while value >= 10_000 && unit + 1 < UNITS.len() {
        (value, unit) = (value / 1_024, unit + 1);
    }
    format!("{value} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// The places of a text.
    fn places(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).filter_map(|part| part.split('}').next()).collect()
    }

    type Part = fn(&Words) -> &BTreeMap<String, String>;

    #[test]
    fn every_language_says_the_same_things_with_the_same_places() {
        let parts: [Part; 2] = [|words| &words.status, |words| &words.warning];
        for language in Language::ALL {
            for part in parts {
                let (there, english) = (part(words(language)), part(&EN));
                let keys = |texts: &BTreeMap<String, String>| {
                    texts.keys().cloned().collect::<BTreeSet<_>>()
                };
                assert_eq!(keys(there), keys(english), "locales/{}", language.tag());
                for (key, text) in there {
                    let expected = places(&english[key]);
                    assert_eq!(places(text), expected, "locales/{}: `{key}`", language.tag());
                    assert!(!text.is_empty(), "locales/{}: `{key}`", language.tag());
                }
            }
        }
    }

    #[test]
    fn sizes_are_read_by_people() {
        let sizes = [0, 9_999, 10_240, 20 << 20, 3 << 40].map(size);
        assert_eq!(sizes, ["0 B", "9999 B", "10 KiB", "20 MiB", "3072 GiB"].map(str::to_owned));
    }
}
