//! Nothing is done twice, and nothing that nobody may do.

use std::collections::BTreeMap;

use ledger::IdempotencyKey;
use primitives::{Hash, Party, Timestamp};

use super::{Executed, Rule, Violation, require};

const HOUR_MILLIS: u64 = 3_600_000;

/// Accepted transactions and the keys they used.
#[derive(Default)]
pub struct KeyCheck {
    accepted: BTreeMap<Hash, u64>,
    used: BTreeMap<(Party, IdempotencyKey), (Hash, Timestamp)>,
    forbidden: BTreeMap<Hash, &'static str>,
    kinds: BTreeMap<u16, u64>,
    codes: BTreeMap<u16, u64>,
}

impl KeyCheck {
    /// A client tries something that must not be accepted.
    pub fn forbid(&mut self, id: Hash, why: &'static str) {
        self.forbidden.insert(id, why);
    }

    /// The place of an accepted transaction's receipt.
    #[must_use]
    pub fn accepted_at(&self, id: &Hash) -> Option<u64> {
        self.accepted.get(id).copied()
    }

    /// How many transactions were accepted.
    #[must_use]
    pub fn accepted_count(&self) -> u64 {
        self.accepted.len() as u64
    }

    /// How often each kind was accepted, by its number.
    #[must_use]
    pub const fn kinds(&self) -> &BTreeMap<u16, u64> {
        &self.kinds
    }

    /// How often transactions were rejected in blocks, by the rejection's number.
    #[must_use]
    pub const fn codes(&self) -> &BTreeMap<u16, u64> {
        &self.codes
    }

    pub(super) fn executed(&mut self, executed: &Executed<'_>) -> Result<(), Violation> {
        let id = executed.receipt.record.transaction_id;
        if let proof::receipt::OutcomeCode::Rejected(number) = executed.receipt.record.outcome {
            *self.codes.entry(number).or_default() += 1;
            return Ok(());
        }
        *self.kinds.entry(executed.content.kind).or_default() += 1;
        if let Some(why) = self.forbidden.get(&id) {
            return Err(Violation::new(Rule::Refused, format!("{why} was accepted: {id}")));
        }
        let before = self.accepted.insert(id, executed.index);
        require(Rule::KeyOnce, before.is_none(), || {
            format!("transaction {id} was accepted twice")
        })?;
        let key = (executed.content.author, executed.content.idempotency_key);
        let until = executed.content.valid_until;
        if let Some((other, kept_until)) = self.used.insert(key, (id, until)) {
            // A key may be forgotten once the hour of its validity is over.
            let forgotten =
                kept_until.millis() / HOUR_MILLIS < executed.time.millis() / HOUR_MILLIS;
            require(Rule::KeyOnce, forgotten, || {
                format!("{id} was accepted under the key of {other}")
            })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::example::{content, executed, receipt};
    use ledger::modules::visit::CancelVisit;
    use primitives::VisitId;

    fn cancel(visit: u8, key: u8) -> ledger::Content {
        content(&CancelVisit { visit: VisitId([visit; 16]) }, key)
    }

    fn rule(result: Result<(), Violation>) -> Option<Rule> {
        result.err().map(|violation| violation.rule)
    }

    #[test]
    fn a_transaction_that_is_accepted_twice_is_found() {
        let (mut check, one) = (KeyCheck::default(), cancel(1, 1));
        let receipt = receipt(&one);
        assert_eq!(rule(check.executed(&executed(&one, &receipt, 2))), None);
        assert_eq!(check.accepted_at(&one.id()), Some(0));
        assert_eq!(rule(check.executed(&executed(&one, &receipt, 3))), Some(Rule::KeyOnce));
    }

    #[test]
    fn a_key_that_stands_for_two_things_is_found_until_it_may_be_forgotten() {
        let (one, other) = (cancel(1, 1), cancel(2, 1));
        for (minute, expected) in [(3, Some(Rule::KeyOnce)), (59, Some(Rule::KeyOnce)), (60, None)]
        {
            let mut check = KeyCheck::default();
            check.executed(&executed(&one, &receipt(&one), 2)).unwrap();
            let result = check.executed(&executed(&other, &receipt(&other), minute));
            assert_eq!(rule(result), expected, "at minute {minute}");
        }
    }

    #[test]
    fn what_nobody_may_do_is_found_when_it_is_accepted() {
        let (mut check, one) = (KeyCheck::default(), cancel(1, 1));
        check.forbid(one.id(), "a test");
        assert_eq!(rule(check.executed(&executed(&one, &receipt(&one), 2))), Some(Rule::Refused));
    }
}
