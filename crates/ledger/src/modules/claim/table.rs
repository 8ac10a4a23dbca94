//! Rows of claims: rules, claims, whose they are, which invoices are in one, payouts.

use alloc::{string::String, vec::Vec};
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{
    Amount, CivilDate, Currency, Hash, OrganisationId, Party, PersonId, RegionId, SchemeId,
    Timestamp,
};

use super::refuse_claim::ClaimRefusal;
use super::rejection;
use super::rules::ClaimRules;
use crate::kernel::effect::EffectStatus;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::rejection::{Rejection, require};
use crate::kernel::table::Table;
use crate::modules::network;
use crate::readers::Readers;

pub(super) const RULES: Table<RegionId, ClaimRules> = Table::new(0x0B00);
/// By the transaction that filed it.
pub(super) const CLAIMS: Table<Hash, ClaimRow> = Table::new(0x0B01);
/// The claims of a person in a region, oldest first, at most [`CLAIMS_LISTED_MAX`].
pub(super) const CLAIMANTS: Table<(RegionId, PersonId), Vec<Hash>> = Table::new(0x0B02);
/// In which claim an invoice is, by its tag. It stays for ever once the claim is accepted.
pub(super) const INVOICES: Table<(RegionId, Hash), Hash> = Table::new(0x0B03);
/// By the reference under which the rail knows it.
pub(super) const PAYOUTS: Table<Hash, ClaimPayout> = Table::new(0x0B04);
/// What came back, by the salted hash of its reference: of which claim.
pub(super) const REPAYMENTS: Table<(RegionId, Hash), Hash> = Table::new(0x0B05);

/// How many claims of a person are listed; those that were closed long ago give way. Our own limit:
/// it bounds the row.
pub(super) const CLAIMS_LISTED_MAX: usize = 64;

/// A claim.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ClaimRow {
    /// Whose.
    pub person: PersonId,
    /// The insured place.
    pub region: RegionId,
    /// The scheme that is to pay.
    pub scheme: SchemeId,
    /// The first day of service.
    pub from: CivilDate,
    /// The last day of service.
    pub to: CivilDate,
    /// The tags of its invoices: as filed, and once accepted those that were paid for.
    pub invoices: Vec<Hash>,
    /// The salted commitment to the documents, which the bureau's desk holds encrypted.
    pub documents: Hash,
    /// When it was filed, by block time.
    pub filed: Timestamp,
    /// Who filed it: the person, who speaks for the person, or a proxy.
    pub filed_by: Party,
    /// To whom the money goes ([`super::view::payee_on`]).
    pub payee: PersonId,
    /// The day by which the bureau decides.
    pub until: CivilDate,
    /// Where it stands.
    pub standing: ClaimStanding,
}

/// Where a claim stands.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum ClaimStanding {
    /// The bureau has to decide.
    Waiting,
    /// The person took it back.
    Withdrawn,
    /// The bureau refused it.
    Refused {
        /// Why.
        reason: ClaimRefusal,
        /// When.
        decided: Timestamp,
    },
    /// It was adjudicated.
    Accepted(AcceptedRow),
}

/// A claim that was adjudicated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct AcceptedRow {
    /// When.
    pub decided: Timestamp,
    /// The transaction; vouchers and used-marks refer to it.
    pub transaction_id: Hash,
    /// The hash of the claim's record ([`super::ClaimRecord::hash`]).
    pub record: Hash,
    /// What the invoices come to.
    pub total: Amount,
    /// What funds pay.
    pub paid: Amount,
    /// The payout now in force, once one was ordered.
    pub payout: Option<Hash>,
    /// What the person owes back because more was paid out than a correction left.
    pub owed_back: Amount,
}

/// A payout of a claim.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ClaimPayout {
    /// Of which claim.
    pub claim: Hash,
    /// Who executes it.
    pub executor: OrganisationId,
    /// The executor's rail.
    pub rail: String,
    /// How much.
    pub amount: Amount,
    /// In which currency.
    pub currency: Currency,
    /// When it was ordered, by block time.
    pub ordered: Timestamp,
    /// Where it stands.
    pub status: EffectStatus,
    /// When the executor said what became of it.
    pub confirmed: Option<Timestamp>,
}

/// A claim that the bureau has to decide.
///
/// # Errors
/// `unknown_claim`, `claim_closed`.
pub(super) fn require_waiting(
    state: &(impl Read + ?Sized),
    id: &Hash,
) -> Result<ClaimRow, Rejection> {
    let row = require_claim(state, id)?;
    require(row.standing == ClaimStanding::Waiting, || rejection::CLAIM_CLOSED.reject())?;
    Ok(row)
}

/// A claim that must be there.
///
/// # Errors
/// `unknown_claim`.
pub(super) fn require_claim(
    state: &(impl Read + ?Sized),
    id: &Hash,
) -> Result<ClaimRow, Rejection> {
    CLAIMS.get(state, id).ok_or_else(|| rejection::UNKNOWN_CLAIM.with(id))
}

/// The invoices of a claim may be claimed again.
pub(super) fn free_invoices(state: &mut Overlay<'_>, row: &ClaimRow) {
    for tag in &row.invoices {
        INVOICES.remove(state, &(row.region, *tag));
    }
}

/// Who may read them: everybody the rules, the region's bureau its claims, of a payout also who
/// executes it.
pub(super) fn readers(state: &dyn Read, key: &[u8]) -> Option<Readers> {
    if RULES.is_key(key) {
        return Some(Readers::Everybody);
    }
    let region = CLAIMANTS.key_of(key).map(|(region, _)| region);
    let region = region.or_else(|| REPAYMENTS.key_of(key).map(|(region, _)| region));
    if let Some(region) = region.or_else(|| INVOICES.key_of(key).map(|(region, _)| region)) {
        return Some(Readers::Bureau(region));
    }
    if let Some(id) = CLAIMS.key_of(key) {
        // Ids are hashes: who knows one that is nobody's learns nothing.
        let row = CLAIMS.get(state, &id);
        return Some(row.map_or(Readers::Everybody, |row| Readers::Bureau(row.region)));
    }
    let Some(payout) = PAYOUTS.get(state, &PAYOUTS.key_of(key)?) else {
        return Some(Readers::Everybody);
    };
    let region = CLAIMS.get(state, &payout.claim).map(|row| row.region);
    let bureau = region.and_then(|region| network::view::region(state, region));
    let concerned = bureau.map(|region| region.bureau).into_iter().chain([payout.executor]);
    Some(Readers::Organisations(concerned.collect()))
}
