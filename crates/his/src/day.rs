//! A day of the hospital: outpatients at several workplaces, the night's comparison, the next
//! morning's refunds, and the comparison once more.
//!
//! A day that was interrupted goes on where it was: what stands in the journals is not done again.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use fastrand::Rng;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::HisError;
use crate::book::{Booking, Figures, Totals, totals};
use crate::counter::Counter;
use crate::message::{COUNTERS_MAX, today};
use crate::mistake::Mistake;
use crate::setup::{Patient, Setup};
use crate::statement::compare;
use crate::visit::{End, Plan, play};

/// What is to be played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    /// How many outpatients come.
    pub outpatients: u32,
    /// At how many workplaces.
    pub counters: u8,
    /// What the day's choices follow from.
    pub seed: u64,
}

/// Of how many visits one goes wrong, once each mistake was made.
const WRONG_ONE_IN: u32 = 4;
/// Of how many settlements one is given back the next morning.
const REFUND_ONE_IN: u64 = 12;
const DAY_FILE: &str = "day.json";

#[derive(Serialize, Deserialize)]
struct DayFile {
    /// Which day of this book.
    number: u32,
    options: Options,
    is_over: bool,
}

/// What became of a day.
#[derive(Debug, Default)]
pub struct Played {
    /// Which day of the book.
    pub number: u32,
    /// Whether it had been interrupted before.
    pub went_on: bool,
    /// How many visits ended how.
    pub settled: u64,
    /// Patients who left before anything was charged.
    pub left: u64,
    /// Persons who are not insured here.
    pub not_insured: u64,
    /// How many settlements were given back in the morning.
    pub refunded: u64,
    /// How often each mistake was made, and how often it ended as it must.
    pub mistakes: BTreeMap<Mistake, (u64, u64)>,
    /// The hospital's own sums of this day, by scheme, in the end.
    pub totals: BTreeMap<String, Totals>,
    /// How many settlements were asked for again and compared with the book.
    pub compared: u64,
    /// Everything that is not as it must be, by name. Empty, or the day is not in order.
    pub differences: Vec<String>,
    /// How many messages were answered, how many had to come again, and how long that took.
    pub messages: u64,
    /// How many of them were told to come again.
    pub waited: u64,
    /// How long all of it took.
    pub took: Duration,
    /// How long the slowest of a hundred answers took.
    pub slow: Duration,
}

/// Plays a day, or goes on with the one that was interrupted.
///
/// # Errors
/// What keeps it from going on; the same again goes on.
pub fn run(
    setup: &Setup,
    (secret, patients): (&[u8], &[Patient]),
    folder: &Path,
    options: Options,
) -> Result<Played, HisError> {
    let begin = Instant::now();
    setup.check()?;
    if patients.is_empty() {
        return Err(HisError::Setup("`patient`: name at least one person".to_owned()));
    }
    if !(1..=COUNTERS_MAX).contains(&options.counters) {
        return Err(HisError::Setup(format!(
            "workplaces: write a number from 1 to {COUNTERS_MAX}"
        )));
    }
    let (day, went_on) = opened(folder, options)?;
    let mut counters = (0..day.options.counters)
        .map(|number| Counter::open(setup, secret, (folder, number)))
        .collect::<Result<Vec<_>, _>>()?;
    let mut played = Played { number: day.number, went_on, ..Played::default() };
    each(&mut counters, &mut played, |counter| outpatients(counter, &day, patients))?;
    each(&mut counters, &mut played, |counter| compared(counter, &day))?;
    stated(&mut counters, &mut played, &day, "night")?;
    each(&mut counters, &mut played, |counter| morning(counter, &day))?;
    each(&mut counters, &mut played, |counter| compared(counter, &day))?;
    stated(&mut counters, &mut played, &day, "morning")?;
    let begins = begins(&day);
    let own = counters.iter().flat_map(|counter| counter.journal.bookings());
    played.totals = totals(own.filter(|(key, _)| key.starts_with(&begins)).map(|(_, one)| one));
    let mut times: Vec<Duration> = counters.iter().flat_map(|one| one.took.clone()).collect();
    times.sort_unstable();
    played.messages = times.len() as u64;
    played.waited = counters.iter().map(|counter| counter.waited).sum();
    played.slow = times.get(times.len() * 99 / 100).copied().unwrap_or_default();
    keep(folder, &DayFile { is_over: true, ..day })?;
    played.took = begin.elapsed();
    Ok(played)
}

/// How the steps of a day begin.
fn begins(day: &DayFile) -> String {
    format!("d{:03}/", day.number)
}

/// The day that was interrupted, or a new one; and which of both it is.
fn opened(folder: &Path, options: Options) -> Result<(DayFile, bool), HisError> {
    let path = folder.join(DAY_FILE);
    let wrong = |why: String| HisError::Book { path: path.clone(), why };
    fs::create_dir_all(folder).map_err(|error| wrong(error.to_string()))?;
    let number = match fs::read(&path) {
        Ok(bytes) => {
            let day: DayFile =
                serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
            if !day.is_over {
                return Ok((day, true));
            }
            day.number + 1
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => 1,
        Err(error) => return Err(wrong(error.to_string())),
    };
    let day = DayFile { number, options, is_over: false };
    keep(folder, &day)?;
    Ok((day, false))
}

/// Writes the day's file in one piece.
fn keep(folder: &Path, day: &DayFile) -> Result<(), HisError> {
    let path = folder.join(DAY_FILE);
    let next = folder.join("day.json.next");
    let text = serde_json::to_vec(day).unwrap_or_default();
    let written = fs::write(&next, text).and_then(|()| fs::rename(&next, &path));
    written.map_err(|error| HisError::Book { path, why: error.to_string() })
}

/// What a workplace did in a part of the day.
type Part = Result<Played, HisError>;

/// Does a part of the day at every workplace at once.
fn each<'a>(
    counters: &mut [Counter<'a>],
    played: &mut Played,
    part: impl Fn(&mut Counter<'a>) -> Part + Sync,
) -> Result<(), HisError> {
    let part = &part;
    let parts: Vec<Part> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            counters.iter_mut().map(|counter| scope.spawn(move || part(counter))).collect();
        threads.into_iter().map(|one| one.join().expect("a workplace does not panic")).collect()
    });
    for part in parts {
        let part = part?;
        played.settled += part.settled;
        played.left += part.left;
        played.not_insured += part.not_insured;
        played.refunded += part.refunded;
        played.compared += part.compared;
        played.differences.extend(part.differences);
        for (mistake, (made, good)) in part.mistakes {
            let one = played.mistakes.entry(mistake).or_default();
            *one = (one.0 + made, one.1 + good);
        }
    }
    Ok(())
}

/// The mistake of the visit of this number: each once in an order that the seed chooses, then some.
fn mistake_of(options: &Options, visit: u32) -> Option<Mistake> {
    let mut order = Mistake::ALL;
    Rng::with_seed(options.seed).shuffle(&mut order);
    if let Some(first) = usize::try_from(visit).ok().and_then(|at| order.get(at)) {
        return Some(*first);
    }
    let mut rng = rng_of(options, visit);
    (rng.u32(..WRONG_ONE_IN) == 0).then(|| order[rng.usize(..order.len())])
}

fn rng_of(options: &Options, visit: u32) -> Rng {
    Rng::with_seed(options.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ u64::from(visit))
}

/// The visits of one workplace, in their order. A person always comes to the same workplace, so
/// that what a visit costs does not hang on what happens at another at the same time.
fn outpatients(counter: &mut Counter<'_>, day: &DayFile, patients: &[Patient]) -> Part {
    let mut played = Played::default();
    let options = &day.options;
    let begins = begins(day);
    counter.sign_in(&format!("{begins}sign-in"))?;
    for visit in 0..options.outpatients {
        let mut rng = rng_of(options, visit).fork();
        let place = rng.usize(..patients.len());
        if place % usize::from(options.counters) != usize::from(counter.number()) {
            continue;
        }
        let mistake = mistake_of(options, visit);
        let plan = Plan {
            key: format!("{begins}v{visit:05}"),
            seed: rng.u64(..),
            patient: &patients[place],
            mistake,
        };
        let (end, differences) = play(counter, &plan)?;
        match end {
            End::Settled => played.settled += 1,
            End::Left => played.left += 1,
            End::NotInsured => played.not_insured += 1,
            End::Broken => {}
        }
        if let Some(mistake) = mistake.filter(|_| end != End::NotInsured) {
            let one = played.mistakes.entry(mistake).or_default();
            *one = (one.0 + 1, one.1 + u64::from(differences.is_empty()));
        }
        played.differences.extend(differences);
    }
    counter.sign_out(&format!("{begins}sign-out"))?;
    Ok(played)
}

/// The bookings of a day at one workplace.
fn bookings(counter: &Counter<'_>, day: &DayFile) -> Vec<(String, Booking)> {
    let begins = begins(day);
    let own = counter.journal.bookings().iter().filter(|(key, _)| key.starts_with(&begins));
    own.map(|(key, booking)| (key.clone(), booking.clone())).collect()
}

/// Asks for every settlement of the day again, and compares what is answered with the book.
fn compared(counter: &mut Counter<'_>, day: &DayFile) -> Part {
    let mut played = Played::default();
    for (key, booking) in bookings(counter, day) {
        let answer = counter.ask_again(&booking.step)?;
        let kept = counter.journal.step(&booking.step).and_then(|known| known.answer.clone());
        played.compared += 1;
        if kept.as_deref() != Some(answer.text.as_str()) {
            played.differences.push(format!("{key}: the settlement is answered differently now"));
        } else if Figures::read(&answer)? != booking.figures {
            played.differences.push(format!("{key}: the book has other sums than the answer"));
        }
    }
    Ok(played)
}

/// Compares the whole book of these days with the platform's, for all workplaces.
fn stated(
    counters: &mut [Counter<'_>],
    played: &mut Played,
    day: &DayFile,
    when: &str,
) -> Result<(), HisError> {
    let all = counters.iter().flat_map(|counter| counter.journal.bookings());
    let all: Vec<(String, Booking)> =
        all.map(|(key, booking)| (key.clone(), booking.clone())).collect();
    let begins = begins(day);
    let own = all.iter().filter(|(key, _)| key.starts_with(&begins));
    let first = own.map(|(_, booking)| booking.day.clone()).min().unwrap_or_else(today);
    let bookings: Vec<Booking> = all.into_iter().map(|(_, booking)| booking).collect();
    let Some(counter) = counters.first_mut() else { return Ok(()) };
    let step = format!("{begins}statement-{when}");
    counter.sign_in(&format!("{step}-sign-in"))?;
    played.differences.extend(compare(counter, &step, (&bookings, &first))?);
    counter.sign_out(&format!("{step}-sign-out"))
}

/// The next morning some settlements are given back.
fn morning(counter: &mut Counter<'_>, day: &DayFile) -> Part {
    let mut played = Played::default();
    counter.sign_in(&format!("{}morning", begins(day)))?;
    for (at, (key, booking)) in (0_u64..).zip(bookings(counter, day)) {
        let place = at.wrapping_add(day.options.seed).wrapping_add(u64::from(counter.number()));
        let chosen = place.is_multiple_of(REFUND_ONE_IN);
        if !chosen {
            continue;
        }
        played.refunded += 1;
        let refund = json!({
            "data": {
                "setl_id": booking.setl_id, "mdtrt_id": booking.mdtrt_id, "psn_no": booking.psn_no
            }
        });
        let undone = counter.ask(&format!("{key}/refund"), "2208", &refund)?.done()?;
        if Figures::read(&undone)? != booking.figures.negative() {
            let words = format!("{key}: other sums were given back than were taken");
            played.differences.push(words);
        }
        let again = counter.ask(&format!("{key}/refund-again"), "2208", &refund)?;
        if again.is_done {
            played.differences.push(format!("{key}: given back twice"));
        }
        if booking.undone.is_none() {
            let booking = Booking { undone: Some(today()), ..booking };
            counter.book(&key, booking)?;
        }
    }
    counter.sign_out(&format!("{}morning-sign-out", begins(day)))?;
    Ok(played)
}

impl Played {
    /// Whether everything is as it must be.
    #[must_use]
    pub fn is_in_order(&self) -> bool {
        self.differences.is_empty()
    }

    /// The hospital's own sums over all schemes.
    #[must_use]
    pub fn figures(&self) -> Figures {
        self.totals.values().fold(Figures::default(), |sum, one| sum.plus(one.figures))
    }

    /// What was done, as lines for a terminal.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let went_on = if self.went_on { ", which had been interrupted" } else { "" };
        let mut lines = vec![
            format!("  day {} of the book{went_on}", self.number),
            format!(
                "  {} settled, {} left before they were charged, {} not insured here, {} given back \
                 the next morning",
                self.settled, self.left, self.not_insured, self.refunded
            ),
        ];
        if !self.mistakes.is_empty() {
            lines
                .push(format!("  {:<34} {:>5} {:>6}  how it must end", "mistake", "made", "ended"));
        }
        for (mistake, (made, good)) in &self.mistakes {
            let (what, ends) = mistake.words();
            lines.push(format!("    {what:<32} {made:>5} {good:>6}  {ends}"));
        }
        for (scheme, totals) in &self.totals {
            let Totals { settled, undone, figures } = totals;
            let money = |fen: i64| crate::money::Fen(fen).text();
            lines.push(format!(
                "  own book, scheme {scheme}: {settled} settled, {undone} given back; charged {}, funds \
                 {}, accounts {}, cash {}",
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
}
