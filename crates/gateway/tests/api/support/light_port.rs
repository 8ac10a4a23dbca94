//! The port of a light node, whose full node is the ledger in memory: everything that it says of
//! the ledger was asked for and proved.

use std::sync::Arc;

use benefit::Catalogue;
use benefit::source::PlanSource;
use document::ElectronicSeal;
use gateway::api::status::NodeStatus;
use gateway::nhsa::Institution;
use gateway::payments::Payments;
use gateway::port::{BillAccess, Chain, Figure, Port, PortError, VaultError};
use gateway::wallet::Wallet;
use ledger::Genesis;
use light::question::{Answer, Question};
use light::{LightConfig, LightNode, Peer, PeerError, Service, TrustRoot};
use primitives::{Hash, OrganisationId, PublicKey, SignatureError, Verifier, VisitId};
use proof::policy::{Policy, policy_text};

use super::LedgerPort;
use super::keys::{TestVerifier, public};
use super::ledger_port::log_key;

/// Set for a run of the suite in which gateways stand on a light node of the bureau.
pub const CHOICE: &str = "YIBAO_SUITE_PORT";

/// The port on which gateways stand in this run, and how its node is stopped.
pub fn chosen(
    port: &Arc<LedgerPort>,
    genesis: &Genesis,
) -> (Arc<dyn Port>, Box<dyn Fn() + Send + Sync>) {
    match std::env::var(CHOICE).as_deref() {
        Ok("light") => {
            let light = LightPort::of(port, genesis, "bureau");
            let node = light.light.clone();
            (Arc::new(light), Box::new(move || node.stop()))
        }
        _ => {
            let full = Arc::clone(port);
            (port.clone(), Box::new(move || full.stop()))
        }
    }
}

/// A full node in the same process, asked for an organisation.
pub struct Direct {
    pub service: Service,
    pub organisation: OrganisationId,
}

impl Peer for Direct {
    fn ask(&self, question: &Question) -> Result<Answer, PeerError> {
        Ok(self.service.answer(self.organisation, question.clone()))
    }

    fn name(&self) -> String {
        "the ledger in memory".to_owned()
    }
}

/// Checks signatures for real, and waits where the ledger in memory does.
struct Looking(Arc<LedgerPort>);

impl Verifier for Looking {
    fn check_key(&self, key: &PublicKey) -> Result<(), SignatureError> {
        TestVerifier.check_key(key)
    }

    fn verify_raw(
        &self,
        key: &PublicKey,
        message: &[u8],
        signature: &[u8; 64],
    ) -> Result<(), SignatureError> {
        // Headers are followed meanwhile.
        if *key != public("bureau") {
            self.0.look();
        }
        TestVerifier.verify_raw(key, message, signature)
    }
}

pub struct LightPort {
    light: LightNode<Looking>,
    /// What an operator keeps beside its node.
    beside: Arc<LedgerPort>,
}

impl LightPort {
    /// The light node of this organisation.
    pub fn of(full: &Arc<LedgerPort>, genesis: &Genesis, organisation: &str) -> Self {
        let service = Service::new(full.clone()).unwrap();
        let organisation = organisation.parse().unwrap();
        let config = LightConfig {
            root: TrustRoot::of_genesis(genesis),
            peers: vec![Arc::new(Direct { service, organisation })],
            folder: None,
            policies: vec![Policy::parse(policy_text(&log_key(), &[], 0).as_bytes()).unwrap()],
            clock: full.clock(),
            seed: 7,
        };
        let light = LightNode::open(config, Looking(Arc::clone(full))).unwrap();
        Self { light, beside: Arc::clone(full) }
    }
}

impl Port for LightPort {
    fn chain(&self) -> &dyn Chain {
        // The tests change the ledger beside the gateway and look at once.
        self.light.follow().unwrap();
        &self.light
    }

    fn is_ready(&self) -> bool {
        self.beside.is_ready()
    }

    fn figures(&self) -> Vec<Figure> {
        self.beside.figures()
    }

    fn operator(&self) -> OrganisationId {
        self.beside.operator()
    }

    fn seal(&self) -> Option<&ElectronicSeal> {
        self.beside.seal()
    }

    fn status(&self) -> Result<NodeStatus, PortError> {
        self.beside.status()
    }

    fn catalogue(&self, root: Hash) -> Result<Option<Arc<Catalogue>>, PortError> {
        self.beside.catalogue(root)
    }

    fn plan_source(&self, source: Hash) -> Result<Option<Arc<PlanSource>>, PortError> {
        self.beside.plan_source(source)
    }

    fn keep_plan_source(&self, text: &str) -> Result<(), PortError> {
        self.beside.keep_plan_source(text)
    }

    fn put_bill(
        &self,
        visit: VisitId,
        commitment: Hash,
        envelope: &[u8],
    ) -> Result<(), VaultError> {
        self.beside.put_bill(visit, commitment, envelope)
    }

    fn bill(&self, visit: VisitId, commitment: Hash) -> Result<Option<Vec<u8>>, PortError> {
        self.beside.bill(visit, commitment)
    }

    fn bills(&self, visit: VisitId) -> Result<Vec<Hash>, PortError> {
        self.beside.bills(visit)
    }

    fn change_bill(
        &self,
        visit: VisitId,
        commitment: Hash,
        change: &mut dyn FnMut(&[u8]) -> Option<Vec<u8>>,
    ) -> Result<bool, PortError> {
        self.beside.change_bill(visit, commitment, change)
    }

    fn note_bill_access(
        &self,
        visit: VisitId,
        commitment: Hash,
        access: BillAccess,
    ) -> Result<(), PortError> {
        self.beside.note_bill_access(visit, commitment, access)
    }

    fn bill_accesses(
        &self,
        visit: VisitId,
        commitment: Hash,
    ) -> Result<Vec<BillAccess>, PortError> {
        self.beside.bill_accesses(visit, commitment)
    }

    fn payments(&self, organisation: OrganisationId) -> Option<Arc<dyn Payments>> {
        self.beside.payments(organisation)
    }

    fn wallet(&self) -> Option<Arc<Wallet>> {
        self.beside.wallet()
    }

    fn institution(&self, code: &str) -> Option<Arc<Institution>> {
        self.beside.institution(code)
    }

    fn organisation_name(&self, organisation: OrganisationId) -> Option<String> {
        self.beside.organisation_name(organisation)
    }

    fn organisation_names(&self) -> Vec<(OrganisationId, String)> {
        self.beside.organisation_names()
    }
}
