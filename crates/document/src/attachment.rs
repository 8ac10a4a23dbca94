//! Taking the voucher out of a PDF that this crate made, without a reader of PDFs.
//!
//! The attached file lies in the PDF as it is, and a voucher begins with a line that nothing else
//! in the PDF can have, since everything else is compressed.

use proof::voucher::VOUCHER_BYTES_MAX;

/// The largest PDF that is looked at, in bytes. Ours have less than a tenth of it.
pub const PDF_BYTES_MAX: usize = 4 << 20;

const BEGIN: &[u8] = b"c2sp.org/tlog-proof@v1\n";
const END: &[u8] = b"\nendstream";

/// Why there is no voucher in a PDF.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AttachmentError {
    /// More than [`PDF_BYTES_MAX`].
    #[error("the PDF has more than {PDF_BYTES_MAX} bytes, so it is none of ours")]
    TooLong,
    /// Nothing in it begins like a voucher.
    #[error(
        "the PDF has no voucher inside; it may have been printed to a new file or changed by \
         another program; use the file as it was downloaded"
    )]
    None,
    /// It begins like one, and its end is not there.
    #[error("the voucher inside the PDF is cut; download the file again")]
    Cut,
}

/// Whether bytes begin as a PDF does.
#[must_use]
pub fn is_pdf(bytes: &[u8]) -> bool {
    bytes.starts_with(b"%PDF-")
}

/// The voucher that is attached to a PDF of ours.
///
/// # Errors
/// When there is none.
pub fn attached_voucher(pdf: &[u8]) -> Result<&[u8], AttachmentError> {
    if pdf.len() > PDF_BYTES_MAX {
        return Err(AttachmentError::TooLong);
    }
    let start = find(pdf, BEGIN).ok_or(AttachmentError::None)?;
    let rest = pdf.get(start..).unwrap_or_default();
    let most = rest.get(..VOUCHER_BYTES_MAX + END.len()).unwrap_or(rest);
    let length = find(most, END).ok_or(AttachmentError::Cut)?;
    rest.get(..length).ok_or(AttachmentError::Cut)
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
