//! Cosignatures: the other validators cosign the checkpoints of this node's receipt log.
//!
//! They are asked when a voucher wants them, and not with each block: a checkpoint that enough of
//! them cosigned serves every receipt before it. The thread that makes blocks asks and answers
//! (`runtime::agree`); whoever issues a voucher waits here.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use primitives::{Hash, Timestamp};
use proof::checkpoint::{Checkpoint, SignedCheckpoint};
use proof::cosign::{cosigner_key, cosigners, needed};
use proof::header::{ChainId, ValidatorSet};
use proof::log::Frontier;
use proof::note::{NoteKey, NoteSigner};

use crate::runtime::BlockSigner;
use crate::signature::FastVerifier;

/// How long a voucher waits for cosignatures.
const PATIENCE: Duration = Duration::from_secs(2);
/// After how long those who did not answer are asked again.
const AGAIN: Duration = Duration::from_millis(250);

/// Wakes the thread that asks.
pub(crate) type Wake = Box<dyn Fn() + Send + Sync>;

/// A validator's key as a cosigner's.
pub(crate) struct Cosigner {
    name: NoteKey,
    signer: Arc<BlockSigner>,
}

impl Cosigner {
    /// The cosigner of this ledger with a validator's key; `None` where the key cannot be one.
    pub(crate) fn new(chain_id: ChainId, signer: &Arc<BlockSigner>) -> Option<Self> {
        let key = consensus::Signer::public_key(&**signer);
        let name = cosigner_key(chain_id, consensus::Signer::organisation(&**signer), &key)?;
        Some(Self { name, signer: Arc::clone(signer) })
    }

    /// Cosigns a checkpoint that this node found to be of its own blocks.
    pub(crate) fn cosign(&self, checkpoint: &mut SignedCheckpoint, now: Timestamp) -> bool {
        checkpoint.cosign(self, now).is_ok()
    }
}

impl NoteSigner for Cosigner {
    type Error = std::convert::Infallible;

    fn key(&self) -> &NoteKey {
        &self.name
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], Self::Error> {
        Ok(self.signer.sign_raw(message))
    }
}

/// Of how many blocks the log's root is known to a cosigner.
const ROOTS_MAX: usize = 256;

/// The log of this node's blocks as it was after the last of them.
#[derive(Default)]
pub(crate) struct Roots(VecDeque<(u64, Hash)>);

/// What another node's checkpoint is beside this node's blocks.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Compared {
    /// These blocks give the same.
    Same,
    /// It is over more receipts than there are here.
    Ahead,
    /// These blocks give another root: one of the two nodes is wrong.
    Other,
    /// No block of the last ones ended at that size.
    Unknown,
}

impl Roots {
    /// A block has been added.
    pub(crate) fn note(&mut self, log: &Frontier) {
        self.0.push_back((log.size(), log.root()));
        if self.0.len() > ROOTS_MAX {
            self.0.pop_front();
        }
    }

    pub(crate) fn compare(&self, checkpoint: &Checkpoint) -> Compared {
        if self.0.back().is_none_or(|(last, _)| checkpoint.size > *last) {
            return Compared::Ahead;
        }
        match self.0.iter().find(|(size, _)| *size == checkpoint.size) {
            Some((_, root)) if *root == checkpoint.root => Compared::Same,
            Some(_) => Compared::Other,
            None => Compared::Unknown,
        }
    }
}

/// The checkpoints that others cosign.
#[derive(Default)]
pub(crate) struct Cosignatures {
    wake: OnceLock<Wake>,
    gathered: Mutex<Gathered>,
    came: Condvar,
}

#[derive(Default)]
struct Gathered {
    /// Somebody waits for a checkpoint.
    is_wanted: bool,
    /// The one that is on its way round.
    asked: Option<SignedCheckpoint>,
    /// The newest one with enough cosignatures.
    cosigned: Option<SignedCheckpoint>,
}

impl Gathered {
    fn covers(&self, size: u64) -> Option<SignedCheckpoint> {
        self.cosigned.clone().filter(|one| one.checkpoint().size >= size)
    }
}

impl Cosignatures {
    /// There are others from now on, who are asked by the thread that this wakes.
    pub(crate) fn are_there(&self, wake: Wake) {
        drop(self.wake.set(wake));
    }

    fn lock(&self) -> MutexGuard<'_, Gathered> {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether checkpoints of this node are to be cosigned: others can, by their keys, and enough
    /// of them.
    pub(crate) fn are_needed(&self, chain_id: ChainId, validators: &ValidatorSet) -> bool {
        self.wake.get().is_some() && needed(chain_id, validators).is_some()
    }

    /// A cosigned checkpoint over so many receipts at the least. Waits a while for one.
    pub(crate) fn over(&self, size: u64) -> Option<SignedCheckpoint> {
        let end = Instant::now() + PATIENCE;
        let mut gathered = self.lock();
        loop {
            if let Some(found) = gathered.covers(size) {
                return Some(found);
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            gathered.is_wanted = true;
            if let Some(wake) = self.wake.get() {
                wake();
            }
            let waited = self.came.wait_timeout_while(gathered, left.min(AGAIN), |gathered| {
                gathered.covers(size).is_none()
            });
            (gathered, _) = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Whether others are to be asked now; told once.
    pub(crate) fn take_wanted(&self) -> bool {
        std::mem::take(&mut self.lock().is_wanted)
    }

    /// What others are asked to cosign from now on. What they cosigned of the same stays.
    pub(crate) fn ask(&self, mut signed: SignedCheckpoint, keys: &[(NoteKey, u64)]) {
        let mut gathered = self.lock();
        if let Some(before) = &gathered.asked {
            for (key, _) in keys {
                signed.take_cosignature(before, key, &FastVerifier);
            }
        }
        gathered.asked = Some(signed);
    }

    /// Takes over what another cosigned.
    pub(crate) fn take(
        &self,
        answer: &SignedCheckpoint,
        chain_id: ChainId,
        validators: &ValidatorSet,
    ) {
        let mut gathered = self.lock();
        let Some(asked) = &mut gathered.asked else { return };
        if asked.note().text() != answer.note().text() {
            return;
        }
        let mut power: u64 = 0;
        for (key, weight) in cosigners(chain_id, validators) {
            if asked.take_cosignature(answer, &key, &FastVerifier) {
                power = power.saturating_add(weight);
            }
        }
        if validators.is_quorum(power) {
            gathered.cosigned = gathered.asked.clone();
            drop(gathered);
            self.came.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::receipt_log::LogSigner;
    use crate::signature::{Scheme, SecretKey};
    use proof::cosign::voucher_policy;
    use proof::header::Validator;
    use proof::policy::Policy;

    fn chain() -> ChainId {
        "cosigned".parse().unwrap()
    }

    fn signer(number: u8) -> Arc<BlockSigner> {
        let organisation = format!("org-{number}").parse().unwrap();
        Arc::new(BlockSigner::new(
            organisation,
            SecretKey::from_seed(Scheme::Ed25519, &[number; 32]),
        ))
    }

    fn validators() -> ValidatorSet {
        let validator = |number: u8| Validator {
            organisation: consensus::Signer::organisation(&*signer(number)),
            key: consensus::Signer::public_key(&*signer(number)),
            power: 1,
        };
        ValidatorSet::new((1..=4).map(validator).collect()).unwrap()
    }

    fn log() -> LogSigner {
        let key = SecretKey::from_seed(Scheme::Ed25519, &[9; 32]);
        LogSigner::new("cosigned/org-1", key).unwrap()
    }

    fn checkpoint(size: u64) -> SignedCheckpoint {
        let root = Hash([u8::try_from(size).unwrap(); 32]);
        let checkpoint = Checkpoint::new("cosigned/org-1", size, root);
        SignedCheckpoint::sign(&checkpoint, &log()).unwrap()
    }

    fn cosigned(by: u8, mut signed: SignedCheckpoint) -> SignedCheckpoint {
        let cosigner = Cosigner::new(chain(), &signer(by)).unwrap();
        assert!(cosigner.cosign(&mut signed, Timestamp::from_millis(5_000)));
        signed
    }

    #[test]
    fn three_of_four_cosign_a_checkpoint_and_what_strangers_say_of_it_or_of_another_counts_nothing()
    {
        let (cosignatures, keys) = (Cosignatures::default(), cosigners(chain(), &validators()));
        let take = |answer: &SignedCheckpoint| cosignatures.take(answer, chain(), &validators());
        take(&cosigned(2, checkpoint(7)));
        cosignatures.ask(cosigned(1, checkpoint(7)), &keys);
        take(&cosigned(2, checkpoint(7)));
        take(&cosigned(2, checkpoint(7)));
        take(&cosigned(5, checkpoint(7)));
        take(&cosigned(3, checkpoint(8)));
        assert!(cosignatures.lock().covers(1).is_none(), "two of four");
        // Asked again, what was cosigned counts on.
        cosignatures.ask(cosigned(1, checkpoint(7)), &keys);
        take(&cosigned(4, checkpoint(7)));
        let found = cosignatures.lock().covers(7).unwrap();
        assert!(cosignatures.lock().covers(8).is_none());
        let policy = voucher_policy(log().public_key(), chain(), &validators());
        let policy = Policy::parse(policy.as_bytes()).unwrap();
        let accepted = policy.check(&found, &FastVerifier).unwrap();
        let names: Vec<_> = accepted.cosigners.iter().map(|one| one.name.as_str()).collect();
        let who = |number: u8| format!("cosigned/org-{number}/cosigner");
        assert_eq!(names, [who(1), who(2), who(4)]);
        assert!(policy.check(&checkpoint(7), &FastVerifier).is_err(), "nobody cosigned it");
    }

    #[test]
    fn a_cosigner_compares_with_its_own_blocks() {
        let mut roots = Roots::default();
        let mut log = Frontier::default();
        assert_eq!(roots.compare(checkpoint(0).checkpoint()), Compared::Ahead);
        for leaf in 0_u8..10 {
            log.push(Hash([leaf; 32]));
            if leaf % 2 == 1 {
                roots.note(&log);
            }
        }
        let of = |size: u64, root: Hash| Checkpoint::new("cosigned/org-2", size, root);
        assert_eq!(roots.compare(&of(10, log.root())), Compared::Same);
        assert_eq!(roots.compare(&of(10, Hash([0; 32]))), Compared::Other);
        assert_eq!(roots.compare(&of(11, log.root())), Compared::Ahead);
        assert_eq!(roots.compare(&of(9, log.root())), Compared::Unknown, "no block ended there");
    }
}
