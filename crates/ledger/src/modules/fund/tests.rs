#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "tests fail by panicking")]
use super::*;
use crate::kernel::account::{Account, Books, Floor};
use crate::kernel::month::CalendarMonth;
use crate::kernel::posting::{Entry, hold, open_account, post, regions_of, void_hold};
use crate::kernel::receipt::{Receipt, amount_value};
use crate::kernel::rejection::kernel;
use crate::modules::network::{OpenRegion, rejection as network};
use crate::modules::organisation::rejection as organisations;
use crate::modules::organisation::{AuthoriseKey, OrganisationKind, Scope, SuspendOrganisation};
use crate::testing::{
    DAY, HOUR, REGION, START, World, fen, organisation, person, public, settings,
};
use alloc::{format, string::ToString, vec, vec::Vec};
use benefit::{Payer, PayerShare};
use primitives::{
    Amount, CivilDate, Currency, FundId, Hash, OrganisationId, Party, RegionId, SchemeId, sha256,
};
use proof::receipt::FieldValue;

const POOL: FundId = FundId(1);
const NEXT: FundId = FundId(2);
const COVER: FundId = FundId(7);
const EMPLOYEES: SchemeId = SchemeId(310);

fn bureau() -> [Party; 1] {
    [Party::Organisation(organisation("bureau"))]
}

fn insurer() -> [Party; 1] {
    [Party::Organisation(organisation("insurer"))]
}

fn both() -> [Party; 2] {
    [bureau()[0], insurer()[0]]
}

fn day(text: &str) -> CivilDate {
    text.parse().unwrap()
}

fn pool() -> OpenFund {
    OpenFund {
        region: REGION,
        fund: POOL,
        owner: organisation("bureau"),
        purpose: Payer::PooledFund,
        year: None,
        floor: Amount::ZERO,
    }
}

fn cover() -> OpenFund {
    OpenFund {
        fund: COVER,
        owner: organisation("insurer"),
        purpose: Payer::CommercialSupplement,
        ..pool()
    }
}

fn contribute(fund: FundId, amount: u64) -> Contribute {
    let reference = sha256(&[fund.0.to_le_bytes().as_slice(), &amount.to_le_bytes()].concat());
    Contribute { region: REGION, fund, amount: fen(amount), reference }
}

/// A world with an insurer, the bureau's open pool with 1,000 yuan in it and the insurer's cover
/// with 10.
fn world() -> World {
    let mut world = World::new();
    world.admit("insurer", OrganisationKind::Insurer, None);
    world.accepted(&bureau(), &pool());
    world.accepted(&insurer(), &cover());
    world.accepted(&bureau(), &contribute(POOL, 100_000));
    world.accepted(&insurer(), &contribute(COVER, 1_000));
    world
}

fn address(fund: FundId) -> FundAddress {
    FundAddress { region: REGION, fund }
}

fn account(fund: FundId) -> Account {
    Account::Fund { region: REGION, fund }
}

fn value(receipt: &Receipt, name: &str) -> Option<FieldValue> {
    receipt
        .fields
        .iter()
        .find(|field| field.name.to_string() == name)
        .map(|field| field.value.clone())
}

#[test]
fn a_fund_belongs_to_the_bureau_or_to_an_insurer_who_signs() {
    let mut world = world();
    world.rejected(&bureau(), &pool(), rejection::FUND_EXISTS);
    let regulator = OpenFund { fund: NEXT, owner: organisation("regulator"), ..pool() };
    let signer = [Party::Organisation(organisation("regulator"))];
    world.rejected(&signer, &regulator, rejection::INVALID_OWNER);
    let foreign = OpenFund { fund: NEXT, ..cover() };
    world.rejected(&bureau(), &foreign, organisations::SIGNATURE_MISSING);
    let elsewhere = OpenFund { region: RegionId(1), ..pool() };
    world.rejected(&bureau(), &elsewhere, network::UNKNOWN_REGION);
    for year in [1999, 3000] {
        let wrong = OpenFund { fund: NEXT, year: Some(year), ..pool() };
        world.rejected(&bureau(), &wrong, rejection::INVALID_YEAR);
    }
    let borne = OpenFund { fund: NEXT, purpose: Payer::HospitalBorne, ..pool() };
    world.rejected(&bureau(), &borne, rejection::PAYER_WITHOUT_FUND);
    world.accepted(&bureau(), &OpenFund { fund: NEXT, year: Some(2000), ..pool() });
    world.accepted(&bureau(), &OpenFund { fund: FundId(3), year: Some(2999), ..pool() });
}

#[test]
fn a_key_without_the_scope_for_treasury_moves_nothing() {
    let mut world = world();
    world.keys.insert(bureau()[0], "bureau-root");
    let clerk = AuthoriseKey {
        organisation: organisation("bureau"),
        key: public("clerk"),
        scopes: vec![Scope::Clerk, Scope::Publish],
        expires: world.now.plus_millis(DAY),
    };
    world.accepted(&bureau(), &clerk);
    world.keys.insert(bureau()[0], "clerk");
    let missing = organisations::SCOPE_MISSING;
    world.rejected(&bureau(), &OpenFund { fund: NEXT, ..pool() }, missing);
    world.rejected(&bureau(), &contribute(POOL, 5), missing);
    let floor = SetFundFloor { region: REGION, fund: POOL, floor: fen(1) };
    world.rejected(&bureau(), &floor, missing);
    world.rejected(&bureau(), &CloseFund { region: REGION, fund: POOL }, missing);
    world.rejected(&bureau(), &assign(Some(POOL), "2026-01-01"), missing);
    world.rejected(&bureau(), &batch(1, vec![(1, 100)]), missing);
    world.rejected(&bureau(), &payout("bureau", 1), missing);
}

#[test]
fn a_contribution_is_booked_once_for_its_reference() {
    let mut world = world();
    assert_eq!(world.balance(account(POOL)), 100_000);
    assert_eq!(world.balance(Account::Outside(REGION)), -101_000);
    world.rejected(&bureau(), &contribute(POOL, 100_000), rejection::REFERENCE_USED);
    world.wait(30 * DAY);
    world.rejected(&bureau(), &contribute(POOL, 100_000), rejection::REFERENCE_USED);
    // Another organisation's reference may happen to be the same.
    let same = Contribute { fund: COVER, amount: fen(1), ..contribute(POOL, 100_000) };
    world.accepted(&insurer(), &same);
    world.rejected(&bureau(), &contribute(POOL, 0), kernel::NOTHING_TO_MOVE);
    world.rejected(&bureau(), &contribute(NEXT, 1), rejection::UNKNOWN_FUND);
    world.rejected(&insurer(), &contribute(POOL, 1), organisations::SIGNATURE_MISSING);
}

#[test]
fn a_contribution_beyond_64_bits_is_rejected() {
    let mut world = world();
    world.rejected(&bureau(), &contribute(POOL, u64::MAX), kernel::AMOUNT_OVERFLOW);
    world.rejected(&bureau(), &contribute(POOL, u64::MAX - 100_999), kernel::AMOUNT_OVERFLOW);
    world.accepted(&bureau(), &contribute(POOL, u64::MAX - 101_000));
    world.rejected(&bureau(), &contribute(POOL, 1), kernel::AMOUNT_OVERFLOW);
}

#[test]
fn money_moves_between_funds_when_both_owners_sign() {
    let mut world = world();
    world.accepted(&bureau(), &OpenFund { fund: NEXT, year: Some(2027), ..pool() });
    let transfer =
        TransferBetweenFunds { from: address(POOL), to: address(NEXT), amount: fen(40_000) };
    world.accepted(&bureau(), &transfer);
    assert_eq!((world.balance(account(POOL)), world.balance(account(NEXT))), (60_000, 40_000));
    let across = TransferBetweenFunds { to: address(COVER), ..transfer };
    world.rejected(&bureau(), &across, organisations::SIGNATURE_MISSING);
    world.rejected(&insurer(), &across, organisations::SIGNATURE_MISSING);
    let receipt = world.accepted(&both(), &across);
    assert_eq!(receipt.concerns, both());
    let more = TransferBetweenFunds { amount: fen(20_001), ..transfer };
    world.rejected(&bureau(), &more, kernel::INSUFFICIENT_BALANCE);
    let itself = TransferBetweenFunds { to: address(POOL), ..transfer };
    world.rejected(&bureau(), &itself, kernel::SAME_ACCOUNT);
    let unknown = TransferBetweenFunds { to: address(FundId(9)), ..transfer };
    world.rejected(&bureau(), &unknown, rejection::UNKNOWN_FUND);
}

#[test]
fn funds_of_different_currencies_do_not_mix() {
    let mut world = world();
    let other = with_another_region(&mut world);
    let to = FundAddress { region: ELSEWHERE, fund: POOL };
    let transfer = TransferBetweenFunds { from: address(POOL), to, amount: fen(1) };
    world.rejected(&[bureau()[0], other[0]], &transfer, kernel::CURRENCY_MISMATCH);
}

#[test]
fn a_floor_stops_payments_and_is_lifted_again() {
    let mut world = world();
    let floor = |floor| SetFundFloor { region: REGION, fund: POOL, floor: fen(floor) };
    world.accepted(&bureau(), &OpenFund { fund: NEXT, floor: fen(10), ..pool() });
    world.accepted(&bureau(), &floor(99_999));
    let transfer = |amount| TransferBetweenFunds {
        from: address(POOL),
        to: address(NEXT),
        amount: fen(amount),
    };
    world.rejected(&bureau(), &transfer(2), kernel::INSUFFICIENT_BALANCE);
    world.accepted(&bureau(), &transfer(1));
    world.accepted(&bureau(), &floor(100_001));
    world.rejected(&bureau(), &transfer(1), kernel::INSUFFICIENT_BALANCE);
    world.accepted(&bureau(), &floor(0));
    world.accepted(&bureau(), &transfer(1));
    let back = TransferBetweenFunds { from: address(NEXT), to: address(POOL), amount: fen(1) };
    world.rejected(&bureau(), &back, kernel::INSUFFICIENT_BALANCE);
    let unknown = SetFundFloor { fund: FundId(9), ..floor(1) };
    world.rejected(&bureau(), &unknown, rejection::UNKNOWN_FUND);
}

fn close() -> CloseFund {
    CloseFund { region: REGION, fund: POOL }
}

#[test]
fn only_an_empty_fund_is_closed_and_it_pays_nothing_afterwards() {
    let mut world = world();
    world.accepted(&bureau(), &OpenFund { fund: NEXT, ..pool() });
    world.accepted(&bureau(), &assign(Some(POOL), "2025-01-01"));
    world.rejected(&bureau(), &close(), rejection::FUND_NOT_EMPTY);
    let all = TransferBetweenFunds { from: address(POOL), to: address(NEXT), amount: fen(100_000) };
    world.accepted(&bureau(), &all);
    world.accepted(&bureau(), &close());
    world.rejected(&bureau(), &close(), rejection::FUND_CLOSED);
    world.rejected(&bureau(), &contribute(POOL, 7), rejection::FUND_CLOSED);
    let floor = SetFundFloor { region: REGION, fund: POOL, floor: fen(1) };
    world.rejected(&bureau(), &floor, rejection::FUND_CLOSED);
    world.rejected(&bureau(), &assign(Some(POOL), "2026-02-01"), rejection::FUND_CLOSED);
    let into = TransferBetweenFunds { from: address(NEXT), to: address(POOL), amount: fen(1) };
    world.rejected(&bureau(), &into, rejection::FUND_CLOSED);
    let credit =
        CreditPersonalAccounts { source: CreditSource::Fund(POOL), ..batch(1, vec![(1, 1)]) };
    world.rejected(&bureau(), &credit, rejection::FUND_CLOSED);
    assert_eq!(paying(&world, "2026-01-05"), Some(POOL), "it takes refunds back");
    let state = world.ledger.state();
    assert!(view::fund(state, REGION, POOL).unwrap().closed);
    world.rejected(&bureau(), &CloseFund { fund: FundId(9), ..close() }, rejection::UNKNOWN_FUND);
}

#[test]
fn a_fund_with_a_held_amount_is_not_closed_and_a_late_refund_can_leave_a_closed_one() {
    let mut world = world();
    world.accepted(&bureau(), &OpenFund { fund: NEXT, ..pool() });
    let expires = world.now.plus_millis(DAY);
    let entry = Entry { debit: account(NEXT), credit: account(POOL), amount: fen(1) };
    world.accepted(&bureau(), &contribute(NEXT, 1));
    world.write(|state| {
        hold(state, START, Hash([1; 32]), Currency::CNY, entry, expires).unwrap();
    });
    let close = CloseFund { fund: NEXT, ..close() };
    world.rejected(&bureau(), &close, rejection::FUND_NOT_EMPTY);
    world.write(|state| void_hold(state, &Hash([1; 32])).unwrap());
    world.rejected(&bureau(), &close, rejection::FUND_NOT_EMPTY);
    let back = TransferBetweenFunds { from: address(NEXT), to: address(POOL), amount: fen(1) };
    world.accepted(&bureau(), &back);
    world.accepted(&bureau(), &SetFundFloor { region: REGION, fund: NEXT, floor: fen(1) });
    world.accepted(&bureau(), &close);
    let refund = Entry { debit: account(POOL), credit: account(NEXT), amount: fen(1) };
    world.write(|state| post(state, START, Currency::CNY, &[refund]).unwrap());
    world.accepted(&bureau(), &back);
}

fn assign(fund: Option<FundId>, from: &str) -> AssignPayerFund {
    let payer = Payer::PooledFund;
    AssignPayerFund { region: REGION, scheme: EMPLOYEES, payer, from: day(from), fund }
}

fn paying(world: &World, on: &str) -> Option<FundId> {
    let state = world.ledger.state();
    match view::paying_fund(state, REGION, EMPLOYEES, Payer::PooledFund, day(on)) {
        Ok(found) => Some(found.fund),
        Err(rejected) => {
            assert_eq!(rejected.code, rejection::NO_PAYING_FUND);
            None
        }
    }
}

#[test]
fn the_fund_assigned_for_the_service_day_pays() {
    let mut world = world();
    world.accepted(&bureau(), &OpenFund { fund: NEXT, year: Some(2027), ..pool() });
    assert_eq!(paying(&world, "2026-01-01"), None);
    world.accepted(&bureau(), &assign(Some(POOL), "2025-03-01"));
    world.accepted(&bureau(), &assign(Some(NEXT), "2027-01-01"));
    assert_eq!(paying(&world, "2025-02-28"), None);
    assert_eq!(paying(&world, "2025-03-01"), Some(POOL));
    assert_eq!(paying(&world, "2026-12-31"), Some(POOL));
    assert_eq!(paying(&world, "2027-12-31"), Some(NEXT));
    assert_eq!(paying(&world, "2028-01-01"), None, "the fund is of another year");
    world.accepted(&bureau(), &assign(None, "2026-06-01"));
    assert_eq!(paying(&world, "2026-05-31"), Some(POOL));
    assert_eq!(paying(&world, "2026-06-01"), None);
    assert_eq!(paying(&world, "2027-12-31"), None, "later assignments were replaced");
}

#[test]
fn who_paid_for_past_days_is_not_changed() {
    let mut world = world();
    world.accepted(&bureau(), &assign(Some(POOL), "2025-03-01"));
    world.wait(9 * DAY);
    // It is 2026-01-10 in the region, eight hours ahead of UTC.
    world.rejected(&bureau(), &assign(None, "2026-01-09"), rejection::ASSIGNMENT_IN_THE_PAST);
    world.rejected(&bureau(), &assign(None, "2026-01-10"), rejection::ASSIGNMENT_IN_THE_PAST);
    world.accepted(&bureau(), &assign(None, "2026-01-11"));
    world.wait(16 * HOUR);
    world.rejected(&bureau(), &assign(None, "2026-01-11"), rejection::ASSIGNMENT_IN_THE_PAST);
    assert_eq!(paying(&world, "2026-01-10"), Some(POOL));
    assert_eq!(paying(&world, "2026-01-11"), None);
}

#[test]
fn an_assignment_binds_the_owner_only_with_the_owners_signature() {
    let mut world = world();
    let body =
        AssignPayerFund { payer: Payer::CommercialSupplement, ..assign(Some(COVER), "2026-01-01") };
    world.rejected(&bureau(), &body, organisations::SIGNATURE_MISSING);
    world.rejected(&insurer(), &body, organisations::SIGNATURE_MISSING);
    let receipt = world.accepted(&both(), &body);
    assert_eq!(receipt.concerns, both());
    let unknown = AssignPayerFund { fund: Some(FundId(9)), ..body };
    world.rejected(&both(), &unknown, rejection::UNKNOWN_FUND);
    let borne = AssignPayerFund { payer: Payer::HospitalBorne, ..body };
    world.rejected(&both(), &borne, rejection::PAYER_WITHOUT_FUND);
    world.accepted(&bureau(), &OpenFund { fund: NEXT, year: Some(2027), ..pool() });
    world.rejected(&bureau(), &assign(Some(NEXT), "2026-12-31"), rejection::WRONG_YEAR);
}

#[test]
fn a_payer_keeps_64_assignments() {
    let mut world = world();
    let mut from = day("2026-01-02");
    for _ in 0..64 {
        world.accepted(&bureau(), &AssignPayerFund { from, ..assign(Some(POOL), "2026-01-02") });
        from = from.plus_days(1).unwrap();
    }
    let one_more = AssignPayerFund { from, ..assign(Some(POOL), "2026-01-02") };
    world.rejected(&bureau(), &one_more, rejection::TOO_MANY_ASSIGNMENTS);
    world.accepted(&bureau(), &assign(None, "2026-02-01"));
    assert_eq!(
        view::assignments(world.ledger.state(), REGION, EMPLOYEES, Payer::PooledFund).len(),
        31
    );
}

fn share(payer: Payer, amount: u64) -> PayerShare {
    PayerShare { payer, amount: fen(amount) }
}

#[test]
fn the_bureau_countersigns_for_its_funds_and_an_insurer_only_where_none_is_the_bureaus() {
    let mut world = world();
    world.accepted(&bureau(), &assign(Some(POOL), "2025-01-01"));
    let supplement =
        AssignPayerFund { payer: Payer::CommercialSupplement, ..assign(Some(COVER), "2026-01-01") };
    world.accepted(&both(), &supplement);
    let countersigner = |shares: &[PayerShare]| -> OrganisationId {
        let state = world.ledger.state();
        let on = day("2026-01-05");
        let funded = view::payers_of(state, REGION, EMPLOYEES, shares, on).unwrap();
        view::countersigner(state, REGION, &funded).unwrap()
    };
    let (pooled, commercial) = (share(Payer::PooledFund, 5), share(Payer::CommercialSupplement, 7));
    assert_eq!(countersigner(&[pooled, commercial]), organisation("bureau"));
    assert_eq!(countersigner(&[commercial]), organisation("insurer"));
    assert_eq!(countersigner(&[share(Payer::HospitalBorne, 3)]), organisation("bureau"));
    assert_eq!(countersigner(&[]), organisation("bureau"));
    let state = world.ledger.state();
    let funded =
        view::payers_of(state, REGION, EMPLOYEES, &[pooled, commercial], day("2026-01-05"));
    let accounts: Vec<Account> =
        funded.unwrap().iter().map(|funded| funded.fund.account()).collect();
    assert_eq!(accounts, [account(POOL), account(COVER)]);
    let missing = [share(Payer::Maternity, 1)];
    let rejected = view::payers_of(state, REGION, EMPLOYEES, &missing, day("2026-01-05"));
    assert_eq!(rejected.unwrap_err().code, rejection::NO_PAYING_FUND);
}

fn batch(number: u32, rows: Vec<(u8, u64)>) -> CreditPersonalAccounts {
    CreditPersonalAccounts {
        region: REGION,
        source: CreditSource::Outside,
        month: CalendarMonth { year: 2026, month: 1 },
        batch: number,
        rows: rows
            .into_iter()
            .map(|(number, amount)| CreditRow { person: person(number), amount: fen(amount) })
            .collect(),
    }
}

fn world_with_accounts(persons: u8) -> World {
    let mut world = world();
    world.write(|state| {
        for number in 1..=persons {
            let account = Account::PersonalAccount(person(number));
            open_account(state, account, Currency::CNY, Floor::AtLeast(Amount::ZERO)).unwrap();
        }
    });
    world
}

#[test]
fn a_wrong_row_stops_no_other_and_is_counted_by_its_reason() {
    let mut world = world_with_accounts(3);
    let rows = vec![(1, 100), (9, 100), (2, 0), (3, 250), (1, 100), (8, 1)];
    let receipt = world.accepted(&bureau(), &batch(1, rows));
    assert_eq!(value(&receipt, "credited_rows"), Some(FieldValue::Number(2)));
    assert_eq!(value(&receipt, "credited"), Some(amount_value(fen(350), Currency::CNY)));
    assert_eq!(value(&receipt, "rejected.unknown_account"), Some(FieldValue::Number(2)));
    assert_eq!(value(&receipt, "rejected.nothing_to_move"), Some(FieldValue::Number(1)));
    assert_eq!(
        value(&receipt, &format!("rejected.{}", rejection::DUPLICATE_ROW.name)),
        Some(FieldValue::Number(1))
    );
    let credited: Vec<Account> = receipt.entries.iter().map(|posted| posted.entry.credit).collect();
    assert_eq!(credited, [1, 3].map(|number| Account::PersonalAccount(person(number))));
    assert_eq!(world.balance(Account::PersonalAccount(person(1))), 100);
    assert_eq!(world.balance(Account::PersonalAccount(person(3))), 250);
    assert_eq!(receipt.concerns, bureau(), "no person sees the rows of others");
}

#[test]
fn a_batch_number_of_a_month_is_used_once() {
    let mut world = world_with_accounts(1);
    world.accepted(&bureau(), &batch(1, vec![(1, 100)]));
    world.rejected(&bureau(), &batch(1, vec![(1, 200)]), rejection::BATCH_USED);
    world.wait(20 * DAY);
    world.rejected(&bureau(), &batch(1, vec![(1, 100)]), rejection::BATCH_USED);
    world.accepted(&bureau(), &batch(2, vec![(1, 100)]));
    let february = CalendarMonth { year: 2026, month: 2 };
    let other = CreditPersonalAccounts { month: february, ..batch(1, vec![(1, 100)]) };
    world.accepted(&bureau(), &other);
}

#[test]
fn a_batch_of_which_no_row_can_be_credited_is_rejected_and_may_be_mended() {
    let mut world = world_with_accounts(1);
    world.rejected(&bureau(), &batch(1, vec![(9, 5), (8, 0)]), rejection::NO_ROW_CREDITED);
    world.accepted(&bureau(), &batch(1, vec![(1, 5)]));
}

#[test]
fn a_batch_has_at_most_500_rows_of_a_real_month() {
    let mut world = world_with_accounts(1);
    world.rejected(&bureau(), &batch(1, vec![]), rejection::BATCH_SIZE);
    world.rejected(&bureau(), &batch(1, vec![(1, 1); 501]), rejection::BATCH_SIZE);
    world.accepted(&bureau(), &batch(1, vec![(1, 1); 500]));
    assert_eq!(world.balance(Account::PersonalAccount(person(1))), 1);
    for (year, month) in [(2026, 0), (2026, 13), (1999, 1), (3000, 1)] {
        let month = CalendarMonth { year, month };
        let wrong = CreditPersonalAccounts { month, ..batch(2, vec![(1, 1)]) };
        world.rejected(&bureau(), &wrong, rejection::INVALID_MONTH);
    }
}

#[test]
fn a_fund_that_runs_dry_credits_the_rows_it_can() {
    let mut world = world_with_accounts(2);
    let rows = vec![(1, 900), (2, 200), (1, 50)];
    let body = CreditPersonalAccounts { source: CreditSource::Fund(COVER), ..batch(1, rows) };
    world.rejected(&bureau(), &body, organisations::SIGNATURE_MISSING);
    let receipt = world.accepted(&insurer(), &body);
    assert_eq!(value(&receipt, "rejected.insufficient_balance"), Some(FieldValue::Number(1)));
    assert_eq!(world.balance(account(COVER)), 100);
    let unknown = CreditPersonalAccounts { source: CreditSource::Fund(FundId(9)), ..body };
    world.rejected(&insurer(), &unknown, rejection::UNKNOWN_FUND);
}

fn payout(payer: &str, amount: u64) -> PayProvider {
    PayProvider {
        region: REGION,
        payer: organisation(payer),
        provider: organisation("hospital"),
        amount: fen(amount),
        reference: sha256(&amount.to_le_bytes()),
    }
}

fn world_with_due(amount: u64) -> World {
    let mut world = world();
    let credit = Account::ProviderDue(Books::of(organisation("hospital"), REGION));
    let entry = Entry { debit: account(POOL), credit, amount: fen(amount) };
    world.write(|state| post(state, START, Currency::CNY, &[entry]).unwrap());
    world
}

#[test]
fn a_provider_is_paid_at_most_what_is_due_and_each_reference_once() {
    let mut world = world_with_due(500);
    world.rejected(&bureau(), &payout("bureau", 501), rejection::EXCEEDS_DUE);
    world.accepted(&bureau(), &payout("bureau", 200));
    world.rejected(&bureau(), &payout("bureau", 200), rejection::REFERENCE_USED);
    world.rejected(&bureau(), &payout("bureau", 301), rejection::EXCEEDS_DUE);
    world.rejected(&bureau(), &payout("bureau", 0), kernel::NOTHING_TO_MOVE);
    let receipt = world.accepted(&bureau(), &payout("bureau", 300));
    assert_eq!(world.balance(Account::ProviderDue(Books::of(organisation("hospital"), REGION))), 0);
    let hospital = Party::Organisation(organisation("hospital"));
    assert_eq!(receipt.concerns, [bureau()[0], hospital]);
    world.rejected(&bureau(), &payout("bureau", 1), rejection::EXCEEDS_DUE);
}

#[test]
fn an_insurer_pays_directly_only_with_the_providers_signature() {
    let mut world = world_with_due(500);
    let hospital = Party::Organisation(organisation("hospital"));
    world.rejected(&insurer(), &payout("insurer", 100), organisations::SIGNATURE_MISSING);
    world.accepted(&[insurer()[0], hospital], &payout("insurer", 100));
    let regulator = Party::Organisation(organisation("regulator"));
    world.rejected(&[regulator, hospital], &payout("regulator", 100), organisations::WRONG_KIND);
}

#[test]
fn a_suspended_provider_is_paid_what_it_is_owed_and_nobody_else_is() {
    let mut world = world_with_due(500);
    let suspend = SuspendOrganisation { organisation: organisation("hospital") };
    world.accepted(&World::governing(), &suspend);
    world.accepted(&bureau(), &payout("bureau", 100));
    let other = PayProvider { provider: organisation("insurer"), ..payout("bureau", 1) };
    world.rejected(&bureau(), &other, organisations::WRONG_KIND);
    let nobody = PayProvider { provider: organisation("nobody"), ..payout("bureau", 1) };
    world.rejected(&bureau(), &nobody, organisations::UNKNOWN_ORGANISATION);
    let elsewhere = PayProvider { region: RegionId(1), ..payout("bureau", 1) };
    world.rejected(&bureau(), &elsewhere, network::UNKNOWN_REGION);
}

/// A second region in another currency, run by a bureau of its own, with a fund there.
fn with_another_region(world: &mut World) -> [Party; 1] {
    world.admit_in(ELSEWHERE, "other-bureau", OrganisationKind::Bureau, None);
    let owner = organisation("other-bureau");
    let open = OpenRegion {
        region: ELSEWHERE,
        bureau: owner,
        currency: Currency::USD,
        settings: settings(),
    };
    world.accepted(&World::governing(), &open);
    let other = [Party::Organisation(owner)];
    world.accepted(&other, &OpenFund { region: ELSEWHERE, owner, ..pool() });
    world.accepted(&other, &Contribute { region: ELSEWHERE, ..contribute(POOL, 700) });
    other
}

const ELSEWHERE: RegionId = RegionId(999_900);

#[test]
fn a_bureau_clears_only_what_its_own_region_owes() {
    let mut world = world_with_due(500);
    let other = with_another_region(&mut world);
    let theirs = PayProvider { region: ELSEWHERE, ..payout("other-bureau", 500) };
    world.rejected(&other, &theirs, rejection::EXCEEDS_DUE);
    let ours = PayProvider { region: REGION, ..theirs };
    world.rejected(&other, &ours, organisations::WRONG_KIND);
    let due = Account::ProviderDue(Books::of(organisation("hospital"), REGION));
    assert_eq!(world.balance(due), 500);
}

#[test]
fn a_provider_is_owed_and_paid_in_the_currency_of_each_region() {
    let mut world = world_with_due(500);
    let other = with_another_region(&mut world);
    let due = |region| Account::ProviderDue(Books::of(organisation("hospital"), region));
    let debit = Account::Fund { region: ELSEWHERE, fund: POOL };
    let entry = Entry { debit, credit: due(ELSEWHERE), amount: fen(300) };
    world.write(|state| post(state, START, Currency::USD, &[entry]).unwrap());
    world.accepted(&bureau(), &payout("bureau", 200));
    world.accepted(&other, &PayProvider { region: ELSEWHERE, ..payout("other-bureau", 300) });
    assert_eq!([REGION, ELSEWHERE].map(|region| world.balance(due(region))), [300, 0]);
    let regions = regions_of(world.ledger.state(), organisation("hospital"));
    assert_eq!(regions, [REGION, ELSEWHERE]);
}
