//! Random steps for random plans: every operator of section 10 of the guide.

use super::{
    plan_allowance::{Use, allowance, allowances},
    plan_condition::condition,
    plan_text::{Frame, payer, rounding, when},
    random::Random,
};
use std::fmt::Write;

/// A step that later steps may refer to.
pub struct Step {
    pub id: String,
    pub text: String,
}

const KINDS: &[&str] = &[
    "benefit",
    "benefit",
    "benefit",
    "benefit",
    "benefit",
    "fixed",
    "copay",
    "limit",
    "limit",
    "personal_account",
    "family_account",
    "count",
    "count",
];

/// A random step after these earlier ones.
pub fn step(frame: &Frame, number: u64, earlier: &[Step], random: &mut Random) -> Step {
    let kind = *random.pick(KINDS);
    let id = format!("{kind}_{number}");
    let slot_groups: Vec<&str> =
        frame.groups.iter().filter(|group| group.1).map(|group| group.0).collect();
    let counts_visit = kind == "count" && random.chance(60);
    let per_slot = !slot_groups.is_empty() && !counts_visit && random.chance(25);
    let mut text = format!("[[step]]\nid = {id:?}\nkind = {kind:?}\nper_slot = {per_slot}\n");
    if kind != "count" {
        text.push_str("words = { en = \"random\" }\nsource = \"random\"\n");
    }
    if random.chance(30) {
        writeln!(text, "when = {{ {} }}", condition(frame, per_slot, random)).unwrap();
    }
    if random.chance(30) {
        writeln!(text, "rounding = {}", rounding(frame.currency, random)).unwrap();
    }
    if !counts_visit && (per_slot || random.chance(60)) {
        let groups = per_slot.then_some(&slot_groups[..]);
        writeln!(text, "base = {}", base(frame, kind, groups, earlier, random)).unwrap();
    }
    let fields = match kind {
        "benefit" => benefit(frame, per_slot, random),
        "fixed" | "copay" => format!(
            "payer = {:?}\namount = {}\n",
            payer(random),
            allowance(frame, per_slot, Use::Amount, random)
        ),
        "limit" => limit(frame, per_slot, random),
        "count" => count(frame, counts_visit, per_slot, random),
        _ => String::new(),
    };
    text.push_str(&fields);
    if kind != "count" {
        text.push_str(&allowances("caps", frame, per_slot, 50, random));
    }
    text.push('\n');
    Step { id, text }
}

fn base(
    frame: &Frame,
    kind: &str,
    per_slot: Option<&[&str]>,
    earlier: &[Step],
    random: &mut Random,
) -> String {
    let parts = ["in_policy", "class_b_share", "over_cap", "self_paid"];
    let mut fields = Vec::new();
    if random.chance(60) {
        let mut parts = random.some(&parts, 1, 4);
        if random.chance(20) {
            parts.reverse();
        }
        fields.push(format!("parts = {parts:?}"));
    }
    let all: Vec<&str> =
        frame.groups.iter().map(|group| group.0).chain(std::iter::once("rest")).collect();
    match per_slot {
        Some(groups) => fields.push(format!("groups = {:?}", random.some(groups, 1, 3))),
        None if random.chance(40) => {
            fields.push(format!("groups = {:?}", random.some(&all, 1, 4)));
        }
        None => {}
    }
    if !earlier.is_empty() && random.chance(20) {
        let (step, least) = (random.pick(earlier), random.money(frame.currency));
        fields
            .push(format!("groups_with = {{ left_after = {:?}, at_least = {least:?} }}", step.id));
    }
    fields.extend(of_and_less(kind, per_slot.is_some(), earlier, random));
    format!("{{ {} }}", fields.join(", "))
}

fn of_and_less(
    kind: &str,
    per_slot: bool,
    earlier: &[Step],
    random: &mut Random,
) -> Option<String> {
    let number = |random: &mut Random| {
        let number = random.pick(&["deductible", "self_share", "cut", "paid"]);
        format!("{number}:{}", random.pick(earlier).id)
    };
    let named = !per_slot && !earlier.is_empty();
    match random.below(8) {
        0 if kind != "limit" => Some(String::from("of = \"charged\"")),
        1 | 2 if kind != "limit" && named => Some(format!("of = {:?}", number(random))),
        3 | 4 if named => {
            let less: Vec<String> = (0..random.between(1, 2)).map(|_| number(random)).collect();
            Some(format!("less = {less:?}"))
        }
        5 => Some(String::from("of = \"left\"")),
        _ => None,
    }
}

fn benefit(frame: &Frame, per_slot: bool, random: &mut Random) -> String {
    let mut text = format!("payer = {:?}\n", payer(random));
    if random.chance(20) {
        writeln!(text, "reports_deductible = {}", random.chance(50)).unwrap();
    }
    let has_tiers = random.chance(50);
    let mut rows = Vec::new();
    for _ in 0..random.below(3) {
        let when = when(frame, per_slot, 100, random);
        rows.push(format!("{{ {when}{} }}", rates(frame, has_tiers, random)));
    }
    rows.push(format!("{{ {} }}", rates(frame, has_tiers, random)));
    writeln!(text, "rates = [{}]", rows.join(", ")).unwrap();
    let position = random.chance(if has_tiers { 60 } else { 10 });
    if has_tiers || (position && random.chance(50)) {
        writeln!(text, "reading = {:?}", random.pick(&["absolute", "on_excess"])).unwrap();
    }
    if position {
        writeln!(text, "position = {:?}", random.pick(&frame.named("money", per_slot))).unwrap();
    }
    let mut changes = Vec::new();
    for _ in 0..random.below(4) {
        let when = when(frame, per_slot, 75, random);
        let change = match random.below(4) {
            0 => format!("add = {:?}", random.rate()),
            1 => format!("less = {:?}", random.rate()),
            2 => format!("factor = {:?}", random.factor()),
            _ => format!("self_share_factor = {:?}", random.factor()),
        };
        changes.push(format!("{{ {when}{change} }}"));
    }
    if !changes.is_empty() {
        writeln!(text, "rate_changes = [{}]", changes.join(", ")).unwrap();
    }
    text.push_str(&allowances("base_caps", frame, per_slot, 30, random));
    text.push_str(&allowances("deductibles", frame, per_slot, 60, random));
    text
}

/// `rate = ...`, or `tiers = [...]` with ascending bounds.
fn rates(frame: &Frame, has_tiers: bool, random: &mut Random) -> String {
    if !has_tiers || random.chance(20) {
        return format!("rate = {:?}", random.rate());
    }
    let mut bounds = vec![0];
    for _ in 0..random.between(1, 4) {
        bounds.push(random.minor(frame.currency));
    }
    bounds.sort_unstable();
    bounds.dedup();
    let tiers: Vec<String> = bounds
        .into_iter()
        .map(|minor| {
            let above = primitives::Amount::from_minor(minor).to_decimal(frame.currency);
            format!("{{ above = {above:?}, rate = {:?} }}", random.rate())
        })
        .collect();
    format!("tiers = [{}]", tiers.join(", "))
}

fn limit(frame: &Frame, per_slot: bool, random: &mut Random) -> String {
    let mut text = format!("payer = {:?}\n", payer(random));
    let limits: Vec<String> =
        (0..random.between(1, 3)).map(|_| allowance(frame, per_slot, Use::Limit, random)).collect();
    writeln!(text, "limits = [{}]", limits.join(", ")).unwrap();
    if random.chance(50) {
        let counts = random.pick(&frame.named("money", per_slot)).to_string();
        writeln!(text, "charged_counts = {counts:?}").unwrap();
    }
    let monthly = frame.named("times", per_slot);
    if !monthly.is_empty() && random.chance(50) {
        writeln!(text, "reached_counts = {:?}", random.pick(&monthly)).unwrap();
    }
    text
}

fn count(frame: &Frame, visit: bool, per_slot: bool, random: &mut Random) -> String {
    if visit {
        let into = *random.pick(&frame.named("visits", per_slot));
        return format!("what = \"visit\"\ninto = {into:?}\n");
    }
    let what = if random.chance(50) { "what = \"money\"\n" } else { "" };
    format!("{what}into = {:?}\n", random.pick(&frame.named("money", per_slot)))
}
