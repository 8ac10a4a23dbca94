//! From an example in a file, with the plan's names, to its compiled form.

use alloc::{format, string::String, vec::Vec};
use primitives::{Amount, CivilDate};

use super::{EXAMPLE_ROWS_MAX, Example, Expect, Figure, VISITS_MAX, Visit};
use crate::{
    accumulator::{AccumulatorKey, AccumulatorPeriod, Accumulators},
    adjudication::PayerShare,
    compile::Names,
    decimal::DecimalText,
    facts::{AgeBand, Facts, FamilyGrant, SlotFact},
    plan::Plan,
    source::{
        AccumulatorValue, Counts, ExampleSource, ExpectSource, FactsSource, PeriodSource,
        PlanSource, RowSource, VisitSource,
    },
    stay::days_of_service,
    sums::{CategorySums, SumKey, SumRow},
    word::{Category, Filing, IncomeClass, ItemClass, PersonClass, Place},
};

/// Compiles an example of a plan.
pub(crate) fn compile(
    example: &ExampleSource,
    source: &PlanSource,
    plan: &Plan,
) -> Result<Example, String> {
    let first = example.visit.first().ok_or("`visit` is missing: an example has at least one")?;
    if example.visit.len() > VISITS_MAX {
        return Err(format!("there are more than {VISITS_MAX} visits"));
    }
    let accumulators = read_accumulators(&example.accumulators, source, plan, first.date)?;
    let mut visits = Vec::new();
    for (number, visit) in (1_u32..).zip(&example.visit) {
        let read = || {
            if !visit.line.is_empty() {
                return Err(String::from("`line` is for case files; write `row`"));
            }
            if visit.row.len() > EXAMPLE_ROWS_MAX {
                return Err(format!("there are more than {EXAMPLE_ROWS_MAX} rows"));
            }
            read_visit(visit, source, plan, rows(visit, source)?)
        };
        visits.push(read().map_err(|message| format!("visit {number}: {message}"))?);
    }
    Ok(Example { accumulators, visits })
}

/// The number of a programme by the plan's name; 0 for none.
pub(crate) fn programme(name: Option<&str>, source: &PlanSource) -> Result<u8, String> {
    let Some(name) = name else { return Ok(0) };
    let number = source.plan.programmes.get(name).copied();
    number.ok_or_else(|| format!("the plan has no programme `{name}`"))
}

/// The sums of a visit that is written by rows.
pub(crate) fn rows(visit: &VisitSource, source: &PlanSource) -> Result<CategorySums, String> {
    let names = Names::new(source);
    let amount = |field, text: &Option<DecimalText>| {
        let minor = text.as_ref().map_or(Ok(0), |text| names.money(field, text));
        minor.map(Amount::from_minor)
    };
    let row = |row: &RowSource| -> Result<SumRow, String> {
        let key = SumKey {
            service_date: row.date.unwrap_or(visit.date),
            category: row.category.unwrap_or(Category::Other),
            class: row.class.unwrap_or(ItemClass::A),
            programme: programme(row.programme.as_deref(), source)?,
            slot: row.slot,
        };
        Ok(SumRow {
            key,
            self_paid: amount("self_paid", &row.self_paid)?,
            over_cap: amount("over_cap", &row.over_cap)?,
            class_b_share: amount("class_b_share", &row.class_b_share)?,
            in_policy: amount("in_policy", &row.in_policy)?,
        })
    };
    let rows: Result<Vec<SumRow>, String> = visit.row.iter().map(row).collect();
    CategorySums::new(rows?).map_err(String::from)
}

/// A visit with its sums; names are those of the plan in force on its last day.
pub(crate) fn read_visit(
    visit: &VisitSource,
    source: &PlanSource,
    plan: &Plan,
    sums: CategorySums,
) -> Result<Visit, String> {
    let (_, last) = sums.span().ok_or("the visit has no rows")?;
    let facts =
        facts(&visit.facts, source, &sums).map_err(|message| format!("`facts`: {message}"))?;
    let expect = expect(&visit.expect, source, plan, last)
        .map_err(|message| format!("`expect`: {message}"))?;
    Ok(Visit { sums, facts, expect })
}

/// The oldest age that facts may state.
const AGE_MAX: u8 = 130;

/// Classes that nobody has at the same time.
const NEVER_BOTH: &[(PersonClass, PersonClass)] = &[
    (PersonClass::Active, PersonClass::Retired),
    (PersonClass::Active, PersonClass::Newborn),
    (PersonClass::Retired, PersonClass::Newborn),
    (PersonClass::Retired, PersonClass::Child),
];

/// Refuses facts that contradict each other or cannot be.
fn check_possible(facts: &FactsSource) -> Result<(), String> {
    let oldest = facts.age.or(facts.age_band.map(|(from, _)| from)).unwrap_or(0);
    if oldest > AGE_MAX {
        let field = if facts.age.is_some() { "age" } else { "age_band" };
        return Err(format!(
            "`{field}` says {oldest} years; write the age in full years, at most {AGE_MAX}"
        ));
    }
    let has = |class: PersonClass| facts.person_classes.contains(&class);
    if let Some((one, other)) = NEVER_BOTH.iter().find(|(one, other)| has(*one) && has(*other)) {
        let (one, other) = (one.name(), other.name());
        return Err(format!(
            "`person_classes` has both `{one}` and `{other}`; leave out the one that is wrong"
        ));
    }
    let place = facts.place.unwrap_or(Place::Home);
    if place == Place::Home && facts.filing == Some(Filing::Unfiled) {
        return Err(String::from(
            "`filing` is `unfiled` at the insured place, where no filing is needed; leave `filing` out or say the `place`",
        ));
    }
    Ok(())
}

/// The facts with the plan's names as numbers.
pub(crate) fn facts(
    facts: &FactsSource,
    source: &PlanSource,
    sums: &CategorySums,
) -> Result<Facts, String> {
    check_possible(facts)?;
    let names = Names::new(source);
    let head = &source.plan;
    let known = |field: &str, numbers: &crate::source::Names, name: &Option<String>| {
        let number = |name: &String| {
            let number = numbers.get(name).copied();
            number.ok_or_else(|| format!("`{field}` `{name}` is not among the plan's names"))
        };
        name.as_ref().map_or(Ok(0), number)
    };
    let age = match (facts.age, facts.age_band) {
        (None, None) => AgeBand::ANY,
        (Some(age), None) => AgeBand::exactly(age),
        (None, Some((from, below))) => {
            AgeBand::new(from, below).ok_or("`age_band` needs two ages in ascending order")?
        }
        (Some(_), Some(_)) => return Err(String::from("state either `age` or `age_band`")),
    };
    let mut slots = Vec::new();
    for slot in &facts.slots {
        let amount = slot.amount.as_ref().map(|text| names.money("amount", text)).transpose()?;
        slots.push(SlotFact {
            slot: slot.slot,
            group: known("slot group", &head.slot_groups, &Some(slot.group.clone()))?,
            amount: amount.map(Amount::from_minor),
        });
    }
    let mut family_accounts = Vec::new();
    for (grant, text) in (1_u32..).zip(&facts.family_accounts) {
        let available = Amount::from_minor(names.money("family_accounts", text)?);
        family_accounts.push(FamilyGrant { grant, available });
    }
    let account = facts.personal_account.as_ref();
    let account = account.map(|text| names.money("personal_account", text)).transpose()?;
    let income_class = known("income_class", &head.income_classes, &facts.income_class)?;
    let plain = Facts::new(facts.visit_type, facts.hospital_level);
    Ok(Facts {
        place: facts.place.unwrap_or(plain.place),
        filing: facts.filing.unwrap_or(plain.filing),
        network: facts.network.unwrap_or(plain.network),
        age,
        sex: facts.sex.unwrap_or(plain.sex),
        person_classes: facts.person_classes.iter().copied().collect(),
        income_class: IncomeClass::from_number(income_class).unwrap_or_default(),
        unbroken_years: facts.unbroken_years,
        claim_free_years: facts.claim_free_years,
        diagnosis_group: known("diagnosis_group", &head.diagnosis_groups, &facts.diagnosis_group)?,
        slots,
        month_of_75: facts.month_of_75,
        in_family: facts.in_family,
        days: facts.days.unwrap_or_else(|| days_of_service(sums)),
        use_personal_account: account.is_some(),
        personal_account: Amount::from_minor(account.unwrap_or(0)),
        family_accounts,
        ..plain
    })
}

fn expect(
    expect: &ExpectSource,
    source: &PlanSource,
    plan: &Plan,
    day: CivilDate,
) -> Result<Expect, String> {
    let names = Names::new(source);
    let stated = [
        (Figure::Total, &expect.total),
        (Figure::SelfPaid, &expect.self_paid),
        (Figure::OverCap, &expect.over_cap),
        (Figure::ClassBShare, &expect.class_b_share),
        (Figure::InPolicy, &expect.in_policy),
        (Figure::Deductible, &expect.deductible),
        (Figure::PersonalAccount, &expect.personal_account),
        (Figure::FamilyAccount, &expect.family_account),
        (Figure::Cash, &expect.cash),
        (Figure::Person, &expect.person),
    ];
    let mut figures = Vec::new();
    for (figure, text) in stated {
        if let Some(text) = text {
            figures.push((figure, Amount::from_minor(names.money(figure.name(), text)?)));
        }
    }
    let mut payers = None;
    if let Some(stated) = &expect.payers {
        let shares = stated.iter().map(|(payer, text)| {
            let amount = Amount::from_minor(names.money(payer.name(), text)?);
            Ok(PayerShare { payer: *payer, amount })
        });
        payers = Some(shares.collect::<Result<Vec<_>, String>>()?);
    }
    let steps = expect
        .steps
        .iter()
        .map(|(step, text)| Ok((names.step(step)?, Amount::from_minor(names.money(step, text)?))));
    let keys = expect
        .accumulators
        .iter()
        .map(|one| Ok((key(one, source, plan, day)?, names.value("value", &one.id, &one.value)?)));
    let expected = Expect {
        figures,
        payers,
        steps: steps.collect::<Result<_, String>>()?,
        accumulators: keys.collect::<Result<_, String>>()?,
        error: expect.error.clone(),
    };
    if expected == Expect::default() {
        return Err(String::from("nothing is stated; say what must come out"));
    }
    Ok(expected)
}

/// Running amounts before the first visit.
pub(crate) fn read_accumulators(
    values: &[AccumulatorValue],
    source: &PlanSource,
    plan: &Plan,
    day: CivilDate,
) -> Result<Accumulators, String> {
    let names = Names::new(source);
    let mut list = Accumulators::new();
    for one in values {
        let place = |message| format!("accumulator `{}`: {message}", one.id);
        let key = key(one, source, plan, day).map_err(place)?;
        if key.period.is_visit() {
            return Err(place(String::from("it starts at zero with every visit")));
        }
        list.set(key, names.value("value", &one.id, &one.value).map_err(place)?);
    }
    Ok(list)
}

/// The key of a running amount; without a period, the one in which `day` lies.
fn key(
    value: &AccumulatorValue,
    source: &PlanSource,
    plan: &Plan,
    day: CivilDate,
) -> Result<AccumulatorKey, String> {
    let found = source.accumulator.iter().find(|one| one.id == value.id);
    let one = found.ok_or_else(|| format!("there is no accumulator `{}`", value.id))?;
    let here = match one.period {
        PeriodSource::Visit => AccumulatorPeriod::VISIT,
        PeriodSource::Day => AccumulatorPeriod::day(day),
        PeriodSource::Month => AccumulatorPeriod::month(day.year(), day.month()),
        PeriodSource::Year => plan.year_of(day),
        PeriodSource::Lifetime => AccumulatorPeriod::LIFETIME,
    };
    let period: AccumulatorPeriod = match &value.period {
        Some(text) => text.parse()?,
        None => here,
    };
    if !period.is_like(here) {
        return Err(format!("`period` of accumulator `{}` must be written as {here}", value.id));
    }
    if one.counts == Counts::Visits && value.slot.0 != 0 {
        return Err(String::from("an accumulator that counts visits has no slot"));
    }
    Ok(AccumulatorKey { scope: one.scope, number: one.number, period, slot: value.slot })
}
