//! A day's bank statement, compared with the ledger and the providers' books, and what differs.

use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, CivilDate, Hash, OrganisationId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::clear_suspense::Resolution;

/// How many differences a day has at the most. Our own limit: it bounds the row.
pub const SUSPENSE_MAX: usize = 200;

/// What the ledger itself has recorded of payments on a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
pub struct DayTotals {
    /// How many movements: payments and returns.
    pub lines: u32,
    /// What was paid to providers.
    pub paid: Amount,
    /// What came back.
    pub returned: Amount,
}

/// A day that was compared and closed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
pub struct BankDay {
    /// The hash of the bank's file.
    pub statement: Hash,
    /// What the bank's file has.
    pub bank: DayTotals,
    /// What the ledger had when the day was closed.
    pub ledger: DayTotals,
    /// When it was closed, by block time.
    pub closed: Timestamp,
    /// What differed, each with who has to clear it and until when. Empty on a day without
    /// differences.
    pub items: Vec<SuspenseItem>,
}

impl BankDay {
    /// Whether bank, ledger and books agreed line by line when the day was closed.
    #[must_use]
    pub fn is_even(&self) -> bool {
        self.items.is_empty()
    }
}

/// A difference that waits for its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
pub struct SuspenseItem {
    /// What does not agree.
    pub kind: DifferenceKind,
    /// About how much.
    pub amount: Amount,
    /// The salted hash of the reference on the file that has it.
    pub reference: Hash,
    /// The provider whose payment or book it is, where one is known.
    pub provider: Option<OrganisationId>,
    /// Who has to clear it.
    pub owner: SuspenseOwner,
    /// Until which day.
    pub until: CivilDate,
    /// How and when it was cleared.
    pub cleared: Option<Cleared>,
}

/// How a difference was cleared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
pub struct Cleared {
    /// How.
    pub resolution: Resolution,
    /// When, by block time.
    pub at: Timestamp,
}

/// What does not agree between the bank's file, the ledger and a provider's book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "BankDifferenceKind")]
pub enum DifferenceKind {
    /// The bank moved money under a reference that the ledger does not know.
    UnknownReference,
    /// The bank's file has the same movement twice.
    DuplicateLine,
    /// The bank moved another amount than the ledger ordered.
    WrongAmount,
    /// The bank moved it on another day than the ledger has.
    WrongDay,
    /// The ledger has the payment on that day, the bank's file does not.
    MissingAtBank,
    /// The bank moved money for a line that was refused, withdrawn or not approved.
    NotOrdered,
    /// The bank moved money that the ledger ordered and has not recorded.
    NotRecorded,
    /// Bank and ledger agree, the provider's book does not have it.
    MissingInBook,
    /// The provider's book has another amount.
    BookAmount,
    /// The provider's book has it on another day.
    BookDay,
    /// The provider's book has a line that neither bank nor ledger has.
    OnlyInBook,
}

/// Who has to clear a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SuspenseOwner {
    /// The bank: its file or its payment is wrong.
    Bank,
    /// The bureau: it has to record or ask.
    Bureau,
    /// The provider: its book is wrong.
    Provider,
}

impl DifferenceKind {
    /// Every kind of difference there is.
    pub const ALL: [Self; 11] = [
        Self::UnknownReference,
        Self::DuplicateLine,
        Self::WrongAmount,
        Self::WrongDay,
        Self::MissingAtBank,
        Self::NotOrdered,
        Self::NotRecorded,
        Self::MissingInBook,
        Self::BookAmount,
        Self::BookDay,
        Self::OnlyInBook,
    ];

    /// Who has to clear it.
    #[must_use]
    pub const fn owner(self) -> SuspenseOwner {
        match self {
            Self::DuplicateLine | Self::WrongAmount | Self::MissingAtBank => SuspenseOwner::Bank,
            Self::UnknownReference | Self::WrongDay | Self::NotOrdered | Self::NotRecorded => {
                SuspenseOwner::Bureau
            }
            Self::MissingInBook | Self::BookAmount | Self::BookDay | Self::OnlyInBook => {
                SuspenseOwner::Provider
            }
        }
    }
}
