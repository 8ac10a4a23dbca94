#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]
use super::*;
use crate::kernel::account::{Account, Books};
use crate::kernel::context::PlanMemo;
use crate::kernel::effect::{Effect, EffectAction, EffectResult};
use crate::kernel::receipt::Receipt;
use crate::modules::coverage::{rejection as coverages, view::running_amounts};

use crate::modules::family::{
    Agreement, BindMember, BindingSide, ProxyRules, Relation, SetProxyRules, UnbindMember,
    rejection as families,
};
use crate::modules::organisation::{
    AuthoriseKey, OrganisationKind, Scope, rejection as organisations,
};
use crate::modules::person::{
    Actor, GuardianGround, LockPerson, SetGuardian, rejection as persons,
};
use crate::modules::visit::quote::CarePlace;
use crate::modules::visit::{
    CashLeg, CheckIn, ConfirmEffect, Consent, Identification, QuoteRequest, RailKind, SettleVisit,
    Split, VisitSubject, quote, rejection as visits,
};
use crate::modules::voucher::{self, MarkVoucherUsed};
use crate::testing::{DAY, REGION, World, fen, organisation, person as id, public};
use alloc::{vec, vec::Vec};
use benefit::{Category, CategorySums, HospitalLevel, ItemClass, SumKey, SumRow, VisitType};
use primitives::{
    Amount, CivilDate, Currency, FundId, Hash, Party, Period, RegionId, SchemeId, SlotId, Text,
    VisitId, sha256,
};
use proof::receipt::FieldValue;

mod foreign;

const EMPLOYEE: SchemeId = SchemeId(310);
const POOL: FundId = FundId(1);

/// Outpatient: 100.00 deductible a year, then 50 %, 40 % outside the province; at most 1,000.00 of
/// the pool a year.
const PLAN: &str = r#"
[plan]
id = "test-employee"
name = { en = "test" }
region = 620100
scheme = 310
currency = "CNY"
valid = { from = "2026-01-01", to = "2026-12-31" }
visit_types = ["outpatient"]

[[accumulator]]
id = "deductible_met"
number = 1
period = "year"

[[accumulator]]
id = "pool_paid"
number = 2
period = "year"

[[step]]
id = "away"
kind = "benefit"
payer = "pooled_fund"
when = { places = ["elsewhere"] }
deductibles = [{ amount = "100", counts = "deductible_met" }]
rates = [{ rate = "40%" }]
caps = [{ amount = "1000", counts = "pool_paid" }]
words = { en = "two fifths elsewhere" }
source = "test"

[[step]]
id = "home"
kind = "benefit"
payer = "pooled_fund"
when = { places = ["home"] }
deductibles = [{ amount = "100", counts = "deductible_met" }]
rates = [{ rate = "50%" }]
caps = [{ amount = "1000", counts = "pool_paid" }]
words = { en = "half at home" }
source = "test"
"#;

fn org(code: &str) -> Party {
    Party::Organisation(organisation(code))
}

fn by(number: u8) -> Party {
    Party::Person(id(number))
}

fn date(text: &str) -> CivilDate {
    text.parse().unwrap()
}

fn rules() -> ClaimRules {
    ClaimRules {
        filing_days_max: 60,
        decision_days_max: 30,
        open_claims_per_person_max: 2,
        proxies_claim: true,
        foreign: days_back(3),
        source: Text::new("made up for tests").unwrap(),
    }
}

/// It is 10 January 2026; persons 1 and 2 are covered, the pool holds 10,000.00.
fn world() -> World {
    let mut world = World::new();
    world.admit("bank", OrganisationKind::Bank, None);
    world.admit("finance", OrganisationKind::FinanceAuthority, None);
    world.publish(PLAN, &[]);
    world.pool(EMPLOYEE, POOL, "2026-01-01", 1_000_000);
    for number in [1, 2] {
        world.enrol(number);
        world.cover(number, EMPLOYEE);
    }
    world.accepted(&[org("bureau")], &SetClaimRules { region: REGION, rules: rules() });
    world.wait(9 * DAY);
    world
}

/// The tags of invoices by their numbers.
fn tags(numbers: &[u8]) -> Vec<Hash> {
    let mut tags: Vec<Hash> = numbers.iter().map(|number| sha256(&[7, *number])).collect();
    tags.sort();
    tags
}

fn claim(person: u8, invoices: &[u8]) -> FileClaim {
    FileClaim {
        person: id(person),
        by: Actor::OwnKey,
        region: REGION,
        scheme: EMPLOYEE,
        from: date("2026-01-05"),
        to: date("2026-01-06"),
        invoices: tags(invoices),
        documents: sha256(b"documents"),
        payee: None,
    }
}

fn filed(world: &mut World, person: u8, invoices: &[u8]) -> Hash {
    world.accepted(&[by(person)], &claim(person, invoices)).record.transaction_id
}

fn sums(day: &str, in_policy: u64) -> CategorySums {
    let key = SumKey {
        service_date: date(day),
        category: Category::Treatment,
        class: ItemClass::A,
        programme: 0,
        slot: SlotId(0),
    };
    CategorySums::new(vec![SumRow { in_policy: fen(in_policy), ..SumRow::empty(key) }]).unwrap()
}

fn care(region: u32) -> ClaimCare {
    let place = CarePlace { region: RegionId(region), level: HospitalLevel::TertiaryA };
    ClaimCare { place, visit_type: VisitType::Outpatient, diagnosis_group: 0 }
}

fn to_card() -> CashLeg {
    CashLeg {
        executor: organisation("bank"),
        rail: Text::new("bank").unwrap(),
        kind: RailKind::Bound,
        authorisation: sha256(b"card"),
    }
}

/// The acceptance of a claim as it is computed now, paid out to the card where anything is.
fn acceptance(world: &World, claim: Hash, numbers: &[u8], sums: CategorySums) -> AcceptClaim {
    acceptance_of(world, claim, numbers, sums, care(620_100))
}

fn acceptance_of(
    world: &World,
    claim: Hash,
    numbers: &[u8],
    sums: CategorySums,
    care: ClaimCare,
) -> AcceptClaim {
    acceptance_in(world, claim, numbers, (sums, None), care)
}

fn acceptance_in(
    world: &World,
    claim: Hash,
    numbers: &[u8],
    (sums, foreign): (CategorySums, Option<ForeignBill>),
    care: ClaimCare,
) -> AcceptClaim {
    let state = world.ledger.state();
    let row = view::claim(state, &claim).unwrap();
    let quoted = quote_claim(state, &PlanMemo::default(), &row, &care, &sums).unwrap();
    let bill = sha256(b"bill");
    let parts = quoted.parts;
    let record = ClaimRecord { claim, care, bill, sums: sums.clone(), foreign, parts };
    let payout = (!paid_by_funds(&quoted.split).is_zero()).then(to_card);
    AcceptClaim {
        claim,
        invoices: tags(numbers),
        care,
        bill,
        sums,
        foreign,
        split: quoted.split,
        record: record.hash(),
        payout,
    }
}

fn signers() -> [Party; 2] {
    [org("bureau"), org("bank")]
}

fn confirmed(effect: Hash, result: EffectResult) -> ConfirmEffect {
    ConfirmEffect { effect, result, rail_reference: Hash::default() }
}

fn done(effect: Hash, minor: u64) -> ConfirmEffect {
    confirmed(effect, EffectResult::Done { amount: fen(minor) })
}

fn payout(receipt: &Receipt) -> Hash {
    let effect = &receipt.effects[0];
    assert_eq!(effect.action, EffectAction::PayOut);
    Effect::reference(receipt.record.transaction_id, effect.number)
}

/// Pool, owed to people, the bank's rail.
fn balances(world: &World) -> [i128; 3] {
    [
        Account::Fund { region: REGION, fund: POOL },
        Account::OwedToPatients(Books::of(organisation("bureau"), REGION)),
        Account::Rail(Books::of(organisation("bank"), REGION)),
    ]
    .map(|account| world.balance(account))
}

fn standing(world: &World, claim: &Hash) -> ClaimStanding {
    view::claim(world.ledger.state(), claim).unwrap().standing
}

#[test]
fn a_claim_is_filed_within_the_regions_days_by_whoever_speaks_for_the_person() {
    let mut world = world();
    let body = claim(1, &[1]);
    world.rejected(&[by(2)], &body, persons::SIGNATURE_MISSING);
    let reversed = FileClaim { to: date("2026-01-04"), ..body.clone() };
    world.rejected(&[by(1)], &reversed, rejection::SERVICE_DATES);
    let ahead = FileClaim { to: date("2026-01-11"), ..body.clone() };
    world.rejected(&[by(1)], &ahead, rejection::SERVICE_DATES);
    for invoices in [vec![], vec![sha256(b"1"); 2], vec![Hash([2; 32]), Hash([1; 32])]] {
        let wrong = FileClaim { invoices, ..body.clone() };
        world.rejected(&[by(1)], &wrong, rejection::INVOICE_LIST);
    }
    let before = FileClaim { from: date("2025-12-31"), ..body.clone() };
    world.rejected(&[by(1)], &before, coverages::COVERAGE_NOT_YET);
    let elsewhere = FileClaim { region: RegionId(1), ..body.clone() };
    world.rejected(&[by(1)], &elsewhere, rejection::NOT_OFFERED);
    // The last day for service of 6 January is 7 March.
    world.wait(56 * DAY);
    let last = world.accepted(&[by(1)], &body).record.transaction_id;
    let row = view::claim(world.ledger.state(), &last).unwrap();
    assert_eq!(row.until, date("2026-04-06"));
    world.wait(DAY);
    world.rejected(&[by(1)], &claim(1, &[2]), rejection::FILED_TOO_LATE);
    // The desk files for somebody who has no key at hand.
    let desk = FileClaim { by: Actor::Desk, from: date("2026-03-01"), ..claim(2, &[3]) };
    let desk = FileClaim { to: date("2026-03-01"), ..desk };
    world.rejected(&[by(2)], &desk, organisations::SIGNATURE_MISSING);
    world.accepted(&[org("bureau")], &desk);
}

#[test]
fn as_many_claims_wait_as_the_region_allows() {
    let mut world = world();
    let first = filed(&mut world, 1, &[1]);
    let second = filed(&mut world, 1, &[2]);
    world.rejected(&[by(1)], &claim(1, &[3]), rejection::TOO_MANY_CLAIMS);
    let withdraw = WithdrawClaim { claim: first, by: Actor::OwnKey };
    world.accepted(&[by(1)], &withdraw);
    let third = filed(&mut world, 1, &[3]);
    let listed = view::claims_of(world.ledger.state(), REGION, id(1));
    assert_eq!(listed, [first, second, third]);
}

#[test]
fn an_accepted_claim_posts_the_funds_share_and_pays_it_out() {
    let mut world = world();
    let one = filed(&mut world, 1, &[1, 2]);
    let body = acceptance(&world, one, &[1, 2], sums("2026-01-05", 30_000));
    world.rejected(&[org("bank")], &body, organisations::SIGNATURE_MISSING);
    world.rejected(&[org("bureau")], &body, organisations::SIGNATURE_MISSING);
    let receipt = world.accepted(&signers(), &body);
    // Half of what exceeds the deductible; it is owed and held until the bank's word.
    assert_eq!(balances(&world), [990_000, 10_000, 0]);
    let reference = payout(&receipt);
    let ClaimStanding::Accepted(accepted) = standing(&world, &one) else { panic!("accepted") };
    let AcceptedRow { total, paid, payout, .. } = accepted;
    assert_eq!((total, paid, payout), (fen(30_000), fen(10_000), Some(reference)));
    world.accepted(&[org("bank")], &done(reference, 10_000));
    assert_eq!(balances(&world), [990_000, 0, 10_000]);
    // What the person bore may be reimbursed by a second payer, and no more.
    let id = receipt.record.transaction_id;
    let row = voucher::view::settlement(world.ledger.state(), &id).unwrap();
    assert_eq!((row.own_share, row.provider), (fen(20_000), organisation("bureau")));
    let mark = MarkVoucherUsed {
        settlement: id,
        payer: organisation("bureau"),
        amount: fen(20_001),
        currency: Currency::CNY,
        guardian: None,
    };
    let too_much = voucher::rejection::EXCEEDS_OWN_SHARE;
    world.rejected(&[org("bureau"), by(1)], &mark, too_much);
}

/// The clerk who reviewed and the machine that sorted again are two keys.
#[test]
fn a_clerk_and_a_countersigner_accept() {
    let mut world = world();
    for (key, scope) in [("clerk", Scope::Clerk), ("machine", Scope::Countersign)] {
        world.keys.insert(org("bureau"), "bureau-root");
        let grant = AuthoriseKey {
            organisation: organisation("bureau"),
            key: public(key),
            scopes: vec![scope],
            expires: world.now.plus_millis(100 * DAY),
        };
        world.accepted(&[org("bureau")], &grant);
    }
    world.keys.remove(&org("bureau"));
    let one = filed(&mut world, 1, &[1]);
    let body = acceptance(&world, one, &[1], sums("2026-01-05", 30_000));
    for alone in ["clerk", "machine"] {
        world.keys.insert(org("bureau"), alone);
        world.rejected(&signers(), &body, organisations::SCOPE_MISSING);
    }
    world.keys.insert(org("bureau"), "clerk+machine");
    world.accepted(&signers(), &body);
}

#[test]
fn an_invoice_is_paid_for_once_whoever_claims() {
    let mut world = world();
    let one = filed(&mut world, 1, &[1, 2]);
    world.rejected(&[by(2)], &claim(2, &[2, 3]), rejection::INVOICE_CLAIMED);
    world.rejected(&[by(1)], &claim(1, &[1]), rejection::INVOICE_CLAIMED);
    // Refused, and withdrawn: its invoices are free for whoever claims.
    let reason = ClaimRefusal::OtherPerson;
    let refuse = RefuseClaim { claim: one, reason };
    world.rejected(&[by(1)], &refuse, organisations::SIGNATURE_MISSING);
    world.accepted(&[org("bureau")], &refuse);
    assert!(
        matches!(standing(&world, &one), ClaimStanding::Refused { reason: now, .. } if now == reason)
    );
    let two = filed(&mut world, 2, &[2, 3]);
    world.accepted(&[by(2)], &WithdrawClaim { claim: two, by: Actor::OwnKey });
    let three = filed(&mut world, 1, &[2, 3]);
    // The desk reads one number otherwise than it was filed: what it read counts.
    let other = filed(&mut world, 2, &[5]);
    let taken = acceptance(&world, three, &[3, 5], sums("2026-01-05", 30_000));
    world.rejected(&signers(), &taken, rejection::INVOICE_CLAIMED);
    let read = acceptance(&world, three, &[3, 4], sums("2026-01-05", 30_000));
    world.accepted(&signers(), &read);
    for person in [1, 2] {
        for used in [3, 4] {
            world.rejected(&[by(person)], &claim(person, &[used]), rejection::INVOICE_USED);
        }
    }
    // What was filed and not paid for is free.
    world.accepted(&[by(1)], &claim(1, &[2]));
    // A decision stands: nothing of a closed claim is decided, withdrawn or freed again.
    let closed = rejection::CLAIM_CLOSED;
    world.rejected(&signers(), &read, closed);
    world.rejected(&[org("bureau")], &RefuseClaim { claim: three, reason }, closed);
    world.rejected(&[by(1)], &WithdrawClaim { claim: three, by: Actor::OwnKey }, closed);
    world.rejected(&[org("bureau")], &refuse, closed);
    let used = acceptance(&world, other, &[3], sums("2026-01-05", 30_000));
    world.rejected(&signers(), &used, rejection::INVOICE_USED);
    let nobody = RefuseClaim { claim: sha256(b"nobody's"), reason };
    world.rejected(&[org("bureau")], &nobody, rejection::UNKNOWN_CLAIM);
}

#[test]
fn a_payout_moves_once_and_a_failed_one_stays_owed() {
    let mut world = world();
    let one = filed(&mut world, 1, &[1]);
    let body = acceptance(&world, one, &[1], sums("2026-01-05", 30_000));
    let pay = PayClaim { claim: one, payout: to_card() };
    world.rejected(&signers(), &pay, rejection::NOTHING_OWED);
    let reference = payout(&world.accepted(&signers(), &body));
    world.rejected(&signers(), &pay, rejection::NOTHING_OWED);
    world.rejected(&[org("bank")], &done(reference, 9_999), rejection::AMOUNT_DIFFERS);
    world.accepted(&[org("bank")], &confirmed(reference, EffectResult::Failed { reason: 3 }));
    assert_eq!(balances(&world), [990_000, 10_000, 0]);
    world.rejected(&[org("bank")], &done(reference, 10_000), visits::EFFECT_NOT_PENDING);
    // Ordered again, to another card perhaps; and then never again.
    world.rejected(&[org("bank")], &pay, organisations::SIGNATURE_MISSING);
    let again = payout(&world.accepted(&signers(), &pay));
    assert_ne!(again, reference);
    world.accepted(&[org("bank")], &done(again, 10_000));
    assert_eq!(balances(&world), [990_000, 0, 10_000]);
    world.rejected(&[org("bank")], &done(again, 10_000), visits::EFFECT_NOT_PENDING);
    world.rejected(&signers(), &pay, rejection::NOTHING_OWED);
}

#[test]
fn without_a_way_to_pay_the_money_stays_owed_until_there_is_one() {
    let mut world = world();
    let one = filed(&mut world, 1, &[1]);
    let body = acceptance(&world, one, &[1], sums("2026-01-05", 30_000));
    world.accepted(&[org("bureau")], &AcceptClaim { payout: None, ..body });
    assert_eq!(balances(&world), [990_000, 10_000, 0]);
    let pay = PayClaim { claim: one, payout: to_card() };
    let reference = payout(&world.accepted(&signers(), &pay));
    world.accepted(&[org("bank")], &done(reference, 10_000));
    assert_eq!(balances(&world), [990_000, 0, 10_000]);
    // Below the deductible nothing is paid, and it counts.
    let two = filed(&mut world, 2, &[2]);
    let small = acceptance(&world, two, &[2], sums("2026-01-05", 4_000));
    assert_eq!(small.payout, None);
    let with = AcceptClaim { payout: Some(to_card()), ..small.clone() };
    world.rejected(&signers(), &with, rejection::PAYOUT_MISMATCH);
    world.accepted(&[org("bureau")], &small);
    let pay = PayClaim { claim: two, payout: to_card() };
    world.rejected(&signers(), &pay, rejection::NOTHING_OWED);
    let rest = filed(&mut world, 2, &[3]);
    let rest = acceptance(&world, rest, &[3], sums("2026-01-06", 10_000));
    assert_eq!(paid_by_funds(&rest.split), fen(2_000), "60.00 of the deductible were left");
}

fn visited(world: &mut World, number: u8, person: u8, in_policy: u64) -> Split {
    let subject = VisitSubject {
        person: id(person),
        provider: organisation("hospital"),
        region: REGION,
        scheme: EMPLOYEE,
        visit_type: VisitType::Outpatient,
        admitted: date("2026-01-05"),
        diagnosis_group: 0,
    };
    let visit = VisitId([number; 16]);
    let check_in = CheckIn {
        visit,
        subject: subject.clone(),
        identification: Identification::WalletCode,
        evidence: Hash::default(),
    };
    world.accepted(&[org("hospital")], &check_in);
    let (state, sums) = (world.ledger.state(), sums("2026-01-05", in_policy));
    let request = QuoteRequest {
        subject: &subject,
        sums: &sums,
        use_personal_account: false,
        personal_account: Amount::ZERO,
        family_accounts: vec![],
        accumulators: running_amounts(state, id(person), REGION, EMPLOYEE),
        keep_plans_of: &[],
        keep_facts: false,
    };
    let split = quote(state, &PlanMemo::default(), request).unwrap().split;
    let till = CashLeg {
        executor: organisation("hospital"),
        rail: Text::new("counter").unwrap(),
        kind: RailKind::Counter,
        authorisation: Hash::default(),
    };
    let settle = SettleVisit {
        visit,
        bill: sha256(b"bill"),
        sums,
        use_personal_account: false,
        use_family_account: false,
        split: split.clone(),
        cash: Some(till),
        consent: Consent::OwnKey,
    };
    world.accepted(&[org("hospital"), org("bureau"), by(person)], &settle);
    split
}

/// Persons 1 and 2 have the same care; of one the first bill is a claim, of the other a visit.
#[test]
fn a_claim_counts_as_the_visit_would_have() {
    let mut world = world();
    let one = filed(&mut world, 1, &[1]);
    let body = acceptance(&world, one, &[1], sums("2026-01-05", 30_000));
    let claimed = body.split.clone();
    world.accepted(&signers(), &body);
    assert_eq!(visited(&mut world, 2, 2, 30_000), claimed);
    let own = |world: &World, person: u8| {
        running_amounts(world.ledger.state(), id(person), REGION, EMPLOYEE).own().clone()
    };
    assert_eq!(own(&world, 1), own(&world, 2));
    // The next bill of each comes to the same, up to the cap of the year.
    let next = visited(&mut world, 3, 1, 400_000);
    assert_eq!(visited(&mut world, 4, 2, 400_000), next);
    assert_eq!(paid_by_funds(&next), fen(90_000));
}

#[test]
fn the_place_of_care_counts_and_what_moved_meanwhile_is_computed_again() {
    let mut world = world();
    let one = filed(&mut world, 1, &[1]);
    let away = acceptance_of(&world, one, &[1], sums("2026-01-05", 30_000), care(110_100));
    assert_eq!(paid_by_funds(&away.split), fen(8_000));
    let outside = AcceptClaim { sums: sums("2026-01-07", 30_000), ..away.clone() };
    world.rejected(&signers(), &outside, rejection::DATE_OUTSIDE_CLAIM);
    let other = AcceptClaim { record: sha256(b"another"), ..away.clone() };
    world.rejected(&signers(), &other, rejection::RECORD_OUTDATED);
    let empty = AcceptClaim { sums: CategorySums::new(vec![]).unwrap(), ..away.clone() };
    world.rejected(&signers(), &empty, visits::EMPTY_BILL);
    visited(&mut world, 1, 1, 5_000);
    world.rejected(&signers(), &away, visits::SPLIT_OUTDATED);
    let anew = acceptance_of(&world, one, &[1], sums("2026-01-05", 30_000), care(110_100));
    assert_eq!(paid_by_funds(&anew.split), fen(10_000));
    world.accepted(&signers(), &anew);
}

#[test]
fn a_late_decision_counts_as_long_as_running_amounts_are_kept() {
    let mut world = world();
    let one = filed(&mut world, 1, &[1]);
    let body = acceptance(&world, one, &[1], sums("2026-01-05", 30_000));
    let two = filed(&mut world, 2, &[2]);
    let other = acceptance(&world, two, &[2], sums("2026-01-05", 30_000));
    world.wait(400 * DAY);
    world.accepted(&signers(), &body);
    // It is 2029: what was counted in 2026 may have been put away.
    world.wait(700 * DAY);
    let late = [("bureau", "bureau-root", "bureau-late"), ("bank", "bank-root", "bank-late")];
    for (code, root, key) in late {
        world.keys.insert(org(code), root);
        let grant = AuthoriseKey {
            organisation: organisation(code),
            key: public(key),
            scopes: vec![Scope::Countersign, Scope::Clerk, Scope::Execute],
            expires: world.now.plus_millis(100 * DAY),
        };
        world.accepted(&[org(code)], &grant);
        world.keys.insert(org(code), key);
    }
    world.rejected(&signers(), &other, rejection::DECIDED_TOO_LATE);
    // The person is told, and the invoices are free.
    let refuse = RefuseClaim { claim: two, reason: ClaimRefusal::DocumentsMissing };
    world.accepted(&[org("bureau")], &refuse);
}

fn days_back(rate_days_back_max: u8) -> Option<ForeignClaimRules> {
    Some(ForeignClaimRules { publisher: organisation("finance"), rate_days_back_max })
}

#[test]
fn rules_are_bounded_and_set_by_the_bureau() {
    let mut world = world();
    let set = |rules| SetClaimRules { region: REGION, rules };
    for wrong in [
        ClaimRules { filing_days_max: 0, ..rules() },
        ClaimRules { filing_days_max: 367, ..rules() },
        ClaimRules { decision_days_max: 0, ..rules() },
        ClaimRules { decision_days_max: 367, ..rules() },
        ClaimRules { open_claims_per_person_max: 0, ..rules() },
        ClaimRules { open_claims_per_person_max: 17, ..rules() },
        ClaimRules { foreign: days_back(32), ..rules() },
    ] {
        world.rejected(&[org("bureau")], &set(wrong), rejection::INVALID_RULES);
    }
    world.rejected(&[org("hospital")], &set(rules()), organisations::SIGNATURE_MISSING);
    world.accepted(&[org("bureau")], &set(ClaimRules { filing_days_max: 366, ..rules() }));
}

/// Person 3 may act for person 1 from today on.
fn bind_relative(world: &mut World) {
    let relations = vec![Relation { number: 1, name: Text::new("child").unwrap() }];
    let rules = ProxyRules {
        relations,
        members_per_payer_per_month_max: 5,
        bindings_per_member_per_month_max: 2,
        members_per_payer_max: 5,
        own_consent_age: 16,
        application_days_max: 30,
        payment_max: fen(100_000),
        excluded_visit_types: vec![],
        source: Text::new("made up for tests").unwrap(),
    };
    world.enrol(3);
    world.accepted(&[org("bureau")], &SetProxyRules { region: REGION, rules });
    let agreement = Agreement::OwnKey;
    let bind = BindMember { payer: id(3), member: id(1), relation: 1, agreement };
    world.accepted(&[by(3), by(1)], &bind);
}

fn guard(world: &mut World, period: Period) {
    let guardian =
        SetGuardian { person: id(1), guardian: id(2), ground: GuardianGround::OwnWish, period };
    world.accepted(&[by(1)], &guardian);
}

#[test]
fn a_proxy_claims_where_the_region_says_so_and_takes_back_what_it_filed() {
    let mut world = world();
    bind_relative(&mut world);
    let proxy = Actor::Proxy(id(3));
    let body = FileClaim { by: proxy, ..claim(1, &[1]) };
    world.rejected(&[by(2)], &body, persons::SIGNATURE_MISSING);
    let stranger = FileClaim { by: Actor::Proxy(id(2)), ..claim(1, &[1]) };
    world.rejected(&[by(2)], &stranger, families::NOT_BOUND);
    let filed_by_proxy = world.accepted(&[by(3)], &body).record.transaction_id;
    let row = view::claim(world.ledger.state(), &filed_by_proxy).unwrap();
    assert_eq!((row.filed_by, row.payee), (by(3), id(1)));
    let own = filed(&mut world, 1, &[2]);
    let withdraw = |claim| WithdrawClaim { claim, by: proxy };
    world.rejected(&[by(3)], &withdraw(own), rejection::FILED_BY_ANOTHER);
    world.accepted(&[by(3)], &withdraw(filed_by_proxy));
    // A lock by a proxy, or anything else, is none of its business.
    let lock = LockPerson { person: id(1), by: proxy };
    world.rejected(&[by(3)], &lock, persons::ACTOR_NOT_ALLOWED);
    let off = ClaimRules { proxies_claim: false, ..rules() };
    world.accepted(&[org("bureau")], &SetClaimRules { region: REGION, rules: off });
    world.rejected(&[by(3)], &body, rejection::PROXY_NOT_ACCEPTED);
    world.accepted(&[org("bureau")], &SetClaimRules { region: REGION, rules: rules() });
    let unbind = UnbindMember {
        payer: id(3),
        member: id(1),
        side: BindingSide::Member,
        actor: Actor::OwnKey,
    };
    world.accepted(&[by(1)], &unbind);
    world.rejected(&[by(3)], &body, families::NOT_BOUND);
}

#[test]
fn money_goes_to_the_person_or_a_guardian_and_never_to_a_proxy() {
    let mut world = world();
    bind_relative(&mut world);
    let to = |payee: u8| FileClaim { payee: Some(id(payee)), ..claim(1, &[1]) };
    world.rejected(&[by(1)], &to(2), rejection::PAYEE_NOT_ALLOWED);
    let proxy = FileClaim { by: Actor::Proxy(id(3)), ..to(3) };
    world.rejected(&[by(3)], &proxy, rejection::PAYEE_NOT_ALLOWED);
    guard(&mut world, Period { from: date("2026-01-10"), to: Some(date("2026-01-20")) });
    let guardian = FileClaim { by: Actor::Guardian(id(2)), ..to(2) };
    let one = world.accepted(&[by(2)], &guardian).record.transaction_id;
    let row = view::claim(world.ledger.state(), &one).unwrap();
    let on = |day| view::payee_on(world.ledger.state(), &row, date(day));
    assert_eq!((on("2026-01-20"), on("2026-01-21")), (id(2), id(1)));
    let body = acceptance(&world, one, &[1], sums("2026-01-05", 30_000));
    let receipt = world.accepted(&signers(), &body);
    let payee = receipt.fields.iter().find(|field| &*field.name == "payee").unwrap();
    assert_eq!(payee.value, FieldValue::Party(by(2)));
}
