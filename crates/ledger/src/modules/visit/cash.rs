//! Cash: how it is collected, and what becomes of it when nothing is collected yet.

use alloc::string::String;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, Currency, Hash, OrganisationId, Party, Text, VisitId, detail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::consent::Consent;
use super::money::{Order, order};
use super::rejection;
use super::table::{EFFECTS, EffectRow, VisitSubject};
use crate::kernel::account::{Account, Books};
use crate::kernel::context::Context;
use crate::kernel::effect::{Effect, EffectAction, EffectStatus};
use crate::kernel::overlay::Overlay;
use crate::kernel::posting::{self, Entry};
use crate::kernel::receipt::Outcome;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::organisation::{self, OrganisationKind, Scope};

/// How money leaves the person's hands on a rail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RailKind {
    /// It is taken from something bound to the person: a card, a bank account, a wallet. The
    /// stricter kind, and so the one that counts when none is said.
    #[default]
    Bound,
    /// Somebody hands it over a counter to a clerk of a provider or a bureau.
    Counter,
}

/// How cash is collected: who executes it on which rail, and what that rail answered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CashLeg {
    /// The organisation whose rail authorised the payment: the provider itself, or one that signs
    /// too.
    pub executor: OrganisationId,
    /// The executor's rail by name, such as `sandbox_bank` or `counter`.
    pub rail: Text<16>,
    /// What kind of rail it is; the executor answers for it.
    #[serde(default)]
    pub kind: RailKind,
    /// A salted commitment to the rail's authorisation or payment note.
    pub authorisation: Hash,
}

impl CashLeg {
    /// An executor other than the provider that signs signs with scope `execute`; a counter is a
    /// provider's or a bureau's.
    pub(crate) fn require_executor(
        &self,
        context: &Context<'_>,
        state: &Overlay<'_>,
        provider: OrganisationId,
    ) -> Result<(), Rejection> {
        let executor = organisation::view::require_active(state, self.executor)?;
        let has_counter =
            matches!(executor.kind, OrganisationKind::Provider | OrganisationKind::Bureau);
        require(self.kind == RailKind::Bound || has_counter, || {
            rejection::NO_COUNTER.with(self.executor)
        })?;
        if self.executor == provider && context.has_signed(Party::Organisation(provider)) {
            return Ok(());
        }
        organisation::view::require_signed(context, state, self.executor, Scope::Execute)
            .map(|_| ())
    }
}

/// The cash that is due: collected on a rail, or left as a receivable where organisations alone
/// agreed and no leg is given.
pub(super) struct CashDue<'a> {
    pub visit: VisitId,
    pub subject: &'a VisitSubject,
    pub amount: Amount,
    pub currency: Currency,
    pub leg: Option<&'a CashLeg>,
    pub consent: Consent,
}

/// Orders the collection of cash that is due, or notes the receivable. Gives the reference, if
/// anything is due.
pub(super) fn collect(
    context: &Context<'_>,
    state: &mut Overlay<'_>,
    outcome: &mut Outcome,
    due: &CashDue<'_>,
) -> Result<Option<Hash>, Rejection> {
    let (subject, amount, currency) = (due.subject, due.amount, due.currency);
    let mismatch =
        || rejection::CASH_LEG_MISMATCH.with(detail!("{due} are due", due = (amount, currency)));
    match due.leg {
        None if amount.is_zero() => Ok(None),
        Some(_) if amount.is_zero() => Err(mismatch()),
        None => {
            require(due.consent.is_given_by_others(), mismatch)?;
            note_receivable(context, state, due.visit, subject, (amount, currency)).map(Some)
        }
        Some(leg) => {
            leg.require_executor(context, state, subject.provider)?;
            let new = Order {
                visit: due.visit,
                parties: subject.into(),
                executor: leg.executor,
                rail: String::from(&*leg.rail),
                authorisation: leg.authorisation,
                action: EffectAction::Collect,
                amount,
                currency,
                original: None,
                entry: (
                    Account::Rail(Books::of(leg.executor, subject.region)),
                    Account::ProviderCash(subject.books()),
                ),
            };
            order(context, state, outcome, new).map(Some)
        }
    }
}

/// The number of a receivable among a transaction's effects: far above those of its orders.
const RECEIVABLE_NUMBER: u8 = u8::MAX;

/// Notes cash that is due and that no rail was told to collect: it stands on the provider's
/// worklist like a payment that failed, until it is ordered with [`super::RetryEffect`] or
/// refunded. Gives its reference.
fn note_receivable(
    context: &Context<'_>,
    state: &mut Overlay<'_>,
    visit: VisitId,
    subject: &VisitSubject,
    (amount, currency): (Amount, Currency),
) -> Result<Hash, Rejection> {
    let reference = Effect::reference(context.transaction.id(), RECEIVABLE_NUMBER);
    let debit = Account::Receivable(subject.books());
    let entry = Entry { debit, credit: Account::ProviderCash(subject.books()), amount };
    posting::post(state, context.time, currency, &[entry])?;
    let row = EffectRow {
        visit,
        provider: subject.provider,
        person: subject.person,
        region: subject.region,
        executor: subject.provider,
        rail: String::new(),
        action: EffectAction::Collect,
        amount,
        currency,
        ordered: context.time,
        status: EffectStatus::Failed,
        refundable: amount,
        replaced_by: None,
    };
    EFFECTS.put(state, &reference, &row);
    Ok(reference)
}
