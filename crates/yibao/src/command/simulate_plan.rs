//! `yibao simulate-plan`: what a changed plan would have cost, on old bills, before it is
//! published.
//!
//! The very bytes that were simulated are the ones whose hashes are printed and, with `--draft`,
//! written into the body of `draft_plan`; `yibao tx show` prints the same hashes for those who
//! review and approve it.

use std::fs;
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use benefit::source::text::in_language;
use benefit::source::{CatalogueSource, PlanSource};
use benefit::{Catalogue, Plan, compile};
use clap::Args;
use gateway::problem::Language;
use ledger::modules::plan::{DraftPlan, PlanBytes};
use primitives::{Hash, codec, sha256};

use super::input::{BadInput, bad, parse_toml, read_text, read_toml};
use super::language::language;
use crate::simulation::picture::Caption;
use crate::simulation::report::Figures;
use crate::simulation::source::{BillFile, History, MadeUp, Source};
use crate::simulation::tally::Tally;
use crate::simulation::{Plans, csv, picture, report, simulate};

/// A plan file is some tens of kilobytes.
const PLAN_BYTES_MAX: u64 = 4 << 20;
/// A catalogue may hold all drugs of a country.
const CATALOGUE_BYTES_MAX: u64 = 512 << 20;
/// How often progress is shown.
const PROGRESS: Duration = Duration::from_millis(500);

#[derive(Args)]
#[command(group = clap::ArgGroup::new("bills").required(true))]
pub struct SimulatePlan {
    /// The plan that holds, a TOML file.
    old: PathBuf,
    /// The plan that is to take its place, a TOML file.
    new: PathBuf,
    /// Take the settlements of a node's data folder; a node may work in it.
    #[arg(long, value_name = "FOLDER", group = "bills")]
    data: Option<PathBuf>,
    /// Take the bills of a file, one JSON document in each line.
    #[arg(long, value_name = "FILE", group = "bills")]
    records: Option<PathBuf>,
    /// Make up the bills of so many people for a year.
    #[arg(long, value_name = "COUNT", group = "bills",
          value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    people: Option<u64>,
    /// What the made-up people follow from; the same number gives the same people.
    #[arg(long, value_name = "NUMBER", default_value_t = 1, conflicts_with_all = ["data", "records"])]
    seed: u64,
    /// Write the figures as CSV.
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Write a picture as SVG.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Write the body of `draft_plan` for the new plan, as it was simulated; it must not exist yet.
    #[arg(long, value_name = "FILE", requires = "version")]
    draft: Option<PathBuf>,
    /// For --draft: the version's number, the next of the scheme.
    #[arg(long, value_name = "NUMBER", requires = "draft")]
    version: Option<u16>,
    /// For --draft: a version that the new plan takes over from; may be given several times.
    #[arg(long, value_name = "NUMBER", requires = "draft")]
    supersedes: Vec<u16>,
    /// The language of the report: zh-Hans, zh-Hant, en or de.
    #[arg(long, value_name = "LANGUAGE", value_parser = language)]
    lang: Option<Language>,
}

/// A plan with the file that it was read from.
struct Loaded {
    source: PlanSource,
    plan: Plan,
    file: Hash,
}

impl SimulatePlan {
    pub fn run(self) -> Result<ExitCode> {
        let language = self.lang.unwrap_or_else(super::language::of_environment);
        self.work(language).map_err(|error| failure(error, language))?;
        Ok(ExitCode::SUCCESS)
    }

    fn work(&self, language: Language) -> Result<()> {
        let (old, new) = (load(&self.old)?, load(&self.new)?);
        let plans = fitting(&old, &new)?;
        let draft = self.draft(&new)?;
        let figures = Figures::new(language, old.plan.currency());
        let mut bills = self.bills(&old.plan)?;
        let tally = with_progress(bills.as_mut(), plans, &figures)?;
        if tally.bills() == 0 {
            return Err(bad(
                "there is no bill to adjudicate; is it the right region and scheme, and the right folder or file?",
            ));
        }
        let table = csv::csv(&tally);
        let result = csv::hash(&table, old.plan.hash(), new.plan.hash());
        let lines = self.identity(&new, result, &figures);
        print!("{}", report::text(&tally, &figures));
        println!();
        lines.iter().for_each(|line| println!("{line}"));
        if let Some(file) = &self.csv {
            write(file, &table)?;
        }
        if let Some(file) = &self.svg {
            let title = Self::title(&old, &new, language);
            let tag = language.tag();
            let caption = Caption { title: &title, language: tag, lines: &lines };
            write(file, &picture::svg(&tally, &figures, &caption))?;
        }
        if let (Some(file), Some(draft)) = (&self.draft, draft) {
            write_new(file, &format!("{}\n", serde_json::to_string_pretty(&draft)?))?;
            let shown = file.display().to_string();
            println!("{}", figures.words.say("drafted", &[("file", &shown)]));
        }
        Ok(())
    }

    fn bills(&self, plan: &Plan) -> Result<Box<dyn Source>> {
        Ok(match (&self.data, &self.records, self.people) {
            (Some(data), _, _) => Box::new(History::open(data, plan)?),
            (_, Some(file), _) => Box::new(BillFile::open(file)?),
            (_, _, people) => {
                let people = usize::try_from(people.unwrap_or(1)).unwrap_or(usize::MAX);
                Box::new(MadeUp::new(people, self.seed, plan)?)
            }
        })
    }

    /// The body of `draft_plan`, before anything is simulated in vain.
    fn draft(&self, new: &Loaded) -> Result<Option<DraftPlan>> {
        let (Some(file), Some(version)) = (&self.draft, self.version) else { return Ok(None) };
        if file.exists() {
            let shown = file.display();
            return Err(bad(format!("`{shown}` exists already; name another file for --draft")));
        }
        let named = new.source.plan.catalogue.as_deref().unwrap_or("catalogue.toml");
        let path = self.new.with_file_name(named);
        let catalogue: CatalogueSource = read_toml("the catalogue", &path, CATALOGUE_BYTES_MAX)?;
        let catalogue = Catalogue::compile(&catalogue)
            .map_err(|error| bad(format!("the catalogue `{}`: {error}", path.display())))?;
        Ok(Some(DraftPlan {
            region: new.plan.region(),
            scheme: new.plan.scheme(),
            version,
            plan: PlanBytes(codec::encode(&new.plan)),
            catalogue_root: catalogue.hash(),
            supersedes: self.supersedes.clone(),
        }))
    }

    /// What identifies the simulation: the file, the plan that the ledger will keep, the result.
    fn identity(&self, new: &Loaded, result: Hash, figures: &Figures) -> Vec<String> {
        let words = figures.words;
        let (file, plan) = (new.file.to_string(), new.plan.hash().to_string());
        let mut lines = vec![
            words.say("file", &[("hash", &file)]),
            words.say("plan", &[("hash", &plan)]),
            words.say("result", &[("hash", &result.to_string())]),
        ];
        if let Some(people) = self.people {
            let (people, seed) = (figures.count(people), self.seed.to_string());
            lines.push(words.say("made_up", &[("people", &people), ("seed", &seed)]));
        }
        lines
    }

    fn title(old: &Loaded, new: &Loaded, language: Language) -> String {
        let name = |one: &Loaded| in_language(&one.source.plan.name, language.tag()).to_owned();
        format!("{} → {}", name(old), name(new))
    }
}

fn load(file: &Path) -> Result<Loaded> {
    let text = read_text("the plan", file, PLAN_BYTES_MAX)?;
    let source: PlanSource = parse_toml("the plan", file, &text)?;
    let hash = sha256(text.as_bytes());
    let plan = compile(&source, hash)
        .map_err(|error| bad(format!("the plan `{}`: {error}", file.display())))?;
    Ok(Loaded { source, plan, file: hash })
}

/// Both plans are of one scheme.
fn fitting<'a>(old: &'a Loaded, new: &'a Loaded) -> Result<Plans<'a>> {
    let place = |plan: &Plan| (plan.currency(), plan.region(), plan.scheme());
    if place(&old.plan) != place(&new.plan) {
        return Err(bad(
            "the plans differ in `currency`, `region` or `scheme`; compare two plans of one scheme",
        ));
    }
    Ok(Plans { old: &old.plan, new: &new.plan })
}

fn with_progress(bills: &mut dyn Source, plans: Plans<'_>, figures: &Figures) -> Result<Tally> {
    let is_terminal = std::io::stderr().is_terminal();
    let started = Instant::now();
    let mut shown = started;
    let tally = simulate(bills, plans, |count| {
        if shown.elapsed() < PROGRESS * if is_terminal { 1 } else { 20 } {
            return;
        }
        shown = Instant::now();
        let end = if is_terminal { "\r" } else { "\n" };
        eprint!("{}{end}", figures.words.say("progress", &[("bills", &figures.count(count))]));
        let _ = std::io::stderr().flush();
    })?;
    let seconds = started.elapsed().as_secs_f64();
    let (bills, seconds) = (figures.count(tally.bills()), format!("{seconds:.1}"));
    eprintln!("{}", figures.words.say("done", &[("bills", &bills), ("seconds", &seconds)]));
    Ok(tally)
}

fn write(file: &Path, text: &str) -> Result<()> {
    fs::write(file, text).with_context(|| format!("`{}` cannot be written", file.display()))
}

fn write_new(file: &Path, text: &str) -> Result<()> {
    let mut new = fs::File::create_new(file)
        .with_context(|| format!("`{}` cannot be written", file.display()))?;
    new.write_all(text.as_bytes())
        .with_context(|| format!("`{}` cannot be written", file.display()))
}

/// How the sentences of input errors begin or what they hold, with the key of the words for readers
/// of other languages. The first that fits counts.
const FAILURES: &[(&str, &str)] = &[
    ("the plan `", "plan"),
    ("the plans differ", "plans"),
    ("the catalogue `", "catalogue"),
    ("the bills `", "bills"),
    ("of the bills `", "bills"),
    ("there is no history", "data"),
    ("there is no bill", "none"),
    ("the made-up people", "made_up"),
    ("name another file", "exists"),
];

/// An input error for readers of the language: what is wrong and what to do, then the place and the
/// detail, which are in the words of the file's own fields.
fn failure(error: anyhow::Error, language: Language) -> anyhow::Error {
    if !error.is::<BadInput>() {
        return error;
    }
    let detail = error.to_string();
    let known = FAILURES.iter().find(|(inside, _)| detail.contains(inside));
    let words = known.and_then(|(_, key)| report::words(language).failure(key));
    words.map_or(error, |words| bad(format!("{words} {detail}")))
}
