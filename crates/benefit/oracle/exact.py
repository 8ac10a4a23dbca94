"""Exact numbers: money in minor units (int), rates and factors (Fraction), named rounding."""

import re
from datetime import date
from fractions import Fraction
from math import ceil, floor

from words import DECIMALS

PPM = 1_000_000
AMOUNT_BOUND = 10**15  # Section 15: amounts of a plan are below this many minor units.


class Mistake(Exception):
    """A file does not keep to the guide."""


class Refusal(Exception):
    """A bill is refused."""


def decimal(text, decimals, where):
    """Section 2: digits with at most so many decimals behind one point; never a TOML number."""
    if not isinstance(text, str):
        raise Mistake(f"{where}: write the number as text")
    match = re.fullmatch(r"([0-9]+)(?:\.([0-9]+))?", text)
    if not match or len(match[2] or "") > decimals:
        raise Mistake(f"{where}: `{text}` needs digits and at most {decimals} decimals")
    return Fraction(text)


def money(text, currency, where):
    """Money as whole minor units."""
    scale = DECIMALS[currency]
    return int(decimal(text, scale, where) * 10**scale)


def plan_money(text, currency, where):
    """An amount of a plan, which section 15 bounds."""
    amount = money(text, currency, where)
    if amount >= AMOUNT_BOUND:
        raise Mistake(f"{where}: `{text}` is too large")
    return amount


def rate(text, where):
    """Section 2: 0 to 1 with six decimals, or percent with four."""
    if isinstance(text, str) and text.endswith("%"):
        value = decimal(text[:-1], 4, where) / 100
    else:
        value = decimal(text, 6, where)
    if value > 1:
        raise Mistake(f"{where}: `{text}` is above 1")
    return value


def factor(text, where):
    """Section 2: 0 to 100 with six decimals."""
    value = decimal(text, 6, where)
    if value > 100:
        raise Mistake(f"{where}: `{text}` is above 100")
    return value


def day(text, where):
    """Section 2: days are text, `2026-03-31`."""
    if not isinstance(text, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise Mistake(f"{where}: write the day as text, `2026-03-31`")
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Mistake(f"{where}: `{text}`: {error}") from None


def rounded(value, mode, unit=1):
    """Section 4: `value` to a whole multiple of `unit`, as `mode` says."""
    units = Fraction(value) / unit
    below = floor(units)
    rest = units - below
    half = Fraction(1, 2)
    if mode == "floor":
        whole = below
    elif mode == "ceiling":
        whole = ceil(units)
    elif mode == "half_up":
        whole = below + (rest >= half)
    elif mode == "half_even":
        whole = below + (rest > half or (rest == half and below % 2 == 1))
    else:
        raise Mistake(f"`{mode}` is not a way of rounding")
    return whole * unit


def floor_ppm(value):
    """Section 10.1: cut to whole parts per million."""
    return Fraction(floor(value * PPM), PPM)
