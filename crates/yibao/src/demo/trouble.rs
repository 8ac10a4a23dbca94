//! What goes wrong on purpose, so that refusals of every kind are seen: a person who has locked
//! the wallet, a wrong PIN, somebody whom nobody enrolled, a fund at its floor.
//!
//! Small limits of keys ([`super::people`]) and short bank accounts ([`super::chinese`]) are part
//! of the region itself.

use std::collections::BTreeSet;

use anyhow::Result;
use benefit::{Payer, VisitType};
use ledger::modules::fund::SetFundFloor;
use ledger::modules::person::{Actor as By, LockPerson, ReportPinFailure};
use primitives::{Amount, FundId, PersonId, VisitId, sha256_parts};

use super::actor::Actor;
use super::chamber::{Chamber, FUND_OPENING};
use super::desk::{Patient, Visit};
use super::founding::PIN_FAILURES_MAX;
use super::population::REGION;

/// Something that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// The person locks the wallet before the visit.
    Locked,
    /// The PIN is wrong until the card pays no more.
    WrongPin,
    /// Nobody has enrolled the person.
    Stranger,
    /// The pool may not fall below what it has.
    FloorReached,
}

/// One visit in so many meets each kind of trouble.
const VISITS_PER_TROUBLE: usize = 1_500;

/// Takes the last fitting visits out of a year and says what goes wrong at each.
pub fn script(visits: &mut Vec<Visit>, patients: &[Patient]) -> Vec<(Trouble, Visit)> {
    let each = visits.len().div_ceil(VISITS_PER_TROUBLE);
    let mut taken = BTreeSet::new();
    let mut troubles = Vec::new();
    for trouble in [Trouble::Locked, Trouble::WrongPin, Trouble::Stranger, Trouble::FloorReached] {
        for _ in 0..each {
            let fits = |visit: &Visit| {
                fits(trouble, visit, &patients[visit.patient]) && !taken.contains(&visit.patient)
            };
            let Some(at) = visits.iter().rposition(fits) else { break };
            let mut visit = visits.remove(at);
            taken.insert(visit.patient);
            if trouble == Trouble::Stranger {
                visit.subject.person = stranger(visit.id);
            }
            troubles.push((trouble, visit));
        }
    }
    troubles
}

fn fits(trouble: Trouble, visit: &Visit, patient: &Patient) -> bool {
    let has_key = patient.actor.is_some();
    match trouble {
        Trouble::Locked => has_key && visit.subject.visit_type == VisitType::Pharmacy,
        Trouble::WrongPin => !has_key,
        Trouble::Stranger => true,
        Trouble::FloorReached => visit.subject.visit_type == VisitType::Inpatient,
    }
}

fn stranger(visit: VisitId) -> PersonId {
    let hash = sha256_parts(&[b"yibao/demo-stranger/v1", &visit.0]);
    let mut id = [0; 16];
    id.copy_from_slice(&hash.0[..16]);
    PersonId(id)
}

/// Lets it go wrong, takes the visit to the desk, and mends what is the region's own.
///
/// # Errors
/// What the demonstration cannot go on with.
pub fn play(
    trouble: Trouble,
    chamber: &Chamber<'_>,
    (bureau, clerk): (&Actor, &Actor),
    visit: &Visit,
    patient: &Patient,
    settle: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let person = visit.subject.person;
    match (trouble, &patient.actor) {
        (Trouble::Locked, Some(actor)) => {
            chamber.act(&[actor], &LockPerson { person, by: By::OwnKey })?;
        }
        (Trouble::WrongPin, _) => {
            for _ in 0..PIN_FAILURES_MAX {
                chamber.act(&[clerk], &ReportPinFailure { person })?;
            }
        }
        (Trouble::FloorReached, _) => set_pool_floor(chamber, bureau, FUND_OPENING)?,
        _ => {}
    }
    settle()?;
    if trouble == Trouble::FloorReached {
        set_pool_floor(chamber, bureau, 0)?;
    }
    Ok(())
}

fn set_pool_floor(chamber: &Chamber<'_>, bureau: &Actor, floor: u64) -> Result<()> {
    let fund = FundId(u16::from(Payer::PooledFund.number()));
    let floor = SetFundFloor { region: REGION, fund, floor: Amount::from_minor(floor) };
    chamber.act(&[bureau], &floor).map(|_| ())
}
