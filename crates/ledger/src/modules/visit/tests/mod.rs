#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]
//! The world in which visits are settled: one plan, funds, a person with a key and a personal
//! account.

mod aid;
mod consents;
mod differences;
mod effects;
mod later;
mod refunds;
mod rights;
mod settling;

use alloc::{vec, vec::Vec};
use benefit::source::PlanSource;
use benefit::{Category, CategorySums, ItemClass, Payer, SumKey, SumRow, VisitType};
use primitives::{
    Amount, CivilDate, FundId, Hash, Party, PersonId, SchemeId, SlotId, Text, VisitId, codec,
    sha256,
};

use super::*;
use crate::kernel::account::{Account, Books};
use crate::kernel::context::PlanMemo;
use crate::kernel::effect::{Effect, EffectResult};
use crate::kernel::month::CalendarMonth;
use crate::kernel::receipt::Receipt;
use crate::modules::fund::{CreditPersonalAccounts, CreditRow, CreditSource};
use crate::modules::organisation::{AuthoriseKey, OrganisationKind, Scope};
use crate::modules::person::Actor;
use crate::modules::plan::{ApprovePlan, DraftPlan, PlanBytes, PublishPlan, ReviewPlan};
use crate::modules::{coverage, family};
use crate::testing::{DAY, REGION, World, fen, organisation, person, public};

pub(super) const EMPLOYEE: SchemeId = SchemeId(310);
pub(super) const POOL: FundId = FundId(1);
const ALICE: PersonId = PersonId([1; 16]);
const BOB: PersonId = PersonId([2; 16]);

/// Outpatient: 100.00 deductible a year, then 50 %; the account pays what is left. A stay: 80 %,
/// counted for the family. The provider waives what is over its caps.
const PLAN: &str = r#"
[plan]
id = "test-employee"
name = { en = "test" }
region = 620100
scheme = 310
currency = "CNY"
valid = { from = "YEAR-01-01", to = "YEAR-12-31" }
visit_types = ["outpatient", "inpatient", "emergency"]

[[accumulator]]
id = "deductible_met"
number = 1
period = "year"

[[accumulator]]
id = "pool_paid"
number = 2
period = "year"

[[accumulator]]
id = "family_paid"
number = 3
scope = "family"
period = "year"

[[step]]
id = "waiver"
kind = "benefit"
payer = "hospital_borne"
base = { parts = ["over_cap"] }
rates = [{ rate = "100%" }]
words = { en = "the provider waives what is over its caps" }
source = "test"

[[step]]
id = "outpatient"
kind = "benefit"
payer = "pooled_fund"
when = { visit_types = ["outpatient", "emergency"] }
deductibles = [{ amount = "100", counts = "deductible_met" }]
rates = [{ rate = "50%" }]
caps = [{ amount = "100000", counts = "pool_paid" }]
words = { en = "half of what exceeds 100 yuan a year" }
source = "test"

[[step]]
id = "stay"
kind = "benefit"
payer = "pooled_fund"
when = { visit_types = ["inpatient"] }
rates = [{ rate = "STAY" }]
caps = [
    { amount = "100000", counts = "pool_paid" },
    { amount = "100000", counts = "family_paid" },
]
words = { en = "four fifths of a stay" }
source = "test"

[[step]]
id = "account"
kind = "personal_account"
base = { parts = ["in_policy", "class_b_share", "over_cap", "self_paid"] }
words = { en = "the account pays what is left" }
source = "test"

[[step]]
id = "family"
kind = "family_account"
base = { parts = ["in_policy", "class_b_share", "over_cap", "self_paid"] }
words = { en = "relatives' accounts pay what the own one leaves" }
source = "test"
"#;

fn org(code: &str) -> Party {
    Party::Organisation(organisation(code))
}

fn alice() -> Party {
    Party::Person(ALICE)
}

fn date(text: &str) -> CivilDate {
    text.parse().unwrap()
}

fn sums(day: &str, in_policy: u64) -> CategorySums {
    rows(&[(day, Category::Treatment, in_policy)])
}

fn rows(parts: &[(&str, Category, u64)]) -> CategorySums {
    let row = |(day, category, in_policy): &(&str, Category, u64)| {
        let key = SumKey {
            service_date: date(day),
            category: *category,
            class: ItemClass::A,
            programme: 0,
            slot: SlotId(0),
        };
        SumRow { in_policy: fen(*in_policy), ..SumRow::empty(key) }
    };
    CategorySums::new(parts.iter().map(row).collect()).unwrap()
}

fn publish(world: &mut World, version: u16, year: &str, stay: &str) {
    publish_with(world, version, year, stay, "reviewer");
}

fn publish_with(world: &mut World, version: u16, year: &str, stay: &str, reviewer: &'static str) {
    publish_text(world, (version, vec![]), PLAN, (year, stay), reviewer);
}

fn publish_text(
    world: &mut World,
    (version, supersedes): (u16, Vec<u16>),
    text: &str,
    (year, stay): (&str, &str),
    reviewer: &'static str,
) {
    let text = text.replace("YEAR", year).replace("STAY", stay);
    let source: PlanSource = toml::from_str(&text).unwrap();
    let plan = benefit::compile(&source, sha256(text.as_bytes())).unwrap();
    let (region, scheme, hash) = (REGION, EMPLOYEE, plan.hash());
    let draft = DraftPlan {
        region,
        scheme,
        version,
        plan: PlanBytes(codec::encode(&plan)),
        catalogue_root: Hash::default(),
        supersedes,
    };
    world.accepted(&[org("bureau")], &draft);
    world.keys.insert(org("bureau"), reviewer);
    world.accepted(&[org("bureau")], &ReviewPlan { region, scheme, version, hash });
    world.keys.remove(&org("bureau"));
    let approver = organisation("regulator");
    world.accepted(&[org("regulator")], &ApprovePlan { region, scheme, version, hash, approver });
    world.accepted(&[org("bureau")], &PublishPlan { region, scheme, version, hash });
}

/// It is 10 January 2026. The plans of 2025 and 2026 are published, the pool holds 1,000,000.00,
/// Alice and Bob are covered, Alice has 50.00 in her personal account. `bank` is a bank.
fn world() -> World {
    let mut world = World::new();
    let bureau = organisation("bureau");
    world.keys.insert(org("bureau"), "bureau-root");
    let reviewer = AuthoriseKey {
        organisation: bureau,
        key: public("reviewer"),
        scopes: vec![Scope::Publish],
        expires: world.now.plus_millis(300 * DAY),
    };
    world.accepted(&[org("bureau")], &reviewer);
    world.keys.remove(&org("bureau"));
    world.admit("bank", OrganisationKind::Bank, None);
    publish(&mut world, 1, "2026", "80%");
    world.pool(EMPLOYEE, POOL, "2025-01-01", 100_000_000);
    for number in [1, 2] {
        world.enrol(number);
        world.cover(number, EMPLOYEE);
    }
    let credit = CreditPersonalAccounts {
        region: REGION,
        source: CreditSource::Outside,
        month: CalendarMonth { year: 2026, month: 1 },
        batch: 1,
        rows: vec![CreditRow { person: ALICE, amount: fen(5_000) }],
    };
    world.accepted(&[org("bureau")], &credit);
    world.wait(9 * DAY);
    world
}

fn subject(who: PersonId, visit_type: VisitType, admitted: &str) -> VisitSubject {
    VisitSubject {
        person: who,
        provider: organisation("hospital"),
        region: REGION,
        scheme: EMPLOYEE,
        visit_type,
        admitted: date(admitted),
        diagnosis_group: 0,
    }
}

fn visit(number: u8) -> VisitId {
    VisitId([number; 16])
}

fn check_in(number: u8, subject: VisitSubject) -> CheckIn {
    CheckIn {
        visit: visit(number),
        subject,
        identification: Identification::WalletCode,
        evidence: Hash::default(),
    }
}

/// Opens a visit of Alice at the hospital on 5 January 2026.
fn open(world: &mut World, number: u8, visit_type: VisitType) -> VisitSubject {
    let subject = subject(ALICE, visit_type, "2026-01-05");
    world.accepted(&[org("hospital")], &check_in(number, subject.clone()));
    subject
}

fn till() -> CashLeg {
    CashLeg {
        executor: organisation("hospital"),
        rail: Text::new("counter").unwrap(),
        kind: RailKind::Counter,
        authorisation: sha256(b"till"),
    }
}

fn bank() -> CashLeg {
    CashLeg {
        executor: organisation("bank"),
        rail: Text::new("bank").unwrap(),
        kind: RailKind::Bound,
        ..till()
    }
}

fn split(world: &World, subject: &VisitSubject, sums: &CategorySums, account: bool) -> Split {
    let state = world.ledger.state();
    let (who, region) = (subject.person, subject.region);
    let request = QuoteRequest {
        subject,
        sums,
        use_personal_account: account,
        personal_account: view::personal_account(state, who, world.now),
        family_accounts: if account {
            family::view::offers(state, subject, sums.total(), world.now)
        } else {
            vec![]
        },
        accumulators: coverage::view::running_amounts(state, who, region, subject.scheme),
        keep_plans_of: &[],
        keep_facts: false,
    };
    quote(state, &PlanMemo::default(), request).unwrap().split
}

/// A settlement of the bill as it is quoted now; cash at the till if any is due.
fn settlement(
    world: &World,
    number: u8,
    subject: &VisitSubject,
    sums: CategorySums,
    account: bool,
) -> SettleVisit {
    let split = split(world, subject, &sums, account);
    SettleVisit {
        visit: visit(number),
        bill: sha256(&[number]),
        sums,
        use_personal_account: account,
        use_family_account: account,
        cash: (!split.cash.is_zero()).then(till),
        split,
        consent: Consent::OwnKey,
    }
}

fn signers() -> [Party; 3] {
    [org("hospital"), org("bureau"), alice()]
}

fn record(receipt: &Receipt) -> SettlementRecord {
    codec::decode(&receipt.witness).unwrap()
}

/// The references of what a receipt orders.
fn effects(receipt: &Receipt) -> Vec<Hash> {
    let id = receipt.record.transaction_id;
    receipt.effects.iter().map(|effect| Effect::reference(id, effect.number)).collect()
}

fn done(effect: Hash, amount: u64) -> ConfirmEffect {
    let result = EffectResult::Done { amount: fen(amount) };
    ConfirmEffect { effect, result, rail_reference: Hash::default() }
}

fn failed(effect: Hash) -> ConfirmEffect {
    let result = EffectResult::Failed { reason: 1 };
    ConfirmEffect { effect, result, rail_reference: Hash::default() }
}

/// Alice's visit 1 is settled: 300.00 in policy, 100.00 of it the pool's, 50.00 her account's,
/// 150.00 cash at the till, collected.
fn settled() -> (World, Receipt) {
    let mut world = world();
    let subject = open(&mut world, 1, VisitType::Outpatient);
    let bill = rows(&[
        ("2026-01-05", Category::Treatment, 10_000),
        ("2026-01-05", Category::Laboratory, 20_000),
    ]);
    let body = settlement(&world, 1, &subject, bill, true);
    let receipt = world.accepted(&signers(), &body);
    world.accepted(&[org("hospital")], &done(effects(&receipt)[0], 15_000));
    (world, receipt)
}

fn books(organisation: primitives::OrganisationId) -> Books {
    Books::of(organisation, REGION)
}

fn balances(world: &World) -> [i128; 5] {
    let hospital = books(organisation("hospital"));
    [
        Account::Fund { region: REGION, fund: POOL },
        Account::PersonalAccount(ALICE),
        Account::ProviderDue(hospital),
        Account::ProviderCash(hospital),
        Account::Rail(hospital),
    ]
    .map(|account| world.balance(account))
}

fn counters(world: &World) -> benefit::Accumulators {
    let amounts = coverage::view::running_amounts(world.ledger.state(), ALICE, REGION, EMPLOYEE);
    amounts.own().clone()
}
