//! What both regions of the demonstration have in common: their organisations' desks, banks and
//! tills, and the way of their visits through them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use adapters::clock::{Clock, SystemClock};
use anyhow::{Context as _, Result};
use benefit::{Catalogue, HospitalLevel};
use ledger::modules::organisation::OrganisationKind;
use ledger::modules::visit::SettlementRecord;
use node::outbox::{Outbox, StepReport};
use node::runtime::NodeHandle;
use node::signature::Scheme;
use node::vault_store::VaultStore;
use primitives::{CivilDate, Currency, Hash, OrganisationId, Party, RegionId, UtcOffset};
use vault::ReaderSecret;

use super::actor::{Actor, Drafter};
use super::bank::{Bank, OutsideBook, Till};
use super::chamber::Chamber;
use super::desk::{Desk, Patient, Provider, Settled, Visit};
use super::folder::keep_key;
use super::founding::{
    self, CLERK, FOUNDERS, Founders, NAMES, ONLINE, REVIEWED, REVIEWER, ROOT, code,
};
use super::population::ProviderSeed;
use super::tally::Refusals;
use super::trouble::{self, Trouble};
use super::wave::{Progress, waves};
use crate::command::reader_of_key;
use crate::serving::folder::POLICY_FILE;
use crate::serving::seal::{SEAL_FOLDER, make_seal};
use crate::serving::wallet::{NAME_FILE, READER_FILE};

/// What both regions need.
pub struct Stage<'a> {
    /// The folder of the demonstration.
    pub data: &'a Path,
    /// The demonstration's seed.
    pub seed: Hash,
    /// The node.
    pub node: &'a NodeHandle,
    /// Writes transactions.
    pub drafter: &'a Drafter,
    /// Who governs.
    pub founders: &'a Founders,
    /// The time.
    pub clock: &'a Arc<dyn Clock>,
    /// The last day of made-up visits.
    pub last_day: CivilDate,
    /// The page on which passkeys sign.
    pub origin: &'a str,
    /// The port on which it is served afterwards.
    pub page_port: u16,
}

/// A settlement that could be shown.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    /// The transaction that settled it.
    pub transaction_id: Hash,
    /// How many payers took a share.
    pub payers: usize,
}

/// What settling a region gave.
#[derive(Default)]
pub struct Settlement {
    /// How many visits were settled.
    pub settled: u64,
    /// What was refused.
    pub refusals: Refusals,
    /// How long the visits took, in seconds.
    pub seconds: f64,
    /// Of everybody with a settled visit the one with the most payers, by place among the
    /// patients.
    pub shown: BTreeMap<usize, Shown>,
    /// Those who drive the region's payments outside.
    pub outboxes: Vec<Arc<Outbox>>,
    /// The books that its bank and tills keep, for the region's visits.
    pub outside: Vec<(RegionId, OutsideBook)>,
}

/// What the desks of a region are run with.
pub(super) struct Cast {
    pub(super) region: RegionId,
    pub(super) bureau_reader: ReaderSecret,
    pub(super) catalogue: Catalogue,
    pub(super) bank: Bank,
    pub(super) providers: BTreeMap<OrganisationId, Provider>,
    pub(super) patients: Vec<Patient>,
}

impl Stage<'_> {
    pub(super) fn now(&self) -> primitives::Timestamp {
        self.clock.now()
    }

    /// Who opens an organisation's bills: `yibao vault open` does with its daily key.
    pub(super) fn reader(&self, organisation: &str) -> ReaderSecret {
        reader_of_key(&founding::secret(&self.seed, organisation, ONLINE))
    }

    /// Writes what people see of an organisation, and for whom its bills are sealed.
    pub(super) fn keep_name(&self, organisation: &str, name: &str) -> Result<()> {
        let folder = self.data.join(organisation);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(NAME_FILE), format!("{name}\n"))?;
        let reader = self.reader(organisation).key();
        Ok(fs::write(folder.join(READER_FILE), format!("{reader}\n"))?)
    }

    /// Writes the keys of an organisation into its folder, for trying things out by hand.
    pub(super) fn keep_keys(&self, organisation: &str, purposes: &[&str]) -> Result<()> {
        for purpose in purposes {
            let key = founding::secret(&self.seed, organisation, purpose);
            keep_key(self.data, organisation, purpose, &key)?;
        }
        Ok(())
    }

    /// Writes the keys of those who are there from the start.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn keep_founders_keys(&self) -> Result<()> {
        FOUNDERS.iter().try_for_each(|code| self.keep_keys(code, &[ROOT, ONLINE]))?;
        REVIEWED.iter().try_for_each(|code| self.keep_keys(code, &[REVIEWER, CLERK]))?;
        NAMES.iter().try_for_each(|(code, name)| self.keep_name(code, name))
    }

    /// Makes the seal of whoever runs the node, a sample.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_seal(&self) -> Result<()> {
        let [(bureau, name), ..] = NAMES;
        // By the clock of whoever downloads a sheet, which the demonstration's past has not.
        let today = SystemClock.now().day(UtcOffset(0));
        make_seal(&self.data.join(bureau).join(SEAL_FOLDER), name, today, None)
    }

    /// Opens a bank's books and outbox in its own folder.
    pub(super) fn bank(&self, organisation: &str, currency: Currency) -> Result<Bank> {
        let folder = self.data.join(organisation);
        fs::create_dir_all(&folder)?;
        let party = Party::Organisation(code(organisation));
        let actor = Actor::from_seed(party, Scheme::Ed25519, &self.seed, ONLINE);
        let key = founding::secret(&self.seed, organisation, ONLINE);
        Bank::open(self.node, &folder, (Arc::new(actor), key), currency, self.clock, 1)
    }

    /// Admits providers and opens the vault and, where asked for, the till of each.
    pub(super) fn providers(
        &self,
        chamber: &Chamber<'_>,
        region: RegionId,
        seeds: &[ProviderSeed],
        till: Option<Currency>,
    ) -> Result<BTreeMap<OrganisationId, Provider>> {
        let pair = |seed: &ProviderSeed| {
            let party = Party::Organisation(seed.code);
            let root = Actor::from_seed(party, Scheme::Ed25519, &self.seed, ROOT);
            (root, Arc::new(Actor::from_seed(party, Scheme::Ed25519, &self.seed, ONLINE)))
        };
        let actors: Vec<(Actor, Arc<Actor>)> = seeds.iter().map(pair).collect();
        let members: Vec<(&Actor, &Actor, Option<HospitalLevel>)> = actors
            .iter()
            .zip(seeds)
            .map(|((root, online), seed)| (root, online.as_ref(), Some(seed.level)))
            .collect();
        chamber.admit(region, OrganisationKind::Provider, &members)?;
        let mut providers = BTreeMap::new();
        for ((_, actor), seed) in actors.iter().zip(seeds) {
            let folder = self.data.join(seed.code.as_str());
            fs::create_dir_all(&folder)?;
            self.keep_name(seed.code.as_str(), &seed.name)?;
            self.keep_keys(seed.code.as_str(), &[ROOT, ONLINE])?;
            let till = till
                .map(|currency| {
                    let key = founding::secret(&self.seed, seed.code.as_str(), ONLINE);
                    Till::open(self.node, &folder, (Arc::clone(actor), key), currency, self.clock)
                })
                .transpose()?;
            let provider = Provider {
                actor: Arc::clone(actor),
                reader: self.reader(seed.code.as_str()).key(),
                vault: VaultStore::open(&folder.join("vault"))?,
                till,
            };
            providers.insert(seed.code, provider);
        }
        Ok(providers)
    }

    /// Takes visits through the desks in waves, payments outside in between; then what goes wrong
    /// on purpose, then refunds.
    pub(super) fn settle(
        &self,
        what: &str,
        (chamber, bureau): (&Chamber<'_>, &Actor),
        cast: &Cast,
        (visits, troubles): (Vec<Visit>, Vec<(Trouble, Visit)>),
    ) -> Result<Settlement> {
        let now = || self.now();
        let clerk = Actor::from_seed(bureau.party, Scheme::Ed25519, &self.seed, CLERK);
        let desk = Desk {
            node: self.node,
            drafter: self.drafter,
            bureau,
            clerk: &clerk,
            bureau_reader: cast.bureau_reader.key(),
            catalogue: &cast.catalogue,
            bank: &cast.bank,
            providers: &cast.providers,
            patients: &cast.patients,
            secret: self.seed,
            now: &now,
        };
        let begin = Instant::now();
        let mut settlement = Settlement {
            outboxes: outboxes_of(cast),
            outside: outside_of(cast)?,
            ..Settlement::default()
        };
        let mut refunds: Vec<SettlementRecord> = Vec::new();
        let mut progress = Progress::new(what, visits.len());
        let mut done = 0;
        for wave in waves(visits) {
            settlement.take(&desk, &wave, &mut refunds)?;
            drain(&settlement.outboxes)?;
            done += wave.len();
            let speed = settlement.settled as f64 / begin.elapsed().as_secs_f64().max(0.001);
            progress.show(done, speed);
        }
        progress.end();
        for (trouble, visit) in troubles {
            trouble::play(
                trouble,
                chamber,
                (bureau, &clerk),
                &visit,
                &cast.patients[visit.patient],
                || settlement.take(&desk, std::slice::from_ref(&visit), &mut refunds),
            )?;
        }
        drain(&settlement.outboxes)?;
        for record in &refunds {
            if let Some(reason) = desk.refund(record)? {
                *settlement.refusals.refunds.entry(reason).or_default() += 1;
            }
        }
        drain(&settlement.outboxes)?;
        settlement.seconds = begin.elapsed().as_secs_f64();
        Ok(settlement)
    }
}

impl Settlement {
    /// Takes visits through the desks, at most one of a person, and notes what became of them.
    fn take(
        &mut self,
        desk: &Desk<'_>,
        visits: &[Visit],
        refunds: &mut Vec<SettlementRecord>,
    ) -> Result<()> {
        for (visit, settled) in visits.iter().zip(desk.settle(visits)?) {
            match settled {
                Settled::Yes { transaction_id, split, record } => {
                    self.settled += 1;
                    let shown = Shown { transaction_id, payers: split.payers.len() };
                    let best = self.shown.entry(visit.patient).or_insert(shown);
                    if best.payers <= shown.payers {
                        *best = shown;
                    }
                    let has_rail =
                        split.cash.is_zero() || desk.patients[visit.patient].card.is_some();
                    if visit.refund && has_rail && record.sums.rows().len() > 1 {
                        refunds.push(*record);
                    }
                }
                Settled::Refused(reason) => {
                    *self.refusals.visits.entry(reason).or_default() += 1;
                }
            }
        }
        Ok(())
    }
}

fn tills_of(cast: &Cast) -> impl Iterator<Item = &Till> {
    cast.providers.values().filter_map(|one| one.till.as_ref())
}

fn outboxes_of(cast: &Cast) -> Vec<Arc<Outbox>> {
    let tills = tills_of(cast).map(|till| Arc::clone(till.outbox()));
    std::iter::once(Arc::clone(cast.bank.outbox())).chain(tills).collect()
}

fn outside_of(cast: &Cast) -> Result<Vec<(RegionId, OutsideBook)>> {
    let books = std::iter::once(cast.bank.book()).chain(tills_of(cast).map(Till::book));
    books.map(|book| Ok((cast.region, book?))).collect()
}

/// Drives payments outside until no outbox finds anything to do. A step does a bounded part of
/// the work, so having nothing open is no sign of being done; having done nothing is.
///
/// # Errors
/// When an outbox fails.
pub fn drain(outboxes: &[Arc<Outbox>]) -> Result<()> {
    for outbox in outboxes {
        while outbox.step()? != StepReport::default() {}
    }
    Ok(())
}

/// Writes a voucher of one settlement to a file and verifies it from there.
///
/// # Errors
/// When it cannot be made, written or verified.
pub fn show_voucher(node: &NodeHandle, data: &Path, shown: Option<&Shown>) -> Result<()> {
    let Some(shown) = shown else {
        println!("\nno visit was settled, so there is no voucher to show");
        return Ok(());
    };
    let voucher = node.issue_voucher(&shown.transaction_id, None)?;
    let voucher = voucher.context("the settlement has a receipt")?;
    let (file, trust) = (data.join("voucher.tlog-proof"), data.join(POLICY_FILE));
    fs::write(&file, voucher.encode())?;
    let verified = crate::command::check_voucher(&file, &trust)?;
    println!("\nvoucher {} verified offline against {}", file.display(), trust.display());
    crate::command::print_voucher(&verified);
    println!(
        "  check it yourself: yibao verify voucher {} --trust {}",
        file.display(),
        trust.display()
    );
    Ok(())
}
