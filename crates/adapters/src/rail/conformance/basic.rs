//! Collecting money: whole, in part, not at all; once per reference.

use primitives::Amount;

use super::{Case, Found, HOUR, Trial, expect_done, same};
use crate::rail::{
    Action, Answer, Movement, ORDER_AMOUNT_MAX, Outcome, Refusal, Style, Token, Verdict,
};

pub(super) const CASES: &[Case] = &[
    ("money is collected and stands on the statement", collected),
    ("the same order again gives the same verdict", repeated),
    ("a part of a hold is captured and the rest released", partial_capture),
    ("no more than what is held is captured", capture_beyond_hold),
    ("a released hold is not captured", voided_hold),
    ("an expired hold is not captured", expired_hold),
    ("a hold ends in the future and not too late", hold_period),
    ("money that moved is not voided", void_of_moved_money),
    ("what was voided before it arrived does nothing", void_before_arrival),
    ("void again and void of a refused order change nothing", void_of_nothing),
    ("an order is not used for another one", reference_reused),
    ("an unknown reference is not found", unknown_reference),
    ("an unknown token is refused", unknown_token),
    ("nothing and too much are refused", amounts),
    ("less money than asked for is refused, for good", insufficient_funds),
    ("what belongs to the other style is refused", other_style),
    ("many orders at once are each executed once", many_at_once),
];

fn collected(trial: &Trial<'_>) -> Found {
    let order = trial.collect("a", 4_500)?;
    let lines = trial.rail.reconcile(trial.bench.today()).map_err(|error| error.to_string())?;
    let [line] = lines.as_slice() else {
        return Err(format!("one line expected, found {lines:?}"));
    };
    same("reference", &line.reference, &order.reference)?;
    same("movement", &line.movement, &Movement::Collected)?;
    same("amount", &line.amount, &Amount::from_minor(4_500))?;
    match trial.rail.query(&order.reference) {
        Answer::Final(Verdict::Done(done)) => {
            same("rail's own number", &done.rail_reference, &line.rail_reference)?;
            same("instant", &done.at, &line.at)
        }
        other => Err(format!("the rail answered {other:?}")),
    }
}

fn repeated(trial: &Trial<'_>) -> Found {
    let order = trial.collecting_order("a", 700)?;
    let first = trial.done(&order, 700)?;
    trial.bench.advance_millis(HOUR * 2);
    same("second verdict", &trial.done(&order, 700)?, &first)?;
    trial.statement(&[&order])
}

fn partial_capture(trial: &Trial<'_>) -> Found {
    if !trial.holds() {
        return Ok(());
    }
    let hold = trial.hold("hold", 10_000);
    trial.done(&hold, 10_000)?;
    let capture = trial.capture("capture", &hold, 3_000);
    trial.done(&capture, 3_000)?;
    trial.refused(&trial.capture("again", &hold, 1_000), Refusal::HoldClosed)?;
    trial.statement(&[&capture])
}

fn capture_beyond_hold(trial: &Trial<'_>) -> Found {
    if !trial.holds() {
        return Ok(());
    }
    let hold = trial.hold("hold", 10_000);
    trial.done(&hold, 10_000)?;
    trial.refused(&trial.capture("more", &hold, 10_001), Refusal::ExceedsHold)?;
    let all = trial.capture("all", &hold, 10_000);
    trial.done(&all, 10_000)?;
    trial.statement(&[&all])
}

fn voided_hold(trial: &Trial<'_>) -> Found {
    if !trial.holds() {
        return Ok(());
    }
    let hold = trial.hold("hold", 10_000);
    trial.done(&hold, 10_000)?;
    trial.done(&trial.void("void", &hold), 10_000)?;
    trial.done(&trial.void("void again", &hold), 0)?;
    trial.refused(&trial.capture("capture", &hold, 10_000), Refusal::HoldClosed)?;
    trial.statement(&[])
}

fn expired_hold(trial: &Trial<'_>) -> Found {
    if !trial.holds() {
        return Ok(());
    }
    let (hold, kept) = (trial.hold("hold", 10_000), trial.hold("kept", 10_000));
    trial.done(&hold, 10_000)?;
    trial.done(&kept, 10_000)?;
    trial.bench.advance_millis(HOUR - 1);
    let in_time = trial.capture("in time", &kept, 10_000);
    trial.done(&in_time, 10_000)?;
    trial.bench.advance_millis(1);
    trial.refused(&trial.capture("late", &hold, 10_000), Refusal::HoldExpired)?;
    trial.done(&trial.void("void", &hold), 0)?;
    trial.statement(&[&in_time])
}

fn hold_period(trial: &Trial<'_>) -> Found {
    if !trial.holds() {
        return Ok(());
    }
    let now = trial.bench.now();
    for (name, expires_at) in [("past", now), ("far", now.plus_millis(HOUR * 24 * 366))] {
        let (from, amount) = (trial.bench.payer(), Amount::from_minor(100));
        let order = trial.order(name, Action::Hold { from, amount, expires_at });
        trial.refused(&order, Refusal::HoldPeriod)?;
    }
    Ok(())
}

fn void_of_moved_money(trial: &Trial<'_>) -> Found {
    let order = trial.collect("a", 700)?;
    trial.refused(&trial.void("void", &order), Refusal::AlreadyMoved)?;
    if trial.holds() {
        let hold = trial.hold("a, hold", 700);
        trial.refused(&trial.void("void of the hold", &hold), Refusal::AlreadyMoved)?;
    }
    trial.statement(&[&order])
}

fn void_before_arrival(trial: &Trial<'_>) -> Found {
    let order = trial.first_order("a", 700);
    trial.done(&trial.void("void", &order), 0)?;
    trial.refused(&order, Refusal::Closed)?;
    trial.found(&order, &Answer::Final(Verdict::Refused(Refusal::Closed)))?;
    trial.statement(&[])
}

fn void_of_nothing(trial: &Trial<'_>) -> Found {
    let order = trial.first_order("a", 0);
    trial.refused(&order, Refusal::AmountZero)?;
    let void = trial.void("void", &order);
    let first = trial.done(&void, 0)?;
    same("second void", &trial.done(&void, 0)?, &first)?;
    let itself = trial.order("itself", Action::Void { original: trial.reference("itself") });
    trial.refused(&itself, Refusal::OriginalUnknown)
}

fn reference_reused(trial: &Trial<'_>) -> Found {
    let order = trial.first_order("a", 700);
    let first = trial.done(&order, 700)?;
    trial.refused(&trial.first_order("a", 701), Refusal::ReferenceReused)?;
    trial.refused(&trial.void("a", &order), Refusal::ReferenceReused)?;
    same("first order", &trial.done(&order, 700)?, &first)
}

fn unknown_reference(trial: &Trial<'_>) -> Found {
    let never = trial.first_order("never sent", 700);
    trial.found(&never, &Answer::NotFound)?;
    if trial.holds() {
        trial.refused(&trial.capture("capture", &never, 700), Refusal::OriginalUnknown)?;
    }
    trial.refused(&trial.refund("refund", &never, 700), Refusal::OriginalUnknown)?;
    // The refused ones are known from now on; the order that they are about is not.
    let refund = trial.refund("refund", &never, 700);
    trial.found(&refund, &Answer::Final(Verdict::Refused(Refusal::OriginalUnknown)))?;
    trial.found(&never, &Answer::NotFound)
}

fn unknown_token(trial: &Trial<'_>) -> Found {
    let token: Token = "nobody-s-token".parse()?;
    let order = trial.first_order_from("a", token, 700);
    match trial.rail.perform(&order) {
        Outcome::Final(Verdict::Refused(_)) => trial.statement(&[]),
        other => Err(format!("the rail answered {other:?}")),
    }
}

fn amounts(trial: &Trial<'_>) -> Found {
    trial.refused(&trial.first_order("nothing", 0), Refusal::AmountZero)?;
    let over = ORDER_AMOUNT_MAX.minor().saturating_add(1);
    trial.refused(&trial.first_order("over", over), Refusal::PaymentLimit)?;
    trial.refused(&trial.first_order("most", u64::MAX), Refusal::PaymentLimit)?;
    let order = trial.collect("one", 1)?;
    trial.refused(&trial.refund("nothing back", &order, 0), Refusal::AmountZero)?;
    trial.statement(&[&order])
}

fn insufficient_funds(trial: &Trial<'_>) -> Found {
    let Some(poor) = trial.bench.poor_payer() else {
        return Ok(());
    };
    let order = trial.first_order_from("a", poor, 10_000);
    trial.refused(&order, Refusal::InsufficientFunds)?;
    trial.found(&order, &Answer::Final(Verdict::Refused(Refusal::InsufficientFunds)))?;
    trial.refused(&order, Refusal::InsufficientFunds)?;
    trial.statement(&[])
}

fn other_style(trial: &Trial<'_>) -> Found {
    let (from, amount) = (trial.bench.payer(), Amount::from_minor(700));
    let action = match trial.rail.style() {
        Style::HoldAndCapture => Action::Pay { from, amount },
        Style::PayAndRefund => {
            let expires_at = trial.bench.now().plus_millis(HOUR);
            Action::Hold { from, amount, expires_at }
        }
    };
    trial.refused(&trial.order("a", action), Refusal::NotSupported)?;
    if !trial.holds() {
        let order = trial.collect("b", 700)?;
        trial.refused(&trial.capture("capture", &order, 700), Refusal::NotSupported)?;
    }
    Ok(())
}

fn many_at_once(trial: &Trial<'_>) -> Found {
    let mut orders = Vec::new();
    for (name, amount) in [("a", 100), ("b", 200), ("c", 300)] {
        orders.push(trial.collecting_order(name, amount)?);
    }
    let refused = trial.first_order("nothing", 0);
    let mut batch = orders.clone();
    batch.push(refused.clone());
    batch.extend(orders.first().cloned());
    let outcomes = trial.rail.perform_all(&batch);
    let [a, b, c, nothing, again] = outcomes.as_slice() else {
        return Err(format!("five outcomes expected, found {outcomes:?}"));
    };
    for (outcome, amount) in [(a, 100), (b, 200), (c, 300)] {
        expect_done(outcome, amount)?;
    }
    same("the one in between", nothing, &trial.rail.perform(&refused))?;
    same("the repeated one", again, a)?;
    trial.statement(&orders.iter().collect::<Vec<_>>())
}
