//! Notices: telling a person at once what was done in their name.

use std::fmt;

use primitives::{Hash, PersonId, Timestamp};
use serde::{Deserialize, Serialize};

pub use book::{BODY_BYTES_MAX, INBOX_PAGE_MAX, NoticeBook, Received, SUBJECT_BYTES_MAX};

mod book;

/// Sends notices through whatever channels a person has.
pub trait Notice: Send + Sync {
    /// Sends the notice, once per id, and says what became of it on each channel.
    ///
    /// # Errors
    /// When nothing could be kept or sent; the same notice may be sent again.
    fn send(&self, notice: &Message) -> Result<Vec<Delivery>, NoticeError>;

    /// What became of the notice with this id on each channel; empty when there is none.
    ///
    /// # Errors
    /// When the store fails.
    fn deliveries(&self, id: &Hash) -> Result<Vec<Delivery>, NoticeError>;
}

/// A notice. Its words show themselves nowhere but to the person.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// Our own id: sending it again changes nothing.
    pub id: Hash,
    /// To whom.
    pub to: PersonId,
    /// The subject in the person's language, 1 to 200 bytes.
    pub subject: String,
    /// The words in the person's language, 1 to 4,000 bytes.
    pub body: String,
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A way to reach a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// The wallet's own list of notices; everybody has it.
    Wallet,
    /// A text message.
    Sms,
    /// An e-mail.
    Email,
}

/// What became of a notice on one channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    /// Which channel.
    pub channel: Channel,
    /// When the channel took it.
    pub delivered_at: Timestamp,
    /// When the person opened it, where the channel tells.
    pub read_at: Option<Timestamp>,
}

/// Why a notice was not sent.
#[derive(Debug, thiserror::Error)]
pub enum NoticeError {
    /// The id stands for another notice.
    #[error("notice `{0}` was sent with different words before; use a new id")]
    OtherNotice(Hash),
    /// The subject is empty, or a text too long.
    #[error("the field `{field}` has {found} bytes; at most {max} are allowed, and at least one")]
    Length {
        /// Which field.
        field: &'static str,
        /// How many bytes it has.
        found: usize,
        /// How many are allowed.
        max: usize,
    },
    /// The store failed.
    #[error("the notice could not be kept; try again later")]
    Storage(#[source] Box<dyn std::error::Error + Send + Sync>),
}
