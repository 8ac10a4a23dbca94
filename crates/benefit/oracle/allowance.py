"""Allowances (section 8): deductibles, caps, limits and fixed amounts."""

from math import floor, inf
from types import SimpleNamespace as Bag

import exact
from condition import accumulator, holds, read_when
from exact import rounded
from reading import check, fields, table_rows, truth, whole


def read_allowance(table, plan, per_slot, where):
    """Section 8."""
    optional = ("amount", "amounts", "counts", "changes", "repeat", "grow")
    fields(table, where, optional=optional)
    check(("amount" in table) != ("amounts" in table), f"{where}: either `amount` or `amounts`")
    rows = table.get("amounts", [{"amount": table.get("amount")}])
    result = Bag(counts=None, changes=[], repeat=None, grow=None)
    result.rows = [read_row(row, plan, per_slot, where) for row in table_rows(rows, where)]
    check(not result.rows[-1].of_slot, f"{where}: the last row cannot be `of_slot`")
    if "counts" in table:
        result.counts = accumulator(table["counts"], plan, per_slot, where)
    changes = table.get("changes", [])
    check(len(changes) <= 16, f"{where}: at most 16 changes")
    result.changes = [read_change(change, plan, per_slot, where) for change in changes]
    if "repeat" in table:
        result.repeat = read_repeat(table["repeat"], plan, per_slot, f"{where} repeat")
    if "grow" in table:
        result.grow = read_grow(table["grow"], plan, f"{where} grow")
    return result


def read_certain(table, plan, per_slot, where):
    """Section 8: deductibles and the `amount` of a step cannot be `none`."""
    result = read_allowance(table, plan, per_slot, where)
    for row in result.rows:
        check(row.of_slot or row.amount != inf, f"{where}: `none` is not possible here")
    return result


def read_row(table, plan, per_slot, where):
    where = f"{where} amounts"
    fields(table, where, optional=("when", "amount", "of_slot", "per_day", "plus"))
    row = Bag(when=read_when(table, plan, per_slot, where), amount=inf, above=None)
    row.of_slot = truth(table.get("of_slot", False), where)
    row.per_day = truth(table.get("per_day", False), where)
    check(per_slot or not row.of_slot, f"{where}: `of_slot` needs a step with `per_slot`")
    check(row.of_slot != ("amount" in table), f"{where}: either `amount` or `of_slot`")
    if "amount" in table and table["amount"] != "none":
        row.amount = exact.plan_money(table["amount"], plan.currency, where)
    bare = not row.per_day and "plus" not in table
    check(table.get("amount") != "none" or bare, f"{where}: `none` has no `per_day`, no `plus`")
    if "plus" in table:
        fields(table["plus"], where, needed=("share", "of_charged_above"))
        row.share = exact.rate(table["plus"]["share"], where)
        row.above = exact.plan_money(table["plus"]["of_charged_above"], plan.currency, where)
    return row


def one_of(table, names, where):
    """The one field of these that a table has to have."""
    found = [name for name in names if name in table]
    check(len(found) == 1, f"{where}: exactly one of {', '.join(names)}")
    return found[0]


def read_change(table, plan, per_slot, where):
    where = f"{where} changes"
    fields(table, where, optional=("when", "factor", "add", "less"))
    kind = one_of(table, ("factor", "add", "less"), where)
    return Bag(when=read_when(table, plan, per_slot, where), kind=kind,
               value=read_change_value(kind, table[kind], plan, where))


def read_change_value(kind, text, plan, where):
    if kind == "factor":
        return exact.factor(text, where)
    return exact.plan_money(text, plan.currency, where)


def read_repeat(table, plan, per_slot, where):
    fields(table, where, needed=("of",), optional=("from", "less", "floor"))
    result = Bag(of=accumulator(table["of"], plan, per_slot, where, counts="visits"))
    result.kind = one_of(table, ("from", "less"), where)
    if result.kind == "less":
        result.less = exact.plan_money(table["less"], plan.currency, where)
        result.floor = exact.plan_money(table.get("floor", "0"), plan.currency, where)
        return result
    check("floor" not in table, f"{where}: `floor` goes with `less`")
    result.rows = [read_repeat_row(row, plan, where) for row in table["from"]]
    visits = [row.visit for row in result.rows]
    check(visits == sorted(set(visits)), f"{where}: the visits have to ascend")
    check(1 <= len(visits) <= 8, f"{where}: 1 to 8 rows")
    return result


def read_repeat_row(table, plan, where):
    fields(table, where, needed=("visit",), optional=("factor", "amount"))
    kind = one_of(table, ("factor", "amount"), where)
    value = read_change_value(kind, table[kind], plan, where)
    return Bag(visit=whole(table["visit"], where, 2), kind=kind, value=value)


def read_grow(table, plan, where):
    names = ("per_unbroken_year", "per_claim_free_year", "at_most")
    fields(table, where, optional=(*names, "after", "at_most_share"))
    amounts = {
        name: exact.plan_money(table[name], plan.currency, where) for name in names if name in table
    }
    share = table.get("at_most_share")
    return Bag(
        per_unbroken_year=amounts.get("per_unbroken_year", 0),
        per_claim_free_year=amounts.get("per_claim_free_year", 0),
        at_most=amounts.get("at_most", inf),
        after=whole(table.get("after", 0), where),
        at_most_share=None if share is None else exact.rate(share, where),
    )


def applies(allowance, run):
    """Section 8: one that counts a family amount is as if not written for people without family."""
    return allowance.counts is None or run.exists(allowance.counts)


def full_amount(allowance, run):
    """Section 8, "The full amount"; `inf` when it is unlimited."""
    row, amount = first_amount(allowance, run)
    if amount == inf:
        return inf
    amount *= run.facts["days"] if row.per_day else 1
    amount, above = changed(allowance, amount, row.above, run)
    if allowance.repeat:
        amount = repeated(allowance.repeat, amount, run)
    if allowance.grow:
        amount += growth(allowance.grow, amount, run.facts)
    if row.above is not None:
        charged = run.charged() + run.charged_before()
        amount += rounded(row.share * max(0, charged - above), run.mode)
    return amount


def first_amount(allowance, run):
    """Step 1: the first row that holds; `of_slot` is passed over when the slot has no amount."""
    for row in allowance.rows:
        if not holds(row.when, run):
            continue
        if not row.of_slot:
            return row, row.amount
        amount = run.slot_amount()
        if amount is not None:
            return row, amount
    raise AssertionError("the last row always holds")


def changed(allowance, amount, above, run):
    """Step 2."""
    for change in allowance.changes:
        if not holds(change.when, run):
            continue
        if change.kind == "factor":
            amount = rounded(amount * change.value, run.mode)
            above = None if above is None else rounded(above * change.value, run.mode)
        elif change.kind == "add":
            amount += change.value
        else:
            amount = max(0, amount - change.value)
    return amount, above


def repeated(repeat, amount, run):
    """Step 3."""
    number = run.visit_number(repeat.of)
    if repeat.kind == "less":
        least = min(amount, repeat.floor)
        return max(least, amount - repeat.less * (number - 1))
    rows = [row for row in repeat.rows if row.visit <= number]
    if not rows:
        return amount
    if rows[-1].kind == "amount":
        return rows[-1].value
    return rounded(amount * rows[-1].value, run.mode)


def growth(grow, amount, facts):
    """Step 4."""
    years = max(0, facts["unbroken_years"] - grow.after)
    more = grow.per_unbroken_year * years + grow.per_claim_free_year * facts["claim_free_years"]
    more = min(more, grow.at_most)
    if grow.at_most_share is not None:
        more = min(more, floor(amount * grow.at_most_share))
    return more


def open_amount(allowance, run):
    """Section 8, "What is open"."""
    used = run.value(allowance.counts) if allowance.counts else 0
    return max(0, full_amount(allowance, run) - used)
