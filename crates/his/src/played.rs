//! What became of a day, and how it is told.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::book::{Figures, Totals};
use crate::care::Care;
use crate::encounter::End;
use crate::mistake::Mistake;
use crate::money::Fen;

/// How those of a kind of care ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ends {
    /// Settled and booked.
    pub settled: u64,
    /// Sold for cash, without insurance.
    pub sold_for_cash: u64,
    /// Patients who left before anything was charged.
    pub left: u64,
    /// Persons who are not insured here.
    pub not_insured: u64,
    /// Where a step was refused or answered as it may not be.
    pub broken: u64,
    /// Settlements that were given back the next morning.
    pub refunded: u64,
}

/// What became of a day.
#[derive(Debug, Default)]
pub struct Played {
    /// Whose day it was, by the name in the national list.
    pub name: String,
    /// Which day of the book.
    pub number: u32,
    /// Whether it had been interrupted before.
    pub went_on: bool,
    /// How many ended how.
    pub ends: BTreeMap<Care, Ends>,
    /// How often each mistake was made, and how often it ended as it must.
    pub mistakes: BTreeMap<(Care, Mistake), (u64, u64)>,
    /// The hospital's own sums of this day, by kind of care and scheme, in the end.
    pub totals: BTreeMap<(Care, String), Totals>,
    /// How many settlements were asked for again and compared with the book.
    pub compared: u64,
    /// Everything that is not as it must be, by name. Empty, or the day is not in order.
    pub differences: Vec<String>,
    /// How many messages were answered.
    pub messages: u64,
    /// How many of them were told to come again.
    pub waited: u64,
    /// How long all of it took.
    pub took: Duration,
    /// How long the slowest of a hundred answers took.
    pub slow: Duration,
}

impl Played {
    /// Counts one that ended, and the mistake that was made on the way.
    pub fn count(
        &mut self,
        (care, mistake): (Care, Option<Mistake>),
        (end, differences): (End, Vec<String>),
    ) {
        let ends = self.ends.entry(care).or_default();
        match end {
            End::Settled => ends.settled += 1,
            End::SoldForCash => ends.sold_for_cash += 1,
            End::Left => ends.left += 1,
            End::NotInsured => ends.not_insured += 1,
            End::Broken => ends.broken += 1,
            End::Open => {}
        }
        if let Some(mistake) = mistake.filter(|_| end != End::NotInsured) {
            let one = self.mistakes.entry((care, mistake)).or_default();
            *one = (one.0 + 1, one.1 + u64::from(differences.is_empty()));
        }
        self.differences.extend(differences);
    }

    /// Adds what another workplace did.
    pub fn add(&mut self, other: Self) {
        for (care, more) in other.ends {
            let ends = self.ends.entry(care).or_default();
            ends.settled += more.settled;
            ends.sold_for_cash += more.sold_for_cash;
            ends.left += more.left;
            ends.not_insured += more.not_insured;
            ends.broken += more.broken;
            ends.refunded += more.refunded;
        }
        self.compared += other.compared;
        self.differences.extend(other.differences);
        for (mistake, (made, good)) in other.mistakes {
            let one = self.mistakes.entry(mistake).or_default();
            *one = (one.0 + made, one.1 + good);
        }
    }

    /// Whether everything is as it must be.
    #[must_use]
    pub fn is_in_order(&self) -> bool {
        self.differences.is_empty()
    }

    /// The hospital's own sums over all kinds of care and schemes.
    #[must_use]
    pub fn figures(&self) -> Figures {
        self.totals.values().fold(Figures::default(), |sum, one| sum.plus(one.figures))
    }

    /// What was done, as lines for a terminal.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let went_on = if self.went_on { ", which had been interrupted" } else { "" };
        let mut lines = vec![format!("  {}, day {} of the book{went_on}", self.name, self.number)];
        lines.push(format!(
            "  {:<12} {:>8} {:>8} {:>8} {:>12} {:>8} {:>22}",
            "played", "settled", "for cash", "left", "not insured", "broken", "given back next day"
        ));
        for (care, ends) in &self.ends {
            let Ends { settled, sold_for_cash, left, not_insured, broken, refunded } = ends;
            lines.push(format!(
                "  {:<12} {settled:>8} {sold_for_cash:>8} {left:>8} {not_insured:>12} {broken:>8} \
                 {refunded:>22}",
                care.words()
            ));
        }
        for care in Care::ALL {
            lines.extend(self.mistakes_of(care));
        }
        for ((care, scheme), totals) in &self.totals {
            let Totals { settled, undone, figures } = totals;
            let money = |fen: i64| Fen(fen).text();
            lines.push(format!(
                "  own book, {}, scheme {scheme}: {settled} settled, {undone} given back; charged {}, \
                 funds {}, accounts {}, cash {}",
                care.words(),
                money(figures.medfee),
                money(figures.fund),
                money(figures.account),
                money(figures.cash)
            ));
        }
        lines.push(format!(
            "  {} messages answered in {:.1} s, 99 of 100 within {:.0} ms; {} had to come again",
            self.messages,
            self.took.as_secs_f64(),
            self.slow.as_secs_f64() * 1_000.0,
            self.waited
        ));
        lines.push(format!(
            "  the book against the platform: {} answers asked for again, sums (3201) and rows (3202), at \
             night and in the morning; differences: {}",
            self.compared,
            self.differences.len()
        ));
        lines.extend(self.differences.iter().map(|words| format!("    {words}")));
        lines
    }

    fn mistakes_of(&self, care: Care) -> Vec<String> {
        let made = self.mistakes.iter().filter(|((of, _), _)| *of == care);
        let rows: Vec<String> = made
            .map(|((_, mistake), (made, good))| {
                let (what, ends) = mistake.words();
                format!("    {what:<32} {made:>5} {good:>6}  {ends}")
            })
            .collect();
        let title = format!("mistakes with {}", care.words());
        let head = format!("  {title:<34} {:>5} {:>6}  how it must end", "made", "ended");
        if rows.is_empty() { rows } else { [vec![head], rows].concat() }
    }
}
