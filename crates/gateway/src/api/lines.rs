//! Lists that the bureau's offices write: lines of cells, each read by itself, and the rows of a
//! batch that the ledger refused.

use benefit::{PersonClass, PersonClasses, Sex};
use ledger::{Receipt, Rejection};
use primitives::detail;
use proof::receipt::FieldValue;
use schemars::JsonSchema;
use serde::Serialize;

use crate::call::Call;
use crate::problem::{Problem, code, foreign};

/// The most lines that are read at once: as many as a transaction takes.
pub const LINES_MAX: usize = 500;

/// What stands in the way, in the reader's language.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct LineProblem {
    /// The stable name.
    pub code: String,
    /// The cell that is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What is true.
    pub title: String,
    /// What is true in this case.
    pub detail: String,
    /// What to do.
    pub remedy: String,
}

impl LineProblem {
    /// A problem in the words of the one who asks.
    pub(crate) fn of(call: &Call, problem: &Problem) -> Self {
        let told = problem.document(call.language, "");
        let (field, detail) = (told.field, told.detail);
        Self { code: told.code, field, title: told.title, detail, remedy: told.remedy }
    }
}

/// A row that was refused.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RefusedRow {
    /// Which one of the transaction; the first is 0.
    pub row: u32,
    /// Why, and what to do.
    pub problem: LineProblem,
}

/// The rows that a receipt says were refused.
pub(crate) fn refused_rows(call: &Call, receipt: &Receipt) -> Vec<RefusedRow> {
    let registry = call.gateway.port.chain().registry();
    let lists = receipt.fields.iter().filter(|one| one.name.starts_with("refused."));
    let texts = lists.filter_map(|one| match &one.value {
        FieldValue::Text(text) => Some(&**text),
        _ => None,
    });
    let entries = texts.flat_map(|text| text.split(' ')).filter_map(|entry| entry.split_once(':'));
    let rows = entries.filter_map(|(row, number)| {
        let code = registry.rejection(number.parse().ok()?)?;
        let problem = Problem::rejected(&Rejection { code: *code, detail: None });
        Some(RefusedRow { row: row.parse().ok()?, problem: LineProblem::of(call, &problem) })
    });
    rows.collect()
}

/// Whether a list has an allowed number of lines.
pub(crate) fn require_count(lines: usize) -> Result<(), Problem> {
    if (1..=LINES_MAX).contains(&lines) {
        return Ok(());
    }
    let words = detail!("send 1 to {max} lines", max = LINES_MAX);
    Err(Problem::new(&code::FIELD_INVALID).at("lines").with(words))
}

/// A cell, nothing when it is empty.
pub(crate) fn cell<T: std::str::FromStr>(field: &str, text: &str) -> Result<Option<T>, Problem>
where
    T::Err: ToString,
{
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|error: T::Err| {
        Problem::new(&code::FIELD_INVALID).at(field).with(foreign::text(&error.to_string()))
    })
}

/// The classes of the cell `person_classes`, nothing when it is empty.
pub(crate) fn classes(text: &str) -> Result<Option<PersonClasses>, Problem> {
    let words = text.split([' ', ';', '|']).filter(|word| !word.is_empty());
    let read: Result<Vec<PersonClass>, Problem> = words
        .map(|word| {
            serde_json::from_value(word.into()).map_err(|error| {
                Problem::new(&code::FIELD_INVALID).at("person_classes").with(foreign::json(&error))
            })
        })
        .collect();
    Ok(Some(read?).filter(|read| !read.is_empty()).map(|read| read.into_iter().collect()))
}

/// The seventeenth digit of a citizen's number is odd for men.
pub(crate) fn sex_of(number: &str) -> Sex {
    match number.chars().nth(16).and_then(|digit| digit.to_digit(10)) {
        Some(digit) if digit.is_multiple_of(2) => Sex::Female,
        Some(_) => Sex::Male,
        None => Sex::Unstated,
    }
}
