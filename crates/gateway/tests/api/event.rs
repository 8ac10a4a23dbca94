//! Live events: only one's own, in order, resumed without a gap.

use serde_json::json;

use crate::support::events::Events;
use crate::support::{Ask, World, organisation, person};

fn lock(world: &World, number: u8) -> u64 {
    let id = person(number).to_string().replace("person:", "");
    let body = json!({ "person": id, "by": "own_key" });
    world.accepted(&[person(number)], "lock_person", body)
}

fn unlock(world: &World, number: u8) -> u64 {
    let id = person(number).to_string().replace("person:", "");
    world.accepted(&[person(number)], "ask_unlock", json!({ "person": id }))
}

#[test]
fn a_party_hears_of_its_own_receipts_and_of_nobody_elses() {
    let world = World::new();
    let (one, two) = (world.token(person(1)), world.token(person(2)));
    let mut first = Events::open(&world, &one, None);
    let mut second = Events::open(&world, &two, None);
    let of_two = lock(&world, 2);
    let of_one = lock(&world, 1);
    let (id, receipt) = first.take(&world).unwrap();
    assert_eq!((id, receipt["id"].as_u64()), (of_one, Some(of_one)));
    assert_eq!(receipt["events"], json!(["person_locked"]));
    assert_eq!(second.take(&world).unwrap().0, of_two);
}

#[test]
fn a_stream_resumes_behind_the_last_receipt_seen() {
    let world = World::new();
    let token = world.token(person(1));
    let mut stream = Events::open(&world, &token, None);
    let locked = lock(&world, 1);
    assert_eq!(stream.take(&world).unwrap().0, locked);
    drop(stream);
    let asked = unlock(&world, 1);
    let mut stream = Events::open(&world, &token, Some(&locked.to_string()));
    assert_eq!(stream.take(&world).unwrap().0, asked);
    let again = lock(&world, 1);
    assert_eq!(stream.take(&world).unwrap().0, again);
    let wrong = Ask::get("/v1/events").token(&token).with("last-event-id", "x");
    world.ask(&wrong).problem(400, "invalid_header");
}

#[test]
fn a_stream_ends_with_its_session() {
    let world = World::new();
    let token = world.token(person(1));
    let mut stream = Events::open(&world, &token, None);
    let mut other = Events::open(&world, &world.token(person(1)), None);
    // Nothing happens on the ledger, and the stream ends nevertheless.
    world.ask(&Ask::delete("/v1/session").token(&token)).expect(204);
    assert_eq!(stream.take(&world), None);
    let locked = lock(&world, 1);
    assert_eq!(other.take(&world).unwrap().0, locked);
}

#[test]
fn a_quiet_stream_ends_when_its_session_expires() {
    let config = gateway::Config {
        stream_keep_alive: std::time::Duration::from_millis(20),
        ..gateway::Config::default()
    };
    let world = World::with_config(config);
    let mut stream = Events::open(&world, &world.token(person(1)), None);
    world.clock.advance_millis(12 * 3_600_000);
    assert_eq!(stream.take(&world), None);
}

#[test]
fn streams_end_when_the_node_stops_and_none_begins_after() {
    let world = World::new();
    let token = world.token(organisation("bureau"));
    let mut stream = Events::open(&world, &token, None);
    (world.stop)();
    assert_eq!(stream.take(&world), None);
    world.ask(&Ask::get("/v1/events").token(&token)).problem(429, "too_many_requests");
}

#[test]
fn streams_are_limited_by_party_and_in_all_and_end_when_dropped() {
    let world = World::with_config(gateway::Config {
        streams_max: 3,
        streams_per_party_max: 2,
        ..gateway::Config::default()
    });
    let (one, two) = (world.token(person(1)), world.token(person(2)));
    let first = Events::open(&world, &one, None);
    let _second = Events::open(&world, &one, None);
    let more = |token: &str| world.ask(&Ask::get("/v1/events").token(token));
    more(&one).problem(429, "too_many_requests");
    let _third = Events::open(&world, &two, None);
    more(&two).problem(429, "too_many_requests");
    drop(first);
    assert_eq!(world.gateway.hub.count(), 2);
    let _fourth = Events::open(&world, &one, None);
}
