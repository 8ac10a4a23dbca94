//! Trouble: lost, late and doubled messages, many callers at once, restarts in the middle.

use std::sync::Arc;

use super::{Case, Found, HOUR, Trial, expect_done, same};
use crate::rail::{
    Answer, Order, Outcome, Rail, Verdict,
    fault::{Fault, FaultPlan, FaultyRail},
};

pub(super) const CASES: &[Case] = &[
    ("a lost request is not found and may be sent again", lost_request),
    ("a lost answer is found by its reference", lost_answer),
    ("a doubled request moves money once", doubled),
    ("a late request changes nothing after it was sent again", late),
    ("a late request changes nothing after it was voided", late_after_void),
    ("eight callers with one order move money once", concurrent),
    ("a restart in the middle forgets nothing", restart),
    ("each day has its own statement", days),
];

fn behind(trial: &Trial<'_>, fault: Fault) -> FaultyRail {
    FaultyRail::new(Arc::clone(&trial.rail), FaultPlan::Listed(vec![Some(fault)]))
}

fn lost_request(trial: &Trial<'_>) -> Found {
    let order = trial.collecting_order("a", 900)?;
    let line = behind(trial, Fault::RequestLost);
    same("outcome", &line.perform(&order), &Outcome::Unknown)?;
    same("query", &line.query(&order.reference), &Answer::NotFound)?;
    expect_done(&line.perform(&order), 900)?;
    trial.statement(&[&order])
}

fn lost_answer(trial: &Trial<'_>) -> Found {
    let order = trial.collecting_order("a", 900)?;
    let line = behind(trial, Fault::AnswerLost);
    same("outcome", &line.perform(&order), &Outcome::Unknown)?;
    match line.query(&order.reference) {
        Answer::Final(Verdict::Done(done)) if done.amount.minor() == 900 => {}
        other => return Err(format!("the rail answered {other:?}")),
    }
    trial.statement(&[&order])
}

fn doubled(trial: &Trial<'_>) -> Found {
    let order = trial.collecting_order("a", 900)?;
    expect_done(&behind(trial, Fault::Duplicated).perform(&order), 900)?;
    trial.statement(&[&order])
}

fn late(trial: &Trial<'_>) -> Found {
    let order = trial.collecting_order("a", 900)?;
    let line = behind(trial, Fault::Late);
    same("outcome", &line.perform(&order), &Outcome::Unknown)?;
    same("query", &trial.rail.query(&order.reference), &Answer::NotFound)?;
    let done = trial.done(&order, 900)?;
    line.calm();
    same("query", &line.query(&order.reference), &Answer::Final(Verdict::Done(done)))?;
    trial.statement(&[&order])
}

fn late_after_void(trial: &Trial<'_>) -> Found {
    let order = trial.first_order("a", 900);
    let line = behind(trial, Fault::Late);
    same("outcome", &line.perform(&order), &Outcome::Unknown)?;
    trial.done(&trial.void("void", &order), 0)?;
    line.calm();
    trial.statement(&[])
}

fn concurrent(trial: &Trial<'_>) -> Found {
    let order = trial.collecting_order("a", 900)?;
    let outcomes: Vec<Outcome> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| trial.rail.perform(&order))).collect();
        threads.into_iter().map(|t| t.join().unwrap_or(Outcome::Unknown)).collect()
    });
    let first = outcomes.first().cloned().unwrap_or(Outcome::Unknown);
    expect_done(&first, 900)?;
    for outcome in &outcomes {
        same("one of eight", outcome, &first)?;
    }
    trial.statement(&[&order])
}

fn restart(trial: &Trial<'_>) -> Found {
    let settled = trial.collect("settled", 2_000)?;
    let open = trial.collecting_order("open", 3_000)?;
    let again = Trial { rail: trial.bench.open(), bench: trial.bench, case: trial.case };
    let before = trial.rail.query(&settled.reference);
    same("query after the restart", &again.rail.query(&settled.reference), &before)?;
    again.done(&settled, 2_000)?;
    again.done(&open, 3_000)?;
    let refund = again.refund("refund", &settled, 2_000);
    again.done(&refund, 2_000)?;
    // Whoever still holds the first connection sees the same books.
    trial.done(&refund, 2_000)?;
    again.statement(&[&settled, &open, &refund])
}

fn days(trial: &Trial<'_>) -> Found {
    let first = trial.collect("first", 100)?;
    let yesterday = trial.bench.today();
    trial.bench.advance_millis(HOUR * 24);
    let second: Order = trial.collect("second", 200)?;
    trial.statement(&[&second])?;
    let lines = trial.rail.reconcile(yesterday).map_err(|error| error.to_string())?;
    let references: Vec<_> = lines.iter().map(|line| line.reference).collect();
    same("yesterday's statement", &references, &vec![first.reference])
}
