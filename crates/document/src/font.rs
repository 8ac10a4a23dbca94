//! Which shape a character has, and how wide it is.
//!
//! Two fonts are inside the program: Noto Sans SC for what texts are made of (Latin, GB/T 2312,
//! every character of our own texts, everything beyond the first plane), and Droid Sans Fallback
//! for the rest of the Chinese characters, which names have. `fonts/README.md` says where they are
//! from. A character without a shape is written as its number, such as 〔U+1F600〕.

use std::borrow::Cow;
use std::io::Read as _;
use std::sync::LazyLock;

use flate2::read::ZlibDecoder;
use krilla::text::{Font, GlyphId, KrillaGlyph};
use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, MetadataProvider as _};

macro_rules! packed {
    ($name:literal) => {
        include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".zlib"))
    };
}

/// One of the fonts.
struct Face {
    bytes: Vec<u8>,
    font: Font,
}

/// Unpacked when the first document is made.
static FACES: LazyLock<[Face; 2]> = LazyLock::new(|| {
    let faces: [&[u8]; 2] =
        [packed!("NotoSansSC-common.otf"), packed!("DroidSansFallback-rest.ttf")];
    faces.map(Face::new)
});

impl Face {
    fn new(packed: &[u8]) -> Self {
        let mut bytes = Vec::new();
        ZlibDecoder::new(packed).read_to_end(&mut bytes).expect("the font was packed by our build");
        let font = Font::new(bytes.clone().into(), 0).expect("the font is one");
        Self { bytes, font }
    }

    fn font_ref(&self) -> FontRef<'_> {
        FontRef::new(&self.bytes).expect("it was read before")
    }
}

/// A stretch of text in one font.
pub(crate) struct Run {
    pub font: Font,
    pub text: String,
    pub glyphs: Vec<KrillaGlyph>,
    /// How wide it is at size 1.
    pub width: f32,
}

/// Whether a character has no shape in any of the fonts.
#[must_use]
pub fn lacks_shape(character: char) -> bool {
    FACES.iter().all(|face| face.font_ref().charmap().map(character).is_none())
}

/// The text with everything replaced that cannot be shown: signs that steer are spaces.
fn showable(text: &str) -> Cow<'_, str> {
    let is_fine = |one: char| !one.is_control() && !lacks_shape(one);
    if text.chars().all(is_fine) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::new();
    for one in text.chars() {
        match one {
            one if one.is_control() => shown.push(' '),
            one if is_fine(one) => shown.push(one),
            one => shown.push_str(&format!("〔U+{:04X}〕", u32::from(one))),
        }
    }
    Cow::Owned(shown)
}

/// The runs of a line of text.
pub(crate) fn runs(text: &str) -> Vec<Run> {
    let text = showable(text);
    let maps = FACES.each_ref().map(|face| face.font_ref().charmap());
    let metrics = FACES
        .each_ref()
        .map(|face| face.font_ref().glyph_metrics(Size::new(1.0), LocationRef::default()));
    let mut runs: Vec<(usize, Run)> = Vec::new();
    for one in text.chars() {
        let place = usize::from(maps[0].map(one).is_none());
        let glyph = maps[place].map(one).unwrap_or_default();
        let advance = metrics[place].advance_width(glyph).unwrap_or(1.0);
        if runs.last().is_none_or(|(last, _)| *last != place) {
            let font = FACES[place].font.clone();
            runs.push((place, Run { font, text: String::new(), glyphs: Vec::new(), width: 0.0 }));
        }
        if let Some((_, run)) = runs.last_mut() {
            let start = run.text.len();
            run.text.push(one);
            let range = start..run.text.len();
            let id = GlyphId::new(glyph.to_u32());
            run.glyphs.push(KrillaGlyph::new(id, advance, 0.0, 0.0, 0.0, range, None));
            run.width += advance;
        }
    }
    runs.into_iter().map(|(_, run)| run).collect()
}

/// How wide a text is at this size, in points.
pub(crate) fn width(text: &str, size: f32) -> f32 {
    runs(text).iter().map(|run| run.width).sum::<f32>() * size
}

/// Signs that do not begin a line.
const CLOSING: &str = "，。、；：！？）〕》」』”’…,.;:!?)]%·";
/// Signs that do not end one.
const OPENING: &str = "（〔《「『“‘([";

/// The text in lines of at most this width: Chinese breaks anywhere, other words between them.
pub(crate) fn wrap(text: &str, size: f32, most: f32) -> Vec<String> {
    let text = showable(text);
    let mut lines = Vec::new();
    let mut line = String::new();
    for piece in pieces(&text) {
        let joined = format!("{line}{piece}");
        if width(joined.trim_end(), size) <= most || line.is_empty() && piece.chars().count() == 1 {
            line = joined;
            continue;
        }
        if !line.trim().is_empty() {
            lines.push(line.trim_end().to_owned());
        }
        line.clear();
        // A word that is wider than a line is cut where the line ends.
        for one in piece.trim_start().chars() {
            if width(&line, size) + width(one.encode_utf8(&mut [0; 4]), size) > most {
                lines.push(std::mem::take(&mut line));
            }
            line.push(one);
        }
    }
    if !line.trim().is_empty() || lines.is_empty() {
        lines.push(line.trim_end().to_owned());
    }
    lines
}

/// The smallest parts between which a line may break.
fn pieces(text: &str) -> Vec<String> {
    let is_wide = |one: char| u32::from(one) >= 0x2E80;
    let mut pieces: Vec<String> = Vec::new();
    let mut last: Option<char> = None;
    for one in text.chars() {
        let breaks = last.is_none_or(|last| {
            let between = is_wide(last) || is_wide(one) || last == ' ' || last == '-';
            between && !CLOSING.contains(one) && !OPENING.contains(last) && one != ' '
        });
        match pieces.last_mut() {
            Some(piece) if !breaks => piece.push(one),
            _ => pieces.push(one.to_string()),
        }
        last = Some(one);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_of_our_texts_has_a_shape() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut waiting = vec![root.join("locales"), root.join("plans")];
        let mut missing = std::collections::BTreeSet::new();
        let mut files = 0;
        while let Some(path) = waiting.pop() {
            if path.is_dir() {
                let entries = std::fs::read_dir(&path).expect("a folder");
                waiting.extend(entries.map(|entry| entry.expect("an entry").path()));
            } else if let Ok(text) = std::fs::read_to_string(&path) {
                files += 1;
                missing.extend(text.chars().filter(|one| !one.is_control() && lacks_shape(*one)));
            }
        }
        assert!(files > 30, "{files}");
        assert!(missing.is_empty(), "run crates/document/fonts/make.py for {missing:?}");
    }

    #[test]
    fn rare_characters_of_names_have_shapes_and_others_their_number() {
        for one in "龘䶮㼆𠮷𬭎〇ßÄé".chars() {
            assert!(!lacks_shape(one), "{one}");
        }
        assert_eq!(showable("a😀\u{7}b"), "a〔U+1F600〕 b");
        assert!(runs("陈䶮").len() == 2);
    }

    #[test]
    fn lines_break_where_readers_expect_it() {
        let lines = wrap("医保结算凭证，说明", 10.0, 60.0);
        assert_eq!(lines, ["医保结算凭", "证，说明"]);
        let lines = wrap("the settlement of a visit", 10.0, 70.0);
        assert!(lines.iter().all(|line| width(line, 10.0) <= 70.0), "{lines:?}");
        assert_eq!(lines.join(" "), "the settlement of a visit");
        let long = "Krankenversicherungsbeitragsentlastung".repeat(3);
        let lines = wrap(&long, 10.0, 120.0);
        assert!(lines.len() > 3 && lines.concat() == long);
        assert_eq!(wrap("", 10.0, 50.0), [""]);
    }
}
