//! What a session may load. A handler gets a person, a fund or a visit only through these
//! functions, so nothing is shown without its rule.

use std::sync::Arc;

use ledger::kernel::account::{Account, Books};
use ledger::modules::fund::{self, FundRow};
use ledger::modules::organisation::Scope;
use ledger::modules::person::{self, PersonRow};
use ledger::modules::visit::{SettledVisit, SettlementRecord, VisitRow, VisitSubject};
use ledger::modules::{network, plan, visit};
use primitives::{CivilDate, FundId, Party, PersonId, RegionId, Timestamp, VisitId};

use crate::api::code::may_act;
use crate::call::Call;
use crate::problem::{Problem, code};
use crate::session::Session;

/// Who may read a person's data.
pub const PERSON_RULE: &str =
    "the person, a guardian of today, or the bureau of the person's home region";
/// Who may read a visit.
pub const VISIT_RULE: &str = "the visit's person, provider and bureau";
/// Who may read a visit of which a bill waits.
pub const ASKED_RULE: &str = "the visit's person, provider and bureau, and the relative who is \
                              asked to confirm its bill";

/// Who may read what a visit's change means for later ones. Its provider is not among them: it
/// would learn of its patient's other visits.
pub const LATER_RULE: &str =
    "the person, a guardian of today, or the bureau of the visit's insured place; no provider";

/// A visit that the session may see.
pub struct SeenVisit {
    /// Its row.
    pub row: VisitRow,
    /// What it is about.
    pub subject: VisitSubject,
    /// The settlement now in force, if it is settled.
    pub record: Option<SettlementRecord>,
}

impl Call {
    /// The present instant as the ledger will see it: never before the last block.
    #[must_use]
    pub fn instant(&self) -> Timestamp {
        self.now.max(self.view.tip.time)
    }

    /// Today in a region's calendar.
    #[must_use]
    pub fn today(&self, region: RegionId) -> Option<CivilDate> {
        let row = network::view::region(&self.view.state, region)?;
        Some(self.instant().day(row.settings.utc_offset_minutes))
    }

    /// The person of the path, who must be the one that is signed in.
    ///
    /// # Errors
    /// `not_yours`.
    pub fn own_person(&self, session: &Session) -> Result<PersonId, Problem> {
        let id: PersonId = self.path("person")?;
        let is_own = session.party == Party::Person(id);
        if is_own { Ok(id) } else { Err(Problem::new(&code::NOT_YOURS)) }
    }

    /// The session is the bureau's of this gateway's region, by a clerk's key; others get this
    /// refusal.
    ///
    /// # Errors
    /// The refusal, or `scope_not_held`.
    pub fn require_clerk(
        &self,
        session: &Session,
        refusal: fn() -> Problem,
    ) -> Result<(), Problem> {
        let region = self.wallet()?.region;
        let is_bureau = matches!(session.party, Party::Organisation(id)
            if network::view::is_bureau(&self.view.state, region, id));
        if !is_bureau {
            return Err(refusal());
        }
        let is_clerk = session.scopes.contains(&Scope::Clerk);
        if is_clerk { Ok(()) } else { Err(Problem::new(&code::SCOPE_MISSING)) }
    }

    /// The session's organisation is the bureau of one of these regions, or supervises one.
    ///
    /// # Errors
    /// `not_yours`, whether or not there are such regions.
    pub fn require_bureau(&self, session: &Session, regions: &[RegionId]) -> Result<(), Problem> {
        let state = &self.view.state;
        let mut rows = regions.iter().filter_map(|region| network::view::region(state, *region));
        let may = match session.party {
            Party::Organisation(id) => rows.any(|row| {
                row.bureau == id || plan::view::supervisors(state, row.bureau).contains(&id)
            }),
            Party::Person(_) => false,
        };
        if may { Ok(()) } else { Err(Problem::new(&code::NOT_YOURS)) }
    }

    /// Somebody's name; nothing where this node keeps no directory or it does not know the person.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn name_of(&self, id: PersonId) -> Result<Option<String>, Problem> {
        let Some(wallet) = self.gateway.port.wallet() else { return Ok(None) };
        Ok(wallet.directory.person(id)?.map(|known| known.name))
    }

    /// A person's row.
    ///
    /// # Errors
    /// `not_yours`, whether or not there is such a person.
    pub fn person(&self, session: &Session, id: PersonId) -> Result<Arc<PersonRow>, Problem> {
        let not_yours = || Problem::new(&code::NOT_YOURS);
        let state = &self.view.state;
        let row = person::view::person(state, id).ok_or_else(not_yours)?;
        let allowed = match session.party {
            Party::Person(own) if own == id => true,
            Party::Person(other) => {
                self.today(row.region).is_some_and(|today| row.is_guarded_by(other, today))
            }
            Party::Organisation(bureau) => network::view::is_bureau(state, row.region, bureau),
        };
        if allowed { Ok(row) } else { Err(not_yours()) }
    }

    /// A fund's row, for its owner and the region's bureau.
    ///
    /// # Errors
    /// `not_yours`, whether or not there is such a fund.
    pub fn fund(
        &self,
        session: &Session,
        region: RegionId,
        fund: FundId,
    ) -> Result<Arc<FundRow>, Problem> {
        let not_yours = || Problem::new(&code::NOT_YOURS);
        let state = &self.view.state;
        let Party::Organisation(id) = session.party else { return Err(not_yours()) };
        let row = fund::view::fund(state, region, fund).ok_or_else(not_yours)?;
        let allowed = row.owner == id || network::view::is_bureau(state, region, id);
        if allowed { Ok(row) } else { Err(not_yours()) }
    }

    /// A visit. Of a settled one the ledger keeps a hash only; what it is about stands in the
    /// record that the node keeps.
    ///
    /// # Errors
    /// `not_found`, also for a visit of others and for a cancelled one, of which nothing is kept.
    pub fn visit(&self, session: &Session, id: VisitId) -> Result<SeenVisit, Problem> {
        let seen = self.any_visit(id)?;
        if visit::view::may_see(&self.view.state, &seen.subject, session.party) {
            Ok(seen)
        } else {
            Err(Problem::new(&code::NOT_FOUND))
        }
    }

    /// A visit for those who may see it, and for the relative who is asked to confirm its bill and
    /// may act for the person today.
    ///
    /// # Errors
    /// `not_found`, as [`Self::visit`].
    pub fn visit_or_asked(&self, session: &Session, id: VisitId) -> Result<SeenVisit, Problem> {
        let Party::Person(asked) = session.party else { return self.visit(session, id) };
        let Some(wallet) = self.gateway.port.wallet() else { return self.visit(session, id) };
        let latest = wallet.directory.latest_request(id)?;
        let is_asked =
            latest.is_some_and(|one| one.asked == asked && may_act(self, asked, one.person));
        if is_asked { self.any_visit(id) } else { self.visit(session, id) }
    }

    /// A person's settled visit, for those who may know of the person's other visits too.
    ///
    /// # Errors
    /// `not_found`, also for a visit of others, and for its own provider.
    pub fn settled_visit_of(
        &self,
        session: &Session,
        person: PersonId,
        id: VisitId,
    ) -> Result<(SettledVisit, SettlementRecord), Problem> {
        let not_found = || Problem::new(&code::NOT_FOUND);
        if matches!(session.party, Party::Person(_)) {
            self.person(session, person)?;
        }
        let seen = self.any_visit(id)?;
        let region = seen.subject.region;
        let allowed = match session.party {
            Party::Person(_) => seen.subject.person == person,
            Party::Organisation(bureau) => {
                seen.subject.person == person
                    && network::view::is_bureau(&self.view.state, region, bureau)
            }
        };
        match (seen.row, seen.record) {
            (VisitRow::Settled(settled), Some(record)) if allowed => Ok((settled, record)),
            _ => Err(not_found()),
        }
    }

    /// A visit, whoever asks: for rules of their own.
    pub(crate) fn any_visit(&self, id: VisitId) -> Result<SeenVisit, Problem> {
        let not_found = || Problem::new(&code::NOT_FOUND);
        let row = visit::view::visit(&self.view.state, id).ok_or_else(not_found)?;
        let (subject, record) = match &row {
            VisitRow::Open(open) => (open.subject.clone(), None),
            VisitRow::Settled(_) => {
                let record = self.gateway.port.chain().settlement(id)?.ok_or_else(not_found)?;
                (record.subject.clone(), Some(record))
            }
            VisitRow::Cancelled => return Err(not_found()),
        };
        Ok(SeenVisit { row, subject, record })
    }
}

/// The accounts that an organisation may have in a region.
#[must_use]
pub fn accounts_of(books: Books) -> [Account; 8] {
    [
        Account::ProviderDue(books),
        Account::ProviderCash(books),
        Account::Rail(books),
        Account::Receivable(books),
        Account::OwedToPatients(books),
        Account::ProviderPayable(books),
        Account::ProviderInPayment(books),
        Account::ProviderHeldBack(books),
    ]
}
