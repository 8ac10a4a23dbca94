//! How fast the settlement path is, and how much memory it takes: one run, one machine, ratios.
//!
//! `make bench` prints a table and writes the same figures to `target/bench/report.json`. Nothing
//! here is a test: a figure never fails a build (docs/performance.md says what they mean).
//!
//! Reading order: [`plan`](mod@plan) (what is measured), [`region`] (the population),
//! [`settlement`] (what is signed beforehand), then one file per thing that is measured.

mod adjudication;
mod ceiling;
mod clearing;
mod contract;
mod crash;
mod damage;
mod drill;
mod empty;
mod figures;
mod full_disk;
mod http;
mod in_process;
mod inference;
mod load;
mod memory;
mod national;
mod network;
mod offline;
mod overload;
mod plan;
mod postgres;
mod premiums;
mod process;
mod region;
mod settlement;
mod simulation;
mod soak;
mod tree;
mod upgrade;
mod validators;

use std::process::ExitCode;

use clap::Parser;

/// As in the program that ships.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures the settlement path, puts the shipped program under stress, or asks what a ledger gives
/// away.
#[derive(Parser)]
#[command(name = "bench")]
enum Task {
    Measure(plan::Options),
    Crash(crash::Options),
    Damage(damage::Options),
    FullDisk(full_disk::Options),
    Contract(contract::Options),
    Network(network::Options),
    Overload(overload::Options),
    Soak(soak::Options),
    Upgrade(upgrade::Options),
    Inference(inference::Options),
}

fn main() -> ExitCode {
    let done = match Task::parse() {
        Task::Measure(options) => plan::run(&options),
        Task::Crash(options) => crash::run(&options),
        Task::Damage(options) => damage::run(&options),
        Task::FullDisk(options) => full_disk::run(&options),
        Task::Contract(options) => contract::run(&options),
        Task::Network(options) => network::run(&options),
        Task::Overload(options) => overload::run(&options),
        Task::Soak(options) => soak::run(&options),
        Task::Upgrade(options) => upgrade::run(&options),
        Task::Inference(options) => inference::run(&options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}
