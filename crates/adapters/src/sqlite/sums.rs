//! A sum over the rows of each table, kept by triggers with every write and compared when the books
//! are opened: SQLite itself does not notice a turned bit in an amount.
//!
//! The sum is the exclusive or of the rows' hashes, so a write costs the rows that it changes. It
//! is against failing disks, not against people: who may write the file may write its sums. Opening
//! reads all rows, about a million a second.
//!
//! Invariant: rows that a program wrote are the rows that the next one reads, or the file is named
//! (test `a_turned_bit_is_without_effect_or_named_with_its_file`).

use primitives::sha256;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension as _, params};

/// A sum or the hash of a row.
type Sum = [u8; 32];

/// Keeps sums in a file that has none yet, else compares; what is wrong, if something is.
pub(super) fn keep_and_check(connection: &mut Connection) -> rusqlite::Result<Option<String>> {
    register(connection)?;
    let words: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if words != "ok" {
        return Ok(Some(words));
    }
    let is_there = "SELECT 1 FROM sqlite_schema WHERE name = 'row_sum'";
    let is_new = connection.query_row(is_there, [], |_| Ok(())).optional()?.is_none();
    if is_new {
        keep(connection)?;
    }
    for table in tables(connection)? {
        let kept: Option<Sum> = connection
            .query_row("SELECT sum FROM row_sum WHERE name = ?1", [&table], |row| row.get(0))
            .optional()?;
        if kept != Some(sum_of(connection, &table)?) {
            return Ok(Some(format!(
                "the rows of its table `{table}` are not those that were written"
            )));
        }
    }
    Ok(None)
}

/// `row_sum_with(sum, table, value, ...)`: the sum with this row in it, or without it if it was.
fn register(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function("row_sum_with", -1, flags, |context| {
        let sum: Sum = context.get(0)?;
        let row = (1..context.len()).map(|place| context.get_raw(place));
        Ok(with(sum, row_hash(row)).to_vec())
    })
}

fn with(sum: Sum, row: Sum) -> Sum {
    let mut next = sum;
    next.iter_mut().zip(row).for_each(|(byte, other)| *byte ^= other);
    next
}

fn row_hash<'a>(values: impl Iterator<Item = ValueRef<'a>>) -> Sum {
    let mut bytes = Vec::new();
    for value in values {
        let (kind, value) = match value {
            ValueRef::Null => (0, Vec::new()),
            ValueRef::Integer(number) => (1, number.to_le_bytes().to_vec()),
            ValueRef::Real(number) => (2, number.to_bits().to_le_bytes().to_vec()),
            ValueRef::Text(text) => (3, text.to_vec()),
            ValueRef::Blob(blob) => (4, blob.to_vec()),
        };
        bytes.push(kind);
        bytes.extend(u64::try_from(value.len()).unwrap_or(u64::MAX).to_le_bytes());
        bytes.extend(value);
    }
    sha256(&bytes).0
}

fn tables(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut tables = connection.prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
         AND name <> 'row_sum' ORDER BY name",
    )?;
    tables.query_map([], |row| row.get(0))?.collect()
}

fn columns(connection: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let mut columns = connection.prepare("SELECT name FROM pragma_table_info(?1) ORDER BY cid")?;
    columns.query_map([table], |row| row.get(0))?.collect()
}

fn sum_of(connection: &Connection, table: &str) -> rusqlite::Result<Sum> {
    let columns = columns(connection, table)?;
    let list: Vec<String> = columns.iter().map(|one| format!("\"{one}\"")).collect();
    let mut rows = connection.prepare(&format!("SELECT {} FROM \"{table}\"", list.join(", ")))?;
    let mut rows = rows.query([])?;
    let mut sum = Sum::default();
    while let Some(row) = rows.next()? {
        let mut values = vec![ValueRef::Text(table.as_bytes())];
        for place in 0..columns.len() {
            values.push(row.get_ref(place)?);
        }
        sum = with(sum, row_hash(values.into_iter()));
    }
    Ok(sum)
}

/// Makes the sums of all tables, and the triggers that keep them.
fn keep(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    transaction.execute_batch(
        "CREATE TABLE row_sum (name TEXT PRIMARY KEY, sum BLOB NOT NULL) STRICT, WITHOUT ROWID",
    )?;
    for table in tables(&transaction)? {
        let sum = sum_of(&transaction, &table)?;
        transaction.execute("INSERT INTO row_sum VALUES (?1, ?2)", params![table, &sum[..]])?;
        let columns = columns(&transaction, &table)?;
        let add = |row: &str| {
            let values: Vec<_> = columns.iter().map(|one| format!("{row}.\"{one}\"")).collect();
            let values = values.join(", ");
            format!(
                "UPDATE row_sum SET sum = row_sum_with(sum, '{table}', {values}) \
                 WHERE name = '{table}';"
            )
        };
        let (new, old) = (add("NEW"), add("OLD"));
        for (event, steps) in
            [("insert", new.clone()), ("delete", old.clone()), ("update", format!("{old} {new}"))]
        {
            transaction.execute_batch(&format!(
                "CREATE TRIGGER \"{table} row_sum {event}\" AFTER {event} ON \"{table}\" \
                 BEGIN {steps} END"
            ))?;
        }
    }
    transaction.commit()
}
