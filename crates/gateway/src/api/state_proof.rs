//! Proofs that the ledger holds a row, or holds none, for those who may see it: verified against
//! the state root of a signed header, without trusting this gateway.

use axum::http::Method;
use ledger::kernel::account::Account;
use ledger::kernel::posting;
use ledger::modules::{coverage, person, visit, voucher};
use primitives::{Detail, Hash, Party, PersonId, VisitId, detail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::receipt::not_found;
use crate::call::Call;
use crate::endpoint::{Access, AnswerKind, BodyKind, Endpoint, Parameter, Reply, schema_of};
use crate::problem::{Problem, code};
use crate::session::Session;

/// The endpoint of state proofs.
pub static ENDPOINTS: &[Endpoint] = &[Endpoint {
    method: Method::GET,
    path: "/v1/proofs/{row}/{id}",
    operation: "get_state_proof",
    summary: "Proves that the ledger holds a row, or holds none, at its present height; the header of that \
              height names the state root",
    access: Access::Party {
        rule: "whoever may read the row itself: a person's data, a visit, a settlement's use by second \
               payers",
        handle: prove,
    },
    parameters: &[
        Parameter::path("row", "which kind of row", schema_of::<RowKind>),
        Parameter::path(
            "id",
            "the person's id, the visit's id, or the id of the transaction that settled",
            schema_of::<String>,
        ),
    ],
    body: BodyKind::None,
    answer: AnswerKind::Json(200, schema_of::<StateProofView>),
    problems: &[code::NOT_FOUND, code::NOT_YOURS],
}];

/// A kind of row that can be proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RowKind {
    /// A person's keys, guardians, lock and card.
    Person,
    /// A person's coverages and running amounts.
    Coverage,
    /// A person's personal account.
    PersonalAccount,
    /// A visit.
    Visit,
    /// What second payers have reimbursed on a settlement.
    Settlement,
}

impl std::str::FromStr for RowKind {
    type Err = Detail;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        serde_json::from_value(serde_json::Value::String(text.to_owned())).map_err(|_| {
            detail!("write `person`, `coverage`, `personal_account`, `visit` or `settlement`")
        })
    }
}

/// A proof of a row.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "StateProof")]
pub struct StateProofView {
    /// The height whose state it is about.
    pub height: u64,
    /// The root of that state.
    pub state_root: Hash,
    /// The row's key, in hex.
    pub key: String,
    /// The row's value, in hex; left out when there is no such row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The region's salt, which the root covers.
    pub salt: Hash,
    /// The number of rows, which the root covers.
    pub entry_count: u64,
    /// Key hash and value hash of each row of the bucket where the key belongs.
    pub bucket: Vec<(Hash, Hash)>,
    /// The hashes beside the way from the top of the tree down to the bucket, topmost first.
    pub siblings: Vec<Hash>,
    /// Opens the row's own value hash; left out when there is no such row. Those of its neighbours
    /// stay closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blind: Option<Hash>,
}

fn key_of(call: &Call, session: &Session, row: RowKind) -> Result<Vec<u8>, Problem> {
    match row {
        RowKind::Person | RowKind::Coverage | RowKind::PersonalAccount => {
            let id: PersonId = call.path("id")?;
            call.person(session, id)?;
            Ok(match row {
                RowKind::Coverage => coverage::view::coverage_key(id),
                RowKind::PersonalAccount => posting::account_key(&Account::PersonalAccount(id)),
                _ => person::view::person_key(id),
            })
        }
        RowKind::Visit => {
            let id: VisitId = call.path("id")?;
            call.visit(session, id)?;
            Ok(visit::view::visit_key(id))
        }
        RowKind::Settlement => {
            let id: Hash = call.path("id")?;
            let row = voucher::view::settlement(&call.view.state, &id).ok_or_else(not_found)?;
            let allowed = match session.party {
                Party::Person(person) => row.person == person,
                Party::Organisation(id) => {
                    row.provider == id || row.marks.iter().any(|mark| mark.payer == id)
                }
            };
            if allowed { Ok(voucher::view::settlement_key(&id)) } else { Err(not_found()) }
        }
    }
}

fn prove(call: &Call, session: &Session) -> Result<Reply, Problem> {
    let key = key_of(call, session, call.path("row")?)?;
    let state = call.view.rows();
    let proof = state.prove(&key).ok_or_else(|| Problem::new(&code::UNAVAILABLE))?;
    Reply::json(&StateProofView {
        height: call.view.tip.height,
        state_root: state.root(),
        key: hex::encode(&key),
        value: state.read(&key).map(hex::encode),
        salt: proof.salt,
        entry_count: proof.entry_count,
        bucket: proof.bucket,
        siblings: proof.siblings,
        blind: proof.blind,
    })
}
