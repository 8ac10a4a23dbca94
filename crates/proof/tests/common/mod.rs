//! Keys, a log and a verifier for the tests, all from fixed seeds.
#![allow(dead_code, reason = "every test file uses a part of it")]

use std::convert::Infallible;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use primitives::{
    Amount, Currency, Hash, OrganisationId, Party, PublicKey, SignatureError, Text, Timestamp,
    Verifier,
};
use proof::{
    checkpoint::{Checkpoint, SignedCheckpoint},
    log::{Frontier, Nodes, leaf_hash, node_hash, prove_inclusion},
    note::{NoteKey, NoteSigner, SignatureType},
    receipt::{
        Field, FieldAmount, FieldValue, OutcomeCode, RECEIPT_VERSION, ReceiptRecord, ReceiptSeed,
    },
    voucher::Voucher,
};

/// Ed25519 by aws-lc-rs.
pub struct AwsLc;

impl Verifier for AwsLc {
    fn check_key(&self, _: &PublicKey) -> Result<(), SignatureError> {
        Ok(())
    }
    fn verify_raw(
        &self,
        key: &PublicKey,
        message: &[u8],
        signature: &[u8; 64],
    ) -> Result<(), SignatureError> {
        let PublicKey::Ed25519(key) = key else { return Err(SignatureError::SchemeMismatch) };
        UnparsedPublicKey::new(&ED25519, key)
            .verify(message, signature)
            .map_err(|_| SignatureError::InvalidSignature)
    }
}

/// A signer from a seed.
pub struct Signer {
    key: NoteKey,
    pair: Ed25519KeyPair,
}

impl Signer {
    pub fn new(name: &str, signature_type: SignatureType, seed: u8) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
        let public = pair.public_key().as_ref().try_into().unwrap();
        Self { key: NoteKey::new(name, signature_type, public).unwrap(), pair }
    }

    pub fn log(name: &str, seed: u8) -> Self {
        Self::new(name, SignatureType::Ed25519, seed)
    }

    pub fn witness(name: &str, seed: u8) -> Self {
        Self::new(name, SignatureType::CosignatureV1, seed)
    }
}

impl NoteSigner for Signer {
    type Error = Infallible;
    fn key(&self) -> &NoteKey {
        &self.key
    }
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], Infallible> {
        Ok(self.pair.sign(message).as_ref().try_into().unwrap())
    }
}

pub const ORIGIN: &str = "yibao.example/gansu-demo/receipts";

pub fn time() -> Timestamp {
    Timestamp::from_millis(1_774_944_300_123)
}

pub fn field(name: &str, value: FieldValue) -> Field {
    Field { name: name.parse().unwrap(), value }
}

pub fn yuan(fen: u64) -> FieldValue {
    FieldValue::Amount(FieldAmount { amount: Amount::from_minor(fen), currency: Currency::CNY })
}

/// The fields of a settled visit.
pub fn fields() -> Vec<Field> {
    let payer: OrganisationId = "gansu-bureau".parse().unwrap();
    vec![
        field("payer", FieldValue::Party(Party::Organisation(payer))),
        field("total", yuan(87_635)),
        field("pooled_fund", yuan(61_344)),
        field("cash", yuan(26_291)),
        field("service_date", FieldValue::Date("2026-03-31".parse().unwrap())),
        field("settled_at", FieldValue::Timestamp(time())),
        field("note", FieldValue::Text(Text::new("门诊统筹").unwrap())),
        field("bill", FieldValue::Hash(Hash([0xb1; 32]))),
        field("lines", FieldValue::Number(17)),
    ]
}

pub fn seed() -> ReceiptSeed {
    ReceiptSeed([0x5e; 32])
}

pub fn record() -> ReceiptRecord {
    ReceiptRecord {
        version: RECEIPT_VERSION,
        chain_id: "gansu-demo".parse().unwrap(),
        height: 812,
        index_in_block: 3,
        time: time(),
        transaction_id: Hash([0x77; 32]),
        kind: 504,
        outcome: OutcomeCode::Accepted,
        commitments: seed().commit(&fields()).unwrap(),
    }
}

/// A log in memory.
#[derive(Default)]
pub struct Log(pub Vec<Hash>);

impl Nodes for Log {
    type Error = Infallible;
    fn subtree(&self, height: u8, index: u64) -> Result<Hash, Infallible> {
        if height == 0 {
            return Ok(self.0[usize::try_from(index).unwrap()]);
        }
        let left = self.subtree(height - 1, 2 * index)?;
        Ok(node_hash(&left, &self.subtree(height - 1, 2 * index + 1)?))
    }
}

impl Log {
    /// A log of this many other receipts and ours at `place`.
    pub fn with(record: &ReceiptRecord, place: usize, size: usize) -> Self {
        let leaf = |number: usize| leaf_hash(&number.to_le_bytes());
        let mut leaves: Vec<Hash> = (0..size).map(leaf).collect();
        leaves[place] = leaf_hash(&record.leaf());
        Self(leaves)
    }

    pub fn size(&self) -> u64 {
        self.0.len() as u64
    }

    pub fn checkpoint(&self, origin: &str) -> Checkpoint {
        let mut frontier = Frontier::new();
        self.0.iter().for_each(|leaf| frontier.push(*leaf));
        Checkpoint::new(origin, frontier.size(), frontier.root())
    }
}

pub fn log_signer() -> Signer {
    Signer::log(ORIGIN, 1)
}

pub fn witnesses() -> [Signer; 2] {
    [Signer::witness("audit.example/w", 2), Signer::witness("finance.example/w", 3)]
}

/// The signed and cosigned checkpoint of this log.
pub fn sign(log: &Log) -> SignedCheckpoint {
    let mut checkpoint = SignedCheckpoint::sign(&log.checkpoint(ORIGIN), &log_signer()).unwrap();
    for witness in witnesses() {
        checkpoint.cosign(&witness, time()).unwrap();
    }
    checkpoint
}

pub const PLACE: usize = 41;

/// A voucher that shows the fields of these places.
pub fn voucher(shown: &[u32]) -> Voucher {
    let record = record();
    let log = Log::with(&record, PLACE, 100);
    let path = prove_inclusion(&log, PLACE as u64, log.size()).unwrap();
    let open = |place: &u32| seed().open(*place, fields()[*place as usize].clone());
    let openings = shown.iter().map(open).collect();
    Voucher::issue(record, openings, PLACE as u64, path, sign(&log)).unwrap()
}
