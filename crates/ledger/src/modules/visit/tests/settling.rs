//! Check-in, running bill, deposit, settlement.

use super::*;
use crate::kernel::rejection::kernel;
use crate::modules::coverage::rejection as coverages;
use crate::modules::fund::{PayProvider, rejection as funds};
use crate::modules::organisation::rejection as organisations;
use crate::modules::plan::rejection as plans;

#[test]
fn a_settlement_posts_the_whole_split_at_once() {
    let (world, receipt) = settled();
    let [pool, account, due, cash, rail] = balances(&world);
    assert_eq!((pool, account), (100_000_000 - 10_000, 0));
    assert_eq!((due, cash, rail), (15_000, 15_000, -15_000));
    let record = record(&receipt);
    assert!(record.parts[0].adjudication.is_balanced());
    assert_eq!(record.sums.total(), fen(30_000));
    let names: Vec<&str> = receipt.fields.iter().map(|field| &*field.name).collect();
    for name in ["total", "pooled_fund", "personal_account", "cash", "consent", "bill"] {
        assert!(names.contains(&name), "{name}");
    }
}

/// The provider is owed what funds and personal account pay, never what it waives itself.
#[test]
fn what_a_provider_bears_itself_never_becomes_payable() {
    let mut world = world();
    let subject = open(&mut world, 1, VisitType::Outpatient);
    let mut bill = sums("2026-01-05", 30_000).rows()[0];
    bill.over_cap = fen(7_000);
    let bill = CategorySums::new(vec![bill]).unwrap();
    let body = settlement(&world, 1, &subject, bill, true);
    assert_eq!(body.split.paid_by(Payer::HospitalBorne), fen(7_000));
    let receipt = world.accepted(&signers(), &body);
    let due = Account::ProviderDue(books(organisation("hospital")));
    assert_eq!(world.balance(due), 10_000 + 5_000, "the pool's share and the account's");
    assert!(receipt.fields.iter().any(|field| &*field.name == "hospital_borne"));
    let pay = PayProvider {
        region: REGION,
        payer: organisation("bureau"),
        provider: organisation("hospital"),
        amount: fen(15_001),
        reference: sha256(b"payout"),
    };
    world.rejected(&[org("bureau")], &pay, funds::EXCEEDS_DUE);
    world.accepted(&[org("bureau")], &PayProvider { amount: fen(15_000), ..pay });
}

#[test]
fn a_visit_is_settled_once() {
    let (mut world, _) = settled();
    let subject = subject(ALICE, VisitType::Outpatient, "2026-01-05");
    let again = settlement(&world, 1, &subject, sums("2026-01-05", 10_000), false);
    world.rejected(&signers(), &again, rejection::VISIT_CLOSED);
    world.rejected(&[org("hospital")], &check_in(1, subject), rejection::VISIT_EXISTS);
    let unknown = SettleVisit { visit: visit(9), ..again };
    world.rejected(&signers(), &unknown, rejection::UNKNOWN_VISIT);
}

#[test]
fn an_outdated_split_is_rejected_and_names_the_part() {
    let mut world = world();
    let subject = open(&mut world, 1, VisitType::Outpatient);
    open(&mut world, 2, VisitType::Outpatient);
    let first = settlement(&world, 1, &subject, sums("2026-01-05", 30_000), false);
    let second = settlement(&world, 2, &subject, sums("2026-01-06", 30_000), false);
    world.accepted(&signers(), &first);
    let receipt = world.rejected(&signers(), &second, rejection::SPLIT_OUTDATED);
    assert!(alloc::format!("{receipt:?}").contains("was {before} and is now {now}"));
    let anew = settlement(&world, 2, &subject, sums("2026-01-06", 30_000), false);
    world.accepted(&signers(), &anew);
}

#[test]
fn provider_payer_and_person_all_sign() {
    let mut world = world();
    let subject = open(&mut world, 1, VisitType::Outpatient);
    let body = settlement(&world, 1, &subject, sums("2026-01-05", 30_000), true);
    let missing = organisations::SIGNATURE_MISSING;
    world.rejected(&[org("bureau"), alice()], &body, missing);
    world.rejected(&[org("hospital"), alice()], &body, missing);
    let persons = crate::modules::person::rejection::SIGNATURE_MISSING;
    world.rejected(&[org("hospital"), org("bureau")], &body, persons);
    world.accepted(&signers(), &body);
}

#[test]
fn another_executor_signs_for_its_rail() {
    let mut world = world();
    let subject = open(&mut world, 1, VisitType::Outpatient);
    let body = settlement(&world, 1, &subject, sums("2026-01-05", 30_000), false);
    let body = SettleVisit { cash: Some(bank()), ..body };
    world.rejected(&signers(), &body, organisations::SIGNATURE_MISSING);
    let all = [org("hospital"), org("bureau"), org("bank"), alice()];
    world.accepted(&all, &body);
}

#[test]
fn a_cash_leg_is_there_exactly_when_cash_is_due() {
    let mut world = world();
    let subject = open(&mut world, 1, VisitType::Outpatient);
    let body = settlement(&world, 1, &subject, sums("2026-01-05", 30_000), false);
    let without = SettleVisit { cash: None, ..body };
    world.rejected(&signers(), &without, rejection::CASH_LEG_MISMATCH);
    let small = settlement(&world, 1, &subject, sums("2026-01-05", 4_000), true);
    assert!(small.split.cash.is_zero());
    let with = SettleVisit { cash: Some(till()), ..small.clone() };
    world.rejected(&signers(), &with, rejection::CASH_LEG_MISMATCH);
    world.accepted(&signers(), &small);
}

#[test]
fn days_of_service_lie_between_admission_and_today() {
    let mut world = world();
    let subject = open(&mut world, 1, VisitType::Outpatient);
    for day in ["2026-01-04", "2026-01-11"] {
        let body = settlement(&world, 1, &subject, sums(day, 30_000), false);
        world.rejected(&signers(), &body, rejection::DATE_OUTSIDE_VISIT);
    }
    let empty = SettleVisit {
        sums: CategorySums::default(),
        ..settlement(&world, 1, &subject, sums("2026-01-05", 30_000), false)
    };
    world.rejected(&signers(), &empty, rejection::EMPTY_BILL);
}

#[test]
fn a_check_in_needs_cover_and_a_day_within_the_filing_limit() {
    let mut world = world();
    let late = subject(ALICE, VisitType::Outpatient, "2026-01-11");
    world.rejected(&[org("hospital")], &check_in(1, late), rejection::ADMISSION_DATE);
    let old = subject(ALICE, VisitType::Outpatient, "2025-01-08");
    world.rejected(&[org("hospital")], &check_in(1, old), rejection::ADMISSION_DATE);
    let before = subject(ALICE, VisitType::Outpatient, "2025-12-31");
    world.rejected(&[org("hospital")], &check_in(1, before), coverages::COVERAGE_NOT_YET);
    let stranger = subject(person(9), VisitType::Outpatient, "2026-01-05");
    let unknown = crate::modules::person::rejection::UNKNOWN_PERSON;
    world.rejected(&[org("hospital")], &check_in(1, stranger), unknown);
    let bureau = VisitSubject {
        provider: organisation("bureau"),
        ..subject(ALICE, VisitType::Outpatient, "2026-01-05")
    };
    world.rejected(&[org("bureau")], &check_in(1, bureau), organisations::WRONG_KIND);
}

#[test]
fn a_cancelled_visit_is_not_settled() {
    let mut world = world();
    let subject = open(&mut world, 1, VisitType::Outpatient);
    let cancel = CancelVisit { visit: visit(1) };
    world.rejected(&[org("bureau")], &cancel, organisations::SIGNATURE_MISSING);
    world.accepted(&[org("hospital")], &cancel);
    world.rejected(&[org("hospital")], &cancel, rejection::VISIT_CLOSED);
    let body = settlement(&world, 1, &subject, sums("2026-01-05", 30_000), false);
    world.rejected(&signers(), &body, rejection::VISIT_CLOSED);
}

#[test]
fn only_a_stay_has_a_running_bill() {
    let mut world = world();
    open(&mut world, 1, VisitType::Outpatient);
    open(&mut world, 2, VisitType::Inpatient);
    let update = |number, until| UpdateRunningBill {
        visit: visit(number),
        bill: sha256(b"bill"),
        total: fen(12_345),
        until: date(until),
    };
    world.rejected(&[org("hospital")], &update(1, "2026-01-06"), rejection::NOT_A_STAY);
    let late = update(2, "2026-01-11");
    world.rejected(&[org("hospital")], &late, rejection::DATE_OUTSIDE_VISIT);
    world.accepted(&[org("hospital")], &update(2, "2026-01-06"));
    let Some(VisitRow::Open(row)) = view::visit(world.ledger.state(), visit(2)) else { panic!() };
    assert_eq!(row.running.unwrap().total, fen(12_345));
}

#[test]
fn a_persons_stays_are_listed_while_they_are_open() {
    let mut world = world();
    let listed = |world: &World| view::stays(world.ledger.state(), ALICE);
    assert_eq!(listed(&world), []);
    let subject = open(&mut world, 1, VisitType::Inpatient);
    open(&mut world, 2, VisitType::Outpatient);
    open(&mut world, 3, VisitType::DayCase);
    assert_eq!(listed(&world), [visit(1), visit(3)]);
    let body = settlement(&world, 1, &subject, sums("2026-01-06", 20_000), false);
    world.accepted(&signers(), &body);
    assert_eq!(listed(&world), [visit(3)]);
    world.accepted(&[org("hospital")], &CancelVisit { visit: visit(3) });
    assert_eq!(listed(&world), []);
    // Nobody is refused for the list; the newest ones stand on it.
    for number in 10..=18 {
        open(&mut world, number, VisitType::Inpatient);
    }
    assert_eq!(listed(&world), (11..=18).map(visit).collect::<Vec<_>>());
    world.accepted(&[org("hospital")], &CancelVisit { visit: visit(10) });
    assert_eq!(listed(&world).len(), 8);
}

fn deposit(number: u8, amount: u64, from: DepositFrom) -> TakeDeposit {
    TakeDeposit { visit: visit(number), amount: fen(amount), from, consent: Consent::OwnKey }
}

#[test]
fn a_deposit_is_used_first_and_its_surplus_goes_back() {
    let mut world = world();
    let subject = open(&mut world, 1, VisitType::Inpatient);
    let both = [org("hospital"), alice()];
    let taken = world.accepted(&both, &deposit(1, 10_000, DepositFrom::Rail(till())));
    let bill = sums("2026-01-06", 20_000);
    let mut body = settlement(&world, 1, &subject, bill, false);
    assert_eq!(body.split.cash, fen(4_000));
    body.cash = None;
    world.rejected(&signers(), &body, rejection::DEPOSIT_PENDING);
    let cancel = CancelVisit { visit: visit(1) };
    world.rejected(&[org("hospital")], &cancel, rejection::DEPOSIT_PENDING);
    world.accepted(&[org("hospital")], &done(effects(&taken)[0], 10_000));
    let receipt = world.accepted(&signers(), &body);
    assert_eq!(receipt.effects[0].amount, fen(6_000));
    assert_eq!(receipt.effects[0].original, Some(effects(&taken)[0]));
    world.accepted(&[org("hospital")], &done(effects(&receipt)[0], 6_000));
    assert_eq!(world.balance(Account::Deposit(visit(1))), 0);
    assert_eq!(world.balance(Account::ProviderCash(books(organisation("hospital")))), 4_000);
}

#[test]
fn a_deposit_from_the_account_comes_back_before_the_split() {
    let mut world = world();
    let subject = open(&mut world, 1, VisitType::Inpatient);
    open(&mut world, 2, VisitType::Outpatient);
    let both = [org("hospital"), alice()];
    let before = settlement(&world, 1, &subject, sums("2026-01-06", 20_000), true);
    world.rejected(&both, &deposit(2, 3_000, DepositFrom::PersonalAccount), rejection::NOT_A_STAY);
    let much = deposit(1, 5_001, DepositFrom::PersonalAccount);
    world.rejected(&both, &much, kernel::INSUFFICIENT_BALANCE);
    world.accepted(&both, &deposit(1, 3_000, DepositFrom::PersonalAccount));
    let lent = world.balance(Account::PersonalAccount(ALICE));
    assert_eq!(lent, 2_000);
    assert_eq!(before.split.personal_account, fen(4_000));
    world.accepted(&signers(), &before);
    assert_eq!(world.balance(Account::PersonalAccount(ALICE)), 1_000);
}

#[test]
fn a_cancelled_visit_gives_every_deposit_back() {
    let mut world = world();
    open(&mut world, 1, VisitType::Inpatient);
    let both = [org("hospital"), alice()];
    world.accepted(&both, &deposit(1, 3_000, DepositFrom::PersonalAccount));
    let lost = world.accepted(&both, &deposit(1, 2_000, DepositFrom::Rail(till())));
    let paid = world.accepted(&both, &deposit(1, 10_000, DepositFrom::Rail(till())));
    let cancel = CancelVisit { visit: visit(1) };
    world.accepted(&[org("hospital")], &failed(effects(&lost)[0]));
    world.rejected(&[org("hospital")], &cancel, rejection::DEPOSIT_PENDING);
    world.accepted(&[org("hospital")], &done(effects(&paid)[0], 10_000));
    let cancelled = world.accepted(&[org("hospital")], &cancel);
    assert_eq!(world.balance(Account::PersonalAccount(ALICE)), 5_000);
    assert_eq!(cancelled.effects.len(), 1, "a failed deposit was never anybody's money");
    assert_eq!(cancelled.effects[0].original, Some(effects(&paid)[0]));
    world.accepted(&[org("hospital")], &done(effects(&cancelled)[0], 10_000));
    assert_eq!(world.balance(Account::Deposit(visit(1))), 0);
    assert_eq!(world.balance(Account::Rail(books(organisation("hospital")))), 0);
}

#[test]
fn a_ninth_deposit_is_refused() {
    let mut world = world();
    open(&mut world, 1, VisitType::Inpatient);
    let both = [org("hospital"), alice()];
    for _ in 0..8 {
        world.accepted(&both, &deposit(1, 100, DepositFrom::PersonalAccount));
    }
    let ninth = deposit(1, 100, DepositFrom::PersonalAccount);
    world.rejected(&both, &ninth, rejection::TOO_MANY_DEPOSITS);
}

#[test]
fn a_stay_across_two_plan_years_is_split_by_date() {
    let mut world = world();
    world.wait(355 * DAY);
    let subject = subject(ALICE, VisitType::Inpatient, "2026-12-30");
    world.accepted(&[org("hospital")], &check_in(1, subject.clone()));
    let bill =
        rows(&[("2026-12-30", Category::Bed, 10_000), ("2027-01-02", Category::Bed, 10_000)]);
    world.wait(5 * DAY);
    let state = world.ledger.state();
    let request = QuoteRequest {
        subject: &subject,
        sums: &bill,
        use_personal_account: false,
        personal_account: Amount::ZERO,
        family_accounts: vec![],
        accumulators: coverage::view::RunningAmounts::none(EMPLOYEE),
        keep_plans_of: &[],
        keep_facts: false,
    };
    let missing = quote(state, &PlanMemo::default(), request).unwrap_err();
    assert_eq!(missing.code.name, plans::NO_PLAN_IN_FORCE.name);
    publish_2027(&mut world);
    let body = settlement(&world, 1, &subject, bill, false);
    assert_eq!(body.split.paid_by(Payer::PooledFund), fen(8_000 + 6_000));
    let receipt = world.accepted(&signers(), &body);
    let parts = record(&receipt).parts;
    assert_eq!(parts.len(), 2);
    assert_eq!((parts[0].plan.version, parts[1].plan.version), (1, 2));
}

/// The key that reviews has ended by then; another one is authorised.
fn publish_2027(world: &mut World) {
    world.keys.insert(org("bureau"), "bureau-root");
    let reviewer = AuthoriseKey {
        organisation: organisation("bureau"),
        key: public("reviewer-2"),
        scopes: vec![Scope::Publish],
        expires: world.now.plus_millis(300 * DAY),
    };
    world.accepted(&[org("bureau")], &reviewer);
    world.keys.remove(&org("bureau"));
    publish_with(world, 2, "2027", "60%", "reviewer-2");
}

#[test]
fn a_slot_on_the_bill_is_one_of_the_persons() {
    let mut world = world();
    let subject = open(&mut world, 1, VisitType::Outpatient);
    let mut body = settlement(&world, 1, &subject, sums("2026-01-05", 30_000), false);
    let mut row = body.sums.rows()[0];
    row.key.slot = SlotId(3);
    body.sums = CategorySums::new(vec![row]).unwrap();
    world.rejected(&signers(), &body, rejection::UNKNOWN_SLOT);
}

#[test]
fn a_visit_type_without_rules_is_refused_with_the_reason() {
    let mut world = world();
    let subject = subject(ALICE, VisitType::Dental, "2026-01-05");
    world.accepted(&[org("hospital")], &check_in(1, subject.clone()));
    let body = SettleVisit {
        visit: visit(1),
        bill: sha256(b"bill"),
        sums: sums("2026-01-05", 100),
        use_personal_account: false,
        use_family_account: false,
        split: Split::default(),
        cash: None,
        consent: Consent::OwnKey,
    };
    world.rejected(&signers(), &body, rejection::NOT_ADJUDICABLE);
}
