//! Runs simulated worlds, seed after seed, until one breaks a rule.

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use sim::{Options, Report, run};

/// Runs simulated regions with faults everywhere and checks that the rules hold.
#[derive(Parser)]
#[command(name = "sim")]
struct Arguments {
    /// How many seeds to run; 0 runs without end.
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// How many steps the clients of each world act.
    #[arg(long, default_value_t = 120)]
    steps: u32,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let (mut all, mut count, start) = (Report::default(), 0_u64, Instant::now());
    let last = match arguments.seeds {
        0 => u64::MAX,
        seeds => arguments.from.saturating_add(seeds),
    };
    for seed in arguments.from..last {
        match run(Options::new(seed, arguments.steps)) {
            Ok(report) => all.add(&report),
            Err(failure) => {
                eprintln!("seed {seed} breaks a rule\n{failure}");
                return ExitCode::FAILURE;
            }
        }
        count += 1;
        if count.is_multiple_of(100) {
            println!("{count} seeds hold every rule, {:.1} seeds/s", rate(count, start));
        }
    }
    println!("{count} seeds hold every rule, {:.1} seeds/s\n{all}", rate(count, start));
    ExitCode::SUCCESS
}

fn rate(count: u64, start: Instant) -> f64 {
    count as f64 / start.elapsed().as_secs_f64().max(0.001)
}
