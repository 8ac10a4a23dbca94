//! What a file of the bank means for the batches on the ledger, line by line. Nothing is sent here.

use std::collections::{BTreeMap, BTreeSet};

use adapters::bank_file::report::StatusReport;
use adapters::bank_file::{Direction, Movement};
use gateway::api::clearing::PayoutView;
use ledger::modules::clearing::{
    BankWord, BatchStanding, DifferenceKind, LineStanding, PayoutResult,
};
use primitives::{Amount, Hash, RegionId, Text};

/// A line on the ledger: batch and line.
pub type Place = (u32, u16);

/// What is to be done with what a file says.
#[derive(Debug, Default, PartialEq)]
pub struct Reading {
    /// What is to be recorded, in this order; within a step a line occurs once.
    pub steps: [BTreeMap<u32, Vec<PayoutResult>>; 2],
    /// How many lines the ledger has already.
    pub known: usize,
    /// What other regions paid: their bureaus' lines, not this one's.
    pub came_in: Vec<(RegionId, Movement)>,
    /// What does not agree, with the reference on the file.
    pub differences: Vec<(DifferenceKind, String, Amount)>,
}

/// The batch and line that a reference names, if it is one of this region.
pub fn place_of(region: RegionId, end_to_end: &str) -> Option<Place> {
    let rest = end_to_end.strip_prefix(&format!("YB{}-", region.0))?;
    let (batch, line) = rest.split_once('-')?;
    let place = (batch.parse().ok()?, line.parse().ok()?);
    // One name for one line: no signs, no leading zeros.
    (ledger::modules::clearing::end_to_end(region, place.0, place.1) == end_to_end).then_some(place)
}

/// What came in from another region: money under the name of one of its lines. All others are
/// looked at as this region's own.
pub fn came_in<'a>(
    region: RegionId,
    counterparts: &BTreeSet<RegionId>,
    movement: &'a Movement,
) -> Option<(RegionId, &'a Movement)> {
    let (named, _) = movement.end_to_end.strip_prefix("YB")?.split_once('-')?;
    let named = RegionId(named.parse().ok()?);
    place_of(named, &movement.end_to_end)?;
    let is_theirs =
        named != region && movement.direction == Direction::Back && counterparts.contains(&named);
    is_theirs.then_some((named, movement))
}

/// The batches that a file speaks of.
pub fn batches_of<'a>(
    region: RegionId,
    references: impl Iterator<Item = &'a str>,
) -> BTreeSet<u32> {
    references.filter_map(|one| place_of(region, one)).map(|(batch, _)| batch).collect()
}

/// The batches as the ledger has them.
pub struct Known<'a> {
    pub region: RegionId,
    /// The regions with which it clears.
    pub counterparts: &'a BTreeSet<RegionId>,
    pub batches: &'a BTreeMap<u32, PayoutView>,
}

impl Known<'_> {
    /// Where a line stands and how much it pays; nothing when there is none of that name.
    fn line(&self, end_to_end: &str) -> Option<(Place, BatchStanding, &LineStanding, Amount)> {
        let place = place_of(self.region, end_to_end)?;
        let batch = self.batches.get(&place.0)?;
        let line = &batch.lines.get(usize::from(place.1))?.row;
        Some((place, batch.standing, &line.standing, line.amount))
    }
}

/// What a movement means where its line stands.
enum Meaning {
    Record(BankWord),
    Known,
    Differs(DifferenceKind),
}

/// Reads bookings of the bank.
pub fn movements(
    known: &Known<'_>,
    movements: &[Movement],
    reference: impl Fn(&str) -> Hash,
) -> Reading {
    let mut reading = Reading::default();
    let mut seen: BTreeSet<(Place, Direction)> = BTreeSet::new();
    // A payment and its return may stand in one file.
    let mut paid: BTreeSet<Place> = BTreeSet::new();
    // Whichever way the bank sorts its file, a payment is looked at before its return.
    let [out, back] = [Direction::Out, Direction::Back]
        .map(|way| movements.iter().filter(move |one| one.direction == way));
    for movement in out.chain(back) {
        if let Some((other, movement)) = came_in(known.region, known.counterparts, movement) {
            reading.came_in.push((other, movement.clone()));
            continue;
        }
        let Some((place, batch, standing, amount)) = known.line(&movement.end_to_end) else {
            reading.differs(DifferenceKind::UnknownReference, movement);
            continue;
        };
        if !seen.insert((place, movement.direction)) {
            reading.differs(DifferenceKind::DuplicateLine, movement);
            continue;
        }
        let was_paid = paid.contains(&place);
        match meaning(
            movement,
            (batch, standing, amount),
            was_paid,
            reference(&movement.bank_reference),
        ) {
            Meaning::Known => reading.known += 1,
            Meaning::Differs(kind) => reading.differs(kind, movement),
            Meaning::Record(word) => {
                if matches!(word, BankWord::Paid { .. }) {
                    paid.insert(place);
                }
                reading.record(place, word);
            }
        }
    }
    reading
}

fn meaning(
    movement: &Movement,
    (batch, standing, ordered): (BatchStanding, &LineStanding, Amount),
    was_paid: bool,
    reference: Hash,
) -> Meaning {
    let day = movement.day;
    if batch != BatchStanding::Approved {
        return Meaning::Differs(DifferenceKind::NotOrdered);
    }
    if movement.amount != ordered {
        return Meaning::Differs(DifferenceKind::WrongAmount);
    }
    let known = |same_reference: bool, same_day: bool| match (same_reference, same_day) {
        (true, true) => Meaning::Known,
        (true, false) => Meaning::Differs(DifferenceKind::WrongDay),
        (false, _) => Meaning::Differs(DifferenceKind::DuplicateLine),
    };
    match (movement.direction, standing) {
        (Direction::Out, LineStanding::Waiting) => {
            Meaning::Record(BankWord::Paid { amount: ordered, day, reference })
        }
        (Direction::Out, LineStanding::Paid { day: paid, reference: first }) => {
            known(reference == *first, day == *paid)
        }
        // Of a payment that came back the ledger keeps the day.
        (Direction::Out, LineStanding::Returned { paid, .. }) => known(true, day == *paid),
        (Direction::Back, LineStanding::Returned { day: back, reference: first, .. }) => {
            known(reference == *first, day == *back)
        }
        (Direction::Back, LineStanding::Paid { .. }) => returned(movement, ordered, reference),
        (Direction::Back, LineStanding::Waiting) if was_paid => {
            returned(movement, ordered, reference)
        }
        (Direction::Back, LineStanding::Waiting) | (_, LineStanding::Failed { .. }) => {
            Meaning::Differs(DifferenceKind::NotOrdered)
        }
    }
}

/// A bank's code; one that gives none is taken to say `NARR`.
fn code(reason: Option<&str>) -> Text<4> {
    let text = reason.unwrap_or("NARR");
    Text::new(text).unwrap_or_else(|_| Text::new("NARR").expect("four letters"))
}

fn returned(movement: &Movement, amount: Amount, reference: Hash) -> Meaning {
    let (day, reason) = (movement.day, code(movement.reason.as_deref()));
    Meaning::Record(BankWord::Returned { amount, day, reference, reason })
}

/// Reads what the bank takes on of an order. Money has moved only when a statement says so.
pub fn report(known: &Known<'_>, report: &StatusReport) -> Reading {
    let mut reading = Reading::default();
    let mut seen = BTreeSet::new();
    let mut refused: Vec<(String, Option<String>)> =
        report.payments.iter().map(|one| (one.end_to_end.clone(), one.refused.clone())).collect();
    if let Some(reason) = &report.refused {
        // The whole order: every line of the batch that it names.
        let batch = report.order.rsplit_once('-').and_then(|(_, batch)| batch.parse().ok());
        let lines = batch.and_then(|batch: u32| known.batches.get(&batch));
        let named = |line: &gateway::api::clearing::PayoutLineView| line.end_to_end.clone();
        let lines = lines.into_iter().flat_map(|batch| &batch.lines).map(named);
        refused = lines.map(|line| (line, Some(reason.clone()))).collect();
    }
    for (end_to_end, reason) in refused {
        let Some((place, batch, standing, amount)) = known.line(&end_to_end) else {
            let kind = DifferenceKind::UnknownReference;
            reading.differences.push((kind, end_to_end, Amount::ZERO));
            continue;
        };
        let kind = match (batch, standing, &reason) {
            _ if !seen.insert(place) => DifferenceKind::DuplicateLine,
            (BatchStanding::Approved, LineStanding::Waiting, Some(reason)) => {
                reading.record(place, BankWord::Failed { reason: code(Some(reason)) });
                continue;
            }
            (BatchStanding::Approved, LineStanding::Failed { .. }, Some(_))
            | (BatchStanding::Approved, LineStanding::Waiting | LineStanding::Paid { .. }, None)
            | (BatchStanding::Approved, LineStanding::Returned { .. }, None) => {
                reading.known += 1;
                continue;
            }
            _ => DifferenceKind::NotOrdered,
        };
        reading.differences.push((kind, end_to_end, amount));
    }
    reading
}

impl Reading {
    fn differs(&mut self, kind: DifferenceKind, movement: &Movement) {
        self.differences.push((kind, movement.named().to_owned(), movement.amount));
    }

    /// Payments and refusals come first, what came back after them.
    fn record(&mut self, (batch, line): Place, word: BankWord) {
        let [first, second] = &mut self.steps;
        let step = if matches!(word, BankWord::Returned { .. }) { second } else { first };
        let results = step.entry(batch).or_default();
        let at = results.partition_point(|one| one.line < line);
        results.insert(at, PayoutResult { line, word });
    }

    /// How many lines are to be recorded.
    pub fn news(&self) -> usize {
        self.steps.iter().flat_map(BTreeMap::values).map(Vec::len).sum()
    }
}

/// A kind of difference in words for the desk.
pub const fn words(kind: DifferenceKind) -> &'static str {
    match kind {
        DifferenceKind::UnknownReference => "unknown reference: the ledger has no such payment",
        DifferenceKind::DuplicateLine => "duplicate line: the bank has this payment twice",
        DifferenceKind::WrongAmount => "wrong amount: the ledger ordered another one",
        DifferenceKind::WrongDay => "wrong day: the ledger has another one",
        DifferenceKind::MissingAtBank => "missing at the bank: the ledger has it on this day",
        DifferenceKind::NotOrdered => {
            "not ordered: refused, withdrawn, not approved or not paid before"
        }
        DifferenceKind::NotRecorded => "not recorded: import the bank's file first",
        DifferenceKind::MissingInBook => "missing in the provider's book",
        DifferenceKind::BookAmount => "the provider's book has another amount",
        DifferenceKind::BookDay => "the provider's book has another day",
        DifferenceKind::OnlyInBook => "only in the provider's book",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gateway::api::clearing::PayoutLineView;
    use ledger::modules::clearing::{LineRow, end_to_end};
    use primitives::{CivilDate, Currency, Timestamp, sha256};

    const REGION: RegionId = RegionId(620_100);

    fn day(text: &str) -> CivilDate {
        text.parse().expect("a day")
    }

    fn hash(text: &str) -> Hash {
        sha256(text.as_bytes())
    }

    fn paid(reference: &str) -> LineStanding {
        LineStanding::Paid { day: day("2026-03-30"), reference: hash(reference) }
    }

    /// Batch 1, approved: line 0 waits, 1 is paid under `P`, 2 failed, 3 came back under `R`.
    /// Batch 2 with one line is only proposed.
    fn batches() -> BTreeMap<u32, PayoutView> {
        let back = LineStanding::Returned {
            paid: day("2026-03-30"),
            day: day("2026-03-31"),
            reference: hash("R"),
            reason: code(None),
        };
        let failed = LineStanding::Failed { reason: code(Some("AC04")) };
        let batch = |number: u32, standing, lines: Vec<LineStanding>| {
            let lines = (0..).zip(lines).map(|(line, standing)| PayoutLineView {
                end_to_end: end_to_end(REGION, number, line),
                row: LineRow {
                    provider: "hospital-1".parse().expect("a code"),
                    amount: Amount::from_minor(100),
                    account: Hash::default(),
                    standing,
                },
            });
            let view = PayoutView {
                region: REGION,
                batch: number,
                currency: Currency::CNY,
                execute_on: day("2026-03-30"),
                lines_hash: Hash::default(),
                standing,
                proposed: Timestamp::from_millis(0),
                approver: None,
                approved: None,
                lines: lines.collect(),
            };
            (number, view)
        };
        let first = vec![LineStanding::Waiting, paid("P"), failed, back];
        BTreeMap::from([
            batch(1, BatchStanding::Approved, first),
            batch(2, BatchStanding::Proposed, vec![LineStanding::Waiting]),
        ])
    }

    fn moved(name: &str, direction: Direction, reference: &str, on: &str, minor: u64) -> Movement {
        Movement {
            end_to_end: format!("YB620100-{name}"),
            bank_reference: reference.to_owned(),
            amount: Amount::from_minor(minor),
            day: day(on),
            direction,
            reason: None,
        }
    }

    fn read(list: &[Movement]) -> Reading {
        let (batches, counterparts) = (batches(), BTreeSet::from([RegionId(610_100)]));
        let known = Known { region: REGION, counterparts: &counterparts, batches: &batches };
        movements(&known, list, hash)
    }

    fn kinds(reading: &Reading) -> Vec<DifferenceKind> {
        reading.differences.iter().map(|(kind, ..)| *kind).collect()
    }

    #[test]
    fn a_reference_is_one_line_and_is_written_in_one_way() {
        assert_eq!(place_of(REGION, "YB620100-1-0"), Some((1, 0)));
        for other in [
            "YB620100-01-0",
            "YB620100-1-+0",
            "YB620101-1-0",
            "YB620100-1",
            "GAS",
            "",
            "YB620100-1-0-0",
            "YB620100-1-65536",
        ] {
            assert_eq!(place_of(REGION, other), None, "{other}");
        }
    }

    #[test]
    fn what_the_ledger_has_is_known_and_what_is_new_is_recorded_once() {
        use Direction::{Back, Out};
        let known = [
            moved("1-1", Out, "P", "2026-03-30", 100),
            moved("1-3", Out, "whatever", "2026-03-30", 100),
            moved("1-3", Back, "R", "2026-03-31", 100),
        ];
        let reading = read(&known);
        assert_eq!((reading.known, reading.news(), kinds(&reading)), (3, 0, vec![]));
        // A payment and its return in one file, in either order of the steps they need.
        let new = [
            moved("1-0", Out, "A", "2026-03-31", 100),
            moved("1-0", Back, "B", "2026-03-31", 100),
            moved("1-1", Back, "C", "2026-03-31", 100),
        ];
        let reading = read(&new);
        assert_eq!((reading.known, kinds(&reading)), (0, vec![]));
        let [first, second] = &reading.steps;
        assert_eq!((first[&1].len(), second[&1].len()), (1, 2));
        assert!(second[&1].is_sorted_by(|a, b| a.line < b.line));
        let newest_first: Vec<_> = new.iter().rev().cloned().collect();
        assert_eq!(read(&newest_first), reading);
    }

    #[test]
    fn every_line_that_does_not_fit_is_named_and_nothing_is_recorded_of_it() {
        use DifferenceKind as Kind;
        use Direction::{Back, Out};
        for (list, expected) in [
            (vec![moved("9-0", Out, "A", "2026-03-31", 100)], Kind::UnknownReference),
            (vec![moved("1-9", Out, "A", "2026-03-31", 100)], Kind::UnknownReference),
            (vec![moved("1-0", Out, "A", "2026-03-31", 101)], Kind::WrongAmount),
            (vec![moved("1-0", Back, "A", "2026-03-31", 100)], Kind::NotOrdered),
            (vec![moved("1-1", Out, "P", "2026-03-31", 100)], Kind::WrongDay),
            (vec![moved("1-1", Out, "Q", "2026-03-30", 100)], Kind::DuplicateLine),
            (vec![moved("1-2", Out, "A", "2026-03-31", 100)], Kind::NotOrdered),
            (vec![moved("1-3", Back, "S", "2026-03-31", 100)], Kind::DuplicateLine),
            (vec![moved("2-0", Out, "A", "2026-03-31", 100)], Kind::NotOrdered),
        ] {
            let reading = read(&list);
            assert_eq!((kinds(&reading), reading.news()), (vec![expected], 0), "{list:?}");
        }
        // What was not taken as paid did not come back either.
        let wrong =
            [moved("1-0", Out, "A", "2026-03-31", 101), moved("1-0", Back, "B", "2026-03-31", 100)];
        let reading = read(&wrong);
        let expected = vec![Kind::WrongAmount, Kind::NotOrdered];
        assert_eq!((kinds(&reading), reading.news()), (expected, 0));
        let twice = vec![moved("1-0", Out, "A", "2026-03-31", 100); 2];
        let reading = read(&twice);
        assert_eq!((kinds(&reading), reading.news()), (vec![Kind::DuplicateLine], 1));
    }

    #[test]
    fn what_another_region_paid_is_its_line_and_no_difference() {
        use Direction::{Back, Out};
        let theirs = |name: &str, direction| Movement {
            end_to_end: name.to_owned(),
            ..moved("1-0", direction, "A", "2026-03-31", 100)
        };
        let reading = read(&[theirs("YB610100-1-0", Back)]);
        assert_eq!((kinds(&reading), reading.news()), (vec![], 0));
        assert_eq!(reading.came_in, [(RegionId(610_100), theirs("YB610100-1-0", Back))]);
        // Money that goes out, a region with which nothing is cleared, and what is no line.
        for (name, direction) in [
            ("YB610100-1-0", Out),
            ("YB630100-1-0", Back),
            ("YB610100-01-0", Back),
            ("YB610100", Back),
        ] {
            let reading = read(&[theirs(name, direction)]);
            assert_eq!(kinds(&reading), [DifferenceKind::UnknownReference], "{name}");
            assert_eq!(reading.came_in, []);
        }
    }

    #[test]
    fn a_report_refuses_lines_or_the_whole_order_and_pays_nothing() {
        let batches = batches();
        let known = Known { region: REGION, counterparts: &BTreeSet::new(), batches: &batches };
        let status =
            |name: &str, refused: Option<&str>| adapters::bank_file::report::PaymentStatus {
                end_to_end: format!("YB620100-{name}"),
                refused: refused.map(str::to_owned),
            };
        let said = StatusReport {
            order: String::from("YB620100-1"),
            refused: None,
            payments: vec![
                status("1-0", Some("AC04")),
                status("1-1", None),
                status("1-2", Some("AC04")),
                status("1-3", Some("AC04")),
                status("2-0", None),
                status("7-0", None),
            ],
        };
        let reading = report(&known, &said);
        assert_eq!((reading.known, reading.news()), (2, 1));
        let expected = [
            DifferenceKind::NotOrdered,
            DifferenceKind::NotOrdered,
            DifferenceKind::UnknownReference,
        ];
        assert_eq!(kinds(&reading), expected);
        let whole = StatusReport { refused: Some(String::from("DU01")), payments: vec![], ..said };
        let reading = report(&known, &whole);
        // The waiting line fails; what was paid already is named.
        assert_eq!((reading.known, reading.news()), (1, 1));
        assert_eq!(kinds(&reading), [DifferenceKind::NotOrdered; 2]);
    }
}
