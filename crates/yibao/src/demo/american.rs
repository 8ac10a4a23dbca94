//! The American region: 27 synthetic patients of the Synthea sample, whose insurer is its bureau.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use benefit::{AgeBand, HospitalLevel};
use ledger::modules::coverage::{AttestedFacts, CoverageTerms, ImportedCoverage, ImportedPerson};
use ledger::modules::organisation::OrganisationKind;
use ledger::modules::person::NewPerson;
use ledger::modules::visit::VisitSubject;
use node::signature::Scheme;
use primitives::{Amount, CivilDate, Currency, Party, Period};

use super::actor::Actor;
use super::bank::Bank;
use super::chamber::{Chamber, built_in, catalogue, commitment};
use super::desk::{Patient, Visit};
use super::founding::{ONLINE, ROOT};
use super::people;
use super::population::ProviderSeed;
use super::region::{Cast, Settlement, Stage};
use super::synthea;
use crate::serving::library;

/// The organisation that runs the sample's bank.
const BANK: &str = "us-bank";
/// What a patient's bank account starts with, in cents.
const SAVINGS: Amount = Amount::from_minor(1_000_000_000);

impl Stage<'_> {
    /// Settles the whole Synthea sample.
    ///
    /// # Errors
    /// What the demonstration cannot go on with.
    pub fn american_sample(&self) -> Result<Settlement> {
        let now = || self.now();
        let chamber =
            Chamber { node: self.node, drafter: self.drafter, founders: self.founders, now: &now };
        let sample = synthea::Sample::read()?;
        let bureau = &self.founders.insurer;
        let bank = self.bank(BANK, Currency::USD)?;
        self.keep_keys(BANK, &[ROOT, ONLINE])?;
        let root = Actor::from_seed(bank.executor().party, Scheme::Ed25519, &self.seed, ROOT);
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
        let reader = self.reader("insurer");
        let cast = Cast {
            region: synthea::REGION,
            bureau_reader: reader,
            catalogue,
            bank,
            providers,
            patients,
        };
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
        let work = (visits, Vec::new());
        let mut settlement = self.settle("Synthea sample", (&chamber, bureau), &cast, work)?;
        settlement.refusals.uninsured = uninsured as u64;
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
                keys: vec![people::first_key(&actor, false, people::WALLET_LIMIT)],
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
        let holders: Vec<(String, Amount)> =
            sample.patients.iter().map(|patient| (patient.name.clone(), SAVINGS)).collect();
        for (patient, card) in patients.iter_mut().zip(bank.open_accounts(&holders)?) {
            patient.card = Some(card.token);
        }
        Ok(patients)
    }
}
