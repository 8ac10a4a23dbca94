//! Ordering: which opaque block is the next one, and the certificate that makes it final.
//!
//! Reading order: this file, [`solo`], [`replica`].
//!
//! An [`Engine`] drives an [`Application`]. The engine knows nothing of transactions: a value is a
//! header, whose hash is the value id, and the bytes of the block behind it. Header, sign-bytes,
//! certificate and validator set are our own (crate `proof`), so an engine can be exchanged without
//! changing what vouchers and light clients verify.
//!
//! One organisation alone is an [`Application`] under [`Solo`]; one among several is a [`Replica`]
//! as well, under the engine in crate `bft`.
//!
//! Invariants: no certificate leaves before the block is durable (test
//! `a_block_that_could_not_be_kept_is_not_decided`); the certificate is part of no hash.

pub mod equivocation;
pub mod replica;
pub mod solo;

use std::sync::Arc;

use primitives::{Hash, OrganisationId, PublicKey, Signature};
use proof::header::{Certificate, Header, ValidatorSet};

pub use equivocation::{Equivocation, SignedStep, SignedValue};
pub use replica::{Origin, Replica, Reply, Undecided, Verdict};
pub use solo::Solo;

/// What the next block needs.
#[derive(Clone, Debug)]
pub struct Next {
    /// The next block's number: the last one's plus one.
    pub height: u64,
    /// Who certifies it: the set that the last header's `next_validators` names.
    pub validators: ValidatorSet,
}

/// A block that can be decided: the header over its content, and the bytes, which no engine reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// What validators agree on.
    pub header: Header,
    /// The block as it is kept and sent, its header included.
    pub block: Arc<[u8]>,
}

/// What a sequencer orders blocks for.
pub trait Application {
    /// Why the application cannot go on; it ends the engine.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Height and validators of the block after the last committed one.
    fn next(&self) -> Next;

    /// The block to propose, or `None` while there is nothing to order. Asked again for the same
    /// height and round, also after a crash in between, it gives the same block if the first one
    /// may have been seen by others.
    ///
    /// # Errors
    /// When no block can be built.
    fn propose(&mut self, height: u64, round: u32) -> Result<Option<Proposal>, Self::Error>;

    /// Makes the decided block the last one. Returns when block and certificate are durable,
    /// together or not at all; only then may anybody be told.
    ///
    /// # Errors
    /// When they may not be durable: the node has to stop.
    fn commit(&mut self, proposal: Proposal, certificate: Certificate) -> Result<(), Self::Error>;
}

/// What a step of an engine came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The block at this height was committed; there may be more to do at once.
    Decided(u64),
    /// There is nothing to do until the application has something to order.
    Idle,
}

/// Orders blocks. The caller calls [`Engine::step`] while there is something to do and sleeps
/// otherwise, so that one thread and one seed can run a whole network.
pub trait Engine<A: Application> {
    /// Does what can be done without waiting.
    ///
    /// # Errors
    /// After an error the engine must not be used again and the node stops.
    fn step(&mut self, application: &mut A) -> Result<Step, EngineError<A::Error>>;
}

/// Why an engine stopped.
#[derive(Debug, thiserror::Error)]
pub enum EngineError<E> {
    /// The application failed.
    #[error(transparent)]
    Application(E),
    /// The validators are not this node alone, with the key that it has.
    #[error(
        "the validators of block {height} are not `{organisation}` alone with the key `{key}`; \
         start the node with that organisation's key, or with its peers"
    )]
    NotTheSequencer {
        /// The block to certify.
        height: u64,
        /// Who this node is.
        organisation: OrganisationId,
        /// The key it has.
        key: PublicKey,
    },
    /// The application proposed a block of another height.
    #[error("block {proposed} was proposed where block {expected} is next")]
    WrongHeight {
        /// The next height.
        expected: u64,
        /// The height of the proposal.
        proposed: u64,
    },
    /// The key could not sign.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// What the engine must not forget cannot be written or read.
    #[error("the engine's log: {0}")]
    Log(std::io::Error),
    /// The engine itself failed: it does not go on with a state that may be wrong.
    #[error("the consensus engine: {0}")]
    Broken(String),
}

/// Why nothing was signed, in the words of the key store.
#[derive(Debug, thiserror::Error)]
#[error("the validator key does not sign: {0}")]
pub struct SignerError(pub String);

/// A validator's key: in memory, in a file, or in a hardware module.
pub trait Signer {
    /// Whose key it is.
    fn organisation(&self) -> OrganisationId;

    /// The public key.
    fn public_key(&self) -> PublicKey;

    /// The signature of a commit message ([`proof::header::commit_message`]).
    ///
    /// # Errors
    /// When the key store refuses or cannot be reached.
    fn sign(&self, message: &Hash) -> Result<Signature, SignerError>;
}
