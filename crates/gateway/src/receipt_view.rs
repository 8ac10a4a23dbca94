//! A receipt as one party sees it.
//!
//! What of it the party may know, the ledger says ([`ledger::readers`]). The seed that opens the
//! receipt's commitments never leaves; vouchers are issued here instead.

use ledger::kernel::effect::Effect;
use ledger::kernel::posting::PostedEntry;
use ledger::kernel::receipt::Receipt;
use ledger::modules::visit::SettlementRecord;
use ledger::{Registry, readers};
use primitives::{Hash, Party, Timestamp, VisitId};
use proof::receipt::{Field, OutcomeCode};
use schemars::JsonSchema;
use serde::Serialize;

use crate::port::{IndexedReceipt, Rows};
use crate::problem::{Language, words};

/// A receipt.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Receipt")]
pub struct ReceiptView {
    /// Its place in the receipt log, which is its id; the first is 0.
    pub id: u64,
    /// The transaction.
    pub transaction_id: Hash,
    /// The kind of transaction, such as `settle_visit`.
    pub kind: String,
    /// The block's height.
    pub height: u64,
    /// Block time.
    pub time: Timestamp,
    /// What became of it.
    pub outcome: OutcomeView,
    /// The visit that was settled, refunded or corrected, for those who may see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visit: Option<VisitId>,
    /// Facts that a voucher can show.
    pub fields: Vec<Field>,
    /// What was posted.
    pub entries: Vec<PostedEntry>,
    /// What happened, by stable names.
    pub events: Vec<String>,
    /// What is to be done outside.
    pub effects: Vec<EffectView>,
}

/// What became of a transaction.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Outcome")]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum OutcomeView {
    /// It happened.
    Accepted,
    /// It did not happen and changed nothing.
    Rejected {
        /// The stable name of the reason.
        code: String,
        /// The reason in the reader's language.
        title: String,
        /// Particulars, in the reader's language.
        #[serde(skip_serializing_if = "String::is_empty")]
        detail: String,
    },
}

/// An action outside the ledger.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "OrderedEffect")]
pub struct EffectView {
    /// The reference under which the rail knows it.
    pub reference: Hash,
    /// The action.
    #[serde(flatten)]
    pub effect: Effect,
}

/// The receipt as this party sees it ([`readers::receipt_for`]); `None` when it does not concern
/// the party.
#[must_use]
pub fn receipt_for(
    party: Party,
    indexed: &IndexedReceipt,
    state: &dyn Rows,
    registry: &Registry,
    language: Language,
) -> Option<ReceiptView> {
    let receipt = readers::receipt_for(state, party, &indexed.receipt)?;
    let record = &receipt.record;
    let reference = |effect: &Effect| Effect::reference(record.transaction_id, effect.number);
    Some(ReceiptView {
        id: indexed.index,
        transaction_id: record.transaction_id,
        kind: registry
            .by_number(record.kind)
            .map_or_else(|| record.kind.to_string(), |kind| kind.name.to_owned()),
        height: record.height,
        time: record.time,
        outcome: outcome(&receipt, registry, language),
        visit: SettlementRecord::in_receipt(&receipt).map(|record| record.visit),
        effects: receipt
            .effects
            .iter()
            .map(|effect| EffectView { reference: reference(effect), effect: effect.clone() })
            .collect(),
        fields: receipt.fields,
        entries: receipt.entries,
        events: receipt.events.into_iter().map(|event| event.name).collect(),
    })
}

fn outcome(receipt: &Receipt, registry: &Registry, language: Language) -> OutcomeView {
    match receipt.record.outcome {
        OutcomeCode::Accepted => OutcomeView::Accepted,
        OutcomeCode::Rejected(number) => {
            let code = registry.rejection(number).map_or("unknown_rejection", |code| code.name);
            OutcomeView::Rejected {
                code: code.to_owned(),
                title: words::of(language, code).title,
                detail: receipt
                    .rejection_detail
                    .as_ref()
                    .map(|detail| words::particulars(language, detail))
                    .unwrap_or_default(),
            }
        }
    }
}
