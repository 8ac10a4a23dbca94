//! What must hold in every world, looked at from outside: after every block, after every start, and
//! when all is quiet at the end.
//!
//! The checkers keep models of their own, made from blocks and receipts alone, and compare the
//! ledger's state, the bank's books and the clients' knowledge with them. Reading order: this file,
//! [`log`], [`money`], [`keys`], [`visits`], [`plans`], [`premiums`], [`transfers`], [`regions`],
//! [`effects`], [`recovery`].

pub mod effects;
pub mod keys;
mod later;
pub mod log;
pub mod money;
pub mod plans;
pub mod premiums;
pub mod recovery;
pub mod regions;
pub mod transfers;
pub mod visits;

use std::fmt;
use std::sync::Arc;

use ledger::kernel::block::Block;
use ledger::{Content, Receipt, State};
use node::NodeHandle;
use node::runtime::{ReadView, Submitted};
use primitives::{Hash, Timestamp};
use proof::receipt::OutcomeCode;

use crate::planted::{Lens, Shown};

/// What must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// Balances are what the entries of the receipts add up to, and add up to zero; what came in
    /// and went out is what was ordered.
    MoneyConserved,
    /// No account gives what it does not have.
    Floor,
    /// What was acknowledged, or shown to anybody, is there after every start, at the same place,
    /// with the same bytes.
    AcknowledgedKept,
    /// The receipt log only grows, and is what headers and proofs say.
    AppendOnly,
    /// A visit is settled once; only the settlement that stands can be changed, and once.
    SettledOnce,
    /// A transaction and a key against doing it twice are accepted once.
    KeyOnce,
    /// What was rejected changed nothing, and what nobody may do was not done.
    Refused,
    /// The ledger, the outboxes and the books of bank and tills agree.
    EffectsAgree,
    /// Running amounts are what the settlements that stand add up to.
    Accumulators,
    /// Adjudicating again from the record gives the same bytes.
    Explanation,
    /// What regions owe each other is what moved between them, stated, answered and paid, in both
    /// directions.
    BetweenRegions,
    /// A premium is paid once, within what a grant of mutual aid offers, and goes back to the
    /// account that paid it.
    PremiumOnce,
    /// Money goes from wallet to wallet within the day's limits, never at night, and each transfer
    /// is claimed or comes back, once; what waits is what is held.
    TransferOnce,
    /// The node starts from what its disk has, and comes to the same state by every way.
    Recovery,
    /// The node does not stop without a reason.
    StaysUp,
    /// When all is quiet, nothing is left undone.
    Quiescence,
    /// The simulator's own clients get their honest work done.
    Workload,
}

/// A rule that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub rule: Rule,
    /// What was seen.
    pub detail: String,
}

impl Violation {
    /// A rule that does not hold, and what was seen.
    pub fn new(rule: Rule, detail: impl fmt::Display) -> Self {
        Self { rule, detail: detail.to_string() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.rule, self.detail)
    }
}

/// `Ok` when the condition holds, else the violation of this rule.
pub(crate) fn require(
    rule: Rule,
    condition: bool,
    detail: impl FnOnce() -> String,
) -> Result<(), Violation> {
    if condition { Ok(()) } else { Err(Violation::new(rule, detail())) }
}

/// One executed transaction, as checkers look at it.
pub(crate) struct Executed<'a> {
    /// Block time.
    pub time: Timestamp,
    /// Its content.
    pub content: &'a Content,
    /// Its receipt.
    pub receipt: &'a Receipt,
    /// The receipt's place in the log.
    pub index: u64,
}

impl Executed<'_> {
    /// Whether it was accepted.
    pub(crate) fn is_accepted(&self) -> bool {
        self.receipt.record.outcome == OutcomeCode::Accepted
    }

    /// The body, when it is of this kind.
    pub(crate) fn body<K: ledger::kernel::registry::Kind>(&self) -> Option<K> {
        if self.content.kind != K::NUMBER {
            return None;
        }
        primitives::codec::decode(&self.content.body).ok()
    }
}

/// How much of the state is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// What the last blocks touched.
    Touched,
    /// Everything that was ever touched.
    All,
}

/// All checkers of a world.
pub struct Audit {
    /// The receipt log and what was acknowledged.
    pub log: log::LogCheck,
    /// Money.
    pub money: money::MoneyCheck,
    /// Keys against doing it twice.
    pub keys: keys::KeyCheck,
    /// Published plans.
    pub plans: plans::PlanCheck,
    /// Visits and running amounts.
    pub visits: visits::VisitCheck,
    /// Premiums that accounts pay.
    pub premiums: premiums::PremiumCheck,
    /// Money from wallet to wallet.
    pub transfers: transfers::TransferCheck,
    /// What regions owe each other.
    pub regions: regions::RegionCheck,
    /// Payments outside.
    pub effects: effects::EffectCheck,
    lens: Option<Lens>,
}

impl Audit {
    /// The checkers of a new world.
    #[must_use]
    pub fn new(lens: Option<Lens>) -> Self {
        Self {
            log: log::LogCheck::default(),
            money: money::MoneyCheck::default(),
            keys: keys::KeyCheck::default(),
            plans: plans::PlanCheck::default(),
            visits: visits::VisitCheck::default(),
            premiums: premiums::PremiumCheck::default(),
            transfers: transfers::TransferCheck::default(),
            regions: regions::RegionCheck::default(),
            effects: effects::EffectCheck::default(),
            lens,
        }
    }

    /// A client was told that its transaction was executed.
    ///
    /// # Errors
    /// When the receipt is not the one that was shown before.
    pub fn acknowledged(&mut self, id: Hash, submitted: &Submitted) -> Result<(), Violation> {
        self.log.acknowledged(id, submitted.receipt_index, &submitted.receipt)
    }

    /// Reads every block that came since the last time, and the state after them.
    ///
    /// # Errors
    /// When something cannot be read.
    pub fn read(&self, node: &NodeHandle) -> Result<(Shown, Arc<ReadView>), Violation> {
        let view = node.view();
        let mut shown = Shown { blocks: Vec::new(), state: view.state.clone() };
        for height in self.log.height() + 1..=view.tip.height {
            shown.blocks.push(read_block(node, height)?);
        }
        Ok((shown, view))
    }

    /// Judges what was read.
    ///
    /// # Errors
    /// The first rule that does not hold.
    pub fn judge(
        &mut self,
        mut shown: Shown,
        view: &ReadView,
        scope: Scope,
    ) -> Result<(), Violation> {
        if let Some(lens) = &mut self.lens {
            lens(&mut shown);
        }
        for (block, receipts) in &shown.blocks {
            self.block(block, receipts)?;
        }
        self.log.compare_tip(view)?;
        self.compare(&shown.state, scope)
    }

    fn block(&mut self, block: &Block, receipts: &[Receipt]) -> Result<(), Violation> {
        let first = self.log.size();
        self.log.block(block, receipts)?;
        for ((index, transaction), receipt) in (first..).zip(&block.transactions).zip(receipts) {
            let time = block.header.time;
            let executed = Executed { time, content: &transaction.content, receipt, index };
            check_form(&executed)?;
            self.keys.executed(&executed)?;
            if executed.is_accepted() {
                self.plans.accepted(&executed);
                self.money.accepted(&executed)?;
                self.visits.accepted(&executed, &self.plans)?;
                self.premiums.accepted(&executed)?;
                self.transfers.accepted(&executed)?;
                self.regions.accepted(&executed)?;
                self.effects.accepted(&executed)?;
            }
        }
        Ok(())
    }

    fn compare(&mut self, state: &State, scope: Scope) -> Result<(), Violation> {
        self.money.compare(state, scope)?;
        self.visits.compare(state, scope)?;
        self.premiums.compare(state, scope)?;
        self.transfers.compare(state, scope)?;
        self.regions.compare(state, scope)?;
        self.effects.compare(state, scope)
    }
}

fn read_block(node: &NodeHandle, height: u64) -> Result<(Block, Vec<Receipt>), Violation> {
    let missing = |what: &str| Violation::new(Rule::AcknowledgedKept, format!("{what} {height}"));
    let block = node.block(height).map_err(|error| missing(&format!("{error}, block")))?;
    let block = block.ok_or_else(|| missing("there is no block"))?;
    let count = block.transactions.len() as u64;
    let last = block.header.receipt_log_size;
    let receipts = (last.saturating_sub(count)..last).map(|index| read_receipt(node, index));
    Ok((block, receipts.collect::<Result<_, _>>()?))
}

/// A receipt that must be there.
pub(crate) fn read_receipt(node: &NodeHandle, index: u64) -> Result<Receipt, Violation> {
    let lost = |words: String| Violation::new(Rule::AcknowledgedKept, words);
    let receipt =
        node.receipt_at(index).map_err(|error| lost(format!("receipt {index}: {error}")))?;
    let receipt = receipt.ok_or_else(|| lost(format!("there is no receipt {index}")))?;
    Ok(Receipt::clone(&receipt))
}

/// A receipt is about its transaction, and a rejected one has no consequence.
fn check_form(executed: &Executed<'_>) -> Result<(), Violation> {
    let (receipt, content) = (executed.receipt, executed.content);
    let is_about = receipt.record.transaction_id == content.id()
        && receipt.record.kind == content.kind
        && receipt.record.time == executed.time;
    let index = executed.index;
    require(Rule::AppendOnly, is_about, || format!("receipt {index} is of another transaction"))?;
    let is_empty = receipt.entries.is_empty()
        && receipt.effects.is_empty()
        && receipt.events.is_empty()
        && receipt.witness.is_empty();
    require(Rule::Refused, executed.is_accepted() || is_empty, || {
        format!("the rejected transaction of receipt {index} left something behind")
    })
}

#[cfg(test)]
pub(crate) mod example {
    //! Executed transactions for the checkers' own tests.

    use ledger::kernel::registry::Kind;
    use ledger::kernel::transaction::TRANSACTION_VERSION;
    use ledger::{Content, IdempotencyKey, Receipt};
    use primitives::{Hash, Party, Timestamp, codec};
    use proof::receipt::{OutcomeCode, RECEIPT_VERSION, ReceiptRecord};

    use super::Executed;

    /// The content of a body by the bureau under a key, valid for a minute after the second minute.
    pub(crate) fn content<K: Kind>(body: &K, key: u8) -> Content {
        Content {
            version: TRANSACTION_VERSION,
            chain_id: "sim".parse().unwrap(),
            author: Party::Organisation("bureau".parse().unwrap()),
            idempotency_key: IdempotencyKey([key; 16]),
            valid_until: Timestamp::from_millis(180_000),
            kind: K::NUMBER,
            body: codec::encode(body),
        }
    }

    /// A receipt that accepts a content, without any consequence.
    pub(crate) fn receipt(content: &Content) -> Receipt {
        Receipt {
            record: ReceiptRecord {
                version: RECEIPT_VERSION,
                chain_id: content.chain_id,
                height: 1,
                index_in_block: 0,
                time: Timestamp::from_millis(120_000),
                transaction_id: content.id(),
                kind: content.kind,
                outcome: OutcomeCode::Accepted,
                commitments: Vec::new(),
            },
            seed: Hash::default(),
            fields: Vec::new(),
            entries: Vec::new(),
            events: Vec::new(),
            effects: Vec::new(),
            witness: Vec::new(),
            rejection_detail: None,
            concerns: Vec::new(),
        }
    }

    /// Both together, executed at this minute.
    pub(crate) fn executed<'a>(
        content: &'a Content,
        receipt: &'a Receipt,
        minute: u64,
    ) -> Executed<'a> {
        Executed { time: Timestamp::from_millis(minute * 60_000), content, receipt, index: 0 }
    }
}
