//! The bureau takes over a payment that its executor leaves open.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Hash, Party, Text, detail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::confirm_effect::require_pending;
use super::money::{Order, order};
use super::rejection;
use super::table::EFFECTS;
use crate::kernel::account::{Account, Books};
use crate::kernel::context::Context;
use crate::kernel::effect::EffectStatus;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::posting;
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::network;
use crate::modules::organisation::{self, Scope};

/// Milliseconds of an hour.
const HOUR_MILLIS: u64 = 3_600_000;

/// Takes over an ordered payment after the region's deadline: the bureau becomes its one executor.
/// It must ask the old executor's rail first and says with the commitment what it heard. Signed by
/// the bureau with scope `execute`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TakeOverEffect {
    /// The payment.
    pub effect: Hash,
    /// The bureau's rail for it.
    pub rail: Text<16>,
    /// A salted commitment to what the old rail answered when it was asked.
    pub answer: Hash,
}

impl Kind for TakeOverEffect {
    const NUMBER: u16 = 713;
    const NAME: &'static str = "take_over_effect";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        let row = require_pending(state, &self.effect)?;
        let bureau = network::view::require_region(state, row.region)?.bureau;
        organisation::view::require_signed(context, state, bureau, Scope::Execute).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let mut row = require_pending(state, &self.effect)?;
        let region = network::view::require_region(state, row.region)?;
        let hours = u64::from(region.settings.effect_takeover_hours);
        let deadline = row.ordered.plus_millis(hours.saturating_mul(HOUR_MILLIS));
        require(deadline <= context.time, || {
            rejection::TAKEOVER_TOO_EARLY.with(detail!("until {until}", until = deadline))
        })?;
        let held = posting::held(state, &self.effect)
            .ok_or_else(|| rejection::EFFECT_NOT_PENDING.with(self.effect))?;
        posting::void_hold(state, &self.effect)?;
        let own = |account: Account| match account {
            Account::Rail(books) => Account::Rail(Books::of(region.bureau, books.region)),
            other => other,
        };
        let concerns = [
            Party::Organisation(row.provider),
            Party::Organisation(row.executor),
            Party::Organisation(region.bureau),
            Party::Person(row.person),
        ];
        let mut outcome = Outcome::event("payment_taken_over", concerns);
        let new = Order {
            visit: row.visit,
            parties: (&row).into(),
            executor: region.bureau,
            rail: alloc::string::String::from(&*self.rail),
            authorisation: self.answer,
            action: row.action,
            amount: row.amount,
            currency: row.currency,
            original: Some(self.effect),
            entry: (own(held.entry.debit), own(held.entry.credit)),
        };
        row.replaced_by = Some(order(context, state, &mut outcome, new)?);
        row.status = EffectStatus::Replaced;
        EFFECTS.put(state, &self.effect, &row);
        Ok(outcome)
    }
}
