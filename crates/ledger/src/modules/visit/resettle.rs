//! What refund and correction share: the new bill adjudicated under the original plan versions on
//! the running amounts as they are now less the original's. What the original moved and what the
//! new split moves are set against each other and only the difference is posted. Later settlements
//! stay as they are, unless the person takes what [`super::later`] offers.

use alloc::{collections::BTreeMap, sync::Arc, vec::Vec};
use benefit::{AccumulatorChange, Accumulators, CategorySums, FamilyGrant, Payer, Plan};
use primitives::{Amount, CivilDate, FamilyId, Hash, Party, Timestamp, codec, detail};
use proof::receipt::FieldValue;

use super::cash::{CashDue, CashLeg, collect};
use super::consent::{Consent, Whose};
use super::money::{self, GiveBack, aid_of, fund_entries, require_same_split};
use super::quote::{Part, Quote, QuoteRequest, Split, adjudicate_parts, plans_in_force, quote};
use super::table::{Contest, SettledVisit, SettlementRecord, VISITS, VisitRow};
use super::{rejection, view};
use crate::kernel::account::{Account, RegionPair};
use crate::kernel::context::{Context, PlanMemo};
use crate::kernel::overlay::{Base, Overlay, Read};
use crate::kernel::receipt::{Outcome, amount_value};
use crate::kernel::rejection::Rejection;
use crate::modules::coverage::view::RunningAmounts;
use crate::modules::plan::PlanRef;
use crate::modules::{coverage, family, interregion, network, plan, voucher};

/// What a settlement becomes.
pub(super) struct Resettlement<'a> {
    pub event: &'static str,
    pub original: &'a SettlementRecord,
    pub bill: Hash,
    pub sums: &'a CategorySums,
    pub split: &'a Split,
    pub cash: Option<&'a CashLeg>,
    pub change: Change,
}

/// Why it becomes something else.
#[derive(Clone, Copy)]
pub(super) enum Change {
    /// Lines are given back: the facts stay, and nobody is asked unless more is due.
    Refund(Option<Consent>),
    /// Another bill takes its place: the facts are asked for again, and the consent is new.
    Correction(Consent),
}

impl Change {
    const fn keeps_facts(self) -> bool {
        matches!(self, Self::Refund(_))
    }

    const fn consent(self) -> Option<Consent> {
        match self {
            Self::Refund(consent) => consent,
            Self::Correction(consent) => Some(consent),
        }
    }

    /// The consent under which the settlement stands afterwards. A refund that takes more of the
    /// person by others' word is contestable; one that the person agrees to does not heal what
    /// others agreed to before.
    fn consent_afterwards(self, original: Consent, takes_more: bool) -> Consent {
        match self {
            Self::Correction(consent) => consent,
            Self::Refund(consent) => consent
                .filter(|consent| takes_more && consent.is_given_by_others())
                .unwrap_or(original),
        }
    }
}

/// What the person has to pay more than before.
#[derive(Clone, Copy)]
struct More {
    account: Amount,
    cash: Amount,
}

impl More {
    const fn is_nothing(self) -> bool {
        self.account.is_zero() && self.cash.is_zero()
    }
}

impl Resettlement<'_> {
    pub(super) fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let settled = view::require_record(state, self.original)?;
        let subject = &self.original.subject;
        money::require_confirmed(state, &self.original.collected, rejection::CASH_PENDING)?;
        let currency = network::view::require_region(state, subject.region)?.currency;
        plan::take_back(state, self.original, context.time)?;
        let quoted = self.quote(context, state)?;
        require_same_split(self.split, &quoted.split, quoted.currency)?;
        let cleared = interregion::view::cleared(state, self.original.visit);
        let taken = fund_entries(state, subject, &self.original.parts, cleared)?;
        let given = fund_entries(state, subject, &quoted.parts, cleared)?;
        let entries = money::net_entries(&taken, &given);
        let visit = (self.original.visit, subject.provider);
        money::post_shares(context, state, visit, (&entries, currency), cleared)?;
        let more = self.more(&quoted);
        let consent = self.change.consent_afterwards(self.original.consent, !more.is_nothing());
        let mut outcome = self.outcome(context, state, (&quoted, consent), cleared)?;
        let collected = self.settle_difference(context, state, &mut outcome, (&quoted, more))?;
        view::set_running_amounts(context, state, subject, &quoted.accumulators)?;
        let own = quoted.split.own_share();
        voucher::adjust_settlement(state, self.original.transaction_id, own)?;
        self.return_aid(state, &quoted, settled.settled);
        let record = SettlementRecord {
            bill: self.bill,
            sums: self.sums.clone(),
            parts: quoted.parts,
            consent,
            collected,
            ..self.original.clone()
        };
        let settled = revised(settled, &record, context.time);
        VISITS.put(state, &self.original.visit, &VisitRow::Settled(settled));
        outcome.witness = codec::encode(&record);
        Ok(outcome)
    }

    fn quote(&self, context: &Context<'_>, state: &Overlay<'_>) -> Result<Quote, Rejection> {
        let (original, keeps_facts) = (self.original, self.change.keeps_facts());
        requote(state, context.plans, original, (self.sums, keeps_facts), context.time)
    }

    /// Notes what comes back to relatives' accounts. No grant pays more than it did: what a change
    /// takes more is asked of the person.
    fn return_aid(&self, state: &mut Overlay<'_>, quoted: &Quote, settled: Timestamp) {
        let mut returned = aid_of(&self.original.parts);
        for (grant, amount) in aid_of(&quoted.parts) {
            let before = returned.get_mut(&grant).expect("only grants that paid are offered again");
            *before = before.checked_sub(amount).expect("a grant offers what it paid at the most");
        }
        returned.retain(|_, amount| !amount.is_zero());
        let of = (self.original.subject.person, self.original.transaction_id);
        family::view::note_returned(state, of, &returned, settled);
    }

    fn more(&self, quoted: &Quote) -> More {
        let split = &quoted.split;
        More {
            account: split.personal_account.saturating_sub(self.original.personal_account()),
            cash: split.cash.saturating_sub(self.original.cash()),
        }
    }

    fn outcome(
        &self,
        context: &Context<'_>,
        state: &Overlay<'_>,
        (quoted, consent): (&Quote, Consent),
        cleared: Option<RegionPair>,
    ) -> Result<Outcome, Rejection> {
        let subject = &self.original.subject;
        let mut concerns = money::paying_organisations(state, subject, &self.original.parts)?;
        concerns.push(Party::Organisation(subject.provider));
        concerns.push(Party::Person(subject.person));
        concerns.extend(money::advancing_bureau(state, cleared)?);
        let before = self.original.total();
        let refunded = before.saturating_sub(quoted.split.total);
        let outcome = Outcome::event(self.event, concerns)
            .with("original", FieldValue::Hash(self.original.transaction_id))
            .with("changed_on", FieldValue::Timestamp(context.time))
            .with("refunded", amount_value(refunded, quoted.currency))
            .with("consent", consent.field()?);
        Ok(money::split_fields(outcome, &quoted.split, quoted.currency))
    }

    /// Gives cash back that is no longer due, or orders what is due more. More money of the person
    /// needs consent.
    fn settle_difference(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
        outcome: &mut Outcome,
        (quoted, more): (&Quote, More),
    ) -> Result<Vec<Hash>, Rejection> {
        let (original, subject) = (self.original, &self.original.subject);
        let (visit, currency) = (original.visit, quoted.currency);
        let mut collected = original.collected.clone();
        let consent = self.change.consent();
        if !more.is_nothing() {
            let consent = consent.ok_or_else(|| {
                rejection::CONSENT_TOO_WEAK
                    .with(detail!("more money of the person is due; a consent is needed"))
            })?;
            let who = Whose::of(subject);
            consent.require(context, state, who, more.account, (more.cash, self.cash))?;
        }
        let back = GiveBack {
            visit,
            subject,
            amount: original.cash().saturating_sub(quoted.split.cash),
            currency,
            collected: &collected,
            from: Account::ProviderCash(subject.books()),
        };
        money::give_back(context, state, outcome, &back)?;
        let due = CashDue {
            visit,
            subject,
            amount: more.cash,
            currency,
            leg: self.cash,
            consent: consent.unwrap_or(original.consent),
        };
        collected.extend(collect(context, state, outcome, &due)?);
        Ok(collected)
    }
}

/// The settlement after a change: what stands now may be objected to and contested from now on. A
/// contest stays open only while others' consent stands; what an objection was upheld for is done.
fn revised(before: SettledVisit, record: &SettlementRecord, now: Timestamp) -> SettledVisit {
    let is_contestable = record.consent.is_given_by_others() && !record.total().is_zero();
    SettledVisit {
        record: record.hash(),
        revision: before.revision.saturating_add(1),
        revised: now,
        objection: before.objection.filter(|objection| !objection.upheld),
        contest: before
            .contest
            .filter(|contest| is_contestable && matches!(contest, Contest::Open { .. })),
        ..before
    }
}

/// The split of what remains after a refund, as [`super::RefundVisit`] will compute it: original
/// plans and facts, the personal account and the running amounts as they are now less the
/// original's. A difference that is booked for it is taken back before.
///
/// # Errors
/// As [`quote`], and as [`super::RefundVisit`] where a difference is booked.
pub fn quote_remaining(
    state: &dyn Base,
    plans: &PlanMemo,
    original: &SettlementRecord,
    remaining: &CategorySums,
    now: Timestamp,
) -> Result<Split, Rejection> {
    let mut overlay = Overlay::new(state);
    plan::take_back(&mut overlay, original, now)?;
    Ok(requote(&overlay, plans, original, (remaining, true), now)?.split)
}

/// The split of a corrected bill, as [`super::SupersedeSettlement`] will compute it: original plan
/// versions, the facts as they are attested now, the personal account and the running amounts as
/// they are now less the original's. A difference that is booked for it is taken back before.
///
/// # Errors
/// As [`quote_remaining`].
pub fn quote_corrected(
    state: &dyn Base,
    plans: &PlanMemo,
    original: &SettlementRecord,
    sums: &CategorySums,
    now: Timestamp,
) -> Result<Split, Rejection> {
    let mut overlay = Overlay::new(state);
    plan::take_back(&mut overlay, original, now)?;
    Ok(requote(&overlay, plans, original, (sums, false), now)?.split)
}

/// A settlement adjudicated once more as it was: under its plan versions, with its facts and what
/// its accounts could pay, on these running amounts. An audit compares the two.
///
/// # Errors
/// As [`quote`].
pub fn quote_as_settled(
    state: &dyn Base,
    plans: &PlanMemo,
    original: &SettlementRecord,
    sums: &CategorySums,
    accumulators: RunningAmounts,
) -> Result<Quote, Rejection> {
    quote(&Overlay::new(state), plans, as_settled(original, sums, accumulators))
}

/// The question that a settlement answered.
fn as_settled<'a>(
    original: &'a SettlementRecord,
    sums: &'a CategorySums,
    accumulators: RunningAmounts,
) -> QuoteRequest<'a> {
    let facts = original.parts.first().map(|part| &part.facts);
    QuoteRequest {
        subject: &original.subject,
        sums,
        use_personal_account: original.use_personal_account,
        personal_account: facts.map_or(Amount::ZERO, |facts| facts.personal_account),
        family_accounts: facts.map_or_else(Vec::new, |facts| facts.family_accounts.clone()),
        accumulators,
        keep_plans_of: &original.parts,
        keep_facts: true,
    }
}

/// The same as [`quote_as_settled`] without a ledger: whoever holds the record, the plans that it
/// names and what had been used up before computes the parts by the same steps. A settlement on a
/// family's running amounts is not computed in this way: they are shared, and stand nowhere else.
///
/// # Errors
/// `unknown_plan_version` for a plan or a day that is not among them; why the plan cannot decide.
pub fn recompute(
    original: &SettlementRecord,
    sums: &CategorySums,
    before: &Accumulators,
    plans: &BTreeMap<Hash, Arc<Plan>>,
) -> Result<Vec<Part>, Rejection> {
    let mut amounts = RunningAmounts::none(original.subject.scheme);
    amounts.keep(None, before);
    let request = as_settled(original, sums, amounts);
    let unknown = || plan::rejection::UNKNOWN_VERSION.reject();
    let kept = |day: CivilDate| {
        let part = original.parts.iter().find(|part| part.plan.period.contains(day));
        let named = part.ok_or_else(unknown)?.plan;
        let plan = plans.get(&named.hash).ok_or_else(unknown)?;
        Ok((named, Arc::clone(plan)))
    };
    let facts = |named: &PlanRef, _: &CategorySums| {
        let part = original.parts.iter().find(|part| part.plan == *named);
        let part = part.filter(|part| part.family.is_none()).ok_or_else(unknown)?;
        Ok((part.facts.clone(), None))
    };
    let own = |amounts: &mut RunningAmounts, _| amounts.own().clone();
    let in_force = plans_in_force(&request, kept)?;
    adjudicate_parts(&request, &in_force, facts, own).map(|(parts, _)| parts)
}

pub(super) fn requote(
    state: &(impl Read + ?Sized),
    plans: &PlanMemo,
    original: &SettlementRecord,
    (sums, keep_facts): (&CategorySums, bool),
    now: Timestamp,
) -> Result<Quote, Rejection> {
    let counted = original.parts.iter();
    let counted = counted.map(|part| (part.family, part.adjudication.changes.as_slice()));
    let accumulators = amounts_without(state, original, counted, now)?;
    requote_on(state, plans, original, (sums, keep_facts), (accumulators, now))
}

/// As [`requote`], on running amounts that do not count the settlement.
pub(super) fn requote_on(
    state: &(impl Read + ?Sized),
    plans: &PlanMemo,
    original: &SettlementRecord,
    (sums, keep_facts): (&CategorySums, bool),
    (accumulators, now): (RunningAmounts, Timestamp),
) -> Result<Quote, Rejection> {
    let subject = &original.subject;
    let family_accounts = original.aid_again();
    // Where relatives helped, the own account had nothing left to give: money that came in since
    // does not take their place, so that what is given back goes back to where it came from.
    let new = if keep_facts && !family_accounts.is_empty() {
        Amount::ZERO
    } else {
        view::personal_account(state, subject.person, now)
    };
    let request = QuoteRequest {
        subject,
        sums,
        use_personal_account: original.use_personal_account,
        personal_account: new.saturating_add(original.personal_account()),
        family_accounts,
        accumulators,
        keep_plans_of: &original.parts,
        keep_facts,
    };
    quote(state, plans, request)
}

/// The running amounts as they are now, less what a settlement's parts are counted for.
pub(super) fn amounts_without<'a>(
    state: &(impl Read + ?Sized),
    original: &SettlementRecord,
    counted: impl DoubleEndedIterator<Item = (Option<FamilyId>, &'a [AccumulatorChange])>,
    now: Timestamp,
) -> Result<RunningAmounts, Rejection> {
    let subject = &original.subject;
    let (person, region) = (subject.person, subject.region);
    let today = retention_day(state, original, now)?;
    let mut amounts = coverage::view::running_amounts(state, person, region, subject.scheme);
    for (family, changes) in counted.rev() {
        amounts
            .undo(state, family, changes, today)
            .map_err(|error| rejection::NOT_ADJUDICABLE.with(error))?;
    }
    Ok(amounts)
}

/// The day before which running amounts have been put away.
pub(super) fn retention_day(
    state: &(impl Read + ?Sized),
    original: &SettlementRecord,
    now: Timestamp,
) -> Result<CivilDate, Rejection> {
    let region = network::view::require_region(state, original.subject.region)?;
    Ok(region.retention_day(now.day(region.settings.utc_offset_minutes)))
}

impl SettlementRecord {
    /// What the bill charges.
    #[must_use]
    pub fn total(&self) -> Amount {
        self.sums.total()
    }

    /// What this payer pays. What a provider bears itself is read here alone: it moves no money.
    #[must_use]
    pub fn paid_by(&self, payer: Payer) -> Amount {
        let shares = self.parts.iter().flat_map(|part| &part.adjudication.payers);
        shares
            .filter(|share| share.payer == payer)
            .fold(Amount::ZERO, |sum, share| sum.saturating_add(share.amount))
    }

    /// What the personal account paid.
    #[must_use]
    pub fn personal_account(&self) -> Amount {
        let paid = self.parts.iter().map(|part| part.adjudication.personal_account);
        paid.fold(Amount::ZERO, Amount::saturating_add)
    }

    /// What accounts of relatives paid together.
    #[must_use]
    pub fn family_accounts(&self) -> Amount {
        let paid = self.parts.iter().map(|part| part.adjudication.paid_by_family());
        paid.fold(Amount::ZERO, Amount::saturating_add)
    }

    /// What the person bears: the own account, accounts of relatives, and cash.
    #[must_use]
    pub fn own_share(&self) -> Amount {
        self.personal_account().saturating_add(self.family_accounts()).saturating_add(self.cash())
    }

    /// What each grant that paid may pay when the bill is adjudicated again: what it paid, in the
    /// order in which it did, whatever became of the grant.
    fn aid_again(&self) -> Vec<FamilyGrant> {
        let paid = aid_of(&self.parts);
        let mut again: Vec<FamilyGrant> = Vec::new();
        for offer in self.parts.iter().flat_map(|part| &part.facts.family_accounts) {
            let available = paid.get(&offer.grant).copied().unwrap_or_default();
            let is_new = again.iter().all(|one| one.grant != offer.grant);
            if is_new && !available.is_zero() {
                again.push(FamilyGrant { grant: offer.grant, available });
            }
        }
        again
    }
}
