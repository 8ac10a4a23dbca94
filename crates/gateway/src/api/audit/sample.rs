//! What an audit draws: read from the index of the provider's receipts, once for each audit.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use ledger::Receipt;
use ledger::kernel::registry::Kind as _;
use ledger::modules::audit::{AuditGrant, AuditTerms, draw, seed_words};
use ledger::modules::visit::{SettleVisit, SettlementRecord};
use primitives::{Hash, Party, RegionId, VisitId};

use crate::api::receipt::not_found;
use crate::call::Call;
use crate::port::Order;
use crate::problem::Problem;

/// How many receipts are read at once.
const PAGE: usize = 256;
/// How many samples are kept. Our own limit: an older one is drawn again.
const KEPT_MAX: usize = 16;

/// What an audit drew.
pub struct Sample {
    /// The hash of the block of the grant.
    pub block: Hash,
    /// The words that draw.
    pub seed: String,
    /// Every settlement from which it was drawn.
    pub list: BTreeSet<VisitId>,
    /// What was drawn, with the receipts that settled it, in the order of the draw.
    pub drawn: Vec<(VisitId, u64)>,
}

/// Samples that were drawn; none ever changes.
#[derive(Default)]
pub struct Samples(Mutex<VecDeque<Kept>>);

/// A sample with the audit that drew it.
type Kept = ((RegionId, u32), Arc<Sample>);

impl Samples {
    pub(super) fn of(
        &self,
        call: &Call,
        key: (RegionId, u32),
        (terms, grant): (&AuditTerms, AuditGrant),
    ) -> Result<Arc<Sample>, Problem> {
        let kept = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, sample)) = kept().iter().find(|(known, _)| *known == key) {
            return Ok(Arc::clone(sample));
        }
        let sample = Arc::new(drawn(call, key, (terms, grant))?);
        let mut kept = kept();
        if kept.len() >= KEPT_MAX {
            kept.pop_front();
        }
        kept.push_back((key, Arc::clone(&sample)));
        Ok(sample)
    }
}

fn drawn(
    call: &Call,
    (region, number): (RegionId, u32),
    (terms, grant): (&AuditTerms, AuditGrant),
) -> Result<Sample, Problem> {
    let chain = call.gateway.port.chain();
    let block = chain.header(grant.height)?.ok_or_else(not_found)?.header.value_id();
    let mut receipts: BTreeMap<VisitId, u64> = BTreeMap::new();
    let mut after = None;
    loop {
        let party = Party::Organisation(terms.provider);
        let page = chain.receipts_of(party, Order::OldestFirst, after, PAGE)?;
        for one in page.iter().filter(|one| one.receipt.record.height < grant.height) {
            if let Some(visit) = settled(&one.receipt, region, terms) {
                receipts.insert(visit, one.index);
            }
        }
        let is_past =
            |last: &crate::port::IndexedReceipt| last.receipt.record.height >= grant.height;
        match page.last() {
            Some(last) if page.len() == PAGE && !is_past(last) => after = Some(last.index),
            _ => break,
        }
    }
    let list: BTreeSet<VisitId> = receipts.keys().copied().collect();
    let seed = seed_words(&block, number);
    let visits = draw(&list, usize::from(terms.size), &seed);
    let drawn = visits.into_iter().filter_map(|visit| Some((visit, *receipts.get(&visit)?)));
    let drawn = drawn.collect();
    Ok(Sample { block, seed, list, drawn })
}

/// The visit that a receipt settled, if it is on the list.
fn settled(receipt: &Receipt, region: RegionId, terms: &AuditTerms) -> Option<VisitId> {
    if receipt.record.kind != SettleVisit::NUMBER {
        return None;
    }
    let record = SettlementRecord::in_receipt(receipt)?;
    let subject = &record.subject;
    let is_listed = subject.provider == terms.provider
        && subject.region == region
        && (terms.from..=terms.to).contains(&subject.admitted);
    is_listed.then_some(record.visit)
}
