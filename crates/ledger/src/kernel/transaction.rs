//! What parties sign and the ledger orders.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use borsh::{BorshDeserialize, BorshSerialize};
use core::fmt;
use primitives::key::WebAuthnContext;
use primitives::{
    Detail, Hash, Party, PublicKey, Signature, SignatureError, Timestamp, Verifier, codec, detail,
    key, sha256_parts,
};
use proof::header::ChainId;
use serde::{Deserialize, Serialize};

use crate::kernel::registry::Registry;

/// The format version of [`Content`] written here.
pub const TRANSACTION_VERSION: u16 = 1;
/// How many signatures one transaction may carry. Our own limit: it bounds the work of checking.
pub const AUTHORISATIONS_MAX: usize = 16;
/// The largest encoded transaction in bytes. Our own limit; a block holds at most 1 MiB.
pub const TRANSACTION_BYTES_MAX: usize = 512 * 1024;
/// How far ahead `valid_until` may lie (HOUSE.md section 7.2: at most 7 days).
pub const VALIDITY_MILLIS_MAX: u64 = 7 * 24 * 3_600 * 1_000;

/// 16 random bytes that the author chooses before the first try and keeps for every further one.
///
/// They also salt the receipt, so they must come from a good source of randomness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct IdempotencyKey(
    #[serde(with = "hex_key")]
    #[schemars(with = "String", regex(pattern = "^[0-9a-f]{32}$"))]
    pub [u8; 16],
);

mod hex_key {
    use alloc::string::String;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(bytes: &[u8; 16], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&primitives::VisitId(*bytes))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 16], D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse::<primitives::VisitId>().map(|id| id.0).map_err(|_| {
            serde::de::Error::custom(primitives::detail!(
                "an idempotency key is 16 random bytes as 32 lower-case hex digits"
            ))
        })
    }
}

/// What is signed. The transaction id is its hash and never covers a signature.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Content {
    /// [`TRANSACTION_VERSION`].
    pub version: u16,
    /// The ledger it is meant for.
    pub chain_id: ChainId,
    /// Who brings it; one of the signers.
    pub author: Party,
    /// The author's key against doing it twice.
    pub idempotency_key: IdempotencyKey,
    /// The last instant of block time at which it may be executed.
    pub valid_until: Timestamp,
    /// The kind's wire number.
    pub kind: u16,
    /// The kind's body in borsh.
    pub body: Vec<u8>,
}

impl Content {
    /// The id: `SHA-256("yibao/transaction/v1" || borsh(content))`.
    #[must_use]
    pub fn id(&self) -> Hash {
        self.hashes().0
    }

    /// The id, and the seed of the receipt's salts: `SHA-256("yibao/receipt-seed/v1" ||
    /// borsh(content))`. Whoever does not know the content cannot compute the seed.
    fn hashes(&self) -> (Hash, Hash) {
        let bytes = codec::encode(self);
        let hash = |domain: &[u8]| sha256_parts(&[domain, &bytes]);
        (hash(b"yibao/transaction/v1"), hash(b"yibao/receipt-seed/v1"))
    }
}

/// One party's signature over the transaction id.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Authorisation {
    /// Who signs.
    pub party: Party,
    /// With which of its keys.
    pub key: PublicKey,
    /// The signature.
    pub signature: Signature,
}

/// Content with its signatures, as it travels and stands in a block.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Transaction {
    /// What is signed.
    pub content: Content,
    /// By whom; sorted by party and key. A party that acts in two ways, as a payer by a machine and
    /// at a desk by a clerk, signs with a key for each; no key signs twice.
    pub authorisations: Vec<Authorisation>,
}

/// Why a transaction is not well-formed or not validly signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransactionError {
    /// The bytes are no transaction, or not the one form of it.
    Malformed,
    /// More bytes than allowed.
    TooLarge,
    /// No signature, or more than allowed.
    SignatureCount,
    /// The signatures are not sorted by party and key, or a party signed twice with one key.
    SignerOrder,
    /// This party's signature is not valid.
    Signature(Party, SignatureError),
    /// A key that the body registers is not a valid public key.
    Key(PublicKey),
}

impl From<&TransactionError> for Detail {
    fn from(error: &TransactionError) -> Self {
        use TransactionError as Error;
        match *error {
            Error::Malformed => detail!("the bytes are not a transaction"),
            Error::TooLarge => {
                detail!("a transaction has at most {most} bytes", most = TRANSACTION_BYTES_MAX)
            }
            Error::SignatureCount => {
                detail!("a transaction carries 1 to {most} signatures", most = AUTHORISATIONS_MAX)
            }
            Error::SignerOrder => {
                detail!("signatures must be sorted by party and key, each key once")
            }
            Error::Signature(party, why) => {
                detail!("signature of `{party}`: {why}", party, why)
            }
            Error::Key(key) => detail!("`{key}` is not a valid public key", key),
        }
    }
}

impl fmt::Display for TransactionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Detail::from(self).fmt(f)
    }
}

impl core::error::Error for TransactionError {}

/// A party that validly signed, with the key it used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// Who.
    pub party: Party,
    /// The key; whether it belongs to the party is for `authorize` to say.
    pub key: PublicKey,
    /// Where a passkey was used.
    pub web_authn: Option<WebAuthnContext>,
}

/// A transaction whose signatures are valid. Only [`Transaction::verify`] makes one.
#[derive(Clone, Debug)]
pub struct VerifiedTransaction {
    id: Hash,
    receipt_seed: Hash,
    content: Content,
    signers: Vec<Signer>,
}

impl Transaction {
    /// The transaction of these bytes.
    ///
    /// # Errors
    /// `TooLarge`, `Malformed`.
    pub fn decode(bytes: &[u8]) -> Result<Self, TransactionError> {
        if bytes.len() > TRANSACTION_BYTES_MAX {
            return Err(TransactionError::TooLarge);
        }
        codec::decode(bytes).map_err(|_| TransactionError::Malformed)
    }

    /// The bytes that travel.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// A content with these signatures.
    #[must_use]
    pub fn signed_by(content: Content, authorisations: Vec<Authorisation>) -> Self {
        let mut transaction = Self { content, authorisations };
        transaction.sort_authorisations();
        transaction
    }

    /// Puts the signatures into their one order.
    pub fn sort_authorisations(&mut self) {
        self.authorisations.sort_by_key(|one| (one.party, one.key));
    }

    /// Checks form, signatures and registered keys, without any state, so that many transactions
    /// can be checked at once.
    ///
    /// # Errors
    /// The first rule that does not hold.
    pub fn verify(
        self,
        verifier: &impl Verifier,
        registry: &Registry,
    ) -> Result<VerifiedTransaction, TransactionError> {
        if self.authorisations.is_empty() || self.authorisations.len() > AUTHORISATIONS_MAX {
            return Err(TransactionError::SignatureCount);
        }
        let place = |one: &Authorisation| (one.party, one.key);
        if !self.authorisations.is_sorted_by(|one, next| place(one) < place(next)) {
            return Err(TransactionError::SignerOrder);
        }
        let (id, receipt_seed) = self.content.hashes();
        let signers = self
            .authorisations
            .iter()
            .map(|one| {
                let web_authn = key::verify(verifier, &one.key, &id, &one.signature)
                    .map_err(|error| TransactionError::Signature(one.party, error))?;
                Ok(Signer { party: one.party, key: one.key, web_authn })
            })
            .collect::<Result<_, _>>()?;
        let kind = registry.by_number(self.content.kind);
        for key in kind.map(|kind| kind.registers(&self.content.body)).unwrap_or_default() {
            verifier.check_key(&key).map_err(|_| TransactionError::Key(key))?;
        }
        Ok(VerifiedTransaction { id, receipt_seed, content: self.content, signers })
    }
}

impl VerifiedTransaction {
    /// The transaction id.
    #[must_use]
    pub const fn id(&self) -> Hash {
        self.id
    }

    /// The seed of the receipt's salts.
    #[must_use]
    pub const fn receipt_seed(&self) -> Hash {
        self.receipt_seed
    }

    /// What was signed.
    #[must_use]
    pub const fn content(&self) -> &Content {
        &self.content
    }

    /// Who signed, sorted by party and key.
    #[must_use]
    pub fn signers(&self) -> &[Signer] {
        &self.signers
    }

    /// This party's signatures, one for each key that it signed with.
    pub fn signers_of(&self, party: Party) -> impl Iterator<Item = &Signer> {
        self.signers.iter().filter(move |signer| signer.party == party)
    }
}

/// A short name for logs: the first eight hex digits of an id.
#[must_use]
pub fn short(id: &Hash) -> String {
    let text = format!("{id}");
    text.get(..8).map(String::from).unwrap_or(text)
}
