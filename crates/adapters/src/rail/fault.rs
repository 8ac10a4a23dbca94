//! A line to a rail that misbehaves, by seed: requests that do not arrive, arrive twice or arrive
//! late, and answers that do not come back. For proving exactly-once and for demonstrations.

use std::sync::{Arc, Mutex, PoisonError};

use primitives::{CivilDate, Currency};

use crate::rail::{Answer, Order, Outcome, Rail, RailUnavailable, Reference, StatementLine, Style};

/// What can go wrong with one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The request is lost: time-out before anything was done.
    RequestLost,
    /// The request is carried out and the answer is lost: time-out after everything was done.
    AnswerLost,
    /// The request arrives twice; the second answer comes back.
    Duplicated,
    /// The request stays under way and arrives after some later calls; no answer comes back.
    Late,
}

impl Fault {
    /// Every fault there is.
    pub const ALL: [Self; 4] = [Self::RequestLost, Self::AnswerLost, Self::Duplicated, Self::Late];
}

/// How often each fault has happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineCounts {
    /// Orders that did not arrive.
    pub orders_lost: u64,
    /// Orders whose answer was lost.
    pub answers_lost: u64,
    /// Orders that arrived twice.
    pub orders_twice: u64,
    /// Orders that arrived late.
    pub orders_late: u64,
    /// Questions without an answer.
    pub queries_unanswered: u64,
}

/// Which calls go wrong, and how: a share of them by seed, or a list.
#[derive(Clone, Debug)]
pub enum FaultPlan {
    /// Nothing goes wrong.
    Never,
    /// The first calls go as listed (`None` is well); all later ones go well.
    Listed(Vec<Option<Fault>>),
    /// So many calls of a thousand go wrong, each in a way drawn from the seed.
    Seeded {
        /// Where all draws come from.
        seed: u64,
        /// How many calls of a thousand go wrong.
        per_mille: u16,
    },
}

/// A rail behind a line with faults.
pub struct FaultyRail {
    rail: Arc<dyn Rail>,
    line: Mutex<Line>,
}

struct Line {
    plan: FaultPlan,
    draws: u64,
    calls: u64,
    /// Orders under way, and the number of the call before which they arrive.
    under_way: Vec<(u64, Order)>,
    counts: LineCounts,
}

/// The most calls that a late request waits for.
const LATE_CALLS_MAX: u64 = 6;

impl FaultyRail {
    /// This rail behind a line that misbehaves as planned.
    #[must_use]
    pub fn new(rail: Arc<dyn Rail>, plan: FaultPlan) -> Self {
        let (under_way, counts) = (Vec::new(), LineCounts::default());
        let line = Line { plan, draws: 0, calls: 0, under_way, counts };
        Self { rail, line: Mutex::new(line) }
    }

    /// Lets everything that is under way arrive, and ends all faults.
    pub fn calm(&self) {
        let late = self.with_line(|line| {
            line.plan = FaultPlan::Never;
            std::mem::take(&mut line.under_way)
        });
        for (_, order) in late {
            // Nobody waits for this answer any more.
            let _ = self.rail.perform(&order);
        }
    }

    /// How many requests are under way.
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.with_line(|line| line.under_way.len())
    }

    /// How often each fault has happened.
    #[must_use]
    pub fn counts(&self) -> LineCounts {
        self.with_line(|line| line.counts)
    }

    /// A fault happens to an order.
    fn count(&self, fault: Fault) {
        self.with_line(|line| {
            let counts = &mut line.counts;
            let count = match fault {
                Fault::RequestLost => &mut counts.orders_lost,
                Fault::AnswerLost => &mut counts.answers_lost,
                Fault::Duplicated => &mut counts.orders_twice,
                Fault::Late => &mut counts.orders_late,
            };
            *count = count.saturating_add(1);
        });
    }

    /// A question stays without an answer.
    fn count_query(&self) {
        self.with_line(|line| {
            line.counts.queries_unanswered = line.counts.queries_unanswered.saturating_add(1);
        });
    }

    fn with_line<T>(&self, work: impl FnOnce(&mut Line) -> T) -> T {
        work(&mut self.line.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Counts a call, lets late requests arrive, and says what goes wrong with this one.
    fn next_call(&self) -> Option<Fault> {
        let (fault, arriving) = self.with_line(Line::next_call);
        for order in arriving {
            let _ = self.rail.perform(&order);
        }
        fault
    }
}

impl Line {
    fn next_call(&mut self) -> (Option<Fault>, Vec<Order>) {
        self.calls = self.calls.saturating_add(1);
        let calls = self.calls;
        let arriving = self.under_way.extract_if(.., |(due, _)| *due <= calls);
        let arriving = arriving.map(|(_, order)| order).collect();
        (self.fault(), arriving)
    }

    fn fault(&mut self) -> Option<Fault> {
        let position = usize::try_from(self.calls.saturating_sub(1)).unwrap_or(usize::MAX);
        match self.plan {
            FaultPlan::Never => None,
            FaultPlan::Listed(ref faults) => faults.get(position).copied().flatten(),
            FaultPlan::Seeded { per_mille, .. } => {
                if self.draw(1_000) >= u64::from(per_mille) {
                    return None;
                }
                let kinds = u64::try_from(Fault::ALL.len()).unwrap_or(1);
                let kind = usize::try_from(self.draw(kinds)).unwrap_or(0);
                Fault::ALL.get(kind).copied()
            }
        }
    }

    /// A number below `bound`, drawn from the plan's seed (SplitMix64).
    fn draw(&mut self, bound: u64) -> u64 {
        let seed = match self.plan {
            FaultPlan::Seeded { seed, .. } => seed,
            FaultPlan::Never | FaultPlan::Listed(_) => 0,
        };
        self.draws = self.draws.saturating_add(1);
        let mut z = seed.wrapping_add(self.draws.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)).checked_rem(bound).unwrap_or(0)
    }

    fn delay(&mut self, order: &Order) {
        let wait = self.draw(LATE_CALLS_MAX).saturating_add(1);
        self.under_way.push((self.calls.saturating_add(wait), order.clone()));
    }
}

impl Rail for FaultyRail {
    fn name(&self) -> &str {
        self.rail.name()
    }

    fn style(&self) -> Style {
        self.rail.style()
    }

    fn currency(&self) -> Currency {
        self.rail.currency()
    }

    fn perform(&self, order: &Order) -> Outcome {
        let fault = self.next_call();
        if let Some(fault) = fault {
            self.count(fault);
        }
        match fault {
            None => self.rail.perform(order),
            Some(Fault::RequestLost) => Outcome::Unknown,
            Some(Fault::AnswerLost) => {
                let _ = self.rail.perform(order);
                Outcome::Unknown
            }
            Some(Fault::Duplicated) => {
                let _ = self.rail.perform(order);
                self.rail.perform(order)
            }
            Some(Fault::Late) => {
                self.with_line(|line| line.delay(order));
                Outcome::Unknown
            }
        }
    }

    fn query(&self, reference: &Reference) -> Answer {
        match self.next_call() {
            None | Some(Fault::Duplicated) => self.rail.query(reference),
            Some(Fault::RequestLost | Fault::AnswerLost | Fault::Late) => {
                self.count_query();
                Answer::Unknown
            }
        }
    }

    fn reconcile(&self, day: CivilDate) -> Result<Vec<StatementLine>, RailUnavailable> {
        match self.next_call() {
            None | Some(Fault::Duplicated) => self.rail.reconcile(day),
            Some(Fault::RequestLost | Fault::AnswerLost | Fault::Late) => Err(RailUnavailable),
        }
    }
}
