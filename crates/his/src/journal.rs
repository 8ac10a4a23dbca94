//! What a workplace wrote down, on the disk before it is needed: a line of JSON for each message
//! that goes out, each answer and each booking. Patients' particulars are in it: only its owner
//! may read it.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::HisError;
use crate::book::Booking;
use crate::message::Message;

#[derive(Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
enum Row {
    Sent { step: String, msgid: String, body: String },
    Answered { step: String, answer: String },
    Booked { step: String, booking: Box<Booking> },
}

/// A step that was begun.
#[derive(Clone, Debug)]
pub struct Step {
    /// What is sent for it, always by the same bytes, unless its sign-in ended before it came.
    pub message: Message,
    /// Its final answer, once there is one.
    pub answer: Option<String>,
}

/// The journal of a workplace, held open by it alone.
pub struct Journal {
    path: PathBuf,
    file: File,
    steps: BTreeMap<String, Step>,
    bookings: BTreeMap<String, Booking>,
    /// How many messages were ever written here.
    written: u64,
}

impl Journal {
    /// Opens a journal and reads all of it; a last line that is not whole, as after a power
    /// failure, is cut off.
    ///
    /// # Errors
    /// When another workplace has it open, or it is damaged.
    pub fn open(path: &Path) -> Result<Self, HisError> {
        let wrong = |why: String| HisError::Book { path: path.to_owned(), why };
        let failed = |error: std::io::Error| wrong(error.to_string());
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(failed)?;
        file.try_lock().map_err(|_| wrong("another program has it open; end that one".into()))?;
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(failed)?;
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        if whole < text.len() {
            file.set_len(u64::try_from(whole).unwrap_or(u64::MAX)).map_err(failed)?;
            file.seek(SeekFrom::End(0)).map_err(failed)?;
        }
        let mut journal = Self {
            path: path.to_owned(),
            file,
            steps: BTreeMap::new(),
            bookings: BTreeMap::new(),
            written: 0,
        };
        for (number, line) in (1..).zip(text.get(..whole).unwrap_or_default().lines()) {
            let row = serde_json::from_str(line);
            journal.enter(row.map_err(|error| wrong(format!("line {number}: {error}")))?);
        }
        Ok(journal)
    }

    /// Opens it again and knows what stands there alone, as after a power failure.
    ///
    /// # Errors
    /// As [`Journal::open`].
    pub fn open_again(&mut self) -> Result<(), HisError> {
        let failed = |error: std::io::Error| HisError::Book {
            path: self.path.clone(),
            why: error.to_string(),
        };
        self.file.unlock().map_err(failed)?;
        *self = Self::open(&self.path)?;
        Ok(())
    }

    fn enter(&mut self, row: Row) {
        match row {
            Row::Sent { step, msgid, body } => {
                self.written += 1;
                let message = Message { msgid, body };
                self.steps.insert(step, Step { message, answer: None });
            }
            Row::Answered { step, answer } => {
                if let Some(known) = self.steps.get_mut(&step) {
                    known.answer = Some(answer);
                }
            }
            Row::Booked { step, booking } => {
                self.bookings.insert(step, *booking);
            }
        }
    }

    fn write(&mut self, row: Row, is_synced: bool) -> Result<(), HisError> {
        let failed = |why: String| HisError::Book { path: self.path.clone(), why };
        let mut line = serde_json::to_string(&row).map_err(|error| failed(error.to_string()))?;
        line.push('\n');
        self.file.write_all(line.as_bytes()).map_err(|error| failed(error.to_string()))?;
        if is_synced {
            self.file.sync_data().map_err(|error| failed(error.to_string()))?;
        }
        self.enter(row);
        Ok(())
    }

    /// A step, if it was begun.
    #[must_use]
    pub fn step(&self, step: &str) -> Option<&Step> {
        self.steps.get(step)
    }

    /// Whether a step of what this names was begun.
    #[must_use]
    pub fn has_begun(&self, key: &str) -> bool {
        let begin = format!("{key}/");
        let mut from = self.steps.range(begin.clone()..);
        from.next().is_some_and(|(step, _)| step.starts_with(&begin))
    }

    /// How many messages were ever written here.
    #[must_use]
    pub const fn written(&self) -> u64 {
        self.written
    }

    /// Writes a message down, durably: it may go out now.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_message(&mut self, step: &str, message: &Message) -> Result<(), HisError> {
        let Message { msgid, body } = message.clone();
        self.write(Row::Sent { step: step.to_owned(), msgid, body }, true)
    }

    /// Writes an answer down. One that is lost is asked for again, by the same message.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_answer(&mut self, step: &str, answer: &str) -> Result<(), HisError> {
        self.write(Row::Answered { step: step.to_owned(), answer: answer.to_owned() }, false)
    }

    /// Books something; the same step again changes what was booked.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn book(&mut self, step: &str, booking: Booking) -> Result<(), HisError> {
        self.write(Row::Booked { step: step.to_owned(), booking: Box::new(booking) }, true)
    }

    /// What was booked, by step.
    #[must_use]
    pub const fn bookings(&self) -> &BTreeMap<String, Booking> {
        &self.bookings
    }

    /// The answer that came last to a step whose name begins like this.
    #[must_use]
    pub fn last_answer(&self, begin: &str) -> Option<&str> {
        let steps = self.steps.iter().filter(|(step, _)| step.starts_with(begin));
        steps.filter_map(|(_, step)| step.answer.as_deref()).next_back()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_there_after_a_restart_and_a_torn_line_is_cut_off() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("1.jsonl");
        let message = Message { msgid: "1".to_owned(), body: "{}".to_owned() };
        let mut journal = Journal::open(&path).expect("a journal");
        assert!(Journal::open(&path).is_err(), "it is held by one workplace");
        journal.keep_message("a", &message).expect("it is written");
        journal.keep_answer("a", "answer").expect("it is written");
        journal.keep_message("b", &message).expect("it is written");
        journal.keep_message("c7/open", &message).expect("it is written");
        assert!(journal.has_begun("c7") && !journal.has_begun("c") && !journal.has_begun("c70"));
        drop(journal);
        let whole = std::fs::read(&path).expect("a file");
        std::fs::write(&path, [whole.as_slice(), b"{\"what\":\"answ"].concat()).expect("a file");
        let journal = Journal::open(&path).expect("a journal");
        assert_eq!(journal.step("a").and_then(|step| step.answer.as_deref()), Some("answer"));
        assert!(journal.step("b").is_some_and(|step| step.answer.is_none()));
        assert_eq!(journal.written(), 3);
        drop(journal);
        assert_eq!(std::fs::read(&path).expect("a file"), whole);
        std::fs::write(&path, [b"x\n", whole.as_slice()].concat()).expect("a file");
        let wrong = Journal::open(&path).map(drop).expect_err("it is damaged").to_string();
        assert!(wrong.contains("line 1"), "{wrong}");
    }
}
