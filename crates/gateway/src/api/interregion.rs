//! What regions advance for each other and owe each other: pairs, statements, items.

use axum::http::Method;
use ledger::kernel::account::RegionPair;
use ledger::kernel::month::CalendarMonth;
use ledger::kernel::overlay::Read;
use ledger::modules::interregion::view::{self, Between};
use ledger::modules::interregion::{DatedRules, ItemRow, RegionStatement, rejection};
use ledger::modules::network;
use primitives::{Amount, CivilDate, Currency, OrganisationId, RegionId, detail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::receipt::not_found;
use crate::call::Call;
use crate::endpoint::{Access, AnswerKind, BodyKind, Endpoint, Parameter, Reply, schema_of};
use crate::problem::{Problem, code};
use crate::session::Session;

const INSURED: Parameter =
    Parameter::path("insured", "the insured region's six-digit code", schema_of::<u32>);
const CARE: Parameter =
    Parameter::path("care", "the six-digit code of the region of care", schema_of::<u32>);
const PAIR_RULE: &str = "both regions' bureaus and whoever supervises one of them";
/// How many items a page has at the most.
const PAGE: u64 = 200;

/// The endpoints of care elsewhere.
pub static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::GET,
        path: "/v1/regions/{region}/interregion",
        operation: "get_interregion",
        summary: "Gives a region's rules of clearing care elsewhere, and what it and others owe each other",
        access: Access::Party {
            rule: "the region's bureau and whoever supervises it",
            handle: overview,
        },
        parameters: &[Parameter::path("region", "the region's six-digit code", schema_of::<u32>)],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<InterregionView>),
        problems: &[code::NOT_YOURS],
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/interregion/{insured}/{care}",
        operation: "list_region_statements",
        summary: "Gives where the money is that an insured region owes a region of care, and its monthly statements",
        access: Access::Party { rule: PAIR_RULE, handle: statements },
        parameters: &[INSURED, CARE],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<PairView>),
        problems: &[code::NOT_YOURS],
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/interregion/{insured}/{care}/statements/{year}/{month}",
        operation: "get_region_statement",
        summary: "Gives a statement between regions with its items, and whether they add up to it",
        access: Access::Party { rule: PAIR_RULE, handle: statement },
        parameters: &[
            INSURED,
            CARE,
            Parameter::path("year", "the statement's year", schema_of::<u16>),
            Parameter::path("month", "the statement's month, 1 to 12", schema_of::<u8>),
            Parameter::query(
                "after",
                "give items behind this number; the `next` of the page before",
                schema_of::<u64>,
            ),
        ],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<StatementItems>),
        problems: &[code::NOT_YOURS, code::NOT_FOUND],
    },
];

/// What a region and others owe each other.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Interregion")]
pub struct InterregionView {
    /// The region.
    pub region: RegionId,
    /// Its bureau.
    pub bureau: OrganisationId,
    /// The currency of all amounts.
    pub currency: Currency,
    /// Today in the region's calendar.
    pub today: CivilDate,
    /// Its rules by first day of admission, oldest first.
    pub rules: Vec<DatedRules>,
    /// The regions with which it has items, by code.
    pub counterparts: Vec<Counterpart>,
}

/// A region with which another one clears.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Counterpart {
    /// The other region.
    pub region: RegionId,
    /// Its bureau.
    pub bureau: OrganisationId,
    /// What the region owes the other one, because its own people were treated there.
    pub owed: PairStanding,
    /// What the other one owes the region, because it advanced for people treated here.
    pub advanced: PairStanding,
}

/// Where the money is that an insured region owes a region of care. What was advanced is what is
/// open, disputed, payable, in payment or under way, less what the region of care owes.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PairStanding {
    /// What the region of care advanced and has not got back.
    pub advanced: Amount,
    /// What is not agreed to yet: not stated, or not answered.
    pub open: Amount,
    /// What the region of care owes, because more was given back than advanced: it goes on to the
    /// next statement.
    pub owing: Amount,
    /// What is disputed.
    pub disputed: Amount,
    /// What is agreed to and payable to the region of care.
    pub payable: Amount,
    /// What the bank was told to pay.
    pub in_payment: Amount,
    /// What the bank paid and the region of care has not confirmed.
    pub under_way: Amount,
    /// How many items there are.
    pub items: u64,
    /// How many of them are not stated yet.
    pub unstated: u64,
    /// The last month that was stated; left out before the first one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<CalendarMonth>,
    /// Whether that statement waits for its answer.
    pub waits: bool,
}

/// What an insured region owes a region of care, and its statements.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "RegionPairStanding")]
pub struct PairView {
    /// The insured region, which owes.
    pub insured: RegionId,
    /// Its bureau.
    pub insured_bureau: OrganisationId,
    /// The region of care, which advanced.
    pub care: RegionId,
    /// Its bureau.
    pub care_bureau: OrganisationId,
    /// The currency of all amounts.
    pub currency: Currency,
    /// Today in the calendar of the region of care, which closes months.
    pub today: CivilDate,
    /// Where the money is now.
    pub standing: PairStanding,
    /// The statements, oldest first.
    pub statements: Vec<MonthStatement>,
}

/// A month's statement between two regions.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct MonthStatement {
    /// Of which month.
    pub month: CalendarMonth,
    /// What it says, and the answer to it.
    #[serde(flatten)]
    pub row: RegionStatement,
}

/// A statement with some of its items.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "RegionStatementItems")]
pub struct StatementItems {
    /// The insured region, which owes.
    pub insured: RegionId,
    /// The region of care, which advanced.
    pub care: RegionId,
    /// The currency of all amounts.
    pub currency: Currency,
    /// Of which month.
    pub month: CalendarMonth,
    /// The statement.
    pub statement: RegionStatement,
    /// Whether this gateway's ledger has all items, and they come to the statement's sums, counts
    /// and hash; said on the first page alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adds_up: Option<bool>,
    /// The items by number, 200 at the most.
    pub items: Vec<ItemRow>,
    /// The number behind which the next page begins; left out on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
}

fn standing(state: &dyn Read, pair: RegionPair) -> PairStanding {
    let row = view::pair(state, pair).unwrap_or_default();
    let Between { advanced, owed, disputed, payable, in_payment, under_way } =
        view::between(state, pair);
    PairStanding {
        advanced: Amount::at_least_zero(advanced),
        open: Amount::at_least_zero(owed),
        owing: Amount::at_least_zero(owed.saturating_neg()),
        disputed: Amount::at_least_zero(disputed),
        payable: Amount::at_least_zero(payable),
        in_payment: Amount::at_least_zero(in_payment),
        under_way: Amount::at_least_zero(under_way),
        items: row.items,
        unstated: row.items.saturating_sub(row.stated_items),
        last: row.stated.map(|(_, last)| last),
        waits: row.waits,
    }
}

fn overview(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let region = RegionId(call.path("region")?);
    call.require_bureau(session, &[region])?;
    let state: &dyn Read = &call.view.state;
    let row = network::view::region(state, region).ok_or_else(not_found)?;
    let counterparts = view::counterparts(state, region).into_iter().filter_map(|other| {
        let owed = RegionPair { insured: region, care: other };
        Some(Counterpart {
            region: other,
            bureau: network::view::region(state, other)?.bureau,
            owed: standing(state, owed),
            advanced: standing(state, owed.reversed()),
        })
    });
    Reply::json(&InterregionView {
        region,
        bureau: row.bureau,
        currency: row.currency,
        today: call.today(region).ok_or_else(not_found)?,
        rules: view::rules(state, region),
        counterparts: counterparts.collect(),
    })
}

/// The two regions of the path, for those whom it concerns.
fn pair(call: &Call, session: &Session) -> Result<RegionPair, Problem> {
    let (insured, care) = (RegionId(call.path("insured")?), RegionId(call.path("care")?));
    call.require_bureau(session, &[insured, care])?;
    Ok(RegionPair { insured, care })
}

fn statements(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let pair = pair(call, session)?;
    let state: &dyn Read = &call.view.state;
    let region = |id| network::view::region(state, id).ok_or_else(not_found);
    let (insured, care) = (region(pair.insured)?, region(pair.care)?);
    let mut statements = Vec::new();
    if let Some((first, last)) = view::pair(state, pair).and_then(|row| row.stated) {
        let months = std::iter::successors(Some(first), |month| Some(month.next()));
        for month in months.take_while(|month| *month <= last) {
            let row = view::statement(state, pair, month);
            statements.extend(row.map(|row| MonthStatement { month, row }));
        }
    }
    Reply::json(&PairView {
        insured: pair.insured,
        insured_bureau: insured.bureau,
        care: pair.care,
        care_bureau: care.bureau,
        currency: insured.currency,
        today: call.today(pair.care).ok_or_else(not_found)?,
        standing: standing(state, pair),
        statements,
    })
}

/// Whether the items on the ledger come to what the statement says.
fn adds_up(state: &dyn Read, pair: RegionPair, statement: &RegionStatement) -> bool {
    let numbers = statement.after_item.saturating_add(1)..=statement.to_item;
    let items: Vec<_> =
        numbers.filter_map(|number| Some(view::item(state, pair, number)?.item)).collect();
    statement.is_sum_of(pair, &items)
}

/// The month was not stated; which ones were, for those whom it concerns.
fn not_stated(state: &dyn Read, pair: RegionPair, month: CalendarMonth) -> Problem {
    let name = |one: CalendarMonth| format!("{}-{:02}", one.year, one.month);
    let stated = view::pair(state, pair).and_then(|row| row.stated);
    let month = name(month);
    Problem::rejected(&rejection::UNKNOWN_STATEMENT.with(match stated {
        None => detail!("{month} was not stated, and no month before", month),
        Some((first, last)) => detail!(
            "{month} was not stated; {first} to {last} were",
            month,
            first = name(first),
            last = name(last)
        ),
    }))
}

fn statement(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let pair = pair(call, session)?;
    let state: &dyn Read = &call.view.state;
    let month = CalendarMonth { year: call.path("year")?, month: call.path("month")? };
    let statement =
        view::statement(state, pair, month).ok_or_else(|| not_stated(state, pair, month))?;
    let currency = network::view::region(state, pair.insured).ok_or_else(not_found)?.currency;
    let after = call.query::<u64>("after")?.unwrap_or_default().max(statement.after_item);
    let last = statement.to_item.min(after.saturating_add(PAGE));
    let numbers = after.saturating_add(1)..=last;
    let items = numbers.filter_map(|number| view::item(state, pair, number)).collect();
    Reply::json(&StatementItems {
        insured: pair.insured,
        care: pair.care,
        currency,
        month,
        adds_up: (after == statement.after_item).then(|| adds_up(state, pair, &statement)),
        items,
        next: (last < statement.to_item).then_some(last),
        statement,
    })
}
