//! Ends a lock.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, Party, PersonId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::record::{forget_lock, require_channel, require_record};
use super::rejection;
use super::season::SeasonId;
use super::table::{PremiumStanding, RecordLock};
use super::tally::put_record;
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::organisation::{self, Scope};
use crate::modules::{network, person};

/// Ends a lock before its time. Signed by its channel or the region's bureau with scope `clerk` or
/// `attest`, by its payer, or by the person whose premium it is. The bureau does so for somebody
/// who stands at its desk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleasePremium {
    /// Which season.
    pub season: SeasonId,
    /// Whose premium.
    pub person: PersonId,
}

impl ReleasePremium {
    fn require_lock(
        &self,
        context: &Context<'_>,
        state: &(impl Read + ?Sized),
    ) -> Result<RecordLock, Rejection> {
        let record = require_record(state, self.season, self.person)?;
        record.lock_at(context.time).ok_or_else(|| rejection::NOT_LOCKED.reject())
    }
}

impl Kind for ReleasePremium {
    const NUMBER: u16 = 904;
    const NAME: &'static str = "release_premium";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        let lock = self.require_lock(context, state)?;
        let bureau = network::view::require_region(state, self.season.region)?.bureau;
        let by_desk = |one| require_channel(context, state, one).is_ok();
        let own_key = |party| match party {
            Party::Person(id) => person::view::require_key_despite_lock(context, state, id).is_ok(),
            Party::Organisation(id) => {
                organisation::view::require_signed(context, state, id, Scope::Treasury).is_ok()
            }
        };
        let may = by_desk(lock.channel)
            || by_desk(bureau)
            || own_key(lock.payer)
            || own_key(Party::Person(self.person));
        require(may, || rejection::NOT_YOURS.reject())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let lock = self.require_lock(context, state)?;
        let mut record = require_record(state, self.season, self.person)?;
        record.standing = PremiumStanding::Due;
        put_record(state, (self.season, self.person), &record, Amount::ZERO);
        forget_lock(state, lock.payer, self.season, self.person);
        let concerns = [Party::Person(self.person), lock.payer, Party::Organisation(lock.channel)];
        Ok(Outcome::event("premium_released", concerns))
    }
}
