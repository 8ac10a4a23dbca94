//! Those who sign in the demonstration, each with a key of its own.

use std::sync::atomic::{AtomicU64, Ordering};

use ledger::kernel::registry::Kind;
use ledger::kernel::transaction::TRANSACTION_VERSION;
use ledger::{Authorisation, Content, IdempotencyKey, Transaction};
use node::signature::{Scheme, SecretKey, SoftwareAuthenticator};
use primitives::{Hash, Party, PublicKey, Timestamp, codec, sha256_parts};
use proof::header::ChainId;

/// How a party signs.
enum Pen {
    /// With a key that it holds itself.
    Key(SecretKey),
    /// With a passkey: what a browser returns when the person confirms.
    Passkey(SoftwareAuthenticator),
}

/// A party with its key.
pub struct Actor {
    /// Who.
    pub party: Party,
    /// The public key.
    pub key: PublicKey,
    pen: Pen,
}

impl Actor {
    /// A party whose key comes from the demonstration's seed. Real parties make theirs at random.
    #[must_use]
    pub fn from_seed(party: Party, scheme: Scheme, seed: &Hash, purpose: &str) -> Self {
        let key = SecretKey::from_seed(scheme, &seed_of(party, seed, purpose));
        Self { party, key: key.public_key(), pen: Pen::Key(key) }
    }

    /// A person with a passkey on the demonstration's page.
    ///
    /// # Errors
    /// When rpId and origin are not those of a page.
    pub fn with_passkey(
        party: Party,
        seed: &Hash,
        rp_id: &str,
        origin: &str,
    ) -> anyhow::Result<Self> {
        let key = SecretKey::from_seed(Scheme::P256, &seed_of(party, seed, "passkey"));
        let public = key.public_key();
        let pen = Pen::Passkey(SoftwareAuthenticator::new(key, rp_id, origin)?);
        Ok(Self { party, key: public, pen })
    }

    /// The party's signature over a transaction id.
    #[must_use]
    pub fn authorise(&self, id: &Hash) -> Authorisation {
        let signature = match &self.pen {
            Pen::Key(key) => key.sign(id),
            Pen::Passkey(authenticator) => authenticator.assert(id),
        };
        Authorisation { party: self.party, key: self.key, signature }
    }
}

/// The seed of a party's key for a purpose.
#[must_use]
pub fn seed_of(party: Party, seed: &Hash, purpose: &str) -> [u8; 32] {
    let meaning = format!("{party}/{purpose}");
    sha256_parts(&[b"yibao/demo-key/v1", &seed.0, meaning.as_bytes()]).0
}

/// Writes transactions for one ledger: fresh idempotency keys, valid for an hour.
pub struct Drafter {
    chain_id: ChainId,
    seed: Hash,
    count: AtomicU64,
}

/// For how long a transaction of the demonstration is valid.
const VALID_MILLIS: u64 = 3_600_000;

impl Drafter {
    /// A writer for this ledger.
    #[must_use]
    pub const fn new(chain_id: ChainId, seed: Hash) -> Self {
        Self { chain_id, seed, count: AtomicU64::new(0) }
    }

    /// The content of a transaction of this kind; the author is one of its later signers.
    pub fn content<K: Kind>(&self, now: Timestamp, author: Party, kind: &K) -> Content {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let random =
            sha256_parts(&[b"yibao/demo-idempotency/v1", &self.seed.0, &count.to_le_bytes()]);
        let mut key = [0; 16];
        key.copy_from_slice(&random.0[..16]);
        Content {
            version: TRANSACTION_VERSION,
            chain_id: self.chain_id,
            author,
            idempotency_key: IdempotencyKey(key),
            valid_until: now.plus_millis(VALID_MILLIS),
            kind: K::NUMBER,
            body: codec::encode(kind),
        }
    }

    /// A signed transaction of this kind; the first signer is the author.
    pub fn transaction<K: Kind>(
        &self,
        now: Timestamp,
        signers: &[&Actor],
        kind: &K,
    ) -> Transaction {
        let content = self.content(now, signers[0].party, kind);
        let id = content.id();
        let authorisations = signers.iter().map(|signer| signer.authorise(&id)).collect();
        Transaction::signed_by(content, authorisations)
    }
}
