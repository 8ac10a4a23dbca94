//! How cash is paid: later from a card, held on a card, or over the counter; and how what was held
//! or taken for nothing is given back, once it is certain that it is for nothing.

use std::collections::{BTreeMap, BTreeSet};

use adapters::rail::counter::Taking;
use adapters::rail::fault::FaultyRail;
use adapters::rail::{Action, Answer, Order, Outcome, Rail as _, Reference, Refusal, Verdict};
use ledger::modules::visit::{CashLeg, RailKind};
use node::outbox::{Authorisation, Note};
use primitives::{Amount, Hash, Text, sha256, sha256_parts};

use crate::actor::{SharedActor, organisation};
use crate::check::effects::PaidBefore;
use crate::executor::{Owner, name};
use crate::job::Fate;
use crate::planted::DeskBug;
use crate::rails::{COUNTER, CREDIT, DEBIT, FLOAT, bank};
use crate::region::{BUREAU, DAY_MILLIS};
use crate::world::World;

/// How often a desk asks at once when no answer comes.
const ASKS_AT_ONCE: usize = 6;

/// Where earmarked money is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Where {
    /// Held on a card, perhaps: the answer may not have come.
    Held,
    /// In a provider's till.
    Taken,
}

/// Money that was held or taken for jobs of which at most one will use it.
pub struct Earmark {
    reference: Reference,
    amount: Amount,
    place: Where,
    provider: usize,
    jobs: Vec<usize>,
    /// How often giving it back was tried under a reference of its own.
    undo_attempts: u32,
    /// Whether it is used or given back.
    pub is_closed: bool,
}

/// A way to pay in cash, ready to be put into a transaction.
pub struct Leg {
    /// What the transaction says.
    pub leg: CashLeg,
    /// Who signs besides the provider.
    pub signer: Option<SharedActor>,
    /// What was set aside for it.
    pub earmark: Option<usize>,
}

impl World {
    /// Prepares a cash payment of this amount for a visit, in one of the ways that its person has.
    pub(super) fn cash_leg(&mut self, visit: usize, amount: Amount) -> Option<Leg> {
        let (person, provider) = (self.visits[visit].person, self.visits[visit].provider);
        let has_card = self.rails.debit.cards[person].is_some();
        match self.dice.below(3) {
            0 if has_card => self.pay_later(person),
            1 if has_card => self.hold(person, provider, amount),
            _ => self.take_cash(provider, amount),
        }
    }

    fn pay_later(&mut self, person: usize) -> Option<Leg> {
        let from = self.rails.debit.cards[person].clone()?;
        self.leg(Owner::Bank, DEBIT, Note::Later { from }, None)
    }

    fn hold(&mut self, person: usize, provider: usize, amount: Amount) -> Option<Leg> {
        let from = self.rails.credit.cards[person].clone()?;
        let reference = self.reference("hold");
        let expires_at = self.now().plus_millis(3 * DAY_MILLIS);
        let order = Order { reference, action: Action::Hold { from, amount, expires_at } };
        let verdict = self.order(None, &order);
        let earmark = self.earmark(reference, amount, Where::Held, provider);
        match verdict {
            Some(Verdict::Done(_)) => {
                self.leg(Owner::Bank, CREDIT, Note::Held { reference, amount }, Some(earmark))
            }
            // What may still be held is let go later.
            None => None,
            Some(Verdict::Refused(_)) => {
                self.earmarks[earmark].is_closed = true;
                None
            }
        }
    }

    pub(super) fn take_cash(&mut self, provider: usize, due: Amount) -> Option<Leg> {
        let reference = self.reference("taking");
        let till = &self.rails.tills[provider];
        let clerk = till.clerk.clone();
        let taking = Taking { reference, clerk: clerk.clone(), due, tendered: due };
        till.counter.take_money(&taking).ok()?;
        let earmark = self.earmark(reference, due, Where::Taken, provider);
        self.note_at_till(provider, reference);
        let note = Note::Paid { reference, from: clerk.till(), amount: due };
        self.leg(Owner::Provider(provider), COUNTER, note, Some(earmark))
    }

    pub(super) fn leg(
        &mut self,
        owner: Owner,
        rail: &str,
        note: Note,
        earmark: Option<usize>,
    ) -> Option<Leg> {
        let salt = sha256(&self.dice.bytes());
        let paid = match &note {
            Note::Paid { reference, amount, .. } => {
                Some(PaidBefore { reference: reference.0, amount: *amount })
            }
            Note::Held { .. } | Note::Later { .. } => None,
        };
        let authorisation = Authorisation { rail: name(rail), note, salt };
        let authorisation = self.executors.as_ref()?.record(owner, &authorisation);
        if let Some(paid) = paid {
            self.books.paid_before.insert(authorisation, paid);
        }
        let (executor, signer) = match owner {
            Owner::Bank => (bank(), Some(SharedActor::clone(&self.region.bank))),
            Owner::Bureau => (organisation(BUREAU), Some(SharedActor::clone(&self.region.bureau))),
            Owner::Provider(place) => (self.region.providers[place].code, None),
        };
        let kind = if rail == COUNTER { RailKind::Counter } else { RailKind::Bound };
        let leg = CashLeg { executor, rail: Text::new(rail).ok()?, kind, authorisation };
        Some(Leg { leg, signer, earmark })
    }

    fn reference(&mut self, purpose: &str) -> Reference {
        let number = self.books.number().to_le_bytes();
        Reference(sha256_parts(&[b"yibao/sim-desk/v1", purpose.as_bytes(), &number]))
    }

    fn note_at_till(&mut self, provider: usize, reference: Reference) {
        let known = &mut self.books.known_at_tills;
        known.resize_with(known.len().max(provider + 1), Default::default);
        known[provider].insert(reference.0);
    }

    fn earmark(
        &mut self,
        reference: Reference,
        amount: Amount,
        place: Where,
        provider: usize,
    ) -> usize {
        self.earmarks.push(Earmark {
            reference,
            amount,
            place,
            provider,
            jobs: Vec::new(),
            undo_attempts: 0,
            is_closed: false,
        });
        self.earmarks.len() - 1
    }

    /// A job uses earmarked money.
    pub(super) fn use_earmark(&mut self, earmark: Option<usize>, job: usize) {
        if let Some(earmark) = earmark {
            self.earmarks[earmark].jobs.push(job);
        }
    }

    /// Closes earmarks whose use is certain, and gives back what certainly nobody uses. As long as
    /// a transaction can still be executed, its money stays where it is.
    pub(crate) fn tidy_money(&mut self) {
        let too_early = self.planted.desk == Some(DeskBug::GivesBackTooEarly);
        for place in 0..self.earmarks.len() {
            let earmark = &self.earmarks[place];
            if earmark.is_closed {
                continue;
            }
            let mut fates = earmark.jobs.iter().map(|job| &self.jobs[*job].fate);
            if fates.clone().any(|fate| matches!(fate, Fate::Accepted(_))) {
                self.earmarks[place].is_closed = true;
            } else if fates.all(|fate| *fate == Fate::Dead || too_early) {
                self.give_back(place);
            }
        }
    }

    fn give_back(&mut self, place: usize) {
        let Earmark { reference: original, amount, place: at, provider, undo_attempts, .. } =
            self.earmarks[place];
        let number = undo_attempts.to_le_bytes();
        let tag: &[u8] = b"yibao/sim-undo/v1";
        let reference = Reference(sha256_parts(&[tag, original.0.as_bytes(), &number]));
        let (till, action) = match at {
            Where::Held => (None, Action::Void { original }),
            Where::Taken => {
                let to = Some(self.rails.tills[provider].clerk.till());
                self.note_at_till(provider, reference);
                (Some(provider), Action::Refund { original, amount, to })
            }
        };
        match self.order(till, &Order { reference, action }) {
            Some(Verdict::Done(_)) => self.earmarks[place].is_closed = true,
            Some(Verdict::Refused(Refusal::TillShort)) => {
                self.bring_change(provider, amount);
                self.earmarks[place].undo_attempts += 1;
            }
            Some(Verdict::Refused(refusal)) => {
                self.note(format_args!("the rail refuses to give {amount:?} back: {refusal}"));
                self.earmarks[place].is_closed = true;
            }
            None => {}
        }
    }

    /// Gives an order to the till of a provider, or to the bank's rail that holds.
    fn order(&self, till: Option<usize>, order: &Order) -> Option<Verdict> {
        let line = till.map_or(&self.rails.credit.line, |till| &self.rails.tills[till].line);
        ask(&line.line, order)
    }

    /// Brings money from the safe into a till.
    pub(crate) fn bring_change(&mut self, provider: usize, amount: Amount) {
        let reference = self.reference("change");
        self.note_at_till(provider, reference);
        let till = &self.rails.tills[provider];
        // It is needed only if the till is short; a refusal shows in what follows.
        let _ = till.counter.add_change(reference, &till.clerk, amount);
    }

    /// Clerks hand out what waits for them.
    pub(super) fn hand_out_some(&mut self) {
        for provider in 0..self.region.providers.len() {
            if self.dice.chance(300) {
                self.hand_out(provider);
            }
            if self.dice.chance(20) {
                self.change_shift(provider);
            }
        }
    }

    /// A shift ends and the next begins: what is in the till goes to the safe but for a float, so
    /// that a later refund may find the till short.
    fn change_shift(&self, provider: usize) {
        let till = &self.rails.tills[provider];
        let Ok(shift) = till.counter.open_shift_of(&till.clerk) else { return };
        if till.counter.close_shift(&till.clerk, shift.expected, None).is_ok() {
            // A till without an open shift is seen by the next who wants to pay.
            let _ = till.counter.open_shift(&till.clerk, FLOAT);
        }
    }

    /// The clerk of a provider hands out everything that waits. Change waits when the till was
    /// short: there the clerk goes to the safe first.
    pub(crate) fn hand_out(&mut self, provider: usize) {
        let Some(executors) = &self.executors else { return };
        let till = self.rails.tills[provider].clerk.till();
        for waiting in executors.waiting_for_clerk(provider) {
            if waiting.effect.original == Some(waiting.reference) {
                self.bring_change(provider, waiting.effect.amount);
            }
            if let Some(executors) = &self.executors {
                executors.hand_out(provider, &waiting.reference, &till);
            }
        }
    }

    /// How many earmarks are open.
    pub(crate) fn open_earmarks(&self) -> usize {
        self.earmarks.iter().filter(|one| !one.is_closed).count()
    }

    /// The references that a provider's desk used at its till by itself.
    pub(crate) fn references_at_till(&self, provider: usize) -> BTreeSet<Hash> {
        self.books.known_at_tills.get(provider).cloned().unwrap_or_default()
    }

    /// What payments that were taken at tills before settlements are known by.
    pub(crate) fn paid_before(&self) -> &BTreeMap<Hash, PaidBefore> {
        &self.books.paid_before
    }
}

/// Gives a rail an order and asks until it has a final word or patience ends.
pub(super) fn ask(line: &FaultyRail, order: &Order) -> Option<Verdict> {
    if let Outcome::Final(verdict) = line.perform(order) {
        return Some(verdict);
    }
    for _ in 0..ASKS_AT_ONCE {
        match line.query(&order.reference) {
            Answer::Final(verdict) => return Some(verdict),
            Answer::NotFound => {
                if let Outcome::Final(verdict) = line.perform(order) {
                    return Some(verdict);
                }
            }
            Answer::InProgress | Answer::Unknown => {}
        }
    }
    None
}
