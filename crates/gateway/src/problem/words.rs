//! The texts of `locales/`, read once. Every language has the same keys (tests in
//! `tests/words.rs`).

use std::collections::BTreeMap;
use std::sync::LazyLock;

use adapters::notice::Phrase;
use benefit::Messages;
use primitives::{Amount, Currency, Detail, detail::fill};
use serde::Deserialize;

use super::Language;

/// The words for one problem.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProblemWords {
    /// What is true: lower case where the language has it, no full stop.
    pub title: String,
    /// What to do.
    pub remedy: String,
}

/// The words of a notice.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoticeWords {
    /// The heading.
    pub title: String,
    /// The sentence.
    pub body: String,
}

/// Texts by key, of one language.
pub type Texts<T> = BTreeMap<String, T>;

struct Locale {
    problems: Texts<ProblemWords>,
    kinds: Texts<String>,
    index: Texts<String>,
    verify: Texts<String>,
    benefit: Messages,
    details: Details,
    audit_pack: &'static str,
    notices: Texts<NoticeWords>,
}

/// How particulars are said in a language.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Details {
    form: Form,
    /// Sentences by the English ones, which stand in the source; so English has none here.
    #[serde(default)]
    sentence: Texts<String>,
}

/// How parts are put together.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    /// Something and what is to be said about it.
    pair: String,
    /// What stands between the items of a list.
    list: String,
}

macro_rules! file {
    ($tag:literal, $name:literal) => {
        include_str!(concat!("../../../../locales/", $tag, "/", $name))
    };
}

macro_rules! locale {
    ($tag:literal) => {
        Locale {
            problems: read(file!($tag, "problems.toml")),
            kinds: read(file!($tag, "kinds.toml")),
            index: read(file!($tag, "index.toml")),
            verify: read(file!($tag, "verify.toml")),
            benefit: messages(file!($tag, "benefit.toml")),
            details: toml::from_str(file!($tag, "details.toml"))
                .expect("`locales/*/details.toml` has forms and sentences"),
            audit_pack: file!($tag, "audit-pack.txt"),
            notices: toml::from_str(file!($tag, "notices.toml"))
                .expect("`locales/*/notices.toml` has a title and a body for each"),
        }
    };
}

static ZH_HANS: LazyLock<Locale> = LazyLock::new(|| locale!("zh-Hans"));
static ZH_HANT: LazyLock<Locale> = LazyLock::new(|| locale!("zh-Hant"));
static EN: LazyLock<Locale> = LazyLock::new(|| locale!("en"));
static DE: LazyLock<Locale> = LazyLock::new(|| locale!("de"));

/// Reads a file that is compiled in. A mistake in it fails every test that reads words.
fn read<T: for<'de> Deserialize<'de>>(text: &str) -> Texts<T> {
    toml::from_str(text).expect("a file of `locales/` is TOML with texts by key")
}

fn messages(text: &str) -> Messages {
    let tables = toml::from_str(text).expect("`locales/*/benefit.toml` is TOML");
    Messages::new(tables).expect("`locales/*/benefit.toml` has every message")
}

fn locale(language: Language) -> &'static Locale {
    match language {
        Language::ZhHans => &ZH_HANS,
        Language::ZhHant => &ZH_HANT,
        Language::En => &EN,
        Language::De => &DE,
    }
}

/// All problems' words in a language.
#[must_use]
pub fn problems(language: Language) -> &'static Texts<ProblemWords> {
    &locale(language).problems
}

/// The titles of kinds of transaction in a language.
#[must_use]
pub fn kinds(language: Language) -> &'static Texts<String> {
    &locale(language).kinds
}

/// The words of the index page in a language.
#[must_use]
pub fn index(language: Language) -> &'static Texts<String> {
    &locale(language).index
}

/// The words of the page that checks vouchers in a language.
#[must_use]
pub fn verify(language: Language) -> &'static Texts<String> {
    &locale(language).verify
}

/// The words of all notices in a language, by what they are about.
#[must_use]
pub fn notices(language: Language) -> &'static Texts<NoticeWords> {
    &locale(language).notices
}

/// The words of a notice in a language; none for what is none, which a test keeps from happening.
#[must_use]
pub fn notice(language: Language, about: &str) -> Phrase {
    let (title, body) =
        notices(language).get(about).map_or(("", ""), |one| (&*one.title, &*one.body));
    Phrase { title: title.to_owned(), body: body.to_owned() }
}

/// The words with which a code is sent to a phone.
#[must_use]
pub fn phone_code(language: Language, code: &str) -> Phrase {
    let Phrase { title, body } = notice(language, "code");
    Phrase { title, body: fill(&body, |_| code.to_owned()) }
}

/// What a pack of an audit's evidence says of itself in a language.
#[must_use]
pub fn audit_pack(language: Language) -> &'static str {
    locale(language).audit_pack
}

/// The sentences that explain adjudications in a language.
#[must_use]
pub fn benefit(language: Language) -> &'static Messages {
    &locale(language).benefit
}

/// The sentences of particulars in a language, by the English ones; none for English itself.
#[must_use]
pub fn sentences(language: Language) -> &'static Texts<String> {
    &locale(language).details.sentence
}

/// Something and what is to be said about it.
#[must_use]
pub fn pair(language: Language, first: &str, second: &str) -> String {
    let value = |place: &str| if place == "first" { first } else { second }.to_owned();
    fill(&locale(language).details.form.pair, value)
}

/// Particulars in a language; an id alone is quoted.
#[must_use]
pub fn particulars(language: Language, detail: &Detail) -> String {
    match detail {
        Detail::Text(text) => format!("`{text}`"),
        other => say(language, other),
    }
}

fn say(language: Language, detail: &Detail) -> String {
    let Locale { benefit, details, .. } = locale(language);
    match detail {
        Detail::Text(text) => text.clone(),
        Detail::Number(number) => benefit.count(*number),
        Detail::Date(day) => day.to_string(),
        Detail::Instant(time) => time.to_string(),
        Detail::Money(amount, currency) => benefit.money(*amount, *currency),
        Detail::Word { list, name } if list == "problem" => of(language, name).title,
        Detail::Word { list, name } => match benefit.text(list, name) {
            "" => format!("`{name}`"),
            word => word.to_owned(),
        },
        Detail::List(list) => {
            let list: Vec<String> = list.iter().map(|one| say(language, one)).collect();
            list.join(&details.form.list)
        }
        Detail::Sentence(sentence) => {
            let english = sentence.words();
            let words = details.sentence.get(english).map_or(english, String::as_str);
            let value = |place: &str| sentence.value(place).map(|value| say(language, value));
            fill(words, |place| value(place).unwrap_or_default())
        }
    }
}

/// The sentence that reads so in English, if one of ours does. It is for texts that come out of
/// serde, which lets through nothing but text.
#[must_use]
pub fn recognise(text: &str) -> Option<Detail> {
    static BY_LENGTH: LazyLock<Vec<&str>> = LazyLock::new(|| {
        let mut all: Vec<&str> = ZH_HANS.details.sentence.keys().map(String::as_str).collect();
        // Whoever says more himself is the more likely.
        all.sort_by_key(|words| std::cmp::Reverse(own_letters(words)));
        all
    });
    BY_LENGTH.iter().find_map(|words| read_as(words, text))
}

/// How many letters of a sentence are no place.
fn own_letters(words: &str) -> usize {
    fill(words, |_| String::new()).chars().filter(char::is_ascii_alphabetic).count()
}

/// Fewer letters say too little to be found again by.
const OWN_LETTERS_MIN: usize = 6;

/// The sentence with its values, when the text reads so. What stands for `what` or `why` is itself
/// a sentence of ours.
fn read_as(words: &'static str, text: &str) -> Option<Detail> {
    let mut values = Vec::new();
    let (start, mut rest_words) = words.split_once('{').unwrap_or((words, ""));
    let mut rest = text.strip_prefix(start)?;
    let mut is_sure = own_letters(words) >= OWN_LETTERS_MIN;
    while let Some((place, behind)) = rest_words.split_once('}') {
        let (literal, next) = behind.split_once('{').unwrap_or((behind, ""));
        let end =
            if next.is_empty() { rest.strip_suffix(literal)?.len() } else { rest.find(literal)? };
        let (value, after) = rest.split_at_checked(end)?;
        rest = after.strip_prefix(literal)?;
        rest_words = next;
        values.push(match place {
            "what" | "why" => {
                is_sure = true;
                recognise(value)?
            }
            _ => money(value).unwrap_or_else(|| value.into()),
        });
    }
    (rest.is_empty() && is_sure).then(|| Detail::read_sentence(words, values))?
}

/// Money as the English form writes it.
fn money(text: &str) -> Option<Detail> {
    let (number, code) = text.split_once(' ')?;
    let currency = Currency::from_code(code)?;
    let amount = Amount::from_decimal(number, currency).ok()?;
    Some((amount, currency).into())
}

/// The words for a problem; for one without words its bare name, which a test keeps from happening.
#[must_use]
pub fn of(language: Language, code: &str) -> ProblemWords {
    problems(language)
        .get(code)
        .cloned()
        .unwrap_or_else(|| ProblemWords { title: code.replace('_', " "), remedy: String::new() })
}

/// The title of a kind of transaction.
#[must_use]
pub fn kind(language: Language, name: &str) -> String {
    kinds(language).get(name).cloned().unwrap_or_else(|| name.replace('_', " "))
}
