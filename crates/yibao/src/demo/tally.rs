//! What the demonstration counts while it settles, and the check that nothing was lost.

use std::collections::{BTreeMap, BTreeSet};

use ledger::kernel::account::Account;
use ledger::kernel::posting;
use ledger::modules::visit::Split;
use ledger::{Receipt, State};
use primitives::{Amount, Currency};

/// Totals of one region.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Visits that were settled.
    pub settled: u64,
    /// Visits that were refunded in part.
    pub refunded: u64,
    /// What bills charged.
    pub charged: u64,
    /// What each payer paid, by its name, with personal accounts and cash.
    pub paid: BTreeMap<String, u64>,
    /// How many visits were refused, by reason.
    pub refused: BTreeMap<String, u64>,
    /// Claims that were never brought to insurance.
    pub uninsured: u64,
}

impl Tally {
    /// Counts a settled visit.
    pub fn settle(&mut self, split: &Split) {
        self.settled += 1;
        self.charged += split.total.minor();
        for share in &split.payers {
            self.pay(share.payer.name(), share.amount);
        }
        self.pay("personal_account", split.personal_account);
        self.pay("cash", split.cash);
    }

    fn pay(&mut self, who: &str, amount: Amount) {
        if !amount.is_zero() {
            *self.paid.entry(who.to_owned()).or_default() += amount.minor();
        }
    }

    /// Counts a refused visit.
    pub fn refuse(&mut self, reason: &str) {
        *self.refused.entry(reason.to_owned()).or_default() += 1;
    }

    /// The totals as lines for a terminal.
    #[must_use]
    pub fn lines(&self, currency: Currency) -> Vec<String> {
        let money = |minor: u64| grouped(&Amount::from_minor(minor).to_decimal(currency));
        let mut lines = vec![format!(
            "  {:<26} {:>18}   {} settled, {} refunded in part",
            "charged",
            money(self.charged),
            self.settled,
            self.refunded
        )];
        for (who, minor) in &self.paid {
            let percent = minor.saturating_mul(1_000).checked_div(self.charged).unwrap_or(0);
            let share = format!("{}.{} %", percent / 10, percent % 10);
            lines.push(format!("    {who:<24} {:>18}   {share:>7}", money(*minor)));
        }
        let paid: u64 = self.paid.values().sum();
        let rest = i128::from(self.charged) - i128::from(paid);
        lines.push(format!("    {:<24} {:>18}", "charged less paid", rest));
        for (reason, count) in &self.refused {
            lines.push(format!("  refused: {reason:<25} {count:>9}"));
        }
        if self.uninsured > 0 {
            lines.push(format!("  {:<34} {:>9}", "not brought to insurance", self.uninsured));
        }
        lines
    }
}

/// `1234567.89` as `1,234,567.89`.
fn grouped(decimal: &str) -> String {
    let (whole, part) = decimal.split_once('.').unwrap_or((decimal, ""));
    let mut text = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    if part.is_empty() { text } else { format!("{text}.{part}") }
}

/// The books as the receipts' entries give them, kept beside the ledger's own.
#[derive(Default)]
pub struct Books {
    balances: BTreeMap<(Account, String), i128>,
    entries: u64,
}

/// What closing the books gave.
pub struct Close {
    /// How many accounts have moved.
    pub accounts: usize,
    /// How many entries were posted.
    pub entries: u64,
    /// The sum over all accounts, by currency; zero, or money was lost.
    pub sums: BTreeMap<String, i128>,
    /// Accounts whose balance on the ledger is not what the entries give.
    pub differing: usize,
}

impl Books {
    /// Books a receipt's entries.
    pub fn book(&mut self, receipt: &Receipt) {
        for posted in &receipt.entries {
            let currency = posted.currency.code().to_owned();
            let amount = i128::from(posted.entry.amount.minor());
            *self.balances.entry((posted.entry.debit, currency.clone())).or_default() -= amount;
            *self.balances.entry((posted.entry.credit, currency)).or_default() += amount;
            self.entries += 1;
        }
    }

    /// Compares every account with the ledger and adds all of them up.
    #[must_use]
    pub fn close(&self, state: &State) -> Close {
        let mut sums = BTreeMap::new();
        let mut differing = 0;
        let mut accounts = BTreeSet::new();
        for ((account, currency), balance) in &self.balances {
            *sums.entry(currency.clone()).or_default() += balance;
            accounts.insert(account);
            let on_ledger = posting::account(state, account).map_or(0, |row| row.balance());
            differing += usize::from(on_ledger != *balance);
        }
        Close { accounts: accounts.len(), entries: self.entries, sums, differing }
    }
}

impl Close {
    /// Whether everything adds up.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.differing == 0 && self.sums.values().all(|sum| *sum == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn thousands_are_set_apart() {
        for (plain, shown) in [("1", "1"), ("1234", "1,234"), ("1234567.89", "1,234,567.89")] {
            assert_eq!(grouped(plain), shown);
        }
    }
}
