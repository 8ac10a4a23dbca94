//! Drug trace codes: taken with a sale or a settlement, checked for their form, and kept as a hash
//! under the hospital's own key, never as they are.
//!
//! Whether a code was sold before is not asked yet: that takes a commitment which all institutions
//! compute alike, on the ledger. Its place is [`Message::keep_traces`], which every code passes.

use std::sync::{MutexGuard, PoisonError};

use borsh::{BorshDeserialize, BorshSerialize};
use primitives::codec;
use serde_json::Value;

use super::desk::{KnownLine, Message, damaged};
use super::field::{Field, Form, Node, Record};
use super::refusal::Refusal;

/// The most codes of one message.
pub(super) const CODES_MAX: usize = 200;

const TRACE: &str = "trace";

/// A trace code of a message.
pub(super) const DRUG_TRAC_CODG: Field =
    Field::needed("drug_trac_codg", Form::Text(100), "药品追溯码");
/// Whether a pack was opened.
pub(super) const TRDN_FLAG: Field =
    Field::needed("trdn_flag", Form::Text(3), "拆零标志").of(&[("0", "否"), ("1", "是")]);

/// Codes of a sale.
pub(super) const CODES: Node = Node::list("drugtracinfo", &[DRUG_TRAC_CODG]);

/// Codes of a settlement's lines.
pub(super) const SETTLED_CODES: Node = Node::list(
    "drug_trac_info",
    &[
        Field::needed("feedetl_sn", Form::Text(30), "费用明细流水号"),
        DRUG_TRAC_CODG,
        TRDN_FLAG,
        Field::optional("min_prcunt_type", Form::Text(3), "最小计价单位类型"),
    ],
);

/// The codes of a settlement's lines, each with whether its pack was opened; none where the message
/// has none.
///
/// # Errors
/// The first that is wrong, or belongs to no line.
pub(super) fn settled_codes(
    input: &Value,
    lines: &[KnownLine],
) -> Result<Vec<(String, bool)>, Refusal> {
    if input.get(SETTLED_CODES.name).is_none_or(Value::is_null) {
        return Ok(Vec::new());
    }
    let code = |record: &Record| {
        let (code, path) = (record.text("drug_trac_codg"), record.path("drug_trac_codg"));
        require_form(code, &path)?;
        if lines.iter().all(|line| line.feedetl_sn != record.text("feedetl_sn")) {
            let words = "本次结算没有这条明细；请核对费用明细流水号";
            return Err(Refusal::at(record.path("feedetl_sn"), words));
        }
        Ok((code.to_owned(), record.text("trdn_flag") == "1"))
    };
    SETTLED_CODES.read(input, CODES_MAX)?.iter().map(code).collect()
}

/// What became of a code here, in order.
#[derive(BorshSerialize, BorshDeserialize)]
struct Passage {
    /// The visit in whose settlement it was sold, which 2207 and 3505 both tell of; else the
    /// message.
    by: String,
    is_return: bool,
    is_opened: bool,
}

/// The code has the form of one: the 20 digits of the platform, a GS1 element string, or a
/// company's own.
///
/// # Errors
/// What is wrong, for the field of this path.
pub(super) fn require_form(code: &str, path: &str) -> Result<(), Refusal> {
    let is_number = code.bytes().all(|byte| byte.is_ascii_digit());
    let words = if is_number && [8, 13, 14].contains(&code.len()) {
        "这是商品条码，不是追溯码；请扫描药品盒上的追溯码"
    } else if is_number && code.len() == 20 && !code.starts_with('8') {
        "20位追溯码应以8开头；请重新扫描"
    } else if code.len() < 16 || !code.bytes().all(|byte| byte.is_ascii_graphic()) {
        "不是追溯码：应为16至100个字母、数字；请重新扫描"
    } else {
        return Ok(());
    };
    Err(Refusal::at(path, words))
}

/// The codes of this list in a message, each once and in form; none where there is no such list.
///
/// # Errors
/// The first that is wrong.
pub(super) fn codes_in(holder: &Value) -> Result<Vec<String>, Refusal> {
    let is_left_out =
        holder.get(CODES.name).is_none_or(|list| list.as_array().is_some_and(Vec::is_empty));
    if is_left_out {
        return Ok(Vec::new());
    }
    let mut codes: Vec<String> = Vec::new();
    for record in CODES.read(holder, CODES_MAX)? {
        let (code, path) = (record.text("drug_trac_codg"), record.path("drug_trac_codg"));
        require_form(code, &path)?;
        if codes.iter().any(|one| one == code) {
            return Err(Refusal::at(path, "同一追溯码重复；请核对后重发"));
        }
        codes.push(code.to_owned());
    }
    Ok(codes)
}

impl Message<'_> {
    /// Lets no other message read or enter passages of codes for as long as the answer lives.
    pub(super) fn one_sale(&self) -> MutexGuard<'_, ()> {
        self.institution.sales.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters what became of codes by a visit or message, once.
    ///
    /// # Errors
    /// When the book fails.
    pub(super) fn keep_traces(
        &self,
        (codes, by): (&[String], &str),
        is_return: bool,
        is_opened: bool,
    ) -> Result<(), Refusal> {
        for code in codes {
            let mut passages = self.passages(code)?;
            // What came back can be sold again in the same visit.
            let since = passages.iter().rev().take_while(|one| is_return || !one.is_return);
            if since.into_iter().all(|one| one.by != by) {
                passages.push(Passage { by: by.to_owned(), is_return, is_opened });
                let number = self.trace_number(code);
                self.institution.book.put(TRACE, &number, &codec::encode(&passages))?;
            }
        }
        Ok(())
    }

    /// How often a code was sold here and did not come back, without what this message did and what
    /// 2601 reversed.
    ///
    /// # Errors
    /// When the book fails.
    pub(super) fn sold(&self, code: &str) -> Result<usize, Refusal> {
        let (mut sold, mut back) = (0_usize, 0_usize);
        for one in self.passages(code)?.iter().filter(|one| one.by != self.envelope.msgid()) {
            match one.is_return {
                true => back += 1,
                false if self.is_reversed_visit(&one.by)? => {}
                false => sold += 1,
            }
        }
        Ok(sold.saturating_sub(back))
    }

    fn is_reversed_visit(&self, mdtrt_id: &str) -> Result<bool, Refusal> {
        let settled = self.settlement(mdtrt_id)?;
        let number = settled.as_ref().and_then(|one| one.pointer("/setlinfo/setl_id")?.as_str());
        number.map_or(Ok(false), |number| self.is_reversed(number))
    }

    fn passages(&self, code: &str) -> Result<Vec<Passage>, Refusal> {
        let kept = self.institution.book.get(TRACE, &self.trace_number(code))?;
        let passages = kept.map(|bytes| codec::decode(&bytes)).transpose().map_err(damaged)?;
        Ok(passages.unwrap_or_default())
    }

    fn trace_number(&self, code: &str) -> String {
        self.name(TRACE, code.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_families_of_codes_are_taken_and_barcodes_are_not() {
        for code in ["81234567890123456789", "(01)06901234567892(21)AB12", "COMPANY-0001-2026-0001"]
        {
            assert!(require_form(code, "c").is_ok(), "{code}");
        }
        for (code, words) in [
            ("6901234567892", "商品条码"),
            ("71234567890123456789", "以8开头"),
            ("12345", "16至100"),
            ("8123456789 123456789x", "16至100"),
            ("追溯码追溯码追溯码", "16至100"),
        ] {
            assert!(require_form(code, "c").unwrap_err().words().contains(words), "{code}");
        }
    }
}
