//! The end of a run: everything calms down, everybody finishes what was begun, and then the last
//! comparison is made.

use ledger::kernel::effect::EffectAction;
use std::collections::BTreeSet;

use adapters::rail::Rail;
use node::NodeHandle;
use node::voucher::IssueVoucherError;
use primitives::{Hash, OrganisationId};
use proof::policy::{Policy, policy_text};

use crate::actor::organisation;
use crate::check::effects::{Outside, rail_account};
use crate::check::recovery::{check_damage, compare_ways_back, cut_everywhere, cut_founding};
use crate::check::{Rule, Scope, Violation, require};
use crate::desk::Intent;
use crate::job::{Fate, Persistence};
use crate::machine::End;
use crate::rails::{CLEARING, COUNTER, bank};
use crate::region::{BUREAU, NEIGHBOUR, OFFSET, POOL, REGION};
use crate::world::World;

/// After so many rounds everything that was begun must be finished.
const ROUNDS_MAX: u32 = 60;
/// How much time passes in a round: more than outboxes wait before they try again.
const ROUND_MILLIS: u64 = 700_000;

/// In so many worlds of a thousand a start and a block are cut short at every operation.
const SWEEPS_PER_MILLE: u64 = 40;
/// More often where a tile of the receipt log is full: only then are tiles written and synced, and
/// worlds as short as these seldom come that far.
const SWEEPS_WITH_TILES_PER_MILLE: u64 = 100;
/// Receipts of a full tile (C2SP tlog-tiles).
const TILE_RECEIPTS: u64 = 256;

impl World {
    /// Ends all faults and lets everybody finish.
    pub(crate) fn become_quiet(&mut self) -> Result<(), Violation> {
        self.note("all becomes quiet");
        self.life.calm();
        self.network.calm();
        self.rails.calm();
        self.end(End::Killed);
        self.start()?;
        let late = self.network.all_arrivals();
        for answer in self.node().submit_all(late) {
            // Nobody waits for these answers any more.
            drop(answer);
        }
        self.look(Scope::All)?;
        let mut retried = BTreeSet::new();
        for _ in 0..ROUNDS_MAX {
            self.clock.advance_millis(ROUND_MILLIS);
            self.finish_round(&mut retried)?;
            if self.is_finished() {
                return Ok(());
            }
        }
        // What the rails moved says more than that something is left, and may be why it is.
        self.look(Scope::All)?;
        self.compare_movements()?;
        Err(Violation::new(Rule::Quiescence, self.what_is_left()))
    }

    fn finish_round(&mut self, retried: &mut BTreeSet<Hash>) -> Result<(), Violation> {
        // A stage of one transaction may have waited all the time: when it is too late for it by
        // the clock and nobody else makes a block, the ledger's time does not pass it.
        self.found();
        // A block moves the ledger's time on, so that what is past its validity is past it for
        // good.
        let number = self.books.number();
        let draft = self.region.contribution(POOL, 1, primitives::sha256(&number.to_be_bytes()));
        self.offer(Intent::Office, draft, Persistence::Once);
        for reference in self.failed_refunds() {
            if retried.insert(reference) {
                self.retry(reference);
            }
        }
        for provider in 0..self.region.providers.len() {
            self.hand_out(provider);
        }
        self.tidy_money();
        self.send_all()?;
        while self.round()? {}
        Ok(())
    }

    /// Refunds that failed: money that is owed to patients.
    fn failed_refunds(&self) -> Vec<Hash> {
        let failed = self.failed_payments().into_iter();
        let action = |reference: &Hash| self.audit.effects.all()[reference].effect.action;
        failed.filter(|reference| action(reference) != EffectAction::Collect).collect()
    }

    fn is_finished(&self) -> bool {
        let executors = self.executors.as_ref();
        self.report.founded
            && self.open_jobs() == 0
            && self.open_earmarks() == 0
            && self.audit.effects.pending_count() == 0
            && executors.is_some_and(|executors| executors.open_count() == 0)
            && self.failed_refunds().is_empty()
    }

    /// Jobs of which it is not certain what became of them; the last block's own ones always are.
    fn open_jobs(&self) -> usize {
        let is_open = |number: &&usize| {
            let job = &self.jobs[**number];
            job.is_open() || job.valid_until().plus_millis(ROUND_MILLIS) < self.audit.log.time()
        };
        self.unsettled.iter().filter(is_open).count()
    }

    fn what_is_left(&self) -> String {
        let stuck = self.executors.as_ref().map(crate::executor::Executors::stuck);
        format!(
            "{} jobs, {} earmarks, {} payments without a word, {} refunds that failed, stuck: {stuck:?}",
            self.open_jobs(),
            self.open_earmarks(),
            self.audit.effects.pending_count(),
            self.failed_refunds().len()
        )
    }

    /// The last comparison of everything with everything.
    pub(crate) fn check_at_rest(&mut self) -> Result<(), Violation> {
        self.look(Scope::All)?;
        require(Rule::Workload, self.report.founded, || {
            String::from("the region was not founded")
        })?;
        self.audit.log.at_rest(self.node())?;
        self.check_jobs()?;
        self.check_contributions()?;
        self.check_rails()?;
        self.check_bank_books()?;
        self.check_vouchers()?;
        self.fill_report();
        compare_ways_back(&self.machine, &self.audit.log, &mut self.dice)?;
        let counts = &mut self.report.faults;
        check_damage(&self.machine, &self.audit.log, &mut self.dice, counts)?;
        let has_tiles = self.audit.log.size() >= TILE_RECEIPTS;
        let chance = if has_tiles { SWEEPS_WITH_TILES_PER_MILLE } else { SWEEPS_PER_MILLE };
        if self.dice.chance(chance) {
            self.cut_everywhere()?;
        }
        Ok(())
    }

    /// A founding, a start and a block with the power cut at each of their operations.
    fn cut_everywhere(&mut self) -> Result<(), Violation> {
        let number = self.books.number();
        let draft = self.region.contribution(POOL, 1, primitives::sha256(&number.to_be_bytes()));
        let transaction = draft.sign(self.region.chain_id, self.now(), self.dice.bytes());
        let counts = &mut self.report.faults;
        let (machine, log) = (&self.machine, &self.audit.log);
        let founding = cut_founding(machine, &mut self.dice, counts)?;
        let swept = cut_everywhere(machine, log, &transaction, &mut self.dice, counts)?;
        self.report.swept_operations += founding + swept;
        Ok(())
    }

    /// What clients believe of their transactions is what the log says.
    fn check_jobs(&self) -> Result<(), Violation> {
        for (number, job) in self.jobs.iter().enumerate() {
            let accepted = self.audit.keys.accepted_at(&job.id);
            let is_same = match job.fate {
                Fate::Accepted(index) => accepted == Some(index),
                Fate::Dead | Fate::Rejected(_) | Fate::Unknown => accepted.is_none(),
            };
            require(Rule::AcknowledgedKept, is_same, || {
                format!("job {number} is {:?} for its client, the log has {accepted:?}", job.fate)
            })?;
        }
        Ok(())
    }

    /// What the bureau meant to book once is booked at most once.
    fn check_contributions(&self) -> Result<(), Violation> {
        for (number, jobs) in &self.books.contributions {
            let accepted =
                jobs.iter().filter(|job| matches!(self.jobs[**job].fate, Fate::Accepted(_)));
            let count = accepted.count();
            require(Rule::KeyOnce, count <= 1, || {
                format!("contribution {number} was booked {count} times")
            })?;
        }
        Ok(())
    }

    /// Every rail moved what the ledger says, and nothing else, and its account says so.
    fn check_rails(&self) -> Result<(), Violation> {
        let moved = self.compare_movements()?;
        moved.iter().try_for_each(|(executor, net)| self.compare_net(*executor, *net))
    }

    /// Every rail moved what the ledger says, and nothing else; what each executor collected less
    /// what it gave back.
    fn compare_movements(&self) -> Result<Vec<(OrganisationId, i128)>, Violation> {
        let (first, last) = self.span();
        let day = |instant: primitives::Timestamp, days| {
            let day = instant.day(OFFSET);
            day.plus_days(days).unwrap_or(day)
        };
        // The clock may have been set back, and the bank's clock is off.
        let days = (day(first, -2), day(last, 2));
        let compare = |rail: &str, executor, source: &dyn Rail, known: &BTreeSet<Hash>| {
            let paid_before = self.paid_before();
            let outside = Outside { rail, executor, source, days, paid_before, known };
            self.audit.effects.compare_rail(&outside)?;
            outside.net()
        };
        let nothing = BTreeSet::new();
        let mut at_bank = 0;
        for (name, rail) in self.rails.bank() {
            at_bank += compare(name, bank(), &rail.bank.rail(bank()), &nothing)?;
        }
        // The bureau's rail moved what the bureau took over.
        let bureau = organisation(BUREAU);
        let cleared = compare(CLEARING, bureau, &self.rails.debit.bank.rail(bureau), &nothing)?;
        let mut moved = vec![(bank(), at_bank), (bureau, cleared)];
        let tills = self.region.providers.iter().zip(&self.rails.tills).enumerate();
        for (place, (provider, till)) in tills {
            let known = self.references_at_till(place);
            let net = compare(COUNTER, provider.code, &*till.counter, &known)?;
            moved.push((provider.code, net));
        }
        Ok(moved)
    }

    fn compare_net(&self, executor: OrganisationId, net: i128) -> Result<(), Violation> {
        let in_region = |region| self.audit.money.balance(&rail_account(executor, region));
        let on_ledger = -(in_region(REGION) + in_region(NEIGHBOUR));
        require(Rule::EffectsAgree, on_ledger == net, || {
            format!("the rails of `{executor}` hold {net}, the ledger says {on_ledger}")
        })
    }

    /// The banks' own books add up, and no customer's money is lost.
    fn check_bank_books(&self) -> Result<(), Violation> {
        let broken = |words: String| Violation::new(Rule::EffectsAgree, words);
        for (name, rail) in self.rails.bank() {
            let audit = rail.bank.books().audit().map_err(|error| broken(error.to_string()))?;
            require(Rule::EffectsAgree, audit.is_sound(), || format!("`{name}`: {audit:?}"))?;
        }
        for till in &self.rails.tills {
            let audit = till.counter.books().audit().map_err(|error| broken(error.to_string()))?;
            require(Rule::EffectsAgree, audit.is_sound(), || format!("a till: {audit:?}"))?;
        }
        Ok(())
    }

    /// Some receipts as vouchers: a stranger verifies them without the node.
    fn check_vouchers(&self) -> Result<(), Violation> {
        let node = self.node();
        let broken = |words: String| Violation::new(Rule::AppendOnly, words);
        let text = policy_text(node.log_key(), &[], 0);
        let policy = Policy::parse(text.as_bytes()).map_err(|error| broken(error.to_string()))?;
        let settled = self.visits.iter().filter_map(|visit| visit.record.as_ref());
        for (_, record) in settled.take(3) {
            verify_voucher(node, &policy, &record.transaction_id)
                .map_err(|error| broken(format!("a voucher: {error}")))?;
        }
        Ok(())
    }

    fn fill_report(&mut self) {
        self.report.faults.add(&self.machine.disk().counts());
        self.report.faults.add(self.network.counts());
        self.report.faults.add(&self.rails.counts());
        let audit = &self.audit;
        self.report.blocks = audit.log.height();
        self.report.accepted = audit.keys.accepted_count();
        self.report.rejected = audit.keys.codes().values().sum();
        self.report.acknowledged = audit.log.acknowledged_count();
        self.report.settled = audit.visits.settled_count();
        self.report.changed = audit.visits.changed_count();
        self.report.payments = audit.effects.all().len() as u64;
        self.report.moved = audit.money.moved();
        for ordered in audit.effects.all().values() {
            let (rail, action) = (&ordered.effect.rail, ordered.effect.action);
            let name = format!("{rail} {action:?} {:?}", ordered.status);
            *self.report.payment_ends.entry(name).or_default() += 1;
        }
        let registry = self.machine.node().map(|node| std::sync::Arc::clone(node.registry()));
        let Some(registry) = registry else { return };
        for (number, count) in audit.keys.kinds() {
            let name = registry.by_number(*number).map_or("unknown", |kind| kind.name);
            self.report.kinds.insert(String::from(name), *count);
        }
        for (number, count) in audit.keys.codes() {
            let name = registry.rejection(*number).map_or("unknown", |code| code.name);
            self.report.rejections.insert(String::from(name), *count);
        }
    }
}

fn verify_voucher(
    node: &NodeHandle,
    policy: &Policy,
    id: &Hash,
) -> Result<(), Box<dyn std::error::Error>> {
    let issued: Result<_, IssueVoucherError> = node.issue_voucher(id, None);
    let voucher = issued?.ok_or("there is none for a settlement")?;
    let decoded = proof::voucher::Voucher::decode(voucher.encode().as_bytes())?;
    let verified = decoded.verify(policy, &node::signature::FastVerifier)?;
    if verified.record.transaction_id == *id { Ok(()) } else { Err("it is of another one".into()) }
}
