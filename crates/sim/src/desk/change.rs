//! Refunds, corrections, objections, and payments that failed.

use adapters::rail::{Action, Order, Reference, Verdict};
use benefit::{CategorySums, SumRow};
use ledger::kernel::effect::{EffectAction, EffectStatus};
use ledger::modules::person::Actor;
use ledger::modules::visit::{
    AdjustLaterSettlements, AnswerObjection, CashLeg, Consent, ContestConsent, ContestDecision,
    CorrectionReason, DecideContest, Later, ObjectToSettlement, ObjectionAnswer, RailKind,
    RefundVisit, RetryEffect, SettlementRecord, Split, SupersedeSettlement, TakeOverEffect,
    VisitRow, quote_remaining, view,
};
use node::outbox::Note;
use primitives::{Amount, Hash, Party, PersonId, Text, VisitId, codec, sha256, sha256_parts};

use super::Intent;
use super::money::ask;
use super::visit::{Stage, draw_sums};
use crate::actor::{Draft, SharedActor};
use crate::executor::Owner;
use crate::job::Persistence;
use crate::rails::{CLEARING, DEBIT, bank};
use crate::region::REGION;
use crate::region::genesis::TAKEOVER_HOURS;
use crate::world::World;

impl World {
    /// A settlement is refunded or corrected; sometimes by two clerks at once.
    pub(super) fn change_some_visit(&mut self) {
        let is_settled =
            |one: &super::visit::Visit| one.stage == Stage::Settled && one.record.is_some();
        let Some(visit) = self.some_visit(is_settled) else { return };
        let Some((_, record)) = self.visits[visit].record.clone() else { return };
        let times = if self.dice.chance(200) { 2 } else { 1 };
        for _ in 0..times {
            if self.dice.chance(250) {
                self.correct(visit, &record);
            } else {
                self.refund(visit, &record);
            }
        }
    }

    /// What is left of a bill: rows taken away or made smaller.
    fn remaining(&mut self, original: &CategorySums) -> CategorySums {
        if self.dice.chance(300) {
            return CategorySums::default();
        }
        let dice = &mut self.dice;
        let half = |amount: Amount| Amount::from_minor(amount.minor() / 2);
        let rows = original.rows().iter().filter_map(|row| match dice.below(3) {
            0 => None,
            1 => Some(SumRow {
                key: row.key,
                self_paid: half(row.self_paid),
                over_cap: half(row.over_cap),
                class_b_share: half(row.class_b_share),
                in_policy: half(row.in_policy),
            }),
            _ => Some(*row),
        });
        CategorySums::new(rows.collect()).unwrap_or_default()
    }

    fn refund(&mut self, visit: usize, record: &SettlementRecord) {
        let remaining = self.remaining(&record.sums);
        if remaining.total() >= record.sums.total() {
            return;
        }
        let Some(split) = self.quote_again(record, &remaining) else { return };
        let Some(more) = self.more(visit, record, &split) else { return };
        let bill = if remaining.rows().is_empty() {
            Hash::default()
        } else {
            sha256(&codec::encode(&remaining))
        };
        let (cash, consent) = (more.cash, more.consent);
        let body = RefundVisit { original: record.clone(), bill, remaining, split, cash, consent };
        let draft = Draft::new(&body, &more.signers.iter().collect::<Vec<_>>());
        let job = self.about(visit, Intent::Change(visit), draft);
        self.use_earmark(more.earmark, job);
    }

    fn correct(&mut self, visit: usize, record: &SettlementRecord) {
        let days = (record.subject.admitted, self.today());
        let last = if self.visits[visit].is_stay() { days.1 } else { days.0 };
        let sums = draw_sums(&mut self.dice, (days.0, last), 150_000);
        let Some(split) = self.quote_again(record, &sums) else { return };
        let Some(mut more) = self.more(visit, record, &split) else { return };
        let consent = more.consent.unwrap_or(Consent::OwnKey);
        if more.consent.is_none() {
            more.signers.push(self.person_of(visit));
        }
        let body = SupersedeSettlement {
            original: record.clone(),
            reason: CorrectionReason::WrongLines,
            bill: sha256(&codec::encode(&sums)),
            sums,
            split,
            cash: more.cash,
            consent,
        };
        let draft = Draft::new(&body, &more.signers.iter().collect::<Vec<_>>());
        let job = self.about(visit, Intent::Change(visit), draft);
        self.use_earmark(more.earmark, job);
    }

    fn quote_again(&self, record: &SettlementRecord, sums: &CategorySums) -> Option<Split> {
        let view = self.view();
        quote_remaining(&view.state, &self.plans, record, sums, self.now()).ok()
    }

    /// What is needed when the person has to pay more than before.
    fn more(&mut self, visit: usize, record: &SettlementRecord, split: &Split) -> Option<More> {
        let mut signers = vec![self.provider_of(visit), self.bureau_of(visit)];
        let more_cash = split.cash.saturating_sub(record.cash());
        let more_account = split.personal_account.saturating_sub(record.personal_account());
        let mut more = More { cash: None, consent: None, signers: Vec::new(), earmark: None };
        if !more_cash.is_zero() {
            let leg = self.cash_leg(visit, more_cash)?;
            signers.extend(leg.signer);
            (more.cash, more.earmark) = (Some(leg.leg), leg.earmark);
        }
        if !more_cash.is_zero() || !more_account.is_zero() {
            signers.push(self.person_of(visit));
            more.consent = Some(Consent::OwnKey);
        }
        more.signers = signers;
        Some(more)
    }

    /// A person takes what a refund or correction changes for later settlements, whatever it is.
    pub(super) fn take_what_changes_later(&mut self) {
        let is_settled = |one: &super::visit::Visit| one.record.is_some();
        let Some(visit) = self.some_visit(is_settled) else { return };
        let Some((_, changed)) = self.visits[visit].record.clone() else { return };
        let person = changed.subject.person;
        let since = |state: &ledger::State, id: VisitId| match view::visit(state, id) {
            Some(VisitRow::Settled(row)) => Some(row),
            _ => None,
        };
        let own = self.visits.iter().filter_map(|one| one.record.as_ref());
        let own = own.map(|(_, record)| record).filter(|one| one.subject.person == person);
        let view = self.view();
        let Some(first) = since(&view.state, changed.visit) else { return };
        let mut later: Vec<_> = own
            .filter(|one| one.visit != changed.visit)
            .filter_map(|one| Some((since(&view.state, one.visit)?.settled, one.clone())))
            .filter(|(settled, _)| *settled > first.settled)
            .collect();
        later.sort_by_key(|(settled, _)| *settled);
        let later: Vec<SettlementRecord> = later.into_iter().map(|(_, record)| record).collect();
        let asked = Later { changed: &changed, records: &later };
        let Ok(differences) = asked.differences(&view.state, &self.plans, self.now()) else {
            return;
        };
        if differences.is_empty() {
            return;
        }
        let consent = Consent::OwnKey;
        let body = AdjustLaterSettlements { changed, later, differences, consent };
        let signers = [&self.bureau_of(visit), &self.person_of(visit)];
        let draft = Draft::new(&body, &signers);
        self.offer(Intent::Office, draft, Persistence::Once);
    }

    /// A person objects to a settlement or contests it, or somebody answers.
    pub(super) fn object_or_answer(&mut self) {
        let is_settled =
            |one: &super::visit::Visit| one.stage == Stage::Settled && one.record.is_some();
        let Some(visit) = self.some_visit(is_settled) else { return };
        let Some((_, original)) = self.visits[visit].record.clone() else { return };
        let statement = self.statement();
        if self.visits[visit].is_objected {
            let answer = *self.dice.pick(&[ObjectionAnswer::Upheld, ObjectionAnswer::Dismissed]);
            let body = AnswerObjection { original, answer, statement };
            let provider = self.provider_of(visit);
            let draft = Draft::new(&body, &[&provider, &self.bureau_of(visit)]);
            self.about(visit, Intent::Objection(visit, false), draft);
            return;
        }
        let is_contested = self.with_state(|state| {
            matches!(view::visit(state, original.visit),
                Some(VisitRow::Settled(row)) if row.is_contested())
        });
        if is_contested {
            let decision = *self.dice.pick(&[ContestDecision::Upheld, ContestDecision::Rejected]);
            let body = DecideContest { original, decision, statement };
            let intent = match decision {
                ContestDecision::Upheld => Intent::Change(visit),
                ContestDecision::Rejected => Intent::Office,
            };
            self.about(visit, intent, Draft::new(&body, &[&self.bureau_of(visit)]));
            return;
        }
        let (by, speaker) = if self.dice.chance(200) {
            (Actor::Desk, self.bureau_of(visit))
        } else {
            (Actor::OwnKey, self.person_of(visit))
        };
        if original.consent.is_given_by_others() && self.dice.chance(500) {
            let draft = Draft::new(&ContestConsent { original, statement, by }, &[&speaker]);
            self.offer(Intent::Office, draft, Persistence::Once);
        } else {
            let draft = Draft::new(&ObjectToSettlement { original, statement, by }, &[&speaker]);
            self.about(visit, Intent::Objection(visit, true), draft);
        }
    }

    /// A provider works off one of the payments that failed.
    pub(super) fn work_off_failed_payments(&mut self) {
        let failed = self.failed_payments();
        if !failed.is_empty() {
            let reference = *self.dice.pick(&failed);
            self.retry(reference);
        }
    }

    /// Payments that failed and are still due, as everybody can look them up.
    pub(crate) fn failed_payments(&self) -> Vec<Hash> {
        let view = self.view();
        let is_due = |reference: &&Hash| {
            view::effect(&view.state, reference).is_some_and(|row| {
                let is_claim = row.action == EffectAction::Collect;
                row.status == EffectStatus::Failed && (!is_claim || !row.refundable.is_zero())
            })
        };
        self.audit.effects.all().keys().filter(is_due).copied().collect()
    }

    /// Orders a failed payment again.
    pub(crate) fn retry(&mut self, reference: Hash) {
        let Some(row) = self.with_state(|state| view::effect(state, &reference)) else { return };
        let Some(visit) = self.place_of(row.visit) else { return };
        let mut signers = vec![self.provider_of(visit)];
        let (cash, consent, earmark) = if row.action == EffectAction::Collect {
            let Some(leg) = self.cash_leg(visit, row.refundable) else { return };
            signers.extend(leg.signer);
            signers.push(self.person_of(visit));
            (leg.leg, Some(Consent::OwnKey), leg.earmark)
        } else {
            // Money goes back the way it came; a till is filled first.
            self.bring_change(self.visits[visit].provider, row.amount);
            if row.executor == bank() {
                signers.push(SharedActor::clone(&self.region.bank));
            } else if self.region.bureau.party == Party::Organisation(row.executor) {
                signers.push(SharedActor::clone(&self.region.bureau));
            }
            let Ok(rail) = Text::new(&row.rail) else { return };
            let (executor, authorisation) = (row.executor, Hash::default());
            let leg = CashLeg { executor, rail, kind: RailKind::Bound, authorisation };
            (leg, None, None)
        };
        let body = RetryEffect { effect: reference, cash, consent };
        let draft = Draft::new(&body, &signers.iter().collect::<Vec<_>>());
        let job = self.about(visit, Intent::Retry(reference), draft);
        self.use_earmark(earmark, job);
    }

    /// The bureau takes over a payment that the bank has left open too long: it has the bank close
    /// the order for good, and only when that is certain becomes the executor itself.
    pub(super) fn take_over_late_payment(&mut self) {
        let view = self.view();
        let patience = u64::from(TAKEOVER_HOURS) * 3_600_000;
        let late = self.audit.effects.all().keys().find_map(|reference| {
            let row = view::effect(&view.state, reference)?;
            let is_late = row.status == EffectStatus::Pending
                && row.action == EffectAction::Collect
                && row.rail == DEBIT
                && row.region == REGION
                && row.ordered.plus_millis(patience) <= view.tip.time;
            is_late.then_some((*reference, row))
        });
        let Some((effect, row)) = late else { return };
        let Some(visit) = self.place_of(row.visit) else { return };
        let person = self.visits[visit].person;
        let Some(from) = self.rails.clearing.1[person].clone() else { return };
        let reference = Reference(sha256_parts(&[b"yibao/sim-close/v1", effect.as_bytes()]));
        let close = Order { reference, action: Action::Void { original: Reference(effect) } };
        match ask(&self.rails.debit.line.line, &close) {
            Some(Verdict::Done(_)) => {}
            // The money has moved, or nobody knows: the bank stays the executor.
            _ => return,
        }
        let Some(leg) = self.leg(Owner::Bureau, CLEARING, Note::Later { from }, None) else {
            return;
        };
        let (rail, answer) = (leg.leg.rail, leg.leg.authorisation);
        let body = TakeOverEffect { effect, rail, answer };
        let draft = Draft::new(&body, &[&self.region.bureau]);
        self.offer(Intent::Office, draft, Persistence::Once);
    }

    fn place_of(&self, visit: VisitId) -> Option<usize> {
        self.visits.iter().position(|one| one.id == visit)
    }

    /// The place of a person among the people.
    pub(super) fn place_of_person(&self, person: PersonId) -> Option<usize> {
        self.region.people.iter().position(|one| one.id == person)
    }
}

/// What goes into a refund or correction besides the split.
struct More {
    cash: Option<CashLeg>,
    consent: Option<Consent>,
    signers: Vec<SharedActor>,
    earmark: Option<usize>,
}
