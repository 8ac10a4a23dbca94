//! Runs simulated worlds, seed after seed on all cores, until one breaks a rule.

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use sim::many::{cores, count_many, run_many};
use sim::plants::run_all;

/// Runs simulated regions with faults everywhere and checks that the rules hold.
#[derive(Parser)]
#[command(name = "sim")]
struct Arguments {
    /// How many seeds to run; 0 runs without end.
    #[arg(long, default_value_t = 500)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// How many steps the clients of each world act.
    #[arg(long, default_value_t = 120)]
    steps: u32,
    /// How many worlds run at once; 0 for one per core.
    #[arg(long, default_value_t = 0)]
    jobs: usize,
    /// Goes on behind worlds that break a rule, and counts them by rule.
    #[arg(long)]
    count: bool,
    /// Builds the project with each bug of plants.toml whose name has these words in it (none for
    /// all), and counts in how many worlds it is found.
    #[arg(long, value_name = "WORDS", num_args = 0..=1, default_missing_value = "")]
    plants: Option<String>,
}

fn main() -> ExitCode {
    let Arguments { seeds, from, steps, jobs, count, plants } = Arguments::parse();
    if let Some(only) = plants {
        return match run_all(&only, seeds) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("sim: {error}");
                ExitCode::FAILURE
            }
        };
    }
    let start = Instant::now();
    let rate = |count: u64| count as f64 / start.elapsed().as_secs_f64().max(0.001);
    let last = if seeds == 0 { u64::MAX } else { from.saturating_add(seeds) };
    let jobs = if jobs == 0 { cores() } else { jobs };
    if count {
        // A bug that panics would say so in every world.
        std::panic::set_hook(Box::new(|_| ()));
        for (rule, count) in count_many(from..last, steps, jobs) {
            println!("{rule:?} {count}");
        }
        return ExitCode::SUCCESS;
    }
    let told = |count: u64| {
        if count.is_multiple_of(100) {
            println!("{count} seeds hold every rule, {:.1} seeds/s", rate(count));
        }
    };
    match run_many(from..last, steps, jobs, told) {
        Ok(all) => {
            println!("{seeds} seeds hold every rule, {:.1} seeds/s\n{all}", rate(seeds));
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("seed {} breaks a rule\n{failure}", failure.seed);
            ExitCode::FAILURE
        }
    }
}
