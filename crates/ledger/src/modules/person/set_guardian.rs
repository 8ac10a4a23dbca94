//! Names a guardian.

use alloc::sync::Arc;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, CivilDate, Hash, Party, Period, PersonId, detail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::actor::{require_bureau, require_identity_check};
use super::table::{GUARDIANS_MAX, Guardianship, PERSONS, PersonRow};
use super::{rejection, view};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::coverage;
use crate::modules::organisation::Scope;

/// The longest guardianship of a minor in days: 18 years with their leap days.
/// > 十八周岁以上的自然人为成年人。不满十八周岁的自然人为未成年人。 — Civil Code of the PRC, art. 17
pub const MINORITY_DAYS_MAX: i32 = 18 * 366;
/// From which age on a person is no minor.
/// > 十八周岁以上的自然人为成年人。 — Civil Code of the PRC, art. 17
pub const MAJORITY_AGE: u8 = 18;

/// On what ground somebody becomes a guardian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GuardianGround {
    /// The person wants it.
    OwnWish,
    /// The person is a minor, as attested in the facts of a coverage that hold today.
    Minor {
        /// A salted commitment to the documents that bureau and identity authority saw.
        documents: Hash,
    },
    /// The person has no key.
    WithoutKey {
        /// A salted commitment to the documents that bureau and identity authority saw.
        documents: Hash,
    },
}

/// Names a guardian, who may consent, lock and unlock for the person.
///
/// By the person's own wish it is signed with the person's key, and a lock stops it. For a minor,
/// and for a person without a key, the home region's bureau and an identity authority sign, both
/// with scope `attest`, and commit to the documents they saw: a guardian can unlock and pay, so no
/// bureau makes one alone. A person who has a key and is of age decides alone.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetGuardian {
    /// Who gets a guardian.
    pub person: PersonId,
    /// The guardian: another enrolled person.
    pub guardian: PersonId,
    /// From when to when. For a minor it ends within 18 years; choose the end of a year, since an
    /// exact 18th birthday would name the birthday.
    pub period: Period,
    /// On what ground.
    pub ground: GuardianGround,
}

impl SetGuardian {
    /// The ground holds on the ledger, whatever the documents say.
    fn require_ground(
        &self,
        state: &(impl Read + ?Sized),
        row: &PersonRow,
        today: CivilDate,
    ) -> Result<(), Rejection> {
        match self.ground {
            GuardianGround::OwnWish => Ok(()),
            GuardianGround::WithoutKey { .. } => {
                require(row.keys.is_empty(), || rejection::PERSON_HAS_KEYS.reject())
            }
            GuardianGround::Minor { .. } => {
                let age = coverage::view::attested_age(state, self.person, today);
                let is_minor = age.and_then(|age| age.lies_in(0, MAJORITY_AGE)) == Some(true);
                require(is_minor, || rejection::NOT_A_MINOR.with(self.person))
            }
        }
    }
}

impl Kind for SetGuardian {
    const NUMBER: u16 = 305;
    const NAME: &'static str = "set_guardian";

    fn check(&self) -> Result<(), Rejection> {
        require(self.guardian != self.person, || rejection::INVALID_GUARDIAN.reject())?;
        let latest = self.period.from.plus_days(MINORITY_DAYS_MAX);
        let bounded = match self.ground {
            GuardianGround::Minor { .. } => self.period.to.is_some_and(|to| Some(to) <= latest),
            GuardianGround::OwnWish | GuardianGround::WithoutKey { .. } => true,
        };
        let fine = self.period.is_ordered() && bounded;
        require(fine, || rejection::INVALID_GUARDIAN_PERIOD.reject())
    }

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        if self.ground == GuardianGround::OwnWish {
            return view::require_key(context, state, self.person, Amount::ZERO).map(|_| ());
        }
        let row = view::require_person(state, self.person)?;
        require_bureau(context, state, row.region, Scope::Attest)?;
        require_identity_check(context, state).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let mut row = Arc::unwrap_or_clone(view::require_person(state, self.person)?);
        view::require_person(state, self.guardian)
            .map_err(|_| rejection::INVALID_GUARDIAN.with(self.guardian))?;
        let today = view::today(context, state, &row)?;
        self.require_ground(state, &row, today)?;
        let over = self.period.to.is_some_and(|to| to < today);
        require(!over, || rejection::INVALID_GUARDIAN_PERIOD.with(detail!("it is over")))?;
        row.guardians.retain(|one| one.period.to.is_none_or(|to| today <= to));
        let new = row.guardians.iter().all(|one| one.guardian != self.guardian);
        require(new, || rejection::GUARDIAN_EXISTS.with(self.guardian))?;
        require(row.guardians.len() < GUARDIANS_MAX, || {
            rejection::TOO_MANY_GUARDIANS.with(GUARDIANS_MAX)
        })?;
        row.guardians.push(Guardianship { guardian: self.guardian, period: self.period });
        PERSONS.put(state, &self.person, &row);
        let guardian = Party::Person(self.guardian);
        let concerns = view::concerned(state, self.person, &row, [guardian]);
        Ok(Outcome::event("guardian_set", concerns))
    }
}
