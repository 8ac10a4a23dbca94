//! What people hand to a command: files that are read once, into types that cannot be wrong.
//!
//! Everything that is wrong with them is a [`BadInput`]: one sentence that names the file, the
//! field and the remedy, and exit code 2. Whatever else goes wrong ends with exit code 1.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use primitives::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::Segment;
use toml::de::{DeTable, DeValue};

/// What was handed to a command is not as it should be.
#[derive(Debug)]
pub struct BadInput(String);

impl fmt::Display for BadInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadInput {}

/// A [`BadInput`] that says this, on one line that cannot steer the terminal.
pub fn bad(words: impl AsRef<str>) -> anyhow::Error {
    BadInput(printable(words.as_ref())).into()
}

/// A text on one line without what could steer a terminal or turn the order of what is read:
/// control characters, line and paragraph separators, and marks of writing direction.
#[must_use]
pub fn printable(text: &str) -> String {
    text.chars().filter(|one| !one.is_control() && !is_steering(*one)).collect()
}

/// Characters that show nothing and change how others are shown.
const fn is_steering(one: char) -> bool {
    matches!(
        one,
        '\u{61c}'
            | '\u{200e}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

/// An instant of an option, such as `2026-03-31T16:00:00.000Z`.
///
/// # Errors
/// What is wrong with it.
pub fn instant(text: &str) -> Result<Timestamp, String> {
    let value = Value::String(text.to_owned());
    serde_json::from_value(value).map_err(|error| error.to_string())
}

/// Reads a file of at most so many bytes; `what` names it in errors (`the bill`).
///
/// # Errors
/// [`BadInput`] when it is missing, a folder, too large or not readable.
pub fn read_bytes(what: &str, path: &Path, bytes_max: u64) -> anyhow::Result<Vec<u8>> {
    let shown = path.display();
    let cannot = |error: io::Error| {
        bad(match error.kind() {
            io::ErrorKind::NotFound => format!("{what} `{shown}` does not exist; check the path"),
            io::ErrorKind::PermissionDenied => {
                format!("{what} `{shown}` may not be read; check who owns it")
            }
            io::ErrorKind::IsADirectory => format!("{what} `{shown}` is a folder; name a file"),
            _ => format!("{what} `{shown}` cannot be read: {error}"),
        })
    };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(cannot)?;
    file.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes).map_err(cannot)?;
    if bytes.len() as u64 > bytes_max {
        let words =
            format!("{what} `{shown}` has more than {bytes_max} bytes; is it the right file?");
        return Err(bad(words));
    }
    Ok(bytes)
}

/// Reads a text file, as [`read_bytes`].
///
/// # Errors
/// [`BadInput`], also when it is not UTF-8.
pub fn read_text(what: &str, path: &Path, bytes_max: u64) -> anyhow::Result<String> {
    let bytes = read_bytes(what, path, bytes_max)?;
    String::from_utf8(bytes).map_err(|error| {
        let text = error.utf8_error().valid_up_to();
        let line = error.as_bytes().iter().take(text).filter(|byte| **byte == b'\n').count() + 1;
        bad(format!(
            "{what} `{}`, line {line}: this is not UTF-8 text; save it as UTF-8",
            path.display()
        ))
    })
}

/// Reads a JSON file.
///
/// # Errors
/// [`BadInput`], with the line, and the field by its path where there is one.
pub fn read_json<T: DeserializeOwned>(
    what: &str,
    path: &Path,
    bytes_max: u64,
) -> anyhow::Result<T> {
    let text = read_text(what, path, bytes_max)?;
    parse_json(what, path, &text)
}

/// The value of a JSON text that was read from `path`.
///
/// # Errors
/// As [`read_json`].
pub fn parse_json<T: DeserializeOwned>(what: &str, path: &Path, text: &str) -> anyhow::Result<T> {
    let shown = path.display();
    let wrong = |field: &str, error: &serde_json::Error| {
        let words = error.to_string();
        // The parser's own place at the end of its words is said in front instead.
        let words = words.rsplit_once(" at line ").map_or(words.as_str(), |(words, _)| words);
        let (line, column) = (error.line(), error.column());
        if error.classify() != serde_json::error::Category::Data {
            return bad(format!(
                "{what} `{shown}`, line {line}, column {column}: this is not JSON: {words}; mend the file there"
            ));
        }
        bad(format!(
            "{what} `{shown}`{}{}: {words}; mend the file there",
            line_text(line),
            field_text(field)
        ))
    };
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut reader)
        .map_err(|error| wrong(&error.path().to_string(), error.inner()))?;
    reader.end().map_err(|error| wrong(".", &error))?;
    Ok(value)
}

/// The value of a TOML text that was read from `path`.
///
/// # Errors
/// [`BadInput`], with the line, and the field by its path where there is one.
pub fn parse_toml<T: DeserializeOwned>(what: &str, path: &Path, text: &str) -> anyhow::Result<T> {
    let shown = path.display();
    // By way of a tree, for which less is compiled for each form than for the text (decision record
    // 0025). A key that stands twice is no TOML, so nothing is lost on the way.
    let tree: Value = toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(0, |span| line_of(text, span.start));
        let (line, words) = (line_text(line), one_line(error.message()));
        bad(format!("{what} `{shown}`{line}: this is not TOML: {words}; mend the file there"))
    })?;
    serde_path_to_error::deserialize(tree).map_err(|error| {
        let line = start_of(text, error.path()).map_or(0, |start| line_of(text, start));
        let place = format!("{}{}", line_text(line), field_text(&error.path().to_string()));
        let words = one_line(&error.inner().to_string());
        bad(format!("{what} `{shown}`{place}: {words}; mend the file there"))
    })
}

/// Where in a TOML text the last part of the path begins that is there.
fn start_of(text: &str, path: &serde_path_to_error::Path) -> Option<usize> {
    let root = DeTable::parse(text).ok()?;
    let (mut start, mut value) = (root.span().start, DeValue::Table(root.into_inner()));
    for segment in path {
        let next = match (segment, value) {
            (Segment::Map { key }, DeValue::Table(mut table)) => table.remove(key.as_str()),
            (Segment::Seq { index }, DeValue::Array(list)) => list.into_iter().nth(*index),
            _ => None,
        };
        let Some(next) = next else { break };
        start = next.span().start;
        value = next.into_inner();
    }
    Some(start)
}

/// The line of a place, from 1.
fn line_of(text: &str, start: usize) -> usize {
    text.get(..start).map_or(0, |before| before.matches('\n').count() + 1)
}

/// Reads a TOML file.
///
/// # Errors
/// As [`parse_toml`] and [`read_text`].
pub fn read_toml<T: DeserializeOwned>(
    what: &str,
    path: &Path,
    bytes_max: u64,
) -> anyhow::Result<T> {
    let text = read_text(what, path, bytes_max)?;
    parse_toml(what, path, &text)
}

fn line_text(line: usize) -> String {
    if line == 0 { String::new() } else { format!(", line {line}") }
}

fn field_text(field: &str) -> String {
    if field == "." { String::new() } else { format!(", `{field}`") }
}

fn one_line(words: &str) -> String {
    words.lines().map(str::trim).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Form {
        #[expect(dead_code, reason = "only its reading is looked at")]
        list: Vec<Row>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Row {
        #[expect(dead_code, reason = "only its reading is looked at")]
        days: u8,
    }

    fn json(text: &str) -> String {
        parse_json::<Form>("the form", Path::new("a.json"), text).unwrap_err().to_string()
    }

    fn toml(text: &str) -> String {
        parse_toml::<Form>("the form", Path::new("a.toml"), text).unwrap_err().to_string()
    }

    #[test]
    fn errors_name_file_line_and_field() {
        assert_eq!(
            json("{\"list\":\n[{\"days\":1},\n{\"days\":\"2\"}]}"),
            "the form `a.json`, line 3, `list[1].days`: invalid type: string \"2\", expected u8; \
             mend the file there"
        );
        assert_eq!(
            json("{\"list\":[],\n\"more\":1}"),
            "the form `a.json`, line 2, `more`: unknown field `more`, expected `list`; mend the \
             file there"
        );
        assert_eq!(
            toml("[[list]]\ndays = 1\n[[list]]\ndays = \"2\""),
            "the form `a.toml`, line 4, `list[1].days`: invalid type: string \"2\", expected u8; \
             mend the file there"
        );
    }

    #[test]
    fn what_is_not_the_format_is_told_with_its_place() {
        let words = json("{\"list\":[}");
        assert!(words.starts_with("the form `a.json`, line 1, column 10: this is not JSON: "));
        let words = toml("list = [\nmore");
        assert!(words.starts_with("the form `a.toml`, line 2: this is not TOML: "), "{words}");
        assert!(json("{\"list\":[]} x").contains("trailing characters"));
    }

    #[test]
    fn nothing_that_steers_a_terminal_or_the_order_of_reading_gets_through() {
        for steering in ["\u{1b}[2J", "\u{7}", "\u{202e}", "\u{2066}", "\u{200f}", "\u{2028}"] {
            let text = printable(&format!("a{steering}b"));
            assert!(text == "ab" || text == "a[2Jb", "{text:?}");
        }
        assert_eq!(printable("阿托伐他汀钙片 20mg×28片"), "阿托伐他汀钙片 20mg×28片");
    }
}
