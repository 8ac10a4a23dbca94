//! Notices: telling a person at once that something was done, or waits for them.
//!
//! A notice says what sort of thing it is about and nothing else: whoever looks at a locked screen,
//! and whoever carries a text message, learns no hospital, no amount and no name. The rest is in
//! the wallet. It is tried on one channel after the other, in the order of [`Channel::FALLBACK`],
//! until the person has seen it in the wallet or a channel says that it arrived, or all ways at
//! once.
//!
//! Reading order: [`book`] (what is kept), [`post`] (what is done next, and when), [`push`] (Web
//! Push), [`template`] (text messages and WeChat, and the peers that play them here), [`phone`].
//!
//! Invariants:
//! - Nobody gets a notice who did not ask for notices (test
//!   `nobody_is_told_anything_who_did_not_ask_for_it`).
//! - A push is sent to the push services of the configuration and to nobody else (test
//!   `a_push_goes_only_to_services_that_the_operator_named`).

use std::fmt;

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Hash, PersonId, Timestamp};

pub use book::{Arrival, CodeSent, CodeTry, Noted, NoticeBook, PHONE_CODE_TRIES, Standing};
pub use phone::Phone;
pub use post::{NoticeHandle, NoticePost, Waits};

mod book;
pub mod phone;
mod post;
pub mod push;
pub mod template;

/// A way to reach somebody who has not the wallet before their eyes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Channel {
    /// A browser's own notices (Web Push).
    Push,
    /// A template message of the bureau's WeChat account.
    Wechat,
    /// A text message.
    Sms,
}

impl Channel {
    /// All, in the order in which they are tried.
    pub const FALLBACK: [Self; 3] = [Self::Push, Self::Wechat, Self::Sms];

    /// Its name in files, figures and addresses.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::Wechat => "wechat",
            Self::Sms => "sms",
        }
    }

    /// The channel of this name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::FALLBACK.into_iter().find(|channel| channel.name() == name)
    }
}

/// What a notice is about: all that it says outside the wallet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum About {
    /// A bill waits for the person's word.
    Request,
    /// The wallet's lock, keys, guardians or limits changed.
    Protection,
    /// Money moved, or cover or premiums changed.
    Money,
    /// Something between the person and relatives.
    Family,
    /// Somebody answered.
    Answer,
}

impl About {
    /// All.
    pub const ALL: [Self; 5] =
        [Self::Request, Self::Protection, Self::Money, Self::Family, Self::Answer];

    /// Its name in files and messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Protection => "protection",
            Self::Money => "money",
            Self::Family => "family",
            Self::Answer => "answer",
        }
    }

    fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|about| about.name() == name)
    }
}

/// A notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    /// Our own id: noting it again changes nothing.
    pub id: Hash,
    /// To whom.
    pub to: PersonId,
    /// What it is about.
    pub about: About,
    /// Whether it goes all ways at once, also when it was seen or arrived: whoever changes a
    /// wallet's protection, or made its owner lock it, may hold its device, and then the owner
    /// hears of it elsewhere alone.
    pub all_ways: bool,
}

/// What somebody wants besides the wallet, who asked for notices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The language of the notices, as a tag such as `zh-Hans`.
    pub language: String,
    /// Whether WeChat may be used.
    pub wechat: bool,
    /// Whether text messages may be used.
    pub sms: bool,
}

/// Where somebody is reached on a channel. It shows itself nowhere.
#[derive(Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Address {
    /// A browser.
    Push(push::Subscription),
    /// A follower of the bureau's WeChat account, by the id that this account knows.
    Wechat(String),
    /// A phone.
    Sms(Phone),
}

impl Address {
    /// The channel that it is for.
    #[must_use]
    pub const fn channel(&self) -> Channel {
        match self {
            Self::Push(_) => Channel::Push,
            Self::Wechat(_) => Channel::Wechat,
            Self::Sms(_) => Channel::Sms,
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({})", self.channel().name())
    }
}

/// The words of a notice in one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phrase {
    /// The heading.
    pub title: String,
    /// The sentence.
    pub body: String,
}

/// What a channel is asked to carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispatch {
    /// Under which number its arrival is reported; it tells nothing about notice or person.
    pub reference: Hash,
    /// What it is about; `None` for the code that shows whose phone it is.
    pub about: Option<About>,
    /// The words.
    pub phrase: Phrase,
    /// Their language.
    pub language: String,
}

/// Why a channel did not take a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HandOverError {
    /// The address does not exist any more; it is forgotten.
    #[error("the address is gone")]
    Gone,
    /// The peer refuses it; asking again would not help.
    #[error("the peer refuses it (`{0}`)")]
    Refused(u16),
    /// The peer did not answer, or is busy; later it may.
    #[error("the peer does not answer")]
    Silent,
}

impl Dispatch {
    /// The name of its sort, which a registered template has too.
    #[must_use]
    pub fn sort(&self) -> &'static str {
        self.about.map_or("code", About::name)
    }
}

/// What a peer says about a dispatch afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// Which dispatch.
    pub reference: Hash,
    /// Whether it arrived; otherwise it never will.
    pub has_arrived: bool,
}

/// A report as a peer sends it: a body, and the signature that shows whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedReport {
    /// The body, in the peer's form.
    pub body: Vec<u8>,
    /// The peer's signature over it, as hex.
    pub signature: String,
}

/// One channel's peer: whoever carries notices there.
pub trait Notice: Send + Sync {
    /// Which channel it serves.
    fn channel(&self) -> Channel;

    /// Whether nobody is really reached by it, which is said to everybody who chooses it.
    fn is_simulated(&self) -> bool;

    /// Where the peer knows a person itself, so that nobody has to write an address.
    fn address_of(&self, _person: PersonId) -> Option<Address> {
        None
    }

    /// Gives it one notice for one address. The same reference again is carried once.
    ///
    /// # Errors
    /// Why it was not taken.
    fn hand_over(&self, address: &Address, dispatch: &Dispatch) -> Result<(), HandOverError>;

    /// What a report says; `None` when it is not this peer's, or says nothing.
    fn read_report(&self, report: &SignedReport) -> Option<Report>;

    /// Reports with which the peer calls by now. A peer outside calls over the network instead.
    fn reports(&self, _now: Timestamp) -> Vec<SignedReport> {
        Vec::new()
    }
}

/// What became of a notice on one channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// The peer did not take it yet; it is tried again.
    Trying,
    /// The peer took it.
    Handed(Timestamp),
    /// It arrived at the person's device.
    Arrived(Timestamp),
    /// It did not arrive this way.
    Failed,
}

/// What became of a notice on one channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Which channel.
    pub channel: Channel,
    /// What became of it.
    pub state: DeliveryState,
}

/// Why notices failed here.
#[derive(Debug, thiserror::Error)]
pub enum NoticeError {
    /// The book failed.
    #[error(transparent)]
    Store(#[from] crate::sqlite::StoreError),
    /// An address cannot be sealed or opened.
    #[error("an address of the notice book cannot be sealed or opened: {0}")]
    Seal(#[from] crate::directory::DirectoryError),
}
