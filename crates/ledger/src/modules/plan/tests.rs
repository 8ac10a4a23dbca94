#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]
use super::table::{PUBLISHED_MAX, SCHEMES};
use super::*;
use crate::kernel::context::PlanMemo;
use crate::modules::fund::{OpenFund, rejection as funds};
use crate::modules::network::{OpenRegion, SetGoverningSet, rejection as network};
use crate::modules::organisation::{
    OrganisationKind, SuspendOrganisation, rejection as organisations,
};
use crate::testing::plans::{EMPLOYEES, compiled, source};
use crate::testing::{DAY, REGION, World, fen, organisation, person, settings};
use alloc::{string::ToString, sync::Arc, vec, vec::Vec};
use benefit::Payer;
use benefit::plan::PLAN_BYTES_MAX;
use primitives::{
    Amount, CivilDate, Currency, FundId, Hash, Party, Period, RegionId, SchemeId, sha256,
};

fn bureau() -> [Party; 1] {
    [Party::Organisation(organisation("bureau"))]
}

fn regulator() -> [Party; 1] {
    [Party::Organisation(organisation("regulator"))]
}

fn day(text: &str) -> CivilDate {
    text.parse().unwrap()
}

fn period(from: &str, to: Option<&str>) -> Period {
    Period { from: day(from), to: to.map(day) }
}

fn year_2026() -> alloc::string::String {
    source("70%", "2026-01-01", None)
}

fn draft_of(text: &str) -> DraftPlan {
    DraftPlan {
        region: REGION,
        scheme: EMPLOYEES,
        version: 1,
        plan: compiled(text),
        catalogue_root: Hash([3; 32]),
        supersedes: vec![],
    }
}

fn in_force(world: &World, on: &str) -> Option<(u16, Period)> {
    match view::plan_in_force(world.ledger.state(), REGION, EMPLOYEES, day(on)) {
        Ok(found) => Some((found.version, found.period)),
        Err(rejected) => {
            assert_eq!(rejected.code, rejection::NO_PLAN_IN_FORCE);
            None
        }
    }
}

fn standing(world: &World, version: u16) -> PlanStanding {
    view::version(world.ledger.state(), REGION, EMPLOYEES, version).unwrap().standing
}

#[test]
fn a_plan_is_drafted_reviewed_approved_and_published() {
    let mut world = World::new();
    let publish = world.approved(&year_2026(), &[]);
    assert_eq!(standing(&world, 1), PlanStanding::Approved);
    assert_eq!(in_force(&world, "2026-01-05"), None, "it is not published yet");
    let receipt = world.accepted(&bureau(), &publish);
    assert_eq!(receipt.concerns, [bureau()[0], regulator()[0]]);
    assert_eq!(standing(&world, 1), PlanStanding::Published(day("2026-01-01")));
    assert_eq!(in_force(&world, "2025-12-31"), None);
    assert_eq!(in_force(&world, "2026-01-01"), Some((1, period("2026-01-01", None))));
    let row = view::version(world.ledger.state(), REGION, EMPLOYEES, 1).unwrap();
    assert_eq!(row.source, sha256(year_2026().as_bytes()));
    assert_eq!(row.valid, period("2026-01-01", None));
    let steps = [Some(row.drafter), row.reviewer, row.approver].map(|step| step.unwrap().key);
    assert!(steps[0] != steps[1] && steps[1] != steps[2] && steps[0] != steps[2]);
}

#[test]
fn the_plan_of_a_version_is_decoded_once_and_named_by_its_hash() {
    let mut world = World::new();
    world.publish(&year_2026(), &[]);
    let state = world.ledger.state();
    let found = view::plan_in_force(state, REGION, EMPLOYEES, day("2026-01-05")).unwrap();
    let memo = PlanMemo::default();
    let first = view::plan(state, &memo, &found).unwrap();
    assert_eq!((first.id(), first.hash()), ("lanzhou-employee", found.hash));
    assert!(Arc::ptr_eq(&first, &view::plan(state, &memo, &found).unwrap()));
    let bytes = view::version_bytes(state, REGION, EMPLOYEES, 1).unwrap();
    assert_eq!(sha256(&bytes), found.hash);
    let forged = PlanRef { hash: Hash([1; 32]), ..found };
    assert_eq!(view::plan(state, &memo, &forged).unwrap_err().code, rejection::UNKNOWN_VERSION);
    let unknown = PlanRef { version: 2, ..found };
    assert_eq!(view::plan(state, &memo, &unknown).unwrap_err().code, rejection::UNKNOWN_VERSION);
}

#[test]
fn a_plan_whose_examples_do_not_come_out_is_refused() {
    // The compiler refuses such a plan too, so the expected figure is changed in the compiled
    // bytes: the last of the two places where 1,000 yuan stand.
    let mut world = World::new();
    let mut draft = draft_of(&year_2026());
    let bytes = &mut draft.plan.0;
    let thousand = 100_000_u64.to_le_bytes();
    let place = bytes.windows(8).rposition(|window| window == thousand).unwrap();
    bytes[place] += 1;
    let receipt = world.rejected(&bureau(), &draft, rejection::EXAMPLES_FAIL);
    let detail = receipt.rejection_detail.unwrap().to_string();
    assert!(detail.contains("1000.00") && detail.contains("1000.01"), "{detail}");
    assert_eq!(view::last_version(world.ledger.state(), REGION, EMPLOYEES), 0);
}

#[test]
fn bytes_that_are_no_plan_are_refused() {
    let mut world = World::new();
    let good = draft_of(&year_2026());
    let mut cut = good.clone();
    cut.plan.0.pop();
    world.rejected(&bureau(), &cut, rejection::INVALID_PLAN);
    let mut longer = good.clone();
    longer.plan.0.push(0);
    world.rejected(&bureau(), &longer, rejection::INVALID_PLAN);
    let empty = DraftPlan { plan: PlanBytes(vec![]), ..good.clone() };
    world.rejected(&bureau(), &empty, rejection::INVALID_PLAN);
    let largest = DraftPlan { plan: PlanBytes(vec![0; PLAN_BYTES_MAX]), ..good.clone() };
    world.rejected(&bureau(), &largest, rejection::INVALID_PLAN);
    let too_large = DraftPlan { plan: PlanBytes(vec![0; PLAN_BYTES_MAX + 1]), ..good };
    world.rejected(&bureau(), &too_large, rejection::PLAN_TOO_LARGE);
}

#[test]
fn no_altered_byte_of_a_plan_makes_the_ledger_panic() {
    // A changed byte gives another valid plan, an invalid one, or one whose example no longer comes
    // out.
    let mut world = World::new();
    let good = draft_of(&year_2026());
    let allowed: Vec<u16> = [
        rejection::INVALID_PLAN,
        rejection::EXAMPLES_FAIL,
        rejection::PLAN_OF_ANOTHER_SCHEME,
        rejection::PLAN_CURRENCY,
    ]
    .map(|code| code.number)
    .to_vec();
    for place in 0..good.plan.0.len() {
        for flip in [0x01, 0x80, 0xFF] {
            let mut altered = good.clone();
            altered.plan.0[place] ^= flip;
            let content = world.content(bureau()[0], &altered);
            let transaction = world.sign(&content, &bureau());
            if let Err(refusal) = world.ledger.rehearse(world.now, &transaction) {
                assert!(allowed.contains(&refusal.code.number), "byte {place}: {refusal}");
            }
        }
    }
}

#[test]
fn a_plan_is_of_its_region_scheme_and_currency() {
    let mut world = World::new();
    let good = draft_of(&year_2026());
    let other = DraftPlan { scheme: SchemeId(390), ..good.clone() };
    world.rejected(&bureau(), &other, rejection::PLAN_OF_ANOTHER_SCHEME);
    let unknown = DraftPlan { region: RegionId(1), ..good };
    world.rejected(&bureau(), &unknown, network::UNKNOWN_REGION);
    let yen = year_2026().replace("\"CNY\"", "\"USD\"");
    world.rejected(&bureau(), &draft_of(&yen), rejection::PLAN_CURRENCY);
    let (region, bureau) = (RegionId(621_100), organisation("dingxi"));
    world.admit_in(region, "dingxi", OrganisationKind::Bureau, None);
    let open = OpenRegion { region, bureau, currency: Currency::CNY, settings: settings() };
    world.accepted(&World::governing(), &open);
    let elsewhere = DraftPlan { region, ..draft_of(&year_2026()) };
    world.rejected(&[Party::Organisation(bureau)], &elsewhere, rejection::PLAN_OF_ANOTHER_SCHEME);
}

#[test]
fn versions_are_numbered_without_gaps() {
    let mut world = World::new();
    let good = draft_of(&year_2026());
    for version in [0, 2] {
        let wrong = DraftPlan { version, ..good.clone() };
        world.rejected(&bureau(), &wrong, rejection::WRONG_VERSION_NUMBER);
    }
    world.accepted(&bureau(), &good);
    world.rejected(&bureau(), &good, rejection::WRONG_VERSION_NUMBER);
    world.accepted(&bureau(), &DraftPlan { version: 2, ..good });
}

#[test]
fn three_different_keys_draft_review_and_approve() {
    let mut world = World::new();
    let draft = world.draft(&year_2026(), &[]);
    let hash = sha256(&draft.plan.0);
    let review = ReviewPlan { region: REGION, scheme: EMPLOYEES, version: 1, hash };
    let approver = organisation("regulator");
    let approve = ApprovePlan { region: REGION, scheme: EMPLOYEES, version: 1, hash, approver };
    let publish = PublishPlan { region: REGION, scheme: EMPLOYEES, version: 1, hash };
    world.rejected(&bureau(), &review, rejection::SAME_KEY);
    world.rejected(&regulator(), &approve, rejection::WRONG_STANDING);
    world.bureau_signs_with("reviewer");
    world.rejected(&regulator(), &review, organisations::SIGNATURE_MISSING);
    world.accepted(&bureau(), &review);
    world.rejected(&bureau(), &review, rejection::WRONG_STANDING);
    world.rejected(&bureau(), &publish, rejection::WRONG_STANDING);
    // The supervising body approves; neither the bureau nor another member of the governing set
    // does.
    for other in ["bureau", "authority"] {
        let wrong = ApprovePlan { approver: organisation(other), ..approve };
        let signer = [Party::Organisation(organisation(other))];
        world.rejected(&signer, &wrong, rejection::NOT_THE_APPROVER);
    }
    world.rejected(&bureau(), &approve, organisations::SIGNATURE_MISSING);
    world.accepted(&regulator(), &approve);
    world.rejected(&regulator(), &approve, rejection::WRONG_STANDING);
    world.rejected(&regulator(), &publish, organisations::SIGNATURE_MISSING);
    world.accepted(&bureau(), &publish);
    world.rejected(&bureau(), &publish, rejection::WRONG_STANDING);
}

#[test]
fn the_bureau_approves_with_a_third_key_where_nobody_supervises_it() {
    let mut world = World::new();
    let draft = world.draft(&year_2026(), &[]);
    let hash = sha256(&draft.plan.0);
    let governing = ["bureau", "authority"].map(organisation).to_vec();
    world.accepted(&World::governing(), &SetGoverningSet { members: governing });
    let approve = ApprovePlan {
        region: REGION,
        scheme: EMPLOYEES,
        version: 1,
        hash,
        approver: organisation("bureau"),
    };
    world.rejected(&bureau(), &approve, rejection::SAME_KEY);
    world.bureau_signs_with("reviewer");
    let review = ReviewPlan { region: REGION, scheme: EMPLOYEES, version: 1, hash };
    world.accepted(&bureau(), &review);
    world.rejected(&bureau(), &approve, rejection::SAME_KEY);
    world.bureau_signs_with("approver");
    let foreign = ApprovePlan { approver: organisation("regulator"), ..approve };
    world.rejected(&regulator(), &foreign, rejection::NOT_THE_APPROVER);
    world.accepted(&bureau(), &approve);
}

#[test]
fn a_suspended_supervisor_does_not_block_and_a_finance_authority_may_approve() {
    let mut world = World::new();
    world.admit("finance", OrganisationKind::FinanceAuthority, None);
    let members = ["bureau", "authority", "regulator", "finance"].map(organisation).to_vec();
    world.accepted(&World::governing(), &SetGoverningSet { members });
    let suspend = SuspendOrganisation { organisation: organisation("regulator") };
    let finance = [Party::Organisation(organisation("finance"))];
    world.accepted(&[World::governing().as_slice(), &finance].concat(), &suspend);
    let draft = world.draft(&year_2026(), &[]);
    let hash = sha256(&draft.plan.0);
    world.bureau_signs_with("reviewer");
    let review = ReviewPlan { region: REGION, scheme: EMPLOYEES, version: 1, hash };
    world.accepted(&bureau(), &review);
    let approver = organisation("regulator");
    let approve = ApprovePlan { region: REGION, scheme: EMPLOYEES, version: 1, hash, approver };
    world.rejected(&regulator(), &approve, rejection::NOT_THE_APPROVER);
    let approve = ApprovePlan { approver: organisation("finance"), ..approve };
    world.accepted(&finance, &approve);
}

#[test]
fn each_step_names_the_bytes_that_were_looked_at() {
    let mut world = World::new();
    world.draft(&year_2026(), &[]);
    let hash = Hash([9; 32]);
    let review = ReviewPlan { region: REGION, scheme: EMPLOYEES, version: 1, hash };
    world.bureau_signs_with("reviewer");
    world.rejected(&bureau(), &review, rejection::HASH_DIFFERS);
    let approver = organisation("regulator");
    let approve = ApprovePlan { region: REGION, scheme: EMPLOYEES, version: 1, hash, approver };
    world.rejected(&regulator(), &approve, rejection::HASH_DIFFERS);
    let publish = PublishPlan { region: REGION, scheme: EMPLOYEES, version: 1, hash };
    world.rejected(&bureau(), &publish, rejection::HASH_DIFFERS);
    let unknown = PublishPlan { version: 2, ..publish };
    world.rejected(&bureau(), &unknown, rejection::UNKNOWN_VERSION);
}

#[test]
fn a_successor_takes_over_from_its_first_day() {
    let mut world = World::new();
    world.publish(&year_2026(), &[]);
    let july = source("75%", "2026-07-01", None);
    let unnamed = world.approved(&july, &[]);
    world.rejected(&bureau(), &unnamed, rejection::PLAN_OVERLAPS);
    assert_eq!(world.publish(&july, &[1]), 3);
    assert_eq!(in_force(&world, "2026-06-30"), Some((1, period("2026-01-01", Some("2026-06-30")))));
    assert_eq!(in_force(&world, "2026-07-01"), Some((3, period("2026-07-01", None))));
    let again = world.approved(&source("80%", "2026-10-01", None), &[1]);
    world.rejected(&bureau(), &again, rejection::PLAN_OVERLAPS);
    let both = world.approved(&source("80%", "2026-10-01", None), &[1, 3]);
    world.rejected(&bureau(), &both, rejection::NOT_SUPERSEDED);
    let reaching_back = world.publish(&source("80%", "2026-06-01", None), &[1, 3]);
    assert_eq!(in_force(&world, "2026-05-31"), Some((1, period("2026-01-01", Some("2026-05-31")))));
    assert_eq!(in_force(&world, "2026-08-01"), Some((reaching_back, period("2026-06-01", None))));
    assert_eq!(view::published(world.ledger.state(), REGION, EMPLOYEES).len(), 3);
}

#[test]
fn plans_of_years_follow_each_other_without_superseding() {
    let mut world = World::new();
    world.publish(&source("70%", "2026-01-01", Some("2026-12-31")), &[]);
    world.publish(&source("72%", "2025-01-01", Some("2025-12-31")), &[]);
    world.publish(&source("75%", "2027-01-01", Some("2027-12-31")), &[]);
    for (on, version) in
        [("2025-12-31", 2), ("2026-01-01", 1), ("2026-12-31", 1), ("2027-01-01", 3)]
    {
        assert_eq!(in_force(&world, on).map(|found| found.0), Some(version), "{on}");
    }
    assert_eq!(in_force(&world, "2028-01-01"), None);
    let touching = world.approved(&source("75%", "2027-12-31", None), &[]);
    world.rejected(&bureau(), &touching, rejection::PLAN_OVERLAPS);
    let stranger = world.approved(&source("75%", "2028-01-01", None), &[3]);
    world.rejected(&bureau(), &stranger, rejection::NOT_SUPERSEDED);
    world.publish(&source("75%", "2028-01-01", None), &[]);
}

#[test]
fn a_superseded_version_never_comes_back() {
    let mut world = World::new();
    world.publish(&year_2026(), &[]);
    let summer = source("75%", "2026-07-01", Some("2026-08-31"));
    let too_short = world.approved(&summer, &[1]);
    world.rejected(&bureau(), &too_short, rejection::ENDS_TOO_EARLY);
    let unsorted = DraftPlan { version: 3, supersedes: vec![2, 1], ..draft_of(&year_2026()) };
    world.rejected(&bureau(), &unsorted, rejection::NOT_SUPERSEDED);
    let many = DraftPlan { supersedes: (1..18).collect(), ..unsorted };
    world.rejected(&bureau(), &many, rejection::NOT_SUPERSEDED);
}

#[test]
fn a_version_is_withdrawn_until_the_day_before_it_begins() {
    let mut world = World::new();
    world.publish(&year_2026(), &[]);
    let withdraw = |version| WithdrawPlan { region: REGION, scheme: EMPLOYEES, version };
    world.rejected(&bureau(), &withdraw(1), rejection::PLAN_BEGUN);
    world.publish(&source("75%", "2026-01-03", None), &[1]);
    world.accepted(&bureau(), &withdraw(2));
    assert_eq!(in_force(&world, "2026-01-03"), Some((1, period("2026-01-01", None))));
    world.rejected(&bureau(), &withdraw(2), rejection::WRONG_STANDING);
    world.publish(&source("75%", "2026-01-03", None), &[1]);
    world.wait(2 * DAY);
    world.rejected(&bureau(), &withdraw(3), rejection::PLAN_BEGUN);
    world.rejected(&bureau(), &withdraw(9), rejection::UNKNOWN_VERSION);
    world.draft(&source("75%", "2025-01-01", Some("2025-12-31")), &[]);
    world.rejected(&regulator(), &withdraw(4), organisations::SIGNATURE_MISSING);
    world.accepted(&bureau(), &withdraw(4));
    let approved = world.approved(&source("75%", "2025-01-01", Some("2025-12-31")), &[]);
    world.accepted(&bureau(), &withdraw(5));
    world.rejected(&bureau(), &approved, rejection::WRONG_STANDING);
    let bytes = |number| view::version_bytes(world.ledger.state(), REGION, EMPLOYEES, number);
    assert_eq!(
        [1, 2, 3, 4, 5].map(|number| bytes(number).is_some()),
        [true, false, true, false, false]
    );
}

#[test]
fn a_scheme_has_256_published_versions() {
    let mut world = World::new();
    let publish = world.approved(&source("70%", "2026-01-01", Some("2026-12-31")), &[]);
    world.write(|state| {
        let mut row = SCHEMES.get(state, &(REGION, EMPLOYEES)).unwrap();
        let old = Publication { version: 999, valid: period("1990-01-01", Some("1990-12-31")) };
        row.published = vec![old; PUBLISHED_MAX];
        SCHEMES.put(state, &(REGION, EMPLOYEES), &row);
    });
    world.rejected(&bureau(), &publish, rejection::TOO_MANY_VERSIONS);
    world.write(|state| {
        let mut row = SCHEMES.get(state, &(REGION, EMPLOYEES)).unwrap();
        row.published.pop();
        SCHEMES.put(state, &(REGION, EMPLOYEES), &row);
    });
    world.accepted(&bureau(), &publish);
}

const POOL: FundId = FundId(1);

/// A world in March: version 2, published now, supersedes version 1 since January. There is a pool.
fn retroactive() -> World {
    let mut world = World::new();
    world.publish(&year_2026(), &[]);
    world.wait(70 * DAY);
    world.publish(&source("75%", "2026-01-01", None), &[1]);
    let open = OpenFund {
        region: REGION,
        fund: POOL,
        owner: organisation("bureau"),
        purpose: Payer::PooledFund,
        year: None,
        floor: Amount::ZERO,
    };
    world.accepted(&bureau(), &open);
    world
}

fn owed_to(number: u8, amount: u64) -> Difference {
    Difference {
        settlement: Hash([number; 32]),
        person: person(number),
        direction: Direction::ToPerson,
        amount: fen(amount),
    }
}

fn owed_by(number: u8, amount: u64) -> Difference {
    Difference { direction: Direction::FromPerson, ..owed_to(number, amount) }
}

fn proposal(batch: u32, rows: Vec<Difference>) -> ProposeDifferences {
    ProposeDifferences {
        region: REGION,
        scheme: EMPLOYEES,
        batch,
        old_version: 1,
        new_version: 2,
        fund: POOL,
        simulation: Hash([4; 32]),
        rows,
    }
}

fn approval(proposal: &ProposeDifferences) -> ApproveDifferences {
    ApproveDifferences {
        region: REGION,
        scheme: EMPLOYEES,
        batch: proposal.batch,
        rows: proposal.rows_hash(),
        approver: organisation("regulator"),
    }
}

#[test]
fn whoever_proposed_differences_does_not_approve_them() {
    let mut world = retroactive();
    let proposal = proposal(1, vec![owed_to(1, 25)]);
    world.accepted(&bureau(), &proposal);
    let own = ApproveDifferences { approver: organisation("bureau"), ..approval(&proposal) };
    world.rejected(&bureau(), &own, rejection::NOT_THE_APPROVER);
    world.rejected(&bureau(), &approval(&proposal), organisations::SIGNATURE_MISSING);
    let blind = ApproveDifferences { rows: Hash([7; 32]), ..approval(&proposal) };
    world.rejected(&regulator(), &blind, rejection::HASH_DIFFERS);
    let governing = ["bureau", "authority"].map(organisation).to_vec();
    world.accepted(&World::governing(), &SetGoverningSet { members: governing });
    world.rejected(&bureau(), &own, rejection::SAME_KEY);
    world.bureau_signs_with("second");
    world.accepted(&bureau(), &own);
}

#[test]
fn differences_arise_only_from_a_version_with_effect_in_the_past() {
    let mut world = retroactive();
    let good = proposal(1, vec![owed_to(1, 25)]);
    let turned = ProposeDifferences { old_version: 2, new_version: 1, ..good.clone() };
    world.rejected(&bureau(), &turned, rejection::NOT_RETROACTIVE);
    let itself = ProposeDifferences { old_version: 2, ..good.clone() };
    world.rejected(&bureau(), &itself, rejection::NOT_RETROACTIVE);
    let unknown = ProposeDifferences { new_version: 9, ..good.clone() };
    world.rejected(&bureau(), &unknown, rejection::UNKNOWN_VERSION);
    let elsewhere = ProposeDifferences { fund: FundId(9), ..good.clone() };
    world.rejected(&bureau(), &elsewhere, funds::UNKNOWN_FUND);
    // A successor that begins on the day of its publication changes nothing that is past.
    let today = world.now.day(settings().utc_offset_minutes).to_string();
    world.publish(&source("80%", &today, None), &[2]);
    let prompt = ProposeDifferences { old_version: 2, new_version: 3, ..good.clone() };
    world.rejected(&bureau(), &prompt, rejection::NOT_RETROACTIVE);
    world.draft(&source("80%", "2026-02-01", None), &[2, 3]);
    let drafted = ProposeDifferences { old_version: 2, new_version: 4, ..good.clone() };
    world.rejected(&bureau(), &drafted, rejection::NOT_RETROACTIVE);
    world.rejected(&regulator(), &good, organisations::SIGNATURE_MISSING);
    world.accepted(&bureau(), &good);
}

#[test]
fn rows_of_differences_are_1_to_500_sorted_and_of_something() {
    let mut world = retroactive();
    let wrong = [
        vec![],
        vec![owed_to(2, 1), owed_to(1, 1)],
        vec![owed_to(1, 1), owed_by(1, 1)],
        vec![owed_to(1, 0)],
        numbered(501),
    ];
    for rows in wrong {
        world.rejected(&bureau(), &proposal(1, rows), rejection::DIFFERENCE_ROWS);
    }
    world.accepted(&bureau(), &proposal(1, numbered(500)));
}

fn numbered(count: u16) -> Vec<Difference> {
    let row = |number: u16| {
        let mut settlement = [0; 32];
        settlement[..2].copy_from_slice(&number.to_be_bytes());
        Difference { settlement: Hash(settlement), ..owed_to(1, 1) }
    };
    (0..count).map(row).collect()
}
