//! The ledger as a full node has it, behind the gateway's trait.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use gateway::port::{
    Answer, Chain, Committed, IndexedReceipt, Order, PortError, Rehearsal, SignedHeader,
    SubmitError, Submitted, View,
};
use ledger::modules::visit::SettlementRecord;
use ledger::{Registry, Transaction};
use node::runtime::{Direction, Health, NodeHandle, Placed, Subscription, SubscriptionEnd};
use node::signature::FastVerifier;
use primitives::key::WebAuthnContext;
use primitives::{Hash, Party, PublicKey, Signature, SignatureError, VisitId};
use proof::cosign::verify_voucher;
use proof::header::{ChainId, ValidatorSet};
use proof::note::NoteKey;
use proof::policy::Policy;
use proof::receipt::FieldName;
use proof::tile::Tile;
use proof::voucher::{VerifiedVoucher, Voucher};

use super::folder::policies;

/// How long live receipts wait before they try again to read one.
const READ_AGAIN: Duration = Duration::from_secs(1);

/// The chain of a full node.
pub struct NodeChain {
    node: NodeHandle,
    /// Whom vouchers of this log are checked against.
    policies: Vec<Policy>,
}

impl NodeChain {
    /// The chain of the node of this data folder.
    ///
    /// # Errors
    /// When what it lost cannot be read.
    pub fn new(node: NodeHandle, data: &Path) -> anyhow::Result<Self> {
        let policies = policies(data, &node)?
            .iter()
            .map(|text| Policy::parse(text.as_bytes()).context("the policy of this node's log"))
            .collect::<anyhow::Result<_>>()?;
        Ok(Self { node, policies })
    }
}

fn placed(placed: Placed) -> IndexedReceipt {
    IndexedReceipt { index: placed.index, receipt: placed.receipt }
}

fn unreadable(error: impl std::fmt::Display) -> PortError {
    PortError::Failed(error.to_string())
}

fn refused(error: node::runtime::SubmitError) -> SubmitError {
    use node::runtime::SubmitError as Node;
    match error {
        Node::Malformed(error) | Node::Signature(error) => SubmitError::Invalid(error),
        Node::Rejected(rejection) => SubmitError::Rejected(rejection),
        Node::InProgress => SubmitError::InProgress,
        Node::Overloaded { retry_after } => SubmitError::Overloaded { retry_after },
        Node::Unknown { .. } => SubmitError::Unknown,
        Node::Stopped => SubmitError::Stopped,
    }
}

impl Chain for NodeChain {
    fn chain_id(&self) -> ChainId {
        self.node.chain_id()
    }

    fn registry(&self) -> &Registry {
        self.node.registry()
    }

    fn view(&self) -> Arc<View> {
        let view = self.node.view();
        Arc::new(View::whole(view.state.clone(), &view.tip))
    }

    fn verify_signature(
        &self,
        key: &PublicKey,
        message: &Hash,
        signature: &Signature,
    ) -> Result<Option<WebAuthnContext>, SignatureError> {
        primitives::key::verify(&FastVerifier, key, message, signature)
    }

    fn submit(&self, transaction: Transaction, answer: Answer) {
        self.node.submit_with(transaction, move |result| {
            answer(result.map_err(refused).map(|done| Submitted {
                receipt: IndexedReceipt { index: done.receipt_index, receipt: done.receipt },
                is_duplicate: done.is_duplicate,
            }));
        });
    }

    fn rehearse(&self, transaction: Transaction) -> Result<Rehearsal, SubmitError> {
        let rehearsed = self.node.rehearse(transaction).map_err(refused)?;
        Ok(Rehearsal { outcome: rehearsed.outcome, entries: rehearsed.entries })
    }

    fn receipt(&self, index: u64) -> Result<Option<IndexedReceipt>, PortError> {
        let receipt = self.node.receipt_at(index).map_err(unreadable)?;
        Ok(receipt.map(|receipt| IndexedReceipt { index, receipt }))
    }

    fn receipt_of_transaction(&self, id: Hash) -> Result<Option<IndexedReceipt>, PortError> {
        Ok(self.node.receipt_by_transaction(&id).map_err(unreadable)?.map(placed))
    }

    fn receipts_of(
        &self,
        party: Party,
        order: Order,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<IndexedReceipt>, PortError> {
        let direction = match order {
            Order::OldestFirst => Direction::OldestFirst,
            Order::NewestFirst => Direction::NewestFirst,
        };
        let page = self.node.receipts_of(&party, direction, after, limit);
        Ok(page.map_err(unreadable)?.into_iter().map(placed).collect())
    }

    fn issue_voucher(
        &self,
        transaction_id: Hash,
        shown: Option<&[FieldName]>,
    ) -> Result<Option<Voucher>, PortError> {
        self.node.issue_voucher(&transaction_id, shown).map_err(unreadable)
    }

    fn verify_voucher(&self, voucher: &Voucher) -> Option<VerifiedVoucher> {
        let validators = &self.node.view().tip.validators;
        let present = (self.node.log_key(), self.node.chain_id(), validators);
        verify_voucher(voucher, present, &self.policies, &FastVerifier)
    }

    fn log_key(&self) -> Option<NoteKey> {
        Some(self.node.log_key().clone())
    }

    fn checkpoint(&self) -> Result<Option<String>, PortError> {
        self.node.checkpoint().map(|checkpoint| Some(checkpoint.encode())).map_err(unreadable)
    }

    fn tile(&self, tile: Tile) -> Result<Option<Vec<u8>>, PortError> {
        self.node.tile(tile).map_err(unreadable)
    }

    fn header(&self, height: u64) -> Result<Option<SignedHeader>, PortError> {
        let found = self.node.header(height).map_err(unreadable)?;
        Ok(found
            .map(|(header, certificate)| SignedHeader { header, certificate: Some(certificate) }))
    }

    fn subscribe(&self) -> Committed {
        let blocks = self.node.subscribe();
        let next = self.node.view().tip.log.size();
        Box::new(Receipts { node: self.node.clone(), blocks, next, waiting: VecDeque::new() })
    }

    fn validators(&self, hash: Hash) -> Result<Option<ValidatorSet>, PortError> {
        self.node.validators(&hash).map_err(unreadable)
    }

    fn settlement(&self, visit: VisitId) -> Result<Option<SettlementRecord>, PortError> {
        self.node.settlement(visit).map_err(unreadable)
    }
}

/// Receipts one by one, out of the blocks that the node tells of. A listener that was too slow
/// reads what it missed from the history.
struct Receipts {
    node: NodeHandle,
    blocks: Subscription,
    /// The place of the receipt that comes next.
    next: u64,
    waiting: VecDeque<IndexedReceipt>,
}

impl Receipts {
    /// Waits until something is there to hand out. `None` when there will be nothing any more.
    fn fill(&mut self) -> Option<()> {
        while self.waiting.is_empty() {
            match self.blocks.next_block() {
                Ok(block) => {
                    let next = self.next;
                    let new = block.placed().filter(|one| one.index >= next).map(placed);
                    self.waiting.extend(new);
                }
                Err(SubscriptionEnd::TooSlow) => self.catch_up()?,
                Err(SubscriptionEnd::Stopped | SubscriptionEnd::Timeout) => return None,
            }
        }
        Some(())
    }

    /// Reads what was missed. What cannot be read now is tried again for as long as the node runs:
    /// nobody would begin these receipts anew.
    fn catch_up(&mut self) -> Option<()> {
        // First the new subscription, so that nothing falls between it and what is read.
        self.blocks = self.node.subscribe();
        let size = self.node.view().tip.log.size();
        let mut index = self.next;
        while index < size {
            match self.node.receipt_at(index) {
                Ok(Some(receipt)) => {
                    self.waiting.push_back(IndexedReceipt { index, receipt });
                    index = index.saturating_add(1);
                }
                _ if self.node.status() != Health::Running => return None,
                missing => {
                    let error = missing.err().map_or_else(String::new, |error| error.to_string());
                    tracing::error!(index, error, "live receipts wait: one cannot be read");
                    std::thread::sleep(READ_AGAIN);
                }
            }
        }
        Some(())
    }
}

impl Iterator for Receipts {
    type Item = IndexedReceipt;

    fn next(&mut self) -> Option<IndexedReceipt> {
        self.fill()?;
        let receipt = self.waiting.pop_front()?;
        self.next = receipt.index.saturating_add(1);
        Some(receipt)
    }
}
