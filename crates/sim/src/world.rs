//! A whole region in one thread from one seed.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use adapters::clock::{Clock as _, ManualClock};
use ledger::Transaction;
use ledger::kernel::context::PlanMemo;
use ledger::{Receipt, State};
use node::NodeHandle;
use node::runtime::ReadView;
use primitives::{Timestamp, sha256_parts};

use crate::actor::Draft;
use crate::check::{Audit, Rule, Scope, Violation, read_receipt};
use crate::clock::Trap;
use crate::desk::money::Earmark;
use crate::desk::visit::Visit;
use crate::desk::{Books, Intent};
use crate::dice::Dice;
use crate::executor::{Executors, Round, Surroundings};
use crate::fault::Fault;
use crate::job::{Fate, Job, Persistence};
use crate::life::Life;
use crate::machine::Machine;
use crate::network::{Delivery, Network};
use crate::planted::{DiskBug, Planted};
use crate::rails::Rails;
use crate::region::{DAY_MILLIS, Region, START};
use crate::report::{Failure, Report};

/// How many lines of the trace a failure shows.
const TRACE_LINES: usize = 60;

/// What to run.
#[derive(Debug)]
pub struct Options {
    /// The seed of everything.
    pub seed: u64,
    /// How many steps the clients act, before all becomes quiet.
    pub steps: u32,
    /// What a test planted.
    pub planted: Planted,
}

impl Options {
    /// An honest run.
    #[must_use]
    pub fn new(seed: u64, steps: u32) -> Self {
        Self { seed, steps, planted: Planted::default() }
    }
}

/// A simulated world.
pub struct World {
    pub(crate) dice: Dice,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) region: Region,
    pub(crate) machine: Machine,
    pub(crate) network: Network,
    pub(crate) rails: Rails,
    pub(crate) trap: Arc<Trap>,
    pub(crate) executors: Option<Executors>,
    pub(crate) life: Life,
    pub(crate) jobs: Vec<Job<Intent>>,
    pub(crate) unsettled: Vec<usize>,
    pub(crate) visits: Vec<Visit>,
    pub(crate) earmarks: Vec<Earmark>,
    pub(crate) books: Books,
    pub(crate) plans: PlanMemo,
    pub(crate) audit: Audit,
    pub(crate) report: Report,
    pub(crate) planted: Planted,
    pub(crate) step: u32,
    founding: Vec<Vec<Draft>>,
    trace: Vec<String>,
    first_day: Timestamp,
}

/// Runs a world to its end.
///
/// # Errors
/// The first rule that does not hold, with what is needed to run it again.
pub fn run(options: Options) -> Result<Report, Box<Failure>> {
    let (seed, steps) = (options.seed, options.steps);
    let mut world = World::new(options);
    // A panic anywhere is a contradiction that somebody found: it ends the world, not the seeds
    // after it.
    let lived = catch_unwind(AssertUnwindSafe(|| world.live(steps)));
    let lived = lived.unwrap_or_else(|panic| Err(Violation::new(Rule::StaysUp, words_of(&*panic))));
    match lived {
        Ok(()) => Ok(world.report),
        Err(violation) => Err(Box::new(Failure { seed, steps, violation, trace: world.trace })),
    }
}

fn words_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    format!("a panic: {}", text.unwrap_or_default())
}

impl World {
    /// The world of a seed, before its first step.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let mut planted = options.planted;
        let mut dice = Dice::new(options.seed);
        let start = START.plus_millis(dice.below(40) * DAY_MILLIS + 1_000);
        let clock = Arc::new(ManualClock::at(start));
        let trap = Arc::new(Trap::default());
        let region = Region::new(&mut dice);
        let machine = Machine::new(region.genesis(), Arc::clone(&clock), &mut dice);
        let rails = Rails::new(&region, &clock, &trap, &mut dice, planted.rail);
        let faults = *dice.pick(&[0, 0, 50, 150, 300]);
        let network = Network::new(dice.fork("network"), faults);
        let audit = Audit::new(planted.lens.take());
        let mut founding = region.founding();
        founding.reverse();
        Self {
            life: Life::new(dice.fork("life")),
            dice: dice.fork("clients"),
            clock,
            region,
            machine,
            network,
            rails,
            trap,
            executors: None,
            jobs: Vec::new(),
            unsettled: Vec::new(),
            visits: Vec::new(),
            earmarks: Vec::new(),
            books: Books::default(),
            plans: PlanMemo::default(),
            audit,
            report: Report::default(),
            planted,
            step: 0,
            founding,
            trace: Vec::new(),
            first_day: start,
        }
    }

    fn live(&mut self, steps: u32) -> Result<(), Violation> {
        self.start()?;
        while self.step < steps {
            self.step += 1;
            self.pass_time();
            self.take_step()?;
            self.end_life_in_time()?;
        }
        self.become_quiet()?;
        self.check_at_rest()
    }

    /// The node, which is up whenever clients act.
    pub(crate) fn node(&self) -> &NodeHandle {
        self.machine.node().expect("the node is up whenever clients act")
    }

    pub(crate) fn view(&self) -> Arc<ReadView> {
        self.node().view()
    }

    /// The time as clients know it: the clock, and never before block time.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now().max(self.view().tip.time)
    }

    pub(crate) fn is_founded(&self) -> bool {
        self.founding.is_empty() && self.report.founded
    }

    /// The instants between which the run lies.
    pub(crate) fn span(&self) -> (Timestamp, Timestamp) {
        (self.first_day, self.clock.now().max(self.audit.log.time()))
    }

    pub(crate) fn note(&mut self, words: impl std::fmt::Display) {
        if self.trace.len() >= 4 * TRACE_LINES {
            self.trace.drain(..2 * TRACE_LINES);
        }
        let line = format!("{:>4} {} {words}", self.step, self.clock.now());
        self.report.digest = sha256_parts(&[self.report.digest.as_bytes(), line.as_bytes()]);
        self.trace.push(line);
    }

    fn pass_time(&mut self) {
        let is_founded = self.is_founded();
        let dice = &mut self.dice;
        let millis = match dice.below(100) {
            0..60 => dice.between(1, 5_000),
            60..85 => dice.between(1_000, 300_000),
            85..95 => dice.between(60_000, 4 * 3_600_000),
            95..97 => dice.between(1, 3) * DAY_MILLIS,
            97 if is_founded => dice.between(5, 30) * DAY_MILLIS,
            _ => 0,
        };
        if millis > 0 {
            if millis > DAY_MILLIS {
                self.report.faults.note(Fault::ClockAhead);
            }
            self.clock.advance_millis(millis);
            return;
        }
        // The clock is set back, as when a machine asks for the time again.
        let back = self.dice.between(1, 900_000);
        self.clock.set(Timestamp::from_millis(self.clock.now().millis().saturating_sub(back)));
        self.report.faults.note(Fault::ClockBack);
        self.note(format_args!("the clock goes {back} ms back"));
    }

    fn take_step(&mut self) -> Result<(), Violation> {
        self.found();
        if self.is_founded() {
            self.act();
        }
        self.send_all()?;
        self.drive_executors()?;
        if self.dice.chance(100) {
            self.machine.copy_history();
        }
        Ok(())
    }

    /// Begins the next stage of the founding when the one before is accepted.
    pub(crate) fn found(&mut self) {
        if self.report.founded || !self.all_founding_accepted() {
            return;
        }
        match self.founding.pop() {
            Some(stage) => {
                for draft in stage {
                    self.offer(Intent::Found, draft, Persistence::UntilAccepted);
                }
            }
            None => {
                self.report.founded = true;
                self.note("the region is founded");
                if self.planted.disk == Some(DiskBug::Lies) {
                    self.life.let_disk_lie();
                }
            }
        }
    }

    /// Whether every founding job, or one signed anew in its place, is accepted.
    fn all_founding_accepted(&self) -> bool {
        let founding = self.jobs.iter().filter(|job| matches!(job.intent, Intent::Found));
        founding.filter(|job| !job.is_replaced).all(|job| matches!(job.fate, Fate::Accepted(_)))
    }

    /// Signs a draft and keeps it as a job; its number.
    pub(crate) fn offer(
        &mut self,
        intent: Intent,
        draft: Draft,
        persistence: Persistence,
    ) -> usize {
        let key = self.dice.bytes();
        let transaction = draft.sign(self.region.chain_id, self.now(), key);
        self.take_on(Job::new(intent, draft, transaction, persistence))
    }

    pub(crate) fn take_on(&mut self, job: Job<Intent>) -> usize {
        let number = self.jobs.len();
        self.note(format_args!("job {number}: {} {:?}", job.draft.name, job.intent));
        self.jobs.push(job);
        self.unsettled.push(number);
        number
    }

    /// Sends what clients have to send, in one or several lots, and lets them learn from the
    /// answers.
    pub(crate) fn send_all(&mut self) -> Result<(), Violation> {
        let mut wave: Vec<(Option<usize>, Transaction)> =
            self.network.arrivals().into_iter().map(|late| (None, late)).collect();
        for number in self.unsettled.clone() {
            let job = &mut self.jobs[number];
            if !job.is_open() || (job.is_sent && self.dice.chance(500)) {
                continue;
            }
            job.is_sent = true;
            let transaction = job.transaction.clone();
            match self.network.send(&transaction) {
                Delivery::Well | Delivery::Twice => wave.push((Some(number), transaction)),
                Delivery::AnswerLost => wave.push((None, transaction)),
                Delivery::RequestLost | Delivery::Late => {}
            }
        }
        self.repeat_old(&mut wave);
        for last in (1..wave.len()).rev() {
            let other = self.dice.place(last + 1);
            wave.swap(last, other);
            self.report.faults.note_many(Fault::RequestsReordered, u64::from(other != last));
        }
        let lot = match self.dice.below(3) {
            0 => 1,
            1 => 3,
            _ => usize::MAX,
        };
        while !wave.is_empty() && self.machine.is_well() {
            let rest = wave.split_off(wave.len().min(lot));
            self.send_lot(std::mem::replace(&mut wave, rest))?;
        }
        self.settle_jobs()
    }

    /// Something that was answered long ago arrives once more.
    fn repeat_old(&mut self, wave: &mut Vec<(Option<usize>, Transaction)>) {
        if !self.jobs.is_empty() && self.dice.chance(150) {
            let old = self.dice.place(self.jobs.len());
            wave.push((None, self.jobs[old].transaction.clone()));
            self.report.faults.note(Fault::OldRequestRepeated);
        }
    }

    fn send_lot(&mut self, lot: Vec<(Option<usize>, Transaction)>) -> Result<(), Violation> {
        let (numbers, transactions): (Vec<_>, Vec<_>) = lot.into_iter().unzip();
        let ids: Vec<_> = transactions.iter().map(|one| one.content.id()).collect();
        let answers = self.node().submit_all(transactions);
        for ((number, id), answer) in numbers.into_iter().zip(ids).zip(answers) {
            if let Ok(submitted) = &answer {
                self.audit.acknowledged(id, submitted)?;
            }
            if let Some(number) = number {
                let words = match &answer {
                    Ok(submitted) => format!("{:?}", submitted.receipt.record.outcome),
                    Err(error) => error.to_string(),
                };
                self.note(format_args!("job {number}: {words}"));
                self.jobs[number].learn(&answer);
            }
        }
        self.look(Scope::Touched)
    }

    pub(crate) fn look(&mut self, scope: Scope) -> Result<(), Violation> {
        let Some(node) = self.machine.node() else { return Ok(()) };
        match self.audit.read(node) {
            Ok((shown, view)) => self.audit.judge(shown, &view, scope),
            // Without power nothing can be read; what came is looked at after the next start.
            Err(_) if self.machine.disk().is_off() => Ok(()),
            Err(violation) => Err(violation),
        }
    }

    /// Draws the consequences of what is final.
    fn settle_jobs(&mut self) -> Result<(), Violation> {
        let tip_time = self.view().tip.time;
        for number in std::mem::take(&mut self.unsettled) {
            let node = self.machine.node().expect("the node is up whenever clients act");
            self.jobs[number].look(node, tip_time);
            match self.jobs[number].fate {
                Fate::Accepted(index) => {
                    let receipt = read_receipt(self.node(), index)?;
                    self.accepted(number, &receipt);
                }
                Fate::Dead => self.dead(number),
                Fate::Unknown | Fate::Rejected(_) => self.unsettled.push(number),
            }
        }
        Ok(())
    }

    fn accepted(&mut self, number: usize, receipt: &Receipt) {
        self.note(format_args!("job {number} is accepted"));
        self.on_accepted(number, receipt);
    }

    fn dead(&mut self, number: usize) {
        if self.jobs[number].persistence == Persistence::UntilAccepted {
            self.jobs[number].is_replaced = true;
            let draft = self.jobs[number].draft.clone();
            let intent = self.jobs[number].intent.clone();
            self.offer(intent, draft, Persistence::UntilAccepted);
        }
    }

    /// Lets the outboxes work, and die on it now and then.
    pub(crate) fn drive_executors(&mut self) -> Result<(), Violation> {
        if !self.machine.is_well() || !self.dice.chance(600) {
            return Ok(());
        }
        if self.life.kills_executors() {
            self.trap.set(self.dice.between(1, 12));
        }
        self.round().map(|_| ())
    }

    /// One round of the outboxes; whether it did something.
    pub(crate) fn round(&mut self) -> Result<bool, Violation> {
        let executors = self.executors.as_ref().expect("outboxes are open while the node is up");
        let round = executors.round(self.life.bank_sleeps());
        self.trap.unset();
        let broken = |error: &dyn std::fmt::Display| Violation::new(Rule::StaysUp, error);
        let has_worked = match round.map_err(|error| broken(&error))? {
            Round::Done { has_worked } => has_worked,
            Round::Killed => {
                self.note("an outbox is killed");
                self.report.faults.note(Fault::OutboxKilled);
                self.executors = None;
                self.open_executors()?;
                true
            }
        };
        if self.machine.is_well() {
            self.look(Scope::Touched)?;
        }
        Ok(has_worked)
    }

    pub(crate) fn open_executors(&mut self) -> Result<(), Violation> {
        let around = Surroundings {
            region: &self.region,
            rails: &self.rails,
            clock: &self.clock,
            trap: &self.trap,
            folder: self.machine.folder(),
        };
        let opened = Executors::open(self.node(), &around);
        let broken = |error| Violation::new(Rule::Recovery, format!("an outbox: {error}"));
        self.executors = Some(opened.map_err(broken)?);
        Ok(())
    }

    /// A quick look at a row of the state.
    pub(crate) fn with_state<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.view().state)
    }
}
