//! How the node is, for those who run it: one answer with everything that an operator looks at
//! first. Counts, codes and public keys; nothing about any person.

use axum::http::Method;
use primitives::{Amount, CivilDate, Currency, FundId, OrganisationId, PublicKey, RegionId};
use primitives::{Party, Timestamp, UtcOffset};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::call::Call;
use crate::endpoint::{Access, AnswerKind, BodyKind, Endpoint, Reply, schema_of};
use crate::port::Chain;
use crate::problem::{Problem, code};
use crate::session::Session;

/// The endpoint of the node's status.
pub static ENDPOINTS: &[Endpoint] = &[Endpoint {
    method: Method::GET,
    path: "/v1/status",
    operation: "get_status",
    summary: "Says how the node is: funds, queue, payments outside, backup, keys, disk",
    access: Access::Party { rule: "the organisation that runs the node", handle: get },
    parameters: &[],
    body: BodyKind::None,
    answer: AnswerKind::Json(200, schema_of::<NodeStatus>),
    problems: &[code::NOT_YOURS],
}];

/// How a node is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NodeStatus {
    /// The ledger's name.
    pub chain_id: String,
    /// When this was said, by the node's clock.
    pub time: Timestamp,
    /// Whether transactions are taken and every book works.
    pub ready: bool,
    /// The last block.
    pub height: u64,
    /// Its block time.
    pub block_time: Timestamp,
    /// Receipts in the log.
    pub receipts: u64,
    /// Blocks that the history is behind.
    pub history_lag_blocks: u64,
    /// Transactions on their way.
    pub waiting_transactions: u64,
    /// Sessions of those who signed in.
    pub sessions: u64,
    /// Payments outside.
    pub outbox: OutboxStatus,
    /// The last snapshot, if there is one.
    pub snapshot: Option<SnapshotStatus>,
    /// Snapshots that could not be written since the start.
    pub snapshots_given_up: u64,
    /// The last backup, if one was made of this folder.
    pub backup: Option<BackupStatus>,
    /// The funds that are open.
    pub funds: Vec<FundStatus>,
    /// Keys of organisations and nodes, the first to expire in front.
    pub keys: Vec<KeyStatus>,
    /// The seal that signs the sheets of vouchers, if there is one.
    #[serde(default)]
    pub seal: Option<SealStatus>,
    /// The other nodes of its network.
    #[serde(default)]
    pub peers: Vec<PeerStatus>,
    /// Whether the node's block key signs nothing yet, since nobody knows what it signed before.
    #[serde(default)]
    pub watching: bool,
    /// Validators that signed two things at once, as this node saw it.
    #[serde(default)]
    pub accused: Vec<AccusedStatus>,
    /// The disk under the data folder.
    pub disk: DiskStatus,
    /// Memory that the process holds, in bytes.
    pub memory_bytes: u64,
}

impl NodeStatus {
    /// What the ledger says of a node; all that is kept beside it is at nothing.
    #[must_use]
    pub fn of(chain: &dyn Chain, time: Timestamp, ready: bool) -> Self {
        let view = chain.view();
        Self {
            chain_id: chain.chain_id().to_string(),
            time,
            ready,
            height: view.tip.height,
            block_time: view.tip.time,
            receipts: view.tip.receipts,
            history_lag_blocks: 0,
            waiting_transactions: 0,
            sessions: 0,
            outbox: OutboxStatus::default(),
            snapshot: None,
            snapshots_given_up: 0,
            backup: None,
            funds: Vec::new(),
            keys: Vec::new(),
            seal: None,
            peers: Vec::new(),
            watching: false,
            accused: Vec::new(),
            disk: DiskStatus::default(),
            memory_bytes: 0,
        }
    }
}

/// The seal that signs the sheets of vouchers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SealStatus {
    /// Whose it is, by its certificate.
    pub name: String,
    /// Who gave the certificate.
    pub issuer: String,
    /// Until when the certificate holds; afterwards sheets are not signed.
    pub expires: Timestamp,
    /// Whether nobody vouches for it, so that sheets say that it is a sample.
    pub is_sample: bool,
}

/// Payments outside of all organisations whose rails this node drives.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OutboxStatus {
    /// Without a final word.
    pub open: u64,
    /// Of these, those that wait for an operator.
    pub stuck: u64,
    /// Receipts that outboxes have not looked at.
    pub lag_receipts: u64,
    /// Books that cannot be read.
    pub failing_books: u64,
    /// Movements on which a rail's statement and the books do not agree.
    pub differences: u64,
}

/// Another node of the network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PeerStatus {
    /// Whose it is, where the ledger says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisation: Option<OrganisationId>,
    /// Where it listens.
    pub address: String,
    /// Whether this node reaches it.
    pub connected: bool,
}

/// A validator that signed two things at once. What shows it lies in the node's folder, in
/// `signed/equivocations.jsonl`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccusedStatus {
    /// Whose node it is.
    pub organisation: OrganisationId,
    /// The block at which it was seen last.
    pub height: u64,
}

/// The last snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SnapshotStatus {
    /// Of which block.
    pub height: u64,
    /// When it was written.
    pub time: Timestamp,
}

/// The last backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BackupStatus {
    /// Its last block.
    pub height: u64,
    /// When it was begun.
    pub time: Timestamp,
}

/// A fund.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FundStatus {
    /// The region.
    pub region: RegionId,
    /// Its number.
    pub fund: FundId,
    /// Whose money it is.
    pub owner: OrganisationId,
    /// Whose share of bills it was opened for.
    pub purpose: String,
    /// The currency.
    pub currency: Currency,
    /// What it has; none of our funds is below nothing.
    pub balance: Amount,
    /// What stays in it.
    pub floor: Amount,
    /// What it may still spend: balance above the floor, less what is held.
    pub available: Amount,
    /// What it spent a day lately; nothing while that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spent_a_day: Option<Amount>,
    /// The day on which it has nothing left to spend if it goes on like this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dry_on: Option<CivilDate>,
}

/// A key of an organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeyStatus {
    /// Whose.
    pub organisation: OrganisationId,
    /// The public key.
    pub key: PublicKey,
    /// From when on it counts no more; a key that signs blocks is to be replaced by then and goes
    /// on counting.
    pub expires: Timestamp,
    /// Whether the organisation's node signs blocks with it.
    #[serde(default)]
    pub signs_blocks: bool,
}

/// The disk under the data folder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DiskStatus {
    /// Bytes of all of it.
    pub total_bytes: u64,
    /// Bytes that are free.
    pub free_bytes: u64,
    /// Bytes of the node's files.
    pub node_bytes: u64,
}

/// Within how many days a fund that runs dry is near its floor.
pub const DRY_DAYS: i32 = 30;

impl FundStatus {
    /// Whether the fund has nothing to spend, or will not within [`DRY_DAYS`].
    #[must_use]
    pub fn is_near_floor(&self, now: Timestamp) -> bool {
        let until = now.day(UtcOffset(0)).plus_days(DRY_DAYS);
        self.available.is_zero()
            || self.dry_on.is_some_and(|dry| until.is_none_or(|day| dry <= day))
    }
}

fn get(call: &Call, session: &Session) -> Result<Reply, Problem> {
    if session.party != Party::Organisation(call.gateway.port.operator()) {
        return Err(Problem::new(&code::NOT_YOURS));
    }
    let sessions = u64::try_from(call.gateway.sessions.count()).unwrap_or(u64::MAX);
    Reply::json(&NodeStatus { sessions, ..call.gateway.port.status()? })
}
