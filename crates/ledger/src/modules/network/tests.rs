#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]
use super::*;
use crate::kernel::transaction::AUTHORISATIONS_MAX;
use crate::modules::organisation::{OrganisationKind, rejection as organisations};
use crate::testing::{REGION, World, fen, organisation, settings};
use alloc::{format, vec, vec::Vec};
use primitives::{Currency, Party, RegionId, Text, UtcOffset};

fn dingxi() -> OpenRegion {
    OpenRegion {
        region: RegionId(621_100),
        bureau: organisation("bureau"),
        currency: Currency::CNY,
        settings: settings(),
    }
}

#[test]
fn a_region_is_opened_once_with_an_admitted_bureau() {
    let mut world = World::new();
    let unknown = OpenRegion { bureau: organisation("nobody"), ..dingxi() };
    world.rejected(&World::governing(), &unknown, organisations::UNKNOWN_ORGANISATION);
    world.accepted(&World::governing(), &dingxi());
    world.rejected(&World::governing(), &dingxi(), rejection::REGION_EXISTS);
}

#[test]
fn settings_keep_to_their_ranges() {
    let mut world = World::new();
    let set = |change: fn(&mut RegionSettings)| {
        let mut settings = settings();
        change(&mut settings);
        SetRegion { region: REGION, settings }
    };
    let governing = World::governing();
    let offset = set(|settings| settings.utc_offset_minutes = UtcOffset(841));
    world.rejected(&governing, &offset, rejection::INVALID_OFFSET);
    let failures = set(|settings| settings.pin_failures_max = 0);
    world.rejected(&governing, &failures, rejection::INVALID_SETTING);
    let limits = set(|settings| settings.desk_payment_max = fen(100_001));
    world.rejected(&governing, &limits, rejection::INVALID_SETTING);
    world.accepted(&governing, &set(|settings| settings.pin_failures_max = 10));
    let unknown = SetRegion { region: RegionId(1), settings: settings() };
    world.rejected(&governing, &unknown, rejection::UNKNOWN_REGION);
}

#[test]
fn the_governing_set_is_changed_by_itself_only() {
    let mut world = World::new();
    let governing = World::governing();
    let smaller = SetGoverningSet { members: vec![organisation("bureau")] };
    world.rejected(&governing[..1], &smaller, rejection::NO_GOVERNING_QUORUM);
    for members in [vec![], vec![organisation("bureau"); 2], vec![organisation("nobody")]] {
        world.rejected(&governing, &SetGoverningSet { members }, rejection::INVALID_GOVERNING_SET);
    }
    world.accepted(&governing, &smaller);
    world.accepted(&governing[..1], &dingxi());
}

#[test]
fn web_origins_are_https_or_the_demonstration() {
    let mut world = World::new();
    let governing = World::governing();
    let set = |origin: &str| SetWebOrigins { origins: vec![Text::new(origin).unwrap()] };
    for origin in
        ["http://example.org", "https://", "https://a/b", "http://localhost.evil.org", "wallet"]
    {
        world.rejected(&governing, &set(origin), rejection::INVALID_ORIGIN);
    }
    world.rejected(&governing, &SetWebOrigins { origins: vec![] }, rejection::INVALID_ORIGIN);
    world.accepted(&governing, &set("https://wallet.example.org"));
}

#[test]
fn the_largest_governing_set_can_still_act() {
    let mut world = World::new();
    let code = |number: usize| format!("body-{number}");
    let members: Vec<_> = (0..GOVERNING_MAX).map(|number| organisation(&code(number))).collect();
    for number in 0..GOVERNING_MAX {
        world.admit(&code(number), OrganisationKind::Regulator, None);
    }
    let mut more = members.clone();
    more.push(organisation("bureau"));
    let governing = World::governing();
    let too_many = SetGoverningSet { members: more };
    world.rejected(&governing, &too_many, rejection::INVALID_GOVERNING_SET);
    world.accepted(&governing, &SetGoverningSet { members: members.clone() });
    let parties: Vec<Party> = members.into_iter().map(Party::Organisation).collect();
    let few = &parties[..AUTHORISATIONS_MAX - 1];
    world.rejected(few, &dingxi(), rejection::NO_GOVERNING_QUORUM);
    world.accepted(&parties[..AUTHORISATIONS_MAX], &dingxi());
}
