//! Receipts by position, by transaction and by the parties whom they concern, and the sets of
//! validators that there were, in SQLite.
//!
//! Nothing here is the truth: everything can be made again from the block log, and is, when the
//! file is missing, of another version, or of another ledger. But it is written after the blocks,
//! so one of the same ledger that has more of them shows that blocks were lost. A follower writes
//! behind the ledger, off its path; readers use connections of their own and never wait for the
//! writer.
//!
//! Reading order: this file (writing), [`read`] (reading), [`recent`] (what is not written yet).

pub mod read;
pub mod recent;

use std::fs;
use std::path::{Path, PathBuf};

use borsh::{BorshDeserialize, BorshSerialize};
use ledger::Receipt;
use ledger::modules::visit::SettlementRecord;
use primitives::{Hash, Party, VisitId, codec, sha256};
use proof::header::{Certificate, Header, ValidatorSet};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

pub use read::HistoryReader;
pub use recent::Recent;

/// Written into the file's header: another number is another kind of file.
const APPLICATION_ID: i32 = 0x7962_6879;
/// The form of the tables; a file of another form is made anew.
const FORM: i32 = 7;

/// How much of the file the writer keeps in memory: without it each index entry, at a random place,
/// reads and writes a page.
const CACHE_KIB: i64 = 32 * 1_024;
/// How many pages the log beside the file holds before they are moved into it: pages that change
/// often are moved once instead of many times.
const WAL_PAGES: i64 = 8_192;

const TABLES: &str = "
    CREATE TABLE progress (
        only_row       INTEGER PRIMARY KEY CHECK (only_row = 1),
        genesis        BLOB NOT NULL,
        height         INTEGER NOT NULL,
        value_id       BLOB NOT NULL,
        receipts       INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE receipt (
        receipt_index  INTEGER PRIMARY KEY,
        bytes          BLOB NOT NULL
    ) STRICT;
    CREATE TABLE by_transaction (
        short_id       INTEGER NOT NULL,
        receipt_index  INTEGER NOT NULL,
        PRIMARY KEY (short_id, receipt_index)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE by_party (
        short_id       INTEGER NOT NULL,
        receipt_index  INTEGER NOT NULL,
        PRIMARY KEY (short_id, receipt_index)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE by_executor (
        short_id       INTEGER NOT NULL,
        receipt_index  INTEGER NOT NULL,
        PRIMARY KEY (short_id, receipt_index)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE by_settled_visit (
        short_id       INTEGER NOT NULL,
        receipt_index  INTEGER NOT NULL,
        PRIMARY KEY (short_id, receipt_index)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE validators (
        hash           BLOB PRIMARY KEY,
        bytes          BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE handover (
        height         INTEGER PRIMARY KEY,
        bytes          BLOB NOT NULL
    ) STRICT;
";

/// Why the history could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The database failed.
    #[error("the history `{}` failed: {cause}; when the disk is in order, delete the file and it \
             is made anew from the block log", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        #[source]
        cause: rusqlite::Error,
    },
    /// The file or its folder could not be made anew.
    #[error("the history `{}` cannot be made: {cause}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        cause: std::io::Error,
    },
    /// A receipt in it is not the one that was written.
    #[error(
        "receipt {0} in the history is damaged; stop the node, delete the history and start again"
    )]
    Damaged(u64),
    /// A block was to be written that does not follow the last one.
    #[error("block {height} does not follow the history, which ends at {last}")]
    Gap {
        /// The block to be written.
        height: u64,
        /// The last one written.
        last: u64,
    },
}

/// How far the history is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The hash of the genesis of the ledger that it is of ([`ledger::Genesis::hash`]).
    pub genesis: Hash,
    /// The last block whose receipts are in it; 0 for none.
    pub height: u64,
    /// That block's value id.
    pub value_id: Hash,
    /// How many receipts are in it.
    pub receipts: u64,
}

/// What the history takes from one block.
#[derive(Clone, Copy)]
pub struct BlockReceipts<'a> {
    /// The block's height.
    pub height: u64,
    /// Its value id.
    pub value_id: Hash,
    /// Its receipts in their order.
    pub receipts: &'a [std::sync::Arc<Receipt>],
    /// The block itself, if others certify from the next one on.
    pub handover: Option<&'a Handover>,
}

/// The block after which others certify: whoever knows who certified it knows them.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Handover {
    /// Its header.
    pub header: Header,
    /// What made it final.
    pub certificate: Certificate,
    /// Who certifies from the next block on.
    pub validators: ValidatorSet,
}

/// The one writer of a history.
pub struct History {
    connection: Connection,
    path: PathBuf,
    progress: Progress,
    was_of_another_ledger: bool,
}

impl History {
    /// Opens the history of the ledger with this genesis. A file of another form is removed and
    /// made anew; what another ledger left in it is forgotten.
    ///
    /// # Errors
    /// When the file cannot be opened, read or replaced.
    pub fn open(path: &Path, genesis: Hash) -> Result<Self, HistoryError> {
        let fail = |cause| HistoryError::Database { path: path.to_owned(), cause };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)
                .map_err(|cause| HistoryError::File { path: folder.to_owned(), cause })?;
        }
        let connection = match prepare(path) {
            Ok(Some(connection)) => connection,
            Ok(None) => {
                remove(path)?;
                prepare(path).map_err(fail)?.ok_or_else(|| fail(rusqlite::Error::InvalidQuery))?
            }
            Err(cause) if is_no_database(&cause) => {
                remove(path)?;
                prepare(path).map_err(fail)?.ok_or_else(|| fail(rusqlite::Error::InvalidQuery))?
            }
            Err(cause) => return Err(fail(cause)),
        };
        let progress = read_progress(&connection).map_err(fail)?;
        let path = path.to_owned();
        let mut history = Self { connection, path, progress, was_of_another_ledger: false };
        if progress.height > 0 && progress.genesis != genesis {
            history.clear()?;
            history.was_of_another_ledger = true;
        }
        history.progress.genesis = genesis;
        Ok(history)
    }

    /// Removes the file of a history that is of no use.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn remove(path: &Path) -> Result<(), HistoryError> {
        remove(path)
    }

    /// Whether the file held the history of another ledger when it was opened.
    #[must_use]
    pub const fn was_of_another_ledger(&self) -> bool {
        self.was_of_another_ledger
    }

    /// How far it is.
    #[must_use]
    pub const fn progress(&self) -> Progress {
        self.progress
    }

    /// Takes in the receipts of the next blocks, all in one commit.
    ///
    /// # Errors
    /// A block that does not follow, or a failing database; then nothing of it is kept.
    pub fn append(&mut self, blocks: &[BlockReceipts<'_>]) -> Result<(), HistoryError> {
        let mut progress = self.progress;
        for block in blocks {
            if progress.height.checked_add(1) != Some(block.height) {
                return Err(HistoryError::Gap { height: block.height, last: progress.height });
            }
            progress.height = block.height;
            progress.value_id = block.value_id;
        }
        let first = self.progress.receipts;
        let receipts = blocks.iter().flat_map(|block| block.receipts);
        let written = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .and_then(|tx| {
                progress.receipts = insert(&tx, first, receipts)?;
                let handovers = blocks.iter().filter_map(|block| block.handover);
                handovers.into_iter().try_for_each(|one| insert_handover(&tx, one))?;
                write_progress(&tx, &progress)?;
                tx.commit()
            });
        written.map_err(|cause| HistoryError::Database { path: self.path.clone(), cause })?;
        self.progress = progress;
        Ok(())
    }

    /// Begins behind a block whose receipts and those before it are not here: a node that started
    /// from the state of another. `handovers` are those up to this block.
    ///
    /// # Errors
    /// A failing database; then nothing of it is kept.
    pub fn begin(&mut self, at: Progress, handovers: &[Handover]) -> Result<(), HistoryError> {
        self.clear()?;
        let written = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .and_then(|tx| {
                handovers.iter().try_for_each(|one| insert_handover(&tx, one))?;
                write_progress(&tx, &at)?;
                tx.commit()
            });
        written.map_err(|cause| HistoryError::Database { path: self.path.clone(), cause })?;
        self.progress = at;
        Ok(())
    }

    /// Makes everything taken in so far survive a loss of power; `false` when a reader was in the
    /// way all the time. A commit alone survives only the end of the process, which is enough for
    /// what can be made again.
    ///
    /// # Errors
    /// A failing database.
    pub fn make_durable(&mut self) -> Result<bool, HistoryError> {
        let checkpoint = self.connection.query_row("PRAGMA wal_checkpoint(FULL)", [], |row| {
            // Whether it was blocked, pages in the log, pages of them written into the database.
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
        });
        let (blocked, pages, written) = checkpoint
            .map_err(|cause| HistoryError::Database { path: self.path.clone(), cause })?;
        Ok(blocked == 0 && pages == written)
    }

    /// Forgets everything, so that it is made again from the first block.
    ///
    /// # Errors
    /// A failing database.
    pub fn clear(&mut self) -> Result<(), HistoryError> {
        self.connection
            .execute_batch(
                "BEGIN IMMEDIATE; DELETE FROM progress; DELETE FROM receipt;
                 DELETE FROM by_transaction; DELETE FROM by_party; DELETE FROM by_executor;
                 DELETE FROM by_settled_visit; DELETE FROM validators; DELETE FROM handover;
                 COMMIT;",
            )
            .map_err(|cause| HistoryError::Database { path: self.path.clone(), cause })?;
        self.progress = Progress { genesis: self.progress.genesis, ..Progress::default() };
        Ok(())
    }
}

/// `None` when the file is of another kind or form.
fn prepare(path: &Path) -> rusqlite::Result<Option<Connection>> {
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.pragma_update(None, "wal_autocheckpoint", WAL_PAGES)?;
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let id: i32 = tx.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let form: i32 = tx.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let tables: i64 = tx.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if (id, form) == (0, 0) && tables == 0 {
        tx.execute_batch(TABLES)?;
        tx.pragma_update(None, "application_id", APPLICATION_ID)?;
        tx.pragma_update(None, "user_version", FORM)?;
    } else if (id, form) != (APPLICATION_ID, FORM) {
        return Ok(None);
    }
    tx.commit()?;
    Ok(Some(connection))
}

fn is_no_database(cause: &rusqlite::Error) -> bool {
    let code = cause.sqlite_error_code();
    matches!(code, Some(rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::DatabaseCorrupt))
}

fn remove(path: &Path) -> Result<(), HistoryError> {
    for name in ["", "-wal", "-shm"].map(|suffix| with_suffix(path, suffix)) {
        match fs::remove_file(&name) {
            Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
                return Err(HistoryError::File { path: name, cause });
            }
            _ => {}
        }
    }
    Ok(())
}

/// A file that SQLite keeps beside a database.
fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn read_progress(connection: &Connection) -> rusqlite::Result<Progress> {
    let row = connection
        .prepare_cached("SELECT genesis, height, value_id, receipts FROM progress")?
        .query_row([], |row| {
            let (genesis, value_id): ([u8; 32], [u8; 32]) = (row.get(0)?, row.get(2)?);
            let (height, receipts): (i64, i64) = (row.get(1)?, row.get(3)?);
            Ok(Progress {
                genesis: Hash(genesis),
                height: height.unsigned_abs(),
                value_id: Hash(value_id),
                receipts: receipts.unsigned_abs(),
            })
        })
        .optional()?;
    Ok(row.unwrap_or_default())
}

fn write_progress(tx: &Transaction<'_>, progress: &Progress) -> rusqlite::Result<()> {
    let Progress { genesis, height, value_id, receipts } = progress;
    let (height, receipts) = (sql_number(*height), sql_number(*receipts));
    tx.prepare_cached("INSERT OR REPLACE INTO progress VALUES (1, ?1, ?2, ?3, ?4)")?
        .execute(params![&genesis.0[..], height, &value_id.0[..], receipts])?;
    Ok(())
}

fn insert_handover(tx: &Transaction<'_>, handover: &Handover) -> rusqlite::Result<()> {
    let set = &handover.validators;
    tx.prepare_cached("INSERT OR IGNORE INTO validators VALUES (?1, ?2)")?
        .execute(params![&set.hash().0[..], codec::encode(set)])?;
    tx.prepare_cached("INSERT OR IGNORE INTO handover VALUES (?1, ?2)")?
        .execute(params![sql_number(handover.header.height), codec::encode(handover)])?;
    Ok(())
}

/// Inserts receipts from position `first` on; the position behind the last one.
fn insert<'a>(
    tx: &Transaction<'_>,
    first: u64,
    receipts: impl Iterator<Item = &'a std::sync::Arc<Receipt>>,
) -> rusqlite::Result<u64> {
    let mut insert_receipt = tx.prepare_cached("INSERT INTO receipt VALUES (?1, ?2)")?;
    let mut by_transaction = Vec::new();
    let mut by_party = Vec::new();
    let mut by_executor = Vec::new();
    let mut by_visit = Vec::new();
    let mut index = first;
    for receipt in receipts {
        let at = sql_number(index);
        insert_receipt.execute(params![at, with_sum(index, codec::encode(&**receipt))])?;
        by_transaction.push([short_of(&receipt.record.transaction_id), at]);
        by_party.extend(receipt.concerns.iter().map(|party| [short_of_party(party), at]));
        let executors = receipt.effects.iter().map(|effect| effect.executor);
        by_executor.extend(executors.map(|one| [short_of_party(&Party::Organisation(one)), at]));
        if let Some(visit) = visit_settled_in(receipt) {
            by_visit.push([short_of_visit(visit), at]);
        }
        index += 1;
    }
    insert_sorted(tx, "INSERT OR IGNORE INTO by_transaction VALUES (?1, ?2)", by_transaction)?;
    insert_sorted(tx, "INSERT OR IGNORE INTO by_party VALUES (?1, ?2)", by_party)?;
    insert_sorted(tx, "INSERT OR IGNORE INTO by_executor VALUES (?1, ?2)", by_executor)?;
    insert_sorted(tx, "INSERT OR IGNORE INTO by_settled_visit VALUES (?1, ?2)", by_visit)?;
    Ok(index)
}

/// How long the sum behind a receipt is, in bytes.
const SUM_BYTES: usize = 8;

/// A receipt's bytes as the file keeps them: SQLite does not notice a turned bit in a value.
fn with_sum(index: u64, mut bytes: Vec<u8>) -> Vec<u8> {
    let sum = sum_of(index, &bytes);
    bytes.extend_from_slice(&sum);
    bytes
}

/// The bytes without their sum, if they are those that were written at this position.
fn without_sum(index: u64, bytes: &[u8]) -> Option<&[u8]> {
    let (bytes, sum) = bytes.split_last_chunk::<SUM_BYTES>()?;
    (sum_of(index, bytes) == *sum).then_some(bytes)
}

fn sum_of(index: u64, bytes: &[u8]) -> [u8; SUM_BYTES] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&index.to_le_bytes()).update(bytes);
    let mut sum = [0; SUM_BYTES];
    hasher.finalize_xof().fill(&mut sum);
    sum
}

/// Inserts the entries of an index in its order, so that those of one page come together.
fn insert_sorted(tx: &Transaction<'_>, sql: &str, mut rows: Vec<[i64; 2]>) -> rusqlite::Result<()> {
    rows.sort_unstable();
    let mut insert = tx.prepare_cached(sql)?;
    for row in rows {
        insert.execute(row)?;
    }
    Ok(())
}

/// SQLite has signed integers only; heights and positions stay far below 2^63.
fn sql_number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Eight bytes of a hash: a small index key. Readers compare the whole id afterwards, so that two
/// ids which share them cost a look and nothing else.
fn short_of(hash: &Hash) -> i64 {
    let [a, b, c, d, e, f, g, h, ..] = hash.0;
    i64::from_be_bytes([a, b, c, d, e, f, g, h])
}

fn short_of_visit(visit: VisitId) -> i64 {
    let [a, b, c, d, e, f, g, h, ..] = visit.0;
    i64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// The visit of [`SettlementRecord::in_receipt`], without decoding the rest of the record.
fn visit_settled_in(receipt: &Receipt) -> Option<VisitId> {
    SettlementRecord::visit_in(&receipt.witness)
}

fn short_of_party(party: &Party) -> i64 {
    short_of(&sha256(&codec::encode(party)))
}
