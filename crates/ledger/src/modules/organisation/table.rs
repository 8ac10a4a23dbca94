//! Rows of organisations and their keys.

use alloc::vec::Vec;
use benefit::HospitalLevel;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{OrganisationId, PublicKey, RegionId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::table::Table;
use crate::readers::Readers;

pub(super) const ORGANISATIONS: Table<OrganisationId, OrganisationRow> = Table::new(0x0200);
pub(super) const KEYS: Table<(OrganisationId, PublicKey), OnlineKey> = Table::new(0x0201);

/// What an organisation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrganisationKind {
    /// Runs a region's public schemes and funds.
    Bureau,
    /// Hospital, clinic or pharmacy admitted to settle.
    Provider,
    /// A commercial or mutual insurer.
    Insurer,
    /// Collects premiums.
    TaxAuthority,
    /// Pays subsidies.
    FinanceAuthority,
    /// Moves money outside.
    Bank,
    /// Supervises.
    Regulator,
    /// Audits with time-limited grants.
    Auditor,
    /// Knows who somebody is and attests it.
    IdentityAuthority,
}

/// What an online key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Sign for the governing set.
    Govern,
    /// Settle, refund and supersede visits as a provider.
    Settle,
    /// Countersign settlements as a payer.
    Countersign,
    /// Act at a desk: check in, stays, running bills, cards.
    Clerk,
    /// Attest identities and facts about persons.
    Attest,
    /// Draft, review, approve and publish plans.
    Publish,
    /// Open funds and move money between them.
    Treasury,
    /// Report what a rail did.
    Execute,
}

/// Whether an organisation may act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It may.
    Active,
    /// It may not, until it is resumed.
    Suspended,
}

/// An admitted organisation.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct OrganisationRow {
    /// What it is.
    pub kind: OrganisationKind,
    /// The region it belongs to.
    pub region: RegionId,
    /// The level of a provider.
    pub level: Option<HospitalLevel>,
    /// The key that stays offline and authorises the others.
    pub root_key: PublicKey,
    /// Whether it may act.
    pub standing: Standing,
}

/// A key in daily use.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct OnlineKey {
    /// What it may do; sorted.
    pub scopes: Vec<Scope>,
    /// From this instant of block time on it counts no more.
    pub expires: Timestamp,
}

/// Writes the organisations a ledger starts with. Only genesis calls this.
pub fn write_genesis(
    state: &mut Overlay<'_>,
    id: OrganisationId,
    row: &OrganisationRow,
    keys: &[(PublicKey, OnlineKey)],
) {
    ORGANISATIONS.put(state, &id, row);
    for (key, online) in keys {
        KEYS.put(state, &(id, *key), online);
    }
}

/// All of it is public: who takes part, and by which keys.
pub(super) fn readers(_: &dyn Read, key: &[u8]) -> Option<Readers> {
    (ORGANISATIONS.is_key(key) || KEYS.is_key(key)).then_some(Readers::Everybody)
}
