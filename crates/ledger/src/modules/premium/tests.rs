#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]
use super::*;
use crate::kernel::account::{Account, Books};
use crate::kernel::effect::{Effect, EffectAction, EffectResult};
use crate::kernel::receipt::Receipt;
use crate::modules::coverage::rejection as coverages;
use crate::modules::coverage::{AttestedFacts, EnrolCoverage, Standing};
use crate::modules::fund::OpenFund;
use crate::modules::organisation::{
    AuthoriseKey, OrganisationKind, Scope, rejection as organisations,
};
use crate::modules::person::Actor;
use crate::modules::visit::{CashLeg, ConfirmEffect, RailKind};
use crate::modules::{coverage, person};
use crate::testing::{DAY, HOUR, REGION, START, World, fen, organisation, person as id, public};
use alloc::{string::ToString, vec, vec::Vec};
use benefit::Payer;
use primitives::{Amount, CivilDate, FundId, Hash, Party, Period, SchemeId, Text, sha256};
use proof::receipt::FieldValue;

mod accounts;
mod split;

const POOL: FundId = FundId(2);
const RESIDENTS: SchemeId = SchemeId(390);
const FULL: u8 = 1;
const SUBSIDISED: u8 = 2;
const WAIVED: u8 = 3;
const MINUTE: u64 = 60_000;

fn party(code: &str) -> Party {
    Party::Organisation(organisation(code))
}

fn day(text: &str) -> CivilDate {
    text.parse().unwrap()
}

/// The season after the one in which the worlds of tests begin.
fn season() -> SeasonId {
    SeasonId { region: REGION, scheme: RESIDENTS, year: u16::try_from(today().year()).unwrap() + 1 }
}

fn today() -> CivilDate {
    START.day(primitives::UtcOffset(480))
}

fn next_year(text: &str) -> CivilDate {
    day(&alloc::format!("{}-{text}", season().year))
}

fn class(number: u8, name: &str, amount: u64) -> PremiumClass {
    PremiumClass {
        number,
        name: Text::new(name).unwrap(),
        amount: fen(amount),
        late_amount: fen(amount + 70_000),
        repair_amount: fen(38_000),
    }
}

fn terms() -> PremiumSeason {
    PremiumSeason {
        fund: POOL,
        collector: organisation("tax"),
        cover: Period { from: next_year("01-01"), to: Some(next_year("12-31")) },
        window: Period { from: today(), to: today().plus_days(40) },
        late_until: Some(next_year("06-30")),
        classes: vec![
            class(FULL, "full", 40_000),
            class(SUBSIDISED, "subsidised", 12_000),
            class(WAIVED, "waived", 0),
        ],
        lock_minutes: 20,
        locks_per_payer: 2,
        locks_per_record: 3,
        waiting: WaitingRule {
            months: 3,
            per_further_year: 1,
            long_break_years: 4,
            long_break_months: 6,
        },
        source: Text::new("made up for tests").unwrap(),
    }
}

fn facts() -> AttestedFacts {
    AttestedFacts {
        period: Period { from: today(), to: Some(next_year("12-31")) },
        age: benefit::AgeBand::new(30, 60).unwrap(),
        sex: benefit::Sex::Unstated,
        person_classes: benefit::PersonClasses::NONE,
        income_class: benefit::IncomeClass::NONE,
        unbroken_years: 5,
        claim_free_years: 0,
        month_of_75: false,
        family: None,
    }
}

fn row(number: u8, class: u8) -> RegisteredPremium {
    RegisteredPremium {
        person: id(number),
        class,
        missed_years: 0,
        newborn_until: None,
        facts: facts(),
    }
}

fn register(rows: Vec<RegisteredPremium>) -> RegisterPremiums {
    RegisterPremiums { season: season(), rows }
}

/// A world with a tax authority, a bank as a channel, and the persons 1 to 4, of whom 1 and 2 owe
/// the full premium.
fn world() -> World {
    let mut world = World::new();
    world.admit("tax", OrganisationKind::TaxAuthority, None);
    world.admit("bank", OrganisationKind::Bank, None);
    let fund = OpenFund {
        region: REGION,
        fund: POOL,
        owner: organisation("bureau"),
        purpose: Payer::PooledFund,
        year: None,
        floor: Amount::ZERO,
    };
    world.accepted(&[party("bureau")], &fund);
    for number in 1..=4 {
        world.enrol(number);
    }
    let set = SetPremiumSeason { season: season(), terms: terms() };
    world.accepted(&[party("bureau"), party("tax")], &set);
    world.accepted(&[party("bureau")], &register(vec![row(1, FULL), row(2, FULL)]));
    world
}

fn lock(number: u8, payer: u8, channel: &str) -> LockPremium {
    LockPremium {
        season: season(),
        person: id(number),
        payer: Party::Person(id(payer)),
        channel: organisation(channel),
    }
}

fn leg(kind: RailKind) -> CashLeg {
    CashLeg {
        executor: organisation("tax"),
        rail: Text::new("bank").unwrap(),
        kind,
        authorisation: sha256(b"authorisation"),
    }
}

fn item(number: u8, amount: u64) -> PremiumItem {
    let (person, from_account) = (id(number), Amount::ZERO);
    PremiumItem { person, repair_years: 0, amount: fen(amount), from_account }
}

fn pay(payer: u8, items: Vec<PremiumItem>) -> PayPremiums {
    let payer = Party::Person(id(payer));
    let cash = leg(RailKind::Bound);
    PayPremiums { season: season(), payer, channel: organisation("bank"), items, cash }
}

fn by(payer: u8) -> [Party; 2] {
    [Party::Person(id(payer)), party("tax")]
}

/// The one payment outside that a receipt orders, and its reference.
fn effect(receipt: &Receipt) -> (Effect, Hash) {
    let [effect] = receipt.effects.as_slice() else { panic!("{:?}", receipt.effects) };
    (effect.clone(), Effect::reference(receipt.record.transaction_id, effect.number))
}

fn word(effect: Hash, result: EffectResult) -> ConfirmEffect {
    ConfirmEffect { effect, result, rail_reference: sha256(b"rail") }
}

fn done(world: &mut World, receipt: &Receipt) -> Receipt {
    let (effect, reference) = effect(receipt);
    let result = EffectResult::Done { amount: effect.amount };
    world.accepted(&[party("tax")], &word(reference, result))
}

fn failed(world: &mut World, receipt: &Receipt) {
    let (_, reference) = effect(receipt);
    let result = EffectResult::Failed { reason: 4 };
    world.accepted(&[party("tax")], &word(reference, result));
}

fn standing(world: &World, number: u8) -> PremiumStanding {
    view::record(world.ledger.state(), season(), id(number)).unwrap().standing
}

/// How the person's cover of the season stands on a day.
fn cover(world: &World, number: u8, on: CivilDate) -> Option<Standing> {
    let row = coverage::view::coverage(world.ledger.state(), id(number))?;
    row.of(REGION, RESIDENTS).last().map(|one| one.standing_on(on))
}

/// Covers a person as an employee until the end of the season.
fn employ(world: &mut World, number: u8) {
    let period = Period { from: today(), to: Some(next_year("12-31")) };
    let scheme = SchemeId(310);
    let coverage = coverage::CoverageTerms { scheme, period, benefits_from: None, facts: facts() };
    let employed = EnrolCoverage { person: id(number), region: REGION, coverage };
    world.accepted(&[party("bureau")], &employed);
}

fn value(receipt: &Receipt, name: &str) -> FieldValue {
    let mut fields = receipt.fields.iter();
    fields.find(|field| field.name.to_string() == name).map(|field| field.value.clone()).unwrap()
}

fn fund(world: &World) -> i128 {
    world.balance(Account::Fund { region: REGION, fund: POOL })
}

fn books() -> Books {
    Books::of(organisation("tax"), REGION)
}

#[test]
fn a_paid_premium_covers_from_the_first_day_of_the_season() {
    let mut world = world();
    let ordered = world.accepted(&by(1), &pay(1, vec![item(1, 40_000)]));
    assert_eq!(effect(&ordered).0.amount, fen(40_000));
    assert_eq!((fund(&world), cover(&world, 1, next_year("02-01"))), (0, None));
    world.rejected(&by(2), &pay(2, vec![item(1, 40_000)]), rejection::PAYMENT_RUNNING);
    done(&mut world, &ordered);
    assert_eq!(fund(&world), 40_000);
    assert_eq!(world.balance(Account::Rail(books())), -40_000);
    assert_eq!(cover(&world, 1, next_year("01-01")), Some(Standing::Active));
    world.rejected(&by(2), &pay(2, vec![item(1, 40_000)]), rejection::ALREADY_PAID);
    world.rejected(&[party("bank")], &lock(1, 2, "bank"), rejection::ALREADY_PAID);
    let unsigned = pay(1, vec![item(1, 40_000)]);
    world.rejected(&[party("bureau")], &unsigned, rejection::PAYER_MISSING);
}

#[test]
fn a_payment_that_fails_leaves_the_premium_due() {
    let mut world = world();
    let ordered = world.accepted(&by(1), &pay(1, vec![item(1, 40_000)]));
    failed(&mut world, &ordered);
    assert_eq!((standing(&world, 1), fund(&world)), (PremiumStanding::Due, 0));
    let (_, reference) = effect(&ordered);
    let again = word(reference, EffectResult::Done { amount: fen(40_000) });
    let pending = crate::modules::visit::rejection::EFFECT_NOT_PENDING;
    world.rejected(&[party("tax")], &again, pending);
    let ordered = world.accepted(&by(1), &pay(1, vec![item(1, 40_000)]));
    let (_, reference) = effect(&ordered);
    let less = word(reference, EffectResult::Done { amount: fen(39_999) });
    world.rejected(&[party("tax")], &less, rejection::AMOUNT_DIFFERS);
    let stranger = word(reference, EffectResult::Done { amount: fen(40_000) });
    world.rejected(&[party("bank")], &stranger, organisations::SIGNATURE_MISSING);
    done(&mut world, &ordered);
    assert_eq!(fund(&world), 40_000);
}

#[test]
fn fifty_channels_race_and_one_pays() {
    let mut world = world();
    let order = pay(1, vec![item(1, 40_000)]);
    let all: Vec<_> = (0..50)
        .map(|_| {
            let content = world.content(by(1)[0], &order);
            world.sign(&content, &by(1))
        })
        .collect();
    let receipts = crate::execute_block(&mut world.ledger, world.now, &all).1;
    let paying = receipts.iter().filter(|receipt| receipt.effects.len() == 1).count();
    assert_eq!((paying, receipts.len()), (1, 50));
}

#[test]
fn a_lock_keeps_others_out_until_it_ends_and_moves_with_its_payer() {
    let mut world = world();
    let locked = world.accepted(&[party("bank")], &lock(1, 2, "bank"));
    let until = value(&locked, "until");
    world.rejected(&[party("hospital")], &lock(1, 3, "hospital"), rejection::LOCKED);
    world.rejected(&by(1), &pay(1, vec![item(1, 40_000)]), rejection::LOCKED);
    world.wait(5 * MINUTE);
    let moved = world.accepted(&[party("hospital")], &lock(1, 2, "hospital"));
    assert_eq!(value(&moved, "until"), until, "asking again prolongs nothing");
    world.wait(16 * MINUTE);
    world.accepted(&by(1), &pay(1, vec![item(1, 40_000)]));
}

#[test]
fn a_channel_locks_by_its_clerk_or_by_the_machine_that_attests_who_signed_in() {
    let mut world = world();
    for (name, scope) in [("clerk", Scope::Clerk), ("app", Scope::Attest), ("till", Scope::Execute)]
    {
        world.keys.insert(party("bureau"), "bureau-root");
        let key = AuthoriseKey {
            organisation: organisation("bureau"),
            key: public(name),
            scopes: vec![scope],
            expires: world.now.plus_millis(DAY),
        };
        world.accepted(&[party("bureau")], &key);
        world.keys.insert(party("bureau"), name);
        if scope == Scope::Execute {
            world.rejected(&[party("bureau")], &lock(1, 2, "bureau"), organisations::SCOPE_MISSING);
        } else {
            world.accepted(&[party("bureau")], &lock(1, 2, "bureau"));
            let release = ReleasePremium { season: season(), person: id(1) };
            world.accepted(&[party("bureau")], &release);
        }
    }
}

#[test]
fn channel_payer_and_person_end_a_lock_and_nobody_else() {
    let mut world = world();
    let release = ReleasePremium { season: season(), person: id(1) };
    world.rejected(&[party("bank")], &release, rejection::NOT_LOCKED);
    for signer in [party("bank"), Party::Person(id(2)), Party::Person(id(1))] {
        world.accepted(&[party("bank")], &lock(1, 2, "bank"));
        world.rejected(&[Party::Person(id(3))], &release, rejection::NOT_YOURS);
        world.rejected(&[party("hospital")], &release, rejection::NOT_YOURS);
        world.accepted(&[signer], &release);
        assert_eq!(standing(&world, 1), PremiumStanding::Due);
    }
    // Three locks on one day are as many as the season allows.
    world.rejected(&[party("bank")], &lock(1, 2, "bank"), rejection::LOCKED_TOO_OFTEN);
    world.wait(DAY);
    world.accepted(&[party("bank")], &lock(1, 2, "bank"));
}

#[test]
fn a_payer_locks_only_so_many_at_once() {
    let mut world = world();
    world.accepted(&[party("bureau")], &register(vec![row(3, FULL), row(4, FULL)]));
    world.accepted(&[party("bank")], &lock(1, 4, "bank"));
    world.accepted(&[party("bank")], &lock(2, 4, "bank"));
    world.rejected(&[party("bank")], &lock(3, 4, "bank"), rejection::TOO_MANY_LOCKS);
    world.accepted(&by(4), &pay(4, vec![item(1, 40_000)]));
    world.accepted(&[party("bank")], &lock(3, 4, "bank"));
    world.rejected(&[party("bank")], &lock(4, 4, "bank"), rejection::TOO_MANY_LOCKS);
    world.wait(HOUR);
    world.accepted(&[party("bank")], &lock(4, 4, "bank"));
}

#[test]
fn a_household_pays_in_one_go_and_a_wrong_line_stops_no_other() {
    let mut world = world();
    world.accepted(&[party("bureau")], &register(vec![row(3, SUBSIDISED)]));
    let items =
        vec![item(1, 40_000), item(2, 39_999), item(3, 12_000), item(4, 40_000), item(1, 40_000)];
    let ordered = world.accepted(&by(1), &pay(1, items));
    assert_eq!(effect(&ordered).0.amount, fen(52_000));
    let text = |name| match value(&ordered, name) {
        FieldValue::Text(text) => text.to_string(),
        other => panic!("{other:?}"),
    };
    assert_eq!(text("refused.00"), "1:916 3:905 4:910");
    let paid = done(&mut world, &ordered);
    for number in [1, 3] {
        assert_eq!(cover(&world, number, next_year("01-01")), Some(Standing::Active));
    }
    assert_eq!(standing(&world, 2), PremiumStanding::Due);
    // One person does not learn from a receipt who else was on the list.
    assert!(!paid.concerns.contains(&Party::Person(id(3))));
    let nothing = pay(1, vec![item(1, 40_000), item(3, 12_000)]);
    world.rejected(&by(1), &nothing, rejection::NO_ROW_PAID);
}

#[test]
fn an_organisation_pays_with_its_treasury_and_a_clerk_takes_cash() {
    let mut world = world();
    let village = PayPremiums { payer: party("hospital"), ..pay(1, vec![item(1, 40_000)]) };
    world.rejected(&[party("bank"), party("tax")], &village, organisations::SIGNATURE_MISSING);
    world.accepted(&[party("hospital"), party("tax")], &village);
    let bureau = organisation("bureau");
    let counter = PayPremiums { cash: leg(RailKind::Counter), ..pay(2, vec![item(2, 40_000)]) };
    let no_counter = crate::modules::visit::rejection::NO_COUNTER;
    world.rejected(&[party("bank"), party("tax")], &counter, no_counter);
    let cash = CashLeg { executor: bureau, ..leg(RailKind::Counter) };
    let taken = PayPremiums { cash, ..counter };
    let unsigned = [Party::Person(id(2)), party("bureau")];
    world.rejected(&unsigned, &taken, organisations::SIGNATURE_MISSING);
    world.accepted(&[party("bureau")], &PayPremiums { channel: bureau, ..taken });
    let elsewhere = CashLeg { executor: organisation("hospital"), ..leg(RailKind::Bound) };
    let wrong = PayPremiums { cash: elsewhere, ..pay(2, vec![item(2, 40_000)]) };
    world.rejected(&[Party::Person(id(2)), party("hospital")], &wrong, rejection::WRONG_EXECUTOR);
}

#[test]
fn late_payers_owe_the_subsidy_and_wait() {
    let mut world = world();
    world.wait(41 * DAY);
    world.rejected(&by(1), &pay(1, vec![item(1, 40_000)]), rejection::AMOUNT_DIFFERS);
    let ordered = world.accepted(&by(1), &pay(1, vec![item(1, 110_000)]));
    done(&mut world, &ordered);
    let until = next_year("03-31");
    assert_eq!(cover(&world, 1, next_year("02-01")), Some(Standing::Waiting { until }));
    assert_eq!(cover(&world, 1, next_year("04-01")), Some(Standing::Active));
    let row = coverage::view::coverage(world.ledger.state(), id(1)).unwrap();
    let facts = row.coverages.last().unwrap().facts_on(next_year("04-01")).unwrap();
    assert_eq!(facts.unbroken_years, 0, "a break resets the years");
    world.wait(520 * DAY);
    world.rejected(&by(2), &pay(2, vec![item(2, 110_000)]), rejection::WINDOW_CLOSED);
    world.rejected(&[party("bank")], &lock(2, 2, "bank"), rejection::WINDOW_CLOSED);
}

#[test]
fn a_repaired_year_takes_a_month_off_and_a_long_break_keeps_six() {
    let rule = terms().waiting;
    let months = [(0, 0), (1, 0), (1, 1), (2, 0), (2, 2), (3, 1), (4, 0), (4, 4), (6, 0), (6, 2)]
        .map(|(missed, repaired)| rule.months_after(missed, repaired));
    assert_eq!(months, [0, 3, 2, 4, 2, 4, 6, 6, 8, 6]);
    let mut world = world();
    let missed = RegisteredPremium { missed_years: 2, ..row(3, FULL) };
    world.accepted(&[party("bureau")], &register(vec![missed]));
    let repair = |years, amount| PremiumItem { repair_years: years, ..item(3, amount) };
    let three = pay(3, vec![repair(3, 154_000)]);
    world.rejected(&by(3), &three, rejection::NOTHING_TO_REPAIR);
    let ordered = world.accepted(&by(3), &pay(3, vec![repair(2, 116_000)]));
    done(&mut world, &ordered);
    let until = next_year("02-28");
    assert_eq!(cover(&world, 3, next_year("01-15")), Some(Standing::Waiting { until }));
}

#[test]
fn newborns_are_covered_at_once_after_the_window() {
    let mut world = world();
    world.wait(41 * DAY);
    let until = Some(today().plus_days(90).unwrap());
    let newborn = RegisteredPremium { newborn_until: until, missed_years: 1, ..row(3, FULL) };
    world.accepted(&[party("bureau")], &register(vec![newborn]));
    let ordered = world.accepted(&by(1), &pay(1, vec![item(3, 40_000)]));
    done(&mut world, &ordered);
    assert_eq!(cover(&world, 3, next_year("01-01")), Some(Standing::Active));
}

#[test]
fn for_whom_others_pay_everything_cover_follows_from_registration() {
    let mut world = world();
    world.accepted(&[party("bureau")], &register(vec![row(3, WAIVED)]));
    assert_eq!(cover(&world, 3, next_year("01-01")), Some(Standing::Active));
    world.rejected(&by(1), &pay(1, vec![item(3, 0)]), rejection::ALREADY_PAID);
    let again = world.accepted(&[party("bureau")], &register(vec![row(3, FULL), row(9, FULL)]));
    assert_eq!(value(&again, "refused"), FieldValue::Number(2));
}

#[test]
fn whoever_is_insured_elsewhere_learns_it_before_paying() {
    let mut world = world();
    employ(&mut world, 1);
    let refused =
        world.rejected(&by(1), &pay(1, vec![item(1, 40_000)]), coverages::COVERED_ELSEWHERE);
    assert!(refused.rejection_words().contains("310"), "{}", refused.rejection_words());
}

#[test]
fn who_is_covered_elsewhere_while_the_bank_works_gets_the_money_back() {
    let mut world = world();
    let ordered = world.accepted(&by(1), &pay(1, vec![item(1, 40_000)]));
    employ(&mut world, 1);
    done(&mut world, &ordered);
    let (_, payment) = effect(&ordered);
    let paid = PremiumStanding::Paid { payment: Some(payment), benefits_from: None };
    assert_eq!(standing(&world, 1), paid);
    world.wait(370 * DAY);
    let cancel = CancelPremium { season: season(), person: id(1), actor: Actor::OwnKey };
    let back = world.accepted(&[Party::Person(id(1))], &cancel);
    done(&mut world, &back);
    assert_eq!((fund(&world), world.balance(Account::Rail(books()))), (0, 0));
}

#[test]
fn a_premium_goes_back_where_it_came_from_before_cover_begins() {
    let mut world = world();
    let ordered = world.accepted(&by(2), &pay(2, vec![item(1, 40_000), item(2, 40_000)]));
    done(&mut world, &ordered);
    let cancel = CancelPremium { season: season(), person: id(1), actor: Actor::OwnKey };
    world.rejected(&[Party::Person(id(2))], &cancel, person::rejection::SIGNATURE_MISSING);
    let back = world.accepted(&[Party::Person(id(1))], &cancel);
    let (order, reference) = effect(&back);
    assert_eq!((order.action, order.amount), (EffectAction::Refund, fen(40_000)));
    assert_eq!(order.original, Some(effect(&ordered).1));
    assert_eq!(cover(&world, 1, next_year("01-01")), None);
    world.rejected(&[Party::Person(id(1))], &cancel, rejection::PAYMENT_RUNNING);
    let no = word(reference, EffectResult::Failed { reason: 1 });
    world.accepted(&[party("tax")], &no);
    assert_eq!((fund(&world), world.balance(Account::OwedToPatients(books()))), (40_000, 40_000));
    let back = world.accepted(&[Party::Person(id(1))], &cancel);
    assert_eq!(effect(&back).0.original, Some(effect(&ordered).1));
    done(&mut world, &back);
    assert_eq!(world.balance(Account::Rail(books())), -40_000);
    assert_eq!((standing(&world, 1), fund(&world)), (PremiumStanding::Due, 40_000));
    assert_eq!(cover(&world, 2, next_year("01-01")), Some(Standing::Active));
    world.wait(370 * DAY);
    let late = CancelPremium { season: season(), person: id(2), actor: Actor::OwnKey };
    world.rejected(&[Party::Person(id(2))], &late, rejection::COVER_BEGUN);
}

#[test]
fn a_stranger_learns_payable_or_not_and_nothing_else() {
    let mut world = world();
    let payable = |world: &World, number| {
        let now = (world.now, today());
        view::is_payable(world.ledger.state(), season(), id(number), now)
    };
    assert_eq!([1, 2, 3].map(|number| payable(&world, number)), [true, true, false]);
    world.accepted(&[party("bank")], &lock(1, 2, "bank"));
    assert!(!payable(&world, 1));
    world.now = world.now.plus_millis(20 * MINUTE);
    assert!(payable(&world, 1));
}

#[test]
fn a_season_is_set_by_both_and_its_terms_make_sense() {
    let mut world = world();
    let both = [party("bureau"), party("tax")];
    let set = |terms| SetPremiumSeason { season: season(), terms };
    let wrong: [fn(&mut PremiumSeason); 6] = [
        |terms| terms.cover.to = None,
        |terms| terms.window.to = terms.window.from.plus_days(-1),
        |terms| terms.late_until = Some(terms.window.from),
        |terms| terms.classes.clear(),
        |terms| terms.lock_minutes = 0,
        |terms| terms.locks_per_payer = 65,
    ];
    for change in wrong {
        let mut terms = terms();
        change(&mut terms);
        world.rejected(&both, &set(terms), rejection::INVALID_SEASON);
    }
    world.rejected(&both[..1], &set(terms()), organisations::SIGNATURE_MISSING);
    world.rejected(&both[1..], &set(terms()), organisations::SIGNATURE_MISSING);
    let hospital = PremiumSeason { collector: organisation("hospital"), ..terms() };
    let signers = [party("bureau"), party("hospital")];
    world.rejected(&signers, &set(hospital), rejection::INVALID_COLLECTOR);
    let moved = PremiumSeason { cover: Period { from: today(), ..terms().cover }, ..terms() };
    world.rejected(&both, &set(moved), rejection::SEASON_FIXED);
    let later = PremiumSeason { lock_minutes: 12, ..terms() };
    world.accepted(&both, &set(later));
    let other = SeasonId { year: season().year + 1, ..season() };
    let unknown = RegisterPremiums { season: other, rows: vec![row(1, FULL)] };
    world.rejected(&both[..1], &unknown, rejection::UNKNOWN_SEASON);
}

#[test]
fn a_premium_that_cannot_be_paid_says_why() {
    let mut world = world();
    let bureau = [party("bureau")];
    world.rejected(&by(3), &pay(3, vec![item(3, 40_000)]), rejection::NOT_REGISTERED);
    let cancel = CancelPremium { season: season(), person: id(1), actor: Actor::OwnKey };
    world.rejected(&[Party::Person(id(1))], &cancel, rejection::NOT_PAID);
    let code = |receipt: &Receipt| value(receipt, "refused.00");
    let refused = |code: crate::kernel::rejection::Code| {
        FieldValue::Text(Text::new(&alloc::format!("0:{}", code.number)).unwrap())
    };
    let unknown = world.accepted(&bureau, &register(vec![row(3, 9)]));
    assert_eq!(code(&unknown), refused(rejection::UNKNOWN_CLASS));
    world.accepted(&by(1), &pay(1, vec![item(1, 40_000)]));
    let running = world.accepted(&bureau, &register(vec![row(1, FULL)]));
    assert_eq!(code(&running), refused(rejection::RECORD_IN_USE));
    // After eight missed years benefits wait ten months, after ten the whole season.
    let missed = |years| RegisteredPremium { missed_years: years, ..row(3, FULL) };
    world.accepted(&bureau, &register(vec![missed(8)]));
    world.accepted(&[party("bank")], &lock(3, 3, "bank"));
    world.wait(HOUR);
    world.accepted(&bureau, &register(vec![missed(10)]));
    world.rejected(&[party("bank")], &lock(3, 3, "bank"), rejection::NO_BENEFIT_LEFT);
    let mut free = terms();
    free.classes[0].amount = Amount::ZERO;
    let set = SetPremiumSeason { season: season(), terms: free };
    world.accepted(&[party("bureau"), party("tax")], &set);
    world.rejected(&[party("bank")], &lock(2, 2, "bank"), rejection::NOTHING_DUE);
}

/// The counts say what the records say.
fn check_counts(world: &World) {
    let state = world.ledger.state();
    let (mut counted, mut locks) = ([0_u32; 5], 0);
    for record in (1..=4).filter_map(|number| view::record(state, season(), id(number))) {
        locks += u64::from(record.lock_at(world.now).is_some());
        let place = match record.standing {
            PremiumStanding::Due | PremiumStanding::Locked(_) => 0,
            PremiumStanding::Paying { .. } => 1,
            PremiumStanding::Paid { payment: Some(_), .. } => 2,
            PremiumStanding::Paid { payment: None, .. } => 3,
            PremiumStanding::GoingBack { .. } => 4,
        };
        counted[place] += 1;
    }
    let all = [FULL, SUBSIDISED, WAIVED].map(|class| view::tally(state, season(), class));
    let sum = |part: fn(&PremiumTally) -> TallyPart| {
        all.iter().map(|tally| part(tally).persons).sum::<u32>()
    };
    let told: [u32; 5] = [
        sum(|tally| tally.due),
        sum(|tally| tally.paying),
        sum(|tally| tally.paid),
        sum(|tally| tally.waived),
        sum(|tally| tally.going_back),
    ];
    assert_eq!((told, view::locked(state, season(), world.now)), (counted, locks));
    assert!(all.iter().all(|tally| tally.due.amount.is_zero() && tally.waived.amount.is_zero()));
}

#[test]
fn the_counts_are_those_of_the_records_after_every_move() {
    let mut world = world();
    let (bureau, bank) = ([party("bureau")], [party("bank")]);
    let full = |world: &World| view::tally(world.ledger.state(), season(), FULL);
    check_counts(&world);
    // Somebody moves from one class to another, and another is waived.
    world.accepted(&bureau, &register(vec![row(2, SUBSIDISED), row(3, WAIVED), row(4, FULL)]));
    check_counts(&world);
    world.accepted(&bank, &lock(1, 2, "bank"));
    world.accepted(&bank, &lock(4, 2, "bank"));
    check_counts(&world);
    let moved = [party("hospital")];
    world.accepted(&moved, &lock(1, 2, "hospital"));
    world.accepted(&moved, &ReleasePremium { season: season(), person: id(1) });
    check_counts(&world);
    // A lock that has ended is counted no longer, and goes once somebody pays.
    world.wait(21 * MINUTE);
    assert_eq!(view::locked(world.ledger.state(), season(), world.now), 0);
    check_counts(&world);
    let ordered = world.accepted(&by(1), &pay(1, vec![item(1, 40_000), item(4, 40_000)]));
    assert_eq!(full(&world).paying, TallyPart { persons: 2, amount: fen(80_000) });
    check_counts(&world);
    failed(&mut world, &ordered);
    check_counts(&world);
    let ordered = world.accepted(&by(1), &pay(1, vec![item(1, 40_000), item(4, 40_000)]));
    done(&mut world, &ordered);
    assert_eq!(full(&world).paid, TallyPart { persons: 2, amount: fen(80_000) });
    check_counts(&world);
    let cancel = CancelPremium { season: season(), person: id(4), actor: Actor::OwnKey };
    let four = [Party::Person(id(4))];
    let back = world.accepted(&four, &cancel);
    check_counts(&world);
    failed(&mut world, &back);
    let back = world.accepted(&four, &cancel);
    assert_eq!(full(&world).going_back, TallyPart { persons: 1, amount: fen(40_000) });
    check_counts(&world);
    done(&mut world, &back);
    assert_eq!(full(&world).paid, TallyPart { persons: 1, amount: fen(40_000) });
    assert_eq!(full(&world).going_back, TallyPart::default());
    check_counts(&world);
}

#[test]
fn the_bureau_ends_a_lock_of_another_channel_at_its_desk() {
    let mut world = world();
    world.accepted(&[party("bank")], &lock(1, 2, "bank"));
    let release = ReleasePremium { season: season(), person: id(1) };
    let released = world.accepted(&[party("bureau")], &release);
    for told in [Party::Person(id(1)), Party::Person(id(2)), party("bank")] {
        assert!(released.concerns.contains(&told), "{told} is told");
    }
    assert_eq!(standing(&world, 1), PremiumStanding::Due);
}

#[test]
fn the_bureau_learns_why_a_premium_cannot_be_paid() {
    let mut world = world();
    let why = |world: &World, number: u8, on: CivilDate| {
        let at = (world.now, on);
        view::require_payable(world.ledger.state(), season(), id(number), at)
            .map(|due| due.amount)
            .map_err(|rejection| rejection.code)
    };
    assert_eq!(why(&world, 1, today()), Ok(fen(40_000)));
    assert_eq!(why(&world, 9, today()), Err(person::rejection::UNKNOWN_PERSON));
    assert_eq!(why(&world, 3, today()), Err(rejection::NOT_REGISTERED));
    assert_eq!(why(&world, 1, next_year("07-01")), Err(rejection::WINDOW_CLOSED));
    world.accepted(&[party("bank")], &lock(1, 2, "bank"));
    assert_eq!(why(&world, 1, today()), Err(rejection::LOCKED));
    employ(&mut world, 2);
    assert_eq!(why(&world, 2, today()), Err(coverages::COVERED_ELSEWHERE));
    // Once the cover in the wrong place has ended, the premium can be paid.
    let end = coverage::EndCoverage {
        person: id(2),
        region: REGION,
        scheme: SchemeId(310),
        last_day: next_year("01-01").plus_days(-1).unwrap(),
    };
    world.accepted(&[party("bureau")], &end);
    assert_eq!(why(&world, 2, today()), Ok(fen(40_000)));
    let year = season().year;
    let listed = view::seasons(world.ledger.state(), REGION, year - 1..=year);
    assert_eq!(listed.iter().map(|(id, _)| *id).collect::<Vec<_>>(), vec![season()]);
}
