//! Claims money that a relative sent.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Hash, PersonId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rejection;
use super::table::{TRANSFER_RULES, TRANSFERS};
use super::transfer::{Transfer, TransferEnd, require_taken_there, require_transfer};
use crate::kernel::account::Account;
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::posting::{self, Entry};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::person::{Actor, require_speaker};
use crate::modules::{interregion, network, person};

/// Takes money that waits into the receiver's personal account, where it pays the own share of
/// bills and premiums as all money there does. A lock of either of the two stops it; what is not
/// claimed in time is the sender's. Between regions the rules of now count. Signed by whoever
/// speaks for the receiver: own key, guardian, or a desk of the bureau.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClaimTransfer {
    /// The transfer, by the transaction that sent it.
    pub transfer: Hash,
    /// Whose account gets it.
    pub receiver: PersonId,
    /// Who acts for the receiver.
    pub actor: Actor,
}

/// Moves the money through the account of the region that every aid goes through. To another region
/// it goes over what the two regions owe each other, as what one of them advances for the other.
fn post(
    context: &Context<'_>,
    state: &mut Overlay<'_>,
    (id, transfer): (Hash, &Transfer),
) -> Result<(), Rejection> {
    let now = context.time;
    posting::post_hold(state, now, &id, transfer.amount)?;
    let through = Account::FamilyAccounts(transfer.region);
    let account = Account::PersonalAccount(transfer.receiver);
    let home = person::view::require_person(state, transfer.receiver)?.region;
    if home == transfer.region {
        let entry = Entry { debit: through, credit: account, amount: transfer.amount };
        return posting::post(state, now, transfer.currency, &[entry]);
    }
    // Who moved there after it was sent has no more than who lived there.
    let sender = network::view::require_region(state, transfer.region)?;
    let today = context.day(sender.settings.utc_offset_minutes);
    let rules = TRANSFER_RULES.shared(state, &transfer.region);
    let rules = rules.ok_or_else(|| rejection::TRANSFERS_NOT_OFFERED.with(transfer.region))?;
    require_taken_there(state, (transfer.region, &rules), home, today)?;
    let between = (transfer.region, home);
    interregion::view::advance_transfer(
        context,
        state,
        between,
        (through, account),
        (id, transfer.amount),
    )
}

impl Kind for ClaimTransfer {
    const NUMBER: u16 = 1011;
    const NAME: &'static str = "claim_transfer";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        person::view::require_unlocked(state, self.receiver)?;
        require_speaker(context, state, self.receiver, self.actor).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let mut transfer = require_transfer(state, self.transfer)?;
        require(transfer.receiver == self.receiver, || {
            rejection::UNKNOWN_TRANSFER.with(self.transfer)
        })?;
        transfer.require_waiting(context.time)?;
        person::view::require_unlocked(state, transfer.sender)?;
        post(context, state, (self.transfer, &transfer))?;
        transfer.ended = Some(TransferEnd::Claimed(context.time));
        TRANSFERS.put(state, &self.transfer, &transfer);
        Ok(transfer.told((self.transfer, "transfer_claimed"), state))
    }
}
