//! Each promise is broken once, and must be found.

use super::*;

fn id(number: u8) -> Hash {
    Hash([number; 32])
}

fn millis(number: u64) -> Instant {
    Duration::from_millis(number)
}

fn operation(number: u8, transfer: (u16, u16, u64), at: u64, told: Told) -> Operation {
    let attempt = Attempt { node: 0, from: millis(at), until: millis(at + 5), told: Some(told) };
    Operation { id: id(number), transfer, attempts: vec![attempt] }
}

/// Two funds; 60 go over, 60 more are not there, 40 come back.
fn fine() -> (History, Vec<Ledger>) {
    let operations = vec![
        operation(1, (1, 2, 60), 10, Told::Accepted(1)),
        operation(2, (1, 2, 60), 20, Told::Rejected(2)),
        operation(3, (2, 1, 40), 30, Told::Accepted(3)),
    ];
    let stand = |node, height| Stand { node, disk: 0, height, receipts: height, root: id(9) };
    let history = History {
        start: BTreeMap::from([(1, 100), (2, 0)]),
        founding: vec![id(8)],
        operations,
        stands: vec![stand(0, 1), stand(1, 1), stand(0, 1)],
        unread: Vec::new(),
    };
    let shown = |number, is_accepted| Shown { id: id(number), is_accepted };
    let receipts =
        [(0, shown(8, true)), (1, shown(1, true)), (2, shown(2, false)), (3, shown(3, true))];
    let ledger = Ledger {
        headers: BTreeMap::from([(1, (id(5), id(9)))]),
        receipts: receipts.into(),
        balances: BTreeMap::from([(1, 80), (2, 20)]),
    };
    (history, vec![ledger.clone(), ledger])
}

#[track_caller]
fn found(words: &str, bend: impl FnOnce(&mut History, &mut Vec<Ledger>)) {
    let (mut history, mut ledgers) = fine();
    bend(&mut history, &mut ledgers);
    let (broken, _) = check(&history, &ledgers);
    assert!(broken.iter().any(|one| one.contains(words)), "{words}: {broken:?}");
}

/// The same in all nodes.
fn in_all(ledgers: &mut [Ledger], bend: impl Fn(&mut Ledger)) {
    ledgers.iter_mut().for_each(bend);
}

#[test]
fn a_history_that_keeps_every_promise_is_fine() {
    let (history, ledgers) = fine();
    let (broken, counts) = check(&history, &ledgers);
    assert!(broken.is_empty(), "{broken:?}");
    assert_eq!((counts.accepted, counts.rejected, counts.in_doubt), (2, 1, 0));
}

#[test]
fn every_broken_promise_is_found() {
    found("is at []", |_, ledgers| {
        in_all(ledgers, |ledger| {
            ledger.receipts.remove(&1);
        });
    });
    found("happened twice", |_, ledgers| {
        in_all(ledgers, |one| {
            one.receipts.insert(4, Shown { id: id(1), is_accepted: true });
        });
    });
    found("and happened [4]", |_, ledgers| {
        in_all(ledgers, |one| {
            one.receipts.insert(4, Shown { id: id(2), is_accepted: true });
        });
    });
    found("is not", |_, ledgers| {
        in_all(ledgers, |one| {
            one.receipts.remove(&2);
        })
    });
    found("nobody sent it", |history, _| history.founding.clear());
    found("never answered", |history, _| history.operations[0].attempts[0].told = None);
    found("different blocks 1", |_, ledgers| {
        ledgers[1].headers.insert(1, (id(6), id(9)));
    });
    found("1 blocks, node 1 0", |_, ledgers| ledgers[1].headers.clear());
    found("different receipts", |_, ledgers| {
        ledgers[1].receipts.remove(&3);
    });
    found("different balances", |_, ledgers| {
        ledgers[1].balances.insert(1, 81);
    });
    found("went back", |history, _| history.stands[0].height = 2);
    found("two roots", |history, _| history.stands[1].root = id(7));
    found("stands before it", |history, ledgers| {
        history.operations[0].attempts[0].told = Some(Told::Accepted(3));
        history.operations[2].attempts[0].told = Some(Told::Accepted(1));
        in_all(ledgers, |one| {
            one.receipts.insert(1, Shown { id: id(3), is_accepted: true });
            one.receipts.insert(3, Shown { id: id(1), is_accepted: true });
        });
    });
    found("takes 60 from 0", |history, _| {
        history.start.insert(1, 0);
    });
    found("covers 60", |history, _| {
        history.start.insert(1, 200);
    });
    found("should", |_, ledgers| {
        in_all(ledgers, |one| {
            one.balances.insert(2, 21);
        })
    });
    found("made or lost", |_, ledgers| {
        in_all(ledgers, |one| {
            one.balances.insert(2, 21);
        })
    });
    found("not there", |history, _| history.unread.push("not there".to_owned()));
}

#[test]
fn an_earlier_sending_that_was_on_its_way_is_counted_and_not_blamed() {
    let (mut history, mut ledgers) = fine();
    let doubt = Attempt { node: 1, from: millis(12), until: millis(19), told: None };
    history.operations[1].attempts.insert(0, doubt);
    in_all(&mut ledgers, |one| {
        one.receipts.insert(4, Shown { id: id(2), is_accepted: true });
        one.balances = BTreeMap::from([(1, 20), (2, 80)]);
    });
    let (broken, counts) = check(&history, &ledgers);
    assert!(broken.is_empty(), "{broken:?}");
    assert_eq!((counts.overtaken, counts.in_doubt), (1, 1));
}
