//! A proof that an entry is in a log, as one text: C2SP tlog-proof.

use alloc::{format, string::String, vec::Vec};
use core::fmt;
use primitives::{Hash, Verifier};

use crate::{
    base64,
    checkpoint::{CheckpointError, SignedCheckpoint},
    log::{PATH_HASHES_MAX, ProofError, verify_inclusion},
    policy::{Accepted, Policy, Refusal},
};

/// The longest proof that is read, in bytes.
pub const TLOG_PROOF_BYTES_MAX: usize = 524_288;

const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";

/// The proof of one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlogProof {
    /// Bytes that the application adds and nobody vouches for; not empty when present.
    pub extra: Option<Vec<u8>>,
    /// The entry's place in the log; the first is 0.
    pub index: u64,
    /// The inclusion proof: the leaf's sibling first.
    pub path: Vec<Hash>,
    /// The log's checkpoint.
    pub checkpoint: SignedCheckpoint,
}

/// Why bytes are not a proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TlogProofError {
    /// More than [`TLOG_PROOF_BYTES_MAX`].
    TooLong,
    /// Not UTF-8.
    NotText,
    /// The first line is another.
    FirstLine,
    /// The extra data is empty or not base64.
    Extra,
    /// The line with the index is missing or not a plain number.
    Index,
    /// The hash of this number, counted from 1, is not one.
    PathHash(usize),
    /// There are more than [`PATH_HASHES_MAX`] hashes.
    TooManyHashes,
    /// There is no empty line with a checkpoint behind it.
    NoCheckpoint,
    /// The checkpoint cannot be read.
    Checkpoint(CheckpointError),
}

impl fmt::Display for TlogProofError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "the proof has more than {TLOG_PROOF_BYTES_MAX} bytes"),
            Self::NotText => f.write_str("the proof is not a text file"),
            Self::FirstLine => write!(f, "this is no proof: its first line is not `{FIRST_LINE}`"),
            Self::Extra => f.write_str("the line `extra` is not base64"),
            Self::Index => f.write_str("the line `index` is missing or has no plain number"),
            Self::PathHash(number) => {
                write!(f, "hash {number} of the proof is not 32 bytes in base64")
            }
            Self::TooManyHashes => write!(f, "the proof has more than {PATH_HASHES_MAX} hashes"),
            Self::NoCheckpoint => {
                f.write_str("the proof has no checkpoint behind an empty line; it may be cut")
            }
            Self::Checkpoint(error) => fmt::Display::fmt(error, f),
        }
    }
}
impl core::error::Error for TlogProofError {}

/// Why a proof does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TlogProofRefusal {
    /// The policy does not accept the checkpoint.
    Policy(Refusal),
    /// The entry is not where the proof says.
    Inclusion(ProofError),
}

impl fmt::Display for TlogProofRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Policy(refusal) => fmt::Display::fmt(refusal, f),
            Self::Inclusion(error) => fmt::Display::fmt(error, f),
        }
    }
}
impl core::error::Error for TlogProofRefusal {}

impl TlogProof {
    /// Reads a proof. Nothing in it is to be believed yet.
    ///
    /// # Errors
    /// The first thing that is wrong with its form.
    pub fn parse(bytes: &[u8]) -> Result<Self, TlogProofError> {
        if bytes.len() > TLOG_PROOF_BYTES_MAX {
            return Err(TlogProofError::TooLong);
        }
        let text = core::str::from_utf8(bytes).map_err(|_| TlogProofError::NotText)?;
        let rest = text
            .strip_prefix(FIRST_LINE)
            .and_then(|rest| rest.strip_prefix('\n'))
            .ok_or(TlogProofError::FirstLine)?;
        let (head, checkpoint) = rest.split_once("\n\n").ok_or(TlogProofError::NoCheckpoint)?;
        let mut lines = head.split('\n').peekable();
        let extra = match lines.next_if(|line| line.starts_with("extra")) {
            Some(line) => {
                let bytes = line.strip_prefix("extra ").and_then(base64::decode);
                Some(bytes.filter(|bytes| !bytes.is_empty()).ok_or(TlogProofError::Extra)?)
            }
            None => None,
        };
        let index = lines
            .next()
            .and_then(|line| line.strip_prefix("index "))
            .and_then(base64::decode_number)
            .ok_or(TlogProofError::Index)?;
        let mut path = Vec::new();
        for (number, line) in (1..).zip(lines) {
            if path.len() >= PATH_HASHES_MAX {
                return Err(TlogProofError::TooManyHashes);
            }
            path.push(base64::decode_hash(line).ok_or(TlogProofError::PathHash(number))?);
        }
        let checkpoint =
            SignedCheckpoint::parse(checkpoint.as_bytes()).map_err(TlogProofError::Checkpoint)?;
        Ok(Self { extra, index, path, checkpoint })
    }

    /// The proof as [`TlogProof::parse`] reads it.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut text = format!("{FIRST_LINE}\n");
        if let Some(extra) = &self.extra {
            text.push_str(&format!("extra {}\n", base64::encode(extra)));
        }
        text.push_str(&format!("index {}\n", self.index));
        for hash in &self.path {
            text.push_str(&base64::encode(hash.as_bytes()));
            text.push('\n');
        }
        text.push('\n');
        text.push_str(&self.checkpoint.encode());
        text
    }

    /// Whether the leaf of this hash stands at the index, in a log that the policy trusts at this
    /// checkpoint.
    ///
    /// # Errors
    /// What does not hold.
    pub fn verify(
        &self,
        leaf: Hash,
        policy: &Policy,
        verifier: &impl Verifier,
    ) -> Result<Accepted, TlogProofRefusal> {
        let accepted =
            policy.check(&self.checkpoint, verifier).map_err(TlogProofRefusal::Policy)?;
        self.check_inclusion(leaf).map_err(TlogProofRefusal::Inclusion)?;
        Ok(accepted)
    }

    /// Whether the leaf of this hash stands at the index of the tree that the checkpoint names,
    /// whoever signed it.
    ///
    /// # Errors
    /// What does not hold.
    pub fn check_inclusion(&self, leaf: Hash) -> Result<(), ProofError> {
        let checkpoint = self.checkpoint.checkpoint();
        verify_inclusion(leaf, self.index, checkpoint.size, checkpoint.root, &self.path)
    }
}
