//! What a version would have cost on the settlements that this node keeps, at the desks of those
//! who decide about it. What is simulated are the very bytes that the ledger keeps and will
//! publish.

use axum::http::{Method, StatusCode};
use benefit::{Payer, Plan};
use ledger::modules::plan;
use primitives::{Amount, CivilDate, Currency, Hash, RegionId, SchemeId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::version::{AGAINST, RULE, VERSION, against, require_reader, version, version_in_path};
use super::{REGION, SCHEME};
use crate::api::receipt::not_found;
use crate::call::Call;
use crate::endpoint::{Access, AnswerKind, BodyKind, Endpoint, JSON_BYTES_MAX, Reply, schema_of};
use crate::problem::{Problem, code, words};
use crate::session::Session;
use crate::simulation::csv::class_name;
use crate::simulation::job::{Done, Job, State, Versions};
use crate::simulation::tally::{Both, Winners};

/// The endpoints of simulations.
pub static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::POST,
        path: "/v1/regions/{region}/schemes/{scheme}/plan-versions/{version}/simulations",
        operation: "simulate_plan_version",
        summary: "Begins to adjudicate the settlements that this node keeps under a version and under the one \
                  that it takes over from; one simulation at a time",
        access: Access::Party { rule: RULE, handle: begin },
        parameters: &[REGION, SCHEME, VERSION],
        body: BodyKind::Json(schema_of::<NewSimulation>, JSON_BYTES_MAX),
        answer: AnswerKind::Json(202, schema_of::<PlanSimulation>),
        problems: &[code::NOT_YOURS, code::NOT_FOUND, code::SIMULATION_RUNNING],
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/regions/{region}/schemes/{scheme}/plan-versions/{version}/simulation",
        operation: "get_plan_simulation",
        summary: "Gives what a version would have cost, or how far its simulation is",
        access: Access::Party { rule: RULE, handle: get },
        parameters: &[REGION, SCHEME, VERSION, AGAINST],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<PlanSimulation>),
        problems: &[code::NOT_YOURS, code::NOT_FOUND],
    },
];

/// A simulation to be made.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSimulation {
    /// The version that holds now.
    pub against: u16,
}

/// A simulation.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PlanSimulation {
    /// The number of the version that it is compared with.
    pub against: u16,
    /// The hash of the compiled plan that was simulated: it is the version's.
    pub hash: Hash,
    /// The hash of the compiled plan that it is compared with.
    pub against_hash: Hash,
    /// How many of the ledger's receipts were read, and how many there are to read.
    pub read: u64,
    /// How many there are.
    pub receipts: u64,
    /// Whether it broke off; the node's log says why.
    pub failed: bool,
    /// What came out, when it is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<SimulationOutcome>,
}

/// What came out of a simulation.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct SimulationOutcome {
    /// The hash of the figures and of both plans: whoever has the same settlements gets the same
    /// from `yibao simulate-plan`.
    pub result: Hash,
    /// The figures as CSV, as `yibao simulate-plan --csv` writes them.
    pub csv: String,
    /// The currency of all amounts.
    pub currency: Currency,
    /// How many settlements both plans decide.
    pub bills: u64,
    /// How many one of the plans does not decide; they are in no other figure.
    pub refused: u64,
    /// The service days of the settlements, from the first to the last; left out where there are
    /// none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<CivilDate>,
    /// The last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<CivilDate>,
    /// Who pays how much: payers, then accounts and cash.
    pub shares: Vec<SimulatedShare>,
    /// All people.
    pub people: SimulatedPeople,
    /// People by the class that protects them most.
    pub classes: Vec<SimulatedPeople>,
}

/// What somebody pays under both plans, in minor units.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct SimulatedShare {
    /// Who: a payer's stable name, `accounts` or `cash`.
    pub of: String,
    /// In the reader's language; empty for accounts and cash.
    pub name: String,
    /// Under the plan that holds.
    pub before: Amount,
    /// Under the version.
    pub after: Amount,
}

/// People who bear less, more, or the same.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct SimulatedPeople {
    /// Their class in the reader's language; empty for all people, and for those of no class.
    pub name: String,
    /// How many bear less.
    pub better: u64,
    /// How much less together, in minor units.
    pub better_amount: Amount,
    /// How many bear more.
    pub worse: u64,
    /// How much more together, in minor units.
    pub worse_amount: Amount,
    /// How many bear the same.
    pub same: u64,
}

fn plan_of(
    call: &Call,
    (region, scheme): (RegionId, SchemeId),
    number: u16,
) -> Result<Plan, Problem> {
    let bytes = plan::view::version_bytes(&call.view.state, region, scheme, number);
    let bytes = bytes.ok_or_else(not_found)?;
    Plan::from_bytes(&bytes).map_err(|_| not_found())
}

fn begin(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let place = require_reader(call, session)?;
    let (number, _) = version_in_path(call, place)?;
    let NewSimulation { against } = call.json()?;
    let versions =
        Versions { old: plan_of(call, place, against)?, new: plan_of(call, place, number)? };
    let started = call.gateway.simulations.begin(&call.gateway.port, versions);
    let job = started?.ok_or_else(|| Problem::new(&code::SIMULATION_RUNNING))?;
    Ok(Reply::json(&view(call, against, &job))?.status(StatusCode::ACCEPTED))
}

fn get(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let place = require_reader(call, session)?;
    let (number, row) = version_in_path(call, place)?;
    let against = against(call, place, (number, &row))?.ok_or_else(not_found)?;
    let old = version(call, place, against)?;
    let job = call.gateway.simulations.of(old.hash, row.hash).ok_or_else(not_found)?;
    Reply::json(&view(call, against, &job))
}

fn view(call: &Call, against: u16, job: &Job) -> PlanSimulation {
    let (failed, outcome) = match job.state() {
        State::Running => (false, None),
        State::Failed => (true, None),
        State::Done(done) => (false, Some(outcome(call, done))),
    };
    PlanSimulation {
        against,
        hash: job.new,
        against_hash: job.old,
        read: job.read(),
        receipts: job.receipts,
        failed,
        outcome,
    }
}

fn outcome(call: &Call, done: &Done) -> SimulationOutcome {
    let messages = words::benefit(call.language);
    let tally = &done.tally;
    let share = |of: &str, name: &str, both: Both| SimulatedShare {
        of: of.to_owned(),
        name: name.to_owned(),
        before: minor(both.old),
        after: minor(both.new),
    };
    let payers = Payer::ALL.iter().map(|payer| (payer.name(), tally.payer(*payer)));
    let paying = payers.filter(|(_, both)| *both != Both::default());
    let mut shares: Vec<SimulatedShare> =
        paying.map(|(of, both)| share(of, messages.text("payer", of), both)).collect();
    shares.push(share("accounts", "", tally.accounts));
    shares.push(share("cash", "", tally.cash));
    let classes = tally.classes.iter().map(|(class, people)| {
        let name = class.map_or("", |_| messages.text("person_class", class_name(*class)));
        people_of(name, &people.winners)
    });
    SimulationOutcome {
        result: done.result,
        csv: done.csv.clone(),
        currency: tally.currency,
        bills: tally.all.bills,
        refused: tally.refusals.old + tally.refusals.new,
        from: done.days.map(|(from, _)| from),
        to: done.days.map(|(_, to)| to),
        shares,
        people: people_of("", &tally.people),
        classes: classes.collect(),
    }
}

fn people_of(name: &str, winners: &Winners) -> SimulatedPeople {
    SimulatedPeople {
        name: name.to_owned(),
        better: winners.better.0,
        better_amount: minor(winners.better.1),
        worse: winners.worse.0,
        worse_amount: minor(winners.worse.1),
        same: winners.same,
    }
}

/// Sums of many bills; more than fits stays the largest amount.
fn minor(sum: u128) -> Amount {
    Amount::from_minor(u64::try_from(sum).unwrap_or(u64::MAX))
}
