//! The one window through which the gateway sees the ledger.
//!
//! A full node and a light node both stand behind it; one suite of tests holds for both. Everything
//! here may block on a disk, so the gateway calls it from threads made for that; only
//! [`Port::submit`] answers later and by itself.

use std::sync::Arc;
use std::time::Duration;

use benefit::Catalogue;
use benefit::source::PlanSource;
use document::ElectronicSeal;
use ledger::kernel::block::Tip;
use ledger::kernel::overlay::Base;
use ledger::kernel::posting::PostedEntry;
use ledger::kernel::receipt::Outcome;
use ledger::kernel::state::StateProof;
use ledger::kernel::transaction::TransactionError;
use ledger::modules::visit::SettlementRecord;
use ledger::{Receipt, Registry, Rejection, State, Transaction};
use primitives::key::WebAuthnContext;
use primitives::{
    CivilDate, Hash, OrganisationId, Party, PublicKey, Signature, SignatureError, Timestamp,
    VisitId,
};
use proof::header::{Certificate, ChainId, Header, ValidatorSet};
use proof::note::NoteKey;
use proof::receipt::FieldName;
use proof::tile::Tile;
use proof::voucher::{VerifiedVoucher, Voucher};

use crate::api::status::NodeStatus;
use crate::nhsa::Institution;
use crate::payments::Payments;
use crate::problem::{Problem, code};
use crate::wallet::Wallet;

/// The rows of the ledger after one block: all of them here, or fetched with proofs when they are
/// read.
pub trait Rows: Base + Send + Sync {
    /// The hash that stands for all of them.
    fn root(&self) -> Hash;

    /// How many there are.
    fn entry_count(&self) -> u64;

    /// The proof about the row under a key; `None` when it cannot be had.
    fn prove(&self, key: &[u8]) -> Option<StateProof>;

    /// What kept a row from being read. Whatever was concluded since from these rows is void: a row
    /// that could not be read looks like one that is not there.
    fn trouble(&self) -> Option<Trouble> {
        None
    }

    /// Whether reading never waits for another node.
    fn is_at_hand(&self) -> bool {
        true
    }
}

impl Rows for State {
    fn root(&self) -> Hash {
        Self::root(self)
    }

    fn entry_count(&self) -> u64 {
        Self::entry_count(self)
    }

    fn prove(&self, key: &[u8]) -> Option<StateProof> {
        Some(Self::prove(self, key))
    }
}

/// Why a row could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It is not for the organisation of this node.
    NotShown,
    /// No other node could be asked, or none told the truth; for the log.
    Unreachable(String),
}

/// The ledger after one block. A view never changes; a later block is another view.
#[derive(Clone)]
pub struct View {
    /// All rows.
    pub state: Arc<dyn Rows>,
    /// Where the ledger stood.
    pub tip: Head,
}

/// Where a ledger stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The last block's height; 0 before the first.
    pub height: u64,
    /// Its time, or genesis time.
    pub time: Timestamp,
    /// How many receipts the log has.
    pub receipts: u64,
    /// Who certifies the next block.
    pub validators: ValidatorSet,
}

impl View {
    /// The view of a node that keeps all rows.
    #[must_use]
    pub fn whole(state: State, tip: &Tip) -> Self {
        let tip = Head {
            height: tip.height,
            time: tip.time,
            receipts: tip.log.size(),
            validators: tip.validators.clone(),
        };
        Self { state: Arc::new(state), tip }
    }

    /// The rows.
    #[must_use]
    pub fn rows(&self) -> &dyn Rows {
        &*self.state
    }

    /// Whether everything that was asked of it could be read.
    ///
    /// # Errors
    /// `not_yours` when something is not for the organisation of this node, `unavailable` when no
    /// other node could be asked.
    pub fn check(&self) -> Result<(), Problem> {
        match self.state.trouble() {
            None => Ok(()),
            Some(Trouble::NotShown) => Err(Problem::new(&code::NOT_YOURS)),
            Some(Trouble::Unreachable(reason)) => {
                tracing::warn!(reason, "a row could not be read");
                Err(Problem::new(&code::UNAVAILABLE))
            }
        }
    }
}

/// A receipt with its place in the receipt log, which is also its id in the API.
#[derive(Clone, Debug)]
pub struct IndexedReceipt {
    /// The place; the first is 0.
    pub index: u64,
    /// The receipt.
    pub receipt: Arc<Receipt>,
}

/// The answer to a transaction that was executed, now or earlier.
#[derive(Clone, Debug)]
pub struct Submitted {
    /// What the ledger answered.
    pub receipt: IndexedReceipt,
    /// Whether this very transaction had been executed before.
    pub is_duplicate: bool,
}

/// Why a transaction was not executed. But for [`SubmitError::Unknown`], nothing was changed and
/// nothing is kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// It is not well-formed, not validly signed, or registers an invalid key.
    #[error("{0}")]
    Invalid(TransactionError),
    /// It may not be tried.
    #[error("{0}")]
    Rejected(Rejection),
    /// A transaction with the same author and idempotency key is on its way.
    #[error("a transaction with this idempotency key is in progress")]
    InProgress,
    /// There is more to do than can be done now.
    #[error("the node is overloaded")]
    Overloaded {
        /// When to try again.
        retry_after: Duration,
    },
    /// The node stopped while the transaction stood in a block: it may or may not have happened.
    #[error("whether the transaction happened is not known yet")]
    Unknown,
    /// The node is stopping, or stopped because something is wrong with it.
    #[error("the node is not taking transactions")]
    Stopped,
}

/// Which way a list of receipts goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// From the first receipt on.
    OldestFirst,
    /// From the last receipt back.
    NewestFirst,
}

impl Order {
    /// Whether a place of the log lies behind another in this order; behind none everything does.
    #[must_use]
    pub const fn is_behind(self, place: u64, other: Option<u64>) -> bool {
        match (self, other) {
            (_, None) => true,
            (Self::OldestFirst, Some(other)) => place > other,
            (Self::NewestFirst, Some(other)) => place < other,
        }
    }
}

/// Takes the answer to one submitted transaction, once, from any thread; it does not block.
pub type Answer = Box<dyn FnOnce(Result<Submitted, SubmitError>) + Send>;

/// What a rehearsed transaction would do.
#[derive(Clone, Debug)]
pub struct Rehearsal {
    /// Its facts, events and effects.
    pub outcome: Outcome,
    /// What it would post.
    pub entries: Vec<PostedEntry>,
}

/// Why something could not be read. The cause is for the log, not the user.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// A disk failed, or what is on it is damaged.
    #[error("the node could not read its own data: {0}")]
    Failed(String),
    /// No other node could be asked, or none told the truth.
    #[error("no other node could be asked: {0}")]
    Unreachable(String),
}

/// A header with what makes it final.
#[derive(Clone, Debug)]
pub struct SignedHeader {
    /// The header.
    pub header: Header,
    /// The validators' signatures.
    pub certificate: Option<Certificate>,
}

/// A figure for operators. An aggregate: it is shown to everybody who may see the metrics.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// Its name in the metrics, such as `node_waiting_transactions`.
    pub name: &'static str,
    /// What it says.
    pub meaning: &'static str,
    /// How much.
    pub value: FigureValue,
}

/// What a figure says.
#[derive(Clone, Debug, PartialEq)]
pub enum FigureValue {
    /// How things stand now.
    Gauge(f64),
    /// What has happened since the node was opened: it never falls.
    Total(u64),
    /// The same for each value of a label.
    TotalBy(&'static str, Vec<(String, u64)>),
    /// How things stand now for each value of a label.
    GaugeBy(&'static str, Vec<(String, f64)>),
    /// How long things took since the node was opened.
    Durations(Durations),
}

/// How long things of one sort took.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Durations {
    /// Upper bounds in seconds, each with how many took at most so long and longer than the bound
    /// before.
    pub counts: Vec<(f64, u64)>,
    /// How long all of them took together, in seconds.
    pub sum: f64,
}

impl Figure {
    /// A figure that says how things stand.
    #[must_use]
    pub const fn gauge(name: &'static str, meaning: &'static str, value: f64) -> Self {
        Self { name, meaning, value: FigureValue::Gauge(value) }
    }

    /// A figure of a whole number that says how things stand.
    #[must_use]
    pub fn count(name: &'static str, meaning: &'static str, value: u64) -> Self {
        // Above 2^53 a figure is rounded, which no figure here comes near.
        Self::gauge(name, meaning, value as f64)
    }

    /// A figure that counts what happens.
    #[must_use]
    pub const fn total(name: &'static str, meaning: &'static str, value: u64) -> Self {
        Self { name, meaning, value: FigureValue::Total(value) }
    }
}

/// Why an envelope was not kept.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// Another envelope is kept under the same commitment.
    #[error("another envelope is kept under this commitment")]
    Taken,
    /// The visit has as many envelopes as it may have.
    #[error("the visit has too many documents")]
    TooMany,
    /// The store failed.
    #[error(transparent)]
    Failed(#[from] PortError),
}

/// That an organisation other than the provider was handed a sealed bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BillAccess {
    /// On which day, in the calendar of the insured place.
    pub day: CivilDate,
    /// Who.
    pub organisation: OrganisationId,
    /// For which audit of the insured place, if it was for one.
    pub audit: Option<u32>,
}

/// Receipts as they are committed, in the order of the log. Waits for the next one; ends when the
/// node stops.
pub type Committed = Box<dyn Iterator<Item = IndexedReceipt> + Send>;

/// The ledger as a node knows it: a full one, which keeps everything, or a light one, which asks
/// others and believes proofs only.
pub trait Chain: Send + Sync {
    /// The ledger's name.
    fn chain_id(&self) -> ChainId;

    /// The kinds of transaction it knows.
    fn registry(&self) -> &Registry;

    /// The ledger as it stands now. Cheap: it is asked for with every request.
    fn view(&self) -> Arc<View>;

    /// Whether the signature is the key's over this message, by the one definition of validity.
    ///
    /// # Errors
    /// The first rule that does not hold.
    fn verify_signature(
        &self,
        key: &PublicKey,
        message: &Hash,
        signature: &Signature,
    ) -> Result<Option<WebAuthnContext>, SignatureError>;

    /// Puts a transaction on its way. The answer comes when it is durable or will not happen.
    fn submit(&self, transaction: Transaction, answer: Answer);

    /// Executes a transaction on the present state and forgets it again.
    ///
    /// # Errors
    /// Why it would not happen.
    fn rehearse(&self, transaction: Transaction) -> Result<Rehearsal, SubmitError>;

    /// The receipt at this place of the log.
    ///
    /// # Errors
    /// When it cannot be read.
    fn receipt(&self, index: u64) -> Result<Option<IndexedReceipt>, PortError>;

    /// The receipt of this transaction.
    ///
    /// # Errors
    /// When it cannot be read.
    fn receipt_of_transaction(&self, id: Hash) -> Result<Option<IndexedReceipt>, PortError>;

    /// The receipts that concern a party, in this order: those behind the place `after`, or from
    /// where the order begins, at most `limit` of them. Answered from an index, never by a scan.
    ///
    /// # Errors
    /// When they cannot be read.
    fn receipts_of(
        &self,
        party: Party,
        order: Order,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<IndexedReceipt>, PortError>;

    /// The voucher of a transaction's receipt that shows the fields of these names, or all.
    ///
    /// `None` when there is no such receipt, or no checkpoint covers it yet.
    ///
    /// # Errors
    /// When it cannot be made.
    fn issue_voucher(
        &self,
        transaction_id: Hash,
        shown: Option<&[FieldName]>,
    ) -> Result<Option<Voucher>, PortError>;

    /// What a voucher proves, if a log of this node issued it: the log as it is now named, or as it
    /// was named before a stated loss. `None` when none of them signed it. Bounded work: one
    /// signature of each name.
    fn verify_voucher(&self, voucher: &Voucher) -> Option<VerifiedVoucher>;

    /// The key that signs checkpoints of the receipt log from which vouchers come here, if it is
    /// known.
    fn log_key(&self) -> Option<NoteKey>;

    /// The newest signed checkpoint of the receipt log, as a C2SP note.
    ///
    /// # Errors
    /// When it cannot be read.
    fn checkpoint(&self) -> Result<Option<String>, PortError>;

    /// The bytes of a tile of the receipt log, if the log has it at this width.
    ///
    /// # Errors
    /// When it cannot be read.
    fn tile(&self, tile: Tile) -> Result<Option<Vec<u8>>, PortError>;

    /// The header of this height with its certificate.
    ///
    /// # Errors
    /// When it cannot be read.
    fn header(&self, height: u64) -> Result<Option<SignedHeader>, PortError>;

    /// Receipts that are committed from now on.
    fn subscribe(&self) -> Committed;

    /// The validators with this hash, which a header named as the next ones.
    ///
    /// # Errors
    /// When they cannot be read.
    fn validators(&self, hash: Hash) -> Result<Option<ValidatorSet>, PortError>;

    /// The settlement record of a visit as it is now in force, from the receipt that made it so;
    /// `None` for a visit that is not settled. Answered from an index, never by a scan.
    ///
    /// # Errors
    /// When it cannot be read.
    fn settlement(&self, visit: VisitId) -> Result<Option<SettlementRecord>, PortError>;
}

/// The ledger and what an organisation keeps beside it, as the gateway sees them.
pub trait Port: Send + Sync {
    /// The ledger.
    fn chain(&self) -> &dyn Chain;

    /// Whether it takes transactions and its books work. Cheap: anybody may ask.
    fn is_ready(&self) -> bool;

    /// What an operator wants to know. Cheap, as it counts nothing when it is asked.
    fn figures(&self) -> Vec<Figure>;

    /// Who runs the node.
    fn operator(&self) -> OrganisationId;

    /// How the node is, for who runs it. Cheap, as it counts nothing when it is asked; it knows
    /// nothing of sessions.
    ///
    /// # Errors
    /// When it cannot be read.
    fn status(&self) -> Result<NodeStatus, PortError>;

    /// The seal of whoever runs the node, which signs the sheets of vouchers; nobody signs them
    /// without one.
    fn seal(&self) -> Option<&ElectronicSeal> {
        None
    }

    /// The catalogue with this root, if this node keeps it.
    ///
    /// # Errors
    /// When it cannot be read.
    fn catalogue(&self, root: Hash) -> Result<Option<Arc<Catalogue>>, PortError>;

    /// The plan file with this hash as people wrote it, if this node keeps it.
    ///
    /// # Errors
    /// When it cannot be read.
    fn plan_source(&self, source: Hash) -> Result<Option<Arc<PlanSource>>, PortError>;

    /// Keeps a plan file under its hash. The same text again is no error.
    ///
    /// # Errors
    /// When it cannot be written.
    fn keep_plan_source(&self, text: &str) -> Result<(), PortError>;

    /// Keeps a sealed bill of a visit under its commitment. The same bytes again are no error.
    ///
    /// # Errors
    /// Why it is not kept.
    fn put_bill(&self, visit: VisitId, commitment: Hash, envelope: &[u8])
    -> Result<(), VaultError>;

    /// The sealed bill of a visit under this commitment.
    ///
    /// # Errors
    /// When it cannot be read.
    fn bill(&self, visit: VisitId, commitment: Hash) -> Result<Option<Vec<u8>>, PortError>;

    /// The commitments of a visit's sealed bills.
    ///
    /// # Errors
    /// When they cannot be read.
    fn bills(&self, visit: VisitId) -> Result<Vec<Hash>, PortError>;

    /// Lets `change` put a visit's sealed bill for other readers in its place; with `None` it stays
    /// as it is. `false` when there is no such bill.
    ///
    /// # Errors
    /// When it cannot be read or written.
    fn change_bill(
        &self,
        visit: VisitId,
        commitment: Hash,
        change: &mut dyn FnMut(&[u8]) -> Option<Vec<u8>>,
    ) -> Result<bool, PortError>;

    /// Notes that an organisation was handed a visit's sealed bill on this day.
    ///
    /// # Errors
    /// When it cannot be noted; then nothing may be handed out.
    fn note_bill_access(
        &self,
        visit: VisitId,
        commitment: Hash,
        access: BillAccess,
    ) -> Result<(), PortError>;

    /// Who was handed a visit's sealed bill, oldest first.
    ///
    /// # Errors
    /// When it cannot be read.
    fn bill_accesses(&self, visit: VisitId, commitment: Hash)
    -> Result<Vec<BillAccess>, PortError>;

    /// The payments outside of an organisation, if this node drives its rails.
    fn payments(&self, organisation: OrganisationId) -> Option<Arc<dyn Payments>>;

    /// What the bureau behind this node does for wallets, if it does.
    fn wallet(&self) -> Option<Arc<Wallet>>;

    /// The hospital of this code in the national list, if its key is hosted here.
    fn institution(&self, code: &str) -> Option<Arc<Institution>>;

    /// The name by which people know an organisation, if this node knows it.
    fn organisation_name(&self, organisation: OrganisationId) -> Option<String>;

    /// All names that this node knows, by code.
    fn organisation_names(&self) -> Vec<(OrganisationId, String)>;
}
