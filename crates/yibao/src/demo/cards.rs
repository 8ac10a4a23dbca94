//! Bank cards that nobody has bound yet, for trying it out by hand: one of each newcomer without a
//! card, and some that a bank refuses. Their numbers begin as no real card's do.

use std::fs;

use adapters::rail::card::CardNumber;
use anyhow::{Context as _, Result};
use primitives::{Amount, CivilDate};
use serde::Serialize;

use super::bank::Bank;
use super::folder::FAMILY;
use super::population::Population;
use super::region::Stage;

/// Whoever goes by this made-up name has a card of each sort.
const HOLDER: &str = "测试卡";
/// What a good card's account starts with, in fen.
const SAVINGS: u64 = 1_000_000;

/// A card that can be bound.
#[derive(Serialize)]
struct TestCard {
    holder: String,
    number: String,
    /// `good`, or why the bank refuses it: `expired`, `blocked`, `empty`.
    what: &'static str,
}

#[derive(Serialize)]
struct TestCards {
    card: Vec<TestCard>,
}

impl Stage<'_> {
    /// Issues the cards and writes them down.
    ///
    /// # Errors
    /// When the bank's books fail, or the file cannot be written.
    pub(super) fn test_cards(
        &self,
        population: &Population,
        newcomers: &[usize],
        bank: &Bank,
    ) -> Result<()> {
        let without = newcomers.iter().skip(1).step_by(2).map(|at| &population.people[*at]);
        let own = without.map(|one| (one.name.clone(), "good"));
        let sorts = ["good", "expired", "blocked", "empty"].map(|what| (HOLDER.to_owned(), what));
        let wanted: Vec<(String, &'static str)> = own.chain(sorts).collect();
        let holders: Vec<(String, Amount)> = wanted
            .iter()
            .map(|(holder, what)| {
                let savings = if *what == "empty" { 0 } else { SAVINGS };
                (holder.clone(), Amount::from_minor(savings))
            })
            .collect();
        let numbers = bank.issue(&holders)?;
        let mut card = Vec::with_capacity(wanted.len());
        for ((holder, what), number) in wanted.into_iter().zip(numbers) {
            self.spoil(bank, &number, what)?;
            card.push(TestCard { holder, number: number.digits().to_owned(), what });
        }
        let folder = self.data.join(FAMILY);
        fs::create_dir_all(&folder)?;
        let text = toml::to_string(&TestCards { card })?;
        Ok(fs::write(folder.join("cards.toml"), text)?)
    }

    fn spoil(&self, bank: &Bank, card: &CardNumber, what: &str) -> Result<()> {
        match what {
            "expired" => {
                let year = self.last_day.year();
                let day = CivilDate::from_ymd(year - 1, 12, 31).context("a day")?;
                bank.expire(card, day)
            }
            "blocked" => bank.block(card),
            _ => Ok(()),
        }
    }
}
