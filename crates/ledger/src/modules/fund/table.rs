//! Rows of funds, of who pays from them, and of what was booked once for ever.

use alloc::vec::Vec;
use benefit::Payer;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{
    CivilDate, Currency, FundId, Hash, OrganisationId, Party, RegionId, SchemeId, detail,
};

use super::rejection;
use crate::kernel::account::Account;
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::rejection::{Rejection, require};
use crate::kernel::table::Table;
use crate::modules::organisation::{self, Scope};
use crate::readers::Readers;

pub(super) const FUNDS: Table<(RegionId, FundId), FundRow> = Table::new(0x0600);
pub(super) const PAYING: Table<(RegionId, SchemeId, Payer), Vec<Assignment>> = Table::new(0x0601);
/// References of money that came in or went out, by the organisation that booked them: a business
/// key, so they are kept for ever, unlike idempotency keys.
const REFERENCES: Table<(OrganisationId, Hash), ()> = Table::new(0x0602);
/// Batches of contributions by region, month (`year * 12 + month - 1`) and number.
pub(super) const BATCHES: Table<(RegionId, u32, u32), Hash> = Table::new(0x0603);

/// How many assignments a payer's row keeps. Our own limit: it bounds the row.
pub(super) const ASSIGNMENTS_MAX: usize = 64;

/// A fund. Its money and its floor stand in its account.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct FundRow {
    /// Whose money it is: the region's bureau or an insurer.
    pub owner: OrganisationId,
    /// The currency it is kept in: the region's.
    pub currency: Currency,
    /// Whose share of bills it was opened for.
    pub purpose: Payer,
    /// The year whose service days it pays for; any when left out.
    pub year: Option<u16>,
    /// Whether it is closed: it takes back what is refunded and pays nothing.
    pub closed: bool,
}

/// Which fund pays a payer's share from a day on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Assignment {
    /// The first service day.
    pub from: CivilDate,
    /// The fund; nothing when nobody pays from that day on.
    pub fund: Option<FundId>,
}

/// The account of a fund.
#[must_use]
pub(super) const fn account(region: RegionId, fund: FundId) -> Account {
    Account::Fund { region, fund }
}

/// The fund, which must be there and open.
pub(super) fn require_open(
    state: &(impl Read + ?Sized),
    region: RegionId,
    fund: FundId,
) -> Result<FundRow, Rejection> {
    let row = require_fund(state, region, fund)?;
    require(!row.closed, || rejection::FUND_CLOSED.with(fund))?;
    Ok(row)
}

/// The fund, open or closed.
pub(super) fn require_fund(
    state: &(impl Read + ?Sized),
    region: RegionId,
    fund: FundId,
) -> Result<FundRow, Rejection> {
    FUNDS.get(state, &(region, fund)).ok_or_else(|| {
        rejection::UNKNOWN_FUND.with(detail!("fund {fund} in region {region}", fund, region))
    })
}

/// The organisation signed with a key that may move money.
pub(super) fn require_treasury(
    context: &Context<'_>,
    state: &dyn Read,
    owner: OrganisationId,
) -> Result<(), Rejection> {
    organisation::view::require_signed(context, state, owner, Scope::Treasury).map(|_| ())
}

/// Notes a reference that may be booked once for ever.
pub(super) fn use_reference(
    state: &mut Overlay<'_>,
    by: OrganisationId,
    reference: Hash,
) -> Result<(), Rejection> {
    require(!REFERENCES.has(state, &(by, reference)), || {
        rejection::REFERENCE_USED.with(reference)
    })?;
    REFERENCES.put(state, &(by, reference), &());
    Ok(())
}

/// The organisations as parties, for an event.
pub(super) fn parties<const N: usize>(organisations: [OrganisationId; N]) -> [Party; N] {
    organisations.map(Party::Organisation)
}

/// Who may read them: everybody which fund pays what, an organisation the references that it used,
/// the bureau its batches.
pub(super) fn readers(_: &dyn Read, key: &[u8]) -> Option<Readers> {
    if FUNDS.is_key(key) || PAYING.is_key(key) {
        return Some(Readers::Everybody);
    }
    if let Some((own, _)) = REFERENCES.key_of(key) {
        return Some(Readers::Organisations(alloc::vec![own]));
    }
    BATCHES.key_of(key).map(|(region, _, _)| Readers::Bureau(region))
}
