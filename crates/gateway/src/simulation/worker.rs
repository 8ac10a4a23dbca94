//! Adjudicates bills under one plan, with running amounts of its own.

use std::collections::HashMap;

use benefit::{
    AccumulatorScope, Accumulators, Adjudication, AdjudicationError, CategorySums, Plan,
    adjudicate, adjudicate_stay,
};
use primitives::{CivilDate, FamilyId, PersonId};

use super::bill::{PastBill, years_later};

/// How many payers there can be: their numbers are below this.
pub const PAYERS: usize = 16;

/// Who pays a bill, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shares {
    /// What each payer pays, by its number.
    pub payers: [u64; PAYERS],
    /// What the personal account and family accounts pay.
    pub accounts: u64,
    /// What is left in cash.
    pub cash: u64,
}

/// What becomes of a bill under a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is split.
    Split(Shares),
    /// The plan does not decide it.
    Refused(AdjudicationError),
}

/// Adjudicates under one plan.
pub struct Worker<'a> {
    plan: &'a Plan,
    people: HashMap<PersonId, Accumulators>,
    families: HashMap<FamilyId, Accumulators>,
}

impl<'a> Worker<'a> {
    /// Nobody has had a bill yet.
    #[must_use]
    pub fn new(plan: &'a Plan) -> Self {
        Self { plan, people: HashMap::new(), families: HashMap::new() }
    }

    /// No bill of anybody seen so far follows.
    pub fn forget_people(&mut self) {
        self.people.clear();
        self.families.clear();
    }

    /// Adjudicates the next bill and counts it. A bill from before or after the plan's days is
    /// moved by whole years to where the plan holds.
    pub fn adjudicate(&mut self, bill: &PastBill) -> Outcome {
        let years = match bill.sums.span() {
            Some((_, last)) => years_to(self.plan, last),
            None => 0,
        };
        let moved = match years {
            0 => None,
            years => match years_later(&bill.sums, years) {
                Ok(moved) => Some(moved),
                Err(_) => return Outcome::Refused(AdjudicationError::TooLarge),
            },
        };
        let sums = moved.as_ref().unwrap_or(&bill.sums);
        let mut seen = self.seen(bill);
        match split(self.plan, sums, bill, &seen) {
            Ok(parts) => {
                let mut shares = Shares::default();
                for part in &parts {
                    shares.add(part);
                    if let Err(error) = count(&mut seen, part) {
                        return Outcome::Refused(error);
                    }
                }
                self.keep(bill, seen);
                Outcome::Split(shares)
            }
            Err(error) => Outcome::Refused(error),
        }
    }

    /// The person's own running amounts, and the family's.
    fn seen(&self, bill: &PastBill) -> Accumulators {
        let own = self.people.get(&bill.person);
        let Some(family) = bill.family else { return own.cloned().unwrap_or_default() };
        let shared = self.families.get(&family).cloned().unwrap_or_default();
        own.map_or(shared.clone(), |own| {
            own.filter(|key| key.scope == AccumulatorScope::Person).merged(&shared)
        })
    }

    fn keep(&mut self, bill: &PastBill, seen: Accumulators) {
        let lasting = seen.filter(|key| !key.period.is_visit());
        let Some(family) = bill.family else {
            self.people.insert(bill.person, lasting);
            return;
        };
        let shared = lasting.filter(|key| key.scope == AccumulatorScope::Family);
        self.families.insert(family, shared);
        let alone = self.people.get(&bill.person).cloned().unwrap_or_default();
        let alone = alone.filter(|key| key.scope == AccumulatorScope::Family);
        let own = lasting.filter(|key| key.scope == AccumulatorScope::Person).merged(&alone);
        self.people.insert(bill.person, own);
    }
}

impl Shares {
    fn add(&mut self, part: &Adjudication) {
        for share in &part.payers {
            if let Some(sum) = self.payers.get_mut(usize::from(share.payer.number())) {
                *sum += share.amount.minor();
            }
        }
        let family = part.family_accounts.iter().map(|share| share.amount.minor());
        self.accounts += part.personal_account.minor() + family.sum::<u64>();
        self.cash += part.cash.minor();
    }

    /// What the person bears: accounts and cash.
    #[must_use]
    pub const fn own(&self) -> u64 {
        self.accounts + self.cash
    }
}

fn split(
    plan: &Plan,
    sums: &CategorySums,
    bill: &PastBill,
    seen: &Accumulators,
) -> Result<Vec<Adjudication>, AdjudicationError> {
    match adjudicate(plan, sums, &bill.facts, seen) {
        Ok(one) => Ok(vec![one]),
        Err(AdjudicationError::SpansPeriods { .. }) => {
            let parts = adjudicate_stay(&[plan], sums, &bill.facts, seen)?;
            Ok(parts.into_iter().map(|part| part.adjudication).collect())
        }
        Err(error) => Err(error),
    }
}

fn count(seen: &mut Accumulators, part: &Adjudication) -> Result<(), AdjudicationError> {
    seen.apply(&part.changes).map_err(|_| AdjudicationError::TooLarge)
}

/// By how many years a day must move to lie within the plan's days: to the first year in which it
/// does, or not at all when it lies in them already or never would.
fn years_to(plan: &Plan, day: CivilDate) -> i32 {
    let valid = plan.valid();
    if valid.contains(day) {
        return 0;
    }
    let same = |year| {
        CivilDate::from_ymd(year, day.month(), day.day())
            .or_else(|| CivilDate::from_ymd(year, day.month(), 28))
    };
    let first = valid.from.year();
    let found = (first..=first + 1).find(|year| same(*year).is_some_and(|at| valid.contains(at)));
    found.map_or(0, |year| year - day.year())
}
