//! A bank that is played, for trying things out.

use std::path::PathBuf;
use std::process::ExitCode;

use adapters::bank_file::order::PaymentOrder;
use adapters::bank_file::sandbox::{NAME, Play};
use adapters::clock::{Clock as _, SystemClock};
use anyhow::{Context as _, Result};
use clap::Args;
use primitives::{CivilDate, Currency};

use super::file::{read_file, write_private, wrong_file};
use crate::command::input::bad;

#[derive(Args)]
pub struct PlayBank {
    /// The order, pain.001.001.09.
    order: PathBuf,
    /// The currency of the account.
    #[arg(long, value_name = "CODE", default_value = "CNY")]
    currency: String,
    /// The day on which it pays.
    #[arg(long, value_name = "DAY")]
    day: CivilDate,
    /// The day on which payments come back; the same when left out.
    #[arg(long, value_name = "DAY")]
    back_day: Option<CivilDate>,
    /// A payment that it refuses, by its reference.
    #[arg(long, value_name = "REFERENCE")]
    reject: Vec<String>,
    /// A payment that it pays and that comes back, by its reference.
    #[arg(long, value_name = "REFERENCE")]
    give_back: Vec<String>,
    /// The folder to write to; made when it is not there.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

impl PlayBank {
    pub fn run(self) -> Result<ExitCode> {
        let currency = Currency::from_code(&self.currency)
            .ok_or_else(|| bad("`--currency`: use CNY, JPY, USD or EUR"))?;
        let order = PaymentOrder::read(&read_file(&self.order)?, currency)
            .map_err(wrong_file(&self.order))?;
        for asked in self.reject.iter().chain(&self.give_back) {
            if !order.payments.iter().any(|payment| payment.end_to_end == *asked) {
                return Err(bad(format!("the order has no payment `{asked}`; look into the file")));
            }
        }
        let play = Play {
            reject: self.reject.into_iter().collect(),
            give_back: self.give_back.into_iter().collect(),
            day: self.day,
            back_day: self.back_day.unwrap_or(self.day),
            at: SystemClock.now(),
        };
        let answer = play.answer(&order);
        std::fs::create_dir_all(&self.out)
            .with_context(|| format!("`{}` cannot be made", self.out.display()))?;
        let files = [
            ("pain.002.xml", Some(answer.report)),
            ("camt.053.xml", Some(answer.statement)),
            ("camt.054.xml", answer.notification),
            ("camt.053-later.xml", answer.later_statement),
        ];
        for (name, bytes) in files {
            if let Some(bytes) = bytes {
                let path = self.out.join(name);
                write_private(&path, &bytes)?;
                println!("{NAME}: `{}`", path.display());
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
