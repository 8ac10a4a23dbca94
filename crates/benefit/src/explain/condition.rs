//! Conditions in words: what a rule asks, and which of it does not hold.

use alloc::{format, string::String, vec::Vec};
use primitives::Currency;

use super::{Messages, Values, note};
use crate::{
    catalogue::{LimitedUse, VisitFacts},
    condition::{Field, SEX, VISIT_TYPE},
    decimal::DecimalText,
    facts::{AgeBand, Facts},
    source::{ConditionSource, Counts, Names, PlanSource},
    word::{HospitalLevel, PersonClass, Sex, VisitType},
};

/// One field of a condition.
pub(super) struct Demand {
    /// Its name in the messages.
    field: &'static str,
    /// What is asked, in words.
    wanted: String,
    /// What the facts say, in words.
    here: String,
    /// Whether it holds; unknown for running amounts, which the facts do not say.
    pub holds: Option<bool>,
}

impl Demand {
    /// "place of care: home, in the province".
    fn wanted(&self, messages: &Messages) -> String {
        self.fill("wanted", messages)
    }

    /// "place of care: home, in the province (here: abroad)".
    pub(super) fn failed(&self, messages: &Messages) -> String {
        self.fill("failed", messages)
    }

    /// Whether it is about the visit's type.
    pub(super) fn is_visit_type(&self) -> bool {
        self.field == "visit_types"
    }

    fn fill(&self, key: &str, messages: &Messages) -> String {
        let mut values = Values::new(messages, Currency::CNY);
        values.text("field", messages.text("condition", self.field));
        values.text("wanted", self.wanted.as_str());
        values.text("here", self.here.as_str());
        values.fill("condition", key)
    }
}

/// The parts of a condition in one sentence.
pub(crate) fn joined(texts: &[String], messages: &Messages) -> String {
    texts.join(messages.text("condition", "and"))
}

/// A condition in words. What it asks does not depend on whom it is asked of.
pub(crate) fn text(source: &PlanSource, when: &ConditionSource, messages: &Messages) -> String {
    let anybody = Facts::new(VisitType::Outpatient, HospitalLevel::Unrated);
    let demands = demands((source, &anybody), when, messages);
    let texts: Vec<String> = demands.iter().map(|one| one.wanted(messages)).collect();
    joined(&texts, messages)
}

/// Every field of a condition, with whether it holds.
pub(super) fn demands(
    (source, facts): (&PlanSource, &Facts),
    when: &ConditionSource,
    messages: &Messages,
) -> Vec<Demand> {
    let mut list = List { messages, demands: Vec::new() };
    list.word("visit_types", "visit_type", &names(&when.visit_types), facts.visit_type.name());
    let level = facts.hospital_level.name();
    list.word("hospital_levels", "hospital_level", &names(&when.hospital_levels), level);
    list.word("places", "place", &names(&when.places), facts.place.name());
    list.word("filings", "filing", &names(&when.filings), facts.filing.name());
    list.word("networks", "network", &names(&when.networks), facts.network.name());
    list.word("sexes", "sex", &names(&when.sexes), facts.sex.name());
    list.classes("person_classes", &when.person_classes, facts);
    list.classes("person_classes_not", &when.person_classes_not, facts);
    list.own_names(source, when, facts);
    list.age(when.age_from, when.age_below, facts.age);
    let years = (when.unbroken_years_from, when.unbroken_years_below);
    list.years(years, facts.unbroken_years);
    list.truth("month_of_75", when.month_of_75, facts.month_of_75);
    list.truth("in_family", when.in_family, facts.in_family);
    list.running(source, when);
    list.demands
}

/// Every field of a way of use that a catalogue covers, with whether it holds.
pub(super) fn use_demands(
    way: &LimitedUse,
    facts: &VisitFacts,
    messages: &Messages,
) -> Vec<Demand> {
    let mut list = List { messages, demands: Vec::new() };
    let asked = |field: Field| way.words & field.mask() != field.mask();
    let visits = VisitType::ALL.iter().filter(|one| way.words & VISIT_TYPE.bit(one.number()) != 0);
    let visits: Vec<&str> = visits.map(|one| one.name()).collect();
    if asked(VISIT_TYPE) {
        list.word("visit_types", "visit_type", &visits, facts.visit_type.name());
    }
    let sexes = Sex::ALL.iter().filter(|one| way.words & SEX.bit(one.number()) != 0);
    let sexes: Vec<&str> = sexes.map(|one| one.name()).collect();
    if asked(SEX) {
        list.word("sexes", "sex", &sexes, facts.sex.name());
    }
    list.groups(&way.diagnosis_groups, &facts.diagnosis_groups);
    let from = (way.age_from > 0).then_some(way.age_from);
    list.age(from, (way.age_below < u8::MAX).then_some(way.age_below), facts.age);
    list.demands
}

fn names<W: Named>(words: &[W]) -> Vec<&'static str> {
    words.iter().map(Named::text).collect()
}

/// A word of a closed list.
trait Named {
    fn text(&self) -> &'static str;
}

macro_rules! named {
    ($($word:ident),+) => {
        $(impl Named for crate::word::$word {
            fn text(&self) -> &'static str {
                self.name()
            }
        })+
    };
}

named!(VisitType, HospitalLevel, Place, Filing, Network, Sex, PersonClass);

struct List<'a> {
    messages: &'a Messages,
    demands: Vec<Demand>,
}

impl List<'_> {
    fn push(&mut self, field: &'static str, wanted: String, here: String, holds: Option<bool>) {
        self.demands.push(Demand { field, wanted, here, holds });
    }

    /// Words as the language says them, one or the other.
    fn words(&self, table: &str, words: &[&str]) -> String {
        let texts: Vec<&str> = words.iter().map(|word| self.messages.text(table, word)).collect();
        texts.join(self.messages.text("condition", "or"))
    }

    fn word(&mut self, field: &'static str, table: &str, wanted: &[&str], here: &str) {
        if !wanted.is_empty() {
            let (text, here_text) = (self.words(table, wanted), self.words(table, &[here]));
            self.push(field, text, here_text, Some(wanted.contains(&here)));
        }
    }

    fn classes(&mut self, field: &'static str, wanted: &[PersonClass], facts: &Facts) {
        if wanted.is_empty() {
            return;
        }
        let has_one = wanted.iter().any(|class| facts.person_classes.contains(*class));
        let own: Vec<&str> = facts.person_classes.iter().map(PersonClass::name).collect();
        let here = if own.is_empty() { self.unstated() } else { self.words("person_class", &own) };
        let text = self.words("person_class", &names(wanted));
        self.push(field, text, here, Some(has_one == (field == "person_classes")));
    }

    fn unstated(&self) -> String {
        String::from(self.messages.text("condition", "unstated"))
    }

    /// Fields whose words are the plan's own names.
    fn own_names(&mut self, source: &PlanSource, when: &ConditionSource, facts: &Facts) {
        let head = &source.plan;
        let income = facts.income_class.number();
        let diagnosis = facts.diagnosis_group;
        let slots: Vec<u8> = facts.slots.iter().map(|slot| slot.group).collect();
        for (field, known, wanted, here) in [
            ("income_classes", &head.income_classes, &when.income_classes, &[income][..]),
            ("diagnosis_groups", &head.diagnosis_groups, &when.diagnosis_groups, &[diagnosis]),
            ("slot_groups", &head.slot_groups, &when.slot_groups, slots.as_slice()),
        ] {
            let own: Vec<String> = here.iter().filter_map(|number| name(known, *number)).collect();
            if !wanted.is_empty() {
                self.groups_of(field, wanted, &own);
            }
        }
    }

    /// The catalogue's diagnosis groups.
    fn groups(&mut self, wanted: &[String], own: &[String]) {
        if !wanted.is_empty() {
            self.groups_of("diagnosis_groups", wanted, own);
        }
    }

    fn groups_of(&mut self, field: &'static str, wanted: &[String], own: &[String]) {
        let or = self.messages.text("condition", "or");
        let here = if own.is_empty() { self.unstated() } else { own.join(or) };
        let holds = own.iter().any(|one| wanted.contains(one));
        self.push(field, wanted.join(or), here, Some(holds));
    }

    /// "from 60 to below 70".
    fn between(&self, from: Option<String>, below: Option<String>) -> String {
        let key = match (&from, &below) {
            (Some(_), None) => "from",
            (None, _) => "below",
            (Some(_), Some(_)) => "from_below",
        };
        let mut values = Values::new(self.messages, Currency::CNY);
        values.text("from", from.unwrap_or_default());
        values.text("below", below.unwrap_or_default());
        values.fill("condition", key)
    }

    fn age(&mut self, from: Option<u8>, below: Option<u8>, age: AgeBand) {
        if from.is_none() && below.is_none() {
            return;
        }
        let holds = age.lies_in(from.unwrap_or(0), below.unwrap_or(u8::MAX));
        let here = if age == AgeBand::ANY {
            self.unstated()
        } else if AgeBand::exactly(age.from()) == age {
            format!("{}", age.from())
        } else {
            self.between(Some(format!("{}", age.from())), Some(format!("{}", age.below())))
        };
        let text = |age: u8| format!("{age}");
        let wanted = self.between(from.map(text), below.map(text));
        self.push("age", wanted, here, holds);
    }

    fn years(&mut self, (from, below): (Option<u8>, Option<u8>), years: u8) {
        if from.is_none() && below.is_none() {
            return;
        }
        let holds = years >= from.unwrap_or(0) && below.is_none_or(|below| years < below);
        let text = |years: u8| format!("{years}");
        let wanted = self.between(from.map(text), below.map(text));
        self.push("unbroken_years", wanted, format!("{years}"), Some(holds));
    }

    fn truth(&mut self, field: &'static str, wanted: Option<bool>, here: bool) {
        if let Some(wanted) = wanted {
            let word = |holds: bool| {
                String::from(self.messages.text("condition", if holds { "yes" } else { "no" }))
            };
            let (wanted_text, here_text) = (word(wanted), word(here));
            self.push(field, wanted_text, here_text, Some(wanted == here));
        }
    }

    /// Conditions on running amounts; whether they hold is not known here.
    fn running(&mut self, source: &PlanSource, when: &ConditionSource) {
        let here = self.unstated();
        if let Some(visit) = &when.visit_number {
            let text = |number: u16| format!("{number}");
            let wanted = self.between(visit.from.map(text), visit.below.map(text));
            self.push("visit_number", wanted, here.clone(), None);
        }
        if let Some(months) = &when.months_reached {
            let mut values = Values::new(self.messages, Currency::CNY);
            values.text("within", format!("{}", months.within));
            values.text("at_least", format!("{}", months.at_least));
            let wanted = values.fill("condition", "within_months");
            self.push("months_reached", wanted, here.clone(), None);
        }
        if let Some(value) = &when.accumulated {
            let one = source.accumulator.iter().find(|one| one.id == value.of);
            let text = |text: &DecimalText| match one.filter(|one| one.counts == Counts::Money) {
                Some(_) => self.amount(source, text),
                None => text.0.clone(),
            };
            let between =
                self.between(value.from.as_ref().map(text), value.below.as_ref().map(text));
            let language = self.messages.language();
            let name = note::accumulator_name(source, one.map_or(0, |one| one.number), language);
            self.push("accumulated", format!("{name} {between}"), here, None);
        }
    }

    fn amount(&self, source: &PlanSource, text: &DecimalText) -> String {
        let currency = source.plan.currency;
        let amount = text.amount(currency);
        amount.map_or_else(|_| text.0.clone(), |amount| self.messages.money(amount, currency))
    }
}

/// The plan's name for a number.
fn name(names: &Names, number: u8) -> Option<String> {
    names.iter().find(|(_, known)| **known == number).map(|(name, _)| name.clone())
}
