//! From check-in to settlement.

use benefit::{Category, CategorySums, ItemClass, SumKey, SumRow, VisitType};
use ledger::Receipt;
use ledger::kernel::effect::EffectStatus;
use ledger::modules::coverage;
use ledger::modules::visit::{
    CancelVisit, CheckIn, Consent, DepositFrom, DepositSource, EmergencyReason, Identification,
    QuoteRequest, SettleVisit, SettlementRecord, Split, TakeDeposit, UpdateRunningBill, VisitRow,
    VisitSubject, quote, view,
};
use primitives::{Amount, CivilDate, Hash, SlotId, VisitId, codec, sha256};

use super::Intent;
use super::money::Leg;
use crate::actor::{Draft, SharedActor};
use crate::dice::Dice;
use crate::job::Persistence;
use crate::region::genesis::WITNESSED_CASH_MAX;
use crate::region::{OFFSET, SCHEME};
use crate::world::World;

/// Where a visit stands, as its desk knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The check-in is under way.
    Fresh,
    /// Checked in.
    Open,
    /// Settled.
    Settled,
    /// Cancelled.
    Gone,
}

/// A visit as its desk knows it.
pub struct Visit {
    /// Its id on the ledger.
    pub id: VisitId,
    /// Whose, as a place among the people.
    pub person: usize,
    /// Where, as a place among the providers.
    pub provider: usize,
    /// What it is about.
    pub subject: VisitSubject,
    /// The bill, sorted.
    pub sums: CategorySums,
    /// Whether the person wants the personal account to pay.
    pub use_personal_account: bool,
    /// Where it stands.
    pub stage: Stage,
    /// The settlement that stands, and the place of its receipt.
    pub record: Option<(u64, SettlementRecord)>,
    /// How many deposits were taken.
    pub deposits: u32,
    /// How often its settlement was tried.
    pub attempts: u32,
    /// Whether an objection is open.
    pub is_objected: bool,
    /// The last job about it.
    pub last_job: Option<usize>,
}

impl Visit {
    /// Its check-in is accepted.
    pub(super) fn note_open(&mut self) {
        if self.stage == Stage::Fresh {
            self.stage = Stage::Open;
        }
    }

    /// It is cancelled.
    pub(super) const fn note_gone(&mut self) {
        self.stage = Stage::Gone;
    }

    /// A settlement of it is accepted. Answers may come in another order than the ledger's.
    pub(super) fn note_record(&mut self, index: u64, receipt: &Receipt) {
        self.stage = Stage::Settled;
        let is_newer = self.record.as_ref().is_none_or(|(known, _)| *known < index);
        if is_newer && let Ok(record) = codec::decode::<SettlementRecord>(&receipt.witness) {
            self.record = Some((index, record));
        }
    }

    /// Whether it is a stay.
    #[must_use]
    pub fn is_stay(&self) -> bool {
        self.subject.visit_type == VisitType::Inpatient
    }
}

/// A bill, drawn: some rows between two days.
pub(super) fn draw_sums(dice: &mut Dice, days: (CivilDate, CivilDate), most: u64) -> CategorySums {
    let span = u64::from(days.1.days().saturating_sub(days.0.days()).unsigned_abs());
    let categories =
        [Category::WesternMedicine, Category::Treatment, Category::Laboratory, Category::Material];
    let rows = (0..dice.between(1, 4)).map(|_| {
        let after = i32::try_from(dice.between(0, span)).unwrap_or(0);
        let key = SumKey {
            service_date: days.0.plus_days(after).unwrap_or(days.0),
            category: *dice.pick(&categories),
            class: *dice.pick(&[ItemClass::A, ItemClass::B, ItemClass::C]),
            programme: 0,
            slot: SlotId(0),
        };
        draw_row(dice, key, most)
    });
    CategorySums::new(rows.collect()).unwrap_or_default()
}

fn draw_row(dice: &mut Dice, key: SumKey, most: u64) -> SumRow {
    let amount = Amount::from_minor;
    let charged = dice.between(1, most);
    match key.class {
        ItemClass::C => SumRow { self_paid: amount(charged), ..SumRow::empty(key) },
        ItemClass::A => SumRow {
            in_policy: amount(charged),
            over_cap: amount(if dice.chance(100) { charged / 9 } else { 0 }),
            ..SumRow::empty(key)
        },
        ItemClass::B => {
            let share = charged / 20;
            SumRow {
                in_policy: amount(charged - share),
                class_b_share: amount(share),
                ..SumRow::empty(key)
            }
        }
    }
}

impl World {
    pub(crate) fn today(&self) -> CivilDate {
        self.now().day(OFFSET)
    }

    /// A person comes to a provider.
    pub(super) fn plan_visit(&mut self) {
        if self.visits.len() >= 400 {
            return;
        }
        let today = self.today();
        let dice = &mut self.dice;
        let person = dice.place(self.region.people.len());
        let provider = dice.place(self.region.providers.len());
        let visit_type = *dice.pick(&[
            VisitType::Outpatient,
            VisitType::Outpatient,
            VisitType::Emergency,
            VisitType::Inpatient,
        ]);
        let is_stay = visit_type == VisitType::Inpatient;
        let days_ago = if is_stay { dice.between(0, 40) } else { dice.between(0, 3) };
        let days_ago = i32::try_from(days_ago).unwrap_or(0);
        let admitted = today.plus_days(-days_ago).unwrap_or(today);
        let most = if is_stay { 4_000_000 } else { 120_000 };
        let last = if is_stay { today } else { admitted };
        let sums = draw_sums(dice, (admitted, last), most);
        let subject = VisitSubject {
            person: self.region.people[person].id,
            provider: self.region.providers[provider].code,
            region: self.region.people[person].region,
            scheme: SCHEME,
            visit_type,
            admitted,
            diagnosis_group: 0,
        };
        let visit = Visit {
            id: VisitId(dice.bytes()),
            person,
            provider,
            subject: subject.clone(),
            sums,
            use_personal_account: dice.chance(700),
            stage: Stage::Fresh,
            record: None,
            deposits: 0,
            attempts: 0,
            is_objected: false,
            last_job: None,
        };
        let body = CheckIn {
            visit: visit.id,
            subject,
            identification: Identification::WalletCode,
            evidence: sha256(&visit.id.0),
        };
        let number = self.visits.len();
        self.visits.push(visit);
        let draft = Draft::new(&body, &[&self.region.providers[provider].actor]);
        self.about(number, Intent::CheckIn(number), draft);
    }

    /// Offers a job about a visit.
    pub(super) fn about(&mut self, visit: usize, intent: Intent, draft: Draft) -> usize {
        let job = self.offer(intent, draft, Persistence::Once);
        self.visits[visit].last_job = Some(job);
        job
    }

    /// A visit in this stage that nothing is under way for; now and then one with something under
    /// way, so that two people do two things at once.
    pub(super) fn some_visit(&mut self, wanted: impl Fn(&Visit) -> bool) -> Option<usize> {
        let in_a_hurry = self.dice.chance(150);
        let is_free = |visit: &Visit| {
            in_a_hurry || visit.last_job.is_none_or(|job| !self.jobs[job].is_open())
        };
        let fitting: Vec<usize> = (0..self.visits.len())
            .filter(|place| wanted(&self.visits[*place]) && is_free(&self.visits[*place]))
            .collect();
        (!fitting.is_empty()).then(|| *self.dice.pick(&fitting))
    }

    /// A stay gets its daily list or a deposit; a visit is cancelled now and then.
    pub(super) fn look_after_stay(&mut self) {
        if self.dice.chance(100)
            && let Some(visit) = self.some_visit(|one| one.stage == Stage::Open && !one.is_stay())
        {
            let body = CancelVisit { visit: self.visits[visit].id };
            let draft = Draft::new(&body, &[&self.provider_of(visit)]);
            self.about(visit, Intent::Cancel(visit), draft);
            return;
        }
        let Some(visit) = self.some_visit(|one| one.stage == Stage::Open && one.is_stay()) else {
            return;
        };
        if self.dice.chance(300) {
            let until = self.today();
            let one = &self.visits[visit];
            let bill = sha256(&codec::encode(&one.sums));
            let body = UpdateRunningBill { visit: one.id, bill, total: one.sums.total(), until };
            let draft = Draft::new(&body, &[&self.provider_of(visit)]);
            self.about(visit, Intent::Bill(visit), draft);
        } else {
            self.take_deposit(visit);
        }
    }

    fn take_deposit(&mut self, visit: usize) {
        let amount = Amount::from_minor(self.dice.between(1_000, 500_000));
        let person = self.person_of(visit);
        let mut signers = vec![self.provider_of(visit), person];
        let (from, earmark) = if self.dice.chance(300) {
            (DepositFrom::PersonalAccount, None)
        } else {
            let Some(leg) = self.cash_leg(visit, amount) else { return };
            signers.extend(leg.signer);
            (DepositFrom::Rail(leg.leg), leg.earmark)
        };
        let id = self.visits[visit].id;
        let body = TakeDeposit { visit: id, amount, from, consent: Consent::OwnKey };
        let draft = Draft::new(&body, &signers.iter().collect::<Vec<_>>());
        let job = self.about(visit, Intent::Deposit(visit), draft);
        self.use_earmark(earmark, job);
    }

    pub(super) fn provider_of(&self, visit: usize) -> SharedActor {
        SharedActor::clone(&self.region.providers[self.visits[visit].provider].actor)
    }

    /// The bureau of the visit's insured place, which countersigns.
    pub(super) fn bureau_of(&self, visit: usize) -> SharedActor {
        SharedActor::clone(self.region.bureau_of(self.visits[visit].subject.region))
    }

    pub(super) fn person_of(&self, visit: usize) -> SharedActor {
        SharedActor::clone(&self.region.people[self.visits[visit].person].actor)
    }

    /// A desk settles a visit that is open.
    pub(super) fn settle_some_visit(&mut self) {
        if let Some(visit) = self.some_visit(|one| one.stage == Stage::Open) {
            self.settle(visit);
        }
    }

    fn settle(&mut self, visit: usize) {
        let consent = match self.dice.below(10) {
            0 => Consent::IdentityCard,
            1 => Consent::EmergencyWitness { reason: EmergencyReason::Unconscious },
            _ => Consent::OwnKey,
        };
        let wants = self.visits[visit].use_personal_account && consent.allows_personal_account();
        let Some((split, due)) = self.quote_visit(visit, wants) else { return };
        let mut signers = vec![self.provider_of(visit), self.bureau_of(visit)];
        if consent == Consent::OwnKey {
            signers.push(self.person_of(visit));
        }
        let mut earmark = None;
        let mut cash = None;
        if !due.is_zero() {
            let leg = if consent.is_given_by_others() {
                self.cash_by_others(visit, due)
            } else {
                let Some(leg) = self.cash_leg(visit, due) else { return };
                Some(leg)
            };
            if let Some(leg) = leg {
                signers.extend(leg.signer);
                (earmark, cash) = (leg.earmark, Some(leg.leg));
            }
        }
        let one = &mut self.visits[visit];
        one.attempts += 1;
        let body = SettleVisit {
            visit: one.id,
            bill: sha256(&codec::encode(&one.sums)),
            sums: one.sums.clone(),
            use_personal_account: wants,
            use_family_account: false,
            split,
            cash,
            consent,
        };
        let draft = Draft::new(&body, &signers.iter().collect::<Vec<_>>());
        let job = self.about(visit, Intent::Settle(visit), draft);
        self.use_earmark(earmark, job);
    }

    /// Cash to which organisations alone agree: little over the counter, else a receivable, and
    /// sometimes a receivable anyway.
    fn cash_by_others(&mut self, visit: usize, due: Amount) -> Option<Leg> {
        if due > WITNESSED_CASH_MAX || self.dice.chance(300) {
            return None;
        }
        self.take_cash(self.visits[visit].provider, due)
    }

    /// The split as the ledger would compute it now, and what is due in cash beyond deposits.
    pub(super) fn quote_visit(
        &self,
        visit: usize,
        use_personal_account: bool,
    ) -> Option<(Split, Amount)> {
        let one = &self.visits[visit];
        let (view, now) = (self.view(), self.now());
        let state = &view.state;
        let Some(VisitRow::Open(open)) = view::visit(state, one.id) else { return None };
        let person = one.subject.person;
        let (mut account, mut paid) = (view::personal_account(state, person, now), Amount::ZERO);
        for deposit in &open.deposits {
            match deposit.source {
                DepositSource::PersonalAccount => account = account.saturating_add(deposit.amount),
                DepositSource::Rail(reference) => {
                    let row = view::effect(state, &reference)?;
                    if row.status == EffectStatus::Done {
                        paid = paid.saturating_add(row.refundable);
                    }
                }
            }
        }
        let request = QuoteRequest {
            subject: &one.subject,
            sums: &one.sums,
            use_personal_account,
            personal_account: account,
            family_accounts: Vec::new(),
            accumulators: coverage::view::running_amounts(
                state,
                person,
                one.subject.region,
                SCHEME,
            ),
            keep_plans_of: &[],
            keep_facts: false,
        };
        let split = quote(state, &self.plans, request).ok()?.split;
        let due = split.cash.saturating_sub(paid);
        Some((split, due))
    }

    /// A commitment to words that lie elsewhere.
    pub(super) fn statement(&mut self) -> Hash {
        sha256(&self.books.number().to_le_bytes())
    }
}
