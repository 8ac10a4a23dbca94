//! The part of YAML that our files are written in, read in the one way that every reader has for
//! it: whatever readers differ about is refused, such as `8421:8420` or `on` without quotes.

use std::collections::BTreeMap;
use std::iter::Peekable;

use serde_json::{Map, Value};

/// A line that says something: its number, how far it stands to the right, and its words.
type Line = (usize, usize, String);

/// Reads a file of blocks, plain and quoted words, and lists in one line.
pub fn read_yaml(text: &str) -> Value {
    let lines: Vec<Line> = text
        .lines()
        .enumerate()
        .filter_map(|(at, line)| {
            let words = without_comment(line).trim_end();
            let depth = words.len() - words.trim_start().len();
            assert!(!words.contains('\t'), "line {}: a tab", at + 1);
            (!words.trim().is_empty()).then(|| (at + 1, depth, words.trim().to_owned()))
        })
        .collect();
    let mut reader = Reader { lines: lines.into_iter().peekable(), named: BTreeMap::new() };
    let value = reader.block(0);
    assert!(reader.lines.next().is_none(), "something stands outside of all blocks");
    value
}

fn without_comment(line: &str) -> &str {
    let mut is_quoted = false;
    let mut before = ' ';
    for (at, one) in line.char_indices() {
        match one {
            '"' => is_quoted = !is_quoted,
            '#' if !is_quoted && before == ' ' => return &line[..at],
            _ => {}
        }
        before = one;
    }
    line
}

struct Reader<I: Iterator<Item = Line>> {
    lines: Peekable<I>,
    /// Blocks that have a name (`&name`), to be taken over elsewhere (`<<: *name`).
    named: BTreeMap<String, Value>,
}

impl<I: Iterator<Item = Line>> Reader<I> {
    fn block(&mut self, depth: usize) -> Value {
        let (at, there, words) = self.lines.peek().expect("a block has lines").clone();
        assert!(there == depth, "line {at} stands at {there}, and {depth} is expected");
        if words.starts_with("- ") { self.list(depth) } else { self.mapping(depth) }
    }

    /// The block below a line, which stands further to the right.
    fn below(&mut self, at: usize, depth: usize) -> Value {
        let below = self.lines.peek().filter(|(_, there, _)| *there > depth);
        let (_, there, _) = below.unwrap_or_else(|| panic!("line {at}: nothing is below"));
        let there = *there;
        self.block(there)
    }

    fn list(&mut self, depth: usize) -> Value {
        let mut list = Vec::new();
        let is_item = |line: &Line| line.1 == depth && line.2.starts_with("- ");
        while let Some((at, _, words)) = self.lines.next_if(is_item) {
            let words = words[2..].to_owned();
            if let Some((key, value)) = entry(&words) {
                // A mapping of one line is all that our files have in lists.
                list.push(Value::Object(Map::from_iter([(key, scalar(at, value))])));
            } else {
                list.push(scalar(at, &words));
            }
        }
        Value::Array(list)
    }

    fn mapping(&mut self, depth: usize) -> Value {
        let (mut own, mut taken) = (Map::new(), Map::new());
        let is_here = |line: &Line| line.1 == depth;
        while let Some((at, _, words)) = self.lines.next_if(is_here) {
            let (key, value) = entry(&words).unwrap_or_else(|| panic!("line {at}: `{words}`"));
            if key == "<<" {
                let name = value.strip_prefix('*').expect("a name is taken over");
                taken = self.named[name].as_object().expect("a mapping is taken over").clone();
                continue;
            }
            let value = match value.strip_prefix('&') {
                Some(name) => {
                    let block = self.below(at, depth);
                    self.named.insert(name.to_owned(), block.clone());
                    block
                }
                None if value.is_empty() => self.below(at, depth),
                None => scalar(at, value),
            };
            assert!(own.insert(key.clone(), value).is_none(), "line {at}: `{key}` is there twice");
        }
        taken.extend(own);
        Value::Object(taken)
    }
}

/// Key and value of a line of a mapping.
fn entry(words: &str) -> Option<(String, &str)> {
    let (key, value) =
        words.split_once(": ").or_else(|| words.strip_suffix(':').map(|key| (key, "")))?;
    let is_plain = |one: char| one.is_ascii_alphanumeric() || "-_<".contains(one);
    key.chars().all(is_plain).then(|| (key.to_owned(), value.trim()))
}

fn scalar(at: usize, words: &str) -> Value {
    if let Some(list) = words.strip_prefix('[') {
        let list = list.strip_suffix(']').unwrap_or_else(|| panic!("line {at}: a list ends"));
        return list.split(", ").map(|one| scalar(at, one.trim())).collect();
    }
    if let Some(quoted) = words.strip_prefix('"') {
        let quoted = quoted.strip_suffix('"').filter(|quoted| !quoted.contains(['"', '\\']));
        return quoted.unwrap_or_else(|| panic!("line {at}: `{words}`")).into();
    }
    if words.bytes().all(|one| one.is_ascii_digit()) && (words == "0" || !words.starts_with('0')) {
        return words.parse::<u64>().expect("a small number").into();
    }
    match words {
        "true" => return true.into(),
        "false" => return false.into(),
        _ => {}
    }
    let is_safe = |one: char| one.is_ascii_alphanumeric() || "-_./ ".contains(one);
    let is_number = words.starts_with(|one: char| one.is_ascii_digit() || one == '.')
        && words.bytes().all(|one| one.is_ascii_digit() || b"._-eE".contains(&one))
        && words.matches('.').count() < 2;
    let means_more = ["yes", "no", "on", "off", "y", "n", "null", "~"];
    assert!(
        words.chars().all(is_safe) && !is_number && !means_more.contains(&&*words.to_lowercase()),
        "line {at}: `{words}` is not read in the same way by all; quote it"
    );
    words.into()
}

#[test]
fn what_readers_differ_about_is_refused() {
    let fine =
        "a: &x\n  b: [1, \"2:3\"] # c\n  d: true\ne:\n  <<: *x\n  d: no-where\nf:\n  - g: h\n";
    assert_eq!(
        read_yaml(fine),
        serde_json::json!({
            "a": { "b": [1, "2:3"], "d": true },
            "e": { "b": [1, "2:3"], "d": "no-where" },
            "f": [{ "g": "h" }],
        })
    );
    for wrong in ["a: 8421:8420\n", "a: on\n", "a: 010\n", "a: 1.5\n", "a: x\na: y\n", "a:\n"] {
        let read = std::panic::catch_unwind(|| read_yaml(wrong));
        assert!(read.is_err(), "{wrong}");
    }
}
