//! From a plan as people write it to its compiled form: names become numbers, conditions become
//! masks, decimals become minor units. What cannot be said any more by then is refused with the
//! place in the file.

mod names;
mod table;

pub(crate) use names::Names;

use alloc::{collections::BTreeMap, format, string::String, vec::Vec};
use primitives::{CivilDate, Detail, Hash};

use crate::{
    example,
    plan::{
        Base, BaseOf, Content, Counted, Group, PLAN_FORMAT, Plan, PlanAccumulator, PlanError, Span,
        Split, Step, StepRounding,
    },
    rule::Rule,
    source::{
        AccumulatorSource, BaseSource, Counts, GroupSource, Part, PeriodSource, PlanSource,
        RoundAt, RoundOf, RoundingSource, SplitStay, StepSource,
    },
};

fn error(place: impl Into<Detail>, message: impl Into<Detail>) -> PlanError {
    PlanError { step: None, place: Some(place.into()), message: message.into() }
}

/// Compiles a plan, checks it and runs its examples. `source_hash` is the SHA-256 of the file.
///
/// # Errors
/// The first thing that is wrong, with its place in the file; or the first example that does not
/// come out, with what every step gave.
pub fn compile(source: &PlanSource, source_hash: Hash) -> Result<Plan, PlanError> {
    let plan = compile_without_examples(source, source_hash)?;
    let mut content = plan.content;
    let bare = Plan { content: content.clone() };
    for one in &source.example {
        let place = format!("example `{}`", one.id);
        let compiled = example::compile(one, source, &bare);
        content.examples.push(compiled.map_err(|message| error(place, message))?);
    }
    let plan = Plan::new(content).map_err(|error| named(error, source))?;
    for (example, one) in plan.content.examples.iter().zip(&source.example) {
        let failed = example::run(&plan, example, &|step| step_name(source, step));
        failed.map_err(|mistake| error(format!("example `{}`", one.id), mistake.in_full()))?;
    }
    Ok(plan)
}

/// Compiles and checks a plan without its examples.
pub(crate) fn compile_without_examples(
    source: &PlanSource,
    source_hash: Hash,
) -> Result<Plan, PlanError> {
    check_names(source)?;
    let mut names = Names::new(source);
    let accumulators = source.accumulator.iter().map(accumulator).collect();
    let groups = groups(source, &names)?;
    let steps = steps(source, &mut names)?;
    let head = &source.plan;
    let year_starts = CivilDate::from_ymd_text(&head.year_starts);
    let content = Content {
        format: PLAN_FORMAT,
        id: head.id.clone(),
        region: head.region,
        scheme: head.scheme,
        currency: head.currency,
        valid: head.valid,
        year_starts: year_starts
            .ok_or_else(|| error("`plan`", "`year_starts` must be as `01-01`"))?,
        split: match head.split_stay {
            SplitStay::Never => Split::Never,
            SplitStay::Year => Split::Year,
            SplitStay::Month => Split::Month,
            SplitStay::Day => Split::Day,
        },
        visit_types: head.visit_types.iter().fold(0, |all, word| all | word.bit()),
        programmes: names::bits32(head.programmes.values()),
        source: source_hash,
        accumulators,
        groups,
        conditions: names.into_conditions(),
        steps,
        examples: Vec::new(),
    };
    Plan::new(content).map_err(|error| named(error, source))
}

trait FromMonthDay {
    fn from_ymd_text(text: &str) -> Option<(u8, u8)>;
}

impl FromMonthDay for CivilDate {
    /// Month and day of `03-31`.
    fn from_ymd_text(text: &str) -> Option<(u8, u8)> {
        let day: Self = format!("2001-{text}").parse().ok()?;
        Some((day.month(), day.day()))
    }
}

/// The name of a step in the file.
pub(crate) fn step_name(source: &PlanSource, step: u8) -> String {
    source.step.get(usize::from(step)).map_or_else(String::new, |step| step.id.clone())
}

/// Puts the name of the step in the place of its number.
fn named(mut error: PlanError, source: &PlanSource) -> PlanError {
    if let Some(step) = error.step {
        error.place = Some(Detail::from(format!("step `{}`", step_name(source, step))));
    }
    error
}

fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-'
    };
    (1..=40).contains(&text.len()) && text.bytes().all(allowed)
}

/// Names are well formed and there once; texts that the explanation needs are there.
fn check_names(source: &PlanSource) -> Result<(), PlanError> {
    if source.plan.name.is_empty() {
        return Err(error("`plan`", "`name` is missing: say it in one language at least"));
    }
    let lists: [(&str, Vec<&str>); 4] = [
        ("accumulator", source.accumulator.iter().map(|one| one.id.as_str()).collect()),
        ("group", source.group.iter().map(|one| one.id.as_str()).collect()),
        ("step", source.step.iter().map(|one| one.id.as_str()).collect()),
        ("example", source.example.iter().map(|one| one.id.as_str()).collect()),
    ];
    for (kind, list) in lists {
        let mut seen = BTreeMap::new();
        for name in list {
            let place = format!("{kind} `{name}`");
            if !is_name(name) {
                return Err(error(place, "`id` must be 1 to 40 of a-z, 0-9, _ and -"));
            }
            if seen.insert(name, ()).is_some() || (kind == "group" && name == "rest") {
                return Err(error(place, "`id` is taken; choose another name"));
            }
        }
    }
    let head = &source.plan;
    for (field, names, most) in [
        ("income_classes", &head.income_classes, 31),
        ("slot_groups", &head.slot_groups, 63),
        ("diagnosis_groups", &head.diagnosis_groups, 63),
        ("programmes", &head.programmes, 31),
    ] {
        let mut numbers: Vec<u8> = names.values().copied().collect();
        numbers.sort_unstable();
        numbers.dedup();
        let in_bounds = numbers.iter().all(|number| (1..=most).contains(number));
        if numbers.len() != names.len() || !in_bounds {
            let message = format!("`{field}` must have different numbers from 1 to {most}");
            return Err(error("`plan`", message));
        }
    }
    Ok(())
}

fn accumulator(source: &AccumulatorSource) -> PlanAccumulator {
    PlanAccumulator {
        number: source.number,
        scope: source.scope,
        span: match source.period {
            PeriodSource::Visit => Span::Visit,
            PeriodSource::Day => Span::Day,
            PeriodSource::Month => Span::Month,
            PeriodSource::Year => Span::Year,
            PeriodSource::Lifetime => Span::Lifetime,
        },
        per_slot: source.per_slot,
        counts: match source.counts {
            Counts::Money => Counted::Money,
            Counts::Visits => Counted::Visits,
            Counts::Times => Counted::Times,
        },
    }
}

fn groups(source: &PlanSource, names: &Names<'_>) -> Result<Vec<Group>, PlanError> {
    let one = |group: &GroupSource| -> Result<Group, String> {
        Ok(Group {
            categories: group.categories.iter().fold(0, |all, word| all | word.bit()),
            classes: group.classes.iter().fold(0, |all, word| all | word.bit()),
            programmes: names.bits32("programmes", &source.plan.programmes, &group.programmes)?,
            slot_groups: names.bits64(
                "slot_groups",
                &source.plan.slot_groups,
                &group.slot_groups,
            )?,
            with_slot: group.with_slot,
            per_slot: group.per_slot,
        })
    };
    let all = source
        .group
        .iter()
        .map(|group| one(group).map_err(|message| error(format!("group `{}`", group.id), message)));
    all.collect()
}

fn steps(source: &PlanSource, names: &mut Names<'_>) -> Result<Vec<Step>, PlanError> {
    let mut steps: Vec<Step> = Vec::new();
    for one in &source.step {
        let place = format!("step `{}`", one.id);
        let step = step(source, one, names).map_err(|message| error(place, message))?;
        steps.push(step);
    }
    let asked: Vec<u8> =
        steps.iter().filter_map(|step| step.base.groups_with.map(|(after, _)| after)).collect();
    for (number, step) in (0_u8..).zip(&mut steps) {
        step.is_watched = asked.contains(&number);
    }
    Ok(steps)
}

fn step(source: &PlanSource, one: &StepSource, names: &mut Names<'_>) -> Result<Step, String> {
    let rule = Rule::compile(one, names)?;
    check_fields(one, rule.kind())?;
    if !rule.only_counts() && (one.words.is_empty() || one.source.is_empty()) {
        return Err(String::from(
            "`words` and `source` are missing: quote the rule and say where it is from",
        ));
    }
    let rounding = one.rounding.as_ref().unwrap_or(&source.plan.rounding);
    Ok(Step {
        when: names.condition(one.when.as_ref()).map_err(|message| format!("`when`: {message}"))?,
        per_slot: one.per_slot,
        is_watched: false,
        rounding: step_rounding(rounding, names)?,
        base: base(one.base.as_ref(), names).map_err(|message| format!("`base`: {message}"))?,
        rule,
    })
}

fn step_rounding(source: &RoundingSource, names: &Names<'_>) -> Result<StepRounding, String> {
    let unit = source.unit.as_ref().map_or(Ok(1), |text| names.money("rounding.unit", text))?;
    Ok(StepRounding {
        mode: source.mode,
        once: source.at == RoundAt::Once,
        of_person: source.of == RoundOf::Person,
        unit,
    })
}

fn base(source: Option<&BaseSource>, names: &Names<'_>) -> Result<Base, String> {
    let fallback = BaseSource::default();
    let source = source.unwrap_or(&fallback);
    let bit = |part: &Part| match part {
        Part::InPolicy => 1_u8,
        Part::ClassBShare => 2,
        Part::OverCap => 4,
        Part::SelfPaid => 8,
    };
    let of = match source.of.as_str() {
        "left" => BaseOf::Left,
        "charged" => BaseOf::Charged,
        number => BaseOf::Number(names.step_number(number)?),
    };
    let less: Result<Vec<_>, String> =
        source.less.iter().map(|text| names.step_number(text)).collect();
    let groups_with = match &source.groups_with {
        Some(with) => {
            Some((names.step(&with.left_after)?, names.money("at_least", &with.at_least)?))
        }
        None => None,
    };
    Ok(Base {
        parts: source.parts.iter().fold(0, |all, part| all | bit(part)),
        groups: names.groups(source.groups.as_deref())?,
        of,
        less: less?,
        groups_with,
    })
}

/// Every field that is there belongs to the step's kind.
fn check_fields(step: &StepSource, kind: &str) -> Result<(), String> {
    let known = Rule::KINDS.iter().find(|(name, _)| *name == kind);
    let allowed = known.map_or(&[][..], |(_, fields)| *fields);
    let there = [
        ("payer", step.payer.is_some()),
        ("base_caps", !step.base_caps.is_empty()),
        ("deductibles", !step.deductibles.is_empty()),
        ("reports_deductible", step.reports_deductible.is_some()),
        ("rates", !step.rates.is_empty()),
        ("reading", step.reading.is_some()),
        ("position", step.position.is_some()),
        ("rate_changes", !step.rate_changes.is_empty()),
        ("caps", !step.caps.is_empty()),
        ("amount", step.amount.is_some()),
        ("limits", !step.limits.is_empty()),
        ("charged_counts", step.charged_counts.is_some()),
        ("reached_counts", step.reached_counts.is_some()),
        ("what", step.what.is_some()),
        ("into", step.into.is_some()),
    ];
    match there.iter().find(|(field, is_there)| *is_there && !allowed.contains(field)) {
        Some((field, _)) => Err(format!("`{field}` does not belong to a step of kind `{kind}`")),
        None => Ok(()),
    }
}
