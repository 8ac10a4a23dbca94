//! What may happen to a record.

use alloc::sync::Arc;
use primitives::{Amount, CivilDate, OrganisationId, Party, PersonId, Timestamp, detail};

use super::rejection;
use super::season::{PremiumSeason, SeasonId};
use super::table::{
    LOCKS, PayerLock, PremiumRecord, PremiumStanding, RECORDS, RecordLock, SEASONS,
};
use super::tally::put_record;
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::rejection::{Rejection, require};
use crate::modules::network;
use crate::modules::organisation::{self, Scope};

/// Milliseconds of a minute.
const MINUTE_MILLIS: u64 = 60_000;

/// The season.
///
/// # Errors
/// `unknown_premium_season`.
pub(super) fn require_season(
    state: &(impl Read + ?Sized),
    id: SeasonId,
) -> Result<Arc<PremiumSeason>, Rejection> {
    SEASONS.shared(state, &id).ok_or_else(|| rejection::UNKNOWN_SEASON.with(id.year))
}

/// The person's record.
///
/// # Errors
/// `premium_not_registered`.
pub(super) fn require_record(
    state: &(impl Read + ?Sized),
    season: SeasonId,
    person: PersonId,
) -> Result<PremiumRecord, Rejection> {
    RECORDS.get(state, &(season, person)).ok_or_else(|| rejection::NOT_REGISTERED.reject())
}

/// The channel signed: a clerk who looks at somebody, or a machine that attests who signed in.
///
/// # Errors
/// As `organisation::view::require_signed` for scope `clerk`.
pub(super) fn require_channel(
    context: &Context<'_>,
    state: &(impl Read + ?Sized),
    channel: OrganisationId,
) -> Result<(), Rejection> {
    let by = |scope| organisation::view::require_signed(context, state, channel, scope);
    by(Scope::Clerk).or_else(|missing| by(Scope::Attest).map_err(|_| missing)).map(|_| ())
}

/// Today in the region's calendar.
///
/// # Errors
/// `unknown_region`.
pub(super) fn today(
    context: &Context<'_>,
    state: &(impl Read + ?Sized),
    season: SeasonId,
) -> Result<CivilDate, Rejection> {
    let region = network::view::require_region(state, season.region)?;
    Ok(context.day(region.settings.utc_offset_minutes))
}

impl PremiumRecord {
    /// The lock that counts at this instant.
    #[must_use]
    pub fn lock_at(&self, now: Timestamp) -> Option<RecordLock> {
        match self.standing {
            PremiumStanding::Locked(lock) if now < lock.until => Some(lock),
            _ => None,
        }
    }

    /// This payer may pay it now, or, where none is named, somebody who has no lock on it.
    ///
    /// # Errors
    /// `premium_locked` with the end of the lock, `premium_payment_running`,
    /// `premium_already_paid`.
    pub(super) fn require_payable(
        &self,
        now: Timestamp,
        payer: Option<Party>,
    ) -> Result<(), Rejection> {
        match self.standing {
            PremiumStanding::Due => Ok(()),
            PremiumStanding::Locked(lock) => {
                require(now >= lock.until || payer == Some(lock.payer), || {
                    rejection::LOCKED.with(detail!("until {until}", until = lock.until))
                })
            }
            PremiumStanding::Paying { .. } | PremiumStanding::GoingBack { .. } => {
                Err(rejection::PAYMENT_RUNNING.reject())
            }
            PremiumStanding::Paid { .. } => Err(rejection::ALREADY_PAID.reject()),
        }
    }
}

/// Locks a record for a payer. Whoever holds the lock already moves it to another channel: its end
/// stays, so that nobody prolongs a lock by asking again.
pub(super) fn lock(
    state: &mut Overlay<'_>,
    now: Timestamp,
    (season, terms): (SeasonId, &PremiumSeason),
    (person, day): (PersonId, CivilDate),
    wanted: (Party, OrganisationId),
) -> Result<RecordLock, Rejection> {
    let (payer, channel) = wanted;
    let mut record = require_record(state, season, person)?;
    record.require_payable(now, Some(payer))?;
    let until = match record.lock_at(now) {
        Some(lock) => lock.until,
        None => {
            let before =
                record.locks.filter(|(last, _)| *last == day).map_or(0, |(_, count)| count);
            require(before < terms.locks_per_record, || {
                rejection::LOCKED_TOO_OFTEN.with(detail!(
                    "{most} times on {day}",
                    most = terms.locks_per_record,
                    day
                ))
            })?;
            record.locks = Some((day, before.saturating_add(1)));
            let until =
                now.plus_millis(u64::from(terms.lock_minutes).saturating_mul(MINUTE_MILLIS));
            note_lock(state, now, terms, payer, PayerLock { season, person, until })?;
            until
        }
    };
    let lock = RecordLock { payer, channel, until };
    record.standing = PremiumStanding::Locked(lock);
    put_record(state, (season, person), &record, Amount::ZERO);
    Ok(lock)
}

fn note_lock(
    state: &mut Overlay<'_>,
    now: Timestamp,
    terms: &PremiumSeason,
    payer: Party,
    lock: PayerLock,
) -> Result<(), Rejection> {
    let mut locks = LOCKS.get(state, &payer).unwrap_or_default();
    locks.retain(|one| now < one.until);
    require(locks.len() < usize::from(terms.locks_per_payer), || {
        let next = locks.iter().map(|one| one.until).min().unwrap_or(now);
        rejection::TOO_MANY_LOCKS.with(detail!(
            "the first of {count} locks ends at {next}",
            count = locks.len(),
            next
        ))
    })?;
    locks.push(lock);
    LOCKS.put(state, &payer, &locks);
    Ok(())
}

/// Takes a lock out of its payer's row.
pub(super) fn forget_lock(
    state: &mut Overlay<'_>,
    payer: Party,
    season: SeasonId,
    person: PersonId,
) {
    let Some(mut locks) = LOCKS.get(state, &payer) else { return };
    locks.retain(|one| one.season != season || one.person != person);
    if locks.is_empty() {
        LOCKS.remove(state, &payer);
    } else {
        LOCKS.put(state, &payer, &locks);
    }
}
