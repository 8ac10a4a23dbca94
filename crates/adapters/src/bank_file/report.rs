//! pain.002.001.10: what the bank takes on of an order, and what it refuses.

use primitives::Timestamp;

use super::order::instant;
use super::text;
use super::xml::{Out, Step, walk};
use super::{FileError, FileProblem, LINES_MAX, Message};

/// What the bank says of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusReport {
    /// The order's own number.
    pub order: String,
    /// Why the whole order was refused, if it was.
    pub refused: Option<String>,
    /// What it says of single payments.
    pub payments: Vec<PaymentStatus>,
}

/// What the bank says of a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentStatus {
    /// The reference that went with the order.
    pub end_to_end: String,
    /// Why it was refused; nothing when it is under way or done. Money has moved only when a
    /// statement says so.
    pub refused: Option<String>,
}

/// What a bank that gives no reason is taken to say: `NARR`, "reason is given as text".
const NO_REASON: &str = "NARR";

/// Whether a status refuses.
fn is_refused(status: &str) -> Result<bool, FileProblem> {
    let codes = "ACCP, ACCC, ACSC, ACSP, ACTC, ACWC, PART, PDNG, RCVD, RJCT, CANC";
    match status {
        "RJCT" | "CANC" => Ok(true),
        "ACCP" | "ACCC" | "ACSC" | "ACSP" | "ACTC" | "ACWC" | "PART" | "PDNG" | "RCVD" => Ok(false),
        other => Err(FileProblem::Code(text::shown(other), codes)),
    }
}

#[derive(Default)]
struct Reading {
    order: String,
    group: (bool, Option<String>),
    payments: Vec<(PaymentStatus, bool, bool)>,
}

impl Reading {
    fn see(&mut self, step: Step<'_>) -> Result<(), FileProblem> {
        let element = match step {
            Step::Open("CstmrPmtStsRpt/OrgnlPmtInfAndSts/TxInfAndSts") => {
                if self.payments.len() >= LINES_MAX {
                    return Err(FileProblem::TooMany(LINES_MAX));
                }
                let status = PaymentStatus { end_to_end: String::new(), refused: None };
                self.payments.push((status, false, false));
                return Ok(());
            }
            Step::Open(_) => return Ok(()),
            Step::Close(element) => element,
        };
        let Some(place) = element.path.strip_prefix("CstmrPmtStsRpt/") else { return Ok(()) };
        match place {
            "OrgnlGrpInfAndSts/OrgnlMsgId" => self.order = text::name(element.text)?,
            "OrgnlGrpInfAndSts/GrpSts" | "OrgnlPmtInfAndSts/PmtInfSts" => {
                self.group.0 |= is_refused(element.text)?;
            }
            "OrgnlGrpInfAndSts/StsRsnInf/Rsn/Cd" | "OrgnlPmtInfAndSts/StsRsnInf/Rsn/Cd" => {
                self.group.1 = Some(text::reason(element.text)?);
            }
            _ => {}
        }
        let Some((payment, refused, said)) = self.payments.last_mut() else { return Ok(()) };
        match place.strip_prefix("OrgnlPmtInfAndSts/TxInfAndSts/").unwrap_or_default() {
            "OrgnlEndToEndId" => payment.end_to_end = text::name(element.text)?,
            "TxSts" => (*refused, *said) = (is_refused(element.text)?, true),
            "StsRsnInf/Rsn/Cd" => payment.refused = Some(text::reason(element.text)?),
            _ => {}
        }
        if place == "OrgnlPmtInfAndSts/TxInfAndSts" {
            if payment.end_to_end.is_empty() {
                return Err(FileProblem::Missing("OrgnlEndToEndId"));
            }
            if !*said {
                return Err(FileProblem::Missing("TxSts"));
            }
            let reason = payment.refused.take().unwrap_or_else(|| NO_REASON.to_owned());
            payment.refused = refused.then_some(reason);
        }
        Ok(())
    }
}

impl StatusReport {
    /// Reads a file.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn read(bytes: &[u8]) -> Result<Self, FileError> {
        let mut reading = Reading::default();
        walk(bytes, &[Message::Report], "pain.002.001.10", |step| reading.see(step))?;
        if reading.order.is_empty() {
            return Err(FileError {
                line: 1,
                element: String::from("Document/CstmrPmtStsRpt/OrgnlGrpInfAndSts"),
                problem: FileProblem::Missing("OrgnlMsgId"),
            });
        }
        let (refused, reason) = reading.group;
        Ok(Self {
            order: reading.order,
            refused: refused.then(|| reason.unwrap_or_else(|| NO_REASON.to_owned())),
            payments: reading.payments.into_iter().map(|(status, ..)| status).collect(),
        })
    }

    /// The file, as the bank that is played here writes it.
    #[must_use]
    pub fn to_xml(&self, at: Timestamp) -> Vec<u8> {
        let refused = self.payments.iter().any(|one| one.refused.is_some());
        let mut out = Out::new(Message::Report);
        out.element("CstmrPmtStsRpt", |out| {
            out.element("GrpHdr", |out| {
                out.text("MsgId", &format!("{}-S", self.order));
                out.text("CreDtTm", &instant(at));
            });
            out.element("OrgnlGrpInfAndSts", |out| {
                out.text("OrgnlMsgId", &self.order);
                out.text("OrgnlMsgNmId", "pain.001.001.09");
                let status = if refused { "PART" } else { "ACCP" };
                out.text("GrpSts", if self.refused.is_some() { "RJCT" } else { status });
                if let Some(reason) = &self.refused {
                    write_reason(out, reason);
                }
            });
            out.element("OrgnlPmtInfAndSts", |out| {
                out.text("OrgnlPmtInfId", &self.order);
                for payment in &self.payments {
                    out.element("TxInfAndSts", |out| {
                        out.text("OrgnlEndToEndId", &payment.end_to_end);
                        let status = if payment.refused.is_some() { "RJCT" } else { "ACSP" };
                        out.text("TxSts", status);
                        if let Some(reason) = &payment.refused {
                            write_reason(out, reason);
                        }
                    });
                }
            });
        });
        out.finish()
    }
}

fn write_reason(out: &mut Out, reason: &str) {
    out.element("StsRsnInf", |out| out.element("Rsn", |out| out.text("Cd", reason)));
}
