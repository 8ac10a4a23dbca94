//! Schemes under test: the plans of a folder, or random plans of two years, with their catalogues.

use super::{
    plan_text::{self, Frame},
    random::Random,
};
use crate::common;
use benefit::{
    Catalogue, Plan,
    source::{CatalogueSource, PlanSource},
    word::{Category, HospitalLevel, Sex, VisitType},
};
use primitives::Currency;
use std::{fmt::Write, path::Path};

/// A plan file: its text, and what the engine read from it.
pub struct PlanFile {
    pub text: String,
    pub source: PlanSource,
    pub plan: Plan,
}

/// A catalogue file likewise.
pub struct CatalogueFile {
    pub text: String,
    pub source: CatalogueSource,
    pub catalogue: Catalogue,
}

/// Plans that follow each other, and a catalogue for bills by lines.
pub struct Scheme {
    pub name: String,
    pub plans: Vec<PlanFile>,
    pub catalogue: CatalogueFile,
}

impl Scheme {
    pub fn currency(&self) -> Currency {
        self.plans[0].plan.currency()
    }

    /// The scheme of a folder; `None` when it has no plan.
    pub fn of_folder(folder: &Path, random: &mut Random) -> Option<Self> {
        let files = common::files(folder, "toml");
        let texts: Vec<String> = files
            .iter()
            .filter(|path| common::is_plan(path))
            .map(|path| common::read(path))
            .collect();
        let plans: Vec<PlanFile> = texts
            .into_iter()
            .map(|text| plan_file(text).unwrap_or_else(|error| panic!("{folder:?}: {error}")))
            .collect();
        let currency = plans.first()?.plan.currency();
        let own = folder.join("catalogue.toml");
        let text = if own.is_file() && random.chance(50) {
            common::read(&own)
        } else {
            catalogue_text(currency, random)
        };
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        Some(Self { name, plans, catalogue: catalogue_file(text).unwrap() })
    }

    /// Random plans: one year, or two that follow each other.
    ///
    /// # Errors
    /// The text of a plan that the engine refuses, and why.
    pub fn random(random: &mut Random) -> Result<Self, (String, String)> {
        let frame = Frame::new(random);
        let years: &[(&str, Option<&str>)] = match random.below(3) {
            0 => &[("2025-01-01", None)],
            1 => &[("2025-01-01", Some("2025-12-31")), ("2026-01-01", None)],
            _ => &[("2024-06-01", Some("2025-03-31")), ("2025-04-01", Some("2026-03-31"))],
        };
        let mut plans = Vec::new();
        for (from, to) in years {
            let text = plan_text::plan(&frame, &format!("random-{from}"), from, *to, random);
            plans.push(plan_file(text.clone()).map_err(|error| (text, error))?);
        }
        let catalogue = catalogue_file(catalogue_text(frame.currency, random)).unwrap();
        Ok(Self { name: String::from("random"), plans, catalogue })
    }
}

/// Reads a plan's text.
///
/// # Errors
/// Why the engine refuses it.
pub fn plan_file(text: String) -> Result<PlanFile, String> {
    let (source, plan) = common::load(&text)?;
    Ok(PlanFile { text, source, plan })
}

/// Reads a catalogue's text.
///
/// # Errors
/// Why the engine refuses it.
pub fn catalogue_file(text: String) -> Result<CatalogueFile, String> {
    let source: CatalogueSource = toml::from_str(&text).map_err(|error| error.to_string())?;
    let catalogue = Catalogue::compile(&source).map_err(|error| error.to_string())?;
    Ok(CatalogueFile { text, source, catalogue })
}

/// The names of diagnosis groups that random catalogues and visits use.
pub const DIAGNOSES: [&str; 3] = ["hypertension", "diabetes", "asthma"];

/// A random catalogue with every field of section 13 of the guide.
fn catalogue_text(currency: Currency, random: &mut Random) -> String {
    let rounding = random.pick(&["half_up", "floor", "ceiling", "half_even"]);
    let unlisted = random.pick(&["A", "C"]);
    let mut text = format!(
        "[catalogue]\nid = \"random\"\nregion = 999900\ncurrency = {:?}\nrounding = {rounding:?}\n\
         unlisted = {unlisted:?}\n\n",
        currency.code()
    );
    for number in 0..random.between(3, 9) {
        let spans: &[&str] = match random.below(3) {
            0 => &["{ from = \"2010-01-01\" }"],
            1 => &["{ from = \"2010-01-01\", to = \"2025-06-30\" }", "{ from = \"2025-07-15\" }"],
            _ => &["{ from = \"2020-01-01\", to = \"2026-02-28\" }"],
        };
        for span in spans {
            item(&mut text, number, span, random);
        }
    }
    text
}

fn item(text: &mut String, number: u64, span: &str, random: &mut Random) {
    let class = *random.pick(&["A", "B", "B", "C"]);
    let category = random.pick(Category::ALL).name();
    write!(
        text,
        "[[item]]\ncode = \"X{number}\"\nname = \"random\"\nvalid = {span}\nclass = {class:?}\n\
         category = {category:?}\n"
    )
    .unwrap();
    if class == "B" {
        writeln!(text, "share = {:?}", random.rate()).unwrap();
    }
    if random.chance(50) {
        let mut rows = Vec::new();
        for _ in 0..random.below(3) {
            let levels: Vec<&str> =
                random.some(HospitalLevel::ALL, 1, 3).iter().map(|word| word.name()).collect();
            rows.push(format!("{{ hospital_levels = {levels:?}, price = {:?} }}", price(random)));
        }
        rows.push(format!("{{ price = {:?} }}", price(random)));
        writeln!(text, "price_caps = [{}]", rows.join(", ")).unwrap();
    }
    if random.chance(40) {
        let rows: Vec<String> = (0..random.between(1, 2)).map(|_| limited_use(random)).collect();
        writeln!(text, "limited_use = [{}]", rows.join(", ")).unwrap();
    }
    text.push('\n');
}

fn price(random: &mut Random) -> String {
    match random.below(6) {
        0 => String::from("none"),
        1 => format!("{}.{:06}", random.below(50), random.below(1_000_000)),
        _ => random.below(500).to_string(),
    }
}

fn limited_use(random: &mut Random) -> String {
    let mut fields = Vec::new();
    if random.chance(50) {
        let words: Vec<&str> =
            random.some(VisitType::ALL, 4, 12).iter().map(|word| word.name()).collect();
        fields.push(format!("visit_types = {words:?}"));
    }
    if random.chance(40) {
        fields.push(format!("diagnosis_groups = {:?}", random.some(&DIAGNOSES, 1, 2)));
    }
    if random.chance(30) {
        let from = random.below(6) * 10;
        fields.push(format!("age_from = {from}, age_below = {}", from + 40));
    }
    if fields.is_empty() || random.chance(30) {
        fields.push(format!("sexes = [{:?}]", random.pick(Sex::ALL).name()));
    }
    format!("{{ {} }}", fields.join(", "))
}
