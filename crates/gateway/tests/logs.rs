//! What the gateway writes into logs: operation names, statuses and request ids, and nobody's data.
//!
//! A test of its own process, because the log of a process is one.

#[path = "api/support/mod.rs"]
#[allow(dead_code, reason = "the support is shared with the tests of the API")]
mod support;

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use gateway::port::SubmitError;
use serde_json::json;
use support::{Ask, World, id_of, organisation, person};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn logs_name_operations_and_requests_and_nobody() {
    let lines = Lines::default();
    let writer = lines.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .init();
    let world = World::new();
    let token = world.token(person(1));
    let own = id_of(person(1));
    let kept = world.ask(&Ask::get(format!("/v1/persons/{own}")).token(&token)).expect(200);
    let request = kept.header("x-request-id").to_owned();
    world.ask(&Ask::get(format!("/v1/persons/{own}"))).problem(401, "session_missing");
    let wrong = world.sign_in_with(person(2), "a stranger");
    world.ask(&wrong).problem(401, "sign_in_refused");
    let lock = json!({ "person": own, "by": "own_key" });
    let content = world.content(person(1), "lock_person", lock);
    let ask = world.submit(&content, &[person(1)]).token(&token);
    world.port.refuse_next(SubmitError::Stopped);
    world.ask(&ask).problem(503, "unavailable");
    world.ask(&ask).expect(201);
    world.token(organisation("hospital"));
    let text = lines.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let text = String::from_utf8(text).unwrap();
    for there in ["get_person", "submit_transaction", "unavailable", &request] {
        assert!(text.contains(there), "{there} is not in\n{text}");
    }
    let key = support::keys::public("hospital").to_string();
    let id = content.id().to_string();
    for personal in [own.as_str(), &id_of(person(2)), &token, &id, &key, "/v1/persons"] {
        assert!(!text.contains(personal), "{personal} is in\n{text}");
    }
}
