//! Particulars for programs: values by name, as JSON.

use primitives::Detail;
use serde_json::{Map, Value, json};

/// The values of a sentence by their names; a value alone is named `value`. What a sentence within
/// a sentence holds stands under the name of its place.
#[must_use]
pub fn members(detail: &Detail) -> Map<String, Value> {
    match detail {
        Detail::Sentence(sentence) => {
            sentence.values().map(|(name, one)| (name.to_owned(), value(one))).collect()
        }
        other => Map::from_iter([("value".to_owned(), value(other))]),
    }
}

fn value(detail: &Detail) -> Value {
    match detail {
        Detail::Text(text) => json!(text),
        Detail::Number(number) => json!(number),
        Detail::Date(day) => json!(day),
        Detail::Instant(time) => json!(time),
        Detail::Money(amount, currency) => json!({ "amount": amount, "currency": currency }),
        Detail::Word { name, .. } => json!(name),
        Detail::List(list) => list.iter().map(value).collect(),
        Detail::Sentence(_) => Value::Object(members(detail)),
    }
}
