//! Money that goes out: given back in parts, never more than was taken; paid out; once per
//! reference.

use super::{Case, Found, Trial, expect_refused, same};
use crate::rail::{Action, Answer, Movement, Order, Outcome, Refusal, Token, Verdict};
use primitives::Amount;

pub(super) const CASES: &[Case] = &[
    ("money is given back in parts up to the original", in_parts),
    ("a refund again gives nothing back twice", repeated),
    ("a refund is of a payment", of_a_payment),
    ("two refunds at once of all the money give it back once", concurrent),
    ("a payout goes out once and is no payment to be given back", paid_out),
];

fn in_parts(trial: &Trial<'_>) -> Found {
    let order = trial.collect("a", 10_000)?;
    trial.refused(&trial.refund("too much", &order, 10_001), Refusal::ExceedsOriginal)?;
    let first = trial.refund("first", &order, 4_000);
    let second = trial.refund("second", &order, 6_000);
    trial.done(&first, 4_000)?;
    trial.refused(&trial.refund("over", &order, 6_001), Refusal::ExceedsOriginal)?;
    trial.done(&second, 6_000)?;
    trial.refused(&trial.refund("one more", &order, 1), Refusal::ExceedsOriginal)?;
    trial.statement(&[&order, &first, &second])?;
    let lines = trial.rail.reconcile(trial.bench.today()).map_err(|error| error.to_string())?;
    let refunded: u64 = lines
        .iter()
        .filter(|line| line.movement == Movement::Refunded)
        .map(|line| line.amount.minor())
        .sum();
    same("sum given back", &refunded, &10_000)
}

fn repeated(trial: &Trial<'_>) -> Found {
    let order = trial.collect("a", 10_000)?;
    let refund = trial.refund("refund", &order, 5_000);
    let first = trial.done(&refund, 5_000)?;
    same("second verdict", &trial.done(&refund, 5_000)?, &first)?;
    trial.done(&trial.refund("rest", &order, 5_000), 5_000)?;
    same("third verdict", &trial.done(&refund, 5_000)?, &first)
}

fn of_a_payment(trial: &Trial<'_>) -> Found {
    let order = trial.collect("a", 10_000)?;
    let refund = trial.refund("refund", &order, 4_000);
    trial.done(&refund, 4_000)?;
    trial.refused(&trial.refund("of a refund", &refund, 1_000), Refusal::OriginalUnknown)?;
    if trial.holds() {
        let hold = trial.hold("held only", 500);
        trial.done(&hold, 500)?;
        trial.refused(&trial.refund("of a hold", &hold, 500), Refusal::OriginalUnknown)?;
    }
    Ok(())
}

/// Something was collected before, so that a till has what it hands out.
fn paid_out(trial: &Trial<'_>) -> Found {
    let taken = trial.collect("taken", 10_000)?;
    let (to, amount) = (trial.bench.payer(), Amount::from_minor(4_000));
    let order = trial.order("out", Action::PayOut { to, amount });
    let first = trial.done(&order, 4_000)?;
    same("second verdict", &trial.done(&order, 4_000)?, &first)?;
    trial.found(&order, &Answer::Final(Verdict::Done(first)))?;
    trial.refused(&trial.refund("back", &order, 1_000), Refusal::OriginalUnknown)?;
    let nothing = Action::PayOut { to: trial.bench.payer(), amount: Amount::ZERO };
    trial.refused(&trial.order("nothing", nothing), Refusal::AmountZero)?;
    let unknown = "nobody:1".parse::<Token>().map_err(|error| error.to_string())?;
    let stray = trial.order("stray", Action::PayOut { to: unknown, amount });
    match trial.rail.perform(&stray) {
        Outcome::Final(Verdict::Refused(Refusal::CardUnknown | Refusal::ShiftNotOpen)) => {}
        other => return Err(format!("found {other:?}, expected a payout to nobody refused")),
    }
    trial.statement(&[&taken, &order])?;
    let lines = trial.rail.reconcile(trial.bench.today()).map_err(|error| error.to_string())?;
    let out = lines.iter().filter(|line| line.movement == Movement::PaidOut);
    same("sum paid out", &out.map(|line| line.amount.minor()).sum::<u64>(), &4_000)
}

fn concurrent(trial: &Trial<'_>) -> Found {
    let order = trial.collect("a", 10_000)?;
    let refunds: Vec<Order> =
        (0..8).map(|n| trial.refund(&format!("refund {n}"), &order, 10_000)).collect();
    let outcomes: Vec<Outcome> = std::thread::scope(|scope| {
        let run = |refund| scope.spawn(move || trial.rail.perform(refund));
        let threads: Vec<_> = refunds.iter().map(run).collect();
        threads.into_iter().map(|t| t.join().unwrap_or(Outcome::Unknown)).collect()
    });
    let is_done = |outcome: &&Outcome| matches!(outcome, Outcome::Final(Verdict::Done(_)));
    same("refunds carried out", &outcomes.iter().filter(is_done).count(), &1)?;
    for outcome in outcomes.iter().filter(|outcome| !is_done(outcome)) {
        expect_refused(outcome, Refusal::ExceedsOriginal)?;
    }
    Ok(())
}
