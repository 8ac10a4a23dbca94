//! What others may read of funds, and the one place that says which fund pays. All of it is public.

use alloc::{sync::Arc, vec::Vec};
use benefit::{Payer, PayerShare};
use primitives::{Amount, CivilDate, Detail, FundId, OrganisationId, RegionId, SchemeId, detail};

use super::rejection;
use super::table::{Assignment, FUNDS, FundRow, PAYING, account};
use crate::kernel::account::Account;
use crate::kernel::overlay::Read;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::network;

/// The fund that pays, and whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FundRef {
    /// The fund's region.
    pub region: RegionId,
    /// Its number.
    pub fund: FundId,
    /// Whose money it is.
    pub owner: OrganisationId,
}

impl FundRef {
    /// The account that the fund's money stands on.
    #[must_use]
    pub const fn account(&self) -> Account {
        account(self.region, self.fund)
    }
}

/// A payer's share of a bill with the fund that pays it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FundedShare {
    /// Whose share.
    pub payer: Payer,
    /// How much, in minor units.
    pub amount: Amount,
    /// Where the money comes from.
    pub fund: FundRef,
}

/// A fund, if it was opened.
pub fn fund(state: &(impl Read + ?Sized), region: RegionId, fund: FundId) -> Option<Arc<FundRow>> {
    FUNDS.shared(state, &(region, fund))
}

/// Every assignment of a payer in a scheme, by first day.
pub fn assignments(
    state: &(impl Read + ?Sized),
    region: RegionId,
    scheme: SchemeId,
    payer: Payer,
) -> Arc<Vec<Assignment>> {
    PAYING.shared(state, &(region, scheme, payer)).unwrap_or_default()
}

/// The fund that pays this payer's share for a service on this day. The answer for a day that has
/// begun never changes, so a refund finds the fund that paid; a closed fund takes it back and has
/// nothing to pay with.
///
/// # Errors
/// `no_paying_fund`: none is assigned, or it is of another year.
pub fn paying_fund(
    state: &(impl Read + ?Sized),
    region: RegionId,
    scheme: SchemeId,
    payer: Payer,
    day: CivilDate,
) -> Result<FundRef, Rejection> {
    let none = |why: Detail| {
        rejection::NO_PAYING_FUND.with(detail!(
            "{payer} of scheme {scheme} on {day}: {why}",
            payer,
            scheme,
            day,
            why
        ))
    };
    let assigned = assignments(state, region, scheme, payer);
    let last = assigned.iter().rev().find(|assignment| assignment.from <= day);
    let id = last
        .and_then(|assignment| assignment.fund)
        .ok_or_else(|| none(detail!("assign a fund")))?;
    let row = fund(state, region, id).ok_or_else(|| rejection::UNKNOWN_FUND.with(id))?;
    require(row.year.is_none_or(|year| i32::from(year) == day.year()), || {
        none(detail!("the assigned fund is of another year"))
    })?;
    Ok(FundRef { region, fund: id, owner: row.owner })
}

/// The fund behind each payer's share of a bill, in their order. What the provider bears itself has
/// none.
///
/// # Errors
/// `no_paying_fund` for the first share without a fund.
pub fn payers_of(
    state: &(impl Read + ?Sized),
    region: RegionId,
    scheme: SchemeId,
    shares: &[PayerShare],
    day: CivilDate,
) -> Result<Vec<FundedShare>, Rejection> {
    shares
        .iter()
        .filter(|share| share.payer != Payer::HospitalBorne && !share.amount.is_zero())
        .map(|share| {
            let fund = paying_fund(state, region, scheme, share.payer, day)?;
            Ok(FundedShare { payer: share.payer, amount: share.amount, fund })
        })
        .collect()
}

/// Which organisation must countersign a settlement that these funds pay.
///
/// The region's bureau signs when one of its own funds pays, or none at all; owners of further
/// funds are bound by the published plan through the assignment that they signed (HOUSE.md section
/// 5.3). Where no fund is the bureau's, the owner of the first one signs.
///
/// # Errors
/// `unknown_region`.
pub fn countersigner(
    state: &(impl Read + ?Sized),
    region: RegionId,
    shares: &[FundedShare],
) -> Result<OrganisationId, Rejection> {
    let bureau = network::view::require_region(state, region)?.bureau;
    let own = shares.iter().any(|share| share.fund.owner == bureau);
    Ok(shares.first().filter(|_| !own).map_or(bureau, |first| first.fund.owner))
}
