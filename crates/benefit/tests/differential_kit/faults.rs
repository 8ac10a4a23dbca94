//! One fault after the other in a plan and a catalogue that are without fault: what to replace, by
//! what. Both sides have to refuse every one of them.

/// The plan without fault.
pub const PLAN: &str = include_str!("every-field.toml");

/// The catalogue without fault.
pub const CATALOGUE: &str = r#"
[catalogue]
id = "every-field"
region = 999900
currency = "CNY"
rounding = "floor"
unlisted = "A"

[[item]]
code = "X1"
name = "one"
valid = { from = "2026-01-01", to = "2026-06-30" }
class = "B"
category = "western_medicine"
share = "5%"
price_caps = [{ hospital_levels = ["tertiary"], price = "110" }, { price = "none" }]
[[item.limited_use]]
visit_types = ["inpatient"]
diagnosis_groups = ["asthma"]
age_from = 18
age_below = 80
sexes = ["female"]

[[item]]
code = "X1"
name = "one"
valid = { from = "2026-07-01" }
class = "A"
category = "western_medicine"
"#;

/// Faults of plans.
pub const PLAN_FAULTS: &[(&str, &str)] = &[
    // Section 2: money, rates, factors, days, names, unknown fields, rows without end.
    ("amount = \"2500\"", "amount = 2500"),
    ("amount = \"2500\"", "amount = \"2500.001\""),
    ("amount = \"2500\"", "amount = \"-1\""),
    ("amount = \"2500\"", "amount = \"1e3\""),
    ("amount = \"2500\"", "amount = \"\""),
    ("amount = \"2500\"", "amount = \"10000000000000.00\""),
    ("rate = \"65%\"", "rate = \"101%\""),
    ("rate = \"65%\"", "rate = \"1.1\""),
    ("rate = \"65%\"", "rate = \"0.1234567\""),
    ("rate = \"65%\"", "rate = 0.65"),
    ("factor = \"0.5\"", "factor = \"50%\""),
    ("factor = \"0.5\"", "factor = \"101\""),
    ("factor = \"0.5\"", "factor = \"0.1234567\""),
    ("to = \"2026-12-31\"", "to = \"2026-12-32\""),
    ("to = \"2026-12-31\"", "to = \"2025-12-31\""),
    ("to = \"2026-12-31\"", "until = \"2026-12-31\""),
    ("id = \"lump\"", "id = \"Lump\""),
    ("id = \"lump\"", "id = \"\""),
    ("id = \"lump\"", "id = \"pool\""),
    ("id = \"met\"", "id = \"slot_paid\""),
    ("id = \"programme\"", "id = \"chronic\""),
    ("id = \"lump\"", "id = \"lump\"\nremark = \"x\""),
    ("unbroken_years_below = 5 }, rate = \"65%\"", "unbroken_years_below = 5 }, share = \"65%\""),
    ("rates = [{ rate = \"1\" }]", "rates = [{ when = { month_of_75 = true }, rate = \"1\" }]"),
    ("rates = [{ rate = \"1\" }]", "rates = []"),
    ("rates = [{ rate = \"1\" }]", ""),
    ("rates = [{ rate = \"1\" }]", "rates = [{ rate = \"1\" }, { rate = \"2%\" }]"),
    ("{ amount = \"10\", per_day = true }", "{ of_slot = true }"),
    // Section 4.
    ("id = \"every-field\"", "id = \"Every field\""),
    ("name = { en = \"Every field\" }", ""),
    ("currency = \"CNY\"", "currency = \"GBP\""),
    ("year_starts = \"04-01\"", "year_starts = \"02-29\""),
    ("year_starts = \"04-01\"", "year_starts = \"04-31\""),
    ("year_starts = \"04-01\"", "year_starts = \"4-1\""),
    ("split_stay = \"day\"", "split_stay = \"week\""),
    ("split_stay = \"day\"", "split_stay = \"month\""),
    ("split_stay = \"day\"", "split_stay = \"year\""),
    ("split_stay = \"day\"", "split_stay = \"never\""),
    ("split_stay = \"day\"", ""),
    ("visit_types = [\"outpatient\", \"inpatient\"]", "visit_types = [\"ambulant\"]"),
    ("visit_types = [\"outpatient\", \"inpatient\"]", "visit_types = []"),
    ("mode = \"half_even\"", "mode = \"half_down\""),
    ("unit = \"0.1\"", "unit = \"0\""),
    ("low = 1, high = 2", "low = 1, high = 1"),
    ("low = 1, high = 2", "low = 1, high = 32"),
    ("low = 1, high = 2", "low = 0, high = 1"),
    ("class_1 = 1", "class_1 = 64"),
    ("tuberculosis = 1", "tuberculosis = 32"),
    // Section 5.
    ("number = 1\n", "number = 2\n"),
    ("number = 1\n", "number = 0\n"),
    ("number = 1\n", "number = 65536\n"),
    ("period = \"day\"", "period = \"week\""),
    ("scope = \"family\"", "scope = \"household\""),
    ("counts = \"visits\"", "counts = \"visits\"\nper_slot = true"),
    ("number = 4\nperiod = \"year\"", "number = 4\nperiod = \"month\""),
    // Section 6.
    ("id = \"programme\"\n", "id = \"rest\"\n"),
    ("programmes = [\"tuberculosis\"]", "programmes = [\"malaria\"]"),
    ("classes = [\"A\", \"B\"]", "classes = [\"A\", \"D\"]"),
    ("categories = [\"treatment\"]", "categories = [\"cures\"]"),
    ("slot_groups = [\"class_1\"]\nper_slot", "slot_groups = [\"class_9\"]\nper_slot"),
    ("classes = [\"A\", \"B\"]", "classes = []"),
    ("categories = [\"treatment\"]", "categories = []"),
    ("programmes = [\"tuberculosis\"]", "programmes = []"),
    // Section 7.
    ("age_from = 10", "age_from = 60"),
    ("unbroken_years_from = 1", "unbroken_years_from = 5"),
    ("age_from = 10", "age_form = 10"),
    ("income_classes = [\"low\"]", "income_classes = [\"middle\"]"),
    ("income_classes = [\"low\"]", "person_classes = [\"rich\"]"),
    ("from = \"1\", below = \"9\"", "from = 1, below = 9"),
    ("from = \"1\", below = \"9\"", "from = \"9\", below = \"1\""),
    ("of = \"stays\", from = \"1\", below = \"9\"", "of = \"stays\""),
    ("of = \"stays\", from = \"1\"", "of = \"slot_paid\", from = \"1\""),
    ("of = \"stays\", from = 1, below = 9", "of = \"stays\", from = 9, below = 1"),
    ("of = \"stays\", from = 1, below = 9", "of = \"stays\""),
    ("of = \"stays\", from = 1, below = 9", "of = \"met\", from = 1"),
    ("of = \"reached\", within", "of = \"met\", within"),
    ("within = 12", "within = 1"),
    ("within = 12", "within = 37"),
    ("at_least = 3", "at_least = 0"),
    ("income_classes = [\"low\"]", "income_classes = []"),
    ("age_from = 10", "person_classes = []"),
    ("age_from = 10", "person_classes_not = []"),
    // Section 8.
    ("amount = \"2500\", counts", "amount = \"2500\", amounts = [{ amount = \"1\" }], counts"),
    ("amount = \"2500\", counts = \"met\"", "counts = \"met\""),
    ("amount = \"2500\", counts = \"met\"", "amount = \"2500\", counts = \"unmet\""),
    ("amount = \"2500\", counts = \"met\"", "amount = \"2500\", counts = \"slot_paid\""),
    ("amount = \"2500\", counts = \"met\"", "amount = \"2500\", counts = \"stays\""),
    ("amount = \"2500\", counts = \"met\"", "amount = \"2500\", counts = \"reached\""),
    ("amount = \"100\", counts", "amount = \"none\", counts"),
    ("amount = \"4000\"", "amount = \"none\""),
    ("amount = \"20\"", "amount = \"none\""),
    ("amount = \"4000\", counts = \"met\"", "amount = \"4000\", counts = \"family_met\""),
    ("of_slot = true", "of_slot = true, amount = \"1\""),
    ("amount = \"10\", per_day", "amount = \"none\", per_day"),
    ("amount = \"80100\"", "of_slot = true"),
    ("amount = \"80100\"", "amount = \"none\""),
    ("factor = \"0.5\" }]\nrepeat", "factor = \"0.5\", add = \"1\" }]\nrepeat"),
    ("visit = 2", "visit = 1"),
    ("visit = 3", "visit = 2"),
    ("visit = 3, amount", "visit = 3, factor = \"1\", amount"),
    ("less = \"5\", floor", "less = \"5\", from = [{ visit = 2, factor = \"1\" }], floor"),
    ("from = [{ visit = 2, factor = \"0.5\" }, { visit = 3, amount = \"7\" }]", "floor = \"1\""),
    ("from = [{ visit = 2, factor = \"0.5\" }, { visit = 3, amount = \"7\" }]", "from = []"),
    ("repeat = { of = \"stays\", less", "repeat = { of = \"met\", less"),
    // Section 9.
    ("kind = \"fixed\"", "kind = \"gift\""),
    ("words = { en = \"words\" }", ""),
    ("source = \"source\"", ""),
    ("source = \"source\"", "source = \"\""),
    ("words = { en = \"words\" }", "words = {}"),
    ("payer = \"maternity\"", "payer = \"aunt\""),
    ("payer = \"maternity\"", ""),
    ("what = \"visit\"", "what = \"visit\"\npayer = \"other\""),
    ("groups = [\"chronic\"], groups_with", "groups = [\"programme\"], groups_with"),
    ("groups = [\"chronic\"], groups_with", "groups_with"),
    ("left_after = \"pool\"", "left_after = \"lump\""),
    ("left_after = \"pool\"", "left_after = \"slots\""),
    ("groups = [\"programme\", \"rest\"]", "groups = [\"programme\", \"dental\"]"),
    ("groups = [\"programme\", \"rest\"]", "groups = []"),
    ("parts = [\"in_policy\", \"over_cap\"]", "parts = [\"all\"]"),
    ("parts = [\"in_policy\", \"over_cap\"]", "parts = []"),
    ("of = \"left\"", "of = \"rest\""),
    ("of = \"left\"", "of = \"charged\", less = [\"cut:count_stay\"]"),
    ("less = [\"cut:pool\"]", "less = [\"cut:account\"]"),
    ("less = [\"cut:pool\"]", "less = [\"tax:pool\"]"),
    ("of = \"self_share:pool\"", "of = \"self_share:account\""),
    ("base = { groups = [\"chronic\"]", "base = { of = \"paid:pool\", groups = [\"chronic\"]"),
    ("per_slot = true\nbase", "base"),
    // Section 10.
    ("reading = \"absolute\"\n", ""),
    ("reading = \"absolute\"", "reading = \"relative\""),
    ("above = \"0\"", "above = \"1\""),
    ("above = \"10000\"", "above = \"0\""),
    ("above = \"10000\", rate", "above = \"10000\", rat"),
    ("position = \"met\"", "position = \"stays\""),
    ("add = \"5%\"", "add = \"5%\", less = \"1%\""),
    ("add = \"5%\"", "factor = \"5%\""),
    ("add = \"5%\"", "points = \"5%\""),
    ("amount = { amount = \"4000\", counts = \"met\" }", ""),
    ("limits = [{ amounts = [{ amount = \"80100\"", "caps = [{ amounts = [{ amount = \"80100\""),
    ("charged_counts = \"day_paid\"", "base = { of = \"charged\" }"),
    ("charged_counts = \"day_paid\"", "charged_counts = \"stays\""),
    ("reached_counts = \"reached\"", "reached_counts = \"day_paid\""),
    ("into = \"stays\"", ""),
    ("into = \"stays\"", "into = \"met\""),
    ("what = \"visit\"", "what = \"money\""),
    ("what = \"visit\"", "what = \"visit\"\nbase = { parts = [\"in_policy\"] }"),
    ("what = \"visit\"", "what = \"people\""),
];

/// Faults of catalogues.
pub const CATALOGUE_FAULTS: &[(&str, &str)] = &[
    ("currency = \"CNY\"", "currency = \"GBP\""),
    ("rounding = \"floor\"", "rounding = \"down\""),
    ("unlisted = \"A\"", "unlisted = \"D\""),
    ("unlisted = \"A\"", "unlisted = \"B\""),
    ("unlisted = \"A\"", "listed = \"A\""),
    ("code = \"X1\"", ""),
    ("code = \"X1\"", "code = \"\""),
    ("from = \"2026-07-01\"", "from = \"2026-06-30\""),
    ("to = \"2026-06-30\"", "to = \"2025-06-30\""),
    ("class = \"A\"", "class = \"D\""),
    ("class = \"A\"", "class = \"B\""),
    ("class = \"B\"", "class = \"A\""),
    ("category = \"western_medicine\"", "category = \"cures\""),
    ("category = \"western_medicine\"", ""),
    ("valid = { from = \"2026-07-01\" }", ""),
    ("share = \"5%\"", "share = \"105%\""),
    ("price = \"110\"", "price = 110"),
    ("price = \"110\"", "price = \"1.1234567\""),
    ("price = \"110\"", "cost = \"110\""),
    ("hospital_levels = [\"tertiary\"]", "hospital_levels = [\"great\"]"),
    ("visit_types = [\"inpatient\"]", "visit_types = [\"ambulant\"]"),
    ("sexes = [\"female\"]", "sexes = [\"f\"]"),
    ("age_from = 18", "age_from = 80"),
    ("hospital_levels = [\"tertiary\"]", "hospital_levels = []"),
    ("visit_types = [\"inpatient\"]", "visit_types = []"),
    ("diagnosis_groups = [\"asthma\"]", "diagnosis_groups = []"),
    ("sexes = [\"female\"]", "sexes = []"),
    ("code = \"X1\"", "code = \"XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX\""),
];
