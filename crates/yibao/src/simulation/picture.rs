//! The counts as a picture: who pays how much under both plans, and who gains or loses. Plain SVG
//! without scripts or outside fonts, so that it opens anywhere and prints.

use std::fmt::Write as _;

use super::report::{Figures, headline, payers};
use super::tally::{Both, Tally, Winners};

/// The picture's width, and where bars begin and how long they get.
const WIDTH: u32 = 980;
const LEFT: u32 = 230;
const BARS: u32 = 470;
/// The height of a row, and of a heading with its space.
const ROW: u32 = 44;
const HEADING: u32 = 56;

/// Colours that are told apart without seeing red and green, and in grey.
const OLD: &str = "#9aa5b1";
const NEW: &str = "#1f6feb";
const BETTER: &str = "#0f766e";
const WORSE: &str = "#d97706";

/// What stands under the picture: what was simulated.
pub struct Caption<'a> {
    /// The title.
    pub title: &'a str,
    /// The language tag.
    pub language: &'a str,
    /// Lines such as the file's hash.
    pub lines: &'a [String],
}

/// The picture as an SVG file.
#[must_use]
pub fn svg(tally: &Tally, figures: &Figures, caption: &Caption<'_>) -> String {
    let mut picture = Picture { body: String::new(), at: 36 };
    picture.text(24, "title", caption.title);
    for line in headline(tally, figures).lines() {
        picture.at += 26;
        picture.text(24, "line", line);
    }
    picture.payers(tally, figures);
    let classes = tally
        .classes
        .iter()
        .map(|(class, people)| (figures.class(*class).to_owned(), people.winners));
    picture.winners("classes", figures, classes.collect());
    let levels =
        tally.levels.iter().map(|(level, group)| (figures.level(*level).to_owned(), group.winners));
    picture.winners("levels", figures, levels.collect());
    picture.at += 24;
    for line in caption.lines {
        picture.at += 18;
        picture.text(24, "small", line);
    }
    let height = picture.at + 28;
    let (title, language) = (escaped(caption.title), escaped(caption.language));
    let description = escaped(headline(tally, figures).trim());
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         width=\"{WIDTH}\" height=\"{height}\" role=\"img\" xml:lang=\"{language}\">\n\
         <title>{title}</title>\n<desc>{description}</desc>\n<style>{STYLE}</style>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n{}</svg>\n",
        picture.body
    )
}

const STYLE: &str = "text{font-family:'Noto Sans','Noto Sans CJK SC','PingFang SC',\
'Microsoft YaHei',sans-serif;font-size:14px;fill:#1b1f24}\
.title{font-size:20px;font-weight:600}.heading{font-size:16px;font-weight:600}\
.small{font-size:12px;fill:#57606a}.end{text-anchor:end}";

/// A picture that grows downward.
struct Picture {
    body: String,
    at: u32,
}

impl Picture {
    fn text(&mut self, x: u32, class: &str, words: &str) {
        let (y, words) = (self.at, escaped(words));
        let _ = writeln!(self.body, "<text x=\"{x}\" y=\"{y}\" class=\"{class}\">{words}</text>");
    }

    fn bar(&mut self, (x, y): (u32, u32), (width, height): (u32, u32), colour: &str) {
        let _ = writeln!(
            self.body,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"{colour}\"/>"
        );
    }

    fn heading(&mut self, words: &str, legend: [(&str, &str); 2]) {
        self.at += HEADING;
        self.text(24, "heading", words);
        let mut x = LEFT + BARS - 160;
        for (colour, words) in legend {
            self.bar((x, self.at - 11), (12, 12), colour);
            self.text(x + 18, "small", words);
            x += 130;
        }
        self.at += 10;
    }

    /// Two bars for each payer.
    fn payers(&mut self, tally: &Tally, figures: &Figures) {
        let words = figures.words;
        let heading = words.say("payers", &[]);
        self.heading(&heading, [(OLD, words.column("old")), (NEW, words.column("new"))]);
        let rows = payers(tally, figures);
        let most = rows.iter().map(|(_, both)| both.old.max(both.new)).max().unwrap_or(0);
        for (name, both) in rows {
            self.at += ROW;
            self.label(&name);
            let Both { old, new } = both;
            self.bar((LEFT, self.at - 27), (length(old, most), 12), OLD);
            self.bar((LEFT, self.at - 13), (length(new, most), 12), NEW);
            let change = format!("{} ({})", figures.difference(&both), figures.percent(&both));
            let (x, y) = (LEFT + BARS + 12, self.at);
            self.at = y - 16;
            self.text(x, "small", &figures.amount(new));
            self.at = y - 2;
            self.text(x, "small", &change);
            self.at = y;
        }
    }

    /// For each group the share that bears more to the left, less to the right.
    fn winners(&mut self, key: &str, figures: &Figures, rows: Vec<(String, Winners)>) {
        let words = figures.words;
        let heading = words.say(key, &[]);
        self.heading(&heading, [(WORSE, words.column("worse")), (BETTER, words.column("better"))]);
        let middle = LEFT + BARS / 2;
        for (name, one) in rows {
            self.at += ROW - 12;
            self.label(&name);
            let count = u128::from(one.better.0 + one.worse.0 + one.same);
            let half = |part: u64| length(u128::from(part), count) / 2;
            let (worse, better) = (half(one.worse.0), half(one.better.0));
            self.bar((middle - worse, self.at - 20), (worse, 14), WORSE);
            self.bar((middle, self.at - 20), (better, 14), BETTER);
            self.bar((middle, self.at - 24), (1, 22), "#57606a");
            let counts =
                format!("{} · {}", figures.count(one.worse.0), figures.count(one.better.0));
            self.at -= 8;
            self.text(LEFT + BARS + 12, "small", &counts);
            self.at += 8;
        }
    }

    /// The name of a row, ended with dots where it is longer than its place.
    fn label(&mut self, words: &str) {
        const COLUMNS_MAX: usize = 27;
        let mut shown = String::new();
        for one in words.chars() {
            if super::table::columns_of(&shown) >= COLUMNS_MAX {
                shown.push('…');
                break;
            }
            shown.push(one);
        }
        let y = self.at;
        self.at = y - 9;
        self.text(24, "line", &shown);
        self.at = y;
    }
}

/// The length of a bar whose largest neighbour is `most`.
fn length(part: u128, most: u128) -> u32 {
    let length = part.saturating_mul(u128::from(BARS)).checked_div(most).unwrap_or(0);
    u32::try_from(length).unwrap_or(BARS).min(BARS)
}

/// The text as it may stand in XML: no markup, and no character that XML does not have.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for one in text.chars() {
        match one {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            one if one.is_control() || matches!(one, '\u{fffe}' | '\u{ffff}') => {}
            one => escaped.push(one),
        }
    }
    escaped
}
