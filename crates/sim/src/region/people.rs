//! The insured of a simulated region. None of them stands for a real person.

use benefit::{AgeBand, IncomeClass, PersonClass, PersonClasses, Sex};
use ledger::modules::coverage::{AttestedFacts, CoverageTerms, ImportedPerson};
use ledger::modules::person::{KeyGrade, NewKey, NewPerson};
use primitives::{Amount, Party, Period, PersonId, RegionId, sha256_parts};

use super::{NEIGHBOUR, REGION, SCHEME};
use crate::actor::{Actor, SharedActor};
use crate::dice::Dice;

/// A person of one of the two regions.
pub struct Person {
    /// The id on the ledger.
    pub id: PersonId,
    /// Where the person is insured.
    pub region: RegionId,
    /// The person's device key.
    pub actor: SharedActor,
    /// What a payment with that key may take at the most.
    pub payment_max: Amount,
    /// What a day's payments with it may take.
    pub day_max: Amount,
    /// Whether retired.
    pub is_retired: bool,
    /// Whether premiums are all that insures the person.
    pub is_resident: bool,
    /// What is on the account at the bank, in minor units; nobody without one has a bank card.
    pub bank_balance: Option<u64>,
}

impl Person {
    /// The person of this number, drawn.
    #[must_use]
    pub fn new(dice: &mut Dice, number: u64) -> Self {
        Self::drawn(dice, REGION, id_of(b"yibao/sim-person/v1", number))
    }

    /// The person of this number who is insured next door, drawn.
    #[must_use]
    pub fn next_door(dice: &mut Dice, number: u64) -> Self {
        Self::drawn(dice, NEIGHBOUR, id_of(b"yibao/sim-neighbour/v1", number))
    }

    fn drawn(dice: &mut Dice, region: RegionId, id: PersonId) -> Self {
        // Most keys have wide limits; some stop a payment now and then.
        let payment_max = if dice.chance(150) { 80_000 } else { 50_000_000 };
        let bank_balance = dice.chance(800).then(|| dice.between(20_000, 6_000_000));
        Self {
            id,
            region,
            actor: std::sync::Arc::new(Actor::new(Party::Person(id), "device")),
            payment_max: Amount::from_minor(payment_max),
            day_max: Amount::from_minor(payment_max.saturating_mul(2)),
            is_retired: dice.chance(400),
            is_resident: false,
            bank_balance,
        }
    }

    /// The resident of this number, the same in every world.
    #[must_use]
    pub fn resident(number: u64) -> Self {
        let id = id_of(b"yibao/sim-resident/v1", number);
        Self {
            id,
            region: REGION,
            actor: std::sync::Arc::new(Actor::new(Party::Person(id), "device")),
            payment_max: Amount::from_minor(50_000_000),
            day_max: Amount::from_minor(50_000_000),
            is_retired: false,
            is_resident: true,
            bank_balance: None,
        }
    }

    /// The row that enrols and covers the person.
    #[must_use]
    pub fn import(&self) -> ImportedPerson {
        let key = NewKey {
            key: self.actor.public_key(),
            grade: KeyGrade::Device,
            payment_max: self.payment_max,
            day_max: self.day_max,
        };
        let person = NewPerson {
            id: self.id,
            commitment: sha256_parts(&[b"commitment", &self.id.0]),
            blind_index: sha256_parts(&[b"blind index", &self.id.0]),
            keys: vec![key],
        };
        ImportedPerson { person, coverage: (!self.is_resident).then(|| self.terms()) }
    }

    /// What is attested for a premium.
    #[must_use]
    pub fn facts(&self, period: Period) -> AttestedFacts {
        AttestedFacts { period, person_classes: PersonClasses::NONE, ..self.terms().facts }
    }

    fn terms(&self) -> CoverageTerms {
        let first = super::day(2025, 1, 1);
        let class = if self.is_retired { PersonClass::Retired } else { PersonClass::Active };
        let facts = AttestedFacts {
            period: Period { from: first, to: Some(super::day(2027, 12, 31)) },
            age: if self.is_retired { band(60, 70) } else { band(30, 60) },
            sex: Sex::Unstated,
            person_classes: PersonClasses::NONE.with(class),
            income_class: IncomeClass::NONE,
            unbroken_years: 0,
            claim_free_years: 0,
            month_of_75: false,
            family: None,
        };
        let period = Period { from: first, to: None };
        CoverageTerms { scheme: SCHEME, period, benefits_from: None, facts }
    }
}

fn id_of(what: &[u8], number: u64) -> PersonId {
    let hash = sha256_parts(&[what, &number.to_le_bytes()]).0;
    let mut id = [0; 16];
    id.copy_from_slice(&hash[..16]);
    PersonId(id)
}

fn band(from: u8, below: u8) -> AgeBand {
    AgeBand::new(from, below).unwrap_or_default()
}
