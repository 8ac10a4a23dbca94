//! A receipt as one party sees it.
//!
//! A receipt may concern many people at once (a batch of contributions). Such a receipt shows a
//! person only what touches nobody else, and an organisation only what touches its own accounts. A
//! receipt about one person is that person's and the acting organisations' own business and is
//! shown whole, but for the entries that say which relative's account helped. The seed that opens
//! the receipt's commitments never leaves; vouchers are issued here instead.

use ledger::kernel::account::Account;
use ledger::kernel::effect::Effect;
use ledger::kernel::posting::PostedEntry;
use ledger::kernel::receipt::Receipt;
use ledger::modules::network;
use ledger::modules::visit::{self, SettlementRecord};
use ledger::{Registry, State};
use primitives::{Hash, OrganisationId, Party, Timestamp, VisitId, codec};
use proof::receipt::{Field, OutcomeCode};
use schemars::JsonSchema;
use serde::Serialize;

use crate::port::IndexedReceipt;
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

/// The receipt as this party sees it; `None` when it does not concern the party.
#[must_use]
pub fn receipt_for(
    party: Party,
    indexed: &IndexedReceipt,
    state: &State,
    registry: &Registry,
    language: Language,
) -> Option<ReceiptView> {
    let receipt = indexed.receipt.as_ref();
    receipt.concerns.binary_search(&party).ok()?;
    let is_batch =
        receipt.concerns.iter().filter(|one| matches!(one, Party::Person(_))).count() > 1;
    let is_persons_own = !is_batch && matches!(party, Party::Person(_));
    let is_shown = |entry: &&PostedEntry| {
        let is_whole = is_persons_own || !is_batch && !says_who_helped(entry);
        is_whole || may_see_entry(party, entry, state)
    };
    let record = &receipt.record;
    let events = receipt.events.iter().filter(|event| event.concerns.contains(&party));
    Some(ReceiptView {
        id: indexed.index,
        transaction_id: record.transaction_id,
        kind: registry
            .by_number(record.kind)
            .map_or_else(|| record.kind.to_string(), |kind| kind.name.to_owned()),
        height: record.height,
        time: record.time,
        outcome: outcome(receipt, registry, language),
        visit: visit_of(party, receipt, state),
        fields: if is_batch && matches!(party, Party::Person(_)) {
            Vec::new()
        } else {
            receipt.fields.clone()
        },
        entries: receipt.entries.iter().filter(is_shown).copied().collect(),
        events: events.map(|event| event.name.clone()).collect(),
        effects: receipt
            .effects
            .iter()
            .filter(|effect| !is_batch || party == Party::Organisation(effect.executor))
            .map(|effect| EffectView {
                reference: Effect::reference(record.transaction_id, effect.number),
                effect: effect.clone(),
            })
            .collect(),
    })
}

/// The visit whose settlement a receipt brings about.
fn visit_of(party: Party, receipt: &Receipt, state: &State) -> Option<VisitId> {
    if receipt.witness.is_empty() {
        return None;
    }
    let record: SettlementRecord = codec::decode(&receipt.witness).ok()?;
    visit::view::may_see(state, &record.subject, party).then_some(record.visit)
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

/// Whether an entry names the relative whose account helped: the person knows, and the bureau whose
/// region it is, and nobody else.
const fn says_who_helped(entry: &PostedEntry) -> bool {
    matches!(
        (entry.entry.debit, entry.entry.credit),
        (Account::PersonalAccount(_), Account::FamilyAccounts(_))
            | (Account::FamilyAccounts(_), Account::PersonalAccount(_))
    )
}

fn may_see_entry(party: Party, entry: &PostedEntry, state: &State) -> bool {
    let accounts = [entry.entry.debit, entry.entry.credit];
    match party {
        Party::Person(_) => {
            let foreign = |account: &Account| match account {
                Account::PersonalAccount(owner) => Party::Person(*owner) != party,
                Account::Deposit(_) => true,
                Account::Outside(_)
                | Account::Fund { .. }
                | Account::ProviderDue(_)
                | Account::Rail(_)
                | Account::Receivable(_)
                | Account::ProviderCash(_)
                | Account::OwedToPatients(_)
                | Account::OwedToFund { .. }
                | Account::ExpectedByFund { .. }
                | Account::FamilyAccounts(_) => false,
            };
            !accounts.iter().any(foreign)
        }
        Party::Organisation(id) => accounts.iter().any(|account| owns(id, account, state)),
    }
}

/// Whether an organisation answers for an account: its own dues, rail and claims, and as a bureau
/// the region's funds.
#[must_use]
pub fn owns(organisation: OrganisationId, account: &Account, state: &State) -> bool {
    match account {
        Account::Outside(region)
        | Account::Fund { region, .. }
        | Account::OwedToFund { region, .. }
        | Account::ExpectedByFund { region, .. }
        | Account::FamilyAccounts(region) => network::view::is_bureau(state, *region, organisation),
        Account::ProviderDue(books)
        | Account::Rail(books)
        | Account::Receivable(books)
        | Account::ProviderCash(books)
        | Account::OwedToPatients(books) => books.organisation == organisation,
        Account::PersonalAccount(_) | Account::Deposit(_) => false,
    }
}
