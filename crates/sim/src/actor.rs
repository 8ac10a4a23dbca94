//! Those who sign in a simulated world, each with a key of its own, and what they write.

use std::sync::Arc;

use ledger::kernel::registry::Kind;
use ledger::kernel::transaction::TRANSACTION_VERSION;
use ledger::{Authorisation, Content, IdempotencyKey, Transaction};
use node::signature::{Scheme, SecretKey};
use primitives::{Hash, OrganisationId, Party, PublicKey, Timestamp, codec, sha256_parts};
use proof::header::ChainId;

/// A party with a key.
pub struct Actor {
    /// Who.
    pub party: Party,
    key: SecretKey,
}

/// An actor that several parts of the world know.
pub type SharedActor = Arc<Actor>;

impl Actor {
    /// A party whose key belongs to the party and a purpose. Keys are the same in every world:
    /// making them is no part of what is simulated.
    #[must_use]
    pub fn new(party: Party, purpose: &str) -> Self {
        let meaning = format!("{party}/{purpose}");
        let seed = sha256_parts(&[b"yibao/sim-key/v1", meaning.as_bytes()]).0;
        Self { party, key: SecretKey::from_seed(Scheme::Ed25519, &seed) }
    }

    /// The organisation of this code with a key for a purpose.
    #[must_use]
    pub fn organisation(code: &str, purpose: &str) -> SharedActor {
        Arc::new(Self::new(Party::Organisation(organisation(code)), purpose))
    }

    /// The public key.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        self.key.public_key()
    }

    /// The secret key, where one is needed that is no party's on the ledger.
    #[must_use]
    pub fn into_key(self) -> SecretKey {
        self.key
    }

    /// The signature over a transaction id.
    #[must_use]
    pub fn authorise(&self, id: &Hash) -> Authorisation {
        Authorisation {
            party: self.party,
            key: self.key.public_key(),
            signature: self.key.sign(id),
        }
    }
}

/// The organisation of this code.
///
/// # Panics
/// When the code is none: codes are literals of this crate.
#[must_use]
pub fn organisation(code: &str) -> OrganisationId {
    code.parse().expect("codes of the simulated region are well-formed")
}

/// A transaction before it has a key against doing it twice and an end of validity: what may be
/// signed anew when its first form could not be executed in time.
#[derive(Clone)]
pub struct Draft {
    kind: u16,
    /// The kind's name, for the trace.
    pub name: &'static str,
    /// The body in borsh.
    pub body: Vec<u8>,
    /// Who signs; the first is the author.
    pub signers: Vec<SharedActor>,
    valid_millis: u64,
}

impl Draft {
    /// A draft of this kind that is valid for ten minutes once it is signed.
    #[must_use]
    pub fn new<K: Kind>(body: &K, signers: &[&SharedActor]) -> Self {
        let signers = signers.iter().map(|one| Arc::clone(one)).collect();
        Self {
            kind: K::NUMBER,
            name: K::NAME,
            body: codec::encode(body),
            signers,
            valid_millis: 600_000,
        }
    }

    /// The same, valid for this long.
    #[must_use]
    pub const fn valid_for(mut self, millis: u64) -> Self {
        self.valid_millis = millis;
        self
    }

    /// The signed transaction.
    #[must_use]
    pub fn sign(&self, chain_id: ChainId, now: Timestamp, key: [u8; 16]) -> Transaction {
        let content = Content {
            version: TRANSACTION_VERSION,
            chain_id,
            author: self.signers[0].party,
            idempotency_key: IdempotencyKey(key),
            valid_until: now.plus_millis(self.valid_millis),
            kind: self.kind,
            body: self.body.clone(),
        };
        let id = content.id();
        let authorisations = self.signers.iter().map(|signer| signer.authorise(&id)).collect();
        Transaction::signed_by(content, authorisations)
    }
}
