//! Corrects an error in a settlement.

use benefit::CategorySums;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::Hash;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::consent::Consent;
use super::money::CashLeg;
use super::quote::Split;
use super::resettle::Resettlement;
use super::settle_visit::require_dates;
use super::table::SettlementRecord;
use super::{rejection, view};
use crate::kernel::context::Context;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::receipt::Outcome;
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::organisation::{self, Scope};

/// Why a settlement is corrected.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    BorshSerialize,
    BorshDeserialize,
    Serialize,
    Deserialize,
    JsonSchema,
)]
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

/// Corrects a settlement: reversed in full and settled anew with another bill, under the original
/// plan versions but with the facts as they are attested now. Signed as a settlement: provider
/// (`settle`), bureau (`countersign`) and the form of consent.
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
        require(!self.sums.total().is_zero(), || rejection::EMPTY_BILL.with("refund it instead"))?;
        let same = self.sums == self.original.sums && self.reason != CorrectionReason::WrongFacts;
        require(!same, || rejection::NOTHING_CHANGES.reject())
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
        require_dates(context, state, &self.original.subject, &self.sums)?;
        let who = (self.original.subject.person, self.original.subject.region);
        let nothing = primitives::Amount::ZERO;
        self.consent.require(context, state, who, nothing, nothing)?;
        let resettlement = Resettlement {
            event: "settlement_superseded",
            original: &self.original,
            bill: self.bill,
            sums: &self.sums,
            split: &self.split,
            cash: self.cash.as_ref(),
            consent: Some(self.consent),
            keep_facts: false,
        };
        resettlement.execute(context, state)
    }
}
