//! Transfers between wallets: what waits stands on the sender's account as held, moves when the
//! receiver claims it, and is the sender's again by itself when nobody did.
//!
//! Invariants: what is held for transfers on an account is what waits of its owner's transfers
//! (test `what_waits_is_what_is_held`); the account that transfers go through is zero after every
//! transaction.

use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, CivilDate, Currency, Hash, Party, PersonId, RegionId, Timestamp};
use proof::receipt::FieldValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rejection;
use super::table::{TRANSFER_LISTS, TRANSFER_RULES, TRANSFERS};
use super::transfer_rules::TransferRules;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::{Outcome, amount_value};
use crate::kernel::rejection::{Rejection, require};
use crate::modules::{interregion, network, person};

/// How many of the last transfers a person can look up on each side. Our own limit: it bounds the
/// row.
pub(super) const LISTED_MAX: usize = 32;

/// Money on its way from one wallet to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Transfer {
    /// Whose account gives.
    pub sender: PersonId,
    /// Whose account gets.
    pub receiver: PersonId,
    /// What the sender is to the receiver, by the number of the sender's region.
    pub relation: u8,
    /// How much.
    pub amount: Amount,
    /// In which currency.
    pub currency: Currency,
    /// The sender's home when it was sent: its rules and calendar count.
    pub region: RegionId,
    /// When it was sent, by block time.
    pub sent: Timestamp,
    /// From this instant on it has come back by itself.
    pub until: Timestamp,
    /// How it ended before that.
    pub ended: Option<TransferEnd>,
}

/// How a transfer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum TransferEnd {
    /// The receiver claimed it, at this time.
    Claimed(Timestamp),
    /// The sender took it back, at this time.
    Withdrawn(Timestamp),
}

/// Where a transfer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum TransferStanding {
    /// It waits for the receiver.
    Waiting {
        /// From this instant on it has come back.
        until: Timestamp,
    },
    /// The receiver has it.
    Claimed {
        /// Since when.
        when: Timestamp,
    },
    /// The sender took it back.
    Withdrawn {
        /// When.
        when: Timestamp,
    },
    /// Nobody claimed it in time; it is on the sender's account again.
    Returned {
        /// Since when.
        when: Timestamp,
    },
}

impl Transfer {
    /// Where it stands at this instant. Its end in time is evaluated here, never by a sweep.
    #[must_use]
    pub fn standing_at(&self, now: Timestamp) -> TransferStanding {
        match self.ended {
            Some(TransferEnd::Claimed(when)) => TransferStanding::Claimed { when },
            Some(TransferEnd::Withdrawn(when)) => TransferStanding::Withdrawn { when },
            None if now < self.until => TransferStanding::Waiting { until: self.until },
            None => TransferStanding::Returned { when: self.until },
        }
    }

    /// Whether it waits at this instant.
    #[must_use]
    pub fn waits_at(&self, now: Timestamp) -> bool {
        self.ended.is_none() && now < self.until
    }

    /// It waits at this instant.
    ///
    /// # Errors
    /// `transfer_claimed`, `transfer_came_back` with the time.
    pub(super) fn require_waiting(&self, now: Timestamp) -> Result<(), Rejection> {
        match self.standing_at(now) {
            TransferStanding::Waiting { .. } => Ok(()),
            TransferStanding::Claimed { .. } => Err(rejection::TRANSFER_CLAIMED.reject()),
            TransferStanding::Withdrawn { when } | TransferStanding::Returned { when } => {
                Err(rejection::TRANSFER_CAME_BACK.with(primitives::detail!("on {when}", when)))
            }
        }
    }

    /// What a step of it tells the two, whichever of them made it: who sends how much to whom, and
    /// until when it waits.
    pub(super) fn told(
        &self,
        (id, event): (Hash, &'static str),
        state: &(impl Read + ?Sized),
    ) -> Outcome {
        Outcome::event(event, self.concerns(state))
            .with("transfer", FieldValue::Hash(id))
            .with("amount", amount_value(self.amount, self.currency))
            .with("sender", FieldValue::Party(Party::Person(self.sender)))
            .with("receiver", FieldValue::Party(Party::Person(self.receiver)))
            .with("until", FieldValue::Timestamp(self.until))
    }

    /// Whom it concerns: the two, and the bureaus of their homes.
    fn concerns(&self, state: &(impl Read + ?Sized)) -> Vec<Party> {
        let home = person::view::person(state, self.receiver).map(|row| row.region);
        let mut parties = alloc::vec![Party::Person(self.sender), Party::Person(self.receiver)];
        for region in [Some(self.region), home].into_iter().flatten() {
            let bureau = network::view::region(state, region).map(|row| row.bureau);
            let party = bureau.map(Party::Organisation);
            parties.extend(party.filter(|party| !parties.contains(party)));
        }
        parties
    }
}

/// How many transfers somebody sent on the last day on which any was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct DayCount {
    /// The day, in the calendar of the home region.
    pub day: CivilDate,
    /// How many.
    pub count: u8,
}

impl DayCount {
    /// How many were sent on this day.
    #[must_use]
    pub fn on(count: Option<Self>, day: CivilDate) -> u8 {
        count.filter(|one| one.day == day).map_or(0, |one| one.count)
    }
}

/// A person's transfers, so that whoever asks knows where to look.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct TransferList {
    /// How many were sent on a day.
    pub day: Option<DayCount>,
    /// The last that were sent, oldest first, at most 32.
    pub sent: Vec<Hash>,
    /// The last that came for the person, oldest first, at most 32.
    pub received: Vec<Hash>,
}

/// A transfer by its id.
///
/// # Errors
/// `unknown_transfer`.
pub(super) fn require_transfer(
    state: &(impl Read + ?Sized),
    id: Hash,
) -> Result<Transfer, Rejection> {
    TRANSFERS.get(state, &id).ok_or_else(|| rejection::UNKNOWN_TRANSFER.with(id))
}

/// Money from one region goes to this other one: rules of both say so, and what they owe each other
/// is cleared.
///
/// # Errors
/// `transfer_elsewhere`.
pub(super) fn require_taken_there(
    state: &(impl Read + ?Sized),
    (home, rules): (RegionId, &TransferRules),
    there: RegionId,
    today: CivilDate,
) -> Result<(), Rejection> {
    let is_cleared = interregion::view::is_cleared_between(state, home, there, today);
    let takes = rules.to_other_regions && TRANSFER_RULES.has(state, &there);
    require(takes && is_cleared, || rejection::TRANSFER_ELSEWHERE.with(there))
}

/// Notes a new transfer with both. The oldest that waits no more leaves a list that is full.
///
/// # Errors
/// `too_many_transfers_wait`.
pub(super) fn enter(
    state: &mut Overlay<'_>,
    (id, transfer): (Hash, &Transfer),
    day: DayCount,
) -> Result<(), Rejection> {
    let mut sender = TRANSFER_LISTS.get(state, &transfer.sender).unwrap_or_default();
    sender.day = Some(day);
    push(state, &mut sender.sent, id, transfer.sent)?;
    TRANSFER_LISTS.put(state, &transfer.sender, &sender);
    let mut receiver = TRANSFER_LISTS.get(state, &transfer.receiver).unwrap_or_default();
    push(state, &mut receiver.received, id, transfer.sent)?;
    TRANSFER_LISTS.put(state, &transfer.receiver, &receiver);
    TRANSFERS.put(state, &id, transfer);
    Ok(())
}

fn push(
    state: &Overlay<'_>,
    list: &mut Vec<Hash>,
    id: Hash,
    now: Timestamp,
) -> Result<(), Rejection> {
    if list.len() >= LISTED_MAX {
        let waits =
            |one: &Hash| TRANSFERS.get(state, one).is_some_and(|transfer| transfer.waits_at(now));
        let over = list.iter().position(|one| !waits(one));
        let over = over.ok_or_else(|| rejection::TOO_MANY_TRANSFERS.with(LISTED_MAX))?;
        list.remove(over);
    }
    list.push(id);
    Ok(())
}
