//! Names a guardian.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, Hash, Party, Period, PersonId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::actor::require_bureau;
use super::table::{GUARDIANS_MAX, Guardianship, PERSONS};
use super::{rejection, view};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::organisation::Scope;

/// The longest guardianship of a minor in days: 18 years with their leap days.
/// > 十八周岁以上的自然人为成年人。不满十八周岁的自然人为未成年人。 — Civil Code of the PRC, art. 17
pub const MINORITY_DAYS_MAX: i32 = 18 * 366;

/// On what ground somebody becomes a guardian.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    BorshSerialize,
    BorshDeserialize,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum GuardianGround {
    /// The person wants it.
    OwnWish,
    /// The person is a minor.
    Minor {
        /// A salted commitment to the documents that the bureau saw.
        documents: Hash,
    },
    /// The person has no key.
    WithoutKey {
        /// A salted commitment to the documents that the bureau saw.
        documents: Hash,
    },
}

/// Names a guardian, who may consent, lock and unlock for the person.
///
/// By the person's own wish it is signed with the person's key. For a minor, and for a person
/// without a key, the home region's bureau signs with scope `attest` and commits to the documents
/// it saw. A person who has a key and is of age decides alone.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Eq,
    BorshSerialize,
    BorshDeserialize,
    Serialize,
    Deserialize,
    JsonSchema,
)]
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
        require_bureau(context, state, row.region, Scope::Attest).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let mut row = view::require_person(state, self.person)?;
        if matches!(self.ground, GuardianGround::WithoutKey { .. }) {
            require(row.keys.is_empty(), || rejection::PERSON_HAS_KEYS.reject())?;
        }
        view::require_person(state, self.guardian)
            .map_err(|_| rejection::INVALID_GUARDIAN.with(self.guardian))?;
        let today = view::today(context, state, &row)?;
        let over = self.period.to.is_some_and(|to| to < today);
        require(!over, || rejection::INVALID_GUARDIAN_PERIOD.with("it is over"))?;
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
