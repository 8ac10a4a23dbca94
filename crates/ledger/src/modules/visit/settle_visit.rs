//! The main job: a bill becomes postings, once.

use alloc::vec::Vec;
use benefit::CategorySums;
use borsh::{BorshDeserialize, BorshSerialize};
use primitives::{Amount, Currency, Hash, Party, VisitId, codec, sha256_parts};
use proof::receipt::FieldValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cash::{CashDue, CashLeg, collect};
use super::consent::{Consent, Whose};
use super::money::{
    self, GiveBack, aid_of, fund_entries, paying_organisations, require_same_split,
};
use super::quote::{Quote, QuoteRequest, Split, quote};
use super::table::{
    DepositSource, OpenVisit, SettledVisit, SettlementRecord, VISITS, VisitRow, VisitSubject,
    unlist_stay,
};
use super::{rejection, view};
use crate::kernel::account::{Account, RegionPair};
use crate::kernel::context::Context;
use crate::kernel::effect::EffectStatus;
use crate::kernel::overlay::{Overlay, Read};
use crate::kernel::posting::{self, Entry};
use crate::kernel::receipt::{Outcome, Receipt};
use crate::kernel::registry::Kind;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::organisation::{self, Scope};
use crate::modules::{coverage, family, interregion, network, voucher};

/// Settles a visit: the ledger adjudicates the sums again, and when the split is still the one that
/// the person saw, everything is posted at once; the cash leg waits for its rail.
///
/// Signed by the provider (`settle`), the region's bureau (`countersign`), the form of consent, and
/// the executor of the cash leg where that is not the provider (`execute`).
#[derive(Clone, Debug, PartialEq, Eq)]
#[derive(BorshSerialize, BorshDeserialize, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SettleVisit {
    /// Which visit.
    pub visit: VisitId,
    /// The salted commitment over the itemised bill and its sums.
    pub bill: Hash,
    /// The sorted bill.
    pub sums: CategorySums,
    /// Whether the personal account is to pay.
    pub use_personal_account: bool,
    /// Whether accounts of relatives who grant mutual aid are to pay.
    #[serde(default)]
    pub use_family_account: bool,
    /// The split that was shown and is agreed to.
    pub split: Split,
    /// How what is left is collected; needed exactly when deposits do not cover the cash part.
    /// Where organisations alone agree it may be left out: then the rest stays a receivable.
    #[serde(default)]
    pub cash: Option<CashLeg>,
    /// Who agrees, and how.
    pub consent: Consent,
}

impl SettlementRecord {
    /// What the ledger keeps of it.
    #[must_use]
    pub fn hash(&self) -> Hash {
        sha256_parts(&[b"yibao/settlement-record/v1", &codec::encode(self)])
    }

    /// The settlement that a receipt brought into force: every transaction that makes one or puts
    /// another in its place leaves the record as its witness, and nothing else leaves one. `None`
    /// for all other receipts, for rejected ones, and where the witness is kept from the reader.
    #[must_use]
    pub fn in_receipt(receipt: &Receipt) -> Option<Self> {
        if receipt.witness.is_empty() {
            return None;
        }
        codec::decode(&receipt.witness).ok()
    }

    /// The visit of an encoded record, which stands first in it; nothing for other bytes.
    #[must_use]
    pub fn visit_in(encoded: &[u8]) -> Option<VisitId> {
        encoded.first_chunk().map(|id| VisitId(*id))
    }

    /// The split of all parts together.
    #[must_use]
    pub fn cash(&self) -> Amount {
        let cash = self.parts.iter().map(|part| part.adjudication.cash);
        cash.fold(Amount::ZERO, Amount::saturating_add)
    }
}

impl Kind for SettleVisit {
    const NUMBER: u16 = 705;
    const NAME: &'static str = "settle_visit";

    fn check(&self) -> Result<(), Rejection> {
        require(!self.sums.total().is_zero(), || rejection::EMPTY_BILL.reject())
    }

    fn authorize(&self, context: &Context<'_>, state: &dyn Read) -> Result<(), Rejection> {
        let open = view::require_open(state, self.visit)?;
        organisation::view::require_signed(context, state, open.subject.provider, Scope::Settle)?;
        let bureau = view::bureau_of(state, &open.subject)?;
        organisation::view::require_signed(context, state, bureau, Scope::Countersign).map(|_| ())
    }

    fn execute(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
    ) -> Result<Outcome, Rejection> {
        let open = view::require_open(state, self.visit)?;
        let subject = open.subject.clone();
        require_dates(context, state, &subject, &self.sums)?;
        let currency = network::view::require_region(state, subject.region)?.currency;
        return_account_deposits(context, state, self.visit, &open, currency)?;
        let quoted = self.quote(context, state, &subject)?;
        require_same_split(&self.split, &quoted.split, quoted.currency)?;
        let cleared = cleared_between(state, &subject);
        let mut outcome = self.outcome(state, &subject, &quoted, cleared)?;
        let entries = fund_entries(state, &subject, &quoted.parts, cleared)?;
        let visit = (self.visit, subject.provider);
        money::post_shares(context, state, visit, (&entries, currency), cleared)?;
        let collected = self.settle_cash(context, state, &mut outcome, &open, &quoted)?;
        view::set_running_amounts(context, state, &subject, &quoted.accumulators)?;
        let own = quoted.split.own_share();
        let transaction_id = context.transaction.id();
        voucher::register_settlement(
            state,
            transaction_id,
            subject.person,
            subject.provider,
            own,
            currency,
        );
        let aid = aid_of(&quoted.parts);
        family::view::note_paid(state, (subject.person, transaction_id), &aid, context.time);
        let record = SettlementRecord {
            visit: self.visit,
            subject,
            transaction_id,
            bill: self.bill,
            sums: self.sums.clone(),
            parts: quoted.parts,
            consent: self.consent,
            use_personal_account: self.use_personal_account,
            use_family_account: self.use_family_account,
            collected,
        };
        let settled = SettledVisit {
            record: record.hash(),
            revision: 0,
            settled: context.time,
            revised: context.time,
            objection: None,
            contest: None,
        };
        VISITS.put(state, &self.visit, &VisitRow::Settled(settled));
        unlist_stay(state, &record.subject, self.visit);
        outcome.witness = codec::encode(&record);
        Ok(outcome)
    }
}

impl SettleVisit {
    fn quote(
        &self,
        context: &Context<'_>,
        state: &Overlay<'_>,
        subject: &VisitSubject,
    ) -> Result<Quote, Rejection> {
        let (person, region) = (subject.person, subject.region);
        quote(
            state,
            context.plans,
            QuoteRequest {
                subject,
                sums: &self.sums,
                use_personal_account: self.use_personal_account,
                personal_account: view::personal_account(state, person, context.time),
                family_accounts: if self.use_family_account {
                    family::view::offers(state, subject, self.sums.total(), context.time)
                } else {
                    Vec::new()
                },
                accumulators: coverage::view::running_amounts(
                    state,
                    person,
                    region,
                    subject.scheme,
                ),
                keep_plans_of: &[],
                keep_facts: false,
            },
        )
    }

    fn outcome(
        &self,
        state: &Overlay<'_>,
        subject: &VisitSubject,
        quoted: &Quote,
        cleared: Option<RegionPair>,
    ) -> Result<Outcome, Rejection> {
        let mut concerns = paying_organisations(state, subject, &quoted.parts)?;
        concerns.push(Party::Organisation(subject.provider));
        concerns.push(Party::Person(subject.person));
        concerns.extend(money::advancing_bureau(state, cleared)?);
        let (first, last) = self.sums.span().ok_or_else(|| rejection::EMPTY_BILL.reject())?;
        let outcome = Outcome::event("visit_settled", concerns)
            .with("visit", FieldValue::Hash(sha256_parts(&[&self.visit.0])))
            .with("provider", FieldValue::Party(Party::Organisation(subject.provider)))
            .with("person", FieldValue::Party(Party::Person(subject.person)))
            .with("region", FieldValue::Number(u64::from(subject.region.0)))
            .with("scheme", FieldValue::Number(u64::from(subject.scheme.0)))
            .with("service_from", FieldValue::Date(first))
            .with("service_to", FieldValue::Date(last))
            .with("bill", FieldValue::Hash(self.bill))
            .with("consent", self.consent.field()?);
        Ok(money::split_fields(outcome, &quoted.split, quoted.currency))
    }

    /// Uses confirmed deposits first, gives a surplus back, and orders the collection of the rest.
    fn settle_cash(
        &self,
        context: &Context<'_>,
        state: &mut Overlay<'_>,
        outcome: &mut Outcome,
        open: &OpenVisit,
        quoted: &Quote,
    ) -> Result<Vec<Hash>, Rejection> {
        let subject = &open.subject;
        let (currency, cash) = (quoted.currency, quoted.split.cash);
        let (mut collected, paid) = rail_deposits(state, open)?;
        let used = paid.min(cash);
        let (deposit, credit) =
            (Account::Deposit(self.visit), Account::ProviderCash(subject.books()));
        if !used.is_zero() {
            let entry = Entry { debit: deposit, credit, amount: used };
            posting::post(state, context.time, currency, &[entry])?;
        }
        let surplus = GiveBack {
            visit: self.visit,
            subject,
            amount: paid.saturating_sub(used),
            currency,
            collected: &collected,
            from: deposit,
        };
        money::give_back(context, state, outcome, &surplus)?;
        let rest = cash.saturating_sub(used);
        let who = Whose::of(subject);
        let split = &quoted.split;
        let account = split.personal_account.saturating_add(split.family_accounts);
        let leg = self.cash.as_ref();
        self.consent.require(context, state, who, account, (rest, leg))?;
        let (visit, consent) = (self.visit, self.consent);
        let due = CashDue { visit, subject, amount: rest, currency, leg, consent };
        collected.extend(collect(context, state, outcome, &due)?);
        Ok(collected)
    }
}

/// Between which regions a visit that is settled now is cleared, if it is.
fn cleared_between(state: &Overlay<'_>, subject: &VisitSubject) -> Option<RegionPair> {
    let VisitSubject { region, provider, admitted, .. } = *subject;
    interregion::view::pair_of(state, region, provider, admitted)
}

/// The deposits that rails collected, by the orders that did, and how much they are together. A
/// failed one was never anybody's money.
///
/// # Errors
/// `deposit_pending` while a rail has not answered.
pub(super) fn rail_deposits(
    state: &Overlay<'_>,
    open: &OpenVisit,
) -> Result<(Vec<Hash>, Amount), Rejection> {
    let rails = open.deposits.iter().filter_map(|deposit| match deposit.source {
        DepositSource::Rail(reference) => Some(reference),
        DepositSource::PersonalAccount => None,
    });
    let mut collected: Vec<Hash> = rails.collect();
    money::require_confirmed(state, &collected, rejection::DEPOSIT_PENDING)?;
    let mut paid = Amount::ZERO;
    collected.retain(|reference| {
        let done = money::latest(state, reference)
            .filter(|(_, row)| row.status == EffectStatus::Done)
            .map(|(_, row)| row.refundable);
        paid = paid.saturating_add(done.unwrap_or_default());
        done.is_some()
    });
    Ok((collected, paid))
}

/// Deposits from the personal account go back first, so that the split uses the account as a whole.
pub(super) fn return_account_deposits(
    context: &Context<'_>,
    state: &mut Overlay<'_>,
    visit: VisitId,
    open: &OpenVisit,
    currency: Currency,
) -> Result<(), Rejection> {
    let credit = Account::PersonalAccount(open.subject.person);
    for deposit in &open.deposits {
        if deposit.source == DepositSource::PersonalAccount {
            let entry = Entry { debit: Account::Deposit(visit), credit, amount: deposit.amount };
            posting::post(state, context.time, currency, &[entry])?;
        }
    }
    Ok(())
}

/// Every day of service lies between admission and today.
pub(super) fn require_dates(
    context: &Context<'_>,
    state: &Overlay<'_>,
    subject: &VisitSubject,
    sums: &CategorySums,
) -> Result<(), Rejection> {
    let region = network::view::require_region(state, subject.region)?;
    let today = context.day(region.settings.utc_offset_minutes);
    let Some((first, last)) = sums.span() else { return Ok(()) };
    require(subject.admitted <= first && last <= today, || {
        let outside = if last > today { last } else { first };
        rejection::DATE_OUTSIDE_VISIT.with(outside)
    })
}
