//! What the hospital believes it charged: its own entries, added up by itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::HisError;
use crate::care::Care;
use crate::message::Answer;
use crate::money::Fen;

/// The sums of a settlement, in fen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// What was charged.
    pub medfee: i64,
    /// What the funds pay.
    pub fund: i64,
    /// What the personal account pays.
    pub account: i64,
    /// What relatives' personal accounts pay.
    pub relatives: i64,
    /// What the patient pays.
    pub cash: i64,
    /// What the hospital bears itself.
    pub hospital: i64,
}

/// A settlement as the hospital booked it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Booking {
    /// The day.
    pub day: String,
    /// What kind of care.
    #[serde(default)]
    pub care: Care,
    /// The step that settled it.
    pub step: String,
    /// The scheme.
    pub insutype: String,
    /// The patient's number.
    pub psn_no: String,
    /// The visit's number.
    pub mdtrt_id: String,
    /// The settlement's number.
    pub setl_id: String,
    /// The number of the message that settled it.
    pub msgid: String,
    /// Its sums.
    pub figures: Figures,
    /// On which day it was given back, if it was.
    pub undone: Option<String>,
    /// The order by which it was paid on a phone, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<Order>,
    /// The packs that were sold with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sold: Vec<Sold>,
}

/// An order of mobile payment, as the platform calls it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Its number.
    pub number: String,
    /// What shows that it is the hospital's.
    pub token: String,
}

/// Packs that were sold as a line of a settlement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sold {
    /// The line's number.
    pub serial: String,
    /// The item.
    pub item: String,
    /// How many packs.
    pub count: i64,
    /// Their trace codes.
    pub codes: Vec<String>,
}

/// Sums over settlements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// How many were settled.
    pub settled: u64,
    /// How many of them were given back.
    pub undone: u64,
    /// What stands in the end.
    pub figures: Figures,
}

impl Figures {
    /// The sums of an answer to a settlement, its preview or its undoing.
    ///
    /// # Errors
    /// When one is missing.
    pub fn read(answer: &Answer) -> Result<Self, HisError> {
        if answer.output.pointer("/data/feeSumamt").is_some() {
            return Self::of_order(answer);
        }
        let amount = |field: &str| answer.amount_at(&format!("/setlinfo/{field}"));
        Ok(Self {
            medfee: amount("medfee_sumamt")?.0,
            fund: amount("fund_pay_sumamt")?.0,
            account: amount("acct_pay")?.0,
            relatives: amount("acct_mulaid_pay")?.0,
            cash: amount("psn_cash_pay")?.0,
            hospital: amount("hosp_part_amt")?.0,
        })
    }

    /// The sums of an order, which are told in fen. What relatives give is in the account's.
    fn of_order(answer: &Answer) -> Result<Self, HisError> {
        let fen = |field: &str| answer.fen_at(&format!("/data/{field}"));
        Ok(Self {
            medfee: fen("feeSumamt")?.0,
            fund: fen("fundPay")?.0,
            account: fen("psnAcctPay")?.0,
            relatives: 0,
            cash: fen("ownPayAmt")?.0,
            hospital: fen("hospPartAmt")?.0,
        })
    }

    /// Whether who pays makes up what is charged.
    #[must_use]
    pub const fn adds_up(self) -> bool {
        let paid = self.fund + self.account + self.relatives + self.cash + self.hospital;
        paid == self.medfee
    }

    /// The same, given back.
    #[must_use]
    pub const fn negative(self) -> Self {
        Self {
            medfee: -self.medfee,
            fund: -self.fund,
            account: -self.account,
            relatives: -self.relatives,
            cash: -self.cash,
            hospital: -self.hospital,
        }
    }

    /// The sum of both.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            medfee: self.medfee + other.medfee,
            fund: self.fund + other.fund,
            account: self.account + other.account,
            relatives: self.relatives + other.relatives,
            cash: self.cash + other.cash,
            hospital: self.hospital + other.hospital,
        }
    }
}

/// The sums of the settlements of some bookings, by kind of care and scheme.
pub fn totals<'a>(bookings: impl Iterator<Item = &'a Booking>) -> BTreeMap<(Care, String), Totals> {
    let mut all: BTreeMap<(Care, String), Totals> = BTreeMap::new();
    for booking in bookings {
        let one = all.entry((booking.care, booking.insutype.clone())).or_default();
        one.settled += 1;
        if booking.undone.is_some() {
            one.undone += 1;
        } else {
            one.figures = one.figures.plus(booking.figures);
        }
    }
    all
}

/// What does not add up in an answer to a settlement of this total.
///
/// # Errors
/// When a sum is missing.
pub fn contradictions(answer: &Answer, total: Fen) -> Result<Vec<String>, HisError> {
    let amount = |field: &str| answer.amount_at(&format!("/setlinfo/{field}"));
    let sum = |fields: &[&str]| -> Result<Fen, HisError> {
        fields.iter().map(|field| amount(field)).sum()
    };
    let rows = |list: &str, field: &str| -> Fen {
        answer.rows(list).iter().filter_map(|row| row.get(field).and_then(Fen::read)).sum()
    };
    let charged = amount("medfee_sumamt")?;
    let policy = ["fulamt_ownpay_amt", "overlmt_selfpay", "preselfpay_amt", "inscp_scp_amt"];
    let funds =
        ["hifp_pay", "cvlserv_pay", "hifes_pay", "hifmi_pay", "hifob_pay", "maf_pay", "oth_pay"];
    let person = sum(&["acct_pay", "acct_mulaid_pay", "psn_cash_pay"])?;
    let hospital = amount("hosp_part_amt")?;
    let own_waiver: Fen = answer
        .rows("setldetail")
        .iter()
        .filter(|row| row.get("fund_pay_type").and_then(Value::as_str) == Some("630100"))
        .filter_map(|row| row.get("fund_payamt").and_then(Fen::read))
        .sum();
    let told = [
        ("medfee_sumamt", charged, "what was charged", total),
        ("the classes", sum(&policy)?, "medfee_sumamt", charged),
        ("the lines", rows("feedetail", "det_item_fee_sumamt"), "medfee_sumamt", charged),
        ("funds, person and hospital", sum(&funds)? + person + hospital, "medfee_sumamt", charged),
        ("psn_part_amt", amount("psn_part_amt")?, "its parts", person),
        ("setldetail", rows("setldetail", "fund_payamt"), "the funds", sum(&funds)? + own_waiver),
    ];
    let differs = told.iter().filter(|(_, one, _, other)| one != other);
    Ok(differs
        .map(|(what, one, against, other)| {
            format!("{what} {} is not {against} {}", one.text(), other.text())
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(cash: &str) -> Answer {
        let output = json!({
            "setlinfo": {
                "medfee_sumamt": "400.00", "fulamt_ownpay_amt": "0.00", "overlmt_selfpay": "0.00",
                "preselfpay_amt": "10.00", "inscp_scp_amt": "390.00", "hifp_pay": "145.00",
                "cvlserv_pay": "0.00", "hifes_pay": "0.00", "hifmi_pay": "0.00", "hifob_pay": "0.00",
                "maf_pay": "0.00", "oth_pay": "0.00", "psn_part_amt": "255.00", "acct_pay": "0.00",
                "acct_mulaid_pay": "0.00", "psn_cash_pay": cash, "hosp_part_amt": "0.00",
                "fund_pay_sumamt": "145.00"
            },
            "setldetail": [{ "fund_pay_type": "310100", "fund_payamt": "145.00" }],
            "feedetail": [{ "det_item_fee_sumamt": "300.00" }, { "det_item_fee_sumamt": "100.00" }]
        });
        let text = json!({ "infcode": "0", "output": output.to_string() }).to_string();
        Answer::read("settle", text).expect("an answer")
    }

    #[test]
    fn an_answer_that_does_not_add_up_is_told_apart() {
        let right = answer("255.00");
        assert_eq!(contradictions(&right, Fen(40_000)).expect("sums"), Vec::<String>::new());
        let other_total = contradictions(&right, Fen(40_001)).expect("sums");
        assert_eq!(other_total, ["medfee_sumamt 400.00 is not what was charged 400.01"]);
        let wrong = contradictions(&answer("254.99"), Fen(40_000)).expect("sums");
        assert_eq!(wrong.len(), 2, "{wrong:?}");
        assert!(contradictions(&answer(""), Fen(40_000)).is_err());
    }

    #[test]
    fn what_was_given_back_does_not_stand() {
        let figures = Figures { medfee: 40_000, fund: 14_500, cash: 25_500, ..Figures::default() };
        let booking = |undone: Option<&str>| Booking {
            day: "2026-01-10".to_owned(),
            care: Care::Stay,
            step: String::new(),
            insutype: "310".to_owned(),
            psn_no: String::new(),
            mdtrt_id: String::new(),
            setl_id: String::new(),
            msgid: String::new(),
            figures,
            undone: undone.map(str::to_owned),
            order: None,
            sold: Vec::new(),
        };
        let all = [booking(None), booking(Some("2026-01-11")), booking(None)];
        let sums = totals(all.iter());
        let sums = sums[&(Care::Stay, "310".to_owned())];
        assert_eq!((sums.settled, sums.undone), (3, 1));
        assert_eq!(sums.figures, figures.plus(figures));
        assert_eq!(figures.plus(figures.negative()), Figures::default());
    }
}
