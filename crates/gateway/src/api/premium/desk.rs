//! Premiums at the bureau's desk: the seasons, how many premiums stand where, one person's premium
//! with the cause that stands in its way, and the registration list. What changes something is
//! signed by the desk's own key; a lock is ended by `release_premium`, a cover by `end_coverage`.
//!
//! Invariants: only the region's bureau asks about people, by a key with a scope for it, and with
//! name and number, so that nobody learns which numbers exist (test
//! `only_the_bureau_looks_people_up`); a wrong line of a list stops no other (test
//! `a_list_is_read_line_by_line_and_a_wrong_one_stops_no_other`).

use adapters::directory::Particulars;
use axum::http::{Method, StatusCode};
use ledger::Transaction;
use ledger::modules::organisation::Scope;
use ledger::modules::premium::{
    self, PremiumClass, PremiumSeason, PremiumStanding, PremiumTally, RegisterPremiums, SeasonId,
    TallyPart,
};
use ledger::modules::{coverage, network};
use primitives::{
    Amount, CivilDate, Currency, OrganisationId, Party, Period, PersonId, RegionId, SchemeId,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::list::{self, PremiumLine};
use super::pay::PremiumLookup;
use super::{PremiumDetails, REGION, SCHEME, YEAR, details_of, season_of};
use crate::api::desk_act::require_bureau;
use crate::api::lines::{LINES_MAX, LineProblem, RefusedRow, refused_rows, require_count};
use crate::api::machine::execute;
use crate::api::objection::body_of;
use crate::api::person::{CoverageStanding, standing_on};
use crate::api::receipt::not_found;
use crate::api::transaction::{TransactionRequest, read_content};
use crate::call::Call;
use crate::endpoint::{
    Access, AnswerKind, BodyKind, Endpoint, JSON_BYTES_MAX, Parameter, Reply, schema_of,
};
use crate::problem::{Problem, code};
use crate::session::Session;

/// The most bytes of a list that is read: 500 lines with long names.
const LIST_BYTES_MAX: usize = 512 * 1_024;
/// The most bytes of a registration: 500 rows in hex, and the signature.
const REGISTRATION_BYTES_MAX: usize = 256 * 1_024;

const FIGURES_RULE: &str = "the region's bureau and the season's collector";
const DESK_RULE: &str = "the region's bureau, by a key with the scope `clerk` or `attest`";
const LIST_RULE: &str = "the region's bureau, by a key with the scope `attest`";
const ORGANISATION: Parameter =
    Parameter::path("organisation", "the bureau's code", schema_of::<OrganisationId>);

/// The endpoints of the bureau's desk.
pub static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::GET,
        path: "/v1/regions/{region}/premium-seasons",
        operation: "list_premium_seasons",
        summary: "Lists a region's premium seasons of the last, this and the next year",
        access: Access::Public(seasons),
        parameters: &[REGION],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<PremiumSeasonList>),
        problems: &[code::NOT_FOUND],
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/regions/{region}/schemes/{scheme}/premium-seasons/{year}/figures",
        operation: "get_premium_figures",
        summary: "Says how many premiums of a season stand where, by class, and what they come to",
        access: Access::Party { rule: FIGURES_RULE, handle: figures },
        parameters: &[REGION, SCHEME, YEAR],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<PremiumFigures>),
        problems: &[code::NOT_FOUND, code::NOT_YOURS],
    },
    Endpoint {
        method: Method::POST,
        path: "/v1/organisations/{organisation}/premium-lookups",
        operation: "find_premium",
        summary: "Finds a person by name and identity number for the bureau's desk: where the premium \
                  stands, why it cannot be paid now, and what else covers the person",
        access: Access::Party { rule: DESK_RULE, handle: find },
        parameters: &[ORGANISATION],
        body: BodyKind::Json(schema_of::<PremiumLookup>, JSON_BYTES_MAX),
        answer: AnswerKind::Json(200, schema_of::<FoundPremium>),
        problems: &[
            code::NO_WALLET,
            code::NOT_YOURS,
            code::NOT_FOUND,
            code::SCOPE_MISSING,
            code::IDENTITY_UNCONFIRMED,
            code::NOT_ENROLLED,
            code::UNAVAILABLE,
        ],
    },
    Endpoint {
        method: Method::POST,
        path: "/v1/organisations/{organisation}/premium-lists",
        operation: "read_premium_list",
        summary: "Reads up to 500 lines of a registration list: for each the row of `register_premiums` \
                  that it comes to, or what is wrong with it",
        access: Access::Party { rule: LIST_RULE, handle: read_list },
        parameters: &[ORGANISATION],
        body: BodyKind::Json(schema_of::<PremiumList>, LIST_BYTES_MAX),
        answer: AnswerKind::Json(200, schema_of::<ReadPremiumList>),
        problems: &[
            code::NO_WALLET,
            code::NOT_YOURS,
            code::NOT_FOUND,
            code::SCOPE_MISSING,
            code::UNAVAILABLE,
        ],
    },
    Endpoint {
        method: Method::POST,
        path: "/v1/organisations/{organisation}/premium-registrations",
        operation: "register_premiums",
        summary: "Puts a signed `register_premiums` on the ledger and says which rows were refused, and \
                  why; the same again gives the same answer",
        access: Access::Party { rule: LIST_RULE, handle: register },
        parameters: &[ORGANISATION],
        body: BodyKind::Signed(schema_of::<TransactionRequest>, REGISTRATION_BYTES_MAX),
        answer: AnswerKind::Json(201, schema_of::<PremiumsRegistered>),
        problems: &[
            code::NO_WALLET,
            code::NOT_YOURS,
            code::SCOPE_MISSING,
            code::CHANGE_INVALID,
            code::SIGNATURE_INVALID,
            code::UNAVAILABLE,
        ],
    },
];

/// Seasons.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PremiumSeasonList {
    /// Today in the region's calendar.
    pub today: CivilDate,
    /// The seasons, the newest first.
    pub seasons: Vec<ListedSeason>,
}

/// A season of a list.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ListedSeason {
    /// Which it is.
    pub season: SeasonId,
    /// Its terms.
    pub terms: PremiumSeason,
}

/// How many premiums stand where.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PremiumFigures {
    /// Today in the region's calendar: it decides what is due.
    pub today: CivilDate,
    /// The currency of the amounts.
    pub currency: Currency,
    /// How many of those that are due are locked right now, to the minute.
    pub locked: u64,
    /// The classes in the order of their numbers.
    pub classes: Vec<ClassFigures>,
}

/// How many premiums of a class stand where. Missed years that are paid as well are in the amounts
/// of payments, and not in what is due.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub struct ClassFigures {
    /// The class's number.
    pub class: u8,
    /// Not paid, locked ones among them; what they come to on this day.
    pub due: PartFigures,
    /// The payment waits for the bank's word.
    pub paying: PartFigures,
    /// Paid.
    pub paid: PartFigures,
    /// Nothing was due.
    pub waived: PartFigures,
    /// Paid and going back.
    pub going_back: PartFigures,
}

/// How many, and what they come to.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub struct PartFigures {
    /// How many.
    pub persons: u32,
    /// In minor units of the region's currency.
    pub amount: Amount,
}

/// Somebody's premium, as the bureau's desk sees it.
#[derive(Clone, Serialize, JsonSchema)]
pub struct FoundPremium {
    /// The id on the ledger.
    pub person: PersonId,
    /// The name, as the register confirmed it.
    pub name: String,
    /// The last four characters of the identity document.
    pub number_end: String,
    /// Where the premium stands; nothing when the person is not registered for the season.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<PremiumDetails>,
    /// Why nobody can pay it now, and what to do about it; nothing when it can be paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub obstacle: Option<LineProblem>,
    /// Who locked it, or whose payment it stands in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payer: Option<PremiumPayer>,
    /// What covers the person, ended covers of two years among them.
    pub covers: Vec<CoverPlace>,
}

/// Who pays a premium.
#[derive(Clone, Serialize, JsonSchema)]
pub struct PremiumPayer {
    /// Who.
    pub party: Party,
    /// The name of a person, where the bureau knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A cover, by its place.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct CoverPlace {
    /// The insured place.
    pub region: RegionId,
    /// Its bureau, which alone can end it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bureau: Option<OrganisationId>,
    /// The scheme.
    pub scheme: SchemeId,
    /// From when to when.
    pub period: Period,
    /// How it stands today.
    pub standing: CoverageStanding,
}

/// Lines of a registration list.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PremiumList {
    /// Which season.
    pub season: SeasonId,
    /// The lines, 1 to 500.
    #[schemars(length(min = 1, max = 500))]
    pub lines: Vec<PremiumLine>,
}

/// What a list comes to, line by line in its order.
#[derive(Clone, Serialize, JsonSchema)]
pub struct ReadPremiumList {
    /// The lines.
    pub lines: Vec<list::ReadLine>,
}

/// A registration that stands on the ledger.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PremiumsRegistered {
    /// The number of its receipt.
    pub receipt: u64,
    /// The rows that were refused; all others were taken.
    pub refused: Vec<RefusedRow>,
}

fn seasons(call: &Call) -> Result<Reply, Problem> {
    let region = RegionId(call.path("region")?);
    let today = call.today(region).ok_or_else(not_found)?;
    let year = u16::try_from(today.year()).map_err(|_| not_found())?;
    let years = year.saturating_sub(1)..=year.saturating_add(1);
    let found = premium::view::seasons(&call.view.state, region, years);
    let listed = |(season, terms): (SeasonId, std::sync::Arc<PremiumSeason>)| ListedSeason {
        season,
        terms: PremiumSeason::clone(&terms),
    };
    let seasons = found.into_iter().rev().map(listed).collect();
    Reply::json(&PremiumSeasonList { today, seasons })
}

fn figures(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let season = season_of(call)?;
    let state = &call.view.state;
    let terms = premium::view::season(state, season).ok_or_else(not_found)?;
    let region = network::view::region(state, season.region).ok_or_else(not_found)?;
    let may = [region.bureau, terms.collector].map(Party::Organisation).contains(&session.party);
    if !may {
        return Err(Problem::new(&code::NOT_YOURS));
    }
    let now = call.instant();
    let today = now.day(region.settings.utc_offset_minutes);
    let of_class = |class: &PremiumClass| {
        let tally = premium::view::tally(state, season, class.number);
        class_figures(class, &tally, terms.window.to < Some(today))
    };
    Reply::json(&PremiumFigures {
        today,
        currency: region.currency,
        locked: premium::view::locked(state, season, now),
        classes: terms.classes.iter().map(of_class).collect(),
    })
}

fn class_figures(class: &PremiumClass, tally: &PremiumTally, is_late: bool) -> ClassFigures {
    let part = |part: TallyPart| PartFigures { persons: part.persons, amount: part.amount };
    let each = if is_late { class.late_amount } else { class.amount };
    let due = each.minor().saturating_mul(u64::from(tally.due.persons));
    ClassFigures {
        class: class.number,
        due: PartFigures { persons: tally.due.persons, amount: Amount::from_minor(due) },
        paying: part(tally.paying),
        paid: part(tally.paid),
        waived: part(tally.waived),
        going_back: part(tally.going_back),
    }
}

/// The terms of a season of the bureau's region.
fn require_season(call: &Call, season: SeasonId) -> Result<std::sync::Arc<PremiumSeason>, Problem> {
    let is_here = season.region == call.wallet()?.region;
    let terms = premium::view::season(&call.view.state, season).filter(|_| is_here);
    terms.ok_or_else(not_found)
}

fn find(call: &Call, session: &Session) -> Result<Reply, Problem> {
    require_bureau(call, session, &[Scope::Clerk, Scope::Attest])?;
    let PremiumLookup { season, name, number } = call.json()?;
    let terms = require_season(call, season)?;
    let today = call.today(season.region).ok_or_else(not_found)?;
    let (name, number) = (name.trim(), number.trim());
    let person = list::enrolled(call, name, number)?;
    let state = &call.view.state;
    let record = premium::view::record(state, season, person);
    let at = (call.instant(), today);
    let obstacle = premium::view::require_payable(state, season, person, at).err();
    let row = coverage::view::coverage(state, person).unwrap_or_default();
    let covers = row.coverages.iter().map(|one| CoverPlace {
        region: one.region,
        bureau: network::view::region(state, one.region).map(|region| region.bureau),
        scheme: one.scheme,
        period: one.period,
        standing: standing_on(one, today),
    });
    let Particulars { name, number_end } = Particulars::new(name, number);
    let details = record.as_ref().map(|record| details_of(call, (&terms, record), today));
    Reply::json(&FoundPremium {
        person,
        name,
        number_end,
        payer: details.as_ref().map(|one| payer(call, one.standing)).transpose()?.flatten(),
        details,
        obstacle: obstacle.map(|why| LineProblem::of(call, &Problem::rejected(&why))),
        covers: covers.collect(),
    })
}

/// Who pays a premium that stands here.
fn payer(call: &Call, standing: PremiumStanding) -> Result<Option<PremiumPayer>, Problem> {
    let of = |payment| premium::view::payer(&call.view.state, &payment);
    let party = match standing {
        PremiumStanding::Due => None,
        PremiumStanding::Locked(lock) => Some(lock.payer),
        PremiumStanding::Paying { payment } | PremiumStanding::GoingBack { payment } => of(payment),
        PremiumStanding::Paid { payment, .. } => payment.and_then(of),
    };
    let Some(party) = party else { return Ok(None) };
    let name = match party {
        Party::Person(id) => call.name_of(id)?,
        Party::Organisation(_) => None,
    };
    Ok(Some(PremiumPayer { party, name }))
}

fn read_list(call: &Call, session: &Session) -> Result<Reply, Problem> {
    require_bureau(call, session, &[Scope::Attest])?;
    let PremiumList { season, lines } = call.json()?;
    let terms = require_season(call, season)?;
    require_count(lines.len())?;
    Reply::json(&ReadPremiumList { lines: list::read(call, &terms, &lines)? })
}

fn register(call: &Call, session: &Session) -> Result<Reply, Problem> {
    require_bureau(call, session, &[Scope::Attest])?;
    let TransactionRequest { content, authorisations } = call.json()?;
    let content = read_content(call, content)?;
    let body: RegisterPremiums = body_of(call, &content)?;
    let is_own = content.author == session.party && body.season.region == call.wallet()?.region;
    if !is_own || body.rows.len() > LINES_MAX {
        return Err(Problem::new(&code::CHANGE_INVALID).at("content"));
    }
    let transaction = Transaction::signed_by(content, authorisations);
    let placed = execute(call, transaction)?;
    let registered =
        PremiumsRegistered { receipt: placed.index, refused: refused_rows(call, &placed.receipt) };
    Ok(Reply::json(&registered)?.status(StatusCode::CREATED))
}
