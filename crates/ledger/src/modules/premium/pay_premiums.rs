//! Pays premiums: one's own, a household's, a village's.

use alloc::{string::String, vec::Vec};
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, CivilDate, Hash, OrganisationId, Party, PersonId, detail};
use proof::receipt::FieldValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::payment::{EFFECT, concerns, hold_account_part, order, require_coverable};
use super::record::{forget_lock, require_record, require_season, today};
use super::rejection;
use super::season::{PremiumSeason, SeasonId};
use super::table::{PaidItem, PremiumPayment, PremiumStanding};
use super::tally::put_record;
use crate::kernel::context::Context;
use crate::kernel::effect::{Effect, EffectAction, EffectStatus};
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::receipt::amount_value;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::coverage::{RowResults, check_rows};
use crate::modules::organisation::{self, OrganisationKind, Scope};
use crate::modules::visit::{CashLeg, RailKind};
use crate::modules::{network, person};

/// One premium of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PremiumItem {
    /// Whose premium.
    pub person: PersonId,
    /// How many missed years are paid as well, to shorten the waiting period.
    #[serde(default)]
    pub repair_years: u8,
    /// What is due for it, so that the payer signs what is paid.
    pub amount: Amount,
    /// How much of it the payer's own personal account pays, for the payer's own premium: it is
    /// held until the rail has collected the rest, and comes back by itself when that fails.
    #[serde(default)]
    pub from_account: Amount,
}

/// Pays premiums of one season for 1 to 500 persons in one payment. Signed by the payer: a person
/// with an own key, an organisation with scope `treasury`; over a counter by the channel with scope
/// `clerk`. The collector's, the bureau's or a bank's rail collects, and that organisation signs
/// too.
///
/// A part of the payer's own premium may come from the payer's personal account; then the payer
/// signs also at a counter. The rail collects the rest of the payment, which is never nothing.
///
/// A premium that cannot be paid stops no other, and its money is not collected; the receipt's
/// fields `refused.00` and following list such rows as `ROW:CODE`. A payment of one premium is
/// refused with the reason itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PayPremiums {
    /// Which season.
    pub season: SeasonId,
    /// Who pays.
    pub payer: Party,
    /// The organisation whose counter, app or machine is used.
    pub channel: OrganisationId,
    /// The premiums, 1 to 500.
    #[schemars(length(min = 1, max = 500))]
    pub items: Vec<PremiumItem>,
    /// How the money is collected.
    pub cash: CashLeg,
}

impl PayPremiums {
    /// The premium is payable by this payer on this day: it now waits for the payment.
    fn take(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
        (terms, day): (&PremiumSeason, CivilDate),
        (item, payment): (&PremiumItem, Hash),
    ) -> Result<PaidItem, Rejection> {
        let is_own = self.payer == Party::Person(item.person);
        require(item.from_account.is_zero() || is_own, || rejection::ACCOUNT_NOT_OWN.reject())?;
        let mut record = require_record(state, self.season, item.person)?;
        record.require_payable(context.time, Some(self.payer))?;
        let due = terms.due(&record, day, item.repair_years)?;
        let currency = network::view::require_region(state, self.season.region)?.currency;
        require(due.amount == item.amount, || {
            rejection::AMOUNT_DIFFERS.with(detail!("{due} are due", due = (due.amount, currency)))
        })?;
        let paid = PaidItem { from_account: item.from_account, ..PaidItem::of(item.person, &due) };
        require(paid.from_account <= paid.amount, || rejection::ACCOUNT_PART.reject())?;
        require_coverable(state, (self.season, terms), &record, (&paid, day))?;
        record.standing = PremiumStanding::Paying { payment };
        put_record(state, (self.season, item.person), &record, paid.amount);
        forget_lock(state, self.payer, self.season, item.person);
        Ok(paid)
    }

    /// The payer agreed to these amounts, or a clerk took what a rail collects.
    fn require_payer(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
        (collected, from_account): (Amount, Amount),
    ) -> Result<(), Rejection> {
        let mut own = collected.saturating_add(from_account);
        if self.cash.kind == RailKind::Counter {
            let channel = self.channel;
            organisation::view::require_signed(context, state, channel, Scope::Clerk)?;
            own = from_account;
        }
        match self.payer {
            _ if own.is_zero() => {}
            Party::Organisation(id) => {
                organisation::view::require_signed(context, state, id, Scope::Treasury)?;
            }
            Party::Person(id) => {
                let used = person::view::require_key(context, state, id, own)?;
                person::view::note_key_spending(state, &used)?;
            }
        }
        Ok(())
    }

    /// What all premiums come to, apart into what a rail collects and what the account pays.
    fn amounts(items: &[PaidItem]) -> Result<(Amount, Amount), Rejection> {
        let sum = |of: fn(&PaidItem) -> Amount| {
            Amount::checked_sum(items.iter().map(of))
                .ok_or_else(|| crate::kernel::rejection::kernel::AMOUNT_OVERFLOW.reject())
        };
        let (collected, account) = (sum(PaidItem::collected)?, sum(|item| item.from_account)?);
        require(account.is_zero() || !collected.is_zero(), || rejection::ACCOUNT_PART.reject())?;
        Ok((collected, account))
    }
}

impl Kind for PayPremiums {
    const NUMBER: u16 = 905;
    const NAME: &'static str = "pay_premiums";

    fn check(&self) -> Result<(), Rejection> {
        check_rows(self.items.len())
    }

    fn authorize(&self, context: &Context<'_>, _state: &dyn Read) -> Result<(), Rejection> {
        // How much the payer agreed to is judged with what can be paid.
        let somebody =
            context.has_signed(self.payer) || context.has_signed(Party::Organisation(self.channel));
        require(somebody, || rejection::PAYER_MISSING.reject())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let terms = require_season(state, self.season)?;
        let region = network::view::require_region(state, self.season.region)?;
        let executor = self.cash.executor;
        let is_bank =
            organisation::view::require_active(state, executor)?.kind == OrganisationKind::Bank;
        require(is_bank || executor == terms.collector || executor == region.bureau, || {
            rejection::WRONG_EXECUTOR.with(terms.collector)
        })?;
        self.cash.require_executor(context, state, self.channel)?;
        let day = today(context, state, self.season)?;
        let payment = Effect::reference(context.transaction.id(), EFFECT);
        let (mut results, mut items) = (RowResults::default(), Vec::new());
        for item in &self.items {
            let taken = self.take(context, state, (&terms, day), (item, payment));
            match &taken {
                Ok(paid) => items.push(*paid),
                // Who wants the account to pay a part wants no payment of the others alone.
                Err(rejection) if self.items.len() == 1 || !item.from_account.is_zero() => {
                    return Err(rejection.clone());
                }
                Err(_) => {}
            }
            results.note(&taken);
        }
        require(!items.is_empty(), || rejection::NO_ROW_PAID.reject())?;
        let (amount, account) = Self::amounts(&items)?;
        self.require_payer(context, state, (amount, account))?;
        let payment = PremiumPayment {
            season: self.season,
            payer: self.payer,
            channel: self.channel,
            executor,
            rail: String::from(&*self.cash.rail),
            action: EffectAction::Collect,
            items,
            amount,
            currency: region.currency,
            status: EffectStatus::Pending,
            original: None,
        };
        let mut outcome = results.outcome("premiums_ordered", concerns(&payment, terms.collector));
        let authorisation = self.cash.authorisation;
        let reference = order(context, state, &mut outcome, &payment, authorisation)?;
        let outcome = outcome
            .with("payment", FieldValue::Hash(reference))
            .with("amount", amount_value(amount, region.currency));
        if account.is_zero() {
            return Ok(outcome);
        }
        hold_account_part(context, state, &payment, account)?;
        Ok(outcome.with("personal_account", amount_value(account, region.currency)))
    }
}
