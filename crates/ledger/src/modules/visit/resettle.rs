//! What refund and correction share: the settlement reversed in full, then the new bill adjudicated
//! under the original plan versions on the running amounts as they are now less the original's.
//! Later settlements stay as they are.

use alloc::string::String;
use alloc::vec::Vec;
use benefit::CategorySums;
use primitives::{Amount, Hash, Party, Timestamp, codec};
use proof::receipt::FieldValue;

use super::consent::Consent;
use super::money::{
    self, CashLeg, GiveBack, Order, fund_entries, order, require_same_split, reversed,
};
use super::quote::{Quote, QuoteRequest, Split, quote};
use super::table::{SettlementRecord, VISITS, VisitRow};
use super::{rejection, view};
use crate::kernel::account::{Account, Books};
use crate::kernel::context::{Context, PlanMemo};
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::posting;
use crate::kernel::receipt::{EffectAction, Outcome, amount_value};
use crate::kernel::rejection::{Rejection, require};
use crate::modules::{coverage, network, voucher};

/// What a settlement becomes.
pub(super) struct Resettlement<'a> {
    pub event: &'static str,
    pub original: &'a SettlementRecord,
    pub bill: Hash,
    pub sums: &'a CategorySums,
    pub split: &'a Split,
    pub cash: Option<&'a CashLeg>,
    pub consent: Option<Consent>,
    /// A refund keeps the facts of the original; a correction asks for them again.
    pub keep_facts: bool,
}

impl Resettlement<'_> {
    pub(super) fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let mut settled = view::require_record(state, self.original)?;
        let subject = &self.original.subject;
        money::require_confirmed(state, &self.original.collected, rejection::CASH_PENDING)?;
        let currency = network::view::require_region(state, subject.region)?.currency;
        let taken = fund_entries(state, subject, &self.original.parts)?;
        posting::post(state, context.time, currency, &reversed(&taken))?;
        let quoted = self.quote(context, state)?;
        require_same_split(self.split, &quoted.split)?;
        let given = fund_entries(state, subject, &quoted.parts)?;
        posting::post(state, context.time, currency, &given)?;
        let mut outcome = self.outcome(context, state, &quoted)?;
        let collected = self.settle_difference(context, state, &mut outcome, &quoted)?;
        view::set_accumulators(context, state, subject, &quoted.accumulators)?;
        let own = quoted.split.personal_account.saturating_add(quoted.split.cash);
        voucher::adjust_settlement(state, self.original.transaction_id, own)?;
        let record = SettlementRecord {
            bill: self.bill,
            sums: self.sums.clone(),
            parts: quoted.parts,
            collected,
            ..self.original.clone()
        };
        settled.record = record.hash();
        settled.revision = settled.revision.saturating_add(1);
        VISITS.put(state, &self.original.visit, &VisitRow::Settled(settled));
        outcome.witness = codec::encode(&record);
        Ok(outcome)
    }

    fn quote(&self, context: &Context<'_>, state: &Overlay<'_>) -> Result<Quote, Rejection> {
        let available = view::personal_account(state, self.original.subject.person, context.time);
        requote(state, context.plans, self.original, self.sums, self.keep_facts, available)
    }

    fn outcome(
        &self,
        context: &Context<'_>,
        state: &Overlay<'_>,
        quoted: &Quote,
    ) -> Result<Outcome, Rejection> {
        let subject = &self.original.subject;
        let mut concerns = money::paying_organisations(state, subject, &self.original.parts)?;
        concerns.push(Party::Organisation(subject.provider));
        concerns.push(Party::Person(subject.person));
        let before = self.original.total();
        let refunded = before.saturating_sub(quoted.split.total);
        let outcome = Outcome::event(self.event, concerns)
            .with("original", FieldValue::Hash(self.original.transaction_id))
            .with("changed_on", FieldValue::Timestamp(context.time))
            .with("refunded", amount_value(refunded, quoted.currency));
        Ok(money::split_fields(outcome, &quoted.split, quoted.currency))
    }

    /// Gives cash back that is no longer due, or orders what is due more. More money of the person
    /// needs consent.
    fn settle_difference(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
        outcome: &mut Outcome,
        quoted: &Quote,
    ) -> Result<Vec<Hash>, Rejection> {
        let subject = &self.original.subject;
        let (before, now) = (self.original.cash(), quoted.split.cash);
        let more_account =
            quoted.split.personal_account.saturating_sub(self.original.personal_account());
        let more_cash = now.saturating_sub(before);
        let mut collected = self.original.collected.clone();
        require(more_cash.is_zero() == self.cash.is_none(), || {
            rejection::CASH_LEG_MISMATCH.with(format_args!("{} more is due", more_cash.minor()))
        })?;
        if !more_account.is_zero() || !more_cash.is_zero() {
            let consent = self.consent.ok_or_else(|| {
                rejection::CONSENT_TOO_WEAK
                    .with("more money of the person is due; a consent is needed")
            })?;
            let who = (subject.person, subject.region);
            consent.require(context, state, who, more_account, more_cash)?;
        }
        let money = Account::ProviderCash(subject.books());
        let back = GiveBack {
            visit: self.original.visit,
            subject,
            amount: before.saturating_sub(now),
            currency: quoted.currency,
            collected: &collected,
            from: money,
        };
        money::give_back(context, state, outcome, &back)?;
        if let Some(leg) = self.cash {
            leg.require_executor(context, state, subject.provider)?;
            let new = Order {
                visit: self.original.visit,
                parties: subject.into(),
                executor: leg.executor,
                rail: String::from(&*leg.rail),
                authorisation: leg.authorisation,
                action: EffectAction::Collect,
                amount: more_cash,
                currency: quoted.currency,
                original: None,
                entry: (Account::Rail(Books::of(leg.executor, subject.region)), money),
            };
            collected.push(order(context, state, outcome, new)?);
        }
        Ok(collected)
    }
}

/// The split of what remains after a refund, as [`super::RefundVisit`] will compute it: original
/// plans and facts, the personal account and the running amounts as they are now less the
/// original's.
///
/// # Errors
/// As [`quote`].
pub fn quote_remaining(
    state: &(impl Read + ?Sized),
    plans: &PlanMemo,
    original: &SettlementRecord,
    remaining: &CategorySums,
    now: Timestamp,
) -> Result<Split, Rejection> {
    let available = view::personal_account(state, original.subject.person, now)
        .saturating_add(original.personal_account());
    Ok(requote(state, plans, original, remaining, true, available)?.split)
}

fn requote(
    state: &(impl Read + ?Sized),
    plans: &PlanMemo,
    original: &SettlementRecord,
    sums: &CategorySums,
    keep_facts: bool,
    personal_account: Amount,
) -> Result<Quote, Rejection> {
    let subject = &original.subject;
    let (person, region) = (subject.person, subject.region);
    let mut accumulators = coverage::view::accumulators(state, person, region, subject.scheme);
    for part in original.parts.iter().rev() {
        let changes = part.adjudication.changes.iter();
        let lasting: Vec<_> =
            changes.filter(|change| !change.key.period.is_visit()).copied().collect();
        accumulators.undo(&lasting).map_err(|error| rejection::NOT_ADJUDICABLE.with(error))?;
    }
    let request = QuoteRequest {
        subject,
        sums,
        use_personal_account: original.use_personal_account,
        personal_account,
        accumulators,
        keep_plans_of: &original.parts,
        keep_facts,
    };
    quote(state, plans, request)
}

impl SettlementRecord {
    /// What the bill charges.
    #[must_use]
    pub fn total(&self) -> Amount {
        self.sums.total()
    }

    /// What the personal account paid.
    #[must_use]
    pub fn personal_account(&self) -> Amount {
        let paid = self.parts.iter().map(|part| part.adjudication.personal_account);
        paid.fold(Amount::ZERO, Amount::saturating_add)
    }
}
