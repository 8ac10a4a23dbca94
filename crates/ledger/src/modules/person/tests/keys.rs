//! Keys: added, limited, revoked.

use super::*;

#[test]
fn a_key_adds_another_with_limits_no_higher_than_its_own() {
    let mut world = world();
    let alice = [own(ALICE)];
    world.rejected(&alice, &add(device("alice"), Actor::OwnKey), rejection::KEY_EXISTS);
    let higher = NewKey { day_max: fen(30_001), ..device("new") };
    world.rejected(&alice, &add(higher, Actor::OwnKey), rejection::LIMIT_ABOVE_OWN);
    let upside_down = NewKey { day_max: fen(1), ..device("new") };
    world.rejected(&alice, &add(upside_down, Actor::OwnKey), rejection::INVALID_KEY_LIMITS);
    let receipt = world.accepted(&alice, &add(device("new"), Actor::OwnKey));
    assert!(concerns(&receipt, own(ALICE)) && concerns(&receipt, org("bureau")));
    let guardian = add(device("other"), Actor::Guardian(BOB));
    world.rejected(&[own(BOB)], &guardian, rejection::ACTOR_NOT_ALLOWED);
    world.rejected(&[own(BOB)], &add(device("x"), Actor::OwnKey), rejection::SIGNATURE_MISSING);
    world.keys.insert(own(ALICE), "stranger");
    world.rejected(&alice, &add(device("x"), Actor::OwnKey), rejection::UNKNOWN_KEY);
}

#[test]
fn a_desk_adds_a_key_after_an_identity_check_and_a_person_has_at_most_eight() {
    let mut world = world();
    let higher = NewKey { payment_max: fen(90_000), day_max: fen(90_000), ..device("0") };
    let desk = add(higher, Actor::Desk);
    world.rejected(&[org("bureau")], &desk, rejection::IDENTITY_CHECK_MISSING);
    world.rejected(&[org("authority")], &desk, organisations::SIGNATURE_MISSING);
    world.accepted(&bureau_and_authority(), &desk);
    for number in 1..=6 {
        let new = device(&format!("{number}"));
        world.accepted(&bureau_and_authority(), &add(new, Actor::Desk));
    }
    assert_eq!(row(&world, ALICE).keys.len(), KEYS_MAX);
    let ninth = add(device("ninth"), Actor::Desk);
    world.rejected(&bureau_and_authority(), &ninth, rejection::TOO_MANY_KEYS);
}

#[test]
fn bureau_and_authority_give_a_first_key_and_no_second_one() {
    let mut world = World::new();
    world.accepted(&bureau_and_authority(), &new_person(1, Vec::new()));
    let first = add(device("first"), Actor::Register);
    world.rejected(&[org("bureau")], &first, rejection::IDENTITY_CHECK_MISSING);
    world.rejected(&[org("authority")], &first, organisations::SIGNATURE_MISSING);
    world.accepted(&bureau_and_authority(), &first);
    let second = add(device("second"), Actor::Register);
    world.rejected(&bureau_and_authority(), &second, rejection::PERSON_HAS_KEYS);
    let lock = LockPerson { person: ALICE, by: Actor::Register };
    world.rejected(&bureau_and_authority(), &lock, rejection::ACTOR_NOT_ALLOWED);
    let unlock = UnlockPerson { person: ALICE, by: Actor::Register };
    world.rejected(&bureau_and_authority(), &unlock, rejection::ACTOR_NOT_ALLOWED);
}

#[test]
fn a_key_is_revoked_by_another_key_a_guardian_or_the_desk_and_is_gone() {
    let mut world = world();
    let revoke = |name: &str, by| RevokePersonKey { person: ALICE, by, key: public(name) };
    world.accepted(&[own(ALICE)], &add(device("lost"), Actor::OwnKey));
    let itself = revoke("alice", Actor::OwnKey);
    world.rejected(&[own(ALICE)], &itself, rejection::SELF_REVOCATION);
    let by_bob = revoke("lost", Actor::Guardian(BOB));
    world.rejected(&[own(BOB)], &by_bob, rejection::NOT_A_GUARDIAN);
    world.accepted(&[own(ALICE)], &revoke("lost", Actor::OwnKey));
    world.rejected(&[own(ALICE)], &revoke("lost", Actor::OwnKey), rejection::UNKNOWN_KEY);
    world.keys.insert(own(ALICE), "lost");
    world.rejected(&[own(ALICE)], &itself, rejection::UNKNOWN_KEY);
    world.accepted(&[org("bureau")], &revoke("alice", Actor::Desk));
    assert!(row(&world, ALICE).keys.is_empty());
}

#[test]
fn a_passkey_counts_only_on_a_page_of_this_network() {
    let mut world = World::new();
    let key = NewKey { grade: KeyGrade::Passkey, ..device("passkey:alice") };
    world.accepted(&bureau_and_authority(), &new_person(1, vec![key]));
    world.keys.insert(own(ALICE), "passkey:alice");
    let lock = LockPerson { person: ALICE, by: Actor::OwnKey };
    world.page.origin = "https://phishing.example";
    world.rejected(&[own(ALICE)], &lock, rejection::FOREIGN_PAGE);
    world.page.origin = "http://localhost:8420.evil.example";
    world.rejected(&[own(ALICE)], &lock, rejection::FOREIGN_PAGE);
    world.page.origin = "http://localhost:8420";
    world.page.rp_id = "example.org";
    world.rejected(&[own(ALICE)], &lock, rejection::FOREIGN_PAGE);
    world.page.rp_id = "localhost";
    let content = world.content(own(ALICE), &lock);
    let signature = passkey::raw("passkey:alice", &content.id());
    let bare = Authorisation { party: own(ALICE), key: public("passkey:alice"), signature };
    let transaction = Transaction { content, authorisations: vec![bare] };
    let verified = transaction.verify(&TestVerifier, world.ledger.registry()).unwrap();
    refused(world.ledger.rehearse(world.now, &verified), rejection::PASSKEY_NEEDED);
    world.accepted(&[own(ALICE)], &lock);
}

#[test]
fn a_device_key_keeps_its_limits_per_payment_and_per_day() {
    let mut world = world();
    let state = world.ledger.state().clone();
    let mut overlay = Overlay::new(&state);
    let alice = [own(ALICE)];
    let now = world.now;
    let mut spend = |world: &mut World, time, amount| {
        judge_at(world, time, &alice, &mut overlay, |context, state| {
            spend_by_key(context, state, ALICE, fen(amount))
        })
    };
    refused(spend(&mut world, now, 20_001), rejection::KEY_PAYMENT_LIMIT);
    assert_eq!(spend(&mut world, now, 20_000).unwrap().amount(), fen(20_000));
    refused(spend(&mut world, now, 10_001), rejection::KEY_DAY_LIMIT);
    spend(&mut world, now, 10_000).unwrap();
    refused(spend(&mut world, now, 1), rejection::KEY_DAY_LIMIT);
    spend(&mut world, now, 0).unwrap();
    // 16:00 UTC is midnight in the region, eight hours ahead.
    let before_midnight = now.plus_millis(15 * HOUR);
    refused(spend(&mut world, before_midnight, 1), rejection::KEY_DAY_LIMIT);
    spend(&mut world, now.plus_millis(16 * HOUR), 20_000).unwrap();
}

#[test]
fn two_uses_of_a_key_in_one_transaction_add_up() {
    let mut world = world();
    judge(&mut world, &[own(ALICE)], |context, state| {
        let first = view::require_key(context, state, ALICE, fen(20_000)).unwrap();
        let second = view::require_key(context, state, ALICE, fen(20_000)).unwrap();
        view::note_key_spending(state, &first).unwrap();
        refused(view::note_key_spending(state, &second), rejection::KEY_DAY_LIMIT);
    });
}

#[test]
fn new_keys_do_not_spend_the_days_limit_again() {
    let mut world = world();
    let state = world.ledger.state().clone();
    let mut overlay = Overlay::new(&state);
    let now = world.now;
    let mut row = row(&world, ALICE);
    row.keys.push(device("second").row(now));
    PERSONS.put(&mut overlay, &ALICE, &row);
    let spend = |world: &mut World, overlay: &mut Overlay<'_>, amount| {
        judge_at(world, now, &[own(ALICE)], overlay, |context, state| {
            spend_by_key(context, state, ALICE, fen(amount))
        })
    };
    spend(&mut world, &mut overlay, 20_000).unwrap();
    world.keys.insert(own(ALICE), "second");
    refused(spend(&mut world, &mut overlay, 10_001), rejection::KEY_DAY_LIMIT);
    spend(&mut world, &mut overlay, 10_000).unwrap();
    // The first key is revoked and added anew: what was spent stays spent.
    let mut row = Arc::unwrap_or_clone(view::person(&overlay, ALICE).unwrap());
    row.keys.retain(|one| one.key != public("alice"));
    row.keys.push(device("third").row(now));
    PERSONS.put(&mut overlay, &ALICE, &row);
    world.keys.insert(own(ALICE), "third");
    refused(spend(&mut world, &mut overlay, 1), rejection::KEY_DAY_LIMIT);
}
