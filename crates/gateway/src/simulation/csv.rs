//! The counts as CSV: one row per group, stable names, amounts as decimals with a point.
//!
//! The hash of these bytes is what two officials compare who simulated the same bills.

use std::fmt::Write as _;

use benefit::{Payer, PersonClass};
use primitives::{Amount, Hash, sha256_parts};

use super::tally::{Both, Group, Tally, Winners};

const HEAD: &str = "section,group,level,bills,people,old,new,difference,better,better_amount,\
                    worse,worse_amount,same\n";

/// One row; what a section does not have stays empty.
#[derive(Default)]
struct Row<'a> {
    section: &'a str,
    group: &'a str,
    level: &'a str,
    bills: Option<u64>,
    people: Option<u64>,
    amounts: Option<Both>,
    winners: Option<Winners>,
}

/// The counts as text.
#[must_use]
pub fn csv(tally: &Tally) -> String {
    let mut text = String::from(HEAD);
    let mut write = |row: Row<'_>| line(&mut text, tally, &row);
    let all = tally.all;
    write(Row { people: Some(tally.person_count()), ..of_group("all", "", "", &all) });
    write(Row { section: "people", winners: Some(tally.people), ..Row::default() });
    for payer in Payer::ALL {
        let both = tally.payer(*payer);
        if both != Both::default() {
            let amounts = Some(both);
            write(Row { section: "payer", group: payer.name(), amounts, ..Row::default() });
        }
    }
    for (group, both) in [("accounts", tally.accounts), ("cash", tally.cash)] {
        write(Row { section: "own", group, amounts: Some(both), ..Row::default() });
    }
    for (class, people) in &tally.classes {
        let (amounts, winners) = (Some(people.bills.own), Some(people.winners));
        let bills = Some(people.bills.bills);
        let count = people.winners.better.0 + people.winners.worse.0 + people.winners.same;
        let (group, people) = (class_name(*class), Some(count));
        write(Row { section: "class", group, bills, people, amounts, winners, ..Row::default() });
    }
    for (level, group) in &tally.levels {
        write(of_group("level", "", level.name(), group));
    }
    for ((class, level), group) in &tally.cells {
        write(of_group("class_and_level", class_name(*class), level.name(), group));
    }
    for (band, count) in tally.bands.iter().enumerate() {
        let group = band.to_string();
        write(Row { section: "band", group: &group, people: Some(*count), ..Row::default() });
    }
    for (reason, count) in &tally.refusals.reasons {
        let quoted = format!("\"{}\"", reason.replace('"', "\"\""));
        let bills = Some(*count);
        write(Row { section: "refused", group: &quoted, bills, ..Row::default() });
    }
    text
}

/// The hash of what came out for these two plans.
#[must_use]
pub fn hash(csv: &str, old: Hash, new: Hash) -> Hash {
    sha256_parts(&[b"yibao/plan-simulation/v1", &old.0, &new.0, csv.as_bytes()])
}

/// The stable name of a group of people.
#[must_use]
pub fn class_name(class: Option<PersonClass>) -> &'static str {
    class.map_or("none", PersonClass::name)
}

fn of_group<'a>(section: &'a str, group: &'a str, level: &'a str, one: &Group) -> Row<'a> {
    Row {
        section,
        group,
        level,
        bills: Some(one.bills),
        people: None,
        amounts: Some(one.own),
        winners: Some(one.winners),
    }
}

fn line(text: &mut String, tally: &Tally, row: &Row<'_>) {
    let amount = |minor: u128| {
        let minor = u64::try_from(minor).unwrap_or(u64::MAX);
        Amount::from_minor(minor).to_decimal(tally.currency)
    };
    let number = |count: Option<u64>| count.map_or_else(String::new, |count| count.to_string());
    let (old, new, difference) = match row.amounts {
        Some(both) => {
            let sign = if both.difference() < 0 { "-" } else { "" };
            let size = amount(both.difference().unsigned_abs());
            (amount(both.old), amount(both.new), format!("{sign}{size}"))
        }
        None => <(String, String, String)>::default(),
    };
    let _ = write!(text, "{},{},{},", row.section, row.group, row.level);
    let _ = write!(text, "{},{},", number(row.bills), number(row.people));
    let _ = write!(text, "{old},{new},{difference},");
    let _ = match row.winners {
        Some(Winners { better, worse, same }) => writeln!(
            text,
            "{},{},{},{},{same}",
            better.0,
            amount(better.1),
            worse.0,
            amount(worse.1)
        ),
        None => writeln!(text, ",,,,"),
    };
}
