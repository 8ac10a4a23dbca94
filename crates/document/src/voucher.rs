//! The voucher's sheet: what the proof says in words and figures, who pays, why, a code that leads
//! to the public check, and the proof itself attached.
//!
//! Everything that the proof covers comes from the voucher's own openings. What does not (names,
//! reasons) comes from whoever makes the sheet, and the sheet says so.

use std::collections::BTreeMap;

use benefit::Explanation;
use primitives::{Amount, Currency, Hash, Timestamp, UtcOffset};
use proof::log::leaf_hash;
use proof::receipt::{FieldAmount, FieldValue, OutcomeCode};
use proof::voucher::Voucher;
use qrcodegen::{QrCode, QrCodeEcc};

use crate::chinese_amount::in_words;
use crate::language::Language;
use crate::layout::{
    BOTTOM, BRAND, Colour, Flow, HELPER, INK, LEFT, Mark, PAGE_HEIGHT, PALE, RIGHT, SEAL, Style,
};
use crate::pdf::{self, Envelope};
use crate::sealing::{self, SealPlace};
use crate::signature::ElectronicSeal;
use crate::words::Words;
use crate::{DocumentError, font, seal};

/// The most bytes of the text in the code: what a phone still reads from paper of this size.
pub const LINK_BYTES_MAX: usize = 400;

/// Figures that say what a bill consists of, in their order; the others say who pays.
const FIGURES: [&str; 6] =
    ["total", "self_paid", "over_cap", "class_b_share", "in_policy", "deductible"];
/// What the person pays.
const OWN: [&str; 3] = ["personal_account", "family_accounts", "cash"];

const FUND_BAR: Colour = Colour(0x00, 0x66, 0x5a);
const ACCOUNT_BAR: Colour = Colour(0x39, 0x49, 0xab);
const FAMILY_BAR: Colour = Colour(0x7b, 0x1f, 0xa2);
const CASH_BAR: Colour = Colour(0x8a, 0x4b, 0x00);

/// What is to stand on the sheet.
#[derive(Clone, Copy)]
pub struct VoucherSheet<'a> {
    /// The voucher, whose signatures the caller has checked.
    pub voucher: &'a Voucher,
    /// Its receipt's place in the log.
    pub index: u64,
    /// The language.
    pub language: Language,
    /// Local time where it is read.
    pub offset: UtcOffset,
    /// What happened, such as the title of the kind of transaction.
    pub kind: &'a str,
    /// The name of the provider, if it is known.
    pub provider: Option<&'a str>,
    /// The name of the person, if it is known and wanted.
    pub person: Option<&'a str>,
    /// Why each amount is what it is, if it is known.
    pub explanation: Option<&'a Explanation>,
    /// The address of the public page that checks vouchers.
    pub check_page: Option<&'a str>,
    /// Who signs the sheet; nobody when left out, and then its seal is a sample.
    pub seal: Option<Sealed<'a>>,
}

/// A seal and when it is put on a sheet.
#[derive(Clone, Copy)]
pub struct Sealed<'a> {
    /// The seal.
    pub by: &'a ElectronicSeal,
    /// When; the signature says so.
    pub at: Timestamp,
}

impl VoucherSheet<'_> {
    /// The hash of the receipt's leaf in the log, which anybody can look up there.
    #[must_use]
    pub fn leaf(&self) -> Hash {
        leaf_hash(&self.voucher.export_record())
    }

    /// What the code on the sheet says.
    #[must_use]
    pub fn code(&self) -> String {
        let (index, leaf) = (self.index, self.leaf());
        match self.check_page {
            Some(page) => format!("{page}?receipt={index}&leaf={leaf}"),
            None => {
                let log = &self.voucher.checkpoint().checkpoint().origin;
                format!("{log} {index} {leaf}")
            }
        }
    }
}

/// The sheet as PDF/A-3u with the voucher attached.
///
/// # Errors
/// A link that is too long, or a PDF that cannot be written.
pub fn voucher_pdf(sheet: &VoucherSheet<'_>) -> Result<Vec<u8>, DocumentError> {
    let code = sheet.code();
    if code.len() > LINK_BYTES_MAX {
        return Err(DocumentError::LinkTooLong { found: code.len(), most: LINK_BYTES_MAX });
    }
    let words = sheet.language.words();
    let facts = Facts::of(sheet.voucher);
    let title = words.text(if facts.is_settlement() { "title" } else { "title.other" });
    let mut flow = Flow::new();
    head(&mut flow, sheet, &facts, title, &code)?;
    if facts.is_settlement() {
        amounts(&mut flow, sheet.language, &facts);
        tables(&mut flow, words, &facts);
    }
    stamp(&mut flow, sheet, words);
    if let Some(explanation) = sheet.explanation {
        reasons(&mut flow, words, explanation);
    }
    others(&mut flow, words, &facts);
    feet(&mut flow, sheet, words, &code);
    let record = sheet.voucher.record();
    let envelope = Envelope {
        title,
        language: sheet.language.tag(),
        id: sheet.leaf().to_string(),
        time: record.time,
        file_name: format!("yibao-{}.voucher", sheet.index),
        file_purpose: words.text("attachment"),
        file: sheet.voucher.encode(),
    };
    let bytes = pdf::write(&flow.pages, envelope)?;
    match (sheet.seal, seal_place(&flow)) {
        (Some(Sealed { by, at }), Some(place)) => sealing::seal(bytes, place, by, at),
        _ => Ok(bytes),
    }
}

/// Where the seal stands, as PDF counts: from the lower left corner.
fn seal_place(flow: &Flow) -> Option<SealPlace> {
    (1_u32..).zip(&flow.pages).find_map(|(page, marks)| {
        marks.iter().find_map(|mark| match mark {
            Mark::Seal { x, y, .. } => {
                let (radius, y) = (seal::RADIUS, PAGE_HEIGHT - y);
                Some(SealPlace { page, area: [x - radius, y - radius, x + radius, y + radius] })
            }
            _ => None,
        })
    })
}

/// Something that a voucher shows, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// What it is about.
    pub name: String,
    /// What it says.
    pub value: String,
}

/// What a voucher shows, in its order.
#[must_use]
pub fn facts(voucher: &Voucher, language: Language) -> Vec<Fact> {
    let words = language.words();
    let fact = |one: &proof::receipt::Opening| Fact {
        name: words.fact(&one.field.name).to_owned(),
        value: match &one.field.value {
            FieldValue::Amount(one) => words.money(one.amount, one.currency),
            FieldValue::Text(text) if &*one.field.name == "consent" => {
                words.consent(text).to_owned()
            }
            other => other.to_string(),
        },
    };
    voucher.openings().iter().map(fact).collect()
}

/// What the voucher shows, by name.
struct Facts<'a> {
    /// In the order of the receipt.
    all: Vec<(&'a str, &'a FieldValue)>,
    by_name: BTreeMap<&'a str, &'a FieldValue>,
    hidden: usize,
}

impl<'a> Facts<'a> {
    fn of(voucher: &'a Voucher) -> Self {
        let openings = voucher.openings().iter();
        let all: Vec<(&str, &FieldValue)> =
            openings.map(|one| (&*one.field.name, &one.field.value)).collect();
        let hidden = voucher.record().commitments.len().saturating_sub(all.len());
        Self { by_name: all.iter().copied().collect(), all, hidden }
    }

    fn amount(&self, name: &str) -> Option<FieldAmount> {
        match self.by_name.get(name) {
            Some(FieldValue::Amount(amount)) => Some(*amount),
            _ => None,
        }
    }

    fn minor(&self, name: &str) -> Amount {
        self.amount(name).map_or(Amount::ZERO, |found| found.amount)
    }

    fn text(&self, name: &str) -> Option<String> {
        self.by_name.get(name).map(ToString::to_string)
    }

    /// Whether it shows what a bill cost and what the person paid of it.
    fn is_settlement(&self) -> bool {
        ["total", "personal_account", "cash"].iter().all(|name| self.amount(name).is_some())
    }

    fn currency(&self) -> Currency {
        self.amount("total").map_or(Currency::CNY, |found| found.currency)
    }

    /// Those who pay besides the person, in the order of the receipt: the amounts behind the
    /// figures of the bill and before the person's own.
    fn payers(&self) -> Vec<(&'a str, Amount)> {
        let amounts = self.all.iter().filter_map(|(name, value)| match value {
            FieldValue::Amount(amount) => Some((*name, amount.amount)),
            _ => None,
        });
        let is_payer = |name: &str| benefit::word::Payer::from_name(name).is_some();
        amounts.filter(|(name, _)| is_payer(name)).collect()
    }

    /// Every fact that has no place of its own on the sheet.
    fn others(&self) -> Vec<(&'a str, &'a FieldValue)> {
        let placed = |name: &str| {
            FIGURES.contains(&name)
                || OWN.contains(&name)
                || self.payers().iter().any(|(payer, _)| *payer == name)
                || ["service_from", "service_to", "consent"].contains(&name)
        };
        let is_placed = |name: &str| self.is_settlement() && placed(name);
        self.all.iter().filter(|(name, _)| !is_placed(name)).copied().collect()
    }
}

/// A moment as a clock on the wall shows it.
fn moment(time: Timestamp, offset: UtcOffset) -> String {
    let minutes = i64::try_from(time.millis() / 60_000).unwrap_or(0) + i64::from(offset.0);
    let (hour, minute) = (minutes.div_euclid(60).rem_euclid(24), minutes.rem_euclid(60));
    let sign = if offset.0 < 0 { '-' } else { '+' };
    let away = offset.0.unsigned_abs();
    let (hours, rest) = (away / 60, away % 60);
    format!("{} {hour:02}:{minute:02} (UTC{sign}{hours:02}:{rest:02})", time.day(offset))
}

const QR_SIZE: f32 = 100.0;

fn head(
    flow: &mut Flow,
    sheet: &VoucherSheet<'_>,
    facts: &Facts<'_>,
    title: &str,
    code: &str,
) -> Result<(), DocumentError> {
    let words = sheet.language.words();
    let top = flow.y;
    let edge = RIGHT - QR_SIZE - 18.0;
    qr_code(flow, [RIGHT - QR_SIZE, top], code)?;
    let caption = Style::new(7.5, HELPER);
    for (at, line) in (1_u8..).zip(font::wrap(words.text("code"), 7.5, QR_SIZE)) {
        let y = top + QR_SIZE + f32::from(at) * 10.5;
        flow.text_at(RIGHT - QR_SIZE, y, &line, caption);
    }
    flow.paragraph(LEFT, edge, title, Style::new(22.0, BRAND).bold());
    flow.paragraph(LEFT, edge, sheet.kind, Style::new(10.0, HELPER));
    flow.space(6.0);
    let record = sheet.voucher.record();
    if let OutcomeCode::Rejected(number) = record.outcome {
        let text = words.fill("rejected", &[("number", &number.to_string())]);
        flow.paragraph(LEFT, edge, &text, Style::new(11.0, SEAL).bold());
    }
    let columns = [LEFT, LEFT + 92.0, edge];
    let mut line = |name: &str, value: &str| flow.pair(columns, words.text(name), value);
    line("number", &sheet.index.to_string());
    if let Some(name) = sheet.provider {
        line("provider", name);
    }
    if let Some(name) = sheet.person {
        line("person", name);
    }
    if let (Some(from), Some(to)) = (facts.text("service_from"), facts.text("service_to")) {
        let days = words.fill("days", &[("from", &from), ("to", &to)]);
        line("service", if from == to { &from } else { &days });
    }
    line("time", &moment(record.time, sheet.offset));
    if let Some(consent) = facts.text("consent") {
        line("consent", words.consent(&consent));
    }
    line("ledger", &record.chain_id.to_string());
    flow.y = flow.y.max(top + QR_SIZE + 30.0) + 10.0;
    Ok(())
}

fn qr_code(flow: &mut Flow, [x, y]: [f32; 2], text: &str) -> Result<(), DocumentError> {
    let too_long = |_| DocumentError::LinkTooLong { found: text.len(), most: LINK_BYTES_MAX };
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).map_err(too_long)?;
    let size = u16::try_from(code.size()).unwrap_or(u16::MAX);
    let module = QR_SIZE / f32::from(size);
    let mut areas = Vec::new();
    for row in 0..size {
        let mut column = 0;
        while column < size {
            let dark = |column: u16| code.get_module(i32::from(column), i32::from(row));
            let length = (column..size).take_while(|one| dark(*one)).count();
            let length = u16::try_from(length).unwrap_or(0);
            if length > 0 {
                let [left, top] = [column, row].map(|place| f32::from(place) * module);
                areas.push([x + left, y + top, f32::from(length) * module, module]);
            }
            column += length + 1;
        }
    }
    flow.mark(Mark::Boxes { areas, colour: INK });
    Ok(())
}

/// The two amounts that people look for, in figures and in characters, and the bar of shares.
fn amounts(flow: &mut Flow, language: Language, facts: &Facts<'_>) {
    let words = language.words();
    let currency = facts.currency();
    let own = OWN.iter().fold(Amount::ZERO, |sum, name| sum.saturating_add(facts.minor(name)));
    let middle = (LEFT + RIGHT) / 2.0;
    let columns = [
        (LEFT + 14.0, middle - 8.0, "total", facts.minor("total")),
        (middle + 8.0, RIGHT - 14.0, "own", own),
    ];
    let small = Style::new(8.5, HELPER);
    let spoken: Vec<Vec<String>> = columns
        .iter()
        .map(|(left, right, _, amount)| {
            let text = in_words(*amount, currency, language.script());
            font::wrap(&words.fill("in_words", &[("words", &text)]), small.size, right - left)
        })
        .collect();
    let lines = spoken.iter().map(Vec::len).max().unwrap_or(1);
    let height = 54.0 + small.leading() * f32::from(u8::try_from(lines).unwrap_or(u8::MAX));
    flow.need(height + 50.0);
    let top = flow.y;
    flow.mark(Mark::Box { area: [LEFT, top, RIGHT - LEFT, height], colour: PALE });
    for ((left, right, key, amount), spoken) in columns.iter().zip(&spoken) {
        flow.text_at(*left, top + 17.0, words.text(key), small);
        let text = words.money(*amount, currency);
        let size = 20.0 * ((right - left) / font::width(&text, 20.0)).min(1.0);
        flow.text_at(*left, top + 40.0, &text, Style::new(size, INK).bold());
        for (at, line) in (0_u8..).zip(spoken) {
            let y = top + 56.0 + f32::from(at) * small.leading();
            flow.text_at(*left, y, line, small);
        }
    }
    flow.y = top + height + 10.0;
    share_bar(flow, words, facts);
}

fn share_bar(flow: &mut Flow, words: &Words, facts: &Facts<'_>) {
    let paid =
        facts.payers().into_iter().fold(Amount::ZERO, |sum, (_, one)| sum.saturating_add(one));
    let mut shares = vec![
        ("share.fund", paid, FUND_BAR),
        ("share.account", facts.minor("personal_account"), ACCOUNT_BAR),
        ("share.cash", facts.minor("cash"), CASH_BAR),
    ];
    let family = facts.minor("family_accounts");
    if !family.is_zero() {
        shares.insert(2, ("share.family", family, FAMILY_BAR));
    }
    let whole = shares.iter().fold(0.0, |sum, (_, one, _)| sum + wide(*one)).max(1.0);
    let (mut x, y) = (LEFT, flow.y);
    for (_, amount, colour) in shares.iter().copied() {
        let width = (RIGHT - LEFT) * wide(amount) / whole;
        flow.mark(Mark::Box { area: [x, y, width, 9.0], colour });
        x += width;
    }
    flow.space(9.0);
    let columns = u8::try_from(shares.len()).unwrap_or(u8::MAX);
    let column = (RIGHT - LEFT) / f32::from(columns);
    let plain = Style::new(9.0, INK);
    let mut deepest = flow.y;
    for (at, (key, amount, colour)) in (0_u8..).zip(shares) {
        let left = LEFT + f32::from(at) * column;
        flow.mark(Mark::Box { area: [left, y + 17.0, 7.0, 7.0], colour });
        let text = format!("{} {}", words.text(key), words.money(amount, facts.currency()));
        for (at, line) in (0_u8..).zip(font::wrap(&text, plain.size, column - 18.0)) {
            let at = y + 24.0 + f32::from(at) * plain.leading();
            flow.text_at(left + 11.0, at, &line, plain);
            deepest = deepest.max(at);
        }
    }
    flow.y = deepest + 8.0;
}

/// An amount as a length; only for drawing.
fn wide(amount: Amount) -> f32 {
    amount.minor() as f32
}

fn tables(flow: &mut Flow, words: &Words, facts: &Facts<'_>) {
    let currency = facts.currency();
    flow.heading(words.text("payers"));
    // Who has no relatives that help reads nothing of them.
    let counts = |name: &str, amount: Amount| name != "family_accounts" || !amount.is_zero();
    let own = OWN.iter().map(|name| (*name, facts.minor(name)));
    let own = own.filter(|(name, amount)| counts(name, *amount));
    for (name, amount) in facts.payers().into_iter().chain(own) {
        row(flow, words, name, &words.money(amount, currency));
    }
    flow.heading(words.text("parts"));
    for name in FIGURES {
        // A part that the bill does not have says nothing; what always counts says so.
        let counts = ["total", "in_policy"].contains(&name);
        if let Some(found) = facts.amount(name).filter(|one| counts || !one.amount.is_zero()) {
            row(flow, words, name, &words.money(found.amount, found.currency));
        }
    }
}

/// A figure: its name, what it means, how much.
fn row(flow: &mut Flow, words: &Words, name: &str, amount: &str) {
    let (plain, small) = (Style::new(9.5, INK), Style::new(8.5, HELPER));
    let [middle, right] = [LEFT + 158.0, RIGHT - 108.0];
    let names = font::wrap(words.fact(name), plain.size, middle - LEFT - 8.0);
    let reasons = font::wrap(words.why(name), small.size, right - middle);
    let lines = names.len().max(reasons.len());
    flow.need(plain.leading() * f32::from(u8::try_from(lines).unwrap_or(u8::MAX)) + 4.0);
    flow.rule();
    flow.space(2.0);
    flow.text_to(RIGHT, flow.y + plain.leading() - 4.0, amount, plain.bold());
    for line in 0..lines {
        flow.y += plain.leading();
        let y = flow.y - 4.0;
        if let Some(name) = names.get(line) {
            flow.text_at(LEFT, y, name, plain);
        }
        if let Some(reason) = reasons.get(line) {
            flow.text_at(middle, y, reason, small);
        }
    }
    flow.space(2.0);
}

fn others(flow: &mut Flow, words: &Words, facts: &Facts<'_>) {
    let others = facts.others();
    if !others.is_empty() {
        flow.heading(words.text("others"));
        for (name, value) in others {
            let shown = match value {
                FieldValue::Amount(one) => words.money(one.amount, one.currency),
                other => other.to_string(),
            };
            flow.pair([LEFT, LEFT + 158.0, RIGHT], words.fact(name), &shown);
        }
    }
    if facts.hidden > 0 {
        let text = words.fill("hidden", &[("number", &facts.hidden.to_string())]);
        flow.paragraph(LEFT, RIGHT, &text, Style::new(8.5, HELPER));
    }
}

/// What the sheet proves and what not, and the seal beside it.
fn stamp(flow: &mut Flow, sheet: &VoucherSheet<'_>, words: &Words) {
    flow.need(2.0 * seal::RADIUS + 26.0);
    flow.space(12.0);
    let top = flow.y;
    let checkpoint = sheet.voucher.checkpoint().checkpoint();
    let edge = RIGHT - 2.0 * seal::RADIUS - 30.0;
    flow.paragraph(LEFT, edge, words.text("proves.title"), Style::new(10.5, BRAND).bold());
    let (index, size) = (sheet.index.to_string(), checkpoint.size.to_string());
    let values = [("log", checkpoint.origin.as_str()), ("index", &index), ("size", &size)];
    let plain = Style::new(8.5, INK);
    flow.paragraph(LEFT, edge, &words.fill("proves", &values), plain);
    flow.space(2.0);
    flow.paragraph(LEFT, edge, words.text("proves.not"), plain);
    flow.space(2.0);
    let holder = sheet.seal.map(|one| (one.by.holder(), one.by.is_sample()));
    let (around, middle) = match &holder {
        Some((holder, false)) => (&*holder.name, words.text("seal.electronic")),
        _ => {
            flow.paragraph(LEFT, edge, words.text("seal"), plain);
            flow.space(2.0);
            (words.text("seal.around"), words.text("seal.middle"))
        }
    };
    if let Some((holder, _)) = &holder {
        let until = holder.until.day(sheet.offset).to_string();
        let values = [("name", &*holder.name), ("issuer", &holder.issuer), ("until", &until)];
        flow.paragraph(LEFT, edge, &words.fill("signed", &values), plain);
    }
    flow.mark(Mark::Seal {
        x: RIGHT - seal::RADIUS - 8.0,
        y: (top + seal::RADIUS + 6.0).min(BOTTOM - seal::RADIUS + 10.0),
        around: around.to_owned(),
        middle: middle.to_owned(),
    });
    flow.y = flow.y.max(top + 2.0 * seal::RADIUS + 14.0);
}

fn reasons(flow: &mut Flow, words: &Words, explanation: &Explanation) {
    let (plain, small) = (Style::new(9.5, INK), Style::new(8.5, HELPER));
    flow.heading(words.text("reasons"));
    flow.paragraph(LEFT, RIGHT, &explanation.headline, plain);
    for (number, step) in (1_u32..).zip(&explanation.steps) {
        flow.need(52.0);
        flow.space(6.0);
        flow.paragraph(LEFT, RIGHT, &format!("{number}. {}", step.title), plain.bold());
        for sentence in &step.sentences {
            flow.paragraph(LEFT + 12.0, RIGHT, sentence, plain);
        }
        if !step.words.is_empty() {
            let text = format!("{} — {}", step.words, step.source);
            flow.paragraph(LEFT + 12.0, RIGHT, &text, small);
        }
    }
}

/// The foot of every page: what ties the paper to the log, and which page it is.
fn feet(flow: &mut Flow, sheet: &VoucherSheet<'_>, words: &Words, code: &str) {
    let small = Style::new(7.5, HELPER);
    let pages = flow.pages.len();
    let leaf = sheet.leaf().to_string();
    let mut lines = font::wrap(&words.fill("foot", &[("leaf", &leaf)]), 7.5, RIGHT - LEFT - 60.0);
    if sheet.check_page.is_some() {
        lines.extend(font::wrap(&words.fill("foot.link", &[("link", code)]), 7.5, RIGHT - LEFT));
    }
    for (number, page) in (1_usize..).zip(&mut flow.pages) {
        let area = [LEFT, BOTTOM + 16.0, RIGHT - LEFT, 0.6];
        page.push(Mark::Box { area, colour: HELPER });
        let place = [("page", &*number.to_string()), ("pages", &*pages.to_string())];
        let text = words.fill("page", &place);
        let x = RIGHT - font::width(&text, small.size);
        page.push(Mark::Text { x, y: BOTTOM + 29.0, text, style: small });
        for (at, line) in (0_u8..).zip(&lines) {
            let y = BOTTOM + 29.0 + f32::from(at) * 11.0;
            page.push(Mark::Text { x: LEFT, y, text: line.clone(), style: small });
        }
    }
}
