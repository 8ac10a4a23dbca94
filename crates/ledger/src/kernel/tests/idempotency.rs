use super::{at, bureau, funded, moving, rejected};
use crate::kernel::idempotency::{UsedKey, forget_ended, note, used};
use crate::kernel::overlay::Overlay;
use crate::kernel::rejection::kernel as code;
use crate::kernel::state::State;
use crate::kernel::transaction::{Content, IdempotencyKey};
use crate::testing::{DAY, HOUR, World};
use primitives::{Party, Timestamp};
use proof::receipt::OutcomeCode;

const USED: UsedKey = UsedKey { transaction_id: hash_of_one(), receipt_index: 0 };

const fn hash_of_one() -> primitives::Hash {
    primitives::Hash([1; 32])
}

fn key(number: u32) -> IdempotencyKey {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&number.to_le_bytes());
    IdempotencyKey(bytes)
}

fn within(state: &mut State, act: impl FnOnce(&mut Overlay<'_>)) {
    super::change(state, |overlay| {
        act(overlay);
        Ok(())
    })
    .unwrap();
}

fn block(world: &mut World, time: Timestamp) -> u64 {
    world.now = time;
    let outcome = world.ledger.execute(time, &[]);
    world.ledger.apply(outcome);
    world.ledger.state().entry_count()
}

#[test]
fn a_key_is_kept_for_as_long_as_its_transaction_could_be_executed_and_not_much_longer() {
    let mut world = funded();
    let hour = 1_767_225_600_000 + 3 * DAY;
    for valid_until in [hour, hour + 1, hour + HOUR - 1] {
        let valid_until = at(valid_until);
        let content = Content { valid_until, ..moving(&mut world, 1) };
        let transaction = world.sign(&content, &[bureau()]);
        assert_eq!(world.execute(transaction.clone()).record.outcome, OutcomeCode::Accepted);
        let mut later = clone(&world);
        later.wait(valid_until.millis() - later.now.millis() - 1_000);
        let replayed = later.execute(transaction.clone());
        assert_eq!(replayed.record.outcome, rejected(code::KEY_REUSED), "at its last instant");
        later.now = valid_until.plus_millis(1);
        let (_, receipts) = crate::kernel::block::execute_block(
            &mut later.ledger,
            later.now,
            core::slice::from_ref(&transaction),
        );
        let outcome = receipts[0].record.outcome;
        assert!(outcome == rejected(code::KEY_REUSED) || outcome == rejected(code::EXPIRED));
        block(&mut later, at(hour + HOUR));
        assert_eq!(used(later.ledger.state(), content.author, content.idempotency_key), None);
        assert_eq!(later.execute(transaction).record.outcome, rejected(code::EXPIRED));
    }
}

/// The same ledger once more.
fn clone(world: &World) -> World {
    let mut copy = World::new();
    let ledger = &world.ledger;
    copy.ledger = crate::kernel::block::Ledger::new(
        ledger.chain_id(),
        ledger.state().clone(),
        ledger.tip().clone(),
    );
    copy.now = world.now;
    copy
}

#[test]
fn rows_of_ended_keys_leave_the_state() {
    let mut world = funded();
    world.wait(8 * DAY);
    let rows = world.ledger.state().entry_count();
    for _ in 0..70 {
        let content = moving(&mut world, 1);
        let transaction = world.sign(&content, &[bureau()]);
        assert_eq!(world.execute(transaction).record.outcome, OutcomeCode::Accepted);
    }
    let kept = world.ledger.state().entry_count();
    assert!(kept >= rows + 70, "one row per key");
    world.wait(3 * HOUR);
    assert_eq!(world.ledger.state().entry_count(), rows);
}

#[test]
fn a_block_forgets_a_bounded_number_of_keys_and_falls_behind_no_further() {
    let mut state = State::new(super::SEEDS);
    within(&mut state, |overlay| forget_ended(overlay, at(0)));
    let rows = state.entry_count();
    let count = 40_000;
    within(&mut state, |overlay| {
        for number in 0..count {
            note(overlay, bureau(), key(number), at(HOUR / 2), &USED);
        }
    });
    within(&mut state, |overlay| forget_ended(overlay, at(HOUR - 1)));
    assert_eq!(used(&state, bureau(), key(0)), Some(USED), "the hour has not passed");
    let left = |state: &State| {
        (0..count).filter(|number| used(state, bureau(), key(*number)).is_some()).count()
    };
    for forgotten in [16_384, 32_768] {
        within(&mut state, |overlay| forget_ended(overlay, at(HOUR)));
        assert_eq!(left(&state), count as usize - forgotten);
    }
    within(&mut state, |overlay| forget_ended(overlay, at(HOUR)));
    assert_eq!((left(&state), state.entry_count()), (0, rows));
}

#[test]
fn keys_of_one_hour_and_of_several_authors_are_kept_apart() {
    let mut state = State::new(super::SEEDS);
    let person = Party::Person(crate::testing::person(1));
    within(&mut state, |overlay| {
        note(overlay, bureau(), key(1), at(5), &USED);
        note(overlay, person, key(1), at(HOUR), &UsedKey { receipt_index: 9, ..USED });
    });
    within(&mut state, |overlay| forget_ended(overlay, at(0)));
    within(&mut state, |overlay| forget_ended(overlay, at(HOUR)));
    assert_eq!(used(&state, bureau(), key(1)), None);
    assert_eq!(used(&state, person, key(1)).unwrap().receipt_index, 9);
    within(&mut state, |overlay| forget_ended(overlay, at(2 * HOUR)));
    assert_eq!(used(&state, person, key(1)), None);
}
