//! What bodies hold and how much room a row takes.

use super::*;

/// Every string of a schema that has neither a pattern nor a closed list of words.
fn free_texts(schema: &serde_json::Value, at: &str, found: &mut Vec<alloc::string::String>) {
    if let Some(object) = schema.as_object() {
        let string = object.get("type").is_some_and(|kind| kind == "string");
        let bound = ["pattern", "enum", "const"].iter().any(|key| object.contains_key(*key));
        if string && !bound {
            found.push(at.into());
        }
        for (key, value) in object {
            free_texts(value, &format!("{at}/{key}"), found);
        }
    }
    for (place, value) in schema.as_array().into_iter().flatten().enumerate() {
        free_texts(value, &format!("{at}/{place}"), found);
    }
}

#[test]
fn bodies_hold_no_free_text() {
    let registry = crate::kernel::registry::registry();
    let about_persons = ["person", "coverage"];
    let mut looked_at = 0;
    for kind in registry.kinds().iter().filter(|kind| about_persons.contains(&kind.module)) {
        let mut generator = schemars::SchemaGenerator::default();
        let body = (kind.schema)(&mut generator).to_value();
        let parts = serde_json::to_value(generator.definitions()).unwrap();
        let mut found = Vec::new();
        free_texts(&body, kind.name, &mut found);
        free_texts(&parts, kind.name, &mut found);
        assert!(found.is_empty(), "{found:?}");
        looked_at += 1;
    }
    assert!(looked_at >= 15, "{looked_at} kinds");
}

#[test]
fn a_free_text_would_be_found() {
    let schema = serde_json::json!({ "properties": { "note": { "type": "string" } } });
    let mut found = Vec::new();
    free_texts(&schema, "body", &mut found);
    assert_eq!(found, ["body/properties/note"]);
}

#[test]
fn a_person_with_one_passkey_takes_little_room() {
    let key = NewKey { grade: KeyGrade::Passkey, ..device("passkey:alice") };
    let mut world = World::new();
    world.accepted(&bureau_and_authority(), &new_person(1, vec![key]));
    let bytes = primitives::codec::encode(&row(&world, ALICE)).len();
    assert!(bytes <= 144, "{bytes} bytes");
}
