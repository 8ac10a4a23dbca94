"""Adjudication (section 3): lanes, cells, running amounts, and the steps in their order."""

from fractions import Fraction
from math import floor
from types import SimpleNamespace as Bag

from condition import holds
from exact import Refusal
from operators import OPERATORS
from plan import in_force, plan_year
from words import PARTS

LANES_MAX = 16  # Section 15.


class Run:
    """One adjudication under one plan. `state` is what runs on from visit to visit."""

    def __init__(self, plan, rows, facts, state):
        self.plan, self.facts, self.state = plan, facts, state
        self.day = max(row["date"] for row in rows)  # Section 3.2: the reckoning day.
        self.lanes = sort_into_lanes(plan, rows, facts)
        self.numbers = {}  # The four numbers of each step (section 9).
        self.left_after = {}  # What was left in each lane's cells after each step.
        self.payers, self.deductible = {}, 0
        self.account = facts["personal_account"]
        self.grants = [dict(grant, paid=0) for grant in facts["family_accounts"]]
        self.account_paid = 0
        self.counted = []  # What the running step counts; added when it is done (section 5).
        self.trace = []
        self.step = self.slot = None

    # Running amounts (section 5).

    def exists(self, accumulator):
        """A family amount exists only for people with `in_family`."""
        return accumulator.scope == "person" or self.facts["in_family"]

    def key(self, accumulator):
        slot = self.slot if accumulator.per_slot else 0
        period = period_of(self.plan, accumulator.period, self.day)
        return (accumulator.scope, accumulator.number, period, slot)

    def value(self, accumulator):
        return self.state.running.get(self.key(accumulator), 0) if self.exists(accumulator) else 0

    def value_months_ago(self, accumulator, ago):
        """Section 7, `months_reached`."""
        months = self.day.year * 12 + self.day.month - 1 - ago
        scope, number, _, slot = self.key(accumulator)
        key = (scope, number, f"{months // 12:04}-{months % 12 + 1:02}", slot)
        return self.state.running.get(key, 0) if self.exists(accumulator) else 0

    def add(self, accumulator, amount):
        """Section 5: what a step counts is added when it is done."""
        if amount and self.exists(accumulator):
            self.counted.append((accumulator, amount))

    def add_counted(self):
        for accumulator, amount in self.counted:
            key = self.key(accumulator)
            self.state.running[key] = self.state.running.get(key, 0) + amount
            self.note("counted", accumulator=accumulator.id, period=key[2], amount=amount)
        self.counted = []

    def visit_number(self, accumulator):
        """Section 5, "Counting visits"."""
        counted = self.state.visit_numbers.get((accumulator.scope, accumulator.number))
        return self.value(accumulator) + 1 if counted is None else counted

    def count_visit(self, accumulator):
        key = (accumulator.scope, accumulator.number)
        if key not in self.state.visit_numbers and self.exists(accumulator):
            self.state.visit_numbers[key] = self.value(accumulator) + 1
            self.add(accumulator, 1)

    # What the step looks at (section 9).

    @property
    def mode(self):
        return self.step.rounding.mode

    def cells(self):
        """The cells of the step's base, in the order of lanes and parts."""
        base = self.step.base
        lanes = [lane for lane in self.lanes if lane.group in base.groups and self.in_run(lane)]
        if base.left_after is not None:
            lanes = [lane for lane in lanes if self.left_in_group(lane.group) >= base.at_least]
        return [lane.cells[part] for lane in lanes for part in PARTS if part in base.parts]

    def in_run(self, lane):
        return not self.step.per_slot or lane.slot == self.slot

    def left_in_group(self, group):
        """Section 9, `groups_with`: what was left of a group after the earlier step."""
        base = self.step.base
        left = self.left_after[base.left_after]
        return sum(
            left[number][part]
            for number, lane in enumerate(self.lanes)
            if lane.group == group and self.in_run(lane)
            for part in base.parts
        )

    def left(self):
        return sum(cell.left for cell in self.cells())

    def charged(self):
        return sum(cell.charged for cell in self.cells())

    def charged_before(self):
        """Section 8, `plus`: the value of the step's `charged_counts`, which only limits have."""
        counts = getattr(self.step, "charged_counts", None)
        return self.value(counts) if counts else 0

    def base_amount(self):
        """Section 9, `of` and `less`."""
        base = self.step.base
        if base.of == "left":
            less = sum(self.numbers[step][number] for number, step in base.less)
            return max(0, self.left() - less)
        if base.of == "charged":
            amount = self.charged()
        else:
            number, step = base.of
            amount = self.numbers[step][number]
        return amount if self.step.kind == "count" else min(amount, self.left())

    def slot_amount(self):
        """The amount attested with the slot for which the step runs; None when there is none."""
        for slot in self.facts["slots"]:
            if slot["slot"] == self.slot:
                return slot["amount"]
        return None

    # What the step does.

    def take(self, payment):
        """Section 3.4: takes a payment out of the cells of the base, in proportion."""
        cells = self.cells()
        lefts = [cell.left for cell in cells]
        assert payment <= sum(lefts), "a step pays at most what is left"
        before, taken_before = 0, 0
        for cell, left in zip(cells, lefts):
            before += left
            taken = floor(Fraction(payment * before, sum(lefts))) if payment else 0
            cell.left -= taken - taken_before
            taken_before = taken

    def report(self, **numbers):
        """Adds to the numbers of the step, which are summed over its runs."""
        for number, amount in numbers.items():
            self.numbers[self.step.id][number] += amount

    def note(self, what, **values):
        self.trace.append((self.step.id, self.slot or 0, what, values))

    def run_step(self, step):
        """Runs a step, once for every slot if it is `per_slot`."""
        self.step = step
        self.numbers[step.id] = {"deductible": 0, "self_share": 0, "cut": 0, "paid": 0}
        for slot in self.slots_of(step):
            self.slot = slot
            if holds(step.when, self):
                OPERATORS[step.kind](self)
                self.add_counted()
        self.slot = None
        self.left_after[step.id] = [
            {part: cell.left for part, cell in lane.cells.items()} for lane in self.lanes
        ]

    def slots_of(self, step):
        if not step.per_slot:
            return [None]
        slots = {lane.slot for lane in self.lanes if lane.group in step.base.groups}
        return sorted(slots - {0})


def period_of(plan, period, when):
    """Section 5, `period`, for the reckoning day."""
    if period == "year":
        return f"{plan_year(plan, when):04}"
    return {"month": f"{when:%Y-%m}", "day": f"{when:%Y-%m-%d}"}.get(period, period)


def sort_into_lanes(plan, rows, facts):
    """Section 3.3."""
    lanes = {}
    groups = [*plan.groups, Bag(id="rest", per_slot=False, when={})]
    for row in rows:
        place = next(n for n, group in enumerate(groups) if takes(group, row, facts))
        slot = row["slot"] if groups[place].per_slot else 0
        if (place, slot) not in lanes:
            cells = {part: Bag(charged=0, left=0) for part in PARTS}
            lanes[place, slot] = Bag(group=groups[place].id, slot=slot, cells=cells)
        for part in PARTS:
            lanes[place, slot].cells[part].charged += row[part]
            lanes[place, slot].cells[part].left += row[part]
    if len(lanes) > LANES_MAX:
        raise Refusal(f"the bill has more than {LANES_MAX} lanes")
    return [lanes[key] for key in sorted(lanes)]


def takes(group, row, facts):
    """Section 6: every condition that is there must hold."""
    when = group.when
    slot_group = next((s["group"] for s in facts["slots"] if s["slot"] == row["slot"]), None)
    answers = {
        "categories": lambda listed: row["category"] in listed,
        "classes": lambda listed: row["class"] in listed,
        "programmes": lambda listed: row["programme"] in listed,
        "slot_groups": lambda listed: slot_group in listed,
        "with_slot": lambda wanted: (row["slot"] != 0) == wanted,
    }
    return all(answers[field](value) for field, value in when.items())


def check_bill(plan, rows, facts):
    """Section 3.1."""
    if not rows:
        raise Refusal("the bill has no rows, so there is no reckoning day")
    if facts["visit_type"] not in plan.visit_types:
        raise Refusal(f"the plan has no rules for `{facts['visit_type']}`")
    days = [row["date"] for row in rows]
    for when in [max(days)] if plan.split_stay == "never" else days:
        if not in_force(plan, when):
            raise Refusal(f"the plan is not in force on {when}")
    for row in rows:
        if row["programme"] and row["programme"] not in plan.programmes.values():
            raise Refusal(f"the plan has no programme {row['programme']}")
        if row["slot"] and all(slot["slot"] != row["slot"] for slot in facts["slots"]):
            raise Refusal(f"the facts have no slot {row['slot']}")


def adjudicate(plan, rows, facts, state):
    """Splits the rows; changes `state`. The caller keeps a copy in case the bill is refused."""
    check_bill(plan, rows, facts)
    run = Run(plan, rows, facts, state)
    for step in plan.steps:
        run.run_step(step)
    return answer(run, rows)


def answer(run, rows):
    """Section 3.5: what is left is cash, and everything adds up."""
    sums = {part: sum(row[part] for row in rows) for part in PARTS}
    cash = sum(cell.left for lane in run.lanes for cell in lane.cells.values())
    grants = [(grant["grant"], grant["paid"]) for grant in run.grants if grant["paid"]]
    paid = sum(run.payers.values()) + run.account_paid + sum(amount for _, amount in grants)
    assert sum(sums.values()) == paid + cash, "the identity of section 3 does not hold"
    return {
        "total": sum(sums.values()),
        **sums,
        "deductible": run.deductible,
        "payers": {payer: amount for payer, amount in run.payers.items() if amount},
        "personal_account": run.account_paid,
        "family_accounts": grants,
        "cash": cash,
        "steps": {step: numbers["paid"] for step, numbers in run.numbers.items()},
        "trace": run.trace,
    }
