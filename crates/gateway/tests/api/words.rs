//! Every problem and every kind has words in every language, and there are no words for what is
//! not.
//!
//! When one is missing, the failure prints what to add to which file.

use std::collections::BTreeSet;

use gateway::problem::{Language, code, words};

fn assert_same_keys<'a>(
    file: &str,
    needed: &BTreeSet<&str>,
    keys: impl Fn(Language) -> Box<dyn Iterator<Item = &'a String>>,
    stanza: impl Fn(&str) -> String,
) {
    let mut wrong = String::new();
    for language in Language::ALL {
        let there: BTreeSet<&str> = keys(language).map(String::as_str).collect();
        for missing in needed.difference(&there) {
            wrong.push_str(&format!(
                "add to locales/{}/{file}:\n{}\n",
                language.tag(),
                stanza(missing)
            ));
        }
        for extra in there.difference(needed) {
            wrong.push_str(&format!("take `{extra}` out of locales/{}/{file}\n", language.tag()));
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn every_problem_has_words_in_every_language() {
    let registry = ledger::registry();
    let rejections = registry.rejections();
    let needed: BTreeSet<&str> = code::ALL
        .iter()
        .map(|code| code.name)
        .chain(rejections.iter().map(|code| code.name))
        .collect();
    let english = |name: &str| {
        let words = rejections.iter().find(|code| code.name == name).map_or("", |code| code.words);
        format!("[{name}]\ntitle = \"{words}\"\nremedy = \"\"\n")
    };
    assert_same_keys(
        "problems.toml",
        &needed,
        |one| Box::new(words::problems(one).keys()),
        english,
    );
}

#[test]
fn every_kind_has_a_title_in_every_language() {
    let registry = ledger::registry();
    let needed: BTreeSet<&str> = registry.kinds().iter().map(|kind| kind.name).collect();
    let stanza = |name: &str| format!("{name} = \"\"");
    assert_same_keys("kinds.toml", &needed, |one| Box::new(words::kinds(one).keys()), stanza);
}

#[test]
fn the_index_page_has_the_same_words_in_every_language() {
    let needed: BTreeSet<&str> = words::index(Language::En).keys().map(String::as_str).collect();
    assert!(needed.contains("title"));
    let stanza = |name: &str| format!("{name} = \"\"");
    assert_same_keys("index.toml", &needed, |one| Box::new(words::index(one).keys()), stanza);
}

#[test]
fn every_notice_has_words_in_every_language_that_say_nothing_personal() {
    let abouts = adapters::notice::About::ALL.map(adapters::notice::About::name);
    let needed: BTreeSet<&str> = abouts.into_iter().chain(["code"]).collect();
    let stanza = |name: &str| format!("[{name}]\ntitle = \"\"\nbody = \"\"\n");
    assert_same_keys("notices.toml", &needed, |one| Box::new(words::notices(one).keys()), stanza);
    for language in Language::ALL {
        for (name, words) in words::notices(language) {
            // Nothing is filled in but a code, so nothing personal can be.
            let places = words.title.matches('{').count() + words.body.matches('{').count();
            assert_eq!(places, usize::from(name == "code"), "{name} in {}", language.tag());
            // A message with a link in it teaches people to follow links.
            assert!(!words.body.contains("http") && !words.title.contains("http"));
            let length = words.title.chars().count() + words.body.chars().count();
            assert!((8..=160).contains(&length), "{name} in {}", language.tag());
        }
        let code = words::phone_code(language, "123456");
        assert!(code.body.contains("123456") && !code.title.contains("123456"));
    }
}

#[test]
fn words_are_plain_and_name_a_remedy() {
    for language in Language::ALL {
        for (name, words) in words::problems(language) {
            for text in [&words.title, &words.remedy] {
                assert!(!text.trim().is_empty(), "{name} in {}", language.tag());
                assert!(!text.ends_with(['.', '。']), "{name} in {}: {text}", language.tag());
                assert!(text.chars().count() <= 160, "{name} in {}: {text}", language.tag());
            }
        }
    }
}

#[test]
fn the_languages_are_not_copies_of_each_other() {
    for (one, other) in [
        (Language::ZhHans, Language::ZhHant),
        (Language::ZhHans, Language::En),
        (Language::En, Language::De),
    ] {
        let (one, other) = (words::problems(one), words::problems(other));
        let same = one.iter().filter(|(name, words)| other[*name].title == words.title).count();
        assert!(same * 10 < one.len(), "{same} of {} titles are the same", one.len());
    }
}

#[test]
fn the_check_page_has_the_same_words_in_every_language() {
    let english = words::verify(Language::En);
    let needed: BTreeSet<&str> = english.keys().map(String::as_str).collect();
    let stanza = |key: &str| format!("\"{key}\" = \"...\"");
    assert_same_keys("verify.toml", &needed, |one| Box::new(words::verify(one).keys()), stanza);
    for language in Language::ALL {
        for (key, text) in words::verify(language) {
            let places = |text: &str| text.matches('{').count();
            assert_eq!(places(text), places(&english[key]), "{}: `{key}`", language.tag());
        }
    }
}
