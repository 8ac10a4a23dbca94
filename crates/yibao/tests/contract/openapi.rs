//! The contract for clients: OpenAPI and the names of events.

use std::collections::BTreeSet;

use ledger::modules::MODULES;
use serde_json::{Value, json};

use crate::golden::{check, check_json};

#[test]
fn the_committed_openapi_is_what_the_gateway_serves() {
    check_json("contract/openapi.json", &gateway::openapi(&ledger::registry()));
}

#[test]
fn the_committed_messages_are_those_of_the_national_interface() {
    check_json("contract/nhsa-messages.json", &gateway::nhsa::messages());
    check("docs/guide/hospital-it-messages.md", &gateway::nhsa::reference());
}

#[test]
fn the_committed_events_are_those_of_the_ledger() {
    let events: Vec<Value> = MODULES
        .iter()
        .flat_map(|module| module.events.iter().map(move |event| (module.name, event)))
        .map(|(module, event)| {
            json!({
                "name": event.name,
                "module": module,
                "meaning": event.words,
                "concerns": event.concerns,
            })
        })
        .collect();
    let names: BTreeSet<&str> = events.iter().filter_map(|one| one["name"].as_str()).collect();
    assert_eq!(names.len(), events.len(), "names are unique");
    let about = "what a receipt tells those whom it concerns; the signers are always concerned";
    check_json("contract/events.json", &json!({ "about": about, "events": events }));
}

#[test]
fn every_reference_in_the_contract_leads_somewhere() {
    let contract = gateway::openapi(&ledger::registry());
    let mut open = vec![&contract];
    let mut checked = 0;
    while let Some(value) = open.pop() {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(reference)) = members.get("$ref") {
                    let pointer = reference.strip_prefix('#').expect("references stay inside");
                    assert!(contract.pointer(pointer).is_some(), "{reference}");
                    checked += 1;
                }
                open.extend(members.values());
            }
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
    assert!(checked > 100, "{checked} references");
}
