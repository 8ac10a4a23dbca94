//! Asks for the recovery of somebody who lost every device.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{PersonId, PublicKey, detail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::actor::{require_bureau, require_identity_check};
use super::new_key::NewKey;
use super::recovery::{self, Recovery};
use super::table::RECOVERIES;
use super::{rejection, view};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::organisation::Scope;

/// Asks for a new key in place of all others, for somebody who lost every device. Signed by the
/// home region's bureau and an identity authority, both with scope `attest`: they have seen who
/// asks. Nothing changes by it. As many guardians as the region's rules say must agree to this very
/// key, and it must wait, before `complete_recovery` is accepted; the person's keys and guardians
/// are told at once and may stop it. A lock does not stop this, and stays on.
///
/// After somebody stopped one, the next is asked for when the time is over that it would have
/// waited.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskRecovery {
    /// Who lost every device.
    pub person: PersonId,
    /// The new key and its limits.
    pub new: NewKey,
}

impl Kind for AskRecovery {
    const NUMBER: u16 = 317;
    const NAME: &'static str = "ask_recovery";

    const REGISTERS: Option<fn(&Self) -> alloc::vec::Vec<PublicKey>> =
        Some(|body| alloc::vec![body.new.key]);

    fn check(&self) -> Result<(), Rejection> {
        self.new.check()
    }

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        let row = view::require_person(state, self.person)?;
        require_bureau(context, state, row.region, Scope::Attest)?;
        require_identity_check(context, state).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let row = view::require_person(state, self.person)?;
        let rules = view::require_recovery_rules(state, row.region)?;
        require(row.key(&self.new.key).is_none(), || rejection::KEY_EXISTS.reject())?;
        if let Some(before) = view::recovery(state, self.person) {
            require(!before.is_open(context.time), || rejection::RECOVERY_ASKED.reject())?;
            if let Some(until) = before.paused_until() {
                require(until <= context.time, || {
                    rejection::RECOVERY_PAUSED.with(detail!("until {until}", until))
                })?;
            }
        }
        let guardians = recovery::guardians_on(&row, view::today(context, state, &row)?);
        let (count, needed) = (guardians.len(), usize::from(rules.guardians_min));
        require(needed <= count, || {
            rejection::TOO_FEW_GUARDIANS.with(detail!("{count} of {needed}", count, needed))
        })?;
        let asked = Recovery::asked(self.new.clone(), rules, guardians, context.time);
        RECOVERIES.put(state, &self.person, &asked);
        let concerns = recovery::concerned(state, self.person, &row);
        Ok(Outcome::event("recovery_asked", concerns))
    }
}
