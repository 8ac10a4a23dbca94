//! Premiums: a season's terms, and where somebody's premium stands. A stranger learns whether it
//! can be paid and nothing else; why it cannot is for the person, guardians, the payer who locked
//! or paid it, the bureau and the collector. [`pay`] is how a wallet pays, [`desk`] what the
//! bureau's desk does, [`list`] how a registration list is read.

use axum::http::Method;
use ledger::modules::premium::{self, PremiumRecord, PremiumSeason, PremiumStanding, SeasonId};
use primitives::{Amount, CivilDate, Party, PersonId, RegionId, SchemeId};
use schemars::JsonSchema;
use serde::Serialize;

use super::receipt::not_found;
use crate::call::Call;
use crate::endpoint::{Access, AnswerKind, BodyKind, Endpoint, Parameter, Reply, schema_of};
use crate::problem::{Problem, code};
use crate::session::Session;

pub mod desk;
pub mod list;
pub mod pay;

const REGION: Parameter =
    Parameter::path("region", "the region's six-digit code", schema_of::<u32>);
const SCHEME: Parameter = Parameter::path("scheme", "the scheme's code", schema_of::<u16>);
const YEAR: Parameter = Parameter::path("year", "the benefit year", schema_of::<u16>);

/// How many missed years are offered to be paid: more than any waiting is shortened by.
const REPAIRS_MAX: usize = 12;

/// The endpoints of premiums.
pub static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::GET,
        path: "/v1/regions/{region}/schemes/{scheme}/premium-seasons/{year}",
        operation: "get_premium_season",
        summary: "Gives the terms of a premium season: what is due when, locks, waiting periods",
        access: Access::Public(season),
        parameters: &[REGION, SCHEME, YEAR],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<PremiumSeason>),
        problems: &[code::NOT_FOUND],
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/regions/{region}/schemes/{scheme}/premium-seasons/{year}/persons/{person}",
        operation: "get_premium",
        summary: "Says whether a person's premium can be paid, and to whom it concerns where it stands",
        access: Access::Session(premium),
        parameters: &[
            REGION,
            SCHEME,
            YEAR,
            Parameter::path("person", "the person's id", schema_of::<PersonId>),
        ],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<PremiumView>),
        problems: &[code::NOT_FOUND],
    },
];

/// Somebody's premium.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Premium")]
pub struct PremiumView {
    /// Whether it can be paid now: all that a stranger learns, also of somebody unknown.
    pub payable: bool,
    /// Where it stands, for whom it concerns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<PremiumDetails>,
}

/// Where a premium stands.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PremiumDetails {
    /// The class of the season that the person belongs to.
    pub class: u8,
    /// How many years before this one were missed.
    pub missed_years: u8,
    /// What became of it; a lock that has ended counts as due.
    pub standing: PremiumStanding,
    /// What is due today; nothing when it cannot be paid today.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<DueView>,
    /// What is due when missed years are paid as well, from one year on; empty where none was
    /// missed or nothing can be paid today.
    pub repairs: Vec<RepairView>,
}

/// What is due with missed years, which shortens the waiting.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub struct RepairView {
    /// How many missed years are paid as well.
    pub years: u8,
    /// What is due with them.
    #[serde(flatten)]
    pub due: DueView,
}

/// What is due, missed years left aside.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub struct DueView {
    /// How much, in minor units of the region's currency.
    pub amount: Amount,
    /// From when benefits hold if it is paid today.
    pub benefits_from: CivilDate,
}

fn season_of(call: &Call) -> Result<SeasonId, Problem> {
    let (region, scheme) = (RegionId(call.path("region")?), SchemeId(call.path("scheme")?));
    Ok(SeasonId { region, scheme, year: call.path("year")? })
}

fn season(call: &Call) -> Result<Reply, Problem> {
    let terms = premium::view::season(&call.view.state, season_of(call)?).ok_or_else(not_found)?;
    Reply::json(&*terms)
}

fn premium(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let (season, person): (_, PersonId) = (season_of(call)?, call.path("person")?);
    let state = &call.view.state;
    let terms = premium::view::season(state, season).ok_or_else(not_found)?;
    let today = call.today(season.region).ok_or_else(not_found)?;
    let payable = premium::view::is_payable(state, season, person, (call.instant(), today));
    let record = premium::view::record(state, season, person)
        .filter(|record| concerns(call, session, (&terms, person), record));
    let details = record.map(|record| details_of(call, (&terms, &record), today));
    Reply::json(&PremiumView { payable, details })
}

/// Where a record stands today.
fn details_of(
    call: &Call,
    (terms, record): (&PremiumSeason, &PremiumRecord),
    today: CivilDate,
) -> PremiumDetails {
    let due = |years| {
        let due = terms.due(record, today, years).ok()?;
        Some(DueView { amount: due.amount, benefits_from: due.benefits_from })
    };
    let repairs = (1..=record.missed_years).take(REPAIRS_MAX);
    let standing = match (record.standing, record.lock_at(call.instant())) {
        (PremiumStanding::Locked(_), None) => PremiumStanding::Due,
        (standing, _) => standing,
    };
    PremiumDetails {
        class: record.class,
        missed_years: record.missed_years,
        standing,
        due: due(0),
        repairs: repairs
            .filter_map(|years| due(years).map(|due| RepairView { years, due }))
            .collect(),
    }
}

/// The person's side, the collector, the payer and channel of a lock, and whoever paid it.
fn concerns(
    call: &Call,
    session: &Session,
    (terms, person): (&PremiumSeason, PersonId),
    record: &PremiumRecord,
) -> bool {
    let locks = record.lock_at(call.instant()).is_some_and(|lock| {
        lock.payer == session.party || Party::Organisation(lock.channel) == session.party
    });
    let payment = match record.standing {
        PremiumStanding::Due | PremiumStanding::Locked(_) => None,
        PremiumStanding::Paying { payment } | PremiumStanding::GoingBack { payment } => {
            Some(payment)
        }
        PremiumStanding::Paid { payment, .. } => payment,
    };
    let payer = payment.and_then(|one| premium::view::payer(&call.view.state, &one));
    locks
        || payer == Some(session.party)
        || session.party == Party::Organisation(terms.collector)
        || call.person(session, person).is_ok()
}
