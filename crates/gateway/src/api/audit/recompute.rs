//! A settlement from its lines, compared with what was settled.
//!
//! Running amounts are not asked of the ledger as it stands now: they are added up from the
//! person's receipts before the settlement, as the ledger added them. Where receipts do not show
//! them (a family's, a claim's, a booked difference), nothing is computed and it is said.

use std::collections::{BTreeMap, BTreeSet};

use benefit::{AccumulatorKey, Accumulators, Bill};
use ledger::kernel::registry::Kind as _;
use ledger::modules::claim::AcceptClaim;
use ledger::modules::coverage::view::RunningAmounts;
use ledger::modules::plan::{ApproveDifferences, PayDifferences};
use ledger::modules::visit::{AdjustLaterSettlements, Part, SettlementRecord, Split};
use ledger::modules::{network, visit};
use primitives::{Amount, Hash, Party};
use proof::receipt::OutcomeCode;
use vault::{BillContent, Envelope, EnvelopeContext};

use super::pack::Inputs;
use super::{AuditDifference, AuditOpen, AuditOutcome, AuditedDetail, AuditedSettlement, Open};
use crate::api::quote::{QuoteView, quote_as_settled};
use crate::api::receipt::not_found;
use crate::call::Call;
use crate::port::{BillAccess, IndexedReceipt, Order};
use crate::problem::{Problem, code};

/// How many receipts of a person are read at once.
const PAGE: usize = 256;
/// What may move running amounts without saying by how much.
const fn unsaid(kind: u16) -> Option<AuditOpen> {
    match kind {
        AcceptClaim::NUMBER => Some(AuditOpen::AmountsOfClaim),
        AdjustLaterSettlements::NUMBER | ApproveDifferences::NUMBER | PayDifferences::NUMBER => {
            Some(AuditOpen::AmountsOfDifference)
        }
        _ => None,
    }
}

/// A settlement with what came out.
pub(super) struct Audited {
    pub detail: AuditedDetail,
    /// The bill as it was sealed.
    pub content: Option<BillContent>,
    /// What it was computed from besides the bill.
    pub inputs: Option<Inputs>,
    pub transaction_id: Hash,
}

/// Computes a settlement of an open audit once more.
///
/// # Errors
/// When something cannot be read, or the look cannot be noted.
pub(super) fn recompute(call: &Call, open: &Open, receipt: u64) -> Result<Audited, Problem> {
    let chain = call.gateway.port.chain();
    let found = chain.receipt(receipt)?.ok_or_else(not_found)?;
    let record = SettlementRecord::in_receipt(&found.receipt).ok_or_else(not_found)?;
    let content = opened(call, open, &record)?;
    let standing = chain.settlement(record.visit)?;
    let revised = standing.is_some_and(|now| now.hash() != record.hash());
    let computed = match &content {
        None => Err(AuditOpen::BillMissing),
        Some(content) => computed(call, &found, &record, content)?,
    };
    let mut inputs = None;
    let (outcome, why, computed, differences) = match computed {
        Err(why) => (AuditOutcome::Open, Some(why), None, Vec::new()),
        Ok((quote, from)) => {
            inputs = Some(from);
            let differences = differences(&record, &quote);
            let same = differences.is_empty();
            let outcome = if same { AuditOutcome::Same } else { AuditOutcome::Differs };
            (outcome, None, Some(quote), differences)
        }
    };
    let subject = &record.subject;
    let region = network::view::region(&call.view.state, subject.region).ok_or_else(not_found)?;
    let told = AuditedSettlement {
        visit: record.visit,
        receipt,
        admitted: subject.admitted,
        total: record.total(),
        currency: region.currency,
        revised,
        outcome,
        open: why,
        differences,
    };
    let bill = content.as_ref().and_then(|content| serde_json::from_slice(&content.bill).ok());
    let transaction_id = record.transaction_id;
    let detail = AuditedDetail { found: told, record, bill, computed };
    Ok(Audited { detail, content, inputs, transaction_id })
}

/// The bill of a settlement, from the bureau's copy; that it is handed out is noted first. `None`
/// where there is none for the bureau.
fn opened(
    call: &Call,
    open: &Open,
    record: &SettlementRecord,
) -> Result<Option<BillContent>, Problem> {
    let (visit, commitment) = (record.visit, record.bill);
    let port = &call.gateway.port;
    let Some(sealed) = port.bill(visit, commitment)? else { return Ok(None) };
    let day = call.today(record.subject.region).ok_or_else(not_found)?;
    let access = BillAccess { day, organisation: open.auditor, audit: Some(open.audit) };
    port.note_bill_access(visit, commitment, access)?;
    let wallet = call.wallet()?;
    let Some(reader) = &wallet.bureau_reader else { return Ok(None) };
    let context = EnvelopeContext { visit, commitment };
    let content = Envelope::decode(&sealed)
        .and_then(|envelope| envelope.open_bill(reader, &context, call.instant()));
    Ok(content.ok())
}

fn computed(
    call: &Call,
    found: &IndexedReceipt,
    record: &SettlementRecord,
    content: &BillContent,
) -> Result<Result<(QuoteView, Inputs), AuditOpen>, Problem> {
    let Ok(bill) = serde_json::from_slice::<Bill>(&content.bill) else {
        return Ok(Err(AuditOpen::Refused));
    };
    let amounts = match amounts_before(call, found.index, record)? {
        Ok(amounts) => amounts,
        Err(why) => return Ok(Err(why)),
    };
    let before = amounts.own().clone();
    match quote_as_settled(call, record, bill, amounts) {
        Ok((quote, catalogue)) => Ok(Ok((quote, Inputs { catalogue, before }))),
        Err(problem) if problem.status >= 500 => Err(problem),
        Err(problem) if problem.code == code::CATALOGUE_MISSING.name => {
            Ok(Err(AuditOpen::CatalogueMissing))
        }
        Err(_) => Ok(Err(AuditOpen::Refused)),
    }
}

/// The person's running amounts before a receipt, added up from the receipts before it; or why they
/// do not show them.
fn amounts_before(
    call: &Call,
    receipt: u64,
    record: &SettlementRecord,
) -> Result<Result<RunningAmounts, AuditOpen>, Problem> {
    let subject = &record.subject;
    let mut kept: BTreeMap<Hash, Vec<Part>> = BTreeMap::new();
    let mut amounts = Accumulators::new();
    let mut after = None;
    let is_shared = |parts: &[Part]| parts.iter().any(|part| part.family.is_some());
    if is_shared(&record.parts) {
        return Ok(Err(AuditOpen::AmountsOfFamily));
    }
    loop {
        let party = Party::Person(subject.person);
        let chain = call.gateway.port.chain();
        let page = chain.receipts_of(party, Order::OldestFirst, after, PAGE)?;
        for one in page.iter().filter(|one| one.index < receipt) {
            let ledger = &one.receipt.record;
            let moved = unsaid(ledger.kind);
            if let Some(why) = moved.filter(|_| ledger.outcome == OutcomeCode::Accepted) {
                return Ok(Err(why));
            }
            let Some(earlier) = SettlementRecord::in_receipt(&one.receipt) else { continue };
            let same = |other: &visit::VisitSubject| {
                (other.person, other.region, other.scheme)
                    == (subject.person, subject.region, subject.scheme)
            };
            if !same(&earlier.subject) {
                continue;
            }
            if is_shared(&earlier.parts) {
                return Ok(Err(AuditOpen::AmountsOfFamily));
            }
            let before = kept.insert(earlier.transaction_id, earlier.parts.clone());
            count(&mut amounts, &before.unwrap_or_default(), u64::saturating_sub);
            count(&mut amounts, &earlier.parts, u64::saturating_add);
        }
        match page.last() {
            Some(last) if page.len() == PAGE && last.index < receipt => after = Some(last.index),
            _ => break,
        }
    }
    let mut running = RunningAmounts::none(subject.scheme);
    running.keep(None, &amounts);
    Ok(Ok(running))
}

/// Adds what these parts added, or takes it away; amounts of a visit alone end with it.
fn count(amounts: &mut Accumulators, parts: &[Part], change: fn(u64, u64) -> u64) {
    let changes = parts.iter().flat_map(|part| &part.adjudication.changes);
    for one in changes.filter(|one| !one.key.period.is_visit()) {
        let added = one.after.saturating_sub(one.before);
        amounts.set(one.key, change(amounts.get(&one.key), added));
    }
}

/// Every amount of a settlement that its lines do not give.
fn differences(record: &SettlementRecord, quote: &QuoteView) -> Vec<AuditDifference> {
    if record.parts == quote.parts && record.sums == quote.sums {
        return Vec::new();
    }
    let Some(settled) = Split::of(&record.parts) else { return Vec::new() };
    let mut rows = named(&settled, &quote.split);
    rows.extend(running(&record.parts, &quote.parts));
    if rows.is_empty() {
        let what = if record.sums == quote.sums { "reasons" } else { "sums" };
        let (settled, computed) = (record.total(), quote.split.total);
        rows.push(AuditDifference { what: what.to_owned(), of: None, settled, computed });
    }
    rows
}

fn named(settled: &Split, computed: &Split) -> Vec<AuditDifference> {
    let fields = |split: &Split| {
        [
            ("total", split.total),
            ("self_paid", split.self_paid),
            ("over_cap", split.over_cap),
            ("class_b_share", split.class_b_share),
            ("in_policy", split.in_policy),
            ("deductible", split.deductible),
            ("personal_account", split.personal_account),
            ("family_accounts", split.family_accounts),
            ("cash", split.cash),
        ]
    };
    let payers = settled.payers.iter().chain(&computed.payers).map(|share| share.payer);
    let payers: BTreeMap<&str, _> = payers.map(|payer| (payer.name(), payer)).collect();
    let shares = payers
        .into_iter()
        .map(|(what, payer)| (what, settled.paid_by(payer), computed.paid_by(payer)));
    let pairs = fields(settled).into_iter().zip(fields(computed));
    let pairs = pairs.map(|((what, settled), (_, computed))| (what, settled, computed));
    let differing = pairs.chain(shares).filter(|(_, settled, computed)| settled != computed);
    let row = |(what, settled, computed): (&str, Amount, Amount)| AuditDifference {
        what: what.to_owned(),
        of: None,
        settled,
        computed,
    };
    differing.map(row).collect()
}

fn running(settled: &[Part], computed: &[Part]) -> Vec<AuditDifference> {
    let after = |parts: &[Part]| -> BTreeMap<AccumulatorKey, u64> {
        let changes = parts.iter().flat_map(|part| &part.adjudication.changes);
        changes.map(|change| (change.key, change.after)).collect()
    };
    let (settled, computed) = (after(settled), after(computed));
    let keys: BTreeSet<_> = settled.keys().chain(computed.keys()).collect();
    let differing = keys.into_iter().filter(|key| settled.get(*key) != computed.get(*key));
    let value = |one: Option<&u64>| Amount::from_minor(one.copied().unwrap_or_default());
    let row = |key: &AccumulatorKey| AuditDifference {
        what: "running_amount".to_owned(),
        of: Some(format!("{} / {}", key.number, key.period)),
        settled: value(settled.get(key)),
        computed: value(computed.get(key)),
    };
    differing.map(row).collect()
}
