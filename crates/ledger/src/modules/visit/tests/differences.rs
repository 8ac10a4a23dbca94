//! What a plan with effect in the past changes for settlements that stand.

use super::*;
use crate::kernel::posting;
use crate::kernel::rejection::{Code, kernel};
use crate::modules::organisation::rejection as organisations;
use crate::modules::plan::{
    ApproveDifferences, BatchStanding, Difference, DifferenceStanding, Direction, PayDifferences,
    PolicyChange, ProposeDifferences, SettleDifference, SettlementWay, Simulation, rejection,
    simulate_differences, view as plans,
};
use crate::modules::voucher;
use primitives::Currency;

pub(super) const OWED: Account = Account::OwedToFund { region: REGION, fund: POOL };
const EXPECTED: Account = Account::ExpectedByFund { region: REGION, fund: POOL };
pub(super) const PURSE: Account = Account::PersonalAccount(ALICE);
pub(super) const FUND: Account = Account::Fund { region: REGION, fund: POOL };

/// Publishes the plan of 2026 anew, in force since 1 January, with this rate for outpatients.
pub(super) fn supersede(world: &mut World, version: u16, rate: &str) {
    let text = PLAN.replace("50%", rate);
    publish_text(world, (version, vec![version - 1]), &text, ("2026", "80%"), "reviewer");
}

fn change(new_version: u16) -> PolicyChange {
    let (region, scheme) = (REGION, EMPLOYEE);
    PolicyChange { region, scheme, old_version: new_version - 1, new_version }
}

pub(super) fn simulate(
    world: &World,
    new_version: u16,
    records: &[SettlementRecord],
) -> Simulation {
    let (state, plans) = (world.ledger.state(), PlanMemo::default());
    simulate_differences(state, &plans, &change(new_version), records, world.now)
}

/// A batch with these rows is proposed and approved.
pub(super) fn approved(world: &mut World, batch: u32, new_version: u16, rows: Vec<Difference>) {
    let PolicyChange { region, scheme, old_version, .. } = change(new_version);
    let (fund, simulation) = (POOL, Hash([4; 32]));
    let proposal = ProposeDifferences {
        region,
        scheme,
        batch,
        old_version,
        new_version,
        fund,
        simulation,
        rows,
    };
    world.accepted(&[org("bureau")], &proposal);
    let rows = proposal.rows_hash();
    let approver = organisation("regulator");
    let approve = ApproveDifferences { region, scheme, batch, rows, approver };
    world.accepted(&[org("regulator")], &approve);
}

pub(super) fn payment(batch: u32, records: &[SettlementRecord]) -> PayDifferences {
    let mut records = records.to_vec();
    records.sort_by_key(|record| record.transaction_id);
    PayDifferences { region: REGION, scheme: EMPLOYEE, batch, records }
}

/// Alice's settlement under version 1, then version 2 with this rate, simulated, approved, paid.
pub(super) fn adjusted(rate: &str) -> (World, SettlementRecord) {
    let (mut world, receipt) = settled();
    let record = record(&receipt);
    supersede(&mut world, 2, rate);
    let simulation = simulate(&world, 2, core::slice::from_ref(&record));
    approved(&mut world, 1, 2, simulation.rows);
    world.accepted(&[org("bureau")], &payment(1, core::slice::from_ref(&record)));
    (world, record)
}

pub(super) fn own_share(world: &World, record: &SettlementRecord) -> u64 {
    let row = voucher::view::settlement(world.ledger.state(), &record.transaction_id).unwrap();
    row.own_share.minor()
}

pub(super) fn standing(world: &World, record: &SettlementRecord) -> Option<DifferenceStanding> {
    plans::adjusted(world.ledger.state(), &record.transaction_id).map(|row| row.standing)
}

#[track_caller]
fn nothing_paid(world: &mut World, body: &PayDifferences, code: Code) {
    let receipt = world.rejected(&[org("bureau")], body, rejection::NOTHING_PAID);
    assert_eq!(
        receipt.rejection_detail,
        Some(primitives::Detail::List([Code::reference(code.name)].into()))
    );
}

fn whole_refund(world: &mut World, record: &SettlementRecord) {
    let body = RefundVisit {
        original: record.clone(),
        bill: Hash::default(),
        remaining: CategorySums::default(),
        split: Split::default(),
        cash: None,
        consent: None,
    };
    let refunded = world.accepted(&[org("hospital"), org("bureau")], &body);
    world.accepted(&[org("hospital")], &done(effects(&refunded)[0], 15_000));
}

#[test]
fn a_batch_is_simulated_then_approved_then_paid_as_simulated() {
    let (mut world, receipt) = settled();
    let subject = open(&mut world, 2, VisitType::Outpatient);
    let body = settlement(&world, 2, &subject, sums("2026-01-06", 10_000), false);
    let second = world.accepted(&signers(), &body);
    let records = [record(&receipt), record(&second)];
    supersede(&mut world, 2, "60%");
    let before = world.ledger.state().root();
    let simulation = simulate(&world, 2, &records);
    assert_eq!(world.ledger.state().root(), before, "a simulation changes nothing");
    // 200.00 over the deductible and then 100.00: a tenth more of both.
    let mut amounts: Vec<u64> = simulation.rows.iter().map(|row| row.amount.minor()).collect();
    amounts.sort_unstable();
    assert_eq!(amounts, [1_000, 2_000]);
    assert_eq!(simulation.total(Direction::ToPerson), fen(3_000));
    assert!(simulation.unchanged.is_empty() && simulation.refused.is_empty());
    approved(&mut world, 1, 2, simulation.rows);
    let all = payment(1, &records);
    world.rejected(&[org("regulator")], &all, organisations::SIGNATURE_MISSING);
    let mut turned = all.clone();
    turned.records.reverse();
    world.rejected(&[org("bureau")], &turned, rejection::RECORD_COUNT);
    let (pool, counted) = (world.balance(FUND), counters(&world));
    world.accepted(&[org("bureau")], &payment(1, &records[..1]));
    world.accepted(&[org("bureau")], &all);
    assert_eq!((world.balance(PURSE), pool - world.balance(FUND)), (3_000, 3_000));
    assert_ne!(counters(&world), counted, "what the fund pays more counts for its caps");
    assert_eq!(own_share(&world, &records[0]), 18_000);
    let batch = plans::batch(world.ledger.state(), REGION, EMPLOYEE, 1).unwrap();
    assert_eq!((batch.standing, batch.booked), (BatchStanding::Paid, 2));
    world.rejected(&[org("bureau")], &all, rejection::BATCH_STANDING);
    let again = simulate(&world, 2, &records);
    assert!(again.rows.len() == 2, "against the original, the difference is the same");
    approved(&mut world, 2, 2, again.rows);
    nothing_paid(&mut world, &payment(2, &records), rejection::SETTLEMENT_ADJUSTED);
}

#[test]
fn only_what_the_ledger_finds_itself_is_paid() {
    let (mut world, receipt) = settled();
    let record = record(&receipt);
    supersede(&mut world, 2, "60%");
    let row = simulate(&world, 2, core::slice::from_ref(&record)).rows[0];
    let wrong = [
        Difference { amount: fen(2_001), ..row },
        Difference { direction: Direction::FromPerson, ..row },
        Difference { person: BOB, ..row },
    ];
    let body = |batch| payment(batch, core::slice::from_ref(&record));
    for (batch, row) in (1..).zip(wrong) {
        approved(&mut world, batch, 2, vec![row]);
        nothing_paid(&mut world, &body(batch), rejection::DIFFERENCE_CHANGED);
    }
    approved(&mut world, 7, 2, vec![Difference { settlement: Hash([9; 32]), ..row }]);
    nothing_paid(&mut world, &body(7), rejection::SETTLEMENT_MISMATCH);
    approved(&mut world, 8, 2, vec![row]);
    whole_refund(&mut world, &record);
    nothing_paid(&mut world, &body(8), super::super::rejection::RECORD_MISMATCH);
    let refused = simulate(&world, 2, core::slice::from_ref(&record)).refused;
    assert_eq!(refused.len(), 1, "a settlement that no longer stands is refused before");
}

#[test]
fn a_refund_takes_the_difference_back() {
    let untouched = world();
    let (mut world, record) = adjusted("60%");
    assert_eq!(world.balance(PURSE), 2_000);
    whole_refund(&mut world, &record);
    assert_eq!(balances(&world), balances(&untouched));
    assert_eq!(counters(&world), counters(&untouched));
    assert_eq!((own_share(&world, &record), standing(&world, &record)), (0, None));
}

#[test]
fn what_the_account_cannot_give_back_is_owed_to_the_fund() {
    let untouched = world();
    let (mut world, record) = adjusted("60%");
    let spent = posting::Entry { debit: PURSE, credit: Account::Outside(REGION), amount: fen(1) };
    let now = world.now;
    world.write(|state| posting::post(state, now, Currency::CNY, &[spent]).unwrap());
    whole_refund(&mut world, &record);
    assert_eq!(standing(&world, &record), Some(DifferenceStanding::Recalled));
    assert_eq!((world.balance(OWED), world.balance(EXPECTED)), (-2_000, 2_000));
    let settlement = record.transaction_id;
    let pay = SettleDifference { settlement, way: SettlementWay::PersonalAccount };
    world.accepted(&[alice()], &pay);
    assert_eq!((world.balance(OWED), world.balance(EXPECTED)), (0, 0));
    assert_eq!(world.balance(FUND), untouched.balance(FUND));
    assert_eq!(world.balance(PURSE), untouched.balance(PURSE) - 1);
    world.rejected(&[alice()], &pay, rejection::NOTHING_OWED);
}

#[test]
fn a_further_version_takes_the_place_of_the_one_before() {
    let (mut world, record) = adjusted("60%");
    let pool = world.balance(FUND);
    supersede(&mut world, 3, "70%");
    let simulation = simulate(&world, 3, core::slice::from_ref(&record));
    assert_eq!(simulation.total(Direction::ToPerson), fen(4_000), "against the original");
    approved(&mut world, 2, 3, simulation.rows);
    world.accepted(&[org("bureau")], &payment(2, core::slice::from_ref(&record)));
    assert_eq!((world.balance(PURSE), pool - world.balance(FUND)), (4_000, 2_000));
    assert_eq!(own_share(&world, &record), 16_000);
}

#[test]
fn what_people_owe_is_a_receivable_until_it_is_paid_or_let_go() {
    let (mut world, record) = adjusted("40%");
    let pool = world.balance(FUND);
    assert_eq!((world.balance(OWED), world.balance(EXPECTED)), (-2_000, 2_000));
    assert_eq!(
        (standing(&world, &record), own_share(&world, &record)),
        (Some(DifferenceStanding::Owed), 22_000,)
    );
    let settlement = record.transaction_id;
    let settle = |way| SettleDifference { settlement, way };
    let by_account = settle(SettlementWay::PersonalAccount);
    world.rejected(&[alice()], &by_account, kernel::INSUFFICIENT_BALANCE);
    let waive = settle(SettlementWay::Waived);
    world.rejected(&[org("regulator")], &waive, organisations::SIGNATURE_MISSING);
    world.accepted(&[org("bureau")], &settle(SettlementWay::Received));
    assert_eq!((world.balance(OWED), world.balance(FUND)), (0, pool + 2_000));
    world.rejected(&[org("bureau")], &waive, rejection::NOTHING_OWED);
    // A refund gives back what the person paid because of it.
    whole_refund(&mut world, &record);
    assert_eq!(world.balance(PURSE), 5_000 + 2_000);
    assert_eq!(standing(&world, &record), None);
}

#[test]
fn what_the_fund_lets_go_is_not_the_persons_share() {
    let (mut world, record) = adjusted("40%");
    let pool = world.balance(FUND);
    let waive = SettleDifference { settlement: record.transaction_id, way: SettlementWay::Waived };
    world.accepted(&[org("bureau")], &waive);
    assert_eq!((world.balance(OWED), world.balance(EXPECTED)), (0, 0));
    assert_eq!((world.balance(FUND), own_share(&world, &record)), (pool, 20_000));
    whole_refund(&mut world, &record);
    assert_eq!((world.balance(PURSE), standing(&world, &record)), (5_000, None));
}

#[test]
fn a_batch_has_a_number_of_its_own_and_must_be_there() {
    let (mut world, record) = adjusted("60%");
    let records = core::slice::from_ref(&record);
    world.rejected(&[org("bureau")], &payment(9, records), rejection::UNKNOWN_BATCH);
    let PolicyChange { region, scheme, old_version, new_version } = change(2);
    let settlement = record.transaction_id;
    let amount = fen(1);
    let again = ProposeDifferences {
        region,
        scheme,
        batch: 1,
        old_version,
        new_version,
        fund: POOL,
        simulation: Hash([4; 32]),
        rows: vec![Difference {
            settlement,
            person: ALICE,
            amount,
            direction: Direction::ToPerson,
        }],
    };
    world.rejected(&[org("bureau")], &again, rejection::BATCH_EXISTS);
    world.accepted(&[org("bureau")], &ProposeDifferences { batch: 2, ..again });
}
