//! What differs between two versions of a plan, rule by rule, in a reader's language: what was said
//! before and what is said now, where the rule is from, and nothing about bytes.
//!
//! A rule is the same one when its name in the file is. Its fields are put into words on both
//! sides ([`rule`], [`amount`]), and words that agree are left out.
//!
//! Invariant: files that differ never compare as equal. A field that differs where its words do not
//! is told as one that only the file shows (test
//! `whatever_is_changed_in_a_plan_the_comparison_tells_of_it`).

mod amount;
mod rule;
mod words;

pub(crate) use words::WORDS;

use alloc::{collections::BTreeSet, format, string::String, vec::Vec};
use primitives::Period;
use serde::{Deserialize, Serialize};

use crate::{
    explain::{Messages, Values},
    source::{
        AccumulatorSource, ExampleSource, GroupSource, Names, PlanSource, StepSource, Texts,
        in_language,
    },
    word::VisitType,
};

/// What differs between two versions of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanComparison {
    /// The language tag.
    pub language: String,
    /// What differs in the plan as a whole: its name, its days, the running amounts it keeps.
    pub general: Vec<FactChange>,
    /// The rules that differ, those of the later version in their order, then those that are gone.
    pub rules: Vec<RuleChange>,
    /// How many rules stand in both versions and say the same.
    pub same: u32,
    /// Worked examples that came, went, or show something else.
    pub examples: Vec<FactChange>,
}

/// A rule that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleChange {
    /// The rule's name in the plan file.
    pub rule: String,
    /// Its title in words.
    pub title: String,
    /// Whether it is new, gone, or says something else.
    pub change: ChangeKind,
    /// What it says otherwise.
    pub facts: Vec<FactChange>,
    /// The words of the rule as it stands in the later version, or stood in the earlier one.
    pub words: String,
    /// Where they are from.
    pub source: String,
}

/// What became of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// The later version alone has it.
    Added,
    /// The earlier version alone had it.
    Removed,
    /// It says something else.
    Changed,
}

/// One thing that is said otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FactChange {
    /// What it is, such as the rate.
    pub what: String,
    /// When or for whom; empty for always.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub when: String,
    /// What was said; left out where nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// What is said now; left out where nothing is any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// One thing that a version says.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Said {
    what: String,
    when: String,
    text: String,
}

/// Picks the numbers of a plan's own names.
type NamesOf = fn(&PlanSource) -> &Names;

/// One version's words: its file, and the language.
#[derive(Clone, Copy)]
struct Teller<'a> {
    source: &'a PlanSource,
    messages: &'a Messages,
}

/// Fields that are a text in several languages.
const TEXTS: [&str; 4] = ["name", "title", "words", "source"];

/// Compares two versions of one scheme's plan.
#[must_use]
pub fn compare(before: &PlanSource, after: &PlanSource, messages: &Messages) -> PlanComparison {
    let old = Teller { source: before, messages };
    let new = Teller { source: after, messages };
    let find = |source: &'_ PlanSource, id: &str| source.step.iter().any(|step| step.id == id);
    let mut same = 0_u32;
    let mut rules = Vec::new();
    for step in &after.step {
        match before.step.iter().find(|one| one.id == step.id) {
            None => rules.push(new.alone(step, ChangeKind::Added)),
            Some(earlier) if earlier == step => same = same.saturating_add(1),
            Some(earlier) => rules.push(RuleChange {
                facts: rule::differences((old, earlier), (new, step)),
                ..new.named(step, ChangeKind::Changed)
            }),
        }
    }
    let gone = before.step.iter().filter(|step| !find(after, &step.id));
    rules.extend(gone.map(|step| old.alone(step, ChangeKind::Removed)));
    let language = String::from(messages.language());
    let (general, examples) = (general(old, new), examples(old, new));
    PlanComparison { language, general, rules, same, examples }
}

/// What differs, in the order of the later version; what is gone comes last.
fn diff(before: Vec<Said>, after: Vec<Said>) -> Vec<FactChange> {
    let mut open = before;
    let mut changes = Vec::new();
    for said in after {
        let place = open.iter().position(|one| one.what == said.what && one.when == said.when);
        let earlier = place.map(|place| open.remove(place).text);
        if earlier.as_ref() != Some(&said.text) {
            let Said { what, when, text } = said;
            changes.push(FactChange { what, when, before: earlier, after: Some(text) });
        }
    }
    changes.extend(open.into_iter().map(|Said { what, when, text }| FactChange {
        what,
        when,
        before: Some(text),
        after: None,
    }));
    changes
}

/// What differs of a field that is not the same; never nothing.
fn of_field(
    messages: &Messages,
    name: &str,
    (before, after): (Vec<Said>, Vec<Said>),
) -> Vec<FactChange> {
    let mut changes = diff(before, after);
    // Where the reader's own language says it otherwise, the translations go without saying.
    if TEXTS.contains(&name) && changes.iter().any(|change| change.when.is_empty()) {
        changes.retain(|change| change.when.is_empty());
    }
    if !changes.is_empty() {
        return changes;
    }
    let untold = String::from(messages.text("compare", "untold"));
    let what = String::from(messages.text("compare", name));
    alloc::vec![FactChange { what, when: String::new(), before: None, after: Some(untold) }]
}

/// What the plans as a whole say otherwise.
fn general(old: Teller<'_>, new: Teller<'_>) -> Vec<FactChange> {
    let (before, after) = (old.source, new.source);
    let [one, other] = [&before.plan, &after.plan];
    let mut changes = Vec::new();
    let mut field = |name: &str, differs: bool, say: &dyn Fn(Teller<'_>) -> Vec<Said>| {
        if differs {
            changes.extend(of_field(new.messages, name, (say(old), say(new))));
        }
    };
    field("id", one.id != other.id, &|of| of.said("id", quoted(&of.source.plan.id)));
    field("name", one.name != other.name, &|of| of.texts("name", &of.source.plan.name));
    field("valid", one.valid != other.valid, &|of| of.said("valid", days(of.source.plan.valid)));
    field("year_starts", one.year_starts != other.year_starts, &|of| {
        of.said("year_starts", of.source.plan.year_starts.clone())
    });
    field("split_stay", one.split_stay != other.split_stay, &|of| {
        of.said("split_stay", of.word(rule::split_stay(of.source.plan.split_stay)))
    });
    field("visit_types", one.visit_types != other.visit_types, &|of| {
        of.said("visit_types", of.visit_types(&of.source.plan.visit_types))
    });
    field("rounding", one.rounding != other.rounding, &|of| {
        of.said("rounding", of.rounding(&of.source.plan.rounding))
    });
    field("catalogue", one.catalogue != other.catalogue, &|of| {
        let file = of.source.plan.catalogue.as_deref().unwrap_or("catalogue.toml");
        of.said("catalogue", quoted(file))
    });
    field("payers", one.payers != other.payers, &|of| of.payers());
    let names: [(&str, NamesOf); 4] = [
        ("income_classes", |source| &source.plan.income_classes),
        ("slot_groups", |source| &source.plan.slot_groups),
        ("diagnosis_groups", |source| &source.plan.diagnosis_groups),
        ("programmes", |source| &source.plan.programmes),
    ];
    for (name, pick) in names {
        field(name, pick(before) != pick(after), &|of| of.names(name, pick(of.source)));
    }
    field("accumulator", before.accumulator != after.accumulator, &|of| {
        of.source.accumulator.iter().map(|one| of.accumulator_row(one)).collect()
    });
    field("group", before.group != after.group, &|of| {
        of.source.group.iter().map(|one| of.group(one)).collect()
    });
    let order = (order(before, after), order(after, before));
    field("order", order.0 != order.1, &|of| {
        let titles: Vec<String> = of.source.step.iter().map(|step| of.title(step)).collect();
        of.said("order", titles.join(" → "))
    });
    changes
}

/// The names of the rules that the other version has too, in their order.
fn order<'a>(of: &'a PlanSource, other: &PlanSource) -> Vec<&'a str> {
    let known: BTreeSet<&str> = other.step.iter().map(|step| step.id.as_str()).collect();
    of.step.iter().map(|step| step.id.as_str()).filter(|id| known.contains(id)).collect()
}

/// Worked examples: which came, went, or show something else.
fn examples(old: Teller<'_>, new: Teller<'_>) -> Vec<FactChange> {
    let name = |one: &ExampleSource| match one.about.as_str() {
        "" => quoted(&one.id),
        about => String::from(about),
    };
    let told = |one: &ExampleSource, before: Option<&str>, after: Option<&str>| FactChange {
        what: new.word("example"),
        when: name(one),
        before: before.map(|key| new.word(key)),
        after: after.map(|key| new.word(key)),
    };
    let mut changes = Vec::new();
    for one in &new.source.example {
        match old.source.example.iter().find(|earlier| earlier.id == one.id) {
            None => changes.push(told(one, None, Some("example_added"))),
            Some(earlier) if earlier == one => {}
            Some(_) => changes.push(told(one, None, Some("example_changed"))),
        }
    }
    let is_kept = |one: &&ExampleSource| new.source.example.iter().any(|other| other.id == one.id);
    let gone = old.source.example.iter().filter(|one| !is_kept(one));
    changes.extend(gone.map(|one| told(one, Some("example_gone"), None)));
    changes
}

/// A name of the file, as such.
fn quoted(name: &str) -> String {
    format!("`{name}`")
}

fn days(valid: Period) -> String {
    valid.to.map_or_else(|| format!("{} –", valid.from), |to| format!("{} – {to}", valid.from))
}

impl Teller<'_> {
    /// A word of the comparison.
    fn word(&self, key: &str) -> String {
        String::from(self.messages.text("compare", key))
    }

    fn values(&self) -> Values<'_> {
        Values::new(self.messages, self.source.plan.currency)
    }

    /// One thing that is always said.
    fn said(&self, what: &str, text: String) -> Vec<Said> {
        alloc::vec![Said { what: self.word(what), when: String::new(), text }]
    }

    /// Pieces of a sentence.
    fn joined(&self, pieces: &[String]) -> String {
        pieces.join(self.messages.text("condition", "and"))
    }

    /// One or the other.
    fn or(&self, pieces: &[String]) -> String {
        pieces.join(self.messages.text("condition", "or"))
    }

    fn truth(&self, holds: bool) -> String {
        String::from(self.messages.text("condition", if holds { "yes" } else { "no" }))
    }

    /// A text in the reader's language, and in every other one by its tag, so that a change to one
    /// translation alone is told too.
    fn texts(&self, what: &str, texts: &Texts) -> Vec<Said> {
        let language = self.messages.language();
        let own = in_language(texts, language);
        let mut all = self.said(what, String::from(own));
        let others = texts.iter().filter(|(tag, text)| tag.as_str() != language && *text != own);
        all.extend(others.map(|(tag, text)| Said {
            what: self.word(what),
            when: tag.clone(),
            text: text.clone(),
        }));
        all
    }

    fn visit_types(&self, types: &[VisitType]) -> String {
        let name = |one: &VisitType| String::from(self.messages.text("visit_type", one.name()));
        self.or(&types.iter().map(name).collect::<Vec<String>>())
    }

    fn payers(&self) -> Vec<Said> {
        let names = &self.source.plan.payers;
        let told = |(payer, texts): (&crate::word::Payer, &Texts)| {
            let when = String::from(self.messages.text("payer", payer.name()));
            self.texts("payers", texts).into_iter().map(move |said| Said {
                when: match said.when.as_str() {
                    "" => when.clone(),
                    tag => format!("{when}, {tag}"),
                },
                ..said
            })
        };
        names.iter().flat_map(told).collect()
    }

    fn names(&self, what: &str, names: &Names) -> Vec<Said> {
        let told = |(name, number): (&String, &u8)| Said {
            what: self.word(what),
            when: quoted(name),
            text: format!("{number}"),
        };
        names.iter().map(told).collect()
    }

    /// What a running amount is called.
    fn accumulator(&self, id: &str) -> String {
        let one = self.source.accumulator.iter().find(|one| one.id == id);
        let title = one.map_or("", |one| in_language(&one.title, self.messages.language()));
        if title.is_empty() { quoted(id) } else { String::from(title) }
    }

    fn accumulator_row(&self, one: &AccumulatorSource) -> Said {
        let period = self.messages.text("period", rule::period(one.period));
        let mut pieces = alloc::vec![String::from(period), self.word(rule::scope(one.scope))];
        pieces.push(self.word(rule::counts(one.counts)));
        if one.per_slot {
            pieces.push(self.word("per_slot"));
        }
        pieces.push(format!("#{}", one.number));
        Said {
            what: self.word("accumulator"),
            when: self.accumulator(&one.id),
            text: self.joined(&pieces),
        }
    }

    fn group(&self, one: &GroupSource) -> Said {
        let mut pieces: Vec<String> = Vec::new();
        let names = |names: Vec<&str>| self.or(&names.into_iter().map(quoted).collect::<Vec<_>>());
        for some in [
            one.categories.iter().map(|word| word.name()).collect::<Vec<&str>>(),
            one.classes.iter().map(|word| word.name()).collect(),
            one.programmes.iter().map(String::as_str).collect(),
            one.slot_groups.iter().map(String::as_str).collect(),
        ] {
            if !some.is_empty() {
                pieces.push(names(some));
            }
        }
        if let Some(with_slot) = one.with_slot {
            pieces.push(self.word(if with_slot { "with_slot" } else { "without_slot" }));
        }
        if one.per_slot {
            pieces.push(self.word("per_slot"));
        }
        Said { what: self.word("group"), when: quoted(&one.id), text: self.joined(&pieces) }
    }

    /// A rule's title, or who pays by it, or its name in the file.
    fn title(&self, step: &StepSource) -> String {
        let title = in_language(&step.title, self.messages.language());
        match (title, step.payer) {
            ("", Some(payer)) => String::from(self.payer(payer)),
            ("", None) => quoted(&step.id),
            (title, _) => String::from(title),
        }
    }

    fn named(&self, step: &StepSource, change: ChangeKind) -> RuleChange {
        let language = self.messages.language();
        RuleChange {
            rule: step.id.clone(),
            title: self.title(step),
            change,
            facts: Vec::new(),
            words: String::from(in_language(&step.words, language)),
            source: String::from(step.source.in_language(language)),
        }
    }

    /// A rule that one version alone has, with all that it says.
    fn alone(&self, step: &StepSource, change: ChangeKind) -> RuleChange {
        let all = rule::everything(*self, step);
        let facts = match change {
            ChangeKind::Removed => diff(all, Vec::new()),
            ChangeKind::Added | ChangeKind::Changed => diff(Vec::new(), all),
        };
        RuleChange { facts, ..self.named(step, change) }
    }
}
