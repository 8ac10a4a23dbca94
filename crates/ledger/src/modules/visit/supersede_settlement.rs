//! Corrects an error in a settlement.

use benefit::CategorySums;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Hash, detail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cash::CashLeg;
use super::consent::{Consent, Whose};
use super::quote::Split;
use super::resettle::{Change, Resettlement};
use super::settle_visit::require_dates;
use super::signing::require_change;
use super::table::SettlementRecord;
use super::{rejection, view};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};

/// Why a settlement is corrected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CorrectionReason {
    /// A line, quantity or price was wrong.
    WrongLines,
    /// An item was mapped to the wrong catalogue entry.
    WrongMapping,
    /// A fact about person or visit was wrong or came late (filing, class, slot).
    WrongFacts,
    /// The person's objection was right.
    Objection,
}

/// Corrects a settlement: settled anew with another bill, as if the first had never been, under the
/// original plan versions but with the facts as they are attested now; the difference moves. Signed
/// as a settlement: provider (`settle`; see [`super::RefundVisit`] for when the bureau stands in),
/// bureau (`countersign`) and the form of consent, which from then on is the settlement's.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SupersedeSettlement {
    /// The settlement as it stands, from its last receipt.
    pub original: SettlementRecord,
    /// Why.
    pub reason: CorrectionReason,
    /// The salted commitment over the corrected bill and its sums.
    pub bill: Hash,
    /// The corrected bill.
    pub sums: CategorySums,
    /// Its split.
    pub split: Split,
    /// How more cash is collected; needed exactly when more is due.
    #[serde(default)]
    pub cash: Option<CashLeg>,
    /// Who agrees, and how.
    pub consent: Consent,
}

impl Kind for SupersedeSettlement {
    const NUMBER: u16 = 707;
    const NAME: &'static str = "supersede_settlement";

    fn check(&self) -> Result<(), Rejection> {
        require(!self.sums.total().is_zero(), || {
            rejection::EMPTY_BILL.with(detail!("refund it instead"))
        })?;
        let same = self.sums == self.original.sums && self.reason != CorrectionReason::WrongFacts;
        require(!same, || rejection::NOTHING_CHANGES.reject())
    }

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        let settled = view::require_record(state, &self.original)?;
        require_change(context, state, &self.original.subject, &settled)
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        require_dates(context, state, &self.original.subject, &self.sums)?;
        let who = Whose::of(&self.original.subject);
        let nothing = primitives::Amount::ZERO;
        self.consent.require(context, state, who, nothing, (nothing, None))?;
        let resettlement = Resettlement {
            event: "settlement_superseded",
            original: &self.original,
            bill: self.bill,
            sums: &self.sums,
            split: &self.split,
            cash: self.cash.as_ref(),
            change: Change::Correction(self.consent),
        };
        resettlement.execute(context, state)
    }
}
