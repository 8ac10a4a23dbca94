//! camt.053.001.08 and camt.054.001.08: what the bank booked. Both have the same entries.

use primitives::{Amount, CivilDate, Currency, Timestamp};

use super::order::instant;
use super::text;
use super::xml::{Element, Out, Step, walk};
use super::{Direction, FileError, FileProblem, LINES_MAX, Message, Movement};

/// What a bank booked on an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The bank's number of the statement.
    pub id: String,
    /// What it booked, in the order of the file. What is only pending is not among it.
    pub movements: Vec<Movement>,
}

/// An entry that is being read: a booking with its parts.
#[derive(Default)]
struct Entry {
    amount: Option<Amount>,
    direction: Option<Direction>,
    day: Option<CivilDate>,
    reference: String,
    is_booked: bool,
    parts: Vec<Part>,
}

/// A part of a booking: one payment.
#[derive(Default)]
struct Part {
    amount: Option<Amount>,
    direction: Option<Direction>,
    reference: String,
    end_to_end: String,
    reason: Option<String>,
}

struct Reading {
    currency: Currency,
    id: String,
    entry: Entry,
    movements: Vec<Movement>,
}

fn direction(text: &str) -> Result<Direction, FileProblem> {
    match text {
        "DBIT" => Ok(Direction::Out),
        "CRDT" => Ok(Direction::Back),
        other => Err(FileProblem::Code(text::shown(other), "DBIT, CRDT")),
    }
}

impl Reading {
    fn see(&mut self, step: Step<'_>) -> Result<(), FileProblem> {
        match step {
            Step::Open(path) => {
                match inner(path) {
                    Some("Ntry") => self.entry = Entry::default(),
                    Some("Ntry/NtryDtls/TxDtls") => self.entry.parts.push(Part::default()),
                    _ => {}
                }
                if self.movements.len().saturating_add(self.entry.parts.len()) > LINES_MAX {
                    return Err(FileProblem::TooMany(LINES_MAX));
                }
                Ok(())
            }
            Step::Close(element) => {
                let Some(place) = inner(element.path) else { return Ok(()) };
                match place.strip_prefix("Ntry/NtryDtls/TxDtls/") {
                    Some(place) => self.part(place, &element),
                    None => self.whole(place, &element),
                }
            }
        }
    }

    /// A field of a payment within a booking.
    fn part(&mut self, place: &str, element: &Element<'_>) -> Result<(), FileProblem> {
        let Some(part) = self.entry.parts.last_mut() else { return Ok(()) };
        match place {
            "Refs/EndToEndId" if element.text != "NOTPROVIDED" => {
                part.end_to_end = text::name(element.text)?;
            }
            "Refs/AcctSvcrRef" => part.reference = text::name(element.text)?,
            "Amt" => {
                let amount = text::amount(element.text, element.currency, self.currency)?;
                part.amount = Some(amount);
            }
            "CdtDbtInd" => part.direction = Some(direction(element.text)?),
            "RtrInf/Rsn/Cd" => part.reason = Some(text::reason(element.text)?),
            _ => {}
        }
        Ok(())
    }

    /// A field of a booking.
    fn whole(&mut self, place: &str, element: &Element<'_>) -> Result<(), FileProblem> {
        let entry = &mut self.entry;
        match place {
            "Id" => self.id = text::name(element.text)?,
            "Ntry/Amt" => {
                let amount = text::amount(element.text, element.currency, self.currency)?;
                entry.amount = Some(amount);
            }
            "Ntry/CdtDbtInd" => entry.direction = Some(direction(element.text)?),
            "Ntry/Sts/Cd" => match element.text {
                "BOOK" => entry.is_booked = true,
                "PDNG" | "INFO" | "FUTR" => entry.is_booked = false,
                other => {
                    let codes = "BOOK, PDNG, INFO, FUTR";
                    return Err(FileProblem::Code(text::shown(other), codes));
                }
            },
            "Ntry/BookgDt/Dt" | "Ntry/BookgDt/DtTm" => entry.day = Some(text::day(element.text)?),
            "Ntry/AcctSvcrRef" => entry.reference = text::name(element.text)?,
            "Ntry" if entry.is_booked => {
                let entry = std::mem::take(entry);
                self.movements.extend(entry.movements(&self.id, self.movements.len())?);
            }
            _ => {}
        }
        Ok(())
    }
}

/// The path within a statement or notification.
fn inner(path: &str) -> Option<&str> {
    path.strip_prefix("BkToCstmrStmt/Stmt/")
        .or_else(|| path.strip_prefix("BkToCstmrDbtCdtNtfctn/Ntfctn/"))
}

impl Entry {
    /// The movements of a booking: one for each part, or the booking itself.
    fn movements(self, statement: &str, before: usize) -> Result<Vec<Movement>, FileProblem> {
        let whole = self.amount.ok_or(FileProblem::Missing("Ntry/Amt"))?;
        let way = self.direction.ok_or(FileProblem::Missing("Ntry/CdtDbtInd"))?;
        let day = self.day.ok_or(FileProblem::Missing("Ntry/BookgDt"))?;
        let parts = if self.parts.is_empty() { vec![Part::default()] } else { self.parts };
        let is_single = parts.len() == 1;
        let mut sum = Amount::ZERO;
        let mut movements = Vec::with_capacity(parts.len());
        for (number, part) in parts.into_iter().enumerate() {
            let own = part.amount.or(is_single.then_some(whole));
            let amount = own.ok_or(FileProblem::Missing("Ntry/NtryDtls/TxDtls/Amt"))?;
            sum = sum.saturating_add(amount);
            let bank_reference = match (part.reference.is_empty(), self.reference.is_empty()) {
                (false, _) => part.reference,
                (true, false) if is_single => self.reference.clone(),
                (true, false) => format!("{}#{number}", self.reference),
                // A bank without references of its own: the place in its statement is one.
                (true, true) => format!("{statement}#{}", before.saturating_add(number)),
            };
            movements.push(Movement {
                end_to_end: part.end_to_end,
                bank_reference,
                amount,
                day,
                direction: part.direction.unwrap_or(way),
                reason: part.reason,
            });
        }
        let is_whole = sum == whole;
        is_whole.then_some(movements).ok_or(FileProblem::Sum(sum.minor(), whole.minor()))
    }
}

impl Statement {
    /// Reads a file of an account in this currency.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn read(bytes: &[u8], currency: Currency) -> Result<Self, FileError> {
        let mut reading =
            Reading { currency, id: String::new(), entry: Entry::default(), movements: Vec::new() };
        let accepted = [Message::Statement, Message::Notification];
        let names = "camt.053.001.08 or camt.054.001.08";
        walk(bytes, &accepted, names, |step| reading.see(step))?;
        Ok(Self { id: reading.id, movements: reading.movements })
    }

    /// The file, as the bank that is played here writes it.
    #[must_use]
    pub fn to_xml(&self, message: Message, at: Timestamp, currency: Currency) -> Vec<u8> {
        let (outer, inner) = match message {
            Message::Notification => ("BkToCstmrDbtCdtNtfctn", "Ntfctn"),
            _ => ("BkToCstmrStmt", "Stmt"),
        };
        let mut out = Out::new(message);
        out.element(outer, |out| {
            out.element("GrpHdr", |out| {
                out.text("MsgId", &self.id);
                out.text("CreDtTm", &instant(at));
            });
            out.element(inner, |out| {
                out.text("Id", &self.id);
                for movement in &self.movements {
                    write_entry(out, movement, currency);
                }
            });
        });
        out.finish()
    }
}

fn write_entry(out: &mut Out, movement: &Movement, currency: Currency) {
    out.element("Ntry", |out| {
        out.amount("Amt", movement.amount, currency);
        let way = if movement.direction == Direction::Out { "DBIT" } else { "CRDT" };
        out.text("CdtDbtInd", way);
        out.element("Sts", |out| out.text("Cd", "BOOK"));
        out.element("BookgDt", |out| out.text("Dt", &movement.day.to_string()));
        out.text("AcctSvcrRef", &movement.bank_reference);
        out.element("NtryDtls", |out| {
            out.element("TxDtls", |out| {
                out.element("Refs", |out| {
                    let given = &movement.end_to_end;
                    out.text("EndToEndId", if given.is_empty() { "NOTPROVIDED" } else { given });
                });
                out.amount("Amt", movement.amount, currency);
                out.text("CdtDbtInd", way);
                if let Some(reason) = &movement.reason {
                    out.element("RtrInf", |out| out.element("Rsn", |out| out.text("Cd", reason)));
                }
            });
        });
    });
}
