//! The close: the ledger's own balances against the entries of its receipts, and against the books
//! that bank and tills keep of their own.

use std::collections::BTreeMap;

use ledger::kernel::account::{Account, Books as LedgerBooks};
use ledger::kernel::posting;
use ledger::{Receipt, State};
use primitives::{Currency, RegionId};

use super::bank::OutsideBook;

/// The books as the receipts' entries give them, kept beside the ledger's own.
#[derive(Default)]
pub struct Books {
    balances: BTreeMap<(Account, Currency), i128>,
    entries: u64,
}

/// What closing the books gave.
#[derive(Default)]
pub struct Close {
    /// How many accounts have moved.
    pub accounts: usize,
    /// How many entries were posted.
    pub entries: u64,
    /// The sum of the balances that the ledger's accounts have, by currency; zero, or money was
    /// made or lost.
    pub sums: BTreeMap<Currency, i128>,
    /// Accounts whose balance on the ledger is not what the entries give.
    pub differing: Vec<String>,
    /// How many books of the world outside were compared.
    pub outside: usize,
    /// Books outside that are not sound, or that say another sum than the ledger.
    pub outside_differing: Vec<String>,
}

impl Books {
    /// Books a receipt's entries.
    pub fn book(&mut self, receipt: &Receipt) {
        for posted in &receipt.entries {
            let amount = i128::from(posted.entry.amount.minor());
            *self.balances.entry((posted.entry.debit, posted.currency)).or_default() -= amount;
            *self.balances.entry((posted.entry.credit, posted.currency)).or_default() += amount;
            self.entries += 1;
        }
    }

    /// Adds up what the ledger's accounts hold, and compares each with its entries and with what
    /// the books outside say.
    ///
    /// # Errors
    /// When a book outside cannot be read.
    pub fn close<'a>(
        &self,
        state: &State,
        outside: impl Iterator<Item = &'a (RegionId, OutsideBook)>,
    ) -> anyhow::Result<Close> {
        let mut close = Close { entries: self.entries, ..Close::default() };
        let on_ledger = |account: &Account| posting::account(state, account);
        for ((account, currency), balance) in &self.balances {
            let row = on_ledger(account);
            let held = row.as_ref().map_or(0, |row| row.balance());
            *close.sums.entry(*currency).or_default() += held;
            close.accounts += 1;
            if held != *balance || row.is_none_or(|row| row.currency != *currency) {
                close.differing.push(format!("{account:?}"));
            }
        }
        for (region, book) in outside {
            close.outside += 1;
            // What a rail has collected has left its account on the ledger.
            let account = Account::Rail(LedgerBooks::of(book.organisation(), *region));
            let collected = -on_ledger(&account).map_or(0, |row| row.balance());
            let says = book.collected()?;
            if says != collected || !book.is_sound()? {
                let organisation = book.organisation();
                close.outside_differing.push(format!(
                    "the books of `{organisation}` say {says}, the ledger {collected} minor units"
                ));
            }
        }
        Ok(close)
    }
}

impl Close {
    /// Whether everything adds up.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.differing.is_empty()
            && self.outside_differing.is_empty()
            && self.sums.values().all(|sum| *sum == 0)
    }
}
