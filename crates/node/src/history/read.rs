//! Reading the history, on connections of the readers' own.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use adapters::sqlite::copy::open_to_read;
use ledger::Receipt;
use ledger::modules::visit::SettlementRecord;
use primitives::{Hash, OrganisationId, Party, VisitId, codec};
use proof::header::ValidatorSet;
use proof::receipt::OutcomeCode;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, params};

use super::{
    Handover, HistoryError, Progress, read_progress, short_of, short_of_party, short_of_visit,
    sql_number,
};
use crate::runtime::{Direction, Placed};

/// How many idle connections are kept open.
const IDLE_CONNECTIONS_MAX: usize = 8;

/// Reads a history while its one writer writes it. Any number of threads may share it.
pub struct HistoryReader {
    path: PathBuf,
    is_untouched: bool,
    idle: Mutex<Vec<Connection>>,
}

impl HistoryReader {
    /// A reader of the history at this path, which its writer has opened before.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), is_untouched: false, idle: Mutex::default() }
    }

    /// A reader of a history that it leaves exactly as it is, whether a node writes it or not.
    #[must_use]
    pub fn untouched(path: &Path) -> Self {
        Self { is_untouched: true, ..Self::new(path) }
    }

    /// How far the history is.
    ///
    /// # Errors
    /// A failing database.
    pub fn progress(&self) -> Result<Progress, HistoryError> {
        self.with(read_progress)
    }

    /// The receipt at this position of the receipt log, if it was written.
    ///
    /// # Errors
    /// A failing database, or a receipt that is not the one that was written.
    pub fn receipt_at(&self, index: u64) -> Result<Option<Arc<Receipt>>, HistoryError> {
        let bytes = self.with(|connection| {
            connection
                .prepare_cached("SELECT bytes FROM receipt WHERE receipt_index = ?1")?
                .query_row([sql_number(index)], |row| row.get::<_, Vec<u8>>(0))
                .optional()
        })?;
        bytes.map(|bytes| decode((index, bytes)).map(|placed| placed.receipt)).transpose()
    }

    /// The receipt of a transaction: the one that accepted it, else its last rejection.
    ///
    /// # Errors
    /// As [`HistoryReader::receipt_at`].
    pub fn receipt_by_transaction(&self, id: &Hash) -> Result<Option<Placed>, HistoryError> {
        let rows = self.with(|connection| {
            connection
                .prepare_cached(
                    "SELECT receipt.receipt_index, bytes FROM by_transaction
                     JOIN receipt USING (receipt_index) WHERE short_id = ?1
                     ORDER BY receipt_index DESC LIMIT 64",
                )?
                .query_map([short_of(id)], row_of)?
                .collect::<rusqlite::Result<Vec<_>>>()
        })?;
        let mut last = None;
        for row in rows {
            let placed = decode(row)?;
            if placed.receipt.record.transaction_id != *id {
                continue;
            }
            if placed.receipt.record.outcome == OutcomeCode::Accepted {
                return Ok(Some(placed));
            }
            last = last.or(Some(placed));
        }
        Ok(last)
    }

    /// The validators with this hash, if a block named them.
    ///
    /// # Errors
    /// As [`HistoryReader::receipt_at`].
    pub fn validators(&self, hash: &Hash) -> Result<Option<ValidatorSet>, HistoryError> {
        let bytes: Option<Vec<u8>> = self.with(|connection| {
            connection
                .prepare_cached("SELECT bytes FROM validators WHERE hash = ?1")?
                .query_row([&hash.0[..]], |row| row.get(0))
                .optional()
        })?;
        let set = bytes.and_then(|bytes| codec::decode::<ValidatorSet>(&bytes).ok());
        Ok(set.filter(|set| set.hash() == *hash))
    }

    /// The blocks behind this height after which others certified, oldest first.
    ///
    /// # Errors
    /// As [`HistoryReader::receipt_at`].
    pub fn handovers(&self, behind: u64, limit: usize) -> Result<Vec<Handover>, HistoryError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = self.with(|connection| {
            connection
                .prepare_cached(
                    "SELECT bytes FROM handover WHERE height > ?1 ORDER BY height LIMIT ?2",
                )?
                .query_map(params![sql_number(behind), limit], |row| row.get::<_, Vec<u8>>(0))?
                .collect::<rusqlite::Result<Vec<_>>>()
        })?;
        // What does not decode convinces nobody either.
        Ok(rows.iter().filter_map(|bytes| codec::decode(bytes).ok()).collect())
    }

    /// The settlement of a visit that its last settling, refund or correction brought into force.
    ///
    /// # Errors
    /// As [`HistoryReader::receipt_at`].
    pub fn settlement(&self, visit: VisitId) -> Result<Option<SettlementRecord>, HistoryError> {
        let rows = self.with(|connection| {
            connection
                .prepare_cached(
                    "SELECT receipt.receipt_index, bytes FROM by_settled_visit
                     JOIN receipt USING (receipt_index) WHERE short_id = ?1
                     ORDER BY receipt_index DESC LIMIT 64",
                )?
                .query_map([short_of_visit(visit)], row_of)?
                .collect::<rusqlite::Result<Vec<_>>>()
        })?;
        for row in rows {
            let record = SettlementRecord::in_receipt(&decode(row)?.receipt);
            if record.as_ref().is_some_and(|record| record.visit == visit) {
                return Ok(record);
            }
        }
        Ok(None)
    }

    /// Receipts that concern the party: those behind `from` in this direction, at most `limit`.
    ///
    /// # Errors
    /// As [`HistoryReader::receipt_at`].
    pub fn receipts_of(
        &self,
        party: &Party,
        direction: Direction,
        from: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Placed>, HistoryError> {
        let sql = match direction {
            Direction::OldestFirst => {
                "SELECT receipt.receipt_index, bytes FROM by_party JOIN receipt USING (receipt_index)
                 WHERE short_id = ?1 AND receipt_index > ?2 ORDER BY receipt_index LIMIT ?3"
            }
            Direction::NewestFirst => {
                "SELECT receipt.receipt_index, bytes FROM by_party JOIN receipt USING (receipt_index)
                 WHERE short_id = ?1 AND receipt_index < ?2 ORDER BY receipt_index DESC LIMIT ?3"
            }
        };
        let mut from = direction.start(from);
        let mut found = Vec::new();
        // Another party may share the short id; then a page comes out short and is filled up.
        while found.len() < limit {
            let missing = limit - found.len();
            let rows = self.rows(sql, short_of_party(party), from, missing)?;
            let is_last = rows.len() < missing;
            for row in rows {
                from = sql_number(row.0);
                let placed = decode(row)?;
                if placed.receipt.concerns.binary_search(party).is_ok() {
                    found.push(placed);
                }
            }
            if is_last {
                break;
            }
        }
        Ok(found)
    }

    /// Receipts with an effect that this organisation executes, from position `from` on, oldest
    /// first, at most `limit` of them looked at.
    ///
    /// # Errors
    /// As [`HistoryReader::receipt_at`].
    pub fn receipts_with_effects_of(
        &self,
        executor: OrganisationId,
        from: u64,
        limit: usize,
    ) -> Result<Vec<Placed>, HistoryError> {
        let sql = "SELECT receipt.receipt_index, bytes FROM by_executor
                   JOIN receipt USING (receipt_index)
                   WHERE short_id = ?1 AND receipt_index >= ?2 ORDER BY receipt_index LIMIT ?3";
        let short = short_of_party(&Party::Organisation(executor));
        self.rows(sql, short, sql_number(from), limit)?.into_iter().map(decode).collect()
    }

    fn rows(
        &self,
        sql: &str,
        short: i64,
        from: i64,
        limit: usize,
    ) -> Result<Vec<(u64, Vec<u8>)>, HistoryError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.with(|connection| {
            connection
                .prepare_cached(sql)?
                .query_map(params![short, from, limit], row_of)?
                .collect::<rusqlite::Result<Vec<_>>>()
        })
    }

    fn with<T>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, HistoryError> {
        let fail = |cause| HistoryError::Database { path: self.path.clone(), cause };
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => self.connect().map_err(fail)?,
        };
        let value = read(&connection).map_err(fail)?;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_CONNECTIONS_MAX {
            idle.push(connection);
        }
        Ok(value)
    }

    fn connect(&self) -> rusqlite::Result<Connection> {
        if self.is_untouched {
            return open_to_read(&self.path);
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        Ok(connection)
    }
}

fn row_of(row: &Row<'_>) -> rusqlite::Result<(u64, Vec<u8>)> {
    Ok((row.get::<_, i64>(0)?.unsigned_abs(), row.get(1)?))
}

fn decode((index, bytes): (u64, Vec<u8>)) -> Result<Placed, HistoryError> {
    let damaged = || HistoryError::Damaged(index);
    let bytes = super::without_sum(index, &bytes).ok_or_else(damaged)?;
    let receipt = codec::decode(bytes).map_err(|_| damaged())?;
    Ok(Placed { index, receipt: Arc::new(receipt) })
}
