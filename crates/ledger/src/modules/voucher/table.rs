//! Rows of settlements, as far as second payers are concerned.

use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, Currency, Hash, OrganisationId, PersonId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rejection;
use crate::kernel::overlay::Read;
use crate::kernel::rejection::Rejection;
use crate::kernel::table::Table;
use crate::readers::Readers;

pub(super) const SETTLEMENTS: Table<Hash, SettlementRow> = Table::new(0x0800);

/// How many marks a settlement carries at the most. Our own limit: it bounds the row.
pub const MARKS_MAX: usize = 16;

/// What a voucher is issued for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VoucherPurpose {
    /// To be reimbursed by a second payer.
    Reimbursement,
    /// For the person's taxes.
    Tax,
    /// As evidence of what was paid.
    Evidence,
}

/// A voucher that was issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct IssuedVoucher {
    /// What for.
    pub purpose: VoucherPurpose,
    /// By whom.
    pub issuer: OrganisationId,
    /// The salted hash of the sealed file.
    pub seal: Hash,
}

/// What a second payer has reimbursed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Mark {
    /// The transaction that marked it.
    pub id: Hash,
    /// Who reimbursed.
    pub payer: OrganisationId,
    /// How much of it still stands, in minor units.
    pub amount: Amount,
    /// When.
    pub marked: Timestamp,
}

/// A settlement whose own share may be reimbursed, under the transaction that settled it first.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct SettlementRow {
    /// Whose bill.
    pub person: PersonId,
    /// Who billed.
    pub provider: OrganisationId,
    /// The currency of all of it.
    pub currency: Currency,
    /// What the person bears as it stands: personal account and cash.
    pub own_share: Amount,
    /// The vouchers issued of the settlement as it stands; a refund makes room for new ones.
    pub issued: Vec<IssuedVoucher>,
    /// What second payers have reimbursed; at most [`MARKS_MAX`].
    pub marks: Vec<Mark>,
}

impl SettlementRow {
    /// What second payers have reimbursed together.
    #[must_use]
    pub fn marked(&self) -> Amount {
        self.marks.iter().fold(Amount::ZERO, |sum, mark| sum.saturating_add(mark.amount))
    }

    /// What may still be reimbursed.
    #[must_use]
    pub fn left(&self) -> Amount {
        self.own_share.saturating_sub(self.marked())
    }
}

/// The settlement, which must be there.
pub(super) fn require_settlement(
    state: &(impl Read + ?Sized),
    settlement: &Hash,
) -> Result<SettlementRow, Rejection> {
    SETTLEMENTS.get(state, settlement).ok_or_else(|| rejection::UNKNOWN_SETTLEMENT.with(settlement))
}

/// Who may read them: the provider, who issued a voucher, and who paid upon one.
pub(super) fn readers(state: &dyn Read, key: &[u8]) -> Option<Readers> {
    let Some(row) = SETTLEMENTS.get(state, &SETTLEMENTS.key_of(key)?) else {
        return Some(Readers::Everybody);
    };
    let issuers = row.issued.iter().map(|one| one.issuer);
    let payers = row.marks.iter().map(|one| one.payer);
    let concerned = core::iter::once(row.provider).chain(issuers).chain(payers);
    Some(Readers::Organisations(concerned.collect()))
}
