//! Premiums that personal accounts pay: the money moves on the ledger and waits for nobody, and
//! what is given back is on its account at once.
//!
//! Invariant: a premium goes back to the account that paid it, whatever became of the grant since
//! (test `what_an_account_paid_goes_back_to_it`).

use alloc::{collections::BTreeMap, vec::Vec};
use primitives::{Amount, Hash, Party, PersonId};
use proof::receipt::FieldValue;

use super::rejection;
use super::season::{PremiumSeason, SeasonId};
use super::table::{AccountItem, AccountPayment, PremiumRecord, PremiumSource, PremiumStanding};
use super::tally::put_record;
use crate::kernel::account::Account;
use crate::kernel::context::Context;
use crate::kernel::overlay::Overlay;
use crate::kernel::posting::{self, Entry};
use crate::kernel::receipt::{Outcome, amount_value};
use crate::kernel::rejection::Rejection;
use crate::modules::{family, network};

/// The accounts that a premium goes through, from its source to the fund. A relative's goes through
/// the account of the region that every mutual aid goes through, so that no entry of a relative's
/// account says what it was for.
fn way(of: (SeasonId, &PremiumSeason), source: PremiumSource, owner: PersonId) -> Vec<Account> {
    let (region, fund) = (of.0.region, of.1.fund);
    let (own, to) = (Account::PersonalAccount(owner), Account::Fund { region, fund });
    match source {
        PremiumSource::PersonalAccount => alloc::vec![own, to],
        PremiumSource::FamilyAccount { .. } => {
            alloc::vec![own, Account::FamilyAccounts(region), to]
        }
    }
}

fn entries(way: &[Account], amount: Amount) -> Vec<Entry> {
    let steps = way.iter().zip(way.iter().skip(1));
    steps.map(|(debit, credit)| Entry { debit: *debit, credit: *credit, amount }).collect()
}

/// The account pays the fund, and the grant's meters rise.
///
/// # Errors
/// As [`posting::post`].
pub(super) fn take(
    context: &Context<'_>,
    state: &mut Overlay<'_>,
    of: (SeasonId, &PremiumSeason),
    taken: &AccountItem,
) -> Result<(), Rejection> {
    let currency = network::view::require_region(state, of.0.region)?.currency;
    let way = way(of, taken.source, taken.owner);
    posting::post(state, context.time, currency, &entries(&way, taken.item.amount))?;
    if let PremiumSource::FamilyAccount { grant } = taken.source {
        let paid = BTreeMap::from([(grant, taken.item.amount)]);
        let at = (taken.item.person, context.transaction.id());
        family::view::note_paid(state, at, &paid, context.time);
    }
    Ok(())
}

/// Gives the premium of one person of a payment back to the account that paid it; the grant's
/// meters fall where they had risen, and the premium is due again.
///
/// # Errors
/// `premium_not_paid`, and as [`posting::post`].
pub(super) fn give_back(
    context: &Context<'_>,
    state: &mut Overlay<'_>,
    (terms, record): (&PremiumSeason, &PremiumRecord),
    (transaction, payment): (Hash, &AccountPayment),
    person: PersonId,
) -> Result<Outcome, Rejection> {
    let own = payment.items.iter().find(|one| one.item.person == person);
    let taken = own.ok_or_else(|| rejection::NOT_PAID.reject())?;
    let (season, amount) = (payment.season, taken.item.amount);
    let mut back = way((season, terms), taken.source, taken.owner);
    back.reverse();
    posting::post(state, context.time, payment.currency, &entries(&back, amount))?;
    if let PremiumSource::FamilyAccount { grant } = taken.source {
        let returned = BTreeMap::from([(grant, amount)]);
        family::view::note_returned(state, (person, transaction), &returned, payment.paid);
    }
    let record = PremiumRecord { standing: PremiumStanding::Due, ..record.clone() };
    put_record(state, (season, person), &record, amount);
    let bureau = network::view::require_region(state, season.region)?.bureau;
    let concerns = [
        Party::Person(person),
        Party::Person(payment.payer),
        Party::Organisation(terms.collector),
        Party::Organisation(bureau),
    ];
    Ok(Outcome::event("premium_refunded", concerns)
        .with("payment", FieldValue::Hash(transaction))
        .with("amount", amount_value(amount, payment.currency))
        .with(source_field(taken.source), amount_value(amount, payment.currency)))
}

/// Under which name a receipt says how much such accounts paid, as settlements do.
pub(super) const fn source_field(source: PremiumSource) -> &'static str {
    match source {
        PremiumSource::PersonalAccount => "personal_account",
        PremiumSource::FamilyAccount { .. } => "family_accounts",
    }
}
