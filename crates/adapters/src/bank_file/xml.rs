//! Reading and writing XML within bounds. The parser is `quick-xml` (decision record 0037); this
//! file says what of XML is let through.

use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};
use quick_xml::reader::Reader;

use super::{FILE_BYTES_MAX, FileError, FileProblem, Message};

/// How deep elements lie at the most; the messages here have 12 levels.
const DEPTH_MAX: usize = 24;
/// The longest text of an element, in bytes; the longest of the messages here has 140 letters.
const TEXT_BYTES_MAX: usize = 1_024;

/// What is read, one after the other.
pub enum Step<'a> {
    /// An element begins.
    Open(&'a str),
    /// An element ends.
    Close(Element<'a>),
}

/// An element that was read to its end.
pub struct Element<'a> {
    /// Its path without the root, such as `BkToCstmrStmt/Stmt/Ntry/Amt`.
    pub path: &'a str,
    /// Its own text, without spaces around it.
    pub text: &'a str,
    /// Its attribute `Ccy`.
    pub currency: Option<&'a str>,
}

/// The element that is open, with what was read of it.
#[derive(Default)]
struct Open {
    text: String,
    currency: Option<String>,
    path_len: usize,
}

struct Walk<'a> {
    bytes: &'a str,
    reader: Reader<&'a [u8]>,
    path: String,
    open: Vec<Open>,
    /// Elements that were closed, to be used again: nothing is allocated per element.
    spare: Vec<Open>,
}

/// Reads a file of one of these messages and hands on its elements.
pub fn walk(
    bytes: &[u8],
    accepted: &[Message],
    names: &'static str,
    mut see: impl FnMut(Step<'_>) -> Result<(), FileProblem>,
) -> Result<Message, FileError> {
    let mut walk = Walk::new(bytes)?;
    let message = walk.root()?.filter(|message| accepted.contains(message));
    let Some(message) = message else {
        return Err(walk.error(FileProblem::OtherMessage(names)));
    };
    while walk.step(&mut see)? {}
    Ok(message)
}

/// Which message a file is.
pub fn message_of(bytes: &[u8]) -> Result<Message, FileError> {
    let mut walk = Walk::new(bytes)?;
    let names = "pain.002.001.10, camt.053.001.08 or camt.054.001.08";
    let message = walk.root()?;
    message.ok_or_else(|| walk.error(FileProblem::OtherMessage(names)))
}

/// The number of the line that these bytes end in, from 1.
fn line_after(before: &[u8]) -> usize {
    before.iter().filter(|byte| **byte == b'\n').count().saturating_add(1)
}

impl<'a> Walk<'a> {
    fn new(bytes: &'a [u8]) -> Result<Self, FileError> {
        let at_start = |problem| FileError { line: 1, element: String::new(), problem };
        if bytes.len() > FILE_BYTES_MAX {
            return Err(at_start(FileProblem::TooLarge(FILE_BYTES_MAX)));
        }
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let line = line_after(before);
            let problem = FileProblem::NotXml(String::from("it is not UTF-8"));
            FileError { line, element: String::new(), problem }
        })?;
        let reader = Reader::from_str(text);
        Ok(Self { bytes: text, reader, path: String::new(), open: Vec::new(), spare: Vec::new() })
    }

    /// An error at the place that was read last.
    fn error(&self, problem: FileProblem) -> FileError {
        let at = usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX);
        let before = self.bytes.as_bytes().get(..at).unwrap_or(self.bytes.as_bytes());
        let line = line_after(before);
        let element =
            format!("Document{}{}", if self.path.is_empty() { "" } else { "/" }, self.path);
        FileError { line, element, problem }
    }

    fn next(&mut self) -> Result<Event<'a>, FileError> {
        let event = self.reader.read_event().map_err(|error| {
            // The parser's words may repeat what the file says, so only their kind is told.
            let words = match error {
                quick_xml::Error::Syntax(_) => "something is cut off",
                quick_xml::Error::IllFormed(_) => "an element is not closed where it should be",
                _ => "it cannot be read",
            };
            self.error(FileProblem::NotXml(String::from(words)))
        })?;
        match event {
            Event::DocType(_) => Err(self.error(FileProblem::DocumentType)),
            event => Ok(event),
        }
    }

    /// Reads up to the first element, and says which message it begins.
    fn root(&mut self) -> Result<Option<Message>, FileError> {
        loop {
            match self.next()? {
                Event::Start(start) => return Ok(root_message(&start)),
                Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
                Event::Text(text) if text.xml10_content().trim().is_empty() => {}
                Event::Eof => {
                    let words = String::from("it is empty");
                    return Err(self.error(FileProblem::NotXml(words)));
                }
                _ => return Ok(None),
            }
        }
    }

    /// Reads on; `false` at the end of the root element.
    fn step(
        &mut self,
        see: &mut impl FnMut(Step<'_>) -> Result<(), FileProblem>,
    ) -> Result<bool, FileError> {
        match self.next()? {
            Event::Start(start) => self.begin(&start, see)?,
            Event::Empty(start) => {
                self.begin(&start, see)?;
                self.end(see)?;
            }
            Event::End(_) if self.open.is_empty() => return Ok(false),
            Event::End(_) => self.end(see)?,
            Event::Text(text) => self.add(&text.xml10_content())?,
            Event::CData(text) => self.add(&text.xml10_content())?,
            Event::GeneralRef(reference) => {
                let text = match reference.resolve_char_ref() {
                    Ok(Some(one)) => one.to_string(),
                    Ok(None) => {
                        match quick_xml::escape::resolve_xml_entity(&reference.xml10_content()) {
                            Some(text) => text.to_owned(),
                            None => return Err(self.error(FileProblem::Entity)),
                        }
                    }
                    Err(_) => return Err(self.error(FileProblem::Entity)),
                };
                self.add(&text)?;
            }
            Event::Eof => {
                let words = String::from("something is cut off");
                return Err(self.error(FileProblem::NotXml(words)));
            }
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) | Event::DocType(_) => {}
        }
        Ok(true)
    }

    fn begin(
        &mut self,
        start: &BytesStart<'_>,
        see: &mut impl FnMut(Step<'_>) -> Result<(), FileProblem>,
    ) -> Result<(), FileError> {
        if self.open.len() >= DEPTH_MAX {
            return Err(self.error(FileProblem::TooDeep(DEPTH_MAX)));
        }
        let mut open = self.spare.pop().unwrap_or_default();
        open.text.clear();
        open.path_len = self.path.len();
        open.currency = attribute(start, "Ccy");
        self.open.push(open);
        if !self.path.is_empty() {
            self.path.push('/');
        }
        let name = start.local_name();
        let name: &str = name.as_ref();
        if name.len() > 64 {
            return Err(self.error(FileProblem::TooLong(64)));
        }
        self.path.push_str(name);
        see(Step::Open(&self.path)).map_err(|problem| self.error(problem))
    }

    fn end(
        &mut self,
        see: &mut impl FnMut(Step<'_>) -> Result<(), FileProblem>,
    ) -> Result<(), FileError> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let element = Element {
            path: &self.path,
            text: open.text.trim(),
            currency: open.currency.as_deref(),
        };
        see(Step::Close(element)).map_err(|problem| self.error(problem))?;
        self.path.truncate(open.path_len);
        self.spare.push(open);
        Ok(())
    }

    fn add(&mut self, text: &str) -> Result<(), FileError> {
        let Some(open) = self.open.last_mut() else { return Ok(()) };
        // Between elements lie spaces, as many as somebody likes.
        if open.text.is_empty() && text.trim().is_empty() {
            return Ok(());
        }
        if open.text.len().saturating_add(text.len()) > TEXT_BYTES_MAX {
            return Err(self.error(FileProblem::TooLong(TEXT_BYTES_MAX)));
        }
        // No value of these messages has a line of its own: a control character is a space.
        open.text.extend(text.chars().map(|one| if one.is_control() { ' ' } else { one }));
        Ok(())
    }
}

fn attribute(start: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = start.attributes().flatten().find(|one| one.key.as_ref() == name)?;
    Some(found.value.into_owned())
}

/// The message whose namespace the first element declares, by whatever prefix.
fn root_message(start: &BytesStart<'_>) -> Option<Message> {
    let name = start.local_name();
    let name: &str = name.as_ref();
    if name != "Document" {
        return None;
    }
    let all = [Message::Order, Message::Report, Message::Statement, Message::Notification];
    let declared = |message: &Message| {
        start.attributes().flatten().any(|one| {
            let key: &str = one.key.as_ref();
            let is_namespace = key == "xmlns" || key.starts_with("xmlns:");
            is_namespace && *one.value == *message.namespace()
        })
    };
    all.into_iter().find(declared)
}

/// Writes a message. Writing to memory does not fail.
pub struct Out(Writer<Vec<u8>>);

impl Out {
    /// A file of this message.
    pub fn new(message: Message) -> Self {
        let mut out = Self(Writer::new_with_indent(Vec::new(), b' ', 1));
        out.event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)));
        let root = BytesStart::new("Document").with_attributes([("xmlns", message.namespace())]);
        out.event(Event::Start(root));
        out
    }

    fn event(&mut self, event: Event<'_>) {
        let written: io::Result<()> = self.0.write_event(event);
        written.expect("a vector takes every byte");
    }

    /// An element with what `inside` writes.
    pub fn element(&mut self, name: &str, inside: impl FnOnce(&mut Self)) {
        self.event(Event::Start(BytesStart::new(name)));
        inside(self);
        self.event(Event::End(BytesEnd::new(name)));
    }

    /// An element with a text.
    pub fn text(&mut self, name: &str, text: &str) {
        self.element(name, |out| out.event(Event::Text(BytesText::new(text))));
    }

    /// An amount with its currency.
    pub fn amount(
        &mut self,
        name: &str,
        amount: primitives::Amount,
        currency: primitives::Currency,
    ) {
        let start = BytesStart::new(name).with_attributes([("Ccy", currency.code())]);
        self.event(Event::Start(start));
        self.event(Event::Text(BytesText::new(&amount.to_decimal(currency))));
        self.event(Event::End(BytesEnd::new(name)));
    }

    /// The whole file.
    pub fn finish(mut self) -> Vec<u8> {
        self.event(Event::End(BytesEnd::new("Document")));
        let mut bytes = self.0.into_inner();
        bytes.push(b'\n');
        bytes
    }
}
