//! Two plans of two steps on a handful of bills whose figures are worked out by hand, and the
//! made-up population.

use benefit::source::PlanSource;
use benefit::{
    Category, CategorySums, Facts, HospitalLevel, ItemClass, Payer, PersonClass, PersonClasses,
    Plan, SumKey, SumRow, VisitType, compile,
};
use gateway::problem::Language;
use primitives::{Amount, PersonId, SlotId, sha256};

use super::bill::PastBill;
use super::picture::{Caption, svg};
use super::report::Figures;
use super::source::{Batch, MadeUp, Source};
use super::tally::Tally;
use super::{Plans, csv, report, simulate};

const PLAN: &str = r#"
[plan]
id = "test"
name = { en = "test" }
region = 620100
scheme = 310
currency = "CNY"
valid = { from = "YEAR-01-01", to = "YEAR-12-31" }
visit_types = ["outpatient"]

[[accumulator]]
id = "deductible_met"
number = 1
period = "year"

[[step]]
id = "outpatient"
kind = "benefit"
payer = "pooled_fund"
deductibles = [{ amount = "DEDUCTIBLE", counts = "deductible_met" }]
rates = [{ rate = "50%" }]
words = { en = "half" }
source = "test"
"#;

fn plan(year: &str, deductible: &str) -> Plan {
    let text = PLAN.replace("YEAR", year).replace("DEDUCTIBLE", deductible);
    let source: PlanSource = toml::from_str(&text).expect("a plan");
    compile(&source, sha256(text.as_bytes())).expect("a plan that compiles")
}

fn bill(person: u8, class: PersonClass, visit_type: VisitType, yuan: u64) -> PastBill {
    let key = SumKey {
        service_date: "2026-02-28".parse().expect("a day"),
        category: Category::Treatment,
        class: ItemClass::A,
        programme: 0,
        slot: SlotId(0),
    };
    let row = SumRow { in_policy: Amount::from_minor(yuan * 100), ..SumRow::empty(key) };
    let mut facts = Facts::new(visit_type, HospitalLevel::Secondary);
    facts.person_classes = PersonClasses::NONE.with(class);
    let sums = CategorySums::new(vec![row]).expect("sums");
    PastBill { person: PersonId([person; 16]), family: None, facts, sums }
}

struct Given(Vec<Batch>);

impl Source for Given {
    fn next(&mut self) -> anyhow::Result<Option<Batch>> {
        Ok(self.0.pop())
    }
}

fn figures() -> Figures {
    Figures::new(Language::En, primitives::Currency::CNY)
}

fn tally(old: &Plan, new: &Plan) -> Tally {
    use PersonClass::{Active, Retired};
    use VisitType::{Inpatient, Outpatient};
    let bills = vec![
        bill(1, Active, Outpatient, 150),
        bill(1, Active, Outpatient, 100),
        bill(2, Retired, Outpatient, 100),
        bill(3, Retired, Outpatient, 50),
        bill(3, Retired, Inpatient, 50),
    ];
    let mut source = Given(vec![Batch { bills, is_complete: false }]);
    simulate(&mut source, Plans { old, new }, |_| {}).expect("bills")
}

#[test]
fn a_higher_deductible_is_borne_once_a_year_by_those_who_reach_it() {
    // 100 becomes 200: person 1 bears 50 of the second hundred, person 2 and 3 reach neither.
    let done = tally(&plan("2026", "100"), &plan("2026", "200"));
    assert_eq!(done.payer(Payer::PooledFund).old, 7_500);
    assert_eq!(done.payer(Payer::PooledFund).new, 2_500);
    assert_eq!(done.people.worse, (1, 5_000));
    assert_eq!((done.people.better.0, done.people.same), (0, 2));
    let classes = &done.classes;
    assert_eq!(classes[&Some(PersonClass::Active)].winners.worse, (1, 5_000));
    assert_eq!(classes[&Some(PersonClass::Retired)].winners.same, 2);
    assert_eq!(done.levels[&HospitalLevel::Secondary].bills, 4);
    assert_eq!((done.refusals.old, done.refusals.new), (1, 0));
    assert_eq!(done.bands.iter().sum::<u64>(), 3);
    let back = tally(&plan("2026", "200"), &plan("2026", "100"));
    assert_eq!(back.people.better, (1, 5_000));
}

#[test]
fn bills_move_by_whole_years_to_where_a_plan_holds() {
    let same = tally(&plan("2026", "100"), &plan("2028", "100"));
    assert_eq!((same.people.same, same.all.paid.difference()), (3, 0));
}

#[test]
fn the_made_up_bills_are_the_same_for_the_same_seed() {
    let text = include_str!("../../../../plans/lanzhou-employee/2026-01-01.toml");
    let source: PlanSource = toml::from_str(text).expect("a plan");
    let plan = compile(&source, sha256(text.as_bytes())).expect("a plan that compiles");
    let run = |seed| {
        let mut bills = MadeUp::new(900, seed, &plan).expect("people");
        let done = simulate(&mut bills, Plans { old: &plan, new: &plan }, |_| {}).expect("bills");
        assert_eq!(done.all.paid.difference(), 0);
        assert!(done.people.better.0 == 0 && done.people.worse.0 == 0 && done.all.bills > 900);
        csv::csv(&done)
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

#[test]
fn table_csv_and_picture_say_the_same_in_every_language() {
    let done = tally(&plan("2026", "100"), &plan("2026", "200"));
    let table = csv::csv(&done);
    assert!(table.contains("payer,pooled_fund,,,,75.00,25.00,-50.00,"), "{table}");
    let columns = table.lines().next().map(|line| line.split(',').count());
    assert!(
        table.lines().all(|line| {
            line.starts_with("refused") || Some(line.split(',').count()) == columns
        })
    );
    let text = report::text(&done, &figures());
    assert!(text.contains("−50.00") && text.contains("3 people with 4 bills"), "{text}");
    for language in [Language::ZhHans, Language::ZhHant, Language::En, Language::De] {
        let figures = Figures::new(language, done.currency);
        let text = report::text(&done, &figures);
        assert!(!text.contains('{') && !text.contains("  \n\n\n"), "{text}");
        let caption = Caption { title: "a <plan>", language: language.tag(), lines: &[] };
        let picture = svg(&done, &figures, &caption);
        assert!(picture.contains("a &lt;plan&gt;") && picture.ends_with("</svg>\n"));
    }
}
