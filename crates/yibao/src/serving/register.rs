//! What of a ledger cannot be listed from its state, since rows are only looked up by their keys:
//! which funds were opened and which keys organisations have. It is gathered from the blocks as
//! they come, and kept in a file, so that a start reads only what came after.
//!
//! Nothing here is the truth: what the register names is looked up in the state before it is
//! shown, and without the file it is gathered from the first block again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use ledger::kernel::registry::Kind;
use ledger::modules::fund::OpenFund;
use ledger::modules::organisation::AuthoriseKey;
use ledger::{Content, Genesis, State};
use node::runtime::{NodeHandle, SubscriptionEnd};
use primitives::{Amount, FundId, Hash, OrganisationId, PublicKey, RegionId, Timestamp, codec};
use serde::{Deserialize, Serialize};

use super::folder::replace_file;

/// In the node's folder.
pub const REGISTER_FILE: &str = "register.json";
/// Between two samples of what a fund has spent.
const SAMPLE_MILLIS: u64 = 3_600_000;
/// A week of samples says how much is spent a day.
const SAMPLES_MAX: usize = 7 * 24;
const DAY_MILLIS: u64 = 24 * 3_600_000;
/// How long the register waits before it looks whether it is to stop.
const PAUSE: Duration = Duration::from_millis(500);

/// A fund by its region and number.
pub type FundKey = (RegionId, FundId);

/// What was gathered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Register {
    genesis: Hash,
    /// The last block that was read.
    height: u64,
    funds: BTreeSet<FundKey>,
    keys: BTreeSet<(OrganisationId, PublicKey)>,
    spent: Vec<Spent>,
}

/// What had left a fund at some instants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Spent {
    fund: FundKey,
    samples: Vec<(Timestamp, u64)>,
}

impl Register {
    /// The register before the first block.
    #[must_use]
    pub fn of(genesis: &Genesis) -> Self {
        let keys = genesis.organisations.iter().flat_map(|organisation| {
            organisation.keys.iter().map(|key| (organisation.organisation, key.key))
        });
        Self { genesis: genesis.hash(), keys: keys.collect(), ..Self::default() }
    }

    /// The funds that may be there.
    pub fn funds(&self) -> impl Iterator<Item = FundKey> {
        self.funds.iter().copied()
    }

    /// The keys that may be there.
    pub fn keys(&self) -> impl Iterator<Item = (OrganisationId, PublicKey)> {
        self.keys.iter().copied()
    }

    fn take(&mut self, content: &Content) {
        match content.kind {
            OpenFund::NUMBER => {
                if let Ok(OpenFund { region, fund, .. }) = codec::decode(&content.body) {
                    self.funds.insert((region, fund));
                }
            }
            AuthoriseKey::NUMBER => {
                if let Ok(AuthoriseKey { organisation, key, .. }) = codec::decode(&content.body) {
                    self.keys.insert((organisation, key));
                }
            }
            _ => {}
        }
    }

    /// Notes what has left every fund until now, once an hour.
    fn sample(&mut self, now: Timestamp, state: &State) {
        let mut spent: BTreeMap<FundKey, Vec<(Timestamp, u64)>> =
            self.spent.drain(..).map(|one| (one.fund, one.samples)).collect();
        for (region, fund) in &self.funds {
            let account = ledger::kernel::account::Account::Fund { region: *region, fund: *fund };
            let Some(row) = ledger::kernel::posting::account(state, &account) else { continue };
            let samples = spent.entry((*region, *fund)).or_default();
            let is_due = samples.last().is_none_or(|(last, _)| {
                now.millis() >= last.millis().saturating_add(SAMPLE_MILLIS)
            });
            if is_due {
                samples.push((now, row.debits));
                let over = samples.len().saturating_sub(SAMPLES_MAX);
                samples.drain(..over);
            }
        }
        self.spent = spent.into_iter().map(|(fund, samples)| Spent { fund, samples }).collect();
    }

    /// What a fund spent a day since its oldest sample, with what has left it until now.
    #[must_use]
    pub fn spent_a_day(&self, fund: FundKey, now: Timestamp, debits: u64) -> Option<Amount> {
        let samples = &self.spent.iter().find(|one| one.fund == fund)?.samples;
        let (since, before) = samples.first()?;
        let millis =
            now.millis().checked_sub(since.millis()).filter(|one| *one >= SAMPLE_MILLIS)?;
        let spent = u128::from(debits.checked_sub(*before)?);
        let a_day = spent.saturating_mul(u128::from(DAY_MILLIS)).checked_div(u128::from(millis))?;
        u64::try_from(a_day).ok().map(Amount::from_minor)
    }
}

/// Keeps a register up to date with a node.
pub struct Registrar {
    node: NodeHandle,
    path: PathBuf,
    register: Mutex<Register>,
}

impl Registrar {
    /// The register of this node, as its file in the node's folder has it.
    #[must_use]
    pub fn open(node: NodeHandle, folder: &Path, genesis: &Genesis) -> Self {
        let path = folder.join(REGISTER_FILE);
        let fresh = Register::of(genesis);
        let kept = std::fs::read(&path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let height = node.view().tip.height;
        let kept: Option<Register> =
            kept.filter(|one: &Register| one.genesis == fresh.genesis && one.height <= height);
        Self { node, path, register: Mutex::new(kept.unwrap_or(fresh)) }
    }

    fn lock(&self) -> MutexGuard<'_, Register> {
        self.register.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was gathered so far.
    #[must_use]
    pub fn register(&self) -> Register {
        self.lock().clone()
    }

    /// Notes what funds have spent.
    pub fn sample(&self, now: Timestamp) {
        let view = self.node.view();
        self.lock().sample(now, &view.state);
    }

    /// Writes the file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self) -> Result<()> {
        let text = serde_json::to_vec(&*self.lock()).context("a register has a form in JSON")?;
        replace_file(&self.path, &text)
            .with_context(|| format!("`{}` cannot be written", self.path.display()))
    }

    /// Follows the node until `is_over` says so or the node stops.
    pub fn follow(&self, is_over: impl Fn() -> bool) {
        loop {
            // First the subscription, so that nothing falls between it and what is read.
            let news = self.node.subscribe();
            if !self.catch_up(&is_over) {
                return;
            }
            loop {
                // Asked after each block: those of others go on coming while this node stops.
                if is_over() {
                    return;
                }
                match news.next_block_within(PAUSE) {
                    Ok(block) => {
                        let contents = block.block.transactions.iter().map(|one| &one.content);
                        self.block(block.header().height, contents);
                    }
                    Err(SubscriptionEnd::Timeout) => {}
                    Err(SubscriptionEnd::TooSlow) => break,
                    Err(SubscriptionEnd::Stopped) => return,
                }
            }
        }
    }

    /// Reads the blocks up to the node's last one; whether there is something to go on for.
    fn catch_up(&self, is_over: &impl Fn() -> bool) -> bool {
        loop {
            let next = self.lock().height.saturating_add(1);
            if next > self.node.view().tip.height {
                return true;
            }
            if is_over() {
                return false;
            }
            match self.node.block(next) {
                Ok(Some(block)) => {
                    self.block(next, block.transactions.iter().map(|one| &one.content));
                }
                // Archived blocks are passed over: what they opened is not shown.
                Ok(None) => self.lock().height = next,
                Err(error) => {
                    tracing::error!(height = next, %error, "a block cannot be read again");
                    return false;
                }
            }
        }
    }

    fn block<'a>(&self, height: u64, contents: impl Iterator<Item = &'a Content>) {
        let mut register = self.lock();
        if height == register.height.saturating_add(1) {
            contents.for_each(|content| register.take(content));
            register.height = height;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spent_a_day_is_told_from_an_hour_on() {
        let fund = (RegionId(620_100), FundId(1));
        let at = |hours: u64| Timestamp::from_millis(hours * SAMPLE_MILLIS);
        let spent = vec![Spent { fund, samples: vec![(at(10), 1_000)] }];
        let register = Register { spent, ..Register::default() };
        assert_eq!(register.spent_a_day(fund, at(10), 5_000), None);
        let two_hours = register.spent_a_day(fund, at(12), 1_200);
        assert_eq!(two_hours, Some(Amount::from_minor(2_400)));
        assert_eq!(register.spent_a_day(fund, at(12), 900), None, "debits never fall");
        let other = (RegionId(620_100), FundId(2));
        assert_eq!(register.spent_a_day(other, at(12), 1_200), None);
    }

    #[test]
    fn a_register_has_one_form_in_its_file() {
        let fund = (RegionId(620_100), FundId(1));
        let key = ("bureau".parse().unwrap(), PublicKey::Ed25519([7; 32]));
        let register = Register {
            genesis: Hash::default(),
            height: 9,
            funds: [fund].into_iter().collect(),
            keys: [key].into_iter().collect(),
            spent: vec![Spent { fund, samples: vec![(Timestamp::from_millis(5), 1)] }],
        };
        let text = serde_json::to_string(&register).unwrap();
        assert_eq!(serde_json::from_str::<Register>(&text).unwrap(), register);
    }
}
