//! What an executing transaction knows besides the state.

use alloc::{collections::BTreeMap, sync::Arc};
use benefit::Plan;
use core::cell::RefCell;
use primitives::{CivilDate, Hash, Party, Timestamp, UtcOffset, codec};
use proof::header::{ChainId, ValidatorSet};

use crate::kernel::rejection::Rejection;
use crate::kernel::transaction::{Signer, VerifiedTransaction};

/// Decoded plans by the hash of their compiled form: a memo of a pure function, so it may be
/// dropped at any time without changing a result.
#[derive(Default)]
pub struct PlanMemo(RefCell<BTreeMap<Hash, Arc<Plan>>>);

/// How many decoded plans are remembered. Our own limit.
const PLANS_REMEMBERED_MAX: usize = 256;

impl PlanMemo {
    /// The plan with this hash, decoded from `bytes` at the first call.
    ///
    /// # Panics
    /// When the bytes are not a compiled plan: they were checked when the plan was published, so
    /// the state is damaged.
    pub fn plan(&self, hash: Hash, bytes: impl FnOnce() -> alloc::vec::Vec<u8>) -> Arc<Plan> {
        if let Some(plan) = self.0.borrow().get(&hash) {
            return Arc::clone(plan);
        }
        let plan: Plan = codec::decode(&bytes()).expect("a published plan was decoded before");
        let plan = Arc::new(plan);
        let mut memo = self.0.borrow_mut();
        if memo.len() >= PLANS_REMEMBERED_MAX {
            memo.clear();
        }
        memo.insert(hash, Arc::clone(&plan));
        plan
    }
}

/// The block and the transaction that is being executed.
pub struct Context<'a> {
    /// The ledger.
    pub chain_id: ChainId,
    /// The block's height.
    pub height: u64,
    /// Block time: the only time there is.
    pub time: Timestamp,
    /// The transaction, its signatures checked.
    pub transaction: &'a VerifiedTransaction,
    /// Who certifies this block.
    pub validators: &'a ValidatorSet,
    /// Decoded plans.
    pub plans: &'a PlanMemo,
}

impl Context<'_> {
    /// The transaction's author.
    #[must_use]
    pub const fn author(&self) -> Party {
        self.transaction.content().author
    }

    /// Whether this party signed, with whatever key.
    #[must_use]
    pub fn has_signed(&self, party: Party) -> bool {
        self.signers_of(party).next().is_some()
    }

    /// This party's signatures, one for each key that it signed with.
    pub fn signers_of(&self, party: Party) -> impl Iterator<Item = &Signer> {
        self.transaction.signers_of(party)
    }

    /// What `judge` says of the first of the party's signatures that it lets pass.
    ///
    /// # Errors
    /// `missing` when the party did not sign, else why its last signature does not pass.
    pub fn fitting<T>(
        &self,
        party: Party,
        missing: Rejection,
        mut judge: impl FnMut(&Signer) -> Result<T, Rejection>,
    ) -> Result<T, Rejection> {
        let mut result = Err(missing);
        for signer in self.signers_of(party) {
            result = judge(signer);
            if result.is_ok() {
                break;
            }
        }
        result
    }

    /// The day of the block in a region's calendar.
    #[must_use]
    pub fn day(&self, offset: UtcOffset) -> CivilDate {
        self.time.day(offset)
    }
}
