//! How much memory a JSON text may take once it is taken apart.
//!
//! Seven bytes, `{"":0},`, become a tree node of some 700 bytes, so a body that is counted by its
//! length alone says nothing of the memory that it takes. What is counted here is the most that the
//! text can become, whatever type it is read as.

/// Texts up to this length are small however they are written.
const SMALL_BYTES: usize = 4 * 1_024;
/// The node that the first member of an object takes.
const OBJECT_BYTES: usize = 704;
/// The four places that the first item of a list takes.
const LIST_BYTES: usize = 160;
/// A further member or item, in a list that grows by doubling.
const ITEM_BYTES: usize = 64;

/// The most bytes that this JSON takes in memory, itself included; its length when it is small.
pub(crate) fn bytes_in_memory(text: &[u8]) -> usize {
    if text.len() <= SMALL_BYTES {
        return text.len();
    }
    let mut bytes = text.len();
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        let more = match byte {
            b'{' => OBJECT_BYTES,
            b'[' => LIST_BYTES,
            b',' => ITEM_BYTES,
            b'"' => {
                skip_string(&mut rest);
                0
            }
            _ => 0,
        };
        bytes = bytes.saturating_add(more);
    }
    bytes
}

/// Goes behind the end of a string.
fn skip_string(rest: &mut std::slice::Iter<'_, u8>) {
    while let Some(byte) = rest.find(|byte| matches!(byte, b'"' | b'\\')) {
        if *byte == b'"' {
            return;
        }
        rest.next();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn a_text_is_counted_by_what_it_becomes() {
        let small = b"[{\"\":0}]";
        assert_eq!(bytes_in_memory(small), small.len());
        let string = format!("\"{}\"", "{[,\\\"".repeat(2_000));
        assert_eq!(bytes_in_memory(string.as_bytes()), string.len());
        let objects = format!("[{}0]", "{\"\":0},".repeat(2_000));
        let expected = objects.len() + LIST_BYTES + 2_000 * (OBJECT_BYTES + ITEM_BYTES);
        assert_eq!(bytes_in_memory(objects.as_bytes()), expected);
    }

    #[test]
    fn a_value_takes_no_more_than_was_counted_for_it() {
        let value = size_of::<Value>();
        // A node of the standard library's tree has eleven places for members.
        let node = 11 * (size_of::<String>() + value) + 16;
        assert!(node + value <= OBJECT_BYTES);
        // The first item of a list takes four places, and growing doubles them.
        assert!(4 * value + value <= LIST_BYTES);
        assert!(2 * value <= ITEM_BYTES);
    }
}
