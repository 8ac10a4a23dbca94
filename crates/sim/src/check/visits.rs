//! Visits: settled once, changed only from what stands; every split explained again; running
//! amounts added up anew.

use std::collections::{BTreeMap, BTreeSet};

use benefit::{
    AccumulatorChange, Accumulators, Adjudication, CategorySums, Payer, adjudicate, split_stay,
};
use ledger::State;
use ledger::kernel::account::Account;
use ledger::modules::coverage;
use ledger::modules::visit::{
    AdjustLaterSettlements, AnswerObjection, CancelVisit, CheckIn, ContestConsent, ContestDecision,
    DecideContest, ObjectToSettlement, Part, RefundVisit, SettleVisit, SettlementRecord, Split,
    SupersedeSettlement, VisitRow, view,
};
use ledger::modules::voucher::MarkVoucherUsed;
use primitives::{Amount, Hash, PersonId, RegionId, VisitId, codec};

use super::plans::PlanCheck;
use super::{Executed, Rule, Scope, Violation, require};
use crate::region::SCHEME;

/// A visit as the receipts have it.
enum Known {
    Open,
    Cancelled,
    Settled { record: Box<SettlementRecord>, revision: u32, is_objected: bool, is_contested: bool },
}

/// Every visit, and every person's running amounts.
#[derive(Default)]
pub struct VisitCheck {
    visits: BTreeMap<VisitId, Known>,
    accumulators: BTreeMap<PersonId, Accumulators>,
    /// What second payers reimburse, by the transaction that settled first.
    marks: BTreeMap<Hash, Amount>,
    /// What the person bears now, by the same.
    pub(super) own_shares: BTreeMap<Hash, Amount>,
    /// What a settlement counts for since it was adjudicated again, by the same.
    counted: BTreeMap<Hash, Vec<Vec<AccumulatorChange>>>,
    touched: BTreeSet<VisitId>,
    touched_people: BTreeSet<PersonId>,
    /// Where each is insured.
    insured: BTreeMap<PersonId, RegionId>,
    settled: u64,
    changed: u64,
}

impl VisitCheck {
    /// How many visits were settled.
    #[must_use]
    pub const fn settled_count(&self) -> u64 {
        self.settled
    }

    /// How many settlements were refunded or corrected.
    #[must_use]
    pub const fn changed_count(&self) -> u64 {
        self.changed
    }

    pub(super) fn accepted(
        &mut self,
        executed: &Executed<'_>,
        plans: &PlanCheck,
    ) -> Result<(), Violation> {
        if let Some(body) = executed.body::<CheckIn>() {
            let before = self.visits.insert(body.visit, Known::Open);
            self.touched.insert(body.visit);
            require(Rule::SettledOnce, before.is_none(), || {
                format!("visit {} was opened twice", body.visit)
            })
        } else if let Some(body) = executed.body::<CancelVisit>() {
            self.touched.insert(body.visit);
            let before = self.visits.insert(body.visit, Known::Cancelled);
            require(Rule::SettledOnce, matches!(before, Some(Known::Open)), || {
                format!("visit {} was cancelled and was not open", body.visit)
            })
        } else if let Some(body) = executed.body::<SettleVisit>() {
            self.settle(executed, &body, plans)
        } else if let Some(body) = executed.body::<RefundVisit>() {
            let change = (&body.original, &body.remaining, &body.split);
            self.change(executed, change, plans)
        } else if let Some(body) = executed.body::<SupersedeSettlement>() {
            self.change(executed, (&body.original, &body.sums, &body.split), plans)
        } else if let Some(body) = executed.body::<AdjustLaterSettlements>() {
            self.later(executed, &body, plans)
        } else if let Some(body) = executed.body::<DecideContest>()
            && body.decision == ContestDecision::Upheld
        {
            let nothing = (&body.original, &CategorySums::default(), &Split::default());
            self.change(executed, nothing, plans)
        } else if let Some(body) = executed.body::<MarkVoucherUsed>() {
            let marked = self.marks.entry(body.settlement).or_default();
            *marked = marked.saturating_add(body.amount);
            self.check_marks(executed.index, &body.settlement)
        } else {
            self.objection(executed)
        }
    }

    /// Second payers together never reimburse more than the person bears.
    pub(super) fn check_marks(&self, index: u64, settlement: &Hash) -> Result<(), Violation> {
        let of =
            |amounts: &BTreeMap<Hash, Amount>| amounts.get(settlement).copied().unwrap_or_default();
        let (marked, own) = (of(&self.marks), of(&self.own_shares));
        require(Rule::MoneyConserved, marked <= own, || {
            format!("receipt {index} lets {marked:?} be reimbursed of {own:?}")
        })
    }

    fn settle(
        &mut self,
        executed: &Executed<'_>,
        body: &SettleVisit,
        plans: &PlanCheck,
    ) -> Result<(), Violation> {
        let index = executed.index;
        let is_open = matches!(self.visits.get(&body.visit), Some(Known::Open));
        require(Rule::SettledOnce, is_open, || {
            format!("receipt {index} settles visit {}, which is not open", body.visit)
        })?;
        let record = self.record(executed)?;
        let is_own = record.visit == body.visit
            && record.transaction_id == executed.receipt.record.transaction_id
            && record.sums == body.sums
            && record.bill == body.bill;
        require(Rule::Explanation, is_own, || {
            format!("receipt {index} has the record of another")
        })?;
        self.explain(index, &record, plans)?;
        check_split(index, &record, &body.split)?;
        check_postings(executed, &record)?;
        self.settled += 1;
        self.keep(index, record, 0)
    }

    /// A refund or a correction of the settlement that stands.
    fn change(
        &mut self,
        executed: &Executed<'_>,
        (original, sums, split): (&SettlementRecord, &benefit::CategorySums, &Split),
        plans: &PlanCheck,
    ) -> Result<(), Violation> {
        let index = executed.index;
        let revision = match self.visits.get(&original.visit) {
            Some(Known::Settled { record, revision, .. }) if record.hash() == original.hash() => {
                revision + 1
            }
            _ => {
                let words = format!("receipt {index} changes a settlement that does not stand");
                return Err(Violation::new(Rule::SettledOnce, words));
            }
        };
        self.undo(index, original)?;
        let record = self.record(executed)?;
        require(Rule::Explanation, record.sums == *sums, || {
            format!("receipt {index} has the record of another bill")
        })?;
        self.explain(index, &record, plans)?;
        check_split(index, &record, split)?;
        self.changed += 1;
        self.keep(index, record, revision)
    }

    fn record(&self, executed: &Executed<'_>) -> Result<SettlementRecord, Violation> {
        codec::decode(&executed.receipt.witness).map_err(|error| {
            let words = format!("receipt {} has no settlement record: {error}", executed.index);
            Violation::new(Rule::Explanation, words)
        })
    }

    fn keep(
        &mut self,
        index: u64,
        record: SettlementRecord,
        revision: u32,
    ) -> Result<(), Violation> {
        let (visit, person) = (record.visit, record.subject.person);
        let settlement = record.transaction_id;
        let own = record.own_share();
        self.insured.insert(person, record.subject.region);
        self.own_shares.insert(settlement, own);
        let (is_objected, is_contested) = match self.visits.get(&visit) {
            Some(Known::Settled { is_objected, is_contested, .. }) => (*is_objected, *is_contested),
            _ => (false, false),
        };
        // A contest is about a consent that others gave, and about a settlement that still stands.
        let stays_open = record.consent.is_given_by_others() && !record.sums.rows().is_empty();
        let is_contested = is_contested && stays_open;
        let record = Box::new(record);
        self.visits.insert(visit, Known::Settled { record, revision, is_objected, is_contested });
        self.touched.insert(visit);
        self.touched_people.insert(person);
        self.check_marks(index, &settlement)
    }

    /// Takes a settlement out of the running amounts, as it counts now.
    pub(super) fn undo(
        &mut self,
        index: u64,
        original: &SettlementRecord,
    ) -> Result<(), Violation> {
        let again = self.counted.remove(&original.transaction_id);
        let parts = original.parts.iter().map(|part| part.adjudication.changes.clone());
        let counted = again.unwrap_or_else(|| parts.collect());
        let own = self.accumulators.entry(original.subject.person).or_default();
        for changes in counted.iter().rev() {
            own.undo(&lasting(changes)).map_err(|error| {
                Violation::new(Rule::Accumulators, format!("receipt {index}: {error}"))
            })?;
        }
        Ok(())
    }

    /// Counts a settlement that was adjudicated again.
    pub(super) fn count(
        &mut self,
        index: u64,
        record: &SettlementRecord,
        parts: Vec<Vec<AccumulatorChange>>,
    ) -> Result<(), Violation> {
        let own = self.accumulators.entry(record.subject.person).or_default();
        for changes in &parts {
            own.apply(&lasting(changes)).map_err(|error| {
                Violation::new(Rule::Accumulators, format!("receipt {index}: {error}"))
            })?;
        }
        self.counted.insert(record.transaction_id, parts);
        self.touched_people.insert(record.subject.person);
        Ok(())
    }

    /// Whether this is the settlement that stands.
    pub(super) fn stands(&self, record: &SettlementRecord) -> bool {
        matches!(self.visits.get(&record.visit),
            Some(Known::Settled { record: known, .. }) if known.hash() == record.hash())
    }

    /// Adjudicates again from the record, on running amounts of our own, and compares every byte.
    fn explain(
        &mut self,
        index: u64,
        record: &SettlementRecord,
        plans: &PlanCheck,
    ) -> Result<(), Violation> {
        let again = self.replay(index, record, plans)?;
        let own = self.accumulators.entry(record.subject.person).or_default();
        for (again, part) in again.iter().zip(&record.parts) {
            let is_same = codec::encode(again) == codec::encode(&part.adjudication);
            require(Rule::Explanation, is_same, || {
                format!(
                    "receipt {index} is explained as {again:?}, recorded as {:?}",
                    part.adjudication
                )
            })?;
            own.apply(&lasting(&again.changes)).map_err(|error| {
                Violation::new(Rule::Explanation, format!("receipt {index}: {error}"))
            })?;
        }
        Ok(())
    }

    /// What adjudicating a record's parts gives on running amounts of our own.
    pub(super) fn replay(
        &self,
        index: u64,
        record: &SettlementRecord,
        plans: &PlanCheck,
    ) -> Result<Vec<Adjudication>, Violation> {
        let broken =
            |words: String| Violation::new(Rule::Explanation, format!("receipt {index}: {words}"));
        if record.sums.rows().is_empty() {
            require(Rule::Explanation, record.parts.is_empty(), || {
                format!("receipt {index} has parts of an empty bill")
            })?;
            return Ok(Vec::new());
        }
        let mut hashes: Vec<Hash> = Vec::new();
        for part in record.parts.iter().rev() {
            if !hashes.contains(&part.plan.hash) {
                hashes.push(part.plan.hash);
            }
        }
        let found = hashes.iter().map(|hash| plans.plan(hash).cloned()).collect::<Option<Vec<_>>>();
        let found = found.ok_or_else(|| broken(String::from("a plan that nobody drafted")))?;
        let plain: Vec<&benefit::Plan> = found.iter().map(AsRef::as_ref).collect();
        let cut = split_stay(&plain, &record.sums).map_err(|error| broken(error.to_string()))?;
        require(Rule::Explanation, cut.len() == record.parts.len(), || {
            format!("receipt {index} has {} parts, {} are explained", record.parts.len(), cut.len())
        })?;
        let mut running =
            self.accumulators.get(&record.subject.person).cloned().unwrap_or_default();
        let mut adjudicated = Vec::with_capacity(cut.len());
        for (stay, part) in cut.iter().zip(&record.parts) {
            require(Rule::Explanation, hashes[stay.plan] == part.plan.hash, || {
                format!("receipt {index} has a part under another plan")
            })?;
            let again = adjudicate(plain[stay.plan], &stay.sums, &part.facts, &running)
                .map_err(|error| broken(error.to_string()))?;
            running.apply(&again.changes).map_err(|error| broken(error.to_string()))?;
            adjudicated.push(again);
        }
        Ok(adjudicated)
    }

    fn objection(&mut self, executed: &Executed<'_>) -> Result<(), Violation> {
        let original = if let Some(body) = executed.body::<ObjectToSettlement>() {
            body.original
        } else if let Some(body) = executed.body::<AnswerObjection>() {
            body.original
        } else if let Some(body) = executed.body::<ContestConsent>() {
            body.original
        } else if let Some(body) = executed.body::<DecideContest>() {
            body.original
        } else {
            return Ok(());
        };
        let index = executed.index;
        self.touched.insert(original.visit);
        match self.visits.get_mut(&original.visit) {
            Some(Known::Settled { record, is_objected, is_contested, .. })
                if record.hash() == original.hash() =>
            {
                match executed.receipt.record.kind {
                    708 => *is_objected = true,
                    709 => *is_objected = false,
                    711 => *is_contested = true,
                    _ => *is_contested = false,
                }
                Ok(())
            }
            _ => {
                let words = format!("receipt {index} is about a settlement that does not stand");
                Err(Violation::new(Rule::SettledOnce, words))
            }
        }
    }

    pub(super) fn compare(&mut self, state: &State, scope: Scope) -> Result<(), Violation> {
        let (visits, people) =
            (std::mem::take(&mut self.touched), std::mem::take(&mut self.touched_people));
        match scope {
            Scope::Touched => {
                visits.iter().try_for_each(|visit| self.compare_visit(state, *visit))?;
                people.iter().try_for_each(|person| self.compare_person(state, *person))
            }
            Scope::All => {
                self.visits.keys().try_for_each(|visit| self.compare_visit(state, *visit))?;
                self.accumulators.keys().try_for_each(|person| self.compare_person(state, *person))
            }
        }
    }

    fn compare_visit(&self, state: &State, visit: VisitId) -> Result<(), Violation> {
        let is_same = match (self.visits.get(&visit), view::visit(state, visit)) {
            (Some(Known::Open), Some(VisitRow::Open(_)))
            | (Some(Known::Cancelled), Some(VisitRow::Cancelled)) => true,
            (
                Some(Known::Settled { record, revision, is_objected, is_contested }),
                Some(VisitRow::Settled(row)),
            ) => {
                row.record == record.hash()
                    && row.revision == *revision
                    && row.objection.is_some() == *is_objected
                    && row.is_contested() == *is_contested
            }
            _ => false,
        };
        require(Rule::SettledOnce, is_same, || {
            format!("visit {visit} stands otherwise on the ledger than its receipts say")
        })
    }

    fn compare_person(&self, state: &State, person: PersonId) -> Result<(), Violation> {
        let own = self.accumulators.get(&person).cloned().unwrap_or_default();
        let Some(region) = self.insured.get(&person) else { return Ok(()) };
        let there = coverage::view::running_amounts(state, person, *region, SCHEME);
        let there = there.own();
        require(Rule::Accumulators, own == *there, || {
            format!("{person} has {there:?}, the settlements that stand add up to {own:?}")
        })
    }
}

/// What outlives the visit.
fn lasting(changes: &[AccumulatorChange]) -> Vec<AccumulatorChange> {
    changes.iter().filter(|change| !change.key.period.is_visit()).copied().collect()
}

/// The split that was signed is the sum of the parts, and adds up.
fn check_split(index: u64, record: &SettlementRecord, signed: &Split) -> Result<(), Violation> {
    let of = |amount: fn(&Part) -> Amount| {
        record.parts.iter().map(amount).fold(Amount::ZERO, Amount::saturating_add)
    };
    let paid = of(|part| part.adjudication.paid_by_payers());
    let account = of(|part| part.adjudication.personal_account);
    let family = of(|part| part.adjudication.paid_by_family());
    let cash = of(|part| part.adjudication.cash);
    let total = of(|part| part.adjudication.total);
    let signed_payers = signed.payers.iter().map(|share| share.amount);
    let signed_paid = signed_payers.fold(Amount::ZERO, Amount::saturating_add);
    let rules = [
        (record.parts.iter().all(|part| part.adjudication.is_balanced()), "a part does not add up"),
        (total == record.sums.total(), "its total is not the bill's"),
        (
            Amount::checked_sum([paid, account, family, cash]) == Some(total),
            "its payers are not its total",
        ),
        (signed.total == total && signed.cash == cash, "another total or cash part was signed"),
        (signed_paid == paid && signed.personal_account == account, "other shares were signed"),
        (signed.family_accounts == family, "another share of relatives was signed"),
    ];
    for (holds, what) in rules {
        require(Rule::Explanation, holds, || format!("the settlement of receipt {index}: {what}"))?;
    }
    Ok(())
}

/// A settlement moves what its record says: from funds, from the personal account, from accounts of
/// relatives, nothing else.
fn check_postings(executed: &Executed<'_>, record: &SettlementRecord) -> Result<(), Violation> {
    let person = record.subject.person;
    let due = Account::ProviderDue(record.subject.books());
    let moved = |from: &dyn Fn(&Account) -> bool| {
        let entries = executed.receipt.entries.iter().map(|posted| posted.entry);
        // Which of the two is right is for the checker of what regions owe each other.
        let is_due =
            |account: &Account| *account == due || matches!(account, Account::OwedToRegion(_));
        let fitting = entries.filter(|entry| is_due(&entry.credit) && from(&entry.debit));
        fitting.fold(Amount::ZERO, |sum, entry| sum.saturating_add(entry.amount))
    };
    let shares = record.parts.iter().flat_map(|part| &part.adjudication.payers);
    let from_funds = shares.filter(|share| share.payer != Payer::HospitalBorne);
    let from_funds = from_funds.fold(Amount::ZERO, |sum, one| sum.saturating_add(one.amount));
    let from_account = record.personal_account();
    let funds = moved(&|account| matches!(account, Account::Fund { .. }));
    let account = moved(&|account| *account == Account::PersonalAccount(person));
    let relatives = moved(&|account| matches!(account, Account::FamilyAccounts(_)));
    let is_same =
        funds == from_funds && account == from_account && relatives == record.family_accounts();
    require(Rule::MoneyConserved, is_same, || {
        let index = executed.index;
        format!(
            "receipt {index} moves {funds:?} from funds and {account:?} from the account, not what its split says"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::example::{content, executed, receipt};
    use crate::region::REGION;
    use benefit::VisitType;
    use ledger::modules::visit::{Consent, Identification, VisitSubject};

    fn check_in() -> CheckIn {
        let subject = VisitSubject {
            person: PersonId([1; 16]),
            provider: "clinic".parse().unwrap(),
            region: REGION,
            scheme: SCHEME,
            visit_type: VisitType::Outpatient,
            admitted: crate::region::day(2026, 1, 5),
            diagnosis_group: 0,
        };
        let (identification, evidence) = (Identification::Card, Hash::default());
        CheckIn { visit: VisitId([1; 16]), subject, identification, evidence }
    }

    fn settle() -> SettleVisit {
        SettleVisit {
            visit: VisitId([1; 16]),
            bill: Hash::default(),
            sums: benefit::CategorySums::default(),
            use_personal_account: false,
            use_family_account: false,
            split: Split::default(),
            cash: None,
            consent: Consent::OwnKey,
        }
    }

    fn empty_record() -> SettlementRecord {
        SettlementRecord {
            visit: VisitId([1; 16]),
            subject: check_in().subject,
            transaction_id: content(&settle(), 1).id(),
            bill: Hash::default(),
            sums: benefit::CategorySums::default(),
            parts: Vec::new(),
            consent: Consent::OwnKey,
            use_personal_account: false,
            use_family_account: false,
            collected: Vec::new(),
        }
    }

    fn see<K: ledger::kernel::registry::Kind>(
        check: &mut VisitCheck,
        body: &K,
        witness: &[u8],
    ) -> Option<Rule> {
        let content = content(body, 1);
        let mut receipt = receipt(&content);
        receipt.witness = witness.to_vec();
        let result = check.accepted(&executed(&content, &receipt, 2), &PlanCheck::default());
        result.err().map(|violation| violation.rule)
    }

    #[test]
    fn a_visit_that_is_settled_twice_opened_twice_or_never_opened_is_found() {
        let mut check = VisitCheck::default();
        assert_eq!(see(&mut check, &settle(), &[]), Some(Rule::SettledOnce));
        assert_eq!(see(&mut check, &check_in(), &[]), None);
        let record = empty_record();
        assert_eq!(see(&mut check, &settle(), &codec::encode(&record)), None);
        assert_eq!(check.settled_count(), 1);
        assert_eq!(see(&mut check, &settle(), &codec::encode(&record)), Some(Rule::SettledOnce));
        assert_eq!(see(&mut check, &check_in(), &[]), Some(Rule::SettledOnce));
    }

    #[test]
    fn a_refund_of_a_record_that_does_not_stand_is_found() {
        let mut check = VisitCheck::default();
        assert_eq!(see(&mut check, &check_in(), &[]), None);
        let record = empty_record();
        assert_eq!(see(&mut check, &settle(), &codec::encode(&record)), None);
        let refund = |original: SettlementRecord| RefundVisit {
            original,
            bill: Hash::default(),
            remaining: benefit::CategorySums::default(),
            split: Split::default(),
            cash: None,
            consent: None,
        };
        let other = SettlementRecord { bill: Hash([1; 32]), ..record.clone() };
        assert_eq!(
            see(&mut check, &refund(other.clone()), &codec::encode(&record)),
            Some(Rule::SettledOnce)
        );
        assert_eq!(see(&mut check, &refund(record.clone()), &codec::encode(&other)), None);
        assert_eq!(
            see(&mut check, &refund(record), &codec::encode(&other)),
            Some(Rule::SettledOnce)
        );
    }

    #[test]
    fn a_settlement_without_its_record_is_found() {
        let mut check = VisitCheck::default();
        assert_eq!(see(&mut check, &check_in(), &[]), None);
        assert_eq!(see(&mut check, &settle(), &[]), Some(Rule::Explanation));
    }
}
