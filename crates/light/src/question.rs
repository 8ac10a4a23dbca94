//! What a light node asks a full one, and the answers; borsh on the wire.

use borsh::{BorshDeserialize, BorshSerialize};
use ledger::kernel::posting::PostedEntry;
use ledger::kernel::receipt::Outcome;
use ledger::kernel::state::StateProof;
use ledger::modules::visit::SettlementRecord;
use ledger::{Receipt, Transaction};
use primitives::{Detail, Hash, Party, VisitId};
use proof::header::{Certificate, Header, ValidatorSet};
use proof::receipt::FieldName;

/// The most headers of one answer.
pub const HEADERS_MAX: usize = 256;
/// The most rows of one question.
pub const ROWS_MAX: usize = 256;
/// The most receipts of one answer.
pub const RECEIPTS_MAX: u32 = 200;

/// A question.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Question {
    /// The headers from this height on.
    Headers {
        /// The first one's height.
        from: u64,
        /// Whether to wait a while for the first one.
        wait: bool,
    },
    /// The validators with this hash.
    Validators(Hash),
    /// Rows of the state after the block of this height.
    Rows {
        /// The height.
        height: u64,
        /// Which rows; at most [`ROWS_MAX`].
        rows: Vec<RowQuestion>,
    },
    /// A receipt.
    Receipt {
        /// Which one.
        place: Place,
        /// The size of the receipt log in which it is to be proved.
        size: u64,
    },
    /// The receipts that concern a party.
    Receipts {
        /// The party: the asking organisation; whoever sees everything may name others.
        party: Party,
        /// Whether from the last one back.
        newest_first: bool,
        /// Behind which place.
        after: Option<u64>,
        /// How many, at most [`RECEIPTS_MAX`].
        limit: u32,
        /// The size of the receipt log in which they are to be proved.
        size: u64,
    },
    /// The receipts from this place of the log on that the organisation may see.
    Log {
        /// The first place that is looked at.
        from: u64,
        /// The size of the receipt log: where it ends, and in which they are to be proved.
        size: u64,
    },
    /// The settlement record in force of a visit.
    Settlement(VisitId),
    /// The voucher of a transaction's receipt.
    Voucher {
        /// The transaction.
        transaction_id: Hash,
        /// The fields that it shows; all without a list.
        shown: Option<Vec<FieldName>>,
    },
    /// The newest signed checkpoint of the receipt log.
    Checkpoint,
    /// A tile of the receipt log, by its path (C2SP tlog-tiles).
    Tile(String),
    /// Puts a transaction on its way; answered when it is durable or will not happen.
    Submit(Box<Transaction>),
    /// What a transaction would do: for rows that the asking organisation may not read itself.
    Rehearse(Box<Transaction>),
}

/// A row that is asked for.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct RowQuestion {
    /// Its key.
    pub key: Vec<u8>,
    /// The open visit for which a person's row is needed.
    pub visit: Option<VisitId>,
}

/// Which receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Place {
    /// The one at this place of the log.
    Index(u64),
    /// The one of this transaction.
    Transaction(Hash),
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Answer {
    /// Headers in their order, none when there is none yet.
    Headers(Vec<CertifiedHeader>),
    /// Validators.
    Validators(Option<ValidatorSet>),
    /// The rows, in the order of the question.
    Rows(Vec<RowAnswer>),
    /// The state of that height is not kept any more.
    Gone,
    /// A receipt.
    Receipt(Option<Box<ProvenReceipt>>),
    /// Receipts.
    Receipts(Vec<ProvenReceipt>),
    /// Receipts, and the place from which on nothing was looked at.
    Log(Vec<ProvenReceipt>, u64),
    /// A settlement record.
    Settlement(Option<Box<SettlementRecord>>),
    /// A voucher, as text.
    Voucher(Option<String>),
    /// A checkpoint, as text.
    Checkpoint(Option<String>),
    /// The bytes of a tile.
    Tile(Option<Vec<u8>>),
    /// What became of a transaction.
    Submitted(Result<Done, Refused>),
    /// What a transaction would do, and what it would post.
    Rehearsed(Result<Box<(Outcome, Vec<PostedEntry>)>, Refused>),
    /// The organisation may not ask that.
    NotYours,
    /// The question is not well-formed, or could not be answered now; in English, for the log.
    Failed(String),
}

/// A header with the signatures that make it final.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct CertifiedHeader {
    /// The header.
    pub header: Header,
    /// The signatures.
    pub certificate: Certificate,
}

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum RowAnswer {
    /// It is not for the asking organisation.
    NotYours,
    /// What stands under the key, if anything, with the proof.
    Row(Option<Vec<u8>>, StateProof),
}

/// A receipt, as the asking organisation may know it, with the proof that its record is in the log.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ProvenReceipt {
    /// Its place in the log.
    pub index: u64,
    /// The receipt.
    pub receipt: Receipt,
    /// The hashes that lead from its record to the root of the log of the asked size.
    pub path: Vec<Hash>,
}

/// A transaction that was executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Done {
    /// The place of its receipt.
    pub index: u64,
    /// The height of its block.
    pub height: u64,
    /// Whether it had been executed before.
    pub is_duplicate: bool,
}

/// Why a transaction was not executed.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Refused {
    /// It is not well-formed or not validly signed; in English, for the log.
    Invalid(String),
    /// It may not be tried: the rejection's wire number and particulars.
    Rejected(u16, Option<Detail>),
    /// Another with this idempotency key is on its way.
    InProgress,
    /// There is too much to do; try again after so many milliseconds.
    Overloaded(u64),
    /// Whether it happened is not known.
    Unknown,
    /// The node takes none.
    Stopped,
}
