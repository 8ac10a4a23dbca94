//! What a validator reads: visits with their sums, and what is attested about people.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, anyhow};
use benefit::VisitType;
use ledger::kernel::registry::Kind;
use ledger::modules::coverage::{
    AssignSlot, AttestFacts, AttestedFacts, CoverageTerms, EnrolCoverage, ImportCoverages,
    ImportPersons, MoveCoverage,
};
use ledger::modules::person::EnrolPerson;
use ledger::modules::visit::{CheckIn, SettleVisit, VisitSubject};
use ledger::{Block, Content};
use node::store::{BlockLog, Known, LogLimits, StoredBlock};
use node::verify::folder::ReadOnlyFolder;
use primitives::{FamilyId, PersonId, RegionId, VisitId, codec};

use crate::region::Region;

/// The kinds of care in which somebody stays overnight.
const STAYS: [VisitType; 4] = [
    VisitType::Inpatient,
    VisitType::MaternityInpatient,
    VisitType::WorkInjuryInpatient,
    VisitType::EmergencyInpatient,
];

/// A settled visit.
pub struct VisitRow {
    /// Whose.
    pub person: PersonId,
    /// At which provider.
    pub provider: String,
    /// The day, counted from an arbitrary one.
    pub day: i32,
    /// What the bill charged, in minor units.
    pub total: u64,
    /// Whether it was a stay.
    pub is_stay: bool,
}

/// What is attested about a person, as it was said last.
#[derive(Clone, Default)]
pub struct PersonRow {
    /// The insured place and the scheme.
    pub place: (u64, u64),
    /// The age band, as one number.
    pub age: u64,
    /// The sex, as one number.
    pub sex: u64,
    /// The classes, as bits.
    pub classes: u64,
    /// Income class, years insured, years without a claim.
    pub rest: [u64; 3],
    /// The family with which the person is insured together.
    pub family: Option<FamilyId>,
}

impl PersonRow {
    fn new(region: RegionId, coverage: &CoverageTerms) -> Self {
        Self::of(region, u64::from(coverage.scheme.0), &coverage.facts)
    }

    fn of(region: RegionId, scheme: u64, facts: &AttestedFacts) -> Self {
        Self {
            place: (u64::from(region.0), scheme),
            age: u64::from(facts.age.from()) << 8 | u64::from(facts.age.below()),
            sex: u64::from(facts.sex.number()),
            classes: u64::from(facts.person_classes.bits()),
            rest: [
                u64::from(facts.income_class.number()),
                u64::from(facts.unbroken_years),
                u64::from(facts.claim_free_years),
            ],
            family: facts.family,
        }
    }

    /// Age band, classes and place, which a neighbour knows.
    #[must_use]
    pub fn age_class_place(&self) -> Vec<u64> {
        vec![self.place.0, self.place.1, self.age, self.classes]
    }

    /// Everything that is attested and that somebody could know.
    #[must_use]
    pub fn everything(&self) -> Vec<u64> {
        [self.age_class_place(), vec![self.sex], self.rest.to_vec()].concat()
    }
}

/// All that is read.
#[derive(Default)]
pub struct Rows {
    /// Settled visits.
    pub visits: Vec<VisitRow>,
    /// What is attested, by person; nothing for somebody without coverage.
    pub persons: BTreeMap<PersonId, PersonRow>,
    /// People with a numbered slot: somebody with a chronic disease or a programme.
    pub with_slots: BTreeSet<PersonId>,
    /// Visits that are not settled yet.
    pub open: BTreeMap<VisitId, VisitSubject>,
}

impl Rows {
    /// Reads the blocks of a data folder; nothing in it is changed.
    ///
    /// # Errors
    /// When a block cannot be read.
    pub fn read(data: &Path) -> Result<Self> {
        let disk = Arc::new(ReadOnlyFolder::new(&Region::node_folder(data)));
        let known = Known::default();
        let (log, _) = BlockLog::open(disk, LogLimits::default(), [0; 32], known)?;
        let mut rows = Self::default();
        for height in log.first_height()..=log.last_height() {
            let stored: StoredBlock = decode("a recorded block", &log.read(height)?)?;
            let block: Block = decode("a block", &stored.block)?;
            for transaction in &block.transactions {
                rows.take(&transaction.content)?;
            }
        }
        Ok(rows)
    }

    /// Everybody's visits.
    #[must_use]
    pub fn visits_by_person(&self) -> BTreeMap<PersonId, Vec<&VisitRow>> {
        let mut visits: BTreeMap<PersonId, Vec<&VisitRow>> = BTreeMap::new();
        for visit in &self.visits {
            visits.entry(visit.person).or_default().push(visit);
        }
        visits
    }

    fn take(&mut self, content: &Content) -> Result<()> {
        match content.kind {
            CheckIn::NUMBER => {
                let body: CheckIn = body(content)?;
                self.open.insert(body.visit, body.subject);
            }
            SettleVisit::NUMBER => {
                let body: SettleVisit = body(content)?;
                // Only the first settlement of a visit counts; a second one was refused.
                if let Some(subject) = self.open.remove(&body.visit) {
                    self.visits.push(VisitRow {
                        person: subject.person,
                        provider: subject.provider.to_string(),
                        day: subject.admitted.days(),
                        total: body.split.total.minor(),
                        is_stay: STAYS.contains(&subject.visit_type),
                    });
                }
            }
            AssignSlot::NUMBER => {
                self.with_slots.insert(body::<AssignSlot>(content)?.person);
            }
            _ => self.facts(content)?,
        }
        Ok(())
    }

    fn facts(&mut self, content: &Content) -> Result<()> {
        match content.kind {
            EnrolPerson::NUMBER => {
                self.persons.entry(body::<EnrolPerson>(content)?.person.id).or_default();
            }
            EnrolCoverage::NUMBER => {
                let body: EnrolCoverage = body(content)?;
                self.persons.insert(body.person, PersonRow::new(body.region, &body.coverage));
            }
            ImportPersons::NUMBER => {
                let body: ImportPersons = body(content)?;
                for row in body.rows {
                    let facts = row.coverage.map(|terms| PersonRow::new(body.region, &terms));
                    self.persons.insert(row.person.id, facts.unwrap_or_default());
                }
            }
            ImportCoverages::NUMBER => {
                let body: ImportCoverages = body(content)?;
                for row in body.rows {
                    self.persons.insert(row.person, PersonRow::new(body.region, &row.coverage));
                }
            }
            AttestFacts::NUMBER => {
                let body: AttestFacts = body(content)?;
                let row = PersonRow::of(body.region, u64::from(body.scheme.0), &body.facts);
                self.persons.insert(body.person, row);
            }
            MoveCoverage::NUMBER => {
                let body: MoveCoverage = body(content)?;
                let row = PersonRow::of(body.to_region, u64::from(body.scheme.0), &body.facts);
                self.persons.insert(body.person, row);
            }
            _ => {}
        }
        Ok(())
    }
}

fn body<K: Kind>(content: &Content) -> Result<K> {
    decode(K::NAME, &content.body)
}

fn decode<T: borsh::BorshDeserialize>(what: &str, bytes: &[u8]) -> Result<T> {
    codec::decode(bytes).map_err(|error| anyhow!("{what} cannot be read: {error}"))
}
