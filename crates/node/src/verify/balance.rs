//! Books of our own: every balance rebuilt from the entries in receipts, and compared with the
//! state.

use std::collections::BTreeMap;

use ledger::State;
use ledger::kernel::account::{Account, AccountRow, Floor};
use ledger::kernel::posting::{self, PostedEntry};
use primitives::Currency;

use super::CurrencyTotal;
use super::pipeline::Executed;
use crate::runtime::Divergence;

/// The kind that moves an account's floor: in its block, floors are not compared, since only the
/// block's end is seen here.
pub(super) const MOVES_FLOORS: &str = "set_fund_floor";

#[derive(Clone, Copy, Default)]
struct Totals {
    debits: u64,
    credits: u64,
}

/// Every account that an entry ever touched.
#[derive(Default)]
pub(super) struct Books {
    accounts: BTreeMap<(Account, Currency), Totals>,
    flows: BTreeMap<Currency, (u64, u128)>,
    /// The number of the kind that moves floors.
    floors_move: Option<u16>,
}

impl Books {
    pub(super) fn new(floors_move: Option<u16>) -> Self {
        Self { floors_move, ..Self::default() }
    }

    /// Books a block's entries, and compares the accounts that they touch with the state after it.
    pub(super) fn block(&mut self, block: &Executed) -> Result<(), Divergence> {
        let height = block.header.height;
        // Whether money left the account, for every account that was touched.
        let mut touched: BTreeMap<(Account, Currency), bool> = BTreeMap::new();
        for posted in block.receipts.iter().flat_map(|receipt| &receipt.entries) {
            self.book(height, posted)?;
            let PostedEntry { entry, currency } = posted;
            touched.insert((entry.debit, *currency), true);
            touched.entry((entry.credit, *currency)).or_default();
        }
        let mut kinds = block.receipts.iter().map(|receipt| Some(receipt.record.kind));
        let moves_floors = kinds.any(|kind| kind == self.floors_move);
        for ((account, currency), is_debited) in touched {
            let row = posting::account(&block.after, &account);
            self.compare(height, &account, currency, row.as_ref())?;
            if let Some(row) = row.filter(|_| is_debited && !moves_floors) {
                check_floor(height, &account, &block.before, &row)?;
            }
        }
        Ok(())
    }

    fn book(&mut self, height: u64, posted: &PostedEntry) -> Result<(), Divergence> {
        let PostedEntry { entry, currency } = posted;
        let amount = entry.amount.minor();
        let too_much = || {
            let what = format!("the total of account {:?}", entry.debit);
            Divergence::new(height, what, "a number of 64 bits", "more")
        };
        if amount == 0 || entry.debit == entry.credit {
            let what = "an entry";
            return Err(Divergence::new(
                height,
                what,
                "one that moves money",
                format!("{entry:?}"),
            ));
        }
        let debit = self.accounts.entry((entry.debit, *currency)).or_default();
        debit.debits = debit.debits.checked_add(amount).ok_or_else(too_much)?;
        let credit = self.accounts.entry((entry.credit, *currency)).or_default();
        credit.credits = credit.credits.checked_add(amount).ok_or_else(too_much)?;
        let flow = self.flows.entry(*currency).or_default();
        *flow = (flow.0 + 1, flow.1 + u128::from(amount));
        Ok(())
    }

    fn compare(
        &self,
        height: u64,
        account: &Account,
        currency: Currency,
        row: Option<&AccountRow>,
    ) -> Result<(), Divergence> {
        let Totals { debits, credits } =
            self.accounts.get(&(*account, currency)).copied().unwrap_or_default();
        let is_same = row.is_some_and(|row| {
            row.debits == debits && row.credits == credits && row.currency == currency
        });
        if is_same {
            return Ok(());
        }
        let words = |debits, credits, currency| format!("-{debits} +{credits} {currency}");
        let got = row.map_or_else(
            || String::from("none"),
            |row| words(row.debits, row.credits, row.currency),
        );
        let what = format!("account {account:?}");
        Err(Divergence::new(height, what, words(debits, credits, currency), got))
    }

    /// Compares every account once more, and adds them up: every currency must come to zero.
    pub(super) fn close(
        &self,
        height: u64,
        state: &State,
    ) -> Result<Vec<CurrencyTotal>, Divergence> {
        let mut totals: BTreeMap<Currency, CurrencyTotal> = BTreeMap::new();
        for (account, currency) in self.accounts.keys() {
            let Some(row) = posting::account(state, account) else { continue };
            self.compare(height, account, row.currency, Some(&row))?;
            let (entries, moved) = self.flows.get(currency).copied().unwrap_or_default();
            let total = totals.entry(*currency).or_insert(CurrencyTotal {
                currency: row.currency,
                accounts: 0,
                entries,
                moved,
                sum: 0,
            });
            total.accounts += 1;
            total.sum += row.balance();
        }
        match totals.values().find(|total| total.sum != 0) {
            Some(total) => {
                let what = format!("the sum of all accounts in {}", total.currency);
                Err(Divergence::new(height, what, 0, total.sum))
            }
            None => Ok(totals.into_values().collect()),
        }
    }
}

/// An account that gave money, and now has this row, has not fallen below its floor.
fn check_floor(
    height: u64,
    account: &Account,
    before: &State,
    row: &AccountRow,
) -> Result<(), Divergence> {
    let floor = |row: &AccountRow| match row.floor {
        Floor::None => None,
        Floor::AtLeast(amount) => Some(i128::from(amount.minor())),
    };
    let now = floor(row);
    // `None` is below every amount, so that the lower of both floors counts.
    let lower = posting::account(before, account).map_or(now, |row| floor(&row).min(now));
    match lower {
        Some(lower) if row.balance() < lower => {
            let what = format!("the balance of account {account:?}");
            Err(Divergence::new(height, what, format!("at least {lower}"), row.balance()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::kernel::account;
    use ledger::kernel::posting::Entry;
    use primitives::{Amount, OrganisationId, RegionId};

    fn posted(debit: Account, credit: Account, amount: u64) -> PostedEntry {
        let amount = Amount::from_minor(amount);
        PostedEntry { entry: Entry { debit, credit, amount }, currency: Currency::CNY }
    }

    fn accounts() -> (Account, Account) {
        let hospital: OrganisationId = "hospital".parse().unwrap();
        let books = account::Books::of(hospital, RegionId(620_100));
        (Account::ProviderDue(books), Account::Rail(books))
    }

    #[test]
    fn an_account_that_the_state_does_not_have_is_named() {
        let (due, rail) = accounts();
        let mut books = Books::default();
        books.book(7, &posted(rail, due, 5)).unwrap();
        let divergence = books.compare(7, &due, Currency::CNY, None).unwrap_err();
        assert_eq!((divergence.height, divergence.got.as_str()), (7, "none"));
        assert_eq!(divergence.expected, "-0 +5 CNY");
        assert!(divergence.what.contains("ProviderDue"));
    }

    #[test]
    fn an_entry_that_moves_nothing_or_in_a_circle_is_named() {
        let (due, rail) = accounts();
        let mut books = Books::default();
        assert_eq!(books.book(3, &posted(due, rail, 0)).unwrap_err().what, "an entry");
        assert_eq!(books.book(3, &posted(due, due, 1)).unwrap_err().what, "an entry");
        books.book(3, &posted(due, rail, u64::MAX)).unwrap();
        let overflow = books.book(3, &posted(due, rail, 1)).unwrap_err();
        assert_eq!(overflow.got, "more");
    }
}
