//! What is wrong in a plan, a catalogue or an example is said with its place and the remedy, and
//! nothing that is wrong loads.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]

mod common;

use benefit::{
    Accumulators, AdjudicationError, Catalogue, CategorySums, Facts, HospitalLevel, ItemClass,
    Plan, SumKey, SumRow, VisitType, adjudicate, compile, source::CatalogueSource, split_stay,
};
use primitives::{Amount, CivilDate, SlotId};

const PLAN: &str = r#"
[plan]
id = "test-refusals"
name = { en = "refusals" }
region = 999900
scheme = 310
currency = "CNY"
valid = { from = "2026-01-01", to = "2027-12-31" }
year_starts = "01-01"
visit_types = ["outpatient", "inpatient"]
income_classes = { low = 1, high = 2 }
slot_groups = { one = 1 }

[[accumulator]]
id = "met"
number = 1
period = "year"

[[accumulator]]
id = "stays"
number = 2
period = "year"
counts = "visits"

[[accumulator]]
id = "slot"
number = 3
period = "year"
per_slot = true

[[accumulator]]
id = "family"
number = 4
period = "year"
scope = "family"

[[group]]
id = "slots"
with_slot = true
per_slot = true

[[step]]
id = "pool"
kind = "benefit"
payer = "pooled_fund"
when = { income_classes = ["low"] }
deductibles = [{ amount = "200", counts = "met" }]
reading = "absolute"
rates = [{ when = { age_from = 60 }, rate = "60%" }, { tiers = [{ above = "0", rate = "50%" }, { above = "100", rate = "60%" }] }]
caps = [{ amount = "500", repeat = { of = "stays", from = [{ visit = 2, factor = "0.5" }] } }]
words = { en = "w" }
source = "s"

[[step]]
id = "slots"
kind = "benefit"
payer = "pooled_fund"
per_slot = true
base = { groups = ["slots"] }
rates = [{ rate = "60%" }]
caps = [{ amount = "500", counts = "slot" }]
words = { en = "w" }
source = "s"

[[step]]
id = "limit"
kind = "limit"
payer = "other"
limits = [{ amount = "500" }]
words = { en = "w" }
source = "s"

[[example]]
id = "one"
[[example.visit]]
date = "2026-03-01"
facts = { visit_type = "outpatient", age = 30, income_class = "low" }
row = [{ in_policy = "1000" }]
expect = { payers = { pooled_fund = "480", other = "20" }, cash = "500" }
"#;

fn refused(from: &str, to: &str, expected: &str) {
    assert!(PLAN.contains(from), "`{from}` is not in the plan");
    let error = match common::load(&PLAN.replacen(from, to, 1)) {
        Ok(_) => panic!("`{to}` instead of `{from}` is accepted"),
        Err(error) => error,
    };
    assert!(error.contains(expected), "`{to}` instead of `{from}` gives: {error}");
}

#[test]
fn the_plan_of_these_tests_loads() {
    common::load(PLAN).unwrap();
}

#[test]
fn a_plan_whose_example_differs_is_refused_and_says_which_step_gave_which_number() {
    refused(
        "pooled_fund = \"480\"",
        "pooled_fund = \"481\"",
        "example `one`: visit 1: `payers.pooled_fund` is 480.00 CNY, expected 481.00 CNY; step `pool`: base 1000.00, deductible 200.00 of which 0.00 met takes 200.00, tier 2: 60% of 800.00 is 480.00, paid 480.00, step `limit`: base 520.00, limit 500.00 of which 0.00 borne is exceeded by 20.00, paid 20.00, cash 500.00",
    );
    refused(
        "other = \"20\" }",
        "other = \"20\", government = \"1\" }",
        "`payers.government` is 0.00 CNY, expected 1.00 CNY",
    );
    refused("cash = \"500\" }", "cash = \"501\" }", "`cash` is 500.00 CNY, expected 501.00 CNY");
    refused(
        "cash = \"500\" }",
        "steps = { limit = \"2\" } }",
        "`steps.limit` is 20.00 CNY, expected 2.00 CNY",
    );
    refused(
        "cash = \"500\" }",
        "accumulators = [{ id = \"met\", value = \"2\" }] }",
        "`accumulator 1 of 2026` is 200.00 CNY, expected 2.00 CNY",
    );
    refused("cash = \"500\" }", "error = \"never\" }", "must be refused with `never` and is not");
    refused(
        "expect = { payers = { pooled_fund = \"480\", other = \"20\" }, cash = \"500\" }",
        "expect = {}",
        "nothing is stated",
    );
}

#[test]
fn the_head_of_a_plan_is_checked() {
    refused(
        "id = \"test-refusals\"",
        "id = \"Test\"",
        "`plan`: `id` must be 1 to 64 of a-z, 0-9 and -",
    );
    refused("name = { en = \"refusals\" }", "name = {}", "`plan`: `name` is missing");
    refused("\"2027-12-31\"", "\"2025-12-31\"", "`plan`: `valid.from` lies behind `valid.to`");
    refused("\"01-01\"\nvisit", "\"02-29\"\nvisit", "`year_starts` must be as `01-01`");
    refused(
        "visit_types = [\"outpatient\", \"inpatient\"]",
        "visit_types = []",
        "`visit_types` must name at least one",
    );
    refused(
        "\"inpatient\"]",
        "\"hospital\"]",
        "`hospital` is not known; write one of `outpatient`, `emergency`",
    );
    refused(
        "{ low = 1, high = 2 }",
        "{ low = 1, high = 1 }",
        "`income_classes` must have different numbers from 1 to 31",
    );
    refused(
        "{ low = 1, high = 2 }",
        "{ low = 1, high = 32 }",
        "`income_classes` must have different numbers from 1 to 31",
    );
    refused("currency = \"CNY\"", "currency = \"XXX\"", "currency `XXX` is not known");
    refused("scheme = 310", "scheme = 310\ncolour = 1", "unknown field `colour`");
}

#[test]
fn numbers_that_are_not_text_and_amounts_that_are_none_are_refused() {
    refused(
        "amount = \"200\"",
        "amount = 200",
        "a decimal number written as text, such as \"12.30\"",
    );
    refused(
        "amount = \"200\"",
        "amount = \"200.001\"",
        "step `pool`: `deductibles` 1: `amount`: `200.001`: at most 2 digits may follow the point",
    );
    refused("amount = \"200\"", "amount = \"-200\"", "write the amount as digits");
    refused("amount = \"200\"", "amount = \"99999999999999\"", "is too large");
    refused("rate = \"50%\"", "rate = 0.5", "expected a string");
    refused("rate = \"50%\"", "rate = \"150%\"", "`150%` is not a share");
    refused("factor = \"0.5\"", "factor = \"100.5\"", "write a factor from 0 to 100");
    refused(
        "factor = \"0.5\"",
        "factor = \"0.5\", amount = \"1\"",
        "exactly one of `factor`, `amount` is needed",
    );
    refused(
        "deductibles = [{ amount = \"200\"",
        "deductibles = [{ amount = \"none\"",
        "`deductibles` cannot be `none`",
    );
}

#[test]
fn names_that_lead_nowhere_are_refused() {
    refused(
        "counts = \"met\"",
        "counts = \"meet\"",
        "step `pool`: `deductibles` 1: `counts`: there is no accumulator `meet`",
    );
    refused(
        "income_classes = [\"low\"]",
        "income_classes = [\"none\"]",
        "`none` is not among the plan's `income_classes` (high, low)",
    );
    refused("groups = [\"slots\"]", "groups = [\"slot\"]", "there is no group `slot`");
    refused(
        "base = { groups = [\"slots\"] }",
        "base = { groups = [\"slots\"], less = [\"paid:pol\"] }",
        "there is no step `pol`",
    );
    refused(
        "limits = [{ amount",
        "base = { less = [\"paid:limit\"] }\nlimits = [{ amount",
        "refers to a step that does not come before this one",
    );
    refused(
        "limits = [{ amount",
        "base = { of = \"paid\" }\nlimits = [{ amount",
        "there is no step ``",
    );
    refused(
        "limits = [{ amount",
        "base = { of = \"some\" }\nlimits = [{ amount",
        "`some` is not known; write `left`, `charged`",
    );
    refused("id = \"slots\"\nkind", "id = \"pool\"\nkind", "step `pool`: `id` is taken");
    refused("id = \"met\"", "id = \"Met\"", "accumulator `Met`: `id` must be 1 to 40 of a-z");
    refused("id = \"slots\"\nwith", "id = \"rest\"\nwith", "group `rest`: `id` is taken");
    refused("number = 2", "number = 1", "`number` must be 1 to 65535 and different for each");
}

#[test]
fn fields_belong_to_their_kind_and_needed_ones_are_missed() {
    refused(
        "kind = \"limit\"",
        "kind = \"limits\"",
        "`limits` is not a kind of step; use one of benefit, fixed, copay, limit",
    );
    refused(
        "limits = [{ amount = \"500\" }]",
        "limits = [{ amount = \"500\" }]\nrates = [{ rate = \"1\" }]",
        "step `limit`: `rates` does not belong to a step of kind `limit`",
    );
    refused("limits = [{ amount = \"500\" }]", "", "step `limit`: `limits` is missing");
    refused("payer = \"other\"", "", "step `limit`: `payer` is missing");
    refused(
        "reading = \"absolute\"",
        "",
        "`reading` is missing: say whether tier bounds are `absolute` or `on_excess`",
    );
    refused("words = { en = \"w\" }", "", "step `pool`: `words` and `source` are missing");
    refused("source = \"s\"", "", "step `pool`: `words` and `source` are missing");
    refused("rates = [{ rate = \"60%\" }]", "", "step `slots`: `rates` is missing");
    refused("rates = [{ rate = \"60%\" }]", "rates = [{}]", "a row needs either `rate` or `tiers`");
    refused(
        "[{ amount = \"500\", counts = \"slot\" }]",
        "[{ counts = \"slot\" }]",
        "exactly one of `amount` and `amounts` is needed",
    );
}

#[test]
fn tables_end_with_a_row_without_condition_and_tiers_ascend_from_zero() {
    refused(
        "rates = [{ rate = \"60%\" }]",
        "rates = [{ when = { age_from = 3 }, rate = \"60%\" }]",
        "step `slots`: `rates`: the last row must have no `when`",
    );
    refused(
        "rates = [{ rate = \"60%\" }]",
        "rates = [{ rate = \"60%\" }, { rate = \"50%\" }]",
        "only the last row may be without `when`",
    );
    refused("above = \"0\"", "above = \"1\"", "`tiers` must begin `above` 0 and ascend");
    refused("above = \"100\"", "above = \"0\"", "`tiers` must begin `above` 0 and ascend");
    refused("visit = 2", "visit = 1", "`repeat.from` must begin at visit 2 or later and ascend");
    refused(
        "age_from = 60",
        "age_from = 60, age_below = 60",
        "`age_from` must be below `age_below`",
    );
}

#[test]
fn accumulators_fit_what_uses_them() {
    refused(
        "of = \"stays\"",
        "of = \"met\"",
        "`repeat.of` must be an accumulator with `counts = \"visits\"`",
    );
    refused("counts = \"met\"", "counts = \"stays\"", "must be an accumulator that counts money");
    refused(
        "counts = \"met\"",
        "counts = \"slot\"",
        "accumulator 3 is per slot; only a step with `per_slot` may use it",
    );
    refused(
        "limits = [{ amount",
        "reached_counts = \"met\"\nlimits = [{ amount",
        "`reached_counts` must be an accumulator with `period = \"month\"` and `counts = \"times\"`",
    );
    refused(
        "number = 1\nperiod = \"year\"",
        "number = 1\nperiod = \"month\"",
        "set `split_stay` to `month` or `day`",
    );
    refused(
        "number = 2\nperiod = \"year\"",
        "number = 2\nperiod = \"visit\"",
        "an accumulator that counts visits needs period `year` or `lifetime`",
    );
    refused(
        "per_slot = true\nbase = { groups = [\"slots\"] }",
        "per_slot = true",
        "a step with `per_slot` needs `base.groups`",
    );
    refused(
        "per_slot = true\nbase = { groups = [\"slots\"] }",
        "per_slot = true\nbase = { groups = [\"slots\", \"rest\"] }",
        "a step with `per_slot` needs `base.groups`",
    );
    refused(
        "kind = \"limit\"\npayer = \"other\"\nlimits = [{ amount = \"500\" }]",
        "kind = \"copay\"\npayer = \"other\"\namount = { amount = \"5\", counts = \"family\" }",
        "`amount` must count an accumulator of the person",
    );
    refused(
        "limits = [{ amount = \"500\" }]",
        "limits = [{ amounts = [{ of_slot = true }, { amount = \"1\" }] }]",
        "`of_slot` needs a step with `per_slot`",
    );
    refused(
        "[{ amount = \"500\", counts = \"slot\" }]",
        "[{ amounts = [{ of_slot = true }], counts = \"slot\" }]",
        "`caps` is missing",
    );
}

#[test]
fn every_list_has_its_bound() {
    let many = |one: &str, count: usize| [one].repeat(count).join(", ");
    refused(
        "limits = [{ amount = \"500\" }]",
        &format!("limits = [{}]", many("{ amount = \"5\" }", 5)),
        "`limits` has 5 entries; at most 4 are allowed",
    );
    let rows = many("{ when = { age_from = 3 }, rate = \"1%\" }", 64);
    refused(
        "rates = [{ rate = \"60%\" }]",
        &format!("rates = [{rows}, {{ rate = \"1%\" }}]"),
        "`rates` has 65 entries; at most 64 are allowed",
    );
    let changes = many("{ add = \"1%\" }", 17);
    refused(
        "rates = [{ rate = \"60%\" }]",
        &format!("rates = [{{ rate = \"60%\" }}]\nrate_changes = [{changes}]"),
        "`rate_changes` has 17 entries; at most 16 are allowed",
    );
    let steps: String = (0..62)
        .map(|at| format!("\n[[step]]\nid = \"c{at}\"\nkind = \"count\"\ninto = \"met\"\n"))
        .collect();
    refused("\n[[example]]", &format!("{steps}\n[[example]]"), "`plan`: a plan has 1 to 64 steps");
    let groups: String = (0..7).map(|at| format!("\n[[group]]\nid = \"g{at}\"\n")).collect();
    refused("\n[[step]]", &format!("{groups}\n[[step]]"), "there are more than 7 groups");
}

fn sums(days: &[&str]) -> CategorySums {
    let row = |day: &&str| {
        let key = SumKey {
            service_date: day.parse().unwrap(),
            category: benefit::Category::Other,
            class: ItemClass::A,
            programme: 0,
            slot: SlotId(0),
        };
        SumRow { in_policy: Amount::from_minor(10_000), ..SumRow::empty(key) }
    };
    CategorySums::new(days.iter().map(row).collect()).unwrap()
}

#[test]
fn adjudicate_takes_one_period_and_says_so() {
    let (_, plan) = common::load(PLAN).unwrap();
    let facts = Facts::new(VisitType::Outpatient, HospitalLevel::Primary);
    let run =
        |sums: &CategorySums, facts: &Facts| adjudicate(&plan, sums, facts, &Accumulators::new());
    let day = |text: &str| -> CivilDate { text.parse().unwrap() };
    assert_eq!(run(&CategorySums::default(), &facts), Err(AdjudicationError::EmptyBill));
    assert_eq!(
        run(&sums(&["2026-12-31", "2027-01-01"]), &facts),
        Err(AdjudicationError::SpansPeriods { first: day("2026-12-31"), last: day("2027-01-01") })
    );
    assert_eq!(
        run(&sums(&["2028-01-01"]), &facts),
        Err(AdjudicationError::DayOutsidePlan(day("2028-01-01")))
    );
    let other = Facts::new(VisitType::Dental, HospitalLevel::Primary);
    assert_eq!(
        run(&sums(&["2026-01-01"]), &other),
        Err(AdjudicationError::VisitTypeNotCovered(VisitType::Dental))
    );
    let mut many = facts.clone();
    many.family_accounts = vec![benefit::FamilyGrant { grant: 1, available: Amount::ZERO }; 17];
    assert_eq!(run(&sums(&["2026-01-01"]), &many), Err(AdjudicationError::WrongFacts));
    assert_eq!(
        split_stay(&[&plan], &sums(&["2026-12-31", "2028-01-01"])),
        Err(AdjudicationError::NoPlan(day("2028-01-01")))
    );
}

#[test]
fn a_bill_of_more_slots_than_can_be_kept_apart_is_refused() {
    let (_, plan) = common::load(PLAN).unwrap();
    let mut facts = Facts::new(VisitType::Outpatient, HospitalLevel::Primary);
    let slots = |count: u8| (1..=count).map(SlotId);
    let fact = |slot| benefit::SlotFact { slot, group: 1, amount: None };
    facts.slots = slots(16).map(fact).collect();
    let with = |count| {
        let rows = slots(count).map(|slot| {
            let mut row = sums(&["2026-01-01"]).rows()[0];
            row.key.slot = slot;
            row
        });
        let rest = sums(&["2026-01-01"]).rows()[0];
        CategorySums::new(rows.chain([rest]).collect()).unwrap()
    };
    assert!(adjudicate(&plan, &with(15), &facts, &Accumulators::new()).is_ok());
    assert_eq!(
        adjudicate(&plan, &with(16), &facts, &Accumulators::new()),
        Err(AdjudicationError::TooManyLanes)
    );
}

#[test]
fn a_running_amount_at_the_end_of_its_range_is_an_error_not_a_wrap() {
    let (_, plan) = common::load(PLAN).unwrap();
    let mut facts = Facts::new(VisitType::Outpatient, HospitalLevel::Primary);
    facts.slots = vec![benefit::SlotFact { slot: SlotId(1), group: 1, amount: None }];
    let mut bill = sums(&["2026-01-01"]).rows()[0];
    bill.key.slot = SlotId(1);
    let bill = CategorySums::new(vec![bill]).unwrap();
    let key = benefit::AccumulatorKey {
        scope: benefit::AccumulatorScope::Person,
        number: 3,
        period: benefit::AccumulatorPeriod::year(2026),
        slot: SlotId(1),
    };
    let full: Accumulators = [(key, u64::MAX)].into_iter().collect();
    // The cap of 500 is used up long ago, so nothing is paid and nothing is added.
    assert!(adjudicate(&plan, &bill, &facts, &full).is_ok());
    let uncapped = PLAN.replacen(
        "[{ amount = \"500\", counts = \"slot\" }]",
        "[{ amount = \"none\", counts = \"slot\" }]",
        1,
    );
    let (_, plan) = common::load(&uncapped).unwrap();
    assert_eq!(adjudicate(&plan, &bill, &facts, &full), Err(AdjudicationError::TooLarge));
}

#[test]
fn a_compiled_plan_reads_back_and_keeps_its_hash_and_no_other_bytes_do() {
    let (source, plan) = common::load(PLAN).unwrap();
    let bytes = borsh::to_vec(&plan).unwrap();
    let read: Plan = borsh::from_slice(&bytes).unwrap();
    assert_eq!((read.hash(), read.id()), (plan.hash(), "test-refusals"));
    read.check_examples().unwrap();
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(borsh::from_slice::<Plan>(&longer).is_err());
    assert!(borsh::from_slice::<Plan>(&bytes[..bytes.len() - 1]).is_err());
    // The same text gives the same bytes; another source hash another plan.
    assert_eq!(compile(&source, plan.source_hash()).unwrap(), plan);
    assert_ne!(compile(&source, primitives::sha256(b"other")).unwrap().hash(), plan.hash());
    // A compiled plan holds no word of the rules.
    let text = String::from_utf8_lossy(&bytes).into_owned();
    assert!(!text.contains("pool") && !text.contains("slots"), "{text}");
}

const CATALOGUE: &str = r#"
[catalogue]
id = "test"
region = 999900
currency = "CNY"
[[item]]
code = "X"
valid = { from = "2026-01-01", to = "2026-06-30" }
class = "B"
category = "treatment"
share = "10%"
price_caps = [{ hospital_levels = ["primary"], price = "5" }, { price = "none" }]
limited_use = [{ age_from = 18, sexes = ["female"], visit_types = ["outpatient"] }]
[[item]]
code = "X"
valid = { from = "2026-07-01" }
class = "A"
category = "treatment"
"#;

fn catalogue(text: &str) -> Result<Catalogue, String> {
    let source: CatalogueSource = toml::from_str(text).map_err(|error| error.to_string())?;
    Catalogue::compile(&source).map_err(|error| error.to_string())
}

#[test]
fn catalogues_are_checked() {
    catalogue(CATALOGUE).unwrap();
    for (from, to, expected) in [
        ("share = \"10%\"", "", "item `X`: class B needs `share`"),
        (
            "class = \"A\"",
            "class = \"A\"\nshare = \"5%\"",
            "item `X`: class B needs `share`, the other classes have none",
        ),
        (
            "from = \"2026-07-01\"",
            "from = \"2026-06-30\"",
            "item `X` is there twice for the same day",
        ),
        ("to = \"2026-06-30\"", "to = \"2025-06-30\"", "`valid.from` lies behind `valid.to`"),
        ("price = \"5\"", "price = \"5.1234567\"", "`5.1234567` is not a unit price"),
        ("price = \"5\"", "price = 5", "written as text"),
        ("age_from = 18", "age_from = 18, age_below = 18", "`age_from` must be below `age_below`"),
        ("id = \"test\"", "id = \"\"", "`id` needs 1 to 64 characters"),
        ("id = \"test\"", "id = \"test\"\nunlisted = \"B\"", "`unlisted` must be `A` or `C`"),
        ("category = \"treatment\"", "category = \"magic\"", "`magic` is not known; write one of"),
    ] {
        assert!(CATALOGUE.contains(from), "{from}");
        let error = catalogue(&CATALOGUE.replacen(from, to, 1)).unwrap_err();
        assert!(error.contains(expected), "`{to}` gives: {error}");
    }
}

#[test]
fn lines_are_sorted_by_day_level_and_conditions() {
    use benefit::{AgeBand, Bill, BillError, LineReason, Sex, VisitFacts, sort_lines};
    let catalogue = catalogue(CATALOGUE).unwrap();
    let bill = |day: &str, currency: &str| -> Bill {
        serde_json::from_str(&format!(
            r#"{{"currency":"{currency}","lines":[{{"line_no":1,"item_code":"X","service_date":"{day}","quantity":"2","amount":"12"}}]}}"#
        ))
        .unwrap()
    };
    let facts = |level, age, sex| VisitFacts {
        visit_type: VisitType::Outpatient,
        hospital_level: level,
        diagnosis_groups: Vec::new(),
        age,
        sex,
    };
    let primary = HospitalLevel::Primary;
    let adult = AgeBand::exactly(30);
    for (day, facts, reason, parts) in [
        (
            "2026-06-30",
            facts(primary, adult, Sex::Female),
            LineReason::ClassBOverCap,
            [0, 200, 100, 900],
        ),
        (
            "2026-06-30",
            facts(HospitalLevel::Tertiary, adult, Sex::Female),
            LineReason::ClassB,
            [0, 0, 120, 1080],
        ),
        ("2026-07-01", facts(primary, adult, Sex::Male), LineReason::ClassA, [0, 0, 0, 1200]),
        (
            "2025-07-01",
            facts(primary, adult, Sex::Male),
            LineReason::NotInCatalogueOnDay,
            [1200, 0, 0, 0],
        ),
        (
            "2026-06-30",
            facts(primary, adult, Sex::Male),
            LineReason::OutsideConditions,
            [1200, 0, 0, 0],
        ),
        (
            "2026-06-30",
            facts(primary, AgeBand::exactly(17), Sex::Female),
            LineReason::OutsideConditions,
            [1200, 0, 0, 0],
        ),
        (
            "2026-06-30",
            facts(primary, AgeBand::ANY, Sex::Male),
            LineReason::OutsideConditions,
            [1200, 0, 0, 0],
        ),
    ] {
        let line = sort_lines(&catalogue, &bill(day, "CNY"), &facts).unwrap().lines[0];
        let sorted = [line.self_paid, line.over_cap, line.class_b_share, line.in_policy];
        assert_eq!((line.reason, sorted.map(Amount::minor)), (reason, parts), "{day} {facts:?}");
    }
    assert_eq!(
        sort_lines(
            &catalogue,
            &bill("2026-06-30", "CNY"),
            &facts(primary, AgeBand::ANY, Sex::Female)
        ),
        Err(BillError::AgeUndecided { line_no: 1 })
    );
    let error =
        sort_lines(&catalogue, &bill("2026-06-30", "USD"), &facts(primary, adult, Sex::Male));
    assert!(
        error.unwrap_err().to_string().contains("the bill is in `USD` and the catalogue in `CNY`")
    );
}

#[test]
fn facts_that_contradict_each_other_are_refused_with_field_and_remedy() {
    let plan = common::shipped_plans().join("lanzhou-employee/2026-01-01.toml");
    let (source, plan) = common::load_file(&plan);
    let key = benefit::SumKey {
        service_date: "2026-03-01".parse().unwrap(),
        category: benefit::Category::Other,
        class: benefit::ItemClass::A,
        programme: 0,
        slot: primitives::SlotId(0),
    };
    let sums = benefit::CategorySums::new(vec![benefit::SumRow::empty(key)]).unwrap();
    let read = |facts: &str| {
        let text = format!("visit_type = \"outpatient\"\n{facts}");
        let facts: benefit::source::FactsSource = toml::from_str(&text).unwrap();
        benefit::read_person(&facts, &[], &[(&source, &plan)], &sums)
    };
    for (facts, words) in [
        ("age = 200", "`age` says 200 years; write the age in full years"),
        ("age_band = [131, 140]", "`age_band` says 131 years"),
        ("person_classes = [\"active\", \"retired\"]", "both `active` and `retired`; leave out"),
        ("filing = \"unfiled\"", "`filing` is `unfiled` at the insured place"),
        ("filing = \"unfiled\"\nplace = \"home\"", "leave `filing` out or say the `place`"),
    ] {
        let error = read(facts).unwrap_err();
        assert!(error.contains(words), "{error}");
    }
    for facts in [
        "age = 130",
        "age_band = [90, 255]",
        "person_classes = [\"retired\", \"civil_servant\"]",
        "filing = \"unfiled\"\nplace = \"province\"",
    ] {
        read(facts).unwrap();
    }
}
