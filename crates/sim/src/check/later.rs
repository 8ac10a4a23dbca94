//! Later settlements that are adjudicated again after an earlier one changed: on running amounts of
//! our own, in the order of the list, with nothing moved but between funds and the person.

use benefit::AccumulatorChange;
use ledger::kernel::account::Account;
use ledger::kernel::posting::Entry;
use ledger::modules::plan::{Difference, Direction};
use ledger::modules::visit::AdjustLaterSettlements;
use primitives::{Amount, PersonId};

use super::plans::PlanCheck;
use super::visits::VisitCheck;
use super::{Executed, Rule, Violation, require};

impl VisitCheck {
    pub(super) fn later(
        &mut self,
        executed: &Executed<'_>,
        body: &AdjustLaterSettlements,
        plans: &PlanCheck,
    ) -> Result<(), Violation> {
        let (index, person) = (executed.index, body.changed.subject.person);
        for record in [&body.changed].into_iter().chain(&body.later) {
            let is_theirs = record.subject.person == person;
            require(Rule::SettledOnce, is_theirs && self.stands(record), || {
                format!("receipt {index} adjudicates again what does not stand or is another's")
            })?;
        }
        for record in body.later.iter().rev() {
            self.undo(index, record)?;
        }
        let mut differences = Vec::new();
        for record in &body.later {
            let settlement = record.transaction_id;
            let again = self.replay(index, record, plans)?;
            let own = again.iter().fold(Amount::ZERO, |sum, one| {
                sum.saturating_add(one.personal_account)
                    .saturating_add(one.paid_by_family())
                    .saturating_add(one.cash)
            });
            let changes: Vec<Vec<AccumulatorChange>> =
                again.into_iter().map(|one| one.changes).collect();
            self.count(index, record, changes)?;
            let before = self.own_shares.insert(settlement, own).unwrap_or_default();
            let (less, more) = (before.saturating_sub(own), own.saturating_sub(before));
            let row = |direction, amount| Difference { settlement, person, direction, amount };
            if !less.is_zero() {
                differences.push(row(Direction::ToPerson, less));
            } else if !more.is_zero() {
                differences.push(row(Direction::FromPerson, more));
            }
            self.check_marks(index, &settlement)?;
        }
        require(Rule::Explanation, differences == body.differences, || {
            format!(
                "receipt {index} takes {:?}, adjudicating again gives {differences:?}",
                body.differences
            )
        })?;
        check_entries(executed, person, &differences)
    }
}

/// What moves is the person's difference, and money between funds.
fn check_entries(
    executed: &Executed<'_>,
    person: PersonId,
    differences: &[Difference],
) -> Result<(), Violation> {
    let entries: Vec<Entry> = executed.receipt.entries.iter().map(|posted| posted.entry).collect();
    let is_between = |account: &Account| match account {
        Account::Fund { .. } | Account::OwedToFund { .. } | Account::ExpectedByFund { .. } => true,
        account => *account == Account::PersonalAccount(person),
    };
    let strange = entries.iter().find(|one| !is_between(&one.debit) || !is_between(&one.credit));
    require(Rule::MoneyConserved, strange.is_none(), || {
        format!("receipt {} moves money of others: {strange:?}", executed.index)
    })?;
    let is_persons = |account: &Account| {
        matches!(account, Account::PersonalAccount(_) | Account::OwedToFund { .. })
    };
    let sum = |amounts: &mut dyn Iterator<Item = Amount>| -> i128 {
        amounts.map(|amount| i128::from(amount.minor())).sum()
    };
    let credits = entries.iter().filter(|one| is_persons(&one.credit)).map(|one| one.amount);
    let debits = entries.iter().filter(|one| is_persons(&one.debit)).map(|one| one.amount);
    let gained = sum(&mut { credits }) - sum(&mut { debits });
    let of = |direction| {
        let fitting = differences.iter().filter(move |row| row.direction == direction);
        sum(&mut fitting.map(|row| row.amount))
    };
    let due = of(Direction::ToPerson) - of(Direction::FromPerson);
    require(Rule::MoneyConserved, gained == due, || {
        format!("receipt {} gives the person {gained}, {due} was agreed", executed.index)
    })
}
