//! Gives a premium back before its cover begins.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Currency, Hash, Party, PersonId, detail};
use proof::receipt::FieldValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::account;
use super::payment::order;
use super::record::{require_record, require_season, today};
use super::rejection;
use super::season::{PremiumSeason, SeasonId};
use super::table::{
    ACCOUNT_PAYMENTS, PAYMENTS, PaidItem, PremiumPayment, PremiumRecord, PremiumStanding,
};
use super::tally::put_record;
use crate::kernel::account::{Account, Books};
use crate::kernel::context::Context;
use crate::kernel::effect::{EffectAction, EffectStatus};
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::posting::{self, Entry};
use crate::kernel::receipt::{Outcome, amount_value};
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::person::{Actor, require_speaker};
use crate::modules::{coverage, network};

/// Gives a paid premium back to where it came from, before the season's cover begins or when no
/// cover could be given; the cover does not begin. What a personal account paid is back on it at
/// once; a refund over a rail that failed is ordered anew by the same kind. Signed by whoever
/// speaks for the person: own key, guardian, or a desk of the bureau.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelPremium {
    /// Which season.
    pub season: SeasonId,
    /// Whose premium.
    pub person: PersonId,
    /// Who acts.
    pub actor: Actor,
}

impl Kind for CancelPremium {
    const NUMBER: u16 = 906;
    const NAME: &'static str = "cancel_premium";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_speaker(context, state, self.person, self.actor).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let terms = require_season(state, self.season)?;
        let mut record = require_record(state, self.season, self.person)?;
        let collected = match record.standing {
            PremiumStanding::Paid { payment: Some(payment), benefits_from } => {
                let day = today(context, state, self.season)?;
                require(day < terms.cover.from || benefits_from.is_none(), || {
                    rejection::COVER_BEGUN.with(detail!("on {from}", from = terms.cover.from))
                })?;
                if benefits_from.is_some() {
                    let (region, scheme) = (self.season.region, self.season.scheme);
                    coverage::view::withdraw(state, self.person, (region, scheme), &terms.cover)?;
                }
                if let Some(paid) = ACCOUNT_PAYMENTS.get(state, &payment) {
                    let of = (&*terms, &record);
                    return account::give_back(context, state, of, (payment, &paid), self.person);
                }
                let collected = collected(state, &payment)?;
                self.return_to_account(context, state, &terms, &collected)?;
                let item = self.item(&collected)?;
                if item.collected().is_zero() {
                    return self.nothing_to_refund(state, &terms, record, (payment, &collected));
                }
                self.owe(context, state, &terms, &collected)?;
                (payment, collected)
            }
            PremiumStanding::GoingBack { payment } => {
                let failed = collected(state, &payment)?;
                require(failed.status == EffectStatus::Failed, || {
                    rejection::PAYMENT_RUNNING.reject()
                })?;
                // The order that collected the money stays the one that it goes back to.
                (failed.original.unwrap_or(payment), failed)
            }
            _ => return Err(rejection::NOT_PAID.reject()),
        };
        let (original, collected) = collected;
        let item = self.item(&collected)?;
        let amount = item.collected();
        let refund = PremiumPayment {
            action: EffectAction::Refund,
            items: alloc::vec![item],
            amount,
            status: EffectStatus::Pending,
            original: Some(original),
            ..collected
        };
        let bureau = network::view::require_region(state, self.season.region)?.bureau;
        let concerns = [
            Party::Person(self.person),
            refund.payer,
            Party::Organisation(terms.collector),
            Party::Organisation(bureau),
        ];
        let mut outcome = Outcome::event("premium_cancelled", concerns);
        let payment = order(context, state, &mut outcome, &refund, Hash::default())?;
        record.standing = PremiumStanding::GoingBack { payment };
        put_record(state, (self.season, self.person), &record, item.amount);
        let outcome = outcome
            .with("payment", FieldValue::Hash(payment))
            .with("amount", amount_value(amount, refund.currency));
        Ok(with_account(outcome, &item, refund.currency))
    }
}

fn collected(state: &Overlay<'_>, payment: &Hash) -> Result<PremiumPayment, Rejection> {
    PAYMENTS.get(state, payment).ok_or_else(|| rejection::NOT_PAID.reject())
}

/// What came back to the person's account, where anything did.
fn with_account(outcome: Outcome, item: &PaidItem, currency: Currency) -> Outcome {
    if item.from_account.is_zero() {
        return outcome;
    }
    outcome.with("personal_account", amount_value(item.from_account, currency))
}

impl CancelPremium {
    fn item(&self, collected: &PremiumPayment) -> Result<PaidItem, Rejection> {
        let own = collected.items.iter().find(|item| item.person == self.person);
        own.copied().ok_or_else(|| rejection::NOT_PAID.reject())
    }

    /// What the person's account paid is back on it at once.
    fn return_to_account(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
        terms: &PremiumSeason,
        collected: &PremiumPayment,
    ) -> Result<(), Rejection> {
        let amount = self.item(collected)?.from_account;
        if amount.is_zero() {
            return Ok(());
        }
        let entry = Entry {
            debit: Account::Fund { region: self.season.region, fund: terms.fund },
            credit: Account::PersonalAccount(self.person),
            amount,
        };
        posting::post(state, context.time, collected.currency, &[entry])
    }

    /// The account had paid all of this premium: it is due again, and no rail has anything to do.
    fn nothing_to_refund(
        &self,
        state: &mut Overlay<'_>,
        terms: &PremiumSeason,
        record: PremiumRecord,
        (payment, collected): (Hash, &PremiumPayment),
    ) -> Result<Outcome, Rejection> {
        let item = self.item(collected)?;
        let record = PremiumRecord { standing: PremiumStanding::Due, ..record };
        put_record(state, (self.season, self.person), &record, item.amount);
        let bureau = network::view::require_region(state, self.season.region)?.bureau;
        let concerns = [
            Party::Person(self.person),
            Party::Organisation(terms.collector),
            Party::Organisation(bureau),
        ];
        let outcome = Outcome::event("premium_refunded", concerns)
            .with("payment", FieldValue::Hash(payment))
            .with("amount", amount_value(item.amount, collected.currency));
        Ok(with_account(outcome, &item, collected.currency))
    }

    /// The fund owes the money from now on, whenever the rail brings it back.
    fn owe(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
        terms: &PremiumSeason,
        collected: &PremiumPayment,
    ) -> Result<(), Rejection> {
        let region = self.season.region;
        let entry = Entry {
            debit: Account::Fund { region, fund: terms.fund },
            credit: Account::OwedToPatients(Books::of(collected.executor, region)),
            amount: self.item(collected)?.collected(),
        };
        posting::post(state, context.time, collected.currency, &[entry])
    }
}
