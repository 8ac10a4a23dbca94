//! A registration list as the bureau's offices write it: who stands on it, in which class. Each
//! line is read by itself; what it says less than the ledger needs is taken from what was attested
//! about the person before, and from the identity number.

use std::collections::BTreeSet;

use adapters::identity::{Identity, gb11643};
use benefit::{AgeBand, IncomeClass, PersonClass, PersonClasses, Sex};
use ledger::modules::coverage::{self, AttestedFacts};
use ledger::modules::person;
use ledger::modules::premium::{PremiumSeason, RegisteredPremium, rejection};
use primitives::{CivilDate, Hash, PersonId, detail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::lines::{LineProblem, cell, classes, sex_of};
use crate::api::wallet::unattested;
use crate::call::Call;
use crate::problem::{Problem, code};

/// A line as it is written: cells of text.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PremiumLine {
    /// The name as in the identity document.
    #[schemars(length(max = 200))]
    pub name: String,
    /// The 18 characters of the identity number, or a foreign document such as `JP:TK1234567`.
    #[schemars(length(max = 40))]
    pub number: String,
    /// The class of the season, by its name or number.
    #[schemars(length(max = 40))]
    pub class: String,
    /// How many years before this one were missed; nothing for none.
    #[serde(default)]
    pub missed_years: String,
    /// For a newborn: the last day on which nothing counts as missed.
    #[serde(default)]
    pub newborn_until: String,
    /// The classes that the person belongs to, such as `low_income`, separated by spaces; nothing
    /// for those that were attested last.
    #[serde(default)]
    pub person_classes: String,
    /// The birthday, where the document's number does not say it.
    #[serde(default)]
    pub born: String,
}

/// What a line comes to: a row, or what is wrong.
#[derive(Clone, Serialize, JsonSchema)]
pub struct ReadLine {
    /// The row that registers the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<RegisteredPremium>,
    /// What is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<LineProblem>,
}

/// Whom name and number belong to on the ledger.
///
/// # Errors
/// `invalid_field`, `identity_unconfirmed`, `not_enrolled`, `unavailable`.
pub(super) fn enrolled(call: &Call, name: &str, number: &str) -> Result<PersonId, Problem> {
    let identity = Identity { name: name.to_owned(), number: number.to_owned() };
    let attested = call.wallet()?.authority.attest(&identity, &Hash::default());
    let index = attested.map_err(|error| unattested(&error))?.statement.blind_index;
    let found = person::view::by_blind_index(&call.view.state, &index);
    found.ok_or_else(|| Problem::new(&code::NOT_ENROLLED))
}

/// Every line by itself.
///
/// # Errors
/// When the register does not answer at all.
pub(super) fn read(
    call: &Call,
    terms: &PremiumSeason,
    lines: &[PremiumLine],
) -> Result<Vec<ReadLine>, Problem> {
    let mut seen = BTreeSet::new();
    let read = lines.iter().map(|line| {
        let row = row(call, terms, line).and_then(|row| {
            let words = detail!("the person stands in the list before");
            let twice = || Problem::new(&code::FIELD_INVALID).at("number").with(words);
            if seen.insert(row.person) { Ok(row) } else { Err(twice()) }
        });
        match row {
            Ok(row) => Ok(ReadLine { row: Some(row), problem: None }),
            Err(problem) if problem.status >= 500 => Err(problem),
            Err(problem) => {
                Ok(ReadLine { row: None, problem: Some(LineProblem::of(call, &problem)) })
            }
        }
    });
    read.collect()
}

fn row(
    call: &Call,
    terms: &PremiumSeason,
    line: &PremiumLine,
) -> Result<RegisteredPremium, Problem> {
    let (name, number, class) = (line.name.trim(), line.number.trim(), line.class.trim());
    let missed_years = cell("missed_years", &line.missed_years)?.unwrap_or(0);
    let newborn_until = cell("newborn_until", &line.newborn_until)?;
    let classes = classes(&line.person_classes)?;
    let of_season = terms.classes.iter();
    let class = of_season
        .filter(|one| one.number.to_string() == class || &*one.name == class)
        .map(|one| one.number)
        .next()
        .ok_or_else(|| Problem::rejected(&rejection::UNKNOWN_CLASS.with(class)).at("class"))?;
    let born = cell("born", &line.born)?;
    let person = enrolled(call, name, number)?;
    let facts = facts(call, terms, person, (number, born, classes))?;
    Ok(RegisteredPremium { person, class, missed_years, newborn_until, facts })
}

/// What is attested of a person for the season: as before where the line says nothing else.
fn facts(
    call: &Call,
    terms: &PremiumSeason,
    person: PersonId,
    (number, born, classes): (&str, Option<CivilDate>, Option<PersonClasses>),
) -> Result<AttestedFacts, Problem> {
    let row = coverage::view::coverage(&call.view.state, person).unwrap_or_default();
    let all = row.coverages.iter().flat_map(|one| &one.facts);
    let last = all.max_by_key(|facts| facts.period.to);
    let citizen = gb11643::parse(number).ok();
    let born = born.or_else(|| citizen.as_ref().map(gb11643::CitizenNumber::birth_date));
    let born = born.ok_or_else(|| {
        let words = detail!("the number does not say the birthday, so write it here");
        Problem::new(&code::FIELD_INVALID).at("born").with(words)
    })?;
    let sex = citizen.as_ref().map_or(Sex::Unstated, |number| sex_of(number.as_str()));
    Ok(AttestedFacts {
        period: terms.cover,
        age: AgeBand::around(u8::try_from(born.years_until(terms.cover.from)).unwrap_or(u8::MAX)),
        sex: last.map_or(sex, |facts| facts.sex),
        person_classes: classes
            .or_else(|| last.map(|facts| facts.person_classes))
            .unwrap_or(PersonClasses::NONE.with(PersonClass::Resident)),
        income_class: last.map_or(IncomeClass::NONE, |facts| facts.income_class),
        unbroken_years: last.map_or(0, |facts| {
            // What was attested for this very season counts its year already.
            let is_new = facts.period.from < terms.cover.from;
            facts.unbroken_years.saturating_add(u8::from(is_new))
        }),
        claim_free_years: 0,
        month_of_75: false,
        family: last.and_then(|facts| facts.family),
    })
}
