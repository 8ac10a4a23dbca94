//! Pages become the bytes of a PDF/A-3u file with the voucher attached.

use krilla::SerializeSettings;
use krilla::color::rgb;
use krilla::configure::validate::Archival;
use krilla::configure::{ConfigurationBuilder, PdfVersion};
use krilla::document::Document;
use krilla::embed::{AssociationKind, EmbeddedFile, MimeType};
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::metadata::{DateTime, Metadata};
use krilla::page::PageSettings;
use krilla::paint::{Fill, Paint, Stroke};
use krilla::surface::Surface;
use primitives::{Timestamp, UtcOffset};

use crate::DocumentError;
use crate::font;
use crate::layout::{Colour, Mark, PAGE_HEIGHT, PAGE_WIDTH, Style};
use crate::seal;

/// What is written about a file, and attached to it.
pub(crate) struct Envelope<'a> {
    pub title: &'a str,
    pub language: &'a str,
    /// What makes it this document; the same document has the same.
    pub id: String,
    pub time: Timestamp,
    pub file_name: String,
    pub file_purpose: &'a str,
    pub file: String,
}

/// The bytes of these pages.
pub(crate) fn write(pages: &[Vec<Mark>], envelope: Envelope<'_>) -> Result<Vec<u8>, DocumentError> {
    let wrong = |error: &dyn std::fmt::Debug| DocumentError::Pdf(format!("{error:?}"));
    let configuration = ConfigurationBuilder::new()
        .with_archival_validator(Archival::A3_U)
        .with_version(PdfVersion::Pdf17)
        .finish()
        .map_err(|error| wrong(&error))?;
    let settings = SerializeSettings { configuration, ..SerializeSettings::default() };
    let mut document = Document::new_with(settings);
    let size = PageSettings::from_wh(PAGE_WIDTH, PAGE_HEIGHT)
        .ok_or_else(|| DocumentError::Pdf("a page without size".to_owned()))?;
    for marks in pages {
        let mut page = document.start_page_with(size.clone());
        let mut surface = page.surface();
        for mark in marks {
            draw(&mut surface, mark);
        }
        surface.finish();
        page.finish();
    }
    let time = date_time(envelope.time);
    document.embed_file(EmbeddedFile {
        path: envelope.file_name,
        mime_type: MimeType::new("text/plain"),
        description: Some(envelope.file_purpose.to_owned()),
        association_kind: AssociationKind::Source,
        data: envelope.file.into_bytes().into(),
        modification_date: Some(time),
        // Plain, so that the simplest program finds it: see `attachment`.
        compress: Some(false),
        location: None,
    });
    let metadata = Metadata::new()
        .title(envelope.title.to_owned())
        .language(envelope.language.to_owned())
        .creator("yibao".to_owned())
        .document_id(envelope.id)
        .creation_date(time);
    document.set_metadata(metadata);
    document.finish().map_err(|error| wrong(&error))
}

fn date_time(time: Timestamp) -> DateTime {
    let day = time.day(UtcOffset(0));
    let seconds = time.millis() / 1_000 % 86_400;
    let part = |value: u64| u8::try_from(value).unwrap_or(0);
    DateTime::new(u16::try_from(day.year()).unwrap_or(0))
        .month(day.month())
        .day(day.day())
        .hour(part(seconds / 3_600))
        .minute(part(seconds / 60 % 60))
        .second(part(seconds % 60))
        .utc_offset_hour(0)
        .utc_offset_minute(0)
}

/// A colour as the PDF has it.
pub(crate) fn paint(Colour(red, green, blue): Colour) -> Paint {
    rgb::Color::new(red, green, blue).into()
}

fn draw(surface: &mut Surface<'_>, mark: &Mark) {
    match mark {
        Mark::Text { x, y, text, style } => draw_text(surface, (*x, *y), text, *style),
        Mark::Box { area, colour } => draw_boxes(surface, std::slice::from_ref(area), *colour),
        Mark::Boxes { areas, colour } => draw_boxes(surface, areas, *colour),
        Mark::Seal { x, y, around, middle } => seal::draw(surface, (*x, *y), around, middle),
    }
}

fn draw_text(surface: &mut Surface<'_>, (mut x, y): (f32, f32), text: &str, style: Style) {
    let Style { size, colour, is_bold } = style;
    surface.set_fill(Some(Fill { paint: paint(colour), ..Fill::default() }));
    // There is one weight; a stroke around the letters makes the other.
    let stroke = Stroke { paint: paint(colour), width: size * 0.035, ..Stroke::default() };
    surface.set_stroke(is_bold.then_some(stroke));
    for run in font::runs(text) {
        let start = Point::from_xy(x, y);
        surface.draw_glyphs(start, &run.glyphs, run.font.clone(), &run.text, size, false);
        x += run.width * size;
    }
    surface.set_stroke(None);
}

fn draw_boxes(surface: &mut Surface<'_>, areas: &[[f32; 4]], colour: Colour) {
    let mut path = PathBuilder::new();
    for [x, y, width, height] in areas {
        if let Some(rect) = Rect::from_xywh(*x, *y, *width, *height) {
            path.push_rect(rect);
        }
    }
    if let Some(path) = path.finish() {
        surface.set_stroke(None);
        surface.set_fill(Some(Fill { paint: paint(colour), ..Fill::default() }));
        surface.draw_path(&path);
    }
}
