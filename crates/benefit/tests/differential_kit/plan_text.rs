//! Random plans that use every operator and every feature of allowances, as TOML text. Both sides
//! read the same text.

use super::{plan_condition::condition, plan_step, random::Random};
use benefit::word::{Category, Payer, VisitType};
use primitives::Currency;
use std::fmt::Write;

/// A running amount of a random plan.
#[derive(Clone, Debug)]
pub struct Running {
    pub id: &'static str,
    pub number: u64,
    pub scope: &'static str,
    pub period: &'static str,
    pub per_slot: bool,
    pub counts: &'static str,
}

/// What a random plan has that its steps may name.
#[derive(Clone)]
pub struct Frame {
    pub currency: Currency,
    pub split: &'static str,
    pub year_starts: &'static str,
    pub visit_types: Vec<VisitType>,
    pub running: Vec<Running>,
    /// Name, and whether it is `per_slot`.
    pub groups: Vec<(&'static str, bool)>,
    group_text: String,
}

/// The names that every random plan numbers.
pub const SLOT_GROUPS: [&str; 3] = ["class_1", "class_2", "class_3"];
pub const PROGRAMMES: [&str; 2] = ["tuberculosis", "rehabilitation"];
pub const INCOME_CLASSES: [&str; 3] = ["low", "middle", "high"];
pub const DIAGNOSIS_GROUPS: [&str; 3] = ["group_1", "group_2", "group_3"];

const RUNNING: &[(&str, &str, &str, bool, &str)] = &[
    ("visit_met", "person", "visit", false, "money"),
    ("visit_paid", "person", "visit", false, "money"),
    ("day_paid", "person", "day", false, "money"),
    ("month_paid", "person", "month", false, "money"),
    ("month_borne", "person", "month", false, "money"),
    ("month_charged", "person", "month", false, "money"),
    ("reached", "person", "month", false, "times"),
    ("slot_reached", "person", "month", true, "times"),
    ("family_reached", "family", "month", false, "times"),
    ("year_met", "person", "year", false, "money"),
    ("year_paid", "person", "year", false, "money"),
    ("year_borne", "person", "year", false, "money"),
    ("burden", "person", "year", false, "money"),
    ("life_paid", "person", "lifetime", false, "money"),
    ("slot_paid", "person", "year", true, "money"),
    ("slot_month", "person", "month", true, "money"),
    ("slot_visit", "person", "visit", true, "money"),
    ("family_met", "family", "year", false, "money"),
    ("family_month", "family", "month", false, "money"),
    ("family_slot", "family", "year", true, "money"),
    ("stays", "person", "year", false, "visits"),
    ("life_visits", "person", "lifetime", false, "visits"),
    ("family_stays", "family", "year", false, "visits"),
];

impl Frame {
    /// What the plans of one scheme have in common, also from year to year.
    pub fn new(random: &mut Random) -> Self {
        let currency = *random.pick(&[Currency::CNY, Currency::CNY, Currency::JPY, Currency::USD]);
        let split = *random.pick(&["year", "month", "day", "never"]);
        let all = VisitType::ALL;
        let mut running = Vec::new();
        for (number, &(id, scope, period, per_slot, counts)) in (1..).zip(RUNNING) {
            // Section 4 of the guide: plans with monthly or daily amounts cut stays there.
            let fits = match period {
                "day" => split == "day",
                "month" => split == "day" || split == "month",
                _ => true,
            };
            if fits {
                running.push(Running { id, number: number * 7, scope, period, per_slot, counts });
            }
        }
        let (groups, group_text) = groups(random);
        Self {
            currency,
            split,
            year_starts: *random.pick(&["01-01", "01-01", "04-01", "07-15", "12-31"]),
            visit_types: random.some(all, 2, 5),
            running,
            groups,
            group_text,
        }
    }

    /// The names of running amounts of this kind; those per slot only where a step may use them.
    pub fn named(&self, counts: &str, per_slot: bool) -> Vec<&'static str> {
        let fits = |one: &&Running| one.counts == counts && (per_slot || !one.per_slot);
        self.running.iter().filter(fits).map(|one| one.id).collect()
    }

    /// The names of running amounts of money that every person has.
    pub fn own(&self, per_slot: bool) -> Vec<&'static str> {
        let names = self.named("money", per_slot);
        let own = |one: &&Running| one.scope == "person" && names.contains(&one.id);
        self.running.iter().filter(own).map(|one| one.id).collect()
    }
}

fn groups(random: &mut Random) -> (Vec<(&'static str, bool)>, String) {
    let (mut groups, mut text) = (Vec::new(), String::new());
    for id in ["chronic", "programme", "dental", "by_class"] {
        if !random.chance(55) {
            continue;
        }
        let conditions = match (id, random.below(3)) {
            ("chronic", 0) => format!("slot_groups = {:?}\n", random.some(&SLOT_GROUPS, 1, 2)),
            ("chronic", _) => String::from("with_slot = true\n"),
            ("programme", 0) => format!("programmes = {:?}\nwith_slot = true\n", PROGRAMMES),
            ("programme", 1) => format!("programmes = {:?}\n", random.some(&PROGRAMMES, 1, 2)),
            ("programme", _) => format!("programmes = {:?}\nwith_slot = false\n", PROGRAMMES),
            ("dental", _) => {
                let words: Vec<&str> =
                    random.some(Category::ALL, 3, 9).iter().map(|word| word.name()).collect();
                format!("categories = {words:?}\n")
            }
            _ => format!("classes = {:?}\n", random.some(&["A", "B", "C"], 1, 2)),
        };
        let per_slot = random.chance(if id == "chronic" { 85 } else { 30 });
        write!(text, "[[group]]\nid = {id:?}\nper_slot = {per_slot}\n{conditions}\n").unwrap();
        groups.push((id, per_slot));
    }
    (groups, text)
}

/// A whole plan that holds from `from` to `to`.
pub fn plan(frame: &Frame, id: &str, from: &str, to: Option<&str>, random: &mut Random) -> String {
    let mut text = head(frame, id, from, to, random);
    for one in &frame.running {
        write!(
            text,
            "[[accumulator]]\nid = {:?}\nnumber = {}\nscope = {:?}\nperiod = {:?}\nper_slot = {}\n\
             counts = {:?}\n\n",
            one.id, one.number, one.scope, one.period, one.per_slot, one.counts
        )
        .unwrap();
    }
    text.push_str(&frame.group_text);
    let mut earlier = Vec::new();
    let count = random.between(2, 9);
    for number in 0..count {
        let step = plan_step::step(frame, number, &earlier, random);
        text.push_str(&step.text);
        earlier.push(step);
    }
    text
}

fn head(frame: &Frame, id: &str, from: &str, to: Option<&str>, random: &mut Random) -> String {
    let visit_types: Vec<&str> = frame.visit_types.iter().map(|word| word.name()).collect();
    let to = to.map_or_else(String::new, |to| format!(", to = {to:?}"));
    let split = match frame.split {
        "month" if random.chance(20) => "day",
        "year" | "never" if random.chance(40) => random.pick(&["never", "year", "month", "day"]),
        split => split,
    };
    let year_starts = if random.chance(15) { "10-01" } else { frame.year_starts };
    let mut text = format!(
        "[plan]\nid = {id:?}\nname = {{ en = \"Random\" }}\nregion = 999900\nscheme = 310\n\
         currency = {:?}\nvalid = {{ from = {from:?}{to} }}\nyear_starts = {year_starts:?}\n\
         split_stay = {split:?}\nvisit_types = {visit_types:?}\n",
        frame.currency.code(),
    );
    if random.chance(60) {
        writeln!(text, "rounding = {}", rounding(frame.currency, random)).unwrap();
    }
    let numbers = |names: &[&str]| {
        let rows: Vec<String> =
            (1..).zip(names).map(|(number, name)| format!("{name} = {number}")).collect();
        format!("{{ {} }}", rows.join(", "))
    };
    for (field, names) in [
        ("income_classes", &INCOME_CLASSES[..]),
        ("slot_groups", &SLOT_GROUPS[..]),
        ("diagnosis_groups", &DIAGNOSIS_GROUPS[..]),
        ("programmes", &PROGRAMMES[..]),
    ] {
        writeln!(text, "{field} = {}", numbers(names)).unwrap();
    }
    text.push('\n');
    text
}

/// A rounding with any of its fields.
pub fn rounding(currency: Currency, random: &mut Random) -> String {
    let mut fields = Vec::new();
    if random.chance(70) {
        let mode = random.pick(&["half_up", "floor", "ceiling", "half_even"]);
        fields.push(format!("mode = {mode:?}"));
    }
    if random.chance(60) {
        fields.push(format!("at = {:?}", random.pick(&["tier", "once"])));
    }
    if random.chance(60) {
        fields.push(format!("of = {:?}", random.pick(&["benefit", "person"])));
    }
    if random.chance(35) {
        let units: &[&str] =
            if currency.scale() == 0 { &["1", "10", "7"] } else { &["0.01", "0.1", "1", "0.05"] };
        fields.push(format!("unit = {:?}", random.pick(units)));
    }
    format!("{{ {} }}", fields.join(", "))
}

/// `when = { ... }, ` or nothing.
pub fn when(frame: &Frame, per_slot: bool, percent: u64, random: &mut Random) -> String {
    if !random.chance(percent) {
        return String::new();
    }
    format!("when = {{ {} }}, ", condition(frame, per_slot, random))
}

/// A payer.
pub fn payer(random: &mut Random) -> &'static str {
    if random.chance(40) { "pooled_fund" } else { random.pick(Payer::ALL).name() }
}
