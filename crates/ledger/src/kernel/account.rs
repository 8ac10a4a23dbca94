//! Named accounts of the double entry, and what each may hold.

use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{
    Amount, Currency, FundId, Hash, OrganisationId, PersonId, RegionId, Timestamp, VisitId,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An account of the ledger. A balance is credits less debits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Account {
    /// Money that has not come in yet or has gone out: contributions, subsidies, payouts by a
    /// region's bureau. Its balance is negative by all that came in.
    Outside(RegionId),
    /// A fund of a region. Never below its floor.
    Fund {
        /// The pooling area.
        region: RegionId,
        /// The fund's number.
        fund: FundId,
    },
    /// A person's personal account (个人账户). Never below zero.
    PersonalAccount(PersonId),
    /// What funds and personal accounts owe a provider for settled visits.
    ProviderDue(Books),
    /// What patients have paid a provider through rails and deposits.
    ProviderCash(Books),
    /// Cash that an organisation's rail has collected (negative) or has to pay back.
    Rail(Books),
    /// What a patient still owes a provider because a cash leg failed: the provider's worklist.
    Receivable(Books),
    /// What a provider owes its patients because a refund through a rail failed: its worklist.
    OwedToPatients(Books),
    /// The deposit paid for a running stay. Never below zero.
    Deposit(VisitId),
    /// What people owe a fund because a settlement was adjudicated again (a policy took effect in
    /// the past, or an earlier visit changed): below zero by all of it.
    OwedToFund {
        /// The pooling area.
        region: RegionId,
        /// The fund's number.
        fund: FundId,
    },
    /// The other side of [`Account::OwedToFund`]: what the fund expects and does not have yet.
    ExpectedByFund {
        /// The pooling area.
        region: RegionId,
        /// The fund's number.
        fund: FundId,
    },
    /// What relatives' personal accounts give for bills of a region: it goes on to the provider in
    /// the same transaction, so the balance is always zero. It keeps providers from learning whose
    /// account helped.
    FamilyAccounts(RegionId),
    /// What is stated to a provider, or agreed to another region's bureau, and is to be paid. Never
    /// below zero.
    ProviderPayable(Books),
    /// What an approved batch told the bank to pay a provider and no bank statement has yet. Never
    /// below zero.
    ProviderInPayment(Books),
    /// What is held back of a provider's statements until the year is over. Never below zero.
    ProviderHeldBack(Books),
    /// What an insured region owes a region of care and has not agreed to yet; below zero when more
    /// was given back than advanced.
    OwedToRegion(RegionPair),
    /// What of it the insured region disputes. Never below zero.
    DisputedWithRegion(RegionPair),
    /// The other side in the books of the region of care: what it advanced to its providers and has
    /// not got back, below zero by all of it.
    AdvancedForRegion(RegionPair),
}

/// Two regions of which one advances what the other owes for care. Each direction is a pair of its
/// own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegionPair {
    /// The insured place, whose funds and accounts pay.
    pub insured: RegionId,
    /// The region of care, whose bureau pays the provider.
    pub care: RegionId,
}

impl RegionPair {
    /// The same two the other way round.
    #[must_use]
    pub const fn reversed(&self) -> Self {
        Self { insured: self.care, care: self.insured }
    }
}

/// An organisation's books in one region. What one region's funds owe is never mixed with what
/// another's do, so no bureau can clear a debt that is not its own; and since a region has one
/// currency, so has every account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Books {
    /// Whose books.
    pub organisation: OrganisationId,
    /// The pooling area whose settlements they are about.
    pub region: RegionId,
}

impl Books {
    /// The books of this organisation in this region.
    #[must_use]
    pub const fn of(organisation: OrganisationId, region: RegionId) -> Self {
        Self { organisation, region }
    }
}

impl Account {
    /// The books it belongs to, when it is an organisation's.
    #[must_use]
    pub const fn books(&self) -> Option<Books> {
        match self {
            Self::ProviderDue(books)
            | Self::ProviderCash(books)
            | Self::Rail(books)
            | Self::Receivable(books)
            | Self::OwedToPatients(books)
            | Self::ProviderPayable(books)
            | Self::ProviderInPayment(books)
            | Self::ProviderHeldBack(books) => Some(*books),
            Self::Outside(_)
            | Self::Fund { .. }
            | Self::PersonalAccount(_)
            | Self::Deposit(_)
            | Self::OwedToFund { .. }
            | Self::ExpectedByFund { .. }
            | Self::FamilyAccounts(_)
            | Self::OwedToRegion(_)
            | Self::DisputedWithRegion(_)
            | Self::AdvancedForRegion(_) => None,
        }
    }
}

/// How far an account may fall.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Floor {
    /// No limit: the account stands for money outside or for a claim.
    None,
    /// The balance stays at or above this amount.
    AtLeast(Amount),
}

/// An amount that is spoken for until it is posted, voided or expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct HeldAmount {
    /// Which hold it is.
    pub hold: Hash,
    /// How much.
    pub amount: Amount,
    /// From this instant of block time on it no longer counts.
    pub expires: Timestamp,
}

/// The row of an account.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct AccountRow {
    /// The currency of both totals.
    pub currency: Currency,
    /// How far it may fall.
    pub floor: Floor,
    /// All that ever left it.
    pub debits: u64,
    /// All that ever came in.
    pub credits: u64,
    /// What is held on it; at most [`HOLDS_PER_ACCOUNT_MAX`].
    pub held: Vec<HeldAmount>,
}

/// How many holds an account carries at the most. Our own limit: it bounds the row.
pub const HOLDS_PER_ACCOUNT_MAX: usize = 16;

impl AccountRow {
    /// An empty account.
    #[must_use]
    pub const fn open(currency: Currency, floor: Floor) -> Self {
        Self { currency, floor, debits: 0, credits: 0, held: Vec::new() }
    }

    /// Credits less debits.
    #[must_use]
    pub fn balance(&self) -> i128 {
        i128::from(self.credits).saturating_sub(i128::from(self.debits))
    }

    /// What is held at this instant. Expiry is evaluated here, never by a sweep.
    #[must_use]
    pub fn held_at(&self, now: Timestamp) -> Amount {
        self.held
            .iter()
            .filter(|held| now < held.expires)
            .fold(Amount::ZERO, |sum, held| sum.saturating_add(held.amount))
    }

    /// What may still be spent at this instant: balance above the floor less what is held.
    /// [`Amount::MAX`] for an account without a floor.
    #[must_use]
    pub fn available_at(&self, now: Timestamp) -> Amount {
        let Floor::AtLeast(floor) = self.floor else { return Amount::MAX };
        let above = self
            .balance()
            .saturating_sub(i128::from(floor.minor()))
            .saturating_sub(i128::from(self.held_at(now).minor()));
        Amount::at_least_zero(above)
    }
}
