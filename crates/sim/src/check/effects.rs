//! Payments outside: what the ledger ordered, what executors said, and what rails did.

use std::collections::{BTreeMap, BTreeSet};

use adapters::rail::{Movement, Rail, Reference, StatementLine};
use ledger::kernel::account::{Account, Books};
use ledger::kernel::effect::{EffectAction, EffectResult, EffectStatus};
use ledger::kernel::posting;
use ledger::modules::visit::{ConfirmEffect, RetryEffect, TakeOverEffect, view};
use ledger::{Effect, State};
use primitives::{Amount, CivilDate, Hash, OrganisationId, RegionId};

use super::{Executed, Rule, Scope, Violation, require};

/// In so many tries a clerk has handed change out.
const CHANGE_TRIES_MAX: u32 = 64;

/// A payment that the ledger ordered.
#[derive(Clone, Debug)]
pub struct Ordered {
    /// The order.
    pub effect: Effect,
    /// Where it stands, as the receipts say.
    pub status: EffectStatus,
}

/// Every payment that was ordered, by its reference.
#[derive(Default)]
pub struct EffectCheck {
    effects: BTreeMap<Hash, Ordered>,
    touched: BTreeSet<Hash>,
}

impl EffectCheck {
    /// Every payment, by its reference.
    #[must_use]
    pub const fn all(&self) -> &BTreeMap<Hash, Ordered> {
        &self.effects
    }

    /// How many payments have no word yet.
    #[must_use]
    pub fn pending_count(&self) -> usize {
        self.effects.values().filter(|one| one.status == EffectStatus::Pending).count()
    }

    pub(super) fn accepted(&mut self, executed: &Executed<'_>) -> Result<(), Violation> {
        if let Some(body) = executed.body::<ConfirmEffect>() {
            let status = match body.result {
                EffectResult::Done { .. } => EffectStatus::Done,
                EffectResult::Failed { .. } => EffectStatus::Failed,
            };
            self.turn(executed.index, &body.effect, EffectStatus::Pending, status)?;
        } else if let Some(body) = executed.body::<RetryEffect>() {
            self.turn(executed.index, &body.effect, EffectStatus::Failed, EffectStatus::Replaced)?;
        } else if let Some(body) = executed.body::<TakeOverEffect>() {
            self.turn(executed.index, &body.effect, EffectStatus::Pending, EffectStatus::Replaced)?;
        }
        let id = executed.receipt.record.transaction_id;
        for effect in &executed.receipt.effects {
            let reference = Effect::reference(id, effect.number);
            let ordered = Ordered { effect: effect.clone(), status: EffectStatus::Pending };
            self.touched.insert(reference);
            let before = self.effects.insert(reference, ordered);
            require(Rule::EffectsAgree, before.is_none(), || {
                format!("payment {reference} was ordered twice")
            })?;
        }
        Ok(())
    }

    fn turn(
        &mut self,
        index: u64,
        reference: &Hash,
        from: EffectStatus,
        to: EffectStatus,
    ) -> Result<(), Violation> {
        self.touched.insert(*reference);
        let known = self.effects.get_mut(reference).filter(|known| known.status == from);
        match known {
            Some(known) => {
                known.status = to;
                Ok(())
            }
            None => {
                let words =
                    format!("receipt {index} makes {to:?} of {reference}, which is not {from:?}");
                Err(Violation::new(Rule::EffectsAgree, words))
            }
        }
    }

    pub(super) fn compare(&mut self, state: &State, scope: Scope) -> Result<(), Violation> {
        let touched = std::mem::take(&mut self.touched);
        match scope {
            Scope::Touched => touched.iter().try_for_each(|one| self.compare_one(state, one)),
            Scope::All => self.effects.keys().try_for_each(|one| self.compare_one(state, one)),
        }
    }

    fn compare_one(&self, state: &State, reference: &Hash) -> Result<(), Violation> {
        let own = &self.effects[reference];
        let row = view::effect(state, reference);
        let is_same = row.as_ref().is_some_and(|row| {
            row.status == own.status
                && row.amount == own.effect.amount
                && row.executor == own.effect.executor
                && row.action == own.effect.action
        });
        require(Rule::EffectsAgree, is_same, || {
            format!("payment {reference} is {:?}, the ledger says {row:?}", own.status)
        })?;
        let held = posting::held(state, reference).map(|hold| hold.entry.amount);
        let expected = (own.status == EffectStatus::Pending).then_some(own.effect.amount);
        require(Rule::EffectsAgree, held == expected, || {
            format!("payment {reference} is {:?}, its held amount is {held:?}", own.status)
        })
    }

    /// When all is quiet: what a rail moved is what the ledger says was done, each once.
    ///
    /// # Errors
    /// The first movement that nobody ordered, or order without its movement.
    pub fn compare_rail(&self, outside: &Outside<'_>) -> Result<(), Violation> {
        let mut lines: BTreeMap<Hash, Vec<StatementLine>> = BTreeMap::new();
        for line in outside.statement()? {
            lines.entry(line.reference.0).or_default().push(line);
        }
        for (reference, ordered) in &self.effects {
            let Ordered { effect, status } = ordered;
            if *effect.rail != *outside.rail || effect.executor != outside.executor {
                continue;
            }
            // Without a word its money may have moved or not.
            if *status == EffectStatus::Pending {
                lines.remove(reference);
                take_change(reference, &mut lines);
                continue;
            }
            if let Some(paid) = outside.paid_before.get(&effect.authorisation) {
                check_paid_before(reference, ordered, paid, &mut lines)?;
                continue;
            }
            let moved = lines.remove(reference).unwrap_or_default();
            let movement = match effect.action {
                EffectAction::Collect => Movement::Collected,
                EffectAction::Refund | EffectAction::Release => Movement::Refunded,
                EffectAction::PayOut => Movement::PaidOut,
            };
            let is_right = match status {
                EffectStatus::Done => matches!(
                    moved.as_slice(),
                    [one] if one.movement == movement && one.amount == effect.amount
                ),
                _ => moved.is_empty(),
            };
            require(Rule::EffectsAgree, is_right, || {
                format!(
                    "payment {reference} of {:?} is {status:?}, the rail moved {moved:?}",
                    effect.amount
                )
            })?;
        }
        let unknown = lines.keys().find(|reference| !outside.known.contains(reference));
        match unknown {
            Some(reference) => {
                let words = format!("the rail moved money under {reference}, which nobody ordered");
                Err(Violation::new(Rule::EffectsAgree, words))
            }
            None => Ok(()),
        }
    }
}

/// Money that was taken before the settlement, under a reference of its own.
#[derive(Clone, Copy, Debug)]
pub struct PaidBefore {
    /// The reference at the rail.
    pub reference: Hash,
    /// How much was taken.
    pub amount: Amount,
}

/// A payment whose money was taken before: it never fails, and what was too much went back once.
fn check_paid_before(
    reference: &Hash,
    ordered: &Ordered,
    paid: &PaidBefore,
    lines: &mut BTreeMap<Hash, Vec<StatementLine>>,
) -> Result<(), Violation> {
    require(Rule::EffectsAgree, ordered.status != EffectStatus::Failed, || {
        format!("payment {reference} failed, although the money had been taken before: {paid:?}")
    })?;
    let taken = lines.get(&paid.reference).cloned().unwrap_or_default();
    let is_taken = matches!(taken.as_slice(), [one] if one.amount == paid.amount);
    let change = take_change(reference, lines);
    let too_much = paid.amount.checked_sub(ordered.effect.amount);
    let is_even = match (too_much, change.as_slice()) {
        (Some(Amount::ZERO), []) => true,
        (Some(too_much), [back]) => back.movement == Movement::Refunded && back.amount == too_much,
        _ => false,
    };
    require(Rule::EffectsAgree, is_taken && is_even, || {
        let wanted = ordered.effect.amount;
        format!(
            "payment {reference} of {wanted:?} was {paid:?}: the rail has {taken:?}, {change:?}"
        )
    })
}

/// What went back as change of a payment, in all tries.
fn take_change(
    reference: &Hash,
    lines: &mut BTreeMap<Hash, Vec<StatementLine>>,
) -> Vec<StatementLine> {
    let references = (0..CHANGE_TRIES_MAX).map(|number| Reference::of_effect(reference, number).0);
    references.filter_map(|reference| lines.remove(&reference)).flatten().collect()
}

/// A rail as its owner sees it at the end.
pub struct Outside<'a> {
    /// Its name on the ledger.
    pub rail: &'a str,
    /// Whose it is.
    pub executor: OrganisationId,
    /// The rail without its line.
    pub source: &'a dyn Rail,
    /// The days of the run.
    pub days: (CivilDate, CivilDate),
    /// Payments that were taken before a settlement, by the commitment that the settlement carries.
    pub paid_before: &'a BTreeMap<Hash, PaidBefore>,
    /// References that the desks used by themselves.
    pub known: &'a BTreeSet<Hash>,
}

impl Outside<'_> {
    fn statement(&self) -> Result<Vec<StatementLine>, Violation> {
        let (mut day, last) = self.days;
        let mut lines = Vec::new();
        while day <= last {
            let found = self.source.reconcile(day);
            lines.extend(found.map_err(|error| Violation::new(Rule::EffectsAgree, error))?);
            let Some(next) = day.plus_days(1) else { break };
            day = next;
        }
        Ok(lines)
    }

    /// What was collected less what was given back, as the statement says.
    ///
    /// # Errors
    /// When there is no statement.
    pub fn net(&self) -> Result<i128, Violation> {
        let signed = |line: &StatementLine| {
            let amount = i128::from(line.amount.minor());
            if line.movement == Movement::Collected { amount } else { -amount }
        };
        Ok(self.statement()?.iter().map(signed).sum())
    }
}

/// The account on which the ledger keeps what a rail collected for a region: negative by all of it.
#[must_use]
pub const fn rail_account(executor: OrganisationId, region: RegionId) -> Account {
    Account::Rail(Books::of(executor, region))
}
