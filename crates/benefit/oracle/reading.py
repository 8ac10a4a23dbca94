"""Reading tables strictly: section 2 of the guide."""

import re

from exact import Mistake


def check(holds, message):
    """A sentence of the guide that the file has to keep."""
    if not holds:
        raise Mistake(message)


def fields(table, where, needed=(), optional=()):
    """Section 2: an unknown field is an error; nothing is ignored."""
    check(isinstance(table, dict), f"{where}: a table is needed")
    for name in table:
        check(name in needed or name in optional, f"{where}: `{name}` does not belong here")
    for name in needed:
        check(name in table, f"{where}: `{name}` is missing")


def word(value, known, where):
    check(value in known, f"{where}: `{value}` is not one of {', '.join(known)}")
    return value


def word_list(values, known, where):
    check(isinstance(values, list), f"{where}: a list is needed")
    return [word(value, known, where) for value in values]


def some_words(values, known, where):
    """Section 2: an empty list of a plan or catalogue is an error."""
    check(values != [], f"{where}: the list is empty")
    return word_list(values, known, where)


def whole(value, where, least=0):
    good = isinstance(value, int) and not isinstance(value, bool) and value >= least
    check(good, f"{where}: a whole number of at least {least} is needed")
    return value


def truth(value, where):
    check(isinstance(value, bool), f"{where}: `true` or `false` is needed")
    return value


def name(value, where):
    """Section 2: 1 to 40 of `a-z`, `0-9`, `_` and `-`."""
    good = isinstance(value, str) and re.fullmatch(r"[a-z0-9_-]{1,40}", value)
    check(good, f"{where}: `{value}` is not a name")
    return value


def text(value, where, most=10_000):
    good = isinstance(value, str) and 0 < len(value) <= most
    check(good, f"{where}: a text of 1 to {most} characters is needed")
    return value


def texts(value, where):
    """Section 2: a table by language tag."""
    good = isinstance(value, dict) and value and all(isinstance(t, str) for t in value.values())
    check(good, f"{where}: texts by language are needed")
    return value


def source_text(value, where):
    """Section 2: one text for everybody, or texts by language."""
    return texts(value, where) if isinstance(value, dict) else text(value, where)


def unique(values, where):
    check(len(set(values)) == len(values), f"{where}: the same one is there twice")


def table_rows(rows, where):
    """Section 2: first match wins; the last row, and only the last, has no `when`."""
    check(isinstance(rows, list) and rows, f"{where}: at least one row is needed")
    check(len(rows) <= 64, f"{where}: at most 64 rows")
    for number, row in enumerate(rows, 1):
        limited = "when" in row or "of_slot" in row
        check(limited or number == len(rows), f"{where}: every row but the last needs `when`")
        check("when" not in row or number < len(rows), f"{where}: the last row has no `when`")
    return rows
