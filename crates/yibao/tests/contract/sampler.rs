//! A body of any kind, made from nothing but the kind's JSON schema: the same in every run.

use ledger::kernel::registry::KindEntry;
use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};

/// How far apart the ends of a band are.
const BAND: usize = 40;

/// Which of the bodies that a schema allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fullness {
    /// What is optional is left out, lists are as short as may be, the first choice is taken.
    Least,
    /// What is optional is there, lists have two items, the last choice is taken.
    Full,
}

/// A JSON body that the kind's schema allows.
pub fn body(kind: &KindEntry, fullness: Fullness) -> Value {
    let mut generator = SchemaGenerator::default();
    let schema = (kind.schema)(&mut generator).to_value();
    let definitions = generator.take_definitions(true);
    Sampler { definitions, kind: kind.name, fullness }.sample(&schema, 0)
}

struct Sampler {
    definitions: Map<String, Value>,
    kind: &'static str,
    fullness: Fullness,
}

impl Sampler {
    fn is_full(&self) -> bool {
        self.fullness == Fullness::Full
    }

    fn choose<'a, T>(&self, choices: &'a [T]) -> &'a T {
        let chosen = if self.is_full() { choices.last() } else { choices.first() };
        chosen.unwrap_or_else(|| panic!("`{}` has a choice of nothing", self.kind))
    }

    /// `place` counts values, so that neighbours differ.
    fn sample(&self, schema: &Value, place: usize) -> Value {
        if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
            let name = name.rsplit('/').next().unwrap_or(name);
            return self.sample(&self.definitions[name], place);
        }
        if let Some(value) = schema.get("const") {
            return value.clone();
        }
        if let Some(values) = schema.get("enum").and_then(Value::as_array) {
            return self.choose(values).clone();
        }
        for choice in ["oneOf", "anyOf"] {
            if let Some(choices) = schema.get(choice).and_then(Value::as_array) {
                let is_null = |one: &&Value| one.get("type") == Some(&json!("null"));
                let useful: Vec<&Value> = choices.iter().filter(|one| !is_null(one)).collect();
                if !self.is_full() && useful.len() < choices.len() {
                    return Value::Null;
                }
                let choice: &Value = self.choose::<&Value>(&useful);
                let chosen = self.sample(choice, place);
                return self.with_properties(chosen, schema, place);
            }
        }
        self.of_type(schema, place)
    }

    fn of_type(&self, schema: &Value, place: usize) -> Value {
        let types: Vec<&str> = match &schema["type"] {
            Value::String(one) => vec![one],
            Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
            _ => panic!("`{}` has a schema without a type: {schema}", self.kind),
        };
        let is_null = types.contains(&"null") && !self.is_full();
        let chosen = types.into_iter().find(|one| (*one == "null") == is_null);
        match chosen.unwrap_or("null") {
            "null" => Value::Null,
            "boolean" => json!(self.is_full()),
            "integer" => self.integer(schema, place),
            "string" => self.string(schema, place),
            "array" => self.array(schema, place),
            "object" => self.with_properties(json!({}), schema, place),
            other => panic!("`{}` uses the JSON type `{other}`", self.kind),
        }
    }

    fn with_properties(&self, base: Value, schema: &Value, place: usize) -> Value {
        let (Some(properties), Value::Object(mut object)) =
            (schema.get("properties").and_then(Value::as_object), base.clone())
        else {
            return base;
        };
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        for (at, (name, property)) in properties.iter().enumerate() {
            if required.contains(&name.as_str()) || self.is_full() {
                // The upper end of a band lies above the lower one.
                let place = if name == "below" { place + BAND } else { place + at };
                object.insert(name.clone(), self.sample(property, place));
            }
        }
        Value::Object(object)
    }

    fn array(&self, schema: &Value, place: usize) -> Value {
        let bound = |name: &str| schema.get(name).and_then(Value::as_u64);
        let least = bound("minItems").unwrap_or(0);
        let wanted = if self.is_full() { 2 } else { 0 };
        let length = least.max(bound("maxItems").unwrap_or(wanted).min(wanted));
        let tuple = |at: u64| schema.get("prefixItems").and_then(|items| items.get(at as usize));
        let item =
            |at: u64| self.sample(tuple(at).unwrap_or(&schema["items"]), place + at as usize);
        let mut items: Vec<Value> = (0..length).map(item).collect();
        if schema.get("uniqueItems").is_some() {
            items.dedup();
        }
        Value::Array(items)
    }

    fn string(&self, schema: &Value, place: usize) -> Value {
        let hex = |bytes: usize| {
            let digit = char::from_digit(1 + (place % 15) as u32, 16).unwrap_or('f');
            String::from(digit).repeat(2 * bytes)
        };
        let codes = ["bureau", "hospital", "insurer"];
        let code = codes[place % codes.len()];
        let Some(pattern) = schema.get("pattern").and_then(Value::as_str) else {
            return json!(if self.is_full() { "text" } else { "t" });
        };
        json!(match pattern {
            "^[0-9a-f]{64}$" => hex(32),
            "^[0-9a-f]{32}$" => hex(16),
            "^[a-z][a-z0-9-]{0,15}$" => code.to_owned(),
            "^(0|[1-9][0-9]{0,19})$" => (100 + place).to_string(),
            "^[A-Z]{3}$" => "CNY".to_owned(),
            "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" => format!("2026-03-{:02}", 1 + place % 28),
            "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z$" => {
                format!("2026-03-{:02}T03:04:05.678Z", 1 + place % 28)
            }
            "^[0-9]+(\\.[0-9]{1,6})?%?$" => "0.85".to_owned(),
            "^[0-9]+(\\.[0-9]{1,6})?$" => "4.8123".to_owned(),
            "^(ed25519:[0-9a-f]{64}|(p256|sm2):[0-9a-f]{128})$" if self.is_full() => {
                format!("p256:{}", hex(64))
            }
            "^(ed25519:[0-9a-f]{64}|(p256|sm2):[0-9a-f]{128})$" => format!("ed25519:{}", hex(32)),
            "^(organisation:[a-z][a-z0-9-]{0,15}|person:[0-9a-f]{32})$" if self.is_full() => {
                format!("person:{}", hex(16))
            }
            "^(organisation:[a-z][a-z0-9-]{0,15}|person:[0-9a-f]{32})$" => {
                format!("organisation:{code}")
            }
            "^([0-9a-f]{2})*$" => hex(if self.is_full() { 5 } else { 0 }),
            other => panic!("`{}` has a string with the pattern `{other}`", self.kind),
        })
    }

    fn integer(&self, schema: &Value, place: usize) -> Value {
        let bound = |name: &str| schema.get(name).and_then(Value::as_i64);
        let least = bound("minimum").unwrap_or(0);
        let most = bound("maximum").unwrap_or(i64::from(u8::MAX));
        let wanted = (if self.is_full() { 3 + place } else { place / BAND }) as i64;
        json!(wanted.clamp(least, most))
    }
}
