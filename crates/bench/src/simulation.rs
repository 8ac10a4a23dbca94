//! What an official waits for before a plan is changed: a year of old bills under two plans.

use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

use crate::figures::{Bar, Figures};
use crate::http;

const OLD: &str = include_str!("../../../plans/lanzhou-employee/2025-01-01.toml");
const NEW: &str = include_str!("../../../plans/lanzhou-employee/2026-01-01.toml");
/// Made-up people whose bills of a year are a little over a million.
const PEOPLE: &str = "400000";

/// Runs the program as it ships, making up the bills included, and counts what it says it did.
///
/// # Errors
/// When it refuses, or says less than it does today.
pub fn measure(figures: &mut Figures) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (old, new) = (folder.path().join("old.toml"), folder.path().join("new.toml"));
    std::fs::write(&old, OLD)?;
    std::fs::write(&new, NEW)?;
    let begin = Instant::now();
    let run = Command::new(http::program()?)
        .args(["simulate-plan", "--people", PEOPLE, "--lang", "en"])
        .args([&old, &new])
        .output()?;
    let seconds = begin.elapsed().as_secs_f64();
    let (said, err) = (String::from_utf8(run.stdout)?, String::from_utf8_lossy(&run.stderr));
    ensure!(run.status.success(), "the simulation was refused: {err}");
    let bills = said.lines().chain(err.lines()).find_map(|line| {
        line.split_once(" bills under two plans")?.0.replace(',', "").parse().ok()
    });
    let bills: f64 = bills.context("the simulation did not say how many bills it took")?;
    let name = "simulate_plan/1m_bills";
    figures.note(name, seconds * 1e6 / bills, "s", Bar::AtMost(60.0));
    Ok(())
}
