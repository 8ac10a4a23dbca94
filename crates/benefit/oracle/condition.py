"""Conditions (section 7): reading them, and asking whether they hold."""

import words
from exact import Refusal, plan_money
from reading import check, fields, some_words, truth, whole, word

# Conditions on a fact that is one word: the field of the condition, the fact, the words.
LISTS = {
    "visit_types": ("visit_type", words.VISIT_TYPES),
    "hospital_levels": ("hospital_level", words.HOSPITAL_LEVELS),
    "places": ("place", words.PLACES),
    "filings": ("filing", words.FILINGS),
    "networks": ("network", words.NETWORKS),
    "sexes": ("sex", words.SEXES),
}
CLASS_LISTS = ("person_classes", "person_classes_not")
# Conditions on a number that the plan gave a name: the field of the condition and the fact.
NAMED = {"income_classes": "income_class", "diagnosis_groups": "diagnosis_group"}
YEARS = ("age_from", "age_below", "unbroken_years_from", "unbroken_years_below")
TRUTHS = ("month_of_75", "in_family")
RUNNING = ("visit_number", "months_reached", "accumulated")
FIELDS = [*LISTS, *CLASS_LISTS, *NAMED, "slot_groups", *YEARS, *TRUTHS, *RUNNING]


def read_when(table, plan, per_slot, where):
    """The condition under `when` of a table; without one, a condition that always holds."""
    when = table.get("when", {})
    where = f"{where} when"
    fields(when, where, optional=FIELDS)
    result = {}
    for field, value in when.items():
        result[field] = read_field(field, value, plan, per_slot, f"{where} {field}")
    for lower, upper in (YEARS[:2], YEARS[2:]):
        check_order(result, lower, upper, where)
    return result


def check_order(table, lower, upper, where):
    """Section 7: a lower bound is less than its upper bound."""
    both = lower in table and upper in table
    check(not both or table[lower] < table[upper], f"{where}: `{lower}` is not below `{upper}`")


def read_field(field, value, plan, per_slot, where):
    if field in LISTS:
        return some_words(value, LISTS[field][1], where)
    if field in CLASS_LISTS:
        return some_words(value, words.PERSON_CLASSES, where)
    if field in NAMED or field == "slot_groups":
        names = getattr(plan, field)
        return [names[entry] for entry in some_words(value, names, where)]
    if field in YEARS:
        return whole(value, where)
    if field in TRUTHS:
        return truth(value, where)
    return read_running(field, value, plan, per_slot, where)


def read_running(field, value, plan, per_slot, where):
    """The three conditions on running amounts."""
    if field == "months_reached":
        fields(value, where, needed=("of", "within", "at_least"))
        of = accumulator(value["of"], plan, per_slot, where, counts="times")
        check(of.period == "month", f"{where}: `{of.id}` does not run by month")
        within = whole(value["within"], where, 2)
        check(within <= 36, f"{where}: `within` is 2 to 36")
        return {"of": of, "within": within, "at_least": whole(value["at_least"], where, 1)}
    fields(value, where, needed=("of",), optional=("from", "below"))
    check("from" in value or "below" in value, f"{where}: `from` or `below` is needed")
    if field == "visit_number":
        of = accumulator(value["of"], plan, per_slot, where, counts="visits")
        bounds = {key: whole(value[key], where) for key in ("from", "below") if key in value}
    else:
        of = accumulator(value["of"], plan, per_slot, where, counts=None)
        keys = [key for key in ("from", "below") if key in value]
        bounds = {key: read_bound(value[key], of, plan, where) for key in keys}
    check_order(bounds, "from", "below", where)
    return {"of": of, **bounds}


def read_bound(text, of, plan, where):
    """Section 7: for `visits` and `times` write whole numbers (as text, like all bounds)."""
    if of.counts == "money":
        return plan_money(text, plan.currency, where)
    check(isinstance(text, str) and text.isdigit(), f"{where}: a whole number as text is needed")
    return int(text)


def accumulator(id_, plan, per_slot, where, counts="money"):
    """An accumulator by its name; section 5 says which steps may use one with `per_slot`."""
    word(id_, plan.accumulators, where)
    found = plan.accumulators[id_]
    check(per_slot or not found.per_slot, f"{where}: `{id_}` needs a step with `per_slot`")
    if counts is not None:
        check(found.counts == counts, f"{where}: `{id_}` counts {found.counts}")
    return found


def holds(when, run):
    """Section 7: every field that is there must hold. Refuses when only the age is left open."""
    others = [holds_field(field, value, run) for field, value in when.items() if field not in AGE]
    if not all(others):
        return False
    if not any(field in when for field in AGE):
        return True
    answer = age_holds(when, run.facts["age"])
    if answer is None:
        raise Refusal("the age band does not decide a condition; have it attested more narrowly")
    return answer


AGE = ("age_from", "age_below")


def age_holds(when, band):
    """True, False, or None when only some ages of the band fit. The band is [from, below)."""
    fits = [
        when.get("age_from", 0) <= age and ("age_below" not in when or age < when["age_below"])
        for age in range(band[0], band[1])
    ]
    if all(fits):
        return True
    return None if any(fits) else False


def holds_field(field, value, run):
    """One field of a condition, except the two about age."""
    facts = run.facts
    if field in LISTS:
        return facts[LISTS[field][0]] in value
    if field == "person_classes":
        return any(entry in facts["person_classes"] for entry in value)
    if field == "person_classes_not":
        return not any(entry in facts["person_classes"] for entry in value)
    if field in NAMED:
        return facts[NAMED[field]] in value
    if field == "slot_groups":
        return slot_group_holds(value, run)
    if field == "unbroken_years_from":
        return facts["unbroken_years"] >= value
    if field == "unbroken_years_below":
        return facts["unbroken_years"] < value
    if field in TRUTHS:
        return facts[field] == value
    return running_holds(field, value, run)


def slot_group_holds(value, run):
    """Section 7: of the run's slot in a step with `per_slot`, else of any of the person's."""
    slots = run.facts["slots"]
    if run.step.per_slot:
        slots = [slot for slot in slots if slot["slot"] == run.slot]
    return any(slot["group"] in value for slot in slots)


def running_holds(field, value, run):
    of = value["of"]
    if field == "months_reached":
        reached = [run.value_months_ago(of, ago) > 0 for ago in range(1, value["within"])]
        return sum(reached) >= value["at_least"]
    now = run.visit_number(of) if field == "visit_number" else run.value(of)
    return value.get("from", 0) <= now and ("below" not in value or now < value["below"])
