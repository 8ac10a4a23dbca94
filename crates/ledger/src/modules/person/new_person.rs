//! A person as `enrol_person` and the import of coverage register one.

use alloc::{collections::BTreeSet, vec::Vec};
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, Hash, PersonId, RegionId, detail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::new_key::NewKey;
use super::rejection;
use super::table::{BLIND_INDICES, FIRST_KEYS_MAX, PERSONS, PersonRow, PersonStatus};
use crate::kernel::account::{Account, Floor};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::posting;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::network;

/// A natural person to enrol. Nothing in it says who that is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPerson {
    /// A new random id.
    pub id: PersonId,
    /// A salted commitment to the identity record that bureau and authority keep.
    pub commitment: Hash,
    /// The identity authority's HMAC of the natural person under a key that only it holds. The
    /// ledger checks that it is new, and nothing else.
    pub blind_index: Hash,
    /// The person's first keys, at most 2; none for a person who acts through guardian or desk.
    #[serde(default)]
    #[schemars(length(max = 2))]
    pub keys: Vec<NewKey>,
}

impl NewPerson {
    /// What can be said of the person alone.
    ///
    /// # Errors
    /// `invalid_list`, `key_grade_mismatch`, `invalid_key_limits`.
    pub(crate) fn check(&self) -> Result<(), Rejection> {
        let distinct: BTreeSet<_> = self.keys.iter().map(|new| new.key).collect();
        let fine = self.keys.len() <= FIRST_KEYS_MAX && distinct.len() == self.keys.len();
        require(fine, || {
            rejection::INVALID_LIST.with(detail!("name at most 2 first keys, each once"))
        })?;
        self.keys.iter().try_for_each(NewKey::check)
    }

    /// Whether the person can be enrolled: after this, [`NewPerson::enrol`] is accepted.
    ///
    /// # Errors
    /// `person_exists`, `blind_index_taken`.
    pub(crate) fn require_new(&self, state: &(impl Read + ?Sized)) -> Result<(), Rejection> {
        require(!PERSONS.has(state, &self.id), || rejection::PERSON_EXISTS.with(self.id))?;
        // Who holds the index is not said: the answer must not tell an outsider that somebody is
        // enrolled under a certain id.
        let taken = BLIND_INDICES.has(state, &self.blind_index);
        require(!taken, || rejection::BLIND_INDEX_TAKEN.reject())
    }

    /// Enrols the person at home in this region and opens the personal account in its currency.
    ///
    /// # Errors
    /// As [`NewPerson::require_new`], and `unknown_region`.
    pub(crate) fn enrol(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
        region: RegionId,
    ) -> Result<(), Rejection> {
        self.require_new(state)?;
        let currency = network::view::require_region(state, region)?.currency;
        let account = Account::PersonalAccount(self.id);
        posting::open_account(state, account, currency, Floor::AtLeast(Amount::ZERO))?;
        BLIND_INDICES.put(state, &self.blind_index, &self.id);
        let row = PersonRow {
            region,
            commitment: self.commitment,
            status: PersonStatus::Active,
            keys: self.keys.iter().map(|new| new.row(context.time)).collect(),
            guardians: Vec::new(),
            lock: None,
            card: None,
            spent: None,
        };
        PERSONS.put(state, &self.id, &row);
        Ok(())
    }
}
