//! The gateway's window: the ledger, from a full node or a light one, and what lies beside it in
//! the data folder.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use benefit::Catalogue;
use benefit::source::PlanSource;
use document::ElectronicSeal;
use gateway::api::status::NodeStatus;
use gateway::nhsa::Institution;
use gateway::payments::Payments;
use gateway::port::{BillAccess, Chain, Figure, Port, PortError, VaultError};
use gateway::wallet::Wallet;
use ledger::modules::visit::{VisitRow, view};
use node::runtime::NodeHandle;
use node::vault_store::{VaultStore, VaultStoreError};
use primitives::{Hash, OrganisationId, VisitId};

use super::chain::NodeChain;
use super::hospital::open_institutions;
use super::library::Library;
use super::notices;
use super::seal::{open_seal, seal_folder, seal_status};
use super::upkeep::Upkeep;
use super::wallet::{open_wallet, organisation_names};

/// How a node runs, for its operator.
pub trait Operations: Send + Sync {
    /// Whether it takes transactions and its books work.
    fn is_ready(&self) -> bool;
    /// Figures for the metrics.
    fn figures(&self) -> Vec<Figure>;
    /// Who runs it.
    fn operator(&self) -> OrganisationId;
    /// How it is.
    fn status(&self) -> NodeStatus;
    /// The payments outside of an organisation, if this node drives its rails.
    fn payments(&self, organisation: OrganisationId) -> Option<Arc<dyn Payments>>;
}

/// A node as the gateway sees it.
pub struct NodePort {
    chain: Arc<dyn Chain>,
    operations: Arc<dyn Operations>,
    kept: Library,
    wallet: Option<Arc<Wallet>>,
    names: BTreeMap<OrganisationId, String>,
    /// By their codes in the national list.
    institutions: BTreeMap<String, Arc<Institution>>,
    seal: Option<ElectronicSeal>,
}

impl NodePort {
    /// The port of the full node of this data folder, with what is looked after beside it.
    ///
    /// # Errors
    /// What is wrong with a file of the wallet services.
    pub fn new(node: &NodeHandle, data: PathBuf, upkeep: Arc<Upkeep>) -> anyhow::Result<Self> {
        let (state, clock) = (&node.view().state, upkeep.clock());
        let wallet = open_wallet(&data, state, upkeep.all_payments(), clock)?;
        let chain = Arc::new(NodeChain::new(node.clone(), &data)?);
        Self::over(chain, upkeep, data, wallet)
    }

    /// The port over any chain.
    ///
    /// # Errors
    /// What is wrong with a file beside it.
    pub fn over(
        chain: Arc<dyn Chain>,
        operations: Arc<dyn Operations>,
        data: PathBuf,
        wallet: Option<Arc<Wallet>>,
    ) -> anyhow::Result<Self> {
        let names = organisation_names(&data)?;
        let institutions = open_institutions(&data)?;
        let seal = open_seal(&seal_folder(&data, operations.operator()))?;
        let kept = Library::new(data);
        Ok(Self { chain, operations, kept, wallet, names, institutions, seal })
    }

    /// The ledger behind it.
    #[must_use]
    pub fn shared_chain(&self) -> Arc<dyn Chain> {
        Arc::clone(&self.chain)
    }

    /// The vault in which a visit's bills are: its provider's. `None` for a visit of which nothing
    /// is known.
    fn vault_of(&self, visit: VisitId) -> Result<Option<Arc<VaultStore>>, PortError> {
        let provider = match view::visit(self.chain.view().rows(), visit) {
            Some(VisitRow::Open(open)) => open.subject.provider,
            Some(VisitRow::Settled(_)) => match self.chain.settlement(visit)? {
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

fn unreadable(error: impl std::fmt::Display) -> PortError {
    PortError::Failed(error.to_string())
}

fn unreadable_chain(error: anyhow::Error) -> PortError {
    PortError::Failed(format!("{error:#}"))
}

impl Port for NodePort {
    fn chain(&self) -> &dyn Chain {
        &*self.chain
    }

    fn is_ready(&self) -> bool {
        self.operations.is_ready()
    }

    fn operator(&self) -> OrganisationId {
        self.operations.operator()
    }

    fn status(&self) -> Result<NodeStatus, PortError> {
        let seal = self.seal.as_ref().map(seal_status);
        Ok(NodeStatus { seal, ..self.operations.status() })
    }

    fn figures(&self) -> Vec<Figure> {
        let post = self.wallet.as_ref().map(|wallet| &*wallet.notices.post);
        let mut figures = self.operations.figures();
        figures.extend(notices::figures(post));
        let until = self.seal.as_ref().map_or(0, |seal| seal.holder().until.millis() / 1_000);
        let meaning = "Until when the certificate of the seal on sheets holds; 0 for none";
        figures.push(Figure::count("seal_expires_timestamp_seconds", meaning, until));
        figures
    }

    fn seal(&self) -> Option<&ElectronicSeal> {
        self.seal.as_ref()
    }

    fn catalogue(&self, root: Hash) -> Result<Option<Arc<Catalogue>>, PortError> {
        self.kept.catalogue(root).map_err(unreadable_chain)
    }

    fn plan_source(&self, source: Hash) -> Result<Option<Arc<PlanSource>>, PortError> {
        self.kept.plan(source).map_err(unreadable_chain)
    }

    fn keep_plan_source(&self, text: &str) -> Result<(), PortError> {
        self.kept.keep_plan(text).map_err(unreadable_chain)
    }

    fn put_bill(
        &self,
        visit: VisitId,
        commitment: Hash,
        envelope: &[u8],
    ) -> Result<(), VaultError> {
        let vault = self.vault_of(visit)?;
        let vault =
            vault.ok_or_else(|| PortError::Failed(format!("visit {visit} is not known")))?;
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
        let vault =
            vault.ok_or_else(|| PortError::Failed(format!("visit {visit} has no such bill")))?;
        let BillAccess { day, organisation, audit } = access;
        vault.note_access(commitment, day, organisation, audit).map_err(unreadable)
    }

    fn bill_accesses(
        &self,
        visit: VisitId,
        commitment: Hash,
    ) -> Result<Vec<BillAccess>, PortError> {
        let Some(vault) = self.vault_with(visit, commitment)? else { return Ok(Vec::new()) };
        let accesses = vault.accesses(commitment).map_err(unreadable)?.into_iter();
        let access = |(day, organisation, audit)| BillAccess { day, organisation, audit };
        Ok(accesses.map(access).collect())
    }

    fn payments(&self, organisation: OrganisationId) -> Option<Arc<dyn Payments>> {
        self.operations.payments(organisation)
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
