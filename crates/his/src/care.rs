//! The kinds of care that are played, and their numbers in the interface.

use serde::{Deserialize, Serialize};

/// A kind of care.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Care {
    /// Somebody comes and goes.
    #[default]
    Outpatient,
    /// The same, who pays by phone.
    Phone,
    /// Somebody stays for some nights.
    Stay,
    /// Somebody buys at a pharmacy.
    Purchase,
}

impl Care {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Outpatient, Self::Phone, Self::Stay, Self::Purchase];

    /// What they are called.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Outpatient => "outpatients",
            Self::Phone => "by phone",
            Self::Stay => "stays",
            Self::Purchase => "purchases",
        }
    }

    /// By which letter their steps begin.
    #[must_use]
    pub const fn letter(self) -> char {
        match self {
            Self::Outpatient => 'v',
            Self::Phone => 'm',
            Self::Stay => 's',
            Self::Purchase => 'p',
        }
    }

    /// The code of the kind of care, which is that of its clearing as well.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Outpatient | Self::Phone => "11",
            Self::Stay => "21",
            Self::Purchase => "41",
        }
    }

    /// As what it is cleared: who pays by phone is an outpatient like others.
    #[must_use]
    pub const fn cleared(self) -> Self {
        match self {
            Self::Outpatient | Self::Phone => Self::Outpatient,
            Self::Stay | Self::Purchase => self,
        }
    }

    /// The number of the transaction that charges lines.
    #[must_use]
    pub const fn charging(self) -> &'static str {
        self.of("2301", "2204")
    }

    /// The number of the transaction that says what a settlement would come to.
    #[must_use]
    pub const fn preview(self) -> &'static str {
        self.of("2303", "2206")
    }

    /// The number of the transaction that settles.
    #[must_use]
    pub const fn settlement(self) -> &'static str {
        self.of("2304", "2207")
    }

    /// The number of the transaction that undoes a settlement.
    #[must_use]
    pub const fn undoing(self) -> &'static str {
        self.of("2305", "2208")
    }

    const fn of(self, stay: &'static str, other: &'static str) -> &'static str {
        match self {
            Self::Stay => stay,
            Self::Outpatient | Self::Phone | Self::Purchase => other,
        }
    }
}
