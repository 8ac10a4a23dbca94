//! Enrols a person.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Party, PublicKey, RegionId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::actor::{require_bureau, require_identity_check};
use super::new_person::NewPerson;
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::Rejection;
use crate::modules::network;
use crate::modules::organisation::Scope;

/// Enrols a natural person at home in a region, and opens the personal account. Signed by the
/// region's bureau with scope `attest`, and by an identity authority with scope `attest`, which
/// thereby says that the blind index is this natural person's: one natural person, one id.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnrolPerson {
    /// The home region.
    pub region: RegionId,
    /// The person.
    pub person: NewPerson,
}

impl Kind for EnrolPerson {
    const NUMBER: u16 = 301;
    const NAME: &'static str = "enrol_person";

    const REGISTERS: Option<fn(&Self) -> alloc::vec::Vec<PublicKey>> =
        Some(|body| body.person.keys.iter().map(|new| new.key).collect());

    fn check(&self) -> Result<(), Rejection> {
        self.person.check()
    }

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_bureau(context, state, self.region, Scope::Attest)?;
        require_identity_check(context, state).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        self.person.enrol(context, state, self.region)?;
        let bureau = network::view::require_region(state, self.region)?.bureau;
        let concerns = [Party::Person(self.person.id), Party::Organisation(bureau)];
        Ok(Outcome::event("person_enrolled", concerns))
    }
}
