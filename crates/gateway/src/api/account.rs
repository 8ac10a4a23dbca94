//! Balances of accounts, for those whose money it is.

use axum::http::Method;
use ledger::kernel::account::{Account, AccountRow, Books, Floor};
use ledger::kernel::posting;
use primitives::{Amount, Currency, OrganisationId, Party, PersonId};
use schemars::JsonSchema;
use serde::Serialize;

use super::receipt::not_found;
use crate::access::{PERSON_RULE, accounts_of};
use crate::call::Call;
use crate::endpoint::{Access, AnswerKind, BodyKind, Endpoint, Parameter, Reply, schema_of};
use crate::problem::{Problem, code};
use crate::session::Session;

/// The endpoints of accounts.
pub static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::GET,
        path: "/v1/persons/{person}/account",
        operation: "get_personal_account",
        summary: "Gives the balance of a person's personal account",
        access: Access::Party { rule: PERSON_RULE, handle: personal },
        parameters: &[Parameter::path("person", "the person's id", schema_of::<PersonId>)],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<AccountView>),
        problems: &[code::NOT_YOURS, code::NOT_FOUND],
    },
    Endpoint {
        method: Method::GET,
        path: "/v1/organisations/{organisation}/accounts",
        operation: "list_organisation_accounts",
        summary: "Gives the balances of an organisation's accounts: what it is owed, what it owes",
        access: Access::Party { rule: "the organisation itself", handle: of_organisation },
        parameters: &[Parameter::path(
            "organisation",
            "the organisation's code",
            schema_of::<OrganisationId>,
        )],
        body: BodyKind::None,
        answer: AnswerKind::Json(200, schema_of::<AccountList>),
        problems: &[code::NOT_YOURS],
    },
];

/// An account.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "AccountBalance")]
pub struct AccountView {
    /// Which account.
    pub account: Account,
    /// The currency it is kept in.
    pub currency: Currency,
    /// Credits less debits in minor units; below zero for accounts that stand for money outside.
    #[serde(serialize_with = "as_text")]
    #[schemars(with = "String", regex(pattern = "^-?[0-9]{1,20}$"))]
    pub balance: i128,
    /// What is held on it.
    pub held: Amount,
    /// What may still be spent: the balance above the floor less what is held; left out where there
    /// is no floor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub available: Option<Amount>,
    /// All that ever came in.
    pub credits: Amount,
    /// All that ever left it.
    pub debits: Amount,
}

/// An organisation's accounts.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AccountList {
    /// Those that were ever used.
    pub accounts: Vec<AccountView>,
}

fn as_text<S: serde::Serializer>(value: &i128, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// An account as its owner sees it now.
pub(crate) fn account_view(call: &Call, account: Account, row: &AccountRow) -> AccountView {
    let now = call.instant();
    AccountView {
        account,
        currency: row.currency,
        balance: row.balance(),
        held: row.held_at(now),
        available: (row.floor != Floor::None).then(|| row.available_at(now)),
        credits: Amount::from_minor(row.credits),
        debits: Amount::from_minor(row.debits),
    }
}

fn personal(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let id: PersonId = call.path("person")?;
    call.person(session, id)?;
    let account = Account::PersonalAccount(id);
    let row = posting::account(&call.view.state, &account).ok_or_else(not_found)?;
    Reply::json(&account_view(call, account, &row))
}

fn of_organisation(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let id: OrganisationId = call.path("organisation")?;
    if session.party != Party::Organisation(id) {
        return Err(Problem::new(&code::NOT_YOURS));
    }
    let state = &call.view.state;
    let regions = posting::regions_of(state, id).into_iter();
    let all = regions.flat_map(|region| accounts_of(Books::of(id, region)));
    let accounts = all.filter_map(|account| {
        let row = posting::account(state, &account)?;
        Some(account_view(call, account, &row))
    });
    Reply::json(&AccountList { accounts: accounts.collect() })
}
