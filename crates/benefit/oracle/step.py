"""Steps (sections 9 and 10), read strictly."""

from types import SimpleNamespace as Bag

import exact
import words
from allowance import one_of, read_allowance, read_certain
from condition import accumulator, read_when
from reading import check, fields, name, some_words, source_text, table_rows, texts, truth, word

COMMON = ("title", "words", "source", "when", "base", "per_slot", "rounding")
# Section 10: the fields of each kind, needed and optional.
KINDS = {
    "benefit": (
        ("payer", "rates"),
        "base_caps deductibles reports_deductible reading position rate_changes caps".split(),
    ),
    "fixed": (("payer", "amount"), ("caps",)),
    "copay": (("payer", "amount"), ("caps",)),
    "limit": (("payer", "limits"), ("charged_counts", "reached_counts", "caps")),
    "personal_account": ((), ("caps",)),
    "family_account": ((), ("caps",)),
    "count": (("into",), ("what",)),
}
NUMBERS = ("deductible", "self_share", "cut", "paid")


def read_rounding(table, currency, where):
    """Section 4; a field left out has its default."""
    fields(table, where, optional=("mode", "at", "of", "unit"))
    mode = word(table.get("mode", "half_up"), "half_up floor ceiling half_even".split(), where)
    at = word(table.get("at", "tier"), ("tier", "once"), where)
    of = word(table.get("of", "benefit"), ("benefit", "person"), where)
    unit = 1
    if "unit" in table:
        unit = exact.plan_money(table["unit"], currency, where)
        check(unit > 0, f"{where}: `unit` has to be above zero")
    return Bag(mode=mode, at=at, of=of, unit=unit)


def read_step(table, plan):
    """Section 9; `plan.steps` are the earlier steps."""
    check("kind" in table, f"step `{table.get('id')}`: `kind` is missing")
    kind = word(table["kind"], KINDS, f"step `{table.get('id')}` kind")
    needed, optional = KINDS[kind]
    said = () if kind == "count" else ("words", "source")
    where = f"step `{name(table.get('id'), 'step')}`"
    fields(table, where, ("id", "kind", *said, *needed), (*COMMON, *optional))
    step = Bag(id=table["id"], kind=kind, where=where)
    for field in ("title", "words"):
        if field in table:
            texts(table[field], f"{where} {field}")
    if "source" in table:
        source_text(table["source"], f"{where} source")
    step.per_slot = truth(table.get("per_slot", False), f"{where} per_slot")
    step.when = read_when(table, plan, step.per_slot, where)
    step.rounding = plan.rounding
    if "rounding" in table:
        step.rounding = read_rounding(table["rounding"], plan.currency, f"{where} rounding")
    step.payer = word(table["payer"], words.PAYERS, where) if "payer" in table else None
    step.base = read_base(table.get("base", {}), step, plan)
    step.caps = read_allowances(table, "caps", step, plan)
    READERS[kind](table, step, plan)
    return step


def read_allowances(table, field, step, plan, read=read_allowance):
    rows = table.get(field, [])
    check(isinstance(rows, list) and len(rows) <= 4, f"{step.where} {field}: at most 4")
    return [read(row, plan, step.per_slot, f"{step.where} {field}") for row in rows]


def read_base(table, step, plan):
    """Section 9, `base`."""
    where = f"{step.where} base"
    fields(table, where, optional=("parts", "groups", "groups_with", "of", "less"))
    parts = some_words(table.get("parts", ["in_policy"]), words.PARTS, where)
    per_slot = {group.id: group.per_slot for group in plan.groups} | {"rest": False}
    groups = some_words(table.get("groups", list(per_slot)), per_slot, where)
    if step.per_slot:
        check(all(per_slot[group] for group in groups), f"{where}: a group is not `per_slot`")
    base = Bag(parts=parts, groups=groups, left_after=None, of=table.get("of", "left"))
    if "groups_with" in table:
        fields(table["groups_with"], where, needed=("left_after", "at_least"))
        earlier = [earlier.id for earlier in plan.steps]
        base.left_after = word(table["groups_with"]["left_after"], earlier, where)
        text = table["groups_with"]["at_least"]
        base.at_least = exact.plan_money(text, plan.currency, where)
    if base.of not in ("left", "charged"):
        base.of = read_number(base.of, step, plan)
    check("less" not in table or base.of == "left", f"{where}: `less` needs `of = \"left\"`")
    base.less = [read_number(text, step, plan) for text in table.get("less", [])]
    return base


def read_number(text, step, plan):
    """A number of an earlier step, such as `deductible:STEP`; not for steps per slot."""
    where = f"{step.where} base"
    number, _, id_ = text.partition(":")
    word(number, NUMBERS, where)
    word(id_, [earlier.id for earlier in plan.steps], where)
    check(not step.per_slot, f"{where}: `{text}` is not for steps with `per_slot`")
    return (number, id_)


def read_benefit(table, step, plan):
    """Section 10.1."""
    step.base_caps = read_allowances(table, "base_caps", step, plan)
    step.deductibles = read_allowances(table, "deductibles", step, plan, read_certain)
    reports = table.get("reports_deductible", step.payer == "pooled_fund")
    step.reports_deductible = truth(reports, f"{step.where} reports_deductible")
    rows = table_rows(table["rates"], f"{step.where} rates")
    step.rates = [read_rates(row, step, plan) for row in rows]
    has_tiers = any("tiers" in row for row in rows)
    check("reading" in table or not has_tiers, f"{step.where}: `reading` has to be stated")
    step.reading = word(table.get("reading", "absolute"), ("absolute", "on_excess"), step.where)
    step.position = optional_accumulator(table, "position", step, plan)
    changes = table.get("rate_changes", [])
    check(len(changes) <= 16, f"{step.where} rate_changes: at most 16")
    step.rate_changes = [read_rate_change(change, step, plan) for change in changes]


def optional_accumulator(table, field, step, plan, counts="money"):
    if field not in table:
        return None
    return accumulator(table[field], plan, step.per_slot, f"{step.where} {field}", counts)


def read_rates(row, step, plan):
    """A row of the rate table; `rate` is a single tier from zero."""
    where = f"{step.where} rates"
    fields(row, where, optional=("when", "rate", "tiers"))
    one_of(row, ("rate", "tiers"), where)
    tiers = row.get("tiers", [{"above": "0", "rate": row.get("rate")}])
    check(1 <= len(tiers) <= 16, f"{where}: 1 to 16 tiers")
    result = []
    for tier in tiers:
        fields(tier, where, needed=("above", "rate"))
        above = exact.plan_money(tier["above"], plan.currency, where)
        result.append((above, exact.rate(tier["rate"], where)))
    bounds = [above for above, _ in result]
    check(bounds[0] == 0 and bounds == sorted(set(bounds)), f"{where}: bounds ascend from zero")
    return Bag(when=read_when(row, plan, step.per_slot, where), tiers=result)


def read_rate_change(change, step, plan):
    where = f"{step.where} rate_changes"
    kinds = ("add", "less", "factor", "self_share_factor")
    fields(change, where, optional=("when", *kinds))
    kind = one_of(change, kinds, where)
    read = exact.rate if kind in ("add", "less") else exact.factor
    when = read_when(change, plan, step.per_slot, where)
    return Bag(when=when, kind=kind, value=read(change[kind], where))


def read_fixed_or_copay(table, step, plan):
    """Sections 10.2 and 10.3."""
    where = f"{step.where} amount"
    step.amount = read_certain(table["amount"], plan, step.per_slot, where)
    counts = step.amount.counts
    check(counts is None or counts.scope == "person", f"{where}: cannot count a family amount")


def read_limit(table, step, plan):
    """Section 10.4."""
    check(step.base.of == "left", f"{step.where}: `base.of` must be `left`")
    step.limits = read_allowances(table, "limits", step, plan)
    check(step.limits, f"{step.where}: at least one limit is needed")
    step.charged_counts = optional_accumulator(table, "charged_counts", step, plan)
    step.reached_counts = optional_accumulator(table, "reached_counts", step, plan, "times")
    if step.reached_counts:
        good = step.reached_counts.period == "month"
        check(good, f"{step.where}: `reached_counts` has to run by month")


def read_account(_table, _step, _plan):
    """Section 10.5: an account has only its caps."""


def read_count(table, step, plan):
    """Section 10.6."""
    step.what = word(table.get("what", "money"), ("money", "visit"), f"{step.where} what")
    counts = "money" if step.what == "money" else "visits"
    where = f"{step.where} into"
    step.into = accumulator(table["into"], plan, step.per_slot, where, counts=counts)
    check(step.what == "money" or "base" not in table, f"{where}: a visit takes no `base`")


READERS = {
    "benefit": read_benefit,
    "fixed": read_fixed_or_copay,
    "copay": read_fixed_or_copay,
    "limit": read_limit,
    "personal_account": read_account,
    "family_account": read_account,
    "count": read_count,
}
