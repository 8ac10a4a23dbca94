//! What shows that a validator signed two things where it may sign one.

use primitives::{Hash, OrganisationId, Signature};

/// Two things that a validator signed for one place in the course of a height. Whoever knows its
/// key and the ledger's name can check both signatures, so it proves itself to anybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Equivocation {
    /// Who.
    pub organisation: OrganisationId,
    /// The block that was decided.
    pub height: u64,
    /// The round.
    pub round: u32,
    /// Which step of it.
    pub step: SignedStep,
    /// The two things.
    pub signed: [SignedValue; 2],
}

/// A step of a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignedStep {
    /// What the round's proposer proposes.
    Proposal,
    /// The first vote.
    Prevote,
    /// The second vote.
    Precommit,
}

impl SignedStep {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Proposal => "proposal",
            Self::Prevote => "prevote",
            Self::Precommit => "precommit",
        }
    }
}

/// A thing that was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedValue {
    /// The hash of the block's header; nothing for a vote for none.
    pub value: Option<Hash>,
    /// The earlier round in which two thirds voted for it, as a proposal says.
    pub valid_round: Option<u32>,
    /// The signature.
    pub signature: Signature,
}
