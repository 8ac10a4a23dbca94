//! What an engine of several organisations asks of a ledger beyond its own proposals: to judge
//! blocks of others, to keep what is not decided, and to hand out what is.

use primitives::{Hash, OrganisationId};
use proof::header::{Certificate, Header};

use crate::{Application, Equivocation, Proposal};

/// A block that is not decided, as the ledger keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undecided {
    /// The round it was proposed in.
    pub round: u32,
    /// The round before in which two thirds voted for it, if this is another try.
    pub valid_round: Option<u32>,
    /// Who proposed it.
    pub proposer: OrganisationId,
    /// The hash of its header.
    pub value_id: Hash,
}

/// Where a block of others comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The round it was proposed in.
    pub round: u32,
    /// The round before in which two thirds voted for it, if this is another try.
    pub valid_round: Option<u32>,
    /// Who proposed it.
    pub proposer: OrganisationId,
    /// Whether more than two thirds decided it already, which its certificate showed.
    pub is_decided: bool,
}

/// What a block of others turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It follows from the ledger, and is kept durably under its value id.
    Valid(Hash),
    /// It has a header, with this hash, that does not follow.
    Invalid(Hash),
    /// It is no block of the next height.
    Unreadable,
}

/// What becomes of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// This is the answer.
    Now(Vec<u8>),
    /// There may be one after a further block.
    Later,
    /// There is none.
    Never,
}

/// A ledger among others.
pub trait Replica: Application {
    /// Whether there is something to order now. While there is not, no height begins here, so that
    /// no empty blocks are made; others may begin one.
    fn has_work(&mut self) -> bool;

    /// Whether a block was made after this node came up, for the first time without what its key
    /// signed if so it did, by the clocks of those who decide: then
    /// all that was on its way before is decided, and a key whose past nobody knows signs again.
    fn has_moved_on(&self) -> bool;

    /// The block to propose for the next height, kept durably: the same one in every round, also
    /// after a crash. It may be empty: whose turn it is holds nobody up.
    ///
    /// # Errors
    /// When it cannot be kept.
    fn propose_in_turn(&mut self, round: u32) -> Result<Proposal, Self::Error>;

    /// The header of a block's bytes, if they are a block.
    fn header_of(&self, block: &[u8]) -> Option<Header>;

    /// Judges a block of others for the next height. What it finds valid is kept durably.
    ///
    /// # Errors
    /// When it cannot be kept.
    fn judge(&mut self, origin: Origin, block: &[u8]) -> Result<Verdict, Self::Error>;

    /// All valid blocks of the next height that are kept.
    fn undecided(&self) -> Vec<Undecided>;

    /// One of them; also one that is on the disk only.
    ///
    /// # Errors
    /// When the disk cannot be read.
    fn undecided_block(&mut self, value_id: &Hash) -> Result<Option<Proposal>, Self::Error>;

    /// Decided blocks with their certificates, from this height on and without a gap, as many as
    /// there are up to this count; none when the first is not here any more.
    fn decisions(&self, first: u64, count: usize) -> Vec<(Vec<u8>, Certificate)>;

    /// Transactions that others pass on, each as its submitter signed it.
    fn take(&mut self, transactions: Vec<Vec<u8>>);

    /// What all others are to be asked now, in words of the ledger's own that no engine reads.
    fn question(&mut self) -> Option<Vec<u8>> {
        None
    }

    /// Answers what another asks.
    fn reply(&mut self, _question: &[u8]) -> Reply {
        Reply::Never
    }

    /// Takes what another answered.
    fn replied(&mut self, _reply: &[u8]) {}

    /// Answers a newcomer who has no ledger yet, from what is kept; `None` when there is nothing to
    /// say.
    fn answer(&mut self, _question: &[u8]) -> Option<Vec<u8>> {
        None
    }

    /// Tells what shows that validators signed two things where there may be one.
    fn accuse(&mut self, equivocations: &[Equivocation]);
}
