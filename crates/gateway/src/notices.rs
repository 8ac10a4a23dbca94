//! What becomes a notice: what others did that concerns a person, and what waits for one.

use adapters::notice::{About, Message};
use primitives::{Hash, Party, PersonId, sha256_parts};
use proof::receipt::OutcomeCode;

use crate::port::{IndexedReceipt, Port};
use crate::wallet::Wallet;

/// The kinds of transaction of which people hear, and what they are about. Of the others they hear
/// nothing: what they do at a desk themselves, and what only lists and books are told.
const KINDS: [(About, &[&str]); 4] = [
    (
        About::Money,
        &[
            "accept_claim",
            "adjust_later_settlements",
            "cancel_premium",
            "credit_personal_accounts",
            "end_coverage",
            "move_coverage",
            "move_person",
            "pay_claim",
            "pay_differences",
            "pay_premiums",
            "pay_premiums_from_accounts",
            "refund_visit",
            "resume_coverage",
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
            "ask_unlock",
            "block_card",
            "close_person",
            "lock_person",
            "register_card",
            "remove_guardian",
            "report_pin_failure",
            "reset_pin_counter",
            "revoke_person_key",
            "set_guardian",
            "unlock_person",
        ],
    ),
    (
        About::Family,
        &[
            "apply_for_binding",
            "bind_member",
            "decide_binding",
            "grant_aid",
            "revoke_aid",
            "unbind_member",
        ],
    ),
    (About::Answer, &["answer_objection", "decide_contest", "refuse_claim"]),
];

/// What a receipt of this kind of transaction is about for the people whom it concerns.
fn about(kind: &str) -> Option<About> {
    // However a lost key comes back, its person hears of it.
    if kind.contains("recover") {
        return Some(About::Protection);
    }
    KINDS.into_iter().find_map(|(about, kinds)| kinds.contains(&kind).then_some(about))
}

/// Notes what a committed receipt tells those of its people who asked for notices.
pub(crate) fn note_receipt(port: &dyn Port, receipt: &IndexedReceipt) {
    let Some(wallet) = port.wallet() else { return };
    if receipt.receipt.record.outcome != OutcomeCode::Accepted {
        return;
    }
    let kind = port.chain().registry().by_number(receipt.receipt.record.kind);
    let Some(about) = kind.and_then(|kind| about(kind.name)) else { return };
    let people = receipt.receipt.concerns.iter().filter_map(|party| match party {
        Party::Person(person) => Some(*person),
        Party::Organisation(_) => None,
    });
    for person in people.filter(|person| wallet.notices.post.book().has_asked(*person)) {
        note(&wallet, person, about, &receipt.receipt.record.transaction_id);
    }
}

/// Notes that something with this id waits for a person, or was done for one. What was done stays
/// done when it cannot be noted.
pub(crate) fn note(wallet: &Wallet, person: PersonId, about: About, what: &Hash) {
    let id = sha256_parts(&[b"yibao/notice/v2", &person.0, about.name().as_bytes(), &what.0]);
    if let Err(error) = wallet.notices.post.note(&Message { id, to: person, about }) {
        tracing::error!(%error, "a notice cannot be noted");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_which_people_hear_is_one() {
        let registry = ledger::registry();
        let known: Vec<&str> = registry.kinds().iter().map(|kind| kind.name).collect();
        let mut named = Vec::new();
        for (expected, kinds) in KINDS {
            for kind in kinds {
                assert!(known.contains(kind), "there is no `{kind}`");
                assert!(!named.contains(kind), "`{kind}` is about two things");
                assert_eq!(about(kind), Some(expected));
                named.push(kind);
            }
        }
        // Who stands at a desk is not told of standing there.
        assert_eq!(about("check_in"), None);
    }
}
