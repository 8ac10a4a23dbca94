//! Rows of premiums: one of each season, one of each person and season, one of each payment.

use alloc::{string::String, vec::Vec};
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, CivilDate, Currency, Hash, OrganisationId, Party, PersonId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::season::{PremiumSeason, SeasonId};
use super::tally::PremiumTally;
use crate::kernel::effect::{EffectAction, EffectStatus};
use crate::kernel::overlay::Read;
use crate::kernel::table::Table;
use crate::modules::coverage::AttestedFacts;
use crate::modules::network;
use crate::readers::Readers;

pub(super) const SEASONS: Table<SeasonId, PremiumSeason> = Table::new(0x0900);
pub(super) const RECORDS: Table<(SeasonId, PersonId), PremiumRecord> = Table::new(0x0901);
pub(super) const PAYMENTS: Table<Hash, PremiumPayment> = Table::new(0x0902);
/// The locks of a payer, expired ones perhaps among them: at most as many as a season allows.
pub(super) const LOCKS: Table<Party, Vec<PayerLock>> = Table::new(0x0903);
/// Where the premiums of a season's class stand, by its number.
pub(super) const TALLIES: Table<(SeasonId, u8), PremiumTally> = Table::new(0x0904);
/// How many locks end in a minute since 1970, in block time.
pub(super) const LOCK_COUNTS: Table<(SeasonId, u64), u32> = Table::new(0x0905);

/// Payments from personal accounts, by their transactions.
pub(super) const ACCOUNT_PAYMENTS: Table<Hash, AccountPayment> = Table::new(0x0906);

/// What a person owes in a season, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct PremiumRecord {
    /// The class of the season that the person belongs to.
    pub class: u8,
    /// What the bureau attests for the cover.
    pub facts: AttestedFacts,
    /// How many years before this one were missed.
    pub missed_years: u8,
    /// For a newborn: the last day on which nothing counts as missed.
    pub newborn_until: Option<CivilDate>,
    /// Where it stands.
    pub standing: PremiumStanding,
    /// The day of the last lock, and how many there were on it.
    pub locks: Option<(CivilDate, u8)>,
}

/// Where a premium stands. A lock that has ended counts as due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "standing", deny_unknown_fields)]
pub enum PremiumStanding {
    /// It can be paid.
    Due,
    /// Somebody is paying it.
    Locked(RecordLock),
    /// Its payment waits for the executor's word.
    Paying {
        /// The payment's reference.
        payment: Hash,
    },
    /// It is paid.
    Paid {
        /// The payment's reference, or its transaction where accounts paid; nothing when nothing
        /// was due.
        payment: Option<Hash>,
        /// From when benefits hold; nothing when the cover could not be given, so that the money
        /// goes back.
        benefits_from: Option<CivilDate>,
    },
    /// It was paid and goes back.
    GoingBack {
        /// The refund's reference.
        payment: Hash,
    },
}

/// A lock on a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordLock {
    /// Who is paying.
    pub payer: Party,
    /// Through whose channel.
    pub channel: OrganisationId,
    /// From this instant of block time on it counts no longer.
    pub until: Timestamp,
}

/// A lock in its payer's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) struct PayerLock {
    pub season: SeasonId,
    pub person: PersonId,
    pub until: Timestamp,
}

/// A payment of premiums, or one given back.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct PremiumPayment {
    /// The season.
    pub season: SeasonId,
    /// Who pays.
    pub payer: Party,
    /// Through whose channel.
    pub channel: OrganisationId,
    /// Whose rail moves the money.
    pub executor: OrganisationId,
    /// The executor's rail.
    pub rail: String,
    /// To collect or to give back.
    pub action: EffectAction,
    /// For whom how much.
    pub items: Vec<PaidItem>,
    /// What the rail moves of it.
    pub amount: Amount,
    /// In which currency.
    pub currency: Currency,
    /// Where it stands.
    pub status: EffectStatus,
    /// For one given back: the payment that collected the money.
    pub original: Option<Hash>,
}

/// One person's part of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct PaidItem {
    /// Whose premium.
    pub person: PersonId,
    /// How much.
    pub amount: Amount,
    /// From when benefits hold once it is paid.
    pub benefits_from: CivilDate,
    /// Whether nothing was missed, so that unbroken years go on.
    pub is_unbroken: bool,
    /// How much of it the payer's own personal account pays beside a rail.
    pub from_account: Amount,
}

/// A payment of premiums from personal accounts.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct AccountPayment {
    /// The season.
    pub season: SeasonId,
    /// Who agreed to it.
    pub payer: PersonId,
    /// For whom how much, and from where.
    pub items: Vec<AccountItem>,
    /// All of it.
    pub amount: Amount,
    /// In which currency.
    pub currency: Currency,
    /// When, by block time.
    pub paid: Timestamp,
}

/// One person's part of a payment from personal accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct AccountItem {
    /// Whose premium, and how much.
    pub item: PaidItem,
    /// From which account.
    pub source: PremiumSource,
    /// Whose account that is.
    pub owner: PersonId,
}

/// Whose personal account pays a premium.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "from", deny_unknown_fields)]
pub enum PremiumSource {
    /// The payer's, for the payer's own premium.
    PersonalAccount,
    /// A relative's, by a grant of mutual aid.
    FamilyAccount {
        /// The grant's number of the person whose premium it is.
        grant: u32,
    },
}

/// Who may read them: everybody the seasons, bureau and collector of a season its figures, channel
/// and executor a payment, the region's bureau one from accounts, since it names who helps, the
/// home bureau a person's record.
pub(super) fn readers(state: &dyn Read, key: &[u8]) -> Option<Readers> {
    if SEASONS.is_key(key) {
        return Some(Readers::Everybody);
    }
    if let Some((_, person)) = RECORDS.key_of(key) {
        return Some(Readers::HomeBureau(person));
    }
    let season = TALLIES.key_of(key).map(|(season, _)| season);
    if let Some(id) = season.or_else(|| LOCK_COUNTS.key_of(key).map(|(season, _)| season)) {
        let bureau = network::view::region(state, id.region).map(|region| region.bureau);
        let collector = SEASONS.get(state, &id).map(|season| season.collector);
        return Some(Readers::Organisations(bureau.into_iter().chain(collector).collect()));
    }
    if let Some(payment) = ACCOUNT_PAYMENTS.key_of(key) {
        let payment = ACCOUNT_PAYMENTS.get(state, &payment)?;
        return Some(Readers::Bureau(payment.season.region));
    }
    let payment = PAYMENTS.get(state, &PAYMENTS.key_of(key)?)?;
    Some(Readers::Organisations(alloc::vec![payment.channel, payment.executor]))
}
