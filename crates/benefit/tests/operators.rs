//! Every operator and every field of it: small plans whose examples must come out when they load.
//! The expected numbers are worked out by hand in the comments.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]

mod common;

const HEAD: &str = r#"
[plan]
id = "test-operators"
name = { en = "operators" }
region = 999900
scheme = 310
currency = "CNY"
valid = { from = "2026-01-01", to = "2027-12-31" }
visit_types = ["outpatient", "inpatient"]
"#;

/// A plan of accumulators, written as `id period [options]`, and a body of steps and examples.
fn plan_text(head: &str, accumulators: &[&str], body: &str) -> String {
    let mut text = format!("{HEAD}{head}\n");
    for (number, line) in (1..).zip(accumulators) {
        let mut words = line.split_whitespace();
        let (id, period) = (words.next().unwrap(), words.next().unwrap());
        text +=
            &format!("[[accumulator]]\nid = \"{id}\"\nnumber = {number}\nperiod = \"{period}\"\n");
        for option in words {
            let (key, value) = option.split_once('=').unwrap();
            let value = if value == "true" { value.into() } else { format!("\"{value}\"") };
            text += &format!("{key} = {value}\n");
        }
    }
    // Every paying step needs words and a source; they are the same everywhere here.
    let law = "words = { en = \"w\" }\nsource = \"s\"\n";
    text += &body.replace("payer = ", &format!("{law}payer = "));
    text.replace("kind = \"personal_account\"\n", &format!("kind = \"personal_account\"\n{law}"))
        .replace("kind = \"family_account\"\n", &format!("kind = \"family_account\"\n{law}"))
}

fn loads_with(head: &str, accumulators: &[&str], body: &str) {
    let text = plan_text(head, accumulators, body);
    if let Err(error) = common::load(&text) {
        panic!("{error}");
    }
}

fn loads(accumulators: &[&str], body: &str) {
    loads_with("", accumulators, body);
}

/// An example of visits, each written as `date | facts | rows | expect`.
fn example(visits: &[&str]) -> String {
    let mut text = String::from("\n[[example]]\nid = \"one\"\n");
    for visit in visits {
        let parts: Vec<&str> = visit.split('|').map(str::trim).collect();
        let facts = if parts[1].contains("visit_type") {
            parts[1].to_owned()
        } else {
            format!("visit_type = \"outpatient\", {}", parts[1])
        };
        let facts = facts.trim_end_matches(", ");
        text += &format!(
            "[[example.visit]]\ndate = \"{}\"\nfacts = {{ {facts} }}\nrow = [{}]\nexpect = {{ {} }}\n",
            parts[0], parts[2], parts[3]
        );
    }
    text
}

fn pool(rest: &str) -> String {
    format!("[[step]]\nid = \"pool\"\nkind = \"benefit\"\npayer = \"pooled_fund\"\n{rest}\n")
}

#[test]
fn a_yearly_deductible_is_met_once_and_begins_anew_with_the_year() {
    let body = pool(
        "deductibles = [{ amount = \"200\", counts = \"met\" }]\nrates = [{ rate = \"50%\" }]",
    ) + &example(&[
        r#"2026-03-01 | | { in_policy = "150" } | deductible = "150", payers = {}"#,
        r#"2026-04-01 | | { in_policy = "150" } | deductible = "50", payers = { pooled_fund = "50" }"#,
        r#"2026-05-01 | | { in_policy = "10" } | deductible = "0", payers = { pooled_fund = "5" }"#,
        r#"2027-01-01 | | { in_policy = "300" } | deductible = "200", payers = { pooled_fund = "50" }"#,
    ]);
    loads(&["met year"], &body);
}

#[test]
fn a_plan_year_may_begin_in_april() {
    let body = pool(
        "deductibles = [{ amount = \"200\", counts = \"met\" }]\nrates = [{ rate = \"50%\" }]",
    ) + &example(&[
        r#"2026-03-31 | | { in_policy = "200" } | deductible = "200", accumulators = [{ id = "met", period = "2025", value = "200" }]"#,
        r#"2026-04-01 | | { in_policy = "200" } | deductible = "200", accumulators = [{ id = "met", period = "2026", value = "200" }]"#,
        r#"2027-03-31 | | { in_policy = "200" } | deductible = "0""#,
    ]);
    loads_with("year_starts = \"04-01\"", &["met year"], &body);
}

#[test]
fn of_individual_and_family_deductible_the_least_open_is_taken_and_the_family_one_needs_a_family() {
    let body = pool(
        "deductibles = [{ amount = \"300\", counts = \"own\" }, { amount = \"500\", counts = \"family\" }]\nrates = [{ rate = \"1\" }]",
    ) + &example(&[
        r#"2026-03-01 | in_family = true | { in_policy = "300" } | deductible = "300", accumulators = [{ id = "family", value = "300" }]"#,
        r#"2026-03-02 | in_family = true | { in_policy = "300" } | deductible = "0""#,
        r#"2026-03-02 | | { in_policy = "300" } | deductible = "0", accumulators = [{ id = "family", value = "300" }]"#,
    ]) + "[[example]]\nid = \"two\"\naccumulators = [{ id = \"family\", value = \"400\" }]\n[[example.visit]]\ndate = \"2026-03-01\"\nfacts = { visit_type = \"outpatient\", in_family = true }\nrow = [{ in_policy = \"300\" }]\nexpect = { deductible = \"100\", accumulators = [{ id = \"own\", value = \"100\" }, { id = \"family\", value = \"500\" }] }\n";
    loads(&["own year", "family year scope=family"], &body);
}

#[test]
fn from_the_second_stay_on_the_deductible_is_half_and_the_third_is_free() {
    let count = "[[step]]\nid = \"count\"\nkind = \"count\"\nwhat = \"visit\"\ninto = \"stays\"\n";
    let body = count.to_owned()
        + &pool(
            "deductibles = [{ amount = \"1001\", counts = \"met\", repeat = { of = \"stays\", from = [{ visit = 2, factor = \"0.5\" }, { visit = 3, amount = \"0\" }] } }]\nrates = [{ rate = \"1\" }]",
        )
        + &example(&[
            r#"2026-03-01 | | { in_policy = "5000" } | deductible = "1001""#,
            r#"2026-03-02 | | { in_policy = "5000" } | deductible = "500.50""#,
            r#"2026-03-03 | | { in_policy = "5000" } | deductible = "0""#,
            r#"2026-03-04 | | { in_policy = "5000" } | deductible = "0", accumulators = [{ id = "stays", value = "4" }]"#,
            r#"2027-03-04 | | { in_policy = "5000" } | deductible = "1001""#,
        ]);
    loads(&["stays year counts=visits", "met visit"], &body);
}

#[test]
fn every_further_stay_takes_a_step_off_down_to_a_floor() {
    let count = "[[step]]\nid = \"count\"\nkind = \"count\"\nwhat = \"visit\"\ninto = \"stays\"\n";
    let body = count.to_owned()
        + &pool(
            "deductibles = [{ amount = \"500\", repeat = { of = \"stays\", less = \"150\", floor = \"300\" } }]\nrates = [{ rate = \"1\" }]",
        )
        + &example(&[
            r#"2026-03-01 | | { in_policy = "5000" } | deductible = "500""#,
            r#"2026-03-02 | | { in_policy = "5000" } | deductible = "350""#,
            r#"2026-03-03 | | { in_policy = "5000" } | deductible = "300""#,
        ]);
    loads(&["stays year counts=visits"], &body);
}

#[test]
fn a_stay_across_the_new_year_is_one_visit_with_one_deductible_and_two_yearly_caps() {
    let count = "[[step]]\nid = \"count\"\nkind = \"count\"\nwhat = \"visit\"\ninto = \"stays\"\n";
    // December: 1,000 - 600 = 400, x 50 % = 200, cap 150. January: 1,000 x 50 % = 500, cap 150.
    let body = count.to_owned()
        + &pool(
            "deductibles = [{ amount = \"600\", counts = \"met\", repeat = { of = \"stays\", from = [{ visit = 2, factor = \"0.5\" }] } }]\nrates = [{ rate = \"50%\" }]\ncaps = [{ amount = \"150\", counts = \"paid\" }]",
        )
        + &example(&[
            r#"2026-12-30 | | { in_policy = "1000" }, { date = "2027-01-02", in_policy = "1000" } | deductible = "600", payers = { pooled_fund = "300" }, accumulators = [{ id = "paid", period = "2026", value = "150" }, { id = "paid", period = "2027", value = "150" }, { id = "stays", period = "2026", value = "1" }, { id = "stays", period = "2027", value = "0" }]"#,
            r#"2027-02-01 | | { in_policy = "1000" } | deductible = "600""#,
        ]);
    loads(&["stays year counts=visits", "met visit", "paid year"], &body);
}

#[test]
fn stays_are_cut_by_month_or_day_or_not_at_all() {
    let days = r#"2026-01-31 | | { in_policy = "100" }, { date = "2026-02-01", in_policy = "100" }, { date = "2026-02-02", in_policy = "100" }"#;
    for (split, paid) in [("never", "60"), ("year", "60"), ("month", "120"), ("day", "180")] {
        // 60 a part at the most, whatever the parts are.
        let body = pool("rates = [{ rate = \"1\" }]\ncaps = [{ amount = \"60\" }]")
            + &example(&[&format!("{days} | payers = {{ pooled_fund = \"{paid}\" }}")]);
        loads_with(&format!("split_stay = \"{split}\""), &[], &body);
    }
    // Uncut, the year of the last day counts.
    let body = pool("rates = [{ rate = \"1\" }]\ncaps = [{ amount = \"60\", counts = \"paid\" }]")
        + &example(&[
            r#"2026-12-31 | | { in_policy = "100" }, { date = "2027-01-01", in_policy = "100" } | accumulators = [{ id = "paid", period = "2027", value = "60" }, { id = "paid", period = "2026", value = "0" }]"#,
        ]);
    loads_with("split_stay = \"never\"", &["paid year"], &body);
}

#[test]
fn amounts_per_day_take_the_days_of_the_part() {
    // 10 a day: three days given, then counted from the rows, then cut by year into 2 and 1.
    let body = "[[step]]\nid = \"pool\"\nkind = \"copay\"\npayer = \"pooled_fund\"\namount = { amounts = [{ amount = \"10\", per_day = true }] }\n".to_owned()
        + &example(&[
            r#"2026-03-01 | days = 3 | { in_policy = "100" } | cash = "30""#,
            r#"2026-03-01 | | { in_policy = "100" }, { date = "2026-03-05", in_policy = "100" } | cash = "20""#,
            r#"2026-12-30 | days = 9 | { in_policy = "100" }, { date = "2026-12-31", in_policy = "100" }, { date = "2027-01-01", in_policy = "5" } | cash = "25""#,
        ]);
    loads(&[], &body);
}

#[test]
fn tiers_continue_where_the_year_stands_in_both_readings() {
    let tiers = "rates = [{ tiers = [{ above = \"0\", rate = \"50%\" }, { above = \"1000\", rate = \"80%\" }] }]\nposition = \"position\"\ndeductibles = [{ amount = \"300\", counts = \"met\" }]\n";
    // Absolute: 800 -> 300 deductible, 300..800 at 50 % = 250. Then 800..1000 at 50 % = 100,
    // 1000..1400 at 80 % = 320.
    let absolute = pool(&format!("reading = \"absolute\"\n{tiers}"))
        + &example(&[
            r#"2026-03-01 | | { in_policy = "800" } | payers = { pooled_fund = "250" }, accumulators = [{ id = "position", value = "800" }]"#,
            r#"2026-03-02 | | { in_policy = "600" } | payers = { pooled_fund = "420" }, accumulators = [{ id = "position", value = "1400" }]"#,
        ]);
    loads(&["position year", "met year"], &absolute);
    // On the excess: 0..500 at 50 % = 250. Then 500..1000 at 50 % = 250, 1000..1100 at 80 % = 80.
    let excess = pool(&format!("reading = \"on_excess\"\n{tiers}"))
        + &example(&[
            r#"2026-03-01 | | { in_policy = "800" } | payers = { pooled_fund = "250" }, accumulators = [{ id = "position", value = "500" }]"#,
            r#"2026-03-02 | | { in_policy = "600" } | payers = { pooled_fund = "330" }, accumulators = [{ id = "position", value = "1100" }]"#,
        ]);
    loads(&["position year", "met year"], &excess);
    // By visit, both visits begin at zero.
    let by_visit = pool(
        "reading = \"absolute\"\nrates = [{ tiers = [{ above = \"0\", rate = \"50%\" }, { above = \"1000\", rate = \"80%\" }] }]",
    ) + &example(&[
        r#"2026-03-01 | | { in_policy = "1100" } | payers = { pooled_fund = "580" }"#,
        r#"2026-03-02 | | { in_policy = "1100" } | payers = { pooled_fund = "580" }"#,
    ]);
    loads(&[], &by_visit);
}

#[test]
fn rates_change_by_points_factors_and_the_persons_share_in_order() {
    let rate = |changes: &str, paid: &str| {
        let body = pool(&format!("rates = [{{ rate = \"85%\" }}]\nrate_changes = [{changes}]"))
            + &example(&[&format!(
                r#"2026-03-01 | place = "province", filing = "unfiled", person_classes = ["retired"] | {{ in_policy = "1000" }} | payers = {{ pooled_fund = "{paid}" }}"#
            )]);
        loads(&[], &body);
    };
    rate("{ add = \"5%\" }", "900");
    rate("{ add = \"50%\" }", "1000");
    rate("{ less = \"5%\" }", "800");
    rate("{ factor = \"0.9\" }", "765");
    rate("{ factor = \"2\" }", "1000");
    rate("{ self_share_factor = \"0.6\" }", "910");
    rate("{ self_share_factor = \"100\" }", "0.00\", second_programme = \"0");
    rate("{ add = \"5%\" }, { factor = \"0.9\" }", "810");
    rate("{ factor = \"0.9\" }, { add = \"5%\" }", "815");
    rate(
        "{ when = { filings = [\"unfiled\"] }, factor = \"0.7\" }, { when = { person_classes = [\"active\"] }, add = \"10%\" }",
        "595",
    );
    // 0.333333 x 0.333333 = 0.111110888889, cut to 0.111110: of 1,000 that is 111.11.
    rate("{ less = \"51.6667%\" }, { factor = \"0.333333\" }", "111.11");
}

#[test]
fn caps_hold_per_visit_day_month_year_and_lifetime() {
    let visits = |paid: [&str; 4]| {
        let days = ["2026-03-01", "2026-03-01", "2026-03-02", "2027-04-01"];
        days.iter()
            .zip(paid)
            .map(|(day, paid)| {
                format!(
                    "{day} | | {{ in_policy = \"100\" }} | payers = {{ pooled_fund = \"{paid}\" }}"
                )
            })
            .collect::<Vec<_>>()
    };
    for (span, paid) in [
        ("visit", ["70", "70", "70", "70"]),
        ("day", ["70", "0", "70", "70"]),
        ("month", ["70", "0", "0", "70"]),
        ("year", ["70", "0", "0", "70"]),
        ("lifetime", ["70", "0", "0", "0"]),
    ] {
        let visits = visits(paid);
        let visits: Vec<&str> = visits.iter().map(String::as_str).collect();
        let body =
            pool("rates = [{ rate = \"1\" }]\ncaps = [{ amount = \"70\", counts = \"paid\" }]")
                + &example(&visits);
        let split = if matches!(span, "day" | "month") { span } else { "year" };
        loads_with(&format!("split_stay = \"{split}\""), &[&format!("paid {span}")], &body);
    }
}

#[test]
fn two_caps_hold_side_by_side_and_one_is_shared_by_two_steps() {
    let body = pool(
        "when = { visit_types = [\"outpatient\"] }\nrates = [{ rate = \"1\" }]\ncaps = [{ amount = \"50\", counts = \"outpatient\" }, { amount = \"80\", counts = \"all\" }]",
    ) + "[[step]]\nid = \"stay\"\nkind = \"benefit\"\npayer = \"pooled_fund\"\nwhen = { visit_types = [\"inpatient\"] }\nrates = [{ rate = \"1\" }]\ncaps = [{ amount = \"80\", counts = \"all\" }]\n"
        + &example(&[
            r#"2026-03-01 | | { in_policy = "100" } | payers = { pooled_fund = "50" }"#,
            r#"2026-03-02 | visit_type = "inpatient" | { in_policy = "100" } | payers = { pooled_fund = "30" }, accumulators = [{ id = "all", value = "80" }]"#,
        ]);
    loads(&["outpatient year", "all year"], &body);
}

#[test]
fn a_base_cap_limits_what_is_looked_at_before_the_deductible() {
    // 1,000 is capped to 600, 100 deductible, 500 x 50 % = 250; the cap is used up by 600.
    let body = pool(
        "base_caps = [{ amount = \"600\", counts = \"base\" }]\ndeductibles = [{ amount = \"100\" }]\nrates = [{ rate = \"50%\" }]",
    ) + &example(&[
        r#"2026-03-01 | | { in_policy = "1000" } | payers = { pooled_fund = "250" }, accumulators = [{ id = "base", value = "600" }]"#,
        r#"2026-03-02 | | { in_policy = "1000" } | deductible = "0", payers = {}"#,
    ]);
    loads(&["base year"], &body);
}

#[test]
fn caps_grow_with_unbroken_and_claim_free_years_up_to_a_bound() {
    let grow = "caps = [{ amount = \"100\", grow = { per_unbroken_year = \"10\", after = 4, per_claim_free_year = \"5\", at_most = \"45\", at_most_share = \"42%\" } }]";
    let body = pool(&format!("rates = [{{ rate = \"1\" }}]\n{grow}"))
        + &example(&[
            r#"2026-03-01 | unbroken_years = 4 | { in_policy = "900" } | payers = { pooled_fund = "100" }"#,
            r#"2026-03-01 | unbroken_years = 6, claim_free_years = 1 | { in_policy = "900" } | payers = { pooled_fund = "125" }"#,
            r#"2026-03-01 | unbroken_years = 99 | { in_policy = "900" } | payers = { pooled_fund = "142" }"#,
        ]);
    loads(&[], &body);
}

#[test]
fn amounts_change_in_order_and_none_is_no_limit() {
    let body = pool(
        "rates = [{ rate = \"1\" }]\ncaps = [{ amounts = [{ when = { person_classes = [\"student\"] }, amount = \"none\" }, { amount = \"101\" }], changes = [{ factor = \"0.5\" }, { when = { person_classes = [\"retired\"] }, add = \"20\" }, { when = { person_classes = [\"child\"] }, less = \"90\" }] }]",
    ) + &example(&[
        r#"2026-03-01 | | { in_policy = "900" } | payers = { pooled_fund = "50.50" }"#,
        r#"2026-03-01 | person_classes = ["retired"] | { in_policy = "900" } | payers = { pooled_fund = "70.50" }"#,
        r#"2026-03-01 | person_classes = ["child"] | { in_policy = "900" } | payers = {}"#,
        r#"2026-03-01 | person_classes = ["student"] | { in_policy = "900" } | payers = { pooled_fund = "900" }"#,
    ]);
    loads(&[], &body);
}

#[test]
fn rounding_is_by_tier_or_once_of_benefit_or_person_by_mode_and_unit() {
    // Tiers of 0.05 and 0.05 at 50 %: 0.025 each.
    let tiers = "reading = \"absolute\"\nrates = [{ tiers = [{ above = \"0\", rate = \"50%\" }, { above = \"0.05\", rate = \"50%\" }] }]\n";
    for (rounding, paid) in [
        ("{ mode = \"half_up\", at = \"tier\" }", "0.06"),
        ("{ mode = \"half_up\", at = \"once\" }", "0.05"),
        ("{ mode = \"floor\" }", "0.04"),
        ("{ mode = \"ceiling\" }", "0.06"),
        ("{ mode = \"half_even\" }", "0.04"),
        ("{ of = \"person\" }", "0.04"),
        ("{ of = \"person\", at = \"once\" }", "0.05"),
        ("{ unit = \"0.10\", at = \"once\" }", "0.10"),
        ("{ unit = \"0.10\", at = \"once\", of = \"person\" }", "0"),
    ] {
        let body = pool(&format!("{tiers}rounding = {rounding}"))
            + &example(&[&format!(
                r#"2026-03-01 | | {{ in_policy = "0.10" }} | payers = {{ pooled_fund = "{paid}" }}"#
            )]);
        loads(&[], &body);
    }
    // The plan's rounding holds for steps that state none.
    let body = pool(tiers)
        + &example(&[
            r#"2026-03-01 | | { in_policy = "0.10" } | payers = { pooled_fund = "0.04" }"#,
        ]);
    loads_with("rounding = { mode = \"floor\" }", &[], &body);
}

#[test]
fn a_base_is_what_is_left_what_was_charged_or_a_number_of_an_earlier_step() {
    // pool: base 1,000, cap on the base 900, deductible 100, 800 x 50 % = 400, cap 300. Left 700.
    let first = pool(
        "base_caps = [{ amount = \"900\" }]\ndeductibles = [{ amount = \"100\" }]\nrates = [{ rate = \"50%\" }]\ncaps = [{ amount = \"300\" }]",
    );
    for (base, paid) in [
        ("{}", "700"),
        ("{ of = \"charged\" }", "700"),
        ("{ of = \"deductible:pool\" }", "100"),
        ("{ of = \"self_share:pool\" }", "400"),
        ("{ of = \"cut:pool\" }", "200"),
        ("{ of = \"paid:pool\" }", "300"),
        ("{ less = [\"deductible:pool\", \"cut:pool\"] }", "400"),
        ("{ parts = [\"in_policy\", \"class_b_share\"] }", "710"),
        ("{ parts = [\"self_paid\"] }", "7"),
        ("{ parts = [\"over_cap\"] }", "5"),
    ] {
        let body = first.clone()
            + &format!(
                "[[step]]\nid = \"second\"\nkind = \"benefit\"\npayer = \"other\"\nbase = {base}\nrates = [{{ rate = \"1\" }}]\n"
            )
            + &example(&[&format!(
                r#"2026-03-01 | | {{ in_policy = "1000", class_b_share = "10", over_cap = "5", self_paid = "7" }} | payers = {{ pooled_fund = "300", other = "{paid}" }}"#
            )]);
        loads(&[], &body);
    }
    // A share of what was charged, limited to what is left: 1,000 x 80 % = 800, but 700 is left.
    let body = first
        + "[[step]]\nid = \"second\"\nkind = \"benefit\"\npayer = \"other\"\nbase = { of = \"charged\" }\nrates = [{ rate = \"60%\" }]\n[[step]]\nid = \"third\"\nkind = \"count\"\nbase = { of = \"charged\" }\ninto = \"counted\"\n"
        + &example(&[
            r#"2026-03-01 | | { in_policy = "1000" } | payers = { pooled_fund = "300", other = "420" }, cash = "280", accumulators = [{ id = "counted", value = "1000" }]"#,
        ]);
    loads(&["counted year"], &body);
}

#[test]
fn groups_take_rows_by_category_class_and_programme_and_the_first_that_fits_counts() {
    let groups = r#"
[[group]]
id = "dental"
categories = ["dental"]
[[group]]
id = "b"
classes = ["B"]
[[group]]
id = "programme"
programmes = ["second"]
with_slot = false
"#;
    let step = |id: &str, group: &str, rate: &str| {
        format!(
            "[[step]]\nid = \"{id}\"\nkind = \"benefit\"\npayer = \"pooled_fund\"\nbase = {{ groups = [\"{group}\"] }}\nrates = [{{ rate = \"{rate}\" }}]\n"
        )
    };
    let body = groups.to_owned()
        + &step("dental", "dental", "10%")
        + &step("b", "b", "20%")
        + &step("programme", "programme", "30%")
        + &step("others", "rest", "40%")
        + &example(&[
            r#"2026-03-01 | | { in_policy = "100", category = "dental", class = "B" }, { in_policy = "100", class = "B", programme = "second" }, { in_policy = "100", programme = "second" }, { in_policy = "100", category = "bed" } | steps = { dental = "10", b = "20", programme = "30", others = "40" }"#,
        ]);
    loads_with("programmes = { second = 2 }", &[], &body);
}

#[test]
fn slots_have_their_own_caps_by_group_or_by_certificate() {
    let body = "[[group]]\nid = \"chronic\"\nwith_slot = true\nper_slot = true\n".to_owned()
        + "[[step]]\nid = \"chronic\"\nkind = \"benefit\"\npayer = \"pooled_fund\"\nper_slot = true\nbase = { groups = [\"chronic\"] }\nrates = [{ when = { slot_groups = [\"high\"] }, rate = \"80%\" }, { rate = \"50%\" }]\ncaps = [{ amounts = [{ when = { slot_groups = [\"high\"] }, amount = \"100\" }, { of_slot = true }, { amount = \"30\" }], counts = \"slot\" }, { amount = \"170\", counts = \"all\" }]\n"
        + &example(&[
            r#"2026-03-01 | slots = [{ slot = 1, group = "high" }, { slot = 2, group = "low" }, { slot = 7, group = "low", amount = "60" }] | { in_policy = "100", slot = 1 }, { in_policy = "100", slot = 2 }, { in_policy = "200", slot = 7 }, { in_policy = "50" } | payers = { pooled_fund = "170" }, accumulators = [{ id = "slot", slot = 1, value = "80" }, { id = "slot", slot = 2, value = "30" }, { id = "slot", slot = 7, value = "60" }]"#,
            r#"2026-03-02 | slots = [{ slot = 1, group = "high" }] | { in_policy = "100", slot = 1 } | payers = {}"#,
        ]);
    loads_with(
        "slot_groups = { high = 1, low = 2 }",
        &["slot year per_slot=true", "all year"],
        &body,
    );
}

#[test]
fn a_condition_on_slot_groups_outside_slots_asks_all_of_them() {
    let body = pool("when = { slot_groups = [\"high\"] }\nrates = [{ rate = \"1\" }]")
        + &example(&[
            r#"2026-03-01 | slots = [{ slot = 1, group = "low" }, { slot = 2, group = "high" }] | { in_policy = "10" } | payers = { pooled_fund = "10" }"#,
            r#"2026-03-01 | slots = [{ slot = 1, group = "low" }] | { in_policy = "10" } | payers = {}"#,
        ]);
    loads_with("slot_groups = { high = 1, low = 2 }", &[], &body);
}

#[test]
fn groups_take_part_only_with_enough_left_after_an_earlier_step() {
    let body = "[[group]]\nid = \"a\"\ncategories = [\"bed\"]\n".to_owned()
        + &pool("rates = [{ rate = \"50%\" }]")
        + "[[step]]\nid = \"joint\"\nkind = \"limit\"\npayer = \"other\"\nbase = { groups_with = { left_after = \"pool\", at_least = \"50\" } }\nlimits = [{ amount = \"60\" }]\n"
        + &example(&[
            r#"2026-03-01 | | { in_policy = "100", category = "bed" }, { in_policy = "100" } | steps = { joint = "40" }"#,
            r#"2026-03-01 | | { in_policy = "99.98", category = "bed" }, { in_policy = "200" } | steps = { joint = "40" }, cash = "109.99""#,
        ]);
    loads(&[], &body);
}

#[test]
fn a_monthly_limit_counts_what_was_borne_and_charged_in_earlier_visits() {
    // Limit 100 + 1 % of the bill above 1,000. First visit: 200 left of 800 charged: 100 is over.
    // Second: 300 left, limit 100 + 1 % of 400 = 104, 100 borne: 4 open, 296 over.
    let body = pool("rates = [{ rate = \"75%\" }]")
        + "[[step]]\nid = \"limit\"\nkind = \"limit\"\npayer = \"other\"\ncharged_counts = \"charged\"\nreached_counts = \"reached\"\nlimits = [{ amounts = [{ when = { months_reached = { of = \"reached\", within = 12, at_least = 2 } }, amount = \"50\" }, { amount = \"100\", plus = { share = \"1%\", of_charged_above = \"1000\" } }], counts = \"borne\" }]\n"
        + &example(&[
            r#"2026-03-01 | | { in_policy = "800" } | steps = { limit = "100" }, cash = "100""#,
            r#"2026-03-31 | | { in_policy = "600" } | steps = { limit = "46" }, cash = "104""#,
            r#"2026-04-01 | | { in_policy = "600" } | steps = { limit = "50" }, accumulators = [{ id = "reached", value = "1" }, { id = "reached", period = "2026-03", value = "2" }]"#,
            r#"2026-05-01 | | { in_policy = "100" } | steps = { limit = "0" }, cash = "25""#,
            r#"2026-05-02 | | { in_policy = "800" } | steps = { limit = "175" }, cash = "25""#,
            r#"2027-04-01 | | { in_policy = "800" } | steps = { limit = "100" }"#,
        ]);
    // The second visit leaves 150; 104 - 100 = 4 is open, 146 over.
    let body = body.replace("limit = \"46\" }, cash = \"104\"", "limit = \"146\" }, cash = \"4\"");
    loads_with(
        "split_stay = \"month\"",
        &["charged month", "reached month counts=times", "borne month"],
        &body,
    );
}

#[test]
fn the_strictest_of_several_limits_counts_and_a_cap_binds_the_payer() {
    let body = "[[step]]\nid = \"limit\"\nkind = \"limit\"\npayer = \"other\"\nlimits = [{ amount = \"100\", counts = \"own\" }, { amount = \"150\", counts = \"family\" }]\ncaps = [{ amount = \"70\" }]\n".to_owned()
        + &example(&[
            r#"2026-03-01 | in_family = true | { in_policy = "120" } | steps = { limit = "20" }, accumulators = [{ id = "own", value = "100" }, { id = "family", value = "100" }]"#,
            r#"2026-03-02 | in_family = true | { in_policy = "60" } | steps = { limit = "60" }"#,
            r#"2026-03-02 | in_family = true | { in_policy = "90" } | steps = { limit = "70" }, accumulators = [{ id = "own", value = "120" }]"#,
        ]);
    loads(&["own year", "family year scope=family"], &body);
}

#[test]
fn a_month_of_75_halves_amount_and_threshold_of_a_limit() {
    // 80,100 + 1 % above 267,000, halved: 40,050 + 1 % of (500,000 - 133,500) = 43,715.
    let body = pool("rates = [{ rate = \"70%\" }]")
        + "[[step]]\nid = \"limit\"\nkind = \"limit\"\npayer = \"other\"\nlimits = [{ amounts = [{ amount = \"80100\", plus = { share = \"1%\", of_charged_above = \"267000\" } }], changes = [{ when = { month_of_75 = true }, factor = \"0.5\" }] }]\n"
        + &example(&[
            r#"2026-03-01 | month_of_75 = true | { in_policy = "500000" } | cash = "43715""#,
            r#"2026-03-01 | month_of_75 = false | { in_policy = "500000" } | cash = "82430""#,
        ]);
    loads(&[], &body);
}

#[test]
fn a_copay_is_kept_by_the_person_and_may_run_over_a_period() {
    let body = "[[step]]\nid = \"visit\"\nkind = \"copay\"\npayer = \"pooled_fund\"\namount = { amount = \"30\", counts = \"kept\" }\ncaps = [{ amount = \"500\" }]\n".to_owned()
        + &example(&[
            r#"2026-03-01 | | { in_policy = "20" } | cash = "20", payers = {}"#,
            r#"2026-03-02 | | { in_policy = "100" } | cash = "10""#,
            r#"2026-03-03 | | { in_policy = "600" } | cash = "100", payers = { pooled_fund = "500" }"#,
        ]);
    loads(&["kept year"], &body);
}

#[test]
fn a_fixed_amount_is_paid_up_to_the_bill_and_used_up_over_its_period() {
    let body = "[[step]]\nid = \"lump\"\nkind = \"fixed\"\npayer = \"maternity\"\namount = { amounts = [{ when = { hospital_levels = [\"tertiary_a\"] }, amount = \"4000\" }, { amount = \"3000\" }], counts = \"lump\" }\ncaps = [{ amount = \"2500\" }]\n".to_owned()
        + &example(&[
            r#"2026-03-01 | hospital_level = "tertiary_a" | { in_policy = "5000" } | payers = { maternity = "2500" }, cash = "2500""#,
            r#"2026-03-02 | hospital_level = "tertiary_a" | { in_policy = "5000" } | payers = { maternity = "1500" }"#,
            r#"2026-03-02 | hospital_level = "secondary" | { in_policy = "5000" } | payers = {}"#,
            r#"2027-03-02 | hospital_level = "secondary" | { in_policy = "100" } | payers = { maternity = "100" }"#,
        ]);
    loads(&["lump year"], &body);
}

#[test]
fn own_account_pays_first_then_family_accounts_in_order_each_what_it_may() {
    let body = "[[step]]\nid = \"own\"\nkind = \"personal_account\"\nbase = { parts = [\"in_policy\", \"class_b_share\"] }\ncaps = [{ amount = \"60\", counts = \"own\" }]\n[[step]]\nid = \"family\"\nkind = \"family_account\"\ncaps = [{ amount = \"50\" }]\n[[step]]\nid = \"own_again\"\nkind = \"personal_account\"\nbase = { parts = [\"self_paid\"] }\n".to_owned()
        + &example(&[
            r#"2026-03-01 | personal_account = "70", family_accounts = ["30", "100"] | { in_policy = "150", self_paid = "20" } | personal_account = "70", family_account = "50", cash = "50", person = "170", steps = { own = "60", family = "50", own_again = "10" }"#,
            r#"2026-03-02 | family_accounts = ["30"] | { in_policy = "150", self_paid = "20" } | personal_account = "0", family_account = "30", cash = "140""#,
            r#"2026-03-02 | personal_account = "70" | { in_policy = "150", self_paid = "20" } | personal_account = "20", family_account = "0", cash = "150""#,
        ]);
    loads(&["own year"], &body);
}

#[test]
fn amounts_are_counted_and_open_a_step_from_a_value_on() {
    // The large-amount fund begins when the pool has paid its cap.
    let body = pool("rates = [{ rate = \"1\" }]\ncaps = [{ amount = \"100\", counts = \"paid\" }]")
        + "[[step]]\nid = \"large\"\nkind = \"benefit\"\npayer = \"large_amount\"\nwhen = { accumulated = { of = \"paid\", from = \"100\" } }\nrates = [{ rate = \"90%\" }]\n[[step]]\nid = \"burden\"\nkind = \"count\"\ninto = \"burden\"\nbase = { parts = [\"in_policy\", \"self_paid\"] }\n"
        + &example(&[
            r#"2026-03-01 | | { in_policy = "60", self_paid = "1" } | payers = { pooled_fund = "60" }, accumulators = [{ id = "burden", value = "1" }]"#,
            r#"2026-03-02 | | { in_policy = "60", self_paid = "1" } | payers = { pooled_fund = "40", large_amount = "18" }, accumulators = [{ id = "burden", value = "4" }]"#,
        ]);
    loads(&["paid year", "burden lifetime"], &body);
}

#[test]
fn every_kind_of_condition_holds_and_fails() {
    let head = "income_classes = { low = 1, high = 2 }\ndiagnosis_groups = { one = 1, two = 2 }";
    for (when, holds, fails) in [
        ("visit_types = [\"inpatient\"]", "visit_type = \"inpatient\"", ""),
        (
            "hospital_levels = [\"primary\", \"community\"]",
            "hospital_level = \"community\"",
            "hospital_level = \"tertiary\"",
        ),
        ("places = [\"elsewhere\"]", "place = \"elsewhere\"", "place = \"province\""),
        ("filings = [\"referral\"]", "filing = \"referral\"", "filing = \"emergency\""),
        ("networks = [\"out\"]", "network = \"out\"", ""),
        ("sexes = [\"female\"]", "sex = \"female\"", ""),
        (
            "person_classes = [\"retired\", \"student\"]",
            "person_classes = [\"student\", \"child\"]",
            "person_classes = [\"child\"]",
        ),
        (
            "person_classes_not = [\"retired\"]",
            "",
            "person_classes = [\"retired\", \"civil_servant\"]",
        ),
        ("income_classes = [\"low\"]", "income_class = \"low\"", "income_class = \"high\""),
        ("income_classes = [\"low\", \"high\"]", "income_class = \"high\"", ""),
        ("diagnosis_groups = [\"two\"]", "diagnosis_group = \"two\"", ""),
        ("age_from = 70", "age = 70", "age = 69"),
        ("age_below = 70", "age_band = [60, 70]", "age_band = [70, 80]"),
        ("age_from = 60, age_below = 70", "age = 65", "age = 80"),
        ("unbroken_years_from = 4", "unbroken_years = 4", "unbroken_years = 3"),
        ("unbroken_years_below = 4", "unbroken_years = 3", "unbroken_years = 4"),
        ("month_of_75 = true", "month_of_75 = true", ""),
        ("month_of_75 = false", "", "month_of_75 = true"),
        ("in_family = true", "in_family = true", ""),
        ("places = [\"home\"], age_from = 70", "age = 71", "place = \"abroad\""),
    ] {
        let body = pool(&format!("when = {{ {when} }}\nrates = [{{ rate = \"1\" }}]"))
            + &example(&[
                &format!(
                    "2026-03-01 | {holds} | {{ in_policy = \"10\" }} | payers = {{ pooled_fund = \"10\" }}"
                ),
                &format!("2026-03-01 | {fails} | {{ in_policy = \"10\" }} | payers = {{}}"),
            ]);
        loads_with(head, &[], &body);
    }
}

#[test]
fn the_visits_number_decides_a_row() {
    let body = "[[step]]\nid = \"count\"\nkind = \"count\"\nwhat = \"visit\"\ninto = \"visits\"\n"
        .to_owned()
        + &pool(
            "rates = [{ when = { visit_number = { of = \"visits\", from = 2, below = 3 } }, rate = \"50%\" }, { rate = \"10%\" }]",
        )
        + &example(&[
            r#"2026-03-01 | | { in_policy = "10" } | payers = { pooled_fund = "1" }"#,
            r#"2026-03-01 | | { in_policy = "10" } | payers = { pooled_fund = "5" }"#,
            r#"2026-03-01 | | { in_policy = "10" } | payers = { pooled_fund = "1" }"#,
        ]);
    loads(&["visits lifetime counts=visits"], &body);
}

#[test]
fn an_age_band_that_leaves_a_rule_open_is_refused_only_when_all_else_holds() {
    let body = pool("when = { age_from = 65, places = [\"home\"] }\nrates = [{ rate = \"1\" }]")
        + &example(&[
            r#"2026-03-01 | age_band = [60, 70] | { in_policy = "10" } | error = "not decided by the age band from 60 and below 70""#,
            r#"2026-03-01 | | { in_policy = "10" } | error = "attest a narrower band""#,
            r#"2026-03-01 | age_band = [60, 70], place = "abroad" | { in_policy = "10" } | payers = {}"#,
        ]);
    loads(&[], &body);
}

#[test]
fn bills_that_the_plan_cannot_judge_are_refused_with_the_remedy() {
    let body = pool("rates = [{ rate = \"1\" }]")
        + &example(&[
            r#"2026-03-01 | visit_type = "pharmacy" | { in_policy = "10" } | error = "no rules for visit type `pharmacy`""#,
            r#"2026-03-01 | | { in_policy = "10", slot = 3 } | error = "slot 3, which is not among the person's slots""#,
            r#"2025-03-01 | | { in_policy = "10" } | error = "no plan is in force on 2025-03-01""#,
            r#"2026-03-01 | slots = [{ slot = 1, group = "g" }, { slot = 1, group = "g" }] | { in_policy = "10" } | error = "distinct numbers""#,
        ]);
    loads_with("slot_groups = { g = 1 }", &[], &body);
}
