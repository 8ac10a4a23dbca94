//! The real ledger in memory behind the gateway's port: each transaction is a block of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use benefit::Catalogue;
use benefit::source::PlanSource;
use document::ElectronicSeal;
use gateway::api::status::NodeStatus;
use gateway::nhsa::Institution;
use gateway::payments::Payments;
use gateway::port::{
    Answer, BillAccess, Chain, Committed, Figure, IndexedReceipt, Order, Port, PortError,
    Rehearsal, SignedHeader, SubmitError, Submitted, VaultError, View,
};
use gateway::wallet::Wallet;
use ledger::kernel::block::Admission;
use ledger::modules::visit::SettlementRecord;
use ledger::{Genesis, Ledger, Receipt, Registry, Transaction, execute_block, registry};
use primitives::key::WebAuthnContext;
use primitives::{
    Hash, OrganisationId, Party, PublicKey, Signature, SignatureError, Timestamp, VisitId, codec,
    key,
};
use proof::checkpoint::{Checkpoint, SignedCheckpoint};
use proof::header::{Certificate, ChainId, CommitSignature, Header, ValidatorSet, commit_message};
use proof::log::{Frontier, leaf_hash, prove_inclusion};
use proof::note::{NoteKey, NoteSigner, SignatureType};
use proof::policy::{Policy, policy_text};
use proof::receipt::{FieldName, ReceiptSeed};
use proof::tile::{Tile, TiledNodes, Tiles, encode_tile};
use proof::voucher::{VerifiedVoucher, Voucher};

use super::keys::{TestVerifier, public, sign, sign_bytes};
use super::payments::{OWNER, TillPayments};
use super::{hospital, wallets};

/// The log's name.
pub const ORIGIN: &str = "localhost/test/receipts";

/// Keeps whoever looks at a signature waiting.
pub struct Busy<'a> {
    waiting: &'a AtomicUsize,
    _guard: MutexGuard<'a, ()>,
}

impl Busy<'_> {
    pub fn is_waited_for(&self) -> bool {
        self.waiting.load(Ordering::SeqCst) > 0
    }
}

/// The ledger with what a node keeps beside it.
pub struct LedgerPort {
    chain_id: ChainId,
    registry: Registry,
    inner: Mutex<Inner>,
    subscribers: Mutex<Vec<Sender<IndexedReceipt>>>,
    clock: Arc<adapters::clock::ManualClock>,
    /// Submissions wait here instead of being executed, while there is a list.
    parked: Mutex<Option<Vec<(Transaction, Answer)>>>,
    payments: Arc<TillPayments>,
    wallet: Arc<Wallet>,
    institution: Mutex<Option<Arc<Institution>>>,
    /// At how many more of the gateway's dealings with the node it dies; below zero it does not.
    fuse: AtomicI64,
    /// Whoever looks at a signature waits for this.
    busy: Mutex<()>,
    /// How many wait for that.
    waiting: AtomicUsize,
    /// What the next submissions are answered with instead of being executed.
    refusals: Mutex<Vec<SubmitError>>,
    /// The seal on sheets, once there is one.
    pub seal: OnceLock<ElectronicSeal>,
}

struct Inner {
    ledger: Ledger,
    receipts: Vec<Arc<Receipt>>,
    by_transaction: BTreeMap<Hash, u64>,
    by_party: BTreeMap<Party, Vec<u64>>,
    headers: Vec<SignedHeader>,
    frontier: Frontier,
    tiles: MemoryTiles,
    settlements: BTreeMap<VisitId, SettlementRecord>,
    bills: BTreeMap<VisitId, BTreeMap<Hash, Vec<u8>>>,
    accesses: BTreeSet<(Hash, BillAccess)>,
    catalogues: BTreeMap<Hash, Arc<Catalogue>>,
    plan_sources: BTreeMap<Hash, Arc<PlanSource>>,
}

#[derive(Default)]
struct MemoryTiles(BTreeMap<u8, Vec<Hash>>);

impl Tiles for MemoryTiles {
    type Error = ();

    fn tile(&self, tile: Tile) -> Result<Vec<Hash>, ()> {
        let row = self.0.get(&tile.level()).ok_or(())?;
        let start = usize::try_from(tile.index()).unwrap() * 256;
        row.get(start..start + usize::from(tile.width())).map(<[Hash]>::to_vec).ok_or(())
    }
}

struct LogSigner(NoteKey);

impl NoteSigner for LogSigner {
    type Error = ();
    fn key(&self) -> &NoteKey {
        &self.0
    }
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], ()> {
        Ok(sign_bytes("log", message))
    }
}

/// The log's public key.
pub fn log_key() -> NoteKey {
    let key = public("log").as_bytes().try_into().unwrap();
    NoteKey::new(ORIGIN, SignatureType::Ed25519, key).unwrap()
}

/// The header with the validator's signature.
fn signed(header: Header) -> SignedHeader {
    let message = commit_message(header.chain_id, header.height, 0, header.value_id());
    let certificate = Certificate {
        height: header.height,
        round: 0,
        value_id: header.value_id(),
        signatures: vec![CommitSignature {
            organisation: "bureau".parse().unwrap(),
            signature: sign("bureau", &message),
        }],
    };
    SignedHeader { header, certificate: Some(certificate) }
}

impl LedgerPort {
    pub fn new(genesis: &Genesis, clock: Arc<adapters::clock::ManualClock>) -> Self {
        let inner = Inner {
            ledger: genesis.ledger(),
            receipts: Vec::new(),
            by_transaction: BTreeMap::new(),
            by_party: BTreeMap::new(),
            headers: Vec::new(),
            frontier: Frontier::new(),
            tiles: MemoryTiles::default(),
            settlements: BTreeMap::new(),
            bills: BTreeMap::new(),
            accesses: BTreeSet::new(),
            catalogues: BTreeMap::new(),
            plan_sources: BTreeMap::new(),
        };
        Self {
            chain_id: genesis.chain_id,
            registry: registry(),
            inner: Mutex::new(inner),
            subscribers: Mutex::default(),
            payments: Arc::new(TillPayments::new(Arc::clone(&clock))),
            wallet: Arc::new(wallets::wallet(&clock)),
            institution: Mutex::new(Some(Arc::new(hospital::institution()))),
            fuse: AtomicI64::new(-1),
            clock,
            parked: Mutex::default(),
            busy: Mutex::default(),
            waiting: AtomicUsize::new(0),
            refusals: Mutex::default(),
            seal: OnceLock::new(),
        }
    }

    /// The clock of this world.
    pub fn clock(&self) -> Arc<adapters::clock::ManualClock> {
        Arc::clone(&self.clock)
    }

    /// Keeps a catalogue and a plan file, as an operator puts them beside the node.
    pub fn keep(&self, catalogue: Catalogue, source: (Hash, PlanSource)) {
        let mut inner = self.inner.lock().unwrap();
        inner.catalogues.insert(catalogue.hash(), Arc::new(catalogue));
        inner.plan_sources.insert(source.0, Arc::new(source.1));
    }

    /// Lets a day pass: the clock goes on, and an empty block takes block time along.
    pub fn pass_day(&self) {
        use adapters::clock::Clock as _;
        self.clock.advance_millis(24 * 3_600_000);
        let mut inner = self.inner.lock().unwrap();
        let (header, _) = execute_block(&mut inner.ledger, self.clock.now(), &[]);
        inner.headers.push(signed(header));
    }

    /// The gateway dies at this of its dealings with the node, counted from 1; below zero it lives.
    pub fn arm(&self, fuse: i64) {
        self.fuse.store(fuse, Ordering::SeqCst);
    }

    /// A dealing of the gateway with the node: without a message, because what dies says nothing.
    fn deal(&self) {
        let burn = |left: i64| (left > 0).then(|| left - 1);
        let left = self.fuse.fetch_update(Ordering::SeqCst, Ordering::SeqCst, burn);
        if matches!(left, Ok(1) | Err(0)) {
            std::panic::resume_unwind(Box::new("the gateway is dead"));
        }
    }

    /// The hospital's book is closed, whatever it holds, and then opened as it is on the disk.
    pub fn reopen(&self, open: impl FnOnce() -> Institution) {
        let mut held = self.institution.lock().unwrap();
        let last = held.take().map(Arc::try_unwrap);
        assert!(matches!(last, None | Some(Ok(_))), "nobody works with it any more");
        drop(last);
        *held = Some(Arc::new(open()));
    }

    /// The newest settlement of each visit, as far as something of it is left.
    pub fn standing_settlements(&self) -> usize {
        let inner = self.inner.lock().unwrap();
        inner.settlements.values().filter(|record| !record.sums.total().is_zero()).count()
    }

    /// From now on submissions wait.
    pub fn park(&self) {
        *self.parked.lock().unwrap() = Some(Vec::new());
    }

    /// Executes what waits, and from now on everything at once again.
    pub fn go_on(&self) {
        let parked = self.parked.lock().unwrap().take();
        for (transaction, answer) in parked.unwrap_or_default() {
            answer(self.execute(transaction));
        }
    }

    /// Until this is dropped, whoever looks at a signature waits.
    pub fn keep_busy(&self) -> Busy<'_> {
        Busy { waiting: &self.waiting, _guard: self.busy.lock().unwrap() }
    }

    /// Waits while somebody keeps whoever looks at a signature busy.
    pub fn look(&self) {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        drop(self.busy.lock().unwrap());
        self.waiting.fetch_sub(1, Ordering::SeqCst);
    }

    /// The next submission gets this answer.
    pub fn refuse_next(&self, error: SubmitError) {
        self.refusals.lock().unwrap().push(error);
    }

    /// Ends all subscriptions, as a node does when it stops.
    pub fn stop(&self) {
        self.subscribers.lock().unwrap().clear();
    }

    /// Executes a transaction as a block of its own.
    pub fn execute(&self, transaction: Transaction) -> Result<Submitted, SubmitError> {
        use adapters::clock::Clock as _;
        let verified =
            transaction.verify(&TestVerifier, &self.registry).map_err(SubmitError::Invalid)?;
        let now = self.clock.now();
        let mut inner = self.inner.lock().unwrap();
        let admission = inner.ledger.admit(now, &verified).map_err(SubmitError::Rejected)?;
        if let Admission::Done(used) = admission {
            let receipt = inner.placed(used.receipt_index).unwrap();
            return Ok(Submitted { receipt, is_duplicate: true });
        }
        let index = inner.frontier.size();
        let (header, receipts) = execute_block(&mut inner.ledger, now, &[verified]);
        let receipt = Arc::new(receipts.into_iter().next().unwrap());
        inner.headers.push(signed(header));
        inner.append(index, &receipt);
        let placed = inner.placed(index).unwrap();
        drop(inner);
        let mut subscribers = self.subscribers.lock().unwrap();
        subscribers.retain(|subscriber| subscriber.send(placed.clone()).is_ok());
        Ok(Submitted { receipt: placed, is_duplicate: false })
    }
}

impl Inner {
    fn append(&mut self, index: u64, receipt: &Arc<Receipt>) {
        let Self { frontier, tiles, .. } = self;
        frontier.push_with(leaf_hash(&receipt.record.leaf()), |stored| {
            tiles.0.entry(stored.level).or_default().push(stored.hash);
        });
        if let Ok(record) = codec::decode::<SettlementRecord>(&receipt.witness) {
            self.settlements.insert(record.visit, record);
        }
        self.by_transaction.insert(receipt.record.transaction_id, index);
        for party in &receipt.concerns {
            self.by_party.entry(*party).or_default().push(index);
        }
        self.receipts.push(Arc::clone(receipt));
    }

    fn placed(&self, index: u64) -> Option<IndexedReceipt> {
        let receipt = self.receipts.get(usize::try_from(index).ok()?)?;
        Some(IndexedReceipt { index, receipt: Arc::clone(receipt) })
    }

    fn checkpoint(&self) -> SignedCheckpoint {
        let checkpoint = Checkpoint::new(ORIGIN, self.frontier.size(), self.frontier.root());
        SignedCheckpoint::sign(&checkpoint, &LogSigner(log_key())).unwrap()
    }
}

impl Chain for LedgerPort {
    fn chain_id(&self) -> ChainId {
        self.chain_id
    }

    fn registry(&self) -> &Registry {
        &self.registry
    }

    fn view(&self) -> Arc<View> {
        self.deal();
        let inner = self.inner.lock().unwrap();
        Arc::new(View::whole(inner.ledger.state().clone(), inner.ledger.tip()))
    }

    fn verify_signature(
        &self,
        key: &PublicKey,
        message: &Hash,
        signature: &Signature,
    ) -> Result<Option<WebAuthnContext>, SignatureError> {
        self.deal();
        self.look();
        key::verify(&TestVerifier, key, message, signature)
    }

    fn submit(&self, transaction: Transaction, answer: Answer) {
        self.deal();
        if let Some(error) = self.refusals.lock().unwrap().pop() {
            return answer(Err(error));
        }
        let mut parked = self.parked.lock().unwrap();
        match parked.as_mut() {
            Some(parked) => parked.push((transaction, answer)),
            None => {
                drop(parked);
                let submitted = self.execute(transaction);
                self.deal();
                answer(submitted);
            }
        }
    }

    fn rehearse(&self, transaction: Transaction) -> Result<Rehearsal, SubmitError> {
        self.deal();
        let verified =
            transaction.verify(&TestVerifier, &self.registry).map_err(SubmitError::Invalid)?;
        let inner = self.inner.lock().unwrap();
        let now = inner.ledger.tip().time;
        inner
            .ledger
            .rehearse(now, &verified)
            .map(|(outcome, entries)| Rehearsal { outcome, entries })
            .map_err(SubmitError::Rejected)
    }

    fn receipt(&self, index: u64) -> Result<Option<IndexedReceipt>, PortError> {
        Ok(self.inner.lock().unwrap().placed(index))
    }

    fn receipt_of_transaction(&self, id: Hash) -> Result<Option<IndexedReceipt>, PortError> {
        self.deal();
        let inner = self.inner.lock().unwrap();
        Ok(inner.by_transaction.get(&id).and_then(|index| inner.placed(*index)))
    }

    fn receipts_of(
        &self,
        party: Party,
        order: Order,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<IndexedReceipt>, PortError> {
        let inner = self.inner.lock().unwrap();
        let mut own = inner.by_party.get(&party).cloned().unwrap_or_default();
        if order == Order::NewestFirst {
            own.reverse();
        }
        let behind = own.into_iter().filter(|index| order.is_behind(*index, after));
        Ok(behind.take(limit).filter_map(|index| inner.placed(index)).collect())
    }

    fn issue_voucher(
        &self,
        transaction_id: Hash,
        shown: Option<&[FieldName]>,
    ) -> Result<Option<Voucher>, PortError> {
        let inner = self.inner.lock().unwrap();
        let Some(index) = inner.by_transaction.get(&transaction_id).copied() else {
            return Ok(None);
        };
        let receipt = &inner.receipts[usize::try_from(index).unwrap()];
        let size = inner.frontier.size();
        let nodes = TiledNodes::new(&inner.tiles, size);
        let path = prove_inclusion(&nodes, index, size).unwrap();
        let seed = ReceiptSeed(receipt.seed.0);
        let openings = (0..)
            .zip(&receipt.fields)
            .filter(|(_, field)| shown.is_none_or(|shown| shown.contains(&field.name)))
            .map(|(place, field)| seed.open(place, field.clone()))
            .collect();
        let voucher =
            Voucher::issue(receipt.record.clone(), openings, index, path, inner.checkpoint());
        voucher.map(Some).map_err(|error| PortError::Failed(error.to_string()))
    }

    fn verify_voucher(&self, voucher: &Voucher) -> Option<VerifiedVoucher> {
        let policy = Policy::parse(policy_text(&log_key(), &[], 0).as_bytes()).unwrap();
        voucher.verify(&policy, &TestVerifier).ok()
    }

    fn log_key(&self) -> Option<NoteKey> {
        Some(log_key())
    }

    fn checkpoint(&self) -> Result<Option<String>, PortError> {
        Ok(Some(self.inner.lock().unwrap().checkpoint().encode()))
    }

    fn tile(&self, tile: Tile) -> Result<Option<Vec<u8>>, PortError> {
        let inner = self.inner.lock().unwrap();
        Ok(inner.tiles.tile(tile).ok().map(|hashes| encode_tile(&hashes)))
    }

    fn header(&self, height: u64) -> Result<Option<SignedHeader>, PortError> {
        let inner = self.inner.lock().unwrap();
        let place = height.checked_sub(1).and_then(|place| usize::try_from(place).ok());
        Ok(place.and_then(|place| inner.headers.get(place).cloned()))
    }

    fn subscribe(&self) -> Committed {
        let (sender, receiver): (_, Receiver<IndexedReceipt>) = channel();
        self.subscribers.lock().unwrap().push(sender);
        Box::new(receiver.into_iter())
    }

    fn validators(&self, hash: Hash) -> Result<Option<ValidatorSet>, PortError> {
        let inner = self.inner.lock().unwrap();
        let present = &inner.ledger.tip().validators;
        Ok((present.hash() == hash).then(|| present.clone()))
    }

    fn settlement(&self, visit: VisitId) -> Result<Option<SettlementRecord>, PortError> {
        Ok(self.inner.lock().unwrap().settlements.get(&visit).cloned())
    }
}

impl Port for LedgerPort {
    fn chain(&self) -> &dyn Chain {
        self
    }

    fn is_ready(&self) -> bool {
        self.parked.lock().unwrap().is_none()
    }

    fn figures(&self) -> Vec<Figure> {
        let parked = self.parked.lock().unwrap();
        let value = u64::try_from(parked.as_ref().map_or(0, Vec::len)).unwrap();
        let meaning = "Transactions that wait for a block";
        vec![
            Figure::count("node_waiting_transactions", meaning, value),
            Figure::total("node_blocks", "Blocks made", 7),
        ]
    }

    fn operator(&self) -> OrganisationId {
        "bureau".parse().unwrap()
    }

    fn seal(&self) -> Option<&ElectronicSeal> {
        self.seal.get()
    }

    fn status(&self) -> Result<NodeStatus, PortError> {
        let now = self.view().tip.time;
        Ok(NodeStatus::of(self, now, self.is_ready()))
    }

    fn catalogue(&self, root: Hash) -> Result<Option<Arc<Catalogue>>, PortError> {
        Ok(self.inner.lock().unwrap().catalogues.get(&root).cloned())
    }

    fn plan_source(&self, source: Hash) -> Result<Option<Arc<PlanSource>>, PortError> {
        Ok(self.inner.lock().unwrap().plan_sources.get(&source).cloned())
    }

    fn keep_plan_source(&self, text: &str) -> Result<(), PortError> {
        let source = toml::from_str(text).map_err(|error| PortError::Failed(error.to_string()))?;
        let hash = primitives::sha256(text.as_bytes());
        self.inner.lock().unwrap().plan_sources.insert(hash, Arc::new(source));
        Ok(())
    }

    fn put_bill(
        &self,
        visit: VisitId,
        commitment: Hash,
        envelope: &[u8],
    ) -> Result<(), VaultError> {
        let mut inner = self.inner.lock().unwrap();
        let bills = inner.bills.entry(visit).or_default();
        if bills.len() >= BILLS_MAX && !bills.contains_key(&commitment) {
            return Err(VaultError::TooMany);
        }
        let kept = bills.entry(commitment).or_insert_with(|| envelope.to_vec());
        if kept == envelope { Ok(()) } else { Err(VaultError::Taken) }
    }

    fn bill(&self, visit: VisitId, commitment: Hash) -> Result<Option<Vec<u8>>, PortError> {
        let inner = self.inner.lock().unwrap();
        Ok(inner.bills.get(&visit).and_then(|bills| bills.get(&commitment).cloned()))
    }

    fn change_bill(
        &self,
        visit: VisitId,
        commitment: Hash,
        change: &mut dyn FnMut(&[u8]) -> Option<Vec<u8>>,
    ) -> Result<bool, PortError> {
        let mut inner = self.inner.lock().unwrap();
        let kept = inner.bills.get_mut(&visit).and_then(|bills| bills.get_mut(&commitment));
        let Some(kept) = kept else { return Ok(false) };
        if let Some(changed) = change(kept) {
            *kept = changed;
        }
        Ok(true)
    }

    fn note_bill_access(
        &self,
        _: VisitId,
        commitment: Hash,
        access: BillAccess,
    ) -> Result<(), PortError> {
        self.inner.lock().unwrap().accesses.insert((commitment, access));
        Ok(())
    }

    fn bill_accesses(&self, _: VisitId, commitment: Hash) -> Result<Vec<BillAccess>, PortError> {
        let inner = self.inner.lock().unwrap();
        let of_bill = inner.accesses.iter().filter(|(one, _)| *one == commitment);
        Ok(of_bill.map(|(_, access)| *access).collect())
    }

    fn payments(&self, organisation: OrganisationId) -> Option<Arc<dyn Payments>> {
        (organisation.as_str() == OWNER).then(|| Arc::clone(&self.payments) as Arc<dyn Payments>)
    }

    fn wallet(&self) -> Option<Arc<Wallet>> {
        Some(Arc::clone(&self.wallet))
    }

    fn institution(&self, code: &str) -> Option<Arc<Institution>> {
        let held = self.institution.lock().unwrap();
        held.clone().filter(|_| [hospital::CODE, hospital::APP_ID].contains(&code))
    }

    fn organisation_name(&self, organisation: OrganisationId) -> Option<String> {
        (organisation.as_str() == OWNER).then(|| "省人民医院".to_owned())
    }

    fn organisation_names(&self) -> Vec<(OrganisationId, String)> {
        let known = ["bank", OWNER].map(|one| one.parse().unwrap());
        let named = |one| self.organisation_name(one).map(|name| (one, name));
        known.into_iter().filter_map(named).collect()
    }

    fn bills(&self, visit: VisitId) -> Result<Vec<Hash>, PortError> {
        let inner = self.inner.lock().unwrap();
        Ok(inner
            .bills
            .get(&visit)
            .into_iter()
            .flatten()
            .map(|(commitment, _)| *commitment)
            .collect())
    }
}

/// How many sealed bills a visit has here.
pub const BILLS_MAX: usize = 16;

/// 2026-01-01T00:00:00Z, when the test ledgers begin.
pub const START: Timestamp = Timestamp::from_millis(1_767_225_600_000);
