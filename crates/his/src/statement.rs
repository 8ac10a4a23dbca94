//! The comparison with the platform: sums by 3201, and row by row by 3202 with a file.

use std::collections::BTreeMap;

use base64ct::{Base64, Encoding as _};
use serde_json::{Value, json};

use crate::HisError;
use crate::book::{Booking, Figures};
use crate::care::Care;
use crate::counter::Counter;
use crate::money::Fen;

/// What a comparison answers when both are the same.
const SAME: &str = "0";

/// A row of the hospital's statement: what was settled, or what was given back of it.
struct Row<'a> {
    booking: &'a Booking,
    is_refund: bool,
    figures: Figures,
}

/// The rows of the days from `first` to today.
fn rows<'a>(bookings: &'a [Booking], first: &str) -> Vec<Row<'a>> {
    let mut rows = Vec::new();
    for booking in bookings {
        let figures = booking.figures;
        if booking.day.as_str() >= first {
            rows.push(Row { booking, is_refund: false, figures });
        }
        if booking.undone.as_deref().is_some_and(|day| day >= first) {
            rows.push(Row { booking, is_refund: true, figures: figures.negative() });
        }
    }
    rows
}

fn sums(rows: &[&Row<'_>]) -> Figures {
    rows.iter().fold(Figures::default(), |sum, row| sum.plus(row.figures))
}

/// Compares the whole book of the days from `first` to today with the platform's; gives what
/// differs, in the platform's words.
///
/// # Errors
/// When nobody answers, or a comparison is refused.
pub fn compare(
    counter: &mut Counter<'_>,
    step: &str,
    (bookings, first): (&[Booking], &str),
) -> Result<Vec<String>, HisError> {
    let rows = rows(bookings, first);
    let days = json!({
        "setl_optins": counter.setup.area, "stmt_begndate": first, "stmt_enddate": counter.line.now().today()
    });
    let mut differences = Vec::new();
    let mut apart: BTreeMap<(Care, &str), Vec<&Row<'_>>> = BTreeMap::new();
    for row in &rows {
        apart.entry((row.booking.care.cleared(), &row.booking.insutype)).or_default().push(row);
    }
    for ((care, scheme), rows) in &apart {
        let Figures { medfee, fund, account, .. } = sums(rows);
        let mut data = days.clone();
        data["insutype"] = json!(scheme);
        data["clr_type"] = json!(care.code());
        data["medfee_sumamt"] = json!(Fen(medfee).text());
        data["fund_pay_sumamt"] = json!(Fen(fund).text());
        data["acct_pay"] = json!(Fen(account).text());
        data["fixmedins_setl_cnt"] = json!(rows.len().to_string());
        let totals = format!("{step}-totals-{scheme}-{}", care.words());
        let answer = counter.ask(&totals, "3201", &json!({ "data": data }))?.done()?;
        if answer.text_at("/stmtinfo/stmt_rslt")? != SAME {
            let words = answer.text_at("/stmtinfo/stmt_rslt_dscr")?;
            differences.push(format!("{totals}: {words}"));
        }
    }
    let all: Vec<&Row<'_>> = rows.iter().collect();
    differences.extend(compare_rows(counter, step, &days, &all)?);
    Ok(differences)
}

fn compare_rows(
    counter: &mut Counter<'_>,
    step: &str,
    days: &Value,
    rows: &[&Row<'_>],
) -> Result<Vec<String>, HisError> {
    let name = format!("{}.txt", step.replace('/', "-"));
    let text: String = rows.iter().map(|row| line(row)).collect();
    let upload = json!({
        "fsUploadIn": {
            "in": base64(text.as_bytes()), "filename": name,
            "fixmedins_code": counter.setup.fixmedins_code
        }
    });
    let number = counter.ask(&format!("{step}-upload"), "9101", &upload)?.done()?;
    let number = number.text_at("/data/file_qury_no")?;
    let Figures { medfee, fund, cash, .. } = sums(rows);
    let mut data = days.clone();
    data["file_qury_no"] = json!(number);
    data["medfee_sumamt"] = json!(Fen(medfee).text());
    data["fund_pay_sumamt"] = json!(Fen(fund).text());
    data["cash_payamt"] = json!(Fen(cash).text());
    data["fixmedins_setl_cnt"] = json!(rows.len().to_string());
    let details = format!("{step}-rows");
    let answer = counter.ask(&details, "3202", &json!({ "data": data }))?.done()?;
    if answer.text_at("/fileinfo/stmt_rslt")? == SAME {
        return Ok(Vec::new());
    }
    let mut differences =
        vec![format!("{details}: {}", answer.text_at("/fileinfo/stmt_rslt_dscr")?)];
    let wanted = json!({
        "fsDownloadIn": {
            "file_qury_no": answer.text_at("/fileinfo/file_qury_no")?,
            "filename": answer.text_at("/fileinfo/filename")?,
            "fixmedins_code": counter.setup.fixmedins_code
        }
    });
    let result = counter.download(&format!("{step}-result"), &wanted)?;
    // psn_no, mdtrt_id, setl_id, msgid, stmt_rslt, refd_setl_flag, memo, and the sums.
    differences.extend(result.lines().map(|row| {
        let values: Vec<&str> = row.split('\t').collect();
        let at = |place: usize| values.get(place).copied().unwrap_or_default();
        format!("{details}: settlement {}, visit {}: {}", at(2), at(1), at(6))
    }));
    Ok(differences)
}

/// A file's bytes as 9101 takes them.
#[must_use]
pub fn base64(bytes: &[u8]) -> String {
    Base64::encode_string(bytes)
}

/// A row as 3202's file has it.
fn line(row: &Row<'_>) -> String {
    let Booking { setl_id, mdtrt_id, psn_no, .. } = row.booking;
    let Figures { medfee, fund, account, .. } = row.figures;
    let [medfee, fund, account] = [medfee, fund, account].map(|fen| Fen(fen).text());
    let flag = u8::from(row.is_refund);
    format!("{setl_id}\t{mdtrt_id}\t{psn_no}\t{medfee}\t{fund}\t{account}\t{flag}\r\n")
}
