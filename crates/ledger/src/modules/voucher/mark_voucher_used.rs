//! Marks what a second payer reimburses on a settlement.

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, Currency, Hash, OrganisationId, Party, PersonId, detail};
use proof::receipt::FieldValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rejection;
use super::table::{MARKS_MAX, Mark, SETTLEMENTS, require_settlement};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::{Outcome, amount_value};
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, kernel, require};
use crate::modules::organisation::{self, OrganisationKind, Scope};
use crate::modules::person;

/// Marks that a second payer, such as a commercial insurer or a bureau elsewhere, reimburses a part
/// of what the person bears of a settlement. All payers together mark at most the person's own
/// share, so the same bill is never reimbursed twice.
///
/// Signed by the payer with scope `countersign` and by the person, or a guardian, who thereby lets
/// the payer see what others marked. A lock of the person stops it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MarkVoucherUsed {
    /// The transaction that settled the visit first.
    pub settlement: Hash,
    /// Who reimburses: a bureau or an insurer.
    pub payer: OrganisationId,
    /// How much, in minor units.
    pub amount: Amount,
    /// The settlement's currency.
    pub currency: Currency,
    /// The guardian who signs instead of the person.
    #[serde(default)]
    pub guardian: Option<PersonId>,
}

impl Kind for MarkVoucherUsed {
    const NUMBER: u16 = 802;
    const NAME: &'static str = "mark_voucher_used";

    fn check(&self) -> Result<(), Rejection> {
        require(!self.amount.is_zero(), || kernel::NOTHING_TO_MOVE.reject())
    }

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        let payer =
            organisation::view::require_signed(context, state, self.payer, Scope::Countersign)?;
        let reimburses = matches!(payer.kind, OrganisationKind::Bureau | OrganisationKind::Insurer);
        require(reimburses, || rejection::NOT_A_PAYER.with(self.payer))?;
        let person = require_settlement(state, &self.settlement)?.person;
        match self.guardian {
            None => person::view::require_key(context, state, person, Amount::ZERO),
            Some(guardian) => {
                person::view::require_guardian(context, state, person, guardian, Amount::ZERO)
            }
        }
        .map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let mut row = require_settlement(state, &self.settlement)?;
        require(row.currency == self.currency, || {
            kernel::CURRENCY_MISMATCH
                .with(detail!("the settlement is in `{currency}`", currency = row.currency))
        })?;
        require(self.amount <= row.left(), || {
            rejection::EXCEEDS_OWN_SHARE
                .with(detail!("{left} are left", left = (row.left(), row.currency)))
        })?;
        require(row.marks.len() < MARKS_MAX, || rejection::TOO_MANY_MARKS.reject())?;
        row.marks.push(Mark {
            id: context.transaction.id(),
            payer: self.payer,
            amount: self.amount,
            marked: context.time,
        });
        SETTLEMENTS.put(state, &self.settlement, &row);
        // The provider is not told who else insures its patient.
        let concerns = [Party::Organisation(self.payer), Party::Person(row.person)];
        Ok(Outcome::event("voucher_marked_used", concerns)
            .with("settlement", FieldValue::Hash(self.settlement))
            .with("amount", amount_value(self.amount, self.currency)))
    }
}
