//! What a demonstration says it did: counted from the receipts on the ledger, not from what its
//! desks remember.
//!
//! Money is taken from the entries that were posted, so a payment that bounced is a receivable and
//! not cash, and what was given back is not paid. What a provider waives is no money. Only refusals
//! are counted at the desks: most of them never reach the ledger.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, ensure};
use benefit::Payer;
use ledger::kernel::account::Account;
use ledger::kernel::effect::{EffectAction, EffectResult, EffectStatus};
use ledger::kernel::posting::{self, PostedEntry};
use ledger::kernel::registry::Kind as _;
use ledger::modules::family::{ClaimTransfer, SendTransfer, WithdrawTransfer};
use ledger::modules::visit::{ConfirmEffect, RefundVisit, SettleVisit, SettlementRecord, view};
use ledger::modules::{claim, premium};
use ledger::{Effect, Receipt, State, Transaction};
use node::outbox::refusal_of_code;
use node::runtime::NodeHandle;
use primitives::{Amount, Currency, Hash, Party, PersonId, Timestamp, codec};
use proof::receipt::{FieldValue, OutcomeCode};

use super::close::Books;
use super::population::REGION;

/// What came from one source, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// What it paid.
    pub paid: u64,
    /// What it got back.
    pub back: u64,
}

impl Flow {
    /// What it paid in the end.
    #[must_use]
    pub const fn net(self) -> i128 {
        self.paid as i128 - self.back as i128
    }
}

/// How often, and how much in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// How often.
    pub count: u64,
    /// How much.
    pub minor: u64,
}

impl Count {
    const fn add(&mut self, minor: u64) {
        self.count += 1;
        self.minor += minor;
    }
}

/// Everything that the receipts of one currency say about visits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Settled visits and what they charged.
    pub settled: Count,
    /// Refunds and by how much they lowered what was charged.
    pub refunded: Count,
    /// Who paid, by name: payers, `personal_account`, `family_accounts`, `cash`.
    pub sources: BTreeMap<&'static str, Flow>,
    /// What patients owe providers, because a payment failed.
    pub receivable: Flow,
    /// What providers owe patients, because a payment back failed.
    pub debts: Flow,
    /// Payments that a rail refused for good, by its reason.
    pub failed: BTreeMap<String, Count>,
    /// Payments back that a rail refused for good, by its reason.
    pub failed_back: BTreeMap<String, Count>,
    /// Payments that have no final word yet.
    pub pending: Flow,
}

/// The name under which a receivable appears among the sources.
const RECEIVABLE: &str = "receivable";
/// The name under which a debt to a patient appears among the sources.
const DEBTS: &str = "debts";

impl Tally {
    /// What bills charge in the end.
    #[must_use]
    pub const fn charged(&self) -> i128 {
        self.settled.minor as i128 - self.refunded.minor as i128
    }

    /// What one source paid in the end.
    #[cfg(test)]
    #[must_use]
    pub fn net(&self, source: &str) -> i128 {
        self.sources.get(source).map_or(0, |flow| flow.net())
    }

    /// What is charged and nobody has paid, owes, or is being asked for: zero, or the books of
    /// the visits do not add up.
    #[must_use]
    pub fn unaccounted(&self) -> i128 {
        let paid: i128 = self.sources.values().map(|flow| flow.net()).sum();
        self.charged() - paid - self.receivable.net() - self.debts.net() - self.pending.net()
    }

    fn flow(&mut self, source: &'static str) -> &mut Flow {
        match source {
            RECEIVABLE => &mut self.receivable,
            DEBTS => &mut self.debts,
            other => self.sources.entry(other).or_default(),
        }
    }

    fn add(&mut self, receipt: &Receipt) {
        let mut nets: BTreeMap<&'static str, i128> = BTreeMap::new();
        for posted in &receipt.entries {
            if let Some((source, sign)) = source_of(posted) {
                *nets.entry(source).or_default() += sign * i128::from(posted.entry.amount.minor());
            }
        }
        for (source, net) in nets {
            let minor = u64::try_from(net.unsigned_abs()).unwrap_or(u64::MAX);
            let flow = self.flow(source);
            *(if net < 0 { &mut flow.back } else { &mut flow.paid }) += minor;
        }
    }
}

/// Who paid by this entry, and whether to (1) or back from (-1) a provider.
fn source_of(posted: &PostedEntry) -> Option<(&'static str, i128)> {
    // What goes to another region for a provider is what that provider is paid; the region of care
    // passes it on, and its account is no source.
    let is_provider = |account: &Account| {
        matches!(
            account,
            Account::ProviderDue(_) | Account::ProviderCash(_) | Account::OwedToRegion(_)
        )
    };
    let entry = &posted.entry;
    match (is_provider(&entry.debit), is_provider(&entry.credit)) {
        (false, true) => Some((name_of(&entry.debit)?, 1)),
        (true, false) => Some((name_of(&entry.credit)?, -1)),
        _ => None,
    }
}

fn name_of(account: &Account) -> Option<&'static str> {
    Some(match account {
        // The demonstration numbers its funds by their payers.
        Account::Fund { fund, .. } => {
            Payer::ALL.iter().find(|payer| u16::from(payer.number()) == fund.0)?.name()
        }
        Account::PersonalAccount(_) => "personal_account",
        Account::FamilyAccounts(_) => "family_accounts",
        Account::Rail(_) => "cash",
        Account::Receivable(_) => RECEIVABLE,
        Account::OwedToPatients(_) => DEBTS,
        _ => return None,
    })
}

/// Money from wallet to wallet: what the receipts say was sent and came of it, and what accounts
/// still hold for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transfers {
    /// Sent.
    pub sent: Count,
    /// Claimed.
    pub claimed: Count,
    /// Taken back.
    pub back: Count,
    /// What the senders' accounts hold.
    pub held: u64,
    /// What is left on the account that transfers go through.
    between: i128,
    senders: BTreeSet<PersonId>,
}

impl Transfers {
    fn note(&mut self, receipt: &Receipt) {
        let value = |name: &str| receipt.fields.iter().find(|one| &*one.name == name);
        let Some(FieldValue::Amount(amount)) = value("amount").map(|one| &one.value) else {
            return;
        };
        if let Some(FieldValue::Party(Party::Person(sender))) =
            value("sender").map(|one| &one.value)
        {
            self.senders.insert(*sender);
        }
        let count = match receipt.record.kind {
            SendTransfer::NUMBER => &mut self.sent,
            ClaimTransfer::NUMBER => &mut self.claimed,
            _ => &mut self.back,
        };
        count.add(amount.amount.minor());
    }

    fn look(&mut self, state: &State, now: Timestamp) {
        let held = |person: &PersonId| {
            let row = posting::account(state, &Account::PersonalAccount(*person));
            row.map_or(0, |row| row.held_at(now).minor())
        };
        self.held = self.senders.iter().map(held).sum();
        self.between = posting::balance(state, &Account::FamilyAccounts(REGION));
    }

    /// Whether every fen that was sent is claimed, with the sender again, or held for the receiver,
    /// and nothing is in between.
    #[must_use]
    pub const fn add_up(&self) -> bool {
        self.sent.minor == self.claimed.minor + self.back.minor + self.held && self.between == 0
    }

    /// As lines for a terminal.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let of = |what: &str, Count { count, minor }: Count| {
            format!("  {what:<28}{count:>7} {:>18}", shown(minor.into(), Currency::CNY))
        };
        let waits = shown(self.held.into(), Currency::CNY);
        vec![
            of("sent to relatives", self.sent),
            of("  claimed", self.claimed),
            of("  taken back", self.back),
            format!("  {:<28}{:>7} {waits:>18}", "  waits, held", ""),
        ]
    }
}

/// What walking the whole ledger gave.
#[derive(Default)]
pub struct Reading {
    /// Visits, by the currency of their bills.
    pub visits: BTreeMap<Currency, Tally>,
    /// The books as the entries give them.
    pub books: Books,
    /// How many payments outside the ledger still waits for.
    pub pending: u64,
    /// Money from wallet to wallet.
    pub transfers: Transfers,
}

impl Reading {
    /// Reads every block with its receipts, and asks the state what became of every payment
    /// outside that one of them ordered.
    ///
    /// # Errors
    /// When a block or a receipt cannot be read, or they do not belong together.
    pub fn of(node: &NodeHandle) -> Result<Self> {
        let view = node.view();
        let mut reading = Self::default();
        let mut index = 0;
        for height in 1..=view.tip.height {
            let block = node.block(height)?.with_context(|| format!("block {height} is gone"))?;
            for transaction in &block.transactions {
                let receipt = node.receipt_at(index)?.context("the log has a gap")?;
                let is_its_own = receipt.record.transaction_id == transaction.content.id();
                ensure!(is_its_own, "receipt {index} is not the one of its transaction");
                reading.read(&view.state, transaction, &receipt)?;
                index += 1;
            }
        }
        ensure!(index == view.tip.log.size(), "the log has receipts of no block");
        reading.transfers.look(&view.state, view.tip.time);
        Ok(reading)
    }

    fn read(&mut self, state: &State, transaction: &Transaction, receipt: &Receipt) -> Result<()> {
        if receipt.record.outcome != OutcomeCode::Accepted {
            return Ok(());
        }
        self.books.book(receipt);
        if let Some(posted) = receipt.entries.first() {
            self.visits.entry(posted.currency).or_default().add(receipt);
        }
        match receipt.record.kind {
            SettleVisit::NUMBER => {
                self.count(receipt, "total", |tally| &mut tally.settled);
                self.note_waived(None, receipt)?;
            }
            RefundVisit::NUMBER => {
                self.count(receipt, "refunded", |tally| &mut tally.refunded);
                let refund: RefundVisit = codec::decode(&transaction.content.body)
                    .map_err(|error| anyhow::anyhow!("the body of a refund: {error}"))?;
                self.note_waived(Some(&refund.original), receipt)?;
            }
            ConfirmEffect::NUMBER => {
                let body = &transaction.content.body;
                let confirmed: ConfirmEffect = codec::decode(body)
                    .map_err(|error| anyhow::anyhow!("the body of a confirmation: {error}"))?;
                self.note_failure(state, &confirmed)?;
            }
            SendTransfer::NUMBER | ClaimTransfer::NUMBER | WithdrawTransfer::NUMBER => {
                self.transfers.note(receipt);
            }
            _ => {}
        }
        for effect in &receipt.effects {
            let reference = Effect::reference(receipt.record.transaction_id, effect.number);
            self.note_pending(state, &reference)?;
        }
        Ok(())
    }

    fn count(&mut self, receipt: &Receipt, field: &str, of: fn(&mut Tally) -> &mut Count) {
        let found = receipt.fields.iter().find(|one| &*one.name == field);
        if let Some(FieldValue::Amount(amount)) = found.map(|one| &one.value) {
            let tally = self.visits.entry(amount.currency).or_default();
            of(tally).add(amount.amount.minor());
        }
    }

    /// What providers waive moves no money, so that it stands in the settlement records alone.
    fn note_waived(&mut self, before: Option<&SettlementRecord>, receipt: &Receipt) -> Result<()> {
        let waived = |record: &SettlementRecord| record.paid_by(Payer::HospitalBorne).minor();
        let stands: SettlementRecord = codec::decode(&receipt.witness)
            .map_err(|error| anyhow::anyhow!("a settlement's record: {error}"))?;
        let (before, now) = (before.map_or(0, waived), waived(&stands));
        let total = receipt.fields.iter().find(|one| &*one.name == "total");
        let Some(FieldValue::Amount(total)) = total.map(|one| &one.value) else { return Ok(()) };
        if before != now {
            let tally = self.visits.entry(total.currency).or_default();
            let flow = tally.flow(Payer::HospitalBorne.name());
            flow.paid += now.saturating_sub(before);
            flow.back += before.saturating_sub(now);
        }
        Ok(())
    }

    fn note_failure(&mut self, state: &State, confirmed: &ConfirmEffect) -> Result<()> {
        let EffectResult::Failed { reason } = confirmed.result else { return Ok(()) };
        let is_premium = premium::view::payment(state, &confirmed.effect).is_some();
        if is_premium || claim::view::payout(state, &confirmed.effect).is_some() {
            return Ok(());
        }
        let row = view::effect(state, &confirmed.effect).context("a confirmed payment is gone")?;
        let name = refusal_of_code(reason).map(serde_json::to_value).transpose()?;
        let name = name.as_ref().and_then(|name| name.as_str());
        let reason = name.map_or_else(|| format!("reason {reason}"), str::to_owned);
        let tally = self.visits.entry(row.currency).or_default();
        let list = match row.action {
            EffectAction::Refund => &mut tally.failed_back,
            _ => &mut tally.failed,
        };
        list.entry(reason).or_default().add(row.amount.minor());
        Ok(())
    }

    fn note_pending(&mut self, state: &State, reference: &Hash) -> Result<()> {
        if let Some(payment) = premium::view::payment(state, reference) {
            self.pending += u64::from(payment.status == EffectStatus::Pending);
            return Ok(());
        }
        if let Some(payout) = claim::view::payout(state, reference) {
            self.pending += u64::from(payout.status == EffectStatus::Pending);
            return Ok(());
        }
        let row = view::effect(state, reference).context("an ordered payment is gone")?;
        if row.status == EffectStatus::Pending {
            self.pending += 1;
            let pending = &mut self.visits.entry(row.currency).or_default().pending;
            match row.action {
                EffectAction::Refund => pending.back += row.amount.minor(),
                _ => pending.paid += row.amount.minor(),
            }
        }
        Ok(())
    }
}

/// Visits that were not settled and refunds that were not made, by the stable name of the reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusals {
    /// Visits.
    pub visits: BTreeMap<&'static str, u64>,
    /// Refunds.
    pub refunds: BTreeMap<&'static str, u64>,
    /// Claims that were never brought to insurance.
    pub uninsured: u64,
}

/// The totals of a region as lines for a terminal.
#[must_use]
pub fn lines(tally: &Tally, refusals: &Refusals, currency: Currency) -> Vec<String> {
    let money = |minor: i128| shown(minor, currency);
    let of = |flow: Flow| {
        let permille = (flow.net() * 1_000).checked_div(tally.charged()).unwrap_or(0);
        let share = format!("{}.{} %", permille / 10, permille % 10);
        let (paid, back) = (money(flow.paid.into()), money(flow.back.into()));
        format!("{paid:>18} {back:>16} {:>18} {share:>8}", money(flow.net()))
    };
    let mut lines = vec![
        format!(
            "  {} visits settled, {} refunded in whole or part",
            tally.settled.count, tally.refunded.count
        ),
        format!("  {:<28}{:>18} {:>16} {:>18} {:>8}", "", "", "given back", "in the end", "share"),
        format!(
            "  {:<28}{}",
            "charged",
            of(Flow { paid: tally.settled.minor, back: tally.refunded.minor })
        ),
    ];
    for (source, flow) in &tally.sources {
        lines.push(format!("    paid: {source:<20}{}", of(*flow)));
    }
    for (what, flow) in [
        ("not paid: owed by patients", tally.receivable),
        ("owed to patients", tally.debts),
        ("still on its way", tally.pending),
    ] {
        if flow != Flow::default() {
            lines.push(format!("    {what:<26}{}", of(flow)));
        }
    }
    lines.push(format!("    {:<26}{:>18}", "not accounted for", money(tally.unaccounted())));
    for (what, list) in
        [("payment failed", &tally.failed), ("payment back failed", &tally.failed_back)]
    {
        for (reason, count) in list {
            let minor = money(count.minor.into());
            let label = format!("{what}: {reason}");
            lines.push(format!("  {label:<47} {:>7} {minor:>18}", count.count));
        }
    }
    for (what, list) in [("visit refused", &refusals.visits), ("refund refused", &refusals.refunds)]
    {
        for (reason, count) in list {
            lines.push(format!("  {:<47} {count:>7}", format!("{what}: {reason}")));
        }
    }
    if refusals.uninsured > 0 {
        lines.push(format!("  {:<47} {:>7}", "not brought to insurance", refusals.uninsured));
    }
    lines
}

/// Minor units as `-1,234.56`.
fn shown(minor: i128, currency: Currency) -> String {
    let whole = Amount::from_minor(u64::try_from(minor.unsigned_abs()).unwrap_or(u64::MAX));
    let sign = if minor < 0 { "-" } else { "" };
    format!("{sign}{}", grouped(&whole.to_decimal(currency)))
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
