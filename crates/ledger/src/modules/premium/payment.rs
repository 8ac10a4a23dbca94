//! What a payment of premiums does once its executor has spoken, and the cover that follows.

use alloc::vec::Vec;
use primitives::{Amount, CivilDate, Hash, OrganisationId, Party, PersonId, detail, sha256_parts};
use proof::receipt::FieldValue;

use super::record::{require_record, require_season};
use super::rejection;
use super::season::{PremiumDue, PremiumSeason, SeasonId};
use super::table::{PAYMENTS, PaidItem, PremiumPayment, PremiumRecord, PremiumStanding};
use super::tally::put_record;
use crate::kernel::account::{Account, Books};
use crate::kernel::context::Context;
use crate::kernel::effect::{self, Effect, EffectAction, EffectResult, EffectStatus, NewEffect};
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::posting::{self, Entry};
use crate::kernel::receipt::{Outcome, amount_value};
use crate::kernel::rejection::{Rejection, require};
use crate::modules::coverage::{self, CoverageTerms};

/// The one effect of a payment of premiums.
pub(super) const EFFECT: u8 = 0;

impl PaidItem {
    /// What is due of a person, as a part of a payment.
    pub(super) const fn of(person: PersonId, due: &PremiumDue) -> Self {
        let PremiumDue { amount, benefits_from, is_unbroken } = *due;
        Self { person, amount, benefits_from, is_unbroken, from_account: Amount::ZERO }
    }

    /// What a rail collects of it.
    pub(super) const fn collected(&self) -> Amount {
        self.amount.saturating_sub(self.from_account)
    }
}

/// The cover that a paid premium gives.
fn cover_terms(
    (season, terms): (SeasonId, &PremiumSeason),
    record: &PremiumRecord,
    item: &PaidItem,
) -> CoverageTerms {
    let mut facts = record.facts;
    if !item.is_unbroken {
        facts.unbroken_years = 0;
    }
    let benefits_from = Some(item.benefits_from).filter(|day| terms.cover.from < *day);
    CoverageTerms { scheme: season.scheme, period: terms.cover, benefits_from, facts }
}

/// The person can be covered by what is paid on this day.
///
/// # Errors
/// `covered_elsewhere`, `already_covered` and the like.
pub(super) fn require_coverable(
    state: &(impl Read + ?Sized),
    of: (SeasonId, &PremiumSeason),
    record: &PremiumRecord,
    (item, day): (&PaidItem, CivilDate),
) -> Result<(), Rejection> {
    let at = (item.person, of.0.region);
    coverage::view::enrolled(state, at, &cover_terms(of, record, item), day).map(|_| ())
}

/// Covers the person.
///
/// # Errors
/// As [`require_coverable`].
pub(super) fn cover(
    context: &Context<'_>,
    state: &mut Overlay<'_>,
    of: (SeasonId, &PremiumSeason),
    record: &PremiumRecord,
    item: &PaidItem,
) -> Result<(), Rejection> {
    let at = (item.person, of.0.region);
    coverage::view::enrol(context, state, at, &cover_terms(of, record, item))
}

/// Whose books the premium's rail stands in.
const fn books(payment: &PremiumPayment) -> Books {
    Books::of(payment.executor, payment.season.region)
}

/// Orders a payment outside and notes it.
pub(super) fn order(
    context: &Context<'_>,
    state: &mut Overlay<'_>,
    outcome: &mut Outcome,
    payment: &PremiumPayment,
    authorisation: Hash,
) -> Result<Hash, Rejection> {
    let rail = Account::Rail(books(payment));
    let entry = match payment.action {
        EffectAction::Collect | EffectAction::Release => {
            let terms = require_season(state, payment.season)?;
            let region = payment.season.region;
            (rail, Account::Fund { region, fund: terms.fund })
        }
        EffectAction::Refund | EffectAction::PayOut => {
            (Account::OwedToPatients(books(payment)), rail)
        }
    };
    let new = NewEffect {
        executor: payment.executor,
        rail: payment.rail.clone(),
        action: payment.action,
        amount: payment.amount,
        currency: payment.currency,
        authorisation,
        original: payment.original,
        entry,
    };
    let reference = effect::order(context, state, outcome, new)?;
    PAYMENTS.put(state, &reference, payment);
    Ok(reference)
}

/// The id of the hold for what the payer's account pays of a payment, by its reference.
fn account_hold(reference: &Hash) -> Hash {
    sha256_parts(&[b"yibao/premium-account-part/v1", &reference.0])
}

/// Holds what the payer's account pays until the executor's word on the rest.
///
/// # Errors
/// `premium_account_too_low`, and as [`posting::hold`].
pub(super) fn hold_account_part(
    context: &Context<'_>,
    state: &mut Overlay<'_>,
    payment: &PremiumPayment,
    amount: Amount,
) -> Result<(), Rejection> {
    let Party::Person(payer) = payment.payer else {
        return Err(rejection::ACCOUNT_NOT_OWN.reject());
    };
    let own = Account::PersonalAccount(payer);
    let left = posting::account(state, &own).map(|row| row.available_at(context.time));
    let left = left.ok_or_else(|| rejection::ACCOUNT_TOO_LOW.reject())?;
    require(amount <= left, || {
        rejection::ACCOUNT_TOO_LOW.with(detail!("{left} are left", left = (left, payment.currency)))
    })?;
    let terms = require_season(state, payment.season)?;
    let credit = Account::Fund { region: payment.season.region, fund: terms.fund };
    let reference = Effect::reference(context.transaction.id(), EFFECT);
    let entry = Entry { debit: own, credit, amount };
    let hold = account_hold(&reference);
    posting::hold(state, context.time, hold, payment.currency, entry, effect::NEVER)
}

/// What the payer's account pays of a payment.
fn account_part(payment: &PremiumPayment) -> Amount {
    let parts = payment.items.iter().map(|item| item.from_account);
    parts.fold(Amount::ZERO, Amount::saturating_add)
}

/// Whether the account's part of a payment is still held: a refund orders no such part.
fn holds_account_part(payment: &PremiumPayment) -> bool {
    payment.action == EffectAction::Collect && !account_part(payment).is_zero()
}

/// Whom a payment concerns. Of the persons it is for none, unless it is one for whom an
/// organisation pays: what somebody pays for others is the payer's business, and nobody learns who
/// else is on a list. Each finds the own premium where it stands.
pub(super) fn concerns(payment: &PremiumPayment, collector: OrganisationId) -> Vec<Party> {
    let mut parties = alloc::vec![
        payment.payer,
        Party::Organisation(payment.channel),
        Party::Organisation(payment.executor),
        Party::Organisation(collector),
    ];
    if let (Party::Organisation(_), [one]) = (payment.payer, payment.items.as_slice()) {
        parties.push(Party::Person(one.person));
    }
    parties
}

/// A payment that waits for its executor's word.
///
/// # Errors
/// Nothing of this module waits under the reference.
pub(super) fn pending(state: &(impl Read + ?Sized), reference: &Hash) -> Option<PremiumPayment> {
    PAYMENTS.get(state, reference).filter(|payment| payment.status == EffectStatus::Pending)
}

/// The executor's word on a payment.
///
/// # Errors
/// `premium_amount_differs`.
pub(super) fn confirm(
    context: &Context<'_>,
    state: &mut Overlay<'_>,
    reference: &Hash,
    mut payment: PremiumPayment,
    result: EffectResult,
) -> Result<Outcome, Rejection> {
    let terms = require_season(state, payment.season)?;
    let name = match (payment.action, result) {
        (_, EffectResult::Done { amount }) => {
            require(amount == payment.amount, || {
                rejection::AMOUNT_DIFFERS.with(detail!(
                    "{ordered} were ordered",
                    ordered = (payment.amount, payment.currency)
                ))
            })?;
            posting::post_hold(state, context.time, reference, amount)?;
            if holds_account_part(&payment) {
                let part = account_part(&payment);
                posting::post_hold(state, context.time, &account_hold(reference), part)?;
            }
            payment.status = EffectStatus::Done;
            for item in &payment.items {
                done(context, state, (payment.season, &terms), (payment.action, reference), item)?;
            }
            if payment.action == EffectAction::Refund {
                "premium_refunded"
            } else {
                "premiums_paid"
            }
        }
        (action, EffectResult::Failed { .. }) => {
            posting::void_hold(state, reference)?;
            if holds_account_part(&payment) {
                posting::void_hold(state, &account_hold(reference))?;
            }
            payment.status = EffectStatus::Failed;
            if action == EffectAction::Refund {
                "premium_refund_failed"
            } else {
                for item in &payment.items {
                    set_standing(state, payment.season, item, PremiumStanding::Due)?;
                }
                "premiums_not_paid"
            }
        }
    };
    PAYMENTS.put(state, reference, &payment);
    Ok(Outcome::event(name, concerns(&payment, terms.collector))
        .with("payment", FieldValue::Hash(*reference))
        .with("amount", amount_value(payment.amount, payment.currency)))
}

/// The money of one person moved.
fn done(
    context: &Context<'_>,
    state: &mut Overlay<'_>,
    of: (SeasonId, &PremiumSeason),
    (action, reference): (EffectAction, &Hash),
    item: &PaidItem,
) -> Result<(), Rejection> {
    let standing = if action == EffectAction::Refund {
        PremiumStanding::Due
    } else {
        let record = require_record(state, of.0, item.person)?;
        // Who was covered elsewhere meanwhile has paid for nothing: the money goes back on demand.
        let covered = cover(context, state, of, &record, item).is_ok();
        let benefits_from = covered.then_some(item.benefits_from);
        PremiumStanding::Paid { payment: Some(*reference), benefits_from }
    };
    set_standing(state, of.0, item, standing)
}

fn set_standing(
    state: &mut Overlay<'_>,
    season: SeasonId,
    item: &PaidItem,
    standing: PremiumStanding,
) -> Result<(), Rejection> {
    let mut record = require_record(state, season, item.person)?;
    record.standing = standing;
    put_record(state, (season, item.person), &record, item.amount);
    Ok(())
}
