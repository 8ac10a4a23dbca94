#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]
use super::*;
use crate::kernel::transaction::AUTHORISATIONS_MAX;
use crate::modules::organisation::{OrganisationKind, rejection as organisations};
use crate::testing::{REGION, World, fen, organisation, public, settings};
use alloc::{format, vec, vec::Vec};
use primitives::{Currency, Party, RegionId, Text, UtcOffset, sha256};
use proof::receipt::OutcomeCode;

fn dingxi() -> OpenRegion {
    OpenRegion {
        region: RegionId(621_100),
        bureau: organisation("dingxi"),
        currency: Currency::CNY,
        settings: settings(),
    }
}

#[test]
fn a_region_is_opened_once_with_a_bureau_that_was_admitted_for_it() {
    let mut world = World::new();
    let governing = World::governing();
    world.rejected(&governing, &dingxi(), organisations::UNKNOWN_ORGANISATION);
    world.admit_in(dingxi().region, "dingxi", OrganisationKind::Bureau, None);
    let regulator = OpenRegion { bureau: organisation("regulator"), ..dingxi() };
    world.rejected(&governing, &regulator, organisations::WRONG_KIND);
    let others = OpenRegion { bureau: organisation("bureau"), ..dingxi() };
    world.rejected(&governing, &others, rejection::BUREAU_OF_ANOTHER_REGION);
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
    let settings = SetRegion { region: REGION, settings: settings() };
    world.accepted(&governing[..1], &settings);
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
    let settings = SetRegion { region: REGION, settings: settings() };
    world.rejected(few, &settings, rejection::NO_GOVERNING_QUORUM);
    world.accepted(&parties[..AUTHORISATIONS_MAX], &settings);
}

/// A node of this organisation that signs with the key named `CODE-node`.
fn node(code: &str) -> NodeRow {
    let contact = Contact {
        name: sha256(code.as_bytes()),
        address: Text::new(&format!("{code}.example.cn:7410")).unwrap(),
    };
    let key = public(&format!("{code}-node"));
    NodeRow { organisation: organisation(code), contact: Some(contact), key, renew_by: None }
}

fn members(codes: &[&str]) -> Vec<Member> {
    codes.iter().map(|code| Member { organisation: organisation(code), power: 1 }).collect()
}

/// The change from the present validators to these.
fn change(world: &World, codes: &[&str]) -> SetValidators {
    SetValidators { present: world.ledger.tip().validators.hash(), members: members(codes) }
}

/// A ledger of the bureau alone, on which four more have nodes.
fn with_nodes() -> World {
    let mut world = World::new();
    for code in ["tax", "finance", "audit", "insurer"] {
        world.admit(code, OrganisationKind::Regulator, None);
        world.accepted(&World::governing(), &AdmitNode { node: node(code) });
    }
    world
}

const FOUR: [&str; 4] = ["audit", "bureau", "finance", "tax"];

#[test]
fn a_ledger_grows_from_one_validator_to_four_at_a_height() {
    let mut world = with_nodes();
    let governing = World::governing();
    let before = world.ledger.tip().validators.clone();
    let grow = change(&world, &FOUR);
    world.rejected(&governing[..1], &grow, rejection::NO_GOVERNING_QUORUM);
    world.accepted(&governing, &grow);
    let after = world.ledger.tip().validators.clone();
    assert_eq!(before.validators().len(), 1);
    let keys: Vec<_> = after.validators().iter().map(|one| one.key).collect();
    // The bureau has no node on the ledger: it keeps the key that genesis names.
    let named = ["audit-node", "bureau", "finance-node", "tax-node"];
    assert_eq!(keys, named.map(public));
    // What was decided about other validators meanwhile is not undone.
    world.rejected(&governing, &grow, rejection::VALIDATORS_CHANGED);
}

#[test]
fn a_change_of_the_validators_holds_from_the_next_block_on() {
    let mut world = with_nodes();
    let governing = World::governing();
    let grow = change(&world, &FOUR);
    let content = world.content(governing[0], &grow);
    let grow = world.sign(&content, &governing);
    let before = world.ledger.tip().validators.hash();
    let outcome = world.ledger.execute(world.now, &[grow]);
    assert_ne!(outcome.header.next_validators, before);
    assert_eq!(outcome.header.next_validators, outcome.tip().validators.hash());
    // The block itself is certified by those whom its parent names.
    assert_eq!(world.ledger.tip().validators.hash(), before);
}

#[test]
fn nobody_becomes_indispensable() {
    let mut world = with_nodes();
    let governing = World::governing();
    for codes in [&FOUR[..2], &FOUR[..3]] {
        let few = change(&world, codes);
        world.rejected(&governing, &few, rejection::QUORUM_AT_RISK);
    }
    let mut heavy = change(&world, &FOUR);
    heavy.members[0].power = 2;
    world.rejected(&governing, &heavy, rejection::QUORUM_AT_RISK);
    let grow = change(&world, &FOUR);
    world.accepted(&governing, &grow);
    let three = change(&world, &FOUR[..3]);
    world.rejected(&governing, &three, rejection::QUORUM_AT_RISK);
    for members in [vec![], members(&["bureau", "bureau"]), {
        let mut members = members(&FOUR);
        members[0].power = 0;
        members
    }] {
        let wrong = SetValidators { members, ..change(&world, &FOUR) };
        world.rejected(&governing, &wrong, rejection::INVALID_VALIDATORS);
    }
    // One in the place of another, and a fifth, are fine; so is giving it back to one alone.
    for codes in [
        &["audit", "bureau", "finance", "insurer"][..],
        &["audit", "bureau", "finance", "insurer", "tax"],
        &["bureau"],
    ] {
        let fine = change(&world, codes);
        world.accepted(&governing, &fine);
    }
}

#[test]
fn a_validator_has_a_node_and_an_organisation() {
    let mut world = with_nodes();
    let governing = World::governing();
    let unknown = change(&world, &["audit", "bureau", "finance", "hospital"]);
    world.rejected(&governing, &unknown, rejection::UNKNOWN_NODE);
    let nobody = change(&world, &["audit", "bureau", "finance", "nobody"]);
    world.rejected(&governing, &nobody, organisations::UNKNOWN_ORGANISATION);
    let nobody = AdmitNode { node: node("nobody") };
    world.rejected(&governing, &nobody, organisations::UNKNOWN_ORGANISATION);
}

#[test]
fn a_node_is_somewhere_and_nobody_elses() {
    let mut world = with_nodes();
    let governing = World::governing();
    let mut nowhere = node("hospital");
    nowhere.contact = None;
    world.rejected(&governing, &AdmitNode { node: nowhere }, rejection::INVALID_NODE);
    for address in ["hospital.example.cn", ":7410", "a b:7410", "host:0", "host:99999"] {
        let mut wrong = node("hospital");
        wrong.contact.as_mut().unwrap().address = Text::new(address).unwrap();
        world.rejected(&governing, &AdmitNode { node: wrong }, rejection::INVALID_NODE);
    }
    let mut taken = node("hospital");
    taken.contact.as_mut().unwrap().name = sha256(b"tax");
    world.rejected(&governing, &AdmitNode { node: taken }, rejection::INVALID_NODE);
    world.rejected(
        &governing[..1],
        &AdmitNode { node: node("hospital") },
        rejection::NO_GOVERNING_QUORUM,
    );
    world.accepted(&governing, &AdmitNode { node: node("hospital") });
    // Another machine of the same organisation takes its place.
    let mut moved = node("hospital");
    moved.contact.as_mut().unwrap().address = Text::new("10.0.0.9:7410").unwrap();
    world.accepted(&governing, &AdmitNode { node: moved.clone() });
    let nodes = view::nodes(world.ledger.state());
    assert_eq!(nodes.iter().filter(|one| one.organisation == moved.organisation).count(), 1);
    assert!(nodes.contains(&moved));
}

#[test]
fn a_node_leaves_when_it_does_not_decide() {
    let mut world = with_nodes();
    let governing = World::governing();
    let grow = change(&world, &FOUR);
    world.accepted(&governing, &grow);
    let remove = |code: &str| RemoveNode { organisation: organisation(code) };
    world.rejected(&governing, &remove("tax"), rejection::NODE_VALIDATES);
    world.rejected(&governing, &remove("hospital"), rejection::UNKNOWN_NODE);
    world.rejected(&governing[..1], &remove("insurer"), rejection::NO_GOVERNING_QUORUM);
    let replace = change(&world, &["audit", "bureau", "finance", "insurer"]);
    world.accepted(&governing, &replace);
    world.accepted(&governing, &remove("tax"));
    world.rejected(&governing, &remove("tax"), rejection::UNKNOWN_NODE);
}

#[test]
fn a_validators_key_changes_by_its_root_key_or_by_those_who_govern() {
    let mut world = with_nodes();
    let governing = World::governing();
    let grow = change(&world, &FOUR);
    world.accepted(&governing, &grow);
    let key_of = |world: &World, code: &str| {
        world.ledger.tip().validators.get(organisation(code)).map(|one| one.key)
    };
    let rotate = |code: &str, key: &str| RotateNodeKey {
        organisation: organisation(code),
        key: public(key),
        renew_by: None,
    };
    let tax = Party::Organisation(organisation("tax"));
    world.rejected(&[tax], &rotate("tax", "tax-2"), organisations::UNKNOWN_KEY);
    world.keys.insert(tax, "tax-root");
    world.accepted(&[tax], &rotate("tax", "tax-2"));
    assert_eq!(key_of(&world, "tax"), Some(public("tax-2")));
    // The machine is lost with its root key: those who govern help, and a second time by
    // admitting its node anew.
    world.accepted(&governing, &rotate("tax", "tax-3"));
    assert_eq!(key_of(&world, "tax"), Some(public("tax-3")));
    world.accepted(&governing, &AdmitNode { node: node("tax") });
    assert_eq!(key_of(&world, "tax"), Some(public("tax-node")));
    // A validator that genesis names has a key of its own as well.
    world.accepted(&governing, &rotate("bureau", "bureau-2"));
    assert_eq!(key_of(&world, "bureau"), Some(public("bureau-2")));
    let taken = rotate("tax", "bureau-2");
    world.rejected(&governing, &taken, rejection::INVALID_VALIDATORS);
    world.rejected(&governing, &rotate("hospital", "new"), rejection::UNKNOWN_NODE);
}

#[test]
fn two_changes_in_one_block_know_of_each_other() {
    let mut world = with_nodes();
    let governing = World::governing();
    let bodies =
        [change(&world, &FOUR), change(&world, &["audit", "bureau", "finance", "insurer"])];
    let signed: Vec<_> = bodies
        .iter()
        .map(|body| {
            let content = world.content(governing[0], body);
            world.sign(&content, &governing)
        })
        .collect();
    let outcome = world.ledger.execute(world.now, &signed);
    let fine = |place: usize| outcome.receipts[place].record.outcome == OutcomeCode::Accepted;
    assert!(fine(0) && !fine(1));
    assert!(outcome.tip().validators.get(organisation("tax")).is_some());
}

#[test]
fn an_upgrade_is_announced_in_time_and_taken_back_before_its_height() {
    let mut world = World::new();
    let governing = World::governing();
    let at = |height, protocol| ScheduleUpgrade { upgrade: Upgrade { height, protocol } };
    let next = world.ledger.tip().height + 1;
    world.rejected(&governing, &at(next + UPGRADE_BLOCKS_MIN - 1, 2), rejection::INVALID_UPGRADE);
    world.rejected(&governing, &at(next + 100, 3), rejection::INVALID_UPGRADE);
    world.rejected(&governing[..1], &at(next + 100, 2), rejection::NO_GOVERNING_QUORUM);
    world.accepted(&governing, &at(next + 100, 2));
    // Later is possible, and no upgrade as well.
    world.accepted(&governing, &at(next + 200, 2));
    let withdraw = |height| WithdrawUpgrade { height };
    world.rejected(&governing, &withdraw(next + 100), rejection::NO_UPGRADE);
    world.accepted(&governing, &withdraw(next + 200));
    world.rejected(&governing, &withdraw(next + 200), rejection::NO_UPGRADE);
    let height = world.ledger.tip().height + 1 + UPGRADE_BLOCKS_MIN;
    world.accepted(&governing, &at(height, 2));
    let upgrades = view::upgrades(world.ledger.state());
    assert_eq!((upgrades.protocol_at(height - 1), upgrades.protocol_at(height)), (1, 2));
    while world.ledger.tip().height < height {
        world.wait(1_000);
    }
    // It has happened: nothing is taken back, and the next one follows it.
    world.rejected(&governing, &withdraw(height), rejection::NO_UPGRADE);
    world.rejected(&governing, &at(height + 100, 2), rejection::INVALID_UPGRADE);
    world.accepted(&governing, &at(height + 100, 3));
    let upgrades = view::upgrades(world.ledger.state());
    assert_eq!((upgrades.protocol_at(height + 1), upgrades.protocol_at(height + 100)), (2, 3));
}
