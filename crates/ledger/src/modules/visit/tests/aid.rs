//! Mutual aid and the proxy at the moment of care: who pays, what comes back, who learns what.

use super::refunds::{both, refund};
use super::*;
use crate::modules::family::{
    Agreement, AidPurpose, AidRules, AidTerms, ApplyForBinding, BindMember, BindingDecision,
    BindingSide, DecideBinding, GrantAid, ProxyRules, Relation, RevokeAid, SetAidRules,
    SetProxyRules, UnbindMember, rejection as families,
};
use crate::modules::person::{LockPerson, rejection as persons};

const CAROL: PersonId = PersonId([3; 16]);
const DAVE: PersonId = PersonId([4; 16]);

fn of(who: PersonId) -> Party {
    Party::Person(who)
}

fn aid_rules() -> AidRules {
    AidRules {
        relations: vec![Relation { number: 1, name: Text::new("parent").unwrap() }],
        members_per_payer_max: 4,
        accounts_per_bill_max: 2,
        direct_below_age: 0,
        pays_premiums: true,
        bill_max: fen(100_000),
        month_max: fen(100_000),
        year_max: fen(200_000),
        source: Text::new("made up for tests").unwrap(),
    }
}

fn proxy_rules() -> ProxyRules {
    ProxyRules {
        relations: aid_rules().relations,
        members_per_payer_per_month_max: 5,
        bindings_per_member_per_month_max: 2,
        members_per_payer_max: 8,
        own_consent_age: 16,
        application_days_max: 30,
        payment_max: fen(20_000),
        excluded_visit_types: vec![],
        source: Text::new("made up for tests").unwrap(),
    }
}

fn terms(bill: u64, month: u64) -> AidTerms {
    AidTerms {
        relation: 1,
        purpose: AidPurpose::Care,
        visit_types: vec![],
        bill_max: fen(bill),
        month_max: fen(month),
        year_max: fen(100_000),
        rank: 0,
        until: None,
    }
}

fn grant(world: &mut World, payer: PersonId, terms: AidTerms) {
    let body = GrantAid { payer, member: ALICE, terms, agreement: Agreement::OwnKey };
    world.accepted(&[of(payer), alice()], &body);
}

/// The world of visits, in which Carol has 1,000.00 in her account and Dave 30.00.
fn family_world() -> World {
    let mut world = world();
    for number in [3, 4] {
        world.enrol(number);
        world.cover(number, EMPLOYEE);
    }
    let row = |person, amount| CreditRow { person, amount: fen(amount) };
    let credit = CreditPersonalAccounts {
        region: REGION,
        source: CreditSource::Outside,
        month: CalendarMonth { year: 2026, month: 1 },
        batch: 2,
        rows: vec![row(CAROL, 100_000), row(DAVE, 3_000)],
    };
    world.accepted(&[org("bureau")], &credit);
    world.accepted(&[org("bureau")], &SetAidRules { region: REGION, rules: aid_rules() });
    world.accepted(&[org("bureau")], &SetProxyRules { region: REGION, rules: proxy_rules() });
    world
}

fn account(world: &World, who: PersonId) -> i128 {
    world.balance(Account::PersonalAccount(who))
}

fn paid(world: &World, grant: u32) -> Vec<(Amount, Amount)> {
    let row = family::view::grant(world.ledger.state(), ALICE, grant).unwrap();
    row.uses.iter().map(|one| (one.paid, one.returned)).collect()
}

fn left(world: &World, grant: u32) -> Amount {
    let state = world.ledger.state();
    let offset = crate::modules::network::view::region(state, REGION).unwrap();
    let day = world.now.day(offset.settings.utc_offset_minutes);
    family::view::grant(state, ALICE, grant).unwrap().left_on(day)
}

/// Alice's visit of 300.00: the pool pays 100.00, her account 50.00, relatives what they grant.
fn visit_of_300(world: &mut World, number: u8) -> SettleVisit {
    let subject = open(world, number, VisitType::Outpatient);
    settlement(world, number, &subject, sums("2026-01-05", 30_000), true)
}

#[test]
fn the_own_account_pays_first_then_relatives_by_rank_and_cash_what_is_left() {
    let mut world = family_world();
    grant(&mut world, CAROL, AidTerms { rank: 2, ..terms(9_000, 10_000) });
    grant(&mut world, DAVE, AidTerms { rank: 1, ..terms(50_000, 50_000) });
    let body = visit_of_300(&mut world, 1);
    let split = &body.split;
    assert_eq!(split.payers[0].amount, fen(10_000));
    assert_eq!(split.personal_account, fen(5_000));
    assert_eq!((split.family_accounts, split.cash), (fen(12_000), fen(3_000)));
    let receipt = world.accepted(&signers(), &body);
    assert_eq!((account(&world, DAVE), account(&world, CAROL)), (0, 91_000));
    let [pool, own, due, ..] = balances(&world);
    assert_eq!((pool, own, due), (100_000_000 - 10_000, 0, 27_000));
    assert_eq!(world.balance(Account::FamilyAccounts(REGION)), 0, "nothing stays in between");
    assert_eq!((left(&world, 1), left(&world, 2)), (fen(1_000), fen(47_000)));
    assert_eq!(record(&receipt).own_share(), fen(20_000));
}

#[test]
fn a_refund_goes_back_to_its_sources_in_reverse_and_the_meters_fall() {
    let mut world = family_world();
    grant(&mut world, DAVE, terms(50_000, 50_000));
    grant(&mut world, CAROL, terms(9_000, 10_000));
    let body = visit_of_300(&mut world, 1);
    let receipt = world.accepted(&signers(), &body);
    world.accepted(&[org("hospital")], &done(effects(&receipt)[0], 3_000));
    // Money that comes in later does not take the place of those who helped.
    let credit = CreditPersonalAccounts {
        region: REGION,
        source: CreditSource::Outside,
        month: CalendarMonth { year: 2026, month: 1 },
        batch: 3,
        rows: vec![CreditRow { person: ALICE, amount: fen(80_000) }],
    };
    world.accepted(&[org("bureau")], &credit);
    // Of 200.00 the pool pays 50.00, the account 50.00, Dave 30.00, Carol 70.00 less 20.00.
    let rest = sums("2026-01-05", 20_000);
    let body = refund(&world, &record(&receipt), rest);
    assert_eq!((body.split.family_accounts, body.split.cash), (fen(10_000), fen(0)));
    let receipt = world.accepted(&both(), &body);
    assert_eq!((account(&world, ALICE), account(&world, CAROL)), (80_000, 93_000));
    assert_eq!(paid(&world, 2), [(fen(9_000), fen(2_000))]);
    assert_eq!(left(&world, 2), fen(3_000));
    // The grant is gone, its source is not.
    let revoke =
        RevokeAid { payer: CAROL, member: ALICE, side: BindingSide::Payer, actor: Actor::OwnKey };
    world.accepted(&[of(CAROL)], &revoke);
    let body = refund(&world, &record(&receipt), CategorySums::default());
    world.accepted(&both(), &body);
    let accounts = [ALICE, CAROL, DAVE].map(|who| account(&world, who));
    assert_eq!(accounts, [85_000, 100_000, 3_000]);
    assert_eq!(paid(&world, 2), [(fen(9_000), fen(9_000))]);
    assert_eq!(world.balance(Account::FamilyAccounts(REGION)), 0);
}

#[test]
fn two_visits_against_one_limit_in_one_block_never_exceed_it() {
    let mut world = family_world();
    grant(&mut world, CAROL, terms(10_000, 10_000));
    let bodies = [1, 2].map(|number| {
        let body = visit_of_300(&mut world, number);
        let content = world.content(org("hospital"), &body);
        world.sign(&content, &signers())
    });
    let (_, receipts) = crate::execute_block(&mut world.ledger, world.now, &bodies);
    let accepted = receipts.iter().filter(|one| one.rejection_detail.is_none()).count();
    assert_eq!((accepted, account(&world, CAROL)), (1, 90_000));
    assert_eq!(left(&world, 1), fen(0));
}

#[test]
fn a_limit_of_the_month_is_new_at_midnight_of_the_region() {
    let mut world = family_world();
    grant(&mut world, CAROL, terms(10_000, 10_000));
    // 31 January, 23:59 in the region, eight hours ahead of UTC.
    let edge = CivilDate::from_ymd(2026, 2, 1).unwrap();
    let midnight = primitives::Timestamp::start_of(edge, primitives::UtcOffset(480));
    world.wait(midnight.millis() - world.now.millis() - 60_000);
    let body = visit_of_300(&mut world, 1);
    world.accepted(&signers(), &body);
    assert_eq!((left(&world, 1), account(&world, CAROL)), (fen(0), 90_000));
    world.wait(60_000);
    assert_eq!(left(&world, 1), fen(10_000));
    // What comes back of January's bill does not raise February.
    let subject = open(&mut world, 2, VisitType::Outpatient);
    let body = settlement(&world, 2, &subject, sums("2026-02-01", 30_000), true);
    assert_eq!(body.split.family_accounts, fen(10_000));
    world.accepted(&signers(), &body);
    assert_eq!(account(&world, CAROL), 80_000);
    let january = world.receipts.iter().find(|one| !one.witness.is_empty()).cloned().unwrap();
    let effect = effects(&january)[0];
    world.accepted(&[org("hospital")], &done(effect, record(&january).cash().minor()));
    let body = refund(&world, &record(&january), CategorySums::default());
    world.accepted(&both(), &body);
    assert_eq!((left(&world, 1), account(&world, CAROL)), (fen(0), 90_000));
}

#[test]
fn a_lock_of_the_payer_freezes_and_a_revoked_grant_pays_no_later_quote() {
    let mut world = family_world();
    grant(&mut world, CAROL, terms(10_000, 10_000));
    let quoted = visit_of_300(&mut world, 1);
    world.accepted(&[of(CAROL)], &LockPerson { person: CAROL, by: Actor::OwnKey });
    world.rejected(&signers(), &quoted, rejection::SPLIT_OUTDATED);
    let frozen = settlement(&world, 1, &subject_1(), quoted.sums.clone(), true);
    assert_eq!(frozen.split.family_accounts, fen(0));
    // Revoking is possible while locked.
    let revoke =
        RevokeAid { payer: CAROL, member: ALICE, side: BindingSide::Payer, actor: Actor::OwnKey };
    world.rejected(&[of(DAVE)], &revoke, persons::SIGNATURE_MISSING);
    world.accepted(&[of(CAROL)], &revoke);
    world.rejected(&[of(CAROL)], &revoke, families::UNKNOWN_GRANT);
    world.rejected(&signers(), &quoted, rejection::SPLIT_OUTDATED);
    world.accepted(&signers(), &frozen);
    assert_eq!(account(&world, CAROL), 100_000);
}

fn subject_1() -> VisitSubject {
    subject(ALICE, VisitType::Outpatient, "2026-01-05")
}

#[test]
fn a_grant_for_premiums_alone_pays_no_bill() {
    let mut world = family_world();
    let (premiums, both) = (AidPurpose::Premiums, AidPurpose::CareAndPremiums);
    grant(&mut world, CAROL, AidTerms { purpose: premiums, ..terms(10_000, 10_000) });
    grant(&mut world, DAVE, AidTerms { purpose: both, ..terms(1_000, 10_000) });
    let subject = open(&mut world, 1, VisitType::Outpatient);
    let offers = family::view::offers(world.ledger.state(), &subject, fen(30_000), world.now);
    assert_eq!(offers.iter().map(|offer| offer.grant).collect::<Vec<_>>(), [2]);
}

#[test]
fn a_grant_pays_for_its_kinds_of_care_until_its_last_day_and_no_more_accounts_than_allowed() {
    let mut world = family_world();
    let stays = AidTerms { visit_types: vec![VisitType::Inpatient], ..terms(10_000, 10_000) };
    grant(&mut world, CAROL, stays);
    let over = AidTerms { until: Some(date("2026-01-12")), ..terms(1_000, 10_000) };
    grant(&mut world, DAVE, over);
    let subject = open(&mut world, 1, VisitType::Outpatient);
    let aid = |world: &World, subject: &VisitSubject| {
        let offers = family::view::offers(world.ledger.state(), subject, fen(30_000), world.now);
        offers.iter().map(|offer| offer.grant).collect::<Vec<_>>()
    };
    let stay = VisitSubject { visit_type: VisitType::Inpatient, ..subject.clone() };
    assert_eq!((aid(&world, &subject), aid(&world, &stay)), (vec![2], vec![1, 2]));
    let one =
        SetAidRules { region: REGION, rules: AidRules { accounts_per_bill_max: 1, ..aid_rules() } };
    world.accepted(&[org("bureau")], &one);
    assert_eq!(aid(&world, &stay), [1]);
    world.wait(3 * DAY);
    assert_eq!(aid(&world, &subject), Vec::<u32>::new());
}

#[test]
fn consent_of_others_never_uses_relatives_accounts() {
    let mut world = family_world();
    grant(&mut world, CAROL, terms(10_000, 10_000));
    let subject = open(&mut world, 1, VisitType::Outpatient);
    let body = settlement(&world, 1, &subject, sums("2026-01-05", 30_000), true);
    let body = SettleVisit { consent: Consent::IdentityCard, ..body };
    world.rejected(&both(), &body, rejection::CONSENT_TOO_WEAK);
}

#[test]
fn a_proxy_agrees_with_the_members_own_money_within_the_regions_limit() {
    let mut world = family_world();
    let body = visit_of_300(&mut world, 1);
    let body = SettleVisit { consent: Consent::Proxy { payer: CAROL }, ..body };
    let signed = [org("hospital"), org("bureau"), of(CAROL)];
    world.rejected(&signed, &body, families::NOT_BOUND);
    let bind =
        BindMember { payer: CAROL, member: ALICE, relation: 1, agreement: Agreement::OwnKey };
    world.accepted(&[of(CAROL), alice()], &bind);
    world.rejected(&both(), &body, persons::SIGNATURE_MISSING);
    let small = SetProxyRules {
        region: REGION,
        rules: ProxyRules { payment_max: fen(19_999), ..proxy_rules() },
    };
    world.accepted(&[org("bureau")], &small);
    world.rejected(&signed, &body, families::PROXY_PAYMENT_LIMIT);
    let none = SetProxyRules {
        region: REGION,
        rules: ProxyRules { excluded_visit_types: vec![VisitType::Outpatient], ..proxy_rules() },
    };
    world.accepted(&[org("bureau")], &none);
    world.rejected(&signed, &body, families::PROXY_EXCLUDED);
    world.accepted(&[org("bureau")], &SetProxyRules { region: REGION, rules: proxy_rules() });
    let locked = LockPerson { person: ALICE, by: Actor::OwnKey };
    world.accepted(&[alice()], &locked);
    world.rejected(&signed, &body, persons::PERSON_LOCKED);
    let unbind = UnbindMember {
        payer: CAROL,
        member: ALICE,
        side: BindingSide::Member,
        actor: Actor::OwnKey,
    };
    world.accepted(&[alice()], &unbind);
    world.rejected(&signed, &body, families::NOT_BOUND);
}

#[test]
fn a_kind_of_care_without_proxy_takes_no_deposit_from_one_either() {
    let mut world = family_world();
    open(&mut world, 1, VisitType::Inpatient);
    let bind =
        BindMember { payer: CAROL, member: ALICE, relation: 1, agreement: Agreement::OwnKey };
    world.accepted(&[of(CAROL), alice()], &bind);
    let (from, consent) = (DepositFrom::PersonalAccount, Consent::Proxy { payer: CAROL });
    let deposit = TakeDeposit { visit: visit(1), amount: fen(1_000), from, consent };
    let excluded = vec![VisitType::Inpatient];
    let rules = ProxyRules { excluded_visit_types: excluded, ..proxy_rules() };
    world.accepted(&[org("bureau")], &SetProxyRules { region: REGION, rules });
    world.rejected(&[org("hospital"), of(CAROL)], &deposit, families::PROXY_EXCLUDED);
    world.accepted(&[org("bureau")], &SetProxyRules { region: REGION, rules: proxy_rules() });
    world.accepted(&[org("hospital"), of(CAROL)], &deposit);
}

#[test]
fn a_binding_by_documents_agrees_until_its_last_day() {
    let mut world = family_world();
    let body = visit_of_300(&mut world, 1);
    let body = SettleVisit { consent: Consent::Proxy { payer: CAROL }, ..body };
    // Whoever is below the age that a region sets does not agree in person; here that is Alice.
    let rules = ProxyRules { own_consent_age: 99, ..proxy_rules() };
    world.accepted(&[org("bureau")], &SetProxyRules { region: REGION, rules });
    let documents = sha256(b"household register");
    let apply = ApplyForBinding { payer: CAROL, member: ALICE, relation: 1, documents };
    world.accepted(&[of(CAROL)], &apply);
    let today = world.now.day(primitives::UtcOffset(480));
    let decision = BindingDecision::Agree { until: today.plus_days(1).unwrap() };
    let decide = DecideBinding { payer: CAROL, member: ALICE, decision };
    world.accepted(&[org("bureau")], &decide);
    world.wait(2 * DAY);
    let signed = [org("hospital"), org("bureau"), of(CAROL)];
    world.rejected(&signed, &body, families::BINDING_ENDED);
}

#[test]
fn a_bound_payer_settles_for_the_member_and_the_payers_account_stays() {
    let mut world = family_world();
    let bind =
        BindMember { payer: CAROL, member: ALICE, relation: 1, agreement: Agreement::OwnKey };
    world.accepted(&[of(CAROL), alice()], &bind);
    let body = visit_of_300(&mut world, 1);
    let body = SettleVisit { consent: Consent::Proxy { payer: CAROL }, ..body };
    world.accepted(&[org("hospital"), org("bureau"), of(CAROL)], &body);
    assert_eq!((account(&world, ALICE), account(&world, CAROL)), (0, 100_000));
}

#[test]
fn a_settlement_does_not_say_whose_account_helped() {
    let mut world = family_world();
    grant(&mut world, CAROL, terms(10_000, 10_000));
    let body = visit_of_300(&mut world, 1);
    let receipt = world.accepted(&signers(), &body);
    let holds = |bytes: &[u8]| bytes.windows(16).any(|window| window == CAROL.0);
    assert!(!holds(&receipt.witness), "the record names the grant's number alone");
    assert!(!receipt.concerns.contains(&of(CAROL)), "the payer learns of no provider");
    assert!(!receipt.fields.iter().any(|field| holds(&codec::encode(field))));
    let due = Account::ProviderDue(books(organisation("hospital")));
    let on_books = receipt.entries.iter().filter(|one| one.entry.credit == due);
    assert!(on_books.clone().all(|one| one.entry.debit != Account::PersonalAccount(CAROL)));
    assert!(on_books.clone().any(|one| one.entry.debit == Account::FamilyAccounts(REGION)));
    // An offer never exceeds the bill, so nobody reads a balance from it.
    assert!(record(&receipt).parts[0].facts.family_accounts[0].available <= fen(30_000));
}
