//! Who may read a row or a receipt: what a node that keeps everything tells one that does not.
//!
//! The governing organisations see everything, by law. To all others each module says of its rows
//! who may read them; a row of which nobody says anything is read by nobody. A person's rows are
//! open to a provider while a visit of the person with it is open, and not longer: it names the
//! visit when it asks.
//!
//! Invariant: with everything that it may read, a provider cannot list its patient's other visits
//! (test `a_hospital_is_told_what_concerns_it_and_nothing_else`).

use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use primitives::{OrganisationId, Party, PersonId, RegionId, VisitId, codec};

use crate::kernel::account::{Account, Books, RegionPair};
use crate::kernel::overlay::Read;
use crate::kernel::posting::PostedEntry;
use crate::kernel::receipt::Receipt;
use crate::kernel::{idempotency, posting};
use crate::modules::visit::{self, SettlementRecord, VisitRow};
use crate::modules::{MODULES, family, network, person};

/// Who may read a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readers {
    /// Every organisation: rules, organisations, keys.
    Everybody,
    /// The bureau of a region.
    Bureau(RegionId),
    /// The bureaus of two regions.
    Bureaus(RegionPair),
    /// These.
    Organisations(Vec<OrganisationId>),
    /// The bureau of the person's home region, and a provider or bureau while it has an open visit
    /// of the person.
    Carers(PersonId),
    /// The bureau of the person's home region.
    HomeBureau(PersonId),
    /// The bureaus of two persons' home regions.
    HomeBureaus([PersonId; 2]),
    /// Provider and bureau of a visit.
    Visit(VisitId),
    /// The organisation whose books in a region they are, and the region's bureau.
    Books(Books),
}

/// An organisation that asks for a row.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    /// Who asks.
    pub organisation: OrganisationId,
    /// The open visit for which it asks, if it says so.
    pub visit: Option<VisitId>,
    /// The settlement record of a visit: the ledger keeps its hash only.
    pub record_of: &'a dyn Fn(VisitId) -> Option<SettlementRecord>,
}

impl fmt::Debug for Reader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reader({})", self.organisation)
    }
}

/// Whether an organisation sees everything: it governs.
pub fn sees_all(state: &(impl Read + ?Sized), organisation: OrganisationId) -> bool {
    network::view::network(state).governing.contains(&organisation)
}

impl Reader<'_> {
    /// Whether it may read the row under this key, or learn that there is none.
    #[must_use]
    pub fn may_read(&self, state: &dyn Read, key: &[u8]) -> bool {
        sees_all(state, self.organisation)
            || readers_of(state, key).is_some_and(|readers| self.is_among(state, &readers))
    }

    fn is_among(&self, state: &dyn Read, readers: &Readers) -> bool {
        let is_bureau = |region| network::view::is_bureau(state, region, self.organisation);
        let is_home =
            |person| person::view::person(state, person).is_some_and(|row| is_bureau(row.region));
        match readers {
            Readers::Everybody => true,
            Readers::Bureau(region) => is_bureau(*region),
            Readers::Bureaus(pair) => is_bureau(pair.insured) || is_bureau(pair.care),
            Readers::Organisations(all) => all.contains(&self.organisation),
            Readers::HomeBureau(person) => is_home(*person),
            Readers::HomeBureaus(two) => two.iter().any(|person| is_home(*person)),
            Readers::Carers(person) => is_home(*person) || self.cares_for(state, *person),
            Readers::Visit(visit) => self.has_visit(state, *visit),
            Readers::Books(books) => {
                books.organisation == self.organisation || is_bureau(books.region)
            }
        }
    }

    fn cares_for(&self, state: &dyn Read, person: PersonId) -> bool {
        let Some(visit) = self.visit else { return false };
        let Some(VisitRow::Open(open)) = visit::view::visit(state, visit) else { return false };
        open.subject.person == person && self.sees(state, &open.subject)
    }

    fn has_visit(&self, state: &dyn Read, id: VisitId) -> bool {
        match visit::view::visit(state, id) {
            Some(VisitRow::Open(open)) => self.sees(state, &open.subject),
            Some(VisitRow::Settled(settled)) => (self.record_of)(id).is_some_and(|record| {
                record.hash() == settled.record && self.sees(state, &record.subject)
            }),
            // Ids of visits are random: who knows one that is nobody's learns nothing.
            Some(VisitRow::Cancelled) | None => true,
        }
    }

    fn sees(&self, state: &dyn Read, subject: &visit::VisitSubject) -> bool {
        visit::view::may_see(state, subject, Party::Organisation(self.organisation))
    }
}

/// Who may read a row besides those who see everything; `None` when nobody else may.
fn readers_of(state: &dyn Read, key: &[u8]) -> Option<Readers> {
    posting::readers(key)
        .or_else(|| idempotency::readers(key))
        .or_else(|| MODULES.iter().find_map(|module| (module.readers)(state, key)))
}

/// Who may read an account besides those who see everything.
pub(crate) fn readers_of_account(account: &Account) -> Readers {
    match account {
        Account::Outside(region)
        | Account::Fund { region, .. }
        | Account::OwedToFund { region, .. }
        | Account::ExpectedByFund { region, .. }
        | Account::FamilyAccounts(region) => Readers::Bureau(*region),
        Account::PersonalAccount(person) => Readers::Carers(*person),
        Account::Deposit(visit) => Readers::Visit(*visit),
        Account::ProviderDue(books)
        | Account::ProviderCash(books)
        | Account::Rail(books)
        | Account::Receivable(books)
        | Account::OwedToPatients(books) => Readers::Organisations(vec![books.organisation]),
        Account::ProviderPayable(books)
        | Account::ProviderInPayment(books)
        | Account::ProviderHeldBack(books) => Readers::Books(*books),
        Account::OwedToRegion(pair)
        | Account::DisputedWithRegion(pair)
        | Account::AdvancedForRegion(pair) => Readers::Bureaus(*pair),
    }
}

/// The receipt as this party may know it; `None` when it does not concern the party.
///
/// A receipt may concern many people at once (a batch of contributions), or many providers (a batch
/// of payments). Of such a receipt a person learns only what touches nobody else, and an
/// organisation only what touches its own accounts. A receipt about one person is that person's and
/// the acting organisations' own business and is told whole, but for the entries that say which
/// relative's account helped; and whose account paid is told to those alone who may see the
/// settlement, and not to others whose money it moves. A transfer between two wallets is both
/// persons' own: each reads who sent whom how much, and of the entries those of the own account.
/// That is said of a kind by name, so that a batch which happens to have two rows tells neither of
/// the other (test `a_batch_of_two_tells_neither_of_the_other`). What is left out is not committed
/// to by its record, which therefore still fits.
#[must_use]
pub fn receipt_for(
    state: &(impl Read + ?Sized),
    party: Party,
    receipt: &Receipt,
) -> Option<Receipt> {
    receipt.concerns.binary_search(&party).ok()?;
    let persons = receipt.concerns.iter().filter(|one| matches!(one, Party::Person(_))).count();
    let is_batch = persons > 1 || pays_several(receipt);
    let is_person = matches!(party, Party::Person(_));
    let record = codec::decode::<SettlementRecord>(&receipt.witness).ok();
    let sees_record =
        record.as_ref().is_some_and(|record| visit::view::may_see(state, &record.subject, party));
    let hides_persons = record.is_some() && !sees_record;
    let is_told = |entry: &PostedEntry| {
        if hides_persons && names_person(entry) {
            return false;
        }
        let is_whole = !is_batch && (is_person || !says_who_helped(entry));
        is_whole || may_see_entry(state, party, entry)
    };
    let mut told = receipt.clone();
    told.entries.retain(is_told);
    told.events.retain_mut(|event| {
        let is_told = event.concerns.contains(&party);
        event.concerns.retain(|one| *one == party);
        is_told
    });
    told.effects.retain(|effect| !is_batch || party == Party::Organisation(effect.executor));
    if is_batch && is_person && !family::view::is_between_two(receipt.record.kind) {
        told.fields.clear();
    }
    if !sees_record {
        told.witness.clear();
    }
    told.concerns.retain(|one| *one == party);
    Some(told)
}

/// What a rehearsed transaction would post, as this organisation may know it.
pub fn entries_for(
    state: &(impl Read + ?Sized),
    organisation: OrganisationId,
    entries: Vec<PostedEntry>,
) -> Vec<PostedEntry> {
    let party = Party::Organisation(organisation);
    let is_told =
        |entry: &PostedEntry| !says_who_helped(entry) || may_see_entry(state, party, entry);
    entries.into_iter().filter(is_told).collect()
}

/// Whether an entry names a person by an account.
const fn names_person(entry: &PostedEntry) -> bool {
    matches!(entry.entry.debit, Account::PersonalAccount(_))
        || matches!(entry.entry.credit, Account::PersonalAccount(_))
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

/// Whether a receipt moves what is in payment to more than one provider.
fn pays_several(receipt: &Receipt) -> bool {
    let in_payment = |account: &Account| match account {
        Account::ProviderInPayment(books) => Some(books.organisation),
        _ => None,
    };
    let entries = receipt.entries.iter().map(|posted| [posted.entry.debit, posted.entry.credit]);
    let mut paid = entries.flatten().filter_map(|account| in_payment(&account));
    let first = paid.next();
    paid.any(|other| Some(other) != first)
}

fn may_see_entry(state: &(impl Read + ?Sized), party: Party, entry: &PostedEntry) -> bool {
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
                | Account::FamilyAccounts(_)
                | Account::ProviderPayable(_)
                | Account::ProviderInPayment(_)
                | Account::ProviderHeldBack(_)
                | Account::OwedToRegion(_)
                | Account::DisputedWithRegion(_)
                | Account::AdvancedForRegion(_) => false,
            };
            !accounts.iter().any(foreign)
        }
        Party::Organisation(id) => accounts.iter().any(|account| owns(state, id, account)),
    }
}

/// Whether an organisation answers for an account: its own dues, rail and claims, and as a bureau
/// the region's funds.
#[must_use]
pub fn owns(state: &(impl Read + ?Sized), organisation: OrganisationId, account: &Account) -> bool {
    match readers_of_account(account) {
        Readers::Bureau(region) => network::view::is_bureau(state, region, organisation),
        Readers::Bureaus(RegionPair { insured, care }) => {
            network::view::is_bureau(state, insured, organisation)
                || network::view::is_bureau(state, care, organisation)
        }
        Readers::Organisations(all) => all.contains(&organisation),
        Readers::Books(books) => {
            books.organisation == organisation
                || network::view::is_bureau(state, books.region, organisation)
        }
        Readers::Everybody
        | Readers::Carers(_)
        | Readers::HomeBureau(_)
        | Readers::HomeBureaus(_)
        | Readers::Visit(_) => false,
    }
}
