//! Takes money back that a relative has not claimed.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Hash, PersonId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rejection;
use super::table::TRANSFERS;
use super::transfer::{TransferEnd, require_transfer};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::posting;
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::person::{Actor, require_speaker};

/// Takes back money that waits, also while locked. The day's count stays. Signed by whoever speaks
/// for the sender: own key, guardian, or a desk of the bureau.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawTransfer {
    /// The transfer, by the transaction that sent it.
    pub transfer: Hash,
    /// Whose account gave it.
    pub sender: PersonId,
    /// Who acts for the sender.
    pub actor: Actor,
}

impl Kind for WithdrawTransfer {
    const NUMBER: u16 = 1012;
    const NAME: &'static str = "withdraw_transfer";

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        require_speaker(context, state, self.sender, self.actor).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let mut transfer = require_transfer(state, self.transfer)?;
        require(transfer.sender == self.sender, || {
            rejection::UNKNOWN_TRANSFER.with(self.transfer)
        })?;
        transfer.require_waiting(context.time)?;
        posting::void_hold(state, &self.transfer)?;
        transfer.ended = Some(TransferEnd::Withdrawn(context.time));
        TRANSFERS.put(state, &self.transfer, &transfer);
        Ok(transfer.told((self.transfer, "transfer_withdrawn"), state))
    }
}
