//! What libraries say in English when they cannot read a text, as particulars.
//!
//! serde and the standard library hand over a finished sentence. Their own sentences are known and
//! few; what our own types say through serde is found again among our sentences
//! ([`words::recognise`]). Whatever else comes is quoted in a sentence of ours.

use primitives::{Detail, detail};

use super::words;

/// Longer texts are not looked at, only quoted as far as this, in bytes.
const BYTES_MAX: usize = 1_000;

/// What serde says about JSON, with the place when it knows one.
#[must_use]
pub fn json(error: &serde_json::Error) -> Detail {
    let all = error.to_string();
    let (line, column) = (error.line(), error.column());
    let words = all.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&all);
    if line == 0 {
        return text(words);
    }
    detail!("{what} (line {line}, column {column})", what = text(words), line, column)
}

/// What a text says about another one that it could not read.
#[must_use]
pub fn text(words: &str) -> Detail {
    if words.len() > BYTES_MAX {
        let start = words.chars().take(200).collect::<String>();
        return detail!("the reader says `{message}`", message = start);
    }
    of_serde(words)
        .or_else(|| of_std(words))
        .or_else(|| words::recognise(words))
        .unwrap_or_else(|| detail!("the reader says `{message}`", message = plain(words)))
}

/// Quoted inside backticks, so it has none itself.
fn plain(words: &str) -> String {
    words.replace('`', "'")
}

/// The sentences of the standard library's own readers.
fn of_std(words: &str) -> Option<Detail> {
    Some(match words {
        "invalid digit found in string" | "cannot parse integer from empty string" => {
            detail!("write a whole number")
        }
        "number too large to fit in target type" => detail!("the number is too large"),
        "number too small to fit in target type" => detail!("the number is too small"),
        "provided string was not `true` or `false`" => detail!("write `true` or `false`"),
        _ => return None,
    })
}

/// The sentences of serde and serde_json.
fn of_serde(words: &str) -> Option<Detail> {
    if let Some(field) = words.strip_prefix("missing field ") {
        return Some(detail!("the field `{name}` is missing", name = bare(field)));
    }
    if let Some(field) = words.strip_prefix("duplicate field ") {
        return Some(detail!("the field `{name}` is there twice", name = bare(field)));
    }
    if let Some((name, known)) = unknown(words, "unknown field ") {
        return Some(match known {
            Some(known) => detail!("there is no field `{name}`; there are {known}", name, known),
            None => detail!("there is no field `{name}`", name),
        });
    }
    if let Some((name, known)) = unknown(words, "unknown variant ") {
        return Some(match known {
            Some(known) => detail!("`{name}` is not known; write one of {known}", name, known),
            None => detail!("`{name}` is not known", name),
        });
    }
    for start in ["invalid type: ", "invalid value: "] {
        if let Some((given, wanted)) = expected(words, start) {
            let (given, wanted) = (given_of(given), wanted_of(wanted));
            return Some(detail!("{given} is there where {wanted} is needed", given, wanted));
        }
    }
    if let Some((length, wanted)) = expected(words, "invalid length ") {
        let (length, wanted) = (plain(length), wanted_of(wanted));
        return Some(detail!("length {length} is there where {wanted} is needed", length, wanted));
    }
    Some(match words {
        "EOF while parsing a value"
        | "EOF while parsing an object"
        | "EOF while parsing a list"
        | "EOF while parsing a string" => detail!("the JSON ends too early"),
        "expected value" => detail!("a value is missing, or it is not JSON"),
        "trailing characters" => detail!("there is more behind the end of the JSON"),
        "trailing comma" => detail!("there is a comma too many"),
        "key must be a string" => detail!("the name of a member must stand in quotes"),
        "recursion limit exceeded" => detail!("the JSON is nested too deep"),
        _ if words.starts_with("data did not match any variant") => {
            detail!("the value has none of the forms that are allowed")
        }
        _ => return None,
    })
}

/// What is there and what was expected, in a text that starts so.
fn expected<'a>(words: &'a str, start: &str) -> Option<(&'a str, &'a str)> {
    words.strip_prefix(start)?.split_once(", expected ")
}

/// The name between backticks.
fn bare(quoted: &str) -> String {
    plain(quoted.trim_matches('`'))
}

/// The name that is not known, and those that are.
fn unknown(words: &str, start: &str) -> Option<(String, Option<Detail>)> {
    let words = words.strip_prefix(start)?;
    let (name, behind) = words.split_once("`, ").unwrap_or((words, ""));
    let known: Vec<String> =
        behind.split('`').skip(1).step_by(2).map(|name| format!("`{name}`")).collect();
    let known = if known.is_empty() { None } else { Some(Detail::from(known)) };
    Some((bare(name), known))
}

/// serde's name of what stands there, such as ``string "x"`` or ``integer `3` ``.
fn given_of(given: &str) -> Detail {
    let (kind, value) = given.split_once(' ').unwrap_or((given, ""));
    let value = plain(value.trim_matches(['"', '`']));
    match kind {
        "string" | "character" => detail!("the text `{value}`", value),
        "integer" | "floating" => {
            detail!("the number `{value}`", value = value.replace("point '", ""))
        }
        "boolean" | "null" => quoted(if value.is_empty() { given } else { &value }),
        "map" | "struct" => detail!("an object"),
        "sequence" | "tuple" => detail!("a list"),
        "unit" => quoted("null"),
        _ => quoted(given),
    }
}

/// serde's name of what is needed, such as `u32` or `struct Visit`.
fn wanted_of(wanted: &str) -> Detail {
    match wanted {
        "a string" | "str" | "string" | "a borrowed string" => detail!("a text"),
        "a boolean" | "bool" => detail!("`true` or `false`"),
        "u8" => whole(u8::MAX.into()),
        "u16" => whole(u16::MAX.into()),
        "u32" => whole(u32::MAX.into()),
        "u64" | "usize" => detail!("a whole number, not negative"),
        "i8" | "i16" | "i32" | "i64" => detail!("a whole number"),
        "a map" | "map" => detail!("an object"),
        "a sequence" => detail!("a list"),
        _ if wanted.starts_with("struct ") => detail!("an object"),
        _ if wanted.starts_with("tuple ") || wanted.starts_with("an array of length ") => {
            detail!("a list")
        }
        _ if wanted.contains("enum ") => detail!("one of the words that are allowed"),
        _ => words::recognise(wanted).unwrap_or_else(|| quoted(wanted)),
    }
}

fn quoted(value: &str) -> Detail {
    Detail::Text(format!("`{}`", plain(value)))
}

fn whole(most: u64) -> Detail {
    detail!("a whole number from 0 to {most}", most)
}
