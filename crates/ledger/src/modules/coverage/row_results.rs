//! The results of a batch, row by row, as fields of its receipt.
//!
//! A row that is refused stops no other (HOUSE.md section 7.5). The fields `rows`, `accepted` and
//! `refused` count; `refused.00`, `refused.01` ... list every refused row as `ROW:CODE`, rows
//! counted from 0, codes as declared rejections, separated by one space. Every row that is not
//! listed was accepted: 500 rows fit into 20 such fields.
//!
//! The events name no person: a receipt is shown to everybody whom it concerns, and one person must
//! not learn who else was in the batch. Each finds the result in the own row.

use alloc::{format, string::String, vec::Vec};
use core::fmt::Write;
use primitives::{Party, Text};
use proof::receipt::{FIELD_TEXT_BYTES_MAX, FieldValue};

use super::rejection;
use crate::kernel::receipt::Outcome;
use crate::kernel::rejection::{Rejection, require};

/// How many rows one batch has at the most (HOUSE.md section 7.5).
pub const BATCH_ROWS_MAX: usize = 500;

/// Whether a batch has an allowed number of rows.
///
/// # Errors
/// `invalid_batch`.
pub(crate) fn check_rows(rows: usize) -> Result<(), Rejection> {
    require((1..=BATCH_ROWS_MAX).contains(&rows), || rejection::INVALID_BATCH.with(rows))
}

/// Which rows were refused, and why.
#[derive(Default)]
pub(crate) struct RowResults {
    rows: u64,
    refused: Vec<(u64, u16)>,
}

impl RowResults {
    /// Notes the result of the next row.
    pub(crate) fn note<T>(&mut self, result: &Result<T, Rejection>) {
        if let Err(rejection) = result {
            self.refused.push((self.rows, rejection.code.number));
        }
        self.rows = self.rows.saturating_add(1);
    }

    /// The outcome of the batch.
    pub(crate) fn outcome(self, event: &str, concerns: impl IntoIterator<Item = Party>) -> Outcome {
        let refused = u64::try_from(self.refused.len()).unwrap_or(u64::MAX);
        let outcome = Outcome::event(event, concerns)
            .with("rows", FieldValue::Number(self.rows))
            .with("accepted", FieldValue::Number(self.rows.saturating_sub(refused)))
            .with("refused", FieldValue::Number(refused));
        let lists = self.lists().into_iter().enumerate();
        lists.fold(outcome, |outcome, (place, list)| {
            let text = Text::new(&list).expect("a list keeps the bound and is digits and spaces");
            outcome.with(&format!("refused.{place:02}"), FieldValue::Text(text))
        })
    }

    fn lists(&self) -> Vec<String> {
        let mut lists: Vec<String> = Vec::new();
        for (row, code) in &self.refused {
            let mut entry = String::new();
            write!(entry, "{row}:{code}").expect("writing to a string does not fail");
            let with_space = entry.len().saturating_add(1);
            match lists.last_mut() {
                Some(list) if list.len().saturating_add(with_space) <= FIELD_TEXT_BYTES_MAX => {
                    list.push(' ');
                    list.push_str(&entry);
                }
                _ => lists.push(entry),
            }
        }
        lists
    }
}
