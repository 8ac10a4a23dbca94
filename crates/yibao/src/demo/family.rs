//! One made-up family whose keys lie in the folder, so that everybody can see the ledger through a
//! person's eyes.

use std::path::Path;

use anyhow::Result;
use ledger::State;
use ledger::modules::{person, visit::view};
use primitives::{CivilDate, Hash, Party, Timestamp};

use super::folder::{Member, keep_family};
use super::people;
use super::population::{EMPLOYEE, Population};
use super::region::Settlement;

/// The member around whom the family is chosen: somebody with a device key, an unlocked wallet, a
/// settled visit, and the most money left on the personal account. A place among the people.
pub fn choose(
    population: &Population,
    settlement: &Settlement,
    state: &State,
    now: Timestamp,
) -> Option<usize> {
    let has_key = |place: &usize| {
        let resident = &population.people[*place];
        let is_locked =
            person::view::person(state, resident.id).is_none_or(|row| row.lock.is_some());
        !is_locked
            && resident.scheme == EMPLOYEE
            && people::device_secret(resident, &Hash::default()).is_some()
    };
    let left = |place: &usize| view::personal_account(state, population.people[*place].id, now);
    settlement.shown.keys().copied().filter(has_key).max_by_key(left)
}

/// Writes down the family of the person at this place: everybody in the household, the person
/// first.
///
/// # Errors
/// When it cannot be written.
pub fn keep(
    data: &Path,
    population: &Population,
    (place, day): (Option<usize>, CivilDate),
    seed: &Hash,
) -> Result<()> {
    let Some(chosen) = place.map(|place| &population.people[place]) else { return Ok(()) };
    let others = population
        .people
        .iter()
        .filter(|one| one.household == chosen.household && one.id != chosen.id);
    let members = std::iter::once(chosen).chain(others).map(|one| {
        let member = Member {
            name: one.name.clone(),
            party: Party::Person(one.id).to_string(),
            scheme: one.scheme.0,
            key: None,
        };
        (member, people::device_secret(one, seed))
    });
    keep_family(data, day, members.collect())
}
