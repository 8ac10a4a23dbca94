//! What a form hands in (RFC 7578): the one file or text that has something in it.

use std::borrow::Cow;

use axum::http::{HeaderMap, header};

/// A form of ours has two fields; more than a few parts come from somebody else.
const PARTS_MAX: usize = 8;

/// The bytes of the first field that is not empty.
///
/// # Errors
/// The key of the text that says what is wrong.
pub(super) fn handed_in<'a>(
    headers: &HeaderMap,
    body: &'a [u8],
) -> Result<Cow<'a, [u8]>, &'static str> {
    let boundary = boundary(headers).ok_or("wrong.request")?;
    let mark = format!("\r\n--{boundary}");
    // The first mark has no line before it, so one is thought of.
    let mut rest = body.strip_prefix(&mark.as_bytes()[2..]).ok_or("wrong.request")?;
    for _ in 0..PARTS_MAX {
        let Some(part) = rest.strip_prefix(b"\r\n") else { break };
        let head = find(part, b"\r\n\r\n").ok_or("wrong.request")?;
        let content = part.get(head + 4..).unwrap_or_default();
        let length = find(content, mark.as_bytes()).ok_or("wrong.request")?;
        let (content, after) = content.split_at(length);
        let is_text = find(part.get(..head).unwrap_or_default(), b"filename=").is_none();
        if !content.iter().all(u8::is_ascii_whitespace) {
            return Ok(if is_text { pasted(content) } else { Cow::Borrowed(content) });
        }
        rest = after.get(mark.len()..).unwrap_or_default();
    }
    Err("wrong.empty")
}

fn boundary(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let (_, boundary) = value.split_once("boundary=")?;
    let boundary = boundary.split(';').next()?.trim().trim_matches('"');
    (1..=70).contains(&boundary.len()).then_some(boundary)
}

/// Text as it was copied: browsers end lines with two signs, and spaces come along at the edges.
fn pasted(content: &[u8]) -> Cow<'_, [u8]> {
    let text = String::from_utf8_lossy(content).replace("\r\n", "\n");
    let mut text = text.trim().to_owned();
    text.push('\n');
    Cow::Owned(text.into_bytes())
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<String, &'static str> {
        let mut headers = HeaderMap::new();
        let kind = "multipart/form-data; boundary=XX".parse().unwrap();
        headers.insert(header::CONTENT_TYPE, kind);
        handed_in(&headers, body.as_bytes())
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    const FILE: &str = "Content-Disposition: form-data; name=\"file\"; filename=\"v\"\r\n\r\n";
    const TEXT: &str = "Content-Disposition: form-data; name=\"text\"\r\n\r\n";

    #[test]
    fn the_field_that_is_filled_counts() {
        let both = |file: &str, text: &str| {
            format!("--XX\r\n{FILE}{file}\r\n--XX\r\n{TEXT}{text}\r\n--XX--\r\n")
        };
        assert_eq!(read(&both("a\r\nb\n", "")), Ok("a\r\nb\n".to_owned()));
        assert_eq!(read(&both("", " a\r\nb ")), Ok("a\nb\n".to_owned()));
        assert_eq!(read(&both("", "\r\n")), Err("wrong.empty"));
    }

    #[test]
    fn what_is_no_form_is_said_to_be_none() {
        for body in ["", "--XX", "--XY\r\n\r\n", "--XX\r\nno end", "--XX\r\n\r\n\r\nno mark"] {
            assert!(read(body).is_err(), "{body}");
        }
        assert_eq!(handed_in(&HeaderMap::new(), b"--XX\r\n"), Err("wrong.request"));
    }
}
