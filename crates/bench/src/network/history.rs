//! What clients did and were told, what nodes showed, and whether every promise was kept.
//!
//! The clients move money between funds that never go below zero, as in the bank test: whatever
//! order the ledger says, executing the transfers in it must give each answer that was given.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use primitives::Hash;

/// Time since the run began.
pub type Instant = Duration;

/// A final answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Told {
    /// It happened; the place of its receipt.
    Accepted(u64),
    /// A block rejected it; the place of that receipt.
    Rejected(u64),
    /// It was refused without a block.
    Refused,
}

/// One sending of a transfer.
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    /// To which node.
    pub node: usize,
    /// When it was sent.
    pub from: Instant,
    /// When it was answered or given up.
    pub until: Instant,
    /// The final answer; none when its outcome is not known.
    pub told: Option<Told>,
}

/// A transfer that a client wants to happen once.
#[derive(Clone, Debug)]
pub struct Operation {
    /// The transaction.
    pub id: Hash,
    /// The fund that gives, the fund that gets, and how much.
    pub transfer: (u16, u16, u64),
    /// Each sending of the same bytes, until one was answered.
    pub attempts: Vec<Attempt>,
}

impl Operation {
    /// The answer.
    #[must_use]
    pub fn told(&self) -> Option<Told> {
        self.attempts.iter().find_map(|attempt| attempt.told)
    }
}

/// A receipt, as a node shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The transaction.
    pub id: Hash,
    /// Whether it happened.
    pub is_accepted: bool,
}

/// What a node shows at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Value ids and state roots by height.
    pub headers: BTreeMap<u64, (Hash, Hash)>,
    /// All receipts of the organisations that move money.
    pub receipts: BTreeMap<u64, Shown>,
    /// What each fund holds.
    pub balances: BTreeMap<u16, u64>,
}

/// What a node said of itself at a moment.
#[derive(Clone, Copy, Debug)]
pub struct Stand {
    /// Which node.
    pub node: usize,
    /// How often it lost its disk before.
    pub disk: u32,
    /// The height of its last block.
    pub height: u64,
    /// How many receipts it has.
    pub receipts: u64,
    /// The root of its state.
    pub root: Hash,
}

/// A run.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// What every fund began with.
    pub start: BTreeMap<u16, u64>,
    /// What was there before the clients began.
    pub founding: Vec<Hash>,
    /// What clients wanted.
    pub operations: Vec<Operation>,
    /// What nodes said while it ran, each node's in its order.
    pub stands: Vec<Stand>,
    /// What a client did not find at a node that had just told it.
    pub unread: Vec<String>,
}

/// What was counted beside.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Transfers that happened.
    pub accepted: usize,
    /// Transfers that a block rejected.
    pub rejected: usize,
    /// Sendings whose outcome was not known then.
    pub in_doubt: usize,
    /// Transfers that a block rejected and that an earlier sending of the same client, which was
    /// still on its way, tried once more.
    pub overtaken: usize,
}

/// Everything that was promised and not kept, in words; nothing when all was.
#[must_use]
pub fn check(history: &History, ledgers: &[Ledger]) -> (Vec<String>, Counts) {
    let mut broken = history.unread.clone();
    let Some((first, others)) = ledgers.split_first() else {
        return (vec!["no node shows its ledger".to_owned()], Counts::default());
    };
    for (number, other) in (1..).zip(others) {
        compare(first, number, other, &mut broken);
    }
    let mut counts = Counts::default();
    check_stands(&history.stands, &mut broken);
    check_answers(history, first, &mut broken, &mut counts);
    check_order(&history.operations, &mut broken);
    check_money(history, first, &mut broken);
    (broken, counts)
}

fn compare(first: &Ledger, number: usize, other: &Ledger, broken: &mut Vec<String>) {
    if first.headers.len() != other.headers.len() {
        let (one, two) = (first.headers.len(), other.headers.len());
        broken.push(format!("node 0 has {one} blocks, node {number} {two}"));
    }
    let differs = first
        .headers
        .iter()
        .find(|(height, header)| other.headers.get(height).is_some_and(|there| there != *header));
    if let Some((height, _)) = differs {
        broken.push(format!("node 0 and node {number} have different blocks {height}"));
    }
    if first.receipts != other.receipts {
        broken.push(format!("node 0 and node {number} show different receipts"));
    }
    if first.balances != other.balances {
        broken.push(format!("node 0 and node {number} show different balances"));
    }
}

/// No node goes back, and no two say different roots of one height.
fn check_stands(stands: &[Stand], broken: &mut Vec<String>) {
    let mut last: BTreeMap<(usize, u32), (u64, u64)> = BTreeMap::new();
    let mut roots: BTreeMap<u64, Hash> = BTreeMap::new();
    for stand in stands {
        let now = (stand.height, stand.receipts);
        let before = last.insert((stand.node, stand.disk), now).unwrap_or_default();
        if now.0 < before.0 || now.1 < before.1 {
            broken.push(format!("node {} went back from {before:?} to {now:?}", stand.node));
        }
        if *roots.entry(stand.height).or_insert(stand.root) != stand.root {
            broken.push(format!("block {} was shown with two roots", stand.height));
        }
    }
}

/// What was answered is so at the end, nothing happened twice, nothing came from nowhere.
fn check_answers(
    history: &History,
    ledger: &Ledger,
    broken: &mut Vec<String>,
    counts: &mut Counts,
) {
    let mut places: BTreeMap<Hash, Vec<(u64, bool)>> = BTreeMap::new();
    for (index, shown) in &ledger.receipts {
        places.entry(shown.id).or_default().push((*index, shown.is_accepted));
    }
    for operation in &history.operations {
        let id = operation.id;
        let places = places.remove(&id).unwrap_or_default();
        let accepted: Vec<u64> =
            places.iter().filter(|(_, is_accepted)| *is_accepted).map(|(at, _)| *at).collect();
        if accepted.len() > 1 {
            broken.push(format!("{id} happened twice, at {accepted:?}"));
        }
        counts.in_doubt += operation.attempts.iter().filter(|one| one.told.is_none()).count();
        match operation.told() {
            None => broken.push(format!("{id} was never answered")),
            Some(Told::Accepted(at)) => {
                counts.accepted += 1;
                if accepted != [at] {
                    broken.push(format!("{id} was told to be at {at} and is at {accepted:?}"));
                }
            }
            Some(told) => {
                counts.rejected += 1;
                if let Told::Rejected(at) = told
                    && !places.contains(&(at, false))
                {
                    broken.push(format!("{id} was told to be rejected at {at} and is not"));
                }
                // Another sending of the client's own may have been on its way still.
                let is_alone = operation.attempts.iter().all(|one| one.told.is_some());
                if !is_alone && places.len() > 1 {
                    counts.overtaken += 1;
                } else if !accepted.is_empty() {
                    broken.push(format!("{id} was told to be {told:?}, and happened {accepted:?}"));
                }
            }
        }
    }
    let founding: BTreeSet<&Hash> = history.founding.iter().collect();
    let unknown = places.keys().find(|id| !founding.contains(id));
    if let Some(id) = unknown {
        broken.push(format!("{id} stands in the ledger, and nobody sent it"));
    }
}

/// Whoever begins after another was answered comes after it.
fn check_order(operations: &[Operation], broken: &mut Vec<String>) {
    let place = |operation: &Operation| match operation.told() {
        Some(Told::Accepted(at) | Told::Rejected(at)) => Some(at),
        _ => None,
    };
    let mut begun: Vec<(Instant, u64)> = Vec::new();
    let mut ended: Vec<(Instant, u64)> = Vec::new();
    for operation in operations {
        let (Some(at), Some(first), Some(last)) =
            (place(operation), operation.attempts.first(), operation.attempts.last())
        else {
            continue;
        };
        begun.push((first.from, at));
        ended.push((last.until, at));
    }
    begun.sort_unstable();
    ended.sort_unstable();
    let (mut ended, mut highest) = (ended.into_iter().peekable(), None);
    for (from, at) in begun {
        while let Some((_, earlier)) = ended.next_if(|(until, _)| *until < from) {
            highest = highest.max(Some(earlier));
        }
        if let Some(highest) = highest.filter(|highest| *highest > at) {
            broken.push(format!("{at} began after {highest} was answered, and stands before it"));
        }
    }
}

/// The transfers in the ledger's order give each answer, and what the funds hold at the end.
fn check_money(history: &History, ledger: &Ledger, broken: &mut Vec<String>) {
    let wanted: BTreeMap<Hash, &Operation> =
        history.operations.iter().map(|operation| (operation.id, operation)).collect();
    let mut funds = history.start.clone();
    let mut done = BTreeSet::new();
    for (index, shown) in &ledger.receipts {
        let Some(operation) = wanted.get(&shown.id) else { continue };
        let (from, to, amount) = operation.transfer;
        let there = funds.get(&from).copied().unwrap_or(0);
        let is_covered = there >= amount;
        if shown.is_accepted {
            if !is_covered {
                broken.push(format!("receipt {index} takes {amount} from {there}"));
            }
            funds.insert(from, there.saturating_sub(amount));
            *funds.entry(to).or_default() += amount;
            done.insert(shown.id);
        } else if is_covered && !done.contains(&shown.id) {
            broken.push(format!("receipt {index} was rejected, and {there} covers {amount}"));
        }
    }
    if funds != ledger.balances {
        broken.push(format!("the funds hold {:?}, and should {funds:?}", ledger.balances));
    }
    let sum = |funds: &BTreeMap<u16, u64>| funds.values().sum::<u64>();
    if sum(&history.start) != sum(&ledger.balances) {
        broken.push("money was made or lost".to_owned());
    }
}

#[cfg(test)]
mod tests;
