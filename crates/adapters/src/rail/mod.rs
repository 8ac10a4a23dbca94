//! Payment rails: how money moves outside the ledger (a bank, a clerk's till).
//!
//! A rail does what an [`Order`] says, once per [`Reference`]: the reference is ours, it is chosen
//! before the first try, and the same order under the same reference gives the first result again.
//! When an answer does not come ([`Outcome::Unknown`]), nobody guesses: the rail is asked by the
//! same reference ([`Rail::query`]), which is what [`crate::effect::Executor`] does.
//!
//! Reading order: this file (the contract), [`card`], [`books`], [`sandbox_bank`], [`counter`],
//! [`fault`], [`conformance`] (what every rail must pass).

use std::fmt;

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{
    Amount, CivilDate, Currency, Detail, Hash, Timestamp, VisitId, codec, detail, sha256_parts,
};
use serde::{Deserialize, Deserializer, Serialize};

pub mod books;
pub mod card;
pub mod conformance;
pub mod counter;
pub mod fault;
pub mod sandbox_bank;

/// The longest token, in bytes.
pub const TOKEN_BYTES_MAX: usize = 64;
/// The largest amount of one order, in minor units: 10 trillion yuan, far below what books hold.
pub const ORDER_AMOUNT_MAX: Amount = Amount::from_minor(1_000_000_000_000_000);

/// A payment rail, on behalf of one organisation. Called from worker threads; calls block.
///
/// Contract, checked by [`conformance`]: every order is executed at most once per reference;
/// repeating it gives the first verdict; a final verdict is durable before it is answered.
pub trait Rail: Send + Sync {
    /// What users call it, such as `sandbox bank`.
    fn name(&self) -> &str;

    /// Whether money is first held and then captured, or paid at once and given back.
    fn style(&self) -> Style;

    /// The currency of all its amounts.
    fn currency(&self) -> Currency;

    /// Executes the order, or gives the verdict that its reference already has.
    fn perform(&self, order: &Order) -> Outcome;

    /// Executes many orders, each as [`Rail::perform`] would, one outcome per order in their
    /// order. A rail that can do it in one go saves a commit per order.
    fn perform_all(&self, orders: &[Order]) -> Vec<Outcome> {
        orders.iter().map(|order| self.perform(order)).collect()
    }

    /// What became of the order with this reference.
    fn query(&self, reference: &Reference) -> Answer;

    /// Every movement of money that the rail booked on this day (in the rail's own time zone), in
    /// the order of booking. Holds are no movement.
    ///
    /// # Errors
    /// When the rail gave no statement; ask again later.
    fn reconcile(&self, day: CivilDate) -> Result<Vec<StatementLine>, RailUnavailable>;
}

/// How a rail moves money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    /// A hold before the settlement, a capture after it: credit cards, deposits.
    HoldAndCapture,
    /// Paid at once, given back if the settlement does not happen: debit cards, wallets, cash.
    PayAndRefund,
}

/// Our own name for one order; whoever asks again uses the same. 64 hex digits as text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Reference(pub Hash);

impl Reference {
    /// The reference of an effect of a receipt: receipt id and effect number.
    #[must_use]
    pub fn of_effect(receipt_id: &Hash, effect_number: u32) -> Self {
        let number = effect_number.to_be_bytes();
        Self(sha256_parts(&[b"yibao/effect-reference/v1", receipt_id.as_bytes(), &number]))
    }

    /// The reference of the hold or payment that is made before a visit is settled, by the number
    /// of the try: a refused try is final, the next one has a new number.
    #[must_use]
    pub fn of_authorisation(visit: &VisitId, attempt: u32) -> Self {
        let number = attempt.to_be_bytes();
        Self(sha256_parts(&[b"yibao/authorisation-reference/v1", &visit.0, &number]))
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl std::str::FromStr for Reference {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        text.parse().map(Self)
    }
}

/// A rail's own opaque name for what money is taken from: a bound card, a clerk's till. Never a
/// card number: 1 to 64 of `a-z`, `0-9`, `_`, `:` and `-`, with at least one letter in front.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, Serialize)]
#[serde(transparent)]
pub struct Token(String);

impl Token {
    /// The token as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for Token {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let allowed = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b':' | b'-')
        };
        let named = text.starts_with(|first: char| first.is_ascii_lowercase());
        if named && text.len() <= TOKEN_BYTES_MAX && text.bytes().all(allowed) {
            return Ok(Self(String::from(text)));
        }
        // The text is not repeated: somebody may have put a card number here.
        Err(String::from(
            "the token is 1 to 64 of a-z, 0-9, _, : and -, starting with a letter; a card number \
             is no token, bind the card first",
        ))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl BorshDeserialize for Token {
    fn deserialize_reader<R: borsh::io::Read>(reader: &mut R) -> borsh::io::Result<Self> {
        String::deserialize_reader(reader)?
            .parse()
            .map_err(|error| borsh::io::Error::new(borsh::io::ErrorKind::InvalidData, error))
    }
}

impl<'de> Deserialize<'de> for Token {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <String as Deserialize>::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// One thing that a rail is told to do, under our own reference.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// Our own name for this order.
    pub reference: Reference,
    /// What to do.
    pub action: Action,
}

/// What a rail can be told to do.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// Set money aside until it is captured, voided or the hold expires.
    Hold {
        /// What the money is taken from.
        from: Token,
        /// How much.
        amount: Amount,
        /// When the hold ends by itself.
        expires_at: Timestamp,
    },
    /// Take held money: all of it or a part. A hold is captured once; what is left is released.
    Capture {
        /// The reference of the hold.
        hold: Reference,
        /// How much of it.
        amount: Amount,
    },
    /// Make sure that no money ever moves under the original reference: an open hold is released,
    /// an order that has not arrived yet is refused when it does. Money that moved is refunded,
    /// not voided.
    Void {
        /// The reference to close.
        original: Reference,
    },
    /// Take money at once.
    Pay {
        /// What the money is taken from.
        from: Token,
        /// How much.
        amount: Amount,
    },
    /// Give money back, all or a part; all refunds together never exceed the original.
    Refund {
        /// The reference of the payment or of the capture.
        original: Reference,
        /// How much to give back.
        amount: Amount,
        /// The till that hands it out; `None` is back the way it came.
        to: Option<Token>,
    },
    /// Pay money out that no order collected: what a fund owes a person for a claim.
    PayOut {
        /// What the money goes to: a bound card, or the till that hands it out.
        to: Token,
        /// How much.
        amount: Amount,
    },
}

impl Order {
    /// A hash of everything in the order, by which a rail and the outbox notice that a reference is
    /// used for something else.
    #[must_use]
    pub fn fingerprint(&self) -> Hash {
        sha256_parts(&[b"yibao/rail-order/v1", &codec::encode(self)])
    }
}

impl Action {
    /// The action in one word: `hold`, `capture`, `void`, `pay`, `refund`, `pay_out`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Hold { .. } => "hold",
            Self::Capture { .. } => "capture",
            Self::Void { .. } => "void",
            Self::Pay { .. } => "pay",
            Self::Refund { .. } => "refund",
            Self::PayOut { .. } => "pay_out",
        }
    }
}

/// What came back from a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The rail decided, durably; the same reference will always have this verdict.
    Final(Verdict),
    /// No answer, or one that does not say. The money may or may not have moved: ask by reference.
    Unknown,
}

/// What a rail answers when asked for a reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The rail decided.
    Final(Verdict),
    /// The rail has the order and has not decided.
    InProgress,
    /// The rail has not seen the order **so far**; it may still be under way, so that it is sent
    /// again only under the same reference.
    NotFound,
    /// No answer.
    Unknown,
}

/// A rail's final word on an order.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is done.
    Done(Done),
    /// It was not done and will not be under this reference.
    Refused(Refusal),
}

/// What a rail says about an order that it carried out.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Done {
    /// The rail's own number, which its statement and its hotline use.
    pub rail_reference: String,
    /// How much was held, taken, released or given back.
    pub amount: Amount,
    /// When, by the rail's clock.
    pub at: Timestamp,
}

/// Why a rail refuses an order. The codes (`snake_case`) are stable; the words are for users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// Less money than asked for.
    InsufficientFunds,
    /// The rail knows no such token.
    CardUnknown,
    /// The card is blocked.
    CardBlocked,
    /// The card has expired.
    CardExpired,
    /// The card's holder has another name.
    HolderMismatch,
    /// Above what one order may move.
    PaymentLimit,
    /// Above what the card may move in a day.
    DailyLimit,
    /// The bank says no and does not say why.
    Declined,
    /// An amount of nothing.
    AmountZero,
    /// The hold would last longer than the rail allows, or has ended already.
    HoldPeriod,
    /// The hold ended by itself.
    HoldExpired,
    /// The hold was captured or released before.
    HoldClosed,
    /// More than the hold holds.
    ExceedsHold,
    /// More than what is left of the original.
    ExceedsOriginal,
    /// No payment or hold by that reference.
    OriginalUnknown,
    /// Void asked for money that moved.
    AlreadyMoved,
    /// The reference was closed before the order arrived.
    Closed,
    /// The reference stands for another order.
    ReferenceReused,
    /// The rail does not do that.
    NotSupported,
    /// The clerk has no open shift.
    ShiftNotOpen,
    /// The till has less cash than is to be handed out.
    TillShort,
}

impl From<Refusal> for Detail {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::InsufficientFunds => {
                detail!(
                    "there is not enough money on the account; use another card or pay at the counter"
                )
            }
            Refusal::CardUnknown => {
                detail!("this card is not bound here; bind it first")
            }
            Refusal::CardBlocked => {
                detail!("this card is blocked; ask the bank that issued it")
            }
            Refusal::CardExpired => {
                detail!("this card has expired; use the new one that your bank sent")
            }
            Refusal::HolderMismatch => {
                detail!("the card belongs to somebody else; bind a card in your own name")
            }
            Refusal::PaymentLimit => {
                detail!("the amount is above the limit for one payment")
            }
            Refusal::DailyLimit => {
                detail!("the amount is above what this card may pay in one day")
            }
            Refusal::Declined => {
                detail!(
                    "the bank declined the payment without a reason; ask the bank or use another card"
                )
            }
            Refusal::AmountZero => {
                detail!("the amount is zero; there is nothing to move")
            }
            Refusal::HoldPeriod => {
                detail!("the hold would end in the past or later than the bank allows")
            }
            Refusal::HoldExpired => {
                detail!("the hold has expired; ask for a new one")
            }
            Refusal::HoldClosed => {
                detail!("the hold was captured or released before")
            }
            Refusal::ExceedsHold => {
                detail!("the amount is more than what is held")
            }
            Refusal::ExceedsOriginal => {
                detail!("the amount is more than what is left of the original payment")
            }
            Refusal::OriginalUnknown => {
                detail!("the rail knows no payment or hold with that reference")
            }
            Refusal::AlreadyMoved => {
                detail!("the money has moved already; refund it instead")
            }
            Refusal::Closed => {
                detail!("the order was cancelled before it arrived")
            }
            Refusal::ReferenceReused => {
                detail!("this reference was used for a different order before; use a new one")
            }
            Refusal::NotSupported => {
                detail!("this rail does not do that")
            }
            Refusal::ShiftNotOpen => {
                detail!("the clerk has no open shift; open one first")
            }
            Refusal::TillShort => {
                detail!("there is not enough cash in the till; bring change from the safe")
            }
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Detail::from(*self).fmt(f)
    }
}

impl std::error::Error for Refusal {}

impl Refusal {
    /// Every reason there is.
    pub const ALL: [Self; 21] = [
        Self::InsufficientFunds,
        Self::CardUnknown,
        Self::CardBlocked,
        Self::CardExpired,
        Self::HolderMismatch,
        Self::PaymentLimit,
        Self::DailyLimit,
        Self::Declined,
        Self::AmountZero,
        Self::HoldPeriod,
        Self::HoldExpired,
        Self::HoldClosed,
        Self::ExceedsHold,
        Self::ExceedsOriginal,
        Self::OriginalUnknown,
        Self::AlreadyMoved,
        Self::Closed,
        Self::ReferenceReused,
        Self::NotSupported,
        Self::ShiftNotOpen,
        Self::TillShort,
    ];
}

/// One movement of money on a rail's statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatementLine {
    /// Our own reference of the order.
    pub reference: Reference,
    /// The rail's own number.
    pub rail_reference: String,
    /// Which way the money went.
    pub movement: Movement,
    /// How much.
    pub amount: Amount,
    /// When it was booked.
    pub at: Timestamp,
}

/// Which way money moved, seen from the organisation that the rail serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Movement {
    /// Taken from the payer: a payment or a capture.
    Collected,
    /// Given back to the payer.
    Refunded,
    /// Paid out to somebody who had paid nothing here.
    PaidOut,
}

/// The rail did not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the rail did not answer; ask again later")]
pub struct RailUnavailable;
