//! What regions owe each other for care elsewhere.
//!
//! Who answers a statement does not believe it: the items are read, added up and hashed again here,
//! and nothing is signed unless they come to the statement's hash.

use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;

use anyhow::Result;
use clap::{Args, Subcommand};
use gateway::api::interregion::{
    Counterpart, InterregionView, MonthStatement, PairStanding, PairView, StatementItems,
};
use ledger::kernel::account::RegionPair;
use ledger::kernel::month::CalendarMonth;
use ledger::modules::interregion::{
    AnswerInterregionStatement, CloseInterregionMonth, ConfirmRegionPayment, DisputeReason,
    DisputedItem, EndItemDispute, ItemRow,
};
use primitives::{Amount, CivilDate, Currency, RegionId};

use super::accounts::Accounts;
use super::desk::{At, Desk, Stopped};
use super::month::{column, month, name};
use crate::command::input::bad;

#[derive(Subcommand)]
pub enum Regions {
    /// Show what a region and others owe each other.
    Show(Show),
    /// Show the statements between two regions; of a month, its items.
    Statement(Statement),
    /// Close a month, as the region of care.
    Close(Close),
    /// Agree to a month's statement apart from named items, as the insured region; a late answer is
    /// given by the region of care.
    Answer(Answer),
    /// End the dispute of an item, as the insured region or whoever supervises it.
    EndDispute(EndDispute),
    /// Confirm that the other region's payment came in, as the region of care.
    Received(Received),
}

#[derive(Args)]
pub struct Show {
    #[command(flatten)]
    at: At,
}

/// Between which two regions.
#[derive(Args)]
struct With {
    #[command(flatten)]
    at: At,
    /// The other region's six-digit code.
    #[arg(long, value_name = "REGION")]
    other: u32,
}

#[derive(Args)]
pub struct Statement {
    #[command(flatten)]
    with: With,
    /// Show what the region advanced for the other one, and not what it owes.
    #[arg(long)]
    advanced: bool,
    /// The month whose items are shown, such as 2026-03.
    #[arg(long, value_name = "MONTH", value_parser = month)]
    month: Option<CalendarMonth>,
}

#[derive(Args)]
pub struct Close {
    #[command(flatten)]
    with: With,
    /// The month, such as 2026-03; it is over, and the one after the last that was closed.
    #[arg(long, value_name = "MONTH", value_parser = month)]
    month: CalendarMonth,
}

#[derive(Args)]
pub struct Answer {
    #[command(flatten)]
    with: With,
    /// The statement's month.
    #[arg(long, value_name = "MONTH", value_parser = month)]
    month: CalendarMonth,
    /// Agree in the other region's place to what this region advanced for it, once the last day for
    /// its answer has passed; nothing is disputed then.
    #[arg(long, conflicts_with = "disputes")]
    advanced: bool,
    /// An item that is disputed, as NUMBER:AMOUNT:REASON with one of the reasons not-entitled,
    /// wrong-amount, duplicate, doubtful, undocumented.
    #[arg(long = "dispute", value_name = "NUMBER:AMOUNT:REASON")]
    disputes: Vec<Named>,
}

#[derive(Args)]
pub struct EndDispute {
    #[command(flatten)]
    with: With,
    /// The item's number.
    #[arg(long, value_name = "NUMBER")]
    item: u64,
}

#[derive(Args)]
pub struct Received {
    #[command(flatten)]
    with: With,
    /// How much, such as 1234.50.
    #[arg(long, value_name = "AMOUNT")]
    amount: String,
    /// The day on which the bank booked it.
    #[arg(long, value_name = "DAY")]
    day: CivilDate,
    /// The bank's own reference.
    #[arg(long, value_name = "TEXT")]
    reference: String,
    /// The file of bank accounts, for its salt.
    #[arg(long, value_name = "FILE")]
    accounts: PathBuf,
}

/// An item that is disputed, as people write it.
#[derive(Clone)]
struct Named {
    number: u64,
    amount: String,
    reason: DisputeReason,
}

impl FromStr for Named {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || String::from("write NUMBER:AMOUNT:REASON, such as 12:80.00:wrong-amount");
        let mut parts = text.splitn(3, ':');
        let mut next = || parts.next().ok_or_else(wrong);
        let (number, amount, reason) = (next()?, next()?, next()?);
        let reason = match reason {
            "not-entitled" => DisputeReason::NotEntitled,
            "wrong-amount" => DisputeReason::WrongAmount,
            "duplicate" => DisputeReason::Duplicate,
            "doubtful" => DisputeReason::Doubtful,
            "undocumented" => DisputeReason::Undocumented,
            _ => return Err(wrong()),
        };
        Ok(Self { number: number.parse().map_err(|_| wrong())?, amount: amount.to_owned(), reason })
    }
}

impl Regions {
    pub fn run(self) -> Result<ExitCode, Stopped> {
        match self {
            Self::Show(show) => show.run(),
            Self::Statement(statement) => statement.run(),
            Self::Close(close) => close.run(),
            Self::Answer(answer) => answer.run(),
            Self::EndDispute(end) => end.run(),
            Self::Received(received) => received.run(),
        }
    }
}

impl With {
    /// The desk, and what its region owes the other one.
    fn enter(&self) -> Result<(Desk, RegionPair), Stopped> {
        let desk = self.at.enter()?;
        let pair = RegionPair { insured: desk.region, care: RegionId(self.other) };
        Ok((desk, pair))
    }
}

fn path(pair: RegionPair) -> String {
    format!("/v1/interregion/{}/{}", pair.insured, pair.care)
}

fn parsed(text: &str, currency: Currency) -> Result<Amount> {
    Amount::from_decimal(text, currency)
        .map_err(|_| bad(format!("`{text}` is no amount of {currency}; write 1234.50")))
}

/// A page of a statement, with the items behind this number.
fn page(
    desk: &Desk,
    pair: RegionPair,
    (month, after): (CalendarMonth, u64),
) -> Result<StatementItems, Stopped> {
    let CalendarMonth { year, month } = month;
    desk.get(&format!("{}/statements/{year}/{month}?after={after}", path(pair)))
}

/// A statement with all its items, page by page.
fn all_items(
    desk: &Desk,
    pair: RegionPair,
    month: CalendarMonth,
) -> Result<(StatementItems, Vec<ItemRow>), Stopped> {
    let mut first = page(desk, pair, (month, 0))?;
    let mut items = std::mem::take(&mut first.items);
    let mut next = first.next;
    while let Some(after) = next {
        let more = page(desk, pair, (month, after))?;
        items.extend(more.items);
        next = more.next;
    }
    Ok((first, items))
}

/// These items are all of the statement and come to its sums, counts and hash.
fn require_sum(pair: RegionPair, page: &StatementItems, items: &[ItemRow]) -> Result<()> {
    if page.statement.is_sum_of(pair, items.iter().map(|one| &one.item)) {
        return Ok(());
    }
    Err(bad("the items do not come to the statement; ask the other bureau before answering"))
}

fn print_standing(words: &str, standing: &PairStanding, currency: Currency) {
    println!("  {words}");
    for (words, amount) in [
        ("advanced and not back", standing.advanced),
        ("not agreed to yet", standing.open),
        ("owed by the region of care", standing.owing),
        ("disputed", standing.disputed),
        ("payable", standing.payable),
        ("in payment", standing.in_payment),
        ("paid and not confirmed", standing.under_way),
    ] {
        if !amount.is_zero() {
            println!("    {words:<28}{}", column(amount, currency));
        }
    }
    let last = standing.last.map_or_else(|| String::from("no month stated"), name);
    let waits = if standing.waits { ", waits for its answer" } else { "" };
    println!("    {} items, {} not stated, {last}{waits}", standing.items, standing.unstated);
}

impl Show {
    fn run(self) -> Result<ExitCode, Stopped> {
        let desk = self.at.enter()?;
        let view: InterregionView =
            desk.get(&format!("/v1/regions/{}/interregion", desk.region))?;
        println!("region {}, {}, today {}", view.region, view.currency, view.today);
        for dated in &view.rules {
            match &dated.rules {
                Some(rules) => println!(
                    "admissions from {}: answered within {} days, paid within {} days: {}",
                    dated.from, rules.answer_within_days, rules.pay_within_days, &*rules.source
                ),
                None => println!("admissions from {}: not cleared between regions", dated.from),
            }
        }
        if view.rules.is_empty() {
            println!("no rules are set: `yibao tx schema set_interregion_rules`");
        }
        for Counterpart { region, bureau, owed, advanced } in &view.counterparts {
            println!("region {region}, {bureau}");
            print_standing("this region owes it", owed, view.currency);
            print_standing("it owes this region", advanced, view.currency);
        }
        desk.leave();
        Ok(ExitCode::SUCCESS)
    }
}

fn print_statement(statement: &MonthStatement, currency: Currency) {
    let row = &statement.row;
    println!(
        "\nstatement of {}, items {} to {}",
        name(statement.month),
        row.after_item + 1,
        row.to_item
    );
    for (words, amount) in [
        ("left from before", row.carried),
        ("given back before", row.carried_back),
        ("advanced", row.gross),
        ("returned", row.returned),
        ("payable", row.payable),
        ("owed to the next month", row.owing),
    ] {
        println!("  {words:<28}{}", column(amount, currency));
    }
    println!("  {:<28}{:>16}", "answered by", row.answer_by.to_string());
    println!("  {:<28}{:>16}", "paid by", row.pay_by.to_string());
    println!("  items {}", row.items);
    if let Some(answer) = &row.answer {
        println!("  answered by {}", answer.by);
        for (words, amount) in
            [("agreed", answer.agreed), ("set off", answer.set_off), ("disputed", answer.disputed)]
        {
            println!("  {words:<28}{}", column(amount, currency));
        }
    }
}

fn print_items(items: &[ItemRow], currency: Currency) {
    for row in items {
        let item = &row.item;
        let sign = if item.is_return { "-" } else { "" };
        let amount = format!("{sign}{}", item.amount.to_decimal(currency));
        let dispute = match row.dispute {
            Some(dispute) if dispute.ended.is_none() => "  disputed",
            Some(_) => "  dispute ended",
            None => "",
        };
        println!("  {:>8}  {:<20}{amount:>16}{dispute}", item.number, item.provider.to_string());
    }
}

impl Statement {
    fn run(self) -> Result<ExitCode, Stopped> {
        let (desk, owed) = self.with.enter()?;
        let pair = if self.advanced { owed.reversed() } else { owed };
        match self.month {
            Some(month) => {
                let (page, items) = all_items(&desk, pair, month)?;
                let statement = MonthStatement { month, row: page.statement.clone() };
                print_statement(&statement, page.currency);
                print_items(&items, page.currency);
                require_sum(pair, &page, &items)?;
                println!("the items come to the statement's sums and its hash");
            }
            None => {
                let view: PairView = desk.get(&path(pair))?;
                println!("{} owes {}", view.insured_bureau, view.care_bureau);
                print_standing("now", &view.standing, view.currency);
                view.statements.iter().for_each(|one| print_statement(one, view.currency));
            }
        }
        desk.leave();
        Ok(ExitCode::SUCCESS)
    }
}

impl Close {
    fn run(self) -> Result<ExitCode, Stopped> {
        let (desk, owed) = self.with.enter()?;
        let pair = owed.reversed();
        let RegionPair { insured, care } = pair;
        desk.send(&CloseInterregionMonth { care, insured, month: self.month })?;
        let view: PairView = desk.get(&path(pair))?;
        if let Some(last) = view.statements.last() {
            print_statement(last, view.currency);
        }
        desk.leave();
        Ok(ExitCode::SUCCESS)
    }
}

impl Answer {
    fn run(self) -> Result<ExitCode, Stopped> {
        let (desk, owed) = self.with.enter()?;
        let pair = if self.advanced { owed.reversed() } else { owed };
        let (first, items) = all_items(&desk, pair, self.month)?;
        require_sum(pair, &first, &items)?;
        let mut disputed = Vec::new();
        for Named { number, amount, reason } in &self.disputes {
            let amount = parsed(amount, first.currency)?;
            disputed.push(DisputedItem { number: *number, amount, reason: *reason });
        }
        disputed.sort_by_key(|one| one.number);
        let RegionPair { insured, care } = pair;
        let (month, by, items) = (self.month, desk.organisation, first.statement.items);
        desk.send(&AnswerInterregionStatement { insured, care, month, items, disputed, by })?;
        // What was answered stands on a page without items as well.
        let after = page(&desk, pair, (month, first.statement.to_item))?;
        print_statement(&MonthStatement { month, row: after.statement }, after.currency);
        match self.advanced {
            true => println!("what is payable is the other region's to pay"),
            false => println!("what is payable goes into a batch with `yibao clearing batch`"),
        }
        desk.leave();
        Ok(ExitCode::SUCCESS)
    }
}

impl EndDispute {
    fn run(self) -> Result<ExitCode, Stopped> {
        let (desk, RegionPair { insured, care }) = self.with.enter()?;
        let (item, by) = (self.item, desk.organisation);
        desk.send(&EndItemDispute { insured, care, item, by })?;
        println!("ended; the item's money goes into the next statement");
        desk.leave();
        Ok(ExitCode::SUCCESS)
    }
}

impl Received {
    fn run(self) -> Result<ExitCode, Stopped> {
        let accounts = Accounts::read(&self.accounts)?;
        let (desk, owed) = self.with.enter()?;
        let pair = owed.reversed();
        let view: PairView = desk.get(&path(pair))?;
        let body = ConfirmRegionPayment {
            care: pair.care,
            insured: pair.insured,
            amount: parsed(&self.amount, view.currency)?,
            day: self.day,
            reference: accounts.reference(&self.reference),
        };
        desk.send(&body)?;
        let after: PairView = desk.get(&path(pair))?;
        print_standing("confirmed; now", &after.standing, after.currency);
        desk.leave();
        Ok(ExitCode::SUCCESS)
    }
}
