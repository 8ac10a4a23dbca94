//! The same settlement as a stored procedure in PostgreSQL, on the same machine in the same run.
//!
//! PostgreSQL checks no signatures, keeps no state root and gives no proof; it is told because it
//! is what a region would otherwise build on.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::figures::{Bar, Figures};

/// Runs the peer with its default settings and, unless it is to be quick, tuned.
///
/// # Errors
/// When its invariants do not hold afterwards.
pub fn measure(figures: &mut Figures, people: u64, is_quick: bool) -> Result<()> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("postgres/run.sh");
    for (name, tuned) in [("default", "0"), ("tuned", "1")] {
        if is_quick && tuned == "1" {
            continue;
        }
        let output = Command::new(&script)
            .env("PERSONS", people.to_string())
            .env("TUNED", tuned)
            .env("RUN_S", if is_quick { "3" } else { "8" })
            .output()
            .with_context(|| script.display().to_string())?;
        let text = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            let words = String::from_utf8_lossy(&output.stderr);
            println!("  PostgreSQL ({name}) was not measured: {}", words.trim());
            return Ok(());
        }
        if let Some(settings) = text.lines().find(|line| line.starts_with("postgres=")) {
            figures.condition(&format!("postgres/{name}"), settings);
        }
        let mut best = [0.0_f64; 2];
        for line in text.lines().filter(|line| line.starts_with("funds=")) {
            let word = |name: &str| -> Result<f64> {
                let found = line.split_whitespace().find_map(|word| word.strip_prefix(name));
                found.context(line.to_owned())?.parse().context(line.to_owned())
            };
            let place = usize::from(word("funds=")? < 2.0);
            best[place] = best[place].max(word("settlements_per_s=")?);
        }
        if let Some(wrong) =
            text.lines().find(|line| line.starts_with("check:") && line.ends_with("| f"))
        {
            bail!("PostgreSQL's own books do not agree: {wrong}");
        }
        for (kind, value) in ["20_funds", "hot_fund"].into_iter().zip(best) {
            let name = format!("postgres/{name}/{kind}/settlements");
            figures.note(&name, value, "settlements/s", Bar::Told);
        }
    }
    Ok(())
}
