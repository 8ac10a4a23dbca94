"""Catalogues and the sorting of lines (section 13)."""

import tomllib
from datetime import date
from fractions import Fraction
from types import SimpleNamespace as Bag

import exact
import words
from exact import Mistake, Refusal, rounded
from plan import read_span
from reading import check, fields, some_words, text, whole, word

PRICE_DECIMALS = 6


def load_catalogue(source):
    try:
        table = tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        raise Mistake(f"not TOML: {error}") from None
    fields(table, "catalogue file", needed=("catalogue",), optional=("item",))
    head = table["catalogue"]
    optional = ("rounding", "unlisted", "source")
    fields(head, "[catalogue]", ("id", "region", "currency"), optional)
    result = Bag(id=head["id"], currency=word(head["currency"], words.DECIMALS, "[catalogue]"))
    modes = "half_up floor ceiling half_even".split()
    result.rounding = word(head.get("rounding", "half_up"), modes, "[catalogue] rounding")
    result.unlisted = word(head.get("unlisted", "C"), ("A", "C"), "[catalogue] unlisted")
    result.items = {}
    for item in table.get("item", []):
        read_item(item, result)
    return result


def read_item(table, catalogue):
    optional = ("name", "share", "price_caps", "limited_use")
    fields(table, "[[item]]", ("code", "valid", "class", "category"), optional)
    where = f"item `{text(table['code'], 'item code', 50)}`"
    item = Bag(class_=word(table["class"], words.CLASSES, where))
    item.category = word(table["category"], words.CATEGORIES, where)
    item.valid = read_span(table["valid"], where)
    check((item.class_ == "B") == ("share" in table), f"{where}: `share` is for class B")
    item.share = exact.rate(table["share"], where) if "share" in table else Fraction(0)
    item.price_caps = [read_price_cap(row, where) for row in table.get("price_caps", [])]
    item.limited_use = [read_limited_use(row, where) for row in table.get("limited_use", [])]
    others = catalogue.items.setdefault(table["code"], [])
    for other in others:
        apart = item.valid[1] < other.valid[0] or other.valid[1] < item.valid[0]
        check(apart, f"{where}: the days of two entries overlap")
    others.append(item)


def read_price_cap(row, where):
    """The price of one; None for no cap. A price may have the six decimals of a unit price."""
    where = f"{where} price_caps"
    fields(row, where, needed=("price",), optional=("hospital_levels",))
    known = words.HOSPITAL_LEVELS
    levels = some_words(row.get("hospital_levels", known), known, where)
    none = row["price"] == "none"
    return (levels, None if none else exact.decimal(row["price"], PRICE_DECIMALS, where))


def read_limited_use(row, where):
    where = f"{where} limited_use"
    optional = ("visit_types", "diagnosis_groups", "age_from", "age_below", "sexes")
    fields(row, where, optional=optional)
    if "visit_types" in row:
        some_words(row["visit_types"], words.VISIT_TYPES, where)
    if "sexes" in row:
        some_words(row["sexes"], words.SEXES, where)
    for field in ("age_from", "age_below"):
        whole(row.get(field, 0), where)
    good = "age_below" not in row or row.get("age_from", 0) < row["age_below"]
    check(good, f"{where}: `age_from` is not below `age_below`")
    check(row.get("diagnosis_groups") != [], f"{where}: `diagnosis_groups` is empty")
    return row


def sort_lines(catalogue, bill, facts):
    """Section 13: the rows of a bill. A line has `item`, `date`, `quantity`, `amount` and so on."""
    check_lines(catalogue, bill)
    rows = [sort_line(catalogue, line, facts) for line in bill["lines"]]
    return add_up(rows)


def check_lines(catalogue, bill):
    if bill["currency"] != catalogue.currency:
        raise Refusal("the bill and the catalogue are in different currencies")
    if not bill["lines"]:
        raise Refusal("the bill has no lines")
    for line in bill["lines"]:
        if line["quantity"] <= 0:
            raise Refusal("a quantity has to be above zero")
        if line["unit_price"] is None:
            continue
        minor = 10 ** words.DECIMALS[catalogue.currency]
        product = rounded(line["unit_price"] * line["quantity"] * minor, "half_up")
        if abs(product - line["amount"]) > 1:
            raise Refusal("an amount differs from quantity times unit price")


def sort_line(catalogue, line, facts):
    item = entry_on(catalogue, line["item"], line["date"])
    category = item.category if item else line["category"] or "other"
    class_ = item.class_ if item else catalogue.unlisted
    row = {key: line[key] for key in ("date", "programme", "slot")}
    row |= {"category": category, "class": class_, **dict.fromkeys(words.PARTS, 0)}
    amount = line["amount"]
    if item is None:
        row["in_policy" if catalogue.unlisted == "A" else "self_paid"] = amount
    elif class_ == "C" or not is_covered(item, facts):
        row["self_paid"] = amount
    else:
        sort_covered(catalogue, item, line, facts, row)
    return row


def entry_on(catalogue, code, when):
    """Item 1: the entry with this code that is valid on the line's day."""
    for item in catalogue.items.get(code, []):
        if item.valid[0] <= when <= item.valid[1]:
            return item
    return None


def is_covered(item, facts):
    """Item 2: covered when one row of `limited_use` holds; refused when the age leaves it open."""
    answers = [use_holds(row, facts) for row in item.limited_use]
    if not answers or True in answers:
        return True
    if None in answers:
        raise Refusal("the age band does not decide whether an item is covered")
    return False


def use_holds(row, facts):
    if "visit_types" in row and facts["visit_type"] not in row["visit_types"]:
        return False
    if "sexes" in row and facts["sex"] not in row["sexes"]:
        return False
    listed = row.get("diagnosis_groups")
    if listed is not None and not set(listed) & set(facts["diagnosis_groups"]):
        return False
    ages = range(*facts["age"])
    below = row.get("age_below", ages.stop)
    fits = [row.get("age_from", 0) <= age < below for age in ages]
    if all(fits):
        return True
    return None if any(fits) else False


def sort_covered(catalogue, item, line, facts, row):
    """Items 3 to 5."""
    rest = line["amount"]
    caps = [price for levels, price in item.price_caps if facts["hospital_level"] in levels]
    if caps and caps[0] is not None:
        minor = 10 ** words.DECIMALS[catalogue.currency]
        most = rounded(caps[0] * line["quantity"] * minor, catalogue.rounding)
        row["over_cap"] = max(0, rest - most)
        rest -= row["over_cap"]
    if item.class_ == "B":
        row["class_b_share"] = min(rest, rounded(rest * item.share, catalogue.rounding))
    row["in_policy"] = rest - row["class_b_share"]


def add_up(rows):
    """Section 3: one row per service date, category, class, programme and slot."""
    sums = {}
    for row in rows:
        key = tuple(row[field] for field in ("date", "category", "class", "programme", "slot"))
        found = sums.setdefault(key, row | dict.fromkeys(words.PARTS, 0))
        for part in words.PARTS:
            found[part] += row[part]
    if len(sums) > 2000:
        raise Refusal("the bill has more than 2,000 rows")
    return list(sums.values())
