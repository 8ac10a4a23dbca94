//! Vouchers: the proof that somebody keeps of a receipt, checked without us and without network.
//!
//! A voucher file is a C2SP tlog-proof whose `extra` line carries, in base64 of borsh:
//! the 16 bytes `yibao/voucher/v1`, the receipt record, and the openings that the holder shows,
//! sorted by their place. The extra data is signed by nobody: the record is believed because its
//! bytes are the proven leaf, an opened field because it fits the record's commitment. So whoever
//! passes a voucher on can leave fields out, and can change nothing.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    string::String,
    vec::Vec,
};
use borsh::{BorshDeserialize, BorshSerialize};
use core::fmt;
use primitives::{Hash, Verifier, codec};

use crate::{
    bounded,
    checkpoint::SignedCheckpoint,
    log::{ProofError, leaf_hash},
    note::NoteKey,
    policy::{Cosigner, Policy},
    receipt::{FIELDS_MAX, Field, FieldName, Opening, RECEIPT_VERSION, ReceiptRecord},
    tlog_proof::{TlogProof, TlogProofError, TlogProofRefusal},
};

/// The longest voucher, in bytes.
pub const VOUCHER_BYTES_MAX: usize = 65_536;

const VOUCHER_TAG: [u8; 16] = *b"yibao/voucher/v1";

/// A receipt with the proof that the ledger gave it, and the fields that its holder shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Voucher {
    record: ReceiptRecord,
    openings: Vec<Opening>,
    proof: TlogProof,
}

/// What the extra line carries.
#[derive(BorshSerialize, BorshDeserialize)]
struct Extra {
    tag: [u8; 16],
    record: ReceiptRecord,
    #[borsh(deserialize_with = "bounded::read::<_, FIELDS_MAX, _>")]
    openings: Vec<Opening>,
}

/// Why something is not a voucher.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VoucherError {
    /// More than [`VOUCHER_BYTES_MAX`].
    TooLong,
    /// It is no transparency proof.
    Proof(TlogProofError),
    /// It is a proof of something else than a receipt of yibao.
    NotAVoucher,
    /// The receipt in it cannot be read.
    Record,
    /// The receipt's form is newer than this program.
    Version(u16),
    /// The opened fields are not sorted by place, each once, each under its own name.
    OpeningsOrder,
    /// The field of this name does not fit the receipt.
    Opening(FieldName),
    /// The receipt does not stand where the proof says.
    Inclusion(ProofError),
    /// A field that should be shown is not open in this voucher.
    NotOpen(FieldName),
}

impl fmt::Display for VoucherError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "the voucher has more than {VOUCHER_BYTES_MAX} bytes"),
            Self::Proof(error) => fmt::Display::fmt(error, f),
            Self::NotAVoucher => f.write_str("this is a proof, but no voucher of yibao"),
            Self::Record => {
                f.write_str("the voucher's receipt cannot be read; the file was changed")
            }
            Self::Version(version) => {
                write!(f, "the receipt has form {version}, which needs a newer program")
            }
            Self::OpeningsOrder => {
                f.write_str("the voucher shows a field twice or out of order; the file was changed")
            }
            Self::Opening(name) => {
                write!(f, "the field `{name}` does not fit the receipt; the file was changed")
            }
            Self::Inclusion(error) => fmt::Display::fmt(error, f),
            Self::NotOpen(name) => write!(f, "the field `{name}` is not open in this voucher"),
        }
    }
}
impl core::error::Error for VoucherError {}

/// What a verified voucher proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedVoucher {
    /// The receipt.
    pub record: ReceiptRecord,
    /// The fields that the holder shows, by their place in the receipt.
    pub fields: BTreeMap<u32, Field>,
    /// The receipt's place in the log; the first is 0.
    pub index: u64,
    /// How many receipts the log had at the checkpoint.
    pub log_size: u64,
    /// The key of the log that signed; its name is the log's origin.
    pub log: NoteKey,
    /// The witnesses that cosigned.
    pub cosigners: Vec<Cosigner>,
}

impl Voucher {
    /// Issues a voucher: the receipt's openings, its place in the log and the proof from there to
    /// the checkpoint.
    ///
    /// # Errors
    /// Openings that do not fit, a proof that does not lead to the checkpoint's root, or a voucher
    /// that would be too long. The signatures are not checked here.
    pub fn issue(
        record: ReceiptRecord,
        mut openings: Vec<Opening>,
        index: u64,
        path: Vec<Hash>,
        checkpoint: SignedCheckpoint,
    ) -> Result<Self, VoucherError> {
        openings.sort_by_key(|opening| opening.index);
        let extra = Some(extra(&record, &openings));
        let proof = TlogProof { extra, index, path, checkpoint };
        // Read what was written, so that nothing leaves here that would not be read elsewhere.
        Self::decode(proof.encode().as_bytes())
    }

    /// Reads a voucher and checks everything but the signatures: form, openings, inclusion.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn decode(bytes: &[u8]) -> Result<Self, VoucherError> {
        if bytes.len() > VOUCHER_BYTES_MAX {
            return Err(VoucherError::TooLong);
        }
        let proof = TlogProof::parse(bytes).map_err(VoucherError::Proof)?;
        let bytes = proof.extra.as_deref().ok_or(VoucherError::NotAVoucher)?;
        if !bytes.starts_with(&VOUCHER_TAG) {
            return Err(VoucherError::NotAVoucher);
        }
        let Extra { record, openings, .. } =
            codec::decode::<Extra>(bytes).map_err(|_| VoucherError::Record)?;
        if record.version != RECEIPT_VERSION {
            return Err(VoucherError::Version(record.version));
        }
        let mut names = BTreeSet::new();
        let in_order = openings.is_sorted_by(|one, next| one.index < next.index);
        if !in_order || !openings.iter().all(|opening| names.insert(&opening.field.name)) {
            return Err(VoucherError::OpeningsOrder);
        }
        if let Some(opening) = openings.iter().find(|opening| !opening.fits(&record)) {
            return Err(VoucherError::Opening(opening.field.name.clone()));
        }
        let leaf = leaf_hash(&record.leaf());
        proof.check_inclusion(leaf).map_err(VoucherError::Inclusion)?;
        Ok(Self { record, openings, proof })
    }

    /// The voucher file.
    #[must_use]
    pub fn encode(&self) -> String {
        self.proof.encode()
    }

    /// The receipt.
    #[must_use]
    pub const fn record(&self) -> &ReceiptRecord {
        &self.record
    }

    /// The fields that are shown.
    #[must_use]
    pub fn openings(&self) -> &[Opening] {
        &self.openings
    }

    /// The log's checkpoint, as it came with the voucher.
    #[must_use]
    pub const fn checkpoint(&self) -> &SignedCheckpoint {
        &self.proof.checkpoint
    }

    /// The same voucher, showing only the fields of these names.
    ///
    /// # Errors
    /// [`VoucherError::NotOpen`] for a name that this voucher does not show.
    pub fn show_only(&self, names: &[FieldName]) -> Result<Self, VoucherError> {
        for name in names {
            if !self.openings.iter().any(|opening| opening.field.name == *name) {
                return Err(VoucherError::NotOpen(name.clone()));
            }
        }
        let mut shown = self.clone();
        shown.openings.retain(|opening| names.contains(&opening.field.name));
        shown.proof.extra = Some(extra(&shown.record, &shown.openings));
        Ok(shown)
    }

    /// Whether a log that the policy trusts has this receipt.
    ///
    /// # Errors
    /// What does not hold.
    pub fn verify(
        &self,
        policy: &Policy,
        verifier: &impl Verifier,
    ) -> Result<VerifiedVoucher, TlogProofRefusal> {
        let leaf = leaf_hash(&self.record.leaf());
        let accepted = self.proof.verify(leaf, policy, verifier)?;
        let field = |opening: &Opening| (opening.index, opening.field.clone());
        Ok(VerifiedVoucher {
            record: self.record.clone(),
            fields: self.openings.iter().map(field).collect(),
            index: self.proof.index,
            log_size: self.proof.checkpoint.checkpoint().size,
            log: accepted.log,
            cosigners: accepted.cosigners,
        })
    }

    /// The record's bytes, which are the log's entry: for other people's verifiers.
    #[must_use]
    pub fn export_record(&self) -> Vec<u8> {
        self.record.leaf()
    }

    /// The proof alone, without receipt and openings: for other people's verifiers.
    #[must_use]
    pub fn export_proof(&self) -> String {
        TlogProof { extra: None, ..self.proof.clone() }.encode()
    }
}

fn extra(record: &ReceiptRecord, openings: &[Opening]) -> Vec<u8> {
    let extra = Extra { tag: VOUCHER_TAG, record: record.clone(), openings: openings.to_vec() };
    codec::encode(&extra)
}
