//! A settlement that waits for the person's own confirmation on the phone: what the wallet shows is
//! the very transaction, which lacks nothing but the person's signature.

use benefit::Bill;
use ledger::Transaction as Sent;
use ledger::modules::person;
use ledger::modules::visit::{Consent, SettleVisit, Split, VisitRow};
use primitives::{Hash, VisitId, codec};
use proof::receipt::OutcomeCode;
use vault::BillContent;

use super::desk::{Message, damaged};
use super::field::yuan;
use super::refusal::Refusal;
use crate::access::SeenVisit;
use crate::api::machine::signed_for;
use crate::api::quote::{QuoteView, quote_bill, quote_bill_with_account};
use crate::api::request::ask_person;
use crate::port::IndexedReceipt;

/// For how long somebody is asked, in milliseconds. Our own limit.
const ASKED_MILLIS: u64 = 15 * 60_000;

/// An open visit whose bill somebody is asked to settle.
pub(super) struct Asking<'a> {
    /// The visit.
    pub visit: VisitId,
    /// As the ledger has it.
    pub seen: &'a SeenVisit,
    /// Its bill.
    pub bill: &'a Bill,
    /// Whether the personal account is to pay.
    pub uses_account: bool,
    /// Whether the bound card is to pay what is left; at a counter nobody may take it twice.
    pub uses_card: bool,
}

/// What somebody is asked.
pub(super) struct Asked {
    /// The id of the transaction.
    pub id: Hash,
    /// Who pays what by it.
    pub split: Split,
}

impl Asking<'_> {
    /// What it comes to.
    ///
    /// # Errors
    /// Why it cannot be adjudicated.
    pub fn quote(&self, message: &Message<'_>) -> Result<QuoteView, Refusal> {
        let bill = self.bill.clone();
        Ok(match &self.seen.row {
            VisitRow::Open(open) if self.uses_account => {
                quote_bill_with_account(message.call, open, bill)?
            }
            _ => quote_bill(message.call, &self.seen.subject, bill)?,
        })
    }

    /// Sends it to the person's phone. The same message again asks the very same.
    ///
    /// # Errors
    /// When nobody can be asked, or why it would not be settled.
    pub fn ask(&self, message: &Message<'_>) -> Result<Asked, Refusal> {
        let (book, msgid) = (&message.institution.book, message.envelope.msgid());
        let sent: Sent = match book.outgoing(msgid)? {
            Some(bytes) => codec::decode(&bytes).map_err(damaged)?,
            None => {
                let sent = self.composed(message)?;
                book.keep_outgoing(msgid, message.mark, &codec::encode(&sent))?;
                sent
            }
        };
        let body: SettleVisit = codec::decode(&sent.content.body).map_err(damaged)?;
        let asked = Asked { id: sent.content.id(), split: body.split.clone() };
        let is_sent = message.wallet()?.directory.request(&asked.id)?.is_some();
        if !is_sent {
            let (text, content) = self.sealed(message, codec::encode(&body.sums))?;
            if content.commitment() != body.bill {
                return Err(Refusal::new("明细在本报文发出后有变更；请以新编号重发"));
            }
            ask_person(message.call, self.seen, &body, (&content, text), sent)?;
        }
        Ok(asked)
    }

    fn sealed(
        &self,
        message: &Message<'_>,
        sums: Vec<u8>,
    ) -> Result<(String, BillContent), Refusal> {
        let text = serde_json::to_string(self.bill).map_err(damaged)?;
        let content =
            BillContent { salt: message.id("salt"), bill: text.clone().into_bytes(), sums };
        Ok((text, content))
    }

    /// The settlement with the hospital's signature.
    fn composed(&self, message: &Message<'_>) -> Result<Sent, Refusal> {
        let person = self.seen.subject.person;
        let row = person::view::person(&message.call.view.state, person);
        if row.is_none_or(|row| row.keys.is_empty()) {
            let words = "该参保人没有开通手机钱包，无法确认；请改到窗口结算（2206、2207）";
            return Err(Refusal::new(words));
        }
        let quote = self.quote(message)?;
        let (_, content) = self.sealed(message, codec::encode(&quote.sums))?;
        let left = quote.split.cash;
        let cash = if left.is_zero() {
            None
        } else if self.uses_card {
            Some(message.wallet()?.card_leg(person, &message.id("cash"))?.1)
        } else {
            let words = "个人账户不足以支付全部个人负担，还差";
            let remedy = "请改由手机支付（6201、6202），或改填0在窗口收现金";
            return Err(Refusal::new(format!("{words} {} 元；{remedy}", yuan(left))));
        };
        let body = SettleVisit {
            visit: self.visit,
            bill: content.commitment(),
            sums: quote.sums,
            use_personal_account: self.uses_account,
            use_family_account: false,
            split: quote.split,
            cash,
            consent: Consent::OwnKey,
        };
        Ok(signed_for(message.call, &[&message.machine()], &body, ASKED_MILLIS)?)
    }
}

/// The receipt of a settlement that somebody was asked for, once it is settled.
///
/// # Errors
/// When the history fails.
pub(super) fn settled(message: &Message<'_>, id: Hash) -> Result<Option<IndexedReceipt>, Refusal> {
    let found = message.call.gateway.port.chain().receipt_of_transaction(id)?;
    Ok(found.filter(|one| one.receipt.record.outcome == OutcomeCode::Accepted))
}

/// Takes back what the person was asked about an open visit, where it waits: its bill changes, or
/// it is settled at a counter.
///
/// # Errors
/// When the directory fails.
pub(super) fn take_back(message: &Message<'_>, visit: VisitId) -> Result<(), Refusal> {
    Ok(message.wallet()?.directory.withdraw_requests(visit).map(drop)?)
}
