//! Pays premiums from personal accounts: the own one, or a relative's that helps.

use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, CivilDate, Party, PersonId, detail};
use proof::receipt::FieldValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::account::{self, source_field};
use super::payment::{cover, require_coverable};
use super::record::{forget_lock, require_record, require_season, today};
use super::rejection;
use super::season::{PremiumSeason, SeasonId};
use super::table::{
    ACCOUNT_PAYMENTS, AccountItem, AccountPayment, PaidItem, PremiumSource, PremiumStanding,
};
use super::tally::put_record;
use crate::kernel::account::Account;
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::posting;
use crate::kernel::receipt::{Outcome, amount_value};
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, kernel, require};
use crate::modules::{family, network, person};

/// How many premiums one payment from accounts has at the most. Our own limit: a household.
const ITEMS_MAX: usize = 16;

/// One premium of a payment from accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountPremium {
    /// Whose premium.
    pub person: PersonId,
    /// How many missed years are paid as well, to shorten the waiting period.
    #[serde(default)]
    pub repair_years: u8,
    /// What is due for it, so that the payer signs what is paid.
    pub amount: Amount,
    /// Whose account pays it, all of it.
    pub source: PremiumSource,
}

/// Pays premiums of one season from personal accounts, all of them or none: the payer's own premium
/// from the payer's account, anybody's by a grant of mutual aid that pays premiums. The money moves
/// at once, and cover follows. Signed by the payer's own key; a grant is used by its payer, by the
/// person whose premium it is, and by that person's guardian.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PayPremiumsFromAccounts {
    /// Which season.
    pub season: SeasonId,
    /// Who agrees to it.
    pub payer: PersonId,
    /// The premiums, 1 to 16.
    #[schemars(length(min = 1, max = 16))]
    pub items: Vec<AccountPremium>,
}

impl PayPremiumsFromAccounts {
    /// Whose account the payer may use for this premium. It is asked before anything about the
    /// record, so that a stranger learns nothing of it.
    fn owner(
        &self,
        context: &Context<'_>,
        state: &Overlay<'_>,
        item: &AccountPremium,
    ) -> Result<PersonId, Rejection> {
        let PremiumSource::FamilyAccount { grant } = item.source else {
            require(item.person == self.payer, || rejection::ACCOUNT_NOT_OWN.reject())?;
            return Ok(self.payer);
        };
        let owner = family::view::payer_of(state, item.person, grant)?;
        if self.payer != owner && self.payer != item.person {
            let (person, guardian) = (item.person, self.payer);
            person::view::require_guardian(context, state, person, guardian, Amount::ZERO)?;
        }
        Ok(owner)
    }

    /// The account has this much. How much it has is told to its owner alone.
    fn require_funds(
        &self,
        context: &Context<'_>,
        state: &Overlay<'_>,
        (owner, amount): (PersonId, Amount),
    ) -> Result<(), Rejection> {
        let row = posting::account(state, &Account::PersonalAccount(owner))
            .ok_or_else(|| rejection::ACCOUNT_TOO_LOW.reject())?;
        let left = row.available_at(context.time);
        require(amount <= left, || match owner {
            owner if owner == self.payer => rejection::ACCOUNT_TOO_LOW
                .with(detail!("{left} are left", left = (left, row.currency))),
            _ => rejection::ACCOUNT_TOO_LOW.reject(),
        })
    }

    /// The account pays the premium, and the person is covered.
    fn take(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
        (terms, day): (&PremiumSeason, CivilDate),
        item: &AccountPremium,
    ) -> Result<AccountItem, Rejection> {
        let owner = self.owner(context, state, item)?;
        let of = (self.season, terms);
        let mut record = require_record(state, self.season, item.person)?;
        let payer = Party::Person(self.payer);
        record.require_payable(context.time, Some(payer))?;
        let due = terms.due(&record, day, item.repair_years)?;
        let currency = network::view::require_region(state, self.season.region)?.currency;
        require(due.amount == item.amount, || {
            rejection::AMOUNT_DIFFERS.with(detail!("{due} are due", due = (due.amount, currency)))
        })?;
        let paid = PaidItem::of(item.person, &due);
        require_coverable(state, of, &record, (&paid, day))?;
        if let PremiumSource::FamilyAccount { grant } = item.source {
            let at = (item.person, grant);
            family::view::require_premium_aid(state, at, paid.amount, context.time)?;
        }
        self.require_funds(context, state, (owner, paid.amount))?;
        let taken = AccountItem { item: paid, source: item.source, owner };
        account::take(context, state, of, &taken)?;
        cover(context, state, of, &record, &paid)?;
        record.standing = PremiumStanding::Paid {
            payment: Some(context.transaction.id()),
            benefits_from: Some(paid.benefits_from),
        };
        put_record(state, (self.season, item.person), &record, paid.amount);
        forget_lock(state, payer, self.season, item.person);
        Ok(taken)
    }

    fn outcome(
        &self,
        state: &Overlay<'_>,
        terms: &PremiumSeason,
        paid: &AccountPayment,
    ) -> Result<Outcome, Rejection> {
        let bureau = network::view::require_region(state, self.season.region)?.bureau;
        let concerns = [
            Party::Person(self.payer),
            Party::Organisation(terms.collector),
            Party::Organisation(bureau),
        ];
        let amount = amount_value(paid.amount, paid.currency);
        let mut outcome =
            Outcome::event("premiums_paid_from_accounts", concerns).with("amount", amount);
        let own = PremiumSource::PersonalAccount;
        let of = |is_own: bool| {
            let items = paid.items.iter().filter(|one| (one.source == own) == is_own);
            items.fold(Amount::ZERO, |sum, one| sum.saturating_add(one.item.amount))
        };
        let sources = [(own, of(true)), (PremiumSource::FamilyAccount { grant: 0 }, of(false))];
        for (source, amount) in sources.into_iter().filter(|(_, amount)| !amount.is_zero()) {
            outcome = outcome.with(source_field(source), amount_value(amount, paid.currency));
        }
        let year = FieldValue::Number(u64::from(self.season.year));
        Ok(outcome.with("year", year))
    }
}

impl Kind for PayPremiumsFromAccounts {
    const NUMBER: u16 = 907;
    const NAME: &'static str = "pay_premiums_from_accounts";

    fn check(&self) -> Result<(), Rejection> {
        require((1..=ITEMS_MAX).contains(&self.items.len()), || {
            rejection::COUNT_INVALID.with(self.items.len())
        })
    }

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        person::view::require_key(context, state, self.payer, Amount::ZERO).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let terms = require_season(state, self.season)?;
        let currency = network::view::require_region(state, self.season.region)?.currency;
        let day = today(context, state, self.season)?;
        let mut items = Vec::new();
        for item in &self.items {
            items.push(self.take(context, state, (&terms, day), item)?);
        }
        let amount = Amount::checked_sum(items.iter().map(|one| one.item.amount))
            .ok_or_else(|| kernel::AMOUNT_OVERFLOW.reject())?;
        let used = person::view::require_key(context, state, self.payer, amount)?;
        person::view::note_key_spending(state, &used)?;
        let paid = AccountPayment {
            season: self.season,
            payer: self.payer,
            items,
            amount,
            currency,
            paid: context.time,
        };
        ACCOUNT_PAYMENTS.put(state, &context.transaction.id(), &paid);
        self.outcome(state, &terms, &paid)
    }
}
