//! `vectors/words.json`: the closed lists of words with the numbers that stand on the ledger.

use benefit::{
    Category, Filing, HospitalLevel, ItemClass, Network, Payer, PersonClass, Place, Sex, VisitType,
};
use serde_json::{Map, Value, json};

use crate::golden::check_json;

fn numbers(words: impl Iterator<Item = (&'static str, u8)>) -> Value {
    Value::Object(words.map(|(name, number)| (name.to_owned(), json!(number))).collect())
}

macro_rules! list {
    ($name:literal, $word:ident) => {
        ($name.to_owned(), numbers($word::ALL.iter().map(|one| (one.name(), one.number()))))
    };
}

#[test]
fn words_are_as_committed() {
    let lists = Map::from_iter([
        list!("category", Category),
        list!("filing", Filing),
        list!("hospital_level", HospitalLevel),
        list!("item_class", ItemClass),
        list!("network", Network),
        list!("payer", Payer),
        list!("person_class", PersonClass),
        list!("place", Place),
        list!("sex", Sex),
        list!("visit_type", VisitType),
    ]);
    let about = "words of the closed lists, and their numbers in borsh; numbers are never reused";
    check_json("vectors/words.json", &json!({ "about": about, "words": lists }));
}
