//! How a region pays its providers: statements, batches of payments, days compared with the bank.

use axum::http::Method;
use ledger::kernel::account::{Account, Books};
use ledger::kernel::month::CalendarMonth;
use ledger::kernel::overlay::Read;
use ledger::kernel::posting;
use ledger::modules::clearing::{
    BankDay, BatchStanding, ClearingRules, DayTotals, HeldYear, LineRow, StatementRow, end_to_end,
    view,
};
use ledger::modules::{interregion, network};
use primitives::{Amount, CivilDate, Currency, Hash, OrganisationId, Party, RegionId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::receipt::not_found;
use crate::call::Call;
use crate::endpoint::{Access, AnswerKind, BodyKind, Endpoint, Parameter, Reply, schema_of};
use crate::problem::{Problem, code};
use crate::session::Session;

const REGION: Parameter =
    Parameter::path("region", "the region's six-digit code", schema_of::<u32>);
const PAYER_RULE: &str = "the region's bureau and whoever supervises it";

/// The endpoints of clearing.
pub static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::GET,
        path: "/v1/regions/{region}/clearing",
        operation: "get_clearing",
        summary: "Gives how a region pays its providers: rules, and what is payable to each",
        access: Access::Party { rule: PAYER_RULE, handle: clearing },
        parameters: &[REGION],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<ClearingView>),
        problems: &[code::NOT_YOURS],
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/regions/{region}/clearing/providers/{organisation}",
        operation: "list_statements",
        summary: "Lists a provider's monthly statements in a region, with budget and hold-back",
        access: Access::Party {
            rule: "the provider, the region's bureau and whoever supervises it",
            handle: statements,
        },
        parameters: &[
            REGION,
            Parameter::path("organisation", "the provider's code", schema_of::<OrganisationId>),
        ],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<StatementList>),
        problems: &[code::NOT_YOURS],
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/regions/{region}/clearing/batches/{batch}",
        operation: "get_payout",
        summary: "Gives a batch of payments to providers with what the bank said of each",
        access: Access::Party { rule: PAYER_RULE, handle: batch },
        parameters: &[
            REGION,
            Parameter::path("batch", "the batch's number, from 1", schema_of::<u32>),
        ],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<PayoutView>),
        problems: &[code::NOT_YOURS, code::NOT_FOUND],
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/regions/{region}/clearing/days/{day}",
        operation: "get_bank_day",
        summary: "Gives a day's payments on the ledger, and what differed once the day is closed",
        access: Access::Party { rule: PAYER_RULE, handle: day },
        parameters: &[
            REGION,
            Parameter::path("day", "the day, such as 2026-03-31", schema_of::<CivilDate>),
        ],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<BankDayView>),
        problems: &[code::NOT_YOURS],
    },
];

/// How a region pays its providers.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Clearing")]
pub struct ClearingView {
    /// The region.
    pub region: RegionId,
    /// Who pays.
    pub bureau: OrganisationId,
    /// The currency of all amounts.
    pub currency: Currency,
    /// Today in the region's calendar.
    pub today: CivilDate,
    /// The rules; left out where none are set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rules: Option<ClearingRules>,
    /// The number of the last batch; 0 before the first one.
    pub last_batch: u32,
    /// The providers with statements, by code; behind them the bureaus of regions to which
    /// something is payable for care elsewhere.
    pub providers: Vec<ProviderBooks>,
}

/// Where a provider's money is.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ProviderBooks {
    /// The provider.
    pub organisation: OrganisationId,
    /// The last month that was stated; left out before the first one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<CalendarMonth>,
    /// What that month settled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settled: Option<Amount>,
    /// That month's budget, where one was set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<Amount>,
    /// What is due and not stated yet.
    pub due: Amount,
    /// What the provider owes because more was taken back than settled.
    pub owing: Amount,
    /// What is stated and to be paid.
    pub payable: Amount,
    /// What the bank was told to pay and has not booked.
    pub in_payment: Amount,
    /// What is held back.
    pub held_back: Amount,
}

impl ProviderBooks {
    /// Something is to be paid, or on its way.
    const fn is_paid(&self) -> bool {
        !self.payable.is_zero() || !self.in_payment.is_zero()
    }
}

/// A provider's statements.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct StatementList {
    /// The region.
    pub region: RegionId,
    /// The currency of all amounts.
    pub currency: Currency,
    /// Where the provider's money is now.
    pub books: ProviderBooks,
    /// The statements, oldest first.
    pub statements: Vec<StatementView>,
    /// The years of these statements, oldest first.
    pub years: Vec<StatementYear>,
}

/// A statement.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Statement")]
pub struct StatementView {
    /// Of which month.
    pub month: CalendarMonth,
    /// What it says.
    #[serde(flatten)]
    pub row: StatementRow,
}

/// A year of a provider.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct StatementYear {
    /// The year.
    pub year: u16,
    /// The budget by month, where one was set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<Vec<Amount>>,
    /// What was held back, and what became of it.
    pub held: HeldYear,
}

/// A batch of payments.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Payout")]
pub struct PayoutView {
    /// The region.
    pub region: RegionId,
    /// Its number.
    pub batch: u32,
    /// The currency of all amounts.
    pub currency: Currency,
    /// The day on which the bank is asked to pay.
    pub execute_on: CivilDate,
    /// The hash of day and lines as proposed.
    pub lines_hash: Hash,
    /// Where it stands.
    pub standing: BatchStanding,
    /// When it was proposed.
    pub proposed: Timestamp,
    /// Who approved it; left out before that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approver: Option<OrganisationId>,
    /// When it was approved; left out before that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approved: Option<Timestamp>,
    /// Its lines, numbered from 0.
    pub lines: Vec<PayoutLineView>,
}

/// A payment of a batch.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "PayoutLineStanding")]
pub struct PayoutLineView {
    /// The reference that goes with it to its end.
    pub end_to_end: String,
    /// Who is paid how much, and what the bank said.
    #[serde(flatten)]
    pub row: LineRow,
}

/// A day of the bank.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "BankDayStanding")]
pub struct BankDayView {
    /// The region.
    pub region: RegionId,
    /// The day.
    pub day: CivilDate,
    /// What the ledger has recorded of payments on this day by now.
    pub totals: DayTotals,
    /// Whether the day was closed without a difference.
    pub is_even: bool,
    /// How it was closed; left out before that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed: Option<BankDay>,
}

fn books(state: &dyn Read, region: RegionId, organisation: OrganisationId) -> ProviderBooks {
    let books = Books::of(organisation, region);
    let balance = |account| posting::balance(state, &account);
    let due = balance(Account::ProviderDue(books));
    let last = view::stated(state, books).map(|(_, last)| last);
    let statement = last.and_then(|month| view::statement(state, books, month));
    ProviderBooks {
        organisation,
        last,
        settled: statement.map(|row| row.settled),
        budget: statement.and_then(|row| row.budget),
        due: Amount::at_least_zero(due),
        owing: Amount::at_least_zero(due.saturating_neg()),
        payable: Amount::at_least_zero(balance(Account::ProviderPayable(books))),
        in_payment: Amount::at_least_zero(balance(Account::ProviderInPayment(books))),
        held_back: Amount::at_least_zero(balance(Account::ProviderHeldBack(books))),
    }
}

fn clearing(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let id = RegionId(call.path("region")?);
    call.require_bureau(session, &[id])?;
    let state: &dyn Read = &call.view.state;
    let region = network::view::region(state, id).ok_or_else(not_found)?;
    let providers = view::providers(state, id).into_iter().map(|one| books(state, id, one));
    let regions = interregion::view::counterparts(state, id).into_iter();
    let bureaus = regions.filter_map(|other| Some(network::view::region(state, other)?.bureau));
    let owed = bureaus.map(|bureau| books(state, id, bureau)).filter(ProviderBooks::is_paid);
    Reply::json(&ClearingView {
        region: id,
        bureau: region.bureau,
        currency: region.currency,
        today: call.today(id).ok_or_else(not_found)?,
        rules: view::rules(state, id),
        last_batch: view::last_batch(state, id),
        providers: providers.chain(owed).collect(),
    })
}

fn statements(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let region = RegionId(call.path("region")?);
    let provider: OrganisationId = call.path("organisation")?;
    if session.party != Party::Organisation(provider) {
        call.require_bureau(session, &[region])?;
    }
    let state: &dyn Read = &call.view.state;
    let row = network::view::region(state, region).ok_or_else(|| Problem::new(&code::NOT_YOURS))?;
    let own = Books::of(provider, region);
    let mut statements = Vec::new();
    let mut years: Vec<StatementYear> = Vec::new();
    if let Some((first, last)) = view::stated(state, own) {
        let months = std::iter::successors(Some(first), |month| Some(month.next()));
        for month in months.take_while(|month| *month <= last) {
            statements
                .extend(view::statement(state, own, month).map(|row| StatementView { month, row }));
            if years.last().is_none_or(|year| year.year != month.year) {
                let year = month.year;
                let (budget, held) = (view::budget(state, own, year), view::held(state, own, year));
                years.push(StatementYear { year, budget, held });
            }
        }
    }
    let books = books(state, region, provider);
    Reply::json(&StatementList { region, currency: row.currency, books, statements, years })
}

fn batch(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let region = RegionId(call.path("region")?);
    call.require_bureau(session, &[region])?;
    let (state, number): (&dyn Read, u32) = (&call.view.state, call.path("batch")?);
    let row = view::batch(state, region, number).ok_or_else(not_found)?;
    let currency = network::view::region(state, region).ok_or_else(not_found)?.currency;
    let lines = (0..)
        .zip(row.lines)
        .map(|(line, row)| PayoutLineView { end_to_end: end_to_end(region, number, line), row });
    Reply::json(&PayoutView {
        region,
        batch: number,
        currency,
        execute_on: row.execute_on,
        lines_hash: row.lines_hash,
        standing: row.standing,
        proposed: row.proposed,
        approver: row.approved.map(|(approver, _)| approver),
        approved: row.approved.map(|(_, at)| at),
        lines: lines.collect(),
    })
}

fn day(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let region = RegionId(call.path("region")?);
    call.require_bureau(session, &[region])?;
    let (state, day): (&dyn Read, CivilDate) = (&call.view.state, call.path("day")?);
    let closed = view::bank_day(state, region, day);
    Reply::json(&BankDayView {
        region,
        day,
        totals: view::totals(state, region, day),
        is_even: closed.as_ref().is_some_and(BankDay::is_even),
        closed,
    })
}
