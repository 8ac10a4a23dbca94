//! Whom a desk received: on whose word it knew who stands there, and which visit it opened. What
//! the visit is about, and whether it is open, stands on the ledger and not here.

use primitives::{Hash, OrganisationId, PersonId, Timestamp, VisitId};
use rusqlite::{OptionalExtension as _, Row, params};

use super::{Directory, DirectoryError};
use crate::sqlite::Sql;

/// For how long it is known who stood at a desk before a visit is opened, in milliseconds: a day.
const SEEN_MILLIS: u64 = 24 * 3_600_000;
/// How many visits of a provider are kept; the oldest give way.
const VISITS_MAX: u32 = 2_000;

/// Somebody whom a desk received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reception {
    /// The visit that was opened.
    pub visit: VisitId,
    /// Who.
    pub person: PersonId,
    /// The relative on whose phone the code was shown.
    pub shown_by: Option<PersonId>,
    /// When.
    pub received: Timestamp,
    /// Whether a desk of the provider saw a code or card for it.
    pub is_seen: bool,
}

/// Who stands at a desk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen<'a> {
    /// Whose desk.
    pub provider: &'a OrganisationId,
    /// Who.
    pub person: PersonId,
    /// The relative on whose phone the code was shown.
    pub shown_by: Option<PersonId>,
    /// What a check-in says of it.
    pub evidence: Hash,
}

fn read(row: &Row<'_>) -> rusqlite::Result<Reception> {
    Ok(Reception {
        visit: VisitId(row.get("visit")?),
        person: PersonId(row.get("person")?),
        shown_by: row.get::<_, Option<[u8; 16]>>("shown_by")?.map(PersonId),
        received: row.get::<_, Sql<Timestamp>>("received")?.0,
        // Where nobody was seen, the visit's id stands in the place of what was shown.
        is_seen: row.get_ref("evidence")? != row.get_ref("visit")?,
    })
}

impl Directory {
    /// Notes who stands at a desk; forgotten after a day when no visit was opened.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn note_seen(&self, seen: &Seen<'_>, now: Timestamp) -> Result<(), DirectoryError> {
        let forgotten = Timestamp::from_millis(now.millis().saturating_sub(SEEN_MILLIS));
        Ok(self.database.write(|tx| {
            let sql = "DELETE FROM reception WHERE visit IS NULL AND received < ?1";
            tx.execute(sql, params![Sql(forgotten)])?;
            let sql = "INSERT OR REPLACE INTO reception
                       (evidence, provider, person, shown_by, received)
                       VALUES (?1, ?2, ?3, ?4, ?5)";
            let shown_by = seen.shown_by.map(|payer| payer.0);
            let values = params![
                Sql(seen.evidence),
                seen.provider.as_str(),
                seen.person.0,
                shown_by,
                Sql(now)
            ];
            tx.execute(sql, values).map(|_| ())
        })?)
    }

    /// Notes the visit that a desk opened for somebody whom it saw; the oldest visits of the
    /// provider give way.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn note_received(
        &self,
        visit: VisitId,
        seen: &Seen<'_>,
        now: Timestamp,
    ) -> Result<(), DirectoryError> {
        Ok(self.database.write(|tx| {
            let provider = seen.provider.as_str();
            let sql = "UPDATE OR IGNORE reception SET visit = ?1, received = ?2
                       WHERE evidence = ?3 AND provider = ?4 AND person = ?5 AND visit IS NULL";
            let values = params![visit.0, Sql(now), Sql(seen.evidence), provider, seen.person.0];
            if tx.execute(sql, values)? == 0 {
                // Nobody was seen here: the visit's id takes the place of what was shown.
                let sql = "INSERT OR IGNORE INTO reception
                           (evidence, provider, person, received, visit)
                           VALUES (?1, ?2, ?3, ?4, ?1)";
                tx.execute(sql, params![visit.0, provider, seen.person.0, Sql(now)])?;
            }
            let sql = "DELETE FROM reception WHERE provider = ?1 AND visit IN
                       (SELECT visit FROM reception WHERE provider = ?1 AND visit IS NOT NULL
                        ORDER BY received DESC LIMIT -1 OFFSET ?2)";
            tx.execute(sql, params![provider, VISITS_MAX]).map(|_| ())
        })?)
    }

    /// How a desk received somebody for this visit.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn reception(&self, visit: VisitId) -> Result<Option<Reception>, DirectoryError> {
        Ok(self.database.read(|connection| {
            connection
                .prepare_cached("SELECT * FROM reception WHERE visit = ?1")?
                .query_row(params![visit.0], read)
                .optional()
        })?)
    }

    /// The visits that a provider's desks opened, the newest first.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn receptions(&self, provider: &OrganisationId) -> Result<Vec<Reception>, DirectoryError> {
        Ok(self.database.read(|connection| {
            let sql = "SELECT * FROM reception WHERE provider = ?1 AND visit IS NOT NULL
                       ORDER BY received DESC, visit";
            let mut all = connection.prepare_cached(sql)?;
            all.query_map(params![provider.as_str()], read)?.collect()
        })?)
    }

    /// Forgets visits that are open no more.
    ///
    /// # Errors
    /// When the directory fails.
    pub fn forget_receptions(&self, visits: &[VisitId]) -> Result<(), DirectoryError> {
        if visits.is_empty() {
            return Ok(());
        }
        Ok(self.database.write(|tx| {
            let mut one = tx.prepare_cached("DELETE FROM reception WHERE visit = ?1")?;
            visits.iter().try_for_each(|visit| one.execute(params![visit.0]).map(|_| ()))
        })?)
    }
}
