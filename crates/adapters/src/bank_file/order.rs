//! pain.001.001.09: an order of payments, as the bureau hands it to its bank.

use std::fmt;

use primitives::{Amount, CivilDate, Currency, Timestamp, UtcOffset};

use super::text;
use super::xml::{Out, Step, walk};
use super::{FileError, FileProblem, LINES_MAX, Message};

/// An account at a bank. Neither name nor number is shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct BankAccount {
    /// Whose it is.
    pub name: String,
    /// Its number.
    pub number: String,
    /// The bank's number in the national clearing system (行号).
    pub bank: String,
}

impl fmt::Debug for BankAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BankAccount")
    }
}

/// A payment of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// The reference that goes with the payment to its end.
    pub end_to_end: String,
    /// How much.
    pub amount: Amount,
    /// Who gets it.
    pub to: BankAccount,
    /// What the receiver reads.
    pub purpose: String,
}

/// An order of payments from one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentOrder {
    /// The order's own number; the bank takes each once.
    pub id: String,
    /// When it was made.
    pub made: Timestamp,
    /// The day on which the bank is asked to pay.
    pub execute_on: CivilDate,
    /// The currency of all amounts.
    pub currency: Currency,
    /// The account that pays.
    pub from: BankAccount,
    /// The payments.
    pub payments: Vec<Payment>,
}

/// An instant as ISO 20022 writes it, in UTC.
pub(super) fn instant(at: Timestamp) -> String {
    let seconds = at.millis() / 1_000;
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{}T{hour:02}:{minute:02}:{second:02}Z", at.day(UtcOffset(0)))
}

impl PaymentOrder {
    /// The sum of all payments; nothing when it is too large for an amount.
    #[must_use]
    pub fn sum(&self) -> Option<Amount> {
        Amount::checked_sum(self.payments.iter().map(|payment| payment.amount))
    }

    /// The file. The same order gives the same bytes.
    #[must_use]
    pub fn to_xml(&self) -> Vec<u8> {
        let count = self.payments.len().to_string();
        let sum = self.sum().unwrap_or(Amount::MAX).to_decimal(self.currency);
        let mut out = Out::new(Message::Order);
        out.element("CstmrCdtTrfInitn", |out| {
            out.element("GrpHdr", |out| {
                out.text("MsgId", &self.id);
                out.text("CreDtTm", &instant(self.made));
                out.text("NbOfTxs", &count);
                out.text("CtrlSum", &sum);
                out.element("InitgPty", |out| out.text("Nm", &self.from.name));
            });
            out.element("PmtInf", |out| {
                out.text("PmtInfId", &self.id);
                out.text("PmtMtd", "TRF");
                out.text("BtchBookg", "false");
                out.text("NbOfTxs", &count);
                out.text("CtrlSum", &sum);
                out.element("ReqdExctnDt", |out| out.text("Dt", &self.execute_on.to_string()));
                out.element("Dbtr", |out| out.text("Nm", &self.from.name));
                write_account(out, "DbtrAcct", &self.from.number);
                write_bank(out, "DbtrAgt", &self.from.bank);
                for payment in &self.payments {
                    write_payment(out, payment, self.currency);
                }
            });
        });
        out.finish()
    }

    /// Reads a file, as the bank that is played here does.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn read(bytes: &[u8], currency: Currency) -> Result<Self, FileError> {
        let mut reading = Reading::new(currency);
        walk(bytes, &[Message::Order], "pain.001.001.09", |step| reading.see(step))?;
        reading.finish().map_err(|problem| FileError {
            line: 1,
            element: String::from("Document/CstmrCdtTrfInitn"),
            problem,
        })
    }
}

fn write_account(out: &mut Out, name: &str, number: &str) {
    out.element(name, |out| {
        out.element("Id", |out| out.element("Othr", |out| out.text("Id", number)));
    });
}

fn write_bank(out: &mut Out, name: &str, bank: &str) {
    out.element(name, |out| {
        out.element("FinInstnId", |out| {
            out.element("ClrSysMmbId", |out| {
                out.element("ClrSysId", |out| out.text("Cd", "CNAPS"));
                out.text("MmbId", bank);
            });
        });
    });
}

fn write_payment(out: &mut Out, payment: &Payment, currency: Currency) {
    out.element("CdtTrfTxInf", |out| {
        out.element("PmtId", |out| out.text("EndToEndId", &payment.end_to_end));
        out.element("Amt", |out| out.amount("InstdAmt", payment.amount, currency));
        write_bank(out, "CdtrAgt", &payment.to.bank);
        out.element("Cdtr", |out| out.text("Nm", &payment.to.name));
        write_account(out, "CdtrAcct", &payment.to.number);
        out.element("RmtInf", |out| out.text("Ustrd", &payment.purpose));
    });
}

struct Reading {
    currency: Currency,
    id: String,
    count: String,
    sum: String,
    day: Option<CivilDate>,
    from: BankAccount,
    payments: Vec<Payment>,
}

const fn no_account() -> BankAccount {
    BankAccount { name: String::new(), number: String::new(), bank: String::new() }
}

impl Reading {
    fn new(currency: Currency) -> Self {
        let (id, count, sum) = (String::new(), String::new(), String::new());
        let from = no_account();
        Self { currency, id, count, sum, day: None, from, payments: Vec::new() }
    }

    fn see(&mut self, step: Step<'_>) -> Result<(), FileProblem> {
        let element = match step {
            Step::Open("CstmrCdtTrfInitn/PmtInf/CdtTrfTxInf") => {
                if self.payments.len() >= LINES_MAX {
                    return Err(FileProblem::TooMany(LINES_MAX));
                }
                let (end_to_end, purpose) = (String::new(), String::new());
                let (amount, to) = (Amount::ZERO, no_account());
                self.payments.push(Payment { end_to_end, amount, to, purpose });
                return Ok(());
            }
            Step::Open(_) => return Ok(()),
            Step::Close(element) => element,
        };
        let Some(place) = element.path.strip_prefix("CstmrCdtTrfInitn/") else { return Ok(()) };
        let own = || text::name(element.text);
        match place {
            "GrpHdr/MsgId" => self.id = own()?,
            "GrpHdr/NbOfTxs" => self.count = own()?,
            "GrpHdr/CtrlSum" => self.sum = own()?,
            "PmtInf/ReqdExctnDt/Dt" => self.day = Some(text::day(element.text)?),
            "PmtInf/Dbtr/Nm" => element.text.clone_into(&mut self.from.name),
            "PmtInf/DbtrAcct/Id/Othr/Id" => self.from.number = own()?,
            "PmtInf/DbtrAgt/FinInstnId/ClrSysMmbId/MmbId" => self.from.bank = own()?,
            _ => {}
        }
        let Some(payment) = self.payments.last_mut() else { return Ok(()) };
        match place.strip_prefix("PmtInf/CdtTrfTxInf/").unwrap_or_default() {
            "PmtId/EndToEndId" => payment.end_to_end = own()?,
            "Amt/InstdAmt" => {
                payment.amount = text::amount(element.text, element.currency, self.currency)?;
            }
            "Cdtr/Nm" => element.text.clone_into(&mut payment.to.name),
            "CdtrAcct/Id/Othr/Id" => payment.to.number = own()?,
            "CdtrAgt/FinInstnId/ClrSysMmbId/MmbId" => payment.to.bank = own()?,
            "RmtInf/Ustrd" => element.text.clone_into(&mut payment.purpose),
            _ => {}
        }
        Ok(())
    }

    fn finish(self) -> Result<PaymentOrder, FileProblem> {
        if self.id.is_empty() {
            return Err(FileProblem::Missing("GrpHdr/MsgId"));
        }
        let order = PaymentOrder {
            id: self.id,
            made: Timestamp::from_millis(0),
            execute_on: self.day.ok_or(FileProblem::Missing("PmtInf/ReqdExctnDt/Dt"))?,
            currency: self.currency,
            from: self.from,
            payments: self.payments,
        };
        let said = text::amount(&self.sum, Some(self.currency.code()), self.currency)?;
        let sum = order.sum().unwrap_or(Amount::MAX);
        let is_whole = sum == said && self.count == order.payments.len().to_string();
        is_whole.then_some(order).ok_or(FileProblem::Sum(sum.minor(), said.minor()))
    }
}
