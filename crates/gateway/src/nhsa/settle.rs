//! 2207: a visit is settled: `settle_visit`, signed by the hospital and countersigned by the
//! bureau, which has sorted the lines itself.
//!
//! Consent is the form of an identity document at the desk, also where the wallet showed its code:
//! fund-paid care and cash, never the personal account; the person may contest it. The cash part
//! is taken by the hospital's own system and stays the hospital's claim on the ledger.

use ledger::modules::visit::{Consent, SettleVisit, SettlementRecord, Split};
use primitives::{Hash, codec};
use serde_json::Value;
use vault::BillContent;

use super::desk::{Care, Message, damaged};
use super::field::Record;
use super::preview::{Claimed, INPUT, OUTPUT};
use super::refusal::Refusal;
use super::split::{self, Settled};
use super::trace::{SETTLED_CODES, settled_codes};
use super::{Run, Transaction, clock_time};
use crate::api::quote::reasons;
use crate::api::refund::keep_settled;
use crate::api::request::keep_sealed;

pub(super) static TRANSACTION: Transaction = Transaction {
    number: "2207",
    name: "门诊结算",
    input: &[INPUT, SETTLED_CODES],
    output: OUTPUT,
    run: Run::OfVisit(run),
};

fn run(message: &Message<'_>, record: &Record) -> Result<Value, Refusal> {
    let claimed = Claimed::read(message, record, Care::Outpatient)?;
    let codes = settled_codes(&message.envelope.input, &claimed.lines)?;
    let output = settle(message, record, &claimed)?;
    let _one_sale = message.one_sale();
    for (code, is_opened) in codes {
        message.keep_traces((&[code], record.text("mdtrt_id")), false, is_opened)?;
    }
    Ok(output)
}

/// Settles a visit.
///
/// # Errors
/// Why it is not settled.
pub(super) fn settle(
    message: &Message<'_>,
    record: &Record,
    claimed: &Claimed,
) -> Result<Value, Refusal> {
    let number = record.text("mdtrt_id");
    let wallet = message.wallet()?;
    let signers = [message.machine(), &*wallet.bureau];
    let placed = message.put(&signers, || body(message, record, claimed))?;
    let settlement: SettlementRecord = codec::decode(&placed.receipt.witness).map_err(damaged)?;
    let transaction = settlement.transaction_id;
    let settled = Settled {
        mdtrt_id: number,
        setl_id: Some(message.settlement_number(&transaction)),
        psn_no: record.text("psn_no"),
        name: &claimed.person.name,
        subject: &settlement.subject,
        time: Some(clock_time(placed.receipt.record.time)),
    };
    let split = Split::of(&settlement.parts).ok_or_else(|| damaged(()))?;
    let explanation = reasons(message.call, &settlement.parts)?;
    let mut output = split::answer(message, &settled, &split, explanation.as_ref());
    let lines = claimed.lines_of(message, &settlement.subject)?;
    output["feedetail"] = Value::Array(lines);
    message.keep_settlement(number, &output)?;
    Ok(output)
}

/// The settlement, once the bill is kept sealed for hospital and bureau.
fn body(message: &Message<'_>, record: &Record, claimed: &Claimed) -> Result<SettleVisit, Refusal> {
    let (seen, quote) = claimed.quote(message, record)?;
    let wallet = message.wallet()?;
    let text = serde_json::to_string(&claimed.bill()?).map_err(damaged)?;
    let salt = message.id("salt");
    let content =
        BillContent { salt, bill: text.clone().into_bytes(), sums: codec::encode(&quote.sums) };
    let (visit, bill) = (claimed.known.visit, content.commitment());
    keep_sealed(message.call, &wallet, &seen, visit, &content)?;
    keep_settled(&wallet, &bill, (Hash(salt), &text, ""), message.call.now)?;
    Ok(SettleVisit {
        visit,
        bill,
        sums: quote.sums,
        use_personal_account: false,
        use_family_account: false,
        split: quote.split,
        cash: None,
        consent: Consent::IdentityCard,
    })
}
