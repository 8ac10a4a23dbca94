//! Money from wallet to wallet: so many and so much a day, never at night, and each transfer
//! claimed or back with its sender, once. What waits is what is held on the sender's account.

use std::collections::{BTreeMap, BTreeSet};

use ledger::State;
use ledger::kernel::account::Account;
use ledger::kernel::posting;
use ledger::modules::family::{ClaimTransfer, SendTransfer, WithdrawTransfer, view as families};
use primitives::{Amount, CivilDate, Hash, PersonId, Timestamp};

use super::{Executed, Rule, Scope, Violation, require};
use crate::region::premiums::{CLAIM_DAYS, NIGHT, TRANSFER_MAX, TRANSFERS_A_DAY};
use crate::region::{DAY_MILLIS, OFFSET};

/// A transfer that was sent.
struct Sent {
    sender: PersonId,
    receiver: PersonId,
    amount: Amount,
    until: Timestamp,
    has_ended: bool,
}

/// Every transfer that blocks and receipts say.
#[derive(Default)]
pub struct TransferCheck {
    sent: BTreeMap<Hash, Sent>,
    days: BTreeMap<(PersonId, CivilDate), u8>,
    touched: BTreeSet<PersonId>,
    /// The time of the last transaction: the state is of that block or a later one.
    now: Timestamp,
}

impl TransferCheck {
    pub(super) fn accepted(&mut self, executed: &Executed<'_>) -> Result<(), Violation> {
        self.now = executed.time;
        if let Some(body) = executed.body::<SendTransfer>() {
            self.sent(executed, &body)
        } else if let Some(body) = executed.body::<ClaimTransfer>() {
            self.claimed(executed, &body)
        } else if let Some(body) = executed.body::<WithdrawTransfer>() {
            let sender = |one: &Sent| one.sender == body.sender;
            self.end(executed, body.transfer, sender)?;
            require_moved(executed, None)
        } else {
            Ok(())
        }
    }

    fn sent(&mut self, executed: &Executed<'_>, body: &SendTransfer) -> Result<(), Violation> {
        let words = |what: &str| format!("receipt {} sends {what}", executed.index);
        require(Rule::TransferOnce, body.amount.minor() <= TRANSFER_MAX, || words("too much"))?;
        let day = executed.time.day(OFFSET);
        let count = self.days.entry((body.sender, day)).or_default();
        *count = count.saturating_add(1);
        let is_within = *count <= TRANSFERS_A_DAY;
        require(Rule::TransferOnce, is_within, || words("too often on a day"))?;
        require(Rule::TransferOnce, !is_night(executed.time), || words("at night"))?;
        let sent = Sent {
            sender: body.sender,
            receiver: body.receiver,
            amount: body.amount,
            until: executed.time.plus_millis(u64::from(CLAIM_DAYS) * DAY_MILLIS),
            has_ended: false,
        };
        self.touched.insert(body.sender);
        let before = self.sent.insert(executed.receipt.record.transaction_id, sent);
        require(Rule::TransferOnce, before.is_none(), || words("the same twice"))?;
        require_moved(executed, None)
    }

    /// A transfer ends that waits, by whoever may end it.
    fn end(
        &mut self,
        executed: &Executed<'_>,
        transfer: Hash,
        may_end: impl Fn(&Sent) -> bool,
    ) -> Result<(), Violation> {
        let now = executed.time;
        let sent = self.sent.get_mut(&transfer).filter(|one| may_end(one));
        let waits = sent.filter(|one| !one.has_ended && now < one.until);
        let waits = waits.ok_or_else(|| {
            let index = executed.index;
            Violation::new(Rule::TransferOnce, format!("receipt {index} ends what does not wait"))
        })?;
        waits.has_ended = true;
        self.touched.insert(waits.sender);
        Ok(())
    }

    fn claimed(&mut self, executed: &Executed<'_>, body: &ClaimTransfer) -> Result<(), Violation> {
        self.end(executed, body.transfer, |one| one.receiver == body.receiver)?;
        require_moved(executed, self.sent.get(&body.transfer))
    }

    pub(super) fn compare(&mut self, state: &State, scope: Scope) -> Result<(), Violation> {
        let touched = std::mem::take(&mut self.touched);
        match scope {
            Scope::Touched => touched.iter().try_for_each(|one| self.compare_one(state, *one)),
            Scope::All => {
                let all: BTreeSet<_> = self.sent.values().map(|one| one.sender).collect();
                all.iter().try_for_each(|one| self.compare_one(state, *one))
            }
        }
    }

    fn compare_one(&self, state: &State, sender: PersonId) -> Result<(), Violation> {
        let own = self.sent.iter().filter(|(_, one)| one.sender == sender);
        let waits = own.filter(|(_, one)| !one.has_ended && self.now < one.until);
        let mut sum = Amount::ZERO;
        for (id, one) in waits {
            sum = sum.saturating_add(one.amount);
            let row = families::transfer(state, *id);
            let is_there = row.is_some_and(|row| row.waits_at(self.now) && row.until == one.until);
            require(Rule::TransferOnce, is_there, || format!("transfer {id} does not wait"))?;
        }
        let row = posting::account(state, &Account::PersonalAccount(sender));
        let held = row.map_or(Amount::ZERO, |row| row.held_at(self.now));
        require(Rule::TransferOnce, held == sum, || {
            format!("{held:?} is held for what waits of {sender}, and {sum:?} waits")
        })
    }
}

/// Whether it is an hour at which nothing is sent, by the region's clock.
fn is_night(now: Timestamp) -> bool {
    let start = Timestamp::start_of(now.day(OFFSET), OFFSET);
    let minute = (now.millis() - start.millis()) / 60_000;
    minute >= u64::from(NIGHT.0) || minute < u64::from(NIGHT.1)
}

/// What left personal accounts and came into them is this transfer, and nothing without one.
fn require_moved(executed: &Executed<'_>, transfer: Option<&Sent>) -> Result<(), Violation> {
    let mut moved: BTreeMap<PersonId, i128> = BTreeMap::new();
    for entry in executed.receipt.entries.iter().map(|posted| posted.entry) {
        let amount = i128::from(entry.amount.minor());
        for (account, change) in [(entry.debit, -amount), (entry.credit, amount)] {
            if let Account::PersonalAccount(person) = account {
                *moved.entry(person).or_default() += change;
            }
        }
    }
    let expected = transfer.map_or_else(BTreeMap::new, |one| {
        let amount = i128::from(one.amount.minor());
        BTreeMap::from([(one.sender, -amount), (one.receiver, amount)])
    });
    require(Rule::MoneyConserved, moved == expected, || {
        format!("receipt {} moves {moved:?} between wallets, not {expected:?}", executed.index)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use ledger::kernel::posting::{Entry, PostedEntry};
    use ledger::kernel::registry::Kind;
    use ledger::modules::person::Actor;
    use ledger::{Content, Receipt};
    use primitives::Currency;

    use super::super::example::{content, executed, receipt};
    use super::*;
    use crate::region::premiums::send;

    const SENDER: PersonId = PersonId([1; 16]);
    const RECEIVER: PersonId = PersonId([2; 16]);
    const DAY: u64 = 24 * 60;
    /// Noon of the region on a day that begins after 1970 does, in minutes since then.
    const NOON: u64 = DAY + 4 * 60;

    fn accepted<K: Kind>(body: &K, key: u8, entries: Vec<Entry>) -> (Content, Receipt) {
        let content = content(body, key);
        let mut receipt = receipt(&content);
        let posted = |entry| PostedEntry { entry, currency: Currency::CNY };
        receipt.entries = entries.into_iter().map(posted).collect();
        (content, receipt)
    }

    fn rule(result: Result<(), Violation>) -> Rule {
        result.unwrap_err().rule
    }

    /// A checker that saw one transfer at noon, and its id.
    fn one_sent(minor: u64) -> (TransferCheck, Hash) {
        let mut check = TransferCheck::default();
        let (content, receipt) = accepted(&send(SENDER, RECEIVER, amount(minor)), 1, vec![]);
        check.accepted(&executed(&content, &receipt, NOON)).unwrap();
        (check, receipt.record.transaction_id)
    }

    fn amount(minor: u64) -> Amount {
        Amount::from_minor(minor)
    }

    fn claim(transfer: Hash, key: u8, to: PersonId) -> (Content, Receipt) {
        let body = ClaimTransfer { transfer, receiver: RECEIVER, actor: Actor::OwnKey };
        let (debit, credit) = (Account::PersonalAccount(SENDER), Account::PersonalAccount(to));
        accepted(&body, key, vec![Entry { debit, credit, amount: amount(5) }])
    }

    #[test]
    fn too_much_too_often_and_at_night_are_seen() {
        let mut check = TransferCheck::default();
        let mut sends = |key: u8, minor: u64, minute: u64| {
            let (content, receipt) = accepted(&send(SENDER, RECEIVER, amount(minor)), key, vec![]);
            check.accepted(&executed(&content, &receipt, minute))
        };
        assert_eq!(rule(sends(1, TRANSFER_MAX + 1, NOON)), Rule::TransferOnce);
        assert_eq!(rule(sends(2, 5, NOON + 11 * 60)), Rule::TransferOnce);
        sends(3, 5, NOON + DAY).unwrap();
        sends(4, 5, NOON + DAY).unwrap();
        sends(5, 5, NOON + DAY).unwrap();
        assert_eq!(rule(sends(6, 5, NOON + DAY + 60)), Rule::TransferOnce);
        sends(7, 5, NOON + 2 * DAY).unwrap();
    }

    #[test]
    fn a_second_end_and_a_late_one_are_seen() {
        let (mut check, transfer) = one_sent(5);
        let (first, claimed) = claim(transfer, 2, RECEIVER);
        check.accepted(&executed(&first, &claimed, NOON + 1)).unwrap();
        let body = WithdrawTransfer { transfer, sender: SENDER, actor: Actor::OwnKey };
        let (content, receipt) = accepted(&body, 3, vec![]);
        let again = check.accepted(&executed(&content, &receipt, NOON + 2));
        assert_eq!(rule(again), Rule::TransferOnce);
        let (mut check, transfer) = one_sent(5);
        let (late, claimed) = claim(transfer, 2, RECEIVER);
        let minute = NOON + u64::from(CLAIM_DAYS) * DAY;
        assert_eq!(rule(check.accepted(&executed(&late, &claimed, minute))), Rule::TransferOnce);
    }

    #[test]
    fn money_that_goes_elsewhere_and_what_is_not_held_are_seen() {
        let (mut check, transfer) = one_sent(5);
        let thief = PersonId([3; 16]);
        let (content, receipt) = claim(transfer, 2, thief);
        let stolen = check.accepted(&executed(&content, &receipt, NOON + 1));
        assert_eq!(rule(stolen), Rule::MoneyConserved);
        let (mut check, _) = one_sent(5);
        let state = State::new(ledger::Seeds { salt: Hash::default(), secret: Hash::default() });
        assert_eq!(rule(check.compare(&state, Scope::Touched)), Rule::TransferOnce);
    }
}
