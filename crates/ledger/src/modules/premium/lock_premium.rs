//! Locks a premium while somebody pays it.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{OrganisationId, Party, PersonId};
use proof::receipt::FieldValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::record::{lock, require_channel, require_record, require_season, today};
use super::season::SeasonId;
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::{Outcome, amount_value};
use crate::kernel::registry::Kind;
use crate::kernel::rejection::Rejection;
use crate::modules::network;

/// Locks a premium for a payer, so that nobody else pays it meanwhile through whatever channel. The
/// same payer takes it over on another channel this way, and its end stays. Signed by the channel
/// with scope `clerk`, or with scope `attest` by its machine that knows who signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LockPremium {
    /// Which season.
    pub season: SeasonId,
    /// Whose premium.
    pub person: PersonId,
    /// Who is going to pay.
    pub payer: Party,
    /// The organisation whose counter, app or machine is used.
    pub channel: OrganisationId,
}

impl Kind for LockPremium {
    const NUMBER: u16 = 903;
    const NAME: &'static str = "lock_premium";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_channel(context, state, self.channel)
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let terms = require_season(state, self.season)?;
        let day = today(context, state, self.season)?;
        // Nobody waits for a premium that cannot be paid today.
        let due = terms.due(&require_record(state, self.season, self.person)?, day, 0)?;
        let wanted = (self.payer, self.channel);
        let lock = lock(state, context.time, (self.season, &terms), (self.person, day), wanted)?;
        let currency = network::view::require_region(state, self.season.region)?.currency;
        let concerns = [Party::Person(self.person), self.payer, Party::Organisation(self.channel)];
        Ok(Outcome::event("premium_locked", concerns)
            .with("amount", amount_value(due.amount, currency))
            .with("until", FieldValue::Timestamp(lock.until)))
    }
}
