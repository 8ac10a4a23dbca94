//! The identity authority: says that a name and an identity number belong together, and gives the
//! blind index by which the ledger notices that the same natural person enrols twice.
//!
//! Only the authority's adapter holds the index key, so nobody else can compute an index or test a
//! guessed number against the ledger (a plain hash of an identity number is reversed in minutes).

use std::fmt;

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Hash, PublicKey, Signature, Timestamp, codec, sha256_parts};
use serde::{Deserialize, Serialize};

pub use document::{Document, DocumentError, comparable_name};
pub use registry::{
    AuthorityKeys, ImportError, Imported, NAME_BYTES_MAX, OpenRegistryError, PEOPLE_PER_IMPORT_MAX,
    ROTATIONS_PER_PAGE_MAX, Registry,
};

mod document;
pub mod gb11643;
mod registry;

/// The authority that knows who people are.
pub trait IdentityAuthority: Send + Sync {
    /// Checks that name and document belong together and signs blind index and commitment.
    ///
    /// # Errors
    /// [`IdentityError::NoMatch`] when they do not belong together.
    fn attest(&self, person: &Identity, commitment: &Hash) -> Result<Attestation, IdentityError>;

    /// Whether the bureau may enter this person: the register takes a bureau's word and does not
    /// know the document. An authority that is connected knows people by itself.
    ///
    /// # Errors
    /// When the document is none, or the register fails.
    fn is_free(&self, person: &Identity) -> Result<bool, IdentityError> {
        let _ = person;
        Ok(false)
    }

    /// Enters those of these people who are free; all others stay as they are, and nobody is
    /// renamed.
    ///
    /// # Errors
    /// When the register fails.
    fn enter(&self, people: &[Identity]) -> Result<(), IdentityError> {
        let _ = people;
        Ok(())
    }

    /// Checks that a picture, taken now on whatever phone, shows this person, and signs that for
    /// one transaction and no other. The picture is looked at and not kept.
    ///
    /// # Errors
    /// [`IdentityError::NoMatch`] when name and document do not belong together,
    /// [`IdentityError::FaceDiffers`] when the picture shows somebody else,
    /// [`IdentityError::NoFace`] when the authority has no face to compare it with, or checks none.
    fn check_face(
        &self,
        person: &Identity,
        picture: &[u8],
        (transaction, now): (&Hash, Timestamp),
    ) -> Result<FaceAttestation, IdentityError> {
        let _ = (person, picture, transaction, now);
        Err(IdentityError::NoFace)
    }

    /// Whether this is no real authority but plays one; people are told so before they rely on it.
    fn is_simulated(&self) -> bool {
        false
    }

    /// The key whose signature counts.
    fn public_key(&self) -> PublicKey;

    /// After a change of the index key: signed pairs of old and new index of the people attested
    /// so far, in pages. `after` is the last `old_index` of the page before.
    ///
    /// # Errors
    /// [`IdentityError::UnknownKeyVersion`] when the authority does not hold such a key.
    fn rotate(
        &self,
        from: u32,
        to: u32,
        after: Option<Hash>,
        limit: u32,
    ) -> Result<Vec<IndexRotation>, IdentityError>;
}

/// Who somebody says to be. Shows itself nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    /// The name as in the document.
    pub name: String,
    /// The document: the 18 characters of a citizen identity number, or `JP:TK1234567` for a
    /// foreign one.
    pub number: String,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(hidden)")
    }
}

/// The authority's word that the person behind a commitment is one natural person.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attestation {
    /// What is attested.
    pub statement: AttestedIndex,
    /// The authority's signature of [`AttestedIndex::message`].
    pub signature: Signature,
}

/// What an attestation says.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    BorshSerialize,
    BorshDeserialize,
    Serialize,
    Deserialize
)]
#[serde(deny_unknown_fields)]
pub struct AttestedIndex {
    /// Which index key was used.
    pub key_version: u32,
    /// HMAC-SHA-256 of the document under that key: the same for the same person, always.
    pub blind_index: Hash,
    /// The salted commitment to the person's particulars, as the ledger will see it.
    pub commitment: Hash,
}

impl AttestedIndex {
    /// What the authority signs.
    #[must_use]
    pub fn message(&self) -> Hash {
        sha256_parts(&[b"yibao/attested-index/v1", &codec::encode(self)])
    }
}

/// The authority's word that a picture showed the person behind an index.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaceAttestation {
    /// What is attested.
    pub statement: MatchedFace,
    /// The authority's signature of [`MatchedFace::message`].
    pub signature: Signature,
}

/// What a face check says: who it was, for which transaction, and when. Nothing of the face.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    BorshSerialize,
    BorshDeserialize,
    Serialize,
    Deserialize
)]
#[serde(deny_unknown_fields)]
pub struct MatchedFace {
    /// Which index key was used.
    pub key_version: u32,
    /// The person's index under that key.
    pub blind_index: Hash,
    /// The transaction that the person agrees to, and to no other.
    pub transaction: Hash,
    /// When the face was checked.
    pub checked: Timestamp,
}

impl FaceAttestation {
    /// Whether this key signed what it says.
    #[must_use]
    pub fn is_signed_by(&self, key: &PublicKey) -> bool {
        let (PublicKey::Ed25519(key), Signature::Ed25519(signature)) = (key, &self.signature)
        else {
            return false;
        };
        let message = self.statement.message();
        UnparsedPublicKey::new(&ED25519, key).verify(message.as_bytes(), signature).is_ok()
    }
}

impl MatchedFace {
    /// What the authority signs.
    #[must_use]
    pub fn message(&self) -> Hash {
        sha256_parts(&[b"yibao/matched-face/v1", &codec::encode(self)])
    }
}

/// The authority's word that two indices under two keys are the same person.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndexRotation {
    /// What is said.
    pub statement: RotatedIndex,
    /// The authority's signature of [`RotatedIndex::message`].
    pub signature: Signature,
}

/// What a rotation says.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    BorshSerialize,
    BorshDeserialize,
    Serialize,
    Deserialize
)]
#[serde(deny_unknown_fields)]
pub struct RotatedIndex {
    /// The version of the old key.
    pub from: u32,
    /// The version of the new key.
    pub to: u32,
    /// The index under the old key.
    pub old_index: Hash,
    /// The index under the new key.
    pub new_index: Hash,
}

impl RotatedIndex {
    /// What the authority signs.
    #[must_use]
    pub fn message(&self) -> Hash {
        sha256_parts(&[b"yibao/rotated-index/v1", &codec::encode(self)])
    }
}

/// Why the authority does not attest.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The number is no identity number.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// Name and number do not belong together, or the register does not know the number. The two
    /// are one answer, so that nobody can find out which numbers exist.
    #[error("name and identity number do not belong together in the register; check both")]
    NoMatch,
    /// The picture shows somebody else.
    #[error("the picture does not show this person; take it again in good light")]
    FaceDiffers,
    /// There is no face to compare with.
    #[error("the authority has no picture of this person; agree with the own phone or at a desk")]
    NoFace,
    /// The authority holds no index key of this version.
    #[error("there is no index key with version {0}")]
    UnknownKeyVersion(u32),
    /// The register failed.
    #[error("the identity register did not answer; try again later")]
    Storage(#[source] Box<dyn std::error::Error + Send + Sync>),
}
