//! The postings of a settlement, and the orders to rails.

use alloc::{collections::BTreeMap, string::String, vec::Vec};
use primitives::{
    Amount, Currency, Hash, OrganisationId, Party, PersonId, RegionId, VisitId, detail,
};

use super::quote::{Part, Split};
use super::rejection;
use super::table::{EFFECTS, EffectRow, VisitSubject};
use crate::kernel::account::{Account, Books, RegionPair};
use crate::kernel::context::Context;
use crate::kernel::effect::{self, EffectAction, EffectStatus, NewEffect};
use crate::kernel::overlay::Overlay;
use crate::kernel::posting::{self, Entry};
use crate::kernel::receipt::Outcome;
use crate::kernel::rejection::{Rejection, require};
use crate::modules::interregion::view::CareElsewhere;
use crate::modules::{family, fund, interregion, network};
use benefit::Payer;

/// What a settlement moves between funds, personal accounts and the provider, or the region that
/// advances to it, cash left out. What relatives' accounts give goes through one account of the
/// region, so that an entry on the provider's books does not say whose it was. What the provider
/// bears itself moves nothing, so that its due is what others owe it: it stands in the split alone.
pub(super) fn fund_entries(
    state: &Overlay<'_>,
    subject: &VisitSubject,
    parts: &[Part],
    cleared: Option<RegionPair>,
) -> Result<Vec<Entry>, Rejection> {
    let to_provider = Account::ProviderDue(subject.books());
    entries_to(state, subject, parts, cleared.map_or(to_provider, Account::OwedToRegion))
}

/// Posts what a settlement or a change of one moves between funds, personal accounts and the
/// provider; for care elsewhere the region of care advances it.
pub(super) fn post_shares(
    context: &Context<'_>,
    state: &mut Overlay<'_>,
    (visit, provider): (VisitId, OrganisationId),
    (entries, currency): (&[Entry], Currency),
    cleared: Option<RegionPair>,
) -> Result<(), Rejection> {
    posting::post(state, context.time, currency, entries)?;
    let Some(pair) = cleared else { return Ok(()) };
    let care = CareElsewhere { pair, visit, provider };
    interregion::view::advance(context, state, &care, entries)
}

/// The bureau of the region of care, where it advances the funds' share.
pub(super) fn advancing_bureau(
    state: &Overlay<'_>,
    cleared: Option<RegionPair>,
) -> Result<Option<Party>, Rejection> {
    let Some(pair) = cleared else { return Ok(None) };
    let bureau = network::view::require_region(state, pair.care)?.bureau;
    Ok(Some(Party::Organisation(bureau)))
}

/// What a settlement's parts move to the account of whichever creditor.
pub(crate) fn entries_to(
    state: &Overlay<'_>,
    subject: &VisitSubject,
    parts: &[Part],
    due: Account,
) -> Result<Vec<Entry>, Rejection> {
    let mut entries = Vec::new();
    for part in parts {
        let day = part.from;
        let (region, scheme) = (subject.region, subject.scheme);
        for share in &part.adjudication.payers {
            if share.payer == Payer::HospitalBorne {
                continue;
            }
            let fund = fund::view::paying_fund(state, region, scheme, share.payer, day)?;
            let debit = Account::Fund { region: fund.region, fund: fund.fund };
            entries.push(Entry { debit, credit: due, amount: share.amount });
        }
        let own = part.adjudication.personal_account;
        if !own.is_zero() {
            let debit = Account::PersonalAccount(subject.person);
            entries.push(Entry { debit, credit: due, amount: own });
        }
        let through = Account::FamilyAccounts(region);
        for share in &part.adjudication.family_accounts {
            let payer = family::view::payer_of(state, subject.person, share.grant)?;
            let debit = Account::PersonalAccount(payer);
            entries.push(Entry { debit, credit: through, amount: share.amount });
            entries.push(Entry { debit: through, credit: due, amount: share.amount });
        }
    }
    Ok(entries)
}

/// What each grant of mutual aid pays in these parts together, by its number.
pub(super) fn aid_of(parts: &[Part]) -> BTreeMap<u32, Amount> {
    let mut paid: BTreeMap<u32, Amount> = BTreeMap::new();
    for share in parts.iter().flat_map(|part| &part.adjudication.family_accounts) {
        let sum = paid.entry(share.grant).or_default();
        *sum = sum.saturating_add(share.amount);
    }
    paid
}

/// What is left to move when `given` takes the place of `taken`: nobody needs more than the
/// difference, whatever became of a fund's floor meanwhile.
pub(crate) fn net_entries(taken: &[Entry], given: &[Entry]) -> Vec<Entry> {
    let mut sums: BTreeMap<(Account, Account), (Amount, Amount)> = BTreeMap::new();
    for entry in taken {
        let sum = sums.entry((entry.debit, entry.credit)).or_default();
        sum.0 = sum.0.saturating_add(entry.amount);
    }
    for entry in given {
        let sum = sums.entry((entry.debit, entry.credit)).or_default();
        sum.1 = sum.1.saturating_add(entry.amount);
    }
    let net = |((debit, credit), (taken, given)): ((Account, Account), (Amount, Amount))| {
        let (more, less) = (given.saturating_sub(taken), taken.saturating_sub(given));
        match (more.is_zero(), less.is_zero()) {
            (false, _) => Some(Entry { debit, credit, amount: more }),
            (true, false) => Some(Entry { debit: credit, credit: debit, amount: less }),
            (true, true) => None,
        }
    };
    sums.into_iter().filter_map(net).collect()
}

/// Those whose funds pay a part, each once.
pub(crate) fn paying_organisations(
    state: &Overlay<'_>,
    subject: &VisitSubject,
    parts: &[Part],
) -> Result<Vec<Party>, Rejection> {
    let mut owners = Vec::new();
    for part in parts {
        for share in &part.adjudication.payers {
            if share.payer == Payer::HospitalBorne {
                continue;
            }
            let (region, scheme, day) = (subject.region, subject.scheme, part.from);
            let fund = fund::view::paying_fund(state, region, scheme, share.payer, day)?;
            let owner = Party::Organisation(fund.owner);
            if !owners.contains(&owner) {
                owners.push(owner);
            }
        }
    }
    Ok(owners)
}

/// Whose payment it is.
#[derive(Clone, Copy)]
pub(super) struct Parties {
    pub provider: OrganisationId,
    pub person: PersonId,
    pub region: RegionId,
}

impl From<&VisitSubject> for Parties {
    fn from(subject: &VisitSubject) -> Self {
        Self { provider: subject.provider, person: subject.person, region: subject.region }
    }
}

impl From<&EffectRow> for Parties {
    fn from(row: &EffectRow) -> Self {
        Self { provider: row.provider, person: row.person, region: row.region }
    }
}

/// A new order to a rail.
pub(super) struct Order {
    pub visit: VisitId,
    pub parties: Parties,
    pub executor: OrganisationId,
    pub rail: String,
    pub authorisation: Hash,
    pub action: EffectAction,
    pub amount: Amount,
    pub currency: Currency,
    pub original: Option<Hash>,
    /// What moves when the executor says that it is done.
    pub entry: (Account, Account),
}

/// Orders a payment outside and notes whose it is. Gives the effect's reference.
pub(super) fn order(
    context: &Context<'_>,
    state: &mut Overlay<'_>,
    outcome: &mut Outcome,
    order: Order,
) -> Result<Hash, Rejection> {
    let new = NewEffect {
        executor: order.executor,
        rail: order.rail.clone(),
        action: order.action,
        amount: order.amount,
        currency: order.currency,
        authorisation: order.authorisation,
        original: order.original,
        entry: order.entry,
    };
    let reference = effect::order(context, state, outcome, new)?;
    let row = EffectRow {
        visit: order.visit,
        provider: order.parties.provider,
        person: order.parties.person,
        region: order.parties.region,
        executor: order.executor,
        rail: order.rail,
        action: order.action,
        amount: order.amount,
        currency: order.currency,
        ordered: context.time,
        status: EffectStatus::Pending,
        refundable: Amount::ZERO,
        replaced_by: None,
    };
    EFFECTS.put(state, &reference, &row);
    Ok(reference)
}

/// The order that now stands for this one, with its reference.
pub(super) fn latest(state: &Overlay<'_>, reference: &Hash) -> Option<(Hash, EffectRow)> {
    let mut at = *reference;
    let mut row = EFFECTS.get(state, &at)?;
    while let Some(next) = row.replaced_by {
        at = next;
        row = EFFECTS.get(state, &at)?;
    }
    Some((at, row))
}

/// Gives `amount` back: money through the rails that collected it, newest first; a claim that
/// nothing was collected for is taken down; what remains is owed to the patient by the provider.
pub(super) fn give_back(
    context: &Context<'_>,
    state: &mut Overlay<'_>,
    outcome: &mut Outcome,
    refund: &GiveBack<'_>,
) -> Result<(), Rejection> {
    let mut left = refund.amount;
    for reference in refund.collected.iter().rev() {
        let Some((reference, mut row)) = latest(state, reference) else { continue };
        let part = row.refundable.min(left);
        if part.is_zero() {
            continue;
        }
        row.refundable = row.refundable.saturating_sub(part);
        EFFECTS.put(state, &reference, &row);
        left = left.saturating_sub(part);
        if row.status == EffectStatus::Failed {
            let credit = Account::Receivable(refund.subject.books());
            let entry = Entry { debit: refund.from, credit, amount: part };
            posting::post(state, context.time, refund.currency, &[entry])?;
            continue;
        }
        let new = Order {
            visit: refund.visit,
            parties: refund.subject.into(),
            executor: row.executor,
            rail: row.rail,
            authorisation: Hash::default(),
            action: EffectAction::Refund,
            amount: part,
            currency: refund.currency,
            original: Some(reference),
            entry: (refund.from, Account::Rail(Books::of(row.executor, row.region))),
        };
        order(context, state, outcome, new)?;
    }
    if left.is_zero() {
        return Ok(());
    }
    let credit = Account::OwedToPatients(refund.subject.books());
    let entry = Entry { debit: refund.from, credit, amount: left };
    posting::post(state, context.time, refund.currency, &[entry])
}

/// What is to be paid back, and from which account.
pub(super) struct GiveBack<'a> {
    pub visit: VisitId,
    pub subject: &'a VisitSubject,
    pub amount: Amount,
    pub currency: Currency,
    pub collected: &'a [Hash],
    pub from: Account,
}

/// Every effect that collected money has had its executor's word.
pub(super) fn require_confirmed(
    state: &Overlay<'_>,
    collected: &[Hash],
    otherwise: crate::kernel::rejection::Code,
) -> Result<(), Rejection> {
    let pending = |reference: &Hash| {
        latest(state, reference).is_some_and(|(_, row)| row.status == EffectStatus::Pending)
    };
    require(!collected.iter().any(pending), || otherwise.reject())
}

/// The facts of a settlement that a voucher may show.
pub(crate) fn split_fields(outcome: Outcome, split: &Split, currency: Currency) -> Outcome {
    let amount = |amount| crate::kernel::receipt::amount_value(amount, currency);
    let mut outcome = outcome
        .with("total", amount(split.total))
        .with("self_paid", amount(split.self_paid))
        .with("over_cap", amount(split.over_cap))
        .with("class_b_share", amount(split.class_b_share))
        .with("in_policy", amount(split.in_policy))
        .with("deductible", amount(split.deductible));
    for share in &split.payers {
        outcome = outcome.with(share.payer.name(), amount(share.amount));
    }
    outcome = outcome.with("personal_account", amount(split.personal_account));
    if !split.family_accounts.is_zero() {
        outcome = outcome.with("family_accounts", amount(split.family_accounts));
    }
    outcome.with("cash", amount(split.cash))
}

/// The rejection for a split that is no longer the one signed, naming the first part that differs.
pub(crate) fn require_same_split(
    signed: &Split,
    now: &Split,
    currency: Currency,
) -> Result<(), Rejection> {
    if signed == now {
        return Ok(());
    }
    let parts = [
        ("total", signed.total, now.total),
        ("self_paid", signed.self_paid, now.self_paid),
        ("over_cap", signed.over_cap, now.over_cap),
        ("class_b_share", signed.class_b_share, now.class_b_share),
        ("in_policy", signed.in_policy, now.in_policy),
        ("deductible", signed.deductible, now.deductible),
        ("personal_account", signed.personal_account, now.personal_account),
        ("family_accounts", signed.family_accounts, now.family_accounts),
        ("cash", signed.cash, now.cash),
    ];
    let changed = parts.into_iter().find(|(_, signed, now)| signed != now);
    Err(match changed {
        Some((name, signed, now)) => rejection::SPLIT_OUTDATED.with(detail!(
            "`{field}` was {before} and is now {now}",
            field = name,
            before = (signed, currency),
            now = (now, currency)
        )),
        None => rejection::SPLIT_OUTDATED.with(detail!("`payers` changed")),
    })
}
