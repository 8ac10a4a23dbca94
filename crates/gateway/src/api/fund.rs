//! Funds, for their owners and the region's bureau.

use axum::http::Method;
use benefit::Payer;
use ledger::kernel::account::Account;
use ledger::kernel::posting;
use primitives::{FundId, OrganisationId, RegionId};
use schemars::JsonSchema;
use serde::Serialize;

use super::account::{AccountView, account_view};
use super::receipt::not_found;
use crate::call::Call;
use crate::endpoint::{Access, AnswerKind, BodyKind, Endpoint, Parameter, Reply, schema_of};
use crate::problem::{Problem, code};
use crate::session::Session;

/// The endpoint of funds.
pub static ENDPOINTS: &[Endpoint] = &[Endpoint {
    method: Method::GET,
    path: "/v1/regions/{region}/funds/{fund}",
    operation: "get_fund",
    summary: "Gives a fund with its balance",
    access: Access::Party { rule: "the fund's owner and the region's bureau", handle: get },
    parameters: &[
        Parameter::path("region", "the region's six-digit code", schema_of::<u32>),
        Parameter::path("fund", "the fund's number", schema_of::<u16>),
    ],
    body: BodyKind::None,
    answer: AnswerKind::Json(200, schema_of::<FundView>),
    problems: &[code::NOT_YOURS, code::NOT_FOUND],
}];

/// A fund.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Fund")]
pub struct FundView {
    /// The region.
    pub region: RegionId,
    /// Its number.
    pub fund: FundId,
    /// Whose money it is.
    pub owner: OrganisationId,
    /// Whose share of bills it was opened for.
    pub purpose: Payer,
    /// The year whose service days it pays for; any when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub year: Option<u16>,
    /// Whether it is closed.
    pub closed: bool,
    /// Its money.
    pub account: AccountView,
}

fn get(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let (region, fund) = (RegionId(call.path("region")?), FundId(call.path("fund")?));
    let row = call.fund(session, region, fund)?;
    let account = Account::Fund { region, fund };
    let balance = posting::account(&call.view.state, &account).ok_or_else(not_found)?;
    Reply::json(&FundView {
        region,
        fund,
        owner: row.owner,
        purpose: row.purpose,
        year: row.year,
        closed: row.closed,
        account: account_view(call, account, &balance),
    })
}
