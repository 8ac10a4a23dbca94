//! Those who mean no good, and those who are careless. Nothing of theirs may be accepted.

use ledger::Transaction;
use ledger::kernel::effect::{EffectResult, EffectStatus};
use ledger::modules::fund::Contribute;
use ledger::modules::person::Actor;
use ledger::modules::visit::{
    ConfirmEffect, Consent, ObjectToSettlement, RefundVisit, SettleVisit, Split,
};
use primitives::{Amount, Hash, codec, sha256};

use super::Intent;
use super::visit::Stage;
use crate::actor::{Draft, SharedActor};
use crate::job::{Fate, Job, Persistence};
use crate::planted::DeskBug;
use crate::region::{DAY_MILLIS, POOL, REGION};
use crate::world::World;

impl World {
    /// Somebody tries what nobody may do.
    pub(super) fn attack(&mut self) {
        let tried = match self.dice.below(12) {
            0 | 1 => self.settle_without_the_person(),
            2 => self.settle_at_a_better_price(),
            3 => self.sign_for_the_bureau(),
            4 => self.confirm_for_another(),
            5 => self.refund_a_doctored_record(),
            6 => self.object_for_another(),
            7 => self.change_after_signing(),
            8 => self.use_a_key_again(),
            9 => self.pay_with_anothers_grant(),
            10 => self.claim_anothers_transfer(),
            _ => self.speak_on_another_ledger(),
        };
        self.report.attacks += u64::from(tried.is_some());
    }

    pub(super) fn forbidden(&mut self, why: &'static str, draft: Draft) -> Option<usize> {
        let job = self.offer(Intent::Forbidden, draft, Persistence::Once);
        self.audit.keys.forbid(self.jobs[job].id, why);
        Some(job)
    }

    fn some_open_visit(&mut self) -> Option<usize> {
        self.some_visit(|one| one.stage == Stage::Open)
    }

    fn forged_settlement(&mut self, visit: usize, split: Split) -> SettleVisit {
        let one = &self.visits[visit];
        SettleVisit {
            visit: one.id,
            bill: sha256(&codec::encode(&one.sums)),
            sums: one.sums.clone(),
            use_personal_account: false,
            use_family_account: false,
            split,
            cash: None,
            consent: Consent::OwnKey,
        }
    }

    /// Provider and bureau settle in a person's name; the signature is somebody else's.
    fn settle_without_the_person(&mut self) -> Option<usize> {
        if self.planted.desk == Some(DeskBug::StealsKeys) {
            return self.use_a_stolen_key();
        }
        let visit = self.some_open_visit()?;
        let (split, due) = self.quote_visit(visit, true)?;
        let mut body = self.forged_settlement(visit, split);
        body.use_personal_account = true;
        let other = (self.visits[visit].person + 1) % self.region.people.len();
        let other = SharedActor::clone(&self.region.people[other].actor);
        let mut signers = vec![self.provider_of(visit), self.bureau_of(visit), other];
        let mut earmark = None;
        if !due.is_zero() {
            let leg = self.cash_leg(visit, due)?;
            signers.extend(leg.signer);
            (body.cash, earmark) = (Some(leg.leg), leg.earmark);
        }
        let draft = Draft::new(&body, &signers.iter().collect::<Vec<_>>());
        let job = self.forbidden("a settlement without the person", draft)?;
        self.use_earmark(earmark, job);
        Some(job)
    }

    /// What a ledger would let happen that does not check whose key signed: here the key is the
    /// person's own, and it is the attacker who has it.
    fn use_a_stolen_key(&mut self) -> Option<usize> {
        let visit = self.some_visit(|one| one.stage == Stage::Settled && one.record.is_some())?;
        let (_, original) = self.visits[visit].record.clone()?;
        let statement = self.statement();
        let person = self.person_of(visit);
        let draft =
            Draft::new(&ObjectToSettlement { original, statement, by: Actor::OwnKey }, &[&person]);
        self.forbidden("an objection with a stolen key", draft)
    }

    /// The signed split says that the fund pays everything.
    fn settle_at_a_better_price(&mut self) -> Option<usize> {
        let visit = self.some_open_visit()?;
        let total = self.visits[visit].sums.total();
        let payers = vec![benefit::PayerShare { payer: benefit::Payer::PooledFund, amount: total }];
        let split = Split { total, in_policy: total, payers, ..Split::default() };
        let body = self.forged_settlement(visit, split);
        let (provider, person) = (self.provider_of(visit), self.person_of(visit));
        let draft = Draft::new(&body, &[&provider, &self.bureau_of(visit), &person]);
        self.forbidden("a settlement of which the fund pays all", draft)
    }

    /// A key that the ledger does not know signs in the bureau's name.
    fn sign_for_the_bureau(&mut self) -> Option<usize> {
        let (amount, reference) = (Amount::from_minor(1_000_000), self.statement());
        let body = Contribute { region: REGION, fund: POOL, amount, reference };
        self.forbidden("a contribution by a stranger", Draft::new(&body, &[&self.region.stranger]))
    }

    /// A provider says that the bank has paid.
    fn confirm_for_another(&mut self) -> Option<usize> {
        let pending = self.audit.effects.all().iter().find(|(_, one)| {
            one.status == EffectStatus::Pending && one.effect.executor == crate::rails::bank()
        });
        let (effect, amount) = pending.map(|(reference, one)| (*reference, one.effect.amount))?;
        let result = EffectResult::Done { amount };
        let body = ConfirmEffect { effect, result, rail_reference: Hash::default() };
        let provider = SharedActor::clone(&self.region.providers[0].actor);
        self.forbidden("a word on somebody else's payment", Draft::new(&body, &[&provider]))
    }

    /// A refund of a settlement in which more had been paid than was.
    fn refund_a_doctored_record(&mut self) -> Option<usize> {
        let visit = self.some_visit(|one| one.stage == Stage::Settled && one.record.is_some())?;
        let (_, mut original) = self.visits[visit].record.clone()?;
        let part = original.parts.first_mut()?;
        part.adjudication.cash = part.adjudication.cash.saturating_add(Amount::from_minor(100_000));
        let body = RefundVisit {
            original,
            bill: Hash::default(),
            remaining: benefit::CategorySums::default(),
            split: Split::default(),
            cash: None,
            consent: None,
        };
        let provider = self.provider_of(visit);
        let draft = Draft::new(&body, &[&provider, &self.bureau_of(visit)]);
        self.forbidden("a refund of what was never paid", draft)
    }

    /// A person objects to somebody else's settlement.
    fn object_for_another(&mut self) -> Option<usize> {
        let visit = self.some_visit(|one| one.stage == Stage::Settled && one.record.is_some())?;
        let (_, original) = self.visits[visit].record.clone()?;
        let owner = self.place_of_person(original.subject.person)?;
        let other = (owner + 1) % self.region.people.len();
        let statement = self.statement();
        let person = SharedActor::clone(&self.region.people[other].actor);
        let draft =
            Draft::new(&ObjectToSettlement { original, statement, by: Actor::OwnKey }, &[&person]);
        self.forbidden("an objection in another person's name", draft)
    }

    /// The content is changed after it was signed: the signatures are of another transaction.
    fn change_after_signing(&mut self) -> Option<usize> {
        let (amount, reference) = (Amount::from_minor(5), self.statement());
        let body = Contribute { region: REGION, fund: POOL, amount, reference };
        let draft = Draft::new(&body, &[&self.region.bureau]);
        let mut transaction = self.signed(&draft);
        let more = Contribute { amount: Amount::from_minor(5_000_000), ..body };
        transaction.content.body = codec::encode(&more);
        self.forbid_transaction("a content that nobody signed", draft, transaction)
    }

    /// A careless client uses a key against doing it twice for something else, while it still
    /// counts.
    fn use_a_key_again(&mut self) -> Option<usize> {
        let now = self.now();
        let is_recent = |job: &&Job<Intent>| {
            matches!(job.fate, Fate::Accepted(_))
                && job.intent != Intent::Found
                && job.transaction.content.author == self.region.bureau.party
                && job.valid_until() > now.plus_millis(2_000)
        };
        let key = self.jobs.iter().rev().find(is_recent)?.transaction.content.idempotency_key;
        let (amount, reference) = (Amount::from_minor(7), self.statement());
        let body = Contribute { region: REGION, fund: POOL, amount, reference };
        let draft = Draft::new(&body, &[&self.region.bureau]).valid_for(1_000);
        let transaction = draft.sign(self.region.chain_id, now, key.0);
        self.forbid_transaction("a key used for two things", draft, transaction)
    }

    /// A transaction that was signed for another ledger.
    fn speak_on_another_ledger(&mut self) -> Option<usize> {
        let (amount, reference) = (Amount::from_minor(9), self.statement());
        let body = Contribute { region: REGION, fund: POOL, amount, reference };
        let draft = Draft::new(&body, &[&self.region.bureau]).valid_for(DAY_MILLIS);
        let other = "elsewhere".parse().ok()?;
        let key = self.dice.bytes();
        let transaction = draft.sign(other, self.now(), key);
        self.forbid_transaction("a transaction for another ledger", draft, transaction)
    }

    fn signed(&mut self, draft: &Draft) -> Transaction {
        let key = self.dice.bytes();
        draft.sign(self.region.chain_id, self.now(), key)
    }

    fn forbid_transaction(
        &mut self,
        why: &'static str,
        draft: Draft,
        transaction: Transaction,
    ) -> Option<usize> {
        self.audit.keys.forbid(transaction.content.id(), why);
        Some(self.take_on(Job::new(Intent::Forbidden, draft, transaction, Persistence::Once)))
    }
}
