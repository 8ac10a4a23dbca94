//! Bodies of any kind, made from nothing but the kind's own JSON schema.

use alloc::{format, string::String, vec::Vec};
use primitives::sha256;
use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};

use crate::kernel::registry::KindEntry;
use crate::testing::public;

/// Numbers that look random and are the same in every run.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(name: &str, seed: u64) -> Self {
        let mixed = sha256(format!("{name}/{seed}").as_bytes()).0;
        Self(u64::from_le_bytes(mixed[..8].try_into().unwrap()))
    }

    /// The next number (SplitMix64).
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    fn of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }
}

/// A JSON body that the kind's schema allows.
pub(super) fn body(kind: &KindEntry, seed: u64) -> Value {
    let mut generator = SchemaGenerator::default();
    let schema = (kind.schema)(&mut generator).to_value();
    let definitions = generator.take_definitions(true);
    let mut dice = Dice::new(kind.name, seed);
    Sampler { definitions, kind: kind.name }.sample(&schema, &mut dice, 0)
}

struct Sampler {
    definitions: Map<String, Value>,
    kind: &'static str,
}

impl Sampler {
    fn sample(&self, schema: &Value, dice: &mut Dice, depth: usize) -> Value {
        assert!(depth < 24, "the schema of `{}` nests too deeply", self.kind);
        if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
            let name = name.rsplit('/').next().unwrap();
            return self.sample(&self.definitions[name], dice, depth + 1);
        }
        if let Some(value) = schema.get("const") {
            return value.clone();
        }
        if let Some(values) = schema.get("enum").and_then(Value::as_array) {
            return dice.of(values).clone();
        }
        for choice in ["oneOf", "anyOf"] {
            if let Some(choices) = schema.get(choice).and_then(Value::as_array) {
                let chosen = self.sample(dice.of(choices), dice, depth + 1);
                return self.with_properties(chosen, schema, dice, depth);
            }
        }
        self.of_type(schema, dice, depth)
    }

    fn of_type(&self, schema: &Value, dice: &mut Dice, depth: usize) -> Value {
        let types: Vec<&str> = match &schema["type"] {
            Value::String(one) => [one.as_str()].into(),
            Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
            _ => panic!("`{}` has a schema without a type: {schema}", self.kind),
        };
        match *dice.of(&types) {
            "null" => Value::Null,
            "boolean" => json!(dice.below(2) == 1),
            "integer" => integer(schema, dice),
            "string" => self.string(schema, dice),
            "array" => self.array(schema, dice, depth),
            "object" => self.with_properties(json!({}), schema, dice, depth),
            other => panic!("`{}` uses the JSON type `{other}`", self.kind),
        }
    }

    fn with_properties(&self, base: Value, schema: &Value, dice: &mut Dice, depth: usize) -> Value {
        let (Some(properties), Value::Object(mut object)) =
            (schema.get("properties").and_then(Value::as_object), base.clone())
        else {
            return base;
        };
        let required: Vec<&str> = schema["required"]
            .as_array()
            .map(|names| names.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default();
        for (name, property) in properties {
            if required.contains(&name.as_str()) || dice.below(2) == 1 {
                object.insert(name.clone(), self.sample(property, dice, depth + 1));
            }
        }
        Value::Object(object)
    }

    fn array(&self, schema: &Value, dice: &mut Dice, depth: usize) -> Value {
        let bound = |name: &str, otherwise: u64| {
            schema.get(name).and_then(Value::as_u64).unwrap_or(otherwise) as usize
        };
        let least = bound("minItems", 0);
        let most = bound("maxItems", 3).min(least + 3);
        let length = least + dice.below(most - least + 1);
        let mut items: Vec<Value> = Vec::new();
        for place in 0..length {
            let tuple = schema.get("prefixItems").and_then(|items| items.get(place));
            let item = self.sample(tuple.unwrap_or(&schema["items"]), dice, depth + 1);
            if schema.get("uniqueItems").is_none() || !items.contains(&item) {
                items.push(item);
            }
        }
        Value::Array(items)
    }

    fn string(&self, schema: &Value, dice: &mut Dice) -> Value {
        let Some(pattern) = schema.get("pattern").and_then(Value::as_str) else {
            let longest = schema.get("maxLength").and_then(Value::as_u64).unwrap_or(8) as usize;
            return json!("sampled!"[..dice.below(longest.min(8) + 1)]);
        };
        let digits = |dice: &mut Dice, count: usize| -> String {
            (0..count).map(|_| *dice.of(b"0123456789abcdef") as char).collect()
        };
        let organisation = |dice: &mut Dice| -> &str {
            dice.of::<&str>(&["bureau", "authority", "regulator", "hospital", "insurer", "nobody"])
        };
        let person = |dice: &mut Dice| format!("{:02x}", dice.below(6)).repeat(16);
        json!(match pattern {
            "^[0-9a-f]{64}$" => digits(dice, 64),
            "^[0-9a-f]{32}$" => person(dice),
            "^[a-z][a-z0-9-]{0,15}$" => organisation(dice).into(),
            "^(0|[1-9][0-9]{0,19})$" => match dice.below(64) {
                0 => format!("{}", u64::MAX),
                _ => (*dice.of(&["0", "1", "500", "100000"])).into(),
            },
            "^[A-Z]{3}$" => (*dice.of(&["CNY", "JPY", "USD", "EUR"])).into(),
            "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" => {
                (*dice.of(&["2026-01-01", "2026-01-05", "2024-02-29", "0001-01-01", "9999-12-31"]))
                    .into()
            }
            "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z$" => {
                (*dice.of(&["2026-01-02T03:04:05.678Z", "1970-01-01T00:00:00.000Z"])).into()
            }
            "^[0-9]+(\\.[0-9]{1,6})?$" => (*dice.of(&["4.8123", "1", "712.345678"])).into(),
            "^[0-9]+(\\.[0-9]{1,6})?%?$" => (*dice.of(&["0", "0.85", "85%", "1"])).into(),
            "^(ed25519:[0-9a-f]{64}|(p256|sm2):[0-9a-f]{128})$" => match dice.below(3) {
                0 => format!("{}", public("bureau")),
                1 => format!("p256:{}", digits(dice, 128)),
                _ => format!("sm2:{}", digits(dice, 128)),
            },
            "^(organisation:[a-z][a-z0-9-]{0,15}|person:[0-9a-f]{32})$" => match dice.below(2) {
                0 => format!("organisation:{}", organisation(dice)),
                _ => format!("person:{}", person(dice)),
            },
            "^([0-9a-f]{2})*$" => {
                let length = dice.below(40);
                digits(dice, 2 * length)
            }
            other => panic!(
                "`{}` has a string with the pattern `{other}`; say an example here",
                self.kind
            ),
        })
    }
}

fn integer(schema: &Value, dice: &mut Dice) -> Value {
    let format = schema.get("format").and_then(Value::as_str).unwrap_or("int64");
    let (least, most): (i64, i64) = match format {
        "uint8" => (0, i64::from(u8::MAX)),
        "uint16" => (0, i64::from(u16::MAX)),
        "uint32" => (0, i64::from(u32::MAX)),
        "int16" => (i64::from(i16::MIN), i64::from(i16::MAX)),
        "int32" => (i64::from(i32::MIN), i64::from(i32::MAX)),
        "uint64" | "uint" => (0, i64::MAX),
        _ => (i64::MIN, i64::MAX),
    };
    let least = schema.get("minimum").and_then(Value::as_i64).unwrap_or(least).max(least);
    let most = schema.get("maximum").and_then(Value::as_i64).unwrap_or(most).min(most);
    let likely = [0, 1, 2, 3, 12, 310, 390, 480, 2026, 620_100, least, most];
    let fitting: Vec<i64> =
        likely.into_iter().filter(|number| (least..=most).contains(number)).collect();
    json!(dice.of(&fitting))
}
