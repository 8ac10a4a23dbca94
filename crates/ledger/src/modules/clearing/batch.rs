//! Batches of payments to providers, line by line.

use alloc::{format, string::String, vec::Vec};
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, CivilDate, Hash, OrganisationId, PublicKey, RegionId, Text, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rejection;
use super::table::BATCHES;
use crate::kernel::overlay::Read;
use crate::kernel::rejection::{Rejection, require};

/// How many lines a batch has at the most. Our own limit: it bounds the row.
pub const PAYOUT_LINES_MAX: usize = 500;

/// A batch of payments to providers.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct PayoutBatch {
    /// The day on which the bank is asked to pay.
    pub execute_on: CivilDate,
    /// The hash of the lines as proposed ([`super::ProposePayout::lines_hash`]).
    pub lines_hash: Hash,
    /// Its lines.
    pub lines: Vec<LineRow>,
    /// The key that proposed it.
    pub proposer: PublicKey,
    /// When it was proposed, by block time.
    pub proposed: Timestamp,
    /// Who approved it, and when.
    pub approved: Option<(OrganisationId, Timestamp)>,
    /// Where it stands.
    pub standing: BatchStanding,
}

/// Where a batch stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BatchStanding {
    /// Another organisation has to approve.
    Proposed,
    /// It was withdrawn before it was approved.
    Withdrawn,
    /// It is the bank's to pay.
    Approved,
}

/// A payment to a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
pub struct LineRow {
    /// Who is paid.
    pub provider: OrganisationId,
    /// How much.
    pub amount: Amount,
    /// The salted hash of the bank account.
    pub account: Hash,
    /// What the bank says.
    #[serde(flatten)]
    pub standing: LineStanding,
}

/// What the bank says of a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "standing", rename_all = "snake_case")]
pub enum LineStanding {
    /// Nothing yet.
    Waiting,
    /// It is booked on the bank's statement.
    Paid {
        /// On which day.
        day: CivilDate,
        /// The salted hash of the bank's own reference.
        reference: Hash,
    },
    /// It was not carried out: payable again.
    Failed {
        /// The bank's reason, such as `AC04`.
        reason: Text<4>,
    },
    /// It was paid and came back: payable again.
    Returned {
        /// On which day it was paid.
        paid: CivilDate,
        /// On which day it came back.
        day: CivilDate,
        /// The salted hash of the bank's own reference of the return.
        reference: Hash,
        /// The bank's reason.
        reason: Text<4>,
    },
}

/// How a line is called end to end: on the order, on the bank's statement, in the provider's book.
/// At most 35 letters, as ISO 20022 allows; it names region, batch and line and nobody else.
#[must_use]
pub fn end_to_end(region: RegionId, batch: u32, line: u16) -> String {
    format!("YB{}-{batch}-{line}", region.0)
}

/// A batch that must be there, in this standing.
///
/// # Errors
/// `unknown_batch`, `batch_in_other_standing`.
pub(super) fn require_batch(
    state: &(impl Read + ?Sized),
    key: &(RegionId, u32),
    standing: BatchStanding,
) -> Result<PayoutBatch, Rejection> {
    let row = BATCHES.get(state, key).ok_or_else(|| rejection::UNKNOWN_BATCH.with(key.1))?;
    require(row.standing == standing, || rejection::BATCH_STANDING.with(key.1))?;
    Ok(row)
}

/// A bank's reason is a code, so that nothing else can be told by it.
pub(super) fn require_code(reason: &str) -> Result<(), Rejection> {
    let is_code = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    require(!reason.is_empty() && reason.bytes().all(is_code), || rejection::REASON_CODE.reject())
}
