"""The operators of section 10. Each gets the run, whose `step` and `slot` say what runs."""

from fractions import Fraction
from math import inf

from allowance import applies, open_amount
from condition import holds
from exact import PPM, floor_ppm, rounded


def least_of(allowances, amount, run):
    """For each in order, at most what is open: base caps and caps."""
    for allowance in allowances:
        if applies(allowance, run):
            open_ = open_amount(allowance, run)
            run.note("cap", amount=amount, open=open_)
            amount = min(amount, open_)
    return amount


def count_all(allowances, amount, run):
    """Each allowance that counts an accumulator adds to it."""
    for allowance in allowances:
        if allowance.counts is not None:
            run.add(allowance.counts, amount)


def pay_capped(amount, run):
    """`caps` as in section 10.1, item 6; answers what is paid and takes it out of the cells."""
    paid = least_of(run.step.caps, amount, run)
    count_all(run.step.caps, paid, run)
    take(paid, run)
    return paid


def take(paid, run):
    """Takes a payment out of the cells of the base (section 3.4)."""
    run.take(paid)
    run.note("paid", amount=paid)
    run.report(paid=paid)


def pay_from_payer(amount, run):
    paid = pay_capped(amount, run)
    run.payers[run.step.payer] = run.payers.get(run.step.payer, 0) + paid
    return paid


def benefit(run):
    """Section 10.1."""
    step, before = run.step, run.base_amount()
    base = least_of(step.base_caps, before, run)
    count_all(step.base_caps, base, run)
    taken = deductible(base, run)
    count_all(step.deductibles, taken, run)
    above = base - taken
    run.note("base", before=before, base=base)
    run.note("deductible", taken=taken)
    start = run.value(step.position) if step.position else 0
    start += taken if step.reading == "absolute" else 0
    right = benefit_of(tier_parts(start, above, run), above, run)
    right = min(right, run.left())
    if step.position:
        run.add(step.position, base if step.reading == "absolute" else above)
    paid = pay_from_payer(right, run)
    run.deductible += taken if step.reports_deductible else 0
    run.report(deductible=taken, self_share=above - right, cut=before - base + right - paid)


def deductible(base, run):
    """Item 2: the least open of all; nothing without any."""
    opens = [open_amount(one, run) for one in run.step.deductibles if applies(one, run)]
    return min(base, *opens) if opens else 0


def tier_parts(start, length, run):
    """Items 3 and 4: how much lies in each tier, with the tier's changed rate."""
    tiers = next(row.tiers for row in run.step.rates if holds(row.when, run))
    changes = [change for change in run.step.rate_changes if holds(change.when, run)]
    ends = [above for above, _ in tiers[1:]] + [inf]
    parts = []
    for (above, rate), end in zip(tiers, ends):
        part = max(0, min(start + length, end) - max(start, above))
        for change in changes:
            rate = changed_rate(rate, change)
        run.note("tier", part=part, ppm=rate * PPM)
        parts.append((part, rate))
    return parts


def changed_rate(rate, change):
    """Item 4."""
    if change.kind == "add":
        return min(Fraction(1), rate + change.value)
    if change.kind == "less":
        return max(Fraction(0), rate - change.value)
    if change.kind == "factor":
        return min(Fraction(1), floor_ppm(rate * change.value))
    return 1 - min(Fraction(1), floor_ppm((1 - rate) * change.value))


def benefit_of(parts, above, run):
    """Item 5, the table of `of` and `at`."""
    rounding = run.step.rounding
    by_person = rounding.of == "person"
    shares = [(part, part * (1 - rate if by_person else rate)) for part, rate in parts]
    if rounding.at == "once":
        shares = [(above, sum(share for _, share in shares))]
    total = 0
    for part, share in shares:
        amount = min(part, rounded(share, rounding.mode, rounding.unit))
        total += part - amount if by_person else amount
    return total


def fixed(run):
    """Section 10.2."""
    base = run.base_amount()
    gives = min(base, open_amount(run.step.amount, run))
    paid = pay_from_payer(gives, run)
    count_all([run.step.amount], paid, run)
    run.report(self_share=base - gives, cut=gives - paid)


def copay(run):
    """Section 10.3."""
    base, amount = run.base_amount(), run.step.amount
    kept = min(base, open_amount(amount, run))
    paid = pay_from_payer(base - kept, run)
    count_all([amount], kept, run)
    run.report(self_share=kept, cut=base - kept - paid)


def limit(run):
    """Section 10.4."""
    step, base = run.step, run.base_amount()
    charged = run.charged()
    excesses = [0]
    for one in step.limits:
        if applies(one, run):
            excesses.append(max(0, base - open_amount(one, run)))
    right = max(excesses)
    paid = pay_from_payer(right, run)
    count_all(step.limits, base - paid, run)
    if step.charged_counts:
        run.add(step.charged_counts, charged)
    if step.reached_counts and paid > 0:
        run.add(step.reached_counts, 1)
    run.report(self_share=base - right, cut=right - paid)


def personal_account(run):
    """Section 10.5."""
    if not run.facts["use_personal_account"]:
        return
    base = run.base_amount()
    right = min(base, run.account)
    paid = pay_capped(right, run)
    run.account -= paid
    run.account_paid += paid
    run.report(self_share=base - right, cut=right - paid)


def family_account(run):
    """Section 10.5: the grants in their order, the caps over their sum."""
    if not run.grants:
        return
    base = run.base_amount()
    together = least_of(run.step.caps, base, run)
    paid = min(together, sum(grant["available"] for grant in run.grants))
    count_all(run.step.caps, paid, run)
    take(paid, run)
    rest = paid
    for grant in run.grants:
        share = min(rest, grant["available"])
        grant["available"] -= share
        grant["paid"] += share
        rest -= share
    run.report(self_share=base - paid, cut=base - together)


def count(run):
    """Section 10.6."""
    if run.step.what == "visit":
        run.count_visit(run.step.into)
    else:
        run.add(run.step.into, run.base_amount())


OPERATORS = {
    "benefit": benefit,
    "fixed": fixed,
    "copay": copay,
    "limit": limit,
    "personal_account": personal_account,
    "family_account": family_account,
    "count": count,
}
