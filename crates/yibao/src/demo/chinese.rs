//! The made-up Chinese region, from its first organisation to the last visit of its year.

use std::collections::BTreeMap;

use adapters::identity::Identity;
use adapters::rail::card::BoundCard;
use anyhow::{Context as _, Result};
use benefit::Payer;
use ledger::kernel::month::CalendarMonth;
use ledger::modules::organisation::OrganisationKind;
use ledger::modules::person::RegisterCard;
use ledger::modules::visit::VisitSubject;
use node::signature::Scheme;
use primitives::{Amount, CivilDate, Currency, Party, PersonId};

use super::actor::Actor;
use super::bank::Bank;
use super::chamber::{Chamber, built_in, catalogue, commitment};
use super::desk::{Patient, Visit};
use super::folder::FAMILY;
use super::founding::{CLERK, ONLINE, ROOT, code};
use super::people::{self, Authority};
use super::population::{self, Population};
use super::region::{Cast, Settlement, Stage};
use super::{faces, hospital, trouble, wallets, year};
use crate::serving::library;

/// The organisation that pays the commercial supplement.
pub const SUPPLEMENT: &str = "commercial-ins";
/// What people call it.
const SUPPLEMENT_NAME: &str = "示例商业保险公司";
/// The organisation that audits.
const AUDITOR: &str = "auditor";
/// What people call it.
const AUDITOR_NAME: &str = "示例市审计局";
/// What most bank accounts start with, in fen.
const SAVINGS: u64 = 20_000_000;
/// What those have who cannot pay much, in fen.
const LITTLE: u64 = 5_000;
/// One in so many has little on the bank account.
const LITTLE_FOR_ONE_IN: usize = 50;

impl Stage<'_> {
    /// Makes up a Chinese region and settles its year.
    ///
    /// # Errors
    /// What the demonstration cannot go on with.
    pub fn chinese_region(&self, population: &Population, seed: u64) -> Result<Settlement> {
        let now = || self.now();
        let chamber =
            Chamber { node: self.node, drafter: self.drafter, founders: self.founders, now: &now };
        let bureau = &self.founders.bureau;
        let insurer =
            self.admit(&chamber, OrganisationKind::Insurer, (SUPPLEMENT, SUPPLEMENT_NAME))?;
        self.admit(&chamber, OrganisationKind::Auditor, (AUDITOR, AUDITOR_NAME))?;
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
        let mut providers = self.providers(
            &chamber,
            population::REGION,
            &population.providers,
            Some(Currency::CNY),
        )?;
        let bank = self.bank("bank", Currency::CNY)?;
        let patients = self.enrol_chinese(&chamber, population, &bank)?;
        let items = year::priced(&items, include_str!("../../../../samples/price-list.toml"))?;
        self.hospital_interface(population, &items)?;
        let planned = year::visits(population, &items, seed, self.last_day);
        let mut visits: Vec<Visit> = planned
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
        let next_door = (&mut providers, visits.as_mut_slice());
        let neighbour = self.neighbour(&chamber, population, next_door)?;
        let cast = Cast {
            region: population::REGION,
            bureau_reader: self.reader("bureau"),
            catalogue,
            bank,
            providers,
            patients,
        };
        let troubles = trouble::script(&mut visits, &cast.patients);
        let settled =
            self.settle("made-up region", (&chamber, bureau), &cast, (visits, troubles))?;
        self.premium_season(&chamber, population, (&cast, &settled.outboxes))?;
        self.families(&chamber, population, &cast)?;
        self.premiums_from_accounts(&chamber, population, &cast)?;
        self.claim_rules(&chamber)?;
        self.neighbour_states(&chamber, &neighbour)?;
        self.recovery_rules(&chamber)?;
        Ok(settled)
    }

    /// Admits an organisation of the region with a key for everything; gives that key.
    fn admit(
        &self,
        chamber: &Chamber<'_>,
        kind: OrganisationKind,
        (organisation, name): (&str, &str),
    ) -> Result<Actor> {
        let party = Party::Organisation(code(organisation));
        let key = |purpose| Actor::from_seed(party, Scheme::Ed25519, &self.seed, purpose);
        let (root, online) = (key(ROOT), key(ONLINE));
        self.keep_keys(organisation, &[ROOT, ONLINE])?;
        self.keep_name(organisation, name)?;
        chamber.admit(population::REGION, kind, &[(&root, &online, None)])?;
        Ok(online)
    }

    /// The first hospital and the first pharmacy speak the national interface.
    fn hospital_interface(
        &self,
        population: &Population,
        items: &[year::PricedItem],
    ) -> Result<()> {
        for house in hospital::houses(population)? {
            let folder = self.data.join(house.organisation.as_str());
            hospital::found(&folder, &house, &self.seed)?;
            hospital::equip(self.data, (&house, self.page_port), items, population)?;
        }
        Ok(())
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
            let patient = people::patient(resident, (&self.seed, self.origin), self.last_day)?;
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
        let clerk = Actor::from_seed(bureau.party, Scheme::Ed25519, &self.seed, CLERK);
        chamber.act_all(&[&clerk], &cards)?;
        let slots: Vec<_> = population
            .people
            .iter()
            .flat_map(|resident| people::slots(resident, self.last_day))
            .collect();
        chamber.act_all(&[bureau], &slots)?;
        self.credit_accounts(chamber, population)?;
        let newcomers = wallets::newcomers(population, self.last_day);
        let cards = self.give_cards(population, (&mut patients, &newcomers), bank)?;
        self.test_cards(population, &newcomers, bank)?;
        self.serve_wallets(population, &cards, &newcomers, &authority)?;
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
            let month = CalendarMonth { year, month };
            chamber.credit(&self.founders.bureau, population::REGION, month, &rows)?;
        }
        Ok(())
    }

    /// What the bureau needs to serve wallets, and those who may still join.
    fn serve_wallets(
        &self,
        population: &Population,
        cards: &[(PersonId, BoundCard)],
        newcomers: &[usize],
        authority: &Authority,
    ) -> Result<()> {
        let bureau = self.data.join("bureau");
        wallets::found(&bureau, &self.seed)?;
        wallets::enter(&bureau, population, cards)?;
        let family = self.data.join(FAMILY);
        let secret = (&self.seed, self.now());
        let people = newcomers.iter().map(|place| &population.people[*place]);
        faces::write(&self.data.join("identity"), people)?;
        wallets::invite((&bureau, &family), population, newcomers, authority, secret)
    }

    /// Bank cards for those with a phone and for every other newcomer; some of the former and the
    /// last of the latter have hardly any money, so that payments fail.
    fn give_cards(
        &self,
        population: &Population,
        (patients, newcomers): (&mut [Patient], &[usize]),
        bank: &Bank,
    ) -> Result<Vec<(PersonId, BoundCard)>> {
        let joining: Vec<usize> = newcomers.iter().step_by(2).copied().collect();
        let holders: Vec<(usize, (String, Amount))> = population
            .people
            .iter()
            .enumerate()
            .filter(|(at, one)| one.has_phone || joining.contains(at))
            .map(|(at, one)| {
                let is_last = joining.last() == Some(&at);
                let is_short = is_last || (one.has_phone && at % LITTLE_FOR_ONE_IN == 7);
                let savings = if is_short { LITTLE } else { SAVINGS };
                (at, (one.name.clone(), Amount::from_minor(savings)))
            })
            .collect();
        let plain: Vec<_> = holders.iter().map(|(_, holder)| holder.clone()).collect();
        let mut cards = Vec::with_capacity(holders.len());
        for ((at, _), card) in holders.iter().zip(bank.open_accounts(&plain)?) {
            let one = &population.people[*at];
            if one.has_phone {
                patients[*at].card = Some(card.token.clone());
            }
            cards.push((one.id, card));
        }
        Ok(cards)
    }
}
