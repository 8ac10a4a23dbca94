//! 2207: a visit is settled: `settle_visit`, signed by the hospital and countersigned by the
//! bureau, which has sorted the lines itself.
//!
//! Consent is the form of an identity document at the desk, also where the wallet showed its code:
//! fund-paid care and cash, never the personal account; the person may contest it. The cash part
//! is taken by the hospital's own system and stays the hospital's claim on the ledger. Where the
//! personal account is asked for, the person confirms on the phone, and no cash may be left.

use ledger::Transaction as Sent;
use ledger::modules::visit::{Consent, SettleVisit, SettlementRecord, Split};
use primitives::{Hash, codec};
use serde_json::Value;
use vault::BillContent;

use super::ask::{Asking, settled, take_back};
use super::desk::{Care, Message, damaged};
use super::field::Record;
use super::preview::{Claimed, INPUT, OUTPUT, uses_account};
use super::refusal::Refusal;
use super::split::{self, Settled};
use super::trace::{SETTLED_CODES, settled_codes};
use super::{Run, Transaction, clock_time};
use crate::api::quote::reasons;
use crate::api::refund::keep_bill;
use crate::api::request::{RequestStanding, keep_sealed, standing_of};
use crate::port::IndexedReceipt;
use crate::wallet::Machine;

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
    let placed = if uses_account(record) {
        by_phone(message, record, claimed)
            .map_err(|refusal| refusal.of(record.path("acct_used_flag")))?
    } else {
        take_back(message, claimed.known.visit)?;
        let wallet = message.wallet()?;
        let machine = message.machine();
        let signers: [&dyn Machine; 2] = [&machine, &*wallet.bureau];
        message.put(&signers, || body(message, record, claimed))?
    };
    let settlement: SettlementRecord = codec::decode(&placed.receipt.witness).map_err(damaged)?;
    let transaction = settlement.transaction_id;
    let settled = Settled {
        mdtrt_id: number,
        setl_id: Some(message.settlement_number(&transaction)),
        transaction: Some(transaction),
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

/// The settlement that the person confirmed on the phone: the first time it is sent there, and the
/// same message again asks what became of it.
fn by_phone(
    message: &Message<'_>,
    record: &Record,
    claimed: &Claimed,
) -> Result<IndexedReceipt, Refusal> {
    let sent = message.institution.book.outgoing(message.envelope.msgid())?;
    let sent: Option<Sent> =
        sent.map(|bytes| codec::decode(&bytes)).transpose().map_err(damaged)?;
    let waiting = || {
        let words = "已发送至参保人手机，15分钟内有效；请其确认后以原报文重发，即得结算结果";
        Err(Refusal::for_now(words))
    };
    if let Some(id) = sent.map(|sent| sent.content.id()) {
        if let Some(found) = settled(message, id)? {
            return Ok(found);
        }
        if let Some(request) = message.wallet()?.directory.request(&id)? {
            let words = match standing_of(message.call, &request)? {
                RequestStanding::Waiting => return waiting(),
                RequestStanding::Refused { .. } => {
                    "参保人在手机上拒绝；请核对费用后以新编号重发，或改填0"
                }
                _ => "参保人逾期未确认，或请求已撤回；请以新编号重发，或改填0",
            };
            return Err(Refusal::new(words));
        }
    }
    let (seen, _) = claimed.quote(message, record)?;
    let asking = Asking {
        visit: claimed.known.visit,
        seen: &seen,
        bill: &claimed.bill()?,
        uses_account: true,
        uses_card: false,
    };
    asking.ask(message)?;
    waiting()
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
    keep_bill(&wallet, &bill, (Hash(salt), &text, ""), message.call.now)?;
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
