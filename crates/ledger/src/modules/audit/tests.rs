#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]
use super::*;
use crate::modules::organisation::{OrganisationKind, rejection as organisations};
use crate::testing::{DAY, REGION, World, organisation};
use alloc::collections::BTreeSet;
use primitives::{Party, Text, VisitId, sha256};

fn org(code: &str) -> Party {
    Party::Organisation(organisation(code))
}

fn world() -> World {
    let mut world = World::new();
    world.admit("auditor", OrganisationKind::Auditor, None);
    world.admit("other", OrganisationKind::Auditor, None);
    world
}

fn terms() -> AuditTerms {
    AuditTerms {
        provider: organisation("hospital"),
        from: "2026-01-01".parse().unwrap(),
        to: "2026-03-31".parse().unwrap(),
        size: 20,
        purpose: Text::new("first quarter").unwrap(),
    }
}

fn ask(audit: u32) -> AskAudit {
    AskAudit { region: REGION, audit, auditor: organisation("auditor"), terms: terms() }
}

fn grant(world: &World, days: u64) -> GrantAudit {
    GrantAudit { region: REGION, audit: 1, ends: world.now.plus_millis(days * DAY) }
}

fn end(by: &str) -> EndAudit {
    EndAudit { region: REGION, audit: 1, by: organisation(by) }
}

fn standing(world: &World) -> AuditStanding {
    view::audit(world.ledger.state(), REGION, 1).unwrap().standing(world.now)
}

#[test]
fn an_audit_is_open_from_the_grant_to_its_end() {
    let mut world = world();
    world.accepted(&[org("auditor")], &ask(1));
    assert_eq!(standing(&world), AuditStanding::Asked);
    world.rejected(&[org("auditor")], &grant(&world, 7), organisations::SIGNATURE_MISSING);
    let granted = grant(&world, 7);
    let receipt = world.accepted(&[org("bureau")], &granted);
    assert_eq!(standing(&world), AuditStanding::Open);
    let case = view::audit(world.ledger.state(), REGION, 1).unwrap();
    assert_eq!(case.granted.unwrap().height, receipt.record.height);
    world.rejected(&[org("bureau")], &grant(&world, 8), rejection::AUDIT_STANDING);
    assert_eq!(case.standing(granted.ends), AuditStanding::Open);
    assert_eq!(case.standing(granted.ends.plus_millis(1)), AuditStanding::Over);
    world.wait(8 * DAY);
    world.rejected(&[org("auditor")], &end("auditor"), rejection::AUDIT_STANDING);
}

#[test]
fn who_asked_withdraws_and_the_bureau_refuses_or_ends_and_nobody_else() {
    for by in ["auditor", "bureau"] {
        let mut world = world();
        world.accepted(&[org("auditor")], &ask(1));
        world.rejected(&[org("other")], &end("other"), rejection::NOT_OF_THE_AUDIT);
        world.accepted(&[org(by)], &end(by));
        assert_eq!(standing(&world), AuditStanding::Refused);
        world.rejected(&[org("bureau")], &grant(&world, 7), rejection::AUDIT_STANDING);
        world.rejected(&[org(by)], &end(by), rejection::AUDIT_STANDING);
        world.accepted(&[org("auditor")], &ask(2));
    }
    let mut world = world();
    world.accepted(&[org("auditor")], &ask(1));
    world.accepted(&[org("bureau")], &grant(&world, 7));
    world.accepted(&[org("bureau")], &end("bureau"));
    assert_eq!(standing(&world), AuditStanding::Over);
    let unknown = EndAudit { audit: 9, ..end("bureau") };
    world.rejected(&[org("bureau")], &unknown, rejection::UNKNOWN_AUDIT);
}

#[test]
fn an_audit_is_asked_for_by_an_auditor_about_a_provider_and_within_bounds() {
    let mut world = world();
    let auditor = [org("auditor")];
    world.rejected(&auditor, &ask(2), rejection::AUDIT_NUMBER);
    let regulator = AskAudit { auditor: organisation("regulator"), ..ask(1) };
    world.rejected(&[org("regulator")], &regulator, organisations::WRONG_KIND);
    let bad = |change: &dyn Fn(&mut AuditTerms)| {
        let mut terms = terms();
        change(&mut terms);
        AskAudit { terms, ..ask(1) }
    };
    let about_bureau = bad(&|terms| terms.provider = organisation("bureau"));
    world.rejected(&auditor, &about_bureau, organisations::WRONG_KIND);
    let about_nobody = bad(&|terms| terms.provider = organisation("nobody"));
    world.rejected(&auditor, &about_nobody, organisations::UNKNOWN_ORGANISATION);
    for wrong in [
        bad(&|terms| terms.size = 0),
        bad(&|terms| terms.size = AUDIT_SIZE_MAX + 1),
        bad(&|terms| terms.to = "2025-12-31".parse().unwrap()),
        bad(&|terms| terms.to = "2027-01-02".parse().unwrap()),
        bad(&|terms| terms.purpose = Text::new(" ").unwrap()),
    ] {
        world.rejected(&auditor, &wrong, rejection::AUDIT_TERMS);
    }
    let whole_year = bad(&|terms| {
        terms.size = AUDIT_SIZE_MAX;
        terms.to = "2027-01-01".parse().unwrap();
    });
    world.accepted(&auditor, &whole_year);
}

#[test]
fn an_audit_ends_within_a_quarter() {
    let mut world = world();
    world.accepted(&[org("auditor")], &ask(1));
    let past = GrantAudit { ends: world.now, ..grant(&world, 0) };
    world.rejected(&[org("bureau")], &past, rejection::AUDIT_ENDS);
    let late = grant(&world, AUDIT_DAYS_MAX + 1);
    world.rejected(&[org("bureau")], &late, rejection::AUDIT_ENDS);
    let last = grant(&world, AUDIT_DAYS_MAX);
    world.accepted(&[org("bureau")], &last);
}

#[test]
fn an_audit_is_read_by_its_auditor_and_the_bureau_alone() {
    let mut world = world();
    world.accepted(&[org("auditor")], &ask(1));
    let state = world.ledger.state();
    let readers = table::readers(state, &table::AUDITS.key_bytes(&(REGION, 1)));
    let two = ["bureau", "auditor"].map(organisation).to_vec();
    assert_eq!(readers, Some(crate::readers::Readers::Organisations(two)));
}

#[test]
fn the_same_list_and_seed_draw_the_same_sample_in_whatever_order_the_list_is() {
    let visits = |numbers: &[u8]| numbers.iter().map(|number| VisitId([*number; 16])).collect();
    let list: alloc::vec::Vec<u8> = (0..200).collect();
    let turned: alloc::vec::Vec<u8> = (0..200).rev().collect();
    let seed = |audit| seed_words(&sha256(b"block"), audit);
    let sample = draw(&visits(&list), 10, &seed(1));
    assert_eq!(sample, draw(&visits(&turned), 10, &seed(1)));
    assert_eq!(sample.iter().collect::<BTreeSet<_>>().len(), 10);
    assert_ne!(sample, draw(&visits(&list), 10, &seed(2)));
    // A larger sample begins with the smaller one, and no list gives more than it has.
    assert_eq!(draw(&visits(&list), 20, &seed(1))[..10], sample);
    assert_eq!(draw(&visits(&[1, 2]), 10, "seed").len(), 2);
}
