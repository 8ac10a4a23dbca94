#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]
use super::*;
use crate::kernel::account::{Account, Books, RegionPair};
use crate::kernel::context::PlanMemo;
use crate::kernel::effect::{Effect, EffectResult};
use crate::kernel::month::CalendarMonth;
use crate::kernel::posting::{Entry, post};
use crate::kernel::receipt::Receipt;
use crate::modules::clearing::{
    ApprovePayout, BankWord, ClearingRules, PayoutLine, PayoutResult, ProposePayout,
    RecordPayoutResults, SetClearingRules, rejection as clearing,
};
use crate::modules::coverage;
use crate::modules::network::{OpenRegion, rejection as network};
use crate::modules::organisation::{
    AdmitOrganisation, AuthoriseKey, OrganisationKind, Scope, rejection as organisations,
};
use crate::modules::visit::{
    CashLeg, CheckIn, ConfirmEffect, Consent, CorrectionReason, Identification, QuoteRequest,
    RailKind, RefundVisit, SettleVisit, SettlementRecord, SupersedeSettlement, VisitSubject, quote,
    quote_corrected, quote_remaining, view as visit,
};
use crate::readers::receipt_for;
use crate::testing::plans::{EMPLOYEES, source};
use crate::testing::{DAY, REGION, World, fen, organisation, person, public, settings};
use alloc::{string::ToString as _, vec, vec::Vec};
use benefit::{Category, CategorySums, HospitalLevel, ItemClass, SumKey, SumRow, VisitType};
use primitives::{
    CivilDate, Currency, FundId, Hash, Party, Rate, RegionId, SlotId, Text, VisitId, codec, sha256,
};

/// Where Alice is treated.
const CARE: RegionId = RegionId(610_100);
/// What Lanzhou owes Xi'an.
const OURS: RegionPair = RegionPair { insured: REGION, care: CARE };
const JANUARY: CalendarMonth = CalendarMonth { year: 2026, month: 1 };

fn org(code: &str) -> Party {
    Party::Organisation(organisation(code))
}

fn day(text: &str) -> CivilDate {
    text.parse().unwrap()
}

fn rules(region: RegionId, from: &str) -> SetInterregionRules {
    let rules = InterregionRules {
        answer_within_days: 10,
        pay_within_days: 30,
        source: Text::new("a test").unwrap(),
    };
    SetInterregionRules { region, from: day(from), rules: Some(rules) }
}

fn admit(world: &mut World, code: &str, kind: OrganisationKind, level: Option<HospitalLevel>) {
    let id = organisation(code);
    let root_key = public(&alloc::format!("{code}-root"));
    let admit = AdmitOrganisation { organisation: id, kind, region: CARE, level, root_key };
    world.accepted(&World::governing(), &admit);
    let root = alloc::boxed::Box::leak(alloc::format!("{code}-root").into_boxed_str());
    world.keys.insert(org(code), root);
    let key = AuthoriseKey {
        organisation: id,
        key: public(code),
        scopes: vec![Scope::Settle, Scope::Clerk, Scope::Publish, Scope::Treasury, Scope::Execute],
        expires: world.now.plus_millis(700 * DAY),
    };
    world.accepted(&[org(code)], &key);
    world.keys.remove(&org(code));
}

/// Alice of Lanzhou is an employee whose fund pays 80 %; Xi'an has a bureau and a hospital of its
/// own. Both regions clear from 3 January on; it is 5 January.
fn world() -> World {
    let mut world = World::new();
    admit(&mut world, "xian", OrganisationKind::Bureau, None);
    let open = OpenRegion {
        region: CARE,
        bureau: organisation("xian"),
        currency: Currency::CNY,
        settings: settings(),
    };
    world.accepted(&World::governing(), &open);
    let level = Some(HospitalLevel::TertiaryA);
    admit(&mut world, "xian-hospital", OrganisationKind::Provider, level);
    world.publish(&source("80%", "2026-01-01", None), &[]);
    world.pool(EMPLOYEES, FundId(1), "2026-01-01", 100_000_000);
    world.enrol(1);
    world.cover(1, EMPLOYEES);
    world.accepted(&[org("bureau")], &rules(REGION, "2026-01-03"));
    world.accepted(&[org("xian")], &rules(CARE, "2026-01-03"));
    world.wait(4 * DAY);
    world
}

fn subject(provider: &str, admitted: &str) -> VisitSubject {
    VisitSubject {
        person: person(1),
        provider: organisation(provider),
        region: REGION,
        scheme: EMPLOYEES,
        visit_type: VisitType::Outpatient,
        admitted: day(admitted),
        diagnosis_group: 0,
    }
}

fn sums(on: &str, minor: u64) -> CategorySums {
    let key = SumKey {
        service_date: day(on),
        category: Category::Treatment,
        class: ItemClass::A,
        programme: 0,
        slot: SlotId(0),
    };
    CategorySums::new(vec![SumRow { in_policy: fen(minor), ..SumRow::empty(key) }]).unwrap()
}

/// The check-in and the settlement of a bill of this amount, 80 % of it the fund's, the rest cash
/// at the hospital's own till.
fn prepared(
    world: &World,
    number: u8,
    subject: &VisitSubject,
    minor: u64,
) -> (CheckIn, SettleVisit) {
    prepared_sums(world, number, subject, sums(&subject.admitted.to_string(), minor))
}

fn prepared_sums(
    world: &World,
    number: u8,
    subject: &VisitSubject,
    sums: CategorySums,
) -> (CheckIn, SettleVisit) {
    let visit = VisitId([number; 16]);
    let (identification, evidence) = (Identification::WalletCode, Hash::default());
    let check_in = CheckIn { visit, subject: subject.clone(), identification, evidence };
    let state = world.ledger.state();
    let (who, region, scheme) = (subject.person, subject.region, subject.scheme);
    let request = QuoteRequest {
        subject,
        sums: &sums,
        use_personal_account: true,
        personal_account: visit::personal_account(state, who, world.now),
        family_accounts: vec![],
        accumulators: coverage::view::running_amounts(state, who, region, scheme),
        keep_plans_of: &[],
        keep_facts: false,
    };
    let split = quote(state, &PlanMemo::default(), request).unwrap().split;
    let cash = CashLeg {
        executor: subject.provider,
        rail: Text::new("counter").unwrap(),
        kind: RailKind::Counter,
        authorisation: sha256(b"till"),
    };
    let settle = SettleVisit {
        visit,
        bill: sha256(&[number]),
        sums,
        use_personal_account: true,
        use_family_account: false,
        split,
        cash: Some(cash),
        consent: Consent::OwnKey,
    };
    (check_in, settle)
}

/// The same, settled and paid.
fn settle(world: &mut World, number: u8, subject: &VisitSubject, minor: u64) -> Receipt {
    settle_sums(world, number, subject, sums(&subject.admitted.to_string(), minor))
}

fn settle_sums(
    world: &mut World,
    number: u8,
    subject: &VisitSubject,
    sums: CategorySums,
) -> Receipt {
    let (check_in, settle) = prepared_sums(world, number, subject, sums);
    let provider = Party::Organisation(subject.provider);
    world.accepted(&[provider], &check_in);
    let signers = [provider, org("bureau"), Party::Person(subject.person)];
    let receipt = world.accepted(&signers, &settle);
    let effect = Effect::reference(receipt.record.transaction_id, 0);
    let result = EffectResult::Done { amount: settle.split.cash };
    let done = ConfirmEffect { effect, result, rail_reference: Hash::default() };
    world.accepted(&[provider], &done);
    receipt
}

/// The same visit with less on its bill.
fn refund(world: &mut World, receipt: &Receipt, remaining: Option<u64>) -> Receipt {
    let original: SettlementRecord = codec::decode(&receipt.witness).unwrap();
    let admitted = original.subject.admitted.to_string();
    let remaining = remaining
        .map_or_else(|| CategorySums::new(vec![]).unwrap(), |minor| sums(&admitted, minor));
    let (state, memo) = (world.ledger.state(), PlanMemo::default());
    let split = quote_remaining(state, &memo, &original, &remaining, world.now).unwrap();
    let provider = Party::Organisation(original.subject.provider);
    let bill = if remaining.rows().is_empty() { Hash::default() } else { sha256(b"rest") };
    let body = RefundVisit { original, bill, remaining, split, cash: None, consent: None };
    world.accepted(&[provider, org("bureau")], &body)
}

fn close(pair: RegionPair, month: CalendarMonth) -> CloseInterregionMonth {
    CloseInterregionMonth { care: pair.care, insured: pair.insured, month }
}

fn answer(
    world: &World,
    (pair, month): (RegionPair, CalendarMonth),
    disputed: Vec<DisputedItem>,
) -> AnswerInterregionStatement {
    let items = statement(world, pair, month).items;
    let by = organisation(if pair.insured == REGION { "bureau" } else { "xian" });
    let RegionPair { insured, care } = pair;
    AnswerInterregionStatement { insured, care, month, items, disputed, by }
}

fn dispute(number: u64, minor: u64) -> DisputedItem {
    DisputedItem { number, amount: fen(minor), reason: DisputeReason::WrongAmount }
}

fn statement(world: &World, pair: RegionPair, month: CalendarMonth) -> RegionStatement {
    view::statement(world.ledger.state(), pair, month).unwrap()
}

/// What the regions owe each other adds up, whatever the step.
#[track_caller]
fn between(world: &World, pair: RegionPair) -> [i128; 6] {
    let at = view::between(world.ledger.state(), pair);
    let parts = [at.owed, at.disputed, at.payable, at.in_payment, at.under_way];
    assert_eq!(at.advanced, parts.iter().sum::<i128>(), "{at:?}");
    [at.advanced, at.owed, at.disputed, at.payable, at.in_payment, at.under_way]
}

fn due(world: &World, provider: &str, region: RegionId) -> i128 {
    world.balance(Account::ProviderDue(Books::of(organisation(provider), region)))
}

fn fund(world: &World) -> i128 {
    world.balance(Account::Fund { region: REGION, fund: FundId(1) })
}

fn adds_up(row: &RegionStatement) -> bool {
    let left = row.gross.minor() + row.carried.minor() + row.owing.minor();
    left == row.returned.minor() + row.carried_back.minor() + row.payable.minor()
}

/// The items that whoever answers looks at.
fn items_of(world: &World, pair: RegionPair, row: &RegionStatement) -> Vec<RegionItem> {
    let numbers = row.after_item + 1..=row.to_item;
    let items = numbers.map(|number| view::item(world.ledger.state(), pair, number).unwrap());
    items.map(|row| row.item).collect()
}

/// Three visits of 100.00, 50.00 and 10.00 in Xi'an, the second given back by half, and January is
/// closed in February: 80.00 + 40.00 + 8.00 - 20.00 are stated.
fn stated() -> World {
    let mut world = world();
    for (number, minor) in [(1, 10_000), (2, 5_000), (3, 1_000)] {
        let receipt = settle(&mut world, number, &subject("xian-hospital", "2026-01-05"), minor);
        if number == 2 {
            refund(&mut world, &receipt, Some(2_500));
        }
    }
    world.wait(30 * DAY);
    world.accepted(&[org("xian")], &close(OURS, JANUARY));
    world
}

/// Lanzhou pays in batches that the regulator approves.
fn pay(world: &mut World, (region, bureau): (RegionId, &str), to: &str, minor: u64) {
    let payer = [org(bureau)];
    let rules = ClearingRules {
        hold_back: Rate::ZERO,
        pay_within_days: 30,
        clear_within_days: 5,
        source: Text::new("a test").unwrap(),
    };
    world.accepted(&payer, &SetClearingRules { region, rules });
    let account = sha256(b"account");
    let line = PayoutLine { provider: organisation(to), amount: fen(minor), account };
    let batch = crate::modules::clearing::view::last_batch(world.ledger.state(), region) + 1;
    let execute_on = day("2026-02-20");
    let propose = ProposePayout { region, batch, execute_on, lines: vec![line] };
    world.accepted(&payer, &propose);
    let approver = organisation("regulator");
    let approve = ApprovePayout { region, batch, lines: propose.lines_hash(), approver };
    world.accepted(&[org("regulator")], &approve);
}

fn word(region: RegionId, batch: u32, word: BankWord) -> RecordPayoutResults {
    RecordPayoutResults { region, batch, results: vec![PayoutResult { line: 0, word }] }
}

fn booked(minor: u64, name: &str) -> BankWord {
    BankWord::Paid {
        amount: fen(minor),
        day: day("2026-02-03"),
        reference: sha256(name.as_bytes()),
    }
}

fn came_back(minor: u64, name: &str) -> BankWord {
    let (amount, day) = (fen(minor), day("2026-02-03"));
    let reason = Text::new("AC04").unwrap();
    BankWord::Returned { amount, day, reference: sha256(name.as_bytes()), reason }
}

fn confirm(pair: RegionPair, minor: u64, name: &str) -> ConfirmRegionPayment {
    ConfirmRegionPayment {
        care: pair.care,
        insured: pair.insured,
        amount: fen(minor),
        day: day("2026-02-03"),
        reference: sha256(name.as_bytes()),
    }
}

#[test]
fn the_region_of_care_advances_what_the_insured_region_owes() {
    let mut world = world();
    let before = fund(&world);
    let receipt = settle(&mut world, 1, &subject("xian-hospital", "2026-01-05"), 10_000);
    assert_eq!(before - fund(&world), 8_000);
    assert_eq!(due(&world, "xian-hospital", CARE), 8_000, "its own bureau pays it");
    assert_eq!(due(&world, "xian-hospital", REGION), 0);
    assert_eq!(between(&world, OURS), [8_000, 8_000, 0, 0, 0, 0]);
    assert_eq!(between(&world, OURS.reversed()), [0; 6]);
    let row = view::item(world.ledger.state(), OURS, 1).unwrap();
    assert_eq!((row.item.amount, row.item.is_return, row.dispute), (fen(8_000), false, None));
    assert_eq!(row.item.transaction, receipt.record.transaction_id);
    for region in [REGION, CARE] {
        let other = if region == REGION { CARE } else { REGION };
        assert_eq!(view::counterparts(world.ledger.state(), region), [other]);
    }
    // What comes back goes the same way.
    refund(&mut world, &receipt, None);
    assert_eq!((before - fund(&world), due(&world, "xian-hospital", CARE)), (0, 0));
    assert_eq!(between(&world, OURS), [0; 6]);
    let back = view::item(world.ledger.state(), OURS, 2).unwrap().item;
    assert_eq!((back.amount, back.is_return), (fen(8_000), true));
}

#[test]
fn both_bureaus_and_the_hospital_are_told_what_moved_on_their_books() {
    let mut world = world();
    let receipt = settle(&mut world, 1, &subject("xian-hospital", "2026-01-05"), 10_000);
    let state = world.ledger.state();
    for (code, entries) in [("bureau", 2), ("xian", 2), ("xian-hospital", 2)] {
        let told = receipt_for(state, org(code), &receipt).unwrap();
        assert_eq!(told.entries.len(), entries, "{code}");
    }
    let told = receipt_for(state, org("xian"), &receipt).unwrap();
    assert!(told.witness.is_empty(), "the record says who it was and what for");
    assert!(receipt_for(state, org("hospital"), &receipt).is_none());
}

#[test]
fn the_region_of_care_is_not_told_whose_account_paid() {
    let mut world = world();
    let now = world.now;
    world.write(|state| {
        let credit = Account::PersonalAccount(person(1));
        let entry = Entry { debit: Account::Outside(REGION), credit, amount: fen(500) };
        post(state, now, Currency::CNY, &[entry]).unwrap();
    });
    let subject = subject("xian-hospital", "2026-01-05");
    let (check_in, settle) = prepared(&world, 1, &subject, 10_000);
    let provider = org("xian-hospital");
    world.accepted(&[provider], &check_in);
    let signers = [provider, org("bureau"), Party::Person(subject.person)];
    let receipt = world.accepted(&signers, &settle);
    let names = |party| {
        let told = receipt_for(world.ledger.state(), party, &receipt).unwrap();
        let mut accounts = told.entries.iter().flat_map(|one| [one.entry.debit, one.entry.credit]);
        accounts.any(|account| matches!(account, Account::PersonalAccount(_)))
    };
    assert_eq!(between(&world, OURS), [8_500, 8_500, 0, 0, 0, 0], "its account paid 5.00");
    for party in [provider, org("bureau"), Party::Person(subject.person)] {
        assert!(names(party), "{party:?} may see the visit");
    }
    assert!(!names(org("xian")));
}

#[test]
fn a_visit_that_nobody_else_paid_for_is_of_the_two_regions_when_it_is_corrected() {
    let mut world = world();
    let subject = subject("xian-hospital", "2026-01-05");
    let own = |minor: u64| {
        let key = sums("2026-01-05", 1).rows()[0].key;
        let row = SumRow { self_paid: fen(minor), ..SumRow::empty(key) };
        CategorySums::new(vec![row]).unwrap()
    };
    let receipt = settle_sums(&mut world, 1, &subject, own(1_000));
    assert_eq!(view::pair(world.ledger.state(), OURS), None, "nothing was advanced");
    // Rules that end meanwhile change nothing for it.
    let end = SetInterregionRules { rules: None, ..rules(CARE, "2026-01-03") };
    world.accepted(&[org("xian")], &end);
    let original: SettlementRecord = codec::decode(&receipt.witness).unwrap();
    let corrected = sums("2026-01-05", 1_000);
    let (state, memo) = (world.ledger.state(), PlanMemo::default());
    let split = quote_corrected(state, &memo, &original, &corrected, world.now).unwrap();
    let body = SupersedeSettlement {
        original,
        reason: CorrectionReason::WrongMapping,
        bill: sha256(b"corrected"),
        sums: corrected,
        split,
        cash: None,
        consent: Consent::OwnKey,
    };
    let signers = [org("xian-hospital"), org("bureau"), Party::Person(subject.person)];
    world.accepted(&signers, &body);
    assert_eq!(between(&world, OURS), [800, 800, 0, 0, 0, 0]);
    assert_eq!(due(&world, "xian-hospital", CARE), 800);
    assert_eq!(due(&world, "xian-hospital", REGION), 0);
}

#[test]
fn what_was_advanced_is_stated_when_rules_were_taken_back() {
    let take_back = |region| SetInterregionRules { rules: None, ..rules(region, "2026-01-01") };
    // The other region's times hold, or the longest that there are.
    for (codes, days) in [(&["bureau"][..], [10, 30]), (&["bureau", "xian"], [366, 366])] {
        let mut world = world();
        settle(&mut world, 1, &subject("xian-hospital", "2026-01-05"), 1_000);
        for code in codes {
            let region = if *code == "bureau" { REGION } else { CARE };
            world.accepted(&[org(code)], &take_back(region));
        }
        world.wait(30 * DAY);
        world.accepted(&[org("xian")], &close(OURS, JANUARY));
        let row = statement(&world, OURS, JANUARY);
        let after = |days| day("2026-02-04").plus_days(days).unwrap();
        assert_eq!((row.payable, row.answer_by), (fen(800), after(days[0])));
        assert_eq!(row.pay_by, after(days[1]));
    }
}

#[test]
fn care_at_home_or_before_both_regions_clear_is_owed_to_the_provider() {
    let mut world = world();
    settle(&mut world, 1, &subject("hospital", "2026-01-05"), 1_000);
    assert_eq!(due(&world, "hospital", REGION), 800);
    let early = settle(&mut world, 2, &subject("xian-hospital", "2026-01-02"), 1_000);
    assert_eq!(due(&world, "xian-hospital", REGION), 800, "it began before the rules");
    assert_eq!(view::pair(world.ledger.state(), OURS), None);
    let cleared = settle(&mut world, 3, &subject("xian-hospital", "2026-01-04"), 1_000);
    assert_eq!(due(&world, "xian-hospital", CARE), 800);
    // Whatever the rules say afterwards, a refund goes back the way its settlement came.
    world.accepted(&[org("bureau")], &rules(REGION, "2026-01-01"));
    let end = SetInterregionRules { rules: None, ..rules(CARE, "2026-01-04") };
    world.accepted(&[org("xian")], &end);
    refund(&mut world, &early, Some(500));
    refund(&mut world, &cleared, Some(500));
    assert_eq!(due(&world, "xian-hospital", REGION), 400);
    assert_eq!(due(&world, "xian-hospital", CARE), 400);
    // A region that ends it is no longer advanced for.
    settle(&mut world, 4, &subject("xian-hospital", "2026-01-04"), 1_000);
    assert_eq!(due(&world, "xian-hospital", REGION), 1_200);
    // What was advanced before is still stated.
    world.wait(30 * DAY);
    world.accepted(&[org("xian")], &close(OURS, JANUARY));
    assert_eq!(statement(&world, OURS, JANUARY).payable, fen(400));
}

#[test]
fn rules_are_the_regions_own_and_within_their_ranges() {
    let mut world = world();
    let bureau = &[org("bureau")];
    world.rejected(bureau, &rules(RegionId(1), "2026-01-09"), network::UNKNOWN_REGION);
    let missing = organisations::SIGNATURE_MISSING;
    world.rejected(&[org("xian")], &rules(REGION, "2026-01-09"), missing);
    for wrong in [(0, 1), (1, 0), (367, 367), (1, 367), (2, 1)] {
        let mut body = rules(REGION, "2026-01-09");
        let inner = body.rules.as_mut().unwrap();
        (inner.answer_within_days, inner.pay_within_days) = wrong;
        world.rejected(bureau, &body, rejection::INVALID_RULES);
    }
    // The later rules take the place of those that would begin on the same day or after.
    for from in ["2026-01-20", "2026-01-10"] {
        world.accepted(bureau, &rules(REGION, from));
    }
    let state = world.ledger.state();
    let days: Vec<CivilDate> = view::rules(state, REGION).iter().map(|one| one.from).collect();
    assert_eq!(days, [day("2026-01-03"), day("2026-01-10")]);
}

#[test]
fn what_is_advanced_is_owed_at_every_step() {
    let mut world = stated();
    let row = statement(&world, OURS, JANUARY);
    assert_eq!((row.gross, row.settlements), (fen(12_800), 3));
    assert_eq!((row.returned, row.returns), (fen(2_000), 1));
    assert_eq!((row.carried, row.carried_back, row.owing), (fen(0), fen(0), fen(0)));
    assert_eq!((row.payable, row.after_item, row.to_item), (fen(10_800), 0, 4));
    assert_eq!((row.answer_by, row.pay_by), (day("2026-02-14"), day("2026-03-06")));
    let items = items_of(&world, OURS, &row);
    assert!(row.is_sum_of(OURS, &items));
    // None too few or in another order, and no sum or count that the items do not come to.
    assert!(!row.is_sum_of(OURS, &items[1..]) && !row.is_sum_of(OURS, items.iter().rev()));
    assert!(!row.is_sum_of(OURS.reversed(), &items));
    let gross = row.gross.saturating_add(fen(1));
    for wrong in [
        RegionStatement { gross, ..row.clone() },
        RegionStatement { settlements: 4, ..row.clone() },
        RegionStatement { returns: 0, ..row.clone() },
    ] {
        assert!(!wrong.is_sum_of(OURS, &items), "{wrong:?}");
    }
    assert!(adds_up(&row));
    assert_eq!(between(&world, OURS), [10_800, 10_800, 0, 0, 0, 0]);
    // 30.00 of the first visit are disputed; the rest is payable to the other bureau.
    let agree = answer(&world, (OURS, JANUARY), vec![dispute(1, 3_000)]);
    world.accepted(&[org("bureau")], &agree);
    assert_eq!(between(&world, OURS), [10_800, 0, 3_000, 7_800, 0, 0]);
    let given = statement(&world, OURS, JANUARY).answer.unwrap();
    assert_eq!((given.agreed, given.set_off, given.disputed), (fen(7_800), fen(0), fen(3_000)));
    assert_eq!(given.disputed_items, [1]);
    pay(&mut world, (REGION, "bureau"), "xian", 7_800);
    assert_eq!(between(&world, OURS), [10_800, 0, 3_000, 0, 7_800, 0]);
    let bureau = [org("bureau")];
    world.accepted(&bureau, &word(REGION, 1, booked(7_800, "one")));
    assert_eq!(between(&world, OURS), [10_800, 0, 3_000, 0, 0, 7_800]);
    // The bank sends it back, and it is paid again.
    world.accepted(&bureau, &word(REGION, 1, came_back(7_800, "two")));
    assert_eq!(between(&world, OURS), [10_800, 0, 3_000, 7_800, 0, 0]);
    pay(&mut world, (REGION, "bureau"), "xian", 7_800);
    world.accepted(&bureau, &word(REGION, 2, booked(7_800, "three")));
    world.accepted(&[org("xian")], &confirm(OURS, 7_800, "in"));
    assert_eq!(between(&world, OURS), [3_000, 0, 3_000, 0, 0, 0]);
    // What came in did not come back.
    let back = word(REGION, 2, came_back(7_800, "four"));
    world.rejected(&bureau, &back, rejection::CONFIRMED_ALREADY);
    // The dispute ends, and the money goes on to the next month.
    let end = EndItemDispute { insured: REGION, care: CARE, item: 1, by: organisation("bureau") };
    world.accepted(&bureau, &end);
    assert_eq!(between(&world, OURS), [3_000, 3_000, 0, 0, 0, 0]);
    world.wait(30 * DAY);
    world.accepted(&[org("xian")], &close(OURS, JANUARY.next()));
    let next = statement(&world, OURS, JANUARY.next());
    assert_eq!((next.carried, next.gross, next.payable), (fen(3_000), fen(0), fen(3_000)));
    assert_eq!((next.before, next.items), (row.items, row.items));
    assert!(adds_up(&next));
}

#[test]
fn a_correction_after_a_dispute_leaves_only_what_is_right() {
    let mut world = world();
    let receipt = settle(&mut world, 1, &subject("xian-hospital", "2026-01-05"), 10_000);
    world.wait(30 * DAY);
    world.accepted(&[org("xian")], &close(OURS, JANUARY));
    let all = answer(&world, (OURS, JANUARY), vec![dispute(1, 8_000)]);
    world.accepted(&[org("bureau")], &all);
    assert_eq!(between(&world, OURS), [8_000, 0, 8_000, 0, 0, 0]);
    refund(&mut world, &receipt, Some(6_000));
    assert_eq!(between(&world, OURS), [4_800, -3_200, 8_000, 0, 0, 0]);
    // A month with more given back than advanced leaves the region of care owing.
    world.wait(30 * DAY);
    let february = JANUARY.next();
    world.accepted(&[org("xian")], &close(OURS, february));
    let row = statement(&world, OURS, february);
    assert_eq!((row.owing, row.payable, row.returned), (fen(3_200), fen(0), fen(3_200)));
    assert!(adds_up(&row));
    world.accepted(&[org("bureau")], &answer(&world, (OURS, february), vec![]));
    // Whoever supervises the bureau ends what it leaves open.
    let end =
        EndItemDispute { insured: REGION, care: CARE, item: 1, by: organisation("regulator") };
    world.accepted(&[org("regulator")], &end);
    world.wait(31 * DAY);
    let march = february.next();
    world.accepted(&[org("xian")], &close(OURS, march));
    let row = statement(&world, OURS, march);
    assert_eq!((row.carried, row.carried_back, row.payable), (fen(4_800), fen(0), fen(4_800)));
    assert!(adds_up(&row));
}

#[test]
fn two_regions_come_to_zero() {
    let mut world = stated();
    // Xi'an's Bob was treated in Lanzhou: what its settlements would move.
    let theirs = OURS.reversed();
    elsewhere_too(&mut world, 3_000);
    assert_eq!(between(&world, theirs), [3_000, 3_000, 0, 0, 0, 0]);
    world.accepted(&[org("bureau")], &close(theirs, JANUARY));
    let agree = answer(&world, (theirs, JANUARY), vec![]);
    world.accepted(&[org("xian")], &agree);
    assert_eq!(between(&world, theirs), [3_000, 0, 0, 3_000, 0, 0]);
    // What Lanzhou agrees to is set off first, in the books of both.
    let agree = answer(&world, (OURS, JANUARY), vec![]);
    world.accepted(&[org("bureau")], &agree);
    let given = statement(&world, OURS, JANUARY).answer.unwrap();
    assert_eq!((given.agreed, given.set_off), (fen(10_800), fen(3_000)));
    assert_eq!(between(&world, theirs), [0; 6]);
    assert_eq!(between(&world, OURS), [7_800, 0, 0, 7_800, 0, 0]);
    pay(&mut world, (REGION, "bureau"), "xian", 7_800);
    world.accepted(&[org("bureau")], &word(REGION, 1, booked(7_800, "one")));
    let much = confirm(OURS, 7_801, "in");
    world.rejected(&[org("xian")], &much, rejection::EXCEEDS_UNDER_WAY);
    world.rejected(&[org("bureau")], &confirm(OURS, 1, "in"), organisations::SIGNATURE_MISSING);
    let future = ConfirmRegionPayment { day: day("2026-03-01"), ..confirm(OURS, 1, "in") };
    world.rejected(&[org("xian")], &future, clearing::DAY_IN_FUTURE);
    world.accepted(&[org("xian")], &confirm(OURS, 7_000, "in"));
    world.rejected(&[org("xian")], &confirm(OURS, 800, "in"), clearing::BANK_REFERENCE_USED);
    world.accepted(&[org("xian")], &confirm(OURS, 800, "rest"));
    assert_eq!(between(&world, OURS), [0; 6]);
    let nothing = confirm(OURS, 1, "more");
    world.rejected(&[org("xian")], &nothing, rejection::EXCEEDS_UNDER_WAY);
}

/// What a settlement in Lanzhou of somebody insured in Xi'an moves, noted as it notes it.
fn elsewhere_too(world: &mut World, minor: u64) {
    let theirs = OURS.reversed();
    let mut rows = Vec::new();
    let now = world.now;
    world.write(|state| {
        let debit = Account::Outside(CARE);
        let entry = Entry { debit, credit: Account::OwedToRegion(theirs), amount: fen(minor) };
        let due = Account::ProviderDue(Books::of(organisation("hospital"), REGION));
        let advanced = Account::AdvancedForRegion(theirs);
        let advance = Entry { debit: advanced, credit: due, amount: fen(minor) };
        post(state, now, Currency::CNY, &[entry, advance]).unwrap();
        let item = RegionItem {
            number: 1,
            visit: VisitId([9; 16]),
            provider: organisation("hospital"),
            transaction: sha256(b"bob"),
            amount: fen(minor),
            is_return: false,
            moved: now,
        };
        let row = table::PairRow {
            items: 1,
            chain: chain(&Hash::default(), theirs, &item),
            gross: fen(minor),
            settlements: 1,
            ..table::PairRow::default()
        };
        table::PAIRS.put(state, &theirs, &row);
        table::ITEMS.put(state, &(theirs, 1), &ItemRow { item, dispute: None });
        rows.push(item);
    });
    assert_eq!(rows.len(), 1);
}

#[test]
fn a_month_is_closed_once_in_its_turn_and_when_the_last_was_answered() {
    let mut world = world();
    let xian = &[org("xian")];
    world.rejected(xian, &close(OURS, JANUARY), clearing::MONTH_NOT_OVER);
    world.wait(30 * DAY);
    world.rejected(xian, &close(OURS, JANUARY), rejection::NOTHING_BETWEEN);
    settle(&mut world, 1, &subject("xian-hospital", "2026-01-05"), 1_000);
    let wrong = CalendarMonth { year: 2026, month: 13 };
    world.rejected(xian, &close(OURS, wrong), clearing::INVALID_MONTH);
    let bureau = &[org("bureau")];
    world.rejected(bureau, &close(OURS, JANUARY), organisations::SIGNATURE_MISSING);
    world.accepted(xian, &close(OURS, JANUARY));
    world.rejected(xian, &close(OURS, JANUARY), rejection::MONTH_OUT_OF_ORDER);
    world.wait(60 * DAY);
    let february = JANUARY.next();
    world.rejected(xian, &close(OURS, february.next()), rejection::MONTH_OUT_OF_ORDER);
    world.rejected(xian, &close(OURS, february), rejection::STATEMENT_OPEN);
    world.accepted(bureau, &answer(&world, (OURS, JANUARY), vec![]));
    world.accepted(xian, &close(OURS, february));
}

#[test]
fn a_statement_is_answered_once() {
    let mut world = stated();
    let bureau = &[org("bureau")];
    let body = answer(&world, (OURS, JANUARY), vec![]);
    let unknown = AnswerInterregionStatement { month: JANUARY.next(), ..body.clone() };
    world.rejected(bureau, &unknown, rejection::UNKNOWN_STATEMENT);
    let others = AnswerInterregionStatement { items: sha256(b"others"), ..body.clone() };
    world.rejected(bureau, &others, rejection::ITEMS_DIFFER);
    let stranger = AnswerInterregionStatement { by: organisation("regulator"), ..body.clone() };
    world.rejected(&[org("regulator")], &stranger, rejection::NOT_ITS_BUREAU);
    // The other region agrees in its place once the last day has passed, and not before.
    let late = AnswerInterregionStatement { by: organisation("xian"), ..body.clone() };
    world.rejected(&[org("xian")], &late, rejection::ANSWER_NOT_DUE);
    world.wait(10 * DAY);
    world.rejected(&[org("xian")], &late, rejection::ANSWER_NOT_DUE);
    world.wait(DAY);
    let disputes = AnswerInterregionStatement { disputed: vec![dispute(1, 1)], ..late.clone() };
    world.rejected(&[org("xian")], &disputes, rejection::ANSWER_NOT_DUE);
    world.accepted(&[org("xian")], &late);
    world.rejected(bureau, &body, rejection::ALREADY_ANSWERED);
    assert_eq!(between(&world, OURS), [10_800, 0, 0, 10_800, 0, 0]);
}

#[test]
fn what_is_disputed_is_the_statements_own_and_ended_once() {
    let mut world = stated();
    let bureau = &[org("bureau")];
    let with = |disputed| answer(&world, (OURS, JANUARY), disputed);
    let many: Vec<DisputedItem> = (1..=65).map(|number| dispute(number, 1)).collect();
    let unsorted = vec![dispute(3, 1), dispute(1, 1)];
    let bodies = [many, unsorted, vec![dispute(1, 0)]].map(with);
    for body in bodies {
        world.rejected(bureau, &body, rejection::DISPUTE_LIST);
    }
    // More than the item, what came back, and what is not there.
    for one in [dispute(1, 8_001), dispute(3, 1), dispute(5, 1), dispute(0, 1)] {
        let body = answer(&world, (OURS, JANUARY), vec![one]);
        world.rejected(bureau, &body, rejection::NOT_DISPUTABLE);
    }
    let body = answer(&world, (OURS, JANUARY), vec![dispute(1, 8_000), dispute(2, 4_000)]);
    world.accepted(bureau, &body);
    assert_eq!(between(&world, OURS), [10_800, -1_200, 12_000, 0, 0, 0], "all is disputed");
    let end = EndItemDispute { insured: REGION, care: CARE, item: 2, by: organisation("bureau") };
    let none = EndItemDispute { item: 4, ..end };
    world.rejected(bureau, &none, rejection::UNKNOWN_DISPUTE);
    let other = EndItemDispute { by: organisation("xian"), ..end };
    world.rejected(&[org("xian")], &other, rejection::NOT_THE_ARBITER);
    world.accepted(bureau, &end);
    world.rejected(bureau, &end, rejection::UNKNOWN_DISPUTE);
    let row = view::item(world.ledger.state(), OURS, 2).unwrap().dispute.unwrap();
    assert_eq!(row.ended.unwrap().by, organisation("bureau"));
}

#[test]
fn rules_and_counterparts_are_bounded() {
    let mut world = world();
    let bureau = &[org("bureau")];
    let first = day("2026-02-01");
    // One set of rules is there.
    for number in 1..64 {
        let from = first.plus_days(number).unwrap();
        world.accepted(bureau, &SetInterregionRules { from, ..rules(REGION, "2026-02-01") });
    }
    let from = first.plus_days(64).unwrap();
    let one_more = SetInterregionRules { from, ..rules(REGION, "2026-02-01") };
    world.rejected(bureau, &one_more, rejection::TOO_MANY_RULES);
    let full: Vec<RegionId> = (0..table::COUNTERPARTS_MAX)
        .map(|number| RegionId(u32::try_from(number).unwrap()))
        .collect();
    world.write(|state| table::COUNTERPARTS.put(state, &CARE, &full));
    let subject = subject("xian-hospital", "2026-01-05");
    let (check_in, settle) = prepared(&world, 1, &subject, 1_000);
    let provider = [org("xian-hospital")];
    world.accepted(&provider, &check_in);
    let signers = [provider[0], bureau[0], Party::Person(subject.person)];
    world.rejected(&signers, &settle, rejection::TOO_MANY_COUNTERPARTS);
}
