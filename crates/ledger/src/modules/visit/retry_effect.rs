//! A new order for a payment that failed.

use alloc::string::String;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, Hash, Party, detail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cash::CashLeg;
use super::consent::{Consent, Whose};
use super::money::{Order, order};
use super::rejection;
use super::signing::require_provider;
use super::table::{EFFECTS, EffectRow};
use crate::kernel::account::{Account, Books};
use crate::kernel::context::Context;
use crate::kernel::effect::{EffectAction, EffectStatus};
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::organisation::Scope;

/// Works off a provider's worklist: a failed collection is collected anew (with the person's
/// consent), a failed refund is paid again, on another rail if need be. Signed by the provider with
/// scope `settle`, or by the bureau with scope `countersign` while the provider is suspended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RetryEffect {
    /// The payment that failed.
    pub effect: Hash,
    /// How it is done now.
    pub cash: CashLeg,
    /// Who agrees to pay; needed for a collection.
    #[serde(default)]
    pub consent: Option<Consent>,
}

impl Kind for RetryEffect {
    const NUMBER: u16 = 712;
    const NAME: &'static str = "retry_effect";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        let row = require_failed(state, &self.effect)?;
        require_provider(context, state, (row.provider, row.region), Scope::Settle)
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let mut row = require_failed(state, &self.effect)?;
        self.cash.require_executor(context, state, row.provider)?;
        let rail = Account::Rail(Books::of(self.cash.executor, row.region));
        let (amount, entry) = match row.action {
            EffectAction::Collect => {
                let consent = self.consent.ok_or_else(|| {
                    rejection::CONSENT_TOO_WEAK
                        .with(detail!("a collection needs the person's consent"))
                })?;
                let who = Whose { person: row.person, region: row.region, visit_type: None };
                let cash = (row.refundable, Some(&self.cash));
                consent.require(context, state, who, Amount::ZERO, cash)?;
                (row.refundable, (rail, Account::Receivable(row.books())))
            }
            EffectAction::Refund | EffectAction::Release | EffectAction::PayOut => {
                (row.amount, (Account::OwedToPatients(row.books()), rail))
            }
        };
        let concerns = [Party::Organisation(row.provider), Party::Person(row.person)];
        let mut outcome = Outcome::event("payment_ordered_again", concerns);
        let new = Order {
            visit: row.visit,
            parties: (&row).into(),
            executor: self.cash.executor,
            rail: String::from(&*self.cash.rail),
            authorisation: self.cash.authorisation,
            action: row.action,
            amount,
            currency: row.currency,
            original: Some(self.effect),
            entry,
        };
        row.replaced_by = Some(order(context, state, &mut outcome, new)?);
        row.status = EffectStatus::Replaced;
        EFFECTS.put(state, &self.effect, &row);
        Ok(outcome)
    }
}

/// A payment that failed and was not ordered again.
fn require_failed(state: &(impl Read + ?Sized), reference: &Hash) -> Result<EffectRow, Rejection> {
    let row = EFFECTS
        .get(state, reference)
        .filter(|row| row.status == EffectStatus::Failed)
        .ok_or_else(|| rejection::EFFECT_NOT_PENDING.with(reference))?;
    let settled = row.action == EffectAction::Collect && row.refundable.is_zero();
    require(!settled, || {
        rejection::EFFECT_NOT_PENDING.with(detail!("nothing of it is due any more"))
    })?;
    Ok(row)
}
