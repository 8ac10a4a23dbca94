//! Worked examples: bills with the split that must come out. Those inside a plan are compiled with
//! it and run wherever the plan is loaded, the ledger included; case files are run by tests.
//!
//! Reading order: `run`, [`crate::case`], `example/read.rs` (from the file to the compiled form).

mod read;
mod report;

pub(crate) use read::{compile, facts, programme, read_accumulators, read_visit, rows};
pub(crate) use report::steps as steps_text;

use alloc::{format, string::String, vec::Vec};
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, Detail, detail};

use crate::{
    accumulator::{AccumulatorKey, Accumulators},
    adjudication::{Adjudication, PayerShare, TraceNote},
    facts::Facts,
    plan::{Plan, PlanError},
    stay::{AdjudicatedPart, adjudicate_stay},
    sums::CategorySums,
    word::Payer,
};

/// The most examples of a plan.
pub(crate) const EXAMPLES_MAX: usize = 64;
/// The most visits of an example.
pub(crate) const VISITS_MAX: usize = 16;
/// The most rows of a visit of an example in a plan.
pub(crate) const EXAMPLE_ROWS_MAX: usize = 64;

/// A worked example, compiled.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Example {
    pub accumulators: Accumulators,
    pub visits: Vec<Visit>,
}

/// One visit of it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Visit {
    pub sums: CategorySums,
    pub facts: Facts,
    pub expect: Expect,
}

/// What must come out; what is not there is not checked.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Expect {
    pub figures: Vec<(Figure, Amount)>,
    pub payers: Option<Vec<PayerShare>>,
    pub steps: Vec<(u8, Amount)>,
    pub accumulators: Vec<(AccumulatorKey, u64)>,
    pub error: Option<String>,
}

/// A figure of an adjudication.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) enum Figure {
    Total,
    SelfPaid,
    OverCap,
    ClassBShare,
    InPolicy,
    Deductible,
    PersonalAccount,
    FamilyAccount,
    Cash,
    Person,
}

impl Figure {
    const fn name(self) -> &'static str {
        match self {
            Self::Total => "total",
            Self::SelfPaid => "self_paid",
            Self::OverCap => "over_cap",
            Self::ClassBShare => "class_b_share",
            Self::InPolicy => "in_policy",
            Self::Deductible => "deductible",
            Self::PersonalAccount => "personal_account",
            Self::FamilyAccount => "family_account",
            Self::Cash => "cash",
            Self::Person => "person",
        }
    }

    fn of(self, adjudication: &Adjudication) -> Amount {
        match self {
            Self::Total => adjudication.total,
            Self::SelfPaid => adjudication.self_paid,
            Self::OverCap => adjudication.over_cap,
            Self::ClassBShare => adjudication.class_b_share,
            Self::InPolicy => adjudication.in_policy,
            Self::Deductible => adjudication.deductible,
            Self::PersonalAccount => adjudication.personal_account,
            Self::FamilyAccount => adjudication.paid_by_family(),
            Self::Cash => adjudication.cash,
            Self::Person => adjudication
                .cash
                .saturating_add(adjudication.personal_account)
                .saturating_add(adjudication.paid_by_family()),
        }
    }
}

/// The plans under which visits are run, and the names of their steps.
pub(crate) struct Bench<'a> {
    pub plans: &'a [&'a Plan],
    /// The name of a step of the plan at a place of the list.
    pub name: &'a dyn Fn(usize, u8) -> String,
}

impl Plan {
    /// Runs the examples inside the plan.
    ///
    /// # Errors
    /// The first figure that does not come out, with what every step gave.
    pub fn check_examples(&self) -> Result<(), PlanError> {
        for (number, example) in (1_u32..).zip(&self.content.examples) {
            let name = |step| format!("{}", u16::from(step).saturating_add(1));
            run(self, example, &name).map_err(|mistake| PlanError {
                step: None,
                place: Some(detail!("example {number}", number)),
                message: mistake.what,
            })?;
        }
        Ok(())
    }
}

/// What does not come out in an example.
pub(crate) struct Mistake {
    /// Which figure, or why the bill was refused.
    pub what: Detail,
    /// What every step gave, for whoever writes the plan; empty when there was no adjudication.
    pub steps: String,
}

impl Mistake {
    /// All of it as one text.
    pub(crate) fn in_full(&self) -> String {
        if self.steps.is_empty() {
            return format!("{}", self.what);
        }
        format!("{}; {}", self.what, self.steps)
    }
}

impl From<Detail> for Mistake {
    fn from(what: Detail) -> Self {
        Self { what, steps: String::new() }
    }
}

/// Runs one example of a plan; the error says which figure differs and what every step gave.
pub(crate) fn run(
    plan: &Plan,
    example: &Example,
    name: &dyn Fn(u8) -> String,
) -> Result<(), Mistake> {
    let bench = Bench { plans: &[plan], name: &|_, step| name(step) };
    let mut running = example.accumulators.clone();
    for (number, visit) in (1_u32..).zip(&example.visits) {
        visit.run(&bench, &mut running).map_err(|mistake| Mistake {
            what: detail!("visit {number}: {what}", number, what = mistake.what),
            steps: mistake.steps,
        })?;
    }
    Ok(())
}

impl Visit {
    /// Adjudicates the visit, checks what comes out and moves the running amounts on.
    pub(crate) fn run(
        &self,
        bench: &Bench<'_>,
        running: &mut Accumulators,
    ) -> Result<Vec<AdjudicatedPart>, Mistake> {
        let answer = adjudicate_stay(bench.plans, &self.sums, &self.facts, running);
        let parts = match (answer, &self.expect.error) {
            (Ok(parts), None) => parts,
            (Ok(_), Some(text)) => {
                return Err(detail!("it must be refused with `{text}` and is not", text).into());
            }
            (Err(error), Some(text)) if format!("{error}").contains(text.as_str()) => {
                return Ok(Vec::new());
            }
            (Err(error), _) => return Err(Detail::from(error).into()),
        };
        for part in &parts {
            running.apply(&part.adjudication.changes).map_err(Detail::from)?;
        }
        self.check(bench, running, &parts)
            .map_err(|what| Mistake { what, steps: report::steps(bench, &parts) })?;
        *running = running.filter(|key| !key.period.is_visit());
        Ok(parts)
    }

    fn check(
        &self,
        bench: &Bench<'_>,
        running: &Accumulators,
        parts: &[AdjudicatedPart],
    ) -> Result<(), Detail> {
        let last = parts.last().ok_or_else(|| detail!("there is nothing to check"))?;
        let reference = usize::from(last.plan);
        let plan = bench.plans.get(reference).ok_or_else(|| detail!("there is no plan"))?;
        let compare = |what: &str, is: Amount, expected: Amount| {
            if is == expected {
                return Ok(());
            }
            let currency = plan.currency();
            Err(detail!(
                "`{figure}` is {is}, expected {expected}",
                figure = what,
                is = (is, currency),
                expected = (expected, currency)
            ))
        };
        let adjudications = || parts.iter().map(|part| &part.adjudication);
        let sum = |of: &dyn Fn(&Adjudication) -> Amount| {
            adjudications().fold(Amount::ZERO, |sum, one| sum.saturating_add(of(one)))
        };
        if !adjudications().all(Adjudication::is_balanced) {
            return Err(detail!("the parts do not add up to the bill"));
        }
        for (figure, expected) in &self.expect.figures {
            compare(figure.name(), sum(&|one| figure.of(one)), *expected)?;
        }
        if let Some(payers) = &self.expect.payers {
            for payer in Payer::ALL {
                let share = payers.iter().find(|share| share.payer == *payer);
                let expected = share.map_or(Amount::ZERO, |share| share.amount);
                let what = format!("payers.{}", payer.name());
                compare(&what, sum(&|one| one.paid_by(*payer)), expected)?;
            }
        }
        for (step, expected) in &self.expect.steps {
            let name = (bench.name)(reference, *step);
            let paid = parts.iter().map(|part| paid_by_step(bench, part, &name));
            let paid = paid.fold(Amount::ZERO, Amount::saturating_add);
            compare(&format!("steps.{name}"), paid, *expected)?;
        }
        for (key, expected) in &self.expect.accumulators {
            let value = Amount::from_minor(running.get(key));
            let what = format!("accumulator {} of {}", key.number, key.period);
            compare(&what, value, Amount::from_minor(*expected))?;
        }
        Ok(())
    }
}

/// What the step of this name paid in a part.
fn paid_by_step(bench: &Bench<'_>, part: &AdjudicatedPart, name: &str) -> Amount {
    let plan = usize::from(part.plan);
    let of_step =
        part.adjudication.trace.iter().filter(|entry| (bench.name)(plan, entry.step) == name);
    let paid = of_step.map(|entry| match entry.note {
        TraceNote::Paid { amount, .. } => amount,
        TraceNote::Account { paid, .. } => paid,
        _ => Amount::ZERO,
    });
    paid.fold(Amount::ZERO, Amount::saturating_add)
}
