//! The table and the file that a run leaves behind.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// What a figure is held against.
#[derive(Clone, Copy)]
pub enum Bar {
    /// It should be at least this.
    AtLeast(f64),
    /// It should be at most this.
    AtMost(f64),
    /// It is told, not judged.
    Told,
}

#[derive(Serialize)]
struct Figure {
    name: String,
    value: f64,
    unit: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    bar: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_reached: Option<bool>,
}

/// The figures of a run, in the order in which they were taken.
#[derive(Default)]
pub struct Figures {
    conditions: Map<String, Value>,
    figures: Vec<Figure>,
}

impl Figures {
    /// Notes under which conditions all figures were taken.
    pub fn condition(&mut self, name: &str, value: impl Into<Value>) {
        self.conditions.insert(name.to_owned(), value.into());
    }

    /// Notes a figure under a stable name and prints it.
    pub fn note(&mut self, name: &str, value: f64, unit: &'static str, bar: Bar) {
        let (words, is_reached) = match bar {
            Bar::AtLeast(least) => {
                (Some(format!("at least {}", shown(least))), Some(value >= least))
            }
            Bar::AtMost(most) => (Some(format!("at most {}", shown(most))), Some(value <= most)),
            Bar::Told => (None, None),
        };
        let verdict = match (&words, is_reached) {
            (Some(words), Some(true)) => format!("reached ({words})"),
            (Some(words), _) => format!("NOT reached ({words})"),
            (None, _) => String::new(),
        };
        println!("  {name:<58} {:>14} {unit:<14} {verdict}", shown(value));
        let name = name.to_owned();
        self.figures.push(Figure { name, value, unit, bar: words, is_reached });
    }

    /// The figure of this name, once it was noted.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<f64> {
        self.figures.iter().find(|figure| figure.name == name).map(|figure| figure.value)
    }

    /// Notes a ratio of two figures, where both are there.
    pub fn ratio(&mut self, name: &str, of: &str, to: &str, bar: Bar) {
        if let (Some(of), Some(to)) = (self.get(of), self.get(to)) {
            self.note(name, of / to, "x", bar);
        }
    }

    /// Writes the report, and says how many bars were reached.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let judged = self.figures.iter().filter_map(|figure| figure.is_reached);
        let (reached, all) =
            judged.fold((0, 0), |(reached, all), one| (reached + i32::from(one), all + 1));
        println!(
            "\n{} figures; {reached} of {all} bars reached; {}",
            self.figures.len(),
            path.display()
        );
        let report = json!({ "conditions": self.conditions, "figures": self.figures });
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        }
        let text = serde_json::to_string_pretty(&report)?;
        fs::write(path, text).with_context(|| path.display().to_string())
    }
}

fn shown(value: f64) -> String {
    match value.abs() {
        large if large >= 100.0 => format!("{value:.0}"),
        middle if middle >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}
