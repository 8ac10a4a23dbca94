//! How many premiums of a season stand where, and what they come to: counted whenever a record
//! moves, since nobody walks through all records.
//!
//! Invariant: the counts are those of the records (test
//! `the_counts_are_those_of_the_records_after_every_move`).

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, PersonId, Timestamp};

use super::season::SeasonId;
use super::table::{LOCK_COUNTS, PremiumRecord, PremiumStanding, RECORDS, TALLIES};
use crate::kernel::overlay::{Overlay, Read};

/// Milliseconds of a minute.
const MINUTE_MILLIS: u64 = 60_000;
/// The longest lock in minutes: a day.
pub(super) const LOCK_MINUTES_MAX: u16 = 1_440;

/// Premiums of a class that stand at the same place, and what was taken for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct TallyPart {
    /// How many.
    pub persons: u32,
    /// What was taken for them.
    pub amount: Amount,
}

/// Where the premiums of a class stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct PremiumTally {
    /// Not paid, locked ones among them.
    pub due: TallyPart,
    /// The payment waits for the executor's word.
    pub paying: TallyPart,
    /// Paid.
    pub paid: TallyPart,
    /// Nothing was due.
    pub waived: TallyPart,
    /// Paid and going back.
    pub going_back: TallyPart,
}

impl PremiumTally {
    const fn part(&mut self, standing: PremiumStanding) -> &mut TallyPart {
        match standing {
            PremiumStanding::Due | PremiumStanding::Locked(_) => &mut self.due,
            PremiumStanding::Paying { .. } => &mut self.paying,
            PremiumStanding::Paid { payment: Some(_), .. } => &mut self.paid,
            PremiumStanding::Paid { payment: None, .. } => &mut self.waived,
            PremiumStanding::GoingBack { .. } => &mut self.going_back,
        }
    }
}

/// What a payment took for a premium that stands here, given what it takes for the person.
const fn taken(standing: PremiumStanding, amount: Amount) -> Amount {
    match standing {
        PremiumStanding::Due
        | PremiumStanding::Locked(_)
        | PremiumStanding::Paid { payment: None, .. } => Amount::ZERO,
        _ => amount,
    }
}

/// Keeps a record, and counts it where it stands now and no longer where it stood. `amount` is what
/// the payment that it stands or stood in takes for the person.
pub(super) fn put_record(
    state: &mut Overlay<'_>,
    (season, person): (SeasonId, PersonId),
    record: &PremiumRecord,
    amount: Amount,
) {
    let key = (season, person);
    if let Some(before) = RECORDS.get(state, &key) {
        change(state, (season, before.class), before.standing, |part| {
            part.persons = part.persons.checked_sub(1)?;
            part.amount = part.amount.checked_sub(taken(before.standing, amount))?;
            Some(())
        });
        change_locks(state, season, before.standing, |count| count.checked_sub(1));
    }
    change(state, (season, record.class), record.standing, |part| {
        part.persons = part.persons.checked_add(1)?;
        part.amount = part.amount.checked_add(taken(record.standing, amount))?;
        Some(())
    });
    change_locks(state, season, record.standing, |count| count.checked_add(1));
    RECORDS.put(state, &key, record);
}

fn change(
    state: &mut Overlay<'_>,
    key: (SeasonId, u8),
    standing: PremiumStanding,
    edit: impl FnOnce(&mut TallyPart) -> Option<()>,
) {
    let mut tally = TALLIES.get(state, &key).unwrap_or_default();
    edit(tally.part(standing)).expect("what leaves a place was counted there when it came");
    TALLIES.put(state, &key, &tally);
}

/// Locks are counted by the minute in which they end, so that those that have ended are left out
/// without anybody's doing.
fn change_locks(
    state: &mut Overlay<'_>,
    season: SeasonId,
    standing: PremiumStanding,
    edit: impl FnOnce(u32) -> Option<u32>,
) {
    let PremiumStanding::Locked(lock) = standing else { return };
    let key = (season, minute_of(lock.until));
    let count = edit(LOCK_COUNTS.get(state, &key).unwrap_or(0));
    match count.expect("a lock that goes was counted when it came") {
        0 => LOCK_COUNTS.remove(state, &key),
        count => LOCK_COUNTS.put(state, &key, &count),
    }
}

const fn minute_of(instant: Timestamp) -> u64 {
    instant.millis() / MINUTE_MILLIS
}

/// How many premiums of the season are locked: all whose lock does not end before this minute.
pub(super) fn locked(state: &(impl Read + ?Sized), season: SeasonId, now: Timestamp) -> u64 {
    let first = minute_of(now);
    let last = first.saturating_add(u64::from(LOCK_MINUTES_MAX));
    (first..=last)
        .filter_map(|minute| LOCK_COUNTS.get(state, &(season, minute)))
        .map(u64::from)
        .fold(0, u64::saturating_add)
}
