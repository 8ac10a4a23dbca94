//! A month's statements.

use std::process::ExitCode;

use clap::Args;
use gateway::api::clearing::StatementList;
use ledger::kernel::month::CalendarMonth;
use ledger::modules::clearing::CloseMonth;
use primitives::{Amount, Currency, OrganisationId};

use super::desk::{At, Stopped};

#[derive(Args)]
pub struct Statement {
    #[command(flatten)]
    at: At,
    /// The provider whose statements are shown; what is payable to each when left out.
    #[arg(long, value_name = "CODE")]
    provider: Option<OrganisationId>,
}

#[derive(Args)]
pub struct Close {
    #[command(flatten)]
    at: At,
    /// The month, such as 2026-03; it is over, and the one after the last that was closed.
    #[arg(long, value_name = "MONTH", value_parser = month)]
    month: CalendarMonth,
    /// The providers.
    #[arg(long = "provider", value_name = "CODE", required = true)]
    providers: Vec<OrganisationId>,
}

/// A month as people write it.
pub fn month(text: &str) -> Result<CalendarMonth, String> {
    let parsed = text.split_once('-').and_then(|(year, month)| {
        let fits = year.len() == 4 && month.len() == 2;
        let month = CalendarMonth { year: year.parse().ok()?, month: month.parse().ok()? };
        (fits && (1..=12).contains(&month.month)).then_some(month)
    });
    parsed.ok_or_else(|| String::from("write a month as YYYY-MM, such as 2026-03"))
}

/// An amount at the right of a line.
pub fn column(amount: Amount, currency: Currency) -> String {
    format!("{:>16}", amount.to_decimal(currency))
}

impl Statement {
    pub fn run(self) -> Result<ExitCode, Stopped> {
        let desk = self.at.enter()?;
        match self.provider {
            Some(provider) => {
                print_statements(&desk.read(&format!("/providers/{provider}"))?);
            }
            None => {
                let clearing = desk.clearing()?;
                let currency = clearing.currency;
                println!(
                    "region {}, {currency}, today {}, last batch {}",
                    clearing.region, clearing.today, clearing.last_batch
                );
                match &clearing.rules {
                    Some(rules) => println!(
                        "held back {}, paid within {} days, differences cleared within {} days: {}",
                        rules.hold_back,
                        rules.pay_within_days,
                        rules.clear_within_days,
                        &*rules.source
                    ),
                    None => println!("no rules are set: `yibao tx schema set_clearing_rules`"),
                }
                println!(
                    "{:<20}{:>9}{:>16}{:>16}{:>16}{:>16}",
                    "provider", "stated", "due", "payable", "in payment", "held back"
                );
                for one in &clearing.providers {
                    let stated = one.last.map_or_else(String::new, name);
                    let amounts = [one.due, one.payable, one.in_payment, one.held_back];
                    let amounts = amounts.map(|amount| column(amount, currency)).concat();
                    println!("{:<20}{stated:>9}{amounts}", one.organisation);
                }
            }
        }
        desk.leave();
        Ok(ExitCode::SUCCESS)
    }
}

/// A month as people read it.
pub fn name(month: CalendarMonth) -> String {
    format!("{:04}-{:02}", month.year, month.month)
}

fn print_statements(list: &StatementList) {
    let currency = list.currency;
    println!("{} in region {}, {currency}", list.books.organisation, list.region);
    for statement in &list.statements {
        let row = &statement.row;
        let month = name(statement.month);
        println!("\nstatement of {month}, blocks {} to {}", row.after_height + 1, row.to_height);
        for (words, amount) in [
            ("owed from the month before", row.carried),
            ("settled", row.settled),
            ("returned", row.returned),
            ("held back", row.held_back),
            ("payable", row.payable),
            ("owed to the next month", row.owing),
        ] {
            println!("  {words:<28}{}", column(amount, currency));
        }
        if let Some(budget) = row.budget {
            let over = row.settled.saturating_sub(budget);
            println!("  {:<28}{}", "budget of the month", column(budget, currency));
            println!("  {:<28}{}", "settled above the budget", column(over, currency));
        }
        println!("  {:<28}{:>16}", "paid by", row.pay_by.to_string());
    }
    for year in &list.years {
        let held = column(year.held.held, currency);
        println!(
            "\nheld back in {}{held}{}",
            year.year,
            match year.held.decided {
                true => format!(
                    ", released {}, withheld {}",
                    year.held.released.to_decimal(currency),
                    year.held.withheld.to_decimal(currency)
                ),
                false => String::from(", not decided yet"),
            }
        );
    }
    println!("\nnow due{}", column(list.books.due, currency));
    println!("payable{}", column(list.books.payable, currency));
    println!("in payment{}", column(list.books.in_payment, currency));
}

impl Close {
    pub fn run(self) -> Result<ExitCode, Stopped> {
        let desk = self.at.enter()?;
        for provider in &self.providers {
            let body = CloseMonth { region: desk.region, provider: *provider, month: self.month };
            desk.send(&body)?;
            let list: StatementList = desk.read(&format!("/providers/{provider}"))?;
            if let Some(last) = list.statements.last() {
                println!(
                    "{provider}: {} closed, {} payable, {} held back",
                    name(last.month),
                    last.row.payable.to_decimal(list.currency),
                    last.row.held_back.to_decimal(list.currency)
                );
            }
        }
        desk.leave();
        Ok(ExitCode::SUCCESS)
    }
}
