//! Waves of visits, and how far they are.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};

use super::desk::Visit;

/// How many visits go in one wave.
const WAVE: usize = 1_500;

/// Says how far it is: at a terminal in one line that changes, elsewhere a line per tenth.
pub struct Progress<'a> {
    what: &'a str,
    total: usize,
    said: usize,
    is_terminal: bool,
}

impl<'a> Progress<'a> {
    /// Nothing is done yet.
    pub fn new(what: &'a str, total: usize) -> Self {
        Self { what, total, said: 0, is_terminal: std::io::stdout().is_terminal() }
    }

    /// This many are done, this many in a second.
    pub fn show(&mut self, done: usize, speed: f64) {
        let line =
            format!("{}: {done} of {} visits, {speed:.0} settlements/s", self.what, self.total);
        if self.is_terminal {
            print!("\r{line}   ");
            let _ = std::io::stdout().flush();
            return;
        }
        let tenth = (done * 10).checked_div(self.total).unwrap_or(10);
        if tenth > self.said {
            self.said = tenth;
            println!("{line}");
        }
    }

    /// All are done.
    pub fn end(&self) {
        if self.is_terminal {
            println!();
        }
    }
}

/// Cuts visits into waves in which nobody appears twice; the order of a person's visits stays.
pub fn waves(visits: Vec<Visit>) -> Vec<Vec<Visit>> {
    let mut waves: Vec<Vec<Visit>> = Vec::new();
    let mut next: BTreeMap<usize, usize> = BTreeMap::new();
    let mut first_open = 0;
    for visit in visits {
        let earliest = next.get(&visit.patient).copied().unwrap_or(0).max(first_open);
        let mut at = earliest;
        while waves.get(at).is_some_and(|wave| wave.len() >= WAVE) {
            at += 1;
        }
        while waves.len() <= at {
            waves.push(Vec::new());
        }
        while waves.get(first_open).is_some_and(|wave| wave.len() >= WAVE) {
            first_open += 1;
        }
        next.insert(visit.patient, at + 1);
        waves[at].push(visit);
    }
    waves
}
