//! What may be bound, and what a binding uses up.

use alloc::sync::Arc;
use primitives::{CivilDate, Party, PersonId, RegionId, detail};

use super::agreement::{is_below, today_of};
use super::month::{Month, MonthCount};
use super::rejection;
use super::rules::{PAYERS_MAX, ProxyRules, require_relation};
use super::table::{BINDINGS, Binding, BindingGround, FAMILIES, PROXY_RULES};
use super::view::{family, holds};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::rejection::{Code, Rejection, require};
use crate::modules::{network, person};

/// A payer and a member of one family.
#[derive(Clone, Copy)]
pub(super) struct Pair {
    pub payer: PersonId,
    pub member: PersonId,
}

impl Pair {
    pub(super) const fn key(self) -> (PersonId, PersonId) {
        (self.payer, self.member)
    }

    /// Nobody is bound to oneself.
    ///
    /// # Errors
    /// `not_two_persons`.
    pub(super) fn check(self) -> Result<(), Rejection> {
        require(self.payer != self.member, || rejection::NOT_TWO_PERSONS.reject())
    }

    /// Whom an event about the two concerns, the bureau of the member's home among them.
    pub(super) fn concerns(self, state: &(impl Read + ?Sized)) -> alloc::vec::Vec<Party> {
        let mut parties = alloc::vec![Party::Person(self.payer), Party::Person(self.member)];
        let bureau = person::view::person(state, self.member)
            .and_then(|row| network::view::region(state, row.region))
            .map(|region| Party::Organisation(region.bureau));
        parties.extend(bureau);
        parties
    }
}

/// The rules of the proxy at a person's home, and the day there.
///
/// # Errors
/// `proxy_not_offered`, and as `today_of`.
pub(super) fn rules_of(
    context: &Context<'_>,
    state: &(impl Read + ?Sized),
    person: PersonId,
) -> Result<(Arc<ProxyRules>, CivilDate), Rejection> {
    let row = person::view::require_person(state, person)?;
    Ok((rules_in(state, row.region)?, today_of(context, state, person)?))
}

/// The rules of the proxy in a region.
///
/// # Errors
/// `proxy_not_offered`.
pub(super) fn rules_in(
    state: &(impl Read + ?Sized),
    region: RegionId,
) -> Result<Arc<ProxyRules>, Rejection> {
    PROXY_RULES.shared(state, &region).ok_or_else(|| rejection::PROXY_NOT_OFFERED.with(region))
}

/// What is asked of a new binding before anything is used up: both are there and not locked, the
/// relation is one of the region's, and the age fits the way in which the member agrees.
///
/// # Errors
/// The check that does not hold.
pub(super) fn require_bindable(
    context: &Context<'_>,
    state: &(impl Read + ?Sized),
    pair: Pair,
    (relation, by_documents): (u8, bool),
) -> Result<(), Rejection> {
    person::view::require_unlocked(state, pair.payer)?;
    person::view::require_unlocked(state, pair.member)?;
    let (rules, today) = rules_of(context, state, pair.member)?;
    require_relation(&rules.relations, relation)?;
    let age = rules.own_consent_age;
    match is_below(state, pair.member, age, today) {
        Some(true) if !by_documents => Err(rejection::MEMBER_UNDER_AGE.with(age)),
        Some(false) if by_documents => Err(rejection::MEMBER_OF_AGE.with(age)),
        _ => Ok(()),
    }
}

/// Binds, and takes a slot of the month on both sides. A pair that was bound by documents and now
/// agrees in person is bound anew without a slot: nobody is bound who was not before.
///
/// # Errors
/// `already_bound`, `payer_month_limit_reached`, `member_month_limit_reached` with the day from
/// which there are new slots, `too_many_members`, `too_many_payers`.
pub(super) fn bind(
    context: &Context<'_>,
    state: &mut Overlay<'_>,
    pair: Pair,
    binding: &Binding,
) -> Result<(), Rejection> {
    let before = BINDINGS.get(state, &pair.key());
    let changes_consent = before.is_some_and(|one| {
        one.ground == BindingGround::Documents && binding.ground != BindingGround::Documents
    });
    if !changes_consent {
        let (_, today) = rules_of(context, state, pair.member)?;
        require(!holds(state, pair.key(), today), || rejection::ALREADY_BOUND.reject())?;
        take_slot_of_payer(context, state, pair)?;
        take_slot_of_member(context, state, pair)?;
    }
    BINDINGS.put(state, &pair.key(), binding);
    Ok(())
}

fn take_slot_of_payer(
    context: &Context<'_>,
    state: &mut Overlay<'_>,
    pair: Pair,
) -> Result<(), Rejection> {
    let (rules, today) = rules_of(context, state, pair.payer)?;
    let mut row = family(state, pair.payer);
    let most = rules.members_per_payer_per_month_max;
    row.bound = Some(one_more(row.bound, today, most, rejection::PAYER_MONTH_LIMIT)?);
    if !row.members.contains(&pair.member) {
        let most = rules.members_per_payer_max;
        require(row.members.len() < usize::from(most), || {
            rejection::TOO_MANY_MEMBERS.with(detail!("at most {most}", most))
        })?;
        row.members.push(pair.member);
    }
    FAMILIES.put(state, &pair.payer, &row);
    Ok(())
}

fn take_slot_of_member(
    context: &Context<'_>,
    state: &mut Overlay<'_>,
    pair: Pair,
) -> Result<(), Rejection> {
    let (rules, today) = rules_of(context, state, pair.member)?;
    let mut row = family(state, pair.member);
    let most = rules.bindings_per_member_per_month_max;
    row.was_bound = Some(one_more(row.was_bound, today, most, rejection::MEMBER_MONTH_LIMIT)?);
    if !row.payers.contains(&pair.payer) {
        require(row.payers.len() < PAYERS_MAX, || {
            rejection::TOO_MANY_PAYERS.with(detail!("at most {most}", most = PAYERS_MAX))
        })?;
        row.payers.push(pair.payer);
    }
    FAMILIES.put(state, &pair.member, &row);
    Ok(())
}

/// The month's count with one more in it.
///
/// # Errors
/// With this code, and the day from which there are new slots, where the month has none left.
fn one_more(
    count: Option<MonthCount>,
    today: CivilDate,
    most: u8,
    code: Code,
) -> Result<MonthCount, Rejection> {
    let month = Month::of(today);
    let held = MonthCount::in_month(count, month);
    require(held < most, || {
        let next = month.next().unwrap_or(today);
        code.with(detail!("{held} of {most} this month, again from {next}", held, most, next))
    })?;
    Ok(MonthCount::plus_one(count, month))
}

/// Ends a binding at once. The meters of the month stay as they are.
///
/// # Errors
/// `not_bound`.
pub(super) fn unbind(state: &mut Overlay<'_>, pair: Pair) -> Result<(), Rejection> {
    require(BINDINGS.has(state, &pair.key()), || rejection::NOT_BOUND.reject())?;
    BINDINGS.remove(state, &pair.key());
    let mut row = family(state, pair.payer);
    row.members.retain(|one| *one != pair.member);
    FAMILIES.put(state, &pair.payer, &row);
    let mut row = family(state, pair.member);
    row.payers.retain(|one| *one != pair.payer);
    FAMILIES.put(state, &pair.member, &row);
    Ok(())
}
