//! What becomes a notice: what others did that concerns a person, and what waits for one.

use std::sync::{Arc, Weak};

use adapters::notice::{About, Message, NoticeError};
use ledger::Receipt;
use ledger::modules::{family, person};
use primitives::{Hash, Party, PersonId, sha256_parts};
use proof::receipt::{FieldValue, OutcomeCode};

use crate::port::{IndexedReceipt, Order, Port, PortError, View};
use crate::wallet::Wallet;

/// The kinds of transaction of which people hear, and what they are about.
const TOLD: [(About, &[&str]); 4] = [
    (
        About::Money,
        &[
            "accept_claim",
            "adjust_later_settlements",
            "cancel_premium",
            "confirm_effect",
            "correct_claim",
            "credit_personal_accounts",
            "end_coverage",
            "enrol_coverage",
            "move_coverage",
            "move_person",
            "pay_claim",
            "pay_differences",
            "pay_premiums",
            "pay_premiums_from_accounts",
            "record_claim_repayment",
            "refund_visit",
            "resume_coverage",
            "retry_effect",
            "settle_difference",
            "settle_visit",
            "supersede_settlement",
            "suspend_coverage",
            "take_deposit",
        ],
    ),
    (
        About::Protection,
        &[
            "add_person_key",
            "agree_recovery",
            "ask_recovery",
            "ask_unlock",
            "block_card",
            "close_person",
            "complete_recovery",
            "lock_person",
            "register_card",
            "remove_guardian",
            "report_pin_failure",
            "reset_pin_counter",
            "revoke_person_key",
            "set_guardian",
            "set_payment_limits",
            "stop_recovery",
            "unlock_person",
        ],
    ),
    (
        About::Family,
        &[
            "apply_for_binding",
            "bind_member",
            "claim_transfer",
            "decide_binding",
            "grant_aid",
            "revoke_aid",
            "send_transfer",
            "unbind_member",
            "withdraw_transfer",
        ],
    ),
    (About::Answer, &["answer_objection", "decide_contest", "refuse_claim"]),
];

/// How many receipts are looked at before the place in the log is kept, where none of them told
/// anybody anything. After a crash they are looked at again, which changes nothing.
const KEPT_EVERY: u64 = 256;

/// What a receipt of this kind of transaction is about for the people whom it concerns.
fn about(kind: &str) -> Option<About> {
    TOLD.into_iter().find_map(|(about, kinds)| kinds.contains(&kind).then_some(about))
}

/// Notes what committed receipts tell people, each once, also those that were committed while the
/// program stood.
pub(crate) struct Noting {
    /// It may outlive the gateway: the ledger's stream ends with the node.
    port: Weak<dyn Port>,
    /// The place in the log that the book knows.
    kept: u64,
}

impl Noting {
    /// For the receipts of this ledger.
    pub(crate) fn new(port: &Arc<dyn Port>) -> Self {
        Self { port: Arc::downgrade(port), kept: 0 }
    }

    /// Notes what was committed since the last receipt that was looked at. A new book begins with
    /// what comes next.
    pub(crate) fn catch_up(&mut self) {
        let Some(port) = self.port.upgrade() else { return };
        let Some(wallet) = port.wallet() else { return };
        let end = port.chain().view().tip.receipts;
        let caught_up = || -> Result<(), CatchUpError> {
            // A log that lost receipts, as its operator said, goes on below what was looked at.
            let from = wallet.notices.post.book().next_receipt()?.unwrap_or(end).min(end);
            for receipt in missed(&*port, from, end) {
                note_receipt(&*port, &wallet, &receipt?);
            }
            Ok(wallet.notices.post.book().set_next_receipt(end)?)
        };
        match caught_up() {
            Ok(()) => self.kept = end,
            Err(error) => tracing::error!(%error, "what happened meanwhile is not told"),
        }
    }

    /// Notes what the next receipt tells.
    pub(crate) fn note(&mut self, receipt: &IndexedReceipt) {
        let Some(port) = self.port.upgrade() else { return };
        let Some(wallet) = port.wallet() else { return };
        let has_told = note_receipt(&*port, &wallet, receipt);
        let next = receipt.index.saturating_add(1);
        if !has_told && next.saturating_sub(self.kept) < KEPT_EVERY {
            return;
        }
        match wallet.notices.post.book().set_next_receipt(next) {
            Ok(()) => self.kept = next,
            Err(error) => tracing::error!(%error, "the place in the log is not kept"),
        }
    }
}

/// Why missed receipts were not looked at.
#[derive(Debug, thiserror::Error)]
enum CatchUpError {
    /// The book failed.
    #[error(transparent)]
    Book(#[from] NoticeError),
    /// The receipts cannot be read.
    #[error(transparent)]
    Port(#[from] PortError),
}

/// The receipts of these places. A node that has not all rows at hand is shown those alone that
/// concern its organisation.
fn missed(
    port: &dyn Port,
    from: u64,
    end: u64,
) -> Box<dyn Iterator<Item = Result<IndexedReceipt, PortError>> + '_> {
    let chain = port.chain();
    if chain.view().rows().is_at_hand() {
        return Box::new((from..end).filter_map(|index| chain.receipt(index).transpose()));
    }
    let (operator, mut after) = (Party::Organisation(port.operator()), from.checked_sub(1));
    let pages = std::iter::from_fn(move || {
        let page = chain.receipts_of(operator, Order::OldestFirst, after, 100);
        after = page.as_ref().map_or(None, |page| page.last().map(|last| last.index));
        match page {
            Ok(page) if page.is_empty() => None,
            Ok(page) => Some(page.into_iter().map(Ok).collect::<Vec<_>>()),
            Err(error) => Some(vec![Err(error)]),
        }
    });
    let is_missed = move |receipt: &Result<IndexedReceipt, PortError>| {
        receipt.as_ref().map_or(true, |receipt| receipt.index < end)
    };
    Box::new(pages.flatten().take_while(is_missed))
}

/// Notes what a committed receipt tells those of its people who asked for notices. Says whether it
/// told anybody anything.
fn note_receipt(port: &dyn Port, wallet: &Wallet, indexed: &IndexedReceipt) -> bool {
    let receipt = &*indexed.receipt;
    if receipt.record.outcome != OutcomeCode::Accepted {
        return false;
    }
    let kind = port.chain().registry().by_number(receipt.record.kind);
    let Some(about) = kind.and_then(|kind| about(kind.name)) else { return false };
    let people = receipt.concerns.iter().filter_map(|party| match party {
        Party::Person(person) => Some(*person),
        Party::Organisation(_) => None,
    });
    let book = wallet.notices.post.book();
    // Nobody is told of what was before they asked.
    let asked = |person: &PersonId| book.asked_since(*person).is_some_and(|at| at <= indexed.index);
    let told: Vec<PersonId> = people.filter(asked).collect();
    if told.is_empty() {
        return false;
    }
    let view = port.chain().view();
    note_way_back((wallet, &view), &told, receipt);
    for person in &told {
        let about = match about {
            // Whoever guards somebody is not told of a wallet as if it were the own one.
            About::Protection if person::view::whom(receipt) != Some(*person) => About::Family,
            About::Protection => {
                keep_browsers(wallet, &view, *person);
                About::Protection
            }
            other => other,
        };
        note((wallet, &view), *person, about, &receipt.record.transaction_id);
    }
    true
}

/// Notes for the sender of a transfer when it will have come back, and forgets that once it ended
/// another way: nothing happens on the ledger when its time is over.
fn note_way_back((wallet, view): (&Wallet, &View), told: &[PersonId], receipt: &Receipt) {
    let transfer = receipt.fields.iter().find_map(|field| match field.value {
        FieldValue::Hash(transfer) if &*field.name == "transfer" => Some(transfer),
        _ => None,
    });
    let Some(transfer) = transfer else { return };
    let row = family::view::transfer(view.rows(), transfer);
    let (Some(row), Ok(())) = (row, view.check()) else { return };
    let (sender, until) = (row.sender, row.until);
    let back = sha256_parts(&[b"yibao/transfer-back/v1", &transfer.0]);
    let id = notice_id(sender, About::Family, &back);
    let post = &wallet.notices.post;
    let noted = if row.ended.is_some() {
        post.take_back(&id)
    } else if told.contains(&sender) {
        let all_ways = is_locked(view, sender);
        let message = Message { id, to: sender, about: About::Family, all_ways };
        post.note_at(&message, until).map(|_| ())
    } else {
        Ok(())
    };
    if let Err(error) = noted {
        tracing::error!(%error, "the way back of a transfer is not told");
    }
}

/// Forgets the browsers of a person in which a key asked that is not the person's any more.
fn keep_browsers(wallet: &Wallet, view: &View, person: PersonId) {
    let row = person::view::person(view.rows(), person);
    // A row that could not be read looks like one that is not there.
    let (Some(row), Ok(())) = (row, view.check()) else { return };
    let keys: Vec<_> = row.keys.iter().map(|one| one.key).collect();
    if let Err(error) = wallet.notices.post.book().keep_browsers_of(person, &keys) {
        tracing::error!(%error, "the browsers of a key that is gone are not forgotten");
    }
}

/// Notes that something with this id waits for a person, or was done for one. What was done stays
/// done when it cannot be noted.
pub(crate) fn note((wallet, view): (&Wallet, &View), person: PersonId, about: About, what: &Hash) {
    if !wallet.notices.post.book().has_asked(person) {
        return;
    }
    let id = notice_id(person, about, what);
    let all_ways = about == About::Protection || is_locked(view, person);
    let message = Message { id, to: person, about, all_ways };
    if let Err(error) = wallet.notices.post.note(&message) {
        tracing::error!(%error, "a notice cannot be noted");
    }
}

/// The id of a notice: noting it again changes nothing.
fn notice_id(person: PersonId, about: About, what: &Hash) -> Hash {
    sha256_parts(&[b"yibao/notice/v2", &person.0, about.name().as_bytes(), &what.0])
}

fn is_locked(view: &View, person: PersonId) -> bool {
    person::view::person(view.rows(), person).is_some_and(|row| row.lock.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The kinds of which people hear nothing: what they do at a desk themselves, what waits for
    /// somebody else, and what only organisations are told. A new kind is placed here or in
    /// [`TOLD`].
    const SILENT: &[&str] = &[
        "admit_node",
        "admit_organisation",
        "answer_interregion_statement",
        "approve_differences",
        "approve_payout",
        "approve_plan",
        "ask_audit",
        "assign_payer_fund",
        "assign_slot",
        "attest_facts",
        "authorise_key",
        "cancel_visit",
        "check_in",
        "clear_suspense",
        "close_bank_day",
        "close_fund",
        "close_interregion_month",
        "close_month",
        "confirm_region_payment",
        "contest_consent",
        "contribute",
        "draft_plan",
        "end_audit",
        "end_filing",
        "end_item_dispute",
        "end_slot",
        "enrol_person",
        "file_claim",
        "grant_audit",
        "import_coverages",
        "import_persons",
        "issue_voucher",
        "lock_premium",
        "mark_voucher_used",
        "object_to_settlement",
        "open_fund",
        "open_region",
        "pay_provider",
        "propose_differences",
        "propose_payout",
        "publish_exchange_rate",
        "publish_plan",
        "record_filing",
        "record_payout_results",
        "register_premiums",
        "release_hold_back",
        "release_premium",
        "remap_blind_indices",
        "remove_node",
        "resume_organisation",
        "review_plan",
        "revoke_key",
        "rotate_node_key",
        "rotate_root_key",
        "schedule_upgrade",
        "set_aid_rules",
        "set_claim_rules",
        "set_clearing_rules",
        "set_fund_floor",
        "set_governing_set",
        "set_interregion_rules",
        "set_premium_season",
        "set_provider_budget",
        "set_proxy_rules",
        "set_recovery_rules",
        "set_region",
        "set_transfer_rules",
        "set_validators",
        "set_web_origins",
        "suspend_organisation",
        "take_over_effect",
        "transfer_between_funds",
        "unmark_voucher",
        "update_running_bill",
        "withdraw_claim",
        "withdraw_payout",
        "withdraw_plan",
        "withdraw_upgrade",
    ];

    #[test]
    fn every_kind_is_told_or_silent() {
        let registry = ledger::registry();
        let known: Vec<&str> = registry.kinds().iter().map(|kind| kind.name).collect();
        let mut placed: Vec<&str> = SILENT.to_vec();
        for (expected, kinds) in TOLD {
            for kind in kinds {
                assert_eq!(about(kind), Some(expected), "`{kind}` is about two things");
                placed.push(kind);
            }
        }
        for kind in &placed {
            assert!(known.contains(kind), "there is no `{kind}`");
            assert_eq!(placed.iter().filter(|other| *other == kind).count(), 1, "`{kind}` twice");
        }
        let missing: Vec<_> = known.iter().filter(|kind| !placed.contains(kind)).collect();
        assert!(missing.is_empty(), "told or silent? {missing:?}");
        // Who stands at a desk is not told of standing there.
        assert_eq!(about("check_in"), None);
    }
}
