//! Gives lines back, some or all.

use benefit::{CategorySums, SumRow};
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::Hash;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cash::CashLeg;
use super::consent::Consent;
use super::quote::Split;
use super::resettle::{Change, Resettlement};
use super::signing::require_change;
use super::table::SettlementRecord;
use super::{rejection, view};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};

/// Refunds a settled visit wholly or in part: what remains of the bill is adjudicated again under
/// the original plan version and facts, as if the settlement had never been, and the difference
/// moves. Signed by the provider (`settle`) and the bureau (`countersign`); by the bureau alone
/// while the provider is suspended or when it left an objection unanswered that was upheld; by a
/// form of consent only where the person has to pay more than before.
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RefundVisit {
    /// The settlement as it stands, from its last receipt.
    pub original: SettlementRecord,
    /// The salted commitment over what remains of the bill, or all zero when nothing does.
    pub bill: Hash,
    /// What remains; no row above the original's, and less in all.
    pub remaining: CategorySums,
    /// The split of what remains.
    pub split: Split,
    /// How more cash is collected, in the rare case that more is due.
    #[serde(default)]
    pub cash: Option<CashLeg>,
    /// Who agrees to pay more, in that case.
    #[serde(default)]
    pub consent: Option<Consent>,
}

/// Whether no part of a row grew.
fn lies_within(row: &SumRow, original: &CategorySums) -> bool {
    original.rows().iter().any(|one| {
        one.key == row.key
            && row.self_paid <= one.self_paid
            && row.over_cap <= one.over_cap
            && row.class_b_share <= one.class_b_share
            && row.in_policy <= one.in_policy
    })
}

/// Whether something of the original is left out, and nothing put in.
pub(crate) fn takes_out(remaining: &CategorySums, original: &CategorySums) -> bool {
    let is_within = remaining.rows().iter().all(|row| lies_within(row, original));
    is_within && remaining.total() < original.total()
}

impl Kind for RefundVisit {
    const NUMBER: u16 = 706;
    const NAME: &'static str = "refund_visit";

    fn check(&self) -> Result<(), Rejection> {
        let takes_out = takes_out(&self.remaining, &self.original.sums);
        require(takes_out, || rejection::REFUND_EXCEEDS.reject())
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
        let resettlement = Resettlement {
            event: "visit_refunded",
            original: &self.original,
            bill: self.bill,
            sums: &self.remaining,
            split: &self.split,
            cash: self.cash.as_ref(),
            change: Change::Refund(self.consent),
        };
        resettlement.execute(context, state)
    }
}
