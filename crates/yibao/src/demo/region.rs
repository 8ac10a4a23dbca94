//! The two regions of the demonstration, from the first organisation to the last settled visit.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use adapters::clock::Clock;
use adapters::identity::Identity;
use anyhow::{Context as _, Result, bail};
use benefit::{AgeBand, Catalogue, HospitalLevel, Payer};
use ledger::modules::coverage::{AttestedFacts, CoverageTerms, ImportedCoverage, ImportedPerson};
use ledger::modules::fund::ContributionMonth;
use ledger::modules::organisation::OrganisationKind;
use ledger::modules::person::{NewPerson, RegisterCard};
use ledger::modules::visit::{SettlementRecord, VisitSubject};
use node::outbox::Outbox;
use node::runtime::NodeHandle;
use node::signature::Scheme;
use node::vault_store::VaultStore;
use primitives::{Amount, CivilDate, Currency, Hash, OrganisationId, Party, Period, sha256_parts};
use vault::ReaderSecret;

use crate::serving::library;

use super::actor::{Actor, Drafter};
use super::bank::{Bank, Till};
use super::chamber::{Chamber, PlanFile, catalogue, commitment};
use super::desk::{Desk, Patient, Provider, Settled, Visit};
use super::founding::{self, Founders, code};
use super::people::{self, Authority};
use super::population::{self, Population, ProviderSeed};
use super::tally::{Books, Tally};
use super::wave::{Progress, waves};
use super::{synthea, year};

macro_rules! built_in {
    ($path:literal) => {
        PlanFile { path: $path, text: include_str!(concat!("../../../../", $path)) }
    };
}

/// What a bank account of the demonstration starts with, in minor units; some get little.
const SAVINGS: u64 = 20_000_000;

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
}

/// What settling a region gave.
pub struct Settlement {
    /// What was counted.
    pub tally: Tally,
    /// How long the visits took.
    pub seconds: f64,
    /// A settlement to show.
    pub shown: Option<Hash>,
}

/// What the desks of a region are run with.
struct Cast {
    bureau_reader: ReaderSecret,
    catalogue: Catalogue,
    bank: Bank,
    providers: BTreeMap<OrganisationId, Provider>,
    patients: Vec<Patient>,
}

impl Stage<'_> {
    fn now(&self) -> primitives::Timestamp {
        self.clock.now()
    }

    fn reader(&self, meaning: &str) -> ReaderSecret {
        ReaderSecret::from_seed(
            &sha256_parts(&[b"yibao/demo-reader/v1", &self.seed.0, meaning.as_bytes()]).0,
        )
    }

    /// Opens a bank's books and outbox in its own folder.
    fn bank(&self, organisation: &str, currency: Currency) -> Result<Bank> {
        let folder = self.data.join(organisation);
        fs::create_dir_all(&folder)?;
        let party = Party::Organisation(code(organisation));
        let actor = Actor::from_seed(party, Scheme::Ed25519, &self.seed, "online");
        let key = founding::online_secret(&self.seed, organisation);
        Bank::open(self.node, &folder, (Arc::new(actor), key), currency, self.clock, 1)
    }

    /// Admits providers and opens the vault and, where asked for, the till of each.
    fn providers(
        &self,
        chamber: &Chamber<'_>,
        region: primitives::RegionId,
        seeds: &[ProviderSeed],
        till: Option<Currency>,
    ) -> Result<BTreeMap<OrganisationId, Provider>> {
        let pair = |seed: &ProviderSeed| {
            let party = Party::Organisation(seed.code);
            let root = Actor::from_seed(party, Scheme::Ed25519, &self.seed, "root");
            (root, Arc::new(Actor::from_seed(party, Scheme::Ed25519, &self.seed, "online")))
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
            fs::write(folder.join("name"), format!("{}\n", seed.name))?;
            let till = till
                .map(|currency| {
                    let key = founding::online_secret(&self.seed, seed.code.as_str());
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

    /// Settles the whole Synthea sample.
    ///
    /// # Errors
    /// What the demonstration cannot go on with.
    pub fn american_sample(&self, outboxes: &mut Vec<Arc<Outbox>>) -> Result<Settlement> {
        let now = || self.now();
        let chamber =
            Chamber { node: self.node, drafter: self.drafter, founders: self.founders, now: &now };
        let sample = synthea::Sample::read()?;
        let bureau = &self.founders.insurer;
        let bank = self.bank("us-bank", Currency::USD)?;
        let root = Actor::from_seed(bank.executor().party, Scheme::Ed25519, &self.seed, "root");
        chamber.admit(
            synthea::REGION,
            OrganisationKind::Bank,
            &[(&root, bank.executor(), None)],
        )?;
        let from = CivilDate::from_ymd(1960, 1, 1).context("a day")?;
        chamber.open_funds(bureau, synthea::REGION, &[synthea::SCHEME], from, &BTreeMap::new())?;
        let file = built_in!("plans/us-massachusetts/1960-01-01.toml");
        let text = include_str!("../../../../plans/us-massachusetts/catalogue.toml");
        let (catalogue, _) = catalogue(text)?;
        chamber.publish(bureau, &self.founders.insurer_reviewer, &file, 1, catalogue.hash())?;
        library::keep_plan(self.data, file.text)?;
        library::keep_catalogue(self.data, &catalogue, text)?;
        let seeds: Vec<ProviderSeed> = sample
            .providers
            .iter()
            .map(|(code, name)| ProviderSeed {
                code: *code,
                name: name.clone(),
                level: HospitalLevel::Unrated,
            })
            .collect();
        let providers = self.providers(&chamber, synthea::REGION, &seeds, None)?;
        let patients = self.enrol_americans(&chamber, &sample, &bank)?;
        outboxes.push(Arc::clone(bank.outbox()));
        let reader = self.reader("insurer");
        let cast = Cast { bureau_reader: reader, catalogue, bank, providers, patients };
        let places: BTreeMap<_, _> =
            sample.patients.iter().enumerate().map(|(at, one)| (one.id, at)).collect();
        let insured = sample.claims.iter().filter(|claim| claim.insured);
        let visits: Vec<Visit> = insured
            .map(|claim| Visit {
                id: claim.visit,
                subject: VisitSubject {
                    person: claim.person,
                    provider: claim.provider,
                    region: synthea::REGION,
                    scheme: synthea::SCHEME,
                    visit_type: claim.visit_type,
                    admitted: claim.day,
                    diagnosis_group: 0,
                },
                patient: places[&claim.person],
                bill: claim.bill.clone(),
                use_personal_account: false,
                refund: false,
            })
            .collect();
        let uninsured = sample.claims.len() - visits.len();
        let mut settlement = self.settle("Synthea sample", bureau, &cast, visits)?;
        settlement.tally.uninsured = uninsured as u64;
        Ok(settlement)
    }

    fn enrol_americans(
        &self,
        chamber: &Chamber<'_>,
        sample: &synthea::Sample,
        bank: &Bank,
    ) -> Result<Vec<Patient>> {
        let far = CivilDate::from_ymd(2099, 12, 31).context("a day")?;
        let mut rows = Vec::new();
        let mut more = Vec::new();
        let mut patients = Vec::new();
        for patient in &sample.patients {
            let actor =
                Actor::from_seed(Party::Person(patient.id), Scheme::P256, &self.seed, "device");
            let terms = |period: Period| CoverageTerms {
                scheme: synthea::SCHEME,
                period,
                benefits_from: None,
                facts: AttestedFacts {
                    period: Period { from: period.from, to: Some(period.to.unwrap_or(far)) },
                    age: AgeBand::ANY,
                    sex: patient.sex,
                    person_classes: benefit::PersonClasses::NONE,
                    income_class: benefit::IncomeClass::NONE,
                    unbroken_years: 0,
                    claim_free_years: 0,
                    month_of_75: false,
                    family: None,
                },
            };
            let mut spans = patient.cover.iter().copied();
            let person = NewPerson {
                id: patient.id,
                commitment: commitment("identity", patient.id, &patient.name),
                blind_index: commitment("blind index of the sample", patient.id, &patient.name),
                keys: vec![people::first_key(&actor, false)],
            };
            rows.push(ImportedPerson { person, coverage: spans.next().map(terms) });
            more.extend(
                spans.map(|span| ImportedCoverage { person: patient.id, coverage: terms(span) }),
            );
            patients.push(Patient {
                actor: Some(actor),
                reader: people::reader_of(patient.id, &self.seed).key(),
                card: None,
                age: AgeBand::ANY,
                sex: patient.sex,
            });
        }
        let bureau = &self.founders.insurer;
        let refused = chamber.enrol(bureau, synthea::REGION, rows)?;
        let refused = refused + chamber.cover(bureau, synthea::REGION, more)?;
        if refused > 0 {
            bail!("{refused} rows of the sample's cover were refused");
        }
        let holders: Vec<(String, Amount)> = sample
            .patients
            .iter()
            .map(|patient| (patient.name.clone(), Amount::from_minor(SAVINGS * 50)))
            .collect();
        for (patient, card) in patients.iter_mut().zip(bank.open_accounts(&holders)?) {
            patient.card = Some(card);
        }
        Ok(patients)
    }

    /// Makes up a Chinese region and settles its year.
    ///
    /// # Errors
    /// What the demonstration cannot go on with.
    pub fn chinese_region(
        &self,
        people: usize,
        seed: u64,
        outboxes: &mut Vec<Arc<Outbox>>,
    ) -> Result<Settlement> {
        let now = || self.now();
        let chamber =
            Chamber { node: self.node, drafter: self.drafter, founders: self.founders, now: &now };
        let population = Population::generate(people, seed, self.last_day);
        let bureau = &self.founders.bureau;
        let party = Party::Organisation(code("commercial-ins"));
        let insurer_root = Actor::from_seed(party, Scheme::Ed25519, &self.seed, "root");
        let insurer = Actor::from_seed(party, Scheme::Ed25519, &self.seed, "online");
        let members = [(&insurer_root, &insurer, None)];
        chamber.admit(population::REGION, OrganisationKind::Insurer, &members)?;
        let from = CivilDate::from_ymd(self.last_day.year() - 1, 1, 1).context("a day")?;
        let owners = BTreeMap::from([(Payer::CommercialSupplement, &insurer)]);
        let schemes = [population::EMPLOYEE, population::RESIDENT];
        chamber.open_funds(bureau, population::REGION, &schemes, from, &owners)?;
        let text = include_str!("../../../../plans/lanzhou-employee/catalogue.toml");
        let (catalogue, items) = catalogue(text)?;
        library::keep_catalogue(self.data, &catalogue, text)?;
        for (version, file) in [
            (1, built_in!("plans/lanzhou-employee/2025-01-01.toml")),
            (2, built_in!("plans/lanzhou-employee/2026-01-01.toml")),
            (1, built_in!("plans/lanzhou-resident/2025-01-01.toml")),
            (2, built_in!("plans/lanzhou-resident/2026-01-01.toml")),
        ] {
            chamber.publish(bureau, &self.founders.reviewer, &file, version, catalogue.hash())?;
            library::keep_plan(self.data, file.text)?;
        }
        let providers = self.providers(
            &chamber,
            population::REGION,
            &population.providers,
            Some(Currency::CNY),
        )?;
        let bank = self.bank("bank", Currency::CNY)?;
        let patients = self.enrol_chinese(&chamber, &population, &bank)?;
        outboxes.push(Arc::clone(bank.outbox()));
        outboxes.extend(
            providers
                .values()
                .filter_map(|one| one.till.as_ref())
                .map(|till| Arc::clone(till.outbox())),
        );
        let items = year::priced(&items, include_str!("../../../../samples/price-list.toml"))?;
        let planned = year::visits(&population, &items, seed, self.last_day);
        let visits: Vec<Visit> = planned
            .into_iter()
            .map(|visit| Visit {
                id: visit.visit,
                subject: VisitSubject {
                    person: population.people[visit.person].id,
                    provider: population.providers[visit.provider].code,
                    region: population::REGION,
                    scheme: population.people[visit.person].scheme,
                    visit_type: visit.visit_type,
                    admitted: visit.admitted,
                    diagnosis_group: 0,
                },
                patient: visit.person,
                bill: visit.bill,
                use_personal_account: visit.use_personal_account,
                refund: visit.refund,
            })
            .collect();
        let cast =
            Cast { bureau_reader: self.reader("bureau"), catalogue, bank, providers, patients };
        self.settle("made-up region", bureau, &cast, visits)
    }

    fn enrol_chinese(
        &self,
        chamber: &Chamber<'_>,
        population: &Population,
        bank: &Bank,
    ) -> Result<Vec<Patient>> {
        let bureau = &self.founders.bureau;
        let authority = Authority::open(&self.data.join("identity"), &self.seed)?;
        let identities: Vec<Identity> = population
            .people
            .iter()
            .map(|one| Identity { name: one.name.clone(), number: one.identity_number.clone() })
            .collect();
        authority.register(&identities)?;
        let mut patients = Vec::with_capacity(population.people.len());
        let mut rows = Vec::with_capacity(population.people.len());
        for resident in &population.people {
            let patient = people::patient(resident, &self.seed, self.last_day)?;
            rows.push(people::row(&authority, resident, patient.actor.as_ref(), self.last_day)?);
            patients.push(patient);
        }
        let refused = chamber.enrol(bureau, population::REGION, rows)?;
        println!(
            "enrolled {} people of {} households ({refused} rows refused), {} providers",
            population.people.len(),
            population.households,
            population.providers.len()
        );
        let cards: Vec<RegisterCard> = population
            .people
            .iter()
            .filter(|one| !one.has_phone)
            .map(|one| RegisterCard {
                person: one.id,
                commitment: commitment("card", one.id, "a card of the demonstration"),
            })
            .collect();
        chamber.act_all(&[bureau], &cards)?;
        let slots: Vec<_> = population
            .people
            .iter()
            .flat_map(|resident| people::slots(resident, self.last_day))
            .collect();
        chamber.act_all(&[bureau], &slots)?;
        self.credit_accounts(chamber, population)?;
        self.give_cards(population, &mut patients, bank)?;
        Ok(patients)
    }

    /// The contributions of every month so far.
    fn credit_accounts(&self, chamber: &Chamber<'_>, population: &Population) -> Result<()> {
        let rows: Vec<_> = population
            .people
            .iter()
            .filter(|one| one.account_month > 0)
            .map(|one| (one.id, Amount::from_minor(one.account_month)))
            .collect();
        for month in 1..=self.last_day.month() {
            let year = u16::try_from(self.last_day.year()).context("a year")?;
            let month = ContributionMonth { year, month };
            chamber.credit(&self.founders.bureau, population::REGION, month, &rows)?;
        }
        Ok(())
    }

    /// Bank cards for those with a phone; every fiftieth has hardly any money, so that payments
    /// fail.
    fn give_cards(
        &self,
        population: &Population,
        patients: &mut [Patient],
        bank: &Bank,
    ) -> Result<()> {
        let holders: Vec<(usize, (String, Amount))> = population
            .people
            .iter()
            .enumerate()
            .filter(|(_, one)| one.has_phone)
            .map(|(at, one)| {
                let savings = if at % 50 == 7 { 5_000 } else { SAVINGS };
                (at, (one.name.clone(), Amount::from_minor(savings)))
            })
            .collect();
        let plain: Vec<_> = holders.iter().map(|(_, holder)| holder.clone()).collect();
        for ((at, _), card) in holders.iter().zip(bank.open_accounts(&plain)?) {
            patients[*at].card = Some(card);
        }
        Ok(())
    }

    /// Takes visits through the desks in waves, payments outside in between.
    fn settle(
        &self,
        what: &str,
        bureau: &Actor,
        cast: &Cast,
        visits: Vec<Visit>,
    ) -> Result<Settlement> {
        let now = || self.now();
        let desk = Desk {
            node: self.node,
            drafter: self.drafter,
            bureau,
            bureau_reader: cast.bureau_reader.key(),
            catalogue: &cast.catalogue,
            bank: &cast.bank,
            providers: &cast.providers,
            patients: &cast.patients,
            now: &now,
        };
        let outboxes = outboxes_of(cast);
        let begin = Instant::now();
        let (mut tally, mut shown) = (Tally::default(), None);
        let mut refunds: Vec<SettlementRecord> = Vec::new();
        let mut progress = Progress::new(what, visits.len());
        let mut done = 0;
        for wave in waves(visits) {
            for (visit, settled) in wave.iter().zip(desk.settle(&wave)?) {
                match settled {
                    Settled::Yes { transaction_id, split, record } => {
                        tally.settle(&split);
                        if split.payers.len() > 1 || shown.is_none() {
                            shown = Some(transaction_id);
                        }
                        let has_rail =
                            split.cash.is_zero() || cast.patients[visit.patient].card.is_some();
                        if visit.refund && has_rail && record.sums.rows().len() > 1 {
                            refunds.push(*record);
                        }
                    }
                    Settled::Refused(reason) => tally.refuse(reason),
                }
            }
            step(&outboxes)?;
            done += wave.len();
            let speed = tally.settled as f64 / begin.elapsed().as_secs_f64().max(0.001);
            progress.show(done, speed);
        }
        progress.end();
        drain(&outboxes)?;
        for record in &refunds {
            match desk.refund(record)? {
                None => tally.refunded += 1,
                Some(reason) => tally.refuse(reason),
            }
        }
        Ok(Settlement { tally, seconds: begin.elapsed().as_secs_f64(), shown })
    }
}

fn outboxes_of(cast: &Cast) -> Vec<Arc<Outbox>> {
    let tills = cast.providers.values().filter_map(|one| one.till.as_ref());
    let mut outboxes = vec![Arc::clone(cast.bank.outbox())];
    outboxes.extend(tills.map(|till| Arc::clone(till.outbox())));
    outboxes
}

/// Lets every outbox do what can be done now.
fn step(outboxes: &[Arc<Outbox>]) -> Result<()> {
    for outbox in outboxes {
        outbox.step()?;
    }
    Ok(())
}

/// Drives payments outside until none is open or nothing moves any more; gives how many are left.
///
/// # Errors
/// When an outbox fails.
pub fn drain(outboxes: &[Arc<Outbox>]) -> Result<u64> {
    let mut before = u64::MAX;
    loop {
        step(outboxes)?;
        let open = outboxes.iter().map(|outbox| outbox.open_count()).sum::<Result<u64, _>>()?;
        if open == 0 || open == before {
            return Ok(open);
        }
        before = open;
    }
}

/// Books every receipt of the log.
///
/// # Errors
/// When a receipt cannot be read.
pub fn book_all(node: &NodeHandle, books: &mut Books) -> Result<()> {
    for index in 0..node.view().tip.log.size() {
        let receipt = node.receipt_at(index)?.context("the log has no gap")?;
        books.book(&receipt);
    }
    Ok(())
}

/// Writes a voucher of one settlement to a file and verifies it from there.
///
/// # Errors
/// When it cannot be made, written or verified.
pub fn show_voucher(node: &NodeHandle, data: &Path, settlements: &[&Settlement]) -> Result<()> {
    let Some(id) = settlements.iter().find_map(|settlement| settlement.shown) else {
        println!("\nno visit was settled, so there is no voucher to show");
        return Ok(());
    };
    let voucher = node.issue_voucher(&id, None)?.context("the settlement has a receipt")?;
    let (file, trust) = (data.join("voucher.tlog-proof"), data.join("trust-policy.txt"));
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
