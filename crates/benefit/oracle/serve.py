"""Requests as JSON lines, one answer per line, in the JSON shapes of the crate's public types.

    {"plan": NAME, "text": TOML}        reads a plan; {"ok": true} or {"mistake": TEXT}
    {"catalogue": NAME, "text": TOML}   reads a catalogue; likewise
    {"plans": [NAME], "catalogue": NAME or null, "accumulators": [[KEY, VALUE]], "visits": [VISIT]}

A VISIT has `facts` (the type `Facts`), and either `rows` (`CategorySums`) or `bill`
(the type `Bill`) with `diagnosis_groups`. A KEY is [scope, number, period as text, slot]. The
answer has one entry per visit: {"refused": TEXT}, or its parts and all running amounts after it.
Money is text of whole minor units, as everywhere in the crate's JSON, except in bills.
"""

import json

import exact
from exact import Mistake, Refusal
from plan import load_plan
from sorting import load_catalogue, sort_lines
from stay import State, settle_visit
from words import PARTS

AMOUNTS = ("total", *PARTS, "deductible", "personal_account", "cash")


def serve(requests, answers):
    plans, catalogues = {}, {}
    for line in requests:
        request = json.loads(line)
        if "text" in request:
            answer = load(request, plans, catalogues)
        else:
            answer = run(request, plans, catalogues)
        answers.write(json.dumps(answer, separators=(",", ":")) + "\n")
        answers.flush()


def load(request, plans, catalogues):
    try:
        if "plan" in request:
            plans[request["plan"]] = load_plan(request["text"])
        else:
            catalogues[request["catalogue"]] = load_catalogue(request["text"])
    except Mistake as mistake:
        return {"mistake": str(mistake)}
    return {"ok": True}


def run(request, plans, catalogues):
    chosen = [plans[name] for name in request["plans"]]
    state = State({tuple(key): int(value) for key, value in request["accumulators"]})
    answers = []
    for visit in request["visits"]:
        try:
            facts = read_facts(visit)
            rows = read_rows(visit, facts, catalogues.get(request["catalogue"]))
            parts, state = settle_visit(chosen, rows, facts, state)
        except (Refusal, Mistake) as refusal:
            answers.append({"refused": str(refusal)})
            continue
        answers.append({
            "parts": [show(part, chosen) for part in parts],
            "accumulators": sorted([list(key), str(value)] for key, value in state.running.items()),
        })
    return {"visits": answers}


def read_facts(visit):
    """The type `Facts` as JSON, into the shape that the rules use."""
    facts = dict(visit["facts"])
    facts["age"] = (facts["age"]["from"], facts["age"]["below"])
    facts["personal_account"] = int(facts["personal_account"])
    facts["family_accounts"] = [
        {"grant": grant["grant"], "available": int(grant["available"])}
        for grant in facts["family_accounts"]
    ]
    facts["slots"] = [
        slot | {"amount": None if slot["amount"] is None else int(slot["amount"])}
        for slot in facts["slots"]
    ]
    facts["diagnosis_groups"] = visit.get("diagnosis_groups", [])
    return facts


def read_rows(visit, facts, catalogue):
    if "bill" in visit:
        bill = visit["bill"]
        lines = [read_line(line, bill["currency"]) for line in bill["lines"]]
        return sort_lines(catalogue, {"currency": bill["currency"], "lines": lines}, facts)
    rows = []
    for row in visit["rows"]:
        key = row["key"]
        read = {field: key[field] for field in ("category", "class", "programme", "slot")}
        read["date"] = exact.day(key["service_date"], "service_date")
        rows.append(read | {part: int(row[part]) for part in PARTS})
    return rows


def read_line(line, currency):
    """The type `LineItem` as JSON (section 13, the end)."""
    price = line.get("unit_price")
    return {
        "item": line["item_code"],
        "date": exact.day(line["service_date"], "service_date"),
        "quantity": exact.decimal(line.get("quantity", "1"), 4, "quantity"),
        "unit_price": None if price is None else exact.decimal(price, 6, "unit_price"),
        "amount": exact.money(line["amount"], currency, "amount"),
        "category": line.get("category"),
        "programme": line.get("programme", 0),
        "slot": line.get("slot", 0),
    }


def show(part, plans):
    """A part, with money as text."""
    result = {name: str(part[name]) for name in AMOUNTS}
    result["plan"] = plans.index(part["plan"])
    for group in ("payers", "steps"):
        result[group] = {name: str(amount) for name, amount in part[group].items() if amount}
    result["family_accounts"] = [[grant, str(paid)] for grant, paid in part["family_accounts"]]
    result["trace"] = [
        [step, slot, what, {name: str(value) for name, value in values.items()}]
        for step, slot, what, values in part["trace"]
    ]
    return result
