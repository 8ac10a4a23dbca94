//! Which orders to a rail an effect of the ledger becomes.

use adapters::effect::{Effect as RailEffect, RailName};
use adapters::rail::{Action, Order, Reference, Token};
use ledger::Effect;
use ledger::kernel::effect::EffectAction;
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
        change: Option<Box<RailEffect>>,
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
    /// A payout names no card that money can go to.
    #[error("the payout names no bound card; order it anew with one")]
    NoPayee,
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
        EffectAction::PayOut => pay_out(effect, &rail, known),
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
            (
                order(rail, *payment, pay),
                back.map(|back| Box::new(give_back(rail, *payment, back, known))),
            )
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

/// To the till that hands it out, or to the card that was noted.
fn pay_out(effect: &Effect, rail: &RailName, known: &Known<'_>) -> Plan {
    let to = if known.needs_clerk {
        let Some(till) = known.till else { return Plan::Clerk };
        till
    } else {
        match known.authorisation {
            None => return Plan::Stuck(Stuck::UnknownAuthorisation),
            Some(authorisation) if authorisation.rail != *rail => {
                return Plan::Stuck(Stuck::OtherRail);
            }
            Some(Authorisation { note: Note::Later { from }, .. }) => from,
            Some(_) => return Plan::Stuck(Stuck::NoPayee),
        }
    };
    let action = Action::PayOut { to: to.clone(), amount: effect.amount };
    Plan::Orders { main: order(rail, Reference(known.effect), action), change: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use primitives::{Currency, sha256};

    fn effect(action: EffectAction, amount: u64) -> Effect {
        Effect {
            number: 0,
            executor: "hospital".parse().unwrap(),
            rail: "bank".to_owned(),
            action,
            amount: Amount::from_minor(amount),
            currency: Currency::CNY,
            authorisation: Hash::default(),
            original: None,
        }
    }

    fn reference(name: &str) -> Reference {
        Reference(sha256(name.as_bytes()))
    }

    fn rail() -> RailName {
        RailName::new("bank").unwrap()
    }

    fn card() -> Token {
        "card:1".parse().unwrap()
    }

    fn with(note: Note) -> Authorisation {
        Authorisation { rail: rail(), note, salt: Hash::default() }
    }

    fn paid(amount: u64) -> Authorisation {
        let amount = Amount::from_minor(amount);
        with(Note::Paid { reference: reference("payment"), from: card(), amount })
    }

    fn known(authorisation: Option<&Authorisation>) -> Known<'_> {
        Known {
            effect: sha256(b"effect"),
            authorisation,
            original: None,
            needs_clerk: false,
            till: None,
        }
    }

    /// The order of an effect that becomes one.
    #[track_caller]
    fn order_of(effect: &Effect, known: &Known<'_>) -> Order {
        match plan(effect, known) {
            Plan::Orders { main, change: None } => main.order,
            plan => panic!("{plan:?}"),
        }
    }

    #[test]
    fn a_collection_captures_pays_or_repeats_the_payment() {
        let collect = effect(EffectAction::Collect, 50);
        let (own, amount) = (reference("effect"), Amount::from_minor(50));
        let held = with(Note::Held { reference: reference("hold"), amount });
        let capture = Action::Capture { hold: reference("hold"), amount };
        let order = order_of(&collect, &known(Some(&held)));
        assert_eq!(order, Order { reference: own, action: capture });
        let later = with(Note::Later { from: card() });
        let pay = Action::Pay { from: card(), amount };
        let order = order_of(&collect, &known(Some(&later)));
        assert_eq!(order, Order { reference: own, action: pay.clone() });
        let order = order_of(&collect, &known(Some(&paid(50))));
        assert_eq!(order, Order { reference: reference("payment"), action: pay });
    }

    #[test]
    fn what_was_paid_too_much_goes_back_and_too_little_waits_for_a_person() {
        let collect = effect(EffectAction::Collect, 50);
        let Plan::Orders { main, change: Some(change) } = plan(&collect, &known(Some(&paid(80))))
        else {
            panic!("both a payment and its change");
        };
        assert_eq!(main.order.reference, reference("payment"));
        let back = Amount::from_minor(30);
        let original = reference("payment");
        assert_eq!(change.order.action, Action::Refund { original, amount: back, to: None });
        assert_ne!(change.order.reference, main.order.reference);
        let little = plan(&collect, &known(Some(&paid(49))));
        assert_eq!(little, Plan::Stuck(Stuck::PaidTooLittle));
    }

    #[test]
    fn a_release_voids_the_hold_or_gives_everything_back() {
        let release = effect(EffectAction::Release, 50);
        let amount = Amount::from_minor(70);
        let held = with(Note::Held { reference: reference("hold"), amount });
        let order = order_of(&release, &known(Some(&held)));
        assert_eq!(order.action, Action::Void { original: reference("hold") });
        let order = order_of(&release, &known(Some(&paid(70))));
        let original = reference("payment");
        assert_eq!(order.action, Action::Refund { original, amount, to: None });
        let later = with(Note::Later { from: card() });
        assert_eq!(plan(&release, &known(Some(&later))), Plan::Nothing);
        let paid = paid(70);
        let clerk = Known { needs_clerk: true, ..known(Some(&paid)) };
        assert_eq!(plan(&release, &clerk), Plan::Clerk);
    }

    #[test]
    fn a_refund_needs_its_collection_and_at_the_till_a_clerk() {
        let refund = effect(EffectAction::Refund, 20);
        assert_eq!(plan(&refund, &known(None)), Plan::Stuck(Stuck::UnknownOriginal));
        let other = Collected { rail: RailName::new("till").unwrap(), reference: reference("c") };
        let at_other = Known { original: Some(&other), ..known(None) };
        assert_eq!(plan(&refund, &at_other), Plan::Stuck(Stuck::OtherRail));
        let collected = Collected { rail: rail(), reference: reference("c") };
        let at_clerk = Known { original: Some(&collected), needs_clerk: true, ..known(None) };
        assert_eq!(plan(&refund, &at_clerk), Plan::Clerk);
        let till: Token = "till:anna".parse().unwrap();
        let named = Known { till: Some(&till), ..at_clerk };
        let action = Action::Refund {
            original: reference("c"),
            amount: Amount::from_minor(20),
            to: Some(till.clone()),
        };
        assert_eq!(order_of(&refund, &named).action, action);
    }

    #[test]
    fn a_payout_goes_to_the_noted_card_or_out_of_a_clerks_till() {
        let out = effect(EffectAction::PayOut, 20);
        let amount = Amount::from_minor(20);
        assert_eq!(plan(&out, &known(None)), Plan::Stuck(Stuck::UnknownAuthorisation));
        assert_eq!(plan(&out, &known(Some(&paid(20)))), Plan::Stuck(Stuck::NoPayee));
        let noted = with(Note::Later { from: card() });
        let order = order_of(&out, &known(Some(&noted)));
        assert_eq!(order.action, Action::PayOut { to: card(), amount });
        let at_clerk = Known { needs_clerk: true, ..known(None) };
        assert_eq!(plan(&out, &at_clerk), Plan::Clerk);
        let till: Token = "till:anna".parse().unwrap();
        let named = Known { till: Some(&till), ..at_clerk };
        assert_eq!(order_of(&out, &named).action, Action::PayOut { to: till.clone(), amount });
    }

    #[test]
    fn without_its_record_or_on_another_rail_nothing_is_ordered() {
        let collect = effect(EffectAction::Collect, 50);
        assert_eq!(plan(&collect, &known(None)), Plan::Stuck(Stuck::UnknownAuthorisation));
        let mut other = paid(50);
        other.rail = RailName::new("till").unwrap();
        assert_eq!(plan(&collect, &known(Some(&other))), Plan::Stuck(Stuck::OtherRail));
    }
}
