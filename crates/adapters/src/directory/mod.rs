//! The directory of one organisation: what it has to know about people and what never stands on
//! the ledger. Names, bound cards and bills on their way are sealed; codes and PINs are kept as
//! keyed hashes, so that the file alone opens nothing.
//!
//! Reading order: [`seal`] (what the directory's key does), [`sealed`] (one sealed value for each
//! person), [`person`] (who somebody is),
//! [`activation`] (the letter with which somebody joins), [`code`] (the rotating code of a wallet),
//! [`pin`] (what opens the key of a device), [`card`] (what a bank knows a bound card by),
//! [`request`] (a bill that waits for its person), [`bill`] (a bill that was confirmed),
//! [`dispute`] (the words of an objection or a contest, and of its answers), [`inquiry`] (what
//! somebody asks or reports), [`application`] (the documents of an application to act for a child),
//! [`claim`] (the photographs of a claim, what a desk read on them), [`ward`] (who is in whose
//! care), [`desk_act`] (why a desk did something for a person), [`reception`] (whom a desk
//! received).
//!
//! Invariants: a wrong activation or PIN is counted before it is answered, so no crash gives a try
//! back (tests in `tests/directory.rs`); what is sealed opens only at its own place (test
//! `a_sealed_value_opens_only_at_its_place`).

use crate::sqlite::{Database, Place, Schema, StoreError};

pub mod activation;
mod application;
mod bill;
pub mod card;
mod claim;
pub mod code;
mod desk_act;
mod device;
pub mod dispute;
mod family;
pub mod inquiry;
pub mod person;
pub mod pin;
mod reception;
pub mod request;
pub(crate) mod seal;
mod sealed;
mod ward;

pub use activation::ActivationTry;
pub use application::KeptApplication;
pub use card::BoundCard;
pub use claim::KeptClaim;
pub use code::{CodeSeed, UsedCode};
pub use desk_act::KeptDeskAct;
pub use device::DeviceCode;
pub use dispute::{Dispute, DisputeKind, WrittenAnswer};
pub use family::FamilyRequest;
pub use inquiry::{Inquiry, NewInquiry};
pub use person::Particulars;
pub use pin::{NewPin, PIN_TRIES, PinTry};
pub use reception::{Reception, Seen};
pub use request::{RefusalReason, Request, RequestAnswer};

const SCHEMA: Schema = Schema {
    name: "directory",
    application_id: 0x7962_6469,
    version: 10,
    tables: &[
        "CREATE TABLE person (person BLOB PRIMARY KEY, sealed BLOB NOT NULL) STRICT",
        "CREATE TABLE activation (
            blind_index BLOB PRIMARY KEY,
            code        BLOB NOT NULL,
            expires     INTEGER NOT NULL,
            failures    INTEGER NOT NULL DEFAULT 0
        ) STRICT",
        "CREATE TABLE code (
            number  INTEGER PRIMARY KEY,
            person  BLOB NOT NULL,
            sealed  BLOB NOT NULL,
            created INTEGER NOT NULL,
            used    INTEGER NOT NULL DEFAULT 0,
            shown_by BLOB,
            key     BLOB NOT NULL
        ) STRICT",
        "CREATE INDEX code_person ON code (person, created)",
        "CREATE TABLE pin (
            id       BLOB PRIMARY KEY,
            person   BLOB NOT NULL,
            verifier BLOB NOT NULL,
            sealed   BLOB NOT NULL,
            failures INTEGER NOT NULL DEFAULT 0
        ) STRICT",
        "CREATE TABLE device_code (
            person  BLOB PRIMARY KEY,
            number  INTEGER NOT NULL UNIQUE,
            expires INTEGER NOT NULL,
            asked   BLOB
        ) STRICT",
        "CREATE TABLE card (person BLOB PRIMARY KEY, sealed BLOB NOT NULL) STRICT",
        "CREATE TABLE request (
            id       BLOB PRIMARY KEY,
            visit    BLOB NOT NULL,
            person   BLOB NOT NULL,
            provider TEXT NOT NULL,
            content  BLOB NOT NULL,
            signed   BLOB NOT NULL,
            bill     BLOB NOT NULL,
            sent     INTEGER NOT NULL,
            expires  INTEGER NOT NULL,
            answer   TEXT,
            asked    BLOB NOT NULL
        ) STRICT",
        "CREATE INDEX request_asked ON request (asked, expires)",
        "CREATE INDEX request_visit ON request (visit)",
        "CREATE TABLE bill (
            commitment BLOB PRIMARY KEY,
            sealed     BLOB NOT NULL,
            kept       INTEGER NOT NULL
        ) STRICT",
        "CREATE INDEX bill_kept ON bill (kept)",
        "CREATE TABLE dispute (
            id        BLOB PRIMARY KEY,
            kind      INTEGER NOT NULL,
            visit     BLOB NOT NULL,
            person    BLOB NOT NULL,
            provider  TEXT NOT NULL,
            statement BLOB NOT NULL,
            raised    INTEGER NOT NULL,
            is_open   INTEGER NOT NULL DEFAULT 1,
            answer_id BLOB,
            answer    BLOB
        ) STRICT",
        "CREATE INDEX dispute_visit ON dispute (visit, raised)",
        "CREATE INDEX dispute_open ON dispute (is_open, raised)",
        "CREATE TABLE inquiry (
            number       INTEGER PRIMARY KEY AUTOINCREMENT,
            key          BLOB NOT NULL,
            person       BLOB NOT NULL,
            organisation TEXT NOT NULL,
            visit        BLOB,
            request      BLOB,
            statement    BLOB NOT NULL,
            raised       INTEGER NOT NULL,
            answered     INTEGER,
            answer       BLOB,
            UNIQUE (person, key)
        ) STRICT",
        "CREATE INDEX inquiry_open ON inquiry (organisation, answered)",
        "CREATE TABLE ward (guardian BLOB NOT NULL, person BLOB NOT NULL,
            PRIMARY KEY (guardian, person)) STRICT, WITHOUT ROWID",
        "CREATE INDEX dispute_raised ON dispute (raised)",
        "CREATE TABLE family_request (
            id      BLOB PRIMARY KEY,
            payer   BLOB NOT NULL,
            member  BLOB NOT NULL,
            content BLOB NOT NULL,
            signed  BLOB NOT NULL,
            sent    INTEGER NOT NULL,
            expires INTEGER NOT NULL
        ) STRICT",
        "CREATE TABLE binding_application (
            id        BLOB PRIMARY KEY,
            payer     BLOB NOT NULL,
            member    BLOB NOT NULL,
            documents BLOB NOT NULL,
            statement BLOB NOT NULL,
            raised    INTEGER NOT NULL,
            is_open   INTEGER NOT NULL DEFAULT 1
        ) STRICT",
        "CREATE INDEX binding_application_open ON binding_application (is_open, raised)",
        "CREATE TABLE claim (
            id          BLOB PRIMARY KEY,
            person      BLOB NOT NULL,
            statement   BLOB NOT NULL,
            photographs BLOB,
            raised      INTEGER NOT NULL,
            is_open     INTEGER NOT NULL DEFAULT 1
        ) STRICT",
        "CREATE INDEX claim_open ON claim (is_open, raised)",
        "CREATE TABLE claim_review (record BLOB PRIMARY KEY, sealed BLOB NOT NULL) STRICT",
        "CREATE INDEX family_request_member ON family_request (member, expires)",
        "CREATE INDEX family_request_payer ON family_request (payer, expires)",
        "CREATE TABLE desk_act (
            id        BLOB PRIMARY KEY,
            person    BLOB NOT NULL,
            statement BLOB NOT NULL,
            done      INTEGER NOT NULL
        ) STRICT",
        "CREATE INDEX desk_act_person ON desk_act (person, done)",
        "CREATE INDEX desk_act_done ON desk_act (done)",
        "CREATE TABLE reception (
            evidence BLOB PRIMARY KEY,
            provider TEXT NOT NULL,
            person   BLOB NOT NULL,
            shown_by BLOB,
            received INTEGER NOT NULL,
            visit    BLOB UNIQUE
        ) STRICT",
        "CREATE INDEX reception_provider ON reception (provider, received)",
    ],
};

/// The secret of a directory: 32 random bytes that lie apart from its file.
pub struct DirectoryKey(pub [u8; 32]);

/// The directory of one organisation.
pub struct Directory {
    database: Database,
    sealer: seal::Sealer,
}

/// Why the directory did not answer.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// The file failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A value does not open with this key: another key, or a changed file.
    #[error("an entry of the directory does not open; is it the right key file?")]
    Sealed,
    /// The system gives no randomness.
    #[error("the system gives no randomness")]
    NoRandomness,
}

impl Directory {
    /// Opens the directory, and makes it when it is new.
    ///
    /// # Errors
    /// When the file is another one or cannot be opened.
    pub fn open(place: &Place, key: &DirectoryKey) -> Result<Self, DirectoryError> {
        let database = Database::open(place, &SCHEMA)?;
        Ok(Self { database, sealer: seal::Sealer::new(key)? })
    }

    /// Seals bytes that somebody brings back later, for one purpose.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn seal_ticket(&self, purpose: &str, bytes: &[u8]) -> Result<Vec<u8>, DirectoryError> {
        self.sealer.seal("ticket", purpose.as_bytes(), bytes)
    }

    /// The bytes of a ticket that was sealed here for this purpose.
    #[must_use]
    pub fn open_ticket(&self, purpose: &str, ticket: &[u8]) -> Option<Vec<u8>> {
        self.sealer.open("ticket", purpose.as_bytes(), ticket).ok()
    }
}

/// Why an entry was not read as it was written: its bytes are of another form.
fn malformed(what: &'static str) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Blob, what.into())
}
