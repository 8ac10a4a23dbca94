//! A day of a hospital or a pharmacy: outpatients, stays and purchases at several workplaces, the
//! night's comparison, the next morning's refunds, and the comparison once more.
//!
//! A day that was interrupted goes on where it was: what stands in the journals is not done again.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use fastrand::Rng;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::HisError;
use crate::book::{Booking, Figures, totals};
use crate::care::Care;
use crate::counter::Counter;
use crate::encounter::{End, Plan, SIGN_OUT};
use crate::journal::Journal;
use crate::message::COUNTERS_MAX;
use crate::mistake::Mistake;
use crate::played::Played;
use crate::setup::{House, Patient};
use crate::statement::compare;
use crate::stay::{self, Until};
use crate::{mobile, purchase, visit};

/// What is to be played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    /// How many outpatients come.
    pub outpatients: u32,
    /// How many outpatients pay by phone.
    #[serde(default)]
    pub by_phone: u32,
    /// How many stays end.
    #[serde(default)]
    pub stays: u32,
    /// How many customers buy.
    #[serde(default)]
    pub purchases: u32,
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

/// Plays a day, or goes on with the one that was interrupted.
///
/// # Errors
/// What keeps it from going on; the same again goes on.
pub fn run(house: &House<'_>, folder: &Path, options: Options) -> Result<Played, HisError> {
    let begin = Instant::now();
    let (setup, patients) = (house.setup, house.patients);
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
        .map(|number| Counter::open(house, (folder, number)))
        .collect::<Result<Vec<_>, _>>()?;
    let closed = closed(folder, day.options.counters)?;
    let name = setup.fixmedins_name.clone();
    let mut played = Played { name, number: day.number, went_on, ..Played::default() };
    each(&mut counters, &mut played, |counter| shift(counter, &day, patients))?;
    each(&mut counters, &mut played, |counter| compared(counter, &day))?;
    stated((&mut counters, &closed), &mut played, &day, "night")?;
    each(&mut counters, &mut played, |counter| morning(counter, &day))?;
    each(&mut counters, &mut played, |counter| compared(counter, &day))?;
    stated((&mut counters, &closed), &mut played, &day, "morning")?;
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

/// The journals of workplaces that were open on days before, and are not on this one: what they
/// booked is the hospital's all the same.
fn closed(folder: &Path, counters: u8) -> Result<Vec<Journal>, HisError> {
    let others = (counters..COUNTERS_MAX).map(|number| Counter::journal_in(folder, number));
    others.filter(|path| path.exists()).map(|path| Journal::open(&path)).collect()
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
        played.add(part?);
    }
    Ok(())
}

impl Options {
    /// How many of such care come.
    const fn count(&self, care: Care) -> u32 {
        match care {
            Care::Outpatient => self.outpatients,
            Care::Phone => self.by_phone,
            Care::Stay => self.stays,
            Care::Purchase => self.purchases,
        }
    }
}

/// The mistake of the visit of this number: each once in an order that the seed chooses, then some.
fn mistake_of(options: &Options, care: Care, visit: u32) -> Option<Mistake> {
    let mut order = Mistake::of(care);
    Rng::with_seed(options.seed).shuffle(&mut order);
    if let Some(first) = usize::try_from(visit).ok().and_then(|at| order.get(at)) {
        return Some(*first);
    }
    let mut rng = rng_of(options, care, visit);
    (rng.u32(..WRONG_ONE_IN) == 0).then(|| order[rng.usize(..order.len())])
}

fn rng_of(options: &Options, care: Care, visit: u32) -> Rng {
    let own = u64::from(care.letter()) << 32 | u64::from(visit);
    Rng::with_seed(options.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ own)
}

/// What comes to one workplace, in its order. A person always comes to the same workplace, so that
/// what something costs does not hang on what happens at another at the same time.
fn plans<'a>(
    counter: &Counter<'_>,
    (day, care): (&DayFile, Care),
    patients: &'a [Patient],
) -> Vec<Plan<'a>> {
    let options = &day.options;
    let has_phone = |one: &Patient| counter.phones.is_some_and(|phones| phones.has(&one.number));
    let places = 0..patients.len();
    let places: Vec<usize> =
        places.filter(|at| care != Care::Phone || has_phone(&patients[*at])).collect();
    if places.is_empty() {
        return Vec::new();
    }
    let plan = |visit: u32| {
        let mut rng = rng_of(options, care, visit).fork();
        let place = places[rng.usize(..places.len())];
        let is_here = place % usize::from(options.counters) == usize::from(counter.number());
        is_here.then(|| Plan {
            key: format!("{}{}{visit:05}", begins(day), care.letter()),
            care,
            seed: rng.u64(..),
            patient: &patients[place],
            mistake: mistake_of(options, care, visit),
        })
    };
    (0..options.count(care)).filter_map(plan).collect()
}

/// A day at one workplace. Who stays lies in a bed when the outpatients come, and leaves after
/// them. Who cannot be served while the platform does not answer comes once more at the end; whom
/// an interrupted day left waiting is served before anybody new.
fn shift(counter: &mut Counter<'_>, day: &DayFile, patients: &[Patient]) -> Part {
    let mut played = Played::default();
    counter.sign_in(&format!("{}sign-in", begins(day)))?;
    let [outpatients, by_phone, stays, purchases] =
        Care::ALL.map(|care| plans(counter, (day, care), patients));
    counter.goes_on = true;
    for plan in &stays {
        match stay::play(counter, plan, Until::InBed) {
            // Who could not be admitted yet is admitted before leaving.
            Err(error) if error.is_busy() => counter.somebody_waits = true,
            in_bed => drop(in_bed?),
        }
    }
    let all = outpatients.iter().chain(&by_phone).chain(&purchases).chain(&stays);
    let (begun, new): (Vec<_>, Vec<_>) = all.partition(|plan| match (plan.care, plan.mistake) {
        (_, Some(Mistake::EndedSignIn)) => counter.journal.step(&sign_out_of(plan)).is_some(),
        (Care::Stay, _) => stay::is_leaving(counter, plan),
        _ => counter.journal.has_begun(&plan.key),
    });
    let mut later = Vec::new();
    for plan in begun.into_iter().chain(new) {
        match served(counter, plan) {
            Ok(end) => played.count((plan.care, plan.mistake), end),
            Err(error) if error.is_busy() && !counter.is_signed_out => {
                counter.somebody_waits = true;
                later.push(plan);
            }
            Err(error) => return Err(error),
        }
    }
    // Whoever could not be served comes once more, those last before whom the clerk signs out; the
    // clerk has nobody else to go on with.
    counter.goes_on = false;
    later.sort_by_key(|plan| plan.mistake == Some(Mistake::EndedSignIn));
    for plan in later {
        counter.somebody_waits &= plan.mistake != Some(Mistake::EndedSignIn);
        played.count((plan.care, plan.mistake), served(counter, plan)?);
    }
    played.differences.extend(counter.book_outcomes()?);
    counter.sign_out(&format!("{}sign-out", begins(day)))?;
    Ok(played)
}

/// The step with which the clerk signs out in the middle of what this plans.
fn sign_out_of(plan: &Plan<'_>) -> String {
    format!("{}/{SIGN_OUT}", plan.key)
}

/// Serves somebody until the end of what brought them.
fn served(counter: &mut Counter<'_>, plan: &Plan<'_>) -> Result<(End, Vec<String>), HisError> {
    match plan.care {
        Care::Outpatient => visit::play(counter, plan),
        Care::Phone => mobile::play(counter, plan),
        Care::Purchase => purchase::play(counter, plan),
        Care::Stay => stay::play(counter, plan, Until::Settled),
    }
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
    (counters, closed): (&mut [Counter<'_>], &[Journal]),
    played: &mut Played,
    day: &DayFile,
    when: &str,
) -> Result<(), HisError> {
    let journals = counters.iter().map(|counter| &counter.journal).chain(closed);
    let all = journals.flat_map(Journal::bookings);
    let all: Vec<(String, Booking)> =
        all.map(|(key, booking)| (key.clone(), booking.clone())).collect();
    let begins = begins(day);
    let own = all.iter().filter(|(key, _)| key.starts_with(&begins));
    let first = own.map(|(_, booking)| booking.day.clone()).min();
    let bookings: Vec<Booking> = all.into_iter().map(|(_, booking)| booking).collect();
    let Some(counter) = counters.first_mut() else { return Ok(()) };
    let first = first.unwrap_or_else(|| counter.line.now().today());
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
        let step = format!("{key}/refund");
        // What was undone on its own day stays so.
        let is_undone = booking.undone.is_some() && counter.journal.step(&step).is_none();
        if is_undone || !place.is_multiple_of(REFUND_ONE_IN) {
            continue;
        }
        played.ends.entry(booking.care).or_default().refunded += 1;
        let differences = match booking.order {
            Some(_) => mobile::give_back(counter, (&key, &step), booking)?,
            None => give_back(counter, (&key, &step), booking)?,
        };
        played.differences.extend(differences);
    }
    counter.sign_out(&format!("{}morning-sign-out", begins(day)))?;
    Ok(played)
}

/// Gives a settlement back as a whole, and the packs that were sold with it; what is not as it
/// must be.
fn give_back(
    counter: &mut Counter<'_>,
    (key, step): (&str, &str),
    booking: Booking,
) -> Result<Vec<String>, HisError> {
    let mut differences = purchase::packs_back(counter, key, &booking)?;
    let refund = json!({
        "data": {
            "setl_id": booking.setl_id, "mdtrt_id": booking.mdtrt_id, "psn_no": booking.psn_no
        }
    });
    let infno = booking.care.undoing();
    let undone = counter.ask(step, infno, &refund)?.done()?;
    if Figures::read(&undone)? != booking.figures.negative() {
        differences.push(format!("{key}: other sums were given back than were taken"));
    }
    let again = counter.ask(&format!("{step}-again"), infno, &refund)?;
    if again.is_done {
        differences.push(format!("{key}: given back twice"));
    }
    if booking.undone.is_none() {
        counter.book(key, Booking { undone: Some(undone.day()?), ..booking })?;
    }
    Ok(differences)
}
