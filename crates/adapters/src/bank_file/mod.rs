//! Files that a bureau and its bank exchange about payments to providers, in the forms of ISO
//! 20022: the order goes out as pain.001, the bank answers with pain.002 (what it takes on) and
//! camt.053 or camt.054 (what it booked).
//!
//! What a bank sends is read as if a stranger had sent it: a bound on everything, no document type,
//! no entities but XML's own, and an error that names line, element and remedy ([`FileError`]).
//! Account numbers and names of a file never leave it: nothing here shows one in `Debug` or in an
//! error.
//!
//! Reading order: this file (what a file says), `xml` (bounded reading), [`order`] (pain.001),
//! [`report`] (pain.002), [`statement`] (camt.053, camt.054), [`reconcile`] (line by line against
//! ledger and books), [`sandbox`] (a bank that is played).

use primitives::{Amount, CivilDate, Currency};

pub mod order;
pub mod reconcile;
pub mod report;
pub mod sandbox;
pub mod statement;
mod text;
mod xml;

/// The largest file that is read, in bytes: 100,000 movements have about 70 million.
pub const FILE_BYTES_MAX: usize = 256 << 20;
/// The most payments or movements of a file.
pub const LINES_MAX: usize = 200_000;

/// The kinds of file that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// An order of payments: pain.001.001.09.
    Order,
    /// What the bank takes on of an order: pain.002.001.10.
    Report,
    /// A day's bookings: camt.053.001.08.
    Statement,
    /// Single bookings: camt.054.001.08.
    Notification,
}

impl Message {
    /// The namespace of its XML.
    #[must_use]
    pub const fn namespace(self) -> &'static str {
        match self {
            Self::Order => "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09",
            Self::Report => "urn:iso:std:iso:20022:tech:xsd:pain.002.001.10",
            Self::Statement => "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08",
            Self::Notification => "urn:iso:std:iso:20022:tech:xsd:camt.054.001.08",
        }
    }

    /// Which of them a file is, by its first element.
    ///
    /// # Errors
    /// When it is none of them.
    pub fn of(bytes: &[u8]) -> Result<Self, FileError> {
        xml::message_of(bytes)
    }
}

/// Which way the bank moved money, seen from the bureau.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// Paid to a provider.
    Out,
    /// Came back.
    Back,
}

/// A movement of money that the bank has booked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Movement {
    /// The reference that went with the order; empty where the bank gives none.
    pub end_to_end: String,
    /// The bank's own reference.
    pub bank_reference: String,
    /// How much.
    pub amount: Amount,
    /// The day on which it is booked.
    pub day: CivilDate,
    /// Which way.
    pub direction: Direction,
    /// Why it came back, by the bank's code.
    pub reason: Option<String>,
}

/// What is wrong with a file, and where.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, `{element}`: {problem}")]
pub struct FileError {
    /// The line, from 1.
    pub line: usize,
    /// The element by its path, such as `Document/BkToCstmrStmt/Stmt/Ntry/Amt`.
    pub element: String,
    /// What is wrong with it.
    pub problem: FileProblem,
}

/// What can be wrong with a file. What a file says is repeated only where it is a code, a number
/// or a day.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileProblem {
    /// Too many bytes.
    #[error("the file has more than {0} bytes; ask the bank for one file a day")]
    TooLarge(usize),
    /// Too many lines.
    #[error("the file has more than {0} movements; ask the bank for one file a day")]
    TooMany(usize),
    /// Not XML.
    #[error("this is not XML ({0}); ask the bank for the file as it left the bank")]
    NotXml(String),
    /// It declares a document type.
    #[error("the file declares a document type; such files are not read, ask for one without")]
    DocumentType,
    /// It uses an entity of its own.
    #[error("the file uses an entity of its own; only the five of XML are read")]
    Entity,
    /// Too deep.
    #[error("elements lie more than {0} deep; this is no ISO 20022 message")]
    TooDeep(usize),
    /// A text is too long.
    #[error("the text has more than {0} bytes; this is no ISO 20022 message")]
    TooLong(usize),
    /// Another message.
    #[error("this message is not read here; export {0}")]
    OtherMessage(&'static str),
    /// Not an amount.
    #[error("`{0}` is no amount of {1}; write digits, a point and at most {2} decimals")]
    Amount(String, Currency, u8),
    /// Another currency.
    #[error("the currency is `{0}`, the account keeps {1}; import the file of the right account")]
    Currency(String, Currency),
    /// Not a day.
    #[error("`{0}` is no day; write YYYY-MM-DD")]
    Day(String),
    /// Not a code.
    #[error("`{0}` is not one of {1}")]
    Code(String, &'static str),
    /// Something is missing.
    #[error("`{0}` is missing; ask the bank to send it")]
    Missing(&'static str),
    /// The parts of a booking are not its sum.
    #[error(
        "the parts of this booking are {0} in all, the booking is {1}; ask the bank which holds"
    )]
    Sum(u64, u64),
}
