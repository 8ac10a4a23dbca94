//! The outside of the ledger: a bank with two rails, one that pays at once and one that holds and
//! captures, and a till at every provider; each behind a line that loses, delays and doubles.

use std::sync::Arc;

use adapters::clock::{Clock, ManualClock};
use adapters::rail::card::{BindCard, CardBinding, CardNumber};
use adapters::rail::counter::{Clerk, Counter};
use adapters::rail::fault::{FaultPlan, FaultyRail};
use adapters::rail::sandbox_bank::{NewCustomer, SandboxBank, SandboxBankConfig};
use adapters::rail::{
    Action, Answer, Order, Outcome, Rail, RailUnavailable, Reference, Refusal, StatementLine,
    Style, Token, Verdict,
};
use adapters::sqlite::Place;
use primitives::{Amount, CivilDate, Currency, OrganisationId, sha256_parts};

use crate::actor::organisation;
use crate::clock::{SkewedClock, Trap};
use crate::dice::Dice;
use crate::fault::{Fault, FaultCounts};
use crate::planted::RailBug;
use crate::region::{BANK, BUREAU, OFFSET, Region};

/// The rail that pays at once.
pub const DEBIT: &str = "debit";
/// The rail that holds and captures.
pub const CREDIT: &str = "credit";
/// The bureau's own rail at the bank that pays at once, for payments that it takes over.
pub const CLEARING: &str = "clearing";
/// The rail of tills.
pub const COUNTER: &str = "counter";
/// What is in a till when its shift begins, in minor units: little, so that it can run short.
pub const FLOAT: Amount = Amount::from_minor(20_000);

/// A rail with its line. Who drives effects uses `trapped` and may die on the way; a desk uses
/// `line`.
pub struct Line {
    /// What the desk calls.
    pub line: Arc<FaultyRail>,
    /// The same line for an executor.
    pub trapped: Arc<dyn Rail>,
}

/// One of the bank's rails with its customers.
pub struct BankRail {
    /// The bank behind it.
    pub bank: Arc<SandboxBank>,
    /// The rail.
    pub line: Line,
    /// Each person's card, if the person has an account.
    pub cards: Vec<Option<Token>>,
    holder_cards: Vec<Option<CardNumber>>,
    /// What all customers had at the beginning.
    pub opening: Amount,
}

/// A provider's till.
pub struct Till {
    /// The till behind the rail.
    pub counter: Arc<Counter>,
    /// Its one clerk.
    pub clerk: Clerk,
    /// The rail.
    pub line: Line,
}

/// All rails of a world.
pub struct Rails {
    /// The bank's rail that pays at once.
    pub debit: BankRail,
    /// The bank's rail that holds and captures.
    pub credit: BankRail,
    /// The bureau's rail at the bank that pays at once, and the cards as it knows them.
    pub clearing: (Line, Vec<Option<Token>>),
    /// A till per provider, in their order.
    pub tills: Vec<Till>,
}

impl Rails {
    /// The rails of a world.
    #[must_use]
    pub fn new(
        region: &Region,
        clock: &Arc<ManualClock>,
        trap: &Arc<Trap>,
        dice: &mut Dice,
        bug: Option<RailBug>,
    ) -> Self {
        let mut lines = Lines { trap, dice: dice.fork("lines"), bug };
        let off = i64::try_from(dice.below(180_000)).unwrap_or(0) - 90_000;
        let skewed: Arc<dyn Clock> = Arc::new(SkewedClock::new(Arc::clone(clock), off));
        let seed = dice.below(u64::MAX);
        let debit = BankRail::new(region, &skewed, Style::PayAndRefund, seed, &mut lines);
        let credit = BankRail::new(region, &skewed, Style::HoldAndCapture, seed, &mut lines);
        let clearing = debit.clearing(&mut lines);
        let tills = region.providers.iter().map(|_| Till::new(&skewed, &mut lines)).collect();
        Self { debit, credit, clearing, tills }
    }

    /// The bank's rails by name.
    #[must_use]
    pub fn bank(&self) -> [(&'static str, &BankRail); 2] {
        [(DEBIT, &self.debit), (CREDIT, &self.credit)]
    }

    fn lines(&self) -> impl Iterator<Item = &Line> {
        let tills = self.tills.iter().map(|till| &till.line);
        [&self.debit.line, &self.credit.line, &self.clearing.0].into_iter().chain(tills)
    }

    /// What went wrong on all lines.
    #[must_use]
    pub fn counts(&self) -> FaultCounts {
        let mut counts = FaultCounts::default();
        for line in self.lines() {
            let of = line.line.counts();
            for (fault, count) in [
                (Fault::OrderLost, of.orders_lost),
                (Fault::OrderAnswerLost, of.answers_lost),
                (Fault::OrderTwice, of.orders_twice),
                (Fault::OrderLate, of.orders_late),
                (Fault::QueryUnanswered, of.queries_unanswered),
            ] {
                counts.note_many(fault, count);
            }
        }
        counts
    }

    /// Ends all faults of all lines; what is under way arrives.
    pub fn calm(&self) {
        self.lines().for_each(|line| line.line.calm());
    }
}

/// Makes the lines of a world.
struct Lines<'a> {
    trap: &'a Arc<Trap>,
    dice: Dice,
    bug: Option<RailBug>,
}

impl Lines<'_> {
    fn line(&mut self, rail: Arc<dyn Rail>) -> Line {
        let rail: Arc<dyn Rail> = match self.bug {
            Some(bug) => Arc::new(BuggyRail { rail, bug }),
            None => rail,
        };
        let per_mille = u16::try_from(*self.dice.pick(&[0, 50, 200, 400])).unwrap_or(0);
        let plan = FaultPlan::Seeded { seed: self.dice.below(u64::MAX), per_mille };
        let line = Arc::new(FaultyRail::new(rail, plan));
        let trapped = Arc::new(TrappedRail {
            rail: Arc::clone(&line) as Arc<dyn Rail>,
            trap: Arc::clone(self.trap),
        });
        Line { line, trapped }
    }
}

impl BankRail {
    fn new(
        region: &Region,
        clock: &Arc<dyn Clock>,
        style: Style,
        seed: u64,
        lines: &mut Lines<'_>,
    ) -> Self {
        let mut config = SandboxBankConfig::new(Currency::CNY, style, seed);
        config.offset = OFFSET;
        config.declined_per_mille = 40;
        let bank = SandboxBank::open(&Place::Memory, config, Arc::clone(clock));
        let bank = Arc::new(bank.expect("a database in memory opens"));
        let rail = Arc::new(bank.rail(organisation(BANK)));
        let holders: Vec<(usize, u64)> = region
            .people
            .iter()
            .enumerate()
            .filter_map(|(place, person)| Some((place, person.bank_balance?)))
            .collect();
        let new = holders.iter().map(|(place, balance)| NewCustomer {
            holder: format!("holder {place}"),
            opening: Amount::from_minor(*balance),
        });
        let customers = bank.open_accounts(&new.collect::<Vec<_>>()).expect("accounts open");
        let mut holder_cards = vec![None; region.people.len()];
        for ((place, _), customer) in holders.iter().zip(customers) {
            holder_cards[*place] = Some(customer.card);
        }
        let cards = bind(&*rail, &holder_cards);
        let opening = holders.iter().map(|(_, balance)| Amount::from_minor(*balance));
        let opening = opening.fold(Amount::ZERO, Amount::saturating_add);
        Self { bank, line: lines.line(rail), cards, holder_cards, opening }
    }

    /// The bureau's rail at this bank.
    fn clearing(&self, lines: &mut Lines<'_>) -> (Line, Vec<Option<Token>>) {
        let rail = Arc::new(self.bank.rail(organisation(BUREAU)));
        let cards = bind(&*rail, &self.holder_cards);
        (lines.line(rail), cards)
    }
}

/// Binds everybody's card for the owner of a rail.
fn bind(rail: &dyn CardBinding, cards: &[Option<CardNumber>]) -> Vec<Option<Token>> {
    let bind = |(place, card): (usize, &Option<CardNumber>)| {
        let request = BindCard {
            reference: Reference(sha256_parts(&[b"yibao/sim-card/v1", &place.to_le_bytes()])),
            number: card.clone()?,
            holder_name: format!("holder {place}"),
        };
        rail.bind_card(&request).ok().map(|bound| bound.token)
    };
    cards.iter().enumerate().map(bind).collect()
}

impl Till {
    fn new(clock: &Arc<dyn Clock>, lines: &mut Lines<'_>) -> Self {
        let counter = Counter::open(&Place::Memory, Currency::CNY, OFFSET, Arc::clone(clock));
        let counter = Arc::new(counter.expect("a database in memory opens"));
        let clerk: Clerk = "clerk-1".parse().expect("a clerk's code");
        counter.open_shift(&clerk, FLOAT).expect("a new till has no open shift");
        let line = lines.line(Arc::clone(&counter) as Arc<dyn Rail>);
        Self { counter, clerk, line }
    }
}

/// The organisation that the bank's rails belong to.
#[must_use]
pub fn bank() -> OrganisationId {
    organisation(BANK)
}

/// A rail at whose call a process may die, before and after.
struct TrappedRail {
    rail: Arc<dyn Rail>,
    trap: Arc<Trap>,
}

impl TrappedRail {
    fn call<T>(&self, call: impl FnOnce(&dyn Rail) -> T) -> T {
        self.trap.pass();
        let answer = call(&*self.rail);
        self.trap.pass();
        answer
    }
}

impl Rail for TrappedRail {
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
        self.call(|rail| rail.perform(order))
    }

    fn query(&self, reference: &Reference) -> Answer {
        self.call(|rail| rail.query(reference))
    }

    fn reconcile(&self, day: CivilDate) -> Result<Vec<StatementLine>, RailUnavailable> {
        self.call(|rail| rail.reconcile(day))
    }
}

/// A rail with a planted bug.
struct BuggyRail {
    rail: Arc<dyn Rail>,
    bug: RailBug,
}

impl BuggyRail {
    /// The same order under a reference that nobody asked for.
    fn again(order: &Order) -> Order {
        let tag: &[u8] = b"yibao/sim-second-payment/v1";
        let reference = Reference(sha256_parts(&[tag, order.reference.0.as_bytes()]));
        Order { reference, action: order.action.clone() }
    }
}

impl Rail for BuggyRail {
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
        let is_payment = matches!(
            order.action,
            Action::Pay { .. } | Action::Refund { .. } | Action::PayOut { .. }
        );
        match self.bug {
            RailBug::MovesTwice if is_payment => {
                let outcome = self.rail.perform(order);
                let _ = self.rail.perform(&Self::again(order));
                outcome
            }
            RailBug::MovesUnderAnotherReference if is_payment => {
                self.rail.perform(&Self::again(order))
            }
            RailBug::SaysRefused if is_payment => refused(&self.rail.perform(order)),
            RailBug::NeverAnswers => Outcome::Unknown,
            RailBug::Panics if is_payment => panic!("a planted panic"),
            _ => self.rail.perform(order),
        }
    }

    fn query(&self, reference: &Reference) -> Answer {
        match self.rail.query(reference) {
            _ if self.bug == RailBug::NeverAnswers => Answer::Unknown,
            Answer::Final(verdict) if self.bug == RailBug::SaysRefused => {
                match refused(&Outcome::Final(verdict)) {
                    Outcome::Final(verdict) => Answer::Final(verdict),
                    Outcome::Unknown => Answer::Unknown,
                }
            }
            answer => answer,
        }
    }

    fn reconcile(&self, day: CivilDate) -> Result<Vec<StatementLine>, RailUnavailable> {
        self.rail.reconcile(day)
    }
}

/// The same answer with a refusal in place of a payment.
fn refused(outcome: &Outcome) -> Outcome {
    match outcome {
        Outcome::Final(_) => Outcome::Final(Verdict::Refused(Refusal::Declined)),
        Outcome::Unknown => Outcome::Unknown,
    }
}
