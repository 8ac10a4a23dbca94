//! `yibao his`: a hospital's own system, played against the national interface of a running node.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use his::HisError;
use his::day::{Options, Played, run};
use his::setup::{Patients, Setup};

use super::input::{bad, read_toml};
use crate::serving::hospital::read_secret;

const SETUP_BYTES_MAX: u64 = 1 << 20;
const PATIENTS_BYTES_MAX: u64 = 16 << 20;

/// Plays a day of a hospital: outpatients with the mistakes of a real system, the next morning's
/// refunds, and the comparison of its own book with the platform.
#[derive(Args)]
pub struct His {
    /// The hospital's file: address, code, clerk, and the files with its secret, patients and book.
    #[arg(value_name = "FILE", default_value = "yibao-demo/hospital-1/his.toml")]
    setup: PathBuf,
    /// The gateway, where it is not the one in the file.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// How many outpatients come. A day that was interrupted goes on as it was begun.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(0..=99_999))]
    outpatients: u32,
    /// At how many workplaces at once.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=10))]
    counters: u8,
    /// What the day's choices follow from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

impl His {
    pub fn run(self) -> Result<ExitCode> {
        let options =
            Options { outpatients: self.outpatients, counters: self.counters, seed: self.seed };
        let played = play(&self.setup, self.url, options)?;
        println!("a hospital's day through the national interface");
        played.lines().iter().for_each(|line| println!("{line}"));
        Ok(if played.is_in_order() {
            println!("  the book comes to zero against the platform");
            ExitCode::SUCCESS
        } else {
            println!("  THE BOOK DOES NOT COME TO THE PLATFORM'S FIGURES");
            ExitCode::from(1)
        })
    }
}

/// Plays a day of the hospital whose file this is; the files that it names lie beside it.
///
/// # Errors
/// What is wrong with a file, or what keeps the day from going on.
pub fn play(setup: &Path, url: Option<String>, options: Options) -> Result<Played> {
    let mut hospital: Setup = read_toml("the hospital's file", setup, SETUP_BYTES_MAX)?;
    if let Some(url) = url {
        hospital.url = url;
    }
    let folder = setup.parent().unwrap_or_else(|| Path::new("."));
    let secret = read_secret(&folder.join(&hospital.secret))?;
    let patients: Patients =
        read_toml("the patients", &folder.join(&hospital.patients), PATIENTS_BYTES_MAX)?;
    let book = folder.join(&hospital.book);
    run(&hospital, (&secret, &patients.patient), &book, options).map_err(|error| match error {
        HisError::Setup(_) | HisError::Address(_) => bad(error.to_string()),
        other => other.into(),
    })
}
