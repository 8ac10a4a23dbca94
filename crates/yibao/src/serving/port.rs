//! The gateway's window on the ledger, opened on a full node.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use benefit::Catalogue;
use benefit::source::PlanSource;
use gateway::api::status::NodeStatus;
use gateway::nhsa::Institution;
use gateway::payments::Payments;
use gateway::port::{
    Answer, BillAccess, Committed, Figure, IndexedReceipt, Order, Port, PortError, Rehearsal,
    SignedHeader, SubmitError, Submitted, VaultError, View,
};
use gateway::wallet::Wallet;
use ledger::modules::visit::{SettlementRecord, VisitRow, view};
use ledger::{Registry, Transaction};
use node::runtime::{Direction, Health, NodeHandle, Placed, Subscription, SubscriptionEnd};
use node::signature::FastVerifier;
use node::vault_store::{VaultStore, VaultStoreError};
use primitives::key::WebAuthnContext;
use primitives::{Hash, OrganisationId, Party, PublicKey, Signature, SignatureError, VisitId};
use proof::header::ChainId;
use proof::policy::Policy;
use proof::receipt::FieldName;
use proof::tile::Tile;
use proof::voucher::{VerifiedVoucher, Voucher};

use super::figures;
use super::folder::policies;
use super::hospital::open_institutions;
use super::library::Library;
use super::upkeep::Upkeep;
use super::wallet::{open_wallet, organisation_names};

/// How long live receipts wait before they try again to read one.
const READ_AGAIN: Duration = Duration::from_secs(1);

/// A full node as the gateway sees it.
pub struct NodePort {
    node: NodeHandle,
    kept: Library,
    upkeep: Arc<Upkeep>,
    wallet: Option<Arc<Wallet>>,
    names: BTreeMap<OrganisationId, String>,
    /// By their codes in the national list.
    institutions: BTreeMap<String, Arc<Institution>>,
    /// Whom vouchers of this log are checked against.
    policies: Vec<Policy>,
}

impl NodePort {
    /// The port of the node of this data folder, with what is looked after beside it.
    ///
    /// # Errors
    /// What is wrong with a file of the wallet services.
    pub fn new(node: NodeHandle, data: PathBuf, upkeep: Arc<Upkeep>) -> anyhow::Result<Self> {
        let wallet = open_wallet(&data, &node.view().state, upkeep.all_payments())?;
        let names = organisation_names(&data)?;
        let institutions = open_institutions(&data)?;
        let policies = policies(&data, &node)?
            .iter()
            .map(|text| Policy::parse(text.as_bytes()).context("the policy of this node's log"))
            .collect::<anyhow::Result<_>>()?;
        let kept = Library::new(data);
        Ok(Self { node, kept, upkeep, wallet, names, institutions, policies })
    }

    /// The vault in which a visit's bills are: its provider's. `None` for a visit of which nothing
    /// is known.
    fn vault_of(&self, visit: VisitId) -> Result<Option<Arc<VaultStore>>, PortError> {
        let provider = match view::visit(&self.node.view().state, visit) {
            Some(VisitRow::Open(open)) => open.subject.provider,
            Some(VisitRow::Settled(_)) => match self.node.settlement(visit).map_err(unreadable)? {
                Some(record) => record.subject.provider,
                None => return Ok(None),
            },
            Some(VisitRow::Cancelled) | None => return Ok(None),
        };
        self.kept.vault(provider).map(Some).map_err(unreadable_chain)
    }

    /// The vault of a visit that has a bill under this commitment: who may see this visit may not
    /// see another one's bill under its commitment.
    fn vault_with(
        &self,
        visit: VisitId,
        commitment: Hash,
    ) -> Result<Option<Arc<VaultStore>>, PortError> {
        let Some(vault) = self.vault_of(visit)? else { return Ok(None) };
        let is_listed = vault.list_by_visit(visit).map_err(unreadable)?.contains(&commitment);
        Ok(is_listed.then_some(vault))
    }
}

fn unreadable_chain(error: anyhow::Error) -> PortError {
    PortError(format!("{error:#}"))
}

fn placed(placed: Placed) -> IndexedReceipt {
    IndexedReceipt { index: placed.index, receipt: placed.receipt }
}

fn unreadable(error: impl std::fmt::Display) -> PortError {
    PortError(error.to_string())
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

impl Port for NodePort {
    fn chain_id(&self) -> ChainId {
        self.node.chain_id()
    }

    fn registry(&self) -> &Registry {
        self.node.registry()
    }

    fn view(&self) -> Arc<View> {
        let view = self.node.view();
        Arc::new(View { state: view.state.clone(), tip: view.tip.clone() })
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
        let judged = self.policies.iter().map(|policy| voucher.verify(policy, &FastVerifier));
        judged.filter_map(Result::ok).next()
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

    fn is_ready(&self) -> bool {
        self.upkeep.is_ready()
    }

    fn operator(&self) -> OrganisationId {
        self.upkeep.operator()
    }

    fn status(&self) -> Result<NodeStatus, PortError> {
        Ok(self.upkeep.status())
    }

    fn figures(&self) -> Vec<Figure> {
        let node = figures::of_node(&self.node);
        node.into_iter().chain(self.upkeep.figures()).collect()
    }

    fn settlement(&self, visit: VisitId) -> Result<Option<SettlementRecord>, PortError> {
        self.node.settlement(visit).map_err(unreadable)
    }

    fn catalogue(&self, root: Hash) -> Result<Option<Arc<Catalogue>>, PortError> {
        self.kept.catalogue(root).map_err(unreadable_chain)
    }

    fn plan_source(&self, source: Hash) -> Result<Option<Arc<PlanSource>>, PortError> {
        self.kept.plan(source).map_err(unreadable_chain)
    }

    fn put_bill(
        &self,
        visit: VisitId,
        commitment: Hash,
        envelope: &[u8],
    ) -> Result<(), VaultError> {
        let vault = self.vault_of(visit)?;
        let vault = vault.ok_or_else(|| PortError(format!("visit {visit} is not known")))?;
        vault.put(visit, commitment, envelope).map_err(|error| match error {
            VaultStoreError::Taken(_) => VaultError::Taken,
            VaultStoreError::TooMany => VaultError::TooMany,
            other => VaultError::Failed(unreadable(other)),
        })
    }

    fn bill(&self, visit: VisitId, commitment: Hash) -> Result<Option<Vec<u8>>, PortError> {
        let Some(vault) = self.vault_with(visit, commitment)? else { return Ok(None) };
        vault.get(&commitment).map_err(unreadable)
    }

    fn change_bill(
        &self,
        visit: VisitId,
        commitment: Hash,
        change: &mut dyn FnMut(&[u8]) -> Option<Vec<u8>>,
    ) -> Result<bool, PortError> {
        let Some(vault) = self.vault_with(visit, commitment)? else { return Ok(false) };
        vault.change(commitment, change).map(|()| true).map_err(unreadable)
    }

    fn note_bill_access(
        &self,
        visit: VisitId,
        commitment: Hash,
        access: BillAccess,
    ) -> Result<(), PortError> {
        let vault = self.vault_with(visit, commitment)?;
        let vault = vault.ok_or_else(|| PortError(format!("visit {visit} has no such bill")))?;
        vault.note_access(commitment, access.day, access.organisation).map_err(unreadable)
    }

    fn bill_accesses(
        &self,
        visit: VisitId,
        commitment: Hash,
    ) -> Result<Vec<BillAccess>, PortError> {
        let Some(vault) = self.vault_with(visit, commitment)? else { return Ok(Vec::new()) };
        let accesses = vault.accesses(commitment).map_err(unreadable)?.into_iter();
        Ok(accesses.map(|(day, organisation)| BillAccess { day, organisation }).collect())
    }

    fn payments(&self, organisation: OrganisationId) -> Option<Arc<dyn Payments>> {
        let own = self.upkeep.payments(organisation)?;
        Some(Arc::clone(own) as Arc<dyn Payments>)
    }

    fn wallet(&self) -> Option<Arc<Wallet>> {
        self.wallet.clone()
    }

    fn institution(&self, code: &str) -> Option<Arc<Institution>> {
        self.institutions.get(code).cloned()
    }

    fn organisation_name(&self, organisation: OrganisationId) -> Option<String> {
        self.names.get(&organisation).cloned()
    }

    fn organisation_names(&self) -> Vec<(OrganisationId, String)> {
        self.names.iter().map(|(id, name)| (*id, name.clone())).collect()
    }

    fn bills(&self, visit: VisitId) -> Result<Vec<Hash>, PortError> {
        let Some(vault) = self.vault_of(visit)? else { return Ok(Vec::new()) };
        vault.list_by_visit(visit).map_err(unreadable)
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
