//! Cash at the counter: change, refunds across clerks, shifts and what is missing at their end.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]

mod support;

use adapters::rail::{
    Action, Order, Outcome, Rail, Refusal, Verdict,
    conformance::Bench,
    counter::{
        Clerk, Counter, CounterError, Difference, EXPLANATION_BYTES_MAX, HandBack,
        REASON_BYTES_MAX, Taking,
    },
};
use primitives::Amount;
use support::{CounterBench, reference, yuan};

fn clerk(code: &str) -> Clerk {
    code.parse().unwrap()
}

fn taking(tag: &str, due: Amount, tendered: Amount) -> Taking {
    Taking { reference: reference(tag), clerk: clerk("clerk-7"), due, tendered }
}

fn refund(
    counter: &Counter,
    tag: &str,
    original: &str,
    amount: Amount,
    to: Option<&Clerk>,
) -> Outcome {
    let action = Action::Refund { original: reference(original), amount, to: to.map(Clerk::till) };
    counter.perform(&Order { reference: reference(tag), action })
}

#[track_caller]
fn refused(outcome: &Outcome, refusal: Refusal) {
    assert_eq!(outcome, &Outcome::Final(Verdict::Refused(refusal)));
}

#[track_caller]
fn done(outcome: &Outcome) {
    assert!(matches!(outcome, Outcome::Final(Verdict::Done(_))), "{outcome:?}");
}

#[test]
fn change_is_given_once_and_told_again() {
    let bench = CounterBench::new();
    let counter = bench.counter();
    let first = counter.take_money(&taking("a", yuan(37), yuan(50))).unwrap();
    assert_eq!((first.change, first.done.amount), (yuan(13), yuan(37)));
    // Asked again, even with other money in hand, the first answer stands.
    assert_eq!(counter.take_money(&taking("a", yuan(37), yuan(100))).unwrap(), first);
    let other = counter.take_money(&taking("a", yuan(38), yuan(50)));
    assert!(matches!(other, Err(CounterError::Refused(Refusal::ReferenceReused))));
    // The effect of the settlement finds the payment done.
    let action = Action::Pay { from: clerk("clerk-7").till(), amount: yuan(37) };
    let outcome = counter.perform(&Order { reference: reference("a"), action });
    assert_eq!(outcome, Outcome::Final(Verdict::Done(first.done)));
    let shift = counter.open_shift_of(&bench.clerk).unwrap();
    assert_eq!((shift.taken, shift.expected), (yuan(37), yuan(537)));
}

#[test]
fn too_little_money_is_named_and_nothing_is_booked() {
    let bench = CounterBench::new();
    let counter = bench.counter();
    let error = counter.take_money(&taking("a", yuan(37), yuan(36))).unwrap_err();
    assert_eq!(error.to_string(), "the payer handed over 1.00 CNY too little; ask for the rest");
    counter.take_money(&taking("a", yuan(37), yuan(37))).unwrap();
}

#[test]
fn nothing_moves_without_an_open_shift() {
    let bench = CounterBench::new();
    let counter = bench.counter();
    counter.take_money(&taking("a", yuan(10), yuan(10))).unwrap();
    counter.close_shift(&bench.clerk, yuan(510), None).unwrap();
    let late = counter.take_money(&taking("b", yuan(10), yuan(10)));
    assert!(matches!(late, Err(CounterError::Refused(Refusal::ShiftNotOpen))));
    refused(&refund(&counter, "r", "a", yuan(5), None), Refusal::ShiftNotOpen);
    let nobody = clerk("nobody");
    refused(&refund(&counter, "s", "a", yuan(5), Some(&nobody)), Refusal::ShiftNotOpen);
    let change = counter.add_change(reference("c"), &bench.clerk, yuan(5));
    assert!(matches!(change, Err(CounterError::Refused(Refusal::ShiftNotOpen))));
    assert!(matches!(counter.open_shift_of(&bench.clerk), Err(CounterError::NoShift)));
    assert!(matches!(counter.close_shift(&bench.clerk, yuan(1), None), Err(CounterError::NoShift)));
}

#[test]
fn a_token_that_is_no_till_has_no_shift() {
    let counter = CounterBench::new().counter();
    for token in ["card-1", "till:", "till:Upper", "till:-"] {
        let Ok(from) = token.parse() else { continue };
        let action = Action::Pay { from, amount: yuan(1) };
        let outcome = counter.perform(&Order { reference: reference(token), action });
        refused(&outcome, Refusal::ShiftNotOpen);
    }
}

#[test]
fn another_clerk_gives_back_what_the_first_took() {
    let bench = CounterBench::new();
    let counter = bench.counter();
    counter.take_money(&taking("a", yuan(60), yuan(60))).unwrap();
    counter.close_shift(&bench.clerk, yuan(560), None).unwrap();
    let second = clerk("clerk-8");
    counter.open_shift(&second, yuan(50)).unwrap();
    refused(&refund(&counter, "r1", "a", yuan(60), Some(&second)), Refusal::TillShort);
    counter.add_change(reference("c"), &second, yuan(10)).unwrap();
    counter.add_change(reference("c"), &second, yuan(10)).unwrap();
    done(&refund(&counter, "r2", "a", yuan(60), Some(&second)));
    let shift = counter.open_shift_of(&second).unwrap();
    assert_eq!((shift.added, shift.given_back, shift.expected), (yuan(10), yuan(60), Amount::ZERO));
    refused(
        &refund(&counter, "r3", "a", Amount::from_minor(1), Some(&second)),
        Refusal::ExceedsOriginal,
    );
    bench.audit().unwrap();
}

#[test]
fn change_from_the_safe_needs_an_amount() {
    let bench = CounterBench::new();
    let counter = bench.counter();
    let nothing = counter.add_change(reference("c"), &bench.clerk, Amount::ZERO);
    assert!(matches!(nothing, Err(CounterError::Refused(Refusal::AmountZero))));
    counter.add_change(reference("d"), &bench.clerk, yuan(1)).unwrap();
    let other = counter.add_change(reference("d"), &bench.clerk, yuan(2));
    assert!(matches!(other, Err(CounterError::Refused(Refusal::ReferenceReused))));
}

#[test]
fn a_shift_closes_even_over_or_short_by_name() {
    let long = "x".repeat(EXPLANATION_BYTES_MAX + 1);
    for (counted, difference) in [
        (yuan(537), Difference::Even),
        (yuan(540), Difference::Over(yuan(3))),
        (yuan(530), Difference::Short(yuan(7))),
        (Amount::ZERO, Difference::Short(yuan(537))),
    ] {
        let bench = CounterBench::new();
        let counter = bench.counter();
        counter.take_money(&taking("a", yuan(37), yuan(50))).unwrap();
        let close = |words| counter.close_shift(&bench.clerk, counted, words);
        if difference != Difference::Even {
            for words in [None, Some(""), Some("   "), Some(long.as_str())] {
                let Err(CounterError::DifferenceUnexplained { difference: found, .. }) =
                    close(words)
                else {
                    panic!("closed with {words:?}");
                };
                assert_eq!(found, difference);
            }
        }
        let shift = close(Some(" counted twice ")).unwrap();
        assert_eq!(shift.expected, yuan(537));
        let end = shift.close.clone().unwrap();
        assert_eq!((end.counted, end.difference), (counted, difference));
        assert_eq!(end.explanation.as_deref(), Some("counted twice"));
        // It is there after a restart, and the till starts the next shift empty.
        let counter = bench.counter();
        assert_eq!(counter.shift(shift.id).unwrap(), shift);
        let next = counter.open_shift(&bench.clerk, yuan(5)).unwrap();
        assert_eq!((next.expected, next.taken), (yuan(5), Amount::ZERO));
        counter.close_shift(&bench.clerk, yuan(5), None).unwrap();
        bench.audit().unwrap();
    }
}

#[test]
fn a_clerk_has_one_open_shift() {
    let bench = CounterBench::new();
    let counter = bench.counter();
    assert!(matches!(counter.open_shift(&bench.clerk, yuan(1)), Err(CounterError::ShiftOpen)));
    assert_eq!(counter.open_shift_of(&bench.clerk).unwrap().float, yuan(500));
    let empty = counter.open_shift(&clerk("clerk-8"), Amount::ZERO).unwrap();
    assert_eq!(empty.expected, Amount::ZERO);
}

#[test]
fn amounts_beyond_a_till_are_refused() {
    let bench = CounterBench::new();
    let counter = bench.counter();
    let open = counter.open_shift(&clerk("clerk-8"), Amount::MAX);
    assert!(matches!(open, Err(CounterError::AmountTooLarge)));
    let close = counter.close_shift(&bench.clerk, Amount::MAX, Some("x"));
    assert!(matches!(close, Err(CounterError::AmountTooLarge)));
    let take = counter.take_money(&taking("a", Amount::MAX, Amount::MAX));
    assert!(matches!(take, Err(CounterError::Refused(Refusal::PaymentLimit))));
}

#[test]
fn clerks_have_staff_codes() {
    for wrong in ["", "7", "Clerk", "a b", &"x".repeat(33), "-a", "till:a"] {
        assert!(wrong.parse::<Clerk>().is_err(), "{wrong}");
    }
    assert_eq!(clerk(&"x".repeat(32)).till().as_str().len(), 37);
}

#[test]
fn the_words_of_a_difference_say_which_way_it_goes() {
    let words = |difference: Difference| difference.detail(primitives::Currency::CNY).to_string();
    assert_eq!(words(Difference::Even), "no difference");
    assert_eq!(words(Difference::Over(yuan(1))), "1.00 CNY too many");
    assert_eq!(words(Difference::Short(yuan(1))), "1.00 CNY too few");
}

/// What is handed back of a payment.
fn hand_back(tag: &str, code: &str, reason: &str) -> HandBack {
    HandBack { original: reference(tag), clerk: clerk(code), reason: reason.to_owned() }
}

#[test]
fn money_for_a_bill_that_was_refused_is_handed_back_once_with_a_reason() {
    let bench = CounterBench::new();
    let counter = bench.counter();
    let back = |tag, reason| counter.hand_back(&hand_back(tag, "clerk-7", reason));
    assert!(counter.taken(&reference("a")).unwrap().is_none());
    let nothing = back("a", "wrong bill");
    assert!(matches!(nothing, Err(CounterError::Refused(Refusal::OriginalUnknown))));
    counter.take_money(&taking("a", yuan(37), yuan(50))).unwrap();
    let taken = counter.taken(&reference("a")).unwrap().unwrap();
    assert_eq!(
        (taken.clerk, taken.change, taken.given_back),
        (clerk("clerk-7"), yuan(13), yuan(0))
    );
    let long = "x".repeat(REASON_BYTES_MAX + 1);
    for reason in ["  ", &long] {
        assert!(matches!(back("a", reason), Err(CounterError::ReasonMissing)));
    }
    let first = back("a", "wrong bill").unwrap();
    assert_eq!(first.amount, yuan(37));
    // Twice the same is once; another clerk cannot do it again.
    assert_eq!(back("a", "wrong bill").unwrap(), first);
    let other = counter.hand_back(&hand_back("a", "nobody", "again"));
    assert!(matches!(other, Err(CounterError::Refused(Refusal::ReferenceReused))));
    assert_eq!(counter.taken(&reference("a")).unwrap().unwrap().given_back, yuan(37));
    let shift = counter.open_shift_of(&bench.clerk).unwrap();
    assert_eq!((shift.taken, shift.given_back, shift.expected), (yuan(37), yuan(37), yuan(500)));
    let [named] = shift.handed_back.as_slice() else { panic!("one was handed back") };
    assert_eq!((named.amount, named.reason.as_str()), (yuan(37), "wrong bill"));
    assert_eq!(named.payment, taken.done.rail_reference);
    // It pays for nothing any more: neither at the till nor for a settlement.
    let again = counter.take_money(&taking("a", yuan(37), yuan(50)));
    assert!(matches!(again, Err(CounterError::HandedBack)));
    let action = Action::Pay { from: clerk("clerk-7").till(), amount: yuan(37) };
    refused(&counter.perform(&Order { reference: reference("a"), action }), Refusal::Closed);
    assert!(counter.books().audit().unwrap().is_sound());
}

#[test]
fn what_was_ordered_is_not_handed_back_and_the_other_way_round() {
    let bench = CounterBench::new();
    let counter = bench.counter();
    let pay = |tag| {
        let action = Action::Pay { from: clerk("clerk-7").till(), amount: yuan(10) };
        counter.perform(&Order { reference: reference(tag), action })
    };
    counter.take_money(&taking("a", yuan(10), yuan(10))).unwrap();
    done(&pay("a"));
    let back = counter.hand_back(&hand_back("a", "clerk-7", "wrong bill"));
    assert!(matches!(back, Err(CounterError::Ordered)));
    // Also after the clerk asks for the payment's receipt again, and the ledger orders it again.
    counter.take_money(&taking("a", yuan(10), yuan(10))).unwrap();
    done(&pay("a"));
    let back = counter.hand_back(&hand_back("a", "clerk-7", "wrong bill"));
    assert!(matches!(back, Err(CounterError::Ordered)));
    // A second try of the same visit that settled nothing goes back.
    counter.take_money(&taking("b", yuan(10), yuan(10))).unwrap();
    counter.hand_back(&hand_back("b", "clerk-7", "stray")).unwrap();
    refused(&pay("b"), Refusal::Closed);
    assert!(counter.books().audit().unwrap().is_sound());
}

#[test]
fn what_was_handed_back_is_not_on_the_statement() {
    let bench = CounterBench::new();
    let counter = bench.counter();
    counter.take_money(&taking("a", yuan(10), yuan(10))).unwrap();
    counter.take_money(&taking("b", yuan(20), yuan(20))).unwrap();
    counter.hand_back(&hand_back("a", "clerk-7", "wrong bill")).unwrap();
    let lines = counter.reconcile(bench.today()).unwrap();
    let references: Vec<_> = lines.iter().map(|line| line.reference).collect();
    assert_eq!(references, [reference("b")]);
}

#[test]
fn nothing_is_handed_back_from_a_till_without_shift_or_money() {
    let bench = CounterBench::new();
    let counter = bench.counter();
    counter.take_money(&taking("a", yuan(10), yuan(10))).unwrap();
    let back = |code| counter.hand_back(&hand_back("a", code, "wrong bill"));
    assert!(matches!(back("nobody"), Err(CounterError::Refused(Refusal::ShiftNotOpen))));
    counter.open_shift(&clerk("second"), yuan(5)).unwrap();
    assert!(matches!(back("second"), Err(CounterError::Refused(Refusal::TillShort))));
    // What settled something goes back by a refund, and is not handed back besides.
    done(&refund(&counter, "r", "a", yuan(4), None));
    assert!(matches!(back("clerk-7"), Err(CounterError::Refused(Refusal::ExceedsOriginal))));
}
