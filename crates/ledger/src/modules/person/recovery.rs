//! The recovery of a person who lost every device: a region's rules, and the one that waits.
//!
//! A new key takes the place of all others once enough guardians agreed to this very key, a time
//! has passed in which any key that the person has and any guardian could stop it, and the bureau
//! and an identity authority sign. Nobody of them recovers anything without the others.

use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{CivilDate, Party, PersonId, Timestamp, detail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::new_key::NewKey;
use super::table::{GUARDIANS_MAX, PersonRow, RECOVERIES};
use super::{rejection, view};
use crate::kernel::overlay::Read;
use crate::kernel::rejection::{Rejection, require};

const HOUR_MILLIS: u64 = 3_600_000;
/// The longest waiting time, in hours: two weeks. Our own limit.
const WAITING_HOURS_MAX: u16 = 336;
/// For how long guardians may agree after it was asked for, and for how long a desk may complete it
/// after the waiting, each in milliseconds: thirty days. Our own limit.
const OPEN_MILLIS: u64 = 30 * 24 * HOUR_MILLIS;

/// How people get back into their wallets without any old key.
///
/// The figures are data of the region; those who govern set them, so that no bureau shortens the
/// time alone in which it can be stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecoveryRules {
    /// How many guardians must agree, 1 to 3.
    #[schemars(range(min = 1, max = 3))]
    pub guardians_min: u8,
    /// How long it then waits and can be stopped, in hours, 0 to 336.
    #[schemars(range(max = 336))]
    pub waiting_hours: u16,
}

impl RecoveryRules {
    /// What can be said of the rules alone.
    ///
    /// # Errors
    /// `invalid_recovery_rules`.
    pub(super) fn check(&self) -> Result<(), Rejection> {
        let guardians = usize::from(self.guardians_min);
        let holds =
            (1..=GUARDIANS_MAX).contains(&guardians) && self.waiting_hours <= WAITING_HOURS_MAX;
        require(holds, || {
            rejection::INVALID_RECOVERY_RULES.with(detail!("use 1 to 3 guardians, 0 to 336 hours"))
        })
    }
}

/// A recovery that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Recovery {
    /// The key that is to take the place of all others.
    pub new: NewKey,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// The rules of that moment: those that come later do not shorten what waits.
    pub rules: RecoveryRules,
    /// Who were guardians at that moment; nobody who becomes one later agrees.
    pub guardians: Vec<PersonId>,
    /// Who agreed so far, in the order of time.
    pub agreed: Vec<RecoveryAgreement>,
    /// When a key of the person or a guardian stopped it, if so.
    pub stopped_at: Option<Timestamp>,
}

/// How far a recovery has come on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecoveryStanding {
    /// How many agreed who are guardians still.
    pub agreed: usize,
    /// From when on it may be completed, if those are enough: the waiting time after the last one
    /// of them that was needed.
    pub ready_from: Option<Timestamp>,
}

/// A guardian's word for a recovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct RecoveryAgreement {
    /// Who.
    pub guardian: PersonId,
    /// When.
    pub at: Timestamp,
}

impl Recovery {
    /// One that is asked for now.
    pub(super) const fn asked(
        new: NewKey,
        rules: RecoveryRules,
        guardians: Vec<PersonId>,
        now: Timestamp,
    ) -> Self {
        Self { new, asked_at: now, rules, guardians, agreed: Vec::new(), stopped_at: None }
    }

    /// Until when it comes to something: thirty days for the guardians, and as many for the desk
    /// from the end of the waiting time on.
    #[must_use]
    pub fn open_until(&self) -> Timestamp {
        let from = self.enough(self.agreed.iter()).unwrap_or(self.asked_at);
        from.plus_millis(OPEN_MILLIS)
    }

    /// Whether it can still come to something at this instant.
    #[must_use]
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.stopped_at.is_none() && now < self.open_until()
    }

    /// Until when nobody asks again, if somebody stopped it: as long as it would have waited.
    #[must_use]
    pub fn paused_until(&self) -> Option<Timestamp> {
        self.stopped_at.map(|at| self.after(at))
    }

    /// How far it has come on this day: whoever stepped back or whose time is over counts no more.
    #[must_use]
    pub fn standing(&self, row: &PersonRow, today: CivilDate) -> RecoveryStanding {
        let stand = || self.agreed.iter().filter(|one| row.is_guarded_by(one.guardian, today));
        RecoveryStanding { agreed: stand().count(), ready_from: self.enough(stand()) }
    }

    /// Notes that a guardian agrees.
    pub(super) fn agree(&mut self, guardian: PersonId, now: Timestamp) {
        self.agreed.push(RecoveryAgreement { guardian, at: now });
    }

    /// When the waiting is over after the last of these agreements that is needed.
    fn enough<'a>(
        &self,
        mut agreed: impl Iterator<Item = &'a RecoveryAgreement>,
    ) -> Option<Timestamp> {
        let last = usize::from(self.rules.guardians_min).checked_sub(1)?;
        agreed.nth(last).map(|one| self.after(one.at))
    }

    fn after(&self, instant: Timestamp) -> Timestamp {
        let hours = u64::from(self.rules.waiting_hours);
        instant.plus_millis(hours.saturating_mul(HOUR_MILLIS))
    }
}

/// The person's recovery that is open now.
pub(super) fn require_open(
    state: &(impl Read + ?Sized),
    person: PersonId,
    now: Timestamp,
) -> Result<Recovery, Rejection> {
    let found = RECOVERIES.get(state, &person).filter(|one| one.is_open(now));
    found.ok_or_else(|| rejection::NO_RECOVERY.with(person))
}

/// Who are guardians of somebody on this day.
pub(super) fn guardians_on(row: &PersonRow, day: CivilDate) -> Vec<PersonId> {
    let today = row.guardians.iter().filter(|one| one.period.contains(day));
    today.map(|one| one.guardian).collect()
}

/// Whom an event about a recovery concerns besides person and bureau: every guardian.
pub(super) fn concerned(
    state: &(impl Read + ?Sized),
    person: PersonId,
    row: &PersonRow,
) -> Vec<Party> {
    let guardians = row.guardians.iter().map(|one| Party::Person(one.guardian));
    view::concerned(state, person, row, guardians)
}
