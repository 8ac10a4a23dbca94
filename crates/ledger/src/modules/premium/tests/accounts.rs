//! Premiums from personal accounts.

use super::*;
use crate::kernel::month::CalendarMonth;
use crate::kernel::rejection::Code;
use crate::modules::family::{
    self, Agreement, AidMeter, AidPurpose, AidRules, AidTerms, BindingSide, GrantAid, Relation,
    RevokeAid, SetAidRules, rejection as aids,
};
use crate::modules::fund::{CreditPersonalAccounts, CreditRow, CreditSource};
use crate::modules::person::{GuardianGround, LockPerson, SetGuardian, rejection as persons};

const BUREAU: &str = "bureau";
/// Whose premium it is: registered, and helped by 4 in the worlds of these tests.
const MEMBER: u8 = 1;
/// Whose account helps.
const RELATIVE: u8 = 4;

fn rules(pays_premiums: bool) -> SetAidRules {
    let rules = AidRules {
        relations: vec![Relation { number: 1, name: Text::new("child").unwrap() }],
        members_per_payer_max: 4,
        accounts_per_bill_max: 3,
        direct_below_age: 16,
        pays_premiums,
        bill_max: fen(100_000),
        month_max: fen(100_000),
        year_max: fen(200_000),
        source: Text::new("made up for tests").unwrap(),
    };
    SetAidRules { region: REGION, rules }
}

fn grant(payer: u8, member: u8, purpose: AidPurpose, limits: [u64; 3]) -> GrantAid {
    let [bill_max, month_max, year_max] = limits.map(fen);
    let terms = AidTerms {
        relation: 1,
        purpose,
        visit_types: vec![],
        bill_max,
        month_max,
        year_max,
        rank: 0,
        until: None,
    };
    GrantAid { payer: id(payer), member: id(member), terms, agreement: Agreement::OwnKey }
}

pub(super) fn one(number: u8) -> [Party; 1] {
    [Party::Person(id(number))]
}

fn two(payer: u8, member: u8) -> [Party; 2] {
    [Party::Person(id(payer)), Party::Person(id(member))]
}

pub(super) fn credit(world: &mut World, batch: u32, rows: &[(u8, u64)]) {
    let row =
        |(number, amount): &(u8, u64)| CreditRow { person: id(*number), amount: fen(*amount) };
    let credit = CreditPersonalAccounts {
        region: REGION,
        source: CreditSource::Outside,
        month: CalendarMonth { year: 2026, month: 1 },
        batch,
        rows: rows.iter().map(row).collect(),
    };
    world.accepted(&[party(BUREAU)], &credit);
}

/// As [`world`], with accounts of the persons 1, 2 and 4.
pub(super) fn with_accounts() -> World {
    let mut world = world();
    world.accepted(&[party(BUREAU)], &rules(true));
    credit(&mut world, 1, &[(1, 90_000), (2, 39_999), (RELATIVE, 150_000)]);
    world
}

/// The same, where the relative's account helps the member with everything.
fn helped() -> World {
    let mut world = with_accounts();
    let grant = grant(RELATIVE, MEMBER, AidPurpose::CareAndPremiums, [50_000, 60_000, 70_000]);
    world.accepted(&two(RELATIVE, MEMBER), &grant);
    world
}

fn from(number: u8, source: PremiumSource) -> AccountPremium {
    AccountPremium { person: id(number), repair_years: 0, amount: fen(40_000), source }
}

fn own(number: u8) -> AccountPremium {
    from(number, PremiumSource::PersonalAccount)
}

fn family(number: u8) -> AccountPremium {
    from(number, PremiumSource::FamilyAccount { grant: 1 })
}

fn pays(payer: u8, items: Vec<AccountPremium>) -> PayPremiumsFromAccounts {
    PayPremiumsFromAccounts { season: season(), payer: id(payer), items }
}

/// The own premium from the own account.
pub(super) fn pays_own(number: u8) -> PayPremiumsFromAccounts {
    pays(number, vec![own(number)])
}

pub(super) fn cancel(number: u8) -> CancelPremium {
    CancelPremium { season: season(), person: id(number), actor: Actor::OwnKey }
}

pub(super) fn account(world: &World, number: u8) -> i128 {
    world.balance(Account::PersonalAccount(id(number)))
}

fn first_grant(world: &World) -> family::AidGrant {
    family::view::grant(world.ledger.state(), id(MEMBER), 1).unwrap()
}

/// What the member's first grant has paid in the month and in the year of this day.
fn metered(world: &World, on: CivilDate) -> (Amount, Amount) {
    AidMeter::on(first_grant(world).meter, on)
}

#[test]
fn the_own_account_pays_the_own_premium_at_once_and_gets_it_back() {
    let mut world = with_accounts();
    world.accepted(&[party("bank")], &lock(1, 1, "bank"));
    let paid = world.accepted(&one(1), &pays(1, vec![own(1)]));
    assert_eq!((account(&world, 1), fund(&world)), (50_000, 40_000));
    assert!(paid.effects.is_empty(), "nothing is ordered outside");
    let amount = value(&paid, "amount");
    assert_eq!(value(&paid, "personal_account"), amount);
    assert_eq!(cover(&world, 1, next_year("01-01")), Some(Standing::Active));
    check_counts(&world);
    world.rejected(&one(1), &pays(1, vec![own(1)]), rejection::ALREADY_PAID);
    world.rejected(&by(2), &super::pay(2, vec![item(1, 40_000)]), rejection::ALREADY_PAID);
    let back = world.accepted(&one(1), &cancel(1));
    assert_eq!((account(&world, 1), fund(&world)), (90_000, 0));
    assert_eq!(value(&back, "personal_account"), amount);
    let after = (standing(&world, 1), cover(&world, 1, next_year("01-01")));
    assert_eq!(after, (PremiumStanding::Due, None));
    check_counts(&world);
    world.rejected(&one(1), &cancel(1), rejection::NOT_PAID);
    world.accepted(&one(1), &pays(1, vec![own(1)]));
    assert_eq!(account(&world, 1), 50_000);
}

#[test]
fn an_account_pays_its_owners_premium_and_no_more_than_it_has() {
    let mut world = with_accounts();
    let wrong = |code: Code, payer: u8, items: Vec<AccountPremium>, world: &mut World| {
        world.rejected(&one(payer), &pays(payer, items), code);
    };
    wrong(rejection::ACCOUNT_NOT_OWN, 1, vec![own(2)], &mut world);
    wrong(rejection::ACCOUNT_TOO_LOW, 2, vec![own(2)], &mut world);
    wrong(rejection::NOT_REGISTERED, RELATIVE, vec![own(RELATIVE)], &mut world);
    wrong(rejection::COUNT_INVALID, 1, vec![], &mut world);
    wrong(rejection::COUNT_INVALID, 1, vec![own(1); 17], &mut world);
    let less = AccountPremium { amount: fen(39_999), ..own(1) };
    wrong(rejection::AMOUNT_DIFFERS, 1, vec![less], &mut world);
    wrong(rejection::ALREADY_PAID, 1, vec![own(1), own(1)], &mut world);
    world.rejected(&one(2), &pays(1, vec![own(1)]), persons::SIGNATURE_MISSING);
    world.accepted(&[party("bank")], &lock(1, 2, "bank"));
    wrong(rejection::LOCKED, 1, vec![own(1)], &mut world);
    world.wait(HOUR);
    world.accepted(&one(1), &LockPerson { person: id(1), by: Actor::OwnKey });
    wrong(persons::PERSON_LOCKED, 1, vec![own(1)], &mut world);
    employ(&mut world, 2);
    credit(&mut world, 2, &[(2, 1)]);
    wrong(coverages::COVERED_ELSEWHERE, 2, vec![own(2)], &mut world);
    let unchanged = (account(&world, 1), account(&world, 2), fund(&world));
    assert_eq!(unchanged, (90_000, 40_000, 0));
}

#[test]
fn a_relatives_account_pays_within_its_grant() {
    let mut world = helped();
    let paid = world.accepted(&one(MEMBER), &pays(MEMBER, vec![family(MEMBER)]));
    assert_eq!((account(&world, RELATIVE), account(&world, MEMBER)), (110_000, 90_000));
    let between = world.balance(Account::FamilyAccounts(REGION));
    assert_eq!((fund(&world), between), (40_000, 0), "nothing stays in between");
    assert_eq!(value(&paid, "family_accounts"), value(&paid, "amount"));
    assert!(!paid.concerns.contains(&one(RELATIVE)[0]), "the relative has the grant's uses");
    let grant = first_grant(&world);
    assert_eq!((metered(&world, today()).0, grant.left_on(today())), (fen(40_000), fen(20_000)));
    assert_eq!((grant.uses.len(), grant.uses[0].paid), (1, fen(40_000)));
    world.accepted(&one(MEMBER), &cancel(MEMBER));
    // Its payer uses it as well, and a stranger learns nothing with it.
    let none = pays(3, vec![family(MEMBER)]);
    world.rejected(&one(3), &none, persons::NOT_A_GUARDIAN);
    world.accepted(&one(RELATIVE), &pays(RELATIVE, vec![family(MEMBER)]));
    assert_eq!(account(&world, RELATIVE), 110_000);
    check_counts(&world);
}

#[test]
fn a_guardian_pays_from_a_relatives_account() {
    let mut world = helped();
    let guardian = SetGuardian {
        person: id(MEMBER),
        guardian: id(3),
        ground: GuardianGround::OwnWish,
        period: Period { from: today(), to: None },
    };
    world.accepted(&one(MEMBER), &guardian);
    world.accepted(&one(3), &pays(3, vec![family(MEMBER)]));
    assert_eq!((account(&world, RELATIVE), fund(&world)), (110_000, 40_000));
}

#[test]
fn every_limit_of_a_grant_holds_for_premiums() {
    let refused = |limits: [u64; 3], purpose: AidPurpose, code: Code| {
        let mut world = with_accounts();
        world.accepted(&two(RELATIVE, MEMBER), &grant(RELATIVE, MEMBER, purpose, limits));
        world.rejected(&one(MEMBER), &pays(MEMBER, vec![family(MEMBER)]), code);
        assert_eq!((account(&world, RELATIVE), fund(&world)), (150_000, 0));
    };
    refused([39_999, 60_000, 70_000], AidPurpose::Premiums, aids::AID_LIMIT_REACHED);
    refused([50_000, 60_000, 70_000], AidPurpose::Care, aids::AID_NOT_FOR_PREMIUMS);
    let mut world = helped();
    let by = one(MEMBER);
    let pay = pays(MEMBER, vec![family(MEMBER)]);
    let unknown = from(MEMBER, PremiumSource::FamilyAccount { grant: 2 });
    world.rejected(&by, &pays(MEMBER, vec![unknown]), aids::UNKNOWN_GRANT);
    world.accepted(&one(RELATIVE), &LockPerson { person: id(RELATIVE), by: Actor::OwnKey });
    world.rejected(&by, &pay, persons::PERSON_LOCKED);
    let mut world = helped();
    world.accepted(&[party(BUREAU)], &rules(false));
    world.rejected(&by, &pay, aids::AID_NOT_FOR_PREMIUMS);
    let other = grant(2, MEMBER, AidPurpose::Premiums, [1, 1, 1]);
    world.rejected(&two(2, MEMBER), &other, aids::AID_NOT_FOR_PREMIUMS);
    world.accepted(&[party(BUREAU)], &rules(true));
    let (payer, member, side) = (id(RELATIVE), id(MEMBER), BindingSide::Payer);
    world.accepted(&one(RELATIVE), &RevokeAid { payer, member, side, actor: Actor::OwnKey });
    world.rejected(&by, &pay, aids::UNKNOWN_GRANT);
}

#[test]
fn a_relative_with_too_little_is_not_told_on() {
    let mut world = with_accounts();
    let all = AidPurpose::CareAndPremiums;
    world.accepted(&two(2, MEMBER), &grant(2, MEMBER, all, [50_000, 60_000, 70_000]));
    let pay = pays(MEMBER, vec![family(MEMBER)]);
    let refused = world.rejected(&one(MEMBER), &pay, rejection::ACCOUNT_TOO_LOW);
    assert_eq!(refused.rejection_words(), "", "how much the account has is its owner's business");
    let own = world.rejected(&one(2), &pays(2, vec![own(2)]), rejection::ACCOUNT_TOO_LOW);
    assert_eq!(own.rejection_words(), "399.99 CNY are left");
}

#[test]
fn what_an_account_paid_goes_back_to_it() {
    let mut world = helped();
    let paid_on = today();
    world.accepted(&one(MEMBER), &pays(MEMBER, vec![family(MEMBER)]));
    let (payer, member, side) = (id(RELATIVE), id(MEMBER), BindingSide::Payer);
    world.accepted(&one(RELATIVE), &RevokeAid { payer, member, side, actor: Actor::OwnKey });
    // A month later, and the grant is no more: the month in which it had paid falls, no other.
    world.wait(31 * DAY);
    let back = world.accepted(&one(MEMBER), &cancel(MEMBER));
    assert_eq!((account(&world, RELATIVE), account(&world, MEMBER)), (150_000, 90_000));
    assert_eq!((fund(&world), world.balance(Account::FamilyAccounts(REGION))), (0, 0));
    assert_eq!(value(&back, "family_accounts"), value(&back, "amount"));
    assert_eq!(metered(&world, paid_on), (Amount::ZERO, Amount::ZERO));
    assert_eq!(first_grant(&world).uses[0].returned, fen(40_000));
    check_counts(&world);
}

#[test]
fn a_premium_is_not_given_back_once_cover_has_begun() {
    let mut world = with_accounts();
    world.accepted(&one(1), &pays(1, vec![own(1)]));
    let first = primitives::Timestamp::start_of(next_year("01-01"), primitives::UtcOffset(480));
    world.wait(first.millis() - world.now.millis());
    world.rejected(&one(1), &cancel(1), rejection::COVER_BEGUN);
    assert_eq!((account(&world, 1), fund(&world)), (50_000, 40_000));
}

#[test]
fn a_household_is_paid_from_two_accounts_all_or_none() {
    let mut world = helped();
    let other = grant(RELATIVE, 2, AidPurpose::Premiums, [39_000, 60_000, 70_000]);
    world.accepted(&two(RELATIVE, 2), &other);
    let both = pays(RELATIVE, vec![family(MEMBER), family(2)]);
    world.rejected(&one(RELATIVE), &both, aids::AID_LIMIT_REACHED);
    assert_eq!((standing(&world, MEMBER), fund(&world)), (PremiumStanding::Due, 0));
    assert_eq!(metered(&world, today()), (Amount::ZERO, Amount::ZERO));
    world.accepted(&[party(BUREAU)], &register(vec![row(2, SUBSIDISED)]));
    let second = AccountPremium { amount: fen(12_000), ..family(2) };
    let paid = world.accepted(&one(RELATIVE), &pays(RELATIVE, vec![family(MEMBER), second]));
    assert_eq!((account(&world, RELATIVE), fund(&world)), (98_000, 52_000));
    let row = view::account_payment(world.ledger.state(), &paid.record.transaction_id).unwrap();
    assert_eq!((row.amount, row.items.len()), (fen(52_000), 2));
    world.accepted(&one(2), &cancel(2));
    assert_eq!((account(&world, RELATIVE), fund(&world)), (110_000, 40_000));
    let payment = Some(paid.record.transaction_id);
    let benefits_from = Some(next_year("01-01"));
    assert_eq!(standing(&world, MEMBER), PremiumStanding::Paid { payment, benefits_from });
}
