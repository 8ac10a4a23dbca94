//! `yibao his`: a hospital's own system, played against the national interface of a running node.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use clap::Args;
use his::HisError;
use his::day::{Options, run};
use his::phone::Mobile;
use his::played::Played;
use his::setup::{House, Patients, Setup};
use his::wire::Network;

use super::input::{bad, read_toml};
use super::phones::SimulatedPeople;
use crate::serving::hospital::read_secret;

const SETUP_BYTES_MAX: u64 = 1 << 20;
const PATIENTS_BYTES_MAX: u64 = 16 << 20;

/// Plays a day of a hospital: outpatients, some of whom pay by phone, stays and the pharmacy next
/// door with the mistakes of a real system, the next morning's refunds, and the comparison of its
/// own book with the platform.
#[derive(Args)]
pub struct His {
    /// The hospital's file: address, code, clerk, and the files with its secret, patients, book and
    /// pharmacy.
    #[arg(value_name = "FILE", default_value = "yibao-demo/hospital-1/his.toml")]
    setup: PathBuf,
    /// The gateway, where it is not the one in the file.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Where the phones of simulated people find the platform, where the hospital asks an edge.
    #[arg(long, value_name = "URL")]
    phones_url: Option<String>,
    /// How many outpatients come. A day that was interrupted goes on as it was begun.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(0..=99_999))]
    outpatients: u32,
    /// How many more pay by phone, where the file says how. Whose phones they are is simulated.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(0..=99_999))]
    by_phone: u32,
    /// How many stays end.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(0..=99_999))]
    stays: u32,
    /// How many customers the pharmacy has, where the file names one.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(0..=99_999))]
    pharmacy: u32,
    /// At how many workplaces at once.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=10))]
    counters: u8,
    /// What the day's choices follow from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

impl His {
    pub fn run(self) -> Result<ExitCode> {
        let Self { outpatients, by_phone, stays, pharmacy, counters, seed, .. } = self;
        let urls = Urls { hospital: self.url.as_deref(), phones: self.phones_url.as_deref() };
        let wanted = Wanted { outpatients, by_phone, stays, pharmacy, counters, seed };
        println!("a hospital's day through the national interface");
        let mut is_in_order = true;
        for played in play(&self.setup, urls, wanted)? {
            played.lines().iter().for_each(|line| println!("{line}"));
            is_in_order &= played.is_in_order();
        }
        Ok(if is_in_order {
            println!("  the book comes to zero against the platform");
            ExitCode::SUCCESS
        } else {
            println!("  THE BOOK DOES NOT COME TO THE PLATFORM'S FIGURES");
            ExitCode::from(1)
        })
    }
}

/// Where the interface is, where it is elsewhere than the file says.
#[derive(Clone, Copy, Default)]
pub struct Urls<'a> {
    /// For the hospital's system.
    pub hospital: Option<&'a str>,
    /// For the phones of simulated people.
    pub phones: Option<&'a str>,
}

/// How many come.
#[derive(Clone, Copy)]
pub struct Wanted {
    /// To the hospital, and go again.
    pub outpatients: u32,
    /// To the hospital, who pay by phone.
    pub by_phone: u32,
    /// How many stays end.
    pub stays: u32,
    /// To the pharmacy next door, where there is one.
    pub pharmacy: u32,
    /// At how many workplaces of each.
    pub counters: u8,
    /// What is chosen follows from this.
    pub seed: u64,
}

/// Plays a day of the hospital whose file this is, and then one of its pharmacy; the files that it
/// names lie beside it.
///
/// # Errors
/// What is wrong with a file, or what keeps the day from going on.
pub fn play(setup: &Path, urls: Urls<'_>, wanted: Wanted) -> Result<Vec<Played>> {
    let Wanted { outpatients, by_phone, stays, pharmacy, counters, seed } = wanted;
    let hospital: Setup = read_toml("the hospital's file", setup, SETUP_BYTES_MAX)?;
    let options = Options { outpatients, by_phone, stays, purchases: 0, counters, seed };
    let next_door = hospital.pharmacy.as_ref().map(|file| beside(setup, file));
    let mut days = vec![play_one(hospital, (setup, urls), options)?];
    if let Some(setup) = next_door {
        let house: Setup = read_toml("the pharmacy's file", &setup, SETUP_BYTES_MAX)?;
        let options =
            Options { outpatients: 0, by_phone: 0, stays: 0, purchases: pharmacy, counters, seed };
        days.push(play_one(house, (&setup, urls), options)?);
    }
    Ok(days)
}

/// A file that a setup names.
fn beside(setup: &Path, file: &str) -> PathBuf {
    setup.parent().unwrap_or_else(|| Path::new(".")).join(file)
}

fn play_one(
    mut house: Setup,
    (setup, urls): (&Path, Urls<'_>),
    options: Options,
) -> Result<Played> {
    if let Some(url) = urls.hospital {
        house.url = url.to_owned();
    }
    let secret = read_secret(&beside(setup, &house.secret))?;
    let patients: Patients =
        read_toml("the patients", &beside(setup, &house.patients), PATIENTS_BYTES_MAX)?;
    let book = beside(setup, &house.book);
    let mobile = house.mobile.as_ref().map(|mobile| {
        let url = urls.phones.unwrap_or(&house.url);
        let people = SimulatedPeople::open(&beside(setup, &mobile.phones), url)?;
        Ok::<_, anyhow::Error>((read_secret(&beside(setup, &mobile.secret))?, people))
    });
    let mobile = mobile.transpose()?;
    let mobile =
        mobile.as_ref().map(|(secret, phones)| Mobile { secret: secret.as_slice(), phones });
    let wire = Arc::new(Network::to(&house.url).map_err(|error| bad(error.to_string()))?);
    let house = House { wire, setup: &house, secret: &secret, patients: &patients.patient, mobile };
    run(&house, &book, options).map_err(|error| match error {
        HisError::Setup(_) => bad(error.to_string()),
        other => other.into(),
    })
}
