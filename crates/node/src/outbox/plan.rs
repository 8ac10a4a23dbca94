//! Which orders to a rail an effect of the ledger becomes.

use adapters::effect::{Effect as RailEffect, RailName};
use adapters::rail::{Action, Order, Reference, Token};
use ledger::Effect;
use ledger::kernel::receipt::EffectAction;
use primitives::{Amount, Hash};

use super::{Authorisation, Note};

/// What is to be done for one effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// The rail is told these orders.
    Orders {
        /// The one whose word is the effect's word.
        main: RailEffect,
        /// Gives back what was paid beyond the effect's amount; its word is nobody's but ours.
        change: Option<RailEffect>,
    },
    /// Nothing has to move: the word is known.
    Nothing,
    /// A clerk has to hand the money out and name the till.
    Clerk,
    /// It cannot be done before a person looks.
    Stuck(Stuck),
}

/// Why an effect cannot be driven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stuck {
    /// The authorisation was not recorded here.
    #[error("this organisation has no record of the payment that the settlement names; record it")]
    UnknownAuthorisation,
    /// The authorisation is for another rail than the effect names.
    #[error("the payment was made on another rail than the settlement names")]
    OtherRail,
    /// The effect names a rail that this organisation does not have.
    #[error("the organisation's configuration has no rail of this name; add it")]
    UnknownRail,
    /// The payment stands for another effect already.
    #[error("the payment was used for another settlement already")]
    PaymentUsed,
    /// Less was paid than the settlement collects.
    #[error(
        "less was paid than the settlement collects; take the rest and record one payment, or \
             give it back and order the collection anew"
    )]
    PaidTooLittle,
    /// A refund names no effect that collected money here.
    #[error("the refund names no collection that this organisation made")]
    UnknownOriginal,
}

/// Money that an earlier effect collected, by the rail's reference for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collected {
    /// On which rail.
    pub rail: RailName,
    /// The payment's or the capture's reference.
    pub reference: Reference,
}

/// What is known besides the effect itself.
pub struct Known<'a> {
    /// The effect's reference on the ledger.
    pub effect: Hash,
    /// The record behind its commitment.
    pub authorisation: Option<&'a Authorisation>,
    /// For a refund: what the original collected.
    pub original: Option<&'a Collected>,
    /// Whether a rail pays back by a clerk's hand.
    pub needs_clerk: bool,
    /// The till from which a clerk hands out, once named.
    pub till: Option<&'a Token>,
}

fn order(rail: &RailName, reference: Reference, action: Action) -> RailEffect {
    RailEffect { rail: rail.clone(), order: Order { reference, action } }
}

/// The orders of an effect.
#[must_use]
pub fn plan(effect: &Effect, known: &Known<'_>) -> Plan {
    let Ok(rail) = RailName::new(&effect.rail) else { return Plan::Stuck(Stuck::UnknownRail) };
    match effect.action {
        EffectAction::Refund => refund(effect, &rail, known),
        EffectAction::Collect | EffectAction::Release => match known.authorisation {
            None => Plan::Stuck(Stuck::UnknownAuthorisation),
            Some(authorisation) if authorisation.rail != rail => Plan::Stuck(Stuck::OtherRail),
            Some(authorisation) if effect.action == EffectAction::Collect => {
                collect(effect, &rail, &authorisation.note, known)
            }
            Some(authorisation) => release(&rail, &authorisation.note, known),
        },
    }
}

fn collect(effect: &Effect, rail: &RailName, note: &Note, known: &Known<'_>) -> Plan {
    let (reference, amount) = (Reference(known.effect), effect.amount);
    let (main, change) = match note {
        Note::Held { reference: hold, .. } => {
            (order(rail, reference, Action::Capture { hold: *hold, amount }), None)
        }
        Note::Later { from } => {
            (order(rail, reference, Action::Pay { from: from.clone(), amount }), None)
        }
        Note::Paid { amount: paid, .. } if *paid < amount => {
            return Plan::Stuck(Stuck::PaidTooLittle);
        }
        // Told again under the payment's own reference, the rail repeats its first word.
        Note::Paid { reference: payment, from, amount: paid } => {
            let pay = Action::Pay { from: from.clone(), amount: *paid };
            let back = paid.checked_sub(amount).filter(|back| !back.is_zero());
            (order(rail, *payment, pay), back.map(|back| give_back(rail, *payment, back, known)))
        }
    };
    Plan::Orders { main, change }
}

/// Gives back what was paid beyond the effect's amount.
fn give_back(rail: &RailName, payment: Reference, amount: Amount, known: &Known<'_>) -> RailEffect {
    let action = Action::Refund { original: payment, amount, to: None };
    order(rail, Reference::of_effect(&known.effect, 0), action)
}

fn release(rail: &RailName, note: &Note, known: &Known<'_>) -> Plan {
    let reference = Reference(known.effect);
    let action = match note {
        Note::Held { reference: hold, .. } => Action::Void { original: *hold },
        Note::Paid { .. } if known.needs_clerk && known.till.is_none() => return Plan::Clerk,
        Note::Paid { reference: payment, amount, .. } => {
            Action::Refund { original: *payment, amount: *amount, to: known.till.cloned() }
        }
        Note::Later { .. } => return Plan::Nothing,
    };
    Plan::Orders { main: order(rail, reference, action), change: None }
}

fn refund(effect: &Effect, rail: &RailName, known: &Known<'_>) -> Plan {
    let Some(original) = known.original else { return Plan::Stuck(Stuck::UnknownOriginal) };
    if original.rail != *rail {
        return Plan::Stuck(Stuck::OtherRail);
    }
    if known.needs_clerk && known.till.is_none() {
        return Plan::Clerk;
    }
    let action = Action::Refund {
        original: original.reference,
        amount: effect.amount,
        to: known.till.cloned(),
    };
    Plan::Orders { main: order(rail, Reference(known.effect), action), change: None }
}
