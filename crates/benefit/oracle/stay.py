"""Visits one after the other, and stays across a boundary (section 11)."""

from adjudicate import adjudicate
from exact import Refusal
from plan import in_force, plan_year


class State:
    """What runs on from visit to visit: amounts by (scope, number, period, slot)."""

    def __init__(self, running=None):
        self.running = dict(running or {})
        self.visit_numbers = {}

    def copy(self):
        other = State(self.running)
        other.visit_numbers = dict(self.visit_numbers)
        return other

    def start_visit(self):
        """Section 11: what runs for a visit starts at zero with every visit."""
        self.running = {key: value for key, value in self.running.items() if key[2] != "visit"}
        self.visit_numbers = {}


def plan_of_day(plans, when):
    for plan in plans:
        if in_force(plan, when):
            return plan
    raise Refusal(f"no plan is in force on {when}")


def period_mark(plan, when):
    """What has to stay the same for rows to be one part."""
    marks = {
        "never": (),
        "year": (plan_year(plan, when),),
        "month": (plan_year(plan, when), when.year, when.month),
        "day": (when,),
    }
    return marks[plan.split_stay]


def cut(plans, rows):
    """Section 11, items 1 and 2: parts as pairs of plan and rows."""
    if not rows:
        raise Refusal("the bill has no rows")
    rows = sorted(rows, key=lambda row: row["date"])
    last = plan_of_day(plans, rows[-1]["date"])
    if last.split_stay == "never":
        return [(last, rows)]
    parts, mark = [], None
    for row in rows:
        plan = plan_of_day(plans, row["date"])
        now = (plan.id, plan.valid, period_mark(plan, row["date"]))
        if now != mark:
            parts.append((plan, []))
        parts[-1][1].append(row)
        mark = now
    return parts


def settle_visit(plans, rows, facts, state):
    """Adjudicates the parts in order. Answers them and the state after; refuses as a whole."""
    state = state.copy()
    state.start_visit()
    parts = cut(plans, rows)
    facts = dict(facts)
    answers = []
    for plan, part in parts:
        if len(parts) > 1:
            facts["days"] = len({row["date"] for row in part})
        result = adjudicate(plan, part, facts, state)
        answers.append({"plan": plan, **result})
        facts["personal_account"] -= result["personal_account"]
        facts["family_accounts"] = less_paid(facts["family_accounts"], result["family_accounts"])
    return answers, state


def less_paid(grants, paid):
    """What each grant can still pay in the next part."""
    paid = dict(paid)
    return [
        {"grant": grant["grant"], "available": grant["available"] - paid.get(grant["grant"], 0)}
        for grant in grants
    ]
