//! A premium season of the made-up region: the list, households that pay for all of theirs in one
//! go, those who are not asked for anything, one premium that somebody is paying right now, and one
//! that goes back.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use benefit::{IncomeClass, PersonClass};
use ledger::modules::coverage::AttestedFacts;
use ledger::modules::family;
use ledger::modules::person::Actor as SpeaksFor;
use ledger::modules::premium::{
    AccountPremium, CancelPremium, LockPremium, PayPremiums, PayPremiumsFromAccounts, PremiumClass,
    PremiumItem, PremiumSeason, PremiumSource, PremiumStanding, RegisteredPremium, SeasonId,
    SetPremiumSeason, WaitingRule, view,
};
use node::outbox::Outbox;
use primitives::{Amount, CivilDate, FundId, Party, Period, PersonId, Text, UtcOffset};
use serde::Serialize;

use super::actor::Actor;
use super::chamber::Chamber;
use super::founding::code;
use super::population::{Population, REGION, RESIDENT, Resident};
use super::region::{Cast, Stage, drain};
use super::wallets;

/// Who collects premiums.
pub const TAX: &str = "tax";
const FULL: u8 = 1;
const SUBSIDISED: u8 = 2;
const WAIVED: u8 = 3;
/// One in so many households waits with the payment.
const WAITING_ONE_IN: usize = 20;

/// How many premiums relatives' accounts pay at the most; the others stay due.
const FROM_ACCOUNTS_MAX: usize = 8;

/// The file in the collector's folder that says whose premium is being paid, for the guide.
const LOCKED_FILE: &str = "locked.toml";

/// Whose premium somebody is paying right now.
#[derive(Serialize)]
struct LockedFile {
    /// The season's address.
    season: String,
    year: u16,
    person: String,
    payer: String,
}

/// The season's classes: number, name, due, due late, in fen (personal 400, subsidy 700 yuan in
/// 2026; the subsidised part is made up).
const CLASSES: [(u8, &str, u64, u64); 3] = [
    (FULL, "full", 40_000, 110_000),
    (SUBSIDISED, "subsidised", 12_000, 82_000),
    (WAIVED, "waived", 0, 0),
];

fn text<const N: usize>(words: &str) -> Text<N> {
    Text::new(words).expect("short words of the source")
}

/// The season for the year after this day.
pub fn season_after(today: CivilDate) -> Result<SeasonId> {
    let year = u16::try_from(today.year() + 1).context("a year")?;
    Ok(SeasonId { region: REGION, scheme: RESIDENT, year })
}

fn day(year: i32, month: u8, day: u8) -> Result<CivilDate> {
    CivilDate::from_ymd(year, month, day).context("a day of the source")
}

fn terms(season: SeasonId, today: CivilDate) -> Result<PremiumSeason> {
    let year = i32::from(season.year);
    let class = |(number, name, amount, late): (u8, &str, u64, u64)| PremiumClass {
        number,
        name: text(name),
        amount: Amount::from_minor(amount),
        late_amount: Amount::from_minor(late),
        repair_amount: Amount::from_minor(40_000),
    };
    Ok(PremiumSeason {
        // The demonstration numbers its funds by their payers.
        fund: FundId(u16::from(benefit::Payer::PooledFund.number())),
        collector: code(TAX),
        cover: Period { from: day(year, 1, 1)?, to: Some(day(year, 12, 31)?) },
        window: Period { from: today.min(day(year - 1, 9, 1)?), to: Some(day(year - 1, 12, 31)?) },
        late_until: Some(day(year, 6, 30)?),
        classes: CLASSES.map(class).to_vec(),
        lock_minutes: 20,
        locks_per_payer: 10,
        locks_per_record: 5,
        waiting: WaitingRule {
            months: 3,
            per_further_year: 1,
            long_break_years: 4,
            long_break_months: 6,
        },
        source: text(
            "医保发〔2025〕: personal 400, subsidy 700; State Council Office 2024 on waiting",
        ),
    })
}

fn class_of(resident: &Resident) -> u8 {
    if resident.classes.contains(PersonClass::ExtremelyPoor) {
        WAIVED
    } else if resident.classes.contains(PersonClass::LowIncome) {
        SUBSIDISED
    } else {
        FULL
    }
}

/// What is due of a resident within the window.
fn due(resident: &Resident) -> Amount {
    let class = class_of(resident);
    let found = CLASSES.iter().find(|(number, ..)| *number == class);
    Amount::from_minor(found.map_or(0, |(_, _, amount, _)| *amount))
}

fn row(resident: &Resident, terms: &PremiumSeason) -> RegisteredPremium {
    let first = terms.cover.from;
    RegisteredPremium {
        person: resident.id,
        class: class_of(resident),
        missed_years: 0,
        newborn_until: None,
        facts: AttestedFacts {
            period: terms.cover,
            age: resident.band_on(first),
            sex: resident.sex,
            person_classes: resident.classes,
            income_class: IncomeClass::NONE,
            unbroken_years: resident.unbroken_years.saturating_add(1),
            claim_free_years: 0,
            month_of_75: false,
            family: None,
        },
    }
}

/// A household that pays: who, and for whom.
struct Household<'a> {
    payer: usize,
    members: Vec<&'a Resident>,
}

/// Households with a member who has phone and card, and somebody who owes a premium. Who may join
/// is left out: they find the own premium due.
fn households<'a>(
    population: &'a Population,
    cast: &Cast,
    newcomers: &[usize],
) -> Vec<Household<'a>> {
    let mut by_number: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (at, one) in population.people.iter().enumerate() {
        by_number.entry(one.household).or_default().push(at);
    }
    let paying = by_number.into_values().filter_map(|places| {
        let can_pay = |at: &&usize| {
            let patient = &cast.patients[**at];
            patient.actor.is_some() && patient.card.is_some()
        };
        let payer = *places.iter().find(can_pay)?;
        let owes = |one: &&Resident| one.scheme == RESIDENT && !due(one).is_zero();
        let staying = places.iter().filter(|at| !newcomers.contains(at));
        let all = staying.map(|at| &population.people[*at]);
        let members: Vec<&Resident> = all.filter(owes).collect();
        (!members.is_empty()).then_some(Household { payer, members })
    });
    paying.collect()
}

impl Stage<'_> {
    /// Opens the season for next year and lets most households pay.
    ///
    /// # Errors
    /// What the demonstration cannot go on with.
    pub(super) fn premium_season(
        &self,
        chamber: &Chamber<'_>,
        population: &Population,
        (cast, outboxes): (&Cast, &[Arc<Outbox>]),
    ) -> Result<()> {
        let today = self.now().day(UtcOffset(480));
        let season = season_after(today)?;
        let terms = terms(season, today)?;
        let (bureau, tax) = (&self.founders.bureau, &self.founders.tax);
        chamber.act(&[bureau, tax], &SetPremiumSeason { season, terms: terms.clone() })?;
        let insured = population.people.iter().filter(|one| one.scheme == RESIDENT);
        let rows: Vec<RegisteredPremium> = insured.map(|one| row(one, &terms)).collect();
        let refused = chamber.register_premiums(bureau, season, &rows)?;
        let (mut waiting, mut acts) = (Vec::new(), Vec::new());
        let newcomers = wallets::newcomers(population, self.last_day);
        for (at, household) in households(population, cast, &newcomers).into_iter().enumerate() {
            if at.is_multiple_of(WAITING_ONE_IN) {
                waiting.push(household);
            } else {
                acts.push(self.payment(season, &household, cast)?);
            }
        }
        let mut reasons: BTreeMap<&'static str, u64> = BTreeMap::new();
        for answer in chamber.try_all(&acts)? {
            if let Err(name) = answer {
                *reasons.entry(name).or_default() += 1;
            }
        }
        drain(outboxes)?;
        if let Some(household) = waiting.first() {
            self.lock(chamber, season, (population, household))?;
        }
        let back =
            acts.iter().find_map(|(signers, pay)| Some((signers, self.paid_one(season, pay)?)));
        if let Some((signers, person)) = back {
            let cancel = CancelPremium { season, person, actor: SpeaksFor::OwnKey };
            chamber.act(&signers[..1], &cancel)?;
            drain(outboxes)?;
        }
        self.report_season(season, &rows, (refused, acts.len()), &reasons);
        Ok(())
    }

    /// The payment of a household, by its payer's card.
    fn payment<'a>(
        &self,
        season: SeasonId,
        household: &Household<'_>,
        cast: &'a Cast,
    ) -> Result<(Vec<&'a Actor>, PayPremiums)> {
        let patient = &cast.patients[household.payer];
        let (actor, card) = patient.actor.as_ref().zip(patient.card.as_ref()).context("a payer")?;
        let items = household.members.iter().map(|one| PremiumItem {
            person: one.id,
            repair_years: 0,
            amount: due(one),
            from_account: Amount::ZERO,
        });
        let what = [b"premium".as_slice(), &household.members[0].id.0].concat();
        let pay = PayPremiums {
            season,
            payer: actor.party,
            channel: code("bureau"),
            items: items.collect(),
            cash: cast.bank.later(card, &what)?,
        };
        Ok((vec![actor, cast.bank.executor()], pay))
    }

    /// Of those who still owe a premium, some are helped by a relative's account, and one of them
    /// has it back.
    ///
    /// # Errors
    /// What the demonstration cannot go on with.
    pub(super) fn premiums_from_accounts(
        &self,
        chamber: &Chamber<'_>,
        population: &Population,
        cast: &Cast,
    ) -> Result<()> {
        let season = season_after(self.now().day(UtcOffset(480)))?;
        let state = &self.node.view().state;
        let owes = |one: &&Resident| {
            let record = view::record(state, season, one.id);
            record.is_some_and(|record| record.standing == PremiumStanding::Due)
        };
        let signers: BTreeMap<PersonId, &Actor> = (population.people.iter().zip(&cast.patients))
            .filter_map(|(one, patient)| Some((one.id, patient.actor.as_ref()?)))
            .collect();
        let helped = population.people.iter().filter(owes).filter_map(|one| {
            let grant = *family::view::family(state, one.id).grants.first()?;
            let payer = family::view::grant(state, one.id, grant)?.payer;
            let source = PremiumSource::FamilyAccount { grant };
            let item = AccountPremium { person: one.id, repair_years: 0, amount: due(one), source };
            let pay = PayPremiumsFromAccounts { season, payer, items: vec![item] };
            Some((vec![*signers.get(&payer)?], pay))
        });
        let acts: Vec<_> = helped.take(FROM_ACCOUNTS_MAX).collect();
        let answers = chamber.try_all(&acts)?;
        let paid = acts.iter().zip(&answers).filter(|(_, answer)| answer.is_ok());
        let persons: Vec<PersonId> =
            paid.flat_map(|((_, pay), _)| pay.items.iter().map(|item| item.person)).collect();
        let own = persons.iter().find_map(|id| Some((*id, *signers.get(id)?)));
        if let Some((person, actor)) = own.filter(|_| persons.len() > 1) {
            let cancel = CancelPremium { season, person, actor: SpeaksFor::OwnKey };
            chamber.act(&[actor], &cancel)?;
        }
        println!("  {} premiums paid by relatives' personal accounts", persons.len());
        Ok(())
    }

    /// Somebody at the bank's counter is paying this premium right now.
    fn lock(
        &self,
        chamber: &Chamber<'_>,
        season: SeasonId,
        (population, household): (&Population, &Household<'_>),
    ) -> Result<()> {
        let lock = LockPremium {
            season,
            person: household.members[0].id,
            payer: Party::Person(population.people[household.payer].id),
            channel: code("bank"),
        };
        chamber.act(&[&self.founders.bank], &lock)?;
        let file = LockedFile {
            season: format!(
                "/v1/regions/{}/schemes/{}/premium-seasons/{}",
                season.region, season.scheme, season.year
            ),
            year: season.year,
            person: lock.person.to_string(),
            payer: lock.payer.to_string(),
        };
        let folder = self.data.join(TAX);
        Ok(fs::write(folder.join(LOCKED_FILE), toml::to_string(&file)?)?)
    }

    /// Who paid the own premium with this payment, and it alone.
    fn paid_one(&self, season: SeasonId, pay: &PayPremiums) -> Option<PersonId> {
        let [item] = pay.items.as_slice() else { return None };
        let record = view::record(&self.node.view().state, season, item.person)?;
        let is_paid = matches!(record.standing, PremiumStanding::Paid { .. });
        let is_own = pay.payer == Party::Person(item.person);
        (is_paid && is_own).then_some(item.person)
    }

    fn report_season(
        &self,
        season: SeasonId,
        rows: &[RegisteredPremium],
        (refused, payments): (u64, usize),
        reasons: &BTreeMap<&'static str, u64>,
    ) {
        let state = &self.node.view().state;
        let (mut paid, mut waived, mut open) = (0, 0, 0);
        for row in rows {
            match view::record(state, season, row.person).map(|record| record.standing) {
                Some(PremiumStanding::Paid { payment: Some(_), .. }) => paid += 1,
                Some(PremiumStanding::Paid { payment: None, .. }) => waived += 1,
                _ => open += 1,
            }
        }
        println!("\npremiums for {}, residents", season.year);
        println!("  {} persons registered, {refused} rows refused", rows.len());
        println!(
            "  {paid} premiums paid in {payments} payments of households, {waived} waived, {open} open"
        );
        for (reason, count) in reasons {
            println!("    {count} payments refused: {reason}");
        }
    }
}
