//! Effects: payments outside that a transaction orders, and their one mechanism. The amount is held
//! until the executor's word; the module that ordered keeps a row of its own under the reference.

use alloc::string::String;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, Currency, Hash, OrganisationId, Timestamp, codec, sha256};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::account::Account;
use crate::kernel::context::Context;
use crate::kernel::overlay::Overlay;
use crate::kernel::posting::{self, Entry};
use crate::kernel::receipt::Outcome;
use crate::kernel::rejection::Rejection;

/// Far ahead of any block time: the ledger waits for an executor's word, however long that takes.
pub(crate) const NEVER: Timestamp = Timestamp::from_millis(u64::MAX);

/// What an executor does with its rail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EffectAction {
    /// Capture what the authorisation holds, or take the money where the rail does not hold.
    Collect,
    /// Let an authorisation go that is not needed.
    Release,
    /// Pay money back that was collected under an earlier effect.
    Refund,
    /// Pay money out that no effect collected: what funds owe for a claim.
    PayOut,
}

/// An action outside the ledger. It has exactly one executor: the organisation whose rail
/// authorised it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
pub struct Effect {
    /// Number within the receipt, from zero.
    pub number: u8,
    /// Who executes it.
    pub executor: OrganisationId,
    /// The executor's rail by name.
    pub rail: String,
    /// What to do.
    pub action: EffectAction,
    /// How much.
    pub amount: Amount,
    /// In which currency.
    pub currency: Currency,
    /// The executor's own authorisation: a salted commitment to what its rail answered.
    pub authorisation: Hash,
    /// For a refund: the effect that collected the money.
    pub original: Option<Hash>,
}

impl Effect {
    /// The reference under which the rail knows it: hash of transaction id and effect number. It is
    /// also the id of the hold that waits for it.
    #[must_use]
    pub fn reference(transaction_id: Hash, number: u8) -> Hash {
        sha256(&codec::encode(&("yibao/effect/v1", transaction_id, number)))
    }
}

/// What a rail did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "outcome", deny_unknown_fields)]
pub enum EffectResult {
    /// The money moved.
    Done {
        /// How much: exactly what was ordered.
        amount: Amount,
    },
    /// It did not and will not.
    Failed {
        /// The rail's reason by number; see the rail's documentation.
        reason: u8,
    },
}

/// Where a payment outside stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EffectStatus {
    /// Ordered.
    Pending,
    /// The executor said it is done.
    Done,
    /// The executor said it failed, or nothing was ordered yet; the module that ordered it says
    /// what follows.
    Failed,
    /// Another order took its place.
    Replaced,
}

/// A payment outside to be ordered.
pub(crate) struct NewEffect {
    pub executor: OrganisationId,
    pub rail: String,
    pub action: EffectAction,
    pub amount: Amount,
    pub currency: Currency,
    pub authorisation: Hash,
    pub original: Option<Hash>,
    /// What moves when the executor says that it is done: debit and credit.
    pub entry: (Account, Account),
}

/// Holds what moves until the executor's word, and adds the effect to the outcome. Gives the
/// effect's reference.
///
/// # Errors
/// As [`posting::hold`].
pub(crate) fn order(
    context: &Context<'_>,
    state: &mut Overlay<'_>,
    outcome: &mut Outcome,
    new: NewEffect,
) -> Result<Hash, Rejection> {
    let number = u8::try_from(outcome.effects.len()).unwrap_or(u8::MAX);
    let reference = Effect::reference(context.transaction.id(), number);
    let (debit, credit) = new.entry;
    let entry = Entry { debit, credit, amount: new.amount };
    posting::hold(state, context.time, reference, new.currency, entry, NEVER)?;
    outcome.effects.push(Effect {
        number,
        executor: new.executor,
        rail: new.rail,
        action: new.action,
        amount: new.amount,
        currency: new.currency,
        authorisation: new.authorisation,
        original: new.original,
    });
    Ok(reference)
}
