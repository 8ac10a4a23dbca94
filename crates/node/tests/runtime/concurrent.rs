//! Many submitters at once.

use std::collections::BTreeSet;

use node::runtime::{Direction, SubmitError};
use node::verify::{Evidence, verify_chain};
use primitives::Timestamp;
use proof::receipt::OutcomeCode;

use crate::world::{INSURERS, Place, START, balance, contribute, insurer, open_fund, party};

fn now() -> Timestamp {
    START.plus_millis(1_000)
}

const EACH: u64 = 200;

#[test]
fn eight_submitters_of_two_hundred_each_get_exactly_one_receipt_for_each() {
    let place = Place::new();
    let (node, _) = place.open();
    for number in 1..=INSURERS {
        node.submit(open_fund(number, now())).unwrap();
    }
    let blocks = node.subscribe();
    let all = u64::from(INSURERS) * EACH;
    let mut places: Vec<u64> = std::thread::scope(|scope| {
        scope.spawn(move || {
            let mut heard = 0;
            while heard < all {
                let block = blocks.next_block().unwrap();
                assert_eq!(block.first_receipt, 8 + heard);
                heard += block.receipts.len() as u64;
            }
        });
        let threads: Vec<_> = (1..=INSURERS)
            .map(|number| {
                let node = node.clone();
                scope.spawn(move || {
                    let submit = |nth| {
                        // Every third transaction is sent twice, by an impatient client.
                        let transaction = contribute(number, nth, nth, now());
                        let copies = if nth % 3 == 0 { 2 } else { 1 };
                        let answers = node.submit_all(vec![transaction; copies]);
                        let answers: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
                        let places: BTreeSet<_> =
                            answers.iter().map(|answer| answer.receipt_index).collect();
                        assert_eq!(places.len(), 1, "both copies have the same receipt");
                        let first = answers.iter().filter(|answer| !answer.is_duplicate).count();
                        assert_eq!(first, 1);
                        assert_eq!(answers[0].receipt.record.outcome, OutcomeCode::Accepted);
                        answers[0].receipt_index
                    };
                    (1..=EACH).map(submit).collect::<Vec<u64>>()
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    places.sort_unstable();
    assert_eq!(places, (8..8 + all).collect::<Vec<_>>(), "no receipt twice and no gap");
    for number in 1..=INSURERS {
        assert_eq!(balance(&node, number), i128::from(EACH * (EACH + 1) / 2));
    }
    check_pages(&node);
    let tip = node.view().tip.clone();
    drop(node);
    let report = verify_chain(&place.data(), Evidence::default(), |_| {}).unwrap();
    assert_eq!((report.accepted, report.rejected), (all + 8, 0));
    assert_eq!(report.value_id, tip.value_id);
}

/// Every page of every party's receipts, both ways, while the history may be behind.
fn check_pages(node: &node::NodeHandle) {
    for number in 1..=INSURERS {
        let own = party(&insurer(number));
        for direction in [Direction::OldestFirst, Direction::NewestFirst] {
            let (mut found, mut behind) = (Vec::new(), None);
            loop {
                let page = node.receipts_of(&own, direction, behind, 37).unwrap();
                let Some(last) = page.last() else { break };
                behind = Some(last.index);
                found.extend(page.iter().map(|placed| placed.index));
            }
            assert_eq!(found.len() as u64, EACH + 1);
            let is_sorted = match direction {
                Direction::OldestFirst => found.is_sorted_by(|one, next| one < next),
                Direction::NewestFirst => found.is_sorted_by(|one, next| one > next),
            };
            assert!(is_sorted);
        }
    }
}

#[test]
fn a_node_that_is_stopped_in_the_middle_answers_everybody_and_what_it_promised_is_there() {
    let place = Place::new();
    let (node, _) = place.open();
    for number in 1..=INSURERS {
        node.submit(open_fund(number, now())).unwrap();
    }
    let promised: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (1..=INSURERS)
            .map(|number| {
                let node = node.clone();
                scope.spawn(move || {
                    let mut promised = Vec::new();
                    for nth in 1.. {
                        if nth == 40 && number == 1 {
                            node.stop();
                        }
                        match node.submit(contribute(number, nth, 1, now())) {
                            Ok(submitted) => promised.push(submitted),
                            Err(SubmitError::Stopped) => break,
                            Err(error) => panic!("an orderly stop leaves nothing unknown: {error}"),
                        }
                    }
                    promised
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(promised.len() >= 39);
    drop(node);
    let (node, _) = place.open();
    for submitted in promised {
        let receipt = node.receipt_at(submitted.receipt_index).unwrap().unwrap();
        assert_eq!(receipt, submitted.receipt);
    }
}
