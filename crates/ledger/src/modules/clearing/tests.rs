#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]
use super::*;
use crate::kernel::account::{Account, Books};
use crate::kernel::month::CalendarMonth;
use crate::kernel::posting::{Entry, post};
use crate::kernel::receipt::Receipt;
use crate::modules::fund::{OpenFund, PayProvider, rejection as funds};
use crate::modules::network::rejection as network;
use crate::modules::organisation::{OrganisationKind, rejection as organisations};
use crate::readers::receipt_for;
use crate::testing::{DAY, REGION, START, World, fen, organisation};
use alloc::{vec, vec::Vec};
use benefit::{HospitalLevel, Payer};
use primitives::{
    Amount, CivilDate, Currency, FundId, Hash, OrganisationId, Party, Rate, RegionId, Text, sha256,
};

fn org(code: &str) -> Party {
    Party::Organisation(organisation(code))
}

fn day(text: &str) -> CivilDate {
    text.parse().unwrap()
}

fn rules() -> SetClearingRules {
    let rules = ClearingRules {
        hold_back: Rate::from_ppm(50_000).unwrap(),
        pay_within_days: 30,
        clear_within_days: 5,
        source: Text::new("a test").unwrap(),
    };
    SetClearingRules { region: REGION, rules }
}

const JANUARY: CalendarMonth = CalendarMonth { year: 2026, month: 1 };

fn close(provider: &str, month: CalendarMonth) -> CloseMonth {
    CloseMonth { region: REGION, provider: organisation(provider), month }
}

fn books(provider: &str) -> Books {
    Books::of(organisation(provider), REGION)
}

/// What settlements would post, or refunds when it is `back`.
fn settled(world: &mut World, provider: &str, minor: u64, back: bool) {
    let (due, outside) = (Account::ProviderDue(books(provider)), Account::Outside(REGION));
    let (debit, credit) = if back { (due, outside) } else { (outside, due) };
    let now = world.now;
    world.write(|state| {
        let entry = Entry { debit, credit, amount: fen(minor) };
        post(state, now, Currency::CNY, &[entry]).unwrap();
    });
}

/// February, with rules, and 1,000.00 due to the hospital, 201.01 to the clinic.
fn world() -> World {
    let mut world = World::new();
    world.admit("clinic", OrganisationKind::Provider, Some(HospitalLevel::TertiaryA));
    world.accepted(&[org("bureau")], &rules());
    settled(&mut world, "hospital", 100_000, false);
    settled(&mut world, "clinic", 20_101, false);
    world.wait(40 * DAY);
    world
}

/// The same with January closed: 950.00 and 190.96 are payable.
fn closed() -> World {
    let mut world = world();
    world.accepted(&[org("bureau")], &close("hospital", JANUARY));
    world.accepted(&[org("bureau")], &close("clinic", JANUARY));
    world
}

fn balances(world: &World, provider: &str) -> [i128; 4] {
    let books = books(provider);
    [
        Account::ProviderDue(books),
        Account::ProviderPayable(books),
        Account::ProviderInPayment(books),
        Account::ProviderHeldBack(books),
    ]
    .map(|account| world.balance(account))
}

fn line(provider: &str, minor: u64) -> PayoutLine {
    let account = account_tag(&sha256(b"salt"), provider);
    PayoutLine { provider: organisation(provider), amount: fen(minor), account }
}

fn batch(number: u32, lines: Vec<PayoutLine>) -> ProposePayout {
    ProposePayout { region: REGION, batch: number, execute_on: day("2026-02-12"), lines }
}

fn both() -> ProposePayout {
    batch(1, vec![line("clinic", 19_096), line("hospital", 95_000)])
}

fn approve(batch: &ProposePayout) -> ApprovePayout {
    let approver = organisation("regulator");
    ApprovePayout { region: REGION, batch: batch.batch, lines: batch.lines_hash(), approver }
}

/// The same with a batch of both that is in payment.
fn in_payment() -> World {
    let mut world = closed();
    world.accepted(&[org("bureau")], &both());
    world.accepted(&[org("regulator")], &approve(&both()));
    world
}

fn reason() -> Text<4> {
    Text::new("AC04").unwrap()
}

fn paid(line: u16, minor: u64, on: &str) -> PayoutResult {
    let reference = sha256(&[line.to_le_bytes().as_slice(), b"paid"].concat());
    PayoutResult { line, word: BankWord::Paid { amount: fen(minor), day: day(on), reference } }
}

fn returned(line: u16, minor: u64, on: &str) -> PayoutResult {
    let reference = sha256(&[line.to_le_bytes().as_slice(), b"returned"].concat());
    let (amount, day, reason) = (fen(minor), day(on), reason());
    PayoutResult { line, word: BankWord::Returned { amount, day, reference, reason } }
}

fn failed(line: u16) -> PayoutResult {
    PayoutResult { line, word: BankWord::Failed { reason: reason() } }
}

fn results(results: Vec<PayoutResult>) -> RecordPayoutResults {
    RecordPayoutResults { region: REGION, batch: 1, results }
}

fn statement(world: &World, provider: &str, month: CalendarMonth) -> StatementRow {
    view::statement(world.ledger.state(), books(provider), month).unwrap()
}

fn adds_up(row: &StatementRow) -> bool {
    let left = row.settled.minor() + row.owing.minor();
    left == row.carried.minor() + row.returned.minor() + row.held_back.minor() + row.payable.minor()
}

#[test]
fn a_statement_adds_up_and_what_is_owed_goes_on_to_the_next() {
    let mut world = closed();
    let first = statement(&world, "clinic", JANUARY);
    assert_eq!((first.held_back, first.payable), (fen(1_005), fen(19_096)), "half a fen is paid");
    assert_eq!((first.after_height, first.pay_by), (0, day("2026-03-12")));
    assert!(adds_up(&first));
    assert_eq!(balances(&world, "clinic"), [0, 19_096, 0, 1_005]);
    // More comes back in February than is settled.
    settled(&mut world, "clinic", 500, false);
    settled(&mut world, "clinic", 800, true);
    world.wait(28 * DAY);
    world.accepted(&[org("bureau")], &close("clinic", JANUARY.next()));
    let second = statement(&world, "clinic", JANUARY.next());
    assert_eq!((second.settled, second.returned), (fen(500), fen(800)));
    assert_eq!((second.owing, second.payable, second.held_back), (fen(300), fen(0), fen(0)));
    assert_eq!(second.after_height, first.to_height);
    assert!(adds_up(&second));
    settled(&mut world, "clinic", 1_300, false);
    world.wait(31 * DAY);
    world.accepted(&[org("bureau")], &close("clinic", JANUARY.next().next()));
    let third = statement(&world, "clinic", JANUARY.next().next());
    assert_eq!((third.carried, third.settled, third.payable), (fen(300), fen(1_300), fen(950)));
    assert!(adds_up(&third));
    assert_eq!(balances(&world, "clinic"), [0, 19_096 + 950, 0, 1_055]);
}

#[test]
fn a_month_is_closed_once_in_its_turn_and_when_it_is_over() {
    let mut world = world();
    let bureau = &[org("bureau")];
    let february = JANUARY.next();
    world.rejected(bureau, &close("hospital", february), rejection::MONTH_NOT_OVER);
    for month in [CalendarMonth { year: 1999, month: 1 }, CalendarMonth { year: 2026, month: 13 }] {
        world.rejected(bureau, &close("hospital", month), rejection::INVALID_MONTH);
    }
    world.rejected(
        &[org("hospital")],
        &close("hospital", JANUARY),
        organisations::SIGNATURE_MISSING,
    );
    world.rejected(bureau, &close("regulator", JANUARY), organisations::WRONG_KIND);
    world.rejected(bureau, &close("nobody", JANUARY), organisations::UNKNOWN_ORGANISATION);
    let elsewhere = CloseMonth { region: RegionId(1), ..close("hospital", JANUARY) };
    world.rejected(bureau, &elsewhere, network::UNKNOWN_REGION);
    world.accepted(bureau, &close("hospital", JANUARY));
    world.rejected(bureau, &close("hospital", JANUARY), rejection::MONTH_OUT_OF_ORDER);
    world.wait(60 * DAY);
    let march = february.next();
    world.rejected(bureau, &close("hospital", march), rejection::MONTH_OUT_OF_ORDER);
    world.accepted(bureau, &close("hospital", february));
    assert_eq!(statement(&world, "hospital", february).payable, Amount::ZERO);
    assert_eq!(view::providers(world.ledger.state(), REGION), [organisation("hospital")]);
}

#[test]
fn rules_are_bounded_and_without_them_nothing_is_cleared() {
    let mut world = World::new();
    world.wait(40 * DAY);
    let bureau = &[org("bureau")];
    world.rejected(bureau, &close("hospital", JANUARY), rejection::RULES_MISSING);
    world.rejected(bureau, &batch(1, vec![line("hospital", 1)]), rejection::RULES_MISSING);
    world.rejected(bureau, &bank_day(0, 0, vec![]), rejection::RULES_MISSING);
    let wrong = |change: fn(&mut ClearingRules)| {
        let mut body = rules();
        change(&mut body.rules);
        body
    };
    for body in [
        wrong(|rules| rules.hold_back = Rate::ONE),
        wrong(|rules| rules.pay_within_days = 0),
        wrong(|rules| rules.pay_within_days = 367),
        wrong(|rules| rules.clear_within_days = 0),
        wrong(|rules| rules.clear_within_days = 367),
    ] {
        world.rejected(bureau, &body, rejection::INVALID_RULES);
    }
    world.rejected(&[org("regulator")], &rules(), organisations::SIGNATURE_MISSING);
    world.accepted(bureau, &rules());
}

#[test]
fn a_region_clears_for_as_many_providers_as_its_list_holds() {
    let mut world = world();
    let mut all: Vec<OrganisationId> = (1..table::PROVIDERS_MAX)
        .map(|at| organisation(&alloc::format!("house-{at:04}")))
        .collect();
    all.sort();
    world.write(|state| table::PROVIDERS.put(state, &REGION, &all));
    let bureau = &[org("bureau")];
    world.accepted(bureau, &close("hospital", JANUARY));
    let full = rejection::TOO_MANY_PROVIDERS;
    world.rejected(bureau, &close("clinic", JANUARY), full);
    // Whoever is on the list stays on it.
    world.wait(30 * DAY);
    world.accepted(bureau, &close("hospital", CalendarMonth { year: 2026, month: 2 }));
}

#[test]
fn a_budget_stands_beside_what_was_settled_and_stops_nothing() {
    let mut world = world();
    let bureau = &[org("bureau")];
    let budget = SetProviderBudget {
        region: REGION,
        provider: organisation("hospital"),
        year: 2026,
        months: vec![fen(90_000); 12],
    };
    let short = SetProviderBudget { months: vec![fen(1); 11], ..budget.clone() };
    world.rejected(bureau, &short, rejection::BUDGET_MONTHS);
    world.rejected(
        bureau,
        &SetProviderBudget { year: 1999, ..budget.clone() },
        rejection::BUDGET_MONTHS,
    );
    let other = SetProviderBudget { provider: organisation("regulator"), ..budget.clone() };
    world.rejected(bureau, &other, organisations::WRONG_KIND);
    world.rejected(&[org("hospital")], &budget, organisations::SIGNATURE_MISSING);
    world.accepted(bureau, &budget);
    world.accepted(bureau, &close("hospital", JANUARY));
    let row = statement(&world, "hospital", JANUARY);
    assert_eq!((row.budget, row.settled), (Some(fen(90_000)), fen(100_000)));
    assert_eq!(row.payable, fen(95_000), "what was settled is paid");
}

#[test]
fn a_batch_is_paid_on_two_organisations_word() {
    let mut world = closed();
    let bureau = &[org("bureau")];
    world.rejected(&[org("regulator")], &both(), organisations::SIGNATURE_MISSING);
    world.accepted(bureau, &both());
    assert_eq!(balances(&world, "hospital"), [0, 95_000, 0, 5_000], "nothing moves yet");
    world.rejected(
        bureau,
        &results(vec![paid(0, 19_096, "2026-02-09")]),
        rejection::BATCH_STANDING,
    );
    let own = ApprovePayout { approver: organisation("bureau"), ..approve(&both()) };
    world.rejected(bureau, &own, rejection::NOT_THE_APPROVER);
    let authority = ApprovePayout { approver: organisation("authority"), ..own };
    world.rejected(&[org("authority")], &authority, rejection::NOT_THE_APPROVER);
    world.rejected(bureau, &approve(&both()), organisations::SIGNATURE_MISSING);
    let other = ApprovePayout { lines: Hash::default(), ..approve(&both()) };
    world.rejected(&[org("regulator")], &other, rejection::LINES_DIFFER);
    let unknown = ApprovePayout { batch: 2, ..approve(&both()) };
    world.rejected(&[org("regulator")], &unknown, rejection::UNKNOWN_BATCH);
    world.accepted(&[org("regulator")], &approve(&both()));
    assert_eq!(balances(&world, "hospital"), [0, 0, 95_000, 5_000]);
    assert_eq!(balances(&world, "clinic"), [0, 0, 19_096, 1_005]);
    world.rejected(&[org("regulator")], &approve(&both()), rejection::BATCH_STANDING);
}

#[test]
fn a_provider_learns_of_a_batch_what_is_its_own() {
    let mut world = closed();
    world.accepted(&[org("bureau")], &both());
    let receipt = world.accepted(&[org("regulator")], &approve(&both()));
    let told = |receipt: &Receipt, code: &str| {
        receipt_for(world.ledger.state(), org(code), receipt).map(|told| told.entries)
    };
    let own = told(&receipt, "hospital").unwrap();
    assert_eq!(own.len(), 1);
    assert_eq!(own[0].entry.credit, Account::ProviderInPayment(books("hospital")));
    assert_eq!(told(&receipt, "bureau").unwrap().len(), 2);
    assert_eq!(told(&receipt, "authority"), None);
}

#[test]
fn lines_are_sorted_bounded_numbered_and_payable() {
    let mut world = closed();
    let bureau = &[org("bureau")];
    let hospital = line("hospital", 10);
    for lines in [
        vec![],
        vec![hospital, hospital],
        vec![hospital, line("clinic", 10)],
        vec![line("hospital", 0)],
        vec![hospital; PAYOUT_LINES_MAX + 1],
    ] {
        world.rejected(bureau, &batch(1, lines), rejection::PAYOUT_LINES);
    }
    world.rejected(bureau, &batch(2, vec![hospital]), rejection::BATCH_NUMBER);
    world.rejected(bureau, &batch(1, vec![line("hospital", 95_001)]), rejection::EXCEEDS_PAYABLE);
    world.rejected(bureau, &batch(1, vec![line("nobody", 1)]), rejection::EXCEEDS_PAYABLE);
    world.accepted(bureau, &batch(1, vec![line("hospital", 95_000)]));
    world.rejected(bureau, &batch(1, vec![hospital]), rejection::BATCH_NUMBER);
    assert!(end_to_end(RegionId(u32::MAX), u32::MAX, u16::MAX).len() <= 35);
}

#[test]
fn what_is_payable_is_paid_once() {
    let mut world = closed();
    let bureau = &[org("bureau")];
    let regulator = &[org("regulator")];
    let (first, second) =
        (batch(1, vec![line("hospital", 95_000)]), batch(2, vec![line("hospital", 95_000)]));
    world.accepted(bureau, &first);
    world.accepted(bureau, &second);
    world.accepted(regulator, &approve(&first));
    world.rejected(regulator, &approve(&second), rejection::EXCEEDS_PAYABLE);
    let pay = PayProvider {
        region: REGION,
        payer: organisation("bureau"),
        provider: organisation("hospital"),
        amount: fen(1),
        reference: sha256(b"by hand"),
    };
    world.rejected(bureau, &pay, rejection::PAID_IN_BATCHES);
    let withdraw = |by: &str| WithdrawPayout { region: REGION, batch: 2, by: organisation(by) };
    world.rejected(&[org("hospital")], &withdraw("hospital"), rejection::NOT_THE_APPROVER);
    world.rejected(bureau, &withdraw("regulator"), organisations::SIGNATURE_MISSING);
    world.accepted(regulator, &withdraw("regulator"));
    world.rejected(bureau, &withdraw("bureau"), rejection::BATCH_STANDING);
    let first_again = WithdrawPayout { batch: 1, ..withdraw("bureau") };
    world.rejected(bureau, &first_again, rejection::BATCH_STANDING);
    world.accepted(bureau, &results(vec![paid(0, 95_000, "2026-02-10")]));
    assert_eq!(balances(&world, "hospital"), [0, 0, 0, 5_000]);
}

#[test]
fn an_insurer_still_pays_directly_what_no_statement_took() {
    let mut world = world();
    world.admit("insurer", OrganisationKind::Insurer, None);
    let pay = PayProvider {
        region: REGION,
        payer: organisation("insurer"),
        provider: organisation("hospital"),
        amount: fen(40_000),
        reference: sha256(b"direct"),
    };
    world.accepted(&[org("insurer"), org("hospital")], &pay);
    world.accepted(&[org("bureau")], &close("hospital", JANUARY));
    let row = statement(&world, "hospital", JANUARY);
    assert_eq!((row.settled, row.returned, row.payable), (fen(100_000), fen(40_000), fen(57_000)));
    assert!(adds_up(&row));
    let more = PayProvider { amount: fen(1), reference: sha256(b"more"), ..pay };
    world.rejected(&[org("insurer"), org("hospital")], &more, funds::EXCEEDS_DUE);
}

#[test]
fn the_banks_word_moves_money_once_and_what_fails_or_comes_back_is_payable_again() {
    let mut world = in_payment();
    let bureau = &[org("bureau")];
    let outside = world.balance(Account::Outside(REGION));
    world.rejected(
        &[org("regulator")],
        &results(vec![failed(0)]),
        organisations::SIGNATURE_MISSING,
    );
    world.accepted(bureau, &results(vec![failed(0), paid(1, 95_000, "2026-02-10")]));
    assert_eq!(balances(&world, "clinic"), [0, 19_096, 0, 1_005]);
    assert_eq!(balances(&world, "hospital"), [0, 0, 0, 5_000]);
    assert_eq!(world.balance(Account::Outside(REGION)), outside + 95_000);
    for again in [failed(0), paid(0, 19_096, "2026-02-10"), failed(1)] {
        world.rejected(bureau, &results(vec![again]), rejection::LINE_CLOSED);
    }
    world.rejected(
        bureau,
        &results(vec![returned(0, 19_096, "2026-02-10")]),
        rejection::LINE_CLOSED,
    );
    world.rejected(
        bureau,
        &results(vec![returned(1, 94_999, "2026-02-10")]),
        rejection::AMOUNT_DIFFERS,
    );
    world.accepted(bureau, &results(vec![returned(1, 95_000, "2026-02-10")]));
    assert_eq!(balances(&world, "hospital"), [0, 95_000, 0, 5_000]);
    assert_eq!(world.balance(Account::Outside(REGION)), outside);
    world.rejected(
        bureau,
        &results(vec![returned(1, 95_000, "2026-02-10")]),
        rejection::LINE_CLOSED,
    );
    // What came back is paid by a new batch under a new name.
    let again = batch(2, vec![line("hospital", 95_000)]);
    world.accepted(bureau, &again);
    world.accepted(&[org("regulator")], &approve(&again));
    assert_eq!(balances(&world, "hospital"), [0, 0, 95_000, 5_000]);
    let used = RecordPayoutResults { batch: 2, ..results(vec![paid(1, 95_000, "2026-02-10")]) };
    let used = RecordPayoutResults {
        results: vec![PayoutResult { line: 0, ..used.results[0].clone() }],
        ..used
    };
    world.rejected(bureau, &used, rejection::BANK_REFERENCE_USED);
}

#[test]
fn results_are_of_this_batch_and_of_days_that_have_come() {
    let mut world = in_payment();
    let bureau = &[org("bureau")];
    for list in [vec![], vec![failed(1), failed(0)], vec![failed(0), failed(0)], vec![failed(2)]] {
        world.rejected(bureau, &results(list), rejection::RESULT_LIST);
    }
    world.rejected(
        bureau,
        &results(vec![paid(1, 95_001, "2026-02-10")]),
        rejection::AMOUNT_DIFFERS,
    );
    world.rejected(bureau, &results(vec![paid(1, 95_000, "2026-02-11")]), rejection::DAY_IN_FUTURE);
    for code in ["", "ac04", "A C"] {
        let reason = Text::new(code).unwrap();
        let result = PayoutResult { line: 0, word: BankWord::Failed { reason } };
        world.rejected(bureau, &results(vec![result]), rejection::REASON_CODE);
    }
    world.accepted(bureau, &results(vec![paid(1, 95_000, "2026-02-10")]));
}

fn bank_day(lines: u32, minor: u64, differences: Vec<BankDifference>) -> CloseBankDay {
    let bank = DayTotals { lines, paid: fen(minor), returned: Amount::ZERO };
    let (day, statement) = (day("2026-02-10"), sha256(b"file"));
    CloseBankDay { region: REGION, day, statement, bank, differences }
}

fn difference(kind: DifferenceKind, provider: Option<OrganisationId>) -> BankDifference {
    BankDifference { kind, amount: fen(7), reference: sha256(b"line"), provider }
}

#[test]
fn a_day_without_differences_is_what_the_ledger_itself_has() {
    let mut world = in_payment();
    let bureau = &[org("bureau")];
    world.accepted(bureau, &results(vec![paid(1, 95_000, "2026-02-10")]));
    world.rejected(bureau, &bank_day(1, 95_000, vec![]), rejection::DAY_NOT_OVER);
    world.wait(DAY);
    world.rejected(
        &[org("regulator")],
        &bank_day(1, 95_000, vec![]),
        organisations::SIGNATURE_MISSING,
    );
    for wrong in [bank_day(2, 95_000, vec![]), bank_day(1, 95_001, vec![]), bank_day(0, 0, vec![])]
    {
        world.rejected(bureau, &wrong, rejection::DAY_NOT_EVEN);
    }
    world.accepted(bureau, &bank_day(1, 95_000, vec![]));
    let row = view::bank_day(world.ledger.state(), REGION, day("2026-02-10")).unwrap();
    assert!(row.is_even() && row.bank == row.ledger);
    world.rejected(bureau, &bank_day(1, 95_000, vec![]), rejection::DAY_CLOSED);
    // Nothing more is recorded of a day that was even.
    world.rejected(bureau, &results(vec![paid(0, 19_096, "2026-02-10")]), rejection::DAY_CLOSED);
    world.accepted(bureau, &results(vec![paid(0, 19_096, "2026-02-11")]));
}

#[test]
fn every_difference_has_an_owner_and_a_last_day_and_is_cleared_once() {
    let mut world = in_payment();
    let bureau = &[org("bureau")];
    world.wait(DAY);
    let hospital = Some(organisation("hospital"));
    let of_a_book = difference(DifferenceKind::BookAmount, None);
    let nothing =
        BankDifference { amount: Amount::ZERO, ..difference(DifferenceKind::WrongDay, None) };
    let many = vec![difference(DifferenceKind::WrongDay, None); SUSPENSE_MAX + 1];
    for list in [vec![of_a_book], vec![nothing], many] {
        world.rejected(bureau, &bank_day(1, 7, list), rejection::DIFFERENCE_LIST);
    }
    let all = DifferenceKind::ALL.map(|kind| difference(kind, hospital)).to_vec();
    world.accepted(bureau, &bank_day(1, 7, all));
    let row = view::bank_day(world.ledger.state(), REGION, day("2026-02-10")).unwrap();
    assert!(!row.is_even() && row.items.len() == DifferenceKind::ALL.len());
    assert!(row.items.iter().all(|item| item.until == day("2026-02-16")));
    let owner = |kind| row.items.iter().find(|item| item.kind == kind).unwrap().owner;
    assert_eq!(owner(DifferenceKind::DuplicateLine), SuspenseOwner::Bank);
    assert_eq!(owner(DifferenceKind::UnknownReference), SuspenseOwner::Bureau);
    assert_eq!(owner(DifferenceKind::MissingInBook), SuspenseOwner::Provider);
    let clear = ClearSuspense {
        region: REGION,
        day: day("2026-02-10"),
        item: 1,
        resolution: Resolution::CorrectedByBank,
    };
    world.rejected(&[org("hospital")], &clear, organisations::SIGNATURE_MISSING);
    for unknown in
        [ClearSuspense { item: 11, ..clear }, ClearSuspense { day: day("2026-02-09"), ..clear }]
    {
        world.rejected(bureau, &unknown, rejection::UNKNOWN_SUSPENSE);
    }
    world.accepted(bureau, &clear);
    world.rejected(bureau, &clear, rejection::UNKNOWN_SUSPENSE);
    // A payment that was missing is recorded on its day afterwards.
    world.accepted(bureau, &results(vec![paid(1, 95_000, "2026-02-10")]));
}

#[test]
fn what_was_held_back_is_decided_once_when_the_year_is_over() {
    let mut world = closed();
    let signers = &[org("bureau"), org("regulator")];
    let fund = FundId(1);
    let open = OpenFund {
        region: REGION,
        fund,
        owner: organisation("bureau"),
        purpose: Payer::PooledFund,
        year: None,
        floor: Amount::ZERO,
    };
    world.accepted(&[org("bureau")], &open);
    let release = ReleaseHoldBack {
        region: REGION,
        provider: organisation("hospital"),
        year: 2026,
        released: fen(4_000),
        withheld: fen(1_000),
        fund,
        approver: organisation("regulator"),
    };
    world.rejected(signers, &release, rejection::YEAR_OPEN);
    world.wait(330 * DAY);
    let mut month = JANUARY;
    while month.month < 12 {
        month = month.next();
        world.accepted(&[org("bureau")], &close("hospital", month));
    }
    world.rejected(&[org("bureau")], &release, organisations::SIGNATURE_MISSING);
    world.rejected(&[org("regulator")], &release, organisations::SIGNATURE_MISSING);
    let own = ReleaseHoldBack { approver: organisation("bureau"), ..release };
    world.rejected(signers, &own, rejection::NOT_THE_APPROVER);
    let more = ReleaseHoldBack { released: fen(4_001), ..release };
    world.rejected(signers, &more, rejection::HELD_DIFFERS);
    let nowhere = ReleaseHoldBack { fund: FundId(9), ..release };
    world.rejected(signers, &nowhere, funds::UNKNOWN_FUND);
    let before = ReleaseHoldBack { year: 2025, ..release };
    world.rejected(signers, &before, rejection::NOTHING_HELD);
    world.accepted(signers, &release);
    assert_eq!(balances(&world, "hospital"), [0, 95_000 + 4_000, 0, 0]);
    assert_eq!(world.balance(Account::Fund { region: REGION, fund }), 1_000);
    let held = view::held(world.ledger.state(), books("hospital"), 2026);
    assert!(held.decided && held.held == fen(5_000));
    world.rejected(signers, &release, rejection::NOTHING_HELD);
    assert!(world.now > START);
}
