//! Takes a second payer's mark back.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, Hash, OrganisationId, Party, detail};
use proof::receipt::FieldValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rejection;
use super::table::{SETTLEMENTS, require_settlement};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::{Outcome, amount_value};
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, kernel, require};
use crate::modules::organisation::{self, Scope};

/// Takes a mark back, wholly or in part, because the payer reversed what it had reimbursed. Signed
/// by that payer with scope `countersign`; the person is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnmarkVoucher {
    /// The transaction that settled the visit first.
    pub settlement: Hash,
    /// The transaction that marked it.
    pub mark: Hash,
    /// Whose mark it is.
    pub payer: OrganisationId,
    /// How much of it no longer stands, in minor units.
    pub amount: Amount,
}

impl Kind for UnmarkVoucher {
    const NUMBER: u16 = 803;
    const NAME: &'static str = "unmark_voucher";

    fn check(&self) -> Result<(), Rejection> {
        require(!self.amount.is_zero(), || kernel::NOTHING_TO_MOVE.reject())
    }

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        organisation::view::require_signed(context, state, self.payer, Scope::Countersign)
            .map(|_| ())
    }

    fn execute(&self, _: &Context<'_>, state: &mut Overlay<'_>) -> Result<Outcome, Rejection> {
        let mut row = require_settlement(state, &self.settlement)?;
        let mark = row
            .marks
            .iter_mut()
            .find(|mark| mark.id == self.mark && mark.payer == self.payer)
            .ok_or_else(|| rejection::UNKNOWN_MARK.with(self.mark))?;
        let marked = (mark.amount, row.currency);
        mark.amount = mark
            .amount
            .checked_sub(self.amount)
            .ok_or_else(|| rejection::EXCEEDS_MARK.with(detail!("{marked} are marked", marked)))?;
        row.marks.retain(|mark| !mark.amount.is_zero());
        SETTLEMENTS.put(state, &self.settlement, &row);
        let concerns = [Party::Organisation(self.payer), Party::Person(row.person)];
        Ok(Outcome::event("voucher_unmarked", concerns)
            .with("settlement", FieldValue::Hash(self.settlement))
            .with("amount", amount_value(self.amount, row.currency)))
    }
}
