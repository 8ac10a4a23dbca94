//! How a member agrees, and who attests it.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, CivilDate, PersonId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rejection;
use super::table::BindingGround;
use super::view::holds;
use crate::kernel::context::Context;
use crate::kernel::overlay::Read;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::organisation::Scope;
use crate::modules::person::{require_bureau, require_identity_check};
use crate::modules::{coverage, network, person};

/// How a member agrees to being bound or helped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Agreement {
    /// The member's own key signs.
    OwnKey,
    /// An identity authority checked the member's face on the payer's phone; it and the bureau of
    /// the member's home region sign, both with scope `attest`.
    Face,
    /// The member showed an identity card at a desk of the home region's bureau, which signs with
    /// scope `clerk`.
    Desk,
    /// Nothing new is asked: payer and member are bound, or the region gives aid to members below
    /// an age directly. For aid alone.
    Standing,
}

impl Agreement {
    /// The member agrees in this way.
    ///
    /// # Errors
    /// Whose signature is missing.
    pub(super) fn require(
        self,
        context: &Context<'_>,
        state: &(impl Read + ?Sized),
        member: PersonId,
    ) -> Result<(), Rejection> {
        let row = person::view::require_unlocked(state, member)?;
        match self {
            Self::OwnKey => {
                person::view::require_key(context, state, member, Amount::ZERO).map(|_| ())
            }
            Self::Face => {
                require_bureau(context, state, row.region, Scope::Attest)?;
                require_identity_check(context, state).map(|_| ())
            }
            Self::Desk => require_bureau(context, state, row.region, Scope::Clerk).map(|_| ()),
            Self::Standing => Ok(()),
        }
    }

    /// What a binding rests on when the member agrees so; nothing for a standing agreement, which
    /// binds nobody.
    pub(super) const fn ground(self) -> Option<BindingGround> {
        match self {
            Self::OwnKey => Some(BindingGround::OwnKey),
            Self::Face => Some(BindingGround::Face),
            Self::Desk => Some(BindingGround::Desk),
            Self::Standing => None,
        }
    }
}

/// What is attested of whether the member is below this age; nothing when it is not known.
pub(super) fn is_below(
    state: &(impl Read + ?Sized),
    member: PersonId,
    age: u8,
    today: CivilDate,
) -> Option<bool> {
    coverage::view::attested_age(state, member, today).and_then(|band| band.lies_in(0, age))
}

/// A standing agreement is there: a binding that holds, or an age at which none is asked.
///
/// # Errors
/// `family_agreement_missing`.
pub(super) fn require_standing(
    state: &(impl Read + ?Sized),
    (payer, member): (PersonId, PersonId),
    direct_below_age: u8,
    today: CivilDate,
) -> Result<(), Rejection> {
    let is_bound = holds(state, (payer, member), today);
    let is_young =
        direct_below_age > 0 && is_below(state, member, direct_below_age, today) == Some(true);
    require(is_bound || is_young, || rejection::AGREEMENT_MISSING.reject())
}

/// The day of the block in a person's home region.
///
/// # Errors
/// `unknown_person`, `unknown_region`.
pub(super) fn today_of(
    context: &Context<'_>,
    state: &(impl Read + ?Sized),
    person: PersonId,
) -> Result<CivilDate, Rejection> {
    let row = person::view::require_person(state, person)?;
    let region = network::view::require_region(state, row.region)?;
    Ok(context.day(region.settings.utc_offset_minutes))
}
