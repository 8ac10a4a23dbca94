//! Execution: a block of verified transactions on a state gives a new state, a header and receipts.

use alloc::{collections::BTreeSet, sync::Arc, vec::Vec};
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Hash, Party, Timestamp, codec, detail};
use proof::header::{ChainId, HEADER_VERSION, Header, ValidatorSet};
use proof::log::{Frontier, leaf_hash, root_of};
use proof::receipt::{OutcomeCode, RECEIPT_VERSION, ReceiptRecord, ReceiptSeed};

use crate::kernel::context::{Context, PlanMemo};
use crate::kernel::idempotency::{self, UsedKey};
use crate::kernel::overlay::{Base, Overlay, Read};
use crate::kernel::posting::PostedEntry;
use crate::kernel::receipt::{Outcome, Receipt};
use crate::kernel::registry::{Registry, registry};
use crate::kernel::rejection::{Rejection, kernel as code, require};
use crate::kernel::state::State;
use crate::kernel::transaction::{
    Content, TRANSACTION_VERSION, Transaction, VALIDITY_MILLIS_MAX, VerifiedTransaction,
};
use crate::modules::network;

/// The largest encoded block in bytes, solo and bft alike (HOUSE.md section 7.5).
pub const BLOCK_BYTES_MAX: usize = 1 << 20;
/// The number of the first rules.
pub const PROTOCOL_FIRST: u32 = 1;
/// The number of the newest rules that this release knows. It also knows all before.
pub const PROTOCOL: u32 = 1;
/// By how much block time may jump ahead of the parent's: a day. A longer stop is caught up in
/// steps.
pub const TIME_JUMP_MILLIS_MAX: u64 = 24 * 3_600 * 1_000;

/// A block as it is kept: its header and the transactions in their order.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Block {
    /// What validators sign.
    pub header: Header,
    /// What was executed.
    pub transactions: Vec<Transaction>,
}

/// Where a ledger stands after its last block.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Tip {
    /// The last block's height; 0 before the first.
    pub height: u64,
    /// The value id of the last block; all zero before the first.
    pub value_id: Hash,
    /// Block time of the last block, or genesis time.
    pub time: Timestamp,
    /// The receipt log.
    pub log: Frontier,
    /// Who certifies the next block.
    pub validators: ValidatorSet,
}

/// A ledger: its state, where it stands, and the kinds it knows.
pub struct Ledger {
    rules: Rules,
    state: State,
    tip: Tip,
}

/// How transactions are executed on rows, whoever has them.
pub struct Rules {
    chain_id: ChainId,
    registry: Arc<Registry>,
    plans: PlanMemo,
}

/// After which block a transaction is executed.
#[derive(Clone, Copy, Debug)]
pub struct After<'a> {
    /// The block's height.
    pub height: u64,
    /// Its time.
    pub time: Timestamp,
    /// Who certifies the next one.
    pub validators: &'a ValidatorSet,
}

/// What executing a block gave; nothing is changed until [`Ledger::apply`].
pub struct BlockOutcome {
    /// The header over all of it.
    pub header: Header,
    /// One receipt per transaction, in their order.
    pub receipts: Vec<Receipt>,
    state: State,
    tip: Tip,
}

impl BlockOutcome {
    /// The state after the block.
    #[must_use]
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// Where the ledger stands after the block.
    #[must_use]
    pub const fn tip(&self) -> &Tip {
        &self.tip
    }
}

/// What the ledger says of a transaction before it is put into a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It may be tried in a block.
    Admitted,
    /// It was executed already; here is the position of its receipt.
    Done(UsedKey),
}

impl Ledger {
    /// The ledger at this state and place: genesis, a snapshot, or in between.
    #[must_use]
    pub fn new(chain_id: ChainId, state: State, tip: Tip) -> Self {
        Self { rules: Rules::of(chain_id), state, tip }
    }

    /// The ledger's name.
    #[must_use]
    pub const fn chain_id(&self) -> ChainId {
        self.rules.chain_id
    }

    /// The state after the last block.
    #[must_use]
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// Where it stands.
    #[must_use]
    pub const fn tip(&self) -> &Tip {
        &self.tip
    }

    /// The kinds it knows.
    #[must_use]
    pub const fn registry(&self) -> &Arc<Registry> {
        &self.rules.registry
    }

    /// Whether a transaction may be tried in a block: format, chain, validity, idempotency. Whether
    /// it will be accepted only execution says; [`Ledger::rehearse`] asks for it.
    ///
    /// # Errors
    /// Why it may not be tried.
    pub fn admit(
        &self,
        now: Timestamp,
        transaction: &VerifiedTransaction,
    ) -> Result<Admission, Rejection> {
        let content = transaction.content();
        if let Some(used) = idempotency::used(&self.state, content.author, content.idempotency_key)
        {
            return if used.transaction_id == transaction.id() {
                Ok(Admission::Done(used))
            } else {
                Err(code::KEY_REUSED.reject())
            };
        }
        check_content(self.rules.chain_id, now.max(self.tip.time), transaction)?;
        require(self.rules.registry.by_number(content.kind).is_some(), || {
            code::UNKNOWN_KIND.with(alloc::format!("{}", content.kind))
        })?;
        Ok(Admission::Admitted)
    }

    /// Moves to another place of the same chain and keeps what was decoded: cheaper than a new
    /// ledger for whoever only rehearses.
    pub fn follow(&mut self, state: State, tip: Tip) {
        self.state = state;
        self.tip = tip;
    }

    /// Executes one transaction as if it were the next block's only one, and forgets it again.
    ///
    /// # Errors
    /// Why it would be rejected.
    pub fn rehearse(
        &self,
        now: Timestamp,
        transaction: &VerifiedTransaction,
    ) -> Result<(Outcome, Vec<PostedEntry>), Rejection> {
        self.rules.rehearse(&self.state, self.tip.as_after(), now, transaction)
    }

    /// Executes the transactions as the next block at this time.
    ///
    /// Block time never goes back and never jumps by more than a day; a time outside is moved to
    /// the nearest allowed one, which the header then says.
    #[must_use]
    pub fn execute(&self, time: Timestamp, transactions: &[VerifiedTransaction]) -> BlockOutcome {
        let latest = self.tip.time.plus_millis(TIME_JUMP_MILLIS_MAX);
        let time = time.clamp(self.tip.time, latest);
        let height = self.tip.height.saturating_add(1);
        let mut overlay = Overlay::new(&self.state);
        let mut log = self.tip.log.clone();
        let mut receipts = Vec::with_capacity(transactions.len());
        idempotency::forget_ended(&mut overlay, time);
        overlay.keep_transaction();
        for (index, transaction) in (0_u32..).zip(transactions) {
            let after = After { time, ..self.tip.as_after() };
            let context = self.rules.context(after, transaction);
            let receipt = self.execute_one(&context, index, log.size(), &mut overlay);
            log.push(leaf_hash(&receipt.record.leaf()));
            receipts.push(receipt);
        }
        let mut state = self.state.clone();
        let writes = overlay.into_writes();
        state.commit(writes.iter().map(|(key, value)| (key.as_slice(), value.as_deref())));
        let validators = network::view::validators(&state);
        let validators =
            validators.map_or_else(|| self.tip.validators.clone(), Arc::unwrap_or_clone);
        let header = Header {
            version: HEADER_VERSION,
            chain_id: self.rules.chain_id,
            height,
            time,
            parent: self.tip.value_id,
            transaction_root: transaction_root(transactions),
            receipt_log_size: log.size(),
            receipt_log_root: log.root(),
            state_root: state.root(),
            next_validators: validators.hash(),
        };
        let tip = Tip { height, value_id: header.value_id(), time, log, validators };
        BlockOutcome { header, receipts, state, tip }
    }

    fn execute_one(
        &self,
        context: &Context<'_>,
        index: u32,
        receipt_index: u64,
        overlay: &mut Overlay<'_>,
    ) -> Receipt {
        let transaction = context.transaction;
        let content = transaction.content();
        let used = UsedKey { transaction_id: transaction.id(), receipt_index };
        let result = check_key_is_new(overlay, content)
            .and_then(|()| check_content(self.rules.chain_id, context.time, transaction))
            .and_then(|()| self.rules.run(context, overlay));
        match result {
            Ok(outcome) => {
                let (author, key) = (content.author, content.idempotency_key);
                idempotency::note(overlay, author, key, content.valid_until, &used);
                let entries = overlay.keep_transaction();
                receipt(context, index, Ok(outcome), entries)
            }
            Err(rejection) => {
                overlay.discard_transaction();
                receipt(context, index, Err(rejection), Vec::new())
            }
        }
    }

    /// Makes an executed block the last one.
    ///
    /// # Panics
    /// When the outcome does not follow the present tip: a mistake of the caller that must not go
    /// on.
    pub fn apply(&mut self, outcome: BlockOutcome) -> (Header, Vec<Receipt>) {
        assert_eq!(outcome.header.parent, self.tip.value_id, "a block follows its parent");
        assert_eq!(
            Some(outcome.header.height),
            self.tip.height.checked_add(1),
            "heights have no gap"
        );
        self.state = outcome.state;
        self.tip = outcome.tip;
        (outcome.header, outcome.receipts)
    }
}

impl Tip {
    fn as_after(&self) -> After<'_> {
        After { height: self.height, time: self.time, validators: &self.validators }
    }
}

impl Rules {
    /// The rules of this ledger.
    #[must_use]
    pub fn of(chain_id: ChainId) -> Self {
        Self { chain_id, registry: Arc::new(registry()), plans: PlanMemo::default() }
    }

    /// Executes one transaction as if it were the next block's only one, and forgets it again.
    ///
    /// # Errors
    /// Why it would be rejected.
    pub fn rehearse(
        &self,
        base: &dyn Base,
        after: After<'_>,
        now: Timestamp,
        transaction: &VerifiedTransaction,
    ) -> Result<(Outcome, Vec<PostedEntry>), Rejection> {
        let mut overlay = Overlay::new(base);
        let time = now.max(after.time);
        let context = self.context(After { time, ..after }, transaction);
        check_content(self.chain_id, time, transaction)?;
        let outcome = self.run(&context, &mut overlay)?;
        Ok((outcome, overlay.keep_transaction()))
    }

    const fn context<'a>(
        &'a self,
        after: After<'a>,
        transaction: &'a VerifiedTransaction,
    ) -> Context<'a> {
        let (chain_id, plans) = (self.chain_id, &self.plans);
        let After { height, time, validators } = after;
        let height = height.saturating_add(1);
        Context { chain_id, height, time, transaction, validators, plans }
    }

    fn run(&self, context: &Context<'_>, overlay: &mut Overlay<'_>) -> Result<Outcome, Rejection> {
        let content = context.transaction.content();
        let kind = self
            .registry
            .by_number(content.kind)
            .ok_or_else(|| code::UNKNOWN_KIND.with(alloc::format!("{}", content.kind)))?;
        kind.run(&content.body, context, overlay)
    }
}

/// Executes the transactions as the next block and makes it the last one.
pub fn execute_block(
    ledger: &mut Ledger,
    time: Timestamp,
    transactions: &[VerifiedTransaction],
) -> (Header, Vec<Receipt>) {
    let outcome = ledger.execute(time, transactions);
    ledger.apply(outcome)
}

/// The RFC 6962 root over the transaction ids.
#[must_use]
pub fn transaction_root(transactions: &[VerifiedTransaction]) -> Hash {
    root_of(transactions.iter().map(|transaction| transaction.id().0))
}

fn check_key_is_new(overlay: &Overlay<'_>, content: &Content) -> Result<(), Rejection> {
    let used = idempotency::used(overlay, content.author, content.idempotency_key);
    require(used.is_none(), || code::KEY_REUSED.reject())
}

fn check_content(
    chain_id: ChainId,
    now: Timestamp,
    transaction: &VerifiedTransaction,
) -> Result<(), Rejection> {
    let content = transaction.content();
    require(content.version == TRANSACTION_VERSION, || code::WRONG_VERSION.with(content.version))?;
    require(content.chain_id == chain_id, || {
        code::WRONG_CHAIN
            .with(detail!("this is `{chain_id}`", chain_id = alloc::format!("{chain_id}")))
    })?;
    require(now <= content.valid_until, || code::EXPIRED.reject())?;
    let latest = now.plus_millis(VALIDITY_MILLIS_MAX);
    require(content.valid_until <= latest, || code::VALID_TOO_LONG.reject())?;
    require(transaction.signers_of(content.author).next().is_some(), || {
        code::AUTHOR_MISSING.reject()
    })
}

fn receipt(
    context: &Context<'_>,
    index: u32,
    result: Result<Outcome, Rejection>,
    entries: Vec<PostedEntry>,
) -> Receipt {
    let transaction = context.transaction;
    let content = transaction.content();
    let seed = transaction.receipt_seed();
    let mut concerns: BTreeSet<Party> =
        transaction.signers().iter().map(|signer| signer.party).collect();
    let (outcome, code, detail) = match result {
        Ok(outcome) => (outcome, OutcomeCode::Accepted, None),
        Err(rejection) => {
            (Outcome::default(), OutcomeCode::Rejected(rejection.code.number), rejection.detail)
        }
    };
    for event in &outcome.events {
        concerns.extend(event.concerns.iter().copied());
    }
    let commitments = ReceiptSeed(seed.0)
        .commit(&outcome.fields)
        .expect("a kind gives fewer than 64 fields, each name once (test `every_kind_commits`)");
    Receipt {
        record: ReceiptRecord {
            version: RECEIPT_VERSION,
            chain_id: context.chain_id,
            height: context.height,
            index_in_block: index,
            time: context.time,
            transaction_id: transaction.id(),
            kind: content.kind,
            outcome: code,
            commitments,
        },
        seed,
        fields: outcome.fields,
        entries,
        events: outcome.events,
        effects: outcome.effects,
        witness: outcome.witness,
        rejection_detail: detail,
        concerns: concerns.into_iter().collect(),
    }
}

/// The bytes of a value that is kept under a row's key, for state proofs.
#[must_use]
pub fn row_bytes(state: &State, key: &[u8]) -> Option<Vec<u8>> {
    state.read(key).map(<[u8]>::to_vec)
}

impl Block {
    /// The bytes that are kept and sent.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }
}
