//! A rule field by field, in words.

use alloc::{format, string::String, vec::Vec};
use primitives::Rounding;

use super::{FactChange, Said, Teller, of_field, quoted};
use crate::{
    accumulator::AccumulatorScope,
    explain::{condition, payer_name},
    source::{
        AllowanceSource, BaseSource, ConditionSource, Counts, Part, PeriodSource, RateChange,
        RateRow, Reading, RoundAt, RoundOf, RoundingSource, SplitStay, StepSource,
    },
    word::Payer,
};

/// A field of a rule: its word, whether it differs, and what a version says with it.
type Field =
    (&'static str, fn(&StepSource, &StepSource) -> bool, fn(&Teller<'_>, &StepSource) -> Vec<Said>);

/// Every field of a rule, in the order in which they are told; `id` alone is what it is found by.
const FIELDS: &[Field] = &[
    ("title", |one, other| one.title != other.title, |of, step| of.texts("title", &step.title)),
    (
        "kind",
        |one, other| one.kind != other.kind,
        |of, step| {
            let kind = of.messages.text("rule_kind", &step.kind);
            of.said("kind", if kind.is_empty() { quoted(&step.kind) } else { String::from(kind) })
        },
    ),
    (
        "when",
        |one, other| one.when != other.when,
        |of, step| of.said("when", of.condition(step.when.as_ref(), "always")),
    ),
    (
        "payer",
        |one, other| one.payer != other.payer,
        |of, step| {
            step.payer.map_or_else(Vec::new, |payer| of.said("payer", of.payer(payer).into()))
        },
    ),
    (
        "base",
        |one, other| one.base != other.base,
        |of, step| {
            let usual = BaseSource::default();
            of.said("base", of.base(step.base.as_ref().unwrap_or(&usual)))
        },
    ),
    (
        "per_slot",
        |one, other| one.per_slot != other.per_slot,
        |of, step| of.said("per_slot", of.truth(step.per_slot)),
    ),
    (
        "base_caps",
        |one, other| one.base_caps != other.base_caps,
        |of, step| of.allowances("base_caps", &step.base_caps),
    ),
    (
        "deductibles",
        |one, other| one.deductibles != other.deductibles,
        |of, step| of.allowances("deductibles", &step.deductibles),
    ),
    (
        "reports_deductible",
        |one, other| one.reports_deductible != other.reports_deductible,
        |of, step| {
            step.reports_deductible
                .map_or_else(Vec::new, |reports| of.said("reports_deductible", of.truth(reports)))
        },
    ),
    ("rates", |one, other| one.rates != other.rates, |of, step| of.rates(&step.rates)),
    (
        "reading",
        |one, other| one.reading != other.reading,
        |of, step| {
            step.reading
                .map_or_else(Vec::new, |reading| of.said("reading", of.word(bounds(reading))))
        },
    ),
    (
        "position",
        |one, other| one.position != other.position,
        |of, step| of.running("position", step.position.as_deref()),
    ),
    (
        "rate_changes",
        |one, other| one.rate_changes != other.rate_changes,
        |of, step| step.rate_changes.iter().map(|change| of.rate_change(change)).collect(),
    ),
    ("caps", |one, other| one.caps != other.caps, |of, step| of.allowances("caps", &step.caps)),
    (
        "amount",
        |one, other| one.amount != other.amount,
        |of, step| of.allowances("amount", step.amount.as_slice()),
    ),
    (
        "limits",
        |one, other| one.limits != other.limits,
        |of, step| of.allowances("limits", &step.limits),
    ),
    (
        "charged_counts",
        |one, other| one.charged_counts != other.charged_counts,
        |of, step| of.running("charged_counts", step.charged_counts.as_deref()),
    ),
    (
        "reached_counts",
        |one, other| one.reached_counts != other.reached_counts,
        |of, step| of.running("reached_counts", step.reached_counts.as_deref()),
    ),
    (
        "what",
        |one, other| one.what != other.what,
        |of, step| {
            let visit = step.what.as_deref() == Some("visit");
            of.said("what", of.word(if visit { "counts_visits" } else { "counts_money" }))
        },
    ),
    (
        "into",
        |one, other| one.into != other.into,
        |of, step| of.running("into", step.into.as_deref()),
    ),
    (
        "rounding",
        |one, other| one.rounding != other.rounding,
        |of, step| {
            let rounding = step.rounding.as_ref();
            rounding.map_or_else(Vec::new, |one| of.said("rounding", of.rounding(one)))
        },
    ),
    ("words", |one, other| one.words != other.words, |of, step| of.texts("words", &step.words)),
    (
        "source",
        |one, other| one.source != other.source,
        |of, step| of.texts("source", step.source.texts()),
    ),
];

/// What differs in a rule, field by field.
pub(super) fn differences(
    (old, before): (Teller<'_>, &StepSource),
    (new, after): (Teller<'_>, &StepSource),
) -> Vec<FactChange> {
    let mut changes = Vec::new();
    for (name, differs, say) in FIELDS {
        if differs(before, after) {
            changes.extend(of_field(new.messages, name, (say(&old, before), say(&new, after))));
        }
    }
    changes
}

/// All that a rule says beyond what every rule says when its fields are left out.
pub(super) fn everything(of: Teller<'_>, step: &StepSource) -> Vec<Said> {
    let usual = StepSource::default();
    // Its title, words and source are told beside it.
    let is_beside = |name: &str| matches!(name, "title" | "words" | "source");
    let told = FIELDS.iter().filter(|(name, differs, _)| !is_beside(name) && differs(&usual, step));
    told.flat_map(|(_, _, say)| say(&of, step)).collect()
}

pub(super) const fn split_stay(cut: SplitStay) -> &'static str {
    match cut {
        SplitStay::Never => "cut_never",
        SplitStay::Year => "cut_year",
        SplitStay::Month => "cut_month",
        SplitStay::Day => "cut_day",
    }
}

pub(super) const fn period(period: PeriodSource) -> &'static str {
    match period {
        PeriodSource::Visit => "visit",
        PeriodSource::Day => "day",
        PeriodSource::Month => "month",
        PeriodSource::Year => "year",
        PeriodSource::Lifetime => "lifetime",
    }
}

pub(super) const fn scope(scope: AccumulatorScope) -> &'static str {
    match scope {
        AccumulatorScope::Person => "of_person",
        AccumulatorScope::Family => "of_family",
    }
}

pub(super) const fn counts(counts: Counts) -> &'static str {
    match counts {
        Counts::Money => "counts_money",
        Counts::Visits => "counts_visits",
        Counts::Times => "counts_times",
    }
}

const fn bounds(reading: Reading) -> &'static str {
    match reading {
        Reading::Absolute => "reading_absolute",
        Reading::OnExcess => "reading_on_excess",
    }
}

const fn part(part: Part) -> &'static str {
    match part {
        Part::InPolicy => "part_in_policy",
        Part::ClassBShare => "part_class_b_share",
        Part::OverCap => "part_over_cap",
        Part::SelfPaid => "part_self_paid",
    }
}

impl Teller<'_> {
    pub(super) fn payer(&self, payer: Payer) -> &str {
        payer_name(&[self.source], payer, self.messages)
    }

    /// A condition in words; a word of the comparison for none.
    pub(super) fn condition(&self, when: Option<&ConditionSource>, none: &str) -> String {
        let text = when.map(|when| condition::text(self.source, when, self.messages));
        text.filter(|text| !text.is_empty()).unwrap_or_else(|| match none {
            "" => String::new(),
            none => self.word(none),
        })
    }

    /// A running amount by its title.
    fn running(&self, what: &str, id: Option<&str>) -> Vec<Said> {
        id.map_or_else(Vec::new, |id| self.said(what, self.accumulator(id)))
    }

    /// Another rule by its title.
    fn rule(&self, id: &str) -> String {
        let step = self.source.step.iter().find(|step| step.id == id);
        step.map_or_else(|| quoted(id), |step| self.title(step))
    }

    fn base(&self, base: &BaseSource) -> String {
        let parts: Vec<String> = base.parts.iter().map(|one| self.word(part(*one))).collect();
        let mut pieces = alloc::vec![parts.join(" + "), self.taken(&base.of)];
        if let Some(groups) = &base.groups {
            let groups: Vec<String> = groups.iter().map(|group| quoted(group)).collect();
            let mut values = self.values();
            values.text("groups", self.or(&groups));
            pieces.push(values.fill("compare", "of_groups"));
        }
        for less in &base.less {
            let mut values = self.values();
            values.text("what", self.taken(less));
            pieces.push(values.fill("compare", "less"));
        }
        if let Some(with) = &base.groups_with {
            let mut values = self.values();
            values.text("rule", self.rule(&with.left_after));
            values.text("amount", self.money(&with.at_least));
            pieces.push(values.fill("compare", "groups_with"));
        }
        self.joined(&pieces)
    }

    /// `left`, `charged`, or a figure of an earlier rule.
    fn taken(&self, of: &str) -> String {
        let (key, rule) = match of.split_once(':') {
            Some(("deductible", rule)) => ("of_deductible", rule),
            Some(("self_share", rule)) => ("of_self_share", rule),
            Some(("cut", rule)) => ("of_cut", rule),
            Some(("paid", rule)) => ("of_paid", rule),
            None if of == "left" => ("of_left", ""),
            None if of == "charged" => ("of_charged", ""),
            _ => return quoted(of),
        };
        let mut values = self.values();
        values.text("rule", self.rule(rule));
        values.fill("compare", key)
    }

    fn rates(&self, rows: &[RateRow]) -> Vec<Said> {
        let otherwise = if rows.len() > 1 { "otherwise" } else { "" };
        let told = |row: &RateRow| {
            let tier = |tier: &crate::source::TierSource| {
                let mut values = self.values();
                values.text("rate", self.messages.rate(tier.rate));
                values.text("above", self.money(&tier.above));
                values.fill("compare", "tier")
            };
            let mut pieces: Vec<String> =
                row.rate.iter().map(|one| self.messages.rate(*one)).collect();
            pieces.extend(row.tiers.iter().map(tier));
            Said {
                what: self.word("rates"),
                when: self.condition(row.when.as_ref(), otherwise),
                text: self.joined(&pieces),
            }
        };
        rows.iter().map(told).collect()
    }

    fn rate_change(&self, change: &RateChange) -> Said {
        let mut pieces = Vec::new();
        for (key, points) in [("rate_add", change.add), ("rate_less", change.less)] {
            if let Some(points) = points {
                let mut values = self.values();
                values.text("points", self.messages.points(points));
                pieces.push(values.fill("how", key));
            }
        }
        let factors =
            [("factor", &change.factor), ("self_share_factor", &change.self_share_factor)];
        for (key, factor) in factors {
            if let Some(factor) = factor {
                let mut values = self.values();
                values.text("factor", self.messages.decimal(&factor.0));
                pieces.push(values.fill("how", key));
            }
        }
        Said {
            what: self.word("rate_changes"),
            when: self.condition(change.when.as_ref(), ""),
            text: self.joined(&pieces),
        }
    }

    fn allowances(&self, what: &str, all: &[AllowanceSource]) -> Vec<Said> {
        all.iter().flat_map(|one| self.allowance(what, one)).collect()
    }

    pub(super) fn rounding(&self, rounding: &RoundingSource) -> String {
        let mode = match rounding.mode {
            Rounding::Floor => "round_floor",
            Rounding::HalfUp => "round_half_up",
            Rounding::Ceiling => "round_ceiling",
            Rounding::HalfEven => "round_half_even",
        };
        let at = match rounding.at {
            RoundAt::Tier => "round_tier",
            RoundAt::Once => "round_once",
        };
        let of = match rounding.of {
            RoundOf::Benefit => "round_benefit",
            RoundOf::Person => "round_person",
        };
        let mut pieces: Vec<String> = [mode, at, of].map(|key| self.word(key)).into();
        if let Some(unit) = &rounding.unit {
            pieces.push(format!("{} {}", self.word("round_unit"), self.money(unit)));
        }
        self.joined(&pieces)
    }
}
