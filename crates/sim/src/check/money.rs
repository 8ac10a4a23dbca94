//! Money: books of our own, kept from the entries of receipts.

use std::collections::{BTreeMap, BTreeSet};

use ledger::State;
use ledger::kernel::account::Account;
use ledger::kernel::posting::{self, PostedEntry};
use ledger::modules::fund::{
    Contribute, CreditPersonalAccounts, OpenFund, PayProvider, SetFundFloor, TransferBetweenFunds,
};
use primitives::{Amount, Currency};

use super::{Executed, Rule, Scope, Violation, require};

#[derive(Clone, Copy, Default)]
struct Totals {
    debits: u128,
    credits: u128,
}

impl Totals {
    fn balance(self) -> i128 {
        self.credits.cast_signed() - self.debits.cast_signed()
    }
}

/// Every account that money ever touched, and what it may not fall below.
#[derive(Default)]
pub struct MoneyCheck {
    accounts: BTreeMap<(Account, Currency), Totals>,
    fund_floors: BTreeMap<Account, Amount>,
    touched: BTreeSet<(Account, Currency)>,
    moved: u128,
}

impl MoneyCheck {
    /// How much moved in all, in minor units.
    #[must_use]
    pub const fn moved(&self) -> u128 {
        self.moved
    }

    /// Credits less debits of an account.
    #[must_use]
    pub fn balance(&self, account: &Account) -> i128 {
        let totals = self.accounts.get(&(*account, Currency::CNY));
        totals.map_or(0, |totals| totals.balance())
    }

    pub(super) fn accepted(&mut self, executed: &Executed<'_>) -> Result<(), Violation> {
        if let Some(body) = executed.body::<OpenFund>() {
            let account = Account::Fund { region: body.region, fund: body.fund };
            self.fund_floors.insert(account, body.floor);
        }
        for posted in &executed.receipt.entries {
            self.book(executed.index, posted)?;
        }
        if let Some(body) = executed.body::<SetFundFloor>() {
            let account = Account::Fund { region: body.region, fund: body.fund };
            self.fund_floors.insert(account, body.floor);
        }
        check_order(executed)
    }

    fn book(&mut self, index: u64, posted: &PostedEntry) -> Result<(), Violation> {
        let PostedEntry { entry, currency } = posted;
        let amount = u128::from(entry.amount.minor());
        require(Rule::MoneyConserved, amount > 0 && entry.debit != entry.credit, || {
            format!("receipt {index} has an entry that moves nothing: {entry:?}")
        })?;
        self.moved += amount;
        self.accounts.entry((entry.debit, *currency)).or_default().debits += amount;
        self.accounts.entry((entry.credit, *currency)).or_default().credits += amount;
        self.touched.extend([(entry.debit, *currency), (entry.credit, *currency)]);
        let Some(floor) = self.floor(&entry.debit) else { return Ok(()) };
        let balance = self.accounts[&(entry.debit, *currency)].balance();
        require(Rule::Floor, balance >= floor, || {
            format!("receipt {index} takes {:?} down to {balance}, below {floor}", entry.debit)
        })
    }

    /// What an account may not fall below by giving: known from what accounts mean, not from the
    /// state.
    fn floor(&self, account: &Account) -> Option<i128> {
        match account {
            Account::PersonalAccount(_)
            | Account::Deposit(_)
            | Account::ProviderPayable(_)
            | Account::ProviderInPayment(_)
            | Account::ProviderHeldBack(_) => Some(0),
            Account::Fund { .. } => {
                let floor = self.fund_floors.get(account).copied().unwrap_or_default();
                Some(i128::from(floor.minor()))
            }
            _ => None,
        }
    }

    pub(super) fn compare(&mut self, state: &State, scope: Scope) -> Result<(), Violation> {
        let touched = std::mem::take(&mut self.touched);
        match scope {
            Scope::Touched => touched.iter().try_for_each(|one| self.compare_one(state, one)),
            Scope::All => {
                self.accounts.keys().try_for_each(|one| self.compare_one(state, one))?;
                self.compare_sum(state)
            }
        }
    }

    fn compare_one(
        &self,
        state: &State,
        (account, currency): &(Account, Currency),
    ) -> Result<(), Violation> {
        let own = self.accounts[&(*account, *currency)];
        let passes_on = !matches!(account, Account::FamilyAccounts(_)) || own.balance() == 0;
        require(Rule::MoneyConserved, passes_on, || {
            format!("{account:?} keeps what relatives gave: {}", own.balance())
        })?;
        let row = posting::account(state, account);
        let is_same = row.as_ref().is_some_and(|row| {
            u128::from(row.debits) == own.debits
                && u128::from(row.credits) == own.credits
                && row.currency == *currency
        });
        require(Rule::MoneyConserved, is_same, || {
            let there = row.map(|row| (row.debits, row.credits));
            format!("{account:?} has {there:?}, its entries say {:?}", (own.debits, own.credits))
        })
    }

    fn compare_sum(&self, state: &State) -> Result<(), Violation> {
        let rows = self.accounts.keys().filter_map(|(account, _)| posting::account(state, account));
        let sum: i128 = rows.map(|row| row.balance()).sum();
        require(Rule::MoneyConserved, sum == 0, || format!("all accounts together have {sum}"))
    }
}

/// What a kind about funds moves is what its body orders, no more and no less.
fn check_order(executed: &Executed<'_>) -> Result<(), Violation> {
    let ordered = if let Some(body) = executed.body::<Contribute>() {
        vec![body.amount]
    } else if let Some(body) = executed.body::<TransferBetweenFunds>() {
        vec![body.amount]
    } else if let Some(body) = executed.body::<PayProvider>() {
        vec![body.amount]
    } else if let Some(body) = executed.body::<CreditPersonalAccounts>() {
        body.rows.iter().map(|row| row.amount).collect()
    } else {
        return Ok(());
    };
    let posted: Vec<Amount> =
        executed.receipt.entries.iter().map(|posted| posted.entry.amount).collect();
    require(Rule::MoneyConserved, posted == ordered, || {
        format!("receipt {} posts {posted:?}, {ordered:?} was ordered", executed.index)
    })
}
