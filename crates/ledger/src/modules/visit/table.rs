//! Rows of visits and of open payments.

use alloc::vec::Vec;
use benefit::VisitType;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{
    Amount, CivilDate, Currency, Hash, OrganisationId, PersonId, RegionId, SchemeId, Timestamp,
    VisitId,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::consent::Consent;
use super::update_running_bill::is_stay;
use crate::kernel::account::Books;
use crate::kernel::effect::{EffectAction, EffectStatus};
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::table::Table;
use crate::modules::network;
use crate::readers::Readers;

pub(super) const VISITS: Table<VisitId, VisitRow> = Table::new(0x0700);
pub(super) const EFFECTS: Table<Hash, EffectRow> = Table::new(0x0701);
/// The open stays of a person, the oldest first.
const STAYS: Table<PersonId, Vec<VisitId>> = Table::new(0x0702);

/// How many deposits a visit carries at the most. Our own limit: it bounds the row.
pub(super) const DEPOSITS_MAX: usize = 8;
/// How many open stays of a person are listed at the most, the newest ones. Our own limit: it
/// bounds the row, and nobody is refused care for a list.
const STAYS_MAX: usize = 8;

/// The open stays of a person that are listed, the oldest first.
pub(super) fn stays(state: &(impl Read + ?Sized), person: PersonId) -> Vec<VisitId> {
    STAYS.get(state, &person).unwrap_or_default()
}

/// Lists a visit that was opened, if it is a stay.
pub(super) fn list_stay(state: &mut Overlay<'_>, subject: &VisitSubject, visit: VisitId) {
    if !is_stay(subject.visit_type) {
        return;
    }
    let mut open = stays(state, subject.person);
    open.push(visit);
    open.drain(..open.len().saturating_sub(STAYS_MAX));
    STAYS.put(state, &subject.person, &open);
}

/// Takes a visit that is not open any more off the list, if it stands there.
pub(super) fn unlist_stay(state: &mut Overlay<'_>, subject: &VisitSubject, visit: VisitId) {
    if !is_stay(subject.visit_type) {
        return;
    }
    let mut open = stays(state, subject.person);
    open.retain(|one| *one != visit);
    if open.is_empty() {
        STAYS.remove(state, &subject.person);
    } else {
        STAYS.put(state, &subject.person, &open);
    }
}

/// What a visit is about; it does not change after check-in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VisitSubject {
    /// Whose visit.
    pub person: PersonId,
    /// At which provider.
    pub provider: OrganisationId,
    /// The insured place, whose benefits apply.
    pub region: RegionId,
    /// The scheme that pays.
    pub scheme: SchemeId,
    /// The kind of care.
    pub visit_type: VisitType,
    /// The day of admission, or of the visit.
    pub admitted: CivilDate,
    /// The diagnosis group as the plan numbers them, 0 for none. Never a diagnosis.
    #[serde(default)]
    pub diagnosis_group: u8,
}

impl VisitSubject {
    /// The provider's books for it.
    #[must_use]
    pub const fn books(&self) -> Books {
        Books::of(self.provider, self.region)
    }
}

/// A visit on the ledger. A closed one keeps a hash of its settlement record only.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum VisitRow {
    /// Checked in, not settled.
    Open(OpenVisit),
    /// Settled, perhaps refunded since.
    Settled(SettledVisit),
    /// Undone before it was settled.
    Cancelled,
}

/// A visit that is not settled yet.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct OpenVisit {
    /// What it is about.
    pub subject: VisitSubject,
    /// The running bill of a stay: commitment and total so far.
    pub running: Option<RunningBill>,
    /// Deposits paid for it.
    pub deposits: Vec<Deposit>,
}

/// A stay's bill so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct RunningBill {
    /// The commitment over bill and sums.
    pub bill: Hash,
    /// What it charges so far.
    pub total: Amount,
    /// The last day it covers.
    pub until: CivilDate,
}

/// Money paid before the settlement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Deposit {
    /// How much.
    pub amount: Amount,
    /// Where it came from.
    pub source: DepositSource,
}

/// Where a deposit came from, and so where a surplus goes back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum DepositSource {
    /// The person's personal account.
    PersonalAccount,
    /// A rail, by the effect that collected it.
    Rail(Hash),
}

/// A settled visit: enough to check what a later transaction brings along.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct SettledVisit {
    /// The hash of the settlement record now in force ([`super::SettlementRecord::hash`]).
    pub record: Hash,
    /// How often it was changed since it was first settled: refunds and corrections.
    pub revision: u32,
    /// When it was settled first.
    pub settled: Timestamp,
    /// When it was last settled, refunded or corrected: what stands now may be objected to and
    /// contested from here on.
    pub revised: Timestamp,
    /// The objection that waits for an answer or for what it was upheld for.
    pub objection: Option<Objection>,
    /// What became of a consent that others gave.
    pub contest: Option<Contest>,
}

impl SettledVisit {
    /// Whether the bureau has to decide a contest.
    #[must_use]
    pub const fn is_contested(&self) -> bool {
        matches!(self.contest, Some(Contest::Open { .. }))
    }
}

/// A person's word against a consent that others gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Contest {
    /// The bureau has to decide.
    Open {
        /// When it was raised.
        raised: Timestamp,
        /// The salted commitment to its words, which lie in the vault.
        statement: Hash,
    },
    /// The bureau found that the consent stands; it is not contested twice.
    Rejected,
}

/// A person's objection to a settlement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Objection {
    /// When it was raised.
    pub raised: Timestamp,
    /// The salted commitment to its words, which lie in the vault.
    pub statement: Hash,
    /// Whether the bureau upheld it without the provider, so that it may refund or correct the
    /// settlement alone.
    pub upheld: bool,
}

/// A payment outside that the ledger waits for, or waited for.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct EffectRow {
    /// The visit it belongs to.
    pub visit: VisitId,
    /// The provider whose claim or debt it is.
    pub provider: OrganisationId,
    /// Whose money.
    pub person: PersonId,
    /// The insured place.
    pub region: RegionId,
    /// Who executes it.
    pub executor: OrganisationId,
    /// The executor's rail.
    pub rail: alloc::string::String,
    /// What to do.
    pub action: EffectAction,
    /// How much.
    pub amount: Amount,
    /// In which currency.
    pub currency: Currency,
    /// When it was ordered; the takeover deadline counts from here.
    pub ordered: Timestamp,
    /// Where it stands.
    pub status: EffectStatus,
    /// Of an order to collect: how much of it is still the provider's, as money (done) or as a
    /// claim (failed). A refund takes it down.
    pub refundable: Amount,
    /// The order that took this one's place.
    pub replaced_by: Option<Hash>,
}

impl EffectRow {
    /// The provider's books for it.
    #[must_use]
    pub const fn books(&self) -> Books {
        Books::of(self.provider, self.region)
    }
}

/// What a settlement was, in full: kept by those whom it concerns; the ledger keeps its hash. Every
/// later change of the settlement brings it along.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SettlementRecord {
    /// Which visit.
    pub visit: VisitId,
    /// What it is about.
    pub subject: VisitSubject,
    /// The transaction that settled it first; vouchers and used-marks refer to it.
    pub transaction_id: Hash,
    /// The salted commitment over bill and sums.
    pub bill: Hash,
    /// The sums now settled.
    pub sums: benefit::CategorySums,
    /// The parts, one per plan version and plan year, by date.
    pub parts: Vec<super::quote::Part>,
    /// Who agreed, and how.
    pub consent: Consent,
    /// Whether the personal account was to be used.
    pub use_personal_account: bool,
    /// Whether accounts of relatives were to be used.
    #[serde(default)]
    pub use_family_account: bool,
    /// The effects that collect cash, deposits among them, oldest first.
    pub collected: Vec<Hash>,
}

/// Who may read them: provider and bureau of the visit; of a payment also who executes it; of a
/// person's stays the bureau at home alone.
pub(super) fn readers(state: &dyn Read, key: &[u8]) -> Option<Readers> {
    if let Some(id) = VISITS.key_of(key) {
        return Some(Readers::Visit(id));
    }
    if let Some(person) = STAYS.key_of(key) {
        return Some(Readers::HomeBureau(person));
    }
    let Some(row) = EFFECTS.get(state, &EFFECTS.key_of(key)?) else {
        // References are hashes: who knows one that is nobody's learns nothing.
        return Some(Readers::Everybody);
    };
    let bureau = network::view::region(state, row.region).map(|region| region.bureau);
    let concerned = [row.provider, row.executor].into_iter().chain(bureau);
    Some(Readers::Organisations(concerned.collect()))
}
