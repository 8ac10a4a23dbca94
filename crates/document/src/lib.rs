//! Papers that people keep: a voucher as a PDF that a person reads, prints and hands in, and that
//! carries the proof for machines inside.
//!
//! Reading order: [`voucher`] (what stands on the sheet), `layout` (how lines become pages), `font`
//! (which shapes there are), `chinese_amount`, `seal`, `pdf` (pages become bytes), `signature`
//! (whose seal it is), `certificate` (how it begins), `sealing` (the bytes are signed).
//!
//! Invariants: the same input gives the same bytes before they are signed (test
//! `the_same_voucher_gives_the_same_bytes`); the attached file is the voucher, byte for byte (test
//! `the_voucher_can_be_taken_out_again`); no seal but one for which an authority's certificate
//! vouches goes without the word sample (decision records 0023, 0045).

mod attachment;
mod certificate;
mod chinese_amount;
mod font;
mod language;
mod layout;
mod pdf;
mod seal;
mod sealing;
mod signature;
pub mod voucher;
mod words;

pub use attachment::{AttachmentError, PDF_BYTES_MAX, attached_voucher, is_pdf};
pub use certificate::{sample_certificate, seal_request};
pub use chinese_amount::{Script, in_words};
pub use font::lacks_shape;
pub use language::Language;
pub use signature::{ElectronicSeal, SealError, SealHolder};
pub use voucher::{Fact, Sealed, VoucherSheet, facts, voucher_pdf};
pub use words::{consent_names, fact_names};

/// Why a document could not be made.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// The link is too long for a code that a phone reads from paper.
    #[error("the link for the code has {found} bytes; write at most {most}")]
    LinkTooLong {
        /// How many it has.
        found: usize,
        /// How many it may have.
        most: usize,
    },
    /// The PDF could not be written as PDF/A.
    #[error("the PDF could not be written: {0}")]
    Pdf(String),
}
