//! Authorises an online key.

use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{OrganisationId, Party, PublicKey, Timestamp, detail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::table::{KEYS, OnlineKey, Scope};
use super::{rejection, view};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};

/// How far ahead a key may expire: two years of 365 days. Our own limit, so that a lost key ends by
/// itself.
pub const KEY_LIFE_MILLIS_MAX: u64 = 2 * 365 * 24 * 3_600 * 1_000;

/// Authorises a key for daily use. Signed by the organisation's root key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthoriseKey {
    /// Whose key.
    pub organisation: OrganisationId,
    /// The key.
    pub key: PublicKey,
    /// What it may do, at least one thing.
    #[schemars(length(min = 1, max = 8))]
    pub scopes: Vec<Scope>,
    /// From when on it counts no more; within two years.
    pub expires: Timestamp,
}

impl Kind for AuthoriseKey {
    const NUMBER: u16 = 204;
    const NAME: &'static str = "authorise_key";

    const REGISTERS: Option<fn(&Self) -> alloc::vec::Vec<PublicKey>> =
        Some(|body| alloc::vec![body.key]);

    fn check(&self) -> Result<(), Rejection> {
        let ordered = self.scopes.is_sorted_by(|a, b| a < b);
        require(!self.scopes.is_empty() && ordered, || {
            rejection::NO_SCOPE.with(detail!("list each scope once, in the order of the contract"))
        })
    }

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        view::require_root_signed(context, state, self.organisation).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let latest = context.time.plus_millis(KEY_LIFE_MILLIS_MAX);
        let fine = context.time < self.expires && self.expires <= latest;
        require(fine, || rejection::INVALID_EXPIRY.reject())?;
        let at = (self.organisation, self.key);
        require(!KEYS.has(state, &at), || rejection::KEY_EXISTS.reject())?;
        KEYS.put(state, &at, &OnlineKey { scopes: self.scopes.clone(), expires: self.expires });
        Ok(Outcome::event("key_authorised", [Party::Organisation(self.organisation)]))
    }
}
