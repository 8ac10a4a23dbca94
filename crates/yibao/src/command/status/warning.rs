//! What needs attention, and how soon.

use gateway::api::status::{FundStatus, KeyStatus, NodeStatus, PeerStatus, SealStatus};
use primitives::Timestamp;

use super::{Source, minute};

const DAY_MILLIS: u64 = 24 * 3_600_000;
/// A backup is made every day; two hours more are no reason to worry.
const BACKUP_MILLIS: u64 = 26 * 3_600_000;
/// So many days before it expires a key is named, and on the last one it is urgent.
const KEY_DAYS: u64 = crate::serving::upkeep::KEY_DAYS[0];
const KEY_LAST_DAYS: u64 = crate::serving::upkeep::KEY_DAYS[3];
/// A history that is more blocks behind than this does not keep up.
const HISTORY_LAG_BLOCKS: u64 = 200;
/// Outboxes that are more receipts behind than this do not keep up.
const OUTBOX_LAG_RECEIPTS: u64 = 10_000;
/// Below these shares of the disk, in percent, there is little room, or next to none.
const DISK_LOW_PERCENT: u64 = 15;
const DISK_FULL_PERCENT: u64 = 4;

/// How soon something needs attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Within a day or so.
    Attention,
    /// Now.
    AtOnce,
}

/// Something that needs attention.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// How soon.
    pub level: Level,
    /// The stable name; its words stand in `locales/*/status.toml`.
    pub code: &'static str,
    /// What goes into the places of the words.
    pub values: Vec<(&'static str, String)>,
}

fn warning(level: Level, code: &'static str, values: Vec<(&'static str, String)>) -> Warning {
    Warning { level, code, values }
}

/// Everything that needs attention, the most urgent first.
pub fn warnings(status: &NodeStatus, source: Source, now: Timestamp) -> Vec<Warning> {
    let mut all = Vec::new();
    of_node(status, source, &mut all);
    status.funds.iter().filter_map(|fund| of_fund(fund, now)).for_each(|one| all.push(one));
    of_backup(status, now, &mut all);
    status.keys.iter().filter_map(|key| of_key(key, now)).for_each(|one| all.push(one));
    all.extend(status.seal.as_ref().and_then(|seal| of_seal(seal, now)));
    of_disk(status, &mut all);
    all.extend(of_peers(status));
    of_votes(status, &mut all);
    all.sort_by_key(|one| std::cmp::Reverse(one.level));
    all
}

fn of_node(status: &NodeStatus, source: Source, all: &mut Vec<Warning>) {
    use Level::{AtOnce, Attention};
    if source == Source::Left {
        all.push(warning(AtOnce, "node_down", vec![("time", minute(status.time))]));
    } else if !status.ready {
        all.push(warning(AtOnce, "not_ready", Vec::new()));
    }
    let outbox = &status.outbox;
    for (code, level, count, most) in [
        ("books_failing", AtOnce, outbox.failing_books, 0),
        ("rails_differ", AtOnce, outbox.differences, 0),
        ("effects_stuck", Attention, outbox.stuck, 0),
        ("outbox_behind", Attention, outbox.lag_receipts, OUTBOX_LAG_RECEIPTS),
        ("history_behind", Attention, status.history_lag_blocks, HISTORY_LAG_BLOCKS),
        ("snapshots_given_up", Attention, status.snapshots_given_up, 0),
    ] {
        if count > most {
            all.push(warning(level, code, vec![("count", count.to_string())]));
        }
    }
}

fn of_fund(fund: &FundStatus, now: Timestamp) -> Option<Warning> {
    if !fund.is_near_floor(now) {
        return None;
    }
    let values = vec![
        ("fund", format!("{}/{}", fund.region, fund.fund)),
        ("available", fund.available.to_decimal(fund.currency)),
        ("currency", fund.currency.to_string()),
        ("day", fund.dry_on.map(|day| day.to_string()).unwrap_or_default()),
    ];
    Some(if fund.available.is_zero() {
        warning(Level::AtOnce, "fund_empty", values)
    } else {
        warning(Level::Attention, "fund_near_floor", values)
    })
}

fn of_backup(status: &NodeStatus, now: Timestamp, all: &mut Vec<Warning>) {
    match &status.backup {
        None => all.push(warning(Level::Attention, "no_backup", Vec::new())),
        Some(backup) if backup.time.plus_millis(BACKUP_MILLIS) < now => {
            all.push(warning(Level::Attention, "backup_old", vec![("time", minute(backup.time))]));
        }
        Some(_) => {}
    }
}

fn of_key(key: &KeyStatus, now: Timestamp) -> Option<Warning> {
    let short: String = key.key.to_string().chars().take(16).collect();
    let values = vec![
        ("organisation", key.organisation.to_string()),
        ("key", short),
        ("time", minute(key.expires)),
    ];
    let within = |days: u64| key.expires <= now.plus_millis(days * DAY_MILLIS);
    let codes = match key.signs_blocks {
        true => ("block_key_expired", "block_key_expires"),
        false => ("key_expired", "key_expires"),
    };
    if key.expires <= now {
        Some(warning(Level::Attention, codes.0, values))
    } else if within(KEY_LAST_DAYS) {
        Some(warning(Level::AtOnce, codes.1, values))
    } else if within(KEY_DAYS) {
        Some(warning(Level::Attention, codes.1, values))
    } else {
        None
    }
}

fn of_seal(seal: &SealStatus, now: Timestamp) -> Option<Warning> {
    let values = vec![("name", seal.name.clone()), ("time", minute(seal.expires))];
    let within = |days: u64| seal.expires <= now.plus_millis(days * DAY_MILLIS);
    let level = if within(KEY_LAST_DAYS) { Level::AtOnce } else { Level::Attention };
    if seal.expires <= now {
        Some(warning(level, "seal_expired", values))
    } else {
        within(KEY_DAYS).then(|| warning(level, "seal_expires", values))
    }
}

fn of_disk(status: &NodeStatus, all: &mut Vec<Warning>) {
    let disk = &status.disk;
    let free = disk.free_bytes.saturating_mul(100);
    let Some(percent) = free.checked_div(disk.total_bytes) else { return };
    let values = vec![("percent", percent.to_string())];
    if percent < DISK_FULL_PERCENT {
        all.push(warning(Level::AtOnce, "disk_full", values));
    } else if percent < DISK_LOW_PERCENT {
        all.push(warning(Level::Attention, "disk_low", values));
    }
}

/// Who cannot be reached; at once where no more than two thirds of all nodes are left together.
fn of_peers(status: &NodeStatus) -> Option<Warning> {
    let away: Vec<&PeerStatus> = status.peers.iter().filter(|peer| !peer.connected).collect();
    if away.is_empty() {
        return None;
    }
    let all = status.peers.len() + 1;
    let is_too_few = (all - away.len()) * 3 <= all * 2;
    let level = if is_too_few { Level::AtOnce } else { Level::Attention };
    let names = away.iter().map(|peer| match peer.organisation {
        Some(organisation) => format!("{organisation} ({})", peer.address),
        None => peer.address.clone(),
    });
    let names: Vec<_> = names.collect();
    Some(warning(level, "peers_away", vec![("peers", names.join(", "))]))
}

/// Whose signatures do not count here, or should not.
fn of_votes(status: &NodeStatus, all: &mut Vec<Warning>) {
    if status.watching {
        all.push(warning(Level::Attention, "watching", Vec::new()));
    }
    all.extend(status.accused.iter().map(|one| {
        let who = ("organisation", one.organisation.to_string());
        warning(Level::Attention, "signed_twice", vec![who, ("height", one.height.to_string())])
    }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use gateway::api::status::{AccusedStatus, BackupStatus, DiskStatus, OutboxStatus};
    use primitives::{Amount, Currency, FundId, PublicKey, RegionId};

    const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);

    fn peer(organisation: &str, connected: bool) -> PeerStatus {
        let organisation = Some(organisation.parse().unwrap());
        PeerStatus { organisation, address: "10.0.0.2:7410".to_owned(), connected }
    }

    fn fine() -> NodeStatus {
        let key = KeyStatus {
            organisation: "bureau".parse().unwrap(),
            key: PublicKey::Ed25519([1; 32]),
            expires: NOW.plus_millis(62 * DAY_MILLIS),
            signs_blocks: false,
        };
        let fund = FundStatus {
            region: RegionId(620_100),
            fund: FundId(1),
            owner: "bureau".parse().unwrap(),
            purpose: "pooled_fund".to_owned(),
            currency: Currency::CNY,
            balance: Amount::from_minor(1_000),
            floor: Amount::from_minor(900),
            available: Amount::from_minor(100),
            spent_a_day: None,
            dry_on: None,
        };
        NodeStatus {
            chain_id: "test".to_owned(),
            time: NOW,
            ready: true,
            height: 9,
            block_time: NOW,
            receipts: 9,
            history_lag_blocks: HISTORY_LAG_BLOCKS,
            waiting_transactions: 0,
            sessions: 0,
            outbox: OutboxStatus { lag_receipts: OUTBOX_LAG_RECEIPTS, ..OutboxStatus::default() },
            snapshot: None,
            snapshots_given_up: 0,
            backup: Some(BackupStatus { height: 1, time: NOW }),
            funds: vec![fund],
            keys: vec![key],
            seal: None,
            peers: vec![peer("finance", true), peer("insurer", true), peer("tax", true)],
            watching: false,
            accused: Vec::new(),
            disk: DiskStatus { total_bytes: 100, free_bytes: 15, node_bytes: 1 },
            memory_bytes: 1,
        }
    }

    fn codes(status: &NodeStatus, source: Source, now: Timestamp) -> Vec<(&'static str, Level)> {
        warnings(status, source, now).iter().map(|one| (one.code, one.level)).collect()
    }

    #[test]
    fn what_is_just_fine_is_no_warning() {
        let latest = NOW.plus_millis(DAY_MILLIS - 1);
        assert_eq!(codes(&fine(), Source::Node, latest), []);
        assert_eq!(codes(&fine(), Source::Written, NOW), []);
    }

    #[test]
    fn everything_that_is_wrong_is_named_the_most_urgent_first() {
        let mut status = fine();
        status.ready = false;
        status.outbox = OutboxStatus {
            open: 5,
            stuck: 1,
            lag_receipts: OUTBOX_LAG_RECEIPTS + 1,
            failing_books: 1,
            differences: 1,
        };
        status.history_lag_blocks += 1;
        status.snapshots_given_up = 1;
        status.backup = None;
        status.disk.free_bytes = 14;
        status.keys[0].expires = NOW.plus_millis(60 * DAY_MILLIS);
        let dry = FundStatus {
            dry_on: NOW.day(primitives::UtcOffset(0)).plus_days(30),
            ..status.funds[0].clone()
        };
        let empty = FundStatus { available: Amount::ZERO, ..status.funds[0].clone() };
        status.funds = vec![dry, empty];
        let found = codes(&status, Source::Node, NOW);
        let first = ["not_ready", "books_failing", "rails_differ", "fund_empty"];
        let then = [
            "effects_stuck",
            "outbox_behind",
            "history_behind",
            "snapshots_given_up",
            "fund_near_floor",
            "no_backup",
            "key_expires",
            "disk_low",
        ];
        let expected = first.map(|code| (code, Level::AtOnce)).into_iter();
        let expected = expected.chain(then.map(|code| (code, Level::Attention)));
        assert_eq!(found, expected.collect::<Vec<_>>());
        status.disk.free_bytes = 3;
        status.backup = Some(BackupStatus { height: 1, time: NOW });
        let later = NOW.plus_millis(60 * DAY_MILLIS);
        let found = codes(&status, Source::Left, later);
        for expected in [
            ("node_down", Level::AtOnce),
            ("disk_full", Level::AtOnce),
            ("backup_old", Level::Attention),
            ("key_expired", Level::Attention),
        ] {
            assert!(found.contains(&expected), "{expected:?} is not in {found:?}");
        }
        assert!(!found.iter().any(|(code, _)| *code == "not_ready"), "{found:?}");
    }

    #[test]
    fn a_seals_certificate_is_named_before_it_ends_and_afterwards() {
        let ends = NOW.plus_millis(61 * DAY_MILLIS);
        let seal = SealStatus {
            name: "bureau".to_owned(),
            issuer: "authority".to_owned(),
            expires: ends,
            is_sample: false,
        };
        let status = NodeStatus { keys: Vec::new(), seal: Some(seal), ..fine() };
        let found = |days_before: u64| {
            let now = Timestamp::from_millis(ends.millis() - days_before * DAY_MILLIS);
            let all = codes(&status, Source::Node, now);
            all.into_iter().find(|(code, _)| code.starts_with("seal_"))
        };
        assert_eq!(found(61), None);
        assert_eq!(found(60), Some(("seal_expires", Level::Attention)));
        assert_eq!(found(1), Some(("seal_expires", Level::AtOnce)));
        assert_eq!(found(0), Some(("seal_expired", Level::AtOnce)));
    }

    #[test]
    fn a_key_is_urgent_on_its_last_day_and_one_of_blocks_has_words_of_its_own() {
        let mut status = fine();
        status.keys[0].expires = NOW.plus_millis(DAY_MILLIS);
        assert_eq!(codes(&status, Source::Node, NOW), [("key_expires", Level::AtOnce)]);
        status.keys[0].signs_blocks = true;
        assert_eq!(codes(&status, Source::Node, NOW), [("block_key_expires", Level::AtOnce)]);
        status.keys[0].expires = NOW;
        assert_eq!(codes(&status, Source::Node, NOW), [("block_key_expired", Level::Attention)]);
    }

    #[test]
    fn a_node_that_is_away_is_named_and_two_of_four_at_once() {
        let mut status = fine();
        status.peers[1].connected = false;
        let found = warnings(&status, Source::Node, NOW);
        assert_eq!((found[0].code, found[0].level), ("peers_away", Level::Attention));
        assert_eq!(found[0].values, [("peers", "insurer (10.0.0.2:7410)".to_owned())]);
        status.peers[2].connected = false;
        assert_eq!(codes(&status, Source::Node, NOW), [("peers_away", Level::AtOnce)]);
        status.peers.clear();
        status.watching = true;
        status.accused = vec![AccusedStatus { organisation: "tax".parse().unwrap(), height: 7 }];
        let votes = [("watching", Level::Attention), ("signed_twice", Level::Attention)];
        assert_eq!(codes(&status, Source::Node, NOW), votes);
        (status.watching, status.accused) = (false, Vec::new());
        assert_eq!(codes(&status, Source::Node, NOW), [], "alone, nobody is away");
    }

    #[test]
    fn a_fund_that_lasts_a_day_longer_is_not_near_its_floor() {
        let mut status = fine();
        status.funds[0].dry_on = NOW.day(primitives::UtcOffset(0)).plus_days(31);
        assert_eq!(codes(&status, Source::Node, NOW), []);
    }
}
