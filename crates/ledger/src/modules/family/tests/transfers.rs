//! Money from wallet to wallet.

use super::super::table::TRANSFERS;
use super::*;
use crate::kernel::account::{Account, RegionPair};
use crate::kernel::posting;
use crate::kernel::receipt::Receipt;
use crate::kernel::rejection::kernel;
use crate::modules::interregion::{self, InterregionRules, SetInterregionRules};
use crate::modules::network::OpenRegion;
use crate::modules::organisation::OrganisationKind;
use crate::modules::person::{EnrolPerson, KeyGrade, MovePerson, NewKey, NewPerson, SetGuardian};
use crate::readers::{Reader, receipt_for};
use crate::testing::{HOUR, public, settings};
use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use primitives::{Currency, Hash, PersonId, RegionId};
use proof::receipt::FieldValue;

const ELSEWHERE: RegionId = RegionId(610_100);
const SECOND: u64 = 1_000;

fn rules() -> TransferRules {
    TransferRules {
        relations: relations(),
        transfers_per_day_max: 3,
        transfer_max: fen(20_000),
        night: Some(NightStop { from_minute: 23 * 60, until_minute: 6 * 60 }),
        claim_days: 1,
        to_other_regions: true,
        source: Text::new("made up for tests").unwrap(),
    }
}

fn set(rules: TransferRules) -> SetTransferRules {
    SetTransferRules { region: REGION, rules }
}

/// The father 1 may act for the daughter 2, and it is noon of 2 January.
fn sending() -> World {
    let mut world = world();
    bound(&mut world, 1, 2);
    world.accepted(&[party("bureau")], &set(rules()));
    wait_until(&mut world, "2026-01-03", 12 * HOUR);
    world
}

/// The next transaction is executed so many milliseconds before midnight of the region: each is a
/// block of its own, a second after the one before.
fn next_at(world: &mut World, date: &str, before: u64) {
    wait_until(world, date, before + SECOND);
}

fn send(sender: u8, receiver: u8, amount: u64) -> SendTransfer {
    let (sender, receiver) = (id(sender), id(receiver));
    SendTransfer { sender, receiver, relation: 1, amount: fen(amount) }
}

fn sent(world: &mut World, amount: u64) -> Hash {
    world.accepted(&[by(1)], &send(1, 2, amount)).record.transaction_id
}

fn claim(transfer: Hash) -> ClaimTransfer {
    ClaimTransfer { transfer, receiver: id(2), actor: Actor::OwnKey }
}

fn withdraw(transfer: Hash) -> WithdrawTransfer {
    WithdrawTransfer { transfer, sender: id(1), actor: Actor::OwnKey }
}

/// What the account of a person has, and what of it may be spent now.
fn account(world: &World, number: u8) -> (i128, u64) {
    let state = world.ledger.state();
    let row = posting::account(state, &Account::PersonalAccount(id(number))).unwrap();
    (row.balance(), row.available_at(world.now).minor())
}

/// What waits of a person's transfers is what is held on the account, and nothing stays on the
/// account that transfers go through.
fn assert_held(world: &World, number: u8) {
    let state = world.ledger.state();
    let list = view::transfers(state, id(number));
    let waiting = list.sent.iter().filter_map(|one| view::transfer(state, *one));
    let waiting = waiting.filter(|one| one.waits_at(world.now));
    let waiting: u64 = waiting.map(|one| one.amount.minor()).sum();
    let row = posting::account(state, &Account::PersonalAccount(id(number))).unwrap();
    assert_eq!(row.held_at(world.now), fen(waiting));
    assert_eq!(posting::balance(state, &Account::FamilyAccounts(REGION)), 0);
}

#[test]
fn money_waits_until_the_relative_claims_it_once() {
    let mut world = sending();
    let first = sent(&mut world, 20_000);
    assert_eq!((account(&world, 1), account(&world, 2)), ((100_000, 80_000), (0, 0)));
    let receipt = world.accepted(&[by(2)], &claim(first));
    assert_eq!((account(&world, 1), account(&world, 2)), ((80_000, 80_000), (20_000, 20_000)));
    assert_eq!(receipt.concerns, [party("bureau"), by(1), by(2)]);
    world.rejected(&[by(2)], &claim(first), rejection::TRANSFER_CLAIMED);
    world.rejected(&[by(1)], &withdraw(first), rejection::TRANSFER_CLAIMED);
    // What came goes on: the daughter is insured, whatever scheme gave her an account.
    let on = SendTransfer { amount: fen(5_000), ..send(2, 1, 0) };
    world.accepted(&[by(2)], &on);
    assert_held(&world, 1);
    assert_held(&world, 2);
}

#[test]
fn unclaimed_money_is_the_senders_again_at_the_end_of_the_term() {
    let mut world = sending();
    let first = sent(&mut world, 20_000);
    world.wait(DAY - 1);
    assert_eq!(account(&world, 1), (100_000, 80_000));
    let state = world.ledger.state();
    assert!(view::transfer(state, first).unwrap().waits_at(world.now));
    world.wait(1);
    // Nobody did anything.
    assert_eq!(account(&world, 1), (100_000, 100_000));
    world.rejected(&[by(2)], &claim(first), rejection::TRANSFER_CAME_BACK);
    world.rejected(&[by(1)], &withdraw(first), rejection::TRANSFER_CAME_BACK);
    let transfer = view::transfer(world.ledger.state(), first).unwrap();
    let when = transfer.until;
    assert_eq!(transfer.standing_at(world.now), TransferStanding::Returned { when });
    sent(&mut world, 20_000);
    assert_held(&world, 1);
}

#[test]
fn a_sender_takes_back_what_waits_and_the_day_counts_it_all_the_same() {
    let mut world = sending();
    for _ in 0..3 {
        let one = sent(&mut world, 1_000);
        world.rejected(&[by(2)], &withdraw(one), persons::SIGNATURE_MISSING);
        let theirs = WithdrawTransfer { sender: id(2), ..withdraw(one) };
        world.rejected(&[by(2)], &theirs, rejection::UNKNOWN_TRANSFER);
        world.accepted(&[by(1)], &withdraw(one));
        world.rejected(&[by(1)], &withdraw(one), rejection::TRANSFER_CAME_BACK);
        world.rejected(&[by(2)], &claim(one), rejection::TRANSFER_CAME_BACK);
    }
    assert_eq!(account(&world, 1), (100_000, 100_000));
    world.rejected(&[by(1)], &send(1, 2, 1_000), rejection::TRANSFER_DAY_LIMIT);
    assert_held(&world, 1);
}

#[test]
fn a_day_has_so_many_transfers_of_so_much_by_the_regions_calendar() {
    let mut world = sending();
    world.rejected(&[by(1)], &send(1, 2, 20_001), rejection::TRANSFER_ABOVE_LIMIT);
    world.rejected(&[by(1)], &send(1, 2, 0), kernel::NOTHING_TO_MOVE);
    let free = TransferRules { night: None, ..rules() };
    world.accepted(&[party("bureau")], &set(free));
    for _ in 0..3 {
        sent(&mut world, 20_000);
    }
    next_at(&mut world, "2026-01-03", SECOND);
    world.rejected(&[by(1)], &send(1, 2, 1), rejection::TRANSFER_DAY_LIMIT);
    // Midnight of the region is 16:00 of the day before in UTC.
    for _ in 0..2 {
        sent(&mut world, 20_000);
    }
    world.rejected(&[by(1)], &send(1, 2, 1), kernel::INSUFFICIENT_BALANCE);
    assert_eq!(account(&world, 1), (100_000, 0));
    assert_held(&world, 1);
    world.wait(DAY);
    assert_eq!(account(&world, 1), (100_000, 100_000));
    assert_held(&world, 1);
}

#[test]
fn nothing_is_sent_at_night_and_what_waits_is_claimed_at_any_hour() {
    let mut world = sending();
    let one = sent(&mut world, 1_000);
    next_at(&mut world, "2026-01-03", HOUR + SECOND);
    let two = sent(&mut world, 1_000);
    world.accepted(&[by(2)], &claim(one));
    world.rejected(&[by(1)], &send(1, 2, 1_000), rejection::TRANSFER_AT_NIGHT);
    world.accepted(&[by(1)], &withdraw(two));
    next_at(&mut world, "2026-01-04", 18 * HOUR + 2 * SECOND);
    world.accepted(&[party("bureau")], &set(rules()));
    world.rejected(&[by(1)], &send(1, 2, 1_000), rejection::TRANSFER_AT_NIGHT);
    sent(&mut world, 1_000);
    // A stop at noon does not go over midnight.
    let night = Some(NightStop { from_minute: 12 * 60, until_minute: 13 * 60 });
    let noon = TransferRules { night, ..rules() };
    world.accepted(&[party("bureau")], &set(noon.clone()));
    next_at(&mut world, "2026-01-04", 12 * HOUR + SECOND);
    sent(&mut world, 1_000);
    world.accepted(&[party("bureau")], &set(noon.clone()));
    world.rejected(&[by(1)], &send(1, 2, 1_000), rejection::TRANSFER_AT_NIGHT);
    next_at(&mut world, "2026-01-04", 11 * HOUR + 2 * SECOND);
    world.accepted(&[party("bureau")], &set(noon));
    world.rejected(&[by(1)], &send(1, 2, 1_000), rejection::TRANSFER_AT_NIGHT);
    sent(&mut world, 1_000);
}

#[test]
fn money_goes_to_insured_relatives_alone() {
    let mut world = sending();
    world.rejected(&[by(1)], &send(1, 1, 1), rejection::NOT_TWO_PERSONS);
    world.rejected(&[by(1)], &send(1, 3, 1), rejection::TRANSFER_TO_STRANGER);
    world.rejected(&[by(2)], &send(1, 2, 1), persons::SIGNATURE_MISSING);
    let unknown = SendTransfer { relation: 7, ..send(1, 2, 1) };
    world.rejected(&[by(1)], &unknown, rejection::RELATION_NOT_ACCEPTED);
    bound(&mut world, 3, 1);
    world.rejected(&[by(1)], &send(1, 3, 1), rejection::RECEIVER_NOT_INSURED);
    // Whose account helps is family too: a child's, who is helped without being bound.
    let terms = AidTerms {
        relation: 1,
        purpose: AidPurpose::Care,
        visit_types: vec![],
        bill_max: fen(1),
        month_max: fen(1),
        year_max: fen(1),
        rank: 0,
        until: None,
    };
    let agreement = Agreement::Standing;
    let (payer, member) = (id(1), id(CHILD));
    world.rejected(&[by(1)], &send(1, CHILD, 1), rejection::TRANSFER_TO_STRANGER);
    world.accepted(&[by(1)], &GrantAid { payer, member, terms, agreement });
    world.accepted(&[by(1)], &send(1, CHILD, 1));
    world.accepted(&[by(1)], &unbind(1, 2, BindingSide::Payer));
    world.rejected(&[by(1)], &send(1, 2, 1), rejection::TRANSFER_TO_STRANGER);
}

#[test]
fn a_lock_stops_sending_and_claiming_and_never_the_way_back() {
    let mut world = sending();
    let (one, two) = (sent(&mut world, 1_000), sent(&mut world, 2_000));
    let lock = |number: u8| LockPerson { person: id(number), by: Actor::OwnKey };
    world.accepted(&[by(2)], &lock(2));
    world.rejected(&[by(2)], &claim(one), persons::PERSON_LOCKED);
    world.accepted(&[by(1)], &lock(1));
    world.rejected(&[by(1)], &send(1, 2, 1), persons::PERSON_LOCKED);
    world.accepted(&[by(1)], &withdraw(one));
    world.wait(DAY);
    assert!(!view::transfer(world.ledger.state(), two).unwrap().waits_at(world.now));
    assert_eq!(account(&world, 1), (100_000, 100_000));
}

#[test]
fn what_a_locked_payer_sent_is_not_claimed() {
    let mut world = sending();
    let one = sent(&mut world, 1_000);
    world.accepted(&[by(1)], &LockPerson { person: id(1), by: Actor::OwnKey });
    world.rejected(&[by(2)], &claim(one), persons::PERSON_LOCKED);
    assert_held(&world, 1);
}

#[test]
fn a_guardian_or_a_desk_claims_for_whoever_has_no_phone() {
    let mut world = sending();
    let period = Period { from: day("2026-01-01"), to: None };
    let ground = crate::modules::person::GuardianGround::OwnWish;
    let guardian = SetGuardian { person: id(2), guardian: id(3), period, ground };
    world.accepted(&[by(2)], &guardian);
    let (one, two) = (sent(&mut world, 1_000), sent(&mut world, 1_000));
    let for_them = |actor, transfer| ClaimTransfer { actor, ..claim(transfer) };
    world.rejected(&[by(4)], &for_them(Actor::Guardian(id(4)), one), persons::NOT_A_GUARDIAN);
    world.accepted(&[by(3)], &for_them(Actor::Guardian(id(3)), one));
    world.accepted(&[party("bureau")], &for_them(Actor::Desk, two));
    let stranger = ClaimTransfer { receiver: id(4), ..claim(two) };
    world.rejected(&[by(4)], &stranger, rejection::UNKNOWN_TRANSFER);
    let unknown = sha256(b"nothing");
    world.rejected(&[by(2)], &claim(unknown), rejection::UNKNOWN_TRANSFER);
}

#[test]
fn a_region_sets_rules_that_fit_together() {
    let mut world = world();
    bound(&mut world, 1, 2);
    world.rejected(&[by(1)], &send(1, 2, 1), rejection::TRANSFERS_NOT_OFFERED);
    let bad = [
        TransferRules { relations: vec![], ..rules() },
        TransferRules { transfer_max: fen(0), ..rules() },
        TransferRules { transfers_per_day_max: 0, ..rules() },
        TransferRules { claim_days: 0, ..rules() },
        TransferRules { claim_days: 5, ..rules() },
        TransferRules { night: Some(NightStop { from_minute: 9, until_minute: 9 }), ..rules() },
        TransferRules { night: Some(NightStop { from_minute: 1_440, until_minute: 9 }), ..rules() },
    ];
    for rules in bad {
        world.rejected(&[party("bureau")], &set(rules), rejection::INVALID_RULES);
    }
    let most = TransferRules { transfers_per_day_max: 8, claim_days: 1, ..rules() };
    world.rejected(&[party("hospital")], &set(most.clone()), organisations::SIGNATURE_MISSING);
    world.accepted(&[party("bureau")], &set(most));
}

#[test]
fn no_more_waits_for_one_person_than_fit() {
    let mut world = sending();
    let free = TransferRules { transfers_per_day_max: 8, night: None, ..rules() };
    world.accepted(&[party("bureau")], &set(free));
    let limits = ProxyRules { bindings_per_member_per_month_max: 32, ..proxy_rules() };
    world.accepted(&[party("bureau")], &SetProxyRules { region: REGION, rules: limits });
    let rows = (3..=6).map(|number| CreditRow { person: id(number), amount: fen(1_000) });
    let credit = CreditPersonalAccounts {
        region: REGION,
        source: CreditSource::Outside,
        month: CalendarMonth { year: 2026, month: 1 },
        batch: 2,
        rows: rows.collect(),
    };
    world.accepted(&[party("bureau")], &credit);
    let first = world.accepted(&[by(1)], &send(1, 2, 1)).record.transaction_id;
    world.accepted(&[by(2)], &claim(first));
    for sender in 3..=6 {
        bound(&mut world, sender, 2);
        for _ in 0..8 {
            world.accepted(&[by(sender)], &send(sender, 2, 1));
        }
    }
    // The one that was claimed has left the list; all others wait.
    let list = view::transfers(world.ledger.state(), id(2)).received;
    assert_eq!((list.len(), list.contains(&first)), (32, false));
    world.rejected(&[by(1)], &send(1, 2, 1), rejection::TOO_MANY_TRANSFERS);
    world.accepted(&[by(2)], &claim(list[0]));
    world.accepted(&[by(1)], &send(1, 2, 1));
}

/// A second region, where person 20 lives, is insured and is bound to person 1.
fn relative_elsewhere(world: &mut World) -> Party {
    world.admit_in(ELSEWHERE, "xian", OrganisationKind::Bureau, None);
    let open = OpenRegion {
        region: ELSEWHERE,
        bureau: organisation("xian"),
        currency: Currency::CNY,
        settings: settings(),
    };
    world.accepted(&World::governing(), &open);
    let person = PersonId([20; 16]);
    let relative = Party::Person(person);
    let key = NewKey {
        key: public(&relative.to_string()),
        grade: KeyGrade::Device,
        payment_max: fen(1),
        day_max: fen(1),
    };
    let (commitment, blind_index) = (sha256(b"20"), sha256(b"blind 20"));
    let new = NewPerson { id: person, commitment, blind_index, keys: vec![key] };
    let enrol = EnrolPerson { region: ELSEWHERE, person: new };
    world.accepted(&[party("xian"), party("authority")], &enrol);
    let facts = aged(60, 65, day("2026-01-01"));
    let period = Period { from: day("2026-01-01"), to: None };
    let coverage = CoverageTerms { scheme: SchemeId(390), period, benefits_from: None, facts };
    world.accepted(&[party("xian")], &EnrolCoverage { person, region: ELSEWHERE, coverage });
    let theirs = SetProxyRules { region: ELSEWHERE, rules: proxy_rules() };
    world.accepted(&[party("xian")], &theirs);
    let bind = BindMember { member: person, ..bind(1, 2) };
    world.accepted(&[by(1), relative], &bind);
    relative
}

#[test]
fn money_goes_to_another_region_where_both_clear_it() {
    let mut world = sending();
    let relative = relative_elsewhere(&mut world);
    let receiver = PersonId([20; 16]);
    let send = SendTransfer { receiver, ..send(1, 2, 5_000) };
    world.rejected(&[by(1)], &send, rejection::TRANSFER_ELSEWHERE);
    let theirs = SetTransferRules { region: ELSEWHERE, rules: rules() };
    world.accepted(&[party("xian")], &theirs);
    world.rejected(&[by(1)], &send, rejection::TRANSFER_ELSEWHERE);
    for (region, bureau) in [(REGION, "bureau"), (ELSEWHERE, "xian")] {
        let rules = InterregionRules {
            answer_within_days: 10,
            pay_within_days: 30,
            source: Text::new("made up for tests").unwrap(),
        };
        let from = day("2026-01-03");
        let body = SetInterregionRules { region, from, rules: Some(rules) };
        world.accepted(&[party(bureau)], &body);
    }
    world.wait(DAY);
    let at_home = TransferRules { to_other_regions: false, ..rules() };
    world.accepted(&[party("bureau")], &set(at_home));
    world.rejected(&[by(1)], &send, rejection::TRANSFER_ELSEWHERE);
    world.accepted(&[party("bureau")], &set(rules()));
    let transfer = world.accepted(&[by(1)], &send).record.transaction_id;
    let claim = ClaimTransfer { receiver, ..claim(transfer) };
    let receipt = world.accepted(&[relative], &claim);
    assert!(receipt.concerns.contains(&party("xian")));
    let pair = RegionPair { insured: REGION, care: ELSEWHERE };
    let balances = [
        Account::PersonalAccount(id(1)),
        Account::FamilyAccounts(REGION),
        Account::OwedToRegion(pair),
        Account::AdvancedForRegion(pair),
        Account::PersonalAccount(receiver),
    ];
    let state = world.ledger.state();
    let balances = balances.map(|account| posting::balance(state, &account));
    assert_eq!(balances, [95_000, 0, 5_000, -5_000, 5_000]);
    // The regions clear it as what one of them advanced; the item names nobody.
    let item = interregion::view::item(state, pair, 1).unwrap().item;
    assert_eq!(item.provider, organisation("xian"));
    assert_eq!(item.visit.0[..], transfer.0[..16]);
    assert_eq!((item.amount, item.is_return), (fen(5_000), false));
    let row = interregion::view::pair(state, pair).unwrap();
    assert_eq!((row.items, row.gross), (1, fen(5_000)));
}

#[test]
fn who_moved_to_a_region_that_nothing_is_cleared_with_claims_nothing() {
    let mut world = sending();
    relative_elsewhere(&mut world);
    let one = sent(&mut world, 5_000);
    let to_xian = MovePerson { person: id(2), region: ELSEWHERE };
    world.accepted(&[party("bureau"), party("xian")], &to_xian);
    world.rejected(&[by(2)], &claim(one), rejection::TRANSFER_ELSEWHERE);
    assert_eq!(account(&world, 1), (100_000, 95_000));
    world.accepted(&[by(1)], &withdraw(one));
    assert_eq!((account(&world, 1), account(&world, 2)), ((100_000, 100_000), (0, 0)));
}

#[test]
fn both_bureaus_and_no_other_read_what_waits() {
    let mut world = sending();
    relative_elsewhere(&mut world);
    let one = sent(&mut world, 5_000);
    let key = TRANSFERS.key_bytes(&one);
    let none = TRANSFERS.key_bytes(&Hash([7; 32]));
    let may_read = |world: &World, code: &str, key: &[u8]| {
        let record_of = |_| None;
        let reader =
            Reader { organisation: organisation(code), visit: None, record_of: &record_of };
        reader.may_read(world.ledger.state(), key)
    };
    let who = |world: &World| ["bureau", "xian", "hospital"].map(|who| may_read(world, who, &key));
    assert_eq!(who(&world), [true, false, false]);
    // The receiver's bureau serves whoever moved there.
    let to_xian = MovePerson { person: id(2), region: ELSEWHERE };
    world.accepted(&[party("bureau"), party("xian")], &to_xian);
    assert_eq!(who(&world), [true, true, false]);
    assert!(may_read(&world, "hospital", &none), "that there is none is no secret");
}

#[test]
fn a_home_that_changed_meanwhile_does_not_lose_what_waits() {
    let mut world = sending();
    let one = sent(&mut world, 1_000);
    let moved = view::transfer(world.ledger.state(), one).unwrap();
    assert_eq!(moved.region, REGION);
    world.accepted(&[by(1)], &unbind(1, 2, BindingSide::Payer));
    // Who was a relative when it was sent may claim it.
    world.accepted(&[by(2)], &claim(one));
    assert_held(&world, 1);
}

/// What a person reads of a receipt's facts, and how many entries.
fn read(world: &World, who: Party, receipt: &Receipt) -> (Vec<String>, usize) {
    let told = receipt_for(world.ledger.state(), who, receipt).unwrap();
    let names = told.fields.iter().map(|field| field.name.to_string()).collect();
    (names, told.entries.len())
}

#[test]
fn both_read_what_the_transfer_was_and_each_the_own_account() {
    let mut world = sending();
    let sending = world.accepted(&[by(1)], &send(1, 2, 5_000));
    let claiming = world.accepted(&[by(2)], &claim(sending.record.transaction_id));
    let back = world.accepted(&[by(1)], &send(1, 2, 1_000));
    let back = world.accepted(&[by(1)], &withdraw(back.record.transaction_id));
    let facts = ["transfer", "amount", "sender", "receiver", "until"];
    for (receipt, entries) in [(&sending, 0), (&claiming, 1), (&back, 0)] {
        for who in [by(1), by(2)] {
            let (names, seen) = read(&world, who, receipt);
            assert_eq!((names, seen), (facts.map(str::to_owned).to_vec(), entries));
        }
        assert!(receipt_for(world.ledger.state(), by(3), receipt).is_none());
    }
    let sender = sending.fields.iter().find(|field| &*field.name == "sender").unwrap();
    assert_eq!(sender.value, FieldValue::Party(by(1)));
}

#[test]
fn a_batch_of_two_tells_neither_of_the_other() {
    let mut world = sending();
    let row = |number, amount| CreditRow { person: id(number), amount: fen(amount) };
    let batch = CreditPersonalAccounts {
        region: REGION,
        source: CreditSource::Outside,
        month: CalendarMonth { year: 2026, month: 1 },
        batch: 2,
        rows: vec![row(1, 700), row(2, 900)],
    };
    let mut receipt = Receipt::clone(&world.accepted(&[party("bureau")], &batch));
    assert!(!receipt.fields.is_empty(), "the sum of both would tell each the other's");
    assert!(receipt_for(world.ledger.state(), by(1), &receipt).is_none());
    // This kind names nobody for that reason; one that named both would tell as little.
    receipt.concerns = vec![party("bureau"), by(1), by(2)];
    for (who, own) in [(by(1), 700), (by(2), 900)] {
        let told = receipt_for(world.ledger.state(), who, &receipt).unwrap();
        assert_eq!(told.fields, vec![]);
        let amounts: Vec<u64> = told.entries.iter().map(|one| one.entry.amount.minor()).collect();
        assert_eq!(amounts, [own]);
    }
}
