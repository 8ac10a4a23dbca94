"""Plan files (sections 2 to 10 of the guide), read strictly into plain objects."""

import re
import tomllib
from datetime import date
from types import SimpleNamespace as Bag

import exact
import words
from exact import Mistake
from reading import check, fields, name, some_words, text, texts, truth, unique, whole, word
from step import read_rounding, read_step

# Section 4: how many numbers each kind of name may have.
NUMBERED = {"income_classes": 31, "slot_groups": 63, "diagnosis_groups": 63, "programmes": 31}


def read_head(table):
    """Section 4."""
    needed = "id name region scheme currency valid visit_types".split()
    optional = ["year_starts", "split_stay", "rounding", "catalogue", "payers", *NUMBERED]
    fields(table, "[plan]", needed, optional)
    if "catalogue" in table:
        text(table["catalogue"], "[plan] catalogue")
    for payer, names in table.get("payers", {}).items():
        texts(names, f"[plan] payers {word(payer, words.PAYERS, '[plan] payers')}")
    check(re.fullmatch(r"[a-z0-9-]{1,64}", table["id"]), "[plan]: `id`")
    texts(table["name"], "[plan] name")
    currency = word(table["currency"], words.DECIMALS, "[plan] currency")
    plan = Bag(id=table["id"], currency=currency, region=table["region"], scheme=table["scheme"])
    plan.valid = read_span(table["valid"], "[plan] valid")
    plan.visit_types = some_words(table["visit_types"], words.VISIT_TYPES, "[plan] visit_types")
    split = table.get("split_stay", "year")
    plan.split_stay = word(split, "never year month day".split(), "[plan] split_stay")
    plan.year_starts = read_year_start(table.get("year_starts", "01-01"))
    plan.rounding = read_rounding(table.get("rounding", {}), currency, "[plan] rounding")
    for kind, largest in NUMBERED.items():
        setattr(plan, kind, read_numbers(table.get(kind, {}), largest, kind))
    return plan


def read_span(table, where):
    fields(table, where, needed=("from",), optional=("to",))
    first = exact.day(table["from"], where)
    last = exact.day(table["to"], where) if "to" in table else date.max
    check(first <= last, f"{where}: `from` is after `to`")
    return (first, last)


def read_year_start(text):
    """Section 4: month and day; 29 February is refused."""
    check(text != "02-29", "[plan] year_starts: 29 February is not in every year")
    start = exact.day(f"2026-{text}", "[plan] year_starts")
    return (start.month, start.day)


def read_numbers(table, largest, where):
    fields(table, where, optional=table)
    for number in table.values():
        check(1 <= whole(number, where) <= largest, f"{where}: {number} is not 1 to {largest}")
    check(len(set(table.values())) == len(table), f"{where}: a number is there twice")
    return table


def read_accumulator(table):
    """Section 5."""
    optional = ("scope", "per_slot", "counts", "title")
    fields(table, "[[accumulator]]", ("id", "number", "period"), optional)
    where = f"accumulator `{name(table['id'], 'accumulator')}`"
    periods = "visit day month year lifetime".split()
    entry = Bag(id=table["id"], number=whole(table["number"], where, 1))
    check(entry.number <= 65535, f"{where}: `number` is above 65535")
    entry.scope = word(table.get("scope", "person"), ("person", "family"), where)
    entry.period = word(table["period"], periods, where)
    entry.per_slot = truth(table.get("per_slot", False), where)
    entry.counts = word(table.get("counts", "money"), ("money", "visits", "times"), where)
    if entry.counts == "visits":
        good = entry.period in ("year", "lifetime") and not entry.per_slot
        check(good, f"{where}: visits are counted by year or lifetime, not per slot")
    return entry


def read_group(table, plan):
    """Section 6."""
    conditions = ("categories", "classes", "programmes", "slot_groups", "with_slot")
    fields(table, "[[group]]", ("id",), (*conditions, "per_slot"))
    where = f"group `{name(table['id'], 'group')}`"
    check(table["id"] != "rest", "a group cannot be called `rest`")
    group = Bag(id=table["id"], per_slot=truth(table.get("per_slot", False), where), when={})
    known = {
        "categories": words.CATEGORIES,
        "classes": words.CLASSES,
        "programmes": plan.programmes,
        "slot_groups": plan.slot_groups,
    }
    for field, known_words in known.items():
        if field in table:
            listed = some_words(table[field], known_words, f"{where} {field}")
            named = isinstance(known_words, dict)
            group.when[field] = [known_words[entry] if named else entry for entry in listed]
    if "with_slot" in table:
        group.when["with_slot"] = truth(table["with_slot"], f"{where} with_slot")
    return group


def load_plan(file):
    """A whole plan file; its examples are kept as they are written (section 12)."""
    try:
        table = tomllib.loads(file)
    except tomllib.TOMLDecodeError as error:
        raise Mistake(f"not TOML: {error}") from None
    fields(table, "plan file", ("plan", "step"), ("accumulator", "group", "example"))
    plan = read_head(table["plan"])
    entries = [read_accumulator(entry) for entry in table.get("accumulator", [])]
    unique([entry.id for entry in entries], "accumulator ids")
    unique([entry.number for entry in entries], "accumulator numbers")
    plan.accumulators = {entry.id: entry for entry in entries}
    plan.groups = [read_group(group, plan) for group in table.get("group", [])]
    unique([group.id for group in plan.groups], "group ids")
    plan.steps = []
    for step in table["step"]:
        plan.steps.append(read_step(step, plan))
    unique([step.id for step in plan.steps], "step ids")
    plan.examples = table.get("example", [])
    check_bounds(plan)
    return plan


def check_bounds(plan):
    """Section 15."""
    check(len(plan.steps) <= 64, "at most 64 steps")
    check(len(plan.accumulators) <= 128, "at most 128 accumulators")
    check(len(plan.groups) <= 7, "at most 7 groups besides `rest`")
    check(len(plan.examples) <= 64, "at most 64 examples")
    # Section 4, `split_stay`.
    periods = {entry.period for entry in plan.accumulators.values()}
    if "day" in periods:
        check(plan.split_stay == "day", "daily amounts need `split_stay = \"day\"`")
    if "month" in periods:
        good = plan.split_stay in ("month", "day")
        check(good, "monthly amounts need `split_stay = \"month\"` or `\"day\"`")


def in_force(plan, when):
    return plan.valid[0] <= when <= plan.valid[1]


def plan_year(plan, when):
    """Section 4: the year is named by the calendar year in which it begins."""
    return when.year if (when.month, when.day) >= plan.year_starts else when.year - 1
