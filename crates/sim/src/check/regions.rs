//! What regions owe each other: every item, statement and payment between two of them again, from
//! the transactions alone.

use std::collections::{BTreeMap, BTreeSet};

use benefit::Payer;
use ledger::State;
use ledger::kernel::account::{Account, RegionPair};
use ledger::kernel::month::CalendarMonth;
use ledger::modules::clearing::{
    ApprovePayout, BankWord, PayoutLine, ProposePayout, RecordPayoutResults,
};
use ledger::modules::family::ClaimTransfer;
use ledger::modules::interregion::view::{self, Between};
use ledger::modules::interregion::{
    AnswerInterregionStatement, CloseInterregionMonth, ConfirmRegionPayment, EndItemDispute,
    RegionItem, RegionStatement, SetInterregionRules, chain,
};
use ledger::modules::organisation::AdmitOrganisation;
use ledger::modules::visit::{
    ContestDecision, DecideContest, RefundVisit, SettleVisit, SettlementRecord, SupersedeSettlement,
};
use primitives::{Amount, CivilDate, Hash, OrganisationId, RegionId, VisitId, codec};

use super::{Executed, Rule, Scope, Violation, require};
use crate::region::{NEIGHBOUR, REGION, bureau_code};

/// Where the money of a direction is, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Money {
    advanced: i128,
    not_agreed: i128,
    disputed: i128,
    payable: i128,
    in_payment: i128,
    under_way: i128,
}

/// What one region owes another.
#[derive(Default)]
struct Direction {
    items: Vec<RegionItem>,
    disputed: BTreeMap<u64, Amount>,
    stated: BTreeMap<CalendarMonth, (u64, u64, i128)>,
    money: Money,
}

/// Every direction between two regions.
#[derive(Default)]
pub struct RegionCheck {
    /// Where each provider lies.
    places: BTreeMap<OrganisationId, RegionId>,
    /// From which day on a region clears care elsewhere, or not.
    rules: BTreeMap<RegionId, Vec<(CivilDate, bool)>>,
    /// Between which regions a settled visit is.
    visits: BTreeMap<VisitId, RegionPair>,
    directions: BTreeMap<RegionPair, Direction>,
    batches: BTreeMap<(RegionId, u32), Vec<PayoutLine>>,
    touched: BTreeSet<RegionPair>,
}

/// What others than the person's cash pay of a settlement.
fn paid_by_others(record: &SettlementRecord) -> i128 {
    let shares = record.parts.iter().flat_map(|part| &part.adjudication.payers);
    let funds = shares.filter(|share| share.payer != Payer::HospitalBorne);
    let funds = funds.map(|share| i128::from(share.amount.minor())).sum::<i128>();
    let accounts = [record.personal_account(), record.family_accounts()];
    funds + accounts.map(|amount| i128::from(amount.minor())).iter().sum::<i128>()
}

impl RegionCheck {
    pub(super) fn accepted(&mut self, executed: &Executed<'_>) -> Result<(), Violation> {
        if let Some(body) = executed.body::<AdmitOrganisation>() {
            self.places.insert(body.organisation, body.region);
        } else if let Some(body) = executed.body::<SetInterregionRules>() {
            let all = self.rules.entry(body.region).or_default();
            all.retain(|(from, _)| *from < body.from);
            all.push((body.from, body.rules.is_some()));
        } else if executed.body::<SettleVisit>().is_some() {
            let record = record(executed)?;
            if let Some(pair) = self.between(&record) {
                self.visits.insert(record.visit, pair);
            }
            self.item(executed, &record, paid_by_others(&record));
        } else if let Some(original) = changed(executed) {
            let now = record(executed)?;
            self.item(executed, &now, paid_by_others(&now) - paid_by_others(&original));
        } else if let Some(body) = executed.body::<ClaimTransfer>() {
            self.transferred(executed, body.transfer);
        } else {
            return self.cleared(executed);
        }
        Ok(())
    }

    /// Money went to a wallet next door: the bureau there took it in, and no person is named.
    fn transferred(&mut self, executed: &Executed<'_>, transfer: Hash) {
        let entries = executed.receipt.entries.iter().map(|posted| posted.entry);
        let between = entries.filter_map(|entry| match entry.credit {
            Account::OwedToRegion(pair) => Some((pair, entry.amount)),
            _ => None,
        });
        for (pair, amount) in between.collect::<Vec<_>>() {
            let half = transfer.0.first_chunk::<16>().expect("a hash has 32 bytes");
            let (visit, provider) = (VisitId(*half), bureau_code(pair.care));
            self.note(executed, (pair, visit, provider), i128::from(amount.minor()));
        }
    }

    /// The two regions between which a visit is that is settled now.
    fn between(&self, record: &SettlementRecord) -> Option<RegionPair> {
        let insured = record.subject.region;
        let care = *self.places.get(&record.subject.provider)?;
        let has_rules = |region| {
            let mut all = self.rules.get(&region).into_iter().flatten();
            let last = all.rfind(|(from, _)| *from <= record.subject.admitted);
            last.is_some_and(|(_, clears)| *clears)
        };
        let is_between = insured != care && has_rules(insured) && has_rules(care);
        is_between.then_some(RegionPair { insured, care })
    }

    /// What one transaction moved for one visit.
    fn item(&mut self, executed: &Executed<'_>, record: &SettlementRecord, moved: i128) {
        let Some(pair) = self.visits.get(&record.visit).copied() else { return };
        self.note(executed, (pair, record.visit, record.subject.provider), moved);
    }

    fn note(
        &mut self,
        executed: &Executed<'_>,
        (pair, visit, provider): (RegionPair, VisitId, OrganisationId),
        moved: i128,
    ) {
        let Ok(amount) = u64::try_from(moved.unsigned_abs()) else { return };
        if amount == 0 {
            return;
        }
        let direction = self.of(pair);
        direction.items.push(RegionItem {
            number: direction.items.len() as u64 + 1,
            visit,
            provider,
            transaction: executed.receipt.record.transaction_id,
            amount: Amount::from_minor(amount),
            is_return: moved < 0,
            moved: executed.time,
        });
        direction.money.advanced += moved;
        direction.money.not_agreed += moved;
    }

    fn of(&mut self, pair: RegionPair) -> &mut Direction {
        self.touched.insert(pair);
        self.directions.entry(pair).or_default()
    }

    /// Statements, answers and payments.
    fn cleared(&mut self, executed: &Executed<'_>) -> Result<(), Violation> {
        if let Some(body) = executed.body::<CloseInterregionMonth>() {
            let direction = self.of(RegionPair { insured: body.insured, care: body.care });
            let after = direction.stated.values().map(|(_, to, _)| *to).max().unwrap_or(0);
            let stated = (after, direction.items.len() as u64, direction.money.not_agreed);
            direction.stated.insert(body.month, stated);
        } else if let Some(body) = executed.body::<AnswerInterregionStatement>() {
            return self.answer(executed.index, &body);
        } else if let Some(body) = executed.body::<EndItemDispute>() {
            let direction = self.of(RegionPair { insured: body.insured, care: body.care });
            let amount = direction.disputed.remove(&body.item);
            let amount = amount.map_or(0, |amount| i128::from(amount.minor()));
            direction.money.disputed -= amount;
            direction.money.not_agreed += amount;
            return require(Rule::BetweenRegions, amount > 0, || {
                format!("receipt {} ends a dispute that nobody raised", executed.index)
            });
        } else if let Some(body) = executed.body::<ProposePayout>() {
            self.batches.insert((body.region, body.batch), body.lines);
        } else if let Some(body) = executed.body::<ApprovePayout>() {
            for line in self.batches.get(&(body.region, body.batch)).cloned().unwrap_or_default() {
                let money = self.paid_to(body.region, line.provider);
                let Some(money) = money else { continue };
                money.payable -= i128::from(line.amount.minor());
                money.in_payment += i128::from(line.amount.minor());
            }
        } else if let Some(body) = executed.body::<RecordPayoutResults>() {
            let lines = self.batches.get(&(body.region, body.batch)).cloned().unwrap_or_default();
            for result in &body.results {
                let Some(line) = lines.get(usize::from(result.line)) else { continue };
                let Some(money) = self.paid_to(body.region, line.provider) else { continue };
                let amount = i128::from(line.amount.minor());
                let (from, to) = match &result.word {
                    BankWord::Paid { .. } => (&mut money.in_payment, &mut money.under_way),
                    BankWord::Failed { .. } => (&mut money.in_payment, &mut money.payable),
                    BankWord::Returned { .. } => (&mut money.under_way, &mut money.payable),
                };
                *from -= amount;
                *to += amount;
            }
        } else if let Some(body) = executed.body::<ConfirmRegionPayment>() {
            let direction = self.of(RegionPair { insured: body.insured, care: body.care });
            direction.money.under_way -= i128::from(body.amount.minor());
            direction.money.advanced -= i128::from(body.amount.minor());
        }
        Ok(())
    }

    /// The money of the direction in which a region pays this bureau; nothing where it pays a
    /// provider.
    fn paid_to(&mut self, insured: RegionId, payee: OrganisationId) -> Option<&mut Money> {
        let care = [REGION, NEIGHBOUR].into_iter().find(|one| bureau_code(*one) == payee)?;
        Some(&mut self.of(RegionPair { insured, care }).money)
    }

    /// What is agreed comes off what the other region has to pay; the rest is payable.
    fn answer(&mut self, index: u64, body: &AnswerInterregionStatement) -> Result<(), Violation> {
        let pair = RegionPair { insured: body.insured, care: body.care };
        let theirs = self.of(pair.reversed()).money.payable;
        let direction = self.of(pair);
        let Some((_, _, open)) = direction.stated.get(&body.month).copied() else {
            let words = format!("receipt {index} answers what was not stated");
            return Err(Violation::new(Rule::BetweenRegions, words));
        };
        let disputed = body.disputed.iter().map(|one| (one.number, one.amount));
        direction.disputed.extend(disputed);
        let disputed = body.disputed.iter().map(|one| i128::from(one.amount.minor())).sum::<i128>();
        let agreed = (open.max(0) - disputed).max(0);
        let set_off = agreed.min(theirs);
        let money = &mut direction.money;
        money.not_agreed -= agreed + disputed;
        money.disputed += disputed;
        money.payable += agreed - set_off;
        money.advanced -= set_off;
        let other = &mut self.of(pair.reversed()).money;
        other.payable -= set_off;
        other.advanced -= set_off;
        Ok(())
    }

    pub(super) fn compare(&mut self, state: &State, scope: Scope) -> Result<(), Violation> {
        let touched = std::mem::take(&mut self.touched);
        let pairs: Vec<RegionPair> = match scope {
            Scope::Touched => touched.into_iter().collect(),
            Scope::All => self.directions.keys().copied().collect(),
        };
        pairs.into_iter().try_for_each(|pair| self.compare_pair(state, pair))
    }

    fn compare_pair(&self, state: &State, pair: RegionPair) -> Result<(), Violation> {
        let own = &self.directions[&pair];
        let money = own.money;
        let at = view::between(state, pair);
        let Between { advanced, owed, disputed, payable, in_payment, under_way } = at;
        let there = Money { advanced, not_agreed: owed, disputed, payable, in_payment, under_way };
        require(Rule::BetweenRegions, there == money, || {
            format!("{pair:?} has {there:?}, what happened says {money:?}")
        })?;
        let parts = [owed, disputed, payable, in_payment, under_way];
        require(Rule::BetweenRegions, advanced == parts.iter().sum::<i128>(), || {
            format!("{pair:?} does not add up: {at:?}")
        })?;
        let row = view::pair(state, pair).unwrap_or_default();
        let replayed = hash_up_to(pair, &own.items, own.items.len());
        let is_same = row.items == own.items.len() as u64 && row.chain == replayed;
        require(Rule::BetweenRegions, is_same, || {
            format!("{pair:?} has {} items that come to {}", row.items, row.chain)
        })?;
        let is_same = (1..).zip(&own.items).all(|(number, item)| {
            let there = view::item(state, pair, number);
            let open = there.and_then(|row| row.dispute).filter(|one| one.ended.is_none());
            there.is_some_and(|row| row.item == *item)
                && open.map(|one| one.amount) == own.disputed.get(&number).copied()
        });
        require(Rule::BetweenRegions, is_same, || {
            format!("{pair:?} has other items or disputes than what happened")
        })?;
        own.stated.iter().try_for_each(|(month, stated)| {
            let there = view::statement(state, pair, *month);
            let is_same = there.is_some_and(|there| own.is_stated(pair, *stated, &there));
            require(Rule::BetweenRegions, is_same, || {
                format!("{pair:?} states {month:?} otherwise than its items say")
            })
        })
    }
}

impl Direction {
    /// Whether the items of a statement, which both bureaus read, come to it.
    fn is_stated(
        &self,
        pair: RegionPair,
        (after, to, open): (u64, u64, i128),
        there: &RegionStatement,
    ) -> bool {
        let (first, last) = (place(after), place(to));
        let items = self.items.get(first..last).unwrap_or_default();
        let of = |is_return: bool| {
            let fitting = items.iter().filter(|item| item.is_return == is_return);
            let amounts = fitting.clone().map(|item| i128::from(item.amount.minor()));
            (amounts.sum::<i128>(), fitting.count() as u64)
        };
        let ((gross, settlements), (returned, returns)) = (of(false), of(true));
        let minor = |amount: Amount| i128::from(amount.minor());
        let hashes = [first, last].map(|count| hash_up_to(pair, &self.items, count));
        (there.after_item, there.to_item) == (after, to)
            && [there.before, there.items] == hashes
            && (minor(there.gross), minor(there.returned)) == (gross, returned)
            && (u64::from(there.settlements), u64::from(there.returns)) == (settlements, returns)
            && minor(there.payable) - minor(there.owing) == open
            && minor(there.carried) - minor(there.carried_back) == open - gross + returned
    }
}

fn place(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// The hash over the first so many items.
fn hash_up_to(pair: RegionPair, items: &[RegionItem], count: usize) -> Hash {
    items.iter().take(count).fold(Hash::default(), |before, item| chain(&before, pair, item))
}

fn record(executed: &Executed<'_>) -> Result<SettlementRecord, Violation> {
    codec::decode(&executed.receipt.witness).map_err(|error| {
        let words = format!("receipt {} has no settlement record: {error}", executed.index);
        Violation::new(Rule::Explanation, words)
    })
}

/// The settlement as it stood before this transaction, where it changes one.
fn changed(executed: &Executed<'_>) -> Option<SettlementRecord> {
    let refunded = executed.body::<RefundVisit>().map(|body| body.original);
    let corrected = || executed.body::<SupersedeSettlement>().map(|body| body.original);
    let contested = || {
        let body = executed.body::<DecideContest>()?;
        (body.decision == ContestDecision::Upheld).then_some(body.original)
    };
    refunded.or_else(corrected).or_else(contested)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::example::{content, executed, receipt};

    const PAIR: RegionPair = RegionPair { insured: REGION, care: NEIGHBOUR };
    const JANUARY: CalendarMonth = CalendarMonth { year: 2026, month: 1 };

    fn see<K: ledger::kernel::registry::Kind>(check: &mut RegionCheck, body: &K) -> Option<Rule> {
        let content = content(body, 1);
        let receipt = receipt(&content);
        let result = check.accepted(&executed(&content, &receipt, 2));
        result.err().map(|violation| violation.rule)
    }

    fn answer() -> AnswerInterregionStatement {
        AnswerInterregionStatement {
            insured: PAIR.insured,
            care: PAIR.care,
            month: JANUARY,
            items: Hash::default(),
            disputed: Vec::new(),
            by: bureau_code(PAIR.insured),
        }
    }

    #[test]
    fn an_answer_to_what_was_not_stated_and_the_end_of_no_dispute_are_found() {
        let mut check = RegionCheck::default();
        assert_eq!(see(&mut check, &answer()), Some(Rule::BetweenRegions));
        let close =
            CloseInterregionMonth { care: PAIR.care, insured: PAIR.insured, month: JANUARY };
        assert_eq!(see(&mut check, &close), None);
        assert_eq!(see(&mut check, &answer()), None);
        let (care, insured, by) = (PAIR.care, PAIR.insured, bureau_code(PAIR.insured));
        let end = EndItemDispute { insured, care, item: 1, by };
        assert_eq!(see(&mut check, &end), Some(Rule::BetweenRegions));
    }

    #[test]
    fn money_that_the_ledger_does_not_have_is_missed() {
        let mut check = RegionCheck::default();
        let state = State::new(ledger::Seeds { salt: Hash::default(), secret: Hash::default() });
        let confirm = ConfirmRegionPayment {
            care: PAIR.care,
            insured: PAIR.insured,
            amount: Amount::from_minor(1),
            day: crate::region::day(2026, 1, 5),
            reference: Hash::default(),
        };
        assert_eq!(check.compare(&state, Scope::All), Ok(()));
        assert_eq!(see(&mut check, &confirm), None);
        let missed = check.compare(&state, Scope::Touched).unwrap_err();
        assert_eq!(missed.rule, Rule::BetweenRegions);
    }
}
