//! The contract is OpenAPI 3.1 that holds together.

use std::collections::BTreeSet;

use gateway::openapi;
use serde_json::{Value, json};

use crate::support::{Ask, World};

/// Calls `visit` with every value and the path to it.
fn walk(path: &str, value: &Value, visit: &mut dyn FnMut(&str, &Value)) {
    visit(path, value);
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let name = name.replace('~', "~0").replace('/', "~1");
                walk(&format!("{path}/{name}"), member, visit);
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                walk(&format!("{path}/{at}"), item, visit);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn operations(contract: &Value) -> Vec<(&str, &str, &Value)> {
    let paths = contract["paths"].as_object().unwrap();
    paths
        .iter()
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().unwrap();
            methods
                .iter()
                .map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
        })
        .collect()
}

#[test]
fn the_same_registry_gives_the_same_bytes() {
    let (one, other) = (openapi(&ledger::registry()), openapi(&ledger::registry()));
    assert_eq!(one.to_string(), other.to_string());
}

#[test]
fn every_reference_leads_somewhere() {
    let contract = openapi(&ledger::registry());
    let mut broken = Vec::new();
    walk("", &contract, &mut |path, value| {
        if let Some(reference) = value.as_object().and_then(|object| object.get("$ref")) {
            let reference = reference.as_str().unwrap();
            let target = reference.strip_prefix('#').and_then(|target| contract.pointer(target));
            if target.is_none() {
                broken.push(format!("{path}: {reference}"));
            }
        }
    });
    assert_eq!(broken, [""; 0]);
}

#[test]
fn no_component_is_left_unused_and_none_has_a_number_for_a_name() {
    let contract = openapi(&ledger::registry());
    let mut used = BTreeSet::new();
    walk("", &contract, &mut |_, value| {
        if let Some(Value::String(reference)) = value.get("$ref") {
            used.insert(reference.replace("#/components/schemas/", ""));
        }
    });
    let schemas = contract["components"]["schemas"].as_object().unwrap();
    for name in schemas.keys() {
        assert!(used.contains(name), "`{name}` is not used");
        // Two types of one name would be told apart by a number behind it, which names nothing.
        let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
        assert!(stem == name || !schemas.contains_key(stem), "`{name}` and `{stem}`");
    }
}

#[test]
fn every_operation_is_whole() {
    let contract = openapi(&ledger::registry());
    assert_eq!(contract["openapi"], "3.1.0");
    let mut ids = BTreeSet::new();
    for (path, method, operation) in operations(&contract) {
        let id = operation["operationId"].as_str().unwrap();
        assert!(ids.insert(id), "`{id}` is there twice");
        assert!(!operation["summary"].as_str().unwrap().is_empty());
        let names: BTreeSet<&str> = path
            .split(['{', '}'])
            .enumerate()
            .filter(|(at, _)| at % 2 == 1)
            .map(|(_, name)| name)
            .collect();
        let empty = Vec::new();
        let parameters = operation["parameters"].as_array().unwrap_or(&empty);
        let declared: BTreeSet<&str> = parameters
            .iter()
            .filter(|parameter| parameter["in"] == "path")
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, declared, "{method} {path}");
        // Rotating says everything with its address.
        let has_body = ["post", "put"].contains(&method) && id != "rotate_session";
        assert_eq!(operation.get("requestBody").is_some(), has_body, "{id}");
        let responses = operation["responses"].as_object().unwrap();
        assert!(responses.keys().any(|status| status.starts_with('2')), "{id}");
        for status in ["500", "503", "504", "422"] {
            let content = &responses[status]["content"]["application/problem+json"];
            let problem = &content["schema"]["$ref"];
            assert_eq!(problem, "#/components/schemas/Problem", "{id} {status}");
        }
        let signed_in = operation["security"] == json!([{ "session": [] }]);
        assert_eq!(responses.contains_key("401"), signed_in || id == "create_session", "{id}");
    }
    assert_eq!(ids.len(), gateway::api::endpoints().len());
}

#[test]
fn every_kind_has_its_own_body_and_every_code_is_listed() {
    let registry = ledger::registry();
    let contract = openapi(&registry);
    let kinds = contract["components"]["schemas"]["KindAndBody"]["oneOf"].as_array().unwrap();
    let names: Vec<&str> = kinds
        .iter()
        .map(|kind| {
            assert!(kind["properties"]["body"]["$ref"].is_string(), "{kind}");
            kind["properties"]["kind"]["const"].as_str().unwrap()
        })
        .collect();
    let expected: Vec<&str> = registry.kinds().iter().map(|kind| kind.name).collect();
    assert_eq!(names, expected);
    let codes =
        contract["components"]["schemas"]["Problem"]["properties"]["code"]["enum"].as_array();
    let codes: BTreeSet<&str> = codes.unwrap().iter().map(|code| code.as_str().unwrap()).collect();
    assert!(codes.contains("session_missing") && codes.contains("insufficient_balance"));
}

#[test]
fn the_contract_is_served_as_it_is_generated() {
    let world = World::new();
    let served = world.ask(&Ask::get("/v1/openapi.json")).expect(200);
    assert_eq!(served.json(), openapi(&ledger::registry()));
    assert_eq!(served.header("content-type"), "application/json");
}
