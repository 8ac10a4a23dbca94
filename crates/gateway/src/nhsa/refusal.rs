//! What is answered when something is wrong: infcode -1, and the field and the remedy in Chinese.

use adapters::directory::DirectoryError;

use crate::port::PortError;
use crate::problem::{Language, Problem};

/// The longest `err_msg`.
const WORDS_MAX: usize = 200;

/// Why a message was not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    words: String,
    /// Whether the same message would be refused again. What is not final may be sent again under
    /// the same number.
    pub is_final: bool,
}

impl Refusal {
    /// What is wrong and what to do.
    #[must_use]
    pub fn new(words: impl Into<String>) -> Self {
        Self { words: words.into(), is_final: true }
    }

    /// The same of one field.
    #[must_use]
    pub fn at(field: impl AsRef<str>, words: impl AsRef<str>) -> Self {
        Self::new(format!("{}：{}", field.as_ref(), words.as_ref()))
    }

    /// Something that passes: the same message may be sent again.
    #[must_use]
    pub fn for_now(words: impl Into<String>) -> Self {
        Self { words: words.into(), is_final: false }
    }

    /// The same, said of one field.
    #[must_use]
    pub fn of(self, field: impl AsRef<str>) -> Self {
        Self { words: format!("{}：{}", field.as_ref(), self.words), ..self }
    }

    /// What `err_msg` says.
    #[must_use]
    pub fn words(&self) -> String {
        self.words.chars().take(WORDS_MAX).collect()
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        let said = problem.document(Language::ZhHans, "");
        // The node is busy or failed: nothing is known to be wrong with the message.
        let is_final = problem.status < 500 && problem.status != 429 && problem.status != 409;
        Self { words: format!("{}；{}", said.detail, said.remedy), is_final }
    }
}

impl From<DirectoryError> for Refusal {
    fn from(error: DirectoryError) -> Self {
        Problem::from(error).into()
    }
}

impl From<PortError> for Refusal {
    fn from(error: PortError) -> Self {
        Problem::from(error).into()
    }
}
