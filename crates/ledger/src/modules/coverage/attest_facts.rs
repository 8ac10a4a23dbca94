//! Attests facts about a person.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{PersonId, RegionId, SchemeId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::change::change;
use super::table::AttestedFacts;
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::Rejection;
use crate::modules::organisation::Scope;
use crate::modules::person::require_bureau;

/// Attests what rules may ask about a person. On the days of the attestation it takes the place of
/// what was attested before; on other days that stays. Signed by the region's bureau with scope
/// `attest`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AttestFacts {
    /// Whose coverage.
    pub person: PersonId,
    /// The insured place.
    pub region: RegionId,
    /// The scheme.
    pub scheme: SchemeId,
    /// The facts.
    pub facts: AttestedFacts,
}

impl Kind for AttestFacts {
    const NUMBER: u16 = 406;
    const NAME: &'static str = "attest_facts";

    fn check(&self) -> Result<(), Rejection> {
        self.facts.check()
    }

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_bureau(context, state, self.region, Scope::Attest).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let at = (self.person, self.region);
        change(context, state, at, "facts_attested", |row| {
            row.entry(self.region, self.scheme, &self.facts.period)?.attest(self.facts)
        })
    }
}
