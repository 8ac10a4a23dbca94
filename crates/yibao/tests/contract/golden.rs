//! Comparing what is generated with the committed file.

use std::fs;

use serde_json::Value;

use crate::support::root;

/// Whether committed files are to be written anew.
pub fn is_update() -> bool {
    std::env::var_os("UPDATE").is_some()
}

/// The committed file is this text; with `UPDATE=1` it becomes it.
pub fn check(path: &str, text: &str) {
    let file = root().join(path);
    if is_update() {
        fs::create_dir_all(file.parent().expect("a file lies in a folder")).expect("a folder");
        fs::write(&file, text).expect("a file");
        return;
    }
    let committed = fs::read_to_string(&file).unwrap_or_default();
    let differing = committed.lines().zip(text.lines()).position(|(one, other)| one != other);
    let line = differing.unwrap_or_else(|| committed.lines().count().min(text.lines().count()));
    assert!(
        committed == text,
        "`{path}` differs from line {}: `{}` is committed, `{}` is generated; if this is meant, write it \
         with `make contract` and read the difference",
        line + 1,
        committed.lines().nth(line).unwrap_or("nothing"),
        text.lines().nth(line).unwrap_or("nothing"),
    );
}

/// As [`check`], for a JSON value with its members sorted and a line feed at the end.
pub fn check_json(path: &str, value: &Value) {
    let mut text = serde_json::to_string_pretty(value).expect("JSON values have a text");
    text.push('\n');
    check(path, &text);
}
