//! What the machines of this gateway's organisations put on the ledger by themselves.

use std::sync::mpsc;

use ledger::kernel::registry::Kind;
use ledger::kernel::transaction::TRANSACTION_VERSION;
use ledger::{Authorisation, Content, IdempotencyKey, Rejection, Transaction};
use primitives::{Party, codec};
use proof::receipt::OutcomeCode;

use super::transaction::refused;
use super::wallet::random;
use crate::call::Call;
use crate::port::{IndexedReceipt, SubmitError};
use crate::problem::{Problem, code};
use crate::wallet::Machine;

/// For how long such a transaction is valid, in milliseconds.
const VALIDITY_MILLIS: u64 = 3_600_000;

/// A transaction that these machines sign; the first one brings it.
///
/// # Errors
/// When the system gives no randomness, or a machine does not sign.
pub(crate) fn signed<K: Kind>(
    call: &Call,
    machines: &[&dyn Machine],
    body: &K,
) -> Result<Transaction, Problem> {
    signed_for(call, machines, body, VALIDITY_MILLIS)
}

/// The same, valid for so many milliseconds.
///
/// # Errors
/// As [`signed`].
pub(crate) fn signed_for<K: Kind>(
    call: &Call,
    machines: &[&dyn Machine],
    body: &K,
    validity_millis: u64,
) -> Result<Transaction, Problem> {
    let author = machines.first().ok_or_else(|| Problem::new(&code::INTERNAL))?.organisation();
    let content = Content {
        version: TRANSACTION_VERSION,
        chain_id: call.gateway.port.chain().chain_id(),
        author: Party::Organisation(author),
        idempotency_key: IdempotencyKey(random()?),
        valid_until: call.instant().plus_millis(validity_millis),
        kind: K::NUMBER,
        body: codec::encode(body),
    };
    let authorisations = machines.iter().map(|machine| machine.authorise(&content));
    let authorisations = authorisations.collect::<Result<_, _>>()?;
    Ok(Transaction::signed_by(content, authorisations))
}

/// What somebody signed, with these machines' signatures besides; whoever signed with the key of a
/// machine has signed for it.
///
/// # Errors
/// When a machine does not sign.
pub(crate) fn signed_too(
    content: Content,
    mut authorisations: Vec<Authorisation>,
    machines: &[&dyn Machine],
) -> Result<Transaction, Problem> {
    for machine in machines {
        let own = machine.authorise(&content)?;
        if !authorisations.iter().any(|one| (one.party, one.key) == (own.party, own.key)) {
            authorisations.push(own);
        }
    }
    Ok(Transaction::signed_by(content, authorisations))
}

/// As [`execute`], for something of which the directory keeps more than the ledger: what the ledger
/// refused is forgotten there; what may still come stays.
///
/// # Errors
/// As [`execute`].
pub(crate) fn execute_kept(
    call: &Call,
    transaction: Transaction,
    forget: impl FnOnce(),
) -> Result<IndexedReceipt, Problem> {
    let id = transaction.content.id();
    execute(call, transaction).inspect_err(|_| {
        let found = call.gateway.port.chain().receipt_of_transaction(id).ok().flatten();
        if found.is_some_and(|one| one.receipt.record.outcome != OutcomeCode::Accepted) {
            forget();
        }
    })
}

/// Puts it on the ledger, and waits until it is durable; its receipt.
///
/// # Errors
/// Why it was not accepted.
pub(crate) fn execute(call: &Call, transaction: Transaction) -> Result<IndexedReceipt, Problem> {
    let (sender, receiver) = mpsc::channel();
    call.gateway.port.chain().submit(
        transaction,
        Box::new(move |result| {
            let _ = sender.send(result);
        }),
    );
    let result = receiver.recv().unwrap_or(Err(SubmitError::Unknown));
    let placed = result.map_err(|error| refused(&error))?.receipt;
    let receipt = &placed.receipt;
    match receipt.record.outcome {
        OutcomeCode::Accepted => Ok(placed),
        OutcomeCode::Rejected(number) => {
            let registry = call.gateway.port.chain().registry();
            let code = registry.rejection(number).ok_or_else(|| Problem::new(&code::INTERNAL))?;
            let detail = receipt.rejection_detail.clone();
            Err(Problem::rejected(&Rejection { code: *code, detail }))
        }
    }
}
