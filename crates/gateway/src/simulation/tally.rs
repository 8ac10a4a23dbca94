//! Counts what both plans do: by payer, by person class, by hospital level.
//!
//! Invariant: counting does not depend on the order of people, so a file in another order gives the
//! same figures as long as each person's bills keep theirs.

use std::collections::{BTreeMap, HashMap};

use benefit::{HospitalLevel, Payer, PersonClass, PersonClasses};
use primitives::{Currency, PersonId};

use super::bill::PastBill;
use super::worker::{Outcome, PAYERS, Shares};

/// How many different reasons of refusal are told apart.
const REASONS_MAX: usize = 16;

/// Which group of people somebody is counted under: of several classes the first of this list.
pub const CLASS_ORDER: [PersonClass; 25] = [
    PersonClass::ExtremelyPoor,
    PersonClass::Orphan,
    PersonClass::LowIncome,
    PersonClass::NearLowIncome,
    PersonClass::BackInPoverty,
    PersonClass::IllnessPoor,
    PersonClass::SeverelyDisabled,
    PersonClass::WorkInjured,
    PersonClass::DisabledSoldier,
    PersonClass::RetiredCadre,
    PersonClass::LateElderly,
    PersonClass::Retired,
    PersonClass::Newborn,
    PersonClass::Child,
    PersonClass::Student,
    PersonClass::Unemployed,
    PersonClass::FlexibleEmployment,
    PersonClass::CivilServant,
    PersonClass::Active,
    PersonClass::Dependant,
    PersonClass::Resident,
    PersonClass::EnterpriseSupplement,
    PersonClass::CommercialSupplement,
    PersonClass::MutualPool,
    PersonClass::MaternityInsured,
];

/// The edges between groups of people by what they gain or lose, in minor units of a currency with
/// two decimals: below 10, 100, 1,000, and more.
const EDGES: [i64; 3] = [1_000, 10_000, 100_000];
/// How many such groups there are: losses from the largest on, the same, gains.
pub const BANDS: usize = 2 * (EDGES.len() + 1) + 1;

/// Old and new amounts of one thing, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Both {
    /// Under the old plan.
    pub old: u128,
    /// Under the new one.
    pub new: u128,
}

/// Bills or people whose share falls, rises, or stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Winners {
    /// How many bear less, and how much less together.
    pub better: (u64, u128),
    /// How many bear more, and how much more together.
    pub worse: (u64, u128),
    /// How many bear the same.
    pub same: u64,
}

/// A group of bills.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// How many bills.
    pub bills: u64,
    /// What people bear of them.
    pub own: Both,
    /// What all payers pay of them.
    pub paid: Both,
    /// Bill by bill.
    pub winners: Winners,
}

/// A group of people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct People {
    /// Their bills.
    pub bills: Group,
    /// Person by person, over all bills.
    pub winners: Winners,
}

/// Bills that a plan does not decide.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusals {
    /// How many under the old plan.
    pub old: u64,
    /// How many under the new one alone.
    pub new: u64,
    /// How many by reason, in the words of the engine; the last of many reasons is `…`.
    pub reasons: BTreeMap<String, u64>,
}

#[derive(Clone, Copy)]
struct Person {
    class: Option<PersonClass>,
    gain: i64,
}

/// The counts.
#[derive(Clone)]
pub struct Tally {
    /// The currency of all amounts.
    pub currency: Currency,
    /// All bills that both plans decide.
    pub all: Group,
    /// By payer number.
    pub payers: [Both; PAYERS],
    /// Personal and family accounts.
    pub accounts: Both,
    /// Cash.
    pub cash: Both,
    /// By hospital level.
    pub levels: BTreeMap<HospitalLevel, Group>,
    /// By person class; nobody's class is `None`.
    pub classes: BTreeMap<Option<PersonClass>, People>,
    /// By person class and hospital level.
    pub cells: BTreeMap<(Option<PersonClass>, HospitalLevel), Group>,
    /// Everybody, person by person.
    pub people: Winners,
    /// How many people lose or gain how much; see [`band`].
    pub bands: [u64; BANDS],
    /// Bills that one of the plans does not decide; they are in no other count.
    pub refusals: Refusals,
    open: HashMap<PersonId, Person>,
}

impl Tally {
    /// Nothing is counted yet.
    #[must_use]
    pub fn new(currency: Currency) -> Self {
        Self {
            currency,
            all: Group::default(),
            payers: [Both::default(); PAYERS],
            accounts: Both::default(),
            cash: Both::default(),
            levels: BTreeMap::new(),
            classes: BTreeMap::new(),
            cells: BTreeMap::new(),
            people: Winners::default(),
            bands: [0; BANDS],
            refusals: Refusals::default(),
            open: HashMap::new(),
        }
    }

    /// How many bills were looked at, refused ones among them.
    #[must_use]
    pub const fn bills(&self) -> u64 {
        self.all.bills + self.refusals.old + self.refusals.new
    }

    /// How many people had a bill that counts.
    #[must_use]
    pub const fn person_count(&self) -> u64 {
        self.people.better.0 + self.people.worse.0 + self.people.same
    }

    /// Counts a bill under both plans.
    pub fn count(&mut self, bill: &PastBill, outcomes: (Outcome, Outcome)) {
        let (old, new) = match outcomes {
            (Outcome::Split(old), Outcome::Split(new)) => (old, new),
            (Outcome::Refused(error), _) => {
                self.refusals.old += 1;
                return self.refuse(&error.to_string());
            }
            (Outcome::Split(_), Outcome::Refused(error)) => {
                self.refusals.new += 1;
                return self.refuse(&error.to_string());
            }
        };
        for (at, sum) in self.payers.iter_mut().enumerate() {
            sum.add(old.payers[at], new.payers[at]);
        }
        self.accounts.add(old.accounts, new.accounts);
        self.cash.add(old.cash, new.cash);
        let class = class_of(bill.facts.person_classes);
        let level = bill.facts.hospital_level;
        self.all.count(&old, &new);
        self.levels.entry(level).or_default().count(&old, &new);
        self.classes.entry(class).or_default().bills.count(&old, &new);
        self.cells.entry((class, level)).or_default().count(&old, &new);
        let person = self.open.entry(bill.person).or_insert(Person { class, gain: 0 });
        person.gain += gain(&old, &new);
    }

    fn refuse(&mut self, reason: &str) {
        let known =
            self.refusals.reasons.len() < REASONS_MAX || self.refusals.reasons.contains_key(reason);
        let reason = if known { reason } else { "…" };
        *self.refusals.reasons.entry(reason.to_owned()).or_default() += 1;
    }

    /// No bill of anybody seen so far follows: their gains and losses are final.
    pub fn close_people(&mut self) {
        for (_, person) in self.open.drain() {
            self.people.count(person.gain);
            self.classes.entry(person.class).or_default().winners.count(person.gain);
            self.bands[band(person.gain)] += 1;
        }
    }

    /// What this payer pays.
    #[must_use]
    pub fn payer(&self, payer: Payer) -> Both {
        self.payers[usize::from(payer.number())]
    }
}

impl Both {
    const fn add(&mut self, old: u64, new: u64) {
        self.old += old as u128;
        self.new += new as u128;
    }

    /// New less old.
    #[must_use]
    pub const fn difference(&self) -> i128 {
        self.new.cast_signed() - self.old.cast_signed()
    }
}

impl Group {
    fn count(&mut self, old: &Shares, new: &Shares) {
        self.bills += 1;
        self.own.add(old.own(), new.own());
        self.paid.add(old.payers.iter().sum(), new.payers.iter().sum());
        self.winners.count(gain(old, new));
    }
}

impl Winners {
    fn count(&mut self, gain: i64) {
        let amount = u128::from(gain.unsigned_abs());
        match gain {
            0 => self.same += 1,
            1.. => self.better = (self.better.0 + 1, self.better.1 + amount),
            _ => self.worse = (self.worse.0 + 1, self.worse.1 + amount),
        }
    }
}

/// How much less the person bears under the new plan.
fn gain(old: &Shares, new: &Shares) -> i64 {
    old.own().cast_signed() - new.own().cast_signed()
}

/// The group that somebody with this gain belongs to: 0 for the largest losses, the middle for the
/// same, the last for the largest gains.
fn band(gain: i64) -> usize {
    let middle = BANDS / 2;
    let size = EDGES.iter().filter(|edge| gain.abs() >= **edge).count() + 1;
    match gain {
        0 => middle,
        1.. => middle + size,
        _ => middle - size,
    }
}

/// The group under which somebody of these classes is counted.
fn class_of(classes: PersonClasses) -> Option<PersonClass> {
    CLASS_ORDER.into_iter().find(|class| classes.contains(*class))
}
