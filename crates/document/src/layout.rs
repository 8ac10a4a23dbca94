//! What is drawn where: lines of text and shapes on A4 pages, before there is a PDF.
//!
//! A [`Flow`] goes down the page and begins a new one where something would not fit. All lengths
//! are points from the top left corner.

use crate::font;

/// A colour of the sheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Colour(pub u8, pub u8, pub u8);

pub(crate) const INK: Colour = Colour(0x14, 0x21, 0x1d);
pub(crate) const HELPER: Colour = Colour(0x44, 0x54, 0x4e);
pub(crate) const HAIRLINE: Colour = Colour(0xc9, 0xd3, 0xcd);
pub(crate) const BRAND: Colour = Colour(0x00, 0x4d, 0x43);
pub(crate) const PALE: Colour = Colour(0xee, 0xf4, 0xf1);
pub(crate) const SEAL: Colour = Colour(0xb3, 0x26, 0x1e);

pub(crate) const PAGE_WIDTH: f32 = 595.28;
pub(crate) const PAGE_HEIGHT: f32 = 841.89;
pub(crate) const LEFT: f32 = 51.0;
pub(crate) const RIGHT: f32 = PAGE_WIDTH - 51.0;
const TOP: f32 = 48.0;
/// What flows ends here; the footer is below.
pub(crate) const BOTTOM: f32 = PAGE_HEIGHT - 96.0;

/// How a text looks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Style {
    pub size: f32,
    pub colour: Colour,
    pub is_bold: bool,
}

impl Style {
    pub const fn new(size: f32, colour: Colour) -> Self {
        Self { size, colour, is_bold: false }
    }

    pub const fn bold(self) -> Self {
        Self { is_bold: true, ..self }
    }

    /// From one line to the next.
    pub const fn leading(self) -> f32 {
        self.size * 1.5
    }
}

/// Something on a page.
#[derive(Clone, Debug)]
pub(crate) enum Mark {
    /// A line of text; `y` is where letters stand.
    Text { x: f32, y: f32, text: String, style: Style },
    /// A filled rectangle: x, y, width, height.
    Box { area: [f32; 4], colour: Colour },
    /// Squares of one colour, such as a code's.
    Boxes { areas: Vec<[f32; 4]>, colour: Colour },
    /// The seal, around this point.
    Seal { x: f32, y: f32, around: String, middle: String },
}

/// Pages as they are filled.
#[derive(Debug)]
pub(crate) struct Flow {
    pub pages: Vec<Vec<Mark>>,
    pub y: f32,
}

impl Flow {
    pub fn new() -> Self {
        Self { pages: vec![Vec::new()], y: TOP }
    }

    /// Goes to a new page unless this much still fits.
    pub fn need(&mut self, height: f32) {
        if self.y + height > BOTTOM {
            self.pages.push(Vec::new());
            self.y = TOP;
        }
    }

    pub fn mark(&mut self, mark: Mark) {
        if let Some(page) = self.pages.last_mut() {
            page.push(mark);
        }
    }

    /// One line at a place of its own.
    pub fn text_at(&mut self, x: f32, y: f32, text: &str, style: Style) {
        self.mark(Mark::Text { x, y, text: text.to_owned(), style });
    }

    /// One line that ends at `right`.
    pub fn text_to(&mut self, right: f32, y: f32, text: &str, style: Style) {
        self.text_at(right - font::width(text, style.size), y, text, style);
    }

    /// A paragraph between two edges, over pages where it must.
    pub fn paragraph(&mut self, left: f32, right: f32, text: &str, style: Style) {
        for line in font::wrap(text, style.size, right - left) {
            self.need(style.leading());
            self.y += style.leading();
            let y = self.y - style.size * 0.4;
            self.text_at(left, y, &line, style);
        }
    }

    pub fn space(&mut self, height: f32) {
        self.y += height;
    }

    /// A thin line over the whole width.
    pub fn rule(&mut self) {
        let area = [LEFT, self.y, RIGHT - LEFT, 0.6];
        self.mark(Mark::Box { area, colour: HAIRLINE });
    }

    /// A heading that does not stand alone at the end of a page.
    pub fn heading(&mut self, text: &str) {
        self.need(70.0);
        self.space(10.0);
        self.paragraph(LEFT, RIGHT, text, Style::new(12.0, BRAND).bold());
        self.space(3.0);
    }

    /// Lines of a name and what belongs to it, the name on the left in a column of this width.
    pub fn pair(&mut self, [left, column, right]: [f32; 3], name: &str, value: &str) {
        let (small, plain) = (Style::new(8.5, HELPER), Style::new(9.5, INK));
        let names = font::wrap(name, small.size, column - left - 8.0);
        let values = font::wrap(value, plain.size, right - column);
        let rows = names.len().max(values.len());
        self.need(plain.leading());
        for row in 0..rows {
            self.need(plain.leading());
            self.y += plain.leading();
            let y = self.y - plain.size * 0.4;
            if let Some(name) = names.get(row) {
                self.text_at(left, y, name, small);
            }
            if let Some(value) = values.get(row) {
                self.text_at(column, y, value, plain);
            }
        }
        self.y += 1.5;
    }
}
