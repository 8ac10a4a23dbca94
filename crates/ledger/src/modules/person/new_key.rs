//! A key as the bodies of this module register it.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, PublicKey, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rejection;
use super::table::{KeyGrade, PersonKey};
use crate::kernel::rejection::{Rejection, require};

/// A key to register, with what it may spend. All zero for a key that never pays.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewKey {
    /// The public key.
    pub key: PublicKey,
    /// What kind it is; a passkey is a P-256 key.
    pub grade: KeyGrade,
    /// The most one payment may take, in minor units; at most `day_max`.
    pub payment_max: Amount,
    /// Up to how much the person's keys together may have spent on a day when this one pays, in
    /// minor units.
    pub day_max: Amount,
}

impl NewKey {
    /// What can be said of the key alone.
    ///
    /// # Errors
    /// `key_grade_mismatch`, `invalid_key_limits`.
    pub(super) fn check(&self) -> Result<(), Rejection> {
        let is_p256 = matches!(self.key, PublicKey::P256(_));
        require(is_p256 || self.grade == KeyGrade::Device, || rejection::GRADE_MISMATCH.reject())?;
        require(self.payment_max <= self.day_max, || rejection::INVALID_KEY_LIMITS.reject())
    }

    /// The key as the person's row keeps it.
    pub(super) const fn row(&self, added_at: Timestamp) -> PersonKey {
        PersonKey {
            key: self.key,
            grade: self.grade,
            payment_max: self.payment_max,
            day_max: self.day_max,
            added_at,
        }
    }
}
