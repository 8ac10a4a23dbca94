//! The header of a block, whose hash is what validators sign, and the certificate of their
//! signatures.
//!
//! The value id of a block is the hash of its header, never of the whole block, so a light client
//! needs the header and the certificate only. A certificate is part of no hash: any signatures of
//! more than two thirds of the power are as good as any other (decision of the engine's design).

use alloc::{
    collections::BTreeSet,
    string::{String, ToString},
    vec::Vec,
};
use borsh::{BorshDeserialize, BorshSerialize};
use core::fmt;
use primitives::{
    Hash, OrganisationId, PublicKey, Signature, SignatureError, Timestamp, Verifier, codec, detail,
    key, sha256_parts,
};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::bounded;

/// The version of the header's form that this code writes.
pub const HEADER_VERSION: u16 = 1;
/// The most validators a set may have.
pub const VALIDATORS_MAX: u32 = 64;
/// The most power one validator may have, so that no sum of a set overflows.
pub const POWER_MAX: u64 = 1 << 32;

const HEADER_TAG: &[u8] = b"yibao/header/v1";
const COMMIT_TAG: &[u8] = b"yibao/commit/v1";
const VALIDATORS_TAG: &[u8] = b"yibao/validators/v1";

/// The name of one ledger: 1 to 32 of `a-z`, `0-9` and `-`, starting with a letter. It is part of
/// everything signed, so that nothing signed for one ledger counts on another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize)]
pub struct ChainId([u8; 32]);

impl ChainId {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or("").trim_end_matches('\0')
    }
}

impl core::str::FromStr for ChainId {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let plain = text.bytes().all(allowed) && text.starts_with(|c: char| c.is_ascii_lowercase());
        let mut bytes = [0_u8; 32];
        match bytes.get_mut(..text.len()) {
            Some(head) if plain => head.copy_from_slice(text.as_bytes()),
            _ => {
                return Err(detail!(
                    "`{text}` is not a chain id; use 1 to 32 of a-z, 0-9 and -, starting with a letter",
                    text = text.escape_debug().to_string()
                )
                .into());
            }
        }
        Ok(Self(bytes))
    }
}

impl BorshDeserialize for ChainId {
    fn deserialize_reader<R: borsh::io::Read>(reader: &mut R) -> borsh::io::Result<Self> {
        let id = Self(<[u8; 32]>::deserialize_reader(reader)?);
        match id.as_str().parse::<Self>() {
            Ok(parsed) if parsed == id => Ok(id),
            _ => Err(borsh::io::Error::new(borsh::io::ErrorKind::InvalidData, "chain id")),
        }
    }
}

impl fmt::Display for ChainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for ChainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for ChainId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ChainId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <String as Deserialize>::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for ChainId {
    fn schema_name() -> alloc::borrow::Cow<'static, str> {
        "ChainId".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "the name of one ledger",
            "pattern": "^[a-z][a-z0-9-]{0,31}$"
        })
    }
}

/// What a block commits to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The version of this form; see [`HEADER_VERSION`].
    pub version: u16,
    /// The ledger that the block belongs to.
    pub chain_id: ChainId,
    /// The block's number; the first block is 1.
    pub height: u64,
    /// Block time, the only time that rules see; never earlier than the parent's.
    pub time: Timestamp,
    /// The value id of the block before; all zero for the first.
    pub parent: Hash,
    /// The RFC 6962 root over the transaction ids of this block.
    pub transaction_root: Hash,
    /// How many receipts the log has after this block.
    pub receipt_log_size: u64,
    /// The RFC 6962 root of the receipt log after this block.
    pub receipt_log_root: Hash,
    /// The root of the state after this block.
    pub state_root: Hash,
    /// The hash of the validators that certify the next block ([`ValidatorSet::hash`]).
    pub next_validators: Hash,
}

impl Header {
    /// What the validators agree on: the SHA-256 of `yibao/header/v1` and the header's bytes.
    #[must_use]
    pub fn value_id(&self) -> Hash {
        sha256_parts(&[HEADER_TAG, &codec::encode(self)])
    }
}

/// The bytes behind a validator's commit signature: tag, chain id, height, round, value id.
#[must_use]
pub fn commit_sign_bytes(chain_id: ChainId, height: u64, round: u32, value_id: Hash) -> Vec<u8> {
    let mut bytes = COMMIT_TAG.to_vec();
    bytes.extend(codec::encode(&(chain_id, height, round, value_id)));
    bytes
}

/// The message of a validator's commit signature: the SHA-256 of [`commit_sign_bytes`].
#[must_use]
pub fn commit_message(chain_id: ChainId, height: u64, round: u32, value_id: Hash) -> Hash {
    primitives::sha256(&commit_sign_bytes(chain_id, height, round, value_id))
}

/// One validator's signature of [`commit_message`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommitSignature {
    /// Who signed.
    pub organisation: OrganisationId,
    /// The signature, by the key that the validator set names.
    pub signature: Signature,
}

/// The signatures that make a block final. Part of no hash.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// The block's number.
    pub height: u64,
    /// The round in which the validators agreed.
    pub round: u32,
    /// The hash of the block's header.
    pub value_id: Hash,
    /// At most [`VALIDATORS_MAX`] signatures.
    #[borsh(deserialize_with = "bounded::read::<_, VALIDATORS_MAX, _>")]
    #[schemars(length(max = 64))]
    pub signatures: Vec<CommitSignature>,
}

/// A member of the governing set that signs blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Validator {
    /// Who it is.
    pub organisation: OrganisationId,
    /// The key that signs blocks.
    pub key: PublicKey,
    /// Its weight, 1 to [`POWER_MAX`].
    pub power: u64,
}

/// The validators of a height: sorted by organisation, none twice, none without power.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct ValidatorSet(Vec<Validator>);

/// Why a list of validators is not a set that can decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValidatorSetError {
    /// Nobody is in it.
    Empty,
    /// More than [`VALIDATORS_MAX`].
    TooMany,
    /// An organisation or a key appears twice.
    Duplicate(OrganisationId),
    /// The power is zero or above [`POWER_MAX`].
    Power(OrganisationId),
    /// The encoded list is not sorted by organisation.
    Unsorted,
}

impl fmt::Display for ValidatorSetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => {
                f.write_str("the validator set is empty; name at least one organisation")
            }
            Self::TooMany => {
                write!(f, "the validator set is too large; name at most {VALIDATORS_MAX}")
            }
            Self::Duplicate(who) => {
                write!(f, "`{who}` or its key is in the validator set twice; name each once")
            }
            Self::Power(who) => write!(f, "the power of `{who}` must be 1 to {POWER_MAX}"),
            Self::Unsorted => f.write_str("the validators are not sorted by organisation"),
        }
    }
}
impl core::error::Error for ValidatorSetError {}

impl ValidatorSet {
    /// The set of these validators, in whatever order they come.
    ///
    /// # Errors
    /// The first rule of a set that does not hold.
    pub fn new(mut validators: Vec<Validator>) -> Result<Self, ValidatorSetError> {
        validators.sort_by_key(|validator| validator.organisation);
        let count = u32::try_from(validators.len()).unwrap_or(u32::MAX);
        if count == 0 {
            return Err(ValidatorSetError::Empty);
        }
        if count > VALIDATORS_MAX {
            return Err(ValidatorSetError::TooMany);
        }
        let (mut organisations, mut keys) = (BTreeSet::new(), BTreeSet::new());
        for validator in &validators {
            if !organisations.insert(validator.organisation) || !keys.insert(validator.key) {
                return Err(ValidatorSetError::Duplicate(validator.organisation));
            }
            if validator.power == 0 || validator.power > POWER_MAX {
                return Err(ValidatorSetError::Power(validator.organisation));
            }
        }
        Ok(Self(validators))
    }

    /// The validators, sorted by organisation.
    #[must_use]
    pub fn validators(&self) -> &[Validator] {
        &self.0
    }

    /// The validator of this organisation, if it is one.
    #[must_use]
    pub fn get(&self, organisation: OrganisationId) -> Option<&Validator> {
        self.0.iter().find(|validator| validator.organisation == organisation)
    }

    /// What a header's `next_validators` names: the SHA-256 of `yibao/validators/v1` and the
    /// set's bytes.
    #[must_use]
    pub fn hash(&self) -> Hash {
        sha256_parts(&[VALIDATORS_TAG, &codec::encode(self)])
    }

    /// The sum of all power.
    #[must_use]
    pub fn total_power(&self) -> u64 {
        self.0.iter().fold(0, |sum: u64, validator| sum.saturating_add(validator.power))
    }

    /// Whether this much power decides: more than two thirds of the whole.
    #[must_use]
    pub fn is_quorum(&self, power: u64) -> bool {
        let thrice = u128::from(power).saturating_mul(3);
        thrice > u128::from(self.total_power()).saturating_mul(2)
    }

    /// Whether the certificate makes this header final under this set, which is the one that the
    /// parent's `next_validators` names.
    ///
    /// # Errors
    /// The first rule that does not hold.
    pub fn verify_certificate(
        &self,
        header: &Header,
        certificate: &Certificate,
        verifier: &(impl Verifier + ?Sized),
    ) -> Result<(), CertificateError> {
        let value_id = header.value_id();
        if certificate.height != header.height || certificate.value_id != value_id {
            return Err(CertificateError::OtherBlock);
        }
        let message = commit_message(header.chain_id, header.height, certificate.round, value_id);
        let (mut seen, mut power) = (BTreeSet::new(), 0_u64);
        for commit in &certificate.signatures {
            let who = commit.organisation;
            let validator = self.get(who).ok_or(CertificateError::NotAValidator(who))?;
            if !seen.insert(who) {
                return Err(CertificateError::Duplicate(who));
            }
            key::verify(verifier, &validator.key, &message, &commit.signature)
                .map_err(|error| CertificateError::Signature(who, error))?;
            power = power.saturating_add(validator.power);
        }
        if self.is_quorum(power) {
            Ok(())
        } else {
            Err(CertificateError::NoQuorum { power, total: self.total_power() })
        }
    }
}

impl BorshDeserialize for ValidatorSet {
    fn deserialize_reader<R: borsh::io::Read>(reader: &mut R) -> borsh::io::Result<Self> {
        let list = bounded::read::<Validator, VALIDATORS_MAX, R>(reader)?;
        let sorted = list.is_sorted_by_key(|validator| validator.organisation);
        match Self::new(list) {
            Ok(set) if sorted => Ok(set),
            _ => Err(borsh::io::Error::new(borsh::io::ErrorKind::InvalidData, "validator set")),
        }
    }
}

impl<'de> Deserialize<'de> for ValidatorSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(<Vec<Validator> as Deserialize>::deserialize(deserializer)?)
            .map_err(serde::de::Error::custom)
    }
}

/// Why a certificate does not make a header final.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateError {
    /// Height or value id are those of another block.
    OtherBlock,
    /// A signer is not in the set.
    NotAValidator(OrganisationId),
    /// A signer appears twice.
    Duplicate(OrganisationId),
    /// A signature is not valid.
    Signature(OrganisationId, SignatureError),
    /// The signers have two thirds of the power or less.
    NoQuorum {
        /// The power of those who signed.
        power: u64,
        /// The power of all.
        total: u64,
    },
}

impl fmt::Display for CertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherBlock => f.write_str("the certificate belongs to another block"),
            Self::NotAValidator(who) => write!(f, "`{who}` signed but is not a validator"),
            Self::Duplicate(who) => write!(f, "`{who}` signed twice"),
            Self::Signature(who, error) => write!(f, "the signature of `{who}`: {error}"),
            Self::NoQuorum { power, total } => {
                write!(f, "only {power} of {total} power signed; more than two thirds must")
            }
        }
    }
}
impl core::error::Error for CertificateError {}
