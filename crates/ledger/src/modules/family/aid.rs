//! What grants of mutual aid give a bill, and what comes back.

use alloc::{collections::BTreeMap, vec::Vec};
use benefit::{FamilyGrant, VisitType};
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, CivilDate, Hash, PersonId, Timestamp, detail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::month::AidMeter;
use super::rejection;
use super::rules::{AidRules, require_rising};
use super::table::{AID_RULES, AidGrant, AidUse, GRANTS, USES_MAX};
use super::view::family;
use crate::kernel::account::Account;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::posting;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::network::RegionRow;
use crate::modules::visit::VisitSubject;
use crate::modules::{network, person};

/// How many kinds of care a grant may name. Our own limit: it bounds the row.
const VISIT_TYPES_MAX: usize = 32;

/// What a grant pays for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AidPurpose {
    /// The member's share of bills.
    #[default]
    Care,
    /// The member's premiums.
    Premiums,
    /// Both.
    CareAndPremiums,
}

impl AidPurpose {
    /// Whether it pays bills of care.
    #[must_use]
    pub const fn is_for_care(self) -> bool {
        matches!(self, Self::Care | Self::CareAndPremiums)
    }

    /// Whether it pays premiums.
    #[must_use]
    pub const fn is_for_premiums(self) -> bool {
        matches!(self, Self::Premiums | Self::CareAndPremiums)
    }
}

/// What a grant offers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AidTerms {
    /// The relation by the region's number.
    pub relation: u8,
    /// What it pays for.
    #[serde(default)]
    pub purpose: AidPurpose,
    /// The kinds of care it pays for; none for all.
    #[serde(default)]
    #[schemars(length(max = 32))]
    pub visit_types: Vec<VisitType>,
    /// The most for one bill or premium.
    pub bill_max: Amount,
    /// The most in a calendar month.
    pub month_max: Amount,
    /// The most in a calendar year.
    pub year_max: Amount,
    /// Its place among the grants of the member: lower pays first, of equals the older.
    #[serde(default)]
    pub rank: u8,
    /// The last day on which it pays, if it has one.
    #[serde(default)]
    pub until: Option<CivilDate>,
}

impl AidTerms {
    /// What can be said of the terms alone.
    ///
    /// # Errors
    /// `invalid_aid_terms`, naming the field.
    pub(super) fn check(&self) -> Result<(), Rejection> {
        let limits = [self.bill_max, self.month_max, self.year_max];
        require_rising(limits, rejection::INVALID_AID_TERMS)?;
        require(self.visit_types.len() <= VISIT_TYPES_MAX, || {
            rejection::INVALID_AID_TERMS.with(detail!("`visit_types` are 32 at the most"))
        })
    }

    /// The terms stay within the region's.
    ///
    /// # Errors
    /// `aid_not_for_premiums`, and `aid_above_limit` naming the field and the most.
    pub(super) fn require_within(
        &self,
        rules: &AidRules,
        currency: primitives::Currency,
    ) -> Result<(), Rejection> {
        require(rules.pays_premiums || !self.purpose.is_for_premiums(), || {
            rejection::AID_NOT_FOR_PREMIUMS.reject()
        })?;
        let limits = [
            ("bill_max", self.bill_max, rules.bill_max),
            ("month_max", self.month_max, rules.month_max),
            ("year_max", self.year_max, rules.year_max),
        ];
        let above = limits.into_iter().find(|(_, wanted, most)| wanted > most);
        above.map_or(Ok(()), |(field, _, most)| {
            Err(rejection::AID_ABOVE_LIMIT.with(detail!(
                "`{field}` is at most {most}",
                field,
                most = (most, currency)
            )))
        })
    }
}

impl AidGrant {
    /// Whether it is in force on this day: not revoked and not over.
    pub(super) fn holds_on(&self, day: CivilDate) -> bool {
        self.revoked.is_none() && self.terms.until.is_none_or(|until| day <= until)
    }

    /// Whether it pays on this day for this kind of care.
    fn pays_for(&self, visit_type: VisitType, day: CivilDate) -> bool {
        let types = &self.terms.visit_types;
        self.holds_on(day)
            && self.terms.purpose.is_for_care()
            && (types.is_empty() || types.contains(&visit_type))
    }

    /// What its limits leave on this day for one bill, whatever the account holds.
    #[must_use]
    pub fn left_on(&self, day: CivilDate) -> Amount {
        let (month_paid, year_paid) = AidMeter::on(self.meter, day);
        let (month, year) = (self.terms.month_max, self.terms.year_max);
        let left = month.saturating_sub(month_paid).min(year.saturating_sub(year_paid));
        self.terms.bill_max.min(left)
    }
}

/// What the accounts of relatives can pay for a bill now, in the order in which they pay: grants in
/// force, for this kind of care, of payers who are not locked, in the region's currency, as many
/// accounts as the region allows. No offer exceeds the bill, so that nobody reads a balance from
/// it.
pub(super) fn offers(
    state: &(impl Read + ?Sized),
    subject: &VisitSubject,
    total: Amount,
    now: Timestamp,
) -> Vec<FamilyGrant> {
    let member = subject.person;
    let (Some(rules), Some(region)) =
        (AID_RULES.shared(state, &subject.region), network::view::region(state, subject.region))
    else {
        return Vec::new();
    };
    let numbers = family(state, member).grants.into_iter();
    let mut grants: Vec<(u32, AidGrant)> = numbers
        .filter_map(|number| Some((number, GRANTS.get(state, &(member, number))?)))
        .collect();
    grants.sort_by_key(|(number, grant)| (grant.terms.rank, *number));
    let offers = grants.into_iter().filter_map(|(grant, row)| {
        let day = day_of(state, &row, now)?;
        let pays = row.pays_for(subject.visit_type, day);
        let balance = Some(&row).filter(|_| pays).map(|row| balance(state, row, &region, now))?;
        let available = row.left_on(day).min(balance).min(total);
        (!available.is_zero()).then_some(FamilyGrant { grant, available })
    });
    offers.take(usize::from(rules.accounts_per_bill_max)).collect()
}

/// A grant pays this much of the member's premium now: it is in force and for premiums, its payer
/// is not locked, and its limits leave it. What its account holds is not asked here.
///
/// # Errors
/// `unknown_aid_grant`, `aid_not_for_premiums`, `person_locked`, `aid_limit_reached` with what is
/// left.
pub(super) fn require_premium(
    state: &(impl Read + ?Sized),
    grant: &AidGrant,
    (number, amount): (u32, Amount),
    now: Timestamp,
) -> Result<(), Rejection> {
    let region = network::view::require_region(state, grant.region)?;
    let day = now.day(region.settings.utc_offset_minutes);
    require(grant.holds_on(day), || rejection::UNKNOWN_GRANT.with(number))?;
    let rules = AID_RULES.shared(state, &grant.region);
    let is_offered = rules.is_some_and(|rules| rules.pays_premiums);
    require(is_offered && grant.terms.purpose.is_for_premiums(), || {
        rejection::AID_NOT_FOR_PREMIUMS.reject()
    })?;
    person::view::require_unlocked(state, grant.payer)?;
    let left = grant.left_on(day);
    require(amount <= left, || {
        rejection::AID_LIMIT_REACHED
            .with(detail!("{left} are left", left = (left, region.currency)))
    })
}

/// What the payer's account can give; nothing while the payer is locked, closed or pays in another
/// currency.
fn balance(
    state: &(impl Read + ?Sized),
    grant: &AidGrant,
    region: &RegionRow,
    now: Timestamp,
) -> Amount {
    if person::view::require_unlocked(state, grant.payer).is_err() {
        return Amount::ZERO;
    }
    let row = posting::account(state, &Account::PersonalAccount(grant.payer));
    let row = row.filter(|row| row.currency == region.currency);
    row.map_or(Amount::ZERO, |row| row.available_at(now))
}

/// The day in the calendar of the region whose rules the grant follows.
fn day_of(state: &(impl Read + ?Sized), grant: &AidGrant, at: Timestamp) -> Option<CivilDate> {
    let region = network::view::region(state, grant.region)?;
    Some(at.day(region.settings.utc_offset_minutes))
}

/// Notes what grants pay for a bill that is settled now.
pub(super) fn note_paid(
    state: &mut Overlay<'_>,
    (member, settlement): (PersonId, Hash),
    paid: &BTreeMap<u32, Amount>,
    now: Timestamp,
) {
    for (number, amount) in paid {
        let Some(mut grant) = GRANTS.get(state, &(member, *number)) else { continue };
        let Some(day) = day_of(state, &grant, now) else { continue };
        grant.meter = Some(AidMeter::paid(grant.meter, day, *amount));
        if grant.uses.len() >= USES_MAX {
            grant.uses.remove(0);
        }
        grant.uses.push(AidUse { settlement, day, paid: *amount, returned: Amount::ZERO });
        GRANTS.put(state, &(member, *number), &grant);
    }
}

/// Notes what comes back to grants of a bill that was settled before.
pub(super) fn note_returned(
    state: &mut Overlay<'_>,
    (member, settlement): (PersonId, Hash),
    returned: &BTreeMap<u32, Amount>,
    settled: Timestamp,
) {
    for (number, amount) in returned {
        let Some(mut grant) = GRANTS.get(state, &(member, *number)) else { continue };
        let Some(day) = day_of(state, &grant, settled) else { continue };
        grant.meter = grant.meter.map(|meter| meter.came_back(day, *amount));
        if let Some(one) = grant.uses.iter_mut().find(|one| one.settlement == settlement) {
            one.returned = one.returned.saturating_add(*amount);
        }
        GRANTS.put(state, &(member, *number), &grant);
    }
}
