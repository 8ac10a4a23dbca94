//! Gives lines back, some or all.

use benefit::{CategorySums, SumRow};
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::Hash;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::consent::Consent;
use super::money::CashLeg;
use super::quote::Split;
use super::resettle::Resettlement;
use super::table::SettlementRecord;
use super::{rejection, view};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::organisation::{self, Scope};

/// Refunds a settled visit wholly or in part: the settlement is reversed in full and what remains
/// of the bill is adjudicated again under the original plan version and facts. Signed by the
/// provider (`settle`) and the bureau (`countersign`); by a form of consent only where the person
/// has to pay more than before.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Eq,
    BorshSerialize,
    BorshDeserialize,
    Serialize,
    Deserialize,
    JsonSchema,
)]
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

impl Kind for RefundVisit {
    const NUMBER: u16 = 706;
    const NAME: &'static str = "refund_visit";

    fn check(&self) -> Result<(), Rejection> {
        let original = &self.original.sums;
        let within = self.remaining.rows().iter().all(|row| lies_within(row, original));
        let less = self.remaining.total() < original.total();
        require(within && less, || rejection::REFUND_EXCEEDS.reject())
    }

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        view::require_record(state, &self.original)?;
        let subject = &self.original.subject;
        organisation::view::require_signed(context, state, subject.provider, Scope::Settle)?;
        let bureau = view::bureau_of(state, subject)?;
        organisation::view::require_signed(context, state, bureau, Scope::Countersign).map(|_| ())
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
            consent: self.consent,
            keep_facts: true,
        };
        resettlement.execute(context, state)
    }
}
