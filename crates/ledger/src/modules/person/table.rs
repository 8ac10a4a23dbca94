//! Rows of persons: one small row each, and the index that keeps one natural person to one id.

use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{
    Amount, CivilDate, Hash, Party, Period, PersonId, PublicKey, RegionId, Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::limits::LimitsRow;
use super::recovery::{Recovery, RecoveryRules};
use crate::kernel::overlay::Read;
use crate::kernel::table::Table;
use crate::readers::Readers;

pub(super) const PERSONS: Table<PersonId, PersonRow> = Table::new(0x0300);
/// Says that a blind index is taken, and by whom; there is nothing else in it.
pub(super) const BLIND_INDICES: Table<Hash, PersonId> = Table::new(0x0301);
/// How people of a region get back into their wallets.
pub(super) const RECOVERY_RULES: Table<RegionId, RecoveryRules> = Table::new(0x0302);
/// The recovery of a person that was asked for last, until it is completed.
pub(super) const RECOVERIES: Table<PersonId, Recovery> = Table::new(0x0303);
/// What is paid for a person without a second person.
pub(super) const LIMITS: Table<PersonId, LimitsRow> = Table::new(0x0304);

/// How many keys a person has at the most. Our own limit: it bounds the row.
pub const KEYS_MAX: usize = 8;
/// How many keys a person may bring along when enrolled. Our own limit: it bounds the work of an
/// import.
pub const FIRST_KEYS_MAX: usize = 2;
/// How many guardians a person has at the most. Our own limit: it bounds the row.
pub const GUARDIANS_MAX: usize = 3;

/// A natural person. Nothing in it says who that is.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct PersonRow {
    /// The home region: its bureau serves the person at its desks, its calendar and limits count.
    pub region: RegionId,
    /// A salted commitment to the identity record that bureau and authority keep.
    pub commitment: Hash,
    /// Whether the person can still act and be cared for.
    pub status: PersonStatus,
    /// The person's own keys, at most [`KEYS_MAX`].
    pub keys: Vec<PersonKey>,
    /// Who may act for the person, at most [`GUARDIANS_MAX`].
    pub guardians: Vec<Guardianship>,
    /// The lock, while there is one.
    pub lock: Option<Lock>,
    /// The card, if there is one.
    pub card: Option<Card>,
    /// What the person's own keys together spent on the last day on which any of them did. It is
    /// kept for all of them at once: else whoever holds one key could make others and spend the
    /// day's limit with each (test `new_keys_do_not_spend_the_days_limit_again`).
    pub spent: Option<DaySpending>,
}

/// Whether a person can still act and be cared for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum PersonStatus {
    /// Yes.
    Active,
    /// Death or leaving for good: nothing after the last day counts.
    Closed {
        /// The last day on which care counts.
        last_day: CivilDate,
    },
}

/// What kind of key it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyGrade {
    /// A passkey (P-256): signs only inside a WebAuthn assertion made on a page of this network.
    Passkey,
    /// A key of a device that has no passkey.
    Device,
}

/// One of a person's keys.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct PersonKey {
    /// The public key.
    pub key: PublicKey,
    /// What kind it is.
    pub grade: KeyGrade,
    /// The most one payment may take, in minor units.
    pub payment_max: Amount,
    /// Up to how much the person's keys together may have spent on a day when this one pays, in
    /// minor units.
    pub day_max: Amount,
    /// When it was added, by block time.
    pub added_at: Timestamp,
}

/// What was spent on one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct DaySpending {
    /// The day, in the calendar of the home region.
    pub day: CivilDate,
    /// How much, in minor units.
    pub amount: Amount,
}

/// Who may act for a person, and when.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Guardianship {
    /// The guardian.
    pub guardian: PersonId,
    /// From when to when.
    pub period: Period,
}

/// A lock: it stops the person's money, cards, sharing and new devices, and never eligibility.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Lock {
    /// Who locked: the person, a guardian, or the bureau.
    pub by: Party,
    /// Since when, by block time.
    pub since: Timestamp,
    /// When the person's own key asked for the unlock, if it did.
    pub unlock_asked: Option<Timestamp>,
}

/// A card with a PIN, which the home region's bureau checks online.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Card {
    /// A salted commitment to the card's number.
    pub commitment: Hash,
    /// Whether it is blocked for good; another card takes its place.
    pub blocked: bool,
    /// Wrong PINs in a row.
    pub pin_failures: u8,
    /// What was spent with card and PIN on the last day on which they spent.
    pub spent: Option<DaySpending>,
}

impl DaySpending {
    /// What `spent` says of this day.
    #[must_use]
    pub fn on(spent: Option<Self>, day: CivilDate) -> Amount {
        spent.filter(|spent| spent.day == day).map_or(Amount::ZERO, |spent| spent.amount)
    }
}

impl PersonRow {
    /// One of the person's keys.
    #[must_use]
    pub fn key(&self, key: &PublicKey) -> Option<&PersonKey> {
        self.keys.iter().find(|one| one.key == *key)
    }

    /// Whether this person is a guardian on this day.
    #[must_use]
    pub fn is_guarded_by(&self, guardian: PersonId, day: CivilDate) -> bool {
        self.guardians.iter().any(|one| one.guardian == guardian && one.period.contains(day))
    }
}

/// Who may read them: those who care for the person; of a recovery, which names guardians, and
/// of limits, which name the approver, the home region's bureau; the rules everybody. The blind
/// indices are nobody's.
pub(super) fn readers(_: &dyn Read, key: &[u8]) -> Option<Readers> {
    if RECOVERY_RULES.is_key(key) {
        return Some(Readers::Everybody);
    }
    let person = PERSONS.key_of(key).map(Readers::Carers);
    let second = RECOVERIES.key_of(key).or_else(|| LIMITS.key_of(key));
    person.or_else(|| second.map(Readers::HomeBureau))
}
