#![allow(clippy::indexing_slicing, reason = "tests fail by panicking")]
use super::*;
use crate::kernel::context::{Context, PlanMemo};
use crate::kernel::rejection::Code;
use crate::modules::network::rejection as network;
use crate::testing::{DAY, REGION, World, organisation, public};
use alloc::vec;
use primitives::Party;

fn org(code: &str) -> Party {
    Party::Organisation(organisation(code))
}

fn insurer() -> AdmitOrganisation {
    AdmitOrganisation {
        organisation: organisation("insurer"),
        kind: OrganisationKind::Insurer,
        region: REGION,
        level: None,
        root_key: public("insurer-root"),
    }
}

#[test]
fn an_organisation_is_admitted_by_more_than_two_thirds_of_the_governing_set() {
    let mut world = World::new();
    let [bureau, authority, regulator] = World::governing();
    world.rejected(&[bureau, authority], &insurer(), network::NO_GOVERNING_QUORUM);
    world.accepted(&[bureau, authority, regulator], &insurer());
    world.rejected(&World::governing(), &insurer(), rejection::ORGANISATION_EXISTS);
}

#[test]
fn a_provider_has_a_level_and_others_have_none() {
    let mut world = World::new();
    let leveled = AdmitOrganisation { level: Some(benefit::HospitalLevel::Primary), ..insurer() };
    world.rejected(&World::governing(), &leveled, rejection::LEVEL_MISMATCH);
    let level_less = AdmitOrganisation { kind: OrganisationKind::Provider, ..insurer() };
    world.rejected(&World::governing(), &level_less, rejection::LEVEL_MISMATCH);
    let elsewhere = AdmitOrganisation { region: primitives::RegionId(1), ..insurer() };
    world.rejected(&World::governing(), &elsewhere, network::UNKNOWN_REGION);
}

#[test]
fn a_bureau_is_there_before_the_region_that_it_opens() {
    let mut world = World::new();
    let region = primitives::RegionId(1);
    let first = AdmitOrganisation { kind: OrganisationKind::Bureau, region, ..insurer() };
    world.accepted(&World::governing(), &first);
}

fn authorise(world: &World, scopes: alloc::vec::Vec<Scope>) -> AuthoriseKey {
    AuthoriseKey {
        organisation: organisation("hospital"),
        key: public("second"),
        scopes,
        expires: world.now.plus_millis(10 * DAY),
    }
}

#[test]
fn only_the_root_key_authorises_keys_and_they_expire() {
    let mut world = World::new();
    let body = authorise(&world, vec![Scope::Clerk]);
    world.rejected(&[org("hospital")], &body, rejection::UNKNOWN_KEY);
    world.keys.insert(org("hospital"), "hospital-root");
    world.accepted(&[org("hospital")], &body);
    world.rejected(&[org("hospital")], &body, rejection::KEY_EXISTS);
    let past = AuthoriseKey { key: public("third"), expires: world.now, ..body.clone() };
    world.rejected(&[org("hospital")], &past, rejection::INVALID_EXPIRY);
    let late = AuthoriseKey {
        key: public("third"),
        expires: world.now.plus_millis(731 * DAY),
        ..body.clone()
    };
    world.rejected(&[org("hospital")], &late, rejection::INVALID_EXPIRY);
    let none = AuthoriseKey { key: public("third"), scopes: vec![], ..body.clone() };
    world.rejected(&[org("hospital")], &none, rejection::NO_SCOPE);
    let twice = AuthoriseKey { scopes: vec![Scope::Clerk, Scope::Clerk], ..none };
    world.rejected(&[org("hospital")], &twice, rejection::NO_SCOPE);
    let stranger = AuthoriseKey { organisation: organisation("nobody"), ..body };
    world.rejected(&[org("nobody")], &stranger, rejection::UNKNOWN_ORGANISATION);
}

#[test]
fn a_revoked_key_is_gone_and_the_governing_set_may_revoke_too() {
    let mut world = World::new();
    let revoke = RevokeKey { organisation: organisation("hospital"), key: public("hospital") };
    world.rejected(&[org("hospital")], &revoke, rejection::UNKNOWN_KEY);
    world.accepted(&World::governing(), &revoke);
    world.rejected(&World::governing(), &revoke, rejection::UNKNOWN_KEY);
    world.rejected(&[org("bureau")], &revoke, rejection::SIGNATURE_MISSING);
}

#[test]
fn a_suspended_organisation_cannot_act_until_it_is_resumed() {
    let mut world = World::new();
    let hospital = organisation("hospital");
    let governing = World::governing();
    let resume = ResumeOrganisation { organisation: hospital };
    world.rejected(&governing, &resume, rejection::NOT_SUSPENDED);
    world.accepted(&governing, &SuspendOrganisation { organisation: hospital });
    world.keys.insert(org("hospital"), "hospital-root");
    let body = authorise(&world, vec![Scope::Clerk]);
    world.rejected(&[org("hospital")], &body, rejection::ORGANISATION_SUSPENDED);
    world.accepted(&governing, &resume);
    let body = authorise(&world, vec![Scope::Clerk]);
    world.accepted(&[org("hospital")], &body);
}

#[test]
fn a_lost_root_key_is_replaced_by_the_governing_set() {
    let mut world = World::new();
    let rotate =
        RotateRootKey { organisation: organisation("hospital"), root_key: public("new-root") };
    world.accepted(&World::governing(), &rotate);
    world.keys.insert(org("hospital"), "hospital-root");
    let body = authorise(&world, vec![Scope::Clerk]);
    world.rejected(&[org("hospital")], &body, rejection::UNKNOWN_KEY);
    world.keys.insert(org("hospital"), "new-root");
    world.accepted(&[org("hospital")], &body);
}

#[test]
fn a_governing_key_that_expired_or_lacks_the_scope_does_not_count() {
    let mut world = World::new();
    world.wait(701 * DAY);
    let expected: Code = rejection::KEY_EXPIRED;
    world.rejected(&World::governing(), &insurer(), expected);
    world.keys.insert(org("bureau"), "bureau-root");
    world.keys.insert(org("authority"), "authority-root");
    world.keys.insert(org("regulator"), "regulator-root");
    world.accepted(&World::governing(), &insurer());
}

/// The bureau has two keys: a machine countersigns, a clerk acts at a desk.
fn with_two_keys() -> World {
    let mut world = World::new();
    let revoke = RevokeKey { organisation: organisation("bureau"), key: public("bureau") };
    world.accepted(&World::governing(), &revoke);
    world.keys.insert(org("bureau"), "bureau-root");
    for (name, scope) in [("machine", Scope::Countersign), ("clerk", Scope::Clerk)] {
        let key = AuthoriseKey {
            organisation: organisation("bureau"),
            key: public(name),
            ..authorise(&world, vec![scope])
        };
        world.accepted(&[org("bureau")], &key);
    }
    world
}

#[test]
fn an_organisation_signs_with_a_key_for_each_thing_it_does() {
    let mut world = with_two_keys();
    let judged = |world: &mut World, keys: &'static str, scope| {
        world.keys.insert(org("bureau"), keys);
        let body = authorise(world, vec![Scope::Clerk]);
        let content = world.content(org("bureau"), &body);
        let transaction = world.sign(&content, &[org("bureau")]);
        let plans = PlanMemo::default();
        let (chain_id, time) = (world.ledger.chain_id(), world.now);
        let (transaction, plans) = (&transaction, &plans);
        let validators = &world.ledger.tip().validators;
        let context = Context { chain_id, height: 1, time, transaction, validators, plans };
        view::require_signed_key(&context, world.ledger.state(), organisation("bureau"), scope)
            .map(|(_, key)| key)
            .map_err(|rejection| rejection.code.name)
    };
    let missing = rejection::SCOPE_MISSING.name;
    for (keys, scope, expected) in [
        ("machine", Scope::Countersign, Ok(public("machine"))),
        ("machine", Scope::Clerk, Err(missing)),
        ("clerk", Scope::Countersign, Err(missing)),
        ("machine+clerk", Scope::Countersign, Ok(public("machine"))),
        ("machine+clerk", Scope::Clerk, Ok(public("clerk"))),
        ("machine+clerk", Scope::Settle, Err(missing)),
        ("machine+stranger", Scope::Countersign, Ok(public("machine"))),
        ("stranger", Scope::Countersign, Err(rejection::UNKNOWN_KEY.name)),
    ] {
        assert_eq!(judged(&mut world, keys, scope), expected, "{keys} {scope:?}");
    }
}

#[test]
fn an_organisations_passkey_counts_only_on_a_page_of_this_network() {
    let mut world = World::new();
    let rotate =
        RotateRootKey { organisation: organisation("hospital"), root_key: public("passkey:root") };
    world.accepted(&World::governing(), &rotate);
    world.keys.insert(org("hospital"), "passkey:root");
    let body = authorise(&world, vec![Scope::Clerk]);
    world.page.origin = "https://phishing.example";
    world.rejected(&[org("hospital")], &body, rejection::FOREIGN_PAGE);
    world.page.origin = "http://localhost:8420";
    world.page.rp_id = "example.org";
    world.rejected(&[org("hospital")], &body, rejection::FOREIGN_PAGE);
    world.page.rp_id = "localhost";
    world.accepted(&[org("hospital")], &body);
}
