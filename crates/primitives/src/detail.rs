//! Particulars of one case: a bare value, or a sentence with values in it.
//!
//! A refusal says what is true in general by its code, and what is true in this case by a
//! [`Detail`]. The English sentence is the key under which the edge finds the same sentence in the
//! reader's language, so what was kept years ago reads without any table. Values keep their type
//! until then: money is written the reader's way, with its currency.
//!
//! Invariant: a sentence has a value for each of its places, in their order; [`detail!`] checks it
//! when it is compiled, and reading bytes checks it again (`tests` below).

use alloc::{borrow::Cow, boxed::Box, string::String, vec::Vec};
use borsh::{BorshDeserialize, BorshSerialize, io};
use core::fmt;

use crate::{
    Amount, CivilDate, Currency, FamilyId, FundId, Hash, OrganisationId, Party, PersonId,
    PublicKey, RegionId, SchemeId, SlotId, Text, Timestamp, VisitId,
};

/// The deepest nesting that is read from bytes: a sentence in a list in a sentence, and to spare.
const DEPTH_MAX: u8 = 8;

/// What is to be said about one case. Never health data, names or keys of people.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize)]
pub enum Detail {
    /// An id, a code or another text that is the same in every language.
    Text(String),
    /// A count.
    Number(i64),
    /// A day.
    Date(CivilDate),
    /// An instant.
    Instant(Timestamp),
    /// Money.
    Money(Amount, Currency),
    /// A word of a closed list, which every language has its own word for.
    Word {
        /// The list, such as `payer`.
        list: Cow<'static, str>,
        /// The stable name in the list, such as `pooled_fund`.
        name: Cow<'static, str>,
    },
    /// Several, in order.
    List(Vec<Detail>),
    /// A sentence.
    Sentence(Box<Sentence>),
}

/// An English sentence with places such as `{last_day}`, and what stands in them.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize)]
pub struct Sentence {
    words: Cow<'static, str>,
    values: Vec<Detail>,
}

/// A sentence of a refusal with its values, in the order of its places: a name alone stands for the
/// variable of that name.
///
/// ```
/// # use primitives::{CivilDate, Detail, detail};
/// let last_day: CivilDate = "2025-03-01".parse().unwrap();
/// let sentence = detail!("care counts until {last_day}", last_day);
/// assert_eq!(sentence.to_string(), "care counts until 2025-03-01");
/// assert_eq!(detail!("at most {most} keys", most = 4).to_string(), "at most 4 keys");
/// ```
///
/// A place without a value does not compile:
/// ```compile_fail
/// # use primitives::detail;
/// detail!("at most {most} keys");
/// ```
#[macro_export]
macro_rules! detail {
    (@value $name:ident) => { $crate::Detail::from($name) };
    (@value $name:ident = $value:expr) => { $crate::Detail::from($value) };
    ($words:literal $(, $name:ident $(= $value:expr)?)* $(,)?) => {{
        const {
            assert!(
                $crate::detail::is_filled_by($words, &[$(stringify!($name)),*]),
                "the values are not those of the places, in their order"
            );
        }
        $crate::Detail::sentence($words, [$($crate::detail!(@value $name $(= $value)?)),*])
    }};
}

/// Whether the places of the sentence are these, in this order.
#[must_use]
pub const fn is_filled_by(words: &str, mut names: &[&str]) -> bool {
    let mut text = words.as_bytes();
    while let Some((byte, rest)) = text.split_first() {
        text = rest;
        if *byte != b'{' {
            continue;
        }
        let Some((name, others)) = names.split_first() else { return false };
        names = others;
        let mut wanted = name.as_bytes();
        while let Some((letter, more)) = wanted.split_first() {
            match text.split_first() {
                Some((found, rest)) if *found == *letter => text = rest,
                _ => return false,
            }
            wanted = more;
        }
        match text.split_first() {
            Some((b'}', rest)) => text = rest,
            _ => return false,
        }
    }
    names.is_empty()
}

/// The names between braces, in their order.
pub fn places(words: &str) -> impl Iterator<Item = &str> {
    words.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(place, _)| place)
}

/// The sentence with its places filled; what fills them is not searched for places again.
#[must_use]
pub fn fill(words: &str, mut value: impl FnMut(&str) -> String) -> String {
    let mut text = String::new();
    let mut rest = words;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let (place, behind) = after.split_once('}').unwrap_or((after, ""));
        text.push_str(&value(place));
        rest = behind;
    }
    text.push_str(rest);
    text
}

/// The same from a list; a place that the list does not name stays as it is.
#[must_use]
pub fn fill_from(words: &str, values: &[(&str, impl AsRef<str>)]) -> String {
    fill(words, |place| {
        let named = values.iter().find(|(name, _)| *name == place);
        named.map_or_else(|| alloc::format!("{{{place}}}"), |(_, value)| value.as_ref().into())
    })
}

impl Detail {
    /// A sentence; [`detail!`] writes it so that the values fit.
    #[must_use]
    pub fn sentence<const COUNT: usize>(words: &'static str, values: [Self; COUNT]) -> Self {
        let sentence = Sentence { words: Cow::Borrowed(words), values: Vec::from(values) };
        Self::Sentence(Box::new(sentence))
    }

    /// A sentence with values in the order of its places; `None` when they are not as many.
    #[must_use]
    pub fn read_sentence(words: &'static str, values: Vec<Self>) -> Option<Self> {
        let sentence = Sentence { words: Cow::Borrowed(words), values };
        let fits = places(words).count() == sentence.values.len();
        fits.then(|| Self::Sentence(Box::new(sentence)))
    }

    /// A word of a closed list.
    #[must_use]
    pub const fn word(list: &'static str, name: &'static str) -> Self {
        Self::Word { list: Cow::Borrowed(list), name: Cow::Borrowed(name) }
    }

    fn read(reader: &mut impl io::Read, depth: u8) -> io::Result<Self> {
        let deeper = depth.checked_sub(1).ok_or_else(|| invalid("particulars nested too deep"))?;
        let owned = |reader: &mut _| String::deserialize_reader(reader).map(Cow::Owned);
        let list = |reader: &mut _| {
            let count = u32::deserialize_reader(reader)?;
            (0..count).map(|_| Self::read(reader, deeper)).collect::<io::Result<Vec<Self>>>()
        };
        Ok(match u8::deserialize_reader(reader)? {
            0 => Self::Text(String::deserialize_reader(reader)?),
            1 => Self::Number(i64::deserialize_reader(reader)?),
            2 => Self::Date(CivilDate::deserialize_reader(reader)?),
            3 => Self::Instant(Timestamp::deserialize_reader(reader)?),
            4 => {
                let (amount, currency) = BorshDeserialize::deserialize_reader(reader)?;
                Self::Money(amount, currency)
            }
            5 => Self::Word { list: owned(reader)?, name: owned(reader)? },
            6 => Self::List(list(reader)?),
            7 => {
                let sentence = Sentence { words: owned(reader)?, values: list(reader)? };
                if places(&sentence.words).count() != sentence.values.len() {
                    return Err(invalid("a sentence without its values"));
                }
                Self::Sentence(Box::new(sentence))
            }
            _ => return Err(invalid("particulars of an unknown type")),
        })
    }
}

fn invalid(words: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, words)
}

impl BorshDeserialize for Detail {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        Self::read(reader, DEPTH_MAX)
    }
}

impl Sentence {
    /// The English sentence with its places, the key of its translations.
    #[must_use]
    pub fn words(&self) -> &str {
        &self.words
    }

    /// The values by the names of their places.
    pub fn values(&self) -> impl Iterator<Item = (&str, &Detail)> {
        places(&self.words).zip(&self.values)
    }

    /// What stands in this place.
    #[must_use]
    pub fn value(&self, place: &str) -> Option<&Detail> {
        self.values().find(|(name, _)| *name == place).map(|(_, value)| value)
    }
}

impl fmt::Display for Detail {
    /// In English, for logs and tools: money as `12.30 CNY`, words of lists by their
    /// names.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => fmt::Display::fmt(number, f),
            Self::Date(day) => fmt::Display::fmt(day, f),
            Self::Instant(time) => fmt::Display::fmt(time, f),
            Self::Money(amount, currency) => {
                write!(f, "{} {currency}", amount.to_decimal(*currency))
            }
            Self::Word { name, .. } => write!(f, "`{name}`"),
            Self::List(list) => list.iter().enumerate().try_for_each(|(at, one)| {
                f.write_str(if at == 0 { "" } else { ", " })?;
                fmt::Display::fmt(one, f)
            }),
            Self::Sentence(sentence) => {
                let value =
                    |place: &str| sentence.value(place).map(alloc::string::ToString::to_string);
                f.write_str(&fill(&sentence.words, |place| value(place).unwrap_or_default()))
            }
        }
    }
}

impl core::error::Error for Detail {}

/// For errors that are texts: in English.
impl From<Detail> for String {
    fn from(detail: Detail) -> Self {
        alloc::string::ToString::to_string(&detail)
    }
}

impl From<String> for Detail {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&String> for Detail {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<&str> for Detail {
    fn from(text: &str) -> Self {
        Self::Text(String::from(text))
    }
}

impl From<(Amount, Currency)> for Detail {
    fn from((amount, currency): (Amount, Currency)) -> Self {
        Self::Money(amount, currency)
    }
}

impl<T: Into<Self>> From<Vec<T>> for Detail {
    fn from(list: Vec<T>) -> Self {
        Self::List(list.into_iter().map(Into::into).collect())
    }
}

/// Values by what they are, owned or borrowed.
macro_rules! values {
    ($([$($generics:tt)*] $type:ty, $value:ident => $detail:expr;)*) => {$(
        impl<$($generics)*> From<$type> for Detail {
            fn from($value: $type) -> Self {
                $detail
            }
        }
        impl<$($generics)*> From<&$type> for Detail {
            fn from($value: &$type) -> Self {
                let $value = $value.clone();
                $detail
            }
        }
    )*};
}

/// A count beyond 63 bits is shown as the largest; no list or limit comes near.
macro_rules! numbers {
    ($($type:ty),*) => { values! {
        $([] $type, number => Self::Number(i64::try_from(number).unwrap_or(i64::MAX));)*
    } };
}

macro_rules! texts {
    ($($type:ty),*) => { values! {
        $([] $type, id => Self::Text(alloc::string::ToString::to_string(&id));)*
    } };
}

numbers!(u8, u16, u32, u64, usize, i16, i32, i64);
texts!(FamilyId, FundId, OrganisationId, PersonId, RegionId, SchemeId, SlotId, VisitId);
texts!(Hash, Party, PublicKey, Currency);
values! {
    [] CivilDate, day => Self::Date(day);
    [] Timestamp, time => Self::Instant(time);
    [const MAX: usize] Text<MAX>, text => Self::Text(String::from(&*text));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec;
    use alloc::{format, string::ToString, vec};

    fn money() -> Detail {
        Detail::from((Amount::from_minor(120_000), Currency::CNY))
    }

    #[test]
    fn a_sentence_reads_in_english_with_its_values() {
        let why = detail!("at most {most} keys", most = 4_usize);
        let pair = detail!("{due} are due to `{fund}`: {why}", due = money(), fund = "f", why);
        assert_eq!(pair.to_string(), "1200.00 CNY are due to `f`: at most 4 keys");
        let list = Detail::from(vec![Detail::word("payer", "pooled_fund"), Detail::from("{x}")]);
        assert_eq!(detail!("of {list}", list).to_string(), "of `pooled_fund`, {x}");
    }

    #[test]
    fn every_value_comes_back_from_its_bytes() {
        let day = CivilDate::from_ymd(2026, 3, 31).unwrap();
        let all: Vec<Detail> = vec![
            "text".into(),
            (-5_i32).into(),
            day.into(),
            Timestamp::from_millis(1).into(),
            money(),
            Detail::word("payer", "other"),
        ];
        let whole = detail!("{all} and {day}", all = Detail::from(all), day);
        assert_eq!(codec::decode::<Detail>(&codec::encode(&whole)).unwrap(), whole);
    }

    #[test]
    fn bytes_with_missing_values_or_too_deep_are_refused() {
        let short = Sentence { words: "at most {most}".into(), values: Vec::new() };
        let bytes = codec::encode(&Detail::Sentence(Box::new(short)));
        assert!(codec::decode::<Detail>(&bytes).is_err());
        let mut deep = Detail::from("x");
        for _ in 0..DEPTH_MAX {
            let bytes = codec::encode(&deep);
            assert!(codec::decode::<Detail>(&bytes).is_ok(), "{}", format!("{deep:?}"));
            deep = Detail::List(vec![deep]);
        }
        assert!(codec::decode::<Detail>(&codec::encode(&deep)).is_err());
    }

    #[test]
    fn places_are_compared_with_the_values_name_by_name() {
        for (words, names, fits) in [
            ("nothing", &[][..], true),
            ("{a} and {b}", &["a", "b"], true),
            ("{a} and {b}", &["b", "a"], false),
            ("{a}", &[], false),
            ("{a}", &["a", "b"], false),
            ("{a", &["a"], false),
        ] {
            assert_eq!(is_filled_by(words, names), fits, "{words}");
        }
    }
}
