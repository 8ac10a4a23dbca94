//! Checkpoints: the signed size and root of a log, as C2SP tlog-checkpoint says.

use alloc::{format, string::String, vec::Vec};
use core::fmt;
use primitives::{Hash, Timestamp, Verifier};

use crate::{
    base64,
    note::{Note, NoteError, NoteKey, NoteSigner, SignNoteError},
};

/// What a log says about itself at one size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's identity, such as `yibao.example/gansu/receipts`; not empty, one line.
    pub origin: String,
    /// How many entries the log has.
    pub size: u64,
    /// The RFC 6962 root over them.
    pub root: Hash,
    /// Further lines of the log, not empty; advised against by the specification.
    pub extensions: Vec<String>,
}

/// Why a note is not a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckpointError {
    /// It is no signed note.
    Note(NoteError),
    /// There are fewer than three lines.
    Lines,
    /// The first line is empty.
    Origin,
    /// The second line is not a plain number.
    Size,
    /// The third line is not a hash in base64.
    Root,
    /// A further line is empty.
    Extension,
}

impl fmt::Display for CheckpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Note(error) => write!(f, "the checkpoint: {error}"),
            Self::Lines => f.write_str("the checkpoint has fewer than three lines; it may be cut"),
            Self::Origin => f.write_str("the checkpoint does not name its log in its first line"),
            Self::Size => f.write_str("the checkpoint's second line is not the log's size"),
            Self::Root => f.write_str("the checkpoint's third line is not a hash in base64"),
            Self::Extension => f.write_str("the checkpoint has an empty line in it"),
        }
    }
}
impl core::error::Error for CheckpointError {}

impl Checkpoint {
    /// A checkpoint without further lines.
    #[must_use]
    pub fn new(origin: &str, size: u64, root: Hash) -> Self {
        Self { origin: String::from(origin), size, root, extensions: Vec::new() }
    }

    /// The note's text that says this.
    #[must_use]
    pub fn text(&self) -> String {
        let root = base64::encode(self.root.as_bytes());
        let mut text = format!("{}\n{}\n{root}\n", self.origin, self.size);
        for line in &self.extensions {
            text.push_str(line);
            text.push('\n');
        }
        text
    }

    /// Reads a note's text.
    ///
    /// # Errors
    /// The first line that is wrong.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let mut lines = text.strip_suffix('\n').ok_or(CheckpointError::Lines)?.split('\n');
        let mut next = || lines.next().ok_or(CheckpointError::Lines);
        let (origin, size, root) = (next()?, next()?, next()?);
        if origin.is_empty() {
            return Err(CheckpointError::Origin);
        }
        let size = base64::decode_number(size).ok_or(CheckpointError::Size)?;
        let root = base64::decode_hash(root).ok_or(CheckpointError::Root)?;
        let extensions: Vec<String> = lines.map(String::from).collect();
        if extensions.iter().any(String::is_empty) {
            return Err(CheckpointError::Extension);
        }
        Ok(Self { origin: String::from(origin), size, root, extensions })
    }
}

/// A checkpoint with its signatures. What it says means nothing until a policy accepts it
/// ([`crate::policy::Policy::check`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    note: Note,
}

impl SignedCheckpoint {
    /// Reads a signed checkpoint.
    ///
    /// # Errors
    /// What is wrong with its form.
    pub fn parse(bytes: &[u8]) -> Result<Self, CheckpointError> {
        let note = Note::parse(bytes).map_err(CheckpointError::Note)?;
        Ok(Self { checkpoint: Checkpoint::parse(note.text())?, note })
    }

    /// The checkpoint as [`SignedCheckpoint::parse`] reads it.
    #[must_use]
    pub fn encode(&self) -> String {
        self.note.encode()
    }

    /// What the checkpoint says.
    #[must_use]
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The note with its signatures.
    #[must_use]
    pub const fn note(&self) -> &Note {
        &self.note
    }

    /// Signs a checkpoint as the log, whose key's name should be the origin.
    ///
    /// # Errors
    /// A checkpoint that cannot be written, a key that is not for logs, or those of the signer.
    pub fn sign<S: NoteSigner>(
        checkpoint: &Checkpoint,
        signer: &S,
    ) -> Result<Self, SignNoteError<S::Error>> {
        let note = Note::sign(&checkpoint.text(), signer)?;
        match Checkpoint::parse(note.text()) {
            Ok(read) if read == *checkpoint => Ok(Self { checkpoint: read, note }),
            _ => Err(SignNoteError::Note(NoteError::NotText)),
        }
    }

    /// Adds the cosignature of a witness, who has checked that this checkpoint continues the last
    /// one it cosigned.
    ///
    /// # Errors
    /// A key that is not for witnesses, too many signatures, or those of the signer.
    pub fn cosign<S: NoteSigner>(
        &mut self,
        signer: &S,
        time: Timestamp,
    ) -> Result<(), SignNoteError<S::Error>> {
        self.note.cosign(signer, time)
    }

    /// Takes a witness's cosignature over from another copy of this checkpoint; whether it is here
    /// now.
    pub fn take_cosignature(
        &mut self,
        other: &Self,
        key: &NoteKey,
        verifier: &impl Verifier,
    ) -> bool {
        self.note.take_signature(&other.note, key, verifier)
    }
}
