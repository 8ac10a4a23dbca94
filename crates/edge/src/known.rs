//! What the edge remembers of persons and visits.

use gateway::nhsa::desk::{KnownLine, bill_of};
use gateway::nhsa::field::Record;
use gateway::nhsa::refusal::Refusal;
use primitives::Amount;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Somebody whom the platform identified for this hospital.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Person {
    /// The number under which the hospital knows the person.
    pub psn_no: String,
    /// The name.
    pub name: String,
    /// The number of the identity card.
    pub number: String,
    /// What the platform said of the person.
    pub output: Value,
    /// On which day the platform identified the person last.
    pub day: String,
}

/// A line of a bill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The hospital's number of it.
    pub serial: String,
    /// The batch in which it was charged.
    pub batch: String,
    /// The item.
    pub code: String,
    /// The day.
    pub day: String,
    /// How many.
    pub count: String,
    /// The price of one.
    pub price: String,
    /// What it charges, in fen.
    pub fen: u64,
}

/// Where a visit stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum VisitStanding {
    /// It can be charged and settled.
    Open,
    /// Its opening was undone.
    Undone,
    /// It is settled, or to be settled, under this number.
    Settled(String),
    /// What was settled was given back.
    Returned,
}

/// A visit or a stay.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Visit {
    /// The number that the hospital was told first.
    pub number: String,
    /// Whose it is.
    pub psn_no: String,
    /// The scheme.
    pub insutype: String,
    /// The kind of care; empty where nobody said.
    pub med_type: String,
    /// Whether it is a stay.
    pub is_stay: bool,
    /// Whether the stay has ended.
    pub is_discharged: bool,
    /// What was charged.
    pub lines: Vec<Line>,
    /// Where it stands.
    pub standing: VisitStanding,
}

impl Line {
    /// The line of a record.
    ///
    /// # Errors
    /// When its amount is none.
    pub fn read(record: &Record) -> Result<Self, Refusal> {
        let text = |name: &str| record.text(name).to_owned();
        Ok(Self {
            serial: text("feedetl_sn"),
            batch: text("chrg_bchno"),
            code: text("med_list_codg"),
            day: text("fee_ocur_time"),
            count: text("cnt"),
            price: text("pric"),
            fen: record.amount("det_item_fee_sumamt")?.minor(),
        })
    }

    fn known(&self) -> Option<KnownLine> {
        Some(KnownLine {
            feedetl_sn: self.serial.clone(),
            batch: self.batch.clone(),
            item_code: self.code.clone(),
            day: self.day.parse().ok()?,
            quantity: self.count.clone(),
            price: self.price.clone(),
            amount: self.fen,
        })
    }
}

impl Visit {
    /// What was charged in all.
    #[must_use]
    pub fn total(&self) -> Amount {
        let charged = self.lines.iter().map(|line| Amount::from_minor(line.fen));
        charged.fold(Amount::ZERO, Amount::saturating_add)
    }

    /// Its lines make a bill.
    ///
    /// # Errors
    /// What is wrong with a line.
    pub fn check_lines(&self) -> Result<(), Refusal> {
        let lines: Vec<KnownLine> = self.lines.iter().filter_map(Line::known).collect();
        bill_of(&lines, &[]).map(drop)
    }

    /// Takes lines back: of a batch or by its number, or all of them.
    pub fn take_back(&mut self, record: &Record) {
        let (batch, serial) = (record.text("chrg_bchno"), record.text("feedetl_sn"));
        self.lines.retain(|line| match (batch, serial) {
            ("0000", _) | (_, "0000") => false,
            ("", serial) => line.serial != serial,
            (batch, _) => line.batch != batch,
        });
    }

    /// How it is cleared.
    #[must_use]
    pub fn clearing(&self) -> &'static str {
        match self.med_type.as_bytes() {
            [b'4', b'1', ..] => "41",
            [b'5', ..] => "51",
            _ if self.is_stay => "21",
            _ => "11",
        }
    }
}
