//! Replaces blind indices when the authority changes its key.

use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Hash, Party, detail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::actor::require_identity_check;
use super::rejection;
use super::table::BLIND_INDICES;
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};

/// How many pairs one transaction maps (HOUSE.md section 7.5: batches of at most 500 rows).
pub const PAIRS_MAX: usize = 500;

/// One natural person's index under the old and under the new key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IndexPair {
    /// The index that is enrolled.
    pub old: Hash,
    /// The index that takes its place.
    pub new: Hash,
}

/// Maps old blind indices to new ones when the identity authority changes its key. Signed by an
/// identity authority with scope `attest`. All pairs are mapped or none; a wrong pair is named by
/// its place.
///
/// A network has one authority whose indices count: indices of two authorities could not be
/// compared.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemapBlindIndices {
    /// The pairs, 1 to 500.
    #[schemars(length(min = 1, max = 500))]
    pub pairs: Vec<IndexPair>,
}

impl Kind for RemapBlindIndices {
    const NUMBER: u16 = 302;
    const NAME: &'static str = "remap_blind_indices";

    fn check(&self) -> Result<(), Rejection> {
        require((1..=PAIRS_MAX).contains(&self.pairs.len()), || {
            rejection::INVALID_LIST.with(detail!("name 1 to 500 pairs"))
        })
    }

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_identity_check(context, state).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        for (place, pair) in self.pairs.iter().enumerate() {
            let person = BLIND_INDICES.get(state, &pair.old).ok_or_else(|| {
                rejection::UNKNOWN_BLIND_INDEX.with(detail!("pair {place}", place))
            })?;
            BLIND_INDICES.remove(state, &pair.old);
            let taken = BLIND_INDICES.has(state, &pair.new);
            require(!taken, || rejection::BLIND_INDEX_TAKEN.with(detail!("pair {place}", place)))?;
            BLIND_INDICES.put(state, &pair.new, &person);
        }
        let authority = require_identity_check(context, state)?;
        Ok(Outcome::event("blind_indices_remapped", [Party::Organisation(authority)]))
    }
}
