//! What a bureau waits for every morning: the bank's file of the day before, line by line.

use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

use adapters::bank_file::reconcile::{BookLine, LedgerLine, reconcile};
use adapters::bank_file::statement::Statement;
use adapters::bank_file::{Direction, Message, Movement};
use anyhow::{Context as _, Result, ensure};
use primitives::{Amount, CivilDate, Currency, OrganisationId, Timestamp};

use crate::figures::{Bar, Figures};

/// Bookings of a large region's day.
const LINES: u32 = 100_000;
/// Every so many lines one of the three differs.
const DIFFERS_EACH: u32 = 1_000;
/// Providers that hand a book in.
const PROVIDERS: u32 = 50;

struct Day {
    day: CivilDate,
    file: Vec<u8>,
    ledger: HashMap<String, LedgerLine>,
    books: BTreeMap<OrganisationId, Vec<BookLine>>,
}

/// A bank's file with what ledger and providers have of the same payments, a few differences among
/// them.
fn made_up() -> Result<Day> {
    let day: CivilDate = "2026-03-31".parse().ok().context("a day")?;
    let mut movements = Vec::new();
    let mut ledger = HashMap::new();
    let mut books: BTreeMap<OrganisationId, Vec<BookLine>> = BTreeMap::new();
    for line in 0..LINES {
        let end_to_end = format!("YB620100-{}-{}", line / 500 + 1, line % 500);
        let provider: OrganisationId =
            format!("hospital-{}", line % PROVIDERS).parse().ok().context("a code")?;
        let amount = Amount::from_minor(u64::from(line) * 37 + 100);
        let direction = Direction::Out;
        let known =
            LedgerLine { provider, amount, is_ordered: true, paid: Some(day), returned: None };
        ledger.insert(end_to_end.clone(), known);
        let book = BookLine { end_to_end: end_to_end.clone(), direction, amount, day };
        books.entry(provider).or_default().push(book);
        let differs = line % DIFFERS_EACH == 0;
        let amount = if differs { Amount::from_minor(1) } else { amount };
        let bank_reference = format!("B{line:012}");
        movements.push(Movement {
            end_to_end,
            bank_reference,
            amount,
            day,
            direction,
            reason: None,
        });
    }
    let statement = Statement { id: String::from("S"), movements };
    let file = statement.to_xml(Message::Statement, Timestamp::from_millis(0), Currency::CNY);
    Ok(Day { day, file, ledger, books })
}

/// Reads the file and compares it with ledger and books.
///
/// # Errors
/// When something else is found than was put in.
pub fn measure(figures: &mut Figures) -> Result<()> {
    let made = made_up()?;
    let begin = Instant::now();
    let statement = Statement::read(&made.file, Currency::CNY)?;
    let read = begin.elapsed().as_secs_f64();
    let found = reconcile(made.day, &statement.movements, &made.ledger, &made.books);
    let seconds = begin.elapsed().as_secs_f64();
    let expected = (LINES / DIFFERS_EACH) as usize;
    ensure!(found.differences.len() == expected, "{} differences", found.differences.len());
    ensure!(found.agreed as usize + expected == LINES as usize, "{} agree", found.agreed);
    figures.note("clearing/read_100k", read, "s", Bar::Told);
    figures.note("clearing/reconcile_100k", seconds, "s", Bar::AtMost(5.0));
    Ok(())
}
