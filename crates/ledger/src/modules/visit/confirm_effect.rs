//! The executor's word on a payment outside.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Hash, Party, detail};
use proof::receipt::FieldValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rejection;
use super::table::{EFFECTS, EffectRow};
use crate::kernel::account::Account;
use crate::kernel::context::Context;
use crate::kernel::effect::{EffectAction, EffectResult, EffectStatus};
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::posting::{self, Entry};
use crate::kernel::receipt::Outcome;
use crate::kernel::receipt::amount_value;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::organisation::{self, Scope};
use crate::modules::{self, claim, premium};

/// Says what became of an ordered payment: done posts it, failed puts it on the provider's worklist
/// (a claim on the patient, or a debt to the patient), makes the premiums due again, or leaves a
/// claim's payout owed. It never undoes a settlement. Signed by the executor with scope `execute`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmEffect {
    /// The payment's reference.
    pub effect: Hash,
    /// What became of it.
    pub result: EffectResult,
    /// A salted commitment to the rail's own reference.
    pub rail_reference: Hash,
}

impl Kind for ConfirmEffect {
    const NUMBER: u16 = 710;
    const NAME: &'static str = "confirm_effect";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        let executor = modules::awaited_executor(state, &self.effect)
            .ok_or_else(|| rejection::EFFECT_NOT_PENDING.with(self.effect))?;
        organisation::view::require_signed(context, state, executor, Scope::Execute).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        if let Some(outcome) = premium::view::confirm(context, state, &self.effect, self.result)? {
            return Ok(outcome);
        }
        if let Some(outcome) = claim::view::confirm(context, state, &self.effect, self.result)? {
            return Ok(outcome);
        }
        let mut row = require_pending(state, &self.effect)?;
        let name = match self.result {
            EffectResult::Done { amount } => {
                require(amount == row.amount, || {
                    rejection::AMOUNT_DIFFERS.with(detail!(
                        "{ordered} were ordered",
                        ordered = (row.amount, row.currency)
                    ))
                })?;
                posting::post_hold(state, context.time, &self.effect, amount)?;
                row.status = EffectStatus::Done;
                if row.action == EffectAction::Collect {
                    row.refundable = amount;
                    "payment_collected"
                } else {
                    "payment_refunded"
                }
            }
            EffectResult::Failed { .. } => {
                self.note_failure(context, state, &mut row)?;
                "payment_failed"
            }
        };
        EFFECTS.put(state, &self.effect, &row);
        let concerns = [
            Party::Organisation(row.provider),
            Party::Organisation(row.executor),
            Party::Person(row.person),
        ];
        Ok(Outcome::event(name, concerns)
            .with("effect", FieldValue::Hash(self.effect))
            .with("amount", amount_value(row.amount, row.currency)))
    }
}

impl ConfirmEffect {
    /// Puts a failed payment on the provider's worklist. A failed deposit was never anybody's
    /// money.
    fn note_failure(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
        row: &mut EffectRow,
    ) -> Result<(), Rejection> {
        let held = posting::held(state, &self.effect)
            .ok_or_else(|| rejection::EFFECT_NOT_PENDING.with(self.effect))?;
        posting::void_hold(state, &self.effect)?;
        row.status = EffectStatus::Failed;
        let Entry { debit, credit, amount } = held.entry;
        let entry = match (row.action, debit, credit) {
            (EffectAction::Collect, _, Account::ProviderCash(books)) => {
                row.refundable = amount;
                Some(Entry { debit: Account::Receivable(books), credit, amount })
            }
            (EffectAction::Collect, _, Account::Receivable(_)) => {
                row.refundable = amount;
                None
            }
            (EffectAction::Refund, Account::OwedToPatients(_), _) => None,
            (EffectAction::Refund, _, _) => {
                Some(Entry { debit, credit: Account::OwedToPatients(row.books()), amount })
            }
            _ => None,
        };
        match entry {
            Some(entry) => posting::post(state, context.time, row.currency, &[entry]),
            None => Ok(()),
        }
    }
}

/// An ordered payment that waits for its executor's word.
///
/// # Errors
/// `effect_not_pending`.
pub(super) fn require_pending(
    state: &(impl Read + ?Sized),
    reference: &Hash,
) -> Result<EffectRow, Rejection> {
    EFFECTS
        .get(state, reference)
        .filter(|row| row.status == EffectStatus::Pending)
        .ok_or_else(|| rejection::EFFECT_NOT_PENDING.with(reference))
}
