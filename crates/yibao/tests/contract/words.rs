//! `vectors/words.json`: the closed lists of words with the numbers that stand on the ledger.

use benefit::{Category, ItemClass, Payer, VisitType};
use serde_json::{Map, Value, json};

use crate::golden::check_json;

fn numbers(words: impl Iterator<Item = (&'static str, u8)>) -> Value {
    Value::Object(words.map(|(name, number)| (name.to_owned(), json!(number))).collect())
}

#[test]
fn words_are_as_committed() {
    let lists = Map::from_iter([
        (
            "category".to_owned(),
            numbers(Category::ALL.iter().map(|one| (one.name(), one.number()))),
        ),
        (
            "item_class".to_owned(),
            numbers(ItemClass::ALL.iter().map(|one| (one.name(), one.number()))),
        ),
        ("payer".to_owned(), numbers(Payer::ALL.iter().map(|one| (one.name(), one.number())))),
        (
            "visit_type".to_owned(),
            numbers(VisitType::ALL.iter().map(|one| (one.name(), one.number()))),
        ),
    ]);
    let about = "words of the closed lists, and their numbers in borsh; numbers are never reused";
    check_json("vectors/words.json", &json!({ "about": about, "words": lists }));
}
