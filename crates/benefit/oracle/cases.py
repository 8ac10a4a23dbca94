"""Examples in plans and case files (section 12)."""

import re
import tomllib
from pathlib import Path

import exact
import words
from exact import Mistake, Refusal
from plan import load_plan, plan_year
from reading import check, fields, truth, whole, word, word_list
from sorting import load_catalogue, sort_lines
from stay import State, plan_of_day, settle_visit

FACTS = """visit_type hospital_level place filing network age age_band sex person_classes
    income_class unbroken_years claim_free_years diagnosis_group diagnosis_groups slots month_of_75
    in_family days personal_account family_accounts""".split()
ROW = ["date", "category", "class", "programme", "slot", *words.PARTS]
LINE = "item date quantity unit_price amount category programme slot".split()
ACCOUNTS = ["personal_account", "family_account", "cash", "person"]
AMOUNTS = ["total", *words.PARTS, "deductible", *ACCOUNTS]
EXPECT = [*AMOUNTS, "payers", "steps", "accumulators", "error"]
WORD_FACTS = {
    "hospital_level": (words.HOSPITAL_LEVELS, "unrated"),
    "place": (words.PLACES, "home"),
    "filing": (words.FILINGS, "not_needed"),
    "network": (words.NETWORKS, "in"),
    "sex": (words.SEXES, "unstated"),
}
ANY_AGE = (0, 255)
AGE_MAX = 130
NEVER_BOTH = [("active", "retired"), ("active", "newborn"), ("retired", "newborn"),
              ("retired", "child")]


def read_facts(table, plan, rows):
    """Section 12, facts."""
    fields(table, "facts", needed=("visit_type",), optional=FACTS)
    facts = {"visit_type": word(table["visit_type"], words.VISIT_TYPES, "visit_type")}
    for field, (known, default) in WORD_FACTS.items():
        facts[field] = word(table.get(field, default), known, field)
    check("age" not in table or "age_band" not in table, "facts: `age` or `age_band`")
    age = table.get("age")
    facts["age"] = tuple(table.get("age_band", ANY_AGE)) if age is None else (age, age + 1)
    classes = table.get("person_classes", [])
    facts["person_classes"] = word_list(classes, words.PERSON_CLASSES, "person_classes")
    check(facts["age"][0] <= AGE_MAX, "facts: `age` is above 130")
    for pair in NEVER_BOTH:
        both = all(one in facts["person_classes"] for one in pair)
        check(not both, f"facts: nobody is {pair[0]} and {pair[1]}")
    at_home = facts["place"] == "home" and facts["filing"] == "unfiled"
    check(not at_home, "facts: no filing is needed at the insured place")
    for field, names in (("income_class", plan.income_classes),
                         ("diagnosis_group", plan.diagnosis_groups)):
        facts[field] = names[word(table[field], names, field)] if field in table else 0
    facts["diagnosis_groups"] = table.get("diagnosis_groups", [])
    for field in ("unbroken_years", "claim_free_years"):
        facts[field] = whole(table.get(field, 0), field)
    for field in ("month_of_75", "in_family"):
        facts[field] = truth(table.get(field, False), field)
    facts["slots"] = [read_slot(slot, plan) for slot in table.get("slots", [])]
    facts["days"] = whole(table.get("days", len({row["date"] for row in rows})), "days")
    facts["use_personal_account"] = "personal_account" in table
    balance = table.get("personal_account", "0")
    facts["personal_account"] = exact.money(balance, plan.currency, "personal_account")
    facts["family_accounts"] = [
        {"grant": number, "available": exact.money(text, plan.currency, "family_accounts")}
        for number, text in enumerate(table.get("family_accounts", []), 1)
    ]
    return facts


def read_slot(table, plan):
    fields(table, "slots", needed=("slot", "group"), optional=("amount",))
    group = plan.slot_groups[word(table["group"], plan.slot_groups, "slots group")]
    amount = table.get("amount")
    amount = None if amount is None else exact.money(amount, plan.currency, "slots amount")
    return {"slot": whole(table["slot"], "slot", 1), "group": group, "amount": amount}


def read_row(table, visit, plan):
    """Section 12, row."""
    fields(table, "row", optional=ROW)
    row = {"date": exact.day(table.get("date", visit["date"]), "row date")}
    row["category"] = word(table.get("category", "other"), words.CATEGORIES, "row category")
    row["class"] = word(table.get("class", "A"), words.CLASSES, "row class")
    row["slot"] = whole(table.get("slot", 0), "row slot")
    row["programme"] = read_programme(table, plan)
    for part in words.PARTS:
        row[part] = exact.money(table.get(part, "0"), plan.currency, f"row {part}")
    return row


def read_programme(table, plan):
    if "programme" not in table:
        return 0
    return plan.programmes[word(table["programme"], plan.programmes, "programme")]


def read_line(table, visit, plan):
    """Section 12, line."""
    fields(table, "line", needed=("item", "amount"), optional=LINE)
    price = table.get("unit_price")
    return {
        "item": table["item"],
        "date": exact.day(table.get("date", visit["date"]), "line date"),
        "quantity": exact.decimal(table.get("quantity", "1"), 4, "line quantity"),
        "unit_price": None if price is None else exact.decimal(price, 6, "line unit_price"),
        "amount": exact.money(table["amount"], plan.currency, "line amount"),
        "category": table.get("category"),
        "programme": read_programme(table, plan),
        "slot": whole(table.get("slot", 0), "line slot"),
    }


def read_rows(visit, plans, catalogue):
    """The rows of a visit, as written or sorted from its lines."""
    plan = plan_of_day(plans, exact.day(visit["date"], "date"))
    check(("row" in visit) != ("line" in visit), "a visit has either `row` or `line`")
    if "row" in visit:
        return [read_row(row, visit, plan) for row in visit["row"]]
    check(catalogue is not None, "lines need a catalogue")
    lines = [read_line(line, visit, plan) for line in visit["line"]]
    facts = read_facts(visit["facts"], plan, lines)
    return sort_lines(catalogue, {"currency": plan.currency, "lines": lines}, facts)


def accumulator_key(table, plan, when):
    """Section 12, accumulators."""
    fields(table, "accumulators", needed=("id", "value"), optional=("period", "slot"))
    accumulator = plan.accumulators[word(table["id"], plan.accumulators, "accumulators")]
    defaults = {"year": f"{plan_year(plan, when):04}", "month": f"{when:%Y-%m}",
                "day": f"{when:%Y-%m-%d}"}
    period = table.get("period", defaults.get(accumulator.period, accumulator.period))
    value = table["value"]
    if accumulator.counts == "money":
        value = exact.money(value, plan.currency, "accumulators")
    return (accumulator.scope, accumulator.number, period, table.get("slot", 0)), int(value)


def start_state(accumulators, plans, visits):
    first = exact.day(visits[0]["date"], "date")
    plan = plan_of_day(plans, first)
    return State(dict(accumulator_key(entry, plan, first) for entry in accumulators))


def run_visits(plans, catalogue, accumulators, visits):
    """Runs the visits in order; answers what does not come out."""
    state = start_state(accumulators, plans, visits)
    wrong = []
    for number, visit in enumerate(visits, 1):
        fields(visit, "visit", ("date", "facts"), ("row", "line", "expect"))
        expect = visit.get("expect", {})
        fields(expect, "expect", optional=EXPECT)
        try:
            rows = read_rows(visit, plans, catalogue)
            last = max(row["date"] for row in rows)
            facts = read_facts(visit["facts"], plan_of_day(plans, last), rows)
            parts, state = settle_visit(plans, rows, facts, state)
        except Refusal as refusal:
            # The words of an error are the engine's own; what counts here is that there is one.
            if "error" not in expect:
                wrong.append(f"visit {number}: refused: {refusal}")
            continue
        if "error" in expect:
            wrong.append(f"visit {number}: should be refused")
            continue
        for line in differences(parts, expect, plans, last, state):
            wrong.append(f"visit {number}: {line}")
    return wrong


def totals(parts):
    """Section 12: a visit whose stay was cut gives the sums of its parts."""
    names = ["total", *words.PARTS, "deductible", "personal_account", "cash"]
    result = {name: sum(part[name] for part in parts) for name in names}
    result["family_account"] = sum(paid for part in parts for _, paid in part["family_accounts"])
    accounts = result["personal_account"] + result["family_account"]
    result["person"] = accounts + result["cash"]
    for group in ("payers", "steps"):
        result[group] = {}
        for part in parts:
            for name, amount in part[group].items():
                result[group][name] = result[group].get(name, 0) + amount
    return result


def differences(parts, expect, plans, last, state):
    """Section 12, expect: what is stated is checked, the rest is not."""
    got, plan = totals(parts), plan_of_day(plans, last)
    for name, text in expect.items():
        if name in AMOUNTS:
            yield from differs(name, exact.money(text, plan.currency, name), got[name])
    for payer in words.PAYERS if "payers" in expect else ():
        wanted = exact.money(expect["payers"].get(payer, "0"), plan.currency, payer)
        yield from differs(payer, wanted, got["payers"].get(payer, 0))
    for step, text in expect.get("steps", {}).items():
        yield from differs(step, exact.money(text, plan.currency, step), got["steps"].get(step))
    for entry in expect.get("accumulators", []):
        key, wanted = accumulator_key(entry, plan, last)
        yield from differs(entry["id"], wanted, state.running.get(key, 0))


def differs(name, wanted, got):
    if wanted != got:
        yield f"`{name}` should be {wanted} and is {got} (minor units)"


def run_examples(plan):
    """Every example of a plan: pairs of its name and what is wrong with it."""
    for example in plan.examples:
        fields(example, "example", ("id", "visit"), ("about", "source", "accumulators"))
        visits = example["visit"]
        yield example["id"], run_visits([plan], None, example.get("accumulators", []), visits)


def run_case(path):
    """A case file; its plans and catalogue are in the folder above."""
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    fields(table, "case file", ("case", "visit"), ("accumulators",))
    head = table["case"]
    optional = ("kind", "about", "source", "catalogue")
    fields(head, "[case]", ("id", "plans"), optional)
    folder = path.parent.parent
    plans = [load_plan((folder / name).read_text(encoding="utf-8")) for name in head["plans"]]
    catalogue = None
    if "catalogue" in head:
        catalogue = load_catalogue((folder / head["catalogue"]).read_text(encoding="utf-8"))
    return run_visits(plans, catalogue, table.get("accumulators", []), table["visit"])


def run_folder(folder):
    """Every plan, example, catalogue and case below a folder; answers how many and what failed."""
    count, wrong = 0, []
    for path in sorted(Path(folder).rglob("*.toml")):
        try:
            for name, lines in results_of(path):
                count += 1
                wrong.extend(f"{path} {name}: {line}" for line in lines)
        except (Mistake, Refusal) as error:
            wrong.append(f"{path}: {error}")
    return count, wrong


def results_of(path):
    if path.parent.name == "cases":
        return [("case", run_case(path))]
    text = path.read_text(encoding="utf-8")
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", path.stem):
        return [("plan", []), *run_examples(load_plan(text))]
    load_catalogue(text)
    return [("catalogue", [])]
