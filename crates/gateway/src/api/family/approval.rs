//! What is paid above a person's limits: the second person is asked as a relative is, sees the
//! very transaction, and what the second person signs is completed as it would have been before.
//!
//! Invariant: a payment is kept only when the ledger, tried with all other signatures, lacks the
//! second person's and nothing else (test
//! `above_the_limits_a_payment_waits_for_the_second_person`).

use ledger::kernel::registry::Kind;
use ledger::modules::family::SendTransfer;
use ledger::modules::person::{self, SetPaymentLimits};
use ledger::modules::premium::{PayPremiums, PayPremiumsFromAccounts};
use ledger::modules::visit::SettleVisit;
use ledger::{Authorisation, Content, Transaction};
use primitives::{PersonId, codec};

use super::form::FamilyAsked;
use super::invalid;
use crate::api::premium::pay::{payable, with_executor};
use crate::api::request::{confirmed, kept_for};
use crate::api::transaction::refused;
use crate::call::Call;
use crate::port::SubmitError;
use crate::problem::{Problem, code};
use crate::session::Session;

/// What a content asks a second person to agree to; nothing for other kinds.
///
/// # Errors
/// `malformed_transaction`.
pub(super) fn asked(content: &Content) -> Result<Option<FamilyAsked>, Problem> {
    Ok(Some(match content.kind {
        SettleVisit::NUMBER => FamilyAsked::SettleVisit(Box::new(body(content)?)),
        PayPremiums::NUMBER => FamilyAsked::PayPremiums(Box::new(body(content)?)),
        PayPremiumsFromAccounts::NUMBER => FamilyAsked::PayPremiumsFromAccounts(body(content)?),
        SendTransfer::NUMBER => FamilyAsked::SendTransfer(body(content)?),
        SetPaymentLimits::NUMBER => FamilyAsked::SetPaymentLimits(body(content)?),
        _ => return Ok(None),
    }))
}

fn body<K: Kind>(content: &Content) -> Result<K, Problem> {
    let malformed = |_| Problem::new(&code::TRANSACTION_MALFORMED).at("content.body");
    codec::decode(&content.body).map_err(malformed)
}

/// Who is to agree to what this person signed.
///
/// # Errors
/// What the ledger says other than that the second person is missing; `invalid_field`.
pub(super) fn whom(
    call: &Call,
    session: &Session,
    (asks, content): (PersonId, &Content),
    signed: &[Authorisation],
) -> Result<PersonId, Problem> {
    let own = session.party;
    let is_theirs = match asked(content)? {
        Some(FamilyAsked::SettleVisit(_)) => kept_for(call, &content.id(), asks)?,
        Some(FamilyAsked::PayPremiums(_)) => payable(call, session, content)?,
        Some(_) => content.author == own,
        None => false,
    };
    if !is_theirs || !signed.iter().all(|one| one.party == own) {
        return Err(invalid("content"));
    }
    let transaction = completed(call, asks, content.clone(), signed.to_vec())?;
    match call.gateway.port.chain().rehearse(transaction) {
        // Higher limits wait by themselves; with the second person they hold at once.
        Ok(_) if content.kind == SetPaymentLimits::NUMBER => {}
        Err(SubmitError::Rejected(rejection))
            if rejection.code == person::rejection::APPROVAL_MISSING => {}
        Err(error) => return Err(refused(&error)),
        Ok(_) => return Err(invalid("content")),
    }
    let limits = person::view::limits(&call.view.state, asks);
    let held = limits.and_then(|row| row.at(call.instant()));
    held.map(|limits| limits.approver).ok_or_else(|| invalid("content"))
}

/// The transaction with what bureau and bank sign of it.
///
/// # Errors
/// When the bill was withdrawn or is over, or a machine does not sign.
pub(super) fn completed(
    call: &Call,
    payer: PersonId,
    content: Content,
    signed: Vec<Authorisation>,
) -> Result<Transaction, Problem> {
    match content.kind {
        SettleVisit::NUMBER => confirmed(call, &content.id(), signed),
        PayPremiums::NUMBER => with_executor(call, payer, content, signed),
        _ => Ok(Transaction::signed_by(content, signed)),
    }
}
